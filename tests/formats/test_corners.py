"Corners where a format has x, y, width and height: they are told, and what the report says to do helps"
import json
import tomllib

import numpy as np
import pytest
from making import boxes, image, outcome, text

from ear_lazy.formats.discover import Source

SIZE = 40, 60
rng = np.random.default_rng(1)
TRUTH = np.hstack([rng.uniform(2, 20, (12, 1)), rng.uniform(2, 14, (12, 1)), rng.uniform(6, 12, (12, 2))]).round(2)
CORNERS = np.hstack([TRUTH[:, :2], TRUTH[:, :2] + TRUTH[:, 2:]]).round(2)
NAMES = [f'{i:02}.png' for i in range(12)]


def coco(numbers):
    return {'a.json': json.dumps(dict(images=[dict(id=i, file_name=o) for i, o in enumerate(NAMES)], categories=[dict(id=1, name='ear')],
                                      annotations=[dict(id=i, image_id=i, category_id=1, bbox=o) for i, o in enumerate(numbers.tolist())]))}


def table(header, numbers): return {'a.csv': '\n'.join([header, *(','.join([name, *map(str, o)]) for name, o in zip(NAMES, numbers.tolist()))])}


def createml(numbers):
    return {'a.json': json.dumps([dict(image=name, annotations=[dict(label='ear', coordinates=dict(zip(('x', 'y', 'width', 'height'), o)))]) for name, o in zip(NAMES, numbers.tolist())])}


def via(numbers):
    return {'a.json': json.dumps({name: dict(filename=name, size=9, regions=[dict(region_attributes={}, shape_attributes=dict(name='rect') | dict(zip(('x', 'y', 'width', 'height'), o)))])
                                  for name, o in zip(NAMES, numbers.tolist())})}


def dlib(numbers):
    parts = (f"<image file='{name}'>\n<box top='{y}' left='{x}' width='{w}' height='{h}'/></image>" for name, (x, y, w, h) in zip(NAMES, numbers.tolist()))
    return {'a.xml': f"<?xml version='1.0'?><dataset><images>{' '.join(parts)}</images></dataset>"}


def yolo(numbers): return {f'{name[:-4]}.txt': f"0 {' '.join(f'{o:.6f}' for o in row / (60, 40, 60, 40))}\n" for name, row in zip(NAMES, numbers)}
def wider(numbers): return {'faces_bbx_gt.txt': '\n'.join(f"{name}\n1\n{' '.join(map(str, row.astype(int)))} 0 0 0 0 0 0" for name, row in zip(NAMES, numbers))}
def imagefolder(numbers): return {'metadata.jsonl': '\n'.join(json.dumps(dict(file_name=name, objects=dict(bbox=[row], categories=[0]))) for name, row in zip(NAMES, numbers.tolist()))}


def centred(boxes): return np.hstack([boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:]])


FORMATS = {'coco': coco, 'csv': lambda o: table('image,x,y,w,h', o), 'centred csv': lambda o: table('image,cx,cy,w,h', o), 'createml': createml, 'via': via, 'dlib': dlib,
           'yolo': yolo, 'wider': wider, 'imagefolder': imagefolder}
CENTRED = 'centred csv', 'createml', 'yolo'


def write(folder, files):
    for i, name in enumerate(NAMES): image(folder/name, SIZE, seed=i)
    for name, content in files.items(): text(folder/name, content)


def doubts(report): return [p for p in report.problems if 'x1 y1 x2 y2' in p.detail]


@pytest.mark.parametrize('format', FORMATS)
def test_corners_are_told_and_read_as_they_are_called(raw, format):
    write(raw/'ears', FORMATS[format](CORNERS))
    doubt, = doubts(outcome(raw))
    assert (doubt.reason, doubt.action, doubt.boxes) == ('malformed', 'kept', 12)
    said, = tomllib.loads(doubt.detail.partition('below `')[2].rstrip('`') + '\n' + doubt.detail.partition('as `')[2].partition('`')[0]).items()
    report = outcome(raw, sources=Source(said[0], **said[1]))
    whole = format == 'wider'
    np.testing.assert_allclose([o for _, o in boxes(raw.parent/'out')], TRUTH, atol=2 if whole else 1e-3)
    assert not doubts(report) and not [p for p in report.problems if p.action not in ('kept', 'derived')]
    assert not doubts(outcome(raw, sources=Source('ears', numbers='cxcywh' if format in CENTRED else 'xywh'))) # the other word of the report
    assert f'''`numbers = "{'cxcywh' if format in CENTRED else 'xywh'}"`''' in doubt.detail


@pytest.mark.parametrize('format', FORMATS)
def test_sizes_are_no_corners(raw, format):
    numbers = centred(TRUTH) if format in CENTRED else TRUTH
    write(raw/'ears', FORMATS[format](numbers))
    assert not doubts(outcome(raw))
    report = outcome(raw, sources=Source('ears', numbers='xyxy'))
    assert 'have their second corner left of or above the first' in report.problems[0].detail


@pytest.mark.parametrize(('format', 'numbers', 'said'), [('yolo', TRUTH, 'xywh'), ('coco', centred(TRUTH), 'cxcywh')])
def test_other_orders(raw, format, numbers, said):
    "… are read if they are declared, too; nothing tells them from what their format has"
    write(raw/'ears', FORMATS[format](numbers))
    outcome(raw, sources=Source('ears', numbers=said))
    np.testing.assert_allclose([o for _, o in boxes(raw.parent/'out')], TRUTH, atol=1e-3)


def test_most_reach_over_the_edge(raw):
    "… which is told of three boxes already; where one does not lie inside as corners either, the numbers are what they are called"
    write(raw/'ears', coco(CORNERS[:3] + [30, 20, 30, 20]))
    assert 'as x y w h 3 of 3 boxes reach over the edge' in doubts(outcome(raw))[0].detail
    write(raw/'ears', coco(np.vstack([CORNERS[:3] + [30, 20, 30, 20], [[5, 5, 90, 10]]])))
    assert not doubts(outcome(raw))


def test_outlines_stay(raw):
    "A box of an outline is none of the file's numbers"
    content = json.loads(coco(CORNERS)['a.json'])
    content['annotations'].append(dict(id=12, image_id=0, category_id=1, segmentation=[[3, 4, 13, 4, 13, 24]]))
    write(raw/'ears', {'a.json': json.dumps(content)})
    outcome(raw, sources=Source('ears', numbers='xyxy'))
    assert [3, 4, 10, 20] in [list(map(float, o)) for _, o in boxes(raw.parent/'out')] and len(boxes(raw.parent/'out')) == 13
