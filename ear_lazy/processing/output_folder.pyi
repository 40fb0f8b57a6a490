# Made by .ci/stubs.py of output_folder.py: do not edit.
import msgspec
from contextlib import contextmanager
from ear_lazy.base.digests import FileDigest
from ear_lazy.formats.shared.heads import Heads
from ear_lazy.metadata.layout import SHARD_BYTES
from ear_lazy.metadata.writing import Plan
from pathlib import Path
from typing import Any, NamedTuple, Self

__all__ = ['State', 'read_state', 'output_errors', 'Output', 'OutputFolder']

class State(msgspec.Struct):
    "What a run leaves for the next one"
    run: str = ... # digest of everything the outputs depend on
    outputs: dict[str, tuple[int, str]] = ... # file to its size and digest
    files: dict[bytes, FileDigest] = ... # annotation file or small one beside it, its name as the system has it, to its digest
    kept: dict[str, tuple[str, str]] = ... # key of a source to the folder of its table and the digest of that
    code: str = ... # digest of the package
    note: str = ... # why an earlier state is not used, in a sentence; never stored
    def is_current(self,
        output_dir: str, # Folder of the outputs
        run: str, # Digest of everything they would depend on now
    ) -> bool:
        "Are the outputs there and whole, and would this run make the same ones?"
    @property
    def digests(self): ...

def read_state(
    output_dir: str, # Folder of the outputs
) -> State: # Empty if there is none, or none that can be believed
    "The state that the last run left; raises `OutputError` if something else is in its place"

@contextmanager
def output_errors(
    output_dir: str, # That the block writes to
):
    "Turn errors of the disk into an `OutputError` that says what to do"

class SeenHeads(msgspec.Struct):
    "What a run has seen of the files that it recognised; a note of its own, as it is read before all else"
    packed: bytes = ... # from `Heads.take`

def read_heads(
    output_dir: str, # Folder of the outputs
) -> Heads: # None of them if nothing can be believed
    "What the last run has seen of the raw files"

class Made(msgspec.Struct):
    "Names in the hidden folder that runs here have made"
    names: list[str] = ...

def clear_away(
    output_dir: str, # Folder of the outputs
) -> None:
    "Clear away what a killed run left; does nothing if another run is active or the folder is not writable"

class Output(NamedTuple):
    "A metadata file that was written"
    file: str # name in the output folder
    kind: str
    split: str
    rows: int
    bytes: int

class OutputFolder:
    "Takes the objects of all sources and makes complete metadata files; use it in a `with` block"
    at: str | None
    output_dir: Path
    root: str
    kinds: tuple
    shard_bytes: int
    notes: list[Any]
    run_path: Any
    def __init__(self,
        output_dir: str, # Folder of the files; made if missing
        root: str, # Folder that image paths are relative to
        kinds: tuple, # Kinds that this run makes; old files of these kinds are replaced or removed
        shard_bytes: int = SHARD_BYTES, # Largest size of one file, approximately
        at: str | None = None, # Where the files will be read from; None: this folder
    ) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *error: Any) -> None: ...
    def write(self,
        batches: list, # (number of the source, `Batch`)
    ) -> None:
        "Append batches and flush them"
    def keep(self,
        source: int, # Its number
        key: str, # From an earlier run
    ) -> bytes | None: # The facts that were committed with it; None if nothing is kept under this key
        "Take the table of a source from an earlier run, if it is as that run left it"
    def tables(self) -> dict: # Source to its `Table`, flushed
        "All tables, of sources that had something to read"
    def extra_folder(self) -> Path:
        "A folder for further tables, which are not kept"
    def old_files(self) -> list:
        "Paths of the metadata files that this run replaces or removes"
    def make(self,
        views: list, # `View`s, in the order of the sources
        plan: Plan, # Its root, `k`, width and `shard_bytes` are known here
    ) -> list: # `Output`s
        "Make the files of a kind and side, none without rows"
    def adopt(self,
        outputs: list, # `Output`s
    ) -> None:
        "Take over files that were made in the folder of the run, and give all of one kind the same id"
    def commit(self,
        extra: dict, # Other files to put beside them: name to bytes
        keys: list = (), # Key of each source; '' if its table is not kept
        facts: list = (), # Bytes that `keep` returns for each source
        run: str = '', # Digest of everything the outputs depend on
        digests: dict | None = None, # Annotation file to its `FileDigest`
        outside: set = ..., # Folders outside the image root that links in it lead to
        heads: bytes = b'', # From `Heads.take`
    ) -> None:
        "Replace the files of earlier runs by the finished ones, and keep what was parsed"

@contextmanager
def uninterrupted():
    "Delay Ctrl-C until the block is done, because the new files are already complete"
