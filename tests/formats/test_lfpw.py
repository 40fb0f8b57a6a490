"Loose points in text files, what must not be taken for them, and files that are damaged at random"
import pytest
from damaging import check_reader, examples
from hypothesis import given, settings, strategies as st
from making import boxes, formats, image, outcome, problem, pts, reasons, rows, text
from tiers import tries

from ear_lazy.formats.discover import Source
from ear_lazy.formats.shared.tree import Tree

PICTURES = 'a.png', 'b.png'
quick = examples(2000)


POINTS = '12.5 8.0\n30.25 9.5\n14 29.75\n20 11\n'
BOX = [12.5, 8, 17.75, 21.75]


def ears(raw, **files):
    for name, content in files.items(): image(raw/f'ears/{name}.png'), text(raw/f'ears/{name}.txt', content)


@pytest.mark.parametrize('content', [POINTS, POINTS.replace('\n', '\r\n'), POINTS.strip(), '4 ' + POINTS.replace('\n', ' '), POINTS.replace(' ', ', '), POINTS.replace(' ', '\t'), '4\n' + POINTS, '\n' + POINTS + '\n\n',
                                     b'\xef\xbb\xbf' + POINTS.encode()], ids=range(9))
def test_points_and_their_extent(raw, content):
    ears(raw, a=content)
    report = outcome(raw)
    assert reasons(report) == [('no_box', 'derived')] and problem(report, 'no_box').detail == 'extent of 4 points'
    assert boxes(raw.parent/'out') == [('ears/a.png', BOX)]
    assert rows(raw.parent/'out', 'landmarker') == [('ears/a.png', [[12.5, 8, 2], [30.25, 9.5, 2], [14, 29.75, 2], [20, 11, 2]])]


@pytest.mark.parametrize('content', [POINTS.replace('\n', ' '), '10,20,30,25,1,4,0,0', '7 10 20 30 25 3'], ids=['four points', 'VisDrone', 'a box and its track'])
def test_few_numbers_in_one_line_may_be_a_box(raw, content):
    "… with a class and a score: they are told, and read where the user says so, or below `landmarker/`"
    ears(raw, a=content), image(raw/'landmarker/faces/a.png'), text(raw/'landmarker/faces/a.txt', content)
    report = outcome(raw)
    assert boxes(raw.parent/'out') == [] and [path for path, _ in rows(raw.parent/'out', 'landmarker')] == ['landmarker/faces/a.png']
    assert problem(report, 'not_recognised').detail.startswith('pairs of x and y, or a box with more numbers: ') and '`format = "lfpw"` below `["ears"]`' in problem(report, 'not_recognised').detail
    outcome(raw, sources=Source('ears', format='lfpw'))
    assert len(rows(raw.parent/'out', 'landmarker')) == 2


@pytest.mark.parametrize(('content', 'box'), [('0 30 22 20 10 0.9', [30, 22, 20, 10]), ('3 10 12 50 32 1', [10, 12, 40, 20])])
def test_one_box_with_its_score_is_no_three_points(raw, content, box):
    ears(raw, a=content, b=content)
    outcome(raw)
    assert boxes(raw.parent/'out')[0] == ('ears/a.png', box) and rows(raw.parent/'out', 'landmarker') == []


def test_beside_the_images(raw):
    image(raw/'ears/images/a.jpg')
    text(raw/'ears/landmarks/a.txt', POINTS)
    outcome(raw)
    assert boxes(raw.parent/'out') == [('ears/images/a.jpg', BOX)]


@pytest.mark.parametrize('content', [
    '0 0.5 0.5 0.1 0.2\n', '7 .5 .5 .1 .2\n' * 3, '0 .5 .5 .1 .2 .4 .4 2\n', '0 .1 .1 .2 .1 .2 .2 .1 .2\n', '0 .1 .1 .2 .1 .2 .2 .1 .2 1\n', '12 .5 .5 .1 .2 .4 .4 2 .3 .3 2 .3 .3 1\n', '',
    'Ears of 12 people.\n', 'a.png\nb.png\n', 'version: 1\nn_points: 3\n{\n1 2\n3 4\n5 6\n}\n', '1\n2\n3\n', '10 20\n', '1 2 3 4 5\n', '0.1 0.2\n0.3 0.4\n0.5 0.6\n'], ids=range(14))
def test_other_texts_are_left_alone(raw, content):
    ears(raw, a=content)
    assert 'lfpw' not in dict(formats(raw))


@pytest.mark.parametrize(('name', 'content'), [('a.png.txt', POINTS), ('a.png.cat', '4 ' + POINTS.replace('\n', ' ')), ('a.cat', POINTS)])
def test_names_with_that_of_the_image(raw, name, content):
    image(raw/'ears/a.png'), text(raw/'ears'/name, content)
    outcome(raw)
    assert formats(raw) == [('lfpw', (f'ears/{name}',))] and boxes(raw.parent/'out') == [('ears/a.png', BOX)]


@pytest.mark.parametrize('content', ['12 8 30 9\n14 29 20 11\n', '3 12 8 30 9 1\n0 14 29 20 31 0\n'])
def test_lines_of_boxes_are_no_points(raw, content):
    ears(raw, a=content, b=content)
    assert 'lfpw' not in dict(formats(raw))


def test_texts_without_an_image(raw):
    ears(raw, a=POINTS)
    for name in ('README', 'train', 'classes'): text(raw/f'ears/{name}.txt', POINTS)
    assert formats(raw) == [('lfpw', ('ears/a.txt',))]


def test_pts_in_a_text_beside_loose_points(raw):
    ears(raw, a=POINTS, c=POINTS)
    image(raw/'ears/b.png'), pts(raw/'ears/b.txt', [(1, 2), (3, 4), (5, 6)])
    assert sorted(formats(raw)) == [('lfpw', ('ears/a.txt', 'ears/c.txt')), ('pts', ('ears/b.txt',))]


@pytest.mark.parametrize(('content', 'where'), [('1 2\n3\n', 'line 2'), ('1 2\n\n3 x\n', 'line 3'), ('', ''), (b'\xff\xfe\0', 'line 1')])
def test_a_broken_file(raw, content, where):
    ears(raw, a=POINTS, b=POINTS, c=content)
    p = problem(outcome(raw), 'malformed')
    assert (p.file, p.where, p.action, p.boxes, p.keypoints) == ('ears/c.txt', where, 'dropped', 1, 1) and len(boxes(raw.parent/'out')) == 2


def test_points_on_a_line_span_no_box(raw):
    ears(raw, a='1 20\n30 20\n9 20\n')
    assert ('no_area', 'dropped') in reasons(outcome(raw)) and len(rows(raw.parent/'out', 'landmarker')) == 1


def test_few_files_are_opened(raw, monkeypatch):
    from ear_lazy.formats import lfpw
    ears(raw, **{f'e{i:03}': POINTS for i in range(40)})
    opened = []
    monkeypatch.setattr(lfpw, 'read_head', lambda tree, file, size: opened.append(file) or POINTS.encode())
    assert len(lfpw.sniff(Tree(raw), 'ears')[0].files) == 40 and len(opened) == 8


WORDS = st.sampled_from(['1', '2', '4', '12.5', '-3', 'nan', 'inf', '1e300', '1e999', 'x', '\n', '\n', ',', '\0', '٣', '1_0', '9' * 5000])


@settings(quick, max_examples=tries(500))
@given(st.lists(WORDS, max_size=20))
def test_odd_words(pictures, words): check_reader(pictures, 'a.txt', 'lfpw', ' '.join(words).encode())
