"What a second attempt found on the side that loads: files made to exhaust memory or time, and caches and tables that take one thing for another"
import os
import struct
import time
import tracemalloc
import warnings

import numpy as np
import pytest
from making import ROOT, coco, image, process
from PIL import Image

from ear_lazy.errors import EarLazyError, ImageLoadError, MetadataError
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset


@pytest.fixture
def made(tmp_path):
    "A raw folder with two pictures, and its metadata"
    for name in 'ab': image(tmp_path/f'raw/deep/{name}.png')
    coco(tmp_path/'raw/deep/c.json', {f'{n}.png': [[1, 1, 50, 30]] for n in 'ab'})
    process(tmp_path/'raw', tmp_path/'out', train_split=1)
    return tmp_path


def opened(made, **options): return LazyNPYDataset(made/'out/train_detector.npy', **options)


def sparse_webp(path):
    with open(path, 'wb') as f:
        f.write(b'RIFF\xff\xff\xff\xffWEBPVP8 ' + bytes(100))
        f.truncate(2**40)


def test_a_huge_file_is_not_given_to_pillow(made, tmp_path):
    "Its opener for WebP reads all of a file"
    from ear_lazy.base.images import image_size, stored_turn, stored_turns
    path = made/'raw/deep/a.png'
    sparse_webp(path)
    for look in (stored_turn, image_size):
        with pytest.raises(ImageLoadError, match='too many bytes') as e: look(str(path))
        assert e.value.fault == 'too_large'
    assert stored_turns([str(path)])[1][0].fault == 'too_large'
    ds = opened(made, on_error='skip', max_pixels=10**6)
    with pytest.warns(UserWarning, match='too many bytes'): assert len(ds.get_batch([0, 1])['image']) == 1


def test_an_export_asks_no_huge_file_for_its_size(made):
    from ear_lazy.export import photos, with_sizes
    sparse_webp(made/'raw/deep/a.png')
    found = photos(opened(made))
    found.records.sizes[:] = 0
    with pytest.raises(ImageLoadError, match='too many bytes'): with_sizes(found)


def exif_of(tags):
    "EXIF of (number, type, count, offset) tags, little-endian"
    return b'Exif\0\0II*\0\x08\0\0\0' + struct.pack('<H', len(tags)) + b''.join(struct.pack('<HHLL', *o) for o in tags) + bytes(4)


def test_exif_costs_no_more_than_its_length():
    "Each of its tags may claim all of it as its value"
    from ear_lazy.base.images import exif_orientation
    data = exif_of([(0x112, 3, 1, 6)] + [(0x9000, 7, 200_000, 8)]*20_000)
    tracemalloc.start()
    start = time.perf_counter()
    try: assert exif_orientation(data) == 6
    finally: peak = tracemalloc.get_traced_memory()[1], tracemalloc.stop()
    assert peak[0] < 2*len(data) and time.perf_counter() - start < 2


@pytest.mark.parametrize('tags', [
    [(0x112, 3, 1, 6)], [(0x112, 4, 1, 8)], [(0x112, 3, 2, 6)], [(0x112, 1, 1, 6)], [(0x112, 3, 1, 9)], [(0x112, 3, 1, 0)], [(0x112, 99, 1, 6)], [(0x112, 3, 0, 6)],
    [(0x112, 3, 1, 6), (0x112, 3, 1, 3)], [(0x10f, 2, 900, 5), (0x112, 3, 1, 6)], [(0x111, 3, 1, 0x112)]], ids=str)
@pytest.mark.parametrize('cut', [0, 5, 12])
def test_the_orientation_is_that_of_pillow(tags, cut):
    from ear_lazy.base.images import exif_orientation
    data, exif = exif_of(tags), Image.Exif()
    data = data[:len(data) - cut]
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        exif.load(data)
        expected = exif.get(0x112)
    assert exif_orientation(data) == (expected if expected in range(1, 9) else 1)


def test_the_oldest_pillow_bounds_the_tags_of_a_file():
    "Older versions read the value of each tag, and each may be all of the file"
    assert 'pillow>=13,' in (ROOT/'settings.ini').read_text()
