"A photo that several files describe is one, also where these lie in two folders of a repository"
from concurrent.futures import ThreadPoolExecutor

import pytest
from making import assert_accounted, boxes, coco, image, problem, process, reasons, rows, text

from ear_lazy.errors import ProblemError


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


@pytest.mark.parametrize('shared', [False, True])
def test_two_datasets(tmp_path, shared):
    "Photos with their boxes, and beside them a dataset of its own with the same: it is told, and what it says to do helps; also in the next run"
    raw, out, table = tmp_path/'raw', tmp_path/'out', 'filename,class,xmin,ymin,xmax,ymax\na.png,ear,1,2,11,22\na.png,ear,5,5,15,15\n'
    image(raw/'ears/a.png')
    coco(raw/'ears/ears.json', {'a.png': [[1, 2, 10, 20]]})
    text(raw/'table/labels.csv', table)
    with ThreadPoolExecutor(1) as executor:
        options = dict(executor=executor, shared_storage=True) if shared else {}
        told = problem(process(raw, out, **options), 'two_datasets')
        assert (told.source, told.boxes, told.action) == ('table', 1, 'kept') and told.detail.startswith('1 photo of ears, and 1 of 2 boxes'), told
        image(raw/'other/b.png')
        coco(raw/'other/b.json', {'b.png': [[1, 2, 10, 20]]})
        assert problem(process(raw, out, **options), 'two_datasets') == told
        with pytest.raises(ProblemError, match='the same photos'): process(raw, tmp_path/'strict', strict=True, **options)
        (raw/'table/labels.csv').rename(raw/'ears/labels.csv')
        assert reasons(process(raw, out, **options)) == [('repeat', 'merged')]
    assert len(boxes(out)) == 3


def test_strict_stops_at_no_note(tmp_path):
    "An image under another spelling of its name, a video, a merged repeat; but at what is lost"
    raw = tmp_path/'raw'
    image(raw/'ears/A.PNG')
    text(raw/'ears/film.mp4', b'\0\0\0\x18ftypmp42')
    coco(raw/'ears/ears.json', {'a.png': [[1, 2, 10, 20], [1, 2, 10, 20]]})
    assert reasons(process(raw, tmp_path/'out', strict=True)) == [('not_recognised', 'dropped'), ('other_name', 'kept'), ('repeat', 'merged')]
    text(raw/'ears/more.zip', b'PK\x03\x04')
    with pytest.raises(ProblemError, match='more.zip'): process(raw, tmp_path/'out', strict=True)
