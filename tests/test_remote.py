"Metadata and images in a bucket, on a server that speaks S3's protocol: the same samples, and errors that say what to do"
import shutil
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Barrier, Thread, current_thread, main_thread

import numpy as np
import pytest
from making import process
from torch.utils.data import DataLoader

from ear_lazy import lazy_dataset
from ear_lazy.base import storage
from ear_lazy.errors import ImageLoadError, MetadataError, OutputError, RawDataError, StorageError
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.loading import row_dataset
from ear_lazy.shared_cache import SharedCache
from ear_lazy.synthetic import write_raw

URL = 's3://bucket/data/out/train_detector.npy'


@pytest.fixture(scope='module')
def local(tmp_path_factory):
    folder = tmp_path_factory.mktemp('local')
    write_raw(folder / 'raw', images=40)
    process(folder / 'raw', folder / 'out')
    return folder


@pytest.fixture
def bucket(s3, local, monkeypatch):
    "The server, with the raw data and the metadata in its bucket, and an empty cache folder"
    fs = storage.filesystem('s3://bucket')
    if not fs.exists('bucket/data/out'): fs.put(str(local), 'bucket/data', recursive=True)
    monkeypatch.setattr(storage, '_unsigned', set())
    s3.forget()
    return s3


@pytest.fixture
def impatient(monkeypatch):
    "What does not answer at once, does not"
    import s3fs
    monkeypatch.setenv('AWS_MAX_ATTEMPTS', '1')
    monkeypatch.setattr(s3fs.S3FileSystem, 'retries', 1)
    monkeypatch.setattr(storage, 'PATIENCE_SECONDS', .3)
    s3fs.S3FileSystem.clear_instance_cache()
    yield
    s3fs.S3FileSystem.clear_instance_cache()


def gets(server, ending): return [o for o in server.requests if o[0] == 'GET' and o[1].endswith(ending)]


def same(a, b):
    assert a.keys() == b.keys()
    for key in a:
        if key == 'image': assert (a[key] == b[key]).all()
        elif key != 'image_path': assert all(np.array_equal(x, y) for x, y in zip(a[key], b[key]))


@pytest.mark.parametrize('kind', ('detector', 'landmarker', 'teacher'))
def test_samples_are_the_same(bucket, local, kind):
    here, there = (LazyNPYDataset(f'{o}/out/train_{kind}.npy') for o in (local, 's3://bucket/data'))
    same(there[1], here[1])
    same(there.get_batch(range(8)), here.get_batch(range(8)))
    assert there[0]['image_path'].startswith('s3://bucket/data/raw/')
    assert there.get_metadata(0)['image_path'] == there[0]['image_path'] and repr(there) and there._repr_html_()


def test_root_dir_may_be_remote_alone(bucket, local):
    here = LazyNPYDataset(local / 'out/train_detector.npy')
    same(LazyNPYDataset(local / 'out/train_detector.npy', root_dir='s3://bucket/data/raw').get_batch(range(8)), here.get_batch(range(8)))
    same(LazyNPYDataset(URL, root_dir=local / 'raw').get_batch(range(8)), here.get_batch(range(8)))
    same(LazyNPYDataset(f'file://{local}/out/train_detector.npy').get_batch(range(8)), here.get_batch(range(8)))


def test_requests_of_a_batch_are_concurrent_and_bounded(bucket):
    ds = LazyNPYDataset(URL)
    bucket.latency = .05
    bucket.forget()
    ds.get_batch(range(20))
    assert 2 < bucket.highest <= storage.IN_FLIGHT
    assert len(bucket.requests) == len({o[1] for o in bucket.requests}) == 20 # one request an image


def test_images_come_by_signed_urls(bucket, local):
    ds = LazyNPYDataset(URL)
    bucket.forget()
    ds.get_batch(range(8))
    assert len(bucket.requests) == 8 and all('X-Amz-Signature=' in o[3] for o in bucket.requests)


@pytest.mark.parametrize('name', ("left ear/ü+~'=&%20.jpg", 'a//b', '#?.jpg'))
def test_names_of_every_kind_are_signed(bucket, name):
    storage.filesystem(URL).pipe_file(f'bucket/{name}', b'an image')
    bucket.forget()
    assert storage.read_whole(f's3://bucket/{name}') == b'an image'
    assert ['X-Amz-Signature=' in o[3] for o in bucket.requests] == [True]


@pytest.mark.parametrize('status', (403, 301))
def test_a_bucket_that_takes_no_signed_urls(bucket, local, status):
    ds = LazyNPYDataset(URL)
    bucket.refuse = lambda method, path: (status, 'SignatureDoesNotMatch', 'Who are you?') if 'Signature=' in path else None
    same(ds.get_batch(range(8)), LazyNPYDataset(local / 'out/train_detector.npy').get_batch(range(8)))
    bucket.forget()
    ds.get_batch(range(8))
    assert len(bucket.requests) == 8 and not any('Signature=' in o[3] for o in bucket.requests)


def test_a_proxy_is_for_the_client_alone(bucket, monkeypatch):
    ds = LazyNPYDataset(URL)
    monkeypatch.setattr(storage, '_http', None)
    monkeypatch.setattr('urllib.request.getproxies', lambda: {'https': 'http://127.0.0.1:9'})
    bucket.forget()
    ds[0]
    assert [o[3] for o in bucket.requests] == ['']


def test_cached_rows_are_not_fetched(bucket, tmp_path):
    for cache in (dict(cache_size=100), dict(cache=SharedCache('50MB')), dict(download_cache='50MB')):
        ds = LazyNPYDataset(URL, **cache)
        before = ds.get_batch(range(10))
        bucket.forget()
        same(ds.get_batch(range(10)), before)
        assert bucket.requests == []
        ds.get_batch(range(8, 12))
        assert len(bucket.requests) == 2


def test_disk_cache_keeps_its_bound(bucket, tmp_path):
    ds = LazyNPYDataset(URL, download_cache='60kB')
    for _ in range(2): ds.get_batch(range(20))
    kept = [o.stat().st_size for o in (tmp_path / 'cache/images').rglob('*') if o.is_file() and o.name not in ('lock', 'bytes')]
    assert 0 < sum(kept) <= 60_000


def test_forked_workers(bucket, local):
    here, there = (LazyNPYDataset(f'{o}/out/train_detector.npy') for o in (local, 's3://bucket/data'))
    there[0] # the threads and connections of this process must not come along
    for ds in (there, CombinedLazyDataset([there[:10], there[10:]])):
        batches = list(DataLoader(ds, 4, num_workers=2, multiprocessing_context='fork'))
        for a, b in zip(batches, DataLoader(here, 4), strict=True): same(a, b)


def test_a_worker_decodes_remote_images_with_two_threads_if_there_are_processors(bucket, local, tmp_path, monkeypatch):
    decode, threads = lazy_dataset.decode_image, Barrier(2)
    def with_another(*args, **kwargs):
        threads.wait(10) # for one thread alone it breaks
        return decode(*args, **kwargs)
    there, here = LazyNPYDataset(URL), LazyNPYDataset(local / 'out/train_detector.npy')
    before = next(iter(DataLoader(here, 8, num_workers=1, multiprocessing_context='fork')))
    monkeypatch.setattr(lazy_dataset, 'decode_image', with_another)
    monkeypatch.setattr(row_dataset, '_processors', lambda: 2)
    for ds in (there, CombinedLazyDataset([here[:4], there[4:]])):
        same(next(iter(DataLoader(ds, 8, num_workers=1, multiprocessing_context='fork'))), before)
    threads.wait = lambda seconds: current_thread() is main_thread() or sys.exit('another thread')
    same(next(iter(DataLoader(there, 8, num_workers=2, multiprocessing_context='fork'))), before) # as many workers as processors


def test_spawned_workers_use_one_copy_of_the_metadata(bucket, local, tmp_path):
    ds = LazyNPYDataset(URL)
    batches = list(DataLoader(ds, 8, num_workers=2, multiprocessing_context='spawn'))
    for a, b in zip(batches, DataLoader(LazyNPYDataset(local / 'out/train_detector.npy'), 8), strict=True): same(a, b)
    LazyNPYDataset(URL)
    assert len(gets(bucket, '.npy')) == 1
    assert len([*(tmp_path / 'cache/files').rglob('*.copy')]) == 1


def test_new_metadata_is_noticed(bucket, local):
    fs = storage.filesystem(URL)
    fs.put_file(str(local / 'out/train_detector.npy'), 'bucket/data/out/changing.npy')
    old = LazyNPYDataset('s3://bucket/data/out/changing.npy')
    fs.put_file(str(local / 'out/val_detector.npy'), 'bucket/data/out/changing.npy')
    assert (old.split, LazyNPYDataset('s3://bucket/data/out/changing.npy').split) == ('train', 'val')
    same(old.get_batch(range(3)), LazyNPYDataset(URL).get_batch(range(3)))


def test_shards_of_two_runs_are_not_mixed(bucket, local, tmp_path, monkeypatch):
    process(local / 'raw', tmp_path / 'out', shard_bytes=2000)
    fs, first = storage.filesystem(URL), 'bucket/data/sharded/train_detector.npy'
    fs.put(str(tmp_path / 'out') + '/', 'bucket/data/sharded', recursive=True)
    assert len(LazyNPYDataset(f's3://{first}', root_dir='s3://bucket/data/raw')) == len(LazyNPYDataset(URL))
    shutil.rmtree(tmp_path / 'cache') # or there would be nothing to fetch
    fetch = fs.get_file
    def meanwhile(path, *args, **kwargs): # as soon as the second shard is read, a run begins to replace them
        if path.endswith('-00001.npy'): fs.rm_file(first)
        return fetch(path, *args, **kwargs)
    monkeypatch.setattr(fs, 'get_file', meanwhile)
    with pytest.raises(MetadataError, match='no such file|replaced while'): LazyNPYDataset(f's3://{first}')


def refusing(status, code, message, times=10**9):
    left = [times]
    def refuse(method, path):
        left[0] -= 1
        return (status, code, message) if left[0] >= 0 else None
    return refuse


WRONG = [(refusing(403, 'AccessDenied', 'Access Denied'), 'denied', 'check the credentials'),
         (refusing(400, 'ExpiredToken', 'The provided token has expired.'), 'denied', 'the credentials have expired: renew them'),
         (refusing(503, 'SlowDown', 'Please reduce your request rate.'), 'unreachable', 'wants fewer requests'),
         (refusing(500, 'InternalError', 'We encountered an internal error.'), 'unreachable', 'try again later'),
         (refusing(404, 'NoSuchBucket', 'The specified bucket does not exist'), 'missing', 'no such file, folder or bucket')]

@pytest.mark.parametrize('refuse, fault, remedy', WRONG, ids=('denied', 'expired', 'slow down', 'internal', 'bucket'))
def test_errors_name_the_file_and_the_remedy(bucket, impatient, refuse, fault, remedy):
    ds = LazyNPYDataset(URL)
    bucket.refuse = refuse
    with pytest.raises(ImageLoadError, match=remedy) as caught: ds[3]
    assert (caught.value.fault, caught.value.row, caught.value.path) == (fault, 3, ds.get_metadata(3)['image_path'])
    with pytest.raises(ImageLoadError, match=remedy): ds.get_batch(range(4))
    with pytest.raises(MetadataError, match='s3://bucket/data/out/train_detector.npy: .*' if fault == 'unreachable' else remedy): LazyNPYDataset(URL)
    bucket.refuse = None
    ds.get_batch(range(4))


def test_no_network(bucket, impatient, monkeypatch):
    ds = LazyNPYDataset(URL)
    storage.filesystem(URL).clear_instance_cache()
    monkeypatch.setenv('AWS_ENDPOINT_URL', 'http://127.0.0.1:9') # nobody listens there
    with pytest.raises(ImageLoadError, match='check the network and the endpoint') as caught: ds[0]
    assert caught.value.fault == 'unreachable'
    with pytest.raises(MetadataError, match='check the network and the endpoint'): LazyNPYDataset(URL)


def test_no_credentials(bucket, impatient, monkeypatch, tmp_path):
    for name in ('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'): monkeypatch.delenv(name)
    for name in ('AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE'): monkeypatch.setenv(name, str(tmp_path / 'none'))
    storage.filesystem(URL).clear_instance_cache()
    with pytest.raises(MetadataError, match='check the credentials'): LazyNPYDataset(URL)


def test_what_passes_is_tried_again(bucket, impatient, monkeypatch):
    monkeypatch.setattr(storage, 'PATIENCE_SECONDS', 5)
    ds = LazyNPYDataset(URL)
    bucket.refuse = refusing(503, 'SlowDown', 'Please reduce your request rate.', times=2)
    assert ds[0]['image'].size and bucket.refuse('GET', '') is None


def test_export(bucket, tmp_path):
    ds = LazyNPYDataset(URL)[:3]
    ds.to_coco(tmp_path / 'a.json')
    assert 's3://bucket/data/raw/' in (tmp_path / 'a.json').read_text()
    ds.to_coco(tmp_path / 'b.json', images='copy')
    assert len([o for o in (tmp_path / 'b_images').rglob('*') if o.is_file()]) == 3
    with pytest.raises(ValueError, match='cannot be linked'): ds.to_coco(tmp_path / 'c.json', images='link')


def test_missing_images_are_skipped_and_counted(bucket, local):
    fs, name = storage.filesystem(URL), LazyNPYDataset(URL).get_metadata(0)['image_path'].removeprefix('s3://')
    fs.mv(name, name + '.gone')
    try:
        ds = LazyNPYDataset(URL, on_error='skip')
        with pytest.warns(UserWarning, match='no such file'): assert len(ds.get_batch(range(4))['image_path']) == 3
        assert ds.errors() == {'missing': 1}
    finally: fs.mv(name + '.gone', name)


def test_broken_images(bucket):
    fs, ds = storage.filesystem(URL), LazyNPYDataset(URL)
    name = ds.get_metadata(0)['image_path'].removeprefix('s3://')
    whole = fs.cat_file(name)
    try:
        for data, fault in ((b'', 'empty'), (b'no image', 'not_image'), (whole[:len(whole)//2], 'cut_off')):
            fs.pipe_file(name, data)
            with pytest.raises(ImageLoadError) as caught: ds[0]
            assert caught.value.fault == fault
        fs.pipe_file(name, whole + bytes(2**21))
        with pytest.raises(ImageLoadError, match='too many bytes') as caught: LazyNPYDataset(URL, max_pixels=1)[0]
        assert caught.value.fault == 'too_large'
    finally: fs.pipe_file(name, whole)


@pytest.mark.parametrize('package', ('fsspec', 's3fs'))
def test_a_missing_package_is_a_sentence(local, package, monkeypatch):
    monkeypatch.delitem(sys.modules['fsspec.registry']._registry, 's3', raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    for make in (lambda: LazyNPYDataset(URL), lambda: LazyNPYDataset(local / 'out/train_detector.npy', root_dir='s3://bucket')):
        with pytest.raises(ImportError, match=r"pip install 'ear_lazy\[remote\]'"): make()


def test_unknown_protocol():
    with pytest.raises(StorageError, match='fsspec knows no gopher:// URLs'): LazyNPYDataset('gopher://host/a.npy')


def test_a_cache_folder_that_cannot_be_written(bucket, tmp_path, monkeypatch):
    (tmp_path / 'file').touch()
    monkeypatch.setenv('EAR_LAZY_CACHE', str(tmp_path / 'file'))
    with pytest.raises(MetadataError, match='EAR_LAZY_CACHE=… chooses another'): LazyNPYDataset(URL)


class Quiet(SimpleHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def log_message(self, *_): pass


def test_a_web_server(local, tmp_path, monkeypatch):
    "Metadata and images may be there; raw data and outputs may not"
    monkeypatch.setenv('EAR_LAZY_CACHE', str(tmp_path / 'cache'))
    server = ThreadingHTTPServer(('127.0.0.1', 0), partial(Quiet, directory=local))
    thread, url = Thread(target=server.serve_forever), f'http://127.0.0.1:{server.server_port}'
    thread.start()
    try:
        here, there = (LazyNPYDataset(f'{o}/out/train_detector.npy') for o in (local, url))
        assert there.root == f'{url}/raw'
        same(there.get_batch(range(8)), here.get_batch(range(8)))
        with pytest.raises(MetadataError, match='no such file'): LazyNPYDataset(f'{url}/out/none.npy')
        with pytest.raises(ImageLoadError, match='no such file'): LazyNPYDataset(local / 'out/train_detector.npy', root_dir=f'{url}/none')[0]
        with pytest.raises(RawDataError, match='does not list the sizes of files'): process(f'{url}/raw', tmp_path / 'out')
        with pytest.raises(OutputError, match=url): process(local / 'raw', f'{url}/new')
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
