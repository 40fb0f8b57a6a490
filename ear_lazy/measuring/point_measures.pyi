# Made by .ci/stubs.py of point_measures.py: do not edit.
import numpy as np
from ear_lazy.measuring.average_precision import Ranking
from ear_lazy.measuring.box_outcomes import Curve
from ear_lazy.measuring.labelled import Labelled
from ear_lazy.measuring.point_errors import PointErrors
from ear_lazy.measuring.slices import Slices
from functools import cached_property
from typing import Any

class PointMeasures:
    "Measures of predicted keypoints; cut: error above which a row has failed"
    names: list[str] # of classes
    errors: PointErrors
    a: Labelled
    cut: float
    sigmas: Any
    areas: np.ndarray
    scores: Any
    def __init__(self, a: Labelled, predictions: Any, normalise: Any, cut: float, sigmas: Any, areas: np.ndarray) -> None: ...
    @cached_property
    def rankings(self) -> list[Ranking]: # For each number of points
        "Which predictions are like which labels; photos are rows here, so that rows can be weighed"
    @property
    def metrics(self) -> dict[str, float]:
        "Numbers of all together"
    @property
    def by_class(self) -> dict[str, dict[str, float]]:
        "Numbers of each class that is labelled"
    def of_slices(self, slices: Slices, count: str = 'objects') -> dict[str, dict[str, float]]:
        "Numbers of each slice that is not empty"
    @property
    def curves(self) -> dict[str, dict[str, Curve]]:
        "'CED', then series ('' all classes, else a class) to `Curve`"
    @property
    def points(self) -> dict[str, list[tuple[int, int]]]:
        "Name of each point to the sets that have it, and its number in them"
    def errors_of(self, point: str | int) -> tuple[np.ndarray, np.ndarray]: # (k,) rows, (k,) errors; those without are left out
        "Errors of a point, by its name or number; raises `ValueError` for an unknown one"
    @property
    def by_point(self) -> dict[str, dict[str, float]]:
        "Mean, median and largest error of each point where it was found, and how often it is labelled"
    def weighted(self, weights: np.ndarray) -> tuple[dict[str, float], dict[str, float]]: # Of all; OKS AP of each class
        "Numbers of rows that count (n,) times"
    @property
    def row_scores(self) -> np.ndarray: # (n,) NaN: nothing can be said; infinite: nothing was found
        "Error of each row"
    def number_of(self, name: str) -> int:
        "Number of a class by its name; raises `ValueError` for an unknown one"
    def slices(self) -> Slices:
        "The classes as they count here"
    def rows_of_class(self, name: str) -> np.ndarray: # (k,) int64
        "Rows of a class"
    def by_metric(self, metric: str = 'NME', class_: str | None = None, what: str | None = None) -> tuple[np.ndarray, np.ndarray]: # (k,) rows, (k,) errors
        "Rows behind a number: those with an error, for the failure rate those that failed"
    def by_curve(self, curve: str, bin: int, class_: str | None = None) -> tuple[np.ndarray, np.ndarray]: # (k,) rows, (k,) errors
        "Rows with a larger error than at a place of the cumulative error distribution"
    def lines(self) -> dict[str, np.ndarray]:
        "Columns with a line for each row"

PLACES: int
