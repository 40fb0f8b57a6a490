"Lines of tables of keypoints changed in place"
import pytest
from driver import REAL, check, new, rows
from making import image, text

from ear_lazy.formats.shared.patches import CannotRewrite

WIDE = 'image,label,a_x,a_y,b_x,b_y,c_x,c_y,note\na.jpg,ear,1.50,2.50,,,30,40,"n, 1"\na.jpg,ear,1,2,3,4,5,6,\nb.jpg,nose,11,12,-1,-1,15,16,\n'


FILE, PHOTOS = 'landmarker/ears/a.csv', 'ab'


def test_a_point_moves_alone(made, edit):
    first, second, third = made(WIDE)
    a, b, c = first.value.points
    assert edit(first.to(points=[(1.5, 2.755, 2), b, c])) == [(b'2.50', b'2.75')]
    assert edit(first.to(points=[a, (7, 8, 2), (0, 0, 0)], label='a,b')) == [(b'ear', b'"a,b"'), (b'', b'7.00'), (b'', b'8.00'), (b'30', b''), (b'40', b'')]
    assert edit(second.gone, third.to(points=third.value.points, label='ear')) == [(b'a.jpg,ear,1,2,3,4,5,6,\n', b''), (b'nose', b'ear')]
    edit(third.to(points=[(1, 2, 2)] * 3), first.gone, second.gone)
    for o, reason in ((first.to(points=[(1, 2, 1), b, c]), 'that a point is hidden'), (first.to(points=[a]), 'has 3 keypoints'), (new('a.jpg', points=[a] * 3), 'add the line yourself')):
        with pytest.raises(CannotRewrite, match=reason): edit(o)


def test_boxes_and_visibility_of_their_own_columns(made, edit):
    content = 'image;left;top;right;bottom;p0_x;p0_y;p0_v;p1_x;p1_y;p1_v;p2_x;p2_y;p2_v\r\na.jpg;1;2;31;32;3;4;{0};5;6;0;7;8;{1}\r\nb.jpg;1;2;31;32;3;4;{1};5;6;0;7;8;{0}\r\n'
    ear, _ = made(content.format(1, 2))
    assert [v for _, _, v in ear.value.points] == [1, 0, 2]
    assert edit(ear.to(box=(1, 2, 30, 33), points=[(3, 4, 2), (5, 9, 1), (7, 8, 2)])) == [(b'32', b'35'), (b'1', b'2'), (b'6', b'9'), (b'0', b'1')]
    ear, _ = made(content.format(1, 1))
    assert [v for _, _, v in ear.value.points] == [2, 0, 2]
    assert edit(ear.to(points=[(3, 4, 2), (5, 9, 2), (0, 0, 0)])) == [(b'6', b'9'), (b'0', b'1'), (b'7', b''), (b'8', b''), (b'1', b'0')]


@pytest.mark.skipif(not REAL.is_dir(), reason='needs the real data')
def test_a_real_table_of_faces(raw, tmp_path):
    source = next((REAL/'udacity_fkp').rglob('*.csv'))
    lines = source.read_text().splitlines(keepends=True)[:20]
    text(raw/'landmarker/faces/a.csv', ''.join(lines))
    for o in lines[1:]: image(raw/'landmarker/faces'/o.split(',')[0], (8, 8))
    (tmp_path/'copies').mkdir()
    first, second, *_ = rows(raw, 'landmarker/faces/a.csv')
    (x, y, v), *others = first.value.points
    def edit(*o): return check(raw, 'landmarker/faces/a.csv', o, tmp_path/'copies', within=0.51)
    assert edit(first.to(points=first.value.points)) == []
    assert len(edit(first.to(points=[(x, y + 1, v), *others]), second.gone)) == 2
