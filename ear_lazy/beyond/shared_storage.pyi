# Made by .ci/stubs.py of shared_storage.py: do not edit.
import numpy as np
from ear_lazy.formats.discover import FoundSource
from ear_lazy.metadata.file import ChosenRows, Plan
from ear_lazy.processing.output_folder import Output
from ear_lazy.processing.report import Report
from ear_lazy.processing.rows import RowOptions, SourceFacts
from ear_lazy.processing.workers import RawFolder
from typing import Any, NamedTuple

def dataset_folders(
    root: str, # The raw folder
    skip: tuple = (), # Folders that are not raw data
    follow_links: bool = True, # As in `Tree`
) -> list: # Folders, sorted
    "Folders that may be raw datasets"

PIECE_TASKS: int

class Job(NamedTuple):
    "Settings of a run that workers need"
    raw: RawFolder
    staging: str # folder for unfinished files, visible to all workers
    asked: RowOptions
    declared: tuple # `Source`s given by the user
    batch_size: int
    def found(self, dataset): # its folder
        "Tree, `FoundSource` (`None` if there is none) and problems of a raw dataset"

class Survey(NamedTuple):
    "Summary of a raw dataset"
    dataset: str # its folder
    source: FoundSource # without documents; `None` if there is nothing to read
    files: int
    pieces: list # (first task, last task + 1)
    problems: list # `Problem`s of files that no reader knows
    outside: set # folders outside of the raw folder that links led to
    links: list = ... # `Link`s of the raw dataset that a report tells
    tops: tuple = ... # folders at or below which its images may be

def survey(job: Job, dataset: str) -> Survey:
    "Look into the folder of a raw dataset, and cut it into pieces"

class Piece(NamedTuple):
    "A parsed piece"
    part: SourceFacts
    folder: str # in `staging`
    groups: dict # kind to the lowest and the highest group hash of its rows
    sizes: dict # kind to the numbers of its rows and of their values

def parse(job: Job,
    argument: tuple, # Folder of a raw dataset, number of its files, first and last task
) -> Piece:
    "Parse a piece of a raw dataset"

class SplitRule(NamedTuple):
    "How a piece is split"
    train_split: float
    moved: np.ndarray # from `moved_groups`
    def rows(self, spool, split): # 'train' or 'val'
        "(n,) True for the rows of a spool that are on this side"

def decide_split(job: Job,
    pieces: list, # `Piece`s
    train_split: float,
) -> SplitRule:
    "Which groups change sides"

class RowCounts(NamedTuple):
    "Counts of a piece's rows on one side of the split"
    rows: int
    values: int
    width: int # bytes of the longest path
    counts: tuple # different numbers of values in a row, at most two of them
    most: int # largest number of values in a row

def count_rows(job: Job,
    argument: tuple, # Folder of a piece, kind, its numbers of rows and values, `SplitRule`
) -> dict: # 'train' and 'val' to `RowCounts`
    "Count a piece's rows on each side"

class SideRows(NamedTuple):
    "A piece in a metadata file"
    folder: str # of the piece, in `staging`
    source: int # row of the source names
    labels: np.ndarray # for each of the piece's label names, its row in the file's
    size: tuple # numbers of rows and values of the piece, on both sides
    row_counts: RowCounts
    start: int = ... # bytes of the parts before it
    def choice(self, job, plan, rule) -> ChosenRows: ...

def rows_of_shards(job: Job,
    plan: Plan,
    parts: list, # `SideRows` in the order of the raw data
    rule: SplitRule,
) -> list: # (number before gaps are closed, `SideRows` that it overlaps), for each shard
    "Which pieces have rows in which shard"

def make_shard(job: Job,
    argument: tuple, # `Plan`, `SplitRule`, number of the shard, number of shards, and its item of `rows_of_shards`
) -> Output:
    "Write one shard"

class SharedRun:
    "A run whose workers share storage with this process"
    job: Job
    surveys: list[Any]
    pieces: list[Any]
    outside: Any
    links: list[Any]
    def __init__(self,
        job: Job,
        executor, # `concurrent.futures.Executor`
        num_workers: int, # Number of its workers
    ) -> None: ...
    def call(self, function, arguments):
        "Results of one of the four functions above, in order"
    def survey(self, datasets: list) -> list: # `Problem`s
        "Survey the raw datasets; raises `RawDataError` if one that the user names has nothing to read"
    def parse(self, report: Report, tell=...) -> None: # called after each piece
        "Parse all pieces, and add their counts to the report"
    def write(self,
        train_split: float, # Share of groups that go to train
        root: str, # Folder of the images, relative to the output folder
        shard_bytes: int, # Largest size of one file, approximately
        report: Report, # Gets the outputs and the rows on each side
    ) -> None:
        "Make the files, in the hidden folder"
    def described_twice(self) -> list: # `Problem`s
        "Which raw datasets describe photos of others"
