"Hugging Face's imagefolder: lines with objects, as JSON and in a table, and files that are damaged at random"
import json

import pytest
from damaging import ODD, changed, check_reader, examples, places
from hypothesis import given, settings, strategies as st
from making import boxes, coco, formats, image, outcome, problem, reasons, rows, text
from tiers import tries

PICTURES = 'a.png', 'b.png', 'empty.png'


def line(name='a.png', *found, categories=None, **more): return dict(file_name=name, objects=dict(bbox=list(found), categories=categories or ['ear'] * len(found))) | more


def lines(path, *found): return text(path, '\n'.join(o if isinstance(o, str) else json.dumps(o) for o in found) + '\n')


@pytest.mark.parametrize('objects', [
    dict(bbox=[[5, 10, 15, 20]], categories=['ear']), dict(bbox=[[5, 10, 15, 20]], category=['ear'], area=[300], id=[1], iscrowd=[0]), [dict(bbox=[5, 10, 15, 20], label='ear')],
    dict(bbox=[['5', '10', '15.0', 20]]), dict(bboxes=[[5, 10, 15, 20]], labels=['ear'])])
def test_objects(raw, objects):
    "Lists of equal length, or a list of objects"
    image(raw/'ears/train/a.png'), image(raw/'ears/train/empty.png')
    lines(raw/'ears/train/metadata.jsonl', dict(file_name='a.png', objects=objects), line('empty.png'), dict(file_name='b.png', text='An ear.'))
    assert reasons(outcome(raw)) == [] and formats(raw) == [('imagefolder', ('ears/train/metadata.jsonl',))]
    assert rows(raw.parent/'out', 'detector') == [('ears/train/a.png', [[5, 10, 15, 20]]), ('ears/train/empty.png', [])]


def test_classes_that_are_numbers_are_told(raw):
    image(raw/'ears/a.png'), lines(raw/'ears/metadata.jsonl', line('a.png', [1, 2, 3, 4], [5, 6, 7, 8], categories=[0, 1]))
    assert problem(outcome(raw), 'no_names').detail == '0, 1'


def test_tables(raw):
    image(raw/'ears/a.png'), image(raw/'ears/b.png')
    text(raw/'ears/metadata.csv', '''file_name,objects,text
a.png,"{'bbox': [[5, 10, 15, 20]], 'categories': ['ear']}",x
b.png,"{""bbox"": [[1, 2, 3, 4]], ""categories"": [""ear""]}",x
b.png,"{'bbox': __import__('os')}",x
b.png
b.png,,A caption.
''')
    assert reasons(outcome(raw)) == [('malformed', 'dropped')] * 2
    assert boxes(raw.parent/'out') == [('ears/a.png', [5, 10, 15, 20]), ('ears/b.png', [1, 2, 3, 4])]


def test_what_is_wrong(raw):
    image(raw/'ears/a.png')
    lines(raw/'ears/metadata.jsonl', line('a.png', [5, 10, 15, 20], [1, 2, 3], ['x', 1, 2, 3]), '{"file_name"', '7', line('a.png', [1, 2, 3, 4], categories=['ear', 'ear']), line('', [1, 2, 3, 4]),
          dict(file_name='a.png', objects=[dict(bbox=[1, 1, 4, 4], iscrowd=1), dict(bbox=[2, 2, 4, 4], keypoints=[1, 2])]), line('gone.png', [1, 2, 3, 4]), line('a.png', [50, 30, 20, 4]))
    report = outcome(raw)
    assert reasons(report) == [('crowd', 'dropped')] + [('malformed', 'dropped')] * 6 + [('missing_image', 'dropped'), ('not_read', 'dropped'), ('partly_outside', 'clipped')]
    assert boxes(raw.parent/'out') == [('ears/a.png', o) for o in ([2, 2, 4, 4], [5, 10, 15, 20], [50, 30, 10, 4])]


def test_metadata_without_objects_are_told(raw):
    image(raw/'ears/a.png'), lines(raw/'ears/metadata.jsonl', dict(file_name='a.png', text='An ear.'))
    image(raw/'faces/b.png'), coco(raw/'faces/x.json', {'b.png': [[1, 2, 3, 4]]})
    found = problem(outcome(raw), 'not_recognised')
    assert found.file == 'ears/metadata.jsonl' and 'JSON lines, which is not read' in found.detail


LINES = [line('a.png', [5, 10, 15, 20], [1, 2, 3, 4], width=60, height=40), dict(file_name='b.png', objects=[dict(bbox=[5, 10, 15, 20], category=0, iscrowd=1)]), line('empty.png')]
many = examples(2000)


@st.composite
def trees(draw):
    tree = LINES
    for _ in range(draw(st.integers(1, 4))):
        found = [o for o in places(tree) if o]
        tree = changed(tree, found[draw(st.integers(0, len(found) - 1))], draw(st.sampled_from(['replace', 'replace', 'remove', 'double'])), draw(ODD))
        if not tree: break
    return tree


@settings(many, max_examples=tries(1000))
@given(trees())
def test_damaged_structure(pictures, tree): check_reader(pictures, 'metadata.jsonl', 'imagefolder', '\n'.join(map(json.dumps, tree)).encode())
