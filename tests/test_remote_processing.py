"Raw data and outputs in a bucket: the same bytes as on disk, little fetched, and the second run knows what has changed"
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest
from bucket import ERROR
from making import coco, image, process, pts, sound, text
from PIL import Image

from ear_lazy.base import storage
from ear_lazy.beyond import claim, mirror
from ear_lazy.beyond.mirror import mirror_raw
from ear_lazy.command import main
from ear_lazy.data_processor import DataProcessor
from ear_lazy.errors import MetadataError, OutputError, RawDataError
from ear_lazy.looking.row_table import problem_images, reports_beside
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.metadata.file import Metadata
from ear_lazy.stats import compare_splits
from ear_lazy.synthetic import write_raw


def odd_images(folder):
    "Headers that are long, lie at the end, are damaged, or are not there"
    exif = Image.Exif()
    exif[0x0112] = 6
    names = ['turned.jpg', 'long.jpg', 'late.tif', 'plain.bmp', 'small.webp', 'damaged.png', 'none.jpg', 'empty.jpg', 'clear.png', 'broken.tif']
    image(folder / 'turned.jpg', (300, 400), 1, exif=exif)
    image(folder / 'long.jpg', (300, 400), 2, icc_profile=bytes(300_000), quality=95)
    image(folder / 'late.tif', (300, 400), 3)
    image(folder / 'plain.bmp', (300, 400), 4)
    image(folder / 'small.webp', (300, 400), 5)
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8))
    noise.save(folder / 'clear.png')
    data = bytearray((folder / 'clear.png').read_bytes())
    data[20] ^= 255
    text(folder / 'damaged.png', bytes(data))
    text(folder / 'none.jpg', b'not an image' * 2000)
    text(folder / 'empty.jpg', b'')
    text(folder / 'broken.tif', (folder / 'late.tif').read_bytes()[:5000])
    coco(folder / 'coco.json', {o: [[5, 6, 70, 80]] for o in names}, size=None)
    coco(folder / 'sized.json', {'turned.jpg': [[100, 100, 30, 30]], 'clear.png': [[1, 2, 30, 40]]}, size=(400, 300))


@pytest.fixture(scope='module')
def local(tmp_path_factory):
    folder = tmp_path_factory.mktemp('local')
    write_raw(folder / 'raw', images=24)
    odd_images(folder / 'raw/detector/odd')
    pts(image(folder / 'raw/landmarker/faces/1.jpg', (100, 100), 7).with_suffix('.pts'), [(10, 20), (30, 40), (50, 60)])
    text(folder / 'raw/detector/odd/film.mp4', bytes(200_000))
    text(folder / 'raw/sources.toml', "['detector/odd']\nformat = 'coco'\n")
    process(folder / 'raw', folder / 'out')
    return folder


@pytest.fixture
def bucket(s3, local):
    "The server, with nothing but raw data in its bucket, and an empty cache folder"
    fs = storage.filesystem('s3://bucket')
    if fs.exists('bucket/data'): fs.rm('bucket/data', recursive=True)
    fs.put(str(local / 'raw'), 'bucket/data/raw', recursive=True)
    s3.forget()
    return s3


RAW, OUT = 's3://bucket/data/raw', 's3://bucket/data/out'

def there(url=OUT): return {k: storage.read_range(f'{url}/{k}') for k in sorted(storage.list_folder(url))}
def here(folder): return {o.name: o.read_bytes() for o in sorted(folder.iterdir()) if o.is_file()}
def puts(server): return [o[1].rpartition('/')[2] for o in server.requests if o[0] == 'PUT' and not o[1].endswith(claim.CLAIM)]


def test_the_same_bytes_as_on_disk(bucket, local):
    report = process(RAW, OUT)
    assert there() == here(local / 'out')
    assert {p.reason for p in report.problems} >= {'unreadable_image'} # some of the odd ones
    assert report._repr_html_()
    ds = LazyNPYDataset(f'{OUT}/train_detector.npy')
    assert ds.root == RAW and ds[0]['image'].size
    found = problem_images(reports_beside([ds.metadata.path]))
    assert found.keys() == problem_images([report]).keys() and found['unreadable_image'].size
    bucket.refuse = lambda method, path: (403, 'AccessDenied', 'Access Denied')
    assert reports_beside([ds.metadata.path]) == []


def test_executor(bucket, local):
    with ProcessPoolExecutor(2) as executor: process(RAW, OUT, executor=executor, num_workers=2)
    assert there() == here(local / 'out')


def test_images_are_not_fetched_whole(bucket, local):
    process(RAW, OUT, num_workers=2)
    assert there() == here(local / 'out')
    ranges = {o[1].removeprefix('/bucket/data/raw/'): o[2] for o in bucket.requests if o[0] == 'GET' and o[1].endswith(('.jpg', '.mp4'))}
    ordinary = [o for o in ranges if not o.startswith('detector/odd')]
    assert ordinary and all(ranges[o].startswith('bytes=0-') and int(ranges[o][8:]) < 8192 for o in ordinary)
    assert ranges['detector/odd/film.mp4'] == 'bytes=0-65535'
    assert bucket.highest <= storage.IN_FLIGHT


@pytest.mark.parametrize('how', [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)], ids=['killed', 'terminated'])
def test_a_fetch_that_is_killed_goes_on_where_it_was(s3, tmp_path, how):
    fs, picture = storage.filesystem(RAW), image(tmp_path / 'a.png').read_bytes()
    fs.pipe({f'bucket/killed/{i}.png': picture for i in range(60)})
    s3.forget()
    def kill(method, path):
        if len([o for o in s3.requests if o[1].endswith('.png')]) >= 50: fetch.send_signal(how)
    s3.refuse = kill
    code = "from ear_lazy.beyond.mirror import mirror_raw; mirror_raw('s3://bucket/killed')"
    fetch = subprocess.Popen([sys.executable, '-c', code], env=os.environ | {'EAR_LAZY_IN_FLIGHT': '2'})
    assert fetch.wait() == -how
    s3.refuse = None
    s3.forget()
    folder, _ = mirror_raw('s3://bucket/killed')
    again = [o for o in s3.requests if o[1].endswith('.png')]
    assert 10 <= len(again) <= 16 and len([*folder.iterdir()]) == 60
    s3.forget()
    mirror_raw('s3://bucket/killed')
    assert len(s3.requests) == 1, 'one listing'


def test_second_run(bucket, local):
    first = process(RAW, OUT)
    bucket.forget()
    again = process(RAW, OUT)
    assert again.unchanged == list(first.sources) and again.to_json() == first.to_json()
    assert len(bucket.requests) == 2 and all(o[:2] == ('GET', '/bucket') for o in bucket.requests) # two listings
    fs, file = storage.filesystem(RAW), 'detector/odd/coco.json'
    changed = json.loads((local / 'raw' / file).read_text())
    changed['annotations'][0]['bbox'] = [1, 2, 3, 4]
    fs.pipe_file(f'bucket/data/raw/{file}', json.dumps(changed).encode())
    bucket.forget()
    report = process(RAW, OUT)
    assert {*first.sources} - {*report.unchanged} == {'detector/odd'}
    assert len([o for o in bucket.requests if o[0] == 'GET' and '/raw/' in o[1]]) == 1
    assert there() != here(local / 'out')


def test_only_one_side_is_remote(bucket, local, tmp_path):
    process(RAW, tmp_path / 'out')
    assert LazyNPYDataset(tmp_path / 'out/train_detector.npy').root == RAW # made here, so it is believed
    shutil.copytree(tmp_path / 'out', tmp_path / 'copy', ignore=shutil.ignore_patterns('.ear_lazy'))
    with pytest.raises(MetadataError, match='say where with root_dir='): LazyNPYDataset(tmp_path / 'copy/train_detector.npy')
    process(local / 'raw', OUT)
    with pytest.raises(MetadataError, match='say where with root_dir='): LazyNPYDataset(f'{OUT}/train_detector.npy')
    a, b = LazyNPYDataset(f'{OUT}/train_detector.npy', root_dir=local / 'raw'), LazyNPYDataset(local / 'out/train_detector.npy')
    assert (a[0]['image'] == b[0]['image']).all()


def test_copies_of_photos(bucket, local):
    a = process(local / 'raw', local / 'copies', check_duplicates=True, keep_together=True)
    b = process(RAW, OUT, check_duplicates=True, keep_together=True)
    assert a.copies == b.copies and there() == here(local / 'copies')


def test_shards_and_what_is_gone(bucket, local):
    process(RAW, OUT, shard_bytes=2000)
    process(local / 'raw', local / 'sharded', shard_bytes=2000)
    assert there() == here(local / 'sharded') and 'train_detector-00001.npy' in there()
    bucket.forget()
    process(RAW, OUT)
    assert there() == here(local / 'out')
    order = [(o[0], o[1].rpartition('/')[2]) for o in bucket.requests if o[1].endswith('train_detector.npy')]
    assert [o[0] for o in order if o[0] in ('PUT', 'DELETE')] == ['DELETE', 'PUT']
    changes = [(o[0], o[1].rpartition('/')[2]) for o in bucket.requests if o[0] in ('PUT', 'DELETE') and not o[1].endswith(claim.CLAIM)]
    assert changes[0] == ('DELETE', 'report.json') and changes[-1] == ('PUT', 'report.json')


def test_an_upload_that_was_broken_off(bucket, local, monkeypatch):
    monkeypatch.setattr(storage, 'PATIENCE_SECONDS', 0)
    left = [3]
    def refuse(method, path):
        left[0] -= method == 'PUT'
        if method == 'PUT' and left[0] < 0: return 403, 'AccessDenied', 'Access Denied'
    bucket.refuse = refuse
    with pytest.raises(OutputError, match='check the credentials.*the next run continues the upload'): process(RAW, OUT)
    bucket.refuse = None
    assert {'report.json', claim.CLAIM}.isdisjoint(there())
    sent = puts(bucket)[:2]
    bucket.forget()
    report = process(RAW, OUT)
    assert len(report.unchanged) == len(report.sources) and there() == here(local / 'out')
    assert len(puts(bucket)) == len(there()) - 2 and not {*sent} & {*puts(bucket)}, 'it goes on where it was'


@pytest.fixture
def one_job(s3, tmp_path, monkeypatch):
    "Runs a job with little to do on one of two machines; what is in the bucket when it was alone"
    fs = storage.filesystem('s3://bucket')
    if fs.exists('bucket/data'): fs.rm('bucket/data', recursive=True)
    monkeypatch.setattr(claim, 'BEAT_SECONDS', 0.05)
    raw = sound(tmp_path / 'raw')
    def job(machine='first', out=OUT, **options):
        monkeypatch.setenv('EAR_LAZY_CACHE', str(tmp_path / machine))
        return process(raw, out, kinds=('detector',), train_split=0.5, **options)
    job('third', f'{OUT}-alone')
    return job, there(f'{OUT}-alone')


def meanwhile(server, name, what):
    "Do something while the server is asked for the first upload of a file"
    def look(method, path):
        if method == 'PUT' and f'/{name}?' in path:
            server.refuse = None
            what()
    server.refuse = look


def test_two_jobs_at_once(s3, one_job):
    "One of them wins, and the other says so in a sentence"
    (job, alone), held, go = one_job, Event(), Event()
    meanwhile(s3, 'train_detector.npy', lambda: held.set() or go.wait(60))
    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(job)
        try:
            assert held.wait(60)
            with pytest.raises(OutputError, match='another run is writing into'): job(seed=1)
            with pytest.raises(OutputError, match='another run is uploading into this folder'): job('second', seed=1)
        finally: go.set()
        assert first.result().outputs
    assert there() == alone


def test_a_job_that_knows_nothing_of_others(s3, one_job):
    "Its files are noticed before the report says that all are of one run"
    job, alone = one_job
    meanwhile(s3, 'val_detector.npy', lambda: storage.filesystem(OUT).pipe_file('bucket/data/out/train_detector.npy', b'of another run'))
    with pytest.raises(OutputError, match=r'other files than this run uploaded \(train_detector.npy\)'): job()
    assert 'report.json' not in there()
    job()
    assert there() == alone


def test_a_job_that_is_killed_or_suspended_while_it_uploads(s3, one_job, monkeypatch):
    "The next one takes over; who wakes up after that says so"
    (job, alone), fs, file = one_job, storage.filesystem(OUT), f'bucket/data/out/{claim.CLAIM}'
    monkeypatch.setattr(claim, 'BEAT_SECONDS', 60) # it is suspended
    meanwhile(s3, 'train_detector.npy', lambda: fs.pipe_file(file, b'of another job 0'))
    with pytest.raises(OutputError, match='another run took this folder over'): job()
    assert there()[claim.CLAIM] == b'of another job 0' and 'report.json' not in there()
    monkeypatch.setattr(claim, 'DEAD_SECONDS', 0.1)
    job()
    assert there() == alone


def test_a_storage_without_conditions(s3, one_job, monkeypatch):
    "It is asked whether there is a claim, before one is made"
    (job, alone), app = one_job, s3._app
    def call(environ, start_response):
        if 'HTTP_IF_NONE_MATCH' not in environ: return app(environ, start_response)
        body = ERROR.format('NotImplemented', 'A header you provided implies functionality that is not implemented').encode()
        environ['wsgi.input'].read(int(environ.get('CONTENT_LENGTH') or 0))
        start_response('501 Not Implemented', [('Content-Type', 'application/xml'), ('Content-Length', str(len(body)))])
        return [body]
    monkeypatch.setattr(s3, '_app', call)
    meanwhile(s3, 'train_detector.npy', lambda: pytest.raises(OutputError, job, 'second', seed=1).match('another run is uploading'))
    job()
    assert there() == alone


@pytest.mark.parametrize('what', [('PUT', 'train_detector.npy'), ('PUT', claim.CLAIM), pytest.param(('DELETE', 'report.json'), marks=pytest.mark.slow)], ids=str)
def test_an_upload_that_is_silent(s3, one_job, monkeypatch, what):
    "It is given up in time"
    (job, _), go = one_job, Event()
    job()
    monkeypatch.setattr(storage, 'TIMEOUT_SECONDS', 0.5)
    monkeypatch.setattr(claim, 'TIMEOUT_SECONDS', 0.5)
    def silent(method, path):
        if method == what[0] and f'/{what[1]}?' in path: go.wait(10)
    s3.refuse = silent
    start = time.monotonic()
    try:
        with pytest.raises(OutputError, match='not come within'): job(seed=1)
        assert time.monotonic() - start < 5
    finally: go.set()


def test_an_upload_that_is_interrupted(s3, one_job):
    "It does not say that nothing was written"
    def stop(): raise KeyboardInterrupt
    (job, alone), real = one_job, mirror.upload
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mirror, 'upload', lambda path, url: stop() if url.endswith('val_detector.npy') else real(path, url))
        with pytest.raises(KeyboardInterrupt, match='some may be there, and the next run continues'): job()
    assert 'train_detector.npy' in there()
    job()
    assert there() == alone


def test_sides_of_two_runs(s3, tmp_path):
    "Photos would be in both: whoever opens or joins them is told"
    fs, raw, (one, two) = storage.filesystem('s3://bucket'), tmp_path / 'raw', (tmp_path / 'one', tmp_path / 'two')
    coco(raw / 'ears/ears.json', {image(raw / f'ears/{i}.png', seed=i).name: [[1, 1, 9, 9]] for i in range(8)})
    for folder, seed in ((one, 0), (two, 1)): process(raw, folder, kinds=('detector',), train_split=0.5, seed=seed)
    def publish(train, val):
        for side, folder in dict(train=train, val=val).items(): fs.put_file(str(folder / f'{side}_detector.npy'), f'bucket/mixed/{side}_detector.npy')
    def side(name, **options): return LazyNPYDataset(f's3://bucket/mixed/{name}_detector.npy', root_dir=raw, **options)
    publish(one, two)
    train = side('train')
    assert {train.metadata.image_path(i) for i in range(len(train))} & {*np.char.decode(Metadata(two / 'val_detector.npy').column('image_paths'))}
    with pytest.raises(MetadataError, match='train_detector.npy beside it are of two runs, so a photo may be in both'): side('val')
    publish(two, two)
    with pytest.warns(UserWarning, match='train_detector.npy was opened before the run that made .*: open it again'): val = side('val')
    for use in (lambda: CombinedLazyDataset([train, val]), lambda: CombinedLazyDataset([CombinedLazyDataset([train]), val]), lambda: compare_splits(train, val)):
        with pytest.raises(MetadataError, match='open both again'): use()
    with pytest.raises(MetadataError, match='open it again'): CombinedLazyDataset([side('train'), train])
    s3.forget()
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        train, val = side('train'), side('val')
    assert len(CombinedLazyDataset([train, val])) == 8 and compare_splits(train, val)
    assert len(s3.requests) == 2, 'nothing but the two is asked for'


def test_output_that_somebody_else_changed(bucket, local):
    process(RAW, OUT)
    fs = storage.filesystem(OUT)
    fs.pipe_file('bucket/data/out/train_detector.npy', b'not what was written')
    fs.pipe_file('bucket/data/out/notes.txt', b'mine')
    process(RAW, OUT)
    assert there() == here(local / 'out') | {'notes.txt': b'mine'}


def test_output_below_the_raw_folder(bucket):
    for _ in range(2): report = process(RAW, f'{RAW}/out')
    assert len(report.unchanged) == len(report.sources)
    assert not any('out' in o for o in report.sources)
    with pytest.raises(OutputError, match='output_dir is the raw folder'): process(RAW, RAW)


def test_names_that_no_file_can_have(bucket, tmp_path):
    fs = storage.filesystem(RAW)
    for name in ('data/raw/detector/../../../escaped.json', 'data/raw/detector//double.json', 'data/raw/' + 'x' * 300 + '.json'):
        fs.call_s3('put_object', Bucket='bucket', Key=name, Body=b'{}')
    report = process(RAW, OUT)
    assert sum('a name that no file can have' in str(p) for p in report.problems) == 3
    assert not [*tmp_path.rglob('*escaped*')] and not [*tmp_path.parent.glob('escaped*')]


def test_errors(bucket, monkeypatch, tmp_path, capsys):
    with pytest.raises(RawDataError, match='s3://bucket/none: there is nothing below'): process('s3://bucket/none', OUT)
    with pytest.raises(RawDataError, match='s3://nobucket/raw: (no such|there is nothing)'): process('s3://nobucket/raw', OUT)
    with pytest.raises(OutputError, match='no such file, folder or bucket'): process(RAW, 's3://nobucket/out')
    bucket.refuse = lambda method, path: (403, 'AccessDenied', 'Access Denied')
    with pytest.raises(RawDataError, match='check the credentials'): process(RAW, OUT)
    assert main(['--all', '--raw-data-dir', RAW, '--output-dir', str(tmp_path / 'out')]) == 1
    assert 'check the credentials' in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, 'fsspec', None)
    assert main(['--all', '--raw-data-dir', RAW, '--output-dir', OUT]) == 1
    assert "pip install 'ear_lazy[remote]'" in capsys.readouterr().err


def test_listing(bucket, local):
    a, b = (DataProcessor(o, 'nowhere', num_workers=0, progress=False).sources() for o in (local / 'raw', RAW))
    assert str(a) == str(b)
