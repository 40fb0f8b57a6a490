"""How long two versions of a metadata file are compared, as a multiple of reading both

    python benchmarks/differences.py [--rows 1000000] [--under FOLDER]

Reading is `np.load`, which copies all columns of both files, and one pass of a checksum over them. Versions that differ in nothing, in 1 % of the
rows, in each row, and in the order of the rows, of boxes and of keypoints. Times are the best of three; the goal is 5 × for what differs in nothing or 1 %.
"""
import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import xxhash

from ear_lazy.correcting.differences import compare, counts_by_source, moves_of
from ear_lazy.correcting.object_sets import Shared, object_set
from ear_lazy.metadata.file import Metadata
from ear_lazy.metadata.table import Table, image_batch
from ear_lazy.metadata.views import Numbers, view_of
from ear_lazy.metadata.writing import Plan, write_metadata


def columns(n, kind, points=5):
    "Photos and objects: two boxes a photo, or a set of keypoints"
    rng, per_photo = np.random.default_rng(0), 2 if kind == 'detector' else 1
    boxes = np.float32(rng.integers(0, 4000, (n*per_photo, 4))/4) + [0, 0, 20, 20]
    found = dict(paths=[f'ears/images/photo_{i:08}_of_some_maker.jpg' for i in range(n)], boxes=boxes, ids=np.arange(len(boxes)), labels=np.arange(len(boxes)) % 3)
    if kind == 'landmarker': found['points'] = np.dstack([rng.uniform(0, 999, (n, points, 2)), np.full((n, points, 1), 2)]).astype(np.float32)
    return found


def write(path, kind, found):
    table, n = Table(path.with_suffix('.rows')), len(found['paths'])
    m = len(found['boxes'])
    points = {} if kind == 'detector' else dict(points=found['points'].reshape(-1, 3), point_counts=np.full(m, found['points'].shape[1]))
    batch = image_batch(found['paths'], np.full(n, m//n), found['boxes'], found['labels'], **points)
    batch.objects.update(ids=found['ids'], files=np.zeros(m))
    table.append(batch)
    table.close()
    write_metadata(path, [view_of(table, kind, Numbers(0, np.arange(3), [('ears/labels.json', 'id')]))], Plan(kind, 'train', '../raw', ['ears'], ['', 'ear', 'head']))
    return path


def versions(folder, n, kind):
    "A file, and others that differ from it"
    found, rng = columns(n, kind), np.random.default_rng(1)
    def moved(share):
        some = rng.random(len(found['boxes'])) < share
        return found | dict(boxes=found['boxes'] + some[:, None]*np.float32([2, 0, 0, 0]))
    order = rng.permutation(n)
    of = (order[:, None]*(len(found['boxes'])//n) + np.arange(len(found['boxes'])//n)).ravel()
    shuffled = {k: [v[i] for i in order] if k == 'paths' else v[of] for k, v in found.items()}
    lots = {'nothing': found, '1 % of the objects moved': moved(0.01), 'a row added in front': grown(found), 'another order of rows': shuffled, 'all objects moved': moved(1)}
    first = write(folder/f'{kind}.npy', kind, found)
    for i, (what, o) in enumerate(lots.items()): yield what, first, write(folder/f'{kind}_{i}.npy', kind, o)


def grown(found):
    n = len(found['boxes'])//len(found['paths'])
    return {k: ['a.jpg', *v] if k == 'paths' else np.concatenate([v[:n] + len(v) if k == 'ids' else v[:n], v]) for k, v in found.items()}


def read(*paths):
    for path in paths: xxhash.xxh3_128_digest(np.load(path).reshape(1).view('u1'))


def differ(*paths):
    shared = Shared()
    old, new = (Metadata(o) for o in paths)
    found = compare(*(object_set(o.kind, o.shards, shared) for o in (old, new)))
    counts_by_source(found, moves_of(found))
    return len(found)


def best(function, *args, times=3):
    found = []
    for _ in range(times):
        start = time.perf_counter()
        function(*args)
        found.append(time.perf_counter() - start)
    return min(found)


def main(args=None):
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--rows', type=int, default=1_000_000)
    parser.add_argument('--under', help='folder for the files')
    args = parser.parse_args(args)
    with tempfile.TemporaryDirectory(dir=args.under) as folder:
        for kind in ('detector', 'landmarker'):
            for what, old, new in versions(Path(folder), args.rows, kind):
                reading, ours = best(read, old, new), best(differ, old, new)
                print(f'{kind:<11} {what:<25} {differ(old, new):>9,} differences  read {reading:6.3f} s  diff {ours:6.3f} s  {ours/reading:5.1f} ×', flush=True)


if __name__ == '__main__': main()
