"Somebody's files, and ways to lead a program to them"
import os
import signal
from contextlib import contextmanager
from pathlib import Path


def make_victim(folder):
    "A folder of somebody's work"
    folder = Path(folder)
    for name, content in {'notes.txt': 'a year of work', 'src/code.py': 'print()', '.git/HEAD': 'ref', 'old/1.copy': 'not a copy'}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    for o in (folder / 'old/1.copy', folder / 'notes.txt'): os.utime(o, (0, 0)) # as old as can be
    return folder


def content(folder):
    "Path of all that is in a folder to what it is: nothing may be added, changed or gone"
    def what(o):
        if o.is_symlink(): return 'link', os.readlink(o)
        if o.is_dir(): return 'folder', None
        return ('file', o.read_bytes()) if o.is_file() else ('pipe', None)
    return {o.relative_to(folder).as_posix(): what(o) for o in sorted(Path(folder).rglob('*'))}


def link_to_folder(path, victim): path.symlink_to(victim, target_is_directory=True)
def link_to_file(path, victim): path.symlink_to(victim / 'notes.txt')
def dangling_link(path, victim): path.symlink_to(victim / 'made_through_a_link')
def pipe(path, victim): os.mkfifo(path)
def folder_of_others(path, victim): make_victim(path)
def file_of_others(path, victim): path.write_text('somebody else wrote this')


def take_the_place(path, way, victim):
    "Put something else where a file or folder of the package is, or will be"
    if path.is_dir() and not path.is_symlink(): path.rename(path.with_name(path.name + '.before'))
    elif os.path.lexists(path): path.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    way(path, victim)


@contextmanager
def patience(seconds=10):
    "Whoever waits for a pipe would wait for ever"
    def enough(*_): raise AssertionError(f'not done after {seconds} s')
    before = signal.signal(signal.SIGALRM, enough)
    signal.alarm(seconds)
    try: yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
