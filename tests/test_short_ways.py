"Short ways, for what nearly all data is like, give what the long ones give"
import json

import numpy as np
import pytest

from ear_lazy.base import records, spilling
from ear_lazy.base.records import check_boxes, drop_equal_boxes, make_records
from ear_lazy.formats import coco
from ear_lazy.formats.coco_ids import find_rows
from ear_lazy.formats.shared import chunks
from ear_lazy.formats.shared.tree import Document, Tree
from ear_lazy.processing.objects import _by_image

ODD = [-np.inf, -1e30, -5, -1, -0., 0, 1e-9, 0.5, 1, 10, 99.995, 100, 101, 1e30, np.inf, np.nan]


def some_records(rng, m=3000, points=True):
    boxes = np.where(rng.random((m, 1)) < 0.5, rng.choice(ODD, (m, 4)), rng.integers(0, 90, (m, 4)))
    counts = np.where(rng.random(m) < 0.05, 2, 0) * points
    sizes = [(100, 100), (0, 0), (100, 0), (50, 200), (2**31 - 1, 1)]
    return make_records([f'{i}.jpg' for i in range(400)], rng.integers(0, 400, m), np.arange(m), ['a.json'], boxes=boxes, has_box=rng.random(m) < 0.9,
                        points=rng.integers(0, 90, (counts.sum(), 3)), point_counts=counts, sizes=[sizes[i % 5] for i in range(400)])


@pytest.mark.parametrize('seed', range(5))
def test_boxes_are_clipped_alike(seed, monkeypatch):
    r, long = some_records(np.random.default_rng(seed)), some_records(np.random.default_rng(seed))
    monkeypatch.setattr(spilling, 'PIECE', 1000)
    with np.errstate(all='raise', over='ignore', under='ignore'): short = check_boxes(r)
    monkeypatch.setattr(records, '_are_within', lambda boxes, sizes: np.zeros(len(boxes), bool))
    long = check_boxes(long)
    assert short.boxes.tobytes() == long.boxes.tobytes()
    assert short.problems == long.problems and len(short.problems) > 100


@pytest.mark.parametrize('images', [400, 4])
def test_equal_boxes_are_found_alike(images, monkeypatch):
    rng, m = np.random.default_rng(1), 4000
    boxes, image_of, labels, counts = rng.integers(0, 2, (m, 4)) + 1, rng.integers(0, 400, m), rng.integers(0, 2, m), np.zeros(m, int)
    counts[rng.permutation(np.flatnonzero(image_of < images))[:60]] = 1
    points = np.column_stack([rng.random((counts.sum(), 2)), np.full(counts.sum(), 2)])
    def made():
        return records.drop_repeats(make_records([f'{i}.jpg' for i in range(400)], image_of, np.arange(m), ['a.json'], boxes=boxes, labels=labels,
                                                 label_names=['', 'a'], points=points, point_counts=counts))
    short = drop_equal_boxes(made())
    monkeypatch.setattr(records, '_maybe_equal', lambda r: np.flatnonzero(records._maybe_repeated(r, with_points=False) & r.has_box))
    long = drop_equal_boxes(made())
    assert short.problems == long.problems and len(made().problems) < len(short.problems)
    assert (short.ids.tolist(), short.has_box.tolist()) == (long.ids.tolist(), long.has_box.tolist())


@pytest.mark.parametrize('n', [0, 1, 2, 255, 256, 5000])
def test_objects_are_sorted_alike(n):
    image_of = np.random.default_rng(n).integers(0, 1 + n // 3, n)
    assert _by_image(image_of).tolist() == np.argsort(image_of, kind='stable').tolist()


@pytest.mark.parametrize('spread', [1, 7, 8, 9, 1000, 2**40, 2**55])
@pytest.mark.parametrize('first', [0, -500, 2**62, -2**63])
def test_ids_are_found_alike(spread, first):
    rng = np.random.default_rng(spread % 997)
    ids = [min(first + int(o) * spread, 2**63 - 1) for o in rng.permutation(100)]
    row = dict(zip(ids, range(100), strict=True))
    asked = [o for o in [*ids, *(o + d for o in ids for d in (-1, 1)), -2**63, 2**63 - 1, 0] if -2**63 <= o < 2**63]
    for known in (row, {**row, None: 3, 'a': 4}, {**row, 0.5: 3}):
        assert find_rows(known, np.array(asked, np.int64), -1).tolist() == [row.get(o, -1) for o in asked]


@pytest.mark.parametrize('odd', [None, {'attributes': {'rotation': 30.}}, {'attributes': {'rotation': 'x', 'side': 'left'}}, {'note': {'rotation': 30.}},
                                 {'attributes': None}, {'attributes': 'rotation'}, {'bbox': None, 'attributes': {'rotation': 45}}, {'attributes': {'rotation': 30.}, 'bbox': [1]}])
def test_rotated_boxes_are_found_in_chunks(tmp_path, monkeypatch, odd):
    annotations = [{'id': i, 'image_id': i % 3, 'bbox': [i, 10, 20, 30], 'category_id': 1, 'attributes': {'side': 'left'}} for i in range(60)]
    if odd: annotations[40] |= odd
    tables = dict(images=[dict(id=i, file_name=f'{i}.jpg', height=99, width=99) for i in range(3)], annotations=annotations, categories=[dict(id=1, name='ear')])
    (tmp_path/'a.json').write_text(json.dumps(tables))
    def read(): return coco.read(Tree(tmp_path), Document('coco', ('a.json',), attributes=('side',)))
    whole = read()
    monkeypatch.setattr(chunks, 'CHUNK_BYTES', 700)
    pieces = read()
    np.testing.assert_equal(vars(pieces), vars(whole))
    is_turned = bool(odd) and isinstance(odd.get('attributes'), dict) and odd['attributes']['rotation'] == 30 and 'bbox' not in odd
    assert any(o.reason == 'rotated' for o in pieces.problems) == is_turned
