/** A resumable behavior of several recorded tool calls: after a crash it goes on behind the last one that is recorded. */
import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Behavior, defineBehavior } from '../../src/behavior.ts'

/** The message, as JSON. */
export interface StepsInput {
  /** The file that each call appends `{turnId}/{toolCallId}` to. */
  effects: string
  steps: number
  /** How long each call takes after its effect. */
  stepMs: number
}

const steps: Behavior = defineBehavior({
  name: 'steps',
  resumable: true,
  async run(message, context) {
    const { effects, steps, stepMs } = JSON.parse(message) as StepsInput
    const { turnId } = context.message
    const entries = context.session.memory.filter((entry) => entry.turnId === turnId)
    for (let step = 1; step <= steps; step++) {
      const toolCallId = `step-${step}`
      if (entries.some((entry) => entry.role === 'tool' && entry.toolCallId === toolCallId)) continue
      const isAnnounced = entries.some((entry) =>
        entry.toolCalls?.some((call) => call.toolCallId === toolCallId),
      )
      if (!isAnnounced) {
        await context.recordStep({ content: '', toolCalls: [{ toolCallId, name: 'append', input: step }] })
      }
      const append = async (): Promise<string> => {
        appendFileSync(effects, `${turnId}/${toolCallId}\n`)
        await sleep(stepMs)
        return 'appended'
      }
      await context.runTool('append', step, append, toolCallId)
    }
    return `${steps} steps`
  },
})

export default steps
