"`ear-lazy review`: the explorer in a browser, without Jupyter"
import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from urllib.request import urlopen

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.skipif(find_spec('marimo') is None, reason='marimo is not installed')]


@pytest.fixture
def review(processed, tmp_path):
    "The command on a dataset, with a journal of its own"
    journal = tmp_path/'corrections.jsonl'
    command = [sys.executable, '-m', 'ear_lazy.command', 'review', str(processed/'train_landmarker.npy'), '--corrections', str(journal), '--by', 'Ada', '--no-browser']
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | {'PYTHONUNBUFFERED': '1'}) as process:
        try:
            said = ''
            while not (url := re.search(r'http://\S+access_token=\S+', said)):
                line = process.stdout.readline()
                assert line, said
                said += line
            yield url[0], journal
        finally: process.terminate()
    with pytest.raises(OSError): urlopen(url[0], timeout=5) # the server has ended with it


def test_labels_are_corrected_without_jupyter(page, review, processed):
    url, journal = review
    page.goto(url.partition('?')[0])
    assert not page.locator('.eal').count() # nobody comes in without the token
    page.goto(url)
    page.wait_for_selector('.eal-cell.eal-loaded', timeout=60_000)
    page.locator('.eal-cell').nth(0).click()
    page.wait_for_selector('.eal-stage:not([aria-busy])')
    page.keyboard.press('Tab')
    page.keyboard.press('Shift+ArrowRight')
    page.get_by_text(re.compile('^saved ..:..$')).wait_for()
    (line,) = map(json.loads, journal.read_text().splitlines())
    assert (line['op'], line['by']) == ('set', 'Ada')
    assert [round(b[0] - a[0], 3) for a, b in zip(line['was']['points'], line['now']['points'])] == [10.]*55
