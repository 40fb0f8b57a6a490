"Seeing before doing: the listing, what the user says of a source, and what is asked for"
import csv
import io
import gzip
import json
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from making import KINDS, assert_accounted, coco, contents, image, process, pts, rows, text

from ear_lazy.command import main
from ear_lazy.data_processor import DataProcessor
from ear_lazy.errors import RawDataError
from ear_lazy.formats.csv_header import unknown_header
from ear_lazy.formats.discover import Source
from ear_lazy.formats.shared import registry
from ear_lazy.formats.shared.registry import readers
from ear_lazy.formats.shared.tree import IMAGE_SUFFIXES


@pytest.fixture
def raw(tmp_path):
    "Ears and noses in COCO, split already, and two schemes of landmarks"
    raw = tmp_path/'raw'
    for name in ('train/a.png', 'train/b.png', 'valid/c.png'): image(raw/'ears'/name)
    categories = [dict(id=1, name='ear'), dict(id=2, name='nose')]
    coco(raw/'ears/train/t.json', {'a.png': [[1, 1, 5, 5], dict(bbox=[9, 9, 5, 5], category_id=2)], 'b.png': [[2, 2, 5, 5]]}, categories=categories)
    coco(raw/'ears/valid/t.json', {'c.png': [[3, 3, 5, 5], [1, 1, 0, 5]]}, categories=categories)
    for name, points in {'x': 3, 'y': 3, 'z': 5}.items():
        image(raw/f'faces/imgs/{name}.png')
        pts(raw/f'faces/annot/{name}.pts', [(i + 1, 2 * i + 1) for i in range(points)])
    return raw


def processor(raw, **options): return DataProcessor(raw, raw.parent/'out', num_workers=0, progress=False, **options)


def test_the_listing_tells_what_there_is(raw):
    ears, faces = processor(raw).sources()
    assert (ears.name, ears.format, ears.images, ears.boxes, ears.problems) == ('ears', 'coco', 3, 4, 1)
    assert dict(ears.classes) == {'ear': 3, 'nose': 1} and dict(ears.splits) == {'train': 2, 'valid': 1}
    assert (faces.format, faces.keypoints, dict(faces.points), faces.why) == ('pts', 3, {3: 2, 5: 1}, 'version, n_points and braces')
    assert not (raw.parent/'out').exists()


def test_the_listing_on_the_command_line_writes_nothing(raw, capsys):
    assert main(['--list', '--raw-data-dir', str(raw), '--output-dir', str(raw.parent/'out'), '--workers', '2']) == 0
    printed = capsys.readouterr().out
    assert 'ears' in printed and 'train 2, valid 1' in printed and 'Numbers of keypoints differ: 3, 5' in printed
    assert sorted(o.name for o in raw.parent.iterdir()) == ['raw']


def test_the_listing_agrees_with_the_report(raw):
    report, listed = process(raw, raw.parent/'out'), processor(raw).sources()
    for o in listed:
        kept = report.sources[o.name]
        assert (o.images, o.boxes, o.keypoints) == (kept.images, kept.boxes.kept, kept.keypoints.kept)


def test_classes_that_are_asked_for(raw):
    report = processor(raw, classes=['ear']).process_all()
    dropped, = report.problems.where(reason='other_class')
    assert (dropped.detail, dropped.boxes, dropped.action) == ('nose', 1, 'dropped')
    assert sum(len(values) for _, values in rows(raw.parent/'out', 'detector')) == 3
    assert report.sources['faces'].keypoints.kept == 3, 'keypoints have no class here'


def test_keypoints_that_are_asked_for(raw):
    report = processor(raw, keypoints=3).process_all()
    dropped, = report.problems.where(reason='other_keypoints')
    assert (dropped.detail, dropped.keypoints) == ('5 points', 1)
    assert {len(values) for _, values in rows(raw.parent/'out', 'landmarker')} == {3}


def test_what_the_user_says_goes(raw):
    "in Python, and the same in a file"
    said = processor(raw, sources=[Source('faces', format='pts', kind='landmarker', keypoint_offset=-1)])
    said.process_all()
    in_python = contents(raw.parent/'out')
    assert [values[0][:2] for path, values in rows(raw.parent/'out', 'landmarker') if path.endswith('x.png')] == [[0, 0]]
    (raw/'sources.toml').write_text('[faces]\nformat = "pts"\nkind = "landmarker"\nkeypoint_offset = -1\n')
    processor(raw).process_all()
    assert contents(raw.parent/'out') == in_python


def test_what_a_run_has_written_below_the_raw_folder_is_no_source(raw):
    process(raw, raw/'out')
    assert (raw/'out/problems.csv').exists() and sorted(process(raw, raw.parent/'elsewhere').sources) == ['ears', 'faces']


def test_a_table_with_columns_of_its_own(raw):
    "Told with its first line; read once the user says what is what, in Python as in sources.toml, and again when that changes"
    image(raw/'table/a b.png')
    text(raw/'table/t.csv', 'photo;x;left edge;top edge;across;down;what\na b.png;99;1;2;3;4;ear\n')
    problem, = processor(raw).process_all().problems.where(reason='not_recognised')
    assert 'photo;x;left edge' in problem.detail and 'columns = {' in problem.detail
    columns = {'image': 'photo', 'x': 'left edge', 'y': 'top edge', 'w': 'across', 'h': 'down', 'label': 'what'}
    report = processor(raw, sources=Source('table', columns=columns)).process_all()
    assert_accounted(report)
    assert 'table' in report.sources and [[1, 2, 3, 4]] in [np.asarray(o).tolist() for _, o in rows(raw.parent/'out', 'detector')]
    in_python = contents(raw.parent/'out')
    (raw/'sources.toml').write_text('[table.columns]\n' + ''.join(f'{k} = "{v}"\n' for k, v in columns.items()))
    assert processor(raw).process_all().unchanged == ['ears', 'faces', 'table'] and contents(raw.parent/'out') == in_python
    report = processor(raw, sources=Source('table', columns=columns | {'x': 'x'})).process_all()
    assert report.unchanged == ['ears', 'faces'] and not report.sources['table'].boxes.kept # the box lies beside the image


@pytest.mark.parametrize('declared, error, words', [
    (Source('ears', columns=['photo']), ValueError, "a dict for a table"),
    (Source('ears', format='coco', columns={'image': 'photo'}), ValueError, "a dict for a table"),
    (Source('ears', columns={'picture': 'photo'}), ValueError, "no column 'picture' is known for ears"),
    (Source('nowhere'), RawDataError, r'nothing to read in nowhere \(no such folder\); there are ears, faces'),
    (Source('ears', format='tsv'), ValueError, "no reader 'tsv' for ears: there are"),
    (Source('ears', kind='segmenter'), ValueError, "no kind 'segmenter' for ears: there are detector"),
    (Source('ears', format='pts'), RawDataError, 'nothing to read in ears')])
def test_what_the_user_declares_wrongly(raw, declared, error, words):
    with pytest.raises(error, match=words): processor(raw, sources=[declared]).process_all()


@pytest.mark.parametrize('content', ['faces = 3', '[faces]\nformat = 3', '[faces]\nfile = "x"', '[faces', '[faces]\nformat = "tsv"\n'])
def test_a_file_that_says_it_wrongly(raw, content, capsys):
    (raw/'sources.toml').write_text(content)
    assert main(['--all', '--raw-data-dir', str(raw), '--output-dir', str(raw.parent/'out')]) == 1
    assert capsys.readouterr().err.count('\n') == 1


def test_problems_as_a_table(raw):
    report = process(raw, raw.parent/'out')
    table = list(csv.DictReader(io.StringIO((raw.parent/'out/problems.csv').read_text())))
    assert [o['reason'] for o in table] == [p.reason for p in report.problems] == [o['reason'] for o in json.loads((raw.parent/'out/report.json').read_text())['problems']]
    assert report.problems.where(reason='no_area', source='ears') == report.problems.where(file='ears/valid/t.json') != []


def test_the_listing_tells_what_is_not_in_it(raw):
    image(raw/'cut_out/a.png')
    (raw/'ears/notes.json').write_text('{"a": [1,')
    (raw/'lists').mkdir()
    (raw/'lists/names.csv').write_text('a;b\n1;2\n')
    listed = processor(raw).sources()
    assert [s.name for s in listed] == ['ears', 'faces'] and len(listed.others) == 3
    for words in ('ears/notes.json: no reader knows this file: not valid JSON', 'lists/names.csv: no reader', 'cut_out: 1 image without', 'ears: 1 × box has no area'):
        assert words in str(listed) and words in listed._repr_html_()
    said = processor(raw, sources=[Source('cut_out', format='images', kind='teacher')]).sources()
    assert [s.name for s in said] == ['cut_out', 'ears', 'faces'] and len(said.others) == 2


def test_the_listing_is_text(raw):
    image(raw/'<b>cut/a.png')
    assert '<b>cut' in str(processor(raw).sources()) and '<b>cut' not in processor(raw).sources()._repr_html_()


# A format that the user says

def as_json(**content): return json.dumps(content)


SHAPE = dict(label='ear', shape_type='rectangle', points=[[1, 2], [4, 6]])
CONTOURS = [dict(label=str(i), shape_type='linestrip', points=[[i + j, j] for j in range(n)]) for i, n in enumerate((20, 15, 15, 5))]
POINT_BOXES = as_json(images=[dict(id=1, file_name='a.png', width=60, height=40)], categories=[dict(id=i, name=str(i)) for i in (1, 2, 3)],
                      annotations=[dict(id=i, image_id=1, category_id=i, bbox=[4 * i, 3 * i, 1, 1]) for i in (1, 2, 3)])
FACE = ' '.join([*(f'{i / 4} {i / 8}' for i in range(98)), '10 12 40 30', '0 0 0 0 1 0', 'a.png'])
EXAMPLES = { # reader to a file and its content; beside it is a.png
    'coco': ('x.json', as_json(images=[dict(id=1, file_name='a.png')], annotations=[dict(id=1, image_id=1, bbox=[1, 2, 3, 4])])), 'coco_points': ('x.json', POINT_BOXES),
    'csv': ('x.csv', 'image,x,y,w,h\na.png,1,2,3,4\n'), 'pts': ('a.txt', 'version: 1\nn_points: 2\n{\n1 2\n9 8\n}\n'), 'yolo': ('a.txt', '0 0.5 0.5 0.25 0.25\n'),
    'yolo_obb': ('a.txt', '10 5 30 5 30 15 10 15 ear 0\n'), 'voc': ('a.xml', '<annotation><object><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>4</xmax><ymax>6</ymax></bndbox></object></annotation>'),
    'cvat': ('x.xml', '<annotations><image name="a.png" width="60" height="40"><box label="ear" xtl="1" ytl="2" xbr="4" ybr="6"/></image></annotations>'),
    'labelme': ('a.json', as_json(version='5', shapes=[SHAPE], imagePath='a.png')), 'audioear': ('a.json', as_json(version='5', shapes=CONTOURS, imagePath='a.png')),
    'createml': ('x.json', json.dumps([dict(image='a.png', annotations=[dict(label='ear', coordinates=dict(x=9, y=9, width=4, height=4))])])),
    'vott_json': ('x.json', as_json(assets=dict(a=dict(asset=dict(name='a.png'), regions=[dict(boundingBox=dict(left=1, top=2, width=3, height=4))])))),
    'openimages': ('x.csv', 'ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax\na,xclick,/m/039xj_,1,0.25,0.5,0.1,0.6\n'), 'vggface2': ('x.csv', 'NAME_ID,X,Y,W,H\na,1,2,3,4\n'),
    'wider': ('x.txt', 'a.png\n1\n1 2 3 4 0 0 0 0 0 0\n'), 'celeba': ('x.txt', '1\nimage_id x_1 y_1 width height\na.png 1 2 3 4\n'), 'wflw': ('x.txt', FACE + '\n'),
    'via': ('x.json', as_json(a=dict(filename='a.png', regions=[dict(shape_attributes=dict(name='rect', x=1, y=2, width=3, height=4), region_attributes={})], file_attributes={}))),
    'via3': ('x.json', as_json(project=dict(pid='x', vid_list=['1']), file={'1': dict(fname='a.png')}, view={'1': dict(fid_list=['1'])}, metadata={'m': dict(vid='1', z=[], xy=[2, 1, 2, 3, 4], av={})})),
    'labelstudio': ('x.json', json.dumps([dict(data=dict(image='a.png'), annotations=[dict(result=[dict(type='rectanglelabels', value=dict(x=10, y=20, width=30, height=40))])])])),
    'dlib': ('x.xml', "<dataset><images><image file='a.png'><box left='1' top='2' width='3' height='4'/></image></images></dataset>"),
    'imagefolder': ('metadata.jsonl', as_json(file_name='a.png', objects=dict(bbox=[[1, 2, 3, 4]]))), 'tps': ('x.tps', 'LM=2\n1 2\n3 9\nIMAGE=a.png\n'),
    'gz': ('x.csv.gz', gzip.compress(b'image,x,y,w,h\na.png,1,2,3,4\n', mtime=0)),
    'wholebody': ('x.json', as_json(images=[dict(id=1, file_name='a.png')], annotations=[dict(image_id=1, bbox=[1, 2, 3, 4], face_kpts=[1, 2, .5] * 68)])),
    'lfpw': ('a.txt', '12.5 8\n30 9\n14 29\n20 11\n'), 'list': ('x.txt', 'a.png 30 20 20 15\n'), 'pixel_labels': ('a.txt', 'ear 30 20 20 15\n'), 'mot': ('gt/gt.txt', '1,1,5,6,7,8,1,-1,-1,-1\n'),
    'cell_points': ('x.csv', 'image,keypoints\na.png,"[[1, 2], [30, 4], [5, 6]]"\n'), 'point_table': ('x.csv', 'image,x1,y1,x2,y2,x3,y3\na.png,1,2,30,4,5,6\n'), 'retinaface': ('label.txt', '# a.png\n1 2 3 4\n'),
    'deeplabcut': ('CollectedData_A.csv', 'scorer,A,A\nbodyparts,snout,snout\ncoords,x,y\nlabeled-data/ears/a.png,1,2\n'), 'images': ('README.txt', 'Ears.')}


def test_every_reader_has_an_example(): assert EXAMPLES.keys() == readers().keys()


def all_rows(out): return [rows(out, kind) for kind in KINDS]


@pytest.fixture
def deaf(monkeypatch):
    "Makes a reader recognise nothing"
    def make(name): monkeypatch.setitem(registry._registered, name, readers()[name]._replace(sniff=lambda tree, folder: []))
    return make


@pytest.mark.parametrize('name', EXAMPLES)
def test_what_a_reader_does_not_recognise_is_read_when_the_user_says_so(tmp_path, name, deaf):
    raw, (file, content) = tmp_path/'raw', EXAMPLES[name]
    dataset = 'teacher/ears' if name == 'images' else 'ears'
    image(raw/dataset/('img1/1.png' if name == 'mot' else 'a.png')), text(raw/dataset/file, content)
    report = processor(raw).process_all()
    expected = all_rows(tmp_path/'out')
    assert report.sources[dataset].formats == name and any(expected)
    deaf(name)
    report = processor(raw, sources=[Source(dataset, format=name)]).process_all()
    assert_accounted(report, tmp_path/'out')
    assert report.sources[dataset].formats == name and all_rows(tmp_path/'out') == expected


@pytest.mark.parametrize('name', EXAMPLES)
def test_files_that_are_of_another_format_are_reported(tmp_path, name):
    "… whatever the user says of them; a README is none of them"
    raw = tmp_path/'raw'
    image(raw/'ears/a.png'), text(raw/'ears/README.txt', 'Ears.'), text(raw/'ears/LICENSE', 'Free.')
    coco(raw/'faces/x.json', {'b.png': [[1, 2, 3, 4]]}), image(raw/'faces/b.png')
    endings = [o for o in readers()[name].suffixes + readers()[name].per_image if o not in IMAGE_SUFFIXES]
    for ending in endings: text(raw/f'ears/a{ending}', 'Something else.\n')
    report = processor(raw, sources=[Source('ears', format=name)]).process_all()
    assert_accounted(report, tmp_path/'out')
    assert {p.file for p in report.problems if p.source == 'ears' and p.action == 'dropped'} == {f'ears/a{o}' for o in endings}


@pytest.mark.parametrize('name', [o for o in EXAMPLES if o != 'images'])
def test_no_file_that_could_be_of_the_format(tmp_path, name):
    image(tmp_path/'raw/ears/a.png'), text(tmp_path/'raw/ears/README.txt', 'Ears.')
    reader = readers()[name]
    with pytest.raises(RawDataError) as e: processor(tmp_path/'raw', sources=[Source('ears', format=name)]).process_all()
    ends = ', '.join(dict.fromkeys(reader.suffixes + reader.per_image))
    assert ends and f'nothing to read in ears as {name} (no file there ends in {ends})' in str(e.value)


def test_what_is_recognised_and_what_is_not_are_both_read(tmp_path):
    "One label is that of a format, one looks like nothing, one has the name of a list but that of an image as well"
    raw = tmp_path/'raw'
    for name in ('a', 'b', 'test'): image(raw/f'ears/{name}.png')
    for name, label in dict(a='0 0.5 0.5 0.5 0.5', b='0 300 200 10 10', test='0 0.5 0.5 0.25 0.25', classes='ear').items(): text(raw/f'ears/{name}.txt', label)
    report = processor(raw, sources=[Source('ears', format='yolo')]).process_all()
    assert [(p.file, p.reason) for p in report.problems] == [('ears/b.txt', 'malformed')] and report.sources['ears'].boxes.kept == 2


# What the listing tells of a folder, in the words of a command

def test_a_number_of_keypoints_that_no_object_has(raw):
    "… is wrong as a class is that no object has; unless no file would have taken them"
    with pytest.raises(RawDataError, match='no object has 4 keypoints; there are 3, 5'): processor(raw, keypoints=4).process_all()
    assert not (raw.parent/'out/report.json').exists()
    assert processor(raw, keypoints=4).process_detector().outputs
    with pytest.raises(RawDataError, match='no object has 1 keypoint; there are 3, 5'):
        with ThreadPoolExecutor(1) as executor: processor(raw, keypoints=1, executor=executor, shared_storage=True).process_all()


def test_the_listing_counts_what_was_not_asked_for(raw):
    faces = processor(raw, keypoints=5).sources()[1]
    assert dict(faces.reasons) == {'other_keypoints': 2}


def test_the_listing_names_the_first_problems(raw):
    text(raw/'more/a.csv', 'image_path,x1,y1,w,h\n' + ''.join(f'{i}.jpg,1,2,3,4\n' for i in range(5)))
    text(raw/'none/t.json', '{"images": [], "annotations": [], "categories": []}')
    (raw/'bad').mkdir()
    (raw/'bad/t.json').write_text('{"images": [{"id": 1, "file_name": "a.png"}], "annotations": [')
    shown = str(processor(raw).sources())
    assert 'more: 5 × image is not on disk\n    more/a.csv (line 2, 0.jpg): image is not on disk → dropped\n' in shown and '(line 4, 2.jpg)' in shown and '3.jpg' not in shown
    assert 'none/t.json: read, but it holds no annotation' in shown and 'bad/t.json' in shown


def toml_lines(sentence):
    "What a sentence says to write into sources.toml"
    return '\n'.join(re.findall(r'`([^`]+)`', sentence))


@pytest.mark.parametrize('name', ['cut_out', '.', 'a "b" \\ ä'])
def test_the_lines_for_a_folder_of_crops_are_right(tmp_path, name):
    image(tmp_path/'raw'/name/'a.png'), image(tmp_path/'raw/sound/b.png'), coco(tmp_path/'raw/sound/t.json', {'b.png': [[1, 1, 5, 5]]})
    said, = processor(tmp_path/'raw').sources().others
    assert said.startswith('the raw folder itself: 1 image ' if name == '.' else f'{name}: 1 image ')
    (tmp_path/'raw/sources.toml').write_text(toml_lines(said), encoding='utf-8')
    listed = processor(tmp_path/'raw').sources()
    assert not listed.others and {s.name: s.format for s in listed} == {name: 'images', 'sound': 'coco'}


def test_the_lines_for_files_that_no_reader_knows_are_right(raw):
    "Labels of which a third has a known shape, and a table of which nobody knows the columns"
    for i in range(3): image(raw/f'noses/{i}.png'), text(raw/f'noses/{i}.txt', 'left nose\nright nose\n0 .5 .5 .2 .2\n')
    said = next(o for o in processor(raw).sources().others if 'no reader' in o)
    assert said.startswith("noses/0.txt (and 2 more .txt files beside it): no reader knows this file: as yolo, line 1: could not convert string to float: 'left'; it is read so")
    (raw/'sources.toml').write_text('\n'.join(reversed(toml_lines(said).splitlines())))
    noses = [s for s in processor(raw).sources() if s.name == 'noses']
    assert noses[0].format == 'yolo' and noses[0].problems
    image(raw/'table/a.png'), text(raw/'table/t.csv', 'photo;left edge;top edge;w;h\na.png;1;2;3;4\n')
    said = unknown_header((raw/'table/t.csv').read_bytes()).partition(' or `columns')[0]
    for column in ('photo', 'left edge', 'top edge', 'w', 'h'): said = said.replace('"…"', f'"{column}"', 1)
    (raw/'sources.toml').write_text('[table]\n' + toml_lines(said))
    assert {s.name: s.boxes for s in processor(raw).sources()}['table'] == 1


def test_one_level_too_high(raw, capsys):
    image(raw/'detector/heads/a.png'), coco(raw/'detector/heads/t.json', {'a.png': [[1, 1, 5, 5]]})
    note = f'{raw} looks like the raw folder'
    assert note in str(DataProcessor(raw.parent, raw.parent/'out', num_workers=0, progress=False).sources())
    for _ in 'first', 'same again':
        assert main(['--all', '--raw-data-dir', str(raw.parent), '--output-dir', str(raw.parent/'out'), '--workers', '0']) == 0
        assert note in capsys.readouterr().out
    assert note not in str(processor(raw).sources())
