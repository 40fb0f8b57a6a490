"A journal of corrections against a plain model: edits, undo, redo, merges, and raw data that an export has replaced"
import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tiers import tries

from ear_lazy.base.change import Value
from ear_lazy.base.origin import Origin
from ear_lazy.correcting.applying import apply_to_photo
from ear_lazy.correcting.chains import fold
from ear_lazy.correcting.journal import Photo, Stated, new_line

PHOTO = Photo('a.jpg', size=(1000, 1000))


def view(lines, raw):
    "key → (`Stated`, chain) of the photo's objects, corrected; and conflicts"
    state = fold(lines).get('a.jpg')
    found, conflicts = {i: (o, None) for i, o in enumerate(raw)}, []
    for o in apply_to_photo(state, raw) if state else ():
        if o.status in ('conflict', 'absent'): conflicts.append(o)
        elif o.status == 'deleted': del found[o.object]
        elif o.status == 'added': found['new', o.chain.id] = Stated.of(o.value, o.chain.origins), o.chain
        elif o.object is not None: found[o.object] = Stated.of(o.value, raw[o.object].origins), o.chain
    return found, conflicts


def near(a, b): return a.label == b.label and all(abs(x - y) <= 1.02 for x, y in zip(a.box, b.box))


class Corrections(RuleBasedStateMachine):
    "Two people correct the same photo, each in a copy of the journal"
    @initialize(n=st.integers(1, 4))
    def begin(self, n):
        self.raw = [Stated.of(Value((10. + 100 * i, 20., 30., 40.), label='ear'), [Origin('a.csv', f'line {i + 2}')]) for i in range(n)]
        self.journals, self.model, self.number = [{}, {}], {i: o.value for i, o in enumerate(self.raw)}, n # name of an object → value
        self.touched, self.done, self.undone = [set(), set()], [], [] # (who, line ids, object, value before, after)

    def seen_by(self, who):
        "Object of the model that each one of the view is, by value"
        found, conflicts = view(self.journals[who].values(), self.raw)
        assert not conflicts, conflicts
        return found

    def own(self, who): return [o for o in self.model if o not in self.touched[1 - who]]

    def find(self, who, name):
        value = self.model[name]
        return next(o for o in self.seen_by(who).values() if near(o[0].value, value))

    def write(self, who, line, name, before, after):
        self.journals[who][line.id] = line
        self.touched[who].add(name)
        self.done.append((who, [line.id], name, before, after))
        self.undone = []
        self.put(name, after)

    def put(self, name, value):
        if value is None: self.model.pop(name, None)
        else: self.model[name] = value

    @rule(who=st.integers(0, 1), data=st.data())
    def change(self, who, data):
        if not (names := self.own(who)): return
        name = data.draw(st.sampled_from(names))
        was, chain = self.find(who, name)
        i = name
        new = data.draw(st.sampled_from((Value((100. * i + data.draw(st.integers(0, 300)) / 10, 20., 30., 40.)), Value(label=data.draw(st.sampled_from(('ear', 'left', 'right')))))))
        now = was.value._replace(**{k: v for k, v in new._asdict().items() if v is not None})
        if now == was.value: return
        self.write(who, new_line('set', PHOTO, was, Stated.of(new), chain.tips if chain else ()), name, self.model[name], now)

    @rule(who=st.integers(0, 1), data=st.data())
    def delete(self, who, data):
        if not (names := self.own(who)): return
        name = data.draw(st.sampled_from(names))
        was, chain = self.find(who, name)
        self.write(who, new_line('delete', PHOTO, was, after=chain.tips if chain else ()), name, self.model[name], None)

    @rule(who=st.integers(0, 1), label=st.sampled_from(('ear', 'left')))
    def add(self, who, label):
        name, self.number = self.number, self.number + 1
        if self.number > 9: return
        value = Value((100. * name + 5, 20., 30., 40.), label=label)
        self.write(who, new_line('add', PHOTO, now=Stated.of(value)), name, None, value)

    @precondition(lambda self: self.done)
    @rule()
    def undo(self):
        who, ids, name, before, after = self.done.pop()
        if name in self.touched[1 - who]: return self.done.clear()
        line = new_line('undo', of=ids)
        self.journals[who][line.id] = line
        self.touched[who].add(name)
        self.undone.append((who, [line.id], name, before, after))
        self.put(name, before)

    @precondition(lambda self: self.undone)
    @rule()
    def redo(self):
        who, ids, name, before, after = self.undone.pop()
        if name in self.touched[1 - who]: return self.undone.clear()
        line = new_line('undo', of=ids)
        self.journals[who][line.id] = line
        self.touched[who].add(name)
        self.done.append((who, [line.id], name, before, after))
        self.put(name, after)

    @rule()
    def merge(self):
        both = [*(self.journals[0] | self.journals[1]).items()]
        random.Random(0).shuffle(both)
        self.journals, self.touched = [dict(both), dict(both[::-1])], [set(), set()]

    @rule(decimals=st.integers(0, 2), renumber=st.booleans())
    def export_and_replace(self, decimals, renumber):
        self.merge()
        found = sorted(self.seen_by(0).values(), key=lambda o: o[0].value.box)
        def written(o):
            return tuple(round(v, decimals) for v in o.box)
        self.raw = [Stated.of(o.value._replace(box=written(o)), [Origin('a.csv', f'line {i + 2}')] if renumber or 'added' in o.origins[0].where else o.origins) for i, (o, _) in enumerate(found)]
        if not renumber and len({o.origins for o in self.raw}) < len(self.raw): self.raw = [Stated.of(o.value, [Origin('a.csv', f'line {i + 2}')]) for i, o in enumerate(self.raw)]

    @invariant()
    def is_as_the_model_says(self):
        lines = [*(self.journals[0] | self.journals[1]).values()]
        found, conflicts = view(lines, self.raw)
        assert not conflicts, conflicts
        left = [o.value for o, _ in found.values()]
        for value in self.model.values():
            same = next((o for o in left if near(o, value)), None)
            assert same is not None, (value, left)
            left.remove(same)
        assert not left, left
        again = view(lines[::-1] + lines, self.raw)[0] # neither order nor repeats matter
        assert {k: o for k, (o, _) in again.items()} == {k: o for k, (o, _) in found.items()}


def _run(n, many):
    case = Corrections.TestCase
    case.settings = settings(max_examples=n, stateful_step_count=many, deadline=None, derandomize=True, database=None)
    case().runTest()


def test_a_journal_is_as_a_plain_model(): _run(tries(60), 15)


@pytest.mark.slow
def test_a_journal_is_as_a_plain_model_over_long_histories(): _run(150, 40)
