"The right photo: whatever Pillow opens, under whatever name, or the true reason; and never a box on another photo"
import json
import sys
import unicodedata
import warnings
from zipfile import ZipFile

import numpy as np
import pytest
from making import boxes, coco, image, outcome, problem, process, reasons, rows, text
from PIL import Image

from ear_lazy.base.images import has_heif, image_size, load_image, stored_turn
from ear_lazy.errors import ImageLoadError
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset

BOX = [1, 2, 3, 4]
CSV = 'image_path,x1,y1,w,h\n'


@pytest.fixture
def raw(tmp_path): return tmp_path/'raw'


def table(path, *names): return text(path, CSV + ''.join(f'{o},1,2,3,4\n' for o in names))


def found(raw): return [path.removeprefix('ears/') for path, _ in boxes(raw.parent/'out')]


# Names

@pytest.mark.parametrize('written, on_disk, how', [
    ('a.jpg', 'A.JPG', 'another case'),
    ('Img/a.jpg', 'img/A.jpg', 'another case'),
    ('my%20photo.jpg', 'my photo.jpg', 'written as a URL'),
    ('/data/local-files/?d=set%2Fmy%20photo.jpg', 'images/my photo.jpg', 'written as a URL'),
    ('https://host/x/a.jpg?size=1', 'a.jpg', 'written as a URL'),
    (unicodedata.normalize('NFC', 'Hörprobe.jpg'), unicodedata.normalize('NFD', 'Hörprobe.jpg'), 'another form of Unicode'),
    ('images/a.jpg', 'images\\a.jpg', 'a backslash in its name on disk')])
def test_another_spelling(raw, written, on_disk, how):
    "It is found, and this is noted once"
    if '\\' in on_disk and sys.platform == 'win32': pytest.skip('no file can be called so')
    image(raw/'ears'/on_disk, format='PNG'), image(raw/'ears/b.png', seed=1)
    table(raw/'ears/boxes.csv', written, 'b.png')
    p = problem(outcome(raw), 'other_name')
    assert (p.action, p.image, p.detail) == ('kept', f'ears/{on_disk}', f'{written}: {how}')
    assert sorted(found(raw)) == sorted([on_disk, 'b.png'])


def test_the_exact_name_comes_first(raw):
    for i, o in enumerate(('a%20b.png', 'a b.png', 'c.png', 'C.png')): image(raw/'ears'/o, seed=i)
    table(raw/'ears/boxes.csv', 'a%20b.png', 'c.png')
    assert reasons(outcome(raw)) == [] and found(raw) == ['a%20b.png', 'c.png']


def test_several_spellings_are_no_guess(raw):
    image(raw/'ears/A.png'), image(raw/'ears/a.PNG'), image(raw/'ears/b.png')
    table(raw/'ears/boxes.csv', 'a.png', 'b.png')
    assert problem(outcome(raw), 'ambiguous_image').detail == 'ears/A.png, ears/a.PNG' and found(raw) == ['b.png']


@pytest.mark.parametrize('file', ['instances_{}.json', '{}/labels.json', 'annotations/{}2017.json'])
def test_the_split_of_the_file_decides(raw, file):
    for i, o in enumerate(('train', 'val')):
        image(raw/f'ears/images/{o}/0001.png', seed=i)
        coco(raw/'ears'/file.format(o), {'0001.png': [[i + 1, 2, 3, 4]]})
    outcome(raw)
    assert boxes(raw.parent/'out') == [('ears/images/train/0001.png', [1, 2, 3, 4]), ('ears/images/val/0001.png', [2, 2, 3, 4])]


@pytest.mark.parametrize('file, written, on_disk', [
    ('boxes.csv', 'train/0001.png', 'val/0001.png'), ('boxes.csv', '/home/me/train/0001.png', 'val/0001.png'), ('boxes.csv', 'subject1/my long name.png', 'subject2/my long name.png'),
    ('s1/boxes.csv', '0001.png', 's2/0001.png'), ('boxes.csv', 'left/0001.png', 'right/0001.png'), ('train.csv', '0001.png', 'images/val/0001.png')])
def test_a_namesake_that_is_another_photo(raw, file, written, on_disk):
    "Its box is dropped, and the reason says where the namesake is"
    image(raw/'ears'/on_disk), image(raw/'ears/b.png', seed=1)
    if file == 'train.csv': image(raw/'ears/images/train/0002.png')
    table(raw/'ears'/file, written, 'b.png')
    p = problem(outcome(raw), 'missing_image')
    assert (p.boxes, p.detail) == (1, f'ears/{on_disk} has this name, but its folder is that of another photo') and found(raw) == ['b.png']


@pytest.mark.parametrize('file, written, on_disk', [
    ('boxes.csv', '/home/me/ears/0001.png', 'images/0001.png'), ('boxes.csv', r'C:\ears\0001.png', 'part1/0001.png'), ('boxes.csv', 'JPEGImages/0001.png', 'photos/0001.png'),
    ('boxes.csv', 'project/holiday in Rome.png', 'rome/holiday in Rome.png'), ('labels/boxes.csv', '0001.png', 'part1/0001.png'), ('train.csv', '0001.png', 'images/val/0001.png')])
def test_a_namesake_that_nothing_contradicts(raw, file, written, on_disk):
    image(raw/'ears'/on_disk)
    table(raw/'ears'/file, written)
    assert reasons(outcome(raw)) == [] and found(raw) == [on_disk]


def test_two_names_do_not_share_a_photo(raw):
    image(raw/'ears/images/0001.png'), image(raw/'ears/images/b.png', seed=1)
    table(raw/'ears/boxes.csv', '/data/anna/0001.png', '/data/bob/0001.png', 'b.png')
    report = outcome(raw)
    assert sum(p.boxes for p in report.problems.where(reason='ambiguous_image')) == 2 and found(raw) == ['images/b.png']


def test_why_it_is_missing(raw):
    image(raw/'ears/z.png')
    with ZipFile(raw/'ears/images.zip', 'w') as archive: archive.writestr('images/a.png', b'')
    text(raw/'ears/.b.png.icloud', b'')
    table(raw/'ears/boxes.csv', 'a.png', 'b.png', 'c.png', 'z.png')
    why = {p.image: p.detail for p in outcome(raw).problems.where(reason='missing_image')}
    assert why == {'a.png': 'it is inside ears/images.zip: unpack it', 'c.png': '', 'b.png': 'ears/.b.png.icloud says that it is in iCloud only: download it, as with "Download Now" in the Finder'}


# Whose photo

def test_renamed_pairs_of_labelme(raw):
    "2.json was 1.json, and its imagePath is now another photo"
    for i in (1, 2, 3): image(raw/f'ears/{i}.png', seed=i)
    for i in (2, 3): text(raw/f'ears/{i}.json', json.dumps(dict(version='5', imagePath=f'{i - 1}.png', shapes=[dict(label='ear', shape_type='rectangle', points=[[i, 2], [i + 3, 6]])])))
    p = problem(outcome(raw), 'other_name')
    assert p.action == 'kept' and 'imagePath is 1.png, another photo' in p.detail and '1 more' in p.detail
    assert boxes(raw.parent/'out') == [('ears/2.png', [2, 2, 3, 4]), ('ears/3.png', [3, 2, 3, 4])]


def test_an_id_of_several_images(raw):
    for i, o in enumerate('abcd'): image(raw/f'ears/{o}.png', seed=i)
    images = [dict(id=i, file_name=f'{o}.png', height=40, width=60) for i, o in ((4, 'a'), (8, 'b'), (4, 'c'), (9, 'd'), (9, 'd'))]
    annotations = [dict(id=i, image_id=of, bbox=BOX) for i, of in enumerate((4, 8, 4, 9), 1)]
    text(raw/'ears/ears.json', json.dumps(dict(images=images, annotations=annotations, categories=[])))
    report = outcome(raw)
    assert (problem(report, 'shared_id').boxes, problem(report, 'shared_id').detail) == (2, 'a.png, c.png')
    assert problem(report, 'repeat').image == 'ears/d.png' and found(raw) == ['b.png', 'd.png']


def test_named_by_its_url(raw):
    for i, o in enumerate(('train2017', 'val2017')): image(raw/f'ears/{o}/7.png', seed=i)
    images = [dict(id=1, coco_url='http://host/val2017/7.png', height=40, width=60), dict(id=2, height=40, width=60)]
    text(raw/'ears/lvis.json', json.dumps(dict(images=images, annotations=[dict(id=1, image_id=1, bbox=BOX)], categories=[])))
    assert 'file_name' in problem(outcome(raw), 'malformed').detail and found(raw) == ['val2017/7.png']


# Which files are images

@pytest.mark.parametrize('name, options', [('a.gif', {}), ('a.ppm', {}), ('a.pgm', {}), ('a.pbm', {}), ('a.avif', {}), ('a.jfif', {'format': 'JPEG'}), ('a.jpe', {}), ('a.mpo', {}), ('a.jp2', {}),
                                           ('a.tif', {'compression': 'tiff_lzw'}), ('a.heic', {'format': 'HEIF'})])
def test_whatever_pillow_opens(raw, name, options):
    if name == 'a.heic' and not has_heif(): pytest.skip('needs pillow-heif')
    path = raw/'ears'/name
    path.parent.mkdir(parents=True)
    picture = Image.linear_gradient('L').resize((60, 40)).convert(dict(pgm='L', pbm='1').get(name[2:], 'RGB'))
    picture.save(path, **options)
    table(raw/'ears/boxes.csv', name)
    assert reasons(outcome(raw)) == [] and found(raw) == [name]
    assert stored_turn(path) == (1, (40, 60))
    a, b, c = (load_image(path, o) for o in ('pil', 'cv2', 'turbo'))
    assert a.shape == (40, 60, 3) and np.array_equal(a, b) and np.array_equal(a, c) and a[0].mean() < 60 and a[-1].mean() > 200


@pytest.mark.parametrize('name, options', [('a.avif', {}), ('a.heic', {'format': 'HEIF'})])
def test_turned_as_telephones_do(tmp_path, name, options):
    if name == 'a.heic' and not has_heif(): pytest.skip('needs pillow-heif')
    exif = Image.Exif()
    exif[0x112] = 6
    Image.linear_gradient('L').resize((60, 40)).convert('RGB').save(tmp_path/name, exif=exif.tobytes(), **options)
    found = load_image(tmp_path/name)
    assert found.shape == (60, 40, 3) == (*image_size(tmp_path/name), 3) and found[:, 0].mean() > 200 and found[:, -1].mean() < 60


@pytest.mark.parametrize('what, why', [
    (b'', 'the file is empty'), (b'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n', 'Git LFS pointer'), (b'<!DOCTYPE html><html>', 'web page'),
    (b'/annex/objects/SHA256E-s9--0.jpg', 'git-annex pointer'), (b'some text', 'not an image in one of the formats')])
@pytest.mark.parametrize('size', [None, (40, 60)])
def test_what_is_no_image(raw, what, why, size):
    "Also where the annotation declares the size"
    text(raw/'ears/a.png', what), image(raw/'ears/b.png')
    coco(raw/'ears/ears.json', {'a.png': [BOX], 'b.png': [BOX]}, size)
    p = problem(outcome(raw), 'unreadable_image')
    assert why in p.detail and p.boxes == 1 and found(raw) == ['b.png']


def test_heic_without_its_package(raw, monkeypatch):
    monkeypatch.setattr('ear_lazy.base.images.has_heif', lambda: False)
    text(raw/'ears/a.heic', b'\0\0\0\x1cftypheic\0\0\0\0mif1heic' + bytes(99)), image(raw/'ears/b.png')
    table(raw/'ears/boxes.csv', 'a.heic', 'b.png')
    assert "pip install 'ear_lazy[heif]'" in problem(outcome(raw), 'unreadable_image').detail


LEVELS = np.linspace(0, 65535, 2400).reshape(40, 60)

@pytest.mark.parametrize('loader', ['pil', 'cv2', 'turbo'])
@pytest.mark.parametrize('name, what', [('a.png', LEVELS), ('a.tif', LEVELS), ('a.jp2', LEVELS), ('a.pgm', LEVELS), ('b.pgm', LEVELS/16), ('b.png', LEVELS/16), ('b.tif', LEVELS/16), ('b.jp2', LEVELS/16),
                                        ('f.tif', LEVELS/65535), ('i.tif', LEVELS)])
def test_deep_pictures(tmp_path, loader, name, what):
    "By the documented rule, or an error: never all black or white"
    path = tmp_path/name
    if name == 'b.pgm': path.write_bytes(b'P5\n60 40\n4095\n' + what.astype('>u2').tobytes())
    else: Image.fromarray(what.astype({'f': np.float32, 'i': np.int32}.get(name[0], np.uint16))).save(path)
    if name in ('a.png', 'a.tif', 'a.jp2', 'a.pgm', 'b.pgm'): np.testing.assert_allclose(load_image(path, loader)[..., 0], LEVELS/257, atol=1.5)
    else:
        with pytest.raises(ImageLoadError, match='multiply them|nothing says which number is white'): load_image(path, loader)


def test_sizes_of_images_without_boxes(raw):
    image(raw/'ears/images/a.png'), image(raw/'ears/images/b.png', size=(30, 50))
    text(raw/'ears/labels/a.txt', '0 0.5 0.5 0.2 0.2\n'), text(raw/'ears/labels/b.txt', '')
    outcome(raw)
    ds = LazyNPYDataset(raw.parent/'out/train_detector.npy')
    assert sorted(ds.image_shape(i) for i in range(2)) == [(30, 50), (40, 60)]


# Whether they decode

def test_check_images(raw, monkeypatch):
    "A broken one is dropped with its boxes; nothing is decoded again until a file changes"
    from ear_lazy import data_processor
    out, calls = raw.parent/'out', []
    def broken_images(tree, images, *args): return calls.append(images) or checked(tree, images, *args)
    checked = data_processor.broken_images
    monkeypatch.setattr(data_processor, 'broken_images', broken_images)
    for i, o in enumerate('abc'): image(raw/f'ears/{o}.png', seed=i)
    Image.effect_noise((60, 40), 50).save(raw/'ears/b.png')
    (raw/'ears/b.png').write_bytes((raw/'ears/b.png').read_bytes()[:-800])
    coco(raw/'ears/ears.json', {f'{o}.png': [BOX] for o in 'abc'})
    assert reasons(process(raw, out)) == [] and len(boxes(out)) == 3 and calls == []
    for _ in range(2):
        p = problem(process(raw, out, check_images=True), 'unreadable_image')
        assert (p.image, p.boxes, p.action) == ('ears/b.png', 1, 'dropped') and 'truncated' in p.detail and found(raw) == ['a.png', 'c.png']
    image(raw/'new/d.png', seed=5), coco(raw/'new/new.json', {'d.png': [BOX]})
    process(raw, out, check_images=True)
    assert calls == [['ears/a.png', 'ears/b.png', 'ears/c.png'], ['new/d.png']]
    image(raw/'ears/b.png', seed=7)
    assert reasons(process(raw, out, check_images=True)) == [] and len(boxes(out)) == 4


def test_rows_that_failed(raw):
    for i, o in enumerate('abc'): image(raw/f'ears/{o}.png', seed=i)
    coco(raw/'ears/ears.json', {f'{o}.png': [BOX] for o in 'abc'})
    outcome(raw)
    ds = LazyNPYDataset(raw.parent/'out/train_detector.npy', on_error='skip')
    names = [ds.get_metadata(i)['image_path'] for i in range(3)]
    (raw/'ears/b.png').write_bytes(b'')
    bad = next(i for i, o in enumerate(names) if o.endswith('b.png'))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        for _ in range(2): list(ds)
        both = CombinedLazyDataset([ds[[0, 1]], ds])
        assert ds.errors(rows=True).tolist() == [bad] and both.errors(rows=True).tolist() == [*([bad] if bad < 2 else []), bad + 2]
        good = ds.drop(ds.errors(rows=True))
        assert [o['image_path'] for o in good] == [o for i, o in enumerate(names) if i != bad] and ds[::-1].errors(rows=True).tolist() == [2 - bad]
    assert rows(raw.parent/'out', 'detector') and ds.errors() == {'empty': 2}


@pytest.mark.skipif(sys.platform == 'win32', reason='no file can be called so')
def test_an_archive_of_windows(raw):
    "Files that are called `images\\a.png` are read as in folders, under their own names, and a change of one is seen"
    for i, o in enumerate('ab'): image(raw/f'ears/images\\{o}.png', seed=i), text(raw/f'ears/labels\\{o}.txt', '0 0.5 0.5 0.2 0.2\n0 2 2 x\n'[:18 + 9*(o == 'b')])
    for _ in range(2):
        report = outcome(raw)
        assert problem(report, 'other_name').detail.startswith('a: a backslash') and found(raw) == ['images\\a.png', 'images\\b.png']
        assert problem(report, 'malformed').file == 'ears/labels\\b.txt'
    assert report.is_of_last_run
    text(raw/'ears/labels\\a.txt', '0 0.5 0.5 0.4 0.4\n0 0.2 0.2 0.1 0.1\n')
    assert not outcome(raw).is_of_last_run and found(raw) == ['images\\a.png'] * 2 + ['images\\b.png']
