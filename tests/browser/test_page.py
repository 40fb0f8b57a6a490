"The page of the explorer, with a model that stands in for the notebook's"
import os
from pathlib import Path

import numpy as np
import pytest
from explored import THEMES, picture

from ear_lazy import explorer
from ear_lazy.explorer import explore
from ear_lazy.transforms import Letterbox, crop, flip


def statuses(page): return page.locator('.eal-status').inner_text()


def test_grid_has_a_cell_for_what_is_on_the_screen(show, many):
    e = show(explore(many))
    e.loaded()
    assert e.rows() == [*range(len(e.rows()))] and 12 <= len(e.rows()) <= 60
    assert statuses(e.page) == '10,000 rows'
    assert e.labels()[0].startswith('row 0: ') and e.errors == []


def test_modules_import_what_they_use(show, page, opened):
    "The page runs as the modules that it is written as, without being joined"
    folder = Path(explorer.__file__).parent/'looking/explorer_page'
    assert {f'{o}.js' for o in explorer.PAGE_MODULES} == {o.name for o in folder.glob('*.js')}
    page.route('http://page.test/*.js', lambda route: route.fulfill(path=folder/route.request.url.rsplit('/', 1)[1], content_type='text/javascript',
                                                                   headers={'Access-Control-Allow-Origin': '*'}))
    w = explore(opened('landmarker'))
    w._esm = "export { default } from 'http://page.test/main.js'"
    e = show(w)
    e.loaded()
    page.locator('.eal-cell').first.click()
    page.wait_for_selector('.eal-dot', state='attached')
    page.keyboard.press('f')
    page.keyboard.press('/')
    page.keyboard.type('nothing')
    page.wait_for_selector('.eal-none')
    assert w.flagged == [0] and e.errors == []


@pytest.mark.parametrize('width', [300, 1000, 2600])
def test_never_more_than_sixty_cells(show, many, width):
    e = show(explore(many))
    e.page.set_viewport_size({'width': width, 'height': 700})
    e.loaded()
    for top in range(0, 2000, 97):
        e.page.eval_on_selector('.eal-scroll', '(o, top) => { o.scrollTop = top }', top)
        e.page.wait_for_timeout(20)
        assert len(e.rows()) <= 60
    e.loaded()


def test_jump_asks_for_the_last_place_alone(show, many):
    e = show(explore(many))
    e.loaded()
    for top in (50_000, 100_000, 150_000): e.page.eval_on_selector('.eal-scroll', '(o, top) => { o.scrollTop = top }', top)
    e.page.wait_for_timeout(50)
    e.loaded()
    questions = [o['rows'] for o in e.page.evaluate('window.sent') if o['type'] == 'tiles']
    assert max(map(len, questions)) <= 12 and {*e.rows()} <= {*sum(questions, [])}
    sizes = [size / len(o['tiles']) for o, size in e.page.evaluate('window.received') if o['type'] == 'tiles']
    assert max(sizes) <= 4096


def test_a_million_rows_can_be_scrolled_to_the_last(show, opened):
    ds = opened('detector')
    e = show(explore(ds[np.arange(1_000_000) % len(ds)]))
    e.loaded()
    e.page.eval_on_selector('.eal-scroll', 'o => { o.scrollTop = o.scrollHeight }')
    e.page.wait_for_selector('.eal-cell[data-row="999999"].eal-loaded')
    last = min(e.rows())
    e.page.locator('.eal-layer').hover()
    e.page.mouse.wheel(0, -172 * 3)
    e.page.wait_for_function("last => Math.min(...[...document.querySelectorAll('.eal-cell')].map(o => o.dataset.row)) < last", arg=last)
    e.loaded()
    columns = e.page.evaluate("new Set([...document.querySelectorAll('.eal-cell')].map(o => o.getBoundingClientRect().left)).size")
    assert min(e.rows()) == last - 3 * columns, 'the wheel goes by pixels, however long the list'
    e.page.focus('.eal-layer')
    e.page.keyboard.press('Home')
    e.page.wait_for_selector('.eal-cell[data-row="0"].eal-loaded')
    e.page.keyboard.press('End')
    e.page.wait_for_selector('.eal-cell[data-row="999999"].eal-current.eal-loaded')


@pytest.mark.parametrize('transform', [None, Letterbox((256, 320)), lambda o: crop(flip(o), (40, 30, 340, 600))], ids=['photos', 'letterbox', 'flip and crop'])
def test_boxes_are_where_the_truth_is(show, opened, transform):
    "In the full view, at any zoom, corners on the screen are those of the sample within a pixel, and strokes are 2 pixels wide"
    ds = opened('detector', transform=transform)
    row = next(i for i in range(len(ds)) if len(ds.get_metadata(i)['bboxes']) == 2)
    e = show(explore(ds))
    e.loaded()
    e.page.locator(f'.eal-cell[data-row="{row}"]').click()
    e.page.wait_for_selector('.eal-truth rect.eal-line')
    place = """() => { const r = document.querySelector('.eal-world img').getBoundingClientRect()
      return [...document.querySelectorAll('.eal-truth rect.eal-line')].map(o => { const b = o.getBoundingClientRect(), z = r.width / o.ownerSVGElement.viewBox.baseVal.width
        return { box: [b.left - r.left, b.top - r.top, b.width, b.height].map(v => v / z), stroke: parseFloat(getComputedStyle(o).strokeWidth) * z, z } }) }"""
    truth = ds[row]['bboxes']
    for _ in range(4):
        for found, box in zip(e.page.evaluate(place), truth, strict=True):
            assert np.allclose(found['box'], box, atol=1 + 1 / found['z']) and found['stroke'] == pytest.approx(2, abs=.05)
        e.page.keyboard.press('+')
    natural = e.page.eval_on_selector('.eal-world img', 'o => o.decode().then(() => [o.naturalHeight, o.naturalWidth])')
    assert tuple(natural) == ds[row]['image'].shape[:2]


def test_zoom_and_pan(show, opened):
    "The wheel keeps what is under the pointer, a drag moves the picture, 0 fits it"
    e = show(explore(opened('detector')))
    e.loaded()
    e.page.locator('.eal-cell').first.click()
    e.page.wait_for_selector('.eal-truth', state='attached')
    e.page.wait_for_timeout(100)
    def place(): return np.array(e.page.eval_on_selector('.eal-world img', 'o => { const r = o.getBoundingClientRect(); return [r.left, r.top, r.width] }'))
    whole, pointer = place(), np.array([480, 300])
    e.page.mouse.move(*pointer.tolist())
    e.page.mouse.wheel(0, -600)
    e.page.wait_for_timeout(100)
    near = place()
    assert near[2] > 2 * whole[2] and np.allclose((pointer - near[:2]) / near[2], (pointer - whole[:2]) / whole[2], atol=1 / whole[2])
    e.page.mouse.down()
    e.page.mouse.move(*(pointer + [50, -30]).tolist(), steps=3)
    e.page.mouse.up()
    assert np.allclose(place() - near, [50, -30, 0], atol=.01)
    e.page.keyboard.press('0')
    assert np.allclose(place(), whole, atol=.01)


def test_hover_over_a_box(show, opened):
    ds = opened('detector')
    row = next(i for i in range(len(ds)) if len(ds.get_metadata(i)['bboxes']) == 1 and ds.label_names[ds.metadata.labels(i)[0]] == 'ear')
    e = show(explore(ds))
    e.loaded()
    e.page.locator(f'.eal-cell[data-row="{row}"]').click()
    e.page.wait_for_selector('.eal-truth rect.eal-line', state='attached')
    e.page.locator('.eal-truth rect.eal-line').hover()
    x, y, w, h = ds.get_metadata(row)['bboxes'][0].round(2)
    assert e.page.locator('.eal-tip').inner_text() == f'ear, box 0: x {x:g}, y {y:g}, {w:g} × {h:g}'


def test_hover_says_what_it_is(show, opened):
    ds = opened('landmarker')
    e = show(explore(ds))
    e.loaded()
    e.page.focus('.eal-layer')
    e.page.keyboard.press('Enter')
    e.page.wait_for_selector('.eal-dot')
    points = ds.get_metadata(0)['keypoints']
    assert e.page.locator('.eal-dot').count() == (points[:, 2] > 0).sum() and e.page.locator('.eal-hidden').count() == (points[:, 2] == 1).sum()
    assert e.page.locator('polyline.eal-line').count() == 4
    for _ in range(4): e.page.keyboard.press('+')
    for i in (0, 25):
        e.page.evaluate("i => { const stage = document.querySelector('.eal-stage').getBoundingClientRect(), dot = document.querySelectorAll('.eal-dot')[i]"
                        "\nconst b = dot.getBoundingClientRect(); dot.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, clientX: b.left, clientY: b.top })) }", i)
        x, y, _ = points[i].round(2)
        assert e.page.locator('.eal-tip').inner_text().startswith(f'keypoint {i}: x {x:g}') and 'visible' in e.page.locator('.eal-tip').inner_text()


def test_next_previous_flag_and_back(show, opened):
    e = show(explore(opened('teacher')))
    e.loaded()
    e.page.locator('.eal-cell[data-row="2"]').click()
    e.page.wait_for_selector('.eal-truth rect', state='attached')
    for key in ('ArrowRight', 'f', 'ArrowRight', 'ArrowLeft', 'ArrowLeft', 'f'): e.page.keyboard.press(key)
    e.page.wait_for_function("() => document.querySelector('.eal-title').textContent.startsWith('row 2: crop of')")
    assert e.widget.flagged == [2, 3] and e.widget.selected == [2]
    assert e.page.locator('.eal-full button[aria-pressed=true]').count() == 1
    e.page.keyboard.press('Escape')
    assert not e.page.locator('.eal-full').is_visible()
    assert e.page.evaluate('document.activeElement.className') == 'eal-layer'
    e.page.wait_for_selector('.eal-cell[data-row="2"][aria-label$=", flagged"]')
    assert e.labels()[2].endswith(', flagged')


def test_keys_in_the_grid(show, many):
    e = show(explore(many))
    e.loaded()
    e.page.focus('.eal-layer')
    columns = e.page.evaluate("new Set([...document.querySelectorAll('.eal-cell')].map(o => o.getBoundingClientRect().left)).size")
    for key in ('ArrowDown', 'ArrowRight', 'f', ' ', 'ArrowLeft', ' '): e.page.keyboard.press(key)
    e.page.wait_for_timeout(100)
    assert e.widget.flagged == [columns + 1] and e.widget.selected == [columns, columns + 1]
    e.page.keyboard.press('f')
    e.page.wait_for_timeout(100)
    assert e.widget.flagged == [columns, columns + 1], 'what is selected is flagged together'
    active = e.page.get_attribute('.eal-layer', 'aria-activedescendant')
    assert e.page.locator(f'#{active}').get_attribute('data-row') == str(columns)
    e.page.keyboard.press('Escape')
    e.page.wait_for_timeout(100)
    assert e.widget.selected == []
    e.page.keyboard.press('/')
    assert e.page.evaluate('document.activeElement.className') == 'eal-text'
    for key in 'xabdd/': e.page.keyboard.press(key)
    e.page.wait_for_timeout(400)
    assert e.widget.query['text'] == 'xabdd/' and e.page.locator('.eal-none').is_visible()
    assert e.page.evaluate('window.reached') == [], 'no key goes on to the notebook'


def test_shift_and_control_clicks_select(show, many):
    e = show(explore(many))
    e.loaded()
    def cell(row): return e.page.locator(f'.eal-cell[data-row="{row}"]')
    cell(1).click(modifiers=['Control'])
    cell(4).click(modifiers=['Shift'])
    cell(2).click(modifiers=['Control'])
    e.page.wait_for_timeout(100)
    assert e.widget.selected == [1, 3, 4] and not e.page.locator('.eal-full').is_visible()
    assert '3 selected' in statuses(e.page)


def test_filters_and_order(show, opened):
    ds = opened('detector')
    e = show(explore(ds))
    e.loaded()
    e.page.click('summary')
    e.page.fill('[aria-label="Boxes, from"]', '2')
    e.page.wait_for_timeout(400)
    two = [i for i in range(len(ds)) if len(ds.get_metadata(i)['bboxes']) > 1]
    assert e.widget.view.tolist() == two and f'{len(two)} of {len(ds)} rows' in statuses(e.page)
    e.page.select_option('[aria-label="Sort by"]', 'size')
    e.page.click('text=Lowest first')
    e.page.wait_for_timeout(300)
    sizes = [max((w * h) ** .5 for _, _, w, h in ds.get_metadata(i)['bboxes']) for i in e.widget.view]
    assert len(sizes) == len(two) and sizes == sorted(sizes, reverse=True)
    e.widget.query = {'text': 'nothing'}
    e.deliver()
    assert e.page.locator('.eal-none').is_visible() and e.page.input_value('.eal-text') == 'nothing'


def test_what_python_changes_is_seen(show, many):
    e = show(explore(many))
    e.loaded()
    e.widget.flagged = [0, 5000]
    e.widget.selected = [5000]
    e.deliver()
    e.page.wait_for_selector('.eal-cell[data-row="5000"].eal-flagged[aria-selected=true].eal-loaded')
    e.widget.show_only([7, 5000])
    e.deliver()
    e.page.wait_for_function("() => document.querySelectorAll('.eal-cell').length === 2")
    e.loaded()
    assert e.rows() == [7, 5000] and statuses(e.page) == '2 of 10,000 rows, 2 flagged'


def test_a_page_that_is_opened_again_has_the_flags(show, opened):
    w = explore(opened('detector'))
    w.flagged = [1]
    w.query = {'sort': 'boxes'}
    e = show(w)
    e.loaded()
    assert e.page.locator('.eal-flagged').count() == 1 and e.page.input_value('[aria-label="Sort by"]') == 'boxes'


def test_predictions_beside_the_truth(show, opened):
    ds = opened('detector')
    predictions = [ds.get_metadata(i)['bboxes'] + np.float32([6, 0, 0, 0]) for i in range(len(ds))]
    e = show(explore(ds, predictions=predictions))
    e.loaded()
    both = picture(e.page, '.eal-layer')
    e.page.uncheck('text=Predictions')
    e.page.wait_for_timeout(100)
    truth = picture(e.page, '.eal-layer')
    e.page.uncheck('text=Truth')
    e.page.wait_for_timeout(100)
    assert (both != truth).any() and (truth != picture(e.page, '.eal-layer')).any()
    e.page.check('text=Truth')
    e.page.check('text=Predictions')
    row = int(e.widget.view[0])
    e.page.locator(f'.eal-cell[data-row="{row}"]').click()
    e.page.wait_for_selector('.eal-predicted rect', state='attached')
    n = len(ds.get_metadata(row)['bboxes'])
    assert e.page.locator('.eal-predicted rect.eal-line').count() == e.page.locator('.eal-truth rect.eal-line').count() == n
    assert 'IoU' in e.page.locator('.eal-title').inner_text()


def test_bad_rows_say_why(show, broken):
    e = show(explore(broken))
    e.loaded()
    assert 'not an image' in e.labels()[1] and 'no such file' in e.labels()[3] and 'ear' in e.labels()[0]
    assert e.page.locator('.eal-cell[data-row="3"] .eal-error').is_visible()
    e.page.locator('.eal-cell[data-row="3"]').click()
    e.page.wait_for_selector('.eal-stage .eal-error:visible')
    assert 'no such file' in e.page.locator('.eal-stage .eal-error').inner_text()
    e.page.keyboard.press('ArrowRight')
    e.page.wait_for_selector('.eal-truth', state='attached')
    assert not e.page.locator('.eal-stage .eal-error').is_visible() and e.errors == []


def test_a_kernel_that_does_not_answer(show, many):
    e = show(explore(many))
    e.loaded()
    e.page.evaluate('window.silent = true')
    e.page.eval_on_selector('.eal-scroll', 'o => { o.scrollTop = 50000 }')
    e.page.wait_for_selector('.eal-kernel:has-text("Kernel busy")', timeout=5000)
    e.page.evaluate("window.model.widget_manager.kernel = { status: 'dead' }")
    e.page.wait_for_selector('.eal-kernel:has-text("Kernel not running: run the cell again")')
    e.page.evaluate("window.silent = false; window.model.widget_manager.kernel = { status: 'idle' }; window.fire('comm_live_update')")
    e.page.wait_for_function("() => !document.querySelector('.eal-kernel').textContent")
    e.loaded()


def test_a_view_that_is_closed_lets_go(show, opened):
    e = show(explore(opened('detector')))
    e.loaded()
    e.page.evaluate('window.close_()')
    e.widget.flagged = [1]
    e.deliver()
    assert e.errors == [] and e.page.locator('.eal-flagged').count() == 0


@pytest.mark.parametrize('theme', THEMES)
@pytest.mark.parametrize('where', ['grid', 'full'])
def test_accessible(axe, show, opened, theme, where):
    ds = opened('detector')
    w = explore(ds, predictions=[ds.get_metadata(i)['bboxes'] for i in range(len(ds))])
    w.flagged, w.selected = [1], [2]
    e = show(w, theme)
    e.loaded()
    e.page.click('summary')
    if where == 'full':
        e.page.locator('.eal-cell[data-row="1"]').click()
        e.page.wait_for_selector('.eal-truth', state='attached')
    found = axe.run(e.page, context='.eal')
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize('theme', THEMES)
def test_themes(show, opened, theme):
    e = show(explore(opened('landmarker')), theme)
    e.loaded()
    assert (picture(e.page, '.eal').mean() > 128) == (theme == 'light')
    if not (folder := os.environ.get('EAR_LAZY_SCREENSHOTS')): return
    e.page.screenshot(path=Path(folder)/f'{theme}_grid.png')
    e.page.locator('.eal-cell').first.click()
    e.page.wait_for_selector('.eal-truth', state='attached')
    e.page.wait_for_timeout(200)
    e.page.screenshot(path=Path(folder)/f'{theme}_full.png')
