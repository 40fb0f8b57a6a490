"Corrections made in a JupyterLab, by the mouse and the keyboard, found again after everything was started anew"
import json
import os
import shutil
import subprocess
import sys
from functools import partial
from threading import Timer

import numpy as np
import pytest
from lab import Lab, Notebook
from PIL import Image

from ear_lazy.corrections import Corrections
from ear_lazy.correcting.chains import fold
from ear_lazy.correcting.journal import Journal, Stated, new_line
from ear_lazy.data_processor import DataProcessor
from ear_lazy.base.geometry import turn_boxes, turn_points
from ear_lazy.lazy_dataset import LazyNPYDataset

pytestmark = pytest.mark.slow
W, H = 480, 320 # of the photos as they are seen
STORED = {1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
          5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270} # by orientation
BACK = {6: 8, 8: 6} # the turn that undoes another; all others undo themselves
COLOURS = np.array([[230, 30, 30], [30, 200, 30], [30, 60, 230], [230, 200, 20]])
LABELS = 'ear', 'head'
BOXES = np.array([[40, 40, 90, 110], [200, 50, 80, 100], [330, 170, 100, 120]]) # xywh, where they are in truth
POINTS = np.array([[90, 80], [220, 60], [400, 110], [180, 250]])
OPEN = """from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.explorer import explore
def opened(kind, loader, **options): return explore(LazyNPYDataset(f'{folder}/out/train_{{kind}}.npy', image_loader=loader), edit=True, height=640, **options)"""

# --- raw data whose labels are wrong, by photos that show what is right


def photo(path, orientation, marks):
    "A photo with marks of several colours, stored turned"
    seen = np.full((H, W, 3), 128, np.uint8)
    for (x, y, w, h), colour in zip(marks, COLOURS): seen[y:y + h, x:x + w] = colour
    im, exif = Image.fromarray(seen), Image.Exif()
    exif[0x0112] = orientation
    if STORED[orientation] is not None: im = im.transpose(STORED[orientation])
    path.parent.mkdir(parents=True, exist_ok=True)
    im.save(path, exif=exif, quality=95, subsampling=0)


def wrong_box(i, j):
    "How an annotation is wrong, and how it becomes right: box, label, way"
    x, y, w, h = map(float, BOXES[j])
    way = ('move', 'resize', 'nudge', 'class')[(i + j) % 4]
    if way == 'move': return [x + 12.25, y - 9.5, w, h], 'ear', way
    if way == 'resize': return [x, y, w - 21.5, h - 30.25], 'ear', way
    return ([x - 10, y, w, h], 'ear', way) if way == 'nudge' else ([x, y, w, h], 'head', way)


def wrong_point(i, j): return POINTS[j] + ([10, 0] if j >= 2 else [14.5, 11.25] if (i + j) % 2 else [-13, 16.5]) # the first two by the mouse


def stored(values, orientation, turn): return turn(np.array(values, float), BACK.get(orientation, orientation), (H, W))


def write_coco(folder):
    "Of pictures that lie on their side the boxes are as these are stored"
    images, found = [], []
    for i, o in enumerate(STORED):
        photo(folder/f'p{o}.jpg', o, BOXES)
        images.append(dict(id=o, file_name=f'p{o}.jpg', height=W if o > 4 else H, width=H if o > 4 else W))
        for j in range(3):
            box, label, _ = wrong_box(i, j)
            box = stored([box], o, turn_boxes)[0].tolist() if o > 4 else box
            found.append(dict(id=10 * o + j, image_id=o, category_id=1 + LABELS.index(label), bbox=[round(v, 2) for v in box], iscrowd=0))
    (folder/'boxes.json').write_text(json.dumps(dict(images=images, annotations=found, categories=[dict(id=i, name=o) for i, o in enumerate(LABELS, 1)]), indent=1))


def write_voc(folder):
    for i, o in enumerate(STORED):
        photo(folder/f'p{o}.jpg', o, BOXES[:2])
        inner = ''
        for j in range(2):
            (x, y, w, h), label, _ = wrong_box(i, j)
            corners = dict(xmin=x, ymin=y, xmax=x + w, ymax=y + h)
            inner += f'  <object>\n    <name>{label}</name>\n    <bndbox>{"".join(f"<{k}>{v:.2f}</{k}>" for k, v in corners.items())}</bndbox>\n  </object>\n'
        (folder/f'p{o}.xml').write_text(f'<annotation>\n  <filename>p{o}.jpg</filename>\n  <size><width>{W}</width><height>{H}</height><depth>3</depth></size>\n{inner}</annotation>\n')


def write_yolo(folder):
    for i, o in enumerate(STORED):
        photo(folder/f'p{o}.jpg', o, BOXES[:2])
        boxes = [(LABELS.index(label), (x + w / 2) / W, (y + h / 2) / H, w / W, h / H) for (x, y, w, h), label, _ in (wrong_box(i, j) for j in range(2))]
        (folder/f'p{o}.txt').write_text(''.join(f'{c} {" ".join(f"{v:.6f}" for v in box)}\n' for c, *box in boxes))
    (folder/'classes.txt').write_text('\n'.join(LABELS) + '\n')


def marks_of_points(n): return [(x - 4, y - 4, 8, 8) for x, y in POINTS[:n].tolist()]


def write_pts(folder):
    for i, o in enumerate(STORED):
        photo(folder/f'p{o}.jpg', o, marks_of_points(3))
        (folder/f'p{o}.pts').write_text('version: 1\nn_points: 3\n{\n' + ''.join('%.3f %.3f\n' % tuple(wrong_point(i, j)) for j in range(3)) + '}\n')


def write_keypoints(folder):
    images, found = [], []
    for i, o in enumerate(STORED):
        photo(folder/f'p{o}.jpg', o, marks_of_points(4))
        images.append(dict(id=o, file_name=f'p{o}.jpg', height=W if o > 4 else H, width=H if o > 4 else W))
        points = np.array([[*wrong_point(i, j), 2] for j in range(4)])
        if o > 4: points[:, :2] = stored(points[:, :2], o, turn_points)
        found.append(dict(id=o, image_id=o, category_id=1, iscrowd=0, keypoints=points.ravel().round(2).tolist(), num_keypoints=4, bbox=[0, 0, images[-1]['width'], images[-1]['height']]))
    (folder/'points.json').write_text(json.dumps(dict(images=images, annotations=found, categories=[dict(id=1, name='ear', keypoints=list('abcd'))]), indent=1))


def write_wrong(raw):
    for make in (write_coco, write_voc, write_yolo, write_pts, write_keypoints):
        folder = raw/make.__name__[6:]
        folder.mkdir(parents=True)
        make(folder)


def processed(raw, out, **options): # the report
    made = DataProcessor(raw, out, num_workers=0, progress=False, **options)
    made.process_all(train_split=1, include_teacher=False)
    return made.report


# --- the page in a notebook


class Page:
    "An explorer in a notebook, and how a person uses it; counts what that person does"
    def __init__(self, nb):
        self.page, self.actions, self.most, self.all = nb.page, 0, 0, 0

    def open(self, row):
        self.page.locator(f'.eal-cell[data-row="{row}"].eal-loaded').click(timeout=60_000)
        self.there()

    def there(self):
        self.page.wait_for_function("() => document.querySelector('.eal-stage:not([aria-busy])[role=application]') && document.querySelector('.eal-full img').naturalWidth", timeout=60_000)
        left, top, z = self.page.eval_on_selector('.eal-world', "o => { const r = o.getBoundingClientRect(); return [r.left, r.top, +o.style.getPropertyValue('--z')] }")
        self.frame = np.array([left, top]), z

    def at(self, place): return (self.frame[0] + np.asarray(place) * self.frame[1]).tolist()

    def done(self): # one thing is corrected
        self.most, self.all, self.actions = max(self.most, self.actions), self.all + self.actions, 0

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
            self.actions += 1

    def click(self, place):
        self.page.mouse.click(*self.at(place))
        self.actions += 1

    def drag(self, start, stop):
        self.page.mouse.move(*self.at(start))
        self.page.mouse.down()
        self.page.mouse.move(*self.at(stop), steps=2)
        self.page.mouse.up()
        self.actions += 1

    def saved(self):
        self.page.wait_for_function("() => document.querySelector('.eal-saved').textContent.startsWith('saved ')", timeout=60_000)
        assert self.page.locator('.eal-failed').inner_text() == ''

    def next(self):
        title = self.page.locator('.eal-title').inner_text()
        self.press('d')
        self.done()
        self.page.wait_for_function("o => document.querySelector('.eal-title').textContent !== o", arg=title)
        self.there()

    def colour(self, place):
        "What is seen at a place of the photo"
        return self.page.evaluate("""([x, y]) => { const image = document.querySelector('.eal-world img'), c = document.createElement('canvas').getContext('2d')
          c.drawImage(image, -x, -y); return [...c.getImageData(0, 0, 1, 1).data].slice(0, 3) }""", [int(o) for o in place])


def correct_boxes(p, i, n):
    for j in range(n):
        (x, y, w, h), _, way = wrong_box(i, j)
        tx, ty, tw, th = BOXES[j]
        p.press('Tab')
        if way == 'move': p.drag((x + w / 2, y + h / 2), (tx + tw / 2, ty + th / 2))
        if way == 'resize': p.drag((x + w, y + h), (tx + tw, ty + th))
        if way == 'nudge': p.press('Shift+ArrowRight')
        if way == 'class': p.press('1')
        p.done()


def correct_points(p, i, n):
    p.press('Tab')
    if n == 3 and i % 2: # by clicks, one after the other
        p.press('p')
        for j in range(3): p.click(POINTS[j]); p.done()
        return
    for j in range(n):
        if j < 2: p.drag(wrong_point(i, j), POINTS[j])
        elif n == 3: p.drag(wrong_point(i, j), POINTS[j])
        else: p.press('.', 'Shift+ArrowLeft')
        p.done()


@pytest.fixture(scope='module')
def lab(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp('lab'), '--KernelManager.autorestart=False') # the tests start what they kill
    yield lab
    lab.stop()


def notebook(page, lab, top, name, *cells):
    nb = Notebook(page, lab, name, OPEN.format(folder=top), *cells)
    nb.run(0, 120)
    return nb


def rows_of(ds): return [ds.metadata.image_path(i).split('/') for i in range(len(ds))]


def test_corrections_outlive_everything(tmp_path, tmp_path_factory, chromium):
    raw, out = tmp_path/'raw', tmp_path/'out'
    write_wrong(raw)
    processed(raw, out)
    boxes_of, points_of = {'coco': 3, 'voc': 2, 'yolo': 2}, {'pts': 3, 'keypoints': 4}
    browser, lab = chromium(), Lab(tmp_path_factory.mktemp('lab'))
    page = browser.new_page(viewport={'width': 1280, 'height': 1000})
    nb = notebook(page, lab, tmp_path, 'correct.ipynb', "opened('detector', 'pil')", "opened('landmarker', 'cv2')")
    made = 0
    for cell, kind, own, correct in ((1, 'detector', boxes_of, correct_boxes), (2, 'landmarker', points_of, correct_points)):
        nb.page.evaluate("jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
        nb.start(cell)
        p, rows = Page(nb), rows_of(LazyNPYDataset(out/f'train_{kind}.npy'))
        for row, (source, name) in enumerate(rows):
            p.open(0) if row == 0 else p.next()
            if source not in own: 
                p.actions = 0 # nothing is wrong there
                continue
            i, n = int(name[1]) - 1, own[source]
            for place, colour in zip((BOXES[:, :2] + BOXES[:, 2:] / 2 if kind == 'detector' else POINTS)[:n], COLOURS):
                assert np.abs(np.subtract(p.colour(place), colour)).max() < 40, f'{source}/{name} is seen upright'
            correct(p, i, n)
            made += n
        p.saved()
        assert p.most <= 3 and p.all <= 3 * 8 * sum(own.values()), 'to step to the next photo is an action of its own'
    browser.close()
    lab.stop()
    check_all_places(tmp_path)

    # A new server, kernel and browser: the last photo is there, and what was done can be undone.
    browser, lab = chromium(), Lab(tmp_path_factory.mktemp('lab'))
    page = browser.new_page(viewport={'width': 1280, 'height': 1000})
    nb = notebook(page, lab, tmp_path, 'again.ipynb', "w = opened('landmarker', 'cv2')\nw", 'w.selected')
    nb.start(1)
    p = Page(nb)
    row, path = len(rows) - 1, '/'.join(rows[-1])
    page.wait_for_selector(f'.eal-cell[data-row="{row}"].eal-loaded', timeout=60_000)
    assert nb.run(2) == f'[{row}]', 'it opens at the photo that was corrected last'
    p.open(row)
    assert 'edited' in page.locator('.eal-title').inner_text()
    journal = Journal(tmp_path/'corrections.jsonl')
    before, state = len(journal.lines), points_now(journal)[path]
    for key, is_same in (('Control+z', False), ('Control+y', True)):
        p.press(key)
        p.saved()
        page.wait_for_function("o => !document.querySelector(`.eal-full [title^='${o}']`).disabled", arg='Redo' if key == 'Control+z' else 'Undo')
        journal.refresh()
        assert (points_now(journal)[path] == state) == is_same
    assert len(journal.lines) == before + 2
    browser.close()
    lab.stop()


def points_now(journal): return {path: [o.value.points for o in state.chains] for path, state in fold(journal).items()}


TOLERANCE = {'coco': .011, 'voc': .011, 'yolo': 2e-6 * W, 'pts': .0011, 'keypoints': .011} # what their decimals can hold, twice for a width


def values_of(out, kind, loader='pil', **options):
    "{photo: values} of a dataset"
    ds = LazyNPYDataset(out/f'train_{kind}.npy', image_loader=loader, extras=('labels',), **options)
    key, found = 'bboxes' if kind == 'detector' else 'keypoints', {}
    for row, path in enumerate(map('/'.join, rows_of(ds))): found[path] = ds[row], np.asarray(ds[row][key], float), [ds.label_names[o] for o in np.atleast_1d(ds[row]['labels'])]
    return found


def check_all_places(top):
    "What was done on the page is in the journal, in the dataset, in the files of a new run, and in the raw format"
    raw, out, journal = top/'raw', top/'out', Journal(top/'corrections.jsonl')
    assert not journal.faults and {o.op for o in journal.lines.values()} == {'set'} and len(journal.lines) == 112, 'a line for each'
    said = {(path, o.first.origins[0].file, o.first.origins): o.value for path, state in fold(journal).items() for o in state.chains}
    assert len(said) == 56 + 16
    for kind, truth, loaders in (('detector', BOXES, ('pil', 'cv2')), ('landmarker', POINTS, ('pil', 'cv2'))):
        seen = [values_of(out, kind, loader, corrections=True) for loader in loaders]
        for path in seen[0]:
            source, n = path.split('/')[0], len(seen[0][path][1])
            if (source in ('pts', 'keypoints')) != (kind == 'landmarker'): continue
            for sample, values, labels in (o[path] for o in seen):
                assert np.abs(values[:, :2] - truth[:n, :2]).max() < 1.5, f'{path}: at the mark'
                image = np.asarray(sample['image'])
                for j in range(n):
                    marked = np.abs(image.astype(int) - COLOURS[j]).max(-1) < 60
                    y, x = np.nonzero(marked)
                    mark = np.array([x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1])
                    assert np.abs(values[j][:4] - mark).max() < 2.5 if kind == 'detector' else np.abs(values[j][:2] - mark[:2] - 4).max() < 2.5, f'{path}: on the pixels'
                assert {*labels} == {'' if source == 'pts' else 'ear'}
    live = {kind: values_of(out, kind, corrections=True) for kind in ('detector', 'landmarker')}
    report = processed(raw, out)
    run = {kind: values_of(out, kind) for kind in live}
    same_values(live, run, lambda source: 1e-4)
    command = [sys.executable, '-m', 'ear_lazy.command', 'corrections', 'export', top/'exported', '--raw-data-dir', raw, '--output-dir', out]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    home = shutil.copytree(raw, top/'home')
    shutil.copytree(top/'exported', home, dirs_exist_ok=True)
    processed(home, top/'home_out', corrections=False)
    same_values(live, {kind: values_of(top/'home_out', kind) for kind in live}, TOLERANCE.get)
    assert {o.relative_to(raw) for o in raw.rglob('*') if o.is_file() and o.suffix != '.jpg' and o.read_bytes() != (home/o.relative_to(raw)).read_bytes()}
    after = processed(home, top/'home_out', corrections=top/'corrections.jsonl', force=True)
    assert sum(o.boxes.corrected + o.keypoints.corrected for o in report.sources.values()) == 72
    assert '72 × a correction is in the raw data already' in str(after)


def same_values(a, b, tolerance):
    for kind in a:
        assert {*a[kind]} == {*b[kind]}
        for path, (_, values, labels) in a[kind].items():
            _, there, labels_there = b[kind][path]
            assert np.abs(values - there).max() <= tolerance(path.split('/')[0]) and labels == labels_there, path


# --- a kernel that is killed, and two that write at once


@pytest.fixture
def wrong(tmp_path):
    "A folder with eight photos of three boxes"
    (tmp_path/'raw/coco').mkdir(parents=True)
    write_coco(tmp_path/'raw/coco')
    processed(tmp_path/'raw', tmp_path/'out')
    return tmp_path


@pytest.fixture
def tab(browser):
    "Opens a tab of its own"
    contexts = []

    def tab(**options):
        contexts.append(browser.new_context(**{'viewport': {'width': 1280, 'height': 1000}} | options))
        return contexts[-1].new_page()

    yield tab
    for o in contexts: o.close()


WATCH = """() => { const node = document.querySelector('.eal-saved'); let before = node.textContent
  window.saves = 0
  new MutationObserver(() => { if (before === 'saving…' && node.textContent.startsWith('saved ')) window.saves++; before = node.textContent }).observe(node, { childList: true, characterData: true, subtree: true }) }"""


def an_action(p, rng):
    "How to do something that writes one line, as a person may do it"
    chosen = p.page.locator('.eal-objects button[aria-pressed=true]')
    if not chosen.count():
        p.press('Tab')
        chosen.wait_for()
    many = p.page.locator('.eal-objects button').count()
    way = rng.choice(['class', 'right', 'undo', 'drag', 'delete' if many > 4 else 'duplicate'])
    if way == 'undo' and p.page.locator('.eal-full [title^="Undo"]').is_disabled() or way == 'drag' and p.page.locator('.eal-chosen .eal-line').count() != 1: way = 'class'
    if way == 'drag':
        middle = middle_of_chosen(p)
        return partial(p.drag, middle, middle + (9 if middle[0] < 240 else -9))
    return partial(p.press, {'right': 'Space', 'undo': 'Control+z', 'duplicate': 'Control+d', 'delete': 'Delete'}.get(way) or ('2' if chosen.inner_text().startswith('ear') else '1'))


def middle_of_chosen(p):
    x, y, w, h = (float(p.page.locator('.eal-chosen .eal-line').get_attribute(o)) for o in ('x', 'y', 'width', 'height'))
    return np.array([x + w / 2, y + h / 2])


def test_a_killed_kernel_loses_at_most_the_action_under_way(lab, tab, wrong):
    "At random moments; EAR_LAZY_KILLS says at how many"
    nb, rng = notebook(tab(), lab, wrong, 'killed.ipynb', "import os\nw = opened('detector', 'pil')\nw", 'print(os.getpid())'), np.random.default_rng(0)
    p, path, under_way = Page(nb), wrong/'corrections.jsonl', 0
    for kill in range(int(os.environ.get('EAR_LAZY_KILLS', 10))):
        if kill:
            dialog = nb.page.locator('.jp-Dialog .jp-mod-accept')
            if dialog.count(): dialog.first.click()
            nb.page.evaluate('jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()')
            nb.run(0, 120)
        nb.run(1)
        pid = int(nb.run(2))
        p.open(0)
        nb.page.evaluate(WATCH)
        journal = Journal(path)
        before, saves = len(journal.lines), 0
        if kill: # undo goes on where the last kernel was killed
            p.press('Control+z')
            saves += 1
            nb.page.wait_for_function('n => window.saves === n', arg=saves, timeout=60_000)
            journal.refresh()
            assert [*journal.lines.values()][-1].op == 'undo'
        for _ in range(rng.integers(1, 4)):
            an_action(p, rng)()
            saves += 1
            nb.page.wait_for_function('n => window.saves === n', arg=saves, timeout=60_000)
            assert nb.page.locator('.eal-failed').inner_text() == ''
        act = an_action(p, rng)
        killer = Timer(rng.uniform(0, .04), os.kill, (pid, 9))
        killer.start()
        act()
        killer.join()
        nb.page.wait_for_timeout(300)
        said = nb.page.evaluate('window.saves')
        journal = Journal(path)
        assert before + said <= len(journal.lines) <= before + said + 1 and said - saves in (0, 1), 'all that the page called saved is there'
        assert len(journal.faults) <= 1 and all(i == len(path.read_bytes().splitlines()) for i, _ in journal.faults), 'at most the end of the file is half a line'
        under_way += len(journal.lines) - before - saves
    print(f'of {kill + 1} actions under way {under_way} were saved')
    Corrections(path)


def shown(p): return sorted(tuple(o) for o in p.page.eval_on_selector_all('.eal-over .eal-object .eal-tool-box > .eal-line', "all => all.map(o => ['x', 'y', 'width', 'height'].map(a => +o.getAttribute(a)))"))


def both_see(a, b, seconds=15):
    for _ in range(10 * seconds):
        if shown(a) == shown(b): return True
        a.page.wait_for_timeout(100)
    raise AssertionError(f'{shown(a)} and {shown(b)}')


def test_two_notebooks_lose_nothing_of_each_other(lab, tab, wrong):
    both = []
    for name in 'ab':
        nb = notebook(tab(), lab, wrong, f'{name}.ipynb', "opened('detector', 'pil')")
        nb.start(1)
        both.append(Page(nb))
        both[-1].open(0)
        both[-1].page.evaluate(WATCH)
    a, b = both
    path = wrong/'corrections.jsonl'

    def lines(): return len(Journal(path).lines)

    def pull(p, i, by): # an object by its list; it is let go later
        p.page.locator('.eal-objects button').nth(i).click()
        middle = middle_of_chosen(p)
        p.page.mouse.move(*p.at(middle))
        p.page.mouse.down()
        p.page.mouse.move(*p.at(middle + by), steps=2)
        return p.page.mouse.up

    # Each has objects of its own, and both write at once.
    for _ in range(6):
        release = [pull(a, 0, (6, 4)), pull(b, 1, (-5, 6))]
        for o in release: o()
    for p in both:
        p.page.wait_for_function('() => window.saves > 0')
        p.saved()
    assert lines() == 12
    assert both_see(a, b), 'nothing is lost, and each sees what the other did'

    # Both have the same object in hand: who comes later is told, sees what the other did, and can do it again.
    refused = 0
    for first, later in ((a, b), (b, a)):
        release, release_later = pull(first, 2, (-4, -3)), pull(later, 2, (3, -5))
        saves = first.page.evaluate('window.saves')
        release()
        first.page.wait_for_function('n => window.saves > n', arg=saves)
        before = lines()
        release_later()
        later.page.wait_for_function("() => document.querySelector('.eal-saved').textContent !== 'saving…'")
        words = later.page.locator('.eal-failed').inner_text()
        assert lines() - before == (not words) and ('somebody else has changed it meanwhile' in words or not words)
        refused += bool(words)
        assert both_see(a, b)
        if words: pull(later, 2, (1, 8))()
        later.page.wait_for_function("() => !document.querySelector('.eal-failed').textContent && document.querySelector('.eal-saved').textContent.startsWith('saved ')")
        assert both_see(a, b)
    assert refused, 'unless the news comes just before, of which there is a chance of one in a hundred'

    # At the very same time: one is refused, or both values are shown, and somebody settles it.
    for _ in range(3):
        before = lines()
        release = [pull(a, 2, (-4, -3)), pull(b, 2, (3, -5))]
        for o in release: o()
        for p in both: p.page.wait_for_function("() => document.querySelector('.eal-saved').textContent !== 'saving…'")
        told, conflicts = [o.page.locator('.eal-failed').inner_text() for o in both], Corrections(path).conflicts()
        assert lines() - before == 2 - sum(map(bool, told))
        assert both_see(a, b)
        if not conflicts: continue
        for p in both: p.page.wait_for_selector('.eal-is-conflict .eal-option >> nth=0', state='attached', timeout=20_000)
        a.page.locator('.eal-conflict button').first.click()
        for p in both: p.page.wait_for_selector('.eal-is-conflict', state='detached', timeout=20_000)
        assert both_see(a, b) and not Corrections(path).conflicts()
        break
    assert not Journal(path).faults


def merged_conflict(path):
    "What a union of two journals may hold: another line after the one that the last change follows"
    *_, last = (o for o in Journal(path).lines.values() if o.op == 'set' and o.now.box)
    x, y, w, h = last.now.box
    Journal(path).append([new_line('set', last.photo, was=last.was, now=Stated(box=(x + 11, y + 7, w, h)), after=last.after, by='another')])
    return last


def test_a_conflict_is_shown_to_both_and_settled_by_one(lab, tab, wrong):
    both, path = [], wrong/'corrections.jsonl'
    for name in 'cd':
        nb = notebook(tab(), lab, wrong, f'{name}.ipynb', "opened('detector', 'pil')")
        nb.start(1)
        both.append(Page(nb))
        both[-1].open(0)
    a, b = both
    a.press('Tab', 'Shift+ArrowRight', 'Tab')
    a.saved()
    both_see(a, b)
    last = merged_conflict(path)
    for p in both:
        p.page.wait_for_selector('.eal-is-conflict .eal-option >> nth=0', state='attached', timeout=20_000)
        p.press('Shift+Tab') if p is a else p.press('Tab')
        assert p.page.locator('.eal-conflict button').count() == 2 and '1 in conflict' in p.page.locator('.eal-status').inner_text()
    b.page.locator('.eal-conflict button').nth(1).click()
    for p in both: p.page.wait_for_selector('.eal-is-conflict', state='detached', timeout=20_000)
    assert both_see(a, b) and not Corrections(path).conflicts()
    settled = [*Journal(path).lines.values()][-1]
    assert last.id in settled.after and len(settled.after) == 2 and settled.now.box in [tuple(o) for o in shown(a)]


def bound_keys(page):
    "All keys that the page lists"
    page.keyboard.press('?')
    texts = page.locator('.eal-dialog kbd').all_inner_texts()
    page.keyboard.press('Escape')
    names = {'Ctrl': 'Control', **{o: f'Arrow{o}' for o in ('Left', 'Right', 'Up', 'Down')}}
    return ['+'.join(names.get(o, o) for o in (key.split(' + ') if key != '+' else ['+'])) for key in dict.fromkeys(texts)]


def test_no_key_of_editing_reaches_the_notebook(lab, tab, wrong):
    nb = notebook(tab(), lab, wrong, 'keys.ipynb', "opened('detector', 'pil')", '"third"')
    nb.start(1)
    p, page = Page(nb), nb.page
    def cells(): return page.evaluate("() => { const o = jupyterapp.shell.currentWidget.content.model.toJSON(); return o.cells.map(c => [c.cell_type, c.source, c.execution_count ?? null]) }")
    p.open(0)
    before, keys = cells(), bound_keys(page)
    assert len(keys) > 60
    focus = "() => document.activeElement.closest('.jp-Cell') && document.activeElement.closest('.eal') ? '' : document.activeElement.outerHTML.slice(0, 200)"
    for chosen in (False, True):
        for key in keys:
            if not page.locator('.eal-full').is_visible(): p.open(page.evaluate("() => +document.querySelector('.eal-cell.eal-current').dataset.row"))
            page.locator('.eal-stage').focus()
            if chosen and not page.locator('.eal-chosen').count(): page.keyboard.press('Tab')
            page.keyboard.press(key)
            assert page.evaluate(focus) == '', f'after {key} the notebook has the focus'
            if page.locator('.eal-dialog[open]').count(): page.keyboard.press('Escape')
            if key.lower() != 'e': continue
            page.wait_for_selector('.eal-stage:not([aria-busy])')
            if page.locator('.eal-full').is_visible() and page.locator('.eal-stage').get_attribute('role') == 'img':
                page.locator('.eal-stage').focus()
                page.keyboard.press('e') # editing again
                p.there()
    page.wait_for_timeout(300)
    after = cells()
    assert [o[:2] for o in after] == [o[:2] for o in before] and after[2] == before[2]


def test_how_editing_looks(lab, tab, tmp_path):
    "In the light and the dark theme, at 125 % and 700 pixels wide; EAR_LAZY_SHOTS names a folder for pictures of it"
    shots = os.environ.get('EAR_LAZY_SHOTS')
    for make in (write_coco, write_pts):
        folder = tmp_path/'raw'/make.__name__[6:]
        folder.mkdir(parents=True)
        make(folder)
    processed(tmp_path/'raw', tmp_path/'out')
    page = tab(device_scale_factor=1.25)
    nb = notebook(page, lab, tmp_path, 'looks.ipynb', "opened('detector', 'pil')", "opened('landmarker', 'pil')")
    p = Page(nb)
    nb.start(1)
    p.open(0)
    p.press('Tab', 'Shift+ArrowRight', 'Tab', '2', 'Tab')
    p.saved()
    merged_conflict(tmp_path/'corrections.jsonl')
    page.wait_for_selector('.eal-is-conflict .eal-option >> nth=0', state='attached', timeout=20_000)

    def look(name):
        page.wait_for_timeout(200)
        assert page.evaluate("() => { const o = document.querySelector('.eal'); return o.scrollWidth - o.clientWidth }") <= 0, f'{name}: nothing sticks out'
        if shots: page.locator('.eal').screenshot(path=f'{shots}/lab_{name}.png')

    def all_of_it(theme):
        p.open(0) if not page.locator('.eal-full').is_visible() else None
        page.locator('.eal-stage').focus()
        look(f'{theme}_boxes')
        page.locator('.eal-objects .eal-is-conflict').click()
        look(f'{theme}_conflict')
        page.locator('.eal-stage').focus()
        for _ in range(2): page.keyboard.press('Escape')
        page.wait_for_selector('.eal-cell.eal-loaded')
        page.wait_for_function("() => [...document.querySelectorAll('.eal-cell')].every(o => o.classList.contains('eal-loaded'))")
        look(f'{theme}_grid')

    def theme(name): page.evaluate(f"jupyterapp.commands.execute('apputils:change-theme', {{ theme: 'JupyterLab {name}' }})"); page.wait_for_timeout(500)

    all_of_it('light')
    page.set_viewport_size({'width': 700, 'height': 1000})
    all_of_it('narrow')
    page.set_viewport_size({'width': 1280, 'height': 1000})
    theme('Dark')
    all_of_it('dark')
    page.evaluate("jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    nb.start(2)
    p.open(1)
    p.press('Tab', '.')
    look('dark_points')
    theme('Light')
    look('light_points')
    page.set_viewport_size({'width': 700, 'height': 1000})
    look('narrow_points')
