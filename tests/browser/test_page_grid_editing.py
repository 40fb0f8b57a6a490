"Predictions accepted on the page, and several rows corrected at once in its grid"
import numpy as np
import pytest
from edited import Edited
from explored import picture

from ear_lazy.base.geometry import xywh_to_xyxy
from ear_lazy.explorer import explore

TRUTH, NEAR, FAR = [200, 250, 60, 100], [204, 252, 60, 100], [20, 30, 80, 90]


class Corrected(Edited):
    "With a kernel side that keeps what is said of several rows, and tells of marks"
    def __init__(self, *args, **options):
        self.bulk = []
        super().__init__(*args, **options)

    def to_python(self, content):
        if content.get('type') != 'bulk': return super().to_python(content)
        self.bulk.append((content['rows'], content['action']))
        self.outbox.append(({'type': 'edited', 'id': content['id'], 'saved': '14:03', 'words': f'{content["action"]["op"]}: {len(content["rows"])} rows'}, ()))
        self.mark({row: 'edited' for row in content['rows']})
        return self.mail()

    def mark(self, rows, **counts):
        counts = {'edited': 0, 'ok': 0, 'conflict': 0, 'photos': 1545, 'looked_at': 312} | counts
        self.outbox.append(({'type': 'marks', 'rows': {str(k): v for k, v in rows.items()}, 'counts': counts}, ()))

    def badge(self, row): return self.page.get_attribute(f'.eal-cell[data-row="{row}"]', 'data-mark')


@pytest.fixture(scope='module')
def predictions(opened):
    "Row 0 has a prediction near the truth, one elsewhere and one that the model is not sure of; the others have what is true"
    ds = opened('detector')
    found = [{'boxes': xywh_to_xyxy(ds.get_metadata(i)['bboxes']), 'labels': ds.metadata.labels(i), 'scores': np.full(len(ds.get_metadata(i)['bboxes']), .9)} for i in range(len(ds))]
    return [{'boxes': xywh_to_xyxy(np.array([NEAR, FAR, FAR])), 'labels': [1, 1, 1], 'scores': [.93, .61, .2]}, *found[1:]]


@pytest.fixture(scope='module')
def shared(browser, opened, predictions):
    page = browser.new_page(viewport={'width': 1000, 'height': 640})
    e = Corrected(page, explore(opened('detector'), predictions))
    e.loaded()
    yield e
    assert e.errors == []
    page.close()


@pytest.fixture
def edit(shared):
    "Row 0, with one object"
    shared.page.evaluate("() => { const o = document.querySelector('[aria-label=\"Least score of predictions\"]'); o.value = .5; o.dispatchEvent(new Event('input')) }")
    shared.page.wait_for_function("() => window.model.get('query').threshold === 0.5")
    shared.begin([{'box': TRUTH, 'label': 'face'}])
    while shared.page.get_by_role('button', name='rejected: show').count(): shared.page.get_by_role('button', name='rejected: show').click()
    return shared


def drawn(e): return e.page.locator('.eal-prediction .eal-score').all_text_contents()


def sent(e): return [o['actions'] for o in e.page.evaluate('window.sent') if o.get('type') == 'edit']


def done(e, n):
    e.page.wait_for_function("n => window.received.filter(([o]) => o.type === 'edited').length >= n && document.querySelector('.eal-saved').textContent !== 'saving…'", arg=n)


def test_accepting_changes_what_is_there_and_adds_what_is_not(edit):
    e = edit
    assert sorted(drawn(e)) == ['ear 0.61', 'ear 0.93']
    e.page.keyboard.press('y')
    done(e, 1)
    assert e.boxes() == [NEAR] and e.photo(0)['objects'][0]['label'] == 'ear' and drawn(e) == ['ear 0.61'], 'the object in its place has become it'
    e.page.keyboard.press('y')
    done(e, 2)
    assert sent(e) == [[{'op': 'set', 'key': '0.0', 'now': {'box': NEAR, 'label': 'ear'}}], [{'op': 'add', 'now': {'box': FAR, 'label': 'ear'}}]]
    assert drawn(e) == [] and 'settled' in e.page.locator('.eal-predictions').inner_text() and 'prediction accepted: ear 0.61' in e.page.locator('.eal-said').inner_text()
    e.page.keyboard.press('Control+z')
    done(e, 3)
    assert drawn(e) == ['ear 0.61'] and e.boxes() == [NEAR], 'what is taken back can be accepted again'


def test_rejecting_hides_for_the_session(edit):
    e = edit
    e.page.keyboard.press('j')
    e.page.keyboard.press('u')
    assert drawn(e) == ['ear 0.93'] and sent(e) == []
    e.page.keyboard.press('d')
    e.page.wait_for_selector('.eal-stage:not([aria-busy])[aria-label^="row"]:not([aria-label^="row 0:"])')
    e.page.keyboard.press('Home')
    e.page.wait_for_selector('.eal-prediction', state='attached')
    assert e.page.locator('.eal-title').inner_text().startswith('row 0') and drawn(e) == ['ear 0.93']
    e.page.get_by_role('button', name='1 rejected: show').click()
    assert len(drawn(e)) == 2


def test_threshold_and_all_above_it(edit):
    e = edit
    e.page.evaluate("() => { const o = document.querySelector('[aria-label=\"Least score of predictions\"]'); o.value = .7; o.dispatchEvent(new Event('input')) }")
    e.page.wait_for_function("() => document.querySelectorAll('.eal-prediction').length === 1")
    assert e.widget.query['threshold'] == .7 and '2 below 0.70' in e.page.locator('.eal-predictions').inner_text()
    e.widget.query = e.widget.query | {'threshold': .1}
    e.deliver()
    e.page.wait_for_function("() => document.querySelectorAll('.eal-prediction').length === 3")
    e.widget.query = e.widget.query | {'threshold': .5}
    e.deliver()
    e.page.keyboard.press('Shift+Y')
    done(e, 1)
    assert len(sent(e)) == 1 and [o['op'] for o in sent(e)[0]] == ['set', 'add'] and drawn(e) == [], 'one step of undo'


def test_a_click_chooses_a_prediction(edit):
    e = edit
    box = e.page.locator('.eal-prediction[data-i="1"] rect.eal-line').bounding_box()
    e.page.mouse.click(box['x'] + box['width'] / 2, box['y'] + box['height'] / 2)
    assert e.page.get_attribute('.eal-picked', 'data-i') == '1' and 'ear 0.61' in e.page.locator('.eal-said').inner_text()


def test_marks_progress_and_states(shared):
    e = shared
    e.page.keyboard.press('Escape')
    e.page.evaluate("document.querySelector('.eal-full').hidden || document.querySelector('[aria-label^=\"Back to\"]').click()")
    rows = e.widget.view[:4].tolist()
    e.mark(dict(zip(rows, ('edited', 'ok', 'conflict edited', 'excluded'))), conflict=1)
    e.deliver()
    e.loaded()
    e.page.wait_for_selector('.eal-cell[data-mark=conflict]')
    assert [e.badge(o) for o in rows] == ['edited', 'ok', 'conflict', 'excluded']
    assert '312 of 1,545 looked at, 1 in conflict' in e.page.locator('.eal-status').inner_text()
    assert e.page.get_attribute(f'.eal-cell[data-row="{rows[1]}"]', 'aria-label').endswith('looked at')
    e.mark(dict.fromkeys(rows, ''))
    e.deliver()
    e.page.wait_for_selector('.eal-cell[data-mark=conflict]', state='detached')
    e.widget.table.marks = {1: 'edited'}
    e.page.select_option('[aria-label=Show]', 'edited')
    e.page.wait_for_function("() => document.querySelectorAll('.eal-cell').length === 1")
    e.page.select_option('[aria-label=Show]', '')
    e.loaded()


def test_several_rows_at_once(shared):
    e = shared
    e.bulk.clear()
    e.page.focus('.eal-layer')
    e.page.keyboard.press('Home')
    for key in ('Shift+ArrowRight', 'Shift+ArrowRight'): e.page.keyboard.press(key)
    e.page.wait_for_selector('.eal-bulk:visible')
    rows = sorted(int(o) for o in e.widget.view[:3])
    assert e.page.locator('.eal-bulk strong').inner_text() == '3 rows' and e.widget.selected == rows
    e.page.select_option('[aria-label="Class for the selected rows"]', 'ear')
    e.page.wait_for_function("() => document.querySelector('.eal-bulk [role=status]').textContent === 'label: 3 rows, saved 14:03'")
    e.page.keyboard.press('Delete')
    assert e.page.locator('.eal-asking').inner_text().startswith('Delete all objects of these 3 rows?') and len(e.bulk) == 1, 'it is asked once'
    e.page.keyboard.press('Tab')
    e.page.keyboard.press('Enter')
    assert not e.page.locator('.eal-asking').is_visible() and len(e.bulk) == 1, 'kept'
    for key in ('Delete', 'Enter', 'r'): e.page.keyboard.press(key)
    e.page.wait_for_function("() => document.querySelector('.eal-bulk [role=status]').textContent.startsWith('ok: 3 rows')")
    assert e.bulk == [(rows, {'op': 'label', 'label': 'ear'}), (rows, {'op': 'delete'}), (rows, {'op': 'ok'})] and e.badge(rows[0]) == 'edited'
    e.page.keyboard.press('Control+z')
    e.page.wait_for_function("() => window.sent.some(o => o.type === 'undo')")
    e.page.keyboard.press('Escape')
    assert not e.page.locator('.eal-bulk').is_visible() and e.page.evaluate('window.reached') == []


def test_size_of_thumbnails_and_height(shared):
    e = shared
    def cells(): return e.page.eval_on_selector('.eal-cell canvas', 'o => [o.clientWidth, o.parentNode.offsetHeight]')
    e.page.focus('[aria-label="Size of thumbnails"]')
    e.page.evaluate("() => { const o = document.activeElement; o.value = 240; o.dispatchEvent(new Event('input')) }")
    e.page.wait_for_function("() => window.sent.some(o => o.type === 'tiles' && o.side === 240)")
    e.loaded()
    assert cells() == [240, 276]
    e.page.evaluate("() => { const o = document.activeElement; o.value = 136; o.dispatchEvent(new Event('input')) }")
    edge = e.page.locator('.eal-edge').bounding_box()
    e.page.mouse.move(edge['x'] + 200, edge['y'] + 4)
    e.page.mouse.down()
    e.page.mouse.move(edge['x'] + 200, edge['y'] - 96, steps=3)
    e.page.mouse.up()
    e.page.wait_for_function("() => window.model.get('height') === 480")
    e.page.focus('.eal-edge')
    e.page.keyboard.press('ArrowDown')
    e.page.wait_for_function("() => document.querySelector('.eal').offsetHeight === 500")
    assert e.widget.height == 500 and e.page.get_attribute('.eal-edge', 'aria-valuenow') == '500'
    e.widget.height = 580
    e.deliver()
    assert e.page.eval_on_selector('.eal', 'o => o.offsetHeight') == 580


def test_home_and_end_stay_inside_and_where_it_is_can_be_copied(edit):
    e = edit
    e.page.evaluate("() => { document.body.style.height = '3000px'; Object.defineProperty(navigator, 'clipboard', { value: { writeText: async text => { window.copied = text } } }) }")
    e.page.keyboard.press('End')
    last = int(e.widget.view[-1])
    e.page.wait_for_selector(f'.eal-stage[aria-label^="row {last}:"]')
    e.page.focus('[aria-label^="Back to"]')
    e.page.keyboard.press('PageDown')
    assert e.page.evaluate('scrollY') == 0 and e.page.evaluate('window.reached') == []
    path = e.page.locator('.eal-copied').first.inner_text()
    assert e.widget.ds.get_metadata(last)['image_path'].endswith(path) and '/' in path
    e.page.click('[aria-label="Copy the path of the photo"]')
    assert e.page.evaluate('window.copied') == path
    assert e.page.eval_on_selector('.eal-copied', 'o => getComputedStyle(o).userSelect !== "none" && o.scrollWidth <= o.parentNode.parentNode.clientWidth')
    e.page.evaluate("() => { document.body.style.height = '' }")


def test_a_tiny_box_is_seen_in_a_thumbnail(show, opened):
    ds = opened('detector')
    e = show(explore(ds, [np.array([[100, 100, 2, 2.]])]*len(ds)))
    e.loaded()
    both = picture(e.page, '.eal-cell[data-row="0"] canvas')
    e.page.uncheck('text=Predictions')
    e.page.wait_for_timeout(100)
    changed = (both != picture(e.page, '.eal-cell[data-row="0"] canvas')).any(-1)
    assert min(np.ptp(np.flatnonzero(changed.any(o))) for o in (0, 1)) >= 16, 'a ring'


@pytest.mark.parametrize('theme', ['light', pytest.param('dark', marks=pytest.mark.slow)])
def test_grid_and_predictions_are_accessible(axe, page, opened, predictions, theme):
    page.set_viewport_size({'width': 700, 'height': 640})
    e = Corrected(page, explore(opened('detector'), predictions), theme)
    e.loaded()
    e.mark({0: 'edited', 1: 'ok', 2: 'conflict', 3: 'excluded'})
    e.deliver()
    e.page.focus('.eal-layer')
    e.page.keyboard.press(' ')
    e.page.click('summary')
    for where in ('grid', 'question', 'full'):
        if where == 'question': e.page.click('text=Delete…')
        if where == 'full':
            e.page.locator('.eal-cell[data-row="0"]').click()
            e.page.wait_for_selector('.eal-predictions:visible')
        found = axe.run(e.page, context='.eal')
        assert found.violations_count == 0, (where, found.generate_report())
        assert e.page.eval_on_selector('.eal', 'o => o.scrollWidth <= o.clientWidth')


def test_nothing_is_done_to_rows_that_are_filtered_out(shared):
    e = shared
    e.bulk.clear()
    e.page.evaluate("document.querySelector('.eal-full').hidden || document.querySelector('[aria-label^=\"Back to\"]').click()")
    rows = sorted(int(o) for o in e.widget.view[:2])
    e.widget.selected = rows
    e.widget.show_only(rows[1:])
    e.deliver()
    e.page.wait_for_function("() => document.querySelectorAll('.eal-cell').length === 1")
    assert e.page.locator('.eal-bulk strong').inner_text() == '1 row, not the 1 that is filtered out'
    e.page.focus('.eal-layer')
    e.page.keyboard.press('?')
    assert 'leave the photos out' in e.page.locator('dialog').inner_text()
    e.page.keyboard.press('Escape')
    e.page.wait_for_selector('dialog', state='hidden') # the browser closes it a moment later
    for key in ('Delete', 'Escape'): e.page.keyboard.press(key)
    assert not e.page.locator('.eal-asking').is_visible() and e.page.locator('.eal-bulk').is_visible()
    e.page.keyboard.press('x')
    e.page.wait_for_function("() => document.querySelector('.eal-bulk [role=status]').textContent.startsWith('exclude: 1 rows')")
    assert e.bulk == [(rows[1:], {'op': 'exclude'})]
    e.widget.show_only()
    e.widget.selected = []
    e.deliver()
