# Made by .ci/stubs.py of row_dataset.py: do not edit.
import numpy as np
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from datasets import Dataset as HfDataset
from ear_lazy.evaluation import Evaluation
from ear_lazy.lazy_dataset import CombinedLazyDataset
from ear_lazy.loading.sampler import RowSampler
from ear_lazy.loading.samples import Sample
from ear_lazy.stats import Stats
from ear_lazy.suspects import Suspects
from matplotlib.axes import Axes
from pandas import DataFrame
from pathlib import Path
from torch.utils.data import Dataset
from typing import Any, Literal, Self, overload

__all__ = ['RowDataset']

class RowDataset(Dataset[Sample]):
    "Rows, indexed one at a time or as subsets"
    kind: str # 'detector', 'landmarker' or 'teacher'
    num_threads: int | None = ... # to decode a batch; None: one per processor, but in a DataLoader worker 1, or 2 if images are remote and processors are free
    transform: Callable[[Sample], Any] | None = ... # function from a `Sample` to a `Sample`
    label_names: Sequence[str] | None = ... # names that the `labels` of its samples index
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, i: slice | Sequence[int] | np.ndarray) -> Self: ...
    @overload
    def __getitem__(self, i: int | np.integer) -> Sample: ...
    def __iter__(self) -> Iterator[Sample]: ...
    def image_shape(self,
        i: int, # Row
    ) -> tuple[int, int]: # (height, width); (0, 0) if unknown before the image is read
        "Size of the row's image as delivered"
    @overload
    def errors(self, rows: Literal[False] = False) -> dict[str, int]: ...
    @overload
    def errors(self, rows: Literal[True]) -> np.ndarray: ...
    def sampler(self,
        num_samples: int | None = None, # Per epoch, over all processes; None: the number of rows
        seed: int = 0, # 0 or more
        epoch: int = 0, # First epoch
        rank: int | None = None, # Of this process; None: from `torch.distributed` when the sampler is used, or 0
        world_size: int | None = None, # Number of processes; None: from `torch.distributed` when the sampler is used, or 1
        even: bool = False, # Repeat the first few samples until all processes have equally many, as `DistributedDataParallel` needs
    ) -> RowSampler:
        "Rows of an epoch in a random order, in the ratio of `weights`"
    def unlabelled(self) -> RowDataset:
        "Photos below the image root that no metadata file of the run describes, with the options of this dataset but its transform; never to be trained on; raises `RawDataError` if there is no such folder"
    def with_corrections(self,
        corrections: bool | str | os.PathLike[str] | None = True, # As `LazyNPYDataset` takes it; None: without
    ) -> Self:
        "The rows as the journal corrects them now, with the same options; raises `MetadataError` if a run has replaced the file, `EarLazyError` if there is no such journal"
    def __add__(self, other: RowDataset) -> CombinedLazyDataset:
        "Both as one, in order; raises `ValueError` if they are not of one kind"
    def __radd__(self, other: int) -> RowDataset:
        "For `sum`, which begins with 0"
    def get_metadata(self,
        i: int, # Row; negative counts from the end
    ) -> dict[str, Any]: # 'image_path' and 'bboxes', 'keypoints' or 'bbox'
        "A row without its image; opens no image"
    def origin(self,
        i: int, # Row; negative counts from the end
    ) -> list[Any]: # `Origin`s of a landmarker's or teacher's row; for a detector, a list of them for each box; empty where the file does not say
        "Where the objects of a row are annotated: files, and places in them"
    def column(self,
        name: str, # 'source', 'group' (of photos that belong together), 'labels', 'sizes', 'counts' (boxes or keypoints of a row), or a recorded attribute
    ) -> np.ndarray: # (n,) a row, sizes (n, 2); of a detector, labels and attributes are (m,) a box, row after row, and 'counts' tells how many a row has
        "A column of the rows, sources and attributes as text; raises `ValueError` for an unknown one, `MetadataError` for one that the file is too old for"
    def folds(self,
        k: int, # Number of folds, 2 or more
    ) -> list[tuple[Self, Self]]: # k pairs of datasets, train and val; each row is in val once
        "Folds for cross-validation by the recorded groups; raises `ValueError` for fewer groups than folds, `MetadataError` for a file of before groups were recorded"
    @property
    def point_names(self) -> tuple[str, ...] | None:
        "Names of the K keypoints; None if nobody knows; raises `ValueError` if rows differ"
    @property
    def skeleton(self) -> tuple[tuple[int, int], ...] | None:
        "Pairs of keypoints that a line joins; None if nobody knows; raises `ValueError` if rows differ"
    @property
    def flip_pairs(self) -> tuple[tuple[int, int], ...] | None:
        "Pairs of a left and a right keypoint, which `Flip` swaps; None if nobody knows; raises `ValueError` if rows differ"
    def __getitems__(self, indices: Sequence[int]) -> list[Sample]:
        "Samples of some rows, called by `DataLoader`; skipped rows are left out, but if all are skipped, returns one `Skipped`"
    def get_batch(self,
        indices: slice | Iterable[int], # Rows: a range, a slice, a list, an array, or booleans for all rows
        num_threads: int | None = None, # To decode with; None: the dataset's setting
    ) -> dict[str, Any]: # The same keys and values as a batch of a `DataLoader`
        "Samples of some rows as a batch"
    def drop(self,
        rows: int | Sequence[int] | np.ndarray, # Row numbers, one or several, or booleans for all rows
    ) -> Self:
        "A dataset without some rows"
    def where(self,
        chosen: Any = None, # Booleans, one for each row or each object, or a table of `to_pandas` or `to_polars` with some of its lines
        *,
        source: str | Sequence[str] | None = None, # Raw datasets, by name
        label: str | Sequence[str] | None = None, # Classes, by name; '' is no class
        size: Sequence[float | None] | None = None, # (least, most) size of a box, which is the square root of its area in pixels; of keypoints that of their extent; None: no bound
        split: str | Sequence[str] | None = None, # 'train', 'val', 'test'
        **attributes: str | Sequence[str], # Recorded attributes, and which values are asked for
    ) -> Self:
        "A dataset over the rows that meet all conditions, those about objects by one and the same object; raises `ValueError` or `TypeError` for what no row could meet"
    def next_to_label(self,
        predictions: Sequence[Any] | None = None, # An entry for each row, as `explore` takes them, with scores
        embeddings: Any = None, # (n, d) array or tensor, a vector for each row from any model; NaN where there is none
        n: int = 100, # Most rows to choose
        *,
        uncertainty: Sequence[float] | np.ndarray | None = None, # (n,) of your own, 0 or more, in place of `predictions`
        labelled: Any = None, # (k, d) embeddings of photos that are labelled, to choose others than these
        seed: int = 0, # Of the random choice among equals
    ) -> np.ndarray: # (≤ n,) int64 rows, the most useful first; fewer if there are no more photos
        """Rows to label next, by how unsure a model is and how unlike they are, one of each photo and its copies

    A walk through them, with what the model found: `rows = photos.next_to_label(predictions, n=100)`, then
    `explore(photos[rows], [predictions[i] for i in rows], edit=True).sort_by('row')`. `photos` may be `ds.unlabelled()`.

    Raises `ValueError` where predictions or embeddings do not fit the rows, or predictions have no scores."""
    def similar(self,
        row: int | Sequence[float] | np.ndarray, # Row, negative counts from the end; or an embedding (d,), such as that of a text
        embeddings: Any, # (n, d) array or tensor, a vector for each row from any model; NaN where there is none
        n: int = 50, # Most rows to return
    ) -> np.ndarray: # (≤ n,) int64 rows, the likest first (the row itself), those without an embedding last
        "Rows whose embeddings are most like one, by their cosine; raises `ValueError` for embeddings that do not fit, `IndexError` for a row that is not there"
    def to_coco(self,
        path: str | os.PathLike[str], # JSON file to write
        images: Literal['link', 'copy'] | None = None, # 'link' or 'copy' them beside the file, which is then read from anywhere; None: refer to where they are, which is read where a raw folder holds both
    ) -> Path: # The file
        "Write the rows as a COCO file"
    def to_yolo(self,
        folder: str | os.PathLike[str], # Folder to make
        images: Literal['link', 'copy'] = 'link', # How images come into the folder
    ) -> Path: # The folder
        "Write the rows as the side train of a YOLO folder; `to_yolo({'train': …, 'val': …}, folder)` in `ear_lazy.export` writes what training asks for"
    def to_csv(self,
        path: str | os.PathLike[str], # CSV file to write
        images: Literal['link', 'copy'] | None = None, # 'link' or 'copy' them beside the file; None: refer to where they are
        defuse: bool = True, # Put an apostrophe before names that a spreadsheet would run as a formula; False: write them as they are
    ) -> Path: # The file
        "Write the rows as a table of boxes; raises `ValueError` for keypoints"
    def to_voc(self,
        folder: str | os.PathLike[str], # Folder to make
        images: Literal['link', 'copy'] | None = None, # 'link' or 'copy' them into `JPEGImages/`; None: refer to where they are
        integers: bool = False, # Round corners, for tools that read no fractions
    ) -> Path: # The folder
        "Write the rows as Pascal VOC files; raises `ValueError` for keypoints"
    def to_labelme(self,
        folder: str | os.PathLike[str], # Folder to make
        images: Literal['link', 'copy'] | None = None, # 'link' or 'copy' them beside the files; None: refer to where they are
    ) -> Path: # The folder
        "Write the rows as LabelMe files"
    def to_pts(self,
        folder: str | os.PathLike[str], # Folder to make
        images: Literal['link', 'copy'] | None = None, # 'link' or 'copy' them beside the files; None: the files alone
        offset: float = 0.0, # Pixels to add to x and y: 1 for tools that count from 1
    ) -> Path: # The folder
        "Write the rows as `.pts` files of keypoints; raises `ValueError` for boxes"
    def to_hf(self) -> 'HfDataset':
        "The rows as a Hugging Face dataset"
    def to_pandas(self,
        points: bool = False, # Also a column `keypoints`: a (K, 3) array for each row
    ) -> 'DataFrame':
        "One line for each object, and one for each photo without; raises `ImportError` without pandas and pyarrow"
    def to_polars(self,
        points: bool = False, # Also a column `keypoints`: lists of [x, y, visibility]
    ) -> Any: # `polars.DataFrame`
        "One line for each object, and one for each photo without; raises `ImportError` without Polars and pyarrow"
    def to_supervision(self) -> Any: # `supervision.DetectionDataset`, or a dict from path to `KeyPoints`
        "The rows as a supervision dataset"
    def show(self,
        i: int = 0, # Row
        ax: 'Axes|None' = None, # Axes to draw on; None makes a figure
        **kwargs: Any, # For `show_image`
    ) -> 'Axes':
        "Show a row's image with its boxes or keypoints, and with their classes if samples have `labels`"
    def show_batch(self,
        max_n: int = 9, # Rows to show
        ncols: int = 3, # Columns of the grid
        figsize: Sequence[float] | None = None, # (width, height) of the figure in inches
        imsize: float = 3, # Inches per cell, if `figsize` is None
        title: str | None = None, # The same text above each; None: the names of the files
        label_names: Sequence[str] | None = None, # Names that `labels` count in; None: those of the dataset
    ) -> np.ndarray: # Array of axes, one per cell of the grid
        "Show the first rows in a grid, with classes if samples have `labels`"
    def stats(self) -> 'Stats':
        "Tables of rows by source, boxes per image, box sizes and positions, image sizes and keypoints"
    def plot_stats(self,
        **kwargs: Any, # For `ear_lazy.stats.plot_stats`
    ) -> np.ndarray: # Array of axes
        "Plot the statistics"
    def suspects(self,
        predictions: Sequence[Any] | np.ndarray | None = None, # An entry for each row, as `explore` takes them; best of models that have not seen the row: see `predict_by_folds`
        **options: Any, # `kinds` for some kinds only, `images=True` to look at the photos as well: see `ear_lazy.suspects.suspects`
    ) -> 'Suspects':
        "What is likely wrong, the likeliest first, with reasons and what would be right; raises `ValueError` for predictions that do not fit"
    def evaluate(self,
        predictions: Any, # For each row what a model found, in any form that the explorer takes; None: nothing
        **options: Any, # For `ear_lazy.evaluation.evaluate`: iou, score, normalise, cut, sigmas, areas
    ) -> 'Evaluation':
        "How good predictions are: COCO's numbers, errors of keypoints, curves, confusion, slices, and the rows behind each; raises `ImportError` without the extra `evaluate`"
