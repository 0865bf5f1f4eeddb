/** A behavior that records one step with usage: "known" at a price, anything else without one. */
import { type Behavior, defineBehavior } from '../../../src/behavior.ts'

const spends: Behavior = defineBehavior({
  async run(message, context) {
    const usage = { inputTokens: 12_000, outputTokens: 345, ...(message === 'known' && { costUsd: 0.0312 }) }
    await context.recordStep({ content: 'spent', model: 'local/m', usage })
    return undefined
  },
})

export default spends
