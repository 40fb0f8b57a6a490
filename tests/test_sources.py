"Seeing before doing: the listing, what the user says of a source, and what is asked for"
import csv
import io
import json

import pytest
from making import coco, contents, image, process, pts, rows

from ear_lazy.data_processor import DataProcessor, main
from ear_lazy.errors import RawDataError
from ear_lazy.formats.discover import Source


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


@pytest.mark.parametrize('said, error, words', [
    (Source('nowhere'), RawDataError, 'nothing to read in nowhere; there are ears, faces'),
    (Source('ears', format='tsv'), ValueError, "no reader 'tsv' for ears: there are"),
    (Source('ears', kind='segmenter'), ValueError, "no kind 'segmenter' for ears: there are detector"),
    (Source('ears', format='pts'), RawDataError, 'nothing to read in ears')])
def test_what_the_user_says_wrongly(raw, said, error, words):
    with pytest.raises(error, match=words): processor(raw, sources=[said]).process_all()


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
