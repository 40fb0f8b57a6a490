"Whatever the package removes, renames or replaces, it does by `ear_lazy.base.files`, which follows no link (invariant 9)"
import ast
from pathlib import Path

import pytest

import ear_lazy

FOLDER = Path(ear_lazy.__file__).parent
HELPER = 'base/files.py'
NAMES = {'rmtree', 'unlink', 'rmdir', 'removedirs', 'replace', 'rename', 'renames', 'move', 'TemporaryDirectory', 'mkdtemp', 'truncate', 'ftruncate'}
HARMLESS = {'base/shared_memory.py: os.ftruncate(fd, size)', 'loading/buffers.py: os.ftruncate(self.fd, HEADER_BYTES + size)', # memory, which has no name
            'correcting/journal.py: os.ftruncate(fd, size)', 'loading/packs.py: file.truncate(end)'} # take back what they have just appended


def changes(source):
    "Calls in a module that remove or rename files: functions of os, shutil and tempfile, methods of paths"
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call): continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, 'id', '')
        of = ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else ''
        if name == 'remove' and of != 'os': continue # of a list, or of an `OpenFolder`
        if name == 'replace' and (isinstance(node.func, ast.Name) or of == 'msgspec.structs'): continue # of a dataclass, a struct
        if name == 'replace' and of != 'os' and len(node.args) != 1: continue # of a text
        if name == 'rename' and len(node.args) > 1 and of != 'os': continue # of an `OpenFolder`
        if name in NAMES | {'remove'}: yield ast.unparse(node)


@pytest.mark.parametrize('path', sorted(FOLDER.rglob('*.py')), ids=lambda p: p.relative_to(FOLDER).as_posix())
def test_no_other_removal(path):
    if path == FOLDER/HELPER: return
    found = {f'{path.relative_to(FOLDER).as_posix()}: {o}' for o in changes(path.read_text(encoding='utf-8'))}
    assert not found - HARMLESS


def test_the_search_finds_them():
    source = 'shutil.rmtree(a); os.unlink(a); p.unlink(); os.rename(a, b); p.rename(b); p.replace(b); os.replace(a, b); tempfile.TemporaryDirectory(); os.remove(a); p.rmdir()'
    assert len([*changes(source)]) == 10
    assert not [*changes("'a'.replace('b', 'c'); replace(r, boxes=b); names.remove('a'); folder.remove('a'); folder.rename('a', 'b', to)")]
    assert len([*changes((FOLDER/HELPER).read_text())]) == 5
