"Raw data that can be in two states, processes that are broken while they turn one into the other, and what is seen afterwards"
import os
import shutil
import signal

from making import coco, contents, image, leftovers, listing, process, pts, text
from tally import tally

from ear_lazy.processing import output_folder

CSV = 'image_path,x1,y1,w,h,label\n'


def lost(seen, right):
    "Bytes of files that are not as they should be"
    return sum(len(content) for name, content in right.items() if seen.get(name) != content)


def told(fault, seen, before, after=None):
    "Count a fault and what it left"
    states = [o for o in (before, after) if o is not None]
    tally('faults', fault, tried=1, old_files=seen == before, new_files=seen == after, bytes_lost=min(lost(seen, o) for o in states))


def kept(fault, out, before):
    "A fault has left the outputs of an earlier run as they were, and nothing beside them"
    seen = contents(out)
    told(fault, seen, before)
    assert seen == before and listing(out) == sorted(before) and not leftovers(out)


class Outputs:
    "A raw folder, its outputs before and after a change, and the folder that a broken run turns from one to the other"
    def __init__(self, folder, points=7):
        self.raw, self.out, self.points = folder/'raw', folder/'out', points
        for name in 'ab': image(self.raw/f'boxes/{name}.png', seed=ord(name))
        coco(self.raw/'boxes/boxes.json', {'a.png': [[1, 1, 9, 9]], 'b.png': [[2, 2, 9, 9]]})
        for name in 'ef': image(self.raw/f'table/{name}.png', seed=ord(name))
        for i in range(points): image(self.raw/f'points/imgs/{i}.png', (8, 8), seed=i)
        self.states = []
        for new in (False, True):
            self.change(new)
            process(self.raw, folder/f'right{new}')
            self.states.append(contents(folder/f'right{new}'))
        self.before, self.after = self.states
        assert not self.before.items() & self.after.items() and 'val_landmarker.npy' in self.before.keys() - self.after.keys()
        self.change(False)
        process(self.raw, self.out)
        self.turn()

    def change(self, new):
        "Other boxes, other points, another image missing, no landmarks in val"
        coco(self.raw/'boxes/boxes.json', {'a.png': [[1, 1, 9, 9 - new]], 'b.png': [[2, 2, 9, 9 - new]]})
        text(self.raw/'table/table.csv', f"{CSV}e.png,1,1,9,{9 - new},face\nf.png,1,1,9,{9 - new},ear\ngone{int(new)}.png,1,1,2,2,ear\n")
        shutil.rmtree(self.raw/'points/annot', ignore_errors=True)
        for i in [3] if new else range(self.points): pts(self.raw/f'points/annot/{i}.pts', [(1, 1), (i + 5, 9 - new)]) # 3 is in train

    def turn(self):
        "The outputs are those of the state before; the raw data is that of the state after"
        assert contents(self.out) == self.before
        self.change(self.after is self.states[1])

    def turn_round(self):
        self.before, self.after = self.after, self.before
        self.turn()

    def check(self, fault):
        "What a fault left is one of both states; the next run makes the new one and clears away the rest"
        seen = contents(self.out)
        told(fault, seen, self.before, self.after)
        assert seen in self.states, {o: [seen.get(o) == s.get(o) for s in self.states] for o in {*seen, *self.before, *self.after}}
        process(self.raw, self.out)
        assert contents(self.out) == self.after and not leftovers(self.out) and not any(o.is_symlink() for o in self.out.rglob('*'))
        return seen == self.after


CHANGES = 'replace', 'symlink', 'link', 'unlink', 'rmdir', 'mkdir'


def killed_at(turn, work):
    "Do work in a process of its own, which is killed when it has changed the folder so often since its files were complete; False where it ended before"
    if pid := os.fork(): return os.waitpid(pid, 0)[1] == signal.SIGKILL
    left, swap_files = iter(range(turn)), output_folder.swap_files
    def wrap(function):
        def wrapped(*args, **kwargs):
            if next(left, None) is None: os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)
        return wrapped
    def counted(*args):
        for o in CHANGES: setattr(os, o, wrap(getattr(os, o)))
        swap_files(*args)
    output_folder.swap_files = counted
    try: work()
    finally: os._exit(0)
