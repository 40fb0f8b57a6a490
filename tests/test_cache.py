"The cache against a model of it, and under eight threads at once"
import pickle
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ear_lazy.loading.cache import CacheInfo, LRUCache, parse_bytes

KEYS = st.integers(0, 6)


class CacheAgainstModel(RuleBasedStateMachine):
    "What is stored are arrays; the model has their sizes in the order of use, and lets the first go until both bounds are kept to"
    @initialize(maxsize=st.sampled_from([3, 4, None, 0, 1, 2]), max_bytes=st.sampled_from([None, 40, 27, 60, 0]))
    def start(self, maxsize, max_bytes):
        self.cache, self.maxsize, self.max_bytes = LRUCache(maxsize, max_bytes), maxsize, max_bytes
        self.model, self.hits, self.misses = OrderedDict(), 0, 0

    def is_over(self):
        return (self.maxsize is not None and len(self.model) > self.maxsize) or (self.max_bytes is not None and sum(o[1] for o in self.model.values()) > self.max_bytes)

    @rule(key=KEYS)
    def get(self, key):
        found = self.cache.get(key)
        if key not in self.model: self.misses += 1
        else:
            self.hits += 1
            self.model.move_to_end(key)
        assert found is self.model.get(key, (None,))[0]

    @rule(key=KEYS, size=st.integers(0, 20) | st.integers(0, 70))
    def put(self, key, size):
        "… one that does not fit alone only takes what was there before away"
        value = np.zeros(size // 2, np.uint8), np.zeros(size - size // 2, np.uint8)
        self.cache.put(key, value)
        self.model.pop(key, None)
        if self.max_bytes is None or size <= self.max_bytes: self.model[key] = value, size
        while self.is_over(): self.model.popitem(last=False)

    @rule(key=KEYS)
    def ask(self, key):
        "… which is no use of it"
        for other in (key, (key + 1) % 7): assert (other in self.cache) == (other in self.model)

    @rule(keys=st.lists(KEYS, min_size=4, max_size=12), size=st.integers(0, 20))
    def read_through(self, keys, size):
        "As a dataset does: what is not there is made and stored"
        for key in keys:
            self.get(key)
            if key not in self.model: self.put(key, size)

    @rule()
    def clear(self):
        self.cache.clear()
        self.model, self.hits, self.misses = OrderedDict(), 0, 0

    @rule()
    def send_to_a_worker(self):
        "A worker has one with the same bounds and nothing in it; this one stays as it is"
        sent = pickle.loads(pickle.dumps(self.cache))
        assert (sent.maxsize, sent.max_bytes, sent.nbytes, sent.info()) == (self.maxsize, self.max_bytes, 0, CacheInfo(0, 0, self.maxsize, 0))

    @invariant()
    def is_as_the_model(self):
        if not hasattr(self, 'cache'): return
        assert self.cache.info() == CacheInfo(self.hits, self.misses, self.maxsize, len(self.model))
        assert self.cache.nbytes == sum(o[1] for o in self.model.values())


CacheAgainstModel.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestCacheAgainstModel = CacheAgainstModel.TestCase


@pytest.mark.parametrize('words, number', [(0, 0), ('17', 17), ('500MB', 5 * 10**8), ('2gb', 2 * 10**9), ('1.5 KiB', 1536), ('1TiB', 2**40), (np.int64(9), 9), (1e6, 10**6)])
def test_numbers_of_bytes(words, number): assert parse_bytes(words) == number


@pytest.mark.parametrize('words', ['', 'MB', '-1', -1, '1e3', '5 XB', 'nan', '1,000', None, float('nan'), '1MB 2MB'])
def test_what_is_no_number_of_bytes(words):
    with pytest.raises(ValueError, match='is not a number of bytes'): parse_bytes(words)


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
    with pytest.raises(ValueError, match='maxsize is 0 or more, not -1'): LRUCache(-1)
