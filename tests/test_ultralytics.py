"Folders that `to_yolo` writes, as Ultralytics itself loads them: no label is lost, and none is of the raw data"
import os
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import coco, contents, image, process, text
from PIL import Image
from tiers import tries

from ear_lazy.base import images
from ear_lazy.base.class_names import UNCLASSED
from ear_lazy.base.records import make_records
from ear_lazy.errors import ImageLoadError
from ear_lazy.export import to_yolo
from ear_lazy.formats.yolo_writing import yolo_lines
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset

SIZE = 40, 60
NAMES = "it's: one", '"two" # 2', 'unused', '耳'


class Yolo:
    "Ultralytics' own classes, which neither download nor write into the home folder"
    def __init__(self, config, patch):
        patch.setenv('YOLO_OFFLINE', '1'), patch.setenv('YOLO_CONFIG_DIR', str(config))
        pytest.importorskip('ultralytics', reason='Ultralytics is not installed; CI has it')
        import vision # noqa: F401 torchvision for every torch
        from ultralytics.data import dataset, utils
        patch.setattr(utils, 'check_font', lambda *_: None)
        self.dataset, self.utils = dataset.YOLODataset, utils

    def described(self, folder):
        "As from a command line, by a path relative to where it is given"
        return self.utils.check_det_dataset(os.path.relpath(folder/'data.yaml'), autodownload=False)

    def loaded(self, folder, side, task):
        "What `data.yaml` says, and labels by image, as training has them; none missing, none broken"
        data = self.described(folder)
        ds = self.dataset(img_path=data[side], data=data, task=task, imgsz=64, augment=False, batch_size=1)
        found, missing, empty, broken, total = np.load(Path(ds.label_files[0]).parent.with_suffix('.cache'), allow_pickle=True).item()['results']
        assert (missing, broken, total) == (0, 0, len(ds.labels)), 'each image has a label file, and no label is refused'
        return data, {os.path.realpath(o['im_file']): o for o in ds.labels}


@pytest.fixture(scope='module')
def yolo(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch: yield Yolo(tmp_path_factory.mktemp('config'), patch)


def rows_of(ds):
    "By the real path of its photo, each object: class, corner and size and points as fractions"
    found, scale = {}, np.array(SIZE[::-1])
    for i in range(len(ds)):
        m = ds.get_metadata(i)
        boxes = np.atleast_2d(m['bboxes'] if 'bboxes' in m else m['bbox']).reshape(-1, 2, 2) / scale
        points = [m['keypoints'] / [*scale, 1]] if 'keypoints' in m else [np.empty((0, 3))]*len(boxes)
        names = [ds.label_names[o] or UNCLASSED for o in np.atleast_1d(m['labels'])]
        found.setdefault(os.path.realpath(m['image_path']), []).extend((n, *b.ravel(), *p.ravel()) for n, b, p in zip(names, boxes, points))
    return found


def as_rows(data, label):
    "Likewise, of a photo that Ultralytics has loaded"
    corners = np.column_stack([label['bboxes'][:, :2] - label['bboxes'][:, 2:]/2, label['bboxes'][:, 2:]])
    points = label['keypoints'] if label['keypoints'] is not None else np.empty((len(corners), 0))
    return [(data['names'][int(c)], *b, *p.ravel()) for c, b, p in zip(label['cls'].ravel(), corners, points)]


def assert_same(found, wanted):
    assert found.keys() == wanted.keys(), 'the same photos'
    for path in found:
        a, b = sorted(found[path]), sorted(wanted[path])
        assert [o[0] for o in a] == [o[0] for o in b], path
        assert np.allclose([o[1:] for o in a], [o[1:] for o in b], atol=1e-5), path


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    "A YOLO dataset whose labels count classes otherwise and lie where a trainer would find them, and one of faces"
    tmp = tmp_path_factory.mktemp('made')
    for i in range(8):
        image(tmp/f'raw/ears/images/train/{i % 2}/{i}.png', SIZE, seed=i)
        lines = [f'{n} {.3 + .05*i} .4 .2 .{2 + n} .{2 + n} .3 2 .4 {.05*i} 1' for n in ((), (0, 1), (3,))[i % 3]]
        text(tmp/f'raw/ears/labels/train/{i % 2}/{i}.txt', '\n'.join(lines))
    quoted = ', '.join("'" + o.replace("'", "''") + "'" for o in NAMES)
    text(tmp/'raw/ears/data.yaml', f'kpt_shape: [2, 3]\nkpt_names: {{0: [left, right], 1: [left, right], 3: [left, right]}}\nnames: [{quoted}]\n')
    for n, o in enumerate(('photo.jfif', 'no class.png')): image(tmp/'raw/faces/b'/o, SIZE, seed=10 + n)
    text(tmp/'raw/faces/faces.csv', 'image_path,x1,y1,w,h,label\nb/photo.jfif,3,4,20,10,face\nb/no class.png,3,4,20,10,\n')
    process(tmp/'raw', tmp/'out', ('detector', 'landmarker'), train_split=.6, seed=1)
    return tmp


def sides_of(made, kind): return {o: LazyNPYDataset(made/f'out/{o}_{kind}.npy', extras=('labels', 'bbox')[:1 + (kind == 'landmarker')]) for o in ('train', 'val')}


@pytest.mark.parametrize(('kind', 'images'), [('detector', 'link'), ('landmarker', 'link'), ('detector', 'copy')])
def test_training_has_every_label(yolo, made, tmp_path, monkeypatch, kind, images):
    "From another folder than that of the export, and with `images` in its own path"
    sides, before = sides_of(made, kind), contents(made/'raw')
    folder = to_yolo(sides, tmp_path/'images/yolo', images)
    monkeypatch.chdir(made)
    for side, ds in sides.items():
        data, labels = yolo.loaded(folder, side, 'pose' if kind == 'landmarker' else 'detect')
        wanted = rows_of(ds)
        if images == 'copy': labels = {path: label for path, label in zip(sorted(wanted, key=lambda o: o.rpartition('/')[2]), (labels[o] for o in sorted(labels, key=lambda o: o.rpartition('/')[2])))}
        assert_same({path: as_rows(data, label) for path, label in labels.items()}, wanted)
    if kind == 'landmarker': assert (data['kpt_shape'], data['flip_idx']) == ([2, 3], [1, 0])
    else: assert {*data['names'].values()} == {*NAMES, 'face', UNCLASSED} - {'unused'} and data['names'][len(data['names']) - 1] == UNCLASSED
    assert contents(made/'raw') == before
    report = process(tmp_path/'images', tmp_path/'home', (kind,), train_split=1) # the caches of a training are beside the labels now
    assert '.cache' not in str(report) + str(report.problems)
    assert len(LazyNPYDataset(tmp_path/f'home/train_{kind}.npy')) == sum(map(len, sides.values()))


def test_what_is_not_trained_on_as_it_stands(yolo, made, tmp_path):
    sides = sides_of(made, 'detector')
    alone = sides['train'].to_yolo(tmp_path/'alone')
    with pytest.raises(SyntaxError, match="'val:' key missing"): yolo.described(alone)
    assert "to_yolo({'train': train, 'val': val}, folder)" in (alone/'data.yaml').read_text()
    empty = to_yolo({'train': CombinedLazyDataset([*sides.values()])[:0], 'val': sides['val']}, tmp_path/'empty')
    assert [*(empty/'images/train').iterdir()] == [*(empty/'labels/train').iterdir()] == [] and yolo.loaded(empty, 'val', 'detect')[1]
    with pytest.raises(FileNotFoundError): yolo.loaded(empty, 'train', 'detect')


def test_names_that_trainers_pass_over_or_fail_on(yolo, tmp_path):
    "Names that are not UTF-8, unknown extensions, and what a list of names could not hold"
    names = 'b.jpe', 'images/images/c.JPEG', "d's \n#.png", 'labels/e.txt.png', os.fsdecode(b'\xff\xe4.png')
    for i, o in enumerate(names): image(tmp_path/'raw/ears'/o, SIZE, seed=i)
    coco(tmp_path/'raw/ears/all.json', {o: [[1 + i, 2, 10, 20]] for i, o in enumerate(names[:-1])})
    text(tmp_path/'raw/ears/all.csv', f'image_path,x1,y1,w,h\n{names[-1]},1,2,3,4\n'.encode('utf-8', 'surrogateescape'))
    process(tmp_path/'raw', tmp_path/'out', ('detector',), train_split=1)
    ds = LazyNPYDataset(tmp_path/'out/train_detector.npy', extras=('labels',))
    assert len(ds) == len(names)
    data, labels = yolo.loaded(to_yolo({'train': ds, 'val': ds[:0]}, tmp_path/'yolo'), 'train', 'detect')
    assert_same({path: as_rows(data, label) for path, label in labels.items()}, rows_of(ds))


@pytest.mark.parametrize('images', ['link', 'copy'])
def test_a_turned_photo(yolo, tmp_path, images):
    "Trainers see it upright, as its labels are"
    exif = Image.Exif()
    exif[0x112] = 6
    image(tmp_path/'raw/a.jpg', SIZE, exif=exif)
    coco(tmp_path/'raw/all.json', {'a.jpg': [[2, 6, 10, 24]]}, size=SIZE[::-1])
    process(tmp_path/'raw', tmp_path/'out', ('detector',), train_split=1)
    ds = LazyNPYDataset(tmp_path/'out/train_detector.npy')
    with pytest.warns(UserWarning, match='turned by their EXIF') if images == 'link' else nullcontext(): folder = to_yolo({'val': ds, 'train': ds[:0]}, tmp_path/'yolo', images)
    _, label = yolo.loaded(folder, 'val', 'detect')
    (label,), (box,) = label.values(), ds.get_metadata(0)['bboxes']
    assert label['shape'] == ds[0]['image'].shape[:2] == (60, 40)
    assert np.allclose(label['bboxes'][0] * [40, 60, 40, 60], [*(box[:2] + box[2:]/2), *box[2:]], atol=1e-4)


@pytest.mark.parametrize(('sides', 'why'), [
    ({}, 'not none of them'), ({'train': 'detector', 'valid': 'detector'}, "not 'valid'"), ({'train': 'detector', 'val': 'landmarker'}, 'boxes or keypoints'),
    ({'train': 'detector', 'val': 'detector'}, 'is in train and in val'), ({'val': 'detector', 'test': 'detector'}, 'is in val and in test')])
def test_sides_that_are_refused(made, tmp_path, sides, why):
    with pytest.raises(ValueError, match=why): to_yolo({side: sides_of(made, kind)['train'] for side, kind in sides.items()}, tmp_path/'yolo')
    assert not (tmp_path/'yolo').exists()


def test_one_photo_by_two_ways(made, tmp_path):
    (tmp_path/'way').symlink_to(made/'raw')
    sides = {'train': sides_of(made, 'detector')['train'], 'val': LazyNPYDataset(made/'out/train_detector.npy', root_dir=tmp_path/'way')}
    with pytest.raises(ValueError, match='is in train and in val'): to_yolo(sides, tmp_path/'yolo')


def test_what_trainers_pass_over_is_told(yolo, tmp_path):
    image(tmp_path/'raw/a.gif', SIZE), image(tmp_path/'raw/tiny.png', (9, 60)), image(tmp_path/'raw/b.png', SIZE)
    coco(tmp_path/'raw/all.json', {o: [dict(bbox=[1, 2, 5, 6], keypoints=[2, 3, 2, 70, 3, 2])] for o in ('a.gif', 'tiny.png', 'b.png')}, size=None)
    process(tmp_path/'raw', tmp_path/'out', ('detector', 'landmarker'), train_split=1)
    with pytest.warns(UserWarning, match='pass over 2 images with 2 objects, .*gif.*below 10 pixels: .*a.gif'): LazyNPYDataset(tmp_path/'out/train_detector.npy').to_yolo(tmp_path/'yolo')
    points = LazyNPYDataset(tmp_path/'out/train_landmarker.npy')
    with pytest.warns(UserWarning, match='1 keypoints outside of their image'): folder = to_yolo({'val': points[points.column('sizes')[:, 0] > 9][1:], 'train': points[:0]}, tmp_path/'points')
    _, labels = yolo.loaded(folder, 'val', 'pose')
    label, = labels.values()
    assert np.allclose(label['keypoints'], [[[2/60, 3/40, 2], [1, 3/40, 0]]])


NEAR, ANYWHERE = st.floats(-.125, 1.125, width=32), st.floats(-1e6, 1e6, width=32)


@settings(max_examples=tries(100))
@given(st.lists(st.tuples(st.integers(0, 3), st.tuples(*[NEAR | ANYWHERE]*2, *[st.floats(.0625, 2, width=32)]*2), st.lists(st.tuples(NEAR | ANYWHERE, NEAR, st.integers(0, 2)), min_size=2, max_size=2)), max_size=4), st.booleans())
def test_no_number_makes_an_image_broken(yolo, drawn, objects, pose):
    "Whatever boxes and keypoints are, trainers take their labels, and those inside are exact"
    scale = np.array(SIZE[::-1], np.float32)
    boxes = np.array([o[1] for o in objects], np.float32).reshape(-1, 2, 2) * scale
    points = np.array([o[2] for o in objects], np.float32).reshape(-1, 3) * [*scale, 1]
    m = len(objects)
    columns = dict(points=points, point_counts=[2]*m) if pose else {}
    r = make_records(['a.png'], np.zeros(m), np.arange(m), [''], boxes.reshape(-1, 4), sizes=[SIZE], **columns)
    (drawn/'a.txt').write_text(''.join(yolo_lines(r, [o[0] for o in objects])))
    file, rows, _, _, found, missing, _, _, broken, why = yolo.utils.verify_image_label((str(drawn/'a.png'), str(drawn/'a.txt'), '', pose, 4, 2*pose, 3*pose, False))
    assert not broken and not missing and (len(rows) == m or 'duplicate' in why), why
    if len(rows) < m: return
    ends = (boxes / scale).astype(float)
    ends[:, 1] += ends[:, 0]
    if not pose: assert np.allclose(rows[:, 1:3] - rows[:, 3:]/2, ends.clip(0, 1)[:, 0], atol=1e-5) and np.allclose(rows[:, 1:3] + rows[:, 3:]/2, ends.clip(0, 1)[:, 1], atol=1e-5)
    if not pose: return
    inside = ((points[:, :2] >= 0) & (points[:, :2] <= scale)).all(1)
    found = found.reshape(-1, 3)
    assert np.allclose(found[inside], points[inside] / [*scale, 1], atol=1e-5) and not found[~inside, 2].any()


@pytest.fixture(scope='module')
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp('drawn')
    image(folder/'a.png', SIZE)
    return folder


def test_what_is_no_image_is_told_as_that_beside_ultralytics(tmp_path, monkeypatch, yolo):
    "Whose own `Image.open`, installed on import, asks the package index for a library"
    from ultralytics.utils import patches
    monkeypatch.setattr(patches, '_pil_plugins_registered', False)
    monkeypatch.setattr('ultralytics.utils.checks.check_requirements', lambda *_, **__: False)
    (tmp_path/'a.jpg').write_bytes(b'nothing' * 20)
    for own in (images._open, patches.image_open): # imported before it, and after it
        monkeypatch.setattr(images, '_open', own)
        with pytest.raises(ImageLoadError, match='not an image in one of the formats'): images.load_image(tmp_path/'a.jpg')
