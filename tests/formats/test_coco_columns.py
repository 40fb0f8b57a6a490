"Files that are read in chunks give what they give in one go"
import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ear_lazy.formats import coco, coco_chunks, coco_ids
from ear_lazy.formats.shared import chunks
from ear_lazy.formats.shared.tree import Document, Tree

NUMBERS = st.one_of(st.integers(-5, 500), st.floats(-1e6, 1e6), st.sampled_from(['7', '7.5', 'x', None, True]))
FOUR, FEW = st.lists(NUMBERS, min_size=4, max_size=4), st.lists(st.integers(0, 9), max_size=6)
BOXES = st.one_of(FOUR, FEW, st.sampled_from([None, 'none', {}]))
IDS = st.sampled_from([0, 1, 2, '1', '02', 1.0, -7, 2**62, 2**80, 'a.jpg', None])
KNOWN_IDS = IDS.filter(lambda o: o is not None)
NUMBERED = st.integers(0, 3)
SHAPES = st.sampled_from([None, [[1, 2, 30, 2, 30, 40]], {'counts': [6, 2, 12], 'size': [4, 5]}, 'x', [{'id': 1}, {'id': '}, {"id"'}]])


def content(annotations, images):
    keys = 'id', 'image_id', 'bbox', 'keypoints', 'iscrowd', 'category_id', 'segmentation'
    return dict(
        info={'images': 2},
        images=[dict(id=o, file_name=f'{i}.jpg', height=50, width=60) for i, o in enumerate(images)],
        annotations=[o if isinstance(o, int) else dict(zip(keys, o)) for o in annotations],
        categories=[dict(id=i, name=f'class {i}') for i in range(3)])


def read(folder, text, monkeypatch, chunk):
    (folder / 'a.json').write_text(text)
    monkeypatch.setattr(chunks, 'CHUNK_BYTES', chunk)
    try: r = coco.read(Tree(folder), Document('coco', ('a.json',), attributes=('category_id', 'width', 'side')))
    finally: monkeypatch.undo()
    return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in dataclasses.asdict(r).items()}


def objects(ids):
    keypoints = st.sampled_from([None, [], [1, 2, 2], [1, 2, 2, 3, 4, 1], [1, 2]])
    whole = st.tuples(ids, ids, BOXES, keypoints, st.sampled_from([0, 1, None, True]), ids, SHAPES)
    return st.lists(st.one_of(whole, whole, whole, st.just(7)), max_size=8)


FILES = st.one_of(st.tuples(objects(NUMBERED), st.lists(NUMBERED, max_size=4)), st.tuples(objects(IDS), st.lists(KNOWN_IDS, max_size=4)))


@given(FILES, st.integers(1, 400), st.permutations(['info', 'images', 'annotations', 'categories']), st.sampled_from([None, 1]), st.booleans())
def test_chunks_give_the_same(tmp_path_factory, file, chunk, order, indent, mark):
    folder = tmp_path_factory.getbasetemp() / 'coco_chunks'
    folder.mkdir(exist_ok=True)
    tables = content(*file)
    text = '\ufeff' * mark + json.dumps({o: tables[o] for o in order}, indent=indent)
    with pytest.MonkeyPatch.context() as monkeypatch:
        found = [read(folder, text, monkeypatch, o) for o in (chunk, 2**20)]
    np.testing.assert_equal(*found)


def test_large_files_are_read_in_chunks(tmp_path, monkeypatch):
    "… and not in one go after all"
    boxes = [(i, i % 3, [i, 1, 2, 3], None, 0, 1, [[1, 2, 30, 2, 30, 40]]) for i in range(200)]
    text = json.dumps(content(boxes + [7], [0, 1, 2]))
    monkeypatch.setattr(coco_chunks, 'decode', None)
    monkeypatch.setattr(chunks, 'CHUNK_BYTES', 1000)
    (tmp_path / 'a.json').write_text(text)
    r = coco.read(Tree(tmp_path), Document('coco', ('a.json',)))
    assert r.boxes[:, 0].tolist() == list(range(200)) and [o.where for o in r.problems] == ['annotations[200]']


@given(st.lists(KNOWN_IDS, max_size=6), st.lists(IDS, max_size=6))
def test_rows_of_ids(known, wanted):
    row, taken = coco_ids.image_rows(coco_ids.id_column(known))
    def same(a, b): return coco_ids.id_key(a) == coco_ids.id_key(b)
    first = [next((i for i, o in enumerate(known) if same(o, id)), -1) for id in wanted]
    assert coco_ids.find_rows(row, coco_ids.id_column(wanted), -1).tolist() == first
    assert taken == {i: first for i, o in enumerate(known) if (first := next(k for k, other in enumerate(known) if same(o, other))) < i}
