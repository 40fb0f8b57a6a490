"Tables of DeepLabCut: paths in one column and in three, several animals, frames of the same name"
import pytest
from making import formats, image, outcome, problem, reasons, rows, text

HEADER = 'scorer,Ann,Ann,Ann,Ann\nbodyparts,snout,snout,tail,tail\ncoords,x,y,x,y\n'
ANIMALS = 'scorer,,,Ann,Ann,Ann,Ann,Ann,Ann\nindividuals,,,m1,m1,m2,m2,single,single\nbodyparts,,,snout,snout,snout,snout,corner,corner\ncoords,,,x,y,x,y,x,y\n'


def video(raw, table, *frames, name='m1', top='labeled-data/'):
    for o in frames: image(raw/f'mice/{top}{name}/{o}.png')
    return text(raw/f'mice/{top}{name}/CollectedData_Ann.csv', table)


def found(raw): return [(path.partition('/labeled-data/')[2], values) for path, values in rows(raw.parent/'out', 'landmarker')]


@pytest.mark.parametrize('table', [
    HEADER + 'labeled-data/m1/a.png,5,6,30.5,7\nlabeled-data/m1/b.png,5,6,,\n', HEADER + 'labeled-data\\m1\\a.png,5,6,30.5,7\r\nlabeled-data\\m1\\b.png,5,6,,\r\n',
    HEADER.replace(',Ann', ',,,Ann', 1).replace(',snout', ',,,snout', 1).replace(',x', ',,,x', 1) + 'labeled-data,m1,a.png,5,6,30.5,7\nlabeled-data,m1,b.png,5,6,,\n'], ids=['one', 'backslashes', 'three'])
def test_paths(raw, table):
    video(raw, table, 'a', 'b')
    assert reasons(outcome(raw)) == [('no_crop', 'kept')] and found(raw) == [('m1/a.png', [[5, 6, 2], [30.5, 7, 2]]), ('m1/b.png', [[5, 6, 2], [0, 0, 0]])]


def test_several_animals(raw):
    "Each has a set of its own, which is left out where it is not seen"
    video(raw, ANIMALS + 'labeled-data,m1,a.png,5,6,30,7,1,2\nlabeled-data,m1,b.png,,,30,7,,\n', 'a', 'b')
    outcome(raw)
    assert found(raw) == [('m1/a.png', [[1, 2, 2]]), ('m1/a.png', [[5, 6, 2]]), ('m1/a.png', [[30, 7, 2]]), ('m1/b.png', [[30, 7, 2]])]


def test_a_frame_of_another_video_is_never_taken(raw):
    "All videos have frames of the same names"
    video(raw, HEADER + 'labeled-data/m1/a.png,5,6,30,7\nlabeled-data/m1/b.png,1,2,3,4\n', 'a')
    video(raw, HEADER + 'labeled-data/m2/b.png,9,8,7,6\n', 'b', name='m2')
    report = outcome(raw)
    assert (problem(report, 'missing_image').where, problem(report, 'missing_image').detail) == ('line 5', 'labeled-data/m1/b.png')
    assert found(raw) == [('m1/a.png', [[5, 6, 2], [30, 7, 2]]), ('m2/b.png', [[9, 8, 2], [7, 6, 2]])]


def test_a_table_away_from_its_frames(raw):
    for name in ('m1', 'm2'): image(raw/f'mice/labeled-data/{name}/a.png')
    text(raw/'mice/CollectedData_Ann.csv', HEADER + 'labeled-data/m2/a.png,5,6,30,7\nlabeled-data/m3/a.png,5,6,30,7\n')
    assert problem(outcome(raw), 'missing_image').detail == 'labeled-data/m3/a.png' and [path for path, _ in found(raw)] == ['m2/a.png']


def test_a_frame_without_a_point(raw):
    "says nothing: it is no background image either"
    video(raw, HEADER + 'labeled-data/m1/a.png,5,6,30,7\nlabeled-data/m1/b.png,,,,\n', 'a', 'b')
    assert reasons(outcome(raw)) == [] and len(found(raw)) == 1 and rows(raw.parent/'out', 'detector') == []


def test_lines_that_are_wrong(raw):
    video(raw, HEADER + 'labeled-data/m1/a.png,5,6,30,7\nlabeled-data/m1/a.png,5,x,30,7\nlabeled-data/m1/a.png,5\n', 'a')
    assert [(p.where, p.keypoints) for p in outcome(raw).problems] == [('line 5', 1), ('line 6', 1)] and len(found(raw)) == 1


@pytest.mark.parametrize('table', [
    HEADER.replace('\ncoords,x,y,x,y', '\ncoords,x,y,likelihood,x') + '0,5,6,1,7\n', HEADER + '0,5,6,30,7\n', HEADER, 'scorer,Ann\n', 'scorer,points\na.png,3\n', HEADER.replace('coords,x,y,x,y', 'coords,x,x,x,y') + 'a.png,1,2,3,4\n'], ids=range(6))
def test_other_tables_are_left_alone(raw, table):
    "… what a model predicted for frames of a video among them"
    video(raw, table, 'a')
    assert formats(raw) == []
