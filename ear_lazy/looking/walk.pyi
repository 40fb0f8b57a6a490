# Made by .ci/stubs.py of walk.py: do not edit.
import numpy as np
from collections.abc import Iterable
from ear_lazy.looking.editing import Editor
from typing import Any

class Walk:
    "The way through suspects; what has become of those that somebody has settled: 'corrected' or 'right'"
    done: dict[int, str]
    suspects: Any
    row: Any
    has: bool
    rank: Any
    version: int
    unsure: Any
    def __init__(self,
        suspects: Any, # As of `ds.suspects()`, the worst first
        n: int, # Rows of the dataset
    ) -> None: ...
    def of(self, row) -> list[int]:
        "The suspects of a row, the worst first"
    def show(self,
        view: np.ndarray, # (v,) rows, in order
    ) -> None:
        "Walk through some of the rows"
    def first(self) -> int | None:
        "The first row with a suspect that nobody has settled, or else the first one with any"
    def counts(self) -> dict[str, int]:
        "How many there are in the rows that are shown, and how many of them are settled"
    def look(self, editor: Editor, rows: Iterable[int]) -> list[int]: # Those that have changed
        "Look again what has become of the suspects of some rows"
    def begin(self, editor: Editor) -> None:
        "Look at what was settled before; where that is of many photos, at the rest later, by `look_further`"
    def look_further(self, editor: Editor, n: int = 20) -> None:
        "Look at some of the rows that are `unsure`"
    def told(self, row: int, editor: Editor) -> dict[str, Any]: # 'suspects' of the row, how many come 'before' it, `counts`
        "The suspects of a row for the page; raises as `Editor.edits` does"
    def words(self, row: int) -> str: # '' if there is none
        "What a thumbnail says of a row: the worst suspect that is left, or what has become of all"
