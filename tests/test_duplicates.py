"Copies of photos are found whatever their names, formats and order, and stay on one side of the split"
import signal
import time
from io import BytesIO

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from making import listing
from PIL import Image, ImageEnhance, ImageFilter
from PIL.ExifTags import Base
from PIL.Image import Transpose

from ear_lazy.processing.duplicates import EMPTY, Fingerprints, Pairs, fingerprint, fingerprints, near_hashes, near_pairs, split_pairs, unite
from ear_lazy.processing.splits import UNSAID, group_hashes, said_sides, sides

FLIP = Transpose.FLIP_LEFT_RIGHT
STORED = {2: FLIP, 3: Transpose.ROTATE_180, 4: Transpose.FLIP_TOP_BOTTOM, 5: Transpose.TRANSPOSE,
          6: Transpose.ROTATE_90, 7: Transpose.TRANSVERSE, 8: Transpose.ROTATE_270}  # undone by the EXIF orientation


def photo(seed, size=(96, 96)):
    "Random waves whose strength falls with their frequency as it does in natural images"
    rng, (height, width) = np.random.default_rng(seed), size
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = np.inf
    waves = np.fft.irfft2(rng.normal(size=(2, *frequency.shape)).T.dot([1, 1j]).T / frequency**1.2, s=size)
    return Image.fromarray(np.clip(waves / waves.std() * 45 + rng.uniform(90, 160), 0, 255).astype(np.uint8)).convert('RGB')


def augmented(im, rng):
    "A copy as exporters make it: cropped by up to 5 %, brighter or darker, perhaps flipped, smaller, blurred or noisy"
    left, top, right, bottom = rng.uniform(0, 0.025, 4) * 96
    im = im.crop((int(left), int(top), im.width - int(right), im.height - int(bottom)))
    im = ImageEnhance.Contrast(ImageEnhance.Brightness(im).enhance(rng.uniform(0.8, 1.2))).enhance(rng.uniform(0.8, 1.2))
    if rng.random() < 0.5: im = im.transpose(FLIP)
    scale = rng.uniform(0.5, 0.8)
    im = im.resize((round(im.width * scale), round(im.height * scale)), Image.Resampling.BILINEAR)
    if rng.random() < 0.5: return im.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.6)))
    return Image.fromarray(np.clip(np.asarray(im) + rng.normal(0, 5, (im.height, im.width, 1)), 0, 255).astype(np.uint8))


def jpeg(im, quality=90):
    file = BytesIO()
    im.save(file, 'JPEG', quality=quality)
    return file.getvalue()


def found(folder, **options):
    "(name, name): (distance, exact) of all images in a folder, by name"
    names = listing(folder)
    pairs = near_pairs(fingerprints(folder, names), **options)
    return {(names[i], names[j]): (d, e) for (i, j), d, e in zip(pairs.images.tolist(), pairs.distance.tolist(), pairs.exact.tolist())}


def prints_of(look, mirrored, content=None):
    look, mirrored = np.array(look, np.uint64), np.array(mirrored, np.uint64)
    content = np.arange(1, len(look) + 1) if content is None else np.array(content)
    return Fingerprints(np.array([b'' if o == 0 else b'%d' % o for o in content.tolist()], 'S16'), look, mirrored)


def unsaid(groups, pairs):
    "`unite` where nothing says a side"
    united, said = unite(groups, pairs)
    assert (said == UNSAID).all()
    return united


def pairs_of(*images): return Pairs(np.array(images, int).reshape(-1, 2), np.zeros(len(images), int), np.zeros(len(images), bool))


def test_exact_copies(tmp_path):
    for name, seed in (('a.jpg', 0), ('b.jpg', 1), ('c.jpg', 0), ('d.jpg', 0)): (tmp_path/name).write_bytes(jpeg(photo(seed)))
    assert found(tmp_path) == {('a.jpg', 'c.jpg'): (0, True), ('a.jpg', 'd.jpg'): (0, True)}


@pytest.mark.parametrize('change', [
    lambda im: ImageEnhance.Brightness(im).enhance(0.8), lambda im: ImageEnhance.Contrast(im).enhance(1.2), lambda im: im.resize((60, 70)),
    lambda im: im.transpose(FLIP), lambda im: im.filter(ImageFilter.GaussianBlur(1)), lambda im: im.crop((2, 2, 94, 94)), lambda im: im.convert('L'),
], ids=['darker', 'contrast', 'resized', 'flipped', 'blurred', 'cropped', 'grey'])
def test_augmented_copies(tmp_path, change):
    photo(0).save(tmp_path/'a.png')
    change(photo(0)).save(tmp_path/'b.jpg', quality=50)
    photo(1).save(tmp_path/'c.jpg')
    assert [(names, exact) for names, (_, exact) in found(tmp_path).items()] == [(('a.png', 'b.jpg'), False)]


@pytest.mark.parametrize('name, options', [('b.png', {}), ('b.jpg', {'quality': 40}), ('b.webp', {}), ('b.bmp', {}), ('b.tif', {}), ('b.gif', {})])
def test_other_formats(tmp_path, name, options):
    photo(0).save(tmp_path/'a.jpg')
    photo(0).save(tmp_path/name, **options)
    assert found(tmp_path).keys() == {('a.jpg', name)}


@pytest.mark.parametrize('mode', ['L', 'P', 'LA', 'RGBA', 'I;16'])
def test_other_modes(tmp_path, mode):
    grey = photo(0).convert('L')
    grey.save(tmp_path/'a.png')
    other = Image.fromarray(np.asarray(grey).astype(np.uint16) << 8) if mode == 'I;16' else photo(0).convert(mode)
    other.save(tmp_path/'b.png')
    assert found(tmp_path).keys() == {('a.png', 'b.png')}


@pytest.mark.parametrize('turn', range(2, 9))
@pytest.mark.parametrize('size', [(96, 96), (480, 800)])
def test_copies_turned_by_exif(tmp_path, turn, size):
    "The same picture as a person sees it, stored in another way; the larger one is decoded at a reduced size"
    exif = Image.Exif()
    exif[Base.Orientation] = turn
    photo(0, size).save(tmp_path/'a.jpg')
    photo(0, size).transpose(STORED[turn]).save(tmp_path/'b.jpg', exif=exif)
    assert [o[0] <= 2 for o in found(tmp_path).values()] == [True]


def test_turned_without_exif_is_another_picture(tmp_path):
    photo(0).save(tmp_path/'a.jpg')
    photo(0).transpose(Transpose.ROTATE_90).save(tmp_path/'b.jpg')
    assert found(tmp_path) == {}


def test_unreadable_files(tmp_path):
    whole = jpeg(photo(0))
    photo(0).save(tmp_path/'cut.png')
    (tmp_path/'cut.png').write_bytes((tmp_path/'cut.png').read_bytes()[:2000])
    (tmp_path/'folder.jpg').mkdir()
    for name, data in {'cut.jpg': whole[:-50], 'cut_again.jpg': whole[:-50], 'empty.jpg': b'', 'empty2.jpg': b'', 'text.jpg': b'hello'}.items():
        (tmp_path/name).write_bytes(data)
    for name in [*listing(tmp_path), 'missing.jpg', 'no\0name.jpg']: assert fingerprint(tmp_path/name) == EMPTY, name
    assert found(tmp_path) == {}
    (tmp_path/'photo.jpg').write_bytes(whole)
    prints = fingerprints(tmp_path, listing(tmp_path))
    assert [n for n, ok in zip(listing(tmp_path), prints.readable) if ok] == ['photo.jpg']


def flat_pictures():
    y, x = np.mgrid[:96, :96]
    yield from (np.full((96, 96), grey) for grey in (0, 99, 255))
    yield from (40 + x * k for k in (1, 2))
    yield from (40 + y * k for k in (1, 2))
    yield from (np.where(x < k, 30, 200) for k in (30, 60))
    yield from (128 + 99 * np.sin(x / k) for k in (5, 8))
    yield from (np.where((x - 47.5)**2 + (y - 47.5)**2 < k, 220, 20) for k in (500, 900))
    yield from (99 + np.random.default_rng(seed).integers(-1, 2, (96, 96)) for seed in (0, 1))


@pytest.mark.parametrize('suffix, options', [('png', {}), ('jpg', {'quality': 90}), ('jpg', {'quality': 50})])
def test_flat_images_are_alike_only_in_content(tmp_path, suffix, options):
    for i, a in enumerate(flat_pictures()): Image.fromarray(a.astype(np.uint8)).save(tmp_path/f'{i:02}.{suffix}', **options)
    assert found(tmp_path) == {}
    (tmp_path/f'again.{suffix}').write_bytes((tmp_path/f'01.{suffix}').read_bytes())
    assert found(tmp_path) == {(f'01.{suffix}', f'again.{suffix}'): (0, True)}


def test_the_same_whatever_the_number_of_threads(tmp_path):
    for i in range(100): (tmp_path/f'{i}.jpg').write_bytes(jpeg(photo(i % 40, (32, 32)), 90 - i // 40) if i % 7 else b'nothing')
    names, done = [f'{i}.jpg' for i in range(100)], []
    one = fingerprints(tmp_path, names)
    for threads in (1, 2, 5):
        for a, b in zip(one, fingerprints(tmp_path, names, threads, done.append)): np.testing.assert_array_equal(a, b)
    assert sum(done) == 300
    assert one.readable.sum() == 85


@pytest.mark.parametrize('threads', [0, 3])
def test_ctrl_c(tmp_path, monkeypatch, threads):
    "An interrupt ends the work, though there is plenty left"
    begun = []
    def slow(path, unread):
        begun.append(path)
        time.sleep(0.02)
        return EMPTY
    monkeypatch.setattr('ear_lazy.processing.duplicates.fingerprint', slow)
    with pytest.raises(KeyboardInterrupt): fingerprints(tmp_path, [''] * 10_000, threads, lambda _: signal.raise_signal(signal.SIGINT))
    assert len(begun) < 5_000


def test_nothing():
    pairs = near_pairs(fingerprints('nowhere', []))
    assert pairs.images.shape == (0, 2) and len(pairs.distance) == len(pairs.exact) == 0
    assert unsaid([], pairs).shape == (0,) and unsaid([3, 4], pairs).tolist() == [3, 4]
    assert split_pairs(pairs, []).images.shape == (0, 2)


hashes = st.integers(1, 2**64 - 1) | st.integers(0, 63).map(lambda i: 1 << i) | st.integers(1, 40)


@given(st.lists(hashes, max_size=40), st.lists(hashes, max_size=40), st.integers(0, 16))
@example([2**64 - 1] * 3, [2**64 - 1, 2**63], 0)
def test_near_hashes_are_those_of_a_comparison_of_all(queries, table, max_distance):
    queries, table = np.array(queries, np.uint64), np.array(table, np.uint64)
    got = sorted(tuple(row) for piece in near_hashes(queries, table, max_distance) for row in piece.tolist())
    distances = np.bitwise_count(queries[:, None] ^ table)
    assert got == [(i, j, distances[i, j]) for i, j in np.argwhere(distances <= max_distance).tolist()]


def hamming(a, b): return (a ^ b).bit_count()


@given(st.lists(st.tuples(hashes, hashes, st.integers(0, 30)), max_size=30, unique_by=lambda o: o[:2]), st.integers(0, 16))
def test_near_pairs_are_those_of_a_comparison_of_all(images, max_distance):
    "Where no two images have one fingerprint; number 0 is not readable"
    look, mirrored, number = ([o[k] for o in images] for k in range(3))
    content = [i + 1 if n else 0 for i, n in enumerate(number)]
    pairs = near_pairs(prints_of(look, mirrored, content), max_distance)
    expected = []
    for i in range(len(images)):
        for j in range(i + 1, len(images)):
            d = min(hamming(look[i], look[j]), hamming(look[i], mirrored[j]), hamming(mirrored[i], look[j]))
            if d <= max_distance and number[i] and number[j]: expected.append((i, j, d))
    assert [(*p, d) for p, d in zip(pairs.images.tolist(), pairs.distance.tolist())] == expected
    assert not pairs.exact.any()


@given(st.lists(st.tuples(st.sampled_from([0, 1, 3, 2**60]), st.sampled_from([0, 1, 7, 2**50]), st.integers(0, 4)), max_size=30), st.integers(0, 2))
def test_clusters_are_those_of_a_comparison_of_all(images, max_distance):
    "However many images have one fingerprint: pairs connect what is alike, and nothing else. A look of 0 is none"
    look, mirrored, content = ([o[k] for o in images] for k in range(3))
    first = {}  # files of one content have one look
    for o in images: first.setdefault(o[2], o)
    look, mirrored = [first[c][0] for c in content], [first[c][1] for c in content]
    pairs = near_pairs(prints_of(look, mirrored, content), max_distance)
    cluster = list(range(len(images)))
    for i in range(len(images)):
        for j in range(i):
            same = content[i] == content[j]
            seen = look[i] and mirrored[i] and look[j] and mirrored[j]
            near = min(hamming(look[i], look[j]), hamming(look[i], mirrored[j]), hamming(mirrored[i], look[j])) <= max_distance
            if content[i] and content[j] and (same or (seen and near)):
                low, high = sorted((cluster[i], cluster[j]))
                cluster = [low if o == high else o for o in cluster]
    united = unsaid(np.arange(len(images)) + 10, pairs).tolist()
    assert [united.index(o) for o in united] == cluster
    assert pairs.images.tolist() == sorted(pairs.images.tolist()) and (pairs.images[:, 0] < pairs.images[:, 1]).all()
    assert [content[i] == content[j] for i, j in pairs.images.tolist()] == pairs.exact.tolist()


def test_many_copies_of_one_make_few_pairs():
    n = 20_000
    pairs = near_pairs(prints_of([7] * n, [9] * n, [1] * (n // 2) + list(range(2, n // 2 + 2))))
    assert len(pairs.images) == n - 1 and pairs.exact.sum() == n // 2 - 1


def test_many_that_are_nearly_alike():
    "More candidates than are compared at a time"
    bits = 1 << np.arange(11, dtype=np.uint64)
    look = np.array([np.bitwise_or.reduce(bits[np.flatnonzero([i >> b & 1 for b in range(11)])], initial=1 << 40) for i in range(2048)], np.uint64)
    pairs = near_pairs(prints_of(look, ~look), 11)
    assert len(pairs.images) == 2048 * 2047 // 2


def test_a_hundred_thousand_hashes():
    "Copies planted among random hashes, by look and by mirrored look"
    rng = np.random.default_rng(0)
    look, mirrored = rng.integers(1, 2**64, (2, 100_000), dtype=np.uint64)
    bits = [sum(1 << b for b in rng.choice(64, 8, replace=False).tolist()) for _ in range(500)]
    look[500:1000] = look[:500] ^ np.array(bits, np.uint64)
    look[1500:2000] = mirrored[1000:1500] ^ np.array(bits, np.uint64)
    got = set(map(tuple, near_pairs(prints_of(look, mirrored)).images.tolist()))
    planted = {(i, i + 500) for i in [*range(500), *range(1000, 1500)]}
    assert planted <= got and len(got - planted) < 20


@pytest.mark.parametrize('max_distance', [-1, 17])
def test_a_distance_that_says_nothing(max_distance):
    with pytest.raises(ValueError, match='from 0 to 16 bits'): near_pairs(prints_of([], []), max_distance)


def test_unite_follows_chains():
    groups = [90, 80, 70, 60, 50, 40, 90]
    united = unsaid(groups, pairs_of((0, 1), (1, 2), (4, 5))).tolist()
    assert [united.index(o) for o in united] == [0, 0, 0, 3, 4, 4, 0]
    assert set(united) < set(groups) and united[3] == 60
    assert groups == [90, 80, 70, 60, 50, 40, 90]
    n = 5000
    order = np.random.default_rng(0).permutation(n)
    chain = pairs_of(*np.sort(np.stack([order[:-1], order[1:]], axis=1)).tolist())
    assert len(set(unsaid(np.arange(n) + 7, chain).tolist())) == 1


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(-1, 2)), min_size=1, max_size=30), st.data())
def test_unite_is_a_closure(rows, data):
    groups, said = map(list, zip(*rows))
    index = st.integers(0, len(groups) - 1)
    pairs = pairs_of(*data.draw(st.lists(st.tuples(index, index), max_size=30)))
    united, of_united = unite(groups, pairs, said)
    for o in (united, of_united): np.testing.assert_array_equal(o[pairs.images[:, 0]], o[pairs.images[:, 1]])
    new = [*zip(united.tolist(), of_united.tolist())]
    assert len({*zip(rows, new)}) == len({*rows}), 'a group of which one side is said stays together'
    assert set(united.tolist()) <= set(groups)
    assert all(0 <= o <= old for (_, o), old in zip(new, said) if old >= 0), 'the lowest that is said'
    again = unite(united, pairs, of_united)
    np.testing.assert_array_equal(again, (united, of_united))
    back = pairs._replace(images=pairs.images[::-1, ::-1])
    np.testing.assert_array_equal(unite(groups, back, said), (united, of_united))


def test_the_split_that_the_data_ships_with_stays_but_for_copies():
    images = ['e/train/1.jpg', 'e/train/2.jpg', 'e/valid/3.jpg', 'e/valid/4.jpg', 'e/valid/5.jpg', 'e/6.jpg', 'e/test/7.jpg', 'e/test/8.jpg']
    found = group_hashes(images), said_sides(images, 'folder')
    groups, said = unite(found[0], pairs_of((1, 3), (2, 4), (4, 6)), found[1])
    assert said.tolist() == [0, 0, 1, 0, 1, -1, 1, 2]
    assert groups[5] == found[0][5]
    assert sides(*unite(found[0], pairs_of((4, 5)), found[1]), 0.99)[2:6].tolist() == [1] * 4


def test_pairs_across_the_split():
    pairs = pairs_of((0, 1), (1, 2), (2, 3))
    assert split_pairs(pairs, [True, True, False, False]).images.tolist() == [[1, 2]]


@pytest.fixture(scope='module')
def thousand(tmp_path_factory):
    "A thousand photos and three augmented copies of each, under names that say nothing, and a hundred more"
    folder, rng = tmp_path_factory.mktemp('thousand'), np.random.default_rng(1)
    names, of = rng.permutation([f'{i:04}.jpg' for i in range(4100)]).tolist(), np.r_[np.arange(1000).repeat(4), 1000:1100]
    for i, name in enumerate(names):
        original = photo(of[i])
        copy = i < 4000 and i % 4
        (folder/name).write_bytes(jpeg(augmented(original, rng), int(rng.integers(40, 61))) if copy else jpeg(original))
    return names, of, fingerprints(folder, names, num_workers=2)


def first(prints, n): return Fingerprints(*(o[:n] for o in prints))


@pytest.mark.slow
def test_no_copy_of_a_thousand_photos_is_across_the_split(thousand):
    names, of, prints = thousand
    pairs, groups = near_pairs(first(prints, 4000)), group_hashes(names[:4000])
    assert (of[pairs.images[:, 0]] == of[pairs.images[:, 1]]).all(), 'different photos taken for copies'
    assert len(split_pairs(pairs, sides(groups, np.full(4000, UNSAID))).images) > 1000
    side = sides(*unite(groups, pairs))
    assert len(split_pairs(pairs, side).images) == 0
    of_photos = side.reshape(1000, 4)
    assert (of_photos == of_photos[:, :1]).all(), 'a copy that was not found'
    assert 0.75 < (side == 0).mean() < 0.85, 'as many train as before'


@pytest.mark.slow
def test_new_photos_move_none_of_the_old(thousand):
    names, _, prints = thousand
    old = sides(*unite(group_hashes(names[:4000]), near_pairs(first(prints, 4000))))
    new = sides(*unite(group_hashes(names), near_pairs(prints)))
    np.testing.assert_array_equal(new[:4000], old)
    assert len(set(new[4000:].tolist())) == 2
