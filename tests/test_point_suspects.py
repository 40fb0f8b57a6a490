"Keypoints that are wrong are found, named and mended, whatever the place, size, turn and order of the sets"
import warnings

import numpy as np
import pytest

from ear_lazy.base.schemes import Scheme
from ear_lazy.measuring.findings import ranked
from ear_lazy.measuring.labelled import PointSet
from ear_lazy.measuring.point_suspects import happened, in_one_place, judge, mirrored, on_top

LINE = np.array([0, 3, 5, 6 + 2j, 6 + 5j, 5 + 7j, 3 + 8j, 2 + 6j, 3 + 5j, 4 + 4j, 3 + 3j, 1 + 2.5j]) # an ear of 12 points, roughly
PARTS = Scheme(('',)*12, tuple((i, i + 1) for i in range(11) if i != 6))
PAIRS = Scheme(('',)*12, (), ((0, 6), (1, 5)))
SIDE = 8. # of the ear in units of LINE

class Objects: attribute_names = () # `Labelled` without attributes

def ears(n=40, k=12, seed=0, sides=True, noise=.04):
    "(n, k, 3) sets that vary in one way and by noise, turned, moved, scaled, of both sides"
    rng = np.random.default_rng(seed)
    def normal(*size): return rng.normal(size=size) + 1j*rng.normal(size=size)
    z = LINE[:k]*(1 + .1*rng.normal(size=(n, 1))*np.linspace(-1, 1, k)) + noise*normal(n, k)
    if sides: z = np.where(rng.random((n, 1)) < .5, z, -z.conj())
    z = z*rng.uniform(5, 30, (n, 1))*np.exp(.3j*rng.normal(size=(n, 1))) + 100*normal(n, 1)
    return np.stack([z.real, z.imag, np.full(z.shape, 2.)], -1)

def findings(points, scheme=None, label=''):
    own = PointSet(np.arange(len(points)), points, scheme, 'a', label)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        found = [*in_one_place(own)]
        if j := judge(own): found += [*on_top(j), *mirrored(Objects, j), *happened(j)]
    return found, ranked(found)

def first(points, scheme=None, label=''):
    "Kind, object, words and suggested points of the first suspect"
    found, r = findings(points, scheme, label)
    f, at = found[r.finding[0]], int(r.at[0])
    s = f.suggest(at)
    return f.kind, int(r.object[0]), f.words(at), None if s is None else np.array(s.value.points)

def size(p): return np.linalg.norm(np.ptp(p[:, :2], axis=0))

def off(p): p[4, :2] += .15*size(p)
def swapped(p): p[[2, 7]] = p[[7, 2]]
def backwards(p): p[:] = p[::-1].copy()
def shifted(p): p[:] = np.roll(p, 2, 0)
def part_backwards(p): p[7:] = p[7:][::-1].copy()
def parts_exchanged(p): p[:] = np.concatenate([p[7:], p[:7]]).copy()
def on_one_spot(p): p[9, :2] = p[1, :2]

ERRORS = {off: 'point off', swapped: 'points swapped', backwards: 'order reversed', shifted: 'numbering shifted',
          part_backwards: 'contour exchanged', on_one_spot: 'points on top of each other'}

@pytest.mark.parametrize('error', ERRORS, ids=lambda o: o.__name__)
def test_an_error_comes_first_is_named_and_mended(error):
    points = ears()
    right = points[17].copy()
    error(points[17])
    kind, at, words, mended = first(points, PARTS)
    assert (kind, at) == (ERRORS[error], 17), words
    assert np.abs(mended - right)[:, :2].max() < .06*size(right), words
    assert ' px ' in words and (mended[:, 2] == right[:, 2]).all()

def test_parts_that_changed_places_are_put_back():
    points = ears()
    right = points[17].copy()
    parts_exchanged(points[17])
    kind, at, words, mended = first(points, PARTS)
    assert at == 17 and kind in ('contour exchanged', 'numbering shifted') # of two parts it is the same
    assert (mended == right).all()

def test_words_name_the_point_its_distance_and_what_is_usual():
    points = ears()
    points[3, 4, :2] += (40, 0)
    names = Scheme(('',)*4 + ('ear lobe',) + ('',)*7)
    assert first(points, names)[2].startswith('point 4 (ear lobe) is ')
    assert '; usual is up to ' in first(points)[2]

def test_points_that_are_not_labelled_change_nothing():
    points = ears()
    rng = np.random.default_rng(1)
    points[rng.random(points.shape[:2]) < .2] = 0
    points[17] = ears()[17]
    right = points[17].copy()
    points[17, 11] = 0
    swapped(points[17])
    kind, at, words, mended = first(points)
    assert (kind, at) == ('points swapped', 17), words
    assert (mended[:11] == right[:11]).all() and (mended[11] == 0).all()

@pytest.mark.parametrize('scheme, label', [(None, 'left ear'), (PAIRS, 'ear')])
def test_a_mirrored_set_is_told_only_where_a_side_is_said(scheme, label):
    points = ears(sides=False)
    points[9, :, 0] *= -1
    kind, at, words, mended = first(points, scheme, label)
    assert (kind, at) == ('mirrored', 9) and '98%' in words
    assert 'mirrored' not in {o.kind for o in findings(points, None, 'ear')[0]}
    if scheme: assert (mended[[0, 6, 1, 5]] == points[9, [6, 0, 5, 1]]).all()
    else: assert np.abs(np.ptp(mended[:, 0]) - np.ptp(points[9, :, 0])) < 1e-9

def _scores(points):
    _, r = findings(points)
    scores = np.zeros(len(points))
    scores[r.object] = r.score
    return scores

def moved(points): points[..., :2] += (1000, -300); return points
def scaled(points): points[..., :2] *= 7; return points
def turned(points):
    z = (points[..., 0] + 1j*points[..., 1])*np.exp(.7j)
    return np.stack([z.real, z.imag, points[..., 2]], -1)

@pytest.mark.parametrize('change', [moved, scaled, turned], ids=lambda o: o.__name__)
def test_scores_hang_on_shapes_alone(change):
    points = ears()
    swapped(points[5]), off(points[6])
    assert np.abs(_scores(points) - _scores(change(points.copy()))).max() < 1e-6

def test_the_order_of_rows_changes_nothing():
    points = ears()
    swapped(points[5]), off(points[6])
    order = np.random.default_rng(2).permutation(40)
    assert np.abs(_scores(points)[order] - _scores(points[order])).max() < 1e-6

@pytest.mark.parametrize('points', [
    np.zeros((0, 5, 3)), ears(1), ears(7), ears(30, k=1), ears(30, k=2), ears(30, k=3), np.zeros((20, 5, 3)),
    np.full((20, 5, 3), np.nan), np.concatenate([ears(20), ears(20)])*[1, 1, 0]], ids=lambda o: 'x'.join(map(str, o.shape)))
def test_of_too_little_nothing_is_said(points):
    assert len(findings(points)[1].score) == 0

def test_sets_that_are_all_the_same_are_not_odd():
    assert (findings(np.repeat(ears(1), 20, 0))[1].score < .5).all()
    assert (findings(np.repeat(ears(1).round(), 20, 0))[1].score < .5).all()

def test_points_in_one_place_are_told_and_spoil_no_other():
    points = ears(30, seed=1)
    points[4, :, :2] = 3.
    points[8, 2, :2] = np.inf
    points[9, 2, :2] = 1e300
    found, r = findings(points)
    assert found[r.finding[0]].kind == 'points on top of each other' and r.object[0] == 4
    assert found[r.finding[0]].words(int(r.at[0])) == 'all 12 labelled points lie on one spot'
    assert found[r.finding[0]].suggest(int(r.at[0])) is None
    assert (r.score[1:] < .5).all()

def test_a_share_of_errors_does_not_hide_them():
    points = ears(200, seed=3)
    wrong = np.arange(0, 200, 20)
    for i, n in enumerate(wrong): [*ERRORS][i%len(ERRORS)](points[n])
    _, r = findings(points, PARTS)
    assert set(r.object[:len(wrong)].tolist()) == set(wrong.tolist())


def test_a_point_that_no_set_has_is_no_warning():
    points = ears()
    points[:, 3, :2], points[:, 3, 2] = np.nan, 0
    points[7, 8, :2] += .4*size(ears()[7])
    assert first(points)[:2] == ('point off', 7)
