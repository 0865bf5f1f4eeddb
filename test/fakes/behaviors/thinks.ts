/**
 * A behavior that does what a model does in a turn, by words: "think" writes, is cut off, writes anew and records it; "write COUNT" writes
 * that many pieces, one at a time; "steer" waits for messages that steer and answers with them;
 * "compact" sums up.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Behavior, defineBehavior } from '../../../src/behavior.ts'
import type { TurnContext } from '../../../src/runtime/turn-context.ts'

const MODEL = 'fake/m'
const USAGE = { inputTokens: 100, outputTokens: 7, costUsd: 0.25 }

const thinks: Behavior = defineBehavior({
  resumable: true,
  async run(message, given) {
    const context = given as TurnContext
    const [word, count = '0'] = message.split(' ')
    switch (word) {
      case 'think':
        context.emitReasoning('first thought')
        context.emit('half an ans')
        context.emitRetry({ model: MODEL, attempt: 1, delayMs: 5, reason: 'cut off' })
        context.emitReasoning('second thought')
        context.emit('an answer')
        await context.recordStep({
          content: 'an answer',
          reasoning: 'second thought',
          model: MODEL,
          usage: USAGE,
        })
        return undefined
      case 'write':
        for (let piece = 1; piece <= Number(count); piece++) {
          context.emitReasoning(`thought ${piece}`)
          context.emit(`piece ${piece}`)
          await context.recordStep({ content: `piece ${piece}` })
        }
        return 'written'
      case 'steer':
        for (;;) {
          const steered = await context.takeSteering()
          if (steered.length > 0) return steered.map(({ input }) => input).join(', ')
          await sleep(5, undefined, { signal: context.signal })
        }
      case 'compact':
        await context.recordSummary({ summary: 'it was said', throughSeq: 1, usage: USAGE })
        return 'compacted'
      default:
        return message
    }
  },
})

export default thinks
