/** What goes wrong at a model's end, through the whole stack: bounded retries, then a failure with a name, and the next message goes on. */
import { expect, test } from 'vitest'
import type { ModelRequest, Reply } from '../fakes/model-server.ts'
import { call, eventsOf, llmTeam, said } from './llm-team.ts'

/** By the name of an agent: how its first requests are answered. Those behind them are answered well. */
const FAULTS: { [id: string]: { replies: Reply[]; ends: 'completed' | 'failed' } } = {
  busy: { replies: [{ status: 429, retryAfter: 1 }], ends: 'completed' },
  once: { replies: [{ status: 500 }], ends: 'completed' },
  down: { replies: Array.from({ length: 4 }, () => ({ status: 500 })), ends: 'failed' },
  cut: { replies: [['half an answer', { fault: 'cut' }]], ends: 'completed' },
  malformed: { replies: [['half an answer', { fault: 'malformed' }]], ends: 'completed' },
  json: { replies: [{ fault: 'json' }], ends: 'completed' },
  empty: { replies: [{ fault: 'empty' }], ends: 'completed' },
  ended: { replies: [[call('shell', { command: 'touch never' }), { fault: 'end' }]], ends: 'completed' },
  refusing: { replies: [{ status: 400, message: 'no such parameter' }], ends: 'failed' },
  unknown: { replies: [{ status: 404, message: 'no such model' }], ends: 'failed' },
}

const idOf = ({ model }: ModelRequest): string => model

test('every fault of a model ends in a whole answer or in a named failure, and nothing of a failed try is kept', async () => {
  const asked = new Map<string, number>()
  const ids = Object.keys(FAULTS)
  const { agent, server, memory } = await llmTeam(
    (request) => {
      const count = asked.get(idOf(request)) ?? 0
      asked.set(idOf(request), count + 1)
      return FAULTS[idOf(request)]?.replies[count] ?? 'whole'
    },
    Object.fromEntries(ids.map((id) => [id, { model: `fake/${id}`, tools: ['shell'] }])),
    // Ten threads that start at once have two cores between them.
    { limits: { startMs: 60_000 } },
  )
  await Promise.all(
    ids.map(async (id) => {
      const fault = FAULTS[id]
      const events = await eventsOf(agent(id), 'begin')
      const end = events.at(-1)
      const outcome = end?.type === 'turn-finished' ? end.outcome : undefined
      expect([id, outcome?.status]).toEqual([id, fault?.ends])
      const retries = events.filter(({ type }) => type === 'retry').length
      if (fault?.ends === 'failed') {
        expect([id, outcome?.error?.code]).toEqual([id, 'model_failed'])
        expect([id, retries]).toEqual([id, fault.replies.length - 1])
      } else {
        expect([id, outcome?.result, retries]).toEqual([id, 'whole', fault?.replies.length])
      }
      const after = fault?.ends === 'failed' ? [] : ['assistant: whole']
      expect([id, ...said(await memory(id))]).toEqual([id, 'user: begin', ...after])
      expect(await agent(id).send('again')).toMatchObject({ status: 'completed', result: 'whole' })
    }),
  )
  expect(server.refused).toEqual([])
}, 60_000)

test('a model that never answers ends the turn at its time limit, and the request is closed', async () => {
  const { agent, server } = await llmTeam(
    (_, index) => (index === 0 ? ['half', { fault: 'hang' }] : 'whole'),
    { coder: { limits: { turnMs: 2_000 } } },
  )
  expect(await agent().send('begin')).toMatchObject({ status: 'failed', error: { code: 'turn_timeout' } })
  expect(await server.requests[0]?.ended).toBe('closed')
  expect(await agent().send('again')).toMatchObject({ status: 'completed', result: 'whole' })
})

test('an answer that was cut by its length says so in itself', async () => {
  const { agent } = await llmTeam(() => ['a part of', { finish: 'length' }])
  expect(await agent().send('begin')).toMatchObject({
    status: 'completed',
    result: 'a part of\n[the answer was cut off: it reached the longest that is allowed]',
  })
})
