"Exports with a file for each photo come home equal, in what their formats hold, and say what these do not"
import json
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import contents, text
from PIL import Image
from test_coco_home import FEW, KINDS, NAMES, RECORDED, fields, made, objects, processed
from test_coco_home import few as few
from tiers import tries

from ear_lazy.base.images import load_image, open_image
from ear_lazy.errors import OutputError
from ear_lazy.lazy_dataset import CombinedLazyDataset
from ear_lazy.loading.placing import upright
from ear_lazy.export import to_coco, to_csv, to_labelme, to_pts, to_voc, to_yolo


def numbers(ds): return fields(ds, ids=False, unlabelled=False)


@pytest.fixture
def bare(tmp_path):
    "As `few`, without the annotations that the rows were read from"
    ds = processed(made(tmp_path/'home/raw', FEW), tmp_path/'npy')[0]
    (tmp_path/'home/raw/ears/all.json').unlink()
    return ds


@pytest.mark.parametrize('images', [None, 'link', 'copy'])
@pytest.mark.parametrize('kind', ['detector', 'teacher'])
def test_voc_comes_home(bare, tmp_path, kind, images):
    ds = bare[kind]
    folder = to_voc(ds, tmp_path/('out/ears' if images else 'home/out/ears'), images)
    photos = {ds.metadata.image_path(i)[:-4] for i in range(len(ds))}
    assert sorted(p.relative_to(folder/'Annotations').as_posix() for p in folder.rglob('*.xml')) == sorted(f'{o}.xml' for o in photos)
    assert sorted((folder/'ImageSets/Main/train.txt').read_text().splitlines()) == sorted(photos) and (folder/'JPEGImages').exists() == bool(images)
    again, report = processed(tmp_path/('out' if images else 'home'), tmp_path/'npy2', kinds=(kind,))
    assert numbers(again[kind]) == numbers(ds), report


@pytest.mark.parametrize('images', [None, 'link', 'copy'])
@pytest.mark.parametrize('kind', KINDS)
def test_labelme_comes_home(bare, tmp_path, kind, images):
    ds = bare[kind]
    folder = ds.to_labelme(tmp_path/('out/ears' if images else 'home/out/ears'), images)
    for file in folder.rglob('*.json'):
        said = json.loads(file.read_text())
        with Image.open(file.parent/said['imagePath']) as im: assert im.size == (said['imageWidth'], said['imageHeight']) and said['imageData'] is None
    again, report = processed(tmp_path/('out' if images else 'home'), tmp_path/'npy2', kinds=(kind,))
    assert numbers(again[kind]) == numbers(ds), report


@settings(max_examples=tries(100)//2)
@given(st.dictionaries(st.sampled_from(NAMES[:3]), st.lists(objects(), max_size=3), min_size=1), st.sampled_from(KINDS), st.booleans())
def test_whatever_a_file_can_hold_comes_home(images, kind, in_voc):
    with tempfile.TemporaryDirectory() as tmp:
        tmp = Path(tmp)
        made(tmp/'raw', images)
        ds = processed(tmp/'raw', tmp/'npy', kinds=(kind,), sources=[RECORDED])[0].get(kind)
        if ds is None: return
        (to_voc if in_voc and kind != 'landmarker' else to_labelme)(ds, tmp/'out/ears', 'copy')
        again, report = processed(tmp/'out', tmp/'npy2', kinds=(kind,), sources=[RECORDED])
        assert numbers(again[kind]) == numbers(ds), report


def test_voc_says_what_it_cannot_hold(few, tmp_path):
    with pytest.raises(ValueError, match='no place for keypoints: use to_coco'): few[1]['landmarker'].to_voc(tmp_path/'voc')
    made(tmp_path/'raw', {'a.png': [dict(bbox=[1, 2, 3, 4], category_id=1)]}, [dict(id=1, name='ear\x1b')])
    with pytest.raises(ValueError, match='that XML cannot hold: use to_coco, or rename it'): to_voc(processed(tmp_path/'raw', tmp_path/'npy')[0]['detector'], tmp_path/'voc')
    assert not (tmp_path/'voc').exists()
    assert '<xmax>12</xmax>' in next(to_voc(few[1]['detector'], tmp_path/'whole', integers=True).rglob('a/1.xml')).read_text()


def test_photos_that_would_share_a_file(tmp_path):
    made(tmp_path/'raw', {'a.png': [dict(bbox=[1, 2, 3, 4])], 'A.jpg': [dict(bbox=[1, 2, 3, 4])]})
    ds = processed(tmp_path/'raw', tmp_path/'npy')[0]['detector']
    with pytest.raises(ValueError, match='would share the file'): to_voc(ds, tmp_path/'voc')


@pytest.mark.parametrize('images', ['link', 'copy'])
def test_points_come_home(tmp_path, images):
    "In the order of the photos; every loss is told"
    made(tmp_path/'raw', {'a/1.png': [dict(keypoints=[2.3, 3, 2, 8, 9, 1], bbox=[1, 2, 9, 9], category_id=5)], 'b/1.png': [dict(keypoints=[5, 5.1, 2], category_id=9)]})
    ds = processed(tmp_path/'raw', tmp_path/'npy')[0]['landmarker']
    with pytest.warns(UserWarning, match='ears is written without 1 points that are hidden and will be visible, 1 boxes, 2 classes of objects, 1 lists of names of points: to_labelme and to_coco hold them'): ds.to_pts(tmp_path/'out/ears', images)
    assert sorted(o.name for o in (tmp_path/'out/ears/ears/a').iterdir()) == ['1.png', '1.pts']
    again = processed(tmp_path/'out', tmp_path/'npy2')[0]['landmarker']
    def xy(ds): return sorted((ds.metadata.image_path(i)[-7:], ds.metadata.values(i)[:, :2].tobytes()) for i in range(len(ds)))
    assert xy(again) == xy(ds)


def test_points_that_pts_cannot_hold(few, tmp_path):
    with pytest.raises(ValueError, match='no place for boxes: use to_voc'): few[1]['teacher'].to_pts(tmp_path/'pts')
    with pytest.raises(ValueError, match='points that are not labelled, as 1 of'): to_pts(few[1]['landmarker'], tmp_path/'pts')
    made(tmp_path/'raw', {'a.png': [dict(keypoints=[2, 3, 2]), dict(keypoints=[4, 3, 2])]})
    with pytest.raises(ValueError, match='a.png has several sets of points, as 1 of 1 photos have'): to_pts(processed(tmp_path/'raw', tmp_path/'npy')[0]['landmarker'], tmp_path/'pts')
    assert not (tmp_path/'pts').exists()


WRITERS = {'coco': lambda ds, at, images: to_coco(ds, at/'all.json', images), 'csv': lambda ds, at, images: to_csv(ds, at/'all.csv', images),
           'yolo': lambda ds, at, images: to_yolo(ds, at/'ears', images or 'link'), 'voc': lambda ds, at, images: to_voc(ds, at/'ears', images), 'labelme': lambda ds, at, images: to_labelme(ds, at/'ears', images)}


@pytest.fixture(scope='module')
def turned(tmp_path_factory):
    "A JPEG of each orientation, a PNG, a TIFF, and one that is not turned, with a box on a red corner"
    tmp, files = tmp_path_factory.mktemp('turned'), {f'{n}.jpg': n for n in range(1, 9)} | {'p.png': 6, 't.tif': 8}
    for name, n in files.items():
        pixels = np.zeros((24, 40, 3), np.uint8)
        pixels[:8, :16] = 255, 0, 0
        (tmp/'raw').mkdir(exist_ok=True)
        back = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}.get(n, 1)
        stored = Image.fromarray(pixels)
        if back > 1: stored = stored.transpose({2: Image.FLIP_LEFT_RIGHT, 3: Image.ROTATE_180, 4: Image.FLIP_TOP_BOTTOM, 5: Image.TRANSPOSE, 6: Image.ROTATE_270, 7: Image.TRANSVERSE, 8: Image.ROTATE_90}[back])
        exif = Image.Exif()
        exif[274], exif[271] = n, 'a camera'
        stored.save(tmp/'raw'/name, exif=exif.tobytes(), **(dict(quality=95, subsampling=0) if name.endswith('jpg') else {}))
    file = dict(images=[dict(id=i, file_name=o, height=24, width=40) for i, o in enumerate(files)], annotations=[dict(id=i + 1, image_id=i, category_id=1, bbox=[0, 0, 16, 8]) for i in range(len(files))], categories=[dict(id=1, name='corner')])
    text(tmp/'raw/all.json', json.dumps(file))
    return tmp, processed(tmp/'raw', tmp/'npy')[0]['detector']


@pytest.mark.parametrize('write', WRITERS.values(), ids=WRITERS)
def test_copies_are_upright(turned, tmp_path, write):
    "A reader that ignores EXIF finds the corner where the box is; a photo that is not turned is the same bytes"
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        write(turned[1], tmp_path/'out', 'copy')
    copies = [p for p in (tmp_path/'out').rglob('*') if p.suffix in ('.jpg', '.png', '.tif')]
    assert len(copies) == 10
    for path in copies:
        with Image.open(path) as im:
            assert im.size == (40, 24) and im.getexif().get(274, 1) == 1 and im.getexif().get(271) == 'a camera', path
            red = np.asarray(im.convert('RGB')).astype(int)[..., 0] > 128
            assert red[:8, :16].mean() > .97 and red.sum() < 16*8 + 30, path
    assert next(p for p in copies if p.name == '1.jpg').read_bytes() == (turned[0]/'raw/1.jpg').read_bytes()
    again = processed(tmp_path/'out', tmp_path/'npy')[0]['detector']
    assert all(np.allclose(again.metadata.values(i), [[0, 0, 16, 8]], atol=1e-3) for i in range(10))


@pytest.mark.parametrize('write', WRITERS.values(), ids=WRITERS)
def test_turned_photos_that_stay_as_they_are_are_told(turned, tmp_path, write):
    for images in (None, 'link'):
        with pytest.warns(UserWarning, match="9 of 10 photos of .* are turned by their EXIF, .*: a reader that ignores EXIF sees other ones; images='copy' writes") as told: write(turned[1], tmp_path/str(images), images)
        assert len(told) == 1
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        write(turned[1][:1], tmp_path/'first', None)


def test_a_folder_of_somebody_else_is_left_alone(few, tmp_path):
    text(tmp_path/'out/mine.txt', 'mine')
    for write in (to_voc, lambda *o: to_pts(few[1]['landmarker'], *o[1:])):
        with pytest.raises((OutputError, ValueError)): write(few[1]['detector'], tmp_path/'out')
        with pytest.raises((OutputError, ValueError)): write(few[1]['detector'], few[0]/'raw/ears/new')
    assert contents(tmp_path) == {'out/mine.txt': b'mine'} and not (few[0]/'raw/ears/new').exists()


def test_nothing_is_written_as_nothing(few, tmp_path):
    for kind, write in (('detector', to_voc), ('teacher', to_labelme), ('landmarker', to_pts)):
        for images in (None, 'copy'):
            folder = write(few[1][kind][:0], tmp_path/kind/str(images), images)
            assert folder.is_dir() and {p.name for p in folder.rglob('*') if p.is_file()} <= {'train.txt'}


def test_photos_of_several_roots_lie_apart(few, tmp_path):
    made(tmp_path/'other', {'a/1.png': [dict(bbox=[1, 2, 3, 4])]})
    both = CombinedLazyDataset([few[1]['teacher'], processed(tmp_path/'other', tmp_path/'npy')[0]['teacher']])
    for write in (to_voc, to_labelme):
        write(both, tmp_path/write.__name__/'ears', 'copy')
        assert len(processed(tmp_path/write.__name__, tmp_path/f'npy {write.__name__}')[0]['teacher']) == len(both) == len(few[1]['teacher']) + 1


@pytest.mark.parametrize('name, mode, options', [('g.jpg', 'L', {}), ('c.jpg', 'CMYK', {}), ('p.png', 'P', {}), ('a.png', 'LA', {}), ('i.png', 'I;16', {}), ('b.png', '1', {}), ('l.webp', 'RGB', dict(lossless=True)), ('t.tif', 'RGB', dict(compression='tiff_lzw'))])
def test_a_photo_that_is_turned_keeps_its_mode_and_pixels(tmp_path, name, mode, options):
    exif, pixels = Image.Exif(), np.arange(24*40).reshape(24, 40)
    exif[274] = 8
    im = Image.fromarray((pixels * 60).astype(np.uint16)) if mode == 'I;16' else Image.fromarray(np.uint8(pixels // 240 * 80)).convert(mode)
    im.save(tmp_path/name, exif=exif.tobytes(), **options)
    (tmp_path/f'upright {name}').write_bytes(upright(open_image(str(tmp_path/name))))
    found = open_image(str(tmp_path/f'upright {name}'))
    assert (found.turn, found.stored, found.im.mode, found.im.format) == (1, (40, 24), mode, open_image(str(tmp_path/name)).im.format)
    assert np.abs(load_image(found.path).astype(int) - load_image(str(tmp_path/name))).max() <= 2*name.endswith('jpg')
