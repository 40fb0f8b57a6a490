# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: python3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # files
# > Open, write and remove files without following links that others put in the way

# %% [markdown]
# A name such as `data/preprocessed/.ear_lazy` is looked up again each time it is used. If it is a link, or becomes one between two uses, what is
# done to it is done somewhere else: a run that clears away its folder clears away the folder of somebody. So whatever this package makes, replaces
# or removes, it reaches from a folder that it holds open, by names that are not followed if they are links.
#
# All removals and renames of this package are in this notebook; `tests/attacks/test_removals.py` finds any other.

# %%
#| default_exp files

# %%
#| export
import errno
import io
import os
import shutil
import sys
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISDIR, S_ISLNK, S_ISREG

from fastcore.basics import patch

from ear_lazy.errors import UnsafePathError

# %%
import tempfile
from unittest import mock
from fastcore.test import expect_fail, test_eq

# %% [markdown]
# ## Open a regular file
#
# A pipe would be waited for without end, and a device may do something when it is opened. Neither is opened.

# %%
#| export
_READ = os.O_RDONLY | getattr(os, 'O_BINARY', 0) | getattr(os, 'O_CLOEXEC', 0) | getattr(os, 'O_NONBLOCK', 0)
_NOFOLLOW, _DIRECTORY = getattr(os, 'O_NOFOLLOW', 0), getattr(os, 'O_DIRECTORY', 0)
_NAMES = {S_ISLNK: 'a link', S_ISDIR: 'a folder', S_ISREG: 'a file'}

def kind_of(
    mode:int, # `st_mode`
)->str:
    "What it is, in words: 'a file', 'a folder', 'a link', 'a pipe or a device'"
    return next((name for test, name in _NAMES.items() if test(mode)), 'a pipe or a device')

def open_regular(
    path:str|os.PathLike, # File, or its name in `dir_fd`
    follow:bool=True, # May it be a link?
    dir_fd:int|None=None, # Descriptor of its folder
)->io.BufferedReader: # To read bytes from
    "Open a file for reading; raises `OSError`, and `UnsafePathError` for anything but a regular file"
    try: fd = os.open(path, _READ | (0 if follow else _NOFOLLOW), dir_fd=dir_fd)
    except OSError as e:
        if e.errno == errno.ENXIO: raise UnsafePathError('a pipe or a device, not a file', path) from None # a socket
        if e.errno not in (errno.ELOOP, errno.EMLINK) or follow: raise
        raise UnsafePathError('a link, which is not followed here', path) from None
    try:
        mode = os.fstat(fd).st_mode
        if S_ISREG(mode): return io.open(fd, 'rb')
        raise UnsafePathError(f'{kind_of(mode)}, not a file', path)
    except BaseException:
        os.close(fd)
        raise


# %%
tmp = tempfile.TemporaryDirectory()
folder = Path(tmp.name)
(folder / 'boxes').write_bytes(b'1 2 3')
(folder / 'link').symlink_to('boxes')
os.mkfifo(folder / 'pipe')
for follow in (True, False):
    with open_regular(folder / 'boxes', follow) as f: test_eq(f.read(), b'1 2 3')
with open_regular(folder / 'link') as f: test_eq(f.read(), b'1 2 3')

# %%
with expect_fail(UnsafePathError, contains='a link'): open_regular(folder / 'link', follow=False)
with expect_fail(UnsafePathError, contains='a pipe'): open_regular(folder / 'pipe')
with expect_fail(UnsafePathError, contains='a folder'): open_regular(folder)
with expect_fail(FileNotFoundError): open_regular(folder / 'gone')

# %% [markdown]
# ## Where an open file really is
#
# The name that was checked may lead elsewhere when it is opened. What is open cannot change, and the system knows where it is.

# %%
#| export
_F_GETPATH = 50 # of macOS

def opened_path(
    fd:int, # Descriptor
)->str|None: # Absolute, without links; None where the system does not say
    "The path of an open file or folder"
    try: return os.readlink(f'/proc/self/fd/{fd}')
    except OSError: pass
    if sys.platform != 'darwin': return None
    import fcntl
    return os.fsdecode(fcntl.fcntl(fd, _F_GETPATH, bytes(1024)).rstrip(b'\0'))

def is_below(
    path:str, # Absolute, without links
    folder:str, # Likewise
)->bool:
    "Is it the folder, or in it?"
    return os.path.join(path, '').startswith(os.path.join(folder, ''))


# %%
with open_regular(folder / 'link') as f: test_eq(opened_path(f.fileno()), os.path.realpath(folder / 'boxes'))
assert is_below('/data/raw/a.jpg', '/data/raw') and is_below('/data/raw', '/data/raw') and is_below('/data', '/')
assert not is_below('/data/raw_2/a.jpg', '/data/raw')

# %% [markdown]
# ## An open folder
#
# `OpenFolder` holds a folder by its descriptor. Its methods take a name in it, never a path, and do not follow it. Where the system cannot look a
# name up from a descriptor (Windows), they use the path, after the same checks.

# %%
#| export
_BY_DESCRIPTOR = {os.open, os.stat, os.unlink, os.mkdir, os.rename, os.link, os.symlink, os.readlink} <= os.supports_dir_fd

class OpenFolder:
    "A folder that is held open; what is in it is reached from there, and never through a link; use it in a `with` block"
    def __init__(self,
        path:str|os.PathLike, # Folder; may be a link, and stay one
        make:bool=False, # Make it if it is missing, and the folders above it
    ):
        self.path = Path(os.path.abspath(path))
        if make: self.path.mkdir(parents=True, exist_ok=True)
        self._fd = self._open(self.path, None)

    def _open(self, name, dir_fd):
        "A descriptor of a folder; None where there are none of folders"
        if _BY_DESCRIPTOR: return os.open(name, _READ | _DIRECTORY | (_NOFOLLOW if dir_fd is not None else 0), dir_fd=dir_fd)
        if not os.path.isdir(name): raise NotADirectoryError(errno.ENOTDIR, 'not a folder', os.fspath(name))
        return None

    def _at(self, name, key='dir_fd'):
        "How to call a function of `os` with a name in this folder"
        if name in ('', '.', '..') or '/' in name or os.sep in name or '\0' in name: raise UnsafePathError('not a name of a file', name)
        return (self.path / name, {}) if self._fd is None else (name, {key: self._fd})

    def folder(self,
        name:str, # In this folder
        make:bool=False, # Make it if it is missing
    )->'OpenFolder': # To be closed like this one
        "Open a folder in this one; raises `UnsafePathError` if it is a link or a file"
        at, by = self._at(name)
        if make:
            with suppress(FileExistsError): os.mkdir(at, **by)
        if (mode := self.mode(name)) and not S_ISDIR(mode): raise UnsafePathError(f'{kind_of(mode)}, not a folder', self.path / name)
        found = object.__new__(OpenFolder)
        found.path, found._fd = self.path / name, self._open(at, self._fd)
        return found

    def close(self):
        fd, self._fd = self._fd, None
        if fd is not None: os.close(fd)

    def __enter__(self): return self
    def __exit__(self, *_): self.close()
    def __repr__(self): return f'OpenFolder({str(self.path)!r})'

    def names(self)->list: # Sorted
        "Names of what is in it"
        return sorted(os.listdir(self.path if self._fd is None else self._fd))

    def stat(self,
        name:str, # In this folder
    )->os.stat_result|None: # None if there is no such thing
        "The facts about a name; of a link, those of the link"
        at, by = self._at(name)
        with suppress(FileNotFoundError): return os.stat(at, follow_symlinks=False, **by)
        return None

    def mode(self, name:str)->int: # 0 if there is no such thing
        "`st_mode` of a name"
        st = self.stat(name)
        return st.st_mode if st else 0

    def open(self, name:str)->io.BufferedReader: # To read bytes from
        "Open a file in this folder; raises `OSError`, and `UnsafePathError` for anything but a regular file"
        at, by = self._at(name)
        if self._fd is None and S_ISLNK(self.mode(name)): raise UnsafePathError('a link, which is not followed here', at)
        try: return open_regular(at, False, **by)
        except UnsafePathError as e: raise UnsafePathError(e.reason, self.path / name) from None

    def read(self, name:str)->bytes:
        "Content of a file in this folder; raises `OSError`, and `UnsafePathError` for anything but a regular file"
        with self.open(name) as f: return f.read()

    def is_in_place(self)->bool:
        "Does its path still lead to this folder?"
        if self._fd is None: return self.path.is_dir()
        with suppress(OSError): return os.path.samestat(os.fstat(self._fd), os.stat(self.path))
        return False


# %%
with OpenFolder(folder) as top, top.folder('new', make=True) as new:
    test_eq(top.names(), ['boxes', 'link', 'new', 'pipe'])
    test_eq((top.read('boxes'), new.names(), top.stat('gone'), new.is_in_place()), (b'1 2 3', [], None, True))
    for name in ('link', 'pipe'):
        with expect_fail(UnsafePathError): top.read(name)
    for name in ('link', 'boxes', '..', 'new/..'):
        with expect_fail(UnsafePathError): top.folder(name)

# %% [markdown]
# A folder that another one takes the place of is noticed, and what is held open stays what it is:

# %%
with OpenFolder(folder / 'new') as new:
    (folder / 'new').rename(folder / 'old')
    (folder / 'new').mkdir()
    (folder / 'old' / 'a').touch()
    test_eq((new.is_in_place(), new.names()), (False, ['a']))


# %% [markdown]
# ## Make, move and remove
#
# A file is written beside its place and renamed to it, so that it is complete or absent, and flushed to disk before. `remove_tree` is the one
# removal of folders in this package. It enters each folder by its descriptor, so that a link in it, or one that takes its place meanwhile, is
# removed and not followed.

# %%
#| export
def flush_file(
    path:str|os.PathLike, # File, or a folder whose names have changed
):
    "Wait until a file is on disk; a folder where the system can do that"
    try: fd = os.open(path, os.O_RDONLY)
    except PermissionError:
        if os.path.isdir(path): return # Windows
        raise
    try: os.fsync(fd)
    except OSError as e:
        if e.errno not in (errno.EINVAL, errno.ENOTSUP): raise # some network shares have no fsync
    finally: os.close(fd)

@patch
def write(self:OpenFolder, name:str, data:bytes):
    "Write a file, whole or not at all, and flush it; replaces a file or link of this name"
    part = f'.part-{uuid.uuid4().hex}'
    at, by = self._at(part)
    fd = os.open(at, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, 'O_BINARY', 0), 0o666, **by)
    try:
        with open(fd, 'wb') as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
        self.rename(part, name)
    except BaseException:
        self.remove(part)
        raise

@patch
def rename(self:OpenFolder, name:str, new:str, to:'OpenFolder|None'=None): # `to`: folder of the new name; None: this one
    "Rename a file, link or folder; replaces a file or link of the new name"
    (src, by), (dst, by_dst) = self._at(name, 'src_dir_fd'), (to or self)._at(new, 'dst_dir_fd')
    os.replace(src, dst, **by, **by_dst)

@patch
def link(self:OpenFolder, name:str, new:str, to:'OpenFolder|None'=None): # `to`: folder of the new name; None: this one
    "Give a file a second name"
    (src, by), (dst, by_dst) = self._at(name, 'src_dir_fd'), (to or self)._at(new, 'dst_dir_fd')
    os.link(src, dst, follow_symlinks=False, **by, **by_dst)

@patch
def symlink(self:OpenFolder, target:str, name:str):
    "Make a symbolic link"
    at, by = self._at(name)
    os.symlink(target, at, **by)

@patch
def readlink(self:OpenFolder, name:str)->str: # '' if it is no link, or nothing
    "Where a link points to"
    at, by = self._at(name)
    with suppress(OSError): return os.readlink(at, **by)
    return ''


# %%
#| export
@patch
def remove(self:OpenFolder, name:str):
    "Remove a file or a link, never what it leads to; a missing one is fine"
    at, by = self._at(name)
    with suppress(FileNotFoundError): os.unlink(at, **by)

@patch
def remove_tree(self:OpenFolder, name:str):
    "Remove a folder with all that is in it, without following a link; a missing one is fine, a link or a file is an `UnsafePathError`"
    if not (mode := self.mode(name)): return
    if not S_ISDIR(mode): raise UnsafePathError(f'{kind_of(mode)}, not a folder', self.path / name)
    at, by = self._at(name)
    shutil.rmtree(at, **by)

@patch
def remove_empty(self:OpenFolder, name:str)->bool: # Whether it is gone
    "Remove a folder if there is nothing in it"
    at, by = self._at(name)
    with suppress(OSError):
        os.rmdir(at, **by)
        return True
    return False

@patch
def flush(self:OpenFolder):
    "Wait until the names of the folder are on disk"
    if self._fd is not None:
        with suppress(OSError): os.fsync(self._fd)


# %% [markdown]
# Removing a folder that holds a link to another leaves the other alone, as does removing a name that became a link:

# %%
(folder / 'old' / 'elsewhere').symlink_to(folder / 'new')
(folder / 'new' / 'precious').write_text('keep me')
with OpenFolder(folder) as top:
    top.write('report', b'all of it')
    test_eq((top.read('report'), [o for o in top.names() if o.startswith('.part')]), (b'all of it', []))
    top.remove_tree('old')
    top.remove_tree('gone')
    top.symlink('new', 'old')
    with expect_fail(UnsafePathError, contains='a link, not a folder'): top.remove_tree('old')
    test_eq((top.readlink('old'), top.remove_empty('new')), ('new', False))
    top.remove('old')
    top.rename('report', 'old')
    with top.folder('new') as new: test_eq(new.names(), ['precious'])

# %% [markdown]
# A write that fails leaves what was there:

# %%
with OpenFolder(folder) as top:
    with mock.patch('os.fsync', side_effect=OSError(errno.ENOSPC, 'full')), expect_fail(OSError): top.write('boxes', b'other')
    test_eq((top.read('boxes'), top.names()), (b'1 2 3', ['boxes', 'link', 'new', 'old', 'pipe']))


# %% [markdown]
# ## A folder for the moment
#
# What is made in steps is made in a folder beside its place, on the same disk, and moved from there.

# %%
#| export
@contextmanager
def temporary_folder(
    parent:str|os.PathLike, # Where to make it
    prefix:str='.ear_lazy-', # Of its name
): # An `OpenFolder`
    "A new folder with a random name, removed after the block"
    with OpenFolder(parent) as above:
        name = f'{prefix}{uuid.uuid4().hex}'
        try:
            with above.folder(name, make=True) as made: yield made
        finally: above.remove_tree(name)


# %%
with temporary_folder(folder) as made:
    made.write('half', b'')
    made.symlink(str(folder / 'new'), 'elsewhere')
    test_eq((made.path.parent, made.path.is_dir()), (folder, True))
test_eq((made.path.exists(), (folder / 'new' / 'precious').read_text()), (False, 'keep me'))
tmp.cleanup()

# %%
#| hide
import nbdev; nbdev.nbdev_export()
