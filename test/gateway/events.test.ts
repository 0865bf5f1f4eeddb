import { getEventListeners } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { SessionInfo } from '../../src/api.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'
import { until } from '../fakes/until.ts'
import { createGateway, eventsOf, type Gateway, takeEvents } from './harness.ts'

const ECHO = { id: 'echo', behavior: 'echo' }

async function sessionWithTurns(gateway: Gateway, turns: number): Promise<SessionInfo> {
  for (let turn = 1; turn <= turns; turn++) {
    await gateway.send('POST', '/message', { input: `turn ${turn}` })
  }
  return (await gateway.get<SessionInfo>('/sessions/current')).body
}

/** How many files under `directory` this process has open. */
function openFiles(directory: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory)
    } catch {
      return false // that of the listing itself
    }
  }).length
}

describe('the events of a session', () => {
  test('are its records from the beginning, then those that come', async () => {
    const gateway = await createGateway({ team: { agents: [ECHO] } })
    const { id, seq } = await sessionWithTurns(gateway, 2)
    const response = await gateway.fetch(`/sessions/${id}/events`)
    const reading = takeEvents(response, seq + 3)
    await gateway.send('POST', '/message', { input: 'turn 3' })
    const events = await reading
    expect(events.map((event) => event.id)).toEqual(events.map((_, index) => String(index + 1)))
    expect(events[0]).toMatchObject({ event: 'session.created', data: { seq: 1 } })
    expect(events.at(-1)).toMatchObject({ event: 'turn.finished', data: { status: 'completed' } })
  })

  test('go on exactly where a reader was, at every event, also after a restart', async () => {
    const data = temporaryDirectory()
    const first = await createGateway({ team: { data, agents: [ECHO] } })
    const { id, seq } = await sessionWithTurns(first, 3)
    await first.team.close()

    const gateway = await createGateway({ team: { data, agents: [ECHO] } })
    for (let last = 0; last < seq; last++) {
      const response = await gateway.fetch(`/sessions/${id}/events`, {
        headers: last === 0 ? {} : { 'last-event-id': String(last) },
      })
      const events = await takeEvents(response, seq - last)
      expect(events.map((event) => Number(event.id))).toEqual(
        Array.from({ length: seq - last }, (_, index) => last + index + 1),
      )
    }
    const [next] = await takeEvents(await gateway.fetch(`/sessions/${id}/events?after=${seq - 1}`), 1)
    expect(next?.id).toBe(String(seq))
  })

  test('have the text of a running turn in between, without an id', async () => {
    const gateway = await createGateway({ team: { agents: [{ id: 'ops', behavior: 'shell' }] } })
    const { body } = await gateway.send<SessionInfo>('POST', '/sessions', { name: 'x' })
    const response = await gateway.fetch(`/sessions/${body.id}/events`)
    const texts: unknown[] = []
    let sent: Promise<unknown> | undefined
    for await (const event of eventsOf(response)) {
      sent ??= gateway.send('POST', '/message', { input: 'printf hello' })
      if (event.event === 'text') {
        expect(event.id).toBeUndefined()
        texts.push(event.data['text'])
      }
      if (event.event === 'turn.finished') break
    }
    expect(texts.join('')).toBe('hello')
    await sent
  })

  test('hold no file once their reader has left', async () => {
    const gateway = await createGateway({ team: { agents: [ECHO] } })
    const { id } = await sessionWithTurns(gateway, 3)
    const before = openFiles(gateway.team.directory)
    for (let reader = 0; reader < 10; reader++) {
      await takeEvents(await gateway.fetch(`/sessions/${id}/events`), 2)
    }
    await until('the files to be closed', () => openFiles(gateway.team.directory) === before)
  })

  test('end when the session goes to the trash', async () => {
    const gateway = await createGateway({ team: { agents: [ECHO] } })
    const { id } = await sessionWithTurns(gateway, 1)
    const response = await gateway.fetch(`/sessions/${id}/events`)
    const reading = Array.fromAsync(eventsOf(response))
    await gateway.send('DELETE', `/sessions/${id}?purge=true`)
    const names = (await reading).map(({ event }) => event)
    expect(names).toContain('turn.finished')
    expect(names).not.toContain('failure')
    await gateway.fail(404, 'GET', `/sessions/${id}/events`)
  })
})

describe('the readers of events', () => {
  test('get what was written as it is, and no event of somebody else’s making', async () => {
    const gateway = await createGateway({ team: { agents: [ECHO] } })
    const forged = '\r\n\r\nid: 999\r\nevent: forged\r\ndata: {}\r\n\r\n\rdata: x\n\n\u2028'
    const team = takeEvents(await gateway.fetch('/events'), 5)
    const turn = await gateway.fetch('/message', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ input: forged, taskId: 't' }),
    })
    const turnEvents = await Array.fromAsync(eventsOf(turn))
    expect(turnEvents.at(-1)).toMatchObject({ event: 'turn-finished', data: { outcome: { result: forged } } })
    const { body } = await gateway.get<SessionInfo>('/sessions/current')
    const records = await takeEvents(await gateway.fetch(`/sessions/${body.id}/events`), body.seq)
    expect(records.map(({ id }) => id)).toEqual(records.map((_, index) => String(index + 1)))
    for (const { event, id } of [...turnEvents, ...records, ...(await team)]) {
      expect([event, id]).not.toContain('forged')
      expect(id).not.toBe('999')
    }
  })

  test('leave no listener behind when they leave', async () => {
    const closing = new AbortController()
    const gateway = await createGateway({ team: { agents: [ECHO] }, app: { closing: closing.signal } })
    const { id } = await sessionWithTurns(gateway, 1)
    const listeners = (): number => getEventListeners(closing.signal, 'abort').length
    const before = listeners()
    for (let reader = 0; reader < 20; reader++) {
      await takeEvents(await gateway.fetch(`/sessions/${id}/events`), 1)
      const response = await gateway.fetch('/events')
      await response.body?.cancel()
    }
    await until('the listeners to be gone', () => listeners() === before)
    closing.abort()
  })
})

describe('the events of the team', () => {
  test('tell what happens, and go on where a reader was', async () => {
    const gateway = await createGateway({ team: { agents: [ECHO] } })
    const live = await gateway.fetch('/events')
    const reading = takeEvents(live, 4)
    await gateway.send('POST', '/message', { input: 'x' })
    const [, first, second, third] = await reading
    const [, resumed] = await takeEvents(
      await gateway.fetch('/events', { headers: { 'last-event-id': first?.id ?? '' } }),
      2,
    )
    expect(second?.id).toBe(`${gateway.team.epoch}:${Number(first?.id?.split(':')[1]) + 1}`)
    expect(resumed).toEqual(third)
  })

  test('can be gone on with before the first: the stream begins with the id of where it is', async () => {
    const gateway = await createGateway({ team: { agents: [ECHO] } })
    const [ready] = await takeEvents(await gateway.fetch('/events'), 1)
    const id = ready?.id ?? ''
    const [epoch, seq] = id.split(':').map(Number)
    expect(ready).toMatchObject({ event: 'ready', data: { type: 'ready', epoch, seq } })
    await gateway.send('POST', '/message', { input: 'x' })
    const [event] = await takeEvents(await gateway.fetch('/events', { headers: { 'last-event-id': id } }), 1)
    expect(event?.id).toBe(`${epoch}:${(seq ?? 0) + 1}`)
  })

  test('tell of a session without its finished turns, as the lists do', async () => {
    const gateway = await createGateway({ team: { agents: [ECHO] } })
    const live = await gateway.fetch('/events')
    const { id } = await sessionWithTurns(gateway, 2)
    for await (const { event, data } of eventsOf(live)) {
      if (event !== 'session') continue
      expect(data['session']).toMatchObject({ id })
      expect(data['session']).not.toHaveProperty('tasks')
      break
    }
    const [listed] = (await gateway.get<{ sessions: SessionInfo[] }>('/sessions')).body.sessions
    expect(listed).toMatchObject({ id, counts: { turns: 2 } })
    expect(listed).not.toHaveProperty('tasks')
    expect((await gateway.get(`/sessions/${id}/export`)).body).toMatchObject({ tasks: [{}, {}] })
  })

  test('begin with reset for a reader of another run', async () => {
    const gateway = await createGateway({ team: { agents: [ECHO] } })
    const response = await gateway.fetch('/events', {
      headers: { 'last-event-id': `${gateway.team.epoch + 1}:5` },
    })
    const [event] = await takeEvents(response, 1)
    expect(event).toMatchObject({ event: 'reset', data: { epoch: gateway.team.epoch } })
  })

  test('end when the gateway stops', async () => {
    const gateway = await createGateway({ team: { agents: [ECHO] } })
    const reading = Array.fromAsync(eventsOf(await gateway.fetch('/events')))
    gateway.close()
    await reading
  })

  test('of a gateway that stops are empty for who comes back, so that he comes again; nobody new gets them', async () => {
    const gateway = await createGateway({ team: { agents: [ECHO] } })
    const { id } = await sessionWithTurns(gateway, 1)
    gateway.close()
    for (const [path, last] of [
      ['/events', `${gateway.team.epoch}:1`],
      [`/sessions/${id}/events`, '1'],
    ] as const) {
      const headers = { 'last-event-id': last }
      const response = await gateway.fetch(path, { headers })
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
      expect(await response.text()).toBe('retry: 1000\n\n')
      await gateway.fail(401, 'GET', path, { headers: { ...headers, authorization: 'Bearer another' } })
      await gateway.fail(503, 'GET', path)
    }
    await gateway.fail(503, 'GET', '/agents', { headers: { 'last-event-id': '1' } })
  })
})
