# Made by .ci/stubs.py of editing.py: do not edit.
import os
from collections.abc import Iterable, Sequence
from ear_lazy.base.change import Value
from ear_lazy.base.records import Problem
from ear_lazy.correcting.chains import Folded
from ear_lazy.correcting.journal import Journal
from ear_lazy.looking.photo_edits import PhotoEdits
from ear_lazy.looking.photo_objects import PathIndex, PhotoFiles, PhotoObject
from ear_lazy.looking.row_table import RowTable
from functools import cached_property
from typing import Any, NamedTuple

def journal_of(
    leaves: Sequence, # `LazyNPYDataset`s
    path: str | os.PathLike[str] | None = None, # None: the usual place
) -> Journal:
    "The journal of some files; raises `ValueError` if they have not one in common"

class Mark(NamedTuple):
    "What the journal says of a photo, in short"
    edited: bool
    ok: bool # looked at and right
    empty: bool # known to show nothing
    excluded: bool
    flagged: bool
    conflict: bool
    @property
    def looked_at(self) -> bool: ...
    @property
    def words(self) -> str:
        "All of it, such as 'edited ok'"

class Action(NamedTuple):
    "Lines that were written together"
    ids: tuple # of lines
    paths: tuple # of photos

class Editor:
    "A dataset's rows, and the journal that corrects them"
    table: RowTable
    journal: Journal
    states: Folded
    me: Any
    unsure: Any
    def __init__(self,
        table: RowTable, # Of the rows
        journal: str | os.PathLike[str] | None = None, # None: the usual place
    ) -> None: ...
    @cached_property
    def index(self) -> PathIndex:
        "Which rows are of which photo"
    @cached_property
    def photos(self) -> int: ...
    def rows_of(self, path: str) -> list[int]:
        "The rows of a photo"
    def files_of(self, row: int) -> PhotoFiles:
        "The files that may know of a row's photo"
    def edits(self,
        row: int,
        size: tuple[int, int] = ..., # (height, width) of the upright photo, if that is known
    ) -> PhotoEdits:
        "A row's photo as it is edited; raises `ImageLoadError` and `MetadataError`"
    def is_own(self,
        o, # `Shown`
        row: int,
    ) -> bool:
        "Is an object in a row, or will it be when the data is processed again?"
    def objects_of(self, row: int) -> list[tuple[str, Value]]: # Keys among those of `edits`, and values as the file has them; fewer if it cannot be told which ones they are
        "The objects of a row in its order, as their photo is edited; raises as `edits` does"
    def repair(self,
        problem: Problem, # That dropped an object
    ) -> int: # A row of its photo
        "Show an object that the checks have dropped among those of its photo, to be repaired; raises `ValueError` if it is of no row here"
    def refresh(self) -> list[int]: # Rows of photos that something new is said of
        "Read what this and other explorers have written since the last time"
    def look_further(self,
        n: int = 20, # Photos at once
    ) -> list[int]: # Rows of those whose marks have changed
        "Look at the files of some of the photos that are `unsure`"
    def counts(self) -> dict[str, int]:
        "How many photos there are, and of how many what is said"
    def words(self,
        rows: Iterable[int] | None = None, # None: all that something is said of
    ) -> dict[int, str]: # Row → such as 'edited ok', or '' for one of `rows` that nothing is said of
        "The marks of rows"
    @property
    def version(self) -> int:
        "It grows with all that is new in the journal: what was told with a lower one may be out of date"
    def told(self, row: int) -> dict[str, Any]: # 'photo', 'objects', …: see the code
        "A row's photo for the page"
    def values_now(self, row: int) -> list: # `Value`s of the objects that are its own, and of those that were added on its photo if it is of a detector
        "What a row has after the corrections; raises `ImageLoadError` and `MetadataError`"
    def schemes(self, row: int) -> dict[str, dict]: # As of `class_schemes`
        "What the keypoints of each class are, made once for the files beside a row's"
    def labels(self, row: int) -> list[str]:
        "Class names: those of the files, and those that the journal has given"
    @property
    def history(self) -> tuple[list[Action], list[tuple[Action, str]]]:
        "What this user can undo, and do again with the line that undid it; the latest last"
    def act(self,
        row: int,
        actions: Sequence[dict[str, Any]], # One action of the user: see `photo_edits.lines_of`
    ) -> tuple[str, list[str]]: # What was done, in words; keys of objects that were added
        "Do what the user does to a row's photo; when it returns it is on the disk; raises `Refused`, `OSError`, `EarLazyError`"
    def undo(self,
        row: int | None = None, # That is shown
    ) -> tuple[int, str]: # A row of the photo that has changed; words
        "Undo the last action of this user, of whichever photo; raises `Refused` if there is none"
    def redo(self,
        row: int | None = None, # That is shown
    ) -> tuple[int, str]: # A row of the photo that has changed; words
        "Do again what was undone last; raises `Refused` if there is none"
    def act_on_all(self,
        rows: Sequence[int],
        action: dict[str, Any], # {'op': 'label', 'label': …}, {'op': 'delete'}, {'op': 'ok'}, {'op': 'exclude'}
    ) -> str: # What was done, and what could not be, in words
        "Do one thing to several rows, as one action; raises `Refused` if none can be done"
    def resume_row(self) -> int | None:
        "A row of the photo that this user has edited last"

def dropped_objects(
    problems, # `Problem`s of a photo
    objects, # `PhotoObject`s that its files have
) -> list[PhotoObject]:
    "What the checks have dropped, as far as it is not there by now"

FEW: int

def crop_of(value) -> tuple | None: # xywh; None if nothing is labelled
    "The crop of an object: its box, else the padded extent of its points"
