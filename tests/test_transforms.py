"Transforms move boxes and keypoints as they move pixels, and datasets apply them anew, behind the cache, with errors that name the row"
import pickle
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from making import coco, image, process, pts
from torch.utils.data import DataLoader

from ear_lazy.errors import TransformError
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.loading.samples import Sample
from ear_lazy.transforms import Compose, Crop, Flip, Letterbox, crop, flip, letterbox

CLOSE = 1e-3 # pixels


def numbered(height, width):
    "An image whose pixels tell where they were: row and column, counted from 1, so that black is no pixel of it"
    y, x = np.indices((height, width)) + 1
    return np.stack([y, x // 256, x % 256], -1).astype(np.uint8)


def exact_map(after):
    "The map that pixels of a numbered image took, as x' = a*x + b and y' = c*y + d in fractions; None where none is left"
    found = np.argwhere(after[..., 0] > 0)
    if not len(found): return None
    centre = np.array([after[..., 1].astype(int) * 256 + after[..., 2] - 1, after[..., 0].astype(int) - 1])
    (y0, x0), (_, x1) = found[0], found[-1]
    sign = 1 if x1 == x0 or centre[0, y0, x1] > centre[0, y0, x0] else -1
    half = Fraction(1, 2)
    return (sign, x0 + half - sign * (int(centre[0, y0, x0]) + half)), (1, y0 + half - (int(centre[1, y0, x0]) + half))


def mapped(map, xy): return [a * Fraction(float(v)) + b for (a, b), v in zip(map, xy)]


def clipped(box, map, size):
    "Corners of a box after an exact map, cut off at the edges, and the share of it that is left"
    (x0, y0), (x1, y1) = (mapped(map, o) for o in (box[:2], [Fraction(float(a)) + Fraction(float(b)) for a, b in zip(box[:2], box[2:])]))
    x0, x1 = sorted((x0, x1))
    cut = [max(x0, 0), max(y0, 0), min(x1, size[1]), min(y1, size[0])]
    left = max(cut[2] - cut[0], 0) * max(cut[3] - cut[1], 0)
    return cut, left / ((x1 - x0) * (y1 - y0))


@st.composite
def samples(draw):
    height, width = draw(st.integers(1, 20)), draw(st.one_of(st.integers(2, 40), st.integers(4000, 6000)))
    number = lambda most: st.floats(0, most, width=32)
    corners = draw(st.lists(st.tuples(number(width), number(height), number(width), number(height)), max_size=5))
    boxes = [(min(a, c), min(b, d), abs(c - a), abs(d - b)) for a, b, c, d in corners if abs(c - a) > .01 and abs(d - b) > .01]
    points = draw(st.lists(st.tuples(number(width), number(height), st.sampled_from([1, 2])), max_size=6)) + [(0, 0, 0)]
    return Sample(image=numbered(height, width), bboxes=np.array(boxes, np.float32).reshape(-1, 4), keypoints=np.array(points, np.float32),
                  image_path='a.png', labels=np.arange(len(boxes)) + 10)


def assert_moved(before, after, map, min_visible=0., order=None):
    "Boxes and points lie where the exact map has them, what is outside is gone, and labels are those of the boxes"
    size = after['image'].shape[:2]
    kept = np.arange(len(before['bboxes'])) if after.kept is None else after.kept
    assert after['labels'].tolist() == (kept + 10).tolist() and len(after['bboxes']) == len(kept)
    for i, box in enumerate(before['bboxes']):
        corners, share = clipped(box, map, size) if map else ([], 0)
        if i not in kept: assert share <= max(min_visible, 1e-4) + 1e-4
        else:
            assert share > 0 and share >= min_visible - 1e-4
            x, y, w, h = after['bboxes'][kept.tolist().index(i)].astype(float)
            assert np.abs(np.array([x, y, x + w, y + h]) - np.array(corners, float)).max() < CLOSE
    for j, (x, y, v) in enumerate(before['keypoints']):
        found = after['keypoints'][j if order is None else order[j]].astype(float)
        to = mapped(map, (x, y)) if v and map else None
        if to is None or not (0 <= to[0] <= size[1] and 0 <= to[1] <= size[0]): assert found.tolist() == [0, 0, 0]
        else: assert found[2] == v and np.abs(found[:2] - np.array(to, float)).max() < CLOSE


@given(samples())
def test_flip_moves_what_it_marks(sample):
    order = [1, 0, *range(2, len(sample['keypoints']))] if len(sample['keypoints']) > 1 else [0]
    after = flip(sample, pairs=[(0, 1)] if len(order) > 1 else ())
    assert_moved(sample, after, exact_map(after['image']), order=order)


@given(samples(), st.data())
def test_crop_moves_what_it_marks(sample, data):
    height, width = sample['image'].shape[:2]
    top, left = data.draw(st.integers(-30, height + 5)), data.draw(st.integers(-30, width + 5))
    window = top, left, top + data.draw(st.integers(1, 50)), left + data.draw(st.integers(1, width))
    min_visible = data.draw(st.sampled_from([0., .3, .9]))
    after = crop(sample, window, min_visible)
    assert after['image'].shape == (window[2] - top, window[3] - left, 3)
    assert_moved(sample, after, exact_map(after['image']), min_visible)


@given(samples(), st.integers(0, 2**32))
def test_random_chain_moves_what_it_marks(sample, seed):
    after = Compose([Flip(seed=seed), Crop(scale=(.4, 1.), seed=seed), Flip(seed=seed + 1), Crop(scale=(.7, 1.), p=.5, seed=seed)])(sample)
    if after['image'].shape[1] > 1: assert_moved(sample, after, exact_map(after['image'])) # of one column, nobody can tell whether it was mirrored


@given(samples(), st.integers(1, 300), st.integers(1, 300), st.integers(0, 2**32))
def test_letterbox_moves_what_it_marks(sample, height, width, seed):
    "By the definition of a letterbox: the largest whole picture of the same proportions, in the middle"
    after, whole, size = letterbox(sample, (height, width)), sample['image'].shape[:2], (height, width)
    share = min(Fraction(a, b) for a, b in zip(size, whole))
    inner = [max(1, round(float(o * share))) for o in whole]
    (c, d), (a, b) = ((Fraction(i, w), Fraction((s - i) // 2)) for i, w, s in zip(inner, whole, size))
    assert_moved(sample, after, ((a, b), (c, d)))
    assert Letterbox((height, width), scale=(.3, .9), seed=seed)(sample)['image'].shape == (height, width, 3)


def test_random_letterbox_keeps_boxes_on_what_they_mark():
    "A white rectangle on black: its edges in the new image are those of its box, within the blur of scaling"
    picture = np.zeros((300, 420, 3), np.uint8)
    picture[60:180, 100:300] = 255
    sample = Sample(image=picture, bboxes=np.float32([[100, 60, 200, 120]]), image_path='a.png')
    for seed in range(30):
        after = Letterbox((200, 160), scale=(.4, 1), seed=seed)(sample)
        weight = after['image'][..., 0] / 255
        x, y, w, h = after['bboxes'][0]
        for values, start, length in ((weight.max(0), x, w), (weight.max(1), y, h)):
            assert abs(values.sum() - length) < .6 and abs((values * (np.arange(len(values)) + .5)).sum() / values.sum() - start - length / 2) < .3


# In a dataset

@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    "12 images of one box each, one of two, and 4 with keypoints, processed"
    folder = tmp_path_factory.mktemp('transforms')
    for i in range(12): image(folder/'raw/detector/ears'/f'{i}.png', (40, 60), seed=i)
    coco(folder/'raw/detector/ears/a.json', {f'{i}.png': [[5, 6, 20, 20]] + [[30, 10, 25, 20]] * (i == 3) for i in range(12)})
    for i in range(4):
        image(folder/'raw/landmarker/ears'/f'{i}.png', (40, 60), seed=50 + i)
        pts(folder/'raw/landmarker/ears'/f'{i}.pts', [(10, 10), (30, 20), (50, 30)])
    process(folder/'raw', folder/'out', train_split=1.)
    return folder


def opened(folder, kind='detector', **options): return LazyNPYDataset(folder/'out'/f'train_{kind}.npy', **options)


def brighter(sample): return dict(sample, image=sample['image'] // 2 + torch.randint(100, ()).numpy().astype(np.uint8))


def failing(sample): return sample['boxes']


class Draws:
    "A random number for each row"
    def __init__(self, seed): self.flip = Flip(seed=seed)
    def __call__(self, sample): return Sample(number=int(self.flip.rng().integers(1 << 30)), image_path=sample['image_path'])


def numbers(ds, **options): return torch.cat([b['number'] for b in DataLoader(ds, 2, num_workers=2, **options)]).tolist()


def test_transform_is_fresh_behind_the_cache(folder):
    torch.manual_seed(0)
    ds, plain = opened(folder, cache_size=20, transform=brighter), opened(folder)
    first, second = ds[3], ds[3]
    assert ds.cache_info().hits == 1 and not np.array_equal(first['image'], second['image'])
    assert np.array_equal(ds.get_metadata(3)['bboxes'], plain.get_metadata(3)['bboxes']) and isinstance(first, Sample)
    first['image'][:] = 0
    ds.transform = None
    assert np.array_equal(ds[3]['image'], plain[3]['image']), 'the cache keeps what was decoded'


@pytest.mark.parametrize('seed', [None, 5])
def test_workers_draw_different_numbers_and_the_same_in_each_run(folder, seed):
    ds = opened(folder, transform=Draws(seed))
    runs = []
    for _ in range(2):
        torch.manual_seed(0)
        runs.append([numbers(ds), numbers(ds)])
    assert runs[0] == runs[1], 'the same seed, other numbers'
    assert len({*runs[0][0], *runs[0][1]}) == 2 * len(ds), 'workers or epochs repeat each other'


def test_threads_decode_but_draw_in_order(folder):
    batches = []
    for threads in (1, 4):
        torch.manual_seed(0)
        ds = opened(folder, num_threads=threads, transform=Crop((20, 30)))
        batches.append([ds.get_batch(range(12)), *DataLoader(ds, 12)])
    for a, b in zip(*batches): assert torch.equal(a['image'], b['image']) and a['image'].shape == (12, 20, 30, 3)


def test_ways_to_ask_agree(folder):
    make = Compose([flip, partial(letterbox, size=(32, 32))])
    for kind in ('detector', 'landmarker', 'teacher'):
        ds, plain = opened(folder, kind, transform=make), opened(folder, kind)
        part, both, again = ds[2:4], CombinedLazyDataset([plain, ds]), pickle.loads(pickle.dumps(ds))
        above = CombinedLazyDataset([plain[:2], plain], transform=make)
        wanted = [make(plain[i]) for i in (2, 3)]
        for found in ([ds[2], ds[3]], [part[0], part[1]], [both[len(ds) + 2], both[len(ds) + 3]], [again[2], again[3]], [above[4], above[5]]):
            for a, b in zip(found, wanted, strict=True): assert all(np.array_equal(a[k], b[k]) for k in b) and list(a) == list(b)
        assert ds.image_shape(0) == both.image_shape(len(ds)) == above.image_shape(0) == (0, 0) != both.image_shape(0)
        batches = [ds.get_batch([2, 3]), part.get_batch([0, 1]), above.get_batch([4, 5]), *DataLoader(part, 2)]
        if kind == 'detector': batches += DataLoader(part, 2, num_workers=1, multiprocessing_context='spawn')
        for batch in batches:
            assert torch.equal(batch['image'], torch.from_numpy(np.stack([o['image'] for o in wanted]))) and list(batch) == list(wanted[0])


def test_image_size_and_letterbox_are_one_map(folder):
    for kind in ('detector', 'landmarker'):
        a, b = opened(folder, kind, image_size=(50, 32)), opened(folder, kind, transform=Letterbox((50, 32)))
        for i in range(len(a)):
            for key in a[i]: assert np.array_equal(a[i][key], b[i][key]), key


@pytest.mark.parametrize('workers', [0, 1])
def test_error_names_image_and_row(folder, workers):
    ds = opened(folder, transform=failing)
    with pytest.raises(TransformError, match=r"png \(row 5\): failing fails: KeyError: .*no 'boxes'") as caught:
        list(DataLoader(ds[5:], 1, num_workers=workers))
    assert caught.value.row == 5 and caught.value.path == ds.get_metadata(5)['image_path']
    with pytest.raises(TransformError, match='row 3'): CombinedLazyDataset([ds])[3]
    if not workers: assert isinstance(caught.value.__cause__, KeyError)


def test_errors_of_a_transform_are_never_skipped(folder):
    with pytest.raises(TransformError): opened(folder, transform=failing, on_error='skip')[0]


@pytest.mark.filterwarnings('ignore:skipped')
def test_batch_of_which_nothing_is_left_looks_transformed(tmp_path):
    image(tmp_path/'raw/detector/ears/0.png')
    coco(tmp_path/'raw/detector/ears/a.json', {'0.png': [[5, 6, 20, 20]]}, size=None)
    process(tmp_path/'raw', tmp_path/'out', train_split=1.)
    (tmp_path/'raw/detector/ears/0.png').unlink()
    ds = opened(tmp_path, on_error='skip', transform=Compose([Flip(p=1), Letterbox((16, 24))]))
    batch, = DataLoader(ds, 1)
    assert batch['image'].shape == (0, 16, 24, 3) and batch['image'].dtype == torch.uint8
    replaced = opened(tmp_path, on_error=lambda e: Sample(image=np.zeros((9, 9, 3), np.uint8), bboxes=np.zeros((0, 4), np.float32), image_path=e.path), transform=Letterbox((16, 24)))
    assert replaced[0]['image'].shape == (16, 24, 3)


def test_explorer_shows_the_transform_of_the_dataset(folder):
    pytest.importorskip('anywidget')
    from ear_lazy.explorer import explore
    from ear_lazy.looking.row_pictures import Pictures
    from ear_lazy.looking.row_table import RowTable
    def shown(ds, **options): return Pictures(ds, RowTable(ds), **options).full(3)
    cut, fit = partial(crop, window=(0, 28, 40, 60)), partial(letterbox, size=(64, 64))
    first, data = shown(opened(folder, transform=cut), transform=fit)
    second, same = shown(opened(folder), transform=Compose([cut, fit]))
    third, third_data = shown(CombinedLazyDataset([opened(folder, transform=cut)], transform=fit))
    assert first == second == third and data == same == third_data
    assert first['truth']['classes'] == ['ear'] and len(first['truth']['boxes']) == 1
    with pytest.raises(ValueError, match='without a transform'): explore(opened(folder, transform=cut), predictions=[None] * 12)


def test_an_error_that_cannot_be_told_names_its_row(tmp_path):
    class Broken(Exception):
        def __str__(self): raise RuntimeError
    def transform(sample): raise Broken
    image(tmp_path/'raw/a.png'), coco(tmp_path/'raw/a.json', {'a.png': [[1, 2, 3, 4]]})
    process(tmp_path/'raw', tmp_path/'out', ('detector',), train_split=1)
    with pytest.raises(TransformError, match=r'a.png \(row 0\): .*Broken: it cannot say why'): LazyNPYDataset(tmp_path/'out/train_detector.npy', transform=transform)[0]
    with pytest.raises(ValueError, match='which no memory holds'): LazyNPYDataset(tmp_path/'out/train_detector.npy', image_size=(10**9, 10**9))
