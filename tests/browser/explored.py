"The page over a widget, without a notebook"
import base64
import json
from io import BytesIO

import numpy as np
from making import tell
from PIL import Image

# What JupyterLab gives a page in its light and its dark theme.
THEMES = {'light': {'--jp-layout-color1': 'white', '--jp-content-font-color0': 'rgba(0, 0, 0, 1)'},
          'dark': {'--jp-layout-color1': '#212121', '--jp-content-font-color0': 'rgba(255, 255, 255, 1)'}}

# A model as anywidget hands it to the page; what is sent goes to the real widget in Python, and its answers come back.
MODEL = """
([source, css, state, theme]) => {
  const listeners = {}, changed = {}, underway = {}
  const fire = (name, ...args) => { for (const act of [...(listeners[name] ?? [])]) act(...args) }
  const bytes = text => new DataView(Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer)
  const tell = async content => {
    if (window.silent) return
    window.sent.push(content)
    const { messages, traits } = await window.toPython(content)
    for (const key in content.set ?? {}) underway[key] -= 1
    window.deliver(messages, traits)
  }
  window.deliver = (messages, traits) => {
    for (const [key, value] of Object.entries(traits)) {
      if (underway[key] || JSON.stringify(state[key]) === JSON.stringify(value)) continue // an older echo, as ipywidgets tells them
      state[key] = value
      fire(`change:${key}`)
    }
    for (const { content, buffers } of messages) {
      window.received.push([content, buffers.reduce((n, o) => n + o.length * .75, 0)])
      fire('msg:custom', content, buffers.map(bytes))
    }
  }
  Object.assign(window, { sent: [], received: [], silent: false, fire })
  window.model = {
    get: key => state[key],
    set: (key, value) => { state[key] = value; changed[key] = value; fire(`change:${key}`) },
    save_changes: () => {
      for (const key in changed) underway[key] = (underway[key] ?? 0) + 1
      tell({ set: { ...changed } })
      for (const key in changed) delete changed[key]
    },
    send: content => { tell(content) },
    on: (name, act) => { (listeners[name] ??= new Set()).add(act) },
    off: (name, act) => { listeners[name]?.delete(act) },
    widget_manager: {},
  }
  document.body.replaceChildren()
  document.adoptedStyleSheets = [new CSSStyleSheet()]
  document.adoptedStyleSheets[0].replaceSync(css)
  for (const [key, value] of Object.entries(theme)) document.documentElement.style.setProperty(key, value)
  document.body.style.background = 'var(--jp-layout-color1)'
  const host = document.body.appendChild(document.createElement('main'))
  host.tabIndex = -1
  window.reached = []
  document.addEventListener('keydown', event => window.reached.push(event.key))
  return import(URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))).then(module => {
    window.start = performance.now()
    window.close_ = module.default.render({ model: window.model, el: host })
  })
}
"""


# Real keys are pressed one after the other, and on a slow machine more than the page's half a second lies between them.
AT_ONCE = """
([keys, held]) => {
  for (const key of keys) {
    const [last, ...modifiers] = key.split('+').reverse(), has = name => modifiers.includes(name)
    const options = { key: last, altKey: has('Alt'), ctrlKey: has('Control'), shiftKey: has('Shift'), bubbles: true, composed: true, cancelable: true }
    let target = document.activeElement
    while (target.shadowRoot?.activeElement) target = target.shadowRoot.activeElement
    for (const type of held ? ['keydown'] : ['keydown', 'keyup']) target.dispatchEvent(new KeyboardEvent(type, options))
  }
}"""


class Explored:
    "The page over a widget, with what a test asks of both"
    def __init__(self, page, widget, theme='light'):
        self.page, self.widget, self.outbox, self.errors = page, widget, [], []
        widget.send = lambda content, buffers=(): self.outbox.append((content, buffers))
        page.on('pageerror', lambda error: self.errors.append(str(error)))
        page.expose_function('toPython', self.to_python)
        page.set_content('<!doctype html><html lang="en"><title>explorer</title><body></body></html>')
        page.evaluate(MODEL, [widget._esm, widget._css, self.traits(), THEMES[theme]])

    def traits(self): return {o: getattr(self.widget, o) for o in ('flagged', 'selected', 'query', 'height', 'editing', 'key_map')}

    def to_python(self, content):
        if 'set' in content: self.widget.set_state(content['set'])
        else: tell(self.widget, content)
        return self.mail()

    def mail(self):
        sent, self.outbox[:] = [*self.outbox], []
        messages = [{'content': content, 'buffers': [base64.b64encode(o).decode() for o in buffers or ()]} for content, buffers in sent]
        return json.loads(json.dumps({'messages': messages, 'traits': self.traits()}))

    def deliver(self):
        "What Python did by itself reaches the page"
        mail = self.mail()
        self.page.evaluate('([messages, traits]) => window.deliver(messages, traits)', [mail['messages'], mail['traits']])

    def loaded(self):
        "Wait until all that is on the screen is there"
        self.page.wait_for_function("() => { const cells = [...document.querySelectorAll('.eal-cell')]; return cells.length && cells.every(o => o.classList.contains('eal-loaded')) }")

    def at_once(self, *keys, held=False):
        "Press keys within half a second, or hold them down, however slow the machine is"
        self.page.evaluate(AT_ONCE, [keys, held])

    def labels(self): return self.page.eval_on_selector_all('.eal-cell', 'cells => cells.sort((a, b) => a.dataset.at - b.dataset.at).map(o => o.ariaLabel)')

    def rows(self): return self.page.eval_on_selector_all('.eal-cell', 'cells => cells.map(o => +o.dataset.row).sort((a, b) => a - b)')


def picture(page, selector):
    "What an element looks like"
    return np.asarray(Image.open(BytesIO(page.locator(selector).screenshot())).convert('RGB')).astype(int)
