"Mistakes that a checker has to find, on the lines that say so; never run, only checked"
from ear_lazy import CombinedLazyDataset, DataProcessor, LazyNPYDataset, SharedCache, Source, explore
from ear_lazy.transforms import Compose, Crop, Flip, Letterbox

DataProcessor('data/raw', num_worker=4) # wrong: a name that no parameter has
DataProcessor(classes=5) # wrong: no name of a class
DataProcessor(num_workers='10') # wrong: a number as text
DataProcessor(sources=['folder']) # wrong: a folder is no Source
DataProcessor(split='stabel') # wrong: no way to split
DataProcessor(group_by=3) # wrong: neither text nor a function
processor = DataProcessor()
processor.process_al() # wrong: no such method
processor.process('detectr') # wrong: no kind
processor.process(['detectr']) # wrong: no kind among several
processor.process_all('0.8') # wrong: a share as text
processor.report.problems # wrong: None before the first run
processor.process_all().problem # wrong: no such attribute

Source('folder', columns=['image']) # wrong: a list in place of a dict
Source('folder', kind='faces') # wrong: no kind
Source(format='yolo') # wrong: without a folder

LazyNPYDataset() # wrong: without a file
LazyNPYDataset('train.npy', cache_size='100') # wrong: a number as text
LazyNPYDataset('train.npy', image_size=256) # wrong: a number in place of height and width
LazyNPYDataset('train.npy', extras=1) # wrong: a number in place of names
LazyNPYDataset('train.npy', label_names=3) # wrong: a number in place of names
LazyNPYDataset('train.npy', transforms=Flip()) # wrong: a name that no parameter has
LazyNPYDataset('train.npy', transform='flip') # wrong: a name in place of a function
LazyNPYDataset('train.npy', transform=lambda: None) # wrong: a function without a parameter
LazyNPYDataset('train.npy', image_loader='PIL') # wrong: no loader
LazyNPYDataset('train.npy', image_size=(8, 8), resize='crop') # wrong: no way to resize
LazyNPYDataset('train.npy', on_error='ignore') # wrong: neither a word nor a function
LazyNPYDataset('train.npy', cache={}) # wrong: a dict cannot put
ds = LazyNPYDataset('train.npy')
for s in ds: s.bboxes # wrong: a sample is a dict
ds['0'] # wrong: text as a row number
ds[0].bboxes # wrong: a sample is a dict
ds[0:3]['image'] # wrong: a dataset is no sample
ds[0].get_metadata(0) # wrong: a sample is no dataset
ds.get_batch(3) # wrong: one row in place of several
ds.get_metadata('0') # wrong: text as a row number
ds.to_yolo('folder', 'move') # wrong: no way to place images
ds.to_coco('file', images=True) # wrong: a flag in place of a word
ds.to_csv('file', images='hardlink') # wrong: no way to place images
ds.to_yolo('folder', image='copy') # wrong: a name that no parameter has
ds.to_yolo(5) # wrong: a number in place of a folder
ds.to_yolo('folder', None) # wrong: trainers find no labels for images that stay where they are
ds.to_coco() # wrong: without a file
ds.origin('0') # wrong: text as a row number
ds.column(3) # wrong: a number in place of a name
ds.folds('5') # wrong: a number as text
ds.folds(5)[0][2] # wrong: train and val, and no third
ds.to_json('file') # wrong: no such method
ds.cache_info().hit # wrong: no such attribute
ds.stats().row # wrong: no such attribute
ds.show_batch(n=9) # wrong: a name that no parameter has
ds.show_batch(max_n='9') # wrong: a number as text
len(ds.label_names) + ds.kind # wrong: a number and text

CombinedLazyDataset(ds) # wrong: a dataset in place of several
CombinedLazyDataset([ds], weight=[1]) # wrong: a name that no parameter has
CombinedLazyDataset([ds], weights=1) # wrong: a number in place of several
both = CombinedLazyDataset([ds, ds])
both.sampler(seeds=1) # wrong: a name that no parameter has
both.sampler(seed='1') # wrong: a number as text
both.sampler().set_epochs(1) # wrong: no such method

Compose(Flip()) # wrong: a transform in place of several
Letterbox(256) # wrong: a number in place of height and width
Flip(probability=.5) # wrong: a name that no parameter has
Crop(scale='half') # wrong: text in place of two numbers
SharedCache() # wrong: without a size
explore() # wrong: without a dataset
explore(ds).flag # wrong: no such attribute
explore(ds).sort_by('size', descend=True) # wrong: a name that no parameter has
explore(ds).save_flags() # wrong: without a file
