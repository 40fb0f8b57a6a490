// Filters, order, and how many rows there are.

import { make, unlumino } from './dom.js'

const STATES = [['', 'all'], ['edited', 'edited'], ['conflict', 'conflicts'], ['looked at', 'looked at'], ['not looked at', 'not looked at'], ['flagged', 'flagged with a reason'], ['excluded', 'left out'], ['unlabelled', 'without labels']]

export class Bar {
  constructor(app) {
    Object.assign(this, { app, inputs: {} })
    this.text = make('input', { ...unlumino, type: 'search', class: 'eal-text', placeholder: 'Filter: file, source, class (/)', 'aria-label': 'Filter by file, source or class',
      oninput: () => this.soon({ text: this.text.value }), onkeydown: event => this.key(event) })
    this.sort = make('select', { ...unlumino, 'aria-label': 'Sort by', onchange: () => this.sortBy(this.sort.value) })
    this.descending = make('button', { ...unlumino, type: 'button', title: 'Change the order', onclick: () => app.query({ descending: !app.model.get('query').descending }) })
    this.problem = make('select', { ...unlumino, 'aria-label': 'Problems in the report', onchange: () => app.query({ problem: this.problem.value }) })
    this.flagged = make('input', { ...unlumino, type: 'checkbox', onchange: () => app.query({ flagged: this.flagged.checked }) })
    this.state = make('select', { ...unlumino, 'aria-label': 'Show', onchange: () => app.query({ state: this.state.value }) })
    this.size = make('input', { ...unlumino, type: 'range', min: 72, max: 320, step: 8, value: 136, 'aria-label': 'Size of thumbnails', title: 'Size of thumbnails', oninput: () => app.grid.resize(this.size.valueAsNumber) })
    this.sure = make('input', { ...unlumino, type: 'range', min: 0, max: 1, step: .01, 'aria-label': 'Least score of predictions', oninput: () => { this.sureWords(); this.soon({ threshold: this.sure.valueAsNumber }) } })
    this.sureText = make('output', {})
    this.scored = make('label', { hidden: true }, 'Score from ', this.sure, this.sureText)
    const toggle = (key, text) => make('label', {}, make('input', { ...unlumino, type: 'checkbox', checked: true, onchange: event => app.hide(key, !event.target.checked) }), text)
    this.toggles = make('span', { class: 'eal-toggles', hidden: true }, toggle('truth', 'Truth'), toggle('predicted', 'Predictions'), this.scored)
    this.problems = make('label', {}, 'Problems ', this.problem)
    this.boxes = this.range('boxes', 'Boxes')
    this.more = make('details', { class: 'eal-more' }, make('summary', { ...unlumino }, 'More filters'), make('div', { class: 'eal-filters' },
      this.boxes, this.range('size', 'Box size in px'), this.range('aspect', 'Width by height'), this.range('centre x', 'Centre x, 0 to 1'), this.range('centre y', 'Centre y, 0 to 1'), this.problems,
      make('p', { class: 'eal-quiet' }, 'A word of the filter may be anchored to the name of the file: ^ear_01 begins with it, _7$ ends with it.')))
    this.editing = make('button', { ...unlumino, type: 'button', title: 'Correct labels: a click on a picture opens it', 'aria-pressed': 'false', onclick: () => app.full.toggleEditing() }, '✎ Edit')
    this.status = make('span', { class: 'eal-status', role: 'status' })
    this.node = make('div', { class: 'eal-bar' }, this.text, make('label', {}, 'Sort ', this.sort), this.descending,
      make('label', {}, this.flagged, 'Flagged only'), make('label', {}, 'Show ', this.state), make('label', {}, 'Size ', this.size), this.toggles, this.editing, this.more, this.status)
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

  sureWords() { this.sureText.textContent = ` ${this.sure.valueAsNumber.toFixed(2)}` }

  facts({ sort, problems, predicted, scored, kind, labels }) {
    const options = names => names.map(([value, text]) => make('option', { value }, text))
    this.state.replaceChildren(...options(STATES))
    this.app.grid.bulk.labels(labels ?? [])
    this.scored.hidden = !scored
    this.sort.replaceChildren(...options(sort.map(name => [name, name])))
    this.problem.replaceChildren(...options([['', '–'], ['any', 'any'], ...problems.map(name => [name, name.replaceAll('_', ' ')])]))
    this.problems.hidden = !problems.length
    this.boxes.hidden = kind !== 'detector'
    this.toggles.hidden = !predicted
    this.renew()
  }

  renewEditing() {
    this.editing.hidden = this.app.model.get('editing') === undefined
    this.editing.setAttribute('aria-pressed', Boolean(this.app.model.get('editing')))
  }

  renew() { // what the query says, but not under the hands of who types
    const query = this.app.model.get('query'), focus = this.node.getRootNode().activeElement
    if (focus !== this.text) this.text.value = query.text
    this.sort.value = query.sort
    this.problem.value = query.problem
    this.flagged.checked = query.flagged
    this.state.value = query.state
    if (focus !== this.sure) this.sure.value = query.threshold
    this.renewEditing()
    this.sureWords()
    this.descending.textContent = query.descending ? '↓ Highest first' : '↑ Lowest first'
    for (const [key, inputs] of Object.entries(this.inputs)) {
      inputs.forEach((input, i) => { if (focus !== input) input.value = query[key][i] ?? '' })
    }
  }
}
