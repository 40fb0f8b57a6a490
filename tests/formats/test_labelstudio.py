"Label Studio: tasks as JSON, JSON-MIN and CSV, the names of images, and files that are damaged at random"
import csv
import io
import json

import pytest
from damaging import ODD, changed, check_reader, examples, places
from hypothesis import given, settings, strategies as st
from making import boxes, formats, image, outcome, problem, reasons, rows, text
from tiers import tries

PICTURES = 'a.png', 'b.png', 'empty.png'


def result(type='rectanglelabels', label='ear', size=(40, 60), id=None, **value):
    value = value or dict(x=10, y=25, width=20, height=50, rotation=0)
    declared = {} if size is None else dict(original_height=size[0], original_width=size[1], image_rotation=0)
    return dict(declared, **({} if id is None else dict(id=id)), type=type, from_name='label', to_name='image', value=value | ({type: [label]} if type.endswith('labels') else {}))


def point(x, y, label, **more): return result('keypointlabels', label, x=x, y=y, width=.5) | more


def task(*results, image='/data/upload/1/0a1b2c3d-a.png', **more): return dict(id=1, data=dict(image=image), annotations=[dict(id=1, result=list(results), was_cancelled=False)]) | more


def put(path, content): return text(path, json.dumps(content))


BOX = [6, 10, 12, 20]


@pytest.mark.parametrize('results, box', [
    ([result()], BOX), ([result(size=None)], BOX), ([result('polygonlabels', points=[[10, 25], [30, 25], [20, 75]])], BOX), ([result('ellipselabels', x=20, y=50, radiusX=10, radiusY=25)], BOX),
    ([result('rectangle', id='r', x=10, y=25, width=20, height=50), result('labels', id='r', x=10, y=25, width=20, height=50)], BOX), # a shape, and its label apart
    ([result('choices', id='r', choices=['left']), result(id='r')], BOX), ([result('rectanglelabels', x=50, y=50, width=20, height=20, rotation=90)], [22, 20, 8, 12]),
    ([result('rectanglelabels', x='10', y='25', width='20.0', height=50)], BOX)], ids=range(8))
def test_shapes(raw, results, box):
    image(raw/'ears/a.png'), put(raw/'ears/project.json', [task(*results)])
    assert {*reasons(outcome(raw))} <= {('no_box', 'derived')}
    (path, found), = boxes(raw.parent/'out')
    assert path == 'ears/a.png' and found == pytest.approx(box, abs=1e-4)


def test_formats(raw):
    "JSON, JSON-MIN, CSV, one annotation of a cloud storage: the same"
    image(raw/'ears/a.png')
    value = result()['value'] | dict(original_width=60, original_height=40)
    out = io.StringIO()
    csv.writer(out).writerows([['image', 'id', 'label', 'annotator', 'annotation_id'], ['/data/upload/1/0a1b2c3d-a.png', 1, json.dumps([value]), 1, 1], ['a.png', 2, '[{"x"', 1, 2], ['a.png', 2]])
    text(raw/'ears/1.csv', out.getvalue())
    put(raw/'ears/2.json', [dict(image='/data/upload/1/0a1b2c3d-a.png', id=1, label=[value], annotator=1, annotation_id=1)])
    put(raw/'ears/3.json', [task(result())]), put(raw/'ears/4.json', dict(id=1, result=[result()], task=dict(id=1, data=dict(image='a.png')), completed_by=1))
    report = outcome(raw)
    assert [o for o, _ in formats(raw)] == ['labelstudio'] * 4
    assert reasons(report) == [('malformed', 'dropped')] * 2 + [('repeat', 'merged')] * 3 and boxes(raw.parent/'out') == [('ears/a.png', BOX)]


@pytest.mark.parametrize('name, url', [
    ('0a1b2c3d-a.png', '/data/upload/1/0a1b2c3d-a.png'), ('a.png', '/data/upload/0a1b2c3d-a.png'), ('my photo.png', '/data/local-files/?d=set/my%20photo.png'), ('my photo.png', '/data/local-files/?d=set%2Fmy%20photo.png'),
    ('a.png', 'https://x.org/images/a.png?token=a.jpg#3'), ('a.png', 's3://bucket/x/a.png'), ('a.png', 'C:\\photos\\a.png'), ('a#1.png', 'a#1.png'), ('50%.png', '50%.png')])
def test_names(raw, name, url):
    image(raw/'ears/images'/name), image(raw/'ears/images/other.png'), put(raw/'ears/project.json', [task(result(), image=url)])
    assert reasons(outcome(raw)) == []
    assert boxes(raw.parent/'out') == [(f'ears/images/{name}', BOX)]


def test_two_uploads_of_one_name_are_not_one_image(raw):
    image(raw/'ears/a.png'), put(raw/'ears/project.json', [task(result(), image=f'/data/upload/{i}/0a1b2c3{i}-a.png') for i in (1, 2)])
    report = outcome(raw)
    assert reasons(report) == [('missing_image', 'dropped')] * 2 and boxes(raw.parent/'out') == []


def test_file_upload_and_other_keys(raw):
    image(raw/'ears/a.png'), image(raw/'ears/b.png')
    put(raw/'ears/project.json', [task(result(), image='/image1', file_upload='0a1b2c3d-a.png'), dict(data=dict(text='An ear.', photo='b.png'), annotations=[dict(result=[result()])])])
    outcome(raw)
    assert boxes(raw.parent/'out') == [('ears/a.png', BOX), ('ears/b.png', BOX)]


def test_keypoints(raw):
    "Those of a rectangle, and loose ones by name"
    image(raw/'ears/a.png'), image(raw/'ears/b.png')
    put(raw/'ears/project.json', [task(result(id='r'), point(50, 50, '10', parentID='r'), point(10, 10, '9', parentID='r')), task(point(50, 50, '9'), point(10, 10, '10'), image='b.png'),
                                  task(point(50, 50, '9'), point('x', 10, '10'), image='b.png')])
    assert problem(outcome(raw), 'malformed').keypoints == 1
    assert rows(raw.parent/'out', 'landmarker') == [('ears/a.png', [[6, 4, 2], [30, 20, 2]]), ('ears/b.png', [[30, 20, 2], [6, 4, 2]])] and boxes(raw.parent/'out') == [('ears/a.png', BOX)]


def test_what_is_wrong_or_not_read(raw):
    for o in ('a', 'b', 'c', 'empty'): image(raw/f'ears/{o}.png')
    put(raw/'ears/project.json', [
        task(result(x='?', y=1, width=1, height=1), result('rectanglelabels', x=1, y=1, width=9, height=9), result() | dict(image_rotation=90), result('choices', choices=['good']), result('brushlabels', format='rle', rle=[1, 2]),
             result('rectanglelabels', size=None, x=1, y=1, width=9, height=9, rotation=30), 7, image='a.png'),
        task(image='empty.png'), dict(data=dict(image='b.png'), annotations=[], predictions=[dict(result=[result()])]), 7,
        dict(data=dict(image='c.png'), annotations=[dict(result=[result()], was_cancelled=True)]), task(result(), image='')])
    report = outcome(raw)
    assert len(boxes(raw.parent/'out')) == 1 and [o for o, v in rows(raw.parent/'out', 'detector')] == ['ears/a.png', 'ears/empty.png']
    assert reasons(report) == [('malformed', 'dropped')] * 4 + [('no_geometry', 'dropped')] + [('not_read', 'dropped')] * 4
    assert any('image_rotation' in p.detail for p in report.problems) and any('a turned shape' in p.detail for p in report.problems)


def test_several_people(raw):
    "All that people found is read, and it is told that one object may be there twice"
    image(raw/'ears/a.png'), put(raw/'ears/project.json', [task() | dict(annotations=[dict(result=[result()]), dict(result=[result('rectanglelabels', x=11, y=25, width=20, height=50)])])])
    found = problem(outcome(raw), 'repeat')
    assert found.action == 'kept' and 'tasks with several annotations, all of which are read: 1' in found.detail and len(boxes(raw.parent/'out')) == 2


# Damage at random

TASKS = [task(result(id='r'), point(50, 50, '10', parentID='r'), point(10, 10, '9', parentID='r'), result('polygonlabels', points=[[10, 25], [30, 25], [20, 75]]), result('choices', choices=['good'])),
         task(result('ellipselabels', x=20, y=50, radiusX=10, radiusY=25, rotation=30), point(5, 5, 'eye'), point(9, 9, 'nose'), image='b.png'), task(image='empty.png')]
MINIMAL = [dict(image='a.png', id=1, label=[result()['value'] | dict(original_width=60, original_height=40)], annotator=1)]
many = examples(2000)


def as_csv(items):
    out = io.StringIO()
    csv.writer(out).writerows([items[0], *([json.dumps(v) if isinstance(v, list) else v for v in o.values()] for o in items)])
    return out.getvalue()


@st.composite
def trees(draw):
    tree = draw(st.sampled_from([TASKS, TASKS, MINIMAL]))
    for _ in range(draw(st.integers(1, 4))):
        found = list(places(tree))
        tree = changed(tree, found[draw(st.integers(0, len(found) - 1))], draw(st.sampled_from(['replace', 'replace', 'remove', 'double'])), draw(ODD))
    return tree


@settings(many, max_examples=tries(1000))
@given(trees())
def test_damaged_structure(pictures, tree): check_reader(pictures, 'x.json', 'labelstudio', json.dumps(tree).encode())
