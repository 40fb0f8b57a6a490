#!/usr/bin/env python3
"""How long the raw folder is looked through, as a multiple of a bare `os.walk`: `python benchmarks/folders.py [--folders 100000] [--under /dev/shm]`

Each kind of tree is made anew and removed. `walk` lists the names (`Tree`), `look` also asks the readers what they recognise.
Times are the best of three; the goal is a walk within three times `os.walk`.
"""
import argparse
import gc
import os
import shutil
import tempfile
import time
from pathlib import Path

from ear_lazy.formats.discover import discover
from ear_lazy.formats.load import uncollected
from ear_lazy.formats.shared.registry import readers
from ear_lazy.formats.shared.tree import Tree

KINDS = {'one image in each': 'ears/{i:06}/{i}.jpg', 'all empty': 'ears/{i:06}/', 'each a dataset': '{i:06}/{i}.jpg'}


def make(root, pattern, n):
    for i in range(n):
        path = f'{root}/{pattern.format(i=i)}'
        os.makedirs(os.path.dirname(path))
        if not path.endswith('/'): open(path, 'wb').close()


def fan_out(root, levels):
    "Two links in each folder to the next"
    for i in range(levels):
        os.makedirs(f'{root}/L{i}')
        for o in 'ab': os.symlink(f'../L{i + 1}', f'{root}/L{i}/{o}')
    os.makedirs(f'{root}/L{levels}')


def best(function, times=3):
    "Seconds, at best, and what the last call gave"
    found = []
    for _ in range(times):
        gc.collect()
        start = time.perf_counter()
        result = function()
        found.append(time.perf_counter() - start)
    return min(found), result


def bare(root): return sum(1 for _ in os.walk(root))


@uncollected() # as in a run
def walk(root): return Tree(root)


@uncollected()
def look(root): return discover(Tree(root))


def measure(name, root):
    bare_s, n = best(lambda: bare(root))
    walk_s, tree = best(lambda: walk(root))
    look_s, _ = best(lambda: look(root))
    print(f'{name:20} {n:9,} folders, {len(tree.folders):9,} walked   os.walk {bare_s:6.2f} s   walk {walk_s / bare_s:4.1f} ×   look {look_s / bare_s:4.1f} ×', flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--folders', type=int, default=100_000)
    parser.add_argument('--under', default='/dev/shm' if os.path.isdir('/dev/shm') else None, help='where to make the trees')
    args = parser.parse_args()
    readers() # imported once
    for name, pattern in KINDS.items():
        root = Path(tempfile.mkdtemp(dir=args.under))
        try:
            make(root, pattern, args.folders)
            measure(name, root)
        finally: shutil.rmtree(root)
    with tempfile.TemporaryDirectory(dir=args.under) as root:
        fan_out(root, 22)
        start = time.perf_counter()
        print(f'22 links that fan out: {len(walk(root).folders)} folders in {time.perf_counter() - start:.3f} s')


if __name__ == '__main__': main()
