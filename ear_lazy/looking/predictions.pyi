# Made by .ci/stubs.py of predictions.py: do not edit.
import numpy as np
from collections.abc import Sequence
from ear_lazy.loading.row_dataset import RowDataset
from ear_lazy.looking.predicted import Predicted
from typing import Any

def on_photo(
    found: Predicted, # In pixels of the frame
    frame: Any, # From `read_prediction`
    leaf: Any, # `LazyNPYDataset`
    i: int, # Row of its file
) -> Predicted: # In pixels of the photo
    "A prediction, on the photo of its row; raises `ValueError` for one of an image of another size"

def moves_nothing(
    transform: Any, # Of a dataset
) -> bool:
    "Does a transform leave all pixels where they are, as `as_detection_target()` does?"

def iou(
    a, # (..., 4) xywh
    b, # (..., 4) xywh
) -> np.ndarray: # (...) 0 to 1
    "Intersection over union of boxes"

def overlaps(
    n, # (rows,) boxes of each row, (t, 4) xywh and (t,) classes of all
    boxes, # (rows,) boxes of each row, (t, 4) xywh and (t,) classes of all
    labels, # (rows,) boxes of each row, (t, 4) xywh and (t,) classes of all
    m, # The same of predictions
    found, # The same of predictions
    classes, # The same of predictions
) -> tuple: # (k,) box, (k,) prediction, (k,) intersection over union above 0
    "Pairs of a box and a prediction of one row and class that overlap; a class 0 is like any"

def worst_ious(
    n, # (rows,) boxes and predictions of each row
    m, # (rows,) boxes and predictions of each row
    pairs, # From `overlaps`
    counts, # (all predictions,) booleans: which count
) -> np.ndarray: # (rows,) 1 if all agree, or if there are none of either
    "Intersection over union of the worst-matched box of each row"

def keypoint_error(
    truth, # (K, 3) [x, y, visibility]
    predicted, # (K, 2), or (K, 3) of which those with a 0 last were not found
) -> float: # NaN if nothing is labelled; infinite if nothing of that was found
    "Mean distance to labelled points, divided by the square root of the area of their extent"

class Predictions:
    "Predictions for all rows, in pixels of the photos, with a score for each row"
    ds: RowDataset
    name: str
    threshold: float
    counts: Any
    boxes: Any
    values: Any
    labels: Any
    def __init__(self,
        values: Sequence[Any] | np.ndarray, # One entry per row; None means empty
        ds: RowDataset, # Dataset of the rows
    ) -> None: ...
    def __getitem__(self, row) -> Predicted:
        "`Predicted` in pixels of the photo"
    @property
    def has_scores(self) -> bool: ...
    @property
    def scores(self):
        "(n,) worst IoU, or keypoint error"
    def words(self, row) -> str:
        "Such as 'IoU 0.532'"

def joined_fields(
    values, # One entry per row; None means empty
): # (n,) int64 objects of each row, and a dict as one entry would be; None if they are not all dicts of the same fields, without keypoints
    "Boxes, labels and scores of all rows, one after another"
