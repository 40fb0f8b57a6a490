"Large columns lie in files: the same results, whatever is in a file and wherever pieces end"
import errno
import os
import pickle
import subprocess
import sys
from threading import Thread

import numpy as np
import pytest
from making import coco, image

from ear_lazy.base import spilling, texts
from ear_lazy.data_processor import DataProcessor
from ear_lazy.demo import make_raw


def files(out): return {o.name: o.read_bytes() for o in sorted(out.iterdir()) if o.suffix in ('.npy', '.csv', '.json')}


def processed(raw, out):
    DataProcessor(raw, out, num_workers=0, progress=False).process()
    return files(out)


@pytest.fixture(scope='module')
def raw(tmp_path_factory):
    folder = tmp_path_factory.mktemp('spilling')
    folder = make_raw(folder, 12)
    names = [f'{i}.jpg' for i in range(20)]
    for o in names: image(folder/f'detector/shuffled/{o}', (40, 60))
    boxes = {o: [[1 + i % 3, 2, 10, 20], [5, 6, 80, 20], [1 + i % 3, 2, 10, 20]] for i, o in enumerate(names)}
    coco(folder/'detector/shuffled/all.json', boxes)
    return folder


def in_files(monkeypatch, rows=3):
    monkeypatch.setattr(spilling, 'LARGE', 1)
    monkeypatch.setattr(spilling, 'LARGE_PIECE', 1)
    monkeypatch.setattr(spilling, 'PIECE', rows)
    monkeypatch.setattr(texts, 'FEW', 2)


@pytest.mark.parametrize('rows', (1, 5))
def test_outputs_are_the_same_bytes_with_all_columns_in_files(raw, tmp_path, monkeypatch, rows):
    expected, made = processed(raw, tmp_path/'in_memory'), []
    in_files(monkeypatch, rows)
    reserve = os.posix_fallocate
    monkeypatch.setattr(os, 'posix_fallocate', lambda *a: made.append(a[2]) or reserve(*a))
    assert processed(raw, tmp_path/'in_files') == expected
    assert len(made) > 50


def test_without_room_for_files_columns_are_in_memory(raw, tmp_path, monkeypatch):
    expected = processed(raw, tmp_path/'in_memory')
    in_files(monkeypatch)
    def full(*_): raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(os, 'posix_fallocate', full)
    assert processed(raw, tmp_path/'full') == expected


def test_columns_are_gone_from_the_disk_when_nobody_has_them(tmp_path, monkeypatch):
    monkeypatch.setenv('TMPDIR', str(tmp_path))
    monkeypatch.setattr(spilling.tempfile, 'tempdir', None)
    column = spilling.empty_column((spilling.LARGE,), np.int8)
    column[:] = 3
    assert not os.listdir(tmp_path) and not column.flags.owndata
    def mapped(): return sum(str(tmp_path) in o for o in open('/proc/self/maps'))
    assert mapped() == 1
    spilling.let_go()
    assert column.sum(dtype=int) == 3 * spilling.LARGE
    del column
    assert not mapped()


def test_what_is_in_files_can_be_sent_to_other_processes(monkeypatch):
    in_files(monkeypatch)
    names = texts.kept_texts(f'images/{i}.jpg' for i in range(5000))
    assert not isinstance(names.data, bytes)
    assert pickle.loads(pickle.dumps(names)) == names == [*names]
    column = spilling.copied(np.arange(10))
    assert (pickle.loads(pickle.dumps(column)) == column).all()


def test_threads_make_columns_while_others_are_let_go(monkeypatch):
    monkeypatch.setattr(spilling, 'LARGE', 1)
    done, failed = [], []
    def make():
        while not done: spilling.empty_column((10,), np.int8)
    def let_go():
        try:
            for _ in range(2000): spilling.let_go()
        except Exception as e: failed.append(e)
        done.append(True)
    threads = [Thread(target=o) for o in (make, make, let_go)]
    for o in threads: o.start()
    for o in threads: o.join()
    assert not failed


_FEW_DESCRIPTORS = """
import resource, sys
from ear_lazy.base import spilling, texts
from ear_lazy.data_processor import DataProcessor
spilling.LARGE = spilling.LARGE_PIECE = 1
spilling.PIECE, texts.FEW = 5, 2
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
kept = [spilling.empty_column((1,), int) for _ in range(250)]
DataProcessor(*sys.argv[1:3], num_workers=int(sys.argv[3]), progress=False).process()
"""


@pytest.mark.parametrize('num_workers', (0, 2))
def test_descriptors_are_left_for_all_else(raw, tmp_path, num_workers):
    "A map of a file keeps a descriptor of its own"
    subprocess.run([sys.executable, '-c', _FEW_DESCRIPTORS, raw, tmp_path/'few', str(num_workers)], check=True)
    assert files(tmp_path/'few') == processed(raw, tmp_path/'many')
