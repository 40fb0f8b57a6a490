"Lists of RetinaFace: points that are not labelled, lines that fit nowhere, and files that are damaged at random"
import pytest
from damaging import check_reader, examples
from hypothesis import given, settings, strategies as st
from making import boxes, formats, image, outcome, reasons, rows, text
from tiers import tries

PICTURES = 'a.png', 'b.png'
quick = examples(2000)
FACE = '1 2 30 20 5 6 0.0 7 8 0.0 9 10 1.0 -1 -1 -1 3 4 0.0'
POINTS = [[5, 6, 2], [7, 8, 2], [9, 10, 1], [0, 0, 0], [3, 4, 2]]


def faces(raw, *lines, name='label.txt'):
    for o in ('0--Parade/a', '0--Parade/b b'): image(raw/f'faces/train/images/{o}.png')
    return text(raw/f'faces/train/{name}', '\n'.join([*lines, '']))


def found(raw): return [(path.rpartition('/')[2], box) for path, box in boxes(raw.parent/'out')]


@pytest.mark.parametrize('blur', [' 0.82', ''])
def test_a_list(raw, blur):
    faces(raw, '# 0--Parade/a.png', FACE + blur, '5 6 7 8 ' + '-1 ' * 15 + blur, '# 0--Parade/b b.png', '9 8 7 6')
    assert reasons(outcome(raw)) == [] and found(raw) == [('a.png', [1, 2, 30, 20]), ('a.png', [5, 6, 7, 8]), ('b b.png', [9, 8, 7, 6])]
    assert [o for _, o in rows(raw.parent/'out', 'landmarker')] == [POINTS]


def test_an_image_without_a_face(raw):
    faces(raw, '# 0--Parade/a.png', '# 0--Parade/b b.png', '9 8 7 6')
    assert reasons(outcome(raw)) == [] and [len(o) for _, o in rows(raw.parent/'out', 'detector')] == [0, 1]


def test_lines_that_are_wrong(raw):
    "cost themselves; what follows a line that is no image belongs to none"
    faces(raw, '# 0--Parade/b b.png', '9 8 7 6', '# 0--Parade/a.png', '9 8 7', '9 8 7 x', '# 0--Parade/a', '1 2 3 4', '# 0--Parade/gone.png', '1 2 3 4')
    report = outcome(raw)
    assert [(p.where, p.boxes) for p in report.problems if p.reason == 'malformed'] == [('line 4', 1), ('line 5', 1), ('line 6', 0), ('line 7', 1)]
    assert found(raw) == [('b b.png', [9, 8, 7, 6])] and len(rows(raw.parent/'out', 'detector')) == 1


@pytest.mark.parametrize('content', ['# 0--Parade/a.png', '# notes\n1 2 3 4', '# a.png is the best', '0--Parade/a.png\n1 2 3 4', '# 0--Parade/a.png\n1 2 3', ''])
def test_other_texts_are_left_alone(raw, content):
    faces(raw, content)
    assert 'retinaface' not in dict(formats(raw))


LINES = st.sampled_from(['', '# a.png', '# b.png', '#', '# ', '#a.png', '# gone.jpg', FACE, '1 2 3 4', '1 2 3', 'nan 1 1 1', '1 1 inf 1', FACE.replace('5 6', 'nan 6'), '1e300 1 1e300 1', '\0', '9' * 5000])


@settings(quick, max_examples=tries(500))
@given(st.lists(LINES, max_size=12))
def test_odd_lines(pictures, lines): check_reader(pictures, 'label.txt', 'retinaface', '\n'.join(['# a.png', FACE, *lines]).encode())
