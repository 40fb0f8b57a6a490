# Made by .ci/stubs.py of raw_objects.py: do not edit.
from collections.abc import Iterable
from ear_lazy.base.change import Change, Value
from ear_lazy.base.origin import Origin
from ear_lazy.base.records import Records
from ear_lazy.formats.shared.tree import Document, Tree
from functools import cached_property
from typing import Any

def value_of(r: Records,
    row: int, # Object
) -> Value:
    "The values of an object"

def labelled_part(value): ...

class DocumentObjects:
    "All objects of a document"
    tree: Tree
    document: Document
    read: Any
    rows: Any
    def __init__(self,
        tree: Tree, # The raw folder
        document: Document, # What its reader reads in one go
        at: Tree | None = None, # `tree.elsewhere`: read the files there; the images are in the raw folder all the same
        numbers: Iterable[int] | None = None, # Ids and lines that `places` and `namesakes` are needed of; None: of all
    ) -> None: ...
    @cached_property
    def places(self): # (file, id or None) to rows of `rows`
        "Where objects are annotated"
    @cached_property
    def orders(self) -> tuple[str, str]:
        "What the reader takes the four numbers of a box for, and what the user says that they are"
    @cached_property
    def namesakes(self): # (file, id, image) to rows of `read`
        "Objects of one id"
    @cached_property
    def dropped(self): # row of an image to rows of `read` that are not in `rows`
        "Objects that are not read, such as repeats"
    @cached_property
    def upright(self) -> set[str]: # of files that declare the sizes of stored photos
        "Files with the boxes of upright photos all the same, as `fit_only_upright` reports"
    @cached_property
    def files(self): ... # name to its row in `read.files`
    def repeats(self, k: int) -> list[int]: # of a row of `read`, likewise
        "What repeats an object, and would be read in its place"

NEAR: float

def corners(box): ...

def distance(a: Value, b: Value) -> float: # Pixels; 0 if they have nothing in common
    "The largest difference of coordinates that both have"

def points_apart(a, b): ...

def number_in(
    origin: Origin, # Of an object
) -> int | None: # None if its file describes one object
    "The id or line of an origin"

def find_row(objects: DocumentObjects,
    origin: Origin, # Place in one of its files
    change: Change,
    taken: set, # Rows that other changes are of
    within: float = NEAR, # Pixels that its values may be off: more for an object of several places, whose values are those of the first
) -> int: # Row of `objects.rows`
    "The object that a change is of; raises `CannotRewrite` if it is not there"

def apart_when_merged(
    was: Value, # Of an object of several places
) -> float: # Pixels
    "How far apart two descriptions may be that were taken for one object: those that overlap by half, and a few pixels"
