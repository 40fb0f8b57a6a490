# Made by .ci/stubs.py of explorer.py: do not edit.
import numpy as np
import os
from collections.abc import Callable, Sequence
from ear_lazy.base.records import Problem
from ear_lazy.loading.row_dataset import RowDataset
from ear_lazy.loading.samples import Sample
from ear_lazy.looking.row_pictures import StaticGrid
from ear_lazy.looking.row_table import RowTable
from ear_lazy.processing.report import Report
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ['PAGE_MODULES', 'checked_rows', 'Explorer', 'page_source', 'explore']

def checked_rows(
    rows: Sequence[int] | np.ndarray, # Row numbers, or booleans for all rows
    n: int, # How many rows there are
) -> list[int]: # Sorted ints, each once
    "Rows as a list; raises `ValueError` for rows that do not exist"

class Explorer:
    "State of an explorer of a dataset, made by `explore`"
    ds: RowDataset # whose rows it shows
    flagged: list[int] # rows, live both ways
    selected: list[int] # rows, live both ways
    query: dict[str, Any] # filters and order, live both ways
    height: int # pixels of the screen, live both ways
    editing: bool # live both ways; the journal is opened the first time
    key_map: dict[str, Any] # by scope, other keys for what the page does
    table: RowTable
    def __init__(self, ds: RowDataset, predictions: Sequence[Any] | np.ndarray | None = None, transform: Callable[[Sample], Any] | None = None, report: Report | None = None, corrections: str | os.PathLike[str] | None = None, suspects: Any = None) -> None: ...
    def __setattr__(self, name, value) -> None: ...
    def set_state(self, sync_data) -> None:
        "Take over the changes that the page sends"
    @property
    def corrected(self) -> RowDataset:
        "The same rows as the journal has them now, with corrected values and crops; what is added to a photo without a row in this file appears at the next run"
    @property
    def view(self) -> np.ndarray:
        "(n,) rows that are shown, in order"
    @view.setter
    def view(self, rows: Sequence[int] | np.ndarray) -> None: ...
    def __repr__(self) -> str: ...
    def open_problem(self,
        problem: Problem, # Of a report: one that dropped a box or keypoints
    ) -> Explorer:
        "Show the photo of a problem, with what was dropped among its objects: a box or keypoints that are given to it repair it; raises `ValueError` if the photo has no row here"
    @property
    def sort_columns(self) -> list[str]:
        "Names that rows can be sorted by"
    def show_only(self,
        rows: Sequence[int] | np.ndarray | Callable[[dict[str, Any]], Any] | None = None, # Row numbers, booleans, or a function from a row's `get_metadata` to whether to show it; None: all
    ) -> Explorer:
        "Show only some rows; filters apply to these"
    def sort_by(self,
        by: str | Sequence[float] | np.ndarray, # Name of a column, or a score for each row
        descending: bool = False, # Highest first
    ) -> Explorer:
        "Sort the rows that are shown; raises `ValueError` for an unknown column or a wrong number of scores"
    def similar(self,
        row: int | Sequence[float] | np.ndarray, # Row, or an embedding (d,), such as that of a text
        embeddings: Any, # (rows, d) array or tensor, a vector for each row from any model; NaN where there is none
        n: int = 50, # Most rows to show
    ) -> Explorer:
        "Show the rows that are most like one, the likest first; `show_only()` shows all again; raises `ValueError` for embeddings that do not fit"
    def save_flags(self,
        path: str | os.PathLike[str], # JSON file to write
    ) -> Path:
        "Keep the flagged rows in a file"
    def load_flags(self,
        path: str | os.PathLike[str], # From `save_flags`
    ) -> Explorer:
        "Also flag the rows of a file; warns about rows that are not in this dataset"
    def static(self,
        n: int = 24, # Rows: the first that are shown
    ) -> StaticGrid: # At most about 75 KB
        "Some rows as plain HTML with pictures, each with its description as `alt` text; needs no kernel"

PAGE_MODULES: tuple[str, ...]

def page_source(
    modules: Sequence[str] = ..., # Scripts in this package without `.js`, each after those that it imports
    styles: Sequence[str] = ..., # Without `.css`
) -> tuple: # JavaScript, CSS
    "A page in the form that `anywidget` needs"

@cache
def widget_class():
    "`Explorer` as a widget; raises `ImportError` that says what to install"

def explore(
    ds: RowDataset | str | os.PathLike[str], # `LazyNPYDataset` or `CombinedLazyDataset`, or some of their rows, such as `ds[:100]`; or a folder, for all photos below it
    predictions: Sequence[Any] | np.ndarray | None = None, # An entry for each row: what torchvision, supervision or Ultralytics give, or an array in pixels of the photo; see above
    transform: Callable[[Sample], Any] | None = None, # Function from a `Sample` to a `Sample`, after the dataset's: rows are shown as training will see them
    report: Report | None = None, # `Report` of the processing, to filter by its problems; None: `report.json` beside the metadata file, if there is one
    height: int = 580, # Of the view in pixels of the screen, 240 to 4,000; its lower edge can be dragged
    edit: bool = False, # Correct labels where they are seen; the page has a button for it as well
    corrections: str | os.PathLike[str] | None = None, # The journal that edits are written to, and marks are read from; None: `corrections.jsonl` beside the raw and output folders
    keys: dict[str, dict[str, Any]] | None = None, # Other keys, by scope and name, such as `{'edit': {'undo': 'U'}}`; `?` in the full view lists them
    suspects: Any = None, # From `ds.suspects()`: what is likely to be wrong is walked through, the worst first, and edited
) -> Explorer: # A widget: `flagged`, `selected`, `view`, `query`, `height` and `editing` are live both ways
    """Look through a dataset in Jupyter

`predictions` has an entry for each row of `ds`, in the same order, and None where nothing was found. An entry is a dict as torchvision gives it:
`boxes` (n, 4) as corners and `keypoints` (n, K, 2 or 3) in pixels of the image as `ds` delivers it, which are taken back through its
`image_size` and the crop of a teacher; `labels` (n,) that index `ds.label_names`, 0 for no class; `scores` (n,). Or supervision's `Detections` or
`KeyPoints`, in the same pixels, or Ultralytics' `Results`, both with their classes by name. Or an array in pixels of the upright photo, as in
`ds.get_metadata(i)`: boxes [x, y, width, height] of shape (n, 4), for a landmarker keypoints [x, y] of shape (K, 2), for a teacher one box in
the photo (not in the crop) of shape (4,); further columns are ignored.

The worst rows come first. For boxes that is the lowest `IoU`, the intersection over union of a row's worst box with its partner of the same
class, 0 if their numbers differ. For keypoints it is the highest `error`, the mean distance to labelled points divided by the square root of the
area that they span. Predictions that score less than `query['threshold']`, 0.5, do not count; a slider changes it.

Photos that nobody has annotated are looked through with `explore(ds.unlabelled())`, and all photos of a folder with `explore('data/raw')`.

With `suspects` it opens at the worst one that nobody has settled: it is selected, with the reason beside it and what is proposed drawn over it. `Y`
accepts that, as a correction, `U` says that the object is right as it is, for good, `J` skips it; each goes on to the next one. What is changed by hand is
settled as well. The rows are those of the suspects, in their order, the column `'suspicion'`.

With `edit=True` the full view shows the photo itself with all objects of all kinds and sides, and what is done there is a line of the journal.
It opens at the photo that was edited last. The raw data is never written to.

Raises `ValueError` where predictions or suspects do not fit the rows, or are given with a transform that moves pixels, for a wrong height, for rows of several raw
folders or in a bucket that are to be edited without `corrections=`, `OSError` for a journal that cannot be read, `TypeError` for what has no
metadata file, `RawDataError` for a folder without photos, `ImportError` without `anywidget`."""
