"WFLW: points, boxes, several faces in an image, the shorter lists, and files that are damaged at random"
import pytest
from damaging import check_reader, examples
from hypothesis import given, settings, strategies as st
from making import boxes, formats, image, outcome, problem, reasons, rows, text
from tiers import tries

PICTURES = 'a.png', 'b.png'
quick = examples(2000)


def face(name, at=5, box='10 12 40 30', more='0 0 0 0 1 0'): return ' '.join(o for o in [*(f'{at + i / 4} {i / 8:.6f}' for i in range(98)), box, more, name] if o)


def faces(raw, *lines, name='list_98pt_rect_attr_train_test/list_98pt_rect_attr_test.txt'):
    for o in 'ab': image(raw/f'wflw/WFLW_images/0--Parade/{o}.png')
    return text(raw/'wflw/WFLW_annotations'/name, '\n'.join(lines))


def test_points_and_boxes(raw):
    "Two faces of one image, no newline at the end"
    faces(raw, face('0--Parade/a.png'), face('0--Parade/a.png', 7, '1.5 2 21 22'), face('0--Parade/b.png'))
    assert reasons(outcome(raw)) == []
    assert [box for _, box in boxes(raw.parent/'out')] == [[1.5, 2, 19.5, 20], [10, 12, 30, 18], [10, 12, 30, 18]]
    found = rows(raw.parent/'out', 'landmarker')
    assert [len(points) for _, points in found] == [98] * 3 and found[0][1][4] == [6, 0.5, 2]


def test_the_list_of_a_subset_says_nothing_new(raw):
    faces(raw, face('0--Parade/a.png'), face('0--Parade/b.png'))
    faces(raw, face('0--Parade/a.png', box='', more=''), name='list_98pt_test/list_98pt_test_blur.txt')
    assert reasons(outcome(raw)) == [('repeat', 'merged')]
    assert len(rows(raw.parent/'out', 'landmarker')) == len(boxes(raw.parent/'out')) == 2


@pytest.mark.parametrize('line', ['1 2 3 0--Parade/a.png', face('0--Parade/a.png').replace('6.0', 'x', 1), face('0--Parade/a.png', box='1 2 3'), 'WFLW'])
def test_bad_lines(raw, line):
    faces(raw, face('0--Parade/a.png'), '', line, face('0--Parade/b.png'))
    p = problem(outcome(raw), 'malformed')
    assert (p.where, p.action, p.boxes, p.keypoints) == ('line 3', 'dropped', 1, 1) and len(boxes(raw.parent/'out')) == 2


def test_a_box_of_nan_is_reported(raw):
    faces(raw, face('0--Parade/a.png', box='nan nan nan nan'))
    assert reasons(outcome(raw)) == [('not_finite', 'dropped')] and len(rows(raw.parent/'out', 'landmarker')) == 1


def test_a_readme_is_left_alone(raw):
    faces(raw, face('0--Parade/a.png'))
    text(raw/'wflw/WFLW_annotations/list_98pt_rect_attr_train_test/README.txt', '# coordinates of 98 landmarks (196) + coordinates of upper left corner (4) + attributes (6) + image name (1)\n')
    assert [o for o, _ in formats(raw)] == ['wflw']


CELLS = st.sampled_from(['', '1', 'nan', 'inf', '1e300', '-1e999', 'x', '\0', '٣', 'a.png', '1 2', '../b.png'])


@settings(quick, max_examples=tries(500))
@given(st.lists(st.tuples(st.integers(0, 206), CELLS), max_size=4), st.integers(0, 206))
def test_odd_cells(pictures, changes, shortened):
    cells = face('a.png').split()
    for at, new in changes: cells[at] = new
    check_reader(pictures, 'x.txt', 'wflw', '\n'.join([face('a.png'), ' '.join(cells), ' '.join(cells[shortened:])]).encode())
