"What a server routes: runs and rows without images by `logging`, warnings as warnings; without any setting, as Python does it"
import logging
import subprocess
import sys
import warnings

import pytest
from making import process, sound

from ear_lazy.lazy_dataset import LazyNPYDataset


@pytest.fixture(scope='module')
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp('logging')
    process(sound(folder/'raw'), folder/'out', ('detector',), train_split=1.)
    return folder/'out'


def test_a_run_is_logged(tmp_path, caplog):
    with caplog.at_level(logging.INFO, 'ear_lazy'): process(sound(tmp_path/'raw'), tmp_path/'out', ('detector',), train_split=1.)
    assert [(o.name, o.levelname) for o in caplog.records] == [('ear_lazy.processing', 'INFO')]*2
    assert caplog.messages[0] == f"begins to make detector of {tmp_path/'raw'} in {tmp_path/'out'}" and caplog.messages[1].startswith(f"made 2 rows in 1 files in {tmp_path/'out'}, with 0 problems, in ")


def test_each_row_without_an_image_is_logged_and_warned_of_once(out, tmp_path, caplog):
    ds = LazyNPYDataset(out/'train_detector.npy', root_dir=tmp_path, on_error='skip')
    with caplog.at_level(logging.INFO, 'ear_lazy'), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter('always')
        for i in (0, 1, 0): ds[i]
    assert [o.name for o in caplog.records] == ['ear_lazy.loading']*3 and caplog.messages[0].startswith('row 0 without its image: ') and caplog.messages[0] == caplog.messages[2]
    assert [str(o.message)[:8] for o in warned] == ['skipped:']*2


def test_the_package_sets_no_handler_and_no_level():
    assert all(not log.handlers and log.level == logging.NOTSET and log.propagate for log in map(logging.getLogger, ('ear_lazy', 'ear_lazy.processing', 'ear_lazy.loading', 'ear_lazy.storage')))


@pytest.mark.slow # a process of its own
def test_without_any_setting_only_warnings_reach_the_terminal(out, tmp_path):
    "No handler of the package's own swallows or doubles them"
    code = (f"import logging, ear_lazy\nfrom ear_lazy.base.retries import Deadline\nds = ear_lazy.LazyNPYDataset({str(out/'train_detector.npy')!r}, root_dir={str(tmp_path)!r}, on_error='skip')\n"
            "ds[0], ds[0]\nDeadline('a.png', 60)._tell()\nassert not logging.getLogger('ear_lazy').handlers")
    said = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stderr
    assert said.count('skipped: ') == said.count('still waiting for a.png') == 1 and 'without its image' not in said
