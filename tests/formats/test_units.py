"Numbers that are no pixels, in files that say nothing of it: the user does"
import re

import numpy as np
import pytest
from making import boxes, image, outcome, rows, text

from ear_lazy.errors import RawDataError
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


BOXES = [(.1, .2, .3, .4), (.2, .1, .25, .3), (.4, .3, .2, .2), (.5, .55, .25, .4), (.1, .1, .1, .2), (.3, .6, .3, .2)]


def lines(form, centred=False):
    return [form.format(i=i, x=x + centred * w / 2, y=y + centred * h / 2, w=w, h=h, x2=x + w, y2=y + h) for i, (x, y, w, h) in enumerate(BOXES)]


@pytest.mark.parametrize(('name', 'form', 'header'), [
    ('list.txt', '{i}.png {x} {y} {w} {h}', ''), ('list.txt', '{i}.png {x},{y},{x2},{y2},0', ''), ('list.csv', '{i}.png,{x},{y},{x2},{y2},ear', ''),
    ('a.dat', '{i}.png 1 {x} {y} {w} {h}', ''), ('{i}.txt', '{x} {y} {x2} {y2} 0', ''), ('{i}.txt', '{x} {y} {w} {h}', ''),
    ('a.csv', '{i}.png,{x},{y},{w},{h}', 'image,x,y,w,h\n'), ('a.csv', '{i}.png,{x},{y},{x2},{y2}', 'image,x1,y1,x2,y2\n')])
def test_what_is_said_of_fractions_is_enough(raw, name, form, header):
    "Lines of fractions that no reader takes: what the report says to do, and no more, has them read"
    for i in range(len(BOXES)): image(raw/f'ears/{i}.png', (400, 600), seed=i)
    files = {name.format(i=i): o for i, o in enumerate(lines(form))} if '{i}' in name else {name: header + '\n'.join(lines(form))}
    for file, content in files.items(): text(raw/'ears'/file, content + '\n')
    try: told = outcome(raw).problems[0].detail
    except RawDataError as e: told = str(e)
    said = dict(re.findall(r'`(\w+) = "(\w+)"', told)[:1])
    assert said == {'units': 'fraction'}
    assert not [p for p in outcome(raw, sources=Source('ears', **said)).problems if p.action != 'kept']
    np.testing.assert_allclose([o for _, o in boxes(raw.parent/'out')], np.array(BOXES) * [600, 400, 600, 400], rtol=1e-5)


def test_centres_in_a_list(raw):
    "… that could be corners or sizes as well, until the user says so"
    for i in range(len(BOXES)): image(raw/f'ears/{i}.png', (400, 600), seed=i)
    text(raw/'ears/list.txt', '\n'.join(lines('{i}.png {x} {y} {w} {h} 0', True)))
    outcome(raw, sources=Source('ears', units='fraction', numbers='cxcywh class'))
    np.testing.assert_allclose([o for _, o in boxes(raw.parent/'out')], np.array(BOXES) * [600, 400, 600, 400], rtol=1e-5)
    text(raw/'ears/list.txt', '\n'.join(f'{i}.png .5 .5 .{i + 2} .{i + 2}' for i in range(4)))
    assert 'as x y w h and cx cy w h' in outcome(raw, sources=Source('ears', units='fraction')).problems[0].detail


def test_pairs_in_fractions(raw):
    for i in range(3): image(raw/f'ears/{i}.png', (400, 600), seed=i), text(raw/f'ears/{i}.txt', '.1 .2\n.5 .25\n.75 .5\n')
    with pytest.raises(RawDataError) as told: outcome(raw)
    outcome(raw, sources=Source('ears', **dict(re.findall(r'`(\w+) = "(\w+)"', str(told.value)))))
    np.testing.assert_allclose(rows(raw.parent/'out', 'landmarker')[0][1], [[60, 80, 2], [300, 100, 2], [450, 200, 2]], rtol=1e-5)
