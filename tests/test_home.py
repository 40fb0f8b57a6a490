"`~` is the home folder wherever a path is taken"
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from making import ROOT, coco, image

from ear_lazy.base.arguments import home_path
from ear_lazy.data_processor import DataProcessor
from ear_lazy.errors import EarLazyError
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.migrate import main, migrate
from ear_lazy.processing.report import read_report
from ear_lazy.synthetic import plant_mistakes, write_raw


@pytest.fixture
def home(tmp_path, monkeypatch):
    "A home with two images, processed, and a folder elsewhere to stand in"
    home, elsewhere = tmp_path/'home', tmp_path/'elsewhere'
    elsewhere.mkdir()
    monkeypatch.setenv('HOME', str(home))
    monkeypatch.chdir(elsewhere)
    for i in range(2): image(home/'raw/detector/ears'/f'{i}.png', (24, 32), seed=i)
    coco(home/'raw/detector/ears/a.json', {f'{i}.png': [[5, 6, 10, 10]] for i in range(2)})
    DataProcessor('~/raw', '~/out', num_workers=0, progress=False).process_all(train_split=1., include_teacher=False)
    yield home
    assert not [*elsewhere.rglob('*~*')], 'a folder of that name'


@pytest.mark.parametrize('of', [str, Path])
def test_datasets_exports_and_commands(home, of):
    ds = LazyNPYDataset(of('~/out/train_detector.npy'), root_dir=of('~/raw'))
    assert len(ds) == 2 and ds[0]['image_path'].startswith(str(home/'raw'))
    made = [ds.to_coco(of('~/made/a.json')), ds.to_csv(of('~/made/a.csv')), ds.to_yolo(of('~/made/yolo'), images='copy')]
    assert made == [home/'made/a.json', home/'made/a.csv', home/'made/yolo'] and all(o.exists() for o in made)
    assert write_raw(of('~/drawn'), 3) == home/'drawn' and plant_mistakes(of('~/drawn')).keys() == {'moved', 'grown', 'sorted'}
    assert read_report((home/'out/report.json').read_bytes(), of('~/raw')).raw_data_dir == home/'raw'


@pytest.mark.parametrize('of', [str, Path])
def test_migration(home, of, capsys):
    (home/'old.npy').write_bytes(pickle.dumps({'image_paths': [str(home/'raw/detector/ears/0.png')], 'bboxes': [[[1, 2, 3, 4]]]}))
    new = migrate(of('~/old.npy'), of('~/new.npy'), of('~/raw'))
    assert Path(new.path) == home/'new.npy' and new.image_path(0) == 'detector/ears/0.png'
    assert main(['~/old.npy', '~/newer.npy', '--root', '~/raw']) == 0 and (home/'newer.npy').exists()
    assert '1 detector row\n' in capsys.readouterr().out


def test_flags(home):
    pytest.importorskip('anywidget')
    from ear_lazy.explorer import explore
    view = explore(LazyNPYDataset('~/out/train_detector.npy'))
    view.flagged = [1]
    assert view.save_flags('~/flags.json') == home/'flags.json'
    view.flagged = []
    assert view.load_flags('~/flags.json').flagged == [1]


def test_command_of_the_shell(home):
    run = subprocess.run([sys.executable, '-m', 'ear_lazy.command', 'process', '--detector', '--raw-data-dir=~/raw', '--output-dir=~/again', '--workers=0'], capture_output=True, text=True, env=os.environ | {'PYTHONPATH': str(ROOT)})
    assert run.returncode == 0 and (home/'again/report.json').exists(), run.stderr


def test_a_folder_whose_name_begins_so(home):
    "A remedy that works: `./~x` is the folder, and stays so where it is handed on"
    with pytest.raises(EarLazyError, match='~nobody-here is no home folder.*write ./~'): LazyNPYDataset('~nobody-here/a.npy')
    (home/'~odd').mkdir()
    os.chdir(home)
    assert home_path(home_path('./~odd')) == home/'~odd' and home_path('a/~b') == Path('a/~b') and home_path('.') == Path('.')
    DataProcessor('~/raw', './~odd', num_workers=0, progress=False).process_all(train_split=1., include_teacher=False)
    assert len(LazyNPYDataset('./~odd/train_detector.npy')) == 2 and not (home/'home').exists()
