"COCO with a category for each keypoint"
import json

import pytest
from damaging import ODD, changed, check_reader, examples, places
from hypothesis import given, strategies as st
from making import coco_dict, image, listing, outcome, problem, reasons, rows, text

from ear_lazy.formats.discover import discover
from ear_lazy.formats.shared.tree import Document, Tree

PICTURES = 'a.png', 'b.png', 'empty.png'


def landmarks(raw): return rows(raw.parent/'out', 'landmarker')


def export(images, names, size=(40, 60), first_id=1):
    "Images, each as {category id: the point's box, or its x and y}, and the names of the categories"
    file = coco_dict({o: [] for o in images}, size)
    file['categories'] = [dict(id=i, name=o, supercategory='ear') for i, o in enumerate(names, first_id)]
    for i, points in enumerate(images.values(), 1):
        for category, at in points:
            n = len(file['annotations'])
            file['annotations'].append(dict(id=n, image_id=i, category_id=category, bbox=[*at, 1, 1][:4], area=1, iscrowd=0))
    return file


def write(raw, file, names=('a.png',), **options):
    for name in names: image(raw/'ears'/name)
    return text(raw/'ears/_annotations.coco.json', json.dumps(file, **options))


EAR = [(i, (i, i / 2)) for i in range(1, 56)]


@pytest.mark.parametrize('options', [{}, dict(indent=4), dict(separators=(',', ':'))], ids=str)
@pytest.mark.parametrize('names', [[str(i) for i in range(1, 56)], [f'point_{i:02}' for i in range(55)], ['helix ' + chr(200 - i) for i in range(55)]],
                         ids=['1…', 'point_00…', 'words'])
def test_55_points(raw, names, options):
    "One keypoint instance an image, at the centres of the boxes; no box of a pixel becomes an ear"
    write(raw, export({'a.png': EAR}, names), **options)
    assert reasons(outcome(raw)) == []
    assert landmarks(raw) == [('ears/a.png', [[i + 0.5, i / 2 + 0.5, 2] for i in range(1, 56)])]
    assert not any('detector' in o for o in listing(raw.parent/'out'))
    (_, box), = rows(raw.parent/'out', 'teacher')
    assert box == pytest.approx([0, 0, 60, 30.7], abs=4), 'the crop is the extent of the points, a tenth wider'


def test_numbers_in_names_come_before_ids(raw):
    "Roboflow numbers its classes by their names as words: 1, 10, 11, …, 2; its category 0 is a group and no point"
    names = ['ears', *sorted(map(str, range(1, 13)))]
    points = [(i, (int(o), int(o))) for i, o in enumerate(names) if i]
    write(raw, export({'a.png': points}, names, first_id=0))
    assert reasons(outcome(raw)) == []
    (_, found), = landmarks(raw)
    assert [x for x, _, _ in found] == [i + 0.5 for i in range(1, 13)]


def test_a_group_above_words(raw):
    write(raw, export({'a.png': [(1, (5, 5)), (2, (9, 9))]}, ['ear', 'top', 'lobe'], first_id=0))
    assert reasons(outcome(raw)) == []
    assert landmarks(raw) == [('ears/a.png', [[5.5, 5.5, 2], [9.5, 9.5, 2]])]


def test_missing_points_are_unlabelled(raw):
    "… in their place; an image with none says nothing"
    write(raw, export({'a.png': [(3, (7, 8))], 'b.png': [(1, (1, 1)), (2, (9, 9)), (3, (5, 5))], 'c.png': []}, '123'), ['a.png', 'b.png', 'c.png'])
    assert reasons(outcome(raw)) == [('no_crop', 'kept')], 'one point spans no area'
    assert landmarks(raw) == [('ears/a.png', [[0, 0, 0], [0, 0, 0], [7.5, 8.5, 2]]), ('ears/b.png', [[1.5, 1.5, 2], [9.5, 9.5, 2], [5.5, 5.5, 2]])]


def test_two_points_of_one_category(raw):
    "The first stays; a second elsewhere is reported, the same again is merged"
    write(raw, export({'a.png': [(1, (5, 5)), (1, (50, 5)), (2, (9, 9)), (2, (9, 9))]}, '12'))
    report = outcome(raw)
    assert reasons(report) == [('malformed', 'dropped'), ('repeat', 'merged')]
    found = problem(report, 'malformed')
    assert (found.where, found.image, found.detail) == ('id 1', 'ears/a.png', 'a second point of category 1; the first stays')
    assert landmarks(raw) == [('ears/a.png', [[5.5, 5.5, 2], [9.5, 9.5, 2]])]


def test_what_cannot_be_a_point(raw, monkeypatch):
    "It costs itself and not its instance; one box of an ear far inside a file does not turn 55 points into ears"
    monkeypatch.setattr('ear_lazy.formats.coco_points.WINDOW', 3000)
    file = export({f'{i}.png': EAR for i in range(9)}, [str(i) for i in range(1, 56)])
    file['annotations'][200]['bbox'] = [1, 2, 30, 30]
    file['annotations'][201]['category_id'] = 99
    file['annotations'][202]['bbox'] = 'none'
    file['annotations'][203]['image_id'] = 99
    del file['annotations'][204]['bbox']
    write(raw, file, [f'{i}.png' for i in range(9)])
    report = outcome(raw)
    assert sorted(p.where for p in report.problems) == ['', 'annotations[202]', 'id 200', 'id 201', 'id 204']
    assert problem(report, 'orphan').detail == 'image_id 99, 1 point'
    assert [sum(v > 0 for _, _, v in points) for _, points in landmarks(raw)] == [55, 55, 55, 50] + [55] * 5


def test_images_that_are_lost(raw):
    "Not on disk, not listed, with nothing but bad points: each is one instance that is dropped"
    file = export({'a.png': [(1, (5, 5)), (2, (9, 9))], 'gone.png': [(1, (5, 5)), (2, (9, 9))], 'bad.png': [(1, (5, 5))], 'x.png': [(1, (5, 5)), (2, (1, 1))]}, '12')
    file['annotations'][4]['category_id'] = 7
    del file['images'][3]
    write(raw, file, ['a.png', 'bad.png'])
    report = outcome(raw)
    assert reasons(report) == [('malformed', 'dropped'), ('missing_image', 'dropped'), ('orphan', 'dropped'), ('unlabelled', 'dropped')]
    assert [(s.keypoints.read, s.keypoints.kept) for s in report.sources.values()] == [(4, 1)]


@pytest.mark.parametrize('edit', [
    lambda f: [a.update(bbox=[5, 5, 30, 30]) for a in f['annotations'][:1]], lambda f: [a.update(category_id=1) for a in f['annotations']],
    lambda f: [a.update(keypoints=[5, 5, 2]) for a in f['annotations']], lambda f: f.update(annotations=[])], ids=['an ear', 'one category', 'keypoints', 'nothing'])
def test_other_coco_stays_coco(raw, edit):
    file = export({'a.png': [(1, (5, 5)), (2, (9, 9))]}, '12')
    edit(file)
    write(raw, file)
    source, = discover(Tree(raw))[0]
    assert [d.format for d in source.documents] == ['coco']


def test_a_large_file_is_told_from_its_ends(raw):
    "Nothing but its first and last 64 KB is looked at"
    file = export({f'{i}.png': EAR for i in range(200)}, [str(i) for i in range(1, 56)])
    for keys in (('images', 'annotations', 'categories'), ('categories', 'images', 'annotations'), ('annotations', 'categories', 'images')):
        path = write(raw, {k: file[k] for k in keys})
        assert path.stat().st_size > 500_000
        source, = discover(Tree(raw))[0]
        assert source.documents == (Document('coco_points', ('ears/_annotations.coco.json',)),)


# Damage at random

POINTS_FILE = export({'a.png': [(1, (5, 5)), (2, (9, 9)), (3, (1.5, 2.5))], 'b.png': [(2, (9, 9)), (2, (8, 8))], 'gone.png': [(1, (5, 5))], 'empty.png': []}, ['1', '2', '3'])


many = examples(1000)


@st.composite
def trees(draw):
    tree = POINTS_FILE
    for _ in range(draw(st.integers(1, 4))):
        found = list(places(tree))
        tree = changed(tree, found[draw(st.integers(0, len(found) - 1))], draw(st.sampled_from(['replace', 'replace', 'remove', 'double'])), draw(ODD))
    return tree


@many
@given(trees())
def test_damaged_structure(pictures, tree): check_reader(pictures, 'x.json', 'coco_points', json.dumps(tree).encode())
