"CelebA: boxes and landmarks, as text and as CSV, the two sets of images, and files that are damaged at random"
import pytest
from damaging import check_reader, examples
from hypothesis import given, strategies as st
from making import boxes, formats, image, outcome, problem, reasons, rows, text

PICTURES = '000001.jpg', '000002.jpg'
quick = examples(1000)


BOXES = '3\nimage_id x_1 y_1 width height\n000001.jpg    1  2 13 14\n000002.jpg    7  9  21 26\n000003.jpg 0 0 0 0\n'
EYES = 'lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y'
LANDMARKS = f'2\n{EYES}\n000001.jpg 1  2  16  3   8  12   3  22  18 24\n000002.jpg 2 2  16  3   8  12   3  22  18 -4\n'


def faces(raw, *folders):
    for folder in folders:
        for i in (1, 2): image(raw/f'celeba/{folder}/00000{i}.jpg')


def as_csv(content): return '\n'.join(','.join(line.split()) for line in content.splitlines()[1:]).replace('lefteye_x', 'image_id,lefteye_x') + '\n'


@pytest.mark.parametrize(('name', 'form'), [('list_bbox_celeba.txt', str), ('list_bbox_celeba.csv', as_csv), ('Anno/list_bbox_celeba.txt', lambda o: o.replace('\n', '\r\n'))])
def test_boxes(raw, name, form):
    faces(raw, 'Img/img_celeba', 'Img/img_align_celeba')
    text(raw/'celeba'/name, form(BOXES.replace('000003', '000002')))
    assert reasons(outcome(raw)) == [('no_area', 'dropped')]
    assert boxes(raw.parent/'out') == [('celeba/Img/img_celeba/000001.jpg', [1, 2, 13, 14]), ('celeba/Img/img_celeba/000002.jpg', [7, 9, 21, 26])]
    assert {o for o, _ in formats(raw)} == {'celeba'}


@pytest.mark.parametrize(('name', 'form', 'folder'), [
    ('list_landmarks_align_celeba.txt', str, 'img_align_celeba'), ('list_landmarks_celeba.txt', str, 'img_celeba'), ('list_landmarks_align_celeba.csv', as_csv, 'img_align_celeba')])
def test_landmarks(raw, name, form, folder):
    faces(raw, 'img_celeba', 'img_align_celeba/img_align_celeba')
    text(raw/'celeba'/name, form(LANDMARKS))
    assert reasons(outcome(raw)) == []
    (path, points), (_, second) = rows(raw.parent/'out', 'landmarker')
    assert path.endswith(f'{folder}/000001.jpg') and points == [[1, 2, 2], [16, 3, 2], [8, 12, 2], [3, 22, 2], [18, 24, 2]] and second[4] == [18, -4, 2]


def test_boxes_of_other_images(raw):
    "The copy with the aligned images alone has the boxes of the others"
    faces(raw, 'img_align_celeba')
    text(raw/'celeba/list_bbox_celeba.csv', as_csv(BOXES))
    text(raw/'celeba/list_landmarks_align_celeba.csv', as_csv(LANDMARKS))
    assert 'img_celeba' in problem(outcome(raw), 'bad_file').detail and boxes(raw.parent/'out') == []


def test_images_in_a_folder_of_any_name(raw):
    faces(raw, 'images')
    text(raw/'celeba/list_landmarks_align_celeba.txt', LANDMARKS)
    assert reasons(outcome(raw)) == [] and len(rows(raw.parent/'out', 'landmarker')) == 2


@pytest.mark.parametrize(('line', 'where'), [('000001.jpg 1 2 3', 'line 6'), ('\n000001.jpg 1 2 x 4', 'line 7'), ('000001.jpg', 'line 6'), ('000001.jpg 1 2 3 4 5', 'line 6')])
def test_bad_rows(raw, line, where):
    faces(raw, 'img_celeba')
    text(raw/'celeba/list_bbox_celeba.txt', BOXES.replace('3\n', '4\n', 1).replace('000003.jpg 0 0 0 0', '000002.jpg 1 1 2 2') + line)
    p = problem(outcome(raw), 'malformed')
    assert (p.where, p.action, p.boxes) == (where, 'dropped', 1) and len(boxes(raw.parent/'out')) == 3


def test_the_end_is_missing(raw):
    faces(raw, 'img_align_celeba')
    text(raw/'celeba/list_landmarks_align_celeba.txt', LANDMARKS.replace('2\n', '202599\n', 1))
    assert problem(outcome(raw), 'malformed').detail == '202599 rows are announced, 2 follow'


def test_other_lists_are_left_alone(raw):
    faces(raw, 'img_align_celeba')
    text(raw/'celeba/list_attr_celeba.txt', '2\n5_o_Clock_Shadow Arched_Eyebrows\n000001.jpg -1 1\n000002.jpg -1 -1\n')
    text(raw/'celeba/list_eval_partition.txt', '000001.jpg 0\n000002.jpg 1\n'), text(raw/'celeba/identity_CelebA.txt', '000001.jpg 2880\n')
    assert formats(raw) == []


CELLS = st.sampled_from(['000001.jpg', '000002.jpg', '1', '2.5', '-3', 'nan', 'inf', '1e300', '1e999', 'x', '', ',', '"', '\0', '٣', '9' * 5000])


@quick
@given(st.sampled_from([BOXES, LANDMARKS]), st.lists(st.lists(CELLS, max_size=11), max_size=5))
def test_odd_cells(pictures, head, lines):
    check_reader(pictures, 'list_celeba.txt', 'celeba', '\n'.join([*head.splitlines()[:3], *map(' '.join, lines)]).encode())
