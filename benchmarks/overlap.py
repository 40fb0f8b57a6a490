"""Does moving batches to an accelerator overlap with computing on it?

    python benchmarks/overlap.py

Loads the same batches in four ways and prints their times. `pageable` copies each batch from ordinary memory and waits, `pinned` copies from pinned memory and waits,
and `overlapped` copies the next batch from pinned memory on a stream of its own while the current one is multiplied. `compute` multiplies without copying anything.
Needs CUDA; without it, one line says so. Takes under a minute.
"""
import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader

sys.path.insert(0, str(Path(__file__).parent.parent))
from ear_lazy.data_processor import DataProcessor  # noqa: E402
from ear_lazy.lazy_dataset import LazyNPYDataset  # noqa: E402

SIZE = 512 # pixels, height and width


def make(folder, images):
    "A detector file over a few pictures, one box each"
    rng, place = np.random.default_rng(0), folder/'raw/detector/noise'
    place.mkdir(parents=True)
    lines = ['image_path,x1,y1,w,h']
    for i in range(images):
        small = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(small).resize((SIZE, SIZE), Image.Resampling.BICUBIC).save(place/f'{i}.jpg', quality=90)
        lines.append(f'{i}.jpg,10,10,100,100')
    (place/'annotations.csv').write_text('\n'.join(lines) + '\n')
    DataProcessor(folder/'raw', folder/'out', num_workers=0, progress=False).process_detector(train_split=1.)
    return folder/'out/train_detector.npy'


def batches(npy, size, pinned):
    "Batches of a loader, all of them decoded before anything is timed"
    loader = DataLoader(LazyNPYDataset(npy, image_size=(SIZE, SIZE)), size, num_workers=2, pin_memory=pinned, drop_last=True)
    return [batch['image'] for batch in loader]


def multiply(images, weights, rounds):
    "Work on a batch that starts from its bytes"
    x = weights + images.flatten()[0].to(weights.dtype) * 1e-9
    for _ in range(rounds): x = x @ weights
    return x


def one_by_one(found, work, device):
    "Copy, compute, wait; then the next"
    for images in found:
        work(images.to(device))
        torch.cuda.synchronize()


def overlapped(found, work, device):
    "Copy the next batch while computing on this one"
    side, here = torch.cuda.Stream(), torch.cuda.current_stream()
    def start(images):
        with torch.cuda.stream(side): return images.to(device, non_blocking=True)
    ahead = start(found[0])
    for following in [*found[1:], None]:
        here.wait_stream(side)
        images = ahead
        images.record_stream(here) # its memory is not given away while this stream still reads it
        if following is not None: ahead = start(following)
        work(images)
    torch.cuda.synchronize()


def seconds(run):
    "Median of five, after one to warm up"
    run()
    torch.cuda.synchronize()
    times = []
    for _ in range(5):
        start = time.perf_counter()
        run()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return median(times)


def balanced(images, weights, device):
    "Rounds of multiplication that take about as long as copying a pinned batch, so that there is something to hide"
    copy = seconds(lambda: images.to(device))
    on_device = images.to(device)
    work = seconds(lambda: multiply(on_device, weights, 10)) / 10
    return max(1, round(copy / work))


def measure(images, size):
    "Seconds of each way"
    device, result = torch.device('cuda'), {}
    weights = torch.randn(2048, 2048, device=device, dtype=torch.float16) / 2048**.5
    with tempfile.TemporaryDirectory() as folder:
        npy = make(Path(folder), images)
        ordinary, pinned = batches(npy, size, False), batches(npy, size, True)
    assert all(o.is_pinned() for o in pinned) and not any(o.is_pinned() for o in ordinary)
    rounds = balanced(pinned[0], weights, device)
    def work(found): return multiply(found, weights, rounds)
    there = ordinary[0].to(device)
    result['compute'] = seconds(lambda: [work(there) for _ in ordinary])
    result['pageable'] = seconds(lambda: one_by_one(ordinary, work, device))
    result['pinned'] = seconds(lambda: one_by_one(pinned, work, device))
    result['overlapped'] = seconds(lambda: overlapped(pinned, work, device))
    return result, len(ordinary), ordinary[0].nbytes, rounds


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--images', type=int, default=512)
    parser.add_argument('--batch-size', type=int, default=64)
    args = parser.parse_args()
    if not torch.cuda.is_available(): return print('skipped: there is no CUDA device to copy to')
    result, n, size, rounds = measure(args.images, args.batch_size)
    print(f'{torch.cuda.get_device_name()}, torch {torch.__version__}: {n} batches of {size/1e6:.0f} MB, {rounds} products of 2048 × 2048 each; medians of 5')
    for name, value in result.items(): print(f'{name:10} {value*1000:8.1f} ms')
    hidden = (result['pinned'] - result['overlapped']) / (result['pinned'] - result['compute'])
    print(f"overlapped takes {result['overlapped']/result['pageable']:.2f} of pageable and {result['overlapped']/result['pinned']:.2f} of pinned; {hidden:.0%} of the copying is hidden")


if __name__ == '__main__': main()
