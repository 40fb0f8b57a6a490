# Made by .ci/stubs.py of table.py: do not edit.
import numpy as np
from pathlib import Path
from typing import NamedTuple

__all__ = ['Batch', 'image_batch']

class Batch(NamedTuple):
    "Photos of a raw dataset with their objects"
    image_paths: list # (n) relative to the raw folder
    images: dict # 'sizes' (n, 2) height and width, 'groups' (n,) uint64, 'empty' (n,) known to show no object, 'objects' (n,) how many
    objects: dict # 'boxes' (m, 4) xywh pixels, NaN for none, 'labels' (m,), 'files' (m,) -1 for unknown, 'ids' (m,), 'point_counts' (m,)
    others: dict # 'points' (p, 3) x, y, visibility; 'more_origins' (e, 3) row of the objects, file, id; 'attributes' (m, a)

def image_batch(
    image_paths: list, # (n) relative to the raw folder
    objects, # (n,) how many objects each has
    boxes=None, # (m, 4) xywh pixels
    labels=None, # (m,)
    points=None, # (p, 3) x, y, visibility
    point_counts=None, # (m,)
    sizes=None, # (n, 2) height, width
) -> Batch:
    "A batch of what is known, with defaults for the rest"

CHUNK_ROWS: int

class Table:
    "Columns of the objects of one raw dataset, or of a piece of it, appended to files"
    folder: Path
    def __init__(self,
        folder: Path, # Folder of the files; made with the first of them
    ) -> None: ...
    def append(self,
        batch: Batch, # Next photos
    ) -> None:
        "Append a batch"
    def flush(self) -> None:
        "Flush all files; raises `OSError` if the disk is full"
    def close(self) -> None:
        "Close the files, ignoring a full disk, which `flush` has reported"
    def column(self,
        name: str, # 'paths' or a column
    ) -> np.ndarray:
        "A flushed column, memory-mapped"
    def release(self) -> None:
        "Let go of what was read of the files; it is read again where it is asked for"
    def size(self) -> tuple: # Numbers of photos, objects and keypoints
        "How much the table holds"
    def is_whole(self,
        size: tuple, # From `size`, where it was written
    ) -> bool:
        "Is all on disk that was appended?"
    def padded_paths(self,
        first: int, # Photo
        last: int, # And the one after the last
    ) -> np.ndarray: # (last - first, bytes of the longest of them) uint8
        "Image paths of some photos in a row, padded with zeros"
    def image_paths(self,
        images, # (k,) photos, ascending
    ) -> np.ndarray: # (k,) of bytes
        "Image paths of some photos"
    def path(self,
        image: int, # Photo
    ) -> str:
        "Path of one photo"
    def image_of(self,
        objects=None, # (k,) objects; None: all
    ) -> np.ndarray: # (k,) int32
        "The photo that each object is in"
    def objects_in_photos(self,
        chosen, # (m,) booleans: which objects count
    ) -> np.ndarray: # (n,) int32
        "How many objects each photo has"
    def has_box(self) -> np.ndarray: # (m,) booleans
        "Whether each object has an annotated box"
    def points_of(self,
        objects, # (k,) objects
    ) -> np.ndarray: # (p, 3)
        "The keypoints of some objects, concatenated"
    def copy_photos(self,
        other: Table, # Flushed
        first: int, # Photo of it
        last: int, # And the one after the last
        sources: bool = False, # Write the column of sources, with zeros if the other has none
    ) -> None:
        "Append photos of another table"

def chunks_of(
    images, # (k,) photos, ascending
    n: int, # Number of all photos
): # (first photo, last one + 1, slice of `images`) of chunks that have any
    "Photos in chunks that are not too large to be padded"

def spliced(
    folder: Path, # Of the copy
    table: Table, # Flushed
    new: Table, # Flushed; with the numbers of classes, files and values that the table has
    photos, # (k,) of the table, ascending: photos that are not copied
    kept, # (k,) booleans: whether the next one of `new` takes its place
    sources: bool = False, # Has the copy a column of sources?
) -> Table: # Closed; the photos of `new` that take no place are at its end
    "A copy of a table with some photos replaced, and some left out"

def file_entry(
    file: str, # Annotation file
    image: str, # The photo of all its objects; '' for several
) -> str:
    "The file as it is kept"

def entry_file(
    entry: str, # From `file_entry`
    image: str, # Photo of the object
) -> str:
    "The annotation file of an object"
