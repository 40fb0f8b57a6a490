"What the documentation site is made of is sound; Quarto itself, which draws it, runs in CI"
import ast
import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from test_package import ROOMS, imported, module_files

ROOT = Path(__file__).parent.parent

# What `nbdev-docs` does to each notebook before Quarto: it runs the cells that export or import, and no others.
PROCESS = '''
import os, sys, warnings
from pathlib import Path
from fastcore.nbio import read_nb
from nbdev.processors import FilterDefaults
warnings.simplefilter('ignore')
for path in map(Path, sys.argv[1:]):
    os.chdir(path.parent)
    try: FilterDefaults()(read_nb(path))
    except Exception as e: print(path.name, *str(e).splitlines())
'''


def listed(contents):
    "All paths of a sidebar, in their order"
    return [path for o in contents for path in (listed(o['contents']) if isinstance(o, dict) else [o])]


@pytest.fixture(scope='module')
def sidebar(): return listed(runpy.run_path(str(ROOT/'.ci/sidebar.py'))['contents']())


def notebooks(): return [path for path in sorted((ROOT/'nbs').rglob('*.ipynb')) if '.ipynb_checkpoints' not in path.parts]


def test_imports_stand_in_cells_of_their_own():
    "`nbdev-docs` runs cells that import or export, and no others: what such a cell does besides may need names that are not there"
    paths, mixed = notebooks(), []
    for path in paths:
        if 'default_exp' not in path.read_text(encoding='utf-8'): continue # tutorials document no names, so none of their cells is run
        for cell in json.loads(path.read_text(encoding='utf-8'))['cells']:
            code = ''.join(cell['source'])
            if cell['cell_type'] != 'code' or re.search(r'^#\| *(export|exporti|exports|exec_doc|eval: *false)', code, flags=re.M) or code.startswith('%%') or 'nbdev_export()' in code: continue
            kinds = [type(o) for o in ast.parse(re.sub(r'^[%!].*', '', code, flags=re.M)).body]
            if {ast.Import, ast.ImportFrom} & {*kinds} and {ast.Expr, ast.Assign} & {*kinds}: mixed.append((path.name, code))
    assert len(paths) > 50 and mixed == []


@pytest.mark.slow
def test_nbdev_docs_can_process_each_notebook():
    paths = notebooks()
    ran = subprocess.run([sys.executable, '-c', PROCESS, *map(str, paths)], capture_output=True, text=True, env=os.environ | {'MPLBACKEND': 'agg'})
    assert (ran.returncode, ran.stdout) == (0, ''), ran.stderr[-2000:]


def test_sidebar_lists_every_notebook_once(sidebar):
    assert sorted(sidebar) == sorted(path.relative_to(ROOT/'nbs').as_posix() for path in (ROOT/'nbs').rglob('*.ipynb') if '.ipynb_checkpoints' not in path.parts)


def test_notebooks_read_in_order(sidebar):
    "The notebook of a module comes after those of all that it imports"
    folder = dict(ROOMS['folders']())
    notebook = {o: sidebar.index(f"{folder[ROOMS['room_of'](o)]}{o.rpartition('.')[2]}.ipynb") for o in module_files()}
    early = [(module, other) for module in module_files() for other in imported(module) if notebook[other] > notebook[module] and (module, other) not in ROOMS['LATER']]
    assert early == []


def test_links_lead_to_pages_of_the_site():
    "What is not one, such as CONTRIBUTING.md, has an address on the web"
    broken, found = [], 0
    for path in sorted((ROOT/'nbs').rglob('*.ipynb')):
        if '.ipynb_checkpoints' in path.parts: continue
        for target in re.findall(r'\]\(([^)\s#]+)', ''.join(''.join(o['source']) for o in json.loads(path.read_text(encoding='utf-8'))['cells'] if o['cell_type'] == 'markdown')):
            if re.match('[a-z][a-z0-9+.-]*:', target): continue
            page, found = (path.parent/target).resolve(), found + 1
            if not page.is_relative_to(ROOT/'nbs') or not page.exists(): broken.append((path.name, target))
    assert found > 20 and broken == []


def test_ci_makes_the_sidebar_and_the_site():
    steps = (ROOT/'.github/workflows/ci.yml').read_text(encoding='utf-8').partition('\n  docs:')[2]
    assert steps.index('quarto-actions/setup') < steps.index('.venv/bin/python .ci/sidebar.py') < steps.index('nbdev-docs')
    assert 'continue-on-error' not in steps
