"Lists without a header: every maker's, those that could be two things, what only looks like one, and files that are damaged at random"
import numpy as np
import pytest
from damaging import check_reader, examples
from hypothesis import given, settings, strategies as st
from making import boxes, formats, image, outcome, problem, reasons, rows, text
from tiers import tries

from ear_lazy.errors import AnnotationError
from ear_lazy.formats.discover import Source
from ear_lazy.formats.lists import read
from ear_lazy.formats.shared.tree import Document, Tree

PICTURES = 'a.png', 'b.png'
quick = examples(2000)


def ears(raw, *lines, name='ears.txt', end='\n'):
    "Images of 60×40"
    for o in 'ab': image(raw/f'ears/{o}.png')
    return text(raw/'ears'/name, end.join([*lines, '']))


def found(raw): return [(path.rpartition('/')[2], box) for path, box in boxes(raw.parent/'out')]


CORNERS = [('a.png', [5, 10, 20, 15]), ('a.png', [30, 20, 20, 15]), ('b.png', [35, 20, 20, 15])]


@pytest.mark.parametrize('lines', [
    ['a.png,5,10,25,25,ear', 'a.png,30,20,50,35,nose', 'b.png,35,20,55,35,ear'], ['a.png;5;10;25;25', 'a.png;30;20;50;35', 'b.png;35;20;55;35'],
    ['a.png\tear\t5\t10\t25\t25', 'a.png\tear\t30\t20\t50\t35', 'b.png\tear\t35\t20\t55\t35'], ['"a.png","5","10","25","25",""', '"a.png",30,20,50,35,"left, ear"', '"b.png",35,20,55,35,ear'],
    ['a.png 5 10 20 15', 'a.png 30 20 20 15', 'b.png 35 20 20 15'], ['a.png 5 10 20 15 30 20 20 15', 'b.png 35 20 20 15'],
    ['a.png 2 5 10 20 15 30 20 20 15', 'b.png 1 35 20 20 15'], ['a.png  2  5 10 25 25 30 20 50 35', 'b.png 1 35 20 55 35'],
    ['a.png 5,10,25,25,0 30,20,50,35,1', 'b.png 35,20,55,35,0'], ['./ears/a.png 5, 10, 25, 25', '/home/me/ears/a.png 30, 20, 50, 35', 'C:\\ears\\b.png 35, 20, 55, 35'],
    ['a.png,5,10,25,25,ear,60,40', 'a.png,30,20,50,35,nose,60,40', 'b.png,35,20,55,35,ear,60,40'], ['a.png,60,40,ear,5,10,25,25', 'a.png,60,40,nose,30,20,50,35', 'b.png,60,40,ear,35,20,55,35'], ['a.png 60 40 0 5 10 25 25 1 30 20 50 35', 'b.png 60 40 0 35 20 55 35'],
    ['a.png 5 10 20 15 0.91', 'a.png 30 20 20 15 0.5', 'b.png 35 20 20 15 1'], ['a.png 0.91 5 10 25 25', 'a.png 0.5 30 20 50 35', 'b.png 0.25 35 20 55 35'],
    ['# made by hand', 'a.png 5.0 1e1 20 15 left ear', '', 'a.png 30 20 20 15 left ear', 'b.png 35 20 20 15 left ear']], ids=range(16))
@pytest.mark.parametrize(('name', 'end'), [('ears.txt', '\n'), ('info.dat', '\r\n'), ('_annotations.csv', '\n')])
def test_every_makers_list(raw, lines, name, end):
    ears(raw, *lines, name=name, end=end)
    assert reasons(outcome(raw)) == [] and found(raw) == CORNERS and formats(raw) == [('list', (f'ears/{name}',))]


def test_names_of_classes(raw):
    "Beside the list; a number beyond them is no class"
    ears(raw, 'a.png 5,10,25,25,0 30,20,50,35,1', 'b.png 35,20,55,35,2')
    text(raw/'ears/_classes.txt', 'ear\nnose\n')
    report = outcome(raw)
    assert 'class 2 is not among the 2 names' in problem(report, 'malformed').detail and problem(report, 'malformed').where == 'line 2'
    assert report.sources['ears'].labels == {'ear': 1, 'nose': 1} if hasattr(report.sources['ears'], 'labels') else len(found(raw)) == 2


def test_an_image_without_an_object(raw):
    "is a background image, and a line that cannot be read makes none of it"
    for name in 'cd': image(raw/f'ears/{name}.png')
    ears(raw, 'a.png,35,20,55,35,ear', 'b.png,,,,,', 'c.png,1,2,3,ear', 'd.png')
    report = outcome(raw)
    assert reasons(report) == [('malformed', 'dropped')] and problem(report, 'malformed').image == 'ears/c.png'
    assert [(path, len(o)) for path, o in rows(raw.parent/'out', 'detector')] == [('ears/a.png', 1), ('ears/b.png', 0), ('ears/d.png', 0)]


@pytest.mark.parametrize('said, expected', [('xywh', [5, 10, 20, 15]), ('xyxy', [5, 10, 15, 5])])
def test_two_readings(raw, said, expected):
    "If both fit, nothing is guessed; the remedy works"
    ears(raw, 'a.png 5 10 20 15', 'b.png 5 10 20 15')
    detail = problem(outcome(raw), 'bad_file').detail
    assert detail == 'the 2 boxes fit their images as x y w h and x1 y1 x2 y2: say which in sources.toml, as `numbers = "xywh"` or `numbers = "xyxy"` below `["ears"]`' and found(raw) == []
    assert reasons(outcome(raw, sources=Source('ears', numbers=said))) == [] and found(raw) == [('a.png', expected), ('b.png', expected)]
    text(raw/'sources.toml', f'[ears]\nnumbers = "{said}"\n')
    outcome(raw)
    assert found(raw) == [('a.png', expected), ('b.png', expected)]


def test_equal_readings(raw):
    "A box in the corner is the same either way"
    ears(raw, 'a.png 1 0 0 20 15', 'b.png 1 0 0 20 15')
    assert reasons(outcome(raw)) == [] and found(raw) == [('a.png', [0, 0, 20, 15]), ('b.png', [0, 0, 20, 15])]


def test_groups_that_commas_hold_together_are_no_points(raw):
    "As many numbers as of points, and no word of points"
    ears(raw, 'a.png 5,10,25,25,0 10,5,20,20,1')
    assert problem(outcome(raw), 'bad_file').detail.startswith('the 2 boxes fit their images as x y w h and x1 y1 x2 y2')
    assert found(raw) == [] and reasons(outcome(raw, sources=Source('ears', numbers='points'))) == [('malformed', 'dropped')]


@pytest.mark.parametrize('line', ['a.png 5 10 20 15 30 20 21 25', 'a.png,5,10,20,15,30,20'])
def test_points_or_boxes(raw, line):
    "As many numbers in each line are points or boxes"
    ears(raw, line)
    assert 'may be points, or several boxes' in problem(outcome(raw), 'bad_file').detail
    assert reasons(outcome(raw, sources=Source('ears', numbers='points'))) == []
    assert rows(raw.parent/'out', 'landmarker')[0][1][:3] == [[5, 10, 2], [20, 15, 2], [30, 20, 2]] and found(raw) == []


@pytest.mark.parametrize('content', [
    'a.png\nb.png\n', 'images/a.png 0.1 0.2 0.3 0.4\n', 'a.png 1 -1 -1 1 1\n', 'a.png 3\nb.png 4\n', 'a.png ear\n', 'gone.png 35 20 55 35\n', 'numpy==2.1\ntorch>=2\n', '1 2 3 4\n', 'epoch 1 35 20 55 35\n',
    'photo;x;left edge;top edge;across;down\na.png;99;5;10;20;15\n', 'wrote a.png in 35 s, 20 of 55 to go, 35 images\n', '', '\0'], ids=range(13))
def test_what_only_looks_like_a_list(raw, content):
    ears(raw, content)
    assert formats(raw) == []


def test_numbers_that_fit_no_image(raw):
    ears(raw, 'a.png 350 200 550 350', 'b.png 300 100 400 380')
    assert 'read as x y w h 0 of 2, as x1 y1 x2 y2 0 of 2 do' in problem(outcome(raw), 'bad_file').detail


def test_lists_of_other_readers_stay_theirs(raw):
    for name in 'ab': image(raw/f'ears/{name}.png')
    text(raw/'ears/x.txt', 'a.png\n1\n1 2 3 4 0 0 0 0 0 0\n'), text(raw/'ears/y.csv', 'image,x,y,w,h\na.png,1,2,3,4\n')
    assert formats(raw) == [('wider', ('ears/x.txt',)), ('csv', ('ears/y.csv',))]


@pytest.mark.parametrize(('columns', 'line'), [
    (dict(image=0, x1=1, y1=2, x2=3, y2=4, label=5), 'a.png,5,10,20,15,ear'), (dict(image=5, x1=1, y1=2, x2=3, y2=4, label=0), 'ear,5,10,20,15,a.png'), (dict(image=1, x=2, y=3, w=4, h=5), '0;a.png;5;10;15;5')])
def test_places_of_columns(raw, columns, line):
    "A table without a header is read if the user says where its columns are"
    ears(raw, line, line.replace('a.png', 'b.png'), name='t.csv')
    assert reasons(outcome(raw, sources=Source('ears', columns=columns))) == [] and found(raw) == [('a.png', [5, 10, 15, 5]), ('b.png', [5, 10, 15, 5])]
    text(raw/'sources.toml', '[ears.columns]\n' + ''.join(f'{k} = {v}\n' for k, v in columns.items()))
    outcome(raw)
    assert found(raw) == [('a.png', [5, 10, 15, 5]), ('b.png', [5, 10, 15, 5])]


SHAPES = ['{image} {box}', '{image},{box},ear', '{image},ear,{box}', '{image} {n} {box}', '{image} {box} 0', '{image} 3 {box}', '{image},60,40,ear,{box}']


@examples(1000)
@given(st.sampled_from(SHAPES), st.booleans(), st.lists(st.tuples(st.sampled_from('ab'), st.integers(0, 58), st.integers(0, 38), st.integers(1, 60), st.integers(1, 40)), min_size=1, max_size=12))
def test_never_a_wrong_box(pictures, shape, corners, objects):
    "What comes out is what was written, or nothing"
    written, lines = [], []
    for name, x, y, w, h in objects:
        x2, y2 = min(x + w, 60), min(y + h, 40)
        values = [x, y, x2, y2] if corners else [x, y, x2 - x, y2 - y]
        written.append([x, y, x2 - x, y2 - y])
        lines.append(shape.format(image=f'{name}.png', n=1, box=(',' if ',' in shape else ' ').join(map(str, values))))
    text(pictures/'x.txt', '\n'.join(lines))
    try: r = read(Tree(pictures), Document('list', ('x.txt',)))
    except AnnotationError: return
    finally: (pictures/'x.txt').unlink()
    assert np.array_equal(r.boxes, written), (lines, r.boxes)


WORDS = st.sampled_from(['a.png', 'b.png', 'gone.jpg', '.png', '../a.png', '1', '2', '30', '55', '-1', '9' * 5000, '٣', '²', 'nan', 'inf', '1e300', '\0', '"', ',', ',,', ';', '\n', '\n', 'ear', '1,2,3,4,5', '#'])


@settings(quick, max_examples=tries(500))
@given(st.lists(WORDS, max_size=20))
def test_odd_words(pictures, words): check_reader(pictures, 'x.txt', 'list', ('a.png 30 20 50 35\n' + ' '.join(words)).encode())
