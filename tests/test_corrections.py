"Corrections by code and from the command line"
import json
import shutil
from pathlib import Path

import pytest
from making import called, coco, image, pts

from ear_lazy.command import start
from ear_lazy.corrections import Corrections, main
from ear_lazy.correcting.journal import Journal, Photo, Stated, new_line
from ear_lazy.data_processor import DataProcessor
from ear_lazy.errors import RawDataError
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.rewrite import CannotRewrite, Value, added, changed, deleted


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    "Three photos with boxes, one of them with points in a file of its own, and what a run makes of them"
    top = tmp_path_factory.mktemp('made')
    for i, o in enumerate('abc'): image(top/f'raw/ears/{o}.png', seed=i)
    coco(top/'raw/ears/boxes.json', {'a.png': [[1, 1, 9, 9], [20, 20, 9, 9]], 'b.png': [[3, 3, 30, 30]], 'c.png': [[5, 5, 30, 30]]})
    pts(top/'raw/ears/b.pts', [(5, 5), (20, 10), (30, 31)])
    DataProcessor(top/'raw', top/'out', num_workers=0, progress=False).process_all(train_split=1)
    return top


@pytest.fixture
def there(made, tmp_path):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


def opened(there, kind='detector'): return LazyNPYDataset(there/f'out/train_{kind}.npy')


def row(ds, name): return next(i for i in range(len(ds)) if ds.metadata.image_path(i).endswith(name))


def run(there, *args): return called(main, *args, '--raw-data-dir', there/'raw', '--output-dir', there/'out')


def words(o): return o.what, o.photo, o.now and o.now.label


def test_a_journal_is_beside_the_output_folder(there):
    ds = opened(there)
    c = Corrections.of(ds)
    assert c.path == there/'corrections.jsonl' and not c.path.exists() and len(c) == 0
    c.add(changed(ds, row(ds, 'b.png'), 0, box=[4, 3, 30, 30]), note='with Ann', by='Ben')
    line, = map(json.loads, c.path.read_text().splitlines())
    assert line['photo']['path'] == 'ears/b.png' and line['photo']['size'] == [40, 60] and len(line['photo']['digest']) == 32 and line['photo']['bytes'] == (there/'raw/ears/b.png').stat().st_size
    assert (line['op'], line['by'], line['note'], line['now']) == ('set', 'Ben', 'with Ann', {'box': [4, 3, 30, 30]})
    assert [o[0] for o in line['was']['origins']] == ['ears/boxes.json', 'ears/b.pts'] and line['was']['box'] == [3, 3, 30, 30]
    assert Corrections(c.path).journal.lines == c.journal.lines


def test_lines_of_an_object_in_two_files_are_one_chain(there):
    ds, points = opened(there), opened(there, 'landmarker')
    c = Corrections.of(CombinedLazyDataset([ds, ds]))
    c.add(changed(ds, row(ds, 'b.png'), 0, label='left'))
    c.add(changed(points, 0, points=[[6, 5, 2], [20, 10, 2], [30, 31, 2]]))
    o, = c
    assert (o.what, o.now.label, o.now.points[0]) == ('points, class', 'left', (6, 5, 2)) and len(o.ids) == 2 and not c.conflicts()


REFUSED = {
    'an object that is there': (lambda ds: added(ds, row(ds, 'a.png'), box=[20, 20, 9, 9], label='ear'), 'is there once'),
    'an object that is there, without its class': (lambda ds: added(ds, row(ds, 'a.png'), box=[20, 20, 9, 9]), 'is there once'),
    'one object twice': (lambda ds: [changed(ds, row(ds, 'a.png'), 1, label='a'), changed(ds, row(ds, 'a.png'), 1, box=[1, 2, 3, 4])], 'two changes of one object'),
    'one object added twice': (lambda ds: [added(ds, 0, box=[2, 2, 5, 5])]*2, 'is there once'),
    'the values that it has': (lambda ds: changed(ds, row(ds, 'a.png'), 1, box=[20, 20, 9, 9]), 'nothing to change'),
    'a box outside of the photo': (lambda ds: added(ds, 0, box=[60, 2, 5, 5]), 'lies outside'),
    'no number': (lambda ds: changed(ds, 0, 0, box=[1, 1, 2, 2])._replace(now=Value((1, 2, 3, float('nan')))), 'finite'),
}


@pytest.mark.parametrize('case', REFUSED)
def test_what_cannot_be_is_refused_and_nothing_is_written(there, case):
    ds = opened(there)
    c = Corrections.of(ds)
    make, why = REFUSED[case]
    with pytest.raises(ValueError, match=why):
        change = make(ds)
        c.add([changed(ds, row(ds, 'b.png'), 0, label='other'), *(change if isinstance(change, list) else [change])])
    assert not c.path.exists()


def test_another_number_of_points_is_refused(there):
    points = opened(there, 'landmarker')
    with pytest.raises(ValueError, match='has 3 keypoints, and the change 2'): Corrections.of(points).add(changed(points, 0, points=[[1, 1, 2], [2, 2, 2]]))
    with pytest.raises(TypeError, match='`changed`, `deleted` and `added`'): Corrections.of(points).add([(1, 2)])


def test_undo_redo_and_what_is_said_of_photos(there):
    ds = opened(there)
    c = Corrections.of(ds)
    a = c.add([changed(ds, row(ds, 'b.png'), 0, label='left'), deleted(ds, row(ds, 'a.png'), 0)])
    with pytest.raises(ValueError, match='deleted already'): c.add(changed(ds, row(ds, 'a.png'), 0, label='left'))
    assert sorted(map(words, c)) == [('class', 'ears/b.png', 'left'), ('deleted', 'ears/a.png', None)]
    undone = c.undo(a)
    assert len(c) == 0
    c.undo(undone)
    assert len(c) == 2
    c.ok(ds, [row(ds, 'b.png'), row(ds, 'a.png')])
    seen = [{(o.box, o.label) for o in line.seen} for line in c.journal.lines.values() if line.op == 'ok']
    assert seen == [{((3, 3, 30, 30), 'left')}, {((20, 20, 9, 9), 'ear')}], 'with the corrections'
    with pytest.raises(ValueError, match='delete what is there first'): c.empty(ds, row(ds, 'a.png'))
    c.add(deleted(ds, row(ds, 'a.png'), 1))
    c.empty(ds, row(ds, 'a.png'))
    c.exclude(ds, row(ds, 'c.png'), note='blurred')
    assert [o.what for o in c if o.photo == 'ears/c.png'] == ['left out'] and 'blurred' in repr(c) and '<td' in c._repr_html_()


def test_two_people_make_a_conflict_and_a_third_line_settles_it(there):
    ds = opened(there)
    b = row(ds, 'b.png')
    for name, label in (('ann', 'left'), ('ben', 'right')):
        c = Corrections.of(ds, there/f'{name}.jsonl')
        c.add([changed(ds, b, 0, label=label, box=[3, 3, 30, 30 if name == 'ann' else 24]), *([deleted(ds, row(ds, 'a.png'), 0)] if name == 'ann' else [])], by=name)
        c.ok(ds, [row(ds, 'c.png')], by=name)
    told = called(main, 'merge', there/'ann.jsonl', there/'ben.jsonl', '-o', there/'corrections.jsonl')
    assert told.returncode == 0 and "1 conflicts" in told.stdout and '2 objects that both have spoken of' in told.stdout and 'mean IoU of boxes 0.9' in told.stdout
    assert len(Journal(there/'corrections.jsonl').lines) == 5
    checked = run(there, 'check')
    assert checked.returncode == 1 and 'conflict: ears/b.png' in checked.stdout and "'left'" in checked.stdout
    refused = run(there, 'export', there/'copy')
    assert refused.returncode == 2 and 'lines differ' in refused.stderr and not (there/'copy').exists()
    left = run(there, 'export', there/'copy', '--leave')
    assert left.returncode == 0 and '1 written, 0 there already, 1 left out' in left.stdout
    c = Corrections.of(ds)
    c.add(changed(ds, b, 0, label='right', box=[3, 3, 30, 27]))
    assert not c.conflicts() and run(there, 'check', '--raw').returncode == 0


def test_unreadable_lines_are_named(there):
    ds = opened(there)
    Corrections.of(ds).add(changed(ds, 0, 0, label='left'))
    with open(there/'corrections.jsonl', 'a') as f: f.write('{"v":1\n')
    checked = run(there, 'check')
    assert checked.returncode == 1 and 'line 2 cannot be read' in checked.stdout
    listed = json.loads(run(there, 'list', '--json').stdout)
    assert [o['line'] for o in listed['unreadable']] == [2] and listed['corrections'][0]['now']['label'] == 'left'
    assert 'line 2 cannot be read' in run(there, 'list').stdout


def test_check_finds_what_matches_nothing(there):
    place = Stated.of(Stated(box=(1, 2, 3, 4), label='ear').value, [('ears/boxes.json', 'id 99')])
    Journal(there/'corrections.jsonl').append([new_line('set', Photo('ears/a.png'), place, Stated(label='left'))])
    assert run(there, 'check').returncode == 0
    told = run(there, 'check', '--raw')
    assert told.returncode == 1 and 'it is not annotated any more' in told.stdout


def test_undo_from_the_command_line(there):
    ds = opened(there)
    id, = Corrections.of(ds).add(changed(ds, 0, 0, label='left'))
    assert id in run(there, 'list').stdout
    assert run(there, 'undo', id, '--note', 'wrong').returncode == 0 and id not in run(there, 'list').stdout
    told = run(there, 'undo', '1'*16)
    assert told.returncode == 2 and 'has no line' in told.stderr


def test_no_journal_is_said(there):
    told = run(there, 'list')
    assert told.returncode == 2 and 'there are no corrections' in told.stderr and '--corrections' in told.stderr
    assert start(['corrections', 'list', '--corrections', str(there/'none.jsonl')]) == 2


def test_a_renamed_photo_is_found_by_its_bytes(there):
    ds = opened(there)
    c = Corrections.of(ds)
    c.add(changed(ds, row(ds, 'c.png'), 0, box=[6, 5, 30, 30]))
    (there/'raw/ears/c.png').rename(there/'raw/ears/new.png')
    file = there/'raw/ears/boxes.json'
    file.write_text(file.read_text().replace('c.png', 'new.png'))
    done = c.export(there/'copy', there/'raw')
    assert done.written == 1 and '[6, 5, 30, 30]' in (there/'copy/ears/boxes.json').read_text()


def test_coco_of_everything(there):
    ds = opened(there)
    c = Corrections.of(ds)
    c.add([changed(ds, row(ds, 'b.png'), 0, box=[4, 3, 30, 30]), deleted(ds, row(ds, 'a.png'), 0), added(ds, row(ds, 'a.png'), box=[30, 5, 10, 11], label='nose')])
    c.exclude(ds, row(ds, 'c.png'))
    told = run(there, 'export', '--coco', there/'all.json')
    assert told.returncode == 0, told.stderr
    found = json.loads((there/'all.json').read_text())
    names, images = {o['id']: o['name'] for o in found['categories']}, {o['id']: o['file_name'] for o in found['images']}
    assert sorted((images[o['image_id']], names[o['category_id']], o['bbox'], o.get('num_keypoints', 0)) for o in found['annotations']) == [
        ('raw/ears/a.png', 'ear', [20, 20, 9, 9], 0), ('raw/ears/a.png', 'nose', [30, 5, 10, 11], 0), ('raw/ears/b.png', 'ear', [4, 3, 30, 30], 3)]
    assert run(there, 'export', '--coco', there/'raw/all.json').returncode == 2


def edited(there, change, photos=False):
    "A copy of the raw folder, or of its annotation files alone, after a change of the COCO file"
    def without_photos(_, names): return [o for o in names if o.endswith('.png') and not photos]
    copy = shutil.copytree(there/'raw', there/'edited', ignore=without_photos, dirs_exist_ok=True)/'ears/boxes.json'
    content = json.loads(copy.read_text())
    change(content['annotations'])
    copy.write_text(json.dumps(content))


@pytest.mark.parametrize('photos', [False, True])
def test_take_what_was_edited_elsewhere(there, photos):
    def change(annotations):
        annotations[0]['bbox'] = [2, 1, 9, 9]
        del annotations[1]
        annotations.append(dict(id=77, image_id=3, category_id=1, bbox=[40, 2, 8, 8]))
    edited(there, change, photos)
    told = run(there, 'take', there/'edited', '--note', 'from the tool')
    assert told.returncode == 0 and '3 lines taken' in told.stdout
    c = Corrections.of(opened(there))
    assert sorted((o.what, o.photo, o.now and o.now.box, o.note) for o in c) == [('added', 'ears/c.png', (40, 2, 8, 8), 'from the tool'), ('box', 'ears/a.png', (2, 1, 9, 9), 'from the tool'), ('deleted', 'ears/a.png', None, 'from the tool')]
    assert '0 lines taken' in run(there, 'take', there/'edited').stdout
    edited(there, lambda annotations: annotations[0].update(bbox=[3, 1, 9, 9]))
    c.take(there/'edited', there/'raw')
    assert [len(o.ids) for o in c if o.what == 'box'] == [2] and not c.conflicts(), 'the next line of that object'


def test_take_refuses_what_would_be_taken_for_deletions(there):
    edited(there, lambda annotations: None)
    (there/'edited/ears/b.pts').unlink()
    c = Corrections.of(opened(there))
    with pytest.raises(RawDataError, match=r'lacks ears/b\.pts.*--deleted-files'): c.take(there/'edited')
    (there/'edited/ears/boxes.json').write_text('{')
    told = run(there, 'take', there/'edited')
    assert told.returncode == 2 and 'boxes.json' in told.stderr and not c.path.exists()


def test_export_tells_what_a_file_cannot_hold(there):
    points = opened(there, 'landmarker')
    c = Corrections.of(points)
    c.add(changed(points, 0, points=[[5, 5, 1], [20, 10, 2], [30, 31, 2]])) # hidden
    with pytest.raises(CannotRewrite, match=r'\.pts file'): c.export(there/'copy')
    done = c.export(there/'copy', leave=True)
    assert (done.written, len(done.left), done.rewritten.files) == (0, 1, ()) and 'b.pts' in str(done)


def test_nothing_is_written_into_the_raw_folder(there):
    ds = opened(there)
    before = {o: o.read_bytes() for o in (there/'raw').rglob('*') if o.is_file()}
    c = Corrections.of(ds)
    c.add(changed(ds, 0, 0, label='left'))
    assert run(there, 'export', there/'raw/copy').returncode == 2
    c.export(there/'copy')
    assert {o: o.read_bytes() for o in (there/'raw').rglob('*') if o.is_file()} == before
