"A small file takes time and memory in proportion to it, whatever is in it"
import gzip
import json
import time

import pytest
from making import coco, image, process, text

from ear_lazy.formats.load import load
from ear_lazy.formats.shared.registry import readers
from ear_lazy.formats.shared.tree import Tree, locate


def read(tmp_path, name, content):
    "The records of one file beside an image, and the seconds that it took to load it"
    image(tmp_path/'a.jpg')
    (tmp_path/name).write_bytes(content if isinstance(content, bytes) else content.encode())
    tree = Tree(tmp_path)
    document = next(o for r in readers().values() for o in r.sniff(tree, '') if r.name != 'images')
    start = time.process_time()
    return load(tree, '', document), time.process_time() - start


def details(r): return [o.detail for o in r.problems]


N = range(1100)
VIA = dict(shape_attributes=dict(name='point', cx=1, cy=2))
LS = dict(type='keypointlabels', original_width=60, original_height=40)
SCATTERED = { # file: a point of its own name for each object, and how many keypoints of a place for each name there would be
    'a.xml': '<dataset><images><image file="a.jpg">' + ''.join(f'<box top="1" left="1" width="9" height="9"><part name="p{i}" x="1" y="2"/></box>' for i in N) + '</image></images></dataset>',
    'cvat.xml': '<annotations><image name="a.jpg">' + ''.join(f'<skeleton label="s"><points label="p{i}" points="1,2"/></skeleton>' for i in N) + '</image></annotations>',
    'via.json': json.dumps({str(i): dict(filename=f'{i}.jpg', file_attributes={}, regions=[VIA | dict(region_attributes=dict(name=f'{o}{i}')) for o in 'pq']) for i in N}),
    'project.json': json.dumps([dict(data=dict(image=f'{i}.jpg'), annotations=[dict(completed_by=1, result=[LS | dict(id=o, value=dict(x=1, y=2, keypointlabels=[f'{o}{i}'])) for o in 'pq'])]) for i in N]),
}


@pytest.mark.parametrize('name', SCATTERED)
def test_objects_with_points_of_their_own_names(tmp_path, name):
    "They would get a place for each name of all the others: gigabytes for a megabyte"
    r, _ = read(tmp_path, name, SCATTERED[name])
    assert len(r.points) == 0 and r.keypoints_read == len(N)
    problem, = (o for o in r.problems if 'share few of them' in o.detail)
    assert problem.keypoints == len(N)


def test_points_in_categories_of_their_own(tmp_path):
    file = dict(categories=[dict(id=i, name=f'point {i}') for i in N], annotations=[dict(image_id=i, category_id=i, bbox=[1, 2, 1, 1]) for i in N], images=[dict(id=i, file_name=f'{i}.jpg') for i in N])
    assert 'share few of them' in details(read(tmp_path, 'a.json', json.dumps(file))[0])[0]


def test_points_of_many_names_that_are_shared(tmp_path):
    "As many places, and each of them used"
    boxes = ''.join('<box top="1" left="' + str(n // 10) + '" width="9" height="9">' + ''.join(f'<part name="p{i}" x="{i}" y="{n}"/>' for i in range(n, n + 100)) + '</box>' for n in range(0, 200, 10))
    r, _ = read(tmp_path, 'a.xml', f'<dataset><images><image file="a.jpg">{boxes}</image></images></dataset>')
    assert len(r.points) == 20 * 290 and (r.points[:, 2] > 0).sum() == 20 * 100 and not r.problems


def categories(n): return json.dumps(dict(images=[dict(id=1, file_name='a.jpg')], annotations=[dict(id=1, image_id=1, bbox=[1, 2, 3, 4], category_id=1)], categories=[dict(id=i, name=f'c{i}') for i in range(n)]))
def bad_faces(n): return '# a.jpg\n1 2 3 4\n' + ''.join(f'# {i}.jpg\nbad\n' for i in range(n))
def bad_lines(n): return 'a.jpg 30 20 9 8\n' * n + ''.join(f'{i}.jpg x y\n' for i in range(n))


@pytest.mark.parametrize('name, content, n', [('a.json', categories, 40_000), ('faces.txt', bad_faces, 25_000), ('list.txt', bad_lines, 8_000)], ids=['categories', 'faces', 'lines'])
def test_many_lines(tmp_path, name, content, n):
    "Four times as many take four times as long, not sixteen times"
    few = min(read(tmp_path/f'few{i}', name, content(n // 4))[1] for i in range(2))
    r, seconds = read(tmp_path/'many', name, content(n))
    assert len(r.boxes) and seconds < 8 * few + .3


def test_a_packed_file_that_swells(tmp_path):
    "What is parsed takes 30 times the memory of its text"
    bomb = gzip.compress(b'{"version":"5","imagePath":"a.jpg","shapes":[' + b'[],' * 2**23 + b'[]]}', 1)
    assert 'unpack to more than' in details(read(tmp_path, 'a.json.gz', bomb)[0])[0]


def seconds(raw):
    start = time.process_time()
    report = process(raw, raw.parent/'out', ('detector',))
    return report, time.process_time() - start


def test_many_objects_in_two_files(tmp_path):
    boxes = [[1 + i % 30, 1 + i % 19, 2 + i % 23, 2 + i / 100] for i in range(2400)]
    image(tmp_path/'raw/a.jpg')
    for name, own in (('1', boxes), ('2', boxes[:500] + [[b[0] + .5, *b[1:]] for b in boxes[500:]])): coco(tmp_path/f'raw/{name}.json', {'a.jpg': own})
    report, took = seconds(tmp_path/'raw')
    assert report.sources['.'].boxes.merged == 2400 and took < 3


def test_many_classes_of_one_box(tmp_path):
    image(tmp_path/'raw/a.jpg')
    for name in 'bc': text(tmp_path/f'raw/{name}.csv', 'image_path,x1,y1,w,h,label\n' + ''.join(f'a.jpg,1,2,3,4,{name}{i}\n' for i in range(2000)))
    report, took = seconds(tmp_path/'raw')
    assert report.sources['.'].boxes.kept == 4000 and took < 3


def test_many_folders_that_could_be_two_things(tmp_path):
    "No folder of label files says alone what its numbers are, nor do all of them together"
    for i in range(150):
        image(tmp_path/f'raw/d/images/{i}/{i}.jpg')
        text(tmp_path/f'raw/d/labels/{i}/{i}.txt', '5 6 20 19\n' * 3)
    report, took = seconds(tmp_path/'raw')
    assert len(report.problems) == 150 and took < 1.5


def test_many_images_of_one_name(tmp_path):
    for i in range(1500): text(tmp_path/f'raw/d/{i}/face/a.jpg', '')
    tree = Tree(tmp_path/'raw')
    start = time.process_time()
    assert [locate(tree, 'd/list/x.csv', f'elsewhere/{i}/face/a.jpg').path for i in range(1500)] == [f'd/{i}/face/a.jpg' for i in range(1500)]
    assert all(locate(tree, 'd/list/x.csv', 'a.jpg').detail == 'd/0/face/a.jpg, d/1/face/a.jpg, d/10/face/a.jpg, d/100/face/a.jpg' for i in range(1500))
    assert time.process_time() - start < .3
