# Made by .ci/stubs.py of rewrite.py: do not edit.
import numpy as np
import os
from collections.abc import Iterable, Sequence
from ear_lazy.base.change import Change as Change, Value as Value
from ear_lazy.base.collecting import uncollected
from ear_lazy.base.origin import Origin as Origin
from ear_lazy.formats.discover import Source
from ear_lazy.formats.shared.patches import CannotRewrite as CannotRewrite
from ear_lazy.formats.shared.tree import MAX_BYTES
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ['changed', 'deleted', 'added', 'Rewritten', 'rewrite']

def changed(
    ds: Any, # Dataset of any kind
    i: int, # Row
    j: int | None = None, # Which box of a detector's row; None: its only one
    box: Sequence[float] | np.ndarray | None = None, # [x, y, width, height] in pixels of the image as a person sees it; None: as it is
    points: Sequence[Sequence[float]] | np.ndarray | None = None, # (K, 3) x, y in pixels, visibility 0, 1 or 2; None: as they are
    label: str | None = None, # Name of the class; None: as it is
) -> Change:
    "A change of an object; raises `ValueError` for values that cannot be, or a file that does not say where its objects come from"

def deleted(
    ds: Any, # Dataset of any kind
    i: int, # Row
    j: int | None = None, # Which box of a detector's row; None: its only one
) -> Change:
    "The removal of an object, in all files that describe it"

def added(
    ds: Any, # Dataset of any kind
    i: int, # Row of the photo
    box: Sequence[float] | np.ndarray | None = None, # [x, y, width, height] in pixels of the image as a person sees it
    points: Sequence[Sequence[float]] | np.ndarray | None = None, # (K, 3) x, y in pixels, visibility 0, 1 or 2
    label: str | None = None, # Name of the class
    file: str | os.PathLike[str] = '', # Annotation file to put it into, relative to the raw folder; '': the one that the photo has
) -> Change:
    "A new object of a photo"

class Rewritten(NamedTuple):
    "What `rewrite` has done"
    folder: Path
    files: tuple[str, ...] # that differ from those in the raw folder, relative to it
    gone: tuple[str, ...] # that are not copied, as nothing is left in them
    copied: int # files in all
    def __str__(self) -> str: ...

@uncollected()
def rewrite(
    raw_data_dir: str | os.PathLike[str], # The raw folder that was processed; never written to
    changes: Iterable[Change], # From `changed`, `deleted` and `added`
    folder: str | os.PathLike[str], # To make, for the copies; outside of the raw folder
    sources: Source | Iterable[Source] = (), # As of the `DataProcessor` that read the raw folder
    follow_links: bool = True, # Likewise
    max_annotation_bytes: int = MAX_BYTES, # Likewise
) -> Rewritten:
    "Copy all annotation files, with some objects changed and all other bytes as they are; raises `CannotRewrite` for a change that a file cannot hold, `OutputError`, `RawDataError`"
