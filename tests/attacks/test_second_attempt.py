"What a second attempt found on the side that loads: files made to exhaust memory or time, and caches and tables that take one thing for another"
import os
import time

import numpy as np
import pytest
from making import coco, image, process

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
