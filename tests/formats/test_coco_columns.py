"Boxes that become columns some at a time are the boxes that are decoded one by one"
import dataclasses
import json

import msgspec
import numpy as np
import pytest
from hypothesis import given, strategies as st

from ear_lazy.formats import coco
from ear_lazy.formats.tree import Document, Tree

NUMBERS = st.one_of(st.integers(-5, 500), st.floats(-1e6, 1e6), st.sampled_from(['7', '7.5', 'x', None, True]))
FOUR, FEW = st.lists(NUMBERS, min_size=4, max_size=4), st.lists(st.integers(0, 9), max_size=6)
BOXES = st.one_of(FOUR, FEW, st.sampled_from([None, 'none', {}]))
IDS = st.sampled_from([0, 1, 2, '1', '02', 1.0, -7, 2**62, 2**80, 'a.jpg', None])


def read(folder, content, monkeypatch, chunk, slowly):
    (folder / 'a.json').write_text(json.dumps(content))
    monkeypatch.setattr(coco, 'CHUNK', chunk)
    if slowly: monkeypatch.setattr(coco, '_box_texts', msgspec.json.Decoder(int))
    try: r = coco.read(Tree(folder), Document('coco', ('a.json',)))
    finally: monkeypatch.undo()
    return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in dataclasses.asdict(r).items()}


@given(st.lists(st.tuples(IDS, IDS, BOXES), max_size=8), st.lists(IDS.filter(lambda o: o is not None), max_size=4))
def test_both_ways_read_the_same(tmp_path_factory, annotations, images):
    folder = tmp_path_factory.getbasetemp() / 'columns'
    folder.mkdir(exist_ok=True)
    content = dict(
        images=[dict(id=o, file_name=f'{i}.jpg', height=50, width=60) for i, o in enumerate(images)],
        annotations=[dict(id=a, image_id=i, bbox=box) for a, i, box in annotations])
    with pytest.MonkeyPatch.context() as monkeypatch:
        found = [read(folder, content, monkeypatch, 3, slowly) for slowly in (False, True)]
    np.testing.assert_equal(*found)


@given(st.lists(IDS.filter(lambda o: o is not None), max_size=6), st.lists(IDS, max_size=6))
def test_rows_of_ids(known, wanted):
    images = [coco.Image(o, f'{i}.jpg') for i, o in enumerate(known)]
    row, taken = coco.image_rows(images)
    def same(a, b): return coco._key(a) == coco._key(b)
    first = [next((i for i, o in enumerate(known) if same(o, id)), -1) for id in wanted]
    assert coco.find_rows(row, wanted, -1).tolist() == first
    assert taken == [i for i, o in enumerate(known) if any(same(o, k) for k in known[:i])]
