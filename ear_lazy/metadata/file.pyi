# Made by .ci/stubs.py of file.py: do not edit.
import numpy as np
import os
from ear_lazy.base.origin import Origin
from ear_lazy.base.schemes import Scheme
from typing import Any

__all__ = ['OPENINGS', 'state_of', 'mapped', 'Shard', 'Metadata']
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

def state_of(status: os.stat_result) -> tuple:
    "What differs after each change of a file"

def mapped(
    f, # Binary file, at its start
    path: str, # Its name, for the error
) -> tuple: # Record, all of the content, and what differs after each change of the file
    "A metadata file in memory; raises `MetadataError` if it is none"

class Shard:
    "One memory-mapped file; raises `MetadataError` if it is not metadata"
    path: str | os.PathLike[str]
    file: Any
    anywhere: bool
    timeout: float | None
    state: Any
    columns: Any
    kind: Any
    version: Any
    split: Any
    root: Any
    run: Any
    journal: Any
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
        column: str, # 'source_names', 'label_names' or another column of names
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
    ) -> np.ndarray: # Detector (n,), teacher and landmarker (): indices into `label_names`
        "A copy of the classes of a row's boxes; raises `MetadataError` if there is no such class"
    def objects(self,
        i: int, # Row, 0 to len - 1
    ) -> int | slice:
        "The index of a row's objects in the columns of objects: its boxes, or else the row itself"
    def needed(self,
        column: str, # Of a later version
    ) -> np.ndarray: # Memory-mapped
        "A column that an older file does not have, which raises `MetadataError`"
    def size(self,
        i: int, # Row, 0 to len - 1
    ) -> tuple[int, int]: # (height, width) in pixels; (0, 0) if the annotations did not say
        "Size of the image that a row was made for; raises `MetadataError` for one that no image has"
    def indices(self,
        column: str, # 'source' or 'labels'
    ) -> np.ndarray: # Memory-mapped
        "A column of indices into names; raises `MetadataError` if there is no such name"
    def row_of(self,
        at: int, # Number of an object
    ) -> int:
        "The row that an object is in"
    def sizes(self) -> np.ndarray: # (n, 2) height, width; memory-mapped
        "Sizes of the images; raises `MetadataError` if no image has one of them"
    def used_labels(self) -> np.ndarray: # (l,) of the file's own `label_names`
        "How many objects are of each class"
    def renumber(self,
        names: list[str], # Those that labels are to count in; a class of the file that is not there gets the number 0
    ) -> None:
        "Count classes in other names from now on"
    def origins(self,
        i: int, # Row, 0 to len - 1
    ) -> list[list[Origin]]: # A list for each object of the row; empty lists if the file does not say
        "Where each object of a row is described; raises `MetadataError` for places that cannot be"
    def source(self,
        i: int, # Row, 0 to len - 1
    ) -> str:
        "Raw dataset that a row is from; raises `MetadataError` if there is no such"
    def bbox(self,
        i: int, # Row, 0 to len - 1
    ) -> np.ndarray: # (4,) float32 xywh; NaN: none
        "A copy of the box that is annotated for a landmarker's keypoints; raises `MetadataError` if an older version made the file"
    def schemes(self) -> dict[tuple[int, int], Scheme]: # (source, label) numbers of the file to scheme
        "What the keypoints of each source and class are; raises `MetadataError` for what cannot be; read once"
    def scheme(self,
        i: int, # Row, 0 to len - 1
    ) -> Scheme | None: # None if nobody knows
        "What the keypoints of a landmarker's row are"
    def counts(self) -> np.ndarray: # (n,)
        "How many boxes or keypoints each row has; raises `MetadataError` for offsets that cannot be"
    def of_objects(self,
        values: np.ndarray, # Of all objects of the file
    ) -> np.ndarray:
        "Those of objects that are in a row"
    def all_values(self) -> np.ndarray: # (m, 4) boxes or (p, 3) keypoints, memory-mapped
        "The boxes or keypoints of all rows, one after another"
    def attribute_names(self) -> list[str]:
        "Named columns of objects that were recorded"
    def attribute(self,
        name: str, # One of `attribute_names`
    ) -> np.ndarray: # Of each object, as texts; '' where its annotation has none
        "A named column of objects; raises `MetadataError` if it counts in values that are not there"

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
    version: int # of the format
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
        "Equal for whatever holds the same rows: not for a file and what later took its place, nor with classes by other numbers"
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
    def renumber(self,
        names: list[str], # Those that labels are to count in
    ) -> None:
        "Count classes in other names from now on; raises `ValueError` if a class of the file that has objects is not among them"
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
    def origins(self, i: int) -> list[list[Origin]]:
        "Where each object of a row is described: a list for each; empty lists if the file does not say"
    def source(self, i: int) -> str:
        "Raw dataset that a row is from"
    def bbox(self, i: int) -> np.ndarray: # (4,) float32 xywh; NaN: none
        "A copy of the box that is annotated for a landmarker's keypoints"
    def check_has(self,
        column: str, # Of version 2
    ) -> None:
        "Raises `MetadataError` if the file does not have a column"
    def scheme(self, i: int) -> Scheme | None:
        "What the keypoints of a landmarker's row are; None if nobody knows"
    @property
    def shards(self) -> list[Shard]:
        "Its files, in order"
    def attribute_names(self) -> list[str]:
        "Named columns of objects that were recorded"
    def whole(self,
        name: str, # One of `OWN_COLUMNS`, or an attribute
    ) -> np.ndarray: # (n,) of each row, (n, 2) for sizes, or of a detector's labels and attributes (m,) of each box
        "A column, checked; names as text; raises `ValueError` if there is none of this name"
    def origin_ids(self) -> np.ndarray: # (m,) int64 of each object that is in a row; -1 where its annotation has no id
        "The number `n` of the first origin of each object, where that is `id n`"
    def schemes_of(self,
        rows: np.ndarray | None = None, # Row numbers; None: all
    ) -> list[Scheme | None]: # Each once; None for rows of which nobody knows
        "What the keypoints of rows are"
