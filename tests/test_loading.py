"Datasets under a DataLoader: every way of starting workers, every way of choosing rows, and what a batch is"
import pickle
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
import torch
from making import KINDS, ROOT, coco, image, process
from PIL import Image
from torch.utils.data import ConcatDataset, DataLoader, Subset, random_split

from ear_lazy.base.geometry import crop_window
from ear_lazy.base.images import load_image
from ear_lazy.errors import ImageLoadError
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset, Sample, collate
from ear_lazy.transforms import flip

KEY = {'detector': 'bboxes', 'landmarker': 'keypoints', 'teacher': 'bbox'}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    "33 images of many sizes, grey and turned ones among them, with none to three boxes and sets of points each"
    folder, rng, images = tmp_path_factory.mktemp('loading'), np.random.default_rng(0), {}
    for i in range(33):
        h, w = rng.integers(20, 60, 2).tolist()
        picture, name = Image.fromarray(rng.integers(0, 256, (h, w, 3), dtype=np.uint8)), f'{i}.png' if i % 2 else f'{i}.jpg'
        path = folder/'raw/ears'/name
        path.parent.mkdir(parents=True, exist_ok=True)
        exif = Image.Exif()
        exif[274] = 6 if i == 5 else 1
        picture.convert('L' if i % 7 == 0 else 'RGB').save(path, exif=exif)
        boxes = [[*rng.uniform(0, 10, 2), *rng.uniform(2, 30, 2)] for _ in range(i % 4)]
        images[name] = [dict(bbox=b, keypoints=[*rng.uniform(1, 20, 2), 2, *rng.uniform(1, 20, 2), 1]) for b in boxes]
    coco(folder/'raw/ears/ears.json', images, None)
    process(folder/'raw', folder/'out')
    return folder


def opened(folder, kind='detector', split='train', **options): return LazyNPYDataset(folder/f'out/{split}_{kind}.npy', **options)


def same(a, b):
    "Two samples or batches with the same keys, types and values"
    assert list(a) == list(b)
    for key in a:
        x, y = a[key], b[key]
        assert type(x) is type(y), key
        if isinstance(x, torch.Tensor): assert x.dtype == y.dtype and torch.equal(x, y), key
        elif isinstance(x, np.ndarray) and x.dtype == object:
            assert x.shape == y.shape
            for p, q in zip(x, y): assert p.dtype == q.dtype and np.array_equal(p, q), key
        elif isinstance(x, np.ndarray): assert x.dtype == y.dtype and np.array_equal(x, y), key
        else: assert x == y, key
    return True


def check_epoch(dataset, loader):
    "Every row once, each as the dataset gives it"
    def name(path, values): return path, *np.asarray(values, float).round(2).ravel() # the last bit may be clipped
    metadata, rows = [dataset.get_metadata(i) for i in range(len(dataset))], []
    row_of = {name(m['image_path'], m[KEY[dataset.kind]]): i for i, m in enumerate(metadata)}
    for batch in loader:
        key, n = KEY[dataset.kind], len(batch['image_path'])
        assert batch['image'].dtype == torch.uint8 and batch['image'].shape[::3] == (n, 3)
        for i in range(n):
            rows.append(row_of[name(batch['image_path'][i], batch[key][i])])
            expected = dataset[rows[-1]]['image']
            h, w = expected.shape[:2]
            assert np.array_equal(batch['image'][i, :h, :w], expected) and not batch['image'][i, h:].any() and not batch['image'][i, :, w:].any()
    assert sorted(rows) == list(range(len(dataset)))
    return rows


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('context, workers', [(None, 0), ('fork', 2), ('fork', 4)])
@pytest.mark.parametrize('loader', ['pil', 'cv2', 'turbo'])
def test_dataloader(folder, kind, context, workers, loader):
    dataset = opened(folder, kind, cache_size=3, image_loader=loader)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore') # without a GPU there is no memory to pin, and PyTorch says so
        rows = check_epoch(dataset, DataLoader(dataset, 8, shuffle=True, num_workers=workers, pin_memory=True, multiprocessing_context=context,
                                               generator=torch.Generator().manual_seed(0)))
    assert rows != sorted(rows)


@pytest.mark.parametrize('start', ['spawn', pytest.param('forkserver', marks=pytest.mark.slow)])
def test_dataloader_that_starts_afresh(folder, start):
    "Workers get the dataset by pickle; a second epoch is the first one again"
    dataset = opened(folder, cache_size=5, image_loader='cv2')
    loader = DataLoader(dataset, 8, num_workers=2 if start == 'spawn' else 1, multiprocessing_context=start, persistent_workers=True)
    assert check_epoch(dataset, loader) == check_epoch(dataset, loader) == list(range(len(dataset)))


@pytest.mark.parametrize('kind', KINDS)
def test_get_batch_is_a_batch_of_a_dataloader(folder, kind):
    dataset = opened(folder, kind)
    for n, batch in enumerate(DataLoader(dataset, 5)):
        rows = range(n * 5, min(n * 5 + 5, len(dataset)))
        same(batch, dataset.get_batch(rows))
        same(batch, dataset.get_batch(np.array(rows)))
        same(batch, collate([dataset[i] for i in rows]))
        same(batch, dataset[rows.start:rows.stop].get_batch(range(len(rows))))
    same(next(iter(DataLoader(dataset, 1))), dataset.get_batch([0]))


def test_what_a_batch_is(folder):
    detector, landmarker, teacher = (opened(folder, kind).get_batch(range(4)) for kind in KINDS)
    assert list(detector) == ['image', 'bboxes', 'image_path'] and list(landmarker) == ['image', 'keypoints', 'image_path'] and list(teacher) == ['image', 'bbox', 'image_path']
    assert detector['bboxes'].shape == (4,) and detector['bboxes'].dtype == object and detector['image_path'].shape == (4,)
    assert all(o.dtype == np.float32 and o.shape[1:] == (4,) for o in detector['bboxes'])
    assert landmarker['keypoints'].shape == (4, 2, 3) and teacher['bbox'].shape == (4, 4)
    assert landmarker['keypoints'].dtype == teacher['bbox'].dtype == torch.float32


def test_extras_in_batches(folder):
    dataset = opened(folder, extras=('labels', 'row'))
    batch = next(iter(DataLoader(dataset, 8, num_workers=2, multiprocessing_context='fork')))
    same(batch, dataset.get_batch(range(8)))
    assert batch['row'].tolist() == list(range(8)) and [len(o) for o in batch['labels']] == [len(o) for o in batch['bboxes']]
    assert {dataset.label_names[o] for labels in batch['labels'] for o in labels} == {'ear'}


def test_other_tools_of_pytorch(folder):
    "Subset, random_split and ConcatDataset go on working"
    dataset = opened(folder)
    a, b = random_split(dataset, [0.5, 0.5], torch.Generator().manual_seed(0))
    both = ConcatDataset([a, Subset(b, range(len(b)))])
    assert sum(len(o['image_path']) for o in DataLoader(both, 4)) == len(dataset)


@pytest.mark.parametrize('kind', KINDS)
def test_pickle(folder, kind):
    dataset = opened(folder, kind, cache_size=9, image_loader='cv2', extras=('row',))
    for i in range(9): dataset[i]
    for one, most in ((dataset, 1500), (dataset[3:7], 1800), (dataset[[1, 2]], 1800)):
        data = pickle.dumps(one)
        again = pickle.loads(data)
        assert len(data) < most and len(again) == len(one) and again.cache_info() == (0, 0, 9, 0) and again.kind == kind
        assert same(again[0], one[0]) and repr(again) == repr(one)


def test_a_pickled_dataset_follows_its_path_and_root(folder, tmp_path, monkeypatch):
    "… wherever the process that opens it stands"
    monkeypatch.chdir(folder)
    for root in (None, 'raw'):
        dataset = LazyNPYDataset('out/train_detector.npy', root_dir=root)
        data, expected = pickle.dumps(dataset), dataset[0]['image']
        monkeypatch.chdir(tmp_path)
        assert np.array_equal(pickle.loads(data)[0]['image'], expected) and np.array_equal(dataset[0]['image'], expected)
        monkeypatch.chdir(folder)


def test_a_data_folder_that_moves(folder, tmp_path):
    import shutil
    shutil.copytree(folder, tmp_path/'moved')
    dataset = LazyNPYDataset(tmp_path/'moved/out/train_detector.npy')
    assert dataset[0]['image_path'].startswith(str(tmp_path/'moved/raw')) and np.array_equal(dataset[0]['image'], opened(folder)[0]['image'])
    shutil.move(tmp_path/'moved/raw', tmp_path/'elsewhere')
    assert len(LazyNPYDataset(tmp_path/'moved/out/train_detector.npy', root_dir=tmp_path/'elsewhere')[0]) == 3


def test_rows_and_choices_of_rows(folder):
    dataset = opened(folder, cache_size=4)
    n, paths = len(dataset), [dataset.get_metadata(i)['image_path'] for i in range(len(dataset))]
    def of(d): return [d.get_metadata(i)['image_path'] for i in range(len(d))]
    for i in (0, -1, np.int64(3), np.uint8(3), np.int32(-2), torch.tensor(4), n - 1, -n): assert dataset[i]['image_path'] == paths[int(i)]
    for i in (n, -n - 1, 10**30, np.int64(n)):
        for ask in (dataset.__getitem__, dataset.get_metadata):
            with pytest.raises(IndexError, match='dataset with'): ask(i)
    for i in (1.5, 'a', None):
        with pytest.raises((TypeError, IndexError)): dataset[i]
    mask = np.arange(n) % 3 == 0
    for chosen in (slice(5, 15), slice(None, None, -2), slice(100, 200), [3, 5, 3], [-1, 0], [], (1, 2), range(4), np.array([7, 8]), torch.tensor([7, 8]), mask, mask.tolist(), np.array([])):
        index = chosen if isinstance(chosen, slice) else np.asarray(chosen, bool if np.asarray(chosen).dtype == bool else int)
        assert of(dataset[chosen]) == np.array(paths)[index].tolist(), chosen
    for chosen in ([n], [-n - 1], mask[:-1], [1.5]):
        with pytest.raises(IndexError): dataset[chosen]
    twice = dataset[::2][[5, 3, 1]][1:]
    assert of(twice) == [paths[6], paths[2]] and twice[-1]['image_path'] == paths[2] and isinstance(twice[0], Sample)
    assert twice.cache_info() == dataset.cache_info(), 'a choice of rows shares the cache'
    same(twice.get_batch([0, 1]), dataset.get_batch([6, 2]))
    assert [s['image_path'] for s in dataset] == paths, 'a loop over a dataset ends'


def test_combined(folder):
    train, val = opened(folder, cache_size=2), opened(folder, split='val', image_loader='cv2')
    both = CombinedLazyDataset([train, val[:0], val])
    n = len(train)
    assert len(both) == n + len(val) and both.kind == 'detector'
    for i, (dataset, j) in {0: (train, 0), n - 1: (train, -1), n: (val, 0), -1: (val, -1), -len(both): (train, 0)}.items():
        same(both[i], dataset[j])
        assert both.get_metadata(i)['image_path'] == dataset.get_metadata(j)['image_path']
    check_epoch(both, DataLoader(both, 8, shuffle=True, num_workers=2, multiprocessing_context='fork'))
    some = both[n - 2:n + 2]
    assert [some[i]['image_path'] for i in range(4)] == [both[i]['image_path'] for i in range(n - 2, n + 2)]
    same(pickle.loads(pickle.dumps(some))[3], both[n + 1])
    nested = CombinedLazyDataset([both, some])
    same(nested[len(both) + 3], both[n + 1])
    with pytest.raises(IndexError): both[len(both)]
    assert 'detector' in both._repr_html_() and 'detector' in repr(some)


def test_classes_of_combined_datasets(tmp_path):
    "Runs that count their classes differently: each label has the number of its name, whatever transforms and batches it goes through"
    for name, order in (('a', ['left', 'right']), ('b', ['hat', 'left'])):
        for i in range(4): image(tmp_path/name/'detector/ears'/f'{i}.png', seed=i)
        coco(tmp_path/name/'detector/ears/ears.json', {f'{i}.png': [dict(bbox=[2 + i, 3, 8, 9], category_id=1), dict(bbox=[20, 3, 8, 9], category_id=2)] for i in range(4)},
             categories=[dict(id=i, name=o) for i, o in enumerate(order, 1)])
        process(tmp_path/name, tmp_path/f'out_{name}', train_split=1.)
    def parts(kind, **options): return [LazyNPYDataset(tmp_path/f'out_{o}/train_{kind}.npy', extras=('labels',), **options) for o in 'ab']
    def flipped(sample): return flip(sample, swap_labels=[(1, 2)]) # numbers of the dataset itself
    for kind in ('detector', 'teacher'):
        a, b = parts(kind)
        combined = CombinedLazyDataset([a, b])
        assert combined.label_names == ['', 'left', 'right', 'hat'] and b.label_names == ['', 'hat', 'left']
        for ds in (combined, CombinedLazyDataset([CombinedLazyDataset([a]), CombinedLazyDataset([b])]), CombinedLazyDataset(parts(kind, image_size=(20, 30))), combined[2:], combined[::-1]):
            names = np.array(ds.label_names)
            for i in range(len(ds)):
                found = ds.get_metadata(i)
                leaf = a if '/a/' in found['image_path'] else b
                j = next(j for j in range(len(leaf)) if all(str(leaf.get_metadata(j)[o]) == str(found[o]) for o in ('image_path', KEY[kind])))
                wanted = np.array(leaf.label_names)[leaf[j]['labels']]
                for o in (ds[i], found): assert np.array_equal(names[o['labels']], wanted) and o['labels'].dtype == np.int64
            batch = ds.get_batch(range(len(ds)))
            assert all(np.array_equal(found, ds[i]['labels']) for i, found in enumerate(batch['labels']))
    swapped = CombinedLazyDataset(parts('detector', transform=flipped))
    assert [swapped.label_names[o] for o in swapped[0]['labels']] == ['right', 'left'] and [swapped.label_names[o] for o in swapped[4]['labels']] == ['left', 'hat']
    assert np.array_equal(next(iter(DataLoader(swapped[4:], 1, num_workers=1)))['labels'][0], swapped[4]['labels'])


@pytest.mark.parametrize('kind', KINDS)
def test_loaders_agree(folder, kind):
    a, b = opened(folder, kind), opened(folder, kind, image_loader='cv2')
    for i in range(len(a)):
        x, y = a[i], b[i]
        assert x['image'].shape == y['image'].shape and np.array_equal(x[KEY[kind]], y[KEY[kind]])
        if x['image_path'].endswith('.png'): assert np.array_equal(x['image'], y['image'])


@pytest.mark.parametrize('loader', ['pil', 'cv2', 'turbo'])
@pytest.mark.parametrize('cache_size', [0, 100])
def test_crops_are_slices_of_the_image(folder, loader, cache_size):
    dataset = opened(folder, 'teacher', image_loader=loader, cache_size=cache_size)
    for i in [*range(len(dataset))] * 2:
        sample, stored = dataset[i], dataset.get_metadata(i)['bbox']
        whole = load_image(sample['image_path'], loader)
        top, left, bottom, right = crop_window(stored, whole.shape[:2])
        assert np.array_equal(sample['image'], whole[top:bottom, left:right]) and sample['image'].size
        x, y, w, h = sample['bbox'].astype(float)
        assert left <= x and top <= y and x + w <= right + 1e-4 and y + h <= bottom + 1e-4
        assert right - left < w + 2 and bottom - top < h + 2 and sample['image'].flags.owndata
    if cache_size: assert sum(dataset[i]['image'].nbytes for i in range(len(dataset))) < 5e6 and dataset.cache_info().hits >= len(dataset)


@pytest.mark.parametrize('kind', ['detector', 'teacher'])
@pytest.mark.parametrize('options', [{}, dict(image_loader='cv2'), dict(image_size=(30, 30))], ids=str)
def test_a_picture_that_was_replaced_by_a_smaller_one(tmp_path, kind, options):
    "Its boxes would lie wrong without a word"
    image(tmp_path/'raw/a.png')
    coco(tmp_path/'raw/a.json', {'a.png': [[10, 10, 30, 20]]})
    process(tmp_path/'raw', tmp_path/'out', train_split=1)
    image(tmp_path/'raw/a.png', (20, 20))
    dataset = LazyNPYDataset(tmp_path/f'out/train_{kind}.npy', **options)
    for ask in (lambda: dataset[0], lambda: dataset.get_batch([0])):
        with pytest.raises(ImageLoadError, match=r'a.png \(row 0\): the image is 20×20 .* for 60×40 .*--all') as caught: ask()
        assert caught.value.row == 0


def test_cache_under_threads(folder):
    "Eight threads get what one would get, and nobody's changes reach another"
    dataset = opened(folder, cache_size=6)
    expected, start = [dataset[i]['image'].copy() for i in range(len(dataset))], Barrier(8)
    def read(seed):
        start.wait()
        for i in np.random.default_rng(seed).integers(0, len(dataset), 150).tolist():
            sample = dataset[i]
            assert np.array_equal(sample['image'], expected[i])
            sample['image'][:] = seed
    with ThreadPoolExecutor(8) as pool: list(pool.map(read, range(8)))
    info = dataset.cache_info()
    assert info.hits + info.misses == 8 * 150 + len(dataset) and info.currsize == 6


def test_cache_keeps_the_last(folder):
    dataset = opened(folder, cache_size=2)
    for i in (0, 1, 0, 2, 0, 1): dataset[i]
    assert dataset.cache_info() == (2, 4, 2, 2)
    dataset.cache_clear()
    assert dataset.cache_info() == (0, 0, 2, 0) and opened(folder).cache_info() == (0, 0, 0, 0)


def test_opening_reads_no_image(folder, monkeypatch):
    from ear_lazy import lazy_dataset
    monkeypatch.setattr(lazy_dataset, 'open_image', lambda *args: pytest.fail('an image was read'))
    dataset = opened(folder, cache_size=5)
    len(dataset), dataset.get_metadata(-1), dataset[2:5], repr(dataset), dataset[[1]].get_metadata(0), CombinedLazyDataset([dataset, dataset]).get_metadata(-1), pickle.dumps(dataset)


def test_cv2_has_one_thread_in_a_worker(folder):
    import cv2
    before = cv2.getNumThreads()
    threads = [batch['threads'] for batch in DataLoader(Threads(opened(folder, image_loader='cv2')), None, num_workers=1, multiprocessing_context='fork')]
    assert set(threads) == {1} and cv2.getNumThreads() == before


class Threads(torch.utils.data.Dataset):
    "How many threads OpenCV uses after a row was read"
    def __init__(self, dataset): self.dataset = dataset
    def __len__(self): return 3
    def __getitem__(self, i):
        import cv2
        cv2.setNumThreads(4) if i == 0 else None
        return dict(path=self.dataset[i]['image_path'], threads=cv2.getNumThreads())


# Light to import

def modules_after(code):
    "Names of the modules that are there when some code has run"
    run = subprocess.run([sys.executable, '-c', f'import sys\n{code}\nprint(*sys.modules, file=sys.stderr)'], capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    return set(run.stderr.split())


def test_training_code_needs_no_jupyter():
    assert not {'IPython', 'matplotlib', 'nbdev', 'jupyter', 'notebook', 'ipywidgets', 'cv2'} & modules_after('import ear_lazy.lazy_dataset')


def test_the_command_starts_without_torch():
    code = '''
import runpy
sys.argv = ['x', '--help']
try: runpy.run_module('ear_lazy.data_processor', run_name='__main__')
except SystemExit as e: assert e.code == 0
'''
    assert not {'torch', 'matplotlib', 'cv2', 'IPython', 'fastcore.all', 'tqdm.auto'} & modules_after(code)


def test_processing_needs_no_torch(folder, tmp_path):
    code = f"from ear_lazy.command import main; assert main(['--all', '--raw-data-dir', {str(folder/'raw')!r}, '--output-dir', {str(tmp_path/'out')!r}]) == 0"
    assert not {'torch', 'matplotlib', 'cv2', 'IPython'} & modules_after(code)
