"What is fuzzed: functions of bytes that raise `Surprise`, or any error but the typed ones, where a promise is broken"
import os
import sys
from functools import partial
from pathlib import Path

import numpy as np
from damaging import quickly
from making import check_document, image

from ear_lazy.errors import MetadataError, OutputError
from ear_lazy.formats.shared.registry import readers
from ear_lazy.formats.shared.tree import Document, Tree
from ear_lazy.metadata.file import Metadata, leaves_root
from ear_lazy.metadata.objects import OWN_COLUMNS
from ear_lazy.migrate import PickleRefused, load_restricted, migrate

CORPUS = Path(__file__).parent/'corpus'
PLAIN = {np.ndarray, list, dict, tuple, str, bytes, bytearray, int, float, complex, bool, type(None)}
IMAGES = ['a.png', 'b.png', 'empty.png', 'a.jpg', 'b.jpg', '000001.jpg', '000002.jpg', '0--Parade/a.jpg', 'n2/0001_01.jpg', 'sub/a.png']


class Surprise(Exception): "A promise is broken"


at_once = partial(quickly, 10, Surprise)


def make_folder(folder):
    "A raw folder with a few images in it, where fuzzed files are put"
    for name in IMAGES: image(Path(folder)/name)
    return Path(folder)


def fuzz_metadata(folder, data):
    "A `.npy` that is metadata gives rows of the promised shapes with paths inside of the root; others are refused"
    path = folder/'fuzzed.npy'
    path.write_bytes(data)
    try:
        md = Metadata(path)
        for column in ('source_names', 'label_names'): md.names(column)
        for i in {*range(min(len(md), 8)), *range(max(0, len(md) - 8), len(md))}:
            try: name = md.image_path(i)
            except MetadataError: name = ''
            if os.path.isabs(name) or '..' in name.split('/') or '\0' in name: raise Surprise(f'the path {name!r}')
            values, size = md.values(i), md.size(i)
            if values.dtype != np.float32 or len(size) != 2 or values.shape[-1] != (3 if md.kind == 'landmarker' else 4): raise Surprise(f'values {values!r}')
            if md.kind != 'landmarker': md.labels(i)
            fuzz_objects(md, i)
        for name in (*OWN_COLUMNS, *md.attribute_names()): md.whole(name)
        md.schemes_of()
    except MetadataError: pass


def fuzz_objects(md, i):
    "What a file says of a row's objects is of the promised types, and names files inside of the root alone"
    try: origins = md.origins(i)
    except MetadataError: origins = []
    for o in [o for found in origins for o in found]:
        if leaves_root(o.file) or not str(o).isprintable(): raise Surprise(f'the origin {o!r}')
    if (scheme := md.scheme(i)) and max([-1, *np.ravel(scheme.skeleton), *np.ravel(scheme.flip_pairs)]) >= len(scheme.points): raise Surprise(f'the scheme {scheme!r}')
    if md.kind == 'landmarker' and md.version > 1: md.labels(i), md.bbox(i), md.source(i)


watched, surprises = False, []
def _watch(event, args):
    "What no pickle may do: import, open, run or connect"
    if watched and event.partition('.')[0] in ('import', 'exec', 'compile', 'os', 'subprocess', 'socket', 'open', 'shutil', 'ctypes', 'pickle'):
        surprises.append((event, str(args)[:200]))


def fuzz_pickle(folder, data):
    "A pickle gives plain values and runs nothing, or is refused"
    global watched
    if not hasattr(_watch, 'on'): _watch.on = load_restricted(b'Vx\n.'), sys.addaudithook(_watch) # text in a pickle has Python load a codec, once
    surprises.clear()
    watched = True
    try: found = load_restricted(data)
    except (PickleRefused, MemoryError): found = None
    finally: watched = False
    if surprises: raise Surprise(f'a pickle did {surprises}')
    if type(found) not in PLAIN and not isinstance(found, np.generic): raise Surprise(f'a pickle made {type(found)}')


def fuzz_migrate(folder, data):
    "An old file is migrated into one that can be opened, or refused with nothing written"
    old, new = folder/'old.npy', folder/'new.npy'
    old.write_bytes(data)
    try:
        md = migrate(old, new)
        for i in range(min(len(md), 4)): md.image_path(i), md.values(i)
    except (MetadataError, OutputError):
        if new.exists(): raise Surprise('a file that was refused was written') from None
    new.unlink(missing_ok=True)


def fuzz_reader(name, format, folder, data):
    "A reader gives records or an `AnnotationError`; `load` accounts for every annotation"
    (folder/name).write_bytes(data)
    try: check_document(Tree(folder), Document(format, (name,)), sniff_all=len(data) % 8 == 0) # every reader looks at it: an eighth is enough
    finally: (folder/name).unlink()


def _name(format):
    "The file that a reader's corpus is read as"
    return next((o.name.partition('-')[2] for o in sorted((CORPUS/format).glob('*'))), None)


TARGETS = {'metadata': fuzz_metadata, 'pickle': fuzz_pickle, 'migrate': fuzz_migrate} | {
    format: partial(fuzz_reader, name, format) for format in readers() if (name := _name(format))}


def any_target(folder, data):
    "The first byte says which"
    if data: list(TARGETS.values())[data[0] % len(TARGETS)](folder, data[1:])


def seeds():
    "(target, file of its corpus) pairs"
    return [(name, o) for name in TARGETS for o in sorted((CORPUS/name).iterdir())]
