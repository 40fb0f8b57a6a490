"One command with its subcommands, as a person types them"
import contextlib
import os
import subprocess
import sys
from importlib import import_module

import pytest
from making import called, contents, sound

from ear_lazy.command import COMMANDS, start

ALIASES = {'process': 'ear_lazy.data_processor', 'demo': 'ear_lazy.demo', 'migrate': 'ear_lazy.migrate'}


def ear_lazy(*args, cwd, module='ear_lazy.command'):
    "In this process; `test_process_and_list` and the README's commands start processes"
    with contextlib.chdir(cwd): return called(import_module(module).start if module == 'ear_lazy.command' else import_module(module).main, *args)


def started(*args, cwd, module='ear_lazy.command'): return subprocess.run([sys.executable, '-m', module, *map(str, args)], cwd=cwd, capture_output=True, text=True)


def test_help_lists_all_commands(tmp_path):
    done = ear_lazy('--help', cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, '') and done.stdout.startswith('usage: ear-lazy COMMAND')
    for name in ('process', 'list', 'demo', 'migrate', 'diff', 'textconv'): assert f'\n  {name} ' in done.stdout and f' ear-lazy {name} ' in done.stdout
    assert ear_lazy('--version', cwd=tmp_path).stdout.startswith('ear_lazy ')


@pytest.mark.parametrize('name', COMMANDS)
def test_help_of_each_shows_an_example(tmp_path, name):
    done = ear_lazy(name, '--help', cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.startswith(f'usage: ear-lazy {name} ') and f'\nExample: ear-lazy {name} ' in done.stdout


def test_process_and_list(tmp_path):
    raw = sound(tmp_path/'raw')
    where = '--raw-data-dir', raw, '--output-dir', tmp_path/'out', '--workers', 0
    listed = started('list', *where, cwd=tmp_path)
    assert (listed.returncode, listed.stderr) == (0, '') and not (tmp_path/'out').exists()
    done, same = started('process', '--all', *where, cwd=tmp_path), started('--list', *where, cwd=tmp_path, module=ALIASES['process'])
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


@pytest.mark.parametrize('args', [(), ('prcess',), ('--colour',), ('process',), ('process', '--all', '--workers', 'two'), ('demo', '--images', 2), ('migrate',), ('list', 'raw'), ('diff', 'a'), ('textconv',)])
def test_wrong_usage(tmp_path, args):
    done = ear_lazy(*args, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, '') and done.stderr.startswith('usage: ear-lazy') and 'Traceback' not in done.stderr
    assert not any(tmp_path.iterdir())


def test_it_answers_at_once():
    "Of modules that take long to import it needs none"
    code = 'import sys\nfrom ear_lazy.command import start\ntry: start(["--help"])\nfinally: print([o for o in ("torch", "matplotlib", "numpy", "PIL") if o in sys.modules])'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == '[]', done.stderr


@pytest.mark.parametrize('command, more', [(('process', '--all'), ()), (('list',), ('filelock', 'socket'))], ids=['process', 'list'])
def test_one_small_file_loads_nothing_for_others(tmp_path, command, more):
    "No parser of XML or TOML, no other processes, no bar that nobody sees, no part of NumPy that takes as long as the file, nothing for other machines; and to list it, no lock"
    raw = sound(tmp_path/'raw')
    code = ("import sys\nfrom ear_lazy.command import start\nassert not start(sys.argv[1:])\n"
            f"print([o for o in ('torch', 'matplotlib', 'tqdm', 'multiprocessing', 'xml', 'defusedxml', 'tomllib', 'numpy.ma', 'PIL.ImageDraw',"
            f" 'ear_lazy.beyond.mirror', 'ear_lazy.beyond.shared_storage', *{more}) if o in sys.modules])")
    done = subprocess.run([sys.executable, '-c', code, *command, '--raw-data-dir', raw, '--output-dir', tmp_path/'out'], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1:] == ['[]'], done.stderr


@pytest.mark.parametrize('args, words', [
    ((), 'say what to do: one of process, list, demo, migrate, diff, corrections, textconv'), (('list', 'raw'), 'unrecognized arguments: raw: folders are given as --raw-data-dir DIR'),
    (('process', 'raw', '--all'), 'folders are given as --raw-data-dir DIR'), (('process', '--all', '--raw-dir', 'x'), 'did you mean --raw-data-dir?'),
    (('list', '--no-folow-links=1'), 'did you mean --no-follow-links?'), (('migrate', 'a', 'b', '--rot', 'c'), 'did you mean --root?'), (('demo', '--image-count', '3'), 'did you mean --images?'),
    (('process', '--teacher', '--no-teacher'), '--teacher and --no-teacher exclude each other')])
def test_wrong_usage_says_what_is_right(tmp_path, monkeypatch, capsys, args, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match='2'): start([*args])
    assert words in capsys.readouterr().err and not any(tmp_path.iterdir())


def test_help_says_what_an_option_is_for(capsys):
    for name, words in (('process', ['(--all | [--detector]', 'exporters name after their photo']), ('list', ['which is not read as raw data']), ('migrate', ["else 'train'"])):
        with pytest.raises(SystemExit, match='0'): start([name, '--help'])
        shown = ' '.join(capsys.readouterr().out.split())
        for o in words: assert o in shown, name


@pytest.mark.parametrize('unbuffered', ['', '1'])
def test_an_output_that_nobody_reads(tmp_path, unbuffered):
    "… as behind `| head -3`, is no error"
    raw = sound(tmp_path/'raw')
    end, pipe = os.pipe()
    os.close(end)
    for args in (('list', '--raw-data-dir', raw, '--workers', 0), ('demo', tmp_path/'demo', '--images', 3)):
        done = subprocess.run([sys.executable, '-m', 'ear_lazy.command', *map(str, args)], stdout=pipe, stderr=subprocess.PIPE, text=True, env=os.environ | {'PYTHONUNBUFFERED': unbuffered})
        assert (done.returncode, done.stderr) == (141, ''), args
    os.close(pipe)


@pytest.mark.parametrize('args, words', [
    (('--raw-data-dir', 'nowhere'), 'no raw folder at {}/nowhere: put the raw datasets there, or give their folder (`--raw-data-dir`, `raw_data_dir=`)'),
    (('--raw-data-dir', 'file'), '(`--raw-data-dir`, `raw_data_dir=`)'), (('--raw-data-dir', 'raw', '--output-dir', 'raw'), '(`--output-dir`)'),
    (('--raw-data-dir', 'raw', '--output-dir', 'raw/detector'), '(`--output-dir`)'), (('--raw-data-dir', 'raw', '--output-dir', 'file'), '(`--output-dir`)'),
    (('--raw-data-dir', 'raw', '--output-dir', 'out', '--max-annotation-bytes', '1'), '(`--max-annotation-bytes`)')])
def test_remedies_name_their_options(tmp_path, monkeypatch, capsys, args, words):
    monkeypatch.chdir(tmp_path)
    sound(tmp_path/'raw'), (tmp_path/'file').touch()
    assert start(['process', '--all', '--workers', '0', *args]) == 1
    said = capsys.readouterr()
    assert words.format(os.path.realpath('.')) in said.out + said.err


def test_an_error_of_the_system_is_one_sentence(tmp_path):
    done = ear_lazy('list', '--raw-data-dir', 'a' * 5000, cwd=tmp_path)
    assert done.returncode == 1 and done.stderr.startswith('ear-lazy list: File name too long: aaa') and done.stderr.count('\n') == 1
