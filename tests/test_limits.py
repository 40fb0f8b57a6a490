"Where the system gives little: few open files, names that are not UTF-8"
import os
import subprocess
import sys

import pytest
from making import ROOT, coco, image, process


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('limits')
    for name in ('ä 人', 'b'): image(folder/'raw/detector/ears'/f'{name}.png', (24, 32))
    coco(folder/'raw/detector/ears/a.json', {'ä 人.png': [[5, 6, 10, 10]], 'b.png': [[5, 6, 10, 10]]})
    process(folder/'raw', folder/'out', train_split=1.)
    return folder


def run(code, *arguments, **env):
    return subprocess.run([sys.executable, '-c', code, *map(str, arguments)], capture_output=True, text=True, cwd=ROOT, env=os.environ | {'PYTHONPATH': str(ROOT)} | env)


@pytest.mark.skipif(os.name != 'posix', reason='bounds the open files of a process')
def test_a_hundred_datasets_and_few_files(folder):
    "They open, where Python can map a file without keeping it open, or one sentence says what to do; those that are open go on working"
    done = run('''
import resource, sys
from ear_lazy.errors import MetadataError
from ear_lazy.lazy_dataset import LazyNPYDataset
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
many = []
try:
    for _ in range(100): many.append(LazyNPYDataset(sys.argv[1]))
except MetadataError as e:
    print(e)
    assert len(many) > 40
    del many[40:]
assert [len(o) for o in many] == [2] * len(many) and all(o[0]['image'].shape == (24, 32, 3) for o in many)
print(len(many))
''', folder/'out/train_detector.npy')
    *said, n = done.stdout.splitlines()
    assert n == '100' or said == [f'{folder}/out/train_detector.npy: cannot be opened: Too many open files; each open dataset takes one; close some, or allow more with ulimit -n'], done.stderr


OPEN = 'import sys; from ear_lazy.lazy_dataset import LazyNPYDataset; print([o["image"].shape for o in LazyNPYDataset(sys.argv[1])])'
MIGRATE = 'import sys; from ear_lazy.migrate import main; sys.exit(main(["old.npy", sys.argv[1] + "/new.npy"]))'
PROCESS = 'import sys; from ear_lazy.command import main; sys.exit(main(["--detector", "--raw-data-dir", sys.argv[1] + "/raw", "--output-dir", sys.argv[1] + "/again", "--workers", "0"]))'


@pytest.mark.parametrize('code', [OPEN, MIGRATE, PROCESS], ids=['open', 'migrate', 'process'])
def test_names_that_python_takes_for_ascii(folder, code):
    "Python's UTF-8 mode, which the C locale turns on, works; without it, names would be others than those that are there, and one sentence says so"
    done = run(code, folder/'out/train_detector.npy' if code == OPEN else folder, LC_ALL='C', PYTHONUTF8='0', PYTHONCOERCECLOCALE='0')
    assert done.returncode and done.stderr.rstrip().endswith('Python takes names of files for ascii here, and they are UTF-8: set PYTHONUTF8=1 before it starts'), done.stderr
    assert code == OPEN or 'Traceback' not in done.stderr
    if code != MIGRATE:
        done = run(code, folder/'out/train_detector.npy' if code == OPEN else folder, LC_ALL='C')
        assert done.returncode == 0 and 'missing' not in done.stdout, done.stderr
