"A dataset as a table of objects, and rows that meet conditions: both say what the rows say one by one"
import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import coco, image, process, pts, text, write_rows
from tiers import tries

from ear_lazy.data_processor import Source
from ear_lazy.errors import MetadataError
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset

pl = pytest.importorskip('polars')
BOX = ['x', 'y', 'width', 'height']


@pytest.fixture(scope='module')
def out(tmp_path_factory):
    raw = tmp_path_factory.mktemp('tables')/'raw'
    for i in range(8): image(raw/f'coco/a{i}.png', seed=i)
    ears = [dict(bbox=[1, 1, 4 + i, 9], side='left' if i % 2 else 'right', keypoints=[2, 2, 2, 3, 3, 1, 0, 0, 0]) for i in range(8)]
    coco(raw/'coco/labels.json', {'a0.png': [], **{f'a{i}.png': ears[:i] for i in range(1, 8)}},
         categories=[dict(id=1, name='ear', keypoints=['a', 'b', 'c']), dict(id=2, name='head')])
    for i in range(3):
        image(raw/f'yolo/images/b.{i}.png', seed=20 + i)
        text(raw/f'yolo/labels/b.{i}.txt', f'{i % 2} .5 .5 .{i + 2} .4\n' * (i > 0))
    text(raw/'yolo/classes.txt', 'head\nneck\n')
    image(raw/'pts/c.png', seed=30)
    pts(raw/'pts/c.pts', [(1, 2), (5, 6)])
    process(raw, raw.parent/'out', train_split=.7, split='random', sources=[Source('coco', attributes=['side'])])
    return raw.parent/'out'


def opened(out, kind): return [LazyNPYDataset(out/f'{o}_{kind}.npy', extras=('labels',)) for o in ('train', 'val')]


def said(ds, i):
    "What the methods for one row say of its objects, as the lines of a table"
    found, origin, shape = ds.get_metadata(i), ds.origin(i), ds.image_shape(i)
    labels = [ds.label_names[o] for o in np.atleast_1d(found['labels']).tolist()]
    common = {'row': i, 'image': found['image_path'], 'source': ds[[i]].column('source')[0], 'image_height': shape[0], 'image_width': shape[1], 'group': int(ds[[i]].column('group')[0])}
    if ds.kind == 'detector': values, origins = [{'class': name, **dict(zip(BOX, b.tolist()))} for name, b in zip(labels, found['bboxes'])], [o[0] for o in origin]
    else:
        v = found['keypoints'][:, 2]
        values, origins = [{'class': labels[0], 'points': len(v), 'visible': int((v == 2).sum()), 'hidden': int((v == 1).sum())}], origin[:1]
    return [common | {'object': n} | o | {'file': place.file, 'place': place.where} for n, (o, place) in enumerate(zip(values, origins))] or [common | {'object': None, 'x': None}]


def check(ds):
    wanted = [o for i in range(len(ds)) for o in said(ds, i)]
    df, frame = ds.to_pandas(), ds.to_polars()
    assert len(df) == len(frame) == len(wanted) and list(df.columns) == frame.columns
    for line, ours, other in zip(wanted, df.to_dict('records'), frame.to_dicts()):
        for name, value in line.items():
            assert other[name] == value, name
            assert pd.isna(ours[name]) if value is None else ours[name] == value, name
    return df


@pytest.mark.parametrize('kind', ['detector', 'landmarker'])
def test_a_table_says_what_the_rows_say(out, kind):
    train, val = opened(out, kind)
    both = train + val
    for ds in (both, both[::-2], both[[1, 0, 1]]): df = check(ds)
    assert {o: str(df[o].dtype) for o in ('row', 'object', 'image_width', 'group', 'source', 'class', 'file')} == \
        {'row': 'int64', 'object': 'Int32', 'image_width': 'Int32', 'group': 'UInt64', 'source': 'category', 'class': 'category', 'file': 'category'}
    df.loc[0, 'image'] = 'mine' # it is a copy
    assert both.to_pandas().loc[0, 'image'] != 'mine' and set(both.to_pandas()['split']) == {'train', 'val'}
    empty = both[:0].to_pandas()
    assert len(empty) == 0 and list(empty.columns) == list(both.to_pandas().columns)


def test_attributes_are_columns(out):
    ds = CombinedLazyDataset(opened(out, 'detector'))
    df = ds.to_pandas()
    assert df['side'].dropna().value_counts().to_dict() == {'right': 16, 'left': 12} and df['side'].isna().sum() == 4
    assert len(ds.where(side='left')) == 6 and len(ds.where(side=['left', 'right'], label='ear')) == 7
    with pytest.raises(ValueError, match="no value of side 'lefft': did you mean 'left'?"): ds.where(side='lefft')


def test_keypoints_as_a_column(out):
    train, val = opened(out, 'landmarker')
    ds = train + val
    for row, points in enumerate(ds.to_pandas(points=True)['keypoints']): np.testing.assert_array_equal(points, ds.get_metadata(row)['keypoints'])
    assert ds.to_polars(points=True)['keypoints'].to_list() == [ds.get_metadata(i)['keypoints'].tolist() for i in range(len(ds))]
    three = ds[ds.column('counts') == 3]
    assert three.to_polars(points=True)['keypoints'].dtype == pl.Array(pl.Float32, (3, 3))


def test_files_of_before_have_fewer_columns(out, tmp_path):
    "A file of version 1 lacks what it does not know, also beside one of version 2"
    folder = tmp_path/'out'
    folder.mkdir()
    values = {'bboxes': np.array([[1, 1, 5, 5], [2, 2, 9, 9]], np.float32), 'labels': np.array([1, 0])}
    path = write_rows(folder/'old.npy', 'detector', ['a.png', 'b.png'], np.array([2, 0]), values, sizes=np.array([[40, 60], [0, 0]]))
    record = np.load(path)
    kept = [o for o in record.dtype.names if not o.startswith('origin') and o not in ('groups', 'journal', 'run')]
    older = np.zeros((), [(o, record.dtype[o]) for o in kept])
    for o in kept: older[o] = record[o]
    older['version'] = 1
    np.save(path, older)
    old = LazyNPYDataset(path)
    df = old.to_pandas()
    assert not {'group', 'file', 'place'} & {*df} and df['class'].tolist()[:2] == ['ear', ''] and df['object'].isna().tolist() == [False, False, True]
    assert df['image_width'].isna().tolist() == [False, False, True]
    both = CombinedLazyDataset([old, opened(out, 'detector')[0]]).to_pandas()
    assert both['file'].isna().sum() == 3 + both[both['row'] > 1]['object'].isna().sum() and str(both['group'].dtype) == 'UInt64'


@pytest.mark.skipif(os.name != 'posix', reason='names of files are text there')
def test_odd_names_and_paths(tmp_path):
    values = {'bboxes': np.zeros((3, 4), np.float32), 'labels': np.zeros(3, int)}
    path = write_rows(tmp_path/'odd.npy', 'detector', [b'\xe9.png'.decode('utf-8', 'surrogateescape'), 'a..b.png', 'é.png'], np.ones(3, int), values, root='.')
    images = LazyNPYDataset(path).to_pandas()['image'].tolist()
    assert [o.rpartition('/')[2] for o in images] == ['\\xe9.png', 'a..b.png', 'é.png']
    for n, name in enumerate(['../secret.png', '/etc/secret.png', 'C:secret.png']):
        outside = write_rows(tmp_path/f'{n}.npy', 'detector', ['a.png', name], np.ones(2, int), {k: o[:2] for k, o in values.items()}, root='.')
        with pytest.raises(MetadataError, match='not inside the image root'): LazyNPYDataset(outside).to_pandas()
    trusted = LazyNPYDataset(write_rows(tmp_path/'trusted.npy', 'detector', ['a.png', '/etc/b.png'], np.ones(2, int), {k: o[:2] for k, o in values.items()}, root='.'), allow_outside_root=True)
    assert trusted.to_pandas()['image'].tolist() == [trusted.get_metadata(i)['image_path'] for i in range(2)]


def test_photos_without_annotation(out):
    image(out.parent/'raw/coco/unlabelled.png', seed=99)
    ds = opened(out, 'detector')[0].unlabelled()
    assert len(ds) == 1 and ds.to_pandas()['image'].tolist() == [ds.get_metadata(0)['image_path']] and ds.where(size=(1, None)).to_pandas().empty


SIZE = st.none() | st.integers(0, 12)


@settings(max_examples=tries(40), deadline=None)
@given(data=st.data())
def test_where_is_what_a_loop_finds(out, data):
    "Rows with an object that meets all conditions, whichever way they are said"
    ds = CombinedLazyDataset(opened(out, 'detector'))[::data.draw(st.sampled_from([1, -1, 2]))]
    df = ds.to_pandas()
    asked = {}
    if label := data.draw(st.none() | st.sampled_from(['ear', 'head', ['head', 'neck']])): asked['label'] = label
    if source := data.draw(st.none() | st.sampled_from(['coco', 'yolo', ['coco', 'pts', 'yolo']])): asked['source'] = [o for o in np.atleast_1d(source) if o in {*df['source']}] or 'coco'
    if split := data.draw(st.none() | st.sampled_from(['train', ['train', 'val']])): asked['split'] = split
    if data.draw(st.booleans()): asked['size'] = data.draw(SIZE), data.draw(SIZE)
    mask = np.ones(len(df), bool)
    for name, column in (('label', 'class'), ('source', 'source'), ('split', 'split')):
        if name in asked: mask &= df[column].isin(np.atleast_1d(asked[name])).to_numpy()
    low, high = asked.get('size', (None, None))
    size = np.sqrt((df['width']*df['height']).to_numpy())
    if 'size' in asked: mask &= (size >= (0 if low is None else low)) & (size <= (1e9 if high is None else high))
    rows = sorted({*df['row'][mask]})
    paths = [ds.get_metadata(i)['image_path'] for i in rows]
    shuffled, frame = df.sample(frac=1, random_state=1), ds.to_polars()
    ways = [lambda: ds.where(**asked), lambda: ds.where(mask), lambda: ds.where(df['row'].notna() & mask), lambda: ds.where(shuffled['row'].notna() & pd.Series(mask)),
            lambda: ds.where(df[mask]), lambda: ds.where(frame.filter(mask)), lambda: ds.where(pl.Series(mask)), lambda: ds.where(df[mask], **asked), lambda: ds.where(mask, **asked)]
    found = data.draw(st.sampled_from(ways))()
    assert [found.get_metadata(i)['image_path'] for i in range(len(found))] == paths
    turned = ds.where(df[mask][::-1])
    assert [turned.get_metadata(i)['image_path'] for i in range(len(turned))] == [*dict.fromkeys(df['image'][mask][::-1])]


def test_conditions_about_objects_are_of_one_object(out):
    ds = CombinedLazyDataset(opened(out, 'detector'))
    df = ds.to_pandas()
    wide, right = df['width'] > 8, df['side'] == 'right'
    both = {*df['row'][wide & right]}
    assert len(ds.where(wide, side='right')) == len(ds.where(df[wide], side='right')) == len(both) < len({*df['row'][wide]} & {*df['row'][df['side'] == 'left']}) + len(both)
    chosen = ds.where(size=(9, None))
    assert max(len(chosen.get_metadata(i)['bboxes']) for i in range(len(chosen))) > 1 # the others of a photo stay
    counts = ds.column('counts')
    assert len(ds.where(counts > 2)) == (counts > 2).sum() and len(ds.where(ds.column('labels') == ds.label_names.index('ear'))) == 7


@pytest.mark.parametrize('wrong, error, words', [
    (dict(label='eer'), ValueError, "no class 'eer': did you mean 'ear'"), (dict(source='coko'), ValueError, "no source 'coko': did you mean 'coco'"),
    (dict(split='training'), ValueError, "no split 'training'"), (dict(size=5), ValueError, 'least, most'), (dict(size=('a', 1)), ValueError, 'least, most'),
    (dict(label=3), TypeError, 'a name or a list of names'), (dict(category='ear'), TypeError, 'it is label='), (dict(lable='ear'), TypeError, "did you mean 'label'"),
    (dict(chosen=[True]), ValueError, '1 booleans for a dataset of'), (dict(chosen=[3, 5]), TypeError, r'ds\[\[3, 5\]\]'), (dict(chosen='ear'), TypeError, 'takes booleans or a table'),
    (dict(chosen=pd.DataFrame({'image': ['a']})), ValueError, "no column 'row'"), (dict(chosen=pd.DataFrame({'row': [999]})), ValueError, 'of another dataset'),
    (dict(chosen=pd.DataFrame({'row': [0], 'object': [99]})), ValueError, 'of another dataset'),
    (dict(chosen=pd.DataFrame({'row': [0], 'image': ['b.png']})), ValueError, 'of another dataset'),
    (dict(chosen=pd.DataFrame({'row': [1.5]})), ValueError, 'other things than whole numbers'), (dict(chosen=pl.DataFrame({'row': ['a']})), ValueError, 'other things than whole numbers'),
    (dict(chosen=pd.DataFrame({'row': [True]})), ValueError, 'other things than whole numbers'), (dict(chosen=pd.DataFrame([[0, 1]], columns=['row', 'row'])), ValueError, "several columns 'row'"),
    (dict(chosen=pd.Series([0, 1])), TypeError, 'not a Series of int64'),
    (dict(chosen=pd.Series([True], index=['a'])), ValueError, 'the index of these booleans'), (dict(chosen=pl.LazyFrame({'row': [0]})), TypeError, 'collect'),
])
def test_what_no_row_could_meet_is_refused(out, wrong, error, words):
    with pytest.raises(error, match=words): CombinedLazyDataset(opened(out, 'detector')).where(**wrong)


def test_attributes_named_like_columns(tmp_path):
    "A recorded attribute stands beside the column of its name, and not in its place"
    image(tmp_path/'raw/ears/a.png')
    text(tmp_path/'raw/ears/t.csv', 'filename,xmin,ymin,xmax,ymax,class,width,row\na.png,1,2,11,22,ear,60,7\na.png,1,2,31,22,nose,60,8\n')
    process(tmp_path/'raw', tmp_path/'out', kinds=('detector',), train_split=1, sources=[Source('ears', attributes=['class', 'width', 'row'])])
    df = LazyNPYDataset(tmp_path/'out/train_detector.npy').to_pandas()
    assert df[['row', 'class', 'width']].to_numpy().tolist() == [[0, 'ear', 10], [0, 'nose', 30]]
    assert df[['row (attribute)', 'class (attribute)', 'width (attribute)']].to_numpy().tolist() == [['7', 'ear', '60'], ['8', 'nose', '60']]


def test_tables_and_booleans_that_name_rows(out):
    "By the index of a grouped series, or by a table without objects: all objects of the rows are meant"
    ds = CombinedLazyDataset(opened(out, 'detector'))
    df = ds.to_pandas()
    ears = df[df['class'] == 'ear']
    widest = ears.groupby('row')['width'].max() > 8
    rows = [*widest.index[widest]]
    assert 0 < len(rows) < len(widest) < len(ds)
    wanted = [ds.get_metadata(i)['image_path'] for i in rows]
    for mask in (widest, widest.astype(object), ears.set_index(['row', 'object'])['width'] > 8, ears.set_index('row')['width'] > 8):
        found = ds.where(mask)
        assert [found.get_metadata(i)['image_path'] for i in range(len(found))] == wanted
    last = df[df['object'] > 0].groupby('row').tail(1)
    size = np.sqrt(last['width']*last['height']).iloc[0] # of a second object, not of the first
    assert len(ds.where(pd.DataFrame({'row': last['row'][:1]}), size=(size - .01, size + .01))) == 1
    assert len(ds.where(source=df['source'].unique())) == len(ds.where(source=ds.to_polars()['source'].unique())) == len(ds)


def test_booleans_of_rows_or_of_objects(tmp_path):
    "Three rows with three boxes: whose booleans are these?"
    values = {'bboxes': np.ones((3, 4), np.float32), 'labels': np.array([1, 0, 1])}
    ds = LazyNPYDataset(write_rows(tmp_path/'a.npy', 'detector', ['a.png', 'b.png', 'c.png'], np.array([2, 0, 1]), values))
    with pytest.raises(ValueError, match='may be of the 3 rows or of their 3 objects'): ds.where([True, False, False])
    assert len(ds.where([False, True, True, False])) == 2 # lines of the table: the first photo's second box, and the photo without
