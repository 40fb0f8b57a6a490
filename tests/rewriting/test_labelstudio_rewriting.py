"Label Studio: regions changed, added and deleted in their export, and nothing else"
import json

import pytest
from driver import REAL, check, new, opened, patches_of, rows, some_edits
from hypothesis import HealthCheck, given, settings, strategies as st
from making import image, text
from tiers import tries

from ear_lazy.formats.shared.patches import CannotRewrite

FILE = 'ears/project.json'
A, B = '/data/upload/1/a.png', '/data/upload/1/b.png' # as the reader has them
LAYOUTS = {
    'one line': json.dumps,
    'indented': lambda o: json.dumps(o, indent=4, ensure_ascii=False),
    'compact': lambda o: json.dumps(o, separators=(',', ':')) + '\n',
}


def result(type='rectanglelabels', label='ear', id=None, size=(40, 60), **value):
    value = value or dict(x=10, y=25, width=20.5, height=50, rotation=0)
    declared = dict(original_width=size[1], original_height=size[0], image_rotation=0) if size else {}
    return declared | dict(value=value | ({type: [label]} if type.endswith('labels') else {}), id=id or f'{label}{value}', from_name='label', to_name='image', type=type, origin='manual')


def point(x, y, label, **more): return result('keypointlabels', label, x=x, y=y, width=.5) | more


def put(raw, *tasks, layout='one line', wrap=lambda o: o):
    names = 'a.png', 'b.png'
    for o in names: image(raw/'ears'/o)
    content = [dict(id=i, annotations=[dict(id=i, result=list(own), was_cancelled=False, note='ä')], data=dict(image=f'/data/upload/1/0a1b2c3d-{name}')) for i, (own, name) in enumerate(zip(tasks, names))]
    return text(raw/FILE, LAYOUTS[layout](wrap(content)))


def refused(raw, edits):
    with pytest.raises(CannotRewrite) as e: patches_of(opened(raw, FILE), edits)
    return str(e.value)


BOX = result(id='box')
POINTS = [point(10, 20, 'p2', parentID='box'), point(30.25, 40, 'p10', parentID='box')]
APART = [result('rectangle', id='apart', x=1, y=2, width=30, height=40), result('labels', 'nose', id='apart', x=1, y=2, width=30, height=40)]


@pytest.mark.parametrize('layout', LAYOUTS)
def test_values(raw, tmp_path, layout):
    "Percents of photos of 60 × 40 pixels"
    put(raw, [BOX, *POINTS], APART, layout=layout)
    both, apart = rows(raw, FILE)
    assert both.value.box == pytest.approx((6, 10, 12.3, 20)) and [o[0] for o in both.value.points] == pytest.approx([6, 18.15])
    assert check(raw, FILE, [both.to(box=(7.5, 10, 12.3, 20))], tmp_path) == [(b'10', b'12.5')]
    assert check(raw, FILE, [both.to(points=[both.value.points[0], (18.15, 24, 2)], label='left ear')], tmp_path) == [(b'"ear"', b'"left ear"'), (b'40', b'60')]
    assert check(raw, FILE, [apart.to(label='mouth')], tmp_path) == [(b'"nose"', b'"mouth"')]
    assert check(raw, FILE, [o.to(*o.value) for o in (both, apart)], tmp_path) == []


@pytest.mark.parametrize('layout', LAYOUTS)
def test_objects_come_and_go(raw, tmp_path, layout):
    put(raw, [BOX, *POINTS, dict(type='relation', from_id='box', to_id='other', direction='right'), result(label='nose')], APART, layout=layout)
    both, single, apart = rows(raw, FILE)
    added = [new(A, (6, 10, 12, 20), label='ohr ä'), new(B, (1.5, 2, 3, 4), [(3, 4, 2), (6, 8, 2)], 'ear'), new(B, None, [(1.5, 2, 2), (3, 4, 2)])]
    assert b'relation' in b''.join(old for old, _ in check(raw, FILE, [both.gone], tmp_path))
    for edits in ([apart.gone, single.gone], added, [both.gone, single.gone, apart.gone, *added]): check(raw, FILE, edits, tmp_path, within=.5)
    assert 'is its name here' in refused(raw, [new(B, None, [(1, 2, 2)], 'nose')])
    put(raw, [], [], layout=layout)
    check(raw, FILE, [o for o in added if o.image == B], tmp_path, size=(40, 60), within=.5)


def test_fractions(raw, tmp_path):
    "Where results do not say how large their photo is, the reader has fractions"
    put(raw, [result(size=None), result(size=None, label='nose')], [])
    ear, nose = rows(raw, FILE)
    assert check(raw, FILE, [ear.to(box=(.125, .25, .205, .5))], tmp_path, size=(40, 60)) == [(b'10', b'12.5')]
    check(raw, FILE, [nose.gone, new(B, (.1, .2, .3, .4), label='ear')], tmp_path, size=(40, 60))


@pytest.mark.parametrize('own, change, words', [
    ([result(x=10, y=20, width=20, height=30, rotation=5)], dict(box=(1, 2, 3, 4)), 'rotated rectangle'), ([result('ellipselabels', x=20, y=50, radiusX=10, radiusY=25)], dict(box=(1, 2, 3, 4)), 'extent of a ellipse'),
    ([result('polygonlabels', points=[[10, 25], [30, 25], [20, 75]])], dict(box=(1, 2, 3, 4)), 'extent of a polygon'), (POINTS, dict(label='ear'), 'their names'), (POINTS, dict(box=(1, 2, 3, 4)), 'no rectangle'),
    (POINTS, dict(points=[(1, 2, 2)]), '2 points, not 1'), (POINTS, dict(points=[(1, 2, 2), (1, 2, 1)]), 'no visibility')], ids=range(7))
def test_what_is_refused(raw, own, change, words):
    put(raw, own, [])
    o, = rows(raw, FILE)
    assert words in refused(raw, [o.to(**change)]) and f'{A}, region {o.id}: ' in refused(raw, [o.to(**change)])
    assert 'no list of results for c.png' in refused(raw, [new('c.png', (1, 2, 3, 4))]) and 'read the raw data again' in refused(raw, [o._replace(id=99).gone])


def test_other_exports(raw, tmp_path):
    "One annotation with its task, and JSON-MIN, in which values are all there is"
    put(raw, [BOX, *POINTS], wrap=lambda o: o[0]['annotations'][0] | dict(task=dict(id=1, data=o[0]['data'])))
    check(raw, FILE, [rows(raw, FILE)[0].to(box=(7, 10, 12, 20)), new(A, (1, 2, 3, 4), label='ear')], tmp_path, within=.5)
    value = dict(x=10, y=25, width=20, height=50, rotation=0, rectanglelabels=['ear'], original_width=60, original_height=40)
    put(raw, [], wrap=lambda o: [dict(image=A, id=1, label=[value, value | dict(x=20)], annotator=1, annotation_id=3)])
    first, second = rows(raw, FILE)
    assert check(raw, FILE, [first.to(box=(9, 10, 12, 20), label='nose')], tmp_path) == [(b'10', b'15'), (b'"ear"', b'"nose"')]
    check(raw, FILE, [first.gone], tmp_path)
    assert 'no list of results' in refused(raw, [new(A, (1, 2, 3, 4))])


@pytest.fixture(scope='module')
def mixed(tmp_path_factory):
    raw = tmp_path_factory.mktemp('mixed')/'raw'
    put(raw, [BOX, *POINTS, result(label='nose'), result('ellipselabels', 'left ear', x=20, y=50, radiusX=10, radiusY=25)], APART + [result(label='nose', x=1.123456789, y=2, width=3, height=4)], layout='indented')
    return raw, rows(raw, FILE)


@settings(max_examples=tries(100), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_edits(mixed, tmp_path, data):
    raw, objects = mixed
    edits = [o._replace(now=o.now and o.now._replace(box=None)) if o.was and o.was.label == 'left ear' else o for o in data.draw(some_edits(objects, (A, B), ('ear', 'left ear', 'third'), (2,)))]
    check(raw, FILE, edits, tmp_path, within=.501)


@pytest.mark.skipif(not REAL.is_dir(), reason=f'no real data at {REAL}')
@pytest.mark.parametrize('name', ['data.json', 'data_polygons.json'])
def test_real_files(tmp_path, name):
    raw, name = REAL/'labelstudio_json', f'test_export_yolo/{name}'
    found = rows(raw, name)
    assert check(raw, name, [o.to(box=o.value.box, label=o.value.label) for o in found if 'polygon' not in name], tmp_path) == []
    if 'polygon' not in name: assert len(check(raw, name, [found[0].to(box=[o + 10 for o in found[0].value.box])], tmp_path, within=.5)) == 4
    check(raw, name, [*(o.gone for o in found[1:]), found[0].to(label='somebody'), new(found[0].image, (10, 20, 30, 40), label='nobody')], tmp_path, within=.5)
