"The journal of corrections under bad circumstances: killed writers, many writers, full disks, other programs that put files in its place"
import os
import random
import signal
import subprocess
import sys
import threading

import pytest
from tiers import tier

from ear_lazy.correcting import journal as module
from ear_lazy.correcting.chains import fold
from ear_lazy.correcting.journal import Journal, Photo, Stated, encoded, new_line

WRITER = """import sys
from ear_lazy.correcting.journal import Journal, Photo, Stated, new_line
journal, photo = Journal(sys.argv[1]), Photo('a.jpg', size=(100, 200))
print('ready', flush=True)
for i in range(100_000):
    line = new_line('add', photo, now=Stated(box=(i, 1., 2., 3.), label='ear' * 200))
    journal.append([line])
    print(line.id, flush=True)"""


def line(i=0): return new_line('add', Photo('a.jpg'), now=Stated(box=(float(i), 1., 2., 3.)))


def test_what_was_called_saved_is_there_after_a_kill(tmp_path):
    "Invariant 8: a correction is on disk before it is called saved"
    path, saved = tmp_path/'corrections.jsonl', set()
    for n in range(50 if tier['longer'] else 3):
        writer = subprocess.Popen([sys.executable, '-c', WRITER, path], stdout=subprocess.PIPE, text=True)
        assert writer.stdout.readline() == 'ready\n'
        for _ in range(random.Random(n).randrange(1, 12)): saved.add(writer.stdout.readline().strip())
        threading.Event().wait(random.Random(n).random() / 200)
        writer.send_signal(signal.SIGKILL)
        told = {o for o in writer.stdout.read().split() if len(o) == 16}
        saved |= told
        assert writer.wait() == -signal.SIGKILL
        found = Journal(path)
        assert saved <= {*found.lines}
        assert len(found.lines) - len(saved) <= n + 1 # the action under way may be there, or not
        assert len(found.faults) <= n + 1


def test_a_torn_line_spoils_no_other(tmp_path):
    "Cut anywhere, what is whole stays"
    lines, path = [line(i) for i in range(3)], tmp_path/'corrections.jsonl'
    data = b''.join(encoded(o) + b'\n' for o in lines)
    for cut in range(0, len(data) + 1, 1 if tier['longer'] else 37):
        path.write_bytes(data[:cut])
        journal = Journal(path)
        assert {*journal.lines} == {o.id for i, o in enumerate(lines) if data[:cut].count(b'\n') > i or data[:cut].endswith(encoded(o))}
        new = line(9)
        journal.append([new])
        assert journal.lines == Journal(path).lines and new.id in journal.lines
        assert len(journal.lines) + len(journal.faults) == data[:cut].count(b'\n') + bool(data[:cut].rpartition(b'\n')[2]) + 1


def test_a_full_disk_leaves_the_journal_as_it_was(tmp_path, monkeypatch):
    journal = Journal(tmp_path/'corrections.jsonl')
    journal.append([line()])
    before = journal.path.read_bytes()
    write = os.write
    def some(fd, data):
        if len(data) > 50: return write(fd, data[:50])
        raise OSError(28, 'No space left on device')
    monkeypatch.setattr(module.os, 'write', some)
    with pytest.raises(OSError, match='No space'): journal.append([line(1)])
    assert journal.path.read_bytes() == before
    monkeypatch.undo()
    journal.append([line(2)])
    assert len(Journal(journal.path).lines) == 2 and not journal.faults


def test_a_file_put_in_its_place_is_followed(tmp_path):
    "As git and editors do"
    path = tmp_path/'corrections.jsonl'
    mine, theirs = Journal(path), [line(i) for i in range(3)]
    mine.append([line(5)])
    (tmp_path/'new').write_bytes(b''.join(encoded(o) + b'\n' for o in theirs))
    os.replace(tmp_path/'new', path)
    new = line(6)
    mine.append([new])
    assert {*mine.lines} == {*Journal(path).lines} == {*(o.id for o in theirs), new.id}
    path.write_bytes(path.read_bytes()[:10]) # cut by somebody
    mine.refresh()
    assert not mine.lines and len(mine.faults) == 1
    path.unlink()
    mine.refresh()
    assert not mine.lines and not mine.faults and mine.digest == ''


def test_a_file_put_in_place_while_it_is_written_gets_the_lines_too(tmp_path, monkeypatch):
    path = tmp_path/'corrections.jsonl'
    journal, other = Journal(path), line(1)
    journal.append([line(0)])
    flush, done = os.fsync, []
    def replaced(fd):
        flush(fd)
        if done: return
        done.append(1)
        (tmp_path/'new').write_bytes(encoded(other) + b'\n')
        os.replace(tmp_path/'new', path)
    monkeypatch.setattr(module.os, 'fsync', replaced)
    new = line(2)
    journal.append([new])
    assert {*Journal(path).lines} == {other.id, new.id}


def test_threads_and_objects_of_one_process_lose_nothing(tmp_path):
    path = tmp_path/'corrections.jsonl'
    shared, own = Journal(path), [Journal(path) for _ in range(3)]
    def write(journal):
        for i in range(10): journal.append([line(i)])
    threads = [threading.Thread(target=write, args=[o]) for o in (shared, shared, *own)]
    for o in threads: o.start()
    for o in threads: o.join()
    assert len(Journal(path).lines) == 50 and not Journal(path).faults


@pytest.mark.parametrize('text', [b'{}', b'[]', b'null', b'{"id":"x","op":"set"}', b'\xff\xfe', b'[' * 100_000, b'{"a":' * 100_000, b'{"id":"0000000000000001","op":"undo","of":["0000000000000001"]}',
                                  b'{"id":"0000000000000001","op":"add","photo":{"path":"a"},"now":{"box":[1e400,1,1,1]}}', b'{"v":2,"id":"0000000000000001","op":"exclude","photo":{"path":"a"}}',
                                  b'{"id":"f000000000000001","op":"exclude","photo":{"path":"a"}}', b'{"id":"0000000000000001","op":"set","photo":{"path":"a"},"was":{},"now":{"points":[[1,2,3]]}}'], ids=lambda o: repr(o[:20]))
def test_hostile_lines_are_named_and_passed_over(tmp_path, text):
    path, good = tmp_path/'corrections.jsonl', line()
    path.write_bytes(text + b'\n' + encoded(good) + b'\n')
    journal = Journal(path)
    assert [*journal.lines] == [good.id] and [n for n, _ in journal.faults] == [1] and journal.faults[0][1]


def test_two_lines_of_one_id_come_to_the_same_in_any_order(tmp_path):
    a = line(1)
    b = new_line('exclude', Photo('b.jpg'))
    b = type(b)(id=a.id, op='exclude', photo=b.photo)
    found = []
    for i, lines in enumerate(([a, b], [b, a], [b, a, b])):
        path = tmp_path/f'{i}.jsonl'
        path.write_bytes(b''.join(encoded(o) + b'\n' for o in lines))
        journal = Journal(path)
        found.append((journal.digest, journal.lines))
        assert journal.faults
    assert found[0] == found[1] == found[2]


def test_lines_that_undo_each_other_in_a_circle_end(tmp_path):
    a = new_line('undo', of=['0000000000000001'])
    circle = [type(a)(id=f'{i:016x}', op='undo', of=(f'{(i + 1) % 3:016x}',)) for i in range(3)]
    one = line()
    follow = [type(one)(id=f'{i + 10:016x}', op='set', photo=one.photo, was=Stated(box=(1., 1., 2., 3.)), now=Stated(label='a'), after=(f'{(i + 1) % 3 + 10:016x}',)) for i in range(3)]
    assert len(fold([*circle, *follow])['a.jpg'].chains) == 1


def test_a_journal_that_is_a_pipe_or_a_folder_is_refused(tmp_path):
    os.mkfifo(tmp_path/'pipe')
    for path in (tmp_path/'pipe', tmp_path):
        with pytest.raises(OSError): Journal(path).append([line()])
