#!/usr/bin/env python3
"""How well wrong labels are found: `python benchmarks/suspects.py [--images 1000] [--repeats 10] [--real FOLDER] [--only demo real model time cost]`

Errors of known kinds (`planting.py`) go into metadata files, and `LazyNPYDataset(…).suspects()` ranks all objects of them, knowing nothing.

- demo: 1 % and 3 % of the drawn ears, keypoints of both sides mixed; sides are declared, as classes, for 'mirrored' alone. Average precision, and the share that is among
  the first 2 × as many as were planted, by kind; means of some repeats.
- real: of small sets of other people's, each object in turn gets each error and is ranked among the untouched rest: the share of trials in which it is among the first
  3 % (the first one of fewer than 50). What is truly wrong in them counts as a false alarm.
- model: boxes of five classes and simulated predictions; beside cleanlab, where it is installed, on the same predictions. Photos are ranked, as cleanlab does: by the whole
  list and by its score for photos; and by that kind of our findings, and that of its scores, which is best for an error.
- time: seconds for the list of some photos with predictions, beside those that cleanlab takes for its scores and its flags.
- cost: seconds for a million boxes, and for 100,000 sets of 55 points, in multiples of one `np.median` and one SVD over the same arrays, and for a quarter of each.

What the figures do not say: the list with a model is of all kinds together while errors of one kind are planted, so what the simulated model itself confuses counts as
false, and so does a `missing` at the true place of a box that was put `elsewhere`, though it is right. With seeds that were not used before (three, 25 errors each, the demo's
own pictures) the AP of that list was 0.63 (missing), 0.75 (wrong class), 0.40 (elsewhere) and 0.93 (shifted). Without a model, a gradient-boosted classifier that was told which
boxes are `shifted`, trained on other photos of the demo, reaches an AP of 0.78 at 1 % and 0.82 at 3 %: numbers alone hardly give 0.9.
Another drawing of the demo (1,000 pictures, seed 20261201, 3 repeats) gave an AP of 1.00 for every kind of points, and for boxes 0.57 and 0.70 (shifted, at 1 and 3 %), 0.88 and
0.93 (half as large), 0.95 and 0.90 (twice as large), and 0.99 or more for the others.

Seconds are those that processors worked, which count on a machine that does other things.

Beside ours stand what one writes by hand: the distance to the mean shape after Procrustes superimposition (reflections allowed, since sides are mixed), and the
Mahalanobis distance in that space with a covariance shrunk by O. Ledoit and M. Wolf (2004); of boxes, the Mahalanobis distance of size, aspect and place.
"""
import argparse
import json
import os
import shutil
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

from ear_lazy.data_processor import DataProcessor
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.synthetic import write_raw

import planting
from planting import BOXES, OF_OBJECTS, POINTS, WITH_MODEL, average_precision, planted, ranks, recall, rows_of

SHARES = .01, .03
MODELLED = (*BOXES, *WITH_MODEL)
BY_MODEL = 'missing', 'spurious', 'wrong class', 'wrong place'
EVERY = [*POINTS, *MODELLED]


# What one writes by hand

def superimposed(points, rounds=5): # (n, K, 3) -> (n, 2K), shapes laid on their mean
    "Generalized Procrustes analysis (J. Gower, 1975); points without a label take the place of the mean's"
    there = points[..., 2] > 0
    z = np.where(there, points[..., 0] + 1j*points[..., 1], np.nan)
    mean = None
    for _ in range(rounds):
        shapes = []
        for own in z:
            own = _unit(own)
            if mean is not None: own = min((_laid(o, mean) for o in (own, own.conj())), key=lambda o: np.nansum(np.abs(o - mean)**2))
            shapes.append(own)
        laid = np.array(shapes)
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', RuntimeWarning) # a point that no set has
            mean = _unit(np.nan_to_num(np.nanmean(laid, 0)) if mean is not None else np.nan_to_num(laid[np.isfinite(laid).sum(1).argmax()]))
    laid = np.where(np.isfinite(laid), laid, mean)
    return np.concatenate([laid.real, laid.imag], 1)

def _unit(z):
    z = z - np.nanmean(z)
    return z/np.sqrt(np.nansum(np.abs(z)**2))

def _laid(z, mean):
    "Scaled and turned onto the mean, over the points that it has"
    has = np.isfinite(z)
    a, b = z[has] - z[has].mean(), mean[has] - mean[has].mean()
    out = np.full(len(z), np.nan, complex)
    out[has] = a*(np.vdot(a, b)/max(np.vdot(a, a).real, 1e-12)) + mean[has].mean()
    return out

def distance(features): return np.linalg.norm(features - features.mean(0), axis=1)

def mahalanobis(features):
    "Distance under a covariance that is shrunk towards a multiple of the identity (Ledoit and Wolf, 2004)"
    x = features - features.mean(0)
    n, p = x.shape
    cov = x.T @ x/n
    mu = np.trace(cov)/p
    spread = ((cov - mu*np.eye(p))**2).sum()
    noise = min((((x**2).T @ x**2)/n - cov**2).sum()/n, spread)
    shrunk = noise/spread*mu*np.eye(p) + (1 - noise/spread)*cov if spread else np.eye(p)
    return np.sqrt(np.einsum('ij,ij->i', x, np.linalg.solve(shrunk + 1e-12*mu*np.eye(p), x.T).T))

def by_hand(record):
    "(row, object) by each method, the farthest first"
    if 'keypoints' in record.dtype.names: features, rows = superimposed(record['keypoints'].astype(float)), np.arange(len(record['keypoints']))
    else:
        rows, boxes = rows_of(record), record['bboxes'].astype(float)
        size = record['sizes'][rows][:, ::-1]
        features = np.column_stack([np.log(boxes[:, 2:]/size), (boxes[:, :2] + boxes[:, 2:]/2)/size])
    number = np.arange(len(rows)) - np.searchsorted(rows, rows)
    orders = {o.__name__: np.argsort(-o(features), kind='stable') for o in (distance, mahalanobis)}
    return {name: list(zip(rows[order].tolist(), number[order].tolist())) for name, order in orders.items()}

def pairs(found): return list(zip(found.row.tolist(), found.object.tolist())) # (row, object) of a list of suspects

def ours(ds): return pairs(ds.suspects())


# Data

def processed(raw, out):
    DataProcessor(raw, out, num_workers=0, progress=False).process_all(train_split=1)
    return out

def demo(folder, images):
    "The demo's metadata, kept between runs"
    out = Path(folder)/f'suspects-{images}/preprocessed'
    if not (out/'train_landmarker.npy').exists():
        raw = write_raw(out.parent/'raw', images=images)
        processed(raw, out)
    return {kind: planting.read(out/f'train_{kind}.npy') for kind in ('detector', 'landmarker')}, out

def sided(record):
    "The drawn ears with a class for each side, by the way that their outer contour runs"
    x, y = record['keypoints'][:, :20, 0].astype(float), record['keypoints'][:, :20, 1].astype(float)
    area = (x*np.roll(y, -1, 1) - y*np.roll(x, -1, 1)).sum(1)
    return planting.with_columns(record, labels=np.where(area > 0, 1, 2).astype('<i4'), label_names=np.array([b'', b'left ear', b'right ear']))

class Trial:
    "A spoiled file beside the true one, where its photos are found"
    def __init__(self, out): self.path = Path(out)/f'spoiled-{os.getpid()}.npy'
    def __call__(self, record): return LazyNPYDataset(planting.write(self.path, record))
    def __enter__(self): return self
    def __exit__(self, *_): self.path.unlink(missing_ok=True)

def offsets_of(record): return record['offsets'] if record['kind'] == b'detector' else None

def places(found, spoiled): return ranks(found, spoiled, offsets_of(spoiled.record))

def _found(spoiled, opened):
    "Where the errors are in the list of each side"
    lists = {'ours': ours(opened(spoiled.record))} | by_hand(spoiled.record)
    return {name: places(o, spoiled) for name, o in lists.items()}


# (a) The demo

def on_demo(args):
    records, out = demo(args.data, args.images)
    results = []
    with Trial(out) as opened:
        for kind in (o for o in (*POINTS, *BOXES) if o in args.kinds):
            record = records['landmarker' if kind in POINTS else 'detector']
            if kind == 'mirrored': record = sided(record)
            n = len(record['keypoints'] if kind in POINTS else record['bboxes'])
            for share in SHARES: results.append(dict(kind=kind, of=n, share=share) | _repeated(record, kind, max(1, round(share*n)), opened, args))
    return results

def _repeated(record, kind, many, opened, args):
    "Mean figures of a kind"
    found = {}
    for seed in range(args.repeats):
        spoiled = planted(record, kind, many, np.random.default_rng([seed, many]))
        for name, at in _found(spoiled, opened).items():
            found.setdefault(name, []).append((average_precision(at), recall(at, 2*len(at))))
    return {name: dict(zip(('ap', 'recall'), np.mean(own, 0).tolist())) for name, own in found.items()}


# (b) Real sets

REAL = {'landmarker': ('faces_pts', 'people_coco_keypoints', 'dlib_faces_landmarks', 'udacity_fkp', 'dlc_openfield', 'mlmorph_tps'),
        'detector': ('ears_yolo_pose', 'ear_awe_yolo_pixels', 'people_coco_keypoints', 'dlib_faces_landmarks', 'dogs_csv', 'tf_csv_headerless', 'map_cartucho', 'haar_info_dat')}

def on_real(args):
    if not args.real or not Path(args.real).is_dir(): return []
    results = []
    for name in dict.fromkeys(o for own in REAL.values() for o in own):
        with tempfile.TemporaryDirectory(dir=args.data) as tmp:
            shutil.copytree(Path(args.real)/name, Path(tmp)/'raw'/name)
            out = processed(Path(tmp)/'raw', Path(tmp)/'out')
            for what in [o for o in REAL if name in REAL[o] and (out/f'train_{o}.npy').exists()]:
                record = planting.read(out/f'train_{what}.npy')
                with Trial(out) as opened: results += [dict(set=name, kind=kind) | _in_turn(record, kind, opened, args) for kind in (POINTS if what == 'landmarker' else BOXES) if kind in args.kinds]
    return results

def first(n): return max(1, round(.03*n)) # the first 3 %, and of a small set the first

def _in_turn(record, kind, opened, args):
    "The share of trials in which the object with the error is among the first"
    n = len(record['keypoints'] if kind in POINTS else record['bboxes'])
    found, trials = {'ours': 0, 'distance': 0, 'mahalanobis': 0}, 0
    some = np.random.default_rng(0).permutation(n)[:args.trials]
    for i in some.tolist():
        spoiled = planted(record, kind, [i], np.random.default_rng(i))
        if not len(spoiled.groups): continue
        trials += 1
        for name, at in _found(spoiled, opened).items(): found[name] += bool(at[0] <= first(n))
    return dict(of=n, trials=trials) | {name: dict(share=hits/trials if trials else None) for name, hits in found.items()}


# With a model

CLASSES = 5

def classed(record, rng):
    names = np.array([b'', *(f'class {i}'.encode() for i in range(1, CLASSES + 1))])
    return planting.with_columns(record, labels=rng.integers(1, CLASSES + 1, len(record['labels'])).astype('<i4'), label_names=names)

def predictions_of(record, rng):
    """What a good and confident detector finds: boxes off by some 4 %; of each 100 objects one is missed, four score low and some two are of another class, less surely; and
    something false in each photo, which scores low"""
    rows, boxes, n = rows_of(record), record['bboxes'].astype(float), len(record['image_paths'])
    kept = np.flatnonzero(rng.random(len(rows)) > .01)
    size = np.tile(boxes[kept, 2:], 2)
    near = boxes[kept] + .04*size*np.clip(rng.standard_t(4, (len(kept), 4)), -4, 4)
    labels = np.where(rng.random(len(kept)) < .03, rng.integers(1, CLASSES + 1, len(kept)), record['labels'][kept])
    own = np.flatnonzero(record['sizes'].prod(1) > 0)
    frames = record['sizes'][own][:, ::-1]
    wh = boxes[rng.integers(0, len(boxes), len(own)), 2:]
    false = np.concatenate([rng.random((len(own), 2))*np.maximum(frames - wh, 0), wh], 1)
    all_rows, all_boxes = np.r_[rows[kept], own], np.concatenate([near, false])
    scores = np.where(rng.random(len(kept)) < .04, rng.beta(2, 6, len(kept)), rng.beta(12, 1, len(kept)))
    scores = np.where(labels != record['labels'][kept], rng.beta(5, 3, len(kept)), scores)
    all_labels, scores = np.r_[labels, rng.integers(1, CLASSES + 1, len(own))], np.r_[scores, rng.beta(2, 6, len(own))]
    all_boxes = np.concatenate([all_boxes[:, :2], all_boxes[:, :2] + np.maximum(all_boxes[:, 2:], 1)], 1)
    return [{'boxes': all_boxes[o], 'labels': all_labels[o], 'scores': scores[o]} for o in (np.flatnonzero(all_rows == i) for i in range(n))]

def for_cleanlab(record, predictions):
    "Labels and predictions as it takes them"
    rows, boxes = rows_of(record), record['bboxes'].astype(float)
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)
    labels = [{'bboxes': corners[rows == i], 'labels': record['labels'][rows == i] - 1} for i in range(len(record['image_paths']))]
    joined = [np.column_stack([o['boxes'], o['scores']]) for o in predictions]
    return labels, [[a[o['labels'] == c] for c in range(1, CLASSES + 1)] for a, o in zip(joined, predictions)]

def by_cleanlab(record, predictions):
    "Photos in the order of each of its scores, the worst first"
    from cleanlab.object_detection import rank
    labels, found = for_cleanlab(record, predictions)
    overall = rank.get_label_quality_scores(labels, found, verbose=False)
    scores = {'all': overall} | {name: np.array([min(np.nan_to_num(o, nan=1.), default=1.) for o in getattr(rank, f'compute_{name}_box_scores')(labels=labels, predictions=found)])
                                 for name in ('overlooked', 'badloc', 'swap')}
    return {name: np.argsort(o, kind='stable').tolist() for name, o in scores.items()}

def by_photo(order, spoiled):
    "Average precision of photos"
    wrong, seen = set(spoiled.rows.tolist()), list(dict.fromkeys(order))
    at = {row: i + 1 for i, row in enumerate(seen)}
    return average_precision(np.array([at.get(row, np.inf) for row in wrong]))

def cleanlab_is_there():
    try: import cleanlab.object_detection # noqa: F401
    except ImportError: return False
    return True

def with_model(args):
    records, out = demo(args.data, args.images)
    results = []
    there = cleanlab_is_there()
    with Trial(out) as opened:
        for kind in (o for o in MODELLED if o in args.kinds):
            found = {}
            for seed in range(args.repeats):
                rng = np.random.default_rng([seed, 3])
                record = classed(records['detector'], rng)
                predictions = predictions_of(record, rng)
                spoiled = planted(record, kind, max(1, round(.03*len(record['bboxes']))), rng)
                whole = opened(spoiled.record).suspects(predictions)
                lines = pairs(whole)
                at = places(lines, spoiled)
                own = {'all': whole} | {o: whole.of(o) for o in BY_MODEL}
                figures = {'ap': average_precision(at), 'recall': recall(at, 2*len(at))} | {f'ours {name}': by_photo(o.row.tolist(), spoiled) for name, o in own.items()}
                if there and seed < args.beside: figures |= {f'cleanlab {name}': by_photo(o, spoiled) for name, o in by_cleanlab(spoiled.record, predictions).items()}
                for name, value in figures.items(): found.setdefault(name, []).append(value)
            results.append(dict(kind=kind) | {name: float(np.mean(o)) for name, o in found.items()})
    return results


def time_with_model(args):
    "Seconds for a list, beside cleanlab's scores and flags of the same predictions"
    records, out = demo(args.data, args.images)
    rng = np.random.default_rng(0)
    record = crowded(classed(records['detector'], rng), args.photos, rng)
    predictions = predictions_of(record, rng)
    with Trial(out) as opened:
        ds = opened(record)
        seconds = []
        for _ in range(3):
            started = time.process_time()
            ds.suspects(predictions)[:50]
            seconds.append(time.process_time() - started)
    line = dict(photos=len(ds), boxes=len(record['bboxes']), predictions=sum(len(o['scores']) for o in predictions), seconds=min(seconds))
    if cleanlab_is_there():
        from cleanlab.object_detection import filter as flags, rank
        labels, found = for_cleanlab(record, predictions)
        for name, run in (('scores', lambda: rank.get_label_quality_scores(labels, found, verbose=False)), ('flags', lambda: flags.find_label_issues(labels, found))):
            started = time.process_time()
            run()
            line[name] = time.process_time() - started
        line['ratio'] = (line['scores'] + line['flags'])/line['seconds']
    return [line]

def crowded(record, photos, rng, each=2.5):
    "So many photos with some boxes each"
    record = tiled(record, int(photos*each*1.3), rng)
    counts = rng.poisson(each - 1, photos) + 1
    columns = {name: record[name][:photos] for name in ('sizes', 'source', 'groups', 'image_paths')} | {name: record[name][:counts.sum()] for name in OF_OBJECTS if name in record.dtype.names}
    return planting.with_columns(record, offsets=np.r_[0, counts.cumsum()].astype('<i8'), **columns)


# (c) Cost

def tiled(record, n, rng):
    "The record with n objects: those that there are again and again, each a little different"
    rows = rows_of(record) if record['kind'] == b'detector' else np.arange(len(record['image_paths']))
    m, many = len(rows), len(record['image_paths'])
    copies = -(-n//m)
    columns = {name: np.tile(record[name], (copies, *[1]*(record[name].ndim - 1))) for name in ('sizes', 'source', 'groups', 'image_paths', 'labels', 'origin_file', 'origin_id', 'bboxes', 'keypoints')
               if name in record.dtype.names}
    columns['image_paths'] = np.array([b'%d/%s' % (i//many, o) for i, o in enumerate(columns['image_paths'].tolist())])
    name = 'bboxes' if record['kind'] == b'detector' else 'keypoints'
    values = columns[name]
    values[..., :2] += rng.normal(0, 1, values[..., :2].shape)
    if name == 'bboxes':
        values[:, 2:] *= rng.uniform(.8, 1.25, values[:, 2:].shape)
        columns['offsets'] = np.r_[0, np.tile(np.diff(record['offsets']), copies).cumsum()].astype('<i8')
    return planting.with_columns(record, more_origins=None, attributes=None, attribute_names=None, attribute_values=None, **columns)

def yardstick(record):
    "Seconds of one median and one SVD over the values"
    values = record['bboxes'] if record['kind'] == b'detector' else record['keypoints'][..., :2].reshape(len(record['keypoints']), -1)
    values = values.astype(np.float64)
    started = time.process_time()
    np.linalg.svd(values - np.median(values, 0), full_matrices=False)
    return time.process_time() - started

def cost(args):
    records, out = demo(args.data, args.images)
    results = []
    for kind, most in (('detector', args.boxes), ('landmarker', args.sets)):
        for n in (most//4, most):
            record = tiled(records[kind], n, np.random.default_rng(0))
            with Trial(out) as opened:
                times = []
                for _ in range(2):
                    ds = opened(record)
                    started = time.process_time()
                    found = ds.suspects()
                    found[:50]
                    times.append(time.process_time() - started)
            base = min(yardstick(record) for _ in range(2))
            results.append(dict(what='boxes' if kind == 'detector' else 'sets of points', n=n, seconds=min(times), yardstick=base, ratio=min(times)/base))
    return results


# Tables

def table(header, rows):
    cells = [[f'{o:.2f}' if isinstance(o, float) else '–' if o is None else str(o) for o in row] for row in rows]
    return '\n'.join([f"| {' | '.join(header)} |", '|---' + '|---:'*(len(header) - 1) + '|', *(f"| {' | '.join(o)} |" for o in cells)])

def shown(results):
    "All tables as Markdown"
    if own := results.get('demo'):
        yield table(['planted in the demo', 'share', 'AP', 'in the first 2 ×', 'AP of the distance', 'AP of Mahalanobis'],
                    [[o['kind'], f"{o['share']:.0%} of {o['of']}", o['ours']['ap'], o['ours']['recall'], o['distance']['ap'], o['mahalanobis']['ap']] for o in own])
    for kinds, what in ((POINTS, 'points'), (BOXES, 'boxes')):
        if own := [o for o in results.get('real', []) if o['kind'] in kinds]:
            kinds, names = [o for o in kinds if o in {p['kind'] for p in own}], list(dict.fromkeys((o['set'], o['of']) for o in own))
            at = {(o['set'], o['kind']): o for o in own}
            lines = [[kind, *(at[name, kind]['ours']['share'] for name, _ in names), *(_mean(own, kind, side) for side in ('ours', 'distance', 'mahalanobis'))] for kind in kinds]
            yield table([f'{what}: among the first', *(f'{name} ({n})' for name, n in names), 'all trials', 'distance', 'Mahalanobis'], lines)
    if own := results.get('model'):
        yield table(['with a model', 'AP', 'in the first 2 ×', 'AP of photos', 'cleanlab', 'the best of one kind', 'the best of its scores'],
                    [[o['kind'], o['ap'], o['recall'], o['ours all'], o.get('cleanlab all'), _best(o, 'ours '), _best(o, 'cleanlab ')] for o in own])
    if own := results.get('time'):
        yield table(['time with a model', 'seconds', 'cleanlab: scores', 'cleanlab: flags', 'as often'],
                    [[f"{o['photos']:,} photos, {o['boxes']:,} boxes, {o['predictions']:,} predictions", o['seconds'], o.get('scores'), o.get('flags'), o.get('ratio')] for o in own])
    if own := results.get('cost'):
        yield table(['cost', 'seconds', 'median and SVD', 'ratio'], [[f"{o['n']:,} {o['what']}", o['seconds'], o['yardstick'], o['ratio']] for o in own])

def _best(line, side): return max((value for name, value in line.items() if name.startswith(side)), default=None)

def _mean(own, kind, side):
    "Over all trials of a kind"
    own = [o for o in own if o['kind'] == kind and o['trials']]
    return sum(o[side]['share']*o['trials'] for o in own)/sum(o['trials'] for o in own) if own else None


PARTS = {'demo': on_demo, 'real': on_real, 'model': with_model, 'time': time_with_model, 'cost': cost}

def main(*args):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--images', type=int, default=1000, help='drawn pictures of the demo')
    parser.add_argument('--repeats', type=int, default=10)
    parser.add_argument('--beside', type=int, default=2, help='repeats in which cleanlab runs')
    parser.add_argument('--trials', type=int, default=60, help='objects of each real set')
    parser.add_argument('--real', type=Path, help='folder with the real sets; without it they are left out')
    parser.add_argument('--kinds', nargs='+', choices=EVERY, default=EVERY, metavar='KIND', help='kinds of errors, such as: "point off"')
    parser.add_argument('--photos', type=int, default=2000, help='photos of which times with a model are taken')
    parser.add_argument('--boxes', type=int, default=1_000_000)
    parser.add_argument('--sets', type=int, default=100_000)
    parser.add_argument('--only', nargs='+', choices=PARTS, default=list(PARTS))
    parser.add_argument('--data', type=Path, default=Path(tempfile.gettempdir())/'ear_lazy_benchmarks', help='where the data is kept')
    parser.add_argument('--out', type=Path, help='JSON file for the figures')
    args = parser.parse_args(args or None)
    args.data.mkdir(parents=True, exist_ok=True)
    results = {name: PARTS[name](args) for name in args.only}
    print('\n\n'.join(shown(results)))
    if args.out: args.out.write_text(json.dumps(results, indent=1) + '\n', encoding='utf-8')
    return results


if __name__ == '__main__': sys.exit(main() and 0)
