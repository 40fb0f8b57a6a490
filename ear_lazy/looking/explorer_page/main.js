// What a widget shows: the explorer alone.

import { App } from './app.js'

export default {
  render({ model, el }) {
    const app = new App(model, el)
    return () => app.close()
  },
}
