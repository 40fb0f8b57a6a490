"A format is one module that registers itself"
import re
import subprocess
import sys

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


def test_modules_are_found_by_their_names():
    "Readers are all found without the modules that write, and rewriters by theirs"
    code = ("import pkgutil, sys, ear_lazy.formats as formats\nfrom importlib import import_module\nfrom ear_lazy.formats.shared.patches import rewriters\n"
            "from ear_lazy.formats.shared.registry import readers\n"
            "found = [*readers()]\nassert not [o for o in sys.modules if o.startswith('ear_lazy.formats.') and o.endswith('writing')]\nwriters = [*rewriters()]\n"
            "for o in pkgutil.iter_modules(formats.__path__): import_module(f'ear_lazy.formats.{o.name}')\n"
            "assert found and found == [*readers()]\nassert writers and {*writers} == {*rewriters()} <= {*found}")
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert not done.returncode, done.stderr
