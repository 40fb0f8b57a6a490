# Made by .ci/stubs.py of tree.py: do not edit.
import os
import re
from collections.abc import Callable, Set
from dataclasses import dataclass
from ear_lazy.base.errors import EarLazyError
from ear_lazy.base.images import IMAGE_SUFFIXES as IMAGE_SUFFIXES
from ear_lazy.formats.shared.heads import Heads
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ['MAX_BYTES', 'SMALL', 'Folder', 'join', 'Tree', 'FileTooLarge', 'locate', 'Document', 'read_head', 'why_closed']

@dataclass
class Folder:
    "The files of one folder: names only"
    images: Set = ... # names of image files; those of a folder with many take little memory, see `Names`
    others: list = ... # names of all other files, sorted
    subfolders: list = ... # names of the folders in it, sorted
    def ending(self, *suffixes: Any): # with their dots, in lower case
        "Names of the other files with these extensions, in upper or lower case"
    @cached_property
    def image_endings(self): # ('.jpg',) in most folders
        "Extensions of its images"

def join(
    folder: str, # Folder relative to the raw folder, '' for the raw folder itself
    name: str, # Name inside it
) -> str:
    "Path of `name` in `folder`, with '/' on every system"

MAX_BYTES: int

class Tree:
    "Names of all files below the raw folder"
    watch: Callable[[str, os.stat_result, bytes | None], None] | None = ... # called with name, `os.stat_result` and content of each file that is read; content is `None` if too large
    encoding: str # of text files that do not say it themselves, if the user does
    units: str # of the numbers in a file, likewise: 'fraction', 'percent', 'pixel'
    each: Any # like `map`: results in order, possibly computed in several processes
    max_bytes: int
    follow_links: bool
    heads: Heads
    refused: Any
    real: dict[Any, Any]
    hidden: dict[Any, Any]
    clouded: Any
    root: Path
    folders: dict[Any, Any]
    unreadable: dict[Any, Any]
    closed: dict[Any, Any]
    outside: Any
    skip: Any
    aliases: Any
    def __init__(self,
        root: str, # The raw folder
        skip: tuple = (), # Folders that are not raw data though they lie below it (the output folder)
        enters=None, # Function of a folder's path that tells whether it is walked; None walks all
        max_bytes: int = MAX_BYTES, # Annotation files that are larger are not read
        follow_links: bool = True, # Follow links that lead out of the raw folder
        aliases=None, # `aliases` of a tree of all of the raw folder, if this is one of a part
    ) -> None: ...
    def below(self, root): # (path, Folder) of `root` and every folder below it
        "The folders of one raw dataset"
    def path(self, name): # relative to the raw folder
        "Where a file is on disk"
    def once(self, key, make):
        "The cached result of `make()` for a key"
    @property
    def may_be_fractions(self) -> bool: ...
    def having(self, **attributes: Any): # `watch`, `each`, `encoding` or `units`
        "The same tree with other attributes"
    def elsewhere(self, root): # Folder with files at the same relative paths
        "The same tree, with its files read from another folder"
    def __getstate__(self): ...
    def home(self, path): # relative to the raw folder
        "The path that a file or folder is read under; another one only behind an alias"
    def place(self, path, names) -> tuple[Any, ...]: # folder, and names in it
        "Where a folder is on disk, with '/' behind it, and the names that files have from there on"
    def links(self, dataset=None) -> list: # folder of a raw dataset; None: of all
        "`Link`s that lead out of the raw folder, sorted"
    def repeats(self, dataset=None) -> list: # folder of a raw dataset; None: of all
        "`Link`s to folders that are read under another path, sorted"
    def told_links(self, dataset=None) -> list: # folder of a raw dataset; None: of all
        "The `Link`s that a report tells"
    def has(self, path) -> bool: # path relative to the raw folder
        "Is there an image at `path`?"
    def read(self, name): # relative to the raw folder
        "Content of a file, twice as fast as `open` for small ones; raises `OSError` and `FileTooLarge`"
    def open(self, name): # relative to the raw folder
        "A file to read bytes from, in UTF-8 if it is text; raises `OSError`"
    def is_utf8(self, name) -> bool: # relative to the raw folder
        "May a file be read without `open` and `read`? Raises `OSError`"
    def read_all(self, names): # relative to the raw folder
        "Content of each file, or the `OSError` of one that cannot be read"

KINDS: tuple[str, ...]
REPORTS: tuple[str, ...]

class Link(NamedTuple):
    "Links that lead into one folder out of the raw folder, or to one in it that is read under another path"
    link: str # the first of them, relative to the raw folder
    target: str # folder that they lead to or into; relative if it lies in the raw folder
    count: int = ... # how many there are

def joined_links(
    links, # `Link`s, perhaps several of a target
) -> list: # One of each target, sorted
    "Links of several trees"

SMALL: int

class FileTooLarge(EarLazyError):
    "An annotation file is too large; readers need not handle this, since `load` continues without the file"
    file: str
    reason: str
    def __init__(self,
        file: str, # Relative to the raw folder
        size: int, # Its bytes
        max_bytes: int, # Those that are allowed
    ) -> None: ...

NOT_LABELS: re.Pattern

class Dataset(NamedTuple):
    "A raw dataset: a folder of images and what annotates them"
    folder: str # relative to the raw folder; '' is the raw folder itself
    level: str # 'detector', 'landmarker', 'teacher', or '' if the layout does not say
    @property
    def name(self): # the same for `detector/ears` and `landmarker/ears`, whose photos are kept on one side of the split
        "The folder without the level above it"

def dataset_of(
    path: str, # File or folder relative to the raw folder
) -> Dataset:
    "The raw dataset that a file belongs to"

def dataset_tree(
    root: str, # The raw folder
    skip: tuple, # Folders that are not raw data
    dataset: str, # Folder of a raw dataset
    max_bytes: int = MAX_BYTES, # As in `Tree`
    follow_links: bool = True, # As in `Tree`
    aliases=None, # As in `Tree`
) -> Tree:
    "The part of the raw folder that is needed to read a raw dataset"

class ImageIndex:
    "Paths of the images of a dataset by basename"
    paths: dict[Any, Any]
    def __init__(self,
        folders: list, # (path, Folder) pairs
        by_stem: bool = False, # Index names without their extension
        key=str, # Function of a path; paths with the same key are the same. `folded`, or none
    ) -> None: ...
    def find(self,
        name: str, # Basename, or a path ending in it
    ) -> list: # Paths relative to the raw folder
        "The images whose paths share the longest ending with `name`"

def image_index(
    tree: Tree, # The raw folder
    dataset: str, # Folder of the dataset
    by_stem: bool = False, # For names without an extension
    key=str, # As of `ImageIndex`
) -> ImageIndex:
    "The index of a dataset, made once"

def image_stems(
    tree: Tree, # The raw folder
    dataset: str, # Folder of the dataset
) -> set:
    "Names of the images of a dataset without their extension; faster to make than the index"

class Located(NamedTuple):
    "An image found, or why not"
    path: str # relative to the raw folder; the name itself if not found
    reason: str = ... # '' | 'missing_image' | 'ambiguous_image'
    detail: str = ... # the candidates
    how: str = ... # how the name on disk differs, or what decided between several; '' for the very name
    is_guess: bool = ... # found by its name alone, in another folder than the one that is written

def images_beside(
    tree: Tree, # The raw folder
    folder: str, # Of the annotation file
    by_stem: bool = False, # Names have no extension
): # Function from a name to a path, or None: `locate` finds others
    "How an image of exactly this name is found in the usual places, where nearly all are"

def locate(
    tree: Tree, # The raw folder
    file: str, # Annotation file, relative to it
    name: str, # Image as the file names it
    by_stem: bool = False, # The name has no extension
) -> Located:
    "Find the image that `name` in `file` refers to"

MANY: int

def image_tops(
    tree: Tree, # The raw folder
    dataset: str, # Folder of a raw dataset
) -> tuple: # Folders, none below another
    "The folders at or below which `locate` may find images for a dataset"

class Document(NamedTuple):
    "Annotation files that one reader reads in one go"
    format: str # name of the reader: 'coco', 'csv', 'pts'
    files: tuple # relative to the raw folder
    keypoint_offset: float = ... # pixels to add to x and y of keypoints, if they do not count from 0
    columns: tuple = ... # pairs of a name that is known and the table's own
    numbers: str = ... # what bare numbers are, if the user says so: 'xywh', 'xyxy class', 'points'
    units: str = ... # of coordinates, if the user says so: 'pixel', 'fraction', 'percent'
    encoding: str = ... # of the text, if the user says so: 'gb18030'
    attributes: tuple = ... # names of those that are recorded with each object

def read_head(
    tree: Tree, # The raw folder
    file: str, # File relative to it
    size: int = SMALL, # Bytes
) -> bytes:
    "The first bytes of a file; b'' if it cannot be read, which `tree.closed` remembers"

def why_closed(error: OSError | MemoryError) -> str:
    "Why the system does not give a file, in words"

def read_ends(
    tree: Tree, # The raw folder
    file: str, # File relative to it
    size: int = SMALL, # Bytes at either end
) -> bytes:
    "The first and the last bytes of a file, with ' [ ' in place of what is between them; b'' if it cannot be read"

def list_files(
    tree: Tree, # The raw folder
    folder: str, # One folder of it
    suffix: str = '.txt',
) -> list: # Paths relative to the raw folder
    "The files of a folder without the stem of an image"

def label_files(tree: Tree, folder: str, suffix: str = '.txt') -> list:
    "The files of a folder with the stem of an image, or with all of its name: `a.jpg.txt`"

FEW: int
