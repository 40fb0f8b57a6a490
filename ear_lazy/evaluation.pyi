# Made by .ci/stubs.py of evaluation.py: do not edit.
import numpy as np
from collections.abc import Mapping, Sequence
from ear_lazy.evaluation_view import EvaluationView
from ear_lazy.loading.row_dataset import RowDataset
from ear_lazy.looking.predictions import Predictions
from ear_lazy.measuring.bootstrap import Change
from ear_lazy.measuring.box_measures import BoxMeasures
from ear_lazy.measuring.box_outcomes import Curve
from ear_lazy.measuring.labelled import Labelled
from ear_lazy.measuring.point_measures import PointMeasures
from functools import cached_property
from pandas import DataFrame
from typing import Any, NamedTuple

__all__ = ['Evaluation', 'evaluate', 'compare']

class Confusion(NamedTuple):
    "How often each class is taken for each"
    names: list[str] # of the c classes, and last the background; in brackets if a class is called so
    counts: np.ndarray # (c + 1, c + 1) int64: labelled class, predicted class

class Evaluation:
    "How good predictions for the rows of a dataset are; made by `ds.evaluate`, displayed as tables"
    ds: RowDataset
    predictions: Predictions # in pixels of the photos
    kind: str # 'detector', 'landmarker' or 'teacher'
    iou: float # intersection over union from which a box is right, in all but COCO's numbers
    score: float # from which a prediction counts, likewise
    normalise: Any # what errors of keypoints are divided by
    cut: float # error above which a row has failed
    sigmas: Any # spread of each keypoint for OKS; None: usual
    areas: np.ndarray | None # (m,) square pixels of the objects; None: of their boxes
    def __init__(self, ds: RowDataset, predictions: Predictions, measures: BoxMeasures | PointMeasures, a: Labelled, **options: Any) -> None: ...
    @property
    def title(self) -> str:
        "What was evaluated, in a line"
    @cached_property
    def metrics(self) -> dict[str, float]:
        "Name to number; NaN: cannot be said"
    @cached_property
    def by_class(self) -> dict[str, dict[str, float]]:
        "Class to its numbers"
    @cached_property
    def curves(self) -> dict[str, dict[str, Curve]]:
        "Curve to series ('' all classes, else a class) to arrays `x` and `y`"
    @cached_property
    def confusion(self) -> Confusion | None: # None for keypoints
        "How often each class is taken for each, and for background"
    @cached_property
    def by_point(self) -> dict[str, dict[str, float]]: # Empty for boxes
        "Keypoint to its errors"
    @cached_property
    def row_scores(self) -> np.ndarray: # (n,)
        "F1 of each row, the mean over IoU 0.5 to 0.95; of keypoints its error"
    @property
    def slice_names(self) -> list[str]:
        "What `slices` can be asked for by name"
    @property
    def length(self) -> str:
        "What errors of keypoints are divided by, in words"
    def slices(self,
        by: Any, # 'source', 'class', 'size' (COCO's small, medium, large), the name of a column or attribute, or an array with a value for each row or object
    ) -> dict[str, dict[str, float]]: # Value to numbers, with 'rows' and 'objects'; of classes those of `by_class`
        "Numbers of each part of the rows or objects; raises `ValueError` for what they cannot be divided by"
    def rows(self,
        *,
        confusion: tuple[str, str] | None = None, # (labelled class, predicted class), names of `self.confusion`, either of them 'background'
        curve: str | None = None, # Name of a curve
        bin: int | None = None, # Place of the curve
        metric: str | None = None, # Name of a number
        what: str | None = None, # 'missed', 'spurious', 'wrong class' or 'right'; None: all that lowers the number
        class_: str | None = None, # Class that `curve`, `metric` and `what` are about; None: all
        point: str | int | None = None, # Keypoint, by name or number
        above: float | None = None, # Only keypoints, or rows of keypoints, with a larger error
        slice: tuple[Any, str] | None = None, # What `slices` was asked for, and one of its values
    ) -> np.ndarray: # (r,) int64 rows, the worst first
        "Which rows are behind a number, a bar, a cell or a slice; raises `ValueError` for what there is not"
    def view(self,
        slices: Mapping[str, Any] | None = None, # Name → array with a value for each row or object: further columns to slice by
        height: int = 440, # Of the explorer below, in pixels of the screen
    ) -> EvaluationView: # A widget, and an explorer: `flagged`, `selected` and `view` are live
        "Look at it in the notebook: a click, or Enter, on a number, a curve, a cell or a slice shows its rows, the worst first; raises `ImportError` without `anywidget`"
    def __repr__(self) -> str: ...
    def _repr_html_(self) -> str: ...
    def to_pandas(self) -> 'DataFrame': # row, object, what, class, predicted, score, IoU; of keypoints row, class, error, failed
        "A line for each labelled object and each false alarm, or for each row of keypoints; raises `ImportError` without pandas"

def evaluate(
    ds: RowDataset, # Dataset of any kind, some rows of one, or a combined one
    predictions: Sequence[Any] | np.ndarray | Predictions, # For each row, in their order, what a model found, in any form that the explorer takes; None: nothing; of several sets of keypoints the surest is the row's
    *,
    iou: float = 0.5, # Intersection over union from which a box is right: 0.5, 0.55 … 0.95; COCO's AP and AR take them all
    score: float = 0.5, # From which a prediction counts in precision, recall and confusion; COCO's numbers take all
    normalise: Any = 'box size', # What errors of keypoints are divided by: 'box size', 'box diagonal', 'inter-ocular', two points by name or number, or (n,) pixels
    cut: float = 0.08, # Normalised error above which a row has failed
    sigmas: float | Sequence[float] | None = None, # Spread of each keypoint for OKS; None: COCO's for 17 points, else 0.05
    areas: np.ndarray | None = None, # (m,) square pixels of the objects, as COCO has them of masks; None: of their boxes
) -> Evaluation:
    "Evaluate predictions; raises `ValueError` for predictions or options that do not fit, `ImportError` without the extra `evaluate`"

MOST_LINES: int
LOWER_IS_BETTER: tuple[str, ...]

class Comparison:
    "Two models on the same rows; made by `compare`, displayed as tables"
    a: Evaluation
    b: Evaluation
    metrics: dict[str, Change] # name to numbers of a and b, their difference and its interval
    by_class: dict[str, Change] # class to its AP, of keypoints its OKS AP
    better: np.ndarray # (r,) int64 rows that b does better, the most first
    worse: np.ndarray # (r,) int64 rows that b does worse, the most first
    def __init__(self, a: Evaluation, b: Evaluation, metrics: dict[str, Change], by_class: dict[str, Change]) -> None: ...
    @property
    def title(self) -> str:
        "What became better and worse, in a line"
    def __repr__(self) -> str: ...
    def _repr_html_(self) -> str: ...
    def view(self,
        names: Sequence[str] = ..., # Of both models
        slices: Mapping[str, Any] | None = None, # As for `Evaluation.view`
        height: int = 440, # Likewise
    ) -> EvaluationView: # A widget, and an explorer with the predictions of the second model
        "Look at both in the notebook, and at the rows that became better and worse; raises `ValueError` for other than two names, `ImportError` without `anywidget`"

def compare(
    a: Evaluation, # Of the first model, from `ds.evaluate`
    b: Evaluation | Sequence[Any] | Predictions, # Of the second, or its predictions for the same rows
    *,
    resamples: int = 1000, # Draws for the intervals
    confidence: float = 0.95, # Of the intervals
    seed: int = 0, # Of the draws
) -> Comparison:
    "What a second model does better and worse; an interval takes 6 groups of photos or more; raises `ValueError` if both are not evaluated alike on the same rows"
