"Threads and processes over one dataset and one cache: every sample is compared with what was drawn. MANY_SECONDS=60 makes it longer"
import multiprocessing
import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from making import coco, process
from tiers import one_of
from PIL import Image
from tally import tally

from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.shared_cache import SharedCache

SECONDS, N, THREADS, PROCESSES = float(os.environ.get('MANY_SECONDS', 1)), 60, 8, 4
BROKEN = {7, 30}


def picture(i): return np.random.default_rng(i).integers(0, 256, (20 + i, 90 - i, 3), dtype=np.uint8)
def boxes(i): return [[float(i % 7), 1, 5, 6 + i % 5]] * (1 + i % 3)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('many')
    (folder/'raw').mkdir()
    for i in range(N): Image.fromarray(picture(i)).save(folder/f'raw/{i:02}.png')
    coco(folder/'raw/a.json', {f'{i:02}.png': [[*b[:3], b[3] + j] for j, b in enumerate(boxes(i))] for i in range(N)}, None)
    process(folder/'raw', folder/'out', train_split=1)
    for i in BROKEN: (folder/f'raw/{i:02}.png').write_bytes(b'')
    return folder


def check(dataset, i, truth):
    "One sample as it was drawn; then it is spoilt, which nobody else may see"
    sample = dataset[i]
    if i in BROKEN: return bool(sample)
    same = np.array_equal(sample['image'], truth[i]) and sample['image_path'].endswith(f'/{i:02}.png')
    same = same and sample['bboxes'].tolist() == [[*b[:3], b[3] + j] for j, b in enumerate(boxes(i))]
    sample['image'][:] = 0
    sample['bboxes'][:] = -1
    return not same


def read(dataset, seed, until):
    "(samples that were read, samples that were wrong, broken ones met)"
    truth, rng, n, wrong, broken = [picture(i) for i in range(N)], np.random.default_rng(seed), 0, 0, 0
    while time.monotonic() < until or n < 50:
        i = int(rng.integers(N))
        n, wrong, broken = n + 1, wrong + check(dataset, i, truth), broken + (i in BROKEN)
        if n % 40 == 0:
            rows = [o for o in rng.integers(0, N, 5).tolist() if o not in BROKEN]
            batch = dataset.get_batch(rows)
            wrong += any(not np.array_equal(batch['image'][j, :20 + o, :90 - o], truth[o]) for j, o in enumerate(rows))
    return n, wrong, broken


def in_threads(dataset, seed, seconds, queue=None):
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(THREADS) as pool: found = list(pool.map(lambda t: read(dataset, seed * 100 + t, until), range(THREADS)))
    total = np.sum(found, axis=0).tolist()
    return total if queue is None else queue.put(total)


def ignore(error): return None


@pytest.mark.parametrize('kind, context', one_of(2, ['shared', 'own', 'none'], ['fork', 'spawn']))
def test_many_at_once(folder, kind, context):
    cache = {'shared': dict(cache=SharedCache('300kB')), 'own': dict(cache_size=20), 'none': {}}[kind]
    dataset = LazyNPYDataset(folder/'out/train_detector.npy', on_error=ignore, **cache)
    processes = multiprocessing.get_context(context)
    queue = processes.Queue()
    others = [processes.Process(target=in_threads, args=(dataset, n + 1, SECONDS, queue)) for n in range(PROCESSES)]
    for o in others: o.start()
    found = [in_threads(dataset, 0, SECONDS), *(queue.get(timeout=300 + SECONDS) for _ in others)]
    for o in others: o.join(300)
    n, wrong, broken = np.sum(found, axis=0).tolist()
    tally('many at once', f"{dict(shared='a shared cache', own='a cache of its own', none='no cache')[kind]}, {context}", seconds=SECONDS, samples=n, broken_images=broken, wrong=wrong)
    assert wrong == 0 and all(o.exitcode == 0 for o in others)
    assert n >= 50 * THREADS * (1 + PROCESSES) and dataset.errors() == {'empty': broken}
    if kind == 'shared': assert dataset.cache_info().hits > 0
