"What a second attempt found on the side that loads: files made to exhaust memory or time, and caches and tables that take one thing for another"
import json
import os
import struct
import time
import tracemalloc
import warnings

import numpy as np
import pytest
from making import ROOT, coco, image, process
from PIL import Image

from ear_lazy.base.images import stored_turn
from ear_lazy.errors import ImageLoadError, MetadataError
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset


@pytest.fixture
def made(tmp_path):
    "A raw folder with two pictures, and its metadata"
    for name in 'ab': image(tmp_path/f'raw/deep/{name}.png')
    coco(tmp_path/'raw/deep/c.json', {f'{n}.png': [[1, 1, 50, 30]] for n in 'ab'})
    process(tmp_path/'raw', tmp_path/'out', train_split=1)
    return tmp_path


def opened(made, **options): return LazyNPYDataset(made/'out/train_detector.npy', **options)


def sparse_webp(path):
    with open(path, 'wb') as f:
        f.write(b'RIFF\xff\xff\xff\xffWEBPVP8 ' + bytes(100))
        f.truncate(2**40)


def test_a_huge_file_is_not_given_to_pillow(made, tmp_path):
    "Its opener for WebP reads all of a file"
    from ear_lazy.base.images import image_size, stored_turn, stored_turns
    path = made/'raw/deep/a.png'
    sparse_webp(path)
    for look in (stored_turn, image_size):
        with pytest.raises(ImageLoadError, match='too many bytes') as e: look(str(path))
        assert e.value.fault == 'too_large'
    assert stored_turns([str(path)])[1][0].fault == 'too_large'
    ds = opened(made, on_error='skip', max_pixels=10**6)
    with pytest.warns(UserWarning, match='too many bytes'): assert len(ds.get_batch([0, 1])['image']) == 1


def test_an_export_asks_no_huge_file_for_its_size(made):
    from ear_lazy.loading.photos import photos, with_sizes
    sparse_webp(made/'raw/deep/a.png')
    found = photos(opened(made))
    found.records.sizes[:] = 0
    with pytest.raises(ImageLoadError, match='too many bytes'): with_sizes(found)


def exif_of(tags):
    "EXIF of (number, type, count, offset) tags, little-endian"
    return b'Exif\0\0II*\0\x08\0\0\0' + struct.pack('<H', len(tags)) + b''.join(struct.pack('<HHLL', *o) for o in tags) + bytes(4)


def test_exif_costs_no_more_than_its_length():
    "Each of its tags may claim all of it as its value"
    from ear_lazy.base.images import exif_orientation
    data = exif_of([(0x112, 3, 1, 6)] + [(0x9000, 7, 200_000, 8)]*20_000)
    tracemalloc.start()
    start = time.perf_counter()
    try: assert exif_orientation(data) == 6
    finally: peak = tracemalloc.get_traced_memory()[1], tracemalloc.stop()
    assert peak[0] < 2*len(data) and time.perf_counter() - start < 2


@pytest.mark.parametrize('tags', [
    [(0x112, 3, 1, 6)], [(0x112, 4, 1, 8)], [(0x112, 3, 2, 6)], [(0x112, 3, 9, 8)], [(0x112, 3, 9, 99)], [(0x112, 3, 1, 6), (0x112, 9, 1, 2**32 - 1)], [(0x112, 1, 1, 6)], [(0x112, 3, 1, 9)], [(0x112, 3, 1, 0)], [(0x112, 99, 1, 6)], [(0x112, 3, 0, 6)],
    [(0x112, 3, 1, 6), (0x112, 3, 1, 3)], [(0x10f, 2, 900, 5), (0x112, 3, 1, 6)], [(0x111, 3, 1, 0x112)]], ids=str)
@pytest.mark.parametrize('cut', [0, 5, 12])
def test_the_orientation_is_that_of_pillow(tags, cut):
    from ear_lazy.base.images import exif_orientation
    data, exif = exif_of(tags), Image.Exif()
    data = data[:len(data) - cut]
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        exif.load(data)
        expected = exif.get(0x112)
    assert exif_orientation(data) == (expected if expected in range(1, 9) else 1)


def test_the_oldest_pillow_bounds_the_tags_of_a_file():
    "Older versions read the value of each tag, and each may be all of the file"
    assert 'pillow>=13,' in (ROOT/'settings.ini').read_text()


def seconds(function, *args):
    start = time.perf_counter()
    function(*args)
    return time.perf_counter() - start


@pytest.mark.parametrize('text', [
    'ImageLoadError: a (row 1): ' + ' '*100_000 + '\nx (row 0): no such file', 'ImageLoadError: '*20_000 + '(row 1): '*20_000 + ' '*20_000 + '\nx (row 0): no',
    'ImageLoadError: a' + ' (row '*50_000, 'TransformError: a (row ' + '1'*100_000 + '): b', '\n'*100_000 + 'x'], ids=range(5))
def test_no_text_takes_an_error_long(text):
    from ear_lazy.errors import TransformError
    for kind in (ImageLoadError, TransformError): assert seconds(kind, text) < 1


@pytest.mark.parametrize('path', ['a.png', 'a (row 7): b.png', 'ImageLoadError: x', ' '])
def test_path_row_and_reason_are_found_in_a_traceback(path):
    inner = ImageLoadError('no such file', path, 3)
    found = ImageLoadError(f'Caught ImageLoadError in DataLoader worker process 0.\nOriginal Traceback:\near_lazy.base.errors.ImageLoadError: {inner}\n')
    assert (found.path, found.row, found.reason) == (path, 3, 'no such file')


INF, NAN = float('inf'), float('nan')

@pytest.mark.parametrize('box', [[0, 0, 1e9, 1e9], [0, 0, INF, INF], [-INF, 0, INF, 5], [0, 10, 2e9, 1], [-1e38, -1e38, 3e38, 3e38], [NAN]*4, [1e9, 1e9, 1, 1]], ids=str)
def test_no_box_and_no_keypoint_takes_a_picture_long(box):
    from ear_lazy.base.drawing import thumbnail_html
    black = np.zeros((48, 64, 3), np.uint8)
    ear = np.tile(np.float32([[*box[:2], 2], [*box[2:], 1]]), (28, 1))[:55]
    for sample in ({'bboxes': [box]*20}, {'keypoints': np.float32([[*box[:2], 2], [*box[2:], 1]])}, {'keypoints': ear}):
        assert seconds(thumbnail_html, {'image': black} | sample) < 1


def test_what_reaches_beyond_a_picture_is_drawn_as_before():
    from ear_lazy.base.drawing import overlay
    def drawn(box):
        canvas = Image.new('RGB', (64, 48))
        overlay(canvas, {'bboxes': [box]}, 1.)
        return np.asarray(canvas)
    assert (drawn([10, 10, 700, 700]) == drawn([10, 10, 1e9, 1e9])).all() and drawn([10, 10, 1e9, 1e9]).any()


@pytest.mark.parametrize('what', ['folder', 'root'])
@pytest.mark.parametrize('cache', ['own', 'shared'])
def test_a_cached_sample_is_refused_when_its_folder_is_elsewhere(made, cache, what):
    "The file has not changed: only the name of a folder above it leads out of the root now"
    from ear_lazy.shared_cache import SharedCache
    time.sleep(.05)
    ds = opened(made, **({'cache_size': 5} if cache == 'own' else {'cache': SharedCache('10MB')}))
    for _ in range(2): ds[0]
    assert ds.cache_info().hits == 1
    folder = made/'raw' if what == 'root' else made/'raw/deep'
    folder.rename(made/'outside')
    folder.symlink_to(made/'outside')
    with pytest.raises(MetadataError): ds[0]


@pytest.fixture
def two_states(made):
    "One path, opened before and after a run replaced what is there"
    before = opened(made, extras='labels')
    coco(made/'raw/deep/c.json', {'a.png': [[5, 6, 7, 8]], 'b.png': [[9, 9, 3, 3], [1, 2, 3, 4]]}, categories=[dict(id=1, name='other')])
    process(made/'raw', made/'out', train_split=1)
    return before, opened(made, extras='labels')


def boxes(ds): return [o for i in range(len(ds)) for o in ds.get_metadata(i)['bboxes'].tolist()]


def test_two_states_of_a_file_are_not_taken_for_each_other(two_states):
    import json
    from ear_lazy.looking.columns import columns_of, paths_of
    before, after = two_states
    with pytest.raises(MetadataError, match='opened before and after a run made it anew'): CombinedLazyDataset([before, after])
    assert boxes(before) != boxes(after)
    for ds, name, n in (before, 'ear', 2), (after, 'other', 3):
        assert columns_of(ds).values.tolist() == boxes(ds) and len(paths_of(ds)) == len(ds) and [*filter(None, columns_of(ds).label_names)] == [name]
        written = json.loads(ds.to_coco(os.path.join(os.path.dirname(ds.metadata.path), f'../{name}.json')).read_text())
        assert sorted(o['bbox'] for o in written['annotations']) == sorted(boxes(ds)) and len(written['annotations']) == n


def test_a_file_opened_twice_is_one_file(made):
    a, b = opened(made), opened(made)
    from ear_lazy.loading.photos import chosen_rows
    assert a.metadata.identity == b.metadata.identity and len(chosen_rows(CombinedLazyDataset([a, b]))) == 2


@pytest.fixture
def crossed(made):
    "One picture as high as another is wide"
    for name, size in (('a', (1, 60_000)), ('b', (60_000, 1))): image(made/f'raw/deep/{name}.png', size)
    for name, size in (('a', (1, 60_000)), ('b', (60_000, 1))): coco(made/f'raw/deep/{name}.json', {f'{name}.png': [[0, 0, 1, 1]]}, size)
    (made/'raw/deep/c.json').unlink()
    process(made/'raw', made/'out', train_split=1)
    return made


@pytest.mark.parametrize('options', [{}, dict(on_error='skip'), dict(transform=lambda o: o), dict(max_pixels=10**5)], ids=['raise', 'skip', 'transformed', 'few pixels'])
def test_a_batch_is_not_padded_without_bounds(crossed, options):
    from torch.utils.data import DataLoader
    ds = opened(crossed, **options)
    for read in (lambda: ds.get_batch([0, 1]), lambda: next(iter(DataLoader(ds, batch_size=2))), lambda: CombinedLazyDataset([ds]).get_batch([1, 0])):
        with pytest.raises(ImageLoadError, match='image_size=') as e: read()
        assert {'a.png', 'b.png'} == {o for o in ('a.png', 'b.png') if o in str(e.value)}
    assert opened(crossed, image_size=(64, 64)).get_batch([0, 1])['image'].shape == (2, 64, 64, 3)


def test_usual_batches_are_padded(tmp_path):
    from ear_lazy.loading.samples import check_padding
    for shapes in ([(1100, 900, 3), (900, 1100, 3)] + [(30, 30, 3)]*200, [(300, 3300, 3), (3300, 300, 3)], [(10**6,), (1,)], [None, (1, 1, 3)]):
        check_padding(shapes, str, 10**6)
    check_padding([(20_000, 8_000, 3), (8_000, 20_000, 3)], str)


@pytest.mark.parametrize('way', ['sparse', 'unreadable', 'loop', 'folder'])
def test_what_cannot_be_a_report_is_none(tmp_path, monkeypatch, way):
    from ear_lazy.looking import row_table
    path = tmp_path/'report.json'
    if way == 'sparse':
        with open(path, 'wb') as f: f.truncate(2**42)
    elif way == 'unreadable':
        path.write_text('{}')
        def refused(*_, **__): raise PermissionError(13, 'Permission denied')
        monkeypatch.setattr(row_table, 'open_regular', refused)
    elif way == 'loop': path.symlink_to(path)
    else: path.mkdir()
    assert row_table.reports_beside([tmp_path/'train_detector.npy']) == []


def test_a_picture_of_a_report_is_of_the_file_that_was_checked(tmp_path, monkeypatch):
    "It becomes a link out of the raw folder before it is opened to be decoded"
    from ear_lazy.base.records import Problem
    from ear_lazy.processing import report
    raw, load = tmp_path/'raw', report.load_image
    image(raw/'a.png'), image(tmp_path/'private.png', seed=1)
    def swap_and_load(*args, **options):
        (raw/'a.png').unlink()
        (raw/'a.png').symlink_to(tmp_path/'private.png')
        return load(*args, **options)
    monkeypatch.setattr(report, 'load_image', swap_and_load)
    shown = report.Problems([Problem('s', 'f', 'w', 'a.png', 'outside', 'dropped', '', 1, 0, ())], str(raw))._repr_html_()
    assert 'a link leads out of the raw folder' in shown and '<img' not in shown


def test_a_root_with_nul():
    from ear_lazy.metadata.roots import recorded_root
    for anywhere in (False, True):
        with pytest.raises(MetadataError, match='NUL'): recorded_root('/data/a.npy', 'a\0b', anywhere)


def test_the_labelled_points_of_rows_without_points(tmp_path):
    from ear_lazy.migrate import migrate
    points = [[1, 1, 2], [2, 2, 0], [3, 3, 1]]
    for name in 'abc': image(tmp_path/f'{name}.png')
    for n, (counts, expected) in enumerate((([3, 0], [2, 0]), ([0, 3], [0, 2]), ([1, 0, 2], [1, 0, 1]))):
        of_rows = [points[sum(counts[:i]):sum(counts[:i + 1])] for i in range(len(counts))]
        np.save(tmp_path/f'old{n}.npy', {'image_paths': [f'{o}.png' for o in 'abc'[:len(counts)]], 'keypoints': of_rows}, allow_pickle=True)
        new = migrate(tmp_path/f'old{n}.npy', tmp_path/f'new{n}.npy', tmp_path)
        written = json.loads(LazyNPYDataset(new.path).to_coco(tmp_path/f'{n}.json').read_text())
        assert [o.get('num_keypoints', 0) for o in written['annotations']] == expected


def test_names_are_drawn_as_text_and_not_as_formulas():
    import matplotlib
    matplotlib.use('Agg')
    import matplotlib.pyplot as plt
    from ear_lazy.base.drawing import show_sample
    ax = show_sample({'image': np.zeros((40, 60, 3), np.uint8), 'bboxes': [[1, 1, 5, 5]], 'labels': [0], 'image_path': r'US$5_x^$.png'}, label_names=[r'a$\frac$'])
    ax.figure.canvas.draw()
    assert ax.get_title() == r'US$5_x^$.png'
    plt.close(ax.figure)


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='pipes are of POSIX')
def test_a_pipe_is_called_a_pipe(tmp_path):
    "… and not an empty file, also where only its header is wanted"
    os.mkfifo(tmp_path/'a.jpg')
    with pytest.raises(ImageLoadError, match='this is a pipe or a device, not a file') as e: stored_turn(str(tmp_path/'a.jpg'))
    assert e.value.fault == 'unreadable'
