"Walking through suspects on the page of the explorer, by the keyboard and by the mouse, with a journal of its own"
from types import SimpleNamespace

import numpy as np
import pytest
from explored import Explored

from ear_lazy.base.change import Value
from ear_lazy.correcting.journal import Journal
from ear_lazy.explorer import explore


class Suspected(SimpleNamespace):
    "Suspects, each (row, object, point, kind, reason, suggestion), the worst first"
    def __init__(self, *found):
        row, of, point, kind, self.reasons, self.what = zip(*found)
        super().__init__(row=np.array(row), object=np.array(of), point=np.array(point), kind=np.array(kind), score=np.linspace(.99, .6, len(found)))

    def reason(self, i): return self.reasons[i]
    def suggestion(self, i): return self.what[i]


def suggestion(what, **value): return SimpleNamespace(what=what, value=Value(**value) if value else None)


@pytest.fixture
def walk(page, opened, tmp_path):
    "The page over some suspects of a kind, made by a function of the dataset"
    shown = []
    def walk(suspects, kind='detector', predictions=None, **options):
        ds = opened(kind)
        w = explore(ds, predictions and predictions(ds), corrections=tmp_path/'corrections.jsonl', suspects=suspects(ds), **options)
        shown.append(Explored(page, w))
        sees(shown[0], 'Suspect 1 of')
        return shown[0]
    yield walk
    assert shown[0].errors == []


def of_boxes(ds):
    boxes = [ds.get_metadata(i)['bboxes'].astype(float) for i in range(len(ds))]
    two, one, none, last = (next(i for i, b in enumerate(boxes) if len(b) == n and i > after) for n, after in ((2, -1), (1, -1), (0, -1), (1, 5)))
    return Suspected((two, 0, -1, 'size', 'It is very large.', suggestion('set', box=tuple(boxes[two][0] + [4, -6, 20, 30]))),
                     (two, 1, -1, 'duplicate', 'There is another one.', suggestion('delete')),
                     (one, 0, -1, 'wrong class', 'It looks like a face', suggestion('set', label='face')),
                     (none, -1, -1, 'missing', 'There is an ear.', suggestion('add', box=(100., 120., 40., 60.), label='ear')),
                     (last, -1, -1, 'dark', 'It is nearly black.', None))


def sees(e, *words):
    "Wait until the panel says all of it"
    e.page.wait_for_function("words => { const o = document.querySelector('.eal-walk:not([hidden])'); return o && words.every(w => o.innerText.includes(w)) }", arg=[*words])


def press(e, *keys):
    e.page.locator('.eal-stage').focus()
    for key in keys: e.page.keyboard.press(key)


def saved(e): e.page.wait_for_function("() => document.querySelector('.eal-saved').textContent.startsWith('saved')")


def lines(tmp_path): return [(o.op, len(o.seen) if o.seen else None) for o in Journal(tmp_path/'corrections.jsonl').lines.values()]


def count(e, selector): return e.page.locator(selector).count()


def test_by_the_keyboard(walk, tmp_path):
    e = walk(of_boxes)
    sees(e, 'Suspect 1 of 5', 'size 0.99', 'It is very large.', 'Proposed: box of')
    assert count(e, '.eal-suggestion rect.eal-line') == 1 and count(e, '.eal-handle') == 8, 'it is drawn over the object, which is selected'
    press(e, 'y')
    sees(e, 'Suspect 2 of 5, 1 corrected', 'duplicate', 'Proposed: delete it.')
    assert count(e, '.eal-suggestion .eal-gone') == 2 and count(e, '.eal-suggestion rect') == 0
    press(e, 'u')
    sees(e, 'Suspect 3 of 5, 1 corrected, 1 right', 'It looks like a face.', 'Proposed: class face instead of ear.')
    assert e.page.locator('.eal-becomes').text_content() == 'ear → face'
    press(e, 'j')
    sees(e, 'Suspect 4 of 5, 1 corrected, 1 right', 'Proposed: add ear here.')
    press(e, 'y')
    sees(e, 'Suspect 5 of 5, 2 corrected', 'Nothing is proposed')
    press(e, 'y')
    assert 'nothing is proposed' in e.page.locator('.eal-said').inner_text()
    press(e, 'u')
    sees(e, 'It is right, as you said.')
    assert e.page.locator('.eal-said').inner_text() == 'this was the last suspect of 5: 2 corrected, 2 right'
    saved(e)
    assert lines(tmp_path) == [('set', None), ('ok', 1), ('add', None), ('ok', 1)]
    press(e, 'Control+z')
    sees(e, 'Suspect 5 of 5, 2 corrected, 1 right', 'Nothing is proposed')
    press(e, 'Control+z')
    sees(e, 'Suspect 4 of 5, 1 corrected, 1 right', 'Proposed: add ear here.')
    assert count(e, '.eal-suggestion rect.eal-line') == 1, 'an undo goes back to its suspect'
    press(e, 'Shift+j')
    sees(e, 'Suspect 3 of 5')
    press(e, 'Delete') # by hand
    sees(e, 'Suspect 3 of 5, 2 corrected', 'It is corrected.')
    press(e, 'Shift+j')
    sees(e, 'Suspect 2 of 5', 'It is right, as you said.')
    press(e, 'Escape', 'Escape')
    e.loaded()
    assert e.page.locator('.eal-suspect').all_inner_texts()[:4] == ['corrected and right', 'corrected', 'missing 0.70', 'dark 0.60']
    assert '3 of 5 suspects settled' in e.page.locator('.eal-status').inner_text()
    assert e.page.evaluate('window.reached') == [], 'no key reaches the notebook'


def of_points(ds):
    points = [ds.get_metadata(i)['keypoints'].astype(float) for i in range(3)]
    def given(i, change):
        now = points[i].copy()
        change(now)
        return suggestion('set', points=tuple(map(tuple, now.tolist())))
    def off(p): p[7, :2] += [14, -9]
    def swapped(p): p[[3, 9]] = p[[9, 3]]
    def backwards(p): p[:] = p[::-1].copy()
    return Suspected((0, 0, 7, 'point off', 'Point 7 is 17 pixels from where the others put it.', given(0, off)), (1, 0, 3, 'points swapped', 'Points 3 and 9.', given(1, swapped)),
                     (2, 0, -1, 'order reversed', 'From the wrong end.', given(2, backwards)))


def test_keypoints(walk, tmp_path):
    e = walk(of_points, 'landmarker')
    sees(e, 'point off', 'Proposed: move point 7 by 14, -9.')
    assert count(e, '.eal-suggestion path.eal-line') == 1 and count(e, '.eal-active [data-point="7"], [data-point="7"].eal-active') == 1
    e.page.wait_for_selector('.eal-lens-walk:not([hidden])') # the point, in the photo's own pixels
    press(e, 'y')
    sees(e, 'Suspect 2 of 3, 1 corrected', 'Proposed: swap points 3 and 9.')
    assert sorted(e.page.locator('.eal-becomes').all_text_contents()) == ['3→9', '9→3'] and count(e, '.eal-suggestion path.eal-line') == 2
    press(e, 'y')
    sees(e, 'Suspect 3 of 3, 2 corrected', 'Proposed: number 54 points anew.')
    assert count(e, '.eal-anew') == 1 and 0 < count(e, '.eal-becomes') <= 12 and e.page.locator('.eal-lens-walk').is_hidden()
    press(e, 'y')
    sees(e, 'It is corrected.')
    saved(e)
    ds, found = e.widget.ds, [o.now.points for o in Journal(tmp_path/'corrections.jsonl').lines.values()]
    assert np.allclose(found[0][7][:2], ds.get_metadata(0)['keypoints'][7, :2] + [14, -9], atol=1e-3)
    assert np.allclose(found[2], ds.get_metadata(2)['keypoints'][::-1], atol=1e-3)


def test_by_the_mouse_and_other_keys(walk, axe, tmp_path):
    e = walk(of_boxes, keys={'edit': {'accept': 'Ctrl+Enter'}})
    results = axe.run(e.page)
    assert results.violations_count == 0, results.generate_report()
    e.page.get_by_title('Skip: the next suspect (J)').click()
    sees(e, 'Suspect 2 of 5')
    e.page.get_by_role('button', name='✓ Accept').click()
    sees(e, 'Suspect 3 of 5, 1 corrected')
    e.page.keyboard.press('y') # the button has given the focus back, and Y is no key any more
    e.page.keyboard.press('Control+Enter')
    sees(e, 'Suspect 4 of 5, 2 corrected')
    e.page.get_by_role('button', name='It is right').click()
    sees(e, 'Suspect 5 of 5, 2 corrected, 1 right')
    saved(e)
    assert lines(tmp_path) == [('delete', None), ('set', None), ('empty', None)]
    e.page.keyboard.press('?')
    assert 'accept what is proposed' in e.page.locator('dialog').inner_text() and 'Ctrl + Enter' in e.page.locator('dialog').inner_text()
    e.page.keyboard.press('Escape')
    e.page.keyboard.press('Escape')
    e.loaded()
    results = axe.run(e.page)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.slow
def test_predictions_beside_suspects(walk, tmp_path):
    "A click chooses a prediction, which the keys are of then; all that is proposed in a photo is accepted as one step"
    def predictions(ds): return [[[200, 30, 50, 40]]] * len(ds)
    e = walk(of_boxes, predictions=predictions)
    assert 'a click chooses one' in e.page.locator('.eal-predictions').inner_text()
    press(e, 'z') # the whole photo
    left, top, z = e.page.eval_on_selector('.eal-world', "o => { const r = o.getBoundingClientRect(); return [r.left, r.top, +o.style.getPropertyValue('--z')] }")
    e.page.mouse.click(left + 225 * z, top + 50 * z)
    press(e, 'y')
    saved(e)
    assert lines(tmp_path) == [('add', None)]
    sees(e, 'Suspect 1 of 5')
    press(e, 'Shift+y')
    sees(e, 'Suspect 3 of 5, 2 corrected')
    saved(e)
    press(e, 'Control+z')
    sees(e, 'Suspect 1 of 5', 'Proposed')
    assert lines(tmp_path)[1:] == [('set', None), ('delete', None), ('undo', None)]


@pytest.mark.slow
def test_a_page_without_suspects(page, opened, tmp_path):
    e = Explored(page, explore(opened('detector'), edit=True, corrections=tmp_path/'corrections.jsonl'))
    e.loaded()
    assert page.locator('.eal-suspect:visible').count() == 0 and 'suspect' not in page.locator('.eal-status').inner_text() and page.locator('.eal-full').is_hidden()
    page.locator('.eal-cell[data-row="0"]').click()
    page.wait_for_selector('.eal-stage:not([aria-busy])[role=application]')
    page.keyboard.press('j')
    page.keyboard.press('y')
    assert page.locator('.eal-walk').is_hidden() and e.errors == []
