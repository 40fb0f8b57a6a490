"The package as a whole: its files say the same thing, and its modules stand in order"
import ast
import importlib
import json
import os
import re
import runpy
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import ear_lazy

ROOT = Path(__file__).parent.parent
RUN = 'git clone -q https://github.com/ear-lazy/ear_lazy && cd ear_lazy && python3 -m venv .venv && .venv/bin/pip install -q -c constraints.txt . && .venv/bin/ear-lazy demo'
TEST = "python3 -m venv .venv && .venv/bin/pip install -q -c constraints.txt -e '.[dev]' && .venv/bin/nbdev-test && .venv/bin/pytest"

ROOMS = runpy.run_path(str(ROOT/'.ci/rooms.py'))
MODULES = ROOMS['order']()
WITH_TORCH = ['loading.buffers', 'loading.samples', 'loading.row_dataset', 'transforms', 'loading.sampler', 'adapters', 'lazy_dataset',
              'looking.predictions', 'looking.row_pictures', 'explorer', 'demo', 'suspects', 'evaluation', 'evaluation_view',
              *(f'measuring.{o}' for o in ('matching', 'coco_scores', 'average_precision', 'box_outcomes', 'box_measures', 'model_scores', 'model_suspects', 'next_to_label',
                                           'out_of_sample', 'photo_suspects', 'point_errors', 'point_measures'))] # measure predictions for a dataset
NOTEBOOKS = sorted(p for p in (ROOT/'nbs').rglob('*.ipynb') if '.ipynb_checkpoints' not in p.parts)


def read(name): return (ROOT/name).read_text(encoding='utf-8')


@pytest.fixture(scope='module')
def settings():
    parser = ConfigParser()
    parser.read_string(read('settings.ini'))
    return parser['DEFAULT']


@pytest.fixture(scope='module')
def project(): return tomllib.loads(read('pyproject.toml'))['project']


def requirements(settings, but=None):
    return [Requirement(line) for key in settings if key == 'requirements' or key.endswith('_requirements') and key != but
            for line in settings[key].strip().splitlines()]


def test_settings_and_pyproject_agree(settings, project):
    assert project['name'] == settings['lib_name']
    assert project['description'] == settings['description']
    assert project['requires-python'] == f">={settings['min_python']}"
    assert project['license'] == settings['license']


def test_version_is_one_everywhere(settings):
    init = ast.parse(read('ear_lazy/__init__.py'))
    versions = [ast.literal_eval(node.value) for node in init.body
                if isinstance(node, ast.Assign) and node.targets[0].id == '__version__']
    assert versions == [settings['version']] == [distribution('ear_lazy').version]
    assert f"## {settings['version']}" in read('CHANGELOG.md')


def test_names_of_the_package(tmp_path):
    "They are those of the modules, editors see the same ones, and nothing is imported before one is asked for"
    init = ast.parse(read('ear_lazy/__init__.py'))
    for_editors = {name.name: node.module for node in ast.walk(init) if isinstance(node, ast.ImportFrom) for name in node.names if (node.module or '').startswith('ear_lazy.')}
    assert for_editors == {name: f'ear_lazy.{module}' for name, module in ear_lazy._MODULE_OF.items()}
    for name, module in for_editors.items(): assert getattr(ear_lazy, name) is getattr(importlib.import_module(module), name)
    assert {*for_editors} <= {*dir(ear_lazy)}
    with pytest.raises(ImportError, match='LazyDataset'): from ear_lazy import LazyDataset # noqa: F401
    code = "import sys, ear_lazy; assert not [o for o in sys.modules if o.startswith('ear_lazy.') or o == 'numpy']"
    subprocess.run([sys.executable, '-c', code], check=True)


def test_requirements_are_bounded(settings):
    for req in requirements(settings):
        assert {spec.operator for spec in req.specifier} == {'>=', '<'}, f'{req} needs a lower and an upper bound'


def test_commands_are_the_same_everywhere():
    fences = re.findall(r'```bash\n(.*?)\n```', read('README.md'), flags=re.S)
    assert RUN in fences and TEST in fences
    assert f'test_command="{TEST}"' in read('.ci/run').splitlines()


def test_console_scripts_exist(settings):
    for line in settings['console_scripts'].strip().splitlines():
        module, function = line.split('=')[1].split(':')
        tree = ast.parse(read(f"{module.replace('.', '/')}.py"))
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def pins():
    lines = [Requirement(line) for line in read('constraints.txt').splitlines() if line and not line.startswith('#')]
    return {canonicalize_name(req.name): req.specifier for req in lines}


def brought_by_torch_for_a_gpu(name): return name.startswith(('nvidia-', 'cuda-')) or name == 'triton'


def dependencies(name, extras):
    "Names and versions of the installed distributions that `name` depends on, directly or not"
    todo, done, found = [(name, extra) for extra in extras], set(), {}
    while todo:
        item = todo.pop()
        if item in done: continue
        done.add(item)
        dist, env = distribution(item[0]), default_environment() | {'extra': item[1]}
        if item[0] != name: found[item[0]] = dist.version
        for req in map(Requirement, dist.requires or []):
            dep = canonicalize_name(req.name)
            if brought_by_torch_for_a_gpu(dep) or (req.marker and not req.marker.evaluate(env)): continue
            todo += [(dep, extra) for extra in {'', *req.extras}]
    return found


def test_constraints_pin_every_requirement(settings):
    pinned = pins()
    for req in requirements(settings, but='bench_requirements'): assert canonicalize_name(req.name) in pinned # other tools are not pinned
    assert str(pinned['torch']) == '==2.13.0'
    for name, spec in pinned.items(): assert [s.operator for s in spec] == ['=='], f'{name}{spec} is no pin'


def test_constraints_pin_what_is_installed():
    pinned, installed = pins(), dependencies('ear_lazy', ['', 'dev'])
    assert len(installed) > 50
    assert sorted(installed.keys() - pinned.keys()) == [], 'not pinned in constraints.txt'
    other = {name: version for name, version in installed.items() if not pinned[name].contains(version, prereleases=True)}
    assert other == {}, 'installed in another version than constraints.txt says'


def test_constraints_admit_the_oldest_python(settings):
    needs = {name: SpecifierSet(distribution(name).metadata.get('Requires-Python') or '') for name in dependencies('ear_lazy', ['', 'dev'])}
    too_new = {name: str(spec) for name, spec in needs.items() if not spec.contains(f"{settings['min_python']}.0")}
    assert too_new == {}


def test_readme_is_generated_from_the_index():
    script = runpy.run_path(str(ROOT/'.ci/readme.py'))
    files = script['render']()
    for name, data in files.items(): assert (ROOT/name).read_bytes() == data, f'{name} is out of step: python .ci/readme.py'
    assert script['stale'](files) == []


def test_readme_shows_on_a_web_page():
    text = read('README.md')
    assert 'data:image' not in text, 'pictures inside HTML do not show on GitHub: use an image output'
    targets = re.findall(r'\]\(([^)\s#]+)[^)]*\)', text) + re.findall(r'<img[^>]* src="([^"]+)"', text)
    missing = [target for target in targets if '://' not in target and not (ROOT/target).exists()]
    assert missing == []


@pytest.mark.parametrize('path', NOTEBOOKS, ids=lambda p: p.relative_to(ROOT/'nbs').as_posix())
def test_notebook_is_light_and_clean(path):
    assert path.stat().st_size < 200_000
    nb = json.loads(path.read_text(encoding='utf-8'))
    assert 'widgets' not in nb['metadata']
    assert 'kernelspec' in nb['metadata'], 'jupytext needs it'
    outputs = [output for cell in nb['cells'] for output in cell.get('outputs', [])]
    assert not any('application/vnd.jupyter.widget-view+json' in output.get('data', {}) for output in outputs)
    assert not any(output['output_type'] == 'error' for output in outputs)


def module_files(): return ROOMS['modules']()


def imported(module): return [other for other, _ in ROOMS['imports'](module)]


def test_every_module_has_a_notebook_in_its_room():
    notebooks = {f'{name}.{path.stem}'.removeprefix('.'): path for name, folder in ROOMS['folders']() for path in (ROOT/'nbs'/folder).glob('*.ipynb')}
    assert sorted(MODULES) == sorted(notebooks.keys() - {'index', '0_map'})
    for module, path in notebooks.items():
        if module in MODULES: assert re.search(rf'#\| default_exp {re.escape(module)}\\?[n"]', path.read_text(encoding='utf-8')), path


@pytest.mark.parametrize('module', MODULES)
def test_module_imports_only_from_earlier_rooms(module):
    "From its own room it imports what comes before it, and nowhere a private name"
    before = MODULES[:MODULES.index(module)]
    assert [other for other in imported(module) if other not in before and (module, other) not in ROOMS['LATER']] == []
    assert [(other, name) for other, name in ROOMS['imports'](module) if name.startswith('_')] == []


def test_later_imports_are_in_functions():
    "Those that `rooms.py` allows exist, and are not made before a function is called"
    for (module, other), why in ROOMS['LATER'].items():
        assert why and other in imported(module)
        code = f"import sys, ear_lazy.{module}; assert 'ear_lazy.{other}' not in sys.modules"
        subprocess.run([sys.executable, '-c', code], check=True, cwd=ROOT)


def test_examples_need_no_later_notebook():
    "Whoever reads the notebooks in order has met all that the cells of examples and tests import"
    place, room, allowed = {o: n for n, o in enumerate(MODULES)}, ROOMS['room_of'], ROOMS['LATER_IN_EXAMPLES']
    later = {(module, other) for module in MODULES for other, _ in ROOMS['example_imports'](module) if place[other] > place[module]}
    assert sorted(o for o in later if (room(o[0]), o[1]) not in allowed) == []
    assert {(room(module), other) for module, other in later} == {*allowed}, 'an exception that is none any more'


def test_loading_needs_only_what_is_below_it():
    allowed = {'base', 'metadata', 'correcting', 'loading'}
    for module in MODULES:
        if ROOMS['room_of'](module) != 'loading': continue
        assert [other for other in imported(module) if ROOMS['room_of'](other) not in allowed and (module, other) not in ROOMS['LATER']] == [], module


def test_opening_a_dataset_imports_nothing_of_processing():
    code = "import sys, ear_lazy.lazy_dataset; print(*(o for o in sys.modules if o.startswith('ear_lazy.')))"
    loaded = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
    assert {o.split('.')[1] for o in loaded} == {'base', 'metadata', 'loading', 'lazy_dataset'}


def test_no_private_name_of_another_module_is_used():
    "Neither imported (see above) nor asked for by attribute"
    for module, path in module_files().items():
        modules = {other.rpartition('.')[2] for other, name in ROOMS['imports'](module) if not name}
        taken = [ast.unparse(node) for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))) if isinstance(node, ast.Attribute)
                 and getattr(node.value, 'id', '') in modules and re.match('_[^_]', node.attr)]
        assert taken == [], module


def test_public_names():
    "At most 250 names are public; what only other modules need is exported with `#| exporti`"
    names = [name for path in (ROOT/'ear_lazy').rglob('*.py') for name in getattr(importlib.import_module('.'.join(path.relative_to(ROOT).with_suffix('').parts)), '__all__', ()) if not path.name.startswith('_')]
    assert 100 < len(names) <= 250


def test_the_map():
    "It lists all notebooks in order, has no more words than a person learns, and names what exists"
    text = '\n'.join(''.join(cell['source']) for cell in json.loads(read('nbs/0_map.ipynb'))['cells'] if cell['cell_type'] == 'markdown')
    assert ROOMS['reading_order']() in text, 'python .ci/rooms.py prints the list that the map should have'
    assert 10 < text.partition('\n## Words')[2].partition('\n## ')[0].count('\n| ') - 1 <= 25
    named = re.findall(r'`((?:tests|nbs|ear_lazy|\.ci)/[\w/.]*)`', text)
    assert len(named) > 20 and [o for o in named if not (ROOT/o).exists()] == []


HEAVY = ['matplotlib', 'cv2', 'nbdev', 'jupyterlab', 'anywidget', 'albumentations', 'torchvision', 'datasets', 'supervision']
IMPORT_EACH = """
import importlib, os, sys
for library in sys.argv[1].split(): importlib.import_module(library)
for module in sys.argv[3:]:
    if os.fork(): os.wait() # each in a process that has imported nothing of ours
    else:
        importlib.import_module(f'ear_lazy.{module}')
        print(module, *(o for o in sys.argv[2].split() if o in sys.modules), flush=True)
        os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs fork')
@pytest.mark.parametrize('before, heavy, modules', [('numpy PIL.Image tqdm fsspec', [*HEAVY, 'torch'], [o for o in MODULES if o not in WITH_TORCH]), ('torch', HEAVY, WITH_TORCH)], ids=['without torch', 'with torch'])
def test_modules_are_light_to_import(before, heavy, modules):
    ran = subprocess.run([sys.executable, '-c', IMPORT_EACH, before, ' '.join(heavy), *modules], capture_output=True, text=True, cwd=ROOT)
    assert ran.stdout.splitlines() == modules, ran.stderr


def test_exported_cells_are_short():
    "At most 60 lines, so that one fits on a page with what is said of it"
    for path in (ROOT/'nbs').rglob('*.ipynb'):
        cells = json.loads(path.read_text(encoding='utf-8'))['cells']
        long = [cell['id'] for cell in cells if re.match(r'#\| *export', ''.join(cell['source'])) and len(''.join(cell['source']).splitlines()) > 60]
        assert long == [], path


def test_notebooks_open_with_words():
    "… and not with the header of a text that one was made of"
    for path in (ROOT/'nbs').rglob('*.ipynb'):
        if '.ipynb_checkpoints' not in path.parts: assert json.loads(path.read_text(encoding='utf-8'))['cells'][0]['cell_type'] in ('markdown', 'raw'), path


def test_no_cell_is_empty():
    for path in (ROOT/'nbs').rglob('*.ipynb'):
        cells = json.loads(path.read_text(encoding='utf-8'))['cells']
        assert [i for i, cell in enumerate(cells) if re.fullmatch(r'\s*(#\| *(export|exporti|hide)\s*)?', ''.join(cell['source']))] == [], path


@pytest.mark.parametrize('path', ['columns.columns_of', 'geometry.fit_image', 'geometry.keypoints_to_boxes', 'metadata.SHARD_BYTES', 'storage.filesystem', 'workers.RawFolder', 'errors.EarLazyError', 'show.show_batch', 'synthetic.write_raw'])
def test_paths_that_programs_import_from_stay(path):
    "Where a module has moved into a room, its public names can be imported from where they were"
    module, _, name = path.partition('.')
    assert callable(getattr(importlib.import_module(f'ear_lazy.{module}'), name)) or path == 'metadata.SHARD_BYTES'


def test_ci_runs_on_each_system_and_each_python():
    "… without a claim: the job may fail, and the README names the one system that was tried"
    systems = (ROOT/'.github/workflows/ci.yml').read_text(encoding='utf-8').partition('\n  systems:')[2].partition('\n  docs:')[0]
    least = int(re.search(r'min_python = 3\.(\d+)', (ROOT/'settings.ini').read_text(encoding='utf-8'))[1])
    assert all(o in systems for o in ('ubuntu', 'macos', 'windows', 'continue-on-error: true', f"'3.{least}'"))
    readme = (ROOT/'README.md').read_text(encoding='utf-8')
    assert 'tried on Linux' in readme and not re.search('macOS|Windows', readme)


def test_every_pattern_that_is_compiled_late_is_one():
    "A mistake in it would be found where it is used first"
    code = ("import gc, pkgutil, ear_lazy\nfrom importlib import import_module\nfrom ear_lazy.base.patterns import late_pattern\n"
            "for room in ('base', 'formats', 'formats.shared', 'metadata', 'correcting', 'processing', 'beyond'):\n"
            "    for o in pkgutil.iter_modules(import_module(f'ear_lazy.{room}').__path__): import_module(f'ear_lazy.{room}.{o.name}')\n"
            "found = [o for o in gc.get_objects() if type(o) is type(late_pattern(''))]\nassert len(found) > 60\nfor o in found: assert o.match and o.search and repr(o)")
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert not done.returncode, done.stderr
