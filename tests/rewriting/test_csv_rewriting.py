"Lines of tables of boxes changed in place"
import time

import pytest
from driver import REAL, Row, check, new, opened, patches_of, rows
from drawing_edits import boxes, edits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from making import image, text
from tiers import tries

from ear_lazy.base.change import Value
from ear_lazy.formats.discover import Source
from ear_lazy.formats.shared.patches import CannotRewrite

# Two boxes of a.jpg and one of b.jpg: [10, 20, 30, 40], [5, 6, 7, 8] and [1, 2, 3, 4]
CORNERS = 'filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,60,70,ear,10,20,40,60\na.jpg,60,70,nose,5,6,12,14\nb.jpg,60,70,ear,1,2,4,6\n'
LAYOUTS = {
    'corners': CORNERS,
    'crlf and a BOM': '\ufeff' + CORNERS.replace('\n', '\r\n'),
    'no last line end': CORNERS.rstrip(),
    'quoted': CORNERS.replace(',', '","').replace('\n', '"\n"').removesuffix('"').replace('filename', '"filename'),
    'size': 'image,x,y,w,h,label\na.jpg,10,20,30,40,ear\na.jpg,5.00,6.00,7.00,8.00,nose\n\nb.jpg,1,2,3,4,ear\n',
    'centre': 'cx;cy;w;h;label;image;conf\n25;40,0;30;40;ear;a.jpg;0,5\n8,5;10;7;8;nose;a.jpg;0,9\n2,5;4;3;4;ear;b.jpg;1\n',
    'one cell': 'image\tbbox\tlabel\na.jpg\t[10, 20, 30, 40]\tear\na.jpg\t(5 6 7 8)\tnose\nb.jpg\t"[1,2,3,4]"\tear\n',
    'sep': 'sep=;\nlabel;image;left;top;right;bottom\near;a.jpg;10;20,5;40;60,5\nnose;a.jpg;5;6;12;14\near;b.jpg;1;2;4;6\n',
    'a comma in the name': 'image,x,y,w,h,label\n"a,1.jpg",10,20,30,40,ear\n"a,1.jpg",5,6,7,8,"no ""se"""\nb.jpg,1,2,3,4,ear\n',
    'blank': CORNERS + 'c.jpg,60,70,,,,,\n',
    'defused': "image_path,x,y,w,h,label,defused\n'=a.jpg,10,20,30,40,'-ear,image_path label\n'=a.jpg,5,6,7,8,nose,image_path\nb.jpg,1,2,3,4,ear,\n",
    'utf-16': CORNERS.encode('utf-16'),
    'turned': 'image,x,y,w,h,angle,label\na.jpg,10,20,30,40,0,ear\na.jpg,5,6,7,8,,nose\nb.jpg,1,2,3,4,45,ear\n',
}


@pytest.fixture
def made(raw, tmp_path):
    for o in ('a.jpg', 'a,1.jpg', '=a.jpg', 'b.jpg', 'c.jpg'): image(raw/'ears'/o, (70, 60))
    (tmp_path/'copies').mkdir()
    def make(content, *declared):
        text(raw/'ears/a.csv', content)
        return rows(raw, 'ears/a.csv', declared)
    return make


@pytest.fixture
def edit(made, raw, tmp_path): return lambda *o, declared=(): check(raw, 'ears/a.csv', o, tmp_path/'copies', declared, within=0.51)


@pytest.mark.parametrize('layout', LAYOUTS)
def test_lines_change_come_and_go(made, edit, layout):
    a, b, c = made(LAYOUTS[layout])
    x, y, w, h = a.value.box
    assert edit() == edit(a.to(box=a.value.box, label=a.value.label)) == []
    assert len(edit(a.to(box=(x, y, w, h + 2)))) == 1 + (layout == 'centre')
    assert len(edit(a.to(label='ears, "both"'))) == len(edit(b.gone)) == 1
    edit(a.to(box=(x + .25, y, w, h), label='-ear'), b.gone, new(a.image, (7, 8, 9, 10), label='nose'), new('b.jpg', (7, 8.5, 9, 10), label='=ear'), new(a.image, (1, 1, 1, 1)))
    edit(a.gone, b.gone, c.gone)


def test_only_what_changes_is_written(made, edit):
    a, b, _ = made(LAYOUTS['size'])
    assert edit(a.to(box=(10, 20, 31.2, 40))) == [(b'30', b'31')]
    assert edit(b.to(box=(5.128, 6, 7, 8), label='ear')) == [(b'5.00', b'5.13'), (b'nose', b'ear')]
    assert edit(new('a.jpg', (1, 2, 3, 4), label='ear')) == [(b'', b'a.jpg,1.00,2.00,3.00,4.00,ear\n')]
    a, b, _ = made(LAYOUTS['corners'])
    assert edit(new('a.jpg', (1, 2, 3, 4))) == [(b'', b'a.jpg,60,70,,1,2,4,6\n')]
    assert edit(a.gone, b.gone) == [(b'a.jpg,60,70,ear,10,20,40,60\na.jpg,60,70,nose,5,6,12,14\n', b'')]


def test_decimal_commas_are_never_thousands(made, edit):
    a, b, _ = made('image;x;y;w;h;label\na.jpg;10,1234;20;30;40;ear\na.jpg;5,1;6;7;8;ear\nb.jpg;1;2;3;4;ear\n')
    assert edit(a.to(box=(10.5, 20, 30, 40)), b.to(box=(5, 6, 7, 8))) == [(b'10,1234', b'10,5000'), (b'5,1', b'5,0')]
    a, _, _ = made('image,x,y,w,h,label\na.jpg,"10,12",20,30,40,ear\na.jpg,5,6,7,8,ear\nb.jpg,1,2,3,4,ear\n')
    assert edit(a.to(box=(10.12, 21, 30, 40))) == [(b'20', b'"21,00"')]


def test_a_line_without_a_box_is_filled_in(made, edit):
    made(LAYOUTS['blank'])
    assert edit(new('c.jpg', (1, 2, 3, 4), label='ear')) == [(b'', b'ear'), (b'', b'1'), (b'', b'2'), (b'', b'4'), (b'', b'6')]
    assert edit(new('c.jpg', (1, 2, 3, 4), label='ear'), new('c.jpg', (5, 2, 3, 4), label='ear'))[-1] == (b'', b'c.jpg,60,70,ear,5,2,8,6\n')


def test_a_cell_that_a_spreadsheet_would_run_keeps_its_apostrophe(made, edit):
    a, b, c = made(LAYOUTS['defused'])
    assert edit(b.to(label='=1')) == [(b'nose', b"'=1"), (b'image_path', b'image_path label')]
    assert edit(a.to(label='ear'), c.to(label='=ear')) == [(b"'-ear", b"'ear"), (b'ear', b"'=ear"), (b'', b'label')]


def test_columns_that_the_user_declares(made, edit):
    named = Source('ears', columns={'image': 'photo', 'x': 'left edge', 'y': 'upper', 'w': 'breadth', 'h': 'tall'})
    a, _ = made('photo,left edge,upper,breadth,tall\na.jpg,10,20,30,40\nb.jpg,1,2,3,4\n', named)
    assert edit(a.to(box=(10, 20, 30, 41)), declared=(named,)) == [(b'40', b'41')]
    places = Source('ears', columns={'image': 4, 'x': 0, 'y': 1, 'w': 2, 'h': 3, 'label': 5})
    a, _ = made('10,20,30,40,a.jpg,ear\n1,2,3,4,b.jpg,ear\n', places)
    assert edit(a.to(label='nose'), new('a.jpg', (1, 1, 2, 2), label='ear'), declared=(places,)) == [(b'ear', b'nose'), (b'', b'1,1,2,2,a.jpg,ear\n')]


@pytest.mark.parametrize('content, reason', [
    (LAYOUTS['turned'].replace('40,0,', '40,30,'), 'whose angle would be lost'), (LAYOUTS['corners'].replace('ear,10', 'e"ar,10'), 'a quote is opened')])
def test_what_cannot_be_exact_is_refused(made, edit, content, reason):
    a, b, _ = made(content)
    with pytest.raises(CannotRewrite, match=reason): edit(a.to(box=(1, 2, 3, 4)))
    edit(b.to(box=(1, 2, 3, 4)), a.gone)


@settings(max_examples=tries(100), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), layout=st.sampled_from(sorted(LAYOUTS)))
def test_any_edits_are_what_is_read_again(made, edit, data, layout):
    found = made(LAYOUTS[layout])
    labels = st.sampled_from(['ear', 'a,b', '"', "'", '鼻', '=1'])
    edit(*data.draw(edits(found[:2] if layout == 'turned' else found, boxes(60, 70), labels, images=[found[0].image, 'b.jpg'])))


@pytest.mark.skipif(not REAL.is_dir(), reason='needs the real data')
def test_a_real_table_of_dogs(raw, tmp_path):
    lines = (REAL/'dogs_csv/valid/_annotations.csv').read_text().splitlines(keepends=True)
    text(raw/'dogs/_annotations.csv', ''.join(lines))
    for o in lines[1:4]: image(raw/'dogs'/o.split(',')[0])
    (tmp_path/'copies').mkdir()
    first, second, *_ = rows(raw, 'dogs/_annotations.csv')
    x, y, w, h = first.value.box
    def edit(*o): return check(raw, 'dogs/_annotations.csv', o, tmp_path/'copies', within=0.51)
    assert edit(first.to(box=first.value.box)) == []
    assert edit(first.to(box=(x, y, w - 1, h)), second.gone) == [(f'{x + w:.0f}'.encode(), f'{x + w - 1:.0f}'.encode()), (lines[2].encode(), b'')]


@pytest.mark.slow
def test_time_grows_with_the_lines(raw):
    for o in ('a.jpg', 'b.jpg'): image(raw/'ears'/o)
    text(raw/'ears/a.csv', 'image,x,y,w,h,label\n' + 'a.jpg,10,20,30,40,ear\nb.jpg,10,20,30,40,ear\n' * 100_000)
    file, one = opened(raw, 'ears/a.csv'), Row(2, 'a.jpg', 0, Value((10, 20, 30, 40), None, 'ear'))
    some = [one._replace(id=2 * n).to(box=(10, 20, 30, 41)) for n in range(1, 10_001)] + [new('b.jpg', (1, 2, 3, 4), label='ear') for _ in range(100)]
    start = time.process_time()
    assert len(patches_of(file, some)[1]) == 10_001
    assert time.process_time() - start < 5
