# Made by .ci/stubs.py of evaluation_view.py: do not edit.
import numpy as np
from collections.abc import Mapping, Sequence
from ear_lazy.explorer import Explorer
from typing import Any

EVALUATION_MODULES: tuple[str, ...]

def evaluation_page() -> tuple: # JavaScript, CSS
    "The page in the form that `anywidget` needs"

class EvaluationView(Explorer):
    "Numbers of one evaluation, or of two beside each other, and an explorer of the rows behind them; made by `Evaluation.view` and `Comparison.view`"
    evaluations: Sequence[Any] # one `Evaluation`, or two; predictions that are drawn are of the last
    shown: dict[str, Any] | None # what is shown: the question that was asked, and its words
    comparison: Any
    names: Any
    own_slices: Any
    def __init__(self, evaluations: Sequence[Any], comparison: Any = None, names: Sequence[str] = ..., slices: Mapping[str, Any] | None = None) -> None: ...
    def __repr__(self) -> str: ...
    def _repr_mimebundle_(self, **kwargs: Any):
        "The widget, and its tables where no JavaScript runs, as on GitHub"
    def rows_behind(self,
        **question: Any, # Such as `confusion=('ear', 'background')`, as for `Evaluation.rows`
    ) -> np.ndarray: # (r,) worst first
        "The rows that a click leads to; raises `ValueError`, `KeyError` or `TypeError` for what nobody can answer"
    def show_rows(self,
        **question: Any, # As for `rows_behind`
    ) -> EvaluationView:
        "Show in the explorer what a click on a number would"

HEIGHT: int

def view_of(
    evaluations: Sequence[Any], # One `Evaluation`, or two of the same rows
    comparison: Any = None, # `Comparison` of two
    names: Sequence[str] = ..., # Of the evaluations
    slices: Mapping[str, Any] | None = None, # Name → array, (n,) of the rows or (m,) of the objects: further columns to slice by
    height: int = HEIGHT, # Of the explorer in pixels of the screen
) -> EvaluationView:
    "The widget; raises `ImportError` without `anywidget`"
