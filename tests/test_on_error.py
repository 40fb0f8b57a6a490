"Broken images while training: skipped, replaced or raised, counted over all workers, and nothing else slips in"
import errno
import gc
import os
import pickle
import subprocess
import sys
import warnings
import weakref

import numpy as np
import pytest
import torch
from making import KINDS, ROOT, coco, image, process
from torch.utils.data import ConcatDataset, DataLoader, Subset

from ear_lazy.base import images
from ear_lazy.errors import ImageLoadError
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset, Sample, Skipped
from ear_lazy.loading.error_log import ErrorLog

KEY = {'detector': 'bboxes', 'landmarker': 'keypoints', 'teacher': 'bbox'}
N = 24
BROKEN = {1: 'missing', 4: 'cut_off', 7: 'empty', 8: 'too_large', 9: 'other_size', 16: 'not_image', 17: 'cut_off', 18: 'unreadable', 19: 'missing'}
COUNTS = {'missing': 2, 'unreadable': 1, 'empty': 1, 'cut_off': 2, 'not_image': 1, 'too_large': 1, 'other_size': 1}
LIMIT = 10_000


def break_image(path, fault):
    data = path.read_bytes()
    if fault in ('missing', 'unreadable'): path.unlink()
    if fault == 'unreadable': path.mkdir()
    if fault == 'cut_off': path.write_bytes(data[:len(data) // 2])
    if fault == 'empty': path.write_bytes(b'')
    if fault == 'too_large': image(path, (200, 200))
    if fault == 'other_size': image(path, (20, 20))
    if fault == 'not_image': path.write_text('no picture')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('on_error')
    names = [f"{i:02}.{'png' if i % 2 else 'jpg'}" for i in range(N)]
    rng = np.random.default_rng(0)
    for i, name in enumerate(names): images.Image.fromarray(rng.integers(0, 256, (40 + i % 3, 60, 3), dtype=np.uint8)).save((folder/'raw').mkdir(exist_ok=True) or folder/'raw'/name)
    coco(folder/'raw/a.json', {name: [dict(bbox=[1, 1, 9, 9 + i], keypoints=[2, 2, 2, 8, 8, 1])] for i, name in enumerate(names)}, None)
    process(folder/'raw', folder/'out', train_split=1)
    for i, fault in BROKEN.items(): break_image(folder/'raw'/names[i], fault)
    return folder


def opened(folder, kind='detector', **options):
    return LazyNPYDataset(folder/f'out/train_{kind}.npy', **{'on_error': 'skip', 'max_pixels': LIMIT, 'extras': ('row',)} | options)


def quiet(loader):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return list(loader)


GOOD = [i for i in range(N) if i not in BROKEN]


def check(dataset, batches, size):
    "Each good row once, with what belongs to it; batches of rows in order are smaller by what is broken"
    rows = [o['row'].tolist() for o in batches]
    assert rows == [[i for i in range(a, min(a + size, N)) if i not in BROKEN] for a in range(0, N, size)]
    for batch in batches:
        n = len(batch['row'])
        assert {k: len(v) for k, v in batch.items()} == dict.fromkeys(batch, n) and batch['image'].dtype == torch.uint8 and batch['image'].ndim == 4
        for j, i in enumerate(batch['row'].tolist()):
            expected = dataset[i]
            h, w = expected['image'].shape[:2]
            assert np.array_equal(batch['image'][j, :h, :w], expected['image']) and batch['image_path'][j] == expected['image_path']
            assert np.allclose(np.asarray(batch[KEY[dataset.kind]][j]), expected[KEY[dataset.kind]])


@pytest.mark.parametrize('context, workers', [(None, 0), ('fork', 3), ('spawn', 2), ('forkserver', 1)])
@pytest.mark.parametrize('kind', KINDS)
def test_skip(folder, kind, context, workers):
    if kind != 'detector' and context in ('spawn', 'forkserver'): return
    dataset = opened(folder, kind)
    batches = quiet(DataLoader(dataset, 2, num_workers=workers, multiprocessing_context=context))
    assert dataset.errors() == COUNTS
    check(dataset, batches, 2)
    assert len(batches[4]['row']) == 0, 'rows 8 and 9 are both broken'


@pytest.mark.parametrize('context', ['fork', pytest.param('spawn', marks=pytest.mark.slow)])
def test_workers_that_stay(folder, context, capfd, monkeypatch):
    "Counts add up over epochs; each path is warned about once, by whichever worker meets it first"
    monkeypatch.setattr(warnings, 'showwarning', lambda message, *args, **kwargs: os.write(2, f'{message}\n'.encode())) # in forked workers pytest keeps them
    dataset = opened(folder)
    loader = DataLoader(dataset, 3, num_workers=2, persistent_workers=True, multiprocessing_context=context, shuffle=True)
    for epoch in range(1, 4):
        assert sorted(i for o in loader for i in o['row'].tolist()) == GOOD
        assert dataset.errors() == {k: n * epoch for k, n in COUNTS.items()}
    err = capfd.readouterr().err
    for i in range(N): assert err.count(f'(row {i})') == (i in BROKEN), err
    assert err.count('skipped: ') == len(BROKEN)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('options', [{}, dict(image_size=(16, 16)), dict(cache_size=50), dict(image_loader='cv2'), dict(num_threads=4)], ids=str)
def test_get_batch_is_the_same(folder, kind, options):
    dataset = opened(folder, kind, extras=('row', 'labels'), **options)
    for loader in (DataLoader(dataset, 5), DataLoader(ConcatDataset([dataset, dataset[:0]]), 5), DataLoader(Subset(dataset, range(N)), 5)):
        for n, a in enumerate(quiet(loader)):
            b = quiet([dataset.get_batch(range(n * 5, min(n * 5 + 5, N)))])[0]
            assert list(a) == list(b)
            for k in a: assert type(a[k]) is type(b[k]) and len(a[k]) == len(b[k]) and all(np.array_equal(x, y) for x, y in zip(a[k], b[k]))


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('image_size', [None, (16, 16)])
def test_a_batch_with_nothing_in_it(folder, kind, image_size):
    "… has the keys, types and shapes of any other, and the length 0"
    dataset = opened(folder, kind, image_size=image_size, extras=('row', 'labels'))
    for nothing in [dataset.get_batch([1, 4]), *quiet(DataLoader(dataset[[1, 4, 8, 9]], 2, num_workers=1, multiprocessing_context='fork')),
                    quiet(DataLoader(ConcatDataset([dataset[[1, 4]]]), 2))[0], quiet(DataLoader(CombinedLazyDataset([dataset[[1]], dataset[[4]]]), 2))[0]]:
        full = dataset.get_batch([0, 2])
        assert list(nothing) == list(full) and all(type(nothing[k]) is type(full[k]) and len(nothing[k]) == 0 for k in full)
        assert nothing['image'].shape[3:] == (3,) and (image_size is None or nothing['image'].shape == (0, 16, 16, 3))
        for k in full:
            if isinstance(full[k], torch.Tensor) and k != 'image': assert nothing[k].dtype == full[k].dtype and nothing[k].shape[1:] == full[k].shape[1:]
    sum(o['image'].float().sum() for o in [nothing]), torch.nn.functional.conv2d(torch.zeros((0, 3, 16, 16)), torch.zeros((1, 3, 3, 3)))


def test_one_row(folder):
    dataset = opened(folder)
    with pytest.warns(UserWarning, match=r'skipped: .*01.png \(row 1\): no such file'): found = dataset[1]
    assert not found and isinstance(found, Skipped) and isinstance(found, Sample) and found.error.fault == 'missing' and found.error.row == 1
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert not dataset[1], 'warned about once'
    assert [bool(o) for o in quiet(dataset)] == [i not in BROKEN for i in range(N)]
    again = pickle.loads(pickle.dumps(found))
    assert not again and str(again.error) == str(found.error)
    assert 'row 1' in repr(found) and 'no such file' in dataset[:2]._repr_html_()
    with pytest.raises(ImageLoadError): dataset.show(1)
    assert len(dataset[:3].show_batch()) == 2


def test_raise_is_the_default(folder):
    dataset = LazyNPYDataset(folder/'out/train_detector.npy')
    with pytest.raises(ImageLoadError) as caught: dataset[1]
    assert caught.value.fault == 'missing' and dataset.errors() == {}
    with pytest.raises(ImageLoadError, match='row 1'): quiet(DataLoader(dataset, 4, num_workers=2, multiprocessing_context='fork'))
    for bad in ('ignore', None, 3):
        with pytest.raises(ValueError, match='on_error'): LazyNPYDataset(folder/'out/train_detector.npy', on_error=bad)


def replace(error): return Sample(image=np.full((4, 4, 3), 7, np.uint8), bboxes=np.zeros((0, 4), np.float32), image_path=error.path, row=error.row)
def drop_only_missing(error):
    if error.fault != 'missing': raise error


@pytest.mark.parametrize('context', ['fork', pytest.param('spawn', marks=pytest.mark.slow)])
def test_a_function(folder, context):
    dataset = opened(folder, on_error=replace)
    batches = list(DataLoader(dataset, 4, num_workers=2, multiprocessing_context=context))
    assert [i for o in batches for i in o['row'].tolist()] == list(range(N)) and dataset.errors() == COUNTS
    assert all((batches[i // 4]['image'][i % 4, :4, :4] == 7).all() for i in BROKEN)
    dataset = opened(folder, on_error=drop_only_missing)
    assert not dataset[1]
    with pytest.raises(ImageLoadError, match='row 4'): dataset[4]
    with pytest.raises(TypeError, match='a Sample or None, not an int'): opened(folder, on_error=lambda e: 3)[1]
    assert dict(opened(folder, on_error=lambda e: dict(replace(e)))[1]).keys() == replace(ImageLoadError('x', 'y', 1)).keys()


def test_all_datasets_of_a_kind_together(folder):
    a, b = opened(folder), opened(folder, on_error='raise')
    both = CombinedLazyDataset([a[:5], a[5:9], b[10:12]])
    quiet(DataLoader(both, 4, num_workers=2, multiprocessing_context='fork'))
    assert both.errors() == a.errors() == {'missing': 1, 'empty': 1, 'cut_off': 1, 'too_large': 1}


@pytest.mark.parametrize('trust', [False, True])
def test_a_cached_image_whose_file_has_gone(folder, tmp_path, trust):
    "… is an error like any other, except where the files are trusted"
    image(tmp_path/'raw/a.png')
    coco(tmp_path/'raw/a.json', {'a.png': [[1, 1, 9, 9]]})
    process(tmp_path/'raw', tmp_path/'out', train_split=1)
    dataset = LazyNPYDataset(tmp_path/'out/train_detector.npy', cache_size=2, on_error='skip', trust_files=trust)
    dataset[0], (tmp_path/'raw/a.png').unlink()
    assert bool(quiet(dataset)[0]) == trust and dataset.errors() == ({} if trust else {'missing': 1})
    dataset.cache_clear()
    assert not quiet(dataset)[0] and dataset.errors() == {'missing': 2 - trust}


# The log

def test_log_outlives_its_maker_as_an_empty_one(tmp_path):
    code = "import pickle, sys; from ear_lazy.loading.error_log import ErrorLog; o = ErrorLog(); o.add('empty', 'a'); sys.stdout.buffer.write(pickle.dumps(o))"
    data = subprocess.run([sys.executable, '-c', code], capture_output=True, cwd=ROOT, check=True).stdout
    assert pickle.loads(data).counts() == {}


def test_log_lets_go_of_its_file():
    def fds(): return len(os.listdir('/proc/self/fd'))
    gc.collect() # what other tests left open is not closed in between
    before = fds()
    for _ in range(50): ErrorLog().add('empty', 'a')
    assert fds() <= before


def test_skipping_datasets_stay_small_as_pickles(folder): assert len(pickle.dumps(opened(folder))) < 1500


# Errors that pass

class Flaky:
    "`os.open` that fails a few times"
    def __init__(self, number, times): self.number, self.left, self.calls = number, times, 0
    def __call__(self, path, *args, **kwargs):
        if str(path).endswith(('.jpg', '.png')):
            self.calls += 1
            if self.left:
                self.left -= 1
                raise OSError(self.number, os.strerror(self.number), path)
        return self.open(path, *args, **kwargs)
    open = staticmethod(os.open)


@pytest.mark.parametrize('number', [errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EINTR])
def test_errors_that_pass_are_tried_again(folder, monkeypatch, number):
    monkeypatch.setattr(images, 'WAITS_SECONDS', (0.001, 0.001, 0.001))
    dataset = LazyNPYDataset(folder/'out/train_detector.npy')
    for times, tries in ((1, 2), (3, 4)):
        flaky = Flaky(number, times)
        monkeypatch.setattr(os, 'open', flaky)
        assert dataset[0]['image'].shape == (40, 60, 3) and flaky.calls == tries
    flaky = Flaky(number, 99)
    monkeypatch.setattr(os, 'open', flaky)
    with pytest.raises(ImageLoadError, match='cannot be read: ') as caught: dataset[0]
    assert flaky.calls == 4 and caught.value.fault == 'unreadable'


@pytest.mark.parametrize('number', [errno.ENOENT, errno.EACCES, errno.ELOOP, errno.ENAMETOOLONG])
def test_others_are_not(folder, monkeypatch, number):
    flaky = Flaky(number, 99)
    monkeypatch.setattr(os, 'open', flaky)
    with pytest.raises(ImageLoadError): LazyNPYDataset(folder/'out/train_detector.npy')[0]
    assert flaky.calls == 1


# A worker that dies

DIES = '''
import os, signal, sys
from torch.utils.data import DataLoader
from ear_lazy.lazy_dataset import LazyNPYDataset

class Dies(LazyNPYDataset):
    def __getitem__(self, i):
        if i == 10: os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(i)

dataset = Dies(sys.argv[1], on_error='skip', max_pixels=10_000)
try:
    for batch in DataLoader(dataset, 2, num_workers=2, multiprocessing_context='fork', prefetch_factor=1): pass
except RuntimeError as e: print(e, flush=True)
print(dataset.errors(), flush=True)
os._exit(0)
'''


@pytest.mark.parametrize('loader', ['pil', 'cv2', 'turbo'])
def test_a_row_that_is_skipped_does_not_hold_its_batch(folder, loader):
    "… until Python looks for cycles, which may be some batches later"
    dataset = opened(folder, image_loader=loader, num_threads=1, image_size=(30, 30))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        found = dataset._samples(range(N))
    error, batch = next(o.error for o in found if not o), weakref.ref(found)
    gc.disable()
    try:
        del found
        is_gone = batch() is None
    finally: gc.enable()
    assert is_gone and error.fault


def test_a_worker_that_dies_is_an_error_in_the_parent(folder):
    "… and does not leave the log locked. It has handed over what it had made: PyTorch fetches a batch from its maker, and one whose maker is just dying gives other errors"
    run = subprocess.run([sys.executable, '-c', DIES, str(folder/'out/train_detector.npy')], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert 'DataLoader worker' in run.stdout and ('Killed' in run.stdout or 'exited unexpectedly' in run.stdout) and "{'missing': 1" in run.stdout, run
