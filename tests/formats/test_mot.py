"Tables of MOTChallenge: columns of all its years, frames of the same name, and files that are damaged at random"
import pytest
from damaging import check_reader, examples
from hypothesis import given, settings, strategies as st
from making import boxes, formats, image, outcome, problem, reasons, text
from tiers import tries

from ear_lazy.metadata.file import Metadata

PICTURES = 'img1/000001.png', 'img1/000002.png'
quick = examples(2000)


def video(raw, *lines, name='TUD', frames=2, folder='img1', info=''):
    for i in range(frames): image(raw/f'mot/train/{name}/{folder}/{i + 1:06}.jpg')
    if info: text(raw/f'mot/train/{name}/seqinfo.ini', info)
    return text(raw/f'mot/train/{name}/gt/gt.txt', '\n'.join([*lines, '']))


def found(raw): return [(path.partition('/train/')[2], box) for path, box in boxes(raw.parent/'out')]


@pytest.mark.parametrize(('more', 'name'), [('', ''), (',3,0.5', 'car'), (',-1,-1,-1', ''), (',4.48,5.5,0', ''), (',1', 'pedestrian'), (',99,1', '99')])
def test_columns_of_all_years(raw, more, name):
    video(raw, f'1,1,5,6,7.5,8,1{more}', f'2,1,6,6,7.5,8,1{more}', f'2,2,9,9,9,9,0{more}')
    report = outcome(raw)
    assert reasons(report) == [('invalid', 'dropped')] and problem(report, 'invalid').where == 'line 3'
    assert found(raw) == [('TUD/img1/000001.jpg', [5, 6, 7.5, 8]), ('TUD/img1/000002.jpg', [6, 6, 7.5, 8])]
    assert {*Metadata(raw.parent/'out/train_detector.npy').names('label_names')} - {''} == {name} - {''}


def test_a_frame_of_another_video_is_never_taken(raw):
    video(raw, '1,1,5,6,7,8,1,-1,-1,-1'), video(raw, '1,1,9,9,9,9,1,-1,-1,-1', '3,1,9,9,9,9,1,-1,-1,-1', name='ETH', frames=0)
    report = outcome(raw)
    assert found(raw) == [('TUD/img1/000001.jpg', [5, 6, 7, 8])]
    assert (problem(report, 'missing_image').detail, problem(report, 'missing_image').boxes) == ('2 frames of this video, the first is 1', 2)


def test_where_the_frames_are(raw):
    video(raw, '1,1,5,6,7,8,1,-1,-1,-1', folder='frames', info='[Sequence]\nname=TUD\nimDir=frames\nimExt=.jpg\n')
    assert reasons(outcome(raw)) == [] and found(raw) == [('TUD/frames/000001.jpg', [5, 6, 7, 8])]


def test_detections_are_no_annotations(raw):
    gt = video(raw, '1,1,5,6,7,8,1,-1,-1,-1')
    text(gt.parent.with_name('det')/'det.txt', '1,-1,5,6,7,8,0.9,-1,-1,-1\n')
    assert formats(raw) == [('mot', ('mot/train/TUD/gt/gt.txt',))]
    assert 'sources.toml' not in (told := problem(outcome(raw), 'not_recognised').detail) and told.startswith('detections')


def test_classes_of_another_tool(raw):
    "CVAT's numbers are those of the list beside the table, and not of pedestrians"
    gt = video(raw, '1,1,5,6,7,8,1,1,1', '2,1,6,6,7,8,1,2,1')
    text(gt.with_name('labels.txt'), 'left ear\n')
    report = outcome(raw)
    assert Metadata(raw.parent/'out/train_detector.npy').names('label_names') == ['', 'left ear', 'unnamed 2']
    assert reasons(report) == [('unknown_class', 'kept')] and problem(report, 'unknown_class').detail == 'class 2 is not among the 1 of labels.txt, which count from 1'


@pytest.mark.parametrize(('last', 'first'), [(3, 0), (2, 1)])
def test_frames_that_count_from_0(raw, last, first):
    "A table with a frame more than the images counts from 1; another may count as they do"
    for i in range(3): image(raw/f'mot/train/TUD/img1/frame_{i:06}.jpg')
    text(raw/'mot/train/TUD/gt/gt.txt', f'1,1,5,6,7,8,1,1,1\n{last},1,9,9,7,8,1,1,1\n')
    report = outcome(raw)
    assert found(raw) == [(f'TUD/img1/frame_{first:06}.jpg', [5, 6, 7, 8]), ('TUD/img1/frame_000002.jpg', [9, 9, 7, 8])]
    assert reasons(report) == [('other_name', 'kept')] * (first == 0)


def test_lines_that_are_wrong(raw):
    video(raw, '1,1,5,6,7,8,1,-1,-1,-1', '1,2,x,6,7,8,1', '1.5,2,5,6,7,8,1', '1,2,3')
    assert [(p.where, p.boxes) for p in outcome(raw).problems] == [('line 2', 1), ('line 3', 1), ('line 4', 1)] and len(found(raw)) == 1


FILE = '1,1,5,6,7,8,1,1,0.5\n2,1,6,6,7,8,1,3,1\n2,2,6,6,7,8,0,-1,-1,-1\n'


CELLS = st.sampled_from(['', '1', '2', '-1', '0', '55.5', 'nan', 'inf', '1e300', '9' * 5000, 'x', '"', ' ', '\0', '٣', '1_0'])


@settings(quick, max_examples=tries(500))
@given(st.lists(st.lists(CELLS, min_size=5, max_size=11), max_size=4))
def test_odd_cells(pictures, lines): check_reader(pictures, 'gt.txt', 'mot', (FILE + '\n'.join(map(','.join, lines))).encode())
