"VGGFace2: boxes and landmarks of a face, names without extension, and files that are damaged at random"
import pytest
from damaging import EDITS, check_reader, edited, examples
from hypothesis import given
from making import boxes, formats, image, outcome, problem, process, reasons, rows, text

PICTURES = 'n2/0001_01.jpg', 'n3/0001_01.jpg'
quick = examples(1000)
BOXES = 'NAME_ID,X,Y,W,H\n"n2/0001_01",16,4,20,30\n"n3/0001_01",-3,4,20,30\n'
LANDMARKS = 'NAME_ID,P1X,P1Y,P2X,P2Y,P3X,P3Y,P4X,P4Y,P5X,P5Y\n"n2/0001_01",20.5,10,30,10,25,15,21,20,29.25,20\n"n3/0001_01",2,10,12,10,7,15,3,20,9,20\n'
POINTS = [[20.5, 10, 2], [30, 10, 2], [25, 15, 2], [21, 20, 2], [29.25, 20, 2]]


def faces(raw, **tables):
    for person in ('n2', 'n3'): image(raw/f'faces/train/{person}/0001_01.jpg')
    for name, content in tables.items(): text(raw/f'faces/bb_landmark/loose_{name}_train.csv', content)


def test_boxes(raw):
    "A folder for each person, images without extension, boxes that reach over the edge"
    faces(raw, bb=BOXES)
    assert reasons(outcome(raw)) == [('partly_outside', 'clipped')]
    assert boxes(raw.parent/'out') == [('faces/train/n2/0001_01.jpg', [16, 4, 20, 30]), ('faces/train/n3/0001_01.jpg', [0, 4, 17, 30])]


@pytest.mark.parametrize('end', ['\n', '\r\n'])
@pytest.mark.parametrize('batch_size', [1, 500])
def test_box_and_landmarks_of_a_face_are_one_object(raw, end, batch_size):
    faces(raw, bb=BOXES.replace('\n', end), landmark=LANDMARKS.replace('\n', end))
    report = process(raw, raw.parent/'out', train_split=1, batch_size=batch_size)
    assert formats(raw) == [('vggface2', ('faces/bb_landmark/loose_bb_train.csv', 'faces/bb_landmark/loose_landmark_train.csv'))]
    assert reasons(report) == [('partly_outside', 'clipped')]
    assert (report.sources['faces'].boxes.kept, report.sources['faces'].keypoints.kept) == (2, 2)
    assert [rows(raw.parent/'out', 'landmarker')[0], len(rows(raw.parent/'out', 'teacher'))] == [('faces/train/n2/0001_01.jpg', POINTS), 2]
    assert rows(raw.parent/'out', 'teacher')[0] == ('faces/train/n2/0001_01.jpg', [16, 4, 20, 30])


def test_landmarks_alone(raw):
    faces(raw, landmark=LANDMARKS)
    assert reasons(outcome(raw)) == [] and len(rows(raw.parent/'out', 'landmarker')) == 2


def test_faces_that_are_in_one_table_only(raw):
    faces(raw, bb=''.join(BOXES.splitlines(True)[:2]), landmark=LANDMARKS)
    report = outcome(raw)
    assert (report.sources['faces'].boxes.kept, report.sources['faces'].keypoints.kept) == (1, 2)
    assert len(rows(raw.parent/'out', 'teacher')) == 2


def test_lines_that_are_wrong(raw):
    faces(raw, bb=BOXES + 'n2/0001_01,1,2,3\n', landmark=LANDMARKS + '"n9/0009_01",1,1,9,1,5,5,1,9,9,9\n')
    report = outcome(raw)
    assert (problem(report, 'malformed').where, problem(report, 'malformed').boxes) == ('line 4', 1)
    assert (problem(report, 'missing_image').keypoints, problem(report, 'missing_image').file) == (1, 'faces/bb_landmark/loose_landmark_train.csv')


@quick
@given(EDITS)
def test_a_damaged_twin(pictures, edits):
    (pictures/'landmark.csv').write_bytes(edited(LANDMARKS.encode(), edits))
    try: check_reader(pictures, 'bb.csv', 'vggface2', BOXES.encode())
    finally: (pictures/'landmark.csv').unlink()
