"Sides that hashes give and that a file says: what holds for any photos"
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from tiers import tries

from ear_lazy.base.errors import OutputError, RawDataError
from ear_lazy.base.folds import folds_of
from ear_lazy.processing.splits import TEST, TRAIN, UNSAID, VAL, few_groups, group_hashes, moved_groups, said_sides, sides
from ear_lazy.processing.splits_file import SaidSides, read_splits, splits_csv, write_splits

parts = st.sampled_from(['', 'train/', 'valid/', 'images/', 'p1/', 'é/']), st.sampled_from(
    ['1', '2', 'a,b', 'say "a"', '=1+1', 'line\nbreak', ' ', 'caf\udce9', r'caf\xe9', r'\\x41', '’']), st.sampled_from(['.jpg', '.PNG', '_flipped.jpg', '_jpg.rf.0a.jpg', '.rf.ff.jpg'])
inside = st.builds(''.join, st.tuples(*parts))
photos = st.builds(lambda dataset, rest: dataset + rest, st.sampled_from(['detector/ears/', 'landmarker/ears/', 'noses/', '=ears/', '']), inside)
shares = st.sampled_from([(.5, .25), (.8, 0), (.8, .1), (.8, .2), (0, .5), (1, 0), (.3, .3)])


def run(images, said, train_split, test_split, **options):
    "What a run does: sides of images, and the content of the file"
    rows = group_hashes(images, **options), said_sides(images, 'splits.csv', said)
    some = np.array([o.endswith('.jpg') for o in images], bool)
    moved = moved_groups({'detector': rows, 'teacher': [o[some] for o in rows]}, train_split, test_split)
    found = sides(*rows, train_split, test_split, moved)
    return found.tolist(), splits_csv(images, found, said)


@given(st.lists(photos, unique=True, max_size=20), shares, shares)
@settings(max_examples=tries(200))
def test_a_second_run_changes_no_side_and_not_a_byte(images, first, second):
    found, data = run(images, SaidSides(), *first)
    data.decode()
    again = SaidSides('splits.csv', data)
    assert [again.side(o) for o in images] == found
    assert run(images, again, *second, seed=1) == (found, data)
    assert run(images[::-1], SaidSides(), *first) == (found[::-1], data)


@given(st.lists(inside, unique=True, max_size=20), st.data())
@settings(max_examples=tries(100))
def test_a_dataset_under_another_name_keeps_its_sides(names, data):
    "… by the hash as well as by the file, whatever seed and shares are then"
    old, new = ([f'{where}{o}' for o in names] for where in ('detector/ears/', data.draw(st.sampled_from(['ears/', 'landmarker/ears/', 'teacher/heads/', 'heads/']))))
    for split in ('stable', 'random'): np.testing.assert_array_equal(group_hashes(old, split=split), group_hashes(new, split=split))
    found, content = run(old, SaidSides(), .5, .25)
    again, added = run(new, SaidSides('splits.csv', content), .3, .1, seed=1)
    assert again == found and added.startswith(content)


@given(st.lists(photos, unique=True, max_size=20), st.integers(0, 20), shares)
@settings(max_examples=tries(100))
def test_new_photos_move_none_that_are_listed(images, n, both):
    some, data = run(images[:n], SaidSides(), *both)
    found, added = run(images, SaidSides('splits.csv', data), *both)
    assert found[:n] == some and added.startswith(data)
    SaidSides('splits.csv', added)


groups = st.lists(st.tuples(st.sampled_from([0, 2**62, 2**63, 2**64 - 2**61, 2**64 - 2**60, 2**64 - 1]) | st.integers(0, 2**64 - 1), st.sampled_from([UNSAID] * 4 + [0, 1, 2])), max_size=8)


@given(st.tuples(groups, groups), shares)
@settings(max_examples=tries(300))
def test_what_moves_and_what_does_not(kinds, both):
    kinds = {i: (np.array([g for g, _ in o], np.uint64), np.array([s for _, s in o], np.int8)) for i, o in enumerate(kinds)}
    moved = moved_groups(kinds, *both)
    halves = {i: [np.concatenate(o) for o in zip(*(few_groups(*(c[k::2] for c in own), *both) for k in (0, 1)))] for i, own in kinds.items()}
    assert bool(moved) == bool(moved_groups(halves, *both)), 'a few groups of each part tell whether any moves'
    without = moved_groups(kinds, both[0])
    for own in kinds.values():
        side, (_, said) = sides(*own, *both, moved), own
        assert (side[said >= 0] == said[said >= 0]).all(), 'what is said counts'
        np.testing.assert_array_equal(side == TRAIN, sides(*own, both[0], 0, without) == TRAIN, 'test is cut from val')
        if not both[1]: assert TEST not in side[said < 0]
        if (said < 0).all() and both[0] and 0 < both[1] < 1 - both[0] - 1e-9:
            rest = len(set(own[0][side != TRAIN].tolist()))
            assert (rest < 1 or VAL in side) and (rest < 2 or TEST in side)
        if len(kinds) == 1 and 0 < both[0] < 1 and len(set(own[0][said < 0].tolist())) > 1: assert {*(side == TRAIN).tolist()} == {True, False}


def test_copies_that_were_found_elsewhere_do_not_tear_the_file():
    "A photo is listed as val, and a run puts it and its new copy into train, because they look like a photo of train: the next run can read the file"
    said = SaidSides('splits.csv', b'photo,side\nears/1.jpg,val\nears/2.jpg,train\n')
    data = splits_csv(['ears/1.jpg', 'ears/1_flipped.jpg', 'ears/2.jpg'], [TRAIN] * 3, said)
    assert data == said.data + b'ears/1_flipped.jpg,val\n'
    assert splits_csv(['ears/1_flipped.jpg'], [TRAIN], SaidSides('splits.csv', data)) == data


def test_people_in_the_file():
    listed = b'photo,side\na/p1_1.jpg,test\nb/p2_1.jpg,train\n'
    said = SaidSides('splits.csv', listed, r'p\d+')
    assert [said.side(o) for o in ('c/p1_9.jpg', 'p2.jpg', 'p3.jpg')] == [TEST, TRAIN, UNSAID]
    for group_by in (r'p\d+', lambda path: path[2:4]):
        with pytest.raises(RawDataError, match=r'\(line 4\): b/p1_2.jpg has another side than its group, which is in line 2'):
            SaidSides('splits.csv', listed + b'b/p1_2.jpg,val\n', group_by)
    by_attribute = SaidSides('splits.csv', listed + b'b/p1_2.jpg,val\n', str)
    assert [by_attribute.side(o) for o in ('b/p1_2.jpg', 'b/p1_2_flipped.jpg')] == [VAL, UNSAID]


def test_what_people_add_stays():
    "Another order of columns, notes, a line that was emptied, Windows' ends of lines, a byte order mark, no end of the last line"
    old = '\ufeffnote,side,photo\r\n"hard, dark",test,ears/1.jpg\r\n,,\r\n,train,gone.jpg'.encode()
    said = SaidSides('splits.csv', old)
    assert splits_csv(['ears/1.jpg', 'ears/é.jpg'], [TEST, VAL], said) == old + '\r\n,val,ears/é.jpg\r\n'.encode()
    assert splits_csv(['ears/1.jpg'], [TEST], said) == old
    for empty in (b'', b'\n', '\ufeff'.encode()): assert SaidSides('s.csv', splits_csv(['1.jpg'], [VAL], SaidSides('s.csv', empty))).side('1.jpg') == VAL


@pytest.mark.parametrize('data, why', [
    (b'photo;side\n', r'\(line 1\): no column photo and no column side'), (b'photo,split\n', r'\(line 1\): no column side'),
    (b'photo,side\n1.jpg,dev\n', r"\(line 2\): no side 'dev'"), (b'photo,side\n\n1.jpg\n', r'\(line 3\): 1 cells'),
    (b'photo,side\n1.jpg,val\nx/../1.jpg,val\n1.jpg,test\n', r'\(line 4\): 1.jpg has another side than line 2'),
    (b'photo,side\ncaf\xe9.jpg,val\n', r'\(line 2\): not UTF-8'), ('photo,side\n'.encode('utf-16'), r'\(line 1\): not UTF-8'), (b'photo,side\n"1.jpg,val\n', 'not valid CSV'),
])
def test_a_file_that_is_wrong(tmp_path, data, why):
    (tmp_path/'splits.csv').write_bytes(data)
    with pytest.raises(RawDataError, match=r'splits\.csv ' + why if why.startswith(r'\(') else why): read_splits(tmp_path/'splits.csv')


def test_something_else_in_its_place(tmp_path):
    file = tmp_path/'splits.csv'
    before = read_splits(file)
    file.symlink_to(tmp_path/'other.csv')
    with pytest.raises(RawDataError, match='a link, which is not followed here: move it away'): read_splits(file)
    with pytest.raises(OutputError, match='a link, not a file'): write_splits(before, b'photo,side\n')
    assert not (tmp_path/'other.csv').exists()
    file.unlink()
    file.mkdir()
    with pytest.raises(RawDataError, match='a folder, not a file'): read_splits(file)
    file.rmdir()
    write_splits(before, b'photo,side\n')
    file.write_bytes(b'photo,side\n1.jpg,val\n')
    with pytest.raises(OutputError, match='was changed during the run'): write_splits(before, b'photo,side\n2.jpg,val\n')
    assert [o.name for o in tmp_path.iterdir()] == ['splits.csv'] and b'1.jpg' in file.read_bytes()


@given(st.lists(st.integers(0, 12), min_size=2, max_size=60).filter(lambda o: len(set(o)) > 1), st.integers(2, 6), st.randoms())
@settings(max_examples=tries(100))
def test_folds(rows, k, rng):
    names = np.array(rows, np.uint64) << np.uint64(59)
    k = min(k, len(set(rows)))
    fold = folds_of(names, k)
    assert {*fold.tolist()} == {*range(k)} and len({*zip(rows, fold.tolist())}) == len({*rows})
    sizes = np.bincount(fold)
    assert sizes.max() - sizes.min() <= np.unique(names, return_counts=True)[1].max()
    order = rng.sample(range(len(rows)), len(rows))
    np.testing.assert_array_equal(folds_of(names[order], k), fold[order])
