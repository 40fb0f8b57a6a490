"Several rows at once: with any number of threads the same samples, batches and errors come in the same order, and in little memory"
import threading
import tracemalloc

import numpy as np
import pytest
import torch
from making import KINDS, coco, image, process, without_sizes
from PIL import Image
from torch.utils.data import DataLoader, Subset

from ear_lazy.errors import ImageLoadError, MetadataError
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset, Sample, collate
from ear_lazy.loading import row_dataset

LOADERS, KEY = ('pil', 'cv2', 'turbo'), {'detector': 'bboxes', 'landmarker': 'keypoints', 'teacher': 'bbox'}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    "24 images of many sizes, grey and turned ones among them; two have no annotations, and the sizes of two others nobody has measured"
    folder, rng, images = tmp_path_factory.mktemp('threads'), np.random.default_rng(0), {}
    (folder/'raw').mkdir()
    for i in range(24):
        h, w = rng.integers(20, 90, 2).tolist()
        exif = Image.Exif()
        exif[274] = 1 + i % 8
        picture = Image.fromarray(rng.integers(0, 256, (h, w, 3), dtype=np.uint8)).convert('L' if i % 5 == 0 else 'RGB')
        picture.save(folder/f'raw/{i}.jpg', exif=exif)
        boxes = [[*rng.uniform(0, 5, 2), *rng.uniform(2, 30, 2)] for _ in range(0 if i in (7, 15) else 1 + i % 3)]
        images[f'{i}.jpg'] = [dict(bbox=b, keypoints=[*rng.uniform(1, 20, 2), 2]) for b in boxes]
    coco(folder/'raw/a.json', images, None)
    process(folder/'raw', folder/'out', train_split=1)
    without_sizes(folder/'out/train_detector.npy', [3, 9])
    return folder


def opened(folder, kind='detector', **options): return LazyNPYDataset(folder/f'out/train_{kind}.npy', **options)


def same(a, b):
    "Two samples or batches with the same keys, types and values"
    assert list(a) == list(b)
    for key, x in a.items():
        assert type(x) is type(b[key]), key
        if isinstance(x, torch.Tensor): assert x.dtype == b[key].dtype and torch.equal(x, b[key]), key
        elif isinstance(x, np.ndarray) and x.dtype == object: assert all(map(np.array_equal, x, b[key])) and len(x) == len(b[key]), key
        else: assert np.array_equal(x, b[key]), key


@pytest.mark.parametrize('loader', LOADERS)
@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('options', [{}, dict(image_size=(32, 40)), dict(cache_size=5), dict(extras=('row', 'labels'))], ids=str)
def test_any_number_of_threads(folder, kind, options, loader):
    dataset = opened(folder, kind, image_loader=loader, **options)
    rows = np.random.default_rng(1).integers(-len(dataset), len(dataset), 20)
    samples = [dataset[i] for i in rows]
    expected = collate(samples)
    for threads in (None, 1, 2, 7, 50): same(dataset.get_batch(rows, num_threads=threads), expected)
    for threads in (None, 1, 3):
        found = opened(folder, kind, image_loader=loader, num_threads=threads, **options).__getitems__(rows.tolist())
        assert isinstance(found, list) and all(type(o) is Sample for o in found)
        for a, b in zip(samples, found, strict=True): same(a, b)
    same(Subset(dataset, list(range(len(dataset)))).__getitems__([3])[0], dataset[3])


@pytest.mark.parametrize('workers', [0, 2])
@pytest.mark.parametrize('kind', KINDS)
def test_dataloader_gives_what_get_batch_gives(folder, kind, workers):
    dataset = opened(folder, kind)
    for n, batch in enumerate(DataLoader(dataset, 6, num_workers=workers)): same(batch, dataset.get_batch(range(n * 6, min(n * 6 + 6, len(dataset)))))


def with_first_cut(samples):
    "A user's own `collate_fn`: what was beside the smaller image must not come back"
    samples[0]['image'] = samples[0]['image'][:10, :10]
    return collate(samples)


@pytest.mark.parametrize('workers', [0, 1])
def test_images_that_a_collate_fn_has_changed(folder, workers):
    dataset = opened(folder, 'teacher')
    found = next(iter(DataLoader(dataset, 6, num_workers=workers, collate_fn=with_first_cut)))
    same(found, with_first_cut([dataset[i] for i in range(6)]))


def test_samples_leave_a_worker_as_a_plain_list(folder):
    dataset = opened(folder, 'teacher')
    samples, = DataLoader(dataset, len(dataset), num_workers=1, collate_fn=lambda o: o, multiprocessing_context='fork')
    assert type(samples) is list
    for a, b in zip(samples, dataset, strict=True): same(a, b)


@pytest.mark.parametrize('options', [{}, dict(image_size=(32, 40)), dict(cache_size=5), dict(image_loader='cv2')], ids=str)
def test_a_batch_is_decoded_where_it_will_stand(folder, options):
    dataset = opened(folder, 'teacher', **options)
    samples = dataset.__getitems__([0, 3, 1])
    batch = collate(samples)['image'].numpy()
    assert all(np.shares_memory(o['image'], batch) for o in samples)
    samples.append(dataset[2])
    same(collate(samples), collate([dataset[i] for i in (0, 3, 1, 2)]))


def test_image_shape_is_that_of_the_image(folder):
    for kind in KINDS:
        dataset = opened(folder, kind)
        shapes = [dataset.image_shape(i) for i in range(len(dataset))]
        assert all(s in (o['image'].shape[:2], (0, 0)) for s, o in zip(shapes, dataset, strict=True))
        assert shapes.count((0, 0)) == (2 if kind == 'detector' else 0)
    both = CombinedLazyDataset([dataset, dataset[3:]])
    assert both.image_shape(-1) == shapes[-1] and both[2:].image_shape(len(shapes) - 2) == shapes[3]
    with pytest.raises(IndexError): dataset.image_shape(len(dataset))


def test_combined(folder):
    a, b = opened(folder, image_loader='cv2'), opened(folder)
    both = CombinedLazyDataset([a, b[::2]])
    rows = [0, len(a), -1, 5, len(a) - 1]
    expected = collate([both[i] for i in rows])
    for threads in (None, 1, 4): same(both.get_batch(rows, threads), expected)
    for x, y in zip(both.__getitems__(rows), [both[i] for i in rows], strict=True): same(x, y)


@pytest.mark.parametrize('threads', [1, 4])
@pytest.mark.parametrize('options', [{}, dict(image_loader='cv2'), dict(image_size=(9, 9))], ids=str)
def test_errors_are_those_of_one_row(tmp_path, options, threads):
    "The first row that fails says why, typed and with its number; what cannot be a row is an `IndexError`"
    for i in range(8): image(tmp_path/f'raw/{i}.png', seed=i)
    coco(tmp_path/'raw/a.json', {f'{i}.png': [[1, 1, 9, 9]] for i in range(8)})
    process(tmp_path/'raw', tmp_path/'out', train_split=1)
    before = threading.active_count()
    dataset = LazyNPYDataset(tmp_path/'out/train_detector.npy', num_threads=threads, **options)
    (tmp_path/'raw/6.png').unlink()
    (tmp_path/'raw/3.png').write_bytes(b'')
    for ask in (dataset.get_batch, dataset.__getitems__, lambda rows: next(iter(DataLoader(Subset(dataset, rows), len(rows))))):
        with pytest.raises(ImageLoadError, match=r'3.png \(row 3\): the file is empty') as caught: ask([0, 1, 3, 2, 6])
        assert caught.value.row == 3
        with pytest.raises(ImageLoadError, match=r'6.png \(row 6\): no such file'): ask([6, 3])
        with pytest.raises(IndexError, match='row 8'): ask([0, 8])
    with pytest.raises(ValueError, match='no samples to make a batch of'): dataset.get_batch([])
    assert dataset.__getitems__([]) == []
    assert threading.active_count() <= before + threads, 'no pile of threads'


def no_threads(*args): raise AssertionError('threads were started')


def test_workers_of_a_dataloader_start_no_threads(folder, monkeypatch):
    "… unless they are told to"
    monkeypatch.setattr(row_dataset, 'ThreadPoolExecutor', no_threads)
    monkeypatch.setattr(row_dataset, '_processors', lambda: 2)
    def epoch(dataset, workers): return len(list(DataLoader(dataset, 6, num_workers=workers, multiprocessing_context='fork' if workers else None)))
    assert epoch(opened(folder), 1) == 4
    with pytest.raises(AssertionError, match='threads were started'): epoch(opened(folder), 0)
    assert epoch(opened(folder, num_threads=1), 0) == 4
    with pytest.raises(AssertionError, match='threads were started'): epoch(opened(folder, num_threads=2), 1)
    monkeypatch.setattr(row_dataset, '_processors', lambda: 1)
    assert epoch(opened(folder), 0) == 4


class Augmented(LazyNPYDataset):
    "A user's dataset that may mind being called from several threads"
    def __getitem__(self, i):
        sample = super().__getitem__(i)
        if isinstance(sample, Sample): sample['image'] = sample['image'].astype(np.float32) / 255
        sample['thread'] = threading.get_ident()
        return sample


def test_a_subclass_is_not_called_from_threads(folder, monkeypatch):
    "… unless it says so; and what it makes of an image is what a batch holds"
    monkeypatch.setattr(row_dataset, '_processors', lambda: 4)
    def threads(dataset, **options): return set(dataset.get_batch(range(20), **options)['thread'].tolist()) | {o['thread'] for o in dataset.__getitems__(range(20))}
    dataset = Augmented(folder/'out/train_teacher.npy')
    here = {threading.get_ident()}
    assert threads(dataset) == threads(CombinedLazyDataset([dataset, dataset])) == here
    assert dataset.get_batch([0, 1])['image'].dtype == torch.float32
    assert here < threads(dataset, num_threads=4)
    dataset.num_threads = 4
    assert not threads(dataset) & here


@pytest.mark.parametrize('trust', [False, True])
def test_a_cached_image_whose_file_was_replaced(tmp_path, trust):
    "It is read again, except where the files are trusted; a batch is as large as its images, also where their size is not known"
    for i in range(3): image(tmp_path/f'raw/{i}.png', (40, 60), seed=i)
    coco(tmp_path/'raw/a.json', {f'{i}.png': [] for i in range(3)}, None)
    process(tmp_path/'raw', tmp_path/'out', train_split=1)
    without_sizes(tmp_path/'out/train_detector.npy')
    def opened(): return LazyNPYDataset(tmp_path/'out/train_detector.npy', cache_size=2, trust_files=trust)
    dataset = opened()
    before = dataset.get_batch([0, 1])
    image(tmp_path/'raw/0.png', (20, 20))
    after = dataset.get_batch([0, 1])
    same(after, before if trust else opened().get_batch([0, 1]))
    assert torch.equal(after['image'][1], before['image'][1]) and (after['image'][0, 20:] == 0).all() == (not trust)


def test_a_path_that_leaves_the_root_is_refused(folder):
    "… by a thread as well"
    data = (folder/'out/train_detector.npy').read_bytes()
    (folder/'out/evil.npy').write_bytes(data.replace(b'23.jpg', b'../jpg'))
    with pytest.raises(MetadataError, match='not inside the image root'): LazyNPYDataset(folder/'out/evil.npy').get_batch(range(24), 3)


@pytest.mark.parametrize('loader', LOADERS)
@pytest.mark.parametrize('threads', [1, 2])
@pytest.mark.parametrize('sizes', [[(600, 800)], [(600, 800), (580, 790), (610, 760)]], ids=['one size', 'several'])
def test_memory_of_a_batch(tmp_path, sizes, threads, loader):
    "At most one and a half times the batch itself, which is made before its images are decoded"
    images = {f'{i}.jpg': [[1, 1, 9, 9]] for i in range(32)}
    for i, name in enumerate(images): image(tmp_path/'raw'/name, sizes[i % len(sizes)], seed=i)
    coco(tmp_path/'raw/a.json', images, None)
    process(tmp_path/'raw', tmp_path/'out', train_split=1)
    dataset = LazyNPYDataset(tmp_path/'out/train_detector.npy', image_loader=loader)
    dataset.get_batch(range(4), threads)
    tracemalloc.start()
    try:
        start = tracemalloc.get_traced_memory()[0]
        batch = dataset.get_batch(range(32), threads)
        peak = tracemalloc.get_traced_memory()[1] - start
    finally: tracemalloc.stop()
    assert batch['image'].numel() <= peak <= 1.5 * batch['image'].numel()
