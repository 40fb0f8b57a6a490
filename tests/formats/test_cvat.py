"CVAT XML for images and for video: every habit of it on small files, hostile XML, and files that are damaged at random"
import tracemalloc
from xml.etree import ElementTree as ET

import pytest
from damaging import check_reader, examples, quickly
from hypothesis import given, settings, strategies as st
from making import boxes, image, outcome, problem, reasons, rows, text
from tiers import tries

from ear_lazy.errors import AnnotationError
from ear_lazy.formats.discover import discover
from ear_lazy.formats.load import load
from ear_lazy.formats.shared.registry import readers
from ear_lazy.formats.shared.tree import Document, Tree

PICTURES = 'a.png', 'b.png', 'frame_000000.png'


def box(x, y, w, h, more='', label='ear'): return f'<box label="{label}" occluded="0" xtl="{x}" ytl="{y}" xbr="{x + w}" ybr="{y + h}" {more}><attribute name="side">left</attribute></box>'


def picture(name, *shapes, more='width="60" height="40"'): return f'<image id="0" name="{name}" {more}>{"".join(shapes)}</image>'


META = '<version>1.1</version><meta><task><original_size><width>60</width><height>40</height></original_size></task></meta>'


def cvat(path, *parts, meta=META): return text(path, f'<?xml version="1.0" encoding="utf-8"?>\n<annotations>{meta}{"".join(parts)}</annotations>')


def track(*shapes, label='ear'): return f'<track id="0" label="{label}">{"".join(shapes)}</track>'


def records(raw, file='ears/annotations.xml'): return load(Tree(raw), 'ears', Document('cvat', (file,)))


def test_images(raw):
    image(raw/'ears/images/left/a.png'), image(raw/'ears/images/right/a.png'), image(raw/'ears/images/none.png')
    cvat(raw/'ears/annotations.xml', picture('left/a.png', box(1, 2, 3, 4), box(9, 9, 5.5, 5.25, label='face')), picture('right/a.png', box(1, 2, 3, 5)), picture('none.png'))
    assert reasons(outcome(raw)) == []
    assert boxes(raw.parent/'out') == [('ears/images/left/a.png', [1, 2, 3, 4]), ('ears/images/left/a.png', [9, 9, 5.5, 5.25]), ('ears/images/right/a.png', [1, 2, 3, 5])]
    r = records(raw)
    assert [r.label_names[o] for o in r.labels] == ['ear', 'face', 'ear'] and r.empty.tolist() == [False, False, True] and r.sizes.tolist() == [[40, 60]] * 3


def test_subset_is_a_folder(raw):
    image(raw/'ears/images/Train/a.png'), image(raw/'ears/images/Test/a.png')
    cvat(raw/'ears/annotations.xml', *(picture('a.png', box(1, 2, len(o), 4), more=f'subset="{o}"') for o in ('Train', 'Test')))
    assert reasons(outcome(raw)) == []
    assert boxes(raw.parent/'out') == [('ears/images/Test/a.png', [1, 2, 4, 4]), ('ears/images/Train/a.png', [1, 2, 5, 4])]


@pytest.mark.parametrize('shape, found', [
    ('<polygon label="ear" points="10,10;30,12;20,30"/>', [10, 10, 20, 20]), ('<polygon label="ear" points="10.5,10; 30,12 ;20,30;"/>', [10.5, 10, 19.5, 20]), ('<polyline points="1,2;4,6"/>', [1, 2, 3, 4]),
    ('<ellipse cx="20" cy="15" rx="10" ry="5"/>', [10, 10, 20, 10]), ('<mask rle="3, 2" left="5" top="6" width="7" height="8"/>', [5, 6, 7, 8]), (box(10, 15, 20, 10, 'rotation="90.0"'), [15, 10, 10, 20]),
    ('<cuboid xtl1="1" ytl1="2" xbl1="1" ybl1="6" xtr1="4" ytr1="2" xbr1="4" ybr1="6" xtl2="2" ytl2="1" xbl2="2" ybl2="5" xtr2="5" ytr2="1" xbr2="5" ybr2="5"/>', [1, 1, 4, 5])])
def test_outlines_give_their_extent(raw, shape, found):
    image(raw/'ears/a.png'), cvat(raw/'ears/annotations.xml', picture('a.png', shape))
    p = problem(outcome(raw), 'no_box')
    assert (p.action, p.where) == ('derived', 'shape 1')
    assert boxes(raw.parent/'out') == [('ears/a.png', pytest.approx(found, abs=1e-5))]


def test_a_box_that_is_not_turned_is_as_it_stands(raw):
    image(raw/'ears/a.png'), cvat(raw/'ears/annotations.xml', picture('a.png', box(1, 2, 3, 4, 'rotation="0.0" z_order="0" source="manual"')))
    assert reasons(outcome(raw)) == [] and boxes(raw.parent/'out') == [('ears/a.png', [1, 2, 3, 4])]


def test_points(raw):
    image(raw/'ears/a.png')
    cvat(raw/'ears/annotations.xml', picture('a.png', '<points label="ear" occluded="0" points="1.5,2;3,4;5,9"/>', '<points label="ear" occluded="1" points="7,8;3,4;5,6"/>'))
    assert reasons(outcome(raw)) == []
    assert rows(raw.parent/'out', 'landmarker') == [('ears/a.png', [[1.5, 2, 2], [3, 4, 2], [5, 9, 2]]), ('ears/a.png', [[7, 8, 1], [3, 4, 1], [5, 6, 1]])]


OUTSIDE, OCCLUDED = 'outside="1" occluded="0"', 'outside="0" occluded="1"'


def joint(name, x, y, more='outside="0" occluded="0"'): return f'<points label="{name}" {more} points="{x},{y}"/>'


def test_skeletons(raw):
    "outside: unlabelled; occluded: hidden; the order of the points is that of their names, and a point that is not there is unlabelled"
    image(raw/'ears/a.png')
    one = f'<skeleton label="ear">{joint("top", 1, 2)}{joint("tragus", 3, 4, OCCLUDED)}{joint("lobe", 5, 6, OUTSIDE)}</skeleton>'
    two = f'<skeleton label="ear">{joint("lobe", 15, 16)}{joint("top", 11, 12)}</skeleton>'
    cvat(raw/'ears/annotations.xml', picture('a.png', one, two))
    assert reasons(outcome(raw)) == []
    assert rows(raw.parent/'out', 'landmarker') == [('ears/a.png', [[0, 0, 0], [1, 2, 2], [3, 4, 1]]), ('ears/a.png', [[15, 16, 2], [11, 12, 2], [0, 0, 0]])]


def test_order_of_skeleton_points_is_that_of_meta(raw):
    image(raw/'ears/a.png')
    names = ''.join(f'<label><name>{o}</name><type>points</type><parent>ear</parent></label>' for o in ('1', '2', '10'))
    meta = f'<version>1.1</version><meta><task><labels><label><name>ear</name><type>skeleton</type></label>{names}</labels></task></meta>'
    cvat(raw/'ears/annotations.xml', picture('a.png', f'<skeleton label="ear">{joint("10", 10, 1)}{joint("2", 2, 1)}{joint("1", 1, 1)}</skeleton>'), meta=meta)
    outcome(raw)
    assert rows(raw.parent/'out', 'landmarker') == [('ears/a.png', [[1, 1, 2], [2, 1, 2], [10, 1, 2]])]


def test_skeletons_nobody_can_use(raw):
    image(raw/'ears/a.png')
    hidden = '<skeleton label="ear">' + joint('a', 1, 2, OUTSIDE) + '</skeleton>'
    twice, none, many = (f'<skeleton label="ear">{o}</skeleton>' for o in (joint('a', 1, 2) + joint('a', 1, 2), '', '<points label="a" points="1,2;3,4"/>'))
    cvat(raw/'ears/annotations.xml', picture('a.png', hidden, twice, none, many))
    r = records(raw)
    assert sorted((p.where, p.reason) for p in r.problems) == [('shape 1', 'unlabelled'), ('shape 2', 'malformed'), ('shape 3', 'malformed'), ('shape 4', 'malformed')]
    assert r.keypoints_read == 4 and len(r.ids) == 0
    outcome(raw)


FRAMES = ['frame_000003.png', 'images/frame_000003.PNG', '000003.jpg', '3.png', 'frame_3.png']


@pytest.mark.parametrize('name', FRAMES)
def test_video(raw, name):
    "Frames by any usual name; outside=1 is not visible, and that is said once"
    image(raw/'ears'/name, format='PNG'), image(raw/'ears'/name.replace('3', '4'), format='PNG')
    shapes = [box(1, 2, 3, 4, 'frame="3" outside="0" keyframe="1"'), box(2, 2, 3, 4, 'frame="4" outside="0" keyframe="0"'), box(2, 2, 3, 4, 'frame="5" outside="1" keyframe="1"')]
    cvat(raw/'ears/annotations.xml', track(*shapes), track(box(9, 9, 5, 5, 'frame="4" outside="0"'), box(9, 9, 5, 5, 'frame="3" outside="1"')))
    report = outcome(raw)
    assert reasons(report) == [('no_geometry', 'dropped')] and report.problems[0].detail == 'shapes with outside="1", not in the picture: 2'
    later = f'ears/{name.replace("3", "4")}'
    assert boxes(raw.parent/'out') == [(f'ears/{name}', [1, 2, 3, 4]), (later, [2, 2, 3, 4]), (later, [9, 9, 5, 5])]
    r = records(raw)
    assert r.sizes.tolist() == [[40, 60]] * 2 and [r.label_names[o] for o in r.labels] == ['ear'] * 3


def test_video_without_frames_on_disk(raw):
    cvat(raw/'ears/annotations.xml', track(box(1, 2, 3, 4, 'frame="0"'), box(1, 2, 3, 4, 'frame="12"')))
    image(raw/'ears/other.png')
    assert sorted(p.image for p in outcome(raw).problems) == ['frame_000000', 'frame_000012']


def test_video_of_skeletons_and_polygons(raw):
    image(raw/'ears/frame_000000.png')
    cvat(raw/'ears/annotations.xml', track(f'<skeleton frame="0" keyframe="1">{joint("a", 1, 2)}{joint("b", 3, 4)}</skeleton>'), track('<polygon frame="0" outside="0" points="1,2;4,6"/>', label='face'))
    outcome(raw)
    assert rows(raw.parent/'out', 'landmarker') == [('ears/frame_000000.png', [[1, 2, 2], [3, 4, 2]])] and boxes(raw.parent/'out') == [('ears/frame_000000.png', [1, 2, 3, 4])]


def test_sizes_of_a_video_that_contradict_each_other(raw):
    image(raw/'ears/frame_000000.png')
    cvat(raw/'ears/annotations.xml', track(box(1, 2, 3, 4, 'frame="0"')), meta=META + META.replace('60', '90'))
    r = readers()['cvat'].read(Tree(raw), Document('cvat', ('ears/annotations.xml',)))
    assert r.sizes.tolist() == [[0, 0]]


def test_what_cannot_be_used_is_reported(raw):
    image(raw/'ears/a.png')
    cvat(raw/'ears/annotations.xml', picture('a.png', box(1, 2, 3, 4), '<box xtl="1"/>', box(5, 5, 0, 3), '<polygon points="1,2,3"/>', '<points points=""/>', '<tag label="dark"/>', box(1, 2, 3, 4),
                                             '<box xtl="nan" ytl="1" xbr="2" ybr="3"/>', '<box xtl="1" ytl="1" xbr="2" ybr="3" rotation="inf"/>'),
         picture('', box(1, 2, 3, 4)), picture('gone.png', box(1, 2, 3, 4), '<points points="1,2"/>'), track(box(1, 2, 3, 4, 'frame="x"'), box(1, 2, 3, 4), '<points frame="-1" points="1,2"/>'))
    r = records(raw)
    assert sorted((p.where, p.reason) for p in r.problems) == sorted([
        ('shape 2', 'malformed'), ('shape 3', 'no_area'), ('shape 4', 'malformed'), ('shape 5', 'malformed'), ('shape 6', 'no_geometry'), ('shape 7', 'repeat'), ('shape 8', 'not_finite'),
        ('shape 9', 'malformed'), ('shape 10', 'malformed'), ('shape 11', 'missing_image'), ('shape 13', 'malformed'), ('shape 14', 'malformed'), ('shape 15', 'malformed')])
    assert problem(r, 'missing_image').keypoints == 1
    outcome(raw)


@pytest.mark.parametrize('content', [b'<annotations><image name="a.png"><box', b'', b'<annotation/>', '<annotations/>'.encode('utf-16')[3:], b'<?xml version="1.0" encoding="klingon"?><annotations/>', b'<?xml version="1.0" encoding="no-such"?><annotations/>'])
def test_unreadable_files(raw, content):
    text(raw/'ears/annotations.xml', content)
    with pytest.raises(AnnotationError) as e: readers()['cvat'].read(Tree(raw), Document('cvat', ('ears/annotations.xml',)))
    assert e.value.file == 'ears/annotations.xml'
    assert [p.reason for p in records(raw).problems] == ['bad_file']


@pytest.mark.parametrize('encoding', ['utf-8-sig', 'utf-16', 'iso-8859-1'])
def test_encodings(raw, encoding):
    image(raw/'ears/ä.png')
    content = f'<?xml version="1.0" encoding="{encoding.replace("-sig", "")}"?><annotations>{META}{picture("ä.png", box(1, 2, 3, 4))}</annotations>'
    text(raw/'ears/annotations.xml', content.encode(encoding))
    assert reasons(outcome(raw)) == [] and boxes(raw.parent/'out') == [('ears/ä.png', [1, 2, 3, 4])]


def test_beside_many_voc_files(raw):
    "One folder with both: each reader has its own"
    for i in range(30):
        image(raw/f'ears/{i:02}.png')
        text(raw/f'ears/{i:02}.xml', f'<annotation><filename>{i:02}.png</filename><object><name>ear</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>')
    cvat(raw/'ears/annotations.xml', picture('07.png', box(1, 2, 3, 4)))
    text(raw/'ears/README.txt', '<annotations><image')
    (source,), _ = discover(Tree(raw))
    assert [(d.format, len(d.files)) for d in source.documents] == [('cvat', 1), ('voc', 30)]
    assert reasons(outcome(raw)) == [] and len(boxes(raw.parent/'out')) == 31


@pytest.mark.parametrize('name', ['job_{}.xml', 'annotations_{}.xml'])
def test_many_files_in_a_folder(raw, name):
    for i in range(20): cvat(raw/'ears'/name.format(i), picture('a.png', box(i, 2, 3, 4)))
    assert len(readers()['cvat'].sniff(Tree(raw), 'ears')) == 20 and readers()['voc'].sniff(Tree(raw), 'ears') == []


LAUGHS = '<!DOCTYPE lolz [<!ENTITY l0 "lol">' + ''.join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 11)) + ']>'


@pytest.mark.parametrize('prolog, entity', [
    (LAUGHS, '&l10;'), ('<!DOCTYPE a [<!ENTITY x SYSTEM "secret.txt">]>', '&x;'), ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>', '&x;'), ('<!DOCTYPE a [<!ENTITY % x SYSTEM "secret.txt"> %x;]>', '')],
    ids=['laughs', 'external', 'absolute', 'parameter'])
def test_entities_are_refused(raw, prolog, entity):
    "No bomb goes off, no other file is read"
    image(raw/'ears/a.png'), text(raw/'ears/secret.txt', 'secret')
    text(raw/'ears/annotations.xml', f'{prolog}<annotations>{META}<name>{entity}</name>{picture("a.png", box(1, 2, 3, 4))}</annotations>')
    with quickly(5): found = problem(outcome(raw), 'bad_file')
    assert 'declares XML entities' in found.detail


def test_a_large_file_is_a_stream(raw):
    "What has been read is let go: ten times the shapes do not take ten times the memory of the elements"
    image(raw/'ears/a.png')
    big = picture('a.png', *('<tag label="x"/>' for _ in range(20)))
    def peak(n):
        cvat(raw/'ears/annotations.xml', *[f'<other>{big}</other>'] * n)
        tracemalloc.start()
        try: readers()['cvat'].read(Tree(raw), Document('cvat', ('ears/annotations.xml',)))
        finally:
            top = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return top
    assert peak(1000) < 2 * peak(100)


# Damage at random

FILE = f'''<?xml version="1.0"?>
<annotations>{META.replace('</task>', '<labels><label><name>top</name><parent>ear</parent></label></labels></task>')}
{picture('a.png', box(1, 2, 11, 12), box(21.5, 2, 50, 12, 'rotation="30"'), box(1, 2, 11, 12), '<polygon label="ear" points="1,2;3,4;5,9"/>', '<points label="ear" points="1,2;3,4"/>')}
{picture('b.png', f'<skeleton label="ear">{joint("lobe", 1, 2)}{joint("top", 3, 4)}</skeleton>', '<mask left="1" top="2" width="3" height="4" rle="12"/>', '<ellipse cx="9" cy="9" rx="2" ry="3"/>')}{picture('c.png')}
{track(box(1, 2, 9, 9, 'frame="0" outside="0"'), box(1, 2, 9, 9, 'frame="1" outside="1"'), f'<skeleton frame="1">{joint("top", 1, 2)}</skeleton>')}</annotations>'''.encode()

many = examples(2000)


VALUES = st.one_of(st.sampled_from(['', ' ', 'x', '0', '1', '-1', '59.999', '1e300', '1e308', '-1e308', '1e999', '-inf', 'nan', '1_0', '٣', '9' * 5000, '1,2', '1,2;3,4', '1,2;3', ';', ',', '1,nan;2,3', 'a.png', 'b', '/', '..', '\\', '.png', 'ear', 'top']),
                   st.text(st.characters(codec='utf-8', exclude_categories=('Cc', 'Cs')), max_size=4))
TAGS = st.sampled_from(['annotations', 'image', 'track', 'box', 'points', 'skeleton', 'polygon', 'mask', 'ellipse', 'cuboid', 'meta', 'label', 'parent', 'original_size', 'width', 'tag'])
NAMES = st.sampled_from(['name', 'label', 'frame', 'outside', 'occluded', 'points', 'rotation', 'xtl', 'ybr', 'width', 'subset', 'rx', 'left'])


@st.composite
def trees(draw):
    root = ET.fromstring(FILE)
    for _ in range(draw(st.integers(1, 4))):
        nodes = list(root.iter())
        node = nodes[draw(st.integers(0, len(nodes) - 1))]
        how = draw(st.sampled_from(['set', 'set', 'attribute', 'unset', 'text', 'tag', 'remove', 'double', 'move']))
        keys = sorted(node.attrib)
        if how == 'set' and keys: node.set(draw(st.sampled_from(keys)), draw(VALUES))
        elif how == 'attribute': node.set(draw(NAMES), draw(VALUES))
        elif how == 'unset' and keys: del node.attrib[draw(st.sampled_from(keys))]
        elif how == 'text': node.text = draw(VALUES)
        elif how == 'tag': node.tag = draw(TAGS)
        elif how == 'remove' and len(node): node.remove(node[draw(st.integers(0, len(node) - 1))])
        elif how == 'double' and len(node): node.append(node[draw(st.integers(0, len(node) - 1))])
        elif how == 'move': nodes[draw(st.integers(0, len(nodes) - 1))].append(ET.fromstring(ET.tostring(node)))
    return ET.tostring(root)


@settings(many, max_examples=tries(1000))
@given(trees())
def test_damaged_structure(pictures, data): check_reader(pictures, 'x.xml', 'cvat', data)
