"Copies of photos under names of their own: reported where they are split, and kept together where asked"
import numpy as np
import pytest
from making import contents, opened, process, reasons, text
from test_duplicates import augmented, jpeg, photo

from ear_lazy.errors import ProblemError

CSV = 'image_path,x1,y1,w,h\n'
KINDS = 'detector', 'teacher'


def write(raw, numbers):
    "Photos and three augmented copies of each, all with names that say nothing"
    (raw/'ears').mkdir(parents=True, exist_ok=True)
    lines = []
    for n in numbers:
        rng, picture = np.random.default_rng(n), photo(n)
        for i, copy in enumerate([picture, *(augmented(picture, rng) for _ in range(3))]):
            name = f'{(n * 4 + i) * 7919 % 1_000_003:06}.jpg'
            (raw/'ears'/name).write_bytes(jpeg(copy, rng.integers(50, 95).item()))
            lines.append(f'{name},1,1,20,20\n')
    text(raw/'ears/boxes.csv', CSV + ''.join(lines))


def sides(out):
    return {md.image_path(i): md.split for kind in KINDS for md in opened(out, kind) for i in range(len(md))}


def number(path): return int(path[5:11])


def photos_on_both_sides(out, photos):
    side = {number(path): split for path, split in sides(out).items()}
    return sum(len({side[(n * 4 + i) * 7919 % 1_000_003] for i in range(4)}) > 1 for n in photos)


@pytest.mark.parametrize('n', [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_photos_and_their_copies(tmp_path, n):
    "0 across the split, and 10 % new photos move none"
    raw, out = tmp_path/'raw', tmp_path/'out'
    write(raw, range(n))
    alone = process(raw, tmp_path/'alone', KINDS)
    assert alone.copies == {} and photos_on_both_sides(tmp_path/'alone', range(n)) > 0.3*n, 'names do not tell'
    report = process(raw, out, KINDS, keep_together=True, num_workers=2)
    assert photos_on_both_sides(out, range(n)) == 0
    assert report.copies['split'] == 0 and report.copies['similar'] >= 3*n and reasons(report) == []
    before = sides(out)
    assert 0.72 < sum(o == 'train' for o in before.values()) / (4*n) < 0.88
    write(raw, range(n + n // 10))
    process(raw, out, KINDS, keep_together=True)
    after = sides(out)
    assert photos_on_both_sides(out, range(n + n // 10)) == 0 and len(after) == 4*(n + n // 10)
    assert {p for p, side in before.items() if after[p] != side} == set()


def test_copies_that_are_split_are_told(tmp_path):
    raw = tmp_path/'raw'
    write(raw, range(30))
    first = raw/'ears'/f'{0:06}.jpg'
    for i in range(12): (raw/f'ears/same{i}.jpg').write_bytes(first.read_bytes())
    with open(raw/'ears/boxes.csv', 'a') as f: f.writelines(f'same{i}.jpg,1,1,20,20\n' for i in range(12))
    report = process(raw, tmp_path/'out', check_duplicates=True)
    told = report.problems.where(reason='split_copy')
    assert len(told) == len(report.problems) == report.copies['split'] > 10 and report.copies['exact'] == 12
    assert {p.action for p in told} == {'kept'} and any('the same file' in p.detail for p in told) and any('of 64 bits' in p.detail for p in told)
    side = sides(tmp_path/'out')
    for p in told: assert side[p.image] != side[p.detail.partition(' (')[0]]
    assert contents(tmp_path/'out')['train_detector.npy'] == (process(raw, tmp_path/'plain'), contents(tmp_path/'plain'))[1]['train_detector.npy']
    again = process(raw, tmp_path/'out', check_duplicates=True)
    assert again.unchanged == ['ears'] and again.copies == report.copies and again.problems == report.problems
    with pytest.raises(ProblemError, match='on the other side'): process(raw, tmp_path/'strict', check_duplicates=True, strict=True)
    assert not (tmp_path/'strict').exists()
    assert process(raw, tmp_path/'strict', keep_together=True, strict=True).copies['split'] == 0


def test_same_bytes_for_any_number_of_workers(tmp_path):
    write(tmp_path/'raw', range(40))
    process(tmp_path/'raw', tmp_path/'one', keep_together=True)
    process(tmp_path/'raw', tmp_path/'two', keep_together=True, num_workers=3, batch_size=7)
    assert contents(tmp_path/'one') == contents(tmp_path/'two')
