// One row in full: the pixels of its file, with marks that keep their width at any zoom.

import { clamp, focusable, make, shape, unlumino } from './dom.js'
import { registeredTools } from './edit.js'
import { runs, spacing } from './marks.js'
import { Panel } from './panel.js'

async function copyText(node, button) {
  try { await navigator.clipboard.writeText(node.textContent) } catch { // a page without https has no clipboard
    getSelection().selectAllChildren(node)
    document.execCommand('copy')
  }
  button.textContent = 'Copied'
  setTimeout(() => { button.textContent = 'Copy' }, 1500)
}

const isOwnKey = ({ key, target: { tagName, type } }) => // of the part of the page that has the focus
  ['SELECT', 'TEXTAREA'].includes(tagName) || tagName === 'BUTTON' && [' ', 'Enter'].includes(key)
  || tagName === 'INPUT' && (type === 'checkbox' ? key === ' ' : type === 'range' ? /^(Arrow|Page|Home|End)/.test(key) : true)

export class FullView {
  constructor(app) {
    Object.assign(this, { app, z: 1, x: 0, y: 0, fingers: new Map(), near: false })
    const button = (text, label, act) => make('button', { ...unlumino, type: 'button', title: label, 'aria-label': label, onclick: act }, text)
    this.flag = button('⚑ Flag', 'Flag this row (F)', () => app.toggleFlag(this.row))
    this.editing = button('✎ Edit', 'Edit, or stop editing (E)', () => this.toggleEditing())
    this.nearer = button('Near', 'Fit to the object, in every row (Shift+Z)', () => this.stayNear())
    this.title = make('span', { class: 'eal-title' })
    this.where = make('div', { class: 'eal-where' })
    this.image = make('img', { alt: '', draggable: 'false' })
    this.svg = shape('svg', { 'aria-hidden': 'true' })
    this.world = make('div', { class: 'eal-world' }, this.image, this.svg)
    this.message = make('p', { class: 'eal-error', hidden: true })
    this.tip = make('div', { class: 'eal-tip', hidden: true })
    this.stage = make('div', { ...focusable, class: 'eal-stage', role: 'img' }, this.world, this.message, this.tip)
    this.panel = new Panel(app, this)
    this.node = make('div', { class: 'eal-full', hidden: true, role: 'group', 'aria-label': 'Full view' },
      make('div', { class: 'eal-bar' }, button('← Grid', 'Back to the grid (Esc)', () => app.back()),
        button('‹', 'Previous row (A, left arrow)', () => this.step(-1)), button('›', 'Next row (D, right arrow)', () => this.step(1)), this.flag,
        button('−', 'Smaller (-)', () => this.zoom(1 / 1.4)), button('+', 'Larger (+)', () => this.zoom(1.4)),
        button('Fit', 'Fit the image (0)', () => this.fit(true)), this.nearer, this.editing, this.title),
      this.where, this.panel.bar, make('div', { class: 'eal-work' }, this.stage, this.panel.side), this.panel.words)
    this.node.addEventListener('keydown', event => this.key(event))
    this.stage.addEventListener('wheel', event => { event.preventDefault(); this.zoom(1.0015 ** -event.deltaY, event) }, { passive: false })
    this.stage.addEventListener('pointerdown', event => this.down(event))
    this.stage.addEventListener('pointermove', event => {
      this.pointer = event
      if (!app.edit.on) this.hover(event)
      else this.hovering ??= requestAnimationFrame(() => { this.hovering = undefined; this.hover(this.pointer) })
    })
    for (const name of ['pointerup', 'pointercancel']) this.stage.addEventListener(name, event => this.fingers.delete(event.pointerId))
    this.stage.addEventListener('pointerleave', () => { this.tip.hidden = true })
    this.observer = new ResizeObserver(() => this.head && !this.moved && this.fit())
    this.observer.observe(this.stage)
  }

  close() { this.observer.disconnect(); this.app.edit.leave(); this.forget() }

  forget() { this.ahead = this.wanted = undefined }

  get row() { return this.app.view[this.app.grid.current] }

  step(by) { this.goTo(this.app.grid.current + by) }

  go(row) { // to a row by its number; false if it is not among those that are shown
    const at = this.app.view.indexOf(row)
    if (at >= 0) this.goTo(at)
    return at >= 0
  }

  goTo(at) { this.app.edit.flush(); this.app.grid.go(at); this.app.select([this.row]); this.load() }

  ask(row) { // { row, asked, head, data, image } of a row, its picture already on its way
    const asked = performance.now(), answer = { row }
    answer.ready = new Promise(resolve => this.app.wire.ask({ type: 'full', row }, (head, [data]) => resolve(Object.assign(answer, { asked, head, data }))))
    return answer
  }

  load() {
    const { row } = this, answer = this.ahead?.row === row ? this.ahead : this.ask(row)
    this.head = this.ahead = undefined
    this.wanted = answer
    this.name()
    this.stage.setAttribute('aria-busy', 'true')
    answer.ready.then(() => {
      if (this.wanted !== answer || row !== this.row || this.node.hidden) return
      if (this.app.edit.knows(row, answer.head, answer.asked)) this.show(answer)
      else this.load()
    })
  }

  catchUp() { if (!this.node.hidden && this.row !== this.wanted?.row) this.load() } // what is shown and what keys act on are one row

  prefetch() { // the next row, and its picture decoded
    const row = this.app.view[this.app.grid.current + 1]
    if (row === undefined || this.ahead?.row === row) return
    const ahead = this.ahead = this.ask(row)
    ahead.ready.then(() => { if (this.ahead === ahead && !ahead.head.error) this.picture(ahead).decode().catch(() => {}) })
  }

  picture(answer) {
    if (!answer.image) {
      answer.image = make('img', { alt: '', draggable: 'false', src: URL.createObjectURL(new Blob([answer.data])) })
      for (const name of ['load', 'error']) answer.image.addEventListener(name, () => URL.revokeObjectURL(answer.image.src)) // what is loaded stays
    }
    return answer.image
  }

  name() {
    const { head, row, app } = this
    const label = app.label(row, head ?? app.grid.tiles.get(row))
    this.stage.setAttribute('aria-label', label)
    this.title.textContent = this.title.title = [label, head?.score].filter(Boolean).join(' · ')
    this.showWhere(head)
    this.flag.setAttribute('aria-pressed', app.flagged.has(row))
    this.nearer.setAttribute('aria-pressed', this.near)
    this.editing.setAttribute('aria-pressed', Boolean(app.model.get('editing')))
    this.editing.hidden = app.model.get('editing') === undefined
  }

  showWhere(head) { // file, and line or number of the annotation, whole, to be selected and copied
    const state = `${head?.path} ${head?.origin}`
    if (state === this.whereState) return
    this.whereState = state
    const part = (words, text) => {
      const node = make('span', { class: 'eal-copied' }, text), copy = make('button', { ...unlumino, type: 'button', title: `Copy the ${words}`, 'aria-label': `Copy the ${words}`, onclick: () => copyText(node, copy) }, 'Copy')
      return make('span', {}, node, ' ', copy)
    }
    this.where.replaceChildren(...[['path of the photo', head?.path], ['place of the annotation', head?.origin]].filter(o => o[1]).map(o => part(...o)))
  }

  show(answer) {
    const { head } = answer
    this.head = head
    this.moved = false
    this.tip.hidden = true
    this.name()
    this.svg.replaceChildren()
    this.message.hidden = !head.error
    this.world.hidden = Boolean(head.error)
    this.message.textContent = head.error ? `${head.error}: ${head.path}` : ''
    this.stage.removeAttribute('aria-busy')
    this.app.edit.open(answer.row, head, answer.asked)
    this.panel.why(head)
    this.stage.setAttribute('role', this.app.edit.on ? 'application' : 'img')
    this.prefetch()
    if (head.error) return
    const image = this.picture(answer)
    image.addEventListener('error', () => { this.message.hidden = false; this.message.textContent = 'The browser cannot show this file.' })
    this.image.replaceWith(image)
    this.image = image
    for (const node of [image, this.svg]) { node.style.width = `${head.width}px`; node.style.height = `${head.height}px` }
    this.svg.setAttribute('viewBox', `0 0 ${head.width} ${head.height}`)
    this.svg.style.setProperty('--gap', spacing((head.truth.points ?? []).filter(o => o[2])))
    if (!this.app.edit.on) this.marks(head.truth, 'truth') // else the editor draws what is true
    this.app.predicted.show(answer.row, head)
    this.app.walk.show(answer.row, head)
    this.fit()
  }

  toggleEditing() {
    const { app } = this, on = !app.model.get('editing')
    app.edit.flush()
    if (app.model.get('editing') !== undefined) app.set('editing', on)
  }

  editingChanged() { this.ahead = undefined; this.name(); setTimeout(() => { if (!this.node.hidden) this.load() }) } // once the kernel was told

  stayNear() { this.near = !this.near; this.name(); this.fit() }

  focused() { return this.stage.getRootNode().activeElement === this.stage }

  toolButtons() { return registeredTools().flatMap(o => o.buttons ?? []).filter(o => o.shown?.(this.app.edit) ?? true) }

  marks({ boxes = [], classes = [], points = [], contours = [] }, which) {
    const group = shape('g', { class: `eal-${which}` }), said = which === 'predicted' ? 'predicted ' : ''
    const add = (tag, attributes, tip) => ['eal-rim', 'eal-line'].map(kind => {
      const node = shape(tag, { ...attributes, class: kind })
      if (tip) node.dataset.tip = tip
      group.append(node)
      return node
    })
    boxes.forEach(([x, y, width, height], i) =>
      add('rect', { x, y, width: Math.max(0, width), height: Math.max(0, height) },
        `${said}${classes[i] ?? 'box'}, box ${i}: x ${x}, y ${y}, ${width} × ${height}`))
    for (const run of runs(points, contours)) add('polyline', { points: run.map(([x, y]) => `${x},${y}`).join(' ') })
    points.forEach(([cx, cy, v], i) => {
      if (!v) return
      const node = shape('circle', { cx, cy, class: v === 1 ? 'eal-dot eal-hidden' : 'eal-dot' })
      node.dataset.tip = `${said}keypoint ${i}: x ${cx}, y ${cy}${said ? '' : v === 1 ? ', hidden' : ', visible'}`
      group.append(node)
    })
    this.svg.append(group)
  }

  around(whole) { // what to fit to: the suspect, the object, if that is wished, or the crop: what is around a crop tells whether it is right
    const { head, near, app: { edit, walk } } = this, suspect = whole ? undefined : walk.around()
    if (suspect) return suspect
    const { boxes = [], points = [] } = head.truth, seen = points.filter(o => o[2])
    const one = edit.on && near ? edit.chosen ?? edit.objects.find(o => o.own) : undefined
    if (one) return edit.bounds(one)
    if (boxes.length && (head.crop || near)) return boxes[0]
    if (!near || !seen.length) return undefined
    const [x, y] = [0, 1].map(i => Math.min(...seen.map(o => o[i]))), [right, bottom] = [0, 1].map(i => Math.max(...seen.map(o => o[i])))
    return [x, y, right - x, bottom - y]
  }

  fit(whole = false) { // whole: the image, even if something in it is suspected
    const { head, stage } = this
    if (!head || head.error || !stage.clientWidth) return
    let [x, y, w, h] = [0, 0, head.width, head.height]
    const around = this.around(whole)
    if (around) {
      [x, y, w, h] = around
      const margin = (!whole && this.app.walk.object?.points ? .25 : .6) * Math.max(w, h, 8)
      ;[x, y, w, h] = [x - margin, y - margin, w + 2 * margin, h + 2 * margin]
      if (!whole && this.app.walk.suspect) [x, y, w, h] = this.inside([x, y, w, h])
    }
    this.z = Math.min(stage.clientWidth / w, stage.clientHeight / h, around ? 8 : Infinity)
    this.x = stage.clientWidth / 2 - (x + w / 2) * this.z
    this.y = stage.clientHeight / 2 - (y + h / 2) * this.z
    this.moved = false
    this.apply()
  }

  inside([x, y, w, h]) { // the part of it that lies in the image
    const { width, height } = this.head, [left, top] = [clamp(x, 0, width - 1), clamp(y, 0, height - 1)]
    return [left, top, Math.max(1, Math.min(x + w, width) - left), Math.max(1, Math.min(y + h, height) - top)]
  }

  zoom(by, event) {
    const frame = this.stage.getBoundingClientRect()
    const x = event ? event.clientX - frame.left : frame.width / 2, y = event ? event.clientY - frame.top : frame.height / 2
    const z = clamp(this.z * by, .02, 60)
    this.x = x - (x - this.x) * z / this.z
    this.y = y - (y - this.y) * z / this.z
    this.z = z
    this.moved = true
    this.apply()
  }

  apply() {
    this.world.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.z})`
    this.world.style.setProperty('--z', this.z)
    this.image.style.imageRendering = this.z > 3 ? 'pixelated' : 'auto'
    this.app.edit.zoomed()
  }

  to([x, y]) { return [(x - this.x) / this.z, (y - this.y) / this.z] } // from the stage to the photo

  at(event) { const { left, top } = this.stage.getBoundingClientRect(); return this.to([event.clientX - left, event.clientY - top]) }

  down(event) {
    this.stage.focus({ preventScroll: true })
    this.tip.hidden = true
    if (event.pointerType === 'touch') this.fingers.set(event.pointerId, [event.clientX, event.clientY])
    if (this.fingers.size === 2) return this.pinch()
    if (this.fingers.size > 2 || event.button > 1) return
    if (event.button === 1) event.preventDefault()
    if (event.button || !this.app.edit.down(event)) this.drag(event)
  }

  follow(event, { move, end, cancel }) { // a pointer, once a frame, until it is let go
    const { stage } = this
    let last, frame
    const finish = () => {
      cancelAnimationFrame(frame)
      this.stop = undefined
      for (const [name, act] of Object.entries(acts)) stage.removeEventListener(name, act)
    }
    const mine = act => e => { if (e.pointerId === event.pointerId) act(e) }
    const acts = {
      pointermove: mine(e => { last = e; frame ??= requestAnimationFrame(() => { frame = undefined; move(last) }) }),
      pointerup: mine(e => { finish(); if (last) move(e); end?.(e) }),
      pointercancel: mine(() => { finish(); cancel?.() }),
    }
    this.stop?.()
    this.stop = () => { finish(); cancel?.() }
    stage.setPointerCapture(event.pointerId)
    for (const [name, act] of Object.entries(acts)) stage.addEventListener(name, act)
  }

  drag(event, clicked) { // the picture
    const start = [event.clientX, event.clientY], from = [this.x, this.y]
    let far = false
    this.follow(event, {
      move: e => {
        far ||= !clicked || Math.hypot(e.clientX - start[0], e.clientY - start[1]) >= 4
        if (!far) return
        ;[this.x, this.y] = [from[0] + e.clientX - start[0], from[1] + e.clientY - start[1]]
        this.moved = true
        this.apply()
      },
      end: e => { if (!far) clicked?.(e) },
    })
  }

  pinch() { // two fingers move and zoom
    const { stage, fingers } = this
    this.stop?.()
    const both = () => [...fingers.values()], middle = ([a, b]) => ({ clientX: (a[0] + b[0]) / 2, clientY: (a[1] + b[1]) / 2 })
    const apart = ([a, b]) => Math.max(1, Math.hypot(a[0] - b[0], a[1] - b[1]))
    const move = e => {
      if (!fingers.has(e.pointerId)) return
      const before = both()
      fingers.set(e.pointerId, [e.clientX, e.clientY])
      const now = both(), [m, n] = [middle(before), middle(now)]
      this.x += n.clientX - m.clientX
      this.y += n.clientY - m.clientY
      this.zoom(apart(now) / apart(before), n)
    }
    const end = e => {
      if (!fingers.has(e.pointerId)) return
      for (const [name, act] of Object.entries(acts)) stage.removeEventListener(name, act)
    }
    const acts = { pointermove: move, pointerup: end, pointercancel: end }
    for (const [name, act] of Object.entries(acts)) stage.addEventListener(name, act)
  }

  hover(event) {
    if (this.stop) return
    const tip = this.app.edit.hover(event) ?? event.target.dataset?.tip
    this.tip.hidden = !tip
    if (!tip) return
    this.tip.textContent = tip
    const frame = this.stage.getBoundingClientRect()
    this.tip.style.left = `${clamp(event.clientX - frame.left + 14, 0, Math.max(0, frame.width - this.tip.offsetWidth))}px`
    this.tip.style.top = `${clamp(event.clientY - frame.top + 16, 0, Math.max(0, frame.height - this.tip.offsetHeight))}px`
  }

  key(event) {
    if (isOwnKey(event)) return
    if (event.key === 'Escape' && this.stop) this.stop() // a drag is taken back
    else if (!this.app.edit.key(event)) return
    event.preventDefault()
  }
}
