"The raw folder is looked through in time proportional to its folders, each of them once, however many links lead there"
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from making import boxes, coco, image, process, text

from ear_lazy.formats.discover import discover
from ear_lazy.formats.shared.registry import readers
from ear_lazy.formats.shared.tree import Tree
from ear_lazy.processing.sources import not_listed


def steps(root):
    "How many lines of the package run when it looks through a raw folder: a count, not a time"
    readers()
    count = 0
    def trace(frame, event, arg):
        nonlocal count
        count += 1
        return trace if 'ear_lazy' in frame.f_code.co_filename else None
    sys.settrace(trace)
    try:
        tree = Tree(root)
        not_listed(tree, *discover(tree))
    finally: sys.settrace(None)
    return count


def make(root, n, what):
    for i in range(n):
        folder = root/(f'{i:04}' if what.startswith('top') else f'ears/{i:04}')
        folder.mkdir(parents=True)
        if 'empty' not in what: (folder/f'{i}.jpg').touch()
        if 'label' in what: (folder/f'{i}.txt').write_text('0 .5 .5 .1 .1')
    return root


@pytest.mark.parametrize('what', ('one', 'empty', 'label', 'top', 'top empty', 'top label'))
def test_twice_the_folders_are_twice_the_work(tmp_path, what):
    few, many = (steps(make(tmp_path/str(n), n, what)) for n in (150, 300))
    assert many < 2.3 * few


def test_links_that_fan_out(tmp_path):
    "Two links in each of 22 folders to the next: four million paths, 23 folders"
    raw = tmp_path/'raw'
    for i in range(22):
        (raw/f'L{i}').mkdir(parents=True)
        for o in 'ab': (raw/f'L{i}'/o).symlink_to(f'../L{i + 1}')
    image(raw/'L22/a.jpg')
    coco(raw/'L22/all.json', {'a.jpg': [[1, 2, 10, 20]]})
    assert [*Tree(raw).folders] == sorted(['', *(f'L{i}' for i in range(23))])
    report = process(raw, tmp_path/'out', ('detector',), train_split=1)
    assert boxes(tmp_path/'out') == [('L22/a.jpg', [1, 2, 10, 20])]
    assert {(o.target, o.count) for o in report.links} == {(f'L{i}', 2) for i in range(1, 23)}
    assert 'links lead to a folder that is read once: L0/a and 1 more → L1' in str(report) and '… and to 12 more folders' in str(report)


def once(raw, out): return process(raw, out, ('detector', 'landmarker'), train_split=1)
def elsewhere(raw, out):
    with ThreadPoolExecutor(2) as executor: return process(raw, out, ('detector', 'landmarker'), train_split=1, executor=executor)


@pytest.mark.parametrize('run', (once, elsewhere))
def test_a_name_through_a_link_finds_the_image(tmp_path, run):
    "… under the one path that it is read under, by name and by stem"
    raw = tmp_path/'raw'
    for o in 'ab': image(raw/f'photos/images/{o}.jpg', seed=ord(o))
    image(raw/'yolo/images/own.jpg')
    text(raw/'yolo/labels/own.txt', '0 .5 .5 .5 .5\n')
    for o in 'ab': text(raw/f'yolo/labels/more/{o}.txt', '0 .5 .5 .5 .5\n')
    (raw/'yolo/images/more').symlink_to('../../photos/images')
    coco(raw/'coco/all.json', {f'images/{o}.jpg': [[1, 2, 10, 20]] for o in 'ab'})
    (raw/'coco/images').symlink_to('../photos/images')
    report = run(raw, tmp_path/'out')
    assert not report.problems, report # other boxes of each other's photos
    assert {path for path, _ in boxes(tmp_path/'out')} == {'photos/images/a.jpg', 'photos/images/b.jpg', 'yolo/images/own.jpg'}
    assert report.links == [('coco/images', 'photos/images', 2)]


def test_a_real_folder_comes_before_links_to_it(tmp_path):
    for o in ('z/photos', 'a'): (tmp_path/o).mkdir(parents=True)
    (tmp_path/'a/link').symlink_to('../z/photos')
    (tmp_path/'a/loop').symlink_to('..')
    tree = Tree(tmp_path)
    assert [*tree.folders] == ['', 'a', 'z', 'z/photos'] and tree.aliases == {'a/link': 'z/photos', 'a/loop': ''}


def test_one_folder_for_two_levels(tmp_path):
    "`landmarker/ears` may be a link to `detector/ears`: other things are taken from it"
    image(tmp_path/'raw/detector/ears/a.jpg')
    coco(tmp_path/'raw/detector/ears/all.json', {'a.jpg': [[1, 2, 10, 20]]})
    (tmp_path/'raw/landmarker').mkdir()
    (tmp_path/'raw/landmarker/ears').symlink_to('../detector/ears')
    assert [s.name for s in discover(Tree(tmp_path/'raw'))[0]] == ['detector/ears', 'landmarker/ears']


def test_a_folder_outside_is_walked_once(tmp_path):
    for o in 'ab': (tmp_path/'store'/o).mkdir(parents=True)
    (tmp_path/'raw').mkdir()
    for o in ('first', 'second'): (tmp_path/'raw'/o).symlink_to(tmp_path/'store')
    tree = Tree(tmp_path/'raw')
    assert [*tree.folders] == ['', 'first', 'first/a', 'first/b'] and tree.repeats() == [('second', 'first', 1)]
    assert [o.target for o in tree.links()] == [os.path.realpath(tmp_path/'store')]
