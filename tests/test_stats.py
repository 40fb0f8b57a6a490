"Statistics of every kind of dataset say what its rows say one by one, and a skewed split is seen"
import numpy as np
import pytest
from making import coco, image, process, write_rows
from torch.utils.data import DataLoader

from ear_lazy.errors import MetadataError
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.looking.columns import columns_of
from ear_lazy.show import show_batch
from ear_lazy.stats import box_measures, compare_splits, coverage, image_measures, keypoint_map, plot_stats, stats


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    import matplotlib.pyplot as plt
    plt.close('all')


def dataset(folder, kind, n=60, split='train', sources=('ears',), ragged=False, unknown=False, seed=0, shard_bytes=2**30, **change):
    "Metadata of `n` rows, without images; `change` replaces values"
    rng = np.random.default_rng(seed)
    counts = {'detector': rng.integers(0, 4, n), 'teacher': np.ones(n, int), 'landmarker': rng.integers(1, 8, n) if ragged else np.full(n, 5)}[kind]
    m, sizes = counts.sum(), np.where(rng.random(n) < .5*unknown, 0, rng.choice([300, 400], n))[:, None]*[1, 2]
    if kind == 'landmarker': values = {'keypoints': np.column_stack([rng.uniform(0, 300, (m, 2)), rng.integers(0, 3, m)])}
    else: values = {'bboxes': np.column_stack([rng.uniform(0, 150, (m, 2)), rng.uniform(20, 100, (m, 2))]), 'labels': rng.integers(0, 2, m)}
    groups = rng.integers(0, 2**60, n).astype(np.uint64)
    return LazyNPYDataset(write_rows(folder/f'{split}_{kind}.npy', kind, [f'{i}.jpg' for i in range(n)], counts, values | change, sizes, groups, sources, np.arange(n) % len(sources),
                                     split=split, shard_bytes=shard_bytes))


KINDS = [('detector', False), ('landmarker', False), ('landmarker', True), ('teacher', False)]
each_kind = pytest.mark.parametrize('kind, ragged', KINDS, ids=['detector', 'landmarker', 'ragged', 'teacher'])


def rows_of(ds): return [ds.get_metadata(i) for i in range(len(ds))]


def assert_agrees(ds):
    "Columns and numbers of a dataset are those of its rows"
    c, key = columns_of(ds), {'detector': 'bboxes', 'landmarker': 'keypoints', 'teacher': 'bbox'}[ds.kind]
    width = 3 if ds.kind == 'landmarker' else 4
    values = [row[key].reshape(-1, width) for row in rows_of(ds)]
    np.testing.assert_array_equal(c.values, np.concatenate([np.empty((0, width)), *values]))
    assert c.counts.tolist() == [len(o) for o in values]
    assert len(c.row) == len(c.values) and np.bincount(c.row, minlength=len(ds)).tolist() == c.counts.tolist()
    s = stats(ds)
    assert (s.kind, s.rows, sum(s.sources.values()), sum(s.boxes.values())) == (ds.kind, len(ds), len(ds), len(c.values))
    if ds.kind == 'landmarker':
        for points, box in zip(values, c.boxes, strict=True):
            points = points[points[:, 2] > 0, :2]
            if len(points): np.testing.assert_allclose(box, [*points.min(0), *np.ptp(points, axis=0)], rtol=1e-5)
            else: assert np.isnan(box).all()
        assert s.visibility.sum() == len(c.values)
        assert s.visibility.sum(0).tolist() == [int((c.values[:, 2] == v).sum()) for v in range(3)]
        assert image_measures(c)['hidden keypoints'].tolist() == [(o[:, 2] == 1).sum() for o in values]
    else:
        widths = np.concatenate([np.empty(0), *[o[:, 2] for o in values]])
        summed = s.numbers['box width']
        assert summed.count == len(widths) == sum(s.classes.values())
        if len(widths): np.testing.assert_allclose(summed[1:6], np.quantile(widths, [0, .05, .5, .95, 1]), rtol=1e-5)
    return s


@each_kind
def test_a_whole_file(tmp_path, kind, ragged): assert_agrees(dataset(tmp_path, kind, ragged=ragged))


@each_kind
@pytest.mark.parametrize('rows', [slice(3, 20, 2), slice(None, None, -1), [5, 5, 0, -1], np.arange(60) % 3 == 0, []], ids=['slice', 'reversed', 'list', 'mask', 'none'])
def test_some_rows(tmp_path, kind, ragged, rows): assert_agrees(dataset(tmp_path, kind, ragged=ragged)[rows])


@each_kind
def test_combined_of_pieces(tmp_path, kind, ragged):
    train, val = (dataset(tmp_path, kind, split=split, ragged=ragged, seed=i, sources=sources)
                  for i, (split, sources) in enumerate([('train', ['a', 'b']), ('val', ['b', 'c'])]))
    ds = CombinedLazyDataset([CombinedLazyDataset([train[10:], val])[::-1], train[:10], train[5:15]])[np.r_[0, 80:30:-1, 110:130]]
    s = assert_agrees(ds)
    assert {split for split, _ in s.sources} == {'train', 'val'}
    whole = CombinedLazyDataset([train, val])
    assert stats(whole).sources == {('train', 'a'): 30, ('train', 'b'): 30, ('val', 'b'): 30, ('val', 'c'): 30}
    assert_agrees(whole)


@each_kind
def test_shards(tmp_path, kind, ragged):
    ds = dataset(tmp_path, kind, ragged=ragged, shard_bytes=1000)
    assert len(list(tmp_path.glob(f'train_{kind}-*.npy'))) > 1
    assert_agrees(ds)
    assert_agrees(ds[50:3:-7])


@each_kind
def test_more_rows_than_are_worked_on_at_once(tmp_path, kind, ragged):
    ds = dataset(tmp_path, kind, n=9000, ragged=ragged)
    s, c = assert_agrees(ds), columns_of(ds)
    if kind != 'landmarker': return
    labelled = c.values[:, 2] > 0
    x, y = (c.values[:, :2]/c.sizes[c.row, ::-1]).T
    expected, *_ = np.histogram2d(y[labelled].clip(0, .9999), x[labelled].clip(0, .9999), bins=32, range=[[0, 1], [0, 1]])
    assert np.abs(keypoint_map(c) - expected).sum() < 20 # where float32 and float64 round to two sides of an edge
    assert s.visibility[0].sum() == 9000


@each_kind
def test_unknown_sizes_are_told_and_left_out(tmp_path, kind, ragged):
    ds = dataset(tmp_path, kind, ragged=ragged, unknown=True)
    s, c = assert_agrees(ds), columns_of(ds)
    assert 0 < s.unknown_sizes < 60 and f'image size unknown for {s.unknown_sizes}' in repr(s)
    assert s.numbers['image width'].count == 60 - s.unknown_sizes
    assert s.numbers['box area (share of image)'].count < s.numbers['box width'].count
    assert np.isfinite(coverage(c)).all()
    plot_stats(ds)


@each_kind
def test_plots(tmp_path, kind, ragged):
    axes = dataset(tmp_path, kind, ragged=ragged).plot_stats(figsize=(4, 3))
    titles = [ax.get_title() for ax in axes if ax.get_title()]
    assert titles[0] == 'rows' and titles[-1] == 'images: height by width (px)'
    assert ('keypoints in the frame' in titles) == (kind == 'landmarker') == ('boxes in the frame' not in titles)
    axes[0].figure.canvas.draw()


@each_kind
def test_nothing(tmp_path, kind, ragged):
    ds = dataset(tmp_path, kind, ragged=ragged)
    none = ds[[]]
    assert none.stats().rows == 0 and repr(none.stats()) == f'0 {kind} rows'
    none.plot_stats()[0].figure.canvas.draw()
    for a, b in ((ds, none), (none, ds), (none, none)):
        compared = compare_splits(a, b)
        assert compared.skewed == [] and all(np.isnan(o.distance) for o in compared.values())
        assert 'nan' not in repr(compared) + compared._repr_html_()


@each_kind
def test_a_file_without_rows(tmp_path, kind, ragged):
    "Processing makes none, others may"
    dataset(tmp_path, kind, ragged=ragged)
    path = tmp_path/f'train_{kind}.npy'
    whole = np.load(path)
    some = {name: whole[name][:name == 'offsets'] if whole[name].ndim and not name.endswith(('names', 'shard')) else whole[name] for name in whole.dtype.names}
    record = np.zeros((), [(name, o.dtype, o.shape) for name, o in some.items()])
    for name, o in some.items(): record[name] = o
    np.save(path, record)
    ds = LazyNPYDataset(path)
    assert len(ds) == 0 and stats(ds).rows == 0 and compare_splits(ds, ds).skewed == []
    plot_stats(ds)


def test_all_of_it_is_text_and_html(tmp_path):
    ds = dataset(tmp_path, 'detector', sources=['<b>one</b>', 'two & three'])
    for shown in (ds.stats(), compare_splits(ds[:30], ds[30:])):
        assert '<b>' in repr(shown) and '<b>' not in shown._repr_html_() and '&lt;b&gt;' in shown._repr_html_()
    plot_stats(ds)


def test_numbers_that_mean_nothing_are_left_out(tmp_path):
    boxes = np.tile(np.float32([10, 10, 50, 60]), (60, 1))
    boxes[:4] = [[np.nan, 1, 1, 1], [0, 0, np.inf, 1], [-3e38, 0, 3e38, 0], [1, 1, 0, 0]]
    ds = dataset(tmp_path, 'teacher', bboxes=boxes)
    s = ds.stats()
    assert s.numbers['box width'].count == 59 and s.numbers['box width'].median == 50
    assert np.isfinite(coverage(columns_of(ds))).all()
    plot_stats(ds)[0].figure.canvas.draw()
    points = np.tile(np.float32([100, 100, 2]), (300, 1))
    points[:3] = [[np.nan, 1, 2], [1, 1, 7], [1, 1, -1]]
    ds = dataset(tmp_path, 'landmarker', keypoints=points)
    assert columns_of(ds).points.visibility.sum() == 300
    assert keypoint_map(columns_of(ds)).sum() == 298
    plot_stats(ds)[0].figure.canvas.draw()


def test_damaged_columns_are_told(tmp_path):
    dataset(tmp_path, 'detector')
    path = tmp_path/'train_detector.npy'
    whole = path.read_bytes()
    for name, value, words in (('offsets', -1, 'offsets'), ('offsets', 10**9, 'offsets'), ('source', 9, 'source'), ('labels', -2, 'labels')):
        path.write_bytes(whole)
        np.load(path, mmap_mode='r+')[name][..., -1] = value
        with pytest.raises(MetadataError, match=words) as e: stats(LazyNPYDataset(path))
        assert e.value.path == str(path)


def test_a_split_by_chance_is_not_skewed(tmp_path):
    ds, rng = dataset(tmp_path, 'detector', n=2000, sources=['a', 'b']), np.random.default_rng(1)
    found = [name for _ in range(20) for order in [rng.permutation(2000)] for name in compare_splits(ds[order[:1600]], ds[order[1600:]]).skewed]
    assert len(found) <= 5 # of 220 quantities


@pytest.mark.parametrize('measure', ['box area (share of image)', 'box centre x (share of width)', 'image width', 'boxes an image'])
def test_a_skewed_number_is_seen(tmp_path, measure):
    ds = dataset(tmp_path, 'detector', n=400)
    c = columns_of(ds)
    numbers = {**image_measures(c), **box_measures(c)}[measure]
    if len(numbers) != len(c.group): numbers = np.array([np.mean(numbers[c.row == i]) if (c.row == i).any() else np.nan for i in range(len(c.group))])
    order = np.argsort(numbers)
    compared = compare_splits(ds[order[:200]], ds[order[200:]])
    assert measure in compared.skewed and compared[measure].distance > .4
    assert 'differs' in repr(compared) and 'differs' in compared._repr_html_()


def test_skewed_sources_and_classes_are_seen(tmp_path):
    ds = dataset(tmp_path, 'teacher', n=200, sources=['a', 'b'], labels=np.arange(200)//100)
    c = columns_of(ds)
    by_source = compare_splits(ds[c.group == 0], ds[c.group == 1])
    assert by_source['source'].distance == 1 and by_source['class'].distance == 0 and by_source.skewed == ['source']
    by_class = compare_splits(ds[c.labels == 0], ds[c.labels == 1], names=('before', 'after'))
    assert by_class['class'].distance == 1 and by_class.skewed == ['class'] and 'before' in repr(by_class)


def test_skewed_visibility_is_seen(tmp_path):
    ds = dataset(tmp_path, 'landmarker', n=200)
    hidden = np.argsort(image_measures(columns_of(ds))['hidden keypoints'])
    assert 'hidden keypoints' in compare_splits(ds[hidden[:100]], ds[hidden[100:]]).skewed


def hatched(ax): return sorted(o.get_bbox().bounds for o in ax.patches if o.get_hatch())


def test_show_batch_shows_padding(tmp_path):
    for name, size in {'a': (40, 60), 'b': (60, 30), 'c': (60, 60)}.items(): image(tmp_path/f'raw/detector/ears/{name}.png', size)
    coco(tmp_path/'raw/detector/ears/a.json', {f'{name}.png': [[2, 3, 10, 12]] for name in 'abc'}, size=None)
    process(tmp_path/'raw', tmp_path/'out', ['detector'], train_split=1)
    def shown(**options):
        batch = next(iter(DataLoader(LazyNPYDataset(tmp_path/'out/train_detector.npy', **options), batch_size=3)))
        return {ax.get_title(): hatched(ax) for ax in show_batch(batch)}
    assert shown() == {'a.png': [(0, 40, 60, 20)], 'b.png': [(30, 0, 30, 60)], 'c.png': []}
    assert shown(image_size=(60, 60)) == {'a.png': [(0, 0, 60, 10), (0, 50, 60, 10)], 'b.png': [(0, 0, 15, 60), (45, 0, 15, 60)], 'c.png': []}
