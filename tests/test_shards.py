"Files that are too large for one record are cut into shards, which open as one dataset"
import numpy as np
import pytest
from making import KINDS, coco, contents, image, listing, process, pts

from ear_lazy.data_processor import DataProcessor
from ear_lazy.errors import MetadataError
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.metadata.file import Metadata, Shard
from ear_lazy.metadata.layout import shard_path
from ear_lazy.processing import output_folder


@pytest.fixture
def raw(tmp_path):
    "Boxes of two sources, and keypoints of several numbers"
    for s in 'ab':
        names = [f'{s}{i}.png' for i in range(20)]
        for i, name in enumerate(names): image(tmp_path/f'raw/{s}/{name}', seed=i)
        coco(tmp_path/f'raw/{s}/boxes.json', {n: [[1 + j, 1, 9, 9] for j in range(i % 4)] for i, n in enumerate(names)})
    for i in range(15):
        image(tmp_path/f'raw/points/imgs/{i}.png', seed=i)
        pts(tmp_path/f'raw/points/annot/{i}.pts', [(1, 1), (i + 5, 9), (7, 7)][:2 + i % 2])
    return tmp_path/'raw'


def in_shards(raw, out, shard_bytes, **options): return DataProcessor(raw, out, num_workers=0, progress=False, shard_bytes=shard_bytes, **options).process_all()


def rows(path, root):
    ds = LazyNPYDataset(path, root_dir=root, extras=('labels',))
    md = ds.metadata
    return [(md.image_path(i), md.values(i).tolist(), md.size(i), int(md.column('source')[i])) for i in range(len(md))], [ds[i]['image'].tolist() for i in (0, len(ds) - 1)]


@pytest.mark.parametrize('shard_bytes', [1, 100, 333, 1000, 10**6])
def test_shards_hold_the_same_rows(raw, tmp_path, shard_bytes):
    whole, cut = tmp_path/'whole', tmp_path/'cut'
    process(raw, whole)
    report = in_shards(raw, cut, shard_bytes)
    for name in (f'{split}_{kind}.npy' for split in ('train', 'val') for kind in KINDS):
        assert rows(cut/name, raw) == rows(whole/name, raw)
        shards = [len(np.load(o, allow_pickle=False)['source']) for o in cut.glob(f'{name[:-4]}*.npy')]
        assert sum(shards) == len(Metadata(cut/name))
        if shard_bytes == 1: assert {*shards} == {1}, 'at least one row in each'
        if shard_bytes == 100: assert len(shards) > 1 or sum(shards) < 4
    assert {o.file: o.rows for o in report.outputs} == {p.name: len(Shard(p)) for p in cut.glob('*.npy')}
    if shard_bytes == 10**6: assert {k: v for k, v in contents(cut).items()} == contents(whole)


def test_fewer_shards_leave_no_old_ones(raw, tmp_path):
    out = tmp_path/'out'
    in_shards(raw, out, 200)
    assert len(listing(out)) > 20
    in_shards(raw, out, 10**6)
    assert len(listing(out)) == 8
    in_shards(raw, out, 200)
    for kind in ('landmarker', 'teacher'):
        for path in (out/f'keep_{kind}.npy', out/f'train_{kind}-1.npy'): path.write_bytes(b'mine')
    in_shards(raw, out, 10**6)
    assert len(listing(out)) == 8 + 4, 'only shards are removed'


def test_subsets_and_combinations(raw, tmp_path):
    in_shards(raw, tmp_path/'out', 300)
    ds = LazyNPYDataset(tmp_path/'out/train_detector.npy')
    assert len([*(tmp_path/'out').glob('train_detector*.npy')]) > 2
    both = CombinedLazyDataset([ds, ds[::-1]])
    assert [both.get_metadata(i)['image_path'] for i in range(len(ds))] == [both.get_metadata(-1 - i)['image_path'] for i in range(len(ds))]
    with pytest.raises(IndexError): ds[len(ds)]


def test_shards_of_two_runs_are_not_mixed(raw, tmp_path):
    "A shard that is missing, of another run, or in another's place is refused"
    out, other = tmp_path/'out', tmp_path/'other'
    in_shards(raw, out, 300), in_shards(raw, other, 400)
    first, second, third = (shard_path(out/'train_detector.npy', i) for i in range(3))
    good = second.read_bytes()
    for data in (shard_path(other/'train_detector.npy', 1).read_bytes(), third.read_bytes(), first.read_bytes(), shard_path(out/'train_teacher.npy', 1).read_bytes()):
        second.write_bytes(data)
        with pytest.raises(MetadataError, match='not shard 1 of'): Metadata(first)
    second.unlink()
    with pytest.raises(MetadataError, match='cannot be opened'): Metadata(first)
    second.write_bytes(good)
    assert len(Metadata(first)) > 0
    with pytest.raises(MetadataError, match='open the first, .*train_detector.npy'): Metadata(second)


@pytest.mark.parametrize('shard', [(0, 10**9), (0, 0), (0, -1), (1, 1), (-1, 3)])
def test_a_number_of_shards_that_lies(raw, tmp_path, shard):
    process(raw, tmp_path/'out')
    path = tmp_path/'out/train_detector.npy'
    record = np.load(path)
    record['shard'] = shard
    np.save(path, record)
    with pytest.raises(MetadataError): Metadata(path)


def test_default_is_a_gibibyte(): assert output_folder.SHARD_BYTES == 2**30
