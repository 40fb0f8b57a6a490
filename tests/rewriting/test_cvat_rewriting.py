"Shapes of CVAT files changed in place"
import pytest
from driver import new
from drawing_edits import boxes, edits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiers import tries

from ear_lazy.formats.shared.patches import CannotRewrite

META = '''<meta><task><labels><label><name>ear</name></label><label><name>lobe</name><svg/></label>
<label><name>1</name><parent>lobe</parent></label><label><name>2</name><parent>lobe</parent></label></labels></task></meta>'''
BOX = '<box label="{}" source="file" occluded="1" xtl="{}" ytl="{}" xbr="{}" ybr="{}" z_order="3">\n      <attribute name="side">left</attribute>\n    </box>'
BOXES = BOX.format('ear', '10.00', '20.00', '40.00', '30.00'), BOX.format('nose', 5, 6, 17, 19)
POLYGON = '<polygon label="ear" points="1.00,2.00;30.00,2.00;20.00,20.50" z_order="0"/>'
TURNED = '<box label="ear" occluded="0" xtl="10.00" ytl="20.00" xbr="40.00" ybr="30.00" rotation="30.00"/>'
POINTS = "<points label='eyes' occluded='0' points='10.00,11.00;12,13' />"
SKELETON = '''<skeleton label="lobe" source="manual" z_order="0">
      <points label="2" source="manual" outside="0" occluded="1" points="20.00,21.00">
      </points>
      <points label="1" source="manual" outside="1" occluded="0" points="1.00,1.00">
      </points>
    </skeleton>'''


def cvat(*shapes, head='<?xml version="1.0" encoding="utf-8"?>\n', blanks='\n    ', empty='<image id="1" name="b.jpg" width="60" height="40"/>', more=''):
    inner = ''.join(blanks + o for o in shapes)
    return f'{head}<annotations>\n  {META}\n  <image id="0" name="a.jpg" width="60" height="40">{inner}\n  </image>\n  {empty}{more}\n</annotations>\n'


FILE, PHOTOS = 'ears/a.xml', 'ab'


def test_one_number_of_a_box_changes_alone(made, edit):
    ear, nose = made(cvat(*BOXES))
    assert edit(ear.to(box=(10, 20, 31.125, 10))) == [(b'"40.00"', b'"41.12"')]
    assert edit(ear.to(label='a "<b>"'), nose.to(box=(5, 6, 12.4, 14))) == [(b'"ear"', b'"a &quot;&lt;b&gt;&quot;"'), (b'"19"', b'"20"')]
    assert edit(ear.to(box=ear.value.box, label='ear')) == []


def test_shapes_go_and_come(made, edit):
    ear, nose = made(cvat(*BOXES))
    assert edit(nose.gone) == [(b'\n    ' + BOXES[1].encode(), b'')]
    written = b'\n    <box label="nose" source="manual" occluded="0" xtl="1" ytl="2" xbr="4" ybr="6" z_order="0">\n    </box>'
    assert edit(new('a.jpg', (1, 2, 3, 4), label='nose')) == [(b'', written)]
    assert edit(new('b.jpg', (1, 2, 3, 4), label='nose')) == [(b'/>', b'>' + written + b'\n  </image>')]
    edit(ear.gone, nose.gone, new('a.jpg', (1, 2, 3, 4), label='nose'), new('b.jpg', (1, 2, 3, 4), label='nose'), new('b.jpg', (1, 2, 3, 5), label='nose'))


@pytest.mark.parametrize('empty', ['<image id="1" name="b.jpg" />', '<image id="1" name="b.jpg"></image>', '<image id="1" name="b.jpg">\r\n  </image>', '<image id="1" subset="train" name="b.jpg"/>'])
def test_an_empty_image_gets_shapes(made, edit, empty):
    made(cvat(empty=empty, head='\ufeff'))
    (_, written), = edit(new('b.jpg', (1, 2, 3, 4.5), label='ear'))
    assert b'<box label="ear" source="manual" occluded="0" xtl="1.00" ytl="2.00" xbr="4.00" ybr="6.50" z_order="0">' in written


def test_points_move_alone(made, edit):
    eyes, lobe = made(cvat(POINTS, SKELETON))
    assert edit(eyes.to(points=[(10, 11, 2), (12.6, 13, 2)])) == [(b"'10.00,11.00;12,13'", b"'10.00,11.00;13,13'")]
    assert edit(eyes.to(points=[(10, 11, 1), (12, 13, 1)])) == [(b"'0'", b"'1'")]
    assert lobe.value.points == ((0, 0, 0), (20, 21, 1))
    assert edit(lobe.to(points=[(0, 0, 0), (20, 21.5, 1)])) == [(b'"20.00,21.00"', b'"20.00,21.50"')]
    assert edit(lobe.to(points=[(7, 8, 2), (0, 0, 0)])) == [(b'"0"', b'"1"'), (b'"1"', b'"0"'), (b'"1.00,1.00"', b'"7.00,8.00"')]
    edit(new('b.jpg', points=[(1, 2, 2), (3, 4, 2)], label='eyes'), new('b.jpg', points=[(1, 2, 1), (0, 0, 0)], label='lobe'), lobe.gone)
    for points, reason in (([(1, 2, 2), (3, 4, 1)], 'as a whole'), ([(1, 2, 2)], 'has 2 points')):
        with pytest.raises(CannotRewrite, match=reason): edit(eyes.to(points=points))
    with pytest.raises(CannotRewrite, match='as a whole'): edit(new('b.jpg', points=[(1, 2, 2), (3, 4, 1)], label='eyes'))
    with pytest.raises(CannotRewrite, match="skeletons of 'lobe' have 2 points"): edit(new('b.jpg', points=[(1, 2, 2)], label='lobe'))


@pytest.mark.parametrize('shape', [POLYGON, TURNED, '<ellipse label="ear" cx="20" cy="20" rx="5" ry="6"/>', '<mask label="ear" rle="1, 2" left="3" top="4" width="5" height="6"/>'])
def test_a_box_that_follows_from_a_shape_is_refused(made, edit, shape):
    ear, _ = made(cvat(shape, BOXES[0]))
    with pytest.raises(CannotRewrite, match='is the extent of'): edit(ear.to(box=(1, 2, 3, 4)))
    assert edit(ear.to(label='nose')) == [(b'"ear"', b'"nose"')]
    edit(ear.gone)


def test_a_track_is_refused(made, edit):
    track = '<track id="0" label="ear"><box frame="0" outside="0" keyframe="1" xtl="1" ytl="2" xbr="3" ybr="4"/></track>'
    ear, frame = made(cvat(BOXES[0], more=track))
    for o in (frame.gone, frame.to(label='nose'), frame.to(box=(1, 2, 3, 4))):
        with pytest.raises(CannotRewrite, match='<track>'): edit(o)
    edit(ear.to(box=(1, 2, 3, 4)))


def test_what_it_cannot_hold_is_refused(made, edit):
    made(cvat(*BOXES))
    with pytest.raises(CannotRewrite, match='add two objects'): edit(new('a.jpg', (1, 2, 3, 4), [(1, 2, 2)], 'ear'))
    with pytest.raises(CannotRewrite, match='give one'): edit(new('a.jpg', (1, 2, 3, 4)))
    with pytest.raises(CannotRewrite, match='no <image>'): edit(new('c.jpg', (1, 2, 3, 4), label='ear'))


@settings(max_examples=tries(100), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), blanks=st.sampled_from(['\n    ', '\r\n\t', '']))
def test_any_edits_are_what_is_read_again(made, edit, data, blanks):
    found = made(cvat(*BOXES, SKELETON, POINTS, blanks=blanks))
    point = st.tuples(st.integers(0, 59), st.integers(0, 39), st.integers(1, 2))
    def points(k): return st.tuples(*[st.one_of(point, st.just((0, 0, 0)))] * k)
    chosen = data.draw(edits(found[:2], boxes(60, 40), st.sampled_from(['ear', 'a&b', '鼻']), images=['a.jpg', 'b.jpg']))
    edit(*chosen, *data.draw(edits(found[2:3], points=points)))
