"Open Images: fractions, X before Y, ids for names, groups, and files that are damaged at random"
import pytest
from damaging import check_reader, examples
from hypothesis import given, settings, strategies as st
from making import boxes, formats, image, outcome, problem, process, reasons, text
from tiers import tries

from ear_lazy.formats.shared.tree import Tree

PICTURES = 'a.png', 'b.png'
quick = examples(2000)


HEADER = 'ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n'
EAR = '{},xclick,/m/039xj_,1,0.25,0.5,0.1,0.6,0,0,0,0,0\n'


def ears(raw, lines, name='train-annotations-bbox.csv'):
    image(raw/'ears/train/a.png')
    return text(raw/'ears'/name, HEADER + lines)


def test_fractions_with_x_before_y(raw):
    ears(raw, EAR.format('a'))
    assert reasons(outcome(raw)) == []
    (path, box), = boxes(raw.parent/'out')
    assert path == 'ears/train/a.png' and box == pytest.approx([15, 4, 15, 20], abs=1e-4)


@pytest.mark.parametrize('flags', ['-1,-1,-1,-1,-1', '0,0,0,0,0', '1,1,0,1,1', '', '-1'])
def test_flags_do_not_matter(raw, flags):
    ears(raw, f'a,xclick,/m/039xj_,1,0.25,0.5,0.1,0.6,{flags}\n')
    assert reasons(outcome(raw)) == [] and len(boxes(raw.parent/'out')) == 1


def test_groups_are_dropped(raw):
    ears(raw, EAR.format('a') + 'a,xclick,/m/039xj_,1,0,1,0,1,0,0,1,0,0\n')
    p = problem(outcome(raw), 'crowd')
    assert (p.where, p.action, p.boxes) == ('line 3', 'dropped', 1)
    assert len(boxes(raw.parent/'out')) == 1


def labels(raw, folder='ears'):
    from ear_lazy.formats.openimages import read, sniff
    tree = Tree(raw)
    r = read(tree, sniff(tree, folder)[0])
    return [r.label_names[o] for o in r.labels]


def test_names_of_classes(raw):
    ears(raw, EAR.format('a') + EAR.format('a').replace('/m/039xj_', '/m/0dzct'))
    assert labels(raw) == ['Human ear', '/m/0dzct']
    text(raw/'ears/oidv7-class-descriptions-boxable.csv', b'\xef\xbb\xbfLabelName,DisplayName\r\n/m/0dzct,"Human face"\r\n')
    assert labels(raw) == ['Human ear', 'Human face']
    assert reasons(outcome(raw)) == []


def test_several_tables_and_one_file_of_names(raw):
    ears(raw, EAR.format('a'))
    ears(raw, EAR.format('a').replace('0.25,0.5', '0.7,0.9'), 'validation-annotations-bbox.csv')
    text(raw/'ears/class-descriptions-boxable.csv', '/m/0dzct,Human face\n')
    assert sorted(len(files) for _, files in formats(raw)) == [1, 2]
    for batch_size in (1, 100): assert reasons(process(raw, raw.parent/f'out{batch_size}', train_split=1, batch_size=batch_size)) == []


def test_image_labels_have_no_boxes(raw):
    image(raw/'ears/a.png')
    text(raw/'ears/labels.csv', 'ImageID,Source,LabelName,Confidence\na,verification,/m/039xj_,1\n')
    text(raw/'ears/pixels.csv', 'ImageID,XMin,YMin,XMax,YMax\na,1,2,3,4\n')
    assert formats(raw) == [('csv', ('ears/pixels.csv',))]


@pytest.mark.parametrize(('line', 'where'), [('a,xclick,/m/039xj_,1,left,0.5,0.1,0.6\n', 'line 3'), ('a,xclick\n', 'line 3'), ('\n\na,,,,,,,\n', 'line 5'), ('a,x,/m/039xj_,1,,,,\n', 'line 3')])
def test_bad_lines(raw, line, where):
    ears(raw, EAR.format('a') + line)
    p = problem(outcome(raw), 'malformed')
    assert (p.where, p.action, p.boxes) == (where, 'dropped', 1) and len(boxes(raw.parent/'out')) == 1


CELLS = st.sampled_from(['', 'a', 'b', '0', '1', '-1', '0.5', '1.5', 'nan', 'inf', '1e300', '1e999', 'x', '"', '/m/039xj_', '\0', 'a.png', '../b', '٣', '9' * 5000])


@settings(quick, max_examples=tries(500))
@given(st.lists(st.lists(CELLS, max_size=13), max_size=5), st.permutations(HEADER.strip().split(',')))
def test_odd_cells(pictures, lines, header): check_reader(pictures, 'x.csv', 'openimages', '\n'.join(map(','.join, [header, *lines])).encode())
