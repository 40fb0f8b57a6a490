"The explorer in a JupyterLab"
import ast
import json
import os
import re
import shutil
from pathlib import Path

import pytest
from lab import Lab, Notebook

from ear_lazy.correcting.journal import Journal
from ear_lazy.synthetic import plant_mistakes, write_raw

OPEN = """import numpy as np
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.explorer import explore
some = LazyNPYDataset({path!r})
ds = some[np.arange(10_000) % len(some)]"""
LOADED = "() => { const cells = [...document.querySelectorAll('.eal-cell')]; return cells.length && cells.every(o => o.classList.contains('eal-loaded')) }"


@pytest.fixture(scope='module')
def lab(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp('lab'))
    yield lab
    lab.stop()


@pytest.fixture
def notebook(lab, browser, processed, request):
    "Opens a notebook, of which the first cell has been run"
    context = browser.new_context(viewport={'width': 1280, 'height': 900})
    page = context.new_page()

    def notebook(*cells, path=processed/'train_detector.npy'):
        found = Notebook(page, lab, f'{request.node.name}.ipynb', OPEN.format(path=str(path)), *cells)
        found.run(0)
        return found

    yield notebook
    context.close()


def loaded(page): page.wait_for_function(LOADED, timeout=20_000)


def test_look_flag_read_and_correct(notebook, tmp_path):
    nb = notebook('w = explore(ds)\nw', 'print(w.flagged, w.selected, len(w.view), len(ds.drop(w.flagged)))', 'w.flagged = [1, 7]',
                  f"explore(some, edit=True, corrections='{tmp_path}/corrections.jsonl')")
    page = nb.page
    nb.start(1)
    loaded(page)
    page.locator('.eal-cell[data-row="2"]').click()
    page.wait_for_selector('.eal-truth', state='attached')
    page.keyboard.press('f')
    page.keyboard.press('Escape')
    page.locator('.eal-scroll').evaluate('o => { o.scrollTop = o.scrollHeight }')
    page.wait_for_selector('.eal-cell[data-row="9999"].eal-loaded')
    page.keyboard.press('End')
    page.keyboard.press('f')
    page.keyboard.press('/')
    page.keyboard.type('person')
    page.wait_for_function("() => / of 10,000 rows, 2 flagged/.test(document.querySelector('.eal-status').textContent)")
    assert nb.run(2).startswith('[2, 9999] [2] ') and nb.printed(2).endswith(' 9998')
    nb.run(3)
    page.keyboard.press('Escape')
    page.fill('.eal-text', '')
    page.wait_for_selector('.eal-cell[data-row="7"].eal-flagged')
    saved = nb.save()
    assert nb.path.stat().st_size < 4096 + sum(len(o['source']) for o in saved['cells']) and 'widgets' not in saved['metadata']
    page.evaluate("jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    nb.start(4)
    loaded(page)
    page.locator('.eal-cell[data-row="0"]').click()
    page.wait_for_selector('.eal-stage[role=application]')
    for key in ('Tab', 'Shift+ArrowDown', 'Control+d', 'Delete', 'Control+z', 'Space'): page.keyboard.press(key)
    page.wait_for_function("() => document.querySelector('.eal-saved').textContent.startsWith('saved ')")
    assert [json.loads(o)['op'] for o in (tmp_path/'corrections.jsonl').read_text().splitlines()] == ['set', 'add', 'delete', 'undo', 'ok']


@pytest.mark.slow
def test_no_key_reaches_the_notebook(notebook):
    nb = notebook('explore(ds)', '"third"')
    page = nb.page
    nb.start(1)
    loaded(page)
    cells = page.locator('.jp-Notebook .jp-Cell')
    def outputs(): return [cells.nth(i).inner_text() for i in (0, 2)]
    before = outputs()
    places = ['.eal-layer', '.eal-more summary', '.eal select >> nth=0', '.eal input[type=checkbox] >> nth=0', '.eal-bar button >> nth=0']
    for where in places:
        page.focus(where)
        for key in ('x', 'd', 'd', 'a', 'b', 'z', 'v', 'm', 'Shift+M', 'j', 'k'): page.keyboard.press(key)
    page.focus('.eal-layer')
    page.keyboard.press('Enter')
    page.wait_for_selector('.eal-truth', state='attached')
    for key in 'xddabzv': page.keyboard.press(key)
    page.focus('.eal-full button >> nth=0')
    for key in 'xddabzv': page.keyboard.press(key)
    page.wait_for_timeout(300)
    assert cells.count() == 3 and outputs() == before


@pytest.mark.slow
def test_labels_are_corrected(notebook, tmp_path):
    "By the mouse and by keys that mean something else to the notebook; they are there when all has been started again"
    journal = tmp_path/'corrections.jsonl'
    nb = notebook(f'w = explore(some, edit=True, corrections={str(journal)!r})\nw', '"third"')
    page = nb.page
    nb.start(1)
    loaded(page)
    cells = page.locator('.jp-Notebook .jp-Cell')
    before = cells.nth(2).inner_text()
    def said(n): page.wait_for_function("n => document.querySelectorAll('.eal-objects button').length === n && document.querySelector('.eal-saved').textContent.startsWith('saved ')", arg=n)
    page.locator('.eal-cell[data-row="0"]').click()
    page.wait_for_selector('.eal-object', state='attached')
    for key in ('n', 'n', 'ArrowRight', 'Alt+ArrowDown', 'Control+d', 'Control+c', 'Control+v'): page.keyboard.press(key)
    said(4)
    for key in ('Delete', 'Control+z', 'Control+Shift+z', 'x', 'b', 'z', 'y', 'Shift+Tab', 'Escape', 'Space'): page.keyboard.press(key)
    said(3)
    page.keyboard.press('m')
    for key in 'xddab': page.keyboard.press(key)
    page.keyboard.press('Enter')
    page.keyboard.press('?')
    for key in ('x', 'b', 'Escape'): page.keyboard.press(key)
    page.wait_for_function("() => document.querySelector('[aria-label=Editing]').textContent.includes('Note: xddab')")
    page.focus('.eal-side button >> nth=0')
    for key in 'xb': page.keyboard.press(key)
    page.wait_for_timeout(300)
    assert cells.count() == 3 and cells.nth(2).inner_text() == before
    assert page.locator('[aria-label=Editing] [aria-pressed=true]').inner_text() == '✓ Right'
    page.evaluate('jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()')
    page.wait_for_selector('.eal-kernel:has-text("Kernel not running")', timeout=15_000)
    nb.run(0)
    nb.start(1)
    loaded(page)
    page.locator('.eal-cell[aria-selected=true]').click()
    page.wait_for_function("() => document.querySelectorAll('.eal-object').length === 3 && document.querySelector('[aria-label=Editing]').textContent.includes('Note: xddab')")


@pytest.mark.slow
def test_two_clicks_from_a_number_to_its_pictures(notebook):
    "The view of an evaluation; its keys do not reach the notebook"
    nb = notebook("""boxes = [some.get_metadata(i)['bboxes'] for i in range(len(some))]
found = [dict(boxes=np.hstack([o[:, :2], o[:, :2] + o[:, 2:]]), labels=some.metadata.labels(i), scores=np.full(len(o), .9)) for i, o in enumerate(boxes)]
found[3] = None
w = some.evaluate(found).view()
w""", 'print(w.view.tolist())', '"third"')
    page = nb.page
    nb.start(1)
    page.get_by_role('button', name='recall').click()
    loaded(page)
    if folder := os.environ.get('EAR_LAZY_SCREENSHOTS'): page.screenshot(path=Path(folder)/'evaluation_lab.png')
    page.locator('.eal-cell[data-row="3"]').click()
    page.wait_for_selector('.eal-truth', state='attached')
    assert nb.run(2) == '[3]'
    cells = page.locator('.jp-Notebook .jp-Cell')
    before = cells.nth(3).inner_text()
    for name in ('Curves', 'Classes', 'Confusion', 'Slices'):
        if not page.get_by_role('tab', name=name).count(): continue # of one class
        page.get_by_role('tab', name=name).click()
        for key in ('x', 'd', 'd', 'a', 'b', 'Tab', 'x', 'd', 'd', 'b', 'Tab', 'x', 'd', 'd', 'b'): page.keyboard.press(key)
    assert cells.count() == 4 and cells.nth(3).inner_text() == before
    saved = nb.save()
    assert nb.path.stat().st_size < 8192 + sum(len(o['source']) for o in saved['cells']) and 'widgets' not in saved['metadata'], 'its tables as text, and no pictures'


@pytest.mark.slow
def test_flags_survive_a_reload(notebook):
    nb = notebook('w = explore(ds)\nw')
    page = nb.page
    nb.run(1)
    loaded(page)
    page.focus('.eal-layer')
    for key in ('ArrowRight', 'f'): page.keyboard.press(key)
    nb.save()
    page.reload()
    page.wait_for_selector('.eal-cell.eal-flagged', timeout=30_000)
    loaded(page)
    assert page.locator('.eal-flagged').get_attribute('data-row') == '1'


@pytest.mark.parametrize('work', ['time.sleep(.05)', pytest.param('sum(range(100_000))', marks=pytest.mark.slow)])
def test_answers_while_a_cell_runs(notebook, work):
    nb = notebook('w = explore(ds)\nw', f'import time\nwhile not w.flagged: {work}\nprint(w.flagged)')
    page = nb.page
    nb.run(1)
    loaded(page)
    nb.start(2)
    page.locator('.eal-scroll').evaluate('o => { o.scrollTop = 100_000 }')
    page.wait_for_function("() => [...document.querySelectorAll('.eal-cell.eal-loaded')].some(o => o.dataset.row > 1000)")
    loaded(page)
    assert '*' in nb.prompt(2) and page.locator('.eal-kernel').inner_text() == ''
    row = page.locator('.eal-cell').first.get_attribute('data-row')
    page.locator('.eal-cell').first.click()
    page.wait_for_selector('.eal-truth', state='attached')
    assert '*' in nb.prompt(2), 'the full view was there before the end of the cell'
    page.keyboard.press('f')
    nb.ended(2)
    assert nb.printed(2) == f'[{row}]'


@pytest.mark.slow
def test_a_kernel_that_cannot_answer_is_busy(notebook):
    "A cell in C code that holds the interpreter's lock: no other thread of the kernel runs"
    nb = notebook('w = explore(ds)\nw', 'import ctypes\nctypes.PyDLL(None).sleep(6)', 'import time\nwhile not w.flagged: time.sleep(.05)\nprint(w.flagged)')
    page = nb.page
    nb.run(1)
    loaded(page)
    nb.start(2)
    page.locator('.eal-scroll').evaluate('o => { o.scrollTop = 100_000 }')
    page.wait_for_selector('.eal-kernel:has-text("Kernel busy: waiting for it")', timeout=5000)
    page.focus('.eal-layer')
    page.keyboard.press('Home')
    page.keyboard.press('f')
    assert '*' in nb.prompt(2)
    nb.ended(2)
    page.wait_for_function("() => !document.querySelector('.eal-kernel').textContent")
    loaded(page)
    assert nb.run(3) == '[0]', 'a flag that was set meanwhile has arrived'


@pytest.mark.slow
def test_a_kernel_that_was_started_again(notebook):
    nb = notebook('w = explore(ds)\nw')
    page = nb.page
    nb.run(1)
    loaded(page)
    page.evaluate('jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()')
    page.wait_for_selector('.eal-kernel:has-text("Kernel not running: run the cell again")', timeout=15_000)
    nb.run(0)
    nb.run(1)
    loaded(page)
    page.locator('.eal-cell[data-row="0"]').click()
    page.wait_for_selector('.eal-truth', state='attached')
    assert page.locator('.eal-kernel').inner_text() == ''


@pytest.mark.slow
def test_dark_theme(notebook):
    nb = notebook('explore(ds)')
    page = nb.page
    nb.run(1)
    loaded(page)
    light = page.locator('.eal').evaluate('o => getComputedStyle(o).backgroundColor')
    page.click('text=Settings >> nth=0')
    page.hover('.lm-Menu-itemLabel >> text=/^Theme$/')
    page.click('.lm-Menu-itemLabel >> text=/JupyterLab Dark$/')
    page.wait_for_function("light => getComputedStyle(document.querySelector('.eal')).backgroundColor !== light", arg=light)
    assert page.evaluate("document.body.dataset.jpThemeLight") == 'false'
    page.click('text=Settings >> nth=0')
    page.hover('.lm-Menu-itemLabel >> text=/^Theme$/')
    page.click('.lm-Menu-itemLabel >> text=/JupyterLab Light$/')
    page.wait_for_function("light => getComputedStyle(document.querySelector('.eal')).backgroundColor === light", arg=light)


def test_a_broken_image_and_a_kernel_that_is_gone(notebook, broken):
    nb = notebook('w = explore(some)\nw', path=broken.metadata.path)
    page = nb.page
    nb.run(1)
    loaded(page)
    assert page.locator('.eal-cell .eal-error:visible').count() == 2
    assert 'no such file' in page.locator('.eal-cell[data-row="3"]').get_attribute('aria-label')
    page.click('text=Kernel >> nth=0')
    page.click('.lm-Menu-itemLabel >> text=/^Shut Down Kernel$/')
    page.wait_for_function('() => !jupyterapp.shell.currentWidget.sessionContext.session?.kernel')
    page.locator('.eal-cell[data-row="0"]').click()
    page.wait_for_selector('.eal-kernel:has-text("Kernel not running: run the cell again")', timeout=15_000)


def test_nothing_leaves_the_machine(notebook):
    nb = notebook('explore(ds)')
    asked = []
    nb.page.on('request', lambda request: asked.append(request.url))
    nb.run(1)
    loaded(nb.page)
    nb.page.locator('.eal-cell').first.click()
    nb.page.wait_for_selector('.eal-truth', state='attached')
    assert [o for o in asked if not o.startswith(('http://127.0.0.1:', 'blob:', 'data:'))] == []


@pytest.mark.slow
def test_static_needs_no_kernel(notebook):
    nb = notebook('explore(ds).static(24)')
    nb.run(1)
    saved = nb.save()
    html = ''.join(saved['cells'][1]['outputs'][0]['data']['text/html'])
    assert html.count(' alt="row ') == 24 and nb.path.stat().st_size < 80_000
    assert 'widget' not in json.dumps(saved['cells'][1]['outputs'])


def test_readme_leads_to_a_mistake(lab, browser, tmp_path):
    "Who does what the README says, and no more, has flagged a label that is wrong"
    readme = (Path(__file__).parents[2]/'README.md').read_text(encoding='utf-8').partition('## Look through it')[2].partition('\n## ')[0]
    look, go_on = re.findall(r'^```python\n(.*?)\n```$', readme, flags=re.S | re.M)
    raw = write_raw(lab.folder/'work'/'ear_lazy_demo'/'raw', images=80)
    page = browser.new_page(viewport={'width': 1280, 'height': 900})
    nb = Notebook(page, lab, 'newcomer.ipynb', look, go_on, "print([ds.get_metadata(o)['image_path'].rsplit('/', 1)[1] for o in w.flagged])")
    nb.start(0)
    page.wait_for_function(LOADED, timeout=60_000)
    page.get_by_label('Sort').select_option('size')
    page.get_by_text('Lowest first').click()
    page.get_by_text('Highest first').wait_for()
    loaded(page)
    page.locator('.eal-cell').first.click()
    page.wait_for_selector('.eal-truth', state='attached')
    page.keyboard.press('f')
    page.keyboard.press('Escape')
    assert re.fullmatch(r'\[\d+\]', nb.run(1))
    mistakes = plant_mistakes(shutil.copytree(raw, tmp_path/'raw'))
    assert {*ast.literal_eval(nb.run(2))} <= {*mistakes['grown']}
    page.close()


@pytest.mark.slow
def test_walk_through_suspects(notebook, tmp_path):
    nb = notebook(f"w = explore(some, suspects=some.suspects()[:3], corrections='{tmp_path}/corrections.jsonl')\nw", 'print(w.selected, len(w.view))', 'print(2)')
    page, journal = nb.page, Journal(tmp_path/'corrections.jsonl')
    nb.start(1)
    def sees(words): page.wait_for_function("words => document.querySelector('.eal-walk:not([hidden])')?.innerText.includes(words)", arg=words, timeout=20_000)
    sees('Suspect 1 of 3') # it opens there, and leaves the focus to the notebook
    assert page.evaluate("!document.querySelector('.eal').contains(document.activeElement)")
    page.locator('.eal-stage').focus()
    for key, words in (('u', 'Suspect 2 of 3, 1 right'), ('j', 'Suspect 3 of 3, 1 right'), ('Shift+J', 'Suspect 2 of 3, 1 right'), ('Delete', 'It is corrected.'), ('Control+z', 'Suspect 2 of 3, 1 right'),
                       ('u', 'Suspect 3 of 3, 2 right'), ('x', 'Suspect 3 of 3, 2 right')):
        page.keyboard.press(key)
        sees(words)
    page.wait_for_function("() => document.querySelector('.eal-saved').textContent.startsWith('saved')")
    assert nb.run(3) == '2', 'no key has reached the notebook: its cells are there'
    nb.run(2)
    journal.refresh()
    assert sorted(o.op for o in journal.lines.values()) == ['delete', 'ok', 'ok', 'undo']
