import autocannon from 'autocannon'
import { expect, onTestFinished, test } from 'vitest'
import type { MemoryEntry } from '../../src/core/session-state.ts'
import type { Outcome } from '../../src/protocol/from-agent.ts'
import { type Served, startServe } from './built-serve.ts'

const AMOUNT = 2_000
const AGENTS = ['first', 'second']

/** The requests in turn, from 16 connections at once, until `AMOUNT` of them are answered. */
async function fire(served: Served, requests: autocannon.Request[]): Promise<autocannon.Result> {
  const headers = { authorization: `Bearer ${served.token}`, 'content-type': 'application/json' }
  return autocannon({ url: served.url, connections: 16, amount: AMOUNT, headers, requests })
}

async function conversationOf(served: Served, agent: string): Promise<MemoryEntry[]> {
  const entries: MemoryEntry[] = []
  let cursor = ''
  for (;;) {
    const { body: session } = await served.ask<{ id: string }>('GET', `/agents/${agent}/sessions/current`)
    const { body } = await served.ask<{ messages: MemoryEntry[]; nextCursor?: string }>(
      'GET',
      `/sessions/${session.id}/messages?limit=500${cursor}`,
    )
    entries.push(...body.messages)
    if (body.nextCursor === undefined) return entries
    cursor = `&cursor=${body.nextCursor}`
  }
}

test('under load every request is answered well, and every acknowledged message has its turn', async () => {
  const served = await startServe({ logLevel: 'warn' })
  onTestFinished(async () => {
    await served.stop()
  })
  for (const id of AGENTS) await served.ask('POST', '/agents', { id, behavior: 'echo' })
  // Of another agent: a session knows the tasks of its last 200 turns.
  await served.ask('POST', '/agents', { id: 'quiet', behavior: 'echo' })
  await served.ask('POST', '/agents/quiet/message', { input: 'before', taskId: 'known' })

  let sent = 0
  const outcomes: Outcome[] = []
  const messages = fire(
    served,
    AGENTS.map((agent) => ({
      method: 'POST',
      path: `/agents/${agent}/message`,
      setupRequest(request) {
        sent += 1
        return { ...request, body: JSON.stringify({ input: `number ${sent}`, taskId: `task-${sent}` }) }
      },
      onResponse: (_, body) => void outcomes.push(JSON.parse(body) as Outcome),
    })),
  )
  const reads = fire(
    served,
    ['/agents', '/agents/first', '/sessions', '/sessions?search=default', '/tasks/known', '/team'].map(
      (path) => ({ method: 'GET', path }),
    ),
  )
  for (const result of [await messages, await reads]) {
    expect(result).toMatchObject({ '2xx': AMOUNT, non2xx: 0, errors: 0, timeouts: 0, mismatches: 0 })
  }

  expect(new Set(outcomes.map(({ taskId }) => taskId)).size).toBe(AMOUNT)
  for (const agent of AGENTS) {
    const entries = await conversationOf(served, agent)
    const inputs = new Map(entries.map(({ role, turnId, content }) => [`${role} ${turnId}`, content]))
    for (const { agentId, turnId, taskId, result, status } of outcomes) {
      if (agentId !== agent) continue
      const input = taskId.replace('task-', 'number ')
      expect([status, result]).toEqual(['completed', input])
      expect([inputs.get(`user ${turnId}`), inputs.get(`assistant ${turnId}`)]).toEqual([input, input])
    }
    // And no message has two.
    expect(entries.length).toBe(2 * new Set(entries.map(({ turnId }) => turnId)).size)
  }
}, 120_000)
