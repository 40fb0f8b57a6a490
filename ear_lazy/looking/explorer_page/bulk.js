// Several rows corrected at once, from the grid.

import { make, number, unlumino } from './dom.js'
import { chord, registerKeys, registerScope } from './edit.js'

export class Bulk {
  constructor(app, grid) {
    Object.assign(this, { app, grid, words: make('span', { class: 'eal-quiet', role: 'status' }) })
    const button = (text, title, act) => make('button', { ...unlumino, type: 'button', title, onclick: act }, text)
    this.count = make('strong', {})
    this.label = make('select', { ...unlumino, 'aria-label': 'Class for the selected rows', onchange: () => this.classify() })
    this.classes = make('label', {}, 'Class ', this.label)
    this.asking = make('span', { class: 'eal-asking', role: 'group', 'aria-label': 'Delete?', hidden: true })
    this.choices = make('span', { class: 'eal-tools' }, this.classes, button('✓ Right', 'Looked at and right (R)', () => this.act({ op: 'ok' }, 'looked at and right')),
      button('Delete…', 'Delete the objects of the selected rows (Del)', () => this.confirm()), button('⊘ Leave out', 'Leave the photos out (X)', () => this.act({ op: 'exclude' }, 'left out')))
    this.node = make('div', { class: 'eal-bar eal-editing eal-bulk', role: 'toolbar', 'aria-label': 'Selected rows', hidden: true, onkeydown: event => this.escape(event) }, this.count, this.choices, this.asking,
      button('↶ Undo', 'Undo (Ctrl+Z)', () => this.step('undo')), button('↷ Redo', 'Redo (Ctrl+Shift+Z)', () => this.step('redo')), button('Clear', 'Select nothing (Esc)', () => app.select([])), this.words)
  }

  get on() { return Boolean(this.app.model.get('editing')) }

  labels(names) {
    this.label.replaceChildren(make('option', { value: '' }, '…'), ...names.filter(Boolean).map(value => make('option', { value }, value)))
    this.classes.hidden = !names.some(Boolean)
  }

  renew() { // called whenever rows are chosen
    const was = this.node.hidden, n = this.on && this.app.full.node.hidden ? this.rows().length : 0, more = this.app.selected.size - n
    this.node.hidden = !n
    this.count.textContent = `${number(n)} row${n === 1 ? '' : 's'}${n && more ? `, not the ${number(more)} that ${more === 1 ? 'is' : 'are'} filtered out` : ''}`
    if (this.asked !== n) this.forgive()
    if (was !== this.node.hidden) this.grid.layout()
  }

  rows() { // what is selected and shown: nothing is done to what nobody sees
    const { selected, view, all } = this.app
    if (!selected.size || view.length === all) return [...selected].sort((a, b) => a - b)
    if (this.view !== view) Object.assign(this, { view, shown: new Set(view) })
    return [...selected].filter(o => this.shown.has(o)).sort((a, b) => a - b)
  }

  escape(event) {
    if (event.key !== 'Escape') return
    if (this.asked === undefined) this.app.select([])
    this.forgive()
    this.grid.layer.focus({ preventScroll: true })
    event.preventDefault()
  }

  forgive() { this.asked = undefined; this.asking.hidden = true; this.choices.hidden = false }

  confirm() { // the one question before something is deleted
    const n = this.rows().length, what = `Delete all objects of ${n === 1 ? 'this row' : `these ${number(n)} rows`}?`
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
    const rows = this.rows()
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
    const pressed = chord(event), action = this.app.edit.keys().find(o => o.name === 'grid').actions.find(o => o.keys.includes(pressed))
    return Boolean(action) && action.act(this) !== false
  }
}

const ofRows = act => bulk => bulk.rows().length ? act(bulk) : false

registerScope({ name: 'grid', words: 'In the grid, while editing', applies: () => false }, 'full')
registerKeys('grid', {
  class: { keys: 'C', words: 'class of the selected rows', act: ofRows(o => o.label.focus()) },
  right: { keys: 'R', words: 'looked at and right', act: ofRows(o => o.act({ op: 'ok' }, 'looked at and right')) },
  delete: { keys: 'Delete', words: 'delete the objects of the selected rows', act: ofRows(o => o.confirm()) },
  exclude: { keys: 'X', words: 'leave the photos out', act: ofRows(o => o.act({ op: 'exclude' }, 'left out')) },
  undo: { keys: 'Ctrl+Z', words: 'undo', act: o => o.step('undo') },
  redo: { keys: ['Ctrl+Shift+Z', 'Ctrl+Y'], words: 'redo', act: o => o.step('redo') },
  more: { keys: ['Shift+ArrowRight', 'Shift+ArrowDown', 'Space'], words: 'select more rows', act: () => false },
  keys: { keys: '?', words: 'all keys', act: o => o.app.full.panel.help() },
})
