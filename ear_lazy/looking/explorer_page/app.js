// All of it. Rows are known by their number in the dataset; `view` has those that are shown, in order.

import { Bar } from './bar.js'
import './boxes.js'
import './points.js'
import { clamp, focusable, make, number, unlumino } from './dom.js'
import { Editor } from './edit.js'
import { FullView } from './full.js'
import { Grid } from './grid.js'
import { PredictedView } from './predicted.js'
import { WalkView } from './walk.js'
import { Wire } from './wire.js'

const LOWEST = 240, HIGHEST = 4000 // CSS pixels
const POLL = 4000 // ms between looks at what others have written
const MARKS = { ok: 'looked at', empty: 'no object here', excluded: 'left out', conflict: 'in conflict', flagged: 'flagged in the journal' } // in words

export class App {
  constructor(model, host) {
    Object.assign(this, { model, view: new Int32Array(0), all: 0, hiding: [], marks: new Map(), counts: undefined, flagged: new Set(model.get('flagged')), selected: new Set(model.get('selected')) })
    this.kernel = make('div', { class: 'eal-kernel', role: 'status' })
    this.wire = new Wire(model, { received: (message, buffers) => this.received(message, buffers), status: text => this.showKernel(text) })
    this.grid = new Grid(this)
    this.full = new FullView(this)
    this.edit = new Editor(this, this.full)
    this.full.stage.insertBefore(this.edit.node, this.full.message)
    this.predicted = new PredictedView(this)
    this.full.panel.side.append(this.predicted.node)
    this.walk = new WalkView(this)
    this.bar = new Bar(this)
    this.body = make('div', { class: 'eal-body' }, this.grid.node, this.full.node)
    this.edge = make('div', { ...focusable, class: 'eal-edge', role: 'separator', 'aria-orientation': 'horizontal', 'aria-label': 'Height of the view', 'aria-valuemin': LOWEST, 'aria-valuemax': HIGHEST,
      title: 'Drag to set the height (arrows: 20 pixels)', onpointerdown: event => this.dragEdge(event), onkeydown: event => this.keyEdge(event) })
    this.root = make('div', { class: 'eal', role: 'region', 'aria-label': 'Dataset explorer', ...unlumino }, this.bar.node, this.body, this.kernel, this.edge, this.full.panel.dialog)
    this.heightChanged()
    for (const name of ['keydown', 'keypress', 'keyup']) this.root.addEventListener(name, event => this.key(event)) // none goes on to the notebook
    host.append(this.root)
    this.root.addEventListener('focusin', event => { this.focused = event.target })
    this.root.addEventListener('focusout', event => { if (event.relatedTarget && !this.root.contains(event.relatedTarget)) this.focused = undefined })
    this.root.addEventListener('click', () => { if (!this.root.contains(this.active()) && getSelection().isCollapsed) this.home() }) // beside all buttons; what was chosen there is to be copied
    this.removals = new MutationObserver(() => this.keepFocus())
    this.removals.observe(this.root, { subtree: true, childList: true, attributeFilter: ['hidden', 'disabled'] })
    this.listeners = {
      'change:flagged': () => { this.flagged = new Set(model.get('flagged')); this.grid.draw(); this.say(); this.full.name() },
      'change:selected': () => this.selectionChanged(),
      'change:editing': () => { this.full.editingChanged(); this.grid.bulk.renew(); this.bar.renewEditing() },
      'change:height': () => this.heightChanged(),
      'change:query': () => { this.bar.renew(); this.predicted.renew(); this.predicted.askScore(); this.grid.draw() },
      comm_live_update: () => this.edit.returned(),
    }
    for (const [name, act] of Object.entries(this.listeners)) model.on(name, act)
    this.wire.hello()
    this.poll = setInterval(() => { if (model.get('editing') && !document.hidden && !this.wire.waiting.size) this.wire.send({ type: 'refresh' }) }, POLL)
  }

  close() {
    clearInterval(this.poll)
    this.removals.disconnect()
    for (const [name, act] of Object.entries(this.listeners)) this.model.off(name, act)
    for (const part of [this.wire, this.grid, this.full]) part.close()
  }

  received(message, buffers) {
    if (message.type === 'view') {
      const { buffer, byteOffset, byteLength } = buffers[0].buffer ? buffers[0] : new DataView(buffers[0])
      const first = !this.all
      if (first) [this.grid.row] = this.selected // where it was left
      this.view = new Int32Array(buffer.slice(byteOffset, byteOffset + byteLength))
      this.all = message.all
      this.grid.forgetQuestions()
      this.grid.show(first || !this.full.node.hidden)
      const at = first ? this.view.indexOf([...this.selected][0]) : -1
      if (at > 0) this.grid.go(at) // where one was
      if (!this.full.node.hidden && !this.view.length) this.back()
      else this.full.catchUp()
      this.say()
    } else if (message.type === 'facts') {
      this.bar.facts(message)
      if (message.open != null && !this.opened) this.openRow(message.open, false)
      this.opened = true
    }
    else if (message.type === 'marks') this.marked(message)
    else if (message.type === 'open') this.openRow(message.row)
  }

  marked({ rows, counts, version, walk }) { // what the journal says of rows; nothing of a row takes its mark away
    const changed = Object.entries(rows).map(([row, mark]) => [Number(row), mark ?? '']).filter(([row, mark]) => (this.marks.get(row) ?? '') !== mark)
    for (const [row, mark] of changed) mark ? this.marks.set(row, mark) : this.marks.delete(row)
    this.counts = counts
    this.walk.tell(walk)
    this.walk.renew()
    this.grid.forget(changed.map(([row]) => row))
    this.edit.marked(rows, version)
    this.full.name()
    this.say()
  }

  openRow(row, focused = true) {
    const at = this.view.indexOf(row)
    if (at < 0) return
    this.grid.go(at)
    this.open(focused)
  }

  heightChanged(height = this.model.get('height') ?? 580) {
    this.root.style.height = `${height}px`
    this.edge.setAttribute('aria-valuenow', Math.round(height))
  }

  dragEdge(event) {
    const { edge } = this, start = this.root.offsetHeight - event.clientY, heightAt = e => clamp(start + e.clientY, LOWEST, HIGHEST)
    edge.setPointerCapture(event.pointerId)
    const move = e => this.heightChanged(heightAt(e)), end = e => { stop(); this.set('height', Math.round(heightAt(e))) }
    const stop = () => { edge.removeEventListener('pointermove', move); edge.removeEventListener('pointerup', end); edge.removeEventListener('pointercancel', stop) }
    for (const [name, act] of [['pointermove', move], ['pointerup', end], ['pointercancel', stop]]) edge.addEventListener(name, act)
    event.preventDefault()
  }

  keyEdge(event) {
    const by = { ArrowUp: -20, ArrowDown: 20 }[event.key]
    if (!by) return
    this.set('height', clamp(this.root.offsetHeight + by, LOWEST, HIGHEST))
    event.preventDefault()
  }

  label(row, tile) {
    const words = tile?.error ? `${tile.words}, ${tile.error}` : tile?.words ?? 'loading'
    const marks = (this.marks.get(row) ?? '').split(' ').filter(Boolean).map(o => MARKS[o] ?? o)
    return [`row ${row}: ${words}`, tile?.suspect && `suspect: ${tile.suspect}`, this.flagged.has(row) && 'flagged', ...marks].filter(Boolean).join(', ')
  }

  say() {
    const { flagged, selected } = this
    const parts = [this.view.length === this.all ? `${number(this.all)} rows` : `${number(this.view.length)} of ${number(this.all)} rows`]
    if (flagged.size) parts.push(`${number(flagged.size)} flagged`)
    if (selected.size > 1) parts.push(`${number(selected.size)} selected`)
    if (this.counts) parts.push(`${number(this.counts.looked_at)} of ${number(this.counts.photos)} looked at`)
    if (this.walk.counts) parts.push(this.walk.status())
    if (this.counts?.conflict) parts.push(`${number(this.counts.conflict)} in conflict`)
    const text = parts.join(', ')
    if (this.bar.status.textContent !== text) this.bar.status.textContent = text
    this.grid.bulk.renew()
  }

  showKernel(text) { if (this.kernel.textContent !== text) this.kernel.textContent = text }

  key(event) {
    event.stopPropagation()
    if (event.type !== 'keydown' || ['INPUT', 'SELECT', 'TEXTAREA'].includes(event.target.tagName)) return
    if (['Home', 'End', 'PageUp', 'PageDown'].includes(event.key)) event.preventDefault() // else the notebook scrolls
    if (event.key !== '/' || event.defaultPrevented) return
    this.back()
    this.bar.text.focus()
    event.preventDefault()
  }

  active() { // what has the focus, in whichever shadow
    let found = document.activeElement
    while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement
    return found
  }

  home() { (this.full.node.hidden ? this.grid.layer : this.full.stage).focus({ preventScroll: true }) }

  keepFocus() { // what had the focus is gone, hidden or disabled: the next key would go to the notebook
    const { focused, root } = this
    if (!focused || focused.isConnected && !focused.disabled && !focused.closest('[hidden]')) return
    const active = this.active()
    if (active && ![document.body, root.getRootNode().host, focused].includes(active)) return // it has gone elsewhere
    this.home()
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
    this.full.catchUp()
    this.grid.draw()
    this.say()
  }

  hide(which, hidden) {
    this.hiding = [...this.hiding.filter(o => o !== which), ...(hidden ? [which] : [])]
    this.root.classList.toggle(`eal-no-${which}`, hidden)
    this.grid.draw()
  }

  open(focused = true) {
    this.grid.node.inert = true
    this.full.node.hidden = false
    this.root.classList.add('eal-in-full')
    this.grid.bulk.renew()
    this.full.load()
    if (focused) this.full.stage.focus({ preventScroll: true })
  }

  back() {
    if (this.full.node.hidden) return
    this.full.node.hidden = true
    this.root.classList.remove('eal-in-full')
    this.grid.node.inert = false
    this.grid.bulk.renew()
    this.edit.leave()
    this.walk.close()
    this.full.forget()
    this.grid.layer.focus({ preventScroll: true })
  }
}
