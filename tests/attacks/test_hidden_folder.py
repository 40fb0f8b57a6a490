"What lies in the output folder and its `.ear_lazy` is not believed, followed or removed because of its name (invariant 9)"
import errno
import os
import shutil
import signal
import time
import socket
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import numpy as np
import pytest
from making import HIDDEN, coco, contents, image, process, pts, run, text
from tiers import one_of

import ear_lazy
from ear_lazy.base import files, images
from ear_lazy.errors import MetadataError, OutputError
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.metadata.file import Metadata

CSV = 'image_path,x1,y1,w,h,label\n'


@pytest.fixture
def raw(tmp_path):
    "Boxes of two classes, a table with a problem, and landmarks"
    raw = tmp_path/'raw'
    for name in 'abc': image(raw/f'boxes/{name}.png', seed=ord(name))
    coco(raw/'boxes/boxes.json', {'a.png': [[1, 1, 9, 9]], 'b.png': [[2, 2, 9, 9]], 'c.png': [[3, 3, 9, 9]]})
    for name in 'ef': image(raw/f'table/{name}.png', seed=ord(name))
    text(raw/'table/table.csv', f'{CSV}e.png,1,1,9,9,face\nf.png,2,2,9,9,ear\ngone.png,1,1,2,2,ear\n')
    for i in range(4):
        image(raw/f'points/imgs/{i}.png', seed=i)
        pts(raw/f'points/annot/{i}.pts', [(1, 1), (i + 5, 9)])
    return raw


@pytest.fixture
def out(raw): return raw.parent/'out'


@pytest.fixture
def right(raw):
    process(raw, raw.parent/'right')
    return contents(raw.parent/'right')


@pytest.fixture
def project(tmp_path):
    "What a user has elsewhere, and would miss"
    project = tmp_path/'home/project'
    for name in ('src/main.py', '.git/HEAD', 'run-best/model.pt', 'swap/old/notes.txt', 'kept-data/boxes', 'detector/bboxes'): text(project/name, f'precious {name}')
    return project


def everything(folder): return {p.relative_to(folder).as_posix(): (p.is_symlink(), p.read_bytes() if p.is_file() else None) for p in sorted(folder.rglob('*'))}


def in_hidden(out, name):
    "A name in the hidden folder; `kept` stands for what is kept of a source with boxes"
    hidden = out/HIDDEN
    return hidden/name.replace('kept', sorted(hidden.glob('kept-*/boxes'))[0].parent.name, 1) if name.startswith('kept') else hidden/name


def remove(path): shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)


# --- links, pipes and folders in the place of what a run has ---

PLACES = ('', 'state', 'origin', 'heads', 'made', 'lock', '.gitignore', 'swap', 'run-killed', 'kept', 'kept/facts', 'kept/boxes', '../train_detector.npy', '../val_teacher.npy', '../report.json', '../problems.csv')


def put_link_to_folder(path, project): path.symlink_to(project)
def put_link_to_file(path, project): path.symlink_to(project/'src/main.py')
def put_dangling_link(path, project): path.symlink_to(project/'nothing')
def put_pipe(path, project): os.mkfifo(path)
def put_folder(path, project): shutil.copytree(project, path)


def put_socket(path, project):
    s = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(path.parent) # the whole path would be too long
    try: s.bind(path.name)
    finally: os.chdir(here)
    s.close()


PUTS = put_link_to_folder, put_link_to_file, put_dangling_link, put_pipe, put_folder, put_socket


@pytest.fixture
def alarm():
    "Waiting for a pipe is a failure, and not the end of the tests"
    def late(*_): raise AssertionError('hangs')
    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize('place, put, change', one_of(6, PLACES, PUTS, [False, True])) # the same data again, or new data
def test_9_what_stands_in_the_place_of_its_own_is_not_followed(raw, out, project, alarm, place, put, change):
    "9. A run refuses it in one sentence, or does without it; the user's folder stays as it is, and no output is wrong or mixed"
    process(raw, out)
    if change: text(raw/'table/table.csv', f'{CSV}e.png,1,1,9,8,face\nf.png,2,2,9,8,ear\n')
    process(raw, raw.parent/'right')
    old, target, before = contents(out), in_hidden(out, place), everything(project)
    if target.exists(): remove(target)
    put(target, project)
    try: report = process(raw, out)
    except OutputError as e:
        assert len(str(e).splitlines()) == 1 and 'move it away, or choose another output_dir' in str(e)
        remove(target)
        if not place.startswith('..'): assert contents(out) == old
    else:
        assert report.outputs and contents(out) == contents(raw.parent/'right')
    assert everything(project) == before
    if not target.is_symlink() and not target.exists(): assert process(raw, out) and contents(out) == contents(raw.parent/'right'), 'the remedy works'


def test_9_a_hidden_folder_that_is_a_link(raw, project):
    "9. … as on the command line: it ends with 1 and one sentence, and nothing of the target is gone"
    out, before = raw.parent/'out', everything(project)
    out.mkdir()
    (out/HIDDEN).symlink_to('../home/project')
    ended = run(raw)
    assert ended.returncode == 1 and ended.stderr.count('\n') == 1 and 'a link, not a folder' in ended.stderr
    assert everything(project) == before


def test_9_a_hidden_folder_of_somebody_else(raw, out, project, right):
    "9. Whatever is in it and is not on its own list stays, also where it is called as a run calls things"
    shutil.copytree(project, out/HIDDEN)
    before = everything(out/HIDDEN)
    for _ in range(2): process(raw, out, force=True)
    assert contents(out) == right and before.items() <= everything(out/HIDDEN).items()
    assert f'{out/HIDDEN} has 6 that no run in this folder made, such as .git: they are left alone, and not needed' in process(raw, out, force=True).notes


def test_9_an_output_of_somebody_else(raw, out):
    "9. A file that no run made is not replaced or removed, whatever it is called"
    for name in ('train_detector.npy', 'val_landmarker-00007.npy', 'report.json', 'problems.csv'):
        np.save(out.parent/'own.npy', np.arange(9))
        (out.parent/'own.npy').replace(text(out/name, ''))
        before = (out/name).read_bytes()
        with pytest.raises(OutputError, match='not a file that a run made'): process(raw, out)
        assert (out/name).read_bytes() == before
        (out/name).unlink()
    process(raw, out)


def test_outputs_that_came_with_git_are_replaced(raw, out, right):
    "The files of a run elsewhere are those of a run"
    process(raw, out)
    text(raw/'table/table.csv', f'{CSV}e.png,1,1,9,8,face\n')
    (out.parent/'clone').mkdir()
    for o in contents(out): shutil.copy(out/o, out.parent/'clone')
    process(raw, out.parent/'clone')
    process(raw, out)
    assert contents(out.parent/'clone') == contents(out)


def test_9_a_list_of_names_is_believed_only_where_it_was_written(raw, out, project):
    "9. A list that came with an archive has no say in what is removed"
    process(raw, out)
    shutil.copytree(project/'src', out/HIDDEN/'kept-src')
    from ear_lazy.metadata.notes import write_note
    from ear_lazy.processing.output_folder import Made
    with files.OpenFolder(out) as folder, folder.folder(HIDDEN) as hidden: write_note(hidden, 'made', Made(['kept-src']), folder)
    shutil.copytree(out, out.parent/'copy')
    process(raw, out.parent/'copy', force=True)
    assert (out.parent/'copy'/HIDDEN/'kept-src/main.py').exists()
    process(raw, out, force=True)
    assert not (out/HIDDEN/'kept-src').exists(), 'the list is what decides'


# --- damage ---

def empty(data): return b''
def zeros(data): return bytes(len(data))
def cut(data): return data[:-1]
def half(data): return data[:len(data)//2]
def flipped(data): return data[:len(data)//2] + bytes(o ^ 1 for o in data[len(data)//2:][:1]) + data[len(data)//2 + 1:]
def longer(data): return data + b'\0'
def garbage(data): return np.random.default_rng(0).bytes(len(data))
def nested(data): return b'\x91' * 100_000
def other(data): return msgspec.msgpack.encode({'run': 5, 'outputs': [], 'kept': 'all'})


OWN = ('state', 'origin', 'made', 'lock', '.gitignore', 'kept/facts', 'kept/boxes', 'kept/paths', 'kept/objects', 'kept/groups', '../train_detector.npy', '../report.json', '../problems.csv')


@pytest.mark.parametrize('place, damage', one_of(4, OWN, [empty, zeros, cut, half, flipped, longer, garbage, nested, other]))
def test_damage(raw, out, right, place, damage):
    "Never a traceback, wrong rows, or nothing to do over a damaged output; time and size do not help"
    process(raw, out)
    path = in_hidden(out, place)
    times = path.stat()
    path.write_bytes(damage(path.read_bytes())) # the inode stays
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    is_output = place.startswith('..')
    if place == 'lock' and path.stat().st_size: # somebody else's
        with pytest.raises(OutputError, match='not a lock: move it away, or choose another output_dir'): process(raw, out, force=True)
        return
    report = process(raw, out)
    assert contents(out) == right
    if is_output: assert report.notes and Path(place).name in report.notes[0]
    text(raw/'table/table.csv', f'{CSV}e.png,1,1,9,8,face\nf.png,2,2,9,8,ear\n')
    report = process(raw, out)
    process(raw, raw.parent/'fresh')
    assert contents(out) == contents(raw.parent/'fresh')


def test_damage_is_told_in_one_line(raw, out, capsys):
    process(raw, out)
    for o in (out/HIDDEN).glob('kept-*/boxes'): o.write_bytes(zeros(o.read_bytes()))
    text(raw/'table/table.csv', f'{CSV}e.png,1,1,9,8,face\n')
    report = process(raw, out)
    assert not report.unchanged == ['boxes'] and any('is damaged: parsed again' in o for o in report.notes)
    assert str(report).count('is damaged: parsed again') == len(report.notes)
    (out/HIDDEN/'state').write_bytes(b'')
    report = process(raw, out)
    assert report.unchanged == [] and report.notes == [f"{out/HIDDEN/'state'} is damaged, or of another version: everything is parsed again"]
    assert process(raw, out).notes == []


# --- what a stranger packed ---

def edited(raw, folder):
    "An output folder as a stranger could pack it: of the same data, with other boxes in what is kept"
    process(raw, folder)
    for o in (folder/HIDDEN).glob('kept-*/boxes'): (np.fromfile(o, '<f4') + 1).astype('<f4').tofile(o)
    return folder


def unpack(source, target): subprocess.run(['sh', '-c', 'mkdir -p "$2" && tar -C "$1" -c . | tar -C "$2" -x', 'sh', source, target], check=True)
def copy(source, target): shutil.copytree(source, target, dirs_exist_ok=True)


def overwrite(source, target):
    "Over the files that are there, so that they keep their inodes, and with the names that their folders have here"
    target.mkdir(exist_ok=True)
    ours, theirs = (sorted((o/HIDDEN).glob('kept-*')) if (o/HIDDEN).exists() else [] for o in (target, source))
    if not ours: return copy(source, target)
    for p in source.rglob('*'):
        if not p.is_file(): continue
        to = target/p.relative_to(source)
        for a, b in zip(theirs, ours):
            if p.is_relative_to(a): to = b/p.relative_to(a)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(p.read_bytes())
        os.utime(to, ns=(p.stat().st_atime_ns, p.stat().st_mtime_ns))


@pytest.mark.parametrize('ours', [False, True], ids=['into nothing', 'over our own'])
@pytest.mark.parametrize('way', [unpack, copy, overwrite])
def test_kept_rows_of_a_stranger(raw, out, right, way, ours):
    "… are not used, and that is said; the outputs are those of the data"
    if ours: process(raw, out)
    way(edited(raw, raw.parent/'theirs'), out)
    report = process(raw, out)
    assert contents(out) == right
    if not ours: assert report.unchanged == [] and 'was not made here, but copied or unpacked' in report.notes[0]
    text(raw/'table/table.csv', f'{CSV}e.png,1,1,9,8,face\nf.png,2,2,9,8,ear\n')
    process(raw, out), process(raw, raw.parent/'fresh')
    assert contents(out) == contents(raw.parent/'fresh')


def test_code_that_has_changed(raw, out, tmp_path):
    "Crops are padded otherwise: nothing is unchanged, and the rows are those of the new code"
    for name in 'xyz': image(raw/f'more/imgs/{name}.png', seed=ord(name)), pts(raw/f'more/annot/{name}.pts', [(10, 10), (20, 20)])
    process(raw, out)
    shutil.copytree(Path(ear_lazy.__file__).parent, tmp_path/'new/ear_lazy', ignore=shutil.ignore_patterns('__pycache__'))
    module = next((tmp_path/'new/ear_lazy').rglob('records.py'))
    source = module.read_text()
    assert source.count('boxes[rows], CROP_PADDING)') == 1
    module.write_text(source.replace('boxes[rows], CROP_PADDING)', 'boxes[rows], 0.5)'))
    code = ('import sys; sys.path.insert(0, sys.argv[1]); from ear_lazy.data_processor import DataProcessor\n'
            'for o in sys.argv[3:]:\n    r = DataProcessor(sys.argv[2], o, num_workers=0, progress=False).process_all(); print(r.unchanged, r.notes)')
    ended = subprocess.run([sys.executable, '-c', code, tmp_path/'new', raw, out, tmp_path/'fresh'], check=True, capture_output=True, text=True, cwd=tmp_path)
    first, again = ended.stdout.splitlines()
    assert first.startswith('[] ') and 'the code of ear_lazy has changed' in first and again == '[] []'
    assert contents(out) == contents(tmp_path/'fresh')


# --- errors of the system that pass ---

def failing(function, path, code, key=0):
    "A function that fails for one file"
    def wrapped(*args, **kwargs):
        if str(args[key]) == str(path): raise OSError(code, os.strerror(code), os.fspath(path))
        return function(*args, **kwargs)
    return wrapped


@pytest.mark.parametrize('name, code', one_of(3, ['boxes/boxes.json', 'table/table.csv', 'table/e.png', 'points/annot/1.pts', 'points/imgs/1.png'], [errno.EIO, errno.EACCES, errno.EMFILE, errno.ENOMEM, errno.ESTALE]))
def test_an_error_that_passes_is_not_remembered(raw, out, monkeypatch, name, code):
    "A file could not be read once: the report says so, and the next run reads it"
    process(raw, raw.parent/'right')
    with monkeypatch.context() as m:
        m.setattr(os, 'open', failing(os.open, raw/name, code))
        m.setattr('builtins.open', failing(open, raw/name, code))
        first = process(raw, out)
        if 'boxes.json' in name or 'table.csv' in name: assert ('bad_file', name) in [(p.reason, p.file) for p in first.problems], 'no reader could see it'
        else: assert first.problems and first.notes and 'the next run tries again' in first.notes[-1]
        assert process(raw, out).unchanged != ['boxes', 'points', 'table'], 'nor while it lasts'
    report = process(raw, out)
    assert contents(out) == contents(raw.parent/'right') and report.problems == process(raw, raw.parent/'right').problems
    assert process(raw, out).unchanged == ['boxes', 'points', 'table']


def test_an_image_without_permission(raw, out):
    "… as a user meets it: mode 000, and then again 644"
    if os.geteuid() == 0: pytest.skip('root reads everything')
    process(raw, raw.parent/'right')
    (raw/'table/e.png').chmod(0)
    process(raw, out)
    (raw/'table/e.png').chmod(0o644)
    process(raw, out)
    assert contents(out) == contents(raw.parent/'right')


def test_a_look_for_copies_that_met_an_error_is_not_remembered(raw, out, monkeypatch):
    pytest.importorskip('imagehash')
    shutil.copy(raw/'table/e.png', raw/'table/f.png')
    with monkeypatch.context() as m:
        opened = images.open_image
        def once(path, *args, **options):
            if os.fspath(path).endswith('e.png'): raise images.load_error(OSError(errno.EIO, 'Input/output error'), path) from OSError(errno.EIO, 'Input/output error')
            return opened(path, *args, **options)
        m.setattr('ear_lazy.processing.duplicates.open_image', once)
        assert process(raw, out, check_duplicates=True).copies['exact'] == 0
    assert process(raw, out, check_duplicates=True).copies['exact'] == 1


# --- flushed before it is relied on ---

def test_what_is_kept_is_on_disk_before_the_files_change(raw, out, monkeypatch):
    "State, notes and every kept column are flushed before the first output is replaced"
    flushed, fsync, swap_files = set(), os.fsync, ear_lazy.processing.output_folder.swap_files
    def noted(fd):
        flushed.add(os.fstat(fd).st_ino)
        fsync(fd)
    def checked(folder, hidden, staging, *more):
        relied = [staging.path/'state', staging.path/'origin', hidden.path/'made', *(p for p in hidden.path.glob('kept-*/**/*') if p.is_file())]
        assert len(relied) > 20 and all(p.stat().st_ino in flushed for p in relied)
        assert all(p.stat().st_ino in flushed for p in staging.path.glob('*.npy'))
        swap_files(folder, hidden, staging, *more)
    monkeypatch.setattr(os, 'fsync', noted)
    monkeypatch.setattr('ear_lazy.processing.output_folder.swap_files', checked)
    process(raw, out)


# --- one run, or the other ---

def test_shards_of_two_runs_are_never_one_file(raw, out):
    "Put together by hand: refused, whichever shard is the other's"
    for i, points in enumerate(([(1, 1), (5, 9)], [(1, 1), (5, 8)])):
        pts(raw/'points/annot/1.pts', points)
        process(raw, out.parent/f'out{i}', shard_bytes=100, train_split=1)
    shards = sorted(o.name for o in (out.parent/'out0').glob('train_landmarker*.npy'))
    assert len(shards) > 1
    for name in shards:
        shutil.copytree(out.parent/'out0', out, dirs_exist_ok=True)
        shutil.copy(out.parent/'out1'/name, out)
        with pytest.raises(MetadataError, match='of the run that made'): Metadata(out/'train_landmarker.npy')
        for o in shards: shutil.copy(out.parent/'out1'/o, out)
        Metadata(out/'train_landmarker.npy')


def test_a_reader_never_mixes_two_runs(raw, out):
    "While runs take turns, each opening has the shards of one of them"
    def change(i): return process(raw, out, shard_bytes=100, train_split=1, seed=i % 2, force=True)
    def look(): return [md.values(i).tobytes() for md in [Metadata(out/'train_landmarker.npy')] for i in range(len(md))]
    for i in range(4): pts(raw/f'points/annot/{i}.pts', [(1, 1), (5, 9)])
    change(0)
    states = [look()]
    for i in range(4): pts(raw/f'points/annot/{i}.pts', [(1, 1), (5, 8)])
    change(1)
    states.append(look())
    stop, seen, faults = threading.Event(), [], []
    def read():
        while not stop.is_set():
            try: seen.append(look() in states)
            except MetadataError as e: faults.append(e) # several changes within one opening
    reader = threading.Thread(target=read)
    reader.start()
    try:
        for i in range(10):
            for n in range(4): pts(raw/f'points/annot/{n}.pts', [(1, 1), (5, 9 - i % 2)])
            change(i)
    finally:
        stop.set()
        reader.join()
    assert all(seen) and len(seen) > 10 and len(faults) < len(seen)/10


# --- file systems that refuse ---

REFUSALS = errno.EPERM, errno.EIO, errno.EMFILE, errno.ENOMEM, errno.EXDEV, errno.EMLINK, errno.EOPNOTSUPP


@pytest.mark.parametrize('call, code, turn', one_of(6, ['link', 'symlink', 'replace'], REFUSALS, [0, 1, 3, 8, 11, None]))
def test_all_old_or_all_new_where_links_fail(raw, out, monkeypatch, call, code, turn):
    "One call fails, or each from some turn on; the next run makes what is right"
    process(raw, out)
    old, swap_files = contents(out), ear_lazy.processing.output_folder.swap_files
    text(raw/'table/table.csv', f'{CSV}e.png,1,1,9,8,face\n')
    (raw/'points/annot/1.pts').unlink()
    process(raw, raw.parent/'new')
    new, function, count = contents(raw.parent/'new'), getattr(os, call), iter(range(10**9))
    def refusing(*args, **kwargs):
        if turn is None or next(count) == turn: raise OSError(code, os.strerror(code))
        return function(*args, **kwargs)
    def swapped(*args):
        with monkeypatch.context() as m:
            m.setattr(os, call, refusing)
            swap_files(*args)
    with monkeypatch.context() as m:
        m.setattr('ear_lazy.processing.output_folder.swap_files', swapped)
        try: process(raw, out)
        except OutputError: assert contents(out) == old
        else: assert contents(out) == new
    process(raw, out)
    assert contents(out) == new and not any(o.is_symlink() for o in out.rglob('*'))


def immutable(path, on): return subprocess.run(['chattr', '+i' if on else '-i', path], capture_output=True).returncode == 0
def mounted(path, on): return subprocess.run(['mount', '--bind', path, path] if on else ['umount', path], capture_output=True).returncode == 0


@pytest.mark.parametrize('hold', [immutable, mounted])
@pytest.mark.parametrize('name', ['train_detector.npy', 'report.json', '.ear_lazy/state'])
def test_an_output_that_cannot_be_replaced(raw, out, hold, name):
    "It is immutable, or mounted by itself as containers do: all old files stay, and one sentence says why"
    process(raw, out)
    old = contents(out)
    text(raw/'table/table.csv', f'{CSV}e.png,1,1,9,8,face\n')
    try: held = hold(out/name, True)
    except FileNotFoundError: held = False
    if not held: pytest.skip(f'this system lets nobody make a file {hold.__name__}')
    try:
        with pytest.raises(OutputError, match='cannot write into the output folder') as e: process(raw, out)
        assert contents(out) == old and len(str(e.value).splitlines()) == 1
        assert LazyNPYDataset(out/'train_detector.npy')[0]
    finally: hold(out/name, False)
    process(raw, out)
    process(raw, raw.parent/'new')
    assert contents(out) == contents(raw.parent/'new') and not any(o.is_symlink() for o in out.rglob('*'))


# --- races ---

def test_9_a_hidden_folder_that_becomes_a_link_meanwhile(raw, out, project, monkeypatch):
    "9. What was opened is what is changed: a link that takes the place of the folder while a run is under way leads nowhere"
    process(raw, out)
    before, write = everything(project), ear_lazy.processing.output_folder.OutputFolder.adopt
    def exchanged(self, *args):
        outputs = write(self, *args)
        (out/HIDDEN).rename(out/'aside')
        (out/HIDDEN).symlink_to(project)
        return outputs
    monkeypatch.setattr(ear_lazy.processing.output_folder.OutputFolder, 'adopt', exchanged)
    try: process(raw, out, force=True)
    except (OutputError, MetadataError): pass
    assert everything(project) == before



@pytest.fixture
def exchange(monkeypatch):
    "A function: while a run parses, what has a name in its hidden folder is moved aside, and a link takes its place"
    def when_parsing(path, target):
        from ear_lazy.processing import workers
        load = workers.load
        def exchanged(*args):
            found = [o for o in path.parent.glob(path.name) if not o.is_symlink()]
            for o in found: o.rename(o.with_name(f'aside-{time.monotonic_ns()}')), o.symlink_to(target)
            return load(*args)
        monkeypatch.setattr(workers, 'load', exchanged)
    return when_parsing


@pytest.mark.parametrize('name', ['', 'run-*', 'run-*/0', 'run-*/0/*', 'kept-*', 'kept-*/*', 'made', 'state', 'lock'])
def test_9_a_link_that_is_put_there_while_a_run_writes(raw, out, project, exchange, name):
    "9. Files are written in the folders that were opened, wherever they are now; nothing is written, truncated or removed where the link leads"
    process(raw, out)
    for o in ('train_detector.npy', 'state', 'made', 'lock', 'paths', 'boxes', '0/paths', '0/boxes'): text(project/o, 'precious')
    text(raw/'table/table.csv', f'{CSV}e.png,1,1,9,8,face\n')
    before = everything(project)
    exchange(out/HIDDEN/name if name else out/HIDDEN, project)
    try: process(raw, out)
    except (OutputError, MetadataError): pass
    assert everything(project) == before


def test_9_a_run_that_is_refused_leaves_the_first_alone(raw, out):
    "9. … with its lock and its list, also where nothing was ever committed"
    from ear_lazy.processing.output_folder import OutputFolder
    with OutputFolder(out, raw, ('detector',)) as first:
        for _ in range(2):
            with pytest.raises(OutputError, match='another run is writing'): process(raw, out)
            assert (out/HIDDEN/'lock').exists() and (out/HIDDEN/'made').exists() and first.run_path.exists()
    assert not out.exists()


def test_9_a_copy_or_an_old_folder_that_was_killed_in_its_swap(raw, out, right):
    "9. Its outputs are links of a swap that is not on the list: they become files, and the swap stays"
    process(raw, out)
    for swap in ('swap', 'swap-' + '0'*32):
        for side in ('old', 'new'): (out/HIDDEN/swap/side/HIDDEN).mkdir(parents=True)
        (out/HIDDEN/swap/'now').symlink_to('new')
        for name in ('train_detector.npy', 'report.json'):
            (out/name).rename(out/HIDDEN/swap/'new'/name)
            (out/name).symlink_to(f'{HIDDEN}/{swap}/now/{name}')
        (out/'val_detector.npy').unlink()
        (out/'val_detector.npy').symlink_to(f'{HIDDEN}/{swap}/now/val_detector.npy')
        (out/HIDDEN/'state').unlink()
        (out/HIDDEN/'state').symlink_to(f'{swap}/now/{HIDDEN}/state' if swap == 'swap' else f'{swap}/now/.state')
        process(raw, out)
        assert contents(out) == right and not any(o.is_symlink() for o in (*out.iterdir(), *(out/HIDDEN).iterdir()))
        assert (out/HIDDEN/swap/'new/report.json').exists()


@pytest.mark.parametrize('name', ['state', 'made', 'origin', 'lock'])
def test_a_file_of_holes_takes_no_memory(raw, out, right, name):
    "Terabytes of nothing, as a sparse archive can hold"
    process(raw, out)
    with open(out/HIDDEN/name, 'rb+') as f: f.truncate(2**42)
    with pytest.raises(OutputError, match='move it away'): process(raw, out, force=True)
    (out/HIDDEN/name).unlink()
    process(raw, out)
    assert contents(out) == right


def test_an_origin_that_is_lost_is_written_again(raw, tmp_path):
    "Where the outputs are far from the images, they can be opened again after the next run, which does not say that nothing has changed"
    out = tmp_path/'a/b/c/d/out'
    process(raw, out)
    LazyNPYDataset(out/'train_detector.npy')[0]
    for lose in ((out/HIDDEN/'origin').unlink, (out/'train_detector.npy').touch, lambda: (out/HIDDEN/'origin').write_bytes(b'')):
        lose()
        with pytest.raises(MetadataError, match='was not made in this folder'): LazyNPYDataset(out/'train_detector.npy')
        assert process(raw, out).notes
        LazyNPYDataset(out/'train_detector.npy')[0]


def test_what_a_killed_run_was_writing_is_removed(raw, out):
    process(raw, out)
    (out/HIDDEN/('.part-' + '0'*32)).touch()
    process(raw, out, force=True)
    assert not [*(out/HIDDEN).glob('.part-*')]


def test_a_hole_in_a_foreign_swap_is_not_written_out(raw, out):
    process(raw, out)
    swap = f'swap-{"a"*32}'
    (out/HIDDEN/swap/'new').mkdir(parents=True)
    (out/HIDDEN/swap/'now').symlink_to('new')
    with open(out/HIDDEN/swap/'new/train_extra.npy', 'wb') as f: f.truncate(2**42)
    (out/'train_extra.npy').symlink_to(f'{HIDDEN}/{swap}/now/train_extra.npy')
    process(raw, out, force=True)
    assert not (out/'train_extra.npy').exists()


@pytest.mark.parametrize('step, damage, column', one_of(3, ['choose_piece', 'count_rows', 'make_shard'], ['removed', 'cut'], ['groups', 'objects', 'paths', 'boxes', 'facts', '']))
def test_pieces_that_a_worker_does_not_see(raw, out, monkeypatch, step, damage, column):
    "With shared storage, rows that some worker cannot see stop the run in one sentence; they are never left out"
    from concurrent.futures import ThreadPoolExecutor

    from ear_lazy.beyond import shared_storage
    process(raw, out)
    old, function = contents(out), getattr(shared_storage, step)
    def blind(job, argument):
        for folder in [o.parent for o in Path(job.staging).glob('*/boxes')]:
            if column == '': shutil.rmtree(folder)
            elif damage == 'removed': (folder/column).unlink(missing_ok=True)
            elif (folder/column).exists(): os.truncate(folder/column, (folder/column).stat().st_size//2//32*32 if column != 'paths' else 1)
        return function(job, argument)
    monkeypatch.setattr(shared_storage, step, blind)
    text(raw/'table/table.csv', f'{CSV}e.png,1,1,9,8,face\nf.png,2,2,9,8,ear\n')
    with ThreadPoolExecutor(1) as executor, pytest.raises(OutputError, match='does not see all that the workers wrote'):
        process(raw, out, executor=executor, num_workers=1, shared_storage=True)
    assert contents(out) == old


@pytest.mark.parametrize('name', ['', 'run-*'])
@pytest.mark.parametrize('step', ['parse', 'count_rows', 'make_shard'])
def test_9_workers_of_shared_storage_write_through_no_link(raw, out, project, monkeypatch, step, name):
    "9. A link in the place of the hidden folder, or of the run's own, stops the run before a worker writes there"
    from concurrent.futures import ThreadPoolExecutor

    from ear_lazy.beyond import shared_storage
    process(raw, out)
    old, before, function = contents(out), everything(project), getattr(shared_storage, step)
    def exchanged(job, argument):
        path = Path(job.staging) if name else out/HIDDEN
        if not path.is_symlink(): path.rename(out.parent/'aside'), path.symlink_to(project), (project/Path(job.staging).name).mkdir(exist_ok=True)
        return function(job, argument)
    monkeypatch.setattr(shared_storage, step, exchanged)
    with ThreadPoolExecutor(1) as executor, pytest.raises(OutputError, match='became a link while the run wrote there'):
        process(raw, out, executor=executor, num_workers=1, shared_storage=True)
    for o in project.glob('run-????????????????????????????????'): o.rmdir() # it is empty
    assert everything(project) == before and contents(out) == old


@pytest.mark.parametrize('name', ['train_detector.npy', '', *(pytest.param(o, marks=pytest.mark.slow) for o in ('report.json', '.ear_lazy/origin', '.ear_lazy/state'))])
def test_the_command_says_nothing_has_changed_only_where_nothing_was_written(raw, out, name):
    "… and not beside the sentence that an output changed and was written again"
    assert 'Nothing has changed' not in run(raw).stdout
    if name: (out/name).write_bytes(zeros((out/name).read_bytes()))
    before = everything(out)
    ended = run(raw)
    assert ended.returncode == 0 and ('Nothing has changed' in ended.stdout) == (not name) == (everything(out) == before)
    assert not name or 'since the last run: written again' in ended.stdout or 'is damaged' in ended.stdout
    other = run(raw, '--train-split', '0.5')
    assert other.returncode == 0 and 'Nothing has changed' not in other.stdout, 'the same rows, other files'
