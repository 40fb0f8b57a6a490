// A new set of keypoints: from the mean shape, from the photo before, or empty for clicks.

import { DrawnSet } from './points_drawn.js'
import { extentOf, fittedShape, mirroredPoints, movedPoints, plural, roundedPoints, scaledPoints } from './points_math.js'

export class NewSets {
  constructor(tools) { this.tools = tools }

  schemeOf() { // [class, its scheme] that a new set gets; '' is no class
    const { editor } = this.tools, { chosen, schemes } = editor, bare = chosen && !chosen.points, known = o => o !== undefined && schemes[o]?.points?.length
    const own = editor.objects.find(o => o.own && o.points), others = Object.keys(schemes)
    const label = [chosen && (chosen.label ?? ''), ...(bare ? [''] : [editor.label, own && (own.label ?? '')]), ...(bare && others.length > 1 ? [] : others)].find(known)
    if (label !== undefined) return [bare ? chosen.label ?? '' : label, schemes[label]]
    editor.fail(bare ? `no keypoints of class ${chosen.label ?? 'none'} are known here` : 'no class has keypoints here')
    return null
  }

  adopt(points, label, words) { // by the chosen object if it has none, else by a new one
    const { editor } = this.tools, { chosen } = editor, now = { points: roundedPoints(points) }
    if (chosen && !chosen.points?.some(o => o[2])) editor.act([{ op: 'set', key: chosen.key, now }], words)
    else editor.select(editor.act([{ op: 'add', now: label ? { ...now, label } : now }], words)[0])
    this.tools.refresh()
    editor.say(words)
  }

  fromMean() { // in the box of the chosen object, else in a frame that is dragged
    const { editor } = this.tools, found = this.schemeOf()
    if (!found) return
    const [label, { mean }] = found, { chosen } = editor
    if (!mean?.length) return editor.fail(`no mean shape of ${label}: no set of points is complete`)
    const words = `set of ${plural(mean.length, 'point')} begun from the mean shape`
    if (chosen?.box && !chosen.points?.some(o => o[2])) return this.adopt(fittedShape(mean, chosen.box), label, words)
    if (this.tools.set && extentOf(this.tools.points)) return this.tools.change(roundedPoints(fittedShape(mean, extentOf(this.tools.points))), 'set begun anew from the mean shape')
    editor.begin(this.dragMean(found[1], points => { editor.finish(); this.adopt(points, label, words) }))
  }

  dragMean(scheme, done) {
    const { editor } = this.tools, { mean, flip_pairs: pairs } = scheme, drawn = new DrawnSet(mean.map(() => [0, 0, 0]), scheme, false)
    const fit = (from, to) => (o => to[0] < from[0] ? mirroredPoints(o, pairs) : o)(fittedShape(mean, [Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])]))
    const show = points => { if (!drawn.node.parentNode) editor.above.append(drawn.node); drawn.renew(points) }
    return {
      name: 'mean shape', cursor: 'crosshair', words: 'drag a frame for the mean shape, from right to left for its mirror image; Enter puts it into the middle',
      down: from => ({
        move: to => show(fit(from, editor.clip(to))),
        end: to => { if (Math.hypot(to[0] - from[0], to[1] - from[1]) * editor.full.z > 8) done(fit(from, editor.clip(to))) },
        cancel: () => drawn.node.remove(),
      }),
      enter: () => done(this.usual(mean)),
    }
  }

  usual(mean, box) { return fittedShape(mean, box ?? this.middleOfView()).map(o => [...this.tools.editor.clip(o), o[2]]) }

  middleOfView() { // a box
    const { full } = this.tools.editor, { clientWidth: w, clientHeight: h } = full.stage
    const [[x0, y0], [x1, y1]] = [.2, .8].map(share => this.tools.editor.clip(full.to([w * share, h * share])))
    return [x0, y0, x1 - x0, y1 - y0]
  }

  empty() { // then the first click makes it
    const { editor } = this.tools, found = this.schemeOf()
    if (!found) return
    const [label, { points: names }] = found
    if (this.tools.set && !this.tools.points.some(o => o[2])) return this.tools.place()
    if (this.tools.set) editor.select(null)
    this.tools.place({ draft: names.map(() => [0, 0, 0]), label })
  }

  copyForward() { // the sets of the photo before
    const { editor } = this.tools, before = editor.before?.objects.filter(o => o.points?.some(p => p[2])) ?? []
    const from = before.find(o => o.key === editor.before.selected) ?? before.find(o => o.own) ?? before[0]
    if (!from) return editor.fail('no keypoints in the photo that was open before this one')
    const [h, w] = editor.size, [h0, w0] = editor.before.size, { chosen } = editor
    let points = scaledPoints(from.points, w / w0, h / h0, [0, 0])
    if (chosen?.box && from.box && !this.tools.set) points = this.carried(from, chosen.box)
    this.adopt(points, from.label, `${plural(from.points.filter(o => o[2]).length, 'point')} copied from the photo before`)
  }

  carried({ box, points }, to) { return movedPoints(scaledPoints(points, to[2] / (box[2] || 1), to[3] / (box[3] || 1), box.slice(0, 2)), to[0] - box[0], to[1] - box[1]) }
}
