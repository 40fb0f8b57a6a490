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
from ear_lazy.lazy_dataset import LazyNPYDataset

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
    'b/1.png': [dict(keypoints=[5, 5, 2, 7.25, 11, 1], category_id=5), dict(bbox=[0.1, 0.2, 0.3, 0.4])],
    'b/ü 2.png': [], '3.png': [dict(bbox=[3, 3, 9, 9], keypoints=[2, 3, 2, 8, 9, 1], category_id=9)]}


def opened(out, kind): return LazyNPYDataset(out/f'train_{kind}.npy')


def processed(raw, out, **options):
    report = process(raw, out, train_split=1, **options)
    return {kind: opened(out, kind) for kind in KINDS if (out/f'train_{kind}.npy').exists()}, report


def fields(ds, ending='png', ids=True):
    "All that the metadata says of each object, by the name of its photo; `ids`: with those of its annotations"
    m, found = ds.metadata, []
    attributes = {o: m.whole(o) for o in m.attribute_names()}
    ends = np.cumsum(m.whole('counts')) if ds.kind == 'detector' else np.arange(1, len(ds) + 1)
    for i in range(len(ds)):
        values, labels = m.values(i), [ds.label_names[o] for o in np.atleast_1d(m.labels(i)).tolist()]
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
        file = to_coco(ds[kind], tmp_path/kind/'out/all.json', images)
        home = tmp_path/kind
        if images is None:
            file = to_coco(ds[kind], home/'all.json')
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


@settings(max_examples=tries(40))
@given(st.dictionaries(st.sampled_from(NAMES), st.lists(objects(), max_size=3), min_size=1), st.sampled_from(KINDS), st.sampled_from(('link', 'copy')))
def test_whatever_a_file_holds_comes_home(images, kind, how):
    with tempfile.TemporaryDirectory() as tmp:
        tmp = Path(tmp)
        made(tmp/'raw', images)
        ds = processed(tmp/'raw', tmp/'npy', kinds=(kind,), sources=[RECORDED])[0].get(kind)
        if ds is None: return
        to_coco(ds, tmp/'out/ears/all.json', how)
        again = processed(tmp/'out', tmp/'npy2', kinds=(kind,), sources=[RECORDED])[0][kind]
        unique = len({*(ids := ds.metadata.origin_ids().tolist())}) == len(ids) and 0 not in ids
        assert fields(again, ids=unique) == fields(ds, ids=unique)
