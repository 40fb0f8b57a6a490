"The openers and readers on the corpus of the fuzzer, with all that it has found, and the fuzzer itself for a while"
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from making import ROOT
from tally import tally
from targets import TARGETS, at_once, make_folder, seeds

from ear_lazy.formats.registry import readers


@pytest.fixture(scope='module')
def folder(tmp_path_factory): return make_folder(tmp_path_factory.mktemp('fuzz'))


@pytest.mark.parametrize(('target', 'file'), seeds(), ids=lambda o: o if isinstance(o, str) else o.name)
def test_corpus(folder, target, file):
    with at_once(): TARGETS[target](folder, file.read_bytes())


def test_every_reader_is_fuzzed(): assert TARGETS.keys() >= readers().keys() - {'images'} # that one reads names alone


def test_the_corpus_is_small(): assert sum(file.stat().st_size for _, file in seeds()) < 100_000


@pytest.mark.fuzz
def test_fuzz(tmp_path):
    "FUZZ_SECONDS, a minute by default, over all targets; what it finds is left in the test's folder"
    pytest.importorskip('atheris')
    seconds = int(os.environ.get('FUZZ_SECONDS', 60))
    done = subprocess.run([sys.executable, Path(__file__).parent/'fuzz.py', 'all', str(seconds), tmp_path], capture_output=True, text=True, cwd=ROOT, timeout=seconds + 120)
    assert done.returncode == 0, done.stderr[-4000:]
    inputs = int(re.search(r'number_of_executed_units: (\d+)', done.stderr)[1])
    tally('fuzzing', 'all targets', seconds=seconds, inputs=inputs, findings=0)
    assert inputs > 20 * seconds
