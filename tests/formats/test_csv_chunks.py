"Tables that are read in chunks give what they give in one go"
import dataclasses

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ear_lazy.errors import AnnotationError
from ear_lazy.formats import csv
from ear_lazy.formats.shared import chunks
from ear_lazy.formats.shared.tree import Document, Tree

HEADER = 'filename,class,xmin,ymin,xmax,ymax'
CELLS = st.sampled_from(['1', '20', '30.5', '', 'x', '"7"', '"7"8"', '"a,b"', '"', 'nan', 'ä', '\r', '"9'])
NAMES = st.sampled_from(['a.jpg', 'b.jpg', '"c.jpg"', '', '"d'])
LINES = st.lists(st.one_of(st.tuples(NAMES, CELLS, *[st.sampled_from(['1', '20', '30.5'])] * 4), st.lists(CELLS, max_size=7)), max_size=12)


def read(folder, text, monkeypatch, chunk):
    (folder / 'a.csv').write_bytes(text.encode())
    monkeypatch.setattr(chunks, 'CHUNK_BYTES', chunk)
    try: r = csv.read(Tree(folder), Document('csv', ('a.csv',), attributes=('class', 'xmax', 'side')))
    except AnnotationError as e: return str(e)
    finally: monkeypatch.undo()
    return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in dataclasses.asdict(r).items()}


@given(LINES, st.integers(1, 100), st.sampled_from(['\n', '\r\n', '\r']), st.sampled_from(['', '\ufeff', '\n\n']), st.booleans())
def test_chunks_give_the_same(tmp_path_factory, lines, chunk, end, before, ended):
    folder = tmp_path_factory.getbasetemp() / 'csv_chunks'
    folder.mkdir(exist_ok=True)
    text = before + end.join([HEADER, *map(','.join, lines)]) + end * ended
    with pytest.MonkeyPatch.context() as monkeypatch:
        found = [read(folder, text, monkeypatch, o) for o in (chunk, 2**20)]
    np.testing.assert_equal(*found)


def test_large_tables_are_read_in_chunks(tmp_path, monkeypatch):
    "… by what `tree.each` is"
    (tmp_path / 'a.csv').write_text('\n'.join([HEADER, *(f'{i % 7}.jpg,ear,{i},1,900,9' for i in range(500))]))
    monkeypatch.setattr(chunks, 'CHUNK_BYTES', 1000)
    calls = []
    def each(function, arguments):
        calls.append(arguments)
        return map(function, arguments)
    r = csv.read(Tree(tmp_path).having(each=each), Document('csv', ('a.csv',)))
    assert r.boxes[:, 0].tolist() == list(range(500)) and r.ids.tolist() == list(range(2, 502))
    assert len(calls) == 1 and len(calls[0]) > 5
