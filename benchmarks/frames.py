"""How quick a million rows become a table, and rows are chosen by it: `python benchmarks/frames.py [DIVISOR]`

The other side is the bare `pd.DataFrame({…})` of the same columns, ready in memory: numbers as arrays, names as codes and categories, text as
objects. A file with paths like those of real data sets is made first. `python benchmarks/frames.py 10` takes a tenth of the rows.
"""
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent.parent/'tests'))
from making import write_rows

from ear_lazy.lazy_dataset import LazyNPYDataset

MILLION, RUNS, GOAL = 1_000_000, 5, 3


def seconds(function):
    "The best of some runs, since other work on the machine only adds to a time"
    def once():
        start = time.perf_counter()
        function()
        return time.perf_counter() - start
    return min(once() for _ in range(RUNS))


def dataset(folder, kind, n):
    rng = np.random.default_rng(0)
    counts = {'detector': rng.integers(0, 3, n), 'landmarker': np.full(n, 5), 'teacher': np.ones(n, int)}[kind]
    m = int(counts.sum())
    values = {'keypoints': rng.integers(0, 3, (m, 3)).astype(np.float32)} if kind == 'landmarker' else {'bboxes': rng.uniform(1, 99, (m, 4)).astype(np.float32), 'labels': rng.integers(0, 2, m)}
    paths = [f'detector/heads_coco/train/image_{i:08}.jpg' for i in range(n)]
    return LazyNPYDataset(write_rows(folder/f'{kind}.npy', kind, paths, counts, values, sizes=np.full((n, 2), 600)))


def ready(df):
    "The columns as one has them before a DataFrame: (values, dtype)"
    return {name: (o.to_numpy(object), 'str') if str(o.dtype) == 'str' else (o.array.copy(), None) for name, o in df.items()}


def bare(columns): return pd.DataFrame({name: values if dtype is None else pd.array(values, dtype=dtype) for name, (values, dtype) in columns.items()}, copy=True)


def measure(kind, ds):
    df = ds.to_pandas()
    columns, some = ready(df), df[df['visible'] > 2] if kind == 'landmarker' else df[df['x'] > 50]
    pd.testing.assert_frame_equal(bare(columns), df)
    ours, other = seconds(ds.to_pandas), seconds(lambda: bare(columns))
    print(f'{kind}, {len(ds):,} rows, {len(df):,} lines: to_pandas {ours:.2f} s, {ours/other:.1f} × the bare DataFrame ({other:.2f} s; at most {GOAL} ×); to_polars {seconds(ds.to_polars):.2f} s', flush=True)
    print(f'  where(booleans) {seconds(lambda: ds.where(df.index % 2 == 0)):.2f} s, where(table of {len(some):,} lines) {seconds(lambda: ds.where(some)):.2f} s, '
          f'where(size=…) {seconds(lambda: ds.where(size=(40, None))):.2f} s', flush=True)


def main():
    with tempfile.TemporaryDirectory() as folder:
        for kind in ('detector', 'landmarker', 'teacher'): measure(kind, dataset(Path(folder), kind, MILLION // int(sys.argv[1] if len(sys.argv) > 1 else 1)))


if __name__ == '__main__': main()
