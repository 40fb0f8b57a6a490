"VIA 1, 2 and 3, as JSON and as CSV: shapes, classes, points, and files that are damaged at random"
import csv
import io
import json
from math import pi

import pytest
from damaging import ODD, changed, check_reader, examples, places
from hypothesis import given, settings, strategies as st
from making import boxes, formats, image, outcome, problem, reasons, rows, text
from tiers import tries

from ear_lazy.formats.discover import discover
from ear_lazy.formats.load import load
from ear_lazy.formats.shared.tree import Tree

PICTURES = 'a.png', 'b.png', 'empty.png'
RECT = dict(name='rect', x=5, y=10, width=15, height=20)


def region(shape, **attributes): return dict(shape_attributes=shape, region_attributes=attributes or dict(type='ear'))


def point(x, y, **attributes): return region(dict(name='point', cx=x, cy=y), **attributes or dict(type=''))


def via(*regions, name='a.png', **more): return {f'{name}1234': dict(filename=name, size=1234, regions=list(regions), file_attributes={})} | more


def put(path, content): return text(path, json.dumps(content))


def labels(raw):
    tree = Tree(raw)
    (source,), _ = discover(tree)
    r = load(tree, source.name, source.documents[0])
    return [r.label_names[k] for k in r.labels]


@pytest.mark.parametrize('shape, box', [
    (RECT, [5, 10, 15, 20]), (dict(name='circle', cx=30, cy=20, r=5), [25, 15, 10, 10]), (dict(name='ellipse', cx=30, cy=20, rx=8, ry=4), [22, 16, 16, 8]),
    (dict(name='ellipse', cx=30, cy=20, rx=8, ry=4, theta=pi / 2), [26, 12, 8, 16]), (dict(name='polygon', all_points_x=[1, 9, 5], all_points_y=[2, 2, 8]), [1, 2, 8, 6]),
    (dict(name='polyline', all_points_x=[9, 1], all_points_y=[2, 8]), [1, 2, 8, 6])], ids=lambda o: o['name'] if isinstance(o, dict) else '')
def test_shapes(raw, shape, box):
    image(raw/'ears/a.png'), put(raw/'ears/via_region_data.json', via(region(shape)))
    assert reasons(outcome(raw)) == [('no_box', 'derived')] * (shape['name'] != 'rect')
    (path, found), = boxes(raw.parent/'out')
    assert path == 'ears/a.png' and found == pytest.approx(box, abs=1e-4)


@pytest.mark.parametrize('wrap', [lambda o: o, lambda o: {'_via_settings': {'ui': {}}, '_via_img_metadata': o, '_via_attributes': {}}, lambda o: list(o.values()),
                                  lambda o: {k: v | dict(fileref='', base64_img_data='', regions={str(i): r for i, r in enumerate(v['regions'])}) for k, v in o.items()}])
def test_files(raw, wrap):
    "An export, a project, a list, and VIA 1; an image without regions has no objects"
    image(raw/'ears/a.png'), image(raw/'ears/empty.png')
    put(raw/'ears/x.json', wrap(via(region(RECT), region(RECT | dict(x=30)), e=dict(filename='empty.png', regions=[], file_attributes={}))))
    assert reasons(outcome(raw)) == [] and formats(raw) == [('via', ('ears/x.json',))]
    assert rows(raw.parent/'out', 'detector') == [('ears/a.png', [[5, 10, 15, 20], [30, 10, 15, 20]]), ('ears/empty.png', [])]


@pytest.mark.parametrize('attributes, classes', [
    ([dict(trashcan='can'), dict(trashcan='bin')], ['can', 'bin']), ([dict(quality={'good': True}, type='ear'), dict(quality={'good': True}, type='nose')], ['ear', 'nose']),
    ([dict(Class={'ear': False, 'nose': True}), {}], ['nose', '']), ([dict(label=7), dict(label=' ')], ['7', ''])])
def test_classes(raw, attributes, classes):
    image(raw/'ears/a.png'), put(raw/'ears/x.json', via(*(dict(shape_attributes=RECT | dict(x=i), region_attributes=o) for i, o in enumerate(attributes))))
    assert labels(raw) == classes


@pytest.mark.parametrize('points, found', [
    ([point(1, 2), point(9, 3), point(5, 6)], [[1, 2, 2], [9, 3, 2], [5, 6, 2]]), ([point(1, 2, name='p10'), point(9, 3, name='p2')], [[9, 3, 2], [1, 2, 2]]),
    ([point(1, 2, name='right'), point(9, 3, name='left')], [[9, 3, 2], [1, 2, 2]]), ([point(1, 2, name='eye'), point(9, 3, name='eye'), point(5, 6, name='nose')], [[1, 2, 2], [9, 3, 2], [5, 6, 2]])])
def test_points_of_an_image_are_one_set(raw, points, found):
    image(raw/'ears/a.png'), put(raw/'ears/x.json', via(*points, region(RECT)))
    assert reasons(outcome(raw)) == []
    assert rows(raw.parent/'out', 'landmarker') == [('ears/a.png', found)] and boxes(raw.parent/'out') == [('ears/a.png', [5, 10, 15, 20])]


def test_points_in_another_order_and_fewer_of_them(raw):
    "Names decide the places in all images, and in all files"
    image(raw/'ears/a.png'), image(raw/'ears/b.png')
    put(raw/'ears/x.json', via(point(1, 2, name='right'), point(9, 3, name='left')) | via(point(7, 8, name='left'), name='b.png'))
    outcome(raw)
    assert rows(raw.parent/'out', 'landmarker') == [('ears/a.png', [[9, 3, 2], [1, 2, 2]]), ('ears/b.png', [[7, 8, 2], [0, 0, 0]])]


def test_points_of_two_objects_are_not_mixed(raw):
    image(raw/'ears/a.png'), put(raw/'ears/x.json', via(*(point(i, i, name=o) for i, o in enumerate(['left', 'right'] * 2)), region(RECT)))
    found = problem(outcome(raw), 'malformed')
    assert found.keypoints == 1 and '4 points with 2 labels' in found.detail


def test_what_is_wrong(raw):
    "Each costs itself; a broken point costs those of its image, as it would move the others"
    image(raw/'ears/a.png'), image(raw/'ears/b.png')
    put(raw/'ears/x.json', via(region(RECT | dict(x='?')), region(dict(name='blob')), region({}), 3, region(RECT), region(dict(name='polygon', all_points_x=[1], all_points_y=[])))
        | via(point(1, 2), point('x', 2), name='b.png') | via(region(RECT), name='gone.png') | dict(n=dict(regions=[region(RECT)]), m=7))
    report = outcome(raw)
    assert boxes(raw.parent/'out') == [('ears/a.png', [5, 10, 15, 20])]
    assert reasons(report) == [('malformed', 'dropped')] * 8 + [('missing_image', 'dropped')]
    assert sum(p.boxes for p in report.problems) == 8 and sum(p.keypoints for p in report.problems) == 1


def table(rows, header='#filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes'):
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return f'{header}\n{out.getvalue()}'


def test_csv(raw):
    image(raw/'ears/a.png'), image(raw/'ears/empty.png')
    line = ['a.png', 9, '{}', 3, 0]
    text(raw/'ears/via_region_data.csv', table([[*line, json.dumps(RECT), '{"type":"ear"}'], [*line, json.dumps(dict(name='point', cx=1, cy=2)), '{}'], [*line, '{"name":', '{}'], line, [*line, '[1]', '{}'],
                                                ['empty.png', 9, '{}', 0, 0, '{}', '{}']]))
    report = outcome(raw)
    assert formats(raw) == [('via', ('ears/via_region_data.csv',))]
    assert rows(raw.parent/'out', 'detector') == [('ears/a.png', [[5, 10, 15, 20]]), ('ears/empty.png', [])] and rows(raw.parent/'out', 'landmarker') == [('ears/a.png', [[1, 2, 2]])]
    assert [p.where for p in report.problems.where(reason='malformed')] == ['line 4', 'line 5', 'line 6']


# VIA 3

def via3(*metadata, z=()):
    return dict(project=dict(pid='x', data_format_version='3.1.1', vid_list=['1', '2']), config={}, attribute={'1': dict(aname='Class', options={'0': 'ear', '1': 'nose'}), '2': dict(aname='name')},
                file={'1': dict(fid='1', fname='a.png', type=2), '2': dict(fid=2, fname='', src='sub/b.png', type=2)}, view={'1': dict(fid_list=['1']), '2': dict(fid_list=[2])},
                metadata={str(i): dict(vid='1', flg=0, z=list(z), xy=xy, av=av) for i, (xy, av) in enumerate(metadata)})


@pytest.mark.parametrize('xy, box', [([2, 5, 10, 15, 20], [5, 10, 15, 20]), ([3, 30, 20, 5], [25, 15, 10, 10]), ([4, 30, 20, 8, 4], [22, 16, 16, 8]), ([5, 9, 2, 1, 8], [1, 2, 8, 6]),
                                     ([6, 1, 2, 9, 2, 5, 8], [1, 2, 8, 6]), ([7, 1, 2, 9, 2, 5, 8], [1, 2, 8, 6]), ([8, 1, 5, 9, 5, 5, 2, 5, 8], [1, 2, 8, 6]), ([9, 25, 20, 35, 20, 30, 25], [25, 15, 10, 10])])
def test_via3_shapes(raw, xy, box):
    image(raw/'ears/a.png'), put(raw/'ears/via_project.json', via3((xy, {'1': '0'})))
    outcome(raw)
    (path, found), = boxes(raw.parent/'out')
    assert path == 'ears/a.png' and found == pytest.approx(box, abs=1e-4) and labels(raw) == ['ear']


def test_via3_points_and_what_is_wrong(raw):
    image(raw/'ears/a.png'), image(raw/'ears/sub/b.png')
    project = via3(([2, 5, 10, 15, 20], {}), ([1, 3, 4], {'2': 'p10'}), ([1, 5, 6], {'2': 'p9'}), ([], {'1': '0'}), ([2, 1], {}), ([9, 1, 1, 2, 2, 3, 3], {}), ('x', {}), ([77, 1], {}))
    put(raw/'ears/x.json', project)
    assert reasons(outcome(raw)) == [('malformed', 'dropped')] * 4
    assert rows(raw.parent/'out', 'landmarker') == [('ears/a.png', [[5, 6, 2], [3, 4, 2]])] and rows(raw.parent/'out', 'detector') == [('ears/a.png', [[5, 10, 15, 20]]), ('ears/sub/b.png', [])]


def test_via3_of_a_video_is_told(raw):
    image(raw/'ears/a.png'), put(raw/'ears/x.json', via3(([2, 1, 1, 4, 4], {}), z=[1.5]))
    assert problem(outcome(raw), 'not_read').detail == 'at a time of a video: 1'


def test_via3_csv(raw):
    image(raw/'ears/a.png')
    text(raw/'ears/x.csv', table([['1_a', '["a.png"]', 0, '[]', '[2,5,10,15,20]', '{"1":"0"}'], ['1_b', '["a.png"]', 0, '[]', '[2,5', '{}'], ['1_c', '["a.png"', 0, '[]', '[2,1,1,4,4]', '{}'], ['1_d']],
                                 '# Exported using VIA\n# ATTRIBUTE = {"1":{"aname":"Class","options":{"0":"ear"}}}\n# CSV_HEADER = metadata_id,file_list,flags,temporal_coordinates,spatial_coordinates,metadata'))
    report = outcome(raw)
    assert formats(raw) == [('via3', ('ears/x.csv',))] and boxes(raw.parent/'out') == [('ears/a.png', [5, 10, 15, 20])] and labels(raw) == ['ear']
    assert reasons(report) == [('malformed', 'dropped')] * 3


# Damage at random

MANY_SHAPES = [region(RECT), region(dict(name='polygon', all_points_x=[1, 9, 5], all_points_y=[2, 2, 8])), region(dict(name='ellipse', cx=30, cy=20, rx=8, ry=4, theta=1)),
               point(1, 2, name='p10'), point(9, 3, name='p2'), region(dict(name='circle', cx=9, cy=9, r=3))]
FILES = {'via': via(*MANY_SHAPES) | via(name='empty.png'), 'via3': via3(([2, 5, 10, 15, 20], {'1': '0'}), ([1, 3, 4], {'2': 'p9'}), ([1, 3, 5], {'2': 'p10'}), ([9, 25, 20, 35, 20, 30, 25], {}), ([4, 9, 9, 3, 2], {}))}
many = examples(4000)


@st.composite
def trees(draw):
    name = draw(st.sampled_from(sorted(FILES)))
    tree = FILES[name]
    for _ in range(draw(st.integers(1, 4))):
        found = list(places(tree))
        tree = changed(tree, found[draw(st.integers(0, len(found) - 1))], draw(st.sampled_from(['replace', 'replace', 'remove', 'double'])), draw(ODD))
    return name, tree


@settings(many, max_examples=tries(800))
@given(trees())
def test_damaged_structure(pictures, found):
    name, tree = found
    check_reader(pictures, 'x.json', name, json.dumps(tree).encode())
