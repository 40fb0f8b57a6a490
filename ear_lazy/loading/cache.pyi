# Made by .ci/stubs.py of cache.py: do not edit.
import numpy as np
import os
from collections.abc import Sequence
from typing import Any, Hashable, NamedTuple, Protocol

__all__ = ['CacheInfo', 'add_infos', 'LRUCache']

class CacheInfo(NamedTuple):
    "Lookups that found a value, lookups that did not, the most values to keep, values held now"
    hits: int
    misses: int
    maxsize: int | None
    currsize: int

def add_infos(
    infos: list, # `CacheInfo`s of different caches
) -> CacheInfo: # `maxsize` is None if one of them has no bound
    "The sum over several caches"

def parse_bytes(
    size: int | str, # A number, or one with a unit: B, kB, MB, GB, TB, KiB, MiB, GiB, TiB
) -> int:
    "A number of bytes; raises `ValueError` for anything else"

def nbytes(
    value: Any, # An array, a tuple or list of arrays, or anything
) -> int:
    "Memory of a value: that of its arrays"

def file_state(
    status: os.stat_result, # Of an open file, from before it was read
) -> bytes:
    "Part of a key, different after each change of the file; the number of the device is none, as it may be another after a restart"

def is_settled(
    status: os.stat_result, # Of a file
) -> bool:
    "Whether its times tell a further change from the last one; a clock of a file system has coarse ticks"

class Cache(Protocol):
    "Keeps samples, by keys of bytes"
    @property
    def maxsize(self) -> int | None: ...
    @property
    def copies(self) -> bool: ...
    def get(self, key: bytes) -> Any: ...
    def put(self, key: bytes, value: Any) -> None: ...

def own(
    value: tuple[np.ndarray, ...], # As a cache keeps it
    out: np.ndarray | None = None, # Where the first array is to go, if it has that shape and dtype
) -> tuple[np.ndarray, ...]: # The caller's own
    "Copies of arrays"

class LRUCache:
    "Keeps the most recently used values; safe to share between threads; pickles as an empty cache"
    copies: bool # values come out by reference
    maxsize: int | None
    max_bytes: int | None
    def __init__(self,
        maxsize: int | None, # Most values to keep; 0 keeps none, None sets no bound
        max_bytes: int | str | None = None, # Most bytes of all values, such as '500MB'; None sets no bound
    ) -> None: ...
    def get(self,
        key: Hashable, # What `put` was given
    ) -> Any: # The value, or None
        "Look a key up, count a hit or a miss, and make a hit the most recently used"
    def put(self,
        key: Hashable, # Any hashable, such as a row number
        value: Any, # Kept by reference; one that alone takes more than `max_bytes` is not kept
    ) -> None:
        "Store a value as the most recently used, and evict the least recently used if there are too many"
    def clear(self) -> None:
        "Evict all values and reset the counts"
    @property
    def nbytes(self) -> int:
        "Memory that the values take"
    def info(self) -> CacheInfo:
        "Hits and misses since the start or the last `clear`, and how full it is"
    def get_many(self,
        keys: Sequence[Hashable | None], # None finds nothing
        outs: Sequence[np.ndarray | None], # Where the first array of each is to go, if it has that shape and dtype
    ) -> list[tuple[np.ndarray, ...] | None]: # Arrays of the caller's own; None where `get` is to look
        "Look up several tuples of arrays, count the hits, and make them the most recently used, in order"
    def __contains__(self, key) -> bool: ...
    def __repr__(self) -> str: ...
