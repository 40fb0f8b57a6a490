"Situations from reports of bugs elsewhere: each gives what its `want.json` says, or the report tells that it does not"
import json
import re
from pathlib import Path

import numpy as np
import pytest
from making import assert_accounted, process, rows

from ear_lazy.errors import RawDataError
from ear_lazy.formats.discover import Source

CASES = Path(__file__).parents[2]/'shared/cases'
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f'no cases at {CASES}')

TOLD = { # not read as it is, and the words of the report that say so
    'coco_normalised': 'units = "fraction"', 'labelme_gbk': 'encoding = "gb18030"', # the user says which
    'dlib_xml': 'boxes are for detector files', # they lie in `landmarker/`
    'negative_size': 'far corner', # its second box is not in want.json
    'long_header': '', 'silent_gz': 'second.json.gz', 'silent_jsonl': 'metadata.jsonl', # only told about
    'nfd': 'another form of Unicode', 'zip_backslash': 'no reader knows this file'}


def numbers(wanted):
    "(K, 2) points of a set as want.json writes them, NaN for those that it does not say"
    if not isinstance(wanted, str): return [[np.nan if isinstance(v, str) else v for v in o[:2]] for o in wanted]
    if wanted.startswith('x = '): return [[x, np.nan] for x in range(10, 121, 10)]
    return [list(map(float, o)) for o in re.findall(r'\(([\d.]+),([\d.]+)\)', wanted)] or [[np.nan] * 2] * int(re.search(r'K=(\d+)', wanted)[1])


def agree(wanted, found):
    "Are all numbers the same within half a pixel, whatever NaN stands for?"
    wanted, found = np.array(wanted, float), np.array(found, float)
    return wanted.shape == found.shape and bool((np.isnan(wanted) | (np.abs(wanted - found) <= 0.51)).all())


def is_exact(want, out):
    "Does a run give all that is wanted?"
    exact = 'boxes' in want or 'keypoints' in want
    for kind, key in (('detector', 'boxes'), ('landmarker', 'keypoints')):
        found = rows(out, kind)
        for name, wanted in want.get(key, {}).items():
            own = [values for path, values in found if path.endswith('/' + name)]
            if key == 'boxes': exact &= len(own) == 1 and agree(sorted(wanted), sorted(own[0]))
            elif 'told' in wanted: exact &= len(own) == 1
            else: exact &= len(own) == 1 and agree(numbers(wanted), np.array(own[0])[:, :2]) and all(own[0][i][2] > 0 for i, o in enumerate(wanted) if o[2:] == ['>0'])
    return exact


def run(case, out, *sources):
    "Whether it is exact, and what is told"
    try: report = process(case/'raw', out, ('detector', 'landmarker'), sources=sources)
    except RawDataError as e: return False, str(e)
    if report.outputs: assert_accounted(report, out)
    return is_exact(json.loads((case/'want.json').read_text()), out), '\n'.join(map(str, report.problems))


@pytest.mark.parametrize('name', sorted(o.name for o in CASES.iterdir()) if CASES.is_dir() else [])
def test_case(tmp_path, name):
    exact, told = run(CASES/name, tmp_path/'out')
    words = TOLD.get(name, '')
    assert exact or name in TOLD and told and words in told, told
    if not json.loads((CASES/name/'want.json').read_text()).get('problem', 'or').startswith(('or', 'header lines')): assert told


@pytest.mark.parametrize('name, said', [('coco_normalised', dict(units='fraction')), ('labelme_gbk', dict(encoding='gb18030'))])
def test_remedy(tmp_path, name, said):
    "What the report says helps"
    folder, = (CASES/name/'raw/detector').iterdir()
    assert run(CASES/name, tmp_path/'out', Source(f'detector/{folder.name}', **said)) == (True, '')
