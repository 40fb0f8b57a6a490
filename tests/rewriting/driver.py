"""Edit one annotation file, read the copy with its reader, and compare all rows

    old = rows(raw, 'ears/a.json')                              # as the reader has them
    moved = old[0].to(box=(1, 2, 30, 40))                       # an `Edit`; `.gone` deletes, `new(image, …)` adds
    assert check(raw, 'ears/a.json', [moved], tmp_path) == [(b'[1, 2, 3, 4]', b'[1, 2, 30, 40]')]
"""
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from hypothesis import strategies as st

from ear_lazy.base.change import Value
from ear_lazy.base.class_names import UNCLASSED
from ear_lazy.base.images import is_image
from ear_lazy.formats.discover import discover
from ear_lazy.formats.shared.patches import AnnotationFile, Edit, pieces, rewriters
from ear_lazy.formats.shared.registry import readers
from ear_lazy.formats.shared.tree import Document, Tree

REAL = Path(__file__).parents[3]/'shared/real'
CASES = Path(__file__).parents[3]/'shared/cases'


class Row(NamedTuple):
    "An object as its reader has it"
    id: int
    image: str
    nth: int
    value: Value

    def to(self, box=None, points=None, label=None): # what is None stays
        if points is not None: points = tuple(tuple(map(float, o)) for o in points)
        return Edit(self.id, self.image, self.value, Value(None if box is None else tuple(map(float, box)), points, label), self.nth)

    @property
    def gone(self): return Edit(self.id, self.image, self.value, None, self.nth)


def new(image, box=None, points=None, label=None): return Row(-1, image, 0, None).to(box, points, label)


class Opened(NamedTuple):
    tree: Tree
    document: Document # that has the file
    name: str # of the file


def opened(raw, name, declared=()): # `Source`s
    "A file of a raw folder, as discovery finds it"
    tree = Tree(str(raw))
    sources, _ = discover(tree, tuple(declared))
    document, = [d for s in sources for d in s.documents if name in d.files and d.format != 'images']
    return Opened(tree, document, name)


def records(file): return readers()[file.document.format].read(file.tree, file.document)


def rows_of(r, name):
    "The objects of one file in `Records`"
    ends, seen, found = r.point_counts.cumsum().tolist(), Counter(), []
    for i, (f, image, id) in enumerate(zip(r.file_of.tolist(), r.image_of.tolist(), r.ids.tolist())):
        if r.files[f] != name: continue
        key = id, r.images[image]
        points = tuple(map(tuple, r.points[ends[i] - int(r.point_counts[i]):ends[i]].tolist()))
        value = Value(tuple(r.boxes[i].tolist()) if r.has_box[i] else None, points or None, r.label_names[r.labels[i]])
        found.append(Row(*key, seen[key], value))
        seen[key] += 1
    return found


def rows(raw, name, declared=()): return rows_of(records(opened(raw, name, declared)), name)


def patches_of(file, edits, size=(0, 0)): # upright (height, width) of the photo of the edits, if the rewriter needs it
    "The text of a file as the rewriter has it, and its patches; None: the file goes"
    text = file.tree.read(file.name)
    return text, rewriters()[file.document.format](AnnotationFile(file.tree, file.document, file.name, text, {o.image: size for o in edits} if max(size) else {}), list(edits))


def copied(raw, to):
    "A copy of a raw folder, whose images are links to the same files where that is possible"
    def copy(source, target):
        if is_image(str(target)):
            try: return os.link(source, target)
            except OSError: pass
        return shutil.copy(source, target)
    return shutil.copytree(raw, to, copy_function=copy)


def check(raw, name, edits, folder, declared=(), size=(0, 0), within=1e-4, corners=False): # `corners`: compare those that a file has, not the width between two that are rounded; `within`: how far numbers of what is changed may be off, or a function (new, found) → bool
    "Edit a file; (old, new) bytes of each patch, in the order of the file. The copy has the new values, and nothing else is another"
    edits, file = list(edits), opened(raw, name, declared)
    before = records(file)
    text, patches = patches_of(file, edits, size)
    to = Path(folder)/f'rewritten-{len(list(Path(folder).iterdir()))}'
    copied(raw, to)
    if patches is None: (to/name).unlink()
    else: (to/name).write_bytes(b''.join(pieces(text, patches)))
    expected = expected_rows(rows_of(before, name), edits)
    if patches is None:
        assert not expected, 'a file goes only with its last object'
        return None
    after = records(opened(to, name, declared))
    assert_equal(rows_of(after, name), expected, within, corners)
    assert not _malformed(after) - _malformed(before)
    for other in before.files:
        if other != name: assert rows_of(after, other) == rows_of(before, other)
    shutil.rmtree(to)
    return [(text[o.start:o.end], o.new) for o in sorted(patches)]


def _malformed(r): return Counter((o.reason, o.image) for o in r.problems if o.reason in ('malformed', 'not_finite', 'unknown_class', 'orphan', 'bad_file'))


def expected_rows(old, edits):
    "((image, value), is it as before?) of each object"
    edited = {(o.id, o.image, o.nth): o for o in edits if o.was is not None}
    assert edited.keys() <= {o[:3] for o in old}, 'edits of objects that are there'
    found = []
    for o in old:
        edit = edited.get(o[:3])
        if not edit: found.append(((o.image, o.value), True))
        elif edit.now: found.append(((o.image, Value(*(b if b is not None else a for a, b in zip(o.value, edit.now)))), False))
    return found + [((o.image, o.now._replace(label=o.now.label or '')), False) for o in edits if o.was is None]


def assert_equal(found, expected, within=1e-4, corners=False):
    "Ids may shift (of lines, of shapes), and so may the order"
    left = Counter((o.image, o.value) for o in found)
    lost = Counter(o for o, same in expected if same) - left
    assert not lost, f'not edited, but not there: {lost}; there are {left}'
    left -= Counter(o for o, same in expected if same)
    for o in (o for o, same in expected if not same):
        near = next((other for other in left.elements() if _near(o, other, within, corners)), None)
        assert near, f'edited, but not there: {o}; there are {[*left.elements()]}'
        left[near] -= 1
    assert not +left, f'there, but not expected: {+left}'


def _near(a, b, within, corners=False):
    (image, a), (other, b) = a, b
    a, b = (o if any(v for *_, v in o.points or ()) else o._replace(points=None) for o in (a, b)) # of a class that has points, none of them labelled
    if image != other or a.label != ('' if b.label == UNCLASSED else b.label) or (a.box is None) != (b.box is None) or len(a.points or ()) != len(b.points or ()): return False
    is_near = within if callable(within) else lambda new, found: abs(new - found) <= within
    def numbers(box): return (*box[:2], box[0] + box[2], box[1] + box[3]) if corners and box else box or ()
    pairs = [*zip(numbers(a.box), numbers(b.box)), *(o for p, q in zip(a.points or (), b.points or ()) if p[2] for o in zip(p[:2], q[:2]))]
    return [p[2] for p in a.points or ()] == [q[2] for q in b.points or ()] and all(is_near(*o) for o in pairs)


@st.composite
def some_edits(draw, objects, images, labels, visibilities=(0, 1, 2), size=(40, 60), boxes=True): # `boxes`: may boxes be changed?
    "Changes of some objects at once, some that go, and some that are new: of the kinds that the file has"
    height, width = size
    def number(high): return draw(st.one_of(st.integers(1, high), st.integers(100, 100 * high).map(lambda o: o / 100)))
    def box(): return number(width // 2), number(height // 2), number(width // 2 - 1), number(height // 2 - 1)
    def points(n): return tuple((number(width), number(height), v) if (v := draw(st.sampled_from(visibilities))) else (0, 0, 0) for _ in range(n))
    edits = []
    for o in objects:
        kind = draw(st.sampled_from(['stays', 'stays', 'box', 'points', 'label', 'all', 'goes']))
        parts = dict(box=box() if o.value.box and boxes and kind in ('box', 'all') else None,
                     points=points(len(o.value.points)) if o.value.points and kind in ('points', 'all') else None,
                     label=draw(st.sampled_from(labels)) if labels and kind in ('label', 'all') else None)
        if kind == 'goes': edits.append(o.gone)
        elif any(v is not None for v in parts.values()): edits.append(o.to(**parts))
    for _ in range(draw(st.integers(0, 2))):
        like = draw(st.sampled_from(objects)).value
        edits.append(new(draw(st.sampled_from(images)), like.box and box(), like.points and points(len(like.points)), draw(st.sampled_from(labels or [like.label]))))
    return edits
