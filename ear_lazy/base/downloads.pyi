# Made by .ci/stubs.py of downloads.py: do not edit.
from ear_lazy.base.files import OpenFolder
from typing import Any, BinaryIO, NamedTuple

def now() -> str:
    "The time, for this process: clocks can be set, and differ between machines"

def is_later(
    a: str, # From `now`
    b: str, # From `now`
) -> bool: # False if one of them is another process's
    "Whether one time is after another"

MOST_VERSIONS: int

class Kept(NamedTuple):
    "Content of a file, and what is known of it"
    data: bytes
    tag: str = ... # ETag
    asked: str = ... # when it was last asked for, from `now`
    versions: tuple[str, ...] = ... # of datasets that it belongs to

def packed(kept: Kept) -> bytes:
    "A file to keep"

def unpacked(
    file: BinaryIO, # Open
    most: int, # Bytes of a file
) -> Kept | None:
    "What was packed; None if this is none, or damaged, or too long"

DAY_SECONDS: int
RECOUNT_SECONDS: int

def counted_bytes(
    part: OpenFolder, # Of all kept images
) -> int:
    "Bytes of all files in the folders in it"

def make_room(
    part: OpenFolder, # Of all kept images
    size: int, # Bytes to add, or below 0
    most: int, # Bytes of all
) -> bool: # False if there is no room
    "Note that a file is added or removed"

MOST_NEW: int

class DownloadCache:
    "Files from URLs, kept on the local disk once they have proved good"
    _dropped: set[str]
    _new: dict[str, tuple]
    most: int
    version: Any
    timeout: float | None
    def __init__(self,
        most: int, # Bytes of all files
        version: str = '', # Of the dataset; another when it is published anew
        timeout: float | None = None, # Seconds for a file
    ) -> None: ...
    def __setstate__(self, state) -> None: ...
    def is_dropped(self, url: str) -> bool: ...
    def read(self,
        url: str, # File
        most: int, # At most so many bytes
    ) -> bytes:
        "A kept file if this version of the dataset has used it or it is still the same, or the storage's; raises `StorageError`"
    def put(self,
        url: str, # File
        data: bytes, # From `read`, and decoded
    ) -> None:
        "Keep a file, if there is room and it is not kept already"
    def drop(self, url: str) -> None:
        "Remove a file whose bytes are no good, and fetch it anew at its next reading"
