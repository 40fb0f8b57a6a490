"""Counts of what the tests tried and what came of it, for tutorials/reliability

`python tests/tally.py` counts all of it anew, in one run of pytest, and replaces `tests/tally.json` if every test passes. What it is given
besides goes to pytest: `-m 'slow or not slow'` runs the long tests too, and trains, reads and fuzzes for longer.
"""
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from filelock import FileLock

HERE = Path(__file__).resolve().parent
TESTS = 'faults', 'attacks', 'test_hostile.py', 'test_hostile_annotations.py', 'test_annotation_size.py', 'test_soak.py', 'test_many_at_once.py', 'fuzz'
LONGER = dict(SOAK_EPOCHS='20', SOAK_WORKERS='4', MANY_SECONDS='60', FUZZ_SECONDS='25')

ATTACKS = {
    'test_cache_folder': 'a cache folder with links, pipes and others\' files',
    'test_caches': 'images that change, and caches shared between datasets',
    'test_exports': 'exports over others\' files, raw data and links',
    'test_hidden_folder': 'an output folder and notes that were tampered with',
    'test_hostile_values': 'annotations, queries and `sources.toml` of any content',
    'test_links_in_raw': 'links that lead out of raw data',
    'test_metadata_values': 'numbers in metadata that lie',
    'test_opened_files': 'pipes and folders where files are opened',
    'test_printed': 'names and URLs that speak out of turn',
    'test_removals': 'removals and renames outside of `base.files`',
    'test_report_files': 'a `report.json` from anybody',
    'test_root': 'an image root that is swapped',
    'test_second_attempt': 'files that exhaust memory or time',
    'test_small_files': 'small files that take much',
    'test_small_commands': 'demo and migration over others\' files',
} # module of `tests/attacks` to its row of the table


def tally(table, row, **counts):
    "Add to the JSON file that EAR_LAZY_TALLY names, if it names one; several runs may do so at once"
    if not (name := os.environ.get('EAR_LAZY_TALLY')): return
    path = Path(name)
    with FileLock(path.with_suffix('.lock')):
        found = json.loads(path.read_text()) if path.exists() else {}
        so_far = found.setdefault(table, {}).setdefault(row, {})
        for k, n in counts.items(): so_far[k] = round(so_far.get(k, 0) + n, 1)
        path.write_text(json.dumps(found, indent=1, sort_keys=True) + '\n')


def tally_attack(module, passed):
    "Count a case of `tests/attacks`; one that fails has let something in"
    tally('attacks', ATTACKS.get(module, module), tried=1, let_in=not passed)


def main(args):
    "Count anew; the exit status of pytest"
    target, started = HERE / 'tally.json', time.monotonic()
    counted = target.with_name('tally-new.json')
    counted.unlink(missing_ok=True)
    longer = LONGER if '-m' in args and 'slow' in args[args.index('-m') + 1] else {}
    env = {'FUZZ_TARGETS': 'each', 'FUZZ_SECONDS': '5'} | longer | dict(os.environ, EAR_LAZY_TALLY=str(counted))
    status = subprocess.run([sys.executable, '-m', 'pytest', '-q', *(str(HERE / o) for o in TESTS), *args], env=env, cwd=HERE.parent).returncode
    if status: print(f'not all tests passed: {target} stays, and what was counted is in {counted}', file=sys.stderr)
    else:
        os.environ['EAR_LAZY_TALLY'] = str(counted)
        tally('run', 'all in one', minutes=(time.monotonic() - started) / 60, with_long_tests=bool(longer))
        counted.replace(target)
    counted.with_suffix('.lock').unlink(missing_ok=True)
    return status


if __name__ == '__main__': sys.exit(main(sys.argv[1:]))
