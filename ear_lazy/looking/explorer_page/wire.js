// Talking to the kernel: questions, their answers, and what to say when there is none.

import { unique } from './dom.js'

const PATIENCE = 2000 // ms until a kernel counts as busy

export class Wire {
  constructor(model, { received, status }) {
    Object.assign(this, { model, received, status, waiting: new Map(), me: Math.random().toString(36).slice(2), lost: false })
    this.onMessage = (message, buffers) => this.receive(message, buffers)
    this.onLive = () => { this.lost = true; this.hello() }
    model.on('msg:custom', this.onMessage)
    model.on('comm_live_update', this.onLive)
    this.timer = setInterval(() => this.look(), 250)
  }

  close() {
    clearInterval(this.timer)
    this.model.off('msg:custom', this.onMessage)
    this.model.off('comm_live_update', this.onLive)
  }

  hello() { this.expect('view'); this.send({ type: 'hello' }) }

  expect(id, then = () => {}) { this.waiting.set(id, { then, since: performance.now() }) }

  ask(content, then) {
    const id = `${this.me}:${unique()}`
    this.expect(id, then)
    this.send({ ...content, id })
  }

  send(content) { // marimo promises that it arrives
    const lose = () => { this.lost = true }
    try { this.model.send(content)?.catch?.(lose) } catch { lose() }
  }

  receive(message, buffers) {
    this.lost = false
    const id = message.type === 'view' ? 'view' : message.id
    const { then } = this.waiting.get(id) ?? {}
    this.waiting.delete(id)
    // While it was busy, questions stood in a queue; the clock of the next one starts with this answer.
    for (const question of this.waiting.values()) question.since = performance.now()
    this.look()
    this.received(message, buffers)
    then?.(message, buffers)
  }

  look() {
    const now = performance.now()
    const late = [...this.waiting.values()].some(question => now - question.since > PATIENCE)
    this.status(!late ? '' : this.lost || this.kernelIsGone() ? 'Kernel not running: run the cell again' : 'Kernel busy: waiting for it')
  }

  kernelIsGone() {
    const kernel = this.model.widget_manager?.kernel
    if (!kernel) return this.model.widget_manager?.kernel === null
    return ['dead', 'terminating', 'unknown'].includes(kernel.status) || kernel.connectionStatus === 'disconnected'
  }
}
