"LabelMe, AudioEar, CreateML and VoTT: every habit of theirs, and files that are damaged at random"
import io
import json
import zipfile

import pytest
from damaging import EDITS, ODD, changed, check_reader, edited, examples, places
from hypothesis import given, settings, strategies as st
from making import boxes, coco, image, outcome, problem, reasons, rows, text
from tiers import tries

from ear_lazy.formats.discover import discover
from ear_lazy.formats.shared.archives import open_archive
from ear_lazy.formats.shared.tree import Tree

PICTURES = 'a.png', 'b.png', 'empty.png'
CONTOURS = (20, 15, 15, 5)


def formats(raw): return sorted((d.format, len(d.files)) for s in discover(Tree(raw))[0] for d in s.documents)


def shape(kind, *points, label='ear', **more): return dict(label=label, points=[list(p) for p in points], shape_type=kind, group_id=None, flags={}) | more


def labelme(*shapes, path='a.png', **more):
    return dict(version='5.4.1', flags={}, shapes=list(shapes), imagePath=path, imageData=None, imageHeight=40, imageWidth=60) | more


def put(path, content): return text(path, json.dumps(content))


# LabelMe

@pytest.mark.parametrize('shape, box, derived', [
    (shape('rectangle', (5, 10), (20, 30)), [5, 10, 15, 20], False), (shape('rectangle', (20, 10), (5, 30)), [5, 10, 15, 20], False),
    (shape('rectangle', (5, 10), (20, 10), (20, 30), (5, 30)), [5, 10, 15, 20], False), (shape('polygon', (1, 2), (9, 2), (5, 8)), [1, 2, 8, 6], True),
    (shape('linestrip', (1, 2), (9, 2), (5, 8)), [1, 2, 8, 6], True), (shape('line', (9, 2), (1, 8)), [1, 2, 8, 6], True), (shape('circle', (30, 20), (33, 24)), [25, 15, 10, 10], True),
    (shape('mask', (1, 2), (9, 8), mask='iVBORw0KGgo='), [1, 2, 8, 6], True), (shape(None, (1, 2), (9, 2), (5, 8)), [1, 2, 8, 6], True)])
def test_labelme_shapes_with_a_box(raw, shape, box, derived):
    image(raw/'ears/a.png')
    put(raw/'ears/a.json', labelme(shape))
    assert reasons(outcome(raw)) == [('no_box', 'derived')] * derived
    assert boxes(raw.parent/'out') == [('ears/a.png', box)]


@pytest.mark.parametrize('shapes, instances', [
    ([shape('points', (1, 2), (3, 4), (5, 6))], [[(1, 2), (3, 4), (5, 6)]]),
    ([shape('point', (1, 2), label='2'), shape('point', (3, 4), label='10'), shape('point', (5, 6), label='1')], [[(5, 6), (1, 2), (3, 4)]]),
    ([shape('point', (1, 2), label='nose'), shape('point', (3, 4), label='eye')], [[(3, 4), (1, 2)]]),
    ([shape('point', (1, 2)), shape('point', (3, 4))], [[(1, 2)], [(3, 4)]]),
    ([shape('point', (1, 2), group_id=1), shape('point', (3, 4), group_id=2), shape('point', (5, 6), group_id=1), shape('point', (7, 8), group_id='2')], [[(1, 2), (5, 6)], [(3, 4)], [(7, 8)]])])
def test_labelme_points(raw, shapes, instances):
    image(raw/'ears/a.png')
    put(raw/'ears/a.json', labelme(*shapes))
    assert reasons(outcome(raw)) in ([], [('no_crop', 'kept')] * len([o for o in instances if len(o) == 1]))
    assert rows(raw.parent/'out', 'landmarker') == sorted(('ears/a.png', [[x, y, 2] for x, y in o]) for o in instances)


def test_labelme_points_of_several_objects_without_groups(raw):
    image(raw/'ears/a.png')
    put(raw/'ears/a.json', labelme(*[shape('point', (i, i), label=o) for i, o in enumerate('1212')], shape('rectangle', (1, 1), (9, 9))))
    report = outcome(raw)
    assert problem(report, 'malformed').keypoints == 2 and 'group_id' in problem(report, 'malformed').detail
    assert boxes(raw.parent/'out') == [('ears/a.png', [1, 1, 8, 8])]


def test_labelme_box_and_points_of_a_group(raw):
    image(raw/'ears/a.png')
    put(raw/'ears/a.json', labelme(*[shape('point', (i, i), label=str(i), group_id=3) for i in range(1, 4)], shape('rectangle', (1, 1), (9, 9), group_id=3),
                                   shape('polygon', (20, 2), (30, 2), (30, 9), group_id=4), shape('polygon', (40, 20), (45, 20), (45, 30), group_id=4)))
    assert reasons(outcome(raw)) == [('no_box', 'derived')]
    assert boxes(raw.parent/'out') == [('ears/a.png', [1, 1, 8, 8]), ('ears/a.png', [20, 2, 25, 28])]
    assert len(rows(raw.parent/'out', 'landmarker')) == 1 and len(rows(raw.parent/'out', 'teacher')) == 2


@pytest.mark.parametrize('path', ['a.json', '..\\photos\\a.png', '../photos/a.png', 'C:\\me\\photos\\a.png', 'photos\\a.png', '', None, 'gone.png', 'a'])
def test_labelme_image_path(raw, path):
    image(raw/'ears/photos/a.png'), image(raw/'ears/photos/b.png')
    put(raw/'ears/labels/a.json', labelme(shape('rectangle', (5, 10), (20, 30)), path=path))
    outcome(raw)
    assert boxes(raw.parent/'out') == [('ears/photos/a.png', [5, 10, 15, 20])]


def test_labelme_image_in_the_file_is_not_decoded(raw):
    "… nor does it hide what the file is, when it comes first and is long"
    image(raw/'ears/a.png')
    put(raw/'ears/a.json', dict(version='5', imageData='A' * 200_000, **{k: v for k, v in labelme(shape('rectangle', (5, 10), (20, 30))).items() if k not in ('imageData', 'version')}))
    put(raw/'ears/b.json', labelme(shape('rectangle', (5, 10), (20, 30)), path='b.png', imageData='AAAA'))
    report = outcome(raw)
    assert reasons(report) == [('missing_image', 'dropped')]
    assert boxes(raw.parent/'out') == [('ears/a.png', [5, 10, 15, 20])]


def test_labelme_broken_shapes_files_and_empty_images(raw):
    for o in 'abc': image(raw/f'ears/{o}.png')
    put(raw/'ears/a.json', labelme(shape('rectangle', (5, 10), (20, 30)), shape('rectangle', (1, None), (2, 3)), shape('blob', (1, 2)), shape('circle', (1, 2)), shape('polygon'), 7,
                                   shape('points', ('x', 1)), shape('rectangle', (1, float('nan')), (2, 3))))
    put(raw/'ears/b.json', labelme(path='b.png'))
    text(raw/'ears/c.json', '{"shapes": [')
    report = outcome(raw)
    assert reasons(report) == [('malformed', 'dropped')] * 7 + [('not_finite', 'dropped')]
    assert rows(raw.parent/'out', 'detector') == [('ears/a.png', [[5, 10, 15, 20]]), ('ears/b.png', [])]


def test_labelme_beside_others_in_one_folder(raw):
    "Files that are opened speak for themselves, and a folder of many is claimed by a few of them"
    for i in range(30): image(raw/f'ears/{i}.png')
    for i in range(29): put(raw/f'ears/{i}.json', labelme(shape('rectangle', (5, 10), (20, 30)), path=f'{i}.png'))
    coco(raw/'ears/_all.json', {'29.png': [[1, 2, 3, 4]]})
    put(raw/'ears/zzz.json', [dict(image_id=1, score=0.5)])
    assert formats(raw) == [('coco', 1), ('labelme', 29)]
    assert reasons(outcome(raw)) == [('not_recognised', 'dropped')]
    assert len(boxes(raw.parent/'out')) == 30


# AudioEar

def ear(of=list, start=0, **more):
    shapes = [shape('linestrip', *[(start + c * 10 + i * 0.5, c * 5 + i) for i in range(n)], label=str(c + 8)) for c, n in enumerate(CONTOURS)][::-1]
    return labelme(**more) | dict(shapes=shapes if of is list else {str(i): o for i, o in enumerate(shapes)})


EAR = [[c * 10 + i * 0.5, c * 5 + i, 2] for c, n in enumerate(CONTOURS) for i in range(n)]


@pytest.mark.parametrize('of', [list, dict])
def test_audioear_unpacked(raw, of):
    "Labels are numbers: '8', '9', '10', '11'"
    image(raw/'AudioEar2D/0001.png')
    put(raw/'AudioEar2D/0001.json', ear(of, path='0001.json'))
    assert formats(raw) == [('audioear', 1)]
    assert reasons(outcome(raw)) == []
    assert rows(raw.parent/'out', 'landmarker') == [('AudioEar2D/0001.png', EAR)]


def archive(path, files, method=zipfile.ZIP_DEFLATED):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, 'w', method) as z:
        for name, content in files.items(): z.writestr(name, content if isinstance(content, (bytes, str)) else json.dumps(content))
    return path


def test_audioear_archive_beside_its_images(raw):
    image(raw/'ears/AudioEar3D/1.png'), image(raw/'ears/pics/2.jpg', format='PNG')
    archive(raw/'ears/AudioEar3D.zip', {'AudioEar3D/1.json': ear(dict, path='1.json'), 'AudioEar3D/2.json': ear(path='2.jpg'), '__MACOSX/AudioEar3D/._1.json': b'\0'})
    assert reasons(outcome(raw)) == []
    assert rows(raw.parent/'out', 'landmarker') == [('ears/AudioEar3D/1.png', EAR), ('ears/pics/2.jpg', EAR)]


def test_audioear_images_inside(raw):
    archive(raw/'AudioEar2D.zip', {f'A/{i}{suffix}': ear(path=f'{i}.json') if suffix == '.json' else b'' for i in range(20) for suffix in ('.json', '.png')})
    found = problem(outcome(raw), 'missing_image')
    assert found.keypoints == 20 and 'unpack it' in found.detail and found.file == 'AudioEar2D.zip'


def test_audioear_archive_that_means_harm(raw):
    image(raw/'ears/1.png')
    archive(raw/'ears/x.zip', {'1.json': ear(path='1.png'), '../../2.json': ear(), '/3.json': ear(), 'C:\\4.json': ear(), 'a/../5.json': ear(), '6.json': b' ' * (2**24 + 1), '7.json': ear(path='7.png')})
    report = outcome(raw)
    assert reasons(report) == [('malformed', 'dropped')] * 5 + [('missing_image', 'dropped')]
    assert rows(raw.parent/'out', 'landmarker') == [('ears/1.png', EAR)]
    assert not any(p.name == '2.json' for p in raw.parent.rglob('*'))


def test_audioear_archive_that_is_too_much(raw, monkeypatch):
    image(raw/'ears/1.png')
    path = archive(raw/'ears/x.zip', {f'{i}.json': ear(path='1.png') for i in range(3)})
    monkeypatch.setattr('ear_lazy.formats.audioear.MAX_ALL', 2000)
    assert problem(outcome(raw), 'bad_file').file == 'ears/x.zip'
    data = bytearray(path.read_bytes())
    data[-10:-6] = b'\xff' * 4
    path.write_bytes(data)
    with pytest.raises(Exception, match='too many files'):
        with open_archive(Tree(raw), 'ears/x.zip'): pass


def test_audioear_contours_of_other_lengths(raw):
    image(raw/'ears/1.png'), image(raw/'ears/2.png')
    for i in range(20): put(raw/f'ears/{i + 10}.json', ear(path='1.png', start=i))
    bad = ear(path='2.png')
    bad['shapes'][0]['points'].pop()
    put(raw/'ears/15.json', bad), put(raw/'ears/16.json', bad)
    report = outcome(raw)
    assert reasons(report) == [('malformed', 'dropped')] * 2 and 'contours of 20, 15, 15, 4' in report.problems[0].detail
    assert len(rows(raw.parent/'out', 'landmarker')) == 18


# CreateML

def createml(**more):
    return [dict(image='a.png', annotations=[dict(label='ear', coordinates=dict(x=20, y=15, width=10, height=20))]),
            dict(image='b.png', annotations=[dict(label='ear', coordinates=dict(x='20', y=15.5, width=10, height=20)), dict(label='ear', coordinates=dict(x=0, y=0, width=8, height=8))]),
            dict(image='empty.png', annotations=[])]


def test_createml_centres(raw):
    for o in ('a', 'b', 'empty'): image(raw/f'ears/{o}.png')
    put(raw/'ears/_annotations.createml.json', createml())
    put(raw/'ears/results.json', [dict(image_id=i, bbox=[1, 2, 3, 4], category_id=1, score=0.5) for i in range(100)])
    assert reasons(outcome(raw)) == [('not_recognised', 'dropped'), ('partly_outside', 'clipped')]
    assert rows(raw.parent/'out', 'detector') == [('ears/a.png', [[15, 5, 10, 20]]), ('ears/b.png', [[15, 5.5, 10, 20], [0, 0, 4, 4]]), ('ears/empty.png', [])]


def test_createml_items_that_are_wrong(raw):
    for o in 'abc': image(raw/f'ears/{o}.png')
    good = createml()[0]['annotations'][0]
    put(raw/'ears/x.json', [createml()[0], 7, dict(annotations=[good]), dict(image='b.png', annotations=[dict(label='ear')]), dict(imagefilename='c.png', annotation=[good])])
    assert reasons(outcome(raw)) == [('malformed', 'dropped')] * 4
    assert boxes(raw.parent/'out') == [('ears/a.png', [15, 5, 10, 20]), ('ears/c.png', [15, 5, 10, 20])]


# VoTT

def vott(**assets): return dict(name='ears', securityToken='x', tags=[dict(name='ear', color='#fff')], id='p', version='2.2.0', assets=assets)


def asset(name, *regions, **more):
    return dict(asset=dict(format='png', id='1', name=name, path=f'file:/home/me/ears/{name}', size=dict(width=60, height=40), state=2, type=1) | more, regions=list(regions), version='2.2.0')


def region(left=5, top=10, width=15, height=20, **more):
    corners = [dict(x=left, y=top), dict(x=left + width, y=top + height)]
    return dict(id='r', type='RECTANGLE', tags=['ear'], boundingBox=dict(left=left, top=top, width=width, height=height), points=corners) | more


def test_vott(raw):
    for o in ('a', 'b', 'left/c', 'right/c'): image(raw/f'ears/{o}.png')
    polygon = region(boundingBox=None, type='POLYGON', points=[dict(x=1, y=2), dict(x=9, y=2), dict(x=5, y=8)])
    put(raw/'ears/ears-export.json', vott(a=asset('a.png', region(), polygon), b=asset('b.png', state=1), c=asset('c.png', region(), path='file:/my%20ears/right/c.png'), d=asset('d.png', state=0)))
    assert reasons(outcome(raw)) == [('no_box', 'derived')]
    assert rows(raw.parent/'out', 'detector') == [('ears/a.png', [[5, 10, 15, 20], [1, 2, 8, 6]]), ('ears/b.png', []), ('ears/right/c.png', [[5, 10, 15, 20]])]


def test_vott_what_is_wrong(raw):
    image(raw/'ears/a.png')
    put(raw/'ears/ears-export.json', vott(a=asset('a.png', region(), region(boundingBox=dict(left='x', top=1, width=2, height=3)), region(boundingBox=None, points=[]), region(tags=[7], left=6), 3, size='x'), b=asset('', region(), path=None), c=7))
    assert reasons(outcome(raw)) == [('malformed', 'dropped')] * 5 + [('no_geometry', 'dropped')]
    assert boxes(raw.parent/'out') == [('ears/a.png', [5, 10, 15, 20]), ('ears/a.png', [6, 10, 15, 20])]


def test_vott_files_for_one_image(raw):
    "A folder of them is one document; one that is broken, or of something else, costs itself"
    for name in 'abc': image(raw/f'ears/{name}.png')
    put(raw/'ears/1-asset.json', asset('a.png', region())), put(raw/'ears/2-asset.json', asset('b.png'))
    put(raw/'ears/3-asset.json', asset('c.png', region(), region(boundingBox=dict(left='x', top=1, width=2, height=3))))
    assert formats(raw) == [('vott_json', 3)]
    for i in range(4, 10): put(raw/f'ears/{i}-asset.json', asset('gone.png', region()))
    text(raw/'ears/5-asset.json', '{"asset": {'), put(raw/'ears/6-asset.json', [])
    report = outcome(raw)
    assert rows(raw.parent/'out', 'detector') == [('ears/a.png', [[5, 10, 15, 20]]), ('ears/b.png', []), ('ears/c.png', [[5, 10, 15, 20]])]
    assert [(p.file, p.where) for p in report.problems.where(reason='malformed')] == [
        ('ears/3-asset.json', 'regions[1]'), ('ears/5-asset.json', 'line 1, column 12')]
    assert [p.file for p in report.problems.where(reason='not_recognised')] == ['ears/6-asset.json']


def test_vott_an_export_beside_the_files_it_was_made_of(raw):
    image(raw/'ears/a.png')
    put(raw/'ears/1-asset.json', asset('a.png', region())), put(raw/'ears/ears-export.json', vott(a=asset('a.png', region())))
    assert reasons(outcome(raw)) == [('repeat', 'merged')]


# Damage at random

LABELME = labelme(shape('rectangle', (5, 10), (20, 30), group_id=1), shape('point', (6, 7), label='1', group_id=1), shape('point', (8, 9), label='2', group_id=1),
                  shape('circle', (30, 20), (33, 24)), shape('points', (1, 2), (3, 4)), shape('point', (1, 1), label='x'), shape('polygon', (1, 2), (9, 2), (5, 8)))
FILES = dict(labelme=LABELME, audioear=ear(path='a.json'), createml=createml(),
             vott_json=vott(a=asset('a.png', region(), region(boundingBox=None)), b=asset('b.png', region(left=50), path='file:/x/b.png'), c=asset('empty.png', state=1)),
             vott_json_asset=asset('a.png', region(), region(boundingBox=None)))
NAMES = dict(vott_json_asset='a-asset.json')
many = examples(1000)


@st.composite
def trees(draw, tree):
    for _ in range(draw(st.integers(1, 4))):
        found = list(places(tree))
        tree = changed(tree, found[draw(st.integers(0, len(found) - 1))], draw(st.sampled_from(['replace', 'replace', 'remove', 'double'])), draw(ODD))
    return tree


@pytest.mark.parametrize('name', FILES)
def test_damaged_structure(pictures, name):
    @many
    @given(trees(FILES[name]))
    def check(tree): check_reader(pictures, NAMES.get(name, 'a.json'), name.removesuffix('_asset'), json.dumps(tree).encode())
    check()


@pytest.mark.parametrize('method', [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_damaged_archives(pictures, method):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w', method) as z:
        for name, file in {'A/a.json': ear(path='a.json'), 'b.json': ear(dict, path='b.png'), 'c.json': ear(), 'c.png': {}}.items(): z.writestr(name, json.dumps(file))

    @settings(many, max_examples=tries(500))
    @given(EDITS, st.booleans())
    def check(edits, at_the_end):
        edits = [(0.9 + at / 10 if at_the_end else at, length, new) for at, length, new in edits]
        check_reader(pictures, 'x.zip', 'audioear', edited(buffer.getvalue(), edits))
    check()
