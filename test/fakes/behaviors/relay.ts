/**
 * A behavior that does what its message says, in JSON: asks other agents (all at once), has a call approved, and answers. It goes on
 * after a crash or a rest; what it has answers for it does not do again, like any behavior that resumes.
 */
import { appendFileSync } from 'node:fs'
import { type Behavior, type BehaviorContext, defineBehavior } from '../../../src/behavior.ts'
import { describeThrown } from '../../../src/errors.ts'
import type { TurnContext } from '../../../src/runtime/turn-context.ts'

export interface Relay {
  say?: string
  ask?: { agent: string; relay: Relay }[]
  /** Asked for approval; what it does is append `line` to `file`. */
  approve?: { file: string; line: string; timeoutMs?: number }
}

const relay: Behavior = defineBehavior({
  resumable: true,
  async run(message, context) {
    const { say = context.agentId, ask = [], approve } = JSON.parse(message) as Relay
    const answers = ask.map(async ({ agent, relay }) => {
      try {
        const { status, result } = await context.ask(agent, JSON.stringify(relay))
        return status === 'completed' ? result : status
      } catch (error) {
        context.signal.throwIfAborted()
        return describeThrown(error)
      }
    })
    const parts = [say, ...(await Promise.all(answers))]
    if (approve) parts.push(await approved(context as TurnContext, approve))
    return parts.join(' ')
  },
})

export default relay

const CALL = 'append-1'

async function approved(
  context: TurnContext,
  { file, line, timeoutMs = 60_000 }: NonNullable<Relay['approve']>,
): Promise<string> {
  const known = context.turn().calls.find(({ toolCallId }) => toolCallId === CALL)
  if (known === undefined) {
    const input = { file, line }
    await context.recordStep({ content: '', toolCalls: [{ toolCallId: CALL, name: 'append', input }] })
  }
  const answer = await context.askApproval({
    toolCallId: CALL,
    tool: 'append',
    subject: line,
    reason: 'it writes',
    grant: { tool: 'append' },
    timeoutMs,
  })
  if (answer.decision === 'deny') {
    const why = answer.by === 'timeout' ? 'nobody answered' : (answer.reason ?? 'no')
    await context.refuseTool(CALL, why)
    return `refused: ${why}`
  }
  const append = async (input: BehaviorContext['agentId']): Promise<string> => {
    appendFileSync(file, `${line}\n`)
    return input
  }
  const { content } = await context.runTool('append', { file, line }, () => append('appended'), CALL)
  return content
}
