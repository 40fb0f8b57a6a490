"Photos that no file of a run describes: which they are, that they are looked at like others, and that nobody trains on them"
import os
import shutil

import numpy as np
import pytest
from making import coco, image, process, pts, text
from torch.utils.data import DataLoader

from ear_lazy.errors import MetadataError, RawDataError, StorageError
from ear_lazy.explorer import explore
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.loading.unlabelled import photos_below

NEW = ['detector/ears/new.jpg', 'later/x.PNG']


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    "Ten photos with a box, four with points alone, two with nothing; what is hidden, written or unreadable beside them"
    folder = tmp_path_factory.mktemp('data')
    raw = folder/'raw'
    for i in range(10): image(raw/f'detector/ears/{i}.png', seed=i)
    coco(raw/'detector/ears/a.json', {f'{i}.png': [[1, 2, 9, 9]] for i in range(10)})
    for i in range(4): image(raw/f'landmarker/ears/p{i}.png', seed=20 + i), pts(raw/f'landmarker/ears/p{i}.pts', [(3, 4), (20, 30), (9, 30)])
    for i, name in enumerate((*NEW, '.hidden/a.jpg', 'later/._x.jpg', '__MACOSX/later/x.jpg', 'out/copy.jpg')): image(raw/name, seed=30 + i)
    process(raw, raw/'out', train_split=.5)
    return folder


def opened(folder, name='train_detector', **options): return LazyNPYDataset(folder/f'raw/out/{name}.npy', **options)
def names(ds): return [os.path.relpath(ds.get_metadata(i)['image_path'], ds.root) for i in range(len(ds))]


def test_all_files_of_the_run_describe(folder):
    found = {name: names(opened(folder, name).unlabelled()) for name in ('train_detector', 'val_detector', 'train_landmarker', 'val_teacher')}
    assert found == dict.fromkeys(found, NEW)
    few = opened(folder)[:2].unlabelled() # rows that were not chosen are described all the same
    assert (names(few), few.split, few.kind) == (NEW, '', 'detector')


def test_rows_are_photos_without_boxes(folder, tmp_path):
    ds = opened(folder, extras=['labels', 'row', 'source', 'origin'], image_size=(32, 32), transform=lambda sample: sample/0).unlabelled()
    for sample in ds: assert (sample['image'].shape, sample['bboxes'].shape, len(sample['labels']), sample['origin']) == ((32, 32, 3), (0, 4), 0, [])
    assert ([o['source'] for o in ds], ds.column('source').tolist(), ds.point_names) == (['detector', 'later'], ['detector', 'later'], None)
    batch, = DataLoader(ds, batch_size=2)
    assert (batch['image'].shape, [o.shape for o in batch['bboxes']]) == ((2, 32, 32, 3), [(0, 4)] * 2)
    assert names(ds[1:]) == NEW[1:] and ds.stats() and '2 photos without annotation' in repr(ds) and ds._repr_html_().count('<img') == 2
    assert ds.to_coco(tmp_path/'todo.json').read_text().count('"file_name"') == 2


def test_they_are_not_combined_with_rows_to_train_on(folder):
    train, val = opened(folder), opened(folder, 'val_detector')
    for combine in (lambda: CombinedLazyDataset([train, val.unlabelled()]), lambda: train + val.unlabelled(), lambda: CombinedLazyDataset([train + val, train.unlabelled()[:1]])):
        with pytest.raises(ValueError, match='cannot be combined with rows to train on'): combine()
    assert names((train + val).unlabelled()) == NEW
    assert len(train.unlabelled() + val.unlabelled()) == 4
    assert names(train.unlabelled().unlabelled()) == NEW and len((train.unlabelled() + val.unlabelled()).unlabelled()) == 4


def test_of_two_runs(folder, tmp_path):
    "What one of them describes is known to both, and each root has its rows"
    image(tmp_path/'raw/b.png'), image(tmp_path/'raw/c.png', seed=1)
    coco(tmp_path/'raw/a.json', {'b.png': [[1, 2, 9, 9]]})
    process(tmp_path/'raw', tmp_path/'out', ('detector',), train_split=1.)
    both = CombinedLazyDataset([opened(folder), LazyNPYDataset(tmp_path/'out/train_detector.npy')]).unlabelled()
    assert [os.path.basename(both.get_metadata(i)['image_path']) for i in range(len(both))] == ['new.jpg', 'x.PNG', 'c.png']
    assert 'explore(3' in repr(explore(both))


def test_moved_images_are_listed_where_they_are(folder, tmp_path):
    shutil.copytree(folder/'raw', tmp_path/'moved', symlinks=True)
    image(tmp_path/'moved/later/z.png')
    assert names(opened(folder, root_dir=tmp_path/'moved').unlabelled()) == [*NEW, 'later/z.png', 'out/copy.jpg'] # the output folder is elsewhere now
    with pytest.raises(RawDataError, match='there is no folder .*away: root_dir= says where'): opened(folder, root_dir=tmp_path/'away').unlabelled()
    (tmp_path/'link').symlink_to('moved')
    both = CombinedLazyDataset([opened(folder, root_dir=tmp_path/o) for o in ('moved', 'link')])
    assert len(both.unlabelled()) == 4, 'each photo once'


def test_links(tmp_path):
    "One is followed where processing followed it; nothing that leads elsewhere since is listed"
    raw, far = tmp_path/'raw', tmp_path/'far'
    for i, path in enumerate((raw/'ears/a.png', raw/'ears/z.png', far/'b.png', far/'c.png', tmp_path/'later/d.png')): image(path, seed=i)
    (raw/'ears/far').symlink_to(far)
    (raw/'ears/l.png').symlink_to('z.png')
    coco(raw/'ears/a.json', {'a.png': [[1, 2, 9, 9]], 'far/b.png': [[1, 2, 9, 9]], 'l.png': [[1, 2, 9, 9]]})
    process(raw, tmp_path/'out', ('detector',), train_split=1.)
    (raw/'ears/later').symlink_to(tmp_path/'later')
    (raw/'ears/m.png').symlink_to('far/c.png')
    (raw/'again').symlink_to('ears')
    ds = LazyNPYDataset(tmp_path/'out/train_detector.npy').unlabelled()
    assert names(ds) == ['ears/far/c.png'] and ds[0]['image'].shape == (40, 60, 3) # z.png is described as l.png
    trusting = LazyNPYDataset(tmp_path/'out/train_detector.npy', allow_outside_root=True).unlabelled()
    assert names(trusting) == ['ears/far/c.png', 'ears/later/d.png']
    assert [*photos_below(str(raw))] == ['ears/a.png', 'ears/far/b.png', 'ears/far/c.png', 'ears/l.png', 'ears/later/d.png', 'ears/m.png', 'ears/z.png']


def test_a_file_of_the_run_that_cannot_be_read(folder, tmp_path):
    shutil.copytree(folder/'raw', tmp_path/'raw')
    text(tmp_path/'raw/out/val_landmarker.npy', 'no metadata')
    with pytest.raises(MetadataError, match='val_landmarker.npy'): opened(tmp_path, root_dir=tmp_path/'raw').unlabelled()


def test_a_folder_that_cannot_be_listed(tmp_path, monkeypatch):
    image(tmp_path/'a.png'), image(tmp_path/'closed/b.png')
    scandir = os.scandir
    def closed(path):
        if str(path).endswith('closed'): raise PermissionError(13, 'Permission denied')
        return scandir(path)
    monkeypatch.setattr(os, 'scandir', closed)
    with pytest.warns(UserWarning, match='closed cannot be listed, so its photos are missing: Permission denied'): assert [*photos_below(str(tmp_path))] == ['a.png']


def test_explore_a_folder(folder, tmp_path, monkeypatch):
    w = explore(folder/'raw')
    assert len(w.ds) == 17 and w.ds.metadata.names('source_names') == ['detector', 'landmarker', 'later', 'out']
    assert explore(str(folder/'raw'), [np.ones((1, 4))] * 17).view.tolist() == [*range(17)] # all as wrong
    head, data = w._pictures.full(0)
    assert head['words'] == 'no boxes' and len(data) > 50 and w.static(3).count('<img') == 3
    with pytest.raises(RawDataError, match='there is no photo below'): explore(tmp_path)
    with pytest.raises(RawDataError, match=r'there is no folder .*rwa'): explore(folder/'rwa')
    with pytest.raises(TypeError, match='open the file with LazyNPYDataset'): explore(folder/'raw/out/train_detector.npy')
    with pytest.raises(RawDataError, match='a.json is a file: give the folder of photos'): explore(folder/'raw/detector/ears/a.json')
    with pytest.raises(StorageError, match='a web server does not say which files it has'): explore('https://127.0.0.1:9/raw')


@pytest.mark.slow
def test_of_a_bucket(s3, folder):
    from ear_lazy.base import storage
    fs = storage.filesystem('s3://bucket')
    fs.put(str(folder/'raw'), 'bucket/new/raw', recursive=True)
    ds = LazyNPYDataset('s3://bucket/new/raw/out/val_detector.npy').unlabelled()
    assert [o.metadata.image_path(i) for o in [ds] for i in range(len(o))] == NEW and ds[1]['image'].shape == (40, 60, 3)
    assert len(explore('s3://bucket/new/raw').ds) == 17
