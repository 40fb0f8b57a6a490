"The folder of local copies: no link in it is followed, and nothing is removed from it but what this package put there"
import os
import stat
from pathlib import Path

import fsspec
import pytest
from victims import (
    content, dangling_link, file_of_others, folder_of_others, link_to_file, link_to_folder, make_victim, patience, pipe, take_the_place)

from ear_lazy.base import storage
from ear_lazy.base.downloads import DownloadCache
from ear_lazy.base.images import read_file
from ear_lazy.beyond.mirror import mirror_raw, output_stand_in, publish
from ear_lazy.data_processor import DataProcessor
from ear_lazy.errors import EarLazyError, StorageError
from ear_lazy.synthetic import write_raw

RAW, OUT, FILE = 'memory://attack/raw', 'memory://attack/out', 'memory://attack/raw/detector/heads_csv/annotations.csv'


@pytest.fixture(scope='module')
def local(tmp_path_factory): return write_raw(tmp_path_factory.mktemp('local') / 'raw', images=12)


@pytest.fixture
def bucket(local, tmp_path, monkeypatch):
    "Raw data in memory, an empty cache folder, and somebody's work beside it"
    monkeypatch.setenv('EAR_LAZY_CACHE', str(tmp_path / 'cache'))
    memory = fsspec.filesystem('memory')
    if memory.exists('/attack'): memory.rm('/attack', recursive=True)
    memory.put(str(local), '/attack/raw', recursive=True)
    with patience(): yield memory


@pytest.fixture
def victim(tmp_path): return make_victim(tmp_path / 'work')


def mirror(): return mirror_raw(RAW)
def copy(): return storage.local_copy(FILE)
def image(url=RAW + '/detector/heads_csv/images/person_0005.jpg', most=10**9):
    cache = DownloadCache(most)
    data = read_file(url, keep=cache)
    cache.put(url, data)
    return data
def process(): return DataProcessor(RAW, OUT, num_workers=0, progress=False).process_all()
def place(what, url): return storage.cache_dir() / what / storage._digest(url)


USES = {'raw': (mirror, RAW), 'files': (copy, FILE), 'images': (image, RAW + '/detector/heads_csv/images'), 'out': (process, OUT)}
LINKS = link_to_folder, dangling_link


def attacked(use, path, way, victim, after=False):
    "Use a cache that somebody else has touched, before its first use or after it"
    if after: use()
    take_the_place(path, way, victim)
    before = content(victim)
    try: return use()
    finally: assert content(victim) == before


@pytest.mark.parametrize('after', (False, True), ids=('new', 'used'))
@pytest.mark.parametrize('way', LINKS)
@pytest.mark.parametrize('level', ('part', 'own'))
@pytest.mark.parametrize('what', USES)
def test_a_folder_that_is_a_link(bucket, victim, what, level, way, after):
    use, url = USES[what]
    path = place(what, url) if level == 'own' else place(what, url).parent
    with pytest.raises(EarLazyError, match='a link, not a folder.*EAR_LAZY_CACHE=… chooses another'): attacked(use, path, way, victim, after)


@pytest.mark.parametrize('way', LINKS)
@pytest.mark.parametrize('what', ('raw', 'out'))
def test_the_inner_folder_is_a_link(bucket, victim, what, way):
    "Of the mirror, which was cleaned of all that is not in the bucket: the whole of somebody's folder"
    use, url = USES[what]
    with pytest.raises(EarLazyError, match='a link, not a folder'): attacked(use, place(what, url) / what, way, victim)


@pytest.mark.parametrize('way', (link_to_folder, link_to_file, dangling_link, pipe, folder_of_others, file_of_others))
@pytest.mark.parametrize('what', ('raw', 'files', 'images'))
def test_a_lock_that_is_none(bucket, victim, what, way):
    use, url = USES[what]
    path = place(what, url) / 'lock' if what != 'images' else place(what, url).parent / 'lock'
    with pytest.raises(EarLazyError, match='not a lock: .*EAR_LAZY_CACHE=… chooses another'): attacked(use, path, way, victim)
    if way is file_of_others: assert path.read_text() == 'somebody else wrote this'


@pytest.mark.parametrize('way', (link_to_folder, link_to_file, dangling_link, pipe, file_of_others))
@pytest.mark.parametrize('where', ('', 'detector', 'landmarker/ears_pts/annot'))
@pytest.mark.parametrize('name', ('mine', '.mine', 'a.csv'))
def test_something_in_the_mirror_that_was_not_fetched(bucket, victim, where, name, way):
    root, _ = mirror()
    way(root / where / name, victim)
    before = content(victim), content(root)
    with pytest.raises(StorageError, match='that was not fetched: move it away, or remove'): mirror()
    assert (content(victim), content(root)) == before


@pytest.mark.parametrize('way', (link_to_file, dangling_link, pipe))
def test_a_fetched_file_that_became_something_else(bucket, victim, way):
    root, _ = mirror()
    take_the_place(root / 'detector/heads_csv/annotations.csv', way, victim)
    before = content(victim)
    with pytest.raises(StorageError, match='that was not fetched'): mirror()
    assert content(victim) == before


def test_a_fetched_folder_that_became_a_link(bucket, victim):
    root, _ = mirror()
    bucket.pipe_file('/attack/raw/detector/heads_csv/more.csv', b'image_path,x1,y1,w,h\n') # would be fetched into it
    take_the_place(root / 'detector/heads_csv', link_to_folder, victim)
    before = content(victim)
    with pytest.raises(StorageError, match='that was not fetched'): mirror()
    assert content(victim) == before


DAMAGE = {'missing': None, 'empty': b'', 'zeros': b'\0' * 99, 'nothing': b'\x80', 'of an older version': b'\x81\xa5files\x81\xc4\x01a\x92\xa0\xc2'}


def damage_list(damage):
    index = place('raw', RAW) / 'index'
    index.unlink() if damage is None else index.write_bytes(damage)


@pytest.mark.parametrize('damage', DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_list_removes_nothing(bucket, damage):
    "What is in the bucket is fetched again; what is not stays, and stops the run"
    root, _ = mirror()
    damage_list(damage)
    (root / 'detector/mine.csv').write_text('mine')
    before = content(root)
    with pytest.raises(StorageError, match='that was not fetched: move it away, or remove'): mirror()
    assert content(root) == before


@pytest.mark.parametrize('damage', DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_list_is_made_again(bucket, damage):
    root, _ = mirror()
    before, fetched = content(root), []
    (root / CSV).write_bytes(b'image_path,x1,y1,w,h\n')
    damage_list(damage)
    for _ in range(2): mirror_raw(RAW, bar=fetched.append)
    assert content(root) == before and fetched == [sum((root / o).is_file() for o in before), 0]


CSV, IMAGE = 'detector/heads_csv/annotations.csv', 'detector/heads_csv/images/person_0005.jpg'


def cut(path): path.write_bytes(path.read_bytes()[:-40])
def edit(path): path.write_bytes(path.read_bytes()[:-4] + b'1,1\n')
def edit_in_place(path):
    with open(path, 'r+b') as f: f.write(b'?')


@pytest.mark.parametrize('name', (CSV, IMAGE, '.pts'))
@pytest.mark.parametrize('change', (cut, edit, edit_in_place, Path.unlink))
def test_a_fetched_file_that_was_changed_is_fetched_again(bucket, name, change):
    "Even with the old times, which tell nobody; the others are not fetched"
    root, _ = mirror()
    name = next(o for o in content(root) if o.endswith(name))
    before, st, fetched = content(root), (root / name).stat(), []
    change(root / name)
    if (root / name).exists(): os.utime(root / name, ns=(st.st_atime_ns, st.st_mtime_ns))
    for _ in range(2): mirror_raw(RAW, bar=fetched.append)
    assert content(root) == before and fetched == [1, 0]


@pytest.mark.parametrize('force', (False, True))
def test_rows_are_those_of_the_bucket(bucket, tmp_path, force):
    def run(out, **kwargs): return DataProcessor(RAW, tmp_path / out, num_workers=0, progress=False, **kwargs).process_all()
    def rows(out): return {o.name: o.read_bytes() for o in sorted((tmp_path / out).glob('*.npy'))}
    run('first')
    root = place('raw', RAW) / 'raw'
    st = (root / CSV).stat()
    cut(root / CSV)
    os.utime(root / CSV, ns=(st.st_atime_ns, st.st_mtime_ns))
    run('second', force=force), run('first', force=force)
    assert rows('first') == rows('second') != {}


def test_a_killed_fetch_is_continued(bucket, monkeypatch):
    "What it had fetched is in the list, though the list was not completed"
    from ear_lazy.beyond import mirror as module
    written = module._write_index
    with monkeypatch.context() as m:
        m.setattr(module, '_write_index', lambda *a: m.setattr(module, '_write_index', lambda *a: None) or written(*a)) # the first only
        mirror()
    root, _ = mirror()
    assert {o for o in content(root) if (root / o).is_file()} == {o.removeprefix('/attack/raw/') for o in bucket.find('/attack/raw')}


@pytest.mark.parametrize('way', (link_to_file, dangling_link, pipe))
@pytest.mark.parametrize('name', ('index', 'published', 'bytes', 'copy', 'image'))
def test_notes_and_copies_that_are_none(bucket, victim, name, way):
    process(), image(), copy()
    paths = {'index': place('raw', RAW) / 'index', 'published': place('out', OUT) / 'out/.ear_lazy/published',
             'bytes': place('images', '').parent / 'bytes', 'copy': Path(copy()),
             'image': place('images', RAW + '/detector/heads_csv/images') / storage._digest(RAW + '/detector/heads_csv/images/person_0005.jpg')}
    if name == 'bytes': paths['image'].unlink() # so that it is kept again
    take_the_place(paths[name], way, victim)
    use = {'index': mirror, 'published': process, 'copy': copy}.get(name, image)
    before = content(victim)
    with pytest.raises(EarLazyError, match='a link|a pipe|cannot be kept'): use()
    assert content(victim) == before and os.path.lexists(paths[name])


@pytest.mark.parametrize('note', (b'', b'\xff\xfe', b'many', b'-9' * 40, b'9' * 5000, b'1e3'))
def test_a_damaged_count_of_bytes(bucket, note):
    "Is counted again: no traceback, and no limit that does not hold"
    first = image()
    (place('images', '').parent / 'bytes').write_bytes(note)
    url = RAW + '/detector/heads_csv/images/person_0006.jpg'
    image(url, len(first) + 100)
    assert not (place('images', url[:url.rfind('/')]) / storage._digest(url)).exists()


def test_old_files_of_others_stay(bucket):
    "Only names that this package gives are removed after a day"
    folder = Path(copy()).parent
    mine = [folder / o for o in ('1.copy', 'thesis.part', 'a b.copy', '.part-mine')]
    for o in mine:
        o.write_text('mine')
        os.utime(o, (0, 0))
    (folder / f"{'0' * 24}.copy").symlink_to(mine[0])
    bucket.pipe_file('/attack/raw/detector/heads_csv/annotations.csv', b'image_path,x1,y1,w,h\n')
    copy()
    assert all(o.read_text() == 'mine' for o in mine)


@pytest.mark.parametrize('way', (link_to_file, pipe))
def test_an_output_that_became_something_else_is_not_uploaded(bucket, victim, way):
    process()
    out = output_stand_in(OUT)
    take_the_place(out / 'train_detector.npy', way, victim)
    bucket.rm('/attack/out/train_detector.npy') # so that it is uploaded again
    with pytest.raises(StorageError, match='not a file'): publish(out, OUT, ('detector',))
    assert not bucket.exists('/attack/out/train_detector.npy')


def test_nobody_else_can_enter(bucket):
    copy()
    assert stat.S_IMODE(os.stat(storage.cache_dir()).st_mode) == 0o700


def test_the_cache_folder_itself_may_be_a_link(bucket, tmp_path, monkeypatch):
    (tmp_path / 'large').mkdir()
    (tmp_path / 'small').symlink_to(tmp_path / 'large')
    monkeypatch.setenv('EAR_LAZY_CACHE', str(tmp_path / 'small'))
    for use in (copy, image, process): use()
    assert {o.name for o in (tmp_path / 'large').iterdir()} == {'files', 'images', 'raw', 'out'}
