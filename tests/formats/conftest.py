"What all tests of the readers start with"
import pytest


@pytest.fixture
def raw(tmp_path): return tmp_path/'raw'
