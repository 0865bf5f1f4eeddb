import { describe, expect, test } from 'vitest'
import { packMsgpack } from '../../src/gateway/msgpack.ts'
import { createGateway, type Gateway, HOST, json, TOKEN } from './harness.ts'

const SESSION = '0199c0de-0000-7000-8000-000000000000'
const MSGPACK = { 'content-type': 'application/msgpack' }

/** Every route, with values that would be taken, and a body where there is one. */
const ROUTES: readonly [method: string, path: string, body?: unknown][] = [
  ['GET', '/team'],
  ['POST', '/team/cleanup', { maxCount: 1 }],
  ['GET', '/agents'],
  ['POST', '/agents', { id: 'new', behavior: 'echo' }],
  ['GET', '/agents/echo'],
  ['DELETE', '/agents/echo'],
  ['POST', '/agents/echo/restart'],
  ['POST', '/agents/echo/message', { input: 'x' }],
  ['POST', '/agents/echo/cancel', {}],
  ['GET', '/agents/echo/sessions'],
  ['POST', '/agents/echo/sessions', { name: 'x' }],
  ['POST', '/agents/echo/import', { name: 'x', status: 'suspended', memory: [] }],
  ['GET', '/agents/echo/sessions/current'],
  ['GET', `/agents/echo/sessions/${SESSION}`],
  ['POST', `/agents/echo/sessions/${SESSION}`],
  ['PATCH', `/agents/echo/sessions/${SESSION}`, { name: 'x' }],
  ['DELETE', `/agents/echo/sessions/${SESSION}`],
  ['GET', `/agents/echo/sessions/${SESSION}/messages`],
  ['GET', `/agents/echo/sessions/${SESSION}/export`],
  ['GET', `/agents/echo/sessions/${SESSION}/events`],
  ['POST', `/agents/echo/sessions/${SESSION}/save`],
  ['POST', `/agents/echo/sessions/${SESSION}/suspend`],
  ['POST', `/agents/echo/sessions/${SESSION}/fork`, { name: 'x' }],
  ['POST', `/agents/echo/sessions/${SESSION}/restore`],
  ['GET', '/tasks/t1'],
  ['GET', '/approvals'],
  ['POST', `/approvals/${SESSION}`, { decision: 'deny', reason: 'no' }],
  ['GET', '/events'],
  ['GET', '/metrics'],
  ['GET', '/sessions'],
  ['POST', '/sessions', { name: 'x' }],
  ['POST', '/message', { input: 'x' }],
  ['GET', `/sessions/${SESSION}/messages`],
]
const WITH_BODY = ROUTES.filter(([, , body]) => body !== undefined)
const OF_AGENT = ROUTES.filter(([, path]) => path.startsWith('/agents/echo'))
const OF_SESSION = ROUTES.filter(([, path]) => path.includes(`/sessions/${SESSION}`))

async function quietGateway(): Promise<Gateway> {
  return createGateway({ team: { agents: [{ id: 'echo', behavior: 'echo' }] } })
}

test('these routes are all that are documented', async () => {
  const gateway = await quietGateway()
  const { body } = await gateway.get<{ paths: Record<string, Record<string, unknown>> }>('/openapi.json')
  const documented = Object.entries(body.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const here = ROUTES.map(([method, path]) => {
    const pattern = path.replace(SESSION, '{id}').replace('/echo', '/{agent}').replace('/t1', '/{taskId}')
    return `${method} ${pattern}`
  })
  // Of the paths at the root, which are those of an agent, a few stand for all.
  const atRoot = /^\w+ \/(message|cancel|import|sessions.*)$/
  const missing = documented.filter((route) => !here.includes(route) && !atRoot.test(route))
  expect(missing).toEqual(['GET /health'])
})

describe('a request that nobody vouches for', () => {
  test.each([
    ['no token', undefined],
    ['an empty token', 'Bearer '],
    ['another token', `Bearer ${TOKEN}x`],
    ['the beginning of the token', `Bearer ${TOKEN.slice(0, -1)}`],
    ['another scheme', `Basic ${TOKEN}`],
    ['a token of 2 KB', `Bearer ${'x'.repeat(2048)}`],
    ['the token in another encoding', `Bearer ${Buffer.from(TOKEN).toString('base64')}`],
  ])('is refused on every route with %s, and its body is not read', async (_, authorization) => {
    const gateway = await quietGateway()
    for (const [method, path, body] of ROUTES) {
      let reads = 0
      const response = await gateway.fetch(path, {
        method,
        headers: { authorization: authorization ?? '', 'content-type': 'application/json' },
        ...(body !== undefined && {
          duplex: 'half',
          body: new ReadableStream(
            {
              pull(controller) {
                reads += 1
                controller.enqueue(Buffer.from(JSON.stringify(body)))
                controller.close()
              },
            },
            { highWaterMark: 0 },
          ),
        }),
      })
      expect([method, path, response.status]).toEqual([method, path, 401])
      expect(response.headers.get('www-authenticate')).toContain('Bearer')
      expect(await response.json()).toMatchObject({ code: 'unauthorized' })
      expect(reads).toBe(0)
    }
  })

  test.each([
    ['a name that leads here', { host: 'evil.example' }],
    ['the port of another server', { host: `${HOST}:81` }],
    ['a page elsewhere', { origin: 'https://evil.example' }],
    ['a page of another port', { origin: `http://${HOST}:81` }],
    ['a page without an origin', { origin: 'null' }],
    ['an origin of another scheme', { origin: `https://${HOST}` }],
  ])('is refused on every route from %s, whatever token it has', async (_, headers) => {
    const gateway = await quietGateway()
    for (const [method, path] of [...ROUTES, ['GET', '/health'], ['GET', '/docs'], ['OPTIONS', '/message']]) {
      const response = await gateway.fetch(path ?? '', { method: method ?? '', headers })
      expect([method, path, response.status]).toEqual([method, path, 403])
      expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  })

  test('may come from the gateway’s own page', async () => {
    const gateway = await quietGateway()
    const response = await gateway.fetch('/agents', { headers: { origin: `http://${HOST}` } })
    expect(response.status).toBe(200)
  })
})

describe('bad values', () => {
  test('an unknown agent is 404 on every route', async () => {
    const gateway = await quietGateway()
    for (const [method, path, body] of OF_AGENT) {
      const problem = await gateway.fail(
        404,
        method,
        path.replace('echo', 'nobody'),
        body === undefined ? {} : json(body),
      )
      expect(problem.code).toBe('agent_not_found')
    }
    expect(gateway.faults).toEqual([])
  })

  test('an unknown session is 404 on every route', async () => {
    const gateway = await quietGateway()
    for (const [method, path, body] of OF_SESSION) {
      const problem = await gateway.fail(404, method, path, body === undefined ? {} : json(body))
      expect(problem.code).toBe('session_not_found')
    }
    expect(gateway.faults).toEqual([])
  })

  test.each([
    ['../x', '../x'],
    ['an encoded ../', '%2e%2e%2fx'],
    ['a double-encoded ../', '%252e%252e%252fx'],
    ['NUL', 'a%00b'],
    ['a backslash', 'a%5cb'],
    ['10 KB', 'x'.repeat(10_240)],
    ['a broken encoding', '%zz%'],
    ['bytes that are no UTF-8', '%ff%fe'],
    ['a line end', 'a%0d%0aX-Header:%20x'],
    ['upper case', SESSION.toUpperCase().replace('7', 'A')],
    ['a name', 'work-session'],
    ['__proto__', '__proto__'],
  ])('an id that is %s is 400 or 404', async (_, id) => {
    const gateway = await quietGateway()
    for (const [method, path, body] of ROUTES) {
      for (const bad of [path.replace(SESSION, id), path.replace('echo', id), path.replace('t1', id)]) {
        if (bad === path) continue
        const response = await gateway.fetch(bad, { method, ...(body !== undefined && json(body)) })
        // A task may be called almost anything, and `..` in a path is gone before it gets here.
        expect([method, bad, [400, 404, 405].includes(response.status)]).toEqual([method, bad, true])
        expect(await response.text()).not.toMatch(/\n\s+at /)
      }
    }
    expect(gateway.faults).toEqual([])
  })

  test.each([
    'x',
    '%00',
    '10',
    'e30',
    'WyJ4Il0=',
    Buffer.from('[1]').toString('base64url'),
    'A'.repeat(5_000),
  ])('the cursor %s is 400', async (cursor) => {
    const gateway = await quietGateway()
    await gateway.send('POST', '/sessions', { name: 'x' })
    for (const path of ['/agents', '/sessions', '/agents/echo/sessions']) {
      await gateway.fail(400, 'GET', `${path}?cursor=${cursor}`)
    }
  })

  test.each([
    'limit=0',
    'limit=-1',
    'limit=x',
    'limit=1.5',
    'limit=',
    'status=gone',
    'trashed=yes',
    `search=${'x'.repeat(2_000)}`,
  ])('the query %.20s is 400', async (query) => {
    const gateway = await quietGateway()
    await gateway.fail(400, 'GET', `/sessions?${query}`)
  })

  test.each(['x', '-1', '1e3', '9'.repeat(30), '5'])('the Last-Event-ID %s is 400', async (id) => {
    const gateway = await quietGateway()
    const { body } = await gateway.send<{ id: string }>('POST', '/sessions', { name: 'x' })
    const headers = { 'last-event-id': id }
    await gateway.fail(400, 'GET', `/sessions/${body.id}/events`, { headers })
    await gateway.fail(400, 'GET', '/events', { headers })
  })

  test.each([
    ['an unknown key', { input: 'x', inptu: 'y' }, 'inptu'],
    ['no input', { from: 'x' }, 'body.input: expected string, received nothing'],
    ['an input that is a number', { input: 7 }, 'body.input: expected string, received 7'],
    ['a list', ['x'], 'expected object'],
    ['null', null, 'expected object'],
    ['two task ids', { input: 'x', taskId: 'a', task_id: 'b' }, 'task_id'],
    ['a taskId with spaces', { input: 'x', taskId: 'a b' }, 'taskId'],
    ['a sessionId that is none', { input: 'x', sessionId: '../x' }, 'session id'],
    ['a __proto__ key', JSON.parse('{"input":"x","metadata":{"__proto__":{"a":1}}}'), '__proto__'],
    ['a lone surrogate', { input: '\ud800' }, 'surrogate'],
    ['mode: now', { input: 'x', mode: 'now' }, 'mode'],
  ])('a message with %s is 400 and says so', async (_, body, says) => {
    const gateway = await quietGateway()
    const { detail } = await gateway.fail(400, 'POST', '/agents/echo/message', json(body))
    expect(detail).toContain(says)
  })

  test.each([
    ['an unknown behavior', { id: 'a', behavior: 'ehco' }],
    ['a name that is no id', { id: '../a', behavior: 'echo' }],
    ['unknown limits', { id: 'a', behavior: 'echo', limits: { memory: 1 } }],
    ['limits out of range', { id: 'a', behavior: 'echo', limits: { memoryMb: -1 } }],
  ])('an agent with %s is 400', async (_, body) => {
    const gateway = await quietGateway()
    await gateway.fail(400, 'POST', '/agents', json(body))
  })

  test.each([
    ['no name', {}],
    ['a name of spaces', { name: '  ' }],
    ['a name of 201 characters', { name: 'x'.repeat(201) }],
    ['a var that is no variable', { name: 'x', vars: { 'A-B': '1' } }],
    ['a var with NUL', { name: 'x', vars: { A: 'a\0b' } }],
  ])('a session with %s is 400', async (_, body) => {
    const gateway = await quietGateway()
    await gateway.fail(400, 'POST', '/agents/echo/sessions', json(body))
  })
})

describe('bad bodies', () => {
  test.each([
    ['malformed JSON', '{"input":', { 'content-type': 'application/json' }, 400],
    ['an empty string', ' ', { 'content-type': 'application/json' }, 400],
    ['JSON in UTF-16', Buffer.from('{"input":"x"}', 'utf16le'), { 'content-type': 'application/json' }, 400],
    ['text/plain', '{"input":"x"}', { 'content-type': 'text/plain' }, 415],
    ['a form', 'input=x', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['no type', Buffer.from('{"input":"x"}'), {}, 415],
    ['malformed msgpack', Buffer.from([0x81, 0xa5]), MSGPACK, 400],
    ['msgpack with more behind it', Buffer.from([0x80, 0x80]), MSGPACK, 400],
    ['a msgpack array of 4 billion', Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff]), MSGPACK, 400],
    ['a msgpack timestamp', Buffer.from([0xd6, 0xff, 0, 0, 0, 0]), MSGPACK, 400],
    ['msgpack binary', Buffer.from([0xc4, 1, 0]), MSGPACK, 400],
    ['msgpack NaN', packMsgpack({ input: Number.NaN }), MSGPACK, 400],
    ['a msgpack map with numbers as keys', Buffer.from([0x81, 1, 1]), MSGPACK, 400],
  ])('%s are refused on every route that takes a body', async (_, body, headers, status) => {
    const gateway = await quietGateway()
    for (const [method, path] of WITH_BODY) {
      await gateway.fail(status, method, path, { headers, body })
    }
    expect(gateway.faults).toEqual([])
  })

  test.each([10_000, 40_000])(
    'nesting of %i levels is 400 in JSON and in msgpack',
    async (depth) => {
      const gateway = await quietGateway()
      const arrays = '['.repeat(depth) + ']'.repeat(depth)
      const objects = '{"a":'.repeat(depth) + '1' + '}'.repeat(depth)
      for (const [method, path] of WITH_BODY) {
        for (const body of [`{"input":"x","metadata":{"a":${arrays}}}`, arrays, objects]) {
          await gateway.fail(400, method, path, { headers: { 'content-type': 'application/json' }, body })
        }
        await gateway.fail(400, method, path, { headers: MSGPACK, body: Buffer.alloc(depth, 0x91) })
      }
      expect(gateway.faults).toEqual([])
    },
    60_000,
  )

  test.each([
    ['JSON', `[${'{},'.repeat(100_000)}{}]`, { 'content-type': 'application/json' }],
    ['msgpack', Buffer.concat([Buffer.from([0xdd, 0, 1, 0x86, 0xa1]), Buffer.alloc(100_001, 0x80)]), MSGPACK],
  ])('one with more than 100,000 values is 413 in %s', async (_, body, headers) => {
    const gateway = await quietGateway()
    expect(await gateway.fail(413, 'POST', '/message', { headers, body })).toMatchObject({
      code: 'body_too_large',
      data: { values: 100_000 },
    })
    // An import may have more, and is refused for what it is.
    await gateway.fail(400, 'POST', '/import', { headers, body })
  })

  test('a text that is full of commas is one value', async () => {
    const gateway = await quietGateway()
    const input = '",:[{\\'.repeat(50_000)
    expect((await gateway.send<{ result: string }>('POST', '/message', { input })).body.result).toContain(
      ',:[{',
    )
  })

  test('one that is too large is 413, declared or not, and is not read to its end', async () => {
    const gateway = await quietGateway()
    const piece = Buffer.alloc(1024 * 1024, 0x20)
    for (const [method, path] of WITH_BODY) {
      const declared = { 'content-type': 'application/json', 'content-length': String(2 ** 40) }
      await gateway.fail(413, method, path, { headers: declared, body: '{}' })
      let pieces = 0
      const endless = new ReadableStream({
        pull(controller) {
          pieces += 1
          controller.enqueue(piece)
        },
      })
      const init = { headers: { 'content-type': 'application/json' }, body: endless, duplex: 'half' as const }
      expect(await gateway.fail(413, method, path, init)).toMatchObject({ code: 'body_too_large' })
      expect(pieces).toBeLessThan(70)
    }
  })

  test('a message above the team’s limit is 413', async () => {
    const gateway = await createGateway({
      team: { agents: [{ id: 'echo', behavior: 'echo' }], limits: { messageBytes: 10 } },
    })
    expect(await gateway.fail(413, 'POST', '/message', json({ input: 'x'.repeat(11) }))).toMatchObject({
      code: 'message_too_large',
      data: { limit: 10, received: 11 },
    })
  })
})

describe('bad methods and paths', () => {
  test('a method that a path does not take is 405 and names those that it takes', async () => {
    const gateway = await quietGateway()
    const paths = new Set(ROUTES.map(([, path]) => path))
    for (const path of [...paths, '/health', '/openapi.json']) {
      const response = await gateway.fetch(path, { method: 'PUT' })
      expect([path, response.status]).toEqual([path, 405])
      const allowed = new Set((response.headers.get('allow') ?? '').split(', '))
      for (const [method, other] of ROUTES)
        if (other === path && path.startsWith('/agents')) expect(allowed).toContain(method)
      expect(await response.json()).toMatchObject({ code: 'method_not_allowed' })
    }
  })

  test.each([
    '/',
    '/nothing',
    '/agents/',
    '/agents/echo/nothing',
    '/docs/page.html',
    '/sessions/',
    '//agents',
  ])('the path %s is 404', async (path) => {
    const gateway = await quietGateway()
    const response = await gateway.fetch(`http://${HOST}${path}`)
    expect(response.status).toBe(404)
    expect(await response.json()).toHaveProperty('code')
  })

  test('HEAD of a stream answers, and holds nothing open', async () => {
    const gateway = await quietGateway()
    const response = await gateway.fetch('/events', { method: 'HEAD' })
    expect(response.status).toBe(200)
    expect(response.body).toBeNull()
  })

  test('a gateway that stops refuses with 503', async () => {
    const gateway = await quietGateway()
    gateway.close()
    expect(await gateway.fail(503, 'GET', '/agents')).toMatchObject({ code: 'team_closed' })
    expect(gateway.answered.at(-1)).toMatchObject({ status: 503, route: '/agents', code: 'team_closed' })
  })
})
