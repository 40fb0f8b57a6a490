"The folder that is checked is the folder that is opened: whatever is swapped, and whenever, no pixel comes from outside of the root"
import io
import os
import pickle
import shutil
import time
from threading import Event, Thread

import numpy as np
import pytest
from making import coco, image, process
from tiers import one_of
from PIL import Image
from torch.utils.data import DataLoader

from ear_lazy import lazy_dataset
from ear_lazy.errors import EarLazyError, ImageLoadError, MetadataError
from ear_lazy.looking.row_pictures import Pictures
from ear_lazy.looking.row_table import RowTable
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.metadata.roots import RootGuard, recorded_root
from ear_lazy.shared_cache import SharedCache

OWN, PRIVATE = 1, 2 # seeds of the pictures


@pytest.fixture(scope='module')
def once(tmp_path_factory):
    "A raw folder with pictures of one colour, and elsewhere pictures of another colour under the same names"
    folder = tmp_path_factory.mktemp('once')
    for place, seed in (('data/raw', OWN), ('far/away/private', PRIVATE)):
        for name in 'ab': image(folder/place/f'deep/ears/{name}.png', seed=seed)
    coco(folder/'data/raw/deep/ears/b.json', {f'{n}.png': [[1, 1, 50, 30]] for n in 'ab'})
    process(folder/'data/raw', folder/'data/out', train_split=1)
    return folder


@pytest.fixture
def made(once, tmp_path): return shutil.copytree(once, tmp_path/'made')


def colour(seed): return np.random.default_rng(seed).integers(0, 256, 3).tolist()


def leaks(pictures):
    "Does any picture show a private pixel?"
    return any((np.asarray(o).reshape(-1, 3) == colour(PRIVATE)).all(1).any() for o in pictures)


# What others replace

def become_link(path, target):
    path.rename(path.with_name('gone'))
    path.symlink_to(target)


SWAPS = {
    'a file': lambda made: become_link(made/'data/raw/deep/ears/a.png', made/'far/away/private/deep/ears/a.png'),
    'its folder': lambda made: become_link(made/'data/raw/deep/ears', made/'far/away/private/deep/ears'),
    'a folder above': lambda made: become_link(made/'data/raw/deep', made/'far/away/private/deep'),
    'the root': lambda made: become_link(made/'data/raw', made/'far/away/private'),
    'a folder above the root': lambda made: ((made/'far/away/raw').symlink_to('private'), become_link(made/'data', made/'far/away')),
}


# How an image is read

def tile(ds):
    head, data = Pictures(ds, RowTable(ds)).tile(0)
    if 'error' in head: raise MetadataError(f"outside: {head['error']}")
    return [Image.open(io.BytesIO(data)).convert('RGB')]


def full(ds):
    head, data = Pictures(ds, RowTable(ds)).full(0)
    if 'error' in head: raise MetadataError(f"outside: {head['error']}")
    return [Image.open(io.BytesIO(data)).convert('RGB')]


def header(ds): return [[colour(PRIVATE)]] if ds.stored_turn(0) else []


def copied(ds):
    with ds.open_file(0) as f: return [[colour(PRIVATE)]] if f.read() else []


READS = {
    'a row': lambda ds: [ds[0]['image']],
    'a batch': lambda ds: [ds.get_batch([0, 0])['image']],
    'rows for a loader': lambda ds: [o['image'] for o in ds.__getitems__([0, 0])],
    'a worker': lambda ds: [o['image'] for o in DataLoader(ds[[0, 0]], 2, num_workers=1, multiprocessing_context='fork')],
    'a combined dataset': lambda ds: [CombinedLazyDataset([ds, ds])[len(ds)]['image']],
    'a pickled dataset': lambda ds: [pickle.loads(pickle.dumps(ds))[0]['image']],
    'a thumbnail': tile, 'the full view': full,
}
NEW = {'the header': header, 'the file': copied, 'the opened image': lambda ds: [ds.open_image(0).im.convert('RGB')]} # methods that were not there before


def refuses(ds, read):
    "A read is refused by a typed error, and gives no private pixel"
    try: found = read(ds)
    except ImageLoadError as e: return 'no such file' in str(e)
    except (MetadataError, EarLazyError) as e: return any(o in str(e) for o in ('outside', 'when the dataset was opened', 'cannot be opened'))
    assert not leaks(found)
    return False


@pytest.mark.parametrize('read, swap', one_of(3, [*READS, *NEW], [o for o in SWAPS if o != 'a file']))
def test_replaced_between_two_reads(made, swap, read):
    ds = LazyNPYDataset(made/f'data/out/train_{"teacher" if read == "a row" else "detector"}.npy')
    assert ds[0]['image'].shape and not leaks([ds[0]['image']])
    SWAPS[swap](made)
    assert refuses(ds, (READS | NEW)[read])


@pytest.mark.parametrize('read, swap', one_of(3, [*READS, *NEW], SWAPS))
def test_replaced_after_the_names_were_checked(made, monkeypatch, swap, read):
    ds, really_check, swapped = LazyNPYDataset(made/'data/out/train_detector.npy'), RootGuard.check, []
    def check(self, name):
        really_check(self, name)
        if not swapped: swapped.append(SWAPS[swap](made))
    monkeypatch.setattr(RootGuard, 'check', check)
    assert refuses(ds, (READS | NEW)[read])


@pytest.mark.parametrize('options', [dict(cache_size=9), dict(cache_bytes='9MB'), 'shared', dict(on_error='skip'), dict(image_size=(20, 30)), dict(trust_files=False)], ids=str)
@pytest.mark.parametrize('swap', SWAPS)
def test_whatever_the_options(made, swap, options):
    ds = LazyNPYDataset(made/'data/out/train_detector.npy', **(dict(cache=SharedCache('9MB')) if options == 'shared' else options))
    assert ds[0]['image'].shape
    SWAPS[swap](made)
    assert refuses(ds, READS['a row']) and refuses(ds, READS['a batch'])


def test_a_system_that_does_not_know_where_an_open_file_is(made, monkeypatch):
    monkeypatch.setattr('ear_lazy.metadata.roots.opened_path', lambda fd: None)
    ds = LazyNPYDataset(made/'data/out/train_detector.npy')
    assert not leaks([ds[0]['image'], ds[1]['image']])
    really_check = RootGuard.check
    def check(self, name):
        really_check(self, name)
        if not (made/'data/raw/deep/ears').is_symlink(): SWAPS['its folder'](made)
    monkeypatch.setattr(RootGuard, 'check', check)
    assert refuses(ds, READS['a row'])


# Races

def turn(link, targets):
    "Point a link to the next target, in one step"
    link.with_name('next').symlink_to(targets[0])
    os.replace(link.with_name('next'), link)
    targets.append(targets.pop(0))


@pytest.mark.parametrize('what, ask', one_of(3, ['a file', 'its folder', 'the root'], ['a row', 'a batch', 'the header']))
def test_a_thread_that_swaps_links_while_another_reads(made, what, ask):
    "… gets own pixels, or an error"
    link = made/{'a file': 'data/raw/deep/ears/a.png', 'its folder': 'data/raw/deep/ears', 'the root': 'data/raw'}[what]
    private = made/{'a file': 'far/away/private/deep/ears/a.png', 'its folder': 'far/away/private/deep/ears', 'the root': 'far/away/private'}[what]
    own = link.with_name('own')
    link.rename(own)
    turn(link, [own])
    ds, stop, seen = LazyNPYDataset(made/'data/out/train_detector.npy', root_dir=made/'data/raw'), Event(), []
    size = (40, 60)
    image(private if what == 'a file' else private/('a.png' if what == 'its folder' else 'deep/ears/a.png'), (41, 60) if ask == 'the header' else size, seed=PRIVATE)
    def swap():
        targets = [private, own]
        while not stop.is_set(): turn(link, targets)
    def read(): return ds[0]['image'] if ask == 'a row' else ds.get_batch([0, 0])['image']
    thread, end = Thread(target=swap, daemon=True), time.monotonic() + 1.5
    read()
    thread.start()
    try:
        while time.monotonic() < end:
            try:
                if ask == 'the header': seen.append(ds.stored_turn(0)[1] != size)
                else: seen.append(leaks([read()]))
            except (MetadataError, ImageLoadError): seen.append(False)
    finally:
        stop.set()
        thread.join()
    assert len(seen) > 20 and not any(seen)


# Roots that are links

@pytest.fixture
def stranger(made):
    "A file from elsewhere in a folder far below, with nothing beside it"
    folder = made/'home/user/project/data/copy'
    folder.mkdir(parents=True)
    return shutil.copy(made/'data/out/train_detector.npy', folder)


def put_root(made, stranger, way):
    "What a stranger's archive holds where the file says that its images are"
    raw, private = made/'home/user/project/data/raw', made/'far/away/private'
    if way == 'absolute': raw.symlink_to(private)
    if way == 'relative': raw.symlink_to('../../../../far/away/private')
    if way == 'through a link': (raw.with_name('x').symlink_to(made/'far')), raw.symlink_to('x/away/private')
    if way == 'chain': raw.with_name('x').symlink_to(private), raw.symlink_to('x')


@pytest.mark.parametrize('way', ['absolute', 'relative', 'through a link', 'chain'])
def test_a_recorded_root_that_is_a_link_out(made, stranger, way):
    put_root(made, stranger, way)
    with pytest.raises(MetadataError, match='root_dir=.*allow_outside_root=True'): LazyNPYDataset(stranger)
    with pytest.raises(MetadataError, match='root_dir='): recorded_root(stranger, '../raw')
    for options in (dict(root_dir=made/'home/user/project/data/raw'), dict(allow_outside_root=True)): assert leaks([LazyNPYDataset(stranger, **options)[0]['image']])


def test_a_link_above_the_recorded_root(made, stranger):
    "The folder that the file is in is no link, but the one beside it"
    record = np.load(stranger)
    record['root'] = b'../x/y'
    np.save(stranger, record)
    (made/'far/away/y').symlink_to('private')
    (made/'home/user/project/data/x').symlink_to(made/'far/away')
    with pytest.raises(MetadataError, match='root_dir='): LazyNPYDataset(stranger)


def test_a_root_that_becomes_a_link_while_the_dataset_is_opened(made, stranger, monkeypatch):
    raw = made/'home/user/project/data/raw'
    shutil.copytree(made/'data/raw', raw)
    def find(*args):
        found = recorded_root(*args)
        become_link(raw, made/'far/away/private')
        return found
    monkeypatch.setattr(lazy_dataset, 'recorded_root', find)
    with pytest.raises(MetadataError, match='root_dir='): LazyNPYDataset(stranger)


def test_everyday_roots_that_are_links(made, stranger):
    "A link to a folder nearby, one that a run here went through, one that the user names"
    near = made/'home/user/project/photos'
    shutil.copytree(made/'data/raw', near)
    (made/'home/user/project/data/raw').symlink_to('../photos')
    assert LazyNPYDataset(stranger)[0]['image'].shape
    disk, out = made/'disk', made/'home/user/project/data/here'
    (made/'data/raw').rename(disk)
    (made/'data/raw').symlink_to(disk)
    (made/'home/user/project/data/linked').symlink_to(disk)
    process(made/'home/user/project/data/linked', out, ('detector',), train_split=1)
    for ds in (LazyNPYDataset(out/'train_detector.npy'), LazyNPYDataset(stranger, root_dir=made/'data/raw')):
        for o in (ds, pickle.loads(pickle.dumps(ds))): assert o[0]['image'].shape and not leaks([o[0]['image']])
