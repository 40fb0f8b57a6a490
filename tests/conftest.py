"Every run of the tests is the same run: no display, and examples that do not change from one run to the next"
import os

import pytest
from hypothesis import settings

os.environ.setdefault('MPLBACKEND', 'agg')
settings.register_profile('same_every_time', derandomize=True, deadline=None, database=None)
settings.load_profile('same_every_time')

pytest.register_assert_rewrite('making')
