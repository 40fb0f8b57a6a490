"What the report tells of a problem: its place in the image, in files and as a picture"
import csv
import io
import json
import pickle
import re

import numpy as np
import pytest
from making import coco, image, process, pts, sound, text
from PIL import Image

from ear_lazy.base.records import Problem
from ear_lazy.processing.report import Problems, Report, weight

HOSTILE = '<img src=x onerror=alert(1)>.png'


def report_of(raw, **options): return process(raw, raw.parent/'out', **options)


def boxes_of(report): return {p.reason: p.box for p in report.problems}


def pictures(html): return re.findall(r'<img src="data:image/jpeg;base64,([^"]+)" alt="([^"]*)"', html)


@pytest.fixture
def raw(tmp_path):
    "One COCO dataset with an object for each thing that can be wrong with a box"
    raw = tmp_path/'raw'
    image(raw/'ears/a.png')
    good = [5, 5, 10, 10]
    wrong = [[70, 5, 10, 10], [55, 30, 10, 20], [3.25, 4.1, 0, 9], [float('nan'), 1, 2, 3]]
    crowd, outline = dict(bbox=[1, 2, 30, 20], iscrowd=1), dict(segmentation=[[1, 1, 9, 1, 9, 7]])
    coco(raw/'ears/ears.json', {'a.png': [good, good, *wrong[:3], crowd, outline], 'gone.png': [good]})
    return raw


def test_problems_know_their_place(raw):
    assert boxes_of(report_of(raw)) == {
        'outside': (70, 5, 10, 10), 'partly_outside': (55, 30, 10, 20), 'no_area': (3.25, 4.1, 0, 9), 'repeat': (5, 5, 10, 10),
        'crowd': (1, 2, 30, 20), 'no_box': (1, 1, 8, 6), 'missing_image': ()}


def test_a_place_that_is_no_number_is_unknown(tmp_path):
    image(tmp_path/'raw/ears/a.png')
    text(tmp_path/'raw/ears/a.csv', 'image_path,x1,y1,w,h\na.png,nan,2,3,4\na.png,1,2,inf,4\na.png,1,2,3,4\n')
    report = report_of(tmp_path/'raw')
    assert [p.box for p in report.problems] == [(), ()]
    assert 'NaN' not in (tmp_path/'out/report.json').read_text() and len(pictures(report._repr_html_())) == 2


def test_places_in_the_files(raw):
    report, out = report_of(raw), raw.parent/'out'
    on_disk = json.loads((out/'report.json').read_text())
    assert [tuple(o['box']) for o in (*on_disk['problems'], *on_disk['notes'])] == [p.box for p in sorted(report.problems, key=weight)]
    table = list(csv.DictReader(io.StringIO((out/'problems.csv').read_text())))
    cells = [tuple(float(o[k]) for k in ('x', 'y', 'width', 'height') if o[k]) for o in table]
    assert cells == [p.box for p in report.problems]


def test_places_of_keypoints(tmp_path):
    "The extent of the points, where there is no box"
    for name in 'abc': image(tmp_path/f'raw/faces/{name}.png')
    pts(tmp_path/'raw/faces/a.pts', [(5, 5), ('nan', 3), (15, 25)])
    pts(tmp_path/'raw/faces/b.pts', [(8, 9), (8, 20), (8, 12)])
    pts(tmp_path/'raw/faces/c.pts', [('nan', 1)] * 3)
    report = report_of(tmp_path/'raw')
    found = {(p.reason, p.image[-5]): p.box for p in report.problems}
    assert found == {('not_finite', 'a'): (5, 5, 10, 20), ('no_crop', 'b'): (8, 9, 0, 11), ('not_finite', 'c'): (), ('unlabelled', 'c'): ()}


def test_places_of_two_descriptions(tmp_path):
    image(tmp_path/'raw/faces/a.png')
    coco(tmp_path/'raw/faces/a.json', {'a.png': [dict(bbox=[4, 4, 12, 22], keypoints=[5, 5, 2, 15, 25, 2])]})
    pts(tmp_path/'raw/faces/a.pts', [(5, 5), (15, 25)])
    assert boxes_of(report_of(tmp_path/'raw')) == {'repeat': (5, 5, 10, 20)}


@pytest.mark.parametrize('declared, expected', [((40, 60), (28, 1, 10, 20)), ((60, 40), (1, 2, 20, 10))])
def test_a_reader_s_problem_is_turned_along(tmp_path, declared, expected):
    "The photo is stored lying, 40 high and 60 wide, and seen standing"
    exif = Image.Exif()
    exif[0x0112] = 6
    image(tmp_path/'raw/ears/a.jpg', exif=exif)
    coco(tmp_path/'raw/ears/a.json', {'a.jpg': [[5, 5, 5, 5], dict(bbox=[1, 2, 20, 10], iscrowd=1)]}, size=declared)
    report = report_of(tmp_path/'raw')
    assert boxes_of(report) == {'crowd': expected}
    assert report.problems[0].image == 'ears/a.jpg'


@pytest.mark.parametrize('sound', ['a', ''], ids=['beside a sound box', 'alone'])
def test_a_reader_s_problem_in_fractions(tmp_path, sound):
    "The image is measured, also where it has no other box"
    image(tmp_path/'raw/signs/a.jpg')
    header = 'ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n'
    lines = 'a,x,/m/1,1,0.25,0.5,0.1,0.6,0,0,1,0,0\n' + ('a,x,/m/1,1,0.5,0.75,0.1,0.6,0,0,0,0,0\n' if sound else '')
    text(tmp_path/'raw/signs/boxes.csv', header + lines)
    crowd, = report_of(tmp_path/'raw').problems
    assert crowd.image == 'signs/a.jpg' and np.allclose(crowd.box, [15, 4, 15, 20])


def test_an_image_without_a_sound_annotation_is_found(tmp_path):
    for name in 'ab': image(tmp_path/f'raw/ears/images/{name}.png')
    text(tmp_path/'raw/ears/a.csv', 'image_path,x1,y1,w,h\nimages/a.png,x,2,3,4\nimages/b.png,1,2,3,4\n')
    report = report_of(tmp_path/'raw')
    assert [(p.reason, p.image, p.box) for p in report.problems] == [('malformed', 'ears/images/a.png', ())]
    assert len(pictures(report._repr_html_())) == 1


def test_pictures(raw):
    report = report_of(raw)
    shown = pictures(report._repr_html_())
    assert len(shown) == 6 and 'not on disk' in report._repr_html_()
    assert all(alt.startswith('a.png: ') for _, alt in shown)
    assert all(len(data) <= 6_000 * 4/3 for data, _ in shown)
    outside = report.problems.where(reason='outside')
    assert [alt for _, alt in pictures(outside._repr_html_())] == ['a.png: box lies wholly outside the image, [70, 5, 10, 10]']
    assert pickle.loads(pickle.dumps(outside)).raw_data_dir == outside.raw_data_dir == raw


def test_noisy_pictures_stay_small(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    (tmp_path/'raw/ears').mkdir(parents=True)
    Image.fromarray(noise).save(tmp_path/'raw/ears/a.png')
    coco(tmp_path/'raw/ears/a.json', {'a.png': [[390, 10, 30, 100], dict(bbox=[0, 0, 400, 300], iscrowd=1)]}, size=(300, 400))
    (first, _), (second, _) = pictures(report_of(tmp_path/'raw')._repr_html_())
    assert max(len(first), len(second)) <= 10_000


def test_names_are_text(tmp_path):
    name = HOSTILE.replace('.png', '')
    image(tmp_path/'raw/ears'/HOSTILE)
    coco(tmp_path/f'raw/ears/{name}.json', {HOSTILE: [[70, 5, 10, 10]], '<b>gone.png': [[1, 2, 3, 4]]},
         categories=[dict(id=1, name='<script>')])
    html = report_of(tmp_path/'raw')._repr_html_()
    assert len(pictures(html)) == 1 and html.count('onerror') == 5
    for tag in ('<img src=x', '<script>', '<b>gone'): assert tag not in html


def test_an_image_that_cannot_be_shown_is_described(raw):
    report = report_of(raw)
    whole = (raw/'ears/a.png').read_bytes()
    for content, words in ((b'', 'the file is empty'), (b'no image', 'not an image'), (whole[:60], 'cannot be')):
        (raw/'ears/a.png').write_bytes(content)
        assert words in report._repr_html_() and not pictures(report._repr_html_())
    (raw/'ears/a.png').unlink()
    assert 'no such file' in report._repr_html_()


@pytest.mark.parametrize('name', ['/{}', '../{}', 'x/../../{}', 'a\0b.png'])
def test_no_picture_from_elsewhere(tmp_path, name):
    (tmp_path/'raw').mkdir()
    image(tmp_path/'secret.png')
    found = name.format(f'{tmp_path}/secret.png'[1:] if name[0] == '/' else 'secret.png')
    problem = Problem('ears', 'ears/a.csv', 'line 2', found, 'malformed', 'dropped')
    assert not pictures(Problems([problem], tmp_path/'raw')._repr_html_())


def test_a_dozen_pictures_at_most(tmp_path):
    image(tmp_path/'raw/ears/a.png')
    reasons = ('outside', 'no_area', 'partly_outside', 'crowd', 'malformed')
    found = [Problem('ears', 'ears/a.csv', f'line {i}', 'ears/a.png', r, 'dropped', box=(i, 2, 3, 4)) for i in range(40) for r in reasons]
    problems = Problems(found, tmp_path/'raw')
    html = problems._repr_html_()
    assert len(pictures(html)) == 12 and '… and 37 more' in html and '… and 38 more' in html
    alone = problems.where(reason='outside')._repr_html_()
    assert len(pictures(alone)) == 12 and '… and 28 more' in alone


def test_images_are_read_when_jupyter_asks(raw, monkeypatch):
    asked = []
    monkeypatch.setattr('ear_lazy.processing.report.load_image', lambda path, **checks: asked.append(path) or np.zeros((40, 60, 3), np.uint8))
    report = report_of(raw)
    str(report), repr(report), report.to_json(), report.problems.to_csv(), report.problems.where(reason='outside')
    assert asked == []
    report._repr_html_()
    assert len(asked) == 6


def test_without_problems_or_a_folder():
    assert Report(('detector',)).problems._repr_html_() == '<p>No problems.</p>'
    problem = Problem('ears', 'ears/a.csv', 'line 2', 'ears/a.png', 'outside', 'dropped', box=(1, 2, 3, 4))
    assert 'line 2' in Problems([problem])._repr_html_()


@pytest.mark.parametrize('fields, words', [(dict(reason='outsde'), "no reason 'outsde': there are bad_file"), (dict(reson='outside'), "have no 'reson'")])
def test_a_filter_that_is_misspelt(raw, fields, words):
    with pytest.raises(ValueError, match=words): report_of(raw).problems.where(**fields)


def test_an_unreadable_image_is_of_its_own_label_file(tmp_path):
    for name in 'ab': text(tmp_path/f'raw/ears/labels/{name}.txt', '0 0.5 0.5 0.2 0.2\n')
    image(tmp_path/'raw/ears/images/a.png')
    text(tmp_path/'raw/ears/images/b.png', 'no image')
    found, = report_of(tmp_path/'raw').problems
    assert (found.reason, found.file, found.image) == ('unreadable_image', 'ears/labels/b.txt', 'ears/images/b.png')


# What is said of a run that leaves much out, or writes nothing

def test_without_a_report_json_nothing_refers_to_it(tmp_path):
    "… it is in no file, so all is printed, up to a hundred of a reason"
    text(tmp_path/'raw/ears/a.csv', 'image_path,x1,y1,w,h\n' + ''.join(f'{i}.jpg,1,2,3,4\n' for i in range(105)))
    report = process(tmp_path/'raw', tmp_path/'out')
    assert not report.outputs and 'report.json' not in str(report)
    assert '(line 101, 99.jpg)' in str(report) and '… and 5 more; `report.problems` in Python has all' in str(report)
    assert len(report.problems.where(reason='missing_image')) == 105
    image(tmp_path/'raw/ears/0.jpg')
    assert '… and 101 more in report.json' in str(process(tmp_path/'raw', tmp_path/'out'))


def test_nothing_found_is_not_nothing_left(tmp_path):
    image(tmp_path/'raw/landmarker/ears/a.png', (40, 60)), pts(tmp_path/'raw/landmarker/ears/a.pts', [[90, 90], [95, 99]])
    shown = str(process(tmp_path/'raw', tmp_path/'out', ('detector', 'landmarker'), classes=()))
    assert 'no detector data found: no detector file' in shown
    image(tmp_path/'raw/ears/b.png'), coco(tmp_path/'raw/ears/t.json', {'b.png': [[1, 1, 0, 5]]})
    assert 'no rows are left for detector: no detector file' in str(process(tmp_path/'raw', tmp_path/'out', ('detector',)))


def test_what_was_not_asked_for_is_counted_and_no_fault(tmp_path):
    raw = tmp_path/'raw'
    for i in range(6): image(raw/f'landmarker/ears/{i}.png'), pts(raw/f'landmarker/ears/{i}.pts', [[5, 5], [9, 9]])
    image(raw/'heads/a.png'), coco(raw/'heads/t.json', {'a.png': [[1, 1, 5, 5], [2, 2, 9, 9]]})
    shown = str(process(raw, tmp_path/'out', ('landmarker',)))
    assert '2 boxes left out: nothing that was asked for uses it\n    heads: boxes are for detector and teacher files, and landmarker files were asked for' in shown
    shown = str(process(raw, tmp_path/'out', ('detector',)))
    assert '6 sets of keypoints left out: ' in shown and 'landmarker/ears: keypoints are for landmarker files, and detector files were asked for' in shown
    assert '1 ×' not in shown and '6 sets of keypoints' in process(raw, tmp_path/'out', ('detector',))._repr_html_()
    coco(raw/'detector/both/t.json', {'../../heads/a.png': [dict(bbox=[1, 1, 20, 20], keypoints=[5, 5, 2, 9, 9, 2])]})
    report = process(raw, tmp_path/'out', ('detector', 'landmarker'))
    assert 'keypoints are for landmarker files, and detector/both feeds detector and teacher files' in str(report)


def test_files_with_nothing_in_them_are_told(tmp_path):
    text(tmp_path/'raw/ears/t.json', '{"images": [], "annotations": [], "categories": []}')
    assert 'ears: there is no image and no annotation in its files (coco)' in str(process(tmp_path/'raw', tmp_path/'out'))
    sound(tmp_path/'raw')
    text(tmp_path/'raw/ears/head.csv', 'image,x,y,w,h\n')
    report = process(tmp_path/'raw', tmp_path/'out', strict=True) # which notes do not stop
    assert [(p.file, p.reason, weight(p)) for p in report.problems] == [(f'ears/{o}', 'nothing_in_it', 2) for o in ('head.csv', 't.json')]
