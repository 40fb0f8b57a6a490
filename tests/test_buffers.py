"Memory of batches that workers use again: what anybody still holds stays as it was, and no more is kept than was said"
import gc
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
import torch
from making import coco, process
from PIL import Image
from torch.utils.data import DataLoader

from ear_lazy.adapters import as_detection_target
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset, Sample, collate
from ear_lazy.loading import buffers as module
from ear_lazy.loading.buffers import HEADER_BYTES, KEPT

pytestmark = pytest.mark.skipif(not hasattr(os, 'memfd_create'), reason='elsewhere PyTorch takes the memory')
BATCH = 3
NEEDED = 4 # buffers of a worker: of a batch in the making, two on their way, and one in the loop


@pytest.fixture(scope='module')
def npy(tmp_path_factory):
    "48 images of many sizes, so that there is something beside most of them in a batch"
    folder, rng = tmp_path_factory.mktemp('buffers'), np.random.default_rng(0)
    (folder/'raw').mkdir()
    for i in range(48): Image.fromarray(rng.integers(1, 256, (*rng.integers(20, 90, 2), 3), dtype=np.uint8)).save(folder/f'raw/{i:02}.png')
    coco(folder/'raw/a.json', {f'{i:02}.png': [[1, 1, 9, 9]] for i in range(48)}, None)
    process(folder/'raw', folder/'out', train_split=1)
    return folder/'out/train_detector.npy'


@pytest.fixture(scope='module')
def dataset(npy): return LazyNPYDataset(npy)


@pytest.fixture(scope='module')
def expected(dataset): return [dataset.get_batch(range(i, i + BATCH))['image'] for i in range(0, 48, BATCH)]


def loader(dataset, workers=2, context='fork', **options):
    return DataLoader(dataset, BATCH, num_workers=workers, multiprocessing_context=context, **options)


def buffers():
    "Buffers that this process maps: inode to address ranges"
    found = {}
    for line in open('/proc/self/maps'):
        parts = line.split()
        if 'ear_lazy_batch' in line: found.setdefault(parts[4], []).append([int(o, 16) for o in parts[0].split('-')])
    return found


def buffer_of(tensor):
    "Inode and bytes of the buffer of a tensor"
    return next((inode, end - start) for inode, ranges in buffers().items() for start, end in ranges if start <= tensor.data_ptr() < end)


def check(batches, expected):
    for a, b in zip(batches, expected, strict=True): assert type(a) is torch.Tensor and torch.equal(a, b)


@pytest.mark.parametrize('context', ['fork', pytest.param('spawn', marks=pytest.mark.slow)])
def test_kept_batches_stay_as_they_are(dataset, expected, context):
    "… also views and arrays of them, when all else of the batch is gone; in the next epoch the same memory has had other images"
    some = loader(dataset, 1, context, persistent_workers=True, prefetch_factor=6)
    kept = [b['image'] for b in some]
    check(kept, expected)
    assert len(buffers()) == KEPT < len(kept) # the others came as PyTorch hands them over
    del kept
    views = [(b['image'][1], b['image'].numpy()[2, ::2]) for b in some]
    for b in some: b['image'][:] = 7 # theirs to change
    for (view, array), image in zip(views, expected, strict=True): assert torch.equal(view, image[1]) and np.array_equal(array, image[2, ::2])
    check([b['image'] for b in some], expected)


def test_no_more_buffers_than_said(dataset, expected):
    used = set()
    for _ in range(2):
        for batch, image in zip(loader(dataset, 2, prefetch_factor=2), expected, strict=True):
            check([batch['image']], [image])
            used.add(buffer_of(batch['image']))
        del batch
        gc.collect()
        assert not buffers()
    largest = max(map(torch.numel, expected))
    assert len({inode for inode, _ in used}) <= 2 * 2 * NEEDED < 2 * len(expected) # two epochs, two workers
    assert max(size for _, size in used) <= -(-(HEADER_BYTES + largest) // HEADER_BYTES) * HEADER_BYTES


def halves(samples): return collate(samples)['image'].permute(0, 3, 1, 2)[:, ::2]
def sums(samples): return collate(samples)['image'].float() + 1
def twice(samples): return [(image := collate(samples)['image']), image[1:], image]
def with_more(samples): return torch.utils.data.default_collate([collate(samples)['image'][0]] * 2)


@pytest.mark.parametrize('make, copied', [(halves, False), (sums, True), (twice, False), (with_more, True)])
def test_what_a_collate_fn_makes_of_it(dataset, make, copied):
    batches = list(loader(dataset, 1, collate_fn=make))
    for i, batch in enumerate(batches):
        a, b = (o if isinstance(o, list) else [o] for o in (batch, make([dataset[j] for j in range(i * BATCH, (i + 1) * BATCH)])))
        check(a, b)
    assert bool(buffers()) != copied


def look(image, start, end, seen):
    start.set()
    end.wait(20)
    seen.value = int(image.numpy().sum()) # PyTorch's threads are not there in a child


def test_a_child_that_was_forked_has_its_batch_for_good(dataset, expected):
    fork = get_context('fork')
    start, end, seen = fork.Event(), fork.Event(), fork.Value('q')
    batches = iter(loader(dataset, 1))
    image = next(batches)['image']
    child = fork.Process(target=look, args=(image, start, end, seen), daemon=True)
    child.start()
    start.wait(20)
    del image
    check([b['image'] for b in batches], expected[1:])
    for _ in loader(dataset, 1): pass
    end.set()
    child.join(20)
    assert seen.value == expected[0].sum()


def test_an_epoch_that_is_broken_off(dataset, expected):
    some = loader(dataset, 2, persistent_workers=True)
    for turn in range(2 * KEPT):
        for n, batch in enumerate(some):
            check([batch['image']], [expected[n]])
            if n == turn % 3: break
    used = {buffer_of(batch['image'])[0] for batch in some}
    assert len(used) <= 2 * NEEDED
    check([b['image'] for b in some], expected)


def test_a_worker_that_dies(dataset, expected):
    batches = iter(loader(dataset, 1))
    first = next(batches)['image']
    told = signal.signal(signal.SIGCHLD, signal.SIG_DFL) # PyTorch would raise an error wherever this process is then
    try:
        batches._workers[0].kill()
        batches._workers[0].join()
        check([first], expected[:1])
        del batches
    finally: signal.signal(signal.SIGCHLD, told)
    assert buffers()
    del first
    gc.collect()
    assert not buffers()


def test_batches_that_threads_let_go_of(dataset, expected):
    "As PyTorch's thread that pins memory does"
    some = loader(dataset, 2, persistent_workers=True)
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3): assert all(pool.map(lambda o: np.array_equal(o[0]['image'].numpy(), o[1].numpy()), zip(some, expected, strict=True)))


def test_what_was_received_once_is_known(npy, monkeypatch):
    "… so it is neither sent nor mapped again, until a fork takes part in it or the workers are gone"
    dataset = LazyNPYDataset(npy, image_size=(24, 24))[:KEPT * BATCH]
    some, sent, mapped = loader(dataset, 1, persistent_workers=True), [], module._mapped
    kept = [b['image'] for b in some] # makes all buffers
    expected = [o.clone() for o in kept]
    del kept
    monkeypatch.setattr(module, '_mapped', lambda *where: sent.append(where[-1]) or mapped(*where))
    found = {}
    for batch in some: found.setdefault(buffer_of(batch['image'])[0], set()).add(batch['image'].data_ptr())
    assert sent == [None] * KEPT and all(len(o) == 1 for o in found.values())
    held = buffer_of(batch['image'])[0]
    get_context('fork').Process(target=int).start()
    del batch
    assert held not in buffers() and buffers()
    check([b['image'] for b in some], expected)
    del some
    gc.collect()
    assert not buffers()


def brighter(sample): return Sample(sample, image=sample['image'] / np.float32(255), maps=np.full((64, 96), sample['image'].mean()))
def mirrored(sample): return Sample(sample, image=sample['image'][:, ::-1])


def transformed(npy, transform=mirrored, **options): return LazyNPYDataset(npy, transform=transform, **options)
def combined(dataset, transform=None): return CombinedLazyDataset([dataset[:20], dataset[20:]], transform=transform)


@pytest.mark.parametrize('make', [
    lambda npy: combined(LazyNPYDataset(npy)), transformed, lambda npy: combined(LazyNPYDataset(npy, image_size=(32, 32)), brighter),
    lambda npy: combined(transformed(npy)), lambda npy: torch.utils.data.Subset(transformed(npy), range(9))],
    ids=['combined', 'transform', 'combined and transform', 'combined of transforms', 'subset'])
def test_no_copy_whatever_is_in_between(npy, make):
    ds = make(npy)
    for i, batch in enumerate(loader(ds, 1)):
        same = collate([ds[j] for j in range(i * BATCH, (i + 1) * BATCH)]) if i % 5 == 0 else {}
        for key in {'image', 'maps'} & {*batch}:
            assert buffer_of(batch[key])
            if same: check([batch[key]], [same[key]])


def test_targets_of_a_detector_in_one_buffer(npy):
    target = as_detection_target(one_class=True)
    ds = transformed(npy, target)[:2 * BATCH]
    for i, (images, _) in enumerate(loader(ds, 1, collate_fn=target.collate)):
        assert len({buffer_of(o) for o in images}) == 1
        check(images, [ds[j]['image'] for j in range(i * BATCH, (i + 1) * BATCH)])


def own(samples): return [(type(samples), o['image'].flags.c_contiguous, int(o['image'].sum())) for o in samples]


@pytest.mark.parametrize('workers', [0, 1])
def test_images_of_a_collate_fn_of_the_user_are_contiguous(dataset, expected, workers):
    found = [o for batch in DataLoader(dataset, BATCH, num_workers=workers, collate_fn=own) for o in batch]
    assert all(contiguous for _, contiguous, _ in found)
    assert [o for *_, o in found] == [int(o.sum()) for batch in expected for o in batch]
