"Predictions by models that were trained without the rows"
import random

import numpy as np
import pytest
import torch
from making import write_rows

from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.looking.predictions import Predictions
from ear_lazy.measuring.out_of_sample import predict_by_folds

N = 24


@pytest.fixture(scope='module')
def ds(tmp_path_factory):
    "A box in each of 24 photos, two photos a group"
    folder, boxes = tmp_path_factory.mktemp('folds'), np.array([[i, 0, 10, 10] for i in range(N)], np.float32)
    return LazyNPYDataset(write_rows(folder/'train_detector.npy', 'detector', [f'{i}.jpg' for i in range(N)], np.ones(N, int), {'bboxes': boxes, 'labels': np.ones(N, int)}, groups=np.arange(N)//2))


def numbers(ds): return [int(ds.get_metadata(i)['bboxes'][0, 0]) for i in range(len(ds))]
def fit(train): return {*numbers(train)}
def boxes_of(model, val): return [np.array([[o, 0, 10., 10]]) for o in numbers(val)]


@pytest.mark.parametrize('form', [list, tuple, iter, np.array], ids=['list', 'tuple', 'generator', 'array'])
def test_all_rows_in_order_by_models_that_have_not_seen_their_group(ds, form):
    seen = []
    def predict(train, val):
        mine = numbers(val)
        seen.append(train | {*mine})
        assert not {o//2 for o in mine} & {o//2 for o in train}
        return form(boxes_of(train, val))
    found = predict_by_folds(ds, fit, predict, k=4)
    assert isinstance(found, list) and [int(o[0, 0]) for o in found] == [*range(N)]
    assert seen == [{*range(N)}]*4
    Predictions(found, ds)


def test_the_folds_are_those_of_the_dataset(ds):
    vals = []
    predict_by_folds(ds, fit, lambda train, val: vals.append(numbers(val)) or boxes_of(train, val), k=3)
    assert vals == [numbers(val) for _, val in ds.folds(3)]


def test_of_some_rows_and_of_a_combined_dataset(ds):
    some = ds[[7, 2, 20, 11, 5, 3]]
    assert [int(o[0, 0]) for o in predict_by_folds(some, fit, boxes_of, k=2)] == [7, 2, 20, 11, 5, 3]
    both = CombinedLazyDataset([ds[:6], ds[10:16]])
    assert [int(o[0, 0]) for o in predict_by_folds(both, fit, boxes_of, k=3)] == [*range(6), *range(10, 16)]


def test_random_numbers_are_those_of_the_seed_and_go_on_as_before(ds):
    def drawn(train): return torch.rand(1).item(), np.random.rand(), random.random()
    def predict(model, val): return [np.array([[*model, 1.]])]*len(val)
    def state(): return torch.random.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate()
    before = state()
    a, b, c = (predict_by_folds(ds, drawn, predict, k=2, seed=o) for o in (1, 1, 2))
    assert state() == before
    np.testing.assert_array_equal(a, b)
    assert not np.allclose(a, c)
    with pytest.raises(ZeroDivisionError): predict_by_folds(ds, lambda train: torch.rand(1)/0 + 1/0, predict)
    assert state() == before


def test_nothing_found_is_a_prediction(ds):
    assert predict_by_folds(ds, fit, lambda model, val: [None]*len(val), k=2) == [None]*N


@pytest.mark.parametrize('predict, error, words', [
    (lambda model, val: boxes_of(model, val)[1:], ValueError, 'predict() gave 11 predictions for 12 rows'),
    (lambda model, val: {'boxes': np.zeros((12, 4))}, TypeError, 'predict() gave a dict'),
    (lambda model, val: 'wrong', TypeError, 'predict() gave '),
    (lambda model, val: None, TypeError, 'predict() gave '),
    (lambda model, val: [np.zeros((1, 3))]*len(val), ValueError, 'row 0 has the shape (1, 3)'),
    (lambda model, val: 1/0, ZeroDivisionError, 'division'),
], ids=['too few', 'dict', 'text', 'none', 'no boxes', 'its own error'])
def test_what_is_wrong_is_told_after_the_first_fold_that_has_it(ds, predict, error, words):
    fitted = []
    with pytest.raises(error) as e: predict_by_folds(ds, lambda train: fitted.append(1), lambda model, val: predict(model, val) if len(fitted) == 2 else boxes_of(model, val), k=2)
    assert words in str(e.value) and len(fitted) == 2
    assert e.value.__notes__ == ['This happened in fold 2 of 2, with 12 rows to train on and 12 to predict.']


@pytest.mark.parametrize('rows, k, words', [(slice(4), 3, '3 folds need as many groups, and there are 2'), (slice(0), 2, 'there are 0'), (slice(None), 1, 'k')])
def test_folds_that_cannot_be(ds, rows, k, words):
    with pytest.raises(ValueError, match=words): predict_by_folds(ds[rows], fit, boxes_of, k=k)


def test_a_bar_if_asked(ds, capsys):
    predict_by_folds(ds, fit, boxes_of, k=2)
    assert capsys.readouterr().err == ''
    predict_by_folds(ds, fit, boxes_of, k=2, progress=True)
    assert 'folds' in capsys.readouterr().err
