"What is written out of a dataset is what is in it: read back, the rows are the same"
import ast
import csv
import json
import os
import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import coco, coco_dict, contents, image, process, text, without_sizes
from tiers import tries

from ear_lazy import export
from ear_lazy.errors import ImageLoadError, OutputError
from ear_lazy.export import to_coco, to_csv, to_yolo
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset

SIZES = (40, 60), (333, 500), (2000, 3000)
NAMES = [f'photos/{folder}/{n}.png' for folder in ('a', 'b c', 'ü/images') for n in (1, 2)]
LABELS = '', 'ear', 'left ear', "it's, \"quoted\"", '耳'
CLOSE = 1e-3 # pixels


def raw_folder(folder, made):
    "Images of the given sizes and one COCO file of (name, size, annotations)"
    for name, size, _ in made: image(folder/name, size, bits=1) if size[0] < 1000 else blank(folder/name, size)
    file = coco_dict({name: annotations for name, _, annotations in made})
    file['categories'] = [dict(id=i, name=name) for i, name in enumerate(LABELS)]
    for entry, (_, size, _) in zip(file['images'], made): entry |= dict(height=size[0], width=size[1])
    text(folder/'all.json', json.dumps(file))


def blank(path, size):
    from PIL import Image
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('1', size[::-1]).save(path)


def dataset(raw, out, kind):
    "All rows of a kind, or None"
    process(raw, out, (kind,), train_split=1)
    return LazyNPYDataset(out/f'train_{kind}.npy') if (out/f'train_{kind}.npy').exists() else None


def content(ds):
    "(path inside the root, values, class names) of each row, by path"
    m = ds.metadata
    rows = [(m.image_path(i), m.values(i), [m.names('label_names')[o] for o in np.atleast_1d(m.labels(i))]) for i in range(len(m))]
    return sorted(rows, key=lambda o: o[0])


def assert_same(found, expected, prefix=''):
    assert [o[0] for o in found] == [prefix + o[0] for o in expected]
    for (path, values, labels), (_, wanted, names) in zip(found, expected):
        assert values.shape == wanted.shape and labels == names, path
        assert not values.size or np.abs(values - wanted).max() < CLOSE, (path, values, wanted)


def assert_same_boxes(a, b):
    "The annotated boxes of keypoints come home; one that has none gets that of its crop"
    a, b = (np.array([m.bbox(i) for i in sorted(range(len(m)), key=m.image_path)]) for m in (a, b))
    has = np.isfinite(a).all(1)
    assert np.abs(a[has] - b[has]).max(initial=0) < CLOSE


def assert_round_trip(made, kind, write, images):
    "Make metadata, write it out with `write(ds, folder, images)`, read that back"
    with tempfile.TemporaryDirectory() as tmp:
        raw, again = Path(tmp)/'raw', Path(tmp)/'again'
        raw_folder(raw, made)
        ds = dataset(raw, Path(tmp)/'npy', kind)
        if ds is None: return
        expected = content(ds)
        if images is None:
            (raw/'all.json').unlink()
            again = Path(tmp) # above the images, since nothing is written into raw data
        prefix = write(ds, again, images)
        second = dataset(again, Path(tmp)/'npy2', kind)
        assert_same(content(second), expected, prefix if images else 'raw/')
        if kind == 'landmarker': assert_same_boxes(ds.metadata, second.metadata)


def write_coco(ds, folder, images): return to_coco(ds, folder/'ears.json', images) and 'ears_images/'


def write_csv(ds, folder, images): return to_csv(ds, folder/'ears.csv', images) and 'ears_images/'


def write_yolo(ds, folder, images): return to_yolo(ds, folder/'ears', images or 'link') and 'ears/images/train/'


@st.composite
def boxes(draw, size):
    "A box that has at least half its area inside of the image"
    (h, w), share = size, st.floats(0, 1, width=32)
    x, y = draw(share) * (w - 1), draw(share) * (h - 1)
    return [x, y, 0.5 + draw(share) * (w - x) * 1.5, 0.5 + draw(share) * (h - y) * 1.5]


@st.composite
def points(draw, size, k, inside=False):
    "Keypoints inside, around and far outside of the image, one that is labelled near it"
    (h, w), near, anywhere = size, *([st.floats(0, 1, width=32)]*2 if inside else [st.floats(-0.375, 1.375, width=32), st.floats(-9, 9, width=32)])
    seen = [draw(st.integers(0, 2)) for _ in range(k)]
    labelled = draw(st.integers(0, k - 1))
    seen[labelled] = 2
    places = [near if i == labelled or draw(st.booleans()) else anywhere for i in range(k)]
    return [float(o) for v, place in zip(seen, places) for o in (draw(place) * w, draw(place) * h, v)]


@st.composite
def photos(draw, what, counts=(1, 2, 5)):
    "(name, size, COCO annotations) of some images"
    made = []
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True)):
        size, annotations = draw(st.sampled_from(SIZES)), []
        for _ in range(draw(st.integers(0, 3))):
            # Landmarker rows have no class: two that differ in nothing else would be one when they are read back.
            if what == 'boxes': one = dict(bbox=draw(boxes(size)), category_id=draw(st.integers(0, len(LABELS) - 1)))
            else: one = dict(keypoints=draw(points(size, draw(st.sampled_from(counts)), what == 'points inside')))
            if one not in annotations: annotations.append(one)
        made.append((name, size, annotations))
    return made


IMAGES = st.sampled_from([None, 'link', 'copy'])


@settings(max_examples=tries(60))
@given(photos('boxes'), IMAGES, st.sampled_from(['detector', 'teacher']))
def test_boxes_survive_csv(made, images, kind): assert_round_trip(made, kind, write_csv, images)


def for_yolo(made):
    "Folders called `images` get another name on the way"
    return [(name.replace('/images/', '/'), *rest) for name, *rest in made]


PLACED = st.sampled_from(['link', 'copy'])


@settings(max_examples=tries(60))
@given(photos('boxes'), PLACED, st.sampled_from(['detector', 'teacher']))
def test_boxes_survive_yolo(made, images, kind): assert_round_trip(for_yolo(made), kind, write_yolo, images)


@settings(max_examples=tries(60))
@given(st.sampled_from([1, 2, 5]).flatmap(lambda k: photos('points inside', (k,))), PLACED)
def test_keypoints_survive_yolo(made, images): assert_round_trip(for_yolo(made), 'landmarker', write_yolo, images)


def small(tmp_path, kind='detector', name='raw'):
    "Three images, one of them with nothing in it"
    made = [
        ('photos/a/1.png', (40, 60), [dict(bbox=[1, 2, 10.1, 20], keypoints=[2, 3, 2, 8, 9, 1], category_id=1)]),
        ('photos/a/2.png', (40, 60), []),
        ('photos/b/1.png', (333, 500), [dict(bbox=[1, 2, 30, 40], keypoints=[5, 5, 2, 0, 0, 0], category_id=2),
                                        dict(bbox=[50, 60, 30, 40], keypoints=[50, 60, 2, 70, 75, 2], category_id=1)])]
    raw_folder(tmp_path/name, made)
    return dataset(tmp_path/name, tmp_path/f'npy_{name}', kind)


def parsed_yolo(folder, sizes):
    "Label files, by an independent reading: {image: [(class, x, y, w, h, keypoints)]} in pixels"
    found = {}
    for name, (h, w) in sizes.items():
        lines = (folder/'labels/train'/f'{name[:-4]}.txt').read_text().splitlines()
        rows = [list(map(float, line.split())) for line in lines]
        found[name] = [(int(c), (cx - bw / 2) * w, (cy - bh / 2) * h, bw * w, bh * h, np.reshape(rest, (-1, 3)) * (w, h, 1))
                       for c, cx, cy, bw, bh, *rest in rows]
    return found


SMALL = {'photos/a/1.png': (40, 60), 'photos/a/2.png': (40, 60), 'photos/b/1.png': (333, 500)}


@pytest.mark.parametrize('kind', ['detector', 'teacher'])
def test_yolo_boxes_are_what_yolo_means(tmp_path, kind):
    ds = small(tmp_path, kind)
    sizes = SMALL if kind == 'detector' else {k: v for k, v in SMALL.items() if k != 'photos/a/2.png'}
    folder = to_yolo(ds, tmp_path/'yolo', images='copy')
    found = parsed_yolo(folder, sizes)
    flat = [(name, *row[:5]) for name, lines in found.items() for row in lines]
    assert ast.literal_eval(re.search(r'names: (\[.*\])', (folder/'data.yaml').read_text(encoding='utf-8'))[1]) == ['ear', 'left ear']
    assert [o[:2] for o in flat] == [('photos/a/1.png', 0), ('photos/b/1.png', 1), ('photos/b/1.png', 0)]
    assert np.allclose([o[2:] for o in flat], [[1, 2, 10.1, 20], [1, 2, 30, 40], [50, 60, 30, 40]], atol=CLOSE)
    assert sorted(p.relative_to(folder/'images/train').as_posix() for p in (folder/'images/train').rglob('*.png')) == sorted(sizes)


def test_yolo_keypoints_are_what_yolo_means(tmp_path):
    folder = to_yolo(small(tmp_path, 'landmarker'), tmp_path/'yolo', images='link')
    assert 'kpt_shape: [2, 3]' in (folder/'data.yaml').read_text()
    found = parsed_yolo(folder, {k: v for k, v in SMALL.items() if k != 'photos/a/2.png'})
    rows = [row for lines in found.values() for row in lines]
    expected = [[[2, 3, 2], [8, 9, 1]], [[5, 5, 2], [0, 0, 0]], [[50, 60, 2], [70, 75, 2]]]
    assert np.allclose([o[5] for o in rows], expected, atol=CLOSE)
    assert np.allclose([o[1:5] for o in rows], [[1, 2, 10.1, 20], [1, 2, 30, 40], [50, 60, 30, 40]], atol=CLOSE), 'the annotated boxes'
    assert ast.literal_eval(re.search(r'names: (\[.*\])', (folder/'data.yaml').read_text(encoding='utf-8'))[1]) == ['ear', 'left ear'] and [o[0] for o in rows] == [0, 1, 0]


def test_yolo_boxes_of_keypoints_alone(tmp_path):
    raw_folder(tmp_path/'raw', [('1.png', (40, 60), [dict(keypoints=[2, 3, 2, 8, 9, 1]), dict(keypoints=[5, 5, 2, 0, 0, 0])])])
    rows = parsed_yolo(to_yolo(dataset(tmp_path/'raw', tmp_path/'npy', 'landmarker'), tmp_path/'yolo'), {'1.png': (40, 60)})['1.png']
    assert np.allclose(rows[0][1:5], [1.4, 2.4, 7.2, 7.2], atol=CLOSE), 'the box of the teacher: a tenth wider on each side'
    assert rows[1][3:5] == (0, 0), 'one labelled point spans no area'


CONTROLS = 'esc\x1b[2J', 'tab\t', 'next\x85line', 'sep\u2028x', 'nul\0x', '"q" \\ \x0b\'s', '\ufeffmark'


def test_yolo_holds_class_names_of_any_characters(tmp_path):
    "One that YAML does not take as it is would cost the names of all classes"
    names = ['ear', *CONTROLS]
    image(tmp_path/'raw/ears/photo.jpg.jpg') # and its label file is photo.jpg.txt
    coco(tmp_path/'raw/ears/a.json', {'photo.jpg.jpg': [dict(bbox=[i, 2, 9, 9], category_id=i) for i in range(len(names))]}, categories=[dict(id=i, name=o) for i, o in enumerate(names)])
    process(tmp_path/'raw', tmp_path/'out', ('detector',), 1.)
    to_yolo(LazyNPYDataset(tmp_path/'out/train_detector.npy'), tmp_path/'yolo/ears', images='copy')
    process(tmp_path/'yolo', tmp_path/'again', ('detector',), 1.)
    ds = LazyNPYDataset(tmp_path/'again/train_detector.npy', extras=('labels',))
    assert [ds.label_names[o] for o in ds[0]['labels'].tolist()] == names


def test_yolo_refuses_what_it_cannot_hold(tmp_path):
    raw_folder(tmp_path/'raw', [('photos/1.png', (40, 60), [dict(keypoints=[1, 1, 2] * k) for k in (2, 3)])])
    landmarker = dataset(tmp_path/'raw', tmp_path/'npy', 'landmarker')
    with pytest.raises(ValueError, match='these rows have 2, 3'): to_yolo(landmarker, tmp_path/'yolo')
    image(tmp_path/'two/1.png'), image(tmp_path/'two/1.jpg')
    text(tmp_path/'two/all.csv', 'image_path,x1,y1,w,h\n1.png,1,1,9,9\n1.jpg,1,1,9,9\n')
    with pytest.raises(ValueError, match='share a label file'):
        to_yolo(dataset(tmp_path/'two', tmp_path/'npy2', 'detector'), tmp_path/'yolo')
    assert not (tmp_path/'yolo').exists()


def test_csv_refuses_keypoints(tmp_path):
    with pytest.raises(ValueError, match='no place for keypoints'): to_csv(small(tmp_path, 'landmarker'), tmp_path/'out.csv')
    assert not (tmp_path/'out.csv').exists()


def test_csv_needs_no_image(tmp_path):
    ds = small(tmp_path)
    for name in SMALL: (tmp_path/'raw'/name).unlink()
    with open(to_csv(ds, tmp_path/'out.csv'), newline='', encoding='utf-8') as f: lines = list(csv.DictReader(f))
    assert [o['image_path'] for o in lines] == [f'raw/{o}' for o in ('photos/a/1.png', 'photos/a/2.png', 'photos/b/1.png', 'photos/b/1.png')]
    assert [o['x1'] for o in lines] == ['1.0', '', '1.0', '50.0'] and [o['label'] for o in lines] == ['ear', '', 'left ear', 'ear']


@pytest.mark.parametrize('kind', ['detector', 'landmarker', 'teacher'])
def test_pycocotools_loads_it(tmp_path, kind, capsys):
    coco = pytest.importorskip('pycocotools.coco')
    ds = small(tmp_path, kind)
    loaded = coco.COCO(str(to_coco(ds, tmp_path/'out.json', images='copy')))
    assert len(loaded.getAnnIds()) == 3
    assert len(loaded.getImgIds()) == (3 if kind == 'detector' else 2)
    for i in loaded.getImgIds():
        info = loaded.loadImgs(i)[0]
        assert (tmp_path/info['file_name']).exists() and (info['height'], info['width']) == SMALL[info['file_name'].removeprefix('out_images/')]
    if kind == 'landmarker':
        categories = loaded.loadCats(loaded.getCatIds())
        assert [(o['name'], len(o['keypoints'])) for o in categories] == [('ear', 2), ('left ear', 2)]
        assert [o['num_keypoints'] for o in loaded.loadAnns(loaded.getAnnIds())] == [2, 1, 2]
    else: assert [o['name'] for o in loaded.loadCats(loaded.getCatIds())] == ['ear', 'left ear']


def test_pycocotools_finds_every_box_again(tmp_path, capsys):
    "The official measure of what was written against itself is 1"
    coco, evaluation = pytest.importorskip('pycocotools.coco'), pytest.importorskip('pycocotools.cocoeval')
    truth = coco.COCO(str(to_coco(small(tmp_path), tmp_path/'out.json')))
    found = truth.loadRes([dict(o, score=1.) for o in truth.dataset['annotations']])
    measured = evaluation.COCOeval(truth, found, 'bbox')
    measured.evaluate(), measured.accumulate(), measured.summarize()
    assert measured.stats[0] == pytest.approx(1)


def test_only_the_chosen_rows_are_written(tmp_path):
    ds = small(tmp_path)
    written = json.loads(to_coco(ds[[2, 0, 2]], tmp_path/'out.json').read_text())
    assert [o['file_name'] for o in written['images']] == ['raw/photos/b/1.png', 'raw/photos/a/1.png']
    assert [o['image_id'] for o in written['annotations']] == [1, 1, 2], 'a row that is chosen twice is written once'
    assert json.loads(to_coco(ds[:0], tmp_path/'none.json').read_text())['annotations'] == []
    assert to_csv(ds[:0], tmp_path/'none.csv').read_text().count('\n') == 1
    assert (to_yolo(ds[:0], tmp_path/'none', images='copy')/'images/train').is_dir()


@pytest.mark.parametrize('images', [None, 'link', 'copy'])
def test_combined_datasets_keep_their_images_apart(tmp_path, images):
    first, second = small(tmp_path), small(tmp_path, name='other')
    image(tmp_path/'other/photos/a/1.png', (40, 60), seed=7)
    combined = CombinedLazyDataset([CombinedLazyDataset([first[1:], second]), first[:1]])
    found = json.loads(to_coco(combined, tmp_path/'out/all.json', images).read_text())
    assert [o['id'] for o in found['categories']] == [1, 2]
    paths = [tmp_path/'out'/o['file_name'] for o in found['images']]
    sources = [d['image_path'] for d in (combined.get_metadata(i) for i in range(len(combined)))]
    assert len({os.path.normpath(o) for o in paths}) == len(sources) == 6
    assert [o.read_bytes() for o in paths] == [Path(o).read_bytes() for o in sources]
    assert all(o.is_symlink() for o in paths) is (images == 'link')
    by_image = [sum(a['image_id'] == i['id'] for a in found['annotations']) for i in found['images']]
    assert by_image == [len(combined.get_metadata(i)['bboxes']) for i in range(6)]


def test_sizes_come_from_headers_where_nothing_declares_them(tmp_path):
    image(tmp_path/'raw/1.jpg', (40, 60), exif=bytes.fromhex('45786966000049492a0008000000010012010300010000000600000000000000'))
    text(tmp_path/'raw/all.csv', 'image_path,x1,y1,w,h\n1.jpg,,,,\n')
    ds = dataset(tmp_path/'raw', tmp_path/'npy', 'detector')
    assert ds.metadata.column('sizes').tolist() == [[60, 40]]
    ds = LazyNPYDataset(without_sizes(ds.metadata.path)) # as files of before hold them
    entry, = json.loads(to_coco(ds, tmp_path/'out.json').read_text())['images']
    assert (entry['height'], entry['width']) == (60, 40), 'as a person sees it'
    assert to_csv(ds, tmp_path/'out.csv').read_text().splitlines()[1] == 'raw/1.jpg,,,,,,,'
    (tmp_path/'raw/1.jpg').unlink()
    with pytest.raises(ImageLoadError, match='no such file'): to_coco(ds, tmp_path/'gone.json')
    assert not (tmp_path/'gone.json').exists()


@pytest.mark.parametrize('write', [write_coco, write_csv])
def test_a_turned_photo_keeps_its_boxes(tmp_path, write):
    image(tmp_path/'raw/1.jpg', (40, 60), exif=bytes.fromhex('45786966000049492a0008000000010012010300010000000600000000000000'))
    text(tmp_path/'raw/all.json', json.dumps(coco_dict({'1.jpg': [[1, 2, 10, 20]]}, size=(40, 60))))
    ds = dataset(tmp_path/'raw', tmp_path/'npy', 'detector')
    assert ds.metadata.column('sizes').tolist() == [[60, 40]] and ds.metadata.values(0).tolist() != [[1, 2, 10, 20]]
    write(ds, tmp_path/'again', 'copy')
    assert dataset(tmp_path/'again', tmp_path/'npy2', 'detector').metadata.values(0).tolist() == ds.metadata.values(0).tolist()


@pytest.mark.parametrize('write', [write_coco, write_csv, write_yolo])
def test_a_name_that_is_no_utf8_survives(tmp_path, write):
    name = os.fsdecode(b'\xff\xe4.png')
    try: image(tmp_path/'raw/photos/1.png').rename(tmp_path/'raw/photos'/name)
    except OSError: pytest.skip('the file system takes no such names')
    text(tmp_path/'raw/all.csv', f'image_path,x1,y1,w,h\nphotos/{name},1,2,3,4\n'.encode('utf-8', 'surrogateescape'))
    ds = dataset(tmp_path/'raw', tmp_path/'npy', 'detector')
    prefix = write(ds, tmp_path/'again', 'copy')
    assert_same(content(dataset(tmp_path/'again', tmp_path/'npy2', 'detector')), content(ds), prefix)


WRITERS = {'coco': write_coco, 'csv': write_csv, 'yolo': write_yolo}


@pytest.mark.parametrize('images', ['link', 'copy'])
@pytest.mark.parametrize('write', WRITERS.values(), ids=WRITERS)
def test_what_cannot_be_finished_leaves_nothing(tmp_path, write, images):
    ds = small(tmp_path)
    (tmp_path/'raw/photos/b/1.png').unlink()
    with pytest.raises(ImageLoadError, match='b/1.png: no such file'): write(ds, tmp_path/'out', images)
    assert contents(tmp_path/'out') == {} and list((tmp_path/'out').iterdir()) == []


@pytest.mark.parametrize('write', WRITERS.values(), ids=WRITERS)
def test_an_interruption_leaves_what_was_there(tmp_path, monkeypatch, write):
    ds = small(tmp_path)
    write(ds[:1], tmp_path/'out', None)
    before = contents(tmp_path/'out')
    def interrupted(*_, **__): raise KeyboardInterrupt
    if write is write_yolo:
        with pytest.raises(OutputError, match='not empty'): write(ds, tmp_path/'out', None)
    else:
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(export.os, 'replace', interrupted)
            write(ds, tmp_path/'out', None)
    assert contents(tmp_path/'out') == before
    if write is not write_yolo: assert write(ds, tmp_path/'out', None) and contents(tmp_path/'out') != before


@pytest.mark.parametrize('write', WRITERS.values(), ids=WRITERS)
def test_images_are_left_or_linked_or_copied(tmp_path, write):
    with pytest.raises(ValueError, match="'link' or 'copy', not 'symlink'"): write(small(tmp_path), tmp_path/'out', 'symlink')
    assert not (tmp_path/'out').exists()


def test_files_have_the_usual_permissions(tmp_path):
    ds = small(tmp_path)
    usual, folder = text(tmp_path/'usual.txt', '').stat().st_mode, (tmp_path/'raw').stat().st_mode
    assert to_coco(ds, tmp_path/'out.json', images='copy').stat().st_mode == usual
    assert (tmp_path/'out_images').stat().st_mode == to_yolo(ds, tmp_path/'yolo').stat().st_mode == folder


def test_sides_come_home_from_yolo(tmp_path):
    "… and the rows of each, classes and boxes, also those of files that were combined"
    made = [(f'photos/{i}.png', (40, 60), [dict(bbox=[1 + i, 2, 10.1, 20], category_id=i % 3)]*(i < 7)) for i in range(8)]
    raw_folder(tmp_path/'raw', made)
    whole = dataset(tmp_path/'raw', tmp_path/'npy', 'detector')
    sides = {'train': CombinedLazyDataset([whole[4:], whole[:2]]), 'val': whole[2:4]}
    to_yolo(sides, tmp_path/'again/ears')
    process(tmp_path/'again', tmp_path/'home', ('detector',), split='folder')
    for side, rows in (('train', [0, 1, 4, 5, 6, 7]), ('val', [2, 3])):
        home = LazyNPYDataset(tmp_path/f'home/{side}_detector.npy')
        assert_same(content(home), [content(whole)[i] for i in rows], f'ears/images/{side}/')


@pytest.mark.parametrize('where', ['store', 'store/new/deep', 'way/new'])
def test_nothing_is_written_where_links_of_the_raw_folder_lead_to(tmp_path, where):
    "What lies there is read as raw data, too"
    image(tmp_path/'store/photos/a.png')
    (tmp_path/'raw/ears').mkdir(parents=True)
    (tmp_path/'raw/ears/of').symlink_to(tmp_path/'store'), (tmp_path/'way').symlink_to(tmp_path/'store')
    coco(tmp_path/'raw/ears/all.json', {'of/photos/a.png': [[1, 2, 3, 4]]})
    process(tmp_path/'raw', tmp_path/'npy', ('detector',), train_split=1)
    ds, before = LazyNPYDataset(tmp_path/'npy/train_detector.npy'), contents(tmp_path/'store')
    for write in (to_coco, to_csv, to_yolo):
        with pytest.raises(OutputError, match=f'belongs to the raw data in {re.escape(os.path.realpath(tmp_path/"store"))}, which is never written to'): write(ds, tmp_path/where/'new')
    assert contents(tmp_path/'store') == before and to_coco(ds, tmp_path/'out.json')


def test_names_that_a_table_would_cut_are_told_and_the_remedy_works(tmp_path):
    image(tmp_path/'raw/ears/a.png'), image(tmp_path/'raw/ears/b.png', seed=1)
    coco(tmp_path/'raw/ears/all.json', {'a.png': [[1, 2, 3, 4]], 'b.png': [dict(bbox=[1, 2, 3, 4], category_id=2)]}, categories=[dict(id=1, name='an ear '), dict(id=2, name='hand')])
    process(tmp_path/'raw', tmp_path/'npy', ('detector',), train_split=1)
    ds = LazyNPYDataset(tmp_path/'npy/train_detector.npy')
    with pytest.warns(UserWarning, match="all.csv has 1 names that begin or end with a blank, .*use to_coco.*: 'an ear '"): to_csv(ds, tmp_path/'all.csv')
    to_csv(ds[[ds.get_metadata(i)['image_path'].endswith('b.png') for i in range(2)]], tmp_path/'b.csv')
    to_coco(ds, tmp_path/'out/ears/all.json', 'link')
    process(tmp_path/'out', tmp_path/'npy2', ('detector',), train_split=1)
    assert LazyNPYDataset(tmp_path/'npy2/train_detector.npy').label_names == ds.label_names == ['', 'an ear ', 'hand']


@pytest.mark.parametrize('images', [None, 'link', 'copy'])
def test_photos_that_were_replaced_are_told_and_the_remedy_works(tmp_path, images, recwarn):
    "Boxes of a trainer's folder are fractions of the size that the photo had"
    for i in range(3): image(tmp_path/f'raw/ears/{i}.png', (40, 60), seed=i)
    coco(tmp_path/'raw/ears/all.json', {f'{i}.png': [[1, 2, 10, 12]] for i in range(3)}, size=None)
    for n, warned in enumerate((0, 1, 0)):
        if n == 1: image(tmp_path/'raw/ears/1.png', (60, 40))
        if n != 1: process(tmp_path/'raw', tmp_path/'npy', ('detector',), train_split=1)
        ds = LazyNPYDataset(tmp_path/'npy/train_detector.npy')
        to_coco(ds, tmp_path/f'{n}.json', images), to_yolo(ds, tmp_path/f'yolo{n}', images or 'link')
        told = [str(recwarn.pop(UserWarning).message) for _ in range(len(recwarn))]
        assert len(told) == 2*warned and all('1 of 3 photos' in o and 'have another size' in o and 'ear-lazy process --all' in o and '/1.png' in o for o in told), told


def test_what_is_no_dataset_and_what_cannot_be_written_are_named(tmp_path):
    image(tmp_path/'raw/ears/a.png'), image(tmp_path/'raw/ears/a.txt/b.png', seed=1)
    coco(tmp_path/'raw/ears/all.json', {'a.png': [[1, 2, 3, 4]], 'a.txt/b.png': [[1, 2, 3, 4]]})
    process(tmp_path/'raw', tmp_path/'npy', ('detector',), train_split=1)
    ds = LazyNPYDataset(tmp_path/'npy/train_detector.npy')
    for write in (to_coco, to_csv, export.to_voc, export.to_pts, export.to_labelme):
        with pytest.raises(TypeError, match="^ds is a dataset.* not 'dict'; only to_yolo takes a dict"): write({'train': ds}, tmp_path/'new')
    for wrong in ([ds, ds], {'train': ds, 'val': None}, str(tmp_path)):
        with pytest.raises(TypeError, match='^ds is a dataset, such as LazyNPYDataset'): to_yolo(wrong, tmp_path/'new')
    with pytest.raises(OutputError, match=f'^cannot write {re.escape(str(tmp_path))}/yolo/labels/train/ears/a.txt: '): to_yolo(ds, tmp_path/'yolo')
    assert not (tmp_path/'new').exists() and not (tmp_path/'yolo').exists()
