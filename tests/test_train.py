"The training notebook works with real photos in place of the drawn heads"
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NOTEBOOK = ROOT/'nbs/tutorials/train.ipynb'
EARS = ROOT.parent/'shared/real/ears_yolo_pose'
SEEN = os.environ.get('EAR_LAZY_TRAIN_SEEN', '400') # samples that each model sees; 30000 for a detector that finds some ears: mAP@50 0.25, three minutes


@pytest.mark.skipif(not EARS.is_dir(), reason=f'no real data at {EARS}')
def test_with_real_ears():
    cells = json.loads(NOTEBOOK.read_text(encoding='utf-8'))['cells']
    code = '\n'.join(''.join(cell['source']) for cell in cells if cell['cell_type'] == 'code')
    env = os.environ | {'EAR_LAZY_TRAIN_RAW': str(EARS), 'EAR_LAZY_TRAIN_SEEN': SEEN, 'MPLBACKEND': 'agg'}
    ran = subprocess.run([sys.executable, '-c', code], env=env, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    print(ran.stdout)
    score, without, left = (line for line in ran.stdout.splitlines() if line.startswith(('mAP@50', 'There are no sets', '24 crops')))
    assert score.startswith('mAP@50 on 24 images') and 0 <= float(score.split()[-1]) <= 1
    assert without == 'There are no sets of 55 landmarks in this raw dataset, so no landmarker is trained.'
    assert left.startswith('24 crops of the val split')
