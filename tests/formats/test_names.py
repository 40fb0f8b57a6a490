"Names in files: of keypoints, and of attributes that are asked for; each format that has some"
import gzip
import json

import numpy as np
import pytest
from hypothesis import given, strategies as st
from making import image, text

from ear_lazy.base.records import concat, keep_objects, make_records, text_rows
from ear_lazy.base.schemes import Scheme, flip_pairs_of
from ear_lazy.formats.discover import Source, discover
from ear_lazy.formats.load import load
from ear_lazy.formats.shared.tree import Tree

BOX = dict(x=5, y=10, width=15, height=20)


def loaded(raw, name, content, *attributes, **files):
    "Records of one file beside a.png and b.png"
    for o in 'ab': image(raw/f'ears/{o}.png')
    for o, more in {name: content, **files}.items(): text(raw/'ears'/o, more if isinstance(more, (str, bytes)) else json.dumps(more))
    tree = Tree(raw)
    (source,), problems = discover(tree, (Source('ears', attributes=attributes),))
    assert problems == []
    return concat([load(tree, source.name, o) for o in source.documents])


def short(o): return o if isinstance(o, str) and len(o) < 20 and '\n' not in o else 'of'


def attributes(r): return {name: [values[i] for i in rows] for name, (rows, values) in r.attributes.items()}


def coco(annotation, image=(), **category):
    return dict(images=[dict(id=1, file_name='a.png', **dict(image))], categories=[dict(id=1, name='ear', **category)], annotations=[dict(id=1, image_id=1, category_id=1, bbox=[5, 10, 15, 20], **annotation)])


def cvat(inner, meta=''): return f'<annotations>{meta}<image name="a.png" width="60" height="40">{inner}</image></annotations>'


def region(shape, **found): return dict(shape_attributes=dict(name=shape, **(BOX if shape == 'rect' else dict(cx=5, cy=6))), region_attributes=found)


def via(*regions, **of_file): return {'a.png1': dict(filename='a.png', size=1, regions=list(regions), file_attributes=of_file)}


def via3(*parts):
    return dict(project=dict(pid='1', vid_list=['1']), attribute={'1': dict(aname='side'), '2': dict(aname='subject')}, file={'1': dict(fid='1', fname='a.png')}, view={'1': dict(fid_list=['1'])},
                metadata={str(i): dict(vid='1', z=[], xy=xy, av=av) for i, (xy, av) in enumerate(parts)})


def labelstudio(*results, **data): return [dict(id=1, data=dict(image='a.png', **data), annotations=[dict(id=1, completed_by=1, result=list(results))])]


def answer(name, type, value, **more): return dict(from_name=name, type=type, original_width=60, original_height=40, value=value, **more)


RECTANGLE = answer('label', 'rectanglelabels', BOX | dict(rotation=0, rectanglelabels=['ear']), id='r')
WITH_BOX = [ # what is read, whose object has side left and subject 7
    ('a.csv', 'image_path,x,y,w,h,side,subject\na.png,5,10,15,20,left,7\n'),
    ('a.json', coco(dict(side='left', subject=7))),
    ('a.json', coco(dict(attributes=dict(side='left')), dict(subject=7.))),
    ('a.xml', cvat('<box label="ear" xtl="5" ytl="10" xbr="20" ybr="30"><attribute name="side">left</attribute><attribute name="subject">7</attribute></box>')),
    ('via.json', via(region('rect', side='left', type='ear'), subject='7')),
    ('via.csv', '#filename,file_attributes,region_shape_attributes,region_attributes\na.png,"{""subject"":7}","{""name"":""rect"",""x"":5,""y"":10,""width"":15,""height"":20}","{""side"":""left""}"\n'),
    ('via.json', via3(([2, 5, 10, 15, 20], {'1': 'left'}), ([], {'2': '7'}))),
    ('a.json', dict(imagePath='a.png', shapes=[dict(label='ear', shape_type='rectangle', points=[[5, 10], [20, 30]], group_id=7, subject=7, flags={}, attributes=dict(side='left'))])),
    ('a.json', labelstudio(RECTANGLE, answer('side', 'choices', dict(choices=['left']), id='r'), subject=7)),
    ('a.json', labelstudio(RECTANGLE, answer('side', 'choices', dict(choices=['left'])), answer('subject', 'number', dict(number=7), id='r'))),
    ('a.csv', 'ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,side,subject\na,x,/m/039xj_,1,0.1,0.3,0.25,0.75,left,7\n'),
    ('a.xml', '<annotation><filename>a.png</filename><subject>7</subject><object><name>ear</name><side>left</side><bndbox><xmin>5</xmin><ymin>10</ymin><xmax>20</xmax><ymax>30</ymax></bndbox></object></annotation>'),
    ('metadata.jsonl', dict(file_name='a.png', subject='7', objects=dict(bbox=[[5, 10, 15, 20]], categories=[0], side=['left']))),
    ('a.xml', "<dataset><images><image file='a.png'><box top='10' left='5' width='15' height='20' side='left' subject='7'/></image></images></dataset>"),
    ('a.csv', 'file,beak_x,beak_y,tail_x,tail_y,eye_x,eye_y,side,subject\na.png,5,6,7,8,9,10,left,7\n'),
    ('a.csv.gz', gzip.compress(b'image_path,x,y,w,h,side,subject\na.png,5,10,15,20,left,7\n')),
]


@pytest.mark.parametrize('name, content', WITH_BOX, ids=short)
def test_attributes(raw, name, content):
    "… are read where the format has them, and the one that is nowhere is told with those that there are"
    r = loaded(raw, name, content, 'side', 'subject', 'age')
    assert attributes(r) == dict(side=['left'], subject=['7'], age=[''])
    (p,) = [p for p in r.problems if p.reason == 'no_attribute']
    assert p.where == 'attribute age' and p.action == 'kept' and 'side' in p.detail


@pytest.mark.parametrize('name, content', WITH_BOX, ids=short)
def test_nothing_is_recorded_unasked(raw, name, content):
    r = loaded(raw, name, content)
    assert r.attributes == {} and len(r.ids) == 1


def test_formats_without_attributes(raw):
    (p,) = loaded(raw, 'a.txt', '0 0.5 0.5 0.2 0.2\n', 'side').problems
    assert (p.reason, p.where, p.detail) == ('no_attribute', 'attribute side', 'none are read from files of the format yolo')


def test_an_attribute_of_one_file_of_two(raw):
    "… is empty in the other, and nothing is told; one that is in none of them is told once"
    a, b = 'image_path,x,y,w,h,side\na.png,5,10,15,20,left\n', 'image_path,x,y,w,h\nb.png,5,10,15,20\n'
    r = loaded(raw, 'a.csv', a, 'side', 'age', **{'b.csv': b})
    assert attributes(r) == dict(side=['left', ''], age=['', '']) and [p.where for p in r.problems] == ['attribute age']


@pytest.mark.parametrize('value', [b'"\\ud800x"', b'"\xffx"'])
def test_values_that_are_no_text(raw, value):
    r = loaded(raw, 'a.json', json.dumps(coco(dict(side=0))).encode().replace(b'"side": 0', b'"side": ' + value), 'side')
    assert attributes(r) == dict(side=['\ufffdx']) and r.has_box.all()


PAIR = Scheme(('nose', 'left_eye', 'right_eye'), (), ((1, 2),))
EDGES = PAIR._replace(skeleton=((0, 1), (0, 2)))
KEYPOINTS = [5, 6, 2, 7, 8, 2, 9, 10, 2]
SVG = '&lt;line data-node-from="3" data-node-to="1"&gt;&lt;line data-node-from="3" data-node-to="2"&gt;' + ''.join(f'&lt;circle data-node-id="{i}" data-label-name="{o}"&gt;' for i, o in ((3, 'nose'), (1, 'left_eye'), (2, 'right_eye')))
META = '<meta><labels><label><name>ear</name><type>skeleton</type><svg>%s</svg></label>%s</labels></meta>' % (SVG, ''.join(f'<label><name>{o}</name><parent>ear</parent></label>' for o in PAIR.points))
SKELETON = '<skeleton label="ear">%s</skeleton>' % ''.join(f'<points label="{o}" points="{i},{i}"/>' for i, o in enumerate(PAIR.points, 5))
BY_NAME = tuple(sorted(PAIR.points)) # as readers sort names whose order no file says
SORTED = Scheme(BY_NAME, (), ((0, 2),))


@pytest.mark.parametrize('name, content, label, scheme', [
    ('a.json', coco(dict(keypoints=KEYPOINTS), keypoints=PAIR.points, skeleton=[[1, 2], [1, 3]]), 'ear', EDGES),
    ('a.json', coco(dict(keypoints=KEYPOINTS), keypoints=PAIR.points, skeleton=[[0, 1], [0, 2]]), 'ear', EDGES),
    ('a.json', coco(dict(keypoints=KEYPOINTS), keypoints=PAIR.points, skeleton=[[1, 9]]), 'ear', PAIR),
    ('a.xml', cvat(SKELETON, META), 'ear', EDGES),
    ('a.xml', cvat(SKELETON), 'ear', SORTED),
    ('a.csv', 'scorer,x,x,x,x,x,x\nbodyparts,nose,nose,left_eye,left_eye,right_eye,right_eye\ncoords,x,y,x,y,x,y\na.png,5,6,7,8,9,10\n', '', PAIR),
    ('a.csv', 'file,nose_x,nose_y,left_eye_x,left_eye_y,right_eye_x,right_eye_y\na.png,5,6,7,8,9,10\n', '', PAIR),
    ('a.xml', "<dataset><images><image file='a.png'><box top='1' left='1' width='9' height='9'><label>ear</label>%s</box></image></images></dataset>"
     % ''.join(f"<part name='{o}' x='5' y='6'/>" for o in PAIR.points), 'ear', SORTED),
    ('a.json', dict(imagePath='a.png', shapes=[dict(label=o, shape_type='point', points=[[5, 6]]) for o in PAIR.points]), '', SORTED),
    ('via.json', via(*(region('point', part=o) for o in PAIR.points)), '', SORTED),
    ('a.json', labelstudio(*(answer('part', 'keypointlabels', dict(x=5, y=6, width=1, keypointlabels=[o])) for o in PAIR.points)), '', SORTED),
    ('celeba.txt', '1\nlefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y\na.png 1 2 3 4 5 6 7 8 9 10\n', 'face',
     Scheme(('lefteye', 'righteye', 'nose', 'leftmouth', 'rightmouth'), (), ((0, 1), (3, 4)))),
], ids=short)
def test_schemes(raw, name, content, label, scheme):
    assert loaded(raw, name, content).schemes == {label: scheme}


@pytest.mark.parametrize('said, scheme', [
    ('kpt_names: {0: [nose, left_eye, right_eye]}\nflip_idx: [0, 2, 1]', PAIR), ('kpt_names: [nose, left_eye, right_eye]', PAIR), ('flip_idx: [0, 2, 1]', Scheme(('',) * 3, (), ((1, 2),))),
    ('kpt_names: {0: [nose, left_eye, right_eye]}\nflip_idx: [0, 1, 2]', PAIR._replace(flip_pairs=())), ('kpt_names: {0: [nose, left_eye]}', None), ('kpt_names: {1: [nose, left_eye, right_eye]}', None),
    ('', None)], ids=range(7))
def test_schemes_of_yolo(raw, said, scheme):
    r = loaded(raw, 'a.txt', '0 0.5 0.5 0.4 0.4 0.5 0.5 2 0.4 0.4 2 0.6 0.6 2\n', **{'data.yaml': f'names: [ear]\nkpt_shape: [3, 3]\n{said}\n'})
    assert r.schemes == ({'ear': scheme} if scheme else {}) and r.point_counts.tolist() == [3]


def test_schemes_of_wholebody(raw):
    names = ['nose', 'left_eye', 'right_eye', *(f'p{i}' for i in range(14))]
    points = dict(zip(('keypoints', 'foot_kpts', 'face_kpts', 'lefthand_kpts', 'righthand_kpts'), ([5, 6, 2] * n for n in (17, 6, 68, 21, 21))))
    scheme = loaded(raw, 'a.json', coco(points, keypoints=names, skeleton=[[1, 2]])).schemes['ear']
    assert len(scheme.points) == 133 and scheme.points[:17] == tuple(names) and scheme.skeleton == ((0, 1),)
    assert {(1, 2), (17, 20), (23, 39), (91, 112)} <= {*scheme.flip_pairs}


def test_schemes_of_points_as_categories(raw):
    found = dict(images=[dict(id=1, file_name='a.png')], categories=[dict(id=i, name=o) for i, o in enumerate(PAIR.points)],
                 annotations=[dict(id=i, image_id=1, category_id=i, bbox=[5 + i, 6, 1, 1]) for i in range(3)])
    assert loaded(raw, 'a.json', found).schemes == {'': PAIR}


@pytest.mark.parametrize('name, content', [
    ('a.json', coco(dict(keypoints=KEYPOINTS), keypoints=PAIR.points[:2])),
    ('a.json', coco(dict(keypoints=KEYPOINTS), keypoints='nose')),
    ('a.xml', cvat(SKELETON + '<points label="ear" points="1,2;3,4;5,6"/>', META)),
    ('a.xml', cvat(SKELETON.replace(' label="nose"', ''))),
    ('a.json', dict(imagePath='a.png', shapes=[dict(label=o, shape_type='point', points=[[5 + i, 6]], group_id=i // 3) for i, o in enumerate((*PAIR.points, 'nose', 'left_eye', 'tail'))])),
], ids=short)
def test_no_scheme_where_objects_of_a_class_disagree(raw, name, content): assert loaded(raw, name, content).schemes == {}


SIDES = st.sampled_from(['left', 'right', '', 'ä'])
PARTS = st.lists(st.tuples(st.booleans(), st.lists(SIDES, max_size=5)), min_size=1, max_size=3)


@given(PARTS, st.data())
def test_attributes_stay_with_their_objects(parts, data):
    "… when parts are joined and objects are chosen"
    made, expected = [], []
    for n, (named, sides) in enumerate(parts):
        r = make_records([f'{n}.jpg'], [0] * len(sides), range(len(expected), len(expected) + len(sides)), [f'{n}.json'], boxes=[[0, 0, 5, 5]] * len(sides))
        if named: r.attributes['side'] = text_rows(sides)
        made.append(r)
        expected += sides if named else [''] * len(sides)
    r = concat(made)
    rows = np.array(data.draw(st.lists(st.integers(0, len(expected) - 1), max_size=6)) if expected else [], np.int64)
    chosen = keep_objects(r, rows)
    if any(named for named, _ in parts): assert attributes(chosen)['side'] == [expected[i] for i in chosen.ids]
    else: assert chosen.attributes == {}


@given(st.lists(st.text('lrLR_eyift1 ', max_size=8), max_size=6))
def test_pairs_are_pairs(names):
    "No point is in two of them, and the names of both differ"
    pairs = flip_pairs_of(names)
    points = [i for o in pairs for i in o]
    assert len({*points}) == len(points) and all(a < b and names[a] != names[b] for a, b in pairs)
