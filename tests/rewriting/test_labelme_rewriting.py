"LabelMe: shapes changed, added and deleted in their file, and nothing else"
import json

import pytest
from driver import check, new, opened, patches_of, rows, some_edits
from hypothesis import HealthCheck, given, settings, strategies as st
from making import image, text
from tiers import tries

from ear_lazy.formats.shared.patches import CannotRewrite

FILE = 'ears/a.json'


def shape(kind, *points, label='ear', group=None, **more): return dict(label=label, points=[*map(list, points)], group_id=group, description='', shape_type=kind, flags={}, mask=None) | more


def rectangle(*corners, **more): return shape('rectangle', *corners, **more)


BOX = rectangle((30.5, 34), (10, 20.25))
POLYGON = shape('polygon', (1, 2), (10, 2), (5, 9), flags={'hidden': True})
BOTH = [rectangle((1, 2), (30, 22), group=4), *(shape('point', (x, 10 * i), label=f'p{i}', group=4) for i, x in ((2, 5.5), (1, 7)))]
LOOSE = [shape('point', (3, 4), label=o) for o in ('tip', 'lobe')]
LAYOUTS = {
    'one line': json.dumps,
    'indented': lambda o: json.dumps(o, indent=2, ensure_ascii=False),
    'crlf': lambda o: json.dumps(o, indent=4).replace('\n', '\r\n') + '\r\n',
    'mark': lambda o: '\ufeff' + json.dumps(o, separators=(',', ':')),
}


def put(raw, shapes, layout='indented', name=FILE, **more):
    image(raw/name.replace('.json', '.png'))
    content = dict(version='5.4.1', flags={}, shapes=shapes, imagePath=name.replace('ears/', '').replace('.json', '.png'), imageData=None, imageHeight=40, imageWidth=60, note='ä')
    return text(raw/name, LAYOUTS[layout](content | more))


def refused(raw, edits, name=FILE):
    with pytest.raises(CannotRewrite) as e: patches_of(opened(raw, name), edits)
    return str(e.value)


@pytest.mark.parametrize('layout', LAYOUTS)
def test_values(raw, tmp_path, layout):
    "Corners stay in their order, and points in that of the file"
    put(raw, [BOX, POLYGON, *BOTH]), put(raw, [BOX], name='ears/b.json')
    put(raw, [BOX, POLYGON, *BOTH], layout)
    box, polygon, both = rows(raw, FILE)
    assert check(raw, FILE, [box.to(box=(11, 20.25, 19.5, 14))], tmp_path) == [(b'34', b'34.25'), (b'10', b'11')]
    assert check(raw, FILE, [polygon.to(label='left ear'), both.to(label='other')], tmp_path) == [(b'"ear"', b'"left ear"'), (b'"ear"', b'"other"')]
    assert check(raw, FILE, [both.to(box=(1, 2, 29, 20), points=[(7.5, 10, 2), (5.5, 21, 2)])], tmp_path, within=.5) == [(b'20', b'21'), (b'7', b'7.5')]
    assert check(raw, FILE, [o.to(*o.value) for o in (box, both)], tmp_path) == []


@pytest.mark.parametrize('layout', LAYOUTS)
def test_objects_come_and_go(raw, tmp_path, layout):
    put(raw, [BOX, POLYGON, *BOTH], layout)
    box, polygon, both = rows(raw, FILE)
    added = [new('a.png', (1, 2, 3, 4), label='ohr ä'), new('a.png', (1, 2, 3, 4.5), [(1, 2, 2), (3, 4, 2)], 'ear'), new('a.png', None, [(1, 2, 2)], 'nose')]
    for edits in ([box.gone], [both.gone, box.to(label='other')], [polygon.gone, both.gone], added, [box.gone, polygon.gone, both.gone, *added], [box.gone, polygon.gone, both.gone]):
        check(raw, FILE, edits, tmp_path)
    put(raw, [], layout)
    check(raw, FILE, added, tmp_path)


def test_a_new_file_is_as_labelme_writes_it(raw, tmp_path):
    "As if its one shape had been drawn there"
    drawn = put(raw, [rectangle((1, 2), (4, 6))], note='').read_bytes()
    put(raw, [], note='')
    (old, now), = check(raw, FILE, [new('a.png', (1, 2, 3, 4), label='ear')], tmp_path)
    assert json.loads((raw/FILE).read_bytes().replace(old, now, 1)) == json.loads(drawn)
    squeezed = [bytes(o).replace(b'\n', b'').replace(b' ', b'') for o in (drawn, (raw/FILE).read_bytes().replace(old, now, 1))]
    assert squeezed[0] == squeezed[1] and now.startswith(b'[\n    {\n      "label": "ear",\n      "points": ')


@pytest.mark.parametrize('shapes, change, words', [
    ([POLYGON], dict(box=(1, 2, 3, 4)), 'extent of what is drawn (polygon)'), ([shape('circle', (20, 20), (20, 25))], dict(box=(1, 2, 3, 4)), '(circle)'),
    ([rectangle((1, 2), (5, 6), group=1), rectangle((7, 2), (9, 6), group=1)], dict(box=(1, 2, 3, 4)), '(rectangle, rectangle)'), ([rectangle((5, 0), (10, 5), (5, 10), (0, 5))], dict(box=(1, 2, 3, 4)), 'turned'),
    (LOOSE, dict(label='ear'), 'their names'), (LOOSE, dict(box=(1, 2, 3, 4)), 'no rectangle'), (LOOSE, dict(points=[(1, 2, 2)]), '2 points, not 1'), (LOOSE, dict(points=[(1, 2, 2), (0, 0, 0)]), 'not labelled'),
    ([shape('points', (1, 2), (3, 4))], dict(points=[(1, 2, 1), (3, 4, 2)]), 'one shape')], ids=range(9))
def test_what_is_refused(raw, shapes, change, words):
    put(raw, shapes)
    assert words in refused(raw, [rows(raw, FILE)[0].to(**change)]) and 'a.png, shape 0: ' in refused(raw, [rows(raw, FILE)[0].to(**change)])


def test_shapes_that_are_no_list(raw, tmp_path):
    put(raw, {'ear': dict(points=[[1, 2], [5, 6]], shape_type='rectangle'), 'nose': [[1, 2], [3, 4], [2, 8]]})
    ear, nose = rows(raw, FILE)
    assert check(raw, FILE, [ear.to(box=(1, 2, 4, 5), label='ear, left')], tmp_path) == [(b'6', b'7'), (b'', b',\n      "label": "ear, left"')]
    assert 'bare list' in refused(raw, [nose.to(label='ear')]) and 'no list' in refused(raw, [ear.gone]) and 'no object begins' in refused(raw, [ear._replace(id=7).gone])


SAID = dict(label='ear', points=['1', '2', '3'], names=['a', 'b', 'c'], skeleton=[], flip_pairs=[])


@pytest.mark.parametrize('layout', LAYOUTS)
def test_groups_of_which_the_file_says_more(raw, tmp_path, layout):
    "As this package writes them: points may be hidden, or not labelled"
    marks = [shape('point', (2, 3), label='1', group=1, flags={'hidden': True, 'clear': True}), shape('point', (5.5, 6), label='3', group=1)]
    put(raw, [BOX | dict(group_id=1), *marks, rectangle((1, 2), (5, 6), label='nose'), *(shape('point', (i, 9), label=str(i), group=3) for i in (1, 2, 3))], layout, ear_lazy=dict(groups={'1': SAID, '3': SAID}))
    ear, nose, bare = rows(raw, FILE)
    assert ear.value.points == ((2, 3, 1), (0, 0, 0), (5.5, 6, 2)) and bare.value.label == 'ear'
    assert [o[1] for o in check(raw, FILE, [ear.to(points=[(2, 3.5, 2), (0, 0, 0), (5.5, 6, 2)])], tmp_path)] == [b'3.5', b'false']
    check(raw, FILE, [ear.to(points=[(0, 0, 0), (7, 8, 1), (5.5, 6, 1)], label='left ear'), bare.to(label='left ear', points=[(1, 9, 2), (0, 0, 0), (3, 9, 1)])], tmp_path)
    added = [new('a.png', (1, 2, 3, 4), [(1, 2, 1), (0, 0, 0), (3, 4, 2)], 'ear'), new('a.png', None, [(1, 2, 2), (0, 0, 0), (3, 4, 1)], 'ear')]
    for edits in ([ear.gone], added, [ear.gone, bare.gone, nose.gone, *added], [bare.gone, *added], [ear.gone, bare.gone]): check(raw, FILE, edits, tmp_path)
    assert 'not labelled' in refused(raw, [new('a.png', None, [(1, 2, 2), (0, 0, 0)], 'ear')])


@pytest.mark.parametrize('flags', [dict(flags=None), {}])
def test_points_that_get_hidden(raw, tmp_path, flags):
    own = shape('point', (3, 4), label='eye', group=2) | flags
    if not flags: del own['flags']
    put(raw, [own, shape('points', (1, 2), (3, 4), label='nose', flags=dict(occluded=True))])
    eye, nose = rows(raw, FILE)
    check(raw, FILE, [eye.to(points=[(3, 4, 1)]), nose.to(points=[(1, 2, 2), (3, 4, 2)])], tmp_path)


@pytest.fixture(scope='module')
def mixed(tmp_path_factory):
    raw = tmp_path_factory.mktemp('mixed')/'raw'
    put(raw, [BOX, *BOTH, rectangle((1, 2), (30, 2), (30, 22), (1, 22), label='b'), shape('points', (1, 2), (3, 4.5), label='nose'), shape('circle', (20, 20), (20, 25), label='left ear'), BOX, *(shape('point', (x, x), label='eye', group='g') for x in (3, 5))])
    return raw, rows(raw, FILE)


@settings(max_examples=tries(100), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_edits(mixed, tmp_path, data):
    raw, objects = mixed
    edits = [o._replace(now=o.now and o.now._replace(box=None)) if o.was and o.was.label == 'left ear' else o for o in data.draw(some_edits(objects, ('a.png',), ('ear', 'left ear', 'third'), (2,)))]
    check(raw, FILE, edits, tmp_path, within=.501, corners=True)
