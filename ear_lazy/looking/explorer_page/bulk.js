// Several rows corrected at once, from the grid.

import { make, number, unlumino } from './dom.js'

export class Bulk {
  constructor(app, grid) {
    Object.assign(this, { app, grid })
    const button = (text, title, act) => make('button', { ...unlumino, type: 'button', title, onclick: act }, text)
    this.count = make('strong', {})
    this.label = make('select', { ...unlumino, 'aria-label': 'Class for the selected rows', onchange: () => this.classify() })
    this.classes = make('label', {}, 'Class ', this.label)
    this.asking = make('span', { class: 'eal-asking', role: 'group', 'aria-label': 'Delete?', hidden: true })
    this.words = make('span', { class: 'eal-quiet', role: 'status' })
    this.choices = make('span', { class: 'eal-tools' }, this.classes, button('✓ Right', 'Looked at and right (R)', () => this.act({ op: 'ok' }, 'looked at and right')),
      button('Delete…', 'Delete the objects of the selected rows (Del)', () => this.confirm()), button('⊘ Leave out', 'Leave the photos out (X)', () => this.act({ op: 'exclude' }, 'left out')))
    this.node = make('div', { class: 'eal-bar eal-editing eal-bulk', role: 'toolbar', 'aria-label': 'Selected rows', hidden: true }, this.count, this.choices, this.asking,
      button('↶ Undo', 'Undo (Ctrl+Z)', () => this.step('undo')), button('↷ Redo', 'Redo (Ctrl+Shift+Z)', () => this.step('redo')), button('Clear', 'Select nothing (Esc)', () => app.select([])), this.words)
  }

  get on() { return Boolean(this.app.model.get('editing')) }

  labels(names) {
    this.label.replaceChildren(make('option', { value: '' }, '…'), ...names.filter(Boolean).map(value => make('option', { value }, value)))
    this.classes.hidden = !names.some(Boolean)
  }

  renew() { // called whenever rows are chosen
    const n = this.app.selected.size, was = this.node.hidden
    this.node.hidden = !this.on || !n || !this.app.full.node.hidden
    this.count.textContent = `${number(n)} row${n === 1 ? '' : 's'}`
    if (this.asked !== n) this.forgive()
    if (was !== this.node.hidden) this.grid.layout()
  }

  forgive() { this.asked = undefined; this.asking.hidden = true; this.choices.hidden = false }

  confirm() { // the one question before something is deleted
    const n = this.app.selected.size, what = `Delete all objects of ${n === 1 ? 'this row' : `these ${number(n)} rows`}?`
    const yes = make('button', { ...unlumino, type: 'button', class: 'eal-yes', onclick: () => { this.forgive(); this.act({ op: 'delete' }, 'objects deleted') } }, 'Delete')
    const no = make('button', { ...unlumino, type: 'button', onclick: () => { this.forgive(); this.grid.layer.focus({ preventScroll: true }) } }, 'Keep')
    this.asked = n
    this.asking.replaceChildren(what, ' ', yes, ' ', no)
    this.asking.hidden = false
    this.choices.hidden = true
    yes.focus()
  }

  classify() {
    const label = this.label.value
    this.label.value = ''
    if (label) this.act({ op: 'label', label }, `class ${label}`)
  }

  act(action, words) {
    const rows = [...this.app.selected].sort((a, b) => a - b)
    if (!this.on || !rows.length) return
    this.words.textContent = 'saving…'
    this.app.wire.ask({ type: 'bulk', rows, action }, answer => this.answered(answer, `${words}: ${number(rows.length)} row${rows.length === 1 ? '' : 's'}`, rows))
    this.grid.layer.focus({ preventScroll: true })
  }

  step(type) {
    this.app.wire.ask({ type }, answer => this.answered(answer, answer.words ?? type, [...this.grid.tiles.keys()]))
    this.grid.layer.focus({ preventScroll: true })
  }

  answered({ error, saved, words: said }, words, rows) {
    this.words.textContent = error ? `Not done: ${error}` : `${said || words}${saved ? `, saved ${saved}` : ''}`
    this.node.classList.toggle('eal-wrong', Boolean(error))
    this.grid.forget(rows)
  }

  key(event) { // true if it was taken; those of the grid itself come after
    if (!this.on) return false
    const ctrl = event.ctrlKey || event.metaKey, key = event.key.length === 1 ? event.key.toLowerCase() : event.key
    if (ctrl && !event.altKey && (key === 'z' || key === 'y')) { this.step(key === 'y' || event.shiftKey ? 'redo' : 'undo'); return true }
    if (ctrl || event.altKey || !this.app.selected.size) return false
    if (key === 'Delete') this.confirm()
    else if (key === 'c') this.label.focus()
    else if (key === 'r') this.act({ op: 'ok' }, 'looked at and right')
    else if (key === 'x') this.act({ op: 'exclude' }, 'left out')
    else return false
    return true
  }
}
