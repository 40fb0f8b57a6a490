"What README and tutorials show is what was run: their commands and snippets work as they stand"
import json
import os
import re
import runpy
import shlex
import subprocess
import sys
import tempfile
from configparser import ConfigParser
from pathlib import Path

import pytest
from making import image

from ear_lazy.data_processor import DataProcessor
from ear_lazy.review import shown_dataset

ROOT = Path(__file__).parent.parent
README = (ROOT/'README.md').read_text(encoding='utf-8')
CLONE = 'git clone -q https://github.com/ear-lazy/ear_lazy && cd ear_lazy && '
PAGES = [ROOT/'nbs/index.ipynb', ROOT/'nbs/demo.ipynb', *sorted((ROOT/'nbs/tutorials').glob('*.ipynb'))]


def fences(language): return re.findall(rf'^```{language}\n(.*?)\n```$', README, flags=re.S | re.M)


def cells(page, kind): return [cell for cell in json.loads(page.read_text(encoding='utf-8'))['cells'] if cell['cell_type'] == kind]


@pytest.fixture(scope='module')
def commands(tmp_path_factory):
    "A folder with the console scripts, as pip makes them of settings.ini"
    parser = ConfigParser()
    parser.read(ROOT/'settings.ini', encoding='utf-8')
    folder = tmp_path_factory.mktemp('bin')
    for line in parser['DEFAULT']['console_scripts'].strip().splitlines():
        name, module, function = re.fullmatch(r'([\w-]+)=([\w.]+):(\w+)', line).groups()
        (folder/name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c "import sys; from {module} import {function}; sys.exit({function}())" "$@"\n')
        (folder/name).chmod(0o755)
    return folder


@pytest.fixture(scope='module')
def shell(commands, tmp_path_factory):
    "Runs a command line of the README, beside what its first command leaves"
    cwd, env = tmp_path_factory.mktemp('readme'), os.environ | {'PATH': f"{commands}{os.pathsep}{os.environ['PATH']}"}
    def run(line): return subprocess.run(line, shell=True, cwd=cwd, env=env, capture_output=True, text=True)
    install, _, last = fences('bash')[0].rpartition(' && ')
    assert install.startswith(CLONE + 'python3 -m venv .venv && .venv/bin/pip install') and last.startswith('.venv/bin/')
    ran = run(last.removeprefix('.venv/bin/'))
    assert ran.returncode == 0, ran.stderr
    run.cwd = cwd
    return run


def test_first_command_leaves_what_the_readme_says(shell):
    assert [path.name for path in shell.cwd.iterdir()] == ['ear_lazy_demo']
    assert {'raw', 'preprocessed', 'gallery.png'} <= {path.name for path in (shell.cwd/'ear_lazy_demo').iterdir()}


@pytest.fixture(scope='module')
def python_ran(shell):
    "What the README's Python prints"
    ran = subprocess.run([sys.executable, '-c', '\n'.join(fences('python'))], cwd=shell.cwd, env=os.environ | {'MPLBACKEND': 'agg'}, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_readme_python_works(python_ran):
    code = '\n'.join(fences('python'))
    assert 'DataProcessor(' in code and 'LazyNPYDataset(' in code and 'DataLoader(' in code and 'explore(ds, edit=True)' in code
    outputs = re.sub(r'^```.*?^```$', '', README, flags=re.S | re.M)
    shown = [line.removeprefix('    ') for line in outputs.splitlines() if line.startswith('    ')]
    assert len(shown) > 8 and shown == [line for line in python_ran.splitlines() if line]


def test_readme_shell_commands_work(shell, python_ran):
    lines = [line for fence in fences('bash')[2:] for line in fence.splitlines()]
    assert {' '.join(line.split()[:2]) for line in lines if not line.startswith('cp ')} == {f'ear-lazy {o}' for o in ('demo', 'process', 'review', 'corrections', 'diff')}
    for line in lines:
        if line.startswith('ear-lazy review'): assert len(shown_dataset([str(shell.cwd/o) for o in line.split()[2:]])) > 100 # it would run until Ctrl+C
        else:
            ran = shell(line)
            assert ran.returncode == 0, f'{line}\n{ran.stderr}'
            if 'corrections list' in line: assert 'too narrow; overlooked' in ran.stdout
            if 'ear-lazy diff' in line: assert 'objects added' in ran.stdout
    assert (shell.cwd/'corrected_raw').is_dir()


def test_calls_in_the_readme_table_exist():
    from ear_lazy import adapters, data_processor, diff, disk_cache, evaluation, explorer, lazy_dataset, rewrite, shared_cache, show, stats, suspects, transforms
    from ear_lazy.loading import sampler
    from ear_lazy.processing import report
    table = README.partition('## What to call')[2].partition('\n## ')[0]
    names = set(re.findall(r'(?<!A\.)(?<!v2\.)\b([A-Za-z_]+)\(', table)) - {'range', 'DataLoader', 'help'}
    owners = (data_processor, data_processor.DataProcessor, lazy_dataset, lazy_dataset.LazyNPYDataset, report.Problems, show, disk_cache, shared_cache, stats,
              explorer, explorer.Explorer, transforms, adapters, sampler.RowSampler, diff, rewrite, suspects, suspects.Suspects, evaluation)
    assert len(names) > 9
    assert {name for name in names if not any(hasattr(owner, name) for owner in owners)} == set()


def test_readme_states_only_what_was_measured():
    "The figures beside other tools are those of benchmarks/results.json, and none is typed by hand"
    results = json.loads((ROOT/'benchmarks/results.json').read_text(encoding='utf-8'))
    table, section = runpy.run_path(str(ROOT/'benchmarks/table.py')), README.partition('## Compared with other tools')[2].partition('\n## ')[0]
    made = table['peers'](results['lines'])
    assert len(made.splitlines()) > 6 and made in section
    epochs = table['epochs'](results['sides'])
    assert epochs in section
    words = section.replace(made, '').replace(epochs, '')
    machine = f"{results['runs']} runs on {results['machine']['cores']} cores ({results['machine']['cpu']}), Python {results['machine']['python']}"
    for measured in (machine, f"{table['reached'](results['lines'])} figures"):
        assert measured in words
        words = words.replace(measured, '')
    assert re.findall(r'\d', words) == []


def test_readme_names_the_formats_that_are_read():
    from ear_lazy.formats.shared.registry import readers
    section = README.partition('## Raw data it reads')[2].partition('\n## ')[0].lower()
    other_words = {'coco_points': 'one category per keypoint', 'images': 'images alone', 'vott_json': 'vott', 'openimages': 'open images', 'yolo_obb': 'oriented',
                   'pts': '.pts', 'wider': 'wider face', 'voc': 'pascal voc', 'via3': 'via (1 to 3', 'labelstudio': 'label studio', 'gz': '.gz', 'list': 'lists without a header',
                   'pixel_labels': 'label files in pixels', 'point_table': 'tables of points', 'cell_points': 'lists in cells', 'mot': 'motchallenge'}
    for name in readers(): assert other_words.get(name, name) in section, name


def test_readme_sources_toml_works(tmp_path):
    image(tmp_path/'raw/cut_out/a.png')
    said, = fences('toml')
    (tmp_path/'raw/sources.toml').write_text(said, encoding='utf-8')
    source, = DataProcessor(tmp_path/'raw', tmp_path/'out', num_workers=0, progress=False).sources()
    assert (source.name, source.format, source.feeds, source.images) == ('cut_out', 'images', ('teacher',), 1)


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.stem)
def test_nbdev_test_runs_every_cell(page):
    "Nothing is exempt, so what the page shows is what `nbdev-test` runs (a module's last line, for `python -m`, aside)"
    sources = [''.join(cell['source']) for cell in cells(page, 'code')]
    exempt = [source for source in sources if re.search(r'^#\| *eval: *false', source, flags=re.M) and '__name__' not in source]
    assert exempt == []
    assert not any('skip_exec' in ''.join(cell['source']) for cell in cells(page, 'raw'))


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.stem)
def test_saved_outputs_are_of_no_machine(page):
    "No path of the machine that ran the page, no progress bar, no warning"
    outputs = [output for cell in cells(page, 'code') for output in cell['outputs']]
    assert outputs and not any(output.get('name') == 'stderr' for output in outputs)
    text = '\n'.join(''.join(part) for output in outputs for mime, part in {'text': output.get('text', ''), **output.get('data', {})}.items() if not mime.startswith('image/'))
    text = re.sub(r'base64,[\w+/=]+', '', text)
    for sign in (tempfile.gettempdir() + '/', '/tmp/', str(Path.home()) + '/', str(ROOT), 'Warning', 'it/s]'): assert sign not in text


@pytest.mark.parametrize('page', [o for o in sorted((ROOT/'nbs').rglob('*.ipynb')) if o not in PAGES and '.ipynb_checkpoints' not in o.parts], ids=lambda o: o.relative_to(ROOT/'nbs').as_posix())
def test_examples_show_no_path_of_a_machine(page):
    text = json.dumps([o for cell in cells(page, 'code') for o in cell['outputs']])
    assert not re.search(r'/tmp/|/dev/shm/|/root/|/home/|' + re.escape(f'{ROOT}/'), re.sub(r'base64,[\w+/=]+', '', text))


def test_tutorial_measures_what_it_says():
    "Figures that differ from run to run are marked as those of one run"
    timed = [''.join(output['data']['text/markdown']) for cell in cells(ROOT/'nbs/tutorials/pipeline.ipynb', 'code') for output in cell['outputs']
             if 'text/markdown' in output.get('data', {}) and re.search(r'\bseconds\b|\bms\b', ''.join(output['data']['text/markdown']))]
    assert len(timed) == 2
    for text in timed: assert text.startswith('**Figures of one run on one machine')


GUIDE = [
    'from ear_lazy.data_processor import DataProcessor', 'from ear_lazy.lazy_dataset import LazyNPYDataset',
    'from ear_lazy.lazy_dataset import CombinedLazyDataset, LazyNPYDataset', 'from torch.utils.data import DataLoader',
    'batch_size=500', 'num_workers=10', 'flush_every=1', 'processor.process_all(train_split=0.8, include_teacher=True)',
    'python -m ear_lazy.data_processor --all', 'ear-lazy process --detector --landmarker', 'ear-lazy process --all --batch-size 1000 --workers 10',
    "train_dataset = LazyNPYDataset('data/preprocessed/train_detector.npy')", 'print(f"Dataset length: {len(train_dataset)}")', 'print(sample.keys())',
    'cache_size=100', 'sample1_again = train_dataset[0]', 'cache_size=50', "image_loader='pil'", 'batch_size=32', 'shuffle=True', 'num_workers=4', 'pin_memory=True',
    "images = batch['image']", "bboxes = batch['bboxes']", "paths = batch['image_path']", "teacher_ds = LazyNPYDataset('data/preprocessed/train_teacher.npy')",
    'combined = CombinedLazyDataset([train_ds, val_ds])', 'sample_from_val = combined[len(train_ds)]', 'metadata = dataset.get_metadata(0)',
    'for i in range(0, len(dataset), 32):', 'batch_indices = range(i, min(i+32, len(dataset)))', 'batch = dataset.get_batch(batch_indices)',
    'processor = DataProcessor(flush_every=1, batch_size=1000)', 'processor.process_all()',
    "val_ds = LazyNPYDataset('data/preprocessed/val_detector.npy', cache_size=50)",
    'val_loader = DataLoader(val_ds, batch_size=32, shuffle=False, num_workers=2)', 'for batch in train_loader:']


def test_tutorial_shows_every_call_of_the_usage_guide():
    code = '\n'.join(''.join(cell['source']) for cell in cells(ROOT/'nbs/tutorials/pipeline.ipynb', 'code'))
    assert [call for call in GUIDE if call not in code] == []
    assert 'collate_fn' not in code
