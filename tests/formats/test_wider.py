"WIDER FACE: images without faces, invalid ones, lines that are missing, and files that are damaged at random"
import pytest
from damaging import check_reader, examples
from hypothesis import given, settings, strategies as st
from making import boxes, formats, image, outcome, problem, reasons, rows, text
from tiers import tries

PICTURES = 'a.png', 'b.png'
quick = examples(2000)


FACE = '1 2 3 4 0 0 0 0 0 0'


def faces(raw, *lines, end='\n'):
    for name in 'ab': image(raw/f'faces/WIDER_train/images/0--Parade/{name}.png')
    return text(raw/'faces/wider_face_split/wider_face_train_bbx_gt.txt', end.join([*lines, '']))


def found(raw): return [(path.rpartition('/')[2], box) for path, box in boxes(raw.parent/'out')]


@pytest.mark.parametrize('end', ['\n', '\r\n', ' \n', '\n\n'])
def test_a_list(raw, end):
    faces(raw, '0--Parade/a.png', '2', FACE, '5 6 7 8 1 1 1 0 2 1', '0--Parade/b.png', '1', FACE, end=end)
    assert reasons(outcome(raw)) == []
    assert found(raw) == [('a.png', [1, 2, 3, 4]), ('a.png', [5, 6, 7, 8]), ('b.png', [1, 2, 3, 4])]


@pytest.mark.parametrize('zeros', [['0 0 0 0 0 0 0 0 0 0'], [], ['0 0 0 0 0 0 0 0 0 0 ']])
def test_no_face(raw, zeros):
    "An image with the number 0 is a background image, with the line of zeros and without"
    faces(raw, '0--Parade/b.png', '1', FACE, '0--Parade/a.png', '0', *zeros)
    report = outcome(raw)
    assert reasons(report) == [] and found(raw) == [('b.png', [1, 2, 3, 4])]
    assert [len(values) for _, values in rows(raw.parent/'out', 'detector')] == [0, 1]


def test_invalid_faces_are_reported(raw):
    faces(raw, '0--Parade/a.png', '1', '1 2 3 4 2 0 0 1 2 0')
    p = problem(outcome(raw), 'invalid')
    assert (p.where, p.action, p.boxes) == ('line 3', 'kept', 1) and found(raw) == [('a.png', [1, 2, 3, 4])]


def test_a_face_without_area(raw):
    faces(raw, '0--Parade/a.png', '2', FACE, '5 6 0 8 0 0 0 0 0 0')
    p = problem(outcome(raw), 'no_area')
    assert p.where == 'line 4'


@pytest.mark.parametrize(('lines', 'faults'), [
    (['0--Parade/a.png', '2', FACE, '0--Parade/b.png', '1', FACE], [('line 1', 'kept', 0)]),
    (['0--Parade/a.png', '1', FACE, '5 6 7 8', '0--Parade/b.png', '1', FACE], [('line 4', 'dropped', 1)]),
    (['0--Parade/a.png', '1', FACE, '0--Parade/b.pn', '1', FACE, '0--Parade/b.png', '1', FACE], [('line 4', 'dropped', 0), ('line 5', 'dropped', 0), ('line 6', 'dropped', 1)]),
    (['0--Parade/a.png', '1', FACE, '0--Parade/b.png', 'x', FACE], [('line 5', 'kept', 0), ('line 6', 'dropped', 1)]),
    (['0--Parade/a.png', '1', FACE, '0--Parade/b.png', FACE], [('line 5', 'dropped', 1)]),
    (['0--Parade/a.png', '2', FACE, '1 x 3 4'], [('line 4', 'dropped', 1)]),
    (['0--Parade/a.png', '2', FACE, '1 2 3'], [('line 4', 'dropped', 1)]),
    (['0--Parade/a.png', '1', FACE, '0--Parade/b.png'], [('line 4', 'kept', 0)])])
def test_what_does_not_fit(raw, lines, faults):
    "Nothing is given to an image that it does not belong to"
    faces(raw, *lines)
    report = outcome(raw)
    assert [(p.where, p.action, p.boxes) for p in report.problems if p.reason == 'malformed'] == faults, report.problems
    assert ('a.png', [1, 2, 3, 4]) in found(raw) and all(box == [1, 2, 3, 4] for _, box in found(raw))


def test_other_lists_are_left_alone(raw):
    faces(raw, '0--Parade/a.png', '1', FACE)
    text(raw/'faces/wider_face_split/wider_face_test_filelist.txt', '0--Parade/a.png\n0--Parade/b.png\n')
    text(raw/'faces/readme.txt', 'The format of txt ground truth.\nFile name\nNumber of bounding box\nx1, y1, w, h, blur\n')
    assert formats(raw) == [('wider', ('faces/wider_face_split/wider_face_train_bbx_gt.txt',))]


LINES = st.sampled_from(['', 'a.png', 'b.png', 'gone.jpg', '.png', '../a.png', 'a', '0', '1', '2', '3', '-1', '9' * 5000, '٣', '²', FACE, '0 0 0 0 0 0 0 0 0 0', '1 2 3', '1 2 x 4', 'nan 1 1 1', '1 1 inf 1', '1e300 1 1e300 1', '1 2 3 4 0 0 0 1', '\0', '0 0'])


@settings(quick, max_examples=tries(500))
@given(st.lists(LINES, max_size=12))
def test_odd_lines(pictures, lines): check_reader(pictures, 'x.txt', 'wider', '\n'.join(['a.png', '1', FACE, *lines]).encode())
