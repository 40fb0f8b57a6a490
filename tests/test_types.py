"Editors and type checkers see every public call, without false errors, and `help` tells what each parameter is for"
import ast
import functools
import importlib
import inspect
import json
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT/'ear_lazy'
TABLES = (ROOT/'README.md').read_text(encoding='utf-8').partition('## What to call')[2].partition('\n## ')[0]
OTHERS = {'range', 'DataLoader', 'help', 'f'} # names in the tables that are not of this package
CALLS = {*re.findall(r'(?<!A\.)(?<!v2\.)\b([A-Za-z_]+)\(', TABLES)} - OTHERS
EXAMPLES, MISTAKES = 'readme.py', 'mistakes.py'


def parsed(path): return ast.parse(path.read_text(encoding='utf-8'))


def modules(): return [o for o in sorted(PACKAGE.rglob('*.py')) if o.name != '_modidx.py']


# What checkers say of programs

@pytest.fixture(scope='module')
def programs(tmp_path_factory):
    "A folder of someone who has installed the package"
    folder = tmp_path_factory.mktemp('types')/'programs'
    shutil.copytree(ROOT/'tests/types', folder)
    return folder


def run(command, folder):
    ran = subprocess.run([sys.executable, '-m', *command], cwd=folder, capture_output=True, text=True)
    assert ran.returncode in (0, 1) and 'No module named' not in ran.stderr, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope='module')
def mypy(programs, pytestconfig):
    "(file, line) to what mypy says of it"
    text = run(['mypy', '--strict', '--no-error-summary', '--cache-dir', str(pytestconfig.cache.mkdir('mypy')), '.'], programs)
    return {(file, int(line)): words for file, line, words in re.findall(r'^(.+?):(\d+): error: (.*)$', text, flags=re.M)}


@pytest.fixture(scope='module')
def pyright(programs):
    "(file, line) to what pyright says of it"
    (programs/'pyrightconfig.json').write_text(json.dumps({'typeCheckingMode': 'strict', 'include': ['.'], 'reportUnusedExpression': False}))
    found = json.loads(run(['basedpyright', '--pythonpath', sys.executable, '--outputjson'], programs))
    assert found['summary']['filesAnalyzed'] == len([*programs.glob('*.py')])
    return {(Path(o['file']).name, o['range']['start']['line'] + 1): o['message'] for o in found['generalDiagnostics'] if o['severity'] == 'error'}


@pytest.mark.parametrize('checker', ['mypy', 'pyright'])
def test_readme_has_no_false_errors(checker, request):
    found = request.getfixturevalue(checker)
    assert {k: words for k, words in found.items() if k[0] == EXAMPLES} == {}


@pytest.mark.parametrize('checker', ['mypy', 'pyright'])
def test_mistakes_are_found(checker, request):
    "Each of them, and nothing beside them"
    lines = (ROOT/'tests/types'/MISTAKES).read_text(encoding='utf-8').splitlines()
    wrong = {i for i, line in enumerate(lines, 1) if '# wrong' in line}
    found = {line for file, line in request.getfixturevalue(checker) if file == MISTAKES}
    assert len(wrong) > 40
    assert [lines[i - 1] for i in sorted(wrong - found)] == []
    assert [lines[i - 1] for i in sorted(found - wrong)] == []


def test_examples_have_every_call_of_the_readme():
    code = (ROOT/'tests/types'/EXAMPLES).read_text(encoding='utf-8')
    assert len(CALLS) > 30
    assert {o for o in CALLS if not re.search(rf'\b{o}\(', code)} == set()


# The stubs

def test_stubs_are_in_step():
    ran = subprocess.run([sys.executable, str(ROOT/'.ci/stubs.py'), '--check'], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def names(arguments): return [o.arg for o in (*arguments.posonlyargs, *arguments.args, arguments.vararg, *arguments.kwonlyargs, arguments.kwarg) if o]


def members(node):
    "Name of each method to the names of its parameters, of each attribute to None"
    out = {o.target.id: None for o in node.body if isinstance(o, ast.AnnAssign)}
    for o in node.body:
        if isinstance(o, ast.FunctionDef): out[o.name] = names(o.args)
    return out


@pytest.mark.parametrize('stub', sorted(PACKAGE.rglob('*.pyi')), ids=lambda o: o.stem)
def test_stub_shows_what_is_there(stub):
    "Every public class, method, property and parameter"
    module = importlib.import_module('.'.join(stub.relative_to(ROOT).with_suffix('').parts))
    shown = {o.name: o for o in parsed(stub).body if isinstance(o, (ast.ClassDef, ast.FunctionDef))}
    for name, value in vars(module).items():
        if name.startswith('_') or getattr(value, '__module__', '') != module.__name__: continue
        if inspect.isfunction(value): assert names(shown[name].args) == [*inspect.signature(value).parameters], name
        if not inspect.isclass(value): continue
        there = members(shown[name])
        for key, o in vars(value).items():
            if key.startswith('_'): continue
            if isinstance(o, (property, functools.cached_property)): assert key in there, f'{name}.{key}'
            elif inspect.isfunction(o): assert there[key] == [*inspect.signature(o).parameters], f'{name}.{key}'


def test_stubs_are_made_where_methods_are_patched():
    patched = {o.with_suffix('.pyi') for o in modules() if re.search(r'^@patch\b', o.read_text(encoding='utf-8'), flags=re.M)}
    assert patched <= {*PACKAGE.rglob('*.pyi')}
    assert (PACKAGE/'py.typed').is_file()


def test_stub_of_every_kind_of_member(tmp_path):
    package = tmp_path/'pack'
    package.mkdir()
    (package/'__init__.py').touch()
    (package/'tables.py').write_text('''
import copy
import os
from functools import cached_property
from typing import Literal, NamedTuple, Self, overload
from fastcore.basics import patch
from .words import described
class _Base: pass
class Table(_Base):
    "Rows"
    width = 3 # columns
    def __init__(self, path:str|os.PathLike[str]): self.path, self._open, self.notes = path, False, None
    @overload
    def __getitem__(self, i:int)->str: ...
    @overload
    def __getitem__(self, i:slice)->Self: ...
    def __getitem__(self, i): return self
    @cached_property
    def names(self)->list[str]: return []
    @property
    def title(self): return f'{self.path}'
    @title.setter
    def title(self, value): self.path = value
class Point(NamedTuple):
    x: int # from the left
    y: int = 0
@patch(as_prop=True)
def size(self:Table)->int: return 3
@patch
@described
def save(self:Table,
    path:str, # File to write
    *, mode:Literal['copy', 'w']='w',
)->Point: # Where it ends
    "Write it"
@patch
def _hidden(self:Table): pass
@patch
def count(self:Table):
    from pack.words import counted
    return counted(self)
''')
    (package/'words.py').write_text('''
from pathlib import Path
from fastcore.basics import patch
from .tables import Table
class Counter: pass
def described(o): return o
def counted(table)->Counter: return Counter()
@patch
def words(self:Table, at:Path)->Counter: return Counter()
''')
    made = {o.name: text for o, text in runpy.run_path(str(ROOT/'.ci/stubs.py'))['Package'](package).stubs().items()}
    assert made['tables.pyi'] == '''\
# Made by .ci/stubs.py of tables.py: do not edit.
import os
from functools import cached_property
from pack.words import Counter
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self, overload

class _Base: ...

class Table(_Base):
    "Rows"
    width: int # columns
    path: str | os.PathLike[str]
    notes: Any
    def __init__(self, path: str | os.PathLike[str]) -> None: ...
    @overload
    def __getitem__(self, i: int) -> str: ...
    @overload
    def __getitem__(self, i: slice) -> Self: ...
    @cached_property
    def names(self) -> list[str]: ...
    @property
    def title(self) -> str: ...
    @title.setter
    def title(self, value) -> None: ...
    @property
    def size(self) -> int: ...
    def save(self,
        path: str, # File to write
        *,
        mode: Literal['copy', 'w'] = 'w',
    ) -> Point: # Where it ends
        "Write it"
    def count(self) -> Counter: ...
    def words(self, at: Path) -> Counter: ...

class Point(NamedTuple):
    x: int # from the left
    y: int = ...
'''
    assert 'def words' not in made['words.pyi'] and 'def counted(table) -> Counter: ...' in made['words.pyi']


# The source

@pytest.mark.parametrize('path', modules(), ids=lambda o: o.relative_to(PACKAGE).with_suffix('').as_posix())
def test_none_is_among_the_types_of_what_may_be_none(path):
    found = []
    for node in ast.walk(parsed(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            a = node.args
            plain = [*a.posonlyargs, *a.args]
            found += [*zip(reversed(plain), reversed(a.defaults)), *zip(a.kwonlyargs, a.kw_defaults)]
        elif isinstance(node, ast.AnnAssign): found.append((node, node.value))
    wrong = [f'{ast.unparse(o)} in line {o.lineno}' for o, value in found
             if isinstance(value, ast.Constant) and value.value is None and o.annotation is not None and not re.search(r'None|\bAny\b|object|Optional', ast.unparse(o.annotation))]
    assert wrong == []


# What `help` tells

def owners():
    "Modules and classes that the calls of the README belong to"
    import ear_lazy
    from ear_lazy import adapters, data_processor, diff, disk_cache, evaluation, explorer, lazy_dataset, rewrite, shared_cache, show, stats, suspects, synthetic, transforms
    problems = sys.modules[data_processor.Report.__module__].Problems
    return [ear_lazy, data_processor, lazy_dataset, transforms, adapters, disk_cache, shared_cache, stats, explorer, synthetic, show, diff, rewrite, data_processor.DataProcessor,
            lazy_dataset.LazyNPYDataset, lazy_dataset.CombinedLazyDataset, lazy_dataset.RowDataset, sys.modules[problems.__module__], problems, explorer.Explorer, lazy_dataset.RowSampler,
            SimpleNamespace(compare=evaluation.compare), suspects, suspects.Suspects]


def parameters(o): return [name for name in inspect.signature(o).parameters if name != 'self']


@pytest.mark.parametrize('name', sorted(CALLS | {'plant_mistakes', 'collate', 'show_image', 'show_images', 'show_bboxes', 'show_keypoints', 'show_sample',
                                          'Problems', 'open_image', 'open_file', 'stored_turn', 'check_inside'}))
def test_help_tells_each_parameter(name):
    "Also where a function and a method have the same name"
    found = {id(o): o for owner in owners() if callable(o := getattr(owner, name, None))}
    assert found
    for o in found.values():
        text = inspect.getdoc(o) or ''
        assert [p for p in parameters(o) if not re.search(rf'^{p} : .*\n    \S', text, flags=re.M)] == [], text


def test_every_public_member_of_a_dataset_has_a_docstring():
    from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
    for cls in (LazyNPYDataset, CombinedLazyDataset):
        own = {k: getattr(cls, k) for k in dir(cls) if not k.startswith('_') and getattr(cls, k).__class__.__name__ in ('function', 'property')}
        assert len(own) > 10 and [k for k, o in own.items() if not o.__doc__] == []
    assert 'FAULTS' in inspect.getdoc(LazyNPYDataset.errors)
