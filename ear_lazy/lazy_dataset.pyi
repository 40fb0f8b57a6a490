# Made by .ci/stubs.py of lazy_dataset.py: do not edit.
import numpy as np
import os
from collections.abc import Callable, Iterable, Sequence
from ear_lazy.base.errors import ImageLoadError
from ear_lazy.base.images import OpenImage
from ear_lazy.base.storage import TIMEOUT_SECONDS
from ear_lazy.loading.cache import Cache, CacheInfo
from ear_lazy.loading.corrected import Corrected
from ear_lazy.loading.row_dataset import RowDataset
from ear_lazy.loading.samples import Sample as Sample, collate as collate
from torch.utils.data import Dataset
from typing import Any, Literal

__all__ = ['LazyNPYDataset', 'CombinedLazyDataset']

class LazyNPYDataset(RowDataset):
    "A metadata file as a PyTorch dataset; raises `MetadataError` if the file is not one"
    split: str # 'train', 'val', 'test' or ''
    image_size: tuple[int, int] | None # (height, width) that images come out at
    extras: tuple[str, ...]
    corrections: Corrected | None = ... # what the journal has come to; None: it was not asked for
    image_loader: Literal['pil', 'cv2', 'turbo', 'auto']
    max_pixels: int | None
    trust_files: bool
    resize: Literal['letterbox', 'stretch']
    on_error: Any
    download_cache: int
    metadata: Any
    root: str
    def __init__(self,
        npy_path: str | os.PathLike[str], # File made by `DataProcessor`, or its URL
        cache_size: int | None = None, # Most decoded samples to keep (LRU); None: none, or with `cache_bytes` as many as it allows
        image_loader: Literal['pil', 'cv2', 'turbo', 'auto'] = 'pil', # 'turbo' is fastest and needs `pip install 'ear_lazy[turbo]'`; 'auto': 'turbo' where it is installed, else 'pil'
        root_dir: str | os.PathLike[str] | None = None, # Folder, or its URL, that image paths are relative to; None: the one recorded in the file
        extras: str | Iterable[str] = (), # More keys: 'labels' (indices into `label_names`), 'bbox' (landmarker: the annotated box; NaN: none), 'row', 'source', 'origin'
        image_size: Sequence[int] | None = None, # (height, width) that images come out at, and boxes and points; None: as they are
        resize: Literal['letterbox', 'stretch'] = 'letterbox', # With `image_size`: 'letterbox' keeps proportions and adds black bars, 'stretch' does not
        num_threads: int | None = None, # To decode a batch; None: one per processor, but in a DataLoader worker 1, or 2 if images are remote and processors are free
        cache_bytes: int | str | None = None, # Most memory of decoded samples to keep in each process, such as '500MB'
        cache: Cache | None = None, # A `SharedCache` to keep samples in for all workers, or a `DiskCache` for later runs too, instead of one in each process
        on_error: Literal['raise', 'skip'] | Callable[[ImageLoadError], Sample | None] = 'raise', # 'raise', 'skip', or a function of an `ImageLoadError` that gives a `Sample` or None
        max_pixels: int | None = None, # Most pixels of an image; its file may take 4 bytes for each, and some for metadata; None: Pillow's limit
        allow_outside_root: bool = False, # Trust a file from elsewhere: its root may be far away; absolute paths, `..` and links may leave it
        transform: Callable[[Sample], Any] | None = None, # Function from a `Sample` to a `Sample`, called anew each time, after the cache
        download_cache: int | str = 0, # Most bytes of remote images to keep on the local disk, such as '50GB'
        trust_files: bool = False, # Images never change: cached samples are used without a look at their files
        timeout: float = TIMEOUT_SECONDS, # Seconds after which a remote file is given up (60, or EAR_LAZY_TIMEOUT); more for a large one
        label_names: Iterable[str] | None = None, # Class names that labels are to count in, after '' for none; None: those of the file
        corrections: bool | str | os.PathLike[str] | None = None, # True: as the journal beside the folder of the file corrects it, if there is one; or the path of a journal
    ) -> None: ...
    def check_inside(self,
        name: str, # Path of an image relative to the root
    ) -> None:
        "Raises `MetadataError` if a name leads out of the root; a first look, before the image is opened"
    @property
    def source_names(self) -> list[str]:
        "Raw datasets that the rows are from, as folders relative to the raw folder"
    @property
    def label_names(self) -> list[str]:
        "Class names that the `labels` of its samples index"
    def open_image(self,
        row: int, # Row of the metadata file
    ) -> OpenImage: # To be decoded once
        "Read the image of a row; raises `ImageLoadError`, and `MetadataError` if it is outside of the root"
    def open_file(self,
        row: int, # Row of the metadata file
    ): # Binary file, to be closed
        "The image file of a row, to copy it; raises `ImageLoadError`, and `MetadataError` if it is outside of the root"
    def stored_turn(self,
        row: int, # Row of the metadata file
    ) -> tuple: # EXIF orientation, 1 to 8, and (height, width) of the stored picture
        "Orientation and size from the header of a row's image; raises `ImageLoadError`, and `MetadataError` if it is outside of the root"
    def cache_info(self) -> CacheInfo:
        "Hits, misses, size and fill of the cache: of this process only, or of all users of a `SharedCache`"
    def cache_clear(self) -> None:
        "Forget all decoded samples"
    def warm_cache(self,
        num_threads: int | None = None, # To decode with; None: one per processor
        progress: bool = True, # Show a progress bar
    ) -> int: # Rows whose images cannot be read: `errors` or reading them tells why
        "Decode what the cache does not hold yet; warns where it cannot hold all"
    def image_shape(self,
        i: int, # Row
    ) -> tuple[int, int]: # (height, width); (0, 0) where that is not known yet
        "Size of the row's image as delivered; opens no image"
    def __repr__(self) -> str: ...
    def _repr_html_(self) -> str: ...

class CombinedLazyDataset(RowDataset):
    "Several datasets as one, in order"
    datasets: list[Any]
    label_names: list[str]
    weights: Sequence[float] | np.ndarray | None
    def __init__(self,
        datasets: Iterable[Dataset[Any]], # `LazyNPYDataset`s or others with their methods
        transform: Callable[[Sample], Any] | None = None, # Function from a `Sample` to a `Sample`, after those of the datasets
        weights: Sequence[float] | np.ndarray | None = None, # Share of each dataset in what `sampler` draws, in any unit; None: in proportion to its rows
    ) -> None: ...
    def __repr__(self) -> str: ...
    def image_shape(self,
        i: int, # Row
    ) -> tuple[int, int]: # (height, width); (0, 0) where that is not known yet
        "Size of the row's image as delivered"
    def cache_info(self) -> CacheInfo:
        "The sum over the caches of all datasets; a shared one counts once"
    def cache_clear(self) -> None:
        "Forget all decoded samples"
    def warm_cache(self,
        num_threads: int | None = None, # To decode with; None: one per processor
        progress: bool = True, # Show a progress bar of each dataset
    ) -> int: # Rows whose images cannot be read: `errors` or reading them tells why
        "Decode what the caches of the datasets do not hold yet; warns where they cannot hold all"
    def _repr_html_(self) -> str: ...

def sign_of(dataset: RowDataset) -> str:
    "A text that differs where datasets do: of the names and values of up to 64 rows, wherever the images are"

def photos_in(
    folder: str | os.PathLike[str], # Or its URL
) -> LazyNPYDataset:
    "All photos below a folder, as rows without annotation; raises `RawDataError` if there is none"
