"YOLO label files with every habit of theirs, damaged ones, and the real ears"
import shutil
from pathlib import Path

import numpy as np
import pytest
from damaging import EDITS, check_reader, edited, examples
from hypothesis import given, settings, strategies as st
from making import assert_accounted, boxes, image, outcome, problem, process, reasons, rows, text
from tiers import tries

from ear_lazy.formats.discover import discover
from ear_lazy.formats.shared.tree import Tree
from ear_lazy.formats.yolo_spec import Spec, parse_yaml

PICTURES = 'a.png', 'b.png'
REAL = Path(__file__).parents[3]/'shared/real/ears_yolo_pose'
POSE = 'kpt_shape: [{}]\nnames: [ear]\n'


def ears(raw, *labels, yaml='names: [ear]\n'):
    "Images of 60×40 with these label files in `labels/`, beside `images/`"
    for name, label in zip('abcdefghijk', labels):
        image(raw/f'ears/images/{name}.png')
        text(raw/f'ears/labels/{name}.txt', label)
    if yaml: text(raw/'ears/data.yaml', yaml)


def formats(raw): return sorted((d.format, len(d.files)) for s in discover(Tree(raw))[0] for d in s.documents)


def near(out, *values):
    assert [path for path, _ in boxes(out)] == ['ears/images/a.png'] * len(values)
    assert [box for _, box in boxes(out)] == [pytest.approx(o, abs=1e-3) for o in values]


@pytest.mark.parametrize('layout', [
    'labels/a.txt images/a.png', 'labels/train/a.txt images/train/a.png', 'train/labels/a.txt train/images/a.png', 'a.txt a.png', 'obj_train_data/a.txt obj_train_data/a.JPG',
    'labels/a_png.rf.2a12e30a.txt images/a_png.rf.2a12e30a.jpg', 'labels/a.TXT images/a.jpeg', 'labels/a.txt pictures/deep/a.png'])
@pytest.mark.parametrize('label', ['0 0.5 0.5 0.5 0.25', '0 0.5 0.5 0.5 0.25\n', '0 .5 5e-1 0.50000000000000 0.25\r\n\r\n', ' 0\t0.5  0.5 0.5 0.25 \r', '\ufeff0.0 0.5 0.5 0.5 0.25\n'])
def test_detect(raw, layout, label):
    "Where label files lie, and how their lines end"
    at, picture = layout.split()
    image(raw/'ears'/picture, format='PNG')
    text(raw/'ears'/at, label)
    assert reasons(outcome(raw)) == []
    assert boxes(raw.parent/'out') == [(f'ears/{picture}', [15, 15, 30, 10])]


@pytest.mark.parametrize('level', ['detector/', 'landmarker/', ''])
def test_splits_with_the_same_names(raw, level):
    for split, w in dict(train=0.5, valid=0.25, test=0.125).items():
        image(raw/f'{level}ears/{split}/images/a.png')
        text(raw/f'{level}ears/{split}/labels/a.txt', f'0 0.5 0.5 {w} 0.25')
    text(raw/f'{level}ears/data.yaml', 'train: ../nowhere/images\nval: /home/me/images\nnames: [ear]\n')
    report = outcome(raw, kinds=('detector', 'teacher'))
    assert reasons(report) == []
    crops = {path.split('/')[-3]: v for path, v in rows(raw.parent/'out', 'teacher')}
    assert len(crops) == 3 and np.allclose(np.ravel([crops[o] for o in ('train', 'valid', 'test')]).reshape(3, 4)[:, 2], [30, 15, 7.5])


def test_an_empty_file_is_a_background_image(raw):
    ears(raw, '0 0.5 0.5 0.5 0.25', '', '\n', ' \r\n', '\ufeff')
    assert reasons(outcome(raw)) == []
    assert [(path[-5:], len(v)) for path, v in rows(raw.parent/'out', 'detector')] == [('a.png', 1), ('b.png', 0), ('c.png', 0), ('d.png', 0), ('e.png', 0)]


def test_all_files_are_empty(raw):
    "… in a folder of labels these are background images; beside images they may be anything"
    ears(raw, '', '', yaml='')
    image(raw/'notes/a.png'), text(raw/'notes/a.txt', '')
    sources, problems = discover(Tree(raw))
    assert [s.name for s in sources] == ['ears'] and [(p.source, p.reason) for p in problems] == [('notes', 'not_recognised')]


def test_a_file_with_no_sound_line_is_no_background_image(raw):
    ears(raw, '0 0.5 0.5 0.5 0.25', 'An ear.\nAnother.\n')
    report = outcome(raw)
    assert (problem(report, 'malformed').boxes, problem(report, 'malformed').where, problem(report, 'malformed').image) == (2, 'line 1', 'ears/images/b.png')
    assert len(rows(raw.parent/'out', 'detector')) == 1


def test_rounding(raw):
    "Edges a few millionths outside are clipped without a word, on large images as well"
    image(raw/'ears/images/a.png', size=(4, 6000))
    text(raw/'ears/labels/a.txt', '0 0.124993 0.5 0.25 1.000001\n0 0.875007 0.5 0.25 0.5')
    assert reasons(outcome(raw)) == []
    near(raw.parent/'out', [0, 0, 1499.958, 4], [4500.042, 1, 1499.958, 2])


def test_boxes_over_the_edge(raw):
    ears(raw, '0 0 0.5 0.5 0.5\n0 1.4 0.5 0.1 0.1\n0 0.5 0.5 0 0.1\n0 0.5 0.5 -0.1 0.1\n0 nan 0.5 0.1 0.1\n0 inf 0.5 0.1 0.1')
    assert reasons(outcome(raw)) == [('no_area', 'dropped')] + [('not_finite', 'dropped')] * 2 + [('outside', 'dropped'), ('partly_outside', 'clipped'), ('reversed', 'repaired')]
    near(raw.parent/'out', [0, 10, 15, 20], [27, 18, 6, 4])


@pytest.mark.parametrize('line, why', [
    ('0 320 240 60 80', '320 is no fraction'), ('0 0.5 0.5 0.5', '4 numbers'), ('0 0.5 0.5 0.5 0.25 7.5', 'neither a score nor a track'), ('0 0.5 0.5 ear 0.25', 'could not convert'),
    ('0.5 0.5 0.5 0.5 0.25', 'class 0.5'), ('-1 0.5 0.5 0.5 0.25', 'class -1'), ('nan 0.5 0.5 0.5 0.25', 'class nan'), ('1e300 0.5 0.5 0.5 0.25', 'class 1e+300'), ('0', '1 numbers'),
    ('0;0.5;0.5;0.5;0.25', 'could not convert'), ('0 0.5 0.5 0.5 0.25 2 2 2', '2 is no fraction')])
def test_a_line_that_is_no_object(raw, line, why):
    "… costs itself, and is named by the line that an editor shows"
    ears(raw, f'0 0.5 0.5 0.5 0.25\n\n{line}\n0 0.5 0.5 0.25 0.25\n', '0 0.5 0.5 0.5 0.5')
    p = problem(outcome(raw), 'malformed')
    assert p.where == 'line 3' and why in p.detail and p.file == 'ears/labels/a.txt' and p.boxes + p.keypoints == 1
    assert ('ears/images/a.png', pytest.approx([22.5, 15, 15, 10])) in boxes(raw.parent/'out')


@pytest.mark.parametrize('shape', ['1, 3', '1,2', '1'])
def test_pose_of_one_point(raw, shape):
    "With and without visibility, whatever `kpt_shape` says of it; a box alone; all of them unlabelled"
    ears(raw, '0 0.5 0.5 0.5 0.25 0.5 0.25 2\n0 0.5 0.5 0.25 0.25 0.5 0.75\n0 0.5 0.5 0.75 0.25\n0 0.5 0.5 0.125 0.25 0 0 0', yaml=POSE.format(shape))
    report = outcome(raw)
    assert problem(report, 'unlabelled').keypoints == 1 and problem(report, 'unlabelled').where == 'line 4'
    assert [v for _, v in rows(raw.parent/'out', 'landmarker')] == [[[30, 10, 2]], [[30, 30, 2]]]
    assert len(boxes(raw.parent/'out')) == 4


@pytest.mark.parametrize('k', [5, 17, 55])
@pytest.mark.parametrize('dims', [2, 3])
def test_pose_of_many_points(raw, k, dims):
    points = [(0.5, 0.5 * i / k, i % 3)[:dims] for i in range(1, k + 1)]
    ears(raw, ' '.join(map(str, [0, 0.5, 0.5, 0.5, 0.25, *np.ravel(points)])), yaml=f'names:\n  0: ear\nkpt_shape:\n- {k}\n- {dims}  # x, y\n')
    assert reasons(outcome(raw)) == []
    (_, found), = rows(raw.parent/'out', 'landmarker')
    assert np.allclose(found, [(30, 20 * i / k, i % 3 if dims == 3 else 2) for i in range(1, k + 1)], atol=1e-3)
    near(raw.parent/'out', [15, 15, 30, 10])


def test_pose_points_left_out_and_outside(raw):
    "Without visibility a point at (0, 0) or at a negative place was left out; with it, places outside of the image are kept"
    ears(raw, '0 0.5 0.5 0.5 0.25 0.5 0.25 0 0 -0.1 0.5\n0 0.5 0.5 0.5 0.5 0.5 0.25 2 1.25 -0.25 1 nan 0.5 2', yaml=POSE.format('3, 2'))
    assert reasons(outcome(raw)) == [('not_finite', 'kept')]
    first, second = (v for _, v in rows(raw.parent/'out', 'landmarker'))
    assert [o[2] for o in first] == [2, 0, 0] and second == [[30, 10, 2], [75, -10, 1], [0, 0, 0]]


def test_pose_points_in_pixels(raw):
    "… are dropped, and the box is kept"
    ears(raw, '0 0.5 0.5 0.5 0.25 300 200 2\n0 0.5 0.5 0.25 0.25 300 200 0', *['0 0.5 0.5 0.5 0.25'] * 2, yaml=POSE.format('1, 3'))
    report = outcome(raw)
    assert reasons(report) == [('malformed', 'dropped'), ('unlabelled', 'dropped')] and problem(report, 'malformed').keypoints == 1
    assert len(boxes(raw.parent/'out')) == 4


def test_pose_with_another_number_of_points(raw):
    "`kpt_shape` says how many there are, so nothing else is guessed"
    ears(raw, '0 0.5 0.5 0.5 0.25 0.5 0.25 2\n0 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2', yaml=POSE.format('1, 3'))
    assert 'kpt_shape' in problem(outcome(raw), 'malformed').detail


def test_without_kpt_shape(raw):
    "An odd count is a polygon, an even one that fits is a box and keypoints"
    ears(raw, '0 0.25 0.25 0.75 0.25 0.5 0.5\n0 0.5 0.5 0.5 0.25 0.5 0.25 2', yaml='')
    report = outcome(raw)
    assert reasons(report) == [('no_box', 'derived')] and problem(report, 'no_box').boxes == 1
    near(raw.parent/'out', [15, 10, 30, 10], [15, 15, 30, 10])
    assert [v for _, v in rows(raw.parent/'out', 'landmarker')] == [[[30, 10, 2]]]


@pytest.mark.parametrize('line', [
    '0 0.25 0.5 0.5 0.25 0.75 0.5 0.5 0.75', '0 0.25 0.5 0.5 0.25 0.75 0.5 0.5 0.75 1', '0 0.25 0.5 0.5 0.25 0.75 0.5 0.6 0.6 0.5 0.75', '0 0.25 0.25 0.75 0.5 0.5 0.75'],
    ids=['oriented', 'with a difficulty', 'polygon', 'triangle'])
def test_oriented_and_polygon(raw, line):
    "Their extent, reported once for each file; boxes and polygons stand in one file"
    ears(raw, f'{line}\n0 0.5 0.5 0.5 0.25\n0 0.1 0.1 0.2 0.1 0.2 0.2\n')
    p = problem(outcome(raw), 'no_box')
    assert (p.action, p.boxes, p.file) == ('derived', 2, 'ears/labels/a.txt')
    near(raw.parent/'out', [6, 4, 6, 4], [15, 10, 30, 20], [15, 15, 30, 10])


def test_oriented_in_pixels(raw):
    "Ten words a line: four corners in pixels, a class, a difficulty"
    image(raw/'ears/images/a.png'), image(raw/'ears/images/b.png')
    text(raw/'ears/labelTxt/a.txt', '10 5 30.5 5 30.5 15 10 15 left-ear 0\n5 5 9 1 13 5 9 9 right ear 1\n10 5 20 5 20 15 10 15 ring\n1 2 3\n10 5 x 5 30 15 10 15 ear 0\n')
    text(raw/'ears/labelTxt/b.txt', '')
    text(raw/'ears/data.yaml', 'names: [a, b]\n')
    assert formats(raw) == [('yolo_obb', 2)]
    report = outcome(raw)
    assert reasons(report) == [('malformed', 'dropped')] * 2 + [('no_box', 'derived')]
    near(raw.parent/'out', [5, 1, 8, 8], [10, 5, 10, 10], [10, 5, 20.5, 10])
    assert len(rows(raw.parent/'out', 'detector')) == 2


@pytest.mark.parametrize('text, names', [
    ("nc: 1\nnames: ['ear']\n", {0: 'ear'}), ('names: ["left, ear", \'it\'\'s\', c]', {0: 'left, ear', 1: "it's", 2: 'c'}), ('names:\r\n  0: ear\r\n  1: ring\r\nnc: 2', {0: 'ear', 1: 'ring'}),
    ('names:\n- ear, left\n- 7\n', {0: 'ear, left', 1: '7'}), ('names: {0: ear, 3: ring}', {0: 'ear', 3: 'ring'}), ('names: [\n  ear,\n  # moo\n  ring, # x\n]\nnc: 2', {0: 'ear', 1: 'ring'}),
    ('names:', {}), ('names: []', {}), ('name: [x]', {}), ('# names: [x]', {}), ('roboflow:\n  names: [x]\n', {}), ('names:\n  2: "ear: left"\n', {2: 'ear: left'}), ('', {}),
    ('names: [no, 1.0, ~]', {0: 'no', 1: '1.0', 2: '~'}), ('names:\n\t0: ear\n\t1: ring\n', {0: 'ear', 1: 'ring'}), ('names: [x]\nnames: [ear]', {0: 'ear'}), ('names: ear', {0: 'ear'}),
    ('path: "C:\\data"\nnames: [ear]', {0: 'ear'}), ('names: !!python/object/apply:os.abort [ear]', {0: 'ear'}), ('---\nnames: [ear, [x], {y: z}]\n', {0: 'ear'})])
def test_names(text, names): assert parse_yaml(text).names == names


@pytest.mark.parametrize('text', ['names: ' + '[' * 10**6, 'names: ' + '- ' * 10**6, 'x: &a [*a, *a]\nnames: *a', 'names: [\0]', 'a: &a [x, x]\n' + '\n'.join(f'b{i}: &b{i} [*a, *b{i - 1}]' for i in range(1, 40)) + '\nnames: *b39'])
def test_hostile_yaml(text):
    "Nested so deep that it would end the process, aliases that multiply: nothing is taken from it"
    assert parse_yaml(text) == Spec()


@pytest.mark.parametrize('where, content, expected', [
    ('data.yaml', 'names: [ear, ring]', ['ring', 'unnamed 7']), ('data.yaml', 'nc: 1', ['1', '7']), ('', '', ['1', '7']), ('labels/classes.txt', 'ear\nring\n', ['ring', 'unnamed 7']), ('custom.yml', 'names: {1: ring}', ['ring', 'unnamed 7']),
    ('../data.yaml', 'names: [x, y]', ['1', '7']), ('data.yaml', b'\xff\xfe\0', ['1', '7'])], ids=range(7))
def test_class_names(raw, where, content, expected):
    "From the nearest file above that has some, within the raw dataset; class numbers where none has"
    ears(raw, '1 0.5 0.5 0.5 0.25\n7 0.5 0.5 0.25 0.25', yaml='')
    if where: text(raw/'ears'/where, content)
    from ear_lazy.formats.load import load
    (source,), _ = discover(Tree(raw))
    r = load(Tree(raw), 'ears', source.documents[0])
    assert [r.label_names[o] for o in r.labels] == expected
    assert [(p.reason, p.action, p.where, p.boxes) for p in r.problems] == ([('unknown_class', 'kept', 'line 2', 1)] if 'unnamed 7' in expected else [])


def test_other_text_files_are_not_labels(raw):
    ears(raw, *['0 0.5 0.5 0.5 0.25'] * 5)
    lists = dict(README='Ears.', classes='ear\n', train='images/a.png\n')
    for name, content in lists.items(): text(raw/f'ears/labels/{name}.txt', content), text(raw/f'ears/{name}.txt', content)
    text(raw/'ears/labels/labels.cache', b'\0\1'), text(raw/'ears/obj.names', 'ear\n')
    assert formats(raw) == [('yolo', 5)] and reasons(outcome(raw)) == []


@pytest.mark.parametrize('content', [
    'A photo of an ear.', '0.1 0.2\n0.3 0.4\n', '12 34\n56 78\n', '0 320 240 60 80', '1', '0', '0 1 2', 'version: 1\nn_points: 1\n{\n0 0\n}', '0;0.5;0.5;0.1;0.1', '2\n1 2 3 4', b'\0\xff', '{"a": 1}', '0.5 0.5 0.5 0.5 0.5'], ids=range(13))
def test_other_formats_are_not_taken(raw, content):
    image(raw/'ears/images/a.png')
    text(raw/'ears/labels/a.txt', content)
    assert not any(name.startswith('yolo') for name, _ in formats(raw))


def test_labels_of_images_that_are_missing(raw):
    ears(raw, '0 0.5 0.5 0.5 0.25', '0 0.5 0.5 0.5 0.25\n0 0.5 0.5 0.25 0.25')
    (raw/'ears/images/b.png').unlink()
    assert problem(outcome(raw), 'missing_image').boxes == 2


def test_a_missing_background_image_is_of_its_own_file(raw):
    ears(raw, '0 0.5 0.5 0.5 0.25', '', '', '0 0.5 0.5 0.5 0.25')
    for name in 'cd': (raw/f'ears/images/{name}.png').unlink()
    assert [(p.file, p.boxes) for p in outcome(raw).problems.where(reason='missing_image')] == [('ears/labels/c.txt', 0), ('ears/labels/d.txt', 1)]


def test_pose_points_far_outside(raw):
    "… are kept beside one that is near"
    ears(raw, '0 0.5 0.5 0.5 0.25 0.5 0.25 2 -7.5 3 1', yaml=POSE.format('2, 3'))
    assert reasons(outcome(raw)) == []
    assert [v for _, v in rows(raw.parent/'out', 'landmarker')] == [[[30, 10, 2], [-450, 120, 1]]]


def test_some_files_are_damaged(raw):
    "… which does not keep the others from being read"
    ears(raw, '0 0.5 0.5 0.5 0.25', b'\0\1\2', '0 0.5 0.5 0.5 0.25', '{}', '0 0.5 0.5 0.5 0.25', '0 0.5 0.5 0.5 0.25')
    assert reasons(outcome(raw)) == [('malformed', 'dropped')] * 2
    assert len(boxes(raw.parent/'out')) == 4


def test_one_object_twice(raw):
    ears(raw, '0 0.5 0.5 0.5 0.25\n0 0.5 0.5 0.5 0.25\n')
    assert reasons(outcome(raw)) == [('repeat', 'merged')]


def test_a_photo_that_is_turned(raw):
    "Fractions are of the image as a person sees it"
    from PIL import Image
    exif = Image.Exif()
    exif[0x0112] = 6
    image(raw/'ears/images/a.jpg', exif=exif), text(raw/'ears/labels/a.txt', '0 0.5 0.5 0.5 0.25')
    outcome(raw)
    assert boxes(raw.parent/'out') == [('ears/images/a.jpg', [10, 22.5, 20, 15])]


# Damage at random

LABELS = b'0 0.5 0.5 0.5 0.25\n1 0.124993 0.5 0.25 1\r\n\n0 0.25 0.5 0.5 0.25 0.75 0.5 0.5 0.75\n2 0.1 0.1 0.2 0.1 0.2 0.2\n'
POSES = b'0 0.5 0.5 0.5 0.25 0.5 0.25 2 0.25 0.25 1\n0 0.5 0.5 0.5 0.25 0 0 0 0 0 0\n0 0.5 0.5 0.5 0.25 0.5 0.25 0.5 0.75\n'
YAMLS = [b'', b"kpt_shape: [2, 3]\nnames: ['ear', 'ring']\n", b'kpt_shape:\n- 2\n- 2\nnames:\n  0: ear\n  1: "ring"\n', b'names: {0: ear,\n 1: ring}\n', b'names: [ear,\n  ring]']


def check(folder, format, data, yaml=b''):
    (folder/'data.yaml').write_bytes(yaml)
    check_reader(folder, 'a.txt', format, data)


many = examples(2000)


@settings(many, max_examples=tries(400))
@given(st.sampled_from([LABELS, POSES]), EDITS, st.sampled_from(YAMLS), st.booleans())
def test_yolo_with_damage_beside_data_yaml(pictures, data, edits, yaml, in_labels): check(pictures, 'yolo', *((edited(data, edits), yaml) if in_labels else (data, edited(yaml, edits))))


NUMBERS = st.sampled_from(['0', '1', '2', '0.5', '0.25', '-7e-6', '1.000007', '1.5', '-0.5', '7', '-1', 'nan', 'inf', '-inf', '1e300', '1e-300', '1e999', '', 'x', '١', '1_0', '0x1', '\0', '999999', '9' * 5000])


@settings(many, max_examples=tries(800))
@given(st.sampled_from(['yolo', 'yolo', 'yolo_obb']), st.lists(st.lists(NUMBERS, max_size=13), max_size=5), st.sampled_from(['\n', '\r\n', '\r', '\u2028']), st.sampled_from(YAMLS))
def test_yolo_of_odd_lines(pictures, format, lines, end, yaml): check(pictures, format, end.join(map(' '.join, lines)).encode(), yaml)


@pytest.mark.parametrize('yaml, told', [('names: [a, b\n', 'not valid YAML at line 2'), ('names: &x [*x, *x]\n', 'not valid YAML'), ('names: [a, b]\ntrain: [\n', ''), ('names: [a, b]\n', ''), ('train: images\n', '')])
@pytest.mark.parametrize('size', [1, 500])
def test_a_spec_that_is_no_yaml_is_told_once(raw, yaml, told, size):
    "… since the classes of its labels have lost their names; not where its names can be read all the same"
    for o in 'ab': image(raw/f'ears/images/{o}.png'), text(raw/f'ears/labels/{o}.txt', '0 0.5 0.5 0.5 0.5\n')
    text(raw/'ears/data.yaml', yaml)
    problems = process(raw, raw.parent/'out', ('detector',), batch_size=size).problems
    assert [(p.file, p.reason) for p in problems] == [('ears/data.yaml', 'not_recognised')] * bool(told)
    assert all(told in p.detail and 'called by their numbers' in p.detail for p in problems)


# Real data

@pytest.mark.skipif(not REAL.is_dir(), reason=f'no real YOLO data at {REAL}')
@pytest.mark.parametrize('workers', [0, 2])
def test_real_ears(tmp_path, workers):
    shutil.copytree(REAL, tmp_path/'raw/ears_yolo_pose')
    out = tmp_path/'out'
    report = process(tmp_path/'raw', out, num_workers=workers)
    assert_accounted(report, out)
    assert set(reasons(report)) == {('unlabelled', 'dropped')}
    detector, labels = rows(out, 'detector'), list((REAL/'train/labels').glob('*.txt'))
    assert len({path for path, _ in detector}) == len(detector) == 126 and len(boxes(out)) == 138
    lines = [line.split() for o in labels for line in o.read_text().split('\n')]
    assert len(lines) == 138 and len(rows(out, 'landmarker')) == sum(float(o[7]) > 0 for o in lines)
    expected = {tuple(map(float, o[1:5])) for o in lines}
    from PIL import Image
    for path, values in detector:
        with Image.open(tmp_path/'raw'/path) as picture: size = np.array(picture.size * 2)
        x, y, w, h = (np.array(values) / size).T
        for o in np.column_stack([x + w / 2, y + h / 2, w, h]): assert min(np.abs(o - e).max() for e in map(np.array, expected)) < 1e-4
