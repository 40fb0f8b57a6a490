"What a file says of objects, as datasets hand it on: origins, boxes beside keypoints, schemes, columns, classes by other numbers"
import json
import pickle

import numpy as np
import pytest
from making import as_version_2, coco, image, process, pts, text, with_columns
from torch.utils.data import DataLoader

from ear_lazy.base.origin import Origin
from ear_lazy.adapters import albumentations_transform, as_tv_tensors
from ear_lazy.errors import MetadataError
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset, collate
from ear_lazy.looking.columns import columns_of
from ear_lazy.looking.row_pictures import Pictures
from ear_lazy.looking.row_table import RowTable
from ear_lazy.transforms import Compose, Crop, Flip, Letterbox, crop, flip

SCHEME = dict(source=0, label=1, points=['left', 'right'], skeleton=[[0, 1]], flip_pairs=[[0, 1]])


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    "Three pictures of 40 × 60, each with two boxes and two sets of points, as files of version 1 and of version 2"
    folder = tmp_path_factory.mktemp('objects')
    for i, name in enumerate('abc'): image(folder/f'raw/ears/{name}.png', seed=i)
    boxes = {f'{n}.png': [[1, 1, 50, 30], dict(bbox=[10, 5, 20, 10], keypoints=[10, 5, 2, 30, 15, 1])] for n in 'abc'}
    coco(folder/'raw/ears/b.json', boxes)
    for out in ('old', 'new', 'plain'): process(folder/'raw', folder/out, train_split=1)
    for o in ('detector', 'teacher', 'landmarker'): with_columns(folder/f'old/train_{o}.npy', version=np.int32(1))
    box = np.float32([[10, 5, 20, 10], [np.nan]*4, [0, 0, 60, 40]])
    for o in ('detector', 'teacher'): as_version_2(folder/f'new/train_{o}.npy')
    as_version_2(folder/'new/train_landmarker.npy', bboxes=box, labels=np.int32([1, 0, 1]), origin_files=[b'ears/table.csv', b'ears/points//_p.pts'], origin_names=[b'line', b''],
                 label_names=[b'', b'ear'], more_origins=np.int64([[1, 1, 0]]), schemes=np.bytes_(json.dumps([SCHEME])))
    return folder


@pytest.fixture
def opened(made): return lambda kind, which='new', **options: LazyNPYDataset(made/f'{which}/train_{kind}.npy', **options)


# Origins

def test_origins_of_each_kind(opened):
    for kind in ('landmarker', 'teacher'): assert opened(kind).origin(0)[0] == Origin('ears/table.csv', 'line 2')
    assert [str(o) for o in opened('landmarker').origin(1)] == ['ears/table.csv, line 3', 'ears/points/b_p.pts']
    ds = opened('detector')
    assert [[str(o) for o in box] for box in ds.origin(-1)] == [['ears/table.csv, line 6'], ['ears/table.csv, line 7']]
    assert ds[[2, 0]].origin(0) == CombinedLazyDataset([ds[:1], ds])[[3]].origin(0) == ds.origin(2)
    assert pickle.loads(pickle.dumps(ds)).origin(2) == ds.origin(2)


def test_files_of_before_have_empty_lists(opened):
    assert (opened('detector', 'old').origin(0), opened('landmarker', 'old').origin(0), opened('teacher', 'old').origin(0)) == ([[], []], [], [])


@pytest.mark.parametrize(('kind', 'extras'), [('detector', 'origin'), ('landmarker', 'bbox'), ('teacher', ['row', 'origin'])])
def test_what_files_of_before_lack(opened, kind, extras):
    with pytest.raises(MetadataError, match='an earlier version of this package made it, .* make metadata files from the raw data'): opened(kind, 'old', extras=extras)
    with pytest.raises(MetadataError, match='did not record which photos belong together'): opened(kind, 'old').column('group')


# Extras

def test_extras(opened):
    ds = opened('landmarker', extras=['origin', 'source', 'labels', 'bbox', 'row'])
    for found in (ds[0], ds.get_metadata(0)):
        assert [*found][-5:] == ['row', 'labels', 'bbox', 'source', 'origin'] and found['bbox'].tolist() == [10, 5, 20, 10]
        assert (found['labels'], found['source'], found['origin']) == (1, 'ears', [Origin('ears/table.csv', 'line 2')])
    assert np.isnan(ds[1]['bbox']).all() and ds[1]['bbox'].dtype == np.float32
    with pytest.raises(ValueError, match="has its boxes as 'bboxes'"): opened('detector', extras='bbox')
    assert 'bbox' in opened('teacher', extras='bbox')[0]


@pytest.mark.parametrize('kind', ['detector', 'landmarker', 'teacher'])
def test_batches(opened, kind):
    ds = opened(kind, extras=['origin', 'source', 'labels'] + ['bbox']*(kind == 'landmarker'))
    by_hand = ds.get_batch(range(3))
    for workers in (0, 1) if kind == 'landmarker' else (0,):
        batch = next(iter(DataLoader(ds, 3, num_workers=workers)))
        assert batch.keys() == by_hand.keys() and batch['source'].tolist() == ['ears']*3
        assert [*batch['origin']] == [*by_hand['origin']] == [ds.origin(i) for i in range(3)]
    if kind == 'landmarker': assert batch['bbox'].shape == (3, 4) and batch['labels'].tolist() == [1, 0, 1]


def test_boxes_beside_keypoints_move_with_them(opened, made, tmp_path):
    whole = opened('landmarker', extras='bbox')
    for options, box in ((dict(image_size=(80, 120)), [20, 10, 40, 20]), (dict(image_size=(80, 80), resize='stretch'), [80/6, 10, 160/6, 20]),
                         (dict(transform=Letterbox((40, 120))), [40, 5, 20, 10])):
        ds = opened('landmarker', extras='bbox', cache_size=4, **options)
        for _ in range(2): # the second comes from the cache
            np.testing.assert_allclose(ds[0]['bbox'], box, rtol=1e-6)
            assert np.isnan(ds[1]['bbox']).all()
    np.testing.assert_allclose(flip(whole[0])['bbox'], [30, 5, 20, 10])
    np.testing.assert_allclose(crop(whole[0], (8, 15, 40, 60))['bbox'], [0, 0, 15, 7])
    assert np.isnan(crop(whole[0], (20, 40, 40, 60))['bbox']).all()
    assert np.isnan(crop(whole[0], (8, 15, 40, 60), min_visible=.9)['bbox']).all()
    turned = LazyNPYDataset(made/'new/train_landmarker.npy', root_dir=tmp_path, extras='bbox')
    image(tmp_path/'ears/a.png', (40, 60), exif=_turned(3))
    np.testing.assert_allclose(turned[0]['bbox'], whole[0]['bbox']) # sizes say nothing of half a turn
    image(tmp_path/'ears/a.png', (60, 40), exif=_turned(6))
    np.testing.assert_allclose(turned[0]['bbox'], whole[0]['bbox']) # 60 × 40 as a person sees it
    path = with_columns(_copy(made/'new/train_landmarker.npy', tmp_path), sizes=np.int32([[60, 40]]*3),
                        bboxes=np.float32([[5, 10, 10, 20]]*3), keypoints=np.float32([[[5, 10, 2], [15, 30, 1]]]*3))
    sample = LazyNPYDataset(path, root_dir=tmp_path, extras='bbox')[0] # made for the stored pixels
    x, y, w, h = sample['bbox'].tolist()
    np.testing.assert_allclose([[x, y], [x + w, y + h]], [sample['keypoints'][:, :2].min(0), sample['keypoints'][:, :2].max(0)])


def _copy(path, folder):
    (folder/path.name).write_bytes(path.read_bytes())
    return folder/path.name


def _turned(orientation):
    from PIL import Image
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def test_boxes_that_a_crop_drops_take_their_origins_along(opened):
    sample = crop(opened('detector', extras=['origin', 'labels'])[0], (0, 0, 40, 60))
    assert len(sample['origin']) == len(sample['bboxes']) == 2
    sample = crop(sample, (0, 0, 4, 4))
    assert sample['origin'] == [[Origin('ears/table.csv', 'line 2')]] and len(sample['bboxes']) == len(sample['labels']) == 1
    sample['origin'] = np.zeros(2) # of a user's own
    assert crop(sample, (0, 0, 4, 4))['origin'].tolist() == [0, 0] and collate([sample, sample])['origin'].shape == (2, 2)


def test_adapters_take_boxes_and_origins_along(opened):
    A = pytest.importorskip('albumentations')
    points, boxes = opened('landmarker', extras='bbox'), opened('detector', extras='origin')
    moved = albumentations_transform(A.Compose([A.Crop(15, 0, 60, 40), A.HorizontalFlip(p=1)]))
    found = moved(points[0])
    np.testing.assert_allclose(found['bbox'], [30, 5, 15, 10], atol=1e-4)
    assert np.isnan(moved(points[1])['bbox']).all() and found.scheme == points[0].scheme
    assert albumentations_transform(A.Crop(0, 0, 9, 4))(boxes[0])['origin'] == [[Origin('ears/table.csv', 'line 2')]]
    v2 = pytest.importorskip('vision').v2
    found = as_tv_tensors(v2.RandomHorizontalFlip(1))(points[0])
    np.testing.assert_allclose(found['bbox'], [[30, 5, 20, 10]])


def test_shards(made, tmp_path):
    "Numbers of objects begin anew in each file"
    process(made/'raw', tmp_path, ('detector', 'landmarker'), train_split=1, shard_bytes=200)
    for kind in ('detector', 'landmarker'):
        ds, whole = LazyNPYDataset(tmp_path/f'train_{kind}.npy'), LazyNPYDataset(made/f'plain/train_{kind}.npy')
        assert ds.metadata.path and len([*tmp_path.glob(f'train_{kind}*')]) > 1 and len(ds) == len(whole)
        assert [ds.origin(i) for i in range(len(ds))] == [whole.origin(i) for i in range(len(ds))] and all(ds.origin(i) for i in range(len(ds)))
        for name in ('source', 'group', 'labels', 'sizes', 'counts'): assert ds[::-1].column(name).tolist() == whole[::-1].column(name).tolist()


# What keypoints are

def test_schemes(opened):
    ds = opened('landmarker')
    with pytest.raises(ValueError, match='2 schemes of keypoints, .* choose rows of one by'): ds.point_names # noqa: B018
    named = ds[ds.column('labels') == 1]
    for some in (named, CombinedLazyDataset([named, named]), CombinedLazyDataset([ds, ds])[[0, 5]]):
        assert (some.point_names, some.skeleton, some.flip_pairs) == (('left', 'right'), ((0, 1),), ((0, 1),))
    for some in (ds[[1]], ds[:0], opened('landmarker', 'old'), opened('detector')): assert some.point_names is some.skeleton is some.flip_pairs is None


def _plain(sample): return dict(sample) # as transforms of others do


def test_flip_swaps_what_the_file_says(opened):
    ds, points = opened('landmarker'), [[50, 5, 2], [30, 15, 1]]
    flips = {'alone': Flip(p=1), 'after a dict': Compose([_plain, Flip(p=1)]), 'after a crop': Compose([Crop(scale=(1, 1)), Flip(p=1)])}
    for name, transform in flips.items():
        found = opened('landmarker', transform=transform)
        assert found[0]['keypoints'].tolist() == points[::-1] and found[1]['keypoints'].tolist() == points, name
    assert CombinedLazyDataset([opened('landmarker', transform=_plain)], transform=Flip(p=1))[0]['keypoints'].tolist() == points[::-1]
    for pairs in ((), []): assert opened('landmarker', transform=Flip(p=1, pairs=pairs))[0]['keypoints'].tolist() == points
    assert flip(ds[1], [(0, 1)])['keypoints'].tolist() == points[::-1]
    assert opened('landmarker', 'old', transform=Flip(p=1))[0]['keypoints'].tolist() == points
    for twice in ([(0, 1), (1, 0)], [(0, 1), (0, 1)]): assert flip(ds[0], twice)['keypoints'].tolist() == points[::-1]
    sample = ds[0]
    sample['keypoints'] = np.float32([[1, 1, 2]]*3)
    with pytest.raises(ValueError, match='a keypoint in two pairs'): flip(sample, [(0, 1), (1, 2)])
    sample['keypoints'] = sample['keypoints'][:1]
    with pytest.raises(ValueError, match='the sample has 1 keypoints, and its file names 2'): flip(sample)


# Columns

def test_columns_are_those_of_chosen_rows(opened, made, tmp_path):
    ds = opened('detector')
    path = with_columns(_copy(made/'new/train_detector.npy', tmp_path), attribute_names=[b'side'], attribute_values=[b'', b'left'], attributes=np.int32([[0]]*5 + [[1]]))
    sided = LazyNPYDataset(path, root_dir=made/'raw')
    some = sided[[2, 0]]
    assert some.column('side').tolist() == ['', 'left', '', ''] and some.column('labels').tolist() == [1]*4 and some.column('counts').tolist() == [2, 2]
    assert (some.column('group').tolist(), some.column('source').tolist(), some.column('sizes').tolist()) == ([2, 0], ['ears']*2, [[40, 60]]*2)
    both = CombinedLazyDataset([sided[:1], sided])[[3, 0]]
    assert both.column('side').tolist() == ['', 'left', '', ''] and both.column('group').tolist() == [2, 0]
    with pytest.raises(ValueError, match="no column 'side': choose from source, group, labels, sizes, counts"): ds.column('side')
    assert opened('landmarker')[[2, 1]].column('labels').tolist() == [1, 0] and opened('landmarker').column('counts').tolist() == [2]*3


# Classes by other numbers

def test_classes_by_other_numbers_everywhere(opened, tmp_path):
    names = ['', 'head', 'ear']
    for kind in ('detector', 'teacher'):
        ds = opened(kind, label_names=['head', 'ear'], extras='labels')
        assert ds.label_names == names and set(np.ravel([o['labels'] for o in ds])) == set(ds.column('labels').tolist()) == {2} == set(columns_of(ds).labels.tolist())
        assert columns_of(ds).label_names == names and set(RowTable(ds).column('class')) == {'ear'} and 'ear' in str(ds.stats())
        assert set(pickle.loads(pickle.dumps(ds)).column('labels').tolist()) == {2}
        assert json.loads(ds.to_coco(tmp_path/f'{kind}.json').read_bytes())['categories'] == [{'id': 1, 'name': 'head'}, {'id': 2, 'name': 'ear'}]
        assert Pictures(ds, RowTable(ds)).full(0)[0]['truth']['classes'][0] == 'ear'
        plain = opened(kind, extras='labels')
        for both in (ds + plain, plain + ds):
            assert {both.label_names[o] for o in both.column('labels').tolist()} == {'ear'} == {both.label_names[o] for s in both for o in np.ravel(s['labels'])}
            assert {*columns_of(both).labels.tolist()} == {columns_of(both).label_names.index('ear')}
            for i in range(len(both)): assert np.array_equal(both.get_metadata(i)['labels'], both[i]['labels'])
        if kind == 'teacher': assert type(ds[0]['labels']) is type(plain[0]['labels']) is type(flip(ds[0], swap_labels=[(1, 2)])['labels'])


def test_names_that_are_missing(opened):
    with pytest.raises(ValueError, match=r'label_names lacks ear \(6 objects\) of .*train_detector.npy: add them'): opened('detector', label_names=['head'])
    assert opened('landmarker', label_names=['ear', 'head']).column('labels').tolist() == [1, 0, 1]
    assert opened('landmarker', label_names=[], which='old').label_names == ['']
    with pytest.raises(ValueError, match="label_names has 'ear' twice"): opened('detector', label_names=['ear', 'ear'])
    for names in (['ear', ''], ['', 'ear', '']):
        with pytest.raises(ValueError, match="'' after other names: .* leave it out"): opened('detector', label_names=names)


# Looking

def test_the_full_view_says_where_objects_are_annotated(opened):
    def words(ds, row): return Pictures(ds, RowTable(ds)).full(row)[0]['origin']
    assert words(opened('landmarker'), 1) == 'ears/table.csv, line 3; ears/points/b_p.pts'
    assert words(opened('detector', transform=Flip(p=1))[[1]], 0) == 'ears/table.csv, line 4; ears/table.csv, line 5'
    assert words(opened('detector', 'old'), 0) == ''


def test_a_box_beside_keypoints_is_drawn_with_them(opened):
    import matplotlib.pyplot as plt
    ds = opened('landmarker', extras=['bbox', 'labels'])
    for row, boxes in ((0, 1), (1, 0)):
        ax = ds.show(row)
        assert len(ax.patches) == boxes and [o.get_text() for o in ax.texts if o.get_text().strip() == 'ear'] == ['ear ']*boxes and 'px' not in ax.get_title()
        lines = [o for o in ax.lines if len(o.get_xdata()) == 2]
        assert len(lines) == (row == 0) # of the skeleton
    plt.close('all')


def test_folds(opened):
    for ds in (opened('teacher'), opened('detector')[[2, 1, 0]], CombinedLazyDataset([opened('detector'), opened('detector')])):
        pairs = ds.folds(2)
        for train, val in pairs: assert not {*train.column('group').tolist()} & {*val.column('group').tolist()} and len(train) + len(val) == len(ds)
        assert sorted(o for _, val in pairs for o in val.column('group').tolist()) == sorted(ds.column('group').tolist())
    with pytest.raises(MetadataError, match='did not record which photos belong together: make'): opened('detector', 'old').folds(2)


# From raw data on

def test_names_of_keypoints_that_are_no_unicode_or_very_long(tmp_path):
    "… are in a file that can be read: a JSON text has no such names, and those of a file are bounded"
    for i in (0, 1): image(tmp_path/f'raw/ears/{i}.png', seed=i)
    head = [b'scorer' + b',me'*4, b'bodyparts' + b',l\xff'*2 + b',' + b'r'*2000 + b',' + b'r'*2000, b'coords,x,y,x,y']
    text(tmp_path/'raw/ears/a.csv', b'\n'.join([*head, b'0.png,1,2,3,4', b'1.png,1,2,3,4', b'']))
    process(tmp_path/'raw', tmp_path/'out', ('landmarker',), train_split=1)
    assert LazyNPYDataset(tmp_path/'out/train_landmarker.npy').point_names == ('l\ufffd', 'r'*1000)


def test_keypoints_come_home_from_yolo_with_names_and_pairs(opened, tmp_path):
    named = opened('landmarker')[[0, 2]]
    named.to_yolo(tmp_path/'raw/ears', images='copy')
    process(tmp_path/'raw', tmp_path/'out', ('landmarker',), train_split=1)
    home = LazyNPYDataset(tmp_path/'out/train_landmarker.npy')
    assert (home.point_names, home.flip_pairs, home.label_names) == (named.point_names, named.flip_pairs, named.label_names)
    opened('landmarker').to_yolo(tmp_path/'both') # of a class that nobody has described, too: YOLO mirrors all alike
    assert 'kpt_names' in (said := (tmp_path/'both/data.yaml').read_text()) and 'flip_idx' not in said


def test_what_a_coco_file_says_comes_out_of_the_dataset(tmp_path):
    "Lines of a table, ids of a COCO file, files named after their photos; names, lines and pairs of keypoints; class and box of their object"
    for i, name in enumerate('abc'): image(tmp_path/f'raw/faces/{name}.png', seed=i)
    category = dict(id=1, name='face', keypoints=['left_eye', 'right_eye'], skeleton=[[1, 2]])
    coco(tmp_path/'raw/faces/faces.json', {f'{n}.png': [dict(bbox=[10, 5, 20, 10], keypoints=[10, 5, 2, 30, 15, 1])] for n in 'abc'}, categories=[category])
    for n in 'ab': pts(tmp_path/f'raw/ears/{n}.pts', [(10, 5), (20, 9), (7, 7)]), image(tmp_path/f'raw/ears/{n}.png', seed=ord(n))
    process(tmp_path/'raw', tmp_path/'out', train_split=1)
    ds = LazyNPYDataset(tmp_path/'out/train_landmarker.npy', extras=['origin', 'labels', 'bbox', 'source'], transform=Flip(p=1))
    faces, ears = (ds[ds.column('source') == o] for o in ('faces', 'ears'))
    assert [str(o) for o in faces.origin(1)] == ['faces/faces.json, id 11'] and [str(o) for i in (0, 1) for o in ears.origin(i)] == ['ears/a.pts', 'ears/b.pts']
    assert (faces.point_names, faces.skeleton, faces.flip_pairs, ears.point_names) == (('left_eye', 'right_eye'), ((0, 1),), ((0, 1),), None)
    assert faces[0]['keypoints'].tolist() == [[30, 15, 1], [50, 5, 2]] and faces[0]['bbox'].tolist() == [30, 5, 20, 10]
    assert ds.label_names[faces[0]['labels']] == 'face' and np.isnan(ears[0]['bbox']).all() and len(ears[0]['keypoints']) == 3
    for train, val in ds.folds(2): assert len(train) + len(val) == len(ds) == 5
    categories = json.loads(ds.to_coco(tmp_path/'again.json').read_bytes())['categories']
    assert [(o['name'], o['keypoints'], o['skeleton']) for o in categories] == [('face', ['left_eye', 'right_eye'], [[1, 2]]), ('unclassed', ['1', '2', '3'], [])]
