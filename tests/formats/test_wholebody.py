"COCO-WholeBody: further points of people, in one set of 133"
import json

import pytest
from damaging import ODD, changed, check_reader, examples, places
from hypothesis import given, settings, strategies as st
from making import boxes, coco_dict, formats, image, outcome, problem, reasons, rows, text
from tiers import tries

PICTURES = 'a.png', 'b.png'


def person(**more):
    groups = dict(keypoints=(17, 2), foot_kpts=(6, 1), face_kpts=(68, .45), lefthand_kpts=(21, .99), righthand_kpts=(21, 0))
    points = {name: [v for i in range(n) for v in (i % 60, i % 40, score)] for name, (n, score) in groups.items()}
    return dict(bbox=[1, 2, 30, 30], **points, face_box=[1, 2, 3, 4], face_valid=True) | more


def put(raw, *people, **options): return text(raw/'people/x.json', json.dumps(coco_dict({'a.png': list(people)}, **options)))


def test_133_points(raw):
    "In the order body, feet, face, hands; a score above 0 is labelled"
    image(raw/'people/a.png'), put(raw, person(), person(lefthand_kpts=None, bbox=[2, 2, 9, 9]))
    report = outcome(raw)
    assert formats(raw) == [('wholebody', ('people/x.json',))] and problem(report, 'not_read').detail == 'face_box'
    (_, first), (_, second) = rows(raw.parent/'out', 'landmarker')
    assert len(first) == len(second) == 133 and {*map(tuple, (o[91:112][i] for o in (first, second) for i in (0,)))} == {(0, 0, 2), (0, 0, 0)}
    assert [o[2] for o in (first[0], first[17], first[23], first[132])] == [2, 1, 2, 0] and first[22] == [5, 5, 1] and first[90] == [7, 27, 2]
    assert [v for _, v in boxes(raw.parent/'out')] == [[1, 2, 30, 30], [2, 2, 9, 9]]


def test_a_scheme_of_its_own(raw):
    image(raw/'people/a.png'), put(raw, dict(bbox=[1, 2, 30, 30], keypoints=[20, 20, 2], face_kpts=[20, 20, 1, 30, 30, 1], foot_kpts=[0, 0, 0]))
    outcome(raw)
    assert rows(raw.parent/'out', 'landmarker') == [('people/a.png', [[20, 20, 2], [0, 0, 0], [20, 20, 2], [30, 30, 2]])]


@pytest.mark.parametrize('broken', [dict(face_kpts=[1, 2]), dict(foot_kpts=[1, 2, 2, 3], face_kpts=[1, 2])])
def test_lists_that_are_no_triples(raw, broken):
    "… cost the points and not the box, and never look like triples together"
    image(raw/'people/a.png'), put(raw, person(**broken))
    found = [p for p in outcome(raw).problems if p.reason == 'malformed']
    assert [(p.keypoints, p.boxes) for p in found] == [(1, 0)] and boxes(raw.parent/'out') == [('people/a.png', [1, 2, 30, 30])]


def test_chunks_and_workers(raw, monkeypatch):
    monkeypatch.setattr('ear_lazy.formats.shared.chunks.CHUNK_BYTES', 5000)
    image(raw/'people/a.png'), put(raw, *(person(bbox=[i, i, 5, 5], keypoints=[i, i, 2] * 17) for i in range(12)))
    assert reasons(outcome(raw, num_workers=2)) == [('not_read', 'dropped')]
    assert [len(v) for _, v in rows(raw.parent/'out', 'landmarker')] == [133] * 12


FILE = coco_dict({'a.png': [person(), person(bbox=None, face_kpts=None)], 'b.png': [person(keypoints=None)]})
many = examples(2000)


@st.composite
def trees(draw):
    tree = FILE
    for _ in range(draw(st.integers(1, 4))):
        found = [o for o in places(tree) if len(o) < 5]
        tree = changed(tree, found[draw(st.integers(0, len(found) - 1))], draw(st.sampled_from(['replace', 'replace', 'remove', 'double'])), draw(ODD))
    return tree


@settings(many, max_examples=tries(1000))
@given(trees())
def test_damaged_structure(pictures, tree): check_reader(pictures, 'x.json', 'wholebody', json.dumps(tree).encode())
