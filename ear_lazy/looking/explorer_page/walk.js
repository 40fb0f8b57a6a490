// Suspects, one after the other: the object is chosen, the reason stands beside it, and what is proposed is drawn over it, to be accepted or not.

import { make, number, shape, unique, unlumino } from './dom.js'
import { Magnifier } from './magnifier.js'
import { linesOf } from './points_drawn.js'
import { extentOf, middleOf } from './points_math.js'
import { pointTools } from './points.js'

const MOST_ARROWS = 12 // of a set that changes as a whole, more would hide it
const brief1 = value => `${+value.toFixed(1)}`
const listed = (word, all) => `${word}${all.length > 1 ? 's' : ''} ${all.length > 1 ? `${all.slice(0, -1).join(', ')} and ${all.at(-1)}` : all[0]}`
const samePlace = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]) < .01

export function changedPoints(before = [], now = []) { // [i] that are elsewhere or seen otherwise
  return now.map((_, i) => i).filter(i => before[i] && (before[i][2] !== now[i][2] || now[i][2] && !samePlace(before[i], now[i])))
}

export function isRenumbered(before, now) { // are they the same places in another order?
  const moved = changedPoints(before, now)
  return moved.length > 1 && moved.every(i => moved.some(k => k !== i && before[k][2] === now[i][2] && samePlace(before[k], now[i])))
}

export function suggestionWords({ what, box, points, label }, object) { // as what is to be done
  if (what === 'delete') return 'delete it'
  if (what === 'add') return `add ${label ?? (box ? 'a box' : 'keypoints')} here`
  const words = [], old = object?.box, moved = points ? changedPoints(object?.points ?? points, points) : []
  if (box && !old) words.push('give it this box')
  else if (box && box.some((o, i) => Math.abs(o - old[i]) > .01)) words.push([2, 3].every(i => Math.abs(box[i] - old[i]) < .05) ? `move the box by ${brief1(box[0] - old[0])}, ${brief1(box[1] - old[1])}` : `box of ${brief1(box[2])} × ${brief1(box[3])} instead of ${brief1(old[2])} × ${brief1(old[3])}`)
  if (moved.length && isRenumbered(object.points, points)) words.push(moved.length === 2 ? `swap points ${moved.join(' and ')}` : `number ${moved.length} points anew`)
  else if (moved.length === 1) {
    const [i] = moved, [from, to] = [object.points[i], points[i]]
    words.push(!to[2] ? `point ${i} is not to be seen: unlabelled` : samePlace(from, to) || !from[2] ? `point ${i} ${to[2] === 1 ? 'hidden' : 'visible'}` : `move point ${i} by ${brief1(to[0] - from[0])}, ${brief1(to[1] - from[1])}`)
  } else if (moved.length) words.push(moved.length <= MOST_ARROWS ? `move ${listed('point', moved)}` : `move ${moved.length} points`)
  if (label != null && label !== object?.label) words.push(object?.label ? `class ${label} instead of ${object.label}` : `class ${label}`)
  return words.join(', ')
}

export class WalkView {
  constructor(app) {
    Object.assign(this, { app, all: [], at: 0, before: 0, counts: undefined, id: `eal${unique()}` })
    const button = (text, title, act) => make('button', { ...unlumino, type: 'button', title, onclick: () => { app.predicted.unpick(); act(); app.full.stage.focus({ preventScroll: true }) } }, text)
    this.place = make('p', { class: 'eal-turn' })
    this.kind = make('strong', {})
    this.reason = make('p')
    this.proposal = make('p', { class: 'eal-proposal' })
    this.acceptButton = button('✓ Accept', 'Accept what is proposed, and go on (Y)', () => this.accept())
    this.rightButton = button('It is right', 'It is right as it is: never asked again (U)', () => this.reject())
    this.node = make('div', { class: 'eal-walk', role: 'group', 'aria-label': 'Suspect', hidden: true },
      make('div', { class: 'eal-row' }, this.place, button('‹', 'Previous suspect (Shift+J)', () => this.step(-1)), button('›', 'Skip: the next suspect (J)', () => this.step(1))),
      make('div', { role: 'status' }, this.kind, this.reason, this.proposal), make('div', { class: 'eal-row' }, this.acceptButton, this.rightButton))
    app.full.panel.side.prepend(this.node)
    const head = shape('marker', { id: `${this.id}h`, viewBox: '0 0 10 10', refX: 8, refY: 5, markerWidth: 5, markerHeight: 5, orient: 'auto' })
    head.append(shape('path', { d: 'M0 0L10 5L0 10z' }))
    this.heads = shape('defs', {})
    this.heads.append(head)
    this.group = shape('g', { class: 'eal-suggestion' })
    app.edit.root.insertBefore(this.group, app.edit.above)
  }

  get walking() { return Boolean(this.counts) && this.app.edit.on } // are there suspects to walk through?

  get takes() { return this.walking && this.app.predicted.at == null && Boolean(this.suspect || !this.app.predicted.left?.length) } // keys that are of predictions else

  get suspect() { return this.walking ? this.all[this.at] : undefined }

  get object() { return this.app.edit.find(this.suspect?.key) }

  // --- what the kernel says

  tell(told) { // how far one is; an answer that comes late knows less
    if (!told || this.counts?.version > told.version) return
    const { of, corrected, right, version } = told
    this.counts = { of, corrected, right, version }
  }

  show(row, head) { // a row in full
    const { walk } = head, { wish } = this
    this.tell(walk)
    Object.assign(this, { row, all: walk?.suspects ?? [], before: walk?.before ?? 0, wish: undefined, told: undefined })
    if (!this.suspect) this.at = 0
    const wished = wish?.row !== row ? -1 : wish.last ? this.all.length - 1 : this.all.findIndex(o => o.i === wish.i)
    this.pick(wished >= 0 ? wished : Math.max(0, this.all.findIndex(o => !o.state)), false)
  }

  news(walk) { // of the row that is shown
    this.tell(walk)
    if (!walk) return
    const now = this.suspect?.i
    this.all = walk.suspects
    this.at = Math.max(0, this.all.findIndex(o => o.i === now))
    this.renew()
  }

  answered(type, row, walk) { // something was done, or undone: then its suspect is shown again
    if (!walk) return
    const again = type === 'edit' ? undefined : walk.changed[0]
    if (row === this.row) {
      this.news(walk)
      const at = this.all.findIndex(o => o.i === again)
      if (at >= 0) this.pick(at)
    } else {
      this.tell(walk)
      if (again !== undefined) this.wish = { row, i: again }
      this.renew()
    }
  }

  // --- what is shown of it

  pick(at, fit = true) {
    const { app } = this
    this.at = at
    if (this.suspect) app.edit.select(this.suspect.key, this.object?.points ? this.suspect.point : null)
    this.renew()
    if (fit) app.full.fit()
    if (this.suspect) app.edit.say(this.words())
  }

  words() { // the rest is read where it stands
    const { kind, state } = this.suspect, { object, app } = this
    return `suspect ${number(this.before + this.at + 1)} of ${number(this.counts.of)}: ${kind}${state ? `, ${state}` : ''}${object ? ` – ${app.edit.describe(object)}` : ''}`
  }

  proposed() { const { suspect } = this; return suspect?.suggestion && !suspect.state ? suggestionWords(suspect.suggestion, this.object) : '' }

  renew() {
    const { app, suspect, counts } = this
    this.node.hidden = !suspect
    this.draw()
    if (!suspect) return
    const proposal = this.proposed(), settled = [counts.corrected && `${number(counts.corrected)} corrected`, counts.right && `${number(counts.right)} right`].filter(Boolean)
    this.place.textContent = [`Suspect ${number(this.before + this.at + 1)} of ${number(counts.of)}`, ...settled].join(', ')
    this.kind.textContent = `${suspect.kind} ${suspect.score.toFixed(2)}`
    this.reason.textContent = suspect.reason
    this.proposal.textContent = { corrected: 'It is corrected.', right: 'It is right, as you said.' }[suspect.state] ?? (proposal ? `Proposed: ${proposal}.` : 'Nothing is proposed: correct it by hand, or say that it is right.')
    this.acceptButton.disabled = !proposal
    this.rightButton.disabled = Boolean(suspect.state)
  }

  around() { // what to see of it: the object, with what is proposed; undefined for the whole photo
    const { suspect, object, app } = this
    if (!suspect) return undefined
    const { suggestion } = suspect, all = [object && app.edit.bounds(object), !suspect.state && suggestion?.box, !suspect.state && suggestion?.points && extentOf(suggestion.points)].filter(Boolean)
    if (!all.length) return undefined
    const [x, y] = [0, 1].map(i => Math.min(...all.map(o => o[i]))), [right, bottom] = [0, 1].map(i => Math.max(...all.map(o => o[i] + o[i + 2])))
    return [x, y, right - x, bottom - y]
  }

  // --- drawing

  draw() {
    const { suspect, object } = this, suggestion = suspect && !suspect.state ? suspect.suggestion : undefined
    this.group.replaceChildren(this.heads)
    this.z = this.app.full.z
    this.app.edit.node.classList.remove('eal-anew')
    this.magnify()
    if (!suggestion) return
    if (suggestion.what === 'delete') this.cross(object && this.app.edit.bounds(object))
    if (suggestion.box) this.drawBox(suggestion.box, object?.box)
    if (suggestion.points) this.drawPoints(suggestion.points, object)
    if (suggestion.label != null && suggestion.label !== object?.label) this.text(suggestion.box ?? (object && this.app.edit.bounds(object)) ?? extentOf(suggestion.points), `${object?.label ? `${object.label} → ` : ''}${suggestion.label}`)
  }

  both(tag, attributes, more = '') { // dark below light: to be seen on any photo
    for (const kind of ['eal-rim', 'eal-line']) this.group.append(shape(tag, { ...attributes, class: `${kind}${more}` }))
    return this.group.lastChild
  }

  drawBox([x, y, width, height], before) {
    if (before?.every((o, i) => Math.abs(o - [x, y, width, height][i]) <= .01)) return
    this.both('rect', { x, y, width: Math.max(0, width), height: Math.max(0, height) })
  }

  arrow([x, y], [nx, ny], bend = 0) { // a curve, where two would lie on each other
    const [mx, my] = [(x + nx) / 2 - (ny - y) * bend, (y + ny) / 2 + (nx - x) * bend]
    this.both('path', { d: `M${x} ${y}Q${mx} ${my} ${nx} ${ny}` }, ' eal-arrow').setAttribute('marker-end', `url(#${this.id}h)`)
  }

  cross(bounds) {
    if (!bounds) return
    const [x, y, w, h] = bounds
    this.both('path', { d: `M${x} ${y}l${w} ${h}M${x + w} ${y}l${-w} ${h}` }, ' eal-gone')
  }

  text([x, y], words) {
    const node = shape('text', { x, y, class: 'eal-becomes' }) // below the upper edge where there is no room above it
    node.setAttribute('dy', y * this.app.full.z < 20 ? '1.2em' : '-.5em')
    node.textContent = words
    this.group.append(node)
  }

  spot([x, y, v], words, [fx, fy]) { // its words away from a place
    this.group.append(shape('circle', { cx: x, cy: y, class: v === 1 ? 'eal-spot eal-hidden' : 'eal-spot' }))
    const far = Math.hypot(x - fx, y - fy) || 1, by = (10 + 4 * `${words}`.length) / this.app.full.z
    const node = shape('text', { x: x + (x - fx) / far * by, y: y + (y - fy) / far * by, class: 'eal-becomes eal-middle' })
    node.textContent = words
    this.group.append(node)
  }

  drawPoints(points, object) {
    const before = object?.points, scheme = object ? pointTools(this.app.edit).scheme(object) : this.app.edit.schemes[this.suspect.suggestion.label] ?? {}
    if (!before) return this.outline(points, scheme, points.map((_, i) => i))
    const moved = changedPoints(before, points), renumbered = isRenumbered(before, points), many = moved.length > MOST_ARROWS
    const middle = middleOf(extentOf(before) ?? [0, 0, 0, 0]), was = i => moved.find(k => k !== i && samePlace(before[k], points[i]))
    if (many && !renumbered) this.outline(points, scheme, moved)
    this.app.edit.node.classList.toggle('eal-anew', many || renumbered)
    for (const i of moved.filter((_, k) => k % Math.ceil(moved.length / MOST_ARROWS) === 0)) {
      const [from, to] = [before[i], points[i]], goes = from[2] && to[2] && !samePlace(from, to)
      if (!to[2]) { const r = 7 / this.app.full.z; this.cross([from[0] - r, from[1] - r, 2 * r, 2 * r]); continue }
      if (goes && !(renumbered && many)) this.arrow(from, to, renumbered ? .25 : 0)
      if (renumbered) this.spot(to, `${was(i)}→${i}`, middle)
      else if (!many) this.spot(to, i, goes ? from : middle)
    }
  }

  outline(points, scheme, moved) { // all of it, where single arrows would be too many
    const changed = new Set(moved)
    for (const [a, b] of linesOf(points.length, scheme)) {
      if (points[a]?.[2] && points[b]?.[2] && (changed.has(a) || changed.has(b))) this.both('line', { x1: points[a][0], y1: points[a][1], x2: points[b][0], y2: points[b][1] })
    }
    for (const i of moved) if (points[i][2]) this.group.append(shape('circle', { cx: points[i][0], cy: points[i][1], class: 'eal-spot eal-small' }))
  }

  async magnify() { // the point, in the photo's own pixels
    const { app: { full, edit }, suspect, object } = this, at = suspect?.point == null || suspect.state ? undefined : object?.points?.[suspect.point]
    if (!at?.[2]) { this.lens?.hide(); return }
    if (!this.lens) { this.lens = new Magnifier(full.stage); this.lens.node.classList.add('eal-lens-walk') } // only where there are suspects
    const { lens } = this
    await lens.photo(full.wanted, edit.size[1])
    if (suspect === this.suspect) lens.show(at, [Infinity, 0], `point ${suspect.point}`, full.z)
  }

  zoomed() { if (this.suspect && this.z !== this.app.full.z) this.draw() }

  close() { this.all = []; this.row = this.wish = undefined; this.lens?.forget(); this.group.replaceChildren(); this.node.hidden = true }

  // --- what is done with it

  actionOf({ key, suggestion: { what, ...value } }) {
    if (what === 'delete') return { op: 'delete', key }
    const now = Object.fromEntries(Object.entries(value).filter(([, o]) => o != null))
    return what === 'add' ? { op: 'add', now } : { op: 'set', key, now }
  }

  settledWords() { return this.suspect.state === 'right' ? 'you said that it is right: Ctrl+Z takes that back' : 'it is corrected already: Ctrl+Z takes that back' }

  accept() {
    const { suspect, app: { edit } } = this
    if (!suspect) return false
    if (suspect.state) edit.say(this.settledWords())
    else if (!suspect.suggestion) edit.say('nothing is proposed: correct it by hand, or press U if it is right')
    else {
      edit.act([this.actionOf(suspect)], `accepted: ${this.proposed()}`)
      this.settle([suspect], 'corrected')
    }
    return true
  }

  acceptAll() { // of this photo, as one step
    const chosen = this.all.filter(o => o.suggestion && !o.state)
    if (!this.suspect) return false
    if (!chosen.length) { this.app.edit.say('nothing is proposed'); return true }
    this.app.edit.act(chosen.map(o => this.actionOf(o)), `${chosen.length} proposals accepted`)
    this.settle(chosen, 'corrected')
    return true
  }

  reject() { // it is right
    const { suspect, app: { edit } } = this
    if (!suspect) return false
    if (suspect.state) { edit.say(this.settledWords()); return true }
    edit.act([{ op: 'ok', ...(suspect.key == null ? {} : { key: suspect.key }) }], suspect.key == null ? 'the photo is right' : `${this.object?.label ?? 'object'} is right`)
    this.settle(suspect.key == null ? this.all.filter(o => !o.state) : [suspect], 'right')
    return true
  }

  settle(chosen, state) { // what the kernel will say as well
    for (const o of chosen) o.state = state
    this.counts[state] += chosen.length
    const next = this.all.findIndex((o, i) => i > this.at && !o.state)
    if (next >= 0) this.pick(next)
    else this.leaveRow(1)
  }

  step(by) {
    if (!this.walking) return false
    if (this.all[this.at + by]) this.pick(this.at + by)
    else this.leaveRow(by)
    return true
  }

  leaveRow(by) {
    const { app } = this, at = app.grid.current + by, row = app.view[at], { of, corrected, right } = this.counts
    this.renew()
    if (row === undefined) return app.edit.say(by > 0 ? `this was the last suspect of ${number(of)}: ${number(corrected)} corrected, ${number(right)} right` : 'this is the first suspect')
    this.wish = by < 0 ? { row, last: true } : undefined
    app.full.goTo(at)
  }

  status() { return this.counts ? `${number(this.counts.corrected + this.counts.right)} of ${number(this.counts.of)} suspects settled` : '' }
}
