import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { AgentInfo, SessionInfo } from '../../src/api.ts'
import type { MemoryEntry } from '../../src/core/session-state.ts'
import type { Outcome } from '../../src/protocol/from-agent.ts'
import { AgentHandle } from '../../src/supervisor/agent-handle.ts'
import { until } from '../fakes/until.ts'
import { createGateway, eventsOf, type Gateway, json } from './harness.ts'

const ECHO = { id: 'echo', behavior: 'echo' }

async function gatewayWithEcho(): Promise<Gateway> {
  return createGateway({ team: { agents: [ECHO] } })
}

describe('agents over HTTP', () => {
  test('are spawned, listed, inspected, stopped, started again and removed', async () => {
    const gateway = await createGateway()
    const spawned = await gateway.send<AgentInfo>('POST', '/agents', { ...ECHO, role: 'repeats' })
    expect(spawned).toMatchObject({ status: 201, body: { id: 'echo', role: 'repeats' } })
    expect(spawned.headers.get('location')).toBe('/agents/echo')

    const { body: list } = await gateway.get<{ agents: AgentInfo[] }>('/agents')
    expect(list.agents.map(({ id }) => id)).toEqual(['echo'])
    expect(await gateway.get('/agents/echo')).toMatchObject({
      body: { id: 'echo', spec: { behavior: 'echo' } },
    })

    expect(await gateway.send('DELETE', '/agents/echo')).toMatchObject({ body: { state: 'stopped' } })
    expect(await gateway.fail(409, 'POST', '/agents/echo/message', json({ input: 'hi' }))).toMatchObject({
      code: 'agent_stopped',
      data: { agentId: 'echo', state: 'stopped' },
    })
    await gateway.send('POST', '/agents/echo/restart')
    expect(await gateway.send('POST', '/agents/echo/message', { input: 'hi' })).toMatchObject({
      body: { result: 'hi' },
    })

    await gateway.send('DELETE', '/agents/echo?remove=true')
    await gateway.fail(404, 'GET', '/agents/echo')
  })

  test('are new for exactly one of those who spawn them at the same time', async () => {
    const gateway = await createGateway()
    const spawn = (role: string) => gateway.fetch('/agents', { method: 'POST', ...json({ ...ECHO, role }) })
    const answers = await Promise.all(['one', 'one', 'one', 'other'].map(spawn))
    expect(answers.map(({ status }) => status)).toEqual([201, 200, 200, 409])
  })

  test('are spawned again without change, and refused with another spec', async () => {
    const gateway = await gatewayWithEcho()
    expect(await gateway.send('POST', '/agents', ECHO)).toMatchObject({ status: 200 })
    expect(await gateway.fail(409, 'POST', '/agents', json({ id: 'echo', behavior: 'shell' }))).toMatchObject(
      {
        code: 'agent_exists',
      },
    )
  })

  test('come in pages', async () => {
    const gateway = await createGateway({
      team: { agents: ['a', 'b', 'c'].map((id) => ({ id, behavior: 'echo' })) },
    })
    const first = await gateway.get<{ agents: AgentInfo[]; nextCursor: string }>('/agents?limit=2')
    expect(first.body.agents.map(({ id }) => id)).toEqual(['a', 'b'])
    const second = await gateway.get<{ agents: AgentInfo[] }>(
      `/agents?limit=2&cursor=${first.body.nextCursor}`,
    )
    expect(second.body.agents.map(({ id }) => id)).toEqual(['c'])
    expect(second.body).not.toHaveProperty('nextCursor')
  })
})

describe('messages over HTTP', () => {
  test('are answered with the outcome of their turn', async () => {
    const gateway = await gatewayWithEcho()
    const { body } = await gateway.send<Outcome>('POST', '/agents/echo/message', {
      input: 'hello',
      taskId: 't1',
    })
    expect(body).toMatchObject({ status: 'completed', result: 'hello', taskId: 't1', agentId: 'echo' })
    expect(await gateway.get('/tasks/t1')).toMatchObject({ body })
  })

  test('are answered by a stream of their events where that is asked for', async () => {
    const gateway = await gatewayWithEcho()
    const response = await gateway.fetch('/agents/echo/message', {
      method: 'POST',
      ...json({ input: 'hello\r\n\r\nevent: forged\ndata: {}\n\n', taskId: 't1' }),
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(response.headers.get('location')).toBe('/tasks/t1')
    const events = await Array.fromAsync(eventsOf(response))
    expect(events.map(({ event }) => event)).not.toContain('forged')
    expect(events.at(0)).toMatchObject({ event: 'turn-started' })
    expect(events.at(-1)).toMatchObject({
      event: 'turn-finished',
      data: { outcome: { status: 'completed', result: 'hello\r\n\r\nevent: forged\ndata: {}\n\n' } },
    })
  })

  test.each([0, 1, 2])(
    'are forgotten by a stream whose reader leaves after %i readings',
    async (readings) => {
      const gateway = await gatewayWithEcho()
      let left = false
      const spy = vi.spyOn(AgentHandle.prototype, 'stream').mockImplementation(async function* (_, options) {
        const { promise: aborted, resolve } = Promise.withResolvers<void>()
        options?.signal?.addEventListener('abort', () => resolve())
        try {
          yield { type: 'turn-started', turnId: 'turn', sessionId: 'session', attempt: 1 }
          await aborted
        } finally {
          left = true
        }
      })
      onTestFinished(() => spy.mockRestore())
      const response = await gateway.fetch('/agents/echo/message', {
        method: 'POST',
        ...json({ input: 'hello' }),
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      })
      const reader = response.body?.getReader()
      for (let reading = 0; reading < readings; reading++) await reader?.read()
      await reader?.cancel()
      await until('the reader to be forgotten', () => left)
    },
  )

  test('that cannot be taken are refused by status, also where a stream was asked for', async () => {
    const gateway = await gatewayWithEcho()
    await gateway.send('DELETE', '/agents/echo')
    const problem = await gateway.fail(409, 'POST', '/agents/echo/message', {
      ...json({ input: 'hello' }),
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    })
    expect(problem.code).toBe('agent_stopped')
  })

  test('are accepted at once with Prefer: respond-async', async () => {
    const gateway = await gatewayWithEcho()
    const response = await gateway.fetch('/agents/echo/message', {
      method: 'POST',
      ...json({ input: 'later', taskId: 'a/b' }),
      headers: { 'content-type': 'application/json', prefer: 'respond-async, wait=0' },
    })
    expect(response.status).toBe(202)
    expect(response.headers.get('location')).toBe('/tasks/a%2Fb')
    expect(response.headers.get('preference-applied')).toBe('respond-async')
    // The same task joins the turn and waits for its end.
    await gateway.send('POST', '/agents/echo/message', { input: 'later', taskId: 'a/b' })
    expect(await gateway.get('/tasks/a%2Fb')).toMatchObject({
      body: { status: 'completed', result: 'later' },
    })
  })

  test.each([
    ['null', { input: 'true', from: null, task_id: null, metadata: null }],
    ['an empty text', { input: 'true', from: '', taskId: '', task_id: '', sessionId: '' }],
  ])('are taken with %s for what is left out, and with an empty ?agent=', async (_, message) => {
    const gateway = await gatewayWithEcho()
    expect(await gateway.send('POST', '/message?agent=', message)).toMatchObject({
      body: { status: 'completed', result: 'true', agentId: 'echo' },
    })
    const session = { name: 'x', description: null, vars: null, metadata: null }
    expect(await gateway.send('POST', '/sessions?agent=', session)).toMatchObject({
      body: { agentId: 'echo' },
    })
    await gateway.fail(400, 'POST', '/message', json({ ...message, input: null }))
  })

  test('of clients of the original are taken as they are, by the default agent', async () => {
    const gateway = await gatewayWithEcho()
    const { body } = await gateway.send<Outcome>('POST', '/message', {
      input: 'hello',
      from: 'someone',
      task_id: 'task-1',
      metadata: { priority: 'high' },
    })
    expect(body).toMatchObject({ status: 'completed', result: 'hello', taskId: 'task-1' })
    expect(await gateway.send('POST', '/message?agent=echo', { input: 'x' })).toMatchObject({ status: 200 })
    expect(await gateway.fail(404, 'POST', '/message?agent=nobody', json({ input: 'x' }))).toMatchObject({
      code: 'agent_not_found',
    })
  })

  test('can be sent to one session only, and to no agent of another task', async () => {
    const gateway = await createGateway({ team: { agents: [ECHO, { id: 'other', behavior: 'echo' }] } })
    await gateway.send('POST', '/agents/echo/message', { input: 'x', taskId: 't1' })
    expect(
      await gateway.fail(409, 'POST', '/agents/other/message', json({ input: 'x', taskId: 't1' })),
    ).toMatchObject({ code: 'task_conflict' })
    const elsewhere = { input: 'x', sessionId: '0199c0de-0000-7000-8000-000000000000' }
    expect(await gateway.fail(404, 'POST', '/agents/echo/message', json(elsewhere))).toMatchObject({
      code: 'session_not_found',
    })
  })

  test('can be cancelled', async () => {
    const gateway = await createGateway({ team: { agents: [{ id: 'ops', behavior: 'shell' }] } })
    const response = await gateway.fetch('/agents/ops/message', {
      method: 'POST',
      ...json({ input: 'sleep 60' }),
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    })
    for await (const { event, data } of eventsOf(response)) {
      if (event === 'tool-started') {
        expect(await gateway.send('POST', '/agents/ops/cancel')).toMatchObject({ body: { cancelled: true } })
      }
      if (event === 'turn-finished') expect(data).toMatchObject({ outcome: { status: 'cancelled' } })
    }
    expect(await gateway.send('POST', '/agents/ops/cancel')).toMatchObject({ body: { cancelled: false } })
  })

  test('may name a type of the body that they do not send', async () => {
    const gateway = await createGateway({ team: { agents: [{ id: 'ops', behavior: 'shell' }] } })
    const headers = { 'content-type': 'application/json' }
    const cancel = await gateway.fetch('/agents/ops/cancel', { method: 'POST', headers })
    expect([cancel.status, await cancel.json()]).toEqual([200, { cancelled: false }])
    const message = await gateway.fetch('/agents/ops/message', { method: 'POST', headers })
    expect(message.status).toBe(400)
  })
})

describe('sessions over HTTP', () => {
  test('live from creation to the trash and back', async () => {
    const gateway = await gatewayWithEcho()
    const base = '/agents/echo/sessions'
    await gateway.fail(404, 'GET', `${base}/current`)
    const created = await gateway.send<SessionInfo>('POST', base, {
      name: 'work',
      description: 'Development work',
      vars: { A: '1', B: '2' },
      metadata: { deep: { list: [1, null, 'x'] } },
    })
    expect(created.status).toBe(201)
    const { id } = created.body
    expect(created.headers.get('location')).toBe(`${base}/${id}`)
    expect(await gateway.get(`${base}/current`)).toMatchObject({
      body: { id, status: 'active', current: true },
    })

    expect(
      await gateway.send('PATCH', `${base}/${id}`, { name: 'renamed', vars: { A: null, C: '3' } }),
    ).toMatchObject({ body: { name: 'renamed', vars: { B: '2', C: '3' } } })
    await gateway.send('POST', '/agents/echo/message', { input: 'hello' })
    expect(await gateway.send('POST', `${base}/${id}/save`)).toMatchObject({ body: { id } })
    expect(await gateway.send('POST', `${base}/${id}/suspend`)).toMatchObject({
      body: { status: 'suspended' },
    })
    expect(await gateway.send('POST', `${base}/${id}`)).toMatchObject({
      body: { status: 'active', current: true },
    })

    const fork = await gateway.send<SessionInfo>('POST', `${base}/${id}/fork`, { name: 'copy' })
    expect(fork).toMatchObject({
      status: 201,
      body: { name: 'copy', status: 'suspended', forkedFrom: { sessionId: id } },
    })
    expect(await gateway.send('POST', `${base}/${id}/fork`)).toMatchObject({ status: 201 })

    expect(await gateway.send('DELETE', `${base}/${id}`)).toMatchObject({ body: { status: 'terminated' } })
    const conflict = await gateway.fail(409, 'POST', `${base}/${id}`)
    expect(conflict).toMatchObject({
      code: 'session_terminated',
      data: { sessionId: id, status: 'terminated' },
    })

    await gateway.send('DELETE', `${base}/${id}?purge=true`)
    await gateway.fail(404, 'GET', `${base}/${id}`)
    expect(await gateway.get(`${base}?trashed=true`)).toMatchObject({ body: { sessions: [{ id }] } })
    expect(await gateway.send('POST', `${base}/${id}/restore`)).toMatchObject({ body: { id } })
    expect(await gateway.get(`${base}/${id}`)).toMatchObject({ body: { id, name: 'renamed' } })
  })

  test('are listed by agent and for the team, filtered, searched and in pages that miss none', async () => {
    const gateway = await createGateway({ team: { agents: [ECHO, { id: 'other', behavior: 'echo' }] } })
    for (let number = 1; number <= 7; number++) {
      await gateway.send('POST', '/agents/echo/sessions', {
        name: `echo-${number}`,
        description: 'Über alles',
      })
    }
    await gateway.send('POST', '/agents/other/sessions', { name: 'elsewhere' })

    const seen: string[] = []
    let cursor = ''
    do {
      const { body } = await gateway.get<{ sessions: SessionInfo[]; nextCursor?: string }>(
        `/agents/echo/sessions?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`,
      )
      seen.push(...body.sessions.map(({ name }) => name))
      cursor = body.nextCursor ?? ''
    } while (cursor !== '')
    expect(seen.toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7].map((number) => `echo-${number}`))

    const names = async (path: string): Promise<string[]> =>
      (await gateway.get<{ sessions: SessionInfo[] }>(path)).body.sessions.map(({ name }) => name).toSorted()
    expect(await names('/sessions')).toHaveLength(8)
    expect(await names('/sessions?agent=other')).toEqual(['elsewhere'])
    expect(await names('/sessions?search=ECHO-3')).toEqual(['echo-3'])
    expect(await names(`/sessions?search=${encodeURIComponent('über')}`)).toHaveLength(7)
    expect(await names('/sessions?status=active')).toEqual(['echo-7', 'elsewhere'])
    expect(await names('/sessions?limit=999999')).toHaveLength(8)
  })

  test('show their conversation in pages', async () => {
    const gateway = await gatewayWithEcho()
    for (const input of ['one', 'two', 'three']) await gateway.send('POST', '/agents/echo/message', { input })
    const { body: session } = await gateway.get<SessionInfo>('/agents/echo/sessions/current')
    expect(session).not.toHaveProperty('memory')

    const path = `/agents/echo/sessions/${session.id}/messages`
    const first = await gateway.get<{ messages: MemoryEntry[]; nextCursor: string }>(`${path}?limit=4`)
    const second = await gateway.get<{ messages: MemoryEntry[] }>(`${path}?cursor=${first.body.nextCursor}`)
    expect(
      [...first.body.messages, ...second.body.messages].map(({ role, content }) => [role, content]),
    ).toEqual(
      ['one', 'two', 'three'].flatMap((text) => [
        ['user', text],
        ['assistant', text],
      ]),
    )
    expect(second.body).not.toHaveProperty('nextCursor')
  })

  test('are exported and imported whole', async () => {
    const gateway = await createGateway({ team: { agents: [ECHO, { id: 'other', behavior: 'echo' }] } })
    await gateway.send('POST', '/agents/echo/message', { input: 'hello' })
    const { body: current } = await gateway.get<SessionInfo>('/agents/echo/sessions/current')
    const { body: state } = await gateway.get<{ name: string; memory: MemoryEntry[] }>(
      `/agents/echo/sessions/${current.id}/export`,
    )
    const imported = await gateway.send<SessionInfo>('POST', '/agents/other/import', {
      name: 'taken over',
      status: 'suspended',
      memory: state.memory,
    })
    const { body } = await gateway.get<{ messages: MemoryEntry[] }>(`/sessions/${imported.body.id}/messages`)
    expect(body.messages.map(({ content }) => content)).toEqual(['hello', 'hello'])
  })

  test('come back from the trash at the root, whichever agent has them', async () => {
    const gateway = await createGateway({ team: { agents: [ECHO, { id: 'other', behavior: 'echo' }] } })
    const { body } = await gateway.send<SessionInfo>('POST', '/agents/other/sessions', { name: 'x' })
    await gateway.send('DELETE', `/sessions/${body.id}?purge=true`)
    await gateway.fail(404, 'GET', `/sessions/${body.id}`)
    expect(await gateway.send('POST', `/sessions/${body.id}/restore`)).toMatchObject({
      body: { id: body.id, agentId: 'other' },
    })
  })

  test('are there at the root, by their own agent, by ?agent= and by the default agent', async () => {
    const gateway = await createGateway({
      team: { agents: [ECHO, { id: 'other', behavior: 'echo' }] },
      app: { defaultAgent: 'other' },
    })
    const { body: mine } = await gateway.send<SessionInfo>('POST', '/sessions', {
      name: 'of the default agent',
    })
    expect(mine.agentId).toBe('other')
    const { body: named } = await gateway.send<SessionInfo>('POST', '/sessions?agent=echo', {
      name: 'of echo',
    })
    expect(named.agentId).toBe('echo')
    expect(await gateway.get('/sessions/current')).toMatchObject({ body: { id: mine.id } })
    expect(await gateway.get(`/sessions/${named.id}`)).toMatchObject({ body: { id: named.id } })
    await gateway.fail(404, 'GET', `/sessions/${named.id}?agent=other`)
    expect(await gateway.send('POST', `/sessions/${named.id}/suspend`)).toMatchObject({
      body: { status: 'suspended' },
    })
    expect(await gateway.send('DELETE', `/sessions/${named.id}`)).toMatchObject({
      body: { status: 'terminated' },
    })
  })

  test('are cleaned up by a policy, after a dry run', async () => {
    const gateway = await gatewayWithEcho()
    const { body } = await gateway.send<SessionInfo>('POST', '/sessions', { name: 'old' })
    await gateway.send('DELETE', `/sessions/${body.id}`)
    const taken = { sessions: [{ id: body.id }] }
    expect(await gateway.send('POST', '/team/cleanup', { maxCount: 0, dryRun: true })).toMatchObject({
      body: taken,
    })
    expect(await gateway.send('POST', '/team/cleanup', { maxCount: 0 })).toMatchObject({ body: taken })
    expect(await gateway.send('POST', '/team/cleanup', { maxCount: 0 })).toMatchObject({
      body: { sessions: [] },
    })
  })
})

describe('the gateway about itself', () => {
  test('says that it answers to everybody, and what the team is like to who may know', async () => {
    const gateway = await gatewayWithEcho()
    const health = await gateway.fetch('/health', { headers: { authorization: '' } })
    expect(Object.keys((await health.json()) as object).toSorted()).toEqual(['status', 'uptimeMs', 'version'])
    expect(await gateway.get('/team')).toMatchObject({
      body: { directory: gateway.team.directory, defaultAgent: 'echo', health: { status: 'ok' } },
    })
  })

  test('reports each answer by route and status, without what a client wrote', async () => {
    const gateway = await gatewayWithEcho()
    await gateway.send('POST', '/message', { input: 'a secret' })
    await gateway.fail(404, 'GET', '/nothing/here')
    expect(gateway.answered).toMatchObject([
      { method: 'POST', route: '/agents/:agent/message', status: 200 },
      { method: 'GET', route: '-', status: 404 },
    ])
  })

  test('shows a page for its routes whose scripts and styles are its own', async () => {
    const gateway = await gatewayWithEcho()
    const page = await gateway.fetch('/docs', { headers: { authorization: '' } })
    const html = await page.text()
    const assets = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path)
    for (const path of assets.filter((asset) => asset !== 'data:,')) {
      expect(path).toMatch(/^\/docs\//)
      const asset = await gateway.fetch(path, { headers: { authorization: '' } })
      expect(asset.status).toBe(200)
      expect((await asset.text()).length).toBeGreaterThan(100)
    }
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  })
})
