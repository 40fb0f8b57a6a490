"Files that are damaged at random: what is done to them, and what a reader owes whoever gives it one"
import json
import re
import signal
from contextlib import contextmanager

from hypothesis import HealthCheck, settings, strategies as st
from making import check_document
from tiers import tries

from ear_lazy.formats.shared.tree import Document, Tree


def examples(n): return settings(max_examples=tries(n), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


PIECES = [b'NaN', b'-Infinity', b'1e999', b'9' * 30, b'9' * 5000, b'"', b'\xff', b'\0', b'\r', b'\n', b'{', b'}', b'[' * 3000, b']', b',,', b'-',
          b'null', b'true', b'\\u0000', b'\xef\xbb\xbf', b'\xe2\x80\xa8', b'n_points:', b'../']
BYTES = st.one_of(st.binary(max_size=4), st.sampled_from(PIECES))
EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 8), BYTES), min_size=1, max_size=6)


def edited(data, edits):
    "Some bytes taken out, others put in their place"
    for at, length, new in edits:
        start = int(at * len(data))
        data = data[:start] + new + data[start + length:]
    return data


@contextmanager
def quickly(seconds, error=AssertionError):
    "Fail where work takes longer, as time of the processor: on a busy machine as on an idle one"
    def late(*_): raise error(f'more than {seconds} s')
    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try: yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def check_reader(folder, name, format, data):
    "A reader gives records or an `AnnotationError`, quickly; `load` accounts for every annotation"
    (folder/name).write_bytes(data)
    try:
        with quickly(10): check_document(Tree(folder), Document(format, (name,)), sniff_all=len(data) % 8 == 0) # an eighth of them is enough
    finally: (folder/name).unlink()


ODD = st.sampled_from([None, True, '', 'x', '7', 'nan', -1, 0, 1, 2**31, 2**63, 2**64, 10**40, -2**63 - 1, 1.5, 1e300, -1e300, float('nan'), float('inf'), [], {}, [[]], [1], [1, 2, 3, 4],
                       [1, 2, 3, 4, 5], [None] * 4, ['1', '2', '3', '4'], [float('nan')] * 6, {'a': 1}, 'a.png', '../a.png', '/', '\0', 'é', '9' * 5000, '²', [1e39] * 6])


def places(node, at=()):
    "Every place in a JSON tree"
    yield at
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items: yield from places(value, (*at, key))


def changed(tree, place, how, value):
    "A tree with one place replaced, removed, or doubled"
    if not place: return value if how == 'replace' else tree
    tree = json.loads(json.dumps(tree))
    node = tree
    for key in place[:-1]: node = node[key]
    if how == 'replace': node[place[-1]] = value
    elif how == 'remove': del node[place[-1]]
    elif isinstance(node, list): node.append(node[place[-1]])
    return tree


NUMBER = re.compile(rb'-?\d+(?:\.\d+)?(?:e-?\d+)?')
NUMBERS = b'nan', b'inf', b'1e400', b'-1e400', b'-1', b'0', b'-0', b'1e-320', b'99999999999', b'9' * 400, b'1_0', b'1.2.3', b'0x1', b'', b'null', b'"1"', b'\xd9\xa3'
TOKEN = re.compile(rb'[^\s,;:\[\]{}<>"=/]+|[\[\]{}<>"=/:]')


def _a_match(data, pattern, new, rng):
    "One match of a pattern, replaced"
    found = list(pattern.finditer(data))
    if not found: return data
    at = rng.choice(found)
    return data[:at.start()] + new + data[at.end():]


def _lines(data, rng):
    "A line doubled, taken out, or changed with another"
    lines = data.splitlines(keepends=True) or [b'']
    i, k = (rng.randrange(len(lines)) for _ in range(2))
    how = rng.randrange(3)
    if how == 0: lines.insert(k, lines[i])
    elif how == 1: del lines[i]
    else: lines[i], lines[k] = lines[k], lines[i]
    return b''.join(lines)


def _bytes(data, rng):
    "A byte that is another, a piece that is missing, an end that is missing, or a piece that is put in"
    at, how = rng.randrange(len(data) + 1), rng.randrange(4)
    if how == 0: return data[:at] + bytes([rng.randrange(256)]) + data[at + 1:]
    if how == 1: return data[:at] + data[at + rng.randrange(1, 30):]
    if how == 2: return data[:at]
    return data[:at] + rng.choice(PIECES) + data[at:]


def mutated(data, rng):
    "One to four faults: in numbers, in words, in lines, in bytes"
    for _ in range(rng.randrange(1, 5)):
        how = rng.randrange(4)
        if how == 0: data = _a_match(data, NUMBER, rng.choice(NUMBERS), rng)
        elif how == 1: data = _a_match(data, TOKEN, b'', rng)
        elif how == 2: data = _lines(data, rng)
        else: data = _bytes(data, rng)
    return data
