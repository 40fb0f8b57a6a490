"A second run reads only what has changed, and its outputs are those of a run from scratch"
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from making import HIDDEN, ROOT, coco, contents, image, leftovers, process, pts, reasons, text

from ear_lazy import data_processor
from ear_lazy.base.digests import digest_of
from ear_lazy.errors import OutputError
from ear_lazy.formats.discover import Source
from ear_lazy.processing import changes, workers
from ear_lazy.processing.output_folder import read_heads

CSV = 'image_path,x1,y1,w,h,label\n'


@pytest.fixture
def raw(tmp_path):
    "Three raw datasets with classes of their own, and a problem in each of two"
    raw = tmp_path/'raw'
    for name in 'abcd': image(raw/f'boxes/{name}.png', seed=ord(name))
    coco(raw/'boxes/boxes.json', {'a.png': [[1, 1, 9, 9]], 'b.png': [[2, 2, 9, 9], [70, 1, 5, 5]], 'c.png': [[3, 3, 9, 9]], 'd.png': []},
         categories=[dict(id=1, name='left ear')])
    for name in 'efg': image(raw/f'table/{name}.png', seed=ord(name))
    text(raw/'table/table.csv', CSV + 'e.png,1,1,9,9,face\nf.png,2,2,9,9,ear\ngone.png,1,1,2,2,ear\n')
    for i in range(7):
        image(raw/f'points/imgs/{i}.png', seed=i)
        pts(raw/f'points/annot/{i}.pts', [(1, 1), (i + 5, 9)])
    return raw


@pytest.fixture
def out(raw): return raw.parent/'out'


def again(raw, out, **options):
    "Process again, and see that the outputs are those of a run from scratch; which sources were not parsed"
    report = process(raw, out, **options)
    fresh = process(raw, raw.parent/'fresh', force=True, **options)
    assert contents(out) == contents(raw.parent/'fresh') and report.sources == fresh.sources and report.problems == fresh.problems
    assert not leftovers(out)
    return report.unchanged


def everything(folder): return {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in [folder, *folder.rglob('*')]}


@pytest.fixture
def no_more_parsing(monkeypatch):
    "A function: from its call on, parsing fails"
    def load(*args): raise AssertionError(f'parses {args[1:]}')
    return lambda: monkeypatch.setattr(workers, 'load', load)


ALL = ['boxes', 'points', 'table']


def test_nothing_changed(raw, out, no_more_parsing):
    first = process(raw, out)
    no_more_parsing()
    before = everything(out)
    report = process(raw, out)
    assert report.unchanged == ALL and everything(out) == before, 'nothing is written'
    assert (report.sources, report.problems, report.outputs, report.kinds) == (first.sources, first.problems, first.outputs, first.kinds)
    assert report.to_json() == first.to_json() and str(report) == str(first)


def test_files_that_were_written_again_as_they_were(raw, out, no_more_parsing):
    process(raw, out)
    no_more_parsing()
    before = everything(out)
    for p in raw.rglob('*'):
        if p.suffix not in ('.json', '.csv', '.pts'): continue
        data = p.read_bytes()
        p.unlink()
        p.write_bytes(data)
    assert process(raw, out).unchanged == ALL and everything(out) == before


def edit(path, old, new):
    "Change a file, and put its time back"
    times, data = path.stat(), path.read_text()
    assert data.count(old) == 1
    path.write_text(data.replace(old, new))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert len(old) != len(new) or path.stat().st_size == times.st_size


@pytest.mark.parametrize('wait', [0, 0.3])
def test_an_edit_that_keeps_size_and_time(raw, out, wait):
    time.sleep(wait) # files that were left alone for a while are told by their stamps, others by their content
    process(raw, out)
    edit(raw/'table/table.csv', 'e.png,1,1,9,9', 'e.png,1,1,8,9')
    assert again(raw, out) == ['boxes', 'points']


def test_a_file_is_added_changed_removed(raw, out):
    process(raw, out)
    image(raw/'points/imgs/9.png')
    pts(raw/'points/annot/9.pts', [(1, 1), (7, 9)])
    assert again(raw, out) == ['boxes', 'table']
    edit(raw/'points/annot/9.pts', '7 9', '20 30')
    assert again(raw, out) == ['boxes', 'table']
    (raw/'points/annot/9.pts').unlink()
    assert again(raw, out) == ['boxes', 'table']
    assert again(raw, out) == ALL


def test_a_source_is_added_and_removed(raw, out):
    "Numbers of sources and classes move, and the rows that were kept move with them"
    process(raw, out)
    image(raw/'a new one/z.png')
    text(raw/'a new one/z.csv', CSV + 'z.png,1,1,9,9,nose\n')
    assert again(raw, out) == ALL
    shutil.rmtree(raw/'boxes')
    assert again(raw, out) == ['a new one', 'points', 'table']
    assert len([o for o in (out/HIDDEN).iterdir() if o.is_dir()]) == 3, 'what is not used any more is not kept'


@pytest.mark.parametrize('change', ['missing', 'found', 'larger'])
def test_an_image_changes(raw, out, change):
    process(raw, out)
    if change == 'missing': (raw/'table/e.png').unlink()
    if change == 'found': image(raw/'table/gone.png')
    if change == 'larger': image(raw/'table/e.png', (400, 600))
    assert again(raw, out) == ['boxes', 'points']


def test_a_source_is_declared_otherwise(raw, out):
    options = dict(sources=[Source('points', keypoint_offset=1), Source('table', kind='detector'), Source('boxes', format='coco')])
    process(raw, out)
    assert again(raw, out, **options) == []
    assert again(raw, out, **options) == ALL
    assert again(raw, out) == []


OTHERWISE = dict(seed=1), dict(split='random'), dict(split='folder'), dict(group_by='[a-g]'), dict(group_by=lambda path: path[:6]), dict(classes=('ear',)), dict(keypoints=2), dict(rename={'ear': 'Ohr'}), dict(kinds=('detector',))


@pytest.mark.parametrize('options', OTHERWISE, ids=lambda o: '-'.join(o))
def test_something_else_is_asked_for(raw, out, no_more_parsing, options):
    "Other options open no annotation file, and give what a fresh run gives"
    process(raw, out)
    before = contents(out)
    fresh = process(raw, raw.parent/'fresh', **options)
    no_more_parsing()
    report = process(raw, out, **options)
    assert report.unchanged == ALL and report.outputs == fresh.outputs and str(report) == str(fresh)
    made = contents(raw.parent/'fresh')
    assert {k: o for k, o in contents(out).items() if k in made} == made
    assert process(raw, out).unchanged == ALL and contents(out) == before


def test_a_share_is_split_without_parsing(raw, out, no_more_parsing):
    process(raw, out, train_split=0.8)
    fresh = process(raw, raw.parent/'fresh', train_split=0.3)
    no_more_parsing()
    report = process(raw, out, train_split=0.3)
    assert report.unchanged == ALL and contents(out) == contents(raw.parent/'fresh') and report.outputs == fresh.outputs


def test_sources_toml_changes(raw, out):
    process(raw, out)
    text(raw/'sources.toml', '[points]\nkeypoint_offset = 2\n')
    assert again(raw, out) == ['boxes', 'table']


@pytest.mark.parametrize('damage', ['edited', 'removed', 'report', 'all removed'])
def test_outputs_are_restored_without_parsing(raw, out, no_more_parsing, damage):
    process(raw, out)
    no_more_parsing()
    good = contents(out)
    if damage == 'edited': (out/'train_detector.npy').write_bytes(b'x')
    if damage == 'removed': (out/'train_detector.npy').unlink()
    if damage == 'report': (out/'report.json').write_text('{}')
    if damage == 'all removed':
        for name in good: (out/name).unlink()
    assert process(raw, out).unchanged == ALL and contents(out) == good


def damage_state(hidden): (hidden/'state').write_bytes(b'\x93nonsense')
def damage_part(hidden): shutil.rmtree(next(o for o in hidden.iterdir() if o.is_dir()))
def damage_all(hidden): shutil.rmtree(hidden)


@pytest.mark.parametrize('damage', [damage_state, damage_part, damage_all])
def test_what_the_last_run_left_may_be_lost(raw, out, damage):
    process(raw, out)
    edit(raw/'table/table.csv', 'e.png,1,1,9,9', 'e.png,1,1,8,9')
    damage(out/HIDDEN)
    again(raw, out)


def test_force(raw, out):
    process(raw, out)
    assert process(raw, out, force=True).unchanged == []


def test_no_row_changes_nothing(raw, out):
    process(raw, out)
    before = contents(out)
    for name in ('boxes', 'points'): shutil.rmtree(raw/name)
    for p in (raw/'table').glob('*.png'): p.unlink()
    assert process(raw, out).outputs == [] and contents(out) == before and not leftovers(out)


def test_two_runs_at_once(raw, out, monkeypatch):
    "The second says so at once, and the first is not disturbed"
    from ear_lazy.processing.output_folder import OutputFolder
    process(raw, out)
    before = contents(out)
    pts(raw/'points/annot/7.pts', [(1, 1), (2, 2)])
    with OutputFolder(out, raw, ('detector',)):
        with pytest.raises(OutputError, match='another run is writing into'): process(raw, out)
    assert contents(out) == before
    again(raw, out)


def test_a_killed_run_leaves_nothing_to_the_next(raw, out):
    process(raw, out)
    script = '''
import os, signal, sys
from ear_lazy.processing import output_folder
from ear_lazy.data_processor import DataProcessor
output_folder.write_metadata = lambda *args: os.kill(os.getpid(), signal.SIGKILL)
DataProcessor(sys.argv[1], sys.argv[2], num_workers=0, force=True, progress=False).process_all()
'''
    done = subprocess.run([sys.executable, '-c', script, str(raw), str(out)], cwd=ROOT)
    assert done.returncode == -signal.SIGKILL and leftovers(out)
    pts(raw/'points/annot/3.pts', [(1, 1), (2, 2)])
    again(raw, out)


def test_the_hidden_folder_is_kept_out_of_version_control(raw, out):
    process(raw, out)
    assert (out/HIDDEN/'.gitignore').read_text() == '*\n'
    assert all(re.fullmatch(r'kept-\w{32}', o.name) for o in (out/HIDDEN).iterdir() if o.is_dir())


def test_names_that_are_no_text(raw, out):
    photo, table = os.fsdecode(b'caf\xe9.png'), os.fsdecode(b'tabl\xe9.csv')
    image(raw/'table/x.png').rename(raw/'table'/photo)
    (raw/'table/table.csv').rename(raw/'table'/table)
    with open(raw/'table'/table, 'ab') as f: f.write(b'caf\xe9.png,1,1,2,2,ear\n')
    process(raw, out)
    assert again(raw, out) == ALL
    assert digest_of(os.fsdecode(b'\xe9')) != digest_of('é')
    assert 'missing_image' in dict(reasons(process(raw, out)))


def test_what_was_seen_of_a_file_holds_while_its_stamp_does(raw, out):
    "A file becomes one of another format, YOLO's classes get other names: also where size and time stay, and where another file takes the place"
    image(raw/'yolo/images/a.png')
    text(raw/'yolo/labels/a.txt', '0 .5 .5 .2 .2\n')
    text(raw/'yolo/data.yaml', 'names: [left ear]\n')
    time.sleep(.15) # all have lasting stamps
    process(raw, out)
    assert read_heads(out)._known.keys() >= {'boxes/boxes.json', 'table/table.csv', 'yolo/labels/a.txt', 'yolo/data.yaml'}
    edit(raw/'yolo/data.yaml', 'left', 'LEFT')
    assert again(raw, out) == ALL
    file = raw/'boxes/boxes.json'
    before, size, times = file.read_text(), file.stat().st_size, file.stat()
    createml = json.dumps([dict(image='a.png', annotations=[dict(label='nose', coordinates=dict(x=9, y=9, width=4, height=4))])])
    other = raw.parent/'other.json'
    for data, place in ((createml, file), (before, other)):
        text(place, data.ljust(size))
        os.utime(place, ns=(times.st_atime_ns, times.st_mtime_ns))
        if place == other: os.replace(place, file)
        assert file.stat().st_size == size and again(raw, out) == ['points', 'table', 'yolo']
        assert process(raw, out, seed=1).sources['boxes'].classes == ({'nose': 1} if data == createml else {'left ear': 3})


def test_what_was_seen_is_believed_here_and_whole_only(raw, out, monkeypatch):
    time.sleep(.15)
    for o in (out, raw.parent/'fresh'): process(raw, o)
    note = out/HIDDEN/'heads'
    good = note.read_bytes()
    assert read_heads(out)._known
    for bad in ((raw.parent/'fresh'/HIDDEN/'heads').read_bytes(), good[:-1], good[:60] + bytes([good[60] ^ 1]) + good[61:], b''):
        note.write_bytes(bad)
        assert not read_heads(out)._known
    assert again(raw, out, seed=1) == ALL
    shutil.copytree(out, raw.parent/'copy')
    assert not read_heads(raw.parent/'copy')._known and again(raw, raw.parent/'copy', seed=2) == []
    def fail(path): raise AssertionError('believes what an earlier run has seen')
    monkeypatch.setattr(data_processor, 'read_heads', fail)
    process(raw, out, force=True)
    with pytest.raises(AssertionError, match='believes'): process(raw, out)


def test_images_alone(raw, out, no_more_parsing):
    "Their content is not looked at, only what a header and the system tell"
    for i in range(3): image(raw/f'teacher/crops/{i}.png', seed=i)
    process(raw, out)
    image(raw/'teacher/crops/1.png', (40, 60))
    assert again(raw, out) == ALL
    no_more_parsing()
    assert process(raw, out).unchanged == [*ALL, 'teacher/crops']


REAL = ROOT.parent/'shared/real'


@pytest.mark.skipif(not REAL.is_dir(), reason='the real data is not here')
def test_real_data_again(tmp_path, out):
    first = process(REAL, tmp_path/'real out')
    assert process(REAL, tmp_path/'real out').unchanged == list(first.sources)


@pytest.mark.parametrize('many', [2, 10_000], ids=['looked at by other processes', 'looked at here'])
@pytest.mark.parametrize('num_workers', [0, 2])
def test_what_has_changed_among_many(raw, out, many, num_workers, monkeypatch):
    "A photo, a label file, and one that is gone, whoever looks at them and in how many pieces"
    monkeypatch.setattr(changes, 'FILES_PER_CALL', many)
    process(raw, out, num_workers=num_workers)
    assert again(raw, out, num_workers=num_workers) == ['boxes', 'points', 'table']
    image(raw/'points/imgs/3.png', seed=33, size=(70, 90))
    assert again(raw, out, num_workers=num_workers) == ['boxes', 'table']
    pts(raw/'points/annot/5.pts', [(1, 2), (3, 4)])
    assert again(raw, out, num_workers=num_workers) == ['boxes', 'table']
    (raw/'points/annot/6.pts').unlink()
    assert again(raw, out, num_workers=num_workers) == ['boxes', 'table']
    text(raw/'table/table.csv', CSV + 'e.png,1,1,9,9,face\n')
    assert again(raw, out, num_workers=num_workers) == ['boxes', 'points']
