"What tutorials/reliability shows is counted: each family of attacks, and what failed"
import json

from making import ROOT
from tally import ATTACKS, TESTS, tally_attack


def test_every_family_of_attacks_has_a_row():
    assert {o.stem for o in (ROOT/'tests/attacks').glob('test_*.py')} == ATTACKS.keys() and len({*ATTACKS.values()}) == len(ATTACKS)
    assert all((ROOT/'tests'/o).exists() for o in TESTS)


def test_every_test_that_counts_is_in_the_run():
    counting = {o.relative_to(ROOT/'tests').parts[0] for o in (ROOT/'tests').rglob('*.py') if '\nfrom tally import' in o.read_text(encoding='utf-8')}
    assert counting - {'conftest.py', 'test_tally.py'} <= {*TESTS}


def test_what_fails_is_let_in(tmp_path, monkeypatch):
    monkeypatch.setenv('EAR_LAZY_TALLY', str(tmp_path/'tally.json'))
    for passed in (True, False, True): tally_attack('test_root', passed)
    assert json.loads((tmp_path/'tally.json').read_text()) == {'attacks': {ATTACKS['test_root']: {'tried': 3, 'let_in': 1}}}
