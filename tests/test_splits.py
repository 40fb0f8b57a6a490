"Ways to split, through the command and through the class"
import re
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from making import coco, command, contents, image, process, rows

from ear_lazy.beyond import shared_storage
from ear_lazy.errors import OutputError, RawDataError
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


def sides(out, kind='detector'):
    "Image to 'train', 'val' or 'test'"
    found = {}
    for m in map(Metadata, sorted(out.glob(f'*_{kind}.npy'))): found |= {m.image_path(i): m.split for i in range(len(m))}
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
    image(raw/'ears/test/1.jpg', (8, 8))
    coco(raw/'ears/test/t.json', {'1.jpg': [[1, 1, 5, 5]]}, size=(8, 8))
    report = process(raw, raw.parent/'out', split='folder')
    assert {(path.split('/')[1], side) for path, side in sides(raw.parent/'out').items()} == {('train', 'train'), ('valid', 'val'), ('test', 'test')}
    assert [o.file for o in report.outputs] == [f'{side}_{kind}.npy' for kind in ('detector', 'teacher') for side in ('train', 'val', 'test')]
    assert report.sources['ears'].split['detector'] == [30, 30, 1] and 'train + val + test' in str(report)
    process(raw, raw.parent/'out')
    assert not [*(raw.parent/'out').glob('test_*')], 'a run that has no test removes that of the last'


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
    assert command(*args, '--split', raw.parent/'splits.csv', '--test-split', '.1').returncode == 0
    assert len(sides(raw.parent/'out')) == 60 and {*sides(raw.parent/'out').values()} == {'train', 'val', 'test'}
    for wrong in (['--split', 'kfold'], ['--group-by', '('], ['--test-split', '.3']):
        done = command(*args, *wrong)
        assert done.returncode == 2 and 'Traceback' not in done.stderr


def test_a_split_that_there_is_not(raw):
    with pytest.raises(ValueError, match="no split 'kfold'"): process(raw, raw.parent/'out', split='kfold')
    with pytest.raises(ValueError, match='test_split is at most 0.2'): process(raw, raw.parent/'out', test_split=.3)


def test_test_is_cut_from_val(raw):
    process(raw, raw.parent/'out')
    process(raw, raw.parent/'new', test_split=.1)
    old, new = sides(raw.parent/'out'), sides(raw.parent/'new')
    assert {(old[o], new[o]) for o in old} == {('train', 'train'), ('val', 'val'), ('val', 'test')} and new == sides(raw.parent/'new', 'teacher')


@pytest.mark.parametrize('options', [{}, dict(split='random'), dict(group_by='p.')], ids=str)
def test_another_name_or_place_moves_no_photo(raw, options):
    process(raw, raw.parent/'out', train_split=.5, **options)
    old = {path.removeprefix('ears/'): side for path, side in sides(raw.parent/'out').items()}
    for place in ('heads', 'detector/heads'):
        new = raw.parent/place.replace('/', '_')
        shutil.copytree(raw/'ears', new/'raw data'/place)
        process(new/'raw data', new/'out', train_split=.5, **options)
        assert {path.removeprefix(f'{place}/'): side for path, side in sides(new/'out').items()} == old


def test_a_file_of_sides(raw, monkeypatch):
    "A run makes it; from then on it counts, whatever seed and shares are, as do changes that people make"
    file, out, report = raw.parent/'splits.csv', raw.parent/'out', process(raw, raw.parent/'none', test_split=.1)
    process(raw, out, test_split=.1, split=file)
    assert contents(out) == contents(raw.parent/'none'), 'it changes nothing by being there'
    found, lines = sides(out), file.read_text().splitlines()
    assert lines[0] == 'photo,side' and lines[1:] == [f'{o},{found[o]}' for o in sorted(found)]
    assert process(raw, out, test_split=.1, split=str(file)).is_of_last_run
    process(raw, out, train_split=.3, seed=1, split=file)
    assert sides(out) == found and file.read_text().splitlines() == lines
    moved = [o for o in found if '/p3_' in o]
    for o in moved: lines[lines.index(f'{o},{found[o]}')] = f'{o},test'
    file.write_text('\n'.join([*lines, 'ears/gone.jpg,val']))
    shutil.move(raw/'ears', raw/'heads')
    image(raw/'heads/train/p3_3_jpg.rf.9.jpg', (8, 8))
    coco(raw/'heads/train/more.json', {'p3_3_jpg.rf.9.jpg': [[1, 1, 5, 5]]}, size=(8, 8))
    written = []
    for number, options in enumerate(({}, dict(shared_storage=True, num_workers=3))):
        monkeypatch.setattr(shared_storage, 'PIECE_TASKS', 1)
        before = file.read_bytes()
        with ThreadPoolExecutor(3) as executor: report = process(raw, raw.parent/f'out{number}', split=file, executor=executor if options else None, **options)
        after = file.read_bytes()
        file.write_bytes(before)
        new = sides(raw.parent/f'out{number}')
        assert new.pop('heads/train/p3_3_jpg.rf.9.jpg') == 'test' and {o.replace('heads/', 'ears/'): side for o, side in new.items()} == found | dict.fromkeys(moved, 'test')
        assert after.startswith(before + b'\n') and after.count(b'\n') == 123 and b'heads/train/p3_3_jpg.rf.9.jpg,test\n' in after
        assert any('61 of 61 photos that' in o for o in report.notes)
        written.append((contents(raw.parent/f'out{number}'), after))
    assert written[0] == written[1], 'for workers that share storage too'


def test_a_file_of_sides_that_is_not_taken(raw):
    out, file = raw.parent/'out', raw.parent/'splits.csv'
    with pytest.raises(OutputError, match='is in the raw folder, which is never written to'): process(raw, out, split=raw/'splits.csv')
    file.write_text('photo,side\nears/train/p0_0_jpg.rf.0.jpg,train\nears/valid/p0_0_jpg.rf.1.jpg,val\n')
    with pytest.raises(RawDataError, match=r'splits.csv \(line 3\): ears/valid/p0_0_jpg.rf.1.jpg has another side'): process(raw, out, split=file)
    file.write_text('photo,side\nears/train/p0_0_jpg.rf.0.jpg,train\nears/train/p0_10_jpg.rf.0.jpg,val\n')
    process(raw, out, split=file)
    with pytest.raises(RawDataError, match=r'splits.csv \(line 3\)'): process(raw, out, split=file, group_by='p[0-9]+')
    assert not (raw/'splits.csv').exists()


def test_files_of_version_1_tell_how_many_have_moved(raw):
    process(raw, raw.parent/'out', train_split=.5)
    old = sides(raw.parent/'out')
    columns = np.load(raw.parent/'out/train_detector.npy')
    columns['version'], columns['split'] = 1, 'val'
    np.save(raw.parent/'out/train_detector.npy', columns)
    report = process(raw, raw.parent/'out', train_split=.5)
    assert any(o.startswith(f'{[*old.values()].count("train")} photos are on another side than in the files that were here') for o in report.notes)
    assert sides(raw.parent/'out') == old


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


def test_groups_that_no_path_has_are_told(tmp_path):
    "`group_by` names an attribute that no source records: copies alone stay together, and the report says so"
    image(tmp_path/'raw/ears/a.png'), image(tmp_path/'raw/ears/b.png', seed=1)
    coco(tmp_path/'raw/ears/t.json', {'a.png': [[1, 1, 5, 5]], 'b.png': [[1, 1, 5, 5]]})
    with ThreadPoolExecutor(2) as executor:
        for way in ({}, dict(executor=executor, shared_storage=True)):
            notes = process(tmp_path/'raw', tmp_path/'out', group_by='subject', **way).notes
            assert [o for o in notes if "group_by='subject' is in the path of no photo" in o and "attributes=['subject']" in o]
            assert not process(tmp_path/'raw', tmp_path/'out', group_by='[ab]', **way).notes


def test_listed_photos_that_copies_move_are_told(tmp_path):
    "Two copies have two sides in the file: with `keep_together` one side counts, and the report names a photo on another"
    raw, file = tmp_path/'raw', tmp_path/'splits.csv'
    for name in 'ab': image(raw/f'ears/{name}.png', (24, 24))
    coco(raw/'ears/t.json', {'a.png': [[1, 1, 5, 5]], 'b.png': [[1, 1, 5, 5]]}, size=(24, 24))
    file.write_text('photo,side\nears/a.png,test\nears/b.png,val\n')
    report = process(raw, tmp_path/'out', split=file, keep_together=True)
    assert {*sides(tmp_path/'out').values()} == {'val'} and any(o.endswith('are on another side, with copies of theirs, such as ears/a.png') for o in report.notes)
    assert not process(raw, tmp_path/'out', split=file).notes and sides(tmp_path/'out') == {'ears/a.png': 'test', 'ears/b.png': 'val'}
