#!/usr/bin/env python3
"""Opening a metadata file with corrections, beside opening it without: `python benchmarks/corrected.py [--rows 1000000] [--corrections 10000]`

A detector's file of drawn numbers and a journal that moves a box in each of some rows. The copy is made once; then opening takes at most 20 × as long as
without, and `get_metadata(i)` of random rows at most 1.3 × (medians of turns).
"""
import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from ear_lazy.base.change import Value
from ear_lazy.correcting.journal import Journal, Photo, Stated, new_line
from ear_lazy.lazy_dataset import LazyNPYDataset

sys.path.insert(0, str(Path(__file__).resolve().parent.parent/'tests'))
from making import write_rows # noqa: E402

GOALS = {'open': 20, 'get_metadata': 1.3} # times as long as without
SIZE = 400, 400


def made(folder, rows, corrections):
    "The file, and the seconds that it took to make its corrected copy"
    rng, names = np.random.default_rng(0), [f'ears/{i:07}.jpg' for i in range(rows)]
    for o in ('raw', 'out'): (folder/o).mkdir()
    counts = rng.integers(1, 5, rows)
    boxes = rng.uniform(10, 100, (counts.sum(), 4)).astype(np.float32)
    npy = write_rows(folder/'out/train_detector.npy', 'detector', names, counts, dict(bboxes=boxes, labels=np.ones(len(boxes), int)), sizes=np.full((rows, 2), SIZE))
    plain, lines = LazyNPYDataset(npy), []
    for i in rng.choice(rows, corrections, replace=False).tolist():
        box = plain.metadata.values(i)[0].tolist()
        lines.append(new_line('set', Photo(names[i], size=SIZE), Stated.of(Value(tuple(box), label='ear')), Stated(box=(box[0] + 3, *box[1:]))))
    Journal(folder/'corrections.jsonl').append(lines)
    return npy, seconds(lambda: LazyNPYDataset(npy, corrections=True))


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def compared(npy, turns):
    "What is measured → median seconds without and with corrections"
    plain, corrected = LazyNPYDataset(npy), LazyNPYDataset(npy, corrections=True)
    rows = np.random.default_rng(1).integers(0, len(plain), 10_000).tolist()
    sides = {'open': [lambda o=o: LazyNPYDataset(npy, corrections=o) for o in (None, True)],
             'get_metadata': [lambda ds=ds: [ds.get_metadata(i) for i in rows] for ds in (plain, corrected)]}
    found = {name: ([], []) for name in sides}
    for _ in range(turns):
        for name, both in sides.items():
            for times, function in zip(found[name], both): times.append(seconds(function))
    return {name: [median(o) for o in both] for name, both in found.items()}


def main(*arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rows', type=int, default=1_000_000)
    parser.add_argument('--corrections', type=int, default=10_000)
    parser.add_argument('--turns', type=int, default=15)
    args, folder = parser.parse_args(arguments or None), Path(tempfile.mkdtemp())
    try:
        npy, once = made(folder, args.rows, args.corrections)
        print(f'{args.rows:,} rows, {args.corrections:,} corrections: the copy is made in {once:.1f} s')
        slow = []
        for name, (without, with_) in compared(npy, args.turns).items():
            print(f'{name:12} {without * 1000:8.3f} ms without, {with_ * 1000:8.3f} ms with: {with_ / without:.2f} × (goal: {GOALS[name]} ×)')
            if with_ > GOALS[name] * without: slow.append(name)
    finally: shutil.rmtree(folder)
    return f"slower than the goal: {', '.join(slow)}" if slow else None


if __name__ == '__main__': raise SystemExit(main())
