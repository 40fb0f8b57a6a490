# Made by .ci/stubs.py of files.py: do not edit.
import io
import os
from collections.abc import Callable
from contextlib import contextmanager
from filelock import FileLock
from pathlib import Path
from typing import Any, Self

__all__ = ['kind_of', 'open_regular', 'OpenFolder']

def kind_of(
    mode: int, # `st_mode`
) -> str:
    "What it is, in words: 'a file', 'a folder', 'a link', 'a pipe or a device'"

def open_regular(
    path: str | os.PathLike, # File, or its name in `dir_fd`
    follow: bool = True, # May it be a link?
    dir_fd: int | None = None, # Descriptor of its folder
) -> io.BufferedReader: # To read bytes from
    "Open a file for reading; raises `OSError`, and `UnsafePathError` for anything but a regular file"

def opened_path(
    fd: int, # Descriptor
) -> str | None: # Absolute, without links; None where the system does not say
    "The path of an open file or folder"

def is_below(
    path: str, # Absolute, without links
    folder: str, # Likewise
) -> bool:
    "Is it the folder, or in it?"

class OpenFolder:
    "A folder that is held open; what is in it is reached from there, and never through a link; use it in a `with` block"
    path: Path
    def __init__(self,
        path: str | os.PathLike, # Folder; may be a link, and stay one
        make: bool = False, # Make it if it is missing, and the folders above it
    ) -> None: ...
    def folder(self,
        name: str, # In this folder
        make: bool = False, # Make it if it is missing
    ) -> 'OpenFolder': # To be closed like this one
        "Open a folder in this one; raises `UnsafePathError` if it is a link or a file"
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: Any) -> None: ...
    def __repr__(self) -> str: ...
    def names(self) -> list: # Sorted
        "Names of what is in it"
    def open(self, name: str) -> io.BufferedReader: # To read bytes from
        "Open a file in this folder; raises `OSError`, and `UnsafePathError` for anything but a regular file"
    def stat(self,
        name: str, # In this folder
    ) -> os.stat_result | None: # None if there is no such thing
        "The facts about a name; of a link, those of the link"
    def mode(self, name: str) -> int: # 0 if there is no such thing
        "`st_mode` of a name"
    def read(self, name: str) -> bytes:
        "Content of a file in this folder; raises `OSError`, and `UnsafePathError` for anything but a regular file, or for one of holes"
    def make_private(self) -> None:
        "Let nobody else in, if the folder is one's own"
    def is_in_place(self) -> bool:
        "Does its path still lead to this folder?"
    @property
    def anchor(self) -> Path:
        "A path by which this process reaches the open folder, whatever takes its place; where the system has none, its path"
    @property
    def inode(self) -> int: ...
    def rename(self, name: str, new: str, to: 'OpenFolder|None' = None) -> None: # `to`: folder of the new name; None: this one
        "Rename a file, link or folder; replaces a file or link of the new name"
    def link(self, name: str, new: str, to: 'OpenFolder|None' = None) -> None: # `to`: folder of the new name; None: this one
        "Give a file a second name"
    def symlink(self, target: str, name: str) -> None:
        "Make a symbolic link"
    def readlink(self, name: str) -> str: # '' if it is no link, or nothing
        "Where a link points to"
    def remove(self, name: str) -> None:
        "Remove a file or a link, never what it leads to; a missing one is fine"
    def remove_empty(self, name: str) -> bool: # Whether it is gone
        "Remove a folder if there is nothing in it"
    def write(self,
        name: str, # In this folder
        data: bytes | Callable, # Content, or a function that makes it of the file's inode
        flush: bool = True, # Wait until it is on disk
    ) -> None:
        "Write a file, whole or not at all; replaces a file or link of this name"
    def copy(self, name: str, new: str, to: 'OpenFolder|None' = None) -> None: # `to`: folder of the new name; None: this one
        "Copy a file with its times, and flush the copy"
    def create(self, name: str, size: int = 0) -> io.BufferedWriter: # `size`: bytes that are zero until they are written
        "Make a file to write into; raises `FileExistsError` if the name is taken, be it by a link"
    def reopen(self, name: str) -> io.FileIO: # To read and to write, unbuffered
        "Open a file of this folder as it is; raises `OSError`, and `UnsafePathError` for anything but a regular file"
    def remove_tree(self, name: str) -> None:
        "Remove a folder with all that is in it, without following a link; a missing one is fine, a link or a file is an `UnsafePathError`"
    def flush(self) -> None:
        "Wait until the names of the folder are on disk"
    def files(self) -> list: # Paths relative to this folder, sorted
        "All files in it and in the folders below; raises `UnsafePathError` for a link, a pipe or a device"

def flush_files(
    paths: list, # Files
) -> None:
    "Wait until files are on disk"

def lock_in(
    folder: OpenFolder, # That is to be locked
    name: str = 'lock', # Of the lock's file
    timeout: float = -1, # Seconds to wait for it; -1: as long as it takes
) -> 'FileLock': # To be used in a `with` block
    "A lock; raises `UnsafePathError` where something else has its name"

def is_locked(error: Exception) -> bool: # Not of a disk that took too long, which has a number
    "Is an error that of a lock which another held for longer than `timeout`?"

@contextmanager
def temporary_folder(
    parent: str | os.PathLike, # Where to make it
    prefix: str = '.ear_lazy-', # Of its name
): # An `OpenFolder`
    "A new folder with a random name, removed after the block"
