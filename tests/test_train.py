"The training notebook works with any photos in place of the drawn heads"
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from making import coco, image, pts

ROOT = Path(__file__).parent.parent
NOTEBOOK = ROOT/'nbs/tutorials/train.ipynb'
REAL = ROOT.parent/'shared/real'
EARS = REAL/'ears_yolo_pose'
SEEN = os.environ.get('EAR_LAZY_TRAIN_SEEN', '400') # samples that each model sees; 30000 for a detector that finds some ears: mAP@50 0.25, three minutes
WITHOUT = {'detector': 'There are no boxes in this raw dataset, so no detector is trained.',
           'landmarker': 'There are no sets of two or more landmarks in this raw dataset, so no landmarker is trained.',
           'autoencoder': 'There are no objects in this raw dataset, so no autoencoder is trained.'}


def told(raw, seen='20'):
    "What the notebook says of its models when it is run with a raw folder"
    cells = json.loads(NOTEBOOK.read_text(encoding='utf-8'))['cells']
    code = '\n'.join(''.join(cell['source']) for cell in cells if cell['cell_type'] == 'code')
    env = os.environ | {'EAR_LAZY_TRAIN_RAW': str(raw), 'EAR_LAZY_TRAIN_SEEN': seen, 'MPLBACKEND': 'agg'}
    ran = subprocess.run([sys.executable, '-c', code], env=env, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    print(ran.stdout)
    lines = [o for o in ran.stdout.splitlines() if o.startswith(('mAP@50', 'There are no')) or ' split: ' in o]
    assert len(lines) == 3
    return lines


@pytest.mark.skipif(not EARS.is_dir(), reason=f'no real data at {EARS}')
def test_with_real_ears():
    score, without, left = told(EARS, SEEN)
    assert score.startswith('mAP@50 on 24 images') and 0 <= float(score.split()[-1]) <= 1
    assert without == WITHOUT['landmarker']
    assert left.startswith('24 crops of the val split')


def everything(raw):
    "Photos of which half are broken, with no, one or several boxes of three classes, and 1, 5 or 7 points, some of them unlabelled"
    def annotations(i):
        return [dict(bbox=[5*j, 5, 20, 30], category_id=j + 1, keypoints=[v for k in range((5, 7, 5, 1)[i % 4]) for v in (5*j + k, 5 + k*k, (i % 5 > 0)*2)]) for j in range(i % 3)]
    coco(raw/'a.json', {f'{i}.jpg': annotations(i) for i in range(32)}, size=(60, 80), categories=[dict(id=o, name=f'class {o}') for o in (1, 2, 3)])
    for i in range(32):
        data = image(raw/f'{i}.jpg', (60, 80), i).read_bytes()
        if i // 2 % 2: (raw/f'{i}.jpg').write_bytes((data[:len(data)//2], b'', b'no photo')[i % 3])


def only_points(raw):
    for i in range(3):
        image(raw/f'{i}.png', (60, 80), i)
        pts(raw/f'{i}.pts', [(10 + o, 10 + o*o) for o in range(5 + i % 2)])


def nothing_but_broken(raw):
    coco(raw/'a.json', {f'{i}.jpg': [[5, 5, 20, 30]] for i in range(4)})
    for i in range(4): (raw/f'{i}.jpg').write_bytes(b'no photo')


@pytest.mark.slow
@pytest.mark.parametrize('make, lacking', [(everything, []), (only_points, ['detector']), (nothing_but_broken, [*WITHOUT])], ids=['everything', 'only_points', 'nothing'])
def test_with_any_data(tmp_path, make, lacking):
    make(tmp_path/'raw')
    assert [o for o in told(tmp_path/'raw') if o.startswith('There are no')] == [WITHOUT[o] for o in lacking]


@pytest.mark.slow
@pytest.mark.parametrize('name', sorted(o.name for o in REAL.iterdir() if o.is_dir()) if REAL.is_dir() else [])
def test_with_each_real_set(name): told(REAL/name)
