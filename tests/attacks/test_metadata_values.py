"Numbers in a metadata file that lie: each is a typed error that names the row, and none makes memory be allocated"
import io
import os
import pickle
import random
import shutil
import signal
import socket
import sys
import time
import tracemalloc

import numpy as np
import pytest
from making import as_version_2, coco, image, process, with_columns
from tiers import tries
from torch.utils.data import DataLoader

from ear_lazy.errors import ImageLoadError, MetadataError
from ear_lazy.looking.row_pictures import Pictures
from ear_lazy.looking.row_table import RowTable
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.loading import row_dataset
from ear_lazy.looking.columns import columns_of
from ear_lazy.metadata.file import Metadata, Shard, _usual_dtype


@pytest.fixture(scope='module')
def once(tmp_path_factory):
    "Three pictures of 40 × 60, with two boxes each and some points"
    folder = tmp_path_factory.mktemp('once')
    for i, name in enumerate('abc'): image(folder/f'data/raw/ears/{name}.png', seed=i)
    boxes = {f'{n}.png': [[1, 1, 50, 30], dict(keypoints=[1, 1, 2, 30, 30, 1])] for n in 'abc'}
    coco(folder/'data/raw/ears/b.json', boxes)
    process(folder/'data/raw', folder/'data/out', train_split=1)
    return folder


@pytest.fixture
def made(once, tmp_path): return shutil.copytree(once, tmp_path/'made')


def with_column(made, kind, column, at, value):
    "A file with another number in a column"
    path = made/f'data/out/train_{kind}.npy'
    record = np.load(path)
    record[column][at] = value
    np.save(path, record)
    return path


@pytest.fixture
def allocated(monkeypatch):
    "Bytes of each batch whose memory was allocated before its images were decoded"
    sizes, new_batch = [], row_dataset.new_batch
    def count(shapes):
        sizes.append(int(np.prod(np.max(shapes, 0), dtype=float)*len(shapes)))
        assert sizes[-1] < 10**6, f'{sizes[-1]:,} bytes for images that nobody has seen'
        return new_batch(shapes)
    monkeypatch.setattr(row_dataset, 'new_batch', count)
    return sizes


# Sizes

BATCHES = {'get_batch': lambda ds: ds.get_batch(range(3)), 'rows for a loader': lambda ds: ds.__getitems__([0, 1, 2]), 'threads': lambda ds: ds.get_batch(range(3), num_threads=3),
           'a loader': lambda ds: next(iter(DataLoader(ds, 3))), 'combined': lambda ds: CombinedLazyDataset([ds, ds]).get_batch([0, 1, 2, len(ds)]), 'chosen rows': lambda ds: ds[[2, 1, 0]].get_batch(range(3))}


@pytest.mark.parametrize('ask', BATCHES)
@pytest.mark.parametrize('size', [(20_000, 20_000), (41, 60), (40, 10**6), (10**6, 60), (1, 2**31 - 1), (40, 61)])
@pytest.mark.parametrize('kind', ['detector', 'landmarker', 'teacher'])
def test_claimed_sizes_allocate_nothing(made, allocated, kind, size, ask):
    path = with_column(made, kind, 'sizes', 1, size)
    if kind == 'teacher': with_column(made, kind, 'bboxes', 1, (0, 0, *size[::-1]))
    with pytest.raises(ImageLoadError, match='the image is 60×40') as caught: BATCHES[ask](LazyNPYDataset(path))
    assert caught.value.row == 1
    with pytest.warns(UserWarning, match='the image is 60×40'): batch = BATCHES[ask](LazyNPYDataset(path, on_error='skip'))
    assert len(batch['image'] if isinstance(batch, dict) else batch) == (3 if ask == 'combined' else 2)


@pytest.mark.parametrize('ask', BATCHES)
def test_all_sizes_claimed_alike(made, allocated, ask):
    "… with nothing to compare them with"
    path = with_column(made, 'detector', 'sizes', slice(None), (30_000, 30_000))
    with pytest.raises(ImageLoadError, match='the image is 60×40'): BATCHES[ask](LazyNPYDataset(path))


@pytest.mark.parametrize('options', [dict(max_pixels=2000), dict(cache_size=9, max_pixels=2000)], ids=str)
def test_a_header_that_claims_as_much(made, allocated, options):
    "An image above the limit is not counted as one that was seen"
    image(made/'data/raw/ears/b.png', (20_000, 9000), seed=0)
    path = with_column(made, 'detector', 'sizes', 1, (20_000, 9000))
    with pytest.raises(ImageLoadError, match='too many pixels'): LazyNPYDataset(path, **options).get_batch([1, 1])


def test_honest_batches_are_allocated_before(made, allocated):
    "… from the first on, in every kind"
    for kind in ('detector', 'landmarker', 'teacher'):
        ds = LazyNPYDataset(made/f'data/out/train_{kind}.npy')
        for some in (ds, CombinedLazyDataset([ds, ds]), pickle.loads(pickle.dumps(ds))):
            n = len(allocated)
            for _ in range(2): some.get_batch(range(3))
            assert len(allocated) == n + 2


def test_headers_are_read_for_few_batches(made, monkeypatch):
    ds, asked = LazyNPYDataset(made/'data/out/train_detector.npy'), []
    look = LazyNPYDataset.stored_turn
    monkeypatch.setattr(LazyNPYDataset, 'stored_turn', lambda self, row: asked.append(row) or look(self, row))
    for _ in range(5): ds.get_batch(range(3))
    assert len(asked) == 1


ASK_SIZES = BATCHES | {'a row': lambda ds: ds[1], 'the shape': lambda ds: ds.image_shape(1), 'columns': columns_of, 'statistics': lambda ds: ds.stats(),
                       'a thumbnail': lambda ds: shown(ds, 1)}


def shown(ds, row):
    head, _ = Pictures(ds, RowTable(ds)).tile(row)
    raise MetadataError(head.get('error', 'nothing is wrong'))


@pytest.mark.parametrize('on_error', ['raise', 'skip'])
@pytest.mark.parametrize('ask', ASK_SIZES)
@pytest.mark.parametrize('size', [(-1, 60), (40, -60), (-40, -60), (-2**31, 1), (2**31 - 1, 2**31 - 1)])
def test_sizes_that_no_image_has(made, allocated, size, ask, on_error):
    for kind in ('detector', 'landmarker', 'teacher'):
        ds = LazyNPYDataset(with_column(made, kind, 'sizes', 1, size), on_error=on_error)
        with pytest.raises(MetadataError, match=f'row 1 is for an image of the size {size[1]}×{size[0]}, which no image has'): ASK_SIZES[ask](ds)


# Names

LABELS = BATCHES | {'a row': lambda ds: ds[1], 'drawn': lambda ds: ds.show(1), 'a grid': lambda ds: ds.show_batch(3), 'a thumbnail': lambda ds: shown(ds, 1),
                    'statistics': lambda ds: ds.stats(), 'columns': columns_of, 'a table': lambda ds: RowTable(ds).column('class'), 'COCO': lambda ds: ds.to_coco(ds.out/'a.json'),
                    'CSV': lambda ds: ds.to_csv(ds.out/'a.csv'), 'YOLO': lambda ds: ds.to_yolo(ds.out/'a')}
SOURCES = {'shown': lambda ds: ds._repr_html_(), 'some rows shown': lambda ds: ds[1:2]._repr_html_(), 'statistics': lambda ds: ds.stats(), 'columns': columns_of,
           'a table': lambda ds: RowTable(ds).column('source'), 'a query': lambda ds: RowTable(ds).matching({'text': 'ear', 'boxes': [None]*2, 'size': [None]*2, 'aspect': [None]*2, 'problem': ''})}


@pytest.mark.parametrize('on_error', ['raise', 'skip'])
@pytest.mark.parametrize('ask', LABELS)
@pytest.mark.parametrize('number', [-1, -2**31, 2, 2**31 - 1])
@pytest.mark.parametrize('kind', ['detector', 'teacher'])
def test_classes_that_are_not_there(made, kind, number, ask, on_error):
    path = with_column(made, kind, 'labels', 1, number)
    ds = LazyNPYDataset(path, extras=('labels',), on_error=on_error)
    first = int(np.searchsorted(ds.metadata.column('offsets'), 1, side='right')) - 1 if kind == 'detector' else 1
    ds.out = made/'new'
    if ask in ('a row', 'drawn', 'a thumbnail'): ds = ds[[0, first, 1]]
    with pytest.raises(MetadataError, match=rf'row {first} has the (class {number}\b|number {number} in its column labels)'): LABELS[ask](ds)


@pytest.mark.parametrize('ask', SOURCES)
@pytest.mark.parametrize('number', [-1, -2**31, 1, 2**31 - 1])
def test_sources_that_are_not_there(made, number, ask):
    for kind in ('detector', 'landmarker', 'teacher'):
        ds = LazyNPYDataset(with_column(made, kind, 'source', 1, number), on_error='skip')
        with pytest.raises(MetadataError, match=f'row 1 has the number {number} in its column source'): SOURCES[ask](ds)


@pytest.mark.parametrize('offsets', [(0, 2**62, -2**63, -2**62), (2**62, -2**63, -2**62, 0), (0, 2**63 - 1, -2, 2)])
def test_offsets_that_wrap_around(made, offsets):
    "Their differences are all positive, as 64 bits have no more room"
    ds = LazyNPYDataset(with_column(made, 'detector', 'offsets', slice(None), offsets))
    for ask in (columns_of, lambda ds: ds.stats(), lambda ds: RowTable(ds).column('boxes')):
        with pytest.raises(MetadataError, match='offsets'): ask(ds)


# Objects

LIES = { # what it says: (kind, columns, what is asked, what the error says)
    'a file that is not there': ('detector', dict(origin_file=np.int32([0, 1, 0])), lambda ds: ds.origin(1), 'row 1 comes from the annotation file 1, but there are 1'),
    '… before the first': ('teacher', dict(origin_file=np.int32([0, -2]*3)), lambda ds: ds.get_metadata(1), 'row 1 comes from the annotation file -2'),
    '… as one more': ('detector', dict(more_origins=np.int64([[0, 0, 5], [1, 2**40, 5]])), lambda ds: ds.origin(1), 'row 1 comes from the annotation file'),
    'a file outside': ('landmarker', dict(origin_files=[b'../../etc/passwd']), lambda ds: ds[1], 'row 1 .*not inside the image root'),
    '… of an absolute path': ('landmarker', dict(origin_files=[b'/etc/passwd']), lambda ds: ds[1], 'row 1 .*not inside the image root'),
    '… named after the photo': ('landmarker', dict(origin_files=[b'..///passwd']), lambda ds: ds[1], 'row 1 .*not inside the image root'),
    'a class that is not there': ('landmarker', dict(labels=np.int32([0, 9, 0])), lambda ds: ds[1], 'row 1 has the class 9'),
    '… in a column': ('landmarker', dict(labels=np.int32([0, -1, 0])), lambda ds: ds.column('labels'), 'row 1 has the number -1 in its column labels'),
    '… and is renumbered': ('landmarker', dict(labels=np.int32([0, 9, 0])), lambda ds: LazyNPYDataset(ds.metadata.path, label_names=['other']), 'row 1 has the number 9'),
    'a value that is not there': ('detector', dict(attribute_names=[b'side'], attribute_values=[b''], attributes=np.int32([[0], [7], [0]])), lambda ds: ds.column('side'), "row 1 has the number 7 as its 'side'"),
    'no values': ('detector', dict(attribute_names=[b'side'], attributes=np.int32([[0]]*3)), len, 'without the columns of a metadata file'),
    'deep schemes': ('landmarker', dict(schemes=np.bytes_(b'['*100_000)), lambda ds: ds[1], 'its schemes of keypoints cannot be read'),
    'a long name': ('landmarker', dict(schemes=np.bytes_(b'[{"source": 0, "label": 0, "points": ["' + b'a'*10**6 + b'"]}]')), lambda ds: ds.point_names, 'its schemes of keypoints cannot be read'),
    'points of other rows': ('landmarker', dict(schemes=np.bytes_(b'[{"source": 0, "label": 0, "points": ["a", "b"], "flip_pairs": [[0, 2]]}]')), lambda ds: ds.flip_pairs, 'counts in what is not there'),
    'a keypoint in two pairs': ('landmarker', dict(schemes=np.bytes_(b'[{"source": 0, "label": 0, "points": ["a", "b"], "flip_pairs": [[0, 1], [1, 0]]}]')), lambda ds: ds[1], 'a keypoint in two pairs of left and right'),
    '… with itself': ('landmarker', dict(schemes=np.bytes_(b'[{"source": 0, "label": 0, "points": ["a", "b"], "flip_pairs": [[0, 0]]}]')), lambda ds: ds[1], 'a keypoint in two pairs of left and right'),
    'a later version': ('landmarker', dict(version=np.int32(3)), len, 'format version 3; this package reads up to 2: upgrade'),
    'columns of other lengths': ('landmarker', dict(groups=np.zeros(2, '<u8')), len, 'without the columns of a metadata file'),
}


@pytest.mark.parametrize('lie', LIES)
def test_lies_about_objects(once, tmp_path, lie):
    kind, columns, ask, words = LIES[lie]
    path = tmp_path/f'train_{kind}.npy'
    shutil.copy(once/f'data/out/{path.name}', path)
    as_version_2(path, **columns)
    with pytest.raises(MetadataError, match=words):
        ask(LazyNPYDataset(path, root_dir=once/'data/raw', extras=['origin', 'labels', *['bbox']*(kind == 'landmarker')]))


def test_one_long_value_is_not_kept_for_each_row(large):
    "… as an array of NumPy's own texts would, which takes 4 bytes for each letter of the longest"
    with_columns(large, source_names=[b'a'*200_000], label_names=[b'a'*100_000])
    tracemalloc.start()
    assert len(LazyNPYDataset(large).column('source')) == 40_000
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


# Files that change

@pytest.fixture
def large(made):
    "A file of many rows, so that most of it is not near its start or its end"
    path = made/'data/out/train_teacher.npy'
    record, n = np.load(path), 40_000
    dtype = [(name, (record.dtype[name].base, (n, *record.dtype[name].shape[1:]))) if record[name].shape[:1] == record['source'].shape and name != 'label_names'
             else (name, record.dtype[name]) for name in record.dtype.names]
    out = np.zeros((), dtype)
    for name in record.dtype.names: out[name] = np.resize(record[name], out[name].shape) if out[name].shape[:1] == (n,) else record[name]
    np.save(path, out)
    assert len(Shard(path)) == n
    return path


def flipped(data, at): return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def write(path, data):
    with open(path, 'r+b') as f: f.write(data)


def replace(path, data):
    path.with_name('new').write_bytes(data)
    os.replace(path.with_name('new'), path)


@pytest.mark.parametrize('share', [0.3, 0.5005, 0.7, 0.9])
@pytest.mark.parametrize('keep_time', [False, True])
@pytest.mark.parametrize('change', [write, replace])
def test_a_pickled_dataset_notices_one_bit(large, change, keep_time, share):
    ds = LazyNPYDataset(large)
    pickled, before, data = pickle.dumps(ds), os.stat(large), large.read_bytes()
    change(large, flipped(data, int(len(data)*share)))
    if keep_time: os.utime(large, ns=(before.st_atime_ns, before.st_mtime_ns))
    for again in (pickled, pickle.dumps(ds)):
        with pytest.raises(MetadataError, match='was replaced after it was opened'): pickle.loads(again)


def test_a_pickled_dataset_of_the_same_content(large, tmp_path):
    "Touched, linked, replaced by a copy of itself, sent twice: it opens"
    ds = LazyNPYDataset(large)
    pickled = pickle.dumps(ds)
    os.utime(large)
    again = pickle.loads(pickled)
    os.link(large, tmp_path/'second name')
    replace(large, large.read_bytes())
    for o in (pickle.loads(pickled), pickle.loads(pickle.dumps(again))): assert len(o) == len(ds) and o[7]['image'].shape


def test_the_digest_is_taken_once(large, monkeypatch):
    ds = LazyNPYDataset(large)
    first = pickle.dumps(ds)
    monkeypatch.setattr('ear_lazy.metadata.file.xxhash.xxh3_128_digest', lambda data: pytest.fail('the file was read again'))
    assert len(pickle.loads(pickle.dumps(pickle.loads(first)))) == len(ds) and len(pickle.dumps(ds)) == len(first)


def in_child(function):
    "Run a function in a forked process; its exit status, negative for a signal"
    if pid := os.fork(): return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    status = 1
    try:
        signal.alarm(20)
        function()
        status = 0
    except BaseException:
        import traceback
        traceback.print_exc()
    finally: os._exit(status)



@pytest.mark.skipif(sys.platform != 'linux', reason='how a mapped file that is cut short behaves')
@pytest.mark.parametrize('ask', ['a batch', 'rows for a loader', 'combined', 'statistics', 'a column', 'shown', 'pickled'])
def test_cut_short_while_it_is_open(large, ask):
    "… is an error, and no signal that kills the process"
    asks = {'a batch': lambda ds: ds.get_batch([39_000, 39_001]), 'rows for a loader': lambda ds: ds.__getitems__([39_000]), 'statistics': lambda ds: ds.stats(),
            'combined': lambda ds: CombinedLazyDataset([ds, ds]).get_batch([39_000]), 'a column': lambda ds: ds.metadata.column('sizes').sum(), 'shown': lambda ds: ds._repr_html_(), 'pickled': pickle.dumps}
    def child():
        ds = LazyNPYDataset(large)
        os.truncate(large, 4096)
        with pytest.raises(MetadataError, match='was cut short while it was open'): asks[ask](ds)
    assert in_child(child) == 0


# What is no file

def sockets(path):
    with socket.socket(socket.AF_UNIX) as s: s.bind(os.path.relpath(path))


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='pipes are of POSIX')
@pytest.mark.parametrize('linked', [False, True])
@pytest.mark.parametrize('what', ['a pipe', 'a device', 'a folder', 'a socket', 'a report that is a pipe'])
def test_what_is_no_file(made, monkeypatch, what, linked):
    "… is refused at once with a sentence, and not waited for"
    monkeypatch.chdir(made)
    path = made/'it.npy'
    place = made/'there' if linked else path
    if what in ('a pipe', 'a report that is a pipe'): os.mkfifo(place)
    if what == 'a folder': place.mkdir()
    if what == 'a socket': sockets(place)
    if what == 'a device':
        if not linked: pytest.skip('nobody may make devices')
        place = '/dev/zero'
    if linked: path.symlink_to(place)
    def child():
        started = time.monotonic()
        if what == 'a report that is a pipe':
            os.replace(path, made/'data/out/report.json')
            assert not RowTable(LazyNPYDataset(made/'data/out/train_detector.npy')).problems, 'it is no report'
        else:
            for opener in (Metadata, LazyNPYDataset):
                with pytest.raises(MetadataError, match='not a file|a folder'): opener(path)
        assert time.monotonic() - started < 5
    assert in_child(child) == 0


# A header that is parsed without NumPy

def test_a_header_means_what_numpy_says(made):
    "The quick parser knows the usual form alone, and then finds the same columns"
    data, rng, known = (made/'data/out/train_detector.npy').read_bytes(), random.Random(1), 0
    end = 10 + int.from_bytes(data[8:10], 'little')
    for _ in range(tries(3000)):
        header = bytearray(data[:end])
        for _ in range(rng.randrange(3)): header[rng.randrange(10, end)] = rng.choice(b"0123456789()[]',{}<|SifuO: _ab-+.")
        f, g = io.BytesIO(header), io.BytesIO(header)
        f.read(6)
        if (found := _usual_dtype(f)) is None: continue
        np.lib.format.read_magic(g)
        assert (found, f.tell()) == (np.lib.format.read_array_header_1_0(g)[2], g.tell())
        known += 1
    assert known > 10
