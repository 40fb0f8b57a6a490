// Curves and bars, drawn in pixels of the screen. What a place of them says, and which rows it leads to, comes with it.

import { clamp, focusable, make, shape } from '../../looking/explorer_page/dom.js'

const PLOT = 172, EDGES = { left: 46, right: 12, top: 8, bottom: 36 } // CSS pixels: height of the plot, and what is around it
const TALL = PLOT + EDGES.top + EDGES.bottom

export function ticksOf({ low, high, ticks }, most) { // [value, text] of round numbers
  if (ticks) return ticks
  const least = (high - low) / most, unit = 10 ** Math.floor(Math.log10(least)), step = unit * [1, 2, 5, 10].find(o => o * unit >= least * .999)
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9)), first = Math.ceil(low / step - 1e-9)
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => [(first + i) * step, ((first + i) * step).toFixed(digits)])
}

export class Chart {
  constructor(chart, pick) {
    Object.assign(this, { chart, pick, at: -1, picked: -1 })
    const { name, lines = [], stops = [] } = chart
    this.svg = shape('svg', { height: TALL, 'aria-hidden': 'true' })
    this.plot = make('div', { class: 'eav-plot', ...(stops.length ? { ...focusable, role: 'slider', 'aria-label': `${name}: places to look at`, 'aria-valuemin': 0, 'aria-valuemax': stops.length - 1, 'aria-valuenow': 0, 'aria-valuetext': stops[0].words,
      onpointermove: event => this.go(this.nearest(event)), onpointerleave: () => this.go(this.picked), onclick: event => this.choose(this.nearest(event)), onkeydown: event => this.key(event), onfocus: () => this.at < 0 && this.go(0) } : { role: 'img', 'aria-label': name }) }, this.svg)
    this.readout = make('p', { class: 'eav-readout', 'aria-hidden': stops.length ? 'true' : false }, this.hint)
    const legend = lines.length > 1 ? lines.map((line, i) => make('span', { class: `eav-key eav-of-${line.look ?? i}${line.dashed ? ' eav-dashed' : ''}` }, line.name)) : chart.note ? [make('span', { class: 'eav-note' }, chart.note)] : []
    this.node = make('figure', { class: 'eav-chart' }, make('figcaption', {}, make('strong', { title: chart.title }, name), make('div', { class: 'eav-legend' }, ...legend)), this.plot, this.readout)
    this.observer = new ResizeObserver(() => this.draw())
    this.observer.observe(this.plot)
  }

  close() { this.observer.disconnect() }

  get hint() { return this.chart.hint ?? '' }

  get places() { return this.chart.stops ?? [] }

  draw() {
    const width = this.plot.clientWidth
    if (!width || width === this.width) return
    this.width = width
    const { x, y, lines = [], bars = [], diagonal } = this.chart, { left, right, top, bottom } = EDGES
    this.x = value => left + (value - x.low) / (x.high - x.low) * (width - left - right)
    this.y = value => top + (1 - (value - y.low) / (y.high - y.low)) * PLOT
    const inside = ([a, b]) => `${this.x(clamp(a, x.low, x.high)).toFixed(1)},${this.y(clamp(b, y.low, y.high)).toFixed(1)}`
    const text = (words, attributes) => { const node = shape('text', attributes); node.textContent = words; return node }
    const floor = this.y(y.low), parts = []
    for (const [value, words] of ticksOf(y, 4)) parts.push(shape('line', { class: 'eav-rule', x1: left, x2: width - right, y1: this.y(value), y2: this.y(value) }), text(words, { class: 'eav-tick', x: left - 6, y: this.y(value) + 4, 'text-anchor': 'end' }))
    for (const [value, words] of ticksOf(x, width > 300 ? 5 : 3)) parts.push(text(words, { class: 'eav-tick', x: this.x(value), y: floor + 15, 'text-anchor': 'middle' }))
    parts.push(shape('line', { class: 'eav-axis', x1: left, x2: width - right, y1: floor, y2: floor }), text(x.name, { class: 'eav-name', x: (left + width - right) / 2, y: TALL - 4, 'text-anchor': 'middle' }),
      text(y.name, { class: 'eav-name', transform: `translate(11 ${top + PLOT / 2}) rotate(-90)`, 'text-anchor': 'middle' }))
    if (diagonal) parts.push(shape('line', { class: 'eav-diagonal', x1: this.x(x.low), y1: this.y(y.low), x2: this.x(x.high), y2: this.y(y.high) }))
    for (const [from, to, high, look = 0] of bars) {
      const a = this.x(from), b = this.x(to), gap = Math.min(1.5, (b - a) * .12), peak = this.y(clamp(high, y.low, y.high))
      parts.push(shape('rect', { class: `eav-bar eav-of-${look}`, x: a + gap, width: Math.max(1, b - a - 2 * gap), y: peak, height: Math.max(0, floor - peak) }))
    }
    lines.forEach(({ points, look, fill, dashed }, i) => {
      if (!points.length) return
      const path = points.map(inside).join(' ')
      if (fill) parts.push(shape('polygon', { class: `eav-area eav-of-${look ?? i}`, points: `${inside([points[0][0], y.low])} ${path} ${inside([points.at(-1)[0], y.low])}` }))
      parts.push(shape('polyline', { class: `eav-curve eav-of-${look ?? i}${dashed ? ' eav-dashed' : ''}`, points: path }))
    })
    for (const [value, words] of this.chart.marks ?? []) {
      if (value > x.high) continue
      parts.push(shape('line', { class: 'eav-mark', x1: this.x(value), x2: this.x(value), y1: top, y2: floor }), text(words, { class: 'eav-tick', x: this.x(value) + 4, y: floor - 6 }))
    }
    this.cursor = shape('g', { class: 'eav-cursor' })
    this.svg.setAttribute('width', width)
    this.svg.setAttribute('viewBox', `0 0 ${width} ${TALL}`)
    this.svg.replaceChildren(...parts, this.cursor)
    this.spots = this.places.map(({ at }) => at.map(([a, b]) => [this.x(clamp(a, x.low, x.high)), this.y(clamp(b, y.low, y.high))]))
    this.go(this.at)
  }

  nearest(event) {
    const { left, top } = this.svg.getBoundingClientRect(), px = event.clientX - left, py = event.clientY - top
    const far = spot => this.chart.across ? Math.abs(spot[0][0] - px) : Math.min(...spot.map(([a, b]) => Math.hypot(a - px, b - py)))
    let best = -1, least = Infinity
    this.spots?.forEach((spot, i) => { const d = far(spot); if (d < least) { least = d; best = i } })
    return best
  }

  go(at) {
    this.at = at
    if (!this.cursor) return
    const spot = this.spots[at]
    this.cursor.replaceChildren(...(spot ? [shape('line', { x1: spot[0][0], x2: spot[0][0], y1: EDGES.top, y2: EDGES.top + PLOT }), ...spot.map(([cx, cy]) => shape('circle', { cx, cy, r: at === this.picked ? 5.5 : 4 }))] : []))
    this.cursor.classList.toggle('eav-picked', at >= 0 && at === this.picked)
    this.readout.textContent = this.readout.title = this.places[at]?.words ?? this.hint
    if (!spot) return
    this.plot.setAttribute('aria-valuenow', at)
    this.plot.setAttribute('aria-valuetext', this.places[at].words)
  }

  choose(at) { if (this.places[at]) this.pick(this.places[at].pick) }

  mark(key) { // what is shown below
    this.picked = this.places.findIndex(o => JSON.stringify(o.pick) === key)
    this.go(this.at >= 0 && this.plot.matches(':focus, :hover') ? this.at : this.picked) // a late answer moves no place that is being chosen
  }

  key(event) {
    const { length } = this.places, step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10, Home: -length, End: length }[event.key]
    if (step) this.go(clamp(this.at + step, 0, length - 1))
    else if (['Enter', ' '].includes(event.key)) this.choose(this.at)
    else return
    event.preventDefault()
  }
}
