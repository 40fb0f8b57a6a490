# Made by .ci/stubs.py of box_measures.py: do not edit.
import numpy as np
from ear_lazy.measuring.box_outcomes import Curve, Outcomes
from ear_lazy.measuring.coco_scores import CocoScores
from ear_lazy.measuring.labelled import Labelled
from ear_lazy.measuring.slices import Slices
from functools import cached_property
from typing import Any

OBJECT: str

class BoxMeasures:
    "Measures of predicted boxes; iou: one of `IOUS` from which a box is right, score: from which it counts"
    a: Labelled
    areas: np.ndarray
    names: list[str]
    background: str
    outcomes: Outcomes
    scores: CocoScores
    def __init__(self, a: Labelled, predictions: Any, iou: float, score: float, areas: np.ndarray) -> None: ...
    @cached_property
    def rows(self) -> tuple[np.ndarray, np.ndarray]: # (n,), (p,)
        "Row of each labelled and of each predicted object"
    def number_of(self, name: str, more: tuple[str, ...] = ()) -> int:
        "Number of a class by its name; raises `ValueError` for an unknown one"
    def slices(self) -> Slices:
        "The classes as they count here"
    def rows_of_class(self, name: str) -> np.ndarray: # (k,) int64, each once
        "Rows in which a class is labelled or predicted"
    def at_score(self, of: np.ndarray | None = None, found: np.ndarray | None = None) -> dict[str, float]:
        "Precision and recall of predictions that count; of: (n,) labelled objects, found: (p,) predictions to look at"
    @property
    def metrics(self) -> dict[str, float]:
        "Numbers of all together"
    @property
    def by_class(self) -> dict[str, dict[str, float]]:
        "Numbers of each class that is labelled or predicted"
    @property
    def curves(self) -> dict[str, dict[str, Curve]]:
        "Curve, then series ('' all classes, else a class) to `Curve`"
    def of_slices(self, slices: Slices) -> dict[str, dict[str, float]]:
        "Numbers of each slice that is not empty"
    def weighted(self, weights: np.ndarray) -> tuple[dict[str, float], dict[str, float]]: # Of all; AP of each class
        "Numbers of rows that count (n,) times"
    @property
    def row_scores(self) -> np.ndarray: # (n,) 0 to 1, 1 is best
        "F1 of each row, the mean over IoU 0.5 to 0.95; 1 where nothing is labelled and nothing counts"
    def missed(self, some: Any = True) -> Asked:
        "Labels without a prediction at their place; some: (n,) booleans"
    def spurious(self, some: Any = True) -> Asked:
        "Predictions of nothing; some: (p,) booleans"
    def placed(self, right: bool, some: Any = True) -> Asked:
        "Labels with a prediction of their class, or of another"
    def by_metric(self, metric: str = 'AP', class_: str | None = None, what: str | None = None) -> Asked:
        "Objects behind a number"
    def by_confusion(self, labelled: str, predicted: str) -> Asked:
        "Objects of a cell of the confusion"
    def least_score(self, curve: str, bin: int, class_: str | None = None) -> float: # 0 to 1
        "The lowest score of the predictions that a place of a curve is about"
    def by_curve(self, curve: str, bin: int, class_: str | None = None) -> Asked:
        "Objects behind the number at a place of a curve: wrong predictions that count there; of recall labels that are missed there; of calibration what is wrong in the bin"
    def lines(self) -> dict[str, np.ndarray]:
        "Columns with a line for each labelled object and each false alarm, in order of rows"

def coco_numbers(
    s: CocoScores, # Of boxes
) -> dict[str, float]:
    "The twelve numbers of COCO; NaN for what nothing is labelled of"

METRICS: tuple[Any, ...]
CURVES: dict[str, Any]
Asked = tuple[np.ndarray, np.ndarray]
WHATS: tuple[str, ...]

def what_lowers(
    metric: str, # Its name
) -> tuple[str, ...]:
    "The mistakes that lower a number"
