"Invariant 11: what is exported with nothing changed comes home equal, field by field, for all that the metadata holds"
import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import image, process, text
from tiers import tries

from ear_lazy.data_processor import Source
from ear_lazy.export import to_coco
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset

KINDS = 'detector', 'landmarker', 'teacher'
FACE = dict(id=3, name='face', keypoints=['nose', 'left eye', 'right eye'], skeleton=[[1, 2], [1, 3]])
EAR = dict(id=5, name='ear ü', keypoints=['top', 'lobe'], skeleton=[])
CATEGORIES = [FACE, dict(id=4, name='unused'), EAR, dict(id=9, name="it's, \"quoted\"")]


def made(raw, images, categories=CATEGORIES, folder='ears'):
    "Images of 40 × 60 and one COCO file of them; an annotation without `category_id` has no class"
    file = dict(images=[], annotations=[], categories=categories)
    for i, (name, annotations) in enumerate(images.items(), 1):
        image(raw/folder/name, bits=1, seed=i)
        file['images'].append(dict(id=i, file_name=name, height=40, width=60))
        file['annotations'] += [dict(id=100 + 7*len(file['annotations']) + n, image_id=i) | o for n, o in enumerate(annotations)]
    text(raw/folder/'all.json', json.dumps(file))
    return raw


FEW = {
    'a/1.png': [dict(bbox=[1.5, 2, 10.1, 20], keypoints=[2.3, 3, 2, 8, 9, 1, 0, 0, 0], category_id=3), dict(bbox=[20, 2, 9, 9], category_id=9)],
    'b/1.png': [dict(keypoints=[5, 5, 2, 7.25, 11, 1], category_id=5), dict(bbox=[10.1, 20.2, 0.3, 0.4])],
    'b/ü x.png': [], '3.png': [dict(bbox=[3, 3, 9, 9], keypoints=[2, 3, 2, 8, 9, 1], category_id=9)]}


def opened(out, kind): return LazyNPYDataset(out/f'train_{kind}.npy')


def processed(raw, out, **options):
    report = process(raw, out, train_split=1, **options)
    return {kind: opened(out, kind) for kind in KINDS if (out/f'train_{kind}.npy').exists()}, report


def fields(ds, ids=True, unlabelled=True):
    "All that the metadata says of each object, by the name of its photo; `ids`: with those of its annotations; `unlabelled`: with the places of points that nobody labelled"
    m, found = ds.metadata, []
    attributes = {o: m.whole(o) for o in m.attribute_names()}
    ends = np.cumsum(m.whole('counts')) if ds.kind == 'detector' else np.arange(1, len(ds) + 1)
    for i in range(len(ds)):
        values = m.values(i)
        if not unlabelled and ds.kind == 'landmarker': values[values[:, 2] == 0] = 0
        labels = [ds.label_names[o] for o in np.atleast_1d(m.labels(i)).tolist()]
        own = m.origin_ids()[ends[i] - len(labels):ends[i]].tolist() if ids else []
        more = [o[ends[i] - len(labels):ends[i]].tolist() for o in attributes.values()]
        points = (m.scheme(i), m.bbox(i).tobytes()) if ds.kind == 'landmarker' else ()
        found.append((Path(m.image_path(i)).name, m.size(i), values.shape, values.tobytes(), labels, own, more, points))
    return sorted(found, key=repr)


def assert_same(again, ds):
    "Of one kind; classes that no object of the kind has are not kept"
    assert fields(again) == fields(ds)
    assert again.label_names == [o for o in ds.label_names if o in again.label_names]


@pytest.fixture(scope='module')
def few(tmp_path_factory):
    tmp = tmp_path_factory.mktemp('few')
    made(tmp/'raw', FEW)
    return tmp, processed(tmp/'raw', tmp/'npy')[0]


@pytest.mark.parametrize('images', [None, 'link', 'copy'])
def test_each_kind_comes_home(few, tmp_path, images):
    "Points without a box, objects without a class, points without names, ids, hidden and unlabelled points, photos without objects"
    raw, ds = few[0]/'raw', few[1]
    assert len(ds) == 3
    for kind in KINDS:
        to_coco(ds[kind], tmp_path/kind/'out/all.json', images)
        home = tmp_path/kind
        if images is None:
            to_coco(ds[kind], home/'all.json')
            shutil.copytree(raw, home/'photos', ignore=shutil.ignore_patterns('*.json'))
            shutil.rmtree(home/'out')
        again, report = processed(home, tmp_path/f'npy {kind}')
        assert not report.problems or {o.reason for o in report.problems} == {'packed'}, report
        assert_same(again[kind], ds[kind])


@st.composite
def objects(draw):
    "Annotations of images of 40 × 60: boxes, points, both; ids that are there twice or are 0"
    share = st.floats(0, 1, width=32)
    def box():
        x, y = draw(share)*59, draw(share)*39
        return [x, y, .5 + draw(share)*(60 - x), .5 + draw(share)*(40 - y)]
    def points(k): return [o for i in range(k) for o in (draw(st.floats(-99, 99, width=32)), draw(st.floats(-99, 99, width=32)), draw(st.integers(0, 2)) if i else 2)]
    found = dict(bbox=box()) if draw(st.booleans()) else {}
    if not found or draw(st.booleans()): found['keypoints'] = points(draw(st.sampled_from((3, 3, 2, 1))))
    if (of := draw(st.sampled_from((None, 3, 5, 9)))): found['category_id'] = of
    if draw(st.booleans()): found['id'] = draw(st.integers(0, 4))
    return found | (dict(attributes=dict(side=draw(st.sampled_from(('left', 'ü "')))), rotation=1) if draw(st.booleans()) else {})


NAMES = 'a/1.png', 'a/2.png', 'ü 3.png', os.fsdecode(b'\xff\xe4.png')
RECORDED = Source('ears', attributes=['side', 'rotation'], units='pixel')


@settings(max_examples=tries(100)//2)
@given(st.dictionaries(st.sampled_from(NAMES), st.lists(objects(), max_size=3), min_size=1), st.sampled_from(KINDS), st.sampled_from(('link', 'copy')))
def test_whatever_a_file_holds_comes_home(images, kind, how):
    with tempfile.TemporaryDirectory() as tmp:
        tmp = Path(tmp)
        made(tmp/'raw', images)
        ds = processed(tmp/'raw', tmp/'npy', kinds=(kind,), sources=[RECORDED])[0].get(kind)
        if ds is None: return
        to_coco(ds, tmp/'out/ears/all.json', how)
        again = processed(tmp/'out', tmp/'npy2', kinds=(kind,), sources=[RECORDED])[0][kind]
        ids, now = ([o for o in d.metadata.origin_ids().tolist() if o] for d in (ds, again))
        unique, whole = len({*ids}) == len(ids), sorted(ids) == sorted(now)
        assert fields(again, ids=whole) == fields(ds, ids=whole)
        assert not unique or {*ids} <= {*now}, 'an object with the id 0, which pycocotools takes for none, gets another one, and no other object does'


@pytest.mark.parametrize('place', ['data/all.json', 'data/out/deep/all.json', 'data/raw/ears/all.json', 'data/raw/all.json', 'data/raw/ears/a/all.json', 'data/raw/more/all.json'])
def test_references_are_found_wherever_the_file_is_put(few, tmp_path, place):
    "Beside the photos, above them, in the place of the file that they were read from, or in a folder of its own"
    shutil.copytree(few[0]/'raw', tmp_path/'data/raw')
    ds = processed(tmp_path/'data/raw', tmp_path/'npy', kinds=('detector',))[0]['detector']
    (tmp_path/'data/raw/ears/all.json').unlink()
    file = to_coco(ds, tmp_path/'data/out/deep/all.json')
    (tmp_path/place).parent.mkdir(exist_ok=True)
    file.rename(tmp_path/place)
    raw = tmp_path/('data/raw' if 'raw' in place else 'data')
    again, report = processed(raw, tmp_path/'npy2', kinds=('detector',))
    assert not report.problems.where(reason='missing_image'), report
    assert_same(again['detector'], ds)


def test_references_out_of_the_raw_folder_are_not_followed_and_the_remedy_works(few, tmp_path):
    ds = few[1]['detector']
    to_coco(ds, few[0]/'apart/ears/all.json')
    problem, = processed(few[0]/'apart', tmp_path/'npy')[1].problems.where(reason='missing_image')[:1]
    assert problem.detail.endswith(f"outside of the raw folder, where nothing is read that no link leads to: read {os.path.realpath(few[0])} as the raw folder, or put links to the images into this one, as an export with images='link' does")
    to_coco(ds, few[0]/'apart/ears/all.json', images='link')
    assert_same(processed(few[0]/'apart', tmp_path/'npy')[0]['detector'], ds)
    shutil.rmtree(few[0]/'apart')


def test_several_roots_come_home(few, tmp_path):
    "Photos of equal names in two raw folders"
    made(tmp_path/'other', {'a/1.png': [dict(bbox=[1, 2, 3, 4], category_id=3)]}, [dict(id=3, name='hand')])
    other = processed(tmp_path/'other', tmp_path/'npy')[0]['teacher']
    to_coco(CombinedLazyDataset([few[1]['teacher'], other]), tmp_path/'out/all.json', images='copy')
    again = processed(tmp_path/'out', tmp_path/'npy2')[0]['teacher']
    assert fields(again, ids=False) == sorted(fields(few[1]['teacher'], ids=False) + fields(other, ids=False), key=repr)


def test_rows_without_objects_and_none_at_all(few, tmp_path):
    for kind in KINDS:
        file = json.loads(to_coco(few[1][kind][:0], tmp_path/f'{kind}.json').read_text())
        assert file['images'] == file['annotations'] == [] and [o['name'] for o in file['categories']] == few[1][kind].label_names[1:]
    to_coco(few[1]['detector'][[len(o['bboxes']) == 0 for o in map(few[1]['detector'].get_metadata, range(4))]], tmp_path/'out/all.json', images='copy')
    again = processed(tmp_path/'out', tmp_path/'npy')[0]['detector']
    assert len(again) == 1 and not len(again.metadata.values(0))


def test_schemes_that_differ_within_a_class_are_all_written(few, tmp_path):
    made(tmp_path/'raw', {'z.png': [dict(keypoints=[1, 2, 2, 3, 4, 2, 5, 6, 2], category_id=1)]}, [dict(id=1, name='face', keypoints=['a', 'b', 'c'])])
    both = CombinedLazyDataset([few[1]['landmarker'], processed(tmp_path/'raw', tmp_path/'npy')[0]['landmarker']])
    found = json.loads(to_coco(both, tmp_path/'all.json').read_text())['categories']
    assert [(o['name'], o['keypoints'], o['id']) for o in found if o['name'] == 'face'] == [('face', FACE['keypoints'], 1), ('face', ['a', 'b', 'c'], 2)]


def test_flips_that_names_do_not_tell_come_home(tmp_path):
    "As YOLO's `flip_idx` says them"
    image(tmp_path/'raw/ears/images/a.png')
    text(tmp_path/'raw/ears/labels/a.txt', '0 .5 .5 .5 .5 .4 .4 2 .6 .6 2\n')
    text(tmp_path/'raw/ears/data.yaml', 'names: [ear]\nkpt_shape: [2, 3]\nflip_idx: [1, 0]\nkpt_names:\n  0: [a, b]\n')
    ds = processed(tmp_path/'raw', tmp_path/'npy')[0]['landmarker']
    assert ds.flip_pairs == ((0, 1),)
    to_coco(ds, tmp_path/'out/all.json', 'copy')
    assert fields(processed(tmp_path/'out', tmp_path/'npy2')[0]['landmarker'], ids=False) == fields(ds, ids=False)


REAL = Path(__file__).parents[2]/'shared/real/people_coco_keypoints'


@pytest.mark.skipif(not REAL.exists(), reason='no ../shared/real here')
def test_a_real_file_comes_home(tmp_path):
    "People with 17 named points: every field, with the ids of the annotations"
    shutil.copytree(REAL, tmp_path/'raw/people')
    for kind, ds in processed(tmp_path/'raw', tmp_path/'npy')[0].items():
        to_coco(ds, tmp_path/kind/'people/all.json', 'link')
        again = processed(tmp_path/kind, tmp_path/f'npy {kind}', kinds=(kind,))[0][kind]
        assert_same(again, ds)
        assert kind != 'landmarker' or again.skeleton == ds.skeleton and len(ds.skeleton) > 9 and len(ds.flip_pairs) == 8


def test_rows_are_traced_without_a_look_for_names_like_theirs(few, tmp_path, monkeypatch):
    "An attribute that is not there is looked for among all names, which takes a millisecond: not for each row"
    from ear_lazy.base import suggestions
    def looked(*_, **__): raise AssertionError('looked for a name')
    monkeypatch.setattr(suggestions, 'suggestion', looked)
    to_coco(few[1]['detector'], tmp_path/'all.json')
