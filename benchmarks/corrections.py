#!/usr/bin/env python3
"""What a run with new corrections costs, beside one in which nothing has changed: `python benchmarks/corrections.py [--photos 118000] [--lines 100]`

The raw data is a COCO file of as many photos as COCO has, each with a few boxes and a set of keypoints; the photos are links to one small file. Beside each
other stand a run that finds everything as it was and writes nothing, one that writes all files again for another `train_split`, and one with new corrections.
The goal is 1.3 × a run in which nothing has changed but what is asked for. Medians of some runs in one process, also
of the seconds of processors, which count on a machine that does other things.
"""
import argparse
import json
import os
import random
import tempfile
import time
from pathlib import Path
from statistics import median

from PIL import Image

from ear_lazy.base.origin import Origin
from ear_lazy.correcting.journal import Journal, Stated, new_line, photo_of
from ear_lazy.data_processor import DataProcessor

SIZE = 480, 640 # height, width


def make(raw, photos, rng):
    "A COCO file and its photos; returns (path, id, box) of some of the boxes"
    (raw/'coco/images').mkdir(parents=True)
    Image.new('RGB', SIZE[::-1]).save(raw/'photo.png')
    images, annotations = [], []
    for i in range(photos):
        name = f'images/{i:012}.png'
        os.link(raw/'photo.png', raw/'coco'/name)
        images.append(dict(id=i, file_name=name, height=SIZE[0], width=SIZE[1]))
        for _ in range(rng.randint(1, 12)):
            box = [rng.randint(0, 500), rng.randint(0, 300), rng.randint(10, 130), rng.randint(10, 170)]
            annotations.append(dict(id=len(annotations), image_id=i, category_id=1 + len(annotations) % 5, bbox=box))
        x, y, w, h = annotations[-1]['bbox']
        annotations[-1]['keypoints'] = [o for k in range(17) for o in (x + w*k//17, y + h*k//17, 2)]
    (raw/'photo.png').unlink()
    categories = [dict(id=1 + k, name=f'class {k}') for k in range(5)]
    (raw/'coco/instances.json').write_text(json.dumps(dict(images=images, annotations=annotations, categories=categories)))
    return [(images[o['image_id']]['file_name'], o['id'], tuple(map(float, o['bbox']))) for o in rng.sample(annotations, len(annotations)//10)]


def correct(raw, journal, objects, n):
    "Append n lines, each of another box"
    lines = []
    for _ in range(n):
        name, number, box = objects.pop()
        photo = photo_of(raw/'coco'/name, f'coco/{name}', SIZE)
        was = Stated((Origin('coco/instances.json', f'id {number}'),), box)
        lines.append(new_line('set', photo, was, Stated(box=(box[0] + 1, *box[1:]))))
    journal.append(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--photos', type=int, default=118_000)
    parser.add_argument('--lines', type=int, default=100)
    parser.add_argument('--runs', type=int, default=5)
    parser.add_argument('--under', default='/dev/shm' if os.path.isdir('/dev/shm') else None, help='where to make the data')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.under) as tmp:
        raw, out, rng = Path(tmp, 'raw'), Path(tmp, 'out'), random.Random(0)
        objects, journal, found = make(raw, args.photos, rng), Journal(Path(tmp, 'corrections.jsonl')), {}
        def run(name, train_split=.8):
            start, cpu = time.perf_counter(), sum(os.times()[:4])
            report = DataProcessor(raw, out, num_workers=2, progress=False).process_all(train_split)
            found.setdefault(name, []).append((time.perf_counter() - start, sum(os.times()[:4]) - cpu))
            return report
        run('first')
        for i in range(args.runs):
            assert run('nothing changed').is_of_last_run
            assert run('other split', .8 + (i + 1)/100).unchanged == ['coco']
            run('back', .8)
            correct(raw, journal, objects, args.lines)
            report = run('new corrections')
            assert report.unchanged == ['coco'] and report.sources['coco'].boxes.corrected == (i + 1)*args.lines
        for name, times in found.items(): print(f'{name:18} {median(o for o, _ in times):6.2f} s, of which {median(o for _, o in times):6.2f} s of work')


if __name__ == '__main__': main()
