"No content of a file stops a run with a traceback, or takes minutes"
import io
import json
import random
import time
import zipfile

import numpy as np
import pytest
from making import coco, image, process, tell
from PIL import Image
from tiers import tries

from ear_lazy.base.images import load_image
from ear_lazy.errors import ImageLoadError, RawDataError
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.looking.row_table import COLUMNS, checked_query, reports_beside
from ear_lazy.processing.report import read_report
from ear_lazy.processing.sources import read_sources_toml

BOX = {'left': 1, 'top': 2, 'width': 10, 'height': 20}
ASSET = {'asset': {'id': 'k', 'name': 'a.jpg', 'size': {'width': 60, 'height': 40}}, 'regions': [{'id': 'r', 'type': 'RECTANGLE', 'tags': ['LABEL'], 'boundingBox': BOX, 'points': []}]}
SHAPE = {'label': 'LABEL', 'points': [[1, 2], [20, 30]], 'shape_type': 'rectangle', 'group_id': None, 'flags': {}}
LABELLED = { # format: name of a file, its content
    'coco': ('a.json', {'images': [{'id': 1, 'file_name': 'a.jpg', 'width': 60, 'height': 40}], 'categories': [{'id': 1, 'name': 'LABEL'}],
                        'annotations': [{'id': 1, 'image_id': 1, 'category_id': 1, 'bbox': [1, 2, 10, 20]}]}),
    'createml': ('a.json', [{'image': 'a.jpg', 'annotations': [{'label': 'LABEL', 'coordinates': {'x': 10, 'y': 12, 'width': 8, 'height': 9}}]}]),
    'labelme': ('a.json', {'version': '5', 'flags': {}, 'shapes': [SHAPE], 'imagePath': 'a.jpg', 'imageData': None, 'imageHeight': 40, 'imageWidth': 60}),
    'vott_json': ('a.json', {'name': 'x', 'assets': {'k': ASSET}}), 'vott_json of one': ('k-asset.json', ASSET | {'version': '2'}),
    'yolo': ('data.yaml', {'nc': 1, 'names': ['LABEL']}),
}
BYTES = { # the same in formats that are not JSON: bytes that are not UTF-8
    'csv': ('a.csv', b'image,x,y,w,h,label\na.jpg,1,2,10,20,LABEL\n'), 'classes.txt': ('classes.txt', b'LABEL\n'),
    'voc': ('a.xml', b'<annotation><filename>a.jpg</filename><object><name>LABEL</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>20</xmax><ymax>30</ymax></bndbox></object></annotation>'),
    'voc by number': ('a.xml', b'<annotation><filename>a.jpg</filename><object><name>&#xd800;LABEL</name></object></annotation>'),
    'cvat': ('a.xml', b'<annotations><version>1.1</version><image id="0" name="a.jpg" width="60" height="40"><box label="LABEL" xtl="1" ytl="2" xbr="20" ybr="30"/></image></annotations>')}


def outcome(tmp_path, name, data, whole=True):
    "Process a file beside an image, and read again all that came of it"
    image(tmp_path/'raw/ears/a.jpg', (40, 60))
    image(tmp_path/'raw/good/b.jpg', (40, 60))
    coco(tmp_path/'raw/good/all.json', {'b.jpg': [[1, 2, 10, 20]]})
    (tmp_path/'raw/ears'/name).write_bytes(data)
    if name in ('data.yaml', 'classes.txt'): (tmp_path/'raw/ears/a.txt').write_text('0 .5 .5 .1 .1\n')
    report = process(tmp_path/'raw', tmp_path/'out', ('detector',), train_split=1)
    again = read_report((tmp_path/'out/report.json').read_bytes())
    assert [str(p) for p in again.problems] == [str(p) for p in report.problems]
    assert not any('please report this as a bug' in p.detail for p in report.problems), report
    ds = LazyNPYDataset(tmp_path/'out/train_detector.npy')
    assert (whole is None or len(ds) == (2 if whole else 1)) and [ds[i]['image_path'] for i in range(len(ds))]
    return report, ds


@pytest.mark.parametrize('half', (r'\ud800', r'\udfff\ud800', r'\udc80'))
@pytest.mark.parametrize('format', LABELLED)
def test_half_a_character_as_a_class(tmp_path, format, half):
    name, content = LABELLED[format]
    report, ds = outcome(tmp_path, name, json.dumps(content).replace('LABEL', half).encode())
    if half != r'\udc80' and format != 'yolo': # the byte of a file name can be written
        assert any('\ufffd' in o for o in ds.label_names) and [p.action for p in report.problems.where(reason='malformed')] == ['kept']


@pytest.mark.parametrize('format', BYTES)
def test_bytes_that_are_no_text_as_a_class(tmp_path, format):
    name, content = BYTES[format]
    outcome(tmp_path, name, content.replace(b'LABEL', b'\xed\xa0\x80\xff'), whole=not name.endswith('.xml'))


@pytest.mark.parametrize('place', ('LABEL', 'a.jpg', '"k"'))
@pytest.mark.parametrize('format', LABELLED)
def test_half_a_character_elsewhere(tmp_path, format, place):
    name, content = LABELLED[format]
    data = json.dumps(content).replace(place, '"\\ud800"' if place == '"k"' else '\\ud800').encode()
    outcome(tmp_path, name, data, whole=place != 'a.jpg' or format in ('yolo', 'labelme') or place.encode() not in json.dumps(content).encode())


D = '1' * 5000 # more digits than Python converts
EAR = [{'label': D, 'points': [[i, i + 1] for i in range(n)], 'shape_type': 'linestrip', 'group_id': None, 'flags': {}} for n in (20, 15, 15, 5)]
POINTS = [SHAPE, *({'label': o, 'points': [[5, 6]], 'shape_type': 'point', 'group_id': None, 'flags': {}} for o in (D, '2'))]
NUMBERS = { # name of a file: content with a number that is no number
    'ears.zip': None, 'a.json': json.dumps(LABELLED['labelme'][1] | {'shapes': EAR}), 'b.json': json.dumps(LABELLED['labelme'][1] | {'shapes': POINTS}),
    'c.json': json.dumps(LABELLED['coco'][1]).replace('"id": 1,', f'"id": {D},'), 'd.json': json.dumps(LABELLED['coco'][1]).replace('"id": 1,', f'"id": "{D}",'),
    'e.json': json.dumps(LABELLED['coco'][1]).replace('"width": 60', f'"width": {D}'), 'f.json': f'[{D}]', 'g.json': json.dumps(LABELLED['createml'][1]).replace('10', D),
    'a.pts': f'version: 1\nn_points: {D}\n{{\n1 2\n}}\n', 'a.txt': f'{D} .5 .5 .1 .1\n', 'list.txt': f'a.jpg\n{D}\n1 2 3 4 0 0 0 0 0 0\n', 'list2.txt': f'a.jpg 1,2,10,20,{D}\n',
    'list3.txt': f'# a.jpg\n{D} 2 10 20\n', 'list_bbox.txt': f'{D}\nimage_id x_1 y_1 width height\na.jpg 1 2 10 20\n', 'a.csv': f'image,x{D},y{D},x2,y2\na.jpg,1,2,3,4\n',
    'b.csv': f'image,x,y,w,h,label\na.jpg,{D},2,10,20,{D}\n', 'gt.txt': f'{D},1,1,2,10,20,1,1,1\n', 'data.yaml': f'names:\n  {D}: ear\n', 'classes.txt': f'{D}\n',
    'px.txt': f'{D}\n1 2 20 30 ear\n', 'a.jpg.txt': f'{D}\n1 2 20 30\n', 'retina.txt': f'# a.jpg\n1 2 10 {D}\n',
    'cvat.xml': f'<annotations><version>1.1</version><image id="{D}" name="a.jpg" width="{D}" height="40"><box label="{D}" xtl="{D}" ytl="2" xbr="20" ybr="30"/></image></annotations>',
    'cvat2.xml': f'<annotations><version>1.1</version><track id="0" label="ear"><box frame="{D}" xtl="1" ytl="2" xbr="20" ybr="30" outside="0"/></track></annotations>',
    'voc.xml': f'<annotation><filename>a.jpg</filename><size><width>{D}</width><height>40</height></size><object><name>{D}</name><bndbox><xmin>{D}</xmin><ymin>2</ymin><xmax>20</xmax><ymax>30</ymax></bndbox></object></annotation>'}


@pytest.mark.parametrize('name', NUMBERS)
def test_numbers_of_thousands_of_digits(tmp_path, name):
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as archive:
        for o in ('1' * 5000, '0' * 5000 + '1', 'x'): archive.writestr(f'{o}.json', json.dumps(LABELLED['labelme'][1] | {'shapes': EAR if o == 'x' else [o | {'label': str(i)} for i, o in enumerate(EAR)]}))
    outcome(tmp_path, name, file.getvalue() if NUMBERS[name] is None else NUMBERS[name].encode(), whole=None)


SOURCES = b'[ears]\nformat = "csv"\nkind = "detector"\nkeypoint_offset = -0.5\n[ears.columns]\nimage = "photo"\nx = "left"\n["a b"]\nformat = "yolo"\n'
PIECES = [b'\0', b'\xff', b'"', b"'''", b'[[', b']]', b'=', b'.', b'\n', b'1e999', b'nan', b'9' * 6000, b'0x' + b'f' * 6000, b'1979-05-27T07:32:00Z', b'\\ud800', b'[' * 5000,
          b'{a=' * 3000, b'a.' * 9000, b'format=["x"]', b'kind=1', b'keypoint_offset=nan', b'columns={image=[1]}', b'format=true', b'\r', b'#', b' ' * 300_000]


def test_sources_toml_of_any_content(tmp_path):
    choose, started = random.Random(1), time.monotonic()
    for _ in range(tries(500)):
        data = bytearray(SOURCES)
        for _ in range(choose.randint(1, 4)):
            at = choose.randrange(len(data))
            data[at:at + choose.randint(0, 9)] = choose.choice(PIECES + [bytes([choose.randrange(256)])] * 20)
        (tmp_path/'sources.toml').write_bytes(data)
        try: assert isinstance(read_sources_toml(tmp_path), list)
        except RawDataError as e: assert str(e).startswith(str(tmp_path/'sources.toml')) and len(str(e)) < 1000
    assert time.monotonic() - started < 60


@pytest.mark.parametrize('query', (
    5, None, [1], 'text', {1: 2}, {1: 2, 'x': 3}, {'text': 1}, {'text': '\ud800'}, {'boxes': 3}, {'boxes': None}, {'boxes': ['a', 1]}, {'boxes': 'ab'}, {'boxes': {'a': 1, 'b': 2}},
    {'boxes': [10**400, None]}, {'size': [float('nan'), 1]}, {'sort': []}, {'sort': None}, {'problem': 5}, {'problem': ['a']}, {'flagged': 'x'}, {'descending': []}), ids=str)
def test_a_query_of_wrong_types(query):
    with pytest.raises(ValueError): checked_query(query, list(COLUMNS))


def test_the_explorer_refuses_what_a_page_would_not_send(tmp_path):
    pytest.importorskip('anywidget')
    from traitlets import TraitError
    from ear_lazy.explorer import explore
    _, ds = outcome(tmp_path, *((n := LABELLED['coco'])[0], json.dumps(n[1]).encode()))
    w = explore(ds)
    for query in ({'boxes': 3}, {'boxes': ['a', 1]}, {1: 2}, {'text': 5}, 5):
        with pytest.raises(TraitError): w.query = query
        with pytest.raises(TraitError): w.set_state({'query': query})
    for content in ({'type': 'tiles', 'id': 1, 'rows': o} for o in ([], 5, ['a'], [99], [-1], [1.5], [None])): tell(w, content)
    for row in ('a', 99, None, [], True): tell(w, {'type': 'full', 'id': 1, 'row': row})
    for flags in (b'{"ear_lazy_flags": 1}', b'{"ear_lazy_flags": 1, "rows": 5}', b'{"ear_lazy_flags": 1, "rows": [{"image": 5, "annotation": []}]}', b'[' * 10**5, b'\xff'):
        (tmp_path/'flags.json').write_bytes(flags)
        with pytest.raises(ValueError, match='not a file of flags'): w.load_flags(tmp_path/'flags.json')


@pytest.mark.parametrize('change', ('later', 'other', 'list', 'deep', 'text', 'binary', 'numbers'))
def test_a_report_that_is_not_ours_or_of_a_later_version(tmp_path, change):
    pytest.importorskip('anywidget')
    from ear_lazy.explorer import explore
    from ear_lazy.stats import stats
    _, ds = outcome(tmp_path, *((n := LABELLED['coco'])[0], json.dumps(n[1]).encode()))
    path = tmp_path/'out/report.json'
    content = json.loads(path.read_bytes())
    later = content | {'version': 99, 'kinds': {'detector': 1}, 'problems': [{'what': 'of a later version'}]}
    path.write_bytes({'later': json.dumps(later).encode(), 'other': b'{}', 'list': b'[1, 2]', 'deep': b'[' * 10**5, 'text': b'report', 'binary': b'\xff\0',
                      'numbers': b'{"kinds": ' + b'9' * 5000 + b'}'}[change])
    assert reports_beside([str(tmp_path/'out/train_detector.npy')]) == []
    assert explore(ds).view.shape == (2,)
    assert str(stats(ds))


def jpeg_of_scans(path, size, n):
    file = io.BytesIO()
    Image.fromarray(np.full((*size, 3), 128, np.uint8)).save(file, 'JPEG', progressive=True)
    data = file.getvalue()
    at = data.rindex(b'\xff\xda')
    path.write_bytes(data[:at] + data[at:-2] * n + data[-2:])
    return path


@pytest.mark.parametrize('loader', ('pil', 'cv2', 'turbo'))
def test_scans_times_pixels_are_bounded(tmp_path, loader):
    "Hundreds of scans of a large picture would take a minute; those of a small one, and the ten that encoders make of any, are fine"
    assert load_image(jpeg_of_scans(tmp_path/'small.jpg', (40, 60), 500), loader).shape == (40, 60, 3)
    assert load_image(jpeg_of_scans(tmp_path/'usual.jpg', (3000, 4000), 1), loader).shape == (3000, 4000, 3)
    with pytest.raises(ImageLoadError, match='more than 83 scans of 4000×3000') as e: load_image(jpeg_of_scans(tmp_path/'large.jpg', (3000, 4000), 300), loader)
    assert e.value.fault == 'too_large'


def test_counts_and_classes_of_thousands_of_digits():
    from ear_lazy.formats.list_rows import class_name
    from ear_lazy.formats.pixel_lines import label_lines
    from ear_lazy.formats.shared.column_pairs import pairs_of
    assert label_lines(f'{D}\n1 2 3 4')[0] is None and label_lines('1\n1 2 3 4')[0] == 1
    with pytest.raises(ValueError, match='^class 1{40} is not among'): class_name({0: 'ear'}, D)
    assert list(pairs_of([f'{axis}{n}' for n in ('10', D, '2', '002') for axis in 'xy']))[0] != D
