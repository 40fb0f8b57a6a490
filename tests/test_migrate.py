"Pickled metadata of the predecessor: what it holds is read, whatever wrote it, and what it would call is never called"
import collections
import copyreg
import os
import pickle
import struct
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import ROOT
from tiers import tries

from ear_lazy.errors import MetadataError, OutputError
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.migrate import PickleRefused, load_restricted, made, main, migrate, read_old

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
BOXES = [[[1, 2, 30, 40], [5.5, 5, 9, 9]], [], [[0, 0, 1, 1]]]
POINTS = np.arange(18, dtype=np.float32).reshape(3, 2, 3)
PATHS = ['raw/ä/1.jpg', 'raw/2.jpg', 'raw/3.jpg']


def old_file(path, content, protocol=4):
    "As `np.save` does it, with any protocol"
    array = np.empty((), object)
    array[()] = content
    with open(path, 'wb') as f:
        np.lib.format.write_array_header_1_0(f, dict(descr='|O', fortran_order=False, shape=()))
        pickle.dump(array, f, protocol)
    return path


def rows_of(m): return [(m.image_path(i), m.values(i).tolist()) for i in range(len(m))]


def object_array(items):
    out = np.empty(len(items), object)
    for i, o in enumerate(items): out[i] = o
    return out


DETECTORS = {
    'lists': BOXES, 'tuples': tuple(tuple(tuple(b) for b in o) for o in BOXES), 'arrays': [np.array(o, np.float64).reshape(-1, 4) for o in BOXES],
    'an array of lists': object_array(BOXES), 'an array of arrays': object_array([np.array(o, '>f4').reshape(-1, 4) for o in BOXES]),
    'lists of arrays': [[np.float32(b) for b in o] for o in BOXES], 'numbers of NumPy': [[[np.float64(v) for v in b] for b in o] for o in BOXES]}


@pytest.mark.parametrize('protocol', PROTOCOLS)
@pytest.mark.parametrize('boxes', DETECTORS)
@pytest.mark.parametrize('paths', [list, np.array, lambda o: np.array(o, object), lambda o: [np.str_(p) for p in o]], ids=['list', 'text', 'objects', 'str_'])
def test_detector(tmp_path, protocol, boxes, paths):
    old = old_file(tmp_path/'train_detector.npy', {'image_paths': paths(PATHS), 'bboxes': DETECTORS[boxes]}, protocol)
    new = migrate(old, tmp_path/'new.npy', tmp_path/'raw')
    assert (new.kind, new.split, new.root) == ('detector', 'train', 'raw')
    assert rows_of(new) == list(zip(PATHS, BOXES)) and [new.size(i) for i in range(3)] == [(0, 0)] * 3


@pytest.mark.parametrize('protocol', PROTOCOLS)
@pytest.mark.parametrize('make', [np.asarray, np.asfortranarray, np.ndarray.tolist, list], ids=['array', 'columns', 'lists', 'list of arrays'])
def test_landmarker_and_teacher(tmp_path, protocol, make):
    boxes = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [1, 1, 1, 1]], np.int32)
    a = migrate(old_file(tmp_path/'val_landmarker.npy', {'image_paths': PATHS, 'keypoints': make(POINTS)}, protocol), tmp_path/'a.npy')
    assert (a.kind, a.split) == ('landmarker', 'val') and [v for _, v in rows_of(a)] == POINTS.tolist()
    for key in ('bboxes', 'bbox'):
        b = migrate(old_file(tmp_path/'t.npy', {'image_paths': [PATHS[0]] * 3, key: make(boxes)}, protocol), tmp_path/f'{key}.npy')
        assert b.kind == 'teacher' and rows_of(b) == [(PATHS[0], o) for o in boxes.tolist()]


def test_points_of_several_numbers(tmp_path):
    points = [POINTS[0], POINTS[1][:1], np.zeros((0, 3))]
    new = migrate(old_file(tmp_path/'o.npy', {'image_paths': PATHS, 'keypoints': points}), tmp_path/'new.npy')
    assert [v for _, v in rows_of(new)] == [o.tolist() for o in points]


def test_the_real_writer_and_a_plain_pickle(tmp_path):
    content = {'image_paths': PATHS, 'bboxes': BOXES}
    np.save(tmp_path/'a.npy', content, allow_pickle=True)
    np.save(tmp_path/'b.npy', np.array([content]), allow_pickle=True)
    (tmp_path/'c.npy').write_bytes(pickle.dumps(content))
    for name in 'abc': assert rows_of(migrate(tmp_path/f'{name}.npy', tmp_path/f'{name}_new.npy')) == list(zip(PATHS, BOXES))


def test_both_names_of_numpys_modules(tmp_path):
    "NumPy 1 wrote numpy.core, NumPy 2 writes numpy._core"
    data = pickle.dumps({'image_paths': PATHS, 'bboxes': [np.zeros((0, 4))] * 3, 'n': np.float32(3)}, 2)
    assert b'numpy._core.multiarray' in data
    for old in (data, data.replace(b'numpy._core', b'numpy.core')): assert load_restricted(old)['n'] == 3


# What may not be in it

class Evil:
    "What `__reduce__` gives is called by an ordinary reader"
    def __init__(self, *call): self.call = call
    def __reduce__(self): return self.call


class Set(list):
    def __init__(self, state): self.state = state
    def __reduce__(self): return collections.OrderedDict, (), self.state


def planted(trap):
    "Pickles that make a folder, by way of everything that can be named"
    mkdir = os.mkdir, (str(trap),)
    evil = Evil(*mkdir)
    reconstruct, scalar = np.zeros(1).__reduce__()[0], np.float64(1).__reduce__()[0]
    objects = np.empty(1, object)
    objects[0] = evil
    inner = {
        'plain': evil, 'in a list': [[evil]], 'as a key': {1: {'a': evil}}, 'in an array of objects': objects, 'nested arrays': [object_array([objects])],
        'os.system': Evil(os.system, (f'mkdir {trap}',)), 'eval': Evil(eval, (f'__import__("os").mkdir({str(trap)!r})',)),
        'exec': Evil(exec, (f'import os; os.mkdir({str(trap)!r})',)), 'subprocess': Evil(subprocess.check_call, (['mkdir', str(trap)],)),
        'map': Evil(map, (os.mkdir, [str(trap)])),
        'numpy calls it': Evil(np.vectorize, (os.mkdir,)), 'numpy applies it': Evil(np.apply_along_axis, (os.mkdir, 0, np.zeros(1))),
        'numpy imports': Evil(np.load, (str(trap),)), 'numpy writes': Evil(np.lib.format.open_memmap, (str(trap), 'w+')),
        'numpy maps a file': Evil(np.memmap, (str(trap), 'u1', 'w+', 0, (9,))),
        'reconstructs a subclass': Evil(reconstruct, (np.memmap, (0,), b'b')), 'reconstructs a class of Python': Evil(reconstruct, (Evil, (0,), b'b')),
        'scalar of objects': Evil(scalar, (np.dtype(object), evil)), 'dtype of a class': Evil(np.dtype, (Evil,)),
        'dtype of a record': np.zeros(1, [('a', 'f4')]), 'dtype with metadata': Evil(np.dtype, ('f4', False, True, evil)),
        'a class': Evil(type, ('X', (), {})), 'attributes': Evil(copyreg._reconstructor, (Evil, object, None)), 'ordered': Set(evil), 'a set': {1}, 'path': ROOT}
    return {k: {'image_paths': ['a.jpg'], 'bboxes': [[]], 'x': o} for k, o in inner.items()}


@pytest.mark.parametrize('protocol', PROTOCOLS)
@pytest.mark.parametrize('what', planted('x'))
def test_nothing_is_called(tmp_path, what, protocol):
    trap = tmp_path/'trap'
    content = planted(trap)[what]
    data = pickle.dumps(content, protocol)
    if what in ('plain', 'os.system', 'in an array of objects', 'eval'):
        pickle.loads(data)
        assert trap.exists(), 'the trap works'
        trap.rmdir()
    with pytest.raises(PickleRefused): load_restricted(data)
    with pytest.raises(MetadataError, match='nothing of it was run'): migrate(old_file(tmp_path/'o.npy', content, protocol), tmp_path/'new.npy')
    assert not trap.exists() and not (tmp_path/'new.npy').exists()


def by_hand(*parts): return b''.join(o if isinstance(o, bytes) else pickle.dumps(o, 0)[:-1] for o in parts) + b'.'


RECONSTRUCT, NDARRAY, DTYPE = b'cnumpy.core.multiarray\n_reconstruct\n', b'cnumpy\nndarray\n', b'cnumpy\ndtype\n'
HAND_MADE = {
    'inst': b'(S"x"\nios\nmkdir\n.', 'obj': b'(cos\nmkdir\nS"x"\no.', 'stack_global': b'\x80\x04\x8c\x02os\x8c\x05mkdir\x93\x8c\x01x\x85R.',
    'dotted name': b'\x80\x04\x8c\x05numpy\x8c\x11ndarray.__class__\x93.', 'dotted module': b'cnumpy.core.multiarray\n_reconstruct.__globals__\n.',
    'newobj': b'\x80\x02cos\nmkdir\n)\x81.', 'extension': b'\x82\x01.', 'persistent': b'Pos.mkdir\n.', 'binary persistent': b'I1\nQ.',
    'next buffer': b'\x80\x05\x97.', 'read-only buffer': b'\x80\x05\x97\x98.',
    'sets attributes of a function': by_hand(RECONSTRUCT, b'}', 'function', b'}', b's', b'b'),
    'sets defaults of a function': by_hand(RECONSTRUCT, b'N}', '__defaults__', b')s\x86b'),
    'calls what a call returned': DTYPE + b"(S'f4'\ntR)R.",
    'an empty array of any size': NDARRAY + b'(I9999999999\ntR.', 'an array of any size': RECONSTRUCT + b'(' + NDARRAY + b"(I9999999999\ntS'b'\ntR.",
    'builds on a dictionary': b'}}b.', 'builds on a list': b'(l}b.', 'nothing': b'.', 'empty': b'', 'endless': b'(' * 10**5, 'no stack': b'R.', 'memo': b'g9\n.',
    'unicode dtype': DTYPE + b"(S'U9999999999'\ntR.", 'void dtype': DTYPE + b"(S'V999999999'\ntR.", 'structured text': DTYPE + b"(S'f4,f4'\ntR."}


@pytest.mark.parametrize('what', HAND_MADE)
def test_made_by_hand(tmp_path, monkeypatch, what):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PickleRefused): load_restricted(HAND_MADE[what])
    assert os.listdir(tmp_path) == []


def array_state(shape, code=b"'f4'", data=b''):
    return (RECONSTRUCT + b'(' + NDARRAY + b"(I0\ntS'b'\ntR(I1\n(" + b''.join(b'I%d\n' % o for o in shape) + b't' + DTYPE + b'(S' + code
            + b"\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\nC" + bytes([len(data)]) + data + b'tb.')


@pytest.mark.parametrize('shape, code, data', [((10**12,), b"'f4'", b'1234'), ((2,), b"'f4'", b'1234'), ((-1,), b"'f4'", b''), ((2**40, 2**40), b"'f4'", b''),
                                               ((10**9,), b"'U0'", b''), ((10**9,), b"'S0'", b''), ((1,), b"'O8'", b'12345678'), ((0, 2**62), b"'f4'", b''),
                                               ((1,) * 40, b"'f4'", b'1234')])
def test_arrays_that_claim_what_is_not_there(shape, code, data):
    assert made(load_restricted(array_state((1,), data=b'\0\0\x80?'))).tolist() == [1], 'the state is right'
    with pytest.raises(PickleRefused): load_restricted(array_state(shape, code, data))


BOMBS = {
    'bytes of 10 GB': b'\x80\x04\x8e' + struct.pack('<Q', 10**10) + b'abc.', 'text of 10 GB': b'\x80\x04\x8d' + struct.pack('<Q', 10**10) + b'abc.',
    'a bytearray of 10 GB': b'\x80\x05\x96' + struct.pack('<Q', 10**10) + b'abc.', 'a frame of 10 GB': b'\x80\x04\x95' + struct.pack('<Q', 10**10) + b'abc.',
    'a memo of 4 billion': b'\x80\x02Nr\xff\xff\xff\xff.', 'bytes of 4 GB': b'B\xff\xff\xff\xffabc.', 'a number of 2 GB': b'\x8b\xff\xff\xff\x7fabc.'}


@pytest.mark.parametrize('what', BOMBS)
def test_memory_is_not_taken_for_claims(what):
    tracemalloc.start()
    try:
        try: load_restricted(BOMBS[what])
        except PickleRefused: pass
        assert tracemalloc.get_traced_memory()[1] < 2e6
    finally: tracemalloc.stop()


def test_what_is_small_in_the_file_stays_small(tmp_path):
    "One list in ten thousand places"
    row = [[1, 2, 3, 4]] * 1000
    for content in ({'image_paths': ['a.jpg'] * 1000, 'bboxes': [row] * 1000}, {'image_paths': ['a' * 4000] + ['b'] * 10**5, 'bboxes': [[]] * (10**5 + 1)},
                    {'image_paths': ['a.jpg'] * 1000, 'keypoints': [np.zeros((1000, 3))] * 1000}):
        old = old_file(tmp_path/'o.npy', content)
        size = old.stat().st_size
        tracemalloc.start()
        try:
            with pytest.raises(MetadataError, match='more than a file of this size can hold'): migrate(old, tmp_path/'new.npy')
            assert tracemalloc.get_traced_memory()[1] < 300 * size + 1e6
        finally: tracemalloc.stop()


@given(st.binary(max_size=200))
@settings(max_examples=tries(1500))
def test_rubbish_is_refused(data):
    "Any bytes give plain values or are refused"
    for o in (data, b'\x80\x04' + data, array_state((1,), data=b'1234')[:len(data)] + data):
        try: found = load_restricted(o)
        except PickleRefused: continue
        plain(found)


def plain(value, depth=0):
    if depth > 50: return
    allowed = (dict, list, tuple, str, bytes, bytearray, int, float, bool, type(None), np.ndarray, np.generic, set, frozenset)
    assert isinstance(value, allowed) or type(value).__module__ == 'ear_lazy.migrate', type(value)
    if isinstance(value, (list, tuple)):
        for o in value[:20]: plain(o, depth + 1)


def test_cut_or_changed_at_any_byte(tmp_path):
    data = old_file(tmp_path/'o.npy', {'image_paths': PATHS, 'bboxes': np.array(BOXES[0] + BOXES[2], np.float32), 'n': [np.float64(1)]}).read_bytes()
    for at in range(len(data)):
        for changed in (data[:at], data[:at] + b'R' + data[at + 1:], data[:at] + b'\xff' + data[at + 1:]):
            (tmp_path/'c.npy').write_bytes(changed)
            try: read_old(tmp_path/'c.npy')
            except MetadataError: pass


# Content that is no metadata

@pytest.mark.parametrize('content, words', [
    ([1], 'no dictionary'), ({'paths': []}, 'no dictionary'), ({'image_paths': PATHS}, 'none of keypoints, bbox, bboxes'), ({'image_paths': PATHS, 'bboxes': BOXES[:2]}, '3 paths, but 2 rows'),
    ({'image_paths': [1, 2, 3], 'bboxes': BOXES}, 'no path'), ({'image_paths': PATHS, 'bboxes': [[[1, 2, 3]], [], []]}, 'row 0: not 4 numbers'), ({'image_paths': PATHS, 'bboxes': 5}, 'cannot be migrated'),
    ({'image_paths': PATHS, 'bboxes': [[], [['a'] * 4], []]}, 'row 1: not 4 numbers'), ({'image_paths': PATHS, 'keypoints': [[[1, 2, float('nan')]]] * 3}, 'row 0: a number that is not finite'),
    ({'image_paths': ['/etc/passwd', 'a', 'b'], 'bboxes': BOXES}, "'/etc/passwd' is not inside"), ({'image_paths': ['../a', 'a', 'b'], 'bboxes': BOXES}, 'is not inside'),
    ({'image_paths': ['a\0b', 'a', 'b'], 'bboxes': BOXES}, 'is not inside'), ({'image_paths': [], 'bboxes': []}, 'no rows'), ({'image_paths': 7, 'bboxes': BOXES}, 'cannot be migrated')])
def test_what_is_not_metadata(tmp_path, content, words):
    with pytest.raises(MetadataError, match=words): migrate(old_file(tmp_path/'o.npy', content), tmp_path/'new.npy')
    assert sorted(os.listdir(tmp_path)) == ['o.npy']


def test_absolute_paths_and_the_dataset(tmp_path):
    from making import image
    image(tmp_path/'data/raw/a/1.png')
    old = old_file(tmp_path/'old.npy', {'image_paths': [str(tmp_path/'data/raw/a/1.png')], 'bboxes': [[[1, 2, 3, 4]]]})
    with pytest.raises(MetadataError, match='pass --root'): migrate(old, tmp_path/'data/out/new.npy', tmp_path/'elsewhere')
    new = migrate(old, tmp_path/'data/out/new.npy', tmp_path/'data/raw')
    dataset = LazyNPYDataset(new.path)
    assert new.root == '../raw' and dataset[0]['bboxes'].tolist() == [[1, 2, 3, 4]] and dataset[0]['image'].shape == (40, 60, 3)
    assert sorted(os.listdir(tmp_path/'data/out')) == ['new.npy'], 'nothing else is left'


def test_command(tmp_path, capsys):
    old = old_file(tmp_path/'old.npy', {'image_paths': PATHS, 'bboxes': BOXES})
    (tmp_path/'raw').mkdir()
    (tmp_path/PATHS[1]).touch()
    assert main([str(old), str(tmp_path/'new.npy'), '--root', str(tmp_path), '--split', 'val']) == 0
    assert capsys.readouterr().out == f'{tmp_path}/new.npy: 3 detector rows, 2 of them without an image in {tmp_path}\n'
    assert main([str(old), str(tmp_path/'new.npy')]) == 1
    assert capsys.readouterr().err == f'ear-lazy migrate: {tmp_path}/new.npy is there already: remove it, or choose another name\n'
    with pytest.raises(OutputError, match='cannot write'): migrate(old, old/'new.npy')
    run = subprocess.run([sys.executable, '-m', 'ear_lazy.migrate', 'none.npy', str(tmp_path/'x.npy')], capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 1 and run.stderr == 'ear-lazy migrate: none.npy: cannot be opened: No such file or directory\n'


# Bombs: small files of which an ordinary reader makes much

def doubled(make, times=30): # of what is on top of the stack
    return b''.join(b'q' + bytes([i]) + make(b'h' + bytes([i])) for i in range(times))


U = struct.Struct('<I').pack
KEY = b'X\x0b\0\0\0image_pathsX\x06\0\0\0bboxes'
FROM_BUFFER, DTYPE, RECONSTRUCT, NDARRAY_NAME = (b'c' + o + b'\n' for o in (b'numpy.core.numeric\n_frombuffer', b'numpy\ndtype', b'numpy.core.multiarray\n_reconstruct', b'numpy\nndarray'))
SCALAR = b'cnumpy.core.multiarray\nscalar\n'
MB = 2**20


def text(n): return b'X' + U(n) + b'a' * n


def as_values(paths, boxes): return b'}(' + b'X\x0b\0\0\0image_paths' + paths + b'X\x06\0\0\0bboxes' + boxes + b'u.'


MAKERS = (DTYPE + b'X\1\0\0\0O\x85Rq\0010' + b'K\1\x85q\0020' + RECONSTRUCT + b'q\0030' + NDARRAY_NAME + b'q\0040' + b'K\1q\0050' + FROM_BUFFER + b'q\0060')
SWELLING = {
    'a list of it twice': as_values(b']X\x01\0\0\0aa', b']' + doubled(lambda o: b'0](' + o + o + b'e') + b'q\x63' + b'0]h\x63a'),
    'a tuple of it twice': as_values(b']X\x01\0\0\0aa', b'(K\x01K\x01K\x01K\x01t' + doubled(lambda o: b'0' + o + o + b'\x86') + b'q\x630]h\x63a'),
    'a dictionary of it twice': b')' + doubled(lambda o: b'0}(K\0' + o + b'K\1' + o + b'u') + b'.',
    'doubled paths': as_values(b']' + doubled(lambda o: b'0](' + o + o + b'e'), b']'),
    'the name of a dtype': b']' + doubled(lambda o: b'0](' + o + o + b'e') + b'q\x63' + DTYPE + b'h\x63\x85R.',
    'a doubled tuple as a key': b')' + doubled(lambda o: b'0' + o + o + b'\x86') + b'q\x63}h\x63K\1s.',
    'a deep tuple as a key': b'})' + b'\x85' * MB + b'K\1s.',
    'a deep tuple as a key in (': b'(' + b')' + b'\x85' * MB + b'K\1d.',
    'lists in lists': b']' * MB + b'a' * (MB - 1) + b'.',
    'marks': b'(' * 2 * MB + b'.',
    'tuples in tuples': as_values(b'])' + b'\x85' * MB + b'a', b']'),
    'arrays in arrays': MAKERS + b'h\3h\4\x85R(K\1h\2h\1\x89]h\5atbq\0050' * (MB // 32) + b'h\5.',
    'buffers in buffers': MAKERS + b'h\6(]h\5ah\1h\2X\1\0\0\0CtRq\0050' * (MB // 32) + b'h\5.',
    'a list in itself': b']q\0h\0a.', 'a list in its tuple': b']q\0h\0\x85a.', 'a dictionary in itself': b'}q\0K\1h\0s.',
    'a text named often': as_values(b'](' + text(MB) + b'2' * MB + b'e', b']'),
    'bytes named often': as_values(b'](B' + U(MB) + b'a' * MB + b'2' * MB + b'e', b']'),
    'a row of a text named often': as_values(b']X\1\0\0\0aa', b'](' + b'](' + text(MB) + b'2' * MB + b'ee'),
    'numbers of a text': b'cnumpy\ndtype\n' + b'q\0' + text(MB) + b'q\0010' + b'h\0h\1\x85R' * 1000 + b'.',
    'one buffer, many arrays': DTYPE + b'X\2\0\0\0u1\x85Rq\1B' + U(MB) + bytes(MB) + b'q\2' + FROM_BUFFER + b'q\3' + b'J' + U(MB) + b'\x85q\4' + b'(' + (
        b'h\3(h\2h\1h\4X\1\0\0\0CtR') * (MB // 16) + b'l.',
    'one list, many arrays': DTYPE + b'X\1\0\0\0O\x85Rq\1](' + b'N' * 100_000 + b'eq\2' + RECONSTRUCT + b'q\3' + NDARRAY_NAME + b'q\4J' + U(100_000) + b'\x85q\5' + b'(' + (
        b'h\3h\4\x85R(K\1h\5h\1\x89h\2tb') * (MB // 32) + b'l.',
    'encoded again and again': b'c_codecs\nencode\nq\1' + text(MB) + b'q\2(' + b'h\1h\2\x85R' * (MB // 8) + b'l.',
    'a number of a million bytes': b'\x8b' + U(MB) + b'\1' * MB + b'.', 'a number of 255 bytes': b'\x8a\xff' + b'\1' * 255 + b'.',
    'a number of a million digits': b'L' + b'1' * MB + b'L\n.', 'an int of digits': b'I' + b'1' * 4000 + b'\n.', 'a hexadecimal number': b'L0x' + b'f' * MB + b'L\n.',
    'a float of a million digits': b'F' + b'1' * MB + b'\n.', 'a large number': as_values(b']X\1\0\0\0aa', b']](' + b'I' + b'1' * 60 + b'\nK\1K\1K\1eaa'),
    '10**400': pickle.dumps({'image_paths': ['a'], 'bboxes': [[[10**400, 1, 2, 3]]]}), '1e300': pickle.dumps({'image_paths': ['a'], 'bboxes': [[[1e300, 1, 2, 3]]]}),
    'half a letter': pickle.dumps({'image_paths': ['a\ud800.jpg'], 'bboxes': [[[1, 1, 2, 3]]]}), 'half a letter as a row': pickle.dumps({'image_paths': ['a'], 'bboxes': [['\ud800bcd']]}),
    'half a letter as a name': b'\x8c\3\xed\xa0\x80\x8c\1a\x93.', 'a name of a million letters': b'c' + b'a' * MB + b'\nb\n.', 'escapes in a name': b'c\x1b[2J\x1b\nb\n.',
    'bytes that claim much': b'\x8e' + b'\xff' * 6 + b'\0\0' + b'.', 'text that claims much': b'\x8d' + b'\xff' * 6 + b'\0\0.', 'a bytearray that claims much': b'\x96' + b'\xff' * 6 + b'\0\0.',
    'a frame that claims much': b'\x80\4\x95' + b'\xff' * 6 + b'\0\0N.', 'frames in frames': b'\x80\4' + b''.join(b'\x95' + struct.pack('<Q', n) for n in range(MB, 0, -9)) + b'N.',
    'an array of no numbers': as_values(b']X\1\0\0\0aa', b'](' + DTYPE + b'X\2\0\0\0f4\x85Rq\1' + FROM_BUFFER + b'q\00200h\2(C\0h\1(K\0J' + U(2**31 - 1) + b'J' + U(2**31 - 1) + b'tX\1\0\0\0CtRe'),
    'items of a list': b']K\1K\1s.', 'items of bytes': b'\x96\1' + bytes(7) + b'aK\0K\1s.', 'an odd dictionary': b'(K\1d.', 'a list as a key': b'}]K\1s.',
    'a scalar of a list': SCALAR + DTYPE + b'X\1\0\0\0O\x85R]\x86R.',
}


BOUNDED = '''
import resource, sys, time
from pathlib import Path
from ear_lazy.migrate import MetadataError, migrate
room = int(next(o for o in open('/proc/self/status') if o.startswith('VmSize')).split()[1]) * 1024 + 200 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (room, room))
for path in sorted(Path(sys.argv[1]).iterdir()):
    start = time.process_time()
    try: migrate(path, path.with_suffix('.new'))
    except MetadataError as e: said = str(e)
    except BaseException as e: said = f'{type(e).__name__} {str(e)[:200]}'
    else: said = 'migrated'
    print(path.name, round(time.process_time() - start, 2), ascii(said), sep='\\t', flush=True)
'''


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='bounds the memory of a process')
def test_bombs_are_refused_in_proportion_to_their_size(tmp_path):
    for i, data in enumerate(SWELLING.values()): (tmp_path/f'{i:03}').write_bytes(b'\x80\2' * (data[:1] != b'\x80') + data) # as a pickle begins
    run = subprocess.run([sys.executable, '-c', BOUNDED, tmp_path], capture_output=True, text=True, cwd=ROOT, timeout=200)
    found = dict(zip(SWELLING, (o.split('\t') for o in run.stdout.splitlines())))
    assert run.returncode == 0 and len(found) == len(SWELLING), (run.returncode, [*found][-1:], run.stderr[-500:])
    for name, (_, seconds, said) in found.items():
        assert 'not migrated' in said or 'cannot be migrated' in said or 'not a file of the predecessor' in said, (name, said)
        assert float(seconds) < 1 + 5 * len(SWELLING[name]) / MB and len(said) < 500, (name, seconds, said)
    said = {k: o[2] for k, o in found.items()}
    assert '64 bits' in said['10**400'] and 'half of a letter' in said['half a letter'] and 'finite' in said['1e300'] and 'in itself' in said['a list in itself']


# An image root that is wrong

@pytest.fixture
def old(tmp_path, monkeypatch):
    from making import image
    monkeypatch.chdir(tmp_path)
    for o in PATHS[:2]: image(tmp_path/o)
    return old_file(tmp_path/'old.npy', {'image_paths': PATHS, 'bboxes': BOXES})


def test_a_wrong_root_makes_no_file(old, tmp_path, capsys):
    (tmp_path/'else where').mkdir()
    for root, words in (('nowhere', 'no folder nowhere: --root is the folder that holds all images\n'), ('old.npy', 'no folder old.npy: '),
                        ('else where', f'the images are in {tmp_path}/raw: pass --root {tmp_path}/raw\n')):
        assert main(['old.npy', 'new.npy', '--root', root]) == 1
        said = capsys.readouterr()
        assert words in said.err and (said.out, said.err.count('\n')) == ('', 1) and not (tmp_path/'new.npy').exists()
    assert main(['old.npy', 'new.npy', '--root', f'{tmp_path}/raw']) == 0
    assert capsys.readouterr().out == 'new.npy: 3 detector rows, 1 of them without an image in ' + f'{tmp_path}/raw\n'


def test_images_that_are_nowhere(old, tmp_path, monkeypatch, capsys):
    (tmp_path/'elsewhere').mkdir()
    monkeypatch.chdir(tmp_path/'elsewhere')
    assert main(['../old.npy', 'new.npy', '--root', '.']) == 1
    said = capsys.readouterr().err
    assert f'none of the 3 images, such as raw/ä/1.jpg, is in {tmp_path}/elsewhere; pass --root with the folder of the images, and run this where' in said
    assert os.listdir() == [] and migrate('../old.npy', 'new.npy', '.').split == 'train', 'in Python, the images may be elsewhere'


@pytest.mark.parametrize('data', [b'\x89PNG\r\n\x1a\n', b'\xff\xd8\xff\xe0', b'GIF89a', b'BM', b'{"images": []}', b'image_path,x1\n', b'column,x1\na,1\n', b'', b'<html>'])
def test_what_is_no_pickle(tmp_path, data):
    (tmp_path/'a.npy').write_bytes(data)
    with pytest.raises(MetadataError, match='not a pickle: it is no file of the predecessor'): migrate(tmp_path/'a.npy', tmp_path/'new.npy')
