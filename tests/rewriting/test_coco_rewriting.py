"COCO: annotations changed, added and deleted in their file, and nothing else"
import json

import pytest
from driver import REAL, check, new, opened, patches_of, rows, some_edits
from hypothesis import HealthCheck, given, settings, strategies as st
from making import image, text
from tiers import tries

from ear_lazy.formats.shared.patches import CannotRewrite

FILE = 'ears/a.json'
SIZE = 40, 60


def coco(annotations, images=('a.png', 'b.png'), categories=({'id': 1, 'name': 'ear'}, {'id': 2, 'name': 'left ear'}), **more):
    return dict(info={'n': 'ä'}, images=[dict(id=i, file_name=o, height=40, width=60) for i, o in enumerate(images, 1)],
                annotations=[dict(id=10 + i, image_id=1, category_id=1) | o for i, o in enumerate(annotations)], categories=[*categories], **more)


LAYOUTS = {
    'one line': json.dumps,
    'compact': lambda o: json.dumps(o, separators=(',', ':'), ensure_ascii=False),
    'indented': lambda o: json.dumps(o, indent=2) + '\n',
    'crlf': lambda o: json.dumps(o, indent='\t', ensure_ascii=False).replace('\n', '\r\n'),
    'mark': lambda o: '\ufeff' + json.dumps(o, sort_keys=True),
    'an annotation a line': lambda o: json.dumps(o).replace('}, {', '},\n {').replace('[{', '[\n {'),
}


def put(raw, content, layout='one line', name=FILE):
    for o in content['images']: image(raw/'ears'/o['file_name'], SIZE)
    return text(raw/name, LAYOUTS[layout](content))


BOX = dict(bbox=[10, 20, 12, 14], area=168, iscrowd=0, note='keep')
POINTS = dict(bbox=[1.5, 2.25, 30, 20], keypoints=[5.5, 6, 2, 7, 8.25, 1, 0, 0, 0], num_keypoints=2, area=600.0)


@pytest.mark.parametrize('layout', LAYOUTS)
def test_a_box_and_its_area(raw, tmp_path, layout):
    put(raw, coco([BOX, POINTS, BOX]), layout)
    first, second, third = rows(raw, FILE)
    assert check(raw, FILE, [third.to(box=(11, 20, 12, 15))], tmp_path) == ([(b'10', b'11'), (b'14', b'15'), (b'168', b'180')] if layout != 'mark' else [(b'168', b'180'), (b'10', b'11'), (b'14', b'15')])
    assert sorted(check(raw, FILE, [second.to(box=(1.5, 2.126, 30, 20.5))], tmp_path, within=0.005)) == [(b'2.25', b'2.13'), (b'20', b'20.5'), (b'600.0', b'615.0')]
    assert check(raw, FILE, [first.to(box=first.value.box, label='ear'), second.to(points=second.value.points)], tmp_path) == []


@pytest.mark.parametrize('layout', LAYOUTS)
def test_all_at_once(raw, tmp_path, layout):
    "A class, points, an annotation that goes, and two new ones"
    put(raw, coco([BOX, POINTS, POINTS, BOX]), layout)
    a, b, c, d = rows(raw, FILE)
    edits = [a.to(label='left ear'), b.to(points=[(5.5, 6, 2), (0, 0, 0), (3, 4.25, 2)]), d.gone, new('b.png', (1, 2, 3, 4), label='ear'),
             new('b.png', (1, 2, 13, 14), [(1, 2, 2), (3, 4, 0), (5, 6, 1)], 'left ear')]
    check(raw, FILE, edits, tmp_path)
    check(raw, FILE, [a.gone, b.gone, c.gone, d.gone], tmp_path)
    check(raw, FILE, [a.gone, b.gone, c.gone, d.gone, edits[-1]], tmp_path)


def refused(raw, edits, name=FILE):
    with pytest.raises(CannotRewrite) as e: patches_of(opened(raw, name), edits)
    return str(e.value)


@pytest.mark.parametrize('more, words', [
    (dict(segmentation=[[10, 20, 15, 34, 22, 30]]), 'outline'), (dict(segmentation=dict(counts=[2, 3, 7], size=[3, 4])), 'outline'), (dict(attributes=dict(rotation=30)), 'rotated'),
    (dict(bbox=None, segmentation=[[10, 20, 15, 34, 22, 30]]), 'outline'), (dict(bbox=[16, 27, 12, 14, 30]), 'rotated')], ids=range(5))
def test_a_box_that_follows_from_something_else(raw, tmp_path, more, words):
    "It is refused; the class of such an annotation may be another"
    put(raw, coco([BOX | more]))
    o, = rows(raw, FILE)
    assert words in refused(raw, [o.to(box=(11, 20, 12, 14))]) and 'a.png, annotation 10' in refused(raw, [o.to(box=(11, 20, 12, 14))])
    assert check(raw, FILE, [o.to(label='left ear')], tmp_path) == [(b'1', b'2')]
    check(raw, FILE, [o.gone, new('a.png', (1, 2, 3, 4), label='ear')], tmp_path)


@pytest.mark.parametrize('corners', [[10, 20, 22, 20, 22, 34, 10, 34], [10.2, 34, 10.2, 20, 22, 20, 22, 34, 10, 34]])
def test_an_outline_that_is_the_box_follows_it(raw, tmp_path, corners):
    put(raw, coco([BOX | dict(segmentation=[corners])]))
    o, = rows(raw, FILE)
    left = [(str(o).encode(), b'11') for o in corners[::2] if o < 11]
    assert check(raw, FILE, [o.to(box=(11, 20, 11, 14))], tmp_path) == [(b'10', b'11'), (b'12', b'11'), (b'168', b'154'), *left]


@pytest.mark.parametrize('more', [dict(segmentation=[]), dict(segmentation=None), dict(segmentation=[[]]), dict(area=None), dict(bbox=['10', '20', '12', '14'])], ids=range(5))
def test_boxes_as_tools_write_them(raw, tmp_path, more):
    put(raw, coco([BOX | more, BOX]))
    o, _ = rows(raw, FILE)
    quoted = b'"%b"' if 'bbox' in more else b'%b'
    assert check(raw, FILE, [o.to(box=(11.4, 20, 12, 14))], tmp_path, within=.5) == [(quoted % b'10', quoted % b'11')]


NUMBERED = {'id': 1, 'name': 'ear', 'keypoints': ['p10', 'p2', 'p1'], 'skeleton': [[1, 2]]}
NAMED = {'id': 1, 'name': 'ear', 'keypoints': ['a', 'b', 'c']}


def test_points_that_the_reader_has_in_another_order(raw, tmp_path):
    put(raw, coco([POINTS, BOX | dict(keypoints=[])], categories=[NUMBERED, {'id': 2, 'name': 'left ear'}]))
    o, bare = rows(raw, FILE)
    assert o.value.points[2][:2] == (5.5, 6)
    assert check(raw, FILE, [o.to(points=[*o.value.points[:2], (5.75, 6, 1)])], tmp_path) == [(b'5.5', b'5.75'), (b'2', b'1')]
    assert 'other names, or another order' in refused(raw, [o.to(label='left ear')])
    assert '3 points, not 2' in refused(raw, [o.to(points=o.value.points[:2])]) and '3 points, not 2' in refused(raw, [new('b.png', None, [(1, 2, 2)] * 2, 'ear')])
    points = [(1, 2, 2), (3, 4, 1), (5, 6, 2)]
    check(raw, FILE, [bare.to(points=points), o.to(label='ear, left', points=points), new('b.png', None, points, 'ear'), new('b.png', (1, 2, 3, 4), points, 'ear, right')], tmp_path)


def test_a_new_class_has_points_if_its_objects_do(raw, tmp_path):
    put(raw, coco([POINTS, BOX], categories=[NUMBERED]))
    o, bare = rows(raw, FILE)
    points = [(1, 2, 2), (3, 4, 1), (5, 6, 2)]
    (*_, (old, now)) = check(raw, FILE, [new('b.png', (1, 2, 3, 4), label='head'), bare.to(label='nose'), new('b.png', (1, 2, 3, 4), label='left'), new('b.png', None, points, 'left'), o.to(label='right')], tmp_path)
    found = {o['name']: o.get('keypoints') for o in json.loads(f'[{{}}{now.decode()}]')[1:]}
    assert found == dict(left=NUMBERED['keypoints'], right=NUMBERED['keypoints'], head=None, nose=None)


def test_pairs(raw, tmp_path):
    put(raw, coco([dict(bbox=[1, 2, 30, 20], keypoints=[5.5, 6, 7, 8, 0, 0])] * 2, categories=[NAMED]))
    o, _ = rows(raw, FILE)
    assert check(raw, FILE, [o.to(points=[(5.5, 6, 2), (0, 0, 0), (9, 10.5, 2)])], tmp_path) == [(b'7', b'0'), (b'8', b'0'), (b'0', b'9'), (b'0', b'10.5')]
    assert 'none can be hidden' in refused(raw, [o.to(points=[(5.5, 6, 1)] * 3)]) and 'corner' in refused(raw, [o.to(points=[(-1, 6, 2)] * 3)])


def test_boxes_of_one_pixel_that_are_points(raw, tmp_path):
    "Each point is an annotation; one that is there twice moves twice"
    found = [dict(bbox=[x, 2 * x, 1, 1], category_id=c, image_id=i) for i, c, x in ((1, 2, 10), (1, 1, 5.5), (2, 1, 7), (1, 2, 10), (2, 3, 9))]
    put(raw, coco(found, images=('a.png', 'b.png', 'c.png'), categories=[dict(id=i, name=f'p{i}') for i in (1, 2, 3)]), 'indented')
    a, b = rows(raw, FILE)
    assert a.value.points == ((6, 11.5, 2), (10.5, 20.5, 2), (0, 0, 0))
    assert check(raw, FILE, [a.to(points=[(6, 11.5, 2), (12.5, 20.5, 2), (0, 0, 0)])], tmp_path) == [(b'10', b'12')] * 2
    check(raw, FILE, [a.to(points=[(6.5, 11.5, 2), (12.5, 20.5, 2), (3, 4, 2)]), b.to(points=[(0, 0, 0), (8, 8, 2), (9.5, 18.5, 2)]), new('c.png', None, [(1, 2, 2), (0, 0, 0), (3, 4, 2)])], tmp_path, within=.5)
    check(raw, FILE, [b.to(points=[(1, 2, 2)] * 3), a.gone], tmp_path, within=.5)
    for edit, words in ((a.to(points=[(1, 2, 1)] * 3), 'none can be hidden'), (a.to(label='ear'), 'no class'), (a.to(points=[(1, 2, 2)]), '3 points, not 1'), (new('a.png', None, [(1, 2, 2)] * 3), 'are one object'),
                        (new('d.png', None, [(1, 2, 2)] * 3), 'does not list')): assert words in refused(raw, [edit])


WHOLE = dict(bbox=[1, 2, 30, 20], keypoints=[3, 4, 2] * 17, num_keypoints=17, foot_kpts=[5, 6, 2] * 6, foot_valid=True, face_kpts=[7.5, 8, .75] * 68, lefthand_kpts=[0, 0, 0] * 21, righthand_kpts=[9, 10, .5] * 21, righthand_box=[1, 2, 3, 4])


def test_whole_bodies(raw, tmp_path):
    "Points of faces and hands have scores"
    put(raw, coco([WHOLE, {k: v for k, v in WHOLE.items() if k != 'lefthand_kpts'}]), name='ears/wholebody.json')
    a, b = rows(raw, 'ears/wholebody.json')
    points = [*a.value.points]
    points[0], points[17], points[23], points[132] = (3, 4, 1), (5, 7, 2), (0, 0, 0), (9, 11, 2)
    assert check(raw, 'ears/wholebody.json', [a.to(points=points)], tmp_path) == [(b'2', b'1'), (b'6', b'7'), (b'7.5', b'0'), (b'8', b'0'), (b'0.75', b'0.00'), (b'10', b'11')]
    points[0] = 0, 0, 0
    assert (b'17', b'16') in check(raw, 'ears/wholebody.json', [a.to(points=points)], tmp_path)
    assert 'a group that the annotation has not' in refused(raw, [b.to(points=[(1, 2, 2)] * 133)], 'ears/wholebody.json')
    assert 'none can be hidden' in refused(raw, [a.to(points=[(1, 2, 1)] * 133)], 'ears/wholebody.json')
    check(raw, 'ears/wholebody.json', [b.to(points=[*points[:91], *b.value.points[91:112], *points[112:]]), new('b.png', (1, 2, 3, 4), [(1, 2, 2)] * 133, 'ear')], tmp_path)


@pytest.mark.parametrize('content', [
    coco([BOX | dict(id='7'), BOX | dict(id='x')]), coco([BOX | dict(id=None)] * 2), coco([BOX | dict(id=5), BOX | dict(id=5), BOX | dict(id=5, iscrowd=1)]),
    coco([BOX | dict(bbox='nonsense'), BOX, dict(image_id='?', bbox={}), BOX, BOX | dict(image_id=9)]), coco([BOX | dict(category_id='2', image_id='1')] * 2), coco([BOX | dict(category_id=7)] * 2),
    coco([BOX | dict(category_id=o) for o in (7, 8, 7)], categories=[]), coco([BOX] * 2, images=['a.png', 'b.png', 'a.png'])], ids=range(8))
def test_ids(raw, tmp_path, content):
    "Of annotations that are texts, none, or those of several; beside items that do not fit"
    put(raw, content)
    found = rows(raw, FILE)
    labels = {o.value.label for o in found}
    o = found[1]
    check(raw, FILE, [o.to(box=(11, 20, 12, 14)), new('b.png', (1, 2, 3, 4), label=min(labels))], tmp_path)
    check(raw, FILE, [found[0].gone, o.to(label=max(labels))], tmp_path)
    if content['categories']: check(raw, FILE, [found[0].to(label='ohr ä'), new('b.png', (1, 2, 3, 4), label='ohr ä'), new('b.png', (1, 2, 3, 4), label='third')], tmp_path)
    else: assert 'add `categories`' in refused(raw, [o.to(label='third')])


def test_a_file_without_annotations(raw, tmp_path):
    for layout, categories in [('one line', []), ('indented', [NAMED]), ('crlf', [])]:
        put(raw, coco([], categories=categories), layout)
        check(raw, FILE, [new('a.png', (1, 2, 3.5, 4), label='ear'), new('b.png', None, [(1, 2, 2)] * 3, 'ear')], tmp_path)


def test_what_is_refused(raw, tmp_path):
    put(raw, coco([BOX]))
    o, = rows(raw, FILE)
    assert 'does not list the photo c.png' in refused(raw, [new('c.png', (1, 2, 3, 4), label='ear')])
    check(raw, FILE, [new('b.png', (1, 2, 3, 4))], tmp_path)
    assert 'no annotation 11 of a.png' in refused(raw, [o._replace(id=11).gone])
    text(raw/FILE, (raw/FILE).read_bytes().replace(b'"keep"', b'NaN'))
    assert 'NaN as null' in refused(raw, [o.gone])


@pytest.fixture(scope='module')
def mixed(tmp_path_factory):
    "A file of boxes, points and both, for random edits"
    raw = tmp_path_factory.mktemp('mixed')/'raw'
    only = dict(keypoints=[5.5, 6, 2, 7, 8.25, 1, 0, 0, 0], num_keypoints=2)
    put(raw, coco([BOX, POINTS, BOX | dict(image_id=2), only, POINTS | dict(image_id=2), BOX], categories=[NAMED, NAMED | dict(id=2, name='left ear')]), 'indented')
    return raw, rows(raw, FILE)


@settings(max_examples=tries(100), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_edits(mixed, tmp_path, data):
    raw, objects = mixed
    check(raw, FILE, data.draw(some_edits(objects, ('a.png', 'b.png'), ('ear', 'left ear', 'third'))), tmp_path, within=.501)


@pytest.mark.skipif(not REAL.is_dir(), reason=f'no real data at {REAL}')
@pytest.mark.parametrize('folder, name', [('people_coco_keypoints', 'test_coco.json'), ('faces_pts', 'anno_300vw.json')])
def test_real_files(tmp_path, folder, name):
    raw = REAL/folder
    found = rows(raw, name)
    assert check(raw, name, [o.to(points=o.value.points, label=o.value.label) for o in found], tmp_path) == []
    o = next(o for o in found if o.value.points and o.value.points[0][2])
    (x, y, v), *others = o.value.points
    (old, now), = check(raw, name, [o.to(points=[(x + 3, y, v), *others])], tmp_path, within=.5)
    assert float(now) == pytest.approx(x + 3, abs=.01)
    check(raw, name, [found[0].gone, found[-1].to(label='somebody'), new(o.image, (1, 2, 30, 40), o.value.points, o.value.label)], tmp_path, within=.5)
