"What the figures on wrong labels stand on: that the errors are where they are said to be, and how a list is judged"
import importlib
from pathlib import Path

import numpy as np
import pytest

from ear_lazy.data_processor import DataProcessor
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.synthetic import write_raw

BENCHMARKS = Path(__file__).parent.parent/'benchmarks'


@pytest.fixture(scope='module')
def planting():
    with pytest.MonkeyPatch.context() as m:
        m.syspath_prepend(str(BENCHMARKS))
        yield importlib.import_module('planting')


@pytest.fixture(scope='module')
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp('planted')
    write_raw(folder/'raw', images=12)
    DataProcessor(folder/'raw', folder/'out', num_workers=0, progress=False).process_all(train_split=1)
    return folder/'out'


def values(ds, kind): return [ds.get_metadata(i)[kind] for i in range(len(ds))]


def test_errors_are_where_they_are_said_to_be(planting, out):
    "A file with errors opens as any other, and all else is as it was"
    for kind in (*planting.POINTS, *planting.BOXES, *planting.WITH_MODEL):
        what, key = ('landmarker', 'keypoints') if kind in planting.POINTS else ('detector', 'bboxes')
        if kind == 'wrong class': continue # the demo has one
        record = planting.read(out/f'train_{what}.npy')
        spoiled = planting.planted(record, kind, 2, np.random.default_rng(1))
        before, after = (values(LazyNPYDataset(o), key) for o in (out/f'train_{what}.npy', planting.write(out/'spoiled.npy', spoiled.record)))
        assert len(spoiled.groups) == 2
        changed = {i for i, (a, b) in enumerate(zip(before, after)) if not np.array_equal(a, b)}
        assert changed == set(spoiled.rows.tolist()), kind
        grown = sum(map(len, after)) - sum(map(len, before))
        assert grown == {'duplicate': 2, 'spurious': 2, 'missing': -2}.get(kind, 0)


def test_another_class_is_another(planting, out):
    record = planting.read(out/'train_detector.npy')
    record = planting.with_columns(record, labels=np.arange(len(record['labels']), dtype='<i4') % 3 + 1, label_names=np.array([b'', b'a', b'b', b'c']))
    spoiled = planting.planted(record, 'wrong class', 3, np.random.default_rng(0))
    own = [o for group in spoiled.groups for o in group]
    assert len(own) == 3 and (spoiled.record['labels'][own] != spoiled.right).all() and (spoiled.record['labels'] != record['labels']).sum() == 3


def test_an_error_that_changes_nothing_is_not_made(planting):
    boxes, frames = np.array([[0., 0, 10, 10], [20, 30, 10, 10]]), np.full((2, 2), 100)
    found = planting.spoiled_boxes('xyxy as xywh', boxes, frames, np.random.default_rng(0))
    assert np.isnan(found[0]).all() and found[1].tolist() == [20, 30, 30, 40]
    assert np.isnan(planting.spoiled_boxes('elsewhere', np.array([[0., 0, 90, 90]]), frames[:1], np.random.default_rng(0))).all(), 'there is no room'
    one = np.array([[[5., 5, 2], [0, 0, 0]]])
    assert np.isnan(planting.spoiled_points('order reversed', one, np.random.default_rng(0))[0, 0, :2]).all()


def test_a_list_is_judged_by_the_places_of_the_errors(planting):
    assert planting.average_precision(np.array([2., 1])) == 1
    assert planting.average_precision(np.array([2., 4])) == .5
    assert planting.average_precision(np.array([1., np.inf])) == .5
    assert planting.recall(np.array([1., 5, np.inf]), 4) == 1/3
    pair = planting.Planted(None, [{4, 5}, set()], np.array([2, 3]), None)
    offsets = np.array([0, 2, 4, 6, 8])
    found = planting.ranks([(2, 1), (2, 0), (0, 0), (3, -1)], pair, offsets)
    assert found.tolist() == [1, 3], 'the other one of the pair is neither a find nor a false alarm'
