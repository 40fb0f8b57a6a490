# Made by .ci/stubs.py of stats.py: do not edit.
import numpy as np
from collections.abc import Sequence
from ear_lazy.looking.columns import Columns
from typing import Any, NamedTuple

__all__ = ['Stats', 'stats_of', 'stats', 'plot_stats', 'Difference', 'Comparison', 'compare_splits']
IMAGE_WORDS: dict[str, str]
BOX_WORDS: dict[str, str]

def image_measures(c: Columns) -> dict: # name to (n,) float32
    "Numbers of each row"

def box_measures(c: Columns) -> dict: # name to (b,) float32
    "Numbers of each of `c.boxes`"

BARS: str

def bars(
    counts, # Values of each bin
) -> str:
    "Counts as a line of bars; the lowest bar means zero"

class Summary(NamedTuple):
    "Summary of one number over many rows or boxes"
    count: int # of known values
    lowest: float
    p5: float # 5 % are smaller
    median: float
    p95: float # 5 % are larger
    highest: float
    bars: str # distribution

def known(values): ...

def summary(
    values, # (n,); values that are not finite are left out
) -> Summary:
    "Summarise one measure"

class Stats(NamedTuple):
    "Statistics of a dataset, displayed as tables in Jupyter and in the terminal"
    kind: str # 'detector', 'landmarker' or 'teacher'
    rows: int
    sources: dict[tuple[str, str], int] # (split, source) to rows
    boxes: dict[tuple[str, str], int] # (split, source) to boxes; of keypoints
    classes: dict[str, int] # class to boxes
    numbers: dict[str, Summary] # name of a measure to `Summary`
    visibility: np.ndarray # (K, 3) rows in which each keypoint is unlabelled, hidden, visible
    unknown_sizes: int # rows
    def __repr__(self) -> str: ...
    def _repr_html_(self) -> str: ...

def stats_of(c: Columns) -> Stats:
    "Summarise columns"

def stats(
    ds: Any, # Dataset
) -> Stats:
    "Rows by source, boxes per image, box sizes and positions, image sizes and keypoints, from the metadata alone"

CELLS: int

def coverage(c: Columns) -> np.ndarray: # (32, 32), of image height and width
    "Share of the boxes that cover each part of the image"

def keypoint_map(
    c: Columns, # With keypoints
) -> np.ndarray: # (32, 32), of image height and width
    "Labelled keypoints in each part of the image"

def plot_stats(
    ds: Any, # Dataset
    ncols: int = 3, # Columns of the grid
    figsize: Sequence[float] | None = None, # (width, height) of the figure in inches
) -> np.ndarray: # Array of axes, one per cell of the grid
    "Plot rows by source, boxes per image, box sizes and positions, keypoints and image sizes, from the metadata alone"

def kolmogorov_smirnov(
    a, # (n,) numbers
    b, # (m,) numbers
) -> float: # 0 to 1; NaN where one is empty
    "Largest difference between two distribution functions (Massey 1951)"

def total_variation(
    a, # (k,) how often each category occurs
    b, # (k,) the same of the other
) -> float: # 0 to 1; NaN where one is empty
    "Half the sum of the differences between shares (Levin and Peres, ch. 4)"

def chance_of_numbers(n, m) -> float: # Sizes of both
    "Kolmogorov–Smirnov distance that chance exceeds once in a hundred times"

def chance_of_fractions(
    a, # (k,) how often each category occurs
    b, # (k,) the same of the other
) -> float:
    "Total variation that chance exceeds at most once in a hundred times, given the category shares of both together"

class Difference(NamedTuple):
    "One quantity of two datasets"
    first: str # in words
    second: str
    distance: float # 0, the same, to 1, nothing in common
    chance: float # the largest distance of 99 in 100 random splits
    @property
    def skewed(self) -> bool: ...
    @property
    def verdict(self) -> str:
        "In words; '' if there is nothing to compare"

class Comparison(dict[str, Difference]):
    "Name of a quantity to `Difference`, largest distance first; displayed as a table in Jupyter and in the terminal"
    names: Any
    def __init__(self, differences, names) -> None: ...
    @property
    def skewed(self) -> list[str]: # Names
        "Quantities that differ more than chance explains"
    def __repr__(self) -> str: ...
    def _repr_html_(self) -> str: ...

def compare_splits(
    train: Any, # Dataset
    val: Any, # Dataset of the same kind
    names: Sequence[str] = ..., # What to call them
) -> Comparison:
    "Each quantity of two datasets side by side, and how much they differ: Kolmogorov–Smirnov for numbers, total variation for names"
