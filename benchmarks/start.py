#!/usr/bin/env python3
"""What `ear-lazy` costs before it does anything: `python benchmarks/start.py [--runs 15] [--photos 20000]`

How long `--help` takes, beside an empty Python (the goal is 0.25 s); how long one photo takes, beside `import numpy`; and how long a
run takes that finds nothing changed among many files, beside a bare `stat` of each (the goals are 1.5 ×). Each is a process of its own; they take
turns, and the medians are printed.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from data import make_pts
from sides import COMPILED

STAT = 'import os, sys\nfor folder, _, names in os.walk(sys.argv[1]):\n    for name in names: os.stat(os.path.join(folder, name))'


def process(folder, *more): return ['-m', 'ear_lazy.command', 'process', '--all', '--raw-data-dir', f'{folder}/raw', '--output-dir', f'{folder}/out', '--workers', '2', *more]


def sides(one, many):
    return {
        'python -c pass': ['-c', 'pass'],
        'ear-lazy --help': ['-m', 'ear_lazy.command', '--help'],
        'ear-lazy list --help': ['-m', 'ear_lazy.command', 'list', '--help'],
        'import numpy': ['-c', 'import numpy'],
        'list one photo': ['-m', 'ear_lazy.command', 'list', '--raw-data-dir', f'{one}/raw', '--workers', '2'],
        'process one photo': process(one, '--force'),
        'one photo, unchanged': process(one),
        'stat of each file': ['-c', STAT, f'{many}/raw'],
        'all files unchanged': process(many)}


def seconds(arguments):
    start = time.perf_counter()
    subprocess.run([sys.executable, '-P', *arguments], check=True, stdout=subprocess.DEVNULL, env=os.environ | COMPILED)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--runs', type=int, default=15)
    parser.add_argument('--photos', type=int, default=20_000, help='photos with a file each, in the last two lines (%(default)s)')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        folders = [Path(tmp)/o for o in ('one', 'many')]
        for folder, photos in zip(folders, (1, args.photos)):
            make_pts(folder, photos)
            seconds(process(folder)) # what is compared from then on; compiles the modules, too
        found = {name: [] for name in sides(*folders)}
        for _ in range(args.runs):
            for name, arguments in sides(*folders).items(): found[name].append(seconds(arguments))
    beside = {'list one photo': 'import numpy', 'process one photo': 'import numpy', 'one photo, unchanged': 'import numpy', 'all files unchanged': 'stat of each file'}
    for name, times in found.items():
        ratio = f', {median(times) / median(found[beside[name]]):.2f} × {beside[name]}' if name in beside else ''
        print(f'{name:22} {median(times):.3f} s{ratio}')


if __name__ == '__main__': main()
