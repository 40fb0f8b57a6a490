"Folders of images alone below `teacher`"

import numpy as np
import pytest
from damaging import examples
from hypothesis import given, strategies as st
from making import image, listing, outcome, problem, process, reasons, rows, text

from ear_lazy.errors import RawDataError
from ear_lazy.formats.discover import discover
from ear_lazy.formats.load import load
from ear_lazy.formats.shared.tree import Tree

DERIVED = 'whole_image', 'derived'


def crops(raw): return rows(raw.parent/'out', 'teacher')


def test_a_folder_for_each_person(raw):
    "Each image is one crop, its whole frame, of whatever size and type; each folder is reported once"
    for i, name in enumerate(['001/01.png', '001/02.JPG', '002/01.bmp', '002/deep/01.tiff']): image(raw/'teacher/AWE'/name, (40 + i, 60))
    text(raw/'teacher/AWE/README.txt', 'Ears.'), text(raw/'teacher/AWE/001/annotations.json', '{"data": {"1": {"gender": "m"}}}')
    report = outcome(raw)
    assert reasons(report) == sorted([DERIVED] * 3 + [('not_recognised', 'dropped')])
    assert [(p.file, p.boxes) for p in report.problems if p.reason == DERIVED[0]] == [(f'teacher/AWE/{o}', n) for o, n in (('001', 2), ('002', 1), ('002/deep', 1))]
    assert crops(raw) == [('teacher/AWE/001/01.png', [0, 0, 60, 40]), ('teacher/AWE/001/02.JPG', [0, 0, 60, 41]),
                          ('teacher/AWE/002/01.bmp', [0, 0, 60, 42]), ('teacher/AWE/002/deep/01.tiff', [0, 0, 60, 43])]
    assert [o for o in listing(raw.parent/'out') if o.endswith('.npy')] == ['train_teacher.npy']


def test_images_of_the_dataset_folder_itself(raw):
    image(raw/'teacher/AMI/a.png')
    outcome(raw)
    assert crops(raw) == [('teacher/AMI/a.png', [0, 0, 60, 40])]


@pytest.mark.parametrize('level', ['', 'detector', 'landmarker', 'faces'])
def test_elsewhere_images_alone_are_no_data(raw, level):
    image(raw/level/'AMI/a.png')
    with pytest.raises(RawDataError, match='no annotation files'): process(raw, raw.parent/'out')


@pytest.mark.parametrize('table', ['boxes.csv', 'labels/boxes.csv'])
def test_an_annotated_dataset_is_not_alone(raw, table):
    "An image that its annotations leave out is not a crop, in whichever folder it lies"
    for name in ('images/a.png', 'images/b.png', 'masks/a.png'): image(raw/'teacher/heads'/name)
    image(raw/'teacher/AMI/a.png')
    text(raw/'teacher/heads'/table, 'image_path,x1,y1,w,h\nimages/a.png,1,2,3,4\n')
    outcome(raw)
    assert crops(raw) == [('teacher/AMI/a.png', [0, 0, 60, 40]), ('teacher/heads/images/a.png', [1, 2, 3, 4])]


def test_turned_and_broken_images(raw):
    "The frame is that of the image as it is seen; what has no header is dropped, and counted"
    from PIL import Image
    exif = Image.Exif()
    exif[0x0112] = 8
    image(raw/'teacher/AMI/a.jpg', exif=exif)
    text(raw/'teacher/AMI/b.jpg', ''), text(raw/'teacher/AMI/c.jpg', 'no picture')
    report = outcome(raw)
    assert reasons(report) == sorted([DERIVED] + [('unreadable_image', 'dropped')] * 2)
    assert problem(report, DERIVED[0]).boxes == 3
    assert crops(raw) == [('teacher/AMI/a.jpg', [0, 0, 40, 60])]


@pytest.mark.parametrize('workers', [0, 2])
def test_a_folder_in_pieces(raw, workers):
    for i in range(10): image(raw/f'teacher/AMI/{i}.png')
    report = outcome(raw, batch_size=3, num_workers=workers)
    assert problem(report, DERIVED[0]).boxes == 10 and len(crops(raw)) == 10


def test_same_names_in_many_folders(raw):
    for i in range(5): image(raw/f'teacher/AMI/{i}/ear.png', (40 + i, 60))
    outcome(raw)
    assert crops(raw) == [(f'teacher/AMI/{i}/ear.png', [0, 0, 60, 40 + i]) for i in range(5)]


# Damage at random: names, and headers of images

@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('damaged')
    image(folder/'teacher/AMI/good.png')
    for name in ('x.png', 'x.jpg'): image(folder/'valid'/name)
    return folder


many = examples(2000)
NAMES = st.one_of(st.sampled_from(['x.png', 'ohr-ä.jpg', 'b\udcff.png', '"c".png', 'a..png', '[1].bmp', 'good.jpg', 'a.png.png', '%s.png', 'con.tif']),
                  st.text(st.characters(codec='utf-8', exclude_characters='/\\\0', exclude_categories=['Cs']), min_size=1, max_size=8).map(lambda o: f'x{o}x.png'))


@many
@given(NAMES, st.sampled_from(['x.png', 'x.jpg']), st.floats(0, 1), st.integers(0, 40), st.binary(max_size=8))
def test_damaged_images(folder, name, valid, at, length, new):
    "Each image is a crop or a reported problem"
    data = (folder/'valid'/valid).read_bytes()
    start = int(at * min(len(data), 400))
    path = folder/'teacher/AMI'/name
    path.write_bytes(data[:start] + new + data[start + length:])
    try:
        tree = Tree(folder)
        (source,), problems = discover(tree)
        document, = source.documents
        assert problems == [] and document.format == 'images' and len(document.files) == 2
        r = load(tree, source.name, document)
    finally: path.unlink()
    assert r.boxes_read == 2 == r.has_box.sum() + sum(p.boxes for p in r.problems if p.action in ('merged', 'dropped'))
    assert 'teacher/AMI/good.png' in r.images and np.isfinite(r.boxes).all() and (r.boxes[:, 2:] > 0).all()
