"""Every run of the tests is the same run: no display, Ctrl-C that is heard, and examples that do not change from one run to the next

The whole suite runs in a process more than there are processors, as many tests wait (pytest-xdist, worksteal); what names files, tests or
`-k` runs plainly, in one. Any number of processes may be asked for with `-n`. No test may need to be alone on the machine.
"""
import os
import re
import signal
from pathlib import Path

import pytest
import tiers
from hypothesis import settings
from tally import tally_attack

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


# Several processes

HERE = Path(__file__).parent
NARROWED = 'keyword', 'lf', 'failedfirst', 'newfirst', 'stepwise', 'usepdb', 'trace', 'collectonly', 'setupplan', 'setupshow'


def is_whole(config):
    "Is it the whole suite that is asked for, and nobody who wants to watch it?"
    option = config.option
    return {config.invocation_params.dir.joinpath(o).resolve() for o in config.args} <= {HERE, HERE.parent} and option.capture != 'no' and not any(getattr(option, o, None) for o in NARROWED)


@pytest.hookimpl(tryfirst=True) # pytest-xdist reads the options in this hook
def pytest_cmdline_main(config):
    in_worker, unsaid = hasattr(config, 'workerinput'), getattr(config.option, 'numprocesses', 0) is None
    if unsaid and not in_worker and is_whole(config): config.option.numprocesses, config.option.dist = min(os.cpu_count() or 1, 7) + 1, 'worksteal'


def pytest_configure(config):
    tiers.tier['longer'] = bool(re.match(r'(?!.*\bnot\b).*\bslow\b', config.option.markexpr or ''))


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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    "Count the cases of `tests/attacks` for tutorials/reliability; halves of characters in what a test says would end its process"
    report = yield
    if report.failed and (told := str(report.longrepr).encode('utf-8', 'backslashreplace').decode()) != str(report.longrepr): report.longrepr = told
    if item.path.parent.name == 'attacks' and call.when == 'call' and not report.skipped: tally_attack(item.path.stem, report.passed)
    return report
