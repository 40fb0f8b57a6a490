"What is printed: no name makes a terminal do anything, forges a line, or is run by a spreadsheet; no password of a URL is shown or recorded"
import base64
import csv
import io
import json
import os
import re
import shutil
import stat
import unicodedata
import warnings
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote

import fsspec
import pytest
from making import asked, coco, image, process, quiet, text

from ear_lazy.base.printable import masked, printable
from ear_lazy.base.storage import cache_dir, local_copy
from ear_lazy.base.tables import aligned, html_table
from ear_lazy.command import start
from ear_lazy.data_processor import DataProcessor
from ear_lazy.errors import AnnotationError, EarLazyError, ImageLoadError, MetadataError, OutputError, RawDataError, StorageError, TransformError
from ear_lazy.explorer import explore
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.loading.samples import Sample
from ear_lazy.stats import compare_splits

FORGED = 'train_detector.npy: 9,999,999 rows, 1 bytes'
EVIL = {'clears': '\x1b[2J', 'clipboard': '\x1b]52;c;aGVsbG8=\x07', 'csi': '\x9b2J', 'bell': '\a', 'erases': 'ab\b\b', 'carriage': 'x\rOK', 'bidi': '\u202egpj.exe',
        'isolate': '\u2066x\u2069', 'separator': 'a\u2028b', 'half': '\udcff', 'forged': f'x\n{FORGED}\n', 'delete': '\x7f', 'invisible': 'a\u200bb', 'nel': 'a\x85b'}
GOOD = 'é', '耳', '👂🏽', '👩\u200d👩\u200d👧', 'می\u200cخواهم', 'a b', "it's", 'C:\\raw'
evil = pytest.mark.parametrize('name', EVIL.values(), ids=EVIL)


def harmless(*texts):
    "Nothing in it that a terminal obeys or hides, and no forged line"
    for o in texts:
        assert o and not [c for c in o if unicodedata.category(c) in ('Cc', 'Cs', 'Zl', 'Zp') and c != '\n' or unicodedata.bidirectional(c) in ('RLO', 'LRO', 'RLE', 'LRE', 'PDF', 'RLI', 'LRI', 'FSI', 'PDI')], repr(o)
        assert not [line for line in o.split('\n') if line.strip() == FORGED], o


@evil
def test_one_name(name):
    assert len(printable(name).splitlines()) == 1 and printable(printable(name)) == printable(name)
    harmless(printable(name), aligned([name], [[name]]), html_table([name], [[name]]))


@pytest.mark.parametrize('name', GOOD)
def test_names_of_people_stay(name): assert printable(name) == name


ERRORS = {o.__name__: partial(o, path='a.npy') if o is MetadataError else o for o in (EarLazyError, RawDataError, OutputError, MetadataError)} | {
    'AnnotationError': lambda name: AnnotationError(name, name, name), 'ImageLoadError': lambda name: ImageLoadError(name, name, 3), 'no path': ImageLoadError,
    'TransformError': lambda name: TransformError(name, name, 3), 'StorageError': lambda name: StorageError(name, name), 'path': lambda name: MetadataError('x', name)}


@pytest.mark.parametrize('make', ERRORS.values(), ids=ERRORS)
@evil
def test_every_error(make, name):
    error = make(name)
    harmless(str(error), repr(error), *getattr(error, '__notes__', ()))
    assert len(str(error).splitlines()) == 1


def test_every_error_type_is_covered():
    "A type that writes its own `__str__` would not be"
    def below(o): return {o, *(k for c in o.__subclasses__() for k in below(c))}
    assert all('__str__' not in vars(o) and '__repr__' not in vars(o) for o in below(EarLazyError) - {EarLazyError})


BROKEN = '\x1b]0;broken\x07'


def file_name(name, end): return f'{name}{end}'.replace('/', '_')


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    "Raw data with such names everywhere: folders, images, classes, annotation files, columns, problems; and what a run makes of it"
    root = tmp_path_factory.mktemp('evil')
    raw = root / 'raw'
    for n, (key, name) in enumerate(EVIL.items()):
        folder, photo = raw / file_name(name, key), file_name(name, '.jpg')
        image(folder / photo, (40, 60), n)
        coco(folder / file_name(name, '.json'), {photo: [[1, 2, 10, 20], [5, 5, 0, 9]], f'{name}gone.jpg': [[1, 2, 3, 4]]}, size=(60, 40), categories=[{'id': 1, 'name': 'ear' if key == 'half' else name}])
        text(folder / file_name(name, '.csv'), f'image_path,x1,y1,w,h,label\n"{name}",1,2,{name.encode("unicode_escape").decode()},4,ear\n'.encode('utf-8', 'surrogateescape'))
        text(folder / file_name(name, 'unknown.csv'), f'"{name}",b\n1,2\n'.encode('utf-8', 'surrogateescape'))
    (root / 'elsewhere').mkdir()
    image(root / 'elsewhere' / file_name(EVIL['clears'], '.jpg'))
    os.symlink(root / 'elsewhere', raw / file_name(EVIL['forged'], 'link'))
    report = process(raw, root / 'out', train_split=1)
    return root, report


def test_report(made):
    _, report = made
    harmless(str(report), repr(report), report._repr_html_(), report.problems._repr_html_(), repr(report.problems), report.problems.to_csv().decode())
    harmless(report.to_json().decode())
    assert any(EVIL['clears'] in p.image for p in report.problems), 'values stay as they are'
    assert len(list(csv.reader(io.StringIO(report.problems.to_csv().decode())))) == report.problems.to_csv().count(b'\n') == len(report.problems) + 1


def test_sources(made):
    root, _ = made
    found = DataProcessor(root / 'raw', root / 'none', num_workers=0, progress=False).sources()
    harmless(str(found), repr(found), found._repr_html_())


def test_datasets(made):
    root, report = made
    ds = LazyNPYDataset(root / 'out/train_detector.npy')
    assert {EVIL['clears'], EVIL['forged'], EVIL['bidi']} <= {*ds.label_names} and any(EVIL['clears'] in ds.get_metadata(i)['image_path'] for i in range(len(ds)))
    both = CombinedLazyDataset([ds, ds])
    harmless(repr(ds), ds._repr_html_(), repr(both), both._repr_html_(), repr(ds.metadata), repr(ds.stats()), ds.stats()._repr_html_(), repr(ds.open_image(0)))
    axes = ds.plot_stats()
    harmless(*(o.get_text() for ax in axes.ravel() for o in ax.get_yticklabels() if o.get_text()))
    axes.ravel()[0].figure.clear()
    compared = compare_splits(ds, ds[:3])
    harmless(repr(compared), compared._repr_html_())
    for i in range(len(ds)):
        harmless(repr(ds[i]), ds[i]._repr_html_())
        axes = ds[i].show()
        harmless(*filter(None, [axes.get_title(), *(o.get_text() for o in axes.texts)]))
        axes.figure.clear()


def test_explorer(made):
    root, report = made
    w = quiet(explore(LazyNPYDataset(root / 'out/train_detector.npy'), report=report))
    harmless(repr(w), str(w.static()))
    for i in range(len(w.ds)):
        for head, _ in (asked(w, type='tiles', id=1, rows=[i]), asked(w, type='full', id=1, row=i)): harmless(*(o for o in texts_of(head)))


def texts_of(value):
    "Every text that is not empty in a message to the page"
    if isinstance(value, str): return [value] if value else []
    if isinstance(value, dict): return [t for o in value.values() for t in texts_of(o)]
    return [t for o in value for t in texts_of(o)] if isinstance(value, list) else []


def test_images_that_cannot_be_read(tmp_path):
    name = file_name(EVIL['clears'] + EVIL['forged'] + BROKEN, '.jpg')
    image(tmp_path / 'raw/ears' / name)
    coco(tmp_path / 'raw/ears/all.json', {name: [[1, 2, 10, 20]]})
    process(tmp_path / 'raw', tmp_path / 'out', train_split=1)
    (tmp_path / 'raw/ears' / name).write_bytes(b'nothing')
    ds = LazyNPYDataset(tmp_path / 'out/train_detector.npy')
    with pytest.raises(ImageLoadError) as caught: ds[0]
    harmless(str(caught.value), repr(caught.value))
    assert caught.value.path.endswith(name)
    ds = LazyNPYDataset(tmp_path / 'out/train_detector.npy', on_error='skip')
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter('always')
        skipped = ds[0]
    harmless(*(str(o.message) for o in said), repr(skipped), skipped._repr_html_(), ds._repr_html_(), str(explore(ds).static()))


def run(capfd, *args):
    "What a command prints"
    try: status = start([*map(str, args)])
    except SystemExit as e: status = e.code
    out, err = capfd.readouterr()
    return status, out + err


def test_commands(made, tmp_path, capfd, monkeypatch):
    root, _ = made
    status, said = run(capfd, 'process', '--all', '--raw-data-dir', root / 'raw', '--output-dir', tmp_path / file_name(EVIL['forged'], 'out'), '--workers', 0)
    assert status == 0 and 'problems.csv in' in said
    harmless(said)
    status, said = run(capfd, 'list', '--raw-data-dir', root / 'raw', '--workers', 0)
    assert status == 0 and 'recognised by' in said
    harmless(said)


@evil
def test_commands_that_fail(name, tmp_path, capfd):
    "Names come from the command line too, where a shell puts them for `*`"
    file = tmp_path / file_name(name, '.npy')
    file.write_bytes(b'nothing')
    for args in (('migrate', file, tmp_path / 'new.npy'), ('demo', file, '--images', 3), ('process', '--all', '--raw-data-dir', file), ('list', file),
                 ('demo', file, file), ('migrate', file, file, file), (file,), ('process', '--all', '--train-split', name), ('process', '--split', name),
                 ('process', '--all', '--raw-data-dir', tmp_path, '--output-dir', file)):
        status, said = run(capfd, *args)
        assert status and 'Traceback' not in said
        harmless(said)


def test_commands_with_such_folders(tmp_path, capfd):
    import pickle
    old, new = tmp_path / 'old.npy', tmp_path / file_name(EVIL['clears'] + EVIL['forged'], '.npy')
    old.write_bytes(pickle.dumps({'image_paths': ['a.jpg'], 'bboxes': [[[1, 2, 3, 4]]]}))
    image(tmp_path / 'a.jpg')
    status, said = run(capfd, 'migrate', old, new, '--root', tmp_path)
    assert status == 0, said
    harmless(said)


@pytest.mark.slow
def test_demo(tmp_path, capfd):
    status, said = run(capfd, 'demo', tmp_path / file_name(EVIL['forged'], 'demo'), '--images', 3)
    assert status == 0, said
    harmless(said)


# Spreadsheets

FORMULAS = ('=cmd|"/C calc"!A0', '+1+1', '-2+3', '@SUM(A1)', '\t=1', ' =1', '＝1+1', '=a;b', 'a;=1+1')
PLAIN = ("'=1", "''=1", "'", 'ear', '-3.5', '+7', '1e5', "'-3.5", 'x=1', 'defused')


@pytest.fixture(scope='module')
def formulas(tmp_path_factory):
    "A dataset whose names and classes are formulas, or look like defused ones"
    root = tmp_path_factory.mktemp('formulas')
    names = [o.replace('/', '_') for o in (*FORMULAS, *PLAIN)]
    for i, o in enumerate(names): image(root / 'raw' / f'{o}.jpg', seed=i)
    classes = [dict(id=i, name=o.strip()) for i, o in enumerate((*FORMULAS, *PLAIN))]
    coco(root / 'raw/all.json', {f'{o}.jpg': [dict(bbox=[1, 2, 10, 20 - i % 7], category_id=i)] for i, o in enumerate(names)}, categories=classes)
    process(root / 'raw', root / 'out', ('detector',), train_split=1)
    return root


def content(ds):
    "Names, boxes and classes of a dataset"
    found = (ds.metadata.image_path(i) for i in range(len(ds)))
    return sorted((path.rpartition('/')[2], ds.metadata.values(i).tolist(), [ds.label_names[k] for k in ds.metadata.labels(i)]) for i, path in enumerate(found))


def is_run(cell): return cell[:1] in ('\t', '\r', '\n') or cell.lstrip()[:1] in ('=', '+', '-', '@', '＝') and not re.fullmatch(r'[+-]?[\d.]+', cell)


@pytest.mark.parametrize('defuse', (True, False))
def test_round_trip_of_classes(formulas, tmp_path, defuse):
    before = LazyNPYDataset(formulas / 'out/train_detector.npy')
    table = before.to_csv(tmp_path / 'copied/ears.csv', 'copy', defuse=defuse)
    assert any(is_run(cell) for line in csv.reader(io.StringIO(table.read_text())) for cell in line) is not defuse
    process(table.parent, tmp_path / 'out', ('detector',), train_split=1)
    assert content(LazyNPYDataset(tmp_path / 'out/train_detector.npy')) == content(before)


@pytest.mark.parametrize('defuse', (True, False))
@pytest.mark.parametrize('name', ('=raw', "'=raw", '@a;=1', '-3.5', '\t=raw', "''+raw"))
def test_round_trip_of_names(tmp_path, name, defuse):
    "The table lies beside the raw folder, whose name begins the path of each image"
    image(tmp_path / name / '1.jpg'), image(tmp_path / name / '2.jpg', seed=1)
    coco(tmp_path / name / 'all.json', {'1.jpg': [[1, 2, 10, 20]], '2.jpg': [[1, 2, 10, 20]]})
    process(tmp_path / name, tmp_path / 'out', ('detector',), train_split=1)
    ds = LazyNPYDataset(tmp_path / 'out/train_detector.npy')
    for _ in range(2): table = ds.to_csv(tmp_path / 'ears.csv', defuse=defuse) # once over an earlier one
    cells = [line[0] for line in csv.reader(io.StringIO(table.read_text()))][1:]
    assert any(map(is_run, cells)) == (not defuse and is_run(f'{name}/')) and (defuse or cells == [f'{name}/1.jpg', f'{name}/2.jpg'])
    (tmp_path / name / 'all.json').unlink()
    shutil.rmtree(tmp_path / 'out')
    process(tmp_path, tmp_path.with_name(f'{tmp_path.name}_out'), ('detector',), train_split=1)
    assert content(LazyNPYDataset(tmp_path.with_name(f'{tmp_path.name}_out') / 'train_detector.npy')) == content_of(name)


def content_of(name): return [(f'{i}.jpg', [[1, 2, 10, 20]], ['ear']) for i in (1, 2)]


def test_a_table_of_others_is_read_as_it_is(tmp_path):
    "No apostrophe is taken away that `to_csv` has not put there"
    image(tmp_path / "raw/'=1.jpg")
    text(tmp_path / 'raw/ears.csv', "image_path,x1,y1,w,h,label,image_height,image_width\n'=1.jpg,1,2,10,20,'=x,40,60\n")
    process(tmp_path / 'raw', tmp_path / 'out', ('detector',), train_split=1)
    assert content(LazyNPYDataset(tmp_path / 'out/train_detector.npy')) == [("'=1.jpg", [[1, 2, 10, 20]], ["'=x"])]


def test_problems_are_no_formulas(tmp_path):
    for i, o in enumerate(FORMULAS): coco(tmp_path / 'raw' / f'{o}{i}'.replace('/', '_') / f'{o}.json'.replace('/', '_'), {f'{o}.jpg': [[1, 2, 3, 4]]})
    text(tmp_path / 'raw/=cmd/=1.csv', 'image_path,x1,y1,w,h\na.jpg,=1+1,2,3,4\n')
    with pytest.raises(EarLazyError): process(tmp_path / 'raw', tmp_path / 'out', strict=True)
    problems = process(tmp_path / 'raw', tmp_path / 'out').problems
    cells = [cell for line in csv.reader(io.StringIO(problems.to_csv().decode())) for cell in line]
    assert len(problems) > len(FORMULAS) and not any(map(is_run, cells)) and any(o.startswith("'=") for o in cells)
    assert all(o.count('"') % 2 == 0 for o in problems.to_csv().decode().splitlines())


# Secrets in URLs

PASSWORD, SIGNATURE = 'pa55-w0rd', 'f00bar%2Fb4z%3D'
PARAMETERS = ('X-Amz-Signature', 'X-Amz-Credential', 'X-Amz-Security-Token', 'sig', 'token', 'AWSAccessKeyId', 'Signature', 'access_token', 'X-Goog-Signature', 'api_key')
SECRETS = {'password': f'https://ann:{PASSWORD}@host/raw'} | {o: f'https://host/raw?v=1&{o}={SIGNATURE}' for o in PARAMETERS}


def is_silent(*texts):
    for o in texts: assert PASSWORD not in o and 'f00bar' not in o, o


@pytest.mark.parametrize('url', SECRETS.values(), ids=SECRETS)
def test_secrets_are_masked(url):
    is_silent(masked(url), printable(f'{url}: no such file'), str(StorageError('x', url)), repr(StorageError(url, url)), str(MetadataError(f'root {url!r}', 'a.npy')))
    assert '***' in masked(url) and masked(url).startswith('https://')
    processor = DataProcessor.__new__(DataProcessor)
    processor.raw_data_dir, processor.output_dir, processor.seed = url, url, 0
    is_silent(repr(processor))


@pytest.mark.parametrize('make', ERRORS.values(), ids=ERRORS)
def test_secrets_in_errors(make): is_silent(str(make(SECRETS['password'])), repr(make(SECRETS['sig'])))


@pytest.fixture
def cached(tmp_path, monkeypatch):
    monkeypatch.setenv('EAR_LAZY_CACHE', str(tmp_path / 'cache'))
    return tmp_path / 'cache'


def recorded(*folders): return b'\n'.join(o.read_bytes() + os.fsencode(o.name) for f in folders for o in f.rglob('*') if o.is_file())


def test_nothing_secret_is_recorded(made, tmp_path, cached):
    "A run on a URL with a password: in its files, its state, its cache and what it says; the whole URL opens the images"
    raw = tmp_path / 'raw'
    image(raw / 'ears/1.jpg')
    coco(raw / 'ears/all.json', {'1.jpg': [[1, 2, 10, 20]], 'gone.jpg': [[1, 2, 3, 4]]})
    memory, url = fsspec.filesystem('memory'), f'memory://ann:{PASSWORD}@secret/raw'
    memory.put(str(raw), f'/ann:{PASSWORD}@secret/raw', recursive=True)
    processor = DataProcessor(url, tmp_path / 'out', num_workers=0, progress=False)
    report = processor.process_all(train_split=1)
    is_silent(str(report), report._repr_html_(), repr(processor), recorded(tmp_path / 'out', cached).decode('latin-1'))
    assert 'recorded nowhere: open the files with root_dir=' in str(report)
    ds = LazyNPYDataset(tmp_path / 'out/train_detector.npy', root_dir=url, download_cache='1MB')
    assert ds.metadata.root == 'memory://secret/raw' and ds[0]['image'].shape == (40, 60, 3)
    is_silent(repr(ds), repr(ds.metadata), ds._repr_html_(), repr(ds[0]), str(explore(ds).static()), repr(ds.open_image(0)), recorded(cached).decode('latin-1'))
    for o in (ds.to_coco(tmp_path / 'a.json'), ds.to_csv(tmp_path / 'a.csv'), ds.to_yolo(tmp_path / 'yolo', 'copy') / 'data.yaml'): is_silent(o.read_text())
    memory.rm(f'/ann:{PASSWORD}@secret/raw/ears/1.jpg')
    (lost,) = [LazyNPYDataset(tmp_path / 'out/train_detector.npy', root_dir=url)]
    with pytest.raises(ImageLoadError) as caught: lost[0]
    is_silent(str(caught.value), repr(caught.value), *map(str, chain_of(caught.value)))
    processor = DataProcessor(url + '/none', tmp_path / 'out2', num_workers=0, progress=False)
    with pytest.raises(RawDataError) as caught: processor.process_all()
    is_silent(*map(str, chain_of(caught.value)))


def test_images_that_are_named_by_signed_urls(tmp_path):
    "Label tools export them, and the report keeps the names of images that are not there"
    url, raw = f'https://ann:{PASSWORD}@host/a.jpg?X-Amz-Signature={SIGNATURE}', tmp_path / 'raw'
    image(raw / 'ears/1.jpg')
    coco(raw / 'ears/all.json', {'1.jpg': [[1, 2, 10, 20]], url: [[1, 2, 3, 4], [0, 0, 0, 0, url]]})
    text(raw / 'ears/project.json', json.dumps([{'data': {'image': url}, 'annotations': [{'completed_by': 1, 'result': [{'type': url, 'value': {'rle': [1]}}]}]}]))
    text(raw / 'ears/bare.csv', f'{url},a,b,c,d,e\n')
    report = DataProcessor(raw, tmp_path / 'out', num_workers=0, progress=False).process_all()
    assert len(report.problems) > 3 and sum('Signature=***' in str(o) for o in report.problems) > 2
    is_silent(str(report), repr([*report.problems]), recorded(tmp_path / 'out').decode('latin-1'), repr(Sample(image_path=url)))


def chain_of(error):
    "The errors that a traceback shows"
    while error:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


class Guarded(SimpleHTTPRequestHandler):
    "Files for who has the password, or the signature"
    protocol_version = 'HTTP/1.1'
    def log_message(self, *_): pass

    def send_head(self):
        given = base64.b64encode(f'ann:{PASSWORD}'.encode()).decode() in self.headers.get('Authorization', '')
        if given or unquote(f'sig={SIGNATURE}') in unquote(self.path): return super().send_head()
        self.send_error(403)


@pytest.fixture(scope='module')
def guarded(tmp_path_factory):
    "A server, and a dataset on it"
    root = tmp_path_factory.mktemp('guarded')
    image(root / 'raw/ears/1.jpg')
    coco(root / 'raw/ears/all.json', {'1.jpg': [[1, 2, 10, 20]]})
    process(root / 'raw', root / 'out', train_split=1)
    server = ThreadingHTTPServer(('127.0.0.1', 0), partial(Guarded, directory=root))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield root, f'127.0.0.1:{server.server_port}'
    server.shutdown()
    thread.join()
    server.server_close()


def test_who_may_open(guarded, cached):
    root, host = guarded
    npy = root / 'out/train_detector.npy'
    ways = [LazyNPYDataset(f'http://ann:{PASSWORD}@{host}/out/train_detector.npy'), LazyNPYDataset(npy, root_dir=f'http://ann:{PASSWORD}@{host}/raw', download_cache='1MB'),
            LazyNPYDataset(npy, root_dir=f'http://{host}/raw?sig={SIGNATURE}')]
    for ds in ways:
        assert ds[0]['image'].shape == (40, 60, 3)
        is_silent(repr(ds), ds._repr_html_(), repr(ds.metadata), repr(ds.open_image(0)))
    signed = LazyNPYDataset(f'http://{host}/out/train_detector.npy?sig={SIGNATURE}', root_dir=root / 'raw')
    assert signed[0]['image'].shape == (40, 60, 3)
    is_silent(repr(signed), signed._repr_html_(), recorded(cached).decode('latin-1'))
    with pytest.raises(ImageLoadError, match='recorded nowhere: open the file with root_dir= and the whole URL'): LazyNPYDataset(npy, root_dir=f'http://{host}/raw')[0]
    for wrong in (f'http://ann:{PASSWORD}x@{host}/raw', f'http://{host}/raw?token={SIGNATURE}', f'http://ann:{PASSWORD}@{host}/none'):
        with pytest.raises(ImageLoadError) as caught: LazyNPYDataset(npy, root_dir=wrong)[0]
        is_silent(*map(str, chain_of(caught.value)), *map(repr, chain_of(caught.value)))


# The cache folder

def test_cache_folders_are_private(tmp_path, cached):
    "Also where they, or the one above, are older and open to others"
    fsspec.filesystem('memory').pipe_file('/private/a.txt', b'a')
    cached.mkdir(mode=0o755)
    (cached / 'files').mkdir(mode=0o777)
    before = os.umask(0)
    try: copy = local_copy('memory://private/a.txt')
    finally: os.umask(before)
    modes = {os.path.relpath(o, cached): stat.S_IMODE(os.stat(o).st_mode) for o, *_ in os.walk(cached)}
    assert modes.pop('.') == 0o755 and len(modes) == 2 and set(modes.values()) == {0o700}, modes
    assert os.path.dirname(os.path.dirname(os.path.dirname(copy))) == str(cache_dir())


def test_new_cache_folders_are_private(cached):
    fsspec.filesystem('memory').pipe_file('/private/a.txt', b'a')
    before = os.umask(0)
    try: local_copy('memory://private/a.txt')
    finally: os.umask(before)
    assert {stat.S_IMODE(os.stat(o).st_mode) for o, *_ in os.walk(cached)} == {0o700}
