"Ways to split, through the command and through the class"
import re

import pytest
from making import coco, command, image, process, rows

from ear_lazy.metadata.file import Metadata


@pytest.fixture
def raw(tmp_path):
    "Thirty photos of ten people, in folders that name a split, two copies of each"
    raw = tmp_path/'raw'
    for i in range(30):
        for copy, folder in enumerate(('train', 'valid')): image(raw/f'ears/{folder}/p{i % 10}_{i}_jpg.rf.{copy}.jpg', (8, 8))
    for folder in ('train', 'valid'):
        coco(raw/f'ears/{folder}/t.json', {o.name: [[1, 1, 5, 5]] for o in sorted((raw/'ears'/folder).glob('*.jpg'))}, size=(8, 8))
    return raw


def sides(out):
    "Image to 'train' or 'val'"
    found = {}
    for split in ('train', 'val'):
        m = Metadata(out/f'{split}_detector.npy')
        found |= {m.image_path(i): split for i in range(len(m))}
    return found


def groups(found, pattern):
    "What a pattern finds in each path, and the sides that it is on"
    both = {}
    for path, side in found.items(): both.setdefault(re.search(pattern, path)[0], set()).add(side)
    return both


def test_copies_stay_together(raw):
    process(raw, raw.parent/'out')
    assert all(len(s) == 1 for s in groups(sides(raw.parent/'out'), r'p\d+_\d+').values())


def test_the_split_that_the_data_ships_with(raw):
    process(raw, raw.parent/'out', split='folder')
    assert {(path.split('/')[1], side) for path, side in sides(raw.parent/'out').items()} == {('train', 'train'), ('valid', 'val')}


def test_every_image_for_itself(raw):
    process(raw, raw.parent/'out', split='random')
    assert any(len(s) == 2 for s in groups(sides(raw.parent/'out'), r'p\d+_\d+').values())


@pytest.mark.parametrize('group_by', [r'(p\d+)_', lambda path: re.search(r'p\d+', path)[0]])
def test_people_stay_together(raw, group_by):
    process(raw, raw.parent/'out', train_split=0.5, group_by=group_by)
    found = groups(sides(raw.parent/'out'), r'p\d+')
    assert len(found) == 10 and all(len(s) == 1 for s in found.values()) and len(set.union(*found.values())) == 2


def test_on_the_command_line(raw):
    args = ['--all', '--raw-data-dir', raw, '--output-dir', raw.parent/'out', '--workers', 0]
    assert command(*args, '--split', 'folder').returncode == 0
    assert len(rows(raw.parent/'out', 'detector')) == 60
    assert command(*args, '--group-by', r'(p\d+)_').returncode == 0
    for wrong in (['--split', 'kfold'], ['--group-by', '(']):
        done = command(*args, *wrong)
        assert done.returncode == 2 and 'Traceback' not in done.stderr


def test_a_split_that_there_is_not(raw):
    with pytest.raises(ValueError, match="no split 'kfold'"): process(raw, raw.parent/'out', split='kfold')


def test_new_copies_move_old_photos_only_with_keep_together(tmp_path):
    "… which the page of the module says, and nothing stronger"
    raw, moved = tmp_path/'raw', {}
    def images(first, n, seed=0): return {image(raw/f'ears/{first}_{i}.png', (24, 24), seed + i).name: [[1, 1, 5, 5]] for i in range(n)}
    coco(raw/'ears/t.json', old := images('old', 12), size=(24, 24))
    for keep in (False, True):
        process(raw, tmp_path/f'{keep}', train_split=.5, keep_together=keep)
        moved[keep] = sides(tmp_path/f'{keep}')
    coco(raw/'ears/t.json', old | images('copy', 12), size=(24, 24))
    for keep in (False, True):
        process(raw, tmp_path/f'{keep}', train_split=.5, keep_together=keep)
        now = sides(tmp_path/f'{keep}')
        moved[keep] = [o for o, side in moved[keep].items() if now[o] != side]
    assert not moved[False] and moved[True]
