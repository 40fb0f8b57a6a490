"Any changes of rows, written into raw files and read again, are exactly these changes; no change gives the same bytes"
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image

from ear_lazy.data_processor import DataProcessor
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.rewrite import added, changed, deleted, rewrite
from tests.tiers import tier

W, H = 80, 60
PHOTOS = 'a', 'b', 'c'
CLASSES = 'ear', 'head', 'öhr'


def coco(folder, objects, nl):
    images = [dict(id=i, file_name=f'{o}.jpg', width=W, height=H) for i, o in enumerate(PHOTOS, 1)]
    found = [dict(id=n, image_id=PHOTOS.index(p) + 1, category_id=CLASSES.index(c) + 1, bbox=list(box), area=box[2] * box[3], iscrowd=0) for n, (p, c, box) in enumerate(objects, 1)]
    text = json.dumps(dict(images=images, annotations=found, categories=[dict(id=i, name=o) for i, o in enumerate(CLASSES, 1)]), indent=1, ensure_ascii=False)
    (folder/'all.json').write_bytes(text.replace('\n', nl).encode())


def voc(folder, objects, nl):
    for photo in PHOTOS:
        inner = ''.join(f'  <object>\n    <name>{c}</name>\n    <difficult>0</difficult>\n    <bndbox>\n      <xmin>{x}</xmin>\n      <ymin>{y}</ymin>\n      <xmax>{x + w}</xmax>\n      <ymax>{y + h}</ymax>\n'
                        f'    </bndbox>\n  </object>\n' for p, c, (x, y, w, h) in objects if p == photo)
        text = f'<annotation>\n  <filename>{photo}.jpg</filename>\n  <size><width>{W}</width><height>{H}</height><depth>3</depth></size>\n{inner}</annotation>\n'
        (folder/f'{photo}.xml').write_bytes(text.replace('\n', nl).encode())


def yolo(folder, objects, nl):
    (folder/'classes.txt').write_text('\n'.join(CLASSES) + '\n', encoding='utf-8')
    for photo in PHOTOS:
        lines = [f'{CLASSES.index(c)} {(x + w / 2) / W:.6f} {(y + h / 2) / H:.6f} {w / W:.6f} {h / H:.6f}{nl}' for p, c, (x, y, w, h) in objects if p == photo]
        (folder/f'{photo}.txt').write_bytes(''.join(lines).encode())


def table(folder, objects, nl):
    lines = ['note,image_path,x1,y1,w,h,label', *(f'"n, {n}",{p}.jpg,{x},{y},{w},{h},{c}' for n, (p, c, (x, y, w, h)) in enumerate(objects))]
    (folder/'boxes.csv').write_bytes((nl.join(lines) + nl).encode())


def labelme(folder, objects, nl):
    for photo in PHOTOS:
        shapes = [dict(label=c, points=[[x, y], [x + w, y + h]], group_id=None, shape_type='rectangle', flags={}) for p, c, (x, y, w, h) in objects if p == photo]
        text = json.dumps(dict(version='5.0.1', flags={}, shapes=shapes, imagePath=f'{photo}.jpg', imageData=None, imageHeight=H, imageWidth=W), indent=2, ensure_ascii=False)
        (folder/f'{photo}.json').write_bytes(text.replace('\n', nl).encode())


def cvat(folder, objects, nl):
    inner = ''.join(f'  <image id="{i}" name="{photo}.jpg" width="{W}" height="{H}">\n' +
                    ''.join(f'    <box label="{c}" source="manual" occluded="0" xtl="{x}.00" ytl="{y}.00" xbr="{x + w}.00" ybr="{y + h}.00" z_order="0">\n    </box>\n' for p, c, (x, y, w, h) in objects if p == photo) +
                    '  </image>\n' for i, photo in enumerate(PHOTOS))
    (folder/'annotations.xml').write_bytes(f'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n{inner}</annotations>\n'.replace('\n', nl).encode())


def labelstudio(folder, objects, nl):
    def result(n, c, x, y, w, h):
        value = dict(x=100 * x / W, y=100 * y / H, width=100 * w / W, height=100 * h / H, rotation=0, rectanglelabels=[c])
        return dict(id=f'r{n}', type='rectanglelabels', from_name='label', to_name='image', original_width=W, original_height=H, image_rotation=0, value=value)
    tasks = [dict(id=i, data=dict(image=f'/data/upload/1/{photo}.jpg'), annotations=[dict(id=i, was_cancelled=False, result=[result(n, c, *box) for n, (p, c, box) in enumerate(objects) if p == photo])])
             for i, photo in enumerate(PHOTOS, 1)]
    (folder/'project.json').write_bytes(json.dumps(tasks, indent=1, ensure_ascii=False).replace('\n', nl).encode())


WRITERS = {o.__name__: o for o in (coco, voc, yolo, table, labelme, cvat, labelstudio)}
BOX = st.tuples(st.integers(0, 40), st.integers(0, 30), st.integers(4, 30), st.integers(4, 25))


def apart(objects):
    "Without objects that would be taken for one another"
    found = []
    for o in objects:
        if not any(o[0] == p and max(abs(a - b) for a, b in zip(o[2], box)) < 4 for p, _, box in found): found.append(o)
    return found


def opened(raw, out):
    DataProcessor(raw, out, num_workers=0, progress=False).process_all(train_split=1, include_teacher=False)
    return LazyNPYDataset(out/'train_detector.npy')


def objects_of(ds):
    return sorted((Path(ds.metadata.image_path(i)).stem, ds.label_names[c], *map(float, box))
                  for i in range(len(ds)) for c, box in zip(ds.metadata.labels(i), ds.metadata.values(i)))


def agree(found, wanted):
    "Are they the same objects, within the rounding of a file?"
    if len(found) != len(wanted): return False
    wanted = list(wanted)
    for o in found:
        near = [w for w in wanted if w[:2] == o[:2] and np.abs(np.subtract(w[2:], o[2:])).max() <= 1.02]
        if not near: return False
        wanted.remove(min(near, key=lambda w: np.abs(np.subtract(w[2:], o[2:])).max()))
    return True


@pytest.mark.parametrize('name', WRITERS)
@settings(max_examples=40 if tier['longer'] else 4, deadline=None, derandomize=True)
@given(data=st.data())
def test_changes_come_home(name, data):
    objects = apart(data.draw(st.lists(st.tuples(st.sampled_from(PHOTOS), st.sampled_from(CLASSES), BOX), min_size=2, max_size=6)))
    with tempfile.TemporaryDirectory() as tmp:
        raw, new = Path(tmp)/'raw', Path(tmp)/'new'
        (raw/'set').mkdir(parents=True)
        for o in PHOTOS: Image.new('RGB', (W, H)).save(raw/f'set/{o}.jpg')
        WRITERS[name](raw/'set', objects, data.draw(st.sampled_from(['\n', '\r\n'])))
        files = {o.relative_to(raw): o.read_bytes() for o in raw.rglob('*') if o.is_file() and o.suffix != '.jpg'}
        ds = opened(raw, Path(tmp)/'out')
        rewrite(raw, [], new)
        assert {o.relative_to(new): o.read_bytes() for o in new.rglob('*') if o.is_file()} == files
        shutil.rmtree(new)
        changes, wanted = [], []
        for i in range(len(ds)):
            for j, (c, box) in enumerate(zip(ds.metadata.labels(i), ds.metadata.values(i))):
                photo, old = Path(ds.metadata.image_path(i)).stem, ds.label_names[c]
                op = data.draw(st.sampled_from(['keep', 'move', 'relabel', 'both', 'delete']))
                box, label = list(map(float, box)), old
                if op in ('move', 'both'): box = [a + d for a, d in zip(box, (data.draw(st.integers(0, 4)), 1.25, 0, 2.5))]
                if op in ('relabel', 'both'): label = data.draw(st.sampled_from(CLASSES))
                if op == 'delete': changes.append(deleted(ds, i, j))
                else: wanted.append((photo, label, *box))
                if op not in ('keep', 'delete'): changes.append(changed(ds, i, j, box=box if op != 'relabel' else None, label=label if op != 'move' else None))
        if data.draw(st.booleans()):
            i = data.draw(st.integers(0, len(ds) - 1))
            changes.append(added(ds, i, box=[45.5, 33, 30, 26], label='head'))
            wanted.append((Path(ds.metadata.image_path(i)).stem, 'head', 45.5, 33, 30, 26))
        rewrite(raw, data.draw(st.permutations(changes)), new)
        for o in new.rglob('*'):
            if o.is_file(): shutil.copyfile(o, raw/o.relative_to(new))
        shutil.rmtree(Path(tmp)/'out')
        if wanted: assert agree(objects_of(opened(raw, Path(tmp)/'out')), sorted(wanted))
