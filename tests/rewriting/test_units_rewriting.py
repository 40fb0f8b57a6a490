"Tables whose user says what their numbers are: changes of rows are written as such numbers"
import pytest
from making import image, text
from tiers import one_of

from ear_lazy.data_processor import DataProcessor, Source
from ear_lazy.lazy_dataset import LazyNPYDataset
from ear_lazy.rewrite import added, changed, deleted, rewrite

HEADS = {'xywh': ('x1', 'y1', 'w', 'h'), 'xyxy': ('x', 'y', 'w', 'h'), 'cxcywh': ('cx', 'cy', 'w', 'h')}


@pytest.mark.parametrize('numbers, units', one_of(3, list(HEADS), ['fraction', 'percent', '']))
def test_numbers_stay_what_the_user_says(tmp_path, units, numbers):
    raw, (a, b) = tmp_path/'raw', {'fraction': (80, 60), 'percent': (.8, .6), '': (1, 1)}[units]
    for o in 'pqr': image(raw/f'ears/{o}.jpg', (60, 80))
    def line(name, x, y, w, h):
        found = {'xywh': (x, y, w, h), 'xyxy': (x, y, x + w, y + h), 'cxcywh': (x + w / 2, y + h / 2, w, h)}[numbers]
        return ','.join([f'{name}.jpg', *(f'{o:.3f}' for o in (found[0] / a, found[1] / b, found[2] / a, found[3] / b)), 'kept'])
    lines = [','.join(['image_path', *HEADS[numbers], 'note']), line('p', 10, 12, 40, 30), line('q', 20, 12, 20, 15), line('r', 4, 6, 40, 33)]
    text(raw/'ears/a.csv', '\n'.join(lines))
    sources = [Source('ears', units=units, numbers='' if numbers == 'cxcywh' else numbers)]
    def opened(raw, out):
        DataProcessor(raw, out, sources=sources, num_workers=0, progress=False).process_all(train_split=1)
        return LazyNPYDataset(out/'train_detector.npy')
    ds = opened(raw, tmp_path/'out')
    row = {ds.get_metadata(i)['image_path'][-5]: i for i in range(len(ds))}
    rewrite(raw, [changed(ds, row['p'], box=(10, 12, 40, 33)), deleted(ds, row['q']), added(ds, row['r'], box=(8, 9, 16, 12))], tmp_path/'new', sources=sources)
    new = (tmp_path/'new/ears/a.csv').read_text()
    assert new.split('\n') == [lines[0], line('p', 10, 12, 40, 33), lines[3], line('r', 8, 9, 16, 12).replace('kept', '')]
