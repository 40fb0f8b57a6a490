"The benchmarks run: with little data, and without a look at how long it takes"
import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
BENCHMARKS = ROOT/'benchmarks'
OTHER_TOOLS = {'pycocotools', 'supervision, polygons left out', 'datumaro', 'datasets', 'torchvision', 'supervision', 'webdataset', 'Ultralytics', 'Ultralytics, RAM',
               'Ultralytics, disk', 'litdata, JPEG', 'litdata, arrays', 'simplejpeg, by hand'}


@pytest.fixture(scope='module')
def bench():
    "The modules of the benchmarks, which import each other by their plain names"
    sys.path.insert(0, str(BENCHMARKS))
    try: yield {name: importlib.import_module(name) for name in ('rows', 'sides', 'table', 'compare')}
    finally: sys.path.remove(str(BENCHMARKS))


def start(folder, *args):
    "Start a comparison of little data in a folder of its own"
    command = [sys.executable, BENCHMARKS/'compare.py', '--rows', '300', '--runs', '1', '--data', folder, '--out', folder/'results.json']
    return subprocess.Popen([*command, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process, folder):
    "The table and the figures of a comparison"
    table, said = process.communicate()
    assert process.returncode == 0, said
    return table, json.loads((folder/'results.json').read_text(encoding='utf-8'))


@pytest.fixture(scope='module')
def tiny(tmp_path_factory):
    "All rows, in three comparisons at once: most of their time is the start of Python"
    pytest.importorskip('cv2', exc_type=ImportError) # its wheel needs libraries of the system
    parts = [('1', '2', '3', '13'), ('4', '5', '6', '7', '8', '9', '10', '11', '12', '15'), ('14',)]
    folders = [tmp_path_factory.mktemp('bench') for _ in parts]
    started = [start(folder, '--no-profile', '--only', *numbers) for folder, numbers in zip(folders, parts)]
    return [ended(*o) for o in zip(started, folders)]


@pytest.mark.slow
def test_every_row_runs(tiny, bench):
    assert {line['number'] for _, results in tiny for line in results['lines']} == set(range(1, 16))
    assert {row for _, results in tiny for row in results['sides']} == set(bench['rows'].ROWS)
    for table, results in tiny: assert len(table.splitlines()) == 2 + len(results['lines'])


@pytest.mark.slow
def test_every_side_runs_that_is_installed(tiny):
    for row, sides in [o for _, results in tiny for o in results['sides'].items()]:
        without = {side for side, figures in sides.items() if not figures}
        assert without <= OTHER_TOOLS, row
        assert all(len(values) == 1 for figures in sides.values() for values in figures.values()), row


def test_a_row_that_is_not_reached_has_a_profile(tmp_path):
    _, results = ended(start(tmp_path, '--only', 'yolo'), tmp_path) # starting Python takes longer than to read so few files
    assert not results['lines'][0]['reached']
    assert results['profiles']['yolo'][0]['function']
    assert 0 < sum(o['share'] for o in results['profiles']['yolo']) <= 1.001


def test_a_side_that_is_not_installed_is_shown_as_that(bench):
    rows, compare = bench['rows'], bench['compare']
    plan = rows.Plan('some boxes', {}, [])
    line = compare.line(rows.Row(1, 'coco', None), plan, rows.Goal('load', 'ear_lazy.seconds', 0.25, 'other.seconds'),
                        {'ear_lazy': {'seconds': [3., 1., 2.]}, 'other': {}})
    assert (line['ours'], line['other'], line['ratio'], line['reached']) == (2., None, None, None)
    assert '| other: not installed |  | ≤ 1/4 × |  |' in bench['table'].table([line])


def test_times_of_other_work_do_not_count(bench, tmp_path):
    rows, compare = bench['rows'], bench['compare']
    arrays = {'ear_lazy': np.zeros((3, 4)), 'as it should be': np.full((3, 4), 5e-4), 'other boxes': np.full((3, 4), 2e-3),
              'fewer boxes': np.zeros((2, 4))}
    given = {name: tmp_path/f'{name}.npy' for name in arrays}
    for name, path in given.items(): np.save(path, arrays[name])
    plan = rows.Plan('some boxes', {name: rows.Side('load', {}) for name in arrays}, [])
    def check(other): compare.check(plan, {o: given[o] for o in ('ear_lazy', other)})
    check('as it should be')
    with pytest.raises(compare.Failed, match='other boxes gives other values'): check('other boxes')
    with pytest.raises(compare.Failed, match=r'fewer boxes gives \(2, 4\) instead of \(3, 4\)'): check('fewer boxes')


def test_ratios_are_of_medians_and_face_the_right_way(bench):
    rows, compare = bench['rows'], bench['compare']
    found = {'a': {'rate': [1., 9., 10.]}, 'b': {'rate': [10., 10., 40.], 'base': [5.]}, 'c': {}}
    def reached(*args, **kwargs): return compare.line(rows.Row(1, '', None), rows.Plan('', {}, []), rows.Goal('', *args, **kwargs), found)
    assert reached('a.rate', 0.9, 'b.rate', most=False)['reached'] is True
    assert reached('a.rate', 0.8, 'b.rate')['reached'] is False
    assert reached('b.rate - b.base', 5)['reached'] is True
    assert reached('a.rate', None, 'b.rate')['reached'] is None
    best = reached('b.base | b.rate', 1, 'a.rate | c.rate', most=False)
    assert (best['ours'], best['ours_side'], best['other_side'], best['other'], best['reached']) == (10., 'b', 'a', 9., True)
    assert reached('a.rate | b.base', 1, 'b.rate')['ours'] == 5.


def test_a_picture_counts_as_the_same_within_two_levels(bench):
    "And a box within a fifth of a pixel"
    apart, given = bench['rows'].shown_apart, np.zeros((2, 16))
    assert apart(given, given) == 0
    assert apart(given + np.r_[np.ones(12), np.zeros(4)], given) == 1
    assert apart(given + np.r_[np.zeros(12), 0.3, 0, 0, 0], given) == pytest.approx(3)


def test_epochs_are_a_table(bench):
    found = {'cold': [90., 110., 100.], 'second': [200.], 'again': [1000.], 'set_up_seconds': [1.], 'start_seconds': [0.], 'disk_mb': [80.]}
    made = bench['table'].epochs({'epochs': {'ear_lazy, pil': found, 'other': {}}}).splitlines()
    assert made[2:] == ['| **ear_lazy, pil** | 100 | 200 | 1,000 | 1.0 | 0.0 | 80 |']


def test_results_that_are_kept_are_of_a_whole_run(bench):
    results = json.loads((BENCHMARKS/'results.json').read_text())
    assert results['rows'] == 1_000_000
    assert list(results['sides']) == list(bench['rows'].ROWS)
    assert all(figures for sides in results['sides'].values() for figures in sides.values()), 'a side was not installed'
    assert {o['row'] for o in results['lines'] if o['reached'] is False} == set(results['profiles'])


def test_overlap_is_skipped_with_one_line_without_cuda(tmp_path, monkeypatch):
    "And the batches that it would copy are there"
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')
    run = subprocess.run([sys.executable, BENCHMARKS/'overlap.py'], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, 'skipped: there is no CUDA device to copy to\n'), run.stderr
    overlap = importlib.import_module('overlap')
    found = overlap.batches(overlap.make(tmp_path, 4), 2, False)
    assert [o.shape for o in found] == [(2, overlap.SIZE, overlap.SIZE, 3)] * 2


def test_versions_are_compared(bench, capsys, tmp_path):
    "Of each sort as many differences as were made"
    importlib.import_module('differences').main(['--rows', '40', '--under', str(tmp_path)])
    found = [int(o.split(' differences')[0].split()[-1]) for o in capsys.readouterr().out.splitlines()]
    assert [found[i] for i in (0, 2, 3, 4, 5, 7, 8, 9)] == [0, 3, 0, 80, 0, 2, 0, 40]


@pytest.mark.slow # a cluster
def test_the_client_of_a_cluster_gets_no_rows(tmp_path):
    "As in the tutorial, with few rows: all are there, and hardly any memory more than before"
    pytest.importorskip('distributed')
    if not Path('/proc/self/status').exists(): pytest.skip('the peak of memory is read from /proc')
    command = [sys.executable, BENCHMARKS/'scale_out.py', '--rows', '20000', '--workers', '2', '--folder', tmp_path/'data']
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    assert result['rows'] == {'detector': 2000, 'teacher': 20_000} and not (tmp_path/'data').exists()
    assert result['mb_peak'] - result['mb_before'] < 20


@pytest.mark.slow
def test_evaluation_is_compared(bench):
    pytest.importorskip('hotcoco')
    known = importlib.import_module('evaluate').main(['--photos', '40', '--boxes', '200', '--classes', '3', '--each', '10', '--runs', '1', '--all'])
    assert {'library', 'ds.evaluate', 'metrics', 'resample'} <= set(known)


def test_corrected_are_compared(bench, capsys):
    importlib.import_module('corrected').main('--rows', '40', '--corrections', '4', '--turns', '1')
    assert [o.split()[0] for o in capsys.readouterr().out.splitlines()] == ['40', 'open', 'get_metadata']


@pytest.mark.slow # each error of each kind, though few of them
def test_suspects_are_judged(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    small = ['--images', '60', '--repeats', '1', '--boxes', '400', '--sets', '80', '--photos', '40', '--data', str(tmp_path), '--out', str(tmp_path/'figures.json')]
    importlib.import_module('suspects').main(*small)
    figures = json.loads((tmp_path/'figures.json').read_text())
    assert {o['kind'] for o in figures['demo']} == {*importlib.import_module('planting').POINTS, *importlib.import_module('planting').BOXES}
    assert [o['ours']['ap'] for o in figures['demo'] if o['kind'] in ('order reversed', 'contour exchanged')] == [1.]*4
    assert figures['real'] == [] and len(figures['cost']) == 4
