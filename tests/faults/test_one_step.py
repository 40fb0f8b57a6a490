"All files of a run change in one step"
import errno
import os
import signal
import subprocess
import threading
from functools import partial
from pathlib import Path

import pytest
from breaking import Outputs, killed_at
from making import HIDDEN, contents, leftovers, process
from tiers import steps

from ear_lazy.base import swap
from ear_lazy.errors import OutputError
from ear_lazy.metadata.file import Metadata
from ear_lazy.metadata.notes import read_origin
from ear_lazy.metadata.roots import recorded_root


@pytest.fixture
def outputs(tmp_path): return Outputs(tmp_path)


def run(outputs): process(outputs.raw, outputs.out)


@steps(5)
def test_killed_at_every_change_of_a_folder(outputs, step):
    "A system call that makes, renames or removes something is the last one of a run"
    turn, new = 0, []
    while killed_at(turn, lambda: run(outputs)):
        new.append(outputs.check('killed at a system call'))
        outputs.turn_round()
        turn += step
    assert turn > 60 and new == sorted(new), 'old files up to one call, new files from it on'
    assert 10 < sum(new) * step < turn - 10


@steps(7)
def test_killed_in_the_first_run(outputs, tmp_path, step):
    "There is nothing, or all of it"
    turn, seen = 0, set()
    while killed_at(turn, partial(process, outputs.raw, tmp_path/f'{turn}')):
        found = contents(tmp_path/f'{turn}')
        assert found in ({}, outputs.after)
        seen.add(len(found))
        process(outputs.raw, tmp_path/f'{turn}')
        assert contents(tmp_path/f'{turn}') == outputs.after and not leftovers(tmp_path/f'{turn}')
        turn += step
    assert len(seen) == 2


@pytest.fixture
def half_swapped(outputs):
    "A run was killed after the step, with links in place of files"
    def stopped(*args): os.kill(os.getpid(), signal.SIGKILL)
    if not (pid := os.fork()):
        try:
            swap._finish = stopped
            run(outputs)
        finally: os._exit(0)
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL and contents(outputs.out) == outputs.after
    return outputs


WAYS = {'cp -r': 'cp -r "$1"/. "$2"', 'cp -rL': 'cp -rL "$1"/. "$2"', 'cp of the files': 'cp "$1"/* "$2"', 'tar': 'tar -C "$1" -c . | tar -C "$2" -x'}


def test_what_is_left_of_a_killed_run_is_a_dataset(half_swapped, tmp_path):
    "… for who may not write there, and for who copies the folder"
    out, path = half_swapped.out, half_swapped.out/'train_detector.npy'
    assert path.is_symlink() and read_origin(path) is not None
    md = Metadata(path)
    assert Path(recorded_root(path, md.root), md.image_path(0)).is_file()
    for way in WAYS:
        copy = tmp_path/f'copy {way}'
        copy.mkdir()
        subprocess.run(['sh', '-uc', WAYS[way], way, out, copy], capture_output=True)
        assert contents(copy) == half_swapped.after, way
        process(half_swapped.raw, copy)
        assert contents(copy) == half_swapped.after and not any(o.is_symlink() for o in copy.iterdir()), f'{way}: the next run makes files of links'
    assert half_swapped.check('killed at a system call')


def test_a_run_with_nothing_to_do_makes_files_of_links(half_swapped):
    "… also where the killed one had come so far that the next one finds its outputs current"
    assert process(half_swapped.raw, half_swapped.out).unchanged and not [*half_swapped.out.glob(f'{HIDDEN}/swap*')]
    assert contents(half_swapped.out) == half_swapped.after and not any(o.is_symlink() for o in half_swapped.out.rglob('*'))


def test_a_link_to_an_output_file(outputs, tmp_path):
    "A link of the user in the place of an output is not replaced, and nothing else is"
    (outputs.out/'train_detector.npy').rename(tmp_path/'kept.npy')
    (outputs.out/'train_detector.npy').symlink_to('../kept.npy')
    with pytest.raises(OutputError, match='a link, not a file: move it away'): run(outputs)
    assert contents(outputs.out) == outputs.before and (outputs.out/'train_detector.npy').is_symlink()


@pytest.mark.parametrize('missing', ['symlink', 'link'])
def test_where_there_are_no_links(outputs, monkeypatch, missing):
    def refused(*args, **kwargs): raise OSError(errno.EPERM, 'Operation not permitted')
    monkeypatch.setattr(os, missing, refused)
    run(outputs)
    assert contents(outputs.out) == outputs.after and not leftovers(outputs.out)
    assert not [*outputs.out.glob(f'{HIDDEN}/swap*')]


def test_readers_meet_a_whole_file_at_any_time(outputs):
    "While runs take turns, each name can be opened, at the second look at the latest, and holds what one of them has written"
    stop, faults, opened = threading.Event(), [], 0
    def read():
        nonlocal opened
        while not stop.is_set():
            for name in ('train_detector.npy', 'train_teacher.npy', 'report.json'):
                try:
                    with swap.open_file(outputs.out/name) as f: ok = f.read() in [o[name] for o in outputs.states]
                except OSError as e: ok = e
                opened += 1
                if ok is not True: faults.append((name, ok))
    readers = [threading.Thread(target=read) for _ in range(2)]
    for o in readers: o.start()
    try:
        for i in range(20):
            outputs.change(bool(i % 2))
            run(outputs)
    finally:
        stop.set()
        for o in readers: o.join()
    assert not faults and opened > 100
