"What is labelled next: uncertain, unlike each other, each photo once, whatever the order of the rows"
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ear_lazy.data_processor import DataProcessor
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.synthetic import write_raw

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    at = tmp_path_factory.mktemp('next')
    write_raw(at/'raw', images=40)
    DataProcessor(at/'raw', at/'out', num_workers=0, progress=False).process_all(train_split=.8)
    for i in range(3): (at/f'raw/new{i}.png').touch()
    return at/'out'


@pytest.fixture(scope='module')
def ds(folder): return LazyNPYDataset(folder/'train_detector.npy')


@pytest.fixture(scope='module')
def vectors(ds): return np.random.default_rng(0).normal(size=(len(ds), 6))


def found(*scores): return {'boxes': np.tile([0, 0, 9, 9.], (len(scores), 1)), 'scores': [*scores]}


def photos(ds, rows): return [ds.get_metadata(int(i))['image_path'] for i in rows]


def test_the_most_uncertain_photo_comes_first(ds):
    scores = np.linspace(1, .5, len(ds))
    assert ds.next_to_label([found(.99, o) for o in scores], n=4).tolist() == [*range(len(ds) - 1, len(ds) - 5, -1)]
    assert ds.next_to_label(uncertainty=-np.arange(len(ds)) + 99, n=4).tolist() == [0, 1, 2, 3]


def test_the_order_of_rows_does_not_matter(ds, vectors):
    shuffled = np.random.default_rng(1).permutation(len(ds))
    unsure = np.random.default_rng(2).integers(3, size=len(ds))/2 # many are equal
    for options in ({'embeddings': vectors}, {'uncertainty': unsure}, {'embeddings': vectors, 'uncertainty': unsure}, {'uncertainty': 0*unsure}):
        chosen = ds.next_to_label(n=9, **options)
        again = ds[shuffled].next_to_label(n=9, **{k: o[shuffled] for k, o in options.items()})
        assert photos(ds, chosen) == photos(ds[shuffled], again)
        assert len({*chosen.tolist()}) == 9
    seeds = [ds.next_to_label(embeddings=vectors, n=9, seed=o).tolist() for o in (0, 0, 1)]
    assert seeds[0] == seeds[1] != seeds[2]


def test_unlike_each_other_and_unlike_what_is_labelled(ds):
    kinds = np.eye(4)[np.arange(len(ds)) % 4] + np.random.default_rng(0).normal(size=(len(ds), 4))*.01
    assert {*(ds.next_to_label(embeddings=kinds, n=4) % 4).tolist()} == {0, 1, 2, 3}
    assert {*(ds.next_to_label(embeddings=kinds, n=2, labelled=np.eye(4)[:2]) % 4).tolist()} == {2, 3}
    certain = np.arange(len(ds)) % 8 < 4 # of each kind there are uncertain ones
    assert not certain[ds.next_to_label(uncertainty=~certain + 0., embeddings=kinds, n=8)][:4].all()


def test_one_photo_of_a_group(folder, monkeypatch):
    for kind in ('teacher', 'landmarker'):
        rows = CombinedLazyDataset([LazyNPYDataset(folder/f'{split}_{kind}.npy') for split in ('train', 'val')])
        chosen = rows.next_to_label(embeddings=np.random.default_rng(0).normal(size=(len(rows), 3)), n=999)
        assert len({*photos(rows, chosen)}) == len(chosen) == len({*rows.column('group').tolist()}) <= len(rows)
    ds = LazyNPYDataset(folder/'train_detector.npy')
    monkeypatch.setattr(ds.metadata, 'whole', lambda name: np.arange(len(ds)) // 2) # as if each two were copies
    chosen = ds.next_to_label(uncertainty=np.ones(len(ds)), n=999)
    assert sorted((chosen // 2).tolist()) == [*range((len(ds) + 1)//2)]


def test_without_an_embedding_last(ds, vectors):
    some = vectors.copy()
    some[:3], some[3] = np.nan, 0 # broken photos have none
    assert {*ds.next_to_label(embeddings=some, n=999)[-4:].tolist()} == {*range(4)}
    assert {*ds.similar(9, some, n=999)[-4:].tolist()} == {*range(4)}
    nothing = ds.next_to_label(embeddings=np.full((len(ds), 2), np.nan), n=5)
    assert len({*nothing.tolist()}) == 5


def test_degenerate(ds, vectors):
    assert ds.next_to_label([None]*len(ds), n=0).tolist() == [] == ds[:0].next_to_label([], n=5).tolist()
    assert len(ds.next_to_label([None]*len(ds), n=5)) == 5
    assert ds[:0].next_to_label(embeddings=np.zeros((0, 3))).tolist() == []
    same = np.ones((len(ds), 3))
    assert len(ds.next_to_label(embeddings=same, n=5)) == 5 == len(ds.next_to_label(embeddings=same, labelled=same, n=5))
    assert sorted(ds.next_to_label(embeddings=vectors*1e30, n=len(ds)).tolist()) == [*range(len(ds))]


def test_photos_nobody_has_annotated(ds):
    new = ds.unlabelled()
    assert len(new) == 3
    assert new.next_to_label([None, found(.5), found(.9)], n=2).tolist() == [1, 2]
    assert len(new.next_to_label(embeddings=np.eye(3), n=9)) == 3
    pytest.importorskip('anywidget')
    from ear_lazy.explorer import explore
    predictions = [None, found(.9), found(.5)]
    rows = new.next_to_label(predictions, n=2)
    w = explore(new[rows], [predictions[i] for i in rows], edit=True).sort_by('row') # as the recipe says
    assert w.view.tolist() == [0, 1] and photos(w.ds, w.view) == photos(new, [2, 1])


@pytest.mark.parametrize('options, message', [
    ({}, 'give predictions, embeddings or uncertainty'),
    ({'predictions': [None]}, '1 predictions for 5 rows: give one for each'),
    ({'predictions': [[[0, 0, 9, 9]]]*5}, 'the predictions have no scores'),
    ({'predictions': [None]*4 + [found(2.)]}, 'the prediction for row 4 has scores from 2 to 2'),
    ({'predictions': [None]*5, 'uncertainty': [0]*5}, 'give predictions or uncertainty'),
    ({'uncertainty': [0, 1]}, r'uncertainty of the shape \(2,\) for 5 rows'),
    ({'uncertainty': [-1]*5}, '0 or more'),
    ({'uncertainty': ['a']*5}, 'an array of numbers'),
    ({'embeddings': [1.]*5}, r'embeddings of the shape \(5,\) for 5 rows'),
    ({'embeddings': [[1.], [1., 2.]]}, 'several lengths'),
    ({'embeddings': np.zeros((5, 0))}, r'the shape \(5, 0\)'),
    ({'embeddings': np.eye(5), 'labelled': np.eye(3)}, 'embeddings of 3 numbers, and those of the rows have 5'),
    ({'labelled': np.eye(3)}, 'give those of the rows too'),
    ({'uncertainty': [0]*5, 'n': -1}, 'n is 0 or more'),
])
def test_refused(ds, options, message):
    with pytest.raises(ValueError, match=message): ds[:5].next_to_label(**options)


def test_similar(ds, vectors):
    pytest.importorskip('anywidget')
    from ear_lazy.explorer import explore
    x = vectors/np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = np.argsort(-(x @ x[7]))[:6].tolist()
    assert expected[0] == 7
    assert ds.similar(7, vectors, n=6).tolist() == ds.similar(vectors[7], vectors, n=6).tolist() == ds.similar(7 - len(ds), vectors, n=6).tolist() == expected
    w = explore(ds).similar(7, vectors, n=6)
    assert w.view.tolist() == expected
    assert len(w.show_only().view) == len(ds)
    with pytest.raises(IndexError, match='row 99 of a dataset'): ds.similar(99, vectors)
    with pytest.raises(ValueError, match='zero or not finite'): ds.similar(np.zeros(6), vectors)
    with pytest.raises(ValueError, match='an embedding of 3 numbers'): w.similar(np.ones(3), vectors)
    with pytest.raises(TypeError, match='row is a whole number'): ds.similar('7', vectors)


def test_tensors(ds, vectors):
    torch = pytest.importorskip('torch')
    exact = vectors.astype(np.float32)
    assert ds.similar(3, torch.tensor(exact)).tolist() == ds.similar(3, exact).tolist()
    assert ds.next_to_label(embeddings=torch.tensor(exact, requires_grad=True), n=7).tolist() == ds.next_to_label(embeddings=exact, n=7).tolist()
    assert ds.next_to_label(uncertainty=torch.arange(len(ds)), n=3).tolist() == [*range(len(ds) - 1, len(ds) - 4, -1)]


def test_the_map_of_the_recipes_is_linked_both_ways(ds, vectors, monkeypatch):
    "With a stand-in for jupyter-scatter, whose `selection` is a trait of its widget as well as a function"
    traitlets = pytest.importorskip('anywidget') and pytest.importorskip('traitlets')

    class Widget(traitlets.HasTraits): selection = traitlets.Any(np.zeros(0, np.uint32)) # what the lasso sets

    class Scatter:
        def __init__(self, x, y): self.points, self.widget = list(zip(x, y)), Widget()
        def selection(self, rows): self.widget.selection = np.array(rows, np.uint32)
        def show(self): return self.widget

    monkeypatch.setitem(sys.modules, 'jscatter', SimpleNamespace(Scatter=Scatter))
    cells = json.loads((ROOT/'nbs/tutorials/recipes.ipynb').read_text(encoding='utf-8'))['cells']
    code, = (o.split('```python\n')[1].split('```')[0] for o in map(''.join, (c['source'] for c in cells)) if 'import jscatter' in o)
    known = {'ds': ds, 'embeddings': vectors.tolist()}
    exec(code, known)
    w, plot = known['w'], known['plot']
    assert len(plot.points) == len(ds)
    plot.selection([3, 5])
    assert w.flagged == [3, 5]
    w.flagged = [1]
    assert plot.widget.selection.tolist() == [1]
