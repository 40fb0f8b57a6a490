"How much memory the client of a cluster needs for how many rows, where workers write by themselves; see `nbs/tutorials/scale_out.ipynb`"
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from data import some_boxes, write_pictures

A_DATASET, BOXES = 100_000, 10 # rows of a raw dataset, boxes in an image
CLASSES = 80


def make_dataset(folder, n, count):
    "A table; its images are links to one file"
    names = [f'images/{i // 1000:02d}/{n:04d}_{i:06d}.jpg' for i in range(-(-count // BOXES))]
    write_pictures(folder, names, links=True)
    boxes = some_boxes(np.random.default_rng(n), count) / 100
    lines = (f'{names[i // BOXES]},{x},{y},{w},{h},class {i % CLASSES}' for i, (x, y, w, h) in enumerate(boxes.tolist()))
    (folder/'boxes.csv').write_text('image_path,x1,y1,w,h,label\n' + '\n'.join(lines) + '\n')


def make_raw(folder, rows):
    "As many raw datasets as it takes"
    counts = [min(A_DATASET, rows - first) for first in range(0, rows, A_DATASET)]
    with ProcessPoolExecutor() as pool: list(pool.map(make_dataset, [folder/f'part_{n:04d}' for n in range(len(counts))], range(len(counts)), counts))


class Cluster:
    "A scheduler and workers, each a process of its own on 127.0.0.1"
    def __init__(self, folder, workers):
        file = str(folder/'scheduler.json')
        def start(module, *args):
            command = [sys.executable, '-m', f'distributed.cli.{module}', '--scheduler-file', file, '--host', '127.0.0.1', '--no-dashboard', *args]
            return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.file = file
        self.processes = [start('dask_scheduler', '--port', '0')]
        self.processes += [start('dask_worker', '--no-nanny', '--nthreads', '1', '--local-directory', str(folder)) for _ in range(workers)]

    def __enter__(self): return self.file

    def __exit__(self, *_):
        for p in self.processes: p.kill()
        for p in self.processes: p.wait()


def peak_mb():
    "Of this process, in MB; `getrusage` would tell of the one that started it"
    return int(re.search(r'VmHWM:\s+(\d+)', Path('/proc/self/status').read_text())[1]) / 2**10


def be_client(folder, scheduler, workers, shared):
    "Process in this process's name, and print what it took"
    from distributed import Client

    from ear_lazy.data_processor import DataProcessor
    with Client(scheduler_file=scheduler, timeout=60) as client:
        client.wait_for_workers(workers, timeout=120)
        before, start = peak_mb(), time.perf_counter()
        executor = client.get_executor()
        processor = DataProcessor(folder/'raw', folder/'out', num_workers=workers, executor=executor, shared_storage=shared, progress=False)
        report = processor.process_all()
        seconds = time.perf_counter() - start
    rows = {o.kind: 0 for o in report.outputs}
    for o in report.outputs: rows[o.kind] += o.rows
    print(json.dumps(dict(rows=rows, shared=shared, seconds=round(seconds, 1), mb_before=round(before, 1), mb_peak=round(peak_mb(), 1))))


def measure(folder, rows, workers, shared=True):
    "Make data, process it in a cluster of its own, and clear all away"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        make_raw(folder/'raw', rows)
        with Cluster(folder, workers) as scheduler:
            command = [sys.executable, __file__, '--client', scheduler, '--folder', str(folder), '--workers', str(workers), *['--sent'] * (not shared)]
            return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.splitlines()[-1])
    finally: shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rows', type=int, nargs='+', default=[2_000_000, 20_000_000], help='rows of teacher files (%(default)s)')
    parser.add_argument('--workers', type=int, default=min(os.cpu_count(), 8), help='worker processes (%(default)s)')
    parser.add_argument('--folder', type=Path, required=True, help='for the data, 0.4 kB a row; it is cleared before and after')
    parser.add_argument('--sent', action='store_true', help='without shared_storage: the client gets the columns and writes')
    parser.add_argument('--client', help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.client: return be_client(args.folder, args.client, args.workers, not args.sent)
    for rows in args.rows: print(json.dumps(measure(args.folder, rows, args.workers, not args.sent)), flush=True)


if __name__ == '__main__': main()
