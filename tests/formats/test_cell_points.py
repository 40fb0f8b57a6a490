"Tables of frames whose cells were lists and dicts: keypoints that can be nothing else"
import random

import pytest
from making import boxes, image, outcome, rows, text

from ear_lazy.formats.cell_points_cells import points_of
from ear_lazy.lazy_dataset import LazyNPYDataset

POINTS = [[3, 4, 2], [20, 30, 2], [0, 0, 0]]


def read(raw, header, *cells):
    image(raw/'ears/a.png'), image(raw/'ears/b.png', seed=1)
    text(raw/'ears/a.csv', '\n'.join([header, *(','.join(f'"{c}"' for c in [f'{name}.png', *cells]) for name in 'ab')]))
    return outcome(raw)


@pytest.mark.parametrize(('header', 'cells'), [
    ('image,keypoints', ['[[3, 4], [20, 30], [0, 0]]']), ('filename,landmarks', ['[(3.0, 4.0), (20.0, 30.0), (nan, nan)]']),
    ('image,Keypoints', ['[[3, 4, 2], [20, 30, 2], [0, 0, 0]]']), ('image,kpts', ["[{'x': 3, 'y': 4}, {'x': 20, 'y': 30}, {'x': None, 'y': None}]"]),
    ('image,nose,chin,ear', ["{'x': 3, 'y': 4}", "{'x': 20, 'y': 30}", "{'x': 0, 'y': 0}"]), ('image,nose,chin,ear', ['[3, 4]', '(20, 30)', '[-1, -1]'])])
def test_keypoints_in_cells(raw, header, cells):
    assert not read(raw, header, *cells).problems
    assert [o for _, o in rows(raw.parent/'out', 'landmarker')] == [POINTS] * 2


def test_a_cell_may_be_empty(raw):
    "… also in the first line"
    image(raw/'ears/a.png'), image(raw/'ears/b.png', seed=1)
    text(raw/'ears/a.csv', 'image,nose,chin\na.png,,"{\'x\': 20, \'y\': 30}"\nb.png,"{\'x\': 3, \'y\': 4}",\n')
    outcome(raw)
    assert [o for _, o in rows(raw.parent/'out', 'landmarker')] == [[[0, 0, 0], [20, 30, 2]], [[3, 4, 2], [0, 0, 0]]]


def test_beside_a_box(raw):
    assert dict(read(raw, 'image,label,x,y,w,h,keypoints', 'ear', 1, 2, 30, 32, '[[3, 4], [20, 30]]').sources['ears'].classes) == {'ear': 2}
    assert [list(map(float, o)) for _, o in boxes(raw.parent/'out')] == [[1, 2, 30, 32]] * 2 and len(rows(raw.parent/'out', 'landmarker')) == 2


def test_names(raw):
    "Columns of a point each name it"
    image(raw/'ears/a.png')
    text(raw/'ears/a.csv', 'image,left_ear,right_ear,side\na.png,"{\'x\': 20, \'y\': 30}","{\'x\': 3, \'y\': 4}",left\n')
    outcome(raw)
    ds = LazyNPYDataset(raw.parent/'out/train_landmarker.npy')
    assert (ds.point_names, ds.flip_pairs) == (('left_ear', 'right_ear'), ((0, 1),))


def test_a_cell_that_is_none(raw):
    image(raw/'ears/a.png'), image(raw/'ears/b.png', seed=1), image(raw/'ears/c.png', seed=2)
    text(raw/'ears/a.csv', 'image,keypoints\na.png,"[[3, 4], [20, 30]]"\nb.png,"[[3, 4], 20]"\nc.png,\n')
    report = outcome(raw)
    assert [(p.where, p.detail) for p in report.problems] == [('line 3', 'no numbers')]


@pytest.mark.parametrize(('header', 'cell'), [('image,polygon', '[[3, 4], [20, 30], [9, 9]]'), ('image,keypoints', '[3, 4, 2, 20, 30, 2]')])
def test_what_could_be_two_things_is_not_read(raw, header, cell):
    "… and told with the reason"
    from ear_lazy.errors import RawDataError
    with pytest.raises(RawDataError, match=r'lists in the cells of .*(outlines|pairs or triples)'): read(raw, header, cell)


def test_damaged_cells():
    "A `ValueError` or points, whatever is in them"
    rng, cell = random.Random(0), "[{'x': 3, 'y': 4.5}, [1, 2], (nan, None, 1e400)]"
    for _ in range(300):
        at, n = rng.randrange(len(cell)), rng.randrange(4)
        damaged = cell[:at] + ''.join(rng.choice('[](){}\'",:x0-e.nNu\0é') for _ in range(n)) + cell[at + n:]
        try: points_of(damaged)
        except ValueError: pass
