"The demo command as a person runs it: what it leaves, what it says, and what it refuses to touch"
import contextlib
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest
from making import called, contents, listing
from PIL import Image

from ear_lazy import demo
from ear_lazy.metadata.file import Metadata

KINDS = ['detector', 'landmarker', 'teacher']
OUTPUTS = [f'{split}_{kind}.npy' for kind in KINDS for split in ('train', 'val')]


def ear_lazy_demo(*args, cwd):
    with contextlib.chdir(cwd): return called(demo.main, *args)


@pytest.fixture(scope='module')
def ran(tmp_path_factory):
    "A folder with a run of the demo in `a demo`, and the run"
    cwd = tmp_path_factory.mktemp('demo')
    run = subprocess.run([sys.executable, '-m', 'ear_lazy.demo', 'a demo', '--images', '20'], cwd=cwd, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return cwd, run


@pytest.fixture
def made(tmp_path):
    "A folder that the demo has drawn raw data into"
    demo.make_raw(tmp_path/'demo', images=5)
    return tmp_path/'demo'


def refused(capsys, folder, what):
    "The demo ends with 1 and one sentence about `what`, and changes nothing"
    before = contents(folder)
    assert demo.main([str(folder), '--images', '5']) == 1
    said = capsys.readouterr()
    assert said.out == '' and said.err.count('\n') == 1
    assert f'{folder/what} was not made by the demo' in said.err
    assert contents(folder) == before


def test_makes_everything(ran):
    cwd, run = ran
    folder = cwd/'a demo'
    assert run.stderr == ''
    assert sorted(path.name for path in cwd.iterdir()) == ['a demo']
    assert sorted(path.name for path in folder.iterdir()) == ['gallery.png', 'made_by_ear_lazy_demo.txt', 'preprocessed', 'raw']
    assert listing(folder/'preprocessed') == sorted([*OUTPUTS, 'problems.csv', 'report.json'])
    assert len(list((folder/'raw').rglob('*.jpg'))) == 20


def test_figures_are_those_of_the_files(ran):
    cwd, run = ran
    for name in OUTPUTS:
        file = cwd/'a demo'/'preprocessed'/name
        found = re.search(rf'^{name} +([\d,]+) +([\d,]+) +([\d,]+) +([\d,]+) ×$', run.stdout, flags=re.M)
        rows, npy, npz, ratio = (int(figure.replace(',', '')) for figure in found.groups())
        assert (rows, npy, ratio) == (len(Metadata(file)), file.stat().st_size, round(npz/npy))


def test_gallery_is_a_picture_of_each_kind(ran):
    with Image.open(ran[0]/'a demo'/'gallery.png') as image:
        assert image.format == 'PNG'
        pixels = np.asarray(image.convert('RGB'))
    assert pixels.shape[0] > 600 and pixels.shape[1] > 800
    for part in np.array_split(pixels, 3): assert part.std() > 30 and len(np.unique(part.reshape(-1, 3), axis=0)) > 1000


def test_again_is_the_same(ran):
    folder = ran[0]/'a demo'
    before = contents(folder)
    run = ear_lazy_demo('a demo', '--images', 20, cwd=ran[0])
    assert run.returncode == 0, run.stderr
    assert contents(folder) == before


def test_next_lines_work(ran):
    cwd, run = ran
    *lines, command = re.findall(r'^    (.+)$', run.stdout, flags=re.M)
    assert len(lines) == 4
    python = subprocess.run([sys.executable, '-c', '\n'.join(lines)], cwd=cwd, capture_output=True, text=True)
    assert python.returncode == 0, python.stderr
    assert python.stdout.startswith(f"{len(Metadata(cwd/'a demo'/'preprocessed'/'train_detector.npy'))} (")
    with Image.open(cwd/'a demo'/'sample.png') as image: assert np.asarray(image.convert('L')).std() > 10
    (cwd/'a demo'/'sample.png').unlink()
    before = contents(cwd/'a demo')
    assert subprocess.run(shlex.split(command), cwd=cwd, capture_output=True).returncode == 0
    assert contents(cwd/'a demo') == before


@pytest.mark.parametrize('images', [3, 4])
def test_few_images_are_enough(tmp_path, capsys, images):
    assert demo.main([str(tmp_path), '--images', str(images)]) == 0
    assert (tmp_path/'gallery.png').stat().st_size


def test_another_number_of_images_leaves_nothing_of_the_first(made):
    demo.make_raw(made, images=3)
    assert len(list((made/'raw').rglob('*.jpg'))) == 3
    assert sorted(path.name for path in made.iterdir()) == ['made_by_ear_lazy_demo.txt', 'raw']


@pytest.mark.parametrize('mine', ['raw', 'preprocessed', 'gallery.png'])
def test_refuses_a_folder_of_somebody_else(tmp_path, capsys, mine):
    file = tmp_path/mine if '.' in mine else tmp_path/mine/'train_detector.npy'
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b'mine')
    refused(capsys, tmp_path, mine)


def test_refuses_where_something_was_added(made, capsys):
    (made/'raw'/'detector'/'mine.jpg').write_bytes(b'mine')
    refused(capsys, made, 'raw/detector/mine.jpg')


def test_refuses_where_something_was_changed(made, capsys):
    table = made/'raw'/'detector'/'heads_csv'/'annotations.csv'
    table.write_text(table.read_text() + 'images/mine.jpg,1,2,3,4\n')
    refused(capsys, made, 'raw/detector/heads_csv/annotations.csv')


def test_refuses_a_link(made, capsys, tmp_path):
    (tmp_path/'mine').mkdir()
    (made/'raw'/'mine').symlink_to(tmp_path/'mine', target_is_directory=True)
    refused(capsys, made, 'raw/mine')


def test_other_files_stay(made, capsys):
    (made/'notes.txt').write_text('mine')
    (made/'preprocessed').mkdir()
    (made/'preprocessed'/'scores.npy').write_bytes(b'mine')
    (made/'raw'/'landmarker'/'ears_pts'/'annot'/'ear_0004.pts').unlink(missing_ok=True)
    assert demo.main([str(made), '--images', '5']) == 0
    assert (made/'notes.txt').read_text() == 'mine'
    assert (made/'preprocessed'/'scores.npy').read_bytes() == b'mine'


def test_interrupted_run_leaves_nothing(tmp_path, capsys, monkeypatch):
    def interrupted(folder, images):
        (folder/'detector').mkdir(parents=True)
        raise KeyboardInterrupt
    with monkeypatch.context() as patch:
        patch.setattr(demo, 'write_raw', interrupted)
        assert demo.main([str(tmp_path/'demo')]) == 130
    assert list((tmp_path/'demo').iterdir()) == []
    assert demo.main([str(tmp_path/'demo'), '--images', '3']) == 0


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path/'file').write_text('mine')
    run = ear_lazy_demo('file', cwd=tmp_path)
    assert (run.returncode, run.stdout) == (1, '')
    assert re.fullmatch(r'ear-lazy demo: cannot write into file: .+\n', run.stderr)


def test_a_quoted_home_folder(tmp_path, monkeypatch):
    "All of it is made there, and nothing beside"
    for o in ('HOME', 'USERPROFILE'): monkeypatch.setenv(o, str(tmp_path/'home'))
    for o in ('home', 'cwd'): (tmp_path/o).mkdir()
    run = ear_lazy_demo('~/ears', '--images', 3, cwd=tmp_path/'cwd')
    assert run.returncode == 0, run.stderr
    assert not any((tmp_path/'cwd').iterdir()) and (tmp_path/'home/ears/gallery.png').exists()
    assert str(tmp_path/'home/ears/preprocessed') in run.stdout and '~' not in run.stdout


def test_a_home_folder_of_nobody(tmp_path):
    run = ear_lazy_demo('~nobody-here/ears', cwd=tmp_path)
    assert (run.returncode, run.stdout) == (1, '') and not any(tmp_path.iterdir())
    assert re.fullmatch('ear-lazy demo: ~nobody-here/ears: ~nobody-here is no home folder on this machine.+\n', run.stderr)


@pytest.mark.parametrize('args', [['--images', '2'], ['--images', 'many'], ['one', 'two'], ['--colour']])
def test_wrong_usage(tmp_path, args):
    run = ear_lazy_demo(*args, cwd=tmp_path)
    assert run.returncode == 2
    assert 'usage: ear-lazy demo' in run.stderr and 'Traceback' not in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_needs_no_torch():
    code = 'import sys, ear_lazy.demo\ntry: ear_lazy.demo.main(["--help"])\nfinally: print("torch" in sys.modules or "matplotlib" in sys.modules)'
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert run.stdout.startswith('usage: ear-lazy demo [-h] [--images N] [FOLDER]')
    assert run.stdout.splitlines()[-1] == 'False'


def test_it_says_how_to_go_on_with_your_own_data(ran):
    assert ran[1].stdout.endswith('For your own data, give other folders; `ear-lazy list --raw-data-dir FOLDER` shows first what would be read.\n')
