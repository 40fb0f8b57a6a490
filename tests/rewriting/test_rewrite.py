"From a row to the raw file and home again: `rewrite`, over the files of several formats at once"
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from ear_lazy.data_processor import DataProcessor, Source
from ear_lazy.errors import OutputError
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.rewrite import CannotRewrite, added, changed, deleted, rewrite


def photo(path, size=(80, 60), orientation=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new('RGB', size, (90, 120, 150)).save(path, exif=exif)


def coco(images, annotations, **more):
    "Text of a COCO file, indented"
    return json.dumps(dict(info={'year': 2026}, images=[dict(id=i, file_name=o, width=w, height=h) for i, (o, (w, h)) in enumerate(images.items(), 1)],
        annotations=[dict(id=7 * n, iscrowd=0, category_id=c, image_id=i, bbox=box, area=box[2] * box[3], note='kept') for n, (i, c, box) in enumerate(annotations, 1)],
        categories=[dict(id=3, name='ear'), dict(id=5, name='head')], **more), indent=2, ensure_ascii=False)


@pytest.fixture
def raw(tmp_path):
    "One dataset with COCO boxes and landmarks of the same photos"
    raw = tmp_path/'raw'
    for name in 'abc': photo(raw/f'ears/{name}.jpg')
    boxes = [(1, 3, [10, 10, 20, 30]), (2, 3, [5, 6, 30, 40]), (2, 5, [1, 1, 70, 50]), (3, 3, [8, 8, 16, 24])]
    (raw/'ears/boxes.json').write_text(coco({f'{o}.jpg': (80, 60) for o in 'abc'}, boxes), encoding='utf-8')
    (raw/'ears/a.pts').write_text('version: 1\nn_points: 3\n{\n12.0 12.0\n28.5 14.25\n20.0 38.0\n}\n')
    return raw


def opened(raw, out, kind='detector', **options):
    DataProcessor(raw, out, num_workers=0, progress=False, **options).process_all(train_split=1)
    return LazyNPYDataset(out/f'train_{kind}.npy')


def row_of(ds, name): return next(i for i in range(len(ds)) if ds.get_metadata(i)['image_path'].endswith(name))


def over(raw, corrected, to):
    "The raw folder with the corrected files in place"
    shutil.copytree(raw, to)
    for o in corrected.rglob('*'):
        if o.is_file(): shutil.copyfile(o, to/o.relative_to(corrected))
    return to


def objects(ds):
    "(photo, class, box) of a detector"
    names = ds.label_names
    return sorted((ds.metadata.image_path(i), names[c], tuple(np.round(box, 2).tolist()))
                  for i in range(len(ds)) for c, box in zip(ds.metadata.labels(i), ds.metadata.values(i)))


def differing(a, b):
    "The bytes of two texts that differ, between their common beginning and end"
    first = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    last = next((i for i, (x, y) in enumerate(zip(a[::-1], b[::-1])) if x != y), 0)
    last = min(last, min(len(a), len(b)) - first)
    return a[first:len(a) - last], b[first:len(b) - last]


def test_only_the_value_of_the_object_differs(raw, tmp_path):
    ds = opened(raw, tmp_path/'out')
    b = row_of(ds, 'b.jpg')
    j = [round(float(o[2])) for o in ds.metadata.values(b)].index(30)
    done = rewrite(raw, [changed(ds, b, j, box=[5.4, 6, 31, 40])], tmp_path/'new')
    assert done.files == ('ears/boxes.json',) and done.copied == 2
    old, new = ((o/'ears/boxes.json').read_bytes() for o in (raw, tmp_path/'new'))
    assert old.replace(b'30,\n        40\n', b'31,\n        40\n').replace(b'"area": 1200', b'"area": 1240') == new
    again = opened(over(raw, tmp_path/'new', tmp_path/'raw2'), tmp_path/'out2')
    assert set(objects(again)) ^ set(objects(ds)) == {('ears/b.jpg', 'ear', (5, 6, 30, 40)), ('ears/b.jpg', 'ear', (5, 6, 31, 40))}


def test_an_object_of_two_files_is_changed_in_both(raw, tmp_path):
    ds = opened(raw, tmp_path/'out', 'landmarker')
    i, = range(len(ds))
    assert len(ds.origin(i)) == 2
    points = ds.get_metadata(i)['keypoints'] + [[1, 2, 0]]
    done = rewrite(raw, [changed(ds, i, points=points, box=[11, 11, 20, 30], label='head')], tmp_path/'new')
    assert done.files == ('ears/a.pts', 'ears/boxes.json')
    assert (tmp_path/'new/ears/a.pts').read_text() == 'version: 1\nn_points: 3\n{\n13.0 14.0\n29.50 16.25\n21.0 40.0\n}\n'
    again = opened(over(raw, tmp_path/'new', tmp_path/'raw2'), tmp_path/'out2', 'landmarker')
    assert again.get_metadata(0)['keypoints'].tolist() == points.tolist() and again.metadata.bbox(0).tolist() == [11, 11, 20, 30]
    assert again.label_names[again.metadata.labels(0)] == 'head'


def test_what_is_deleted_goes_from_all_files(raw, tmp_path):
    ds = opened(raw, tmp_path/'out', 'landmarker')
    done = rewrite(raw, [deleted(ds, 0)], tmp_path/'new')
    assert done.gone == ('ears/a.pts',) and not (tmp_path/'new/ears/a.pts').exists()
    assert [o['id'] for o in json.loads((tmp_path/'new/ears/boxes.json').read_text())['annotations']] == [14, 21, 28]


def test_a_new_object_goes_into_the_file_of_its_photo(raw, tmp_path):
    ds = opened(raw, tmp_path/'out')
    rewrite(raw, [added(ds, row_of(ds, 'c.jpg'), box=[30, 20, 10, 10], label='head')], tmp_path/'new')
    again = opened(over(raw, tmp_path/'new', tmp_path/'raw2'), tmp_path/'out2')
    assert set(objects(again)) - set(objects(ds)) == {('ears/c.jpg', 'head', (30, 20, 10, 10))}
    with pytest.raises(CannotRewrite, match='say which one gets the new object, by file='): rewrite(raw, [added(ds, row_of(ds, 'a.jpg'), box=[1, 1, 2, 2])], tmp_path/'no')


def test_a_sideways_photo_is_changed_in_the_frame_of_its_file(tmp_path):
    raw = tmp_path/'raw'
    photo(raw/'ears/a.jpg', (80, 60), 6)
    photo(raw/'ears/b.jpg', (80, 60), 6)
    (raw/'ears/boxes.json').write_text(coco({'a.jpg': (80, 60), 'b.jpg': (60, 80)}, [(1, 3, [60, 10, 20, 30]), (2, 3, [10, 20, 20, 30])]))
    ds = opened(raw, tmp_path/'out')
    a, b = (row_of(ds, o) for o in ('a.jpg', 'b.jpg'))
    rewrite(raw, [changed(ds, a, box=[30, 50, 20, 10]), changed(ds, b, box=[11, 21, 22, 33])], tmp_path/'new')
    first, second = json.loads((tmp_path/'new/ears/boxes.json').read_text())['annotations']
    assert second['bbox'] == [11, 21, 22, 33] and first['bbox'] == [50, 10, 10, 20]
    again = opened(over(raw, tmp_path/'new', tmp_path/'raw2'), tmp_path/'out2')
    assert sorted(o[2] for o in objects(again)) == [(11, 21, 22, 33), (30, 50, 20, 10)]


def test_a_sideways_photo_with_upright_boxes_is_changed_in_their_frame(tmp_path):
    "A file that declares stored sizes, but one of whose boxes fits the upright photo only"
    raw = tmp_path/'raw'
    for name in 'ab': photo(raw/f'ears/{name}.jpg', (80, 60), 6)
    (raw/'ears/boxes.json').write_text(coco({'a.jpg': (80, 60), 'b.jpg': (80, 60)}, [(1, 3, [10, 60, 20, 15]), (2, 3, [10, 20, 20, 30])]))
    ds = opened(raw, tmp_path/'out')
    a, b = (row_of(ds, o) for o in ('a.jpg', 'b.jpg'))
    rewrite(raw, [changed(ds, a, box=[10, 62, 20, 15]), added(ds, b, box=[1, 50, 9, 29], label='ear')], tmp_path/'new')
    assert [o['bbox'] for o in json.loads((tmp_path/'new/ears/boxes.json').read_text())['annotations']] == [[10, 62, 20, 15], [10, 20, 20, 30], [1, 50, 9, 29]]
    for change in (changed(ds, a, box=[10, 20, 20, 15]), deleted(ds, a)): # then none tells any more that those of b.jpg are upright
        with pytest.raises(CannotRewrite, match='another value of an object of ears/b.jpg, which is not to change: all objects of a file together'): rewrite(raw, [change], tmp_path/'no')


def test_a_photo_is_found_by_another_spelling_of_its_name(tmp_path):
    raw = tmp_path/'raw'
    for name in ('DSC_1.JPG', 'my photo.jpg'): photo(raw/'ears'/name)
    (raw/'ears/boxes.csv').write_text('image_path,x1,y1,w,h\ndsc_1.jpg,1,2,30,40\nmy%20photo.jpg,3,4,20,30\n')
    ds = opened(raw, tmp_path/'out')
    rewrite(raw, [added(ds, row_of(ds, o), box=[5, 6, 7, 8]) for o in ('DSC_1.JPG', 'photo.jpg')], tmp_path/'new')
    assert (tmp_path/'new/ears/boxes.csv').read_text() == 'image_path,x1,y1,w,h\ndsc_1.jpg,1,2,30,40\ndsc_1.jpg,5,6,7,8\nmy%20photo.jpg,3,4,20,30\nmy%20photo.jpg,5,6,7,8\n'


def test_names_that_are_not_utf8_are_copied(tmp_path):
    raw = tmp_path/'raw'
    photo(raw/'ears/\udce9.jpg')
    (raw/'ears/boxes.csv').write_bytes(b'image_path,x1,y1,w,h,label\n\xe9.jpg,1,2,30,40,ear\n')
    ds = opened(raw, tmp_path/'out')
    rewrite(raw, [added(ds, 0, box=[5, 6, 7, 8], label='ear')], tmp_path/'new')
    assert (tmp_path/'new/ears/boxes.csv').read_bytes() == b'image_path,x1,y1,w,h,label\n\xe9.jpg,1,2,30,40,ear\n\xe9.jpg,5,6,7,8,ear\n'
    with pytest.raises(CannotRewrite, match='letters that are not ASCII'): rewrite(raw, [changed(ds, 0, label='ö')], tmp_path/'no')


def test_a_table_of_deeplabcut_may_lack_its_hdf5_file(tmp_path):
    table = tmp_path/'raw/ears/labeled-data/moth/CollectedData_M.csv'
    photo(table.with_name('a.png'))
    table.write_text('scorer,M,M\nbodyparts,tip,tip\ncoords,x,y\nlabeled-data/moth/a.png,49.4,24.0\n')
    assert rewrite(tmp_path/'raw', [], tmp_path/'new').copied == 1


def test_no_change_is_made_for_a_value_that_it_was_not_made_for(raw, tmp_path):
    ds = opened(raw, tmp_path/'out')
    change = changed(ds, row_of(ds, 'c.jpg'), box=[9, 9, 16, 24])
    file = raw/'ears/boxes.json'
    before = file.read_bytes()
    text = json.loads(before)
    text['annotations'][3]['bbox'] = [8, 8, 17, 24]
    file.write_text(json.dumps(text))
    with pytest.raises(CannotRewrite, match='has other values than the change is made for'): rewrite(raw, [change], tmp_path/'new')
    del text['annotations'][3]
    file.write_text(json.dumps(text))
    with pytest.raises(CannotRewrite, match='nothing of ears/c.jpg is at ears/boxes.json, id 28 any more'): rewrite(raw, [change], tmp_path/'new')
    file.write_bytes(before)
    with pytest.raises(CannotRewrite, match='two changes of the object'): rewrite(raw, [change, change], tmp_path/'new')
    with pytest.raises(CannotRewrite, match='1 of 2 changes cannot be made'): rewrite(raw, [change, change], tmp_path/'new')
    assert not (tmp_path/'new').exists()


def test_equal_objects_do_not_collide(tmp_path):
    raw = tmp_path/'raw'
    photo(raw/'ears/a.jpg')
    (raw/'ears/boxes.json').write_text(coco({'a.jpg': (80, 60)}, [(1, 3, [10, 10, 20, 30]), (1, 5, [10, 10, 20, 30]), (1, 3, [40, 10, 20, 30])]))
    ds = opened(raw, tmp_path/'out')
    rewrite(raw, [changed(ds, 0, 1, label='ear'), deleted(ds, 0, 0), changed(ds, 0, 2, box=[41, 10, 20, 30])], tmp_path/'new')
    found = [(o['id'], o['category_id'], o['bbox']) for o in json.loads((tmp_path/'new/ears/boxes.json').read_text())['annotations']]
    assert found == [(14, 3, [10, 10, 20, 30]), (21, 3, [41, 10, 20, 30])]


def test_what_repeats_an_object_is_changed_with_it(tmp_path):
    "Or else the repeat, which is merged with it, would be read in its place"
    raw = tmp_path/'raw'
    photo(raw/'ears/a.jpg')
    text = 'image_path,x1,y1,w,h,label\na.jpg,10,10,20,30,ear\na.jpg,40,10,20,30,ear\na.jpg,10,10,20.0,30,ear\n'
    (raw/'ears/boxes.csv').write_text(text)
    ds = opened(raw, tmp_path/'out')
    assert ds.metadata.values(0).tolist() == [[10, 10, 20, 30], [40, 10, 20, 30]]
    for change, new in ((deleted(ds, 0, 0), 'image_path,x1,y1,w,h,label\na.jpg,40,10,20,30,ear\n'), (changed(ds, 0, 0, label='head'), text.replace(',30,ear', ',30,head').replace('a.jpg,40,10,20,30,head', 'a.jpg,40,10,20,30,ear')),
                        (changed(ds, 0, 0, box=[11, 10, 20, 30]), text.replace('a.jpg,10,10,20,', 'a.jpg,11,10,20,').replace('a.jpg,10,10,20.0', 'a.jpg,11.0,10,20.0'))):
        rewrite(raw, [change], tmp_path/'new')
        assert (tmp_path/'new/ears/boxes.csv').read_text() == new
        shutil.rmtree(tmp_path/'new')
    with pytest.raises(CannotRewrite, match='an object and its repeat, which have other decimals'): rewrite(raw, [changed(ds, 0, 0, box=[10, 10, 21.4, 30])], tmp_path/'new')
    with pytest.raises(CannotRewrite, match='the same annotation is there already'): rewrite(raw, [changed(ds, 0, 0, box=[40, 10, 20, 30])], tmp_path/'new')


def test_a_box_that_repeats_one_with_points_is_changed_with_it(tmp_path):
    raw = tmp_path/'raw'
    photo(raw/'ears/a.jpg')
    text = json.loads(coco({'a.jpg': (80, 60)}, [(1, 3, [10, 10, 20, 30])] * 2))
    text['annotations'][0] |= {'keypoints': [12, 13, 2], 'num_keypoints': 1}
    text['annotations'][1] |= {'keypoints': [0, 0, 0], 'num_keypoints': 0}
    text['categories'][0] |= {'keypoints': ['tip'], 'skeleton': []}
    (raw/'ears/boxes.json').write_text(json.dumps(text))
    ds = opened(raw, tmp_path/'out', 'landmarker')
    rewrite(raw, [changed(ds, 0, box=[11, 11, 20, 30], points=[[14, 15, 2]])], tmp_path/'new')
    assert [(o['bbox'], o['keypoints']) for o in json.loads((tmp_path/'new/ears/boxes.json').read_text())['annotations']] == [([11, 11, 20, 30], [14, 15, 2]), ([11, 11, 20, 30], [0, 0, 0])]
    assert rewrite(raw, [deleted(ds, 0)], tmp_path/'none').files and not json.loads((tmp_path/'none/ears/boxes.json').read_text())['annotations']


def test_the_last_points_of_a_class_can_go(tmp_path):
    "Then the other objects of the class have no unlabelled points either, which are none"
    raw = tmp_path/'raw'
    photo(raw/'ears/a.png', (100, 100))
    def result(id, label, kind='rectanglelabels', **more): return dict(id=id, type=kind, from_name='label', to_name='image', original_width=100, original_height=100, value=dict(x=10, y=10, width=20, height=30, rotation=0, **{kind: [label]}), **more)
    results = [result('r1', 'ear'), result('k1', 'tip', 'keypointlabels', parentID='r1'), result('k2', 'lobe', 'keypointlabels', parentID='r1'), result('r2', 'ear')]
    results[3]['value'] |= {'x': 50}
    (raw/'ears/export.json').write_text(json.dumps([dict(id=1, data=dict(image='/data/upload/1/a.png'), annotations=[dict(id=1, result=results)])]))
    ds = opened(raw, tmp_path/'out', 'landmarker')
    rewrite(raw, [deleted(ds, 0)], tmp_path/'new')
    assert [o['id'] for o in json.loads((tmp_path/'new/ears/export.json').read_text())[0]['annotations'][0]['result']] == ['r2']


def test_the_raw_folder_is_never_written(raw, tmp_path):
    ds = opened(raw, tmp_path/'out')
    change = changed(ds, row_of(ds, 'c.jpg'), box=[9, 9, 16, 24])
    for folder in (raw/'new', raw/'ears/new', raw):
        with pytest.raises(OutputError): rewrite(raw, [change], folder)
    (tmp_path/'link').symlink_to(raw)
    with pytest.raises(OutputError, match='never written to'): rewrite(raw, [change], tmp_path/'link/new')
    shutil.copytree(raw/'ears', tmp_path/'elsewhere')
    (raw/'more').symlink_to(tmp_path/'elsewhere')
    with pytest.raises(OutputError, match='which is a link to .*elsewhere, which is never written to'): rewrite(raw, [change], tmp_path/'elsewhere/new')
    (raw/'more').unlink()
    (tmp_path/'there').mkdir()
    (tmp_path/'there/mine.txt').write_text('x')
    with pytest.raises(OutputError, match='there already'): rewrite(raw, [change], tmp_path/'there')
    assert [o.name for o in (tmp_path/'there').iterdir()] == ['mine.txt']


def test_a_format_without_a_writer_says_so(tmp_path):
    raw = tmp_path/'raw'
    photo(raw/'faces/a.jpg')
    (raw/'faces/wider_face_train_bbx_gt.txt').write_text('a.jpg\n1\n10 10 20 30 0 0 0 0 0 0\n')
    ds = opened(raw, tmp_path/'out')
    with pytest.raises(CannotRewrite, match=r'files of the format wider are not rewritten, only those of .*coco'): rewrite(raw, [changed(ds, 0, box=[1, 2, 3, 4])], tmp_path/'new')
    assert rewrite(raw, [], tmp_path/'new').copied == 1


def test_an_earlier_file_does_not_say_where_its_objects_are(raw, tmp_path):
    ds = opened(raw, tmp_path/'out')
    with pytest.raises(ValueError, match='nothing to change'): changed(ds, 0)
    with pytest.raises(ValueError, match='say which one'): changed(ds, row_of(ds, 'b.jpg'), box=[1, 2, 3, 4])
    for wrong in ([1, 2, 3], [1, 2, 0, 4], [1, 2, float('nan'), 4]):
        with pytest.raises(ValueError, match='a box'): changed(ds, 0, box=wrong)
    with pytest.raises(ValueError, match='visibility'): changed(ds, 0, points=[[1, 2, 3]])
    with pytest.raises(IndexError): changed(ds, 0, 9, box=[1, 2, 3, 4])


def test_what_is_refused_says_why(raw, tmp_path):
    ds = opened(raw, tmp_path/'out')
    c = row_of(ds, 'c.jpg')
    def refused(match, *changes):
        with pytest.raises(CannotRewrite, match=match): rewrite(raw, changes, tmp_path/'new')
    refused('of ears/c.jpg: box lies wholly outside the image, .*so choose other values', changed(ds, c, box=[1000, 1000, 5, 5]))
    refused('of ears/c.jpg: box has no area, .*so choose other values', added(ds, c, box=[1, 1, 1e-6, 1e-6], label='ear'))
    for wrong in ('', 'unclassed', 'ear\0', '\ud83d'):
        with pytest.raises(ValueError, match='a class'): changed(ds, c, label=wrong)
    with pytest.raises(TypeError, match='by its name'): changed(ds, c, label=3)
    change = changed(ds, c, label='head')
    with pytest.raises(TypeError, match='a list of what'): rewrite(raw, change, tmp_path/'new')
    (raw/'ears/boxes.json').write_text('{"images": [')
    refused('ears/boxes.json cannot be read, as it was when it was processed: not valid JSON', change)


def test_a_name_that_is_read_otherwise_is_refused(tmp_path):
    raw = tmp_path/'raw'
    photo(raw/'ears/a.jpg')
    (raw/'ears/boxes.csv').write_text('image_path,x1,y1,w,h,label\na.jpg,1,2,30,40,ear\n')
    ds = opened(raw, tmp_path/'out')
    with pytest.raises(CannotRewrite, match="its class is read as 'head', and not ' head': choose another name"): rewrite(raw, [changed(ds, 0, label=' head')], tmp_path/'new')


def test_sources_and_offsets_are_those_of_the_run(tmp_path):
    raw = tmp_path/'raw'
    photo(raw/'ears/a.jpg')
    (raw/'ears/a.pts').write_bytes(b'version: 1\r\nn_points: 2\r\n{\r\n13 14\r\n30 40\r\n}\r\n')
    source = Source('ears', keypoint_offset=-1)
    ds = opened(raw, tmp_path/'out', 'landmarker', sources=[source])
    assert ds.get_metadata(0)['keypoints'].tolist() == [[12, 13, 2], [29, 39, 2]]
    change = changed(ds, 0, points=[[12, 13, 2], [28, 39, 2]])
    rewrite(raw, [change], tmp_path/'new', sources=source)
    assert (tmp_path/'new/ears/a.pts').read_bytes() == b'version: 1\r\nn_points: 2\r\n{\r\n13 14\r\n29 40\r\n}\r\n'
    with pytest.raises(CannotRewrite, match='other values'): rewrite(raw, [change], tmp_path/'other')


def test_an_object_without_a_class_gets_one(tmp_path):
    raw = tmp_path/'raw'
    photo(raw/'ears/a.jpg')
    (raw/'ears/boxes.json').write_text(coco({'a.jpg': (80, 60)}, [(1, 3, [10, 10, 20, 30])]).replace('"ear"', '"unclassed"'))
    (raw/'ears/a.pts').write_text('version: 1\nn_points: 3\n{\n12.0 12.0\n28.5 14.25\n20.0 38.0\n}\n')
    ds = opened(raw, tmp_path/'out', 'landmarker')
    assert len(ds.origin(0)) == 2 and ds.label_names[ds.metadata.labels(0)] == ''
    rewrite(raw, [changed(ds, 0, label='head')], tmp_path/'new')
    assert json.loads((tmp_path/'new/ears/boxes.json').read_text())['annotations'][0]['category_id'] == 5


def test_the_values_that_are_changed_are_those_that_the_change_is_made_for(raw, tmp_path):
    ds = opened(raw, tmp_path/'out', 'landmarker')
    change = changed(ds, 0, box=[11, 11, 20, 30])
    text = json.loads((raw/'ears/boxes.json').read_text())
    text['annotations'][0]['bbox'] = [12, 10, 20, 30]
    (raw/'ears/boxes.json').write_text(json.dumps(text))
    with pytest.raises(CannotRewrite, match='have other values than the change is made for'): rewrite(raw, [change], tmp_path/'no')
    with pytest.raises(CannotRewrite, match='have other values than the change is made for'): rewrite(raw, [deleted(ds, 0)], tmp_path/'no')
    assert rewrite(raw, [changed(ds, 0, points=ds.get_metadata(0)['keypoints'] + [[1, 0, 0]])], tmp_path/'new').files == ('ears/a.pts',) # these are as they were
