"Counts of what the tests tried and what came of it, for tutorials/reliability"
import json
import os
from pathlib import Path

from filelock import FileLock


def tally(table, row, **counts):
    "Add to the JSON file that EAR_LAZY_TALLY names, if it names one; several runs may do so at once"
    if not (name := os.environ.get('EAR_LAZY_TALLY')): return
    path = Path(name)
    with FileLock(path.with_suffix('.lock')):
        found = json.loads(path.read_text()) if path.exists() else {}
        so_far = found.setdefault(table, {}).setdefault(row, {})
        for k, n in counts.items(): so_far[k] = round(so_far.get(k, 0) + n, 1)
        path.write_text(json.dumps(found, indent=1, sort_keys=True) + '\n')
