// The page of ear_lazy.explorer: a grid of thumbnails that asks for what is on the screen, and a full view of one row.
// Rows are known by their number in the dataset; `view` has those that are shown, in order.

const CELL = { width: 156, height: 172, thumb: 136 } // CSS pixels
const COLUMNS = 12 // at most, so that a wide screen has no more than 60 cells
const BATCH = 12, IN_FLIGHT = 2, KEEP = 600 // thumbnails in a question, questions at a time, thumbnails that are kept
const SPACE = 4e6 // pixels to scroll through; beyond that browsers lose precision, and the scroll bar is scaled
const PATIENCE = 2000 // ms until a kernel counts as busy

let counter = 0

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag)
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value)
    else if (value === true) node.setAttribute(key, '')
    else if (value !== false && value != null) node.setAttribute(key, value)
  }
  node.append(...children)
  return node
}

function shape(tag, attributes) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag)
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
  return node
}

const clamp = (value, low, high) => Math.max(low, Math.min(value, high))
const number = value => value.toLocaleString('en-US')
// Lumino, under JupyterLab, sees keys before this page does; only this attribute on what has the focus keeps it from acting on them.
const focusable = { tabindex: 0, 'data-lm-suppress-shortcuts': 'true' }
const unlumino = { 'data-lm-suppress-shortcuts': 'true' }

// ---------------------------------------------------------------------------------------------------- talking to the kernel

class Wire {
  constructor(model, { received, status }) {
    Object.assign(this, { model, received, status, waiting: new Map(), me: Math.random().toString(36).slice(2), lost: false })
    this.onMessage = (message, buffers) => this.receive(message, buffers)
    this.onLive = () => { this.lost = true; this.hello() }
    model.on('msg:custom', this.onMessage)
    model.on('comm_live_update', this.onLive)
    this.timer = setInterval(() => this.look(), 250)
  }

  close() {
    clearInterval(this.timer)
    this.model.off('msg:custom', this.onMessage)
    this.model.off('comm_live_update', this.onLive)
  }

  hello() { this.expect('view'); this.send({ type: 'hello' }) }

  expect(id, then = () => {}) { this.waiting.set(id, { then, since: performance.now() }) }

  ask(content, then) {
    const id = `${this.me}:${counter++}`
    this.expect(id, then)
    this.send({ ...content, id })
  }

  send(content) { try { this.model.send(content) } catch { this.lost = true } }

  receive(message, buffers) {
    this.lost = false
    const id = message.type === 'view' ? 'view' : message.id
    const { then } = this.waiting.get(id) ?? {}
    this.waiting.delete(id)
    // While it was busy, questions stood in a queue; the clock of the next one starts with this answer.
    for (const question of this.waiting.values()) question.since = performance.now()
    this.look()
    this.received(message, buffers)
    then?.(message, buffers)
  }

  look() {
    const now = performance.now()
    const late = [...this.waiting.values()].some(question => now - question.since > PATIENCE)
    this.status(!late ? '' : this.lost || this.kernelIsGone() ? 'Kernel not running: run the cell again' : 'Kernel busy: waiting for it')
  }

  kernelIsGone() {
    const kernel = this.model.widget_manager?.kernel
    if (!kernel) return this.model.widget_manager?.kernel === null
    return ['dead', 'terminating', 'unknown'].includes(kernel.status) || kernel.connectionStatus === 'disconnected'
  }
}

// ---------------------------------------------------------------------------------------------------- drawing over thumbnails

function strokeBoth(context, path, predicted) {
  context.setLineDash([])
  context.lineWidth = 3
  context.strokeStyle = '#000'
  context.stroke(path)
  context.lineWidth = 1.3
  context.strokeStyle = predicted ? '#ffb000' : '#fff'
  if (predicted) context.setLineDash([5, 3])
  context.stroke(path)
}

function drawMarks(context, marks, predicted) {
  const { boxes = [], points = [], contours = [] } = marks
  for (const [x, y, w, h] of boxes) {
    const path = new Path2D()
    path.rect(x, y, w, h)
    strokeBoth(context, path, predicted)
  }
  for (const run of runs(points, contours)) {
    const path = new Path2D()
    for (const [x, y] of run) path.lineTo(x, y)
    strokeBoth(context, path, predicted)
  }
  if (contours.length && !predicted) return // beside lines, dots would fill a thumbnail
  context.setLineDash([])
  for (const [x, y, v] of points) {
    if (!v) continue
    const path = new Path2D()
    path.arc(x, y, 2, 0, 7)
    context.fillStyle = v === 1 ? '#000' : predicted ? '#ffb000' : '#fff'
    context.lineWidth = 1
    context.strokeStyle = v === 1 ? '#fff' : '#000'
    context.fill(path)
    context.stroke(path)
  }
}

function runs(points, contours) { // of labelled points that follow each other in a contour
  const found = []
  for (const [start, stop] of contours) {
    let run = []
    for (const point of points.slice(start, stop)) {
      if (point[2]) run.push(point)
      else { found.push(run); run = [] }
    }
    found.push(run)
  }
  return found.filter(run => run.length > 1)
}

// ---------------------------------------------------------------------------------------------------- the grid

class Grid {
  constructor(app) {
    Object.assign(this, { app, tiles: new Map(), asked: new Set(), questions: 0, cells: new Map(), spare: [], current: 0, offset: 0, id: `eal${counter++}` })
    this.layer = make('div', { ...focusable, class: 'eal-layer', role: 'listbox', 'aria-label': 'Rows', 'aria-multiselectable': 'true' })
    this.spacer = make('div', { class: 'eal-spacer' })
    this.none = make('p', { class: 'eal-none', hidden: true }, 'No row matches.')
    this.scroller = make('div', { class: 'eal-scroll', onscroll: () => this.scrolled() }, this.layer, this.spacer)
    this.node = make('div', { class: 'eal-grid' }, this.scroller, this.none)
    this.scroller.addEventListener('wheel', event => this.wheel(event), { passive: false })
    this.layer.addEventListener('click', event => this.click(event))
    this.layer.addEventListener('keydown', event => this.key(event))
    this.observer = new ResizeObserver(() => this.layout()) // the first layout may find a width of 0
    this.observer.observe(this.scroller)
  }

  close() { this.observer.disconnect() }

  show(stay) { // a new view
    const row = this.row
    const at = row == null ? -1 : this.app.view.indexOf(row)
    this.current = Math.max(0, at)
    this.none.hidden = this.app.view.length > 0
    this.scroller.hidden = !this.none.hidden
    this.layout()
    if (stay && at >= 0) this.reveal()
    else this.moveTo(0)
    this.row = this.app.view[this.current]
  }

  layout() {
    const width = this.scroller.clientWidth
    this.seen = this.scroller.clientHeight
    if (!width || !this.seen) return
    const top = Math.floor(this.offset / CELL.height) * (this.columns ?? 1)
    const columns = clamp(Math.floor(width / CELL.width), 1, COLUMNS)
    const changed = columns !== this.columns
    this.columns = columns
    this.cellWidth = width / columns
    this.real = Math.ceil(this.app.view.length / columns) * CELL.height
    this.most = Math.max(0, this.real - this.seen)
    this.room = Math.max(0, Math.min(this.real, SPACE) - this.seen) // how far scrollTop goes
    this.layer.style.height = `${this.seen}px`
    this.spacer.style.height = `${this.room}px`
    this.moveTo(changed ? Math.floor(top / columns) * CELL.height : this.offset)
  }

  scrolled() {
    const top = this.scroller.scrollTop
    if (this.set === undefined || Math.abs(top - this.set) > 1) this.offset = this.most > this.room ? top / this.room * this.most : top
    this.set = undefined
    this.draw()
  }

  wheel(event) {
    if (!(this.most > this.room)) return
    event.preventDefault() // a scaled bar would jump over rows
    this.moveTo(this.offset + event.deltaY * [1, 16, this.seen][event.deltaMode])
  }

  moveTo(offset) {
    this.offset = clamp(offset, 0, this.most ?? 0)
    const top = this.most > this.room ? this.offset / this.most * this.room : this.offset
    if (Math.abs(this.scroller.scrollTop - top) > .5) this.scroller.scrollTop = this.set = top
    this.draw()
  }

  reveal() {
    if (!this.columns) return
    const top = Math.floor(this.current / this.columns) * CELL.height
    if (top < this.offset) this.moveTo(top)
    else if (top + CELL.height > this.offset + this.seen) this.moveTo(top + CELL.height - this.seen)
    else this.draw()
  }

  draw() { this.frame ??= requestAnimationFrame(() => { this.frame = undefined; this.paint() }) }

  paint() {
    const { view } = this.app
    if (!this.columns) return
    const first = Math.floor(this.offset / CELL.height) * this.columns
    const last = Math.min(view.length, Math.ceil((this.offset + this.seen) / CELL.height) * this.columns)
    for (const [at, cell] of this.cells) if (at < first || at >= last) { this.cells.delete(at); this.spare.push(cell) }
    for (let at = first; at < last; at++) {
      if (!this.cells.has(at)) this.cells.set(at, this.spare.pop() ?? this.newCell())
      this.place(this.cells.get(at), at)
    }
    for (const cell of this.spare.splice(0)) cell.node.remove()
    this.layer.toggleAttribute('aria-activedescendant', false)
    if (this.cells.has(this.current)) this.layer.setAttribute('aria-activedescendant', `${this.id}-${this.current}`)
    this.ask()
  }

  newCell() {
    const canvas = make('canvas'), name = make('span', { class: 'eal-name' }), problem = make('span', { class: 'eal-error' })
    const node = make('div', { role: 'option', class: 'eal-cell' }, canvas, problem, make('span', { class: 'eal-flag', 'aria-hidden': 'true' }, '⚑'), name)
    this.layer.append(node)
    return { node, canvas, name, problem }
  }

  place(cell, at) {
    const { view, flagged, selected } = this.app, row = view[at], tile = this.tiles.get(row), { node } = cell
    node.style.transform = `translate(${at % this.columns * this.cellWidth}px, ${Math.floor(at / this.columns) * CELL.height - this.offset}px)`
    node.style.width = `${this.cellWidth}px`
    node.id = `${this.id}-${at}`
    node.dataset.at = at
    node.dataset.row = row
    node.setAttribute('aria-posinset', at + 1)
    node.setAttribute('aria-setsize', view.length)
    node.setAttribute('aria-selected', selected.has(row))
    node.setAttribute('aria-label', this.app.label(row, tile))
    node.classList.toggle('eal-flagged', flagged.has(row))
    node.classList.toggle('eal-current', at === this.current)
    const state = `${row} ${Boolean(tile)} ${this.app.hiding}`
    if (cell.state !== state) { cell.state = state; this.fill(cell, row, tile) }
  }

  fill({ canvas, name, problem, node }, row, tile) {
    const ratio = devicePixelRatio || 1, side = CELL.thumb
    name.textContent = node.title = tile ? `${row} · ${tile.name}` : `${row}`
    problem.textContent = tile?.error ?? ''
    canvas.width = canvas.height = side * ratio
    node.classList.toggle('eal-loaded', Boolean(tile))
    if (!tile?.picture) return
    const context = canvas.getContext('2d'), scale = Math.min(side / tile.width, side / tile.height) * ratio
    context.setTransform(scale, 0, 0, scale, (side * ratio - tile.width * scale) / 2, (side * ratio - tile.height * scale) / 2)
    context.imageSmoothingQuality = 'high'
    context.drawImage(tile.picture, 0, 0, tile.width, tile.height)
    context.beginPath()
    context.rect(-2, -2, tile.width + 4, tile.height + 4)
    context.clip()
    if (!this.app.hiding.includes('truth')) drawMarks(context, tile.truth, false)
    if (!this.app.hiding.includes('predicted')) drawMarks(context, tile.predicted, true)
  }

  ask() { // always for what is on the screen now, from its middle outwards
    const middle = (this.offset + this.seen / 2) / CELL.height * this.columns
    const wanted = [...this.cells.keys()].filter(at => !this.tiles.has(this.app.view[at]) && !this.asked.has(this.app.view[at]))
      .sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle)).map(at => this.app.view[at])
    while (wanted.length && this.questions < IN_FLIGHT) {
      const rows = wanted.splice(0, BATCH)
      this.questions++
      for (const row of rows) this.asked.add(row)
      this.app.wire.ask({ type: 'tiles', rows }, (message, buffers) => this.answered(rows, message, buffers))
    }
  }

  async answered(rows, { tiles }, buffers) {
    this.questions--
    await Promise.all(tiles.map(async (tile, i) => {
      if (tile.error) return
      try { tile.picture = await createImageBitmap(new Blob([buffers[i]])) } catch { tile.error = 'the browser cannot show it' }
    }))
    for (const row of rows) this.asked.delete(row)
    for (const tile of tiles) this.tiles.set(tile.row, tile)
    for (const row of this.tiles.keys()) {
      if (this.tiles.size <= KEEP) break
      this.tiles.get(row).picture?.close()
      this.tiles.delete(row)
    }
    this.draw()
    this.app.say()
  }

  forgetQuestions() { this.questions = 0; this.asked.clear() }

  go(at) {
    this.current = clamp(at, 0, this.app.view.length - 1)
    this.row = this.app.view[this.current]
    this.reveal()
  }

  click(event) {
    const cell = event.target.closest('.eal-cell')
    if (!cell) return
    const before = this.current, at = Number(cell.dataset.at)
    this.layer.focus({ preventScroll: true })
    this.go(at)
    if (event.shiftKey) this.app.select(this.app.view.slice(Math.min(before, at), Math.max(before, at) + 1))
    else if (event.ctrlKey || event.metaKey) this.app.toggleSelected(this.row)
    else { this.app.select([this.row]); this.app.open(at) }
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.app.view.length) return
    const page = Math.max(1, Math.floor(this.seen / CELL.height)) * this.columns
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns, PageUp: -page, PageDown: page, Home: -Infinity, End: Infinity }
    const actions = {
      Enter: () => { this.app.select([this.row]); this.app.open(this.current) },
      ' ': () => this.app.toggleSelected(this.row),
      f: () => this.app.toggleFlag(this.row),
      Escape: () => this.app.select([]),
    }
    if (event.key in steps) this.go(this.current + steps[event.key])
    else {
      const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key]
      if (!action) return
      action()
    }
    event.preventDefault()
  }
}

// ---------------------------------------------------------------------------------------------------- one row in full

class FullView {
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
    this.title.textContent = [label, head?.score, head?.path].filter(Boolean).join(' · ')
    this.title.title = head?.path ?? ''
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
    this.message.textContent = head.error ?? ''
    this.stage.removeAttribute('aria-busy')
    if (head.error) return
    const old = this.url
    this.image.src = this.url = URL.createObjectURL(new Blob([data]))
    if (old) URL.revokeObjectURL(old)
    this.image.onerror = () => { this.message.hidden = false; this.message.textContent = 'The browser cannot show this file.' }
    for (const node of [this.image, this.svg]) { node.style.width = `${head.width}px`; node.style.height = `${head.height}px` }
    this.svg.setAttribute('viewBox', `0 0 ${head.width} ${head.height}`)
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

// ---------------------------------------------------------------------------------------------------- filters

class Bar {
  constructor(app) {
    Object.assign(this, { app, inputs: {} })
    this.text = make('input', { ...unlumino, type: 'search', class: 'eal-text', placeholder: 'Filter: file, source, class  ( / )', 'aria-label': 'Filter by file, source or class',
      oninput: () => this.soon({ text: this.text.value }), onkeydown: event => this.key(event) })
    this.sort = make('select', { ...unlumino, 'aria-label': 'Sort by', onchange: () => this.sortBy(this.sort.value) })
    this.descending = make('button', { ...unlumino, type: 'button', onclick: () => app.query({ descending: !app.model.get('query').descending }) })
    this.problem = make('select', { ...unlumino, 'aria-label': 'Problems in the report', onchange: () => app.query({ problem: this.problem.value }) })
    this.flagged = make('input', { ...unlumino, type: 'checkbox', onchange: () => app.query({ flagged: this.flagged.checked }) })
    const toggle = (key, text) => make('label', {}, make('input', { ...unlumino, type: 'checkbox', checked: true, onchange: event => app.hide(key, !event.target.checked) }), text)
    this.toggles = make('span', { class: 'eal-toggles', hidden: true }, toggle('truth', 'Truth'), toggle('predicted', 'Predictions'))
    this.problems = make('label', {}, 'Problems ', this.problem)
    this.boxes = this.range('boxes', 'Boxes')
    this.more = make('details', { class: 'eal-more' }, make('summary', { ...unlumino }, 'More filters'), make('div', { class: 'eal-filters' },
      this.boxes, this.range('size', 'Box size in px'), this.range('aspect', 'Width by height'), this.problems))
    this.status = make('span', { class: 'eal-status', role: 'status' })
    this.node = make('div', { class: 'eal-bar' }, this.text, make('label', {}, 'Sort ', this.sort), this.descending,
      make('label', {}, this.flagged, 'Flagged only'), this.toggles, this.more, this.status)
  }

  range(key, text) {
    const field = (i, word) => make('input', { ...unlumino, type: 'number', step: 'any', placeholder: word, 'aria-label': `${text}, ${word}`, oninput: () => this.soon({ [key]: this.read(key) }) })
    this.inputs[key] = [field(0, 'from'), field(1, 'to')]
    return make('span', { class: 'eal-range' }, `${text} `, ...this.inputs[key])
  }

  read(key) { return this.inputs[key].map(input => input.value === '' ? null : input.valueAsNumber) }

  soon(change) { clearTimeout(this.timer); this.pending = { ...this.pending, ...change }; this.timer = setTimeout(() => this.flush(), 120) }

  flush() { clearTimeout(this.timer); this.app.query(this.pending); this.pending = undefined }

  sortBy(sort) { this.app.query({ sort, descending: sort === 'error' }) } // the worst first

  key(event) {
    if (event.key === 'Escape' && this.text.value) { this.text.value = ''; this.soon({ text: '' }); event.preventDefault() }
    else if (event.key === 'Enter' || event.key === 'ArrowDown' || event.key === 'Escape') { this.app.grid.layer.focus(); event.preventDefault() }
  }

  facts({ sort, problems, predicted, kind }) {
    const options = names => names.map(([value, text]) => make('option', { value }, text))
    this.sort.replaceChildren(...options(sort.map(name => [name, name])))
    this.problem.replaceChildren(...options([['', '–'], ['any', 'any'], ...problems.map(name => [name, name.replaceAll('_', ' ')])]))
    this.problems.hidden = !problems.length
    this.boxes.hidden = kind !== 'detector'
    this.toggles.hidden = !predicted
    this.renew()
  }

  renew() { // what the query says, but not under the hands of who types
    const query = this.app.model.get('query'), focus = this.node.getRootNode().activeElement
    if (focus !== this.text) this.text.value = query.text
    this.sort.value = query.sort
    this.problem.value = query.problem
    this.flagged.checked = query.flagged
    this.descending.textContent = query.descending ? '↓' : '↑'
    this.descending.title = query.descending ? 'Highest first' : 'Lowest first'
    this.descending.setAttribute('aria-label', `${this.descending.title}: change the order`)
    for (const [key, inputs] of Object.entries(this.inputs)) {
      inputs.forEach((input, i) => { if (focus !== input) input.value = query[key][i] ?? '' })
    }
  }
}

// ---------------------------------------------------------------------------------------------------- all of it

class App {
  constructor(model, host) {
    Object.assign(this, { model, view: new Int32Array(0), all: 0, hiding: [], flagged: new Set(model.get('flagged')), selected: new Set(model.get('selected')) })
    this.kernel = make('div', { class: 'eal-kernel', role: 'status' })
    this.wire = new Wire(model, { received: (message, buffers) => this.received(message, buffers), status: text => this.showKernel(text) })
    this.grid = new Grid(this)
    this.full = new FullView(this)
    this.bar = new Bar(this)
    this.body = make('div', { class: 'eal-body' }, this.grid.node, this.full.node)
    this.root = make('div', { class: 'eal', role: 'region', 'aria-label': 'Dataset explorer', ...unlumino }, this.bar.node, this.body, this.kernel)
    for (const name of ['keydown', 'keypress', 'keyup']) this.root.addEventListener(name, event => this.key(event)) // none goes on to the notebook
    host.append(this.root)
    this.listeners = {
      'change:flagged': () => { this.flagged = new Set(model.get('flagged')); this.grid.draw(); this.say(); this.full.name() },
      'change:selected': () => this.selectionChanged(),
      'change:query': () => this.bar.renew(),
    }
    for (const [name, act] of Object.entries(this.listeners)) model.on(name, act)
    this.wire.hello()
  }

  close() {
    for (const [name, act] of Object.entries(this.listeners)) this.model.off(name, act)
    for (const part of [this.wire, this.grid, this.full]) part.close()
  }

  received(message, buffers) {
    if (message.type === 'view') {
      const { buffer, byteOffset, byteLength } = buffers[0].buffer ? buffers[0] : new DataView(buffers[0])
      const first = !this.all
      this.view = new Int32Array(buffer.slice(byteOffset, byteOffset + byteLength))
      this.all = message.all
      this.grid.forgetQuestions()
      this.grid.show(first || !this.full.node.hidden)
      this.say()
    } else if (message.type === 'facts') this.bar.facts(message)
  }

  label(row, tile) {
    const words = tile?.error ? `${tile.words}, ${tile.error}` : tile?.words ?? 'loading'
    return `row ${row}: ${words}${this.flagged.has(row) ? ', flagged' : ''}`
  }

  say() {
    const { flagged, selected } = this
    const parts = [this.view.length === this.all ? `${number(this.all)} rows` : `${number(this.view.length)} of ${number(this.all)} rows`]
    if (flagged.size) parts.push(`${number(flagged.size)} flagged`)
    if (selected.size > 1) parts.push(`${number(selected.size)} selected`)
    const text = parts.join(', ')
    if (this.bar.status.textContent !== text) this.bar.status.textContent = text
  }

  showKernel(text) { if (this.kernel.textContent !== text) this.kernel.textContent = text }

  key(event) {
    event.stopPropagation()
    if (event.type !== 'keydown' || event.key !== '/' || ['INPUT', 'SELECT'].includes(event.target.tagName)) return
    this.back()
    this.bar.text.focus()
    event.preventDefault()
  }

  query(change) {
    const query = { ...this.model.get('query'), ...change }
    if (JSON.stringify(query) === JSON.stringify(this.model.get('query'))) return
    this.wire.expect('view')
    this.set('query', query)
  }

  set(name, value) {
    this.model.set(name, value)
    try { this.model.save_changes() } catch { this.wire.lost = true }
  }

  toggleFlag(row) {
    const rows = this.selected.has(row) ? [...this.selected] : [row], off = this.flagged.has(row)
    for (const o of rows) off ? this.flagged.delete(o) : this.flagged.add(o)
    this.set('flagged', [...this.flagged].sort((a, b) => a - b))
    this.grid.draw()
    this.full.name()
    this.say()
  }

  select(rows) {
    this.selected = new Set(rows)
    this.set('selected', [...this.selected].sort((a, b) => a - b))
    this.grid.draw()
    this.say()
  }

  toggleSelected(row) { this.select(this.selected.has(row) ? [...this.selected].filter(o => o !== row) : [...this.selected, row]) }

  selectionChanged() {
    const rows = this.model.get('selected')
    if (rows.length === this.selected.size && rows.every(o => this.selected.has(o))) return
    this.selected = new Set(rows)
    const at = rows.length ? this.view.indexOf(rows[0]) : -1
    if (at >= 0) this.grid.go(at) // a choice made in Python comes into sight
    this.grid.draw()
    this.say()
  }

  hide(which, hidden) {
    this.hiding = [...this.hiding.filter(o => o !== which), ...(hidden ? [which] : [])]
    this.root.classList.toggle(`eal-no-${which}`, hidden)
    this.grid.draw()
  }

  open() {
    this.grid.node.inert = true
    this.full.node.hidden = false
    this.full.load()
    this.full.stage.focus({ preventScroll: true })
  }

  back() {
    if (this.full.node.hidden) return
    this.full.node.hidden = true
    this.grid.node.inert = false
    this.full.forget()
    this.grid.layer.focus({ preventScroll: true })
  }
}

export default {
  render({ model, el }) {
    const app = new App(model, el)
    return () => app.close()
  },
}
