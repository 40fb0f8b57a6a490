"""What is measured: each side of each comparison, run in a process of its own

`python benchmarks/sides.py '{"side": …, "options": {…}}'` prints the figures as JSON. A side imports what it needs
before it measures, and hands over the boxes it has got, to be compared with those of the other sides.
"""
import json
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager, nullcontext, redirect_stdout
from functools import partial
from pathlib import Path

import numpy as np
import psutil

COMPILED = {'PYTHONDONTWRITEBYTECODE': '', 'PYTHONPYCACHEPREFIX': os.path.join(tempfile.gettempdir(), 'ear_lazy-benchmarks', 'pycache')}
SMALL = 256, 256
MB = 1_000_000
profiling = None # a `Profile` where time and memory are to be explained


# Measuring

def peak_bytes():
    "The most memory that this process held at once"
    try: status = Path('/proc/self/status').read_text()
    except OSError: return _maxrss('RUSAGE_SELF')
    return 1024 * int(status.split('VmHWM:')[1].split()[0])


def _maxrss(who):
    import resource
    return resource.getrusage(getattr(resource, who)).ru_maxrss * (1 if sys.platform == 'darwin' else 1024)


def private_bytes(pid=None):
    "Memory that a process alone has and that the system cannot drop: pages of a mapped file do not count"
    try: rollup = Path(f'/proc/{pid or os.getpid()}/smaps_rollup').read_text()
    except OSError: return psutil.Process(pid).memory_full_info().uss
    return 1024 * int(rollup.split('Private_Dirty:')[1].split()[0])


@contextmanager
def measured():
    "Seconds, CPU seconds, peak and private memory of a block, as a dict that is filled at its end"
    figures, before, started, cpu = {}, private_bytes(), time.perf_counter(), sum(os.times()[:4])
    with profiling or nullcontext(): yield figures
    figures |= {'seconds': time.perf_counter() - started, 'cpu_seconds': sum(os.times()[:4]) - cpu}
    figures |= {'peak_mb': peak_bytes() / MB, 'private_mb': (private_bytes() - before) / MB}


def command(*arguments):
    "The figures of `ear-lazy process`, start of Python included: peak of its largest process, private memory of all"
    if profiling: return command_here(arguments)
    started, line = time.perf_counter(), [sys.executable, '-P', '-m', 'ear_lazy.data_processor', *map(str, arguments)]
    process = psutil.Popen(line, stdout=subprocess.DEVNULL, env=os.environ | COMPILED) # modules are compiled once, as where it is installed
    private = 0
    while (status := _ended(process)) is None: private = max(private, _private_of_all(process))
    if status: raise SystemExit(f'ear-lazy process ended with {status}')
    seconds, times = time.perf_counter() - started, os.times()
    return {'seconds': seconds, 'cpu_seconds': times.children_user + times.children_system,
            'peak_mb': _maxrss('RUSAGE_CHILDREN') / MB, 'private_mb': private / MB}


def _ended(process):
    try: return process.wait(timeout=0.5)
    except psutil.TimeoutExpired: return None


def _private_of_all(process):
    try: return sum(private_bytes(o.pid) for o in [process, *process.children(recursive=True)])
    except (psutil.Error, OSError): return 0 # it ended in between


def command_here(arguments):
    from ear_lazy.command import main
    with measured() as figures: main([*map(str, arguments), '--workers', '0'])
    return figures


class Profile:
    "Looks every few milliseconds at which function of ear_lazy is at work, and by how much the peak of memory grew"
    def __init__(self): self.seconds, self.megabytes = Counter(), Counter()

    def __enter__(self):
        self._then, self._peak = time.perf_counter(), peak_bytes()
        signal.signal(signal.SIGALRM, self._look) # a thread would see too much of what lets go of the interpreter
        signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)

    def __exit__(self, *_): signal.setitimer(signal.ITIMER_REAL, 0)

    def _look(self, _, frame):
        name, now, peak = _at_work(frame), time.perf_counter(), peak_bytes()
        self.seconds[name] += now - self._then # a long call into a library is seen when it is over
        self.megabytes[name] += max(0, peak - self._peak) / MB # the system counts it loosely
        self._then, self._peak = now, peak

    def top(self, n=12):
        "Functions by time: name, share of the time, MB by which the peak grew while they were at work"
        total = sum(self.seconds.values()) or 1
        leading = dict(self.seconds.most_common(n)) | dict(self.megabytes.most_common(3))
        return [{'function': o, 'share': self.seconds[o] / total, 'peak_grew_mb': self.megabytes[o]} for o in leading]


def _at_work(frame):
    "The innermost function of ear_lazy, and the library that it called"
    library = ''
    while frame:
        module = frame.f_globals.get('__name__') or ''
        if module.startswith('ear_lazy'):
            name = f'{module.removeprefix("ear_lazy.")}.{frame.f_code.co_qualname}'
            return f'{name}, in {library}' if library else name
        library, frame = library or module.partition('.')[0], frame.f_back
    return f'outside of ear_lazy, in {library}'


# What the sides give, in one order: by image, then as in the raw file

def written(out, kind='detector'):
    "Boxes or points in the metadata files of a folder"
    from ear_lazy.metadata.file import Metadata
    files = [Metadata(o) for o in sorted(Path(out).glob(f'*_{kind}.npy'))]
    rows = sorted(((m.image_path(i), m.values(i)) for m in files for i in range(len(m))), key=lambda o: o[0])
    values = np.concatenate([o for _, o in rows])
    return values if values.shape[1] == 4 else values[:, :2]


def by_image(image_of, boxes): return np.array(boxes)[np.argsort(image_of, kind='stable')]


# Sides: each returns its figures, and a function that gives the boxes or what else is compared

def process(raw, workers=2, kind='detector'):
    out = tempfile.TemporaryDirectory(dir=Path(raw).parent)
    figures = command('--all', '--raw-data-dir', raw, '--output-dir', out.name, '--workers', workers)
    return figures, lambda: written(out.name, kind)


def parse_only(raw, workers=2): return command('--list', '--raw-data-dir', raw, '--workers', workers), None


def path_index(raw):
    from ear_lazy.formats.shared.tree import Tree
    import ear_lazy.data_processor # noqa: F401 what is loaded anyway is part of both sides
    with measured() as figures: Tree(raw)
    return figures, None


def decode_msgspec(path):
    import msgspec

    class Image(msgspec.Struct):
        id: int
        file_name: str
        height: int
        width: int

    class Annotation(msgspec.Struct):
        image_id: int
        id: int
        category_id: int
        bbox: list[float]

    class File(msgspec.Struct):
        images: list[Image]
        annotations: list[Annotation]

    with measured() as figures:
        with open(path, 'rb') as f: file = msgspec.json.decode(f.read(), type=File)
    return figures, lambda: by_image([o.image_id for o in file.annotations], [o.bbox for o in file.annotations])


def load_pycocotools(path):
    from pycocotools.coco import COCO
    with measured() as figures: coco = COCO(path)
    return figures, lambda: np.array([o['bbox'] for i in sorted(coco.imgs) for o in coco.imgToAnns[i]])


def load_supervision(path, images):
    from supervision import DetectionDataset
    with measured() as figures: dataset = DetectionDataset.from_coco(images, path)
    def boxes():
        corners = np.concatenate([dataset.annotations[o].xyxy for o in sorted(dataset.image_paths)])
        return np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
    return figures, boxes


def load_datumaro(folder):
    from datumaro import Dataset
    from datumaro.components.annotation import AnnotationType
    with measured() as figures:
        dataset = Dataset.import_from(folder, 'coco_instances')
        items = list(dataset) # it loads when it is asked for items
    def boxes():
        found = [(o.id, a.id, a.get_bbox()) for o in items for a in o.annotations if a.type == AnnotationType.bbox]
        return np.array([box for *_, box in sorted(found, key=lambda o: o[:2])])
    return figures, boxes


def read_files(folder, suffix):
    paths = [o.path for o in os.scandir(folder) if o.name.endswith(suffix)]
    with measured() as figures:
        read = 0
        for path in paths:
            with open(path, 'rb') as f: read += len(f.read())
    if read != sum(map(os.path.getsize, paths)): raise SystemExit('not all was read')
    return figures, None


_size_in_jpeg = re.compile(rb'\xff[\xc0-\xc2]\0\x11\x08(.{4})', re.S).search


def _few_by_hand(folder, suffix, images, names):
    "Numbers of label files, how many lines each has, sizes of the photos, and what tells later that a file is another"
    texts, sizes, stamps = [], [], []
    for name in names:
        for place, ending in ((folder, suffix), (images, '.jpg')):
            file = os.open(f'{place}/{name}{ending}', os.O_RDONLY)
            try: data, state = os.read(file, 1024 if ending == '.jpg' else 1 << 16), os.fstat(file)
            finally: os.close(file)
            stamps.append((state.st_size, state.st_mtime_ns))
            if ending == '.jpg': sizes.append(struct.unpack('>HH', _size_in_jpeg(data)[1]))
            else: texts.append(data.partition(b'{')[2].partition(b'}')[0].strip() + b'\n' if suffix == '.pts' else data)
    values = np.array(b' '.join(texts).split(), float)
    return values, [o.count(b'\n') for o in texts], sizes, stamps


def read_by_hand(folder, suffix, images):
    "What a run has to do at least, in a loop of a dozen lines: two processes read each label file and the head of its photo, and one writes what they found"
    from multiprocessing import get_context
    with measured() as figures, tempfile.TemporaryDirectory() as tmp:
        photos = {o.name for o in os.scandir(images)}
        names = sorted(name for o in os.scandir(folder) if o.name.endswith(suffix) and (name := o.name.removesuffix(suffix)) + '.jpg' in photos)
        parts = [names[i:i + 500] for i in range(0, len(names), 500)]
        with get_context('fork').Pool(2) as pool: found = pool.map(partial(_few_by_hand, folder, suffix, images), parts)
        values, counts, sizes, stamps = (np.concatenate(o) for o in zip(*found))
        np.savez(f'{tmp}/a.npz', values=values, counts=counts, sizes=sizes, stamps=stamps, names=np.array(names, 'S'))
    def truth():
        if suffix == '.pts': return values.reshape(-1, 2)
        boxes = values.reshape(-1, 5)[:, 1:] * np.tile(np.repeat(sizes[:, ::-1], counts, 0), 2)
        return np.hstack([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, 2:]])
    return figures, truth


def open_ours(npy):
    from ear_lazy.lazy_dataset import LazyNPYDataset
    with measured() as figures:
        for _ in range(1000 if profiling else 1): dataset = LazyNPYDataset(npy)
    return figures, lambda: np.concatenate([dataset.get_metadata(i)['bboxes'] for i in _some(dataset)])


def open_bare(npy):
    "What numpy takes to map the file"
    with measured() as figures: columns = np.load(npy, mmap_mode='r')
    return figures, lambda: np.concatenate([columns['bboxes'][slice(*columns['offsets'][i:i + 2])] for i in _some(columns['image_paths'])])


def open_datasets(arrow):
    from datasets import Dataset
    with measured() as figures: dataset = Dataset.from_file(arrow)
    return figures, lambda: np.concatenate([np.reshape(dataset[i]['bboxes'], (-1, 4)) for i in _some(dataset)])


def _some(dataset): return range(0, len(dataset), 1 + len(dataset) // 1000)


def _each(get, n, many=100_000):
    "Microseconds for one of many random rows"
    rows = np.random.default_rng(0).integers(0, n, min(n, many)).tolist() * (10 if profiling else 1)
    with measured() as figures:
        for i in rows: get(i)
    figures['microseconds'] = 1e6 * figures['seconds'] / len(rows)
    return figures


def rows_ours(npy):
    from ear_lazy.lazy_dataset import LazyNPYDataset
    dataset = LazyNPYDataset(npy)
    return _each(dataset.get_metadata, len(dataset)), None


def rows_bare(npy):
    "A dict of arrays in memory, and a row of them as a dict of the same two"
    columns = np.load(npy, allow_pickle=False)
    arrays = {name: columns[name] for name in ('offsets', 'bboxes', 'image_paths')}
    root = os.path.normpath(Path(npy).parent / columns['root'].item().decode())
    def get(i):
        a, b = arrays['offsets'][i:i + 2]
        return {'image_path': f"{root}/{arrays['image_paths'][i].decode()}", 'bboxes': arrays['bboxes'][a:b]}
    return _each(get, len(arrays['image_paths'])), None


def rows_datasets(arrow):
    from datasets import Dataset
    dataset = Dataset.from_file(arrow)
    return _each(dataset.__getitem__, len(dataset), 10_000), None


class Pass:
    "A dataset whose batches say which process made them, how much memory is its own, and the sum of their boxes"
    def __init__(self, get, n): self.get, self.n = get, n
    def __len__(self): return self.n
    def __getitems__(self, rows):
        before = private_bytes()
        total = sum(float(self.get(i)['bboxes'].sum(dtype=float)) for i in rows)
        return [(os.getpid(), before, private_bytes(), total)]


def _pass(get, n, workers=4):
    "One pass over all rows; by how much the worker grew that grew most"
    from torch.utils.data import DataLoader
    loader = DataLoader(Pass(get, n), batch_size=-(-n // 100), num_workers=workers, collate_fn=lambda o: o)
    with measured() as figures: batches = [o for batch in loader for o in batch]
    workers = [[o for o in batches if o[0] == pid] for pid in {o[0] for o in batches}]
    grew = [max(after for _, _, after, _ in of) - min(before for _, before, _, _ in of) for of in workers]
    return figures | {'worker_grew_mb': max(grew) / MB}, lambda: np.array([[sum(o[3] for o in batches) / n]])


def workers_ours(npy):
    from ear_lazy.lazy_dataset import LazyNPYDataset
    dataset = LazyNPYDataset(npy)
    return _pass(dataset.get_metadata, len(dataset))


def workers_dicts(npy):
    from ear_lazy.lazy_dataset import LazyNPYDataset
    dataset = LazyNPYDataset(npy)
    rows = list(map(dataset.get_metadata, range(len(dataset))))
    return _pass(rows.__getitem__, len(rows))


def size_on_disk(npy):
    columns = np.load(npy, mmap_mode='r')
    n, path = len(columns['image_paths']), columns['image_paths'].dtype.itemsize
    boxes = len(columns['bboxes']) / n
    return {'bytes_a_row': os.path.getsize(npy) / n, 'allowed': path + 48 + 20 * boxes, 'boxes_a_row': boxes}, None


def _photos(folder): return sorted(map(str, Path(folder).glob('*.jpg')))


def _bare(loader):
    "A decoder and nothing else"
    if loader == 'cv2':
        import cv2
        return lambda path: cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
    from PIL import Image
    def decode(path):
        with Image.open(path) as im: return np.asarray(im.convert('RGB'))
    return decode


def _median_image(get, items):
    "The median time of an image, after one that loads the decoder; what is compared is the mean colour of each"
    get(items[0])
    times, means = [], []
    with measured() as figures:
        for o in items:
            started = time.perf_counter()
            image = get(o)
            times.append(time.perf_counter() - started)
            means.append(image[::16, ::16].mean((0, 1)))
    return figures | {'milliseconds': 1000 * float(np.median(times))}, lambda: np.array(means)


def image_ours(npy, loader, photos=100):
    from ear_lazy.lazy_dataset import LazyNPYDataset
    dataset = LazyNPYDataset(npy, image_loader=loader)
    return _median_image(lambda i: dataset[i]['image'], range(min(photos, len(dataset))))


def image_bare(folder, loader, photos=100):
    paths = _photos(folder)[:photos]
    figures, given = _median_image(_bare(loader), paths)
    return figures | {'file_bytes': sum(map(os.path.getsize, paths)) / len(paths)}, given


def hit_ours(npy, rows=32, times=300):
    from ear_lazy.lazy_dataset import LazyNPYDataset
    dataset = LazyNPYDataset(npy, cache_size=rows)
    crops = [dataset[i]['image'] for i in range(rows)]
    if {o.shape for o in crops} != {(256, 256, 3)}: raise SystemExit('the crops are not 256×256')
    return _hits(dataset.__getitem__, rows, times), None


def hit_dict(rows=32, times=300):
    crops = dict(enumerate(np.random.default_rng(0).integers(0, 256, (rows, 256, 256, 3), np.uint8)))
    return _hits(lambda i: crops[i].copy(), rows, times), None


def _hits(get, rows, times):
    with measured() as figures:
        for _ in range(times):
            for i in range(rows): get(i)
    return figures | {'microseconds': 1e6 * figures['seconds'] / (rows * times)}


def _rate(loader):
    "Images a second of one pass, the start of the workers included, and the mean colour of each image"
    started, means = time.perf_counter(), []
    for batch in loader: means.append(np.asarray(batch['image'])[:, ::16, ::16].mean((1, 2)))
    means = np.concatenate(means)
    return len(means) / (time.perf_counter() - started), means


def _one_process(loader, batch):
    "What one worker does, without the way to the other process: for a profile"
    rows, dataset = range(len(loader.dataset)), loader.dataset
    return (dataset.get_batch(rows[a:a + batch], num_threads=1) for a in rows[::batch])


def _epoch(loader, batch):
    with measured() as figures: per_second, means = _rate(_one_process(loader, batch) if profiling else loader)
    return figures | {'per_second': per_second}, lambda: means


def _ours(npy, batch, **options):
    from torch.utils.data import DataLoader
    from ear_lazy.lazy_dataset import LazyNPYDataset
    return DataLoader(LazyNPYDataset(npy, **options), batch_size=batch, num_workers=2, persistent_workers=True)


def epoch_ours(npy, small, loader, batch=8):
    return _epoch(_ours(npy, batch, image_loader=loader, image_size=SMALL if small else None), batch)


def _by_hand(folder, decode, small, batch, change=None):
    from epochs import ByHand, DECODERS, loader_of
    return loader_of(ByHand(_photos(folder), np.load(Path(folder).parent.parent/'truth.npy'), DECODERS[decode], small, change), batch)


def epoch_by_hand(folder, small, decode, batch=8): return _epoch(_by_hand(folder, decode, small, batch), batch)


def _decode_some(paths, decode):
    "What a process does that only decodes"
    return [decode(o)[::16, ::16].mean((0, 1)) for o in paths]


def epoch_decoded(folder, processes=2):
    "Full images that nobody gets"
    import multiprocessing
    from epochs import draft
    from PIL import Image # noqa: F401 loaded before the time is taken
    paths = _photos(folder)
    with measured() as figures:
        with multiprocessing.get_context().Pool(processes) as pool:
            parts = pool.map(partial(_decode_some, decode=partial(draft, small=False)), [paths[i::processes] for i in range(processes)], 1)
    means = np.empty((len(paths), 3))
    for i, part in enumerate(parts): means[i::processes] = part
    return figures | {'per_second': len(paths) / figures['seconds']}, lambda: means


def _augmentations():
    "Flip, crop and colour: 224×224 of 256×256"
    import albumentations as A
    return A.Compose([A.HorizontalFlip(p=0.5), A.RandomCrop(224, 224, p=1), A.ColorJitter(p=1)], bbox_params=A.BboxParams('pascal_voc', label_fields=['labels']))


def _augment(pipeline, image, boxes):
    "Albumentations without an adapter"
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)
    found = pipeline(image=image, bboxes=corners, labels=np.zeros(len(boxes)))
    corners = np.zeros((1, 4), np.float32)
    corners[:len(found['bboxes'])] = found['bboxes']
    return found['image'], corners


def augmented_ours(npy, loader, batch=32):
    from ear_lazy.adapters import albumentations_transform
    return _epoch(_ours(npy, batch, image_loader=loader, image_size=SMALL, transform=albumentations_transform(_augmentations())), batch)[0], None


def augmented_by_hand(folder, decode, batch=32): return _epoch(_by_hand(folder, decode, True, batch, partial(_augment, _augmentations())), batch)[0], None


def epochs(tool, raw, **options):
    "All phases of a tool, each in a process of its own; what is compared are the first images and their boxes"
    if profiling: return _profile_epochs(raw, **options)
    with tempfile.TemporaryDirectory(dir=raw) as place, tempfile.TemporaryDirectory() as apart:
        started, figures, shown = time.perf_counter(), {}, Path(apart)/'shown.npz'
        job = {'tool': tool, 'raw': str(Path(raw)/'raw/photos'), 'place': place, 'options': options, 'save': str(shown)}
        for phase in ('set up', 'first', 'again'):
            figures |= _phase(job | {'phase': phase})
            if 'missing' in figures: return figures, None
        figures |= {'disk_mb': (_disk(place) - figures.pop('disk_before')) / MB, 'seconds': time.perf_counter() - started}
        with np.load(shown) as o: given = np.concatenate([o['images'].reshape(len(o['images']), -1), o['boxes']], 1)
    return figures, lambda: given


def _phase(job):
    run = subprocess.run([sys.executable, Path(__file__).with_name('epochs.py'), json.dumps(job)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if run.returncode: raise SystemExit(f"{job['tool']}, {job['phase']}, {job['options']}: {run.stderr.strip()[-2000:]}")
    return json.loads(run.stdout)


def _disk(folder):
    from epochs import disk
    return disk(folder)


def _profile_epochs(raw, **options):
    "Of our side: an epoch that finds in a cache what there is of one"
    from epochs import Ours
    with tempfile.TemporaryDirectory(dir=raw) as place:
        tool = Ours(place, Path(raw)/'raw/photos', **options)
        tool.set_up()
        if 'cache' not in options: return _epoch(tool.open(), 32)
        _rate(_one_process(tool.open(), 32))
        loader = tool.open()
        with measured() as figures:
            for _ in range(10): _rate(_one_process(loader, 32))
        return figures, None


def scale_ours(npy, batch=32):
    "An epoch of many photos: speed and memory of its tenths, beginning with the first batch"
    from ear_lazy.metadata.file import Metadata
    batch = max(1, min(batch, len(Metadata(npy)) // 20))
    loader, times, memory = _ours(npy, batch, image_size=(64, 64)), [], []
    with measured() as figures:
        for _ in loader:
            times.append(time.perf_counter())
            if len(times) % max(1, len(loader) // 20) == 0: memory.append((len(times), sum(private_bytes(o.pid) for o in [psutil.Process(), *psutil.Process().children()])))
    tenth = max(1, len(times) // 10)
    rates = [batch * tenth / (times[k + tenth] - times[k]) for k in (0, len(times) - tenth - 1)]
    held = [max(o for at, o in memory if a <= at <= a + 2 * tenth) / MB for a in (0, len(times) - 2 * tenth)]
    return figures | {'per_second': (len(times) - 1) * batch / (times[-1] - times[0]), 'first': rates[0], 'last': rates[1], 'first_mb': held[0], 'last_mb': held[1]}, None


def _peak_of(make, n):
    "The peak of memory while a batch is made, above what was held before, in sizes of the batch"
    make(2) # loads the decoder
    before = _reset_peak()
    with measured() as figures: images = make(n)
    size = images.nbytes
    grew = peak_bytes() - before
    return figures | {'peak_in_batches': grew / size}, lambda: np.asarray(images)[:, ::16, ::16].mean((1, 2))


def _reset_peak():
    "Begin to look for the peak from here"
    import gc
    gc.collect()
    try: Path('/proc/self/clear_refs').write_text('5')
    except OSError: return peak_bytes()
    return psutil.Process().memory_info().rss


def batch_ours(npy, threads, rows=32):
    from ear_lazy.lazy_dataset import LazyNPYDataset
    dataset = LazyNPYDataset(npy)
    return _peak_of(lambda n: dataset.get_batch(range(n), num_threads=threads)['image'], rows)


def batch_stacked(folder, rows=32):
    decode, paths = _bare('pil'), _photos(folder)
    return _peak_of(lambda n: np.stack([decode(o) for o in paths[:n]]), rows)


def main():
    "Run the side that the argument names; its own prints go to stderr"
    global profiling
    job = json.loads(sys.argv[1])
    if job.get('profile'): profiling = Profile()
    with redirect_stdout(sys.stderr):
        try: figures, given = globals()[job['side']](**job['options'])
        except ModuleNotFoundError as e:
            from epochs import MODULES
            if (e.name or '').partition('.')[0] not in MODULES | {'datumaro'}: raise
            figures, given = {'missing': e.name}, None
        if given and job.get('save'): np.save(job['save'], np.asarray(given(), np.float32))
    print(json.dumps(figures | ({'profile': profiling.top()} if profiling else {})))


if __name__ == '__main__': main()
