"Images delivered at one size: what comes out is what full decoding and resizing gives, and boxes and points stay on what they mark"
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from making import KINDS, coco, process
from PIL import Image, ImageOps
from torch.utils.data import DataLoader

from ear_lazy.base.geometry import crop_window, fit_boxes, fit_image, fit_points
from ear_lazy.base import images
from ear_lazy.base.images import decode_image, open_image, reduction
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.synthetic import draw_scene

LOADERS, RESIZES = ('pil', 'cv2', 'turbo'), ('letterbox', 'stretch')
BOUND = 2 # grey levels on average


@pytest.fixture(scope='module')
def photo(): return draw_scene(np.random.default_rng(5), (600, 900)).image


def save(path, pixels, orientation=1, mode='RGB', **options):
    "A file that is seen as these pixels"
    turned = {1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
              5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270}[orientation]
    im, exif = Image.fromarray(pixels).convert(mode), Image.Exif()
    exif[274] = orientation
    (im if turned is None else im.transpose(turned)).save(path, exif=exif, **options)
    return path


def expected(path, size, resize, window=None):
    "The slow way: everything decoded and turned, then cut, then resized with Pillow, then put on black"
    with Image.open(path) as im: im = ImageOps.exif_transpose(im).convert('RGB')
    if window: im = im.crop((window[1], window[0], window[3], window[2]))
    if resize == 'stretch': return np.asarray(im.resize(size[::-1], Image.Resampling.BILINEAR))
    scale = min(size[0] / im.height, size[1] / im.width)
    h, w = max(1, round(im.height * scale)), max(1, round(im.width * scale))
    out, top, left = np.zeros((*size, 3), np.uint8), (size[0] - h) // 2, (size[1] - w) // 2
    out[top:top + h, left:left + w] = im.resize((w, h), Image.Resampling.BILINEAR)
    return out


def difference(a, b): return np.abs(a.astype(int) - b).mean()


def decoded(path, loader, size, resize, window=None):
    image = open_image(path)
    top, left, bottom, right = window or (0, 0, *image.size)
    return decode_image(image, loader, window, fit_image((bottom - top, right - left), size, resize))


WINDOWS = {'whole': None, 'inside': (101, 203, 477, 702), 'corner': (300, 500, 600, 900)}


@pytest.mark.parametrize('loader', LOADERS)
@pytest.mark.parametrize('resize', RESIZES)
@pytest.mark.parametrize('window', WINDOWS)
@pytest.mark.parametrize('orientation', range(1, 9))
def test_reduced_decoding_is_within_the_bound(tmp_path, photo, orientation, window, resize, loader):
    "… also of a part, and of a picture that is stored on its side; without reduction there is nothing but rounding"
    path = save(tmp_path/'a.jpg', photo, orientation, quality=90)
    for size in ((64, 64), (100, 40), (37, 121), (512, 512)):
        result = decoded(path, loader, size, resize, WINDOWS[window])
        reference = expected(path, size, resize, WINDOWS[window])
        assert (result.shape, result.dtype) == ((*size, 3), np.uint8) and result.flags.c_contiguous and result.flags.writeable
        assert difference(result, reference) < (BOUND if size != (512, 512) else 1)


@pytest.mark.parametrize('loader', LOADERS)
@pytest.mark.parametrize('options', [{}, dict(progressive=True), dict(subsampling=0), dict(quality=30), dict(mode='L'), dict(mode='CMYK'),
                                     dict(format='MPO', save_all=True, append_images=[Image.new('RGB', (8, 8))])], ids=lambda o: str({k: v for k, v in o.items() if k != 'append_images'}))
def test_jpegs_of_all_kinds(tmp_path, photo, options, loader):
    path = save(tmp_path/'a.jpg', photo, **options)
    for size in ((32, 48), (75, 75), (150, 225)): assert difference(decoded(path, loader, size, 'letterbox'), expected(path, size, 'letterbox')) < BOUND


@pytest.mark.parametrize('loader', LOADERS)
@pytest.mark.parametrize('suffix, mode', [('.png', 'RGB'), ('.png', 'L'), ('.png', 'P'), ('.png', 'RGBA'), ('.webp', 'RGB'), ('.tif', 'RGB'), ('.bmp', 'RGB'), ('.gif', 'P')])
def test_formats_that_are_decoded_in_full(tmp_path, photo, suffix, mode, loader):
    "… come out as expected but for rounding, which differs where the picture is resized before it is turned"
    path = save(tmp_path/f'a{suffix}', photo, 1 if suffix in ('.bmp', '.gif') else 6, mode, **(dict(lossless=True) if suffix == '.webp' else {}))
    for size in ((50, 50), (700, 1000)): assert difference(decoded(path, loader, size, 'letterbox'), expected(path, size, 'letterbox')) < 0.2


def test_16_bit(tmp_path):
    grey = np.linspace(0, 65535, 100 * 150).astype(np.uint16).reshape(100, 150)
    Image.fromarray(grey).save(tmp_path/'a.png')
    reference = np.asarray(Image.fromarray((grey >> 8).astype(np.uint8)).resize((75, 50), Image.Resampling.BILINEAR))
    for loader in LOADERS: assert np.array_equal(decoded(tmp_path/'a.png', loader, (50, 75), 'stretch')[..., 1], reference)


def test_a_jpeg_is_not_decoded_larger_than_need_be(tmp_path, photo, monkeypatch):
    "Half, a quarter or an eighth, and for a part that is small in a large picture not at all"
    import cv2
    path, seen, decode = save(tmp_path/'a.jpg', photo, 6), [], cv2.imdecode
    def imdecode(data, flags):
        seen.append(decode(data, flags).shape[:2])
        return decode(data, flags)
    monkeypatch.setattr(cv2, 'imdecode', imdecode)
    draft = Image.Image.resize
    monkeypatch.setattr(Image.Image, 'resize', lambda im, *args, **kwargs: (seen.append(im.size[::-1]), draft(im, *args, **kwargs))[1])
    for size, shape in {(150, 225): (450, 300), (75, 112): (225, 150), (37, 56): (113, 75), (199, 298): (450, 300), (201, 302): (900, 600)}.items():
        for loader in ('pil', 'cv2'):
            seen.clear()
            decoded(path, loader, size, 'letterbox')
            assert set(seen) == {shape}, (size, loader)
    seen.clear()
    decoded(path, 'pil', (75, 75), 'letterbox', (0, 0, 100, 100))
    assert seen == [(100, 100)]


def test_turbo_decodes_less_too(tmp_path, photo, monkeypatch):
    "… and then it resizes from there"
    path, seen, resized = save(tmp_path/'a.jpg', photo, 6), [], images._resized
    monkeypatch.setattr(images, '_resizes_fast', lambda: True)
    monkeypatch.setattr(images, '_resized', lambda array, *args: (seen.append(array.shape[:2]), resized(array, *args))[1])
    for size, shape in {(150, 225): (450, 300), (75, 112): (225, 150), (37, 56): (113, 75), (199, 298): (450, 300), (201, 302): (900, 600)}.items():
        seen.clear()
        decoded(path, 'turbo', size, 'letterbox')
        assert seen == [shape]


@pytest.mark.parametrize('orientation', [1, 6, 7])
@pytest.mark.parametrize('window', [None, (0, 0, 601 - 8, 307), (13, 7, 501, 402)])
def test_turbo_resizes_as_pillow(tmp_path, monkeypatch, orientation, window):
    "… of sizes that no reduction divides, and it fills what it is given"
    photo = draw_scene(np.random.default_rng(5), (601, 907)).image
    path = save(tmp_path/'a.jpg', photo, orientation)
    for size, resize in (((120, 130), 'letterbox'), ((64, 48), 'stretch'), ((700, 650), 'letterbox')):
        given = []
        for fast in (True, False):
            monkeypatch.setattr(images, '_resizes_fast', lambda fast=fast: fast)
            image, out = open_image(path), np.full((*size, 3), 9, np.uint8)
            top, left, bottom, right = window or (0, 0, *image.size)
            given.append(decode_image(image, 'turbo', window, fit_image((bottom - top, right - left), size, resize), out))
            assert given[-1] is out
        assert np.abs(given[0].astype(int) - given[1]).max() <= 1


@given(st.tuples(*[st.integers(1, 5000)] * 2), st.tuples(*[st.integers(1, 2000)] * 2))
def test_reduction_leaves_more_than_is_wanted(window, inner):
    factor, times = reduction(window, inner), 2 if max(inner) < 128 else 1.5
    assert factor in (1, 2, 4, 8)
    assert factor == 1 or all(w >= times * factor * i * (1 - 1e-12) for w, i in zip(window, inner))
    assert factor == 8 or any(w < 2 * times * factor * i * (1 + 1e-12) for w, i in zip(window, inner))


# Geometry

SIDE = st.integers(1, 3000)


@given(st.tuples(SIDE, SIDE), st.tuples(SIDE, SIDE), st.sampled_from(RESIZES), st.data())
def test_boxes_and_points_follow(picture, size, resize, data):
    "By the formula of a scale and an offset, exact to a thousandth of a pixel; the picture is inside, in the middle, and touches two sides"
    fit = fit_image(picture, size, resize)
    (height, width), (h, w), (x, y) = size, fit.inner, fit.offset
    assert fit.size == size and 1 <= h <= height and 1 <= w <= width and (h == height or w == width)
    assert 0 <= height - h - 2 * y <= 1 and 0 <= width - w - 2 * x <= 1
    if resize == 'stretch': assert fit.inner == size
    elif min(h, w) > 1: assert abs(h * picture[1] - w * picture[0]) <= max(picture) # proportions, to a pixel
    left, right = sorted(data.draw(st.tuples(*[st.floats(0, picture[1], width=32)] * 2)))
    top, bottom = sorted(data.draw(st.tuples(*[st.floats(0, picture[0], width=32)] * 2)))
    moved = fit_boxes(np.array([[left, top, right - left, bottom - top]]), fit)[0]
    sx, sy = w / picture[1], h / picture[0]
    np.testing.assert_allclose(moved, [left * sx + x, top * sy + y, (right - left) * sx, (bottom - top) * sy], atol=1e-3)
    points = fit_points(np.array([[left, top, 2], [right, bottom, 1], [0, 0, 0]], np.float32), fit)
    np.testing.assert_allclose(points, [[left * sx + x, top * sy + y, 2], [right * sx + x, bottom * sy + y, 1], [0, 0, 0]], atol=1e-3)
    assert points.dtype == np.float32


# Datasets

@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    "Photos of five sizes, one of them on its side, with three marks each: a box and a point in the middle of each"
    folder = tmp_path_factory.mktemp('sized')
    (folder/'raw').mkdir()
    images = {}
    for i, (h, w) in enumerate([(200, 300), (310, 190), (240, 240), (90, 400), (600, 800)]):
        pixels, marks = np.full((h, w, 3), 128, np.uint8), []
        for colour, (x, y) in zip(((255, 0, 0), (0, 255, 0), (0, 0, 255)), ((.1, .1), (.6, .2), (.3, .7))):
            x, y, bw, bh = round(x * w), round(y * h), w // 5, h // 4
            pixels[y:y + bh, x:x + bw] = colour
            marks.append((x, y, bw, bh))
        save(folder/f'raw/{i}.jpg', pixels, 6 if i == 1 else 1, quality=95, subsampling=0)
        points = [v for x, y, bw, bh in marks for v in (x + bw / 2, y + bh / 2, 2)] + [0, 0, 0]
        images[f'{i}.jpg'] = [dict(bbox=marks[0], keypoints=points), *(dict(bbox=m) for m in marks[1:])]
    coco(folder/'raw/a.json', images, None)
    process(folder/'raw', folder/'out', train_split=1)
    return folder


def opened(folder, kind, **options): return LazyNPYDataset(folder/f'out/train_{kind}.npy', **options)


def extent(image, channel):
    found = (image[..., channel] > 190) & (np.delete(image, channel, 2).max(-1) < 65)
    y, x = np.nonzero(found)
    return np.array([x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1])


@pytest.mark.parametrize('loader', LOADERS)
@pytest.mark.parametrize('resize', RESIZES)
@pytest.mark.parametrize('size', [(96, 128), (300, 150), (700, 900)])
def test_marks_stay_marked(folder, size, resize, loader):
    options = dict(image_loader=loader, image_size=size, resize=resize)
    for sample in opened(folder, 'detector', **options):
        assert sample['image'].shape == (*size, 3) and sample['bboxes'].dtype == np.float32
        for channel in range(3): np.testing.assert_allclose(extent(sample['image'], channel), sample['bboxes'][channel], atol=2.5)
    for sample in opened(folder, 'landmarker', **options):
        assert sample['image'].shape == (*size, 3) and sample['keypoints'].dtype == np.float32
        for channel in range(3):
            x, y, w, h = extent(sample['image'], channel)
            np.testing.assert_allclose(sample['keypoints'][channel], [x + w / 2, y + h / 2, 2], atol=1.5)
        assert sample['keypoints'][3].tolist() == [0, 0, 0]


@pytest.mark.parametrize('loader', LOADERS)
@pytest.mark.parametrize('resize', RESIZES)
def test_crops_come_out_at_the_size(folder, resize, loader):
    "… and their box is still that of the photo"
    plain, sized = (opened(folder, 'teacher', image_loader=loader, **o) for o in ({}, dict(image_size=(40, 32), resize=resize)))
    for a, b in zip(plain, sized, strict=True):
        window = crop_window(a['bbox'], open_image(a['image_path']).size)
        assert np.array_equal(a['bbox'], b['bbox']) and b['image'].shape == (40, 32, 3)
        assert difference(b['image'], expected(a['image_path'], (40, 32), resize, window)) < BOUND


@pytest.mark.parametrize('kind', KINDS)
def test_batches_have_one_size(folder, kind):
    dataset = opened(folder, kind, image_size=(64, 80), cache_size=3)
    batch = next(iter(DataLoader(dataset, 5)))
    assert batch['image'].shape == (5, 64, 80, 3)
    for other in (dataset.get_batch(range(5)), next(iter(DataLoader(dataset, 5, num_workers=1))), opened(folder, kind, image_size=(64, 80)).get_batch(range(5))):
        assert torch.equal(batch['image'], other['image']) and all(np.array_equal(a, b) for a, b in zip(batch['image_path'], other['image_path']))
    assert dataset.image_shape(0) == (64, 80) and dataset[1:].image_shape(0) == (64, 80)


def test_metadata_and_pickle(folder):
    plain, sized = opened(folder, 'detector'), opened(folder, 'detector', image_size=[64, 80], resize='stretch')
    assert np.array_equal(plain.get_metadata(0)['bboxes'], sized.get_metadata(0)['bboxes'])
    again = pickle.loads(pickle.dumps(sized))
    assert np.array_equal(again[1]['image'], sized[1]['image']) and repr(again) == repr(sized)
    assert "image_size=(64, 80), resize='stretch'" in repr(sized) and 'image_size' not in repr(plain)


@pytest.mark.parametrize('options', [dict(image_size=(0, 5)), dict(image_size=(5,)), dict(image_size=(5, 5, 3)), dict(image_size=(5, 5), resize='crop')], ids=str)
def test_sizes_that_are_none(folder, options):
    with pytest.raises(ValueError): opened(folder, 'detector', **options)


def test_a_size_of_fractions(folder):
    with pytest.raises(ValueError, match=r'not \(64.5, 64\)'): opened(folder, 'detector', image_size=(64.5, 64))
