"Links that lead out of raw data: followed and said, or refused and said; never in silence"
import json
import os
from pathlib import Path
from concurrent.futures import ThreadPoolExecutor

import pytest
from making import boxes, coco, image, process
from victims import patience, pipe

from ear_lazy.command import main
from ear_lazy.data_processor import DataProcessor
from ear_lazy.errors import RawDataError
from ear_lazy.formats.shared.tree import Tree
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.processing.report import read_report


@pytest.fixture
def raw(tmp_path):
    "A photo of its own, and links of every sort to a store outside"
    for name in ('a', 'b', 'c'): image(tmp_path / f'store/faces/{name}.jpg', (40, 60))
    image(tmp_path / 'store/deep/below/d.jpg', (40, 60))
    raw = tmp_path / 'raw'
    image(raw / 'ears/own.jpg', (40, 60))
    image(raw / 'ears/kept/inner.jpg', (40, 60))
    for name in ('a', 'b', 'c'): (raw / f'ears/{name}.jpg').symlink_to(tmp_path / f'store/faces/{name}.jpg')
    (raw / 'ears/images').symlink_to(tmp_path / 'store/deep')
    (raw / 'ears/inner.jpg').symlink_to('kept/inner.jpg') # stays in the raw folder
    coco(raw / 'ears/all.json', {o: [[1, 2, 10, 20]] for o in ('own.jpg', 'a.jpg', 'b.jpg', 'c.jpg', 'inner.jpg', 'below/d.jpg')}, size=(60, 40))
    coco(tmp_path / 'store/notes/other.json', {'own.jpg': [[5, 6, 10, 20]]}, size=(60, 40))
    (raw / 'ears/other.json').symlink_to(tmp_path / 'store/notes/other.json')
    with patience(60): yield raw


def links(raw):
    store = os.path.realpath(raw.parent / 'store')
    return [('ears/a.jpg', f'{store}/faces', 3), ('ears/images', f'{store}/deep', 1), ('ears/other.json', f'{store}/notes', 1)]


def rows(folder):
    ds = LazyNPYDataset(folder / 'train_detector.npy')
    return sorted(ds.metadata.image_path(i) for i in range(len(ds)))


def run(raw, out, **options): return process(raw, out, ('detector',), train_split=1, **options)
def shared(raw, out, **options):
    with ThreadPoolExecutor(2) as executor: return run(raw, out, executor=executor, shared_storage=True, **options)
def elsewhere(raw, out, **options):
    with ThreadPoolExecutor(2) as executor: return run(raw, out, executor=executor, **options)


RUNS = pytest.mark.parametrize('run', (run, elsewhere, shared))


@RUNS
def test_followed_links_are_listed(raw, tmp_path, run):
    report = run(raw, tmp_path / 'out')
    assert report.links == links(raw) and len(rows(tmp_path / 'out')) == 6
    assert read_report((tmp_path / 'out/report.json').read_bytes()).links == links(raw)
    for text in (str(report), report._repr_html_()): assert 'links lead out of the raw folder: ears/a.jpg and 2 more → ' in text


@RUNS
def test_links_that_are_not_followed_are_problems(raw, tmp_path, run):
    report = run(raw, tmp_path / 'out', follow_links=False)
    assert rows(tmp_path / 'out') == ['ears/inner.jpg', 'ears/own.jpg'] and report.links == []
    assert [(p.file, p.action) for p in report.problems.where(reason='outside_link')] == [('ears/a.jpg', 'dropped'), ('ears/images', 'dropped'), ('ears/other.json', 'dropped')]
    assert '(and 2 more links into it)' in report.problems.where(reason='outside_link')[0].detail
    missing = {p.image: p.detail for p in report.problems.where(reason='missing_image')}
    assert missing.keys() == {'a.jpg', 'b.jpg', 'c.jpg', 'below/d.jpg'}
    assert all('is a link out of the raw folder, and follow_links is False' in o for o in missing.values())
    assert LazyNPYDataset(tmp_path / 'out/train_detector.npy').metadata.values(1).tolist() == [[1, 2, 10, 20]] # other.json is not read


def test_a_file_that_is_behind_a_link_is_not_read(raw, tmp_path):
    "Nor is what stands in it repeated in the report"
    (tmp_path / 'secret.csv').write_text('image_path,x1,y1,w,h\nown.jpg,hunter2,2,3,4\n')
    (raw / 'ears/mine.csv').symlink_to(tmp_path / 'secret.csv')
    run(raw, tmp_path / 'out', follow_links=False)
    assert b'hunter2' not in (tmp_path / 'out/report.json').read_bytes()


def test_strict_runs_stop_at_a_link(raw, tmp_path):
    with pytest.raises(Exception, match='a link leads out of the raw folder'): run(raw, tmp_path / 'out', follow_links=False, strict=True)


def test_the_option_is_in_the_key(raw, tmp_path):
    "Another answer parses again, either way"
    for follow, n in ((True, 6), (False, 2), (True, 6)):
        report = run(raw, tmp_path / 'out', follow_links=follow)
        assert not report.unchanged and len(rows(tmp_path / 'out')) == n
    assert run(raw, tmp_path / 'out').unchanged == ['ears'] and run(raw, tmp_path / 'out').links == links(raw)


def test_a_link_that_leads_elsewhere_now_is_noticed(raw, tmp_path):
    run(raw, tmp_path / 'out')
    (tmp_path / 'store/faces').rename(tmp_path / 'store/people')
    for name in ('a', 'b', 'c'):
        (raw / f'ears/{name}.jpg').unlink()
        (raw / f'ears/{name}.jpg').symlink_to(tmp_path / f'store/people/{name}.jpg')
    assert [o.target.rpartition('/')[2] for o in run(raw, tmp_path / 'out').links] == ['people', 'deep', 'notes']


def test_the_command(raw, tmp_path, capsys):
    args = ['--detector', '--raw-data-dir', str(raw), '--output-dir', str(tmp_path / 'out'), '--workers', '0']
    assert main(args) == 0 and 'links lead out of the raw folder: ears/a.jpg and 2 more' in capsys.readouterr().out
    assert main([*args, '--no-follow-links']) == 0 and 'a link leads out of the raw folder → dropped' in capsys.readouterr().out


def test_a_farm_of_links_is_one_line(tmp_path):
    (tmp_path / 'raw').mkdir()
    (tmp_path / 'store').mkdir()
    for i in range(3000): (tmp_path / f'raw/{i:04}.jpg').symlink_to(tmp_path / f'store/{i:04}.jpg')
    assert Tree(tmp_path / 'raw').links() == [('0000.jpg', os.path.realpath(tmp_path / 'store'), 3000)]


def test_nothing_but_links(tmp_path):
    (tmp_path / 'store').mkdir()
    image(tmp_path / 'store/a.jpg', (40, 60))
    coco(tmp_path / 'store/all.json', {'a.jpg': [[1, 2, 10, 20]]})
    (tmp_path / 'raw').mkdir()
    (tmp_path / 'raw/ears').symlink_to(tmp_path / 'store')
    assert len(run(tmp_path / 'raw', tmp_path / 'out').outputs)
    with pytest.raises(RawDataError, match='ears: a link leads out of the raw folder'): run(tmp_path / 'raw', tmp_path / 'out2', follow_links=False)


def test_the_raw_folder_itself_may_be_a_link(raw, tmp_path):
    (tmp_path / 'data').symlink_to(raw)
    (raw / 'ears/images').unlink()
    assert len(run(tmp_path / 'data', tmp_path / 'out', follow_links=False).problems.where(reason='outside_link')) == 2


def test_sources_toml_that_is_a_pipe(raw, tmp_path):
    pipe(raw / 'sources.toml', None)
    with patience(), pytest.raises(RawDataError, match='a pipe or a device, not a file'): run(raw, tmp_path / 'out')


@pytest.mark.parametrize('what', ('folder', 'dangling link'))
def test_sources_toml_that_is_no_file(raw, tmp_path, what):
    (raw / 'sources.toml').mkdir() if what == 'folder' else (raw / 'sources.toml').symlink_to('gone')
    if what == 'folder':
        with pytest.raises(RawDataError, match='a folder, not a file'): run(raw, tmp_path / 'out')
    else: run(raw, tmp_path / 'out')


def test_sources_toml_that_is_a_link(raw, tmp_path):
    (tmp_path / 'mine.toml').write_text("[ears]\nformat = 'coco'\n")
    (raw / 'sources.toml').symlink_to(tmp_path / 'mine.toml')
    run(raw, tmp_path / 'out')
    with pytest.raises(RawDataError, match='a link out of the raw folder, and follow_links is False'): run(raw, tmp_path / 'out', follow_links=False)


def test_the_report_is_the_same_each_time(raw, tmp_path):
    found = {tuple(run(raw, tmp_path / f'out{i}', num_workers=n, follow_links=False).problems) for i, n in enumerate((0, 2))}
    assert len(found) == 1
    assert [o['count'] for o in json.loads((DataProcessor(raw, tmp_path / 'o', num_workers=0, progress=False).process(('detector',)).to_json()))['links']] == [3, 1, 1]


@pytest.mark.parametrize('shared', [False, True])
@pytest.mark.parametrize('links', ['images', '0001.jpg 0002.jpg', 'images/0001.jpg images/0002.jpg', '0002.jpg'])
def test_a_namesake_elsewhere_is_not_the_image_behind_a_link(tmp_path, links, shared):
    "Its annotation is a problem that names the link, and not a row of another dataset's photo"
    raw, store = tmp_path/'raw', tmp_path/'store'
    for name in ('0001.jpg', '0002.jpg'): image(raw/'A'/name), image(store/name, seed=1)
    coco(raw/'A/coco.json', {'0001.jpg': [[1, 1, 9, 9]], '0002.jpg': [[1, 1, 9, 9]]})
    coco(raw/'B/coco.json', {'0001.jpg': [[30, 20, 5, 6]], '0002.jpg': [[30, 20, 5, 6]]})
    for link in links.split():
        (raw/'B'/link).parent.mkdir(exist_ok=True)
        (raw/'B'/link).symlink_to(store if link == 'images' else store/Path(link).name)
    if links == '0002.jpg': image(raw/'B/0001.jpg', seed=2)
    with ThreadPoolExecutor(1) as executor:
        options = dict(executor=executor, num_workers=1, shared_storage=True) if shared else {}
        report = process(raw, tmp_path/'out', ('detector',), 1., follow_links=False, **options)
    own = {'B/0001.jpg'} if links == '0002.jpg' else set()
    assert {path for path, box in boxes(tmp_path/'out') if box[0] == 30} == own
    hidden = [p for p in report.problems if p.reason == 'missing_image' and p.file == 'B/coco.json']
    assert len(hidden) == 2 - len(own) and all('is a link out of the raw folder' in p.detail for p in hidden)


def test_an_absolute_name_is_not_looked_up(tmp_path):
    "… with an executor either, which walks the folder of a dataset alone"
    raw, secret = tmp_path/'raw', tmp_path/'secret'
    image(secret/'s.jpg'), image(raw/'a.jpg')
    coco(raw/'coco.json', {'a.jpg': [[1, 1, 9, 9]], f'/x/..{secret}/s.jpg': [[1, 1, 9, 9]]})
    with ThreadPoolExecutor(1) as executor: report = process(raw, tmp_path/'out', executor=executor, num_workers=1)
    assert [p.reason for p in report.problems] == ['missing_image']
