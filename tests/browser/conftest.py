"Chromium for the tests of the explorer: the page with a model that stands in for the notebook's, and a JupyterLab"
import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from explored import Explored

from ear_lazy.data_processor import DataProcessor
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.synthetic import write_raw

CHROMIUM = os.environ.get('EAR_LAZY_CHROMIUM') or shutil.which('chromium')
FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
         '--disable-sync']

REQUIRED = os.environ.get('EAR_LAZY_BROWSER_TESTS') == 'required'


def absent():
    "What the tests of this folder lack"
    for module in ('playwright', 'anywidget'):
        if find_spec(module) is None: return f'{module}: pip install {module}'
    return None if CHROMIUM else 'Chromium: apt-get install chromium, or name it in EAR_LAZY_CHROMIUM'


def pytest_collection_modifyitems(items):
    here = [o for o in items if o.path.parent == Path(__file__).parent]
    if not here or not (lacking := absent()): return
    if REQUIRED: raise pytest.UsageError(f'the tests in a browser need {lacking}')
    for item in here: item.add_marker(pytest.mark.skip(reason=f'the tests in a browser need {lacking}'))


@pytest.fixture
def axe():
    "The rules of accessibility"
    if find_spec('axe_playwright_python') is None and not REQUIRED: pytest.skip('needs axe-playwright-python: pip install axe-playwright-python')
    from axe_playwright_python.sync_playwright import Axe
    return Axe()


@pytest.fixture(scope='module') # closed before other tests fork: a worker that holds its pipes would keep its driver from ending
def chromium():
    "Starts a browser"
    from playwright.sync_api import sync_playwright
    with sync_playwright() as p: yield lambda: p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)


@pytest.fixture(scope='module')
def browser(chromium):
    browser = chromium()
    yield browser
    browser.close()


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={'width': 1000, 'height': 640})
    yield page
    page.close()


@pytest.fixture
def show(page):
    return lambda widget, theme='light': Explored(page, widget, theme)


@pytest.fixture(scope='session')
def processed(tmp_path_factory):
    folder = tmp_path_factory.mktemp('explored')
    write_raw(folder/'raw', images=60)
    DataProcessor(folder/'raw', folder/'preprocessed', num_workers=0, progress=False).process_all()
    return folder/'preprocessed'


@pytest.fixture(scope='session')
def opened(processed):
    def opened(kind, split='train', **options): return LazyNPYDataset(processed/f'{split}_{kind}.npy', **options)
    return opened


@pytest.fixture
def many(opened):
    "A dataset of ten thousand rows"
    ds = opened('detector')
    return ds[np.arange(10_000) % len(ds)]


@pytest.fixture
def broken(tmp_path):
    "A dataset of which row 1 is no image and row 3 is gone"
    write_raw(tmp_path/'raw', images=30)
    DataProcessor(tmp_path/'raw', tmp_path/'out', num_workers=0, progress=False).process(('detector',), 0.8)
    ds = LazyNPYDataset(tmp_path/'out'/'train_detector.npy')
    with open(ds.get_metadata(1)['image_path'], 'wb') as f: f.write(b'<script>alert(1)</script>')
    os.unlink(ds.get_metadata(3)['image_path'])
    return ds
