"""Every run of the tests is the same run: no display, Ctrl-C that is heard, and examples that do not change from one run to the next

The whole suite runs in two processes (pytest-xdist, worksteal); what names files, tests or `-k` runs plainly, in one. Any number of
processes may be asked for with `-n`. A test marked `alone` measures a process or the machine: no other test runs beside it.
"""
import os
import re
import signal
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
import tiers
from hypothesis import settings
from tally import tally_attack

try: from fcntl import LOCK_EX, LOCK_SH, LOCK_UN, lockf
except ImportError: lockf = None

os.environ.setdefault('MPLBACKEND', 'agg')
signal.signal(signal.SIGINT, signal.default_int_handler) # what a shell starts in the background ignores it otherwise
settings.register_profile('same_every_time', derandomize=True, deadline=None, database=None)
settings.load_profile('same_every_time')

pytest.register_assert_rewrite('making')


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    "Tests that need OpenCV are skipped, and say so, where its wheel does not find its system libraries"
    try: return (yield)
    except ImportError as error:
        try: import cv2  # noqa: F401
        except ImportError: pytest.skip(f'OpenCV cannot be imported here: {error}')
        raise


@pytest.fixture(scope='module')
def pictures(request, tmp_path_factory):
    "A raw folder with the images that a module names in PICTURES, where files that are damaged at random are put"
    from making import image
    folder = tmp_path_factory.mktemp('damaged')
    for name in request.module.PICTURES: image(folder/name)
    return folder


@pytest.fixture(scope='module')
def server():
    "An S3 server with an empty bucket"
    from bucket import serving
    with serving() as server: yield server


@pytest.fixture
def s3(server, tmp_path, monkeypatch):
    "The server, quick and willing again after each test, and an empty cache folder"
    monkeypatch.setenv('EAR_LAZY_CACHE', str(tmp_path/'cache'))
    yield server
    server.refuse, server.latency = None, 0


# Two processes

HERE = Path(__file__).parent
NARROWED = 'keyword', 'markexpr', 'lf', 'failedfirst', 'newfirst', 'stepwise', 'usepdb', 'trace', 'collectonly', 'setupplan', 'setupshow'
TURNS = pytest.StashKey()


def is_whole(config):
    "Is it the whole suite that is asked for, and nobody who wants to watch it?"
    option = config.option
    return {config.invocation_params.dir.joinpath(o).resolve() for o in config.args} <= {HERE, HERE.parent} and option.capture != 'no' and not any(getattr(option, o, None) for o in NARROWED)


@pytest.hookimpl(tryfirst=True) # pytest-xdist reads the options in this hook
def pytest_cmdline_main(config):
    in_worker, unsaid = hasattr(config, 'workerinput'), getattr(config.option, 'numprocesses', 0) is None
    if lockf and unsaid and not in_worker and (os.cpu_count() or 1) > 1 and is_whole(config): config.option.numprocesses, config.option.dist = 2, 'worksteal'


class Turns:
    "Tests of several processes take turns: any number at once, or one that is alone. Locks end with the process that holds them"
    def __init__(self, folder): self.queue, self.running = (open(f'{folder}/{o}', 'a+') for o in ('queue', 'running'))

    @contextmanager
    def turn(self, alone):
        lockf(self.queue, LOCK_EX) # who waits to be alone is not overtaken
        try: lockf(self.running, LOCK_EX if alone else LOCK_SH)
        finally: lockf(self.queue, LOCK_UN)
        try: yield
        finally: lockf(self.running, LOCK_UN)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    "In the process that hands out the tests: where the others keep their locks"
    if TURNS not in node.config.stash:
        node.config.stash[TURNS] = folder = tempfile.TemporaryDirectory(prefix='turns-')
        node.config.add_cleanup(folder.cleanup)
    node.workerinput['turns'] = node.config.stash[TURNS].name


def pytest_configure(config):
    tiers.tier['longer'] = bool(re.match(r'(?!.*\bnot\b).*\bslow\b', config.option.markexpr or ''))
    if lockf and (folder := getattr(config, 'workerinput', {}).get('turns')): config.stash[TURNS] = Turns(folder)


@pytest.hookimpl(tryfirst=True) # before `-m` chooses
def pytest_collection_modifyitems(config, items):
    "Tests marked `slow`, and properties with all of their examples, run where `-m` says so, or by their name"
    if tiers.tier['longer']:
        for o in items:
            if hasattr(getattr(o, 'obj', None), 'hypothesis'): o.add_marker(pytest.mark.slow)
    if tiers.tier['longer'] or any('::' in o for o in config.args): return
    if slow := [o for o in items if o.get_closest_marker('slow')]:
        config.hook.pytest_deselected(items=slow)
        items[:] = [o for o in items if o not in slow]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    if not isinstance(turns := item.config.stash.get(TURNS, None), Turns): return (yield)
    with turns.turn(item.get_closest_marker('alone') is not None): return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    "Count the cases of `tests/attacks` for tutorials/reliability"
    report = yield
    if item.path.parent.name == 'attacks' and call.when == 'call' and not report.skipped: tally_attack(item.path.stem, report.passed)
    return report
