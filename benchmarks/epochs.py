"""What is measured of epochs: photos of two megapixels delivered at 256×256 with their boxes, by each tool in its own way

`python benchmarks/epochs.py '{"tool": …, "options": {…}, "phase": …, …}'` does one phase in a process of its own and prints its figures as JSON: 'set up' what a tool
wants to be done once (convert, pack, fill a cache), 'first' the first two epochs, 'again' the first epoch of a later process. Photos are in the page cache for all.
"""
import contextlib
import json
import os
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import numpy as np

BATCH, WORKERS, SHOWN = 32, 2, 8 # the first images are compared
HEIGHT, WIDTH, SIDE = 1224, 1632, 256 # of a photo, and of what is delivered
INNER = SIDE * HEIGHT // WIDTH # rows of the picture between the bars of the letterbox
BAR, SCALE = (SIDE - INNER) // 2, SIDE / WIDTH
TESTS = Path(__file__).parent.parent/'tests'


# Decoders, as one would write them by hand, with as much reduction as leaves all pixels that are delivered

def draft(file, small=True):
    "Pillow, with JPEG's own reduction"
    from PIL import Image
    with Image.open(file) as im:
        if small: im.draft('RGB', (SIDE, INNER))
        return np.asarray(im.convert('RGB'))


def reduced(path, small=True):
    "OpenCV, with JPEG's own reduction"
    import cv2
    if not small: return cv2.imread(path, cv2.IMREAD_COLOR_RGB)
    return cv2.cvtColor(cv2.imread(path, cv2.IMREAD_REDUCED_COLOR_4), cv2.COLOR_BGR2RGB)


def simple(path, small=True):
    "simplejpeg, with the fastest that libjpeg-turbo offers"
    import simplejpeg
    least = {'min_height': INNER, 'min_width': SIDE} if small else {}
    with open(path, 'rb') as f: return simplejpeg.decode_jpeg(f.read(), 'RGB', fastdct=True, fastupsample=True, **least)


DECODERS = {'draft': draft, 'reduced': reduced, 'simplejpeg': simple}


def letterbox(image):
    "A picture of any size as it is to be delivered"
    import cv2
    out = np.zeros((SIDE, SIDE, 3), np.uint8)
    cv2.resize(image, (SIDE, INNER), dst=out[BAR:BAR + INNER], interpolation=cv2.INTER_AREA)
    return out


def fitted(boxes): return (np.asarray(boxes, np.float32) * SCALE + [0, BAR, 0, 0]).astype(np.float32)


class ByHand:
    "A Dataset of a dozen lines"
    def __init__(self, paths, boxes, decode, small=True, change=None): self.paths, self.boxes, self.decode, self.small, self.change = paths, boxes, decode, small, change
    def __len__(self): return len(self.paths)
    def __getitem__(self, i):
        image, boxes = self.decode(self.paths[i], self.small), self.boxes[i:i + 1]
        if self.small: image, boxes = letterbox(image), fitted(boxes)
        if self.change: image, boxes = self.change(image, boxes)
        return {'image': image, 'bboxes': boxes}


def loader_of(dataset, batch=BATCH, **options):
    import cv2
    from torch.utils.data import DataLoader
    return DataLoader(dataset, batch_size=batch, num_workers=WORKERS, persistent_workers=True, worker_init_fn=lambda _: cv2.setNumThreads(1), **options)


# Tools: `given` says what to do before (not timed), what is done once, and how batches come

class Tool:
    "One photo, one box: `place` is a folder of its own, `photos` has `names`, `paths`, `boxes`"
    def __init__(self, place, raw, **options):
        self.place, self.raw, self.options = Path(place), Path(raw), options
        self.names = sorted(o for o in os.listdir(raw) if o.endswith('.jpg'))
        self.paths = [os.path.join(raw, o) for o in self.names]
        self.boxes = np.load(self.raw.parent.parent/'truth.npy')

    keeps = property(lambda self: type(self).set_up is not Tool.set_up) # whether a later process finds something that takes decoding from it
    def prepare(self): "Write the annotations as the tool reads them, which is not measured"
    def set_up(self): "What is done once"
    def open(self): raise NotImplementedError
    def rows(self, batch): return None # in order
    def images(self, batch): return batch['image']
    def bboxes(self, batch): return np.concatenate([np.asarray(o) for o in batch['bboxes']])

    def coco(self):
        "A COCO file of the photos"
        images = [{'id': i, 'file_name': o, 'height': HEIGHT, 'width': WIDTH} for i, o in enumerate(self.names)]
        objects = [{'id': i + 1, 'image_id': i, 'category_id': 1, 'bbox': o, 'area': o[2] * o[3], 'iscrowd': 0} for i, o in enumerate(self.boxes.tolist())]
        path = self.place/'instances.json'
        path.write_text(json.dumps({'images': images, 'annotations': objects, 'categories': [{'id': 1, 'name': 'thing'}]}))
        return path


class Ours(Tool):
    keeps = property(lambda self: self.options.get('cache') == 'DiskCache')

    def set_up(self):
        line = [sys.executable, '-P', '-m', 'ear_lazy.data_processor', '--detector', '--raw-data-dir', self.raw.parent, '--output-dir', self.place/'out',
                '--train-split', '1', '--workers', str(WORKERS)]
        subprocess.run(list(map(str, line)), check=True, stdout=subprocess.DEVNULL)

    def cache(self, kind, format='raw'):
        if kind == 'SharedCache':
            from ear_lazy.shared_cache import SharedCache
            return SharedCache('1GB')
        from ear_lazy.disk_cache import DiskCache
        return DiskCache('10GB', format=format)

    def open(self):
        from ear_lazy.lazy_dataset import LazyNPYDataset
        options = dict(self.options)
        if 'cache' in options: options['cache'] = self.cache(options.pop('cache'), options.pop('format', 'raw'))
        from torch.utils.data import DataLoader
        dataset = LazyNPYDataset(self.place/'out/train_detector.npy', image_size=(SIDE, SIDE), **options)
        return DataLoader(dataset, batch_size=BATCH, num_workers=WORKERS, persistent_workers=True)


class Hand(Tool):
    def open(self): return loader_of(ByHand(self.paths, self.boxes, DECODERS[self.options['decode']]))


class Rows:
    "Rows of one mapped array, after a look whether the photo is still the same"
    def __init__(self, images, paths, states, boxes): self.images, self.paths, self.states, self.boxes = images, paths, states, boxes
    def __len__(self): return len(self.paths)
    def __getitem__(self, i):
        found = os.stat(self.paths[i])
        if (found.st_size, found.st_mtime_ns) != self.states[i]: raise ValueError(f'{self.paths[i]} was replaced')
        return {'image': np.asarray(self.images[i]), 'bboxes': self.boxes[i:i + 1]}


class Mapped(Tool):
    "The least that a cache on the disk can do"
    shape = property(lambda self: (len(self.paths), SIDE, SIDE, 3))

    def set_up(self):
        out = np.memmap(self.place/'images', np.uint8, 'w+', shape=self.shape)
        for i, path in enumerate(self.paths): out[i] = letterbox(draft(path))
        out.flush()

    def open(self):
        images = np.memmap(self.place/'images', np.uint8, 'c', shape=self.shape)
        states = [(o.st_size, o.st_mtime_ns) for o in map(os.stat, self.paths)]
        return loader_of(Rows(images, self.paths, states, fitted(self.boxes)))


class Torchvision(Tool):
    def prepare(self): self.coco()

    def open(self):
        sys.path.append(str(TESTS)) # a wheel of another build than torch's is imported there
        from vision import v2
        from torchvision.datasets import CocoDetection, wrap_dataset_for_transforms_v2
        steps = v2.Compose([v2.ToImage(), v2.Resize((INNER, SIDE)), v2.Pad([0, BAR])])
        dataset = CocoDetection(self.raw, self.place/'instances.json', transforms=steps)
        dataset = wrap_dataset_for_transforms_v2(dataset, target_keys=['boxes'])
        return loader_of(dataset, collate_fn=self.collate)

    @staticmethod
    def collate(samples):
        import torch
        return {'image': torch.stack([o for o, _ in samples]), 'corners': [o['boxes'] for _, o in samples]}

    def bboxes(self, batch):
        corners = np.concatenate([np.asarray(o) for o in batch['corners']])
        return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], 1)


class Supervised:
    "Its dataset gives arrays as they are; what is delivered is resized by hand"
    def __init__(self, dataset): self.dataset = dataset
    def __len__(self): return len(self.dataset)
    def __getitem__(self, i):
        import cv2
        _, image, found = self.dataset[i]
        xyxy = found.xyxy.astype(np.float32)
        return {'image': cv2.cvtColor(letterbox(image), cv2.COLOR_BGR2RGB), 'bboxes': fitted(np.concatenate([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]], 1))}


class Supervision(Tool):
    def prepare(self): self.coco()

    def open(self):
        sys.path.append(str(TESTS))
        with contextlib.suppress(ModuleNotFoundError): import vision  # noqa: F401
        from supervision import DetectionDataset
        return loader_of(Supervised(DetectionDataset.from_coco(str(self.raw), str(self.place/'instances.json'))))


class Ultralytics(Tool):
    "Its dataset for training, with the letterbox only; bars in black as those of the others"
    def prepare(self):
        for name in ('images', 'labels'): (self.place/name).mkdir()
        centred = np.column_stack([self.boxes[:, :2] + self.boxes[:, 2:] / 2, self.boxes[:, 2:]]) / [WIDTH, HEIGHT, WIDTH, HEIGHT]
        for name, path, box in zip(self.names, self.paths, centred.tolist()):
            os.link(path, self.place/'images'/name)
            (self.place/'labels'/name).with_suffix('.txt').write_text('0 %.8f %.8f %.8f %.8f\n' % tuple(box))

    def dataset(self):
        os.environ |= {'YOLO_OFFLINE': '1', 'YOLO_CONFIG_DIR': str(self.place), 'YOLO_VERBOSE': 'false'}
        sys.path.append(str(TESTS))
        import vision  # noqa: F401
        from ultralytics.cfg import get_cfg
        from ultralytics.data.dataset import YOLODataset
        dataset = YOLODataset(img_path=str(self.place/'images'), imgsz=SIDE, cache=self.options['cache'], augment=False, hyp=get_cfg(), rect=False, batch_size=BATCH,
                              data={'names': {0: 'thing'}, 'nc': 1, 'channels': 3}, task='detect')
        dataset.transforms.transforms[0].padding_value = 0
        return dataset

    keeps = property(lambda self: bool(self.options['cache']))

    def set_up(self): self.dataset()

    def open(self):
        dataset = self.dataset()
        return loader_of(dataset, collate_fn=dataset.collate_fn)

    def images(self, batch): return batch['img']

    def bboxes(self, batch):
        found = batch['bboxes'].numpy() * SIDE
        return np.concatenate([found[:, :2] - found[:, 2:] / 2, found[:, 2:]], 1)


def packed_jpeg(row): return {'row': row[0], 'image': Path(row[1]).read_bytes(), 'bboxes': np.asarray(row[2], np.float32)}
def packed_array(row): return {'row': row[0], 'image': letterbox(draft(row[1])), 'bboxes': fitted(row[2])}


def unpacked(sample):
    "A sample that was packed as the bytes of its JPEG"
    return sample | {'image': letterbox(draft(BytesIO(sample['image']))), 'bboxes': fitted(sample['bboxes'])}


class Litdata(Tool):
    def set_up(self):
        import litdata
        rows = [(i, path, box[None].tolist()) for i, (path, box) in enumerate(zip(self.paths, self.boxes))]
        litdata.optimize(packed_jpeg if self.options['jpeg'] else packed_array, rows, str(self.place/'packed'), chunk_bytes='16MB', num_workers=WORKERS, verbose=False)

    def open(self):
        import litdata
        change = {'transform': unpacked} if self.options['jpeg'] else {}
        dataset = litdata.StreamingDataset(str(self.place/'packed'), shuffle=False, **change)
        return litdata.StreamingDataLoader(dataset, batch_size=BATCH, num_workers=WORKERS, persistent_workers=True)

    def rows(self, batch): return batch['row']


class Webdataset(Tool):
    keeps = False

    def set_up(self):
        import webdataset as wds
        for shard in range(WORKERS):
            with wds.TarWriter(str(self.place/f'{shard}.tar')) as out:
                for i in range(shard, len(self.paths), WORKERS):
                    out.write({'__key__': f'{i:07d}', 'jpg': Path(self.paths[i]).read_bytes(), 'json': {'row': i, 'bboxes': self.boxes[i:i + 1].tolist()}})

    def open(self):
        import webdataset as wds
        shards = [str(self.place/f'{shard}.tar') for shard in range(WORKERS)]
        dataset = wds.WebDataset(shards, shardshuffle=False).decode('rgb8').map(self.resized).batched(BATCH, partial=True)
        return wds.WebLoader(dataset, batch_size=None, num_workers=WORKERS, persistent_workers=True)

    @staticmethod
    def resized(sample): return letterbox(sample['jpg']), fitted(sample['json']['bboxes']), sample['json']['row']

    def images(self, batch): return batch[0]
    def bboxes(self, batch): return np.concatenate([np.asarray(o) for o in batch[1]])
    def rows(self, batch): return batch[2]


class Datasets(Tool):
    keeps = False

    def set_up(self):
        import datasets
        features = datasets.Features({'image': datasets.Image(), 'bboxes': datasets.List(datasets.List(datasets.Value('float32')))})
        rows = {'image': self.paths, 'bboxes': self.boxes[:, None].tolist()}
        datasets.disable_progress_bars()
        datasets.Dataset.from_dict(rows, features).save_to_disk(self.place/'arrow')

    def open(self):
        import datasets
        return loader_of(datasets.load_from_disk(self.place/'arrow').with_transform(self.resized))

    @staticmethod
    def resized(batch):
        return {'image': [letterbox(np.asarray(o)) for o in batch['image']], 'bboxes': list(map(fitted, batch['bboxes']))}


TOOLS = {'ear_lazy': Ours, 'by hand': Hand, 'memmap': Mapped, 'torchvision': Torchvision, 'supervision': Supervision, 'ultralytics': Ultralytics, 'litdata': Litdata,
         'webdataset': Webdataset, 'datasets': Datasets}
MODULES = {'torchvision', 'pycocotools', 'supervision', 'ultralytics', 'litdata', 'webdataset', 'datasets', 'simplejpeg', 'albumentations'} # that may be missing


# Phases

def epoch(tool, loader, shown=None):
    "Images a second of one pass, counted when each worker has delivered a batch, and seconds until the first one; `shown` takes the first images and their boxes"
    started, n, came = time.perf_counter(), 0, []
    for batch in loader:
        came.append(time.perf_counter())
        images = np.asarray(tool.images(batch))
        images[:, ::16, ::16].sum() # a look at each, as whoever trains would have
        if shown is not None:
            rows = tool.rows(batch)
            for k, row in enumerate(range(n, n + len(images)) if rows is None else np.asarray(rows).tolist()):
                if row < SHOWN: shown[row] = (images[k].copy(), tool.bboxes(batch)[k].copy())
        n += len(images)
    if n != len(tool.paths): raise SystemExit(f'{n} images of {len(tool.paths)}')
    ended, first = time.perf_counter(), came[0] - started
    if len(came) <= WORKERS: return n / (ended - started), first # so few that there is nothing else to count
    return (n - WORKERS * BATCH) / (ended - came[WORKERS - 1]), first


def disk(folder):
    "Bytes of the files of a folder; links to photos take none"
    states = [os.lstat(os.path.join(parent, o)) for parent, _, names in os.walk(folder) for o in names]
    return sum(512 * o.st_blocks for o in states if o.st_nlink == 1)


def save(path, shown):
    "Images in grey levels, then boxes"
    images = [o if o.shape[-1] == 3 else o.transpose(1, 2, 0) for o, _ in (shown[i] for i in range(SHOWN))]
    np.savez(path, images=np.stack(images), boxes=np.stack([shown[i][1] for i in range(SHOWN)]))


def do(phase, tool, path=None):
    "The figures of a phase; none of a later process where it would do what the first did"
    if phase == 'again' and not tool.keeps: return {}
    if phase == 'set up':
        tool.prepare()
        before, started = disk(tool.place), time.perf_counter()
        tool.set_up()
        return {'set_up_seconds': time.perf_counter() - started, 'disk_before': before}
    started = time.perf_counter()
    loader = tool.open()
    opened = time.perf_counter() - started
    if phase == 'again':
        again, start = epoch(tool, loader)
        return {'start_seconds': opened + start, 'again': again} # of both phases the later one counts
    shown = {}
    (cold, start), (second, _) = epoch(tool, loader, shown), epoch(tool, loader)
    if path: save(path, shown)
    return {'images': len(tool.paths), 'start_seconds': opened + start, 'cold': cold, 'second': second}


def main():
    job = json.loads(sys.argv[1])
    with contextlib.redirect_stdout(sys.stderr):
        try: figures = do(job['phase'], TOOLS[job['tool']](job['place'], job['raw'], **job['options']), job.get('save'))
        except ModuleNotFoundError as e:
            if (e.name or '').partition('.')[0] not in MODULES: raise
            figures = {'missing': e.name}
    print(json.dumps(figures))


if __name__ == '__main__': main()
