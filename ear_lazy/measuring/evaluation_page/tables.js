// Tables that sort, with a bar behind each share, and the confusion matrix. Keys: one stop of Tab each, arrows inside.

import { clamp, make, number, unlumino } from '../../looking/explorer_page/dom.js'

export function rove(event, rows) { // arrows among nodes in rows; a row may be shorter than the others
  const y = rows.findIndex(row => row.includes(event.target)), x = y < 0 ? -1 : rows[y].indexOf(event.target)
  const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -Infinity], End: [0, Infinity], PageUp: [-10, 0], PageDown: [10, 0] }[event.key]
  if (!by || y < 0) return
  const row = rows[clamp(y + by[0], 0, rows.length - 1)], next = row[clamp(x + by[1], 0, row.length - 1)]
  event.preventDefault()
  event.target.tabIndex = -1
  next.tabIndex = 0
  next.focus({ preventScroll: true })
  next.scrollIntoView({ block: 'nearest', inline: 'nearest' })
}

const markAll = (nodes, key) => { for (const o of nodes) o.setAttribute('aria-pressed', o.dataset.pick === key) }

export class SortedTable {
  constructor(table, pick) {
    Object.assign(this, { table, pick, by: table.by ?? 0, down: table.down ?? false })
    this.heads = table.columns.map((column, i) => make('th', { scope: 'col', class: i ? 'eav-right' : false }, make('button', { ...unlumino, type: 'button', title: column.title, onclick: () => this.sort(i) }, column.name)))
    this.body = make('tbody', { onkeydown: event => rove(event, [...this.body.rows].map(row => [...row.querySelectorAll('button')]).filter(row => row.length)), onclick: event => this.click(event) })
    this.rows = table.rows.map(row => ({ ...row, node: this.row(row) }))
    this.node = make('div', { class: 'eav-scroll' }, make('table', { class: 'eav-table', 'aria-label': table.name }, make('thead', {}, make('tr', {}, ...this.heads)), this.body))
    this.order()
  }

  row({ cells, pick }) {
    const [name, ...others] = cells, button = (words, o) => make('button', { ...unlumino, type: 'button', tabindex: -1, 'aria-pressed': 'false', 'data-pick': JSON.stringify(o), title: 'Show these' }, words)
    const shown = ({ words, note, pick: own }) => [own ? button(words, own) : make('span', {}, words), ...(note ? [' ', make('small', {}, note)] : [])]
    return make('tr', { class: pick ? 'eav-leads' : false }, make('th', { scope: 'row' }, pick ? button(name.words, pick) : name.words, ...(name.note ? [' ', make('small', {}, name.note)] : [])),
      ...others.map(o => make('td', { class: o.verdict ? `eav-${o.verdict}` : false, style: o.level == null ? false : `--level: ${clamp(o.level, 0, 1)}` }, ...shown(o))))
  }

  sort(i) {
    const words = typeof this.rows[0]?.cells[i].value === 'string'
    this.down = i === this.by ? !this.down : !words && i > 0
    this.by = i
    this.order()
  }

  order() { // what has no value is last, either way
    const { by, down } = this, value = o => o.cells[by].value ?? null
    const before = (a, b) => a === null || b === null ? (a === null) - (b === null) : (typeof a === 'string' ? a.localeCompare(b) : a - b) * (down ? -1 : 1)
    this.body.replaceChildren(...[...this.rows].sort((a, b) => before(value(a), value(b))).map(o => o.node))
    this.heads.forEach((o, i) => { i === by ? o.setAttribute('aria-sort', down ? 'descending' : 'ascending') : o.removeAttribute('aria-sort') })
    const buttons = [...this.body.querySelectorAll('button')]
    buttons.forEach((o, i) => { o.tabIndex = i ? -1 : 0 })
  }

  click(event) {
    if (!getSelection().isCollapsed) return // words are to be copied
    const node = event.target.closest('[data-pick]') ?? event.target.closest('tr')?.querySelector('[data-pick]')
    if (node) this.pick(JSON.parse(node.dataset.pick))
  }

  mark(key) { markAll(this.body.querySelectorAll('[data-pick]'), key) }
}

export class Matrix {
  constructor({ names, words: shown, cells, most, note }, pick) {
    this.pick = pick
    const last = names.length - 1, found = new Map(cells.map(([i, j, ...o]) => [i * names.length + j, o])), few = names.length <= 7
    const cell = (i, j) => {
      const [count, share, words] = found.get(i * names.length + j) ?? []
      return make('td', { ...unlumino, role: 'gridcell', tabindex: i || j ? -1 : 0, class: [i === j ? 'eav-right-one' : 'eav-wrong-one', i === last || j === last ? 'eav-nothing' : ''].join(' ').trim(), ...(count ? { 'data-pick': JSON.stringify({ confusion: [names[i], names[j]] }), 'aria-selected': 'false', style: `--share: ${share}`, title: words, 'aria-label': words } : { 'aria-label': `${shown[i]} as ${shown[j]}: none` }) },
        count ? number(count) : '')
    }
    const head = (name, i) => make('th', { scope: 'col', role: 'columnheader', title: name, class: i === last ? 'eav-nothing' : false }, make('span', {}, name))
    this.body = make('tbody', { onkeydown: event => this.key(event), onclick: event => this.choose(event.target.closest('td')) },
      ...shown.map((name, i) => make('tr', { role: 'row' }, make('th', { scope: 'row', role: 'rowheader', title: name, class: i === last ? 'eav-nothing' : false }, make('span', {}, name)), ...names.map((_, j) => cell(i, j)))))
    this.rows = [...this.body.rows].map(row => [...row.cells].slice(1))
    const table = make('table', { class: `eav-matrix${few ? ' eav-few' : ''}`, role: 'grid', 'aria-label': 'Confusion matrix: labelled in rows, predicted in columns' },
      make('thead', {}, make('tr', { role: 'row' }, make('td', { class: 'eav-corner' }, 'labelled ↓', make('br'), 'predicted →'), ...shown.map(head))), this.body)
    this.list = make('ul', { class: 'eav-most', 'aria-label': 'What goes wrong most often' }, ...most.map(([words, count, o, share]) => make('li', {}, make('button', { ...unlumino, type: 'button', 'aria-pressed': 'false', 'data-pick': JSON.stringify(o), onclick: () => pick(o), style: `--level: ${share}` }, make('span', {}, words), ' ', make('b', {}, number(count))))))
    this.node = make('div', { class: 'eav-confusion' }, make('div', {}, make('div', { class: 'eav-scroll' }, table), ...(note ? [make('p', { class: 'eav-quiet' }, note)] : [])),
      make('div', { class: 'eav-mistakes' }, make('strong', {}, 'Most often wrong'), most.length ? this.list : make('p', { class: 'eav-quiet' }, 'Nothing is wrong.')))
  }

  choose(node) { if (node?.dataset.pick) this.pick(JSON.parse(node.dataset.pick)) }

  key(event) {
    if (!['Enter', ' '].includes(event.key)) return rove(event, this.rows)
    this.choose(event.target)
    event.preventDefault()
  }

  mark(key) {
    this.marked?.setAttribute('aria-selected', 'false') // one cell of thousands
    this.marked = this.rows.flat().find(o => o.dataset.pick === key)
    this.marked?.setAttribute('aria-selected', 'true')
    markAll(this.list.querySelectorAll('button'), key)
  }
}
