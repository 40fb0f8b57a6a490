"Keypoints in the page: the sums behind the tools, and the tools over a photo"
import json
from pathlib import Path

import pytest

from ear_lazy import explorer

PAGE = Path(explorer.__file__).parent/'looking/explorer_page'

# Two contours of unlike length, hidden and unlabelled points, and a mean shape.
SETS = """
  const m = window.sums, close = (a, b) => a.length === b.length && a.every((o, i) => Math.hypot(o[0] - b[i][0], o[1] - b[i][1]) < 1e-9 && o[2] === b[i][2])
  const points = [[10, 20, 2], [30, 25, 1], [0, 0, 0], [44, 60, 2], [12, 70, 2], [15.5, 80.25, 1], [21, 90, 2]]
  const contours = [[0, 4], [4, 7]], pairs = [[0, 3], [1, 2]], shape = points.map(([x, y], i) => i === 2 ? [38, 40] : [x, y])
"""

SUMS = {
    'what is done twice is undone': """
      const once = { mirror: o => m.mirroredPoints(o, pairs), plain: o => m.mirroredPoints(o), swap: o => m.sidesSwapped(o, pairs, contours),
        turn: o => m.sidesSwapped(o, [], contours), run: o => m.reversedRun(o, [4, 7]), all: o => m.reversedRun(o, [0, o.length]) }
      return Object.entries(once).map(([name, act]) => [name, close(act(act(points)), points) && !close(act(points), points)])""",
    'what is turned, scaled or moved comes back': """
      const at = m.middleOf(m.extentOf(points)), there = [m.turnedPoints(points, .7, at), m.scaledPoints(points, 2, .5, at), m.movedPoints(points, 4, -2)]
      const back = [m.turnedPoints(there[0], -.7, at), m.scaledPoints(there[1], .5, 2, at), m.movedPoints(there[2], -4, 2)]
      return back.map((o, i) => [i, close(o, points) && there[i][2].join() === '0,0,0'])""",
    'a mirrored set keeps its extent, and a left point is where the right one would be': """
      const now = m.mirroredPoints(points, pairs)
      return [['extent', m.extentOf(now).join() === m.extentOf(points).join()], ['left', now[0].join() === '10,60,2'], ['hole', now[1].join() === '0,0,0']]""",
    'a quarter turn goes clockwise': """
      return [['turn', close(m.turnedPoints([[1, 0, 2]], Math.PI / 2, [0, 0]), [[0, 1, 2]])]]""",
    'a handle goes where it is pulled, and what is opposite stays': """
      const frame = m.extentOf(points), [x, y, w, h] = frame, ends = o => { const [a, b, c, d] = m.extentOf(o); return [a, b, a + c, b + d].map(v => Math.round(v * 1e6) / 1e6).join() }
      return [['corner', ends(m.stretchedPoints(points, frame, [1, 1], [60, 100])) === '10,20,60,100'], ['side', ends(m.stretchedPoints(points, frame, [-1, 0], [0, 50])) === '0,20,44,90'],
        ['kept', ends(m.stretchedPoints(points, frame, [1, 1], [x + 2 * w, y], { aspect: true })) === [x, y, x + 2 * w, y + 2 * h].join()],
        ['centred', ends(m.stretchedPoints(points, frame, [0, -1], [0, 10], { centred: true })) === '10,10,44,100'],
        ['through', close(m.stretchedPoints(points, frame, [1, 0], [x - w, 0]), m.movedPoints(m.mirroredPoints(points), -w, 0))]]""",
    'the mean shape fits into a box with its proportions': """
      const now = m.fittedShape(shape, [100, 200, 68, 1000]), [x, y, w, h] = m.extentOf(now)
      return [['width', Math.abs(x - 100) + Math.abs(w - 68) < 1e-9], ['height', Math.abs(h - 140) + Math.abs(y - 630) < 1e-9], ['visible', now.every(o => o[2] === 2)],
        ['a line', m.extentOf(m.fittedShape([[0, 0], [0, 5]], [0, 0, 10, 10])).join() === '5,0,0,10'], ['a dot', m.fittedShape([[3, 3]], [0, 0, 10, 10])[0].join() === '5,5,2']]""",
    'a point that is not there is guessed by the mean shape, however it lies': """
      const turned = m.scaledPoints(m.turnedPoints(points, 2, [5, 5]), 3, 3, [0, 0]), truth = m.scaledPoints(m.turnedPoints([[38, 40, 2]], 2, [5, 5]), 3, 3, [0, 0])[0]
      const other = m.likelyPlace(m.scaledPoints(turned, -1, 1, [0, 0]), 2, shape, contours), found = m.likelyPlace(turned, 2, shape, contours)
      return [['there', Math.hypot(found[0] - truth[0], found[1] - truth[1]) < 1e-6], ['mirrored', Math.hypot(other[0] + truth[0], other[1] - truth[1]) < 1e-6],
        ['between', m.likelyPlace(points, 2, null, contours).join() === '37,42.5'], ['nothing', m.likelyPlace(points.map(() => [0, 0, 0]), 2, shape, contours) === null]]""",
    'what moved alike is told from what did not': """
      return [['moved', m.shiftBetween(points, m.movedPoints(points, 4, -2)).join() === '4,-2'], ['not', m.shiftBetween(points, m.mirroredPoints(points)) === null]]""",
}


def test_sums_of_points(page):
    page.set_content('<!doctype html>')
    page.evaluate("text => import(URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))).then(o => { window.sums = o })", (PAGE/'points_math.js').read_text())
    for name, body in SUMS.items():
        found = page.evaluate(f'() => {{ {SETS} {body} }}')
        assert found and all(ok for _, ok in found), f'{name}: {json.dumps(found)}'
