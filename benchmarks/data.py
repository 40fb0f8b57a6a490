"The data of the benchmarks: seeded, made once and kept in a folder"
import functools
import os
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import msgspec
import numpy as np
from PIL import Image

VERSION = '1' # another one makes all data afresh
HEIGHT, WIDTH = 480, 640
PHOTO = 1224, 1632 # two megapixels
MAX_LINKS = 10_000 # names of one file; file systems have limits


def picture():
    "A JPEG of one colour: annotations are what is measured with it"
    file = BytesIO()
    Image.new('RGB', (WIDTH, HEIGHT), (120, 110, 100)).save(file, 'JPEG', quality=10)
    return file.getvalue()


def write_pictures(folder, names, links=False):
    "The same picture under each name; links to one file are quicker to make, and the disk does not fill"
    jpeg, first = picture(), None
    for parent in {(folder/name).parent for name in names}: parent.mkdir(parents=True, exist_ok=True)
    for i, name in enumerate(names):
        if links and i % MAX_LINKS: os.link(first, folder/name)
        else:
            first = folder/name
            first.write_bytes(jpeg)


def some_boxes(rng, n):
    "xywh in hundredths of pixels, all inside of the image"
    w, h = rng.integers(800, 20_000, n), rng.integers(800, 16_000, n)
    return np.stack([rng.integers(0, 100 * WIDTH - w), rng.integers(0, 100 * HEIGHT - h), w, h], 1)


def write_coco(path, names, image_of, boxes, polygons=None):
    "A COCO file as COCO's own: more fields than anybody reads; with polygons, each hundredth object has keypoints"
    encode = msgspec.json.Encoder().encode
    with open(path, 'wb') as f:
        f.write(b'{"info":{"description":"synthetic"},"images":[')
        for i, name in enumerate(names):
            o = {'license': 3, 'file_name': name, 'coco_url': f'http://images.example.org/{name}', 'height': HEIGHT,
                 'width': WIDTH, 'date_captured': '2013-11-14 11:18:45', 'id': i}
            f.write(b',' * (i > 0) + encode(o))
        f.write(b'],"annotations":[')
        for j, (i, box) in enumerate(zip(image_of.tolist(), (boxes / 100).tolist())):
            o = {'area': box[2] * box[3], 'iscrowd': 0, 'image_id': i, 'bbox': box, 'category_id': j % 80 + 1,
                 'id': j + 1}
            if polygons is not None:
                o['segmentation'] = [polygons[j % len(polygons)]]
                if j % 100 == 0: o |= {'keypoints': [box[0] + 1, box[1] + 1, 2] * 17, 'num_keypoints': 17}
            f.write(b',' * (j > 0) + encode(o))
        categories = [{'id': i + 1, 'name': f'class {i}'} for i in range(80)]
        f.write(b'],"categories":' + encode(categories) + b'}')


def make_coco(folder, images, boxes):
    "COCO's layout and size, and the same file without polygons"
    rng, names = np.random.default_rng(1), [f'{i:012d}.jpg' for i in range(images)]
    dataset = folder/'raw/coco'
    write_pictures(dataset/'images', names)
    image_of, values = rng.integers(0, images, boxes), some_boxes(rng, boxes)
    polygons = np.round(rng.uniform(0, HEIGHT, (1000, 44)), 2).tolist()
    (dataset/'annotations').mkdir()
    write_coco(dataset/'annotations/instances_train.json', names, image_of, values, polygons)
    write_coco(folder/'without_polygons.json', names, image_of, values)
    return values[np.argsort(image_of, kind='stable')] / 100


def make_pts(folder, files):
    "A landmark file of 55 points beside each image"
    rng, places = np.random.default_rng(2), folder/'raw/landmarker/pts'
    write_pictures(places, [f'{i:06d}.jpg' for i in range(files)])
    points = rng.integers(100, 100 * HEIGHT - 100, (files, 55, 2)) / 100
    for i, of_image in enumerate(points.tolist()):
        lines = '\n'.join(f'{x} {y}' for x, y in of_image)
        (places/f'{i:06d}.pts').write_text(f'version: 1\nn_points: 55\n{{\n{lines}\n}}\n')
    return points.reshape(-1, 2)


def make_yolo(folder, files):
    "A label file of one to four boxes for each image"
    rng, dataset = np.random.default_rng(3), folder/'raw/yolo'
    write_pictures(dataset/'images', [f'{i:06d}.jpg' for i in range(files)])
    (dataset/'labels').mkdir()
    truth = []
    for i, n in enumerate(rng.integers(1, 5, files)):
        boxes = some_boxes(rng, n) / 100
        truth.append(boxes)
        centred = np.column_stack([boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:]]) / [WIDTH, HEIGHT, WIDTH, HEIGHT]
        lines = ['0 %.8f %.8f %.8f %.8f\n' % tuple(o) for o in centred.tolist()]
        (dataset/f'labels/{i:06d}.txt').write_text(''.join(lines))
    return np.concatenate(truth)


def make_table(folder, images, boxes):
    "Two and a half boxes for each of a lot of images, as a table and as COCO"
    rng, names = np.random.default_rng(4), [f'{i // 1000:04d}/{i:07d}.jpg' for i in range(images)]
    write_pictures(folder/'csv/table/images', names, links=True)
    write_pictures(folder/'coco/big/images', names, links=True)
    image_of, values = np.sort(rng.integers(0, images, boxes)), some_boxes(rng, boxes)
    with open(folder/'csv/table/boxes.csv', 'w') as f:
        f.write('image_path,x1,y1,w,h\n')
        for i, (x, y, w, h) in zip(image_of.tolist(), (values / 100).tolist()):
            f.write(f'images/{names[i]},{x},{y},{w},{h}\n')
    write_coco(folder/'coco/big/instances.json', names, image_of, values)
    return values / 100


def make_photos(folder, photos):
    "Two-megapixel JPEGs with soft shapes and grain, and a box of 256×256 pixels in each"
    rng, places, lines = np.random.default_rng(5), folder/'raw/photos', ['image_path,x1,y1,w,h']
    places.mkdir(parents=True)
    boxes = np.column_stack([rng.integers(0, PHOTO[1] - 256, photos), rng.integers(0, PHOTO[0] - 256, photos)])
    for i, (x, y) in enumerate(boxes.tolist()):
        shapes = Image.fromarray(rng.integers(0, 256, (24, 32, 3), np.uint8))
        soft = np.asarray(shapes.resize(PHOTO[::-1], Image.Resampling.BICUBIC))
        image = np.clip(soft + rng.integers(-12, 13, (*PHOTO, 1), np.int16), 0, 255).astype(np.uint8)
        Image.fromarray(image).save(places/f'{i:05d}.jpg', quality=88)
        lines.append(f'{i:05d}.jpg,{x},{y},256,256')
    (places/'boxes.csv').write_text('\n'.join(lines) + '\n')
    return np.column_stack([boxes, np.full((photos, 2), 256)])


def make_links(folder, photos, different):
    "Many names of a few small photos, and a box in each"
    rng, places = np.random.default_rng(6), folder/'raw/photos'
    places.mkdir(parents=True)
    names = [f'{i // 1000:03d}/{i:06d}.jpg' for i in range(photos)]
    for parent in {(places/name).parent for name in names}: parent.mkdir()
    for name in names[:different]: Image.fromarray(rng.integers(0, 256, (8, 12, 3), np.uint8)).resize((96, 64)).save(places/name, quality=88)
    for i, name in enumerate(names[different:]): os.link(places/names[i % different], places/name)
    boxes = np.column_stack([rng.integers(0, 32, (photos, 2)), np.full((photos, 2), 24)])
    (places/'boxes.csv').write_text('image_path,x1,y1,w,h\n' + ''.join(f'{name},{x},{y},{w},{h}\n' for name, (x, y, w, h) in zip(names, boxes.tolist())))
    return boxes


class Data:
    "Raw datasets of the sizes that `rows` asks for, and what is made of them in this run"
    def __init__(self,
        folder:Path, # Kept between runs
        rows:int, # Rows of the largest dataset; the others are smaller in proportion
    ):
        self.folder, self.rows = Path(folder), rows
        self._derived = self.folder/'derived'
        shutil.rmtree(self._derived, ignore_errors=True)

    def sized(self, full, least=10): return max(least, round(full * self.rows / 1_000_000))

    def _kept(self, make, *sizes):
        "The folder that `make` filled, with the true boxes in `truth.npy`"
        folder = self.folder/'-'.join([make.__name__.removeprefix('make_'), *map(str, sizes), f'v{VERSION}'])
        if not (folder/'truth.npy').exists(): # written last: a run that was broken off begins again
            print(f'making {folder.name}', file=sys.stderr)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            truth = make(folder, *sizes)
            np.save(folder/'truth.npy', truth.astype(np.float32))
        return folder

    def coco(self): return self._kept(make_coco, self.sized(118_000), self.sized(875_000))
    def pts(self): return self._kept(make_pts, self.sized(100_000))
    def yolo(self): return self._kept(make_yolo, self.sized(100_000))
    def table(self, part=1): return self._kept(make_table, self.rows // part, self.rows // part * 5 // 2)
    def photos(self): return self._kept(make_photos, self.sized(400, least=40))
    def links(self): return self._kept(make_links, self.sized(100_000), self.sized(1000))

    @functools.cache # noqa: B019 (one object a run)
    def processed(self, raw, *kinds):
        "Metadata files of a raw folder, all rows in train; made in each run, by the code that is measured"
        out = self._derived/'-'.join([raw.parent.name, raw.name, *kinds])
        command = [sys.executable, '-P', '-m', 'ear_lazy.data_processor', *(f'--{o}' for o in kinds),
                   '--raw-data-dir', raw, '--output-dir', out, '--train-split', '1', '--workers', '2']
        subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
        return out

    @functools.cache # noqa: B019
    def arrow(self, npy):
        "The same rows as an Arrow file of `datasets`, or None where that is not installed"
        try: import datasets, pyarrow as pa
        except ModuleNotFoundError: return None
        columns = np.load(npy, allow_pickle=False)
        values, offsets = pa.array(columns['bboxes'].ravel()), columns['offsets']
        boxes = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.FixedSizeListArray.from_arrays(values, 4))
        paths = pa.array(columns['image_paths'].astype(str))
        folder = self._derived/'arrow'
        datasets.Dataset(pa.table({'image_path': paths, 'bboxes': boxes})).save_to_disk(folder, num_shards=1)
        return next(folder.glob('*.arrow'))
