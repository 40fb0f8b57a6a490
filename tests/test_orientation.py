"A rectangle marked in a picture is where the annotation says, however the picture is stored and whatever size was declared"
import json

import numpy as np
import pytest
from making import assert_accounted, process, reasons, text, write_rows
from PIL import Image

from ear_lazy.errors import ImageLoadError
from ear_lazy.lazy_dataset import LazyNPYDataset

LEFT, TOP, RIGHT, BOTTOM = 10, 6, 34, 18 # of the rectangle, in a picture of 60×40
MARKS = {'red': (10, 6, 34, 18), 'lime': (10, 6, 16, 10), 'blue': (28, 14, 34, 18)} # the last two lie on its corners, and are keypoints
COLOURS = {'red': (255, 0, 0), 'lime': (0, 255, 0), 'blue': (0, 0, 255)}
STORED = { # orientation: the picture as it is stored, such that its turn by EXIF shows it upright
    1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270}


def picture(path, orientation):
    "Store the marked picture turned; the pixels as they are seen, and as they are stored"
    seen = np.full((40, 60, 3), 128, np.uint8)
    for name, (x0, y0, x1, y1) in MARKS.items(): seen[y0:y1, x0:x1] = COLOURS[name]
    im, exif = Image.fromarray(seen), Image.Exif()
    exif[0x0112] = orientation
    if STORED[orientation] is not None: im = im.transpose(STORED[orientation])
    path.parent.mkdir(parents=True, exist_ok=True)
    im.save(path, exif=exif, quality=100, subsampling=0)
    return seen, np.asarray(im)


def extent(pixels, *names):
    "xywh of all pixels in one of these colours"
    found = np.zeros(pixels.shape[:2], bool)
    for name in names: found |= np.abs(pixels.astype(int) - COLOURS[name]).sum(-1) < 120
    y, x = np.nonzero(found)
    return [int(x.min()), int(y.min()), int(np.ptp(x)) + 1, int(np.ptp(y)) + 1]


def rectangle(pixels): return extent(pixels, *COLOURS)


def keypoints(pixels):
    "The middle of the two marks; the first is hidden, to tell them apart"
    (x, y, w, h), (x2, y2, w2, h2) = extent(pixels, 'lime'), extent(pixels, 'blue')
    return [[x + w / 2, y + h / 2, 1], [x2 + w2 / 2, y2 + h2 / 2, 2]]


def annotate(path, format, pixels, declared):
    "Annotate the picture as somebody does who sees these pixels"
    (x, y, w, h), points, (height, width) = rectangle(pixels), keypoints(pixels), pixels.shape[:2]
    size = dict(height=declared[0], width=declared[1]) if declared else {}
    if format == 'coco':
        flat = [o for p in points for o in p]
        annotation = dict(id=1, image_id=1, category_id=1, bbox=[x, y, w, h], keypoints=flat, num_keypoints=2)
        file = dict(images=[dict(id=1, file_name=path.name, **size)], annotations=[annotation], categories=[dict(id=1, name='ear')])
        text(path.with_name('ears.json'), json.dumps(file))
    if format == 'csv':
        columns = ['filename', *size, 'xmin', 'ymin', 'xmax', 'ymax']
        cells = [path.name, *size.values(), x, y, x + w, y + h]
        text(path.with_name('ears.csv'), f"{','.join(columns)}\n{','.join(map(str, cells))}\n")
    if format == 'yolo':
        box = (x + w / 2) / width, (y + h / 2) / height, w / width, h / height
        pose = [o for px, py, v in points for o in (px / width, py / height, v)]
        text(path.parents[1]/'labels'/f'{path.stem}.txt', ' '.join(map(str, [0, *box, *pose])))
        text(path.parents[1]/'data.yaml', 'kpt_shape: [2, 3]\nnames:\n  0: ear\n')


def opened(out, kind, loader): return LazyNPYDataset(out/f'train_{kind}.npy', image_loader=loader)[0]


CASES = [('coco', 'stored'), ('coco', 'oriented'), ('coco', None), ('csv', 'stored'), ('csv', 'oriented'), ('csv', None), ('yolo', None)]


@pytest.mark.parametrize('loader', ['pil', 'cv2', 'turbo'])
@pytest.mark.parametrize('format, declared', CASES) # YOLO has no place for a size
@pytest.mark.parametrize('orientation', STORED)
def test_marked_rectangle(tmp_path, orientation, format, declared, loader):
    "Annotations follow the pixels; a size that the turn does not change says nothing, and they are made on what is seen"
    if format == 'yolo': pytest.importorskip('ear_lazy.formats.yolo')
    path = tmp_path/'raw/ears/images/photo.jpg'
    seen, stored = picture(path, orientation)
    annotated = stored if declared == 'stored' and orientation >= 5 else seen
    annotate(path, format, annotated, {'stored': stored.shape[:2], 'oriented': seen.shape[:2], None: None}[declared])
    report = process(tmp_path/'raw', tmp_path/'out', train_split=1)
    assert_accounted(report, tmp_path/'out')
    assert reasons(report) == []
    detector = opened(tmp_path/'out', 'detector', loader)
    assert detector['image'].shape == seen.shape
    assert rectangle(detector['image']) == [LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP]
    np.testing.assert_allclose(detector['bboxes'], [rectangle(detector['image'])], atol=1e-4)
    crop = opened(tmp_path/'out', 'teacher', loader)
    np.testing.assert_allclose(crop['bbox'], rectangle(detector['image']), atol=1e-4)
    np.testing.assert_array_equal(crop['image'], detector['image'][TOP:BOTTOM, LEFT:RIGHT])
    if format == 'csv': return # boxes alone
    landmarker = opened(tmp_path/'out', 'landmarker', loader)
    np.testing.assert_allclose(landmarker['keypoints'], keypoints(landmarker['image']), atol=1e-4)


def test_picture_is_stored_in_eight_ways(tmp_path):
    "… that differ, four of them with width and height exchanged: the tests above try what they say"
    stored = {o: picture(tmp_path/f'{o}.jpg', o)[1] for o in STORED}
    assert [stored[o].shape[:2] for o in STORED] == [(40, 60)] * 4 + [(60, 40)] * 4
    assert len({stored[o].tobytes() for o in STORED}) == 8


@pytest.mark.parametrize('format', ['coco', 'csv'])
@pytest.mark.parametrize('orientation', [1, 6])
@pytest.mark.parametrize('declared', [(80, 120), (41, 60)])
def test_a_size_that_fits_neither(tmp_path, declared, orientation, format):
    path = tmp_path/'raw/ears/images/photo.jpg'
    seen, _ = picture(path, orientation)
    annotate(path, format, seen, declared)
    report = process(tmp_path/'raw', tmp_path/'out', train_split=1)
    assert_accounted(report, tmp_path/'out')
    assert reasons(report) == [('other_size', 'kept')]
    problem, = report.problems
    assert problem.image == 'ears/images/photo.jpg' and problem.boxes == 1
    assert f'{declared[1]}×{declared[0]}' in problem.detail and '60×40' in problem.detail
    np.testing.assert_allclose(opened(tmp_path/'out', 'detector', 'pil')['bboxes'], [rectangle(seen)])


# At loading: the metadata file says for which size a row was made, and the image may be stored another way by now

VALUES = {'detector': 'bboxes', 'teacher': 'bboxes', 'landmarker': 'keypoints'}


def write_row(folder, kind, pixels, size):
    "A metadata file with one row for the picture `photo.jpg`, annotated by somebody who saw these pixels"
    values = np.array([[*o] for o in keypoints(pixels)] + [[0, 0, 0]] if kind == 'landmarker' else [rectangle(pixels)], np.float32)
    path = folder/f'train_{kind}.npy'
    path.unlink(missing_ok=True) # files are made anew, and never written over
    return write_rows(path, kind, ['photo.jpg'], np.array([len(values)]), {VALUES[kind]: values, 'labels': [1]}, np.array([size]), root='.')


@pytest.mark.parametrize('loader', ['pil', 'cv2', 'turbo'])
@pytest.mark.parametrize('made_for', ['stored', 'oriented', None])
@pytest.mark.parametrize('orientation', STORED)
def test_loading_a_row_made_for(tmp_path, orientation, made_for, loader):
    "What is delivered fits: a size of zero means that the row is for what is seen"
    seen, stored = picture(tmp_path/'photo.jpg', orientation)
    annotated = stored if made_for == 'stored' and orientation >= 5 else seen
    size = {'stored': stored.shape[:2], 'oriented': seen.shape[:2], None: (0, 0)}[made_for]
    def opened(kind, **options): return LazyNPYDataset(write_row(tmp_path, kind, annotated, size), image_loader=loader, **options)
    detector, landmarker, teacher = (opened(kind) for kind in ('detector', 'landmarker', 'teacher'))
    for sample in (detector[0], {k: v[0] for k, v in detector.get_batch([0]).items()}):
        assert sample['image'].shape == seen.shape
        np.testing.assert_allclose(sample['bboxes'], [[LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP]], atol=1e-4)
        assert rectangle(np.asarray(sample['image'])) == [LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP]
    np.testing.assert_allclose(landmarker[0]['keypoints'], [*keypoints(seen), [0, 0, 0]], atol=1e-4)
    np.testing.assert_allclose(landmarker.get_batch([0])['keypoints'][0], [*keypoints(seen), [0, 0, 0]], atol=1e-4)
    np.testing.assert_array_equal(teacher[0]['image'], detector[0]['image'][TOP:BOTTOM, LEFT:RIGHT])
    np.testing.assert_allclose(teacher.get_batch([0])['bbox'], [[LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP]], atol=1e-4)
    large = opened('detector', image_size=(320, 240))[0] # four times, with bars of 80 above and below
    np.testing.assert_allclose(large['bboxes'], [[4*LEFT, 4*TOP + 80, 4*(RIGHT - LEFT), 4*(BOTTOM - TOP)]], atol=1e-3)
    np.testing.assert_allclose(rectangle(large['image']), large['bboxes'][0], atol=3)
    crop = opened('teacher', image_size=(36, 72))[0]
    np.testing.assert_allclose(crop['bbox'], [LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP], atol=1e-4)
    np.testing.assert_allclose(extent(crop['image'], 'lime'), [0, 0, 18, 12], atol=2)


@pytest.mark.parametrize('loader', ['pil', 'cv2', 'turbo'])
@pytest.mark.parametrize('kind', ['detector', 'landmarker', 'teacher'])
@pytest.mark.parametrize('orientation, size', [(1, (60, 40)), (3, (60, 40)), (6, (41, 60)), (6, (80, 120))])
def test_loading_an_image_of_another_size(tmp_path, orientation, size, kind, loader):
    "A picture that EXIF does not lay on its side has one size, and any other is an error that says what to do"
    seen, _ = picture(tmp_path/'photo.jpg', orientation)
    dataset = LazyNPYDataset(write_row(tmp_path, kind, seen, size), image_loader=loader)
    for ask in (lambda: dataset[0], lambda: dataset.get_batch([0])):
        with pytest.raises(ImageLoadError) as caught: ask()
        assert caught.value.row == 0
        for words in ('photo.jpg (row 0)', '60×40', f'{size[1]}×{size[0]}', 'ear-lazy process --all'): assert words in str(caught.value)
    assert dataset.get_metadata(0)['image_path'].endswith('photo.jpg')
