"Boxes corrected on the page of the explorer, by the mouse and by the keyboard"
import numpy as np
import pytest
from edited import Edited, work_of_frames
from explored import Explored
from making import asked, quiet, tell
from PIL import Image

from ear_lazy.correcting.journal import Journal
from ear_lazy.explorer import explore

BOX = [200, 250, 60, 100]


@pytest.fixture(scope='module')
def shared(browser, opened):
    "One page for all tests that need no other"
    page = browser.new_page(viewport={'width': 1000, 'height': 640})
    e = Edited(page, explore(opened('detector')))
    e.loaded()
    yield e
    page.close()


@pytest.fixture
def edit(shared, page, opened):
    "The full view of a row, edited"
    def edit(objects=({'box': BOX, 'label': 'ear'},), row=0, **options):
        e = Edited(page, explore(opened('detector')), **options) if options else shared
        e.begin(objects, row)
        return e
    yield edit
    assert shared.errors == []


def on_screen(page, x, y):
    "Where a place of the photo is"
    left, top, z = page.eval_on_selector('.eal-world', "o => { const r = o.getBoundingClientRect(); return [r.left, r.top, o.style.getPropertyValue('--z')] }")
    return left + x * float(z), top + y * float(z)


def drag(page, start, stop, steps=4):
    page.mouse.move(*on_screen(page, *start))
    page.mouse.down()
    page.mouse.move(*on_screen(page, *stop), steps=steps)
    page.mouse.up()


def click(page, *place): page.mouse.click(*on_screen(page, *place))


def done(e, n):
    "Wait until n edits were answered"
    e.page.wait_for_function("n => window.received.filter(([o]) => o.type === 'edited').length >= n && document.querySelector('.eal-saved').textContent !== 'saving…'", arg=n)


def sent(e): return [o['actions'] for o in e.page.evaluate('window.sent') if o.get('type') == 'edit']


def said(e): return e.page.locator('.eal-said').inner_text()


def test_select_move_undo_redo(edit):
    e = edit()
    click(e.page, 230, 300)
    assert 'ear, 1 of 1: box at 200, 250, 60 by 100' in said(e)
    drag(e.page, (230, 300), (250, 290))
    done(e, 1)
    [x, y, w, h] = e.boxes()[0]
    assert np.allclose([x, y], [220, 240], atol=1.5) and [w, h] == BOX[2:], 'a move keeps the size to the last digit'
    assert e.page.locator('.eal-saved').inner_text() == 'saved 14:02' and 'moved' in said(e)
    e.page.keyboard.press('Control+z')
    done(e, 2)
    assert e.boxes() == [BOX] and 'undo' in said(e)
    e.page.get_by_role('toolbar', name='Editing').get_by_role('button', name='Redo').click()
    done(e, 3)
    assert e.boxes() == [[x, y, w, h]]


@pytest.mark.parametrize('part, corner', [('nw', (0, 0)), *(pytest.param(*o, marks=pytest.mark.slow) for o in {
    'se': (1, 1), 'n': (.5, 0), 'ne': (1, 0), 'e': (1, .5), 's': (.5, 1), 'sw': (0, 1), 'w': (0, .5)}.items())])
def test_resize_by_each_handle(edit, part, corner):
    e = edit()
    click(e.page, 230, 300)
    x, y, w, h = BOX
    start = np.array([x + corner[0] * w, y + corner[1] * h])
    drag(e.page, start, start + [12, 15])
    done(e, 1)
    left, top, right, bottom = x + 12 * ('w' in part), y + 15 * ('n' in part), x + w + 12 * ('e' in part), y + h + 15 * ('s' in part)
    assert np.allclose(e.boxes()[0], [left, top, right - left, bottom - top], atol=1.5)
    assert e.boxes()[0][3] == h or set(part) & set('ns'), 'what is not dragged stays to the last digit'


@pytest.mark.slow
def test_a_box_is_not_turned_over_and_stays_inside(edit):
    e = edit()
    click(e.page, 230, 300)
    drag(e.page, (260, 350), (150, 200))
    done(e, 1)
    assert e.boxes() == [[200, 250, 1, 1]]
    drag(e.page, (200.5, 250.5), (-60, -80))
    done(e, 2)
    assert e.boxes() == [[0, 0, 1, 1]], 'a box a pixel wide can be grabbed; at the edge it stops'


def test_draw_by_the_mouse(edit):
    e = edit()
    e.page.get_by_role('button', name='▭ Box').click()
    drag(e.page, (300, 320), (2, 100))
    done(e, 1)
    assert sent(e)[0][0]['op'] == 'add' and np.allclose(e.boxes()[1], [0, 100, 300, 220], atol=1.5) and e.boxes()[1][0] == 0, 'it snaps to the edge'
    assert e.photo(0)['objects'][1]['label'] == 'ear' and e.page.locator('.eal-handle').count() == 8
    e.page.keyboard.press('2')
    done(e, 2)
    assert e.photo(0)['objects'][1]['label'] == 'face', 'the new one is selected, under the key that it has got'


def test_all_by_the_keyboard(edit):
    e = edit([])
    for key in ('n', 'n'): e.page.keyboard.press(key)
    done(e, 1)
    e.at_once('ArrowRight', 'ArrowRight', 'Shift+ArrowUp', 'Alt+ArrowRight', 'e', 'q', 'r', 'Alt+Shift+ArrowDown')
    done(e, 2)
    [[add], [change]] = sent(e)
    x, y, w, h = add['now']['box']
    assert change['now'] == {'box': [x + 2, y - 10, w + 1, h + 11]}, 'what is pressed within half a second is one action'
    for key in ('Control+d', 'Control+c', 'Control+v'): e.page.keyboard.press(key)
    done(e, 4)
    boxes = e.boxes()
    assert len(boxes) == 3 and len({tuple(o) for o in boxes}) == 3, 'a duplicate is never equal to another'
    e.page.keyboard.press('Shift+Tab')
    e.page.keyboard.press('Delete')
    done(e, 5)
    assert len(e.boxes()) == 2 and e.page.evaluate('window.reached') == []
    for key in ('Tab', 'Escape'): e.page.keyboard.press(key)
    assert e.page.locator('.eal-full').is_visible() and e.page.locator('.eal-chosen').count() == 0
    e.page.keyboard.press('Escape')
    assert not e.page.locator('.eal-full').is_visible()


def test_arrows_step_and_nudge(edit):
    e = edit(None)
    title = e.page.locator('.eal-title')
    e.page.keyboard.press('ArrowRight')
    e.page.wait_for_function("() => document.querySelector('.eal-title').textContent.startsWith('row 1:') && !document.querySelector('[aria-busy]')")
    e.page.keyboard.press('Tab')
    e.page.keyboard.press('ArrowRight')
    assert title.inner_text().startswith('row 1:')
    e.page.keyboard.press('a')
    done(e, 1)
    e.page.wait_for_function("() => document.querySelector('.eal-title').textContent.startsWith('row 0:')")
    assert sent(e)[0][0]['key'] == '1.0' and e.photo(1)['objects'][0]['status'] == 'changed'


def test_overlapping_boxes_by_repeated_click(edit):
    e = edit([{'box': [100, 100, 300, 300], 'label': 'head'}, {'box': [150, 150, 200, 200], 'label': 'face'}, {'box': BOX, 'label': 'ear'}])
    for name in ('ear', 'face', 'head', 'ear'):
        click(e.page, 230, 300)
        assert said(e).startswith(name)
    click(e.page, 20, 20)
    assert e.page.locator('.eal-chosen').count() == 0


@pytest.mark.slow
def test_class_by_typing(edit):
    e = edit()
    e.page.keyboard.press('Tab')
    e.page.keyboard.press('c')
    e.page.keyboard.type('he')
    assert e.page.locator('.eal-classes li').all_inner_texts() == ['head (3)', 'he (new class)']
    e.page.keyboard.press('Enter')
    done(e, 1)
    assert e.photo(0)['objects'][0]['label'] == 'head' and e.page.evaluate('document.activeElement.className') == 'eal-stage'
    e.page.keyboard.press('c')
    e.page.keyboard.type('x')
    e.page.keyboard.press('Escape')
    assert e.page.locator('[role=combobox]').input_value() == 'head' and e.page.evaluate('window.reached') == []


def test_a_refused_edit_says_why_and_goes_back(edit):
    e = edit()
    e.refuse = 'the journal cannot be written: disk full'
    click(e.page, 230, 300)
    drag(e.page, (230, 300), (280, 300))
    done(e, 1)
    assert e.page.locator('.eal-failed').inner_text() == 'Not done: the journal cannot be written: disk full'
    assert float(e.page.locator('.eal-object rect.eal-line').get_attribute('x')) == BOX[0] and e.boxes() == [BOX]
    drag(e.page, (230, 300), (280, 300))
    done(e, 2)
    assert e.page.locator('.eal-failed').inner_text() == '' and e.boxes() != [BOX]


@pytest.mark.slow
def test_what_follows_on_a_refused_box_is_not_sent(edit):
    e = edit([])
    e.refuse = 'no'
    for key in ('n', 'n', '2', 'Delete'): e.page.keyboard.press(key)
    done(e, 1)
    e.page.keyboard.press('Space')
    done(e, 2)
    assert [o[0]['op'] for o in sent(e)] == ['add', 'ok']


def test_what_is_said_is_of_the_photo_that_is_seen(edit):
    e = edit()
    said_is = lambda words: e.page.wait_for_function("words => document.querySelector('.eal-said').textContent === words", arg=words)
    click(e.page, 230, 300)
    e.page.wait_for_function("() => document.querySelector('.eal-said').textContent.includes('box at')")
    e.page.mouse.move(*on_screen(e.page, 232, 302))
    e.page.wait_for_selector('.eal-tip:visible')
    e.page.keyboard.press('2')
    done(e, 1)
    assert not e.page.locator('.eal-tip').is_visible(), 'it told the class that was'
    e.page.keyboard.press('Space')
    said_is('looked at and right')
    e.page.keyboard.press('d')
    said_is('')
    e.page.keyboard.press('Control+z')
    e.page.wait_for_function("() => document.querySelector('.eal-said').textContent.startsWith('undo')")
    e.page.wait_for_selector('.eal-stage:not([aria-busy])')
    assert said(e).startswith('undo'), 'of the photo that it goes back to'


def test_words_on_the_photo(edit):
    e = edit()
    for key in ('Space', 'Space', 'Shift+X'): e.page.keyboard.press(key)
    done(e, 3)
    assert e.page.locator('.eal-editing [aria-pressed=true]').all_inner_texts() == ['⊘ Leave out']
    e.page.keyboard.press('m')
    e.page.keyboard.type('dark')
    e.page.keyboard.press('Enter')
    e.page.keyboard.press('Tab')
    e.page.keyboard.press('Shift+F')
    e.page.keyboard.type('cut off')
    e.page.keyboard.press('Enter')
    e.page.keyboard.press('Shift+N')
    done(e, 6)
    assert [o[0] for o in sent(e)] == [{'op': 'ok'}, {'op': 'ok', 'off': True}, {'op': 'exclude'}, {'op': 'note', 'note': 'dark'}, {'op': 'flag', 'key': '0.0', 'note': 'cut off'},
                                       {'op': 'empty'}]
    assert e.boxes() == [] and e.page.locator('.eal-objects').inner_text() == 'No object here, as you said.'
    assert e.page.evaluate('window.reached') == [] and e.page.locator('.eal-full').is_visible()


def test_conflict_shows_both_and_is_settled(edit):
    options = [{'box': BOX, 'label': 'ear', 'points': None}, {'box': [210, 255, 50, 90], 'label': 'ear', 'points': None}, None]
    e = edit([{'box': BOX, 'label': 'ear', 'status': 'conflict', 'options': options}])
    assert e.page.locator('text.eal-option').all_text_contents() == ['A', 'B']
    e.page.keyboard.press('Tab')
    assert e.page.locator('.eal-conflict button').all_inner_texts() == ['A: ear: box 200, 250, 60, 100', 'B: ear: box 210, 255, 50, 90', 'C: deleted']
    e.page.get_by_text('B: ear').click()
    done(e, 1)
    assert e.boxes() == [[210, 255, 50, 90]] and e.page.locator('.eal-conflict').count() == 0


@pytest.mark.slow
def test_keys_are_listed_and_can_be_bound(edit):
    e = edit(keys={'edit': {'undo': 'U', 'sing': 'S'}, 'box': {'wider': ['W']}})
    assert e.page.locator('.eal-failed').inner_text().startswith('keys=: edit has no sing, but next object, previous object, undo, redo')
    e.page.keyboard.press('?')
    text = e.page.locator('dialog').inner_text()
    assert 'looked at and right' in text and 'U\tundo' in text and 'W\t1 pixel wider' in text
    e.page.keyboard.press('Escape')
    assert e.page.locator('.eal-full').is_visible() and e.page.evaluate('document.activeElement.className') == 'eal-stage'
    for key in ('Tab', 'w', 'u'): e.page.keyboard.press(key)
    done(e, 2)
    assert e.boxes() == [BOX] and [o[0]['now'] for o in sent(e)] == [{'box': [200, 250, 61, 100]}]


@pytest.mark.slow
def test_a_key_that_is_held_and_keys_beside_the_picture(edit):
    e = edit()
    e.page.keyboard.down('Space')
    e.page.keyboard.down('Space')
    e.page.keyboard.up('Space')
    e.page.keyboard.press('Tab')
    e.at_once(*['ArrowRight'] * 3, held=True)
    e.page.focus('.eal-objects button')
    e.page.keyboard.press('2')
    done(e, 3)
    assert [o[0] for o in sent(e)] == [{'op': 'ok'}, {'op': 'set', 'key': '0.0', 'now': {'box': [203, 250, 60, 100]}}, {'op': 'set', 'key': '0.0', 'now': {'label': 'face'}}]


@pytest.mark.slow
def test_it_begins_where_it_was_left(page, many):
    w = explore(many)
    w.selected = [5000]
    e = Explored(page, w)
    page.wait_for_selector('.eal-cell[data-row="5000"].eal-current.eal-loaded')
    page.focus('.eal-layer')
    page.keyboard.press('Enter')
    page.wait_for_selector('.eal-stage[aria-label^="row 5000:"]')
    assert e.errors == []


@pytest.mark.slow
def test_hide(edit):
    e = edit([{'box': BOX, 'label': 'ear'}, {'box': [20, 20, 50, 50], 'label': 'ear'}])
    def seen(): return e.page.locator('.eal-object rect.eal-line:visible').count()
    e.page.keyboard.press('Tab')
    e.page.keyboard.press('h')
    assert seen() == 1
    e.page.keyboard.press('t')
    assert seen() == 0
    e.page.keyboard.press('t')
    assert seen() == 2


@pytest.mark.slow
def test_undo_in_another_row_goes_there(edit):
    e = edit(None)
    for key in ('Tab', 'Delete', 'd'): e.page.keyboard.press(key)
    e.page.wait_for_function("() => document.querySelector('.eal-title').textContent.startsWith('row 1:') && !document.querySelector('[aria-busy]')")
    assert e.page.get_by_role('toolbar', name='Editing').get_by_role('button', name='Undo').is_enabled(), 'also where the photo was fetched before'
    e.page.keyboard.press('Control+z')
    e.page.wait_for_function("() => document.querySelector('.eal-title').textContent.startsWith('row 0:') && document.querySelectorAll('.eal-object').length === 1")


@pytest.mark.slow
def test_editing_is_a_choice(edit):
    e = edit()
    e.page.keyboard.press('e')
    e.page.wait_for_selector('.eal-truth', state='attached')
    e.page.wait_for_timeout(50)
    assert not e.page.locator('.eal-side').is_visible() and e.page.locator('.eal-object').count() == 0
    e.page.get_by_role('button', name='Edit, or stop editing').click()
    e.page.wait_for_selector('.eal-object', state='attached')
    assert e.state['editing'] is True and e.page.locator('.eal-truth').count() == 0
    e.page.locator('[aria-label^="Back to"]').click()
    grid = e.page.get_by_role('button', name='✎ Edit', exact=True)
    for on in ('false', 'true'):
        grid.click()
        e.page.wait_for_function("on => [...document.querySelectorAll('.eal-bar button')].some(o => o.textContent === '✎ Edit' && o.ariaPressed === on)", arg=on)


@pytest.mark.slow
def test_a_kernel_that_was_away(edit):
    "What was under way is not taken for saved, and the page goes on"
    e = edit()
    e.page.evaluate('window.silent = true')
    e.page.keyboard.press('Space')
    assert e.page.locator('.eal-saved').inner_text() == 'saving…'
    e.page.evaluate("window.silent = false; window.fire('comm_live_update')")
    e.page.wait_for_selector('.eal-stage:not([aria-busy])')
    assert 'the kernel was away' in e.page.locator('.eal-failed').inner_text() and e.page.locator('[aria-pressed=true]:has-text("Right")').count() == 0
    e.page.keyboard.press('Space')
    done(e, 1)
    assert e.photo(0)['ok'] and e.page.locator('.eal-failed').inner_text() == ''


@pytest.mark.slow
def test_the_focus_stays_when_what_has_it_goes(edit):
    e = edit()
    def focus(): return e.page.evaluate("document.activeElement.closest('.eal') !== null")
    for act in ("[title^='Hide or show']", 'Enter'), ("[title^='Delete']", 'Escape'), ("[title^='Duplicate']", 'd'), ("[title^='Undo']", 'Enter'), ("[title^='Undo']", 'Enter'), ("[title^='Looked at']", 'e'):
        if e.page.locator('.eal-chosen').count() == 0 and 'Undo' not in act[0]: click(e.page, 230, 300)
        e.page.focus(f'.eal-full {act[0]}:visible') if e.page.locator(f'.eal-full {act[0]}:enabled:visible').count() else None
        e.page.keyboard.press(act[1])
        e.page.wait_for_selector('.eal-stage:not([aria-busy])')
        e.page.evaluate('() => new Promise(o => requestAnimationFrame(() => requestAnimationFrame(o)))')
        assert focus(), act
    e.page.locator('.eal-title').click()
    assert focus()
    e.page.keyboard.press('e')
    assert e.page.evaluate('window.reached') == []


def test_nothing_is_done_to_the_row_before_while_the_next_is_on_its_way(edit):
    e = edit()
    e.page.keyboard.press(' ')
    done(e, 1)
    e.page.evaluate("() => { window.send = window.model.send; window.model.send = () => {} }")
    for key in ('End', ' ', 'Shift+N', 'Control+b'): e.page.keyboard.press(key)
    e.page.get_by_role('button', name='✓ Right').click()
    assert 'not there yet' in said(e) and len(sent(e)) == 1
    e.page.evaluate("() => { window.model.send = window.send }")
    e.page.keyboard.press('Home')
    e.page.keyboard.press(' ')
    done(e, 2)
    assert sent(e)[1:] == [[{'op': 'ok', 'off': True}]]


def test_the_row_that_is_shown_is_among_those_of_the_view(edit):
    e = edit()
    click(e.page, 230, 300)
    e.widget.selected = [5]
    e.deliver()
    e.page.wait_for_selector('.eal-stage:not([aria-busy])[aria-label^="row 5:"]')
    for rows, shown in ([3, 4], 3), ([0, 3], 3), ([], None), (None, None):
        e.widget.show_only(rows)
        e.deliver()
        if shown is not None: e.page.wait_for_selector(f'.eal-stage:not([aria-busy])[aria-label^="row {shown}:"]')
        assert e.page.locator('.eal-full').is_visible() == (shown is not None)


def test_another_page_of_the_widget_is_followed_at_once(edit):
    e = edit()
    click(e.page, 230, 300)
    e.page.keyboard.press('1')
    e.page.keyboard.press('2')
    done(e, 1)
    e.photo(0)['objects'][0]['box'] = [10, 20, 30, 40]
    e.outbox.append(({'type': 'marks', 'rows': {'0': 'edited'}, 'counts': {'photos': 9, 'looked_at': 0}, 'version': 9}, ()))
    e.deliver()
    e.page.wait_for_function("() => document.querySelector('.eal-said').textContent === 'changed by someone else'")
    assert e.page.get_attribute('.eal-chosen .eal-line', 'x') == '10'


def test_two_fingers_move_and_zoom(edit):
    e = edit()
    before = [o.copy() for o in e.boxes()]
    z = "document.querySelector('.eal-world').style.getPropertyValue('--z')"
    was = float(e.page.evaluate(z))
    fire = """([kind, id, x, y]) => document.querySelector('.eal-stage').dispatchEvent(new PointerEvent(kind, { pointerId: id, pointerType: 'touch', clientX: x, clientY: y, bubbles: true, isPrimary: id === 7 }))"""
    e.page.evaluate("Element.prototype.setPointerCapture = () => {}")
    for o in (['pointerdown', 7, 400, 300], ['pointerdown', 8, 440, 300], ['pointermove', 8, 480, 300], ['pointerup', 8, 480, 300], ['pointerup', 7, 400, 300]): e.page.evaluate(fire, o)
    assert float(e.page.evaluate(z)) == pytest.approx(2 * was) and e.boxes() == before


@pytest.mark.slow # it measures, and other work beside it would be measured too
def test_a_drag_over_a_large_photo_takes_little_time(browser, tmp_path):
    "12 megapixels, 60 boxes: what the page does for a frame, from the pointer to the paint"
    Image.effect_noise((400, 300), 90).resize((4000, 3000)).convert('RGB').save(tmp_path/'large.jpg')
    page = browser.new_page(viewport={'width': 1000, 'height': 640})
    e = Edited(page, explore(tmp_path))
    e.loaded()
    e.begin([{'box': [100 + 250 * (i % 15), 100 + 300 * (i // 15), 150, 250], 'label': 'ear'} for i in range(60)])
    page.wait_for_timeout(1000)
    click(page, 175, 225)
    spent = work_of_frames(browser, page, lambda: (drag(page, (175, 225), (1500, 1800), steps=200), done(e, 1)))
    page.close()
    assert len(spent) > 100 and np.percentile(spent, 95) <= 8, spent.round(1).tolist()


@pytest.mark.parametrize('theme', ['light', pytest.param('dark', marks=pytest.mark.slow)])
def test_editing_is_accessible(axe, edit, theme):
    e = edit([{'box': BOX, 'label': 'ear', 'status': 'conflict', 'options': [{'box': BOX, 'label': 'ear'}, None]}, {'box': [9, 9, 99, 99], 'status': 'changed', 'flag': 'why'}], theme=theme)
    e.refuse = 'a reason'
    for key in ('Space', 'Tab', 'c'): e.page.keyboard.press(key)
    done(e, 1)
    found = axe.run(e.page, context='.eal')
    assert found.violations_count == 0, found.generate_report()
    for key in ('Escape', '?'): e.page.keyboard.press(key)
    found = axe.run(e.page, context='.eal')
    assert found.violations_count == 0, found.generate_report()


def test_with_the_journal(page, processed, opened, tmp_path):
    "The whole way: what the mouse and the keys do is in the journal, in words, undone, and seen by another explorer"
    w = explore(opened('detector'), edit=True, corrections=tmp_path/'corrections.jsonl')
    e = Explored(page, w)
    e.loaded()
    page.locator('.eal-cell[data-row="0"]').click()
    page.wait_for_selector('.eal-stage[role=application] .eal-object', state='attached')
    x, y, width, height = w.ds.get_metadata(0)['bboxes'][0].tolist()
    click(page, x + width / 2, y + height / 2)
    drag(page, (x + width / 2, y + height / 2), (x + width / 2 + 9, y + height / 2))
    done(e, 1)
    for key in ('n', 'n', 'Alt+ArrowRight', 'Space', 'Control+z', 'Control+Shift+z'): page.keyboard.press(key)
    done(e, 6)
    lines = Journal(tmp_path/'corrections.jsonl').lines.values()
    assert sorted(o.op for o in lines) == ['add', 'ok', 'set', 'set', 'undo', 'undo'] and e.errors == []
    moved = next(o for o in lines if o.op == 'set' and o.was.box[1] == pytest.approx(y))
    assert np.allclose(moved.now.box, [x + 9, y, width, height], atol=2) and page.locator('.eal-editing [aria-pressed=true]').inner_text() == '✓ Right'
    other = explore(opened('detector'), edit=True, corrections=tmp_path/'corrections.jsonl')
    (head, _) = asked(quiet(other), type='full', id=0, row=0)
    assert other.selected == [0] and len(head['edit']['objects']) == 2
    tell(other, {'type': 'edit', 'id': 1, 'row': 0, 'actions': [{'op': 'delete', 'key': 'o0'}]})
    tell(w, {'type': 'refresh'})
    e.deliver()
    page.wait_for_function("() => document.querySelectorAll('.eal-object').length === 1")
    assert said(e) == 'changed by someone else'
