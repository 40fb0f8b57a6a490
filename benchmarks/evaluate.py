#!/usr/bin/env python3
"""What an evaluation costs: `python benchmarks/evaluate.py [--photos 5000] [--boxes 36000] [--classes 80] [--each 100] [--runs 7] [--all]`

At the size of COCO's validation set, with simulated predictions: seconds from a list of dicts, as torchvision's models give them, to the numbers.

- `library`: the library that the package uses, called as shortly as can be: twelve numbers
- `ds.evaluate`: the same numbers, with the reading and checking of predictions
- `metrics`: these and precision, recall and calibration error, which need matches of their own
- `resample`: one draw of a bootstrap, as `compare` makes 1,000 of for each model
- with `--all` also pycocotools and faster-coco-eval, once each, where they are installed

Both sides are run in turn; the table has medians, and the ratio of medians to that of the library.
"""
import argparse
import contextlib
import io
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from ear_lazy.base.geometry import xywh_to_xyxy, xyxy_to_xywh
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.metadata.table import Table, image_batch
from ear_lazy.metadata.views import Numbers, view_of
from ear_lazy.metadata.writing import Plan, write_metadata


def simulated(photos, boxes, classes, each, seed=0):
    "Labelled boxes of photos, and as many predictions for each photo: those of labelled boxes a little off, the others anywhere and less sure"
    rng = np.random.default_rng(seed)
    row, label = np.sort(rng.integers(0, photos, boxes)), rng.integers(1, classes + 1, boxes)
    side = np.exp(rng.normal(4, 1, (boxes, 2))).clip(4, 500)
    box = np.column_stack([rng.random((boxes, 2))*(640 - side), side]).astype(np.float32).astype(float)
    number, n = np.arange(boxes) - np.searchsorted(row, row), photos*each
    found = np.column_stack([rng.random((n, 2))*300, np.exp(rng.normal(4, 1, (n, 2))).clip(4, 500)])
    found_label, score = rng.integers(1, classes + 1, n), rng.random(n)/2
    at, near = (row*each + number)[number < each], number < each
    found[at] = box[near] + rng.normal(0, .08, (near.sum(), 4))*box[near][:, [2, 3, 2, 3]]
    found[:, 2:] = found[:, 2:].clip(1)
    found_label[at], score[at] = label[near], rng.random(near.sum())**.5
    corners, parts = xywh_to_xyxy(found), [slice(i*each, (i + 1)*each) for i in range(photos)]
    return row, label, box, [{'boxes': corners[o], 'labels': found_label[o], 'scores': score[o]} for o in parts]


def dataset(folder, photos, row, label, box, classes):
    "The labelled boxes as a metadata file"
    table = Table(folder/'table')
    counts = np.bincount(row, minlength=photos)
    batch = image_batch([f'{i:06}.jpg' for i in range(photos)], counts, sizes=np.full((photos, 2), 640), boxes=box.astype(np.float32), labels=label)
    batch.images['groups'] = np.arange(photos)
    table.append(batch)
    table.close()
    some, names = np.ones(len(box), bool), ['', *(f'class {i}' for i in range(classes))]
    view = view_of(table, 'detector', Numbers(0, np.arange(len(names))), some, some)
    write_metadata(folder/'val_detector.npy', [view], Plan('detector', 'val', '.', ['coco'], names))
    return LazyNPYDataset(folder/'val_detector.npy')


def results(values): # (p, 7) photo, xywh, score, class
    parts = [np.concatenate([o[name] for o in values]) for name in ('boxes', 'scores', 'labels')]
    return np.column_stack([np.repeat(np.arange(1., len(values) + 1), [len(o['labels']) for o in values]), xyxy_to_xywh(parts[0]), parts[1], parts[2]])


def library(photos, classes, row, label, box, values):
    from hotcoco import COCO, COCOeval
    truth = COCO.from_arrays([{'id': i} for i in range(1, photos + 1)], [{'id': i, 'name': str(i)} for i in range(1, classes + 1)], row + 1, label, box)
    return _numbers(COCOeval(truth, truth.load_res(results(values)), 'bbox'))


def from_dicts(COCO, COCOeval, photos, classes, row, label, box, values):
    "The other libraries take a dict for each object"
    truth = COCO()
    truth.dataset = {'info': {}, 'images': [{'id': i, 'height': 640, 'width': 640} for i in range(1, photos + 1)], 'categories': [{'id': i, 'name': str(i)} for i in range(1, classes + 1)],
                     'annotations': [{'id': i, 'image_id': r + 1, 'category_id': c, 'bbox': b, 'area': b[2]*b[3], 'iscrowd': 0} for i, (r, c, b) in enumerate(zip(row.tolist(), label.tolist(), box.tolist()), 1)]}
    truth.createIndex()
    return _numbers(COCOeval(truth, truth.loadRes(results(values)), 'bbox'))


def _numbers(e):
    for step in (e.evaluate, e.accumulate, e.summarize): step()
    return np.array(e.stats)[:12]


def seconds(function, *args):
    begin = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()): value = function(*args)
    return time.perf_counter() - begin, value


def others():
    "Libraries that are installed besides"
    for name, modules in (('faster-coco-eval', ('faster_coco_eval', 'faster_coco_eval')), ('pycocotools', ('pycocotools.coco', 'pycocotools.cocoeval'))):
        try: a, b = (__import__(o, fromlist=['COCO']) for o in modules)
        except ImportError: continue
        yield name, a.COCO, getattr(b, 'COCOeval_faster', None) or b.COCOeval


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, usual in (('photos', 5000), ('boxes', 36000), ('classes', 80), ('each', 100), ('runs', 7)): parser.add_argument(f'--{name}', type=int, default=usual)
    parser.add_argument('--all', action='store_true', help='the other libraries too')
    o = parser.parse_args(argv)
    row, label, box, values = simulated(o.photos, o.boxes, o.classes, o.each)
    taken = {'library': [], 'ds.evaluate': [], 'metrics': [], 'resample': []}
    with tempfile.TemporaryDirectory() as folder:
        ds = dataset(Path(folder), o.photos, row, label, box, o.classes)
        for _ in range(o.runs + 1): # the first one warms up
            a, numbers = seconds(library, o.photos, o.classes, row, label, box, values)
            b, e = seconds(ds.evaluate, values)
            c, metrics = seconds(getattr, e, "metrics")
            e._measures.weighted(np.ones(o.photos)) # makes the matches
            for name, value in zip(taken, (a, b, b + c, seconds(e._measures.weighted, np.ones(o.photos))[0])): taken[name].append(value)
        assert np.allclose([*metrics.values()][:12], numbers, atol=1e-6, equal_nan=True)
        known = {name: median(times[1:]) for name, times in taken.items()}
        if o.all: known |= {name: seconds(from_dicts, *classes, o.photos, o.classes, row, label, box, values)[0] for name, *classes in others()}
    print(f'| {o.photos:,} photos, {o.boxes:,} boxes, {o.classes} classes, {o.each} predictions each | seconds | ratio |\n|---|---|---|')
    for name, value in known.items(): print(f'| {name} | {value:.3f} | {value/known["library"]:.2f} |')
    return known


if __name__ == '__main__': main()
