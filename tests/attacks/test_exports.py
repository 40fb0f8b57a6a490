"What an export writes to, replaces and reads: never raw data, never through a link, and only files"
import json
import os

import pytest
from making import coco, image, process, without_sizes
from victims import (
    content, dangling_link, file_of_others, folder_of_others, link_to_file, link_to_folder, make_victim, patience, pipe, take_the_place)

from ear_lazy import export
from ear_lazy.errors import EarLazyError, ImageLoadError, MetadataError, OutputError
from ear_lazy.lazy_dataset import LazyNPYDataset

WRITES = {'coco': lambda ds, path, images=None: ds.to_coco(path, images), 'csv': lambda ds, path, images=None: ds.to_csv(path, images),
          'yolo': lambda ds, path, images=None: ds.to_yolo(path, images or 'link')}
SUFFIX = {'coco': '.json', 'csv': '.csv', 'yolo': ''}
ways = pytest.mark.parametrize('name', WRITES)
placed = pytest.mark.parametrize('images', ('link', 'copy'))


def raw_data(folder):
    for name in ('a/1.jpg', 'a/2.jpg', 'b/1.jpg'): image(folder / 'ears/images' / name, (40, 60))
    coco(folder / 'ears/all.json', {o: [[1, 2, 10, 20]] for o in ('images/a/1.jpg', 'images/a/2.jpg', 'images/b/1.jpg')}, size=(60, 40))


@pytest.fixture
def made(tmp_path):
    "Raw data, its metadata, and somebody's work"
    raw_data(tmp_path / 'raw')
    process(tmp_path / 'raw', tmp_path / 'npy', train_split=1)
    make_victim(tmp_path / 'work')
    with patience(): yield tmp_path


@pytest.fixture
def ds(made): return LazyNPYDataset(made / 'npy/train_detector.npy')


@ways
@pytest.mark.parametrize('way', (link_to_folder, link_to_file, dangling_link, pipe, file_of_others, folder_of_others))
def test_a_target_that_is_taken(made, ds, name, way):
    target = made / 'out' / f'ears{SUFFIX[name]}'
    take_the_place(target, way, made / 'work')
    before = content(made / 'work'), content(made / 'out')
    with pytest.raises(OutputError, match='is there already, .*: choose another name, or remove it'): WRITES[name](ds, target)
    assert (content(made / 'work'), content(made / 'out')) == before


@pytest.mark.parametrize('name', ('coco', 'csv'))
@placed
@pytest.mark.parametrize('way', (link_to_folder, link_to_file, dangling_link, pipe, file_of_others, folder_of_others))
def test_a_folder_of_images_that_is_taken(made, ds, name, images, way):
    take_the_place(made / 'out/ears_images', way, made / 'work')
    before = content(made / 'work'), content(made / 'out')
    with pytest.raises(OutputError, match='ears_images is there already'): WRITES[name](ds, made / 'out' / f'ears{SUFFIX[name]}', images)
    assert (content(made / 'work'), content(made / 'out')) == before


@ways
def test_a_link_to_an_empty_folder(made, ds, name):
    (made / 'empty').mkdir()
    (made / 'out').symlink_to(made / 'empty')
    with pytest.raises(OutputError, match='as a link'): WRITES[name](ds, made / 'out')
    assert os.readlink(made / 'out') == str(made / 'empty') and not list((made / 'empty').iterdir())


@ways
def test_a_name_taken_while_the_export_was_made(made, ds, name, monkeypatch):
    target, write, mkdir = made / 'out' / f'ears{SUFFIX[name]}', export.Path.write_bytes, export.Path.mkdir
    def late(call):
        def made_late(self, *args, **options): # the name was free when the hidden copy was begun
            call(self, *args, **options)
            if '.ear_lazy-' in str(self) and not target.exists(): write(target, b'somebody else wrote this')
        return made_late
    for o, call in (('write_bytes', write), ('mkdir', mkdir)): monkeypatch.setattr(export.Path, o, late(call))
    with pytest.raises(OutputError, match='is there already'): WRITES[name](ds, target)
    assert target.read_text() == 'somebody else wrote this'


@ways
@pytest.mark.parametrize('place', ('raw', 'raw/new', 'raw/ears', 'raw/ears/images', 'raw/ears/images/a', 'raw/ears/images/new/deep'))
@pytest.mark.parametrize('by', ('name', 'link', 'dots'))
def test_nothing_is_written_below_the_raw_folder(made, ds, name, place, by):
    before = content(made / 'raw')
    folder = made / place
    if by == 'link':
        (made / 'elsewhere').symlink_to(made / 'raw')
        folder = made / 'elsewhere' / os.path.relpath(made / place, made / 'raw')
    if by == 'dots': folder = made / 'npy/..' / place
    with pytest.raises(OutputError, match='raw data in .*, which is never written to: choose another folder'):
        WRITES[name](ds, folder / f'ears{SUFFIX[name]}', 'copy')
    assert content(made / 'raw') == before


@ways
@pytest.mark.parametrize('out', ('exports', '.', 'npy', 'npy/exports'))
def test_a_project_that_is_its_own_root(tmp_path, name, out):
    "The whole of a project is the root: exports go anywhere but among the images"
    raw_data(tmp_path)
    process(tmp_path, tmp_path / 'npy', train_split=1)
    ds = LazyNPYDataset(tmp_path / 'npy/train_detector.npy')
    assert ds.root == str(tmp_path)
    WRITES[name](ds, tmp_path / out / f'new{SUFFIX[name]}')
    before = content(tmp_path)
    for place in ('ears/images/a', 'ears/images/b/new'):
        with pytest.raises(OutputError, match='never written to'): WRITES[name](ds, tmp_path / place / f'new{SUFFIX[name]}')
    assert content(tmp_path) == before


@pytest.mark.parametrize('root', ('/', None))
def test_a_root_far_above(made, root):
    "As a migrated file may have: what holds images is raw data, and nothing else"
    ds = LazyNPYDataset(made / 'npy/train_detector.npy', root_dir=root or made)
    ds.metadata.image_path = lambda i, path=ds.metadata.image_path: os.path.relpath(made / 'raw' / path(i), root or made)
    ds.to_csv(made / 'new/ears.csv')
    with pytest.raises(OutputError, match='never written to'): ds.to_csv(made / 'raw/ears/images/a/ears.csv')


@ways
def test_metadata_beside_its_images(made, name):
    process(made / 'raw', made / 'raw/npy', train_split=1)
    ds = LazyNPYDataset(made / 'raw/npy/train_detector.npy')
    WRITES[name](ds, made / f'raw/npy/ears{SUFFIX[name]}')
    WRITES[name](ds, made / f'raw/npy/exports/ears{SUFFIX[name]}')


@pytest.mark.parametrize('name', ('coco', 'csv'))
def test_an_export_replaces_an_earlier_one(made, ds, name):
    path = made / f'ears{SUFFIX[name]}'
    WRITES[name](ds[:1], path)
    first = path.read_bytes()
    WRITES[name](ds, path)
    assert path.read_bytes() != first and not list(made.glob('.ear_lazy*'))


@pytest.mark.parametrize('content', ('', '{}', 'image_path,x1,y1,w,h\n', '{"info":{"description":"my work"}}', 'image_path,x1,y1,w,h,label,image_height,image_width'))
@pytest.mark.parametrize('name', ('coco', 'csv'))
def test_a_file_that_only_looks_like_an_export(made, ds, name, content):
    path = made / f'ears{SUFFIX[name]}'
    path.write_text(content)
    with pytest.raises(OutputError, match='not an earlier export'): WRITES[name](ds, path)
    assert path.read_text() == content


@ways
@placed
@pytest.mark.parametrize('way', (pipe, folder_of_others))
def test_a_source_that_is_no_file(made, ds, name, images, way):
    take_the_place(made / 'raw/ears/images/a/1.jpg', way, made / 'work')
    with pytest.raises(ImageLoadError, match='not a file|a folder'): WRITES[name](ds, made / 'out/new', images)
    assert not list((made / 'out').iterdir())


@ways
@placed
@pytest.mark.parametrize('swapped', ('image', 'folder'))
@pytest.mark.parametrize('when', ('before', 'checked'))
def test_a_source_that_leads_out(made, ds, name, images, swapped, when, monkeypatch):
    "A link to a secret, there before the export or put there after the name was checked"
    (made / 'secret/a').mkdir(parents=True)
    (made / 'secret/a/1.jpg').write_bytes(b'secret')
    def swap():
        path, target = (made / 'raw/ears/images/a', made / 'secret/a') if swapped == 'folder' else (made / 'raw/ears/images/a/1.jpg', made / 'secret/a/1.jpg')
        path.rename(made / 'before')
        path.symlink_to(target)
    if when == 'before': swap()
    else:
        mkdir = export.Path.mkdir
        def late(self, *args, **options): # the folder of the images is made after all names were checked
            mkdir(self, *args, **options)
            if '.ear_lazy-' in str(self) and not (made / 'before').exists(): swap()
        monkeypatch.setattr(export.Path, 'mkdir', late)
    with pytest.raises(EarLazyError, match='leads outside of the image root'): WRITES[name](ds, made / 'out/new', images)
    assert not list((made / 'out').rglob('*')) if (made / 'out').exists() else True


@pytest.mark.parametrize('way', (link_to_file, pipe))
def test_a_size_is_not_read_from_elsewhere(made, way):
    "Of an image whose size is not in the metadata"
    raw = made / 'raw2'
    image(raw / '1.jpg', (40, 60))
    (raw / 'all.csv').write_text('image_path,x1,y1,w,h\n1.jpg,,,,\n')
    process(raw, made / 'npy2', train_split=1)
    ds = LazyNPYDataset(without_sizes(made / 'npy2/train_detector.npy'))
    take_the_place(raw / '1.jpg', way, made / 'work')
    with pytest.raises((ImageLoadError, MetadataError)): ds.to_coco(made / 'out.json')


@placed
def test_images_that_a_run_found_behind_a_link_are_exported(made, images):
    "The exception for links that this folder's own run followed"
    (made / 'raw/more').mkdir()
    (made / 'store').mkdir()
    image(made / 'store/1.jpg', (40, 60))
    (made / 'raw/more/images').symlink_to(made / 'store')
    coco(made / 'raw/more/all.json', {'images/1.jpg': [[1, 2, 10, 20]]}, size=(60, 40))
    process(made / 'raw', made / 'npy', train_split=1)
    path = LazyNPYDataset(made / 'npy/train_detector.npy').to_coco(made / 'out.json', images)
    names = [o['file_name'] for o in json.loads(path.read_text())['images']]
    assert all((made / o).read_bytes()[:2] == b'\xff\xd8' for o in names) and len(names) == 4
