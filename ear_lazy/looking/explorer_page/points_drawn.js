// A set of keypoints over the photo. A drag moves the nodes that it changes and leaves the others alone.

import { shape } from './dom.js'
import { spacing } from './marks.js'
import { contoursOf, extentOf, middleOf } from './points_math.js'

const MOST_NUMBERS = 400 // beyond that they would hide the photo
const FRAME_ROOM = 28, ARM = 22 // CSS pixels from the outermost points to their frame, and from there to the handles that turn and move it
export const FRAME_HANDLES = [[-1, -1], [0, -1], [1, -1], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0]] // across, down

export function linesOf(n, scheme = {}) { // pairs of points that a line joins
  if (scheme.skeleton?.length) return scheme.skeleton
  if (!scheme.contours?.length) return []
  return contoursOf(n, scheme.contours).flatMap(([start, stop]) => Array.from({ length: Math.max(0, stop - start - 1) }, (_, i) => [start + i, start + i + 1]))
}

export class DrawnSet {
  constructor(points, scheme, chosen) {
    Object.assign(this, { n: points.length, chosen, points: [], active: null, turned: [] })
    this.node = shape('g', { class: chosen ? 'eal-set eal-chosen' : 'eal-set' })
    const rims = shape('g', {}), lines = shape('g', {}), dots = shape('g', {})
    this.node.append(rims, lines, dots)
    this.at = points.map(() => []) // the lines at a point: [line, which end]
    this.lines = linesOf(this.n, scheme).map(ends => {
      const nodes = [[rims, 'eal-rim'], [lines, 'eal-line']].map(([group, kind]) => group.appendChild(shape('line', { class: kind })))
      const line = { ends, nodes }
      ends.forEach((i, end) => this.at[i].push([line, end + 1]))
      return line
    })
    this.spots = points.map((_, i) => {
      const dot = shape('circle', { class: 'eal-dot' }), spot = shape('g', { 'data-point': i })
      spot.append(dot)
      if (chosen) {
        spot.append(shape('text', { class: 'eal-number', display: 'none' }))
        spot.lastChild.textContent = i
      }
      return dots.appendChild(spot)
    })
    this.renew(points)
  }

  renew(points) { points.forEach((point, i) => this.place(i, point)) } // only what has changed

  space() { // dots keep apart from each other
    const gap = `${spacing(this.points.filter(o => o[2]))}`
    if (gap !== this.gap) this.node.style.setProperty('--gap', this.gap = gap)
  }

  place(i, point) {
    const [x, y, v] = point, before = this.points[i], spot = this.spots[i]
    if (before && before[0] === x && before[1] === y && before[2] === v) return
    this.points[i] = [x, y, v]
    spot.setAttribute('transform', `translate(${x} ${y})`)
    if (before?.[2] !== v) {
      spot.toggleAttribute('hidden', !v)
      spot.setAttribute('display', v ? 'inline' : 'none')
      spot.firstChild.setAttribute('class', v === 1 ? 'eal-dot eal-hidden' : 'eal-dot')
    }
    for (const [{ ends, nodes }, end] of this.at[i]) {
      const seen = ends.every(o => this.points[o]?.[2])
      for (const node of nodes) {
        node.setAttribute(`x${end}`, x)
        node.setAttribute(`y${end}`, y)
        node.setAttribute('display', seen ? 'inline' : 'none')
      }
    }
  }

  mark(active, run, alone) { // the active point, and what else can be clicked
    if (this.active != null) this.spots[this.active]?.classList.remove('eal-active')
    this.active = active
    this.spots[active]?.classList.add('eal-active')
    const outside = i => alone && run && (i < run[0] || i >= run[1])
    this.spots.forEach((spot, i) => spot.classList.toggle('eal-dim', outside(i)))
    for (const { ends, nodes } of this.lines) for (const node of nodes) node.classList.toggle('eal-dim', ends.some(outside))
  }

  // Numbers beside their points, where there is room: none lies on a point or on another number; the active point has one always.
  number(on, z, alone, run) {
    const { points, spots, active } = this, middle = middleOf(extentOf(points) ?? [0, 0, 0, 0]), taken = []
    const first = [...points.keys()].sort((a, b) => (b === active) - (a === active))
    for (const i of first) {
      const text = spots[i].lastChild, [x, y, v] = points[i]
      const wanted = v && (i === active || (on && this.n <= MOST_NUMBERS && (!alone || !run || (i >= run[0] && i < run[1]))))
      const place = wanted && this.roomFor(i, x, y, z, middle, taken)
      text.setAttribute('display', place ? 'inline' : 'none')
      if (!place) continue
      taken.push(place)
      text.setAttribute('x', place[0] / z)
      text.setAttribute('y', place[1] / z)
    }
  }

  roomFor(i, x, y, z, [mx, my], taken) { // [dx, dy, left, top, right, bottom] in CSS pixels
    const { points } = this, a = points[i - 1]?.[2] ? points[i - 1] : points[i], b = points[i + 1]?.[2] ? points[i + 1] : points[i]
    let [nx, ny] = [b[1] - a[1], a[0] - b[0]], long = Math.hypot(nx, ny)
    if (!long) { [nx, ny] = [x - mx, y - my]; long = Math.hypot(nx, ny) || 1 }
    if (nx * (x - mx) + ny * (y - my) < 0) [nx, ny] = [-nx, -ny] // outwards first
    const half = [3.6 * `${i}`.length + 1, 6.5], far = 6 + Math.hypot(...half) * .9
    for (const [side, more] of [[1, 0], [-1, 0], [1, 7], [-1, 7], [1, 14]]) {
      const dx = nx / long * side * (far + more), dy = ny / long * side * (far + more)
      const [cx, cy] = [x * z + dx, y * z + dy], box = [cx - half[0], cy - half[1], cx + half[0], cy + half[1]]
      const free = !taken.some(o => box[0] < o[4] && o[2] < box[2] && box[1] < o[5] && o[3] < box[3])
        && !points.some(([px, py, v]) => v && px * z > box[0] - 3 && px * z < box[2] + 3 && py * z > box[1] - 3 && py * z < box[3] + 3)
      if (free || (i === this.active && more === 14)) return [dx, dy, ...box]
    }
  }
}

export class SetFrame { // around a set: scaled by 8 handles, turned by one above, moved by one below or by its edge
  constructor() {
    this.node = shape('g', { class: 'eal-frame', display: 'none' })
    this.edge = shape('rect', { class: 'eal-frame-edge' })
    this.arms = ['', ''].map(() => shape('line', { class: 'eal-frame-edge' }))
    this.handles = [...FRAME_HANDLES.map(() => 'rect'), 'circle', 'circle'].map(tag => shape(tag, { class: 'eal-grip' }))
    this.handles[9].classList.add('eal-grip-move')
    this.node.append(this.edge, ...this.arms, ...this.handles)
  }

  show(extent, z) {
    this.node.setAttribute('display', extent ? 'inline' : 'none')
    this.extent = extent
    if (!extent) return
    const room = FRAME_ROOM / z, [x, y, w, h] = [extent[0] - room, extent[1] - room, extent[2] + 2 * room, extent[3] + 2 * room]
    for (const [key, value] of Object.entries({ x, y, width: w, height: h })) this.edge.setAttribute(key, value)
    const middle = x + w / 2, ends = [[y, y - ARM / z], [y + h, y + h + ARM / z]]
    ends.forEach(([y1, y2], i) => { for (const [key, value] of Object.entries({ x1: middle, y1, x2: middle, y2 })) this.arms[i].setAttribute(key, value) })
    this.places = [...FRAME_HANDLES.map(([u, v]) => [x + w * (u + 1) / 2, y + h * (v + 1) / 2]), ...ends.map(o => [middle, o[1]])]
    this.places.forEach(([px, py], i) => {
      const side = 9 / z, round = i > 7
      this.handles[i].setAttribute(round ? 'cx' : 'x', round ? px : px - side / 2)
      this.handles[i].setAttribute(round ? 'cy' : 'y', round ? py : py - side / 2)
      if (round) this.handles[i].setAttribute('r', 5.5 / z)
      else for (const key of ['width', 'height']) this.handles[i].setAttribute(key, side)
    })
    this.around = [x, y, x + w, y + h]
  }

  // What is under a place: { handle: [across, down] }, { turn: true }, { move: true } or nothing.
  hit([x, y], near) { // both in pixels of the photo
    if (!this.extent) return null
    const found = this.places.findIndex(([px, py]) => Math.max(Math.abs(px - x), Math.abs(py - y)) <= near)
    if (found >= 0) return found < 8 ? { handle: FRAME_HANDLES[found] } : found === 8 ? { turn: true } : { move: true }
    const [left, top, right, bottom] = this.around, edge = near * .7
    const inside = x > left - edge && x < right + edge && y > top - edge && y < bottom + edge
    const within = x > left + edge && x < right - edge && y > top + edge && y < bottom - edge
    return inside && !within ? { move: true } : null
  }
}
