"The calls of the README in the order of its tables, as a training program has them; never run, only checked"
import shutil
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, assert_type

import numpy as np
from torch.utils.data import DataLoader

import ear_lazy
from ear_lazy import CombinedLazyDataset as Combined, EarLazyError, collate
from ear_lazy.adapters import albumentations_transform, as_detection_target, as_tv_tensors
from ear_lazy.corrections import Corrections
from ear_lazy.data_processor import DataProcessor, Source
from ear_lazy.diff import diff
from ear_lazy.errors import ImageLoadError, MetadataError
from ear_lazy.evaluation import Comparison, Evaluation, compare
from ear_lazy.explorer import explore
from ear_lazy.export import to_yolo
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset, Sample
from ear_lazy.rewrite import added, changed, deleted, rewrite
from ear_lazy.disk_cache import DiskCache
from ear_lazy.shared_cache import SharedCache
from ear_lazy.show import show_batch
from ear_lazy.stats import compare_splits
from ear_lazy.suspects import Suspects, predict_by_folds
from ear_lazy.synthetic import plant_mistakes
from ear_lazy.transforms import Compose, Crop, Flip, Letterbox

# From a folder to a batch
processor = DataProcessor(raw_data_dir='ear_lazy_demo/raw', output_dir='ear_lazy_demo/preprocessed', progress=False)
report = processor.process_all(train_split=0.8, include_teacher=True)
print(report)

ds = LazyNPYDataset('ear_lazy_demo/preprocessed/train_detector.npy', cache_size=100)
sample = ds[0]
assert_type(sample, Sample)
for s in ds: assert_type(s, Sample)
print(len(ds), sample.keys(), sample['image'].shape, sample['bboxes'])

loader = DataLoader(ds, batch_size=8, shuffle=True, num_workers=2)
for batch in loader:
    images, bboxes, paths = batch['image'], batch['bboxes'], batch['image_path']
    show_batch(batch)

ds.show_batch(max_n=3)

# Look through it
shutil.copytree('ear_lazy_demo/raw', 'mistakes/raw', dirs_exist_ok=True)
plant_mistakes('mistakes/raw')
plant_mistakes(Path('mistakes/raw'))
DataProcessor('mistakes/raw', 'mistakes/preprocessed', progress=False).process_all()

w = explore(ds)
clean = ds.drop(w.flagged)
assert_type(clean, LazyNPYDataset)
predicted: list[np.ndarray] = [np.zeros((1, 4))] * len(ds)
w = explore(ds, predictions=predicted, transform=Letterbox((256, 256)), report=report)

# From raw data to metadata
DataProcessor('data/raw', 'data/preprocessed').process_all()
DataProcessor(Path('data/raw'), Path('data/preprocessed')).process_all()
processor.process_detector()
processor.process_landmarker(train_split=.9)
processor.process_teacher()
processor.process(['detector'], .7)
processor.process('detector')
for found in processor.sources(): print(found.name, found.format, found.images, found.classes, found.problems)
DataProcessor(sources=[Source('folder', format='yolo', kind='detector')])
DataProcessor(sources=Source('folder', columns={'image': 'photo', 'x': 'left edge', 'y': 'top edge', 'w': 'width', 'h': 'height'}))
DataProcessor(sources=[Source('folder', columns={'image': 0, 'x': 1, 'y': 2, 'w': 3, 'h': 4}), Source('list', numbers='xywh', units='fraction', encoding='gb18030')])
DataProcessor(classes=['ear'], keypoints=55)
DataProcessor(classes='ear', num_workers=0, flush_every=1, batch_size=1000)
DataProcessor(split='folder')
DataProcessor(split='splits.csv')
processor.process_all(test_split=0.1)
DataProcessor(group_by=r'(person\d+)')
def person_of(path: str) -> str: return path.partition('_')[0]
DataProcessor(group_by=person_of)
DataProcessor(check_duplicates=True)
DataProcessor(keep_together=True)
DataProcessor(check_images=True)
executor = ProcessPoolExecutor()
DataProcessor(executor=executor)
DataProcessor(executor=executor, shared_storage=True)
DataProcessor(force=True, strict=True)
if processor.report is not None:
    for problem in processor.report.problems.where(reason='outside'): print(problem, problem.file, problem.image)
print(report.outputs[0].file, report.sources['detector/heads_csv'].boxes.kept, report.seconds, report.unchanged)

# From metadata to samples
image: np.ndarray = LazyNPYDataset('train_detector.npy')[0]['image']
LazyNPYDataset(Path('train_detector.npy'), root_dir=Path('data/raw'))
labels = LazyNPYDataset('train_detector.npy', extras=('labels',))[0]['labels']
LazyNPYDataset('train_detector.npy', extras=['labels', 'row'])
LazyNPYDataset('train_detector.npy', extras='labels')
names: list[str] = [ds.label_names[int(o)] for o in labels]
annotation = ds.get_metadata(0)
print(annotation['image_path'], annotation['bboxes'].shape)
assert_type(ds[10:20], LazyNPYDataset)
assert_type(ds[[3, 5]], LazyNPYDataset)
assert_type(ds[np.array([3, 5])], LazyNPYDataset)
assert_type(ds[range(3)], LazyNPYDataset)
assert_type(ds[np.int64(3)], Sample)
ds.get_batch(range(32))['image']
ds.get_batch(slice(0, 32))
ds.get_batch([0, 1, 2])
ds.get_batch(np.arange(8))
train_ds, val_ds = LazyNPYDataset('train.npy', cache_size=50), LazyNPYDataset('val.npy')
both = CombinedLazyDataset([train_ds, val_ds])
assert_type(both[0], Sample)
assert_type(both[10:20], Combined)
LazyNPYDataset('train_detector.npy', image_loader='cv2')
LazyNPYDataset('train_detector.npy', root_dir='/where/they/are/now')
LazyNPYDataset('s3://bucket/data/preprocessed/train_detector.npy', download_cache='50GB')
LazyNPYDataset('train_detector.npy', root_dir='s3://bucket/data/raw')
DataProcessor('s3://bucket/raw', 's3://bucket/preprocessed')
kind: str = ds.kind
hits: int = ds.cache_info().hits

# Into training
mixed = CombinedLazyDataset([train_ds, val_ds], weights=[3, 1])
sampler = mixed.sampler(seed=0)
loader = DataLoader(mixed, sampler=sampler, batch_size=32, collate_fn=collate)
sampler.set_epoch(1)
for batch in sampler.consumed(loader): print(batch['image'])
state = sampler.state_dict()
sampler.load_state_dict(state)
train_ds.sampler(num_samples=100, seed=0, epoch=1, rank=0, world_size=2, even=True)
LazyNPYDataset('train.npy', image_size=(256, 256), resize='stretch')
LazyNPYDataset('train.npy', image_size=[256, 256])
def darker(sample: Sample) -> Sample:
    sample['image'] = sample['image'] // 2
    return sample
LazyNPYDataset('train.npy', transform=darker)
LazyNPYDataset('train.npy', transform=Compose([Flip(), Crop(scale=(.5, 1)), Letterbox((256, 256))]))
LazyNPYDataset('train.npy', transform=Compose([Flip(p=.5, pairs=[(0, 1), (2, 3)], seed=1), Crop(size=(64, 64), min_visible=.3), darker]))
def with_albumentations(pipeline: Any) -> LazyNPYDataset: return LazyNPYDataset('train.npy', transform=albumentations_transform(pipeline))
def with_torchvision(pipeline: Callable[[Any], Any]) -> LazyNPYDataset: return LazyNPYDataset('train.npy', transform=as_tv_tensors(pipeline))
LazyNPYDataset('train.npy', transform=as_tv_tensors())
LazyNPYDataset('train.npy', cache_bytes='500MB')
LazyNPYDataset('train.npy', cache_bytes=500_000_000)
info = ds.cache_info()
print(info.hits, info.misses, info.maxsize, info.currsize)
ds.cache_clear()
LazyNPYDataset('train.npy', cache=SharedCache('2GB'))
missing: int = LazyNPYDataset('train.npy', image_size=(256, 256), cache=DiskCache('50GB')).warm_cache()
ds.get_batch(range(32), num_threads=2)
LazyNPYDataset('train.npy', num_threads=2)

# Look, choose, hand over
flagged: list[int] = w.flagged
w.flagged = [1, 2]
w.save_flags('flags.json')
w.load_flags(Path('flags.json'))
grid = w.static(24)
w.show_only([1, 2, 3]).sort_by('size', descending=True)
w.show_only(lambda row: len(row['bboxes']) > 1)
view: np.ndarray = w.view
statistics = ds.stats()
print(statistics.rows, statistics.classes)
axes = ds.plot_stats()
comparison = compare_splits(train_ds, val_ds)
print(comparison.skewed, comparison['boxes an image'].distance)
assert_type(ds.drop([3, 5]), LazyNPYDataset)
assert_type(both.drop(3), Combined)
ds.show(0)
ds[0].show()
ds.show_batch(max_n=9)
# What the file says of rows
origins: list[Any] = ds.origin(0)
landmarks = LazyNPYDataset('train_landmarker.npy', extras=['origin', 'source', 'labels', 'bbox'], label_names=['head', 'ear'])
assert_type(landmarks.point_names, tuple[str, ...] | None)
assert_type(landmarks.flip_pairs, tuple[tuple[int, int], ...] | None)
assert_type(landmarks.skeleton, tuple[tuple[int, int], ...] | None)
groups: np.ndarray = both.column('group')
train, val = ds.folds(5)[0]
assert_type(train, LazyNPYDataset)
assert_type(both.folds(5)[0][1], Combined)

coco: Path = ds.to_coco('coco.json')
ds.to_coco(Path('coco.json'), images='copy')
yolo: Path = ds.to_yolo('yolo', images='link')
yolo = to_yolo({'train': train, 'val': val}, 'yolo')
table: Path = ds.to_csv(Path('boxes.csv'))
files: list[Path] = [ds.to_voc('voc', images='copy'), ds.to_labelme('labelme'), ds.to_pts(Path('pts'), offset=1)]
rewritten = rewrite('data/raw', [changed(ds, 0, 1, box=[10, 20, 30, 40], label='ear'), added(ds, 3, box=[1, 2, 3, 4]), deleted(ds, 5)], 'corrected')
assert_type(rewritten.files, tuple[str, ...])
c = Corrections.of(ds)
ids: list[str] = c.add([changed(ds, 0, 0, box=[60, 80, 40, 70]), added(ds, 1, box=[5, 8, 40, 60], label='ear')], note='too narrow; overlooked')
ids = c.ok(ds, [1, 2])
line: str = c.undo(ids)
exported, taken = c.export('corrected_raw').left, c.take('edited_raw').ids
assert_type(exported, tuple[str, ...])
assert_type(taken, tuple[str, ...])
ds.to_hf()
ds.to_supervision()
ds.to_pandas()
ds.to_polars()

detection = as_detection_target()
DataLoader(LazyNPYDataset('train.npy', extras='labels', transform=detection), batch_size=2, collate_fn=detection.collate)

# The names of the package, and the errors
ear_lazy.LazyNPYDataset('train.npy')
ear_lazy.DataProcessor().process_all()
ear_lazy.explore(both)
ear_lazy.CombinedLazyDataset([ds])
def skipped(error: ImageLoadError) -> Sample | None:
    print(error.path, error.row, error.reason, error.fault)
    return None
LazyNPYDataset('train.npy', on_error='skip').errors()
ds.drop(ds.errors(rows=True))
assert_type(len(ds.unlabelled()), int)
explore(ds.unlabelled()), explore('data/raw'), explore(ds, edit=True), explore('photos', edit=True)
LazyNPYDataset('train.npy', corrections=True)

# Find wrong labels
suspects = ds.suspects()
assert_type(suspects, Suspects)
Corrections.of(ds).add(suspects[:30].changes())
explore(ds, suspects=ds.suspects(images=True))
for suspect in suspects.of('size', 'place'): print(suspect.row, suspect.reason)
suspects.to_pandas()
delivered: list[Any] = [{'boxes': np.zeros((1, 4)), 'scores': [.9]}]*len(ds)
def fit(some: Any) -> int: return len(some)
def predict(model: int, some: Any) -> list[dict[str, Any]]: return delivered[:len(some)]
ds.suspects(predict_by_folds(ds, fit, predict))
assert_type(ds.evaluate(delivered), Evaluation)
assert_type(compare(ds.evaluate(delivered), ds.evaluate(predicted)), Comparison)
explore(ds[ds.next_to_label(delivered, n=20)], edit=True)
differences = diff('before', Path('data/preprocessed'), root_dir='data/raw')
assert_type(differences.counts, dict[str, dict[str, int]])
print(len(differences), differences.text(None), differences.to_json(), [o['photo'] for o in differences.changes('detector')])
LazyNPYDataset('train.npy', on_error=skipped, max_pixels=10**8, allow_outside_root=True)
try: ds[0]
except ImageLoadError as e: print(e.path, e.row)
except MetadataError as e: print(e.path)
except EarLazyError as e: print(e)
