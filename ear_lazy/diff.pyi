# Made by .ci/stubs.py of diff.py: do not edit.
import os
from collections.abc import Iterator, Sequence
from ear_lazy.base.arguments import ArgumentParser
from ear_lazy.correcting.revisions import Version
from typing import Any

__all__ = ['Diff', 'diff']

class Diff:
    "What differs between two versions of metadata files; as a bool whether anything does"
    kinds: dict[str, Any] # 'detector', 'landmarker', 'teacher' to the differences of that kind
    versions: tuple[Version, ...]
    root_dir: str | os.PathLike[str] | None
    def __init__(self,
        old: Version, # From `open_version`
        new: Version, # The later one
        root_dir: str | os.PathLike[str] | None = None, # Folder of the images, for pictures
    ) -> None: ...
    def __len__(self) -> int: ...
    def __str__(self) -> str: ...
    def __repr__(self) -> str: ...
    @property
    def counts(self) -> dict[str, dict[str, int]]: # kind to names of changes to how many
        "How many objects and photos of each kind changed, and how"
    def changes(self,
        kind: str | None = None, # One kind; None: all
    ) -> Iterator[dict[str, Any]]: # With 'kind', 'change', 'photo', 'source', 'old', 'new', 'iou', 'pixels'
        "Each object that changed, in plain values, in the order of the rows"
    def text(self,
        limit: int | None = 20, # Most lines of each sort of change; None: all
    ) -> str:
        "The differences as text"
    def to_json(self) -> str:
        "The differences as JSON: all of them"
    def _repr_html_(self) -> str: ...

def diff(
    old: str | os.PathLike[str], # A metadata file, a folder of them, or `git:REVISION:PATH` of either
    new: str | os.PathLike[str], # The later one
    root_dir: str | os.PathLike[str] | None = None, # Folder of the images, for pictures; None: the one recorded in the files
) -> Diff: # Shows itself as text, and in Jupyter with pictures
    "What differs between two versions of metadata files; raises `EarLazyError` if there are none, or they cannot be compared"

def make_parser(
    prog: str = 'ear-lazy diff', # Name of the command
) -> ArgumentParser:
    "The options of the command"

def main(
    args: Sequence[str] | None = None, # Arguments; those of the command line by default
    prog: str = 'ear-lazy diff', # Name of the command
) -> int: # Exit status
    "The command `ear-lazy diff`"
