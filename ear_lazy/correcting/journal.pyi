# Made by .ci/stubs.py of journal.py: do not edit.
import msgspec
import os
from collections.abc import Iterable, Sequence
from ear_lazy.base.change import Value
from ear_lazy.base.origin import Origin
from pathlib import Path
from typing import Literal

def tidy(values):
    "Numbers as float32 holds them, with no more digits than that takes; nested like `values`"

class Photo(msgspec.Struct, frozen=True, omit_defaults=True):
    "A photo: its path, and what it can be told by if the path is gone"
    path: str # relative to the root of the images
    bytes: int = ... # of its file; 0: not known
    digest: str = ... # of these bytes, xxh3_128
    size: tuple[int, int] = ... # height, width as a person sees it; 0: not known

class Stated(msgspec.Struct, frozen=True, omit_defaults=True):
    "An object as it was seen, or as it is to be; `None` for what is not said"
    origins: tuple[Origin, ...] = ... # where it is annotated
    box: tuple[float, float, float, float] | None = ... # xywh pixels
    points: tuple[tuple[float, float, float], ...] | None = ... # (K) x, y in pixels, visibility
    label: str | None = ...
    @classmethod
    def of(cls, value: Value, origins: Iterable[Origin] = ()) -> 'Stated': ...
    @property
    def value(self) -> Value: ...

OPERATIONS: tuple[str, ...]
MOST_NUMBERS: int
VERSION: int

class Line(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    "A line of the journal"
    v: int = ...
    id: str # 16 hexadecimal digits, below 2**63
    op: Literal['set', 'add', 'delete', 'ok', 'empty', 'exclude', 'flag', 'undo']
    photo: Photo | None = ...
    after: tuple[str, ...] = ... # ids of the lines that it follows; none: the object as it is annotated
    was: Stated | None = ...
    now: Stated | None = ...
    seen: tuple[Stated, ...] | None = ...
    of: tuple[str, ...] = ... # ids of the lines that are undone
    by: str = ...
    at: str = ... # time in UTC
    note: str = ...

def new_line(
    op: str, # One of `OPERATIONS`
    photo: Photo | None = None,
    was: Stated | None = None,
    now: Stated | None = None,
    after: Sequence[str] = (), # Ids
    seen: Sequence[Stated] | None = None,
    of: Sequence[str] = (), # Ids
    by: str | None = None, # Who says so; None: the user of this process
    note: str = '',
) -> Line: # With an id and the time; raises `ValueError` for what no line can say
    "A line that can be appended to a journal"

def fault_of(line: Line) -> str: # '' if there is none
    "Why a line cannot be meant"

def encoded(line: Line) -> bytes:
    "A line as it stands in the file, without its end"

def decoded(
    text: bytes, # Without the end of the line
) -> Line: # Raises `ValueError` that says why it cannot be
    "A line of a journal"

class Journal:
    "The lines of a file, which need not exist yet"
    path: Path
    lines: dict[str, Line] # id → line, in the order of the file
    def __init__(self,
        path: str | os.PathLike[str], # `corrections.jsonl`
    ) -> None: ...
    def __repr__(self) -> str: ...
    def refresh(self) -> bool: # Was there anything new?
        "Read what was written since; raises `OSError` if the file cannot be read, `UnsafePathError` for what is no file"
    @property
    def faults(self) -> list[tuple[int, str]]:
        "Number of each line that cannot be read, counted from 1, and why"
    @property
    def digest(self) -> str: # '' if there are no lines
        "The same for the same lines, in any order"
    def append(self,
        lines: Iterable[Line], # From `new_line`
    ) -> None:
        "Write lines at the end, in one go; when it returns they are on the disk; raises `OSError` if they are not"

def journal_path(
    output_dir: str | os.PathLike[str], # Folder of the metadata files
    root: str | os.PathLike[str], # Raw folder, which the images are in
) -> Path:
    "Where the corrections of a dataset are, if nobody says otherwise"

def photo_of(
    file: str | os.PathLike[str], # The image
    path: str, # Relative to the root
    size: tuple[int, int] | None = None, # Height, width as a person sees it
) -> Photo: # Without digest, if the file cannot be read
    "A photo as lines name it"
