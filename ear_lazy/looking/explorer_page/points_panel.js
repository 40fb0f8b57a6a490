// Beside the photo: the points of the chosen set as a checklist, and the menu of what can be done with a set.

import { clamp, focusable, make, unique, unlumino } from './dom.js'

const MOST_OPTIONS = 300 // of the checklist at a time: those around the active point
const SIGNS = { 0: '○', 1: '◐', 2: '●' }, POINT_WORDS = { 0: 'not placed', 1: 'hidden', 2: 'visible' }

export class PointPanel {
  constructor(tools) {
    Object.assign(this, { tools, id: `eal${unique()}`, options: new Map() })
    const button = (text, title, act, attributes = {}) => make('button', { ...unlumino, type: 'button', title, ...attributes, onclick: () => { act(); this.focusStage() } }, text)
    this.states = Object.fromEntries([[2, 'Visible', 'V'], [1, 'Hidden', 'Q or /'], [0, 'None', 'O']].map(([v, text, key]) =>
      [v, button(`${SIGNS[v]} ${text}`, `${v ? text : 'Unlabelled'} (${key})`, () => tools.see(v), { 'aria-pressed': 'false' })]))
    this.skip = button('Skip', 'Leave a hole and go on (S)', () => tools.skip())
    this.count = make('p', { class: 'eal-count' })
    this.list = make('div', { ...focusable, class: 'eal-checklist', role: 'listbox', 'aria-label': 'Points of the set' })
    this.list.addEventListener('keydown', event => this.listKey(event))
    this.list.addEventListener('click', event => { const o = event.target.closest('[role=option]'); if (o) { this.choose(o.dataset.i); this.focusStage() } })
    this.checks = Object.fromEntries([['numbers', 'Numbers', 'I'], ['alone', 'Only the contour of the active point', 'X'], ['framed', 'Frame', 'R'], ['magnifier', 'Magnifier', 'G']].map(([name, text, key]) =>
      [name, make('input', { ...unlumino, type: 'checkbox', title: `${text} (${key})`, onchange: () => this.toggle(name) })]))
    this.factor = make('input', { ...unlumino, type: 'range', min: 4, max: 8, step: 1, value: tools.lens.factor, 'aria-label': 'How much the magnifier enlarges', oninput: () => this.enlarge(this.factor.valueAsNumber) })
    this.times = make('span', {})
    const check = (name, text) => make('label', {}, this.checks[name], text)
    this.node = make('div', { class: 'eal-points', role: 'group', 'aria-label': 'Keypoints' },
      make('div', { class: 'eal-row' }, this.count, this.skip),
      make('div', { class: 'eal-row eal-states', role: 'group', 'aria-label': 'Active point' }, ...[2, 1, 0].map(v => this.states[v])), this.list,
      make('div', { class: 'eal-row eal-view' }, check('numbers', 'Numbers'), check('framed', 'Frame'), check('magnifier', 'Magnifier'), check('alone', 'One contour'), make('span', {}, this.factor, this.times)))
    this.enlarge(tools.lens.factor)
    this.menu = make('div', { class: 'eal-menu', role: 'menu', 'aria-label': 'Keypoints', hidden: true })
    this.menu.addEventListener('keydown', event => this.menuKey(event))
    this.menu.addEventListener('focusout', event => { if (!this.menu.contains(event.relatedTarget)) this.closeMenu(false) })
    tools.editor.full.node.append(this.menu)
  }

  focusStage() { this.tools.editor.full.stage.focus({ preventScroll: true }) }

  renew() { // only what has changed
    const { tools } = this, { active, placing } = tools, points = placing ? tools.replaced(placing) : tools.points, next = placing ? placing.next : active
    const labelled = points.filter(o => o[2]).length, hidden = points.filter(o => o[2] === 1).length
    const words = [`${labelled} of ${points.length} placed`, hidden && `${hidden} hidden`, placing && `next ${placing.next}`].filter(Boolean).join(', ')
    if (this.count.textContent !== words) this.count.textContent = words
    for (const [v, node] of Object.entries(this.states)) node.setAttribute('aria-pressed', next != null && points[next]?.[2] === +v)
    const contours = tools.contours().length > 1
    this.checks.alone.parentNode.hidden = !contours
    for (const [name, value] of Object.entries({ numbers: tools.numbers, alone: tools.alone, framed: tools.set && tools.framed(tools.set), magnifier: tools.lens.on })) this.checks[name].checked = Boolean(value)
    this.renewList(points, next)
    return this.node
  }

  renewList(points, active) {
    const first = clamp((active ?? 0) - MOST_OPTIONS / 2, 0, Math.max(0, points.length - MOST_OPTIONS)), last = Math.min(points.length, first + MOST_OPTIONS)
    const wanted = ['all', ...Array.from({ length: last - first }, (_, k) => first + k)], { tools } = this, skipped = tools.skips()
    const shown = `${tools.set?.key} ${wanted[1]} ${wanted.length}`
    if (shown !== this.shown) {
      this.shown = shown
      this.options = new Map(wanted.map(i => [i, make('div', { id: `${this.id}-${i}`, role: 'option', 'data-i': i, 'aria-selected': 'false' })]))
      this.list.replaceChildren(...this.options.values())
    }
    const names = tools.scheme().points ?? [], run = tools.alone ? tools.run : null
    for (const [i, node] of this.options) {
      const state = i === 'all' ? 'Whole set' : `${SIGNS[points[i][2]]} ${i}${names[i] && names[i] !== `${i}` ? ` ${names[i]}` : ''}${points[i][2] ? '' : skipped.has(i) ? ' – skipped' : ''}`
      if (node.textContent !== state) {
        node.textContent = state
        if (i !== 'all') node.setAttribute('aria-label', `${i}${names[i] && names[i] !== `${i}` ? `, ${names[i]}` : ''}: ${points[i][2] || !skipped.has(i) ? POINT_WORDS[points[i][2]] : 'skipped'}`)
      }
      node.classList.toggle('eal-dim', Boolean(run && i !== 'all' && (i < run[0] || i >= run[1])))
      if ((i === (active ?? 'all')) !== (node.ariaSelected === 'true')) node.setAttribute('aria-selected', i === (active ?? 'all'))
    }
    const node = this.options.get(active ?? 'all')
    if (!node || node === this.seen) return
    this.seen = node
    this.list.setAttribute('aria-activedescendant', node.id)
    const { scrollTop, clientHeight } = this.list
    if (node.offsetTop < scrollTop || node.offsetTop + node.offsetHeight > scrollTop + clientHeight) this.list.scrollTop = node.offsetTop - clientHeight / 2
  }

  choose(i) {
    const { tools } = this, { placing } = tools, at = i === 'all' ? null : +i
    if (placing && at != null && at >= placing.range[0] && at < placing.range[1]) tools.toPoint(placing, at)
    else if (!placing) tools.activate(at)
  }

  listKey(event) {
    const { tools } = this, n = tools.points.length, at = tools.active
    const to = { ArrowDown: at == null ? 0 : Math.min(n - 1, at + 1), ArrowUp: at ? at - 1 : 'all', Home: 'all', End: n - 1 }[event.key]
    if (to === undefined || event.ctrlKey || event.altKey || event.metaKey) return
    this.choose(to)
    event.preventDefault()
    event.stopPropagation()
  }

  enlarge(factor) {
    this.tools.lens.factor = factor
    this.times.textContent = `${factor} ×`
  }

  toggle(name) {
    const { tools } = this, { editor } = tools
    if (name === 'framed') { if (tools.set) tools.frames.set(tools.set.key, !tools.framed(tools.set)) }
    else if (name === 'magnifier') { tools.lens.on = !tools.lens.on; tools.lens.hide() }
    else tools[name] = !tools[name]
    const on = name === 'framed' ? tools.set && tools.framed(tools.set) : name === 'magnifier' ? tools.lens.on : tools[name]
    editor.say({ numbers: on ? 'numbers shown' : 'no numbers', alone: on ? `only ${tools.contourName(tools.run)}` : 'all contours', framed: on ? 'frame shown' : 'no frame', magnifier: on ? 'magnifier on' : 'magnifier off' }[name])
    tools.refresh()
  }

  // --- the menu

  items() { // [key, words, what it does, whether the menu stays]
    const { tools } = this, set = tools.set && tools.points.some(o => o[2]), several = tools.contours().length > 1, { chosen } = tools.editor
    const pairs = tools.scheme().flip_pairs?.length
    return [
      ...(set ? [
        ['M', pairs ? 'Mirror, with left and right points' : 'Mirror', () => tools.mirror()],
        ['W', pairs ? 'Swap left and right points' : 'Swap left and right: every contour from its other end', () => tools.swapSides()],
        ...(several ? [['R', `Reverse the numbering of ${tools.contourName(tools.run)}`, () => tools.reverse(tools.run)]] : []),
        [several ? 'A' : 'R', 'Reverse the numbering of all points', () => tools.reverseAll()],
        ['C', `Place ${tools.contourName(tools.run)} anew`, () => tools.place({ run: tools.run })],
        ['+', 'Enlarge by 5 %', () => tools.scaleBy(1.05), true], ['-', 'Make smaller by 5 %', () => tools.scaleBy(1 / 1.05), true],
        ['>', 'Turn clockwise by 5°', () => tools.turnBy(5), true], ['<', 'Turn counterclockwise by 5°', () => tools.turnBy(-5), true],
        ['N', 'Begin anew from the mean shape', () => tools.fromMean()],
      ] : [
        ['N', chosen?.box ? 'Mean shape into this box' : 'New set: mean shape in a frame that you drag', () => tools.fromMean()],
        ['E', 'New set by clicks', () => tools.empty()],
      ]),
      ['B', set ? 'New set: copy from the photo before' : 'Copy from the photo before', () => tools.copyForward()],
    ]
  }

  openMenu() {
    const { stage } = this.tools.editor.full
    const item = ([key, words, act, stays]) => make('button', { ...unlumino, type: 'button', role: 'menuitem', tabindex: -1, 'data-press': key, onclick: () => this.do(act, stays) }, words, make('kbd', {}, key))
    this.menu.replaceChildren(...this.items().map(item))
    this.menu.hidden = false
    this.menu.style.top = `${stage.offsetTop + 8}px`
    this.menu.style.left = `${Math.max(8, stage.offsetLeft + stage.clientWidth - this.menu.offsetWidth - 8)}px`
    this.menu.style.maxHeight = `${stage.clientHeight - 16}px`
    requestAnimationFrame(() => this.menu.firstChild?.focus({ preventScroll: true })) // after the button that opened it gave the focus away
  }

  do(act, stays) {
    if (!stays) this.closeMenu()
    act()
  }

  closeMenu(back = true) {
    if (this.menu.hidden) return
    this.menu.hidden = true
    if (back) this.focusStage()
  }

  menuKey(event) {
    event.stopPropagation()
    if (event.ctrlKey || event.altKey || event.metaKey) return
    const items = [...this.menu.children], at = items.indexOf(event.target), n = items.length
    const to = { ArrowDown: (at + 1) % n, ArrowUp: (at + n - 1) % n, Home: 0, End: n - 1 }[event.key], letter = items.find(o => o.dataset.press === event.key.toUpperCase())
    if (to !== undefined) items[to].focus()
    else if (event.key === 'Escape' || event.key === 'Tab') this.closeMenu()
    else if (letter) letter.click()
    else return
    event.preventDefault()
  }
}
