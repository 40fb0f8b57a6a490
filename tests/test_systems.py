"Where the system lacks what Linux has, everything still imports, processes, loads and trains; what needs it says so"
import os
import subprocess
import sys
from pathlib import Path

import pytest
from making import coco, image, process

HIDE = '''
import builtins, errno, os, pathlib, shutil, sys
import filelock, multiprocessing, torch, torch.utils.data # they have their own ways on each system; what is hidden is hidden from ear_lazy

real_import, real_open, real_readlink, real_exists = builtins.__import__, os.open, os.readlink, os.path.exists
def import_(name, globals=None, *args, **kwargs):
    if name == 'fcntl' and (globals or {}).get('__name__', '').startswith('ear_lazy'): raise ImportError('no fcntl here')
    return real_import(name, globals, *args, **kwargs)
def refused(*args, **kwargs): raise OSError(errno.EINVAL, 'A required privilege is not held by the client')
def open_(path, flags, mode=0o777, *, dir_fd=None):
    if dir_fd is not None: raise NotImplementedError('dir_fd unavailable on this platform')
    if isinstance(path, (str, pathlib.Path)):
        if str(path).startswith('/proc/'): raise FileNotFoundError(errno.ENOENT, 'no /proc here', str(path))
        if os.path.isdir(path): raise PermissionError(errno.EACCES, 'Permission denied', str(path)) # Windows opens no folders
    return real_open(path, flags, mode)
def readlink(path, *, dir_fd=None):
    if dir_fd is not None: raise NotImplementedError('dir_fd unavailable on this platform')
    if str(path).startswith('/proc/'): raise FileNotFoundError(errno.ENOENT, 'no /proc here', str(path))
    return real_readlink(path)
builtins.__import__, os.open, os.readlink, os.symlink = import_, open_, readlink, refused
os.path.exists = lambda path: not str(path).startswith('/proc/') and real_exists(path)
os.supports_dir_fd = os.supports_fd = set()
shutil._use_fd_functions = False
flags = {o: getattr(os, o) for o in ('O_DIRECTORY', 'O_NOFOLLOW', 'O_CLOEXEC', 'O_NONBLOCK', 'O_PATH') if hasattr(os, o)}
for name in (*flags, 'memfd_create', 'sched_getaffinity'):
    if hasattr(os, name): delattr(os, name)

import pkgutil, importlib, ear_lazy
for o in pkgutil.walk_packages(ear_lazy.__path__, 'ear_lazy.'):
    if o.name.rpartition('.')[2] != '_modidx': importlib.import_module(o.name)
vars(os).update(flags) # filelock for this system needs them
'''

TRAIN = '''
if __name__ == '__main__':
    from torch.utils.data import DataLoader
    from ear_lazy.data_processor import DataProcessor
    from ear_lazy.lazy_dataset import LazyNPYDataset
    for out, workers in (('out', 2), ('out', 0), ('out2', 0)):
        report = DataProcessor('raw', out, num_workers=workers, progress=False).process(('detector',), train_split=1)
        assert [o.rows for o in report.outputs] == [4], report
    assert not DataProcessor('raw', 'out', num_workers=0, progress=False, force=True).process(('detector',), train_split=1).unchanged
    ds = LazyNPYDataset('out/train_detector.npy')
    for workers in (0, 2): assert sum(len(o['image_path']) for o in DataLoader(ds, 2, num_workers=workers)) == 4
'''

CACHE = '''
from ear_lazy.shared_cache import SharedCache
try: SharedCache('1MB')
except Exception as e: print(type(e).__name__, e)
else: raise SystemExit('made without memory that processes share')
'''

LINKS = '''
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.export import to_yolo
try: to_yolo(LazyNPYDataset('out/train_detector.npy'), 'yolo', images='link')
except Exception as e: print(type(e).__name__, e)
else: raise SystemExit('linked without links')
'''


def without(code, folder):
    "What a program says that runs where Linux's own is missing"
    (folder/'program.py').write_text(HIDE + code, encoding='utf-8')
    env = os.environ | {'PYTHONPATH': str(Path(__file__).parents[1])}
    done = subprocess.run([sys.executable, 'program.py'], cwd=folder, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('elsewhere')
    for o in 'abcd': image(folder/f'raw/ears/{o}.jpg', (40, 60))
    coco(folder/'raw/ears/all.json', {f'{o}.jpg': [[1, 2, 10, 20]] for o in 'abcd'}, size=(60, 40))
    return folder


def test_everything_imports_processes_loads_and_trains(folder): without(TRAIN, folder)


def test_what_needs_more_says_so(folder):
    process(folder/'raw', folder/'out', ('detector',), train_split=1)
    said = without(CACHE + LINKS, folder).splitlines()
    assert len(said) == 2 and 'Linux' in said[0] and 'link' in said[1], said
