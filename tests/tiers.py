"What runs at each change and what only with `-m slow`: some of many cases at each change, in which every value occurs, and all of them in the longer tier"
from itertools import product

import pytest

tier = {'longer': False} # set by conftest.py


def tries(n):
    "Examples of a property: a quarter of them at each change"
    return n if tier['longer'] else max(n // 4, 25)


def one_of(n, *lists):
    "Combinations of values for `parametrize`: one of n at each change"
    cases = list(product(*map(enumerate, lists)))
    chosen = [sum(i for i, _ in case) % n == 0 for case in cases]
    assert all({case[k][0] for case, c in zip(cases, chosen) if c} == {*range(len(o))} for k, o in enumerate(lists)), 'every value occurs'
    return [pytest.param(*(o for _, o in case), marks=() if c else pytest.mark.slow) for case, c in zip(cases, chosen)]


def steps(n):
    "Every nth step at each change, and each step in the longer tier"
    return pytest.mark.parametrize('step', [n, pytest.param(1, marks=pytest.mark.slow)])
