// Keypoints in the full view: one point or the whole set is active. A drag, arrows, or clicks that place one point after the other.

import { clamp, shape } from './dom.js'
import { registerKeys, registerTool } from './edit.js'
import { Magnifier } from './magnifier.js'
import { DrawnSet, SetFrame } from './points_drawn.js'
import { contourOf, contoursOf, extentOf, fittedShape, likelyPlace, middleOf, mirroredPoints, movedPoints, pointsApart } from './points_math.js'
import { reversedRun, roundedPoints, scaledPoints, sidesSwapped, stretchedFrame, turnedPoints } from './points_math.js'
import { PointPanel } from './points_panel.js'

const STATE = { 0: 'unlabelled', 1: 'hidden', 2: 'visible' }
const plural = (n, noun) => `${n} ${noun}${n === 1 ? '' : 's'}`
const brief = value => `${Math.round(value * 10) / 10 + 0}`

export class PointTools { // what an editor knows of keypoints
  constructor(editor) {
    Object.assign(this, { editor, numbers: true, alone: false, lifted: new Map(), skipped: new Map(), frames: new Map() })
    this.lens = new Magnifier(editor.full.stage)
    this.panel = new PointPanel(this)
  }

  get set() { const { chosen } = this.editor; return chosen?.points ? chosen : undefined }

  get points() { return this.set?.points ?? [] }

  get active() { return this.points.length > this.editor.point ? this.editor.point : null }

  scheme(object = this.placing?.draft ? this.placing : this.editor.chosen) { return this.editor.schemes[object?.label ?? ''] ?? {} }

  contours() { const { contours = [], points = [] } = this.scheme(), n = this.points.length || points.length; return (contours ?? []).filter(([, stop]) => stop <= n) }

  get run() { // the active contour: of the active point, or of the one before the whole set was
    const { active, left } = this
    return contourOf(active ?? (left && left.key === this.set?.key && left.i < this.points.length ? left.i : 0), this.points.length, this.contours())
  }

  name(i) { const name = this.scheme().points?.[i]; return name && name !== `${i}` ? `point ${i}, ${name}` : `point ${i}` }

  contourName([start, stop]) { return this.contours().length > 1 ? `contour ${this.contours().findIndex(o => o[0] === start)} (points ${start} to ${stop - 1})` : `points ${start} to ${stop - 1}` }

  framed(object) { return this.kept(this.frames, object.key) ?? !object.box }

  kept(map, key) { // what was kept of an object that the kernel has named since
    if (!map.has(key)) for (const [ours, theirs] of this.editor.ours) if (theirs === key && map.has(ours)) map.set(key, map.get(ours))
    return map.get(key)
  }

  // --- what is active

  activate(i, said = true) { // null: the whole set
    const { editor, set } = this
    if (!set) return
    if (i != null) this.left = { key: set.key, i }
    editor.select(set.key, i)
    this.refresh()
    if (said) editor.say(i == null ? `the whole set, ${plural(this.points.filter(o => o[2]).length, 'point')}` : `${this.name(i)}: ${this.skips().has(i) && !this.points[i][2] ? 'skipped' : STATE[this.points[i][2]]}`)
  }

  step(by) {
    const n = this.points.length, [start, stop] = this.alone ? this.run : [0, n]
    const at = this.active ?? (by > 0 ? start - 1 : stop)
    this.activate(start + (at + by - start + stop - start) % (stop - start))
  }

  stepContour(by) {
    const all = contoursOf(this.points.length, this.contours()), at = all.findIndex(o => o[0] === this.run[0])
    this.activate(all[(at + by + all.length) % all.length][0])
  }

  refresh() { this.editor.redraw(this.editor.selected); this.panel.renew() }

  skips() { return this.kept(this.skipped, this.set?.key) ?? new Set() }

  // --- changes

  change(points, words) { // one step of undo
    const { editor, set } = this
    if (!set) return
    const [height, width] = editor.size, outside = points.filter(([x, y, v]) => v && (x < 0 || y < 0 || x > width || y > height)).length
    this.lens.hide()
    if (!editor.held && String(points) === String(set.points)) { editor.preview(); return editor.say('nothing changed') }
    editor.act([{ op: 'set', key: set.key, now: { points } }], outside ? `${words}; ${plural(outside, 'point')} outside the image` : words)
  }

  changeOne(i, point, words) { this.change(this.points.map((o, k) => k === i ? point : o), words) }

  lift(i) { // where it was is kept, if it comes back
    const { set, points } = this, [x, y, v] = points[i]
    if (!v) return
    this.lifted.set(set.key, Object.assign([...this.kept(this.lifted, set.key) ?? []], { [i]: [x, y] }))
  }

  likely(i, object = this.set) { // of a point that is unlabelled: where it would come to lie
    const { editor } = this, before = this.kept(this.lifted, object.key)?.[i]
    if (before) return before
    const { mean, contours } = this.scheme(object), few = object.points.filter(o => o[2]).length < 2
    const place = few && mean ? this.usual(mean, object.box)[i] : likelyPlace(object.points, i, mean, contours) ?? middleOf(object.box ?? this.middleOfView(0.3))
    return editor.clip(place).map(o => editor.round(o))
  }

  see(v) { // the active point becomes visible, hidden or unlabelled; hidden twice is visible again
    const i = this.active
    if (i == null) return this.set.box && v === 1 ? false : this.seeAll(v)
    const [x, y, before] = this.points[i]
    if (v === 1 && before === 1) v = 2
    if (v === before) return this.editor.say(`${this.name(i)} is ${STATE[v]}`)
    if (!v) this.lift(i)
    const place = before ? [x, y] : this.likely(i)
    this.changeOne(i, v ? [...place, v] : [0, 0, 0], `${this.name(i)} ${STATE[v]}${before ? '' : ` at ${place.map(brief).join(', ')}`}`)
  }

  seeAll(v) {
    if (!v) return this.editor.say('choose a point first; Delete removes the object')
    this.change(this.points.map(o => o[2] ? [o[0], o[1], v] : o), `all points ${STATE[v]}`)
  }

  nudge(dx, dy) {
    const i = this.active, { editor, points, set } = this
    if (i == null) return false
    const [x, y, v] = points[i], [px, py] = v ? [x, y] : this.likely(i)
    if (this.nudged?.set !== set.key || this.nudged.i !== i || !editor.held) this.nudged = { set: set.key, i, from: v && [px, py] }
    const [nx, ny] = v ? editor.clip([px + dx, py + dy]) : [px, py], { from } = this.nudged
    const words = from ? `${this.name(i)} moved by ${brief(nx - from[0])}, ${brief(ny - from[1])}` : `${this.name(i)} visible at ${brief(nx)}, ${brief(ny)}`
    editor.hold(set.key, { points: points.map((o, k) => k === i ? [nx, ny, v || 2] : o) }, words)
  }

  transform(words, move) { // of the whole set, about its middle; what is held a moment is one action
    const { editor, set, points } = this, extent = extentOf(points)
    if (!extent) return editor.say('no point is labelled')
    editor.hold(set.key, { points: roundedPoints(move(points, middleOf(extent))) }, words)
  }

  scaleBy(factor) { this.transform(factor > 1 ? 'set enlarged' : 'set made smaller', (points, at) => scaledPoints(points, factor, factor, at)) }

  turnBy(degrees) { this.transform(degrees > 0 ? 'set turned clockwise' : 'set turned counterclockwise', (points, at) => turnedPoints(points, degrees * Math.PI / 180, at)) }

  mirror() {
    const { flip_pairs: pairs = [] } = this.scheme()
    this.change(roundedPoints(mirroredPoints(this.points, pairs)), pairs.length ? 'set mirrored, left and right points swapped' : 'set mirrored')
  }

  swapSides() {
    const { flip_pairs: pairs = [] } = this.scheme()
    this.change(sidesSwapped(this.points, pairs, this.contours()), pairs.length ? 'left and right points swapped' : 'every contour numbered from its other end')
  }

  reverse(run) { this.change(reversedRun(this.points, run), `numbering of ${this.contourName(run)} reversed`) }

  reverseAll() { this.change(reversedRun(this.points, [0, this.points.length]), 'numbering of all points reversed') }

  // --- new sets

  schemeOfNew() { // [class, its scheme] that a new set gets; '' is no class
    const { editor } = this, { chosen, schemes } = editor, bare = chosen && !chosen.points
    const own = editor.objects.find(o => o.own && o.points)
    const label = (bare ? [chosen.label ?? ''] : [chosen?.label, editor.label, own && (own.label ?? ''), ...Object.keys(schemes)]).find(o => schemes[o]?.points?.length)
    if (label !== undefined) return [label, schemes[label]]
    editor.fail(bare ? `no keypoints of class ${chosen.label ?? 'none'} are known here` : 'no class has keypoints here')
    return null
  }

  adopt(points, label, words) { // by the chosen object if it has none, else by a new one
    const { editor } = this, { chosen } = editor, now = { points: roundedPoints(points) }
    if (chosen && !chosen.points?.some(o => o[2])) editor.act([{ op: 'set', key: chosen.key, now }], words)
    else editor.select(editor.act([{ op: 'add', now: label ? { ...now, label } : now }], words)[0])
    this.refresh()
    editor.say(words)
  }

  fromMean() { // in the box of the chosen object, else in a frame that is dragged
    const { editor } = this, found = this.schemeOfNew()
    if (!found) return
    const [label, { mean }] = found, { chosen } = editor
    if (!mean?.length) return editor.fail(`no mean shape of ${label}: no set of points is complete`)
    const words = `set of ${plural(mean.length, 'point')} begun from the mean shape`
    if (chosen?.box && !chosen.points?.some(o => o[2])) return this.adopt(fittedShape(mean, chosen.box), label, words)
    if (this.set && extentOf(this.points)) return this.change(roundedPoints(fittedShape(mean, extentOf(this.points))), 'set begun anew from the mean shape')
    editor.begin(this.dragMean(mean, label, points => { editor.finish(); this.adopt(points, label, words) }))
  }

  dragMean(mean, label, done) {
    const { editor } = this, drawn = new DrawnSet(mean.map(() => [0, 0, 0]), editor.schemes[label], false)
    const { flip_pairs: pairs } = this.editor.schemes[label]
    const fit = (from, to) => (o => to[0] < from[0] ? mirroredPoints(o, pairs) : o)(fittedShape(mean, [Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])]))
    const show = points => { if (!drawn.node.parentNode) editor.above.append(drawn.node); drawn.renew(points) }
    return {
      name: 'mean shape', cursor: 'crosshair', words: 'drag a frame for the mean shape, from right to left for its mirror image; Enter puts it into the middle',
      down: from => ({
        move: to => show(fit(from, editor.clip(to))),
        end: to => { if (Math.hypot(to[0] - from[0], to[1] - from[1]) * editor.full.z > 8) done(fit(from, editor.clip(to))) },
        cancel: () => drawn.node.remove(),
      }),
      enter: () => done(this.usual(mean)),
    }
  }

  usual(mean, box) { return fittedShape(mean, box ?? this.middleOfView(.3)).map(o => [...this.editor.clip(o), o[2]]) }

  middleOfView(part) { // a box
    const { full } = this.editor, { clientWidth: w, clientHeight: h } = full.stage
    const [[x0, y0], [x1, y1]] = [.5 - part, .5 + part].map(share => this.editor.clip(full.to([w * share, h * share])))
    return [x0, y0, x1 - x0, y1 - y0]
  }

  empty() { // then the first click makes it
    const { editor } = this, found = this.schemeOfNew()
    if (!found) return
    const [label, { points: names }] = found
    if (this.set && !this.points.some(o => o[2])) return this.place()
    if (this.set) editor.select(null)
    this.place({ draft: names.map(() => [0, 0, 0]), label })
  }

  copyForward() { // the sets of the photo before
    const { editor } = this, before = editor.before?.objects.filter(o => o.points?.some(p => p[2])) ?? []
    const from = before.find(o => o.key === editor.before.selected) ?? before.find(o => o.own) ?? before[0]
    if (!from) return editor.fail('no keypoints in the photo that was open before this one')
    const [h, w] = editor.size, [h0, w0] = editor.before.size, { chosen } = editor
    let points = scaledPoints(from.points, w / w0, h / h0, [0, 0])
    if (chosen?.box && from.box && !this.set) points = this.carried(from, chosen.box)
    this.adopt(points, from.label, `${plural(from.points.filter(o => o[2]).length, 'point')} copied from the photo before`)
  }

  carried({ box, points }, to) { return movedPoints(scaledPoints(points, to[2] / (box[2] || 1), to[3] / (box[3] || 1), box.slice(0, 2)), to[0] - box[0], to[1] - box[1]) }

  // --- placing by clicks

  // Each click sends the active point there. `run`: only this contour, anew, as one action; `draft`: a set that its first click makes.
  place({ run, draft, label } = {}) {
    const { editor } = this
    if (!draft && !this.set) return this.empty()
    this.skipped.delete(undefined)
    const points = draft ?? this.points, [start, stop] = run ?? (this.alone && !draft ? this.run : [0, points.length])
    const hole = points.findIndex((o, i) => !o[2] && i >= start && i < stop)
    const first = run ? start : this.active ?? (hole < 0 ? start : hole)
    const mode = { name: 'place points', cursor: 'crosshair', range: [start, stop], run, draft, label, next: first, placed: [], lifted: run ? new Set() : null }
    Object.assign(mode, {
      down: (at, event) => this.pressed(mode, at, event),
      hover: (at, event) => this.magnify(at, event, this.name(mode.next)),
      end: () => { this.lens.hide(); editor.preview(); this.panel.renew() },
      panel: () => this.panel.renew(),
    })
    if (run) mode.before = this.points
    editor.begin(mode)
    this.toPoint(mode, first)
  }

  get placing() { return this.editor.mode?.name === 'place points' ? this.editor.mode : null }

  togglePlacing() { if (this.placing) { this.editor.finish(); this.editor.say('placing stopped') } else this.place() }

  toPoint(mode, i, done = '') {
    mode.next = i
    if (mode.draft) this.editor.full.panel.renew(); else this.activate(i, false)
    this.editor.say(`${done && `${done}; `}click where ${this.name(i)} is`)
  }

  pressed(mode, at, event) { // follows the pointer until it is let go
    const { editor } = this
    if (!mode.draft && !this.set) { editor.finish(); return true } // it is gone
    if (event.altKey && !mode.draft) { const hit = this.nearest(this.set, at, editor.reach(event)); if (hit) this.unlabel(hit.point); return true }
    const show = (to, e) => {
      const place = editor.clip(to).map(o => editor.round(o))
      this.magnify(place, e, this.name(mode.next))
      if (!mode.draft && this.set) editor.preview(editor.selected, { points: this.withPlaced(mode, place) })
      return place
    }
    show(at, event)
    return { move: show, end: (to, e) => this.placed(mode, show(to, e)), cancel: () => this.lens.hide() }
  }

  withPlaced(mode, place) {
    const i = mode.next
    return this.replaced(mode).map((o, k) => k === i ? [...place, o[2] || 2] : o)
  }

  replaced(mode) { // as the set stands within the mode: points of a contour that wait for their click are nowhere
    if (!mode.run) return mode.draft ?? this.points
    return mode.before.map((o, k) => k < mode.run[0] || k >= mode.run[1] ? o : mode.anew?.[k] ?? [0, 0, 0])
  }

  placed(mode, place) {
    const { editor } = this, i = mode.next, points = this.withPlaced(mode, place), fresh = mode.draft || !(mode.before ?? this.points)[i][2]
    mode.placed.push(i)
    this.skips().delete(i)
    let words = `${this.name(i)} at ${place.map(brief).join(', ')}`
    if (mode.run) { (mode.anew ??= [])[i] = points[i]; editor.preview(editor.selected, { points }) } else if (mode.draft) {
      const { chosen } = editor, now = { points }
      const key = chosen && !chosen.points ? chosen.key : null
      const [made] = editor.act([key != null ? { op: 'set', key, now } : { op: 'add', now: mode.label ? { points, label: mode.label } : now }], words)
      mode.begun = { draft: mode.draft, label: mode.label }
      mode.draft = null
      this.skipped.set(key ?? made, new Set(this.skipped.get(undefined)))
      editor.select(key ?? made)
    } else {
      const [x, y, v] = this.points[i]
      if (v) words = `${this.name(i)} moved by ${brief(place[0] - x)}, ${brief(place[1] - y)}`
      this.changeOne(i, points[i], words)
    }
    this.goOn(mode, fresh && !mode.run, words)
  }

  goOn(mode, holes, done) { // to the next one; a hole goes on to the next hole
    const [, stop] = mode.range, points = mode.draft ?? this.points
    let i = mode.next + 1
    while (holes && i < stop && (points[i][2] || this.skips().has(i))) i++
    if (i < stop) return this.toPoint(mode, i, done)
    this.endPlacing(mode, done)
  }

  endPlacing(mode, done) {
    const { editor } = this, points = mode.run && this.replaced(mode)
    editor.finish()
    if (!mode.run) return editor.say([done, 'that was the last point'].filter(Boolean).join('; '))
    this.change(points, `${this.contourName(mode.run)} placed anew`)
  }

  skip() { // leaves a hole
    const mode = this.placing, i = mode ? mode.next : this.active
    if (i == null) return false
    const words = `${this.name(i)} skipped`
    this.skipped.set(this.set?.key, this.skips().add(i)) // of a draft: under no key
    if (mode) this.goOn(mode, !mode.run && !this.replaced(mode)[i][2], words); else this.step(1)
  }

  back() { // in the mode: the last click is taken back
    const mode = this.placing
    if (!mode || !mode.placed.length) return false
    const i = mode.placed.pop()
    if (mode.run) { mode.anew[i] = undefined; this.editor.preview(this.set.key, { points: this.replaced(mode) }) } else this.editor.undo()
    if (mode.begun && !mode.placed.length) Object.assign(mode, mode.begun)
    this.toPoint(mode, i)
  }

  enter() { // by keys alone: the point comes to where it is likely to be, and arrows move it from there
    const { mode } = this.editor
    if (mode?.enter) return mode.enter()
    if (!this.placing) return false
    if (mode.run && mode.placed.length) return this.endPlacing(mode)
    const object = mode.draft ? { points: mode.draft, label: mode.label, box: this.editor.chosen?.box } : this.set, [x, y, v] = object.points[mode.next]
    this.placed(mode, v ? [x, y] : this.likely(mode.next, object))
  }

  unlabel(i) { this.lift(i); this.changeOne(i, [0, 0, 0], `${this.name(i)} unlabelled`) }

  // --- pointers

  magnify(at, event, words) {
    const { full } = this.editor, frame = full.stage.getBoundingClientRect()
    this.lens.show(at, [event.clientX - frame.left, event.clientY - frame.top], `${words}: ${at.map(o => o.toFixed(1)).join(', ')}`, full.z)
  }

  nearest(object, [x, y], reach) {
    if (!object?.points) return null
    const chosen = object.key === this.editor.selected, [start, stop] = chosen && this.alone ? this.run : [0, Infinity]
    let found = null, least = reach
    object.points.forEach(([px, py, v], i) => {
      if (!v || i < start || i >= stop) return
      const far = Math.hypot(px - x, py - y)
      if (far < least || (far === least && i === this.editor.point)) { least = far; found = { point: i, far } }
    })
    return found
  }

  hit(object, at, reach) {
    const chosen = object.key === this.editor.selected, found = this.nearest(object, at, reach), extent = extentOf(object.points)
    const what = chosen ? this.name(found?.point) : `${object.label ?? ''} ${found && `point ${found.point}`}`
    if (found) return { part: found, rank: 0, size: found.far, cursor: 'move', tip: this.tip(object, found.point) ?? what }
    const frame = chosen && this.editor.point == null && this.framed(object) && this.frame?.hit(at, reach)
    if (frame) return { part: frame, rank: 0, size: 0, cursor: this.cursor(frame), tip: frame.turn ? 'turn the set' : frame.move ? 'move the set' : 'scale the set' }
    if (!extent || object.box) return undefined // inside it is the box's
    const [x, y, w, h] = extent, inside = at[0] >= x && at[1] >= y && at[0] <= x + w && at[1] <= y + h
    return inside ? { part: {}, rank: 1, size: w * h, tip: `${object.label ?? 'set'}: ${plural(object.points.filter(o => o[2]).length, 'point')}` } : undefined
  }

  tip(object, i) {
    const [x, y, v] = object.points[i], name = this.scheme(object).points?.[i]
    return `keypoint ${i}${name && name !== `${i}` ? `, ${name}` : ''}: x ${brief(x)}, y ${brief(y)}, ${STATE[v]}`
  }

  cursor({ handle, turn }) {
    if (turn) return 'grab'
    if (!handle) return 'move'
    return handle[0] * handle[1] > 0 ? 'nwse-resize' : handle[0] && handle[1] ? 'nesw-resize' : handle[0] ? 'ew-resize' : 'ns-resize'
  }

  grab(object, { part }, from, event) {
    if (part.point != null) return event.altKey ? { move() {}, end() {}, cancel() {} } : this.dragPoint(object, part.point, from)
    if (part.handle || part.turn || part.move) return this.dragFrame(object, part, from)
  }

  dragPoint(object, i, from) {
    const { editor } = this, [x, y, v] = object.points[i]
    let place = [x, y]
    return {
      move: (at, event) => {
        if (editor.point !== i) this.activate(i, false)
        place = editor.clip([x + at[0] - from[0], y + at[1] - from[1]]).map(o => editor.round(o))
        editor.preview(object.key, { points: object.points.map((o, k) => k === i ? [...place, v] : o) })
        this.magnify(place, event, this.name(i))
      },
      end: () => this.changeOne(i, [...place, v], `${this.name(i)} moved by ${brief(place[0] - x)}, ${brief(place[1] - y)}`),
      cancel: () => this.lens.hide(),
    }
  }

  dragFrame(object, { handle, turn, move }, from) {
    const { editor } = this, before = object.points, extent = extentOf(before), middle = middleOf(extent)
    let now = before, words = ''
    const angle = at => Math.atan2(at[1] - middle[1], at[0] - middle[0]), room = handle && this.frame.around
    const step = (at, event) => {
      const by = [at[0] - from[0], at[1] - from[1]]
      if (move) {
        const [height, width] = editor.size, [x, y, w, h] = extent
        const [dx, dy] = [clamp(by[0], Math.min(0, -x), Math.max(0, width - x - w)), clamp(by[1], Math.min(0, -y), Math.max(0, height - y - h))].map(o => editor.round(o))
        now = movedPoints(before, dx, dy)
        words = `set moved by ${brief(dx)}, ${brief(dy)}`
      } else if (turn) {
        let degrees = (angle(at) - angle(from)) * 180 / Math.PI
        if (event.shiftKey) degrees = Math.round(degrees / 15) * 15
        now = turnedPoints(before, degrees * Math.PI / 180, middle)
        words = `set turned by ${brief(((degrees + 540) % 360) - 180)} degrees`
      } else {
        const frame = [room[0], room[1], room[2] - room[0], room[3] - room[1]], to = at
        const { sx, sy, from: fixed } = stretchedFrame(frame, handle, to, { aspect: event.shiftKey, centred: event.altKey })
        now = scaledPoints(before, sx, sy, fixed)
        words = `set scaled to ${Math.round(Math.abs(sx) * 100)} by ${Math.round(Math.abs(sy) * 100)} percent`
      }
      editor.preview(object.key, { points: now })
    }
    return { move: step, end: () => this.change(roundedPoints(now), words), cancel() {} }
  }

  click(object, { part }, event) {
    if (part.point != null) { if (event.altKey) this.unlabel(part.point); else this.activate(part.point); return true }
    if (part.handle || part.turn || part.move) return true
    if (this.editor.point == null) return false
    this.activate(null)
    return true
  }

  // --- drawing

  draw(g, object) {
    const { editor } = this, chosen = object.key === editor.selected, scheme = this.scheme(object), z = editor.full.z
    const moving = editor.shown?.key === object.key, shape_ = `${object.points.length} ${chosen} ${object.label}`
    if (g.parts?.shape !== shape_) {
      const set = new DrawnSet(object.points, scheme, chosen)
      g.replaceChildren(set.node)
      g.parts = { shape: shape_, set }
      if (chosen) this.dress(g)
    } else g.parts.set.renew(object.points)
    const { set, frame, ghost } = g.parts
    if (!moving) set.space()
    this.drawOptions(g, object, scheme)
    if (!chosen) return
    const i = editor.point, run = this.run
    this.lens.photo(editor.full.wanted, editor.size[1])
    set.mark(i, run, this.alone)
    const now = `${z} ${i} ${object.points[i]?.[2]} ${this.numbers} ${this.alone} ${run} ${this.placing?.placed.length}`
    if (!moving || now !== g.parts.numbered) set.number(this.numbers, z, this.alone, run)
    g.parts.numbered = now
    this.frame = frame
    frame.show(i == null && !this.placing && this.framed(object) ? extentOf(object.points) : null, z)
    const lost = i != null && !object.points[i][2]
    ghost.setAttribute('display', lost ? 'inline' : 'none')
    if (!lost) return
    ghost.setAttribute('transform', `translate(${this.likely(i, object).join(' ')})`)
    ghost.lastChild.textContent = i
    ghost.lastChild.setAttribute('y', -15 / z)
  }

  drawOptions(g, { status, options }, scheme) { // the values of a conflict, by their letters
    const values = status === 'conflict' ? options.map((o, i) => ({ points: o?.points, letter: 'ABCDEFGH'[i] })).filter(o => o.points) : [], now = JSON.stringify(values)
    if (now === (g.parts.options ?? '[]')) return
    g.parts.options = now
    for (const node of g.querySelectorAll('.eal-option-set')) node.remove()
    for (const { points, letter } of values) {
      const set = new DrawnSet(points, scheme, false), { node } = set
      const [x, y] = points[pointsApart(points, values.map(o => o.points)).find(i => points[i][2])] ?? extentOf(points) ?? [0, 0]
      set.space()
      node.classList.add('eal-option-set')
      node.append(shape('text', { class: 'eal-option', x, y }))
      node.lastChild.textContent = letter
      g.prepend(node)
    }
  }

  dress(g) { // what only the chosen set has
    g.parts.frame = new SetFrame()
    g.parts.ghost = shape('g', { class: 'eal-active', display: 'none' })
    g.parts.ghost.append(shape('circle', { class: 'eal-ghost' }), shape('text', { class: 'eal-number' }))
    g.append(g.parts.ghost, g.parts.frame.node)
  }
}

// --- as a tool of the editor

const POINT_TOOLS = new WeakMap()

export function pointTools(editor) {
  if (!POINT_TOOLS.has(editor)) POINT_TOOLS.set(editor, new PointTools(editor))
  return POINT_TOOLS.get(editor)
}

const hasSchemes = editor => editor.objects.some(o => o.points) || Object.values(editor.schemes).some(o => o.points?.length)

registerTool({
  name: 'points',
  of: object => Boolean(object.points),
  draw: (g, object, editor) => pointTools(editor).draw(g, object),
  hit: (object, at, reach, editor) => pointTools(editor).hit(object, at, reach),
  grab: (object, hit, at, event, editor) => pointTools(editor).grab(object, hit, at, event),
  click: (object, hit, at, event, editor) => pointTools(editor).click(object, hit, event),
  bounds: object => extentOf(object.points) ?? undefined,
  moved: (object, dx, dy) => ({ points: movedPoints(object.points, dx, dy) }),
  panel: (object, editor) => pointTools(editor).panel.renew(),
  buttons: [
    { words: '∴ Place', title: 'Place keypoints by clicks, of the chosen set or of a new one (P)', shown: hasSchemes, act: editor => pointTools(editor).togglePlacing(),
      pressed: editor => editor.mode?.name === 'place points' },
    { words: 'Points ▾', title: 'What can be done with keypoints (K)', shown: hasSchemes, attributes: { 'aria-haspopup': 'menu' }, act: editor => pointTools(editor).panel.openMenu() },
  ],
})

const ofPoints = act => editor => act(pointTools(editor)), ofPlacing = act => editor => pointTools(editor).placing ? act(pointTools(editor)) : false
const pointArrows = (prefix, id, words, act) => Object.fromEntries([['Left', -1, 0], ['Right', 1, 0], ['Up', 0, -1], ['Down', 0, 1]]
  .map(([side, dx, dy]) => [`${id} ${side.toLowerCase()}`, { keys: `${prefix}Arrow${side}`, words: words(side.toLowerCase()), act: ofPoints(o => act(o, dx, dy)) }]))

registerKeys('mode', {
  'take back': { keys: ['Ctrl+Z', 'Backspace'], words: 'take the last click back', act: ofPlacing(o => o.back()) },
  'place here': { keys: 'Enter', words: 'place the point where it is likely to be; end a contour', act: ofPoints(o => o.enter()) },
})

registerKeys('points', {
  place: { keys: 'P', words: 'place points by clicks, one after the other', act: ofPoints(o => o.togglePlacing()) },
  'next point': { keys: '.', words: 'next point', act: ofPoints(o => o.step(1)) },
  'previous point': { keys: ',', words: 'previous point', act: ofPoints(o => o.step(-1)) },
  'next contour': { keys: '>', words: 'next contour', act: ofPoints(o => o.stepContour(1)) },
  'previous contour': { keys: '<', words: 'previous contour', act: ofPoints(o => o.stepContour(-1)) },
  whole: { keys: 'Escape', words: 'the whole set', act: ofPoints(o => !o.placing && o.active != null ? o.activate(null) : false) },
  skip: { keys: 'S', words: 'skip the point', act: ofPoints(o => o.skip()) },
  visible: { keys: 'V', words: 'visible', act: ofPoints(o => o.see(2)) },
  hidden: { keys: ['Q', '/'], words: 'hidden, or visible again', act: ofPoints(o => o.see(1)) },
  unlabelled: { keys: 'O', words: 'unlabelled', act: ofPoints(o => o.see(0)) },
  'delete point': { keys: ['Delete', 'Backspace'], words: 'unlabelled', act: ofPoints(o => o.active == null ? false : o.see(0)) },
  ...pointArrows('', 'point', side => `the point 1 pixel ${side}`, (o, dx, dy) => o.nudge(dx, dy)),
  ...pointArrows('Shift+', 'point far', side => `the point 10 pixels ${side}`, (o, dx, dy) => o.nudge(10 * dx, 10 * dy)),
  ...pointArrows('Alt+', 'frame', side => ({ left: 'turn the set counterclockwise', right: 'turn the set clockwise', up: 'enlarge the set', down: 'make the set smaller' })[side],
    (o, dx, dy) => !o.framed(o.set) ? false : dx ? o.turnBy(dx) : o.scaleBy(1.01 ** -dy)),
  ...pointArrows('Alt+Shift+', 'frame far', side => ({ left: 'turn by 10 degrees', right: 'turn by 10 degrees', up: 'enlarge by a tenth', down: 'smaller by a tenth' })[side],
    (o, dx, dy) => !o.framed(o.set) ? false : dx ? o.turnBy(10 * dx) : o.scaleBy(1.1 ** -dy)),
  numbers: { keys: 'I', words: 'numbers beside points', act: ofPoints(o => o.panel.toggle('numbers')) },
  alone: { keys: 'X', words: 'only the active contour', act: ofPoints(o => o.panel.toggle('alone')) },
  frame: { keys: 'R', words: 'frame of the set', act: ofPoints(o => o.panel.toggle('framed')) },
})

registerKeys('edit', {
  'point menu': { keys: 'K', words: 'menu of keypoints', act: ofPoints(o => o.panel.openMenu()) },
  'new points': { keys: 'P', words: 'a new set of keypoints by clicks', act: ofPoints(o => o.empty()) },
  'copy forward': { keys: 'Ctrl+B', words: 'keypoints of the photo before', act: ofPoints(o => o.copyForward()) },
  magnifier: { keys: 'G', words: 'magnifier', act: ofPoints(o => o.panel.toggle('magnifier')) },
})
