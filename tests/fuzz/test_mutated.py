"Every reader on files with faults: numbers, words, lines and bytes that are others, or are missing; alone, and a file of each in one run"
import gzip
import random
import re
from zlib import crc32

import pytest
from damaging import check_reader, mutated, quickly
from making import assert_accounted, image, process, text
from targets import IMAGES, seeds

from ear_lazy.formats.discover import discover
from ear_lazy.formats.shared.companions import is_companion
from ear_lazy.formats.shared.registry import readers
from ear_lazy.formats.shared.tree import Tree, image_stems

PLACES = {'mot': 'gt/'}
SOUND = {} # reader to (name, content) of files that it reads
for format, file in seeds():
    if format in readers() and not file.name.startswith('found'): SOUND.setdefault(format, []).append((PLACES.get(format, '') + file.name.partition('-')[2], file.read_bytes()))


def with_faults(format, data, rng):
    "A file with faults; of a packed one as often with those of what is in it"
    if format == 'gz' and rng.randrange(2): return gzip.compress(mutated(gzip.decompress(data), rng), 1, mtime=0)
    return mutated(data, rng)


def pictures_of(folder, name, data):
    "The images that a file speaks of, so far as there are any, of colours that are not alike"
    plain = gzip.decompress(data) if name.endswith('gz') else data
    stems = {o.rpartition('.')[0]: o for o in reversed(IMAGES)}
    found = [o for o in IMAGES if o.encode() in plain] or [stems[o] for o in {name.rpartition('.')[0], *re.findall(r'[\w/]+', plain.decode('latin-1'))} if o in stems]
    for o in found or ['img1/000001.jpg']: image(folder/o, seed=crc32(f'{folder.name}/{o}'.encode()))


@pytest.fixture(scope='module')
def everything(tmp_path_factory):
    "A raw folder with a raw dataset of each of those files"
    raw = tmp_path_factory.mktemp('everything')/'raw'
    for format, files in SOUND.items():
        for i, (name, data) in enumerate(files):
            pictures_of(raw/f'{format}{i}', name, data), text(raw/f'{format}{i}'/name, data)
    return raw


def test_a_run_over_sound_files(everything):
    "Every reader has one, with objects that are kept; but that of images without annotations, whose names and headers test_images_alone damages"
    assert SOUND.keys() == readers().keys() - {'images'}
    report = process(everything, everything.parent/'sound')
    assert_accounted(report, everything.parent/'sound')
    assert {o: s.formats for o, s in report.sources.items()} == {f'{format}{i}': format for format, files in SOUND.items() for i in range(len(files))}
    assert not [(s.name, [str(p)[:150] for p in report.problems if p.source == s.name]) for s in report.sources.values() if not s.boxes.kept + s.keypoints.kept]


@pytest.mark.parametrize('format', SOUND)
@pytest.mark.parametrize('n', [25, pytest.param(2000, marks=pytest.mark.slow)])
def test_a_file_with_faults(everything, format, n):
    "gives rows, reported problems or an `AnnotationError`, quickly; every annotation is accounted for"
    rng = random.Random(f'{format} {n}')
    for i in range(n):
        k = rng.randrange(len(SOUND[format]))
        name, data = SOUND[format][k]
        data = with_faults(format, data, rng)
        try: check_reader(everything/f'{format}{k}', name, format, data)
        except Exception as e: raise AssertionError(f'case {i}: {data[:3000]!r}') from e


@pytest.mark.parametrize('seed', [0, *(pytest.param(i, marks=pytest.mark.slow) for i in range(1, 40))])
def test_a_run_over_files_with_faults(everything, seed):
    "… accounts for every annotation, and names every file that it does not read"
    rng, files = random.Random(seed), {}
    for format, sound in SOUND.items():
        for i, (name, data) in enumerate(sound):
            path = everything/f'{format}{i}'/name
            path.write_bytes(with_faults(format, data, rng))
            files[path.relative_to(everything).as_posix()] = path
    out = everything.parent/f'out{seed}'
    with quickly(60): report = process(everything, out)
    assert_accounted(report, out)
    assert not [p for p in report.problems if 'please report this as a bug' in p.detail]
    tree = Tree(everything)
    silent = files.keys() - {f for s in discover(tree)[0] for d in s.documents for f in d.files} - {p.file for p in report.problems}
    def is_known(file): return is_companion(files[file].name, files[file].read_bytes(), lambda stem: stem in image_stems(tree, file.partition('/')[0]))
    assert not [o for o in silent if not is_known(o)], 'not named, and no list of classes or images'
