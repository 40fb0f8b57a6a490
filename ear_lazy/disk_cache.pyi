# Made by .ci/stubs.py of disk_cache.py: do not edit.
import numpy as np
import os
from collections.abc import Sequence
from ear_lazy.loading.cache import CacheInfo
from pathlib import Path
from typing import Literal

__all__ = ['DiskCache']

class DiskCache:
    "Keeps decoded samples in files of a local folder, up to a budget of bytes; those that were not used for the longest time make room"
    maxsize: None # no bound on the number of values
    copies: bool # values that come out are copies, the first array where it is wanted
    folder: Path | None # None: not known before the first dataset
    max_bytes: int
    format: Literal['raw', 'webp', 'jpeg']
    quality: int
    def __init__(self,
        max_bytes: int | str, # Most bytes of all files, such as '50GB'
        folder: str | os.PathLike[str] | None = None, # Where; made if it is missing. None: `.ear_lazy/samples` beside the metadata files of the first dataset
        format: Literal['raw', 'webp', 'jpeg'] = 'raw', # 'raw' keeps pixels as they are; the others take less room, and change pixels
        quality: int = 95, # Of 'webp' and 'jpeg', 1 to 100
    ) -> None: ...
    def beside(self,
        npy_path: str, # Metadata file
    ) -> None:
        "Use the hidden folder beside a metadata file, if no folder was said before; raises `ValueError` if it is at a URL"
    def __repr__(self) -> str: ...
    def get(self,
        key: bytes, # What `put` was given, here or in another process or run
        out: np.ndarray | None = None, # Where the first array is to go, if it has that shape and dtype
    ) -> tuple[np.ndarray, ...] | None: # Arrays of the caller's own, or None
        "Look a key up, and count a hit or a miss"
    def get_many(self,
        keys: Sequence[bytes | None], # What `put` was given; None finds nothing
        outs: Sequence[np.ndarray | None], # Where the first array of each is to go, if it has that shape and dtype
    ) -> list[tuple[np.ndarray, ...] | None]: # Arrays of the caller's own; None where `get` is to look: what is not there, and what must be decoded
        "Look up several keys, and count the hits"
    def put(self,
        key: bytes, # Any length
        value: Sequence[np.ndarray], # Arrays; copied
    ) -> None:
        "Keep a value, if there is room; raises `TypeError` as `pack`, and where a format is to keep what is no image; warns once where the folder cannot be written to"
    def __contains__(self, key: bytes) -> bool: ... # counts neither as a hit nor as a miss
    def info(self) -> CacheInfo: # `maxsize` is None: values are not counted, but bytes
        "Hits and misses of this process, and the values that all have kept"
    @property
    def nbytes(self) -> int:
        "Bytes of the samples on the disk"
    def clear(self) -> None:
        "Remove all samples, for all processes and datasets, and reset the counts"
