// What a model found: over the picture with class and score, and, while it is edited, accepted or rejected.

import { make, shape, unlumino } from './dom.js'
import { registerKeys } from './edit.js'
import { runs } from './marks.js'

const PARTNER = .5 // least intersection over union of what a prediction stands for
const SAME = .02 // pixels: the page gets two decimals
const isSure = (score, threshold) => score == null || score >= threshold
const predictedArea = ([, , w, h]) => w * h

function predictedExtent({ box, points }) { // [x, y, width, height], of points those that are there
  if (box) return box
  const seen = (points ?? []).filter(o => o[2])
  if (!seen.length) return undefined
  const [x, y] = [0, 1].map(i => Math.min(...seen.map(o => o[i])))
  return [x, y, ...[0, 1].map(i => Math.max(...seen.map(o => o[i])) - [x, y][i])]
}

export function overlapOf(a, b) { // intersection over union
  const side = i => Math.max(0, Math.min(a[i] + a[i + 2], b[i] + b[i + 2]) - Math.max(a[i], b[i])), inner = side(0) * side(1)
  return inner ? inner / (predictedArea(a) + predictedArea(b) - inner) : 0
}

const nearlySame = (a, b) => a.length === b.length && a.flat().every((o, i) => Math.abs(o - b.flat()[i]) <= SAME)

export function predictedObjects({ boxes, classes = [], scores = [], points = [], each = 0, contours = [], seen = [] } = {}) { // [{ box, points, contours, label, score, seen }]
  return scores.map((score, i) => ({
    score, label: classes[i] ?? null, box: boxes?.[i], points: each ? points.slice(i * each, (i + 1) * each) : undefined, seen: seen.slice(i * each, (i + 1) * each),
    contours: contours.filter(([start]) => start >= i * each && start < (i + 1) * each).map(o => o.map(at => at - i * each)),
  }))
}

export class PredictedView {
  constructor(app) {
    Object.assign(this, { app, all: [], rejected: new Map(), at: null })
    this.group = shape('g', { class: 'eal-predicted' })
    const button = (text, title, act) => make('button', { ...unlumino, type: 'button', title, onclick: () => { act(); app.full.stage.focus({ preventScroll: true }) } }, text)
    this.words = make('p', { class: 'eal-quiet' })
    this.one = make('div', { class: 'eal-row' }, button('✓ Accept', 'Accept the prediction (Y)', () => this.accept()), button('✕ Reject', 'Reject the prediction (U)', () => this.reject()),
      button('‹', 'Previous prediction (Shift+J)', () => this.step(-1)), button('›', 'Next prediction (J)', () => this.step(1)))
    this.many = button('', 'Accept all predictions that are shown (Shift+Y)', () => this.acceptAll())
    this.again = button('', 'Show what was rejected', () => { this.rejected.delete(this.row); this.renew(); this.app.grid.draw() })
    this.node = make('div', { class: 'eal-predictions', role: 'group', 'aria-label': 'Predictions', hidden: true }, this.words, this.one, this.many, this.again)
  }

  get threshold() { return this.app.model.get('query').threshold ?? 0 }

  rejectedOf(row) { return this.rejected.get(row) ?? new Set() }

  shown(o, i) { return isSure(o.score, this.threshold) && !this.rejectedOf(this.row).has(i) }

  marksOf(predicted, row) { // of a thumbnail: [{ boxes, points, contours }] of what is shown
    const rejected = this.rejectedOf(row)
    return predictedObjects(predicted).filter((o, i) => isSure(o.score, this.threshold) && !rejected.has(i))
      .map(({ box, points = [], contours }) => ({ boxes: box ? [box] : [], points, contours }))
  }

  state(row) { return `${this.threshold} ${[...this.rejectedOf(row)]}` }

  show(row, head) { // a row in full
    Object.assign(this, { row, height: head.height, all: head.error ? [] : predictedObjects(head.predicted), at: null, drawn: undefined, score: head.score, scoredAt: this.threshold })
    this.group.replaceChildren()
    this.app.full.svg.append(this.group)
    this.renew()
  }

  renew() { // after the threshold, the objects or what is chosen has changed
    const { app, all } = this, on = app.edit.on
    this.left = all.map((_, i) => i).filter(i => this.shown(all[i], i) && !(on && this.isSettled(all[i])))
    if (!this.left.includes(this.at)) this.at = on && this.left.length && !app.walk?.walking ? this.left.find(i => i > (this.at ?? -1)) ?? this.left[0] : null
    this.draw()
    this.node.hidden = !on || !all.length
    if (this.node.hidden) return
    const chosen = all[this.at], gone = this.rejectedOf(this.row).size, below = all.filter(o => !isSure(o.score, this.threshold)).length
    const words = chosen ? `Prediction ${this.left.indexOf(this.at) + 1} of ${this.left.length}: ${this.describe(chosen)}` : this.left.length ? `${this.left.length} prediction${this.left.length > 1 ? 's' : ''}: a click chooses one.` : all.length > below ? 'All predictions are settled.' : 'No prediction.'
    this.words.textContent = `${words}${below ? ` ${below} below ${this.threshold.toFixed(2)}.` : ''}`
    this.one.hidden = !chosen
    this.many.hidden = !this.left.length
    this.many.textContent = `✓ All ${this.left.length}${all.some(o => o.score != null) ? ` from ${this.threshold.toFixed(2)}` : ''}`
    this.again.hidden = !gone
    this.again.textContent = `${gone} rejected: show`
  }

  askScore() { // how far the row is from the truth at another threshold
    const { app, row } = this
    if (this.score == null || app.full.node.hidden || this.threshold === this.scoredAt) return
    this.scoredAt = this.threshold
    app.wire.ask({ type: 'score', row }, ({ score }) => { if (row === this.row && app.full.head) { app.full.head.score = score; app.full.name() } })
  }

  describe({ label, score, box, points }) { return `${label ?? (box ? 'box' : 'keypoints')}${score == null ? '' : ` ${score.toFixed(2)}`}${box || !points ? '' : `, ${points.filter(o => o[2]).length} points`}` }

  draw() {
    const state = `${this.row} ${this.left} ${this.at}`
    if (state === this.drawn) return
    this.drawn = state
    this.group.replaceChildren(...this.left.map(i => this.drawOne(this.all[i], i)))
    if (this.at != null) this.group.append(this.group.children[this.left.indexOf(this.at)]) // over the others
  }

  drawOne(o, i) {
    const group = shape('g', { class: `eal-prediction${i === this.at ? ' eal-picked' : ''}`, 'data-i': i }), words = `predicted ${this.describe(o)}`
    const both = (tag, attributes, tip) => ['eal-rim', 'eal-line'].forEach(kind => {
      const node = shape(tag, { ...attributes, class: kind })
      if (tip) node.dataset.tip = tip
      group.append(node)
    })
    if (o.box) {
      const [x, y, width, height] = o.box
      both('rect', { x, y, width: Math.max(0, width), height: Math.max(0, height) }, `${words}, box ${i}: x ${x}, y ${y}, ${width} × ${height}`)
    }
    for (const run of runs(o.points ?? [], o.contours)) both('polyline', { points: run.map(([x, y]) => `${x},${y}`).join(' ') })
    ;(o.points ?? []).forEach(([cx, cy, v], k) => {
      if (!v) return
      const node = shape('circle', { cx, cy, class: 'eal-dot' })
      node.dataset.tip = `predicted keypoint ${k}: x ${cx}, y ${cy}${o.seen[k] == null ? '' : `, score ${o.seen[k]}`}`
      group.append(node)
    })
    const extent = predictedExtent(o), named = [o.label, o.score?.toFixed(2)].filter(o => o != null).join(' ')
    if (extent && named) {
      const text = shape('text', { x: extent[0], y: extent[1], dx: '.2em', dy: extent[1] < this.height * .05 ? '1.1em' : '-.35em', class: 'eal-score' })
      text.textContent = named
      group.append(text)
    }
    return group
  }

  // --- accepting is a correction

  partner(o, taken = new Set()) { // the object that it stands for
    const extent = predictedExtent(o)
    if (!extent) return undefined
    const found = this.app.edit.objects.filter(object => object.status !== 'deleted' && !taken.has(object.key) && predictedExtent(object))
      .map(object => ({ object, overlap: overlapOf(extent, predictedExtent(object)) })).filter(o => o.overlap >= PARTNER).sort((a, b) => b.overlap - a.overlap)
    return found[0]?.object
  }

  change(o, object) { // what an object would get from it
    const now = {}
    if (o.box && (!object || object.box || !o.points) && !(object?.box && nearlySame(o.box, object.box))) now.box = o.box
    if (o.points && (!object || object.points || !o.box) && !(object?.points && nearlySame(o.points.map(p => p.slice(0, 2)), object.points.map(p => p.slice(0, 2))))) now.points = o.points
    const { edit } = this.app, label = o.label ?? (object ? null : edit.label ?? (edit.labels.length === 1 ? edit.labels[0] : null))
    if (label != null && object?.label !== label) now.label = label
    return now
  }

  isSettled(o) { const object = this.partner(o); return Boolean(object) && !Object.keys(this.change(o, object)).length }

  take(chosen, words) {
    const taken = new Set(), actions = []
    for (const o of [...chosen].sort((a, b) => (b.score ?? 1) - (a.score ?? 1))) {
      const object = this.partner(o, taken), now = this.change(o, object)
      if (object) taken.add(object.key)
      if (Object.keys(now).length) actions.push(object ? { op: 'set', key: object.key, now } : { op: 'add', now })
    }
    if (actions.length) this.app.edit.act(actions, words)
  }

  accept() {
    const chosen = this.all[this.at]
    if (!chosen) return this.none()
    this.take([chosen], `prediction accepted: ${this.describe(chosen)}`)
    return true
  }

  acceptAll() {
    if (!this.left.length) return this.none()
    this.take(this.left.map(i => this.all[i]), `${this.left.length} predictions accepted`)
    return true
  }

  reject() { // for this session: it is no correction
    const chosen = this.all[this.at]
    if (!chosen) return this.none()
    this.rejected.set(this.row, this.rejectedOf(this.row).add(this.at))
    this.renew()
    this.app.grid.draw()
    this.app.edit.say(`prediction rejected: ${this.describe(chosen)}`)
    return true
  }

  step(by) {
    if (!this.left.length) return this.none()
    this.pick(this.left[(this.left.indexOf(this.at) + by + this.left.length) % this.left.length])
    return true
  }

  pick(i) {
    this.at = i
    this.renew()
    this.app.edit.say(`prediction ${this.left.indexOf(i) + 1} of ${this.left.length}: ${this.describe(this.all[i])}`)
  }

  unpick() { if (this.at != null && this.app.walk.walking) { this.at = null; this.renew() } }

  none() { if (!this.all.length) return false; this.app.edit.say('no prediction is left'); return true }

  tip(i) { return i === undefined ? '' : `predicted ${this.describe(this.all[i])}` }

  under([x, y], reach) { // the smallest prediction at a place; undefined if there is none
    const inside = ([left, top, w, h]) => x >= left - reach && x <= left + w + reach && y >= top - reach && y <= top + h + reach
    return this.left.filter(i => predictedExtent(this.all[i]) && inside(predictedExtent(this.all[i]))).sort((a, b) => predictedArea(predictedExtent(this.all[a])) - predictedArea(predictedExtent(this.all[b])))[0]
  }
}

const ofProposal = act => ({ app: { walk, predicted } }) => act(walk.takes ? walk : predicted) // of suspects, or of a model

registerKeys('edit', {
  accept: { once: true, keys: 'Y', words: 'accept what is proposed: a prediction, or the correction of a suspect', act: ofProposal(o => o.accept()) },
  'accept all': { once: true, keys: 'Shift+Y', words: 'accept all that is proposed in this photo', act: ofProposal(o => o.acceptAll()) },
  reject: { once: true, keys: 'U', words: 'reject it: a suspect is right as it is, for good', act: ofProposal(o => o.reject()) },
  'next proposal': { keys: 'J', words: 'next prediction, or next suspect', act: ofProposal(o => o.step(1)) },
  'previous proposal': { keys: 'Shift+J', words: 'previous prediction, or previous suspect', act: ofProposal(o => o.step(-1)) },
})
