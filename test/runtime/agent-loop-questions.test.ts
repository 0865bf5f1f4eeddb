/** Questions of other agents as the asked agent's stay has them: taken back, left open, sent again. */
import { describe, expect, test } from 'vitest'
import { type Behavior, defineBehavior } from '../../src/behavior.ts'
import { createId } from '../../src/core/ids.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { SessionStore } from '../../src/store/session-store.ts'
import type { TurnContext } from '../../src/runtime/turn-context.ts'
import { LoopProbe, type LoopOptions } from '../fakes/loop-probe.ts'
import { until } from '../fakes/until.ts'

const asking: Behavior = defineBehavior({
  resumable: true,
  async run(message, context) {
    if (message !== 'ask') return message
    const turn = context as TurnContext
    if (turn.turn().calls.length === 0) {
      await turn.recordStep({ content: '', toolCalls: [{ toolCallId: 'one', name: 'rm', input: {} }] })
    }
    const { decision } = await turn.askApproval({
      toolCallId: 'one',
      tool: 'rm',
      subject: 'all',
      reason: 'it removes',
      grant: { tool: 'rm' },
      timeoutMs: 60_000,
    })
    await turn.refuseTool('one', decision)
    return decision
  },
})

async function start(options: LoopOptions): Promise<LoopProbe> {
  const probe = new LoopProbe({ behavior: asking, ...options })
  await probe.ready()
  return probe
}

/** A stay that was stopped while its turn waited, with one question of another agent behind it; both ids. */
async function leftOpen(store: SessionStore): Promise<{
  first: LoopProbe
  sessionId: string
  turnId: string
  questionId: string
}> {
  const first = await start({ store })
  const { sessionId, turnId } = await first.post('ask')
  await until('it waits', () => first.waiting)
  const questionId = createId()
  const askedBy = { agentId: 'other', turnId: createId(), depth: 1 }
  const message = { turnId: questionId, taskId: questionId, input: 'hello', from: 'other', askedBy }
  first.deliver({ type: 'message', id: 1_000, message, ack: 'finished' })
  await first.stop()
  return { first, sessionId, turnId, questionId }
}

describe('a stop', () => {
  test('leaves a question of another agent in the queue: it is asked again, and must not find itself cancelled', async () => {
    const store = createMemoryStore()
    const { first, sessionId, questionId } = await leftOpen(store)
    expect((await store.load(sessionId)).state.queue).toMatchObject([{ turnId: questionId }])
    const failures = first.envelopes.filter(({ type }) => type === 'failure')
    expect(failures).toMatchObject([{ id: 1_000, error: { code: 'agent_stopped' } }])
  })
})

describe('a cancel in a stay that runs no turns', () => {
  test('ends the turn that was left open, what it left behind too, and a question in the queue', async () => {
    const store = createMemoryStore()
    const { first, sessionId, turnId, questionId } = await leftOpen(store)
    const ended: string[] = []
    const later = await start({
      store,
      claims: first.claims,
      currentSessionId: sessionId,
      resume: false,
      endLeftovers: async (id) => void ended.push(id),
    })
    expect(await later.cancel(questionId)).toBe(true)
    expect(await later.cancel(turnId)).toBe(true)
    expect(await later.cancel(turnId)).toBe(false)
    await later.stop()
    const { state } = await store.load(sessionId)
    expect(state).toMatchObject({ turn: null, queue: [], approvals: [] })
    expect(state.tasks).toMatchObject([
      { turnId: questionId, status: 'cancelled' },
      { turnId, status: 'cancelled' },
    ])
    expect(ended).toEqual([turnId])
  })
})

describe('a message that is sent again under its own turnId', () => {
  test('has one place in the mailbox, until its turn has ended', async () => {
    const probe = await start({ mailboxMessages: 2 })
    const turnId = createId()
    const turn = probe.send('ask', { turnId, taskId: turnId })
    await until('it waits', () => probe.waiting)
    const again = probe.send('ask', { turnId, taskId: turnId })
    await probe.settle()
    const next = probe.send('next')
    await expect(probe.send('too many')).rejects.toMatchObject({ code: 'mailbox_full' })
    await probe.cancel(turnId)
    expect(await again).toEqual(await turn)
    await next
    await probe.send('one')
    await probe.stop()
  })
})
