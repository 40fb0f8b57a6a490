"Web servers and S3 as they are: answers by their status, silence, renewed credentials, names that mean something in a URL"
import gzip
import json
import logging
import pickle
import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import parse_qs, unquote

import fsspec
import numpy as np
import pytest
from faulty_http import Answer, serving_faulty
from making import coco_dict, image, process, sound, text

from ear_lazy.base import retries, storage
from ear_lazy.base.compat import options_in_url
from ear_lazy.base.printable import public_url
from ear_lazy.errors import EarLazyError, ImageLoadError, MetadataError, RawDataError, StorageError
from ear_lazy.lazy_dataset import LazyNPYDataset

NPY, WAITS = 'out/train_detector.npy', storage.WAITS_SECONDS


@pytest.fixture(scope='module')
def local(tmp_path_factory):
    "Two images, all of them for training"
    folder = tmp_path_factory.mktemp('local')
    sound(folder/'raw')
    process(folder/'raw', folder/'out', ('detector',), 1)
    return folder


@pytest.fixture
def web(tmp_path, monkeypatch):
    "A web server that can be faulty, and an empty cache folder"
    monkeypatch.setenv('EAR_LAZY_CACHE', str(tmp_path/'cache'))
    with serving_faulty() as server: yield server


@pytest.fixture
def impatient(monkeypatch):
    "What does not answer at once does not; only the tries are counted"
    import s3fs
    monkeypatch.setenv('AWS_MAX_ATTEMPTS', '1')
    monkeypatch.setattr(s3fs.S3FileSystem, 'retries', 1)
    monkeypatch.setattr(storage, 'WAITS_SECONDS', (.01, .01))
    s3fs.S3FileSystem.clear_instance_cache()
    yield
    s3fs.S3FileSystem.clear_instance_cache()


def publish(server, folder): server.files = {f'/{o.relative_to(folder)}': o.read_bytes() for o in folder.rglob('*') if o.is_file()}


@pytest.fixture
def bucket(s3, local):
    "The same two images in a bucket"
    fs = storage.filesystem('s3://bucket')
    if not fs.exists('bucket/data'): fs.put(f'{local}/', 'bucket/data', recursive=True)
    s3.forget()
    return s3


def careful(error):
    "As in the tutorial"
    if error.fault in ('denied', 'unreachable'): raise error


def answering(status, ending, times=10**9, **more):
    "An answer in place of files of that ending"
    left = count()
    def answer(request, right):
        if request.path.partition('?')[0].endswith(ending) and next(left) < times: return Answer(status, **more)
    return answer


# Answers by their status

def longer(*cases): return [pytest.param(*o, marks=pytest.mark.slow) for o in cases]


@pytest.mark.parametrize('status, fault', [(407, 'denied'), (410, 'missing'), (429, 'unreachable'), (500, 'unreachable'), (418, 'unreadable'),
                                           *longer((401, 'denied'), (403, 'denied'), (404, 'missing'), (408, 'unreachable'), (425, 'unreachable'), (503, 'unreachable'))])
def test_statuses_of_a_web_server(web, local, impatient, status, fault):
    publish(web, local)
    ds = LazyNPYDataset(f'{web.url}/{NPY}', on_error=careful)
    name = ds.get_metadata(0)['image_path'].rpartition('/')[2]
    web.answer = answering(status, name)
    web.forget()
    if fault in ('denied', 'unreachable'):
        with pytest.raises(ImageLoadError, match=f'{status}') as caught: ds[0]
        assert caught.value.fault == fault and caught.value.path == ds.get_metadata(0)['image_path']
    else:
        assert len(ds.get_batch([0, 1])['image_path']) == 1 and ds.errors() == {fault: 1}
    tries = len([o for o in web.requests if o[1].endswith(name)])
    assert tries == (4 if fault == 'unreachable' else 2), 'once plainly, then by the client that knows why'
    web.answer = answering(status, '.npy')
    with pytest.raises(MetadataError, match={'denied': 'check the credentials', 'missing': 'no such file', 'unreachable': 'try again later', 'unreadable': '418'}[fault]):
        LazyNPYDataset(f'{web.url}/{NPY}')


@pytest.mark.parametrize('status', [502, *longer((408,), (429,))])
def test_what_passes_is_tried_again(web, local, impatient, status):
    publish(web, local)
    web.answer = answering(status, '.npy', 2)
    ds = LazyNPYDataset(f'{web.url}/{NPY}')
    web.answer = answering(status, '.png', 2)
    assert ds[0]['image'].size


def test_an_empty_file_of_a_web_server(web, local):
    "Of which no range can be had"
    publish(web, local)
    ds = LazyNPYDataset(f'{web.url}/{NPY}')
    for o in list(web.files):
        if o.endswith('.png'): web.files[o] = b''
    with pytest.raises(ImageLoadError, match='empty') as caught: ds[0]
    assert caught.value.fault == 'empty'


# Silence

def dripping(server, ending):
    "A body that comes byte by byte, each sooner than a client would hang up"
    def answer(request, right):
        if request.path.endswith(ending) and request.command == 'GET': return right._replace(drip=.02)
    server.answer = answer


@pytest.mark.parametrize('wrong', ('silent', 'dripping'))
def test_a_file_that_does_not_come(web, local, monkeypatch, caplog, wrong):
    monkeypatch.setattr(retries, 'TOLD_SECONDS', .3)
    monkeypatch.setattr(retries, '_told_at', -1000)
    publish(web, local)
    ds = LazyNPYDataset(f'{web.url}/{NPY}', timeout=.4)
    if wrong == 'silent': web.answer = lambda request, right: right._replace(silent=60)
    else: dripping(web, '.png')
    start = time.monotonic()
    with caplog.at_level(logging.WARNING, 'ear_lazy'), pytest.raises(ImageLoadError, match=r'not come within 0 seconds.*timeout=') as caught: ds[0]
    assert caught.value.fault == 'unreachable' and time.monotonic() - start < 1.5
    assert [o.getMessage().partition(' for ')[0] for o in caplog.records if o.name == 'ear_lazy.storage'] == ['still waiting'] and '.png' in caplog.text
    if wrong == 'dripping': dripping(web, '.npy')
    shutil.rmtree(storage.cache_dir())
    with pytest.raises(MetadataError, match='not come within'): LazyNPYDataset(f'{web.url}/{NPY}', timeout=.4)
    assert time.monotonic() - start < 3


def test_a_bucket_that_is_silent(bucket):
    ds = LazyNPYDataset(f's3://bucket/data/{NPY}', timeout=.5)
    bucket.latency = 2
    start = time.monotonic()
    with pytest.raises(ImageLoadError, match='not come within'): ds[0]
    with pytest.raises(MetadataError, match='not come within'): LazyNPYDataset(f's3://bucket/data/{NPY}', timeout=.5)
    assert time.monotonic() - start < 2


def test_a_slow_line_is_no_silence(web, local, monkeypatch):
    "Time is added for what is on its way"
    monkeypatch.setattr(retries, 'SLOW_BYTES', 100)
    publish(web, local)
    ds = LazyNPYDataset(f'{web.url}/{NPY}', timeout=.2)
    web.answer = lambda request, right: right._replace(drip=.004)
    web.answer = lambda request, right: right._replace(drip=.004)
    assert ds[0]['image'].size


def test_no_timeout(local):
    for timeout in (0, -1, None, 'long', True):
        with pytest.raises(ValueError, match='timeout is a number of seconds'): LazyNPYDataset(local/NPY, timeout=timeout)


def read_by_fsspec(url): return bool(storage.read_range(url))


def test_a_forked_process_leaves_connections_alone(web, local, monkeypatch):
    "A worker that asks by fsspec's client does not leave its parent waiting for what has come"
    publish(web, local)
    ds = LazyNPYDataset(f'{web.url}/{NPY}')
    url = ds.get_metadata(0)['image_path']
    assert read_by_fsspec(url)
    with ProcessPoolExecutor(1, get_context('fork')) as pool: assert pool.submit(read_by_fsspec, url).result()
    monkeypatch.setattr(storage, 'TIMEOUT_SECONDS', 2)
    assert read_by_fsspec(url)


# Credentials, and a busy S3

def expired(server, good):
    "Answers that take a session's token only if it is the good one"
    app = server._app
    def call(environ, start_response):
        token = environ.get('HTTP_X_AMZ_SECURITY_TOKEN') or environ['QUERY_STRING']
        if good[0] in token: return app(environ, start_response)
        body = b'' if environ['REQUEST_METHOD'] == 'HEAD' else b'<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>'
        start_response('400 Bad Request', [('Content-Type', 'application/xml'), ('Content-Length', str(len(body)))])
        return [body]
    return call


def test_a_renewed_token_is_used(bucket, monkeypatch, impatient):
    url, good = f's3://bucket/data/{NPY}', ['one']
    monkeypatch.setattr(storage, '_asked_with', None)
    monkeypatch.setattr(storage, '_unsigned', set())
    monkeypatch.setenv('AWS_SESSION_TOKEN', 'one')
    storage.filesystem(url).clear_instance_cache()
    monkeypatch.setattr(bucket, '_app', expired(bucket, good))
    ds = LazyNPYDataset(url)
    assert ds[0]['image'].size
    good[0] = 'two'
    for use in (lambda: ds.get_batch([0, 1]), lambda: LazyNPYDataset(url)):
        with pytest.raises((ImageLoadError, MetadataError), match='expired: renew them'): use()
    monkeypatch.setenv('AWS_SESSION_TOKEN', 'two')
    assert ds[0]['image'].size
    bucket.forget()
    ds.get_batch([0, 1])
    assert len(bucket.requests) == 2 and all('Signature' in o[3] for o in bucket.requests), 'as quick as before'
    assert len(LazyNPYDataset(url)) == 2


def test_a_busy_bucket_is_waited_for(bucket, monkeypatch, impatient):
    "For 20 seconds of a clock that runs fast"
    now = [0.]
    monkeypatch.setattr(storage, 'WAITS_SECONDS', WAITS)
    class Clock:
        monotonic, sleep = staticmethod(lambda: now[0]), staticmethod(lambda seconds: now.__setitem__(0, now[0] + seconds))
    monkeypatch.setattr(retries, 'time', Clock)
    bucket.refuse = lambda method, path: (503, 'SlowDown', 'Please reduce your request rate.') if now[0] < 20 else None
    ds = LazyNPYDataset(f's3://bucket/data/{NPY}')
    now[0] = 0
    assert ds[0]['image'].size and now[0] >= 20


def test_missing_or_not_allowed(bucket):
    ds = LazyNPYDataset(f's3://bucket/data/{NPY}', root_dir='s3://bucket/none')
    bucket.refuse = lambda method, path: (403, 'AccessDenied', 'Access Denied') if 'list-type' in path or 'none' in path or 'never' in path else None
    for use in (lambda: ds[0], lambda: LazyNPYDataset('s3://bucket/data/out/never.npy'), lambda: LazyNPYDataset('s3://bucket/none.npy')):
        with pytest.raises((ImageLoadError, MetadataError), match='missing or not allowed'): use()
    assert len(LazyNPYDataset(f's3://bucket/data/{NPY}')) == 2


# Transfer

def packed(request, right):
    "As a server that compresses, whatever is asked for; it does not know the length before"
    if right.status not in (200, 206): return None
    return Answer(200, gzip.compress(right.body), {'Content-Encoding': 'gzip'}, chunked=True)


TRANSFERS = {'chunked': lambda request, right: right._replace(chunked=True),
             'gzip': packed,
             'another ETag': lambda request, right: right._replace(headers=right.headers | {'ETag': f'"{time.monotonic_ns()}"'}),
             'another ETag, chunked': lambda request, right: right._replace(headers=right.headers | {'ETag': f'"{time.monotonic_ns()}"'}, chunked=True),
             'nothing said': lambda request, right: right._replace(headers={}, chunked=True)}


@pytest.mark.parametrize('transfer', ['gzip', 'another ETag, chunked', *longer(('chunked',), ('another ETag',), ('nothing said',))])
def test_metadata_opens(web, local, transfer):
    publish(web, local)
    web.answer = TRANSFERS[transfer]
    for _ in range(2):
        ds, here = LazyNPYDataset(f'{web.url}/{NPY}'), LazyNPYDataset(local/NPY)
        assert all((ds[i]['image'] == here[i]['image']).all() and np.array_equal(ds[i]['bboxes'], here[i]['bboxes']) for i in range(2))
    copies = [*(storage.cache_dir()/'files').rglob('*.copy')]
    assert len(copies) == 1 and copies[0].read_bytes() == (local/NPY).read_bytes()


def test_shards_open_with_another_etag_each_time(web, local, tmp_path):
    process(local/'raw', tmp_path/'out', ('detector',), 1, shard_bytes=1)
    publish(web, local)
    web.files |= {f'/out/{o.name}': o.read_bytes() for o in (tmp_path/'out').glob('*.npy')}
    assert '/out/train_detector-00001.npy' in web.files
    web.answer = TRANSFERS['another ETag']
    ds = LazyNPYDataset(f'{web.url}/{NPY}', root_dir=local/'raw')
    assert len(ds) == 2 and ds[1]['image'].size


def test_metadata_that_changes_while_it_is_read(web, local):
    publish(web, local)
    def answer(request, right):
        if request.command == 'GET' and request.path.endswith('.npy'): web.files[f'/{NPY}'] += b'more'
    web.answer = answer
    with pytest.raises(MetadataError, match='keeps changing'): LazyNPYDataset(f'{web.url}/{NPY}')


def test_annotations_that_are_stored_packed(s3, tmp_path):
    "As a tool that uploads for the web does"
    fs = storage.filesystem('s3://bucket')
    sound(tmp_path/'raw')
    fs.put(f'{tmp_path}/raw/', 'bucket/packed/raw', recursive=True)
    data = gzip.compress((tmp_path/'raw/ears/ears.json').read_bytes())
    fs.pipe_file('bucket/packed/raw/ears/ears.json', data, ContentEncoding='gzip')
    text(tmp_path/'raw/ears/ears.json', data)
    for raw in ('s3://bucket/packed/raw', tmp_path/'raw'):
        with pytest.raises(RawDataError, match=r'ears/ears.json: .*packed with gzip.*call it ears.json.gz'): process(raw, tmp_path/'out', ('detector',), 1)
    fs.mv('bucket/packed/raw/ears/ears.json', 'bucket/packed/raw/ears/ears.json.gz')
    process('s3://bucket/packed/raw', tmp_path/'out', ('detector',), 1)
    assert len(LazyNPYDataset(tmp_path/NPY)) == 2


# Names

NAMES = ('left ear.png', 'left%20ear.png', 'a+b.png', 'a b.png', 'a%2Bb.png', 'c#1.png', 'c.png', 'd?x=1.png', 'd?token=2.png', 'd.png', 'ü/ö é.png', 'e%2Ff.png', '%.png', 'f&g=h;i.png',
         'k::l.png', "quote'.png", '日本.png')


@pytest.fixture(scope='module')
def odd(tmp_path_factory):
    "Pictures of one colour each, with names that mean something in a URL"
    folder = tmp_path_factory.mktemp('odd')
    for i, name in enumerate(NAMES): image(folder/'raw/ears'/name, seed=i)
    text(folder/'raw/ears/ears.json', json.dumps(coco_dict({o: [[1, 1, 9, 9]] for o in NAMES})))
    process(folder/'raw', folder/'out', ('detector',), 1)
    return folder


def check_names(there, here):
    assert len(there) == len(here) == len(NAMES)
    assert (there[1]['image'] == here[1]['image']).all()
    images = there.get_batch(range(len(NAMES)))['image']
    assert [here[i]['image_path'] for i in range(len(NAMES)) if not np.array_equal(images[i], here[i]['image'])] == []


@pytest.mark.parametrize('download_cache', ['10MB', *longer((0,))])
def test_names_over_http(web, odd, download_cache):
    publish(web, odd)
    here = LazyNPYDataset(odd/NPY)
    for ds in (LazyNPYDataset(f'{web.url}/{NPY}', download_cache=download_cache), LazyNPYDataset(odd/NPY, root_dir=f'{web.url}/raw', download_cache=download_cache)): check_names(ds, here)
    assert ds.check_inside('left%20ear?.png') is None
    with pytest.raises(MetadataError, match='not a plain name'): ds.check_inside('a/../../secret.png')


@pytest.mark.parametrize('download_cache', ['10MB', *longer((0,))])
def test_names_over_s3(s3, odd, download_cache, tmp_path):
    fs, where = storage.filesystem('s3://bucket'), 'S3://bucket/odd #1%20?a=b/x/'
    for o in (odd/'raw').rglob('*.*'): fs.pipe_file(f'{where[5:]}/{o.relative_to(odd)}', o.read_bytes())
    report = process(f'{where}/raw', f'{where}/out', ('detector',), 1)
    assert not report.problems
    check_names(LazyNPYDataset(f'{where}/{NPY}', download_cache=download_cache), LazyNPYDataset(odd/NPY))


def test_a_folder_with_a_name_to_quote(web, odd):
    web.files = {f'/my data 100%/{o.relative_to(odd)}': o.read_bytes() for o in odd.rglob('*') if o.is_file()}
    check_names(LazyNPYDataset(f'{web.url}/my%20data%20100%25/{NPY}'), LazyNPYDataset(odd/NPY))


# Other protocols

def webhdfs(request, right):
    "Hadoop's web interface, as far as reading takes it"
    path, _, query = request.path.partition('?')
    options = {k.lower(): v[0] for k, v in parse_qs(query).items()}
    data = files.get(unquote(path.removeprefix('/webhdfs/v1')))
    if data is None: return Answer(404, json.dumps({'RemoteException': {'exception': 'FileNotFoundException', 'message': 'none'}}).encode())
    if options['op'] == 'GETFILESTATUS': return Answer(200, json.dumps({'FileStatus': {'length': len(data), 'type': 'FILE', 'modificationTime': 1}}).encode())
    start = int(options.get('offset', 0))
    return Answer(200, data[start:start + int(options.get('length', len(data)))])

files = {}


def test_webhdfs(web, odd):
    publish(web, odd)
    files.update(web.files)
    web.answer = webhdfs
    host = web.url.removeprefix('http://')
    check_names(LazyNPYDataset(f'webhdfs://{host}/{NPY}'), LazyNPYDataset(odd/NPY))
    with pytest.raises(MetadataError, match='no such file'): LazyNPYDataset(f'webhdfs://{host}/out/none.npy')


def test_a_folder_that_cannot_be_listed(web, tmp_path):
    "Nothing of it is left out in silence"
    def hadoop(request, right):
        path, _, query = request.path.partition('?')
        if 'LISTSTATUS' not in query: return webhdfs(request, right)
        if path.endswith('/closed'): return Answer(403, json.dumps({'RemoteException': {'exception': 'AccessControlException', 'message': 'closed'}}).encode())
        found = [{'pathSuffix': o, 'type': kind, 'length': 2} for o, kind in (('open.json', 'FILE'), ('closed', 'DIRECTORY'))]
        return Answer(200, json.dumps({'FileStatuses': {'FileStatus': found}}).encode())
    web.answer = hadoop
    with pytest.raises(RawDataError, match='access is denied'): process(web.url.replace('http', 'webhdfs') + '/raw', tmp_path/'out')


def test_a_url_where_a_path_is_needed(local, tmp_path, monkeypatch):
    "No folder called `s3:` is made"
    monkeypatch.chdir(tmp_path)
    ds = LazyNPYDataset(local/NPY)
    for out in (Path('s3://bucket/out'), 's3:/bucket/out', 's3://'):
        with pytest.raises(EarLazyError, match='lacks a / of a URL|ends where a bucket'): process(local/'raw', out)
    for export in (ds.to_coco, ds.to_csv, ds.to_yolo):
        with pytest.raises(EarLazyError, match='is a URL, and this is on the disks of this machine'): export('s3://bucket/labels')
    assert not [*tmp_path.iterdir()]


def test_settings_in_urls():
    kind = fsspec.get_filesystem_class('github')
    assert options_in_url(kind, 'github://me:ears@main/raw') == {'org': 'me', 'repo': 'ears', 'sha': 'main'}
    assert public_url('github://me:ears@main/raw') == 'github://me:ears@main/raw' and public_url('abfs://box@account.dfs/a') == 'abfs://box@account.dfs/a'
    with pytest.raises(StorageError, match='does not answer') as caught: LazyNPYDataset('ftp://me:geheim@127.0.0.1:9/out/train_detector.npy')
    assert 'geheim' not in f'{caught.value!r} {caught.value.args} {vars(caught.value)}'
    for url in ('zip://ears.zip', 'tar://a', 'dir://a', 'reference://a', 'generic://a', 'github://ears', 's3://', 'file://'):
        for use in (LazyNPYDataset, lambda o: process(o, 'nowhere'), lambda o: process('.', o), lambda o: LazyNPYDataset('nowhere', root_dir=o)):
            with pytest.raises((StorageError, MetadataError), match='is no storage|needs org, repo|ends where a bucket|nowhere: cannot be opened'): use(url)
    for url in ('simplecache::s3://bucket/a.npy', 'zip://a.npy::https://host/a.zip'):
        for use in (LazyNPYDataset, lambda o: process(o, 'nowhere'), lambda o: process('.', o)):
            with pytest.raises(StorageError, match='a chain.*give the URL alone'): use(url)


# Secrets

def test_passwords_are_nowhere(web, local, tmp_path, impatient):
    publish(web, local)
    url = web.url.replace('://', '://me:geheim@')
    for ds in (LazyNPYDataset(f'{url}/{NPY}?sig=geheim', root_dir=f'{url}/raw?sig=geheim&v=1', download_cache='1MB'), LazyNPYDataset(f'{url}/{NPY}', download_cache='1MB')):
        ds.to_coco(tmp_path/'a.json')
        ds.to_csv(tmp_path/'a.csv')
        web.answer = answering(403, '.png')
        shutil.rmtree(storage.cache_dir()/'images', ignore_errors=True)
        with pytest.raises(ImageLoadError) as caught: ds[0]
        with pytest.raises(MetadataError) as other: LazyNPYDataset(f'{url}/none.npy?sig=geheim')
        web.answer = None
        said = [ds[0]['image_path'], ds.get_metadata(0)['image_path'], ds.get_batch([0])['image_path'][0], repr(ds), ds._repr_html_()]
        for error in (caught.value, other.value):
            while error:
                said += [repr(error), repr(error.args), repr(vars(error)), str(pickle.dumps(error)) if isinstance(error, EarLazyError) else ''] # those of aiohttp cannot all be pickled
                error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        assert not [o for o in said if 'geheim' in o]
        assert ds[0]['image_path'].startswith(f'{web.url}/raw/ears/')
    written = [o for o in (*tmp_path.rglob('*'),) if o.is_file()]
    assert len(written) > 4 and not [o for o in written if b'geheim' in o.read_bytes()]
    assert any(b'/raw/ears/' in o.read_bytes() for o in written)
