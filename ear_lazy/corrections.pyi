# Made by .ci/stubs.py of corrections.py: do not edit.
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ear_lazy.base.arguments import ArgumentParser
from ear_lazy.base.change import Change, Value
from ear_lazy.correcting.journal import Journal
from ear_lazy.formats.discover import Source
from ear_lazy.formats.shared.tree import MAX_BYTES
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ['Corrections']

class Correction(NamedTuple):
    "What the journal says of one object, or of a photo as a whole"
    what: str # such as 'box', 'class', 'added', 'deleted', 'conflict', 'right' (of an object), or of a photo 'looked at', 'empty', 'left out', 'flag'
    photo: str # relative to the root of the images
    where: str # where the object is annotated
    was: Value | None # None: there was no such object
    now: Value | None # None: it is deleted
    ids: tuple[str, ...] # of the lines that hold, the last at the end
    by: str # who wrote the last one
    at: str # when, in UTC
    note: str
    options: tuple[Value | None, ...] = ... # of a conflict
    @property
    def told(self) -> tuple[str, ...]:
        "As words, for a table"

def entries(
    states, # From `fold`
) -> Iterator[Correction]: # By photo
    "Everything that holds"

class Corrections:
    "The journal of corrections; every call that writes has the lines on the disk when it returns"
    journal: Journal
    root_dir: Any
    def __init__(self,
        path: str | os.PathLike[str] = 'corrections.jsonl', # The journal, which need not exist yet
        root_dir: str | os.PathLike[str] | None = None, # Raw folder with the photos, whose digests go into the lines; None: lines without these
    ) -> None: ...
    @classmethod
    def of(cls,
        ds: Any, # Dataset of any kind, of one output folder
        path: str | os.PathLike[str] | None = None, # The journal; None: `corrections.jsonl` beside the output folder
    ) -> 'Corrections':
        "The corrections of a dataset"
    @property
    def path(self) -> Path: ...
    def __iter__(self) -> Iterator[Correction]:
        "An entry for each corrected object, and for what is said of photos"
    def __len__(self) -> int: ...
    def conflicts(self) -> list[Correction]:
        "Objects of which lines say different things, as of two people who did not see each other's"
    def text(self,
        limit: int | None = ..., # Most entries; None: all
    ) -> str:
        "The entries as a table"
    def __repr__(self) -> str: ...
    def _repr_html_(self) -> str: ...
    def add(self,
        changes: Change | Iterable[Change], # From `changed`, `deleted` and `added`
        note: str = '', # Why, for other people
        by: str | None = None, # Who says so; None: the user of this process
    ) -> list[str]: # Ids of the lines, in the order of the changes
        "Write changes into the journal, all or none; raises `ValueError` for one that cannot be, or that is there already"
    def ok(self,
        ds: Any, # Dataset of any kind
        rows: int | Iterable[int] | None = None, # Row numbers; None: all
        note: str = '', # For other people
        by: str | None = None, # Who says so; None: the user of this process
        objects: int | Iterable[int] | None = None, # For each of `rows` the number of one object in it, which alone is right; None: all objects of the photos
    ) -> list[str]: # Ids of the lines, one for each photo, or for each object that is named
        """Say that the objects of the photos of rows were looked at and are right, as they are with the corrections; what changes later is to be looked at again

    With `objects`, only these are: `rows=[3, 3, 7], objects=[0, 2, 0]` speaks of two objects of row 3 and one of row 7. `ds.suspects()` passes them over from
    then on. Raises `ValueError` for an object that there is not, or that is deleted, and for a conflict, which is to be settled first."""
    def empty(self,
        ds: Any, # Dataset of any kind
        rows: int | Iterable[int], # Row numbers
        note: str = '', # For other people
        by: str | None = None, # Who says so; None: the user of this process
    ) -> list[str]: # Ids of the lines, one for each photo
        "Say that the photos of rows show nothing to annotate; raises `ValueError` for one with objects, which are to be deleted first"
    def exclude(self,
        ds: Any, # Dataset of any kind
        rows: int | Iterable[int], # Row numbers
        note: str = '', # Why, for other people
        by: str | None = None, # Who says so; None: the user of this process
    ) -> list[str]: # Ids of the lines, one for each photo
        "Leave the photos of rows out for good"
    def undo(self,
        ids: str | Iterable[str], # Of lines, from `add` or a table; those of an `undo` make it undone
        note: str = '', # Why, for other people
        by: str | None = None, # Who says so; None: the user of this process
    ) -> str: # Id of the line
        "Undo lines, which stay in the journal; raises `ValueError` for an id that is not there"
    def export(self,
        folder: str | os.PathLike[str], # To make, for the copies; outside of the raw folder
        raw_data_dir: str | os.PathLike[str] | None = None, # The raw folder; never written to; None: the one that the dataset was made of
        leave: bool = False, # Leave out what cannot be written, such as conflicts; False: raise `CannotRewrite`
        rename: Mapping[str, str] | None = None, # As of the `DataProcessor` that made the dataset
        sources: Source | Iterable[Source] = (), # Likewise
        follow_links: bool = True, # Likewise
        max_annotation_bytes: int = MAX_BYTES, # Likewise
    ) -> Exported:
        "Copy the annotation files of the raw folder, with the corrections in them and all other bytes as they are"
    def export_coco(self,
        path: str | os.PathLike[str], # JSON file to write
        raw_data_dir: str | os.PathLike[str] | None = None, # The raw folder; never written to; None: the one that the dataset was made of
        leave: bool = False, # Leave out what cannot be written, such as conflicts; False: raise `CannotRewrite`
        rename: Mapping[str, str] | None = None, # As of the `DataProcessor` that made the dataset
        sources: Source | Iterable[Source] = (), # Likewise
        follow_links: bool = True, # Likewise
        max_annotation_bytes: int = MAX_BYTES, # Likewise
    ) -> Exported:
        "Write everything that the raw folder holds, of whatever format, as one COCO file with the corrections in it, without photos that are left out"
    def take(self,
        edited: str | os.PathLike[str], # The edited copy; photos that it lacks are those of the raw folder
        raw_data_dir: str | os.PathLike[str] | None = None, # The raw folder; None: the one that the dataset was made of
        deleted_files: bool = False, # Are the objects of annotation files that the copy lacks deleted? False: raise `RawDataError` for such a file
        rename: Mapping[str, str] | None = None, # As of the `DataProcessor` that made the dataset
        sources: Source | Iterable[Source] = (), # Likewise
        follow_links: bool = True, # Likewise
        max_annotation_bytes: int = MAX_BYTES, # Likewise
        note: str = '', # Why, for other people
        by: str | None = None, # Who says so; None: the user of this process
    ) -> Taken:
        "Write into the journal what was edited in a copy of the raw folder; taken twice, it is there once; raises `RawDataError` for what cannot be read there"

class Exported(NamedTuple):
    "What `export` has done"
    written: int # objects that the files did not say yet
    there: int # objects that they said already
    left: tuple[str, ...] # sentences about those that could not be written
    rewritten: Any # what `rewrite` has done; of a COCO file its path
    def __str__(self) -> str: ...

class Taken(NamedTuple):
    "What `take` has done"
    ids: tuple[str, ...] # of the new lines
    told: tuple[str, ...] # sentences about what no line can say
    def __str__(self) -> str: ...

def renamed(text) -> tuple[Any, ...]: ...

def make_parser(
    prog: str = 'ear-lazy corrections', # Name of the command
) -> ArgumentParser:
    "The arguments of the command"

def main(
    args: Sequence[str] | None = None, # Arguments; those of the command line by default
    prog: str = 'ear-lazy corrections', # Name of the command
) -> int: # Exit status
    "The command `ear-lazy corrections`"
