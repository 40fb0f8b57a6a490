"""ear_lazy beside what else one would use, and beside the bare work: `python benchmarks/compare.py`

Each side of a comparison runs in a process of its own, in turns (A B C A B C …), and the median of the runs counts.
Before that, what the sides give is compared. Needs `pip install -e '.[bench]'`; what is not installed is left out.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import psutil
from data import Data
from rows import ROWS
from table import table

SLOW = 20 # seconds: a side that takes longer runs once
SIDES = Path(__file__).with_name('sides.py')
PACKAGES = (
    'numpy', 'pillow', 'opencv-python', 'msgspec', 'torch', 'pycocotools', 'supervision', 'datumaro', 'datasets',
    'torchvision', 'ultralytics', 'litdata', 'webdataset', 'simplejpeg', 'albumentationsx')


class Failed(Exception): "A side did not run, or gives something else than the others"


def run_side(side, **job):
    "The figures of one run of a side"
    argument = json.dumps({'side': side.function, 'options': side.options} | job, default=str)
    if None in side.options.values(): return {'missing': side.function.partition('_')[2]}
    run = subprocess.run([sys.executable, SIDES, argument], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if run.returncode: raise Failed(f'{side.function} ended with {run.returncode}: {run.stderr.strip()[-2000:]}')
    return json.loads(run.stdout)


def check(plan, given):
    "Compare what the sides gave, for a time of other work means nothing"
    first = None
    for name, path in given.items():
        if not path.exists(): continue
        array, truth = np.load(path), plan.sides[name].truth
        expected = np.load(truth) if truth else array if first is None else first
        if first is None: first = array
        if array.shape != expected.shape: raise Failed(f'{name} gives {array.shape} instead of {expected.shape}')
        apart = (plan.apart or _most_apart)(array, expected)
        if not apart <= max(plan.tolerance, plan.sides[name].tolerance): raise Failed(f'{name} gives other values: they differ by {apart:g}')


def _most_apart(array, expected): return np.abs(array - expected).max()


def run_row(plan, runs):
    "Figures of each side: a list of each over the runs; {} for a side that is not installed"
    found = {name: {} for name in plan.sides}
    with tempfile.TemporaryDirectory() as tmp:
        given = {name: Path(tmp)/f'{i}.npy' for i, name in enumerate(plan.sides)}
        for turn in range(runs):
            for name, side in plan.sides.items():
                if turn and (not found[name] or side.once or found[name].get('seconds', [0])[0] > SLOW): continue
                figures = run_side(side, **({'save': str(given[name])} if turn == 0 else {}))
                if 'missing' in figures:
                    say(f'  {name}: not installed')
                    continue
                say(f'  {name}: ' + ', '.join(f'{key} {value:.4g}' for key, value in figures.items()))
                for key, value in figures.items(): found[name].setdefault(key, []).append(value)
            if turn == 0: check(plan, given)
    return found


def best(found, terms, most):
    "The one of 'side.figure | side.figure' that is best; the first where none is installed"
    known = [o for o in terms.split(' | ') if value(found, o) is not None]
    return (min if most else max)(known, key=lambda o: value(found, o)) if known else terms.split(' | ')[0]


def value(found, term):
    "The median of 'side.figure', or the difference of two; None where a side is not installed"
    if ' - ' in term:
        parts = [value(found, o) for o in term.split(' - ')]
        return None if None in parts else parts[0] - parts[1]
    side, _, figure = term.rpartition('.')
    return statistics.median(found[side][figure]) if found[side] else None


def side_of(term): return term.partition(' - ')[0].rpartition('.')[0]


def line(row, plan, goal, found):
    "One line of the table"
    goal = goal._replace(ours=best(found, goal.ours, goal.most), other=best(found, goal.other, goal.most) if goal.other else '')
    ours, other = value(found, goal.ours), value(found, goal.other) if goal.other else None
    ratio = ours / other if other else None
    judged, side = ratio if goal.other else ours, side_of(goal.other)
    reached = None if None in (goal.limit, judged) else judged <= goal.limit if goal.most else judged >= goal.limit
    if goal.other and side == side_of(goal.ours): side = goal.other.rpartition('.')[2].replace('_', ' ') # also of ours
    return {'number': row.number, 'row': row.name, 'data': plan.data, 'measure': goal.what, 'ours_side': side_of(goal.ours),
            'ours': ours, 'unit': goal.unit, 'other_side': side or None, 'other': other,
            'ratio': ratio, 'limit': goal.limit, 'most': goal.most, 'reached': reached}


def machine():
    "Where the figures come from"
    versions = {}
    for name in PACKAGES:
        try: versions[name] = version(name)
        except PackageNotFoundError: versions[name] = None
    cpu = next((o.partition(':')[2].strip() for o in _cpuinfo() if o.startswith('model name')), platform.processor())
    return {'cpu': cpu, 'cores': os.cpu_count(), 'memory_gb': round(psutil.virtual_memory().total / 1e9, 1),
            'system': platform.system(), 'python': platform.python_version(), 'versions': versions}


def _cpuinfo():
    try: return Path('/proc/cpuinfo').read_text().splitlines()
    except OSError: return []


def profile(plan, side):
    "Where the time and the memory of one of our sides go"
    say(f'  profile of {side}')
    return run_side(plan.sides[side], profile=True)['profile']


def make_parser():
    p = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    p.add_argument('--rows', type=int, default=1_000_000, metavar='N',
                   help='rows of the largest dataset; the others are smaller in proportion (%(default)s)')
    p.add_argument('--only', nargs='+', metavar='NAME', help=f"some rows, by number or name: {', '.join(ROWS)}")
    p.add_argument('--runs', type=int, default=5, metavar='N',
                   help=f'runs of each side; a side that takes more than {SLOW} s runs once (%(default)s)')
    p.add_argument('--no-profile', action='store_true',
                   help='do not look where the time goes in rows that are not reached')
    p.add_argument('--data', type=Path, default=Path(tempfile.gettempdir())/'ear_lazy-benchmarks', metavar='DIR',
                   help='where the data is made and kept (in the folder for temporary files)')
    p.add_argument('--out', type=Path, metavar='FILE.json', help='where the figures go (results.json beside the data)')
    return p


def say(text): print(text, file=sys.stderr, flush=True)


def measure(row, data, a):
    "The figures, lines and profile of a row, and whether it went well"
    plan = row.plan(data)
    say(f'{row.number} {row.name}: {plan.data}')
    found = run_row(plan, a.runs)
    lines = [line(row, plan, goal, found) for goal in plan.goals]
    missed = [o['ours_side'] for o in lines if o['reached'] is False]
    return found, lines, profile(plan, missed[0]) if missed and not a.no_profile else None


def main(args=None):
    parser = make_parser()
    a = parser.parse_args(args)
    chosen = [o for o in ROWS.values() if not a.only or o.name in a.only or str(o.number) in a.only]
    if not chosen: parser.error(f"no row {' or '.join(a.only)}; there are {', '.join(ROWS)}")
    results = {'machine': machine(), 'rows': a.rows, 'runs': a.runs, 'lines': [], 'sides': {}, 'profiles': {}}
    data, failed = Data(a.data, a.rows), []
    for row in chosen:
        try: found, lines, profiled = measure(row, data, a)
        except (Failed, subprocess.CalledProcessError) as e:
            failed.append(row.name)
            say(f'  FAILED: {e}')
            continue
        results['sides'][row.name] = found
        results['lines'] += lines
        if profiled is not None: results['profiles'][row.name] = profiled
    out = a.out or a.data/'results.json'
    out.write_text(json.dumps(results, indent=1, ensure_ascii=False) + '\n', encoding='utf-8')
    print(table(results['lines']))
    say(f'written to {out}' + (f"; FAILED: {', '.join(failed)}" if failed else ''))
    return 1 if failed else 0


if __name__ == '__main__': sys.exit(main())
