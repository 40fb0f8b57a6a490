"The tools that users have already: augmentation libraries, trainers and other datasets, each the real one"
import os
import sys
import warnings

import numpy as np
import pytest
import torch
from making import coco, image, process, pts
from torch.utils.data import DataLoader

from ear_lazy.adapters import albumentations_transform, as_detection_target, as_tv_tensors
from ear_lazy.base.drawing import boxes_of, points_of, thumbnail_html
from ear_lazy.errors import TransformError
from ear_lazy.loading.photos import origin
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.loading.samples import Sample
from ear_lazy.show import show_batch
from ear_lazy.transforms import Compose, Flip

os.environ |= {'ALBUMENTATIONS_NO_TELEMETRY': '1', 'NO_ALBUMENTATIONS_UPDATE': '1', 'HF_HUB_OFFLINE': '1', 'HF_HUB_DISABLE_TELEMETRY': '1'}


@pytest.fixture(scope='module', autouse=True)
def torchvision():
    "Imported by the first test, since it takes seconds, and before Lightning, which imports it where it is"
    global tv_tensors, v2
    from vision import tv_tensors, v2


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    "10 images with boxes of two classes, one of them without a box, and 5 with keypoints"
    folder = tmp_path_factory.mktemp('tools')
    for i in range(10): image(folder/'raw/detector/ears'/f'{i}.png', (40, 60), seed=i)
    annotations = {f'{i}.png': [dict(bbox=[5 + i, 6, 20, 20]), dict(bbox=[30, 10, 25, 20 + i], category_id=2)] for i in range(9)} | {'9.png': []}
    coco(folder/'raw/detector/ears/a.json', annotations, categories=[dict(id=1, name='left'), dict(id=2, name='right')])
    for i in range(5):
        image(folder/'raw/landmarker/ears'/f'{i}.png', (40, 60), seed=50 + i)
        pts(folder/'raw/landmarker/ears'/f'{i}.pts', [(10, 10), (30, 20 + i), (50, 30), (55, 5)])
    process(folder/'raw', folder/'out', train_split=1.)
    return folder


def opened(folder, kind='detector', **options): return LazyNPYDataset(folder/'out'/f'train_{kind}.npy', **options)


def marked():
    "A sample with three boxes and four keypoints, one hidden, one unlabelled"
    picture = np.zeros((40, 60, 3), np.uint8)
    return Sample(image=picture, bboxes=np.float32([[2, 3, 10, 10], [25, 8, 20, 20], [50, 30, 14, 20]]), image_path='a.png', labels=np.array([7, 8, 9]),
                  keypoints=np.float32([[10, 5, 2], [30.5, 20, 1], [0, 0, 0], [60, 40, 2]]))


def painted(n=4, seed=0):
    "A sample with boxes in colours of their own, and where each is by its pixels"
    rng = np.random.default_rng(seed)
    picture, boxes = np.zeros((90, 121, 3), np.uint8), np.column_stack([np.arange(n)*30 + rng.integers(0, 9, n), rng.integers(0, 50, n), rng.integers(5, 21, (n, 2))])
    for i, (x, y, w, h) in enumerate(boxes.tolist()): picture[y:y + h, x:x + w] = 40*(i + 1)
    return Sample(image=picture, bboxes=boxes.astype(np.float32), image_path='a.png', labels=np.arange(n))


def extent(image, label):
    "The box of a colour: xywh, None where it is not there"
    rows, columns = np.nonzero(np.asarray(image)[0] == 40*(label + 1))
    return [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1] if len(rows) else None


# Albumentations

def test_albumentations_moves_boxes_and_points_exactly():
    "By the map that each of its transforms is: x' = 60 - x, (x, y)' = (y, x), a shift, a turn around the middle"
    A = pytest.importorskip('albumentations')
    before = marked()
    maps = {A.HorizontalFlip(p=1): lambda x, y: (60 - x, y), A.VerticalFlip(p=1): lambda x, y: (x, 40 - y), A.Transpose(p=1): lambda x, y: (y, x),
            A.Crop(8, 4, 56, 36, p=1): lambda x, y: (x - 8, y - 4), A.Rotate((180, 180), p=1): lambda x, y: (60 - x, 40 - y),
            A.Affine(scale=(.5, .5), p=1): lambda x, y: (30 + (x - 30) / 2, 20 + (y - 20) / 2)}
    for step, move in maps.items():
        after = albumentations_transform(A.Compose([step]))(before)
        height, width = after['image'].shape[:2]
        kept = np.arange(3) if after.kept is None else after.kept
        for i, (x, y, w, h) in zip(kept, after['bboxes'], strict=True):
            a, b, c, d = before['bboxes'][i]
            (x0, y0), (x1, y1) = move(a, b), move(min(a + c, 60), min(b + d, 40))
            wanted = np.clip([min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)], 0, [width, height] * 2)
            assert np.abs(wanted - [x, y, x + w, y + h]).max() < 1e-3, step
        assert after['labels'].tolist() == [7 + i for i in kept]
        for (x, y, v), found in zip(before['keypoints'], after['keypoints'], strict=True):
            to = np.array(move(x, y))
            inside = v > 0 and (to >= -1e-6).all() and (to <= (width + 1e-6, height + 1e-6)).all()
            assert np.abs(found - ([*to, v] if inside else [0, 0, 0])).max() < 1e-3, step


@pytest.mark.parametrize('seed', [0, 1, 12, 15, 20]) # in the last three a box ends where the picture begins
def test_albumentations_boxes_lie_where_their_pixels_do(seed):
    A = pytest.importorskip('albumentations')
    before = painted(seed=seed)
    for step in (A.HorizontalFlip(p=1), A.RandomRotate90(p=1), A.RandomCrop(40, 60, p=1), A.CenterCrop(41, 63, p=1), A.PadIfNeeded(150, 160, p=1), A.Resize(270, 363, interpolation=0, p=1)):
        after = albumentations_transform(A.Compose([step], seed=seed))(before)
        assert after['labels'].tolist() == after.kept.tolist() == [o for o in range(4) if extent(after['image'].transpose(2, 0, 1), o)]
        for box, label in zip(after['bboxes'], after.kept, strict=True): assert np.abs(box - extent(after['image'].transpose(2, 0, 1), label)).max() < 1e-3, step


def test_albumentations_accounts_for_what_it_drops():
    A = pytest.importorskip('albumentations')
    left = albumentations_transform(A.Compose([A.Crop(0, 0, 30, 40), A.HorizontalFlip(p=1)], bbox_params=A.BboxParams('coco', min_visibility=.5, label_fields=['names']),
                                              keypoint_params=A.KeypointParams('yx')))(marked())
    assert left['labels'].tolist() == [7] and left.kept.tolist() == [0]
    assert left['keypoints'].tolist() == [[20, 5, 2], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
    outside = Sample(marked(), bboxes=np.float32([[-5, -5, 20, 20], [70, 0, 5, 5], [10, 10, 0, 5]]))
    found = albumentations_transform(A.HorizontalFlip(p=1))(outside)
    assert found['bboxes'].tolist() == [[45, 0, 15, 15]] and found['labels'].tolist() == [7]
    nothing = albumentations_transform(A.HorizontalFlip(p=1))(Sample(marked(), bboxes=np.zeros((0, 4), np.float32), labels=np.zeros(0, int)))
    assert nothing['bboxes'].shape == (0, 4) and len(nothing['labels']) == 0


@pytest.mark.parametrize('kind', ['detector', 'landmarker', 'teacher'])
def test_albumentations_in_a_dataset(folder, kind):
    A = pytest.importorskip('albumentations')
    make = albumentations_transform(A.Compose([A.RandomCrop(18, 18, p=1), A.HorizontalFlip(p=.5), A.Resize(24, 24), A.Normalize(), A.ToTensorV2()], seed=1))
    ds = opened(folder, kind, transform=make, extras=('labels',) if kind == 'detector' else ())
    for workers in (0, 2):
        for batch in DataLoader(ds, 4, num_workers=workers):
            assert batch['image'].shape[1:] == (3, 24, 24) and batch['image'].dtype == torch.float32
            if kind == 'detector': assert all(len(a) == len(b) for a, b in zip(batch['bboxes'], batch['labels'], strict=True))
    ds.show_batch(max_n=2)


def test_albumentations_draws_other_numbers_in_each_worker(folder):
    A = pytest.importorskip('albumentations')
    ds = opened(folder, transform=albumentations_transform(A.Compose([A.Crop(0, 0, 8, 8), A.GaussNoise(p=1)], seed=1)), image_size=(8, 8))
    def epoch(): return [b['image'].sum().item() for b in DataLoader(ds[[0, 0]], 1, num_workers=2)]
    torch.manual_seed(0)
    first, second = epoch(), epoch()
    assert len({*first, *second}) == 4
    torch.manual_seed(0)
    assert epoch() == first


# torchvision

@pytest.mark.parametrize('seed', range(4))
def test_tv_boxes_lie_where_their_pixels_do(seed):
    torch.manual_seed(seed)
    before = painted(seed=seed)
    nearest = v2.InterpolationMode.NEAREST_EXACT
    for step in (v2.RandomHorizontalFlip(1), v2.RandomVerticalFlip(1), v2.CenterCrop((31, 60)), v2.RandomCrop((60, 100)), v2.RandomCrop(130, pad_if_needed=True), v2.Pad((3, 5)),
                 v2.Resize((270, 363), nearest), v2.RandomIoUCrop(), v2.RandomZoomOut(p=1), v2.RandomRotation((90, 90), expand=True)):
        after = as_tv_tensors(v2.Compose([step, v2.SanitizeBoundingBoxes()]))(before)
        assert isinstance(after['bboxes'], tv_tensors.BoundingBoxes) and len(after['bboxes']) == len(after['labels'])
        for box, label in zip(after['bboxes'].tolist(), after['labels'].tolist(), strict=True): assert np.abs(np.subtract(box, extent(after['image'], label))).max() < 1e-3, step
        gone = {*range(4)} - {*after['labels'].tolist()}
        if not isinstance(step, v2.RandomIoUCrop): assert all(extent(after['image'], o) is None for o in gone), step # that leaves out boxes by their middle


def test_tv_pictures_change_and_boxes_do_not():
    before = painted()
    after = as_tv_tensors(v2.Compose([v2.RandomPhotometricDistort(p=1), v2.ToDtype(torch.float32, scale=True), v2.Normalize([.5]*3, [.25]*3), v2.ToPureTensor()]))(before)
    assert after['image'].dtype == torch.float32 and np.array_equal(after['bboxes'], before['bboxes']) and after['labels'].tolist() == [0, 1, 2, 3]
    scaled = as_tv_tensors(v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize([.5]*3, [.25]*3)]))(before)['image']
    assert np.allclose(scaled, (before['image'].transpose(2, 0, 1)/255 - .5)/.25, atol=1e-6)
    nothing = Sample(before, bboxes=np.zeros((0, 4), np.float32), labels=np.zeros(0, int))
    none = as_tv_tensors(v2.Compose([v2.RandomIoUCrop(), v2.RandomHorizontalFlip(1), v2.Resize(50), v2.SanitizeBoundingBoxes()]))(nothing)
    assert none['bboxes'].shape == (0, 4) and none['labels'].shape == (0,)
    large = v2.SanitizeBoundingBoxes(min_size=1000)
    for origins in ([], [[]]*4):
        sample = Sample(nothing if not origins else before, origin=origins)
        if not origins: assert as_tv_tensors(large)(sample)['origin'] == []
        else:
            with pytest.raises(ValueError, match="0 boxes with the origins of 4: .* leave 'origin' out of extras"): as_tv_tensors(large)(sample)
    assert as_tv_tensors(large)(Sample(before, origin=['web']))['origin'] == ['web'] # another thing of this name


def test_tv_keypoints():
    "Moved, unlabelled where they have left the picture, one pixel off when mirrored"
    before = Sample({k: v for k, v in marked().items() if k not in ('bboxes', 'labels')})
    large = as_tv_tensors(v2.Resize((80, 180)))(before)
    assert isinstance(large['keypoints'], tv_tensors.KeyPoints) and large['keypoints'].tolist() == [[30, 10], [91.5, 40], [0, 0], [180, 80]]
    assert large['visibility'].tolist() == [2, 1, 0, 2]
    for last in ([], [v2.ToPureTensor()], [v2.ToPILImage()]):
        cut = as_tv_tensors(v2.Compose([v2.CenterCrop((40, 40)), *last]))(before)
        assert cut['keypoints'].tolist() == [[0, 5], [20.5, 20], [0, 0], [0, 0]] and cut['visibility'].tolist() == [2, 1, 0, 0]
    assert as_tv_tensors(v2.RandomHorizontalFlip(1))(before)['keypoints'].tolist() == [[49, 5], [28.5, 20], [0, 0], [0, 0]] # the last would be at -1
    both = as_tv_tensors(v2.Compose([v2.CenterCrop((40, 40)), v2.SanitizeKeyPoints(lambda o: o['visibility'])]))(before)
    assert len(both['keypoints']) == len(both['visibility']) < 4
    with pytest.raises(ValueError, match='with the visibility of 4'): as_tv_tensors(v2.Compose([v2.CenterCrop((40, 40)), v2.SanitizeKeyPoints()]))(before)


@pytest.mark.parametrize('kind', ['detector', 'landmarker', 'teacher'])
def test_tv_tensors_in_a_dataset(folder, kind):
    extras = ('labels',) if kind != 'landmarker' else ()
    steps = [v2.RandomCrop(18), v2.RandomPhotometricDistort(), v2.Resize((24, 20)), *([v2.SanitizeBoundingBoxes()] if kind == 'detector' else []), v2.ToDtype(torch.float32, scale=True)]
    ds = opened(folder, kind, transform=as_tv_tensors(v2.Compose(steps)), extras=extras)
    for workers in (0, 1):
        for batch in DataLoader(ds, 2, num_workers=workers):
            assert batch['image'].shape[1:] == (3, 24, 20) and batch['image'].dtype == torch.float32
            if kind == 'detector': assert all(isinstance(a, tv_tensors.BoundingBoxes) and len(a) == len(b) for a, b in zip(batch['bboxes'], batch['labels'], strict=True))
            if kind == 'landmarker': assert batch['keypoints'].shape[1:] == (4, 2) and batch['visibility'].shape[1:] == (4,)
            if kind == 'teacher': assert batch['bbox'].shape[1:] == (4,) and batch['labels'].ndim == 1
    show_batch(batch)
    ds.show_batch(max_n=2)
    assert 'img' in ds[0]._repr_html_()
    pictures = opened(folder, kind, transform=as_tv_tensors(v2.ToPILImage()), extras=extras)
    assert torch.equal(pictures.get_batch(range(2))['image'], opened(folder, kind).get_batch(range(2))['image'])


def test_tv_samples_are_drawn_as_others():
    "In whatever format boxes are, and without the keypoints that are not labelled"
    before = painted()
    for format in ('XYXY', 'CXCYWH', 'XYWH'):
        after = as_tv_tensors(v2.ConvertBoundingBoxFormat(format))(before)
        assert np.allclose(boxes_of(after), before['bboxes']) and thumbnail_html(after) == thumbnail_html(before)
    points = Sample({k: v for k, v in marked().items() if k not in ('bboxes', 'labels')})
    assert np.array_equal(points_of(as_tv_tensors()(points)), points['keypoints']) and thumbnail_html(as_tv_tensors()(points)) == thumbnail_html(points)


def test_adapters_say_at_once_what_is_missing(monkeypatch):
    for name, adapter in (('torchvision.tv_tensors', as_tv_tensors), ('albumentations', lambda: albumentations_transform(None))):
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(ImportError, match=rf"pip install 'ear_lazy\[.*{name}"): adapter()


@pytest.mark.parametrize('package, function', [('datasets', 'to_hf'), ('supervision', 'to_supervision')])
def test_a_hand_over_says_what_to_install(package, function, monkeypatch):
    from ear_lazy import handover
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"{function} needs the package {package}: pip install 'ear_lazy\[{package}\]'"): getattr(handover, function)(None)


# Trainers

class Small(torch.nn.Module):
    "Where the first keypoint is, by a straight line from the mean of the pixels"
    def __init__(self):
        super().__init__()
        self.out = torch.nn.Linear(3, 2)

    def loss(self, batch):
        mean = batch['image'].float().mean((1, 2)) / 255
        return torch.nn.functional.mse_loss(self.out(mean), batch['keypoints'][:, 0, :2] / 60)


def loader(folder, **options): return DataLoader(opened(folder, 'landmarker'), 2, shuffle=True, **options)


def test_plain_loop(folder):
    torch.manual_seed(0)
    model = Small()
    optimizer, losses = torch.optim.SGD(model.parameters(), .3), []
    for _ in range(5):
        for batch in loader(folder):
            loss = model.loss(batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert losses[-1] < losses[0] / 4


def test_lightning(folder, tmp_path):
    pl = pytest.importorskip('pytorch_lightning')
    torch.manual_seed(0)
    class Module(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.model, self.seen = Small(), []

        def training_step(self, batch, _):
            loss = self.model.loss(batch)
            self.seen += batch['image_path'].tolist()
            self.log('loss', loss, batch_size=len(batch['image']))
            return loss

        def configure_optimizers(self): return torch.optim.SGD(self.parameters(), .3)

    module = Module()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        warnings.filterwarnings('error', '.*batch_size')
        pl.Trainer(max_epochs=5, accelerator='cpu', logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
                   default_root_dir=tmp_path).fit(module, loader(folder, num_workers=1))
    assert len(module.seen) == 25 and len({*module.seen}) == 5 and all(module.seen.count(o) == 5 for o in module.seen)


def test_lightning_finds_the_size_of_a_batch(folder):
    "By itself, though it warns of what is no tensor; the tutorial says how not to have it guess"
    pytest.importorskip('pytorch_lightning')
    from pytorch_lightning.utilities.data import extract_batch_size
    for kind in ('detector', 'landmarker', 'teacher'):
        for batch in DataLoader(opened(folder, kind), 3):
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')
                assert extract_batch_size(batch) == len(batch['image_path']) == len(batch['image'])


def test_accelerate(folder):
    accelerate = pytest.importorskip('accelerate')
    torch.manual_seed(0)
    accelerator = accelerate.Accelerator(cpu=True)
    model = Small()
    model, optimizer, batches = accelerator.prepare(model, torch.optim.SGD(model.parameters(), .3), loader(folder))
    losses, seen = [], []
    for _ in range(5):
        for batch in batches:
            loss = model.loss(batch)
            optimizer.zero_grad()
            accelerator.backward(loss)
            optimizer.step()
            losses.append(loss.item())
            seen += list(batch['image_path'])
    assert losses[-1] < losses[0] / 4 and len(seen) == 25 and len({*seen}) == 5


# Other datasets

def truth(ds):
    "Boxes and class names by path"
    found = {}
    for i in range(len(ds)):
        row = ds.get_metadata(i)
        file, at = origin(ds, i)
        names = [file.label_names[o] for o in np.atleast_1d(file.metadata.labels(at)).tolist()]
        values = row['bboxes'] if 'bboxes' in row else row['bbox'][None]
        found.setdefault(row['image_path'], []).extend(zip(map(tuple, values.tolist()), names))
    return found


@pytest.mark.parametrize('kind', ['detector', 'teacher', 'combined'])
def test_boxes_in_other_datasets(folder, kind):
    datasets, sv = pytest.importorskip('datasets'), pytest.importorskip('supervision')
    ds = CombinedLazyDataset([opened(folder)[6:], opened(folder)[:2]]) if kind == 'combined' else opened(folder, kind)
    if kind == 'teacher': ds = ds[[i for i in range(len(ds)) if 'landmarker' not in ds.get_metadata(i)['image_path']]]
    wanted, hf, given = truth(ds), ds.to_hf(), ds.to_supervision()
    assert isinstance(hf, datasets.Dataset) and len(hf) == len(wanted) and isinstance(given, sv.DetectionDataset) and given.classes == ['left', 'right']
    names = hf.features['objects']['category'].feature
    for path, row, (at, picture, found) in zip(wanted, hf, given, strict=True):
        assert at == path and row['image'].size == (60, 40) == (row['width'], row['height']) and picture.shape == (40, 60, 3)
        boxes = [tuple(o) for o in row['objects']['bbox']]
        assert [*zip(boxes, map(names.int2str, row['objects']['category']))] == wanted[path]
        assert [(*map(float, o[:2]), given.classes[n]) for o, n in zip(found.xyxy, found.class_id)] == [(*b[:2], name) for b, name in wanted[path]]
        assert np.allclose(found.xyxy[:, 2:] - found.xyxy[:, :2], [b[2:] for b, _ in wanted[path]] or np.zeros((0, 2)))


def test_keypoints_in_other_datasets(folder, tmp_path):
    "With class and box, where an object has them"
    pytest.importorskip('datasets'), pytest.importorskip('supervision')
    for i in range(3): image(tmp_path/'raw/ears'/f'{i}.png', (40, 60), seed=i)
    points = dict(keypoints=[2, 2, 2, 3, 3, 1, 0, 0, 0])
    coco(tmp_path/'raw/ears/a.json', {'0.png': [points | dict(bbox=[1, 1, 9, 9], category_id=2), points | dict(bbox=[5, 1, 9, 9])], '1.png': [], '2.png': [points | dict(bbox=[3, 1, 9, 9], category_id=2)]},
         categories=[dict(id=1, name='left', keypoints=['a', 'b', 'c']), dict(id=2, name='right', keypoints=['a', 'b', 'c'])])
    process(tmp_path/'raw', tmp_path/'out', ('landmarker',), train_split=1.)
    for ds in (opened(folder, 'landmarker'), LazyNPYDataset(tmp_path/'out/train_landmarker.npy', extras=['labels', 'bbox'])):
        hf, given = ds.to_hf(), ds.to_supervision()
        names, rows = hf.features['objects']['category'].feature.names, iter(range(len(ds)))
        for row, path in zip(hf, given, strict=True):
            for n, points in enumerate(row['objects']['keypoints']):
                wanted, found = ds.get_metadata(next(rows)), given[path]
                assert wanted['image_path'] == path and np.array_equal(np.float32(points), wanted['keypoints']) and np.array_equal(found.xy[n], wanted['keypoints'][:, :2])
                name, box = ds.label_names[wanted['labels']] if 'labels' in wanted else 'unclassed', wanted.get('bbox')
                assert name == names[row['objects']['category'][n]] == found.data['class_name'][n] == names[found.class_id[n]]
                if box is None: assert row['objects']['bbox'][n] is None and np.isnan(found.data['xyxy'][n]).all()
                else: assert row['objects']['bbox'][n] == box.tolist() == [*found.data['xyxy'][n][:2], *(found.data['xyxy'][n][2:] - found.data['xyxy'][n][:2])]
        assert next(rows, None) is None and names == (['unclassed'] * (len(ds) == 5) + ['left', 'right'])


@pytest.mark.parametrize('kind', ['detector', 'landmarker', 'teacher'])
def test_nothing_in_other_datasets(folder, kind):
    "Of no rows there is an empty dataset with the same columns and classes"
    datasets, _ = pytest.importorskip('datasets'), pytest.importorskip('supervision')
    ds = opened(folder, kind)
    for empty in (ds[:0], CombinedLazyDataset([ds[:0], ds[:0]])):
        hf, given = empty.to_hf(), empty.to_supervision()
        assert isinstance(hf, datasets.Dataset) and len(hf) == len(given) == 0 and hf.features.keys() == ds.to_hf().features.keys()
        assert hf.features['objects'].keys() == ds.to_hf().features['objects'].keys()
        assert given == {} if kind == 'landmarker' else {*given.classes} == {'left', 'right'}
    if kind == 'detector':
        bare = ds[[i for i in range(len(ds)) if not len(ds.get_metadata(i)['bboxes'])]]
        assert len(bare.to_hf()) == len(bare.to_supervision()) == 1 and bare.to_hf()[0]['objects']['bbox'] == []


def test_boxes_without_a_class_in_other_datasets(tmp_path):
    "Their class has one name everywhere, and a class of that name is none"
    pytest.importorskip('datasets'), pytest.importorskip('supervision')
    image(tmp_path/'raw/ears/a.jpg')
    (tmp_path/'raw/ears/a.csv').write_text('image_path,x1,y1,w,h,label\na.jpg,1,2,9,9,\na.jpg,3,4,9,9,object\na.jpg,30,40,9,9,unclassed\n')
    process(tmp_path/'raw', tmp_path/'out', ('detector',), train_split=1.)
    ds = LazyNPYDataset(tmp_path/'out/train_detector.npy')
    for names in (ds.to_hf().features['objects']['category'].feature.names, ds.to_supervision().classes): assert names == ['unclassed', 'object']


# What torchvision's detectors take

@pytest.fixture(scope='module')
def scenes(tmp_path_factory):
    "Four images with boxes of two classes, one of them without a box, and keypoints"
    folder = tmp_path_factory.mktemp('scenes')
    points = dict(keypoints=[10, 10, 2, 20, 15, 1, 0, 0, 0])
    annotations = {f'{i}.png': [dict(bbox=[5 + i, 6, 20, 20]) | points, dict(bbox=[30, 10, 25, 20 + i], category_id=2) | points] for i in range(3)} | {'3.png': []}
    for i in range(4): image(folder/'raw/ears'/f'{i}.png', (48, 64), seed=i)
    coco(folder/'raw/ears/a.json', annotations, size=(48, 64), categories=[dict(id=1, name='left', keypoints=['a', 'b', 'c']), dict(id=2, name='right', keypoints=['a', 'b', 'c'])])
    process(folder/'raw', folder/'out', train_split=1.)
    return folder


def targets_of(scenes, kind='detector', transform=None, **options):
    to_target = as_detection_target(**options)
    steps = to_target if transform is None else Compose([transform, to_target])
    ds = LazyNPYDataset(scenes/'out'/f'train_{kind}.npy', extras=['labels', 'bbox'] if kind == 'landmarker' else ['labels', 'row'], transform=steps)
    return ds, DataLoader(ds, batch_size=4, collate_fn=to_target.collate)


def step(model, images, targets):
    "One step; the losses"
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    losses = model(images, targets)
    sum(losses.values()).backward()
    assert any(o.grad is not None and o.grad.abs().sum() > 0 for o in model.parameters())
    optimizer.step()
    return losses


def fcos(classes):
    "FCOS with one convolution as its backbone"
    from torchvision.models import detection
    from torchvision.models.detection.anchor_utils import AnchorGenerator
    backbone = torch.nn.Conv2d(3, 32, 3, stride=8, padding=1)
    backbone.out_channels = 32
    return detection.FCOS(backbone, classes, anchor_generator=AnchorGenerator(((8,),), ((1.,),)), min_size=48, max_size=64)


def test_a_step_of_training(scenes):
    "Also of a photo without boxes; the numbers are those of the file"
    ds, batches = targets_of(scenes)
    images, targets = next(iter(batches))
    losses = step(fcos(len(ds.label_names)), images, targets)
    assert {*losses} == {'classification', 'bbox_regression', 'bbox_ctrness'} and all(torch.isfinite(o) for o in losses.values())
    names = ds.label_names
    for i, (picture, target) in enumerate(zip(images, targets, strict=True)):
        row = ds.get_metadata(i)
        assert picture.shape == (3, 48, 64) and picture.dtype == torch.float32 and 0 <= picture.min() <= picture.max() <= 1
        assert torch.equal(target['boxes'][:, :2], torch.from_numpy(row['bboxes'][:, :2])) and torch.equal(target['boxes'][:, 2:] - target['boxes'][:, :2], torch.from_numpy(row['bboxes'][:, 2:]))
        assert [names[o] for o in target['labels']] == ['left', 'right'][:len(row['bboxes'])] and target['area'].tolist() == row['bboxes'][:, 2:].prod(1).tolist()
        assert (target['row'], target['image_path']) == (i, row['image_path']) and [target[o].dtype for o in ('boxes', 'labels', 'image_id', 'area', 'iscrowd')] == [torch.float32, torch.int64, torch.int64, torch.float32, torch.int64]
        assert target['boxes'].shape == (len(row['bboxes']), 4) and target['iscrowd'].tolist() == [0]*len(row['bboxes'])
    assert len({o['image_id'].item() for o in targets}) == 4


@pytest.mark.slow
def test_a_step_of_the_models_that_come_with_torchvision(scenes):
    from torchvision.models import detection
    ds, batches = targets_of(scenes)
    step(detection.fcos_resnet50_fpn(weights=None, weights_backbone=None, num_classes=len(ds.label_names), min_size=64, max_size=64), *next(iter(batches)))
    step(detection.retinanet_resnet50_fpn(weights=None, weights_backbone=None, num_classes=len(ds.label_names), min_size=64, max_size=64), *next(iter(batches)))


def test_targets_of_workers_after_augmentation(scenes):
    "The same numbers in each process, and boxes that moved with the picture"
    plain, to_target = next(iter(targets_of(scenes)[1]))[1], as_detection_target(v2.RandomHorizontalFlip(p=1))
    ds = LazyNPYDataset(scenes/'out/train_detector.npy', extras='labels', transform=to_target)
    for batches in (targets_of(scenes, transform=Flip(p=1))[1], DataLoader(ds, batch_size=4, collate_fn=to_target.collate, num_workers=1)):
        for before, after in zip(plain, next(iter(batches))[1], strict=True):
            assert before['image_id'] == after['image_id'] and torch.allclose(after['boxes'][:, 0], 64 - before['boxes'][:, 2]) and torch.equal(before['labels'], after['labels'])


def test_targets_with_keypoints(scenes):
    "One set and its box a sample"
    ds, batches = targets_of(scenes, 'landmarker')
    images, targets = next(iter(batches))
    for i, target in enumerate(targets):
        row = ds.get_metadata(i)
        assert np.array_equal(target['keypoints'], row['keypoints'][None]) and np.array_equal(target['boxes'][0, :2], row['bbox'][:2]) and target['labels'].tolist() == [row['labels']]


def test_classes_that_cannot_be(scenes):
    "0 is the background, so nothing is trained as that by mistake"
    path = scenes/'out/train_detector.npy'
    with pytest.raises(TransformError, match="extras='labels', or all boxes one class by one_class=True"): LazyNPYDataset(path, transform=as_detection_target())[0]
    assert LazyNPYDataset(path, transform=as_detection_target(one_class=True))[0]['labels'].tolist() == [1, 1]
    sample = LazyNPYDataset(path, extras='labels')[0]
    sample['labels'][1] = 0
    with pytest.raises(ValueError, match="1 of its 2 boxes have no class, which is the background of torchvision: process the data with rename={'': "): as_detection_target()(sample)
    sample['labels'][1], sample['bboxes'][1] = 2, [1e6, 1, 1e-3, 5] # float32 leaves no side of it
    assert as_detection_target()(sample)['labels'].tolist() == [1]
    with pytest.raises(TransformError, match='a crop has no boxes'): LazyNPYDataset(scenes/'out/train_teacher.npy', extras='labels', transform=as_detection_target())[0]


def test_rows_that_were_skipped_are_left_out(scenes, tmp_path):
    to_target = as_detection_target()
    missing = LazyNPYDataset(scenes/'out/train_detector.npy', extras='labels', transform=to_target, root_dir=tmp_path, on_error='skip')
    there = LazyNPYDataset(scenes/'out/train_detector.npy', extras='labels', transform=to_target)
    with pytest.warns(UserWarning, match='skipped'): assert to_target.collate([missing[0], there[0]])[1][0]['image_path'] == there.get_metadata(0)['image_path']
    assert to_target.collate([missing[0]]) == ([], []) and len(CombinedLazyDataset([there, there])[7]['boxes']) == 0
