// Sets of keypoints [x, y, v] in pixels of the photo, where v is 0 (unlabelled), 1 (hidden) or 2 (visible). Nothing changes what it is given,
// and an unlabelled point, which is nowhere, stays as it is.

const MIN_SIDE = 1e-6 // pixels: what is thinner is not stretched

export const contoursOf = (n, contours = []) => contours?.length ? contours : [[0, n]]

export function contourOf(i, n, contours) {
  const all = contoursOf(n, contours)
  return all.find(([start, stop]) => i >= start && i < stop) ?? [0, n]
}

export function extentOf(points) { // [x, y, width, height] of the labelled points, if there are any
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const [x, y, v] of points) {
    if (!v) continue
    left = Math.min(left, x); right = Math.max(right, x)
    top = Math.min(top, y); bottom = Math.max(bottom, y)
  }
  return left <= right ? [left, top, right - left, bottom - top] : null
}

export const middleOf = ([x, y, w, h]) => [x + w / 2, y + h / 2]

const eachLabelled = (points, move) => points.map(([x, y, v]) => v ? [...move(x, y), v] : [x, y, v])

export const roundedPoints = points => eachLabelled(points, (x, y) => [Math.round(x * 100) / 100, Math.round(y * 100) / 100])

export const movedPoints = (points, dx, dy) => eachLabelled(points, (x, y) => [x + dx, y + dy])

export const scaledPoints = (points, sx, sy, [cx, cy]) => eachLabelled(points, (x, y) => [cx + (x - cx) * sx, cy + (y - cy) * sy])

export function turnedPoints(points, angle, [cx, cy]) { // clockwise on the screen, in radians
  const cos = Math.cos(angle), sin = Math.sin(angle)
  return eachLabelled(points, (x, y) => [cx + (x - cx) * cos - (y - cy) * sin, cy + (x - cx) * sin + (y - cy) * cos])
}

// A handle is [-1, 0 or 1 across, and down]; the frame goes from `before` to where this handle is at `to`.
export function stretchedFrame([x, y, w, h], [across, down], to, { aspect = false, centred = false } = {}) {
  const from = [centred ? x + w / 2 : across < 0 ? x + w : x, centred ? y + h / 2 : down < 0 ? y + h : y]
  const part = centred ? 2 : 1
  let sx = across && w > MIN_SIDE ? (to[0] - from[0]) * part * across / w : 1
  let sy = down && h > MIN_SIDE ? (to[1] - from[1]) * part * down / h : 1
  if (aspect) {
    const s = !across ? sy : !down ? sx : Math.abs(sx) > Math.abs(sy) ? sx : sy
    if (!across) from[0] = x + w / 2
    if (!down) from[1] = y + h / 2
    ;[sx, sy] = [s, s]
  }
  return { sx, sy, from }
}

export function stretchedPoints(points, before, handle, to, options) {
  const { sx, sy, from } = stretchedFrame(before, handle, to, options)
  return scaledPoints(points, sx, sy, from)
}

export function exchanged(points, pairs) {
  const now = [...points]
  for (const [a, b] of pairs) [now[a], now[b]] = [points[b], points[a]]
  return now
}

export const reversedRun = (points, [start, stop]) => [...points.slice(0, start), ...points.slice(start, stop).reverse(), ...points.slice(stop)]

// Without pairs of left and right, what is left of a contour becomes its right: each is numbered from its other end.
export function sidesSwapped(points, pairs, contours) {
  if (pairs?.length) return exchanged(points, pairs)
  return contoursOf(points.length, contours).reduce(reversedRun, points)
}

export function mirroredPoints(points, pairs = []) { // what is a left eye in the picture stays the left eye
  const extent = extentOf(points)
  if (!extent) return points
  const both = 2 * extent[0] + extent[2]
  return exchanged(eachLabelled(points, (x, y) => [both - x, y]), pairs ?? [])
}

export function fittedShape(shape, [x, y, w, h]) { // a shape [[x, y], …] in a box, with its proportions kept
  const points = shape.map(([px, py]) => [px, py, 2]), from = extentOf(points)
  if (!from) return []
  const scale = Math.min(from[2] > MIN_SIDE ? w / from[2] : Infinity, from[3] > MIN_SIDE ? h / from[3] : Infinity)
  const s = Number.isFinite(scale) ? scale : 1, [fx, fy] = middleOf(from), [cx, cy] = middleOf([x, y, w, h])
  return points.map(([px, py, v]) => [cx + (px - fx) * s, cy + (py - fy) * s, v])
}

// The similarity that takes `shape` to labelled points, by least squares (complex numbers: a point p comes from a * s + b).
export function similarity(shape, points) {
  const both = points.map(([x, y, v], i) => v && shape[i] ? [...shape[i], x, y] : null).filter(Boolean)
  if (both.length < 2) return null
  const mean = k => both.reduce((sum, o) => sum + o[k], 0) / both.length, middle = [0, 1, 2, 3].map(mean)
  const fit = side => { // -1: the shape is mirrored first, for an ear of the other side
    let re = 0, im = 0, size = 0, lost = 0
    const rest = both.map(o => o.map((value, k) => (value - middle[k]) * (k ? 1 : side)))
    for (const [sx, sy, px, py] of rest) { re += sx * px + sy * py; im += sx * py - sy * px; size += sx * sx + sy * sy }
    if (size < MIN_SIDE) return null
    const a = [re / size, im / size]
    for (const [sx, sy, px, py] of rest) lost += (a[0] * sx - a[1] * sy - px) ** 2 + (a[0] * sy + a[1] * sx - py) ** 2
    return { lost, at: ([x, y]) => { const u = (x - middle[0]) * side, w = y - middle[1]; return [middle[2] + a[0] * u - a[1] * w, middle[3] + a[0] * w + a[1] * u] } }
  }
  const [plain, mirrored] = [fit(1), both.length > 2 ? fit(-1) : null]
  return !mirrored || plain?.lost <= mirrored.lost ? plain : mirrored
}

// Where point i may be: by the mean shape, else between its neighbours in the contour, else null.
export function likelyPlace(points, i, shape, contours) {
  const fit = shape && similarity(shape, points)
  if (fit) return fit.at(shape[i])
  const [start, stop] = contourOf(i, points.length, contours)
  const seek = by => { for (let k = i + by; k >= start && k < stop; k += by) if (points[k][2]) return k; return -1 }
  const [before, after] = [seek(-1), seek(1)]
  if (before < 0 && after < 0) return null
  if (before < 0 || after < 0) return points[Math.max(before, after)].slice(0, 2)
  const share = (i - before) / (after - before)
  return [0, 1].map(k => points[before][k] + (points[after][k] - points[before][k]) * share)
}

export function shiftBetween(before, after) { // [dx, dy] if all labelled points moved alike, else null
  const moves = after.flatMap(([x, y, v], i) => v && before[i][2] ? [[x - before[i][0], y - before[i][1]]] : [])
  if (!moves.length || moves.some(([x, y]) => Math.hypot(x - moves[0][0], y - moves[0][1]) > .02)) return null
  return moves[0]
}

export function pointsApart(points, others) { // the numbers of those that differ from other values of the same object
  return points.flatMap((point, i) => others.some(o => o?.length === points.length && o[i].some((value, k) => value !== point[k])) ? [i] : [])
}

export function saysPoints(points, others) { // what tells a set from the others
  const apart = pointsApart(points, others)
  const one = i => points[i][2] ? `point ${i} at ${points[i].slice(0, 2).map(o => +o.toFixed(1)).join(', ')}${points[i][2] === 1 ? ', hidden' : ''}` : `point ${i} unlabelled`
  if (!apart.length) return `${points.filter(o => o[2]).length} points`
  return apart.slice(0, 2).map(one).join('; ') + (apart.length > 2 ? `; ${apart.length - 2} more that differ` : '')
}
