// Clicks that send the active point somewhere and go on to the next one: the fast way for many. A mode of the editor.

import { brief } from './points_math.js'

export class Placing {
  // `run`: only this contour, anew, as one action; `draft`: a set of the class `label` that its first click makes.
  constructor(tools, { run, draft, label }) {
    const { editor } = tools, points = draft ?? tools.points
    Object.assign(this, { tools, editor, run, draft, label, name: 'place points', cursor: 'crosshair', done: [], anew: [], before: tools.points })
    ;[this.start, this.stop] = run ?? (tools.alone && !draft ? tools.run : [0, points.length])
    const hole = points.findIndex((o, i) => !o[2] && i >= this.start && i < this.stop), { active } = tools
    this.next = run || active == null || active < this.start || active >= this.stop ? (run || hole < 0 ? this.start : hole) : active
    tools.skipped.delete(undefined)
  }

  begin() {
    if (this.run) this.editor.preview(this.editor.selected, { points: this.points })
    this.to(this.next)
  }

  get points() { // as the set stands: points of a contour that wait for their click are nowhere
    if (!this.run) return this.draft ?? this.tools.points
    return this.before.map((o, i) => this.within(i) ? this.anew[i] ?? [0, 0, 0] : o)
  }

  within(i) { return i >= this.start && i < this.stop }

  to(i, words = '') {
    this.next = i
    if (this.draft) this.editor.full.panel.renew()
    else this.tools.activate(i, false)
    this.editor.say(`${words && `${words}; `}click where ${this.tools.name(i)} is`)
  }

  hover(at, event) { this.tools.magnify(at, event, this.tools.name(this.next)) }

  panel() { return this.tools.panel.renew() }

  end() {
    this.tools.lens.hide()
    this.editor.preview()
    this.tools.panel.renew()
  }

  down(at, event) { // follows the pointer until it is let go
    const { editor, tools } = this
    if (!this.draft && !tools.set) { editor.finish(); return true } // it is gone
    if (event.altKey && !this.draft && !this.run) {
      const hit = tools.nearest(tools.set, at, editor.reach(event))
      if (hit) tools.unlabel(hit.point)
      return true
    }
    const show = (to, e) => {
      const place = editor.clip(to).map(o => editor.round(o))
      this.hover(place, e)
      if (!this.draft) editor.preview(editor.selected, { points: this.withPlaced(place) })
      return place
    }
    show(at, event)
    return { move: show, end: (to, e) => this.placed(show(to, e)), cancel: () => tools.lens.hide() }
  }

  withPlaced(place) { return this.points.map((o, i) => i === this.next ? [...place, o[2] || 2] : o) }

  placed(place) {
    const { editor, tools, next: i } = this, points = this.withPlaced(place), [x, y, v] = this.points[i]
    let words = `${tools.name(i)} at ${place.map(brief).join(', ')}`
    this.done.push(i)
    tools.skips().delete(i)
    if (this.run) { this.anew[i] = points[i]; editor.preview(editor.selected, { points }) }
    else if (this.draft) this.make(points, words)
    else {
      if (v) words = `${tools.name(i)} moved by ${brief(place[0] - x)}, ${brief(place[1] - y)}`
      tools.changeOne(i, points[i], words)
    }
    this.goOn(!v, words)
  }

  make(points, words) { // of a draft
    const { editor, tools, label } = this, { chosen } = editor, bare = chosen && !chosen.points
    const [made] = editor.act([bare ? { op: 'set', key: chosen.key, now: { points } } : { op: 'add', now: label ? { points, label } : { points } }], words)
    this.begun = this.draft
    this.draft = null
    const key = bare ? chosen.key : made
    tools.skipped.set(key, new Set(tools.skipped.get(undefined)))
    editor.select(key)
  }

  goOn(hole, words) { // to the next one; a hole goes on to the next hole
    let i = this.next + 1
    if (hole && !this.run) while (i < this.stop && (this.points[i][2] || this.tools.skips().has(i))) i++
    if (i < this.stop) this.to(i, words)
    else this.finish(words)
  }

  finish(words) {
    const { editor, tools, run } = this, skipped = tools.skips()
    const points = run && this.before.map((o, i) => this.within(i) ? this.anew[i] ?? (skipped.has(i) ? [0, 0, 0] : o) : o)
    editor.finish()
    if (run) tools.change(points, `${tools.contourName(run)} placed anew`)
    else editor.say([words, 'that was the last point'].filter(Boolean).join('; '))
  }

  skip() { this.goOn(!this.points[this.next][2], `${this.tools.name(this.next)} skipped`) }

  back() { // the last click is taken back
    if (!this.done.length) return false
    const i = this.done.pop()
    if (this.run) { this.anew[i] = undefined; this.editor.preview(this.editor.selected, { points: this.points }) } else this.editor.undo()
    if (this.begun && !this.done.length) this.draft = this.begun
    this.to(i)
  }

  enter() { // by keys alone: the point comes to where it is likely to be, and arrows move it from there
    if (this.run && this.done.length) return this.finish()
    const { draft, label, tools, editor } = this, object = draft ? { points: draft, label, box: editor.chosen?.box } : tools.set, [x, y, v] = object.points[this.next]
    this.placed(v ? [x, y] : tools.likely(this.next, object))
  }
}
