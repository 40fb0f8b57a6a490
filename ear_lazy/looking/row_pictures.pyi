# Made by .ci/stubs.py of row_pictures.py: do not edit.
from ear_lazy.looking.row_table import RowTable
from typing import Any

def marks_of(
    values, # Boxes (n, 4) or keypoints (K, 3)
    classes=(), # A name for each box
) -> dict: # 'boxes' or 'points', 'classes', 'contours', 'words'
    "Boxes or keypoints for the page"

class Shown:
    "A row to show; its picture is decoded at the requested size"
    size: Any
    decode: Any
    truth: Any
    predicted: Any
    data: Any
    def __init__(self, size, decode, truth, predicted=None, data=None) -> None: ...

class Pictures:
    "Rows of a dataset as they are shown"
    ds: Any
    table: RowTable
    predictions: Any
    transform: Any
    delivered: Any
    def __init__(self,
        ds, # Dataset
        table: RowTable, # Of the same rows
        predictions=None, # `Predictions`
        transform=None, # Function from a sample to a sample, after the dataset's transform
    ) -> None: ...
    def __call__(self,
        row: int, # 0 to len - 1
        crop: bool = False, # Only the crop of a teacher row
    ) -> Shown:
        "A row to show; errors of loading and transforms are raised"
    def tile(self,
        row: int, # 0 to len - 1
        side: int = 136, # Longer side in pixels
        now: list[Any] | None = None, # What its objects are after corrections, `Value`s in pixels of the upright photo; None: as the metadata says
    ) -> tuple: # dict for the page, JPEG
        "A row as a thumbnail"
    def full(self,
        row: int, # 0 to len - 1
        original: bool = False, # As the photo is, whatever the dataset delivers
    ) -> tuple: # dict for the page, bytes of an image file
        "A row for the full view, in pixels of its image"
    def static(self,
        rows: list, # 0 to len - 1
        flagged=(), # Rows drawn with a rim
    ) -> StaticGrid: # At most about 75 KB
        "Rows as HTML, each with its description as `alt` text"

def predicted_marks(
    found, # `Predicted`
    names, # Classes that its labels index
) -> dict: # 'boxes' or none, 'points' of all objects, 'contours', 'each' (how many points an object has), 'classes', 'scores' and 'seen', None where there are none
    "What a model found in a row, for the page"

TILE_BYTES: int
TILE_SIZE: int

def jpeg(
    array, # (H, W, 3) uint8
    most: int, # Bytes
) -> bytes:
    "The best JPEG that fits into a number of bytes"

def error_text(
    error: Exception, # Raised by a row that cannot be shown
) -> str:
    "The reason as text"

class StaticGrid(str):
    "HTML that Jupyter displays"
    def _repr_html_(self) -> str: ...
    def __repr__(self) -> str: ...
