import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import type { TeamEvent } from '../../src/api.ts'
import { createClient } from '../../src/client/client.ts'
import { readEvents } from '../../src/client/event-stream.ts'
import { connectLocal } from '../../src/client/local.ts'
import type { RemoteTeam, WatchItem } from '../../src/client/remote-team.ts'
import type { SessionRecord } from '../../src/core/record.ts'
import { openDirectory } from '../../src/store/directory.ts'
import { ownFilesOf } from '../../src/store/own-files.ts'
import { foldersOf } from '../../src/store/session-files.ts'
import { ensureToken } from '../../src/store/token-file.ts'
import { errorWith } from '../error-with.ts'
import { approvalOf } from '../fakes/approval.ts'
import { fakeBehavior } from '../fakes/open-team.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'
import { until } from '../fakes/until.ts'
import { createGateway, type Gateway, HOST, TOKEN } from '../gateway/harness.ts'

/** A client of an app in this process: no port. */
async function createPair(): Promise<{ gateway: Gateway; client: RemoteTeam }> {
  const gateway = await createGateway({ team: { agents: [{ id: 'echo', behavior: 'echo' }] } })
  const client = createClient({
    url: `http://${HOST}/`,
    token: TOKEN,
    fetch: async (url, init) => gateway.fetch(url, init),
  })
  return { gateway, client }
}

describe('the client of a gateway', () => {
  test('finds agents and sessions, or undefined', async () => {
    const { client } = await createPair()
    expect((await client.agents()).map(({ id }) => id)).toEqual(['echo'])
    expect(await client.agent('nobody')).toBeUndefined()
    expect(await client.session('0199c0de-0000-7000-8000-000000000000')).toBeUndefined()
    expect(await client.task('nothing')).toBeUndefined()
    const agent = await client.agent('echo')
    expect(await agent?.currentSession()).toBeUndefined()
    const { id } = (await agent?.createSession({ name: 'work' })) ?? { id: '' }
    expect(await client.findSession('work')).toMatchObject({ id })
    expect(await client.session(id)).toMatchObject({ name: 'work' })
    expect(await client.readSession(id)).toMatchObject({ memory: [] })
    expect(await agent?.sessions({ status: 'active' })).toMatchObject([{ id }])
  })

  test('finds nothing in a team without agents', async () => {
    const gateway = await createGateway()
    const fetch = async (url: string, init: RequestInit): Promise<Response> => gateway.fetch(url, init)
    const client = createClient({ url: `http://${HOST}`, token: TOKEN, fetch })
    expect(await client.agents()).toEqual([])
    expect(await client.session('0199c0de-0000-7000-8000-000000000000')).toBeUndefined()
  })

  test('sends, streams and posts messages', async () => {
    const { client } = await createPair()
    const agent = await client.agent('echo')
    if (agent === undefined) throw new Error('no agent')
    expect(await agent.send('hello', { taskId: 't1', from: 'me' })).toMatchObject({
      result: 'hello',
      taskId: 't1',
    })
    const events = await Array.fromAsync(agent.stream('streamed'))
    expect(events.at(0)).toMatchObject({ type: 'turn-started' })
    expect(events.at(-1)).toMatchObject({ type: 'turn-finished', outcome: { result: 'streamed' } })
    expect(await agent.post('later', { taskId: 'a b'.replace(' ', '/') })).toMatchObject({ taskId: 'a/b' })
    expect(await agent.send('later', { taskId: 'a/b' })).toMatchObject({ status: 'completed' })
    expect(await agent.cancel()).toBe(false)
  })

  test('says of an answer that takes too long for fetch that what was asked for goes on', async () => {
    const cause = Object.assign(new Error('Headers Timeout Error'), { code: 'UND_ERR_HEADERS_TIMEOUT' })
    const fetch = (): Promise<Response> => Promise.reject(new TypeError('fetch failed', { cause }))
    const client = createClient({ url: `http://${HOST}`, token: TOKEN, fetch })
    await expect(client.health()).rejects.toThrow(errorWith('gateway_unreachable', 'goes on there'))
  })

  test('throws what the team throws, with its data', async () => {
    const { client } = await createPair()
    const agent = await client.agent('echo')
    const session = await agent?.createSession({ name: 'x' })
    await agent?.terminateSession(session?.id ?? '')
    await expect(agent?.loadSession(session?.id ?? '')).rejects.toMatchObject({
      name: 'AgentryError',
      code: 'session_terminated',
      data: { status: 'terminated' },
    })
    await expect(agent?.suspendSession()).rejects.toThrow(errorWith('no_current_session'))
    await agent?.stop()
    await expect(agent?.send('x')).rejects.toThrow(errorWith('agent_stopped'))
    await expect(Array.fromAsync(agent?.stream('x') ?? [])).rejects.toThrow(errorWith('agent_stopped'))
  })

  test('encodes what goes into paths: an id reaches its own route only', async () => {
    const { client } = await createPair()
    for (const id of ['../team', 'a/b', '..', '?x=1', '#x']) {
      await expect(client.agent(id)).rejects.toThrow(errorWith('invalid_id'))
    }
  })

  test('follows the team and a session, and ends with close()', async () => {
    const { client } = await createPair()
    const agent = await client.agent('echo')
    const session = await agent?.createSession({ name: 'x' })
    const records: SessionRecord[] = []
    const following = (async () => {
      for await (const record of client.follow(session?.id ?? '')) records.push(record)
    })()
    const teamEvents: TeamEvent[] = []
    const watching = (async () => {
      for await (const event of client.events()) teamEvents.push(event)
    })()
    await agent?.send('hello')
    const { seq } = (await client.session(session?.id ?? '')) ?? { seq: 0 }
    await expect
      .poll(() => records.map((record) => record.seq))
      .toEqual(Array.from({ length: seq }, (_, at) => at + 1))
    await client.close()
    await expect(following).rejects.toThrow(errorWith('cancelled'))
    await expect(watching).rejects.toThrow(errorWith('cancelled'))
  })

  test('watches a session with the text of its turn, and follows it without', async () => {
    const gateway = await createGateway({ team: { agents: [{ id: 'ops', behavior: 'shell' }] } })
    const fetch = async (url: string, init: RequestInit): Promise<Response> => gateway.fetch(url, init)
    const client = createClient({ url: `http://${HOST}`, token: TOKEN, fetch })
    const agent = await client.agent('ops')
    const { id, seq } = (await agent?.createSession({ name: 'x' })) ?? { id: '', seq: 0 }
    const items: string[] = []
    let sent: Promise<unknown> | undefined
    for await (const item of client.watch(id, { after: seq - 1 })) {
      sent ??= agent?.send('printf hello')
      if (item.type === 'text') expect(item).toEqual({ type: 'text', text: 'hello', dropped: false })
      items.push(item.type === 'record' ? item.record.type : item.type)
      if (item.type === 'record' && item.record.type === 'turn.finished') break
    }
    await sent
    expect(items.filter((type) => type === 'text')).toHaveLength(1)
    expect(items.filter((type) => type.startsWith('turn.') || type.startsWith('tool.'))).toEqual([
      'turn.started',
      'tool.started',
      'tool.finished',
      'turn.finished',
    ])
    const again: string[] = []
    const last = (await client.session(id))?.seq ?? 0
    for await (const record of client.follow(id)) {
      again.push(record.type)
      if (record.seq === last) break
    }
    expect(again).toHaveLength(last)
  })

  test('lists the open questions, answers them, and throws where one is answered already', async () => {
    const gateway = await createGateway({
      team: { agents: [{ id: 'relay', behavior: fakeBehavior('relay') }] },
    })
    const fetch = async (url: string, init: RequestInit): Promise<Response> => gateway.fetch(url, init)
    const client = createClient({ url: `http://${HOST}`, token: TOKEN, fetch })
    expect(await client.approvals()).toEqual([])
    const agent = await client.agent('relay')
    const sent = agent?.send(JSON.stringify({ approve: { file: '/dev/null', line: 'x' } }))
    const [asked] = await until('the question', async () => {
      const open = await client.approvals()
      return open.length > 0 && open
    })
    expect([asked]).toEqual(gateway.team.approvals())
    const { approvalId = '' } = asked ?? {}
    expect(await client.answerApproval(approvalId, { decision: 'deny', reason: 'no' })).toEqual(asked)
    expect((await sent)?.result).toBe('relay refused: no')
    await expect(client.answerApproval(approvalId, { decision: 'once' })).rejects.toThrow(
      errorWith('approval_not_found'),
    )
    await expect(client.answerApproval('../agents', { decision: 'once' })).rejects.toThrow(
      errorWith('invalid_id'),
    )
  })

  test('lists all open questions, however many pages they are', async () => {
    const { gateway, client } = await createPair()
    const open = Array.from({ length: 1_001 }, () => approvalOf())
    vi.spyOn(gateway.team, 'approvals').mockReturnValue(open)
    expect(await client.approvals()).toEqual(open)
  })

  test('steers the running turn, and watches what its model thinks', async () => {
    const gateway = await createGateway({
      team: { agents: [{ id: 'thinks', behavior: fakeBehavior('thinks') }] },
    })
    const fetch = async (url: string, init: RequestInit): Promise<Response> => gateway.fetch(url, init)
    const client = createClient({ url: `http://${HOST}`, token: TOKEN, fetch })
    const agent = await client.agent('thinks')
    const running = agent?.send('steer')
    await until('the turn', async () => (await agent?.info())?.state === 'working')
    expect(await agent?.send('left', { mode: 'steer' })).toMatchObject({ result: 'left' })
    expect(await running).toMatchObject({ result: 'left' })

    const { id, seq } = (await agent?.currentSession()) ?? { id: '', seq: 0 }
    const items: WatchItem[] = []
    let sent: Promise<unknown> | undefined
    for await (const item of client.watch(id, { after: seq - 1 })) {
      sent ??= agent?.send('think')
      items.push(item)
      if (item.type === 'record' && item.record.type === 'turn.finished' && item.record.seq > seq) break
    }
    await sent
    expect(items.filter(({ type }) => type !== 'record')).toEqual([
      { type: 'text', text: 'half an ans', dropped: false },
      { type: 'reasoning', text: 'first thought', dropped: false },
      { type: 'retry', model: 'fake/m', attempt: 1, delayMs: 5, reason: 'cut off' },
      { type: 'text', text: 'an answer', dropped: false },
      { type: 'reasoning', text: 'second thought', dropped: false },
    ])
  })

  test('says that nobody answers, and that what answers is no gateway', async () => {
    const nobody = createClient({ url: 'http://127.0.0.1:9', token: TOKEN })
    await expect(nobody.agents()).rejects.toThrow(errorWith('gateway_unreachable'))
    const other = createClient({
      url: 'http://localhost',
      token: TOKEN,
      fetch: () => new Response('<html>', { status: 404 }),
    })
    await expect(other.agents()).rejects.toThrow(errorWith('gateway_unreachable'))
    expect(() => connectLocal(temporaryDirectory())).toThrow(errorWith('gateway_unreachable'))
  })
})

describe('the gateway of a directory', () => {
  test('is found while its owner lives, and not by what a killed one left behind', async () => {
    const directory = temporaryDirectory()
    const owned = await openDirectory({ directory, url: 'http://127.0.0.1:9' })
    ensureToken(directory)
    expect(connectLocal(directory).url).toBe('http://127.0.0.1:9')
    const file = ownFilesOf(foldersOf(directory)).owner
    const left = readFileSync(file)
    owned.close()
    // As if it had been killed, and its pid had gone to another process: this one.
    writeFileSync(file, left)
    expect(() => connectLocal(directory)).toThrow(errorWith('gateway_unreachable'))
  })
})

describe('reading events', () => {
  const text =
    'retry: 5\n\n:\n\nid: 1\nevent: a\ndata: {"x":\ndata: "é"}\n\ndata:2\r\n\r\ndata: 3\r\revent: cut\ndata: 4'

  test.each([1, 2, 3, 7, 1_000])('gives the same whatever pieces they come in (%i bytes)', async (size) => {
    const bytes = Buffer.from(text)
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.subarray(at, at + size))
        controller.close()
      },
    })
    expect(await Array.fromAsync(readEvents(body))).toEqual([
      { event: 'a', data: { x: 'é' }, id: '1' },
      { event: 'message', data: 2 },
      { event: 'message', data: 3 },
    ])
  })
})
