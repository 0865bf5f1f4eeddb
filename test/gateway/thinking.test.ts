/** What the gateway shows of turns in which a model is asked, and how messages get into them. */
import { describe, expect, test } from 'vitest'
import type { AgentInfo, SessionInfo } from '../../src/api.ts'
import type { Outcome } from '../../src/protocol/from-agent.ts'
import { fakeBehavior } from '../fakes/open-team.ts'
import { until } from '../fakes/until.ts'
import { createGateway, eventsOf, type Gateway, type ReceivedEvent } from './harness.ts'

const THINKS = { id: 'thinks', behavior: fakeBehavior('thinks') }

async function thinkingGateway(): Promise<Gateway> {
  return createGateway({ team: { agents: [THINKS] } })
}

async function streamed(gateway: Gateway, input: string): Promise<ReceivedEvent[]> {
  const response = await gateway.fetch('/message', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ input }),
  })
  return Array.fromAsync(eventsOf(response))
}

/** All events of a stream, until one is the last. */
async function readUntil(
  response: Response,
  isLast: (event: ReceivedEvent) => boolean,
): Promise<ReceivedEvent[]> {
  const events: ReceivedEvent[] = []
  for await (const event of eventsOf(response)) {
    events.push(event)
    if (isLast(event)) break
  }
  return events
}

const turnOf = ({ data }: ReceivedEvent): { type?: string; text?: string } => data['event'] ?? {}
const isText = (event: ReceivedEvent): boolean => 'text' in turnOf(event)
const isFinished = (count: number): ((event: ReceivedEvent) => boolean) => {
  let left = count
  return (event) => turnOf(event).type === 'turn-finished' && --left === 0
}

describe('a turn of a model', () => {
  test('streams what it thinks, writes, tries again and records, in order', async () => {
    const gateway = await thinkingGateway()
    const events = await streamed(gateway, 'think')
    expect(events.map(({ event }) => event).filter((name) => name !== 'turn-started')).toEqual([
      'text',
      'reasoning',
      'retry',
      'text',
      'reasoning',
      'step-finished',
      'turn-finished',
    ])
    expect(events.every(({ id }) => id === undefined)).toBe(true)
    const usage = { inputTokens: 100, outputTokens: 7, costUsd: 0.25 }
    expect(events.find(({ event }) => event === 'step-finished')?.data).toEqual({
      type: 'step-finished',
      model: 'fake/m',
      toolCalls: 0,
      usage,
    })
    const outcome = events.at(-1)?.data['outcome'] as Outcome
    expect(outcome).toMatchObject({ status: 'completed', result: 'an answer', usage: { steps: 1, ...usage } })
    expect((await gateway.get<Outcome>(`/tasks/${outcome.taskId}`)).body).toEqual(outcome)
    const { body } = await gateway.get<AgentInfo>('/agents/thinks')
    expect(body.spent).toMatchObject({ steps: 1, ...usage, unpricedSteps: 0 })
  })

  test('shows on the stream of its session: what is not recorded has no id, and is not repeated', async () => {
    const gateway = await thinkingGateway()
    const { body } = await gateway.send<SessionInfo>('POST', '/sessions', { name: 'work' })
    const response = await gateway.fetch(`/sessions/${body.id}/events`)
    const reading = readUntil(response, ({ event }) => event === 'turn.finished')
    await gateway.send('POST', '/message', { input: 'think' })
    const events = await reading
    const passing = events.filter(({ id }) => id === undefined).map(({ event }) => event)
    expect(passing).toEqual(['text', 'reasoning', 'retry', 'text', 'reasoning'])
    const recorded = events.filter(({ id }) => id !== undefined)
    expect(recorded.find(({ event }) => event === 'step.model')?.data).toMatchObject({
      content: 'an answer',
      reasoning: 'second thought',
    })
    const again = await readUntil(
      await gateway.fetch(`/sessions/${body.id}/events`),
      ({ event }) => event === 'turn.finished',
    )
    expect(again).toEqual(recorded)
  })
})

describe('the stream of the team', () => {
  test('has text without an id, and goes on exactly behind every id, without the text that was', async () => {
    const gateway = await thinkingGateway()
    const reading = readUntil(await gateway.fetch('/events'), isFinished(1))
    await gateway.send('POST', '/message', { input: 'write 30' })
    const events = await reading
    const texts = events.filter(isText)
    expect(texts.length).toBeGreaterThan(10)
    expect(new Set(texts.map((event) => turnOf(event).type))).toEqual(new Set(['text', 'reasoning']))
    for (const { id } of texts) expect(id).toBeUndefined()
    const rest = events.filter((event) => !isText(event))
    for (const { id } of rest) expect(id).toMatch(/^\d+:\d+$/)
    for (const [index, { id = '' }] of rest.slice(0, -1).entries()) {
      const response = await gateway.fetch('/events', { headers: { 'last-event-id': id } })
      expect(await readUntil(response, isFinished(1))).toEqual(rest.slice(index + 1))
    }
  })

  test('has all else for a reader that was away while there was more text than it keeps events', async () => {
    const gateway = await thinkingGateway()
    const [ready] = await readUntil(await gateway.fetch('/events'), () => true)
    const before = gateway.team.lastEventSeq
    await gateway.send('POST', '/message', { input: 'write 250' })
    await until('the end', () => gateway.team.lastEventSeq > before + 1_000)
    const headers = { 'last-event-id': ready?.id ?? '' }
    const [first] = await readUntil(await gateway.fetch('/events', { headers }), () => true)
    expect(first?.event).not.toBe('reset')
  })
})

describe('a message that steers', () => {
  test('becomes a part of the running turn, and both get its outcome', async () => {
    const gateway = await thinkingGateway()
    const running = streamed(gateway, 'steer')
    await until(
      'the turn',
      async () => (await gateway.get<AgentInfo>('/agents/thinks')).body.state === 'working',
    )
    const { body } = await gateway.send<Outcome>('POST', '/message', { input: 'to the left', mode: 'steer' })
    const events = await running
    expect(body).toMatchObject({ status: 'completed', result: 'to the left' })
    const steered = events.find(({ event }) => event === 'steered')
    expect(steered?.data).toMatchObject({ input: 'to the left' })
    expect(events.at(-1)?.data).toMatchObject({ outcome: { result: 'to the left' } })
    const { body: session } = await gateway.get<SessionInfo>('/sessions/current')
    expect(session.counts.turns).toBe(1)
  })

  test('is a turn of its own where none runs, and waits in the queue without the mode', async () => {
    const gateway = await thinkingGateway()
    expect(
      (await gateway.send<Outcome>('POST', '/message', { input: 'hello', mode: 'steer' })).body.result,
    ).toBe('hello')
    const running = streamed(gateway, 'steer')
    await until(
      'the turn',
      async () => (await gateway.get<AgentInfo>('/agents/thinks')).body.state === 'working',
    )
    const queued = await gateway.fetch('/message', {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'respond-async' },
      body: JSON.stringify({ input: 'later', mode: 'queue' }),
    })
    const { taskId } = (await queued.json()) as Outcome
    await gateway.send('POST', '/message', { input: 'now', mode: 'steer' })
    expect((await running).at(-1)?.data).toMatchObject({ outcome: { result: 'now' } })
    const later = await gateway.send<Outcome>('POST', '/message', { input: 'later', taskId })
    expect(later.body).toMatchObject({ result: 'later' })
    expect((await gateway.get<SessionInfo>('/sessions/current')).body.counts.turns).toBe(3)
  })
})
