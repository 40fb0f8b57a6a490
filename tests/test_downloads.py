"Remote images on the local disk: always those of this server and of this publication, whole, and never at the cost of an image"
import os
import pickle
import shutil
import subprocess
import time
import warnings
from io import BytesIO

import numpy as np
import pytest
from bucket import Server
from faulty_http import Answer, serving_faulty
from making import process
from PIL import Image

from ear_lazy.base import downloads, storage
from ear_lazy.disk_cache import DiskCache
from ear_lazy.errors import ImageLoadError, StorageError
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.loading import versions
from ear_lazy.shared_cache import SharedCache
from ear_lazy.synthetic import write_raw

NPY, ROWS = 'out/train_detector.npy', range(6)


def made(folder, **options):
    write_raw(folder/'raw', images=12, **options)
    process(folder/'raw', folder/'out')
    return folder


@pytest.fixture(scope='module')
def local(tmp_path_factory): return made(tmp_path_factory.mktemp('first'))


@pytest.fixture(scope='module')
def later(tmp_path_factory):
    "The same files by name, with other pictures and other boxes"
    return made(tmp_path_factory.mktemp('later'), seed=1)


@pytest.fixture(scope='module')
def retouched(tmp_path_factory, local):
    "Other pictures, and the same metadata"
    folder = tmp_path_factory.mktemp('retouched')
    shutil.copytree(local, folder, dirs_exist_ok=True)
    for path in pictures(folder): path.write_bytes(inverted(path))
    return folder


def pictures(folder): return [o for o in folder.glob('raw/**/*') if o.suffix in ('.jpg', '.png')]


def inverted(path):
    out = BytesIO()
    with Image.open(path) as im: Image.fromarray(255 - np.asarray(im)).save(out, im.format)
    return out.getvalue()


@pytest.fixture
def web(tmp_path, monkeypatch):
    "A web server that can be faulty, and an empty cache folder"
    monkeypatch.setenv('EAR_LAZY_CACHE', str(tmp_path/'cache'))
    monkeypatch.setattr(downloads, '_warned', set())
    monkeypatch.setattr(downloads, '_counted', {})
    with serving_faulty() as server: yield server


def publish(server, folder): server.files = {f'/{o.relative_to(folder)}': o.read_bytes() for o in folder.rglob('*') if o.is_file()}


def upload(folder): storage.filesystem('s3://bucket').put(f'{folder}/', 'bucket/data', recursive=True)


def check(there, folder):
    here = LazyNPYDataset(folder/NPY)
    for i in ROWS:
        assert (there[i]['image'] == here[i]['image']).all() and np.array_equal(there[i]['bboxes'], here[i]['bboxes'])


def opened(url, **options): return LazyNPYDataset(f'{url}/{NPY}', **{'download_cache': '50MB'} | options)


def images_asked(server): return [o for o in server.requests if o[0] == 'GET' and '/raw/' in o[1]]


def kept(): return [o for o in (storage.cache_dir()/'images').glob('*/*') if o.is_file()]


# Which picture it is

def test_a_dataset_published_anew_over_s3(s3, local, later):
    upload(local)
    check(opened('s3://bucket/data'), local)
    s3.forget()
    check(opened('s3://bucket/data'), local)
    assert images_asked(s3) == []
    upload(later)
    check(opened('s3://bucket/data'), later)
    s3.forget()
    check(opened('s3://bucket/data'), later)
    names = {LazyNPYDataset(o/NPY).get_metadata(i)['image_path'].partition('/raw/')[2] for o in (local, later) for i in ROWS}
    assert images_asked(s3) == [] and len(kept()) == len(names), 'no request more than before, and nothing kept twice'


def test_what_did_not_change_is_not_sent_again(s3, local):
    "A new version asks once for each image, and gets no bytes"
    upload(local)
    check(opened('s3://bucket/data'), local)
    for asked in (6, 0):
        s3.forget()
        cache = downloads.DownloadCache(10**8, 'another version')
        ds = opened('s3://bucket/data')
        urls = [ds.get_metadata(i)['image_path'] for i in ROWS]
        found = [cache.read(o, 10**8) for o in urls]
        for url, o in zip(urls, found, strict=True): cache.put(url, o)
        assert len(images_asked(s3)) == asked


def test_a_photo_of_three_kinds_is_asked_for_once(s3, local, later):
    "In the first epoch, and after they are published anew"
    for folder in (local, later):
        upload(folder)
        kinds = [opened_kind(o) for o in ('detector', 'landmarker', 'teacher')]
        photos = [{o.get_metadata(i)['image_path'] for i in range(len(o))} for o in kinds]
        s3.forget()
        for o in kinds: o.get_batch(range(len(o)))
        assert len(images_asked(s3)) == len(set.union(*photos)) < sum(map(len, photos))


def opened_kind(kind): return LazyNPYDataset(f's3://bucket/data/out/train_{kind}.npy', download_cache='50MB')


def test_a_dataset_published_anew_over_http(web, local, later):
    publish(web, local)
    check(opened(web.url), local)
    publish(web, later)
    check(opened(web.url), later)
    web.forget()
    check(opened(web.url), later)
    assert images_asked(web) == []


def test_pictures_published_anew_with_the_metadata_of_before(web, s3, local, retouched):
    "Told by the time at which the metadata was written"
    publish(web, local)
    upload(local)
    for url in (web.url, 's3://bucket/data'): check(opened(url), local)
    publish(web, retouched)
    web.modified = 'Tue, 02 Jan 2024 00:00:00 GMT'
    time.sleep(1.1) # S3 has whole seconds
    upload(retouched)
    for url in (web.url, 's3://bucket/data'): check(opened(url), retouched)


def test_metadata_here_and_images_there(web, local, later, tmp_path):
    publish(web, local)
    shutil.copytree(local/'out', tmp_path/'out')
    def ds(): return LazyNPYDataset(tmp_path/NPY, root_dir=f'{web.url}/raw', download_cache='50MB')
    check(ds(), local)
    publish(web, later)
    shutil.copytree(later/'out', tmp_path/'out', dirs_exist_ok=True)
    check(ds(), later)


@pytest.mark.parametrize('kind', ['shared', 'disk'])
def test_a_cache_of_decoded_samples_that_outlives_the_dataset(web, local, later, tmp_path, kind):
    "… is not asked about, and has what was published anew"
    shared = SharedCache('50MB') if kind == 'shared' else None
    def ds(): return opened(web.url, download_cache=0, cache=shared or DiskCache('50MB', tmp_path/'samples'))
    for folder in (local, later):
        publish(web, folder)
        check(ds(), folder)
        again = ds()
        web.forget()
        check(again, folder)
        again.get_batch(ROWS)
        assert web.requests == [], 'no request a sample'


def test_photos_without_annotation_are_known_by_the_listing(s3, local, tmp_path):
    upload(local)
    fs, (a, b) = storage.filesystem('s3://bucket'), pictures(local)[:2]
    for o in (a, b): fs.pipe_file(f'bucket/data/raw/new/{o.name}', o.read_bytes())
    def ds(): return opened('s3://bucket/data', download_cache=0, cache=DiskCache('50MB', tmp_path/'samples')).unlabelled()
    def images(ds): return {os.path.basename(o['image_path']): o['image'] for o in ds}
    first, again = images(ds()), ds()
    s3.forget()
    assert first.keys() >= {a.name, b.name} and all((o == first[k]).all() for k, o in images(again).items()) and images_asked(s3) == []
    fs.pipe_file(f'bucket/data/raw/new/{a.name}', inverted(a))
    assert [k for k, o in images(ds()).items() if (o != first[k]).any()] == [a.name]


def test_photos_of_a_bucket_are_known_by_the_listing(s3, local, tmp_path):
    "… replaced or not, also after another run; nothing is asked for a sample"
    upload(local)
    fs = storage.filesystem('s3://bucket')
    def ds(): return opened('s3://bucket/data', download_cache=0, cache=DiskCache('50MB', tmp_path/'samples'))
    def images(ds): return {os.path.basename(o['image_path']): o['image'] for o in ds}
    first, again = images(ds()), ds()
    s3.forget()
    assert all((o == first[k]).all() for k, o in images(pickle.loads(pickle.dumps(again))).items()) and s3.requests == []
    url = again.get_metadata(0)['image_path']
    fs.pipe_file(url, inverted(local/url.removeprefix('s3://bucket/data/')))
    s3.forget()
    now = images(ds())
    assert [k for k, o in now.items() if (o != first[k]).any()] == [os.path.basename(url)] and len(images_asked(s3)) == 1
    with fs.open('bucket/data/out/train_detector.npy', 'rb') as f: same = f.read()
    time.sleep(1.1) # S3 has whole seconds
    fs.pipe_file('bucket/data/out/train_detector.npy', same)
    s3.forget()
    assert all((o == now[k]).all() for k, o in images(ds()).items()) and images_asked(s3) == [], 'of another run, and yet of the same photos'


def test_a_bucket_that_may_not_be_listed(s3, local, tmp_path, monkeypatch):
    "… is told, and its photos are known by the run"
    upload(local)
    def refused(url): raise StorageError('listing is not allowed', url)
    monkeypatch.setattr(versions, 'list_folder', refused)
    def ds(**options): return opened('s3://bucket/data', download_cache=0, cache=DiskCache('50MB', tmp_path/'samples'), **options)
    with pytest.warns(UserWarning, match='cannot be listed, so a photo that is replaced there without a new run is not seen by the disk cache: listing is not allowed'): first = ds()
    check(first, local)
    check(ds(trust_files=True), local)


def test_the_same_key_at_another_endpoint(s3, local, retouched, monkeypatch):
    "Two servers, each with its own bucket of the same name"
    upload(local)
    check(opened('s3://bucket/data'), local)
    moved = storage.filesystem('s3://bucket')
    ds = opened('s3://bucket/data')
    urls = [ds.get_metadata(i)['image_path'] for i in ROWS]
    first = [downloads.DownloadCache(10**8, 'same').read(o, 10**8) for o in urls]
    cache = downloads.DownloadCache(10**8, 'same')
    for o in urls: cache.put(o, cache.read(o, 10**8))
    second = Server()
    try:
        monkeypatch.setenv('AWS_ENDPOINT_URL', second.url)
        moved.clear_instance_cache()
        upload(retouched) # moto keeps one bucket for all servers of a process
        again = [cache.read(o, 10**8) for o in urls]
        assert all(a != b for a, b in zip(first, again)) and len(images_asked(second)) == len(ROWS)
    finally:
        moved.clear_instance_cache()
        second.stop()


def test_what_another_user_or_token_gets(web, local, retouched):
    "The same names give other pictures; nothing of one is shown to another"
    publish(web, local)
    def answer(request, right):
        one = '2' in request.path.partition('?')[2] or 'Authorization' in request.headers
        path = (retouched if one else local)/request.path.partition('?')[0][1:]
        return Answer(200, path.read_bytes(), {'ETag': f'"{hash(path.read_bytes())}"'})
    web.answer = answer
    def ds(root): return LazyNPYDataset(local/NPY, root_dir=root, download_cache='50MB')
    first, second = ([f'{web.url}/raw?{name}={n}' for name in ('token', 'author')] for n in (1, 2))
    second.append(f'{web.url}/raw'.replace('://', '://bob:geheim@'))
    for _ in range(2):
        for root in first: check(ds(root), local)
        for root in second: check(ds(root), retouched)
    twice, (once, other) = [ds(second[0]) for _ in range(2)], (ds(o) for o in (first[0], second[0]))
    for i in ROWS: assert (once[i]['image'] != other[i]['image']).any()
    check(twice[0], retouched)
    web.forget()
    check(twice[1], retouched)
    assert images_asked(web) == [], 'one question a process'


# Whole, and decoded

def fault_once(wrong, times=1):
    "Answers wrongly the first times that an image is asked for"
    seen = {}
    def answer(request, right):
        if '/raw/' not in request.path: return None
        seen[request.path] = seen.get(request.path, 0) + 1
        return wrong(right) if seen[request.path] <= times else None
    return answer


WRONG = {'a login page': lambda right: Answer(200, b'<html>Sign in</html>'),
         'half': lambda right: right._replace(body=right.body[:len(right.body)//2], headers={}),
         'half, as if whole': lambda right: Answer(200, right.body[:len(right.body)//2]),
         'a short 206': lambda right: right._replace(body=right.body[:100]),
         'empty': lambda right: Answer(200, b''),
         'cut': lambda right: right._replace(cut=100)}


@pytest.mark.parametrize('batch', (False, True), ids=('rows', 'batch'))
@pytest.mark.parametrize('wrong', WRONG)
def test_what_is_not_an_image_is_fetched_once_more_and_not_kept(web, local, wrong, batch):
    publish(web, local)
    ds = opened(web.url)
    web.answer = fault_once(WRONG[wrong])
    if batch: assert len(ds.get_batch([*ROWS, 0])['image']) == 7
    check(ds, local)
    web.answer = None
    web.forget()
    check(opened(web.url), local)
    assert images_asked(web) == [] and len(kept()) == len(ROWS)


@pytest.mark.parametrize('wrong', ['a login page', 'a short 206'])
def test_what_stays_wrong_is_an_error_until_it_is_right(web, local, wrong, monkeypatch):
    monkeypatch.setattr(storage, 'PATIENCE_SECONDS', .1)
    publish(web, local)
    ds = opened(web.url)
    web.answer = fault_once(WRONG[wrong], 10**9)
    with pytest.raises(ImageLoadError) as caught: ds[0]
    assert caught.value.row == 0 and caught.value.fault == ('not_image' if wrong == 'a login page' else 'unreachable') and kept() == []
    web.answer = None
    check(ds, local)


def test_a_short_206_is_no_image_without_a_cache(web, local):
    publish(web, local)
    ds = opened(web.url, download_cache=0)
    web.answer = fault_once(WRONG['a short 206'])
    check(ds, local)


@pytest.mark.parametrize('damage', [b'', b'ear_lazy 9 ', b'<html>'])
def test_a_kept_file_that_was_damaged_is_fetched_anew(web, local, damage):
    publish(web, local)
    check(opened(web.url), local)
    for o in kept(): o.write_bytes(damage)
    check(opened(web.url), local)
    web.forget()
    check(opened(web.url), local)
    assert images_asked(web) == []


def test_good_images_take_no_request_more(web, s3, local):
    publish(web, local)
    upload(local)
    for server, url in ((web, web.url), (s3, 's3://bucket/data')):
        ds = opened(url)
        for asked in (len(ROWS), 0):
            server.forget()
            ds.get_batch(ROWS)
            assert len(server.requests) == asked


# The disk

def mounted(folder, *options):
    "A disk of its own; None where that is not allowed"
    folder.mkdir(exist_ok=True)
    ok = os.getuid() == 0 and shutil.which('mount') and subprocess.run(['mount', *options, folder], capture_output=True).returncode == 0
    if not ok: pytest.skip('mounting a disk needs root')
    return folder


@pytest.fixture
def disk(tmp_path, web):
    "The cache folder as a disk of 256 KiB"
    folder = mounted(tmp_path/'cache', '-t', 'tmpfs', '-o', 'size=256k', 'tmpfs')
    yield folder
    subprocess.run(['umount', folder], check=True)


def fill(disk): (disk/'full').write_bytes(bytes(shutil.disk_usage(disk).free//4096*4096))


def one_warning(use):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter('always')
        use()
    assert [str(o.message).partition(',')[0] for o in found] == ['images are loaded but not kept'] and 'EAR_LAZY_CACHE' in str(found[0].message)


def test_a_full_disk_costs_one_warning(web, disk, local):
    publish(web, local)
    ds = opened(web.url)
    fill(disk)
    one_warning(lambda: [check(o, local) for o in (ds, opened(web.url))])
    (disk/'full').unlink()
    check(ds, local)
    web.forget()
    check(opened(web.url), local)
    assert images_asked(web) == []


def test_a_read_only_disk_costs_one_warning_and_what_it_holds_is_used(web, disk, local):
    publish(web, local)
    ds = opened(web.url)
    ds[0]
    for o in disk.rglob('*'): o.chmod(0o755) # as one that was made for all to read
    subprocess.run(['mount', '-o', 'remount,ro', disk], check=True)
    try:
        web.forget()
        assert opened(web.url)[0]['image'].size and images_asked(web) == [], 'a filled cache opens, without a word'
        one_warning(lambda: check(opened(web.url), local))
    finally: subprocess.run(['mount', '-o', 'remount,rw', disk], check=True)


def test_a_read_only_disk_that_is_empty(web, disk, local):
    publish(web, local)
    subprocess.run(['mount', '-o', 'remount,ro', disk], check=True)
    try: one_warning(lambda: check(LazyNPYDataset(local/NPY, root_dir=f'{web.url}/raw', download_cache='1MB'), local))
    finally: subprocess.run(['mount', '-o', 'remount,rw', disk], check=True)


@pytest.mark.parametrize('note', [b'', b'\xff', b'1', b'9'*18, None])
def test_a_damaged_count_is_counted_again(web, local, note):
    publish(web, local)
    names = [LazyNPYDataset(local/NPY).get_metadata(i)['image_path'] for i in ROWS]
    most = sum(map(os.path.getsize, names[:4])) + 1000
    ds = opened(web.url, download_cache=most)
    ds[0]
    path = storage.cache_dir()/'images/bytes'
    path.write_bytes(note) if note is not None else path.unlink()
    check(ds, local)
    assert 1 < len(kept()) < len(ROWS) and sum(o.stat().st_size for o in kept()) <= most


def test_files_deleted_by_hand_leave_room(web, local):
    publish(web, local)
    ds = opened(web.url, download_cache='30kB')
    check(ds, local)
    full = len(kept())
    assert 0 < full < len(ROWS)
    for o in kept(): o.unlink()
    downloads._counted.clear() # as a minute later
    check(ds, local)
    assert len(kept()) == full
    shutil.rmtree(storage.cache_dir())
    check(ds, local)
    assert len(kept()) == full
