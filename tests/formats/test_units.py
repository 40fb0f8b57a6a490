"Numbers that are no pixels, in files that say nothing of it: the user does"
import numpy as np
import pytest
from making import boxes, image, outcome, rows, text

from ear_lazy.formats.discover import Source


@pytest.mark.parametrize('whole', [1, 100])
@pytest.mark.parametrize(('format', 'name', 'line'), [
    ('list', 'list.txt', 'a.png {x} {y} {w} {h} 0'), ('list', 'list.csv', 'a.png,{x},{y},{x2},{y2},0'), ('pixel_labels', 'a.txt', 'ear {x} {y} {w} {h}'), ('pixel_labels', 'a.txt', 'ear {x} {y} {x2} {y2}')])
def test_boxes_in_other_units(raw, format, name, line, whole):
    "Fractions and percent of the image, in files of bare numbers"
    image(raw/'ears/a.png', (400, 600))
    rows = [(0.1, 0.2, 0.5, 0.25), (0.5, 0.55, 0.25, 0.4)]
    text(raw/'ears'/name, '\n'.join(line.format(x=x * whole, y=y * whole, w=w * whole, h=h * whole, x2=(x + w) * whole, y2=(y + h) * whole) for x, y, w, h in rows) + '\n')
    outcome(raw, sources=Source('ears', format, units={1: 'fraction', 100: 'percent'}[whole]))
    np.testing.assert_allclose([o for _, o in boxes(raw.parent/'out')], np.array(rows) * [600, 400, 600, 400], rtol=1e-5)


@pytest.mark.parametrize('header', ['image,0,1,2,3,4,5', ''])
def test_points_in_other_units(raw, header):
    "… and of tables of points that have no names; what the report says to do helps"
    image(raw/'ears/a.png', (400, 600))
    text(raw/'ears/points.csv', f'{header}\na.png,0.1,0.2,0.5,0.25,1,1\n'.lstrip())
    columns = {} if header else dict(columns={'image': 0, 'points': [1, 2, 3, 4, 5, 6]})
    assert '`units = "fraction"`' in outcome(raw, sources=Source('ears', **columns)).problems[0].detail
    assert not outcome(raw, sources=Source('ears', units='fraction', **columns)).problems
    (_, points), = rows(raw.parent/'out', 'landmarker')
    np.testing.assert_allclose(points, [[60, 80, 2], [300, 100, 2], [600, 400, 2]], rtol=1e-5)
