# Made by .ci/stubs.py of chains.py: do not edit.
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ear_lazy.base.change import Value
from ear_lazy.base.origin import Origin
from ear_lazy.correcting.journal import Journal, Line, Photo, Stated

def holding(
    lines: Mapping[str, Line], # All that may be undone, and all that undo
) -> set[str]: # Ids
    "The lines that are not undone"

FIELDS: tuple[str, ...]
ADDED: str
ADDED_FILE: str

def is_added(origin: Origin) -> bool: ...

@dataclass(eq=False)
class Chain:
    "All lines of one object"
    photo: Photo
    first: Stated | None # as it is annotated; None: it was added
    lines: tuple[Line, ...] # also those that are undone
    held: set[str] # ids of those that hold
    id: str # of the object, if it was added; else of one of its lines
    tips: tuple[str, ...] # ids of the lines that no other follows: what the next one is after
    options: tuple[Value | None, ...] # what it may be: one, or several in a conflict between lines; None: there is no such object
    stated: dict[str, list] # field → all values that it ever had, as they were seen
    set_to: dict[str, list] # field → all values that lines have given it
    @property
    def origins(self) -> tuple[Origin, ...]: ...
    @property
    def value(self) -> Value | None:
        "What it is to be; fields that are None were never said; None: it is to be deleted"
    @property
    def deleted(self) -> bool: ...
    @property
    def was_deleted(self) -> bool:
        "Has there ever been no such object?"

def linked(photo: Photo,
    first: Stated | None, # As it is annotated; None: it was added
    lines, # Of one object
    held: set[str], # Ids of those that hold
) -> Chain:
    "What the lines of an object come to"

@dataclass(eq=False)
class PhotoState:
    "What the journal says of a photo; lines that hold"
    path: str
    photo: Photo
    chains: list[Chain] = ...
    ok: list[Line] = ...
    empty: list[Line] = ...
    excluded: list[Line] = ...
    flags: list[Line] = ...

def photo_state(path: str,
    lines: Mapping[str, Line], # Those of this photo, with what undoes them
) -> PhotoState:
    "What lines of a photo come to"

class Folded(Mapping):
    "path → `PhotoState` of a journal, kept in step with it"
    journal: Journal | Iterable[Line] | None
    def __init__(self, journal: Journal | Iterable[Line]) -> None: ...
    def __getitem__(self, path): ...
    def __iter__(self): ...
    def __len__(self) -> int: ...
    def __contains__(self, path) -> bool: ...

def fold(lines: Journal | Iterable[Line]) -> Folded: # path → `PhotoState`
    "What all lines come to, photo by photo; a journal that grows is followed"
