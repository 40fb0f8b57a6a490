// One row in full: the pixels of its file, with marks that keep their width at any zoom.

import { clamp, focusable, make, shape, unlumino } from './dom.js'
import { runs, spacing } from './marks.js'

export class FullView {
  constructor(app) {
    Object.assign(this, { app, z: 1, x: 0, y: 0 })
    const button = (text, label, act) => make('button', { ...unlumino, type: 'button', title: label, 'aria-label': label, onclick: act }, text)
    this.flag = button('⚑ Flag', 'Flag this row (F)', () => app.toggleFlag(this.row))
    this.title = make('span', { class: 'eal-title' })
    this.image = make('img', { alt: '', draggable: 'false' })
    this.svg = shape('svg', { 'aria-hidden': 'true' })
    this.world = make('div', { class: 'eal-world' }, this.image, this.svg)
    this.message = make('p', { class: 'eal-error', hidden: true })
    this.tip = make('div', { class: 'eal-tip', hidden: true })
    this.stage = make('div', { ...focusable, class: 'eal-stage', role: 'img' }, this.world, this.message, this.tip)
    this.node = make('div', { class: 'eal-full', hidden: true, role: 'group', 'aria-label': 'Full view' },
      make('div', { class: 'eal-bar' }, button('← Grid', 'Back to the grid (Esc)', () => app.back()),
        button('‹', 'Previous row (left arrow)', () => this.step(-1)), button('›', 'Next row (right arrow)', () => this.step(1)), this.flag,
        button('−', 'Smaller (-)', () => this.zoom(1 / 1.4)), button('+', 'Larger (+)', () => this.zoom(1.4)),
        button('Fit', 'Fit the image (0)', () => this.fit()), this.title), this.stage)
    this.node.addEventListener('keydown', event => this.key(event))
    this.stage.addEventListener('wheel', event => { event.preventDefault(); this.zoom(1.0015 ** -event.deltaY, event) }, { passive: false })
    this.stage.addEventListener('pointerdown', event => this.drag(event))
    this.stage.addEventListener('pointermove', event => this.hover(event))
    this.stage.addEventListener('pointerleave', () => { this.tip.hidden = true })
    this.observer = new ResizeObserver(() => this.head && !this.moved && this.fit())
    this.observer.observe(this.stage)
  }

  close() { this.observer.disconnect(); this.forget() }

  forget() { if (this.url) URL.revokeObjectURL(this.url); this.url = undefined }

  get row() { return this.app.view[this.app.grid.current] }

  step(by) { this.app.grid.go(this.app.grid.current + by); this.app.select([this.row]); this.load() }

  load() {
    const { row } = this
    this.head = undefined
    this.name()
    this.stage.setAttribute('aria-busy', 'true')
    this.app.wire.ask({ type: 'full', row }, (message, buffers) => { if (row === this.row && !this.node.hidden) this.show(message, buffers[0]) })
  }

  name() {
    const { head, row, app } = this
    const label = app.label(row, head ?? app.grid.tiles.get(row))
    this.stage.setAttribute('aria-label', label)
    this.title.textContent = [label, head?.score, head?.origin, head?.path].filter(Boolean).join(' · ')
    this.title.title = [head?.path, head?.origin].filter(Boolean).join('\n')
    this.flag.setAttribute('aria-pressed', app.flagged.has(row))
  }

  async show(head, data) {
    this.head = head
    this.moved = false
    this.tip.hidden = true
    this.name()
    this.svg.replaceChildren()
    this.message.hidden = !head.error
    this.world.hidden = Boolean(head.error)
    this.message.textContent = head.error ? `${head.error}: ${head.path}` : ''
    this.stage.removeAttribute('aria-busy')
    if (head.error) return
    const old = this.url
    this.image.src = this.url = URL.createObjectURL(new Blob([data]))
    if (old) URL.revokeObjectURL(old)
    this.image.onerror = () => { this.message.hidden = false; this.message.textContent = 'The browser cannot show this file.' }
    for (const node of [this.image, this.svg]) { node.style.width = `${head.width}px`; node.style.height = `${head.height}px` }
    this.svg.setAttribute('viewBox', `0 0 ${head.width} ${head.height}`)
    this.svg.style.setProperty('--gap', spacing((head.truth.points ?? []).filter(o => o[2])))
    this.marks(head.truth, 'truth')
    this.marks(head.predicted, 'predicted')
    this.fit()
  }

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

  fit() {
    const { head, stage } = this
    if (!head || head.error || !stage.clientWidth) return
    let [x, y, w, h] = [0, 0, head.width, head.height]
    if (head.crop && head.truth.boxes.length) { // what is around a crop tells whether it is right
      [x, y, w, h] = head.truth.boxes[0]
      const margin = .6 * Math.max(w, h, 8)
      ;[x, y, w, h] = [x - margin, y - margin, w + 2 * margin, h + 2 * margin]
    }
    this.z = Math.min(stage.clientWidth / w, stage.clientHeight / h, head.crop ? 8 : Infinity)
    this.x = stage.clientWidth / 2 - (x + w / 2) * this.z
    this.y = stage.clientHeight / 2 - (y + h / 2) * this.z
    this.moved = false
    this.apply()
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
  }

  drag(event) {
    if (event.button) return
    const from = [event.clientX - this.x, event.clientY - this.y], { stage } = this
    stage.focus({ preventScroll: true })
    stage.setPointerCapture(event.pointerId)
    const move = e => { [this.x, this.y] = [e.clientX - from[0], e.clientY - from[1]]; this.moved = true; this.apply() }
    const end = () => { for (const [name, act] of Object.entries(acts)) stage.removeEventListener(name, act) }
    const acts = { pointermove: move, pointerup: end, pointercancel: end }
    for (const [name, act] of Object.entries(acts)) stage.addEventListener(name, act)
  }

  hover(event) {
    const tip = event.target.dataset?.tip
    this.tip.hidden = !tip
    if (!tip) return
    this.tip.textContent = tip
    const frame = this.stage.getBoundingClientRect()
    this.tip.style.left = `${clamp(event.clientX - frame.left + 14, 0, Math.max(0, frame.width - this.tip.offsetWidth))}px`
    this.tip.style.top = `${clamp(event.clientY - frame.top + 16, 0, Math.max(0, frame.height - this.tip.offsetHeight))}px`
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (event.target.tagName === 'BUTTON' && [' ', 'Enter'].includes(event.key)) return
    const actions = {
      Escape: () => this.app.back(), ArrowLeft: () => this.step(-1), ArrowUp: () => this.step(-1), ArrowRight: () => this.step(1),
      ArrowDown: () => this.step(1), f: () => this.app.toggleFlag(this.row), '+': () => this.zoom(1.4), '=': () => this.zoom(1.4),
      '-': () => this.zoom(1 / 1.4), 0: () => this.fit(),
    }
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key]
    if (!action) return
    action()
    event.preventDefault()
  }
}
