"Image annotations as small metadata files, images loaded lazily, in Jupyter and PyTorch"
__version__ = "0.1.0"

# What most users need, imported when it is asked for: `import ear_lazy` takes no time, and the command line needs no torch.
_MODULE_OF = {
    'DataProcessor': 'data_processor', 'Source': 'data_processor', 'LazyNPYDataset': 'lazy_dataset', 'CombinedLazyDataset': 'lazy_dataset',
    'collate': 'lazy_dataset', 'SharedCache': 'shared_cache', 'explore': 'explorer', 'EarLazyError': 'errors'}
__all__ = list(_MODULE_OF)

TYPE_CHECKING = False # editors and type checkers take it for true, and complete the names
if TYPE_CHECKING:
    from ear_lazy.data_processor import DataProcessor as DataProcessor, Source as Source
    from ear_lazy.errors import EarLazyError as EarLazyError
    from ear_lazy.explorer import explore as explore
    from ear_lazy.lazy_dataset import CombinedLazyDataset as CombinedLazyDataset, LazyNPYDataset as LazyNPYDataset, collate as collate
    from ear_lazy.shared_cache import SharedCache as SharedCache


def __getattr__(name):
    if name not in _MODULE_OF: raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from importlib import import_module
    return getattr(import_module(f'{__name__}.{_MODULE_OF[name]}'), name)


def __dir__(): return sorted({*globals(), *__all__})
