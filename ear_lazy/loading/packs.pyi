# Made by .ci/stubs.py of packs.py: do not edit.
import numpy as np
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

WAYS: int
VALUE_BYTES: int
PLACE: Any

def index_bytes(
    max_bytes: int, # Of all values
) -> int:
    "How large an index is"

class Index:
    "Where values are"
    file: Any
    identity: tuple
    groups: Any
    def __init__(self,
        file, # Open, to read and to write
        identity: tuple, # Of the file
    ) -> None: ...
    def group(self, key): ...
    def find(self,
        key: bytes, # 16 bytes
    ) -> tuple | None: # (group, number in it, pack, at, size)
        "Where a value is said to be; raises `OSError`"
    def write(self, n: int, way: int, place: np.ndarray) -> None:
        "Fill a place; raises `OSError`"
    def last_pack(self) -> int: ...
    def places(self, group: int, groups: int = 1) -> np.ndarray: # (≤ groups*WAYS,) of `PLACE`
        "All places of some groups; raises `OSError`"
    def used(self,
        packs: list, # Numbers
    ) -> np.ndarray: # (n,) of `PLACE`
        "The places of values in some packs"

PACK_BYTES: int
FEWEST_PACKS: int
MOST_PACKS: int

class Packs:
    "Values of bytes, by keys of 16 bytes, in a folder; may be used by many processes and threads at once, and removed at any time"
    folder: Path
    max_bytes: int
    pack_bytes: Any
    def __init__(self,
        folder: str | os.PathLike, # Where; made when the first value comes
        max_bytes: int, # Most bytes of all files in it
    ) -> None: ...
    def __repr__(self) -> str: ...
    def most(self) -> int: ...
    def get(self,
        key: bytes, # 16 bytes
    ) -> np.ndarray | None: # (n,) uint8, the caller's own
        "A value"
    def read(self,
        key: bytes, # 16 bytes
        parts_for: Callable, # Function of the size of a value to arrays in C order or bytearrays that it is to be read into, with so many bytes together; or to None
    ) -> list | None: # Those, or if there were none, one (n,) uint8. None: there is no such value; then they are filled with anything
        "Read a value into memory of the caller"
    def read_many(self,
        keys: list, # Of 16 bytes; None finds nothing
        parts_for: Callable, # As of `read`, of the number of a key and the size
    ) -> list: # What `read` gives for each
        "Read several values, in the order in which they lie on the disk"
    def put(self,
        key: bytes, # 16 bytes
        value: np.ndarray, # (n,) uint8
    ) -> bool: # Whether it is kept
        "Keep a value; warns once where that cannot be"
    def clear(self) -> None:
        "Remove all values, for all processes"
    def __len__(self) -> int: ... # Values that are there
    @property
    def nbytes(self) -> int:
        "Bytes of all packs"
