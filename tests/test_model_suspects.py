"Labels that a model does not agree with: each kind first where it is planted, what is suggested, and what a weak model may say"
import numpy as np
import pytest
from making import write_rows

from ear_lazy.base.geometry import xywh_to_xyxy
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.looking.predictions import Predictions
from ear_lazy.measuring.agreement import how_often, label_wrong
from ear_lazy.measuring.findings import ranked
from ear_lazy.measuring.labelled import labelled
from ear_lazy.measuring.matching import Boxes, Matches
from ear_lazy.measuring.model_scores import Trust, missing, spurious, wrong_class, wrong_place
from ear_lazy.measuring.model_suspects import model_findings

N, NAMES = 60, ('', 'ear', 'face', 'nose')


def dataset(folder, kind, counts, values, labels=None, paths=None, names=NAMES):
    counts, values = np.asarray(counts), np.asarray(values, np.float32)
    values = {'keypoints': values.reshape(-1, 3)} if kind == 'landmarker' else {'bboxes': values.reshape(-1, 4), 'labels': np.asarray(labels)}
    paths = [f'{i:03d}.jpg' for i in range(len(counts))] if paths is None else paths
    return LazyNPYDataset(write_rows(folder/f'train_{kind}.npy', kind, paths, counts, values, sizes=np.tile([480, 640], (len(counts), 1)), labels=names))


@pytest.fixture(scope='module')
def truth():
    "Of each photo three boxes of classes 1 to 3, far from each other"
    rng = np.random.default_rng(0)
    return np.array([[[40 + 200*j + rng.uniform(0, 20), 50 + rng.uniform(0, 50), *rng.uniform(60, 120, 2)] for j in range(3)] for _ in range(N)])


def noisy(truth, seed=1):
    "What a good model finds: (N, 3, 4) boxes and (N, 3) scores"
    rng = np.random.default_rng(seed)
    return truth + rng.normal(0, 1.5, truth.shape), rng.uniform(.8, 1, truth.shape[:2])


def of_dicts(found, scores, labels): return [{'boxes': xywh_to_xyxy(b.astype(float)), 'scores': s, 'labels': o} for b, s, o in zip(found, scores, labels)]


@pytest.fixture(scope='module')
def planted(tmp_path_factory, truth):
    "A detector with one error of each kind, and what a model found"
    boxes, labels = truth.copy(), np.tile([1, 2, 3], (N, 1))
    labels[5, 1] = 3 # row 5: wrong class
    boxes[6, 0, 0] += 45 # row 6: wrong place
    rows = [(list(b), list(o)) for b, o in zip(boxes, labels)]
    del rows[7][0][2], rows[7][1][2] # row 7: one is missing
    rows[8][0].append([300, 300, 80, 80]), rows[8][1].append(1) # row 8: one of nothing
    ds = dataset(tmp_path_factory.mktemp('planted'), 'detector', [len(o) for o, _ in rows], np.concatenate([o for o, _ in rows]), np.concatenate([o for _, o in rows]))
    found, scores = noisy(truth)
    return ds, found, scores, np.tile([1, 2, 3], (N, 1))


EXPECTED = {'wrong class': (5, 1), 'wrong place': (6, 0), 'missing': (7, -1), 'spurious': (8, 3)}


def first_of_kinds(ds, predictions):
    "For each kind its first (row, number of the object), how much higher its score is than the next, the finding and its entry"
    a, out = labelled(ds), {}
    for f in model_findings(a, Predictions(predictions, ds)):
        if not len(f): continue
        order = np.argsort(-f.score, kind='stable')
        j, thing = int(order[0]), int(f.object[order[0]])
        out[f.kind] = (int(f.row[j]), int(a.number[thing]) if thing >= 0 else -1), f.score[j] - (f.score[order[1]] if len(f) > 1 else 0), f, j
    return out


def test_each_kind_is_first_where_it_is_planted(planted):
    ds, found, scores, classes = planted
    first = first_of_kinds(ds, of_dicts(found, scores, classes))
    assert {kind: where for kind, (where, *_) in first.items()} == EXPECTED
    assert all(more > .2 for _, more, *_ in first.values())
    r = ranked(model_findings(labelled(ds), Predictions(of_dicts(found, scores, classes), ds)))
    assert {*r.row[:4].tolist()} == {5, 6, 7, 8} and (r.score[:4] > .35).all() and (r.score[4:] < .2).all()


def test_what_is_suggested_is_what_the_model_found(planted):
    ds, found, scores, classes = planted
    first = first_of_kinds(ds, of_dicts(found, scores, classes))
    said = {kind: f.suggest(j) for kind, (_, _, f, j) in first.items()}
    assert {kind: o.what for kind, o in said.items()} == {'missing': 'add', 'spurious': 'delete', 'wrong class': 'set', 'wrong place': 'set'}
    assert said['spurious'].value is None and said['wrong class'].value == (None, None, 'face')
    np.testing.assert_allclose(said['wrong place'].value.box, found[6, 0], atol=1e-6)
    assert (said['wrong place'].value.points, said['wrong place'].value.label) == (None, None)
    np.testing.assert_allclose(said['missing'].value.box, found[7, 2], atol=1e-6)
    assert said['missing'].value.label == 'nose'
    words = {kind: f.words(j) for kind, (_, _, f, j) in first.items()}
    assert "'nose'" in words['missing'] and f'{scores[7, 2]:.2f}' in words['missing'] and "'face'" in words['wrong class'] and 'IoU' in words['wrong place'] and 'nothing' in words['spurious']


def test_without_scores_the_same_are_first(planted):
    ds, found, scores, classes = planted
    fields = [{k: v for k, v in o.items() if k != 'scores'} for o in of_dicts(found, scores, classes)]
    first = first_of_kinds(ds, fields)
    assert {kind: where for kind, (where, *_) in first.items()} == EXPECTED
    assert 'score' not in first['missing'][2].words(first['missing'][3])


def test_scores_that_are_all_equal_are_like_none(planted):
    ds, found, _, classes = planted
    equal, none = (first_of_kinds(ds, of_dicts(found, np.full((N, 3), o), classes)) for o in (.3, .9))
    assert {k: v[0] for k, v in equal.items()} == {k: v[0] for k, v in none.items()} == EXPECTED
    for kind in EXPECTED: np.testing.assert_allclose(equal[kind][2].score, none[kind][2].score, atol=1e-9)


def test_neither_the_order_of_rows_nor_of_predictions_matters(planted):
    ds, found, scores, classes = planted
    rng = np.random.default_rng(3)
    rows, within = rng.permutation(N), np.array([rng.permutation(3) for _ in range(N)])
    plain = model_findings(labelled(ds), Predictions(of_dicts(found, scores, classes), ds))
    mixed = [of_dicts([found[i][within[i]]], [scores[i][within[i]]], [classes[i][within[i]]])[0] for i in rows]
    other = model_findings(labelled(ds[rows]), Predictions(mixed, ds[rows]))
    def said(findings, row_of): return {kind: sorted((int(row_of[o]), round(s, 6)) for f in findings if f.kind == kind for o, s in zip(f.row, f.score)) for kind in EXPECTED}
    assert said(plain, np.arange(N)) == said(other, rows)


def test_a_prediction_without_a_class_has_no_say_about_classes(planted):
    ds, found, _, _ = planted
    first = first_of_kinds(ds, list(found))
    assert {k: v[0] for k, v in first.items()} == {k: v for k, v in EXPECTED.items() if k != 'wrong class'}
    assert first['missing'][2].suggest(first['missing'][3]).value.label is None


def test_a_box_that_leaves_the_photo_is_suggested_inside(planted):
    ds, found, scores, classes = planted
    found = found.copy()
    found[7, 2] = [600, 400, 80, 120]
    f, j = first_of_kinds(ds, of_dicts(found, scores, classes))['missing'][2:]
    assert f.suggest(j).value.box == (600, 400, 40, 80)


@pytest.mark.parametrize('case', ['nothing found', 'no labels', 'no rows', 'one class', 'random'])
def test_what_says_nothing_accuses_nobody(tmp_path, truth, case):
    rng = np.random.default_rng(5)
    n = {'no rows': 0}.get(case, N)
    some = truth if case != 'no labels' else truth[:, :0]
    labels = np.ones(some.shape[:2], int) if case == 'one class' else np.tile([1, 2, 3], (N, 1))[:, :some.shape[1]]
    ds = dataset(tmp_path, 'detector', np.full(N, some.shape[1]), some, labels.ravel())[:n]
    found, scores = noisy(truth[:n])
    if case == 'random': found[..., :2] = rng.uniform(0, 400, (n, 3, 2))
    values = [None]*n if case == 'nothing found' else of_dicts(found, scores, np.ones((n, 3), int) if case == 'one class' else np.tile([1, 2, 3], (n, 1)))
    findings = model_findings(labelled(ds), Predictions(values, ds))
    r = ranked(findings)
    assert np.isfinite(r.score).all() and (r.score < .35).all()
    for f in findings: assert all(isinstance(f.words(j), str) for j in range(min(len(f), 3)))


def matches(labels, found):
    "Of one row: lists of (box, class), and of (box, class, score)"
    def boxes(many): return Boxes(np.array([len(many)]), np.array([o[0] for o in many], float).reshape(-1, 4), np.array([o[1] for o in many], int), np.array([o[2] if len(o) > 2 else np.nan for o in many]))
    return Matches(boxes(labels), boxes(found))


def test_formulas_by_hand():
    assert label_wrong(np.array([1.]))[0] == pytest.approx(.033) and label_wrong(np.array([.967/.033]))[0] == pytest.approx(.5)
    # Without a score, the share of hits, to which the prior adds next to nothing
    assert how_often(np.zeros(4000), np.arange(4000) % 4 == 0, np.zeros(4000, int), 1)[0] == pytest.approx(.25, abs=1e-3)
    box, aside = [0, 0, 10, 10], [0, 6, 10, 10] # IoU 40/160
    trust = Trust(matches([(box, 1), ([50, 50, 10, 10], 1)], [(aside, 1, .9)]), 3)
    object.__setattr__(trust, 'right', np.array([.8])) # what is measured, as given numbers
    object.__setattr__(trust, 'recall', np.array([.9, .9]))
    seen = .8/(.8 + .2*.1)*.25/.5
    assert trust.seen == pytest.approx([seen, 0])
    assert spurious(trust) == pytest.approx(label_wrong(np.array([(1 - seen)/(seen + (1 - seen)*.1), 10])))
    assert missing(trust)[0] == 0 and trust.matches.near.tolist() == [0, -1] # it is the first label's, at another place
    trust = Trust(matches([(box, 1)], [([0, 2, 10, 10], 2, .9), ([40, 40, 10, 10], 2, .9), ([41, 40, 10, 10], 2, .8), ([0, 7, 10, 10], 2, .9)]), 3)
    object.__setattr__(trust, 'right', np.full(4, .8))
    object.__setattr__(trust, 'right_object', np.array([.8, .8, .7, .8]))
    object.__setattr__(trust, 'right_class', np.array([.9, 0, 0, 0]))
    assert wrong_class(trust).score[0] == pytest.approx(label_wrong(np.array([9.]))[0]) and wrong_class(trust).prediction[0] == 0
    partly = label_wrong(np.array([4.]))[0]*(1 - 30/170/.5)
    assert missing(trust) == pytest.approx([0, label_wrong(np.array([4.]))[0], 0, partly])


@pytest.mark.parametrize('own', [True, False])
def test_a_second_prediction_of_the_own_class_speaks_for_the_label(truth, own):
    flat, n = truth.reshape(-1, 4)[:100], 100
    found, classes = np.concatenate([flat[:1], flat[not own:]]), np.r_[2, np.ones(n - (not own), int)] # of another class, and its own
    counts = np.r_[1 + own, np.ones(n - 1, int)]
    trust = Trust(Matches(Boxes(np.ones(n, int), flat, np.ones(n, int), np.full(n, np.nan)), Boxes(counts, found, classes, np.full(n + own, .9))), 3)
    assert (wrong_class(trust).score[0] > .01) == (not own)


def test_a_difference_that_all_boxes_of_a_source_have_is_not_odd(truth):
    flat, n = truth.reshape(-1, 4), N*3
    wide = flat + np.array([-6, -6, 12, 12]) # drawn with a rim of 6 pixels
    rng = np.random.default_rng(2)
    trust = Trust(Matches(Boxes(np.ones(n, int), wide, np.ones(n, int), np.full(n, np.nan)), Boxes(np.ones(n, int), flat + rng.normal(0, 1, flat.shape), np.ones(n, int), np.full(n, .9))), 2)
    exact = np.arange(n) == 17
    trust.matches.labelled.values[exact] = flat[exact] # the only one without
    (score, _), _ = wrong_place(trust, np.zeros(n, int))
    assert score.argmax() == 17


@pytest.fixture(scope='module')
def faces():
    "(N, 8, 3) keypoints"
    rng = np.random.default_rng(0)
    shape = rng.uniform(0, 100, (8, 2))
    return np.insert(shape*rng.uniform(.8, 1.2, (N, 1, 1)) + rng.uniform(50, 300, (N, 1, 2)), 2, 2, axis=2).round(2)


def test_a_wrong_point_and_all_wrong(tmp_path, faces):
    points, rng = faces.copy(), np.random.default_rng(1)
    points[4, 6, :2] += [12, -9]
    points[9] = np.roll(points[9], 2, axis=0)
    points[11, 3, 2] = 0
    found = [o[:, :2] + rng.normal(0, 1, (8, 2)) for o in faces]
    found[12] = None
    ds = dataset(tmp_path, 'landmarker', np.full(N, 8), points)
    findings = model_findings(labelled(ds), Predictions(found, ds))
    r = ranked(findings)
    f, j = findings[r.finding[1]], int(r.at[1])
    assert [(findings[r.finding[o]].kind, int(r.row[o]), int(r.point[o])) for o in range(2)] == [('wrong point', 9, -1), ('wrong point', 4, 6)]
    assert r.score[1] > .5 and (r.score[3:] < .35).all()
    said = np.array(f.suggest(j).value.points)
    np.testing.assert_allclose(said[6, :2], found[4][6])
    np.testing.assert_allclose(np.delete(said, 6, 0), np.delete(points[4], 6, 0), atol=1e-4)
    assert f'point 6 {np.linalg.norm(points[4, 6, :2] - found[4][6]):.1f} px away' in f.words(j)
    everything = findings[r.finding[0]].suggest(int(r.at[0]))
    np.testing.assert_allclose(np.array(everything.value.points)[:, :2], found[9])
    assert {findings[o].kind for o, row in zip(r.finding.tolist(), r.row.tolist()) if row == 12} == {'spurious'}


def test_a_point_that_the_model_is_not_sure_of_counts_less(tmp_path, faces):
    rng = np.random.default_rng(1)
    unsure = rng.random((N, 8)) < .3
    off = rng.normal(0, 1, (N, 8, 2))*np.where(unsure, 8, 1)[..., None]
    points = faces.copy()
    points[4, 6, :2] += 9
    off[4], unsure[4] = 0, False
    ds = dataset(tmp_path, 'landmarker', np.full(N, 8), points)
    def before(scores):
        "How many objects are more suspect than the one that is wrong"
        values = [{'keypoints': (o + d)[None], 'keypoints_scores': s[None]} if scores else (o + d) for o, d, s in zip(faces[..., :2], off, np.where(unsure, .2, .9))]
        (f,) = (o for o in model_findings(labelled(ds), Predictions(values, ds)) if o.kind == 'wrong point')
        assert f.point[4] == 6
        return (f.score > f.score[4]).sum()
    assert before(True) == 0 < before(False)


def test_a_pose_model_finds_all_of_a_photo(tmp_path, faces):
    "Two rows of each photo, and predictions of both for each row; in photo 3 a third that no row has"
    both = np.stack([faces, faces + [0, 160, 0]], 1)
    ds = dataset(tmp_path, 'landmarker', np.full(2*N, 8), both.reshape(-1, 8, 3), paths=[f'{i//2:03d}.jpg' for i in range(2*N)])
    rng = np.random.default_rng(2)
    values = []
    for i in range(N):
        found = both[i, :, :, :2] + rng.normal(0, 1, (2, 8, 2))
        if i == 3: found = np.concatenate([found, both[i, :1, :, :2] + [250, 0]])
        values += [{'keypoints': found, 'scores': np.full(len(found), .9)}]*2
    findings = model_findings(labelled(ds), Predictions(values, ds))
    (absent,) = (o for o in findings if o.kind == 'missing')
    assert absent.row.tolist() == [6] and absent.suggest(0).what == 'add'
    np.testing.assert_allclose(np.array(absent.suggest(0).value.points)[:, :2], both[3, 0, :, :2] + [250, 0], atol=6)
    assert all((o.score < .3).all() for o in findings if o.kind != 'missing')


def test_rows_of_different_numbers_of_points(tmp_path, faces):
    points = [o[:5 + 3*(i % 2)] for i, o in enumerate(faces)]
    points[7][2, :2] += 15
    ds = dataset(tmp_path, 'landmarker', [len(o) for o in points], np.concatenate(points))
    found = [o[:5 + 3*(i % 2), :2] + np.random.default_rng(i).normal(0, 1, (5 + 3*(i % 2), 2)) for i, o in enumerate(faces.copy())]
    found[7][2] -= 15
    r = ranked(model_findings(labelled(ds), Predictions(found, ds)))
    assert (r.row[0], r.point[0]) == (7, 2)


def test_crops(tmp_path, truth):
    labels = np.tile([1, 2], N//2)
    ds = dataset(tmp_path, 'teacher', np.ones(N, int), truth[:, 0], np.r_[labels[:3], 3 - labels[3], labels[4:]], names=NAMES[:3])
    found, _ = noisy(truth)
    values = [np.concatenate([o[:1], o[1:2]]) for o in found] # the crop's own, and one beside it
    values[5] = []
    findings = model_findings(labelled(ds), Predictions(values, ds))
    r = ranked(findings)
    assert {o.kind for o in findings} == {'spurious', 'wrong class', 'wrong place'}
    assert (r.row[0], findings[r.finding[0]].kind) == (5, 'spurious')
