"Keypoints in the page: the sums behind the tools, and the tools over a photo"
import json
import os
from pathlib import Path

import numpy as np
import pytest
from edited import Edited, work_of_frames
from explored import Explored
from PIL import Image

from ear_lazy import explorer
from ear_lazy.explorer import explore

PAGE = Path(explorer.__file__).parent/'looking/explorer_page'

# Two contours of unlike length, hidden and unlabelled points, and a mean shape.
SETS = """
  const m = window.sums, close = (a, b) => a.length === b.length && a.every((o, i) => Math.hypot(o[0] - b[i][0], o[1] - b[i][1]) < 1e-9 && o[2] === b[i][2])
  const points = [[10, 20, 2], [30, 25, 1], [0, 0, 0], [44, 60, 2], [12, 70, 2], [15.5, 80.25, 1], [21, 90, 2]]
  const contours = [[0, 4], [4, 7]], pairs = [[0, 3], [1, 2]], shape = points.map(([x, y], i) => i === 2 ? [38, 40] : [x, y])
"""

SUMS = {
    'what is done twice is undone': """
      const once = { mirror: o => m.mirroredPoints(o, pairs), plain: o => m.mirroredPoints(o), swap: o => m.sidesSwapped(o, pairs, contours),
        turn: o => m.sidesSwapped(o, [], contours), run: o => m.reversedRun(o, [4, 7]), all: o => m.reversedRun(o, [0, o.length]) }
      return Object.entries(once).map(([name, act]) => [name, close(act(act(points)), points) && !close(act(points), points)])""",
    'what is turned, scaled or moved comes back': """
      const at = m.middleOf(m.extentOf(points)), there = [m.turnedPoints(points, .7, at), m.scaledPoints(points, 2, .5, at), m.movedPoints(points, 4, -2)]
      const back = [m.turnedPoints(there[0], -.7, at), m.scaledPoints(there[1], .5, 2, at), m.movedPoints(there[2], -4, 2)]
      return back.map((o, i) => [i, close(o, points) && there[i][2].join() === '0,0,0'])""",
    'a mirrored set keeps its extent, and a left point is where the right one would be': """
      const now = m.mirroredPoints(points, pairs)
      return [['extent', m.extentOf(now).join() === m.extentOf(points).join()], ['left', now[0].join() === '10,60,2'], ['hole', now[1].join() === '0,0,0']]""",
    'a quarter turn goes clockwise': """
      return [['turn', close(m.turnedPoints([[1, 0, 2]], Math.PI / 2, [0, 0]), [[0, 1, 2]])]]""",
    'a handle goes where it is pulled, and what is opposite stays': """
      const stretched = (...how) => { const { sx, sy, from } = m.stretchedFrame(...how); return m.scaledPoints(points, sx, sy, from) }
      const frame = m.extentOf(points), [x, y, w, h] = frame, ends = o => { const [a, b, c, d] = m.extentOf(o); return [a, b, a + c, b + d].map(v => Math.round(v * 1e6) / 1e6).join() }
      return [['corner', ends(stretched(frame, [1, 1], [60, 100])) === '10,20,60,100'], ['side', ends(stretched(frame, [-1, 0], [0, 50])) === '0,20,44,90'],
        ['kept', ends(stretched(frame, [1, 1], [x + 2 * w, y], { aspect: true })) === [x, y, x + 2 * w, y + 2 * h].join()],
        ['centred', ends(stretched(frame, [0, -1], [0, 10], { centred: true })) === '10,10,44,100'],
        ['through', close(stretched(frame, [1, 0], [x - w, 0]), m.movedPoints(m.mirroredPoints(points), -w, 0))]]""",
    'the mean shape fits into a box with its proportions': """
      const now = m.fittedShape(shape, [100, 200, 68, 1000]), [x, y, w, h] = m.extentOf(now)
      return [['width', Math.abs(x - 100) + Math.abs(w - 68) < 1e-9], ['height', Math.abs(h - 140) + Math.abs(y - 630) < 1e-9], ['visible', now.every(o => o[2] === 2)],
        ['a line', m.extentOf(m.fittedShape([[0, 0], [0, 5]], [0, 0, 10, 10])).join() === '5,0,0,10'], ['a dot', m.fittedShape([[3, 3]], [0, 0, 10, 10])[0].join() === '5,5,2']]""",
    'a point that is not there is guessed by the mean shape, however it lies': """
      const turned = m.scaledPoints(m.turnedPoints(points, 2, [5, 5]), 3, 3, [0, 0]), truth = m.scaledPoints(m.turnedPoints([[38, 40, 2]], 2, [5, 5]), 3, 3, [0, 0])[0]
      const other = m.likelyPlace(m.scaledPoints(turned, -1, 1, [0, 0]), 2, shape, contours), found = m.likelyPlace(turned, 2, shape, contours)
      return [['there', Math.hypot(found[0] - truth[0], found[1] - truth[1]) < 1e-6], ['mirrored', Math.hypot(other[0] + truth[0], other[1] - truth[1]) < 1e-6],
        ['between', m.likelyPlace(points, 2, null, contours).join() === '37,42.5'], ['nothing', m.likelyPlace(points.map(() => [0, 0, 0]), 2, shape, contours) === null]]""",
}


def test_sums_of_points(page):
    page.set_content('<!doctype html>')
    page.evaluate("text => import(URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))).then(o => { window.sums = o })", (PAGE/'points_math.js').read_text())
    for name, body in SUMS.items():
        found = page.evaluate(f'() => {{ {SETS} {body} }}')
        assert found and all(ok for _, ok in found), f'{name}: {json.dumps(found)}'


CONTOURS = [[0, 20], [20, 35], [35, 50], [50, 55]]


class Pointed(Edited):
    "With what the kernel says of 55 points; `scheme` has more of it"
    scheme, mean, label = {}, None, 'ear'

    def photo(self, row):
        scheme = {'points': [f'p{i}' for i in range(55)], 'skeleton': [], 'flip_pairs': [], 'contours': CONTOURS, 'mean': self.mean} | self.scheme
        return super().photo(row) | {'schemes': {self.label: scheme}}

    def points(self, row=0, i=-1): return np.array(self.photo(row)['objects'][i]['points'])

    def press(self, *keys):
        for key in keys: self.page.keyboard.press(key)

    def said(self): return self.page.locator('.eal-said').inner_text()

    def saved(self): self.page.wait_for_function("() => document.querySelector('.eal-saved').textContent !== 'saving…'")

    def middle(self, selector, i=0): return self.page.evaluate("""([selector, i]) => { const b = document.querySelectorAll(selector)[i].getBoundingClientRect()
      return [b.left + b.width / 2, b.top + b.height / 2] }""", [selector, i])

    def at(self, i): return self.middle(f'.eal-chosen [data-point="{i}"] circle')

    def grip(self, i): return self.middle('.eal-chosen .eal-grip', i)

    def drag(self, start, by, before_release=lambda: None):
        "By CSS pixels; what was read while the pointer was held"
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move(start[0] + by[0], start[1] + by[1], steps=3)
        self.page.evaluate('new Promise(o => requestAnimationFrame(() => requestAnimationFrame(o)))')
        found = before_release()
        self.page.mouse.up()
        self.saved()
        return found

    def zoom(self): return self.page.eval_on_selector('.eal-over', "o => +o.style.getPropertyValue('--z')")

    def menu(self, *keys):
        self.press('k')
        self.page.wait_for_selector('.eal-menu [role=menuitem]:focus')
        self.press(*keys)

    def near(self):
        if self.page.locator('button', has_text='Near').get_attribute('aria-pressed') != 'true': self.press('Shift+Z')


@pytest.fixture(scope='module')
def shared(browser, opened):
    "One page for all tests that need no other"
    page = browser.new_page(viewport={'width': 1000, 'height': 640})
    e = Pointed(page, explore(opened('landmarker')))
    e.mean = e.widget.ds.get_metadata(0)['keypoints'][:, :2].tolist()
    e.loaded()
    yield e
    page.close()


@pytest.fixture
def edit(shared, opened, request):
    "The full view of a row with 55 points, the set chosen"
    def edit(select=True, objects=None, scheme=None, label='ear', theme=None):
        e = shared if theme is None else Pointed(request.getfixturevalue('page'), explore(opened('landmarker')), theme)
        e.scheme, e.label = scheme or {}, label
        if theme: e.loaded()
        e.begin(objects)
        if select:
            e.press('Tab')
            e.near()
        return e
    yield edit
    assert shared.errors == [] and shared.page.evaluate('window.reached') == []


def test_a_point_by_pointer_and_by_keys(edit):
    e = edit()
    before, n = e.points(), len(e.past)
    lens = e.drag(e.at(9), (30, -20), lambda: e.page.evaluate("""async () => {
      const lens = document.querySelector('.eal-lens canvas'), middle = lens.width / 2 + 9 // a pixel of the photo is 6 wide: beside the crosshair
      const photo = document.createElement('canvas'), image = document.querySelector('.eal-world img')
      ;[photo.width, photo.height] = [image.naturalWidth, image.naturalHeight]
      const context = photo.getContext('2d'), [x, y] = document.querySelector('.eal-lens span').textContent.match(/[\\d.]+/g).slice(-2).map(Number)
      context.drawImage(image, 0, 0)
      const from = [...lens.getContext('2d').getImageData(middle, middle, 1, 1).data], of = [...context.getImageData(Math.floor(x + 1.5), Math.floor(y + 1.5), 1, 1).data]
      return [lens.parentNode.hidden, from.every((o, i) => Math.abs(o - of[i]) < 4)] }"""))
    assert lens == [False, True], "the magnifier shows the photo's own pixels around the point"
    moved = e.points() - before
    assert np.allclose(moved[9, :2], np.array([30, -20]) / e.zoom(), atol=.6) and (moved[np.arange(55) != 9] == 0).all() and len(e.past) == n + 1
    assert e.said() == f'point 9, p9 moved by {moved[9, 0]:.1f}, {moved[9, 1]:.1f}'.replace('.0', '') and e.page.locator('.eal-lens').is_hidden()
    e.press('.', '.', ',')
    assert e.said() == 'point 10, p10: visible' and e.page.get_attribute('.eal-checklist', 'aria-activedescendant').endswith('-10')
    e.at_once(*['ArrowRight'] * 3, 'Shift+ArrowUp', 'ArrowUp')
    e.saved()
    assert (e.points() - before)[10].round(3).tolist() == [3, -11, 0] and len(e.past) == n + 2, 'keys in a row are one action'
    assert e.said() == 'point 10, p10 moved by 3, -11'
    for key, v, words in (('q', 1, 'hidden'), ('/', 2, 'visible'), ('o', 0, 'unlabelled'), ('v', 2, 'visible at'), ('Delete', 0, 'unlabelled')):
        e.press(key)
        e.saved()
        assert e.points()[10, 2] == v and e.said().startswith(f'point 10, p10 {words}')
    assert e.points()[10].tolist() == [0, 0, 0] and e.page.locator('[role=option]', has_text='○ 10').count() == 1
    e.press('ArrowLeft')
    e.saved()
    assert np.allclose(e.points()[10, :2], before[10, :2] + [3, -11], atol=.1), 'it comes back where it was'
    e.page.locator('[role=option]', has_text='● 30').click()
    assert e.said() == 'point 30, p30: visible'
    e.page.keyboard.down('Alt')
    e.page.mouse.click(*e.at(31))
    e.page.keyboard.up('Alt')
    e.saved()
    assert e.points()[31].tolist() == [0, 0, 0] and e.said() == 'point 31, p31 unlabelled'
    done = len(e.past)
    e.at_once('ArrowRight', ',', 'ArrowLeft')
    e.saved()
    assert len(e.past) == done + 2, 'what is done to another point is another action'


def test_the_set_by_its_frame_and_its_menu(edit):
    e = edit(objects=[{'points': [[100, 100, 2], [160, 110, 1], [0, 0, 0], [150, 200, 2], [110, 190, 2]], 'label': 'ear'}],
             scheme={'points': list('abcde'), 'contours': [[0, 3], [3, 5]], 'mean': [[0, 0], [1, 0], [1, 1], [1, 2], [0, 2]]})
    before = e.points()
    def extent(points): return np.r_[points[points[:, 2] > 0, :2].min(0), np.ptp(points[points[:, 2] > 0, :2], 0)]
    z, box = e.zoom(), extent(before)
    e.drag(e.grip(9), (20, 10))
    assert np.allclose(extent(e.points()), box + [*np.array([20, 10]) / z, 0, 0], atol=.6) and e.said().startswith('set moved by')
    e.drag(e.grip(3), (40, 0))
    now = extent(e.points())
    assert now[2] > box[2] + 20 / z and abs(now[3] - box[3]) < .1 and e.said().startswith('set scaled to')
    x, y = e.grip(8)
    e.drag((x, y), (200, 100))
    assert e.said().startswith('set turned by') and e.points()[2].tolist() == [0, 0, 0]
    for _ in range(3): e.press('Control+z')
    e.saved()
    assert e.points().tolist() == before.tolist()
    n = len(e.past)
    for key, change in (('m', lambda o: [[260 - x, y, v] if v else [x, y, v] for x, y, v in o]), ('w', lambda o: [*o[2::-1], *o[:2:-1]]),
                        ('r', lambda o: [*o[2::-1], *o[3:]]), ('a', lambda o: o[::-1])):
        e.menu(key)
        e.saved()
        assert e.points().tolist() == change(before.tolist()), key
        e.menu(key)
        e.saved()
        assert e.points().tolist() == before.tolist(), f'{key} twice'
    assert len(e.past) == n + 8, 'each is one action'
    e.at_once('Alt+ArrowUp', 'Alt+ArrowUp')
    e.saved()
    assert np.allclose(extent(e.points())[2:], box[2:] * 1.01**2, atol=.02) and len(e.past) == n + 9
    e.menu('n')
    e.saved()
    assert extent(e.points())[3] == pytest.approx(box[3] * 1.01**2, abs=.1) and (e.points()[:, 2] == 2).all(), 'begun anew from the mean shape'


def test_points_are_placed_by_clicks(edit):
    e = edit()
    before, n = e.points(), len(e.past)
    def click(x, y):
        e.page.mouse.click(x, y)
        e.saved()
    e.press('p')
    assert e.said() == 'click where point 0, p0 is'
    click(300, 300)
    click(320, 300)
    assert e.said().endswith('; click where point 2, p2 is') and (e.points()[2:] == before[2:]).all() and (e.points()[:2] != before[:2]).any(1).all() and len(e.past) == n + 2
    e.press('s')
    click(340, 300)
    e.press('Backspace')
    e.saved()
    assert (e.points()[2:] == before[2:]).all() and e.said() == 'undo: a change'
    assert e.page.locator('.eal-checklist [aria-selected=true]').inner_text() == '● 3 p3'
    e.press('Escape', '>', '>', '>')
    assert e.said() == 'point 50, p50: visible'
    e.press('x')
    assert e.page.locator('g.eal-dim[data-point]').count() == 50
    e.page.mouse.click(*e.at(10))
    assert 'point 10' not in e.said(), 'points of another contour cannot be clicked'
    e.menu('c')
    now, n = e.points(), len(e.past)
    for i in range(5):
        assert e.said().endswith(f'click where point {50 + i}, p{50 + i} is') and e.points().tolist() == now.tolist()
        click(250 + 30 * i, 250)
    assert e.said() == 'contour 3 (points 50 to 54) placed anew' and len(e.past) == n + 1
    assert (e.points()[:50] == now[:50]).all() and np.allclose(np.diff(e.points()[50:, 0]), 30 / e.zoom(), atol=1.1)
    e.menu('c')
    click(300, 350)
    e.press('Escape')
    assert len(e.past) == n + 1, 'a contour that is given up stays as it was'
    assert e.page.locator('g.eal-dim[data-point]').count() == 50
    e.press('x')


def test_new_sets(edit):
    e = edit(select=False)
    shape = e.points()
    e.press('Tab', 'Delete')
    e.saved()
    e.menu('n')
    e.drag((500, 200), (-150, 200))
    made = e.points()
    size = np.ptp(made[:, :2], 0)
    assert e.said() == 'set of 55 points begun from the mean shape' and size[0] / size[1] == pytest.approx(np.divide(*np.ptp(shape[:, :2], 0)), abs=.01)
    assert np.sign(made[9, 0] - made[19, 0]) == -np.sign(shape[9, 0] - shape[19, 0]), 'drawn from right to left, it is mirrored'
    e.press('d')
    e.page.wait_for_function("() => document.querySelector('.eal-title').textContent.startsWith('row 1:')")
    e.press('Control+b')
    e.saved()
    assert len(e.photo(1)['objects']) == 2 and e.points(1).tolist() == made.tolist() and e.said() == '55 points copied from the photo before'
    e.press('Escape', 'p')
    assert e.page.locator('.eal-count').inner_text() == '0 of 55 placed, next 0'
    e.press('Enter', 'Enter') # by keys alone: where the mean shape has them
    e.saved()
    assert np.ptp(e.points(1)[:2, :2] - e.mean[:2], axis=0).max() > 0 and e.said().endswith('; click where point 2, p2 is')
    e.press('s')
    e.page.mouse.click(360, 300)
    e.saved()
    assert len(e.photo(1)['objects']) == 3 and e.points(1)[:, 2].tolist() == [2, 2, 0, 2] + [0] * 51
    assert e.page.locator('[role=option]', has_text='skipped').inner_text() == '○ 2 p2 – skipped'
    assert e.page.locator('.eal-count').inner_text() == '3 of 55 placed, next 4'


def test_the_mean_shape_goes_into_a_box(edit):
    e = edit(objects=[{'box': [100, 120, 80, 60], 'label': 'ear'}], label='') # keypoints of files without classes
    e.menu('n')
    e.saved()
    x, y = e.points()[:, :2].T
    assert (x.min() >= 100, y.min() >= 120, x.max() <= 180, y.max() <= 180) == (True,) * 4 and max(np.ptp(x) / 80, np.ptp(y) / 60) == pytest.approx(1, abs=.01)
    assert e.photo(0)['objects'][0]['box'] == [100, 120, 80, 60]


def test_a_conflict_of_points(edit):
    "Both values are drawn and told apart, and one is kept"
    one = [[100, 100, 2], [160, 110, 1], [0, 0, 0], [150, 200, 2]]
    two = [[100, 100, 2], [190, 140, 1], [120, 150, 2], [150, 200, 2]]
    e = edit(objects=[{'points': one, 'label': 'ear', 'status': 'conflict', 'options': [{'box': None, 'points': one, 'label': 'ear'}, {'box': None, 'points': two, 'label': 'ear'}]}],
             scheme={'points': list('abcd'), 'contours': [], 'skeleton': [[0, 1], [1, 3]]})
    assert e.page.locator('.eal-option-set .eal-option').all_text_contents() == ['B', 'A']
    assert e.page.locator('.eal-conflict button').all_inner_texts() == ['A: ear: point 1 at 160, 110, hidden; point 2 unlabelled', 'B: ear: point 1 at 190, 140, hidden; point 2 at 120, 150']
    assert e.page.locator('.eal-chosen .eal-set:not(.eal-option-set) line.eal-line').count() == 2, 'lines of the skeleton'
    if folder := os.environ.get('EAR_LAZY_SCREENSHOTS'): e.page.screenshot(path=Path(folder)/'points_conflict.png')
    e.page.locator('.eal-conflict button').nth(1).click()
    e.saved()
    assert e.points().tolist() == two and e.page.locator('.eal-option-set').count() == 0


def test_touch_keeps_the_pixel_in_sight(edit):
    "A finger reaches further than a mouse, and the magnifier gives way to it"
    e = edit()
    before = e.points()
    e.page.evaluate("""async ([x, y]) => {
      const stage = document.querySelector('.eal-stage'), frame = () => new Promise(o => requestAnimationFrame(() => requestAnimationFrame(o)))
      const send = (type, dx, dy) => stage.dispatchEvent(new PointerEvent(type, { bubbles: true, pointerId: 5, pointerType: 'touch', isPrimary: true, button: 0, buttons: 1, clientX: x + dx, clientY: y + dy }))
      stage.setPointerCapture = () => {}
      send('pointerdown', -12, -8)
      for (const [dx, dy] of [[-20, -12], [-30, -20]]) { send('pointermove', dx, dy); await frame() }
      send('pointerup', -30, -20)
    }""", e.at(2))
    e.saved()
    assert np.allclose((e.points() - before)[2, :2], np.array([-18, -12]) / e.zoom(), atol=.6) and (e.points() != before).any(1).sum() == 1


def test_keypoints_reach_the_journal(page, opened, tmp_path):
    "With the real kernel: what was done is there when it is opened again"
    ds, journal = opened('landmarker'), tmp_path/'corrections.jsonl'
    def open_row(page):
        e = Explored(page, explore(ds, edit=True, corrections=journal))
        e.loaded()
        e.page.locator('.eal-cell[data-row="0"]').click()
        e.page.wait_for_selector('.eal-object', state='attached')
        return e
    e = open_row(page)
    for key in 'Tab', '.', 'o': page.keyboard.press(key)
    page.keyboard.press('k')
    page.wait_for_selector('.eal-menu [role=menuitem]:focus')
    page.keyboard.press('m')
    page.wait_for_function("() => window.received.filter(([o]) => o.type === 'edited').length === 2")
    assert e.errors == [] and page.locator('.eal-failed').inner_text() == '' and len(journal.read_text().splitlines()) == 2
    before, (now,) = ds.get_metadata(0)['keypoints'], e.widget._journal().told(0)['objects']
    x = before[1:, 0]
    assert now['points'][0] == [0, 0, 0] and np.allclose(np.array(now['points'])[1:, 0], x.min() + x.max() - x, atol=.01)
    with page.context.browser.new_page() as other:
        assert open_row(other).widget._journal().told(0)['objects'] == [now]
        assert other.locator('.eal-is-changed g[data-point]:not([display=none])').count() == 54


@pytest.mark.slow # it measures, and other work beside it would be measured too
@pytest.mark.parametrize('i', [9, None], ids=['a point', 'the set'])
def test_a_drag_over_a_large_photo_takes_little_time(browser, opened, tmp_path, i):
    "12 megapixels, 55 points with their numbers, lines and magnifier: what the page does for a frame"
    Image.effect_noise((400, 300), 90).resize((4000, 3000)).convert('RGB').save(tmp_path/'large.jpg')
    page = browser.new_page(viewport={'width': 1000, 'height': 640})
    e = Pointed(page, explore(tmp_path))
    e.loaded()
    points = opened('landmarker').get_metadata(0)['keypoints']
    points[:, :2] = (points[:, :2] - points[:, :2].min(0)) / np.ptp(points[:, :2], 0) * [1200, 2000] + [1300, 500]
    e.begin([{'points': points.tolist(), 'label': 'ear'}])
    page.wait_for_timeout(1000)
    e.press('Tab')
    page.wait_for_timeout(1000)
    place = e.grip(8) if i is None else e.at(i)
    page.mouse.move(*place)
    page.mouse.down()
    spent = work_of_frames(browser, page, lambda: page.mouse.move(place[0] + 150, place[1] + 60, steps=200))
    page.mouse.up()
    e.saved()
    page.close()
    assert len(spent) > 100 and np.percentile(spent, 95) <= 8, spent.round(1).tolist()


@pytest.mark.parametrize('theme', ['light', pytest.param('dark', marks=pytest.mark.slow)])
def test_points_are_accessible(edit, axe, theme):
    "With the checklist and the menu open while points are placed"
    e = edit(theme=theme)
    e.press('.', 'p')
    e.menu()
    assert (found := axe.run(e.page, context='.eal')).violations_count == 0, found.generate_report()
