// The grid of thumbnails, which asks for what is on the screen and keeps a cell for no other row.

import { Bulk } from './bulk.js'
import { clamp, focusable, make, unique } from './dom.js'
import { drawMarks } from './marks.js'

const THUMB = 136, AROUND = 20, BELOW = 36 // CSS pixels: a thumbnail as it comes, what a cell has beside and below it
const COLUMNS = 12 // of thumbnails of that size at most, so that a wide screen has no more than 60 cells
const BADGES = { conflict: '⚠', excluded: '⊘', flagged: '⚑', edited: '✎', empty: '∅', ok: '✓' } // the first that a row has is shown
const BATCH = 12, IN_FLIGHT = 2, KEEP = 600 // thumbnails in a question, questions at a time, thumbnails that are kept
const SPACE = 4e6 // pixels to scroll through; beyond that browsers lose precision, and the scroll bar is scaled

export class Grid {
  constructor(app) {
    Object.assign(this, { app, tiles: new Map(), asked: new Set(), questions: 0, cells: new Map(), spare: [], current: 0, offset: 0, id: `eal${unique()}`, thumb: THUMB })
    this.bulk = new Bulk(app, this)
    this.layer = make('div', { ...focusable, class: 'eal-layer', role: 'listbox', 'aria-label': 'Rows', 'aria-multiselectable': 'true' })
    this.spacer = make('div')
    this.none = make('p', { class: 'eal-none', hidden: true }, 'No row matches.')
    this.scroller = make('div', { class: 'eal-scroll', onscroll: () => this.scrolled() }, this.layer, this.spacer)
    this.node = make('div', { class: 'eal-grid' }, this.bulk.node, make('div', { class: 'eal-cells' }, this.scroller, this.none))
    this.scroller.addEventListener('wheel', event => this.wheel(event), { passive: false })
    this.layer.addEventListener('click', event => this.click(event))
    this.layer.addEventListener('keydown', event => this.key(event))
    this.observer = new ResizeObserver(() => this.layout()) // the first layout may find a width of 0
    this.observer.observe(this.scroller)
  }

  close() { this.observer.disconnect() }

  get high() { return this.thumb + BELOW } // of a cell

  get sharp() { return Math.max(THUMB, this.thumb) } // pixels that a thumbnail should have

  resize(thumb) { // the row in the middle stays
    const top = this.offset / this.high
    this.thumb = thumb
    this.layer.style.setProperty('--thumb', `${thumb}px`)
    this.columns = undefined
    this.offset = top * this.high
    for (const cell of this.cells.values()) cell.state = undefined
    this.layout()
    this.reveal()
  }

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
    const top = Math.floor(this.offset / this.high) * (this.columns ?? 1)
    const columns = clamp(Math.floor(width / (this.thumb + AROUND)), 1, Math.max(COLUMNS, Math.floor(COLUMNS * THUMB / this.thumb)))
    const changed = columns !== this.columns, first = !this.columns
    this.columns = columns
    this.cellWidth = width / columns
    this.real = Math.ceil(this.app.view.length / columns) * this.high
    this.most = Math.max(0, this.real - this.seen)
    this.room = Math.max(0, Math.min(this.real, SPACE) - this.seen) // how far scrollTop goes
    this.layer.style.height = `${this.seen}px`
    this.spacer.style.height = `${this.room}px`
    this.moveTo(changed ? Math.floor(top / columns) * this.high : this.offset)
    if (first) this.reveal()
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
    const top = Math.floor(this.current / this.columns) * this.high
    if (top < this.offset) this.moveTo(top)
    else if (top + this.high > this.offset + this.seen) this.moveTo(top + this.high - this.seen)
    else this.draw()
  }

  draw() { this.frame ??= requestAnimationFrame(() => { this.frame = undefined; this.paint() }) }

  paint() {
    const { view } = this.app
    if (!this.columns) return
    const first = Math.floor(this.offset / this.high) * this.columns
    const last = Math.min(view.length, Math.ceil((this.offset + this.seen) / this.high) * this.columns)
    for (const [at, cell] of this.cells) if (at < first || at >= last) { this.cells.delete(at); this.spare.push(cell) }
    for (let at = first; at < last; at++) {
      if (!this.cells.has(at)) this.cells.set(at, this.spare.pop() ?? this.newCell())
      this.place(this.cells.get(at), at)
    }
    for (const cell of this.spare.splice(0)) cell.node.remove()
    if (this.cells.has(this.current)) this.layer.setAttribute('aria-activedescendant', `${this.id}-${this.current}`)
    else this.layer.removeAttribute('aria-activedescendant')
    this.ask()
  }

  newCell() {
    const canvas = make('canvas'), name = make('span', { class: 'eal-name' }), problem = make('span', { class: 'eal-error' }), badge = make('span', { class: 'eal-badge', 'aria-hidden': 'true' }), suspect = make('span', { class: 'eal-suspect', 'aria-hidden': 'true' })
    const node = make('div', { role: 'option', class: 'eal-cell' }, canvas, problem, make('span', { class: 'eal-flag', 'aria-hidden': 'true' }, '⚑'), badge, suspect, name)
    this.layer.append(node)
    return { node, canvas, name, problem, badge, suspect }
  }

  place(cell, at) {
    const { view, flagged, selected } = this.app, row = view[at], tile = this.tiles.get(row), { node } = cell
    node.style.transform = `translate(${at % this.columns * this.cellWidth}px, ${Math.floor(at / this.columns) * this.high - this.offset}px)`
    node.style.width = `${this.cellWidth}px`
    node.id = `${this.id}-${at}`
    node.dataset.at = at
    node.dataset.row = row
    node.setAttribute('aria-posinset', at + 1)
    node.setAttribute('aria-setsize', view.length)
    node.setAttribute('aria-selected', selected.has(row))
    node.setAttribute('aria-label', this.app.label(row, tile))
    node.classList.toggle('eal-flagged', flagged.has(row))
    const marks = this.app.marks.get(row)?.split(' ') ?? []
    node.dataset.mark = Object.keys(BADGES).find(o => marks.includes(o)) ?? ''
    cell.badge.textContent = BADGES[node.dataset.mark] ?? ''
    cell.suspect.textContent = tile?.suspect ?? ''
    node.classList.toggle('eal-current', at === this.current)
    const state = `${row} ${Boolean(tile)} ${this.app.hiding} ${this.app.predicted.state(row)}`
    if (cell.state !== state) { cell.state = state; this.fill(cell, row, tile) }
  }

  fill({ canvas, name, problem, node }, row, tile) {
    const ratio = devicePixelRatio || 1, side = this.thumb
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
    if (!this.app.hiding.includes('predicted')) for (const marks of this.app.predicted.marksOf(tile.predicted, row)) drawMarks(context, marks, true)
  }

  ask() { // always for what is on the screen now, from its middle outwards
    const middle = (this.offset + this.seen / 2) / this.high * this.columns
    const wanted = [...this.cells.keys()].filter(at => !(this.tiles.get(this.app.view[at])?.side >= this.sharp) && !this.asked.has(this.app.view[at]))
      .sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle)).map(at => this.app.view[at])
    while (wanted.length && this.questions < IN_FLIGHT) {
      const rows = wanted.splice(0, BATCH)
      this.questions++
      for (const row of rows) this.asked.add(row)
      const side = this.sharp
      this.app.wire.ask({ type: 'tiles', rows, side }, (message, buffers) => this.answered(rows, message, buffers, side))
    }
  }

  async answered(rows, { tiles }, buffers, side) {
    this.questions--
    await Promise.all(tiles.map(async (tile, i) => {
      if (tile.error) return
      try { tile.picture = await createImageBitmap(new Blob([buffers[i]])) } catch { tile.error = 'the browser cannot show it' }
    }))
    for (const row of rows) this.asked.delete(row)
    for (const tile of tiles) {
      this.tiles.get(tile.row)?.picture?.close()
      this.tiles.delete(tile.row) // the newest is kept longest
      this.tiles.set(tile.row, Object.assign(tile, { side }))
    }
    for (const cell of this.cells.values()) if (rows.includes(Number(cell.node.dataset.row))) cell.state = undefined
    for (const row of this.tiles.keys()) {
      if (this.tiles.size <= KEEP * Math.min(1, (THUMB / this.sharp) ** 2)) break
      this.tiles.get(row).picture?.close()
      this.tiles.delete(row)
    }
    this.draw()
    this.app.say()
  }

  forget(rows) { // they look otherwise now
    for (const row of rows) { this.tiles.get(row)?.picture?.close(); this.tiles.delete(row) }
    for (const cell of this.cells.values()) if (rows.includes(Number(cell.node.dataset.row))) cell.state = undefined
    this.draw()
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
    else { this.app.select([this.row]); this.app.open() }
  }

  key(event) {
    if (this.bulk.key(event)) return event.preventDefault()
    if (event.ctrlKey || event.metaKey || event.altKey || !this.app.view.length) return
    const page = Math.max(1, Math.floor(this.seen / this.high)) * this.columns
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns, PageUp: -page, PageDown: page, Home: -Infinity, End: Infinity }
    const actions = {
      Enter: () => { this.app.select([this.row]); this.app.open() },
      ' ': () => this.app.toggleSelected(this.row),
      f: () => this.app.toggleFlag(this.row),
      Escape: () => this.app.select([]),
    }
    if (event.key in steps) {
      this.anchor = event.shiftKey ? this.anchor ?? this.current : undefined
      this.go(this.current + steps[event.key])
      if (event.shiftKey) this.app.select(this.app.view.slice(Math.min(this.anchor, this.current), Math.max(this.anchor, this.current) + 1))
    }
    else {
      const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key]
      if (!action) return
      action()
    }
    event.preventDefault()
  }
}
