"How good predictions are: against pycocotools, by hand, and which rows are behind the numbers"
import contextlib
import io
import math

import numpy as np
import pytest
from making import write_rows

from ear_lazy.evaluation import compare, evaluate
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.looking.predictions import Predictions
from ear_lazy.measuring.average_precision import weighted_scores
from ear_lazy.measuring.coco_scores import COCO_SIGMAS
from ear_lazy.measuring.labelled import photo_numbers

pytest.importorskip('hotcoco', reason="evaluation needs hotcoco: pip install 'ear_lazy[evaluate]'")
pycocotools = pytest.importorskip('pycocotools', reason='what is said is held against pycocotools')
NUMBERS = 'AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'AR1', 'AR10', 'AR100', 'ARs', 'ARm', 'ARl'


def boxes_of(path, counts, boxes, labels, names=('', 'ear', 'face'), **more):
    "A dataset of boxes; photos without any too"
    paths = more.pop('paths', [f'{i:04}.png' for i in range(len(counts))])
    write_rows(path, 'detector', paths, np.array(counts), dict(bboxes=np.array(boxes, 'f4').reshape(-1, 4), labels=np.array(labels, int)), sizes=np.full((len(counts), 2), 640), labels=names, **more)
    return LazyNPYDataset(path)


def points_of(path, points, paths=None, **more):
    n, k = points.shape[:2]
    write_rows(path, 'landmarker', paths or [f'{i:04}.png' for i in range(n)], np.full(n, k), dict(keypoints=points.reshape(-1, 3).astype('f4')), sizes=np.full((n, 2), 640), **more)
    return LazyNPYDataset(path)


def found(*objects):
    "A prediction of (x, y, w, h, class, score)"
    o = np.array(objects, float).reshape(-1, 6)
    return {'boxes': np.column_stack([o[:, :2], o[:, :2] + o[:, 2:4]]), 'labels': o[:, 4], 'scores': o[:, 5]}


def by_pycocotools(images, annotations, results, kind='bbox', classes=3, sigmas=None):
    "The numbers of pycocotools; -1 as NaN"
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = dict(images=[dict(id=i) for i in range(images)], categories=[dict(id=i) for i in range(classes)], info={},
                             annotations=[dict(id=i, iscrowd=0, **o) for i, o in enumerate(annotations, 1)])
        truth.createIndex()
        e = COCOeval(truth, truth.loadRes(results), kind)
        if sigmas is not None: e.params.kpt_oks_sigmas = np.asarray(sigmas)
        for step in (e.evaluate, e.accumulate, e.summarize): step()
    return np.where(e.stats < 0, np.nan, e.stats)


def random_boxes(folder, seed, photos, classes, most, grid):
    "Random boxes and predictions near them, others anywhere; scores with ties; a third of the photos without labels or predictions"
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, most, photos)*(rng.random(photos) < .67)
    m = int(counts.sum())
    side = np.exp(rng.uniform(2, 6, (m, 2)))
    boxes = np.column_stack([rng.random((m, 2))*300, side])
    if grid: boxes = np.round(boxes/grid)*grid + [0, 0, grid, grid] # many overlaps that are just one half, and many that are equal
    labels = rng.integers(1, classes + 1, m)
    ds = boxes_of(folder/f'{seed}_detector.npy', counts, boxes, labels, ('', *(f'class {i}' for i in range(classes))))
    boxes, row = np.array(boxes, 'f4').astype(float), np.repeat(np.arange(photos), counts)
    values = []
    for i in range(photos):
        near = np.repeat(boxes[row == i], 2, axis=0)
        off = rng.normal(0, .08, near.shape)*near[:, [2, 3, 2, 3]]
        near = near + (np.round(off/grid)*grid if grid else off)
        far = np.column_stack([rng.random((3, 2))*300, rng.random((3, 2))*200 + 5])
        all_ = np.concatenate([near, far])
        all_[:, 2:] = np.maximum(all_[:, 2:], 1)
        own = np.repeat(labels[row == i], 2)
        own = np.where(rng.random(len(own)) < .85, own, rng.integers(1, classes + 1, len(own)))
        k = len(all_)
        values.append(found(*np.column_stack([all_, np.append(own, rng.integers(1, classes + 1, 3)), rng.integers(0, 20, k)/19])) if rng.random() < .8 else None)
    return ds, values, boxes, labels, row


def results_of(p): return [dict(image_id=int(i), category_id=int(c), bbox=b, score=float(s)) for i, c, b, s in zip(np.repeat(np.arange(len(p.counts)), p.counts), p.labels, p.boxes.tolist(), p.values)]


def annotations_of(boxes, labels, row): return [dict(image_id=int(i), category_id=int(c), bbox=b.tolist(), area=float(b[2]*b[3])) for i, c, b in zip(row, labels, boxes)]


@pytest.mark.parametrize(('seed', 'photos', 'classes', 'most', 'grid'), [(0, 30, 3, 8, 0), (1, 40, 2, 6, 8), *(pytest.param(i, 60, i % 2*39 + 1, 5, i % 3*4, marks=pytest.mark.slow) for i in range(2, 14))])
def test_boxes_as_pycocotools(tmp_path, seed, photos, classes, most, grid):
    ds, values, boxes, labels, row = random_boxes(tmp_path, seed, photos, classes, most, grid)
    p = Predictions(values, ds)
    e = evaluate(ds, p)
    said = by_pycocotools(photos, annotations_of(boxes, labels, row), results_of(p), classes=classes + 1)
    assert np.allclose([e.metrics[o] for o in NUMBERS], said, atol=1e-6, equal_nan=True)
    some = np.flatnonzero(np.random.default_rng(seed).random(photos) < .5) # a choice of photos, by matches that were made of all
    here = np.isin(row, some)
    said = by_pycocotools(photos, annotations_of(boxes[here], labels[here], row[here]), [o for o in results_of(p) if o['image_id'] in set(some.tolist())], classes=classes + 1)
    got = e.slices(np.isin(np.arange(photos), some))['True']
    assert np.allclose([got[o] for o in ('AP', 'AP50', 'AP75', 'AR100')], said[[0, 1, 2, 8]], atol=1e-6, equal_nan=True)


def test_more_predictions_than_count(tmp_path):
    ds = boxes_of(tmp_path/'a_detector.npy', [1, 1], [[0, 0, 50, 50]]*2, [1, 1])
    rng = np.random.default_rng(0)
    values = [found(*[[300 + o, 300, 20, 20, 1, .5 + o/1000] for o in range(120)], [0, 0, 50, 50, 1, .1]), found([0, 0, 50, 48, 1, rng.random()])]
    e = evaluate(ds, values)
    said = by_pycocotools(2, annotations_of(np.array([[0, 0, 50, 50.]]*2), [1, 1], [0, 1]), results_of(e.predictions))
    assert np.allclose([e.metrics[o] for o in NUMBERS], said, atol=1e-6, equal_nan=True)
    assert np.allclose(np.nanmean(weighted_scores(e._measures.outcomes.ranking, np.ones(2))[0]), said[0], atol=1e-6)


@pytest.mark.parametrize('k', [17, 5])
def test_keypoints_as_pycocotools(tmp_path, k):
    rng = np.random.default_rng(k)
    n, photos = 60, 25
    paths = [f'{i:03}.png' for i in np.sort(rng.integers(0, photos, n))] # several people in a photo, which is one photo
    points = np.concatenate([rng.random((n, 1, 2))*300 + rng.random((n, k, 2))*rng.uniform(20, 200, (n, 1, 1)), rng.integers(0, 3, (n, k, 1))], axis=2)
    points[3, :, 2] = 0 # nothing labelled
    points = points.astype('f4').astype(float)
    ds = points_of(tmp_path/'a_landmarker.npy', points, paths)
    shift = rng.normal(0, 1, (n, k, 2))*rng.uniform(0, 20, (n, 1, 1))
    values = [None if i % 9 == 0 else {'keypoints': (points[i, :, :2] + shift[i])[None], 'scores': np.array([rng.integers(0, 9)/9])} for i in range(n)]
    sigmas = COCO_SIGMAS if k == 17 else np.linspace(.03, .09, k)
    e = evaluate(ds, values, sigmas=None if k == 17 else sigmas)
    image = np.unique(paths, return_inverse=True)[1]
    labelled = points[..., 2] > 0
    boxes = np.array([np.concatenate([o[v, :2].min(0), np.ptp(o[v, :2], axis=0)]) if v.any() else np.zeros(4) for o, v in zip(points, labelled)])
    areas = np.prod(e._labelled.extents[:, 2:], axis=1)
    truth = [dict(image_id=int(image[i]), category_id=1, bbox=boxes[i].tolist(), area=float(areas[i]) if labelled[i].any() else 0., num_keypoints=int(labelled[i].sum()), keypoints=points[i].ravel().tolist()) for i in range(n)]
    results = [dict(image_id=int(image[i]), category_id=1, score=float(o['scores'][0]), keypoints=np.insert(o['keypoints'][0], 2, 2, axis=1).ravel().tolist()) for i, o in enumerate(values) if o]
    said = by_pycocotools(len(set(paths)), truth, results, 'keypoints', sigmas=sigmas)
    assert np.allclose([e.metrics[o] for o in ('OKS AP', 'OKS AP50', 'OKS AP75', 'OKS AR')], said[[0, 1, 2, 5]], atol=1e-6)
    assert np.allclose(e._measures.weighted(np.ones(n))[0]['OKS AP'], said[0], atol=1e-6)


def test_photos_of_one_name_in_two_folders(tmp_path):
    "Rows of a combined dataset are of one photo only if their folders are one, too"
    points, far = (np.array([[[x + 10, 10, 2], [x + 50, 50, 2], [x + 10, 50, 2.]]]) for x in (0, 300))
    for o in 'ab': (tmp_path/o/'out').mkdir(parents=True)
    ds = CombinedLazyDataset([points_of(tmp_path/o/'out'/'a_landmarker.npy', of, ['a.png']) for o, of in (('a', points), ('b', far))])
    assert ds.evaluate([{'keypoints': far}, {'keypoints': points}]).metrics['OKS AP'] == 0, 'each lies where the object of the other photo is'
    assert photo_numbers(ds).tolist() == [0, 1] and photo_numbers(ds[[1, 1]]).tolist() == [0, 0]


@pytest.fixture
def five(tmp_path):
    "Five photos: an ear found; an ear missed; a face taken for an ear, and an ear found; nothing there and an ear found, unsure and sure; nothing at all"
    boxes = [[0, 0, 40, 40], [0, 0, 40, 40], [0, 0, 100, 100], [200, 200, 20, 20]]
    ds = boxes_of(tmp_path/'five_detector.npy', [1, 1, 2, 0, 0], boxes, [1, 1, 2, 1], sources=('ears', 'faces'), source_of=np.array([0, 0, 1, 1, 1]))
    values = [found([0, 0, 40, 40, 1, .95]), found([0, 0, 40, 40, 1, .3]), found([0, 0, 100, 90, 1, .7], [200, 200, 20, 20, 1, .75]),
              found([50, 50, 10, 10, 1, .55], [80, 50, 10, 10, 2, .85]), None]
    return evaluate(ds, values)


def test_confusion_precision_recall_and_calibration_by_hand(five):
    e = five
    assert e.confusion.names == ['no class', 'ear', 'face', 'background']
    assert e.confusion.counts.tolist() == [[0, 0, 0, 0], [0, 2, 0, 1], [0, 1, 0, 0], [0, 1, 1, 0]]
    assert np.isclose(e.metrics['precision'], 2/5) and np.isclose(e.metrics['recall'], 2/4)
    right = {.95: 1, .3: 1, .7: 0, .75: 1, .55: 0, .85: 0}
    gap = [abs(.95 - 1), abs(.3 - 1), abs((.7 + .75)/2*2 - 1), .55, .85]
    assert len(right) == 6 and np.isclose(e.metrics['ECE'], sum(gap)/6)
    assert {o: c['labelled'] for o, c in e.by_class.items()} == {'ear': 3, 'face': 1}
    precision, recall = (e.curves[o][''] for o in ('precision', 'recall'))
    assert np.allclose(precision.y[[0, 6, 10, 15, 19]], [3/6, 3/6, 2/5, 2/3, 1]) and np.allclose(recall.y[[0, 10, 19]], [3/4, 2/4, 1/4])
    assert precision.count.sum() == 6


def test_rows_behind_numbers(five):
    e = five
    cells = {('ear', 'ear'): {0, 2}, ('ear', 'background'): {1}, ('face', 'ear'): {2}, ('background', 'ear'): {3}, ('background', 'face'): {3}, ('face', 'background'): set()}
    for cell, rows in cells.items(): assert set(e.rows(confusion=cell).tolist()) == rows, cell
    for what, rows in {'missed': [1], 'spurious': [3], 'wrong class': [2], 'right': [0, 2]}.items(): assert sorted(e.rows(what=what).tolist()) == rows
    assert e.rows().tolist() == [3, 1, 2] # 1.4 of two false alarms, 1 missed, 0.7 of the wrong class
    assert e.rows(class_='face').tolist() == [3, 2]
    assert e.rows(metric='recall').tolist() == [1, 2] and e.rows(metric='precision').tolist() == [3, 2]
    assert e.rows(metric='APs').tolist() == [3] # the labelled one that is small is found; both false alarms are small
    assert e.rows(curve='precision', bin=17).tolist() == [3] and e.rows(curve='precision', bin=19).tolist() == []
    assert e.rows(curve='precision', bin=11).tolist() == [3, 2] # all that is wrong from there on: 0.85, 0.7
    assert e.rows(curve='recall', bin=19).tolist() == [2, 1] and e.rows(curve='calibration', bin=7).tolist() == [2]
    assert set(e.rows(slice=('source', 'faces')).tolist()) == {2, 3, 4} and e.rows(slice=('source', 'faces'))[-1] == 4
    assert e.rows(what='spurious', slice=('source', 'ears')).tolist() == []
    assert e.rows(confusion=('face', 'ear'), slice=('size', 'large')).tolist() == [2]


def test_slices_sum_up(five):
    e = five
    for by in ('source', 'size', 'class', np.array(list('aabbc')), np.arange(5) > 2, np.array(list('wxyz'))):
        said = e.slices(by)
        assert sum(o.get('objects', o.get('labelled')) for o in said.values()) == 4
    assert {k: (o['rows'], o['precision']) for k, o in e.slices('source').items()} == {'ears': (2, 1.), 'faces': (3, 1/4)}
    assert {k: o['recall'] for k, o in e.slices('size').items()} == {'small': 1, 'medium': 1/2, 'large': 0}
    for name in ('sauce', np.zeros(7), np.zeros((5, 2))):
        with pytest.raises(ValueError, match='slice by|to slice by'): e.slices(name)


def test_a_column_of_the_table(five):
    pd = pytest.importorskip('pandas')
    table = five.ds.to_pandas()
    assert sum(o['rows'] for o in five.slices(pd.Series(np.where(table['image'].str.contains('0003|0004'), 'new', 'old'))).values()) == 5
    lines = five.to_pandas()
    assert lines['what'].tolist() == ['right', 'missed', 'wrong class', 'right', 'spurious', 'spurious'] and lines['row'].tolist() == [0, 1, 2, 2, 3, 3]


@pytest.fixture
def faces(tmp_path):
    "Four faces of 68 points, the eyes 100 pixels apart, predicted 2, 4 and 10 pixels aside, and not at all"
    points = np.zeros((4, 68, 3))
    points[..., 0], points[..., 1], points[..., 2] = np.arange(68)*3, (np.arange(68) % 7)*20, 2
    points[:, 36, :2], points[:, 45, :2] = (50, 60), (150, 60)
    ds = points_of(tmp_path/'faces_landmarker.npy', points)
    return ds, [points[i, :, :2] + [off, 0] for i, off in enumerate((2, 4, 10))] + [None]


def test_classes_of_any_name(tmp_path):
    "What lies behind objects, and objects without a class, are told apart from classes that are called so"
    ds = boxes_of(tmp_path/'b_detector.npy', [2, 1], [[0, 0, 40, 40], [60, 0, 40, 40], [0, 0, 40, 40]], [1, 2, 0], ('', 'background', 'no class'))
    e = ds.evaluate([found([0, 0, 40, 40, 1, .9]), found([0, 0, 40, 40, 0, .8], [200, 200, 9, 9, 2, .7])])
    assert e.confusion.names == ['(no class)', 'background', 'no class', '(background)'] and len(e.by_class) == 3
    for cell, rows in {('background', 'background'): [0], ('no class', '(background)'): [0], ('(background)', 'no class'): [1], ('', '(no class)'): [1]}.items(): assert e.rows(confusion=cell).tolist() == rows
    assert e.slices('class')['(no class)']['labelled'] == 1 and e.rows(slice=('class', '(no class)')).tolist() == [1] and e.rows(slice=('class', 'no class')).tolist() == [0, 1]


def test_slices_of_classes_that_are_left_out(five):
    "The names that `slices` gives are those that `rows` takes"
    e = five.ds.evaluate([five.predictions[i].boxes for i in range(5)])
    for name in e.slices('class'): assert sorted(e.rows(slice=('class', name))) == [0, 1, 2, 3]
    assert set(five.rows(slice=('class', 'face')).tolist()) == {2, 3} # labelled in one, predicted in the other


def test_as_many_rows_as_objects(tmp_path):
    "An array of three values for three rows with three objects may be of either"
    ds = boxes_of(tmp_path/'n_detector.npy', [0, 1, 2], [[0, 0, 40, 40]]*3, [1]*3)
    e, values = ds.evaluate([None, found([0, 0, 40, 40, 1, .9]), None]), np.array(list('abc'))
    with pytest.raises(ValueError, match='as many rows as objects'): e.slices(values)
    of_rows, of_objects = np.repeat(values, np.maximum(ds.column('counts'), 1)), np.append('', values)
    assert [o['objects'] for o in e.slices(of_rows).values()] == [0, 1, 2] and e.slices(of_objects)['a']['recall'] == 1
    assert set(boxes_of(tmp_path/'m_detector.npy', [1, 1, 1], [[0, 0, 40, 40]]*3, [1]*3).evaluate([None]*3).slices(values)) == {*'abc'}


@pytest.mark.parametrize(('predictions', 'words'), [([{'image_id': 1, 'category_id': 1, 'bbox': [0, 0, 4, 4], 'score': .9}], 'results of COCO'), ({'0000.png': None}, 'not a dict'), ('found.json', 'not a str'), (iter([None]), 'such as a list'), (None, 'such as a list')])
def test_predictions_that_are_none(five, predictions, words):
    with pytest.raises((TypeError, ValueError), match=words): five.ds.evaluate(predictions)
    with pytest.raises(ValueError, match='another order'): five.ds[::-1].evaluate(five.predictions)


@pytest.mark.parametrize(('question', 'words'), [({'metric': 'AP99'}, "mean 'AP"), ({'confusion': 'ear'}, 'pair of'), ({'slice': 'source'}, 'pair of'), ({'curve': 'precision', 'bin': 20}, 'from 0 to 19'), ({'curve': 'precision', 'bin': .5}, 'from 0 to 19'), ({'class_': 'dog'}, "choose from 'no class', 'ear', 'face'$")])
def test_questions_without_an_answer(five, question, words):
    with pytest.raises(ValueError, match=words): five.rows(**question)


def test_errors_of_300w_by_hand(faces):
    ds, values = faces
    e = evaluate(ds, values, normalise='inter-ocular')
    assert np.allclose([e.metrics[o] for o in ('NME', 'AUC', 'failure rate', 'found')], [.16/3, (.75 + .5)/4, .5, .75])
    assert np.allclose(evaluate(ds, values, normalise=[36, 45]).metrics['NME'], e.metrics['NME']) and np.allclose(evaluate(ds, values, normalise=100.).metrics['NME'], e.metrics['NME'])
    x, y = np.linspace(0, .08, 100001), np.sort(e.row_scores)
    assert np.isclose(np.mean(np.searchsorted(y, x, 'right')/4), e.metrics['AUC'], atol=1e-4) # the area below the curve
    assert np.allclose(e.curves['CED'][''].y[[0, 25, 50]], [0, .5, .75])
    assert e.rows(metric='NME').tolist() == [3, 2, 1, 0] and e.rows(metric='failure rate').tolist() == [3, 2] and e.rows(point=17, above=.05).tolist() == [3, 2]
    assert all(np.isclose(o['error'], .16/3) and o['labelled'] == 4 for o in e.by_point.values()) and len(e.by_point) == 68
    w, h = np.ptp(ds.get_metadata(0)['keypoints'][:, :2], axis=0)
    for name, length in {'box size': (w*h)**.5, 'box diagonal': np.hypot(w, h)}.items(): assert np.isclose(evaluate(ds, values, normalise=name).metrics['NME'], 16/3/length)


@pytest.mark.parametrize(('options', 'words'), [({'normalise': 'iris'}, 'choose from'), ({'normalise': ('a', 'b')}, 'no keypoint'), ({'normalise': (1, 99)}, 'no keypoint 99'), ({'normalise': np.ones(3)}, 'give a length for each'),
                                                ({'cut': 0}, 'above 0'), ({'cut': math.inf}, 'above 0'), ({'normalise': 0}, 'above 0'), ({'normalise': [36, 36]}, 'which is one'), ({'normalise': ['a', 'b', 'c']}, 'two points'), ({'iou': [.5]}, '0.55'), ({'iou': .33}, '0.55'), ({'score': 2}, 'between 0 and 1'), ({'sigmas': [.1, .2]}, 'one for each of 68'), ({'areas': np.ones(3)}, 'one for each')])
def test_options_that_do_not_fit(faces, options, words):
    with pytest.raises(ValueError, match=words): evaluate(*faces, **options)


def test_nothing_to_compare(tmp_path, five):
    none = boxes_of(tmp_path/'none_detector.npy', [0, 0], [], [])
    e = evaluate(none, [None, found([0, 0, 9, 9, 1, .9])])
    assert math.isnan(e.metrics['AP']) and e.metrics['precision'] == 0 and e.rows().tolist() == [1]
    e = evaluate(five.ds, [None]*5)
    assert e.metrics['AP'] == 0 and math.isnan(e.metrics['precision']) and e.confusion.counts[:, -1].sum() == 4
    e = evaluate(five.ds[:0], [])
    assert math.isnan(e.metrics['AP']) and not len(e.rows())
    for o in (e, evaluate(none, [None]*2)): assert repr(o) and o._repr_html_() and o.curves and o.slices('source') is not None
    points = points_of(tmp_path/'p_landmarker.npy', np.zeros((2, 3, 3)))
    e = evaluate(points, [None, np.zeros((3, 2))])
    assert math.isnan(e.metrics['NME']) and math.isnan(e.metrics['AUC']) and not len(e.rows()) and repr(e) and repr(evaluate(points[:0], []))
    labelled = points_of(tmp_path/'q_landmarker.npy', np.full((2, 3, 3), 2.) + np.arange(3)[:, None])
    e = evaluate(labelled, [None]*2) # a model that finds nothing has no set of points
    assert (e.metrics['failure rate'], e.metrics['found'], e.metrics['OKS AP']) == (1, 0, 0) and len(e.rows()) == 2 and repr(e)
    assert compare(e, e, resamples=3).metrics.keys() and len(compare(five, [None]*5, resamples=3).worse)


def test_without_classes_and_scores(five):
    "An array of boxes tells neither: an object is an object, and is sure"
    values = [np.array([[0, 0, 40, 40]]), None, np.array([[0, 0, 100, 100], [200, 200, 20, 20]]), None, None]
    e = evaluate(five.ds, values)
    assert e.confusion.names == ['object', 'background'] and e.confusion.counts.tolist() == [[3, 1], [0, 0]]
    with pytest.raises(ValueError, match='tells classes'): compare(five, values)
    with pytest.raises(ValueError, match='for 4 rows'): evaluate(five.ds[:4], Predictions(values, five.ds))


def test_two_models(tmp_path):
    ds, values, *_ = random_boxes(tmp_path, 7, 40, 2, 5, 0)
    a = evaluate(ds, values)
    same = compare(a, values, resamples=5)
    assert all(o[2:] == (0, 0, 0) for o in same.metrics.values()) and not len(same.better) and not len(same.worse)
    worse = [None if i % 2 else o for i, o in enumerate(values)]
    c = compare(a, worse, resamples=40, seed=1)
    assert c.metrics['AP'].high < 0 and c.metrics['AP'].a == pytest.approx(a.metrics['AP']) and c.metrics['recall'].is_sure
    assert set(c.better) | set(c.worse) <= set(range(1, 40, 2)) and 'worse' in repr(c) and '<table>' in c._repr_html_()
    assert compare(a, c.b, resamples=40, seed=1).metrics == c.metrics
    gain = c.b.row_scores - a.row_scores
    assert (np.diff(gain[c.better]) <= 0).all() and (np.diff(gain[c.worse]) >= 0).all()
    with pytest.raises(ValueError, match='same rows'): compare(a, evaluate(ds[:20], values[:20]))
    with pytest.raises(ValueError, match='score is not the same'): compare(a, evaluate(ds, values, score=.3))
    with pytest.raises(TypeError, match='takes evaluations'): compare(values, values)


def test_too_few_photos_to_say(tmp_path):
    "Five photos that all became better do not make an interval, neither of all nor of a class"
    ds = boxes_of(tmp_path/'a_detector.npy', [1]*9, [[0, 0, 40, 40]]*9, [1]*5 + [2]*4)
    all_found = [found([0, 0, 40, 40, o, .9]) for o in [1]*5 + [2]*4]
    c = compare(ds[:5].evaluate([None]*5), all_found[:5], resamples=5)
    assert not c.metrics['recall'].is_sure and 'cannot be said' in repr(c)
    c = compare(ds.evaluate([None]*9), all_found, resamples=20)
    assert c.metrics['recall'].is_sure and math.isnan(c.by_class['ear'].low) and not c.by_class['ear'].is_sure
    assert compare(ds[:1].evaluate([None]), [None], resamples=1).title == '1 row: 0 better, 0 worse'
    for options in ({'confidence': 95}, {'resamples': 1.5}, {'seed': -1}):
        with pytest.raises((TypeError, ValueError), match=[*options][0]): compare(c.a, c.b, **options)


def test_tables_of_many(tmp_path):
    "A point that was never found comes first, and how many are not shown is told"
    points = np.random.default_rng(0).random((3, 30, 3))*90 + 1
    e = points_of(tmp_path/'p_landmarker.npy', points).evaluate([{'keypoints': np.where(np.arange(30)[:, None] == 7, 0, points[i])[None]} for i in range(3)])
    assert [o.split()[0] for o in repr(e).split('the worst 20 of 30')[1].splitlines()[1:2]] == ['7']


def test_the_method_of_a_dataset(five):
    values = [five.predictions[i].boxes for i in range(5)]
    assert five.ds.evaluate(values).metrics.keys() == five.metrics.keys() and five.ds.evaluate(values, iou=.75).iou == .75
