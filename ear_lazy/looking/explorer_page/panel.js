// What stands beside and above the picture while it is edited: buttons, objects, the class of one, conflicts, questions, all keys.

import { make, unique, unlumino } from './dom.js'
import { keysOf } from './edit.js'
import { saysPoints } from './points_math.js'

const panelButton = (text, title, act, attributes = {}) => make('button', { ...unlumino, type: 'button', title, onclick: act, ...attributes }, text)
const PHOTO_MARKS = { // of the button, its title, what is said, what is said when it is taken back
  ok: ['✓ Right', 'Looked at and right', 'looked at and right', 'not looked at'],
  empty: ['∅ Nothing here', 'No object here: deletes all', 'no object here', 'not known to be without objects'],
  exclude: ['⊘ Leave out', 'Leave this photo out', 'this photo is left out', 'this photo is not left out'],
}

export class Panel {
  constructor(app, full) {
    Object.assign(this, { app, full, id: `eal${unique()}`, extra: new Map() })
    const the = name => (this[`${name}Button`] = panelButton(...{
      undo: ['↶ Undo', 'Undo (Ctrl+Z)', () => this.editor.undo()],
      redo: ['↷ Redo', 'Redo (Ctrl+Shift+Z)', () => this.editor.redo()],
      note: ['Note…', 'Note on this photo (M)', () => this.ask('note')],
      reason: ['Flag why…', 'Flag the selected object, or the photo, with a reason (Shift+F)', () => this.ask('flag')],
    }[name]))
    this.marks = Object.fromEntries(Object.entries(PHOTO_MARKS).map(([op, [text, title]]) => [op, panelButton(text, `${title} (${{ ok: 'Space', empty: 'Shift+N', exclude: 'Shift+X' }[op]})`, () => this.mark(op), { 'aria-pressed': 'false' })]))
    this.tools = make('span', { class: 'eal-tools' })
    this.savedText = make('span', { class: 'eal-saved' })
    this.said = make('span', { class: 'eal-said', role: 'status', 'aria-live': 'polite' })
    this.failed = make('span', { class: 'eal-failed', role: 'alert' })
    this.bar = make('div', { class: 'eal-bar eal-editing', role: 'toolbar', 'aria-label': 'Editing', hidden: true }, this.tools, the('undo'), the('redo'),
      ...Object.values(this.marks), the('note'), the('reason'), panelButton('Keys', 'All keys (?)', () => this.help()))
    this.words = make('div', { class: 'eal-words', hidden: true }, this.failed, this.said, this.savedText)
    this.list = make('ul', { class: 'eal-objects', 'aria-label': 'Objects of this photo' })
    this.own = make('div', { class: 'eal-chosen-one' })
    this.side = make('div', { class: 'eal-side', role: 'group', 'aria-label': 'Objects', hidden: true }, this.own, this.list)
    this.dialog = make('dialog', { class: 'eal-dialog', onclose: () => (this.full.node.hidden ? this.app.grid.layer : this.full.stage).focus({ preventScroll: true }) })
  }

  get editor() { return this.app.edit }

  say(words) { this.said.textContent = words }

  fail(words) { if (this.failed.textContent !== words) this.failed.textContent = words }

  why(head) { // nothing can be edited here, or what in `keys` is no key of anything
    const { editor, app } = this, wished = Boolean(app.model.get('editing')), unknown = editor.on ? editor.unknownKeys() : []
    this.words.hidden = !wished
    if (wished && !editor.on && !head.error) this.say(head.why ?? 'This row cannot be edited here.')
    else if (unknown.length && !this.warned) { this.warned = true; this.fail(`keys=: ${unknown.join('; ')}`) }
  }

  // --- what it shows

  renew() {
    const { editor } = this, { photo, on } = editor
    this.bar.hidden = this.side.hidden = !on
    if (!on) return
    this.undoButton.disabled = !editor.history.can_undo && !editor.pending
    this.redoButton.disabled = !editor.history.can_redo
    for (const [op, node] of Object.entries(this.marks)) node.setAttribute('aria-pressed', Boolean(photo[op === 'exclude' ? 'excluded' : op]))
    this.noteButton.textContent = photo.note ? `Note: ${photo.note.length > 16 ? `${photo.note.slice(0, 15)}…` : photo.note}` : 'Note…'
    this.noteButton.title = photo.note || 'Note on this photo (M)'
    this.savedText.textContent = editor.pending ? 'saving…' : editor.saved ? `saved ${editor.saved}` : ''
    this.renewTools()
    this.renewList()
    this.renewChosen()
  }

  renewTools() {
    const wanted = this.full.toolButtons()
    if ([...this.tools.children].map(o => o.textContent).join() !== wanted.map(o => o.words).join()) {
      this.tools.replaceChildren(...wanted.map(o => panelButton(o.words, o.title ?? o.words, () => { o.act(this.editor); this.full.stage.focus({ preventScroll: true }) }, o.attributes)))
    }
    wanted.forEach((o, i) => o.pressed && this.tools.children[i].setAttribute('aria-pressed', Boolean(o.pressed(this.editor))))
  }

  renewList() {
    const { editor } = this, focus = this.list.getRootNode().activeElement?.dataset?.key
    const state = JSON.stringify([editor.objects, editor.selected, [...editor.hidden]])
    if (state === this.listed) return
    this.listed = state
    this.list.replaceChildren(...editor.objects.map(object => {
      const { key, label, status, box, points, flag } = object, hidden = editor.hidden.has(key)
      const words = [status !== 'raw' && status, !box && points && 'points', hidden && 'hidden', flag && 'flagged'].filter(Boolean).join(', ')
      const node = panelButton(label ?? 'no class', `${editor.describe(object)}${object.origin ? `\n${object.origin}` : ''}`, () => editor.select(key),
        { 'aria-pressed': String(key === editor.selected), 'data-key': key, class: `eal-is-${status}` })
      if (words) node.append(make('small', {}, words))
      return make('li', {}, node)
    }))
    if (!editor.objects.length) this.list.append(make('li', { class: 'eal-quiet' }, editor.photo.empty ? 'No object here, as you said.' : 'No object.'))
    if (focus) [...this.list.querySelectorAll('button')].find(o => o.dataset.key === focus)?.focus({ preventScroll: true })
  }

  renewChosen() {
    const { editor } = this, { chosen } = editor
    const ofMode = editor.mode?.panel?.()
    if (!chosen) { this.own.replaceChildren(ofMode ?? make('p', { class: 'eal-quiet' }, editor.objects.length ? 'A click on an object, or Tab, selects it; then it can be moved.' : 'Box, or N, draws one.')); this.combo = this.ownKey = undefined; return }
    const key = `${chosen.key} ${chosen.label} ${chosen.status} ${chosen.flag} ${JSON.stringify(chosen.options ?? [])} ${editor.hidden.has(chosen.key)} ${editor.labels}`
    if (key !== this.ownKey && !this.own.contains(this.combo?.input === this.root.activeElement ? this.combo.input : null)) {
      this.ownKey = key
      this.combo = new ClassBox(editor, chosen, this.full)
      this.extras = make('div')
      const conflict = chosen.status === 'conflict' ? this.conflict(chosen) : ''
      this.own.replaceChildren(this.combo.node, conflict, make('div', { class: 'eal-row' },
        panelButton('Delete', 'Delete (Del)', () => this.remove()), panelButton('Duplicate', 'Duplicate (Ctrl+D)', () => this.duplicate()),
        panelButton(editor.hidden.has(chosen.key) ? 'Show' : 'Hide', 'Hide or show it (H)', () => this.hide())),
        chosen.flag ? make('p', { class: 'eal-quiet' }, `Flagged: ${chosen.flag}`) : '',
        chosen.origin ? make('p', { class: 'eal-quiet eal-origin', title: 'Where it comes from' }, chosen.origin) : '', this.extras)
    }
    const nodes = [...new Set([...editor.toolsOf(chosen).map(o => o.panel?.(chosen, editor)), ofMode])].filter(Boolean)
    if (nodes.length !== this.extras.children.length || nodes.some((o, i) => o !== this.extras.children[i])) this.extras.replaceChildren(...nodes)
  }

  get root() { return this.side.getRootNode() }

  conflict(object) { // both values, and a choice
    const words = value => value === null ? 'deleted' : [value.label, value.box && `box ${value.box.map(o => +o.toFixed(2)).join(', ')}`, value.points && saysPoints(value.points, object.options.map(o => o?.points))].filter(Boolean).join(': ')
    const choose = (value, letter) => this.editor.act([{ op: 'settle', key: object.key, now: value }], `conflict settled: ${letter}, ${words(value)}`)
    return make('div', { class: 'eal-conflict', role: 'group', 'aria-label': 'Conflict' }, make('strong', {}, 'Which is right?'),
      ...object.options.map((value, i) => panelButton(`${'ABCDEFGH'[i]}: ${words(value)}`, `Keep ${'ABCDEFGH'[i]}`, () => choose(value, 'ABCDEFGH'[i]))))
  }

  // --- what its buttons and keys do

  mark(op) {
    const { editor } = this
    if (!editor.on || editor.waits) return
    const off = editor.photo[op === 'exclude' ? 'excluded' : op]
    editor.act([{ op, ...(off ? { off } : {}) }], PHOTO_MARKS[op][off ? 3 : 2])
  }

  remove() {
    const { editor } = this, { chosen } = editor
    if (chosen) editor.act([{ op: 'delete', key: chosen.key }], `${chosen.label ?? 'object'} deleted`)
    this.full.stage.focus({ preventScroll: true })
  }

  hide() {
    const { hidden, selected } = this.editor
    if (hidden.has(selected)) hidden.delete(selected)
    else hidden.add(selected)
    this.editor.say(hidden.has(selected) ? 'hidden' : 'shown')
    this.editor.renew()
  }

  hideAll() {
    const { editor } = this
    editor.veiled = !editor.veiled
    if (!editor.veiled) editor.hidden.clear()
    editor.say(editor.veiled ? 'all hidden' : 'all shown')
    editor.renew()
  }

  classify(label) {
    const { editor } = this, { chosen } = editor
    if (label === undefined) return editor.say('there is no such class')
    editor.label = label
    if (chosen && chosen.label !== label) editor.act([{ op: 'set', key: chosen.key, now: { label } }], `class ${label}`)
    else editor.say(`class ${label} already`)
  }

  askClass() { this.combo?.input.focus(); this.combo?.input.select() }

  copy() { this.editor.clipboard = structuredClone(this.editor.chosen); this.editor.say('copied') }

  duplicate() { if (this.editor.chosen) this.add(this.editor.chosen, 'duplicated') }

  paste() { if (!this.editor.clipboard) return false; this.add(this.editor.clipboard, 'pasted') }

  add(object, words) { // where there is one like it, some pixels aside: never two that are equal
    const { editor } = this, now = Object.fromEntries(['box', 'points', 'label'].filter(o => object[o] != null).map(o => [o, object[o]]))
    const value = o => JSON.stringify([o.box ?? null, o.points ?? null])
    const [x, y, w, h] = editor.bounds(object) ?? [0, 0, 0, 0], [height, width] = editor.size
    const sign = [x + w + 8 <= width ? 1 : -1, y + h + 8 <= height ? 1 : -1]
    let made = now
    for (let i = 1; editor.objects.some(o => value(o) === value(made)); i++) made = { ...now, ...editor.moved(object, 8 * i * sign[0], 8 * i * sign[1]) }
    const [key] = editor.act([{ op: 'add', now: made }], `${object.label ?? 'object'} ${words}`)
    editor.select(key)
    this.full.stage.focus({ preventScroll: true })
  }

  ask(op) { // a note, or the reason of a flag
    const { editor } = this, { chosen, photo } = editor
    if (!editor.on) return
    const of = op === 'flag' && chosen ? chosen : undefined
    const title = op === 'note' ? 'Note on this photo' : of ? `What is wrong with this ${of.label ?? 'object'}?` : 'What is wrong with this photo?'
    const id = `${this.id}q`, input = make('input', { ...unlumino, id, class: 'eal-wide', value: op === 'note' ? photo.note ?? '' : of?.flag ?? '' })
    const save = event => {
      event.preventDefault()
      const note = input.value.trim()
      this.dialog.close()
      if (op === 'note' || note) editor.act([{ op, ...(of ? { key: of.key } : {}), note }], op === 'note' ? 'note kept' : `flagged: ${note}`)
    }
    this.open(title, make('form', { onsubmit: save }, make('label', { for: id }, title), input,
      make('div', { class: 'eal-row' }, make('button', { ...unlumino, type: 'submit' }, 'Save'), panelButton('Cancel', 'Cancel (Esc)', () => this.dialog.close()))))
    input.select()
  }

  help() {
    const shown = key => key.split(/(?<=.)\+/).map(o => o.replace('Arrow', '')).join(' + ')
    const rows = scope => scope.actions.map(o => make('tr', {}, make('td', {}, ...o.keys.flatMap((key, i) => [i ? ' or ' : '', make('kbd', {}, shown(key))])), make('td', {}, o.words)))
    this.open('Keys', make('div', { class: 'eal-head' }, make('h2', {}, 'Keys'), panelButton('Close', 'Close (Esc)', () => this.dialog.close(), { autofocus: true })), ...keysOf(this.app.model.get('key_map') ?? {}).map(scope => make('section', {}, make('h3', {}, scope.words), make('table', {}, make('tbody', {}, ...rows(scope))))),
      make('h3', {}, 'Pointer'), make('p', {}, 'A click selects; again, what lies below. A drag of what is selected moves it, or resizes it by a handle; a drag of anything else moves the picture. The wheel, or two fingers, zoom. Alt keeps a drag from the edge of the image. Alt and a click make a keypoint unlabelled; Shift and a drag of its frame keep proportions, or turn in steps.'))
  }

  open(label, ...nodes) {
    this.dialog.setAttribute('aria-label', label)
    this.dialog.replaceChildren(...nodes)
    this.dialog.showModal()
    this.dialog.scrollTop = 0
  }
}

class ClassBox { // a class by typing: a list that filters
  constructor(editor, object, full) {
    Object.assign(this, { editor, object, full, at: -1, id: `eal${unique()}` })
    this.list = make('ul', { id: `${this.id}l`, role: 'listbox', 'aria-label': 'Classes', class: 'eal-classes', hidden: true })
    this.input = make('input', { ...unlumino, id: this.id, class: 'eal-wide', role: 'combobox', autocomplete: 'off', spellcheck: 'false', value: object.label ?? '', 'aria-autocomplete': 'list',
      'aria-expanded': 'false', 'aria-controls': `${this.id}l`, oninput: () => this.filter(this.input.value), onkeydown: event => this.key(event),
      onfocus: () => this.filter(''), onblur: () => this.close() })
    this.list.addEventListener('pointerdown', event => { event.preventDefault(); const o = event.target.closest('li'); if (o) this.take(o.dataset.label) })
    this.node = make('div', { class: 'eal-class' }, make('label', { for: this.id }, 'Class'), this.input, this.list)
  }

  filter(text) {
    const word = text.trim().toLowerCase(), { labels } = this.editor
    const found = labels.filter(o => o.toLowerCase().includes(word)).sort((a, b) => b.toLowerCase().startsWith(word) - a.toLowerCase().startsWith(word))
    this.found = word && !labels.some(o => o.toLowerCase() === word) ? [...found, text.trim()] : found
    this.list.replaceChildren(...this.found.map((label, i) => make('li', { id: `${this.id}-${i}`, role: 'option', 'data-label': label, 'aria-selected': 'false' },
      labels.includes(label) ? `${label}${labels.indexOf(label) < 10 ? ` (${(labels.indexOf(label) + 1) % 10})` : ''}` : `${label} (new class)`)))
    this.list.hidden = !this.found.length
    this.input.setAttribute('aria-expanded', !this.list.hidden)
    this.go(word && this.found.length ? 0 : -1)
  }

  go(at) {
    this.at = at
    ;[...this.list.children].forEach((o, i) => o.setAttribute('aria-selected', i === at))
    if (at < 0) this.input.removeAttribute('aria-activedescendant')
    else { this.input.setAttribute('aria-activedescendant', `${this.id}-${at}`); this.list.children[at].scrollIntoView({ block: 'nearest' }) }
  }

  key(event) {
    const n = this.found?.length ?? 0
    if (event.key === 'ArrowDown' && n) this.go((this.at + 1) % n)
    else if (event.key === 'ArrowUp' && n) this.go((this.at + n) % n - (this.at > 0 ? 1 : 1 - n))
    else if (event.key === 'Enter') this.take(this.found?.[this.at])
    else if (event.key === 'Escape') { this.input.value = this.object.label ?? ''; this.full.stage.focus({ preventScroll: true }) }
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  take(label) {
    this.full.stage.focus({ preventScroll: true }) // before the panel is made anew
    if (label !== undefined) this.full.panel.classify(label)
  }

  close() { this.list.hidden = true; this.input.setAttribute('aria-expanded', 'false') }
}
