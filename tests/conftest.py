"Every run of the tests is the same run: no display, Ctrl-C that is heard, and examples that do not change from one run to the next"
import os
import signal

import pytest
from hypothesis import settings

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
