# Made by .ci/stubs.py of suspects.py: do not edit.
import numpy as np
from collections.abc import Iterable, Iterator, Sequence
from ear_lazy.base.change import Change
from ear_lazy.measuring.findings import Finding, Ranked, Suggestion
from ear_lazy.measuring.labelled import Labelled
from ear_lazy.measuring.out_of_sample import predict_by_folds as predict_by_folds
from pandas import DataFrame
from typing import Any, NamedTuple, overload

__all__ = ['Suspect', 'Suspects', 'suspects']

class Suspect(NamedTuple):
    "An object, photo, or something that is missing, which is likely wrong"
    row: int # of the dataset
    object: int | None # its number in the row; None: none, as of a photo or of something that is missing
    point: int | None # number of the keypoint, from 0; None: all of the object
    kind: str # what is wrong, such as 'point off'
    score: float # 0 to 1: how likely it is wrong; at 0.5 as likely as not
    reason: str # why, in words
    suggestion: Suggestion | None # what to do; None: nobody knows

class Suspects(Sequence[Suspect]):
    "Suspects of a dataset, the likeliest first; displayed as a table"
    ds: Any # `RowDataset` whose rows they are
    def __init__(self, a: Labelled, findings: Sequence[Finding], ranking: Ranked | None = None) -> None: ...
    def __len__(self) -> int: ...
    @property
    def row(self) -> np.ndarray: # (k,) int64
        "Row of each"
    @property
    def object(self) -> np.ndarray: # (k,) int64; -1: none, as of a photo or of something that is missing
        "Number of each object in its row"
    @property
    def point(self) -> np.ndarray: # (k,) int64; -1: all of the object
        "Number of the keypoint"
    @property
    def kind(self) -> np.ndarray: # (k,) texts
        "What is wrong with each"
    @property
    def score(self) -> np.ndarray: # (k,) float64, 0 to 1
        "How likely each is wrong; at 0.5 as likely as not"
    @property
    def rows(self) -> list[int]:
        "Their rows, each once, the likeliest first"
    @overload
    def __getitem__(self, i: int) -> Suspect: ...
    @overload
    def __getitem__(self, i: slice | Sequence[int] | np.ndarray) -> 'Suspects': ...
    def __iter__(self) -> Iterator[Suspect]: ...
    def reason(self, i: int) -> str:
        "Why one is a suspect, in words"
    def suggestion(self, i: int) -> Suggestion | None:
        "What to do about one; None: nobody knows, it is so already, or no correction can be told, as of numbers that are not finite"
    def of(self,
        *kinds: str, # Such as 'point off'
    ) -> Suspects:
        "Those of some kinds; raises `ValueError` for a kind that there is not"
    def changes(self) -> list[Change]: # For `Corrections.add` or `rewrite`
        "What is suggested, of those for which something is; of rows that are repeated, once for each object"
    def __repr__(self) -> str: ...
    def _repr_html_(self) -> str: ...
    def to_pandas(self) -> DataFrame:
        "One line for each, with its photo, reason and what is suggested in words; takes a while for many: choose some first"

def suspects(
    ds: Any, # Dataset of any kind
    predictions: Sequence[Any] | np.ndarray | None = None, # An entry for each row, as `explore` takes them; best of models that have not seen the row: see `predict_by_folds`
    *,
    kinds: str | Iterable[str] | None = None, # Only these, such as 'point off'; None: all
    images: bool = False, # Also look at the photos: dark, blurred, tiny, blank, copies that are annotated differently; each is decoded once
) -> Suspects:
    "What is likely wrong in a dataset, the likeliest first, without what the journal of corrections says was corrected or looked at and right; raises `ValueError` for a kind that there is not, or predictions that do not fit"
