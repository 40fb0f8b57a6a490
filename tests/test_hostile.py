"Files made to do harm: metadata that points elsewhere, images that claim or take too much; refused by a typed error, in little memory and time"
import io
import os
import pickle
import shutil
import struct
import subprocess
import sys
import tracemalloc
import zlib
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from making import KINDS, ROOT, coco, image, process, refused
from PIL import Image
from tally import tally

from ear_lazy import lazy_dataset
from ear_lazy.base.images import image_size, load_image, open_image
from ear_lazy.errors import ImageLoadError, MetadataError
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.metadata.file import Metadata

LOADERS = 'pil', 'cv2', 'turbo'


# Where a file may point

@pytest.fixture
def made(tmp_path):
    "A raw folder, what was made of it here, and a private picture beside them"
    for name in 'abc': image(tmp_path/f'data/raw/ears/{name}.png', seed=ord(name))
    image(tmp_path/'private/a.png', seed=9)
    coco(tmp_path/'data/raw/ears/b.json', {f'{n}.png': [[1, 1, 5, 5]] for n in 'abc'})
    process(tmp_path/'data/raw', tmp_path/'data/out', train_split=1)
    return tmp_path


def strangers(made, kind='detector'):
    "The file as it comes from elsewhere: a copy, without what a run leaves beside it"
    folder = made/'data/copy'
    folder.mkdir(exist_ok=True)
    return shutil.copy(made/f'data/out/train_{kind}.npy', folder)


def with_root(made, root):
    "A stranger's file that says its images are in `root`"
    path = strangers(made)
    record = np.load(path)
    dtype = [(n, f'S{max(len(root), 1)}' if n == 'root' else record.dtype[n]) for n in record.dtype.names]
    out = np.zeros((), dtype)
    for n in record.dtype.names: out[n] = root.encode() if n == 'root' else record[n]
    np.save(path, out)
    return path


class Opened(Exception): "An image was opened"


def refusal(monkeypatch, row, ask):
    "Why a sample is refused before an image is opened; '' where it is not. It is counted either way"
    def opened(*args): raise Opened
    with monkeypatch.context() as patch:
        patch.setattr(lazy_dataset, 'open_image', opened)
        try: ask()
        except MetadataError as e: why = str(e)
        except Opened: why = ''
        else: why = ''
    tally('hostile', row, tried=1, let_in=not why)
    return why


@pytest.mark.parametrize('swap', ['file', 'folder', 'folder above', 'chain'])
@pytest.mark.parametrize('kind', ['detector', 'teacher'])
def test_links_that_lead_out_of_the_root(made, monkeypatch, swap, kind):
    "… are refused before anything there is read, also from what was made here while there was no such link"
    ears, private = made/'data/raw/ears', made/'private'
    if swap == 'file': (ears/'a.png').unlink(), (ears/'a.png').symlink_to(private/'a.png')
    if swap == 'folder': shutil.rmtree(ears), ears.symlink_to(private)
    if swap == 'folder above': shutil.rmtree(ears), (private/'deep').mkdir(), shutil.copy(private/'a.png', private/'deep'), ears.symlink_to('../../private/deep')
    if swap == 'chain': (ears/'a.png').unlink(), (ears/'x').symlink_to('../../../private'), (ears/'a.png').symlink_to('x/a.png')
    for path in (strangers(made, kind), made/f'data/out/train_{kind}.npy'):
        for options in ({}, dict(cache_size=5), dict(root_dir=made/'data/raw'), dict(on_error='skip')):
            dataset = LazyNPYDataset(path, **options)
            for ask, row in ((dataset.__getitem__, 0), (dataset.get_batch, [0]), (dataset.__getitems__, [0])):
                why = refusal(monkeypatch, 'links that lead out of the root', partial(ask, row))
                assert 'a link leads outside of the image root' in why and 'allow_outside_root=True' in why
        assert LazyNPYDataset(path, allow_outside_root=True)[0]['image'].shape


def test_a_link_is_not_followed_when_images_are_copied(made):
    path = strangers(made)
    (made/'data/raw/ears/a.png').unlink(), (made/'data/raw/ears/a.png').symlink_to(made/'private/a.png')
    for write in (LazyNPYDataset(path).to_coco, LazyNPYDataset(path).to_csv):
        for images in ('copy', 'link'):
            with pytest.raises(MetadataError, match='leads outside'): write(made/'new/a', images)
    assert not (made/'new').exists()


def test_everyday_links(made):
    "A root that is a link, links inside of it that stay there, a file that is a link"
    raw = made/'data/raw'
    expected = LazyNPYDataset(strangers(made))[1]['image']
    raw.rename(made/'elsewhere')
    raw.symlink_to('../elsewhere')
    (made/'elsewhere/ears').rename(made/'elsewhere/real')
    (made/'elsewhere/ears').symlink_to('real')
    (made/'elsewhere/real/b.png').rename(made/'elsewhere/b.png')
    (made/'elsewhere/real/b.png').symlink_to('../b.png')
    (made/'data/link.npy').symlink_to(strangers(made))
    for path in (strangers(made), made/'data/link.npy', made/'data/out/train_detector.npy'):
        assert np.array_equal(LazyNPYDataset(path)[1]['image'], expected)
        assert np.array_equal(LazyNPYDataset(path, root_dir=raw)[1]['image'], expected)


def test_a_raw_dataset_that_is_linked_into_the_raw_folder(tmp_path):
    "What a run here has followed may be followed; the same file elsewhere may not"
    image(tmp_path/'disk/ears/a.png')
    coco(tmp_path/'disk/ears/b.json', {'a.png': [[1, 1, 5, 5]], 'deep/c.png': [[1, 1, 5, 5]], 'd.png': [[1, 1, 5, 5]]})
    image(tmp_path/'disk/ears/deep/c.png'), image(tmp_path/'store/d.png')
    (tmp_path/'disk/ears/d.png').symlink_to(tmp_path/'store/d.png')
    (tmp_path/'data/raw').mkdir(parents=True)
    (tmp_path/'data/raw/ears').symlink_to(tmp_path/'disk/ears')
    process(tmp_path/'data/raw', tmp_path/'data/out', ('detector',), train_split=1)
    dataset = LazyNPYDataset(tmp_path/'data/out/train_detector.npy')
    assert [o['image'].shape for o in dataset] == [(40, 60, 3)] * 3
    process(tmp_path/'data/raw', tmp_path/'data/out', ('teacher',), train_split=1) # the other kinds stay trusted
    assert LazyNPYDataset(tmp_path/'data/out/train_detector.npy')[0] and LazyNPYDataset(tmp_path/'data/out/train_teacher.npy')[0]
    shutil.copytree(tmp_path/'data/out', tmp_path/'data/copy')
    for evil in (tmp_path/'data/copy/train_detector.npy', shutil.copy(tmp_path/'data/out/train_detector.npy', tmp_path/'data/out/other.npy')):
        with pytest.raises(MetadataError, match='leads outside'): LazyNPYDataset(evil)[0]
    (tmp_path/'data/raw/ears').unlink()
    (tmp_path/'data/raw/ears').symlink_to(tmp_path/'store')
    with pytest.raises((ImageLoadError, MetadataError)): LazyNPYDataset(tmp_path/'data/out/train_detector.npy')[0]


@pytest.mark.parametrize('root', ['/etc', '../../../etc', '../' * 30 + 'etc', 'a/../../../../etc', 'C:/x', 'C:\\x', '\\\\host\\x', '//host/x', '..\\..\\..\\x'])
def test_roots_that_are_far_away(made, monkeypatch, root):
    "… are taken from a file from elsewhere only where the user says so"
    path = with_root(made, root)
    assert Metadata(path).root == root
    with pytest.raises(MetadataError, match='root_dir=.*allow_outside_root=True') as caught: LazyNPYDataset(path)
    assert str(path) in str(caught.value)
    assert LazyNPYDataset(path, root_dir=made/'data/raw')[0]['image'].shape == (40, 60, 3)
    assert LazyNPYDataset(path, allow_outside_root=True).kind == 'detector'
    shutil.copy(path, made/'data/out/train_detector.npy')
    with pytest.raises(MetadataError, match='root_dir='): LazyNPYDataset(made/'data/out/train_detector.npy')


@pytest.mark.parametrize('root', ['../raw', '../../data/raw', '../raw/.', '../other/../raw'])
def test_roots_in_the_neighbourhood(made, root): assert LazyNPYDataset(with_root(made, root))[0]['image'].shape == (40, 60, 3)


def test_a_far_root_of_what_was_made_here(tmp_path):
    for name in 'ab': image(tmp_path/f'disk/raw/{name}.png')
    coco(tmp_path/'disk/raw/b.json', {'a.png': [[1, 1, 5, 5]]})
    out = tmp_path/'home/user/project/data/out'
    process(tmp_path/'disk/raw', out, train_split=1)
    assert Metadata(out/'train_detector.npy').root == '../../../../../disk/raw' and LazyNPYDataset(out/'train_detector.npy')[0]
    assert process(tmp_path/'disk/raw', out, train_split=1) and LazyNPYDataset(out/'train_detector.npy')[0], 'a run that finds nothing new changes nothing'
    shutil.copytree(out, tmp_path/'home/user/project/data/copy')
    with pytest.raises(MetadataError, match='was not made in this folder'): LazyNPYDataset(tmp_path/'home/user/project/data/copy/train_detector.npy')


def test_folders_are_looked_up_once(made, monkeypatch):
    dataset, calls = LazyNPYDataset(strangers(made)), []
    realpath = os.path.realpath
    monkeypatch.setattr(os.path, 'realpath', lambda path, **options: calls.append(path) or realpath(path, **options))
    for _ in range(3): [dataset[i] for i in range(3)]
    assert len(calls) == 1, 'one folder; where the root is was found when the dataset was opened'


def with_path(made, path, kind='detector'):
    "A stranger's file whose first row is of another image"
    file = Path(strangers(made, kind))
    record = np.load(file)
    dtype = [(n, ('S200', record.dtype[n].shape) if n == 'image_paths' else record.dtype[n]) for n in record.dtype.names]
    out = np.zeros((), dtype)
    for n in record.dtype.names: out[n] = record[n]
    out['image_paths'][0] = path.encode()
    np.save(file, out)
    return file


@pytest.mark.parametrize('kind', ['detector', 'teacher'])
@pytest.mark.parametrize('path', ['{made}/private/a.png', '../../private/a.png', 'ears/../../../private/a.png'])
def test_paths_outside_of_the_root(made, monkeypatch, path, kind):
    "… are refused, unless the user trusts the file"
    file = with_path(made, path.format(made=made), kind)
    private = np.asarray(Image.open(made/'private/a.png'))
    for dataset in (LazyNPYDataset(file), LazyNPYDataset(file, root_dir=made/'data/raw', on_error='skip')):
        assert 'not inside the image root' in refusal(monkeypatch, 'paths outside of the root', partial(dataset.__getitem__, 0))
    trusted = LazyNPYDataset(file, allow_outside_root=True)
    for dataset in (trusted, pickle.loads(pickle.dumps(trusted)), LazyNPYDataset(file, allow_outside_root=True, root_dir=made/'data/raw')):
        assert (dataset[0]['image'] == private[0, 0]).all() and os.path.samefile(dataset[0]['image_path'], made/'private/a.png')
        assert dataset[1]['image'].shape
    before = sorted(made.rglob('*'))
    trusted.to_csv(made/'new/a', 'copy')
    assert {o for o in made.rglob('*')} - {*before} == {*(made/'new').rglob('*'), made/'new'}, 'copies stay in their folder'
    assert sum(o.suffix == '.png' for o in (made/'new').rglob('*')) == 3
    file = with_path(made, 'ears/a\0b.png', kind)
    with pytest.raises(MetadataError, match='not inside'): LazyNPYDataset(file, allow_outside_root=True)[0]


# Metadata that lies

@pytest.mark.parametrize('kind', KINDS)
def test_cut_at_any_byte(made, kind):
    if kind == 'landmarker':
        coco(made/'data/raw/ears/p.json', {'a.png': [dict(keypoints=[1, 1, 2, 3, 3, 1])]})
        process(made/'data/raw', made/'data/out', (kind,), train_split=1)
    data = (made/f'data/out/train_{kind}.npy').read_bytes()
    cut = made/'data/out/cut.npy'
    let_in = []
    for at in range(len(data)):
        cut.write_bytes(data[:at])
        if not refused(cut): let_in.append(at)
    tally('hostile', 'metadata cut at every byte', tried=len(data), let_in=len(let_in))
    assert not let_in
    cut.write_bytes(data + b'\0')
    assert 'truncated or damaged' in refused(cut)


@pytest.mark.parametrize('claim', ["('bboxes', '<f4', ({n}, 4))", "('image_paths', 'S1000', ({n},))"])
def test_a_claim_of_10_GB_in_a_kilobyte(tmp_path, claim):
    for n in (10**7, 2**29, 2**31, 10**10, 2**62, 2**64):
        header = ("{'descr': [" + claim.format(n=n) + "], 'fortran_order': False, 'shape': ()}\n").encode()
        (tmp_path/'a.npy').write_bytes(b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header)) + header + b'0' * 1000)
        tracemalloc.start()
        try:
            why = refused(tmp_path/'a.npy')
            tally('hostile', 'metadata that claims gigabytes', tried=1, let_in=not why)
            assert why
            assert tracemalloc.get_traced_memory()[1] < 10**6
        finally: tracemalloc.stop()


@pytest.mark.parametrize('offsets', [(0, 2, 1, 3), (0, 1, 0, 3), (1, 1, 2, 3), (0, 1, 2, 4), (3, 2, 1, 0), (0, -1, 2, 3)])
def test_falling_offsets(made, offsets):
    "Every row gives boxes of the file, or is refused"
    data, old = (made/'data/out/train_detector.npy').read_bytes(), np.arange(4, dtype='<i8').tobytes()
    assert data.count(old) == 1
    (made/'data/out/evil.npy').write_bytes(data.replace(old, np.array(offsets, '<i8').tobytes()))
    m, bad = Metadata(made/'data/out/evil.npy'), 0
    for i in range(3):
        try: assert m.values(i).tolist() in ([[1, 1, 5, 5]] * n for n in range(4))
        except MetadataError as e: bad, _ = bad + 1, str(e).index('offsets')
    assert bad or sorted(offsets) == list(offsets)


def test_names_that_are_commands(made):
    "Names are escaped where a dataset shows itself"
    data = (made/'data/out/train_detector.npy').read_bytes()
    evil = made/'data/copy/<img src=x onerror=alert(1)>.npy'
    evil.parent.mkdir()
    evil.write_bytes(data.replace(b'ears/a.png', b'<b>/a.png\0'))
    html = LazyNPYDataset(evil, on_error='skip')._repr_html_()
    assert '<img src=x' not in html and '<b>/a.png' not in html and '&lt;img src=x' in html


# Images that are bombs

def chunk(name, data=b''): return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))


def png(width, height, before=b'', pixels=b'', after=b''):
    head = chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0))
    return b'\x89PNG\r\n\x1a\n' + head + before + chunk(b'IDAT', pixels) + after + chunk(b'IEND')


def small_png(**more): return png(1, 1, pixels=zlib.compress(bytes(4)), **more)


def encoded(format, size=(8, 8), **options):
    file = io.BytesIO()
    Image.new('RGB', size).save(file, format, **options)
    return file.getvalue()


def tiff_of_a_large_tile(side=30_000):
    data = zlib.compress(bytes(10**6))
    tags = [(256, 4, 16), (257, 4, 16), (258, 3, 8), (259, 3, 8), (262, 3, 1), (277, 3, 1), (322, 4, side), (323, 4, side), (324, 4, 8 + 2 + 12 * 10 + 4), (325, 4, len(data))]
    return b'II*\0' + struct.pack('<I', 8) + struct.pack('<H', len(tags)) + b''.join(struct.pack('<HHII', t, k, 1, v) for t, k, v in tags) + bytes(4) + data


def jpeg_with(segments):
    data = encoded('JPEG')
    return data[:2] + segments + data[2:]


def gif_with(blocks):
    data = encoded('GIF')
    at = data.index(b',')
    return data[:at] + blocks + data[at:]


def webp_of(width, height):
    canvas = struct.pack('<I', 0) + (width - 1).to_bytes(3, 'little') + (height - 1).to_bytes(3, 'little')
    data = encoded('WEBP', lossless=True)[12:]
    body = b'WEBPVP8X' + struct.pack('<I', 10) + canvas + data
    return b'RIFF' + struct.pack('<I', len(body)) + body


def scans(n):
    data = encoded('JPEG', (64, 64), progressive=True)
    at = data.rindex(b'\xff\xda')
    return data[:at] + data[at:-2] * n + data[-2:]


LIMIT = 10**6 # pixels
BOMBS = {
    'PNG of 4 billion pixels': lambda: png(65_535, 65_535, pixels=zlib.compress(bytes(10**6))), 'PNG of 2^62 pixels': lambda: png(2**31 - 1, 2**31 - 1),
    'PNG just above': lambda: png(1001, 1000, pixels=zlib.compress(bytes(10**6))), 'PNG of a million chunks': lambda: small_png(before=chunk(b'tEXt', b'a\0b') * 250_000),
    'PNG of a million chunks behind': lambda: small_png(after=chunk(b'abCd') * 330_000), 'PNG of unknown chunks': lambda: small_png(before=chunk(b'abCd') * 330_000),
    'PNG of texts that grow': lambda: small_png(before=chunk(b'zTXt', b'a\0\0' + zlib.compress(bytes(10**8)))), 'PNG of a profile that grows': lambda: small_png(before=chunk(b'iCCP', b'a\0\0' + zlib.compress(bytes(10**8)))),
    'JPEG of 4 billion pixels': lambda: encoded('JPEG').replace(struct.pack('>HH', 8, 8), struct.pack('>HH', 65_500, 65_500)),
    'JPEG of a million segments': lambda: jpeg_with(b'\xff\xfe\0\2' * 10**6), 'JPEG of a million fill bytes': lambda: jpeg_with(b'\xff' * 10**6),
    'JPEG of a million applications': lambda: jpeg_with(b'\xff\xe5\0\4ab' * 600_000), 'JPEG of scans without end': lambda: scans(3000),
    'GIF of 4 billion pixels': lambda: b'GIF89a' + struct.pack('<HH', 65_535, 65_535) + encoded('GIF')[10:],
    'GIF of a frame larger than itself': lambda: (lambda d, at: d[:at + 5] + struct.pack('<HH', 60_000, 60_000) + d[at + 9:])(encoded('GIF'), encoded('GIF').index(b',')),
    'GIF of a million comments': lambda: gif_with(b'!\xfe\1a\0' * 800_000), 'GIF of one comment without end': lambda: gif_with(b'!\xfe' + b'\1a' * 10**6 + b'\0'),
    'GIF of a million extensions': lambda: gif_with(b'!\xf9\4\0\0\0\0\0' * 500_000), 'TIFF of a large tile': tiff_of_a_large_tile,
    'WebP of 16384 × 16384': lambda: webp_of(16_384, 16_384), 'WebP of 16 million × 1': lambda: webp_of(2**24, 1), 'BMP of 4 billion pixels': lambda: encoded('BMP').replace(struct.pack('<ii', 8, 8), struct.pack('<ii', 65_000, 65_000)),
    'zeros for 1 GB': None, 'a PNG with 100 MB behind it': lambda: small_png() + bytes(10**8),
}


def write_bomb(path, what):
    if BOMBS[what] is None:
        with open(path, 'wb') as f: f.truncate(10**9)
    else: path.write_bytes(BOMBS[what]())
    return path


@pytest.mark.parametrize('loader', LOADERS)
@pytest.mark.parametrize('what', BOMBS)
def test_bombs(tmp_path, what, loader):
    "Refused, within twice the memory of the image allowed"
    path = write_bomb(tmp_path/'a.jpg', what)
    load_image(image(tmp_path/'b.png'), loader)
    tracemalloc.start()
    try:
        try: caught = load_image(path, loader, LIMIT)
        except ImageLoadError as e: caught = e
        tally('hostile', 'images that are bombs', tried=1, let_in=not isinstance(caught, ImageLoadError))
        assert isinstance(caught, ImageLoadError)
        peak = tracemalloc.get_traced_memory()[1]
    finally: tracemalloc.stop()
    assert peak <= 2 * 4 * LIMIT, peak
    if 'million' in what and ' × ' not in what: assert 'too many pieces of metadata' in str(caught) or what == 'GIF of a million extensions'
    assert caught.fault in ('too_large', 'damaged', 'not_image', 'cut_off') and str(path) in str(caught)


PEAKS = '''
import sys
from ear_lazy.base.images import load_image
from ear_lazy.errors import ImageLoadError
loader, good, files = sys.argv[1], sys.argv[2].split('?'), sys.argv[3:]
def memory(name): return next(int(o.split()[1]) * 1024 for o in open('/proc/self/status') if o.startswith(name))
for path in good: load_image(path, loader)
for path in files:
    path, _, limit = path.partition('?')
    open('/proc/self/clear_refs', 'w').write('5') # the peak starts at what is there now
    before = memory('VmRSS')
    try: load_image(path, loader, int(limit))
    except ImageLoadError: pass
    print(memory('VmHWM') - before)
'''


@pytest.mark.parametrize('loader', LOADERS)
def test_bombs_in_the_memory_of_the_process(tmp_path, loader):
    "… as the system counts it, with what decoders take by themselves"
    peaks = peaks_of({what: (write_bomb(tmp_path/f'{i}', what), LIMIT) for i, what in enumerate(BOMBS)}, loader, [image(tmp_path/'b.png')])
    assert {k: v for k, v in peaks.items() if v > 2 * 4 * LIMIT} == {}, peaks


def pictures():
    "Encoders of a picture in each format, mode and orientation: (format, mode, options)"
    turned = Image.Exif()
    for turn in range(2, 9):
        turned[274] = turn
        yield from [('JPEG', 'RGB', dict(exif=turned.tobytes())), ('PNG', 'RGBA', dict(exif=turned.tobytes()))]
    for mode in ('RGB', 'L', 'CMYK'): yield from [('JPEG', mode, dict(progressive=p, subsampling=s)) for p in (False, True) for s in (0, 2)]
    for mode in ('1', 'L', 'LA', 'P', 'RGB', 'RGBA', 'I;16'): yield 'PNG', mode, {}
    for mode in ('1', 'L', 'RGB', 'RGBA', 'CMYK', 'YCbCr', 'I;16'): yield from [('TIFF', mode, dict(compression=c)) for c in (None, 'tiff_deflate')]
    yield from [('BMP', 'RGB', {}), ('BMP', 'L', {}), ('GIF', 'P', {}), ('WEBP', 'RGB', {}), ('WEBP', 'RGBA', dict(lossless=True)), ('TIFF', 'RGB', dict(compression='jpeg'))]


def in_mode(picture, mode): return Image.fromarray(np.asarray(picture).astype(np.uint16) * 256) if mode == 'I;16' else picture.convert(mode)


def allowed(path, loader):
    "The least `max_pixels` that a picture of 1000 × 1500 pixels is decoded with"
    for share in (1, 1.25, 1.5, 2):
        try: return load_image(path, loader, int(1.5e6 * share)) is not None and int(1.5e6 * share)
        except ImageLoadError as e: assert e.fault == 'too_large'
    raise AssertionError(f'{path} is not decoded at all')


@pytest.mark.parametrize('loader', LOADERS)
def test_the_memory_that_an_image_as_large_as_is_allowed_takes(tmp_path, loader):
    "Twice what Pillow has its pixels in, and the file itself, in every format, mode and orientation"
    picture, files, small = Image.fromarray(np.add.outer(np.arange(1000), np.arange(1500)).astype(np.uint8)).convert('I'), {}, []
    for i, (format, mode, options) in enumerate(pictures()):
        in_mode(picture, mode).save(tmp_path/str(i), format, **options)
        in_mode(picture.resize((15, 10)), mode).save(tmp_path/f'small{i}', format, **options)
        small.append(tmp_path/f'small{i}') # decoded first, so that the decoder's own code is not counted as the image's memory
        files[f"{format} {mode} {' '.join(map(str, options.items()))[:40]} {i}"] = tmp_path/str(i), allowed(tmp_path/str(i), loader)
    peaks = peaks_of(files, loader, small)
    over = {k: (v - files[k][0].stat().st_size - 2**20) / files[k][1] for k, v in peaks.items()} # a MB for lines and tables
    assert {k: round(v, 2) for k, v in over.items() if v > 8} == {}, 'bytes for each pixel allowed'
    assert max(over.values()) > 6, 'something was measured'


def peaks_of(files, loader, good):
    "Name to bytes that decoding (path, max_pixels) takes at its height, after the `good` ones; each block of memory goes back to the system at once, so that none is used twice unseen"
    run = subprocess.run([sys.executable, '-c', PEAKS, loader, '?'.join(map(str, good)), *(f'{path}?{limit}' for path, limit in files.values())], capture_output=True, text=True, cwd=ROOT,
                         env=os.environ | {'MALLOC_MMAP_THRESHOLD_': '131072'})
    if 'clear_refs' in run.stderr: pytest.skip('the system does not let the peak of memory be measured')
    assert run.returncode == 0, run.stderr
    return dict(zip(files, map(int, run.stdout.split()), strict=True))


@pytest.mark.parametrize('what', BOMBS)
def test_the_size_of_bombs(tmp_path, what):
    "What asks for the size alone gets it, or an error, in little memory"
    path = write_bomb(tmp_path/'a.jpg', what)
    tracemalloc.start()
    try:
        try: image_size(path)
        except ImageLoadError: pass
        assert tracemalloc.get_traced_memory()[1] < 8 * LIMIT
    finally: tracemalloc.stop()


@pytest.mark.parametrize('loader', LOADERS)
@pytest.mark.parametrize('format', ['JPEG', 'PNG', 'BMP', 'WEBP', 'TIFF', 'GIF'])
def test_an_image_as_large_as_is_allowed(tmp_path, format, loader):
    path = tmp_path/'a'
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path, format)
    most = 300 * 400 * (2 if format == 'WEBP' else 1)
    assert load_image(path, loader, most).shape == (300, 400, 3)
    with pytest.raises(ImageLoadError, match=f'too many pixels: 400×300.* max_pixels is {most - 1:,}') as caught: load_image(path, loader, most - 1)
    assert caught.value.fault == 'too_large'


@pytest.mark.parametrize('loader', LOADERS)
def test_everyday_files_are_taken(tmp_path, loader):
    "Many chunks, large profiles, many frames, many scans: as many as files of cameras and tools have"
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (500, 700, 3), dtype=np.uint8))
    noise.save(tmp_path/'scans.jpg', progressive=True, quality=95, icc_profile=bytes(600_000), exif=b'Exif\0\0II*\0' + bytes(60_000))
    noise.quantize().save(tmp_path/'frames.gif', save_all=True, append_images=[noise.quantize().rotate(i) for i in range(1, 6)])
    noise.save(tmp_path/'a.png')
    data = (tmp_path/'a.png').read_bytes()
    at = data.index(b'IDAT') - 4
    pixels = zlib.compress(b''.join(b'\0' + np.asarray(noise)[i].tobytes() for i in range(500)))
    (tmp_path/'chunks.png').write_bytes(data[:at] + b''.join(chunk(b'IDAT', pixels[i:i + 1024]) for i in range(0, len(pixels), 1024)) + chunk(b'IEND'))
    for name in ('scans.jpg', 'frames.gif', 'chunks.png'): assert load_image(tmp_path/name, loader).shape == (500, 700, 3)
    assert np.array_equal(load_image(tmp_path/'chunks.png', loader), np.asarray(noise))


@pytest.mark.parametrize('loader', LOADERS)
def test_what_is_no_file_with_an_end(tmp_path, loader):
    "A pipe that nobody writes to is not waited for, a device is not read"
    os.mkfifo(tmp_path/'pipe.jpg')
    for path in (tmp_path/'pipe.jpg', '/dev/zero', '/dev/null'):
        with pytest.raises(ImageLoadError, match='a pipe or a device'): load_image(path, loader)
    with pytest.raises(ImageLoadError, match='this is a folder'): load_image(tmp_path, loader)
    assert open_image(image(tmp_path/'a.png')).size == (40, 60)


@pytest.mark.parametrize('kind', ['detector', 'teacher'])
def test_datasets_hand_the_bound_on(made, kind):
    for loader in LOADERS:
        dataset = LazyNPYDataset(made/f'data/out/train_{kind}.npy', max_pixels=2399, image_loader=loader)
        with pytest.raises(ImageLoadError, match=r'a.png \(row 0\): too many pixels: 60×40') as caught: dataset[0]
        assert caught.value.fault == 'too_large' and caught.value.row == 0
        assert LazyNPYDataset(made/f'data/out/train_{kind}.npy', max_pixels=2400, image_loader=loader)[0]
