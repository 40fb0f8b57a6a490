"Photos that are likely bad are found, each is decoded once, and one that cannot be read is named"
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps

from ear_lazy.data_processor import DataProcessor
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset
from ear_lazy.measuring import photo_measures
from ear_lazy.measuring.labelled import labelled
from ear_lazy.measuring.photo_measures import Measures, photos_measured
from ear_lazy.measuring.photo_suspects import copies_finding, difference, likeness, photo_findings, quality_scores


def texture(seed, size=(96, 128)):
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 255, (size[0]//8, size[1]//8, 3), np.uint8)).resize(size[::-1], Image.Resampling.BICUBIC)


@pytest.fixture(scope='module')
def ds(tmp_path_factory):
    "24 photos with a box each, of which some are bad"
    folder = tmp_path_factory.mktemp('photos')
    raw = folder/'raw/detector/faces'
    raw.mkdir(parents=True)
    photos = {f'{i:02}.png': texture(i) for i in range(20)}
    photos |= {'copy.png': texture(3), 'mirror.png': ImageOps.mirror(texture(4)), 'same.png': texture(5), 'blurred.png': texture(30).filter(ImageFilter.GaussianBlur(5)),
               'dark.png': texture(31).point(lambda o: o//14), 'blank.png': Image.new('RGB', (128, 96), (90, 90, 90)), 'tiny.png': Image.fromarray(np.random.default_rng(32).integers(0, 255, (24, 24, 3), np.uint8)), 'broken.png': texture(33)}
    for name, image in photos.items(): image.save(raw/name)
    boxes = dict.fromkeys(photos, (10, 20, 30, 40)) | {'copy.png': (80, 20, 30, 40), 'mirror.png': (88, 20, 30, 40), 'tiny.png': (2, 5, 6, 10)}
    (raw/'boxes.csv').write_text('\n'.join(['image_path,x1,y1,w,h', *(f'{name},{",".join(map(str, box))}' for name, box in boxes.items()), '']))
    DataProcessor(folder/'raw', folder/'out', num_workers=0).process_all(train_split=1.)
    (raw/'broken.png').write_bytes((raw/'broken.png').read_bytes()[:300])
    return LazyNPYDataset(folder/'out/train_detector.npy')


@pytest.fixture(scope='module')
def found(ds): return {o.kind: o for o in photo_findings(labelled(ds))}


def worst(ds, finding):
    at = int(finding.score.argmax())
    return ds.get_metadata(int(finding.row[at]))['image_path'].rpartition('/')[2], finding.words(at), float(finding.score[at])


@pytest.mark.parametrize('kind, name, says', [('dark', 'dark.png', 'brightness is 8 of 255'), ('blurred', 'blurred.png', 'times weaker'), ('tiny', 'tiny.png', '24 × 24'), ('blank', 'blank.png', '0 of 255')])
def test_each_kind_is_found(ds, found, kind, name, says):
    finding = found[kind]
    keep = ['broken' not in ds.get_metadata(int(row))['image_path'] for row in finding.row]
    at = int(np.argmax(finding.score*keep))
    assert ds.get_metadata(int(finding.row[at]))['image_path'].endswith(name)
    assert finding.score[at] > .5 and says in finding.words(at) and (finding.object == -1).all()
    others = np.sort(finding.score*keep)[:-1]
    assert others.max(initial=0) < (.9 if kind == 'blank' else .5)


def test_a_photo_that_cannot_be_read_is_named(ds, found):
    broken = [i for i, row in enumerate(found['blank'].row) if 'broken' in ds.get_metadata(int(row))['image_path']]
    assert len(broken) == 1 and found['blank'].score[broken[0]] == 1 and 'cannot be read' in found['blank'].words(broken[0])
    assert not any('broken' in ds.get_metadata(int(row))['image_path'] for kind in ('dark', 'blurred', 'tiny') for row in found[kind].row)


def test_a_copy_differs_but_not_one_with_the_same_or_the_mirrored_box(ds, found):
    name, words, score = worst(ds, found['copies differ'])
    assert name in ('copy.png', '03.png') and score > .8 and 'the same file as that of row' in words
    assert found['copies differ'].score[1:].max(initial=0) < .1 and len(found['copies differ']) == 1


def test_each_photo_is_decoded_once_until_it_changes(ds, found, monkeypatch):
    decoded = []
    original = photo_measures.decode_image
    monkeypatch.setattr(photo_measures, 'decode_image', lambda image, **kwargs: decoded.append(image.path) or original(image, **kwargs))
    both = CombinedLazyDataset([ds, ds])
    again = {o.kind: o for o in photo_findings(labelled(both))}
    assert [o for o in decoded if 'broken' not in o] == []
    np.testing.assert_array_equal(again['dark'].score, found['dark'].score)
    path = ds.get_metadata(0)['image_path']
    Image.open(path).point(lambda o: o//2).save(path)
    photos_measured(ds)
    assert [o for o in decoded if 'broken' not in o] == [path]


def test_without_imagehash_the_rest_is_done(ds, monkeypatch):
    monkeypatch.setitem(sys.modules, 'imagehash', None)
    with pytest.warns(UserWarning, match='copies of photos are not looked for.*pip install imagehash'): kinds = [o.kind for o in photo_findings(labelled(ds))]
    assert kinds == ['dark', 'blurred', 'tiny', 'blank']


def test_strange_measures_are_no_crash():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        for measured in ([], [Measures(fault='gone')]*3, [Measures(0, 0, np.nan, (1, 1))], [Measures(9, 9, .1, (50, 50))]*30):
            for o in quality_scores(measured, np.zeros(len(measured), int)).values(): assert ((o >= 0) & (o <= 1)).all()


def test_how_alike_keypoints_are():
    points = np.array([[[.1, .1, 2], [.3, .1, 2], [.3, .4, 1], [0, 0, 0]]])
    assert likeness(points, points).item() == 1 and likeness(points, points + [.3, 0, 0]).item() == 0
    assert .4 < likeness(points, points + [.018, 0, 0]).item() < .6
    assert likeness(points, points[:, :2]).item() == 0 and difference(likeness(points[:0], points)) == 1 and difference(likeness(points[:0], points[:0])) == 0


def test_copies_of_keypoints():
    def keypoints(points):
        n, k = points.shape[:2]
        columns = SimpleNamespace(counts=np.full(n, k), values=points.reshape(-1, 3))
        return SimpleNamespace(kind='landmarker', row=np.arange(n), labels=np.zeros(n, int), columns=columns, extents=np.zeros((n, 4)))
    points = np.random.default_rng(0).uniform(10, 90, (3, 5, 3))
    points[..., 2] = 2
    points[1], points[2] = points[0], points[0, ::-1]
    measured = [Measures(100, 50, .1, (100, 100), b'same', 5, 6)]*3
    found = copies_finding(keypoints(points), measured, np.arange(3))
    assert found.row.tolist() == [2] and found.score[0] > .5 and 'row 0' in found.words(0)
