"Tables of keypoints: names of columns that tools write, what is no point, what the user says, and files that are damaged at random"
import pytest
from damaging import check_reader, examples
from hypothesis import given, settings, strategies as st
from making import boxes, formats, image, outcome, problem, reasons, rows, text
from tiers import tries

from ear_lazy.formats.discover import Source

PICTURES = 'a.png', 'b.png'
quick = examples(2000)
POINTS = [[5, 6, 2], [30, 7, 2], [20, 31, 2]]


def ears(raw, *lines, name='points.csv', dataset='ears'):
    "Images of 60×40"
    for o in 'ab': image(raw/dataset/f'{o}.png')
    return text(raw/dataset/name, '\n'.join([*lines, '']))


def found(raw): return [values for _, values in rows(raw.parent/'out', 'landmarker')]


@pytest.mark.parametrize('header', [
    'file,x1,y1,x2,y2,x3,y3', 'image_name,part_0_x,part_0_y,part_1_x,part_1_y,part_2_x,part_2_y', ',0,1,2,3,4,5', 'image,1,2,3,4,5,6', 'image,left_x,left_y,right_x,right_y,nose_x,nose_y', 'image,leftX,leftY,rightX,rightY,noseX,noseY',
    'Image Name,X0,Y0,X1,Y1,X2,Y2', 'img,x_1,y_1,x_2,y_2,x_3,y_3', 'filename,lm_x_1,lm_y_1,lm_x_2,lm_y_2,lm_x_3,lm_y_3', 'file, p1x, p1y, p2x, p2y, p3x, p3y', 'path,x,y,x.1,y.1,x.2,y.2'])
@pytest.mark.parametrize('delimiter', [',', '; ', '\t'])
def test_names_of_columns(raw, header, delimiter):
    ears(raw, *(o.replace(',', delimiter) for o in (header, 'a.png,5,6,30,7,20,31')))
    assert reasons(outcome(raw)) == [] and found(raw) == [POINTS] and boxes(raw.parent/'out') == []


@pytest.mark.parametrize('header', ['x3,image,y3,x1,y2,x2,y1', 'x_c,image,y_c,x_a,y_b,x_b,y_a'])
def test_order_of_columns(raw, header):
    "Numbers in the names give the order of the points; words leave it to the columns"
    ears(raw, header, '20,a.png,31,5,7,30,6')
    outcome(raw)
    assert found(raw) == [POINTS if '3' in header else [POINTS[2], POINTS[0], POINTS[1]]]


def test_numbers_beyond_nine(raw):
    ears(raw, ','.join(['file', *(f'{a}{i}' for i in (10, 2, 1) for a in 'xy')]), 'a.png,20,31,30,7,5,6')
    outcome(raw)
    assert found(raw) == [POINTS]


def test_points_that_are_not_labelled(raw):
    "Empty cells, zeros and −1; a cell that is empty alone is told"
    ears(raw, 'file,x1,y1,x2,y2,x3,y3', 'a.png,5,6,,,0,0', 'a.png,-1,-1,30,7,nan,NaN', 'b.png,,,,,,', 'b.png,5,,30,7,20,31')
    assert {o for o in reasons(outcome(raw)) if o[0] != 'no_crop'} == {('not_finite', 'kept'), ('unlabelled', 'dropped')}
    assert [[p[2] for p in o] for o in found(raw)] == [[0, 2, 0], [2, 0, 0], [0, 2, 2]]


@pytest.mark.parametrize(('v', 'expected'), [((1, 0, 1), (2, 0, 2)), ((2, 0, 1), (2, 0, 1)), ((0.4, 0, 0.9), (2, 0, 2))])
def test_visibility(raw, v, expected):
    ears(raw, 'file,x1,y1,v1,x2,y2,v2,x3,y3,v3', 'a.png,5,6,{},30,7,{},20,31,{}'.format(*v))
    outcome(raw)
    assert [tuple(o[2] for o in points) for points in found(raw)] == [expected]


def test_a_box_as_well(raw):
    ears(raw, 'file,xmin,ymin,xmax,ymax,label,x1,y1,x2,y2,x3,y3', 'a.png,1,2,40,39,ear,5,6,30,7,20,31', 'b.png,,,,,ear,5,6,30,7,20,31')
    assert reasons(outcome(raw)) == [] and boxes(raw.parent/'out') == [('ears/a.png', [1, 2, 39, 37])] and found(raw) == [POINTS] * 2


@pytest.mark.parametrize(('dataset', 'said', 'box', 'points'), [('ears', '', True, False), ('detector/ears', '', True, False), ('landmarker/ears', '', False, True), ('ears', 'points', False, True)])
def test_four_corners(raw, dataset, said, box, points):
    "… are an outline in detection sets, and never a box of the first two"
    ears(raw, 'filename,x1,y1,x2,y2,x3,y3,x4,y4', 'a.png,20,10,40,10,30,35,10,25', dataset=dataset)
    report = outcome(raw, sources=Source(dataset, numbers=said))
    assert reasons(report) == ([('no_box', 'derived')] if box else []) and boxes(raw.parent/'out') == ([(f'{dataset}/a.png', [10, 10, 30, 25])] if box else [])
    assert len(found(raw)) == points


@pytest.mark.parametrize(('lines', 'format'), [
    (['file,x1,y1,x2,y2', 'a.png,1,2,30,4'], 'csv'), (['filename,width,height,class,xmin,ymin,xmax,ymax', 'a.png,60,40,ear,1,2,30,4'], 'csv'), (['image,x,y,w,h,center_x,center_y,size_x,size_y', 'a.png,1,2,3,4,2,4,3,4'], 'csv'),
    (['id,x1,y1,x2,y2,x3,y3', 'a.png,5,6,30,7,20,31'], None), (['file,x1,y1,x2,y2,x3,y3', '0.jpg.old,5,6,30,7,20,31'], None), (['file,a,b,c', 'a.png,1,2,3'], None), (['a.png,5,6,30,7,20,31'], 'list'),
    (['image_id,lefteye_x,lefteye_y,righteye_x,righteye_y,nose_x,nose_y,leftmouth_x,leftmouth_y,rightmouth_x,rightmouth_y', 'a.png,1,2,3,4,5,6,7,8,9,10'], 'celeba')])
def test_other_tables_are_left_alone(raw, lines, format):
    ears(raw, *lines)
    assert [o for o, _ in formats(raw)] == [format] * bool(format)


def test_fractions_are_told(raw):
    ears(raw, 'file,x1,y1,x2,y2,x3,y3', 'a.png,0.1,0.2,0.3,0.2,0.3,0.9')
    assert 'lie within 0 and 1' in problem(outcome(raw), 'bad_file').detail


def test_lines_that_are_wrong(raw):
    ears(raw, 'file,x1,y1,x2,y2,x3,y3', 'a.png,5,6,30,7,20,31', 'a.png,5,6,x,7,20,31', 'b.png,5,6', 'gone.png,5,6,30,7,20,31')
    report = outcome(raw)
    assert [(p.where, p.image, p.keypoints) for p in report.problems.where(reason='malformed')] == [('line 3', 'ears/a.png', 1), ('line 4', 'ears/b.png', 1)]
    assert problem(report, 'missing_image').where == 'line 5' and found(raw) == [POINTS]


@pytest.mark.parametrize(('lines', 'columns'), [
    (['photo,lx,ly,rx,ry,what', 'a.png,5,6,30,7,ear'], dict(image='photo', points=['lx', 'ly', 'rx', 'ry'], label='what')), (['a.png;ear;5;6;30;7'], dict(image=0, label=1, points=[2, 3, 4, 5])),
    (['id\tY\tX\tV\tU', 'a.png\t6\t5\t7\t30'], dict(image='id', points=('X', 'Y', 'U', 'V')))])
def test_what_the_user_says(raw, lines, columns):
    "Columns by name, or by place where there is no header"
    ears(raw, *lines)
    report = outcome(raw, sources=Source('ears', columns=columns))
    assert reasons(report) == [] and found(raw) == [POINTS[:2]] and report.sources['ears'].formats == 'point_table'
    places = ''.join(f'{k} = {list(v) if isinstance(v, tuple) else v!r}\n' for k, v in columns.items())
    text(raw/'sources.toml', '[ears.columns]\n' + places)
    assert outcome(raw).sources['ears'].keypoints.kept == 1


@pytest.mark.parametrize('columns', [dict(image='photo', points=['lx', 'ly']), dict(image=0, points=[1, 22])])
def test_columns_that_are_not_there(raw, columns):
    ears(raw, 'file,x1,y1,x2,y2,x3,y3', 'a.png,5,6,30,7,20,31')
    assert 'no columns of an image and of' in problem(outcome(raw, sources=Source('ears', columns=columns)), 'bad_file').detail


FILE = 'image,class,x1,y1,x2,y2,x3,y3\na.png,ear,1,2,30,4,5,6\nb.png,ear,,,-1,-1,5,6\n'


CELLS = st.sampled_from(['', 'a.png', 'b', '1', '-1', '0', '55.5', 'nan', 'inf', '1e300', '9' * 5000, 'x', '"', ' ', '\0', '٣', '1_0'])


@settings(quick, max_examples=tries(500))
@given(st.lists(st.lists(CELLS, max_size=9), max_size=4))
def test_odd_cells(pictures, lines): check_reader(pictures, 'x.csv', 'point_table', (FILE + '\n'.join(map(','.join, lines))).encode())
