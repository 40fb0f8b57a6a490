// What all parts of the page make nodes with.

let made = 0

export const unique = () => made++

export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag)
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value)
    else if (value === true) node.setAttribute(key, '')
    else if (value !== false && value != null) node.setAttribute(key, value)
  }
  node.append(...children)
  return node
}

export function shape(tag, attributes) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag)
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
  return node
}

export const clamp = (value, low, high) => Math.max(low, Math.min(value, high))
export const number = value => value.toLocaleString('en-US')

// Lumino, under JupyterLab, sees keys before this page does; only this attribute on what has the focus keeps it from acting on them.
export const focusable = { tabindex: 0, 'data-lm-suppress-shortcuts': 'true' }
export const unlumino = { 'data-lm-suppress-shortcuts': 'true' }
