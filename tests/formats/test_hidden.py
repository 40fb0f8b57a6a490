"Hidden files and folders are not read; what looks like data among them is noted, once a kind"
from concurrent.futures import ThreadPoolExecutor

import pytest
from making import coco, outcome, process, sound, text

from ear_lazy.errors import RawDataError

APPLE = b'\0\5\x16\7' + bytes(40)


def notes(report): return [(p.file, p.detail) for p in report.problems if p.reason == 'hidden']


def test_what_looks_like_data_is_noted(raw):
    sound(raw)
    for name in ('ears/._a.png', 'ears/._a.xml', '__MACOSX/ears/._a.png'): text(raw/name, APPLE)
    for name in ('ears/.DS_Store', 'ears/.gitignore', '.git/objects/a.json', '.ear_lazy/b.json', 'ears/.keep'): text(raw/name, '{}')
    assert notes(outcome(raw)) == [('__MACOSX', 'macOS made it of an archive: no image and no annotation'),
                                   ('ears/._a.png', 'macOS keeps it beside a file, and 1 more: no image and no annotation')]
    coco(raw/'ears/.old/labels/a.json', {'a.png': [[1, 2, 3, 4]]})
    text(raw/'ears/.b.png', 'x'), text(raw/'ears/.labels.csv', 'x'), text(raw/'ears/.c.jpg.icloud', 'x'), text(raw/'ears/._real.json', '{}')
    report = outcome(raw)
    assert [(o, p) for o, p in notes(report) if 'macOS' not in p] == [
        ('ears/._real.json', 'annotations, perhaps, and 2 more: what begins with a dot is not read, call it otherwise if it is data'),
        ('ears/.c.jpg.icloud', 'an image that is in iCloud only: download it, as with "Download Now" in the Finder'),
        ('ears/.old', 'a folder with labels/a.json in it: what begins with a dot is not read, call it otherwise if it is data')]
    assert 'Notes (harmless):' in str(report) and '× hidden, so it is not read → kept' in str(report)


def test_all_is_hidden(raw):
    coco(raw/'ears/.labels.json', {'a.png': [[1, 2, 3, 4]]})
    with pytest.raises(RawDataError, match=r'ears/\.labels\.json: hidden, so it is not read: annotations, perhaps: what begins with a dot'): outcome(raw)


def test_a_link_is_not_looked_into(raw, tmp_path):
    sound(raw)
    text(tmp_path/'far/a.json', '{}')
    (raw/'ears/.far').symlink_to(tmp_path/'far')
    assert notes(outcome(raw)) == []


def test_in_shared_storage(raw):
    "… also of a folder that has nothing else"
    sound(raw)
    text(raw/'.labels.json', '{}'), text(raw/'detector/.old.csv', 'x')
    assert [o for o, _ in notes(outcome(raw))] == ['.labels.json', 'detector/.old.csv']
    with ThreadPoolExecutor(1) as executor: process(raw, raw.parent/'shared', executor=executor, shared_storage=True, train_split=1)
    assert (raw.parent/'shared/report.json').read_bytes() == (raw.parent/'out/report.json').read_bytes()
