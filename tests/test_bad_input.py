"Bad input and bad luck: one clear sentence, nothing lost, nothing left behind"
import os
import pickle

import numpy as np
import pytest
from making import (assert_accounted, boxes, coco, command, contents, image, listing, one_sentence, opened, problem, process, pts,
                    refused, rows, run, sound, text)
from torch.utils.data import DataLoader

from ear_lazy.errors import EarLazyError, ImageLoadError, OutputError, ProblemError, RawDataError
from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset

CSV = 'image_path,x1,y1,w,h\n'


@pytest.fixture
def raw(tmp_path): return sound(tmp_path/'raw')


# Nothing to read

def test_sound_data(raw):
    done = run(raw)
    assert (done.returncode, done.stderr) == (0, ''), done.stderr
    assert '6 files, report.json' in done.stdout or '4 files, report.json' in done.stdout
    assert 'no landmarker data found: no landmarker file' in done.stdout


def test_no_raw_folder(tmp_path):
    one_sentence(run(tmp_path/'nowhere'), 'no raw folder at', tmp_path/'nowhere')
    assert listing(tmp_path) == []
    with pytest.raises(RawDataError, match='no raw folder'): process(tmp_path/'nowhere', tmp_path/'out')


def test_raw_folder_is_a_file(tmp_path):
    text(tmp_path/'raw', '')
    one_sentence(run(tmp_path/'raw'), tmp_path/'raw')


def test_empty_raw_folder(tmp_path):
    (tmp_path/'raw/detector').mkdir(parents=True)
    one_sentence(run(tmp_path/'raw'), 'no annotation files below', tmp_path/'raw')
    assert listing(tmp_path) == ['raw']
    with pytest.raises(RawDataError, match='no annotation files'): process(tmp_path/'raw', tmp_path/'out')


def test_images_alone(tmp_path):
    image(tmp_path/'raw/a.png')
    one_sentence(run(tmp_path/'raw'), 'no annotation files below')


@pytest.mark.parametrize('args, word', [
    ((), '--all'), (('--al', '--workers', '-1'), '-1'), (('--all', '--workers', 'many'), 'many'), (('--all', '--train-split', '80'), '80'),
    (('--all', '--train-split', 'nan'), 'nan'), (('--all', '--batch-size', '0'), '0'), (('--all', '--flush-every', '0'), '0'), (('--everything',), '--everything')])
def test_wrong_usage(args, word):
    done = command(*args)
    assert done.returncode == 2 and done.stdout == '' and 'Traceback' not in done.stderr
    assert done.stderr.startswith('usage: ') and word in done.stderr.splitlines()[-1]


def test_no_row_is_left(tmp_path):
    image(tmp_path/'raw/a.png')
    text(tmp_path/'raw/a.csv', CSV + 'a.png,1,1,0,0\n')
    done = run(tmp_path/'raw')
    one_sentence(done, 'nothing was written')
    assert 'box has no area' in done.stdout and 'a.csv (line 2' in done.stdout
    assert not (tmp_path/'out').exists(), 'a run that finds no row changes nothing on disk'


# Annotation files that are broken

BROKEN = {
    'json': ('ears.json', b'{"images": [],\n "annotations": [,', 'line 2, column 18'),
    'json cut': ('ears.json', b'{"images": [{"id": 1, "file_', 'line 1'),
    'json wrong and cut': ('ears.json', b'{"images": "none",\n "annotations": [', 'line 2'),
    'json wrong and NaN': ('ears.json', b'{"images": "none", "annotations": [{"bbox": [NaN]}]}', '$.images'),
    'json deep': ('ears.json', b'{"images": [], "annotations": [], "info": ' + b'[' * 100_000, ''),
    'json number': ('ears.json', b'{"images": [{"id": ' + b'9' * 5000 + b', "file_name": "a.png"}], "annotations": [,', ''),
    'json no utf-8': ('ears.json', b'{"images": [{"id": 1, "file_name": "\xff.png"}], "annotations": []}', ''),
    'json no object': ('ears.json', b'{"images": 3, "annotations": {}}', '$.images'),
    'csv': ('ears.csv', CSV.encode() + b'a.png,1,1,2,2\n' + b'x' * 200_000, 'line 3'),
    'csv nul': ('ears.csv', CSV.encode() + b'a.png,1,\0,2,2\n', 'line 2'),
    'pts cut': ('a.pts', b'version: 1\nn_points: 2\n{\n1 2\n', 'line 5'),
    'pts word': ('a.pts', b'version: 1\nn_points: 1\n{\n1 x\n}', 'line 4'),
    'pts count': ('a.pts', b'version: 1\nn_points: 3\n{\n1 2\n}', 'n_points is 3'),
    'pts head': ('a.pts', b'1 2\n3 4\n', 'line 1'),
    'pts digits': ('a.pts', b'version: 1\nn_points: ' + b'9' * 5000 + b'\n{\n1 2\n}', ''),
    'pts binary': ('a.pts', bytes(range(256)) * 20, 'line 1'),
    'pts empty': ('a.pts', b'', 'line 1'),
}


@pytest.mark.parametrize('case', BROKEN)
def test_a_broken_file_costs_itself(raw, case):
    "The message carries file and position, and the other raw datasets go on"
    name, content, position = BROKEN[case]
    image(raw/'other/a.png')
    text(raw/'other'/name, content)
    done = run(raw)
    assert (done.returncode, done.stderr) == (0, ''), done.stderr
    lines = [line for line in done.stdout.splitlines() if f'other/{name}' in line]
    assert len(lines) == 1 and position in lines[0] and 'Traceback' not in done.stdout, done.stdout
    assert len(boxes(raw.parent/'out')) == 3
    done = run(raw, '--strict')
    one_sentence(done, f'other/{name}', position, 'strict')
    with pytest.raises(ProblemError) as caught: process(raw, raw.parent/'out', strict=True)
    assert caught.value.problem.file == f'other/{name}'


@pytest.mark.parametrize('case', ['json', 'csv', 'pts word', 'pts binary'])
def test_a_broken_file_alone(tmp_path, case):
    name, content, position = BROKEN[case]
    image(tmp_path/'raw/a.png')
    text(tmp_path/'raw'/name, content)
    done = run(tmp_path/'raw')
    assert done.returncode == 1 and 'Traceback' not in done.stderr
    assert any(name in line and position in line for line in (done.stdout + done.stderr).splitlines())


@pytest.mark.parametrize('name, content', [('labels.json', '[{"image_id": 1}]'), ('labels.json', ''), ('labels.csv', 'a.png,an ear\n'), ('labels.csv', ''),
                                           ('labels.xml', '<a/>'), ('a.txt', 'an ear\n')])
def test_a_file_that_no_reader_knows(raw, name, content):
    image(raw/'other/a.png')
    text(raw/'other'/name, content)
    text(raw/'other/README.txt', 'Ears.'), text(raw/'other/obj.names', 'ear')
    report = process(raw, raw.parent/'out')
    p = problem(report, 'not_recognised')
    assert (p.source, p.file) == ('other', f'other/{name}')


@pytest.mark.parametrize('name', ['newline\n.csv', 'b\udcff.csv', 'ohr-ü.csv', '<b>.csv'])
def test_names_that_are_hard_to_print(raw, name):
    image(raw/'other/a.png')
    text(raw/'other'/name, CSV + 'gone.png,1,1,2,2\na.png,1,1,2,2\n')
    done = run(raw, env=os.environ | {'PYTHONIOENCODING': 'utf-8:strict'})
    assert (done.returncode, done.stderr) == (0, ''), done.stderr
    assert len(boxes(raw.parent/'out')) == 4


@pytest.mark.parametrize('encoding', ['ascii', 'cp1252'])
def test_a_terminal_of_another_encoding(raw, encoding):
    "Windows pipes are cp1252, bare servers ASCII"
    text(raw/'ears/more.csv', CSV + 'gone.png,1,1,2,2\n')
    done = run(raw, env=os.environ | {'PYTHONIOENCODING': encoding}, encoding=encoding)
    assert (done.returncode, done.stderr) == (0, ''), done.stderr


# Images

@pytest.mark.parametrize('size', [None, (40, 60)])
@pytest.mark.parametrize('ending', ['json', 'csv'])
def test_image_missing(raw, size, ending):
    if ending == 'json': coco(raw/'two/t.json', {'gone.png': [[1, 1, 5, 5], [2, 2, 5, 5]]}, size)
    else: text(raw/'two/t.csv', CSV + 'gone.png,1,1,5,5\ngone.png,2,2,5,5\n')
    report = process(raw, raw.parent/'out')
    p = problem(report, 'missing_image')
    assert (p.source, p.file, p.image, p.action, p.boxes) == ('two', f'two/t.{ending}', 'gone.png', 'dropped', 2)
    assert_accounted(report, raw.parent/'out')


def test_image_header_unreadable(raw):
    text(raw/'two/bad.png', b'no picture')
    text(raw/'two/t.csv', CSV + 'bad.png,1,1,5,5\n')
    p = problem(process(raw, raw.parent/'out'), 'unreadable_image')
    assert (p.image, p.boxes) == ('two/bad.png', 1) and 'not an image' in p.detail


@pytest.mark.parametrize('damage', ['missing', 'truncated', 'empty', 'folder', 'text'])
@pytest.mark.parametrize('loader', ['pil', 'cv2', 'turbo'])
@pytest.mark.parametrize('kind', ['detector', 'teacher'])
def test_image_unreadable_at_load(raw, damage, loader, kind):
    process(raw, raw.parent/'out', train_split=1)
    dataset = LazyNPYDataset(raw.parent/f'out/train_{kind}.npy', cache_size=3, image_loader=loader)
    path, row = raw/'ears/b.png', len(dataset) - 1
    data = path.read_bytes()
    path.unlink()
    if damage == 'truncated': path.write_bytes(data[:len(data) // 2])
    if damage == 'empty': path.touch()
    if damage == 'folder': path.mkdir()
    if damage == 'text': path.write_text('no picture')
    for ask in (lambda: dataset[row], lambda: dataset[-1], lambda: dataset.get_batch([0, row]), lambda: dataset[1:][-1],
                lambda: CombinedLazyDataset([dataset, dataset])[len(dataset) + row]):
        with pytest.raises(ImageLoadError) as caught: ask()
        assert (caught.value.path, caught.value.row) == (str(path), row)
        assert str(path) in str(caught.value) and f'row {row}' in str(caught.value)
    assert dataset[0]['image'].shape[2] == 3


@pytest.mark.parametrize('num_workers', [0, 2])
def test_image_unreadable_in_a_dataloader(raw, num_workers):
    "The error keeps its type, path and row on its way out of a worker"
    process(raw, raw.parent/'out', train_split=1)
    dataset = LazyNPYDataset(raw.parent/'out/train_detector.npy')
    (raw/'ears/b.png').unlink()
    loader = DataLoader(dataset, batch_size=2, num_workers=num_workers, multiprocessing_context='fork' if num_workers else None)
    with pytest.raises(ImageLoadError) as caught: list(loader)
    assert (caught.value.path, caught.value.row) == (str(raw/'ears/b.png'), 1)
    assert f"{raw/'ears/b.png'} (row 1)" in str(caught.value)


# Boxes and keypoints

BOXES = { # xywh in an image of 60 × 40: reason, and what is kept
    'nan': ('nan,1,5,5', 'not_finite', None), 'inf': ('1,1,inf,5', 'not_finite', None), 'no width': ('1,1,0,5', 'no_area', None), 'negative': ('9,9,-5,5', 'reversed', [4, 9, 5, 5]),
    'outside right': ('60,1,5,5', 'outside', None), 'outside left': ('-5,1,5,5', 'outside', None), 'outside below': ('1,90,5,5', 'outside', None),
    'over the edge': ('50,30,20,20', 'partly_outside', [50, 30, 10, 10]), 'over the corner': ('-5,-5,10,10', 'partly_outside', [0, 0, 5, 5]),
    'around': ('-5,-5,100,100', 'partly_outside', [0, 0, 60, 40]), 'rounding': ('-0.000007,1,5,5', None, [0, 1, 5, 5]), 'whole': ('0,0,60,40', None, [0, 0, 60, 40])}


def box_file(folder, way, cells):
    "One box, written in one of five ways; the name of what it is reported as"
    values = [float(o) for o in cells.split(',')]
    if way == 'coco': return coco(folder/'t.json', {'x.png': [values]}), 'id 10'
    if way == 'coco unknown size': return coco(folder/'t.json', {'x.png': [values]}, None), 'id 10'
    if way == 'csv': return text(folder/'t.csv', CSV + f'x.png,{cells}\n'), 'line 2'
    if way == 'csv sizes': return text(folder/'t.csv', f'filename,width,height,class,x,y,w,h\nx.png,60,40,ear,{cells}\n'), 'line 2'
    x, y, w, h = values
    return text(folder/'t.csv', f'filename,width,height,class,xmin,ymin,xmax,ymax\nx.png,60,40,ear,{x},{y},{x + w},{y + h}\n'), 'line 2'


@pytest.mark.parametrize('way', ['coco', 'coco unknown size', 'csv', 'csv sizes', 'csv corners'])
@pytest.mark.parametrize('case', BOXES)
def test_a_box(raw, way, case):
    cells, reason, kept = BOXES[case]
    image(raw/'two/x.png')
    file, where = box_file(raw/'two', way, cells)
    report = process(raw, raw.parent/'out')
    found = [(p.file, p.where, p.reason, p.action, p.boxes) for p in report.problems]
    assert found == ([] if reason is None else [(f'two/{file.name}', where, reason, 'dropped' if kept is None else 'repaired' if case == 'negative' else 'clipped', 1)])
    in_files = [box for path, box in boxes(raw.parent/'out') if path == 'two/x.png']
    assert np.allclose(in_files, [] if kept is None else [kept], atol=1e-4)
    assert_accounted(report, raw.parent/'out')


@pytest.mark.parametrize('box', [[59.9999999, 1, 5, 5], [1, 39.9999999, 5, 5], [-4.9999999, 1, 5, 5], [1, 1, 1e-60, 5], [59.99, 1, 5, 5]])
def test_every_crop_can_be_made(raw, box):
    "A box that is next to nothing is either dropped with a reason or can be cropped: it never fails in the midst of training"
    image(raw/'two/x.png')
    coco(raw/'two/t.json', {'x.png': [box]})
    report = process(raw, raw.parent/'out')
    assert_accounted(report, raw.parent/'out')
    for m in opened(raw.parent/'out', 'teacher'):
        dataset = LazyNPYDataset(m.path)
        for i in range(len(dataset)): assert min(dataset[i]['image'].shape) > 0 and (dataset[i]['bbox'][2:] > 0).all()


def test_numbers_beyond_float32(raw):
    "What is kept is finite in the file too"
    image(raw/'two/a.png')
    pts(raw/'two/a.pts', [(1e300, 1), (1, 1), (9, 9)])
    process(raw, raw.parent/'out')
    for _, points in rows(raw.parent/'out', 'landmarker'): assert np.isfinite(points).all()


@pytest.mark.parametrize('sizes', ['1e30,40', '99999999999,40', '-5,40', 'nan,40', 'wide,40', '0,0', ''])
def test_declared_sizes_that_cannot_be(raw, sizes):
    "They are measured instead"
    image(raw/'two/x.png')
    text(raw/'two/t.csv', f'filename,x,y,w,h,width,height\nx.png,50,1,20,5,{sizes}\n')
    report = process(raw, raw.parent/'out')
    assert_accounted(report, raw.parent/'out')
    if sizes.startswith(('1e30', '999')): return
    assert ('two/x.png', [50, 1, 10, 5]) in boxes(raw.parent/'out')


@pytest.mark.parametrize('with_box', [True, False])
def test_keypoints_all_unlabelled(raw, with_box):
    image(raw/'two/x.png')
    coco(raw/'two/t.json', {'x.png': [dict(keypoints=[0, 0, 0] * 3, **(dict(bbox=[1, 1, 5, 5]) if with_box else {}))]})
    report = process(raw, raw.parent/'out')
    p = problem(report, 'unlabelled')
    assert (p.action, p.keypoints, p.boxes, p.where) == ('dropped', 1, 0, 'id 10')
    assert rows(raw.parent/'out', 'landmarker') == [] and not (raw.parent/'out/train_landmarker.npy').exists()
    assert ('two/x.png' in dict(rows(raw.parent/'out', 'detector'))) == with_box, 'an annotated image is not an empty one'


@pytest.mark.parametrize('image_id', [99, '99', 'x', -1, 1.5])
@pytest.mark.parametrize('annotation', [dict(bbox=[1, 1, 5, 5]), dict(bbox=[1, 1]), dict(segmentation=[[1, 1, 5, 5, 1, 5]]), dict(keypoints=[1, 1, 2]), dict()])
@pytest.mark.parametrize('images', [{}, {'a.png': []}])
def test_orphan(raw, image_id, annotation, images):
    "… whatever is in it, and it is never blamed on another image"
    image(raw/'two/a.png')
    file = coco(raw/'two/t.json', {'o.png': [dict(annotation, image_id=image_id)]} | images)
    file.write_text(file.read_text().replace('{"id": 1, "file_name": "o.png", "height": 40, "width": 60}' + (', ' if images else ''), ''))
    report = process(raw, raw.parent/'out')
    assert_accounted(report, raw.parent/'out')
    about = [p for p in report.problems if p.source == 'two']
    assert about and all(p.image == '' for p in about), about


def test_two_images_of_one_basename(raw):
    image(raw/'two/x/same.png'), image(raw/'two/y/same.png')
    text(raw/'two/t.csv', CSV + 'same.png,1,1,5,5\nx/same.png,2,2,5,5\n')
    report = process(raw, raw.parent/'out')
    p = problem(report, 'ambiguous_image')
    assert (p.image, p.detail, p.boxes) == ('same.png', 'two/x/same.png, two/y/same.png', 1)
    assert ('two/x/same.png', [2, 2, 5, 5]) in boxes(raw.parent/'out')


def test_json_nan_beside_another_fault(raw):
    "Two kinds of damage in one file cost two annotations"
    image(raw/'two/x.png')
    coco(raw/'two/t.json', {'x.png': [[float('nan'), 1, 5, 5], dict(bbox='none'), [1, 1, 5, 5], [float('inf'), 1, 5, 5]]})
    report = process(raw, raw.parent/'out')
    assert report.sources['two'].boxes.read == 4 and report.sources['two'].boxes.kept == 1
    assert_accounted(report, raw.parent/'out')


def test_an_image_whose_annotation_is_broken_is_not_empty(raw):
    "Only what its file calls empty becomes a row with no box"
    image(raw/'two/x.png'), image(raw/'two/empty.png')
    coco(raw/'two/t.json', {'x.png': [dict(bbox='none')], 'empty.png': [], 'a.png': [[1, 1, 5, 5]]})
    text(raw/'three/t.csv', CSV + 'y.png,,,,\ny.png,1,two,3,4\n'), image(raw/'three/y.png')
    process(raw, raw.parent/'out')
    assert {path for path, values in rows(raw.parent/'out', 'detector') if not values} == {'two/empty.png'}


# The raw tree

def test_links_that_loop(raw):
    (raw/'ears/again').symlink_to(raw), (raw/'ears/self').symlink_to('self'), (raw/'gone.png').symlink_to('nowhere.png')
    done = run(raw)
    assert (done.returncode, done.stderr) == (0, ''), done.stderr
    assert len(boxes(raw.parent/'out')) == 3


# Output folder

def test_output_folder_is_a_file(raw):
    text(raw.parent/'out', 'mine')
    one_sentence(run(raw), 'cannot write into the output folder', raw.parent/'out')
    assert (raw.parent/'out').read_text() == 'mine'
    with pytest.raises(OutputError, match='output folder .*out/sub: .*out is a file: move it away'): process(raw, raw.parent/'out/sub')


@pytest.mark.parametrize('option', ('--raw-data-dir', '--output-dir'))
def test_a_home_folder_of_nobody(raw, option):
    one_sentence(command('--all', '--raw-data-dir', raw, '--output-dir', raw.parent/'out', option, '~nobody-here/ears'), '~nobody-here is no home folder')


def test_output_is_the_raw_folder(raw):
    before = contents(raw)
    one_sentence(command('--all', '--raw-data-dir', raw, '--output-dir', raw), 'never written to')
    assert contents(raw) == before


@pytest.mark.parametrize('linked', (False, True))
@pytest.mark.parametrize('kind', ('detector', 'landmarker', 'teacher'))
def test_output_is_a_level_of_the_raw_folder(tmp_path, kind, linked):
    "Which would be left out of the raw data as a whole"
    raw = tmp_path/'raw'
    sound(raw/kind)
    out = raw/kind
    if linked: (out := tmp_path/'out').symlink_to(raw/kind)
    before = contents(raw)
    one_sentence(command('--all', '--raw-data-dir', raw, '--output-dir', out), f"is the folder '{kind}' of the raw data", 'choose another')
    assert contents(raw) == before


def test_raw_data_in_a_bucket_and_its_level():
    with pytest.raises(OutputError, match="is the folder 'teacher' of the raw data"): process('memory://level/raw', 'memory://level/raw/teacher/')


@pytest.mark.parametrize('there', (False, True))
def test_output_folder_is_a_link_to_none(raw, there):
    out = raw.parent/'out'
    out.symlink_to(raw.parent/'elsewhere')
    if there: text(raw.parent/'elsewhere', 'mine')
    for sub in ('', '/sub'):
        one_sentence(command('--all', '--raw-data-dir', raw, '--output-dir', f'{out}{sub}'),
                     f"{out} is a link to {raw.parent/'elsewhere'}, which is {'no folder' if there else 'not there'}: move it away")
    assert out.is_symlink() and (raw.parent/'elsewhere').exists() == there


# Files that are no metadata

def test_metadata_that_is_none(raw):
    process(raw, raw.parent/'out', train_split=1)
    good, folder = (raw.parent/'out/train_detector.npy').read_bytes(), raw.parent
    command_line = 'ear-lazy process --all'
    for n in (0, 3, 6, 10, 100, len(good) // 2, len(good) - 1):
        message = refused(text(folder/'cut.npy', good[:n]))
        assert str(folder/'cut.npy') in message and any(o in message for o in ('truncated', 'empty file', 'not an NPY file')), (n, message)
    assert 'truncated' in refused(text(folder/'long.npy', good + b'x'))
    np.save(folder/'plain.npy', np.zeros((3, 4)))
    assert 'a plain array of shape (3, 4)' in refused(folder/'plain.npy')
    np.savez(folder/'z.npz', images=np.zeros(3))
    (folder/'z.npz').rename(folder/'z.npy')
    assert 'NPZ' in refused(folder/'z.npy') and command_line in refused(folder/'z.npy')
    np.save(folder/'old.npy', {'image_paths': ['a.jpg'], 'bboxes': [[[1, 2, 3, 4]]]}, allow_pickle=True)
    assert 'older versions' in refused(folder/'old.npy') and command_line in refused(folder/'old.npy')
    assert 'cannot be opened' in refused(folder/'nowhere.npy') and 'a folder, not a file' in refused(folder)
    for name in ('cut', 'plain', 'z', 'old', 'nowhere'):
        with pytest.raises(EarLazyError) as caught: LazyNPYDataset(folder/f'{name}.npy')
        assert pickle.loads(pickle.dumps(caught.value)).path == str(folder/f'{name}.npy')


def test_a_table_in_another_encoding(tmp_path):
    "The encoding is the reason, not that the photo is missing, and the remedy helps; also where only the class is in it"
    raw = tmp_path/'raw'
    image(raw/'ears/ohrmuschel für.png'), image(raw/'ears/a.png')
    text(raw/'ears/boxes.csv', 'filename,class,x,y,w,h\nohrmuschel für.png,ear,1,2,10,20\na.png,Gehör,1,2,10,20\n'.encode('cp1252'))
    label, photo = sorted(process(raw, tmp_path/'out').problems, key=lambda p: p.boxes)
    assert (photo.reason, photo.action, photo.boxes) == ('malformed', 'dropped', 1) and 'encoding = "cp1252"' in photo.detail, photo
    assert (label.action, label.detail[:9]) == ('kept', 'the class'), label
    text(raw/'sources.toml', '[ears]\nencoding = "cp1252"\n')
    report = process(raw, tmp_path/'out')
    assert not report.problems and dict(report.sources['ears'].classes) == {'ear': 1, 'Gehör': 1}
