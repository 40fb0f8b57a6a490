"TPS: specimens, y from the lower edge, and files that are damaged at random"
from damaging import check_reader, examples
from hypothesis import given, settings, strategies as st
from making import formats, image, outcome, problem, reasons, rows, text
from tiers import tries

PICTURES = 'a.png', 'b.png'


def specimen(points, name='a.png', more='ID=0\n', count=None): return f'LM={len(points) if count is None else count}\n' + ''.join(f'{x} {y}\n' for x, y in points) + f'IMAGE={name}\n{more}'


def test_y_counts_from_the_lower_edge_of_each_image(raw):
    image(raw/'flies/images/a.png', (40, 60)), image(raw/'flies/images/b.png', (100, 30))
    text(raw/'flies/x.tps', specimen([(5, 40), ('6.5', '0.')]) + specimen([(7, 40), (-1, -1)], 'C:\\photos\\b.png', 'SCALE=0.01\nID=1\n'))
    assert reasons(outcome(raw)) in ([], [('no_crop', 'kept')]) and formats(raw) == [('tps', ('flies/x.tps',))]
    assert rows(raw.parent/'out', 'landmarker') == [('flies/images/a.png', [[5, 0, 2], [6.5, 40, 2]]), ('flies/images/b.png', [[7, 60, 2], [0, 0, 0]])]


def test_lower_case_blanks_and_line_ends(raw):
    image(raw/'flies/a.png'), text(raw/'flies/x.TPS', '\r\nlm = 2\r\n 1  2 \r\nNA NA\r\nimage = a.png\r\n')
    outcome(raw)
    assert rows(raw.parent/'out', 'landmarker') == [('flies/a.png', [[1, 38, 2], [0, 0, 0]])]


def test_an_id_that_is_a_name(raw):
    image(raw/'flies/fly 7.png'), image(raw/'flies/0.png'), text(raw/'flies/x.tps', 'LM=1\n1 2\nID=fly 7\nLM=1\n1 2\nID=0\n')
    assert problem(outcome(raw), 'malformed').detail == 'names no image'
    assert rows(raw.parent/'out', 'landmarker') == [('flies/fly 7.png', [[1, 38, 2]])]


def test_what_is_wrong_or_not_read(raw):
    image(raw/'flies/a.png')
    curves = 'CURVES=1\nPOINTS=2\n1 2\n3 4\n'
    text(raw/'flies/x.tps', '7 8\n' + specimen([(1, 2), (3, 9)], more=curves) + specimen([(1, 2)], count=2) + specimen([('x', 2), (1, 1)]) + specimen([(1, 2)], 'gone.png') + 'LM=1\n1 2\n' + 'LM3=1\n1 2 3\nIMAGE=a.png\n' + specimen([(1, 2)], more='5 6\n'))
    report = outcome(raw)
    assert sorted((p.reason, p.detail) for p in report.problems if p.reason in ('malformed', 'not_read')) == [
        ('malformed', "'x 2' is not x and y"), ('malformed', 'LM=2, 1 lines follow'), ('malformed', 'landmarks in space (LM3)'), ('malformed', 'names no image'), ('not_read', '2 lines of no specimen'), ('not_read', 'curves of 1 specimen')]
    assert problem(report, 'missing_image').keypoints == 1
    assert rows(raw.parent/'out', 'landmarker') == [('flies/a.png', [[1, 38, 2]]), ('flies/a.png', [[1, 38, 2], [3, 31, 2]])]


many = examples(2000)


LINES = st.sampled_from(['LM=2', 'LM=0', 'LM=-1', 'LM=x', 'LM=999999', f"LM={'9' * 5000}", 'LM3=1', 'LM=', '1 2', '3.5 -4', 'nan 1', 'inf inf', '1e999 1', '1_0 2', 'NA NA', '1', '1 2 3', 'POINTS=1', 'CURVES=1', 'CURVES=0', 'IMAGE=a.png', 'IMAGE=b.png', 'IMAGE=', 'ID=1', 'SCALE=x', '=', 'x=y', ''])


@settings(many, max_examples=tries(1000))
@given(st.lists(LINES, max_size=14))
def test_odd_lines(pictures, lines): check_reader(pictures, 'x.tps', 'tps', '\n'.join(['LM=2', '1 2', '3 4', 'IMAGE=a.png', *lines]).encode())
