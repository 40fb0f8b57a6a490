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
# # swap
# > Replace several files of a folder in one step that survives being killed halfway

# %% [markdown]
# A rename puts one file in place, whole or not at all. A run has eight files or more, and between two renames the folder would hold a mix of
# two runs: today's boxes beside yesterday's landmarks. Here one rename replaces all of them. Meanwhile each name is a link through another
# link, `now`:
#
# ```
# train_detector.npy → .ear_lazy/swap/now/train_detector.npy      now → old, and then new
# ```
#
# 1. The old files get a second name in `swap/old`, the new ones in `swap/new`, and `now` points to `old`.
# 2. Each name becomes a link. Opening it still gives the old file; a name that did not exist points nowhere, so it still does not exist.
# 3. `now` is pointed to `new`. This is the one step.
# 4. Each name becomes a plain file again, now the new one.
#
# A program that resolves a link just as step 4 replaces it finds nothing for an instant, and the new file when it tries again. `open_file`
# tries again.
#
# After a kill, every program sees either all old files or all new ones, without knowing of the swap. The next process calls `settle`, which
# turns the links into plain files.

# %%
#| default_exp swap

# %%
#| export
import errno
import io
import os
import shutil
from pathlib import Path

# %%
import tempfile
from unittest.mock import patch
from fastcore.test import expect_fail, test_eq

# %% [markdown]
# ## Where a file lives
#
# A link made by a user points to where the file lives, with its images nearby. The links of a swap do not, so they are not followed.

# %%
#| export
HIDDEN, SWAP = '.ear_lazy', 'swap'

def real_path(
    path:str, # A file
)->Path: # Absolute
    "Where a file lives, following all links except those of a swap"
    real = Path(os.path.realpath(path))
    return real.parents[3] / real.name if real.parts[-4:-2] == (HIDDEN, SWAP) else real


# %%
test_eq(real_path('/data/.ear_lazy/swap/new/train_detector.npy'), Path('/data/train_detector.npy'))
test_eq(real_path('/data/train_detector.npy'), Path('/data/train_detector.npy'))


# %% [markdown]
# ## Open a file
#
# Step 4 replaces a link by a file and then deletes the link's target. A program that was resolving the link must try once more.

# %%
#| export
def open_file(
    path:str, # A file that a swap may be putting in place
)->io.BufferedReader: # To read bytes from; raises `OSError`
    "Open a file for reading, even while `settle` replaces its link by a plain file"
    try: return io.open(path, 'rb')
    except FileNotFoundError: return io.open(path, 'rb')


# %%
tmp = tempfile.TemporaryDirectory()
path, file = Path(tmp.name) / 'train_detector.npy', Path(tmp.name) / 'file'
path.symlink_to('cleared_away')
file.write_text('new')
really_open, looks = io.open, []
def put_in_place(name, *args):
    "Record each attempt, and replace the link by the file after the first"
    looks.append(name)
    try: return really_open(name, *args)
    finally:
        if file.exists(): os.replace(file, path)

with patch('io.open', put_in_place), open_file(path) as f: test_eq(f.read(), b'new')
test_eq(looks, [path, path])
with expect_fail(FileNotFoundError): open_file(path.with_name('never_there'))
tmp.cleanup()


# %% [markdown]
# ## Turn links into plain files
#
# A name for which `now` has no file is removed: the swap deletes it, or had not created it yet.

# %%
#| export
def _link(folder, name): return os.path.relpath(folder / HIDDEN / SWAP / 'now' / name, (folder / name).parent)

def _is_link(folder, name):
    try: return os.readlink(folder / name) == _link(folder, name)
    except OSError: return False # no link, or nothing at all

def _names(place):
    return sorted({o.relative_to(place / side).as_posix() for side in ('old', 'new') for o in (place / side).rglob('*') if not o.is_dir()})

def settle(
    folder:str, # Folder of the files
):
    "Turn the links that a killed process left into plain files: the old ones before the step, the new ones after it"
    folder = Path(folder)
    place = folder / HIDDEN / SWAP
    for name in filter(lambda o: _is_link(folder, o), _names(place)):
        if not (folder / name).exists():
            (folder / name).unlink()
            continue
        (place / 'file').unlink(missing_ok=True)
        os.link(place / 'now' / name, place / 'file')
        os.replace(place / 'file', folder / name)
    if place.exists(): shutil.rmtree(place)


# %% [markdown]
# ## Swap
#
# Links are prepared before anything visible changes. On file systems without links, such as FAT and some network shares, the files are renamed
# one after the other.

# %%
#| export
def swap_files(
    folder:str, # Folder of the files
    new:dict, # Name in the folder, or below it, to the finished file, which is moved and must be on the same disk
    gone:set=frozenset(), # Names to remove
):
    "Put new files in place and remove others, in one step"
    folder = Path(folder)
    place = folder / HIDDEN / SWAP
    settle(folder)
    try: _prepare(folder, place, new, gone)
    except OSError as e:
        shutil.rmtree(place, ignore_errors=True)
        if e.errno in (errno.ENOSPC, errno.EDQUOT): raise
        return _one_by_one(folder, new, gone)
    try:
        for name in (*new, *gone):
            os.symlink(_link(folder, name), place / 'link')
            os.replace(place / 'link', folder / name)
        os.replace(place / 'next', place / 'now')
    finally: settle(folder)
    for path in new.values(): os.unlink(path)

def _prepare(folder, place, new, gone):
    "Give old and new files their second names, and make a link to each side"
    for name in (*new, *gone):
        for side in ('old', 'new'): (place / side / name).parent.mkdir(parents=True, exist_ok=True)
        if (folder / name).is_file(): os.link(os.path.realpath(folder / name), place / 'old' / name)
    for name, path in new.items(): os.link(path, place / 'new' / name)
    for link, side in (('now', 'old'), ('next', 'new')): os.symlink(side, place / link)

def _one_by_one(folder, new, gone):
    for name, path in new.items(): os.replace(path, folder / name)
    for name in gone: (folder / name).unlink()


# %%
tmp = tempfile.TemporaryDirectory()
folder = Path(tmp.name)
def look(): return {o.name: o.read_text() for o in sorted(folder.glob('*')) if o.is_file()}

def make(**files):
    shutil.rmtree(folder / 'made', ignore_errors=True)
    (folder / 'made').mkdir()
    for name, content in files.items(): (folder / 'made' / name).write_text(content)
    return {name: folder / 'made' / name for name in files}

swap_files(folder, make(a='1', b='1', report='1'))
swap_files(folder, make(a='2', c='2', report='2'), {'b'})
test_eq(look(), dict(a='2', c='2', report='2'))
test_eq(any(o.is_symlink() for o in folder.rglob('*')), False)


# %% [markdown]
# Kill the swap before each of its system calls in turn:

# %%
def stopped(turn):
    "Patches that let the first `turn` calls that change the folder pass, and make all later ones fail"
    left = iter(range(turn))
    def wrap(function):
        def wrapped(*args, **kwargs):
            if next(left, None) is None: raise KeyboardInterrupt
            return function(*args, **kwargs)
        return wrapped
    return [patch(f'os.{o}', wrap(getattr(os, o))) for o in ('replace', 'symlink', 'link', 'unlink', 'rmdir', 'mkdir')]

def after_a_kill(turn):
    "The visible files after a kill, which the next `settle` leaves as they are"
    patches, files = stopped(turn), make(a=f'{turn}', d=f'{turn}', report=f'{turn}')
    for o in patches: o.start()
    try: swap_files(folder, files, {'c'} if (folder / 'c').exists() else set())
    except KeyboardInterrupt: pass
    finally:
        for o in patches: o.stop()
    seen = look()
    settle(folder)
    test_eq(look(), seen)
    test_eq((folder / HIDDEN / SWAP).exists(), False)
    return seen

before, old = look(), 0
for turn in range(100):
    seen = after_a_kill(turn)
    assert seen in (before, dict(a=f'{turn}', d=f'{turn}', report=f'{turn}')), (turn, seen)
    old += seen == before
    before = seen
print(f'killed at {turn} calls: {old} times the old files, {turn + 1 - old} times the new ones, and never a mix')

# %% [markdown]
# A folder in the way is an error, and the old files stay. Without links, files are renamed one by one:

# %%
(folder / 'e').mkdir()
with expect_fail(IsADirectoryError): swap_files(folder, make(a='3', e='3'))
test_eq(look(), before)
with patch('os.symlink', side_effect=OSError(errno.EPERM, 'no links here')): swap_files(folder, make(a='4', b='4'), {'report'})
test_eq(look(), dict(a='4', b='4', d=before['d']))
tmp.cleanup()

# %%
#| hide
import nbdev; nbdev.nbdev_export()
