// All of it. Rows are known by their number in the dataset; `view` has those that are shown, in order.

import { Bar } from './bar.js'
import './boxes.js'
import './points.js'
import { make, number, unlumino } from './dom.js'
import { Editor } from './edit.js'
import { FullView } from './full.js'
import { Grid } from './grid.js'
import { Wire } from './wire.js'

class App {
  constructor(model, host) {
    Object.assign(this, { model, view: new Int32Array(0), all: 0, hiding: [], flagged: new Set(model.get('flagged')), selected: new Set(model.get('selected')) })
    this.kernel = make('div', { class: 'eal-kernel', role: 'status' })
    this.wire = new Wire(model, { received: (message, buffers) => this.received(message, buffers), status: text => this.showKernel(text) })
    this.grid = new Grid(this)
    this.full = new FullView(this)
    this.edit = new Editor(this, this.full)
    this.full.stage.insertBefore(this.edit.node, this.full.message)
    this.bar = new Bar(this)
    this.body = make('div', { class: 'eal-body' }, this.grid.node, this.full.node)
    this.root = make('div', { class: 'eal', role: 'region', 'aria-label': 'Dataset explorer', ...unlumino }, this.bar.node, this.body, this.kernel, this.full.panel.dialog)
    for (const name of ['keydown', 'keypress', 'keyup']) this.root.addEventListener(name, event => this.key(event)) // none goes on to the notebook
    host.append(this.root)
    this.listeners = {
      'change:flagged': () => { this.flagged = new Set(model.get('flagged')); this.grid.draw(); this.say(); this.full.name() },
      'change:selected': () => this.selectionChanged(),
      'change:editing': () => this.full.editingChanged(),
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
    if (event.type !== 'keydown' || event.defaultPrevented || event.key !== '/' || ['INPUT', 'SELECT'].includes(event.target.tagName)) return
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
    this.edit.leave()
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
