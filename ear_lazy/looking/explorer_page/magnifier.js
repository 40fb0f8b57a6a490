// The photo's own pixels around a place, with a crosshair on it: what a finger or a dot would hide.

import { clamp, make } from './dom.js'

const LENS_SIDE = 148 // CSS pixels

export class Magnifier {
  constructor(stage) {
    Object.assign(this, { stage, factor: 6, on: true })
    this.canvas = make('canvas', { width: LENS_SIDE, height: LENS_SIDE })
    this.words = make('span')
    this.node = make('div', { class: 'eal-lens', hidden: true, 'aria-hidden': 'true' }, this.canvas, this.words)
    stage.append(this.node)
  }

  async photo(answer, width) { // decoded once and off this thread, so that no drag waits for it
    if (answer === this.answer) return
    this.forget()
    this.answer = answer
    if (!answer?.data) return
    try {
      const picture = await createImageBitmap(new Blob([answer.data]))
      if (answer !== this.answer) picture.close()
      else Object.assign(this, { picture, ratio: picture.width / width })
    } catch { /* what the browser cannot show is said elsewhere */ }
  }

  forget() { this.picture?.close(); this.picture = this.answer = undefined; this.hide() }

  hide() { this.node.hidden = true }

  // Around [x, y] in the photo, that the pointer holds at [left, top] in the stage; at least as large as in the stage.
  show([x, y], [left, top], words, zoom = 1) {
    const { canvas, picture, ratio } = this
    if (!this.on || !picture) return this.hide()
    this.node.hidden = false
    this.words.textContent = words
    const dense = devicePixelRatio || 1, side = Math.round(LENS_SIDE * dense)
    if (canvas.width !== side) canvas.width = canvas.height = side
    const context = canvas.getContext('2d'), scale = Math.max(this.factor, zoom), seen = LENS_SIDE / scale * ratio // of the picture's pixels
    context.fillStyle = '#777' // beside the photo
    context.fillRect(0, 0, side, side)
    context.imageSmoothingEnabled = false
    context.drawImage(picture, x * ratio - seen / 2, y * ratio - seen / 2, seen, seen, 0, 0, side, side)
    this.cross(context, side, dense)
    const far = left < LENS_SIDE + 40 && top < LENS_SIDE + 60 // it gives way to the pointer
    this.node.classList.toggle('eal-lens-right', far)
  }

  cross(context, side, dense) {
    const middle = side / 2, gap = 5 * dense
    context.beginPath()
    for (const [x, y] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(middle + x * gap, middle + y * gap)
      context.lineTo(middle + x * side, middle + y * side)
    }
    for (const [width, colour] of [[3, 'rgb(0 0 0 / 55%)'], [1, '#fff']]) {
      context.lineWidth = width * dense
      context.strokeStyle = colour
      context.stroke()
    }
    context.fillStyle = '#e00'
    context.fillRect(middle - dense, middle - dense, 2 * dense, 2 * dense)
  }

  enlarge(by) { this.factor = clamp(this.factor + by, 4, 8) }
}
