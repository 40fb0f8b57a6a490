"Every file below the raw folder is an image, read, a known companion, or named in the report: one mechanism, whatever a file is called"
import io
import json
import re
import sys

import pytest
from damaging import examples
from hypothesis import given, strategies as st
from making import coco, image, outcome, process, pts, text

from ear_lazy.command import main
from ear_lazy.data_processor import DataProcessor
from ear_lazy.errors import RawDataError
from ear_lazy.formats.discover import discover
from ear_lazy.formats.load import load
from ear_lazy.formats.shared import registry
from ear_lazy.formats.shared.registry import readers
from ear_lazy.formats.shared.tree import Tree, is_image
from ear_lazy.processing.report import read_report

COMPANIONS = {'README': 'Ears.', 'LICENSE.txt': 'Free.', 'README.roboflow.txt': 'Ears', 'paper.pdf': '%PDF', 'classes.txt': 'ear\nnose', 'obj.names': 'ear', 'train.txt': 'good/a.png\n',
              'val.lst': 'a\n', 'notes.json': '{"categories": [{"id": 0, "name": "ear"}], "info": {}}', 'label_map.pbtxt': 'item {\n name: "ear"\n id: 1\n}', 'train.py': 'x = 1', 'Thumbs.db': '\0',
              'sources.toml': '', 'hyp.yaml': 'lr: 1', 'seqinfo.ini': '[Sequence]'}
UNKNOWN = {'metadata.jsonl': '{"a": 1}\n', '_annotations.txt': 'hello\n', 'a.json.gz': b'\x1f\x8bx', 'b.cat': 'a cat', 'c.tps': 'x', 'd.dat': b'\0\1', 'e.manifest': '{}', 'f.jpg.txt': '1 2\n', 'a.txt': 'left ear\n',
           'words': 'Some', 'x.': '', 'g.mat': 'MATLAB 5.0 MAT-file', 'film.mp4': b'\0', 'other.yaml': 'a: 1', 'labels.txt': 'a.png 1 2 3 4 5', 'h.xml': '<x/>', 'old.zip': b'PK\3\4', 'i.json': '{"a": [1,'}


@pytest.fixture
def raw(tmp_path): return tmp_path/'raw'


def good(raw):
    image(raw/'good/a.png')
    coco(raw/'good/x.json', {'a.png': [[1, 2, 3, 4]]})


def named(report): return {p.file for p in report.problems}


def test_10_every_file_is_named_or_known(raw):
    "10. Every file below the raw folder is an image, read, a known companion, or named in the report: beside a set that is read, and apart from it"
    good(raw), image(raw/'alone/a.png')
    for place in ('good', 'alone', '.', 'good/deep/er'):
        for name, content in {**COMPANIONS, **UNKNOWN}.items(): text(raw/place/name, content)
    report = outcome(raw)
    assert named(report) == {f'{place}{name}' for place in ('good/', 'alone/', '', 'good/deep/er/') for name in UNKNOWN}
    assert {p.reason for p in report.problems} <= {'not_recognised', 'bad_file', 'malformed'} and [s.boxes.kept for s in report.sources.values() if s.name == 'good'] == [1]


def test_what_a_file_is(raw):
    good(raw)
    for name, content in UNKNOWN.items(): text(raw/'good'/name, content)
    told = {p.file[5:]: p.detail for p in outcome(raw).problems}
    for name, words in {'old.zip': 'packed: unpack it', 'g.mat': 'MATLAB data', 'film.mp4': 'a video: ', 'x.': '0 bytes', 'words': "it begins with 'Some'", 'd.dat': 'no text',
                        'a.txt': 'as yolo, line 1: could not convert', 'h.xml': 'as voc: ', 'i.json': 'not valid JSON: ', 'other.yaml': 'no label file uses it', 'labels.txt': 'fits its image as x y w h'}.items(): assert words in told[name], (name, told[name])


def test_a_spec_is_known_where_it_is_used(raw):
    image(raw/'ears/images/a.png'), text(raw/'ears/labels/a.txt', '0 .5 .5 .2 .2\n'), text(raw/'ears/data.yaml', 'names: [ear]\n'), text(raw/'ears/images/data.yaml', 'names: [nose]\n'), text(raw/'ears/labels/classes.txt', 'ear')
    good(raw), text(raw/'good/data.yaml', 'names: [ear]\n')
    assert named(outcome(raw)) == {'ears/images/data.yaml', 'good/data.yaml'}


NAMES = st.builds('{}{}'.format, st.text(st.characters(codec='utf-8', exclude_characters='/\0', exclude_categories=['Cs']), min_size=1, max_size=6) | st.sampled_from(['a', 'x', 'labels\\a', 'train', 'a.png', 'classes']),
                  st.sampled_from('.txt .json .csv .xml .pts .tps .jsonl .gz .tsv .dat .yaml .h5 .TXT .tar.gz .bin .md .png.txt . .mat'.split() + ['']))
CONTENTS = st.sampled_from(['', '0 .5 .5 .1 .1\n', 'a.png 1 2 3 4\n', 'a.png,1,2,30,4\n', 'image,x,y,w,h\n', 'image,x,y,w,h\na.png,1,2,3,4\n', '{}', '[]', '{"images": [], "annotations": []}', '<annotation/>', 'LM=2\n1 2\n3 4\n', 'ear\n', 'a\n',
                            '{"file_name": "a.png"}\n', 'names: [a]\n', 'version: 1\n', '1 2\n3 4\n', '\ufeffa', '[{"instances": []}]']).map(str.encode) | st.binary(max_size=30)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    good(folder := tmp_path_factory.mktemp('files'))
    return folder


@examples(400)
@given(st.dictionaries(NAMES, CONTENTS, min_size=1, max_size=4))
def test_whatever_a_file_is_called(folder, files):
    "… and whatever is in it: it is named, or known to be no annotations, or read"
    files = {o: content for o, content in files.items() if o[0] != '.' and o not in ('a.png', 'x.json') and len(o.encode()) < 200}
    for o, content in files.items(): (folder/'good'/o).write_bytes(content)
    try:
        tree = Tree(folder)
        (source,), problems = discover(tree)
        read, told = ({tree.real.get(o, o) for o in names} for names in ([f for d in source.documents for f in d.files], [p.file for p in problems])) # `labels\\a.txt` is read as of a folder
        for d in source.documents: load(tree, source.name, d)
    finally:
        for o in files: (folder/'good'/o).unlink()
    for o in files:
        known = is_image(o) or re.search(r'\.md$', o) or re.fullmatch(r'(classes|a|train|x)\.?(txt|json|csv|TXT|dat)?', o) # the last by their content
        assert f'good/{o}' in told | read or known or files[o].removeprefix(b'\xef\xbb\xbf').strip() in (b'a', b'ear'), (o, files[o])
    assert not told & read


def test_a_reader_that_fails_on_a_file(raw, monkeypatch):
    "… fails no run: the file is named, and what else it recognises is read"
    good(raw), text(raw/'good/boxes.csv', 'image,x,y,w,h\na.png,10,10,3,4\n'), text(raw/'good/bad.csv', 'image,x,y,w,h\n'), image(raw/'teacher/ears/b.png'), text(raw/'teacher/ears/bad.csv', '')
    reader = readers()['csv']
    def fragile(tree, folder):
        if any(o.startswith('bad') for o in tree.folders[folder].others): raise KeyError('no such cell')
        return reader.sniff(tree, folder)
    monkeypatch.setitem(registry._registered, 'csv', reader._replace(sniff=fragile))
    report = outcome(raw)
    assert {(p.file, p.reason) for p in report.problems if p.reason == 'bad_file'} == {('good/bad.csv', 'bad_file'), ('teacher/ears/bad.csv', 'bad_file')}
    assert all('the reader csv fails on it, please report this as a bug: KeyError' in p.detail for p in report.problems.where(reason='bad_file'))
    assert report.sources['good'].boxes.kept == 2 and report.sources['teacher/ears'].boxes.kept == 1


def test_hundreds_of_them(raw):
    "… are a line on the terminal, in the listing and in Jupyter, and all of them are in the file"
    good(raw)
    for i in range(500): text(raw/f'good/more/{i:04}.txt', f'Words of number {i}.\n')
    report = outcome(raw)
    line = "good/more/0000.txt (and 499 more .txt files beside it): "
    assert len(report.problems) == 500 and str(report).count('.txt') == 2 and line in str(report) and report._repr_html_().count('.txt') == 2
    assert len(json.loads((raw.parent/'out/report.json').read_text())["problems"]) == 500
    listed, = DataProcessor(raw, raw.parent/'out', num_workers=0, progress=False).sources().others
    assert listed.startswith(line + 'no reader knows this file: text')


def test_nobody_is_told_to_take_photos_as_crops(raw):
    "… where a file may annotate them, beside them or apart; elsewhere it is advised"
    image(raw/'photos/a.png')
    def said():
        with pytest.raises(RawDataError) as e: process(raw, raw.parent/'out')
        return str(e.value)
    assert 'take each as a crop' in said()
    text(raw/'README.md', 'Photos.')
    assert 'take each as a crop' in said()
    text(raw/'annos/all.dat', '?')
    assert 'take each as a crop' not in said() and 'annos/all.dat: no reader knows this file' in said()


# Losses, repairs, notes

def test_notes_stand_apart(raw):
    image(raw/'ears/a.png')
    coco(raw/'ears/x.json', {'a.png': [dict(bbox=[1, 2, 3, 4], keypoints=[0] * 6), dict(bbox=[9, 9, 5, 5], keypoints=[0] * 6), [50, 30, 20, 5], [1, 1, 0, 5]], 'gone.png': [[1, 2, 3, 4]]})
    report = outcome(raw)
    printed, html, on_disk = str(report), report._repr_html_(), json.loads((raw.parent/'out/report.json').read_text())
    places = [printed.index(o) for o in ('image is not on disk', 'reaches over the edge', 'Notes (harmless):', '2 × no keypoint is labelled')]
    assert places == sorted(places) and printed.count('no keypoint is labelled') == 2, 'one example'
    assert html.index('reaches over the edge') < html.index('<details>') < html.index('no keypoint is labelled')
    assert {p['reason'] for p in on_disk['notes']} == {'unlabelled'} and [p['action'] for p in on_disk['problems']] == ['dropped'] * 2 + ['clipped']
    assert read_report((raw.parent/'out/report.json').read_bytes()).problems == report.problems


def test_a_report_of_an_older_version_still_opens(raw):
    good(raw), image(raw/'good/b.png')
    coco(raw/'good/y.json', {'b.png': [dict(keypoints=[0] * 6), [1, 1, 0, 5]]})
    report = outcome(raw)
    old = json.loads(report.to_json())
    old['problems'] += old.pop('notes')
    for o in old['sources']: del o['points'], o['classes']
    assert read_report(json.dumps(old).encode()).problems == report.problems


def test_what_is_mixed_is_said(raw, capsys):
    "… by a run as by the listing, and again by one that parses nothing"
    for name in ('ears', 'dogs', 'more'): image(raw/f'{name}/a.png')
    coco(raw/'ears/x.json', {'a.png': [[1, 2, 3, 4]]}), coco(raw/'dogs/x.json', {'a.png': [[1, 2, 3, 4]]}, categories=[dict(id=1, name='poodle')])
    pts(raw/'ears/a.pts', [(1, 2), (3, 4)]), pts(raw/'more/a.pts', [(1, 2), (3, 4), (5, 9)])
    arguments = '--raw-data-dir', str(raw), '--output-dir', str(raw.parent/'out'), '--workers', '0'
    for o in (('--list',), ('--all',), ('--all',)):
        assert main([*o, *arguments]) == 0
        printed = capsys.readouterr().out
        assert 'Numbers of keypoints differ: 2, 3 (ears has 2; more has 3)' in printed and 'Classes have nothing in common (' in printed and 'poodle' in printed, printed
    assert main(['--detector', '--classes', 'ear', *arguments]) == 0 and 'differ' not in (printed := capsys.readouterr().out) and 'in common' not in printed


def test_it_can_be_printed_on_any_terminal(raw, monkeypatch):
    good(raw), coco(raw/'good/y.json', {'ö.png': [[1, 2, 3, 4]], 'a.png': [[50, 30, 20, 5]]})
    report, listed = outcome(raw), DataProcessor(raw, raw.parent/'out', num_workers=0, progress=False).sources()
    for encoding in ('ascii', 'cp1252'):
        monkeypatch.setattr(sys, 'stdout', stream := io.TextIOWrapper(io.BytesIO(), encoding, write_through=True))
        for o in (report, listed, report.problems, report.problems[0]): print(o)
        assert b'-> dropped' in stream.buffer.getvalue()
