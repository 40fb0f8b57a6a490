"One table of objects: other options read nothing, rows know where they come from, classes mean one thing in every run"
import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from making import HIDDEN, boxes, coco, contents, image, opened, problem, process, pts, text

from ear_lazy.data_processor import DataProcessor, Source
from ear_lazy.lazy_dataset import LazyNPYDataset

ALL = 'coco', 'csv', 'points', 'yolo'


@pytest.fixture
def raw(tmp_path):
    "Boxes in a COCO file, a table with attributes and label files, and landmarks in files of their own"
    raw = tmp_path/'raw'
    for i in range(12):
        for source in ALL: image(raw/source/f'images/{source}_{i}.png', seed=i)
        pts(raw/f'points/annot/points_{i}.pts', [(5 + i, 5), (20, 30), (9, 9)])
        text(raw/f'yolo/labels/yolo_{i}.txt', '0 .5 .5 .2 .2\n1 .3 .3 .2 .2\n')
    coco(raw/'coco/all.json', {f'images/coco_{i}.png': [[1 + i, 2, 10, 20], [30, 3, 9, 9]][:1 + i % 2] for i in range(12)}, categories=[dict(id=1, name='Ear')])
    text(raw/'csv/table.csv', 'filename,class,xmin,ymin,xmax,ymax,subject\n' + ''.join(f'csv_{i}.png,{("birdie", "ear")[i % 2]},1,2,{20 + i},22,s{i // 3}\n' for i in range(12)))
    text(raw/'yolo/data.yaml', 'names: [head, ear]\n')
    return raw


opening = []
sys.addaudithook(lambda event, args: opening and event == 'open' and isinstance(args[0], str) and opening.append(args[0]))


def annotations_opened(raw, function):
    "Which annotation files a function opens"
    opening.append('')
    try: function()
    finally:
        found = opening[1:]
        opening.clear()
    return [o for o in found if o.startswith(str(raw)) and not o.endswith(('.png', 'sources.toml')) and not os.path.isdir(o)]


OTHERWISE = dict(classes=['ear']), dict(rename={'Ear': 'ear'}), dict(seed=7), dict(split='folder'), dict(keypoints=3), dict(group_by='subject'), dict(group_by=r'(\d+)')


def test_other_options_open_no_annotation_file(raw, tmp_path):
    "… as a trace of all that is opened shows"
    sources = [Source('csv', attributes=['subject'])]
    time.sleep(.11) # what was written within a tick of the clock is looked at once more
    assert annotations_opened(raw, lambda: process(raw, tmp_path/'out', sources=sources)), 'the trace sees what is read'
    process(raw, tmp_path/'out', sources=sources) # files that were just written are looked at once more
    more = dict(kinds=('detector',)), dict(train_split=.5), dict(train_split=.5, test_split=.3), dict(sources=[*sources, Source('points', over='coco')])
    for options in (*OTHERWISE, *more):
        assert not annotations_opened(raw, partial(process, raw, tmp_path/'out', **{'sources': sources} | options)), options


def test_classes_have_one_order_in_every_run(raw, tmp_path):
    "`classes` keeps these and fixes their numbers, also of one that is not there"
    for other in (raw, raw/'yolo'):
        process(other, tmp_path/'out', classes=['nose', 'head', 'ear'])
        assert {tuple(o.names('label_names')) for o in opened(tmp_path/'out', 'detector')} == {('', 'nose', 'head', 'ear')}
    found = {o.names('label_names')[k] for o in opened(tmp_path/'out', 'teacher') for k in o.column('labels')}
    assert found == {'head', 'ear'}


@pytest.mark.parametrize('shared', [False, True])
def test_rename(raw, tmp_path, shared):
    "It renames and joins and drops nothing, `classes` counts in the new names, and a misspelt one is told"
    with ThreadPoolExecutor(2) as executor:
        way = dict(executor=executor, shared_storage=True) if shared else {}
        before = process(raw, tmp_path/'before', **way)
        report = process(raw, tmp_path/'out', rename={'birdie': 'shuttlecock', 'Ear': 'ear', 'eer': 'ear'}, **way)
        assert boxes(tmp_path/'out') == boxes(tmp_path/'before') and report.problems == before.problems
        assert {tuple(o.names('label_names')) for o in opened(tmp_path/'out', 'detector')} == {('', 'ear', 'shuttlecock', 'head')}
        assert 'no class is called eer, which rename names; there are Ear, birdie, ear, head' in report.notes
        some = process(raw, tmp_path/'some', rename={'birdie': 'shuttlecock', 'Ear': 'ear'}, classes=['shuttlecock', 'ear'], **way)
        assert problem(some, 'other_class').detail == 'head' and some.sources['coco'].classes == {'ear': 18}
    with pytest.raises(TypeError, match="rename is a dict of class names, such as {'Ear': 'ear'}"): DataProcessor(raw, tmp_path/'out', rename=[('a', 'b')])


ORIGINS = {'coco': 'coco/all.json, id ', 'csv': 'csv/table.csv, line ', 'points': 'points/annot/points_', 'yolo': 'yolo/labels/yolo_'}


@pytest.mark.parametrize('kind', ['detector', 'landmarker', 'teacher'])
def test_rows_know_their_origin(raw, tmp_path, kind):
    "Each box and each set of keypoints names its file, and where in it"
    process(raw, tmp_path/'out')
    n = 0
    for file in opened(tmp_path/'out', kind):
        for i in range(len(file)):
            name, number = os.path.splitext(os.path.basename(file.image_path(i)))[0].split('_')
            found = [str(o) for own in file.origins(i) for o in own]
            n += len(found)
            assert found and all(o.startswith(ORIGINS[name]) for o in found)
            if name == 'csv': assert found == [f'csv/table.csv, line {int(number) + 2}']
            if name == 'points': assert found == [f'points/annot/points_{number}.pts']
            if name == 'yolo': assert set(found) <= {f'yolo/labels/yolo_{number}.txt, line {k}' for k in (1, 2)}
    assert n == {'detector': 54, 'landmarker': 12, 'teacher': 66}[kind]
    entries = {o.decode() for file in opened(tmp_path/'out', kind) for o in file.column('origin_files').tolist()} if kind != 'detector' else set()
    assert {o for o in entries if '//' in o} <= {'points/annot//.pts', 'yolo/labels//.txt'}, 'a label file named after its photo is a folder and a suffix'


def test_files_stay_small(tmp_path):
    "Detector and teacher: path + 64 + 34 a box; landmarker: path + 64 + 12 a point; the hidden table: 1.2 times as much as the outputs"
    raw, n = tmp_path/'raw', 2000
    names = [f'images/a_photo_{i:05}.png' for i in range(n)]
    image(raw/'ears/one.png')
    (raw/'ears/images').mkdir()
    for o in names: os.link(raw/'ears/one.png', raw/'ears'/o)
    coco(raw/'ears/all.json', {o: [dict(bbox=[1, 2, 10, 20 + k], keypoints=[1, 2, 2, 5, 6 + k, 2, 9, 9, 2]) for k in range(i % 3)] for i, o in enumerate(names)}, categories=[dict(id=1, name='ear')])
    process(raw, tmp_path/'out')
    total, path = 0, len('ears/') + len(names[0])
    for kind, a_value, most in (('detector', 34, 64), ('teacher', 34, 64), ('landmarker', 12, 64)):
        for file in opened(tmp_path/'out', kind):
            values = sum(len(np.atleast_2d(file.values(i))) for i in range(len(file)))
            total += file.size_on_disk
            assert file.size_on_disk <= len(file) * (path + most) + values * a_value + 2000 # of header and names
    hidden = sum(o.stat().st_size for o in (tmp_path/'out'/HIDDEN).rglob('kept-*/*'))
    assert hidden <= 1.2 * total


def test_attributes_are_recorded_and_group(raw, tmp_path):
    "A named column goes into the rows; photos of one subject stay on one side, and in one fold"
    sources = [Source('csv', attributes=['subject', 'age'])]
    report = process(raw, tmp_path/'out', sources=sources, group_by='subject', train_split=.5)
    assert problem(report, 'no_attribute').where == 'attribute age'
    sides = {}
    for split in ('train', 'val'):
        ds = LazyNPYDataset(tmp_path/f'out/{split}_teacher.npy')
        for source, subject in zip(ds.column('source'), ds.column('subject')):
            if source == 'csv': sides.setdefault(subject, set()).add(split)
            else: assert subject == ''
    assert sides.keys() == {'s0', 's1', 's2', 's3'} and all(len(o) == 1 for o in sides.values())
    with ThreadPoolExecutor(2) as executor:
        process(raw, tmp_path/'shared', sources=sources, group_by='subject', train_split=.5, executor=executor, shared_storage=True)
    assert contents(tmp_path/'shared') == contents(tmp_path/'out')


def test_renaming_a_dataset_moves_no_photo(raw, tmp_path):
    "Neither does moving it, or the raw folder"
    def sides(out): return {os.path.basename(o.image_path(i)): o.split for kind in ('detector', 'landmarker') for o in opened(out, kind) for i in range(len(o))}
    process(raw, tmp_path/'out')
    before = sides(tmp_path/'out')
    (raw/'yolo').rename(raw/'other name')
    (raw/'detector').mkdir()
    (raw/'coco').rename(raw/'detector/boxes')
    shutil.move(raw, tmp_path/'moved')
    process(tmp_path/'moved', tmp_path/'out')
    assert sides(tmp_path/'out') == before
