"Processing on an existing engine: the same bytes whoever parses, workers that are lost, clusters that differ from this machine"
import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from threading import Lock, Thread

import pytest
from making import coco, contents, image, leftovers, process, pts, text

from ear_lazy.beyond import shared_storage
from ear_lazy.command import main
from ear_lazy.errors import EarLazyError, OutputError, ProblemError, RawDataError
from ear_lazy.formats.discover import Source
from ear_lazy.processing import workers
from ear_lazy.processing.workers import code_digest

QUICK = {'DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT': '3s', 'DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL': '10s'}


class Cluster:
    "A scheduler and three workers, each a process of its own on 127.0.0.1"
    def __init__(self, folder, workers=3, env=None):
        from distributed import Client
        self.file, self.env = folder/'scheduler.json', os.environ | QUICK | (env or {})
        self.scheduler = self._start('dask_scheduler', '--port', '0', '--no-dashboard', '--no-jupyter')
        self.workers = []
        for _ in range(workers): self.add_worker()
        while not self.file.exists(): time.sleep(0.02)
        self.client = Client(scheduler_file=str(self.file), timeout=5) # for so long it looks for a scheduler that is gone
        if workers: self.client.wait_for_workers(workers, timeout=60)

    def add_worker(self):
        self.workers.append(self._start('dask_worker', '--no-nanny', '--no-dashboard', '--nthreads', '1', '--local-directory', str(self.file.parent)))

    def _start(self, module, *args):
        return subprocess.Popen([sys.executable, '-m', f'distributed.cli.{module}', '--scheduler-file', str(self.file), '--host', '127.0.0.1', *args], env=self.env, cwd=self.file.parent,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self):
        for p in (*self.workers, self.scheduler): p.kill()
        for p in (*self.workers, self.scheduler): p.wait()

    def stop(self):
        self.kill()
        with contextlib.suppress(Exception): self.client.close(timeout=1)


@pytest.fixture(scope='module')
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp('cluster'))
    yield cluster
    cluster.stop()


@pytest.fixture
def own_cluster(tmp_path):
    "One that a test may kill"
    clusters = []
    def make(**options): return clusters.append(Cluster(tmp_path, **options)) or clusters[-1]
    yield make
    for o in clusters: o.stop()


@pytest.fixture(scope='module')
def raw(tmp_path_factory):
    "Raw datasets with classes, problems, images elsewhere, two documents about one image, and label files that are many tasks"
    raw = tmp_path_factory.mktemp('data')/'raw'
    for i in range(40):
        image(raw/f'points/imgs/{i}.png', seed=i)
        pts(raw/f'points/annot/{i}.pts', [(1, 1), (i + 5, 9), (7, 7)][:2 + i % 2])
    for s, label in (('a', 'left ear'), ('b', 'ear')):
        names = [f'{s}{i}.png' for i in range(10)]
        for i, name in enumerate(names): image(raw/f'detector/{s}/{name}', seed=i)
        coco(raw/f'detector/{s}/boxes.json', {n: [[1 + j, 1, 9, 9] for j in range(i % 4)] + [[70, 1, 5, 5]] for i, n in enumerate(names)}, categories=[dict(id=1, name=label)])
    text(raw/'detector/b/more.csv', 'image_path,x1,y1,w,h,label\nb1.png,1,1,9,9,ear\nb2.png,3,3,4,4,face\ngone.png,1,1,2,2,ear\n')
    text(raw/'detector/tables/t.csv', 'image_path,x1,y1,w,h,label\n../../points/imgs/1.png,1,1,9,9,nose\n../a/a1.png,1,1,9,9,ear\n')
    image(raw/'images/top.png')
    text(raw/'top.csv', 'image_path,x1,y1,w,h,label\nimages/top.png,1,1,9,9,chin\n')
    text(raw/'detector/a/broken.json', '{"images": [')
    return raw


@pytest.fixture(scope='module')
def local(raw):
    "What processing in this process gives"
    process(raw, raw.parent/'local', batch_size=3)
    return contents(raw.parent/'local')


@pytest.fixture
def out(raw, request): return raw.parent/request.node.name.translate(str.maketrans('[]', '--'))


def assert_same(raw, out, local, **options):
    report = process(raw, out, batch_size=3, num_workers=3, **options)
    made = contents(out)
    assert [o for o in made.keys() | local if made.get(o) != local.get(o)] == []
    assert not leftovers(out)
    return report


SHARED = pytest.mark.parametrize('shared', [False, True], ids=['sent', 'shared'])


@SHARED
@pytest.mark.parametrize('make', [ThreadPoolExecutor, ProcessPoolExecutor])
def test_executors_of_the_standard_library(raw, local, out, make, shared):
    with make(3) as executor: assert_same(raw, out, local, executor=executor, shared_storage=shared)


def test_dask(raw, local, cluster, out):
    executor = cluster.client.get_executor()
    assert_same(raw, out, local, executor=executor)
    assert len(assert_same(raw, out, local, executor=executor).unchanged) == 5, 'nothing is parsed again'


def test_dask_with_shared_storage(raw, local, cluster, out):
    executor = cluster.client.get_executor()
    assert_same(raw, out, local, executor=executor, shared_storage=True)
    assert assert_same(raw, out, local).unchanged == [], 'keeps no columns'
    assert_same(raw, out, local, executor=executor, shared_storage=True)


@SHARED
def test_dask_on_the_command_line(raw, local, cluster, out, shared, monkeypatch, capsys):
    import dask
    asked = ['--all', '--raw-data-dir', str(raw), '--output-dir', str(out), '--batch-size', '3', '--dask']
    more = ['--shared-storage'] if shared else []
    assert main([*asked, cluster.client.scheduler.address, *more]) == 0
    assert contents(out) == local and len(cluster.client.scheduler_info()['workers']) == 3
    with dask.config.set({'distributed.comm.timeouts.connect': '0.5s'}): assert main([*asked, 'tcp://127.0.0.1:9', *more]) == 1
    assert 'no Dask scheduler answers at tcp://127.0.0.1:9' in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, 'distributed', None)
    assert main([*asked, cluster.client.scheduler.address]) == 1
    assert "pip install 'ear_lazy[dask]'" in capsys.readouterr().err


@pytest.mark.parametrize('options', [
    dict(shard_bytes=1), dict(shard_bytes=100), dict(shard_bytes=333), dict(shard_bytes=1000), dict(kinds=('landmarker',)), dict(kinds=('detector',), train_split=0.5),
    dict(train_split=0), dict(train_split=1), dict(train_split=0.0001), dict(seed=3, split='random', classes=('ear',)), dict(split='folder', keypoints=2),
    dict(group_by=r'(points|detector)'), dict(sources=[Source('detector/b', format='csv', keypoint_offset=1, columns={'image': 'image_path'}), Source('.', kind='teacher')])], ids=lambda o: '-'.join(o))
def test_shared_storage_gives_what_one_process_gives(raw, out, options, monkeypatch):
    monkeypatch.setattr(shared_storage, 'PIECE_TASKS', 4)
    alone = out.with_name(f'{out.name}-alone')
    report = process(raw, alone, batch_size=3, **options)
    with ThreadPoolExecutor(3) as executor: assert assert_same(raw, out, contents(alone), executor=executor, shared_storage=True, **options).sources == report.sources


def test_shared_storage_refuses(raw, tmp_path):
    "What it cannot do, what is not there, and a worker that does not see the output"
    with ThreadPoolExecutor(1) as executor:
        options = dict(executor=executor, shared_storage=True)
        with pytest.raises(ValueError, match='check_duplicates'): process(raw, tmp_path/'out', check_duplicates=True, **options)
        with pytest.raises(RawDataError, match='no raw folder at'): process(tmp_path/'nowhere', tmp_path/'out', **options)
        (tmp_path/'empty/below').mkdir(parents=True)
        (tmp_path/'empty/below/notes.md').touch()
        with pytest.raises(RawDataError, match=r'no annotation files below.*1 \.md'): process(tmp_path/'empty', tmp_path/'out', **options)
        with pytest.raises(RawDataError, match='nothing to read in nobody'): process(raw, tmp_path/'out', sources=[Source('nobody')], **options)
        with pytest.raises(RawDataError, match='no object is of class eer; there are '): process(raw, tmp_path/'out', classes='eer', **options)
        with pytest.raises(ProblemError): process(raw, tmp_path/'out', strict=True, **options)
    def unmount():
        for o in (tmp_path/'out').glob('.ear_lazy/run-*'): o.rmdir()
    with pytest.raises(OutputError, match='does not see the output folder'): process(raw, tmp_path/'out', executor=Elsewhere(unmount), shared_storage=True)
    assert not (tmp_path/'out').exists()


def test_an_edit_between_two_runs_is_seen(raw, cluster, tmp_path):
    "Neither a scheduler's results nor a worker's list of files are those of an earlier run"
    executor, mine = cluster.client.get_executor(), tmp_path/'raw'
    for i in range(4): image(mine/f'ears/{i}.png', seed=i), pts(mine/f'ears/{i}.pts', [(1, 1), (5, 9)])
    process(mine, tmp_path/'out', executor=executor)
    image(mine/'ears/new.png'), pts(mine/'ears/new.pts', [(2, 2), (6, 9)]), pts(mine/'ears/0.pts', [(3, 3), (7, 9)])
    process(mine, tmp_path/'out', executor=executor)
    process(mine, tmp_path/'fresh')
    assert contents(tmp_path/'out') == contents(tmp_path/'fresh')


class Meddler(Executor):
    "An executor that does something when it is asked for the `n`th time"
    def __init__(self, executor, n, what): self.executor, self._client, self.n, self.what = executor, executor._client, n, what

    def submit(self, *args):
        future = self.executor.submit(*args)
        self.n -= 1
        if not self.n: self.what()
        return future


@SHARED
def test_a_worker_is_killed(raw, local, own_cluster, out, shared):
    "What it had in hand is parsed by another one"
    cluster, lost = own_cluster(), []
    victim = next(iter(cluster.client.run(os.getpid).items())) # address and process
    def kill():
        while not lost:
            lost.extend(cluster.client.processing().get(victim[0], ()))
            time.sleep(0.02)
        os.kill(victim[1], signal.SIGKILL)
    def stop():
        os.kill(victim[1], signal.SIGSTOP) # so that it keeps what it gets
        killer.start()
    killer = Thread(target=kill, daemon=True)
    assert_same(raw, out, local, executor=Meddler(cluster.client.get_executor(), 2, stop), shared_storage=shared)
    killer.join()
    assert lost and len(cluster.client.scheduler_info()['workers']) == 2


def test_the_cluster_is_killed(raw, own_cluster, tmp_path):
    "One sentence, and earlier outputs as they were"
    cluster = own_cluster(workers=1)
    process(raw, tmp_path/'out', kinds=('detector',))
    before = contents(tmp_path/'out')
    with pytest.raises(EarLazyError, match='the executor (lost work|was shut down, or its work was cancelled), and nothing was written'):
        process(raw, tmp_path/'out', batch_size=1, force=True, executor=Meddler(cluster.client.get_executor(), 4, cluster.kill))
    assert contents(tmp_path/'out') == before and not leftovers(tmp_path/'out')


def die(*_): os._exit(1)


class Deadly(ProcessPoolExecutor):
    def submit(self, *args): return super().submit(die)


def test_a_pool_breaks(raw, tmp_path):
    with Deadly(1) as executor, pytest.raises(EarLazyError, match='BrokenProcessPool.*it was killed, often for want of memory, or could not load a function'):
        process(raw, tmp_path/'out', executor=executor)
    assert not (tmp_path/'out').exists()


class Odd(Exception):
    "It can be sent to another process, and not be made there"
    def __init__(self, path, why): super().__init__(f'{path} {why}')


def odd_group(path): raise Odd(path, 'has no group')


def test_functions_for_workers(raw, tmp_path, cluster):
    "Those that cannot be sent, and those that fail there"
    with ProcessPoolExecutor(1) as executor:
        options = dict(executor=executor, shared_storage=True)
        with pytest.raises(EarLazyError, match=r'cannot send its workers what they need.*pickle.*group_by=, is to be defined at the top of a module'):
            process(raw, tmp_path/'out', group_by=lambda path: path[0], **options)
        with pytest.raises((EarLazyError, Odd), match='has no group'): process(raw, tmp_path/'out', group_by=odd_group, **options)
    lock, options = Lock(), dict(executor=cluster.client.get_executor(), shared_storage=True)
    with pytest.raises(EarLazyError, match='cannot send its workers what they need'): process(raw, tmp_path/'out', group_by=lambda path: lock, **options)


def test_what_is_cancelled(raw, tmp_path, cluster):
    "Work that somebody takes back, and an executor that is gone"
    from distributed import Future as Task
    why = 'the executor was shut down, or its work was cancelled, and nothing was written'
    def cancel(): cluster.client.cancel([Task(o, cluster.client) for o in list(cluster.client.futures)])
    with pytest.raises(EarLazyError, match=why): process(raw, tmp_path/'out', batch_size=3, executor=Meddler(cluster.client.get_executor(), 3, cancel))
    pool = ProcessPoolExecutor(1)
    with pytest.raises(EarLazyError, match=why): process(raw, tmp_path/'out', batch_size=3, executor=Shut(pool))
    with pytest.raises(EarLazyError, match=why): process(raw, tmp_path/'out', executor=pool)


class Shut(Executor):
    "A pool that somebody shuts down while it works"
    def __init__(self, pool): self.pool, self.n = pool, 0

    def submit(self, *args):
        future = self.pool.submit(*args)
        self.n += 1
        if self.n == 6: self.pool.shutdown(wait=False, cancel_futures=True)
        return future


def test_an_interrupt_cancels_what_waits(raw, tmp_path):
    futures = []
    class Slow(Executor):
        def submit(self, *args):
            if len(futures) == 5: raise KeyboardInterrupt
            futures.append(Future())
            return futures[-1]
    with pytest.raises(KeyboardInterrupt): process(raw, tmp_path/'out', num_workers=3, batch_size=3, executor=Slow())
    assert all(o.cancelled() for o in futures) and not (tmp_path/'out').exists()


def test_strict(raw, tmp_path):
    with ThreadPoolExecutor(2) as executor, pytest.raises(ProblemError): process(raw, tmp_path/'out', executor=executor, strict=True)


class Elsewhere(Executor):
    "Worker processes that see another machine's files: the raw folder is missing there, or another one"
    def __init__(self, change): self.change = change

    def submit(self, function, code, what, argument):
        future = Future()
        self.change()
        future.set_result(function(code, what, argument))
        return future


def test_a_worker_does_not_see_the_raw_data(raw, tmp_path):
    there, away = tmp_path/'raw', tmp_path/'away'
    for i in range(4): image(there/f'ears/{i}.png', seed=i), pts(there/f'ears/{i}.pts', [(1, 1), (5, 9)])
    with pytest.raises(RawDataError, match=rf'the worker \d+ on .* does not see the raw folder {there}: mount it there'):
        process(there, tmp_path/'out', executor=Elsewhere(lambda: there.rename(away)))
    away.rename(there)
    with pytest.raises(RawDataError, match='does not see the files of ears as they are here, 4 images and ears/0.pts'):
        process(there, tmp_path/'out', executor=Elsewhere((there/'ears/3.png').unlink))
    with pytest.raises(RawDataError, match='3 images and ears/0.pts'):
        process(there, tmp_path/'out', executor=Elsewhere((there/'ears/0.pts').unlink))
    assert not (tmp_path/'out').exists()


def test_a_worker_has_another_ear_lazy(raw, tmp_path):
    "One that is installed there, and one that does not know what it is asked for"
    import ear_lazy
    for name, edit in (('other', lambda o: o.write_text(o.read_text() + '\n')), ('older', lambda o: o.write_text(o.read_text().replace('def call_there', 'def call')))):
        folder = tmp_path/name
        (folder/'cluster').mkdir(parents=True)
        copy(Path(ear_lazy.__file__).parent, folder/'ear_lazy')
        edit(folder/'ear_lazy/processing/workers.py')
        cluster = Cluster(folder/'cluster', workers=1, env={'PYTHONPATH': str(folder)})
        try:
            words = 'with other code than here: install the same' if name == 'other' else 'same ear_lazy on every worker'
            with pytest.raises(EarLazyError, match=words): process(raw, tmp_path/'out', executor=cluster.client.get_executor())
        finally: cluster.stop()
    assert not (tmp_path/'out').exists()


def copy(package, to):
    for path in package.rglob('*.py'): text(to/path.relative_to(package), path.read_bytes())


def test_the_digest_of_the_code_tells_edits(tmp_path):
    code = f'import sys; sys.path.insert(0, {str(tmp_path)!r}); from ear_lazy.processing import workers; print(workers.code_digest())'
    import ear_lazy
    copy(Path(ear_lazy.__file__).parent, tmp_path/'ear_lazy')
    def digest(): return subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout.strip()
    assert digest() == code_digest()
    (tmp_path/'ear_lazy/formats/pts.py').open('a').write('\n')
    assert digest() != code_digest()


@pytest.mark.slow # a cluster of its own
def test_a_cluster_without_workers(raw, local, own_cluster, out, monkeypatch, caplog):
    "It says so while it waits, and goes on when there is one"
    monkeypatch.setattr(workers, 'TOLD_SECONDS', 0.1)
    cluster = own_cluster(workers=0)
    class Starting(logging.Handler):
        def emit(self, record): cluster.add_worker()
    log, starting = logging.getLogger('ear_lazy'), Starting()
    log.addHandler(starting)
    try: assert_same(raw, out, local, executor=cluster.client.get_executor())
    finally: log.removeHandler(starting)
    assert 'the executor has no worker' in caplog.text
