"A photo that several files describe is one, also where these lie in two folders of a repository"
from concurrent.futures import ThreadPoolExecutor

import pytest
from making import assert_accounted, boxes, coco, image, opened, problem, process, pts, reasons, rows, text

from ear_lazy.data_processor import Source
from ear_lazy.errors import ProblemError, RawDataError


def test_a_cloned_repository(tmp_path):
    "Photos, their XML files, and in `data/` a table that was made of these: 2 boxes, not 4"
    raw = tmp_path/'raw'
    for name in 'ab':
        image(raw/f'images/{name}.png')
        text(raw/f'annotations/{name}.xml', f'<annotation><filename>{name}.png</filename><object><name>ear</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>11</xmax><ymax>22</ymax></bndbox></object></annotation>')
    text(raw/'data/labels.csv', 'filename,class,xmin,ymin,xmax,ymax\na.png,ear,1,2,11,22\nb.png,ear,1,2,11,22\n')
    report = process(raw, tmp_path/'out')
    assert_accounted(report, tmp_path/'out')
    assert boxes(tmp_path/'out') == [('images/a.png', [1, 2, 10, 20]), ('images/b.png', [1, 2, 10, 20])]
    assert [(p.file, p.reason, p.action) for p in report.problems] == [('data/labels.csv', 'repeat', 'merged')] * 2


@pytest.mark.parametrize('files', [1, 2])
def test_two_schemes_of_points(tmp_path, files):
    "One box in the detector, and a landmark row for each scheme, in one file or two"
    image(tmp_path/'raw/ears/a.png')
    schemes = [dict(bbox=[1, 2, 10, 20], keypoints=[3, 4, 2] + [5, 6, 2] * (k - 1)) for k in (2, 3)]
    for n in range(files): coco(tmp_path/f'raw/ears/{n}.json', {'a.png': schemes[n::files]})
    report = process(tmp_path/'raw', tmp_path/'out')
    assert_accounted(report, tmp_path/'out')
    assert boxes(tmp_path/'out') == [('ears/a.png', [1, 2, 10, 20])]
    assert sorted(len(o) for _, o in rows(tmp_path/'out', 'landmarker')) == [2, 3]


@pytest.fixture(params=['alone', 'elsewhere', 'shared'])
def way(request):
    "How a run parses"
    if request.param == 'alone':
        yield {}
        return
    with ThreadPoolExecutor(2) as executor: yield dict(executor=executor) | (dict(shared_storage=True) if request.param == 'shared' else {})


def origins(out, kind='detector'):
    "Where each object of each row is described"
    return [[str(o) for o in own] for file in opened(out, kind) for i in range(len(file)) for own in file.origins(i)]


def test_two_datasets(tmp_path, way):
    "Photos with their boxes, and beside them a dataset of its own with one of the same and another: one row, each box once, with all origins; also in the next run"
    raw, out = tmp_path/'raw', tmp_path/'out'
    image(raw/'ears/a.png')
    coco(raw/'ears/ears.json', {'a.png': [[1, 2, 10, 20]]})
    text(raw/'table/labels.csv', 'filename,class,xmin,ymin,xmax,ymax\na.png,ear,1,2,11,22\na.png,ear,5,5,35,35\n')
    report = process(raw, out, **way)
    assert_accounted(report, out)
    assert rows(out, 'detector') == [('ears/a.png', [[1, 2, 10, 20], [5, 5, 30, 30]])]
    assert origins(out) == [['ears/ears.json, id 10', 'table/labels.csv, line 2'], ['table/labels.csv, line 3']]
    merged = problem(report, 'repeat')
    assert (merged.source, merged.file, merged.where, merged.boxes, merged.action) == ('table', 'table/labels.csv', 'line 2', 1, 'merged')
    assert (report.sources['table'].boxes.kept, report.sources['ears'].boxes.kept) == (1, 1)
    image(raw/'other/b.png')
    coco(raw/'other/b.json', {'b.png': [[1, 2, 10, 20]]})
    assert problem(process(raw, out, **way), 'repeat') == merged
    process(raw, tmp_path/'strict', strict=True, **way) # a second description is no loss
    (raw/'table/labels.csv').rename(raw/'ears/labels.csv')
    assert reasons(process(raw, out, **way)) == [('repeat', 'merged')] and len(boxes(out)) == 3


def test_a_box_and_its_points_in_two_datasets(tmp_path, way):
    "Box, points and class of one ear stand in three files of three datasets; the points differ by some pixels where they are there twice"
    raw, out = tmp_path/'raw', tmp_path/'out'
    for name in 'ab': image(raw/f'photos/{name}.png', (200, 200))
    points = [(60, 60, 2), (140, 70, 2), (100, 150, 2)]
    coco(raw/'photos/boxes.json', {'a.png': [[55, 55, 90, 100]], 'b.png': [[10, 10, 90, 90]]})
    coco(raw/'marks/marks.json', {'../photos/a.png': [dict(keypoints=[c for x, y, v in points for c in (x, y, v)])]})
    text(raw/'more/a.csv', 'filename,class,xmin,ymin,xmax,ymax\n../photos/a.png,ear,57,53,145,155\n')
    report = process(raw, out, **way)
    assert_accounted(report, out)
    assert [len(rows(out, o)) for o in ('detector', 'landmarker', 'teacher')] == [2, 1, 2]
    assert sorted(boxes(out)) == [('photos/a.png', [55, 55, 90, 100]), ('photos/b.png', [10, 10, 90, 90])]
    assert origins(out, 'landmarker') == [['photos/boxes.json, id 10', 'marks/marks.json, id 10', 'more/a.csv, line 2']]


def test_photos_of_another_level(tmp_path, way):
    "Landmarks of photos that lie in `detector/`, which only their paths lead to: one crop of an ear; and what becomes of the photo is seen"
    raw, out = tmp_path/'raw', tmp_path/'out'
    for name in 'ab': image(raw/f'detector/heads/{name}.png', (200, 200))
    image(raw/'landmarker/other/c.png')
    pts(raw/'landmarker/other/c.pts', [(1, 2), (30, 20), (9, 9)])
    coco(raw/'detector/heads/heads.json', {'a.png': [[10, 10, 100, 100]], 'b.png': [[10, 10, 90, 90]]}, (200, 200))
    coco(raw/'landmarker/marks/marks.json', {'../../detector/heads/a.png': [dict(bbox=[12, 12, 96, 96], keypoints=[20, 20, 2, 100, 30, 2, 60, 100, 2])]}, (200, 200))
    report = process(raw, out, **way)
    assert_accounted(report)
    assert [len(rows(out, o)) for o in ('detector', 'landmarker', 'teacher')] == [2, 2, 3]
    assert ['detector/heads/heads.json, id 10', 'landmarker/marks/marks.json, id 10'] in origins(out, 'landmarker')
    (raw/'detector/heads/a.png').unlink()
    process(raw, out, **way)
    assert [o for o, _ in rows(out, 'landmarker')] == ['landmarker/other/c.png']


def test_empty_photos_of_two_datasets(tmp_path, way):
    "Photos without an object in one dataset, of which another has a box, and one that both say to be empty"
    raw, out = tmp_path/'raw', tmp_path/'out'
    for name in 'ab': image(raw/f'ears/{name}.png')
    coco(raw/'ears/ears.json', {'a.png': [], 'b.png': []})
    coco(raw/'more/more.json', {'../ears/a.png': [], '../ears/b.png': [[1, 2, 10, 20]]})
    assert_accounted(process(raw, out, sources=Source('ears', attributes=['subject']), **way), out)
    assert rows(out, 'detector') == [('ears/a.png', []), ('ears/b.png', [[1, 2, 10, 20]])]


@pytest.mark.parametrize('dataset', ['ears', 'more'])
def test_two_objects_of_a_file_stay_two(tmp_path, dataset, way):
    "… also where a third file, of this dataset or another, has a box between them, and the first is merged already"
    raw, out = tmp_path/'raw', tmp_path/'out'
    image(raw/'ears/a.png', (200, 200))
    coco(raw/'ears/a.json', {'a.png': [[10, 10, 100, 100]]}, (200, 200))
    coco(raw/'ears/b.json', {'a.png': [[10, 10, 100, 100], [30, 10, 100, 100]]}, (200, 200))
    coco(raw/dataset/'c.json', {'../ears/a.png': [[20, 10, 100, 100]]}, (200, 200))
    assert_accounted(process(raw, out, **way), out)
    assert boxes(out) == [('ears/a.png', [10, 10, 100, 100]), ('ears/a.png', [30, 10, 100, 100])]
    assert origins(out) == [['ears/a.json, id 10', 'ears/b.json, id 10', f'{dataset}/c.json, id 10'], ['ears/b.json, id 11']]


@pytest.mark.parametrize('dataset', ['ears', 'more'])
def test_classes_that_become_one(tmp_path, dataset, way):
    "Two files call an ear by two names: with `rename` it is one object, also in the next run; other boxes of the joined class stay"
    raw, out = tmp_path/'raw', tmp_path/'out'
    image(raw/'ears/a.png', (200, 200))
    coco(raw/'ears/ears.json', {'a.png': [[10, 10, 50, 50], [100, 100, 50, 50]]}, (200, 200), categories=[dict(id=1, name='Ear')])
    text(raw/dataset/'table.csv', 'filename,class,xmin,ymin,xmax,ymax\n../ears/a.png,ear,10,10,60,60\n../ears/a.png,ear,20,100,60,150\n../ears/a.png,head,100,100,150,150\n')
    for options, left in (({}, 5), (dict(rename={'Ear': 'ear'}), 4), (dict(rename={'Ear': 'ear', 'head': 'ear'}, classes=['ear']), 3), (dict(rename={'Ear': 'ear', 'ear': 'head', 'head': 'Ear'}), 5)):
        report = process(raw, out, **options, **way)
        assert_accounted(report, out)
        assert len(boxes(out)) == left == 5 - sum(p.reason == 'repeat' for p in report.problems) and sum(map(len, origins(out))) == 5, options
    process(raw, out, rename={'Ear': 'ear'}, **way)
    assert ['ears/ears.json, id 10', f'{dataset}/table.csv, line 2'] in origins(out)


def test_one_source_is_over_another(tmp_path, way):
    "Where they overlap by half the corrected boxes come, with their class; what the other has besides stays"
    raw, out = tmp_path/'raw', tmp_path/'out'
    for name in 'ab': image(raw/f'old/{name}.png', (200, 200))
    coco(raw/'old/old.json', {'a.png': [[10, 10, 80, 80], [120, 120, 60, 60]], 'b.png': [[10, 10, 90, 90]]}, (200, 200))
    text(raw/'new/new.csv', 'filename,class,xmin,ymin,xmax,ymax\n../old/a.png,left ear,15,20,95,100\n')
    report = process(raw, out, sources=Source('new', over='old'), **way)
    assert_accounted(report, out)
    assert sorted(boxes(out)) == [('old/a.png', [15, 20, 80, 80]), ('old/a.png', [120, 120, 60, 60]), ('old/b.png', [10, 10, 90, 90])]
    told = problem(report, 'repeat')
    assert (told.source, told.boxes) == ('old', 1) and 'declared over this one: new/new.csv, line 2 is kept' in told.detail
    with pytest.raises(RawDataError, match="new is declared over 'nobody', which is not there; there are new, old"): process(raw, out, sources=Source('new', over='nobody'), **way)
    with pytest.raises(ValueError, match='in a circle'): process(raw, out, sources=[Source('new', over='old'), Source('old', over=['new'])], **way)
    text(raw/'sources.toml', '[new]\nover = "old"\n')
    assert problem(process(raw, tmp_path/'toml', **way), 'repeat') == told


def test_strict_stops_at_no_note(tmp_path):
    "An image under another spelling of its name, a video, a merged repeat; but at what is lost"
    raw = tmp_path/'raw'
    image(raw/'ears/A.PNG')
    text(raw/'ears/film.mp4', b'\0\0\0\x18ftypmp42')
    coco(raw/'ears/ears.json', {'a.png': [[1, 2, 10, 20], [1, 2, 10, 20]]})
    assert reasons(process(raw, tmp_path/'out', strict=True)) == [('not_recognised', 'dropped'), ('other_name', 'kept'), ('repeat', 'merged')]
    text(raw/'ears/more.zip', b'PK\x03\x04')
    with pytest.raises(ProblemError, match='more.zip'): process(raw, tmp_path/'out', strict=True)


CROWDS = dict(column=[[10, 10 + 14 * i, 200, 12] for i in range(150)], row=[[10 + 14 * i, 10, 12, 200] for i in range(150)],
              grid=[[10 + 45 * x, 10 + 45 * y, 40, 40] for x in range(50) for y in range(50)])


@pytest.mark.parametrize('shape', CROWDS)
def test_crowds(tmp_path, shape):
    "Hundreds of boxes of one photo in two files, of which many begin at one edge: each is there once, also if they differ by a pixel"
    raw, size, own = tmp_path/'raw', (2300, 2300), CROWDS[shape]
    image(raw/'page/a.png', size)
    coco(raw/'page/a.json', {'a.png': own}, size)
    coco(raw/'page/b.json', {'a.png': [[x + (7 * i % 3) - 1, y + (5 * i % 3) - 1, w, h] for i, (x, y, w, h) in enumerate(own)]}, size)
    report = process(raw, tmp_path/'out')
    assert_accounted(report, tmp_path/'out')
    assert boxes(tmp_path/'out') == [('page/a.png', o) for o in sorted(own)]
