"""What does a cached sample cost beside a bare row of `np.memmap`?

    python benchmarks/cached.py

Samples of three sizes, one by one and in batches of 32, from each cache, in turns with a bare loop that does the least that can be done: it asks where the photo's file is and when it was changed, which tells a replaced
photo (of a batch, where its folder is, once), and copies a row of an `np.memmap` into a new array or into a batch. Prints microseconds a sample, the median of the rounds, and the ratio to that loop. Takes a minute.
"""
import os
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent))
from ear_lazy.data_processor import DataProcessor  # noqa: E402
from ear_lazy.disk_cache import DiskCache  # noqa: E402
from ear_lazy.lazy_dataset import LazyNPYDataset  # noqa: E402
from ear_lazy.shared_cache import SharedCache  # noqa: E402

IMAGES, BATCH, ROUNDS = 128, 32, 15


def make(folder, side):
    "A detector file over square pictures, one box each"
    rng, place, lines = np.random.default_rng(0), folder/'raw/detector/noise', ['image_path,x1,y1,w,h']
    place.mkdir(parents=True)
    for i in range(IMAGES):
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).resize((side, side)).save(place/f'{i}.jpg')
        lines.append(f'{i}.jpg,10,10,40,40')
    (place/'annotations.csv').write_text('\n'.join(lines) + '\n')
    DataProcessor(folder/'raw', folder/'out', num_workers=0, progress=False).process_detector(train_split=1.)
    return folder/'out/train_detector.npy'


def look(path):
    "Where a file is, links followed, and what changes when it does"
    fd = os.open(path, getattr(os, 'O_PATH', os.O_RDONLY) | os.O_CLOEXEC)
    try: return os.readlink(f'/proc/self/fd/{fd}'), os.fstat(fd)
    finally: os.close(fd)


@contextmanager
def opened(folder):
    "Descriptor of a folder, of which is asked where it is, links followed"
    fd = os.open(folder, getattr(os, 'O_PATH', os.O_RDONLY) | os.O_CLOEXEC)
    try:
        os.readlink(f'/proc/self/fd/{fd}')
        yield fd
    finally: os.close(fd)


def bare(paths, rows):
    "Rows of an `np.memmap` one by one, and in batches"
    folder, names = os.path.dirname(paths[0]), [*map(os.path.basename, paths)]
    def one():
        for path, i in zip(paths, range(IMAGES)):
            look(path)
            np.array(rows[i])
    def batches():
        for start in range(0, IMAGES, BATCH):
            out = np.empty((BATCH, *rows.shape[1:]), np.uint8)
            with opened(folder) as fd:
                for i in range(start, start + BATCH):
                    os.stat(names[i], dir_fd=fd, follow_symlinks=False)
                    out[i - start] = rows[i]
    return one, batches


def of(ds):
    def one():
        for i in range(IMAGES): ds[i]
    def batches():
        for start in range(0, IMAGES, BATCH): ds.get_batch(range(start, start + BATCH), num_threads=1)
    return one, batches


def medians(sides):
    "Microseconds a sample of each function, in turns"
    times = {o: [] for o in sides}
    for _ in range(ROUNDS + 1): # the first round fills the caches
        for o in sides:
            start = time.perf_counter()
            o()
            times[o].append((time.perf_counter() - start)/IMAGES*1e6)
    return {o: np.median(found[1:]) for o, found in times.items()}


def compare(folder, side):
    npy, size = make(folder, side), f'{side*side*3*IMAGES*2 + 10**7}'
    time.sleep(0.1) # a file that was written just now is not kept
    caches = {'in each process': lambda: dict(cache_size=IMAGES), 'shared': lambda: dict(cache=SharedCache(size)), 'disk': lambda: dict(cache=DiskCache(size, folder/'samples'))}
    sets = {name: LazyNPYDataset(npy, **cache()) for name, cache in caches.items()}
    sets['disk, trust_files'] = LazyNPYDataset(npy, cache=DiskCache(size, folder/'trusted'), trust_files=True)
    first = sets['disk']
    rows = np.lib.format.open_memmap(folder/'rows.npy', 'w+', np.uint8, (IMAGES, side, side, 3))
    for i in range(IMAGES): rows[i] = first[i]['image']
    sides = {'np.memmap and a look': bare([first.get_metadata(i)['image_path'] for i in range(IMAGES)], rows)} | {name: of(ds) for name, ds in sets.items()}
    found = medians([o for pair in sides.values() for o in pair])
    base = [found[o] for o in sides['np.memmap and a look']]
    for name, pair in sides.items():
        (one, batch), ratios = [found[o] for o in pair], [found[o]/b for o, b in zip(pair, base)]
        print(f'{side} × {side}, {name}: one by one {one:.1f} µs ({ratios[0]:.2f} ×), in batches {batch:.1f} µs ({ratios[1]:.2f} ×)')


for side in (112, 256, 640):
    with tempfile.TemporaryDirectory() as folder: compare(Path(folder), side)
