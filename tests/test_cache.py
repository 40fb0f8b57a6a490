"The cache against a model of it, and under eight threads at once"
import pickle
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ear_lazy.cache import CacheInfo, LRUCache

KEYS = st.integers(0, 6)
STEPS = st.lists(st.one_of(
    st.tuples(st.just('get'), KEYS), st.tuples(st.just('put'), KEYS, st.integers()), st.tuples(st.just('clear'))), max_size=60)


@given(st.integers(0, 5), STEPS)
def test_behaves_like_an_ordered_dict(maxsize, steps):
    cache, model, hits, misses = LRUCache(maxsize), OrderedDict(), 0, 0
    for name, *arguments in steps:
        result = getattr(cache, name)(*arguments)
        match name, arguments:
            case 'get', [key]:
                assert result == model.get(key)
                hits, misses = (hits + 1, misses) if key in model else (hits, misses + 1)
                if key in model: model.move_to_end(key)
            case 'put', [key, value]:
                model.pop(key, None)
                model[key] = value
                while len(model) > maxsize: model.popitem(last=False)
            case 'clear', _: model, hits, misses = OrderedDict(), 0, 0
        assert cache.info() == CacheInfo(hits, misses, maxsize, len(model))


def test_eight_threads():
    "Nothing is lost, nothing is too much, and no key gives another's value"
    cache, start, rounds = LRUCache(16), Barrier(8), 3000
    def hammer(seed):
        start.wait()
        for key in np.random.default_rng(seed).integers(0, 40, rounds).tolist():
            value = cache.get(key)
            assert value is None or value == (key, f'value {key}')
            if value is None: cache.put(key, (key, f'value {key}'))
            if key == 0: assert cache.info().currsize <= 16
    with ThreadPoolExecutor(8) as pool: list(pool.map(hammer, range(8)))
    info = cache.info()
    assert info.hits + info.misses == 8 * rounds and info.currsize == 16 and info.hits > 0


def test_threads_that_clear():
    "Clearing in the midst of use leaves counts that fit each other"
    cache = LRUCache(4)
    def hammer(i):
        cache.get(i % 7)
        cache.put(i % 7, i)
        if i % 50 == 0: cache.clear()
    with ThreadPoolExecutor(8) as pool: list(pool.map(hammer, range(4000)))
    assert cache.info().currsize <= 4
    cache.clear()
    assert cache.info() == CacheInfo(0, 0, 4, 0)


def test_values_by_reference():
    cache, image = LRUCache(1), np.zeros((2, 2, 3), np.uint8)
    cache.put(0, image)
    assert cache.get(0) is image


def test_pickles_empty():
    cache = LRUCache(3)
    cache.put(0, np.zeros(10**6))
    cache.get(0)
    data = pickle.dumps(cache)
    assert len(data) < 200 and pickle.loads(data).info() == CacheInfo(0, 0, 3, 0)


def test_negative_size():
    with pytest.raises(ValueError, match='maxsize is -1'): LRUCache(-1)
