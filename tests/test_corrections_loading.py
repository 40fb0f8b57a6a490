"A dataset that is opened with a journal has the corrected rows, without a run"
import pickle
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from making import KINDS, coco, image, process, pts, with_columns, write_rows
from torch.utils.data import DataLoader

from ear_lazy.base.change import Value
from ear_lazy.base.geometry import crop_window
from ear_lazy.base.origin import Origin
from ear_lazy.correcting.applying import apply_to_photo
from ear_lazy.correcting.chains import fold
from ear_lazy.correcting.journal import Journal, Photo, Stated, new_line, photo_of
from ear_lazy.errors import EarLazyError, MetadataError
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.loading import corrected as module

SIZE = 40, 60
POINTS, OTHER_POINTS = ((10, 5, 2), (30, 15, 1)), ((20, 10, 2), (40, 30, 2))


@pytest.fixture(scope='module')
def raw(tmp_path_factory):
    "Four photos of 40 × 60, each with a box and a box with keypoints in a COCO file (ids 10 to 17), and keypoints without a box in a .pts file"
    folder = tmp_path_factory.mktemp('corrections')
    for i, name in enumerate('abcd'):
        image(folder/f'raw/ears/{name}.png', SIZE, seed=i)
        pts(folder/f'raw/ears/{name}.pts', [o[:2] for o in OTHER_POINTS])
    coco(folder/'raw/ears/b.json', {f'{n}.png': [[1, 1, 50, 30], dict(bbox=[10, 5, 20, 10], keypoints=sum(map(list, POINTS), []))] for n in 'abcd'})
    process(folder/'raw', folder/'out', train_split=1)
    return folder


@pytest.fixture
def data(raw, tmp_path):
    shutil.copytree(raw/'out', tmp_path/'out')
    (tmp_path/'raw').symlink_to(raw/'raw')
    return tmp_path


@pytest.fixture
def opened(data): return lambda kind, corrections=True, **options: LazyNPYDataset(data/f'out/train_{kind}.npy', corrections=corrections, **options)


@pytest.fixture
def journal(data): return Journal(data/'corrections.jsonl')


def photo(name): return Photo(f'ears/{name}.png', size=SIZE)
def stated(number, **values): return Stated.of(Value(**values), [Origin('ears/b.json', f'id {number}')])
def first(name, box=(1, 1, 50, 30), label='ear'): return stated(10 + 2*'abcd'.index(name), box=box, label=label)
def second(name): return stated(11 + 2*'abcd'.index(name), box=(10, 5, 20, 10), points=POINTS, label='ear')
def alone(name): return Stated.of(Value(points=OTHER_POINTS), [Origin(f'ears/{name}.pts')])


def values(ds):
    "What rows have, without the folder of their photos"
    key = {'detector': 'bboxes', 'landmarker': 'keypoints', 'teacher': 'bbox'}[ds.kind]
    names = ds.label_names
    return [(Path(o['image_path']).stem, o[key].tolist(), [names[n] for n in np.atleast_1d(ds.metadata.labels(i)).tolist()]) for i in range(len(ds)) if (o := ds.get_metadata(i))]


def others(ds, *photos): return [o for o in values(ds) if o[0] not in photos]


# Values

def test_without_a_journal(opened):
    ds = opened('detector')
    assert values(ds) == values(opened('detector', None)) and 'no corrections in corrections.jsonl' in repr(ds)
    assert opened('detector', False).corrections is None


def test_boxes(opened, journal):
    journal.append([new_line('set', photo('a'), first('a'), Stated(box=(2, 3, 40, 30))), new_line('delete', photo('b'), second('b')),
                    new_line('add', photo('c'), now=Stated(box=(5, 6, 7, 8), label='lobe')), new_line('add', Photo('ears/elsewhere.png'), now=Stated(box=(5, 6, 7, 8)))])
    ds = opened('detector', extras=['labels', 'origin'])
    assert values(ds) == [('a', [[2, 3, 40, 30], [10, 5, 20, 10]], ['ear', 'ear']), ('b', [[1, 1, 50, 30]], ['ear']),
                          ('c', [[1, 1, 50, 30], [10, 5, 20, 10], [5, 6, 7, 8]], ['ear', 'ear', 'lobe']), *others(opened('detector', None), 'a', 'b', 'c')]
    assert ds[0]['bboxes'].tolist() == [[2, 3, 40, 30], [10, 5, 20, 10]] and ds[2]['labels'].tolist() == [1, 1, 2]
    assert [str(o[0]) for o in ds[1]['origin']] == ['ears/b.json, id 12'] and ds.origin(2)[2][0].file == 'corrections.jsonl'
    assert ds.column('counts').tolist() == [2, 1, 3, 2] and ds.label_names == ['', 'ear', 'lobe']
    assert '1 changed, 1 added, 1 deleted' in repr(ds) and '1 changed' in ds._repr_html_()
    assert len(ds.where(label='lobe')) == 1


def test_keypoints_and_crops(opened, journal):
    now = (18.5, 10, 2), (44, 32, 1)
    journal.append([new_line('set', photo('a'), alone('a'), Stated(points=now)), # without a box: the crop is of the points
                    new_line('set', photo('b'), second('b'), Stated(points=((11, 6, 2), (30, 15, 2)))), # beside a box: it is of the box
                    new_line('set', photo('c'), Stated.of(Value(box=(18, 8, 24, 24)), [Origin('ears/c.pts')]), Stated(box=(15, 8, 30, 20)))]) # seen in a teacher's row alone
    landmarker, teacher = opened('landmarker'), opened('teacher')
    assert [v for n, v, _ in values(landmarker) if n in 'ab'] == [[list(o) for o in POINTS], [list(o) for o in now], [[11, 6, 2], [30, 15, 2]], [list(o) for o in OTHER_POINTS]]
    x, y, w, h = 18.5, 10, 25.5, 22
    expected = np.float32([x - w/10, y - h/10, w*1.2, h*1.2])
    assert np.allclose(teacher.get_metadata(2)['bbox'], expected, atol=1e-5)
    top, left, bottom, right = crop_window(expected, SIZE)
    assert teacher[2]['image'].shape == (bottom - top, right - left, 3)
    assert [v for n, v, _ in values(teacher) if n == 'b'] == [v for n, v, _ in values(opened('teacher', None)) if n == 'b']
    assert values(teacher)[8][1] == [15, 8, 30, 20]


def test_a_box_for_keypoints_that_had_none(opened, journal):
    journal.append([new_line('set', photo('a'), alone('a'), Stated(box=(12, 4, 30, 30))), new_line('add', photo('a'), now=Stated(points=((1, 1, 2), (9, 9, 2)), label='ear'))])
    assert values(opened('detector'))[0][1] == [[1, 1, 50, 30], [10, 5, 20, 10], [12, 4, 30, 30]]
    assert opened('detector').origin(0)[2] == [Origin('ears/a.pts')]
    landmarker = opened('landmarker', extras='bbox')
    assert [landmarker.get_metadata(i)['bbox'].tolist() for i in (0, 1)] == [[10, 5, 20, 10], [12, 4, 30, 30]] and np.isnan(landmarker.get_metadata(2)['bbox']).all()
    assert [v for n, v, _ in values(opened('teacher')) if n == 'a'] == [[1, 1, 50, 30], [10, 5, 20, 10], [12, 4, 30, 30], pytest.approx([.2, .2, 9.6, 9.6])]


def test_what_is_left_out(opened, journal):
    gone = {'b': (first('b'), second('b')), 'c': (first('c'), second('c'), alone('c'))}
    journal.append([new_line('exclude', Photo('ears/a.png')), *(new_line('delete', photo(name), o) for name in 'bc' for o in gone[name]), new_line('empty', photo('c'))])
    found = values(opened('detector'))
    assert [o[0] for o in found] == ['c', 'd'] and found[0][1] == [] # b is left with nothing, and nobody said that it shows none
    assert [o[0] for o in values(opened('landmarker'))] == [*'bdd'] and [o[0] for o in values(opened('teacher'))] == [*'bddd']
    new = image(Path(opened('detector').root)/'ears/new.png')
    assert [Path(o['image_path']).name for o in opened('detector').unlabelled()] == ['new.png'] # a photo that is left out was looked at
    new.unlink()


def test_corrected_values_are_checked(opened, journal):
    journal.append([new_line('set', photo('a'), first('a'), Stated(box=(50, 30, 40, 40))), new_line('add', photo('b'), now=Stated(box=(100, 100, 5, 5), label='ear')),
                    new_line('add', photo('c'), now=Stated(box=(10, 5, 20, 10), label='ear'))])
    with pytest.warns(UserWarning, match='1 corrections are not applied.*ears/b.png: outside'): ds = opened('detector')
    assert values(ds)[0][1][0] == [50, 30, 10, 10] and len(values(ds)[1][1]) == 2 and len(values(ds)[2][1]) == 2
    with pytest.warns(UserWarning): assert len(opened('teacher')) == 12


def test_conflicts_are_told_and_not_applied(opened, journal, data):
    journal.append([new_line('set', photo('a'), first('a'), Stated(label=o)) for o in ('left', 'right')])
    journal.append([new_line('set', photo('b'), first('b', (9, 9, 9, 9)), Stated(box=(9, 9, 9, 10)))])
    with open(data/'corrections.jsonl', 'a') as f: f.write('{"id":\n')
    for _ in range(2): # made, and as it was kept
        with pytest.warns(UserWarning) as told: ds = opened('detector')
        (text,) = [str(o.message) for o in told]
        assert '2 corrections are not applied' in text and "'left'" in text and '1 lines cannot be read' in text
        assert values(ds) == values(opened('detector', None)) and ', 2 not applied' in repr(ds)


def test_another_photo_at_the_path(opened, journal):
    journal.append([new_line('set', Photo('ears/a.png', size=(60, 40)), first('a'), Stated(box=(2, 3, 40, 30))), new_line('empty', photo('b'))])
    with pytest.warns(UserWarning, match='2 corrections .* ears/a.png: the photo was 40×60 pixels when it was corrected, and is 60×40'): ds = opened('detector')
    assert values(ds) == values(opened('detector', None)) # nor is a photo that shows objects taken for an empty one


# When

def test_settled_by_a_run(opened, journal, data):
    journal.append([new_line('set', photo('a'), first('a'), Stated(box=(2, 3, 40, 30)))])
    now = values(opened('detector'))
    with_columns(data/'out/train_detector.npy', bboxes=opened('detector').metadata.column('bboxes'))
    ds = opened('detector')
    assert values(ds) == now and 'nothing to change' in repr(ds)
    with_columns(data/'out/train_detector.npy', journal=np.bytes_(journal.digest.encode()), bboxes=opened('detector', None).metadata.column('bboxes') + 1)
    assert values(opened('detector')) == values(opened('detector', None)) # the run had these very corrections
    journal.append([new_line('set', photo('a'), first('a', (2, 3, 40, 30)), Stated(label='lobe'), after=[*journal.lines])])
    with pytest.warns(UserWarning, match='not applied'): opened('detector')


def test_made_once_and_kept(opened, journal, data, monkeypatch):
    journal.append([new_line('set', photo('a'), first('a'), Stated(box=(2, 3, 40, 30)))])
    before = values(opened('detector'))
    with monkeypatch.context() as m:
        m.setattr(module, '_corrections', None)
        assert values(opened('detector')) == before
        shutil.copy2(data/'corrections.jsonl', data/'again.jsonl')
        assert values(opened('detector', data/'again.jsonl')) == before # the same lines
        with pytest.raises(TypeError): opened('landmarker') # another file
    ds = opened('detector')
    journal.append([new_line('set', photo('a'), first('a'), Stated(label='lobe'), after=[*journal.lines])])
    assert values(ds) == values(pickle.loads(pickle.dumps(ds))) == before # open: it stays as it is, also in a worker that starts now
    news = opened('detector')
    assert values(news)[0] == values(ds.with_corrections())[0] == ('a', [[2, 3, 40, 30], [10, 5, 20, 10]], ['lobe', 'ear'])
    copies = [o for o in (data/'out/.ear_lazy/corrected').iterdir() if o.name.startswith('train_detector.npy.')]
    assert len(copies) == 1 and values(pickle.loads(pickle.dumps(ds))) == before # its copy is gone, so the content travels
    half, now = copies[0].read_bytes()[:-9], values(news)
    copies[0].unlink(), copies[0].write_bytes(half)
    assert values(opened('detector')) == now
    shutil.copytree(data/'out', data/'moved')
    assert values(LazyNPYDataset(data/'moved/train_detector.npy', corrections=True)) == now
    assert 'such as corrected' not in str(process(data/'raw', data/'out', train_split=1, force=True).notes) # it is nothing strange to the next run


def test_a_folder_that_cannot_be_written(opened, journal, data):
    shutil.rmtree(data/'out/.ear_lazy')
    (data/'out/.ear_lazy').write_text('')
    journal.append([new_line('set', photo('a'), first('a'), Stated(box=(2, 3, 40, 30)))])
    with pytest.warns(UserWarning, match='cannot be written .*, so the corrected copy of train_detector.npy is kept in memory'): ds = opened('detector')
    assert values(ds)[0][1][0] == [2, 3, 40, 30] and values(pickle.loads(pickle.dumps(ds))) == values(ds)
    assert next(iter(DataLoader(ds, 2, num_workers=1)))['bboxes'][0][0].tolist() == [2, 3, 40, 30]
    with warnings.catch_warnings(): # nothing to keep
        warnings.simplefilter('error')
        opened('detector', None).with_corrections(None)


@pytest.mark.parametrize('method', [pytest.param('spawn', marks=pytest.mark.slow), 'fork'])
def test_in_workers(opened, journal, method):
    journal.append([new_line('set', photo('a'), first('a'), Stated(box=(2, 3, 40, 30)))])
    batch = next(iter(DataLoader(opened('detector'), 4, num_workers=1, multiprocessing_context=method)))
    assert batch['bboxes'][0].tolist() == [[2, 3, 40, 30], [10, 5, 20, 10]]


# Which

def test_a_journal_that_is_named(opened, data):
    other = Journal(data/'other.jsonl')
    with pytest.raises(EarLazyError, match='other.jsonl: there are no corrections'): opened('detector', data/'other.jsonl')
    other.append([new_line('exclude', Photo('ears/a.png'))])
    assert len(opened('detector', str(data/'other.jsonl'))) == len(opened('detector', other)) == 3 and len(opened('detector')) == 4
    with pytest.raises(TypeError, match='corrections is True, or the path of a journal, not'): opened('detector', 3)
    with pytest.raises(EarLazyError, match='cannot be read'): opened('detector', data/'out')


def test_chosen_rows_stay_the_chosen_ones(opened, journal):
    journal.append([new_line('delete', photo('a'), alone('a')), new_line('add', photo('b'), now=Stated(points=((1, 1, 2), (9, 9, 2)), label='ear'))])
    plain = opened('landmarker', None, extras='row')
    chosen = plain[[7, 1, 3, 2]].with_corrections() # d, the one that is deleted, the last of b, the first of b
    assert [o[0] for o in values_of(chosen)] == ['d', 'b', 'b', 'b'] and chosen.get_metadata(2)['keypoints'].tolist() == [[1, 1, 2], [9, 9, 2]]
    assert [o[1] for o in values_of(chosen.with_corrections(None))] == [plain.get_metadata(i)['keypoints'].tolist() for i in (7, 3, 2)]
    both = CombinedLazyDataset([plain[[3, 2]], plain[4:]])[[2, 0, 1]].with_corrections()
    assert [o[0] for o in values_of(both)] == ['c', 'b', 'b', 'b'] and len(both.datasets[0]) == 3
    assert [len(o) for o in (plain.with_corrections(), plain.with_corrections().with_corrections(None))] == [8, 8]


def values_of(ds): return [(Path(o['image_path']).stem, o['keypoints'].tolist()) for i in range(len(ds)) if (o := ds.get_metadata(i))]


def test_names_of_classes(opened, journal):
    journal.append([new_line('set', photo('a'), first('a'), Stated(label='lobe'))])
    assert opened('detector', label_names=['lobe', 'ear'], extras='labels').get_metadata(0)['labels'].tolist() == [1, 2]
    with pytest.raises(ValueError, match='label_names lacks lobe'): opened('detector', label_names=['ear'])
    both = CombinedLazyDataset([opened('detector', None), opened('detector')])
    assert both.label_names == ['', 'ear', 'lobe'] and both.column('labels').tolist() == [1]*8 + [2] + [1]*7


def test_a_run_after_it_was_opened(opened, data):
    ds = opened('detector')
    with_columns(data/'out/train_detector.npy', split=np.bytes_(b'train'))
    with pytest.raises(MetadataError, match='was replaced after it was opened: open it again'): ds.with_corrections()


def test_a_photo_that_was_moved(opened, journal, data, raw):
    here = photo_of(raw/'raw/ears/b.png', 'ears/before.png', SIZE)
    journal.append([new_line('set', here, first('b'), Stated(box=(2, 3, 40, 30))), new_line('exclude', Photo('ears/gone.png', 5, '0'*32))])
    assert values(opened('detector'))[1][1][0] == [2, 3, 40, 30]


# Files of other kinds

def test_shards(tmp_path):
    names, boxes = [f'ears/{i:03}.png' for i in range(60)], np.arange(480, dtype=np.float32).reshape(120, 4) + 1
    (tmp_path/'raw').mkdir(), (tmp_path/'out').mkdir()
    npy = write_rows(tmp_path/'out/train_detector.npy', 'detector', names, np.full(60, 2), dict(bboxes=boxes, labels=np.ones(120, int)), shard_bytes=2000)
    journal, plain = Journal(tmp_path/'corrections.jsonl'), LazyNPYDataset(npy)
    assert len(plain.metadata.shards) > 2
    was = Stated.of(Value(tuple(plain.metadata.values(50)[1]), label='ear'))
    journal.append([new_line('set', Photo(names[50]), was, Stated(box=(7, 7, 7, 7))), new_line('exclude', Photo(names[3]))])
    ds = LazyNPYDataset(npy, corrections=True)
    assert len(ds) == 59 and ds.get_metadata(49)['bboxes'].tolist() == [boxes[100].tolist(), [7, 7, 7, 7]] and ds.metadata.image_path(3) == names[4]
    assert len([o for o in (tmp_path/'out/.ear_lazy/corrected').iterdir() if '.npy.' in o.name]) == 2 # only those that are others
    journal.append([new_line('set', Photo(names[0]), Stated.of(Value(tuple(boxes[0]), label='ear')), Stated(label='lobe'))])
    ds = LazyNPYDataset(npy, corrections=True)
    assert ds.label_names == ['', 'ear', 'lobe'] and ds.column('labels').tolist() == [2] + [1]*117


def test_files_of_version_1(opened, journal, data):
    for kind in ('detector', 'landmarker', 'teacher'): with_columns(data/f'out/train_{kind}.npy', version=np.int32(1))
    journal.append([new_line('set', photo('a'), first('a'), Stated(box=(2, 3, 40, 30))), new_line('set', photo('b'), second('b'), Stated(points=((1, 1, 2), (2, 2, 2)))),
                    new_line('add', photo('c'), now=Stated(box=(1, 2, 3, 4), points=((1, 1, 2), (2, 2, 2)), label='ear'))])
    assert values(opened('detector'))[0][1][0] == [2, 3, 40, 30] and len(values(opened('detector'))[2][1]) == 3
    assert opened('landmarker').get_metadata(2)['keypoints'].tolist() == [[1, 1, 2], [2, 2, 2]] and len(opened('landmarker')) == 9


# As a run

def objects_of(ds):
    "photo, origins → boxes or keypoints, class"
    found, names, n = {}, ds.label_names, len(ds)
    for i in range(n):
        o = ds.get_metadata(i)
        origins = ds.origin(i) if ds.kind == 'detector' else [ds.origin(i)]
        of = [o['bboxes'], ds.metadata.labels(i)] if ds.kind == 'detector' else [[o.get('keypoints', o.get('bbox'))], [ds.metadata.labels(i)]]
        for places, value, label in zip(origins, *of, strict=True):
            own = [np.round(value, 4).tolist(), names[int(label)]]
            if ds.kind == 'landmarker': own.append(np.nan_to_num(np.round(ds.metadata.bbox(i), 4), nan=-1).tolist())
            assert found.setdefault((Path(o['image_path']).stem, *map(str, places)), own) is own
    return found


def test_as_a_run_has_it(opened, journal, data):
    moved = ((18.5, 10, 2), (44, 32, 1))
    journal.append([new_line('set', photo('a'), first('a'), Stated(box=(2, 3, 80, 30))), new_line('set', photo('a'), alone('a'), Stated(points=moved, label='lobe')),
                    new_line('set', photo('b'), second('b'), Stated(points=((11, 6, 2), (30, 15, 2)))), new_line('delete', photo('b'), first('b')),
                    new_line('set', photo('b'), alone('b'), Stated(box=(12, 4, 30, 30))), new_line('exclude', Photo('ears/c.png')),
                    new_line('add', photo('d'), now=Stated(box=(1, 2, 3, 4), points=((1, 1, 2), (9, 9, 2)), label='new')), new_line('add', photo('d'), now=Stated(points=((1, 1, 2), (9, 9, 2)), label='ear'))])
    at_once = {kind: objects_of(opened(kind)) for kind in KINDS}
    process(data/'raw', data/'out', train_split=1, force=True)
    for kind, found in at_once.items():
        plain = objects_of(opened(kind, None))
        assert found == plain and len(plain) > 4
        assert 'nothing to change' in repr(opened(kind)) and opened(kind, None).metadata.shards[0].journal == journal.digest


def written_at_random(journal, rng):
    "Lines as a person writes them who sees all objects of a photo, corrected so far"
    def number(most): return float(rng.integers(1, 2*most))/2
    def points(): return tuple((number(50), number(30), int(rng.integers(1, 3))) for _ in range(2))
    def box(): return number(30), number(20), number(30), number(20)
    name = 'abcd'[rng.integers(4)]
    raw = [first(name), second(name), alone(name)]
    state = fold(journal).get(f'ears/{name}.png')
    known = {o.object: o for o in apply_to_photo(state, raw) if o.object is not None} if state else {}
    seen = [(o, (), o) for i, o in enumerate(raw) if i not in known] + [(raw[i], o.chain.tips, Stated.of(o.chain.value, raw[i].origins)) for i, o in known.items() if o.status != 'conflict' and not o.chain.deleted]
    if state: seen += [(o.value, o.chain.tips, Stated.of(o.value, o.chain.origins)) for o in apply_to_photo(state, raw) if o.status == 'added']
    what = rng.choice(['box', 'points', 'label', 'add', 'delete', 'exclude', 'undo'], p=[.25, .2, .15, .15, .15, .02, .08])
    if what == 'undo': return [new_line('undo', of=[str(rng.choice([*journal.lines]))])] if journal.lines else []
    if what == 'exclude': return [new_line('exclude', photo(name))]
    if what == 'add': return [new_line('add', photo(name), now=Stated((), box() if rng.random() < .6 else None, points(), 'new' if rng.random() < .3 else 'ear'))]
    if not seen: return []
    _, after, was = seen[rng.integers(len(seen))]
    if what == 'delete': return [new_line('delete', photo(name), was, after=after)]
    return [new_line('set', photo(name), was, Stated(**{what: {'box': box, 'points': points, 'label': lambda: str(rng.choice(['ear', 'lobe', 'new']))}[what]()}), after=after)]


@pytest.mark.parametrize('seed', [0, 1, *(pytest.param(o, marks=pytest.mark.slow) for o in range(2, 40))])
def test_whatever_is_edited_is_as_a_run_has_it(opened, journal, data, seed):
    rng = np.random.default_rng(seed)
    for _ in range(3):
        for _ in range(rng.integers(1, 12)): journal.append(written_at_random(journal, rng))
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            before = {kind: {o[0] for o in values(opened(kind, None))} for kind in KINDS}
            at_once = {kind: objects_of(opened(kind)) for kind in KINDS}
            process(data/'raw', data/'out', train_split=1)
        for kind in KINDS:
            plain = objects_of(opened(kind, None)) if (data/f'out/train_{kind}.npy').exists() else {}
            assert at_once[kind] == {k: o for k, o in plain.items() if k[0] in before[kind]}, kind
