"A small file takes time and memory in proportion to it, whatever is in it"
import gzip
import json
import time

import pytest
from making import image

from ear_lazy.errors import AnnotationError
from ear_lazy.formats.shared.registry import readers
from ear_lazy.formats.shared.tree import Tree


def read(tmp_path, name, content):
    "The records of one file beside an image, and the seconds that its reader took"
    image(tmp_path/'a.jpg')
    (tmp_path/name).write_bytes(content if isinstance(content, bytes) else content.encode())
    tree = Tree(tmp_path)
    document = next(o for r in readers().values() for o in r.sniff(tree, '') if r.name != 'images')
    start = time.process_time()
    return readers()[document.format].read(tree, document), time.process_time() - start


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
    with pytest.raises(AnnotationError, match='share few of them'): read(tmp_path, 'a.json', json.dumps(file))


def test_points_of_many_names_that_are_shared(tmp_path):
    "As many places, and each of them used"
    boxes = ''.join('<box top="1" left="1" width="9" height="9">' + ''.join(f'<part name="p{i}" x="{i}" y="{n}"/>' for i in range(n, n + 100)) + '</box>' for n in range(0, 200, 10))
    r, _ = read(tmp_path, 'a.xml', f'<dataset><images><image file="a.jpg">{boxes}</image></images></dataset>')
    assert len(r.points) == 20 * 290 and (r.points[:, 2] > 0).sum() == 20 * 100 and not r.problems


def categories(n): return json.dumps(dict(images=[dict(id=1, file_name='a.jpg')], annotations=[dict(id=1, image_id=1, bbox=[1, 2, 3, 4], category_id=1)], categories=[dict(id=i, name=f'c{i}') for i in range(n)]))
def bad_faces(n): return '# a.jpg\n1 2 3 4\n' + ''.join(f'# {i}.jpg\nbad\n' for i in range(n))
def bad_lines(n): return 'a.jpg 30 20 9 8\n' * n + ''.join(f'{i}.jpg x y\n' for i in range(n))


@pytest.mark.parametrize('name, content', [('a.json', categories(40_000)), ('faces.txt', bad_faces(20_000)), ('list.txt', bad_lines(8_000))], ids=['categories', 'faces', 'lines'])
def test_many_lines(tmp_path, name, content):
    r, seconds = read(tmp_path, name, content)
    assert len(r.boxes) and seconds < 1.5


def test_a_packed_file_that_swells(tmp_path):
    "What is parsed takes 30 times the memory of its text"
    bomb = gzip.compress(b'{"version":"5","imagePath":"a.jpg","shapes":[' + b'[],' * 2**23 + b'[]]}', 1)
    with pytest.raises(AnnotationError, match='unpack to more than'): read(tmp_path, 'a.json.gz', bomb)
