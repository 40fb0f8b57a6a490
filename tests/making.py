"Small raw datasets, ways to process them, and what came out"
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
from PIL import Image

from ear_lazy import data_processor
from ear_lazy.base.records import Records
from ear_lazy.data_processor import DataProcessor
from ear_lazy.errors import AnnotationError, MetadataError
from ear_lazy.formats.discover import discover
from ear_lazy.formats.load import load
from ear_lazy.formats.shared.registry import readers
from ear_lazy.formats.shared.tree import Tree
from ear_lazy.metadata import objects as objects  # what `Metadata` knows of an object
from ear_lazy.metadata.file import Metadata
from ear_lazy.metadata.table import Table, image_batch
from ear_lazy.metadata.views import Numbers, view_of
from ear_lazy.metadata.writing import Plan, write_metadata
from ear_lazy.processing.report import weight

ROOT = Path(__file__).parent.parent
KINDS = 'detector', 'landmarker', 'teacher'


def image(path, size=(40, 60), seed=0, **options):
    "A picture of (height, width) pixels of one colour"
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = tuple(np.random.default_rng(seed).integers(0, 256, 3).tolist())
    Image.new('RGB', size[::-1], colour).save(path, **options)
    return path


def text(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def coco_dict(images, size=(40, 60), **more):
    "A COCO dataset of image names and their annotations; a list of numbers is a box"
    declared = {} if size is None else dict(height=size[0], width=size[1])
    file = dict(images=[], annotations=[], categories=[dict(id=1, name='ear')])
    for i, (name, annotations) in enumerate(images.items(), 1):
        file['images'].append(dict(id=i, file_name=name, **declared))
        for a in annotations:
            a = dict(bbox=a) if isinstance(a, list) else a
            file['annotations'].append(dict(id=len(file['annotations']) + 10, image_id=i, category_id=1) | a)
    return file | more


def coco(path, images, size=(40, 60), **more): return text(path, json.dumps(coco_dict(images, size, **more)))


def sound(raw):
    "A raw dataset of two images and three boxes"
    image(raw/'ears/a.png'), image(raw/'ears/b.png', seed=1)
    coco(raw/'ears/ears.json', {'a.png': [[1, 1, 9, 9], [20, 20, 9, 9]], 'b.png': [[3, 3, 9, 9]]})
    return raw


def pts(path, points):
    lines = '\n'.join(f'{x} {y}' for x, y in points)
    return text(path, f'version: 1\nn_points: {len(points)}\n{{\n{lines}\n}}\n')


def write_rows(path, kind, paths, counts, values, sizes=None, groups=None, sources=('ears',), source_of=None, labels=('', 'ear'), split='train', root='../raw', shard_bytes=2**30):
    "A metadata file of rows without images: `counts` values of each, boxes with their labels or keypoints"
    folder, n, has_points = path.with_name(f'{path.stem}_table'), len(paths), kind == 'landmarker'
    objects = dict(points=values['keypoints'], point_counts=counts) if has_points else dict(boxes=values['bboxes'], labels=values['labels'])
    batch = image_batch(paths, np.ones(n, int) if has_points else counts, sizes=sizes, **objects)
    batch.images['groups'] = np.arange(n) if groups is None else groups
    table, some = Table(folder), np.ones(len(batch.objects['ids']), bool)
    table.append(batch)
    table.close()
    numbers = [Numbers(i, np.arange(len(labels))) for i in range(len(sources))]
    of = np.zeros(n, int) if source_of is None else source_of
    views = [view_of(table, kind, o, some, some) for o in numbers]
    write_metadata(path, [v.chosen(of[v.images] == i) for i, v in enumerate(views)], Plan(kind, split, root, list(sources), list(labels), shard_bytes=shard_bytes))
    shutil.rmtree(folder)
    return path


def process(raw, out, kinds=KINDS, train_split=0.8, test_split=0, **options):
    return DataProcessor(raw, out, **{'num_workers': 0, 'progress': False} | options).process(tuple(kinds), train_split, test_split)


def without_sizes(path, rows=slice(None)):
    "A metadata file that does not know the sizes of some images, as those of before and of other programs"
    columns = np.load(path)
    columns['sizes'][rows] = 0
    np.save(path, columns)
    return path


def tell(widget, content):
    "A message reaches a widget as from its page"
    widget.comm.handle_msg({'content': {'data': {'method': 'custom', 'content': content}}, 'buffers': []})


def quiet(widget):
    widget.sent = []
    widget.send = lambda content, buffers=(): widget.sent.append((content, buffers))
    return widget


def asked(widget, **content):
    "The answer to a message"
    widget.sent.clear()
    tell(widget, content)
    return widget.sent[-1]


def start(*args, **options):
    "Start the command as a user does, in a process group of its own"
    return subprocess.Popen([sys.executable, '-m', 'ear_lazy.data_processor', *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            cwd=ROOT, start_new_session=True, **options)


def ended(p, timeout=60):
    "Wait for a started command; one that hangs is ended with its workers, and fails the test"
    try: out, err = p.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)
        raise AssertionError(f'hangs: {p.communicate()}') from None
    return subprocess.CompletedProcess(p.args, p.returncode, out, err)


def called(main, *args):
    "A command in this process: the same function that a user's shell starts"
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try: status = main([*map(str, args)])
        except SystemExit as end: status = end.code
    return subprocess.CompletedProcess(args, status, out.getvalue(), err.getvalue())


def command(*args, **options):
    "`ear-lazy process`; in a process of its own where it needs one"
    return ended(start(*args, **options)) if options else called(data_processor.main, *args)


def run(raw, *args, **options):
    "`--all` on a raw folder, into `out` beside it"
    return command('--all', '--raw-data-dir', raw, '--output-dir', raw.parent/'out', '--workers', 0, *args, **options)


def one_sentence(run, *words, status=1):
    "The command ended with `status` and one line on stderr that holds `words`"
    assert run.returncode == status, (run.returncode, run.stdout, run.stderr)
    assert 'Traceback' not in run.stdout + run.stderr, run.stderr
    lines = run.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith('ear-lazy process: '), run.stderr
    for word in words: assert str(word) in lines[0], lines[0]
    return lines[0]


def opened(out, kind):
    "The metadata of a kind, of all sides of the split"
    return [Metadata(p) for p in (out/f'{split}_{kind}.npy' for split in ('train', 'val', 'test')) if p.exists()]


def rows(out, kind):
    "(image path, values) of every row of a kind, in order"
    found = [(m.image_path(i), m.values(i).tolist()) for m in opened(out, kind) for i in range(len(m))]
    return sorted(found)


def boxes(out): return sorted((path, box) for path, values in rows(out, 'detector') for box in values)


HIDDEN = '.ear_lazy' # what a run leaves for the next one


def listing(folder): return sorted(p.name for p in Path(folder).iterdir() if p.name != HIDDEN)


def contents(folder): return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(Path(folder).rglob('*')) if p.is_file() and HIDDEN not in p.parts}


def leftovers(folder): return sorted(Path(folder).glob(f'**/{HIDDEN}/run-*'))


def reasons(report): return sorted((p.reason, p.action) for p in report.problems)


def problem(report, reason):
    "The one problem of this reason"
    found = [p for p in report.problems if p.reason == reason]
    assert len(found) == 1, report.problems
    return found[0]


def assert_accounted(report, out=None):
    "read + added = kept + merged + dropped + deleted for every source, as the counts and as the problems say, and what was kept is in the files"
    for s in report.sources.values():
        own = [p for p in report.problems if p.source == s.name]
        for what, count in (('boxes', s.boxes), ('keypoints', s.keypoints)):
            assert count.read + count.added == count.kept + count.merged + count.dropped + count.deleted, (s.name, what, count)
            for action in ('merged', 'dropped', 'deleted'): assert getattr(count, action) == sum(getattr(p, what) for p in own if p.action == action)
    assert {p.source for p in report.problems} <= report.sources.keys() | {p.source for p in report.problems if p.reason in ('not_recognised', 'hidden', 'not_here', 'bad_correction')}
    if out is None: return
    on_disk = json.loads((out/'report.json').read_text())
    told = [list(p.values()) for p in (*on_disk['problems'], *on_disk['notes'])]
    assert told == json.loads(json.dumps(sorted(report.problems, key=weight))), 'losses, repairs, notes'
    def feeding(kind): return [s for name, s in report.sources.items() if name.partition('/')[0] in (kind, '.') or not name.startswith(KINDS)]
    if 'detector' in report.kinds: assert len(boxes(out)) == sum(s.boxes.kept for s in feeding('detector'))
    if 'landmarker' in report.kinds: assert len(rows(out, 'landmarker')) == sum(s.keypoints.kept for s in feeding('landmarker'))


def check_document(tree, document, sniff_all=False):
    "A reader gives records or an `AnnotationError` that names the file; `load` accounts for every annotation"
    try: assert isinstance(readers()[document.format].read(tree, document), Records)
    except AnnotationError as e: assert e.file in document.files and str(e)
    r = load(tree, '.', document)
    json.dumps([p._asdict() for p in r.problems])
    assert not any('please report this as a bug' in p.detail for p in r.problems), r.problems
    if sniff_all: discover(tree)
    else: readers()[document.format].sniff(tree, '')
    for read, kept, column in ((r.boxes_read, r.has_box.sum(), 'boxes'), (r.keypoints_read, r.has_keypoints.sum(), 'keypoints')):
        gone = sum(getattr(p, column) for p in r.problems if p.action in ('merged', 'dropped'))
        assert read == kept + gone, (column, read, kept, gone, r.problems)
    assert np.isfinite(r.boxes[r.has_box]).all() and np.isfinite(r.points).all() and (r.boxes[r.has_box, 2:] > 0).all()
    assert len(r.points) == r.point_counts.sum() and (r.image_of < len(r.images)).all() and (r.image_of >= 0).all()


def refused(path):
    "Why a file is not taken for metadata"
    try: return str(Metadata(path)) and None
    except MetadataError as e: return str(e)


def outcome(raw, **options):
    "Process, see that nothing is lost, and give the report"
    report = process(raw, raw.parent/'out', train_split=1, **options)
    assert_accounted(report, raw.parent/'out' if report.outputs else None)
    return report


def formats(folder):
    "Which reader takes which files of a raw folder"
    return [(d.format, d.files) for s in discover(Tree(folder))[0] for d in s.documents]


def with_columns(path, **columns):
    "A metadata file with other columns, or further ones"
    before = np.load(path)
    found = {o: before[o] for o in before.dtype.names} | {k: np.asarray(v) for k, v in columns.items()}
    record = np.zeros((), [(k, v.dtype, v.shape) for k, v in found.items()])
    for k, v in found.items(): record[k] = v
    np.save(path, record)
    return path


def as_version_2(path, **columns):
    "A metadata file as version 2 has it, whichever wrote it: each object is told to stand in a line of one table"
    md = Metadata(path)
    n = len(md)
    m = len(md.column('bboxes')) if md.kind == 'detector' else n
    new = dict(version=np.int32(2), groups=np.arange(n, dtype='<u8'), origin_file=np.zeros(m, '<i4'), origin_id=np.arange(2, m + 2, dtype='<i8'),
               origin_files=[b'ears/table.csv'], origin_names=[b'line'], journal=np.bytes_(b''))
    if md.kind == 'landmarker': new |= dict(labels=np.zeros(n, '<i4'), bboxes=np.full((n, 4), np.nan, '<f4'))
    return with_columns(path, **new | columns)
