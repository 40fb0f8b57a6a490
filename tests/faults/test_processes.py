"The real command, broken from outside: its outputs are the old ones or the new ones, and the message names the cause"
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest
from breaking import CSV, Outputs, kept, told
from making import HIDDEN, ROOT, assert_accounted, coco, command, contents, ended, image, leftovers, listing, one_sentence, process, pts, run, sound, start, text
from tiers import one_of

from ear_lazy import data_processor
from ear_lazy.errors import EarLazyError
from ear_lazy.processing import workers
from ear_lazy.processing.report import read_report


@pytest.fixture
def raw(tmp_path): return sound(tmp_path/'raw')


def earlier(raw):
    "Outputs of an earlier run, of other data"
    process(raw, raw.parent/'out')
    image(raw/'ears/new.png')
    text(raw/'ears/new.csv', CSV + 'new.png,1,1,5,5\n')
    return contents(raw.parent/'out')


AS_NOBODY = """
import os, sys, tqdm.auto, ear_lazy.command as d, ear_lazy.data_processor, ear_lazy.formats.shared.registry as r
r.readers()
if os.getuid() == 0: os.setgroups([]), os.setgid(65534), os.setuid(65534)
sys.exit(d.main(sys.argv[1:]))
"""


def as_nobody(raw, out):
    return subprocess.run([sys.executable, '-c', AS_NOBODY, '--all', '--raw-data-dir', raw, '--output-dir', out, '--workers', '0'], capture_output=True,
                          text=True, timeout=60, cwd=ROOT)


@pytest.fixture
def shared_folder(raw):
    "A place that users other than root may look into"
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(shutil.copytree(raw, Path(folder)/'raw'))


@pytest.mark.parametrize('new', [False, True])
def test_output_folder_is_read_only(shared_folder, new):
    out = shared_folder.parent/'out'
    process(shared_folder, out)
    before = contents(out)
    coco(shared_folder/'new/new.json', {'new.png': [[1, 1, 9, 9]]})
    out.chmod(0o555), shared_folder.parent.chmod(0o555)
    done = as_nobody(shared_folder, shared_folder.parent/'new' if new else out)
    shared_folder.parent.chmod(0o755), out.chmod(0o755)
    one_sentence(done, 'cannot write into the output folder', 'Permission denied')
    assert listing(shared_folder.parent) == ['out', 'raw']
    kept('an output folder made read-only', out, before)


def test_nothing_to_do_in_a_folder_that_is_read_only(shared_folder):
    out = shared_folder.parent/'out'
    process(shared_folder, out)
    before = contents(out)
    for o in (out, out/HIDDEN): o.chmod(0o555)
    done = as_nobody(shared_folder, out)
    for o in (out, out/HIDDEN): o.chmod(0o755)
    assert (done.returncode, done.stderr) == (0, '') and contents(out) == before


def test_raw_folder_that_may_not_be_read(shared_folder):
    (shared_folder/'secret').mkdir(mode=0o000)
    (shared_folder.parent/'out').mkdir()
    (shared_folder.parent/'out').chmod(0o777)
    done = as_nobody(shared_folder, shared_folder.parent/'out')
    (shared_folder/'secret').chmod(0o755)
    assert 'Traceback' not in done.stderr, done.stderr
    assert 'secret' in done.stdout + done.stderr, 'a folder that was not read is told of'


# Disk full

def many(raw, files):
    "A landmark dataset that takes a while to parse"
    folder = raw/'many'
    (folder/'imgs').mkdir(parents=True), (folder/'annot').mkdir()
    picture = image(raw.parent/'picture.png', (8, 8))
    points = pts(raw.parent/'points.pts', [(i % 8, i // 8) for i in range(55)]).read_bytes()
    for i in range(files):
        os.link(picture, folder/f'imgs/{i}.png')
        (folder/f'annot/{i}.pts').write_bytes(points)


@pytest.mark.parametrize('limit, workers', one_of(2, [1000, 20_000, 100_000], [0, 2]))
def test_a_file_may_not_grow(raw, limit, workers):
    "Every write fails at some point, as on a full disk or over quota"
    before = earlier(raw)
    many(raw, 400)
    def limited(): resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    done = run(raw, '--workers', workers, '--batch-size', 50, preexec_fn=limited)
    one_sentence(done, 'cannot write into the output folder', raw.parent/'out', 'File too large')
    kept('a file that may not grow', raw.parent/'out', before)


@pytest.fixture
def small_disk(tmp_path):
    "A disk of 256 KiB"
    folder = tmp_path/'disk'
    folder.mkdir()
    mounted = os.getuid() == 0 and shutil.which('mount') and subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder], capture_output=True).returncode == 0
    if not mounted: pytest.skip('mounting a small disk needs root')
    yield folder
    subprocess.run(['umount', folder], check=True)


@pytest.mark.parametrize('fill, batch', [(0, 50), (0, 500), (200_000, 50), (240_000, 500), (262_144, 50)])
def test_disk_full(raw, small_disk, fill, batch):
    process(raw, small_disk/'out', ('detector',), batch_size=1)
    many(raw, 400)
    (small_disk/'full').write_bytes(bytes(max(0, min(fill, shutil.disk_usage(small_disk).free // 4096 * 4096))))
    before = contents(small_disk/'out')
    done = command('--all', '--raw-data-dir', raw, '--output-dir', small_disk/'out', '--workers', 0, '--batch-size', batch)
    one_sentence(done, 'cannot write into the output folder', 'No space left on device')
    kept('a disk that fills', small_disk/'out', before)


# Interrupted

def children(pid):
    try: return [int(o) for task in Path(f'/proc/{pid}/task').iterdir() for o in (task/'children').read_text().split()]
    except FileNotFoundError: return []


def alive(pid):
    try: return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except FileNotFoundError: return False


def in_the_middle(raw, workers):
    "A process that has begun to write rows and has many more to parse; and its workers"
    out = raw.parent/'out'
    p = start('--all', '--raw-data-dir', raw, '--output-dir', out, '--workers', workers, '--batch-size', 20)
    until = time.monotonic() + 120
    while time.monotonic() < until and p.poll() is None and not any(f.stat().st_size for f in out.glob('.ear_lazy/run-*/*/points')): time.sleep(0.002)
    assert p.poll() is None, p.communicate()
    return p, children(p.pid)


@pytest.fixture
def long_run(tmp_path):
    "Raw data that keeps a process busy, and the outputs of an earlier run"
    image(tmp_path/'raw/ears/a.png')
    coco(tmp_path/'raw/ears/ears.json', {'a.png': [[1, 1, 9, 9]]})
    process(tmp_path/'raw', tmp_path/'out')
    before = contents(tmp_path/'out')
    many(tmp_path/'raw', 6000)
    return tmp_path/'raw', before


needs_proc = pytest.mark.skipif(not Path('/proc/self/task').is_dir(), reason='looks at processes in /proc')


@needs_proc
@pytest.mark.parametrize('turn, workers, whom', one_of(2, range(2), [0, 2], ['group', 'process']))
def test_ctrl_c(long_run, turn, workers, whom):
    "A terminal sends SIGINT to the whole group, a supervisor to the process; more than once, since it may come while a worker sends its result"
    raw, before = long_run
    p, workers_of_p = in_the_middle(raw, workers)
    assert len(workers_of_p) == workers
    os.killpg(p.pid, signal.SIGINT) if whom == 'group' else p.send_signal(signal.SIGINT)
    done = ended(p)
    assert (done.returncode, done.stderr) == (130, 'ear-lazy process: interrupted: nothing was written, earlier outputs are untouched\n')
    kept('Ctrl-C', raw.parent/'out', before)
    assert not any(map(alive, workers_of_p))


@needs_proc
@pytest.mark.parametrize('turn', [0, *(pytest.param(o, marks=pytest.mark.slow) for o in (1, 2))])
def test_a_worker_is_killed(long_run, turn):
    raw, before = long_run
    p, workers = in_the_middle(raw, 2)
    os.kill(workers[0], (signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM)[turn])
    one_sentence(ended(p), f"a parser process was killed by {('SIGKILL (out of memory?)', 'SIGSEGV', 'SIGTERM')[turn]}: nothing was written")
    kept('a parser process killed', raw.parent/'out', before)
    assert not any(map(alive, workers))


@needs_proc
@pytest.mark.parametrize('sign', [signal.SIGTERM, signal.SIGKILL])
def test_workers_do_not_outlive_their_parent(long_run, sign):
    raw, before = long_run
    p, workers = in_the_middle(raw, 2)
    p.send_signal(sign)
    p.wait(60)
    until = time.monotonic() + 60
    while any(map(alive, workers)) and time.monotonic() < until: time.sleep(0.05)
    left = [o for o in workers if alive(o)]
    for o in left: os.kill(o, signal.SIGKILL)
    p.stdout.close(), p.stderr.close()
    assert len(workers) == 2 and left == []
    now = contents(raw.parent/'out')
    assert {name: now[name] for name in before} == before


@pytest.mark.parametrize('turn', range(0, 12, 3))
def test_a_worker_dies_at_any_time(raw, monkeypatch, turn):
    "… also between one result and the next task"
    before = earlier(raw)
    many(raw, 40)
    load, slow = workers.load, data_processor.batches
    def dying(tree, source, document):
        if document.files[0] == sorted(f'many/annot/{i}.pts' for i in range(40))[turn]: os.kill(os.getpid(), signal.SIGKILL)
        return load(tree, source, document)
    monkeypatch.setattr(workers, 'load', dying)
    monkeypatch.setattr(data_processor, 'batches', lambda *args: [time.sleep(0.05), slow(*args)][1])
    with pytest.raises(EarLazyError, match='a parser process was killed'): process(raw, raw.parent/'out', num_workers=2, batch_size=1)
    kept('a parser process killed', raw.parent/'out', before)


@pytest.mark.parametrize('turn', [pytest.param(o, marks=() if o % 4 == 0 else pytest.mark.slow) for o in range(30)])
def test_ctrl_c_while_files_are_put_in_place(tmp_path, monkeypatch, turn):
    "Either all of them are new or all of them are old: an interrupt waits for the few renames"
    outputs, calls, replace = Outputs(tmp_path), [], os.replace
    def interrupted(*args, **by):
        calls.append(args)
        if len(calls) == turn: signal.raise_signal(signal.SIGINT)
        replace(*args, **by)
    with monkeypatch.context() as patched:
        patched.setattr(os, 'replace', interrupted)
        try: process(outputs.raw, outputs.out)
        except KeyboardInterrupt: pass
    outputs.check('Ctrl-C')


# Killed

def started(outputs, workers=0): return start('--all', '--raw-data-dir', outputs.raw, '--output-dir', outputs.out, '--workers', workers)


def at_work(p, out):
    "Wait until a process has begun to write"
    while p.poll() is None and not leftovers(out): time.sleep(0.001)


@pytest.mark.parametrize('kills', [10, pytest.param(60, marks=pytest.mark.slow)])
def test_killed_at_random_moments(tmp_path, kills):
    "Half of them anywhere, half between its first and its last write"
    outputs, moments = Outputs(tmp_path, points=60), random.Random(0)
    began = time.monotonic()
    p = started(outputs)
    at_work(p, outputs.out)
    first_write = time.monotonic() - began
    one_run(p)
    whole, writing = time.monotonic() - began, time.monotonic() - began - first_write
    for turn in range(kills):
        outputs.turn_round()
        p = started(outputs, workers=2 * (turn % 5 == 4))
        if turn % 2: at_work(p, outputs.out)
        time.sleep(moments.uniform(0, writing if turn % 2 else whole))
        with suppress(ProcessLookupError): os.killpg(p.pid, signal.SIGKILL) # it may have come to its end
        p.communicate()
        outputs.check('killed at a random moment')


def one_run(p): assert ended(p).returncode == 0


# Raw data that changes

CHANGES = {
    'an annotation file vanishes': lambda many: (many/'annot/1999.pts').unlink(), 'an image vanishes': lambda many: (many/'imgs/1999.png').unlink(),
    'all annotation files vanish': lambda many: shutil.rmtree(many/'annot'),
    'an annotation file is cut': lambda many: os.truncate(many/'annot/1999.pts', 9),
    'an annotation file is written again': lambda many: pts(many/'annot/1999.pts', [(2, 3)] * 55)}


@needs_proc
@pytest.mark.parametrize('change, workers', one_of(2, CHANGES, [0, 2]))
def test_raw_data_changes_under_way(tmp_path, change, workers):
    "The outputs are in step with their report, or the earlier ones; the next run sees the change"
    image(tmp_path/'raw/ears/a.png')
    coco(tmp_path/'raw/ears/ears.json', {'a.png': [[1, 1, 9, 9]]})
    process(tmp_path/'raw', tmp_path/'out')
    before = contents(tmp_path/'out')
    many(tmp_path/'raw', 2000)
    p, _ = in_the_middle(tmp_path/'raw', workers)
    CHANGES[change](tmp_path/'raw/many')
    done = ended(p)
    seen = contents(tmp_path/'out')
    if done.returncode: one_sentence(done, 'many'), kept('raw data that changes under way', tmp_path/'out', before)
    else:
        report = read_report(seen['report.json'], tmp_path/'raw')
        assert_accounted(report, tmp_path/'out')
        assert {o.file for o in report.outputs} == seen.keys() - {'report.json', 'problems.csv'} and report.problems.to_csv() == seen['problems.csv']
        told('raw data that changes under way', seen, before, seen)
    process(tmp_path/'raw', tmp_path/'out'), process(tmp_path/'raw', tmp_path/'fresh')
    assert contents(tmp_path/'out') == contents(tmp_path/'fresh') and not leftovers(tmp_path/'out')


def test_two_runs_at_once(tmp_path):
    "One makes the files, and the other one says why not, or comes late and does it again"
    outputs = Outputs(tmp_path)
    for _ in range(4):
        done = [ended(p) for p in [started(outputs), started(outputs)]]
        assert any(o.returncode == 0 for o in done)
        for o in done:
            if o.returncode: one_sentence(o, 'another run is writing into', outputs.out)
        assert outputs.check('two runs at once')
        outputs.turn_round()
