"Image files of every kind, through all loaders, against a picture that is known; and every fault a file can have"
import io, os, pickle, struct, subprocess, sys, zlib

import numpy as np
import PIL
import pytest
from PIL import Image, ImageFile, UnidentifiedImageError, features
from PIL.ExifTags import Base

from ear_lazy.base.images import cap_cv2_threads, decode_image, image_size, jpeg_is_whole, load_image, open_image
from ear_lazy.base.printable import printable
from ear_lazy.errors import ImageLoadError

LOADERS = 'pil', 'cv2', 'turbo'
TURNS = range(1, 9)

# Which side of the picture a person sees the stored first row and first column lie on: the EXIF standard's table for tag 274
SIDES = {1: ('top', 'left'), 2: ('top', 'right'), 3: ('bottom', 'right'), 4: ('bottom', 'left'),
    5: ('left', 'top'), 6: ('right', 'top'), 7: ('right', 'bottom'), 8: ('left', 'bottom')}

# Levels that survive a palette, a grey conversion and (as flat areas of whole JPEG blocks) a JPEG
COLOURS = np.array([[(200, 40, 40), (40, 200, 40)], [(40, 40, 200), (230, 230, 230)]], np.uint8)
BITS = np.array([[0, 255], [255, 255]], np.uint8)[..., None].repeat(3, axis=2)


def upright(mode):
    "The picture as a person sees it, 64 × 96, four areas that differ"
    areas = BITS if mode == '1' else COLOURS
    picture = areas.repeat(32, axis=0).repeat(48, axis=1)
    if mode in ('L', 'LA', 'I;16'): picture = np.asarray(Image.fromarray(picture).convert('L'))[..., None].repeat(3, axis=2)
    return picture


def stored(picture, turn):
    "The same as a file with orientation `turn` stores it"
    rows, columns = SIDES[turn]
    if turn >= 5: picture = picture.swapaxes(0, 1)
    picture = picture[::-1] if rows in ('bottom', 'right') else picture
    return np.ascontiguousarray(picture[:, ::-1] if columns in ('bottom', 'right') else picture)


def as_mode(picture, mode):
    im = Image.fromarray(picture)
    if mode == 'I;16': return Image.fromarray(picture[..., 0].astype(np.uint16) * 256 + 200)
    if mode == 'P': return im.quantize(8)
    if mode in ('LA', 'RGBA'):
        im.putalpha(Image.fromarray((np.arange(picture[..., 0].size) % 256).astype(np.uint8).reshape(picture.shape[:2])))
    return im.convert(mode)


def exif_of(turn):
    exif = Image.Exif()
    exif[Base.Orientation] = turn
    return exif


def write(path, picture, mode='RGB', turn=None, **options):
    "Saves `picture` so that it is seen upright once turned"
    im = as_mode(picture if turn is None else stored(picture, turn), mode)
    if turn is not None: options['exif'] = exif_of(turn)
    if options.get('save_all'): options['append_images'] = [Image.new(im.mode, im.size, 1)]
    im.save(path, **options)
    return path


def noise(height=90, width=130, seed=0):
    "Soft colours with grain, like a photo"
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = np.stack([np.sin(x / 9 + y / 17), np.cos(x / 23), np.sin(y / 7)], axis=-1)
    return (128 + 90 * waves + rng.normal(0, 9, waves.shape)).clip(0, 255).astype(np.uint8)


def mean_difference(a, b): return np.abs(a.astype(int) - b).mean()


def fails(path, *reasons):
    "Both loaders raise a proper `ImageLoadError` for `path`, which says one of `reasons`"
    for loader in LOADERS:
        with pytest.raises(ImageLoadError) as caught: load_image(path, loader)
        error = caught.value
        assert (error.path, error.row) == (str(path), None) and printable(str(path)) in str(error)
        assert str(pickle.loads(pickle.dumps(error))) == str(error)
        assert not reasons or any(reason in str(error) for reason in reasons), str(error)


# -------------------------------------------------------------------------------------------------------------- what is in a file

KINDS = {  # suffix, mode, options of Pillow's save
    'png': ('.png', 'RGB', {}),
    'png-grey': ('.png', 'L', {}),
    'png-palette': ('.png', 'P', {}),
    'png-palette-one-transparent': ('.png', 'P', {'transparency': 1}),
    'png-palette-alpha': ('.png', 'P', {'transparency': bytes([0, 99, 200, 255])}),
    'png-grey-alpha': ('.png', 'LA', {}),
    'png-alpha': ('.png', 'RGBA', {}),
    'png-16-bit': ('.png', 'I;16', {}),
    'png-1-bit': ('.png', '1', {}),
    'png-animated': ('.png', 'RGB', {'save_all': True}),
    'jpeg': ('.jpg', 'RGB', {'quality': 95}),
    'jpeg-capitals': ('.JPEG', 'RGB', {'quality': 95}),
    'jpeg-grey': ('.jpg', 'L', {'quality': 95}),
    'jpeg-progressive': ('.jpg', 'RGB', {'quality': 95, 'progressive': True}),
    'jpeg-4:4:4': ('.jpg', 'RGB', {'quality': 95, 'subsampling': 0}),
    'jpeg-restarts': ('.jpg', 'RGB', {'quality': 95, 'restart_marker_blocks': 2}),
    'jpeg-cmyk': ('.jpg', 'CMYK', {'quality': 95}),
    'jpeg-two-pictures': ('.jpg', 'RGB', {'quality': 95, 'format': 'MPO', 'save_all': True}),
    'webp': ('.webp', 'RGB', {'lossless': True}),
    'webp-alpha': ('.webp', 'RGBA', {'lossless': True, 'exact': True}),
    'tiff': ('.tif', 'RGB', {}),
    'tiff-lzw': ('.tiff', 'RGB', {'compression': 'tiff_lzw'}),
    'tiff-grey': ('.tif', 'L', {}),
    'tiff-palette': ('.tif', 'P', {}),
    'tiff-grey-alpha': ('.tif', 'LA', {}),
    'tiff-alpha': ('.tif', 'RGBA', {}),
    'tiff-cmyk': ('.tif', 'CMYK', {}),
    'tiff-16-bit': ('.tif', 'I;16', {}),
    'tiff-1-bit': ('.tif', '1', {}),
    'tiff-frames': ('.tif', 'RGB', {'save_all': True}),
    'tiff-frames-lzw': ('.tif', 'RGB', {'save_all': True, 'compression': 'tiff_lzw'}),
}
PLAIN = {  # formats that have no place for an orientation
    'bmp': ('.bmp', 'RGB', {}), 'bmp-grey': ('.bmp', 'L', {}), 'bmp-1-bit': ('.bmp', '1', {}), 'bmp-palette': ('.bmp', 'P', {}),
    'gif': ('.gif', 'P', {}), 'gif-frames': ('.gif', 'P', {'save_all': True}), 'gif-transparent': ('.gif', 'P', {'transparency': 2}),
}
CASES = [(kind, turn) for kind in KINDS for turn in TURNS] + [(kind, None) for kind in (*KINDS, *PLAIN)]


@pytest.mark.parametrize('kind, turn', CASES)
@pytest.mark.filterwarnings('error')
def test_known_picture(tmp_path, kind, turn):
    "All loaders give the known picture, upright, as RGB uint8, and `image_size` agrees, whatever the file holds"
    suffix, mode, options = (KINDS | PLAIN)[kind]
    picture = upright(mode)
    path = write(tmp_path/f'a{suffix}', picture, mode, turn, **options)
    loaded = {loader: load_image(path, loader) for loader in LOADERS}
    for image in loaded.values():
        assert (image.shape, image.dtype) == ((64, 96, 3), np.uint8)
        assert image.flags.c_contiguous and image.flags.writeable
        if 'jpeg' in kind: assert mean_difference(image, picture) < 2
        else: assert np.array_equal(image, picture)
        assert image_size(path) == image.shape[:2]
    if 'jpeg' in kind: assert mean_difference(loaded['pil'], loaded['cv2']) < 1
    assert np.array_equal(loaded['pil'], loaded['turbo'])
    loaded['cv2'][:] = 0
    assert load_image(path, loader='cv2').any()


@pytest.mark.parametrize('size', [(1, 1), (1, 50), (33, 17), (90, 130), (301, 407)])
@pytest.mark.parametrize('options', [{}, {'progressive': True}, {'subsampling': 0}, {'subsampling': 1}, {'quality': 20}], ids=str)
def test_jpeg_loaders_agree_on_photos(tmp_path, size, options):
    for turn in (1, 6):
        path = write(tmp_path/'a.jpg', noise(*size), turn=turn, **options)
        a, b, turbo = (load_image(path, loader) for loader in LOADERS)
        assert a.shape == b.shape == (*size, 3) and mean_difference(a, b) < 1
        assert np.array_equal(a, turbo)


def raw_png(colour_type, depth, channels, seed=0, height=30, width=40):
    "A PNG of any depth, as Pillow cannot write it"
    rng = np.random.default_rng(seed)
    rows = b''.join(b'\0' + rng.bytes(width * channels * depth // 8) for _ in range(height))
    palette = chunk(b'PLTE', rng.bytes(3 * 2**depth)) if colour_type == 3 else b''
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, depth, colour_type, 0, 0, 0)) + palette
        + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))


def chunk(name, data): return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))


@pytest.mark.parametrize('colour_type, depth, channels', [(0, d, 1) for d in (1, 2, 4, 8, 16)] + [(3, d, 1) for d in (1, 2, 4, 8)]
    + [(2, 8, 3), (2, 16, 3), (4, 8, 2), (4, 16, 2), (6, 8, 4), (6, 16, 4)])
def test_png_loaders_are_identical(tmp_path, colour_type, depth, channels):
    (tmp_path/'a.png').write_bytes(raw_png(colour_type, depth, channels))
    a, b = (load_image(tmp_path/'a.png', loader) for loader in ('pil', 'cv2'))
    assert np.array_equal(a, b) and a.shape == (30, 40, 3) and len(np.unique(a)) > 1


def test_16_bit_keeps_the_upper_bits(tmp_path):
    values = np.random.default_rng(0).integers(0, 65536, (20, 30), dtype=np.uint16)
    for suffix in ('.png', '.tif'):
        Image.fromarray(values).save(tmp_path/f'a{suffix}')
        for loader in LOADERS: assert np.array_equal(load_image(tmp_path/f'a{suffix}', loader)[..., 1], values >> 8)


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.tif', '.webp'])
def test_content_counts_not_the_name(tmp_path, suffix):
    os.rename(write(tmp_path/f'a{suffix}', upright('RGB'), turn=8), tmp_path/'ö ü.bmp')
    for loader in LOADERS: assert load_image(str(tmp_path/'ö ü.bmp'), loader).shape == (*image_size(str(tmp_path/'ö ü.bmp')), 3) == (64, 96, 3)


# ------------------------------------------------------------------------------------------------------------------------ orientation

@pytest.mark.parametrize('exif', [exif_of(0), exif_of(9), exif_of(77), b'', b'Exif\0\0', b'Exif\0\0rubbish', b'Exif\0\0II*\0\xff\xff\xff\xff',
    b'Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\xff\xff\xff\xff\0\0\0\0'], ids=lambda o: repr(o) if isinstance(o, bytes) else f'turn {o[274]}')
@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.webp'])
@pytest.mark.filterwarnings('ignore:Corrupt EXIF', 'ignore:Tag data')
def test_orientation_that_says_nothing(tmp_path, exif, suffix):
    Image.fromarray(upright('RGB')).save(tmp_path/f'a{suffix}', exif=exif)
    assert image_size(tmp_path/f'a{suffix}') == (64, 96)
    for loader in LOADERS: assert mean_difference(load_image(tmp_path/f'a{suffix}', loader), upright('RGB')) < 3


def test_exif_behind_the_pixels_of_a_png_is_ignored(tmp_path):
    "The standard wants eXIf before IDAT; to look behind it would need the whole file"
    data = write(tmp_path/'a.png', upright('RGB')).read_bytes()
    (tmp_path/'a.png').write_bytes(data[:-12] + chunk(b'eXIf', exif_of(6).tobytes()[6:]) + data[-12:])
    assert image_size(tmp_path/'a.png') == (64, 96)
    for loader in LOADERS: assert np.array_equal(load_image(tmp_path/'a.png', loader), upright('RGB'))


# --------------------------------------------------------------------------------------------------------------------- header only

@pytest.mark.parametrize('kind, turn', CASES)
def test_image_size_decodes_nothing(tmp_path, kind, turn, monkeypatch):
    suffix, mode, options = (KINDS | PLAIN)[kind]
    path = write(tmp_path/f'a{suffix}', upright(mode), mode, turn, **options)
    Image.init() # some of Pillow's plugins make pictures when they are imported
    def load(self): raise AssertionError('pixels were decoded')
    for reader in (Image.Image, ImageFile.ImageFile, *ImageFile.ImageFile.__subclasses__()):
        if 'load' in vars(reader): monkeypatch.setattr(reader, 'load', load)
    assert image_size(path) == (64, 96)
    with pytest.raises(ImageLoadError, match='pixels were decoded'): load_image(path)


@pytest.mark.parametrize('suffix, header', [('.jpg', b'\xff\xda'), ('.png', b'IDAT'), ('.bmp', None), ('.gif', b',\0\0\0\0')])
def test_image_size_needs_the_header_alone(tmp_path, suffix, header):
    path = write(tmp_path/f'a{suffix}', noise(), turn=6 if suffix in ('.jpg', '.png') else None)
    data = path.read_bytes()
    path.write_bytes(data[:data.index(header) + 20] if header else data[:60])
    assert image_size(path) == (90, 130)
    fails(path)


# -------------------------------------------------------------------------------------------------------------------------- faults

def test_missing_empty_text_folder(tmp_path):
    (tmp_path/'empty.jpg').touch()
    (tmp_path/'notes.jpg').write_text('x,y\n1,2\n')
    (tmp_path/'folder.jpg').mkdir()
    for name, reason in {'none.jpg': 'no such file', 'empty.jpg': 'the file is empty', 'notes.jpg': 'not an image in one of the formats JPEG',
            'folder.jpg': 'this is a folder', 'notes.jpg/a.jpg': 'Not a directory', 'a\0.jpg': 'null byte'}.items():
        fails(tmp_path/name, reason)
        with pytest.raises(ImageLoadError, match=reason): image_size(tmp_path/name)


@pytest.mark.skipif(not hasattr(os, 'geteuid') or os.geteuid() == 0, reason='root may read everything')
def test_unreadable(tmp_path):
    write(tmp_path/'a.png', upright('RGB')).chmod(0)
    fails(tmp_path/'a.png', 'Permission denied')


def test_other_formats_are_not_tried(tmp_path):
    "Pillow would start Ghostscript for this one"
    (tmp_path/'a.jpg').write_bytes(b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n')
    fails(tmp_path/'a.jpg', 'not an image')


def with_thumbnail(picture, **options):
    "A JPEG whose EXIF carries a small JPEG, end marker and all"
    small, whole = io.BytesIO(), io.BytesIO()
    Image.fromarray(picture).resize((32, 24)).save(small, 'JPEG')
    Image.fromarray(picture).save(whole, 'JPEG', exif=exif_of(1).tobytes() + small.getvalue(), **options)
    assert whole.getvalue().count(b'\xff\xd9') == 2
    return whole.getvalue()


@pytest.mark.parametrize('options', [{}, {'progressive': True}, {'restart_marker_blocks': 3}], ids=['baseline', 'progressive', 'restarts'])
@pytest.mark.parametrize('lenient', [False, True], ids=['', 'LOAD_TRUNCATED_IMAGES'])
def test_jpeg_cut_anywhere(tmp_path, options, lenient, monkeypatch):
    "Whatever is missing of a JPEG, and whatever fills its place, neither loader makes up pixels"
    monkeypatch.setattr(ImageFile, 'LOAD_TRUNCATED_IMAGES', lenient)
    path, data = tmp_path/'a.jpg', with_thumbnail(noise(), **options)
    thumbnail_end = data.index(b'\xff\xd9') + 2
    cuts = {*range(0, len(data), 97), *range(thumbnail_end - 3, thumbnail_end + 4), *range(len(data) - 40, len(data))}
    for cut in sorted(cuts):
        path.write_bytes(data[:cut])
        fails(path)
        path.write_bytes(data[:cut] + bytes(100))
        fails(path)


@pytest.mark.parametrize('tail', [b'\0' * 4096, b'trailer of a camera', b'\r\n', b'\xff\xd8\xff\xe1 half of a second picture'], ids=repr)
def test_jpeg_with_something_behind_it_is_whole(tmp_path, tail):
    data = with_thumbnail(noise(), progressive=True)
    assert jpeg_is_whole(data + tail)
    (tmp_path/'a.jpg').write_bytes(data + tail)
    for loader in LOADERS: assert mean_difference(load_image(tmp_path/'a.jpg', loader), noise()) < 9


def test_png_cut_anywhere(tmp_path):
    path = write(tmp_path/'a.png', noise())
    data = path.read_bytes()
    pixels_end = data.index(b'IEND') - 4
    for cut in (*range(0, pixels_end - 40, 997), pixels_end - 40):
        path.write_bytes(data[:cut])
        fails(path)
    for cut in range(pixels_end, len(data)):
        path.write_bytes(data[:cut])
        for loader in LOADERS: assert np.array_equal(load_image(path, loader), noise())


@pytest.mark.parametrize('suffix, options', [('.webp', {}), ('.tif', {}), ('.tif', {'compression': 'tiff_lzw'}), ('.bmp', {}), ('.gif', {})])
@pytest.mark.filterwarnings('ignore:Corrupt EXIF')
def test_others_cut_in_half(tmp_path, suffix, options):
    path = write(tmp_path/f'a{suffix}', noise(), **options)
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    fails(path)


@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.webp', '.tif', '.bmp', '.gif'])
def test_damaged_bytes(tmp_path, suffix, monkeypatch):
    "Bytes changed at random give a picture or an `ImageLoadError`, nothing else"
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 10**6)
    path = write(tmp_path/f'a{suffix}', noise(40, 50), turn=3 if suffix not in ('.bmp', '.gif') else None)
    data, rng = path.read_bytes(), np.random.default_rng(0)
    for _ in range(150):
        damaged = bytearray(data)
        for at in rng.integers(0, min(len(data), 400), rng.integers(1, 6)): damaged[at] = rng.integers(256)
        path.write_bytes(damaged)
        for read in (image_size, load_image, lambda path: load_image(path, 'cv2')):
            try: result = read(path)
            except ImageLoadError: continue
            assert len(result) == 2 or (result.dtype == np.uint8 and result.ndim == 3 and result.shape[2] == 3)


def test_decompression_bomb(tmp_path, monkeypatch):
    huge = struct.pack('>IIBBBBB', 60000, 60000, 8, 2, 0, 0, 0)
    (tmp_path/'a.png').write_bytes(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', huge) + chunk(b'IDAT', zlib.compress(bytes(99))) + chunk(b'IEND', b''))
    fails(tmp_path/'a.png', 'too many pixels')
    with pytest.raises(ImageLoadError, match='too many pixels'): image_size(tmp_path/'a.png')
    path = write(tmp_path/'a.jpg', noise())
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 1000)
    fails(path, 'MAX_IMAGE_PIXELS')


def test_the_cause_is_kept(tmp_path):
    (tmp_path/'a.jpg').write_text('text')
    with pytest.raises(ImageLoadError) as caught: load_image(tmp_path/'a.jpg')
    assert isinstance(caught.value, OSError) and isinstance(caught.value.__cause__, UnidentifiedImageError)


# ------------------------------------------------------------------------------------------------------------------------- loaders

def test_turbo_leaves_to_pillow_what_simplejpeg_declines(tmp_path, monkeypatch):
    "… whatever it declines: here, everything"
    import simplejpeg
    path = write(tmp_path/'a.jpg', noise(40, 60), turn=6)
    whole = load_image(path, 'turbo')
    def decline(*args, **kwargs): raise ValueError('no')
    monkeypatch.setattr(simplejpeg, 'decode_jpeg', decline)
    assert np.array_equal(load_image(path, 'turbo'), whole)
    monkeypatch.setattr(simplejpeg, 'decode_jpeg', lambda *args, **kwargs: np.zeros((8, 8, 3), np.uint8)) # of another size than the header says
    assert np.array_equal(load_image(path, 'turbo'), whole)


def test_auto_is_what_is_installed(tmp_path, monkeypatch):
    from ear_lazy.base import images
    assert images.check_loader('auto') == 'turbo'
    pillow = f"{PIL.__version__} {features.version('libjpeg_turbo')}"
    assert images.loader_version('turbo') != images.loader_version('pil') == pillow
    monkeypatch.setitem(sys.modules, 'simplejpeg', None)
    images.has_turbo.cache_clear()
    try:
        assert images.check_loader('auto') == 'pil' and load_image(write(tmp_path/'a.jpg', noise(40, 60)), 'auto').shape == (40, 60, 3)
        with pytest.raises(ImportError, match=r"pip install 'ear_lazy\[turbo\]'"): load_image(tmp_path/'a.jpg', 'turbo')
    finally: images.has_turbo.cache_clear()


def test_unknown_loader_names_the_known(tmp_path):
    with pytest.raises(ValueError, match="'imageio'.*'pil', 'cv2', 'turbo' or 'auto'"): load_image(tmp_path/'a.jpg', 'imageio')


@pytest.mark.parametrize('suffix, mode', [('.jpg', 'RGB'), ('.jpg', 'L'), ('.png', 'RGBA'), ('.png', 'P')])
def test_opencv_is_used_where_it_can(tmp_path, suffix, mode, monkeypatch):
    monkeypatch.setattr('ear_lazy.base.images.decode_pil', None)
    assert load_image(write(tmp_path/f'a{suffix}', noise(), mode, turn=7), 'cv2').shape == (90, 130, 3)


def test_without_opencv(tmp_path, monkeypatch):
    path = write(tmp_path/'a.jpg', noise())
    monkeypatch.setitem(sys.modules, 'cv2', None)
    assert load_image(path).shape == (90, 130, 3)
    with pytest.raises(ImportError, match='opencv-python-headless'): load_image(path, 'cv2')
    with pytest.raises(ImportError, match='opencv-python-headless'): cap_cv2_threads()


def test_import_is_light(tmp_path):
    path = write(tmp_path/'a.jpg', noise())
    code = f'''import sys, ear_lazy.base.images as images
images.image_size({str(path)!r}), images.load_image({str(path)!r})
print([name for name in ('cv2', 'torch', 'matplotlib') if name in sys.modules])'''
    assert subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout.strip() == '[]'


def test_cap_cv2_threads():
    import cv2
    before = cv2.getNumThreads()
    try:
        cap_cv2_threads()
        assert cv2.getNumThreads() == 1
    finally: cv2.setNumThreads(before)


# ------------------------------------------------------------------------------------------------------------------------ levels

LEVELS = np.linspace(0, 1, 20 * 30).reshape(20, 30)


def tiff(path, values, kind=1, photometric=1, bits=None):
    "A TIFF of one strip, in the byte order of its values; `kind` is the SampleFormat"
    order, data = '>' if values.dtype.byteorder == '>' else '<', values.tobytes()
    tags = {256: values.shape[1], 257: 20, 258: bits or 8 * values.itemsize, 259: 1, 262: photometric, 273: 8 + 2 + 120 + 4, 277: 1, 278: 20, 279: len(data), 339: kind}
    if bits: tags[256] = 30
    folder = b''.join(struct.pack(f'{order}HHLL', k, 4, 1, v) for k, v in tags.items())
    path.write_bytes({'<': b'II*\0', '>': b'MM\0*'}[order] + struct.pack(f'{order}LH', 8, 10) + folder + bytes(4) + data)
    return path


def packed(values):
    "Pairs of numbers of 12 bits, in three bytes"
    a, b = values.reshape(20, 15, 2).transpose(2, 0, 1)
    return np.stack([a >> 4, (a & 15) << 4 | b >> 8, b & 255], -1).astype(np.uint8).reshape(20, 45)


@pytest.mark.parametrize('loader', LOADERS)
def test_deep_pictures_keep_their_upper_bits(tmp_path, loader):
    deep = (LEVELS * 65535).astype(np.uint16)
    for path in (tiff(tmp_path/'a.tif', deep.astype('<u2')), tiff(tmp_path/'b.tif', deep.astype('>u2')), tiff(tmp_path/'c.tif', ~deep, photometric=0)):
        assert np.array_equal(load_image(path, loader)[..., 0], deep >> 8), path.name
    assert np.array_equal(load_image(tiff(tmp_path/'d.tif', packed(deep >> 4), bits=12), loader)[..., 0], deep >> 8)


@pytest.mark.parametrize('loader', LOADERS)
@pytest.mark.parametrize('most', [255, 1023, 4095])
def test_few_bits_in_16_are_refused_and_not_black(tmp_path, loader, most):
    import cv2
    grey, colour = (LEVELS * most).astype(np.uint16), np.stack([LEVELS, LEVELS / 2, 1 - LEVELS], -1) * most
    for suffix in ('png', 'tif'):
        for values in (grey, colour.astype(np.uint16)):
            cv2.imwrite(str(tmp_path/f'a.{suffix}'), values)
            with pytest.raises(ImageLoadError, match=f'a.{suffix}: it has 16 bits, and no number of 4,096 or more') as caught: load_image(tmp_path/f'a.{suffix}', loader)
            assert caught.value.fault == 'not_image'
    alpha = np.dstack([colour, np.full(LEVELS.shape, 65535)]).astype(np.uint16)
    cv2.imwrite(str(tmp_path/'a.png'), alpha)
    with pytest.raises(ImageLoadError, match='no number of'): load_image(tmp_path/'a.png', loader)
    with pytest.raises(ImageLoadError, match='no number of'): decode_image(open_image(tmp_path/'a.png'), loader, window=(0, 0, 5, 5))
    cv2.imwrite(str(tmp_path/'c.png'), np.zeros_like(grey))
    assert not load_image(tmp_path/'c.png', loader).any(), 'what is black is black'
    cv2.imwrite(str(tmp_path/'b.png'), np.where(LEVELS > .99, 4096, grey).astype(np.uint16))
    assert load_image(tmp_path/'b.png', loader).max() == 16


@pytest.mark.parametrize('loader', LOADERS)
def test_pictures_of_which_white_is_unknown_are_refused(tmp_path, loader):
    cases = {'floating': [(LEVELS.astype('<f4'), 3), (LEVELS.astype('>f4'), 3), ((LEVELS * 255).astype('<f4'), 3), (np.full((20, 30), np.nan, '<f4'), 3)],
             'with a sign': [((LEVELS * 255).astype('<i4'), 2), ((LEVELS * 65535).astype('<i4'), 2), ((LEVELS * 2**31 - 1).astype('<i4'), 2), ((LEVELS * 2**32 - 1).astype('<u4'), 1),
                             ((LEVELS * 60000 - 30000).astype('<i2'), 2), ((LEVELS * 200 - 100).astype('i1'), 2)]}
    for reason, values in cases.items():
        for array, kind in values:
            with pytest.raises(ImageLoadError, match=f'{reason}.*nothing says which number is white') as caught: load_image(tiff(tmp_path/'a.tif', array, kind), loader)
            assert caught.value.fault == 'not_image'
