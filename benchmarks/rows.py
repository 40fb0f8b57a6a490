"The rows of the table: on which data, which sides, and what is to be reached"
from typing import NamedTuple, get_args

import numpy as np

from ear_lazy.base.images import decode_image

ROWS = {} # name to `Row`


class Row(NamedTuple):
    number: int
    name: str
    plan: object # function of `Data` that gives a `Plan`


class Goal(NamedTuple):
    what: str
    ours: str # 'side.figure', or 'side.figure - side.figure'
    limit: float = None # of the ratio, or of the figure where there is no other side; None: for comparison only
    other: str = '' # as `ours`; of several, 'side.figure | side.figure', the best
    most: bool = True # the limit is the most that it may be, not the least
    unit: str = 's'


class Side(NamedTuple):
    function: str # of `sides`
    options: dict
    truth: str = None # file of what it has to give; None: what the first side gives
    once: bool = False # one run is enough
    tolerance: float = 0 # where it is more than that of the plan: what this tool cannot do better


class Plan(NamedTuple):
    data: str # in words
    sides: dict # name to `Side`, ours first
    goals: list
    tolerance: float = 1e-3 # pixels, or grey levels
    apart: object = None # function of what two sides give: by how much they differ; None: the largest difference


def row(number, name):
    def register(plan): ROWS[name] = Row(number, name, plan)
    return register


def _run_mb(images): return 400 + 60 * images / 1e6 # memory of a run that processes them


@row(1, 'coco')
def _(data):
    folder = data.coco()
    dataset = folder/'raw/coco'
    json, truth = dataset/'annotations/instances_train.json', folder/'truth.npy'
    images, boxes = data.sized(118_000), data.sized(875_000)
    sides = {
        'ear_lazy': Side('process', {'raw': folder/'raw'}, truth),
        'msgspec': Side('decode_msgspec', {'path': json}, truth),
        'pycocotools': Side('load_pycocotools', {'path': json}, truth, once=True),
        # With polygons it makes a mask of the size of the image for each box, which no memory holds.
        'supervision, polygons left out': Side(
            'load_supervision', {'path': folder/'without_polygons.json', 'images': dataset/'images'}, truth),
        'datumaro': Side('load_datumaro', {'folder': dataset}, truth)}
    ours = 'ear_lazy.seconds'
    megabytes = json.stat().st_size / 1e6
    return Plan(f'COCO JSON, {images:,} images, {boxes:,} boxes with polygons ({megabytes:,.0f} MB)', sides, [
        Goal('whole command, six files', ours, 2.5, 'msgspec.seconds'),
        Goal('whole command, six files', ours, 1/4, 'pycocotools.seconds'),
        Goal('whole command, six files', ours, 1/6, 'supervision, polygons left out.seconds'),
        Goal('whole command, six files', ours, 1/6, 'datumaro.seconds'),
        Goal('peak RSS', 'ear_lazy.peak_mb', _run_mb(images), unit='MB')])


def _many_files(data, folder, files, images, suffix, kind, what):
    truth, labels = folder/'truth.npy', {'folder': files, 'suffix': suffix}
    sides = {'ear_lazy': Side('process', {'raw': folder/'raw', 'kind': kind}, truth),
             'open and read': Side('read_files', labels),
             'by hand': Side('read_by_hand', labels | {'images': images}, truth)}
    goals = [Goal('whole command, 2 workers', 'ear_lazy.seconds', 1.5, 'open and read.seconds'),
             Goal('whole command, 2 workers', 'ear_lazy.seconds', None, 'by hand.seconds')]
    return Plan(f'{data.sized(100_000):,} {what}', sides, goals)


@row(2, 'pts')
def _(data):
    folder = data.pts()
    return _many_files(data, folder, folder/'raw/landmarker/pts', folder/'raw/landmarker/pts', '.pts', 'landmarker', '.pts files of 55 points')


@row(2, 'yolo')
def _(data):
    folder = data.yolo()
    return _many_files(data, folder, folder/'raw/yolo/labels', folder/'raw/yolo/images', '.txt', 'detector', 'YOLO label files')


def _million(data, kind):
    large, small = data.table(), data.table(10)
    sides = {'ear_lazy': Side('process', {'raw': large/kind}, large/'truth.npy'),
             'a tenth': Side('process', {'raw': small/kind}, small/'truth.npy'),
             'path index': Side('path_index', {'raw': large/kind}),
             'path index of a tenth': Side('path_index', {'raw': small/kind})}
    return Plan(f'{data.rows:,} images, {data.rows * 5 // 2:,} boxes, {kind.upper()}', sides, [
        Goal('time, against a tenth of the rows', 'ear_lazy.seconds', 11, 'a tenth.seconds'),
        Goal('peak RSS', 'ear_lazy.peak_mb', _run_mb(data.rows), unit='MB'),
        Goal('peak RSS without the path index, against a tenth of the rows', 'ear_lazy.peak_mb - path index.peak_mb',
             1.1, 'a tenth.peak_mb - path index of a tenth.peak_mb', unit='MB')])


@row(3, 'million-csv')
def _(data): return _million(data, 'csv')


@row(3, 'million-coco')
def _(data): return _million(data, 'coco')


def _detector(data): return data.processed(data.table()/'csv', 'detector', 'teacher')/'train_detector.npy'


def _rows_of(data): return f'the metadata of {data.rows:,} images, {data.rows * 5 // 2:,} boxes'


@row(4, 'open')
def _(data):
    npy = _detector(data)
    arrow = data.arrow(npy)
    sides = {'ear_lazy': Side('open_ours', {'npy': npy}), 'np.load, mapped': Side('open_bare', {'npy': npy}), 'datasets': Side('open_datasets', {'arrow': arrow})}
    return Plan(_rows_of(data), sides, [
        Goal('open', 'ear_lazy.seconds', 2, 'np.load, mapped.seconds'),
        Goal('open, memory', 'ear_lazy.private_mb', 2, unit='MB'),
        Goal('open', 'ear_lazy.seconds', 1/3, 'datasets.seconds')])


@row(5, 'get_metadata')
def _(data):
    npy = _detector(data)
    sides = {'ear_lazy': Side('rows_ours', {'npy': npy}), 'a dict of arrays': Side('rows_bare', {'npy': npy}), 'datasets': Side('rows_datasets', {'arrow': data.arrow(npy)})}
    return Plan(_rows_of(data), sides, [
        Goal('get_metadata(i), random', 'ear_lazy.microseconds', 2.3, 'a dict of arrays.microseconds', unit='µs'),
        Goal('get_metadata(i), random', 'ear_lazy.microseconds', None, 'datasets.microseconds', unit='µs')])


@row(6, 'workers')
def _(data):
    npy = _detector(data)
    sides = {'ear_lazy': Side('workers_ours', {'npy': npy}), 'a list of dicts': Side('workers_dicts', {'npy': npy})}
    what, ours = 'private memory of each of 4 workers after a pass, growth', 'ear_lazy.worker_grew_mb'
    return Plan(_rows_of(data), sides, [
        Goal(what, ours, 3, unit='MB'),
        Goal(what, ours, None, 'a list of dicts.worker_grew_mb', unit='MB')])


@row(7, 'disk')
def _(data):
    npy = _detector(data)
    kinds = 'detector', 'teacher'
    sides = {kind: Side('size_on_disk', {'npy': npy.with_name(f'train_{kind}.npy')}) for kind in kinds}
    what = 'bytes a row, against path + 48 + 20 a box'
    return Plan(_rows_of(data), sides, [
        Goal(f'{kind}: {what}', f'{kind}.bytes_a_row', 1, f'{kind}.allowed', unit='bytes') for kind in kinds])


def _photos(data):
    "The folder of the photos, their metadata files, and the data in words"
    raw, words = data.photos()/'raw', f'{data.sized(400, least=40)} JPEGs of 2 megapixels'
    return raw/'photos', data.processed(raw, 'detector', 'teacher'), words


def _image(data, loader):
    folder, out, words = _photos(data)
    sides = {'ear_lazy': Side('image_ours', {'npy': out/'train_detector.npy', 'loader': loader}),
             'bare decoder': Side('image_bare', {'folder': folder, 'loader': loader})}
    return Plan(words, sides, [
        Goal(f'ds[i] cold, full image, {loader}', 'ear_lazy.milliseconds', 1.05, 'bare decoder.milliseconds',
             unit='ms')])


@row(8, 'image-pil')
def _(data): return _image(data, 'pil')


@row(8, 'image-cv2')
def _(data): return _image(data, 'cv2')


@row(9, 'hit')
def _(data):
    npy = _photos(data)[1]/'train_teacher.npy'
    sides = {'ear_lazy': Side('hit_ours', {'npy': npy}), 'a dict of arrays': Side('hit_dict', {})}
    return Plan('32 crops of 256×256', sides, [
        Goal('ds[i], in the LRU cache', 'ear_lazy.microseconds', 5.5, 'a dict of arrays.microseconds', unit='µs')])


HANDS = {'Pillow, by hand': 'draft', 'OpenCV, by hand': 'reduced', 'simplejpeg, by hand': 'simplejpeg'} # to decoder
LOADERS = [o for o in get_args(decode_image.__annotations__['loader']) if o != 'auto'] # which is one of the others
ALIASED = 4 # of a tool that takes every so manyth pixel only
GREY = 2 # levels that pictures may differ by, and a tenth of that many pixels boxes


def shown_apart(given, expected):
    "Images and a box in each row: the largest mean difference of an image, or ten times the largest of a box"
    apart = np.abs(given - expected)
    return max(apart[:, :-4].mean(1).max(), 10 * apart[:, -4:].max())


def best(names, figure): return ' | '.join(f'{o}.{figure}' for o in names)


def _photo_epoch(data, small, what, ours='epoch_ours', hand='epoch_by_hand', limit=0.97):
    "Our loaders beside loops written by hand"
    folder, out, words = _photos(data)
    size = {} if ours == 'augmented_ours' else {'small': small}
    left_out = ('cv2', 'reduced') if ours == 'augmented_ours' else () # others are faster
    sides = {f'ear_lazy, {o}': Side(ours, {'npy': out/'train_detector.npy', 'loader': o, **size}) for o in LOADERS if o not in left_out}
    hands = {name: Side(hand, {'folder': folder, 'decode': o, **size}) for name, o in HANDS.items() if o not in left_out}
    return Plan(words, sides | hands, [
        Goal(f'DataLoader epoch, cold, 2 workers, {what}', best(sides, 'per_second'), limit, best(hands, 'per_second'), most=False, unit='images/s')], GREY)


@row(10, 'epoch')
def _(data):
    plan = _photo_epoch(data, False, 'full images')
    plan.sides['decoding only'] = Side('epoch_decoded', {'folder': _photos(data)[0]})
    plan.goals.append(plan.goals[0]._replace(limit=0.9, other='decoding only.per_second'))
    return plan


@row(11, 'augmented')
def _(data): return _photo_epoch(data, True, 'image_size=(256, 256), flip, crop and colour of Albumentations', 'augmented_ours', 'augmented_by_hand', 0.9)


@row(12, 'batch')
def _(data):
    folder, out, words = _photos(data)
    npy = out/'train_detector.npy'
    sides = {'1 thread': Side('batch_ours', {'npy': npy, 'threads': 1}),
             '2 threads': Side('batch_ours', {'npy': npy, 'threads': 2}),
             'np.stack of a list': Side('batch_stacked', {'folder': folder})}
    of = 'get_batch of 32, peak in sizes of the batch, '
    return Plan(words, sides, [
        Goal(of + '1 thread', '1 thread.peak_in_batches', 1.5, unit='×'),
        Goal(of + '2 threads', '2 threads.peak_in_batches', 1.5, unit='×'),
        Goal(of + '2 threads', '2 threads.peak_in_batches', None, 'np.stack of a list.peak_in_batches', unit='×')])


def _writing(data, folder, words):
    sides = {'ear_lazy': Side('process', {'raw': folder/'raw'}, folder/'truth.npy'),
             'parsing alone': Side('parse_only', {'raw': folder/'raw'})}
    what = '--all, against --list, which parses and writes nothing'
    return Plan(words, sides, [Goal(what, 'ear_lazy.seconds', 1.1, 'parsing alone.seconds')])


@row(13, 'writing-coco')
def _(data): return _writing(data, data.coco(), f'COCO JSON, {data.sized(875_000):,} boxes')


@row(13, 'writing-yolo')
def _(data): return _writing(data, data.yolo(), f'{data.sized(100_000):,} YOLO label files')


OURS = {f'ear_lazy, {o}': {'image_loader': o} for o in LOADERS}
KEPT = {'ear_lazy, SharedCache': {'cache': 'SharedCache'}, 'ear_lazy, DiskCache': {'cache': 'DiskCache'},
        'ear_lazy, DiskCache of WebP': {'cache': 'DiskCache', 'format': 'webp'}, 'ear_lazy, DiskCache of JPEG': {'cache': 'DiskCache', 'format': 'jpeg'}}
OTHERS = {'torchvision': ('torchvision', {}), 'supervision': ('supervision', {}), 'datasets': ('datasets', {}), 'webdataset': ('webdataset', {}),
          'Ultralytics': ('ultralytics', {'cache': False}), 'Ultralytics, RAM': ('ultralytics', {'cache': 'ram'}), 'Ultralytics, disk': ('ultralytics', {'cache': 'disk'}),
          'litdata, JPEG': ('litdata', {'jpeg': True}), 'litdata, arrays': ('litdata', {'jpeg': False}), 'mapped rows': ('memmap', {})} # to tool and options
ONCE = {'ear_lazy, cv2', 'torchvision', 'supervision', 'datasets', 'webdataset', 'Ultralytics', 'Ultralytics, RAM', 'litdata, JPEG'} # no goal depends on them, or by far


@row(14, 'epochs')
def _(data):
    raw, words = data.photos(), f'{data.sized(400, least=40)} JPEGs of 2 megapixels at 256×256'
    tools = {name: ('ear_lazy', o) for name, o in (OURS | KEPT).items()} | {name: ('by hand', {'decode': o}) for name, o in HANDS.items()} | OTHERS
    sides = {name: Side('epochs', {'tool': tool, 'raw': raw, **options}, once=name in ONCE or 'format' in options, tolerance=ALIASED if tool == 'ultralytics' else 0) for name, (tool, options) in tools.items()}
    disk = 'ear_lazy, DiskCache.again'
    return Plan(words, sides, [
        Goal('first epoch', best(OURS, 'cold'), 0.97, best(HANDS, 'cold'), most=False, unit='images/s'),
        Goal('second epoch with SharedCache, against the first', 'ear_lazy, SharedCache.second', 20, 'ear_lazy, SharedCache.cold', most=False, unit='images/s'),
        Goal('epoch after a restart with DiskCache, against the first', disk, 10, 'ear_lazy, DiskCache.cold', most=False, unit='images/s'),
        Goal('epoch after a restart with DiskCache', disk, 2, 'Ultralytics, disk.again', most=False, unit='images/s'),
        Goal('epoch after a restart with DiskCache', disk, 2, 'litdata, JPEG.again', most=False, unit='images/s'),
        Goal('epoch after a restart with DiskCache', disk, 2, 'litdata, arrays.again', most=False, unit='images/s'),
        Goal('epoch after a restart with DiskCache', disk, 1/1.2, 'mapped rows.again', most=False, unit='images/s')], GREY, shown_apart)


@row(15, 'scale')
def _(data):
    folder, photos = data.links(), data.sized(100_000)
    npy = data.processed(folder/'raw', 'detector')/'train_detector.npy'
    return Plan(f'{photos:,} small photos, links to {data.sized(1000):,}', {'ear_lazy': Side('scale_ours', {'npy': npy})}, [
        Goal('last tenth of an epoch, against the first', 'ear_lazy.last', 0.95, 'ear_lazy.first', most=False, unit='images/s'),
        Goal('memory in the last fifth of an epoch, against the first', 'ear_lazy.last_mb', 1.05, 'ear_lazy.first_mb', unit='MB')])
