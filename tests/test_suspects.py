"Suspects, all the way: planted in raw files, found, corrected through the journal, and not asked about again"
import re

import numpy as np
import pytest

from ear_lazy.corrections import Corrections
from ear_lazy.data_processor import DataProcessor
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.synthetic import write_raw

SWAPPED = 5, 9 # points


def swapped(file):
    "Exchange two points of a .pts file"
    lines = file.read_text().splitlines()
    first = lines.index('{') + 1
    a, b = (first + o for o in SWAPPED)
    lines[a], lines[b] = lines[b], lines[a]
    file.write_text('\n'.join(lines) + '\n')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    "Drawn ears, one with two points exchanged"
    folder = tmp_path_factory.mktemp('suspects')
    raw = write_raw(folder/'raw', images=80)
    swapped(sorted(raw.rglob('*.pts'))[3])
    DataProcessor(raw, folder/'out', progress=False, num_workers=0).process_all(train_split=1)
    return folder


@pytest.fixture
def ds(folder):
    "Keypoints, with no journal before or after"
    yield LazyNPYDataset(folder/'out/train_landmarker.npy')
    (folder/'corrections.jsonl').unlink(missing_ok=True)


def test_first_is_the_planted_one_and_its_suggestion_repairs_it(ds, folder):
    s = ds.suspects()
    worst = s[0]
    assert (worst.kind, worst.object, s.score[1] < .5 < worst.score) == ('points swapped', 0, True)
    assert re.search(r'\b5\b.*\b9\b|\b9\b.*\b5\b', worst.reason)
    points = ds.get_metadata(worst.row)['keypoints']
    assert np.abs(np.array(worst.suggestion.value.points)[[*SWAPPED]] - points[[*SWAPPED[::-1]]]).max() < .01

    Corrections.of(ds).add(s[:1].changes(), by='a test')
    assert worst.row not in ds.suspects()[:20].row # corrected, though this dataset was opened before
    after = ds.with_corrections()
    assert np.abs(after.get_metadata(worst.row)['keypoints'][[*SWAPPED]] - points[[*SWAPPED[::-1]]]).max() < .01
    assert (after.suspects().score < .5).all()


def test_what_was_looked_at_and_right_is_not_asked_again(ds):
    row = ds.suspects()[0].row
    Corrections.of(ds).ok(ds, row)
    assert row not in ds.suspects().row


def test_rows_are_those_of_the_dataset_in_any_order(ds):
    s, backwards = ds.suspects(), ds[::-1].suspects()
    assert (backwards.row[0], backwards.score[0]) == (len(ds) - 1 - s.row[0], pytest.approx(s.score[0]))
    assert [*ds.suspects()] == [*s] # and the same each time
    twice = CombinedLazyDataset([ds[:10], ds[10:]]).suspects()
    assert (twice.row[0], twice.kind[0]) == (s.row[0], s.kind[0])


def test_kinds(ds):
    assert {*ds.suspects(kinds='point off').kind} <= {'point off'}
    assert len(ds.suspects(kinds=['points swapped']).of('points swapped')) >= 1
    with pytest.raises(ValueError, match="did you mean 'point off'"): ds.suspects(kinds='point of')


@pytest.mark.parametrize('kind', ['detector', 'landmarker', 'teacher'])
def test_few_rows_or_none(folder, kind):
    ds = LazyNPYDataset(folder/f'out/train_{kind}.npy')
    for rows in (ds[[]], ds[:1], ds[:3]):
        s = rows.suspects()
        assert len(s.rows) == len({*s.row.tolist()}) <= len(rows)
        assert repr(s) and s._repr_html_()


def test_corrections_take_what_is_suggested_of_repeated_rows(ds):
    worst = ds.suspects()[0].row
    some = ds[[*range(len(ds)), worst]].suspects()
    assert {worst, len(ds)} <= {o.row for o in some if o.suggestion}
    changes = some.changes()
    assert changes and len(changes) == len({(o.image, o.origins) for o in changes})
    Corrections.of(ds).add(changes, by='a test')


@pytest.mark.parametrize('value', [1e8, 1e30, np.inf, np.nan])
def test_damaged_keypoint_is_no_reason_to_fail(ds, folder, tmp_path, value):
    "What is suggested of the others can still be taken"
    data, first = bytearray((folder/'out/train_landmarker.npy').read_bytes()), ds.get_metadata(0)['keypoints'][0, :2].astype(np.float32).tobytes()
    at = data.find(first)
    assert at > 0
    data[at:at + 4] = np.float32(value).tobytes()
    (tmp_path/'train_landmarker.npy').write_bytes(data)
    s = LazyNPYDataset(tmp_path/'train_landmarker.npy').suspects()
    assert repr(s)
    changes = s.changes()
    assert changes and np.isfinite(s.score).all()
    Corrections(tmp_path/'corrections.jsonl').add(changes)


def test_with_a_model(folder):
    ds = LazyNPYDataset(folder/'out/train_detector.npy')
    found = [np.array(ds.get_metadata(i)['bboxes'], float) for i in range(len(ds))]
    row = next(i for i, o in enumerate(found) if len(o) == 1)
    found[row] = found[row] + [200, 0, 0, 0]
    s = ds.suspects(found)
    assert s[0].row == row and s[0].kind in ('missing', 'spurious', 'wrong place')
    with pytest.raises(ValueError, match='give one for each'): ds.suspects(found[1:])
