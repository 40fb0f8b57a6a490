# Made by .ci/stubs.py of shared_cache.py: do not edit.
import numpy as np
from collections.abc import Sequence
from ear_lazy.loading.cache import CacheInfo
from functools import lru_cache
from typing import Any

__all__ = ['pack', 'unpack', 'SharedCache']
BLOCK_BYTES: int

class Arena:
    "An LRU cache in the blocks of a buffer; not aware of processes"
    n: Any
    blocks: Any
    head: Any
    keys: Any
    flat: Any
    memory: Any
    def __init__(self,
        buffer, # Writable; `_BYTES_PER_BLOCK` bytes for each block, zero if it is new
    ) -> None: ...
    def reset(self) -> None:
        "Forget all values; hits and misses stay"
    def find(self,
        key: bytes, # 16 bytes
    ) -> int: # Its entry, or 0
        "Look a key up"
    def touch(self,
        entry: int, # Of a value
    ) -> None:
        "Make a value the most recently used"
    def evict(self,
        entry: int, # Of a value
    ) -> None:
        "Evict a value"
    def use(self,
        key: bytes, # 16 bytes
    ) -> list: # Numbers of its blocks; empty if there is none
        "Look a value up and make it the newest"
    def runs(self,
        key: bytes, # 16 bytes
    ) -> list: # (uint8) views of its bytes, one for blocks that follow one another; empty if there is none
        "Look a value up and make it the newest"
    def put(self,
        key: bytes, # 16 bytes
        value: np.ndarray, # (blocks, BLOCK_BYTES) uint8
    ) -> None:
        "Keep a value as the newest, and evict the oldest to make room; a value larger than the arena is not kept"
    def arrays(self,
        entry: int, # Of a value
    ) -> list | None: # Arrays over its memory, the lengths of which are sure only while nobody changes it
        "A value as it lies in the arena; None where its blocks do not follow one another"
    def is_still(self,
        key: bytes, # 16 bytes
        entry: int, # That it had
        stamp: int, # That the entry had
    ) -> bool:
        "Whether nobody has evicted a value since"

@lru_cache(4096)
def places_of(
    head: bytes, # Of a value
) -> list: # (shape, dtype, where it starts) of each
    "Where the arrays behind a head are"

def head_of(
    flat: np.ndarray | memoryview, # The first bytes of a value
) -> bytes: # For `places_of`
    "What is said at the start of a value"

def pack(
    arrays: tuple, # Arrays of numbers or of text
    block: int = BLOCK_BYTES, # Bytes of a block
) -> np.ndarray: # (blocks, block) uint8
    "Arrays as blocks; raises `TypeError` for arrays of objects or records"

def unpack(
    blocks: np.ndarray | memoryview, # From `pack`; or its bytes
) -> tuple: # Arrays that share the memory of `blocks`
    "Blocks as arrays"

class SharedCache:
    "Keeps the most recently used tuples of arrays for all processes, up to a budget of bytes; needs Linux"
    maxsize: None # no bound on the number of values
    copies: bool # values that come out are copies, the first array where it is wanted
    max_bytes: int
    def __init__(self,
        max_bytes: int | str, # Most memory to take, tables included, such as '2GB'
    ) -> None: ...
    def get(self,
        key: bytes, # What `put` was given, here or in another process
        out: np.ndarray | None = None, # Where the first array is to go, if it has that shape and dtype
    ) -> tuple[np.ndarray, ...] | None: # Arrays of the caller's own, or None
        "Look a key up, count a hit or a miss, and make a hit the most recently used"
    def __contains__(self, key: bytes) -> bool: ... # counts neither as a hit nor as a use
    def put(self,
        key: bytes, # Any length
        value: Sequence[np.ndarray], # Arrays; copied
    ) -> None:
        "Store a value as the most recently used, and evict the least recently used to make room; raises `TypeError` as `pack`"
    def get_many(self,
        keys: Sequence[bytes | None], # What `put` was given; None finds nothing
        outs: Sequence[np.ndarray | None], # Where the first array of each is to go, if it has that shape and dtype
    ) -> list[tuple[np.ndarray, ...] | None]: # Arrays of the caller's own; None where `get` is to look
        "Look up several keys, count the hits, and make them the most recently used, in order"
    def info(self) -> CacheInfo: # `maxsize` is None: values are not counted, but bytes
        "Hits and misses of all processes since the start or the last `clear`, and the values it holds"
    @property
    def nbytes(self) -> int:
        "Memory that the values take"
    def clear(self) -> None:
        "Evict all values and reset the counts, for all processes"
    def __repr__(self) -> str: ...
