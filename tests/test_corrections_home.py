"Corrections written by code, exported, laid over the raw folder and read again are there, and nothing is left to do"
import importlib.util
import json
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image

from ear_lazy.corrections import Corrections
from ear_lazy.correcting.applying import is_written
from ear_lazy.correcting.chains import fold
from ear_lazy.data_processor import DataProcessor
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.processing.raw_corrections import changes_of
from ear_lazy.processing.reading import read_raw
from ear_lazy.rewrite import added, changed, deleted
from tests.tiers import tier

spec = importlib.util.spec_from_file_location('any_changes', Path(__file__).parent/'rewriting/test_any_changes.py')
any_changes = importlib.util.module_from_spec(spec)
spec.loader.exec_module(any_changes)
BOXES, PHOTOS, W, H = any_changes.WRITERS, any_changes.PHOTOS, any_changes.W, any_changes.H
REAL = Path(__file__).parents[2]/'shared/real'


def points_of(n): return [(10. + 9*n, 8 + 5*n, 2), (30. + 7*n, 12 + 3*n, 2), (20.5 + 6*n, 31.25, 2)]


def pts(folder):
    for n, o in enumerate(PHOTOS): (folder/f'{o}.pts').write_text('version: 1\nn_points: 3\n{\n%s\n}\n' % '\n'.join(f'{x} {y}' for x, y, _ in points_of(n)))


def coco_points(folder):
    found = [dict(id=n + 1, image_id=n + 1, category_id=1, iscrowd=0, keypoints=[v for o in points_of(n) for v in o], num_keypoints=3, bbox=[5, 5, 60, 40]) for n in range(3)]
    images = [dict(id=n + 1, file_name=f'{o}.jpg', width=W, height=H) for n, o in enumerate(PHOTOS)]
    (folder/'points.json').write_text(json.dumps(dict(images=images, annotations=found, categories=[dict(id=1, name='ear', keypoints=['a', 'b', 'c'])]), indent=1))


def yolo_pose(folder):
    (folder/'data.yaml').write_text('names: [ear]\nkpt_shape: [3, 3]\n')
    for n, o in enumerate(PHOTOS):
        points = ' '.join(f'{x/W:.6f} {y/H:.6f} {v}' for x, y, v in points_of(n))
        (folder/f'{o}.txt').write_text(f'0 0.5 0.5 0.6 0.5 {points}\n')


def labelme_points(folder):
    for n, o in enumerate(PHOTOS):
        shapes = [dict(label=name, points=[[x, y]], group_id=None, shape_type='point', flags={}) for name, (x, y, _) in zip('pqr', points_of(n))]
        (folder/f'{o}.json').write_text(json.dumps(dict(version='5.0.1', flags={}, shapes=shapes, imagePath=f'{o}.jpg', imageData=None, imageHeight=H, imageWidth=W), indent=2))


POINTS = {o.__name__: o for o in (pts, coco_points, yolo_pose, labelme_points)}


def with_photos(raw):
    (raw/'set').mkdir(parents=True)
    for o in PHOTOS: Image.new('RGB', (W, H)).save(raw/f'set/{o}.jpg')
    return raw/'set'


def opened(raw, out, kind='detector', **options):
    DataProcessor(raw, out, num_workers=0, progress=False, **options).process_all(train_split=1, include_teacher=False)
    return LazyNPYDataset(out/f'train_{kind}.npy')


def laid_over(copy, raw, gone=()):
    shutil.copytree(copy, raw, dirs_exist_ok=True)
    for o in gone: (raw/o).unlink()


def check_home(c, raw, tmp, **options):
    "Export, lay over, read: all settled, to the decimals of the files; an export after that writes nothing; so does taking what was exported"
    before = shutil.copytree(raw, tmp/'before')
    done = c.export(tmp/'new', raw, **options)
    assert not done.left
    assert c.take(tmp/'new', raw, deleted_files=True, **options).ids == (), 'what was exported is what the journal says'
    laid_over(tmp/'new', raw, done.rewritten.gone)
    found = changes_of(c._states, raw_now := read_raw(raw, renamed=options.get('rename')), options.get('rename'))
    assert Counter(o.outcome.status for o in found) == Counter(settled=len(found)), found
    for o in found: check_value(o, raw_now)
    report = DataProcessor(raw, tmp/'processed', num_workers=0, progress=False, **options).process_all(train_split=1)
    told = Counter(o.reason for o in report.problems)
    assert told['settled'] == len(found) and not told.keys() & {'conflict', 'not_here'} and not any(o.action in ('corrected', 'added', 'deleted') for o in report.problems), report
    again = c.export(tmp/'again', raw, **options)
    assert (again.written, again.there, again.rewritten.files) == (0, len(found), ())
    if (raw/'set').exists(): # the other way round: an empty journal takes from the copy what this one says
        other = Corrections(tmp/'other.jsonl', before)
        other.take(raw, before, deleted_files=True, **options)
        assert other.export(tmp/'third', before, **options).rewritten.files == done.rewritten.files
        for o in done.rewritten.files: assert (tmp/'third'/o).read_bytes() == (tmp/'new'/o).read_bytes(), o
    return done


def check_value(home, raw):
    chain = home.outcome.chain
    if home.outcome.object is None: assert chain.deleted; return
    value = raw.value(raw.of_photo(home.photo)[home.outcome.object])
    for name in ('box', 'points'):
        if getattr(chain.value, name): assert is_written(name, getattr(value, name), getattr(chain.value, name), chain.photo.size)


@pytest.mark.parametrize('name', BOXES)
@settings(max_examples=15 if tier['longer'] else 1, deadline=None, derandomize=True)
@given(data=st.data())
def test_boxes_come_home(name, data):
    objects = any_changes.apart(data.draw(st.lists(st.tuples(st.sampled_from(PHOTOS), st.sampled_from(any_changes.CLASSES), any_changes.BOX), min_size=3, max_size=6)))
    with tempfile.TemporaryDirectory() as tmp:
        raw = Path(tmp)/'raw'
        BOXES[name](with_photos(raw), objects, '\n')
        ds = opened(raw, Path(tmp)/'out')
        c, changes = Corrections.of(ds), []
        for i in range(len(ds)):
            for j, (label, box) in enumerate(zip(ds.metadata.labels(i), ds.metadata.values(i))):
                op = data.draw(st.sampled_from(['move', 'relabel', 'both', 'delete', 'keep']))
                if op == 'keep': continue
                new = [c for c in any_changes.CLASSES if c != ds.label_names[label]]
                box = np.float64(box) + [data.draw(st.integers(0, 4)), 1.25, 0, 2.5] if op in ('move', 'both') else None
                changes.append(deleted(ds, i, j) if op == 'delete' else changed(ds, i, j, box=box, label=data.draw(st.sampled_from(new)) if op in ('relabel', 'both') else None))
        if data.draw(st.booleans()): changes.append(added(ds, data.draw(st.integers(0, len(ds) - 1)), box=[45.5, 33, 30, 26], label='head'))
        if len(changes) == len(objects) and all(o.now is None for o in changes): changes.pop() # what no annotation is left in is not read
        c.add(changes)
        check_home(c, raw, Path(tmp))


@pytest.mark.parametrize('name', POINTS)
def test_points_come_home(name, tmp_path):
    raw = tmp_path/'raw'
    POINTS[name](with_photos(raw))
    ds = opened(raw, tmp_path/'out', 'landmarker')
    c = Corrections.of(ds)
    moved = [np.float64(ds.get_metadata(i)['keypoints']) + [[0, 0, 0], [2.25, -1.5, 0], [0, 0, 0]] for i in range(3)]
    c.add([changed(ds, i, points=o) for i, o in enumerate(moved[:2])])
    c.add(changed(ds, 0, points=moved[0] + np.eye(3)[0][:, None]*[1, 1, 0])) # the same object again
    assert len(c) == 2
    check_home(c, raw, tmp_path)


def test_renamed_classes_get_their_own_names_back(tmp_path):
    raw = tmp_path/'raw'
    any_changes.coco(with_photos(raw), [('a', 'ear', (3, 4, 20, 20)), ('b', 'head', (3, 4, 20, 20)), ('b', 'öhr', (33, 24, 20, 20)), ('c', 'ear', (1, 1, 30, 30))], '\n')
    rename = {'ear': 'Ear', 'head': 'Head'}
    ds = opened(raw, tmp_path/'out', rename=rename)
    c = Corrections.of(ds)
    c.add([changed(ds, 0, 0, label='Head', box=[4, 4, 20, 20]), changed(ds, 1, 0, label='Ear' if ds.label_names[ds.metadata.labels(1)[0]] == 'Head' else 'Head'), deleted(ds, 2, 0), added(ds, 2, box=[5, 5, 9, 9], label='Ear')])
    check_home(c, raw, tmp_path, rename=rename)
    assert {o['category_id'] for o in json.loads((raw/'set/all.json').read_text())['annotations']} <= {1, 2, 3}
    assert [o['name'] for o in json.loads((raw/'set/all.json').read_text())['categories']] == list(any_changes.CLASSES)


def test_two_classes_renamed_to_one_cannot_be_told_apart(tmp_path):
    raw = tmp_path/'raw'
    any_changes.coco(with_photos(raw), [('a', 'ear', (3, 4, 20, 20)), ('b', 'head', (3, 4, 20, 20)), ('c', 'öhr', (3, 4, 20, 20))], '\n')
    rename = {'ear': 'part', 'head': 'part'}
    ds = opened(raw, tmp_path/'out', rename=rename)
    c = Corrections.of(ds)
    c.add([changed(ds, 0, 0, box=[4, 4, 20, 20]), changed(ds, 2, 0, label='part')])
    with pytest.raises(Exception, match="'ear', 'head' were all renamed to 'part'"): c.export(tmp_path/'new', raw, rename=rename)
    done = c.export(tmp_path/'new', raw, rename=rename, leave=True)
    assert done.written == 1 and len(done.left) == 1


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason=f'no real data at {REAL}')
@pytest.mark.parametrize('name', ['people_coco_keypoints', 'dogs_csv', 'ears_yolo_pose', 'faces_pts', 'udacity_fkp'])
@pytest.mark.parametrize('seed', range(3))
def test_real_data_comes_home(name, seed, tmp_path):
    raw, rng = tmp_path/'raw', np.random.default_rng(seed)
    shutil.copytree(REAL/name, raw/name)
    DataProcessor(raw, tmp_path/'out', num_workers=0, progress=False).process_all(train_split=1)
    made = 0
    for kind in ('detector', 'landmarker'):
        if not (tmp_path/f'out/train_{kind}.npy').exists(): continue
        ds = LazyNPYDataset(tmp_path/f'out/train_{kind}.npy')
        c = Corrections.of(ds)
        for i in rng.permutation(len(ds))[:6].tolist():
            if kind == 'landmarker':
                points = np.float64(ds.get_metadata(i)['keypoints'])
                k = rng.choice(np.flatnonzero(points[:, 2]))
                change = changed(ds, i, points=points + np.eye(len(points))[k][:, None]*[2.3, 1.6, 0])
            else:
                j = int(rng.integers(len(ds.metadata.values(i))))
                box = np.float64(ds.metadata.values(i)[j])*[1, 1, .8, .9] + [1.3, .7, 0, 0]
                change = [deleted(ds, i, j), added(ds, i, box=box/2 + [1, 2, 3, 4], label=ds.label_names[-1]), changed(ds, i, j, box=box)][int(rng.integers(3))]
            try: c.add(change)
            except ValueError as e: assert 'deleted already' in str(e)
            else: made += 1
    done = c.export(tmp_path/'new', raw, leave=True)
    assert done.written >= made - len(done.left) - made//4 and all('outline' in o for o in done.left)
    laid_over(tmp_path/'new', raw, done.rewritten.gone)
    found = changes_of(fold(c.journal), read_raw(raw))
    assert sum(o.outcome.status == 'settled' for o in found) == len(found) - len(done.left)
