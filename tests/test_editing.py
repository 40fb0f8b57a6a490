"Editing in the explorer without a browser: messages, the journal, undo, others who write to it"
import json
import shutil
import threading

import numpy as np
import pytest
from making import asked, coco, image, process, quiet, tell
from PIL import Image

from ear_lazy.correcting.journal import Journal, Stated, new_line
from ear_lazy.explorer import explore
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.looking.editing import Editor
from ear_lazy.looking.row_table import RowTable

pytest.importorskip('anywidget', reason="the explorer needs anywidget: pip install anywidget")
EARS = {'a.png': [[1, 2, 10, 12], [20, 20, 9, 9]], 'b.png': [[3, 3, 9, 9]], 'c.png': [], 'd.png': [dict(bbox=[5, 5, 20, 20], keypoints=[6, 6, 2, 10, 8, 2, 20, 20, 1])]}


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    "Four photos of 40 × 60 pixels: two boxes, one, none, one with keypoints"
    folder = tmp_path_factory.mktemp('made')
    for i, name in enumerate(EARS): image(folder/'raw'/'ears'/name, seed=i)
    points = dict(keypoints=['tip', 'left', 'right'], skeleton=[[1, 2]])
    coco(folder/'raw'/'ears'/'a.json', EARS, categories=[dict(id=1, name='ear') | points, dict(id=2, name='head')])
    process(folder/'raw', folder/'out', train_split=1.)
    return folder


@pytest.fixture
def data(made, tmp_path):
    for name in ('raw', 'out'): shutil.copytree(made/name, tmp_path/name, copy_function=shutil.copy2)
    return tmp_path


def opened(data, kind='detector'): return LazyNPYDataset(data/'out'/f'train_{kind}.npy', root_dir=data/'raw')


def editing(ds, **options): return quiet(explore(ds, edit=True, **options))


def row_of(ds, name): return next(i for i in range(len(ds)) if ds.get_metadata(i)['image_path'].endswith(name))


def photo(w, row): return asked(w, type='full', id=0, row=row)[0]['edit']


def act(w, row, *actions):
    w.sent.clear()
    tell(w, {'type': 'edit', 'id': 1, 'row': row, 'actions': [*actions]})
    return answer(w)


def answer(w): return next(o for o, _ in w.sent if o['type'] == 'edited')


def step(w, what):
    w.sent.clear()
    tell(w, {'type': what, 'id': 2})
    return answer(w)


def journal(data): return [json.loads(o) for o in (data/'corrections.jsonl').read_text().splitlines()]


def boxes(edit): return [o['box'] for o in edit['objects']]


def test_a_change_is_on_disk_when_it_is_called_saved(data):
    ds = opened(data)
    w, i = editing(ds), row_of(ds, 'a.png')
    before = photo(w, i)
    assert boxes(before) == EARS['a.png'] and {o['status'] for o in before['objects']} == {'raw'} and all(o['own'] for o in before['objects'])
    found = act(w, i, {'op': 'set', 'key': before['objects'][1]['key'], 'now': {'box': [21, 20, 9, 9.5], 'label': 'ear'}})
    assert found['words'] == 'box of class ear changed' and len(found['saved']) == 5
    [line] = journal(data)
    assert line['now'] == {'box': [21, 20, 9, 9.5]} and line['was']['box'] == [20, 20, 9, 9] and line['was']['origins'] == [['ears/a.json', 'id 11']]
    assert line['photo']['path'] == 'ears/a.png' and line['photo']['size'] == [40, 60] and line['photo']['bytes'] and line['photo']['digest']
    assert found['edit']['objects'][1] | {'origin': '', 'reason': ''} == before['objects'][1] | {'box': [21, 20, 9, 9.5], 'status': 'changed', 'origin': '', 'reason': ''}
    json.dumps(found)


def test_all_kinds_of_a_photo_are_one_object(data):
    for kind in ('detector', 'landmarker', 'teacher'):
        ds = opened(data, kind)
        edit = photo(editing(ds), row_of(ds, 'd.png'))
        [o] = edit['objects']
        assert (o['box'], o['points'], o['label'], o['own']) == ([5, 5, 20, 20], [[6, 6, 2], [10, 8, 2], [20, 20, 1]], 'ear', True), kind
    assert edit['schemes']['ear']['points'] == ['tip', 'left', 'right'] and edit['schemes']['ear']['skeleton'] == [[0, 1]]
    assert edit['schemes']['ear']['mean'] == [[0, 0], [pytest.approx(4 / 14, abs=1e-3), pytest.approx(2 / 14, abs=1e-3)], [1, 1]]
    assert edit['labels'] == ['ear']


def test_undo_goes_back_over_photos_and_sessions(data):
    ds = opened(data)
    a, b = row_of(ds, 'a.png'), row_of(ds, 'b.png')
    w = editing(ds)
    act(w, a, {'op': 'delete', 'key': photo(w, a)['objects'][0]['key']})
    found = act(w, b, {'op': 'add', 'now': {'box': [30, 10, 8, 8], 'label': 'lobe'}})
    assert found['keys'] == [found['edit']['objects'][-1]['key']] and found['edit']['labels'] == ['ear', 'lobe'] and found['edit']['can_undo']
    w = editing(opened(data))
    assert w.selected == [b], 'where one was'
    assert step(w, 'undo') | {'edit': 0} == {'type': 'edited', 'id': 2, 'row': b, 'words': 'undone: addition', 'keys': [], 'saved': answer(w)['saved'], 'edit': 0}
    assert step(w, 'undo')['row'] == a and boxes(photo(w, a)) == EARS['a.png'] and not photo(w, a)['can_undo']
    assert step(w, 'undo')['error'] == 'there is nothing to undo'
    w = editing(opened(data))
    assert step(w, 'redo')['row'] == a and step(w, 'redo')['row'] == b and len(photo(w, b)['objects']) == 2 and len(photo(w, a)['objects']) == 1
    assert step(w, 'redo')['error'] == 'there is nothing to do again'
    step(w, 'undo')
    act(w, a, {'op': 'ok'})
    assert 'nothing to do again' in step(w, 'redo')['error'], 'something else was done since'


def test_what_is_said_of_a_photo(data):
    ds = opened(data)
    w, a, b, c = editing(ds), *(row_of(ds, f'{o}.png') for o in 'abc')
    assert act(w, a, {'op': 'ok'})['edit']['ok']
    key = photo(w, a)['objects'][0]['key']
    assert not act(w, a, {'op': 'set', 'key': key, 'now': {'label': 'head'}})['edit']['ok'], 'nobody has looked at this'
    found = act(w, b, {'op': 'empty'})
    assert found['words'] == 'no object here, 1 object deleted' and found['edit']['empty'] and not found['edit']['objects']
    assert [o['op'] for o in journal(data)[-2:]] == ['delete', 'empty']
    assert len(step(w, 'undo')['edit']['objects']) == 1 and not photo(w, b)['empty']
    assert act(w, c, {'op': 'ok'})['edit']['empty'], 'a photo without objects that is right'
    assert act(w, c, {'op': 'exclude'})['edit']['excluded'] and 'already' in act(w, c, {'op': 'exclude'})['error']
    assert not act(w, c, {'op': 'exclude', 'off': True})['edit']['excluded']
    assert act(w, a, {'op': 'flag', 'key': key, 'note': 'cut off'})['edit']['objects'][0]['flag'] == 'cut off'
    assert act(w, a, {'op': 'note', 'note': 'ask Ada'})['edit']['note'] == 'ask Ada'
    assert act(w, a, {'op': 'note', 'note': ''})['edit']['note'] == '' and photo(w, a)['objects'][0]['flag'] == 'cut off'


@pytest.mark.parametrize(('action', 'reason'), [
    ({'op': 'set', 'key': 'o0', 'now': {'box': [1, 2, -3, 4]}}, 'positive width and height'),
    ({'op': 'set', 'key': 'o0', 'now': {'box': [1, 2, 3]}}, 'four finite numbers'),
    ({'op': 'set', 'key': 'o0', 'now': {'box': 'wide'}}, 'could not convert'),
    ({'op': 'set', 'key': 'o0', 'now': {'box': [70, 2, 3, 4]}}, 'outside of the photo, which is 60 × 40 pixels'),
    ({'op': 'set', 'key': 'o0', 'now': {'label': ''}}, 'a class has a name'),
    ({'op': 'set', 'key': 'o0', 'now': {'points': [[1, 2, 7]]}}, 'visibility'),
    ({'op': 'set', 'key': 'o0', 'now': {}}, 'nothing was changed'),
    ({'op': 'set', 'key': 'o9', 'now': {'label': 'ear'}}, 'not there any more'),
    ({'op': 'add', 'now': {'box': [1, 2, 10, 12], 'label': 'ear'}}, 'there is such a box of class ear already'),
    ({'op': 'add', 'now': {'label': 'ear'}}, 'has a box'),
    ({'op': 'settle', 'key': 'o0', 'now': None}, 'no conflict'),
    ({'op': 'rotate', 'key': 'o0'}, 'no such action'),
    ('delete', 'no such action'),
])
def test_what_cannot_be_is_refused_and_nothing_written(data, action, reason):
    ds = opened(data)
    w, i = editing(ds), row_of(ds, 'a.png')
    found = act(w, i, action)
    assert reason in found['error'] and 'saved' not in found and boxes(found['edit']) == EARS['a.png'] and not (data/'corrections.jsonl').exists()


def test_several_rows_at_once(data):
    ds = opened(data)
    w = editing(ds)
    def bulk(rows, **action):
        w.sent.clear()
        tell(w, {'type': 'bulk', 'id': 3, 'rows': rows, 'action': action})
        return answer(w)
    a, b, c, d = (row_of(ds, f'{o}.png') for o in 'abcd')
    assert bulk([a, b], op='label', label='head')['words'] == '3 objects of class head'
    marks = next(o for o, _ in w.sent if o['type'] == 'marks')
    assert marks['rows'] == {a: 'edited', b: 'edited'} and marks['counts'] == dict(edited=2, ok=0, conflict=0, looked_at=0, photos=4)
    assert {o['label'] for o in photo(w, a)['objects']} == {'head'}
    step(w, 'undo')
    assert {o['label'] for o in photo(w, a)['objects'] + photo(w, b)['objects']} == {'ear'}, 'one step'
    assert bulk([a, c], op='ok')['words'] == '2 photos looked at and right'
    assert bulk([a, b], op='ok')['words'].startswith('1 photo looked at and right; 1 not: row 0: it is marked')
    w.query = dict(state='looked at')
    assert w.view.tolist() == sorted([a, b, c])
    w.query = dict(state='unlabelled')
    assert w.view.tolist() == [], 'the one without objects is known to be so'
    assert bulk([b], op='delete')['saved'] and bulk([b], op='rotate')['error']


def test_two_explorers_lose_nothing_and_change_nothing_unseen(data):
    ds = opened(data)
    i = row_of(ds, 'a.png')
    mine, other = editing(ds), editing(opened(data))
    key = photo(mine, i)['objects'][0]['key']
    photo(other, i)
    shown = act(other, i, {'op': 'set', 'key': key, 'now': {'box': [2, 2, 10, 12]}})['edit']
    refused = act(mine, i, {'op': 'set', 'key': key, 'now': {'box': [1, 5, 10, 12]}})
    assert 'somebody else has changed it' in refused['error'] and boxes(refused['edit'])[0] == [2, 2, 10, 12]
    assert act(mine, i, {'op': 'set', 'key': key, 'now': {'box': [1, 5, 10, 12]}})['saved'], 'now it was seen'
    other.sent.clear()
    tell(other, {'type': 'refresh'})
    assert other.sent[0][0]['type'] == 'marks' and other.sent[0][0]['rows'] == {i: 'edited'} and other.sent[0][0]['version'] == photo(other, i)['version'] > shown['version'], 'the page can tell that what it shows is older'
    other.sent.clear()
    tell(other, {'type': 'refresh'})
    assert not other.sent, 'nothing new'
    assert boxes(photo(other, i))[0] == [1, 5, 10, 12]


def test_a_conflict_is_shown_with_both_values_and_settled(data):
    ds = opened(data)
    i = row_of(ds, 'b.png')
    w = editing(ds)
    key = photo(w, i)['objects'][0]['key']
    act(w, i, {'op': 'set', 'key': key, 'now': {'box': [4, 3, 9, 9]}})
    first = next(iter(Journal(data/'corrections.jsonl').lines.values()))
    theirs = new_line('set', first.photo, first.was, Stated(box=(3, 8, 9, 9), label='head'), by='Ada') # merged from elsewhere
    Journal(data/'corrections.jsonl').append([theirs])
    w.sent.clear()
    tell(w, {'type': 'refresh'})
    assert w.sent[0][0]['rows'] == {i: 'edited conflict'} and w.sent[0][0]['counts']['conflict'] == 1
    [o] = photo(w, i)['objects']
    assert o['status'] == 'conflict' and sorted((v['box'], v['label']) for v in o['options']) == [([3, 8, 9, 9], 'head'), ([4, 3, 9, 9], 'ear')]
    assert 'settle the conflict' in act(w, i, {'op': 'ok'})['error']
    found = act(w, i, {'op': 'settle', 'key': key, 'now': next(v for v in o['options'] if v['label'] == 'head')})
    assert [(o['status'], o['box'], o['label']) for o in found['edit']['objects']] == [('changed', [3, 8, 9, 9], 'head')]
    assert {*journal(data)[-1]['after']} == {first.id, theirs.id}
    assert step(w, 'undo')['edit']['objects'][0]['status'] == 'conflict'


def test_a_line_that_others_follow_is_not_undone(data):
    ds = opened(data)
    i = row_of(ds, 'b.png')
    w = editing(ds)
    act(w, i, {'op': 'set', 'key': photo(w, i)['objects'][0]['key'], 'now': {'box': [4, 3, 9, 9]}})
    first = next(iter(Journal(data/'corrections.jsonl').lines.values()))
    Journal(data/'corrections.jsonl').append([new_line('delete', first.photo, Stated(first.was.origins, (4, 3, 9, 9)), after=[first.id], by='Ada')])
    assert step(w, 'undo')['error'] == 'Ada has changed the object since, which is not undone with this'


@pytest.mark.parametrize('orientation', [1, 6])
def test_values_are_those_of_the_upright_photo(tmp_path, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    image(tmp_path/'raw'/'ears'/'0.jpg', exif=exif)
    coco(tmp_path/'raw'/'ears'/'a.json', {'0.jpg': [[1, 2, 30, 4]]}) # of the stored pixels
    process(tmp_path/'raw', tmp_path/'out', train_split=1.)
    for loader in ('pil', 'cv2'):
        ds = LazyNPYDataset(tmp_path/'out'/'train_detector.npy', image_loader=loader)
        w = editing(ds)
        [o] = photo(w, 0)['objects']
        assert np.allclose(o['box'], ds[0]['bboxes'][0])
    found = act(w, 0, {'op': 'set', 'key': o['key'], 'now': {'box': [o['box'][0] + 1, *o['box'][1:]]}})
    assert found['saved'] and journal(tmp_path)[0]['photo']['size'] == [*ds[0]['image'].shape[:2]]


def test_unannotated_photos_subsets_and_combinations(data):
    ds = opened(data)
    image(data/'raw'/'ears'/'new.png', seed=9)
    w = editing(ds.unlabelled())
    found = act(w, 0, {'op': 'add', 'now': {'box': [1, 1, 9, 9], 'label': 'ear'}})
    assert found['saved'] and journal(data)[0]['photo']['path'] == 'ears/new.png' and boxes(photo(w, 0)) == [[1, 1, 9, 9]]
    some = CombinedLazyDataset([opened(data)[[1, 0]], opened(data)[2:]])
    w = editing(some)
    i = row_of(some, 'a.png')
    assert boxes(photo(w, i)) == EARS['a.png'] and act(w, i, {'op': 'ok'})['saved']
    assert step(w, 'undo')['row'] == i and 'nothing to undo' in step(w, 'undo')['error'], 'the other one is of a photo that is not here'
    w = editing(str(data/'raw'))
    assert boxes(photo(w, row_of(w.ds, 'new.png'))) == [[1, 1, 9, 9]], 'the same journal'


def test_the_button_says_why_not(data, tmp_path):
    ds = opened(data)
    w = quiet(explore(ds))
    w.set_state({'editing': True})
    assert photo(w, 0)['objects']
    shutil.copytree(data/'raw', tmp_path/'else'/'raw')
    shutil.copytree(data/'out', tmp_path/'else'/'out')
    two = CombinedLazyDataset([ds, LazyNPYDataset(tmp_path/'else'/'out'/'train_detector.npy', root_dir=tmp_path/'else'/'raw')])
    with pytest.raises(ValueError, match='rows of 2 raw folders'): explore(two, edit=True)
    w = quiet(explore(two))
    w.set_state({'editing': True})
    assert 'rows of 2 raw folders' in asked(w, type='full', id=0, row=0)[0]['why']


def test_while_editing_the_photo_itself_is_shown(data):
    ds = LazyNPYDataset(data/'out'/'train_detector.npy', root_dir=data/'raw', image_size=(20, 20))
    w = editing(ds)
    head = asked(w, type='full', id=0, row=0)[0]
    assert (head['height'], head['width']) == (40, 60)
    w.editing = False
    assert asked(w, type='full', id=0, row=0)[0]['height'] == 20


def test_many_threads(data):
    ds = opened(data)
    w = editing(ds)
    rows = [row_of(ds, f'{o}.png') for o in 'abc']
    def work(n):
        for k in range(4): w._answer({'type': 'edit', 'id': n, 'row': rows[n % 3], 'actions': [{'op': 'add', 'now': {'box': [n + 1, k + 1, 5, 5], 'label': 'ear'}}]})
    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for o in threads: o.start()
    for o in threads: o.join()
    assert len(journal(data)) == 16 and not [o for o, _ in w.sent if 'error' in o]
    for _ in range(16): assert 'error' not in step(w, 'undo')
    assert [len(photo(w, i)['objects']) for i in rows] == [2, 1, 0]


def test_tiles_and_the_dataset_have_what_was_corrected(data):
    found = {}
    for kind in ('detector', 'landmarker', 'teacher'):
        ds = opened(data, kind)
        w, i = editing(ds), row_of(ds, 'd.png')
        if kind == 'detector': act(w, i, {'op': 'set', 'key': photo(w, i)['objects'][0]['key'], 'now': {'box': [6, 5, 22, 20], 'points': [[7, 6, 2], [10, 8, 2], [20, 20, 1]]}})
        found[kind] = asked(w, type='tiles', id=0, rows=[i])[0]['tiles'][0]
        assert ds.get_metadata(i)['image_path'] == w.corrected.get_metadata(i)['image_path']
        assert not np.array_equal(*(next(v for k, v in o.get_metadata(i).items() if k != 'image_path') for o in (ds, w.corrected))), kind
    assert found['detector']['truth']['boxes'] == [[6, 5, 22, 20]] and found['landmarker']['truth']['points'][0] == [7, 6, 2]
    assert (found['teacher']['width'], found['teacher']['height']) == (22, 20)


def test_what_the_checks_dropped_is_repaired_at_its_place(data):
    coco(data/'raw'/'ears'/'a.json', EARS | {'b.png': [[3, 3, 9, 9], [3, 3, 0, 9], [90, 3, 9, 9]]})
    report = process(data/'raw', data/'out', train_split=1.)
    problems = [o for o in report.problems if o.action == 'dropped']
    assert sorted(o.reason for o in problems) == ['no_area', 'outside']
    ds = LazyNPYDataset(data/'out'/'train_detector.npy')
    w, i = editing(ds), row_of(ds, 'b.png')
    for o in problems: w.open_problem(o)
    assert w.selected == [i] and w.sent[-1][0] == {'type': 'open', 'row': i} and len(photo(w, i)['objects']) == 3
    for o in photo(w, i)['objects'][1:]: assert act(w, i, {'op': 'set', 'key': o['key'], 'now': {'box': [5, 5, 8, int(o['origin'][-1]) + 5], 'label': 'ear'}})['saved']
    found = editing(LazyNPYDataset(data/'out'/'train_detector.npy'))
    report = process(data/'raw', data/'out', train_split=1.)
    assert not [o for o in report.problems if o.action == 'dropped']
    assert len(LazyNPYDataset(data/'out'/'train_detector.npy').get_metadata(i)['bboxes']) == 3
    with pytest.raises(ValueError, match='has no row in this dataset'): found.open_problem(problems[0]._replace(image='x.png'))


def test_marks_of_many_photos_come_to_the_same(data, monkeypatch):
    ds = opened(data)
    w, a, b, c = editing(ds), *(row_of(ds, f'{o}.png') for o in 'abc')
    act(w, a, {'op': 'ok'})
    act(w, b, {'op': 'set', 'key': photo(w, b)['objects'][0]['key'], 'now': {'label': 'head'}})
    act(w, c, {'op': 'exclude'})
    exact = Editor(RowTable(ds))
    monkeypatch.setattr('ear_lazy.looking.editing.FEW', 0)
    quick = Editor(RowTable(ds))
    assert quick.unsure and quick.words() == exact.words() == {a: 'ok', b: 'edited', c: 'excluded'} and quick.counts() == exact.counts()
    assert quick.look_further() == [] and not quick.unsure
    coco(data/'raw'/'ears'/'a.json', EARS | {'a.png': [[9, 2, 10, 12]]}) # other objects than those that were right
    process(data/'raw', data/'out', train_split=1.)
    quick = Editor(RowTable(opened(data)))
    assert quick.words()[a] == 'ok' and quick.look_further() == [a] and a not in quick.words()


def test_a_journal_that_cannot_be_written_is_told_with_what_to_do(tmp_path):
    "Nothing is called saved, and the remedy works"
    image(tmp_path/'photos/a.png')
    add = {'type': 'edit', 'id': 1, 'row': 0, 'actions': [{'op': 'add', 'now': {'box': [1, 2, 30, 20], 'label': 'ear'}}]}
    def answer(place):
        w, told = explore(tmp_path/'photos', edit=True, corrections=place), []
        w.send = lambda content, buffers=(): told.append(content)
        w._answer(add)
        return next(o for o in told if o['type'] == 'edited')
    refused = answer(tmp_path/'none/corrections.jsonl')
    assert 'saved' not in refused and refused['error'] == f'No such file or directory: {tmp_path}/none/corrections.jsonl cannot be written to: start again with another place for the journal, corrections= (--corrections)'
    assert answer(tmp_path/'corrections.jsonl')['saved']
