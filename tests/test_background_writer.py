"The background writer against a list: whatever is written, when the disk is slow and when it fails, nothing is lost, swapped or written twice"
import threading
import time

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ear_lazy.processing.background_writer import BackgroundWriter


class DiskFull(OSError): pass


def writing(): return [o for o in threading.enumerate() if o.name == 'ear_lazy-writer']


class WriterAgainstList(RuleBasedStateMachine):
    "The disk takes as many flushes as it is allowed, and fails at one of them"
    @initialize(flush_every=st.integers(1, 4), queue_size=st.integers(1, 5), fails_at=st.none() | st.integers(0, 6))
    def start(self, flush_every, queue_size, fails_at):
        self.flush_every, self.queue_size, self.fails_at = flush_every, queue_size, fails_at
        self.written, self.disk, self.flushes, self.calls = [], [], [], 0
        self.permits, self.given = threading.Semaphore(0), 0
        self.writer, self.threads = BackgroundWriter(self.flush, flush_every, queue_size), set()

    def flush(self, batches):
        self.permits.acquire()
        self.threads.add(threading.current_thread())
        self.calls += 1
        if self.calls - 1 == self.fails_at: raise DiskFull(28, 'No space left on device')
        self.flushes.append(len(batches))
        self.disk += batches

    @property
    def expected(self):
        "What reaches the disk in the end"
        return self.written if self.fails_at is None else self.written[:self.fails_at * self.flush_every]

    @property
    def fails(self): return self.fails_at is not None and len(self.written) > self.fails_at * self.flush_every

    @precondition(lambda self: len(self.written) - self.given * self.flush_every < self.queue_size) # else it would wait, as it should
    @rule(batch=st.none() | st.integers() | st.lists(st.integers(), max_size=2))
    def write(self, batch):
        try: self.writer.write(batch)
        except DiskFull: assert self.fails
        else: self.written.append(batch)

    @rule(n=st.integers(1, 3))
    def disk_goes_on(self, n):
        self.given += n
        for _ in range(n): self.permits.release()

    @rule()
    def wait_a_moment(self): time.sleep(0.001)

    @invariant()
    def the_disk_has_the_start(self):
        disk = list(self.disk)
        assert disk == self.written[:len(disk)] and len(self.threads) <= 1 and threading.current_thread() not in self.threads

    def let_go(self):
        for _ in range(len(self.written) + 1): self.permits.release()

    @rule(again=st.booleans())
    def close(self, again):
        self.let_go()
        for _ in range(1 + again):
            if not self.fails: self.writer.close()
            else:
                with pytest.raises(DiskFull): self.writer.close()
        assert self.disk == self.expected and not writing()
        assert all(n == self.flush_every for n in self.flushes[:-1]) and (self.fails or sum(self.flushes) == len(self.written))
        with pytest.raises(DiskFull if self.fails else ValueError): self.writer.write(1)
        self.start(self.flush_every, self.queue_size, self.fails_at)

    @rule()
    def interrupt(self):
        "What waits is not written; what was written is the start"
        self.let_go()
        with pytest.raises(KeyboardInterrupt), self.writer: raise KeyboardInterrupt
        assert self.disk == self.written[:len(self.disk)] and not writing()
        self.start(self.flush_every, self.queue_size, self.fails_at)

    def teardown(self):
        if not hasattr(self, 'writer'): return
        self.let_go()
        try: self.writer.close()
        except DiskFull: assert self.fails
        assert self.disk == self.expected and not writing()


WriterAgainstList.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestWriterAgainstList = WriterAgainstList.TestCase


def test_no_batch_ends_it():
    "… whatever its value"
    disk = []
    with BackgroundWriter(disk.extend, 2) as w:
        for batch in (None, False, 0, [], 'x'): w.write(batch)
    assert disk == [None, False, 0, [], 'x']


def test_what_waits_when_it_is_interrupted_is_not_written():
    "… but for what is under way"
    gate, disk = threading.Event(), []
    def flush(batches):
        gate.wait()
        disk.extend(batches)
    writer = BackgroundWriter(flush)
    thread, = writing()
    join = thread.join
    thread.join = lambda: [gate.set(), join()] # the disk goes on once the thread has been told
    with pytest.raises(KeyboardInterrupt), writer:
        for i in range(5): writer.write(i)
        raise KeyboardInterrupt
    assert disk in ([], [0]) and not writing()


def test_a_full_queue_waits_and_memory_is_bounded():
    gate, disk = threading.Event(), []
    def flush(batches):
        gate.wait()
        disk.extend(batches)
    writer, sent = BackgroundWriter(flush, queue_size=3), []
    def send():
        for i in range(50):
            writer.write(i)
            sent.append(i)
    sender = threading.Thread(target=send)
    sender.start()
    time.sleep(0.2)
    assert len(sent) <= 3 + 1 + 1, 'the queue, and what the thread holds'
    gate.set()
    sender.join()
    writer.close()
    assert disk == sent == list(range(50))
