"A photo that several files describe is one, also where these lie in two folders of a repository"
from making import assert_accounted, boxes, coco, image, process, rows, text


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


def test_two_schemes_of_points(tmp_path):
    "One box in the detector, and a landmark row for each scheme"
    image(tmp_path/'raw/ears/a.png')
    for k in (2, 3): coco(tmp_path/f'raw/ears/{k}.json', {'a.png': [dict(bbox=[1, 2, 10, 20], keypoints=[3, 4, 2] + [5, 6, 2] * (k - 1))]})
    report = process(tmp_path/'raw', tmp_path/'out')
    assert_accounted(report, tmp_path/'out')
    assert boxes(tmp_path/'out') == [('ears/a.png', [1, 2, 10, 20])]
    assert sorted(len(o) for _, o in rows(tmp_path/'out', 'landmarker')) == [2, 3]
