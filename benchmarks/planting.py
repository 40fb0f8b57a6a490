"""Errors as people and tools make them, planted into labels that are right, so that it is known which are wrong

Eight kinds for keypoints and eight for boxes, and three more that only a model can see. `Spoiler.points` and `Spoiler.boxes` give the wrong values of objects;
`planted` puts some of them into the record of a metadata file, which `write` writes as any other, so that a dataset opens it and knows nothing.
"""
from pathlib import Path
from typing import NamedTuple

import numpy as np

POINTS = ('point off', 'points swapped', 'order reversed', 'numbering shifted', 'contour exchanged', 'mirrored', 'points on top of each other', 'outline odd')
BOXES = ('shifted', 'twice as large', 'half as large', 'duplicate', 'xyxy as xywh', 'x and y exchanged', 'normalised', 'elsewhere')
WITH_MODEL = ('missing', 'spurious', 'wrong class')
RUNS = {55: (20, 15, 15, 5), 68: (17, 5, 5, 4, 5, 6, 6, 12, 8)} # points of each contour, of sets whose contours are known
APART = .05 # of the diagonal: points nearer than this may change places and nobody would see it


# Keypoints. Each takes labelled points (k, 2) of one set and a generator, and gives them spoiled

def _diagonal(xy): return float(np.linalg.norm(np.ptp(xy, 0)))

def _two(xy, rng):
    "Numbers of two points that are not too near; of few points perhaps the two that are farthest"
    away = np.linalg.norm(xy[:, None] - xy[None], axis=2)
    pairs = np.argwhere(away >= min(APART*_diagonal(xy), away.max()))
    return pairs[rng.integers(len(pairs))]

def _turned(length, rng):
    angle = rng.uniform(0, 2*np.pi)
    return length*np.array([np.cos(angle), np.sin(angle)])

def _off(xy, rng):
    xy[rng.integers(len(xy))] += _turned(.1*_diagonal(xy), rng)
    return xy

def _swapped(xy, rng):
    pair = _two(xy, rng)
    xy[pair] = xy[pair[::-1]]
    return xy

def _exchanged(xy, rng):
    "Two contours of one length; the two halves of a set whose contours are not known"
    ends = np.cumsum(RUNS.get(len(xy), (len(xy)//2,)*2))
    runs = [np.arange(end - n, end) for end, n in zip(ends, np.diff(ends, prepend=0))]
    pairs = [(a, b) for i, a in enumerate(runs) for b in runs[:i] if len(a) == len(b)]
    a, b = pairs[rng.integers(len(pairs))]
    xy[np.r_[a, b]] = xy[np.r_[b, a]]
    return xy

def _mirrored(xy, rng):
    xy[:, 0] = xy[:, 0].min() + xy[:, 0].max() - xy[:, 0]
    return xy

def _on_top(xy, rng):
    a, b = _two(xy, rng)
    xy[a] = xy[b]
    return xy

def _odd(xy, rng):
    "Sorted from left to right, as tools do; or half of the points moved"
    if rng.integers(2): return xy[np.argsort(xy[:, 0], kind='stable')]
    half = np.roll(np.arange(len(xy)), rng.integers(len(xy)))[:len(xy)//2]
    xy[half] += _turned(.15*_diagonal(xy), rng)
    return xy

_OF_POINTS = dict(zip(POINTS, (_off, _swapped, lambda xy, rng: xy[::-1], lambda xy, rng: np.roll(xy, 1, 0), _exchanged, _mirrored, _on_top, _odd)))

def spoiled_points(
    kind:str, # One of `POINTS`
    points:np.ndarray, # (n, K, 3) x, y, visibility of sets that are right
    rng:np.random.Generator,
)->np.ndarray: # (n, K, 3) NaN where the error cannot be made, or changes nothing
    "The sets with an error each; points that are not labelled stay so"
    found = np.array(points, np.float64)
    for own in found:
        rows = np.flatnonzero(own[:, 2] > 0)
        before = own[rows, :2].copy()
        after = _OF_POINTS[kind](before.copy(), rng) if len(rows) > 1 else before
        own[rows, :2] = after if len(rows) > 1 and np.abs(after - before).max() > .01*_diagonal(before) else np.nan
    return found


# Boxes xywh (n, 4), with the height and width of their photos (n, 2)

def _scaled(boxes, factor): return np.concatenate([boxes[:, :2] + boxes[:, 2:]*(1 - factor)/2, boxes[:, 2:]*factor], 1)

def _moved(boxes, by): return np.concatenate([boxes[:, :2] + by, boxes[:, 2:]], 1)

def _shifted(boxes, frames, rng): return _moved(boxes, rng.choice([-.5, .5], (len(boxes), 2))*boxes[:, 2:])

def _copied(boxes, frames, rng): return _moved(boxes, rng.choice([-.05, .05], (len(boxes), 2))*boxes[:, 2:])

def _elsewhere(boxes, frames, rng):
    "Anywhere in the photo without an overlap; some photos have no room"
    found = np.full(boxes.shape, np.nan)
    for _ in range(20):
        there = np.concatenate([rng.uniform(0, 1, (len(boxes), 2))*np.maximum(frames[:, ::-1] - boxes[:, 2:], 0), boxes[:, 2:]], 1)
        new = np.isnan(found[:, 0]) & (iou(there, boxes) == 0)
        found[new] = there[new]
    return found

_OF_BOXES = {'shifted': _shifted, 'twice as large': lambda b, f, rng: _scaled(b, 2.), 'half as large': lambda b, f, rng: _scaled(b, .5), 'duplicate': _copied,
             'xyxy as xywh': lambda b, f, rng: np.concatenate([b[:, :2], b[:, :2] + b[:, 2:]], 1), 'x and y exchanged': lambda b, f, rng: b[:, [1, 0, 3, 2]],
             'normalised': lambda b, f, rng: b/f[:, [1, 0, 1, 0]], 'elsewhere': _elsewhere, 'spurious': _elsewhere}

def iou(a, b): # (n, 4) xywh each -> (n,)
    "Intersection over union of boxes one by one"
    inner = np.clip(np.minimum(a[:, :2] + a[:, 2:], b[:, :2] + b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0, None).prod(1)
    return inner/(a[:, 2:].prod(1) + b[:, 2:].prod(1) - inner)

def spoiled_boxes(
    kind:str, # One of `BOXES`, or 'spurious'
    boxes:np.ndarray, # (n, 4) xywh pixels of boxes that are right
    frames:np.ndarray, # (n, 2) height and width of the photo of each
    rng:np.random.Generator,
)->np.ndarray: # (n, 4) NaN where the error cannot be made, or changes hardly anything
    "The boxes with an error each, cut off at the edges of the photo as a run does; of a duplicate and of what is spurious, the box that is added"
    boxes, frames = np.asarray(boxes, np.float64), np.asarray(frames, np.float64)
    found = _OF_BOXES[kind](boxes, frames, rng)
    low, high = np.maximum(found[:, :2], 0), np.minimum(found[:, :2] + found[:, 2:], frames[:, ::-1])
    found = np.concatenate([low, high - low], 1)
    there = (found[:, 2:] > 0).all(1) & ((iou(found, boxes) < .9) | (kind == 'duplicate'))
    return np.where(there[:, None], found, np.nan)


# Metadata files

class Planted(NamedTuple):
    "A record with errors, and where they are"
    record:np.ndarray # as of a metadata file
    groups:list # a set of objects for each error, any of which is a find: a box and its duplicate. Numbers of objects of the spoiled record
    rows:np.ndarray # (errors,) row of each, also of a box that is missing
    right:np.ndarray # (errors, …) the value that was right

def read(path): return np.load(path, allow_pickle=False)

def write(path, record):
    "Write a record as a metadata file; returns its path"
    header = dict(descr=np.lib.format.dtype_to_descr(record.dtype), fortran_order=False, shape=())
    with open(path, 'wb') as f:
        np.lib.format.write_array_header_1_0(f, header)
        f.write(record.tobytes())
    return Path(path)

def with_columns(record, **columns):
    "The record with other columns, also of other lengths"
    all_columns = {name: np.asarray(columns.get(name, record[name])) for name in dict.fromkeys([*record.dtype.names, *columns]) if columns.get(name, 0) is not None}
    made = np.zeros((), np.dtype([(name, o.dtype, o.shape) for name, o in all_columns.items()]))
    for name, o in all_columns.items(): made[name] = o
    return made

OF_OBJECTS = 'bboxes', 'labels', 'origin_file', 'origin_id', 'attributes' # of a detector

def rows_of(record): return np.repeat(np.arange(len(record['image_paths'])), np.diff(record['offsets'])) # row of each object of a detector

def taken(record, objects, rows):
    "A detector with these objects, which may be there twice, in these rows (ascending)"
    counts = np.bincount(rows, minlength=len(record['image_paths']))
    own = {name: record[name][objects] for name in OF_OBJECTS if name in record.dtype.names}
    return with_columns(record, offsets=np.r_[0, counts.cumsum()].astype('<i8'), more_origins=None, **own)

def planted(
    record:np.ndarray, # of a metadata file whose labels are right: detector or landmarker
    kind:str, # One of `POINTS` for a landmarker, else of `BOXES` and `WITH_MODEL`
    which, # Numbers of objects; or how many, at random
    rng:np.random.Generator,
    among=None, # Objects to choose from; None: all
)->Planted:
    "The record with errors of one kind; objects in which they cannot be made are not chosen"
    if kind in POINTS: return _planted_points(record, kind, which, rng, among)
    rows, boxes = rows_of(record), record['bboxes'].astype(np.float64)
    if kind in ('missing', 'wrong class'): spoiled = boxes
    else: spoiled = spoiled_boxes(kind, boxes, record['sizes'][rows], rng)
    some = _chosen(which, np.isfinite(spoiled).all(1), rng, among)
    if kind == 'missing':
        kept = np.setdiff1d(np.arange(len(boxes)), some)
        return Planted(taken(record, kept, rows[kept]), [set() for _ in some], rows[some], boxes[some])
    if kind in ('duplicate', 'spurious'): return _added(record, some, spoiled, rows, kind)
    if kind == 'wrong class':
        labels, names = record['labels'].copy(), np.setdiff1d(np.unique(record['labels']), [0])
        labels[some] = [rng.choice(names[names != o]) for o in labels[some]]
        return Planted(with_columns(record, labels=labels), [{o} for o in some.tolist()], rows[some], record['labels'][some])
    values = record['bboxes'].copy()
    values[some] = spoiled[some]
    return Planted(with_columns(record, bboxes=values), [{o} for o in some.tolist()], rows[some], boxes[some])

def _chosen(which, can, rng, among):
    if not np.isscalar(which): return np.sort([o for o in which if can[o]]).astype(np.int64)
    if among is not None: can = can & np.isin(np.arange(len(can)), among)
    return np.sort(rng.choice(np.flatnonzero(can), min(int(which), int(can.sum())), replace=False))

def _planted_points(record, kind, which, rng, among):
    if 'offsets' in record.dtype.names: raise ValueError('sets of several numbers of points: take one source')
    points = record['keypoints'].copy()
    can = (points[..., 2] > 0).sum(1) > 1
    some = _chosen(which, can, rng, among)
    spoiled = spoiled_points(kind, points[some], rng)
    some, spoiled = (o[np.isfinite(spoiled).all((1, 2))] for o in (some, spoiled))
    right = points[some].copy()
    points[some] = spoiled
    return Planted(with_columns(record, keypoints=points), [{o} for o in some.tolist()], some, right)

def _added(record, some, spoiled, rows, kind):
    "One more object after each of these"
    order = np.sort(np.r_[np.arange(len(rows)), some], kind='stable')
    new = np.r_[False, order[1:] == order[:-1]]
    made = taken(record, order, rows[order])
    made['bboxes'][new] = spoiled[order[new]]
    groups = [{o - 1, o} if kind == 'duplicate' else {o} for o in np.flatnonzero(new).tolist()]
    return Planted(made, groups, rows[some], record['bboxes'][some])


# Figures

def ranks(
    found:list, # (row, object) in the order of the list of suspects, object −1 where there is none
    planted:Planted,
    offsets=None, # (n + 1,) of a detector, to number its objects; None: one to a row
)->np.ndarray: # (errors,) from 1, infinite if it is not there
    "The place of each error in the list; the second one of a pair counts as no line"
    of = {o: i for i, own in enumerate(planted.groups) for o in own} | {(row, -1): i for i, (row, own) in enumerate(zip(planted.rows.tolist(), planted.groups)) if not own}
    at, lines = np.full(len(planted.groups), np.inf), 0
    for row, number in found:
        error = of.get((row, -1) if number < 0 else number + (row if offsets is None else int(offsets[row])))
        if error is not None and np.isfinite(at[error]): continue
        lines += 1
        if error is not None: at[error] = lines
    return at

def average_precision(
    ranks:np.ndarray, # (errors,) from 1
)->float:
    "Mean over the errors of the share that is right up to the place of each; 0 for one that is not found"
    places = np.sort(ranks)
    return float(np.mean(np.where(np.isfinite(places), np.arange(1, len(places) + 1)/places, 0)))

def recall(ranks, first): return float(np.mean(ranks <= first))
