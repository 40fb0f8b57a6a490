# Made by .ci/stubs.py of file.py: do not edit.
import numpy as np
import os
from pathlib import Path
from typing import Any

__all__ = ['FORMAT', 'VERSION', 'COLUMNS', 'SHARD_BYTES', 'OPENINGS', 'encode_path', 'shard_path', 'Shard', 'Metadata']
FORMAT: bytes
VERSION: int
COLUMNS: dict[str, list[dict[str, tuple[Any, ...]]]]
SHARD_BYTES: int

def encode_path(
    path: str, # As the file system has it; names that are not UTF-8 survive
) -> bytes:
    "UTF-8 bytes of a path"

def shard_path(
    path: Path, # The first shard
    number: int, # 0 for the first
) -> Path:
    "Path of a shard"

MOST_PIXELS: int
REPROCESS: str

def read_header(
    f, # Binary file, at its start
    path: str, # Its name, for the error
) -> np.dtype:
    "The dtype of the record in a metadata file; raises `MetadataError` for any other file"

def is_metadata(
    f, # Binary file, at its start
) -> bool:
    "Is it a metadata file of this package?"

class Shard:
    "One memory-mapped file; raises `MetadataError` if it is not metadata"
    path: str | os.PathLike[str]
    file: Any
    anywhere: bool
    timeout: float | None
    columns: Any
    kind: Any
    split: Any
    root: Any
    run: Any
    number: Any
    of: Any
    def __init__(self,
        path: str | os.PathLike[str], # The `.npy` file, or its URL
        copy: str = '', # A local copy of the file at the URL, if there is one
        anywhere: bool = False, # Paths may leave the image root
        timeout: float | None = None, # Seconds to fetch it, and more if it is large; None: `storage.TIMEOUT_SECONDS`
    ) -> None: ...
    def __len__(self) -> int: ...
    def names(self,
        column: str, # 'source_names' or 'label_names'
    ) -> list[str]:
        "Names as text"
    def digest(self) -> bytes:
        "Of all the content"
    def check_whole(self) -> None:
        "Raises `MetadataError` if the file was cut short while it was open"
    def image_path(self,
        i: int, # Row, 0 to len - 1
    ) -> str: # Relative to `root`, or absolute if the file may point anywhere
        "Path of a row's image; raises `MetadataError` if it is outside the root and may not be"
    def values(self,
        i: int, # Row, 0 to len - 1
    ) -> np.ndarray: # Detector (n, 4), teacher (4,), landmarker (K, 3)
        "A copy of a row's boxes or keypoints"
    def labels(self,
        i: int, # Row, 0 to len - 1
    ) -> np.ndarray: # Detector (n,), teacher (): indices into `label_names`
        "A copy of the classes of a row's boxes; raises `MetadataError` if there is no such class"
    def size(self,
        i: int, # Row, 0 to len - 1
    ) -> tuple[int, int]: # (height, width) in pixels; (0, 0) if the annotations did not say
        "Size of the image that a row was made for; raises `MetadataError` for one that no image has"
    def indices(self,
        column: str, # 'source' or 'labels'
    ) -> np.ndarray: # Memory-mapped
        "A column of indices into names; raises `MetadataError` if there is no such name"
    def sizes(self) -> np.ndarray: # (n, 2) height, width; memory-mapped
        "Sizes of the images; raises `MetadataError` if no image has one of them"

def leaves_root(
    path: str, # Of an image
) -> bool:
    "Whether a path may lead out of its folder, on this system or another"

OPENINGS: int

class Metadata:
    "A metadata file with all its shards; raises `MetadataError` if it is not one or shards are missing"
    path: str
    kind: str
    split: str
    root: str
    run: str # id of the run that made it; '' if older than those
    def __init__(self,
        path: str | os.PathLike[str], # The first shard, or its URL
        shards: list[Shard] | None = None, # `Shard`s that are open already
        anywhere: bool = False, # Paths may be absolute or climb out of the image root
        timeout: float | None = None, # Seconds to fetch a file, and more if it is large; None: `storage.TIMEOUT_SECONDS`
    ) -> None: ...
    def __len__(self) -> int: ...
    def __repr__(self) -> str: ...
    @property
    def identity(self) -> tuple: # hashable
        "Equal for whatever holds the same rows: not for a file and what later took its place"
    @property
    def edition(self) -> str:
        "Another after the file was published anew: the id of its run, and when it was written"
    @property
    def size_on_disk(self) -> int: ... # bytes
    def check_whole(self) -> None:
        "Raises `MetadataError` if a file was cut short while it was open"
    def names(self,
        column: str, # 'source_names' or 'label_names'
    ) -> list[str]:
        "Names as text"
    def column(self,
        name: str, # 'source', 'sizes', 'image_paths', 'labels', 'bboxes', …
    ) -> np.ndarray:
        "A whole column: memory-mapped if there is one shard, else a copy"
    def indices(self,
        name: str, # 'source' or 'labels'
    ) -> np.ndarray:
        "A whole column of indices into names, as `column`; raises `MetadataError` if there is no such name"
    def at(self,
        i: int, # Row, 0 to len - 1
    ) -> tuple[Shard, int]: # `Shard`, row in it
        "The shard of a row"
    def image_path(self, i: int) -> str:
        "Path of a row's image, relative to `root`"
    def values(self, i: int) -> np.ndarray:
        "A copy of a row's boxes or keypoints: detector (n, 4), teacher (4,), landmarker (K, 3)"
    def labels(self, i: int) -> np.ndarray:
        "A copy of the classes of a row's boxes, indices into `label_names`: detector (n,), teacher ()"
    def size(self, i: int) -> tuple[int, int]:
        "(height, width) in pixels of the image that a row was made for; (0, 0) if the annotations did not say"
