# Made by .ci/stubs.py of data_processor.py: do not edit.
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from ear_lazy.formats.discover import Source as Source
from ear_lazy.formats.shared.tree import KINDS, MAX_BYTES
from ear_lazy.metadata.layout import SHARD_BYTES
from ear_lazy.processing.report import Report
from ear_lazy.processing.sources import Sources
from ear_lazy.processing.splits import TRAIN_SPLIT
from pathlib import Path
from typing import Any, Literal

__all__ = ['DataProcessor', 'main']

class DataProcessor:
    "Turns raw annotations into metadata files; images are neither decoded nor copied"
    raw_data_dir: Path | str # a URL is text
    output_dir: Path | str # a URL is text
    report: Report | None # of the last run
    batch_size: int
    num_workers: int
    flush_every: int
    shard_bytes: int
    max_annotation_bytes: int
    seed: int
    split: str
    group_by: str | re.Pattern[str] | Callable[[str], Any] | None
    declared: Any
    classes: Any
    keypoints: int | None
    rename: Any
    corrections: Any
    check_duplicates: bool
    keep_together: bool
    check_images: bool
    strict: bool
    force: bool
    progress: bool
    executor: Executor | None
    shared_storage: bool
    follow_links: bool
    def __init__(self,
        raw_data_dir: str | os.PathLike[str] = 'data/raw', # Folder of the raw datasets, or its URL; only ever read
        output_dir: str | os.PathLike[str] = 'data/preprocessed', # Folder of the `.npy` files and `report.json`, or its URL
        batch_size: int = 500, # Files per task of a worker, and rows per batch of the writer
        num_workers: int = 10, # Parsing processes, at most as many as there are tasks; 0 parses in this process; with `executor`, its number of workers
        flush_every: int = 1, # Batches per write to disk
        seed: int = 0, # Another seed gives another split
        split: Literal['stable', 'folder', 'random', 'splits.csv'] | os.PathLike[str] = 'stable', # 'stable', 'folder' (the split that the data ships with), 'random', or a file such as 'splits.csv' with the side of each photo, to which new photos are added
        group_by: str | re.Pattern[str] | Callable[[str], Any] | None = None, # Groups that stay on one side: a function of an image's path, or a regular expression, whose first group or else whole match counts; None: copies of a photo
        sources: Source | Iterable[Source] = (), # `Source`s with what the files of some raw datasets do not say; `sources.toml` can say the same
        classes: str | Iterable[str] = (), # Keep objects of these classes, in this order in every run, and objects without a class; () keeps all
        keypoints: int | None = None, # Keep sets of this many keypoints; None keeps all
        check_duplicates: bool = False, # Compare all images, and report copies of a photo on two sides of the split
        keep_together: bool = False, # Compare all images, and keep copies of a photo on one side
        check_images: bool = False, # Decode all images of sources that have changed, and drop those that do not decode
        strict: bool = False, # Raise `ProblemError` at the first problem that is more than a note
        force: bool = False, # Parse everything, even what has not changed since the last run
        shard_bytes: int = SHARD_BYTES, # Largest size of one `.npy` file, approximately; further rows go into further files
        max_annotation_bytes: int = MAX_BYTES, # Larger annotation files are reported and not read
        progress: bool = True, # Show a progress bar, and the report at the end
        executor: Executor | None = None, # Parses in place of own processes: Dask's `client.get_executor()`, or any other; see `num_workers`
        shared_storage: bool = False, # Workers of `executor` see the raw data and `output_dir` under the same paths, and write the files themselves
        follow_links: bool = True, # Follow links that lead out of the raw folder, and list them in the report; False reports them as problems
        rename: Mapping[str, str] | None = None, # Class names to write in place of those that were read; two may become one; `classes` counts in the new ones
        corrections: str | os.PathLike[str] | Literal[False] | None = None, # The journal of corrections to apply; None: `corrections.jsonl` beside the output folder, if it is there; False: none
    ) -> None: ...
    def __repr__(self) -> str: ...
    def process_all(self,
        train_split: float = TRAIN_SPLIT, # Fraction of photos that go to train, 0 to 1
        include_teacher: bool = True, # Make the teacher files too: a row for each crop of a single object
        test_split: float = 0.0, # Fraction of photos that go to test, at most what train leaves; train stays as it is
    ) -> Report:
        "Make all files: detector (images with their boxes), landmarker (images with one set of keypoints) and teacher (crops of single objects)"
    def process_detector(self,
        train_split: float = TRAIN_SPLIT, # Fraction of photos that go to train, 0 to 1
        test_split: float = 0.0, # Fraction of photos that go to test, at most what train leaves
    ) -> Report:
        "Make the detector files: a row for each image, with all its boxes"
    def process_landmarker(self,
        train_split: float = TRAIN_SPLIT, # Fraction of photos that go to train, 0 to 1
        test_split: float = 0.0, # Fraction of photos that go to test, at most what train leaves
    ) -> Report:
        "Make the landmarker files: a row for each set of keypoints"
    def process_teacher(self,
        train_split: float = TRAIN_SPLIT, # Fraction of photos that go to train, 0 to 1
        test_split: float = 0.0, # Fraction of photos that go to test, at most what train leaves
    ) -> Report:
        "Make the teacher files: a row for each crop of a single object"
    def process(self,
        kinds: Literal['detector', 'landmarker', 'teacher'] | Iterable[Literal['detector', 'landmarker', 'teacher']] = KINDS, # Which of 'detector', 'landmarker', 'teacher' to make
        train_split: float = TRAIN_SPLIT, # Fraction of photos that go to train, 0 to 1
        test_split: float = 0.0, # Fraction of photos that go to test, at most what train leaves
    ) -> Report:
        "Make the files of some kinds; raises `RawDataError`, `OutputError`, or with `strict` `ProblemError`"
    def sources(self) -> Sources:
        "A table of the raw datasets that a run would read; raises `RawDataError` if there are none"

def main(
    args: Sequence[str] | None = None, # Arguments; those of the command line by default
) -> int: # Exit status
    "The command `ear-lazy process`, which is in `ear_lazy.command`"
