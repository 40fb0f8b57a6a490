"A cache never gives what the dataset that asks would refuse, nor a picture that its file no longer has"
import os
import shutil
import sys
import time

import numpy as np
import pytest
from making import coco, image, process
from tiers import one_of
from PIL import Image
from torch.utils.data import DataLoader

from ear_lazy.errors import ImageLoadError, MetadataError
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.shared_cache import SharedCache

BEFORE, AFTER = 1, 2 # seeds of the pictures
SETTLED = 0.05 # seconds after which a file system tells the next change from the last one


@pytest.fixture(scope='module')
def once(tmp_path_factory):
    "Pictures of one colour; as BMP, any other of this size has as many bytes"
    folder = tmp_path_factory.mktemp('once')
    for name in 'ab': image(folder/f'data/raw/ears/{name}.bmp', seed=BEFORE)
    image(folder/'data/raw/after.bmp', seed=AFTER)
    coco(folder/'data/raw/ears/b.json', {f'{n}.bmp': [[1, 1, 50, 30]] for n in 'ab'})
    process(folder/'data/raw', folder/'data/out', train_split=1)
    return folder


@pytest.fixture
def made(once, tmp_path):
    made = shutil.copytree(once, tmp_path/'made')
    time.sleep(SETTLED)
    return made


def is_of(picture, seed): return (np.asarray(picture)[0, 0] == np.random.default_rng(seed).integers(0, 256, 3)).all()


CACHES = {'by number': lambda: dict(cache_size=9), 'by bytes': lambda: dict(cache_bytes='9MB')}
if sys.platform == 'linux': CACHES['shared'] = lambda: dict(cache=SharedCache('9MB'))


def in_place(path, data):
    with open(path, 'r+b') as f: f.write(data)


def keep_time(change):
    "A change after which the time of the content is what it was"
    def changed(path, data):
        before = path.stat().st_mtime_ns
        change(path, data)
        os.utime(path, ns=(before, before))
    return changed


def replaced(path, data):
    path.with_name('new').write_bytes(data)
    os.replace(path.with_name('new'), path)


def linked(path, data):
    path.with_name('other.bmp').write_bytes(data)
    path.unlink()
    path.symlink_to('other.bmp')


def linked_folder(path, data):
    shutil.copytree(path.parent, path.parent.with_name('real'), copy_function=shutil.copy)
    in_place(path.parent.with_name('real')/path.name, data)
    path.parent.rename(path.parent.with_name('gone'))
    path.parent.symlink_to('real')


CHANGES = {'written in place': in_place, 'replaced': replaced, 'in place, its time set back': keep_time(in_place), 'replaced, its time set back': keep_time(replaced),
           'a link to another': linked, 'its folder a link': linked_folder}
ASKS = {
    'a row': lambda ds: ds[0]['image'], 'a batch': lambda ds: ds.get_batch([0, 1])['image'][0], 'combined': lambda ds: CombinedLazyDataset([ds])[0]['image'],
    'a worker': lambda ds: next(iter(DataLoader(ds, 2, num_workers=1, multiprocessing_context='fork')))['image'][0]}


@pytest.mark.parametrize('cache', CACHES)
@pytest.mark.parametrize('change', CHANGES)
@pytest.mark.parametrize('kind, options', [('detector', {}), ('teacher', {}), ('detector', dict(image_size=(20, 30))), ('detector', dict(on_error='skip'))], ids=str)
def test_a_changed_file_is_read_again(made, cache, change, kind, options):
    ds = LazyNPYDataset(made/f'data/out/train_{kind}.npy', **CACHES[cache](), **options)
    for _ in range(2): assert is_of(ds[0]['image'], BEFORE) and is_of(ds[1]['image'], BEFORE)
    assert ds.cache_info().hits == 2
    CHANGES[change](made/'data/raw/ears/a.bmp', (made/'data/raw/after.bmp').read_bytes())
    for _ in range(2): assert is_of(ds[0]['image'], AFTER) and is_of(ds[1]['image'], BEFORE)


@pytest.mark.parametrize('cache', CACHES)
@pytest.mark.parametrize('ask', ASKS)
def test_whoever_asks(made, cache, ask):
    ds = LazyNPYDataset(made/'data/out/train_detector.npy', **CACHES[cache]())
    assert is_of(ds[0]['image'], BEFORE) and is_of(ASKS[ask](ds), BEFORE)
    replaced(made/'data/raw/ears/a.bmp', (made/'data/raw/after.bmp').read_bytes())
    assert is_of(ASKS[ask](ds), AFTER)


@pytest.mark.parametrize('cache', CACHES)
def test_a_file_that_has_gone(made, cache):
    "… is an error like that of a dataset without a cache, unless the files are trusted"
    (ds, blind), path = (LazyNPYDataset(made/'data/out/train_detector.npy', **CACHES[cache](), **trusting(o)) for o in (False, True)), made/'data/raw/ears/a.bmp'
    for o in (ds, blind): assert is_of(o[0]['image'], BEFORE)
    path.unlink()
    with pytest.raises(ImageLoadError, match='no such file') as caught: ds[0]
    assert caught.value.row == 0
    with pytest.raises(ImageLoadError): blind[[0]].open_image(0)
    assert is_of(blind[0]['image'], BEFORE)
    skipping = LazyNPYDataset(made/'data/out/train_detector.npy', cache=ds._cache if cache == 'shared' else None, on_error='skip')
    with pytest.warns(UserWarning, match='no such file'): assert not skipping[0]


@pytest.mark.parametrize('cache', CACHES)
def test_replaced_between_the_look_and_the_read(made, cache, monkeypatch):
    "What is kept is kept as what was read, not as what was looked at"
    ds, path = LazyNPYDataset(made/'data/out/train_detector.npy', **CACHES[cache]()), made/'data/raw/ears/a.bmp'
    before, after, really_look, looks = path.read_bytes(), (made/'data/raw/after.bmp').read_bytes(), LazyNPYDataset._state, []
    def look(self, *of):
        "The state of the first file, which is another one when it is opened"
        if not looks:
            looks.append(really_look(self, *of))
            in_place(path, after)
            time.sleep(SETTLED)
        return looks[0]
    monkeypatch.setattr(LazyNPYDataset, '_state', look)
    assert is_of(ds[0]['image'], AFTER)
    in_place(path, before)
    assert is_of(ds[0]['image'], BEFORE)


@pytest.mark.parametrize('cache', CACHES)
def test_written_again_and_again(made, cache):
    "Two changes within one tick of the clock of the file system look the same; what was read in between is not kept"
    ds, path = LazyNPYDataset(made/'data/out/train_detector.npy', **CACHES[cache]()), made/'data/raw/ears/a.bmp'
    pictures = path.read_bytes(), (made/'data/raw/after.bmp').read_bytes()
    for i in range(300):
        in_place(path, pictures[i % 2])
        assert is_of(ds[0]['image'], (BEFORE, AFTER)[i % 2])


# What another dataset put there

@pytest.fixture
def outside(made):
    "A dataset made here, whose folder then became a link to private pictures, and the cache of a dataset that trusts it"
    image(made/'private/a.bmp', seed=AFTER), image(made/'private/b.bmp', seed=AFTER)
    shutil.rmtree(made/'data/raw/ears')
    (made/'data/raw/ears').symlink_to(made/'private')
    time.sleep(SETTLED)
    return made/'data/out/train_detector.npy'


def trusting(trust): return dict(trust_files=True) if trust else {}


needs_linux = pytest.mark.skipif(sys.platform != 'linux', reason='a shared cache needs Linux')


@needs_linux
@pytest.mark.parametrize('asking, putting', one_of(2, [{}, dict(on_error='skip'), dict(trust_files=True), dict(trust_files=True, max_pixels=10**6)], [{}, dict(trust_files=True)]), ids=str)
def test_put_by_a_dataset_that_may_read_anything(outside, asking, putting):
    cache = SharedCache('9MB')
    anywhere, ds = LazyNPYDataset(outside, cache=cache, allow_outside_root=True, **putting), LazyNPYDataset(outside, cache=cache, **asking)
    assert is_of(anywhere[0]['image'], AFTER)
    for ask in ASKS.values():
        with pytest.raises(MetadataError, match='a link leads outside'): ask(ds)
    assert is_of(anywhere[0]['image'], AFTER)


@needs_linux
@pytest.mark.parametrize('trust', [False, True])
def test_put_by_a_dataset_with_another_root(outside, trust):
    "The same path is inside of one root and outside of another"
    cache = SharedCache('9MB')
    wide = LazyNPYDataset(outside, cache=cache, root_dir=outside.parents[2]/'data/raw', allow_outside_root=True, **trusting(trust))
    assert is_of(wide[0]['image'], AFTER)
    with pytest.raises(MetadataError, match='a link leads outside'): LazyNPYDataset(outside, cache=cache, root_dir=outside.parents[2]/'data/raw', **trusting(trust))[0]


@needs_linux
@pytest.mark.parametrize('trust', [False, True])
def test_put_by_a_file_that_was_made_here(tmp_path, trust):
    "A link that a run here followed is followed for its files, and not for a stranger's with the same root"
    image(tmp_path/'disk/ears/a.bmp', seed=AFTER)
    coco(tmp_path/'disk/ears/b.json', {'a.bmp': [[1, 1, 50, 30]]})
    (tmp_path/'data/raw').mkdir(parents=True)
    (tmp_path/'data/raw/ears').symlink_to(tmp_path/'disk/ears')
    process(tmp_path/'data/raw', tmp_path/'data/out', ('detector',), train_split=1)
    shutil.copytree(tmp_path/'data/out', tmp_path/'data/copy')
    time.sleep(SETTLED)
    cache = SharedCache('9MB')
    assert is_of(LazyNPYDataset(tmp_path/'data/out/train_detector.npy', cache=cache, **trusting(trust))[0]['image'], AFTER)
    with pytest.raises(MetadataError, match='a link leads outside'): LazyNPYDataset(tmp_path/'data/copy/train_detector.npy', cache=cache, **trusting(trust))[0]


@needs_linux
@pytest.mark.parametrize('trust, case', one_of(2, [False, True], [('detector', {}), ('teacher', {}), ('detector', dict(image_size=(8, 8)))]), ids=str)
def test_put_by_a_dataset_with_other_limits(made, monkeypatch, trust, case):
    "An image with too many pixels is refused, whoever has decoded it, and however small the crop"
    kind, options = case
    cache, path = SharedCache('9MB'), made/f'data/out/train_{kind}.npy'
    options = dict(cache=cache) | trusting(trust) | options
    free, bound = LazyNPYDataset(path, **options), LazyNPYDataset(path, max_pixels=2000, **options)
    assert free[0]['image'].shape
    for ask in ASKS.values():
        with pytest.raises(ImageLoadError, match='too many pixels'): ask(bound)
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 1000)
    with pytest.raises(ImageLoadError, match='too many pixels'): free[0]


@needs_linux
def test_datasets_that_may_read_the_same_still_share(made):
    cache = SharedCache('9MB')
    a, b = (LazyNPYDataset(shutil.copy(made/'data/out/train_detector.npy', made/f'data/out/{name}.npy'), cache=cache, max_pixels=10**6) for name in 'ab')
    assert a[0]['image'].shape and b[0]['image'].shape and cache.info().hits == 1
