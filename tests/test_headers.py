"The walk through JPEG and PNG headers says what Pillow says, also where a header is damaged"
import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import example, given, strategies as st
from PIL import Image
from PIL.ExifTags import Base

from ear_lazy.base import images
from ear_lazy.base.images import FORMATS, HEADER_BYTES, orientation, stored_turn
from ear_lazy.errors import ImageLoadError


def encoded(format='JPEG', mode='RGB', turn=None, more_exif=(), **options):
    "A small picture of grain, 40 × 50, as the bytes of a file"
    grain = np.random.default_rng(0).integers(0, 255, (40, 50, 3), dtype=np.uint8)
    exif = Image.Exif()
    for tag, value in ({Base.Orientation: turn} if turn else {}).items() | dict(more_exif).items(): exif[tag] = value
    file = io.BytesIO()
    Image.fromarray(grain).convert(mode).save(file, format, **options, **({'exif': exif} if len(exif) else {}))
    return file.getvalue()


def by_pillow(path):
    "None where Pillow cannot open it"
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        try:
            with Image.open(path, formats=FORMATS) as im: return orientation(im), im.size[::-1]
        except Exception: return None


def ours(path):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        try: return stored_turn(path)
        except ImageLoadError: return None


CAMERA = {Base.Make: 'A camera', Base.DateTime: '2020:01:01 00:00:00', Base.XResolution: 72., Base.ResolutionUnit: 2}
USUAL = {
    'jpeg': {}, 'grey': dict(mode='L'), 'cmyk': dict(mode='CMYK'), 'progressive': dict(progressive=True),
    'comment': dict(comment=b'An ear.'), 'profile': dict(icc_profile=bytes(3000)), 'camera': dict(more_exif=CAMERA),
    'png': dict(format='PNG'), 'png grey': dict(format='PNG', mode='L'), 'png palette': dict(format='PNG', mode='P'),
    'png alpha': dict(format='PNG', mode='RGBA'), 'png 1 bit': dict(format='PNG', mode='1'),
    'png dpi': dict(format='PNG', dpi=(72, 72))}


@pytest.mark.parametrize('turn', [None, *range(1, 9), 0, 77])
@pytest.mark.parametrize('kind', USUAL)
def test_usual_headers_do_without_pillow(tmp_path, monkeypatch, kind, turn):
    path = tmp_path / 'a'
    path.write_bytes(encoded(turn=turn, **USUAL[kind]))
    expected = by_pillow(path)
    assert expected == (turn if turn in range(1, 9) else 1, (40, 50))
    monkeypatch.setattr(images, '_open', None)
    assert stored_turn(path) == expected


@pytest.mark.parametrize('options', [
    dict(more_exif={Base.MakerNote: bytes(20000)}, turn=6), dict(icc_profile=bytes(100_000)),
    dict(comment=bytes(60_000)),
    dict(format='PNG', more_exif={Base.MakerNote: bytes(20000)}, turn=6)], ids=str)
def test_a_header_that_is_longer_than_the_first_read(tmp_path, monkeypatch, options):
    path = tmp_path / 'a'
    path.write_bytes(encoded(**options))
    assert path.stat().st_size > 2 * HEADER_BYTES
    monkeypatch.setattr(images, '_open', None)
    assert stored_turn(path) == (options.get('turn', 1), (40, 50))


def test_a_header_of_half_a_megabyte_is_left_to_pillow(tmp_path):
    data, notes = encoded(turn=8), b'\xff\xfe\xff\xff' + bytes(0xfffd)
    (tmp_path / 'a').write_bytes(data[:2] + 8 * notes + data[2:])
    assert stored_turn(tmp_path / 'a') == (8, (40, 50))


@pytest.mark.parametrize('cut', [0, 3, 10, 30, 100, 300, 600])
@pytest.mark.parametrize('format', ['JPEG', 'PNG'])
def test_a_header_that_stops(tmp_path, format, cut):
    data = encoded(format, turn=3)
    (tmp_path / 'a').write_bytes(data[:cut])
    assert ours(tmp_path / 'a') == by_pillow(tmp_path / 'a')


def test_a_checksum_that_is_wrong(tmp_path):
    (tmp_path / 'a.png').write_bytes(encoded('PNG').replace(b'IHDR\0\0\0\x32', b'IHDR\0\0\0\x33'))
    with pytest.raises(ImageLoadError): stored_turn(tmp_path / 'a.png')


SEEDS = [encoded(turn=turn, **o) for o in USUAL.values() for turn in (None, 6)]
EDITS = st.lists(st.tuples(
    st.integers(0, 700), st.sampled_from(['set', 'cut', 'insert']), st.binary(min_size=1, max_size=8)), max_size=4)

@given(st.sampled_from(SEEDS), EDITS)
@example(SEEDS[0], [(2, 'insert', b'\xff')])
@example(SEEDS[0], [(20, 'insert', b'\xff\xed\0\x12Photoshop 3.0\0\0\0')])
def test_where_pillow_opens_a_file_the_two_agree(tmp_path_factory, data, edits):
    data = bytearray(data)
    for at, edit, value in edits:
        data[at:at + (0 if edit == 'insert' else len(value))] = b'' if edit == 'cut' else value
    path = tmp_path_factory.getbasetemp() / 'fuzzed'
    path.write_bytes(data)
    expected, found = by_pillow(path), ours(path)
    if expected: assert found == expected


@given(st.binary(max_size=60))
def test_a_png_of_any_chunks(tmp_path_factory, content):
    "With right checksums, so that the content counts"
    def chunk(name, data): return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))
    path, png = tmp_path_factory.getbasetemp() / 'chunks', encoded('PNG')
    for name in (b'IHDR', b'eXIf', b'pHYs', b'tRNS', b'tEXt', b'zTXt', b'abCd'):
        path.write_bytes(png[:33] + chunk(name, content) + png[33:])
        if expected := by_pillow(path): assert ours(path) == expected
