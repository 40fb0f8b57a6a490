"""What does the look at the file of a cached sample cost?

    python benchmarks/cached.py

Reads samples of three sizes from both kinds of cache, with and without `trust_files=True`, and prints microseconds of processor time a sample. Takes under a minute.
"""
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent))
from ear_lazy.data_processor import DataProcessor  # noqa: E402
from ear_lazy.lazy_dataset import LazyNPYDataset  # noqa: E402
from ear_lazy.shared_cache import SharedCache  # noqa: E402

IMAGES, ROUNDS = 128, 15


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


def fastest(datasets):
    "Microseconds a sample of each dataset, in turns, in the fastest round"
    times = [[] for _ in datasets]
    for _ in range(ROUNDS + 1): # the first round fills the caches
        for ds, found in zip(datasets, times):
            start = time.process_time()
            for i in range(IMAGES): ds[i]
            found.append((time.process_time() - start)/IMAGES*1e6)
    return [min(o[1:]) for o in times]


for side in (112, 256, 640):
    with tempfile.TemporaryDirectory() as folder:
        npy = make(Path(folder), side)
        time.sleep(0.1) # a file that was written just now is not kept
        size = f'{side*side*3*IMAGES*2 + 10**6}'
        for name, cache in (('in each process', lambda: dict(cache_size=IMAGES)), ('shared', lambda size=size: dict(cache=SharedCache(size)))):
            looked, trusted = fastest([LazyNPYDataset(npy, **cache(), trust_files=o) for o in (False, True)])
            print(f'{side} × {side}, {name}: {looked:.1f} µs, {trusted:.1f} µs with trust_files, {looked/trusted:.2f} times')
