"Predictions in every form, on the photos of their rows"
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from making import asked, coco, image, process, pts, quiet
from PIL import Image
from tiers import one_of

from ear_lazy.adapters import as_detection_target
from ear_lazy.base.geometry import crop_window, fit_image, xywh_to_xyxy
from ear_lazy.explorer import explore
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.looking.predictions import Predictions, iou, keypoint_error
from ear_lazy.transforms import Letterbox

pytest.importorskip('anywidget', reason='the explorer needs anywidget: pip install anywidget')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    "Six photos, the last turned by its EXIF, with i % 3 boxes of two classes; two sets of keypoints"
    folder = tmp_path_factory.mktemp('predicted')
    raw, exif = folder/'raw', Image.Exif()
    exif[274] = 6
    names = [f'{i}.png' for i in range(5)] + ['5.jpg']
    for i, name in enumerate(names): image(raw/'detector'/'ears'/name, (40, 60), seed=i, **({'exif': exif} if i == 5 else {}))
    boxes = {name: [dict(bbox=[1 + 20*j, 2, 8 + i, 18 + i], category_id=1 + j) for j in range(i % 3)] for i, name in enumerate(names)}
    coco(raw/'detector'/'ears'/'a.json', boxes, categories=[dict(id=1, name='ear'), dict(id=2, name='face')])
    for i, k in enumerate((3, 5)):
        image(raw/'landmarker'/'ears'/f'{i}.png', seed=i)
        pts(raw/'landmarker'/'ears'/f'{i}.pts', [(5 + 3*j, 5 + (j*j) % 7) for j in range(k)])
    process(raw, folder/'out', ('detector', 'landmarker', 'teacher'), train_split=1.)
    return folder/'out'


@pytest.fixture(scope='module')
def opened(folder): return lambda kind, **options: LazyNPYDataset(folder/f'train_{kind}.npy', **options)


@pytest.fixture(scope='module')
def detector(opened): return opened('detector')


def in_dict(boxes, labels, scores): return {'boxes': torch.tensor(boxes, requires_grad=True), 'labels': torch.tensor(labels), 'scores': torch.tensor(scores), 'masks': None}
def in_numpy(boxes, labels, scores): return {'boxes': boxes, 'labels': labels, 'scores': scores}
def in_detections(boxes, labels, scores): return SimpleNamespace(xyxy=boxes, class_id=labels + 7, confidence=scores, data={'class_name': np.array(['', 'ear', 'face'])[labels]})


def in_results(boxes, labels, scores, shape=(40, 60)):
    return SimpleNamespace(orig_shape=shape, names={0: 'face', 1: 'ear'}, boxes=SimpleNamespace(xyxy=torch.tensor(boxes), conf=torch.tensor(scores), cls=torch.tensor(2. - labels)), keypoints=None)


def delivered(ds, form, score=.9):
    "For each row its own truth, in pixels of the image as it is delivered"
    out = []
    for i in range(len(ds)):
        sample = ds[i]
        boxes, n = xywh_to_xyxy(sample['bboxes']).astype(float), len(sample['bboxes'])
        labels = ds.metadata.labels(i)
        out.append(form(boxes, labels, np.full(n, score), sample['image'].shape[:2]) if form is in_results else form(boxes, labels, np.full(n, score)))
    return out


@pytest.mark.parametrize(('form', 'size'), one_of(4, [in_dict, in_numpy, in_detections, in_results], [None, (64, 64), (31, 97), (90, 20)]))
@pytest.mark.parametrize('resize', ['letterbox', 'stretch'])
def test_truth_as_delivered_comes_back_to_the_photo(opened, form, size, resize):
    ds = opened('detector', image_size=size, resize=resize)
    found = Predictions(delivered(ds, form), ds)
    for i in range(len(ds)):
        assert np.allclose(found[i].boxes, ds.get_metadata(i)['bboxes'], atol=1e-4) and found[i].labels.tolist() == ds.metadata.labels(i).tolist()
        assert np.allclose(found[i].scores, .9)
    assert np.allclose(found.scores, 1, atol=1e-4)


@pytest.mark.parametrize('size', [None, (64, 64), (20, 50)])
def test_a_box_in_a_crop(opened, size):
    ds = opened('teacher', image_size=size)
    values = []
    for i in range(len(ds)): # the whole crop
        top, left, bottom, right = crop_window(ds.get_metadata(i)['bbox'], ds.metadata.size(i))
        fit = fit_image((bottom - top, right - left), size or (bottom - top, right - left))
        values.append({'boxes': [[*fit.offset, *(fit.offset + fit.inner[::-1])]]})
    found = Predictions(values, ds)
    for i in range(len(ds)):
        top, left, bottom, right = crop_window(ds.get_metadata(i)['bbox'], ds.metadata.size(i))
        assert np.allclose(found[i].boxes, [[left, top, right - left, bottom - top]], atol=1e-6), i


def test_keypoints_as_torchvision_and_ultralytics_give_them(opened):
    ds = opened('landmarker', image_size=(64, 80))
    truth = [ds.get_metadata(i)['keypoints'] for i in range(2)]
    shown = [ds[i]['keypoints'][:, :2].astype(float) for i in range(2)]
    lost = shown[1].copy()
    lost[2] = 0
    there = np.insert(shown[0], 2, 1, axis=1)
    values = [{'boxes': np.ones((2, 4)), 'scores': [.9, .8], 'keypoints': torch.tensor(np.stack([there + [9, 0, 0], there])), 'keypoints_scores': np.ones((2, 3))},
              SimpleNamespace(orig_shape=(64, 80), names={}, boxes=None, obb=None, keypoints=SimpleNamespace(xy=lost[None], conf=None))]
    found = Predictions(values, ds)
    assert np.allclose(found[0].points[1], truth[0], atol=1e-4) and np.allclose(found[1].points[0, 3:], truth[1][3:], atol=1e-4)
    assert found[1].points[0, 2].tolist() == [0, 0, 0] and np.allclose(found.scores, 0, atol=1e-5), 'the nearest counts, and of it what was found'
    found.threshold = .85
    assert found.scores[0] > .1
    found.threshold = .95
    assert np.isnan(found.scores[0]) and found.scores[1] < 1e-5, 'what has no score always counts'


def test_arrays_count_pixels_of_the_photo(opened, detector):
    truth = [detector.get_metadata(i)['bboxes'] for i in range(6)]
    assert np.allclose(Predictions(truth, opened('detector', image_size=(64, 64))).scores, 1)


def test_results_of_the_photo_itself(opened, detector):
    small = opened('detector', image_size=(64, 64))
    values = delivered(detector, in_results)
    assert np.allclose(Predictions(values, small).scores, 1)
    values[1].orig_shape = 50, 50
    with pytest.raises(ValueError, match='row 1 was made of an image of 50 × 50 pixels, but the photo has 60 × 40, and as it is delivered 64 × 64'): Predictions(values, small)


def test_several_datasets_with_their_own_sizes(opened):
    parts = [opened('detector', image_size=(64, 64)), opened('detector', label_names=['face', 'ear'])]
    ds = CombinedLazyDataset(parts)
    number = {o: i for i, o in enumerate(ds.label_names)}
    values = [in_numpy(xywh_to_xyxy(ds[i]['bboxes']), [number[parts[i // 6].label_names[o]] for o in parts[i // 6].metadata.labels(i % 6)], [.9]*len(ds[i]['bboxes'])) for i in range(12)]
    assert np.allclose(Predictions(values, ds).scores, 1, atol=1e-4)


def test_a_transform_that_moves_nothing(opened, detector):
    ds = opened('detector', image_size=(64, 64), transform=as_detection_target(one_class=True), extras='labels')
    values = [dict(ds[i], labels=torch.ones(len(ds[i]['boxes'])).long(), scores=torch.ones(len(ds[i]['boxes']))) for i in range(6)]
    assert np.allclose(Predictions(values, ds).scores, 1, atol=1e-4) and Predictions(values, ds)[2].labels.tolist() == [0, 0], 'its only class says nothing'
    w = quiet(explore(ds, values))
    head, _ = asked(w, type='full', id=0, row=2)
    assert (head['height'], head['width']) == (40, 60) and np.allclose(head['predicted']['boxes'], head['truth']['boxes'], atol=.01)
    wrapped = lambda o: o # noqa: E731 it gets an attribute
    wrapped.transform = Letterbox((64, 64))
    for inner in (wrapped, Letterbox((64, 64))):
        moved = opened('detector', transform=inner)
        with pytest.raises(ValueError, match='row 1 counts pixels that a transform has moved'): Predictions([None, *values[1:]], moved)
        with pytest.raises(ValueError, match='without a transform'): explore(moved, [None] * 6)


BOX = [[1, 2, 9, 9.]]


@pytest.mark.parametrize(('value', 'why'), [
    ([[1, 2, 3]], r'has the shape \(1, 3\), not \(n, 4\)'), ([[1, 2, 3, np.nan]], 'not finite'), ([[1, 2, -3, 4]], 'below 0'), ('ear', 'no array of numbers'),
    ({'bboxes': BOX}, 'no boxes and no keypoints'), ({'boxes': [[9, 2, 1, 9]]}, 'ends before it begins'), ({'boxes': [[1, 2, np.inf, 9]]}, 'not finite'),
    ({'boxes': BOX, 'labels': [3]}, 'labels 3 to 3, and ds.label_names has 3'), ({'boxes': BOX, 'labels': [.5]}, 'not whole'), ({'boxes': BOX, 'labels': []}, r'labels of the shape \(0,\), not \(1,\)'),
    ({'boxes': BOX, 'labels': [-1]}, 'labels -1 to -1'), ({'boxes': BOX, 'scores': [.1, .2]}, r'scores of the shape \(2,\)'), ({'boxes': BOX, 'scores': [7.5]}, 'between 0 and 1'),
    ({'boxes': BOX, 'scores': [np.nan]}, 'not finite'), ({'boxes': BOX, 'keypoints': np.ones((2, 3, 3))}, '1 boxes and 2 sets'), ({'keypoints': np.ones((1, 3, 4))}, 'keypoints of the shape'),
    (SimpleNamespace(xyxy=np.array(BOX), confidence=None, class_id=np.array([0]), data={'class_name': ['Ear']}), "class 'Ear', .* did you mean 'ear'"),
    (in_results(np.array(BOX), np.array([1]), np.array([.5]), (4, 4)), 'an image of 4 × 4 pixels'), (SimpleNamespace(orig_shape=(40, 60), boxes=None), 'a detector or a pose model'),
])
def test_refused_with_the_row(detector, value, why):
    with pytest.raises(ValueError, match=f'the prediction for row 3 .*{why}'): Predictions([None, None, None, value, None, None], detector)


def test_refused_for_keypoints(opened):
    ds = opened('landmarker')
    with pytest.raises(ValueError, match='row 0 has 4 keypoints, and the row 3'): Predictions([np.ones((4, 2)), None], ds)
    with pytest.raises(ValueError, match="row 1 has boxes without 'keypoints'"): Predictions([None, {'boxes': BOX}], ds)
    assert np.isnan(Predictions([{'boxes': np.zeros((0, 4))}, {'boxes': [], 'keypoints': []}], ds).scores).all()
    with pytest.raises(ValueError, match='1 predictions for 2 rows'): Predictions([None], ds)


def worst_by_loop(truth, labels, found, classes):
    "The same in plain Python"
    if len(truth) != len(found): return 0.
    def alike(a, b): return not a or not b or a == b
    labels, classes = (o if len(o) else [0]*len(truth) for o in (labels, classes))
    pairs = np.array([[iou(t, p) * alike(a, b) for p, b in zip(found, classes)] for t, a in zip(truth, labels)])
    return float(min(pairs.max(0).min(), pairs.max(1).min())) if len(truth) else 1.


def test_scores_are_what_a_loop_says(detector, monkeypatch):
    monkeypatch.setattr('ear_lazy.looking.predictions._BLOCK', 3)
    rng, ds = np.random.default_rng(0), detector[np.arange(60) % 6]
    truth = [ds.get_metadata(i)['bboxes'] for i in range(60)]
    values = []
    for boxes in truth:
        n = rng.integers(0, 4)
        at = (rng.choice(boxes, n) if len(boxes) else np.full((n, 4), 5.)) + rng.integers(-3, 4, (n, 4))
        values.append({'boxes': xywh_to_xyxy(at), 'labels': rng.integers(0, 3, n), 'scores': rng.random(n)})
    found = Predictions(values, ds)
    for threshold in (0, .3, .5, 2):
        found.threshold = threshold
        for i, o in enumerate(values):
            keep = o['scores'] >= threshold
            assert found.scores[i] == pytest.approx(worst_by_loop(truth[i], detector.metadata.labels(i % 6), found[i].boxes[keep], o['labels'][keep])), (i, threshold)


def test_iou_against_counted_pixels():
    rng = np.random.default_rng(0)
    for a, b in rng.integers(1, 20, (50, 2, 4)):
        masks = [np.zeros((40, 40), bool) for _ in range(2)]
        for mask, (x, y, w, h) in zip(masks, (a, b)): mask[y:y + h, x:x + w] = True
        assert iou(a, b) == pytest.approx((masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum())
    assert iou(np.zeros(4), np.zeros(4)) == 0 and np.isnan(keypoint_error(np.zeros((3, 3)), np.zeros((3, 2))))


def test_worst_come_first_at_a_threshold(detector):
    truth = [detector.get_metadata(i)['bboxes'] for i in range(6)]
    values = [in_numpy(xywh_to_xyxy(o + [i / 4, 0, 0, 0]), detector.metadata.labels(i), [.9]*len(o)) for i, o in enumerate(truth)]
    values[0] = {'boxes': BOX, 'scores': [.2]} # not sure of a box that is not there
    w = quiet(explore(detector, predictions=values))
    scores = [worst_by_loop(o, [], np.add(o, [i / 4, 0, 0, 0]), []) if i else 1. for i, o in enumerate(truth)]
    assert w.query['sort'] == 'IoU' and w.view.tolist() == sorted(range(6), key=scores.__getitem__)
    w.query = w.query | {'threshold': .1}
    assert w.view[0] == 0
    w.query = w.query | {'threshold': .95}
    assert w.view.tolist()[-2:] == [0, 3] and {*w.view.tolist()[:4]} == {1, 2, 4, 5}, 'only photos without boxes agree'
    with pytest.raises(Exception, match='threshold is a number from 0 to 1'): w.query = {'threshold': 'high'}


def test_page_gets_scores_classes_and_points(opened, detector):
    ds = opened('landmarker')
    points = np.stack([np.insert(ds.get_metadata(0)['keypoints'][:, :2] + o, 2, 1, axis=1) for o in (0, 4)])
    w = quiet(explore(ds, [{'keypoints': points, 'scores': [.9, .4], 'keypoints_scores': [[2, 3, 4]]*2}, None]))
    head, _ = asked(w, type='full', id=0, row=0)
    predicted = head['predicted']
    assert 'boxes' not in predicted and predicted['each'] == 3 and len(predicted['points']) == 6
    assert predicted['scores'] == [.9, .4] and predicted['seen'] == [2, 3, 4]*2 and predicted['classes'] == [None, None] and head['score'] == 'error 0.000'
    w = quiet(explore(detector, [None, [[1, 2, 3, 4, .7]], None, {'boxes': BOX, 'labels': [2], 'scores': [.75]}, None, None]))
    head = asked(w, type='tiles', id=0, rows=[3])[0]['tiles'][0]
    assert head['predicted'] == {'boxes': [[1, 2, 8, 7]], 'scores': [.75]} and asked(w, type='full', id=0, row=3)[0]['predicted']['classes'] == ['face']


def test_a_teacher_row_and_its_crop(opened):
    ds = opened('teacher')
    w = quiet(explore(ds, predictions=[ds.get_metadata(i)['bbox'] + [1, 0, 0, 0] for i in range(len(ds))]))
    head = asked(w, type='tiles', id=0, rows=[0])[0]['tiles'][0]
    x, y, width, height = ds.get_metadata(0)['bbox']
    assert np.allclose(head['predicted']['boxes'], [[1 + x % 1, y % 1, width, height]], atol=.1)


@pytest.mark.slow
def test_what_the_libraries_themselves_give(detector):
    sv, results = pytest.importorskip('supervision'), pytest.importorskip('ultralytics.engine.results')
    truth = [detector.get_metadata(i)['bboxes'] for i in range(6)]
    data = [torch.tensor(np.column_stack([xywh_to_xyxy(o), np.full(len(o), .8), np.arange(len(o))])).float() for o in truth]
    pictures = [detector[i]['image'] for i in range(6)]
    whole = [results.Results(picture, '', {0: 'ear', 1: 'face'}, boxes=o) for picture, o in zip(pictures, data)]
    for values in (whole, [sv.Detections.from_ultralytics(o) for o in whole]):
        found = Predictions(values, detector)
        assert np.allclose(found.scores, 1) and found[2].labels.tolist() == [1, 2] and np.allclose(found[2].scores, .8)
    pose = results.Results(pictures[1], '', {0: 'ear'}, boxes=data[1], keypoints=torch.tensor([[[3., 4, .9], [0, 0, .1]]]))
    for value in (pose, sv.KeyPoints.from_ultralytics(pose)):
        found = Predictions([None, value, *[None]*4], detector)[1]
        assert np.allclose(found.points, [[[3, 4, 2], [0, 0, 0]]]) and found.labels.tolist() == [1] and np.allclose(found.scores, .8)
