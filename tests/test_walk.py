"Walking through suspects without a browser, and what the journal has said enough of"
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from making import asked, coco, image, process, quiet, tell

from ear_lazy.base.change import Value
from ear_lazy.corrections import Corrections
from ear_lazy.corrections import main as corrections
from ear_lazy.explorer import explore
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.measuring.silenced import silenced
from ear_lazy.rewrite import changed

pytest.importorskip('anywidget', reason="the explorer needs anywidget: pip install anywidget")
POINTS = [6, 6, 2, 10, 8, 2, 20, 20, 1]
EARS = {'a.png': [[1, 2, 10, 12], [20, 20, 9, 9]], 'b.png': [[3, 3, 9, 9]], 'c.png': [],
        'd.png': [dict(bbox=[5, 5, 20, 20], keypoints=POINTS), dict(bbox=[30, 10, 20, 20], keypoints=[o + 5 * (i % 3 < 2) for i, o in enumerate(POINTS)])]}


class Suspected(SimpleNamespace):
    "Suspects with a reason and a suggestion each"
    def reason(self, i): return f'reason {i}'
    def suggestion(self, i): return self.what[i]


def suspected(*found, **more):
    "Of (row, object, kind, suggestion) or (row, object, kind, suggestion, point), the worst first"
    row, of, kind, what = zip(*(o[:4] for o in found))
    return Suspected(row=np.array(row), object=np.array(of), point=np.array([o[4] if len(o) > 4 else -1 for o in found]), kind=np.array(kind), what=what,
                     score=np.linspace(.99, .5, len(found)), **more)


def suggestion(what, **value): return SimpleNamespace(what=what, value=Value(**value) if value else None)


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    "Four photos of 40 × 60 pixels: two boxes, one, none, two with keypoints"
    folder = tmp_path_factory.mktemp('made')
    for i, name in enumerate(EARS): image(folder/'raw'/'ears'/name, seed=i)
    image(folder/'raw'/'ears'/'new.png', seed=9)
    coco(folder/'raw'/'ears'/'a.json', EARS, categories=[dict(id=1, name='ear', keypoints=['tip', 'left', 'right']), dict(id=2, name='head')])
    process(folder/'raw', folder/'out', train_split=1.)
    return folder


@pytest.fixture
def data(made, tmp_path):
    for name in ('raw', 'out'): shutil.copytree(made/name, tmp_path/name, copy_function=shutil.copy2)
    return tmp_path


def opened(data, kind='detector'): return LazyNPYDataset(data/'out'/f'train_{kind}.npy', root_dir=data/'raw')


def row_of(ds, name): return next(i for i in range(len(ds)) if ds.get_metadata(i)['image_path'].endswith(name))


def full(w, row): return asked(w, type='full', id=0, row=row)[0]


def answered(w, **content):
    w.sent.clear()
    tell(w, {'id': 1} | content)
    return next(o for o, _ in w.sent if o['type'] == 'edited')


def act(w, row, *actions): return answered(w, type='edit', row=row, actions=[*actions])


def states(told): return [o['state'] for o in told['suspects']]


def test_the_way_and_what_becomes_of_each(data):
    ds = opened(data)
    a, b, c, d = (row_of(ds, f'{o}.png') for o in 'abcd')
    s = suspected((b, 0, 'size', suggestion('set', box=(3, 3, 12, 12))), (a, 1, 'duplicate', suggestion('delete')), (c, -1, 'missing', suggestion('add', box=(5, 5, 20, 20), label='ear')),
                  (a, 0, 'wrong class', suggestion('set', label='head')), (d, -1, 'dark', None))
    w = quiet(explore(ds, suspects=s))
    assert w.view.tolist() == [b, a, c, d] and w.query['sort'] == 'suspicion' and w.sort_columns[0] == 'suspicion' and w.editing and w.selected == [b]
    first = full(w, a)
    json.dumps(first)
    told = first['walk']
    assert (told['before'], told['of'], told['corrected'], told['right'], states(told)) == (1, 5, 0, 0, ['', ''])
    assert [(o['i'], o['key'], o['point'], o['kind'], o['reason']) for o in told['suspects']] == [(1, 'o1', None, 'duplicate', 'Reason 1.'), (3, 'o0', None, 'wrong class', 'Reason 3.')]
    assert told['suspects'][0]['suggestion'] == {'what': 'delete', 'box': None, 'points': None, 'label': None}
    assert asked(w, type='tiles', id=0, rows=[a], side=136)[0]['tiles'][0]['suspect'] == 'duplicate 0.87, 1 more'
    found = act(w, a, {'op': 'delete', 'key': 'o1'})
    assert (states(found['walk']), found['walk']['changed'], found['walk']['corrected']) == (['corrected', ''], [1], 1)
    found = act(w, a, {'op': 'ok', 'key': 'o0'})
    assert found['words'] == 'box of class ear is right' and states(found['walk']) == ['corrected', 'right'] and found['edit']['ok'], 'it is the only one that is left'
    assert states(act(w, b, {'op': 'ok', 'key': 'o0'})['walk']) == ['right']
    assert states(act(w, b, {'op': 'set', 'key': 'o0', 'now': {'box': [3, 3, 10, 9]}})['walk']) == ['corrected'], 'by hand, and by a pixel'
    assert states(act(w, c, {'op': 'add', 'now': {'box': [40, 5, 10, 10], 'label': 'ear'}})['walk']) == [''], 'something else is missing'
    assert states(act(w, c, {'op': 'add', 'now': {'box': [6, 6, 20, 20], 'label': 'ear'}})['walk']) == ['corrected']
    assert states(act(w, d, {'op': 'ok'})['walk']) == ['right']
    assert (full(w, a)['walk'] | {'suspects': 0, 'version': 0}) == {'before': 1, 'of': 5, 'corrected': 3, 'right': 2, 'suspects': 0, 'version': 0}
    assert next(o for o, _ in reversed(w.sent) if o['type'] == 'full')
    undone = [answered(w, type='undo', row=d) for _ in range(3)]
    assert [(o['row'], o['walk']['changed'], states(o['walk'])) for o in undone] == [(d, [4], ['']), (c, [2], ['']), (c, [], [''])]
    again = quiet(explore(opened(data), suspects=s))
    assert again.selected == [c], 'the first that nobody has settled'
    assert full(again, c)['walk']['corrected'] == 2 and full(again, c)['walk']['right'] == 1
    again.query = again.query | {'text': 'c.png'}
    assert (full(again, c)['walk']['of'], full(again, c)['walk']['corrected']) == (1, 0), 'of those that are shown'
    assert answered(again, type='undo')['row'] == b, 'what was done before can be undone'


def test_keypoints_of_a_photo_with_two_rows(data):
    ds = opened(data, 'landmarker')
    points = ds.get_metadata(1)['keypoints'].astype(float)
    moved = tuple(map(tuple, (points + [2, 0, 0]).tolist()))
    w = quiet(explore(ds, suspects=suspected((1, 0, 'point off', suggestion('set', points=moved), 1), (0, 0, 'points swapped', None, 0))))
    [o] = full(w, 1)['walk']['suspects']
    own = next(p for p in full(w, 1)['edit']['objects'] if p['key'] == o['key'])
    assert own['points'] == points.tolist() and (o['point'], o['suggestion']['points']) == (1, [*map(list, moved)])
    assert states(act(w, 1, {'op': 'set', 'key': o['key'], 'now': {'points': o['suggestion']['points']}})['walk']) == ['corrected']
    assert states(full(w, 0)['walk']) == [''], 'the other one of the photo'
    found = answered(w, type='undo', row=0)
    assert (found['row'], found['walk']['changed']) == (1, [0]), 'an undo leads to the row of its suspect'


def test_suspects_of_other_rows_are_refused(data):
    ds = opened(data)
    with pytest.raises(ValueError, match='the dataset has 1'): explore(ds[:1], suspects=suspected((3, 0, 'size', None)))
    with pytest.raises(ValueError, match='give the dataset that they were found in'): explore(ds, suspects=suspected((0, 0, 'size', None), ds=ds[:2]))
    none = Suspected(**{o: np.zeros(0, int) for o in ('row', 'object', 'point', 'kind', 'score')})
    w = quiet(explore(ds, suspects=none))
    assert w.view.tolist() == [] and w.selected == []
    tell(w, {'type': 'hello'})


@pytest.mark.parametrize('kind', ['detector', 'landmarker', 'teacher'])
def test_right_is_silent_until_it_is_changed(data, kind, capsys):
    ds = opened(data, kind)
    row = row_of(ds, 'd.png')
    at = dict(rows=row, objects=0)
    c = Corrections.of(ds)
    [line] = c.ok(ds, **at)
    objects, rows = silenced(ds)
    first = sum(len(ds.get_metadata(i)['bboxes']) if kind == 'detector' else 1 for i in range(row))
    assert np.flatnonzero(objects).tolist() == [first] and not rows.any()
    both = CombinedLazyDataset([ds, ds[[row]]])
    assert silenced(both)[0].sum() == 2 and silenced(ds.with_corrections())[0].sum() == 1
    [entry] = c
    assert (entry.what, entry.photo, entry.where, entry.was.box) == ('right', 'ears/d.png', 'ears/a.json, id 13', (5, 5, 20, 20))
    assert corrections(['list', '--corrections', str(c.path)]) == 0 and 'right' in capsys.readouterr().out
    w = quiet(explore(ds, edit=True))
    assert w._editor.counts() | {'photos': 0} == {'edited': 0, 'ok': 0, 'conflict': 0, 'looked_at': 0, 'photos': 0} and w._editor.words() == {}
    c.undo(line)
    assert not any(o.any() for o in silenced(ds))
    _ = c.ok(ds, **at)
    if kind == 'landmarker': c.add(changed(ds, row, 0, points=ds.get_metadata(row)['keypoints'] + [1, 0, 0]))
    else: c.add(changed(opened(data), row_of(opened(data), 'd.png'), 0, box=[5, 5, 21, 20]))
    now = ds.with_corrections()
    assert silenced(now)[0].sum() == 0, 'as it is now nobody has seen it'
    assert silenced(ds)[0].sum() == 1, 'what it was is corrected'
    _ = c.ok(now, row_of(now, 'd.png'))
    objects, rows = silenced(ds.with_corrections())
    assert objects.sum() == 2 and np.flatnonzero(rows).tolist() == [i for i in range(len(now)) if now.get_metadata(i)['image_path'].endswith('d.png')]


def test_objects_that_cannot_be_right(data):
    ds = opened(data)
    c, a = Corrections.of(ds), row_of(ds, 'a.png')
    for more, why in ((dict(rows=a, objects=2), 'no object 2'), (dict(rows=[a, a], objects=[0]), '1 objects for 2 rows'), (dict(objects=[0]), 'give rows= as well')):
        with pytest.raises(ValueError, match=why): c.ok(ds, **more)
    w = quiet(explore(ds, edit=True))
    act(w, a, {'op': 'delete', 'key': 'o1'})
    with pytest.raises(ValueError, match='is deleted'): c.ok(ds, a, objects=1)
    assert len(c.ok(ds, [a, row_of(ds, 'b.png')], objects=[0, 0])) == 2
    assert 'right already' in act(w, a, {'op': 'ok', 'key': 'o0'})['error']
    d = row_of(ds, 'd.png')
    for action in ({'op': 'ok', 'key': 'o0'}, {'op': 'ok'}, {'op': 'ok', 'off': True}): found = act(w, d, action)
    assert not found['edit']['ok'] and silenced(ds[[d]])[0].tolist() == [True, False], 'what was said of the one holds'


def test_a_photo_that_is_left_out_or_empty_is_silent(data):
    ds = opened(data)
    c = Corrections.of(ds)
    a, empty = row_of(ds, 'a.png'), row_of(ds, 'c.png')
    _ = c.exclude(ds, a), c.empty(ds, empty)
    objects, rows = silenced(ds)
    assert objects.sum() == 2 and np.flatnonzero(rows).tolist() == sorted([a, empty])


def test_many_photos_with_one_right_object_each_are_not_looked_at(data, monkeypatch):
    "Of more than a few photos the marks are as far as the lines alone say, until their files are looked at"
    monkeypatch.setattr('ear_lazy.looking.editing.FEW', 0)
    ds = opened(data)
    _ = Corrections.of(ds).ok(ds, [row_of(ds, 'a.png'), row_of(ds, 'b.png')], objects=[0, 0])
    monkeypatch.setattr('ear_lazy.looking.editing.Editor.look_further', lambda self, n=20: self.unsure.clear())
    w = quiet(explore(ds, edit=True))
    assert w._editor.words() == {row_of(ds, 'b.png'): 'ok'}, 'it has no other object'


def test_a_queue_keeps_its_order(data):
    "Photos without labels with what a model finds: nothing tells which is the worst"
    for name in ('e', 'f'): image(data/'raw'/'ears'/f'{name}.png', seed=7)
    ds = opened(data).unlabelled()
    queue = ds[[2, 0, 1]]
    w = quiet(explore(queue, [None, {'boxes': [[5, 5, 25, 25]], 'labels': [1], 'scores': [.9]}, None], edit=True))
    assert w.view.tolist() == [0, 1, 2] and w.query['sort'] == 'row'
    assert full(w, 1)['predicted']['boxes'] == [[5, 5, 20, 20]]
    assert act(w, 1, {'op': 'add', 'now': {'box': [5, 5, 20, 20], 'label': 'ear'}})['words'] == 'box of class ear added'
    act(w, 1, {'op': 'ok'})
    assert silenced(queue)[1].tolist() == [False, True, False]
