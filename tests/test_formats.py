"Every habit of the annotation formats, on small files; and files that are damaged at random"
import json

import numpy as np
import pytest
from damaging import ODD, changed, check_reader, examples, places
from hypothesis import given, settings, strategies as st
from making import boxes, coco, coco_dict, image, listing, outcome, problem, process, pts, reasons, rows, text
from tiers import tries

from ear_lazy.formats.discover import discover
from ear_lazy.formats.shared.tree import Tree

EARS_POINTS = [(i * 1.5, i) for i in range(55)]


@pytest.fixture
def raw(tmp_path): return tmp_path/'raw'


# COCO JSON

def coco_ears(raw, annotation=None, edit=lambda file: None, size=(40, 60), names=('a.png',)):
    "One image with one annotation, in a file that `edit` may change"
    for name in names: image(raw/'ears'/name)
    file = coco_dict({'a.png': [annotation or [1, 2, 3, 4]]}, size)
    edit(file)
    return text(raw/'ears/_annotations.coco.json', json.dumps(file))


def without(table, *keys):
    def edit(file):
        for o in file[table]:
            for k in keys: o.pop(k, None)
    return edit


@pytest.mark.parametrize('edit', [
    without('annotations', 'id', 'category_id'), without('images', 'height', 'width'), lambda f: f.pop('categories'), lambda f: f.update(info={}, licenses=[]),
    lambda f: f['annotations'][0].update(num_keypoints=0, iscrowd=0, area=12.5, segmentation=[]), lambda f: f['annotations'][0].update(iscrowd=False, keypoints=[]),
    lambda f: f['annotations'][0].update(iscrowd=0.0), lambda f: f['annotations'][0].update(iscrowd='0'),
    lambda f: f['annotations'][0].update(keypoints=None, segmentation=None, iscrowd=None, area=None), lambda f: f['annotations'][0].update(bbox=['1', '2', '3.0', '4']),
    lambda f: f['annotations'][0].update(image_id='1', id='10', category_id='1'), lambda f: f['images'][0].update(id='1'), lambda f: f['images'][0].update(id='001'),
    lambda f: f['images'][0].update(id=1.0, height=40.0, width='60'), lambda f: f['annotations'][0].update(id=2**63), lambda f: f['annotations'][0].update(id=10**30),
    lambda f: f['annotations'][0].update(id=-1), lambda f: f['annotations'][0].update(id='x'), lambda f: f['images'][0].update(height=None, width=None),
    lambda f: f['images'][0].update(height=0, width=0), lambda f: f['images'][0].update(height=1e30, width=1e30), lambda f: f['categories'][0].update(name=7),
    lambda f: f['annotations'][0].update(category_id=99), lambda f: [o.update(id='cat', image_id='cat') for o in (f['images'][0], f['annotations'][0])]],
    ids=range(24))
def test_coco_loose_fields(raw, edit):
    "Fields are absent, null, floats or strings of digits: the box is the same"
    coco_ears(raw, edit=edit)
    outcome(raw)
    assert boxes(raw.parent/'out') == [('ears/a.png', [1, 2, 3, 4])]


@pytest.mark.parametrize('name', ['a.png', './a.png', 'images/train/a.png', '/home/me/ears/a.png', 'C:\\data\\ears\\a.png', '../ears/a.png', ' a.png'])
def test_coco_names_with_folders_that_are_not_there(raw, name):
    coco_ears(raw, edit=lambda f: f['images'][0].update(file_name=name))
    outcome(raw)
    assert boxes(raw.parent/'out') == [('ears/a.png', [1, 2, 3, 4])]


@pytest.mark.parametrize('annotation, box', [
    (dict(bbox=None, segmentation=[[1, 2, 4, 2, 4, 6]]), [1, 2, 3, 4]), (dict(bbox=[], segmentation=[[1, 2, 2, 2, 2, 3], [3, 3, 4, 3, 4, 6]]), [1, 2, 3, 4]),
    (dict(segmentation=dict(size=[40, 60], counts=[42, 4, 36, 4, 36, 4, 2274])), [1, 2, 3, 4])])
def test_coco_box_of_an_outline(raw, annotation, box):
    coco_ears(raw, annotation)
    assert problem(outcome(raw), 'no_box').action == 'derived'
    assert boxes(raw.parent/'out') == [('ears/a.png', box)]


@pytest.mark.parametrize('segmentation', [dict(size=[40, 60], counts='abc'), [], [[]], [[1]], 'x', 3, None, [['a', 1]], dict(size=[0, 0], counts=[1, 2]),
                                          dict(size=[40, 60], counts=[0, 10**30]), dict(size=[40, 60], counts=[-5, -5]), [[1e400, 1, 2, 2]]], ids=str)
def test_coco_outline_without_a_box(raw, segmentation):
    "What gives no box is reported, next to one that is sound"
    coco_ears(raw, dict(segmentation=segmentation), lambda f: f['annotations'].append(dict(id=9, image_id=1, bbox=[1, 2, 3, 4])))
    report = outcome(raw)
    assert ('ears/a.png', [1, 2, 3, 4]) in boxes(raw.parent/'out') and report.problems


def test_coco_keypoints(raw):
    "Boxes and keypoints of an object, keypoints alone, and none labelled"
    points = [2, 2, 2, 8, 8, 1, 0, 0, 0]
    coco_ears(raw, dict(keypoints=points, num_keypoints=2), lambda f: f['annotations'].extend([
        dict(id=11, image_id=1, bbox=[1, 2, 3, 4], keypoints=[0] * 9), dict(id=12, image_id=1, bbox=[5, 5, 9, 9], keypoints=[float(o) for o in points])]))
    report = outcome(raw)
    assert reasons(report) == [('unlabelled', 'dropped')]
    assert [v for _, v in rows(raw.parent/'out', 'landmarker')] == [[[2, 2, 2], [8, 8, 1], [0, 0, 0]]] * 2
    assert sorted(v for _, v in boxes(raw.parent/'out')) == [[1, 2, 3, 4], [5, 5, 9, 9]]
    crops = [v for _, v in rows(raw.parent/'out', 'teacher')]
    assert len(crops) == 3 and any(np.allclose(v, [1.4, 1.4, 7.2, 7.2]) for v in crops), 'the extent of labelled points, a tenth wider'


def test_coco_crowd_and_lists(raw):
    coco_ears(raw, edit=lambda f: f['annotations'].append(dict(id=11, image_id=1, bbox=[0, 0, 50, 30], iscrowd=1)))
    text(raw/'ears/results.json', json.dumps([dict(image_id=1, bbox=[1, 2, 3, 4], score=0.5)]))
    report = outcome(raw)
    assert reasons(report) == [('crowd', 'dropped'), ('not_recognised', 'dropped')]
    assert boxes(raw.parent/'out') == [('ears/a.png', [1, 2, 3, 4])]


def test_coco_every_annotation_of_an_image(raw):
    image(raw/'ears/a.png')
    coco(raw/'ears/a.json', {'a.png': [[i, i, 5, 5] for i in range(20)]})
    outcome(raw)
    assert boxes(raw.parent/'out') == [('ears/a.png', [i, i, 5, 5]) for i in range(20)]


def test_coco_with_a_byte_order_mark_and_line_breaks(raw):
    image(raw/'ears/a.png')
    text(raw/'ears/a.json', b'\xef\xbb\xbf\r\n' + json.dumps(coco_dict({'a.png': [[1, 2, 3, 4]]}), indent=2).replace('\n', '\r\n').encode())
    outcome(raw)
    assert boxes(raw.parent/'out') == [('ears/a.png', [1, 2, 3, 4])]


def test_coco_by_content_and_not_by_name(raw):
    image(raw/'ears/a.png')
    text(raw/'ears/whatever.JSON', json.dumps({'zzz': 1, **coco_dict({'a.png': [[1, 2, 3, 4]]})}))
    text(raw/'ears/_annotations.coco.json', '{"version": "4", "info": "none"}')
    assert reasons(outcome(raw)) == [('not_recognised', 'dropped')]
    assert boxes(raw.parent/'out') == [('ears/a.png', [1, 2, 3, 4])]


def test_coco_one_image_listed_twice(raw):
    "… under two ids is one row; an annotation of an id that two images have belongs to none"
    image(raw/'ears/a.png'), image(raw/'ears/b.png')
    file = coco_dict({'a.png': [[1, 2, 3, 4]], 'x': [[5, 5, 3, 4]], 'b.png': []})
    file['images'][1]['file_name'], file['images'][2]['id'] = 'a.png', 1
    text(raw/'ears/a.json', json.dumps(file))
    assert reasons(outcome(raw)) == [('shared_id', 'dropped')]
    assert rows(raw.parent/'out', 'detector') == [('ears/a.png', [[5, 5, 3, 4]])]


def test_coco_instances_keypoints_and_captions(raw):
    "Three files over one folder: each object once, with its box and its points"
    image(raw/'ears/images/a.png'), image(raw/'ears/images/b.png')
    points = [2, 2, 2, 8, 8, 1]
    coco(raw/'ears/annotations/instances_train2017.json', {'a.png': [[1, 2, 9, 9], [20, 20, 9, 9]], 'b.png': []})
    coco(raw/'ears/annotations/person_keypoints_train2017.json', {'a.png': [dict(bbox=[1, 2, 9, 9], keypoints=points)]})
    coco(raw/'ears/annotations/captions_train2017.json', {'a.png': [dict(caption='An ear.')], 'b.png': [dict(caption='None.')]})
    report = outcome(raw)
    assert ('repeat', 'merged') in reasons(report) and ('no_geometry', 'dropped') in reasons(report)
    assert rows(raw.parent/'out', 'detector') == [('ears/images/a.png', [[1, 2, 9, 9], [20, 20, 9, 9]]), ('ears/images/b.png', [])]
    assert len(rows(raw.parent/'out', 'landmarker')) == 1 and len(rows(raw.parent/'out', 'teacher')) == 2


def test_three_descriptions_of_one_object(raw):
    "A box here, box and points there, the same points in a `.pts`: one object"
    image(raw/'ears/a.png')
    coco(raw/'ears/1_boxes.json', {'a.png': [[1, 2, 9, 9]]})
    coco(raw/'ears/2_both.json', {'a.png': [dict(bbox=[1, 2, 9, 9], keypoints=[2, 2, 2, 8, 8, 2])]})
    pts(raw/'ears/a.pts', [(2, 2), (8, 8)])
    outcome(raw)
    assert [len(rows(raw.parent/'out', k)) for k in ('detector', 'landmarker', 'teacher')] == [1, 1, 1]
    assert boxes(raw.parent/'out') == [('ears/a.png', [1, 2, 9, 9])]


@pytest.mark.parametrize('declared', ['stored', 'oriented', 'none'])
@pytest.mark.parametrize('turn', [1, 3, 6, 8])
def test_boxes_are_in_the_oriented_image(raw, declared, turn):
    "The declared size tells which space the boxes of a turned photo are in; the project stores them as a person sees it"
    from PIL import Image
    exif = Image.Exif()
    exif[274] = turn
    image(raw/'ears/a.jpg', (40, 60), exif=exif)
    seen = (60, 40) if turn >= 5 else (40, 60)
    stored_box = [10, 5, 20, 10]
    turned = {1: [10, 5, 20, 10], 3: [30, 25, 20, 10], 6: [25, 10, 10, 20], 8: [5, 30, 10, 20]}[turn]
    size = {'stored': (40, 60), 'oriented': seen, 'none': None}[declared]
    # A half turn does not show in the size: boxes are taken to be in the image that a label tool shows.
    coco(raw/'ears/a.json', {'a.jpg': [stored_box if declared == 'stored' and turn != 3 else turned]}, size)
    outcome(raw)
    assert boxes(raw.parent/'out') == [('ears/a.jpg', turned)]


# CSV

TABLES = {
    'filename,xmin,ymin,xmax,ymax': '{n},10,5,30,15', 'filename,width,height,class,xmin,ymin,xmax,ymax': '{n},60,40,ear,10,5,30,15', 'image,x,y,w,h': '{n},10,5,20,10',
    'image_path,x1,y1,x2,y2': '{n},10,5,30,15', 'image_path,x1,y1,w,h': '{n},10,5,20,10', 'image_path,x1,y1,w,h,earside,source,annotation_source,confidence': '{n},10,5,20,10,left,web,human,1',
    'file_name,bbox': '{n},"[10, 5, 20, 10]"', 'ImageID,bbox': '{n},"10.0 5 20 10"', 'Image Name,y,x,y2,x2': '{n},5,10,15,30', 'NAME_ID,X,Y,W,H': '{n},10,5,20,10',
    'filename,x,y,width,height': '{n},10,5,20,10', 'class,filename,x_min,y_min,x_max,y_max': 'ear,{n},10,5,30,15', ',image_path,x1,y1,w,h': '0,{n},10,5,20,10',
    'image_path,x1,y1,w,h,x2,y2': '{n},10,5,20,10,30,15', 'image,x,y,w,h,xmin,ymin,xmax,ymax': '{n},10,5,20,10,10,5,30,15', 'filename;xmin;ymin;xmax;ymax': '{n};10;5;30;15',
    'filename\txmin\tymin\txmax\tymax': '{n}\t10\t5\t30\t15', '"filename","xmin","ymin","xmax","ymax"': '"{n}","10","5","30","15"', 'image_path, x1, y1, w, h': '{n}, 10, 5, 20, 10',
    'image_id,left,top,width,height': '{n},10,5,20,10', 'FILENAME,XMIN,YMIN,XMAX,YMAX': '{n},10.0,5.,3e1,15', 'img_path,x1,y1,width,height,image_width,image_height': '{n},10,5,20,10,60,40',
}


@pytest.mark.parametrize('header', TABLES, ids=repr)
@pytest.mark.parametrize('name', ['a.png', 'a'])
@pytest.mark.parametrize('ends', ['\n', '\r\n'])
def test_csv_column_sets(raw, header, name, ends):
    "… with images named with and without extension"
    image(raw/'ears/a.png')
    text(raw/'ears/boxes.csv', ends.join([header, TABLES[header].format(n=name), '']))
    assert reasons(outcome(raw)) == []
    assert boxes(raw.parent/'out') == [('ears/a.png', [10, 5, 20, 10])]


def test_csv_fractions(raw):
    image(raw/'ears/a.png')
    text(raw/'ears/boxes.csv', 'image_path,x1,y1,w,h\na.png,0,0,1,1\na.png,10.25,5.5,20.125,10.75\na.png,0.25,0.25,0.5,0.5')
    outcome(raw)
    assert boxes(raw.parent/'out') == [('ears/a.png', [0, 0, 1, 1]), ('ears/a.png', [0.25, 0.25, 0.5, 0.5]), ('ears/a.png', [10.25, 5.5, 20.125, 10.75])]


@pytest.mark.parametrize('header', [
    'ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside',
    'ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax'])
def test_csv_open_images_is_not_taken_for_pixels(raw, header):
    "Its fractions of the image would be boxes of no pixel"
    image(raw/'ears/a.png')
    text(raw/'ears/boxes.csv', header + '\na,xclick,/m/039xj_,1,0.1,0.5,0.2,0.6' + ',-1' * (header.count(',') - 7) + '\n')
    report = process(raw, raw.parent/'out') if len(discover(Tree(raw))[0]) else None
    assert report is None or boxes(raw.parent/'out') in ([], [('ears/a.png', pytest.approx([6, 8, 24, 16]))])


def test_csv_blank_lines_quotes_and_a_mark(raw):
    image(raw/'ears/a, b.png'), image(raw/'ears/"c".png')
    text(raw/'ears/boxes.csv', b'\xef\xbb\xbf\r\nimage_path,x1,y1,w,h\r\n\r\n"a, b.png",1,2,3,4\r\n\r\n"""c"".png",5,5,5,5\r\n\r\n')
    assert reasons(outcome(raw)) == []
    assert boxes(raw.parent/'out') == [('ears/"c".png', [5, 5, 5, 5]), ('ears/a, b.png', [1, 2, 3, 4])]


def test_csv_lines_that_are_wrong(raw):
    "Each costs itself, and is named by the line that an editor shows"
    image(raw/'ears/a.png')
    text(raw/'ears/boxes.csv', 'image_path,x1,y1,w,h\na.png,1,2,3\n\na.png,1,2,3,x\n"a.png,1,2,3,4\na.png,,2,3,4\n,1,2,3,4\na.png,9,9,9,9,extra\n')
    report = outcome(raw)
    assert sorted((p.where, p.reason) for p in report.problems if p.where) == [('line 2', 'malformed'), ('line 4', 'malformed'), ('line 6', 'malformed'), ('line 7', 'missing_image')]
    assert problem(report, 'missing_image').boxes == 1
    assert boxes(raw.parent/'out') == [('ears/a.png', [1, 2, 3, 4]), ('ears/a.png', [9, 9, 9, 9])]


def test_csv_long_table(raw):
    "Lines are taken in chunks; an image may come back in a later one"
    image(raw/'ears/a.png'), image(raw/'ears/b.png')
    lines = ['a.png,,,,'] + [f'b.png,{i / 1000},1,3,4' for i in range(25_000)] + ['a.png,1,2,3,4', 'b.png,x,1,1,1']
    text(raw/'ears/boxes.csv', 'image_path,x1,y1,w,h\n' + '\n'.join(lines))
    report = outcome(raw)
    assert problem(report, 'malformed').where == 'line 25004'
    detector = dict(rows(raw.parent/'out', 'detector'))
    assert detector['ears/a.png'] == [[1, 2, 3, 4]] and len(detector['ears/b.png']) == 25_000 and len(detector) == 2


def test_csv_headerless_and_other_files(raw):
    image(raw/'ears/a.png')
    text(raw/'ears/boxes.csv', 'image_path,x1,y1,w,h\na.png,1,2,3,4\n')
    text(raw/'ears/none.csv', 'a.png,1,2,3,4\n'), text(raw/'ears/people.csv', 'image_id,age\n1,30\n')
    for name in ('README.txt', 'obj.names', 'train.txt', 'labels.cache', 'notes.md'): text(raw/'ears'/name, 'a.png\n')
    report = outcome(raw)
    assert {p.file: p.reason for p in report.problems} == {'ears/none.csv': 'bad_file', 'ears/people.csv': 'not_recognised'} and 'numbers = ' in problem(report, 'bad_file').detail and boxes(raw.parent/'out') == [('ears/a.png', [1, 2, 3, 4])]


# .pts

PTS = {
    'plain': 'version: 1\nn_points: 2\n{\n1 2\n3 4\n}\n', '1.0': 'version: 1.0\nn_points: 2\n{\n1 2\n3 4\n}', '2': 'version: 2\nn_points:  2\n{\n1  2\n3  4\n}',
    'crlf': 'version: 1\r\nn_points: 2\r\n{\r\n1 2\r\n3 4\r\n}\r\n', 'decimals': 'version: 1\nn_points: 2\n{\n1.000 2.000000\n3.0 4\n}', 'no space': 'version:1\nn_points:2\n{\n1 2\n3 4\n}',
    'tabs': 'version: 1\nn_points: 2\n{\n\t1\t2 \n 3\t4\n}', 'mark': '\ufeffversion: 1\nn_points: 2\n{\n1 2\n3 4\n}', 'capitals': 'VERSION: 1\nN_POINTS: 2\n{\n1 2\n3 4\n}',
    'after': 'version: 1\nn_points: 2\n{\n1 2\n3 4\n}\nsome words', 'old mac': 'version: 1\rn_points: 2\r{\r1 2\r3 4\r}',
}


@pytest.mark.parametrize('style', PTS)
@pytest.mark.parametrize('layout', ['a.pts a.png', 'annot/a.pts imgs/a.jpg', 'landmarks/a.pts images/a.jpeg', 'a.txt a.png', 'annotations/train/a.PTS images/train/a.JPG'])
def test_pts(raw, style, layout):
    label, picture = layout.split()
    image(raw/'faces'/picture, format='PNG')
    text(raw/'faces'/label, PTS[style])
    assert reasons(outcome(raw)) == []
    assert rows(raw.parent/'out', 'landmarker') == [(f'faces/{picture}', [[1, 2, 2], [3, 4, 2]])]
    assert not any('detector' in name for name in listing(raw.parent/'out')), 'landmarks are no boxes'


def test_pts_negative_values_and_55_points(raw):
    image(raw/'faces/0001_png.rf.2a12e30a.jpg')
    pts(raw/'faces/0001_png.rf.2a12e30a.pts', [(-3.5, -1)] + EARS_POINTS[1:])
    outcome(raw)
    (path, points), = rows(raw.parent/'out', 'landmarker')
    assert points[0] == [-3.5, -1, 2] and len(points) == 55, 'coordinates are kept as they are'
    (_, (x, y, w, h)), = rows(raw.parent/'out', 'teacher')
    assert (x, y) == (0, 0) and x + w <= 60 and y + h <= 40, 'the crop is clipped'


def test_pts_two_images_of_a_stem(raw):
    image(raw/'faces/a.png'), image(raw/'faces/a.jpg'), image(raw/'faces/b.png')
    pts(raw/'faces/a.pts', [(1, 2), (3, 4)]), pts(raw/'faces/b.pts', [(1, 2), (3, 4)]), pts(raw/'faces/c.pts', [(1, 2), (3, 4)])
    report = outcome(raw)
    assert reasons(report) == [('ambiguous_image', 'dropped'), ('missing_image', 'dropped')]
    assert problem(report, 'ambiguous_image').detail == 'faces/a.jpg, faces/a.png'


def test_pts_of_several_lengths(raw):
    for name, k in dict(a=5, b=68, c=55).items():
        image(raw/f'faces/{name}.png')
        pts(raw/f'faces/{name}.pts', [(i, i / 2) for i in range(k)])
    outcome(raw)
    assert [len(v) for _, v in rows(raw.parent/'out', 'landmarker')] == [5, 68, 55]


# Where things lie

def test_splits_and_masks_do_not_get_in_the_way(raw):
    "The path relative to the annotation file comes first"
    for split in ('train', 'valid'):
        image(raw/f'ears/{split}/a.png'), image(raw/f'ears/{split}/masks/a.png')
        text(raw/f'ears/{split}/boxes.csv', f'image_path,x1,y1,w,h\na.png,{len(split)},2,3,4\n')
    assert reasons(outcome(raw)) == []
    assert boxes(raw.parent/'out') == [('ears/train/a.png', [5, 2, 3, 4]), ('ears/valid/a.png', [5, 2, 3, 4])]


def test_a_path_that_climbs_is_relative_to_its_file(raw):
    for split in ('train', 'valid'):
        image(raw/f'ears/{split}/pics/a.png')
        text(raw/f'ears/{split}/tables/boxes.csv', 'image_path,x1,y1,w,h\n../pics/a.png,1,2,3,4\n')
    assert reasons(outcome(raw)) == []
    assert boxes(raw.parent/'out') == [('ears/train/pics/a.png', [1, 2, 3, 4]), ('ears/valid/pics/a.png', [1, 2, 3, 4])]


@pytest.mark.parametrize('named', [' a .png', '/home/me/ears/ a .png'])
def test_blanks_around_a_name(raw, named):
    "A file that is really called so is found before one without them"
    for name in (' a .png', 'b.png'): image(raw/'ears'/name)
    text(raw/'ears/boxes.csv', f'image_path,x1,y1,w,h\n{named},1,2,3,4\n b.png ,5,5,3,4\n')
    assert reasons(outcome(raw)) == []
    assert boxes(raw.parent/'out') == [('ears/ a .png', [1, 2, 3, 4]), ('ears/b.png', [5, 5, 3, 4])]


def test_the_longest_ending(raw):
    image(raw/'ears/left/01/a.png'), image(raw/'ears/right/01/a.png'), image(raw/'ears/right/02/a.png')
    text(raw/'ears/boxes.csv', 'image_path,x1,y1,w,h\n/data/right/01/a.png,1,2,3,4\nfoo/02/a.png,1,2,3,5\n01/a.png,1,2,3,6\n')
    assert problem(outcome(raw), 'ambiguous_image').image == '01/a.png'
    assert boxes(raw.parent/'out') == [('ears/right/01/a.png', [1, 2, 3, 4]), ('ears/right/02/a.png', [1, 2, 3, 5])]


@pytest.mark.parametrize('name', ['a.JPG', 'a.jpeg', 'a.PNG', 'a.bmp', 'a.webp', 'a.TIF', 'a.tiff', '0001_png.rf.2a12e30a.jpg', 'ohr-ä.png', 'b\udcff.png', 'with space.png', "it's.png"])
def test_names_of_images(raw, name):
    image(raw/'ears'/name)
    text(raw/'ears/boxes.csv', f'image_path,x1,y1,w,h\n{name},1,2,3,4\n'.encode('utf-8', 'surrogateescape'))
    assert reasons(outcome(raw)) == []
    assert boxes(raw.parent/'out') == [(f'ears/{name}', [1, 2, 3, 4])]


def test_levels_say_what_a_dataset_feeds(raw):
    both = dict(bbox=[1, 2, 9, 9], keypoints=[2, 2, 2, 8, 8, 2])
    for level in ('detector/x', 'landmarker/y', 'z'):
        image(raw/level/'deep/er/a.png')
        coco(raw/level/'deep/er/a.json', {'a.png': [both]})
    report = outcome(raw)
    assert [path for path, _ in rows(raw.parent/'out', 'detector')] == ['detector/x/deep/er/a.png', 'z/deep/er/a.png']
    assert [path for path, _ in rows(raw.parent/'out', 'landmarker')] == ['landmarker/y/deep/er/a.png', 'z/deep/er/a.png']
    assert len(rows(raw.parent/'out', 'teacher')) == 3
    assert [(p.source, p.keypoints) for p in report.problems] == [('detector/x', 1)]


def test_one_folder_under_two_names(raw):
    "A link to a folder that was walked already is walked as well: it feeds another kind"
    image(raw/'detector/x/a.png')
    coco(raw/'detector/x/a.json', {'a.png': [dict(bbox=[1, 2, 9, 9], keypoints=[2, 2, 2, 8, 8, 2])]})
    (raw/'landmarker').mkdir()
    (raw/'landmarker/x').symlink_to('../detector/x', target_is_directory=True)
    outcome(raw)
    assert len(rows(raw.parent/'out', 'detector')) == 1 and len(rows(raw.parent/'out', 'landmarker')) == 1


# Damage at random

COCO_FILE = coco_dict({'a.png': [[1, 2, 3, 4], dict(bbox=[1, 2, 3, 4], keypoints=[2, 2, 2, 8, 8, 1], iscrowd=0), dict(segmentation=[[1, 1, 9, 2, 5, 9]], area=3)],
                       'b.png': [dict(bbox=[50, 30, 20, 20], keypoints=[0, 0, 0, 0, 0, 0])], 'c.png': [[1, 1, 1, 1]], 'empty.png': []})
PICTURES = 'a.png', 'b.png', 'empty.png'
many = examples(2000)


@st.composite
def coco_trees(draw):
    tree = COCO_FILE
    for _ in range(draw(st.integers(1, 4))):
        found = list(places(tree))
        tree = changed(tree, found[draw(st.integers(0, len(found) - 1))], draw(st.sampled_from(['replace', 'replace', 'remove', 'double'])), draw(ODD))
    return tree


@settings(many, max_examples=tries(600))
@given(coco_trees())
def test_coco_of_damaged_structure(pictures, tree): check_reader(pictures, 'x.json', 'coco', json.dumps(tree).encode())


CELLS = st.one_of(st.sampled_from(['', ' ', 'a.png', 'b.png', 'a', 'gone.png', '1', '-1', '0', '1e300', '1e999', 'nan', 'inf', '99999999999', '1,2', '"', "'", '\r', '\0', '1_0', '٣', '½', '0x10', '[1 2 3 4]', '../a.png',
                                   '/', '.', '..', '\\', 'C:\\a.png', '.png', 'a.png/']), st.text(max_size=4))


@many
@given(st.sampled_from(sorted(TABLES)), st.lists(st.lists(CELLS, max_size=9), max_size=5), st.booleans())
def test_csv_of_odd_cells(pictures, header, lines, good):
    delimiter = next(o for o in ';\t,' if o in header)
    lines = ([TABLES[header].format(n='a.png')] if good else []) + [delimiter.join(line) for line in lines]
    check_reader(pictures, 'x.csv', 'csv', '\n'.join([header, *lines]).encode('utf-8', 'replace'))


@many
@given(st.sampled_from(['version', 'Version ', 'vers']), st.sampled_from(['1', '1.0', '', '9' * 5000]), st.one_of(st.integers(-1, 5).map(str), st.sampled_from(['', 'x', '9' * 5000, '٣'])),
       st.lists(st.sampled_from(['1', '2.5', '-3', 'nan', 'inf', '1e300', '1e999', 'x', '١', '1_0', '0x1', '{', '}', '\0']), max_size=12), st.sampled_from(['}', '', '}}']))
def test_pts_of_odd_parts(pictures, word, version, count, values, end):
    check_reader(pictures, 'a.pts', 'pts', f'{word}: {version}\nn_points: {count}\n{{\n{" ".join(values)}\n{end}'.encode())
