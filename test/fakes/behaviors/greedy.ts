/** A behavior that fills memory without an end, or its supervisor's hands until it is cancelled: the message says how. */
import { type Behavior, defineBehavior } from '../../../src/behavior.ts'

const kept: unknown[] = []

const greedy: Behavior = defineBehavior({
  async run(message, context) {
    switch (message) {
      case 'objects':
        for (;;) kept.push({ at: kept.length, text: `object ${kept.length}` })
      case 'arrays':
        for (;;) kept.push(Array.from({ length: 1_000 }, (_, index) => index + 0.5))
      case 'maps': {
        const map = new Map<number, object>()
        kept.push(map)
        for (;;) map.set(map.size, { size: map.size })
      }
      case 'strings':
        for (;;) kept.push(Buffer.alloc(100_000, 'x').toString('latin1') + String(kept.length))
      case 'buffers':
        for (;;) kept.push(Buffer.alloc(1024 * 1024, 1))
      case 'output':
        while (!context.signal.aborted) {
          for (let line = 0; line < 1_000; line++) console.log(`line ${line} of a flood without an end`)
          await new Promise((resolve) => setImmediate(resolve))
        }
        return 'stopped'
      case 'emit':
        while (!context.signal.aborted) {
          for (let piece = 0; piece < 1_000; piece++)
            context.emit(`piece ${piece} of a flood without an end\n`)
          await new Promise((resolve) => setImmediate(resolve))
        }
        return 'stopped'
      default:
        return message
    }
  },
})

export default greedy
