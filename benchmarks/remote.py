"""Images in a bucket against the same images on disk: python benchmarks/remote.py

The server is on this machine, where a user's is not. So that it takes nothing from the workers, they have processors of their own, and it has two,
or one where there are fewer than four. It gives again what moto has answered first.
"""
import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from torch.utils.data import DataLoader

sys.path.insert(0, str(Path(__file__).parent.parent / 'tests'))
from bucket import serving # noqa: E402

from ear_lazy.base import storage # noqa: E402
from ear_lazy.data_processor import DataProcessor # noqa: E402
from ear_lazy.lazy_dataset import LazyNPYDataset # noqa: E402


def write_images(folder, n, size=(768, 1024), quality=90):
    "JPEGs of about 200 KB, each with one box"
    rng, (height, width) = np.random.default_rng(0), size
    (folder / 'ears').mkdir(parents=True)
    lines = ['image,xmin,ymin,xmax,ymax,class']
    for i in range(n):
        small = Image.fromarray(rng.integers(0, 256, (height // 16, width // 16, 3), np.uint8)).resize((width, height), Image.Resampling.BICUBIC)
        noise = rng.normal(0, 4, (height, width, 1))
        Image.fromarray((np.asarray(small) + noise).clip(0, 255).astype(np.uint8)).save(folder / f'ears/{i:05}.jpg', quality=quality)
        lines.append(f'{i:05}.jpg,10,10,200,200,ear')
    (folder / 'ears/boxes.csv').write_text('\n'.join(lines))


def replayed(app):
    "What answers a request for an image as `app` did the first time, which takes moto more CPU than a worker has for the image"
    answers = {}
    def call(environ, start_response):
        key = environ['PATH_INFO'], environ.get('HTTP_RANGE')
        if environ['REQUEST_METHOD'] != 'GET' or not key[0].endswith('.jpg'): return app(environ, start_response)
        if key not in answers:
            said = []
            body = b''.join(app(environ, lambda *args: said.append(args)))
            answers[key] = said[-1], body
        (status, headers, *_), body = answers[key]
        start_response(status, headers)
        return [body]
    return call


def serve():
    "A server that runs until its input ends; its address goes to its output, and at the end the seconds of CPU that it took"
    with serving() as server:
        server._app = replayed(server._app)
        print(server.url, flush=True)
        for line in sys.stdin: server.latency, before = float(line), time.process_time()
        print(server.highest, time.process_time() - before, flush=True)


def processors():
    "Processors for the workers, and for all else; None twice where they cannot be told apart"
    mine = sorted(os.sched_getaffinity(0)) if hasattr(os, 'sched_setaffinity') else []
    n = max(1, len(mine) - 2)
    return ({*mine[:n]}, {*mine[n:]}) if len(mine) > 1 else (None, None)


def epoch(ds, batch_size, workers, where):
    "Images a second, of an epoch but for its first batch of each worker; and ms of CPU that its workers took for an image"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    loader = iter(DataLoader(ds, batch_size, shuffle=True, num_workers=workers, prefetch_factor=2,
                             worker_init_fn=lambda _: where and os.sched_setaffinity(0, where)))
    for _ in range(workers): next(loader)
    start = time.perf_counter()
    n = sum(len(o['image_path']) for o in loader)
    speed = n / (time.perf_counter() - start)
    del loader # waits for the workers
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return speed, 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / len(ds)


def main():
    p = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    p.add_argument('--images', type=int, default=512)
    p.add_argument('--batch-size', type=int, default=32)
    p.add_argument('--workers', type=int, default=2)
    p.add_argument('--latency', type=float, default=50, help='milliseconds that each answer waits (%(default)s)')
    p.add_argument('--runs', type=int, default=3)
    p.add_argument('--serve', action='store_true', help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.serve: return serve()
    with tempfile.TemporaryDirectory() as folder: measure(args, Path(folder))


def measure(args, folder):
    write_images(folder / 'raw', args.images)
    DataProcessor(folder / 'raw', folder / 'out', num_workers=2, progress=False).process_detector(1)
    sizes = [o.stat().st_size for o in (folder / 'raw').rglob('*.jpg')]
    where, elsewhere = processors()
    if elsewhere: os.sched_setaffinity(0, elsewhere)
    print(f'{args.images} images of {np.mean(sizes) / 1000:.0f} KB, {args.workers} workers, batches of {args.batch_size}, {args.latency:.0f} ms latency, {os.cpu_count()} processors, ' + (f'the workers on {len(where)} of them, the server on the other{"s" * (len(elsewhere) > 1)}' if where else 'shared with the server'))
    server = subprocess.Popen([sys.executable, __file__, '--serve'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    os.environ |= {'AWS_ENDPOINT_URL': server.stdout.readline().strip(), 'AWS_ACCESS_KEY_ID': 'testing', 'AWS_SECRET_ACCESS_KEY': 'testing',
                   'AWS_DEFAULT_REGION': 'us-east-1', 'EAR_LAZY_CACHE': str(folder / 'cache')}
    storage.filesystem('s3://bucket').put(str(folder / 'raw'), 'bucket/raw', recursive=True)
    storage.filesystem('s3://bucket').put(str(folder / 'out'), 'bucket/out', recursive=True)
    server.stdin.write(f'{args.latency / 1000}\n')
    server.stdin.flush()
    local, remote = LazyNPYDataset(folder / 'out/train_detector.npy'), LazyNPYDataset('s3://bucket/out/train_detector.npy')
    pairs = [[epoch(o, args.batch_size, args.workers, where) for o in (local, remote)] for _ in range(args.runs)]
    for name, runs in zip(('on disk', 'in a bucket'), zip(*pairs)):
        speed, cpu = map(statistics.median, zip(*runs))
        print(f'{name:12} {speed:7.1f} images/s, {cpu:.1f} ms of CPU of the workers an image')
    print(f'ratio        {statistics.median(b[0] / a[0] for a, b in pairs):7.2f}; by CPU of the workers alone, as where the server is another machine, '
          f'{statistics.median(a[1] / b[1] for a, b in pairs):.2f}')
    out, _ = server.communicate()
    highest, cpu = out.split()
    print(f'at most {highest} requests at a time; the server took {1000 * float(cpu) / (args.images * args.runs):.1f} ms of CPU an image')


if __name__ == '__main__': main()
