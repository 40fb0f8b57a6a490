"dlib's imglab XML: boxes, parts by name, and files that are damaged at random"
from xml.etree import ElementTree as ET

import pytest
from damaging import check_reader, examples
from hypothesis import given, settings, strategies as st
from making import boxes, formats, image, outcome, problem, reasons, rows, text
from tiers import tries

PICTURES = 'a.png', 'b.png'


def part(name, x, y): return f"<part name='{name}' x='{x}' y='{y}'/>"


def box(left=5, top=10, width=15, height=20, inside='', more=''): return f"<box top='{top}' left='{left}' width='{width}' height='{height}' {more}>{inside}</box>"


def picture(file, *inside, more=''): return f"<image file='{file}' {more}>{''.join(inside)}</image>"


def dlib(path, *pictures): return text(path, f"<?xml version='1.0' encoding='ISO-8859-1'?>\n<?xml-stylesheet type='text/xsl' href='x.xsl'?>\n<dataset><name>Ears</name><images>{''.join(pictures)}</images></dataset>")


def test_boxes_and_parts(raw):
    "Parts in any order; one that a box lacks is unlabelled; the pixels count from 0"
    image(raw/'ears/a.png'), image(raw/'ears/sub/b.png'), image(raw/'ears/empty.png')
    dlib(raw/'ears/train.xml', picture('a.png', box(inside='<label>ear</label>' + part('2', 7, 8) + part('10', 9, 9) + part('1', 3, 4)), box(30)),
         picture('sub\\b.png', box(1, inside='<label> ear </label>' + part('10', 5, 6)), more="width='60' height='40'"), picture('empty.png'))
    assert reasons(outcome(raw)) == [] and formats(raw) == [('dlib', ('ears/train.xml',))]
    assert rows(raw.parent/'out', 'detector') == [('ears/a.png', [[5, 10, 15, 20], [30, 10, 15, 20]]), ('ears/empty.png', []), ('ears/sub/b.png', [[1, 10, 15, 20]])]
    assert rows(raw.parent/'out', 'landmarker') == [('ears/a.png', [[3, 4, 2], [7, 8, 2], [9, 9, 2]]), ('ears/sub/b.png', [[0, 0, 0], [0, 0, 0], [5, 6, 2]])]


def test_schemes_of_several_labels_are_apart(raw):
    image(raw/'ears/a.png')
    dlib(raw/'ears/x.xml', picture('a.png', box(inside='<label>ear</label>' + part('a', 1, 2)), box(30, inside='<label>eye</label>' + part('b', 3, 4) + part('c', 5, 6))))
    outcome(raw)
    assert sorted(len(v) for _, v in rows(raw.parent/'out', 'landmarker')) == [1, 2]


def test_ignored_and_broken_boxes(raw):
    image(raw/'ears/a.png')
    dlib(raw/'ears/x.xml', picture('a.png', box(), box(30, more="ignore='1'", inside=part('1', 2, 3)), box('x'), box(20, inside=part('1', 2, '?')), box(25, inside=part('1', 2, 3) * 2)), picture('gone.png', box()), picture('', box()))
    report = outcome(raw)
    assert problem(report, 'invalid').boxes == problem(report, 'invalid').keypoints == 1
    assert reasons(report) == [('invalid', 'dropped')] + [('malformed', 'dropped')] * 4 + [('missing_image', 'dropped')]
    assert boxes(raw.parent/'out') == [('ears/a.png', [x, 10, 15, 20]) for x in (5, 20, 25)]


@pytest.mark.parametrize('content', ['<dataset><images>', '<dataset><images><image file="a.png"></dataset>', '<!DOCTYPE a [<!ENTITY b "b">]><dataset><image file="&b;"/></dataset>'])
def test_files_that_cannot_be_read(raw, content):
    image(raw/'ears/a.png'), text(raw/'ears/x.xml', content), dlib(raw/'ears/y.xml', picture('a.png', box()))
    assert reasons(outcome(raw)) in ([('bad_file', 'dropped')], [('not_recognised', 'dropped')])
    assert boxes(raw.parent/'out') == [('ears/a.png', [5, 10, 15, 20])]


FILE = f'''<dataset><images>{picture('a.png', box(inside='<label>ear</label>' + part('00', 7, 8) + part('01', 9, 9)), box(30, more="ignore='1'"), more="width='60' height='40'")}
{picture('b.png', box(1, inside='<label>ear</label>' + part('01', 5, 6)))}</images></dataset>'''.encode()
many = examples(2000)


VALUES = st.sampled_from(['', ' ', 'x', '0', '-1', '59.999', '1e300', '1e999', 'nan', '1_0', '٣', '9' * 5000, 'a.png', 'b.png', '..', '\\', 'ear', '00', '1'])


@st.composite
def trees(draw):
    root = ET.fromstring(FILE)
    for _ in range(draw(st.integers(1, 4))):
        nodes = list(root.iter())
        node = nodes[draw(st.integers(0, len(nodes) - 1))]
        how = draw(st.sampled_from(['set', 'set', 'unset', 'text', 'tag', 'remove', 'double', 'move']))
        keys = sorted(node.attrib)
        if how == 'set' and keys: node.set(draw(st.sampled_from(keys)), draw(VALUES))
        elif how == 'unset' and keys: del node.attrib[draw(st.sampled_from(keys))]
        elif how == 'text': node.text = draw(VALUES)
        elif how == 'tag': node.tag = draw(st.sampled_from(['dataset', 'images', 'image', 'box', 'part', 'label']))
        elif how == 'remove' and len(node): node.remove(node[draw(st.integers(0, len(node) - 1))])
        elif how == 'double' and len(node): node.append(node[draw(st.integers(0, len(node) - 1))])
        elif how == 'move': nodes[draw(st.integers(0, len(nodes) - 1))].append(ET.fromstring(ET.tostring(node)))
    return ET.tostring(root)


@settings(many, max_examples=tries(1000))
@given(trees())
def test_damaged_structure(pictures, data): check_reader(pictures, 'x.xml', 'dlib', data)
