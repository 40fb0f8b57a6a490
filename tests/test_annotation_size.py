"Annotation files larger than a user allows are told of and not read, whatever their format; those beside them are"
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from making import boxes, coco_dict, contents, image, outcome, process, rows, run, text
from tally import tally

from ear_lazy.base.geometry import EAR_CONTOURS
from ear_lazy.data_processor import Source
from ear_lazy.errors import ProblemError, RawDataError


def voc(name): return f'<annotation><filename>{name}</filename><object><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>'


def ear(name):
    shapes = [dict(label=str(i), points=[[i, j] for j in range(n)]) for i, n in enumerate(EAR_CONTOURS)]
    return json.dumps(dict(imagePath=name, shapes=shapes))


@pytest.fixture
def raw(tmp_path):
    "A small annotation file, and room for larger ones"
    for n in 'abc': image(tmp_path/f'raw/ears/{n}.png', seed=ord(n))
    text(tmp_path/'raw/ears/small.csv', 'image_path,x1,y1,w,h\na.png,1,2,10,10\n')
    return tmp_path/'raw'


SMALL = [('ears/a.png', [1, 2, 10, 10])]
LARGE = {
    'CSV': ('b.csv', 'image_path,x1,y1,w,h\n' + 'a.png,1,2,3,4\n' * 300), 'COCO': ('a.json', json.dumps(coco_dict({'a.png': [[1, 2, 3, 4]] * 60}))),
    'VOC': ('b.xml', voc('b.png') + ' ' * 4000), 'LabelMe': ('a.json', ear('a.png')), 'JSON that no reader knows': ('c.json', json.dumps([1] * 2000))}


@pytest.mark.parametrize('what', LARGE)
def test_a_file_larger_than_is_allowed(raw, what):
    "The report has its size and what to do; a run that allows more reads it"
    name, content = LARGE[what]
    size, out = text(raw/'ears'/name, content).stat().st_size, raw.parent/'out'
    report = outcome(raw, max_annotation_bytes=size - 1)
    tally('hostile', 'annotation files larger than is allowed', tried=1, let_in=boxes(out) != SMALL)
    assert boxes(out) == SMALL and not rows(out, 'landmarker')
    said, = report.problems
    assert (said.source, said.file, said.action) == ('ears', f'ears/{name}', 'dropped')
    assert f'{size:,} bytes, max_annotation_bytes is {size - 1:,}: raise it to have the file read' in said.detail
    assert outcome(raw, max_annotation_bytes=size - 1).unchanged == ['ears']
    report = outcome(raw, max_annotation_bytes=size)
    assert not report.unchanged and b'max_annotation_bytes' not in report.problems.to_csv()
    assert (len(boxes(out)) + len(rows(out, 'landmarker')) > 1) == (what != 'JSON that no reader knows')


def test_one_of_many_files(raw):
    "… that are read in one go"
    for n in 'abcd': text(raw/f'voc/{n}.xml', voc(f'{n}.png') + ' ' * 9000 * (n in 'bd')), image(raw/f'voc/{n}.png', seed=ord(n) + 9)
    for n in 'ef': text(raw/f'yolo/{n}.txt', '0 0.5 0.5 0.1 0.1\n' * 900), image(raw/f'yolo/{n}.png', seed=ord(n) + 9)
    report = outcome(raw, max_annotation_bytes=5000)
    assert [(p.file, p.reason) for p in report.problems] == [(o, 'bad_file') for o in ('voc/b.xml', 'voc/d.xml', 'yolo/e.txt', 'yolo/f.txt')]
    assert [path for path, _ in boxes(raw.parent/'out')] == ['ears/a.png', 'voc/a.png', 'voc/c.png']
    assert outcome(raw, max_annotation_bytes=5000).unchanged == ['ears', 'voc', 'yolo']
    text(raw/'voc/d.xml', voc('d.png'))
    assert outcome(raw, max_annotation_bytes=5000).unchanged == ['ears', 'yolo'] and len(boxes(raw.parent/'out')) == 4


def test_an_archive_counts_as_it_is_unpacked(raw):
    with zipfile.ZipFile(raw/'ears/AudioEar2D.zip', 'w', zipfile.ZIP_DEFLATED) as archive: archive.writestr('b.json', ear('b.png') + ' ' * 50_000)
    assert (raw/'ears/AudioEar2D.zip').stat().st_size < 10_000
    report = outcome(raw, max_annotation_bytes=50_000)
    said, = report.problems
    assert said.file == 'ears/AudioEar2D.zip' and 'more than 50000: unpack it, or raise max_annotation_bytes' in said.detail and boxes(raw.parent/'out') == SMALL
    assert not outcome(raw, max_annotation_bytes=60_000).problems.to_csv().count(b'AudioEar2D') and rows(raw.parent/'out', 'landmarker')


def test_nothing_else_to_read(raw, tmp_path):
    with pytest.raises(RawDataError, match='no annotation files below.*small.csv.*max_annotation_bytes is 9'): process(raw, tmp_path/'out', max_annotation_bytes=9)
    text(raw/'other/b.csv', 'image_path\n'), text(raw/'other/a.json', json.dumps(coco_dict({})))
    with pytest.raises(ProblemError, match='max_annotation_bytes'): process(raw, tmp_path/'out', max_annotation_bytes=70, strict=True)
    said = process(raw, tmp_path/'out', max_annotation_bytes=70, sources=[Source('other', format='coco')])
    assert [p.file for p in said.problems if 'max_annotation_bytes' in p.detail] == ['other/a.json'], 'what the user names is there, though it is not read'
    with pytest.raises(ValueError, match='max_annotation_bytes is 1 or more'): process(raw, tmp_path/'out', max_annotation_bytes=0)


@pytest.mark.parametrize('shared_storage', [False, True])
def test_executors_keep_to_it(raw, tmp_path, shared_storage):
    for name, content in LARGE.values(): text(raw/f'many/{name}', content)
    with zipfile.ZipFile(raw/'many/AudioEar2D.zip', 'w', zipfile.ZIP_DEFLATED) as archive: archive.writestr('b.json', ear('b.png') + ' ' * 50_000)
    said = dict(sources=[Source('many', kind='teacher')], max_annotation_bytes=300)
    here = process(raw, tmp_path/'out', **said)
    with ThreadPoolExecutor(2) as executor: process(raw, tmp_path/'there', executor=executor, num_workers=2, shared_storage=shared_storage, **said)
    assert sum('max_annotation_bytes' in p.detail for p in here.problems) == 5 and contents(tmp_path/'there') == contents(tmp_path/'out')


def test_the_command(raw):
    text(raw/'ears/b.csv', LARGE['CSV'][1])
    done = run(raw, '--max-annotation-bytes', 1000)
    assert done.returncode == 0 and '1 × annotation file cannot be read' in done.stdout and boxes(raw.parent/'out') == SMALL
    assert b'max_annotation_bytes is 1,000' in (raw.parent/'out/problems.csv').read_bytes()
    assert '(8000000000)' in run(raw, '--help').stdout
