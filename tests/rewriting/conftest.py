"What all tests of the rewriters start with"
from pathlib import Path

import pytest

pytest.register_assert_rewrite('driver')


@pytest.fixture
def raw(tmp_path): return tmp_path/'raw'


@pytest.fixture
def made(request, raw, tmp_path):
    "Writes the `FILE` of a test module beside its `PHOTOS`, and gives the objects in it"
    from driver import rows
    from making import image, text
    file = request.module.FILE
    for o in request.module.PHOTOS: image(raw/Path(file).parent/f'{o}.jpg')
    (tmp_path/'copies').mkdir()
    def make(content):
        text(raw/file, content)
        return rows(raw, file)
    return make


@pytest.fixture
def edit(request, made, raw, tmp_path):
    "Edits that file, and checks all that is read of the copy"
    from driver import check
    return lambda *o: check(raw, request.module.FILE, o, tmp_path/'copies', within=0.51)
