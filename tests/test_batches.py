"What a pipeline hands over can be batched: mirrored views, mixed dtypes, boolean selections, and datasets that are added"
import inspect
import os
import random
from functools import partial

import numpy as np
import pytest
import torch
from making import coco, image, process, pts
from torch.utils.data import DataLoader

from ear_lazy.adapters import albumentations_transform, as_tv_tensors
from ear_lazy.errors import TransformError
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.loading.samples import Sample, collate
from ear_lazy.transforms import Compose, Flip, crop

os.environ |= {'ALBUMENTATIONS_NO_TELEMETRY': '1', 'NO_ALBUMENTATIONS_UPDATE': '1'}


@pytest.fixture(scope='module', autouse=True)
def torchvision():
    "Imported by the first test, since it takes seconds"
    global v2
    from vision import v2


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    "6 square images of a detector and 4 of a landmarker"
    folder = tmp_path_factory.mktemp('batches')
    for i in range(6): image(folder/'raw/detector/ears'/f'{i}.png', (48, 48), seed=i)
    coco(folder/'raw/detector/ears/a.json', {f'{i}.png': [[5, 6, 20, 20], [20, 10, 20 + i, 20]] for i in range(6)})
    for i in range(4):
        image(folder/'raw/landmarker/ears'/f'{i}.png', (48, 48), seed=50 + i)
        pts(folder/'raw/landmarker/ears'/f'{i}.pts', [(10, 10), (30, 20), (40, 30)])
    process(folder/'raw', folder/'out', train_split=1.)
    return folder


def opened(folder, kind='detector', **options): return LazyNPYDataset(folder/'out'/f'train_{kind}.npy', **options)


# Views that run backwards

def mirrored(sample): return Sample(sample, image=sample['image'][:, ::-1])


def everything_backwards(sample):
    "Each array a view that PyTorch does not take"
    out = Sample({k: np.flip(v) if isinstance(v, np.ndarray) else v for k, v in sample.items()})
    views = {'deep': (np.eye(3)[::-1],), 'of several sizes': [np.arange(6)[::-1], np.eye(3)[::-1]]}
    return Sample(out, depth=out['image'][..., 0].astype('>f4'), once=np.broadcast_to(np.float32(1), (3,)), views=views, ragged=views['of several sizes'])


def tensors(sample): return as_tv_tensors()(everything_backwards(sample))


def list_of(samples): return [{k: torch.from_numpy(v) for k, v in o.items() if isinstance(v, np.ndarray)} for o in samples]


@pytest.mark.parametrize('workers', [0, 2])
@pytest.mark.parametrize('make', [mirrored, everything_backwards, tensors], ids=['mirrored', 'everything', 'tensors'])
def test_views_that_run_backwards(folder, make, workers):
    for kind in ('detector', 'landmarker', 'teacher') if not workers else ('landmarker',):
        ds, plain = opened(folder, kind, transform=make, image_size=(24, 24)), opened(folder, kind, image_size=(24, 24))
        batches = [next(iter(DataLoader(o, 3, num_workers=workers))) for o in (CombinedLazyDataset([plain, plain[:2]], transform=make), ds)[bool(workers):]]
        if make is mirrored: assert torch.equal(batches[0]['image'], plain.get_batch(range(3))['image'].flip(2))
        if make is tensors: continue
        samples, = DataLoader(ds, len(ds), num_workers=workers, collate_fn=list_of)
        assert all(o['image'].is_contiguous() for o in samples)
        assert all(v.flags.carray for v in ds[0].values() if isinstance(v, np.ndarray)), 'a collate_fn of the user gets what it can use'


@pytest.mark.parametrize('value', [None, np.zeros(2, 'i4,f4'), np.datetime64('2030'), {1}], ids=['None', 'records', 'dates', 'set'])
def test_what_cannot_be_batched_is_named(folder, value):
    with pytest.raises(TypeError, match="^'person' of the samples cannot be a batch"): opened(folder, transform=partial(Sample, person=value)).get_batch([0, 1])


class Own(LazyNPYDataset):
    "A dataset with its own way to make a sample"
    def __getitem__(self, i): return mirrored(super().__getitem__(i))


def test_a_subclass_may_give_views(folder):
    ds = Own(folder/'out/train_detector.npy')
    assert torch.equal(next(iter(DataLoader(ds, 3)))['image'], opened(folder).get_batch(range(3))['image'].flip(2))


# Albumentations

ARGUMENTS = dict( # of transforms that do not do without
    AtLeastOneBBoxRandomCrop=dict(height=20, width=20), CenterCrop=dict(height=20, width=30), Crop=dict(x_max=30, y_max=20), CropAndPad=dict(px=5),
    GridElasticDeform=dict(num_grid_xy=(4, 4), magnitude=3), XYMasking=dict(num_masks_x_range=(1, 2), mask_x_length_range=(4, 9)), LetterBox=dict(size=(30, 20)), Lambda=dict(image=lambda image, **_: image[:, ::-1], bboxes=lambda o, *_, **__: o, keypoints=lambda o, *_, **__: o),
    LongestMaxSize=dict(max_size=30), SmallestMaxSize=dict(max_size=30), PadIfNeeded=dict(min_height=60, min_width=70), RandomCrop=dict(height=20, width=30),
    RandomResizedCrop=dict(size=(20, 30)), RandomSizedBBoxSafeCrop=dict(height=20, width=30), RandomSizedCrop=dict(min_max_height=(10, 30), size=(20, 30)),
    Resize=dict(height=20, width=30), Rotate=dict(angle_range=(90, 90)), SafeRotate=dict(angle_range=(90, 90)), Pad=dict(padding=5))
OTHER_INPUT = {'CopyAndPaste', 'CropNonEmptyMaskIfExists', 'GuidedCoarseDropout', 'MaskDropout', 'Mosaic', 'OverlayElements', 'RandomCropNearBBox',
               'ConstrainedCoarseDropout', 'CubicSymmetry'} # more than a picture with its boxes, or a volume


def geometric(A, kind='detector'):
    "Each geometric transform of the library that a kind has the input for, made so that it always does something"
    found = {}
    for name, make in inspect.getmembers(A, inspect.isclass):
        if not issubclass(make, A.DualTransform) or make is A.DualTransform or '3D' in name or name in OTHER_INPUT: continue
        if kind == 'landmarker' and 'BBox' in name: continue
        options = {k: v for k, v in ARGUMENTS.get(name, {}).items() if k in inspect.signature(make).parameters}
        found[name] = make(**options, p=1)
    return found


def whole(batch, n):
    assert batch['image'].shape[0] == n and batch['image'].is_contiguous() and len(batch['image_path']) == n


def test_every_geometric_transform_of_albumentations_in_batches(folder):
    A = pytest.importorskip('albumentations')
    for kind in ('detector', 'landmarker'):
        steps = geometric(A, kind)
        assert len(steps) > 40 and {'HorizontalFlip', 'VerticalFlip', 'Transpose', 'D4', 'RandomRotate90', 'Rotate', 'SquareSymmetry'} <= {*steps}
        for step in steps.values():
            ds = opened(folder, kind, transform=albumentations_transform(step))
            for batch in DataLoader(ds[[0, 1, 2] * 3], 3): whole(batch, 3) # D4 and the like: another turn each time


@pytest.mark.parametrize('workers', [0, 2])
def test_flips_of_albumentations_in_workers(folder, workers):
    A = pytest.importorskip('albumentations')
    ds = opened(folder, transform=albumentations_transform(A.Compose([A.D4(p=1), A.HorizontalFlip(p=.5), A.Transpose(p=.5), A.RandomRotate90(p=1)])))
    for _ in range(2):
        for batch in DataLoader(ds, 3, num_workers=workers): whole(batch, 3)
        for batch in DataLoader(ds, 3, num_workers=workers, collate_fn=list_of): assert all(o['image'].is_contiguous() for o in batch)


def random_pipeline(A, seed, kind):
    "Up to five steps, some behind a choice, some not geometric"
    draw = random.Random(seed)
    steps = [*geometric(A, kind).values(), A.Normalize(), A.RandomBrightnessContrast(p=.5), A.GaussNoise(p=.5), A.ToGray(p=.5)]
    chosen = draw.sample(steps, draw.randint(1, 5))
    if draw.random() < .3: chosen.append(A.OneOf([A.D4(), A.Transpose(), A.HorizontalFlip()], p=1))
    if draw.random() < .2: chosen.append(A.ToTensorV2())
    else: chosen.append(draw.choice([A.VerticalFlip(p=1), A.Transpose(p=1), A.NoOp()]))
    names = [type(o).__name__ for o in chosen]
    return A.Compose([o for name, step in zip(names, chosen) for o in ([A.Resize(48, 48)] if 'Crop' in name or 'Masking' in name else []) + [step]])


def random_pipelines(folder, seeds):
    A = pytest.importorskip('albumentations')
    for seed in seeds:
        torch.manual_seed(seed)
        for kind in ('detector', 'landmarker'):
            ds = opened(folder, kind, transform=albumentations_transform(random_pipeline(A, seed, kind)))
            whole(next(iter(DataLoader(ds, 3))), 3)


def test_random_pipelines_of_albumentations(folder): random_pipelines(folder, range(20))


@pytest.mark.slow
@pytest.mark.parametrize('first', range(20, 200, 30))
def test_more_random_pipelines_of_albumentations(folder, first): random_pipelines(folder, range(first, first + 30))


@pytest.mark.parametrize('workers', [0, 2])
def test_albumentations_follows_the_seed_of_torch(folder, workers):
    A = pytest.importorskip('albumentations')
    ds = opened(folder, transform=albumentations_transform(A.Compose([A.RandomCrop(20, 20), A.GaussNoise(p=1)])))
    def epoch(seed=None):
        if seed is not None: torch.manual_seed(seed)
        return torch.cat([b['image'] for b in DataLoader(ds, 2, num_workers=workers)])
    first, second = epoch(0), epoch()
    assert torch.equal(epoch(0), first) and torch.equal(epoch(), second), 'the same seed, the same pictures'
    assert not torch.equal(first, second) and not torch.equal(epoch(1), first), 'another epoch or seed, others'


def test_a_pipeline_with_a_seed_has_a_sequence_of_its_own(folder):
    A = pytest.importorskip('albumentations')
    def epoch(seed):
        torch.manual_seed(seed)
        return opened(folder, transform=albumentations_transform(A.Compose([A.GaussNoise(p=1)], seed=7))).get_batch(range(4))['image']
    assert torch.equal(epoch(0), epoch(1))


# Errors

def broken(image, **_): raise KeyError('masks')


@pytest.mark.parametrize('workers', [0, 1])
def test_an_error_names_image_row_and_transform(folder, workers):
    A = pytest.importorskip('albumentations')
    in_a_choice = A.Compose([A.HorizontalFlip(), A.OneOf([A.Lambda(image=broken, p=1)], p=1)])
    for make, what in ((Compose([Flip(), albumentations_transform(in_a_choice)]), 'Compose fails in Lambda in AlbumentationsTransform'),
                       (as_tv_tensors(v2.Compose([v2.RandomHorizontalFlip(), v2.LinearTransformation(torch.eye(3), torch.zeros(3))])), 'TvTensors fails in LinearTransformation'),
                       (Compose([mirrored, broken]), 'Compose fails in broken')):
        ds = opened(folder, transform=make)
        with pytest.raises(TransformError, match=f'5.png .row 5.: {what}: ') as caught: list(DataLoader(ds[5:], 1, num_workers=workers))
        assert caught.value.row == 5


def test_images_that_are_not_alike_are_named():
    "Of numbers between 0 and 1, a batch of uint8 would be black"
    one, other = Sample(image=np.full((4, 4, 3), 200, np.uint8), image_path='a.png'), Sample(image=np.full((4, 4, 3), .5, np.float32), image_path='b.png')
    with pytest.raises(ValueError, match='a.png is uint8.*b.png is float32'): collate([one, other])
    with pytest.raises(ValueError, match='a.png is uint8.*b.png is uint8'): collate([one, Sample(other, image=np.zeros((4, 4), np.uint8))])
    with pytest.raises(TypeError, match='b.png: the image cannot be a tensor'): collate([Sample(other, image=np.array(['x']))])
    half = crop(Sample(other), (0, 0, 4, 8))
    assert half['image'].dtype == np.float32 and half['image'][0, 0, 0] == .5, 'a crop keeps what the numbers are'


# Rows by booleans, and datasets that are added

@pytest.mark.parametrize('make', [list, np.array, torch.tensor, tuple, lambda o: [np.bool_(v) for v in o]], ids=['list', 'array', 'tensor', 'tuple', 'bool_'])
def test_a_batch_of_booleans(folder, make):
    ds = opened(folder)
    for mask in ([False, True, True, False, False, True], [True] + [False] * 5, [False] * 5 + [True]):
        wanted = np.flatnonzero(mask)
        assert ds.get_batch(make(mask))['image_path'].tolist() == [ds.get_metadata(i)['image_path'] for i in wanted]
        if make is not tuple: assert [o['image_path'] for o in ds[make(mask)]] == [ds.get_metadata(i)['image_path'] for i in wanted]
        assert len(ds[1:].get_batch(make(mask[1:]))['image_path']) == sum(mask[1:]) if any(mask[1:]) else True
    for wrong in (make([True] * 5), make([True] * 7), make([False])):
        with pytest.raises(IndexError, match='booleans for a dataset with 6 rows'): ds.get_batch(wrong)
        if make is not tuple:
            with pytest.raises(IndexError, match='booleans for a dataset with 6 rows'): ds[wrong]
    with pytest.raises(ValueError, match='no samples'): ds.get_batch(make([False] * 6))
    if make in (list, np.array, torch.tensor, tuple): assert len(ds.get_batch(make([1, 0, 1]))['image']) == 3, 'numbers stay numbers'


def test_datasets_are_added(folder):
    a, b, other = opened(folder), opened(folder)[:2], opened(folder, 'landmarker')
    both, three, of_sum = a + b, a + b + a, sum([a, b, a])
    assert isinstance(both, CombinedLazyDataset) and len(both) == 8 and both.kind == 'detector' and both.label_names == a.label_names
    assert [o['image_path'] for o in both] == [o['image_path'] for o in CombinedLazyDataset([a, b])]
    assert len(three.datasets) == len(of_sum.datasets) == 3 and len(three) == len(of_sum) == 14
    kept = CombinedLazyDataset([a, b], weights=[1, 3]) + a
    assert len(kept.datasets) == 2 and len(both[2:] + a) == 12, 'what combines in its own way stays whole'
    assert torch.equal(next(iter(DataLoader(a + a, 12)))['image'][6:], a.get_batch(range(6))['image'])
    with pytest.raises(ValueError, match='only datasets of one kind'): a + other
    for wrong in ([a], 1, None):
        with pytest.raises(TypeError, match='unsupported operand'): a + wrong
    plain = torch.utils.data.TensorDataset(torch.zeros(3))
    assert isinstance(a + plain, torch.utils.data.ConcatDataset) and len(a + plain) == 9


def test_added_datasets_are_explored(folder):
    pytest.importorskip('anywidget')
    from ear_lazy.explorer import explore
    ds = opened(folder)
    view = explore(ds + ds)
    assert len(view.ds) == 12 and view.static(12)._repr_html_().count('<img') == 12
