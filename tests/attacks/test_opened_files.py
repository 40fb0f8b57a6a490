"What is no file is refused at once wherever a path is opened, and nothing is opened past the one function that does so"
import ast
import errno
import os
from pathlib import Path

import pytest
from making import coco, image, process
from victims import patience, pipe

import ear_lazy
from ear_lazy.data_processor import DataProcessor
from ear_lazy.errors import EarLazyError
from ear_lazy.formats.discover import discover
from ear_lazy.formats.shared import tree as trees
from ear_lazy.formats.shared.registry import readers
from ear_lazy.formats.shared.tree import Document, Tree

OPENERS = {'open', 'read_bytes', 'read_text', 'load', 'fromfile', 'memmap', 'ZipFile', 'fdopen'}
OF_CHECKED = 'a descriptor or bytes, opened and checked before'
NEW = 'writes a new file: it must not be there'
ALLOWED = { # (module, function): why
    ('base/files.py', 'open_regular'): 'the function itself', ('base/files.py', '_open'): 'opens folders', ('base/files.py', '_flush'): 'a file just written',
    ('base/files.py', '_new_file'): NEW, ('base/files.py', 'create'): NEW, ('base/files.py', 'reopen'): 'waits for nothing, and refuses what is no file', ('base/synthetic.py', '_write_csv'): NEW,
    ('base/images.py', '_peek'): 'waits for nothing; reads 8 KB at most',
    ('base/shared_memory.py', 'open_elsewhere'): 'of another process of the run, compared with its identity',
    ('metadata/table.py', '_write'): NEW, ('metadata/writing.py', 'write_shard'): NEW, ('metadata/writing.py', '_in_place'): 'a file just written and read', ('metadata/writing.py', 'sign_shards'): 'likewise',
    ('beyond/shared_storage.py', '_written'): NEW, ('processing/splits_file.py', 'shared_sides'): NEW, ('metadata/roots.py', 'real_root'): 'opens folders', ('lazy_dataset.py', '_state'): 'reads nothing, waits for nothing', ('lazy_dataset.py', '_open_inside'): 'opens folders',
    ('formats/shared/tree.py', '_small_file'): 'checks by itself, as there may be a million', ('formats/shared/archives.py', 'open_archive'): OF_CHECKED,
    ('looking/row_pictures.py', '_static_tile'): OF_CHECKED,
    ('base/arguments.py', 'until_closed'): 'the null device', ('formats/gz.py', 'unpack'): NEW,
    ('loading/placing.py', '_copy'): NEW, ('loading/placing.py', 'upright'): 'bytes in memory', ('rewrite.py', '_write'): NEW, ('correcting/revisions.py', '_copied'): 'a new file, and the same just written',
    ('correcting/journal.py', '_locked'): 'waits for nothing, and refuses what is no file', ('correcting/journal.py', '_flush_folder'): 'opens folders',
    ('export.py', '_write_labels'): NEW, ('explorer.py', 'page_source'): 'files of this package',
}


def opened_in(path):
    "(function, line) of each call that could open a file by its path"
    found = []
    def walk(node, function):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)): function = node.name
        if isinstance(node, ast.Call) and _opens(node.func): found.append((function, node.lineno))
        for o in ast.iter_child_nodes(node): walk(o, function)
    walk(ast.parse(path.read_text(encoding='utf-8')), '')
    return found


def _opens(f):
    if isinstance(f, ast.Name): return f.id in OPENERS - {'load'}
    if not isinstance(f, ast.Attribute) or f.attr not in OPENERS: return False
    owner = ast.unparse(f.value)
    if f.attr == 'open': return owner in ('os', 'io', 'Image', 'tarfile', 'gzip') or owner.startswith('Path(')
    return owner in ('np', 'numpy') if f.attr == 'load' else True


def test_all_is_opened_through_one_function():
    root = Path(ear_lazy.__file__).parent
    found = {(o.relative_to(root).as_posix(), function): f'{o.name}:{line}' for o in root.rglob('*.py') for function, line in opened_in(o)}
    assert {k: v for k, v in found.items() if k not in ALLOWED} == {}
    assert ALLOWED.keys() <= found.keys() # none stays that nobody needs


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='no pipes here')
@pytest.mark.parametrize('format', sorted(readers()))
def test_readers_refuse_a_pipe_at_once(tmp_path, format):
    "… that took the place of a file after the walk"
    names = 'a.json', 'a.csv', 'a.txt', 'a.xml', 'a.pts', 'data.yaml', 'classes.txt', 'a.zip', 'a-asset.json', 'a.png.json'
    image(tmp_path/'a.jpg')
    for o in names: (tmp_path/o).write_text('{}')
    tree = Tree(tmp_path)
    for o in names:
        (tmp_path/o).unlink()
        pipe(tmp_path/o, None)
    with patience():
        readers()[format].sniff(tree, '')
        if format == 'images': return # they are opened as images
        for o in names:
            try: readers()[format].read(tree, Document(format, (o,)))
            except (OSError, EarLazyError): pass
        problems = discover(tree)[1]
    assert problems and all('a pipe or a device, not a file' in o.detail for o in problems), problems


@pytest.fixture
def raw(tmp_path):
    image(tmp_path/'raw/ears/a.jpg', (40, 60))
    image(tmp_path/'raw/faces/b.jpg', (40, 60))
    for folder, name in (('ears', 'a'), ('faces', 'b')): coco(tmp_path/f'raw/{folder}/all.json', {f'{name}.jpg': [[1, 2, 10, 20]]})
    return tmp_path/'raw'


@pytest.mark.parametrize('passing', (1, 2, 5, 1000)) # how many openings fail
def test_an_error_of_the_disk_in_discovery_is_told_and_tried_again(raw, tmp_path, monkeypatch, passing):
    opening, left = trees.open_regular, [passing]
    def fails(path, *args, **kwargs):
        if str(path).endswith('ears/all.json') and left[0] > 0:
            left[0] -= 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return opening(path, *args, **kwargs)
    with monkeypatch.context() as m:
        m.setattr(trees, 'open_regular', fails)
        report = process(raw, tmp_path/'out', ('detector',))
    problem, = report.problems
    assert (problem.file, problem.reason, problem.detail) == ('ears/all.json', 'bad_file', os.strerror(errno.EIO))
    again = process(raw, tmp_path/'out', ('detector',))
    assert not again.problems and set(again.sources) == {'ears', 'faces'}


@pytest.mark.parametrize('where', ('read', 'check'))
def test_too_little_memory_is_a_sentence(raw, tmp_path, monkeypatch, where):
    from ear_lazy.formats import coco as reader, load
    def greedy(*args, **kwargs): raise MemoryError
    monkeypatch.setattr(*((reader, 'read_tables') if where == 'read' else (load, 'measure_images')), greedy)
    report = DataProcessor(raw, tmp_path/'out', num_workers=0, progress=False).process(('detector',))
    assert {(p.file, p.reason) for p in report.problems} == {('ears/all.json', 'bad_file'), ('faces/all.json', 'bad_file')}
    assert all(p.detail.startswith('needs more memory than there is') for p in report.problems)
    monkeypatch.undo()
    assert not process(raw, tmp_path/'out', ('detector',)).problems
