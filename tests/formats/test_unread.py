"Formats that are not read are told by their names, and none of them is taken for one that is read"
import json
import random
import time

import pytest
from making import boxes, coco, coco_dict, formats, image, outcome, reasons, text

from ear_lazy.formats.shared.unread import kind_in

DARWIN = dict(version='2.0', item=dict(name='a.png', slots=[dict(width=60, height=40)]), annotations=[dict(name='ear', bounding_box=dict(x=1, y=2, w=3, h=4))])
FILES = { # what it is called to a file of it
    'SuperAnnotate': ('a.png___objects.json', dict(metadata=dict(name='a.png', width=60, height=40), instances=[dict(type='bbox', classId=1, className='ear', points=dict(x1=1, y1=2, x2=3, y2=4))], tags=[])),
    'SageMaker': ('output.manifest', '{"source-ref": "s3://b/a.png", "ears": {"annotations": [{"class_id": 0, "left": 1, "top": 2, "width": 3, "height": 4}]}}\n'),
    'Labelbox NDJSON': ('export.ndjson', '{"data_row": {"id": "1", "external_id": "a.png"}, "projects": {"p": {"labels": []}}}\n'),
    'Labelbox JSON': ('export.json', [{'ID': '1', 'Labeled Data': 'https://x.org/a.png', 'Label': {'objects': [dict(bbox=dict(top=1, left=2, height=3, width=4))]}}]),
    'Scalabel': ('labels.json', [dict(name='a.png', labels=[dict(category='ear', box2d=dict(x1=1, y1=2, x2=3, y2=4))])]),
    'Darwin JSON (V7)': ('a.json', DARWIN), 'version 1': ('a.json', dict(dataset='ears', image=dict(width=60, height=40, original_filename='a.png'), annotations=DARWIN['annotations'])),
    'Datumaro': ('default.json', dict(info={}, categories=dict(label=dict(labels=[])), items=[dict(id='a', annotations=[dict(type='bbox', bbox=[1, 2, 3, 4])])])),
    'Supervisely': ('a.png.json', dict(description='', tags=[], size=dict(height=40, width=60), objects=[dict(classTitle='ear', points=dict(exterior=[[1, 2], [3, 4]]))])),
    'OCHuman': ('ochuman.json', dict(images=[dict(image_id='1', file_name='a.png', width=60, height=40, annotations=[dict(bbox=[1, 2, 3, 4], keypoints=[1] * 57)])])),
    'MMOCR': ('textdet.json', dict(metainfo={}, data_list=[dict(img_path='a.png', instances=[])])), 'TFRecord': ('train.tfrecord', '\0\1'), 'FDDB': ('fold-01.txt', '2002/a\n1\n12.5 8.5 1.2 9.6 8.7  1\n'),
    'PASCAL 1.00': ('a.txt', '# PASCAL Annotation Version 1.00\n\nImage filename : "a.png"\n'), 'WKT': ('ears.csv', 'image,outline\na.png,"POLYGON ((1 2, 3 4))"\n'),
    "LabelMe's XML of the web": ('a.xml', '<annotation><filename>a.png</filename><folder>ears</folder><object><name>ear</name><polygon><pt><x>1</x><y>2</y></pt></polygon></object></annotation>'), 'packed: unpack it': ('ears.tar.gz', 'x')}


@pytest.mark.parametrize('name', FILES)
def test_it_is_told_and_not_read(raw, name):
    "… beside a dataset that is read, and its remedy is one"
    file, content = FILES[name]
    image(raw/'ears/a.png'), text(raw/'ears'/file, content if isinstance(content, str) else json.dumps(content)), image(raw/'faces/b.png'), coco(raw/'faces/x.json', {'b.png': [[1, 2, 3, 4]]})
    report = outcome(raw)
    assert formats(raw) == [('coco', ('faces/x.json',))] and boxes(raw.parent/'out') == [('faces/b.png', [1, 2, 3, 4])]
    found, = report.problems
    assert (found.file, found.reason) == (f'ears/{file}', 'not_recognised') and name in found.detail and ('convert it to COCO' in found.detail or 'unpack it' in found.detail)


@pytest.mark.parametrize('line', ['10,20,30,40,1,4,0,0\n' * 2, '10,20,40,20,40,30,10,30,hello'], ids=['VisDrone', 'ICDAR'])
def test_advice_that_would_read_nothing_is_not_given(raw, line):
    image(raw/'ears/a.png'), text(raw/'ears/a.txt', line), image(raw/'faces/b.png'), coco(raw/'faces/x.json', {'b.png': [[1, 2, 3, 4]]})
    assert 'format =' not in (told := outcome(raw).problems[0].detail) and 'convert it to COCO' in told


def test_classes_of_tools_are_companions(raw):
    "CVAT's, SuperAnnotate's and Supervisely's"
    image(raw/'ears/b.png'), coco(raw/'ears/x.json', {'b.png': [[1, 2, 3, 4]]}), text(raw/'ears/labelmap.txt', '# label:color_rgb:parts:actions\near:255,0,0::\n')
    text(raw/'ears/classes/classes.json', '[{"id": 1, "name": "ear", "color": "#fff"}]'), text(raw/'ears/meta.json', '{"classes": [{"title": "ear", "shape": "rectangle"}], "tags": []}')
    assert reasons(outcome(raw)) == []


def test_among_others_of_its_ending(raw):
    image(raw/'ears/a.png'), text(raw/'ears/0.json', '{}'), text(raw/'ears/1.json', json.dumps(DARWIN)), text(raw/'ears/x.csv', 'image,x,y,w,h\na.png,5,10,15,20\n')
    report = outcome(raw)
    assert [(p.file, p.detail[:11]) for p in report.problems] == [('ears/0.json', 'no images a'), ('ears/1.json', 'Darwin JSON')] and '    ears/1.json: Darwin' in str(report)


def test_what_is_read_is_none_of_them():
    words = ['"slots"', '"item"', '"objects"', 'polygon', '"metadata"', '{', '[', '"images": [{"id": 1}]']
    assert kind_in(json.dumps(coco_dict({'a.png': [[1, 2, 3, 4]]})).encode()) == ''
    for seed in range(50): assert kind_in(' '.join(random.Random(seed).choices(words[:5], k=9)).encode()) == ''


@pytest.mark.parametrize('piece', ['<annotation>', '{"images": [{', '{"categories": ', 'a\n1\n1.5 ', 'POLYGON ', '1.0 ', 'a,', '\n'])
def test_it_takes_no_time(piece):
    start = time.process_time()
    for prefix in ('', '{'): kind_in((prefix + piece * (65536 // len(piece))).encode())
    assert time.process_time() - start < 0.5


def test_lines_at_the_head_of_dota_are_no_annotations(raw):
    for o in ('P1', 'P2', 'P3'): image(raw/f'ears/images/{o}.png')
    for o in ('P1', 'P2'): text(raw/f'ears/labelTxt/{o}.txt', 'imagesource:GoogleEarth\ngsd:0.146343590398\n20.0 10.0 40.0 10.0 40.0 30.0 20.0 30.0 small-vehicle 0\n')
    text(raw/'ears/labelTxt/P3.txt', 'imagesource:GoogleEarth\ngsd:null\n')
    assert reasons(outcome(raw)) == [('no_box', 'derived')] * 2
    assert boxes(raw.parent/'out') == [(f'ears/images/{o}.png', [20, 10, 20, 20]) for o in ('P1', 'P2')] and formats(raw)[0][0] == 'yolo_obb'
