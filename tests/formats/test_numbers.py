"Many texts, lines and files at once give what each of them gives alone"
import pytest
from hypothesis import example, given, strategies as st

from ear_lazy.errors import AnnotationError
from ear_lazy.formats.pts import parse_all, parse_pts
from ear_lazy.formats.shared.numbers import numbers
from ear_lazy.formats.yolo_lines import plain_boxes
from ear_lazy.formats.yolo_rows import parse_line

WORDS = st.one_of(st.floats(-2, 2).map(repr), st.integers().map(str), st.text('0123456789.-+eE[]{},"_\0nai', max_size=8),
                  st.sampled_from(['-0', '-0.0', '1e999', '4.9e-324', '.5', '1_0', '\u0661', 'x']))
TEXTS = st.lists(st.lists(WORDS, max_size=6).map(' '.join).map(str.encode), max_size=12)


def exact(values): return [float(o).hex() for o in values]


@given(TEXTS)
@example([b'-0', b'1'])
@example([b'1\x002', b'3'])
def test_numbers_are_those_of_float(texts):
    found = numbers(texts)
    assert len(found) == len(texts)
    for text, values in zip(texts, found):
        if values is not None: assert exact(values) == exact(text.split())


@given(st.lists(st.tuples(st.integers(0, 99), *[st.floats(-1, 2)] * 4), min_size=1, max_size=9))
@example([(0, 0.124993, 0.5, 0.25, 1), (1, 0.875007, 0.5, 0.25, 1), (2, 0.5, 0.5, 1.00001, 1.00001)])
def test_boxes_are_those_of_their_lines(lines):
    is_box, classes, boxes = plain_boxes([list(map(float, o)) for o in lines])
    for i, line in enumerate(lines):
        text = ' '.join(map(repr, line))
        if not is_box[i]:
            with pytest.raises(ValueError): parse_line(text)
        else: assert (str(classes[i]), exact(boxes[i])) == (parse_line(text).label, exact(parse_line(text).box))


def _alone(text):
    try: return exact(parse_pts(text.decode('utf-8', 'replace'), 'a.pts').ravel())
    except AnnotationError as e: return str(e)


@given(st.lists(st.tuples(st.integers(0, 3), st.lists(WORDS, max_size=6), st.sampled_from(['}', '}\n', '', '} }'])), min_size=1, max_size=6))
def test_points_are_those_of_their_files(files):
    texts = [f'version: 1\nn_points: {k}\n{{\n{" ".join(words)}\n{end}'.encode() for k, words, end in files]
    found = parse_all(texts, ['a.pts'] * len(texts))
    assert [exact(o) if isinstance(o, list) else str(o) for o in found] == [_alone(o) for o in texts]
