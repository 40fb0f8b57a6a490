"The openers and readers on the corpus of the fuzzer, with all that it has found, and the fuzzer itself for a while"
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from making import ROOT
from tally import tally
from targets import TARGETS, at_once, make_folder, seeds

from ear_lazy.formats.shared.registry import readers


@pytest.fixture(scope='module')
def folder(tmp_path_factory): return make_folder(tmp_path_factory.mktemp('fuzz'))


@pytest.mark.parametrize(('target', 'file'), seeds(), ids=lambda o: o if isinstance(o, str) else o.name)
def test_corpus(folder, target, file):
    with at_once(): TARGETS[target](folder, file.read_bytes())
    tally('fuzzing', target, fixed=file.name.startswith('found'))


def test_every_reader_is_fuzzed(): assert TARGETS.keys() >= readers().keys() - {'images'} # that one reads names alone


def test_the_corpus_is_small(): assert sum(file.stat().st_size for _, file in seeds()) < 100_000


SECONDS, WHAT = int(os.environ.get('FUZZ_SECONDS', 10)), os.environ.get('FUZZ_TARGETS', 'all').split()


def children_time(): return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


@pytest.mark.fuzz
@pytest.mark.slow # the corpus, with all that was found, and mutations of it run at each change
@pytest.mark.parametrize('target', TARGETS if WHAT == ['each'] else WHAT)
def test_fuzz(tmp_path, target, seconds=SECONDS):
    "FUZZ_SECONDS, 10 by default, over FUZZ_TARGETS: some names, 'each' of them, or 'all' at once; what it finds is left in the test's folder"
    pytest.importorskip('atheris')
    before = children_time()
    done = subprocess.run([sys.executable, Path(__file__).parent/'fuzz.py', target, str(seconds), tmp_path], capture_output=True, text=True, cwd=ROOT, timeout=seconds + 600)
    inputs = re.search(r'number_of_executed_units: (\d+)', done.stderr)
    tally('fuzzing', target, seconds=seconds, inputs=int(inputs[1]) if inputs else 0, findings=done.returncode != 0)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    assert int(inputs[1]) > 20 * (children_time() - before), 'inputs in a second of the processor'
