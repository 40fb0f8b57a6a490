"The order of an epoch: each row once, sources in their ratio, the same in all processes, and gone on with in the middle"
import json
import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from making import ROOT, coco, image, process
from torch.utils.data import DataLoader

from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.loading.sampler import RowSampler, counts_by_weight


def parts(lengths):
    ends = np.cumsum(lengths).tolist()
    return [range(b - n, b) for n, b in zip(lengths, ends)]


def epoch_of(lengths, world_size=1, **options):
    "What each process gets"
    return [list(RowSampler(parts(lengths), rank=rank, world_size=world_size, **options)) for rank in range(world_size)]


@given(st.lists(st.integers(0, 40), min_size=1, max_size=4), st.integers(1, 5), st.integers(0, 9))
def test_without_weights_each_row_comes_once(lengths, world_size, seed):
    found = epoch_of(lengths, world_size, seed=seed)
    assert sorted(sum(found, [])) == list(range(sum(lengths)))
    assert max(map(len, found)) - min(map(len, found)) <= 1
    even = epoch_of(lengths, world_size, seed=seed, even=True)
    assert len({*map(len, even)}) == 1 and {*sum(even, [])} == {*range(sum(lengths))} and len(even[0]) == -(-sum(lengths) // world_size)
    for rank in range(world_size): assert len(RowSampler(parts(lengths), seed=seed, rank=rank, world_size=world_size)) == len(found[rank])


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 9)), min_size=1, max_size=4), st.integers(1, 120), st.integers(1, 3))
def test_sources_are_visited_in_whole_passes(sources, num_samples, world_size):
    "In the order over all processes and epochs, no row of a source comes again before all rows of it have come"
    lengths, weights = zip(*sources)
    came = [[] for _ in lengths]
    for epoch in range(5):
        found = epoch_of(lengths, world_size, weights=weights, num_samples=num_samples, epoch=epoch, seed=4)
        counts = counts_by_weight(weights, num_samples)
        for rows, n, own in zip(parts(lengths), counts, came):
            mine = [o for part in found for o in part if o in rows]
            assert len(mine) == n
            own.append(mine)
    for rows, own in zip(parts(lengths), came):
        seen = np.zeros(len(rows), int)
        for mine in own: # within an epoch processes run side by side, so a pass is judged at its end
            seen += np.bincount(np.array(mine, int) - rows.start, minlength=len(rows))
            assert seen.max() - seen.min() <= 1


def test_ratios_are_as_asked():
    for weights in ([1, 1], [3, 1], [.7, .2, .1], [1, 0, 99]):
        lengths = [1000, 10, 5000][:len(weights)]
        found = np.array(epoch_of(lengths, weights=weights, num_samples=10_000)[0])
        counts = np.array([np.isin(found, rows).sum() for rows in parts(lengths)])
        assert np.abs(counts / 10_000 - np.array(weights) / sum(weights)).max() < 1e-4
        halves = np.array([[np.isin(o, rows).mean() for rows in parts(lengths)] for o in (found[:5000], found[5000:])])
        assert np.abs(halves[0] - halves[1]).max() < .05, 'sources come one behind the other'


def test_same_seed_same_order():
    a, b, other = (epoch_of([50, 20], seed=s) for s in (3, 3, 4))
    assert a == b != other
    sampler = RowSampler(parts([50, 20]), seed=3)
    first = list(sampler)
    assert first == a[0] == list(sampler), 'an epoch that is given again is the same'
    sampler.set_epoch(1)
    assert list(sampler) != first and list(sampler) == epoch_of([50, 20], seed=3, epoch=1)[0]
    torch.manual_seed(5)
    np.random.seed(5)
    assert epoch_of([50, 20], seed=3) == a, 'it depends on nobody\'s random state'


@given(st.lists(st.integers(1, 40), min_size=1, max_size=3), st.integers(1, 4), st.integers(1, 4), st.integers(0, 30), st.booleans())
def test_goes_on_with_any_number_of_processes(lengths, before, after, done, even):
    whole = RowSampler(parts(lengths), seed=2, epoch=3).order().tolist()
    samplers = [RowSampler(parts(lengths), seed=2, epoch=3, rank=o, world_size=before, even=even) for o in range(before)]
    seen, states = [], []
    for sampler in samplers:
        rows = iter(sampler)
        seen.append([row for _, row in zip(range(done), rows)])
        states.append(json.loads(json.dumps(sampler.state_dict(done=len(seen[-1])))))
    if min(map(len, seen)) == done: assert all(o == states[0] for o in states), 'processes in step have one state'
    rest = []
    for rank in range(after):
        sampler = RowSampler(parts(lengths), seed=2, rank=rank, world_size=after)
        sampler.load_state_dict(states[0])
        if sampler.epoch == 3:
            expected = len(sampler)
            rest.append(list(sampler))
            assert len(rest[-1]) == expected
        else: assert sampler.epoch == 4 and states[0]['position'] == sum(lengths)
    position = states[0]['position']
    assert sorted(sum(rest, [])) == sorted(whole[position:])
    if not even and states[0] == states[-1]: assert sorted(sum(seen, [])) == sorted(whole[:position])


@pytest.mark.parametrize('workers', [0, 2])
def test_state_is_what_reached_the_loop(workers):
    def new(): return RowSampler([range(103)], seed=1)
    def batches(sampler, **options): return sampler.consumed(DataLoader(range(103), 10, sampler=sampler, num_workers=workers, **options))
    sampler, seen = new(), []
    for batch in batches(sampler):
        seen += batch.tolist()
        assert sampler.state_dict()['position'] == len(seen)
        if len(seen) == 40: break
    state, sampler = sampler.state_dict(), new()
    sampler.load_state_dict(state)
    assert len(sampler) == 63
    for number, batch in enumerate(batches(sampler)):
        seen += batch.tolist()
        if number == 2: assert sampler.state_dict()['position'] == 70, 'a state after going on'
    assert seen == list(new()) and sampler.state_dict()['position'] == 103
    following = new()
    following.load_state_dict(sampler.state_dict())
    assert following.epoch == 1 and len(following) == 103
    sampler.set_epoch(1)
    assert list(sampler) == list(following)
    for _ in batches(sampler, drop_last=True): pass
    assert sampler.state_dict()['position'] == 103


def test_a_look_at_the_first_batch_leaves_the_state():
    sampler = RowSampler([range(20)])
    state = RowSampler([range(20)]).state_dict(done=5)
    sampler.load_state_dict(state)
    first = next(iter(sampler))
    rest = list(sampler)
    assert rest[0] == first and len(rest) == 15
    assert len(list(sampler)) == 20, 'after its end the epoch starts anew'


def test_memory_is_arrays():
    n = 2_000_000
    tracemalloc.start()
    rows = iter(RowSampler([range(n // 2), range(n // 2, n)], weights=[1, 2], rank=1, world_size=4))
    next(rows)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 3 * n and peak < 40 * n


@pytest.mark.parametrize('wrong', [dict(weights=[1]), dict(weights=[0, 0]), dict(weights=[1, float('nan')]), dict(weights=[1, -1]), dict(num_samples=-1),
                                   dict(rank=2, world_size=2), dict(rank=-1, world_size=2)])
def test_what_cannot_be_sampled_is_named(wrong):
    with pytest.raises(ValueError): RowSampler(parts([5, 5]), **wrong)


# Several processes

@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('sampler')
    for name, n in (('a', 14), ('b', 9)):
        for i in range(n): image(folder/f'raw_{name}/detector/ears'/f'{i}.png', (16, 16), seed=i)
        coco(folder/f'raw_{name}/detector/ears/a.json', {f'{i}.png': [[2, 3, 8, 9]] for i in range(n)}, size=(16, 16))
        process(folder/f'raw_{name}', folder/name, train_split=1.)
    return folder


def combined(folder, **options):
    return CombinedLazyDataset([LazyNPYDataset(folder/name/'train_detector.npy', extras=('row',)) for name in ('a', 'b')], **options)


HEAD = '''
import json, os, sys
from datetime import timedelta
from pathlib import Path
import torch, torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler
from test_sampler import combined, refusal

folder = Path(sys.argv[1])
ds, out = combined(folder), {}

def names(batch): return [o.rsplit('/raw_')[1] for o in batch['image_path']]

def done():
    (folder/f'{sys.argv[2]}_{os.environ["RANK"]}.json').write_text(json.dumps(out))
'''

GLOO = HEAD + '''
early, early_one, early_ratio = ds.sampler(seed=5, even=True), ds.sampler(seed=5), combined(folder, weights=[1, 3]).sampler(num_samples=2000)
others = [ds.sampler(seed=int(os.environ['RANK'])), ds[:20 + int(os.environ['RANK'])].sampler(), ds[int(os.environ['RANK']):][:20].sampler(),
          combined(folder, weights=[1, 1 + int(os.environ['RANK'])]).sampler(), ds.sampler(epoch=int(os.environ['RANK']))]
out['too early'] = [refusal(o) for o in (lambda: len(early), lambda: next(iter(early)), early.state_dict, lambda: DistributedSampler(ds))]
out['repr'] = repr(early)
out['alone'] = list(ds.sampler(seed=5, rank=0, world_size=1))
dist.init_process_group('gloo', timeout=timedelta(seconds=30))

sampler = early
model = DistributedDataParallel(torch.nn.Linear(3, 1))
optimizer = torch.optim.SGD(model.parameters(), .01)
for epoch in range(2):
    sampler.set_epoch(epoch)
    out[f'epoch {epoch}'] = []
    for batch in DataLoader(ds, 4, sampler=sampler, num_workers=1):
        loss = model(batch['image'].float().mean((1, 2))).square().mean()
        optimizer.zero_grad(); loss.backward(); optimizer.step()
        out[f'epoch {epoch}'] += names(batch)
out['weights'] = model.module.weight.tolist()

sampler = early_one
out['before'] = []
for number, batch in enumerate(sampler.consumed(DataLoader(ds, 2, sampler=sampler, num_workers=1))):
    out['before'] += names(batch)
    if number == 2: break
states = [None, None]
dist.all_gather_object(states, sampler.state_dict())
out['states'] = states
again = ds.sampler(seed=5)
again.load_state_dict(states[0])
out['after'] = [o for batch in DataLoader(ds, 2, sampler=again) for o in names(batch)]
out['ratio'] = list(early_ratio)

theirs = DistributedSampler(ds, seed=5)
theirs.set_epoch(1)
out['theirs'] = [o for batch in DataLoader(ds, 4, sampler=theirs, num_workers=1) for o in names(batch)]

out['different'] = [refusal(lambda: next(iter(o))) for o in others]
if dist.get_rank() == 0: out['measured alone'] = [len(ds.sampler()), ds.sampler().state_dict()['position']]
dist.barrier()
dist.destroy_process_group()
out['saved later'] = sampler.state_dict()
done()
'''

ACCELERATE = HEAD + '''
import accelerate
loaders = [DataLoader(ds, 2, sampler=ds.sampler(seed=5, even=True, **o)) for o in ({}, dict(rank=0, world_size=1))]
own = ds.sampler(seed=5)
accelerator = accelerate.Accelerator(cpu=True)
out['own'] = list(own)
refused, prepared = map(accelerator.prepare, loaders)
out['refused'] = refusal(lambda: next(iter(refused)))
refused = accelerate.data_loader.prepare_data_loader(loaders[0], put_on_device=True, dispatch_batches=True)
out['dispatched'] = refusal(lambda: next(iter(refused))) if accelerator.is_main_process else 'Accelerate'
out['prepared'] = [o for batch in prepared for o in names(batch)]
accelerator.end_training()
done()
'''

LIGHTNING = HEAD + '''
import vision, pytorch_lightning as pl

class Module(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.model, self.seen = torch.nn.Linear(3, 1), []

    def training_step(self, batch, _):
        self.seen += names(batch)
        return self.model(batch['image'].float().mean((1, 2))).square().mean()

    def configure_optimizers(self): return torch.optim.SGD(self.parameters(), .01)

module, loader = Module(), DataLoader(ds, 4, sampler=ds.sampler(seed=5, even=True))
pl.Trainer(max_epochs=2, accelerator='cpu', devices=2, strategy='ddp', logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
           default_root_dir=folder).fit(module, loader)
out['seen'] = module.seen
os.environ['RANK'] = str(dist.get_rank())
done()
'''


def refusal(call):
    "What a call says that raises a `ValueError`"
    try: return f'no error, but {call()}'
    except ValueError as error: return str(error)


def run_both(folder, name, script, start=('-m', 'torch.distributed.run', '--standalone', '--local-addr', '127.0.0.1', '--nproc-per-node', '2')):
    "What two processes of `torchrun`, or of another start, found"
    (folder/f'with_{name}.py').write_text(script)
    env = {k: o for k, o in os.environ.items() if k != 'WORLD_SIZE'}
    env |= {'GLOO_SOCKET_IFNAME': 'lo', 'PYTHONPATH': f'{ROOT}{os.pathsep}{ROOT/"tests"}', 'OMP_NUM_THREADS': '1'}
    ran = subprocess.run([sys.executable, *start, str(folder/f'with_{name}.py'), str(folder), name], capture_output=True, text=True, env=env, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return [json.loads((folder/f'{name}_{rank}.json').read_text()) for rank in range(2)]


@pytest.fixture(scope='module')
def processes(folder):
    "What two processes of `torchrun` saw, over gloo on the loopback, with samplers from before the process group"
    return run_both(folder, 'gloo', GLOO)


def every_name(folder): return sorted(f'{name}/detector/ears/{i}.png' for name, n in (('a', 14), ('b', 9)) for i in range(n))


def test_two_processes_see_each_row_once(processes, folder):
    "23 rows, so that one comes twice where both have to make as many steps"
    a, b = processes
    for epoch in ('epoch 0', 'epoch 1'):
        assert len(a[epoch]) == len(b[epoch]) == 12 and {*a[epoch], *b[epoch]} == {*every_name(folder)}
    assert a['epoch 0'] != a['epoch 1'] and a['weights'] == b['weights']


def test_two_processes_go_on_in_mid_epoch(processes, folder):
    a, b = processes
    assert a['states'] == b['states'] and a['states'][0] == a['states'][1] and a['states'][0]['position'] == 12
    assert sorted(a['before'] + b['before'] + a['after'] + b['after']) == every_name(folder)


def test_two_processes_keep_the_ratio(processes):
    rows = np.array(processes[0]['ratio'] + processes[1]['ratio'])
    assert len(rows) == 2000 and (rows < 14).sum() == 500


def test_distributed_sampler_of_torch(processes, folder):
    a, b = processes
    assert len(a['theirs']) == len(b['theirs']) == 12 and {*a['theirs'], *b['theirs']} == {*every_name(folder)}


def test_a_promised_group_that_is_not_there_is_an_error(processes):
    "As PyTorch's own sampler has it"
    for found in processes:
        *own, torchs = found['too early']
        assert 'group has not been initialized' in torchs
        assert all(o.startswith('WORLD_SIZE is 2, but there is no process group yet') and 'pass rank= and world_size=' in o for o in own)
        assert len(found['alone']) == 23 and 'rank=None' in found['repr']


def test_different_samplers_are_an_error_in_every_process(processes):
    "Another seed, length, rows, weights or epoch; no process waits for one that raised"
    for found in processes:
        for said, differing in zip(found['different'], ('seed is 0 on rank 0 and 1 on rank 1', 'lengths is [14, 6] on rank 0 and [14, 7] on rank 1', 'digest of its rows',
                                                        'counts is', 'epoch is 0 on rank 0 and 1 on rank 1'), strict=True):
            assert said.startswith('the processes sample different datasets, or in different orders') and differing in said


def test_a_process_may_measure_and_save_alone(processes):
    a, b = processes
    assert a['measured alone'] == [12, 0]
    assert a['saved later'] == b['saved later'] == a['states'][0], 'also when the group is gone'


def test_accelerate_with_two_processes(folder):
    "It deals out what one sampler for all gives; one that deals out itself would lose rows"
    a, b = run_both(folder, 'accelerate', ACCELERATE)
    assert sorted(a['own'] + b['own']) == [*range(23)]
    assert {*a['prepared'], *b['prepared']} == {*every_name(folder)} and len(a['prepared'] + b['prepared']) <= 26
    assert all('Accelerate' in found[o] for found in (a, b) for o in ('refused', 'dispatched'))


def test_lightning_starts_the_second_process(processes, folder):
    "The sampler is made before Lightning makes the group; Lightning leaves it alone and sets its epochs"
    for found, other in zip(run_both(folder, 'lightning', LIGHTNING, start=()), processes):
        assert found['seen'] == other['epoch 0'] + other['epoch 1']
