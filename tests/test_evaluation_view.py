"The view of an evaluation without a browser: which rows each click leads to, and what the page is told"
import json

import numpy as np
import pytest
from making import asked, coco, image, process, pts, quiet, tell, write_rows

from ear_lazy.errors import MetadataError
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.measuring.evaluation_told import evaluation_told

pytest.importorskip('anywidget', reason="the view needs anywidget: pip install anywidget")

EAR, FACE, ELSEWHERE = [2, 2, 10, 10], [20, 15, 16, 20], [44, 2, 9, 9] # x, y, width, height


@pytest.fixture(scope='module')
def boxes(tmp_path_factory):
    "Twelve photos with an ear and a face"
    folder = tmp_path_factory.mktemp('boxes')
    for source, n in (('first', 8), ('second', 4)):
        names = [f'{source}_{i:02}.png' for i in range(n)]
        for i, name in enumerate(names): image(folder/'raw'/source/name, seed=len(source)*20 + i)
        coco(folder/'raw'/source/'a.json', {o: [dict(bbox=EAR), dict(bbox=FACE, category_id=2)] for o in names}, categories=[dict(id=1, name='ear'), dict(id=2, name='<b>face</b>')])
    process(folder/'raw', folder/'out', ('detector',), train_split=1.)
    return LazyNPYDataset(folder/'out'/'train_detector.npy')


def found(ds, *, without=(), spurious=(), swapped=(), unsure=()):
    "What a model found: all, but for mistakes in some rows"
    ear, face = ds.label_names.index('ear'), ds.label_names.index('<b>face</b>')
    def row(i):
        objects = [(EAR, ear, .3 if i in unsure else .9)]*(i not in without) + [(FACE, ear if i in swapped else face, .8)] + [(ELSEWHERE, ear, .7)]*(i in spurious)
        xywh, labels, scores = zip(*objects)
        corners = np.array(xywh, float)
        corners[:, 2:] += corners[:, :2]
        return dict(boxes=corners, labels=np.array(labels), scores=np.array(scores))
    return [row(i) for i in range(len(ds))]


MISTAKES = dict(without=[3], spurious=[5, 6], swapped=[7], unsure=[9])


@pytest.fixture
def view(boxes): return quiet(boxes.evaluate(found(boxes, **MISTAKES)).view())


def pick(widget, **question):
    "The rows that a click shows, and what it says"
    answer = asked(widget, type='pick', id=1, pick=json.loads(json.dumps(question)))[0]
    return widget.view.tolist(), answer.get('shown', answer).get('words')


def test_a_click_shows_exactly_its_rows(view):
    assert pick(view, confusion=['ear', 'background']) == ([3, 9], 'ear taken for background: 2 photos')
    assert sorted(pick(view, confusion=['background', 'ear'])[0]) == [5, 6]
    assert pick(view, confusion=['<b>face</b>', 'ear']) == ([7], '<b>face</b> taken for ear: 1 photo')
    assert len(pick(view, confusion=['ear', 'ear'])[0]) == 10
    assert pick(view, all=True) == (view.view.tolist(), 'all 12 photos') and len(view.view) == 12


def test_all_that_can_be_clicked_leads_to_the_rows_that_the_evaluation_names(view):
    "Each place of the page, from what the page gets, in the same order"
    e = view.evaluations[0]
    told, _ = asked(view, type='evaluation', id=1)[0], view.sent.clear()
    json.dumps(told, allow_nan=False)
    def picks(o):
        if isinstance(o, dict): return ([o['pick']] if 'pick' in o else []) + [p for value in o.values() for p in picks(value)]
        return [p for value in o for p in picks(value)] if isinstance(o, list) else []
    found = picks(told['of']) + [o[2] for o in told['of']['confusion']['most']]
    for by in told['of']['columns']: found += picks(asked(view, type='slices', id=2, by=by)[0]['of'])
    for class_, _ in told['of']['classes']: found += picks(asked(view, type='curves', id=3, **{'class': class_})[0]['curves'])
    assert len(found) > 200
    for question in found[::11]:
        rows, words = pick(view, **question)
        assert rows == e.rows(**{k: tuple(o) if isinstance(o, list) else o for k, o in question.items()}).tolist() and words.endswith(f'{len(rows)} photo' + 's'*(len(rows) != 1)), question


def test_places_of_curves_lead_to_what_their_number_counts(view):
    "Curves by score are of all scores from there on; predictions score 0.3, 0.7, 0.8 and 0.9"
    def rows(**question): return sorted(pick(view, **question)[0])
    assert rows(curve='precision', bin=0) == [5, 6, 7] and rows(curve='precision', bin=15) == [7] and rows(curve='precision', bin=19) == []
    assert rows(curve='recall', bin=0) == [3, 7] and rows(curve='recall', bin=7) == [3, 7, 9] and len(rows(curve='recall', bin=17)) == 12
    assert pick(view, curve='recall', bin=7, class_='ear') == ([3, 9], 'ear: missed by scores from 0.35: 2 photos') and view.query['threshold'] == .35
    assert rows(curve='calibration', bin=7) == [5, 6] and rows(curve='precision–recall', bin=100, class_='<b>face</b>') == []


def test_filters_of_the_explorer_do_not_hide_what_was_asked_for(view):
    view.query = {'text': 'nothing'}
    assert pick(view, confusion=['<b>face</b>', 'ear'])[0] == [7] and view.query['threshold'] == view.evaluations[0].score


def test_what_nobody_can_answer(view):
    "A page that was open before, or a stranger's: nothing changes, and no error leaves the handler"
    pick(view, confusion=['<b>face</b>', 'ear'])
    for question in (dict(confusion=['ear', 'nose']), dict(slice=['source', 'third']), dict(curve='precision', bin=999), dict(nothing=1), dict(confusion=3), dict(metric='AP', what='?')): pick(view, **question)
    for content in (dict(type='pick', id=1, pick=[1]), dict(type='pick', id=1, pick=dict(confusion=dict(a=1))), dict(type='slices', id=1, by=3), dict(type='curves', id=1), dict(type='pick')): tell(view, content)
    assert view.shown['pick'] == {'confusion': ['<b>face</b>', 'ear']} and view.view.tolist() == [7]
    assert asked(view, type='slices', id=1, by='nothing')[0]['of']['error']


def test_a_view_that_is_opened_again_shows_what_it_showed(view):
    view.show_rows(confusion=('<b>face</b>', 'ear'))
    assert asked(view, type='evaluation', id=1)[0]['shown'] == {'pick': {'confusion': ('<b>face</b>', 'ear')}, 'words': '<b>face</b> taken for ear: 1 photo'}


def test_what_is_wrong_is_drawn(boxes):
    "The explorer draws the predictions that a place of a curve is about, however unsure they are"
    view = quiet(boxes.evaluate(found(boxes, **MISTAKES)).view())
    pick(view, curve='calibration', bin=7)
    assert view.query['threshold'] == .7
    pick(view, curve='precision–recall', bin=50)
    assert view.query['threshold'] == .8


def test_words_of_any_question(view):
    "What is asked for by code is told as it was asked, an array too"
    def words(**question): return view.show_rows(**question).shown['words']
    assert words(class_='ear') == 'ear: missed, spurious or of another class at IoU 0.5: 5 photos'
    assert words(slice=('source', 'first'), what='missed') == 'source first, missed: 1 photo'
    assert words(slice=(np.arange(12) < 5, True)) == 'values of your own True: 5 photos' and json.dumps(view.shown) and words() == 'all that is wrong: 5 photos'


def test_a_file_that_cannot_say(view, monkeypatch):
    "The page gets an answer to wait no longer"
    def too_old(by): raise MetadataError('is too old to say')
    monkeypatch.setattr(view.evaluations[0], 'slices', too_old)
    assert asked(view, type='slices', id=1, by='source')[0]['of']['error'].startswith('is too old')


def test_tables_where_nothing_runs(view):
    "On GitHub there are the numbers at least"
    bundle = view._repr_mimebundle_()[0]
    assert '&lt;b&gt;face' in bundle['text/html'] and 'application/vnd.jupyter.widget-view+json' in bundle


def test_words_of_a_length(tmp_path):
    "Nobody reads a thousand lengths"
    points = np.random.default_rng(0).random((3, 5, 3))*90 + 1
    write_rows(tmp_path/'p_landmarker.npy', 'landmarker', ['a', 'b', 'c'], np.full(3, 5), dict(keypoints=points.reshape(-1, 3).astype('f4')))
    ds = LazyNPYDataset(tmp_path/'p_landmarker.npy')
    for normalise, words in ((np.arange(1, 4.), 'a length of your own'), ((0, 3), 'points 0 to 3'), (100, '100 pixels')):
        e = ds.evaluate(points[..., :2], normalise=normalise)
        told = evaluation_told([e])
        assert told['numbers'][0]['caption'] == f'by {words}' and told['curves'][1]['title'] == f'mean, by {words}' and words in e.title


def test_slices_of_ones_own(boxes):
    night = np.arange(12) < 5
    w = quiet(boxes.evaluate(found(boxes, **MISTAKES)).view(slices={'night': night}))
    table = asked(w, type='slices', id=1, by='night')[0]['of']['table']
    assert {o['cells'][0]['words']: o['cells'][1]['value'] for o in table['rows']} == {'True': 5, 'False': 7}
    assert sorted(pick(w, slice=['night', True])[0]) == [0, 1, 2, 3, 4]
    assert asked(boxes_view := quiet(boxes.evaluate(found(boxes)).view(slices={1: night})), type='slices', id=1, by='1')[0]['of'].get('table')
    with pytest.raises(ValueError, match='to slice by'): boxes_view.evaluations[0].view(slices={'night': night[:5]})


def test_two_models_beside_each_other(boxes):
    from ear_lazy.evaluation import compare
    a, b = boxes.evaluate(found(boxes, **MISTAKES)), boxes.evaluate(found(boxes, spurious=[5], without=[1]))
    w = quiet(compare(a, b, resamples=20).view())
    of = asked(w, type='evaluation', id=1)[0]['of']
    json.dumps(of, allow_nan=False)
    assert [o['words'] for o in of['gains']] == ['4 photos better', '1 photo worse'] and all('change' in o for o in of['numbers'])
    assert sorted(pick(w, better=True)[0]) == [3, 6, 7, 9] and pick(w, worse=True) == ([1], 'worse with after than with before: 1 photo')
    assert [o['look'] for o in of['curves'][0]['lines']] == ['before', 0]


def test_keypoints(tmp_path):
    for i in range(6):
        image(tmp_path/'raw'/f'{i}.png', seed=i)
        pts(tmp_path/'raw'/f'{i}.pts', [(5 + 9*j, 5 + j*j % 7) for j in range(5)])
    process(tmp_path/'raw', tmp_path/'out', ('landmarker',), train_split=1.)
    ds = LazyNPYDataset(tmp_path/'out'/'train_landmarker.npy')
    points = np.stack([ds.get_metadata(i)['keypoints'][:, :2] for i in range(6)])
    points[2, 3] += 30
    points[4] += 2
    w = quiet(ds.evaluate([*points]).view())
    of = asked(w, type='evaluation', id=1)[0]['of']
    json.dumps(of, allow_nan=False)
    assert [o['name'] for o in of['curves']] == ['Cumulative errors', 'Error by point'] and 'Points' in [o['name'] for o in of['tables']]
    stop = of['curves'][1]['stops'][3]
    rows, words = pick(w, **stop['pick'])
    assert rows[:2] == [2, 4] and words.startswith('by the error of point')
    assert pick(w, metric='NME')[0][:2] == [2, 4]


def test_nothing_predicted(boxes):
    of = asked(quiet(boxes.evaluate([None]*12).view()), type='evaluation', id=1)[0]['of']
    json.dumps(of, allow_nan=False)
    assert of['confusion']['cells'] and [o for o in of['numbers'] if o['name'] == 'AP'][0]['words'] == '0.000'
