"The journal of corrections in a run: what it changes, how it is accounted for, and what it is never applied to"
import json
import random
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from making import KINDS, assert_accounted, boxes, coco, contents, image, listing, one_sentence, opened, process, pts, reasons, rows, run, sound, text

from ear_lazy.base.change import Value
from ear_lazy.base.origin import Origin
from ear_lazy.correcting.journal import OPERATIONS, Journal, Stated, encoded, new_line, photo_of
from ear_lazy.corrections import Corrections
from ear_lazy.data_processor import DataProcessor
from ear_lazy.errors import ProblemError, RawDataError
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.processing import corrected
from ear_lazy.processing.report import read_report
from ear_lazy.rewrite import changed
from ear_lazy.synthetic import write_raw

SIZE = 40, 60


class Writer:
    "Appends lines to a journal beside the output folder"
    def __init__(self, raw, path=None): self.raw, self.journal = raw, Journal(path or raw.parent/'corrections.jsonl')

    def line(self, op, path, was=None, now=None, where=(), **more):
        "`was` and `now` as `Value`s; `where` are places such as 'ears/a.json, id 3'"
        origins = tuple(Origin(*o.split(', ')) for o in where)
        photo = photo_of(self.raw/path, path, more.pop('size', SIZE))
        line = new_line(op, photo, was and Stated.of(was, origins), now and Stated.of(now), **more)
        self.journal.append([line])
        return line


def messy(raw):
    "Two datasets that share a photo, with boxes and keypoints, what the checks drop, and a photo that nobody annotates"
    for name in 'abcdef': image(raw/f'one/{name}.png', seed=ord(name))
    coco(raw/'one/boxes.json', {
        'a.png': [[1, 1, 10, 10], [30, 20, 9, 9]], 'b.png': [[5, 5, 0, 9], [2, 3, 20, 20]], 'c.png': [[99, 99, 5, 5]], 'd.png': [[4, 4, 8, 8], [20, 9, 8, 8]], 'e.png': []})
    coco(raw/'two/points.json', {
        'a.png': [dict(bbox=[1, 1, 10, 10], keypoints=[2, 2, 2, 8, 8, 1])], 'd.png': [dict(keypoints=[9, 9, 2, 30, 30, 2]), dict(bbox=[40, 2, 9, 9], keypoints=[0] * 6)]})
    return raw


def correct_all(w):
    "A line of each kind, by the name of what it does"
    return dict(
        moved=w.line('set', 'one/a.png', Value((1, 1, 10, 10), None, 'ear'), Value(box=(2, 2, 12, 12)), ['one/boxes.json, id 10']),
        deleted=w.line('delete', 'one/a.png', Value((30, 20, 9, 9), None, 'ear'), None, ['one/boxes.json, id 11'], note='a hat'),
        repaired=w.line('set', 'one/b.png', Value(None, None, None), Value(box=(5, 5, 6, 9), label='ear'), ['one/boxes.json, id 12']),
        alone=w.line('set', 'one/c.png', Value((99, 99, 5, 5)), Value(box=(50, 30, 5, 5), label='ear'), ['one/boxes.json, id 14']),
        excluded=w.line('exclude', 'one/e.png'),
        added=w.line('add', 'one/f.png', None, Value((1, 2, 3, 4), ((1, 2, 2), (3, 4, 1)), 'hat')),
        box=w.line('set', 'one/d.png', Value(None, ((9, 9, 2), (30, 30, 2)), 'ear'), Value(box=(8, 8, 25, 25)), ['two/points.json, id 11']),
        points=w.line('set', 'one/d.png', Value((40, 2, 9, 9), None, 'ear'), Value(points=((41, 3, 2), (44, 8, 2))), ['two/points.json, id 12']))


@pytest.fixture(scope='module')
def corrected_run(tmp_path_factory):
    "A run of `messy`, one with corrections, and their lines"
    top = tmp_path_factory.mktemp('corrected')
    raw, out = messy(top/'raw'), top/'out'
    before = process(raw, out)
    lines = correct_all(Writer(raw))
    return raw, out, before, process(raw, out), lines


def test_1_every_annotation_and_every_correction_is_accounted_for(corrected_run):
    "1. Every annotation that is read is either in a `.npy` or in the report, also after corrections: read + added = kept + merged + dropped + deleted"
    raw, out, before, report, _ = corrected_run
    assert_accounted(before), assert_accounted(report, out)
    one, two = report.sources['one'], report.sources['two']
    assert (one.boxes.read, one.boxes.corrected, one.boxes.added, one.boxes.deleted, one.boxes.dropped) == (7, 3, 1, 1, 0), 'moved, repaired, and the one outside of its photo'
    assert (two.boxes.added, two.keypoints.corrected, two.keypoints.dropped, one.keypoints.added) == (1, 1, 0, 1)
    assert [(p.reason, p.action) for p in before.problems if p.action == 'dropped'] == [('no_area', 'dropped'), ('outside', 'dropped'), ('unlabelled', 'dropped')]
    assert {(p.reason, p.action) for p in report.problems} == {('no_area', 'corrected'), ('outside', 'corrected'), ('unlabelled', 'corrected'), ('deleted', 'deleted'),
                                                               ('excluded', 'dropped'), ('repeat', 'merged')}
    assert report.unchanged == ['one', 'two'], 'and nothing was parsed'


def test_all_views_are_corrected(corrected_run):
    "Detector box, landmark row and teacher crop; an object without a box has one now; a photo that nobody annotates has a row; another is left out"
    raw, out, _, _, lines = corrected_run
    assert rows(out, 'detector') == [
        ('one/a.png', [[2, 2, 12, 12]]), ('one/b.png', [[2, 3, 20, 20], [5, 5, 6, 9]]), ('one/c.png', [[50, 30, 5, 5]]),
        ('one/d.png', [[4, 4, 8, 8], [20, 9, 8, 8], [8, 8, 25, 25], [40, 2, 9, 9]]), ('one/f.png', [[1, 2, 3, 4]])]
    assert rows(out, 'landmarker') == [('one/a.png', [[2, 2, 2], [8, 8, 1]]), ('one/d.png', [[9, 9, 2], [30, 30, 2]]), ('one/d.png', [[41, 3, 2], [44, 8, 2]]), ('one/f.png', [[1, 2, 2], [3, 4, 1]])]
    crops = [box for path, box in rows(out, 'teacher') if path == 'one/d.png']
    assert [8, 8, 25, 25] in crops and len(crops) == 4, 'the annotated box, not the padded extent'
    boxes_of_points = [file.bbox(i).tolist() for file in opened(out, 'landmarker') for i in range(len(file)) if file.image_path(i) == 'one/a.png']
    assert boxes_of_points == [[2, 2, 12, 12]]
    origins = {(file.image_path(i), str(o)) for file in opened(out, 'detector') for i in range(len(file)) for own in file.origins(i) for o in own}
    assert {('one/a.png', 'one/boxes.json, id 10'), ('one/a.png', 'two/points.json, id 10'), ('one/b.png', 'one/boxes.json, id 12'),
            ('one/f.png', f"corrections.jsonl, added {int(lines['added'].id, 16)}")} <= origins
    digests = {bytes(o.columns['journal']) for kind in KINDS for file in opened(out, kind) for o in file.shards}
    assert digests == {Journal(raw.parent/'corrections.jsonl').digest.encode()}


def test_4_order_repeats_and_workers_change_no_byte(corrected_run, tmp_path):
    "4. The same raw data, options and corrections give the same bytes out, whatever `num_workers` is, whatever was there before, and in whatever order and how often the lines stand"
    raw, out, _, _, lines = corrected_run
    journal = tmp_path/'corrections.jsonl'
    shuffled = [encoded(o) for o in [*lines.values(), *lines.values()]]
    random.Random(5).shuffle(shuffled)
    journal.write_bytes(b'\n'.join(shuffled)) # and no end of the last line
    with ThreadPoolExecutor(2) as executor:
        for n, options in enumerate((dict(num_workers=2, batch_size=1), dict(executor=executor), dict(executor=executor, shared_storage=True, batch_size=2))):
            shutil.copytree(raw, tmp_path/f'{n}/raw', copy_function=shutil.copy2)
            report = process(tmp_path/f'{n}/raw', tmp_path/f'{n}/out', corrections=journal, **options)
            assert_accounted(report, tmp_path/f'{n}/out')
            assert contents(tmp_path/f'{n}/out') == contents(out)


def test_4_without_corrections_all_is_as_before(tmp_path):
    "4. … no journal, an empty one, and `corrections=False` give the same bytes, and no word of corrections; with a journal files are written once"
    raw, out = sound(tmp_path/'raw'), tmp_path/'out'
    process(raw, out)
    plain = contents(out)
    assert b'added' not in plain['report.json'] and b'deleted' not in plain['report.json']
    text(tmp_path/'corrections.jsonl', '')
    assert process(raw, out).is_of_last_run
    w = Writer(raw)
    w.line('delete', 'ears/a.png', Value((1, 1, 9, 9), None, 'ear'), None, ['ears/ears.json, id 10'])
    assert process(raw, out, corrections=False).is_of_last_run
    report = process(raw, out)
    assert (report.is_of_last_run, report.unchanged, report.sources['ears'].boxes.deleted) == (False, ['ears'], 1)
    again = process(raw, out)
    assert again.is_of_last_run and again.sources == report.sources and 'deleted' in str(again) and again._repr_html_().count('<th') == report._repr_html_().count('<th')
    process(raw, out, corrections=False)
    assert contents(out) == plain


def test_8_a_correction_is_never_applied_to_another_value(tmp_path):
    "8. A correction is never applied to a value it was not made for, and never changes the raw data: both values are in the report"
    raw, out = sound(tmp_path/'raw'), tmp_path/'out'
    w = Writer(raw)
    w.line('set', 'ears/a.png', Value((1, 1, 8, 8), None, 'ear'), Value(box=(3, 3, 9, 9)), ['ears/ears.json, id 10']) # its file has another box there
    first = w.line('set', 'ears/a.png', Value((20, 20, 9, 9), None, 'ear'), Value(box=(21, 21, 9, 9)), ['ears/ears.json, id 11'])
    for x in (22, 23): w.line('set', 'ears/a.png', Value((21, 21, 9, 9), None, 'ear'), Value(box=(x, 21, 9, 9)), ['ears/ears.json, id 11'], after=[first.id]) # two go on from one line
    w.line('delete', 'ears/b.png', Value((3, 3, 9, 9), None, 'ear'), None, ['ears/ears.json, id 12'], size=(80, 120)) # made on another photo
    before = contents(raw)
    report = process(raw, out)
    assert_accounted(report, out)
    assert boxes(out) == [('ears/a.png', [1, 1, 9, 9]), ('ears/a.png', [20, 20, 9, 9]), ('ears/b.png', [3, 3, 9, 9])]
    details = sorted(p.detail for p in report.problems if (p.reason, p.action) == ('conflict', 'kept'))
    assert len(details) == 3 and all(words in detail for detail, words in zip(details, ('[1, 1, 9, 9]', '[22, 21, 9, 9]', '120×80 pixels')))
    assert '[1, 1, 8, 8]' in details[0] and '[3, 3, 9, 9]' in details[0]
    assert 'a correction was made for another value' in str(report) and contents(raw) == before
    with pytest.raises(ProblemError, match='made for another value'): process(raw, out, strict=True)


def test_what_is_there_already_and_what_is_not_here(tmp_path):
    "The raw data was corrected as well; the photo, the class or the annotation file is not in this run"
    raw, out = sound(tmp_path/'raw'), tmp_path/'out'
    w = Writer(raw)
    w.line('set', 'ears/a.png', Value((0, 0, 9, 9), None, 'ear'), Value(box=(1.2, 1, 9, 9)), ['ears/ears.json, id 10']) # the file has whole pixels
    w.line('delete', 'ears/b.png', Value((30, 3, 9, 9), None, 'ear'), None, ['ears/ears.json, id 99'])
    w.line('set', 'ears/gone.png', Value((1, 1, 9, 9)), Value(box=(2, 2, 9, 9)), ['ears/ears.json, id 50'])
    w.line('set', 'ears/b.png', Value((9, 9, 5, 5), None, 'ear'), Value(box=(10, 10, 5, 5)), ['other/boxes.csv, line 2'])
    w.line('set', 'ears/b.png', Value((3, 3, 9, 9), None, 'ear'), Value(label='hat'), ['ears/ears.json, id 12'])
    w.line('add', 'ears/b.png', None, Value((5, 5, 9, 9), None, 'shoe'))
    report = process(raw, out, classes=['ear', 'hat'])
    assert_accounted(report, out)
    assert reasons(report) == [('not_here', 'kept')] * 3 + [('settled', 'kept')] * 2
    assert boxes(out) == [('ears/a.png', [1, 1, 9, 9]), ('ears/a.png', [20, 20, 9, 9]), ('ears/b.png', [3, 3, 9, 9])]
    assert report.sources['ears'].classes == {'ear': 2, 'hat': 1}
    assert {p.detail for p in report.problems if p.reason == 'not_here'} == {'the photo is not there', 'its annotation file is not there', "its class 'shoe' is not asked for"}
    assert 'a correction is in the raw data already' in str(report) and 'is not in this run' in report._repr_html_()


def test_a_photo_that_has_moved(tmp_path, monkeypatch):
    "It is found by its bytes, of files of its size alone, unless two have them; so are the lines that were written since"
    raw, out = sound(tmp_path/'raw'), tmp_path/'out'
    w = Writer(raw)
    w.line('delete', 'ears/a.png', Value((20, 20, 9, 9), None, 'ear'), None, ['ears/ears.json, id 11'])
    (raw/'ears/a.png').rename(raw/'ears/new.png')
    coco(raw/'ears/ears.json', {'new.png': [[1, 1, 9, 9], [20, 20, 9, 9]], 'b.png': [[3, 3, 9, 9]]})
    w.line('set', 'ears/new.png', Value((1, 1, 9, 9), None, 'ear'), Value(box=(2, 2, 9, 9)), ['ears/ears.json, id 10'])
    read, digest = [], corrected.content_digest
    monkeypatch.setattr(corrected, 'content_digest', lambda path: read.append(Path(path).name) or digest(path))
    report = process(raw, out)
    assert_accounted(report, out)
    assert boxes(out) == [('ears/b.png', [3, 3, 9, 9]), ('ears/new.png', [2, 2, 9, 9])]
    assert read == ['new.png'] and (raw/'ears/b.png').stat().st_size != (raw/'ears/new.png').stat().st_size
    shutil.copy(raw/'ears/new.png', raw/'ears/copy.png')
    assert [p.detail for p in process(raw, out).problems if p.reason == 'not_here'] == ['the photo is not there']
    assert ('ears/new.png', [20, 20, 9, 9]) in boxes(out)


def test_photos_that_show_nothing(tmp_path):
    "Known to be empty, listed or not; one that has objects by now is a conflict; an added object makes one that was empty an ordinary photo"
    raw, out = tmp_path/'raw', tmp_path/'out'
    for name in 'abcd': image(raw/f'ears/{name}.png', seed=ord(name))
    coco(raw/'ears/ears.json', {'a.png': [[1, 1, 9, 9]], 'b.png': [[3, 3, 9, 9]], 'c.png': []})
    w = Writer(raw)
    w.line('delete', 'ears/a.png', Value((1, 1, 9, 9), None, 'ear'), None, ['ears/ears.json, id 10'])
    for name in 'abd': w.line('empty', f'ears/{name}.png')
    w.line('add', 'ears/c.png', None, Value((5, 5, 9, 9), None, 'ear'))
    report = process(raw, out)
    assert_accounted(report, out)
    assert rows(out, 'detector') == [('ears/a.png', []), ('ears/b.png', [[3, 3, 9, 9]]), ('ears/c.png', [[5, 5, 9, 9]]), ('ears/d.png', [])]
    assert reasons(report) == [('conflict', 'kept'), ('deleted', 'deleted')]


def test_names_of_classes_are_those_that_are_seen(tmp_path):
    "Lines were made in files whose classes have other names than the raw data, also where two have changed their names"
    raw, out = tmp_path/'raw', tmp_path/'out'
    image(raw/'ears/a.png')
    names = dict(categories=[dict(id=1, name='left'), dict(id=2, name='right')])
    coco(raw/'ears/ears.json', {'a.png': [[1, 1, 9, 9], dict(bbox=[20, 20, 9, 9], category_id=2), dict(bbox=[40, 20, 9, 9], category_id=2)]}, **names)
    w = Writer(raw)
    w.line('set', 'ears/a.png', Value((1, 1, 9, 9), None, 'right'), Value(label='left'), ['ears/ears.json, id 10'])
    w.line('set', 'ears/a.png', Value((20, 20, 9, 9), None, 'left'), Value(box=(21, 20, 9, 9)), ['ears/ears.json, id 11'])
    report = process(raw, out, rename={'left': 'right', 'right': 'left'})
    assert_accounted(report, out)
    assert report.sources['ears'].classes == {'left': 3} and report.sources['ears'].boxes.corrected == 2


def test_corrected_values_are_checked(tmp_path):
    "As those that are read: clipped, dropped, or one with another; each is told at its place"
    raw, out = sound(tmp_path/'raw'), tmp_path/'out'
    w = Writer(raw)
    w.line('set', 'ears/a.png', Value((1, 1, 9, 9), None, 'ear'), Value(box=(50, 30, 30, 30)), ['ears/ears.json, id 10'])
    w.line('set', 'ears/a.png', Value((20, 20, 9, 9), None, 'ear'), Value(box=(99, 20, 9, 9)), ['ears/ears.json, id 11'])
    for _ in range(2): w.line('add', 'ears/b.png', None, Value((13, 3, 9, 9), None, 'ear')) # by two people
    report = process(raw, out)
    assert_accounted(report, out)
    assert boxes(out) == [('ears/a.png', [50, 30, 10, 10]), ('ears/b.png', [3, 3, 9, 9]), ('ears/b.png', [13, 3, 9, 9])]
    assert sorted((p.reason, p.action, p.file, p.where.partition(' ')[0]) for p in report.problems) == [
        ('outside', 'dropped', 'ears/ears.json', 'id'), ('partly_outside', 'clipped', 'ears/ears.json', 'id'), ('repeat', 'merged', 'corrections.jsonl', 'added')]
    assert (report.sources['ears'].boxes.corrected, report.sources['ears'].boxes.added) == (1, 2)


def test_lines_that_cannot_be_read(tmp_path):
    "They are named, and cost only themselves; also in the next run, and one that comes later is told though nothing else has changed"
    raw, out = sound(tmp_path/'raw'), tmp_path/'out'
    w = Writer(raw)
    w.line('delete', 'ears/b.png', Value((3, 3, 9, 9), None, 'ear'), None, ['ears/ears.json, id 12'])
    with open(w.journal.path, 'a') as f: f.write('<<<<<<< HEAD\n')
    report = process(raw, out)
    assert [(p.file, p.where, p.action) for p in report.problems if p.reason == 'bad_correction'] == [('corrections.jsonl', 'line 2', 'dropped')]
    assert len(boxes(out)) == 2 and process(raw, out).is_of_last_run
    with open(w.journal.path, 'a') as f: f.write('{}\n')
    report = process(raw, out)
    assert not report.is_of_last_run and len(report.problems.where(reason='bad_correction')) == 2
    w.journal.path.unlink()
    w.journal.path.mkdir()
    with pytest.raises(RawDataError, match='the journal of corrections cannot be read'): process(raw, out)


def test_where_the_journal_may_be(tmp_path):
    "Beside the folders, or elsewhere on this machine; a run neither replaces nor writes it; beside an output folder that is a URL none is looked for"
    raw, out = sound(tmp_path/'raw'), tmp_path/'out'
    for place, words in ((out/'c.jsonl', 'in the output folder'), (raw/'c.jsonl', 'in the raw folder'), ('s3://bucket/c.jsonl', 'a file on this machine')):
        with pytest.raises(ValueError, match=words): DataProcessor(raw, out, corrections=place)
        one_sentence(run(raw, '--all', '--output-dir', out, '--corrections', place), words)
    w = Writer(raw, tmp_path/'else/mine.jsonl') if (tmp_path/'else').mkdir() is None else None
    w.line('delete', 'ears/b.png', Value((3, 3, 9, 9), None, 'ear'), None, ['ears/ears.json, id 12'])
    before = w.journal.path.read_bytes()
    for options, n in ((('--corrections', w.journal.path), 2), ((), 3), (('--no-corrections',), 3)):
        assert run(raw, '--all', '--output-dir', out, '--workers', 0, *options).returncode == 0
        assert len(boxes(out)) == n
    assert w.journal.path.read_bytes() == before and listing(tmp_path/'else') == ['mine.jsonl']
    assert corrected.read_journal(None, raw, 's3://bucket/out') is None and corrected.read_journal(w.journal.path, raw, 's3://bucket/out')


def test_reports_of_earlier_versions(corrected_run):
    "They say nothing of corrections, and are read; those of this one come back whole"
    report = corrected_run[3]
    assert read_report(report.to_json()).to_json() == report.to_json()
    old = json.loads(corrected_run[2].to_json())
    assert {*old['sources'][0]['boxes']} == {'read', 'kept', 'repaired', 'merged', 'dropped'}
    assert read_report(json.dumps(old).encode()).sources['one'].boxes.deleted == 0


def test_keypoints_that_are_taken_away(tmp_path):
    "With a box the object stays; without one it goes; each set is in the report"
    raw, out = tmp_path/'raw', tmp_path/'out'
    image(raw/'ears/a.png')
    coco(raw/'ears/ears.json', {'a.png': [dict(bbox=[1, 1, 9, 9], keypoints=[2, 2, 2, 5, 5, 2]), dict(keypoints=[20, 20, 2, 30, 30, 2])]})
    w = Writer(raw)
    w.line('set', 'ears/a.png', Value((1, 1, 9, 9), ((2, 2, 2), (5, 5, 2)), 'ear'), Value(points=()), ['ears/ears.json, id 10'])
    w.line('set', 'ears/a.png', Value(None, ((20, 20, 2), (30, 30, 2)), 'ear'), Value(points=()), ['ears/ears.json, id 11'])
    report = process(raw, out)
    assert_accounted(report, out)
    assert boxes(out) == [('ears/a.png', [1, 1, 9, 9])] and report.sources['ears'].keypoints.deleted == 2 and not rows(out, 'landmarker')


def test_photos_that_cannot_be_read(tmp_path):
    "Nothing is added to them"
    raw, out = sound(tmp_path/'raw'), tmp_path/'out'
    w = Writer(raw)
    w.line('add', 'ears/a.png', None, Value((5, 5, 9, 9), None, 'ear'))
    (raw/'ears/a.png').write_bytes((raw/'ears/a.png').read_bytes()[:60])
    report = process(raw, out, check_images=True)
    assert_accounted(report, out)
    assert [p.detail for p in report.problems if p.reason == 'not_here'] == ['the photo cannot be read'] and boxes(out) == [('ears/b.png', [3, 3, 9, 9])]


def test_a_journal_that_is_not_there_is_told(tmp_path):
    raw = sound(tmp_path/'raw')
    assert any('no journal of corrections at' in o for o in process(raw, tmp_path/'out', corrections=tmp_path/'typo.jsonl').notes)
    assert not any('journal' in o for o in process(raw, tmp_path/'out').notes)


def many_formats(raw):
    "Sources of several formats: boxes and keypoints of one object in two files, a photo of two datasets, files of one object, lines of a table"
    for i, name in enumerate('abcd'): image(raw/f'one/{name}.png', seed=i)
    coco(raw/'one/boxes.json', {name: [[1 + i, 1, 10, 10], [30, 20 + i, 9, 9]] for i, name in enumerate(('a.png', 'b.png', 'c.png'))})
    coco(raw/'one/points.json', {'a.png': [dict(bbox=[1, 1, 10, 10], keypoints=[2, 2, 2, 8, 8, 1])], 'b.png': [dict(keypoints=[9, 30, 2, 20, 35, 2])]})
    text(raw/'two/labels.csv', 'filename,class,xmin,ymin,xmax,ymax\na.png,ear,1,1,11,11\nb.png,hat,40,5,55,15\n')
    for i, name in enumerate('gh'): image(raw/f'pts/{name}.png', seed=9 + i), pts(raw/f'pts/{name}.pts', [(2 + i, 3), (20, 22)])
    for i, name in enumerate('kl'): image(raw/f'yolo/{name}.png', seed=20 + i), text(raw/f'yolo/{name}.txt', '0 0.5 0.5 0.25 0.25\n1 0.25 0.25 0.25 0.25\n')
    return raw


def objects_of(out):
    "(photo, box, points, class) of all objects, with their origins"
    found = {}
    for kind in ('detector', 'landmarker'):
        for m in opened(out, kind):
            labels = iter(m.shards[0].names('label_names')[o] for o in m.shards[0].columns['labels'])
            for i in range(len(m)):
                for k, origins in enumerate(m.origins(i)):
                    own = found.setdefault((m.image_path(i), *map(str, origins)), dict(path=m.image_path(i), origins=origins, box=None, points=None, label=next(labels)))
                    if kind == 'detector': own['box'] = tuple(m.values(i)[k].tolist())
                    else: own['points'] = tuple(map(tuple, m.values(i).tolist()))
    return found


@pytest.mark.parametrize('seed', [0, *(pytest.param(i, marks=pytest.mark.slow) for i in range(1, 60))])
def test_1_any_edits_give_what_a_plain_model_gives(tmp_path, seed):
    "1. Random lines of all kinds, made of what the files hold, run after run: the next run holds what a list of objects would, and all is accounted for"
    rng, raw, out = random.Random(seed), many_formats(tmp_path/'raw'), tmp_path/'out'
    w, after, model = Writer(raw), {}, None
    def box(): return float(rng.randrange(2, 30)), float(rng.randrange(2, 20)), float(rng.randrange(4, 20)), float(rng.randrange(4, 15))
    def points(): return tuple((float(rng.randrange(1, 50)), float(rng.randrange(1, 38)), rng.choice((1., 2.))) for _ in range(2))
    for _ in range(4):
        report = process(raw, out)
        assert_accounted(report, out)
        assert not report.problems.where(reason='conflict')
        found = objects_of(out)
        if model is not None: assert sorted(map(repr, ((o['path'], o['box'], o['points'], o['label']) for o in found.values()))) == sorted(map(repr, model))
        for key, o in rng.sample(sorted(found.items()), min(4, len(found))):
            was, op = Value(o['box'], o['points'], o['label']), rng.choice(('set', 'set', 'set', 'delete'))
            now = None if op == 'delete' else Value(rng.choice((None, box())), rng.choice((None, points())), rng.choice((None, 'ear', 'hat', 'nose')))
            if now == Value(): continue
            line = w.line(op, o['path'], was, now, map(str, o['origins']), after=after.get(key, ()))
            after[key] = [line.id]
            if op == 'delete': del found[key]
            else: o.update({k: v for k, v in now._asdict().items() if v is not None})
        model = [(o['path'], o['box'], o['points'], o['label']) for o in found.values()]
        if rng.random() < .7:
            new = Value(box(), rng.choice((None, points())), rng.choice(('ear', 'nose')))
            path = rng.choice(('one/a.png', 'one/d.png', 'yolo/k.png', 'pts/h.png'))
            line = w.line('add', path, None, new)
            after[path, f'corrections.jsonl, added {int(line.id, 16)}'] = [line.id]
            model.append((path, *new))


def test_corrected_rows_stay_where_they_are(tmp_path):
    "So that row numbers hold, and git shows what was corrected alone"
    write_raw(tmp_path/'raw', 20)
    processor = DataProcessor(tmp_path/'raw', tmp_path/'out', num_workers=0, progress=False)
    processor.process_all()
    before = {o.name: LazyNPYDataset(o) for o in sorted((tmp_path/'out').glob('*.npy'))}
    paths = {name: [ds.get_metadata(i)['image_path'] for i in range(len(ds))] for name, ds in before.items()}
    ds = before['train_detector.npy']
    row = next(i for i in range(len(ds)) if len(ds.get_metadata(i)['bboxes']) == 1)
    Corrections.of(ds).add(changed(ds, row, box=(1, 2, 30, 40)))
    processor.process_all()
    for name in before:
        ds = LazyNPYDataset(tmp_path/'out'/name)
        assert [ds.get_metadata(i)['image_path'] for i in range(len(ds))] == paths[name]
    assert LazyNPYDataset(tmp_path/'out'/'train_detector.npy').get_metadata(row)['bboxes'].tolist() == [[1, 2, 30, 40]]


@pytest.mark.parametrize('seed', [0, pytest.param(1, marks=pytest.mark.slow)])
def test_lines_of_a_stranger(tmp_path, seed):
    "Whatever stands in a line: the run ends, all is accounted for, and its report can be read"
    raw, out, rng = sound(tmp_path/'raw'), tmp_path/'out', random.Random(seed)
    texts = ['\ud800', '\udc80', '\0', 'a\nb', '', '../x', '/etc/passwd', 'ears/../ears/a.png', 'x'*3000, 'ears\\a.png', '..', 'ears', '=cmd()', '\x1b[31m', '//', 'a//b']
    numbers = [1, 9, 0, -5, 1e308, 1e38, 1e-300, 2.5]
    def stated():
        origins = [[rng.choice([*texts, 'ears/ears.json']), rng.choice(['id 10', 'id 11', '', 'id -3', 'added 5', 'line 99999999999999999999', 'x y z', '\ud800'])] for _ in range(rng.randint(0, 2))]
        values = dict(box=rng.choices(numbers, k=4), points=[[*rng.choices(numbers, k=2), rng.choice([0, 1, 2])] for _ in range(rng.randint(0, 3))], label=rng.choice([*texts, 'ear']))
        return dict(origins=origins) | {k: v for k, v in values.items() if rng.random() < .6}
    for _ in range(6 if seed == 0 else 100):
        lines = [dict(v=1, id=f'{rng.randrange(2**62):016x}', op=rng.choice(OPERATIONS), was=stated(), now=stated(), seen=[stated()], by=rng.choice(texts), at=rng.choice(texts), note=rng.choice(texts),
                      photo=dict(path=rng.choice([*texts, 'ears/a.png', 'ears/b.png']), bytes=rng.choice([0, 5, -1, 2**62]), digest=rng.choice(['', 'zz']), size=rng.choice([[40, 60], [0, 0], [-1, 5]]))) for _ in range(6)]
        (tmp_path/'corrections.jsonl').write_text('\n'.join(map(json.dumps, lines)))
        report = process(raw, out)
        assert_accounted(report)
        assert read_report(report.to_json()).problems == report.problems and str(report)


def test_photos_are_left_out(tmp_path):
    "Alone, with all their annotations, which are in the report with the reason"
    raw, out = sound(tmp_path/'raw'), tmp_path/'out'
    Writer(raw).line('exclude', 'ears/a.png', note='blurred')
    report = process(raw, out)
    assert_accounted(report, out)
    assert rows(out, 'detector') == [('ears/b.png', [[3, 3, 9, 9]])]
    assert [(p.reason, p.action, p.image, p.detail, p.boxes) for p in report.problems] == [('excluded', 'dropped', 'ears/a.png', 'blurred', 2)]


def test_photos_that_were_annotated_from_nothing_become_a_dataset(tmp_path):
    "A folder of photos without any annotation file: what the explorer adds is a source of the run, and can be exported as COCO"
    raw, out = tmp_path/'raw', tmp_path/'out'
    for name in ('a', 'b', 'more/c'): image(raw/f'{name}.png', seed=len(name))
    with pytest.raises(RawDataError, match='no annotation files'): process(raw, out)
    w = Writer(raw)
    w.line('add', 'a.png', None, Value((1, 2, 10, 12), None, 'ear'))
    w.line('empty', 'b.png')
    report = process(raw, out)
    assert_accounted(report, out)
    assert report.sources['.'].boxes.added == 1
    assert [o for o, _ in rows(out, 'detector')] == ['a.png', 'b.png']
    w.line('add', 'more/c.png', None, Value((3, 2, 10, 12), None, 'ear'))
    assert {*process(raw, out).sources} == {'.', 'more'} # another folder
    Corrections(w.journal.path, raw).export_coco(tmp_path/'all.json')
    made = json.loads((tmp_path/'all.json').read_text())
    assert [(o['height'], o['width']) for o in made['images']] == [SIZE]*2 and [o['bbox'] for o in made['annotations']] == [[1, 2, 10, 12], [3, 2, 10, 12]]
