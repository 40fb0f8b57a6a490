"One cache for all processes: against a model, under workers, under threads, and when processes are killed anywhere"
import errno
import gc
import mmap
import multiprocessing
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Thread

import numpy as np
import pytest
import torch
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from making import KINDS, ROOT, coco, image, process
from PIL import Image
from tiers import steps, tries
from torch.utils.data import DataLoader

from ear_lazy import shared_cache
from ear_lazy.disk_cache import DiskCache
from ear_lazy.errors import EarLazyError, ImageLoadError, MetadataError
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.loading.cache import CacheInfo, add_infos
from ear_lazy.shared_cache import BLOCK_BYTES, SharedCache, pack

pytestmark = pytest.mark.skipif(sys.platform != 'linux', reason='a shared cache needs Linux')
KEY = {'detector': 'bboxes', 'landmarker': 'keypoints', 'teacher': 'bbox'}
fork = multiprocessing.get_context('fork')


def value(key, blocks=None):
    "Arrays that a key always has; an image of one to seven blocks, and boxes"
    rng = np.random.default_rng(key)
    blocks = blocks or 1 + key % 7
    return rng.integers(0, 256, (1, (blocks * BLOCK_BYTES - 400) // 3, 3), np.uint8), rng.random((key % 3, 4), np.float32)


def name(key): return f'key {key}'.encode()


def is_value(found, key, blocks=None): return all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(found, value(key, blocks), strict=True))


def with_blocks(n):
    "A cache with room for so many blocks, each with its 44 bytes of tables; memory comes in whole pages"
    return SharedCache(-(-(n + 1) * (BLOCK_BYTES + 44) // mmap.PAGESIZE) * mmap.PAGESIZE)


def in_child(function):
    "Run a function in a forked process, which ends without any cleaning up; its exit status"
    if pid := os.fork(): return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    status = 1
    try: status = function() or 0
    except BaseException:
        import traceback
        traceback.print_exc()
    finally: os._exit(status)


def check(cache, blocks):
    "It holds as many values, in as many blocks, as can be found in it; `blocks` are those of each key that was ever put"
    found = [n for key, n in blocks.items() if name(key) in cache]
    assert cache.info().currsize == len(found) and cache.nbytes == BLOCK_BYTES * sum(found)
    return True


def check_all_of_it(cache, n):
    "No block is lost or belongs to two values: so many values of one block fit, and then each drives out the oldest"
    for key in range(100, 100 + 2 * n):
        cache.put(name(key), value(key, 1))
        kept = range(max(100, key + 1 - n), key + 1)
        if key >= 99 + n: assert name(kept[0]) in cache and name(kept[0] - 1) not in cache and (cache.info().currsize, cache.nbytes) == (n, n * BLOCK_BYTES)
    for key in kept: assert is_value(cache.get(name(key)), key, 1)
    return True


# One process

class Model(RuleBasedStateMachine):
    "A shared cache is an ordered dict with so many blocks, in whichever process it is used"
    BLOCKS = 12
    cache = None
    keys, blocks, elsewhere = st.integers(0, 9), st.integers(1, 14), st.booleans()

    @initialize()
    def start(self): self.cache, self.model, self.hits, self.misses = with_blocks(self.BLOCKS), OrderedDict(), 0, 0

    def do(self, function, elsewhere):
        if elsewhere: assert in_child(lambda: function() and 0) == 0
        else: function()

    @rule(key=keys, blocks=blocks, elsewhere=elsewhere)
    def put(self, key, blocks, elsewhere):
        assert len(pack(value(key, blocks))) == blocks
        self.do(lambda: self.cache.put(name(key), value(key, blocks)), elsewhere)
        self.model.pop(key, None)
        if blocks > self.BLOCKS: return
        self.model[key] = blocks
        while sum(self.model.values()) > self.BLOCKS: self.model.popitem(last=False)

    @rule(key=keys, elsewhere=elsewhere)
    def get(self, key, elsewhere):
        def ask():
            found = self.cache.get(name(key))
            assert (found is not None) == (key in self.model)
            assert found is None or is_value(found, key, self.model[key])
        self.do(ask, elsewhere)
        self.hits, self.misses = (self.hits + 1, self.misses) if key in self.model else (self.hits, self.misses + 1)
        if key in self.model: self.model.move_to_end(key)

    @rule(asked=st.lists(keys, max_size=12), elsewhere=elsewhere)
    def get_many(self, asked, elsewhere):
        "What is found is right; what is not (nor may be, if its blocks are scattered) counts when it is asked for alone"
        outs = [value(key, self.model.get(key, 1))[0]*0 if key % 2 else None for key in asked]
        found = self.cache.get_many([name(o) for o in asked], outs)
        for key, out, o in zip(asked, outs, found, strict=True):
            assert o is None or key in self.model and is_value(o, key, self.model[key]) and (out is None or o[0] is out)
            if o is None: self.get(key, elsewhere) # whose turn may come later
        self.hits += sum(o is not None for o in found)
        for key in [k for k, o in zip(asked, found) if o is not None] + [k for k, o in zip(asked, found) if o is None]:
            if key in self.model: self.model.move_to_end(key)

    @rule(asked=st.lists(keys, min_size=4, max_size=12), blocks=st.integers(1, 6))
    def read_through(self, asked, blocks):
        "As a dataset does: what is not there is made and stored"
        for key in asked:
            self.get(key, False)
            if key not in self.model: self.put(key, blocks, False)

    @rule(elsewhere=elsewhere)
    def clear(self, elsewhere):
        self.do(self.cache.clear, elsewhere)
        self.model, self.hits, self.misses = OrderedDict(), 0, 0

    @invariant()
    def agrees(self):
        if self.cache is None: return
        assert self.cache.info() == CacheInfo(self.hits, self.misses, None, len(self.model))
        assert check(self.cache, self.model) and [key for key in range(10) if name(key) in self.cache] == sorted(self.model)

    def teardown(self): assert self.cache is None or check_all_of_it(self.cache, self.BLOCKS)


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=25, stateful_step_count=20)


def memory(cache): return os.fstat(cache._fd).st_blocks * 512


@pytest.mark.parametrize('budget', [30_000, 250_000, 3_000_000])
def test_the_budget_holds_for_values_of_all_sizes(budget):
    "… tables included, and memory is taken only as values come"
    cache, rng = SharedCache(budget), np.random.default_rng(0)
    assert cache.max_bytes == budget and memory(cache) <= max(budget // 20, 3 * BLOCK_BYTES)
    for i in range(400):
        array = rng.integers(0, 256, int(rng.integers(1, budget)), np.uint8)
        cache.put(name(i), (array,))
        assert memory(cache) <= budget and cache.nbytes <= budget
        if (found := cache.get(name(i))) is not None: assert np.array_equal(found[0], array)
        else: assert len(array) > 0.98 * budget - 3 * BLOCK_BYTES
    assert check(cache, {i: len(pack(cache.get(name(i)))) for i in range(400) if name(i) in cache})
    assert check_all_of_it(cache, budget // mmap.PAGESIZE * mmap.PAGESIZE // (BLOCK_BYTES + 44) - 1)


def test_values_of_all_dtypes():
    cache = SharedCache('1MB')
    arrays = [np.arange(7).astype(d).reshape(1, 7) for d in ('?', 'i1', '<u2', '>i4', 'f2', 'f4', 'f8', 'c8', 'S5', 'U3')]
    for given in ((), arrays, [np.zeros((0, 4))], [np.array(3.0), np.array(True)], [np.arange(24).reshape(2, 3, 4).T[:, ::2]], [o[:, ::-1] for o in arrays]):
        cache.put(b'', given)
        found = cache.get(b'')
        assert type(found) is tuple and len(found) == len(given)
        for a, b in zip(found, given): assert a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b) and a.flags.writeable and a.flags.aligned
    for wrong in (np.array([None]), np.zeros(2, 'i4,f4')):
        with pytest.raises(TypeError, match='cannot be shared'): cache.put(b'wrong', (wrong,))
    assert cache.get(b'wrong') is None


def test_a_callers_change_never_reaches_the_cache():
    cache, (picture, boxes) = SharedCache('1MB'), value(5)
    cache.put(b'a', (picture, boxes))
    picture[:] = 7
    for _ in range(3):
        found = cache.get(b'a')
        assert is_value(found, 5)
        for o in found: o[...] = 9


def get_at_line(cache, key, line, other, function='get'):
    "`cache.get`, or of several keys, at whose so-manieth line another thread does something; (what it gave, whether it came so far)"
    thread, count = Thread(target=other), 0
    def trace(frame, event, arg):
        nonlocal count
        if (frame.f_code.co_filename, frame.f_code.co_name) != (shared_cache.__file__, function): return None
        if event == 'line':
            count += 1
            if count == line:
                thread.start()
                thread.join(0.2) # it waits for the lock, where that is held
        return trace
    sys.settrace(trace)
    try: found = cache.get(key) if function == 'get' else cache.get_many(key, [None]*len(key))
    finally: sys.settrace(None)
    if thread.ident: thread.join()
    return found, count >= line


@pytest.mark.parametrize('other', [1, 6])
def test_evicted_while_it_is_copied(other):
    "Whenever another value comes, what is served is right, and what has gone is a miss"
    cache, line, served = with_blocks(7), 1, []
    def put_others():
        for _ in range(3): cache.put(name(8), value(8, other))
    while True:
        cache.clear()
        cache.put(name(0), value(0, 2))
        found, came = get_at_line(cache, name(0), line, put_others)
        if not came: break
        served.append(found is not None)
        assert found is None or is_value(found, 0, 2)
        assert cache.info() == CacheInfo(served[-1], not served[-1], None, 1 + (other == 1)) and check(cache, {0: 2, 8: other})
        line += 1
    assert line > 4 and {*served} == ({True} if other == 1 else {True, False})


def test_evicted_while_a_batch_is_copied():
    "A value that gives way while a batch is copied is not served, also where another, or the same anew, lies at its place by then; the rest of the batch is"
    line, served = 1, set()
    while True:
        cache = with_blocks(7)
        for key in (0, 1, 2): cache.put(name(key), value(key, 2))
        def put_others(cache=cache):
            cache.put(name(0), value(3, 2)) # another value of the same key, at the same blocks
            cache.put(name(8), value(8, 3))
        found, came = get_at_line(cache, [name(0), None, name(1), name(2)], line, put_others, 'get_many')
        if not came: break
        assert found[1] is None and all(o is None or is_value(o, key, 2) or key == 0 and is_value(o, 3, 2) for key, o in zip((0, 1, 2), [found[0], *found[2:]]))
        assert cache.info().hits == sum(o is not None for o in found)
        served.add(tuple(o is not None for o in found))
        line += 1
    assert line > 8 and (True, False, True, True) in served and len(served) > 1


def test_overwritten_while_a_batch_is_copied(monkeypatch):
    "As above, between the look and the copy, where nothing but the stamp of the entry tells"
    cache, real = with_blocks(7), shared_cache.own
    for key in (1, 2): cache.put(name(key), value(key, 2))
    def other_first(there, out):
        monkeypatch.setattr(shared_cache, 'own', real)
        assert in_child(lambda: cache.put(name(1), value(9, 2))) == 0
        return real(there, out)
    monkeypatch.setattr(shared_cache, 'own', other_first)
    first, second = cache.get_many([name(1), name(2)], [None, None])
    assert first is None and is_value(second, 2, 2) and cache.info()[:2] == (1, 0)
    assert is_value(cache.get(name(1)), 9, 2)


# Threads

def hammer(cache, seed, rounds, keys=30):
    "Put and get in disorder; every value found is right"
    hits = 0
    for key in np.random.default_rng(seed).integers(0, keys, rounds).tolist():
        found = cache.get(name(key))
        hits += found is not None
        if found is None: cache.put(name(key), value(key))
        else: assert is_value(found, key)
    return hits


def test_threads():
    cache, start = with_blocks(60), Barrier(8)
    def run(seed):
        start.wait()
        return hammer(cache, seed, 300)
    with ThreadPoolExecutor(8) as pool: hits = sum(pool.map(run, range(8)))
    info = cache.info()
    assert (info.hits, info.hits + info.misses) == (hits, 8 * 300) and hits > 100 and check(cache, {key: len(pack(value(key))) for key in range(30)}) and check_all_of_it(cache, 60)


def test_two_caches_waited_for_crosswise():
    "Each process holds one cache while another of its threads waits for the other: the kernel calls that a deadlock, and it is none"
    a, b, (ours, theirs) = SharedCache('1MB'), SharedCache('1MB'), fork.Pipe()
    def hold(mine, other, pipe):
        with mine._exclusive():
            pipe.send('I hold mine')
            pipe.recv()
            thread = Thread(target=other.put, args=(b'a', value(1)))
            thread.start()
            thread.join(0.3)
        thread.join()
    child = fork.Process(target=hold, args=(b, a, theirs))
    child.start()
    hold(a, b, ours)
    child.join(30)
    assert child.exitcode == 0 and is_value(a.get(b'a'), 1) and is_value(b.get(b'a'), 1)


def test_a_supposed_deadlock_is_asked_again(monkeypatch):
    cache, real, errors = SharedCache('1MB'), shared_cache.fcntl.lockf, [OSError(errno.EDEADLK, 'Resource deadlock avoided')] * 3
    def lockf(fd, what):
        if what == shared_cache.fcntl.LOCK_EX and errors: raise errors.pop()
        return real(fd, what)
    monkeypatch.setattr(shared_cache.fcntl, 'lockf', lockf)
    cache.put(b'a', value(1))
    assert not errors and is_value(cache.get(b'a'), 1)
    errors.append(OSError(errno.ENOLCK, 'No locks available'))
    with pytest.raises(OSError, match='No locks'): cache.get(b'a')
    assert is_value(cache.get(b'a'), 1)


def test_a_fork_while_another_thread_holds_the_lock():
    cache = SharedCache('1MB')
    cache.put(b'a', value(3))
    held, done = Barrier(2), Barrier(2)
    def hold():
        with cache._lock:
            held.wait()
            done.wait()
    thread = Thread(target=hold)
    thread.start()
    held.wait()
    def child():
        signal.alarm(20)
        assert is_value(cache.get(b'a'), 3) and pickle.loads(pickle.dumps(cache)) is cache
    try: assert in_child(child) == 0
    finally: done.wait()
    thread.join()


# Killed

def killed_at(cache, function, line):
    "Run a function in a process that is killed when it comes to the so-manieth line of the module; is it killed?"
    count = 0
    def trace(frame, event, arg):
        nonlocal count
        if frame.f_code.co_filename != shared_cache.__file__: return None
        count += event == 'line'
        if count > line: os.kill(os.getpid(), signal.SIGKILL)
        return trace
    def child():
        sys.settrace(trace)
        function()
        sys.settrace(None)
    status = in_child(child)
    assert status in (0, -signal.SIGKILL)
    return status != 0


BLOCKS_OF = {1: 2, 2: 2, 3: 2, 4: 3, 9: 3}

def put_one(cache): cache.put(name(9), value(9, 3)) # drives two out
def put_again(cache): cache.put(name(2), value(2, 2))
def get_one(cache): assert is_value(cache.get(name(2)), 2, 2)
def get_some(cache): assert [o and is_value(o, key, 2) for key, o in zip((1, 4, 3), cache.get_many([name(1), name(4), name(3)], [None]*3))] == [True, None, True]
def clear_all(cache): cache.clear()


@steps(7)
@pytest.mark.parametrize('function', [put_one, put_again, get_one, get_some, clear_all])
def test_killed_at_every_line(function, step):
    "Nobody waits for the dead, no half value is served, and the cache goes on; most often it keeps what it had"
    cache, line, kept = with_blocks(7), 0, []
    def ready():
        cache.clear()
        for key in (1, 2, 3): cache.put(name(key), value(key, 2))
    ready()
    while killed_at(cache, lambda: function(cache), line):
        found = {key: cache.get(name(key)) for key in (1, 2, 3, 9)}
        for key, o in found.items(): assert o is None or is_value(o, key, 3 if key == 9 else 2)
        kept.append(sum(o is not None for o in found.values()))
        assert check(cache, BLOCKS_OF)
        cache.put(name(4), value(4, 3))
        assert is_value(cache.get(name(4)), 4, 3) and check(cache, BLOCKS_OF) and check_all_of_it(cache, 7)
        ready()
        line += step
    assert line > 15
    if function is not clear_all: assert np.mean(np.array(kept) > 0) > 0.5
    assert memory(cache) <= cache.max_bytes


def test_killed_again_and_again_among_others():
    "Others put and get all the time while workers are killed at moments that nobody chose"
    cache, stop = with_blocks(60), fork.RawValue('b') # no Event: a process that is killed in it would keep its lock
    def go_on(seed):
        while not stop.value: hammer(cache, seed, 50)
    def start(seed):
        child = fork.Process(target=go_on, args=(seed,))
        child.start()
        return child
    others, rng = [start(0), start(1)], np.random.default_rng(0)
    for seed in range(2, 2 + tries(80)):
        victim = start(seed)
        time.sleep(rng.uniform(0, 0.02))
        os.kill(victim.pid, signal.SIGKILL)
        victim.join()
        hammer(cache, seed, 5)
    stop.value = True
    for other in others: other.join(60)
    assert [other.exitcode for other in others] == [0, 0] and check(cache, {key: len(pack(value(key))) for key in range(30)}) and cache.info().currsize > 5 and check_all_of_it(cache, 60)
    assert memory(cache) <= cache.max_bytes


# Nothing is left behind

def shared_memory(pid):
    "Named memory of a process or of this package; other processes come and go"
    return {o for o in os.listdir('/dev/shm') if 'ear_lazy' in o or str(pid) in o}


def users(inode):
    "Processes that map the memory of a cache"
    found = []
    for maps in Path('/proc').glob('[0-9]*/maps'):
        try: lines = maps.read_text().splitlines()
        except OSError: continue
        if any('memfd:ear_lazy' in line and f' {inode} ' in line for line in lines): found.append(int(maps.parent.name))
    return found


def test_memory_and_descriptors_are_given_back():
    gc.collect()
    fds, shm = set(os.listdir('/proc/self/fd')), shared_memory(os.getpid())
    for _ in range(30):
        cache = SharedCache('1MB')
        cache.put(b'a', value(3))
        found, again, inode = cache.get(b'a'), pickle.loads(pickle.dumps(cache)), os.fstat(cache._fd).st_ino
        assert again is cache and users(inode) == [os.getpid()]
        del cache, again
        assert users(inode) == [] and is_value(found, 3)
    assert set(os.listdir('/proc/self/fd')) <= fds and shared_memory(os.getpid()) <= shm


def test_a_child_outlives_the_object_of_its_parent():
    cache, (ours, theirs) = SharedCache('1MB'), fork.Pipe()
    cache.put(b'a', value(3))
    inode = os.fstat(cache._fd).st_ino
    def serve(cache): theirs.recv() and theirs.send(is_value(cache.get(b'a'), 3)) or theirs.recv()
    child = fork.Process(target=serve, args=(cache,))
    child.start()
    del cache
    assert users(inode) == [child.pid]
    ours.send(True)
    assert ours.recv()
    ours.send(True)
    child.join()
    assert users(inode) == []


def test_a_handle_of_what_is_gone():
    cache = SharedCache('1MB')
    handle, fd = pickle.dumps(cache), cache._fd
    del cache
    with pytest.raises(EarLazyError, match='shared cache of process .* is gone: No such file'): pickle.loads(handle)
    other = os.open(__file__, os.O_RDONLY)
    os.dup2(other, fd)
    try:
        with pytest.raises(EarLazyError, match='is gone'): pickle.loads(handle)
    finally:
        for o in {fd, other}: os.close(o)
    code = "import pickle, sys; from ear_lazy.shared_cache import SharedCache; sys.stdout.buffer.write(pickle.dumps(SharedCache('1MB')))"
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, cwd=ROOT, check=True)
    with pytest.raises(EarLazyError, match='is gone'): pickle.loads(run.stdout)


# Datasets

@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    "24 photos with three boxes and sets of points each"
    folder, rng, images = tmp_path_factory.mktemp('shared'), np.random.default_rng(0), {}
    for i in range(24):
        image(folder/f'raw/ears/{i}.png', (60, 90), seed=i)
        boxes = [[*rng.uniform(0, 10, 2), *rng.uniform(10, 30, 2)] for _ in range(3)]
        images[f'{i}.png'] = [dict(bbox=b, keypoints=[*rng.uniform(1, 20, 2), 2, *rng.uniform(1, 20, 2), 1]) for b in boxes]
    coco(folder/'raw/ears/ears.json', images, (60, 90))
    process(folder/'raw', folder/'out')
    return folder


def opened(folder, kind='detector', split='train', **options): return LazyNPYDataset(folder/f'out/{split}_{kind}.npy', **options)


def same(a, b):
    assert list(a) == list(b)
    for x, y in zip(a.values(), b.values()):
        assert type(x) is type(y)
        if getattr(x, 'dtype', None) == object: assert len(x) == len(y) and all(map(np.array_equal, x, y))
        else: assert np.array_equal(x, y)
    return True


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('options', [{}, dict(image_loader='cv2', extras=('labels', 'row')), dict(image_size=(32, 48)), dict(image_size=(32, 48), resize='stretch')], ids=str)
def test_the_same_with_and_without(folder, kind, options):
    "… and what a caller does to a sample stays with that caller"
    plain, cached = opened(folder, kind, **options), opened(folder, kind, cache=SharedCache('5MB'), **options)
    for _ in range(3):
        for i in range(len(plain)):
            sample = cached[i]
            assert same(sample, plain[i])
            sample['image'][:] = 7
            sample[KEY[kind]][...] = -1
    n = len(plain)
    assert cached.cache_info() == (2 * n, n, None, n)


def caches(tmp_path): return dict(cache_size=99), dict(cache=SharedCache('5MB')), dict(cache=DiskCache('5MB', tmp_path/'samples'))


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('options', [{}, dict(image_size=(32, 48), extras=('labels', 'row')), dict(image_size=(400, 640))], ids=str)
def test_batches_are_the_same_with_and_without(folder, tmp_path, kind, options):
    "… in place, with a transform, of a subset, of combined datasets and by threads, whether all, none or some of it is in the cache"
    plain = opened(folder, kind, **options)
    time.sleep(.03)
    for cache in caches(tmp_path):
        for transform in (None, lambda o: type(o)(o, image=o['image'] + np.uint8(1))):
            cached, bare = opened(folder, kind, **options, **cache, transform=transform), opened(folder, kind, **options, transform=transform)
            both, bares = CombinedLazyDataset([cached, cached[::-2]]), CombinedLazyDataset([bare, bare[::-2]])
            for rows in ([3, 1, 3], [*range(len(plain))], [*range(len(plain))][::-1], [len(plain), 0, 2, len(plain) + 1]):
                for threads in (1, 3):
                    assert same(both.get_batch(rows, threads), bares.get_batch(rows, threads))
                    if max(rows) < len(plain): assert all(same(a, b) for a, b in zip(cached.__getitems__(rows), bare.__getitems__(rows), strict=True))
        assert cached.cache_info().hits > 100


@pytest.mark.parametrize('which', range(3))
def test_photos_replaced_or_led_astray_between_batches(folder, tmp_path, which):
    "A batch looks at the files anew: a photo replaced, removed, or by a link at itself or above leading out of the root is no hit"
    shutil.copytree(folder, tmp_path/'copy')
    photos, outside = tmp_path/'copy/raw/ears', tmp_path/'outside'
    time.sleep(.03)
    ds = opened(tmp_path/'copy', **caches(tmp_path)[which])
    first = ds.get_batch(range(8))
    assert same(ds.get_batch(range(8)), first) and ds.cache_info().hits == 8
    paths = [Path(o) for o in first['image_path']]
    Image.new('RGB', Image.open(paths[2]).size, (9, 200, 30)).save(paths[2])
    again = ds.get_batch(range(8))['image']
    assert (again[2, 5, 5] == torch.tensor([9, 200, 30])).all() and (again[:2] == first['image'][:2]).all()
    outside.mkdir()
    paths[3].rename(outside/'3.png')
    with pytest.raises(ImageLoadError): ds.get_batch(range(8))
    paths[3].symlink_to(outside/'3.png')
    with pytest.raises(MetadataError, match='a link leads outside'): ds.get_batch(range(8))
    paths[3].unlink()
    (outside/'3.png').rename(paths[3])
    time.sleep(.03) # a file that was moved just now is not kept
    for _ in range(2): assert (ds.get_batch(range(8))['image'] == again).all()
    hits = ds.cache_info().hits
    assert ds.get_batch(range(8)) and ds.cache_info().hits == hits + 8
    photos.rename(outside/'ears')
    photos.symlink_to(outside/'ears')
    with pytest.raises(MetadataError, match='a link leads outside'): ds.get_batch(range(8))


@pytest.mark.parametrize('start', ['fork', 'spawn', pytest.param('forkserver', marks=pytest.mark.slow)])
def test_workers_serve_each_other(folder, start):
    "The second epoch, in another order and so by other workers, decodes nothing; what is in the cache is what is delivered"
    plain, dataset = opened(folder), opened(folder, cache=SharedCache('5MB'))
    loader = DataLoader(dataset, 2, shuffle=True, num_workers=2, multiprocessing_context=start, persistent_workers=start != 'fork',
                        generator=torch.Generator().manual_seed(0))
    expected = {plain[i]['image_path']: plain[i] for i in range(len(plain))}
    for epoch in range(2):
        for batch in loader:
            for path, picture, boxes in zip(batch['image_path'], batch['image'], batch['bboxes']):
                assert np.array_equal(picture, expected[path]['image']) and np.array_equal(boxes, expected[path]['bboxes'])
        assert dataset.cache_info() == (epoch * len(dataset), len(dataset), None, len(dataset))
    assert same(dataset[0], plain[0]) and dataset.cache_info().hits == len(dataset) + 1


def test_train_and_val_within_one_budget(folder):
    cache = SharedCache('300kB')
    train, val = opened(folder, cache=cache), opened(folder, split='val', cache=cache)
    both, own = CombinedLazyDataset([train, val[:2], val]), opened(folder, cache_size=3)
    for i in range(len(both)): both[i]
    assert cache.nbytes <= 300_000 and cache.info().currsize < len(train) + len(val), 'not all of them fit'
    assert train.cache_info() == val.cache_info() == both.cache_info() == cache.info()
    assert cache.info().hits == 2 and cache.info().misses == len(train) + len(val), 'two rows came twice, and it did not matter from where'
    own[0]
    mixed = CombinedLazyDataset([both, own, train])
    assert mixed.cache_info() == add_infos([cache.info(), own.cache_info()])
    mixed.cache_clear()
    assert mixed.cache_info() == (0, 0, None, 0) and cache.nbytes == 0


def test_what_is_made_of_a_row_is_part_of_its_key(folder):
    "Loaders, sizes, kinds and files with other boxes do not get each other's samples; two handles of one file do"
    cache = SharedCache('20MB')
    variants = [dict(image_loader=o, **size) for o in ('pil', 'cv2', 'turbo') for size in ({}, dict(image_size=(32, 48)), dict(image_size=(32, 48), resize='stretch'))]
    for kind in KINDS:
        for options in variants: assert same(opened(folder, kind, cache=cache, **options)[0], opened(folder, kind, **options)[0])
    assert cache.info() == (0, 27, None, 27)
    assert same(opened(folder, cache=cache, extras=('row',))[0], opened(folder, extras=('row',))[0]) and cache.info().hits == 1
    assert opened(folder, cache=cache, image_loader='auto')[0] and cache.info().hits == 2 # those of 'turbo'


def test_a_file_that_was_processed_again(folder, tmp_path):
    "Rows have other numbers then, and other boxes"
    cache = SharedCache('5MB')
    image(tmp_path/'raw/a.png', (60, 90))
    for boxes in ([[1, 2, 30, 40]], [[5, 6, 20, 10]], [[1, 2, 30, 40]]):
        coco(tmp_path/'raw/a.json', {'a.png': boxes}, (60, 90))
        process(tmp_path/'raw', tmp_path/'out', train_split=1)
        dataset = LazyNPYDataset(tmp_path/'out/train_teacher.npy', cache=cache)
        assert dataset[0]['bbox'].tolist() == boxes[0] and dataset[0]['image'].shape[:2] == (boxes[0][3], boxes[0][2])
    assert cache.info().misses == 2


def test_where_there_is_no_linux(monkeypatch):
    monkeypatch.setattr(shared_cache, 'fcntl', None)
    with pytest.raises(OSError, match='needs Linux.*cache_bytes'): SharedCache('1MB')


def test_options_that_contradict(folder):
    for options in (dict(cache_size=3), dict(cache_bytes='1MB')):
        with pytest.raises(ValueError, match='cache'): opened(folder, cache=SharedCache('1MB'), **options)


def test_pickles_as_a_handle(folder):
    dataset = opened(folder, cache=SharedCache('100MB'))
    for i in range(len(dataset)): dataset[i]
    again = pickle.loads(pickle.dumps(dataset[2:9]))
    assert len(pickle.dumps(dataset)) < 2000 and again.cache_info() == dataset.cache_info() and repr(again) == repr(dataset[2:9])
    assert same(again[0], dataset[2]) and dataset.cache_info().hits == 2


def test_in_process_cache_bounded_by_bytes(folder):
    size = opened(folder)[0]['image'].nbytes + opened(folder)[0]['bboxes'].nbytes
    dataset = opened(folder, cache_bytes=3 * size)
    for i in (0, 1, 2, 0, 3, 0, 1): dataset[i]
    assert dataset.cache_info() == (2, 5, None, 3)
    both = opened(folder, cache_bytes='1GB', cache_size=2)
    for i in range(4): both[i]
    assert both.cache_info() == (0, 4, 2, 2) and opened(folder).cache_info() == (0, 0, 0, 0)
    assert pickle.loads(pickle.dumps(dataset)).cache_info() == (0, 0, None, 0)
    for wrong in ('much', -5):
        with pytest.raises(ValueError, match='is not a number of bytes'): opened(folder, cache_bytes=wrong)


def test_a_killed_worker_and_a_killed_parent_leave_nothing(folder, tmp_path):
    "Workers of a killed parent end, and the memory goes with the last of them"
    code = f'''
import os, signal, sys
from torch.utils.data import DataLoader
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.shared_cache import SharedCache
if __name__ == '__main__':
    cache = SharedCache('50MB')
    dataset = LazyNPYDataset({str(folder/'out/train_detector.npy')!r}, cache=cache)
    loader = DataLoader(dataset, 2, num_workers=2, persistent_workers=True, multiprocessing_context='fork')
    for epoch in range(2): list(loader)
    print(os.getpid(), os.fstat(cache._fd).st_ino, *cache.info()[:2], flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
'''
    script = tmp_path/'train.py'
    script.write_text(code)
    run = subprocess.run([sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT, timeout=300,
                         env=os.environ | {'PYTHONPATH': str(ROOT)})
    pid, inode, hits, misses = map(int, run.stdout.split())
    assert run.returncode == -signal.SIGKILL and hits == misses > 0
    deadline = time.monotonic() + 120
    while users(inode) and time.monotonic() < deadline: time.sleep(0.2)
    assert users(inode) == [] and not shared_memory(pid)
