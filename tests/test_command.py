"One command with its subcommands, as a person types them"
import subprocess
import sys
import time

import pytest
from making import contents, sound

from ear_lazy.command import COMMANDS

ALIASES = {'process': 'ear_lazy.data_processor', 'demo': 'ear_lazy.demo', 'migrate': 'ear_lazy.migrate'}


def ear_lazy(*args, cwd, module='ear_lazy.command'): return subprocess.run([sys.executable, '-m', module, *map(str, args)], cwd=cwd, capture_output=True, text=True)


def test_help_lists_all_commands(tmp_path):
    done = ear_lazy('--help', cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, '') and done.stdout.startswith('usage: ear-lazy COMMAND')
    for name in ('process', 'list', 'demo', 'migrate'): assert f'\n  {name} ' in done.stdout and f' ear-lazy {name} ' in done.stdout
    assert ear_lazy('--version', cwd=tmp_path).stdout.startswith('ear_lazy ')


@pytest.mark.parametrize('name', COMMANDS)
def test_help_of_each_shows_an_example(tmp_path, name):
    done = ear_lazy(name, '--help', cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.startswith(f'usage: ear-lazy {name} ') and f'\nExample: ear-lazy {name} ' in done.stdout


def test_process_and_list(tmp_path):
    raw = sound(tmp_path/'raw')
    where = '--raw-data-dir', raw, '--output-dir', tmp_path/'out', '--workers', 0
    listed = ear_lazy('list', *where, cwd=tmp_path)
    assert (listed.returncode, listed.stderr) == (0, '') and not (tmp_path/'out').exists()
    done, same = ear_lazy('process', '--all', *where, cwd=tmp_path), ear_lazy('--list', *where, cwd=tmp_path, module=ALIASES['process'])
    assert (done.returncode, done.stderr) == (0, '') and (tmp_path/'out/train_detector.npy').exists()
    assert listed.stdout == same.stdout != ''


def test_demo(tmp_path):
    done = ear_lazy('demo', 'ears', '--images', 3, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path/'ears/gallery.png').exists()


@pytest.mark.parametrize('name, args', {
    'process': ('--all', '--raw-data-dir', 'nowhere'), 'list': ('--raw-data-dir', 'nowhere'), 'demo': ('file',), 'migrate': ('file', 'new.npy')}.items())
def test_failures_are_sentences_of_the_command(tmp_path, name, args):
    "The same by its other name"
    (tmp_path/'file').write_text('mine')
    before = contents(tmp_path)
    done = ear_lazy(name, *args, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, '') and done.stderr.startswith(f'ear-lazy {name}: ') and done.stderr.count('\n') == 1
    assert contents(tmp_path) == before
    if name not in ALIASES: return
    alias = ear_lazy(*args, cwd=tmp_path, module=ALIASES[name])
    assert (alias.returncode, alias.stderr) == (1, done.stderr)


@pytest.mark.parametrize('args', [(), ('prcess',), ('--colour',), ('process',), ('process', '--all', '--workers', 'two'), ('demo', '--images', 2), ('migrate',), ('list', 'raw')])
def test_wrong_usage(tmp_path, args):
    done = ear_lazy(*args, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, '') and done.stderr.startswith('usage: ear-lazy') and 'Traceback' not in done.stderr
    assert not any(tmp_path.iterdir())


@pytest.mark.alone
def test_it_answers_at_once():
    "In a quarter of a second; of heavy modules it imports none"
    code = 'import sys\nfrom ear_lazy.command import start\ntry: start(["--help"])\nfinally: print([o for o in ("torch", "matplotlib", "numpy", "PIL") if o in sys.modules])'
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
        seconds.append(time.perf_counter() - started)
        assert done.stdout.splitlines()[-1] == '[]', done.stderr
    assert min(seconds) < 0.25
