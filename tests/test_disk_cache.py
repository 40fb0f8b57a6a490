"Decoded samples on the disk: found again, never stale, never torn, within the budget, whoever else uses or removes them"
import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import xxhash
from PIL import Image

import ear_lazy.loading.packs as packs
from ear_lazy.base.files import OpenFolder, lock_in
from ear_lazy.data_processor import DataProcessor
from ear_lazy.disk_cache import DiskCache
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.loading.packs import Packs
from ear_lazy.synthetic import write_raw


def key(i): return xxhash.xxh3_128_digest(i.to_bytes(8, 'little'))
def value(i): return np.full(20_000 + 97*(i % 50), i % 251, np.uint8)


def is_right(store, n):
    "How many of n values are there; each as it was put"
    found = [(i, o) for i in range(n) if (o := store.get(key(i))) is not None]
    assert all(bytes(o) == value(i).tobytes() for i, o in found)
    return len(found)


@pytest.fixture(scope='module')
def npy(tmp_path_factory):
    folder = tmp_path_factory.mktemp('disk_cache')
    DataProcessor(write_raw(folder/'raw', images=12), folder/'out', progress=False, num_workers=0).process('detector')
    return folder/'out/train_detector.npy'


@pytest.fixture
def ds(npy, tmp_path): return LazyNPYDataset(npy, image_size=(64, 64), cache=DiskCache('20MB', tmp_path/'samples'))


def opened_again(ds, **options):
    "As after a restart"
    options = {'image_size': (64, 64)} | options
    return LazyNPYDataset(ds.metadata.path, cache=DiskCache('20MB', ds._cache.folder), **options)


def test_a_restart_decodes_nothing(ds, monkeypatch):
    wanted = [o['image'] for o in LazyNPYDataset(ds.metadata.path, image_size=(64, 64))]
    assert ds.warm_cache(progress=False) == 0
    again = opened_again(ds)
    monkeypatch.setattr(LazyNPYDataset, '_decode', None) # whoever decodes fails
    assert all((again[i]['image'] == o).all() for i, o in enumerate(wanted))
    assert again.cache_info()[:2] == (len(ds), 0)


def test_other_options_are_other_samples(ds):
    ds[0]
    for options in ({'image_size': (48, 64)}, {'image_size': None}, {'resize': 'stretch'}, {'image_loader': 'cv2'}):
        other = opened_again(ds, **options)
        other[0]
        assert other.cache_info()[:2] == (0, 1), options


def test_a_replaced_image_is_seen(ds):
    path = Path(ds[0]['image_path'])
    time.sleep(.03) # a file that was written just now is not kept
    opened_again(ds)[0]
    before, (w, h) = path.read_bytes(), Image.open(path).size
    try:
        Image.new('RGB', (w, h), (9, 200, 30)).save(path)
        assert np.abs(opened_again(ds)[0]['image'][32, 32].astype(int) - (9, 200, 30)).max() < 5
    finally: path.write_bytes(before)


def test_beside_the_outputs(npy):
    cache = DiskCache('20MB')
    ds = CombinedLazyDataset([LazyNPYDataset(npy, cache=cache), LazyNPYDataset(npy, image_size=(32, 32), cache=cache)])
    ds[1], ds[-2]
    assert cache.folder == npy.parent/'.ear_lazy/samples' and cache.info().currsize == 2
    report = DataProcessor(npy.parent.parent/'raw', npy.parent, progress=False, num_workers=0).process('detector')
    assert 'left alone' not in str(report) and cache.info().currsize == 2 # a run leaves it
    cache.clear()


def test_removed_while_it_is_used(ds):
    images = [ds[i]['image'] for i in range(3)]
    shutil.rmtree(ds._cache.folder)
    assert all((ds[i]['image'] == o).all() for i, o in enumerate(images))
    ds[5]
    assert opened_again(ds).cache_info().currsize >= 1 # and is filled again


@pytest.mark.parametrize('damage', ['cut', 'zeros', 'noise', 'packs'])
def test_damage_is_not_believed(tmp_path, damage):
    store = Packs(tmp_path, 2**22)
    for i in range(20): store.put(key(i), value(i))
    index, rng = tmp_path/'index', np.random.default_rng(0)
    data = index.read_bytes()
    match damage:
        case 'cut': index.write_bytes(data[:5000])
        case 'zeros': index.write_bytes(bytes(len(data)))
        case 'noise': index.write_bytes(data[:4096] + rng.bytes(len(data) - 4096))
        case 'packs':
            for o in tmp_path.glob('*.pack'): o.write_bytes(rng.bytes(3000))
    again = Packs(tmp_path, 2**22)
    is_right(again, 20)
    for i in range(20): again.put(key(i), value(i))
    assert is_right(again, 20) == 20


def test_a_file_of_the_user_stays(tmp_path):
    (tmp_path/'index').write_text('precious')
    store = Packs(tmp_path, 2**22)
    with pytest.warns(UserWarning, match='a folder of their own'): assert not store.put(key(0), value(0))
    with pytest.raises(OSError, match='a folder of their own'): store.clear()
    assert (tmp_path/'index').read_text() == 'precious'


def test_what_does_not_fit_is_told(tmp_path):
    store = Packs(tmp_path, 10**6)
    with pytest.warns(UserWarning, match='250,000 bytes, a quarter of max_bytes') as told: assert not any(store.put(key(i), np.zeros(250_001 + i, np.uint8)) for i in range(3))
    assert len(told) == 1


def test_the_working_folder_may_change(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cache = DiskCache('1MB', 'samples')
    monkeypatch.chdir('/')
    assert cache.folder == tmp_path/'samples'


@pytest.mark.parametrize('format, side', [('webp', 16_384), ('jpeg', 65_501)])
def test_an_image_too_large_for_a_format(tmp_path, format, side):
    cache, image = DiskCache('20MB', tmp_path, format=format), np.full((side, 2, 3), 9, np.uint8)
    cache.put(b'a', (image,))
    assert (cache.get(b'a')[0] == image).all()


def test_the_caches_of_combined_datasets(ds):
    other = LazyNPYDataset(ds.metadata.path, cache_size=99)
    both = CombinedLazyDataset([ds, other])
    assert both[[1, len(ds), len(ds) + 2]].warm_cache(progress=False) == 0
    assert (ds.cache_info().currsize, other.cache_info().currsize) == (1, 2)


def test_damage_while_it_is_used(tmp_path):
    store = Packs(tmp_path, 2**22)
    for i in range(10): assert store.put(key(i), value(i)) and is_right(store, i + 1) == i + 1
    pack = tmp_path/f'{1:010}.pack'
    data = bytearray(pack.read_bytes())
    for at in range(0, len(data)//2, 5000): data[at] ^= 64
    with pack.open('r+b') as f: f.write(data)
    assert is_right(store, 10) == is_right(Packs(tmp_path, 2**22), 10) < 7
    os.truncate(pack, 1000)
    assert is_right(store, 10) == 0


CUT = """
import os, sys
from pathlib import Path
import numpy as np
from ear_lazy.disk_cache import DiskCache
folder, cuts = Path(sys.argv[1]), int(sys.argv[2])
cache, image = DiskCache('40MB', folder), np.full((1024, 1024, 3), 7, np.uint8)
batch = np.empty((1, *image.shape), np.uint8)
pack, found = folder/f'{1:010}.pack', [0, 0]
cache.put(b'a', (image, np.ones((2, 4), np.float32)))
print(flush=True)
while pack.stat().st_size: # the other process ends it by a file that stays empty
    for out in (None, batch[0]):
        value = cache.get(b'a', out)
        found[value is not None] += 1
        if value is not None: assert (value[0] == 7).all() and (value[1] == 1).all() and (out is None or value[0] is out)
print(*found)
"""


def test_cut_off_while_it_is_read(tmp_path):
    """Another process cuts a pack off and fills it again, at any moment between a look at its size and the end of the copy"""
    reader = subprocess.Popen([sys.executable, '-c', CUT, tmp_path/'samples', '0'], stdout=subprocess.PIPE, text=True)
    reader.stdout.readline()
    pack = tmp_path/f'samples/{1:010}.pack'
    data = pack.read_bytes()
    for i in range(300):
        with pack.open('r+b') as f:
            f.truncate(64 + i)
            time.sleep(.0005)
            f.write(data)
        time.sleep(.003)
    os.truncate(pack, 0)
    said = reader.communicate(timeout=60)[0]
    assert reader.returncode == 0 # it was not killed by the system
    missed, there = map(int, said.split())
    assert missed and there


def test_a_link_is_not_followed(tmp_path):
    (tmp_path/'mine.txt').write_text('mine')
    for name in ('index', f'{1:010}.pack'):
        folder = tmp_path/name
        folder.mkdir()
        if name != 'index': Packs(folder, 2**22).put(key(0), value(0))
        (folder/name).unlink(missing_ok=True)
        (folder/name).symlink_to(tmp_path/'mine.txt')
        store = Packs(folder, 2**22)
        assert store.get(key(0)) is None
        assert 'a link' in told_once(store.put, key(1), value(1))
        assert (tmp_path/'mine.txt').read_text() == 'mine'


def told_once(use, *args):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter('always')
        use(*args)
    assert len(told) == 1, [str(o.message) for o in told]
    return str(told[0].message)


def test_a_full_disk_is_told_once(tmp_path, monkeypatch):
    store, write = Packs(tmp_path, 2**22), packs._write
    store.put(key(0), value(0))
    def full(file, data, at):
        if len(data) > 1000: raise OSError(errno.ENOSPC, 'No space left on device')
        write(file, data, at)
    with monkeypatch.context() as m:
        m.setattr(packs, '_write', full)
        assert 'disk is full' in told_once(lambda: [store.put(key(i), value(i)) for i in (1, 2)])
    assert store.put(key(3), value(3)) and is_right(store, 4) == 2


@pytest.fixture
def disk(tmp_path):
    "A disk of its own; skips where that is not allowed"
    folder = tmp_path/'disk'
    folder.mkdir()
    mount = ['mount', '-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', folder]
    if os.getuid() or not shutil.which('mount') or subprocess.run(mount, capture_output=True).returncode: pytest.skip('mounting a disk needs root')
    yield folder
    subprocess.run(['umount', folder], check=True)


@pytest.mark.parametrize('left', [0, 4096, 100_000])
def test_a_disk_that_is_really_full(disk, left):
    "… before there is an index, or when there is no room for a value; deleting something is enough"
    (disk/'other').write_bytes(bytes(shutil.disk_usage(disk).free//4096*4096 - left))
    store = Packs(disk/'samples', 2**22)
    assert 'disk is full' in told_once(lambda: [store.put(key(i), value(i)) for i in range(8)])
    (disk/'other').unlink()
    assert all(store.put(key(i), value(i)) for i in range(8)) and is_right(Packs(disk/'samples', 2**22), 8) == 8


@pytest.mark.parametrize('filled', [True, False])
def test_a_folder_that_may_only_be_read(disk, npy, filled):
    "What it holds is used, and a dataset works"
    def opened(): return LazyNPYDataset(npy, image_size=(32, 32), cache=DiskCache('2MB', disk/'samples'))
    if filled: opened()[0]
    subprocess.run(['mount', '-o', 'remount,ro', disk], check=True)
    try:
        ds = opened()
        assert 'not kept here' in told_once(lambda: [ds[i] for i in range(4)])
        assert ds.cache_info()[:2] == ((1, 3) if filled else (0, 4))
    finally: subprocess.run(['mount', '-o', 'remount,rw', disk], check=True)


OTHER = '''
import os, sys, warnings
import numpy as np
import filelock # which is else loaded with the first lock
import xxhash
from ear_lazy.loading.packs import Packs
os.setgroups([]), os.setgid(65534), os.setuid(65534) # only now: Python itself may be where others may not look
warnings.simplefilter('error')
store, key = Packs(sys.argv[1], 2**22), lambda i: xxhash.xxh3_128_digest(i.to_bytes(8, 'little'))
found = store.get(key(0))
try: store.put(key(1), np.zeros(9, np.uint8))
except UserWarning as e: print(None if found is None else len(found), e)
'''


@pytest.mark.skipif(not hasattr(os, 'getuid') or os.getuid() != 0, reason='being another user needs root')
@pytest.mark.parametrize('mode, found', [(0o755, '20000'), (0o700, 'None')])
@pytest.mark.slow
def test_a_folder_of_another_user(mode, found):
    "What may be read is used"
    with tempfile.TemporaryDirectory() as folder: # whose parents let all in
        Path(folder).chmod(0o755)
        store = Packs(Path(folder)/'samples', 2**22)
        store.put(key(0), value(0))
        store.folder.chmod(mode)
        said = subprocess.run([sys.executable, '-c', OTHER, store.folder], capture_output=True, text=True, check=True).stdout
        assert said.startswith(found) and 'not kept here' in said and 'Permission denied' in said


def test_a_larger_budget_later(tmp_path):
    "What a small one has kept is still found, and there is room for more than it had places for"
    small, large = Packs(tmp_path, 2**20), Packs(tmp_path, 2**24)
    for i in range(20): small.put(key(i), value(i))
    kept = is_right(small, 20)
    for i in range(20, 400): large.put(key(i), value(i))
    assert kept > 15 and is_right(large, 20) == kept and is_right(large, 400) == 380 + kept
    small._looked = -1 # else it looks once a second
    assert is_right(small, 400) == 380 + kept
    for i in range(400, 440): small.put(key(i), value(i)) # keeps to its own budget
    assert sum(o.stat().st_size for o in tmp_path.glob('*.pack')) <= 2**20


def test_an_index_of_another_version(tmp_path):
    "One of an earlier version is made anew; one of a later version is left alone"
    store, index = Packs(tmp_path, 2**22), tmp_path/'index'
    for version in (b'0', b'2'):
        store.put(key(0), value(0))
        data = index.read_bytes()
        index.write_bytes(packs._OURS + version + data[16:])
        again = Packs(tmp_path, 2**22)
        assert again.get(key(0)) is None
        if version == b'0': assert again.put(key(1), value(1)) and is_right(again, 2) == 1
        else:
            assert 'later version' in told_once(again.put, key(1), value(1))
            assert index.read_bytes().startswith(packs._OURS + b'2')
        store = Packs(tmp_path, 2**22)


def test_a_folder_that_is_a_link(tmp_path):
    "… to a larger disk is used, and stays one"
    (tmp_path/'large').mkdir()
    (tmp_path/'samples').symlink_to('large')
    store = Packs(tmp_path/'samples', 2**22)
    assert store.put(key(0), value(0)) and is_right(store, 1) == 1
    assert (tmp_path/'samples').is_symlink() and (tmp_path/'large/index').exists()
    store.clear()
    assert (tmp_path/'samples').is_symlink()


def test_what_a_killed_process_left_is_removed(tmp_path):
    (tmp_path/f'index-{"0"*32}').write_bytes(b'half')
    (tmp_path/'index-mine').write_text('mine')
    Packs(tmp_path, 2**22).put(key(0), value(0))
    assert sorted(o.name for o in tmp_path.iterdir()) == [f'{1:010}.pack', 'index', 'index-mine', 'lock']


def test_a_process_that_holds_the_lock_for_ever(tmp_path, monkeypatch):
    "… as one that was stopped does: others go on without keeping"
    store = Packs(tmp_path, 2**22)
    store.put(key(0), value(0))
    monkeypatch.setattr(packs, '_MOST_SECONDS', .05)
    with OpenFolder(tmp_path) as folder, lock_in(folder):
        assert 'not kept here' in told_once(lambda: [store.put(key(i), value(i)) for i in (1, 2)])
        assert bytes(store.get(key(0))) == value(0).tobytes()
    assert store.put(key(1), value(1))


def test_a_moment_to_remove_it(tmp_path):
    "The folder goes again and again while two threads use it"
    store, end = Packs(tmp_path/'samples', 2**22), time.monotonic() + .4
    def use(start):
        i = start
        while time.monotonic() < end:
            i += 1
            store.put(key(i % 50), value(i % 50))
            store._looked = -1
            found = store.get(key(i % 50))
            assert found is None or bytes(found) == value(i % 50).tobytes()
    with ThreadPoolExecutor(2) as pool, warnings.catch_warnings():
        warnings.simplefilter('ignore') # that something was not kept
        used = [pool.submit(use, o) for o in (0, 7)]
        while time.monotonic() < end: shutil.rmtree(store.folder, ignore_errors=True)
        for o in used: o.result()


def test_the_budget_is_kept_by_all_together(tmp_path):
    stores = [Packs(tmp_path, 2**22) for _ in range(3)]
    def fill(store, start):
        for i in range(start, start + 100): store.put(key(i), value(i))
    threads = [threading.Thread(target=fill, args=(o, 100*n)) for n, o in enumerate(stores)]
    for o in threads: o.start()
    for o in threads: o.join()
    assert sum(o.stat().st_size for o in tmp_path.iterdir() if o.suffix == '.pack') <= 2**22
    assert is_right(Packs(tmp_path, 2**22), 300) > 50


def test_what_was_used_stays(tmp_path):
    store = Packs(tmp_path, 2**22)
    store.pack_bytes = 2**18
    for i in range(12): store.put(key(i), value(i)) # the first pack, or two
    for i in range(12, 500):
        store.put(key(i), value(i))
        if i % 5 == 0:
            store._used.clear() # else it says so once a second
            assert store.get(key(0)) is not None, i
    assert store.get(key(30)) is None


WRITER = '''
import sys
import numpy as np
import xxhash
from ear_lazy.loading.packs import Packs
store, i = Packs(sys.argv[1], 2**22), 0
print('ready', flush=True)
while True:
    n = i % 1000
    store.put(xxhash.xxh3_128_digest(n.to_bytes(8, 'little')), np.full(20_000 + 97*(n % 50), n % 251, np.uint8)) # as `key` and `value`
    i += 1
'''


@pytest.mark.parametrize('kills', [2, pytest.param(50, marks=pytest.mark.slow)])
def test_killed_at_any_moment(tmp_path, kills):
    found = 0
    for n in range(kills):
        writer = subprocess.Popen([sys.executable, '-c', WRITER, tmp_path], stdout=subprocess.PIPE)
        assert writer.stdout.readline() == b'ready\n'
        time.sleep(.03 + .011*n)
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        store = Packs(tmp_path, 2**22)
        found = max(found, is_right(store, 1000))
        assert store.put(key(5000), value(5000)) and bytes(store.get(key(5000))) == value(5000).tobytes()
    assert found


def test_a_class_is_no_cache(npy):
    with pytest.raises(TypeError, match='cache is a SharedCache'): LazyNPYDataset(npy, cache=DiskCache)


def test_an_index_is_closed_with_its_cache(tmp_path, recwarn):
    store = Packs(tmp_path, 2**22)
    store.put(key(0), value(0))
    del store
    assert not [o for o in recwarn if o.category is ResourceWarning]


@pytest.mark.parametrize('left', [0, 20, 1000, 5000])
def test_an_index_cut_short_while_it_is_used(tmp_path, left):
    "It is made anew"
    store = Packs(tmp_path, 2**24)
    for i in range(5): store.put(key(i), value(i))
    os.truncate(tmp_path/'index', left)
    assert is_right(store, 5) <= 5
    assert store.put(key(7), value(7)) and is_right(store, 8) >= 1 and len(store) >= 1


def test_an_index_cut_short_at_any_moment(tmp_path):
    "… is told, and nothing raises"
    store = Packs(tmp_path, 2**22)
    store.put(key(0), value(0))
    index = store._index
    os.truncate(tmp_path/'index', 5000)
    store._open = lambda folder: index # as if it had been looked at just before
    assert 'cut short' in told_once(store.put, key(1), value(1))
    assert (store.get(key(0)), len(store)) == (None, 0)


def test_a_pack_number_beyond_names(tmp_path):
    "A damaged head may not lead to packs that nobody counts"
    store = Packs(tmp_path, 2**22)
    store.put(key(0), value(0))
    with (tmp_path/'index').open('r+b') as f: f.write(packs._HEAD.pack(packs._MAGIC, packs._groups(2**22), 10**12))
    again = Packs(tmp_path, 2**22)
    assert again.put(key(1), value(1)) and is_right(again, 2) == 1
    assert sorted(o.name for o in tmp_path.glob('*.pack')) == [f'{1:010}.pack']


def test_a_lock_held_for_ever_is_waited_for_once(tmp_path, monkeypatch):
    store = Packs(tmp_path, 2**22)
    store.put(key(0), value(0))
    monkeypatch.setattr(packs, '_MOST_SECONDS', .3)
    with OpenFolder(tmp_path) as folder, lock_in(folder):
        start = time.perf_counter()
        assert 'another process' in told_once(lambda: [store.put(key(i), value(i)) for i in range(1, 20)])
        assert time.perf_counter() - start < 3
    assert store.put(key(1), value(1)) and store._patient


def test_what_several_decode_at_once_is_kept_once(tmp_path):
    stores = [Packs(tmp_path, 2**22) for _ in range(3)]
    for store in stores: assert store.put(key(0), value(0))
    assert stores[0].nbytes < 2*len(value(0))
    stores[1].put(key(0), value(1)) # another value replaces it
    assert bytes(stores[2].get(key(0))) == value(1).tobytes()


def test_information_on_a_folder_that_is_gone(tmp_path):
    cache = DiskCache('2MB', tmp_path/'samples')
    cache.put(b'a', (np.ones(3),))
    assert cache.get(b'a') is not None
    shutil.rmtree(cache.folder)
    assert cache.info().currsize == cache.nbytes == 0


def test_removed_while_it_is_written_to(tmp_path, monkeypatch):
    "What is written next is kept, without a word"
    store, begin = Packs(tmp_path/'samples', 2**22), Packs._begin
    def removed(self, folder):
        monkeypatch.setattr(Packs, '_begin', begin)
        shutil.rmtree(store.folder)
        return begin(self, folder)
    monkeypatch.setattr(Packs, '_begin', removed)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert store.put(key(0), value(0)) and is_right(store, 1) == 1


@pytest.mark.parametrize('format', ['webp', 'jpeg'])
def test_a_format_keeps_images_alone(tmp_path, format):
    "Anything else would come out as something else"
    cache = DiskCache('2MB', tmp_path, format=format)
    for o in (np.arange(5, dtype=np.uint8), np.ones((4, 4, 3), np.float32), np.ones((4, 4, 1), np.uint8), np.ones((4, 4, 4), np.uint8)):
        with pytest.raises(TypeError, match=f'{format} keeps images'): cache.put(b'a', (o,))


def test_no_cache_of_a_combined_dataset_is_filled_if_one_has_none(ds):
    both = CombinedLazyDataset([ds, CombinedLazyDataset([LazyNPYDataset(ds.metadata.path)])])
    with pytest.raises(ValueError, match='no cache of .*train_detector.npy to fill'): both.warm_cache(progress=False)
    assert ds.cache_info().currsize == 0


def test_what_exceeds_the_budget_is_told(npy, tmp_path):
    "… before it is decoded, in one line; what fits is not"
    small = LazyNPYDataset(npy, image_size=(400, 400), cache=DiskCache('2MB', tmp_path/'small'))
    with pytest.warns(UserWarning, match=f'the pictures take {len(small)*480_000:,} bytes, the cache holds 2,000,000') as told: small.warm_cache(progress=False)
    assert len(told) == 1 and '\n' not in str(told[0].message)
    width = 1_200_000//300//len(small)
    one, other = (LazyNPYDataset(npy, image_size=(100, o), cache=small._cache) for o in (width, width - 1))
    with pytest.warns(UserWarning, match='the pictures take 2,') as told: CombinedLazyDataset([one, other]).warm_cache(progress=False) # one alone would fit
    assert len(told) == 1
    with pytest.warns(UserWarning, match='the cache holds 3:'): LazyNPYDataset(npy, cache_size=3).warm_cache(progress=False)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert CombinedLazyDataset([one, one[::-2], one]).warm_cache(progress=False) == 0 # each picture once
        for options in (dict(image_size=(64, 64)), dict(image_size=(64, 64), transform=lambda o: o)):
            assert LazyNPYDataset(npy, **options, cache=DiskCache('20MB', tmp_path/'large')).warm_cache(progress=False) == 0


@pytest.mark.parametrize('num_threads', [-1, 0, 1.5])
def test_no_number_of_threads(ds, num_threads):
    for o in (ds, CombinedLazyDataset([ds, ds])):
        with pytest.raises((TypeError, ValueError), match='num_threads'): o.warm_cache(num_threads, progress=False)


def test_two_caches_of_one_folder_count_once(ds):
    other = opened_again(ds)
    (ds._cache.folder.parent/'link').symlink_to(ds._cache.folder)
    third = LazyNPYDataset(ds.metadata.path, image_size=(64, 64), cache=DiskCache('20MB', ds._cache.folder.parent/'link'))
    both = CombinedLazyDataset([ds, other, third])
    ds.warm_cache(progress=False)
    for i in range(len(both)): both[i]
    assert both.cache_info() == (3*len(ds), len(ds), None, len(ds))


def test_what_a_large_index_holds_is_found_among_its_holes(tmp_path, monkeypatch):
    "… reading little else, with the same result where the file system tells nothing of holes"
    store, read = Packs(tmp_path, 10**11), []
    for i in range(300): store.put(key(i), value(i))
    real = packs._whole
    monkeypatch.setattr(packs, '_whole', lambda file, size, at: read.append(size) or real(file, size, at))
    assert len(store) == 300
    little = sum(read)
    def told_nothing(*_): raise OSError(errno.EINVAL, 'no holes here')
    monkeypatch.setattr(packs.os, 'lseek', told_nothing)
    assert len(store) == 300 and sum(read) > 3*little
    monkeypatch.delattr(packs.os, 'SEEK_DATA')
    assert len(store) == 300
    assert sum(o is not None for o in store.read_many([None, *map(key, range(301))], lambda *_: None)) == 300
