import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { SessionInfo } from '../../src/api.ts'
import { startModelServer } from '../fakes/model-server.ts'
import { fakeBehavior } from '../fakes/open-team.ts'
import { until } from '../fakes/until.ts'
import { createGateway, type Gateway, json } from './harness.ts'

async function figures(gateway: Gateway): Promise<Map<string, number>> {
  const response = await gateway.fetch('/metrics')
  expect(response.headers.get('content-type')).toContain('version=0.0.4')
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  )
}

describe('the metrics', () => {
  test('count turns, errors and requests, and show what is', async () => {
    const gateway = await createGateway({
      team: { agents: [{ id: 'ops', behavior: 'shell', limits: { turnMs: 1_500 } }] },
    })
    await gateway.send('POST', '/message', { input: 'true' })
    await gateway.send('POST', '/message', { input: 'sleep 5' })
    await gateway.fail(404, 'GET', '/agents/nobody')
    const after = await until('the turns', async () => {
      const now = await figures(gateway)
      return now.get('agentry_turns_total{agent="ops",status="failed"}') === 1 && now
    })
    expect(after.get('agentry_turns_total{agent="ops",status="completed"}')).toBe(1)
    expect(after.get('agentry_turn_errors_total{code="turn_timeout"}')).toBe(1)
    expect(after.get('agentry_turn_duration_seconds_count{agent="ops"}')).toBe(2)
    expect(after.get('agentry_turn_duration_seconds_sum{agent="ops"}')).toBeGreaterThan(1.5)
    const requests = 'agentry_http_request_duration_seconds_count'
    expect(after.get(`${requests}{method="POST",route="/agents/:agent/message",status="200"}`)).toBe(2)
    expect(after.get(`${requests}{method="GET",route="/agents/:agent",status="404"}`)).toBe(1)
    expect(after.get('agentry_sessions')).toBe(1)
    expect(after.get('agentry_agent_queue_depth{agent="ops"}')).toBe(0)
    expect(after.get('agentry_disk_bytes')).toBeGreaterThan(0)
  })

  test('count the writes of sessions that failed', async () => {
    const gateway = await createGateway({ team: { agents: [{ id: 'echo', behavior: 'echo' }] } })
    const { body } = await gateway.send<SessionInfo>('POST', '/sessions', { name: 'x' })
    const name = 'agentry_store_errors_total{kind="snapshot"}'
    expect((await figures(gateway)).get(name)).toBe(0)
    const snapshot = join(gateway.team.directory, `${body.id}.json`)
    rmSync(snapshot)
    mkdirSync(snapshot)
    await gateway.send('POST', '/message', { input: 'y' })
    await gateway.fail(500, 'POST', `/sessions/${body.id}/save`)
    await gateway.fail(500, 'POST', `/sessions/${body.id}/save`)
    await until('the failures', async () => (await figures(gateway)).get(name) === 2)
    // A fault that repeats itself is one note.
    expect(gateway.team.health().notes.map(({ kind }) => kind)).toEqual(['snapshot-failed'])
  })

  test('have no label that a client can make up', async () => {
    const gateway = await createGateway({ team: { agents: [{ id: 'echo', behavior: 'echo' }] } })
    const before = (await figures(gateway)).size
    for (let number = 0; number < 50; number++) {
      await gateway.fail(404, 'GET', `/made-up-${number}`)
      await gateway.fail(404, 'GET', `/agents/made-up-${number}`)
      await gateway.fail(404, 'POST', `/message?agent=made-up-${number}`, json({ input: 'x' }))
    }
    const after = await figures(gateway)
    expect([...after.keys()].filter((name) => name.includes('made-up'))).toEqual([])
    // Four series of requests at most, each with its buckets, sum and count.
    expect(after.size - before).toBeLessThanOrEqual(4 * 12)
  })

  test('forget an agent that is removed', async () => {
    const gateway = await createGateway({ team: { agents: [{ id: 'echo', behavior: 'echo' }] } })
    expect((await figures(gateway)).has('agentry_agent_restarts{agent="echo"}')).toBe(true)
    await gateway.send('DELETE', '/agents/echo?remove=true')
    expect((await figures(gateway)).has('agentry_agent_restarts{agent="echo"}')).toBe(false)
  })

  test('count tokens, cost, retries and failures of models, and the questions that are open', async () => {
    const server = await startModelServer({ reply: () => ({ status: 400, message: 'no such model' }) })
    onTestFinished(() => server.close())
    const gateway = await createGateway({
      team: {
        providers: { fake: { type: 'openai-compatible', baseURL: server.openaiURL } },
        agents: [
          ...['thinks', 'relay'].map((id) => ({ id, behavior: fakeBehavior(id) })),
          { id: 'coder', behavior: 'llm', model: 'fake/m' },
        ],
      },
    })
    for (const input of ['think', 'think', 'compact']) {
      await gateway.send('POST', '/message?agent=thinks', { input })
    }
    expect((await gateway.send('POST', '/message?agent=coder', { input: 'x' })).body).toMatchObject({
      error: { code: 'model_failed' },
    })
    const approve = { file: '/dev/null', line: 'x' }
    const asking = gateway.send('POST', '/message?agent=relay', { input: JSON.stringify({ approve }) })
    const after = await until('the figures', async () => {
      const now = await figures(gateway)
      return (
        now.get('agentry_approvals') === 1 &&
        now.get('agentry_model_failures_total{agent="coder"}') === 1 &&
        now
      )
    })
    expect(after.get('agentry_model_tokens_total{agent="thinks",direction="in"}')).toBe(300)
    expect(after.get('agentry_model_tokens_total{agent="thinks",direction="out"}')).toBe(21)
    expect(after.get('agentry_model_cost_usd_total{agent="thinks"}')).toBe(0.75)
    expect(after.get('agentry_model_retries_total{agent="thinks"}')).toBe(2)
    expect(after.get('agentry_turn_errors_total{code="model_failed"}')).toBe(1)
    expect(after.get('agentry_agent_waiting{agent="relay"}')).toBe(1)
    const [question] = gateway.team.approvals()
    await gateway.send('POST', `/approvals/${question?.approvalId}`, { decision: 'deny' })
    await asking
    const answered = await figures(gateway)
    expect(answered.get('agentry_approvals')).toBe(0)
    expect(answered.get('agentry_agent_waiting{agent="relay"}')).toBe(0)
  })
})
