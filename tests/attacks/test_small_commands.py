"The demo, the migration and the synthetic data: they replace only what they made, and write through no link"
import os
import pickle
import shutil

import pytest
from victims import content, dangling_link, file_of_others, link_to_file, link_to_folder, make_victim, patience, pipe, take_the_place

from ear_lazy import demo
from ear_lazy.errors import EarLazyError, MetadataError, OutputError
from ear_lazy.migrate import migrate
from ear_lazy.synthetic import plant_mistakes, write_raw

LINKS = link_to_folder, link_to_file, dangling_link


@pytest.fixture(autouse=True)
def limited():
    with patience(60): yield


@pytest.fixture
def victim(tmp_path): return make_victim(tmp_path / 'work')


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp('finished') / 'demo'
    demo.make_raw(folder, 3)
    demo.save_gallery(demo.open_datasets(folder, demo.process(folder)), *GALLERY(folder), columns=2)
    return folder


@pytest.fixture
def folder(tmp_path, finished):
    "A demo that has run, but for its slow steps"
    return shutil.copytree(finished, tmp_path / 'demo')


def GALLERY(folder): return (folder,) if 'folder' in demo.save_gallery.__code__.co_varnames[:3] else (folder / demo.GALLERY,)


def again(folder):
    demo.make_raw(folder, 4)
    demo.save_gallery(demo.open_datasets(folder, demo.process(folder)), *GALLERY(folder), columns=2)


def test_a_demo_can_run_again(folder):
    again(folder)
    again(folder)
    assert sorted(o.name for o in folder.iterdir()) == ['gallery.png', 'made_by_ear_lazy_demo.txt', 'preprocessed', 'raw']


@pytest.mark.parametrize('way', (*LINKS, pipe))
@pytest.mark.parametrize('name', ('raw', 'preprocessed', 'gallery.png', 'made_by_ear_lazy_demo.txt'))
@pytest.mark.parametrize('used', (False, True), ids=('new', 'used'))
def test_names_of_the_demo_that_are_taken(tmp_path, victim, name, way, used, request):
    folder = request.getfixturevalue('folder') if used else tmp_path / 'demo'
    take_the_place(folder / name, way, victim)
    before = content(victim), content(folder)
    with pytest.raises(OutputError, match='your files are never replaced'): again(folder)
    assert (content(victim), content(folder)) == before


@pytest.mark.parametrize('way', (*LINKS, pipe, file_of_others))
@pytest.mark.parametrize('name', ('raw/mine', 'raw/detector/heads_csv/images/mine.jpg', 'raw/.mine'))
def test_something_in_the_raw_data_of_the_demo(folder, victim, name, way):
    way(folder / name, victim)
    before = content(victim), content(folder)
    with pytest.raises(OutputError, match='was not made by the demo'): again(folder)
    assert (content(victim), content(folder)) == before


def test_a_link_listed_in_the_marker(folder, victim):
    "The marker of old listed links as such: one that leads to somebody's work would be taken for the demo's"
    (folder / 'raw/link').symlink_to(victim)
    with open(folder / demo.MARKER, 'a') as f: f.write('link  raw/link\n')
    with pytest.raises(OutputError): again(folder)


@pytest.mark.parametrize('name', ('gallery.png', 'made_by_ear_lazy_demo.txt'))
def test_a_file_of_somebody_else_in_its_place(folder, name):
    take_the_place(folder / name, file_of_others, None)
    with pytest.raises(OutputError, match='was not made by the demo'): again(folder)
    assert (folder / name).read_text() == 'somebody else wrote this'


@pytest.fixture
def old(tmp_path):
    path = tmp_path / 'old.npy'
    path.write_bytes(pickle.dumps({'image_paths': ['a.jpg'], 'bboxes': [[[1, 2, 3, 4]]]}))
    return path


@pytest.mark.parametrize('way', (*LINKS, pipe, file_of_others))
def test_a_migration_replaces_nothing(tmp_path, victim, old, way):
    way(tmp_path / 'new.npy', victim)
    before = content(tmp_path)
    with pytest.raises(OutputError, match='is there already: remove it, or choose another name'): migrate(old, tmp_path / 'new.npy', tmp_path)
    assert content(tmp_path) == before


def test_nor_does_it_replace_other_shards(tmp_path, old, monkeypatch):
    from ear_lazy import migrate as module
    write = module.write_metadata
    monkeypatch.setattr(module, 'write_metadata', lambda *a: [*write(*a), write(a[0].with_name('new-00001.npy'), *a[1:])[0]])
    (tmp_path / 'new-00001.npy').write_text('somebody else wrote this')
    with pytest.raises(OutputError, match='new-00001.npy is there already'): migrate(old, tmp_path / 'new.npy', tmp_path)
    assert (tmp_path / 'new-00001.npy').read_text() == 'somebody else wrote this' and not (tmp_path / 'new.npy').exists()


def test_a_pipe_is_not_migrated(tmp_path):
    os.mkfifo(tmp_path / 'old.npy')
    with pytest.raises(MetadataError, match='a pipe or a device, not a file'): migrate(tmp_path / 'old.npy', tmp_path / 'new.npy')


@pytest.mark.parametrize('way', LINKS)
@pytest.mark.parametrize('name', ('detector', 'detector/heads_coco', 'detector/heads_csv/images', 'landmarker/ears_pts/annot',
                                  'detector/heads_coco/train/_annotations.coco.json', 'detector/heads_csv/annotations.csv',
                                  'landmarker/ears_pts/annot/ear_0040.pts'))
@pytest.mark.parametrize('make', (lambda o: write_raw(o, 50), plant_mistakes), ids=('write', 'plant'))
def test_synthetic_data_is_not_written_through_links(tmp_path, victim, raw, name, way, make):
    take_the_place(raw / name, way, victim)
    before = content(victim)
    with pytest.raises(EarLazyError, match='a link, which is not written through'): make(raw)
    assert content(victim) == before


@pytest.fixture
def raw(tmp_path):
    global _RAW
    if _RAW is None: _RAW = write_raw(tmp_path / 'made', 50)
    return shutil.copytree(_RAW, tmp_path / 'raw')


_RAW = None


def test_mistakes_are_not_written_into_another_name_of_a_file(raw, tmp_path):
    path = raw / 'detector/heads_csv/annotations.csv'
    os.link(path, tmp_path / 'original.csv')
    before = path.read_bytes()
    plant_mistakes(raw)
    assert (tmp_path / 'original.csv').read_bytes() == before != path.read_bytes()
