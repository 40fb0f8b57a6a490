"Annotation files that are made to bring a run down: beside them a good file is read, and memory stays by what they weigh"
import json
import os
import subprocess
import sys
import zipfile

import pytest
from making import ROOT, boxes, image, text
from tally import tally

MB, DEPTH = 2**20, 1_000_000
WEIGHT = 48 # bytes of memory for one of a file; ElementTree makes some 280 of the seven of `<a></a>`
ZIP_BYTES = 200 * MB # of a file that is packed into 200 kB
pytestmark = pytest.mark.skipif(not os.path.exists('/proc/self/status'), reason='memory is measured as Linux tells it')

RUN = '''
import json, sys
from ear_lazy.data_processor import DataProcessor
report = DataProcessor(sys.argv[1], sys.argv[2], num_workers=0, progress=False).process_all()
peak = next(int(o.split()[1]) * 1024 for o in open('/proc/self/status') if o.startswith('VmHWM'))
print(json.dumps(dict(peak=peak, problems=[str(p) for p in report.problems])))
'''


def process(folder):
    "What a run says of a raw folder, and the most memory that it took"
    p = subprocess.run([sys.executable, '-c', RUN, folder/'raw', folder/'out'], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert p.returncode == 0, p.stderr[-2000:]
    return json.loads(p.stdout)


def good(folder):
    image(folder/'raw/ears/a.png')
    text(folder/'raw/ears/good.csv', 'image_path,x1,y1,w,h\na.png,1,2,10,10\n')
    return folder


@pytest.fixture(scope='module')
def plain_peak(tmp_path_factory): return process(good(tmp_path_factory.mktemp('plain')))['peak']


def nested(start, end='', open=b'[', close=b']'): return start.encode() + open * DEPTH + close * DEPTH + end.encode()


COCO = '{"images": [{"id": 1, "file_name": "a.png", "x": ', '}], "annotations": [{"id": 1, "image_id": 1, "bbox": [1, 2, 3, 4]}], "categories": []}'
LABELME = '{"version": "5", "shapes": [{"label": "ear", "shape_type": "rectangle", "points": [[1, 1], [9, 9]], "x": ', '}], "imagePath": "a.png"}'
CREATEML = '[{"image": "a.png", "annotations": [{"label": "ear", "coordinates": {"x": 5, "y": 5, "width": 4, "height": 4}, "x": ', '}]}]'
VOC = '<annotation><filename>a.png</filename><object>', '</object></annotation>'
CSV = 'image_path,x1,y1,w,h\na.png,1,2,3,'
FILES = {
    'a list that opens and opens': ('a.json', lambda: b'[' * DEPTH, 'not valid JSON'),
    'COCO, nested': ('a.json', lambda: nested(*COCO), 'a.json'), 'LabelMe, nested': ('a.json', lambda: nested(*LABELME), 'a.json'),
    'CreateML, nested': ('a.json', lambda: nested(*CREATEML), 'a.json'), 'VOC, nested': ('a.xml', lambda: nested(*VOC, b'<a>', b'</a>'), 'a.xml'),
    'a CSV field without end': ('b.csv', lambda: CSV.encode() + b'4' * 60 * MB, 'b.csv (line 2)'),
    'a JSON text of one line without end': ('a.json', lambda: b'{"images": [{"id": 1, "file_name": "' + b'a' * 60 * MB, 'a.json')}


@pytest.mark.parametrize('what', FILES)
def test_a_file_that_is_made_to_bring_a_run_down(tmp_path, plain_peak, what):
    name, data, said = FILES[what]
    file = text(good(tmp_path)/'raw/ears'/name, data())
    found = process(tmp_path)
    tally('hostile', 'annotation files without end or bottom', tried=1, let_in=len(boxes(tmp_path/'out')) != 1)
    assert boxes(tmp_path/'out') == [('ears/a.png', [1, 2, 10, 10])]
    assert any(said in o for o in found['problems']), found['problems']
    assert found['peak'] - plain_peak <= WEIGHT * file.stat().st_size + 64 * MB


def labels(size): return b'{"shapes": [{"label": "0", "points": [[1, 1]]}], "imagePath": "' + b'a' * size + b'"}'


@pytest.mark.parametrize('what', ['one large file', 'many files', 'a path that climbs out'])
def test_an_archive_that_is_made_to_bring_a_run_down(tmp_path, plain_peak, what):
    with zipfile.ZipFile(good(tmp_path)/'raw/ears/AudioEar2D.zip', 'w', zipfile.ZIP_DEFLATED) as archive:
        if what == 'one large file': archive.writestr('1.json', labels(ZIP_BYTES))
        elif what == 'many files':
            for i in range(ZIP_BYTES // (10 * MB)): archive.writestr(f'{i}.json', labels(10 * MB))
        else: archive.writestr('../../../climbed.json', labels(1))
    found = process(tmp_path)
    tally('hostile', 'archives that are bombs, or climb out', tried=1, let_in=len(boxes(tmp_path/'out')) != 1)
    assert boxes(tmp_path/'out') == [('ears/a.png', [1, 2, 10, 10])]
    assert not list(tmp_path.rglob('climbed.json'))
    assert found['peak'] - plain_peak <= 128 * MB
