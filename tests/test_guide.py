"Every code block of the usage guide works once the module path is replaced"
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ear_lazy.synthetic import write_raw

GUIDE = Path(__file__).parents[2]/'shared/usage_guide.md'
pytestmark = pytest.mark.skipif(not GUIDE.is_file(), reason=f'no usage guide at {GUIDE}')


def blocks(language):
    text = re.sub(r'(common|shared)\.data_processing\b', 'ear_lazy', GUIDE.read_text(encoding='utf-8'))
    return re.findall(rf'^```{language}\n(.*?)\n```$', text, flags=re.S | re.M)


def run(command, cwd):
    ran = subprocess.run([sys.executable, *command], cwd=cwd, capture_output=True, text=True)
    assert ran.returncode == 0, f'{command}\n{ran.stderr}'
    return ran.stdout


@pytest.fixture(scope='module')
def here(tmp_path_factory):
    "A folder with raw data where the guide has it, processed, and the old file that it opens"
    folder = tmp_path_factory.mktemp('guide')
    for data in ('data', 'common/data'): write_raw(folder/data/'raw', images=12)
    run(['-m', 'ear_lazy.data_processor', '--all'], folder)
    np.savez(folder/'train_detector.npz', images=np.zeros((2, 8, 8, 3), np.uint8))
    return folder


def test_commands(here):
    lines = [line for block in blocks('bash') for line in block.splitlines() if line and not line.startswith('#')]
    assert len(lines) >= 4
    for line in lines:
        program, *arguments = line.split()
        assert program == 'python'
        run(arguments, here)


def test_python(here):
    "The blocks in their order, each after those before it, with one epoch instead of a hundred"
    found = blocks('python')
    assert len(found) >= 9 and 'for epoch in range(100):' in found[-1]
    code = '\n'.join(['import numpy as np', *found]).replace('range(100)', 'range(1)')
    code = code.replace("LazyNPYDataset('train_detector.npy')", "LazyNPYDataset('data/preprocessed/train_detector.npy')")
    printed = run(['-c', code], here)
    assert "dict_keys(['image', 'bboxes', 'image_path'])" in printed
    assert re.search(r'Dataset length: [1-9]', printed) and re.search(r'Combined length: [1-9]', printed)
