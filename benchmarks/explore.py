"""How quick the explorer and the statistics are, in a JupyterLab of its own: `python benchmarks/explore.py`

Prints each figure beside what it has to reach. Needs `pip install -e '.[dev]'` and Chromium, as `tests/browser` does, whose
JupyterLab this starts. A figure says something only on a machine that does nothing else, so its load is told first.
"""
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent/'tests'/'browser'))
from conftest import CHROMIUM, FLAGS
from lab import Lab, Notebook
from playwright.sync_api import sync_playwright
from table import amount

from ear_lazy.data_processor import DataProcessor
from ear_lazy.explorer import explore
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.metadata.table import Table, image_batch
from ear_lazy.metadata.views import Numbers, view_of
from ear_lazy.metadata.writing import Plan, write_metadata

MILLION, KEYPOINTS = 1_000_000, 55
PHOTOS, SIZE = 300, (1280, 960)
OPEN = """import numpy as np
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.explorer import explore
some = LazyNPYDataset({path!r})
ds = some[np.arange(10_000) % len(some)]"""

# Notes when the first cell of the grid, the first thumbnail and the whole screen are there.
WATCH = """() => {
  window.times = {}
  const look = () => {
    const cells = [...document.querySelectorAll('.eal-cell')], loaded = cells.filter(o => o.classList.contains('eal-loaded'))
    if (cells.length) times.grid ??= performance.now()
    if (loaded.length) times.first ??= performance.now()
    if (cells.length && loaded.length === cells.length) times.all ??= performance.now()
    if (!times.all) requestAnimationFrame(look)
  }
  look()
}"""

# Scrolls for two seconds, a little in each frame: gives frames a second, and the longest frame in ms.
SCROLL = """async () => {
  const scroller = document.querySelector('.eal-scroll'), frames = [], start = performance.now()
  let last = start
  while (last - start < 2000) {
    const now = await new Promise(requestAnimationFrame)
    frames.push(now - last)
    last = now
    scroller.scrollTop += 30
  }
  return [1000 * frames.length / (last - start), Math.max(...frames)]
}"""

# Jumps to a place: gives the ms until all that is on the screen there is loaded.
JUMP = """async top => {
  const start = performance.now(), scroller = document.querySelector('.eal-scroll')
  scroller.scrollTop = top
  await new Promise(requestAnimationFrame)
  await new Promise(requestAnimationFrame)
  while (![...document.querySelectorAll('.eal-cell')].every(o => o.classList.contains('eal-loaded'))) await new Promise(requestAnimationFrame)
  return performance.now() - start
}"""


def write_photos(folder):
    "Photos with soft shapes and grain, and from none to two boxes in each"
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    grain, images, annotations = rng.normal(0, 8, (SIZE[1], SIZE[0], 1)), [], []
    for i in range(PHOTOS):
        coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8)).resize(SIZE, Image.Resampling.BICUBIC)
        photo = np.clip(np.asarray(coarse) + np.roll(grain, i, (0, 1)), 0, 255).astype(np.uint8)
        Image.fromarray(photo).save(folder/f'{i:04}.jpg', quality=85)
        images.append({'id': i, 'file_name': f'{i:04}.jpg', 'width': SIZE[0], 'height': SIZE[1]})
        for _ in range(i % 3):
            annotations.append({'id': len(annotations), 'image_id': i, 'category_id': 1, 'bbox': [*rng.uniform(50, 600, 2), *rng.uniform(30, 300, 2)]})
    coco = {'images': images, 'annotations': annotations, 'categories': [{'id': 1, 'name': 'ear'}]}
    (folder/'_annotations.coco.json').write_text(json.dumps(coco))


def line(what, value, unit, limit, most=True):
    reached = 'yes' if (value <= limit) == most or value == limit else 'NO'
    print(f"{what:52} {amount(value, unit):>12}   {'≤' if most else '≥'} {amount(limit, unit):>9}   {reached}", flush=True)


def timed(function, *args):
    start = time.perf_counter()
    function(*args)
    return time.perf_counter() - start


def in_the_browser(lab, browser, path):
    "Figures of the page"
    page = browser.new_page(viewport={'width': 1280, 'height': 900})
    nb = Notebook(page, lab, 'explore.ipynb', OPEN.format(path=str(path)), 'w = explore(ds)\nw', 'w.static(24)')
    nb.run(0)
    empty = nb.save() and nb.path.stat().st_size
    page.evaluate(WATCH)
    start = page.evaluate('performance.now()')
    nb.start(1)
    page.wait_for_function('times.all')
    times = page.evaluate('times')
    line('from the run of the cell to a full screen', (times['all'] - start) / 1000, 's', 1.5)
    line('from render to the first thumbnails', times['first'] - times['grid'], 'ms', 300)
    line('cells in the document', page.locator('.eal-cell').count(), '', 60)
    frames, worst = page.evaluate(SCROLL)
    line(f'scrolling (longest frame {worst:.0f} ms)', frames, 'frames/s', 50, most=False)
    height = page.evaluate("document.querySelector('.eal-scroll').scrollHeight - 600")
    jumps = [page.evaluate(JUMP, float(o)) for o in np.random.default_rng(0).uniform(0, height, 20)]
    line('a jump, 19 of 20 (p95)', float(np.quantile(jumps, .95)), 'ms', 500)
    line('the saved notebook grows by', (nb.save() and nb.path.stat().st_size) - empty, 'bytes', 4096)
    nb.run(2)
    line('and with a static picture of 24 by', (nb.save() and nb.path.stat().st_size) - empty, 'bytes', 80_000)
    page.close()


def in_python(some):
    "Figures of questions and answers"
    w = explore(some[np.arange(10_000) % len(some)])
    sizes = []
    w.send = lambda content, buffers=(): sizes.append((len(json.dumps(content)) + sum(map(len, buffers))))
    w._answer({'type': 'tiles', 'id': 0, 'rows': [*range(PHOTOS)]})
    line('bytes of a thumbnail with its marks, on average', sizes.pop() / PHOTOS, 'bytes', 4096)
    queries = [dict(sort=o, descending=down) for o in w.sort_columns for down in (False, True)]
    queries += [dict(text='12'), dict(boxes=[1, None]), dict(size=[50, 100]), dict(aspect=[1, 2])]
    spent = {json.dumps(o): timed(setattr, w, 'query', o) for o in queries}
    worst = max(spent, key=spent.get)
    line(f'filter or order 10,000 rows, slowest: {worst[:24]}', 1000 * spent[worst], 'ms', 100)
    line('a million rows are there', timed(lambda: explore(some[np.arange(MILLION) % len(some)])), 's', 1)


def write_million(folder, kind):
    "Metadata of a million rows, in no order, without images"
    rng = np.random.default_rng(0)
    counts = {'detector': rng.integers(0, 4, MILLION), 'teacher': np.ones(MILLION, int), 'landmarker': np.full(MILLION, KEYPOINTS)}[kind]
    m = counts.sum()
    if kind == 'landmarker': values = {'keypoints': np.concatenate([300*rng.random((m, 2), np.float32), rng.integers(0, 3, (m, 1), np.int8)], 1)}
    else: values = {'bboxes': rng.uniform(20, 150, (m, 4)), 'labels': rng.integers(0, 2, m)}
    names = [f'detector/photos/train/{o:08}.jpg' for o in rng.permutation(MILLION)]
    objects = dict(points=values['keypoints'], point_counts=counts) if kind == 'landmarker' else dict(boxes=values['bboxes'], labels=values['labels'])
    table = Table(folder/f'{kind}_table')
    table.append(image_batch(names, np.ones(MILLION, int) if kind == 'landmarker' else counts, sizes=np.full((MILLION, 2), [300, 600]), **objects))
    table.close()
    write_metadata(folder/f'{kind}.npy', [view_of(table, kind, Numbers(0, np.arange(2)))], Plan(kind, 'train', 'raw', ['photos'], ['', 'ear']))
    return LazyNPYDataset(folder/f'{kind}.npy')


def of_a_million(folder):
    "Figures of statistics and sorting"
    for kind in ('detector', 'teacher', 'landmarker'):
        ds = write_million(folder, kind)
        line(f'statistics of a million rows: {kind}', timed(ds.stats), 's', 2)
        w = explore(ds)
        w.send = lambda *_: None
        line('   put in the order of their files, for the first time', timed(w.sort_by, 'file'), 's', 1)


def main():
    print(f'{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}')
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as p:
        folder = Path(folder)
        write_photos(folder/'raw'/'detector'/'photos')
        DataProcessor(folder/'raw', folder/'out', progress=False).process(('detector',), 1.)
        path = folder/'out'/'train_detector.npy'
        in_python(LazyNPYDataset(path))
        of_a_million(folder)
        (folder/'lab').mkdir()
        lab, browser = Lab(folder/'lab'), p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try: in_the_browser(lab, browser, path)
        finally:
            browser.close()
            lab.stop()


if __name__ == '__main__': main()
