"Lines of YOLO label files changed in place"
import shutil

import pytest
from driver import REAL, check, new, rows
from drawing_edits import boxes, edits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from making import image, text
from tiers import tries

from ear_lazy.formats.shared.patches import CannotRewrite

BOXES = '0 0.5 0.5 0.25 0.5\n1 0.250000 0.250000 0.125000 0.125000\n'
POSE = '0 0.5 0.5 0.25 0.5 0.45 0.40 2 0.55 0.60 1\n0 0.25 0.25 0.2 0.2 0 0 0 0.2 0.2 2\n'
SPECS = {'names': "names: ['ear', 'nose']\n", 'pose': 'kpt_shape: [2, 3]\nnames:\n  0: ear\n  4: nose\n'}


@pytest.fixture
def made(raw, tmp_path):
    (tmp_path/'copies').mkdir()
    def make(content, spec='names', others=()):
        shutil.rmtree(raw, ignore_errors=True)
        for i, o in enumerate((content, *others)):
            image(raw/f'ears/images/{i}.jpg')
            text(raw/f'ears/labels/{i}.txt', o)
        if spec: text(raw/'ears/data.yaml', SPECS.get(spec, spec))
        return rows(raw, 'ears/labels/0.txt')
    return make


@pytest.fixture
def edit(made, raw, tmp_path): return lambda *o: check(raw, 'ears/labels/0.txt', o, tmp_path/'copies', size=(40, 60))


def test_one_number_of_a_box_changes_alone(made, edit):
    ear, nose = made(BOXES)
    assert edit(nose.to(box=(0.1875, 0.1875, 0.125, 0.25))) == [(b'0.250000', b'0.312500'), (b'0.125000', b'0.250000')]
    assert edit(ear.to(label='nose'), nose.to(box=(0.1975, 0.1875, 0.125, 0.125))) == [(b'0', b'1'), (b'0.250000', b'0.260000')]
    assert edit(ear.to(box=ear.value.box, label='ear')) == []
    assert edit(ear.to(box=(0.375, 0.25, 0.2501234, 0.5))) == [(b'0.5', b'0.5001'), (b'0.25', b'0.2501')], 'as many digits as a twentieth of a pixel needs'


def test_lines_go_and_come(made, edit):
    ear, nose = made(BOXES)
    assert edit(ear.gone) == [(BOXES[:19].encode(), b'')]
    assert edit(ear.gone, nose.gone) == [(BOXES.encode(), b'')]
    assert edit(new('0', (0.25, 0.25, 0.5, 0.5), label='nose'), nose.gone) == [(BOXES[19:].encode(), b''), (b'', b'1 0.500000 0.500000 0.500000 0.500000\n')]
    with pytest.raises(CannotRewrite, match='give one'): edit(new('0', (0.25, 0.25, 0.5, 0.5)))


@pytest.mark.parametrize('content', ['', '\ufeff', '\n', '0 0.5 0.5 0.25 0.5', '\r\n0\t0.5\t0.5\t0.25\t0.5\r\n', '0,0.5,0.5,0.25,0.5\r1,0.25,0.25,0.5,0.5', ' 0  0.5 0.5 0.25 0.5 0.875\n\n', '0 5e-1 .5 +0.25 0.5'])
def test_odd_lines_stay_odd(made, edit, content):
    found = made(content, others=[BOXES])
    (_, written), *_ = edit(new('0', (0.25, 0.25, 0.5, 0.5), label='ear'))
    assert all((o in written.decode()) == (o in content) for o in ('\t', ',', '\r'))
    edit(*(o.gone for o in found), new('0', (0.25, 0.25, 0.5, 0.5), label='ear'), new('0', (0.25, 0.25, 0.5, 0.25), label='nose'))
    edit(*(o.to(box=(0.25, 0.25, 0.375, 0.5), label='nose') for o in found))
    edit(*(o.gone for o in found[:1]))


def test_keypoints_move_alone(made, edit):
    first, second = made(POSE, 'pose')
    a, b = first.value.points
    assert edit(first.to(points=[a, (0.55, 0.60, 2)])) == [(b'1', b'2')]
    assert edit(first.to(points=[(0.45, 0.41, 2), b])) == [(b'0.40', b'0.41')]
    assert edit(second.to(points=[(0.3, 0.3, 1), (0, 0, 0)], label='nose')) == [(b'0', b'4'), (b'0', b'0.30'), (b'0', b'0.30'), (b'0', b'1'), (b'0.2', b'0.0'), (b'0.2', b'0.0'), (b'2', b'0')]
    edit(new('0', (0.25, 0.25, 0.5, 0.5), [(0.3, 0.3, 1), (0, 0, 0)], 'nose'))
    with pytest.raises(CannotRewrite, match='have 2 keypoints'): edit(new('0', (0.25, 0.25, 0.5, 0.5), [(0.3, 0.3, 1)], 'nose'))


def test_an_empty_file_gets_the_layout_of_the_others(made, edit):
    made('', 'pose', others=[POSE.replace(' 2 ', ' ').replace(' 1\n', '\n').replace(' 2\n', '\n').replace(' 0 0 0 ', ' 0 0 ')])
    assert edit(new('0', (0.25, 0.25, 0.5, 0.5), [(0.3, 0.3, 2), (0, 0, 0)], 'ear')) == [(b'', b'0 0.500000 0.500000 0.500000 0.500000 0.300000 0.300000 0.000000 0.000000\n')]
    with pytest.raises(CannotRewrite, match='hidden'): edit(new('0', (0.25, 0.25, 0.5, 0.5), [(0.3, 0.3, 1), (0, 0, 0)], 'ear'))
    made('', 'pose')
    assert edit(new('0', (0.25, 0.25, 0.5, 0.5), [(0.3, 0.3, 1), (0, 0, 0)], 'ear'))[0][1].endswith(b' 0.300000 0.300000 1 0.000000 0.000000 0\n')


def test_a_box_of_an_outline_is_refused(made, edit):
    outline, = made('0 0.1 0.1 0.9 0.1 0.5 0.9\n')
    with pytest.raises(CannotRewrite, match='outline'): edit(outline.to(box=(0.1, 0.1, 0.7, 0.8)))
    with pytest.raises(CannotRewrite, match='outline'): edit(new('0', (0.1, 0.1, 0.7, 0.8), label='ear'))
    assert edit(outline.to(label='nose')) == [(b'0', b'1')]
    assert len(edit(outline.gone)) == 1


def test_classes_are_those_that_the_data_yaml_has(made, edit):
    ear, _ = made(BOXES)
    with pytest.raises(CannotRewrite, match=r"'eye' is not among the 2 classes of ears/data.yaml: add it there first"): edit(ear.to(label='eye'))
    ear, _ = made(BOXES, '')
    assert edit(ear.to(label='12')) == [(b'0', b'12')]
    with pytest.raises(CannotRewrite, match='put a data.yaml'): edit(ear.to(label='eye'))
    ear, _ = made(BOXES.replace('0 0.5', '7 0.5'), 'names: [ear, nose]')
    assert ear.value.label == 'unnamed 7' and edit(ear.to(label='ear')) == [(b'7', b'0')]


def test_words_are_classes_too(made, edit):
    ear, nose = made('left ear 0.5 0.5 0.25 0.5\nnose 0.25 0.25 0.125 0.125\n', '')
    assert edit(ear.to(label='right ear'), nose.to(box=(0.1875, 0.1875, 0.125, 0.25))) == [(b'left ear', b'right ear'), (b'0.25', b'0.3125'), (b'0.125', b'0.250')]
    with pytest.raises(CannotRewrite, match='cannot be a word'): edit(ear.to(label='ear 2'))


def test_an_edge_outside_of_the_picture_is_written_anew(made, edit):
    ear, = made('0 0.149995 0.5 0.3 0.5\n')
    assert ear.value.box[0] == 0
    assert edit(ear.to(box=(0, 0.25, 0.4, 0.5))) == [(b'0.149995', b'0.200000'), (b'0.3', b'0.400000')]


def test_oriented_boxes_get_other_classes(made, edit):
    ear, nose = made('10 10 50 10 50 35 10 35 small ear 0\n1 1 50 1 50 30 1 30 nose 1\n', '')
    assert edit(ear.to(label='ear'), nose.gone) == [(b'small ear', b'ear'), (b'1 1 50 1 50 30 1 30 nose 1\n', b'')]
    for o in (ear.to(box=(1, 2, 3, 4)), new('0', (1, 2, 3, 4), label='ear')):
        with pytest.raises(CannotRewrite, match='extent of four corners'): edit(o)


@settings(max_examples=tries(100), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), end=st.sampled_from(['', '\n', '\r\n']), spec=st.sampled_from(['names', 'pose']))
def test_any_edits_are_what_is_read_again(made, edit, data, end, spec):
    found = made((BOXES if spec == 'names' else POSE).rstrip().replace('\n', end or '\n') + end, spec)
    place = boxes(60, 40).map(lambda o: (o[0] / 60, o[1] / 40, o[2] / 60, o[3] / 40))
    point = st.tuples(st.integers(1, 59), st.integers(1, 39), st.integers(1, 2)).map(lambda o: (o[0] / 60, o[1] / 40, o[2]))
    def points(k): return st.tuples(*[st.one_of(point, st.just((0, 0, 0)))] * k)
    edit(*data.draw(edits(found, place, st.sampled_from(['ear', 'nose']), points, ['0'] if spec == 'names' else ())))


@pytest.mark.skipif(not REAL.is_dir(), reason='needs the real data')
def test_a_real_file_of_ears(raw, tmp_path):
    names = sorted(o.stem for o in (REAL/'ears_yolo_pose/train/labels').iterdir())[:8]
    text(raw/'ears/data.yaml', (REAL/'ears_yolo_pose/data.yaml').read_bytes())
    for o in names:
        text(raw/f'ears/train/labels/{o}.txt', (REAL/f'ears_yolo_pose/train/labels/{o}.txt').read_bytes())
        image(raw/f'ears/train/images/{o}.jpg')
    (tmp_path/'copies').mkdir()
    for o in names:
        name = f'ears/train/labels/{o}.txt'
        ear = rows(raw, name)[0]
        assert check(raw, name, [], tmp_path/'copies') == check(raw, name, [ear.to(box=ear.value.box, points=ear.value.points)], tmp_path/'copies') == []
        (x, y, v), = ear.value.points
        assert len(check(raw, name, [ear.to(points=[(x + 0.01, y, v)])], tmp_path/'copies', size=(640, 640))) == (v > 0)
