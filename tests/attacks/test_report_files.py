"A report.json from anybody: a report or one typed error, shown as text, with pictures of raw data only"
import json
import os

import pytest
from making import coco, image, process
from victims import make_victim, patience, pipe

from ear_lazy.base.records import Problem
from ear_lazy.errors import EarLazyError
from ear_lazy.processing.report import Report, read_report

EVIL = '<img src=x onerror=alert(1)>'


@pytest.fixture(scope='module')
def honest(tmp_path_factory):
    folder = tmp_path_factory.mktemp('honest')
    image(folder / 'raw/ears/1.jpg', (40, 60))
    coco(folder / 'raw/ears/all.json', {'1.jpg': [[1, 2, 10, 20], [5, 5, 0, 9]], 'gone.jpg': [[1, 2, 3, 4]]}, size=(60, 40))
    process(folder / 'raw', folder / 'out')
    return (folder / 'out/report.json').read_bytes()


def places(value, path=()):
    "Every place in a JSON document"
    yield path
    if isinstance(value, (dict, list)):
        for k, o in value.items() if isinstance(value, dict) else enumerate(value): yield from places(o, (*path, k))


def changed(value, path, new):
    value = json.loads(json.dumps(value))
    if not path: return new
    at = value
    for k in path[:-1]: at = at[k]
    if new is GONE: del at[path[-1]]
    else: at[path[-1]] = new
    return value


GONE = object()
VALUES = (GONE, None, True, -1, 10**400, 1.5, float('nan'), float('inf'), '', EVIL, '\ud800', [], [[]], {}, {'a': 1}, [1, 2, 3], [1e300] * 4)


def shown(report):
    "All ways to look at a report"
    problems = report.problems
    html = report._repr_html_() + problems._repr_html_()
    str(report), repr(report), repr(problems), problems.to_csv(), report.to_json(), [str(p) for p in problems]
    assert '<img src=x' not in html
    return html


def test_every_value_at_every_place(honest):
    "A report, or the one error; whatever is read can be shown"
    content, n = json.loads(honest), 0
    for path in places(content):
        for new in VALUES:
            if new is GONE and not path: continue
            try: report = read_report(json.dumps(changed(content, path, new)).encode())
            except EarLazyError as e:
                assert 'not a report of ear_lazy' in str(e)
                n += 1
                continue
            shown(report)
    assert n > 100


@pytest.mark.parametrize('data', (b'', b'\0' * 100, b'\xff\xfe', b'null', b'[]', b'{}', b'"text"', b'1e999', b'[' * 10**6, b'{"a":' * 10**5, b'9' * 5000,
                                  '{"kinds": []}'.encode('utf-16'), b'PK\3\4', b'\x93NUMPY'), ids=range(14))
def test_what_is_no_report(data):
    with pytest.raises(EarLazyError, match='not a report of ear_lazy'): read_report(data)


def test_a_report_that_was_cut_short(honest):
    for n in range(0, len(honest) - 3, 7):
        with pytest.raises(EarLazyError, match='not a report of ear_lazy'): read_report(honest[:n])


def test_every_text_is_shown_as_text(honest):
    content = json.loads(honest)
    for path in places(content):
        at = content
        for k in path: at = at[k]
        if not isinstance(at, str): continue
        try: shown(read_report(json.dumps(changed(content, path, EVIL)).encode()))
        except EarLazyError: pass


@pytest.mark.parametrize('field', Problem._fields[:7])
def test_every_field_of_a_problem_is_shown_as_text(field, tmp_path):
    problem = Problem('ears', 'a.csv', 'line 1', 'a.jpg', 'outside', 'dropped')._replace(**{'file': '' if field == 'source' else 'a.csv', field: EVIL})
    assert 'onerror' in shown(Report(('detector',), problems=[problem], raw_data_dir=str(tmp_path)))


def test_names_that_are_no_utf8_come_back(honest):
    content = json.loads(honest)
    content['problems'][0]['image'] = os.fsdecode(b'\xff\xe4.jpg')
    assert os.fsdecode(b'\xff\xe4.jpg') in {p.image for p in read_report(json.dumps(content).encode()).problems}


@pytest.fixture
def raw(tmp_path):
    image(tmp_path / 'secret/face.jpg', (40, 60))
    make_victim(tmp_path / 'work')
    (tmp_path / 'raw').mkdir()
    with patience(): yield tmp_path / 'raw'


def picture(raw, name, **more):
    return Report(('detector',), problems=[Problem('.', 'a.csv', '', name, 'outside', 'dropped')], raw_data_dir=str(raw), **more)._repr_html_()


@pytest.mark.parametrize('name', ('link.jpg', 'folder/face.jpg'))
def test_no_picture_from_outside(raw, name):
    (raw / 'link.jpg').symlink_to(raw.parent / 'secret/face.jpg')
    (raw / 'folder').symlink_to(raw.parent / 'secret')
    html = picture(raw, name)
    assert 'data:image' not in html and 'a link leads out of the raw folder' in html


def test_a_picture_from_where_the_run_followed_a_link(raw):
    from ear_lazy.formats.shared.tree import Link
    (raw / 'link.jpg').symlink_to(raw.parent / 'secret/face.jpg')
    assert 'data:image' in picture(raw, 'link.jpg', links=[Link('link.jpg', os.path.realpath(raw.parent / 'secret'))])


@pytest.mark.parametrize('way', (pipe, lambda path, _: path.mkdir()), ids=('pipe', 'folder'))
def test_no_picture_of_what_is_no_file(raw, way):
    way(raw / 'a.jpg', None)
    assert 'data:image' not in picture(raw, 'a.jpg') and 'not a file' in picture(raw, 'a.jpg')


@pytest.mark.parametrize('box', ([1e38] * 4, [-1e38, 0, 1, 1], [0, 0, -5, 0], [3, 3, 1e30, 1e-30]))
def test_places_that_cannot_be_drawn(raw, box):
    image(raw / 'a.jpg', (40, 60))
    report = Report(('detector',), problems=[Problem('.', 'a.csv', '', 'a.jpg', 'outside', 'dropped', box=tuple(box))], raw_data_dir=str(raw))
    report._repr_html_()
