"Label files in pixels: every maker's, those that could be two things, what only looks like one, and files that are damaged at random"
import numpy as np
import pytest
from damaging import check_reader, examples
from hypothesis import given, settings, strategies as st
from making import boxes, formats, image, outcome, problem, reasons, rows, text
from tiers import tries

from ear_lazy.errors import AnnotationError
from ear_lazy.formats.discover import Source
from ear_lazy.formats.pixel_labels import read
from ear_lazy.formats.shared.tree import Document, Tree
from ear_lazy.metadata.file import Metadata

PICTURES = 'a.png', 'b.png'
quick = examples(2000)


def ears(raw, *labels, pictures='', folder=''):
    "Images of 60×40 and their labels"
    for name, label in zip('abcdefgh', labels): image(raw/'ears'/pictures/f'{name}.png'), text(raw/'ears'/folder/f'{name}.txt', label)


def found(raw): return [(path.rpartition('/')[2], box) for path, box in boxes(raw.parent/'out')]


def classes(raw): return sorted({name for m in [Metadata(raw.parent/'out/train_detector.npy')] for name in m.names('label_names')} - {''})


CORNERS = [('a.png', [5, 10, 20, 15]), ('a.png', [30, 20, 20, 15]), ('b.png', [35, 20, 20, 15])]
KITTI = '{} 0.00 0 -1.58 {} 1.65 1.67 3.64 -0.65 1.71 46.70 -1.59'


@pytest.mark.parametrize(('a', 'b', 'names'), [
    ('0 5 10 20 15\n0 30 20 20 15 \n', '0 35 20 20 15', ['0']), ('ear 5 10 25 25\near 30 20 50 35 difficult\n', 'nose 35 20 55 35\n', ['ear', 'nose']),
    ('ear 0.9 5 10 25 25\r\near 0.51 30 20 50 35\r\n', 'ear 0.4 35 20 55 35', ['ear']), ('Human ear 5.0 10 25 25\n\nHuman ear 30 20 50 35', 'Human ear 35 20 55 35', ['Human ear']),
    ('2\n5 10 25 25\n30 20 50 35\n', '1\n35 20 55 35\n', []), ('2\n5 10 25 25 left ear\n30 20 50 35 left ear', '1\n35 20 55 35 left ear\n', ['left ear']),
    ('5 10 25 25 ear\n30 20 50 35 ear', '35 20 55 35 ear\n', ['ear']), ('0, 5, 10, 20, 15\n0, 30, 20, 20, 15', '0, 35, 20, 20, 15', ['0']), ('left ear,5,10,25,25\nleft ear,30,20,50,35', 'left ear,35,20,55,35', ['left ear']),
    (KITTI.format('Car', '5 10 25 25') + '\n' + KITTI.format('Car', '30 20 50 35'), KITTI.format('Van', '35 20 55 35') + ' 0.9', None), ('3 5 10 25 25 1\n3 30 20 50 35 0\n', '3 35 20 55 35 0', ['3']),
    (b'\xef\xbb\xbf0 5 10 20 15\n0 30 20 20 15', '0 35 20 20 15', ['0'])], ids=range(12))
def test_every_makers_labels(raw, a, b, names):
    ears(raw, a, b)
    report = outcome(raw)
    if names is None: # a KITTI file is ground truth or a result
        assert formats(raw) == [('pixel_labels', ('ears/a.txt', 'ears/b.txt'))] and problem(report, 'malformed').file == 'ears/b.txt' and found(raw) == CORNERS[:2]
    else: assert reasons(report) == [] and found(raw) == CORNERS and classes(raw) == names


@pytest.mark.parametrize(('pictures', 'folder'), [('', ''), ('images', 'labels'), ('Images/001', 'Labels/001'), ('test', 'annotations/detection/test_YOLO_format'), ('', 'Label'), ('images-optional', 'ground-truth')])
def test_where_they_lie(raw, pictures, folder):
    ears(raw, 'ear 5 10 20 15\near 30 20 20 15', 'ear 35 20 20 15', pictures=pictures, folder=folder)
    assert reasons(outcome(raw)) == [] and found(raw) == CORNERS


@pytest.mark.parametrize(('pictures', 'labels'), [('training/image_{}', 'training/label_2'), ('ears/{}', 'annotations/detection/{}_YOLO_format'), ('{}/images', '{}_labels')])
def test_one_of_several_images_of_a_name(raw, pictures, labels):
    "KITTI has two cameras; in other sets the split decides"
    for i, split in enumerate('23' if '2' in labels else ('train', 'test')):
        image(raw/'ears'/pictures.format(split)/'a.png')
        if i == 0 or '{}' in labels: text(raw/'ears'/labels.format(split)/'a.txt', f'ear 30 20 5{i} 35')
    assert reasons(outcome(raw)) == []
    assert boxes(raw.parent/'out') == sorted((f"ears/{pictures.format(split)}/a.png", [30, 20, 20 + i, 15]) for i, split in enumerate('2' if '2' in labels else ('train', 'test')))


def test_folders_of_classes(raw):
    "OIDv4 has an image in the folder of each of its classes"
    for name, box in dict(Ear='5 10 25 25', Nose='35 20 55 35').items(): image(raw/f'oid/train/{name}/a.png'), text(raw/f'oid/train/{name}/Label/a.txt', f'{name} {box}')
    outcome(raw)
    assert [path for path, _ in boxes(raw.parent/'out')] == ['oid/train/Ear/a.png', 'oid/train/Nose/a.png']


@pytest.mark.parametrize('batch_size', [1, 2, 500])
def test_all_files_decide(raw, batch_size):
    "… whichever of them are read together, also those of another folder of the dataset"
    ears(raw, 'ear 5 10 20 15', 'ear 5 10 20 15', 'ear 40 30 20 10', pictures='train', folder='train')
    image(raw/'ears/val/x.png'), text(raw/'ears/val/x.txt', 'ear 5 10 20 15')
    assert reasons(outcome(raw, batch_size=batch_size)) == [] and {tuple(box) for _, box in found(raw)} == {(5, 10, 20, 15), (40, 30, 20, 10)}


@pytest.mark.parametrize(('said', 'expected'), [('xywh', [5, 10, 20, 15]), ('xyxy', [5, 10, 15, 5])])
def test_two_readings(raw, said, expected):
    "If both fit, nothing is guessed; the remedy works"
    ears(raw, 'ear 5 10 20 15', 'ear 5 10 20 15')
    report = outcome(raw)
    assert [p.file for p in report.problems] == ['ears/a.txt', 'ears/b.txt'] and '    ears/a.txt (and 1 more .txt file beside it): ' in str(report), 'each is named'
    assert report.problems[0].detail == 'the 2 boxes fit their images as x y w h and x1 y1 x2 y2: say which in sources.toml, as `numbers = "xywh"` or `numbers = "xyxy"` below `["ears"]`' and found(raw) == []
    assert reasons(outcome(raw, sources=Source('ears', numbers=said))) == [] and found(raw) == [('a.png', expected), ('b.png', expected)]


def test_classes_are_numbers_that_repeat(raw):
    "… whether they stand first or last"
    for dataset, line in dict(first='{c} {b}', last='{b} {c}').items():
        for i, b in enumerate(['30 20 50 35', '31 21 52 36', '35 22 55 37']): image(raw/dataset/f'{i}.png'), text(raw/dataset/f'{i}.txt', line.format(c=i % 2, b=b))
    outcome(raw)
    assert classes(raw) == ['0', '1'] and len(found(raw)) == 6 and {tuple(box) for _, box in found(raw)} == {(30, 20, 20, 15), (31, 21, 21, 15), (35, 22, 20, 15)}


def test_names_of_classes(raw):
    ears(raw, '0 5 10 20 15', '1 35 20 20 15')
    text(raw/'ears/classes.txt', 'ear\nnose\n')
    assert reasons(outcome(raw)) == [] and classes(raw) == ['ear', 'nose']


def test_groups_are_dropped(raw):
    ears(raw, KITTI.format('Car', '5 10 25 25') + '\n' + KITTI.format('DontCare', '30 20 50 35'))
    report = outcome(raw)
    assert (problem(report, 'crowd').where, problem(report, 'crowd').action) == ('line 2', 'dropped') and found(raw) == [('a.png', [5, 10, 20, 15])]


def test_detections_beside_the_truth_are_no_annotations(raw):
    ears(raw, 'ear 5 10 25 25', 'ear 35 20 55 35', folder='ground-truth'), ears(raw, 'ear 0.9 6 10 25 25', 'ear 0.8 35 20 55 36', folder='detection-results')
    outcome(raw)
    assert found(raw) == [('a.png', [5, 10, 20, 15]), ('b.png', [35, 20, 20, 15])]


def test_what_is_wrong_is_told(raw):
    "A line, a number of boxes that is wrong; a file without boxes is a background image"
    ears(raw, '1\n30 20 50 35\n', '2\n30 20 50 35\n', '1\n30 x 50 35\n', '0\n', '')
    image(raw/'ears/gone/x.png'), text(raw/'ears/y.txt', '1\n30 20 50 35\n')
    report = outcome(raw)
    assert [(p.file, p.where, p.action) for p in report.problems.where(reason='malformed')] == [('ears/b.txt', 'line 1', 'kept'), ('ears/c.txt', 'line 2', 'dropped')]
    assert problem(report, 'missing_image').file == 'ears/y.txt'
    assert [(path[-5], len(o)) for path, o in rows(raw.parent/'out', 'detector')] == [('a', 1), ('b', 1), ('d', 0), ('e', 0)]


@pytest.mark.parametrize('content', [
    '0 0.5 0.5 0.25 0.25\n', 'ear\nnose\n', '0.9\n0.8\n', '12 34\n56 7\n', '3\n', 'numpy==2.1\ntorch>=2\n', 'An ear, 30 years old.\n', 'epoch 12\n', '12.5 8 30 9 14 29 20 11 3\n', '{"a": 1}', '\0'], ids=range(11))
def test_what_only_looks_like_labels(raw, content):
    ears(raw, content, content)
    assert 'pixel_labels' not in dict(formats(raw))


def test_numbers_that_fit_no_image(raw):
    ears(raw, 'ear 350 200 550 350', 'ear 300 100 400 380')
    assert 'read as x y w h 0 of 2, as x1 y1 x2 y2 0 of 2 do' in outcome(raw).problems[0].detail


SHAPES = ['0 {box}', 'left ear {box}', 'ear 0.5 {box}', '{box} 0', '{box} ear', 'ear {box} 1', 'ear,{box}', KITTI.format('Car', '{box}')]


@examples(1000)
@given(st.sampled_from(SHAPES), st.booleans(), st.lists(st.tuples(st.integers(0, 58), st.integers(0, 38), st.integers(1, 60), st.integers(1, 40)), min_size=1, max_size=8))
def test_never_a_wrong_box(pictures, shape, corners, objects):
    "What comes out is what was written, or nothing"
    corners |= shape.startswith('Car')
    written, lines = [], []
    for x, y, w, h in objects:
        x2, y2 = min(x + w, 60), min(y + h, 40)
        written.append([x, y, x2 - x, y2 - y])
        lines.append(shape.format(box=(',' if ',' in shape else ' ').join(map(str, [x, y, x2, y2] if corners else written[-1]))))
    text(pictures/'a.txt', '\n'.join(lines))
    try: r = read(Tree(pictures), Document('pixel_labels', ('a.txt',)))
    except AnnotationError: return
    finally: (pictures/'a.txt').unlink()
    assert np.array_equal(r.boxes, written), (lines, r.boxes)


WORDS = st.sampled_from(['1', '2', '30', '55', '-1', '0.5', '9' * 5000, '٣', '²', 'nan', 'inf', '1e300', '\0', '"', ',', '\n', '\n', '\r', 'ear', 'difficult', '1_0'])


@settings(quick, max_examples=tries(500))
@given(st.lists(WORDS, max_size=20))
def test_odd_words(pictures, words): check_reader(pictures, 'a.txt', 'pixel_labels', ('ear 30 20 50 35\n' + ' '.join(words)).encode())
