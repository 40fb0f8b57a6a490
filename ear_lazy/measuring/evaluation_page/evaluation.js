// How good a model is: numbers, curves, classes, confusion and slices. A click on any of them shows its rows in the explorer below.
// The kernel says what stands where, and what each place leads to (its `pick`, which goes back to the kernel as it came).

import { App } from '../../looking/explorer_page/app.js'
import { make, unique, unlumino } from '../../looking/explorer_page/dom.js'
import { Wire } from '../../looking/explorer_page/wire.js'
import { Chart } from './charts.js'
import { Matrix, SortedTable } from './tables.js'

const VERDICT_SIGNS = { better: '▲ ', worse: '▼ ' }

class EvaluationWire extends Wire {
  hello() { this.ask({ type: 'evaluation' }) }
}

class EvaluationPage {
  constructor(model, host) {
    Object.assign(this, { model, parts: [], id: `eav${unique()}`, picked: '' })
    this.pick = this.pick.bind(this)
    this.title = make('div', { class: 'eav-title' })
    this.numbers = make('div', { class: 'eav-numbers', role: 'group', 'aria-label': 'Numbers' })
    this.tabs = make('div', { class: 'eav-tabs', role: 'tablist', 'aria-label': 'Parts of the evaluation', onkeydown: event => this.tabKey(event) })
    this.choices = make('div', { class: 'eav-by' })
    this.panel = make('div', { class: 'eav-panel', role: 'tabpanel', id: `${this.id}p` })
    this.words = make('span', { role: 'status' })
    this.all = make('button', { ...unlumino, type: 'button', onclick: () => this.pick({ all: true }) }, 'All')
    this.fold = make('button', { ...unlumino, type: 'button', title: 'Hide the pictures', onclick: () => this.hideRows() }, 'Hide')
    this.line = make('div', { class: 'eav-line', hidden: true }, this.words, this.all, this.fold)
    this.rows = make('div', { class: 'eav-rows', hidden: true })
    this.kernel = make('div', { class: 'eal-kernel', role: 'status' })
    this.root = make('div', { class: 'eav', role: 'region', 'aria-label': 'Evaluation', ...unlumino }, this.title, this.numbers, make('div', { class: 'eav-strip' }, this.tabs, this.choices), this.panel, this.kernel, this.line, this.rows)
    for (const name of ['keydown', 'keypress', 'keyup']) this.root.addEventListener(name, event => event.stopPropagation()) // none goes on to the notebook
    host.append(this.root)
    this.wire = new EvaluationWire(model, { received: message => this.received(message), status: text => { if (!this.app) this.kernel.textContent = text } })
    this.wire.hello()
  }

  close() {
    this.clear()
    this.wire.close()
    this.app?.close()
  }

  clear() { for (const part of this.parts.splice(0)) part.close?.() }

  received(message) {
    if (message.type === 'evaluation') this.show(message.of)
    else if (message.type === 'slices') this.showSlices(message.of)
    else if (message.type === 'curves' && message.class === this.class && this.key === 'curves') this.drawCurves(message.curves)
    else if (message.error) this.say(message.error)
    if (message.shown) this.showRows(message.shown)
  }

  // --- what stands where

  show(of) {
    this.of = of
    this.title.replaceChildren(make('strong', {}, of.title), ...of.facts.map(o => make('span', {}, o)), ...(of.names ?? []).map((name, i) => make('span', { class: `eav-key eav-of-${i ? 0 : 'before'}` }, name)),
      make('span', { class: 'eav-gains' }, ...(of.gains ?? []).map(({ words, verdict, title, pick }) => make('button', { ...unlumino, type: 'button', class: `eav-gain eav-${verdict}`, title, 'aria-pressed': 'false', 'data-pick': JSON.stringify(pick), onclick: () => this.pick(pick) }, VERDICT_SIGNS[verdict], words))))
    this.numbers.classList.toggle('eav-compared', Boolean(of.names))
    this.numbers.replaceChildren(...of.numbers.map(o => this.tile(o)))
    this.all.textContent = `All ${of.what}`
    const parts = [of.curves.length && ['curves', 'Curves'], ...of.tables.map((o, i) => [i, o.name]), of.confusion && ['confusion', 'Confusion'], of.columns.length && ['slices', 'Slices']].filter(Boolean)
    this.tabs.replaceChildren(...parts.map(([key, name]) => make('button', { ...unlumino, type: 'button', role: 'tab', id: `${this.id}-${key}`, 'aria-controls': this.panel.id, onclick: () => this.open(key) }, name)))
    this.keys = parts.map(([key]) => key)
    this.open(this.keys.includes(this.key) ? this.key : this.keys[0])
  }

  tile({ name, words, caption, title, pick, level, was, change }) {
    const inside = [make('span', { class: 'eav-label' }, name), make('span', { class: 'eav-value' }, ...(was == null ? [] : [make('s', {}, make('span', { class: 'eav-hidden-words' }, 'was '), was), ' ']), words),
      ...(change ? [make('span', { class: `eav-change eav-${change.verdict}` }, VERDICT_SIGNS[change.verdict] ?? '', change.words, ' ', make('small', {}, change.interval))] : []), ...(caption ? [make('span', { class: 'eav-caption' }, caption)] : []), ...(level == null ? [] : [make('span', { class: 'eav-meter', style: `--level: ${level}` })])]
    const main = pick ? make('button', { ...unlumino, type: 'button', title, 'aria-pressed': 'false', 'data-pick': JSON.stringify(pick), onclick: () => this.pick(pick) }, ...inside) : make('div', { title, class: 'eav-plain' }, ...inside)
    return make('div', { class: 'eav-tile' }, main)
  }

  open(key) {
    this.key = key
    for (const [i, tab] of [...this.tabs.children].entries()) {
      tab.setAttribute('aria-selected', this.keys[i] === key)
      tab.tabIndex = this.keys[i] === key ? 0 : -1
    }
    this.clear()
    this.choices.replaceChildren()
    const { of, pick } = this
    if (!this.keys.length) return this.panel.replaceChildren(make('p', { class: 'eav-quiet' }, 'Nothing to show.'))
    this.panel.setAttribute('aria-labelledby', `${this.id}-${key}`)
    if (key === 'curves') {
      this.charts = make('div', { class: 'eav-charts' })
      this.panel.replaceChildren(this.charts)
      if (of.classes.length) this.choice('Curves of ', [['', 'all classes'], ...of.classes], '', value => { this.class = value; this.wire.ask({ type: 'curves', class: value }) })
      this.class = ''
      this.drawCurves(of.curves)
    } else if (key === 'confusion') this.put(new Matrix(of.confusion, pick))
    else if (key === 'slices') this.openSlices()
    else this.put(new SortedTable(of.tables[key], pick), of.tables[key].note)
    this.mark()
  }

  choice(words, options, value, choose) {
    const select = make('select', { ...unlumino, id: `${this.id}s`, onchange: () => choose(select.value) }, ...options.map(([key, text]) => make('option', { value: key }, text)))
    select.value = value
    this.choices.replaceChildren(make('label', { for: select.id }, words), select)
  }

  drawCurves(curves) {
    this.clear()
    this.parts = curves.map(o => new Chart(o, this.pick))
    this.charts.replaceChildren(...this.parts.map(o => o.node))
    this.mark()
  }

  put(part, note) {
    this.parts = [part]
    this.panel.replaceChildren(part.node, ...(note ? [make('p', { class: 'eav-quiet' }, note)] : []))
  }

  openSlices() {
    const { columns } = this.of
    this.column = columns.includes(this.column) ? this.column : columns[0]
    this.slices = make('div', { class: 'eav-slices' }, make('p', { class: 'eav-quiet' }, '…'))
    this.panel.replaceChildren(this.slices)
    this.choice('Slices by ', columns.map(o => [o, o]), this.column, value => { this.column = value; this.wire.ask({ type: 'slices', by: value }) })
    this.wire.ask({ type: 'slices', by: this.column })
  }

  showSlices({ by, table, error }) {
    if (this.key !== 'slices' || by !== this.column) return
    this.parts = table ? [new SortedTable(table, this.pick)] : []
    this.slices.replaceChildren(...(table ? [this.parts[0].node, ...(table.note ? [make('p', { class: 'eav-quiet' }, table.note)] : [])] : [make('p', { class: 'eav-quiet' }, error)]))
    this.mark()
  }

  tabKey(event) {
    const n = this.keys.length, at = this.keys.indexOf(this.key), to = { ArrowRight: at + 1, ArrowLeft: at - 1 + n, Home: 0, End: n - 1 }[event.key]
    if (to === undefined) return
    this.open(this.keys[to % n])
    this.tabs.children[to % n].focus()
    event.preventDefault()
  }

  // --- its rows

  pick(pick) { this.wire.ask({ type: 'pick', pick }) }

  mark() {
    for (const part of this.parts) part.mark(this.picked)
    for (const o of [...this.title.querySelectorAll('[data-pick]'), ...this.numbers.querySelectorAll('[data-pick]')]) o.setAttribute('aria-pressed', o.dataset.pick === this.picked)
  }

  showRows({ pick, words }) {
    this.picked = JSON.stringify(pick)
    this.words.textContent = words
    this.all.hidden = Boolean(pick.all)
    this.line.hidden = this.rows.hidden = false
    this.mark()
    this.app ??= new App(this.model, this.rows)
    this.kernel.textContent = '' // the explorer has a line of its own
    this.rows.scrollIntoView({ block: 'nearest' }) // all of the pictures, with as much above them as fits
  }

  say(error) { // what the kernel cannot show
    this.words.textContent = error
    this.all.hidden = this.line.hidden = false
  }

  hideRows() {
    this.line.hidden = this.rows.hidden = true
    this.picked = ''
    this.mark()
    this.tabs.querySelector('[aria-selected=true]')?.focus()
  }
}

export default {
  render({ model, el }) {
    const page = new EvaluationPage(model, el)
    return () => page.close()
  },
}
