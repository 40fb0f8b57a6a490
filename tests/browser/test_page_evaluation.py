"The page of an evaluation, with a kernel that answers from what is fixed here"
import os
from pathlib import Path

import pytest
from explored import Explored

from ear_lazy.evaluation_view import EVALUATION_MODULES, evaluation_page
from ear_lazy.looking.row_table import QUERY


def cell(value, **more): return dict(words=f'{value:.3f}' if isinstance(value, float) else str(value), value=value) | more


def table(name, heads, *lines, **more): return dict(name=name, columns=[dict(name=o, title=f'what {o} is') for o in heads], rows=[dict(pick=pick, cells=cells) for pick, cells in lines], note='') | more


def line_chart(name, across=False):
    places = [i/10 for i in range(11)]
    lines = [dict(name=o, points=[[x, 1 - x**power] for x in places]) for o, power in (('IoU 0.50', 4), ('IoU 0.75', 2))]
    stops = [dict(at=[[x, 1 - x**4]], words=f'recall {x}', pick={'curve': 'precision–recall', 'bin': x}) for x in places]
    return dict(name=name, across=across, hint='A click shows mistakes', x=dict(name='recall', low=0, high=1), y=dict(name='precision', low=0, high=1), lines=lines, stops=stops)


def bar_chart(name): return dict(name=name, across=True, diagonal=True, x=dict(name='score', low=0, high=1), y=dict(name='right', low=0, high=1), bars=[[0, .5, .2], [.5, 1, .9]],
                                 stops=[dict(at=[[.25, .2]], words='low', pick={'curve': 'calibration', 'bin': 0}), dict(at=[[.75, .9]], words='high', pick={'curve': 'calibration', 'bin': 1})])


def evaluation(names=('ear', 'person', '<b>face</b>'), compared=False):
    "What the page gets"
    n = len(names)
    numbers = [dict(name=o, words='0.512', caption='IoU 0.50 to 0.95', title=f'what {o} is', pick={'metric': o}, level=.512) for o in ('AP', 'AP50', 'recall')]
    if compared: numbers = [o | dict(level=None, was='0.478', change=dict(words='+0.034', interval='+0.010 to +0.058', verdict='better')) for o in numbers]
    rows = [({'class_': o}, [cell(o or 'no class'), cell(10 * i + 1), cell(None, words='–') if i == 1 else cell(1 - i/100, level=1 - i/100), cell(i, pick={'class_': o, 'what': 'missed'})]) for i, o in enumerate(names)]
    every = [*names, 'background']
    cells = [[i, i, 100 + i, .9, f'{o} found as {o}: {100 + i}'] for i, o in enumerate(names)] + [[i, n, i + 1, .1, f'{o} taken for background: {i + 1}'] for i, o in enumerate(names)]
    return dict(title='Detector', facts=['48 photos', '61 objects'], what='photos', names=['a.pt', '<i>b.pt</i>'] if compared else None, gains=[dict(words=f'3 photos {o}', title='', verdict=o, pick={o: True}) for o in ('better', 'worse')] if compared else [], numbers=numbers,
                tables=[table('Classes', ['class', 'labelled', 'AP', 'missed'], *rows, by=2)] if n else [], curves=[line_chart('Precision by recall'), line_chart('By score', True), bar_chart('Calibration')] if n else [],
                classes=[[o, o] for o in names] if n > 1 else [], confusion=dict(names=every, words=every, cells=cells, most=[[f'{names[-1]} → background', n, {'confusion': [names[-1], 'background']}, 1]] if n else [], note=''), columns=['source', 'class'])


SLICES = table('Slices', ['source', 'photos', 'AP'], ({'slice': ['source', 'ears']}, [cell('ears'), cell(30), cell(.5, level=.5)]), ({'slice': ['source', '?']}, [cell('<img src=x onerror=alert(1)>'), cell(18), cell(.7, level=.7)]))


class StandIn:
    "A widget whose kernel answers from what is fixed"
    _esm, _css = evaluation_page()
    def __init__(self, of):
        self.of, self.comm, self.picked = of, self, []
        self.flagged, self.selected, self.query, self.height, self.editing, self.key_map = [], [], dict(QUERY), 420, False, {}

    def set_state(self, state): vars(self).update(state)

    def handle_msg(self, message):
        content = message['content']['data']['content']
        match content['type']:
            case 'hello': self.send({'type': 'view', 'all': 0}, [b''])
            case 'evaluation': self.send({'type': 'evaluation', 'id': content['id'], 'of': self.of})
            case 'curves': self.send({'type': 'curves', 'id': content['id'], 'class': content['class'], 'curves': [bar_chart(f'Calibration of {content["class"]}')]})
            case 'slices': self.send({'type': 'slices', 'id': content['id'], 'of': dict(by=content['by'], table=SLICES) if content['by'] == 'source' else dict(by=content['by'], error='no class is known')})
            case 'pick':
                self.picked.append(content['pick'])
                self.send({'type': 'picked', 'id': content['id'], 'shown': dict(pick=content['pick'], words=f'{[*content["pick"]][0]}: 12 photos')})


@pytest.fixture
def drawn(page):
    def drawn(of=None, theme='light', width=1000):
        page.set_viewport_size({'width': width, 'height': 900})
        e = Explored(page, StandIn(evaluation() if of is None else of), theme)
        page.wait_for_selector('.eav-tile')
        return e
    return drawn


def tab(e, name): e.page.get_by_role('tab', name=name).click()


def said(e): return e.page.locator('.eav-line [role=status]').inner_text()


def test_modules_import_what_they_use(drawn, page, monkeypatch):
    "The page runs as the modules that it is written as, without being joined"
    package = Path(__file__).parents[2]/'ear_lazy'
    assert {f'{o}.js' for o in EVALUATION_MODULES} == {o.name for o in (package/'measuring/evaluation_page').glob('*.js')}
    page.route('http://page.test/**', lambda route: route.fulfill(path=package/route.request.url.split('page.test/')[1], content_type='text/javascript', headers={'Access-Control-Allow-Origin': '*'}))
    monkeypatch.setattr(StandIn, '_esm', "export { default } from 'http://page.test/measuring/evaluation_page/evaluation.js'")
    e = drawn()
    page.locator('.eav-tile button').first.click()
    page.wait_for_selector('.eav-rows .eal')
    for name in ('Classes', 'Confusion', 'Slices'): tab(e, name)
    assert e.errors == []


def test_clicks_lead_to_rows(drawn):
    "Each sends what the kernel gave it, once; below is the explorer, and what is shown is marked"
    e = drawn()
    assert e.page.locator('.eal').count() == 0, 'no picture is asked for before there is a click'
    e.page.get_by_role('button', name='AP50').click()
    e.page.wait_for_selector('.eav-rows .eal')
    e.page.locator('.eav-plot').nth(2).click(position={'x': 70, 'y': 100})
    tab(e, 'Classes')
    e.page.get_by_role('rowheader', name='person').click()
    e.page.locator('tr', has_text='<b>face</b>').locator('td button').click()
    tab(e, 'Confusion')
    e.page.locator('.eav-matrix tbody tr').nth(1).locator('td').nth(3).click()
    e.page.locator('.eav-matrix tbody tr').nth(3).locator('td').nth(0).click() # nothing there
    e.page.locator('.eav-most button').click()
    tab(e, 'Slices')
    e.page.get_by_role('cell', name='18').click()
    e.page.wait_for_selector('.eav-slices [aria-pressed=true]')
    assert e.widget.picked == [{'metric': 'AP50'}, {'curve': 'calibration', 'bin': 0}, {'class_': 'person'}, {'class_': '<b>face</b>', 'what': 'missed'}, {'confusion': ['person', 'background']},
                               {'confusion': ['<b>face</b>', 'background']}, {'slice': ['source', '?']}]
    assert said(e) == 'slice: 12 photos' and e.page.locator('[aria-pressed=true], [aria-selected=true][data-pick]').count() == 1
    e.page.get_by_role('button', name='All photos').click()
    e.page.wait_for_function("() => document.querySelector('.eav-line [role=status]').textContent.startsWith('all')")
    e.page.get_by_role('button', name='Hide').click()
    assert e.widget.picked[-1] == {'all': True} and not e.page.locator('.eal').is_visible() and e.errors == []


def test_keys_alone(drawn):
    "One stop of Tab for each part, arrows inside, Enter shows; no key goes on to the notebook"
    e = drawn()
    press = e.page.keyboard.press
    e.page.get_by_role('tab', name='Curves').focus()
    for key in ('Tab', 'Tab', 'ArrowRight', 'ArrowRight', 'Enter', 'End', 'ArrowLeft', 'Enter'): press(key)
    assert e.page.locator('.eav-plot').first.get_attribute('aria-valuetext') == 'recall 0.9' and e.page.locator('.eav-readout').first.inner_text() == 'recall 0.9'
    e.page.get_by_role('tab', name='Curves').focus()
    for key in ('ArrowRight', 'Tab', 'Tab', 'Tab', 'Tab', 'Tab', 'ArrowDown', 'ArrowRight', 'Enter'): press(key)
    e.page.get_by_role('tab', name='Classes').focus()
    for key in ('ArrowRight', 'Tab', 'End', 'ArrowDown', 'x', 'b', 'Enter'): press(key)
    e.page.wait_for_function("() => document.querySelector('.eav-line [role=status]').textContent.includes('confusion')")
    assert e.widget.picked == [{'curve': 'precision–recall', 'bin': .2}, {'curve': 'precision–recall', 'bin': .9}, {'class_': 'ear', 'what': 'missed'}, {'confusion': ['person', 'background']}]
    assert e.page.evaluate('window.reached') == [] and e.page.evaluate("document.activeElement.hasAttribute('data-lm-suppress-shortcuts')")


def test_a_late_answer_moves_nothing(drawn):
    "Who goes on along a curve before the kernel has answered stays where he is"
    e = drawn()
    e.page.evaluate('window.silent = true')
    e.page.locator('.eav-plot').first.focus()
    for key in ('ArrowRight', 'Enter', 'End'): e.page.keyboard.press(key)
    e.page.evaluate("window.deliver([{ content: { type: 'picked', id: 'x', shown: { pick: { curve: 'precision–recall', bin: .1 }, words: 'late' } }, buffers: [] }], {})")
    assert said(e) == 'late' and e.page.locator('.eav-readout').first.inner_text() == 'recall 1.0'
    e.page.get_by_role('tab', name='Curves').focus()
    e.page.evaluate("window.deliver([{ content: { type: 'picked', id: 'x', shown: { pick: { curve: 'precision–recall', bin: .1 }, words: 'late' } }, buffers: [] }], {})")
    assert e.page.locator('.eav-readout').first.inner_text() == 'recall 0.1'


def test_curves_of_a_class(drawn):
    e = drawn()
    e.page.get_by_label('Curves of').select_option('<b>face</b>')
    e.page.get_by_text('Calibration of <b>face</b>').wait_for()
    assert e.page.locator('.eav-plot').count() == 1


def test_tables_sort(drawn):
    "By any column, either way; what has no value is last"
    e = drawn()
    tab(e, 'Classes')
    def names(): return e.page.locator('.eav-table tbody th').all_inner_texts()
    assert names() == ['<b>face</b>', 'ear', 'person']
    e.page.get_by_role('button', name='AP', exact=True).last.click()
    assert names() == ['ear', '<b>face</b>', 'person'] and e.page.locator('[aria-sort=descending]').inner_text().startswith('AP')
    e.page.get_by_role('button', name='class', exact=True).click()
    assert names() == ['<b>face</b>', 'ear', 'person']


@pytest.mark.parametrize('theme', [pytest.param('light', marks=pytest.mark.slow), 'dark'])
def test_accessible(axe, drawn, theme):
    e = drawn(evaluation(compared=theme == 'dark'), theme)
    e.page.locator('.eav-tile button').first.click()
    e.page.wait_for_selector('.eav-rows .eal')
    for name in ('Curves', 'Classes', 'Confusion', 'Slices'):
        tab(e, name)
        e.page.wait_for_function("() => !document.querySelector('.eav-panel').textContent.endsWith('…')")
        if folder := os.environ.get('EAR_LAZY_SCREENSHOTS'): e.page.screenshot(path=Path(folder)/f'evaluation_{theme}_{name.lower()}.png')
        found = axe.run(e.page, context='.eav')
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize('names', [pytest.param((), marks=pytest.mark.slow), pytest.param(('ear',), marks=pytest.mark.slow), tuple(f'class {i} of eighty' for i in range(80))], ids=['none', 'one', 'eighty'])
def test_narrow_with_any_number_of_classes(drawn, names):
    "Nothing is wider than 400 pixels; the matrix scrolls inside, and its headers stay"
    e = drawn(evaluation(names, compared=len(names) == 1), width=400)
    for name in e.page.get_by_role('tab').all_inner_texts():
        tab(e, name)
        assert e.page.evaluate('document.documentElement.scrollWidth') <= 400, name
    tab(e, 'Confusion')
    assert e.page.locator('.eav-matrix td[role=gridcell]').count() == (len(names) + 1)**2
    if len(names) == 80:
        e.page.locator('.eav-most button').click()
        e.page.eval_on_selector('.eav-scroll', 'o => o.scrollTo(9999, 9999)')
        assert e.page.locator('.eav-matrix thead th').last.is_visible() and e.page.get_by_role('gridcell', name='class 79 of eighty taken for background: 80').is_visible()
    assert e.errors == []


def test_a_class_of_markup_is_only_text(drawn):
    e = drawn(evaluation(('<img src=x onerror="document.title = 1">',), compared=True))
    for name in ('Classes', 'Confusion', 'Slices'): tab(e, name)
    e.page.wait_for_selector('.eav-slices table')
    assert e.page.locator('.eav img, .eav i').count() == 0 and e.page.title() == 'explorer'
    e.page.get_by_label('Slices by').select_option('class')
    e.page.wait_for_selector('.eav-slices :text("no class is known")')


@pytest.mark.slow
def test_a_kernel_that_does_not_answer(drawn):
    e = drawn()
    e.page.evaluate('window.silent = true')
    e.page.locator('.eav-tile button').first.click()
    e.page.wait_for_selector('.eal-kernel:has-text("Kernel busy")', timeout=5000)
    e.page.evaluate("window.silent = false; window.fire('comm_live_update')")
    e.page.locator('.eav-tile button').first.click()
    e.page.wait_for_selector('.eav-rows .eal')
