"What all tests of the rewriters start with"
import pytest

pytest.register_assert_rewrite('driver')


@pytest.fixture
def raw(tmp_path): return tmp_path/'raw'
