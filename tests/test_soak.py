"Training for a long time: nothing grows, and nothing is left. SOAK_EPOCHS=20 SOAK_WORKERS=4 makes it long; SOAK_FIGURES=file keeps what was measured"
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from making import ROOT, coco, process
from PIL import Image
from tally import tally

EPOCHS, WORKERS = int(os.environ.get('SOAK_EPOCHS', 3)), int(os.environ.get('SOAK_WORKERS', 2))
N, GROWTH = 400, 0.02 if EPOCHS >= 10 else 0.05
pytestmark = [pytest.mark.soak, pytest.mark.skipif(not os.path.exists('/proc/self/smaps_rollup'), reason='memory is measured as Linux tells it')]

TRAIN = '''
import gc, json, os, sys, threading, warnings
from pathlib import Path
from torch.utils.data import DataLoader
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.shared_cache import SharedCache

folder, epochs, workers, persistent, forever = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == 'True', sys.argv[5] == 'True'
warnings.simplefilter('ignore')

def children(): return [int(o) for t in os.listdir('/proc/self/task') for o in children_of(t)]
def children_of(thread):
    try: return open(f'/proc/self/task/{thread}/children').read().split()
    except OSError: return [] # it has ended
def memory(pid): # without libraries, whose share changes with what else runs on the machine
    return sum(int(o.split()[1]) * 1024 for o in open(f'/proc/{pid}/smaps_rollup') if o.startswith(('Pss_Anon:', 'Pss_Shmem:')))
pids = {os.getpid()}
def opened():
    for fd in os.listdir('/proc/self/fd'):
        try: yield os.readlink(f'/proc/self/fd/{fd}')
        except OSError: pass # it was of the listing
def state():
    pids.update(children())
    shm = [o for o in os.listdir('/dev/shm') if any(f'_{pid}_' in o for pid in pids)]
    fds = list(opened())
    batches = sum('ear_lazy_batch' in o for o in fds) # memory of workers that is mapped: how much they need depends on how fast it is read
    return dict(fds=len(fds) - batches, batches=batches, threads=threading.active_count(), processes=len(children()), shm=len(shm))

def settle():
    "Wait for what ends by itself: PyTorch does not wait for the threads that feed the queues of workers it has let go"
    gc.collect()
    for o in threading.enumerate():
        if not persistent and o.name.startswith('QueueFeederThread'): o.join(10)

def train():
    cache = SharedCache('8MB')
    context = 'spawn' if persistent and not forever else 'fork' # forked workers that stay take pages from their parent's for long, Python's and PyTorch's
    train, val = (LazyNPYDataset(folder/f'out/{o}_detector.npy', cache=cache, on_error='skip', image_size=(96, 96)) for o in ('train', 'val'))
    loaders = [DataLoader(o, 16, shuffle=o is train, num_workers=workers, persistent_workers=persistent, multiprocessing_context=context) for o in (train, val)]
    figures = []
    while len(figures) < epochs or forever:
        batches = [iter(o) for o in loaders]
        n = sum(len(o['image_path']) for b in batches for o in b)
        del batches
        settle()
        running = children()
        figures.append(dict(state(), samples=n, memory=sum(map(memory, [os.getpid(), *running])), errors=[train.errors(), val.errors()]))
        if forever: print(json.dumps(running), flush=True)
    return figures

if __name__ == '__main__':
    for _ in DataLoader([1, 2], num_workers=1, multiprocessing_context='spawn' if persistent else 'fork'): pass # what PyTorch loads once and keeps
    gc.collect()
    before = state()
    figures = train()
    settle()
    print(json.dumps(dict(before=before, after=state(), epochs=figures)))
'''


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    "One in twenty images is broken"
    folder, rng = tmp_path_factory.mktemp('soak'), np.random.default_rng(0)
    (folder/'raw').mkdir()
    for i in range(N): Image.fromarray(rng.integers(0, 256, (100, 120 + i % 20, 3), dtype=np.uint8)).save(folder/f'raw/{i:03}.jpg')
    coco(folder/'raw/a.json', {f'{i:03}.jpg': [[1, 1, 9, 9]] * (i % 3) for i in range(N)}, None)
    process(folder/'raw', folder/'out')
    for i in range(0, N, 20):
        path = folder/f'raw/{i:03}.jpg'
        path.write_bytes(path.read_bytes()[:3000]) if i % 40 else path.unlink()
    return folder


def start(folder, *args): return subprocess.Popen([sys.executable, '-c', TRAIN, str(folder), *map(str, args)], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ | {'PYTHONWARNINGS': 'ignore'})


@pytest.mark.parametrize('persistent', [True, pytest.param(False, marks=pytest.mark.slow)])
def test_nothing_grows_and_nothing_is_left(folder, persistent):
    from ear_lazy.loading.buffers import KEPT
    p = start(folder, EPOCHS, WORKERS, persistent, False)
    out, _ = p.communicate(timeout=60 * EPOCHS)
    assert p.returncode == 0
    found = json.loads(out)
    if path := os.environ.get('SOAK_FIGURES'): open(path, 'a').write(out)
    epochs = found['epochs']
    assert [o['samples'] for o in epochs] == [N * 19 // 20] * EPOCHS
    assert [sum(n for e in o['errors'] for n in e.values()) for o in epochs] == [N // 20 * (i + 1) for i in range(EPOCHS)]
    memory, workers = [o['memory'] for o in epochs], 'workers that stay' if persistent else 'workers made for each epoch'
    left = {f'{k}_left': max(0, found['after'][k] - n) for k, n in found['before'].items()}
    tally('soak', workers, epochs=EPOCHS, workers=WORKERS, broken_images=sum(n for e in epochs[-1]['errors'] for n in e.values()), **left)
    for i, n in enumerate(memory[1:], 2): tally('memory after epoch', f'{i:02}', **{workers: 100 * n / memory[1]})
    assert all(found['after'][k] <= n for k, n in found['before'].items()), found # with spawn a process of Python's stays
    assert found['after']['shm'] == 0
    open_things = [(o['fds'], o['threads'], o['processes']) for o in epochs]
    assert all(o[:2] == open_things[1][:2] for o in open_things[1:]), open_things
    assert all(o['batches'] <= 2 * WORKERS * KEPT for o in epochs), epochs
    assert max(memory[2:]) <= (1 + GROWTH) * memory[1], memory


def is_running(pid):
    try: return open(f'/proc/{pid}/stat').read().split()[2] != 'Z'
    except OSError: return False


def test_nothing_is_left_when_the_parent_is_killed(folder):
    shm = set(os.listdir('/dev/shm'))
    p = start(folder, 1, WORKERS, True, True)
    workers = json.loads(p.stdout.readline())
    assert len(workers) >= 2 * WORKERS and all(map(is_running, workers))
    p.send_signal(signal.SIGKILL)
    p.wait()
    p.stdout.close()
    until = time.monotonic() + 120 # PyTorch's workers look for their parent every five seconds
    while any(map(is_running, workers)) and time.monotonic() < until: time.sleep(0.2)
    left = {o for o in os.listdir('/dev/shm') if o not in shm and str(p.pid) in o}
    tally('soak', 'a parent that is killed', epochs=1, workers=WORKERS, processes_left=sum(map(is_running, workers)), shm_left=len(left))
    assert not any(map(is_running, workers)) and not left
