"What always holds: a test for each of the seven invariants, and a few more where one was not enough"
import json
import os
import pickle
import random
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from making import KINDS, assert_accounted, boxes, coco, contents, image, leftovers, listing, opened, process, pts, reasons, refused, rows, text

from ear_lazy.errors import EarLazyError, MetadataError
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.metadata import table
from ear_lazy.metadata.file import Metadata
from ear_lazy.processing import output_folder

CSV = 'image_path,x1,y1,w,h\n'


def messy(raw):
    "Every format, with most of what can be wrong in each"
    for name in 'abcd': image(raw/f'one/{name}.png', seed=ord(name))
    coco(raw/'one/boxes.json', {
        'a.png': [[1, 1, 10, 10], [30, 20, 90, 90], [5, 5, 0, 9], [99, 99, 5, 5], [1, 1, 10, 10]],
        'b.png': [dict(bbox=[1, 2, 3]), dict(segmentation=[[1, 1, 9, 2, 5, 9]]), dict(bbox=[0, 0, 9, 9], iscrowd=1), dict(area=3)],
        'c.png': [], 'gone.png': [[1, 1, 5, 5], [2, 2, 5, 5]], 'd.png': [dict(bbox=[3, 3, 9, 9], image_id=77), dict(bbox='none')]})
    coco(raw/'one/points.json', {
        'a.png': [dict(bbox=[1, 1, 10, 10], keypoints=[2, 2, 2, 8, 8, 1]), dict(keypoints=[0, 0, 0, 0, 0, 0]), dict(keypoints=[1, 2])]})
    for name in 'ef': image(raw/f'two/{name}.png', seed=ord(name))
    image(raw/'two/x/same.png'), image(raw/'two/y/same.png')
    text(raw/'two/boxes.csv', CSV + 'e.png,1,1,9,9\ne.png,nan,1,9,9\nf.png,,,,\nf.png,1,two,3,4\nsame.png,1,1,5,5\nf.png,-5,1,20,9\n')
    for name in 'ghi': image(raw/f'three/imgs/{name}.png', seed=ord(name))
    pts(raw/'three/annot/g.pts', [(1, 1), (9, 9)]), pts(raw/'three/annot/h.pts', [('nan', 1), (9, 9)]), pts(raw/'three/annot/z.pts', [(1, 1)])
    text(raw/'three/annot/i.pts', 'version: 1\nn_points: 2\n{\n1 x\n2 2\n}')
    text(raw/'two/other.json', '{"things": []}'), text(raw/'two/broken.json', '{"images": [,')


@pytest.mark.parametrize('kinds', [KINDS, ('detector',), ('landmarker',), ('teacher',)])
def test_1_every_annotation_is_in_a_file_or_in_the_report(tmp_path, kinds):
    "1. Every annotation that is read is either in a `.npy` or in the report, with the reason"
    raw, out = tmp_path/'raw', tmp_path/'out'
    messy(raw)
    report = process(raw, out, kinds)
    assert_accounted(report, out)
    read = {name: (s.boxes.read, s.keypoints.read) for name, s in report.sources.items()}
    # a: 5, b: 3 (a box of three numbers, a polygon, a group), gone: 2, d: 2, and one with points; 3 sets of keypoints
    assert read == {'one': (13, 3), 'two': (5, 0), 'three': (0, 4)}
    assert all(p.source and p.file and p.reason for p in report.problems if p.reason != 'unused')
    if kinds != KINDS: return
    assert boxes(out) == sorted([('one/a.png', [1, 1, 10, 10]), ('one/a.png', [30, 20, 30, 20]), ('one/b.png', [1, 1, 8, 8]),
                                 ('two/e.png', [1, 1, 9, 9]), ('two/f.png', [0, 1, 15, 9])])
    empty = {path for path, values in rows(out, 'detector') if not values}
    assert empty == {'one/c.png'}, 'only what its file calls empty is a row with no box'
    assert len(rows(out, 'landmarker')) == 3 and len(rows(out, 'teacher')) == 5 + 1, 'h.pts has one finite point, and no area'
    found = {(p.file, p.where, p.reason) for p in report.problems}
    assert {('one/boxes.json', 'id 12', 'no_area'), ('one/boxes.json', 'id 13', 'outside'), ('one/boxes.json', 'id 11', 'partly_outside'),
            ('one/boxes.json', 'id 14', 'repeat'), ('two/boxes.csv', 'line 3', 'not_finite'), ('two/boxes.csv', 'line 5', 'malformed'),
            ('three/annot/i.pts', 'line 4', 'malformed'), ('two/other.json', '', 'not_recognised')} <= found
    assert {'crowd', 'orphan', 'no_box', 'no_geometry', 'unlabelled', 'missing_image', 'ambiguous_image', 'bad_file'} <= {p.reason for p in report.problems}


def test_1_a_problem_names_its_source(tmp_path):
    "1. … also a problem that is found after reading: a repeat in another file, keypoints that span no area"
    image(tmp_path/'raw/ears/a.png')
    coco(tmp_path/'raw/ears/boxes.json', {'a.png': [[1, 1, 9, 9]]})
    text(tmp_path/'raw/ears/boxes.csv', CSV + 'a.png,1,1,9,9\n')
    pts(tmp_path/'raw/ears/a.pts', [(20, 20)])
    report = process(tmp_path/'raw', tmp_path/'out')
    assert reasons(report) == [('no_crop', 'kept'), ('repeat', 'merged')]
    assert {p.source for p in report.problems} == {'ears'}


def test_2_raw_data_is_never_written_to(tmp_path):
    "2. The raw data is never written to"
    raw = tmp_path/'raw'
    messy(raw)
    def state(): return {p: (p.stat().st_mtime_ns, p.stat().st_mode, p.is_dir() or p.read_bytes()) for p in [raw, *raw.rglob('*')]}
    before = state()
    process(raw, tmp_path/'out', num_workers=2, batch_size=1)
    for npy in (tmp_path/'out').glob('*.npy'):
        dataset = LazyNPYDataset(npy, cache_size=4)
        for i in range(len(dataset)): dataset[i]['image'][:] = 0
    assert state() == before
    with pytest.raises(EarLazyError, match='never written to'): process(raw, raw/'.')
    assert state() == before


def test_2_an_output_folder_inside_the_raw_folder_is_no_raw_data(tmp_path):
    "2. … and what was written below it is not read as raw data the next time"
    raw = tmp_path/'raw'
    messy(raw)
    first = process(raw, raw/'preprocessed')
    data = contents(raw/'preprocessed')
    assert process(raw, raw/'preprocessed').sources == first.sources and contents(raw/'preprocessed') == data


class Fault(OSError): pass


def fail_at(monkeypatch, place, name, turn):
    "The `turn`-th call of a function raises"
    calls, function = [], getattr(place, name)
    def failing(*args, **kwargs):
        calls.append(args)
        if len(calls) == turn: raise Fault(28, 'No space left on device')
        return function(*args, **kwargs)
    monkeypatch.setattr(place, name, failing)
    return calls


@pytest.mark.parametrize('place, name', [(output_folder, 'write_metadata'), (os, 'fsync'), (os, 'replace'), (table.Table, 'append'), (table.Table, 'flush')])
@pytest.mark.parametrize('turn', [1, 2, 3])
def test_3_a_file_is_complete_or_absent(tmp_path, monkeypatch, place, name, turn):
    "3. An output file is complete or absent, wherever the disk fails"
    raw, out = tmp_path/'raw', tmp_path/'out'
    messy(raw)
    process(raw, out)
    old = contents(out)
    image(raw/'two/new.png')
    text(raw/'two/more.csv', CSV + 'new.png,1,1,5,5\n')
    process(raw, tmp_path/'other')
    new = contents(tmp_path/'other')
    assert new != old
    calls = fail_at(monkeypatch, place, name, turn)
    with pytest.raises(EarLazyError, match='No space left'): process(raw, out, force=True)
    assert len(calls) >= turn
    now = contents(out)
    assert now.keys() == old.keys() and not leftovers(out), 'no temporary file is left'
    assert all(now[f] in (old[f], new[f]) for f in now)
    if name != 'replace': assert now == old


def test_3_files_appear_by_renaming(tmp_path, monkeypatch):
    "3. … written beside its place, then renamed over it"
    seen, rename = [], os.replace
    def replace(source, target, src_dir_fd, dst_dir_fd):
        above, below = (os.readlink(f'/proc/self/fd/{o}') for o in (dst_dir_fd, src_dir_fd))
        if '.ear_lazy' in Path(above).parts: return rename(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        seen.append(target)
        assert '.ear_lazy' in Path(below).parts and os.lstat(Path(below)/source).st_dev == os.stat(tmp_path).st_dev, 'on the same file system'
        rename(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        shown = [o.name for o in (tmp_path/'out').iterdir() if o.is_file()]
        assert len(shown) in (0, 8), 'all at once'
        for o in shown: assert not o.endswith('.npy') or len(Metadata(tmp_path/'out'/o)) > 0
    monkeypatch.setattr(os, 'replace', replace)
    messy(tmp_path/'raw')
    process(tmp_path/'raw', tmp_path/'out')
    assert sorted(seen) == sorted(2 * listing(tmp_path/'out')) and len(seen) == 16, 'first as links, then as files'


def copy_in_order(source, target, order):
    "The same files, made in another order, so that the file system lists them in another"
    files = sorted(p for p in source.rglob('*') if p.is_file())
    random.Random(order).shuffle(files)
    for p in files:
        (target/p.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(p, target/p.relative_to(source))


@pytest.fixture(scope='module')
def varied(tmp_path_factory):
    "Raw data of several tasks, and what comes of it"
    folder = tmp_path_factory.mktemp('varied')
    messy(folder/'raw')
    for i in range(23):
        image(folder/f'raw/detector/points/imgs/{i}.png', seed=i)
        pts(folder/f'raw/detector/points/annot/{i}.pts', [(1, 1), (i + 2, 9)])
        image(folder/f'raw/landmarker/faces/imgs/{i}.png', seed=i)
        pts(folder/f'raw/landmarker/faces/annot/{i}.pts', [(1, 1), (i + 2, 9), (3, 3)][:2 + i % 2])
    process(folder/'raw', folder/'out')
    return folder/'raw', contents(folder/'out')


@pytest.mark.parametrize('options', [dict(num_workers=1), dict(num_workers=2), dict(num_workers=5), dict(num_workers=5, batch_size=3, flush_every=4),
                                     dict(batch_size=1), dict(batch_size=7, flush_every=2), dict(num_workers=2, batch_size=2, flush_every=10**6)], ids=str)
def test_4_same_bytes_for_any_number_of_workers(varied, tmp_path, options):
    "4. The same raw data gives the same bytes out, whatever `num_workers`, `batch_size` and `flush_every` are"
    raw, expected = varied
    process(raw, raw.parent/f'out-{tmp_path.name}', **options)
    assert contents(raw.parent/f'out-{tmp_path.name}') == expected


def test_4_same_report_where_something_is_not_used(varied, tmp_path):
    "4. … also where a source holds what nobody asked for: one line says so, however it was cut into tasks"
    raw, _ = varied
    for batch_size in (500, 4): process(raw, tmp_path/f'{batch_size}', ('detector',), batch_size=batch_size)
    def summary(folder): return [(p['source'], p['reason'], p['keypoints']) for p in json.loads((folder/'report.json').read_text())['problems']]
    assert summary(tmp_path/'4') == summary(tmp_path/'500')


@pytest.mark.parametrize('order', [1, 2])
def test_4_same_bytes_for_any_order_on_disk(varied, tmp_path, order):
    "4. … and in whatever order the file system lists the files"
    raw, expected = varied
    copy_in_order(raw, tmp_path/'raw', order)
    process(tmp_path/'raw', tmp_path/'out', num_workers=2)
    assert contents(tmp_path/'out') == expected


def photos(raw, numbers):
    "Photos as exporters leave them: copies in train and in valid, flipped ones, and the same photos in two raw datasets"
    data = image(raw.parent/'pixel.jpg', (8, 8)).read_bytes()
    lines = {'train': [CSV], 'valid': [CSV]}
    for i in numbers:
        for split in lines:
            name = f'photo{i}_jpg.rf.{i * 7919 % 2**20:08x}{split}.jpg'
            text(raw/f'detector/ears/{split}/{name}', data)
            lines[split].append(f'{name},1,1,5,5\n')
        text(raw/f'landmarker/ears/imgs/photo{i}.jpg', data), pts(raw/f'landmarker/ears/annot/photo{i}.pts', [(1, 1), (5, 6)])
        if i % 3 == 0:
            text(raw/f'landmarker/ears/imgs/photo{i}_flipped.jpg', data), pts(raw/f'landmarker/ears/annot/photo{i}_flipped.pts', [(1, 1), (5, 6)])
    for split in lines: text(raw/f'detector/ears/{split}/_annotations.csv', ''.join(lines[split]))


def sides(out):
    "Image path to the side it is on, over all six files; a path on both sides fails"
    side = {}
    for kind in KINDS:
        for m in opened(out, kind):
            for i in range(len(m)): assert side.setdefault(m.image_path(i), m.split) == m.split, m.image_path(i)
    return side


def sides_of_photos(side):
    found = {}
    for path, split in side.items(): found.setdefault(re.search(r'photo\d+', path)[0], set()).add(split)
    return found


def test_5_a_photo_is_on_one_side(tmp_path):
    "5. A photo, and every copy and crop of it, is on one side of the split in all of detector, landmarker and teacher"
    photos(tmp_path/'raw', range(300))
    process(tmp_path/'raw', tmp_path/'out', batch_size=100)
    assert len(listing(tmp_path/'out')) == 8
    before = sides(tmp_path/'out')
    by_photo = sides_of_photos(before)
    assert len(before) == 300 * 3 + 100 and len(by_photo) == 300
    assert [p for p, s in by_photo.items() if len(s) > 1] == []
    assert 0.7 < sum(s == {'train'} for s in by_photo.values()) / 300 < 0.9
    photos(tmp_path/'raw', range(330))
    process(tmp_path/'raw', tmp_path/'out')
    after = sides(tmp_path/'out')
    assert len(after) == 330 * 3 + 110
    assert {p: s for p, s in after.items() if before.get(p, s) != s} == {}, 'new photos move no old ones'
    process(tmp_path/'raw', tmp_path/'seed', seed=1)
    assert sides(tmp_path/'seed') != after


@pytest.mark.parametrize('number', [2, 3, 5])
def test_5_no_side_is_empty(tmp_path, number):
    "5. … with two photos or more in each kind"
    for seed in range(12):
        raw, out = tmp_path/f'raw{seed}', tmp_path/f'out{seed}'
        photos(raw, range(seed * 10, seed * 10 + number))
        process(raw, out)
        assert len(listing(out)) == 8, listing(out)
        assert all(len(s) == 1 for s in sides_of_photos(sides(out)).values())


def test_5_images_beside_two_folders_of_annotations(tmp_path):
    "5. … also where two raw datasets without images annotate the same photos"
    for i in range(40):
        image(tmp_path/f'raw/pictures/photo{i}.png', (8, 8))
        pts(tmp_path/f'raw/points/photo{i}.pts', [(1, 1), (5, 6)])
    text(tmp_path/'raw/boxes/all.csv', CSV + ''.join(f'photo{i}.png,1,1,5,5\n' for i in range(40)))
    process(tmp_path/'raw', tmp_path/'out', train_split=0.5)
    assert all(len(s) == 1 for s in sides_of_photos(sides(tmp_path/'out')).values())


class Call:
    "Unpickling this makes a folder"
    def __init__(self, path): self.path = str(path)
    def __reduce__(self): return os.mkdir, (self.path,)


def stranger_files(folder, trap):
    "Files that make a folder at `trap` if anybody unpickles them"
    evil = np.empty((), object)
    evil[()] = {'image_paths': [Call(trap)], 'bboxes': []}
    np.save(folder/'dict.npy', evil, allow_pickle=True)
    np.save(folder/'array.npy', np.array([Call(trap)], object), allow_pickle=True)
    (folder/'raw.npy').write_bytes(pickle.dumps(Call(trap)))
    (folder/'raw0.npy').write_bytes(pickle.dumps(Call(trap), protocol=0))
    np.savez(folder/'z.npz', images=evil)
    (folder/'z.npz').rename(folder/'z.npy')
    with zipfile.ZipFile(folder/'torch.npy', 'w') as z: z.writestr('archive/data.pkl', pickle.dumps(Call(trap)))
    record = np.zeros((), [('image_paths', 'S4', (1,)), ('bboxes', 'O')])
    np.save(folder/'record.npy', record, allow_pickle=True)
    return [folder/f'{name}.npy' for name in ('dict', 'array', 'raw', 'raw0', 'z', 'torch', 'record')]


def test_6_no_pickle_is_loaded(tmp_path):
    "6. A pickled `.npy` is refused, and what it would call is never called"
    trap = tmp_path/'trap'
    pickle.loads(pickle.dumps(Call(trap)))
    assert trap.exists(), 'the trap works'
    trap.rmdir()
    for path in stranger_files(tmp_path, trap):
        for way in (Metadata, LazyNPYDataset):
            with pytest.raises(MetadataError) as caught: way(path)
            assert str(path) in str(caught.value)
        if path.stem in ('dict', 'array', 'raw', 'z', 'torch', 'record'): assert 'ear-lazy process --all' in str(caught.value)
    assert not trap.exists()


@pytest.fixture(scope='module')
def good(tmp_path_factory):
    "A detector file of one row"
    folder = tmp_path_factory.mktemp('good')
    image(folder/'raw/ears/aaaaaaaaaaaa.png')
    image(folder/'secret.png')
    coco(folder/'raw/ears/b.json', {'aaaaaaaaaaaa.png': [[1, 1, 5, 5]]})
    process(folder/'raw', folder/'out', ('detector',))
    return folder/'out/train_detector.npy' if (folder/'out/train_detector.npy').exists() else folder/'out/val_detector.npy'


HOSTILE = ['/etc/passwd', '../../../../etc/pass', '../secret.png', 'ears/../../secret.png', '..', '..\\secret.png', 'C:/x.png', 'C:\\x.png', '\\\\host\\x.png', '',
           'ears/..', 'a\0../../x.png']


@pytest.mark.parametrize('path', HOSTILE, ids=repr)
def test_6_no_path_leaves_the_root(good, path):
    "6. A path that is absolute or climbs is refused, before any file is touched"
    old = b'ears/aaaaaaaaaaaa.png'
    assert len(path) <= len(old) and good.read_bytes().count(old) == 1
    evil = good.with_name('evil.npy')
    evil.write_bytes(good.read_bytes().replace(old, path.encode().ljust(len(old), b'\0')))
    dataset = LazyNPYDataset(evil)
    for ask in (lambda: dataset[0], lambda: dataset.get_metadata(0), lambda: dataset.get_batch([0])):
        with pytest.raises(MetadataError, match='not inside the image root'): ask()


def npy(header, body=b'', version=b'\x01\x00'):
    size = (len(header) + 1).to_bytes(2 if version == b'\x01\x00' else 4, 'little')
    return b'\x93NUMPY' + version + size + header + b'\n' + body


LIES = {
    'no dict': npy(b'[1, 2]'), 'code': npy(b"{'descr': __import__('os').mkdir('x'), 'fortran_order': False, 'shape': ()}"),
    'no header': b'\x93NUMPY', 'half a magic': b'\x93NUM', 'version 9': npy(b'{}', version=b'\x09\x00'), 'empty header': npy(b''),
    'huge array': npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999999,)}"),
    'huge record': npy(b"{'descr': [('image_paths', 'S999999999', (99999999999,))], 'fortran_order': False, 'shape': ()}"),
    'negative': npy(b"{'descr': [('image_paths', 'S4', (-1,))], 'fortran_order': False, 'shape': ()}"),
    'deep': npy(b'(' * 5000), 'long header': npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': ()}" + b' ' * 20000, b'1234'),
    'length beyond the file': b'\x93NUMPY\x02\x00\xff\xff\xff\x7f{}', 'object': npy(b"{'descr': '|O', 'fortran_order': False, 'shape': ()}"),
    'no text': npy(b'\xff\xfe\x00'), 'unknown dtype': npy(b"{'descr': 'wide', 'fortran_order': False, 'shape': ()}"),
    'record without columns': npy(b"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}", b'1234'),
    'empty record': npy(b"{'descr': [], 'fortran_order': False, 'shape': ()}"),
}


@pytest.mark.parametrize('lie', LIES)
def test_6_a_header_may_lie(tmp_path, lie):
    "6. A damaged or lying header is a `MetadataError`, quickly"
    path = tmp_path/'lie.npy'
    path.write_bytes(LIES[lie])
    assert str(path) in refused(path)
    assert listing(tmp_path) == ['lie.npy']


@pytest.mark.parametrize('old, new', [
    (b"('bboxes', '<f4', (1, 4))", b"('bboxes', '<f4', (4, 1))"), (b"('bboxes', '<f4', (1, 4))", b"('bboxes', '<i4', (1, 4))"),
    (b"('sizes', '<i4', (1, 2))", b"('sizes', '<i4', (2, 1))"), (b"'bboxes'", b"'keypts'"), (b"('labels', '<i4', (1,))", b"('labels', '<f4', (1,))"),
    (b"('offsets', '<i8', (2,))", b"('offsets', '<u8', (2,))")])
def test_6_columns_of_another_shape(good, old, new):
    "6. … also one whose columns have the right number of bytes, but not the layout"
    data = good.read_bytes()
    assert data.count(old) == 1, data[:700]
    path = good.with_name('layout.npy')
    path.write_bytes(data.replace(old, new))
    assert 'without the columns of a metadata file' in refused(path)


@pytest.mark.parametrize('offsets', [(0, 2), (-1, 1), (1, 0), (0, 2**62), (-2**63, 2**63 - 1)])
def test_6_offsets_that_point_elsewhere(good, offsets):
    "6. Offsets beyond the boxes are refused when their row is read"
    data, old = good.read_bytes(), np.array([0, 1], '<i8').tobytes()
    at = data.index(b'\n') + 1
    assert data[at:at + 16] == old, 'offsets come first'
    path = good.with_name('offsets.npy')
    path.write_bytes(data[:at] + np.array(offsets, '<i8').tobytes() + data[at + 16:])
    with pytest.raises(MetadataError, match='row 0 has the offsets'): LazyNPYDataset(path)[0]


def test_6_a_byte_changed_anywhere_in_the_header(good):
    "6. Every one-byte change of the header opens to the same columns or is a `MetadataError`"
    data = good.read_bytes()
    end, path = data.index(b'\n') + 1, good.with_name('byte.npy')
    for at in range(end):
        for byte in b'\x009(':
            path.write_bytes(data[:at] + bytes([byte]) + data[at + 1:])
            try: len(Metadata(path)), Metadata(path).values(0)
            except MetadataError: pass


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('cache_size', [0, 5])
def test_7_a_caller_never_changes_the_cache(tmp_path, kind, cache_size):
    "7. What a caller does to a sample never changes the cache, nor the file"
    image(tmp_path/'raw/a.png'), image(tmp_path/'raw/b.png', seed=1)
    coco(tmp_path/'raw/a.json', {n: [dict(bbox=[1, 1, 9, 9], keypoints=[1, 1, 2, 9, 9, 2])] for n in ('a.png', 'b.png')})
    process(tmp_path/'raw', tmp_path/'out')
    dataset = LazyNPYDataset(tmp_path/f'out/train_{kind}.npy', cache_size=cache_size)
    key = {'detector': 'bboxes', 'landmarker': 'keypoints', 'teacher': 'bbox'}[kind]
    def values(s): return s['image'].tolist(), s[key].tolist(), s['image_path']
    expected, metadata_before = values(dataset[0]), dataset.get_metadata(0)[key].tolist()
    for _ in range(3):
        sample = dataset[0]
        assert values(sample) == expected
        sample['image'][:] = 7
        sample[key][:] = -1
        sample['image_path'] = sample['new'] = 'x'
        dataset.get_metadata(0)[key][:] = -1
        dataset.get_batch([0])['image'][:] = 9
        del sample[key]
    assert values(dataset[0]) == expected and dataset.get_metadata(0)[key].tolist() == metadata_before
    assert dataset[0]['image'].flags.writeable and dataset[0]['image'].flags.owndata
