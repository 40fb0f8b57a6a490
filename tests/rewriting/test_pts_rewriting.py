"Points of `.pts` files moved in place"
import pytest
from driver import REAL, check, new, rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from making import image, text
from tiers import tries

from ear_lazy.formats.shared.patches import CannotRewrite


FILE, PHOTOS = 'faces/a.pts', 'a'


@pytest.mark.parametrize('content', [
    'version: 1\nn_points: 2\n{\n10.25 20.50\n30 40\n}\n', '\ufeffversion: 1.0\r\nn_points:  2\r\n{\r\n10.25 20.50\r\n30 40\r\n}', 'version:2 n_points:2 {10.25\t20.50 30 40} # seen'])
def test_a_point_moves_alone(made, edit, content):
    face, = made(content)
    assert edit(face.to(points=[(10.25, 21.125, 2), (30.4, 41.4, 2)])) == [(b'20.50', b'21.12'), (b'40', b'41')]
    assert edit(face.to(points=face.value.points)) == []
    assert edit(face.gone) is None


def test_what_it_cannot_hold_is_refused(made, edit):
    face, = made('version: 1\nn_points: 2\n{\n10.25 20.50\n30 40\n}\n')
    for change, reason in ((face.to(points=[(1, 2, 2), (3, 4, 0)]), 'hidden'), (face.to(label='face'), 'no class'), (face.to(box=(1, 2, 3, 4)), 'no box'),
                           (face.to(points=[(1, 2, 2)]), 'has 2 points'), (new('a', points=[(1, 2, 2)] * 2), 'one set of points')):
        with pytest.raises(CannotRewrite, match=reason): edit(change)


@settings(max_examples=tries(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(points=st.lists(st.tuples(st.integers(0, 59), st.floats(0, 39), st.just(2)), min_size=2, max_size=2))
def test_any_points_are_what_is_read_again(made, edit, points):
    edit(made('version: 1\nn_points: 2\n{\n10.25 20.50\n30 40\n}\n')[0].to(points=points))


@pytest.mark.skipif(not REAL.is_dir(), reason='needs the real data')
def test_real_faces(raw, tmp_path):
    (tmp_path/'copies').mkdir()
    names = [f'faces/001/annot/{o.name}' for o in sorted((REAL/'faces_pts/001/annot').iterdir())]
    for name in names:
        text(raw/name, (REAL/name.replace('faces/', 'faces_pts/')).read_bytes())
        image(raw/name.replace('annot', 'imgs').replace('.pts', '.jpg'), (400, 400))
    for name in names:
        face = rows(raw, name)[0]
        (x, y, v), *others = face.value.points
        assert check(raw, name, [face.to(points=face.value.points)], tmp_path/'copies') == []
        assert len(check(raw, name, [face.to(points=[(x + 1, y, v), *others])], tmp_path/'copies', within=0.51)) == 1
