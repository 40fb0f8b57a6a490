"Objects of VOC files changed in place"
import pytest
from driver import new
from drawing_edits import boxes, edits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiers import tries

from ear_lazy.formats.shared.patches import CannotRewrite

OBJECT = '<object>{0}<name>{1}</name>{0}<pose>Left</pose>{0}<bndbox>{0}<xmin>{2}</xmin>{0}<ymin>{3}</ymin>{0}<xmax>{4}</xmax>{0}<ymax>{5}</ymax>{0}</bndbox>{0}</object>'
PLAIN = OBJECT.format('\n\t\t', 'ear', 10, 20, 40, 30), OBJECT.format('\n\t\t', 'nose', 5, 6, 17, 19)
PARTS = '''<object><name>person</name><bndbox><ymax>30</ymax><ymin>2</ymin><xmax>50</xmax><xmin>1</xmin></bndbox>
<part><name>head</name><bndbox><xmin>3</xmin><ymin>4</ymin><xmax>9</xmax><ymax>11</ymax></bndbox></part>
<part><name>hand</name><bndbox><xmin> 13.50 </xmin><ymin>14</ymin><xmax>19</xmax><ymax>21.25</ymax></bndbox></part></object>'''
ROTATED = '<object><type>robndbox</type><name>ear</name><robndbox><cx>20</cx><cy>20</cy><w>10</w><h>4</h><angle>0.5</angle></robndbox></object>'


def voc(*objects, head='', end='\n', between='\n\t'):
    return f'{head}<annotation>{between}<filename>a.jpg</filename>{between}<size><width>60</width><height>40</height></size>{"".join(between + o for o in objects)}{end}</annotation>\n'


FILE, PHOTOS = 'ears/a.xml', 'a'


def test_one_number_of_a_box_changes_alone(made, edit):
    ear, nose = made(voc(*PLAIN))
    assert edit(ear.to(box=(10, 20, 31, 10))) == [(b'40', b'41')]
    assert edit(ear.to(box=(10, 20, 31.4, 10)), nose.to(label='a < b')) == [(b'40', b'41'), (b'nose', b'a &lt; b')]
    assert edit(ear.to(box=ear.value.box, label='ear')) == []


def test_an_object_goes_with_its_line_and_a_new_one_looks_like_the_others(made, edit, raw):
    ear, nose = made(voc(*PLAIN))
    assert edit(nose.gone) == [(b'\n\t' + PLAIN[1].encode(), b'')]
    assert edit(ear.gone, nose.gone) == [(b'\n\t' + o.encode(), b'') for o in PLAIN]
    added = OBJECT.format('\n\t\t', 'ear', 1, 2, 4, 6).replace('Left', 'Unspecified')
    assert edit(new('a.jpg', (1, 2, 3, 4), label='ear')) == [(b'', b'\n\t' + added.encode())]
    edit(new('a.jpg', (1, 2, 3, 4), label='ear'), new('a.jpg', (5, 2, 3, 4)), nose.gone, ear.to(box=(1, 1, 2, 2)))


@pytest.mark.parametrize('content', [
    voc(), voc(between=''), voc(between='\r\n    ', end='\r\n'), voc(head='\ufeff<?xml version="1.0"?>\n'), '<annotation>\n  <filename>a.jpg</filename>\n  <folder/></annotation>'])
def test_a_file_without_objects_gets_one(made, edit, content):
    made(content)
    (_, written), = edit(new('a.jpg', (1, 2, 3, 4), label='ear'))
    assert b'<name>ear</name>' in written and b'<difficult>0</difficult>' in written and (b'\r' in written) == ('\r' in content)


def test_parts_are_objects_of_their_own(made, edit):
    person, head, hand = made(voc(PARTS, *PLAIN))[:3]
    assert edit(hand.to(box=(13.25, 14, 5.75, 7))) == [(b'13.50', b'13.25'), (b'21.25', b'21.00')]
    assert edit(head.to(label='face'), person.to(box=(0, 2, 50, 28))) == [(b'1', b'0'), (b'head', b'face')]
    assert len(edit(head.gone)) == len(edit(person.gone, head.gone, hand.gone)) == 1
    with pytest.raises(CannotRewrite, match='has parts'): edit(person.gone, head.gone)


def test_a_rotated_box_keeps_its_angle(made, edit):
    ear, _ = made(voc(ROTATED, PLAIN[0]))
    with pytest.raises(CannotRewrite, match='rotated'): edit(ear.to(box=(1, 2, 3, 4)))
    assert edit(ear.to(label='left')) == [(b'ear', b'left')]
    edit(ear.gone)
    edit(ear.to(box=ear.value.box), new('a.jpg', (1, 2, 3, 4), label='ear'))


def test_far_corners_are_put_right_only_where_they_change(made, edit):
    o, _ = made(voc(OBJECT.format('', 'ear', 40, 30, 10, 20), PLAIN[1]))
    assert o.value.box == (40, 30, -30, -10)
    repaired = o._replace(value=o.value._replace(box=(10, 20, 30, 10)))
    assert edit(repaired.to(box=(10, 20, 30, 12))) == [(b'40', b'10'), (b'30', b'20'), (b'10', b'40'), (b'20', b'32')]


@pytest.mark.parametrize('name, reason', [
    ('<name>ear<!-- left --></name>', 'comment'), ('<name>ear</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox>', 'share one <name>')])
def test_what_a_name_cannot_hold_is_refused(made, edit, name, reason):
    ear = made(voc(PLAIN[0].replace('<name>ear</name>', name)))[0]
    with pytest.raises(CannotRewrite, match=reason): edit(ear.to(label='nose'))


@pytest.mark.parametrize('name', ['', '<name/>', '<name></name>', '<name> </name>', '<name><![CDATA[a&b]]></name>'])
def test_a_name_that_is_not_there_is_written(made, edit, name):
    ear, = made(voc(PLAIN[0].replace('<name>ear</name>', name)))
    edit(ear.to(label='a & "b"'))


def test_keypoints_and_control_characters_are_refused(made, edit):
    ear, _ = made(voc(*PLAIN))
    with pytest.raises(CannotRewrite, match='no keypoints'): edit(ear.to(points=[(1, 2, 2)]))
    with pytest.raises(CannotRewrite, match='choose another name'): edit(ear.to(label='a\0'))
    with pytest.raises(CannotRewrite, match='needs a box'): edit(new('a.jpg', label='ear'))


def test_another_encoding_gets_references(made, edit):
    ear, _ = made(voc(PLAIN[0].replace('ear', 'Öhr'), PLAIN[1], head='<?xml version="1.0" encoding="ISO-8859-1"?>\n').encode('latin-1'))
    assert edit(ear.to(label='Ähre', box=(10, 20, 30, 11))) == [('Öhr'.encode('latin-1'), b'&#196;hre'), (b'30', b'31')]


@settings(max_examples=tries(100), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), between=st.sampled_from(['\n\t', '\r\n  ', '']))
def test_any_edits_are_what_is_read_again(made, edit, data, between):
    found = made(voc(*PLAIN, PARTS, ROTATED, between=between))
    chosen = data.draw(edits(found[:2] + found[3:5], boxes(60, 40), st.sampled_from(['ear', 'a&b', '鼻']), images=['a.jpg']))
    edit(*chosen)
