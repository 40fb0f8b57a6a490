"The cache against a model of it, and under eight threads at once"
import pickle
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ear_lazy.cache import CacheInfo, LRUCache, parse_bytes

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


@given(st.one_of(st.none(), st.integers(0, 5)), st.integers(0, 60), st.lists(st.tuples(KEYS, st.integers(0, 70)), max_size=60))
def test_bytes_are_bounded_as_values_are(maxsize, max_bytes, steps):
    "What is stored is bytes; a step asks for a key, and stores so many bytes if it is not there or of another length"
    cache, model = LRUCache(maxsize, max_bytes), OrderedDict()
    for key, size in steps:
        found = cache.get(key)
        assert (None if found is None else sum(o.nbytes for o in found)) == model.get(key)
        if key in model: model.move_to_end(key)
        if found is not None and model[key] == size: continue
        cache.put(key, (np.zeros(size // 2, np.uint8), np.zeros(size - size // 2, np.uint8)))
        model.pop(key, None)
        if size <= max_bytes: model[key] = size
        while sum(model.values()) > max_bytes or (maxsize is not None and len(model) > maxsize): model.popitem(last=False)
        assert (cache.nbytes, cache.info().currsize) == (sum(model.values()), len(model))
    assert pickle.loads(pickle.dumps(cache)).max_bytes == max_bytes


@pytest.mark.parametrize('words, number', [(0, 0), ('17', 17), ('500MB', 5 * 10**8), ('2gb', 2 * 10**9), ('1.5 KiB', 1536), ('1TiB', 2**40), (np.int64(9), 9), (1e6, 10**6)])
def test_numbers_of_bytes(words, number): assert parse_bytes(words) == number


@pytest.mark.parametrize('words', ['', 'MB', '-1', -1, '1e3', '5 XB', 'nan', '1,000', None, float('nan'), '1MB 2MB'])
def test_what_is_no_number_of_bytes(words):
    with pytest.raises(ValueError, match='is no number of bytes'): parse_bytes(words)


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
