/** Streams a line 30 times a second, as much as goes through, until its turn is cancelled. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Behavior } from '../../src/behavior.ts'

const PERIOD_MS = 1_000 / 30

const streaming: Behavior = {
  name: 'streaming',
  async run(_message, context) {
    for (let line = 1; !context.signal.aborted; line += 1) {
      context.emit(`line ${line}: what an agent says while it works, about as long as this\n`)
      await sleep(PERIOD_MS)
    }
  },
}

export default streaming
