"Corrections through all that they pass: the editor, the journal of two people, merges, runs, datasets and the raw data that an export has replaced, against a list of objects"
import json
import os
import random
import shutil
import warnings
from collections import Counter

import numpy as np
import pytest
from making import KINDS, assert_accounted, contents, coco, process, pts, text
from PIL import Image

from ear_lazy.corrections import Corrections
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.looking.editing import Editor
from ear_lazy.looking.photo_edits import Refused
from ear_lazy.looking.row_table import RowTable
from ear_lazy.rewrite import changed

SIZE = H, W = 150, 200 # of the upright photos
WITHIN = dict(box=1.02, points=.52) # pixels that files may round by
SLOTS = 12 # places of a photo, so that no object is taken for another


def photo(path, seed, turn=1):
    "A photo of upright 150 × 200 pixels, stored in an EXIF orientation"
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x112] = turn
    size = (H, W) if turn >= 5 else (W, H)
    Image.new('RGB', size, tuple(np.random.default_rng(seed).integers(0, 256, 3).tolist())).save(path, exif=exif)


def corner(slot): return 4 + 48 * (slot % 4), 4 + 48 * (slot // 4)
def box(slot, w=20, h=16): return [float(corner(slot)[0]), float(corner(slot)[1]), float(w), float(h)]
def points(slot, v=2): return [(corner(slot)[0] + 3., corner(slot)[1] + 4., v), (corner(slot)[0] + 17., corner(slot)[1] + 12., 2)]


def voc(path, name, boxes):
    found = ''.join(f'<object><name>{c}</name><bndbox><xmin>{x:g}</xmin><ymin>{y:g}</ymin><xmax>{x + w:g}</xmax><ymax>{y + h:g}</ymax></bndbox></object>\n' for c, (x, y, w, h) in boxes)
    return text(path, f'<annotation>\n<filename>{name}</filename>\n<size><width>{W}</width><height>{H}</height><depth>3</depth></size>\n{found}</annotation>\n')


def labelme(path, name, boxes):
    shapes = [dict(label=c, points=[[x, y], [x + w, y + h]], group_id=None, shape_type='rectangle', flags={}) for c, (x, y, w, h) in boxes]
    return text(path, json.dumps(dict(version='5.0.1', flags={}, shapes=shapes, imagePath=name, imageData=None, imageHeight=H, imageWidth=W)))


def write_all(raw, turns):
    "Photos in files of seven formats; one is described by two files"
    folders = 'coco', 'both', 'voc', 'yolo', 'pts', 'csv', 'labelme'
    turn = {f: next(turns) for f in folders}
    for f in folders: photo(raw/f'{f}/{f}.jpg', sum(map(ord, f)), turn[f])
    coco(raw/'coco/a.json', {'coco.jpg': [box(0), dict(bbox=box(1), keypoints=sum(map(list, points(1)), [])), dict(bbox=[0, 0, 0, 0], keypoints=sum(map(list, points(2, 1)), []))]}, SIZE)
    coco(raw/'both/boxes.json', {'both.jpg': [box(0), box(1)]}, SIZE)
    coco(raw/'both/points.json', {'both.jpg': [dict(bbox=box(0), keypoints=sum(map(list, points(0)), [])), dict(keypoints=sum(map(list, points(3)), []))]}, SIZE)
    voc(raw/'voc/voc.xml', 'voc.jpg', [('ear', box(0)), ('hat', box(1))])
    text(raw/'yolo/classes.txt', 'ear\nhat\n')
    text(raw/'yolo/yolo.txt', ''.join(f'{c} {(x + w/2)/W:.6f} {(y + h/2)/H:.6f} {w/W:.6f} {h/H:.6f}\n' for c, (x, y, w, h) in ((0, box(0)), (1, box(1)))))
    pts(raw/'pts/pts.pts', [o[:2] for o in points(3)])
    coco(raw/'pts/pts.json', {'pts.jpg': [box(0)]}, SIZE)
    text(raw/'csv/boxes.csv', 'image_path,x1,y1,w,h,label\n' + ''.join(f'csv.jpg,{x:g},{y:g},{w:g},{h:g},{c}\n' for c, (x, y, w, h) in (('ear', box(0)), ('hat', box(1)))))
    labelme(raw/'labelme/labelme.json', 'labelme.jpg', [('ear', box(0)), ('hat', box(1))])
    return raw


def near(a, b):
    "Are two objects one, but for what files round?"
    if (a['label'] or None) != (b['label'] or None) or any((a[o] is None) != (b[o] is None) for o in WITHIN): return False
    boxes = [np.array([o['box'][0], o['box'][1], o['box'][0] + o['box'][2], o['box'][1] + o['box'][3]]) for o in (a, b)] if a['box'] else [np.zeros(4)] * 2
    if np.abs(boxes[0] - boxes[1]).max() > WITHIN['box']: return False
    if a['points'] is None: return True
    p, q = (np.array(o['points'], float) for o in (a, b))
    return p.shape == q.shape and (p[:, 2] == q[:, 2]).all() and np.abs(p[:, :2] - q[:, :2])[p[:, 2] > 0].max(initial=0) <= WITHIN['points']


def check_same(found, expected, what):
    left = list(found)
    for o in expected:
        same = next((p for p in left if near(p, o)), None)
        assert same is not None, (what, 'is missing', o, left)
        left.remove(same)
    assert not left, (what, 'is too much', left, expected)


class Action:
    "What somebody did to a photo, and whether it holds"
    def __init__(self, who, path, changes, photo=''): self.who, self.path, self.changes, self.photo, self.holds = who, path, changes, photo, [who == 0, who == 1] # as each of the two knows


class Person:
    "Somebody with a copy of the journal"
    def __init__(self, name, journal):
        self.name, self.journal, self.touched, self.events = name, journal, set(), []
        journal.parent.mkdir()

    def open(self, ds):
        os.environ['LOGNAME'] = self.name
        self.editor = Editor(RowTable(ds), self.journal)

    def stacks(self, rows):
        "What can be undone, and done again"
        undo, redo = [], []
        for what, a in self.events:
            if a.path not in rows: continue
            if what == 'act': undo.append(a), redo.clear()
            elif what == 'undo': undo.remove(a), redo.append(a)
            else: redo.remove(a), undo.append(a)
        return undo, redo


class Round:
    "Two people, their journals, the raw data, and what all that should come to"
    def __init__(self, folder, seed):
        self.rng, self.folder, self.raw, self.out, self.n = random.Random(seed), folder, folder/'raw', folder/'out', 0
        turns = [*range(1, 9)]
        self.rng.shuffle(turns)
        write_all(self.raw, iter(turns))
        self.people = [Person(o, folder/o/'corrections.jsonl') for o in ('ann', 'bob')]
        self.actions, self.first, self.slots = [], {}, Counter()
        process(self.raw, self.out, train_split=1, corrections=False)
        self.open()
        for path, row in self.rows.items():
            for o in self.people[0].editor.edits(row).shown: self.first[len(self.first)] = dict(path=path, **o.value._asdict())
            self.slots[path] = 4
        self.number = len(self.first)

    def open(self):
        ds = LazyNPYDataset(self.out/'train_detector.npy')
        for o in self.people: o.open(ds)
        self.rows = {o.decode(): row for row, o in enumerate(RowTable(ds).paths.tolist())}

    def datasets(self): return {k: LazyNPYDataset(self.out/f'train_{k}.npy') for k in KINDS if (self.out/f'train_{k}.npy').exists()}

    # The model

    def model(self, who, path=None):
        "key → object, as one person should see it; without a path, of photos that are not left out"
        found = {k: dict(o) for k, o in self.first.items()}
        out = set()
        for a in (a for a in self.actions if a.holds[who]):
            if a.photo == 'exclude': out.add(a.path)
            for key, change in a.changes.items():
                if change is None: found.pop(key, None)
                elif key in found: found[key] |= change
                else: found[key] = dict(path=a.path, box=None, points=None, label=None) | change
        return {k: o for k, o in found.items() if (o['path'] == path if path else o['path'] not in out)}

    def free(self, who, keys): return not {*keys} & self.people[1 - who].touched

    def key_of(self, who, o, row):
        return next(s.key for s in self.people[who].editor.edits(row).shown if near(s.value._asdict(), o))

    # Steps

    def act(self, who, path, actions, changes, photo=''):
        p = self.people[who]
        os.environ['LOGNAME'] = p.name
        _, keys = p.editor.act(self.rows[path], actions)
        p.editor.refresh()
        a = Action(who, path, changes, photo)
        self.actions.append(a)
        p.events.append(('act', a))
        p.touched |= {*changes} | ({path} if photo == 'empty' else set())
        if photo == 'add': p.touched.add(f'added {path}')

    def values(self, o, slot):
        "Other values of an object, in its own place"
        r, (x, y) = self.rng, corner(slot)
        kind = r.choice(('box', 'points', 'label', 'both'))
        new = {}
        if kind in ('box', 'both'): new['box'] = (x + r.randrange(0, 28) / 2, y + r.randrange(0, 28) / 2, float(r.randrange(10, 26)), float(r.randrange(10, 26)))
        if kind == 'points' or kind == 'both' and o['points']: new['points'] = tuple((x + r.randrange(2, 60) / 2, y + r.randrange(2, 60) / 2, r.choice((1, 2))) for _ in range(2))
        if kind == 'label': new['label'] = r.choice(('ear', 'hat', 'nose'))
        return new

    def slot_of(self, o):
        x, y = o['box'][:2] if o['box'] else next(p[:2] for p in o['points'] if p[2])
        return int((x - 2) // 48) + 4 * int((y - 2) // 48)

    def change(self, who):
        found = {k: o for k, o in self.model(who).items() if o['path'] in self.rows and self.free(who, [k, o['path']])}
        if not found: return
        key, o = self.rng.choice([*found.items()])
        new = self.values(o, self.slot_of(o))
        if all(o[k] == v for k, v in new.items()): return
        self.act(who, o['path'], [{'op': 'set', 'key': self.key_of(who, o, self.rows[o['path']]), 'now': new}], {key: new})

    def delete(self, who):
        found = {k: o for k, o in self.model(who).items() if o['path'] in self.rows and self.free(who, [k, o['path']]) and self.slot_of(o)}
        if not found: return
        key, o = self.rng.choice([*found.items()])
        self.act(who, o['path'], [{'op': 'delete', 'key': self.key_of(who, o, self.rows[o['path']])}], {key: None})

    def add(self, who):
        path = self.rng.choice([*self.rows])
        if self.slots[path] >= SLOTS or not self.free(who, [path]): return
        new = self.values(dict(points=1), self.slots[path])
        if not {'box', 'points'} & {*new}: return
        new['label'] = self.rng.choice(('ear', 'nose'))
        self.slots[path] += 1
        self.number += 1
        self.act(who, path, [{'op': 'add', 'now': new}], {self.number: new}, 'add')

    def empty(self, who):
        path = self.rng.choice([*self.rows])
        if not (keys := [*self.model(who, path)]) or not self.free(who, [*keys, path, f'added {path}']): return
        self.act(who, path, [{'op': 'empty'}], {k: None for k in keys}, 'empty')

    def exclude(self, who):
        path = self.rng.choice([*self.rows])
        if path not in {o['path'] for o in self.model(who).values()} or any(a.photo == 'exclude' and a.path == path for a in self.actions): return
        self.act(who, path, [{'op': 'exclude'}], {}, 'exclude')

    def ok(self, who):
        path = self.rng.choice([*self.rows])
        e = self.people[who].editor.edits(self.rows[path])
        if not e.is_ok and not e.is_empty: self.act(who, path, [{'op': 'ok'}], {}, 'ok')

    def back(self, who, what):
        p = self.people[who]
        stack = p.stacks(self.rows)[what == 'redo']
        os.environ['LOGNAME'] = p.name
        if not stack:
            with pytest.raises(Refused): getattr(p.editor, what)()
            return
        a = stack[-1]
        keys = {*a.changes} | ({a.path} if a.photo == 'empty' else set())
        if not self.free(who, keys): return
        later = [b for b in self.actions[self.actions.index(a) + 1:] if b.who != who and b.holds[who] and {*b.changes} & keys]
        if what == 'redo' and later: return # it would be a conflict, and is one
        try: getattr(p.editor, what)()
        except Refused:
            assert later, (what, a.changes)
            return
        p.editor.refresh()
        a.holds[who] = what == 'redo'
        p.events.append((what, a))
        p.touched |= keys

    def undo(self, who): self.back(who, 'undo')
    def redo(self, who): self.back(who, 'redo')

    def merge(self, who=0):
        "cat a b | sort -R, in both copies"
        lines = [line for o in self.people if o.journal.exists() for line in o.journal.read_text().splitlines(True)]
        if not lines: return
        lines = [*dict.fromkeys(lines), *lines[:2]]
        for o in self.people:
            self.rng.shuffle(lines)
            o.journal.write_text(''.join(lines))
            o.touched = set()
            o.editor.refresh()
        for a in self.actions: a.holds = [a.holds[a.who]] * 2

    def export(self, who):
        "The raw data is replaced by what is exported"
        self.merge()
        if not self.people[0].journal.exists(): return
        self.n += 1
        done = Corrections(self.people[0].journal, self.raw).export(self.folder/f'exported{self.n}', self.raw, leave=True)
        assert not any('was corrected' in o or 'differ' in o or 'objects have' in o for o in done.left), done.left
        if (self.folder/f'exported{self.n}').exists(): shutil.copytree(self.folder/f'exported{self.n}', self.raw, dirs_exist_ok=True)
        for o in done.rewritten.gone: (self.raw/o).unlink()

    def process(self, who):
        "A run, which has what the dataset had at once"
        self.merge() # else one would see the values of the other, and not the lines that they come from
        journal = self.people[who].journal
        if not journal.exists(): return
        at_once = {k: self.of_file(k, self.out, corrections=journal) for k in KINDS}
        known = {k: {o.decode() for o in ds.metadata.column('image_paths').tolist()} for k, ds in self.datasets().items()}
        new, self.n = self.folder/f'out{self.n}', self.n + 1
        shutil.copytree(self.out, new)
        report = process(self.raw, new, train_split=1, corrections=journal)
        assert_accounted(report, new)
        assert not [o for o in report.problems if o.reason in ('conflict', 'not_here')], report.problems
        for k in known: self.check_rows(k, at_once[k], [o for o in self.of_file(k, new) if o[0] in known[k]])
        self.check_model(who, new)
        if self.rng.random() < .3: self.check_bytes(new, journal)
        self.out = new
        self.open()

    def check_bytes(self, out, journal):
        lines = journal.read_text().splitlines(True) * 2
        self.rng.shuffle(lines)
        for workers in (0, 2) if self.rng.random() < .2 else (0,):
            again = self.folder/'again'
            text(self.folder/'shuffled/corrections.jsonl', ''.join(lines))
            process(self.raw, again, train_split=1, corrections=self.folder/'shuffled/corrections.jsonl', num_workers=workers)
            a, b = ({k: o for k, o in contents(f).items() if k.endswith('.npy')} for f in (out, again))
            assert a.keys() == b.keys()
            for k in a: assert a[k] == b[k], k
            shutil.rmtree(again)

    def of_file(self, kind, out, **options):
        "(photo, places, values, class) of all objects of a file"
        if not (out/f'train_{kind}.npy').exists(): return []
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            ds = LazyNPYDataset(out/f'train_{kind}.npy', **options)
        found, names = [], ds.label_names
        for i in range(len(ds)):
            o, m = ds.get_metadata(i), ds.metadata
            if kind == 'detector': own = zip(ds.origin(i), o['bboxes'].tolist(), m.labels(i))
            else: own = [(ds.origin(i), o['keypoints' if kind == 'landmarker' else 'bbox'].tolist(), m.labels(i))]
            found += [(m.image_path(i), tuple(sorted(map(str, places))), value, names[int(label)]) for places, value, label in own]
        return found

    def check_rows(self, kind, a, b):
        "Raw data may have been replaced since, so places may be others"
        left = list(b)
        for path, _, value, label in a:
            same = next((o for o in left if o[0] == path and o[3] == label and np.shape(o[2]) == np.shape(value) and np.abs(np.subtract(o[2], value)).max() <= (1.3 if kind == 'teacher' else 1.02)), None)
            assert same is not None, (kind, path, value, label, [o for o in left if o[0] == path])
            left.remove(same)
        assert not left, (kind, left, a)

    def check_model(self, who, out):
        for kind, name in (('detector', 'box'), ('landmarker', 'points')):
            found = [dict(path=path, box=None, points=None, label=label) | {name: value} for path, _, value, label in self.of_file(kind, out)]
            expected = [o | {'points' if name == 'box' else 'box': None} for o in self.model(who).values() if o[name] is not None]
            for path in self.slots: check_same([o for o in found if o['path'] == path], [o for o in expected if o['path'] == path], (kind, path))

    def check_view(self, who):
        for path, row in self.rows.items():
            e = self.people[who].editor.edits(row)
            assert not e.has_conflict, [o for o in e.shown if o.status == 'conflict']
            check_same([o.value._asdict() for o in e.shown], self.model(who, path).values(), path)

    def run(self, steps):
        every:dict[str, float] = dict(change=8, delete=2, add=3, empty=.5, exclude=.4, ok=1, undo=3, redo=2, merge=2, export=1, process=1.5)
        for what in self.rng.choices([*every], [*every.values()], k=steps):
            who = self.rng.randrange(2)
            getattr(self, what)(who)
            for o in (0, 1): self.check_view(o)
        self.merge()
        self.process(0)


@pytest.mark.parametrize('seed', [0, *(pytest.param(o, marks=pytest.mark.slow) for o in range(100, 140))])
def test_whatever_happens_is_as_a_list_of_objects(tmp_path, monkeypatch, seed):
    monkeypatch.setenv('LOGNAME', 'ann')
    Round(tmp_path, seed).run(12 if seed == 0 else 60)


def as_annotated(folder):
    "Two boxes and a set of keypoints whose own box has no area, processed"
    coco(folder/'raw/a/a.json', {'a.jpg': [box(0), dict(bbox=[0, 0, 0, 0], keypoints=sum(map(list, points(1)), []))]}, SIZE)
    photo(folder/'raw/a/a.jpg', 0)
    process(folder/'raw', folder/'out', train_split=1)
    return Corrections(folder/'corrections.jsonl', folder/'raw')


def rows_of(folder, kind): return [o.get_metadata(i) for o in [LazyNPYDataset(folder/f'out/train_{kind}.npy')] for i in range(len(o))]


def test_what_was_dropped_of_an_object_is_no_other_object(tmp_path):
    c = as_annotated(tmp_path)
    c.add(changed(LazyNPYDataset(tmp_path/'out/train_landmarker.npy'), 0, points=points(2)))
    report = process(tmp_path/'raw', tmp_path/'out', train_split=1)
    assert_accounted(report, tmp_path/'out')
    assert [o['keypoints'].tolist() for o in rows_of(tmp_path, 'landmarker')] == [[list(o) for o in points(2)]] and len(rows_of(tmp_path, 'teacher')) == 2


def test_an_undone_line_asks_for_nothing(tmp_path):
    c = as_annotated(tmp_path)
    c.undo(c.add(changed(LazyNPYDataset(tmp_path/'out/train_detector.npy'), 0, 0, box=box(3))))
    assert not [o for o in process(tmp_path/'raw', tmp_path/'out', train_split=1).problems if o.reason in ('settled', 'conflict')]
    file = tmp_path/'raw/a/a.json'
    file.write_text(file.read_text().replace('[4.0, 4.0, 20.0, 16.0]', '[9, 9, 30, 30]')) # by hand: it is no conflict, as nothing is asked for
    assert not [o for o in process(tmp_path/'raw', tmp_path/'out', train_split=1).problems if o.reason in ('settled', 'conflict')]
    assert rows_of(tmp_path, 'detector')[0]['bboxes'].tolist() == [[9, 9, 30, 30]]


def test_what_a_line_gave_is_taken_away_when_it_is_undone_after_an_export(tmp_path):
    c = as_annotated(tmp_path)
    line = c.add(changed(LazyNPYDataset(tmp_path/'out/train_landmarker.npy'), 0, box=box(1)))
    c.export(tmp_path/'new', tmp_path/'raw')
    shutil.copytree(tmp_path/'new', tmp_path/'raw', dirs_exist_ok=True)
    process(tmp_path/'raw', tmp_path/'out', train_split=1)
    assert rows_of(tmp_path, 'detector')[0]['bboxes'].tolist() == [box(0), box(1)]
    c.undo(line)
    at_once = LazyNPYDataset(tmp_path/'out/train_detector.npy', corrections=True).get_metadata(0)['bboxes'].tolist()
    report = process(tmp_path/'raw', tmp_path/'out', train_split=1)
    assert_accounted(report, tmp_path/'out')
    assert rows_of(tmp_path, 'detector')[0]['bboxes'].tolist() == at_once == [box(0)] and len(rows_of(tmp_path, 'landmarker')) == 1
    assert 'take it out by hand' in c.export(tmp_path/'again', tmp_path/'raw', leave=True).left[0]
