"Boxes that are likely wrong: each mistake is found, its correction is the original box, and strange input is no crash"
from types import SimpleNamespace

import numpy as np
import pytest

from ear_lazy.base.geometry import clip_boxes
from ear_lazy.measuring.box_points import point_finding
from ear_lazy.measuring.box_suspects import box_findings
from ear_lazy.measuring.findings import ranked


class Boxes(SimpleNamespace):
    "What `Labelled` has"
    def __len__(self): return len(self.labels)


def boxes_of(boxes, frame=(480, 640), counts=None, labels=None, source=None, kind='detector'):
    boxes = np.array(boxes, np.float64).reshape(-1, 4)
    n = len(boxes)
    counts = np.ones(n, int) if counts is None else np.array(counts)
    row = np.repeat(np.arange(len(counts)), counts)
    of_rows = np.zeros(len(counts), int) if source is None else np.array(source)
    names = [f'faces{o}' for o in range(of_rows.max(initial=0) + 1)]
    columns = SimpleNamespace(groups=[('train', o) for o in names], group=of_rows)
    return Boxes(boxes=boxes, frames=np.full((n, 2), frame, float), counts=counts, row=row, number=np.arange(n) - (np.cumsum(counts) - counts)[row], kind=kind,
                 labels=np.ones(n, int) if labels is None else np.array(labels), label_names=['', 'ear', 'head'], source=of_rows[row], source_names=names, columns=columns)


def ears(n=300, seed=0):
    "(n, 4) boxes of ears in portraits: rather alike, but with two peaks"
    rng = np.random.default_rng(seed)
    size = np.exp(rng.normal((3.6, 4.1), .12, (n, 2)))
    return np.concatenate([rng.normal((300, 230), (18, 12), (n, 2)) + np.where(rng.random((n, 1)) < .4, (160, 0), 0) - size/2, size], axis=1)


MISTAKES = { # kinds that may be said, and what is done to (1, 4) boxes in photos of 480 × 640
    'corners': ({'convention'}, lambda b: np.concatenate([b[:, :2], b[:, :2] + b[:, 2:]], axis=1)),
    'exchanged': ({'convention'}, lambda b: b[:, [1, 0, 3, 2]]),
    'shares': ({'convention'}, lambda b: b/[640, 480, 640, 480]),
    'percent': ({'convention'}, lambda b: 100*b/[640, 480, 640, 480]),
    'shares of corners': ({'convention'}, lambda b: np.concatenate([b[:, :2], b[:, :2] + b[:, 2:]], axis=1)/[640, 480, 640, 480]),
    'twice': ({'size', 'convention'}, lambda b: np.concatenate([b[:, :2] - b[:, 2:]/2, 2*b[:, 2:]], axis=1)),
    'half': ({'size', 'convention'}, lambda b: np.concatenate([b[:, :2] + b[:, 2:]/4, b[:, 2:]/2], axis=1)),
    'far': ({'place'}, lambda b: np.concatenate([[[20, 30]], b[:, 2:]], axis=1)),
    'high': ({'aspect'}, lambda b: b*[1, 1, 1/1.6, 1.6]),
}


def first(a):
    "The first suspect: object, kind, reason, suggestion, score"
    found = box_findings(a)
    r = ranked(found)
    finding, at = found[r.finding[0]], int(r.at[0])
    return int(r.object[0]), finding.kind, finding.words(at), finding.suggest(at), float(r.score[0])


@pytest.mark.parametrize('name', MISTAKES)
def test_a_mistake_is_the_first_suspect(name):
    kinds, make = MISTAKES[name]
    boxes = ears()
    for at in (0, 157):
        wrong = boxes.copy()
        wrong[at] = make(boxes[[at]])[0]
        object, kind, words, suggestion, score = first(boxes_of(clip_boxes(wrong, (480, 640))))
        assert object == at and kind in kinds and score > .3, (object, kind, words, score)
        assert 'nan' not in words and 'inf' not in words
        if suggestion is not None and name not in ('twice', 'half'):
            np.testing.assert_allclose(suggestion.value.box, boxes[at], rtol=.001, atol=.01)


@pytest.mark.parametrize('name', ['exchanged', 'shares', 'percent', 'shares of corners'])
def test_another_convention_is_undone(name):
    boxes, undone = ears(), 0
    for at in range(0, 300, 30):
        wrong = boxes.copy()
        wrong[at] = MISTAKES[name][1](boxes[[at]])[0]
        object, _, _, suggestion, _ = first(boxes_of(wrong))
        undone += object == at and suggestion is not None and np.allclose(suggestion.value.box, boxes[at], atol=.01)
    assert undone >= 8, undone


def test_corners_on_the_left_and_above_are_undone_and_those_cut_off_are_not_guessed():
    rng = np.random.default_rng(0)
    size = np.exp(rng.normal((3.6, 4.1), .1, (200, 2)))
    boxes = np.concatenate([rng.normal((80, 60), 9, (200, 2)), size], axis=1)
    wrong = boxes.copy()
    wrong[9, 2:] += wrong[9, :2]
    object, kind, _, suggestion, _ = first(boxes_of(wrong))
    assert (object, kind) == (9, 'convention')
    np.testing.assert_allclose(suggestion.value.box, boxes[9])
    boxes = boxes + [400, 300, 0, 0]
    wrong = boxes.copy()
    wrong[9, 2:] += wrong[9, :2]
    object, kind, words, suggestion, _ = first(boxes_of(clip_boxes(wrong, (480, 640))))
    assert (object, kind, suggestion) == (9, 'convention', None) and 'about' in words


def test_a_box_of_a_photo_before_its_turn_is_found():
    rng = np.random.default_rng(0)
    boxes = np.concatenate([rng.normal((500, 60), 8, (200, 2)), np.exp(rng.normal((3.4, 4.2), .08, (200, 2)))], axis=1)
    x, y, w, h = boxes[5]
    wrong = boxes.copy()
    wrong[5] = y, 640 - x - w, h, w # in a photo of 480 × 640 that is turned by 90° when it is shown
    object, kind, words, suggestion, _ = first(boxes_of(wrong))
    assert (object, kind) == (5, 'convention') and 'turned by 90°' in words
    np.testing.assert_allclose(suggestion.value.box, boxes[5])


def test_duplicates_of_a_class_and_of_two():
    boxes = ears(100)
    doubled = np.insert(boxes, 11, boxes[10] + [1, 0, 0, -1], axis=0)
    counts = np.ones(100, int)
    counts[10] = 2
    object, kind, words, suggestion, score = first(boxes_of(doubled, counts=counts))
    assert (object, kind, suggestion.what, suggestion.value) == (11, 'duplicate', 'delete', None) and score > .9
    assert 'box 0' in words
    labels = np.ones(101, int)
    labels[11] = 2
    object, kind, words, suggestion, _ = first(boxes_of(doubled, counts=counts, labels=labels))
    assert (object, kind, suggestion) == (11, 'two classes', None) and "'head'" in words and "'ear'" in words


def test_a_box_inside_another_unless_that_is_usual():
    boxes = ears(60)
    inner = boxes*[1, 1, .5, .5] + [3, 3, 0, 0]
    one = {o.kind: o for o in box_findings(boxes_of(np.insert(boxes, 5, inner[4], axis=0), counts=[1]*4 + [2] + [1]*55))}['inside another']
    assert one.object.tolist() == [5] and one.score[0] > .5
    both = np.stack([boxes, inner], axis=1).reshape(-1, 4)
    usual = {o.kind: o for o in box_findings(boxes_of(both, counts=[2]*60, labels=[2, 1]*60))}['inside another']
    assert usual.score.max() < .05


def test_a_photo_with_many_boxes_is_no_mistake_of_each():
    boxes = np.concatenate([ears(80), ears(40, 1)])
    found = {o.kind: o for o in box_findings(boxes_of(boxes, counts=[1]*80 + [40]))}
    assert found['count'].row.tolist() == [80] and found['count'].score[0] > .5 and found['count'].object[0] == -1
    assert '40 boxes' in found['count'].words(0) and 'usually have 1' in found['count'].words(0)


def test_sources_are_compared_with_themselves():
    boxes = np.concatenate([ears(60), ears(60, 1)*3])
    found = box_findings(boxes_of(boxes, (1440, 1920), source=[0]*60 + [1]*60))
    assert max(o.score.max(initial=0) for o in found) < .6


def points_of(boxes, extents):
    a = boxes_of(boxes, kind='landmarker')
    a.extents, a.columns.points, a.paths = np.array(extents, float), SimpleNamespace(labelled=np.full(len(a), 55)), np.arange(len(a)).astype('S9')
    return a


def test_a_box_against_its_points():
    boxes = ears(100)
    extents = np.concatenate([boxes[:, :2] + .1*boxes[:, 2:], .8*boxes[:, 2:]], axis=1)
    for make in (lambda b: b + [.3*b[2], 0, 0, 0], lambda b: b*[1, 1, 2, 2], lambda b: b*[1, 1, .5, .5]):
        wrong = boxes.copy()
        wrong[40] = make(boxes[40])
        found = point_finding(points_of(wrong, extents))
        at = int(found.score.argmax())
        assert found.object[at] == 40 and found.score[at] > .4
        np.testing.assert_allclose(found.suggest(at).value.box, boxes[40], atol=.6)
    assert any(o.kind == 'against points' for o in box_findings(points_of(boxes, extents)))
    boxes[:50] = np.nan # without a box
    assert (point_finding(points_of(boxes, extents)).object >= 50).all()


STRANGE = {'none': np.zeros((0, 4)), 'one': ears(1), 'two': ears(2), 'equal': np.ones((50, 4)), 'empty': np.zeros((50, 4)), 'negative': -ears(50), 'huge': ears(50)*1e300,
           'nobody': np.full((50, 4), np.nan), 'some infinite': np.where(np.arange(50)[:, None] == 7, np.inf, ears(50)), 'corner': np.tile([[0, 0, 1e-9, 1e-9]], (50, 1))}

@pytest.mark.filterwarnings('error')
@pytest.mark.parametrize('frame', [(480, 640), (np.nan, np.nan), (0, 0)], ids=str)
@pytest.mark.parametrize('name', STRANGE)
def test_strange_boxes_are_no_crash(name, frame):
    found = box_findings(boxes_of(STRANGE[name], frame))
    for o in found:
        assert np.isfinite(o.score).all() and (o.score >= 0).all() and (o.score <= 1).all()
        if len(o): assert isinstance(o.words(0), str) and (o.suggest(0) is None or o.suggest(0).what in ('set', 'delete'))


def test_the_same_boxes_give_the_same_findings():
    for a, b in zip(box_findings(boxes_of(ears(2500))), box_findings(boxes_of(ears(2500)))):
        np.testing.assert_array_equal(a.score, b.score)
        np.testing.assert_array_equal(a.object, b.object)


def test_squares_are_squares_in_photos_of_any_shape():
    rng = np.random.default_rng(0)
    frames = np.where(np.arange(300)[:, None] % 10 == 0, (640., 320.), (320., 640.)) # one in ten is upright
    side = np.exp(rng.normal(4, .1, (300, 1)))
    a = boxes_of(np.concatenate([frames[:, ::-1]/2 + rng.normal(0, 9, (300, 2)) - side/2, side, side], axis=1))
    a.frames = frames
    assert [o.score.max(initial=0) < .2 for o in box_findings(a) if o.kind == 'aspect'] == [True]
