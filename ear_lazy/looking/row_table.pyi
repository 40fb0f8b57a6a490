# Made by .ci/stubs.py of row_table.py: do not edit.
import numpy as np
from ear_lazy.looking.columns import Columns
from functools import cached_property
from typing import Any

__all__ = ['COLUMNS']

def problem_images(
    reports, # `Report`s
) -> dict: # Reason to (n,) bytes, paths of images
    "Which images had problems"

def reports_beside(
    paths, # Metadata files
) -> list: # `Report`s
    "The report beside the metadata files, on disk or in a bucket; a file of this name that is no report is passed over"

REPORT_BYTES: int

class RowTable:
    "Columns to filter and sort the rows of a dataset by, from the metadata alone"
    leaves: Any
    ds: Any
    kind: Any
    marks: dict[Any, Any]
    def __init__(self,
        ds, # `LazyNPYDataset` or `CombinedLazyDataset`
        report=None, # `Report` of the processing; None: the one beside each metadata file, if any
    ) -> None: ...
    def __len__(self) -> int: ...
    def locate(self,
        row: int, # 0 to len - 1
    ) -> tuple: # `LazyNPYDataset`, row of its file
        "Where a row is stored"
    @cached_property
    def metadata(self) -> Columns: ...
    @cached_property
    def paths(self) -> np.ndarray: ...
    @cached_property
    def lower_paths(self): ...
    @cached_property
    def problems(self) -> dict:
        "Reason to paths of the images with that problem"
    @property
    def sources(self): ...
    def box_numbers(self,
        name: str, # One of `columns.BOX_NUMBERS`
    ) -> np.ndarray: # (b,)
        "A number of all boxes"
    @cached_property
    def largest(self):
        "(n,) index of the largest box of each row; -1 if there is none"
    @property
    def columns(self):
        "Names of the columns for this kind"
    def column(self,
        name: str, # One of `columns`
    ) -> np.ndarray: # (n,)
        "A value for each row; raises `ValueError` for an unknown column"
    def matching(self,
        query: dict, # From `checked_query`
    ) -> np.ndarray: # (n,) booleans
        "Rows that meet all conditions of a query except `flagged`"
    def of_images(self,
        paths: set, # bytes
    ) -> np.ndarray: # (n,) booleans
        "Rows of some images"
    def sort_keys(self,
        name: str, # One of `columns`
    ) -> np.ndarray: # (n,) numbers, or bytes
        "Keys that sort rows by a column"

COLUMNS: tuple[str, ...]
RANGES: tuple[str, ...]
STATES: tuple[str, ...]
QUERY: dict[str, Any]

def checked_query(
    query: dict, # Some keys of `QUERY`
    columns: list, # Names to sort by
) -> dict: # All keys
    "The query with defaults filled in; raises `ValueError` for unknown keys and invalid values"

def in_order(
    rows, # (k,) numbers of rows, ascending
    keys, # (k,) what to sort them by
    descending: bool = False, # Highest first
) -> np.ndarray: # (k,) the same rows
    "Rows in stable order of their keys, NaN last in both directions"
