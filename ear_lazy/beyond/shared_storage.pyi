# Made by .ci/stubs.py of shared_storage.py: do not edit.
import numpy as np
from ear_lazy.correcting.journal import Journal
from ear_lazy.formats.discover import FoundSource
from ear_lazy.metadata.views import View
from ear_lazy.metadata.writing import Plan
from ear_lazy.processing.finishing import SplitRule
from ear_lazy.processing.output_folder import Output
from ear_lazy.processing.report import Report
from ear_lazy.processing.rows import Part, RowOptions
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
    def attributes(self): ...
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

def survey(job: Job, dataset: str) -> Survey:
    "Look into the folder of a raw dataset, and cut it into pieces"

class Piece(NamedTuple):
    "Where the objects of a parsed piece are, or of photos that several sources describe"
    source: FoundSource # without documents
    folder: str # in `staging`
    size: tuple # of its table
    facts: int # bytes of what is known of it
    elsewhere: bytes = ... # bits of the photos that are in another piece
    counted_as: tuple = ... # names of sources, as of a `Part`

def parse(job: Job,
    argument: tuple, # Folder of a raw dataset, number of its files, first and last task
) -> tuple: # `Piece`, `SourceFacts`
    "Parse a piece of a raw dataset"

def part_of(job: Job, piece: Piece) -> Part:
    "The objects of a piece; raises `OutputError` if this worker does not see all of them"

class Choice(NamedTuple):
    "What is written of a piece"
    report: Report # of the choice
    classes: list # names of those that are used, in order
    few: dict # kind to a few of its groups and said sides, which tell whether any are moved
    names: list # of the table's classes
    schemes: dict # class name to its `Scheme`
    attributes: list # names of the recorded attributes
    found: list # and of those that an object has

def choose_piece(job: Job, argument: tuple) -> Choice: # `Piece`, `SplitRule`
    "Choose what is written of a piece"

class Sides(NamedTuple):
    "How pieces are split"
    rule: SplitRule
    moved: dict # from `moved_groups`
    def of(self, part) -> np.ndarray:
        "The side of each photo"
    def views(self, part, kind, numbers=None):
        "The rows of a kind on each side"

def decide_sides(job: Job,
    pieces: list, # `Piece`s
    choices: list, # `Choice` of each
    rule: SplitRule,
) -> Sides:
    "Which groups change sides"

class RowCounts(NamedTuple):
    "Counts of a piece's rows on one side of the split"
    rows: int
    values: int
    width: int # bytes of the longest path
    counts: tuple # different numbers of values in a row, at most two of them
    most: int # largest number of values in a row

def count_rows(job: Job,
    argument: tuple, # `Piece`, `Sides`
) -> dict: # kind to `RowCounts` of each side
    "Count a piece's rows on each side"

class SideRows(NamedTuple):
    "A piece in a metadata file"
    piece: Piece
    source: int # row of the source names
    row_counts: RowCounts
    start: int = ... # bytes of the parts before it
    def view(self, job, plan, decided) -> View: ...

def rows_of_shards(job: Job,
    plan: Plan,
    parts: list, # `SideRows` in the order of the raw data
    decided: Sides,
) -> list: # (number before gaps are closed, `SideRows` that it overlaps), for each shard
    "Which pieces have rows in which shard"

def make_shard(job: Job,
    argument: tuple, # `Plan`, `Sides`, number of the shard, number of shards, and its item of `rows_of_shards`
) -> Output:
    "Write one shard"

class SharedRun:
    "A run whose workers share storage with this process"
    job: Job
    surveys: list[Any]
    pieces: list[Any]
    outside: Any
    links: list[Any]
    classes: Any
    decided: Sides
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
    def share_photos(self, report: Report) -> None:
        "Put photos that several pieces have into pieces of their own"
    def correct(self, journal: Journal, report: Report) -> None:
        "Apply the corrections, in this process"
    def write(self,
        rule: SplitRule,
        root: str, # Folder of the images, relative to the output folder
        shard_bytes: int, # Largest size of one file, approximately
        report: Report, # Gets the outputs and the rows on each side
        journal: str = '', # Digest of the corrections that were applied
    ) -> None:
        "Make the files, in the hidden folder"
    def photo_sides(self) -> tuple: # as of `finishing.photo_sides`
        "The side of each photo that has rows, after `write`"
