import { execFile, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import createFetchClient, { type Client } from 'openapi-fetch'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../fakes/until.ts'
import { temporaryFolder } from './built-cli.ts'
import { type Served, startServe } from './built-serve.ts'
import type { components, paths } from './openapi-types.d.ts'

type Outcome = components['schemas']['Outcome']

const NOBODY = '0199c0de-0000-7000-8000-000000000000'

let served: Served

beforeAll(async () => {
  served = await startServe()
})
afterAll(async () => {
  expect(await served.stop()).toBe(0)
})

// `tsc` holds the types to what is asked and read here.
describe('a client that is typed by the document', () => {
  const connect = (token = served.token): Client<paths> =>
    createFetchClient<paths>({ baseUrl: served.url, headers: { authorization: `Bearer ${token}` } })

  /** What an answer of success has; throws what any other has. */
  function expectData<T>({ data, error }: { data?: T; error?: unknown }): T {
    if (data === undefined) throw new Error(`expected an answer, received ${JSON.stringify(error)}`)
    return data
  }

  /** Of a message; an answer can be a stream too, which is text. */
  function outcomeOf({ data }: { data?: Outcome | string }): Outcome {
    if (typeof data !== 'object') throw new Error(`expected an outcome, received ${data}`)
    return data
  }

  async function spawnEcho(client: Client<paths>, id: string): Promise<{ path: { agent: string } }> {
    const { response, data } = await client.POST('/agents', { body: { id, behavior: 'echo' } })
    expect(response.status).toBe(201)
    expect(response.headers.get('location')).toBe(`/agents/${id}`)
    expect(data?.spec.restart.type).toBe('permanent')
    return { path: { agent: id } }
  }

  test('spawns an agent, sends it messages, and reads what came of them', async () => {
    const client = connect()
    const params = await spawnEcho(client, 'talker')
    const { data: outcome, response } = await client.POST('/agents/{agent}/message', {
      params,
      body: { input: 'hello', taskId: 'typed-1', metadata: { from: { deep: [1, null] } } },
    })
    expect(outcome).toMatchObject({ status: 'completed', result: 'hello', agentId: 'talker' })
    expect(response.headers.get('location')).toBe('/tasks/typed-1')
    const task = expectData(await client.GET('/tasks/{taskId}', { params: { path: { taskId: 'typed-1' } } }))
    expect(task).toEqual(outcome)

    const later = await client.POST('/agents/{agent}/message', {
      params: { ...params, header: { prefer: 'respond-async' } },
      body: { input: 'later', taskId: 'typed-2' },
    })
    expect(later.response.status).toBe(202)
    const joined = await client.POST('/agents/{agent}/message', {
      params,
      body: { input: 'later', taskId: 'typed-2' },
    })
    expect(joined.data).toMatchObject({ status: 'completed', turnId: outcomeOf(later).turnId })
    expect(expectData(await client.POST('/agents/{agent}/cancel', { params, body: {} })).cancelled).toBe(
      false,
    )

    const streamed = await client.POST('/agents/{agent}/message', {
      params,
      body: { input: 'streamed' },
      headers: { accept: 'text/event-stream' },
      parseAs: 'text',
    })
    expect(streamed.data).toMatch(/^event: turn-finished$/m)
  })

  test('leads a session through its life', async () => {
    const client = connect()
    const { path } = await spawnEcho(client, 'keeper')
    const { data: created, response } = await client.POST('/agents/{agent}/sessions', {
      params: { path },
      body: { name: 'work', vars: { KEY: 'x' }, metadata: { ticket: 7 } },
    })
    expect(response.status).toBe(201)
    const params = { path: { ...path, id: created?.id ?? '' } }
    const statusOf = (answer: { data?: components['schemas']['Session'] }): string | undefined =>
      answer.data?.status
    expect(created).toMatchObject({ status: 'active', current: true, metadata: { ticket: 7 } })

    const patched = await client.PATCH('/agents/{agent}/sessions/{id}', {
      params,
      body: { name: 'renamed', vars: { KEY: null }, metadata: { ticket: 8 } },
    })
    expect(patched.data).toMatchObject({ name: 'renamed', vars: {}, metadata: { ticket: 8 } })
    await client.POST('/agents/{agent}/message', { params: { path }, body: { input: 'kept' } })
    expect(statusOf(await client.POST('/agents/{agent}/sessions/{id}/save', { params }))).toBe('active')
    expect(statusOf(await client.POST('/agents/{agent}/sessions/{id}/suspend', { params }))).toBe('suspended')
    const none = await client.GET('/agents/{agent}/sessions/current', { params: { path } })
    expect(none.error?.code).toBe('no_current_session')
    expect(statusOf(await client.POST('/agents/{agent}/sessions/{id}', { params }))).toBe('active')

    const fork = expectData(
      await client.POST('/agents/{agent}/sessions/{id}/fork', { params, body: { name: 'branch' } }),
    )
    expect(fork).toMatchObject({ status: 'suspended', forkedFrom: { sessionId: created?.id } })
    const { memory, name } = expectData(await client.GET('/agents/{agent}/sessions/{id}/export', { params }))
    const imported = expectData(
      await client.POST('/agents/{agent}/import', {
        params: { path },
        body: { name, status: 'active', memory },
      }),
    )
    expect(imported.counts.entries).toBe(memory.length)

    expect(statusOf(await client.DELETE('/agents/{agent}/sessions/{id}', { params }))).toBe('terminated')
    const query = { purge: true }
    await client.DELETE('/agents/{agent}/sessions/{id}', { params: { ...params, query } })
    const gone = await client.GET('/agents/{agent}/sessions/{id}', { params })
    expect([gone.response.status, gone.error?.code]).toEqual([404, 'session_not_found'])
    const restored = await client.POST('/agents/{agent}/sessions/{id}/restore', { params })
    expect(restored.data).toMatchObject({ status: 'terminated', counts: { turns: 1 } })
  })

  test('reads lists page by page, at the root too', async () => {
    const client = connect()
    const { path } = await spawnEcho(client, 'lister')
    const made: string[] = []
    for (let number = 0; number < 5; number++) {
      const body = { name: `page ${number}` }
      made.unshift(expectData(await client.POST('/agents/{agent}/sessions', { params: { path }, body })).id)
    }
    const read: string[] = []
    let cursor: string | undefined
    do {
      const query = { agent: 'lister', limit: 2, search: 'PAGE', ...(cursor !== undefined && { cursor }) }
      const page = expectData(await client.GET('/sessions', { params: { query } }))
      expect(page.sessions.length).toBeLessThanOrEqual(2)
      read.push(...page.sessions.map(({ id }) => id))
      cursor = page.nextCursor
    } while (cursor !== undefined)
    expect(read).toEqual(made)
  })

  test('gets errors in the form of the document', async () => {
    const client = connect()
    const path = { agent: 'nobody' }
    const { error, response } = await client.POST('/agents/{agent}/message', {
      params: { path },
      body: { input: 'x' },
    })
    expect(response.status).toBe(404)
    expect(error).toMatchObject({ code: 'agent_not_found', status: 404, data: { agentId: 'nobody' } })
    // @ts-expect-error a limit is a number
    const { error: invalid } = await client.GET('/agents', { params: { query: { limit: 'many' } } })
    expect(invalid?.code).toBe('invalid_input')
    const { error: stranger } = await connect('not-the-token').GET('/team')
    expect(stranger?.code).toBe('unauthorized')
    const { error: unknown } = await client.GET('/tasks/{taskId}', { params: { path: { taskId: 'none' } } })
    expect(unknown?.code).toBe('task_not_found')
  })
})

const hasCurl = await promisify(execFile)('curl', ['--version']).then(
  () => true,
  () => false,
)

describe('curl', () => {
  interface Ended {
    code: number
    stdout: string
  }

  const authorization = (): string[] => ['-H', `Authorization: Bearer ${served.token}`]
  const curl = async (...args: string[]): Promise<Ended> => {
    const all = ['-sS', ...authorization(), ...args]
    return new Promise((resolve) => {
      execFile('curl', all, { maxBuffer: 1 << 26 }, (error, stdout) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout }),
      )
    })
  }

  test.beforeEach(({ skip }) => skip(!hasCurl, 'curl is not installed'))

  const JSON_BODY = ['-H', 'Content-Type: application/json']

  test('asks for all there is, from the first agent to the end of a session', async () => {
    const ask = async (path: string, ...args: string[]): Promise<unknown> =>
      JSON.parse((await curl(...args, `${served.url}${path}`)).stdout)
    const post = [...JSON_BODY, '-d']
    expect(await ask('/agents', ...post, '{"id":"first","behavior":"echo"}')).toMatchObject({ id: 'first' })
    const { id } = (await ask('/sessions', ...post, '{"name":"of-curl"}')) as { id: string }
    expect(await ask('/message', ...post, '{"input":"echo $((6*7))"}')).toMatchObject({ result: '42\n' })
    const accept = ['-N', '-H', 'Accept: text/event-stream']
    const { stdout } = await curl(...accept, ...post, '{"input":"echo streamed"}', `${served.url}/message`)
    expect(stdout).toContain('event: text\ndata: {"type":"text","text":"streamed\\n"}\n\n')
    const path = `/sessions/${id}`
    expect(await ask(`${path}/suspend`, '-X', 'POST')).toMatchObject({ status: 'suspended' })
    expect(await ask('/sessions?status=suspended&search=of-curl')).toMatchObject({ sessions: [{ id }] })
    expect(await ask(path, '-X', 'POST')).toMatchObject({ status: 'active' })
    expect(await ask(path, '-X', 'DELETE')).toMatchObject({ status: 'terminated' })
  })

  test('sends bodies that it announces first, and bodies in chunks', async () => {
    await served.ask('POST', '/agents', { id: 'curled', behavior: 'echo' })
    // Above 1 MiB curl waits for `100 Continue`; a message is smaller, but its body has more.
    const input = 'x'.repeat(1_000_000)
    const file = join(temporaryFolder(), 'body.json')
    writeFileSync(file, JSON.stringify({ input }).padEnd(2_000_000))
    for (const chunked of [[], ['-H', 'Transfer-Encoding: chunked']]) {
      const { stdout } = await curl(
        ...JSON_BODY,
        ...chunked,
        '--data-binary',
        `@${file}`,
        `${served.url}/agents/curled/message`,
      )
      const { status, result } = JSON.parse(stdout) as { status: string; result: string }
      expect([status, result === input]).toEqual(['completed', true])
    }
  })

  test('fails with an error of its own where the gateway refuses, and shows which', async () => {
    const refused = await curl('--fail-with-body', `${served.url}/sessions/${NOBODY}`)
    expect(refused.code).toBe(22)
    expect(JSON.parse(refused.stdout)).toMatchObject({ code: 'session_not_found', status: 404 })
  })

  test('goes on with a stream where it was', async () => {
    await served.ask('POST', '/agents', { id: 'followed', behavior: 'echo' })
    for (const input of ['1', '2']) await served.ask('POST', '/agents/followed/message', { input })
    const { body } = await served.ask<{ id: string; seq: number }>('GET', '/agents/followed/sessions/current')
    const reading = new AbortController()
    const url = `${served.url}/sessions/${body.id}/events`
    const child = spawn('curl', ['-sSN', ...authorization(), '-H', 'Last-Event-ID: 4', url], {
      signal: reading.signal,
    })
    child.on('error', () => undefined) // That it is aborted.
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
    await until('the last record', () => text.includes(`id: ${body.seq}\n`))
    reading.abort()
    expect([...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))).toEqual(
      Array.from({ length: body.seq - 4 }, (_, index) => index + 5),
    )
  })

  test('learns of a head what a body would be, and gets none', async () => {
    const { stdout, code } = await curl('--head', `${served.url}/agents`)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^HTTP\/1\.1 200 .*\r\n/)
    expect(stdout).toMatch(/^content-type: application\/json/im)
    expect(stdout).toMatch(/\r\n\r\n$/)
  })
})
