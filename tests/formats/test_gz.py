"Packed annotation files: whatever reader reads them, limits, damage"
import gzip
import json

import pytest
from making import boxes, coco_dict, formats, image, outcome, problem, reasons, text

from ear_lazy.formats import gz
from ear_lazy.formats.shared.tree import Document, Tree

COCO = json.dumps(coco_dict({'a.png': [[5, 10, 15, 20]]})).encode()


def packed(path, content): return text(path, gzip.compress(content if isinstance(content, bytes) else content.encode(), mtime=0))


@pytest.mark.parametrize('name, content, reader', [
    ('x.json.gz', COCO, 'coco'), ('X.JSON.GZ', COCO, 'coco'), ('x.jgz', COCO, 'coco'), ('x.csv.gz', 'image,x,y,w,h\na.png,5,10,15,20\n', 'csv'),
    ('x.xml.gz', "<dataset><images><image file='a.png'><box left='5' top='10' width='15' height='20'/></image></images></dataset>", 'dlib'),
    ('a.xml.gz', '<annotation><object><bndbox><xmin>5</xmin><ymin>10</ymin><xmax>20</xmax><ymax>30</ymax></bndbox></object></annotation>', 'voc'),
    ('metadata.jsonl.gz', '{"file_name": "a.png", "objects": {"bbox": [[5, 10, 15, 20]], "categories": ["ear"]}}', 'imagefolder')])
def test_what_is_in_it(raw, name, content, reader):
    "Read with the images where they are; that it is unpacked each time is told"
    image(raw/'ears/images/a.png'), packed(raw/'ears/annotations'/name, content)
    found = problem(outcome(raw), 'packed')
    assert (found.file, found.detail) == (f'ears/annotations/{name}', f'read as {reader}') and formats(raw) == [('gz', (f'ears/annotations/{name}',))]
    assert boxes(raw.parent/'out') == [('ears/images/a.png', [5, 10, 15, 20])]


def test_large_files_are_read_in_chunks(raw, monkeypatch):
    monkeypatch.setattr('ear_lazy.formats.shared.chunks.CHUNK_BYTES', 1000)
    image(raw/'ears/a.png'), packed(raw/'ears/x.json.gz', json.dumps(coco_dict({'a.png': [[i % 50, i % 30, 5, 5 + i / 1000] for i in range(200)]})))
    report = outcome(raw, num_workers=2)
    assert len(boxes(raw.parent/'out')) == 200 and reasons(report) == [('packed', 'kept')]


def test_problems_name_the_packed_file(raw):
    image(raw/'ears/a.png'), packed(raw/'ears/x.json.gz', json.dumps(coco_dict({'a.png': [[5, 10, 15, 20], [1, 1, 0, 1]], 'gone.png': [[1, 2, 3, 4]]})))
    assert {p.file for p in outcome(raw).problems} == {'ears/x.json.gz'}


@pytest.mark.parametrize('name, content, why', [('x.json.gz', gzip.compress(b'{}', mtime=0), 'no reader knows what is in it'), ('x.json.gz', gzip.compress(COCO, mtime=0)[:-20], 'cannot be unpacked'), ('x.json.gz', gzip.compress(COCO[:-9], mtime=0), 'not valid JSON'),
                                                ('x.json.gz', gzip.compress(bytes(10**7), mtime=0), 'unpack to more than'), ('x.tar.gz', gzip.compress(b'x', mtime=0), 'packed: unpack it'), ('x.json.gz', b'', '0 bytes'), ('x.json.gz', COCO, 'packed: unpack it')])
def test_what_cannot_be_read_is_told(raw, monkeypatch, name, content, why):
    monkeypatch.setattr(gz, 'SMALL', 10**6)
    image(raw/'ears/a.png'), text(raw/'ears'/name, content), text(raw/'ears/x.csv', 'image,x,y,w,h\na.png,5,10,15,20\n')
    found, = (p for p in outcome(raw).problems if p.action == 'dropped')
    assert found.file == f'ears/{name}' and why in found.detail and boxes(raw.parent/'out') == [('ears/a.png', [5, 10, 15, 20])]


def test_the_limit_of_the_user_counts(raw):
    image(raw/'ears/a.png'), packed(raw/'ears/x.json.gz', b' ' * 10_000 + COCO), text(raw/'ears/x.csv', 'image,x,y,w,h\na.png,5,10,15,20\n')
    assert 'max_annotation_bytes is 5,000' in problem(outcome(raw, max_annotation_bytes=5000), 'bad_file').detail


def test_nothing_is_left_behind(raw, tmp_path, monkeypatch):
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path/'temporary'))
    (tmp_path/'temporary').mkdir()
    image(raw/'ears/a.png'), packed(raw/'ears/x.json.gz', COCO), packed(raw/'ears/y.json.gz', b'{}')
    for name in 'xy':
        try: gz.read(Tree(raw), Document('gz', (f'ears/{name}.json.gz',)))
        except gz.AnnotationError: assert name == 'y'
    assert [*(tmp_path/'temporary').iterdir()] == []
