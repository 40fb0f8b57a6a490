#!/usr/bin/env python3
"""How long `ear-lazy --help` takes to answer, beside an empty Python: `python benchmarks/start.py [--runs 15]`

Each is a process of its own; they take turns, and the medians are printed. The goal is 0.25 s.
"""
import argparse
import subprocess
import sys
import time
from statistics import median

SIDES = {'python -c pass': ['-c', 'pass'], 'ear-lazy --help': ['-m', 'ear_lazy.command', '--help'], 'ear-lazy list --help': ['-m', 'ear_lazy.command', 'list', '--help']}


def seconds(arguments):
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--runs', type=int, default=15)
    runs = parser.parse_args().runs
    found = {name: [] for name in SIDES}
    for _ in range(runs):
        for name, arguments in SIDES.items(): found[name].append(seconds(arguments))
    for name, times in found.items(): print(f'{name:22} {median(times):.3f} s')


if __name__ == '__main__': main()
