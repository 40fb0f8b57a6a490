# Made by .ci/stubs.py of report.py: do not edit.
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from ear_lazy.base.errors import EarLazyError
from ear_lazy.base.records import Problem, Records
from ear_lazy.processing.output_folder import Output
from typing import Any

__all__ = ['NOT_ASKED_FOR', 'Count', 'SourceReport', 'Problems', 'Report', 'ReportError', 'read_report']

@dataclass
class Count:
    "What became of the boxes, or of the sets of keypoints, of a source"
    read: int = ...
    kept: int = ...
    repaired: int = ... # of those kept
    merged: int = ...
    dropped: int = ...
    corrected: int = ... # of those kept
    added: int = ... # by corrections
    deleted: int = ... # likewise
    def add(self, problems, read, kept, column) -> None: # `column` is 'boxes' or 'keypoints'
        "Count what was read and kept, and by `problems` what became of the rest"
    def join(self, other) -> None: # `Count` of other annotations
        "Add the counts of other annotations"
    @property
    def balanced(self) -> bool: ...

@dataclass
class SourceReport:
    "One raw dataset in the report"
    name: str # folder relative to the raw folder
    formats: str # names of the readers
    images: int = ...
    boxes: Count = ...
    keypoints: Count = ...
    split: dict[str, list[int]] = ... # kind to its rows in train, in val, and in test if there are any
    points: Counter[int] = ... # number of keypoints in a set to number of sets that were kept
    classes: Counter[str] = ... # class to number of objects that were kept
    def join(self, other) -> None: # `SourceReport` of another part of the source
        "Add the counts of another part"

class Problems(list[Problem]):
    "A list of `Problem`s that can be filtered and has a display in Jupyter"
    raw_data_dir: str | os.PathLike[str] | None
    outside: Any
    def __init__(self,
        problems: Iterable[Problem] = (), # Of `Problem`
        raw_data_dir: str | os.PathLike[str] | None = None, # Where their images are
        outside=(), # Folders outside of it that links in it may lead to
    ) -> None: ...
    def where(self,
        **fields: Any, # Fields of `Problem` and the values they should have, such as reason='outside'
    ) -> 'Problems':
        "The problems that have these values; raises `ValueError` for an unknown field or reason"
    def __repr__(self) -> str: ...
    def to_csv(self) -> bytes:
        "A table with a header and one line per problem, whose texts are `printable` and never a formula; the four cells of its box may be empty"
    def _repr_html_(self) -> str:
        "The first problems of each reason, a dozen in all, with pictures"

NOT_ASKED_FOR: tuple[str, ...]

def weight(problem: Problem) -> int: # 0: a loss, 1: a repair or a doubt, 2: a note
    "How much it matters"

@dataclass
class Report:
    "What was read, written, repaired, merged and dropped in a run"
    kinds: tuple[str, ...] # kinds that were asked for
    sources: dict[str, SourceReport] = ... # name to `SourceReport`
    problems: Problems = ... # `Problem`s; any list becomes a `Problems`
    outputs: list[Output] = ... # `Output`s that were written: file, kind, split, rows, bytes
    copies: dict[str, int] = ... # pairs of copies, if they were looked for: exact, similar, split
    seconds: float = ... # how long the run took; not in `report.json`, which is the same for the same data
    unchanged: list[str] = ... # names of sources that were not parsed again; not in `report.json`
    raw_data_dir: str | os.PathLike[str] | None = ... # where the images of the problems are; not in `report.json` either
    unread: dict = ... # source to the number of its files that the system did not give; not in `report.json`
    links: list = ... # `Link`s that were followed out of the raw folder, or lead to a folder that is read under another path
    notes: list = ... # sentences about this run, such as why nothing was reused; not in `report.json`
    is_of_last_run: bool = ... # the outputs were current, so nothing was written; not in `report.json`
    def add(self,
        source, # Its `name` and `documents`
        r: Records, # Checked
    ) -> None:
        "Count a batch of records that was read; `keep` counts what is written of it"
    def include(self,
        part, # `Report` of some other sources, or of another part of one
    ) -> None:
        "Add the sources and problems of another report"
    def keep(self,
        source: str, # Its name
        boxes: int, # How many are written
        keypoints: int, # And sets of keypoints
        points, # Number of keypoints in a set to number of sets
        classes, # Class to number of objects
    ) -> None:
        "Count what is written of a source"
    def note(self,
        problems: list, # `Problem`s met after the reading
    ) -> None:
        "Add problems, and count what became of the annotations that they are about"
    def count_sides(self,
        source: str, # Its name
        kind: str, # 'detector', 'landmarker' or 'teacher'
        counts, # Rows in train, val and test
    ) -> None:
        "Count how rows of a source are split"
    def check(self) -> None:
        "Sort the problems; raises `EarLazyError` if annotations of a source are unaccounted for"
    def correct(self,
        source: str, # Its name
        action: str, # 'corrected' or 'added'
        boxes: int, # How many
        keypoints: int, # And sets of keypoints
    ) -> None:
        "Count what corrections changed or added"
    def mend(self,
        i: int, # Row of `problems`
        boxes: bool = True, # Its box
        keypoints: bool = True, # Its keypoints
    ) -> None:
        "What the checks dropped of an annotation is kept after all, as a correction repairs it"
    def to_json(self) -> bytes:
        "Content of `report.json`"
    def __repr__(self) -> str: ...
    def __str__(self) -> str:
        "The report as the command line shows it"
    def _repr_html_(self) -> str:
        "The report as Jupyter shows it, with pictures of the first problems"

class ReportError(EarLazyError):
    "A file is not a report of this package"

def read_report(
    data: bytes, # From `Report.to_json`
    raw_data_dir: str | os.PathLike[str] | None = None, # Where the images of the problems are
) -> Report:
    "A report of an earlier run; raises `ReportError` for anything else"
