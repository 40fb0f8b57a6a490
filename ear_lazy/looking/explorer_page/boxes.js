// Boxes: drawn, moved, resized.

import { clamp, shape } from './dom.js'
import { registerKeys, registerTool } from './edit.js'

const HANDLES = { nw: [0, 0], n: [.5, 0], ne: [1, 0], e: [1, .5], se: [1, 1], s: [.5, 1], sw: [0, 1], w: [0, .5] } // where they stand
const CURSORS = { nw: 'nwse-resize', se: 'nwse-resize', ne: 'nesw-resize', sw: 'nesw-resize', n: 'ns-resize', s: 'ns-resize', e: 'ew-resize', w: 'ew-resize' }
const ROOM = 26, SNAP = 6 // CSS pixels: least width of the frame of handles, nearness to the image's edge
const LEAST = 1 // pixel of the photo that a box keeps

const frameOf = ([x, y, w, h], z) => { // of the handles: a box a pixel wide gets one that can be grabbed
  const wide = Math.max(w, ROOM / z), high = Math.max(h, ROOM / z)
  return [x + (w - wide) / 2, y + (h - high) / 2, wide, high]
}
const snapEdge = (value, size, editor, event) => !event?.altKey && Math.min(Math.abs(value), Math.abs(value - size)) < SNAP / editor.full.z ? (value < size / 2 ? 0 : size) : value
const saysBox = box => `${box.slice(0, 2).map(o => +o.toFixed(1)).join(', ')}, ${box.slice(2).map(o => +o.toFixed(1)).join(' by ')}`
const sameBox = (a, b) => a.every((o, i) => Math.abs(o - b[i]) < 1e-6) // x + w - w is not always x

export function resizedBox([x, y, w, h], part, dx, dy, [height, width]) { // by a handle; edges stay inside the image, and a box is never turned over
  let right = x + w, bottom = y + h
  if (part.includes('w')) x = clamp(x + dx, Math.min(0, x), right - LEAST)
  if (part.includes('e')) right = clamp(right + dx, x + LEAST, Math.max(width, right))
  if (part.includes('n')) y = clamp(y + dy, Math.min(0, y), bottom - LEAST)
  if (part.includes('s')) bottom = clamp(bottom + dy, y + LEAST, Math.max(height, bottom))
  return [x, y, right - x, bottom - y]
}

function boxBetween([x0, y0], [x1, y1]) { return [Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0)] }

function placeBox(node, [x, y, w, h]) { for (const [key, value] of Object.entries({ x, y, width: Math.max(0, w), height: Math.max(0, h) })) node.setAttribute(key, value) }

registerTool({
  name: 'box',
  of: object => object.box || object.options?.some(o => o?.box),
  bounds: object => object.box,
  moved: (object, dx, dy) => object.box ? { box: [object.box[0] + dx, object.box[1] + dy, object.box[2], object.box[3]] } : {},

  draw(g, object, editor) {
    g.parts ??= ['eal-rim', 'eal-line'].map(name => g.appendChild(shape('rect', { class: name })))
    for (const node of g.parts) { node.style.display = object.box ? '' : 'none'; if (object.box) placeBox(node, object.box) }
    const options = object.status === 'conflict' ? object.options.map((o, i) => ({ ...o, letter: 'ABCDEFGH'[i] })).filter(o => o.box) : []
    g.options ??= []
    while (g.options.length < options.length) g.options.push(['rect', 'text'].map(tag => g.appendChild(shape(tag, { class: 'eal-option' }))))
    for (const nodes of g.options.splice(options.length)) for (const node of nodes) node.remove()
    options.forEach(({ box, letter }, i) => {
      const [rect, text] = g.options[i], [x, y, w, h] = box
      placeBox(rect, box)
      text.textContent = letter
      text.setAttribute('x', x + (i % 2 ? w : 0)) // values that differ by little: letters in other corners
      text.setAttribute('y', y + (i % 2 ? h : 0))
    })
    if (editor.selected !== object.key || !object.box) { g.handles?.forEach(o => o.remove()); g.handles = undefined; return }
    g.handles ??= Object.keys(HANDLES).map(part => g.appendChild(shape('circle', { class: 'eal-handle', 'data-part': part })))
    const [x, y, w, h] = frameOf(object.box, editor.full.z)
    Object.values(HANDLES).forEach(([i, j], k) => { g.handles[k].setAttribute('cx', x + i * w); g.handles[k].setAttribute('cy', y + j * h) })
  },

  hit(object, [px, py], reach, editor) {
    if (!object.box) return undefined
    const [x, y, w, h] = object.box, size = w * h, chosen = editor.selected === object.key, tip = `${object.label ?? 'box'}: x ${x}, y ${y}, ${w} × ${h}`
    if (chosen) {
      const [fx, fy, fw, fh] = frameOf(object.box, editor.full.z), far = Object.entries(HANDLES)
        .map(([part, [i, j]]) => [Math.hypot(fx + i * fw - px, fy + j * fh - py), part]).sort((a, b) => a[0] - b[0])[0]
      if (far[0] <= reach) return { part: far[1], rank: 0, size, cursor: CURSORS[far[1]], tip }
      if (px >= fx && px <= fx + fw && py >= fy && py <= fy + fh) return { part: 'inside', rank: 1, size, cursor: 'move', tip }
    }
    const out = [x - px, px - x - w, y - py, py - y - h] // beyond each side
    if (Math.max(...out) > reach) return undefined
    return Math.max(...out) > -reach ? { part: 'line', rank: 0, size, cursor: 'move', tip } : { part: 'inside', rank: 1, size, cursor: 'move', tip }
  },

  grab(object, { part }, from, event, editor) {
    const [height, width] = editor.size, { box } = object
    let now = box
    const to = ([px, py], e) => {
      const dx = editor.round(px - from[0]), dy = editor.round(py - from[1])
      if (!(part in HANDLES)) {
        let [x, y, w, h] = [box[0] + dx, box[1] + dy, box[2], box[3]]
        x = snapEdge(x, width, editor, e); x = snapEdge(x + w, width, editor, e) - w
        y = snapEdge(y, height, editor, e); y = snapEdge(y + h, height, editor, e) - h
        return [clamp(x, Math.min(0, box[0]), Math.max(width - w, box[0])), clamp(y, Math.min(0, box[1]), Math.max(height - h, box[1])), w, h]
      }
      const [x, y, w, h] = box, edge = (side, value, size, by) => part.includes(side) ? snapEdge(value + by, size, editor, e) - value : by
      return resizedBox(box, part, part.includes('w') ? edge('w', x, width, dx) : edge('e', x + w, width, dx), part.includes('n') ? edge('n', y, height, dy) : edge('s', y + h, height, dy), editor.size)
    }
    return {
      move(at, e) { now = to(at, e); editor.preview(object.key, { box: now }) },
      end(at, e) {
        now = to(at, e)
        if (sameBox(now, box)) return editor.preview()
        editor.act([{ op: 'set', key: object.key, now: { box: now } }], `${object.label ?? 'box'} ${part in HANDLES ? 'resized' : 'moved'}: ${saysBox(now)}`)
      },
    }
  },

  buttons: [{ words: '▭ Box', title: 'Draw a box (N); with the keyboard, N twice puts one in the middle', act: editor => drawBox(editor), pressed: editor => editor.mode?.name === 'box' }],
})

function addBox(editor, box) {
  const label = editor.labels.includes(editor.label) ? editor.label : editor.chosen?.label ?? editor.labels[0]
  const [key] = editor.act([{ op: 'add', now: { box, ...(label === undefined ? {} : { label }) } }], `${label ?? 'box'} drawn: ${saysBox(box)}`)
  editor.select(key)
}

export function drawBox(editor) { // a drag, with a crosshair
  const { full } = editor, [height, width] = editor.size
  const cross = ['', ''].flatMap(() => ['eal-cross-rim', 'eal-cross'].map(name => shape('line', { class: name })))
  let from, now
  const rects = ['eal-rim', 'eal-line'].map(name => shape('rect', { class: name }))
  const corner = (at, e) => editor.clip([snapEdge(at[0], width, editor, e), snapEdge(at[1], height, editor, e)]).map(o => editor.round(o))
  const hover = ([x, y]) => {
    if (!cross[0].parentNode) editor.above.append(...cross)
    cross.forEach((o, i) => { for (const [key, value] of Object.entries(i < 2 ? { x1: x, x2: x, y1: 0, y2: height } : { x1: 0, x2: width, y1: y, y2: y })) o.setAttribute(key, value) })
  }
  editor.begin({
    name: 'box', words: 'draw a box: drag from corner to corner; Escape stops', cursor: 'crosshair', hover,
    down(at, event) {
      from = corner(at, event)
      return {
        move(to, e) { now = boxBetween(from, corner(to, e)); for (const o of rects) placeBox(o, now); if (!rects[0].parentNode) editor.above.append(...rects); hover(to) },
        end(to, e) {
          now = boxBetween(from, corner(to, e))
          if (now[2] * full.z < 3 && now[3] * full.z < 3) { rects.forEach(o => o.remove()); return } // a click
          const box = resizedBox(now, 'se', 0, 0, editor.size)
          if (box[2] < LEAST || box[3] < LEAST) { box[2] = Math.max(LEAST, box[2]); box[3] = Math.max(LEAST, box[3]) }
          box[0] = Math.min(box[0], width - box[2])
          box[1] = Math.min(box[1], height - box[3])
          editor.finish()
          addBox(editor, box)
        },
        cancel() { rects.forEach(o => o.remove()) },
      }
    },
  })
}

function inTheMiddle(editor) { // of what is seen
  const { full } = editor, [height, width] = editor.size, { clientWidth, clientHeight } = full.stage
  const [x0, y0] = editor.clip(full.to([0, 0])), [x1, y1] = editor.clip(full.to([clientWidth, clientHeight]))
  const w = Math.max(LEAST, Math.round((x1 - x0) / 4)), h = Math.max(LEAST, Math.round((y1 - y0) / 4))
  editor.finish()
  const box = [clamp(Math.round((x0 + x1 - w) / 2), 0, width - w), clamp(Math.round((y0 + y1 - h) / 2), 0, height - h), w, h]
  for (let i = 0; editor.objects.some(o => o.box && sameBox(o.box, box)); i++) box[i % 4] += i % 4 < 2 && box[i % 4] > 0 ? -1 : i % 4 < 2 ? 0 : -.5 // never two that are equal
  addBox(editor, box)
}

function grow(editor, dx, dy) { // by the right and lower edges
  const { key, box, label } = editor.chosen, now = resizedBox(box, 'se', dx, dy, editor.size)
  if (sameBox(now, box)) return editor.say(dx + dy > 0 ? 'at the edge of the image' : 'no smaller')
  editor.hold(key, { box: now }, `${label ?? 'box'} resized: ${saysBox(now)}`)
}

const growing = (name, keys, words, dx, dy) => ({ [name]: { keys, words, act: editor => grow(editor, dx, dy) } })

registerKeys('edit', { box: { keys: 'N', words: 'draw a box', act: editor => drawBox(editor) } })

registerKeys('mode', { 'box here': { keys: ['N', 'Enter'], words: 'a box in the middle of what is seen; arrows move it, Alt and arrows resize it', act: editor => editor.mode.name === 'box' && inTheMiddle(editor) } })

registerKeys('box', {
  ...growing('narrower', ['Q', 'Alt+ArrowLeft'], '1 pixel narrower', -1, 0), ...growing('wider', ['E', 'Alt+ArrowRight'], '1 pixel wider', 1, 0),
  ...growing('shorter', ['Shift+R', 'Alt+ArrowUp'], '1 pixel less high', 0, -1), ...growing('higher', ['R', 'Alt+ArrowDown'], '1 pixel higher', 0, 1),
  ...growing('far narrower', 'Alt+Shift+ArrowLeft', '10 pixels narrower', -10, 0), ...growing('far wider', 'Alt+Shift+ArrowRight', '10 pixels wider', 10, 0),
  ...growing('far shorter', 'Alt+Shift+ArrowUp', '10 pixels less high', 0, -10), ...growing('far higher', 'Alt+Shift+ArrowDown', '10 pixels higher', 0, 10),
})
