"Tables of tools and datasets that need no reader of their own: VoTT, and those of centres"
import pytest
from making import assert_accounted, boxes, image, process, reasons, text

from ear_lazy.formats.discover import Source, discover
from ear_lazy.formats.shared.tree import Tree


def outcome(raw):
    report = process(raw, raw.parent/'out', train_split=1)
    assert_accounted(report, raw.parent/'out')
    assert [d.format for s in discover(Tree(raw))[0] for d in s.documents] == ['csv']
    return report


def test_vott(raw):
    "Quoted names and labels, unquoted fractions of a pixel, corners"
    image(raw/'ears/vott-csv-export/a.png')
    text(raw/'ears/vott-csv-export/ears-export.csv',
         '"image","xmin","ymin","xmax","ymax","label"\r\n"a.png",1.5,2.25,11.5,12.25,"left ear"\r\n"a.png",20,2,30,12,"right, ear"\r\n')
    assert reasons(outcome(raw)) == []
    assert boxes(raw.parent/'out') == [('ears/vott-csv-export/a.png', [1.5, 2.25, 10, 10]), ('ears/vott-csv-export/a.png', [20, 2, 10, 10])]


@pytest.mark.parametrize(('header', 'more', 'said'), [('x_center,y_center,width,height', '', {}), ('class,cx,cy,w,h', 'ear,', {}), ('width,height,CenterX,CenterY,w,h', '60,40,', {}),
                                                      ('middle,y,w,h', '', dict(columns={'cx': 'middle', 'cy': 'y'}))])
def test_centres(raw, header, more, said):
    "Columns named after the centre of a box are no corner of it"
    image(raw/'ears/a.png'), text(raw/'ears/t.csv', f'filename,{header}\na.png,{more}25,20,30,10\n')
    if said: process(raw, raw.parent/'out', train_split=1, sources=[Source('ears', **said)])
    else: assert reasons(outcome(raw)) == []
    assert boxes(raw.parent/'out') == [('ears/a.png', [10, 15, 30, 10])]
