"The explorer without a browser: queries, messages, bytes, threads, flags"
import base64
import html.parser
import json
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from making import ROOT, asked, coco, image, process, pts, quiet, tell
from PIL import Image

from ear_lazy.explorer import Explorer, explore
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.looking.row_pictures import Pictures
from ear_lazy.looking.row_table import RowTable, checked_query
from ear_lazy.synthetic import write_raw

pytest.importorskip('anywidget', reason="the explorer needs anywidget: pip install anywidget")


@pytest.fixture
def photos(tmp_path):
    "Twelve photos of 40 × 60 pixels; photo i has i % 3 boxes, of growing size"
    raw = tmp_path/'raw'
    names = [f'{"Left" if i % 2 else "right"}_{i:02}.png' for i in range(12)]
    for i, name in enumerate(names): image(raw/'detector'/'ears'/name, seed=i)
    boxes = {name: [[1 + j, 2, 4 + i, 8 + i] for j in range(i % 3)] for i, name in enumerate(names)}
    coco(raw/'detector'/'ears'/'a.json', boxes)
    process(raw, tmp_path/'out', ('detector', 'teacher'), train_split=1.)
    return tmp_path


@pytest.fixture
def detector(photos): return LazyNPYDataset(photos/'out'/'train_detector.npy')


@pytest.fixture
def teacher(photos): return LazyNPYDataset(photos/'out'/'train_teacher.npy')


@pytest.fixture
def landmarker(tmp_path):
    raw = tmp_path/'raw'
    for i, k in enumerate((3, 5, 3)):
        image(raw/'landmarker'/'ears'/f'{i}.png', seed=i)
        pts(raw/'landmarker'/'ears'/f'{i}.pts', [(5 + 3 * j, 5 + (j * j) % 7) for j in range(k)])
    process(raw, tmp_path/'out', ('landmarker',), train_split=1.)
    return LazyNPYDataset(tmp_path/'out'/'train_landmarker.npy')


def name(ds, i): return ds.get_metadata(i)['image_path'].rsplit('/', 1)[1]


def test_import_needs_no_anywidget():
    code = "import sys; sys.modules['anywidget'] = None\nfrom ear_lazy.explorer import explore\ntry: explore([])\nexcept ImportError as e: print(e)"
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, cwd=ROOT)
    assert "pip install anywidget" in run.stdout, run.stderr


def test_only_datasets_with_metadata():
    with pytest.raises(TypeError, match='not a list'): explore([1, 2])


@pytest.mark.parametrize(('query', 'found'), [
    (dict(text='LEFT'), lambda o, i: 'Left' in o['image_path']),
    (dict(text='ears left'), lambda o, i: 'Left' in o['image_path']),
    (dict(text='nothing'), lambda o, i: False),
    (dict(boxes=[1, None]), lambda o, i: len(o['bboxes']) >= 1),
    (dict(boxes=[1, 1]), lambda o, i: len(o['bboxes']) == 1),
    (dict(boxes=[None, 0]), lambda o, i: len(o['bboxes']) == 0),
    (dict(size=[10, 12]), lambda o, i: any(10 <= (w * h) ** .5 <= 12 for _, _, w, h in o['bboxes'])),
    (dict(aspect=[.7, None]), lambda o, i: any(w / h >= .7 for _, _, w, h in o['bboxes'])),
    (dict(text='^LEFT'), lambda o, i: i % 2), (dict(text='^left_0 3$'), lambda o, i: i == 3), (dict(text='^right_04$'), lambda o, i: i == 4), (dict(text='ears$'), lambda o, i: False),
    ({'centre x': [.15, None], 'centre y': [None, .2]}, lambda o, i: any((x + w/2) / 60 >= .15 and (y + h/2) / 40 <= .2 for x, y, w, h in o['bboxes'])),
    (dict(state='unlabelled'), lambda o, i: not len(o['bboxes'])), (dict(state='edited'), lambda o, i: i in (2, 5)), (dict(state='not looked at'), lambda o, i: i != 5),
    (dict(size=[8, 9], aspect=[.7, None]), lambda o, i: any(8 <= (w * h) ** .5 <= 9 and w / h >= .7 for _, _, w, h in o['bboxes'])),
])
def test_filters_are_what_a_loop_says(detector, query, found):
    w = quiet(explore(detector))
    w.table.marks = {2: 'edited', 5: 'edited ok', 7: 'conflict'}
    w.query = query
    assert w.view.tolist() == [i for i in range(len(detector)) if found(detector.get_metadata(i), i)]


@pytest.mark.parametrize('descending', [False, True])
@pytest.mark.parametrize(('column', 'key'), [('boxes', lambda o: len(o['bboxes'])), ('file', lambda o: o['image_path']),
                                             ('size', lambda o: max((w * h) ** .5 for _, _, w, h in o['bboxes'])),
                                             ('aspect', lambda o: o['bboxes'][np.argmax(o['bboxes'][:, 2] * o['bboxes'][:, 3])][2:])])
def test_order_is_what_sorted_says(detector, column, key, descending):
    def value(i):
        found = key(detector.get_metadata(i))
        return found[0] / found[1] if column == 'aspect' else found

    w = quiet(explore(detector))
    w.query = dict(sort=column, descending=descending)
    without = [i for i in range(12) if column in ('size', 'aspect') and not len(detector.get_metadata(i)['bboxes'])]
    expected = sorted((i for i in range(12) if i not in without), key=value, reverse=descending)
    assert [value(i) for i in w.view[:len(expected)]] == [value(i) for i in expected]
    assert w.view[len(expected):].tolist() == without, 'rows without a number come last'


def largest(o): return max(o.get('bboxes', [o.get('bbox')]), key=lambda b: b[2] * b[3], default=None)


def named(ds, names, number): return ds.metadata.names(names)[number]


def extent(o): return np.ptp(o['keypoints'][o['keypoints'][:, 2] > 0, :2], axis=0) if 'keypoints' in o else None if largest(o) is None else largest(o)[2:]


def label(ds, i, o): # of the largest box
    boxes = o['bboxes'] if 'bboxes' in o else [o['bbox']]
    return named(ds, 'label_names', np.atleast_1d(ds.metadata.labels(i))[np.argmax([b[2] * b[3] for b in boxes])]) if len(boxes) else ''


def centre(ds, i, o, axis):
    if extent(o) is None: return np.nan
    corner = o['keypoints'][o['keypoints'][:, 2] > 0, axis].min() if 'keypoints' in o else largest(o)[axis]
    return float(corner + extent(o)[axis] / 2) / ds.metadata.size(i)[1 - axis]


# What a column has, by a row's number and metadata.
VALUES = {
    'row': lambda ds, i, o: i, 'file': lambda ds, i, o: ds.metadata.column('image_paths')[i], 'boxes': lambda ds, i, o: len(o['bboxes']),
    'source': lambda ds, i, o: named(ds, 'source_names', ds.metadata.column('source')[i]), 'class': label,
    'size': lambda ds, i, o: np.nan if extent(o) is None else np.sqrt(np.prod(extent(o), dtype=float)),
    'aspect': lambda ds, i, o: np.nan if extent(o) is None else float(extent(o)[0]) / float(extent(o)[1]),
    'centre x': lambda ds, i, o: centre(ds, i, o, 0), 'centre y': lambda ds, i, o: centre(ds, i, o, 1),
    'width': lambda ds, i, o: ds.metadata.size(i)[1], 'height': lambda ds, i, o: ds.metadata.size(i)[0],
    'keypoints': lambda ds, i, o: (o['keypoints'][:, 2] > 0).sum(), 'hidden': lambda ds, i, o: (o['keypoints'][:, 2] == 1).sum(),
}


@pytest.mark.parametrize('kind', ['detector', 'teacher', 'landmarker'])
def test_every_column_is_what_a_loop_says(kind, tmp_path):
    write_raw(tmp_path/'raw', images=30)
    process(tmp_path/'raw', tmp_path/'out', (kind,), train_split=.9)
    ds = LazyNPYDataset(tmp_path/'out'/f'train_{kind}.npy')
    w = quiet(explore(ds))
    for name in w.sort_columns:
        values = [VALUES[name](ds, i, ds.get_metadata(i)) for i in range(len(ds))]
        found = w.table.column(name).tolist()
        assert found == (pytest.approx(values, nan_ok=True) if name in ('size', 'aspect', 'centre x', 'centre y') else values), name
        for descending in (False, True):
            known = sorted((i for i in range(len(ds)) if found[i] == found[i]), key=lambda i: found[i], reverse=descending)
            assert w.sort_by(name, descending).view.tolist() == known + [i for i in range(len(ds)) if found[i] != found[i]], name


@pytest.mark.parametrize('descending', [False, True])
def test_images_of_unknown_size_come_last(detector, descending):
    w = quiet(explore(detector))
    w.table.metadata = replace(w.table.metadata, sizes=np.where(np.arange(12)[:, None] == 4, 0, w.table.metadata.sizes))
    for column in ('width', 'height'): assert w.sort_by(column, descending).view[-1] == 4


def test_subsets_and_combinations_are_the_same_rows(detector, photos):
    some = CombinedLazyDataset([detector[[3, 1, 1]], CombinedLazyDataset([detector[8:], detector])[[0, -1]]])[1:]
    w = quiet(explore(some))
    assert [o.decode().rsplit('/', 1)[1] for o in RowTable(some).paths] == [name(some, i) for i in range(len(some))]
    assert RowTable(some).column('boxes').tolist() == [len(some.get_metadata(i)['bboxes']) for i in range(len(some))]
    w.query = dict(boxes=[1, None])
    assert w.view.tolist() == [i for i in range(len(some)) if len(some.get_metadata(i)['bboxes'])]


def test_shards_count_from_their_own_start(photos):
    process(photos/'raw', photos/'many', ('detector',), train_split=1., shard_bytes=700)
    ds = LazyNPYDataset(photos/'many'/'train_detector.npy')
    assert len([*(photos/'many').glob('train_detector*.npy')]) > 1
    assert RowTable(ds).column('boxes').tolist() == [len(ds.get_metadata(i)['bboxes']) for i in range(len(ds))]
    w = quiet(explore(ds))
    w.query = dict(size=[10, 12])
    assert w.view.tolist() == [i for i in range(12) if any(10 <= (b[2] * b[3]) ** .5 <= 12 for b in ds.get_metadata(i)['bboxes'])]


def test_ragged_keypoints(landmarker):
    table = RowTable(landmarker)
    assert table.column('keypoints').tolist() == [3, 5, 3] and table.column('hidden').tolist() == [0, 0, 0]
    for i in range(3):
        xy = landmarker.get_metadata(i)['keypoints'][:, :2]
        assert table.column('size')[i] == pytest.approx(np.sqrt(np.prod(np.ptp(xy, axis=0))))
    assert [Pictures(landmarker, table).tile(i)[0]['words'] for i in range(3)] == ['3 keypoints', '5 keypoints', '3 keypoints']


def test_an_empty_choice(detector):
    w = quiet(explore(detector[[]]))
    w.query = dict(text='x', boxes=[1, 2], size=[0, 1], sort='size')
    assert w.view.tolist() == [] and w.static() == '<div></div>'


def test_problems_of_the_report(tmp_path):
    for i in range(3): image(tmp_path/'raw'/'detector'/'ears'/f'{i}.png', seed=i)
    coco(tmp_path/'raw'/'detector'/'ears'/'a.json', {'0.png': [[1, 2, 3, 4]], '1.png': [[50, 30, 30, 30]], '2.png': [[1, 2, 3, 4], [200, 200, 5, 5]]})
    report = process(tmp_path/'raw', tmp_path/'out', ('detector',), train_split=1.)
    ds = LazyNPYDataset(tmp_path/'out'/'train_detector.npy')
    for given in (None, report):
        w = quiet(explore(ds, report=given))
        tell(w, {'type': 'hello'})
        assert w.sent[-1][0]['problems'] == ['outside', 'partly_outside']
        for reason, rows in dict(any=[1, 2], outside=[2], partly_outside=[1], crowd=[]).items():
            w.query = dict(problem=reason)
            assert w.view.tolist() == rows


@pytest.mark.parametrize('query', [dict(colour=1), dict(sort='colour'), dict(size=[1]), dict(size=[float('nan'), 1])])
def test_a_wrong_query_changes_nothing(detector, query):
    w = quiet(explore(detector))
    w.query = dict(boxes=[1, None])
    with pytest.raises(Exception, match='colour|number'): w.query = query
    assert w.query == checked_query(dict(boxes=[1, None]), w.sort_columns)
    assert len(w.view) == 8


def test_show_only_and_scores(detector):
    w = quiet(explore(detector))
    assert w.show_only([5, 3, 3]).view.tolist() == [3, 5]
    assert w.show_only(np.arange(12) > 9).view.tolist() == [10, 11]
    assert w.show_only(lambda row: row['image_path'].endswith('4.png')).view.tolist() == [i for i in range(12) if name(detector, i).endswith('4.png')]
    w.view = [1, 2, 4]
    assert w.sort_by([0, 5, 9, 0, np.nan] + [0] * 7, descending=True).view.tolist() == [2, 1, 4]
    assert w.sort_by([0, 9, 5, 0, np.nan] + [0] * 7, descending=True).view.tolist() == [1, 2, 4], 'the same query, other scores'
    assert w.show_only().sort_by('row').view.tolist() == [*range(12)]
    with pytest.raises(ValueError, match='of a dataset with 12 rows'): w.show_only([12])
    with pytest.raises(ValueError, match='5 booleans'): w.show_only([True] * 5)
    with pytest.raises(ValueError, match='give one for each'): w.sort_by([1.])


def test_flags_and_what_becomes_of_them(detector, photos):
    w = quiet(explore(detector))
    w.flagged = np.array([7, 2, 2])
    assert w.flagged == [2, 7]
    assert [name(detector.drop(w.flagged), i) for i in range(10)] == [name(detector, i) for i in range(12) if i not in (2, 7)]
    assert len(detector[w.flagged]) == 2 and 'image' in detector[w.flagged][1]
    w.query = dict(flagged=True)
    assert w.view.tolist() == [2, 7]
    for wrong in ([12], [-1], ['a'], [.5]):
        with pytest.raises(Exception, match='rows'): w.flagged = wrong
    assert w.flagged == [2, 7]


def test_flags_know_their_rows_after_processing_again(detector, photos):
    w = quiet(explore(detector))
    w.flagged = [4, 5]
    kept = [name(detector, i) for i in w.flagged]
    path = w.save_flags(photos/'flags.json')
    image(photos/'raw'/'detector'/'ears'/'0_new.png')
    coco(photos/'raw'/'detector'/'ears'/'0.json', {'0_new.png': [[1, 1, 9, 9]]})
    process(photos/'raw', photos/'again', ('detector',), train_split=1.)
    again = LazyNPYDataset(photos/'again'/'train_detector.npy')
    other = quiet(explore(again)).load_flags(path)
    assert len(again) == 13 and [name(again, i) for i in other.flagged] == kept and other.flagged != w.flagged
    with pytest.warns(UserWarning, match='2 of 2 flagged rows are not in this dataset'): assert quiet(explore(again[:2])).load_flags(path).flagged == []
    (photos/'other.json').write_text('[]')
    with pytest.raises(ValueError, match='not a file of flags'): w.load_flags(photos/'other.json')


def test_messages(detector):
    w = quiet(explore(detector))
    tell(w, {'type': 'hello'})
    (view, (data,)), (facts, _) = w.sent
    assert np.frombuffer(data, '<i4').tolist() == [*range(12)] and view['all'] == 12
    assert facts['kind'] == 'detector' and 'size' in facts['sort']
    content, buffers = asked(w, type='tiles', id='a', rows=[3, 11])
    assert content['id'] == 'a' and [o['row'] for o in content['tiles']] == [3, 11] and len(buffers) == 2
    content, (data,) = asked(w, type='full', id='b', row=3)
    with open(detector.get_metadata(3)['image_path'], 'rb') as f: assert data == f.read(), 'the pixels of the file itself'
    json.dumps(content)
    w.sent.clear()
    w.set_state({'query': {'text': 'left'}})
    assert [o['type'] for o, _ in w.sent if 'type' in o] == ['view']


def test_a_thumbnail_is_light(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (900, 1200, 3), np.uint8)
    path = tmp_path/'raw'/'detector'/'ears'/'noise.png'
    path.parent.mkdir(parents=True)
    Image.fromarray(noise).save(path, compress_level=1)
    coco(path.parent/'a.json', {'noise.png': [[i, i, 50 + i / 3, 60] for i in range(400)]}, size=(900, 1200))
    process(tmp_path/'raw', tmp_path/'out', ('detector', 'teacher'), train_split=1.)
    for kind in ('detector', 'teacher'):
        w = quiet(explore(LazyNPYDataset(tmp_path/'out'/f'train_{kind}.npy')))
        content, (data,) = asked(w, type='tiles', id=0, rows=[0])
        assert len(data) + len(json.dumps(content)) <= 4096 and 'error' not in content['tiles'][0]
    assert content['tiles'][0]['words'].startswith('crop of 50 × 60')


def test_a_bad_row_says_why_and_stops_no_other(detector, photos):
    with open(detector.get_metadata(1)['image_path'], 'wb') as f: f.write(b'<script>')
    (photos/'raw'/'detector'/'ears'/name(detector, 3)).unlink()
    Image.new('RGB', (99, 99)).save(detector.get_metadata(4)['image_path'])
    w = quiet(explore(detector))
    content, buffers = asked(w, type='tiles', id=0, rows=[*range(6)])
    errors = {o['row']: o['error'] for o in content['tiles'] if 'error' in o}
    assert [*errors] == [1, 3, 4]
    assert 'not an image' in errors[1] and errors[3] == 'no such file' and 'replaced' in errors[4]
    assert all(bool(data) == (i not in errors) for i, data in enumerate(buffers))
    assert asked(w, type='full', id=0, row=3)[0]['error'] == 'no such file'
    assert 'no such file' in w.static(6)


def test_teacher_thumbnails_are_crops(teacher):
    head, _ = Pictures(teacher, RowTable(teacher)).tile(0)
    assert (head['height'], head['width']) == teacher[0]['image'].shape[:2] and not head['truth']['boxes']
    full, _ = Pictures(teacher, RowTable(teacher)).full(0)
    assert (full['height'], full['width']) == (40, 60) and np.allclose(full['truth']['boxes'], [teacher[0]['bbox']])


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('suffix', ['jpg', 'png', 'tiff'])
def test_full_view_is_the_right_way_up(tmp_path, suffix, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    image(tmp_path/'raw'/'detector'/'ears'/f'0.{suffix}', exif=exif)
    coco(tmp_path/'raw'/'detector'/'ears'/'a.json', {f'0.{suffix}': [[1, 2, 3, 4]]})
    process(tmp_path/'raw', tmp_path/'out', ('detector',), train_split=1.)
    ds = LazyNPYDataset(tmp_path/'out'/'train_detector.npy')
    head, data = Pictures(ds, RowTable(ds)).full(0)
    found = Image.open(BytesIO(data))
    assert (head['height'], head['width']) == ds[0]['image'].shape[:2]
    assert np.allclose(head['truth']['boxes'], ds[0]['bboxes'], atol=.01)
    if suffix == 'jpg': assert found.getexif().get(274) == orientation, 'browsers turn a JPEG themselves'
    else: assert found.format == 'PNG' and found.size == (head['width'], head['height']) and (suffix == 'tiff' or not found.getexif().get(274, 1) != 1)


def test_transform_shows_what_training_sees(detector):
    def half(sample): return {'image': sample['image'][::2, ::2], 'bboxes': sample['bboxes'] / 2}
    pictures = Pictures(detector, RowTable(detector), transform=half)
    row = next(i for i in range(12) if len(detector.get_metadata(i)['bboxes']) == 2)
    head, data = pictures.full(row)
    assert np.allclose(head['truth']['boxes'], half(detector[row])['bboxes'], atol=.01)
    assert np.array_equal(np.asarray(Image.open(BytesIO(data))), half(detector[row])['image'])
    head, _ = pictures.tile(row)
    assert np.allclose(head['truth']['boxes'], half(detector[row])['bboxes'], atol=.11)
    with pytest.raises(ValueError, match='without a transform'): explore(detector, predictions=[None] * 12, transform=half)


def test_image_size_shows_what_training_sees(photos):
    ds = LazyNPYDataset(photos/'out'/'train_detector.npy', image_size=(64, 64))
    head, _ = Pictures(ds, RowTable(ds)).full(2)
    assert (head['height'], head['width']) == (64, 64) and np.allclose(head['truth']['boxes'], ds[2]['bboxes'], atol=.01)


def test_saved_state_is_small(photos, detector):
    ds = detector[np.arange(10_000) % 12]
    w = quiet(explore(ds))
    w.flagged, w.selected = [*range(100)], [3]
    w.show_only(np.arange(9_000))
    state = {k: v for k, v in w.get_state().items() if k not in ('_esm', '_css')}
    assert len(json.dumps(state, default=repr)) < 4096
    shown = w._repr_mimebundle_()
    assert len(json.dumps(shown[0] if isinstance(shown, tuple) else shown)) < 1000 and repr(w) == 'explore(10,000 detector rows: 9,000 shown, 100 flagged)'


class Images(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs): self.found.append((tag, dict(attrs)))


def test_static_has_words_and_escapes_names(tmp_path):
    evil = '"><img src=x onerror=alert(1)>.png'
    for i, file in enumerate((evil, 'plain.png')): image(tmp_path/'raw'/'detector'/'ears'/file, seed=i)
    coco(tmp_path/'raw'/'detector'/'ears'/'a.json', {evil: [[1, 2, 3, 4]], 'plain.png': [[1, 2, 3, 4], [5, 5, 9, 9]]})
    process(tmp_path/'raw', tmp_path/'out', ('detector',), train_split=1.)
    w = quiet(explore(LazyNPYDataset(tmp_path/'out'/'train_detector.npy')))
    w.flagged = [1]
    tags = Images(w.static()).found
    assert [tag for tag, _ in tags] == ['div', 'img', 'img'] and not any('onerror' in attrs for _, attrs in tags)
    assert [attrs['alt'] for _, attrs in tags[1:]] == [f'row 0: 1 ear, {evil}', 'row 1: 2 ears, flagged, plain.png']


def test_static_draws_predictions(detector):
    def warmth(w):
        data = re.search('base64,([^"]+)', w.show_only([1]).static())[1]
        red, _, blue = np.asarray(Image.open(BytesIO(base64.b64decode(data))).convert('RGB'), int).transpose(2, 0, 1)
        return red - blue
    predictions = [detector.get_metadata(i)['bboxes'] for i in range(12)]
    warmer = warmth(quiet(explore(detector, predictions=predictions))) - warmth(quiet(explore(detector)))
    assert (warmer > 40).sum() > 10 # orange over white, as far as a small JPEG shows it


def test_static_is_bounded(detector):
    ds = detector[np.arange(500) % 12]
    for n in (1, 24, 48): assert len(quiet(explore(ds)).static(n)) < 80_000


def test_threads_ask_and_change_at_once(detector):
    ds = detector[np.arange(3000) % 12]
    w = quiet(explore(ds))
    stop, errors = threading.Event(), []

    def python():
        i = 0
        try:
            while not stop.is_set():
                w.flagged = [i % 3000]
                w.show_only(np.arange(3000) % (2 + i % 5) == 0)
                w.sort_by(['size', 'file', 'row'][i % 3])
                view = w.view.tolist()
                assert len(view) == len(set(view))
                i += 1
        except Exception as e: errors.append(e)

    def page(i):
        w.set_state({'query': {'boxes': [i % 3, None], 'sort': ['row', 'aspect'][i % 2]}})
        tell(w, {'type': 'tiles', 'id': i, 'rows': [i, i + 1]})

    thread = threading.Thread(target=python)
    thread.start()
    with ThreadPoolExecutor(3) as pool: list(pool.map(page, range(60)))
    stop.set()
    thread.join()
    assert errors == []
    assert sum(o['type'] == 'tiles' for o, _ in w.sent) == 60
    *_, (_, (last,)) = (o for o in w.sent if o[0]['type'] == 'view')
    assert np.array_equal(np.frombuffer(last, '<i4'), w.view), 'the page has what Python has'
    w.show_only()
    w.query = {}
    assert w.view.tolist() == [*range(3000)]


def test_a_dataset_of_any_size_opens_at_once(detector):
    w = explore(detector[np.zeros(1_000_000, int)])
    assert {*vars(w.table)} == {'ds', 'kind', 'leaves', '_leaf', '_row', '_report', 'marks'}, 'constructing makes no column'


def test_explorer_is_a_plain_class_without_traits(): assert Explorer.__mro__[1] is object


@pytest.mark.parametrize('kind', ['detector', 'teacher'])
def test_thumbnails_show_what_was_corrected(photos, kind):
    w = quiet(explore(LazyNPYDataset(photos/'out'/f'train_{kind}.npy'), edit=True))
    row = next(i for i in range(len(w.ds)) if kind == 'teacher' or len(w.ds.get_metadata(i)['bboxes']) == 2)
    def told(**content): return next(o for o, _ in reversed(w.sent) if o['type'] == content['type'] or content['type'] == 'edit' and o['type'] == 'edited')
    tell(w, dict(type='full', id=0, row=row))
    own = [o['key'] for o in told(type='full')['edit']['objects'] if o['own']]
    tell(w, dict(type='edit', id=1, row=row, actions=[dict(op='set', key=own[0], now={'box': [3, 4, 20, 30]})]))
    tell(w, dict(type='tiles', id=2, rows=[row]))
    tile = told(type='tiles')['tiles'][0]
    assert [3, 4, 20, 30] in tile['truth']['boxes'] if kind == 'detector' else (tile['width'], tile['height']) == (20, 30)
    tell(w, dict(type='bulk', id=3, rows=[row], action={'op': 'delete'}))
    tell(w, dict(type='tiles', id=4, rows=[row]))
    assert told(type='tiles')['tiles'][0]['truth']['boxes'] == []
