/** What may come between the record of a tool's start and the tool. */
import { describe, expect, test } from 'vitest'
import type { BehaviorContext } from '../../src/behavior.ts'
import type { SessionRecord } from '../../src/core/record.ts'
import { AgentryError } from '../../src/errors.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { SessionStore } from '../../src/store/session-store.ts'
import { type LoopProbe, startLoop } from '../fakes/loop-probe.ts'
import { slowStore } from '../fakes/slow-store.ts'
import { until } from '../fakes/until.ts'

/** A store that takes some rounds of the event loop, in the first of which `during` is called for what is written. */
function storeWith(during: (records: readonly SessionRecord[]) => void): SessionStore {
  const slow = slowStore(createMemoryStore())
  return {
    ...slow,
    append(claim, sessionId, expectedSeq, records) {
      const appended = slow.append(claim, sessionId, expectedSeq, records)
      during(records)
      return appended
    },
  }
}

async function recordsOf(probe: LoopProbe): Promise<SessionRecord[]> {
  const sent = probe.envelopes.find((envelope) => envelope.type === 'records')
  return sent ? probe.records(sent.sessionId) : []
}

const starts = (records: readonly SessionRecord[], name: string) =>
  records.some((record) => record.type === 'tool.started' && record.name === name)

const NOT_RUN = { outcome: 'error', content: expect.stringMatching(/^not run: /) as string }

async function paying(context: BehaviorContext, pay: () => number): Promise<string> {
  const { content } = await context.runTool('pay', { amount: 1 }, async () => String(pay()))
  return content
}

describe('while the start of a tool is written', () => {
  test('a cancel keeps it from running, and the record says so', async () => {
    let ran = 0
    let cancelled: Promise<boolean> | undefined
    const store = storeWith((records) => {
      if (starts(records, 'pay')) cancelled = probe.cancel()
    })
    const probe = await startLoop({
      store,
      behavior: { run: async (_message, context) => paying(context, () => (ran += 1)) },
    })
    expect(await probe.send('go')).toMatchObject({ status: 'cancelled' })
    expect(await cancelled).toBe(true)
    expect(ran).toBe(0)
    expect((await recordsOf(probe)).find(({ type }) => type === 'tool.finished')).toMatchObject(NOT_RUN)
  })

  test('a stop keeps it from running too', async () => {
    let ran = 0
    let stopped: Promise<void> | undefined
    const store = storeWith((records) => {
      if (starts(records, 'pay')) stopped = probe.stop()
    })
    const probe = await startLoop({
      store,
      behavior: { run: async (_message, context) => paying(context, () => (ran += 1)) },
    })
    expect(await probe.send('go')).toMatchObject({ status: 'interrupted' })
    await stopped
    expect(ran).toBe(0)
    expect((await recordsOf(probe)).find(({ type }) => type === 'tool.finished')).toMatchObject(NOT_RUN)
  })

  test('a turn that waits for an agent beside it does more than wait: it is not left for another stay', async () => {
    const ran = Promise.withResolvers<void>()
    const store = storeWith((records) => {
      if (starts(records, 'pay')) probe.deliver({ type: 'rest' })
    })
    const probe = await startLoop({
      store,
      behavior: {
        resumable: true,
        async run(_message, context) {
          const answer = context.ask('b', 'well?')
          await until('it waits', () => probe.waiting)
          await paying(context, () => {
            ran.resolve()
            return 1
          })
          return (await answer).result
        },
      },
    })
    const outcome = probe.send('go')
    await Promise.race([ran.promise, probe.ended])
    expect(probe.envelopes.filter(({ type }) => type === 'busy')).toHaveLength(1)
    const [request] = probe.teamRequests()
    const value = { status: 'completed', result: 'well', agentId: 'b' }
    probe.deliver({ type: 'team-response', id: request?.id ?? 0, value })
    expect(await outcome).toMatchObject({ status: 'completed', result: 'well' })
  })
})

test('a tool that cannot tell whether it did it is recorded as unknown, and an error for who called it', async () => {
  const outcomes: string[] = []
  const lost = (): Promise<string> =>
    Promise.reject(new AgentryError('outcome_unknown', 'the line was cut: it may have been paid'))
  const probe = await startLoop({
    behavior: {
      run: async (_message, context) => {
        const { outcome = 'ok', content } = await context.runTool('pay', { amount: 1 }, lost)
        outcomes.push(outcome)
        return content
      },
    },
  })
  expect(await probe.send('go')).toMatchObject({
    status: 'completed',
    result: 'the line was cut: it may have been paid',
  })
  expect(outcomes).toEqual(['error'])
  expect((await recordsOf(probe)).find(({ type }) => type === 'tool.finished')).toMatchObject({
    outcome: 'unknown',
  })
  await probe.stop()
})
