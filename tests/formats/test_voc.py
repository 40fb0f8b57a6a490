"Pascal VOC: every habit of it on small files, hostile XML, and files that are damaged at random"
from xml.etree import ElementTree as ET

import pytest
from damaging import check_reader, examples, quickly
from hypothesis import given, settings, strategies as st
from making import boxes, image, outcome, problem, process, reasons, text
from tiers import tries

from ear_lazy.formats.discover import Source, discover
from ear_lazy.formats.load import load
from ear_lazy.formats.shared.registry import readers
from ear_lazy.formats.shared.tree import Document, Tree

PICTURES = 'a.png', 'b.png'


def corners(xmin, ymin, xmax, ymax): return f'<bndbox><xmin>{xmin}</xmin><ymin>{ymin}</ymin><xmax>{xmax}</xmax><ymax>{ymax}</ymax></bndbox>'


def thing(*box, name='ear', more=''): return f'<object><name>{name}</name>{corners(*box) if box else ""}{more}</object>'


def voc(path, *objects, filename=None, size='<size><width>60</width><height>40</height><depth>3</depth></size>', more=''):
    named = '' if filename is None else f'<filename>{filename}</filename>'
    return text(path, f'<annotation>{named}{more}{size}{"".join(objects)}</annotation>')


def labels(raw):
    tree = Tree(raw)
    (source,), _ = discover(tree)
    r = load(tree, source.name, source.documents[0])
    return [(r.label_names[k], b) for k, b in zip(r.labels, r.boxes.tolist())]


@pytest.mark.parametrize('layout', ['a.xml a.png', 'Annotations/a.xml JPEGImages/a.png', 'annotations/train/a.XML images/train/a.png'])
@pytest.mark.parametrize('filename', ['a.png', None, '', 'a', 'old name.jpg', '/home/me/a.png', r'C:\ears\a.png'])
def test_layouts_and_names(raw, layout, filename):
    "`<filename>` may be stale, a path, without extension, or not there: the image is found, by the stem where need be"
    label, picture = layout.split()
    image(raw/'ears'/picture)
    voc(raw/'ears'/label, thing(1, 2, 4, 6), filename=filename)
    assert reasons(outcome(raw)) == []
    assert boxes(raw.parent/'out') == [(f'ears/{picture}', [1, 2, 3, 4])]


def test_filename_differs_from_the_stem(raw):
    image(raw/'ears/photo.png')
    voc(raw/'ears/000001.xml', thing(1, 2, 4, 6), filename='photo.png')
    assert reasons(outcome(raw)) == []
    assert boxes(raw.parent/'out') == [('ears/photo.png', [1, 2, 3, 4])]


def test_folder_tells_images_of_one_name_apart(raw):
    image(raw/'ears/left/a.png'), image(raw/'ears/right/a.png')
    voc(raw/'ears/xml/1.xml', thing(1, 2, 4, 6), filename='a.png', more='<folder>right</folder>')
    voc(raw/'ears/xml/2.xml', thing(1, 2, 4, 6), filename='a.png')
    report = outcome(raw)
    assert problem(report, 'ambiguous_image').boxes == 1
    assert boxes(raw.parent/'out') == [('ears/right/a.png', [1, 2, 3, 4])]


def test_stale_filename_of_an_augmented_copy(raw):
    "The copy's boxes must not land on the original, and that it was so is said once"
    for stem in ('a', 'a_flipped', 'a_rotated'):
        image(raw/f'ears/{stem}.png')
        voc(raw/f'ears/{stem}.xml', thing(len(stem), 2, len(stem) + 3, 6), filename='a.png')
    found = problem(outcome(raw), 'other_name')
    assert found.action == 'kept' and found.file == 'ears/a_flipped.xml' and '1 more' in found.detail
    assert boxes(raw.parent/'out') == [('ears/a.png', [1, 2, 3, 4]), ('ears/a_flipped.png', [9, 2, 3, 4]), ('ears/a_rotated.png', [9, 2, 3, 4])]


def test_missing_image(raw):
    image(raw/'ears/b.png'), voc(raw/'ears/b.xml', thing(1, 2, 4, 6))
    voc(raw/'ears/a.xml', thing(1, 2, 4, 6), thing(2, 2, 5, 6), filename='gone.jpg')
    found = problem(outcome(raw), 'missing_image')
    assert (found.image, found.boxes, found.file) == ('gone.jpg', 2, 'ears/a.xml')


def test_child_order_decimals_and_blanks(raw):
    image(raw/'ears/a.png')
    text(raw/'ears/a.xml', '<annotation><object><bndbox><ymax> 10.75 </ymax><xmin>1.25</xmin>\n<ymin>2e0</ymin><xmax>\n21.5</xmax></bndbox>'
         '<difficult>1</difficult><name> ear </name></object><size><depth>3</depth><height>40</height><width>60</width></size><filename>a.png</filename></annotation>')
    assert labels(raw) == [('ear', [1.25, 2, 20.25, 8.75])]


@pytest.mark.parametrize('more, kept', [((), []), (((2, 3, 9, 9),), [[0, 0, 1, 1], [0.25, 0.25, 0.5, 0.5], [2, 3, 7, 6]])])
def test_numbers_below_one(raw, more, kept):
    "Pixels, if another box of the file is larger; else the report says how to tell"
    image(raw/'ears/a.png'), voc(raw/'ears/a.xml', thing(0, 0, 1, 1), thing(0.25, 0.25, 0.75, 0.75), *(thing(*o) for o in more))
    found = reasons(outcome(raw))
    assert (found, [o for _, o in boxes(raw.parent/'out')]) == ([] if kept else [('fractions', 'dropped')], kept)


def test_parts_are_boxes_of_their_own_class(raw):
    image(raw/'ears/a.png')
    part = f'<part><name>head</name>{corners(5, 5, 15, 15)}<part><name>ear</name>{corners(6, 6, 8, 8)}</part></part>'
    voc(raw/'ears/a.xml', thing(1, 2, 31, 32, name='person', more=part), thing(9, 9, 11, 11))
    assert labels(raw) == [('person', [1, 2, 30, 30]), ('head', [5, 5, 10, 10]), ('ear', [6, 6, 2, 2]), ('ear', [9, 9, 2, 2])]


def test_background_images(raw):
    for stem in 'abc': image(raw/f'ears/{stem}.png')
    voc(raw/'ears/a.xml', filename='a.png'), voc(raw/'ears/b.xml', thing(1, 2, 4, 6)), voc(raw/'ears/c.xml', thing(1, 2, 4, 'x'))
    report = outcome(raw)
    assert problem(report, 'malformed').where == 'object 1'
    r = load(Tree(raw), 'ears', Document('voc', ('ears/a.xml', 'ears/b.xml', 'ears/c.xml')))
    assert dict(zip(r.images, r.empty.tolist())) == {'ears/a.png': True, 'ears/b.png': False, 'ears/c.png': False}


@pytest.mark.parametrize('size, declared', [
    ('<size><height>30</height><width>50</width></size>', [30, 50]), ('<size><width>50</width><height>30</height><depth/></size>', [30, 50]), ('<size><height>30.0</height><width> 50 </width></size>', [30, 50]),
    ('', [0, 0]), ('<size/>', [0, 0]), ('<size><width>0</width><height>0</height></size>', [0, 0]), ('<size><width>x</width><height>30</height></size>', [0, 0]), ('<size><width>-5</width><height>nan</height></size>', [0, 0])])
def test_declared_size(raw, size, declared):
    image(raw/'a.png'), voc(raw/'a.xml', thing(1, 2, 4, 6), size=size)
    assert readers()['voc'].read(Tree(raw), Document('voc', ('a.xml',))).sizes.tolist() == [declared]
    assert boxes(process(raw, raw.parent/'out', train_split=1) and raw.parent/'out') == [('a.png', [1, 2, 3, 4])]


def test_what_cannot_be_used_is_reported(raw):
    for stem in 'abcde': image(raw/f'ears/{stem}.png')
    voc(raw/'ears/a.xml', thing(), thing(1, 2, 4, 6), thing(5, 5, 5, 9), thing(1, 1, '1_0', 9), thing('nan', 1, 2, 3), thing(1, 2, 4, 6), thing(50, 30, 70, 50))
    text(raw/'ears/b.xml', '<annotation><object>'), text(raw/'ears/c.xml', b''), text(raw/'ears/d.xml', '<html/>'), voc(raw/'ears/e.xml', thing(1, 2, 4, 6))
    r = load(Tree(raw), 'ears', Document('voc', tuple(f'ears/{o}.xml' for o in 'abcde')))
    found = sorted((p.file[-5:-4], p.where, p.reason, p.action) for p in r.problems)
    assert found == [('a', 'object 1', 'no_geometry', 'dropped'), ('a', 'object 3', 'no_area', 'dropped'), ('a', 'object 4', 'malformed', 'dropped'), ('a', 'object 5', 'not_finite', 'dropped'),
                     ('a', 'object 6', 'repeat', 'merged'), ('a', 'object 7', 'partly_outside', 'clipped'), ('b', 'line 1, column 20', 'malformed', 'dropped'), ('c', 'line 1, column 0', 'malformed', 'dropped'),
                     ('d', '', 'malformed', 'dropped')]
    outcome(raw)


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16', 'iso-8859-1'])
def test_encodings(raw, encoding):
    image(raw/'ohr-ä.png')
    declared = encoding.replace('-sig', '')
    content = f'<?xml version="1.0" encoding="{declared}"?>\n<!-- <x> --><annotation><filename>ohr-ä.png</filename>{thing(1, 2, 4, 6, name="Öhr")}</annotation>'
    text(raw/'1.xml', content.encode(encoding))
    assert labels(raw) == [('Öhr', [1, 2, 3, 4])]


def test_one_document_for_a_folder_and_few_files_opened(raw, monkeypatch):
    for i in range(40): voc(raw/f'ears/{i:02}.xml', thing(1, 2, 4, 6))
    text(raw/'ears/classes.txt', 'ear'), text(raw/'ears/zz.xml', '<project/>')
    opened = []
    monkeypatch.setattr('ear_lazy.formats.voc.read_head', lambda tree, file: opened.append(file) or (raw/file).read_bytes())
    document, = readers()['voc'].sniff(Tree(raw), 'ears')
    assert len(document.files) == 40 and len(opened) <= 8


@pytest.mark.parametrize('content', [b'', b'ears', b'<annotations><image name="a.png"/></annotations>', b'<xs:annotation><size/></xs:annotation>', b'<annotation>some words</annotation>', b'<!-- <annotation><size>'])
def test_other_xml_is_left_alone(raw, content):
    text(raw/'ears/a.xml', content), image(raw/'ears/a.png')
    assert readers()['voc'].sniff(Tree(raw), 'ears') == []


LAUGHS = '<!DOCTYPE lolz [<!ENTITY l0 "lol">' + ''.join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 11)) + ']>'


@pytest.mark.parametrize('prolog, entity', [
    (LAUGHS, '&l10;'), ('<!DOCTYPE a [<!ENTITY x SYSTEM "secret.txt">]>', '&x;'), ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>', '&x;'), ('<!DOCTYPE a [<!ENTITY % x SYSTEM "secret.txt"> %x;]>', ''),
    ('<!DOCTYPE a [<!ENTITY x "' + 'a' * 100_000 + '">]>', '&x;' * 1000)], ids=['laughs', 'external', 'absolute', 'parameter', 'blowup'])
def test_entities_are_refused(raw, prolog, entity):
    "No bomb goes off, no other file is read; the file is one that is reported"
    text(raw/'ears/secret.txt', 'secret'), image(raw/'ears/a.png'), image(raw/'ears/b.png')
    text(raw/'ears/a.xml', f'{prolog}<annotation><filename>{entity}</filename>{thing(1, 2, 4, 6)}</annotation>'), voc(raw/'ears/b.xml', thing(1, 2, 4, 6))
    with quickly(5): r = load(Tree(raw), 'ears', Document('voc', ('ears/a.xml', 'ears/b.xml')))
    assert [(p.file, p.reason) for p in r.problems] == [('ears/a.xml', 'malformed')] and 'entities' in r.problems[0].detail
    assert r.images == ['ears/b.png'] and 'secret' not in str(r.problems[0])[20:]
    outcome(raw)


def test_a_doctype_alone_does_no_harm(raw):
    image(raw/'a.png')
    text(raw/'a.xml', f'<!DOCTYPE annotation SYSTEM "http://127.0.0.1:9/voc.dtd"><annotation><filename>a.png</filename>{thing(1, 2, 4, 6)}</annotation>')
    assert labels(raw) == [('ear', [1, 2, 3, 4])]


# Damage at random

FILE = f'''<?xml version="1.0"?>
<annotation><folder>f</folder><filename>a.png</filename><size><width>60</width><height>40</height><depth>3</depth></size>
{thing(1, 2, 11, 12, more=f'<part><name>lobe</name>{corners(2, 3, 4, 5)}</part>')}{thing(21.5, 2, 70, 12)}{thing()}{thing(1, 2, 11, 12)}</annotation>'''.encode()

many = examples(2000)


WORDS = st.one_of(st.sampled_from(['', ' ', 'x', '1', '-1', '0', '59.999', '1e300', '1e999', '-inf', 'nan', '1_0', '٣', '9' * 5000, 'a.png', 'b', '/', '..', '\\', 'C:\\a.png', '.png', 'gone.png', 'é', 'a\n']),
                  st.text(st.characters(codec='utf-8', exclude_categories=('Cc', 'Cs')), max_size=4))
TAGS = st.sampled_from(['annotation', 'object', 'part', 'bndbox', 'xmin', 'xmax', 'name', 'filename', 'size', 'width', 'other', 'folder'])


@st.composite
def trees(draw):
    root = ET.fromstring(FILE)
    for _ in range(draw(st.integers(1, 4))):
        nodes = list(root.iter())
        node = nodes[draw(st.integers(0, len(nodes) - 1))]
        how = draw(st.sampled_from(['text', 'text', 'tag', 'remove', 'double', 'move']))
        if how == 'text': node.text = draw(WORDS)
        elif how == 'tag': node.tag = draw(TAGS)
        elif how == 'remove' and len(node): node.remove(node[draw(st.integers(0, len(node) - 1))])
        elif how == 'double' and len(node): node.append(node[draw(st.integers(0, len(node) - 1))])
        elif how == 'move': root.append(ET.fromstring(ET.tostring(node)))
    return ET.tostring(root)


@settings(many, max_examples=tries(1000))
@given(trees())
def test_damaged_structure(pictures, data): check_reader(pictures, 'b.xml', 'voc', data)


@settings(many, max_examples=tries(200))
@given(st.lists(st.tuples(st.sampled_from(['a', 'b', 'c', 'a_flipped']), st.one_of(trees(), st.binary(max_size=9))), min_size=1, max_size=4, unique_by=lambda o: o[0]))
def test_many_files(tmp_path_factory, pictures, files):
    "What one file costs, the others do not pay"
    for stem, data in files: (pictures/f'{stem}.xml').write_bytes(data)
    try: r = load(Tree(pictures), '.', Document('voc', tuple(f'{stem}.xml' for stem, _ in files)))
    finally:
        for stem, _ in files: (pictures/f'{stem}.xml').unlink()
    assert r.boxes_read == r.has_box.sum() + sum(p.boxes for p in r.problems if p.action in ('merged', 'dropped'))


@pytest.mark.parametrize('declared', ['', '<?xml version="1.0" encoding="utf-8"?>\n'])
@pytest.mark.parametrize('content', [
    '<annotation><filename>a.png</filename><object><name>耳朵</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>11</xmax><ymax>22</ymax></bndbox></object></annotation>',
    '<annotations><version>1.1</version><image id="0" name="a.png" width="60" height="40"><box label="耳朵" xtl="1" ytl="2" xbr="11" ybr="22"/></image></annotations>',
    '<dataset><images><image file="a.png"><box left="1" top="2" width="10" height="20"><label>耳朵</label></box></image></images></dataset>'], ids=['voc', 'cvat', 'dlib'])
def test_xml_that_is_not_utf8(raw, content, declared):
    "… whatever it declares: the report says what to do, and that helps"
    image(raw/'ears/a.png'), text(raw/'ears/a.xml', (declared + content).encode('gb18030'))
    assert 'it is not UTF-8: say which in sources.toml, as `encoding = "gb18030"`' in outcome(raw).problems[0].detail
    assert dict(outcome(raw, sources=Source('ears', encoding='gb18030')).sources['ears'].classes) == {'耳朵': 1}
    assert boxes(raw.parent/'out')[0][1] == [1, 2, 10, 20]
