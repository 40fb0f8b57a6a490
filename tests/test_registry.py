"A format is one module that registers itself"
import re

import pytest
from making import ROOT, boxes, image, process, text

from ear_lazy.formats.shared import registry


@pytest.fixture
def corners():
    "The example of CONTRIBUTING.md, run"
    code = re.search(r'```python\n(.*?)```', (ROOT/'CONTRIBUTING.md').read_text(), re.S)[1]
    exec(code, {'__name__': 'corners'})
    yield
    del registry._registered['corners']


def test_the_example_of_the_contributors_page(tmp_path, corners):
    image(tmp_path/'raw/ears/a.png'), text(tmp_path/'raw/ears/a.corners', '1 2 11 22')
    report = process(tmp_path/'raw', tmp_path/'out')
    assert boxes(tmp_path/'out') == [('ears/a.png', [1, 2, 10, 20])] and report.sources['ears'].formats == 'corners'


def test_an_entry_point_of_another_package(tmp_path, monkeypatch):
    "Its module is imported when readers are asked for"
    class Entry:
        def load(self): registry.register('theirs', lambda tree, folder: [], lambda tree, document: None)
    monkeypatch.setattr(registry, 'entry_points', lambda group: [Entry()] if group == 'ear_lazy.formats' else [])
    registry._load_all.cache_clear()
    try: assert 'theirs' in registry.readers() and 'coco' in registry.readers()
    finally:
        registry._registered.pop('theirs', None)
        registry._load_all.cache_clear()


def test_every_reader_says_what_it_goes_by():
    for reader in registry.readers().values(): assert reader.why and reader.why != 'its content', reader.name
