"Tables of tools and datasets that need no reader of their own: VoTT"
from making import assert_accounted, boxes, image, process, reasons, text

from ear_lazy.formats.discover import discover
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
