"What changed between two versions: exactly what was changed, whatever else differs in the files"
import json
import os
import random
import subprocess
import time

import numpy as np
import pytest
from damaging import examples
from hypothesis import given, strategies as st
from making import called, image, process, text, with_columns
from tiers import one_of

from ear_lazy import textconv
from ear_lazy.command import start
from ear_lazy.correcting.matching import sums_of
from ear_lazy.data_processor import Source
from ear_lazy.diff import diff
from ear_lazy.metadata.file import Metadata
from ear_lazy.metadata.table import Table, image_batch
from ear_lazy.metadata.views import Numbers, view_of
from ear_lazy.metadata.writing import Plan, write_metadata

KINDS = 'detector', 'landmarker', 'teacher'
LABELS = 'ear', 'head', 'nose'
SIDE = 40 # pixels; objects stand 100 apart, so a small move overlaps nothing else


def corners(x): return [[x, 10, 2], [x + SIDE, 10, 2], [x + SIDE, 10 + SIDE, 1], [x, 10 + SIDE, 2]]


def write(folder, kind, photos, shuffle=None, id_name='id', version=2, cut=False):
    "Metadata files of {photo: (side, [(x, class, id)])}; a `shuffle` puts photos, objects and classes in another order"
    rng = random.Random(shuffle)
    names = ['', *LABELS, *([] if shuffle is None else ['unused'])]
    if shuffle is not None: rng.shuffle(names)
    folder.mkdir(parents=True)
    for side in sorted({side for side, _ in photos.values()}):
        own = {photo: list(objects) for photo, (s, objects) in photos.items() if s == side}
        order = list(own)
        if shuffle is not None: rng.shuffle(order), [rng.shuffle(o) for o in own.values()]
        objects = [o for photo in order for o in own[photo]]
        if not objects and kind != 'detector': continue
        points = {} if kind != 'landmarker' else dict(points=np.reshape([corners(o[0]) for o in objects], (-1, 3)), point_counts=[4]*len(objects))
        batch = image_batch(order, [len(own[o]) for o in order], np.reshape([[o[0], 10, SIDE, SIDE] for o in objects], (-1, 4)), [names.index(o[1]) for o in objects], **points)
        batch.objects.update(ids=[o[2] for o in objects], files=[0]*len(objects))
        batch.images['empty'] = [not own[o] for o in order]
        table, path = Table(folder/f'{side}.rows'), folder/f'{side}_{kind}.npy'
        table.append(batch)
        table.close()
        view = view_of(table, kind, Numbers(0, np.arange(len(names)), [('ears/ears.json', id_name)]))
        for o in write_metadata(path, [view], Plan(kind, side, '../raw', ['ears'], names, shard_bytes=300 if cut else 2**30)):
            if version == 1: with_columns(o, version=np.int32(1))
    return folder


OBJECT = st.tuples(st.sampled_from(LABELS), st.sampled_from(['', '', '', 'removed', 'moved', 'far', 'relabelled', 'both']))
PHOTO = st.tuples(st.sampled_from(['train', 'val']), st.lists(OBJECT, max_size=3), st.sampled_from(['', '', '', 'removed', 'added', 'other side']), st.integers(0, 2))


def versions(drawn, kind, id_name):
    "Both versions of drawn photos, and what has changed: (photo, x of the object, sort)"
    old, new, wanted, number = {}, {}, set(), iter(range(1, 1000))
    for p, (side, objects, change, more) in enumerate(drawn):
        if not objects and kind != 'detector': more = 0
        photo, was, now = f'ears/{p}.png', [], []
        for k, (label, what) in enumerate(objects):
            x, i, other = 100*k, next(number), LABELS[(LABELS.index(label) + 1) % 3]
            if change in ('removed', 'added') or kind != 'detector' and what == 'removed': what = '' # so that the photo stays in rows
            far = 43*(what == 'far' and id_name != 'line') # only an id tells that it is the same object
            if what == 'far': what = 'moved'
            was.append((x, label, i))
            if what != 'removed': now.append((x + far + 7*(what in ('moved', 'both')), other if what in ('relabelled', 'both') else label, i + 5*(id_name == 'line')))
            wanted |= {(photo, x, o) for o in (('moved', 'relabelled') if what == 'both' else (what,)) if o}
        if change not in ('removed', 'added'):
            now += [(1000 + 100*k, 'ear', 2000 + next(number)) for k in range(more)]
            wanted |= {(photo, 1000 + 100*k, 'added') for k in range(more)}
        if change != 'added': old[photo] = side, was
        if change != 'removed': new[photo] = {'train': 'val', 'val': 'train'}[side] if change == 'other side' else side, now
        if kind != 'detector' and not objects: continue
        if change: wanted.add((photo, change))
        if change in ('removed', 'added'): wanted |= {(photo, x, change) for x, _, _ in was}
    return old, new, wanted


def told(kind, found):
    "What `diff` says, as `versions` does"
    of = json.loads(found.to_json())['kinds'].get(kind)
    if of is None: return set()
    said = {(o['photo'], (o.get('old') or o['new'])['box' if 'box' in (o.get('old') or o['new']) else 'points'], what) for o in map(plain, of['changes']) for what in o['change']}
    said |= {(o, 'added') for o in of['photos_added']} | {(o, 'removed') for o in of['photos_removed']} | {(o['photo'], 'other side') for o in of['other_side']}
    return said


def plain(change):
    "With the x of an object in place of its box or points"
    return {k: {'box' if 'box' in v else 'points': v['box'][0] if 'box' in v else v['points'][0][0]} if k in ('old', 'new') else v for k, v in change.items()}


@pytest.mark.parametrize('kind, id_name, version', one_of(4, KINDS, ('id', 'line', ''), (2, 1)))
def test_what_was_changed_is_what_is_told(tmp_path_factory, kind, id_name, version):
    "… and nothing else, whatever the order of rows, objects and classes and the cuts into shards; also of files without origins"
    if id_name == '' and version == 2: id_name = 'image'
    @examples(24)
    @given(st.lists(PHOTO, min_size=1, max_size=6), st.integers(0, 99), st.booleans())
    def holds(drawn, shuffle, cut):
        folder = tmp_path_factory.mktemp('versions')
        old, new, wanted = versions(drawn, kind, id_name if version == 2 else 'line')
        a = write(folder/'a', kind, old, None, id_name, version)
        if not any((folder/'a').glob('*.npy')): return
        b = write(folder/'b', kind, new, shuffle, id_name, version, cut)
        if not any((folder/'b').glob('*.npy')): return
        if version == 1 and kind == 'landmarker': wanted = {o for o in wanted if o[-1] != 'relabelled'} # it does not know its classes
        found = diff(a, b)
        assert told(kind, found) == wanted
        assert len(diff(b, b)) == len(diff(a, write(folder/'c', kind, old, shuffle, id_name, version, cut))) == 0
        lines = found.text(None).splitlines()
        assert sum(o.startswith('> ') for o in lines) == sum(o[-1] == 'other side' for o in wanted)
        assert sum(o.startswith('~ ') for o in lines) == len({o[:2] for o in wanted if o[-1] in ('moved', 'relabelled')})
    holds()


@pytest.mark.parametrize('kind', KINDS)
def test_many_rows_changed_here_and_there(tmp_path, kind):
    "Rows put in, taken out, changed and put elsewhere, in so many places that they are not compared run by run"
    rng = random.Random(0)
    old = {f'ears/{i:04}.png': ('train', [(0, 'ear', 2*i), (100, 'head', 2*i + 1)]) for i in range(1500)}
    new, wanted = [], set()
    for i, (photo, (side, own)) in enumerate(old.items()):
        what = rng.choice(['', '', '', '', '', 'removed', 'moved', 'relabelled', 'first', 'before'])
        if what == 'before':
            new.append((f'new/{i}.png', ('train', [(0, 'ear', 5000 + i)])))
            wanted |= {(f'new/{i}.png', 'added'), (f'new/{i}.png', 0, 'added')}
        if what == 'removed': wanted |= {(photo, 'removed'), (photo, 0, 'removed'), (photo, 100, 'removed')}
        elif what == 'first': new.insert(0, (photo, (side, own)))
        else: new.append((photo, (side, [(own[0][0] + 7*(what == 'moved'), 'nose' if what == 'relabelled' else 'ear', own[0][2]), own[1]])))
        if what in ('moved', 'relabelled'): wanted.add((photo, 0, what))
    found = diff(write(tmp_path/'a', kind, old), write(tmp_path/'b', kind, dict(new)))
    assert told(kind, found) == wanted and len(wanted) > 500


def test_names_that_were_made_to_be_taken_for_each_other(tmp_path):
    "Two paths of the same sum of words are two photos"
    first, second = (int(o) for o in np.random.default_rng(0).integers(0, 2**63, 2, np.uint64)*2 + 1)
    words = np.frombuffer(b'ears/photo_1.png', 'u8')
    other = np.array([(int(words[0]) + second) % 2**64, (int(words[1]) - first) % 2**64], 'u8')
    assert sums_of(np.array([words, other])).tolist()[0] == sums_of(np.array([words, other])).tolist()[1]
    a, b = (write(tmp_path/name, 'detector', {'ears/photo_1.png': ('train', [(0, 'ear', 1)])}) for name in 'ab')
    with_columns(b/'train_detector.npy', image_paths=np.array([other.tobytes()], 'S16'))
    assert diff(a, b).counts['detector']['photos added'] == 1 == diff(a, b).counts['detector']['photos removed']


@pytest.fixture(scope='module')
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp('pair')
    old = {'ears/a.png': ('train', [(0, 'ear', 1), (100, 'ear', 2)]), 'ears/\x1b[31m.png': ('val', [(0, 'ear', 3)])}
    new = {'ears/a.png': ('train', [(4, 'ear', 1), (100, 'head', 2)]), 'ears/\x1b[31m.png': ('train', [(0, 'ear', 3)])}
    return write(folder/'old', 'detector', old), write(folder/'new', 'detector', new)


def test_status_and_names(pair):
    "As diff(1) does: 0, 1 if asked, 2 for trouble; what a name holds is not obeyed by a terminal"
    said = called(start, 'diff', *pair, '--exit-code')
    assert (said.returncode, said.stderr) == (1, '') and '\x1b' not in said.stdout and '> ears/\\x1b[31m.png  val → train' in said.stdout
    assert called(start, 'diff', *pair).returncode == 0 == called(start, 'diff', pair[0], pair[0], '--exit-code').returncode
    for wrong in ((pair[0], pair[0]/'nothing'), (pair[0], pair[0]/'train_detector.npy'), ('git:HEAD', pair[0]), (pair[0].parent, pair[0])):
        said = called(start, 'diff', *wrong, '--exit-code')
        assert (said.returncode, said.stdout, said.stderr.count('\n')) == (2, '', 1) and said.stderr.startswith('ear-lazy diff: '), wrong


def test_each_sort_has_its_limit(tmp_path):
    old = {f'ears/{i}.png': ('train', [(0, 'ear', i)]) for i in range(50)}
    a, b = write(tmp_path/'a', 'detector', old), write(tmp_path/'b', 'detector', {k: (s, [(5, 'ear', o[0][2])]) for k, (s, o) in old.items()})
    found = diff(a, b)
    assert [o.count('\n~ ') for o in (str(found), found.text(None), found.text(0))] == [20, 50, 0] and '… and 30 more' in str(found)
    assert len([*found.changes()]) == 50 == found.counts['detector']['objects moved']


def test_all_lines_of_many_photos(tmp_path):
    "A line for each photo takes no look at the others"
    few = write(tmp_path/'a', 'detector', {'ears/0.png': ('train', [])})
    many = write(tmp_path/'b', 'detector', {f'ears/{i}.png': ('train', [(100*k, 'ear', 3*i + k) for k in range(i % 3)]) for i in range(20_000)})
    start = time.process_time()
    lines = diff(few, many).text(None).splitlines()
    assert time.process_time() - start < 5 # twice that where each photo looks at all
    assert [sum(o.startswith('+ ') and o.endswith(end) for o in lines) for end in ('photo', 'with 1 object', 'with 2 objects')] == [6666, 6667, 6666]


def test_a_point_that_is_hidden_now(tmp_path):
    a = write(tmp_path/'a', 'landmarker', {'ears/a.png': ('train', [(0, 'ear', 1)])})
    b = write(tmp_path/'b', 'landmarker', {'ears/a.png': ('train', [(0, 'ear', 1)])})
    keypoints = np.load(b/'train_landmarker.npy')['keypoints'].copy()
    keypoints[0, 0, 2] = 1
    with_columns(b/'train_landmarker.npy', keypoints=keypoints)
    change, = diff(a, b).changes()
    assert (change['change'], change['points_of_other_visibility'], change['pixels']) == (['moved'], 1, 0)
    keypoints[0, 0] = [np.nan, 7, 0] # where no point is labelled, its place means nothing
    with_columns(a/'train_landmarker.npy', keypoints=keypoints), with_columns(b/'train_landmarker.npy', keypoints=np.nan_to_num(keypoints, nan=3))
    assert len(diff(a, b)) == 0
    keypoints[0, 0] = [3, 7, 2]
    with_columns(a/'train_landmarker.npy', keypoints=keypoints)
    keypoints[0, 0, 0] = np.inf # of a file from elsewhere
    with_columns(b/'train_landmarker.npy', keypoints=keypoints)
    assert ', ? px' in str(diff(a, b)) and '"pixels": null' in diff(a, b).to_json() and 'inf,7' in '\n'.join(textconv.text_lines(b/'train_landmarker.npy'))


def test_a_version_that_says_less(pair, tmp_path):
    "A file of version 1 has no origins, and is compared by values"
    old = write(tmp_path/'old', 'detector', {'ears/a.png': ('train', [(0, 'ear', 9), (100, 'ear', 8)]), 'ears/\x1b[31m.png': ('val', [(0, 'ear', 7)])}, version=1)
    assert len(diff(old, pair[0])) == 0 and len(diff(old, pair[1])) == 3


def test_attributes_of_objects(tmp_path):
    "Recorded columns are compared by name and by text; what one version does not have cannot be"
    image(tmp_path/'raw/ears/a.png')
    def run(name, subjects, attributes=('subject', 'age')):
        text(tmp_path/'raw/ears/t.csv', 'filename,xmin,ymin,xmax,ymax,subject,age\n' + ''.join(f'a.png,{10*i},1,{10*i + 9},9,{o},4\n' for i, o in enumerate(subjects)))
        process(tmp_path/'raw', tmp_path/name, kinds=('detector',), train_split=1, sources=[Source('ears', attributes=[*attributes])])
        return tmp_path/name
    a, b, c = run('a', ['ann', 'bob']), run('b', ['ann', 'zoe'], ('age', 'subject')), run('c', ['ann', 'bob'], ('age',))
    change, = diff(a, b).changes()
    assert change['change'] == ['other attributes'] and 'subject: bob → zoe' in str(diff(a, b))
    assert [o.split('  ')[2:4] for o in textconv.text_lines(b/'train_detector.npy')][2:] == [['age=4', 'subject=zoe']]
    assert len(diff(a, a)) == 0 == len(diff(a, c)) and 'the attribute subject cannot be compared' in str(diff(a, c))


def test_neither_command_needs_torch(pair):
    code = 'import sys\nfrom ear_lazy.command import start\nstart(sys.argv[1:])\nprint([o for o in ("torch", "matplotlib") if o in sys.modules])'
    for args in (('diff', *pair), ('textconv', pair[0]/'train_detector.npy')):
        done = subprocess.run([os.sys.executable, '-c', code, *map(str, args)], capture_output=True, text=True)
        assert done.stdout.splitlines()[-1] == '[]', done.stderr


def test_git_diff_shows_objects(pair, tmp_path, monkeypatch):
    "With the two lines that the help tells; a moved object is a line"
    shown = called(start, 'textconv', '--help').stdout
    attributes, config = '*.npy diff=ear-lazy', 'git config diff.ear-lazy.textconv "ear-lazy textconv"'
    assert attributes in shown and config in shown
    monkeypatch.chdir(tmp_path)
    tool = tmp_path/'ear-lazy'
    tool.write_text(f'#!/bin/sh\nPYTHONPATH={os.path.dirname(os.path.dirname(textconv.__file__))} exec {os.sys.executable} -m ear_lazy.command "$@"\n')
    tool.chmod(0o755)
    monkeypatch.setenv('PATH', f"{tmp_path}:{os.environ['PATH']}")
    def git(*args): return subprocess.run(['git', *args], capture_output=True, text=True, check=True).stdout
    git('init', '-q')
    subprocess.run(config, shell=True, check=True)
    (tmp_path/'.gitattributes').write_text(attributes + '\n')
    (tmp_path/'train_detector.npy').write_bytes((pair[0]/'train_detector.npy').read_bytes())
    git('add', 'train_detector.npy', '.gitattributes')
    (tmp_path/'train_detector.npy').write_bytes((pair[1]/'train_detector.npy').read_bytes())
    changed = [o for o in git('diff').splitlines() if o[:1] in '+-' and o[:3] not in ('+++', '---')]
    assert changed[:4] == ['-ears/a.png  ear  [0, 10, 40, 40]  ears/ears.json, id 1', '-ears/a.png  ear  [100, 10, 40, 40]  ears/ears.json, id 2',
                           '+ears/a.png  ear  [4, 10, 40, 40]  ears/ears.json, id 1', '+ears/a.png  head  [100, 10, 40, 40]  ears/ears.json, id 2']
    assert [o['change'] for o in diff('git::train_detector.npy', 'train_detector.npy').changes()] == [['moved'], ['relabelled'], ['added']]


@pytest.mark.parametrize('content', [b'', b'hello', b'\x80\x04]', b'\x93NUMPY\x01\x00', b'PK\x03\x04'])
def test_textconv_of_what_is_no_metadata(tmp_path, content):
    (tmp_path/'file.npy').write_bytes(content)
    said = called(start, 'textconv', tmp_path/'file.npy')
    assert said.returncode == 0 and said.stdout.startswith('# not metadata of ear_lazy: ') and f'# {len(content)} bytes, xxh3-128 ' in said.stdout


def test_textconv_of_a_shard(tmp_path):
    photos = {f'ears/{i}.png': ('train', [(100*k, 'ear', 10*i + k) for k in range(i % 3)]) for i in range(9)}
    whole, cut = (write(tmp_path/name, 'detector', photos, cut=name == 'cut') for name in ('whole', 'cut'))
    lines = [*textconv.text_lines(whole/'train_detector.npy')]
    shards = [[*textconv.text_lines(o)] for o in sorted(cut.glob('*.npy'), key=lambda o: o.name.replace('detector.', 'detector-0.'))]
    assert len(shards) > 1 and [o for shard in shards for o in shard[1:]] == lines[1:] and all('shard' in o[0] for o in shards)
    assert len(lines) == 1 + sum(max(1, i % 3) for i in range(9)) and Metadata(whole/'train_detector.npy').kind in lines[0]


@pytest.mark.slow
def test_many_that_overlap(tmp_path):
    "A photo with hundreds of objects that all overlap takes no time"
    n = 600
    a, b = (write(tmp_path/str(d), 'detector', {'ears/a.png': ('train', [(i*0.01 + d*1.005, 'ear', i + d*n) for i in range(n)])}) for d in (0, 1))
    assert diff(a, b).counts['detector']['objects moved'] == n
