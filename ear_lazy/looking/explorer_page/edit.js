// Editing in the full view: the objects of a photo, what is chosen, what was done and is not yet saved, and who gets pointers and keys.
//
// How a kind of mark is built on it (see boxes.js):
//
// registerTool(tool), once, where its module is read. `at` is [x, y] in pixels of the upright photo, `reach` what counts as near, in the same.
//   name        unique; drawn in the order in which they are registered, asked in the opposite one
//   of(object)  whether it draws and edits this object; an object may have a box and points, and so several tools
//   draw(g, object, editor)   makes the nodes in the SVG group `g` the first time, and moves them after: keep them as `g.parts`. Photo pixels;
//               widths as calc(2px / var(--z)). `editor.selected === object.key` tells whether it is chosen, `editor.point` the active point.
//               It is called at every step of a drag: change only what moved.
//   hit(object, at, reach, editor)   undefined, or { part, rank, size, cursor, tip }: rank 0 is on a line or a point, 1 inside; of equals the
//               smaller `size` comes first. `part` is yours.
//   grab(object, hit, at, event, editor)   what a drag of the chosen object does: { move(at, event), end(at, event), cancel() } or undefined.
//               `move` calls editor.preview(key, now), `end` calls editor.act(…). A press that does not move is a click: it goes to `click`.
//   click(object, hit, at, event, editor)   optional; true if that was all, else a click chooses the next object below it
//   bounds(object)   [x, y, width, height], for fitting, pasting and nudging
//   moved(object, dx, dy)    what `now` is after a move: arrows, duplicating
//   panel(object, editor)    optional; a node for the side while such an object is chosen
//   buttons     optional; [{ words, title, act(editor), pressed(editor), shown(editor) }] of the tool bar; the last two optional
//
// registerKeys(scope, { name: { keys: 'N' or ['Ctrl+C', …], words, act(editor, event), once } }). An act that returns false leaves the key to the next
//   scope. Scopes, first to last: 'mode' (editor.mode runs), 'points', 'box', 'object' (one is chosen), 'edit', 'full'. A new one:
//   registerScope({ name, words, applies(editor) }, before). Keys are written as chord() makes them: 'Ctrl+Shift+Z', 'Alt+ArrowLeft', '?', '1'.
//
// Editor (app.edit): objects (as they are shown, with what is not yet saved), find(key), selected, point, select(key, point), photo (`edit` of the
//   protocol), labels, schemes, size [height, width], label (class of what is drawn next), row, round(value), clip(at), reach(event).
//   act(actions, words)   sends them as one step of undo and shows them at once; the answer replaces the state; an error is said, and what is true
//                         shown again. Returns the keys of what is added (they become the kernel's when it answers).
//   preview(key, now)     shows a change that is not made; preview() takes it back.   hold(key, now, words)   one action once 0.5 s are quiet.
//   begin(mode), finish() a mode gets pointers and keys before all else: { name, words, cursor, down(at, event) → drag or true, hover(at, event),
//                         end(), draw(g), panel() → a node for the side }.   say(words), fail(words)   what is read out.   redraw(key)

import { clamp, shape, unique } from './dom.js'

const QUIET = 500 // ms after the last nudge until it is sent
const SLACK = 4 // CSS pixels that a click may move
const TOOLS = [], KEYS = new Map()
const SCOPES = [
  { name: 'mode', words: 'While drawing', applies: editor => editor.mode },
  { name: 'points', words: 'With keypoints selected', applies: editor => editor.chosen?.points },
  { name: 'box', words: 'With a box selected', applies: editor => editor.chosen?.box },
  { name: 'object', words: 'With an object selected', applies: editor => editor.chosen },
  { name: 'edit', words: 'While editing', applies: editor => editor.on },
  { name: 'full', words: 'Full view', applies: () => true },
]

export function registerTool(tool) { TOOLS.push(tool) }

export function registeredTools() { return TOOLS }

export function registerKeys(scope, map) { KEYS.set(scope, { ...KEYS.get(scope), ...map }) }

export function registerScope(scope, before = 'edit') { SCOPES.splice(SCOPES.findIndex(o => o.name === before), 0, scope) }

export function chord(event) { // how a key is written
  const letter = event.key.length === 1 && event.key !== ' ', key = letter ? event.key.toUpperCase() : event.key
  const shifted = event.shiftKey && (!letter || key !== key.toLowerCase()) // the shift of a sign such as ? is part of it
  return [(event.ctrlKey || event.metaKey) && 'Ctrl', event.altKey && 'Alt', shifted && 'Shift', key === ' ' ? 'Space' : key].filter(Boolean).join('+')
}

export function keysOf(own = {}) { // [{ scope, words, actions: [{ name, keys, words, act }] }]: the defaults, and instead of them what the user has set
  return SCOPES.map(scope => ({
    ...scope,
    actions: Object.entries(KEYS.get(scope.name) ?? {}).map(([name, action]) => ({ ...action, name, keys: [own[scope.name]?.[name] ?? action.keys].flat() })),
  })).filter(scope => scope.actions.length)
}

export class Editor {
  constructor(app, full) {
    Object.assign(this, { app, full, queue: [], ours: new Map(), groups: new Map(), objects: [], hidden: new Set(), veiled: false, history: {}, label: undefined })
    this.clear()
    this.layer = shape('g', {})
    this.above = shape('g', { class: 'eal-above' }) // what a mode draws
    this.root = shape('g', {})
    this.root.append(this.layer, this.above)
    this.node = shape('svg', { class: 'eal-over', 'aria-hidden': 'true' })
    this.node.append(this.root)
  }

  clear() { Object.assign(this, { photo: undefined, truth: undefined, selected: null, point: null, mode: null, shown: null }) }

  get on() { return Boolean(this.app.model.get('editing')) && Boolean(this.photo) }

  get waits() { return this.on && this.full.wanted !== undefined && this.full.wanted.row !== this.row } // for the next row: what is done now would be done to the one before it

  get labels() { return this.photo?.labels ?? [] }

  get schemes() { return this.photo?.schemes ?? {} }

  get chosen() { return this.find(this.selected) }

  get pending() { return this.queue.length + Boolean(this.held) }

  real(key) { return this.ours.get(key) ?? key } // of an object that was added here, once the kernel has one for it

  find(key) { return key == null ? undefined : this.objects.find(o => o.key === this.real(key)) }

  // --- the photo

  knows(row, head, asked) { return !(head.edit && this.last?.path === head.path && this.last.row !== row && this.last.at > asked) } // not if another row of its photo was edited since

  open(row, head, asked) { // what the kernel said of a row; an answer to an edit that came since knows better
    const other = row !== this.row || head.path !== this.path
    if (other) { this.flush(); this.finish(); this.remember(); this.clear(); this.hidden.clear() }
    if (other && this.saidOf !== row) this.say('') // what was said of another photo
    Object.assign(this, { row, path: head.path, size: [head.height, head.width] })
    this.truth = !this.app.model.get('editing') ? undefined : this.last?.row === row && this.last.at > asked ? this.last.edit : head.edit
    if (head.edit && !(this.last?.at > asked)) this.history = head.edit // of all photos: what was asked for before the last edit knows less
    this.renew()
    this.catchUp()
  }

  unknownKeys() { // what `keys` names and is no action, and what there is
    const known = new Map(this.keys().map(o => [o.name, o.actions.map(a => a.name)])), found = []
    for (const [scope, actions] of Object.entries(this.app.model.get('key_map') ?? {})) {
      if (!known.has(scope)) { found.push(`there is no ${scope}, but ${[...known.keys()].join(', ')}`); continue }
      for (const name of Object.keys(actions ?? {})) if (!known.get(scope).includes(name)) found.push(`${scope} has no ${name}, but ${known.get(scope).join(', ')}`)
    }
    return found
  }

  returned() { // the kernel is back, and whether it got the last question nobody knows
    if (!this.asked) return
    this.asked = false
    this.queue.length = 0
    this.fail('the kernel was away; see what is saved, and do the rest again')
    if (this.row !== undefined) this.full.load()
  }

  marked(rows, version) { // the journal has something new of these rows
    const { full } = this, { row } = full
    if (full.ahead?.row in rows) full.ahead = undefined
    if (row in rows) this.news = { row, version }
    this.catchUp()
  }

  catchUp() { // where what is shown is older than the news, the photo is asked for again; not while our own is on its way, whose answer may know it all
    const { news, row } = this
    if (!news || news.row !== row || !this.on || this.pending) return
    this.news = undefined
    if (this.truth.version >= news.version) return
    this.full.ask(row).ready.then(({ head }) => {
      if (row !== this.row || !head.edit || !this.truth) return
      if (this.pending) { this.news = { row, version: head.edit.version }; return }
      if (this.truth.version > head.edit.version) return
      if (JSON.stringify(head.edit.objects) !== JSON.stringify(this.truth.objects)) this.say('changed by someone else')
      this.truth = this.history = head.edit
      this.renew()
      this.app.walk.news(head.walk)
    })
  }

  remember() { // what the next photo may copy from
    if (!this.objects.length) return
    if (this.visited?.path !== this.path) this.earlier = this.visited
    this.visited = { path: this.path, objects: this.objects, size: this.size, selected: this.selected }
  }

  get before() { return this.visited?.path === this.path ? this.earlier : this.visited }

  leave() { this.flush(); this.finish(); this.remember(); this.clear(); this.row = undefined; this.renew() }

  renew() { // what is true, and what is on its way
    this.photo = this.truth && structuredClone(this.truth)
    for (const entry of this.queue) if (entry.row === this.row && this.photo) entry.actions?.forEach((action, i) => this.pretend(action, entry.made[i]))
    this.objects = this.photo?.objects ?? []
    if (this.held && this.find(this.held.key)) Object.assign(this.find(this.held.key), this.held.now)
    if (!this.chosen) this.selected = this.point = null
    this.drawAll()
    this.full.panel.renew()
    this.app.predicted?.renew()
  }

  pretend({ op, key, now, note, off = false }, made) {
    const { photo } = this, object = photo.objects.find(o => o.key === this.real(key))
    if (op === 'add') photo.objects.push({ key: made, box: null, points: null, label: null, origin: '', status: 'added', options: [], own: false, flag: null, ...now })
    else if (op === 'delete' || op === 'settle' && now === null) photo.objects = photo.objects.filter(o => o !== object)
    else if ((op === 'set' || op === 'settle') && object) Object.assign(object, now, { status: object.status === 'added' ? 'added' : 'changed', options: [] })
    else if (op === 'flag' && object) object.flag = note
    else if (op === 'note' || op === 'flag') photo.note = note
    else if (op === 'exclude') photo.excluded = !off
    else if (op === 'ok' && key == null || op === 'empty') photo[op] = !off
    if (op === 'empty' && !off) photo.objects = []
  }

  // --- what is done

  act(actions, words) {
    this.flush()
    const made = actions.map(o => o.op === 'add' ? `new${unique()}` : undefined)
    this.preview()
    this.full.tip.hidden = true // it tells what was
    this.queue.push({ type: 'edit', row: this.row, actions, made, words })
    this.say(words)
    this.renew()
    this.pump()
    return made.filter(Boolean)
  }

  undo() { this.step('undo') }

  redo() { this.step('redo') }

  step(type) { this.flush(); this.full.tip.hidden = true; this.queue.push({ type, row: this.row }); this.full.panel.renew(); this.pump() }

  hold(key, now, words) { // several within half a second are one action
    if (this.held && this.held.key !== key) this.flush()
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.flush(), QUIET)
    this.held = { key, now: { ...this.held?.now, ...now }, words }
    this.renew()
  }

  flush() {
    clearTimeout(this.timer)
    const { held } = this
    this.held = undefined
    if (held && this.find(held.key)) this.act([{ op: 'set', key: held.key, now: held.now }], held.words)
  }

  pump() { // one at a time: the next may be about what this one adds
    if (this.asked || !this.queue.length) return
    const [entry] = this.queue, { type, row } = entry
    const actions = entry.actions?.map(o => o.key == null ? o : { ...o, key: this.real(o.key) })
    this.asked = true
    this.app.wire.ask({ type, row, ...(actions ? { actions } : {}) }, answer => this.answered(entry, answer))
  }

  answered(entry, answer) {
    this.queue.shift()
    this.asked = false
    const added = (entry.made ?? []).filter(Boolean)
    added.forEach((key, i) => answer.keys?.[i] != null && this.ours.set(key, answer.keys[i]))
    if (answer.error) { // what follows on it cannot be done either
      this.queue = this.queue.filter(o => !o.actions?.some(({ key }) => added.includes(key)))
      this.fail(answer.error)
    } else {
      this.saved = answer.saved
      this.fail('')
      if (entry.type !== 'edit') this.say(answer.words ?? '', answer.row ?? entry.row)
    }
    const row = answer.row ?? entry.row
    if (answer.edit) this.history = answer.edit
    if (answer.edit) this.last = { row, path: row === this.row ? this.path : undefined, edit: answer.edit, at: performance.now() }
    this.app.grid.forget([row])
    if (row === this.row) {
      this.truth = answer.edit ?? this.truth
      this.selected = this.real(this.selected)
      this.renew()
    }
    this.app.walk.answered(entry.type, row, answer.walk)
    if (row !== this.full.row && entry.type !== 'edit' && !answer.error && this.row !== undefined && !this.full.go(row)) this.say(`${answer.words}, in row ${row}, which is not among those that are shown`)
    this.full.panel.renew()
    this.pump()
    this.catchUp()
  }

  say(words, row = this.row) { this.saidOf = row; this.full.panel.say(words) } // of a row

  fail(words) { this.full.panel.fail(words && `Not done: ${words}`) }

  // --- what is chosen

  select(key, point = null) {
    if (key !== this.selected || point !== this.point) this.flush() // what is nudged now is another step of undo
    const before = this.selected
    this.selected = this.find(key)?.key ?? null
    this.point = this.selected == null ? null : point
    if (this.selected != null) this.layer.append(this.groups.get(this.selected)) // over the others
    for (const o of new Set([before, this.selected])) this.redraw(o)
    this.full.panel.renew()
    const { chosen } = this
    if (chosen && before !== this.selected) this.say(this.describe(chosen))
  }

  describe({ key, label, box, points, status, flag, options }) {
    const place = box ? `box at ${box.slice(0, 2).map(Math.round).join(', ')}, ${box.slice(2).map(Math.round).join(' by ')}`
      : points ? `${points.filter(o => o[2]).length} of ${points.length} keypoints` : 'no place'
    const state = { changed: ', changed', added: ', added', conflict: `, conflict of ${options?.length ?? 2} values`, deleted: ', deleted' }[status] ?? ''
    return `${label ?? 'no class'}, ${this.objects.findIndex(o => o.key === key) + 1} of ${this.objects.length}: ${place}${state}${flag ? `, flagged: ${flag}` : ''}`
  }

  next(by) { // false beyond the last one, so that Tab goes on to what follows the picture
    const { objects } = this, at = objects.findIndex(o => o.key === this.selected), to = at < 0 ? (by > 0 ? 0 : objects.length - 1) : at + by
    if (!objects[to]) { this.select(null); return false }
    this.select(objects[to].key)
    return true
  }

  toolsOf(object) { return TOOLS.filter(o => o.of(object)) }

  bounds(object) {
    const all = this.toolsOf(object).map(o => o.bounds?.(object)).filter(Boolean)
    if (!all.length) return undefined
    const [x, y] = [0, 1].map(i => Math.min(...all.map(o => o[i]))), [right, bottom] = [0, 1].map(i => Math.max(...all.map(o => o[i] + o[i + 2])))
    return [x, y, right - x, bottom - y]
  }

  moved(object, dx, dy) { return Object.assign({}, ...this.toolsOf(object).map(o => o.moved?.(object, dx, dy))) }

  nudge(dx, dy) { // not over the image's edge, if it was inside
    const object = this.chosen, [x, y, w, h] = this.bounds(object) ?? [0, 0, 0, 0], [height, width] = this.size
    dx = clamp(dx, Math.min(0, -x), Math.max(0, width - x - w))
    dy = clamp(dy, Math.min(0, -y), Math.max(0, height - y - h))
    if (dx || dy) this.hold(object.key, this.moved(object, dx, dy), `${object.label ?? 'object'} moved`)
    else this.say('at the edge of the image')
  }

  // --- drawing

  drawAll() {
    const keys = new Set(this.objects.map(o => o.key))
    for (const [key, group] of this.groups) if (!keys.has(key)) { group.remove(); this.groups.delete(key) }
    for (const object of this.objects) this.redraw(object.key)
    this.node.classList.toggle('eal-veiled', this.veiled)
  }

  draw(object) {
    let group = this.groups.get(object.key)
    if (!group) {
      group = shape('g', { 'data-key': object.key })
      group.parts = new Map()
      this.groups.set(object.key, group)
      this.layer.append(group)
    }
    const chosen = object.key === this.selected ? ' eal-chosen' : '', hidden = this.hidden.has(object.key) ? ' eal-veil' : ''
    group.setAttribute('class', `eal-object eal-is-${object.status}${chosen}${hidden}${object.own ? ' eal-own' : ''}`)
    for (const tool of TOOLS) {
      let part = group.parts.get(tool.name)
      if (!tool.of(object)) { part?.remove(); group.parts.delete(tool.name); continue }
      if (!part) { part = shape('g', { class: `eal-tool-${tool.name}` }); group.parts.set(tool.name, part); group.append(part) }
      tool.draw(part, object, this)
    }
  }

  redraw(key) { const object = this.find(key); if (object) this.draw(this.shown && this.real(this.shown.key) === object.key ? { ...object, ...this.shown.now } : object) }

  preview(key, now) {
    const before = this.shown?.key
    this.shown = key == null ? null : { key, now }
    for (const o of new Set([before, key])) if (o != null) this.redraw(o)
  }

  zoomed() { // what has a size on the screen
    this.root.setAttribute('transform', `translate(${this.full.x} ${this.full.y}) scale(${this.full.z})`)
    this.node.style.setProperty('--z', this.full.z)
    if (this.chosen) this.redraw(this.selected)
    this.app.walk?.zoomed()
  }

  // --- pointers

  reach(event) { return (event?.pointerType === 'touch' ? 18 : 8) / this.full.z }

  clip([x, y]) { return [clamp(x, 0, this.size[1]), clamp(y, 0, this.size[0])] }

  round(value) { return Number(value.toFixed(this.full.z > 8 ? 2 : 1)) }

  visible() { return this.veiled ? [] : this.objects.filter(o => !this.hidden.has(o.key)) }

  hitsOf(object, at, reach) { // of the tools of one object, the best first
    return [...this.toolsOf(object)].reverse().map(tool => { const hit = tool.hit(object, at, reach, this); return hit && { ...hit, tool, object } })
      .filter(Boolean).sort((a, b) => a.rank - b.rank)
  }

  under(at, event) {
    return this.visible().map(o => this.hitsOf(o, at, this.reach(event))[0]).filter(Boolean).sort((a, b) => a.rank - b.rank || a.size - b.size)
  }

  down(event) { // true if the picture is not to move
    if (!this.on || this.waits) return false
    const at = this.full.at(event)
    let drag = this.mode?.down?.(at, event)
    if (drag === true) return true
    const hit = !drag && this.chosen && !this.veiled && this.hitsOf(this.chosen, at, this.reach(event))[0]
    if (hit) drag = hit.tool.grab?.(hit.object, hit, at, event, this)
    const clicked = e => { if (!this.mode && !(hit && hit.tool.click?.(hit.object, hit, at, e, this))) this.pick(at, e) }
    if (!drag) { this.full.drag(event, clicked); return true }
    const from = [event.clientX, event.clientY]
    let moved = Boolean(this.mode)
    this.full.follow(event, {
      move: e => {
        moved ||= Math.hypot(e.clientX - from[0], e.clientY - from[1]) >= SLACK
        if (moved) drag.move(this.full.at(e), e)
      },
      end: e => { if (moved) drag.end(this.full.at(e), e); else { drag.cancel?.(); clicked(e) } },
      cancel: () => { drag.cancel?.(); this.preview() },
    })
    return true
  }

  pick(at, event) { // the one on top; clicked again, the one below it
    const found = this.under(at, event), now = found.findIndex(o => o.object.key === this.selected)
    const hit = found[now < 0 ? 0 : (now + 1) % found.length], predicted = hit ? undefined : this.app.predicted.under(at, this.reach(event))
    if (predicted !== undefined) this.app.predicted.pick(predicted)
    else this.app.predicted.unpick()
    this.select(hit?.object.key ?? null)
  }

  hover(event) { // words for what is under the pointer
    if (!this.on) return undefined
    const at = this.full.at(event)
    if (this.mode) { this.mode.hover?.(at, event); this.full.stage.style.cursor = this.mode.cursor ?? 'crosshair'; return '' }
    const own = this.chosen && !this.veiled ? this.hitsOf(this.chosen, at, this.reach(event))[0] : undefined, hit = own ?? this.under(at, event)[0]
    this.full.stage.style.cursor = own?.cursor ?? (hit ? 'pointer' : '')
    const predicted = hit ? undefined : this.app.predicted.under(at, this.reach(event))
    if (predicted !== undefined) this.full.stage.style.cursor = 'pointer'
    return hit?.tip ?? this.app.predicted.tip(predicted)
  }

  begin(mode) {
    this.finish()
    this.mode = mode
    this.full.stage.style.cursor = mode.cursor ?? 'crosshair'
    if (mode.words) this.say(mode.words)
    this.full.panel.renew()
  }

  finish() {
    const { mode } = this
    if (!mode) return
    this.mode = null
    mode.end?.()
    this.above.replaceChildren()
    this.full.stage.style.cursor = ''
    this.full.panel.renew()
  }

  // --- keys

  key(event) { // true if it was taken
    const pressed = chord(event), digit = !event.shiftKey && /^Digit(\d)$/.exec(event.code)?.[1] // digits of a French keyboard need a shift
    for (const scope of this.keys()) {
      if (!scope.applies(this)) continue
      let found = scope.actions.filter(o => o.keys.includes(pressed))
      if (!found.length && digit && pressed.length === 1) found = scope.actions.filter(o => o.keys.includes(digit))
      if (this.waits && scope.name !== 'full' && found.length && !found.some(o => o.anywhere)) { this.say('the row is not there yet'); return true }
      if (found.some(o => o.once && event.repeat || o.act(this, event) !== false)) return true // a key that is held is not pressed again
    }
    return false
  }

  keys() { return keysOf(this.app.model.get('key_map') ?? {}) }
}

const arrows = (prefix, by, act) => Object.fromEntries([['Left', -by, 0], ['Right', by, 0], ['Up', 0, -by], ['Down', 0, by]]
  .map(([side, dx, dy]) => [`${act.id} ${side.toLowerCase()}`, { keys: `${prefix}Arrow${side}`, words: `${act.words} ${side.toLowerCase()}`, act: editor => act.act(editor, dx, dy) }]))

registerKeys('mode', { stop: { keys: 'Escape', words: 'stop drawing', act: editor => { editor.finish(); editor.say('stopped') } } })

registerKeys('object', {
  deselect: { keys: 'Escape', words: 'select nothing', act: editor => editor.select(null) },
  ...arrows('', 1, { id: 'nudge', words: '1 pixel', act: (editor, dx, dy) => editor.nudge(dx, dy) }),
  ...arrows('Shift+', 10, { id: 'nudge far', words: '10 pixels', act: (editor, dx, dy) => editor.nudge(dx, dy) }),
  delete: { once: true, keys: ['Delete', 'Backspace'], words: 'delete', act: editor => editor.full.panel.remove() },
  duplicate: { once: true, keys: 'Ctrl+D', words: 'duplicate', act: editor => editor.full.panel.duplicate() },
  copy: { keys: 'Ctrl+C', words: 'copy', act: editor => editor.full.panel.copy() },
  hide: { once: true, keys: 'H', words: 'hide or show it', act: editor => editor.full.panel.hide() },
  class: { keys: 'C', words: 'its class, by typing', act: editor => editor.full.panel.askClass() },
  ...Object.fromEntries([...'1234567890'].map((digit, i) => [`class ${i + 1}`, { keys: digit, words: `class ${i + 1}`, act: editor => editor.full.panel.classify(editor.labels[i]) }])),
})

registerKeys('edit', {
  'next object': { keys: 'Tab', words: 'next object', act: editor => editor.full.focused() && editor.next(1) },
  'previous object': { keys: 'Shift+Tab', words: 'previous object', act: editor => editor.full.focused() && editor.next(-1) },
  undo: { anywhere: true, keys: 'Ctrl+Z', words: 'undo', act: editor => editor.undo() },
  redo: { anywhere: true, keys: ['Ctrl+Shift+Z', 'Ctrl+Y'], words: 'redo', act: editor => editor.redo() },
  paste: { once: true, keys: 'Ctrl+V', words: 'paste', act: editor => editor.full.panel.paste() },
  right: { once: true, keys: 'Space', words: 'looked at and right, or not yet', act: editor => editor.full.panel.mark('ok') },
  'right, next': { once: true, keys: 'Shift+Space', words: 'looked at and right, then the next row', act: editor => { if (!editor.photo.ok) editor.full.panel.mark('ok'); editor.full.step(1) } },
  empty: { once: true, keys: 'Shift+N', words: 'no object here: deletes all', act: editor => editor.full.panel.mark('empty') },
  exclude: { once: true, keys: 'Shift+X', words: 'leave this photo out', act: editor => editor.full.panel.mark('exclude') },
  note: { keys: 'M', words: 'note on the photo', act: editor => editor.full.panel.ask('note') },
  reason: { keys: 'Shift+F', words: 'flag the selected object, or the photo, with a reason', act: editor => editor.full.panel.ask('flag') },
  'hide all': { once: true, keys: 'T', words: 'hide or show all', act: editor => editor.full.panel.hideAll() },
})

registerKeys('full', {
  back: { keys: 'Escape', words: 'back to the grid', act: editor => editor.app.back() },
  previous: { keys: ['A', 'ArrowLeft', 'ArrowUp'], words: 'previous row', act: editor => editor.full.step(-1) },
  next: { keys: ['D', 'ArrowRight', 'ArrowDown'], words: 'next row', act: editor => editor.full.step(1) },
  first: { keys: 'Home', words: 'first row', act: editor => editor.full.goTo(0) },
  last: { keys: 'End', words: 'last row', act: editor => editor.full.goTo(editor.app.view.length - 1) },
  flag: { once: true, keys: 'F', words: 'flag this row', act: editor => editor.app.toggleFlag(editor.full.row) },
  larger: { keys: ['+', '='], words: 'larger', act: editor => editor.full.zoom(1.4) },
  smaller: { keys: '-', words: 'smaller', act: editor => editor.full.zoom(1 / 1.4) },
  fit: { keys: ['0', 'Z'], words: 'fit the image', act: editor => editor.full.fit(true) },
  near: { keys: 'Shift+Z', words: 'fit to the object, in every row', act: editor => editor.full.stayNear() },
  edit: { once: true, keys: 'E', words: 'edit, or stop editing', act: editor => editor.full.toggleEditing() },
  keys: { keys: '?', words: 'all keys', act: editor => editor.full.panel.help() },
})
