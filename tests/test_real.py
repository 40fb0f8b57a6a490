"Real images with the annotations their makers wrote, laid out under `raw/` in several ways"
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from making import assert_accounted, listing, process, rows

from ear_lazy.lazy_dataset import LazyNPYDataset

REAL = Path(__file__).parents[2]/'shared/real'
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason=f'no real data at {REAL}')

SETS = 'people_coco_keypoints', 'dogs_csv', 'faces_pts'


def copied(raw, name, level=''): shutil.copytree(REAL/name, raw/level/name)


def linked(raw, name, level=''):
    (raw/level).mkdir(parents=True, exist_ok=True)
    (raw/level/name).symlink_to(REAL/name, target_is_directory=True)


def counts(report, name):
    s = report.sources[name]
    return s.images, s.boxes.read, s.boxes.kept, s.keypoints.read, s.keypoints.kept


def of(name, found): return [(path, values) for path, values in found if f'{name}/' in path]


def check_totals(report, out):
    "The totals that these raw datasets have when each is read once and in full"
    assert_accounted(report, out)
    detector, landmarker, teacher = (rows(out, kind) for kind in ('detector', 'landmarker', 'teacher'))
    people = of('people_coco_keypoints', detector)
    assert len({path for path, _ in people}) == len(people) == 4 and sum(len(v) for _, v in people) == 14
    assert len(of('people_coco_keypoints', landmarker)) == 12 and len(of('people_coco_keypoints', teacher)) == 14
    assert {np.shape(v) for _, v in of('people_coco_keypoints', landmarker)} == {(17, 3)}
    dogs = of('dogs_csv', detector)
    assert len({path for path, _ in dogs}) == len(dogs) == 18 and sum(len(v) for _, v in dogs) == 24
    faces = of('faces_pts', landmarker)
    assert len({path for path, _ in faces}) == len(faces) == 4 and {np.shape(v) for _, v in faces} == {(68, 3)}
    assert len(of('faces_pts', teacher)) == 4


@pytest.mark.parametrize('put', [copied, linked])
@pytest.mark.parametrize('workers', [0, 3])
def test_as_they_are(tmp_path, put, workers):
    for name in SETS: put(tmp_path/'raw', name)
    report = process(tmp_path/'raw', tmp_path/'out', num_workers=workers)
    check_totals(report, tmp_path/'out')
    assert listing(tmp_path/'out') == ['problems.csv', 'report.json', *sorted(f'{split}_{kind}.npy' for kind in ('detector', 'landmarker', 'teacher') for split in ('train', 'val'))]


def test_the_raw_folder_is_a_link(tmp_path):
    (tmp_path/'raw').symlink_to(REAL, target_is_directory=True)
    check_totals(process(tmp_path/'raw', tmp_path/'out'), tmp_path/'out')
    dataset = LazyNPYDataset(tmp_path/'out/train_detector.npy')
    assert dataset[0]['image'].ndim == 3


@pytest.fixture(scope='module')
def everything(tmp_path_factory):
    "All of it, processed in one run"
    out = tmp_path_factory.mktemp('real')/'out'
    return process(REAL, out), out


def test_all_of_it_is_accounted_for(everything):
    "No format is named by hand, and of the files, all but one are read, or beside what is read"
    report, out = everything
    check_totals(report, out)
    ears = report.sources['ears_yolo_pose']
    assert (ears.formats, ears.images, ears.boxes.read, ears.boxes.kept) == ('yolo', 126, 138, 138)
    assert [p.file for p in report.problems.where(reason='not_recognised')] == ['faces_pts/broken_frames.npy']


@pytest.mark.parametrize('name, format, images, boxes, keypoints', [
    ('dlib_faces_landmarks', 'dlib', 9, (43, 43), (43, 68)), ('via_trash_rect', 'via', 12, (147, 12), (0, 0)), ('labelstudio_json', 'labelstudio', 0, (7, 0), (0, 0)), ('mlmorph_tps', 'tps', 58, (0, 0), (58, 12))])
def test_sets_of_label_tools(tmp_path, name, format, images, boxes, keypoints):
    "Counts that were made apart from this package; what is not kept has no image here"
    linked(tmp_path/'raw', name), linked(tmp_path/'raw', 'dogs_csv')
    report = process(tmp_path/'raw', tmp_path/'out')
    assert_accounted(report, tmp_path/'out')
    s = report.sources[name]
    assert (s.formats, s.boxes.read, s.boxes.kept, s.keypoints.kept) == (format, *boxes, keypoints[0])
    assert len({path for kind in ('detector', 'landmarker') for path, _ in of(name, rows(tmp_path/'out', kind))}) == images
    assert {len(v) for _, v in of(name, rows(tmp_path/'out', 'landmarker'))} == ({keypoints[1]} if keypoints[0] else set())
    assert {p.reason for p in report.problems if p.source == name and p.action == 'dropped'} <= {'missing_image'}


def test_landmarks_that_count_from_below(tmp_path):
    "The first landmark of the first fly, as in its file, in a picture of 480 lines"
    linked(tmp_path/'raw', 'mlmorph_tps')
    process(tmp_path/'raw', tmp_path/'out')
    assert dict(rows(tmp_path/'out', 'landmarker'))['mlmorph_tps/image-examples/63001.jpg'][0] == [290, 480 - 108, 2]


@pytest.mark.parametrize(('name', 'format', 'images', 'boxes', 'keypoints', 'first'), [
    ('ear_awe_yolo_pixels', 'pixel_labels', 12, 17, {}, ('ears/test/0001.png', [371, 101, 24, 39])), ('map_cartucho', 'pixel_labels', 25, 203, {}, ('images-optional/2007_000027.jpg', [176, 206, 49, 60])),
    ('bbox_label_tool', 'pixel_labels', 3, 3, {}, ('Images/001/test.JPEG', [80, 8, 92, 103])), ('haar_info_dat', 'list', 20, 20, {}, ('info/1.jpg', [0, 0, 50, 50])),
    ('tf_csv_headerless', 'list', 60, 388, {}, None), ('keras_yolo_pages', 'list', 20, 1119, {}, None), ('retinaface_label', 'retinaface', 3, 3, {5: 4}, None),
    ('udacity_fkp', 'point_table', 0, 0, {68: 12}, None), ('dlc_openfield', 'deeplabcut', 0, 0, {4: 10}, None), ('mot_tud', 'mot', 0, 0, {}, None)])
def test_kinds_of_numbers(everything, name, format, images, boxes, keypoints, first):
    "As many as were counted apart from the project; of the pages' boxes, 37 are there twice, with two classes"
    report, out = everything
    assert report.sources[name].formats == format
    found = [(path, values) for path, values in of(name, rows(out, 'detector')) if len(values)]
    assert (len(found), sum(len(values) for _, values in found)) == (images, boxes)
    assert Counter(len(values) for _, values in of(name, rows(out, 'landmarker'))) == keypoints
    if name == 'keras_yolo_pages': assert sum(len({*map(tuple, values)}) for _, values in found) == 1082
    if first: assert (f'{name}/{first[0]}', first[1]) in [(path, values[0]) for path, values in found]
    if name == 'mot_tud': assert sum(p.boxes for p in report.problems.where(reason='missing_image', source=name)) == 1515


@pytest.mark.parametrize('put', [copied, linked])
def test_by_level(tmp_path, put):
    raw, out = tmp_path/'raw', tmp_path/'out'
    put(raw, 'dogs_csv', 'detector'), put(raw, 'faces_pts', 'landmarker'), put(raw, 'people_coco_keypoints', 'landmarker')
    report = process(raw, out)
    assert_accounted(report, out)
    assert counts(report, 'detector/dogs_csv') == (18, 24, 24, 0, 0)
    assert report.sources['landmarker/people_coco_keypoints'].keypoints.kept == 12
    assert len(of('dogs_csv', rows(out, 'detector'))) == 18 and of('people_coco_keypoints', rows(out, 'detector')) == []
    assert len(of('people_coco_keypoints', rows(out, 'landmarker'))) == 12 and len(of('faces_pts', rows(out, 'landmarker'))) == 4
    assert len(of('faces_pts', rows(out, 'teacher'))) == 4


@pytest.mark.parametrize('put', [copied, linked])
def test_one_set_under_both_levels(tmp_path, put):
    "One folder, copied or linked under `detector/` and `landmarker/`, feeds both"
    raw, out = tmp_path/'raw', tmp_path/'out'
    put(raw, 'people_coco_keypoints', 'detector'), put(raw, 'people_coco_keypoints', 'landmarker')
    report = process(raw, out)
    assert_accounted(report)
    assert sum(len(v) for _, v in rows(out, 'detector')) == 14 and len(rows(out, 'landmarker')) == 12
    sides = {}
    for kind in ('detector', 'landmarker', 'teacher'):
        for split in ('train', 'val'):
            if (out/f'{split}_{kind}.npy').exists():
                dataset = LazyNPYDataset(out/f'{split}_{kind}.npy')
                for i in range(len(dataset)): sides.setdefault(Path(dataset.get_metadata(i)['image_path']).name, set()).add(split)
    assert len(sides) == 4 and all(len(o) == 1 for o in sides.values())


@pytest.mark.parametrize('loader', ['pil', 'cv2', 'turbo'])
def test_every_row_loads(tmp_path, loader):
    "… and boxes lie inside of their images"
    for name in SETS: linked(tmp_path/'raw', name)
    process(tmp_path/'raw', tmp_path/'out', train_split=1)
    for kind in ('detector', 'landmarker', 'teacher'):
        dataset = LazyNPYDataset(tmp_path/f'out/train_{kind}.npy', image_loader=loader)
        for i in range(len(dataset)):
            sample, (h, w) = dataset[i], dataset.metadata.column('sizes')[i]
            if kind != 'teacher': assert sample['image'].shape == (h, w, 3)
            if kind == 'detector':
                x, y, bw, bh = sample['bboxes'].T
                assert (x >= 0).all() and (y >= 0).all() and (x + bw <= w + 1e-3).all() and (y + bh <= h + 1e-3).all()
            if kind == 'teacher': assert min(sample['image'].shape[:2]) >= 1


def test_points_are_as_written(tmp_path):
    linked(tmp_path/'raw', 'faces_pts')
    process(tmp_path/'raw', tmp_path/'out')
    text = (REAL/'faces_pts/001/annot/000006.pts').read_text()
    expected = np.array(text.partition('{')[2].partition('}')[0].split(), float).reshape(-1, 2)
    points = np.array(dict(rows(tmp_path/'out', 'landmarker'))['faces_pts/001/imgs/000006.jpg'])
    assert np.allclose(points[:, :2], expected, atol=1e-2) and (points[:, 2] > 0).all()
