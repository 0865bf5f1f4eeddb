import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { until } from '../fakes/until.ts'
import { TOKEN } from './harness.ts'
import { serveGateway } from './served.ts'

const ECHO = { agents: [{ id: 'echo', behavior: 'echo' as const }] }
const JSON_BODY = 'Content-Type: application/json'

describe('a request that is unusual, and right', () => {
  test.each([
    ['in absolute form', (port: number) => `GET http://127.0.0.1:${port}/agents HTTP/1.1`],
    ['of HTTP/1.0', () => 'GET /agents HTTP/1.0'],
  ])('%s is answered', async (_, line) => {
    const { head, raw, port, faults } = await serveGateway(ECHO)
    const answer = await raw(head(line(port), 'Connection: close'))
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    expect(answer).toContain('"id":"echo"')
    expect(faults).toEqual([])
  })

  test('of HTTP/1.0 with a body is answered, and the connection is closed', async () => {
    const { head, raw } = await serveGateway(ECHO)
    const answer = await raw(
      `${head('POST /message HTTP/1.0', JSON_BODY, 'Content-Length: 15')}{"input":"old"}`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    expect(answer).toContain('"result":"old"')
  })

  test('the second of two that came in one piece is answered behind the first', async () => {
    const { head, raw } = await serveGateway(ECHO)
    const answers = await raw(
      head('GET /agents HTTP/1.1') + head('GET /sessions HTTP/1.1', 'Connection: close'),
    )
    expect(answers.match(/HTTP\/1\.1 200 /g)).toHaveLength(2)
    expect(answers.indexOf('"agents"')).toBeLessThan(answers.indexOf('"sessions"'))
  })
})

describe('a request that is wrong', () => {
  test.each([
    ['with two Hosts, of which one is right', 'GET /agents HTTP/1.1', ['Host: evil.example']],
    ['for another address', 'GET http://evil.example/agents HTTP/1.1', []],
    ['to pass on a connection', 'CONNECT 127.0.0.1:22 HTTP/1.1', []],
    ['for what is no path', 'GET agents HTTP/1.1', []],
    ['with an expectation that nobody meets', 'GET /agents HTTP/1.1', ['Expect: miracles']],
    ['of HTTP/3.0', 'GET /agents HTTP/3.0', []],
    ['with a method that does not exist', 'STEAL /agents HTTP/1.1', []],
    ['for the options of the whole server', 'OPTIONS * HTTP/1.1', []],
    ['with a header without a name', 'GET /agents HTTP/1.1', [': x']],
    ['with a length that is none', 'POST /message HTTP/1.1', ['Content-Length: -1']],
    ['with an encoding that nobody knows', 'POST /message HTTP/1.1', ['Transfer-Encoding: gzip']],
  ])('%s is refused, or its connection closed', async (_, line, headers) => {
    const { head, raw, url, faults } = await serveGateway(ECHO)
    const answer = await raw(head(line, 'Connection: close', ...headers))
    expect(answer).toMatch(/^(HTTP\/1\.1 4\d\d |$)/)
    expect(answer).not.toMatch(/\n\s+at |access-control/i)
    expect((await fetch(`${url}/health`)).status).toBe(200)
    expect(faults).toEqual([])
  })

  test('without a Host is refused in HTTP/1.1', async () => {
    const { raw } = await serveGateway(ECHO)
    const head = `GET /agents HTTP/1.1\r\nAuthorization: Bearer ${TOKEN}\r\nConnection: close\r\n\r\n`
    expect(await raw(head)).toMatch(/^HTTP\/1\.1 400 /)
  })

  test('with the token in its address is not let in', async () => {
    const { raw, port } = await serveGateway(ECHO)
    for (const query of [`token=${TOKEN}`, `access_token=${TOKEN}`, `authorization=Bearer%20${TOKEN}`]) {
      const head = `GET /agents?${query} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`
      expect(await raw(head)).toMatch(/^HTTP\/1\.1 401 /)
    }
  })
})

describe('a preflight', () => {
  test.each(['https://evil.example', 'null', 'file://'])(
    'from the page %s is refused, and allows nothing',
    async (origin) => {
      const { raw, port } = await serveGateway(ECHO)
      const head = [
        'OPTIONS /message HTTP/1.1',
        `Host: 127.0.0.1:${port}`,
        `Origin: ${origin}`,
        'Access-Control-Request-Method: POST',
        'Access-Control-Request-Headers: authorization, content-type',
        'Access-Control-Request-Private-Network: true',
        'Connection: close',
      ]
      const answer = await raw(`${head.join('\r\n')}\r\n\r\n`)
      expect(answer).toMatch(/^HTTP\/1\.1 403 /)
      expect(answer).not.toMatch(/access-control/i)
    },
  )
})

describe('an id that leads elsewhere', () => {
  test.each([
    ['../', '../../outside'],
    ['%2f', '..%2f..%2foutside'],
    ['%2e', '%2e%2e%2f%2e%2e%2foutside'],
    ['backslashes', '..\\..\\outside'],
    ['NUL', 'a%00b'],
    ['encoded backslashes', 'a%5c..%5cb'],
    ['10 KB', 'x'.repeat(10_240)],
  ])('by %s touches nothing', async (_, id) => {
    const { head, raw, folder, faults } = await serveGateway(ECHO)
    const lines = [
      `GET /agents/${id}`,
      `DELETE /agents/${id}`,
      `GET /sessions/${id}/export`,
      `DELETE /agents/echo/sessions/${id}?purge=true`,
      `POST /agents/echo/sessions/${id}/save`,
      `POST /agents/echo/sessions/${id}/restore`,
      `GET /tasks/${id}`,
    ]
    for (const line of lines) {
      // A task may be called almost anything; what leads out of its path is another path.
      const answer = await raw(head(`${line} HTTP/1.1`, 'Connection: close'))
      expect(answer).toMatch(/^HTTP\/1\.1 (400|404|405) /)
    }
    const body = JSON.stringify({ id: decodeURIComponent(id), behavior: 'echo' })
    const spawned = await raw(
      head('POST /agents HTTP/1.1', JSON_BODY, `Content-Length: ${body.length}`, 'Connection: close') + body,
    )
    expect(spawned).toMatch(/^HTTP\/1\.1 400 /)
    expect(readdirSync(folder)).toEqual(['data'])
    expect(existsSync(`${folder}/../outside`)).toBe(false)
    expect(faults).toEqual([])
  })
})

describe('a body', () => {
  test.each([
    ['JSON', 'application/json'],
    ['msgpack', 'application/msgpack'],
  ])('of %s in chunks without an end is refused as soon as it is too large', async (_, type) => {
    const { head, port, faults } = await serveGateway(ECHO)
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    const answers: string[] = []
    socket.on('data', (data) => answers.push(data.toString()))
    socket.write(head('POST /message HTTP/1.1', `Content-Type: ${type}`, 'Transfer-Encoding: chunked'))
    const piece = `10000\r\n${' '.repeat(65_536)}\r\n`
    let pieces = 0
    while (answers.length === 0 && pieces < 10_000) {
      pieces += 1
      if (!socket.write(piece)) await Promise.race([once(socket, 'drain'), once(socket, 'data')])
    }
    await until('the answer', () => answers.length > 0)
    expect(answers.join('')).toMatch(/^HTTP\/1\.1 413 /)
    // 8 MiB, and what the kernel holds of a connection.
    expect(pieces * 65_536).toBeLessThan(40 * 2 ** 20)
    socket.destroy()
    expect(faults).toEqual([])
  })

  test.each([
    ['of a known length', 'Content-Length: 1000', '{"input":"x'],
    ['in chunks', 'Transfer-Encoding: chunked', '1000\r\n{"input":"x'],
  ])('%s that is cut off is the client’s affair', async (_, length, part) => {
    const { head, port, url, faults, statuses } = await serveGateway(ECHO)
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(head('POST /message HTTP/1.1', JSON_BODY, length) + part)
    // An answer on the same connection would come behind this one: only another tells that the first has got here.
    expect((await fetch(`${url}/health`)).status).toBe(200)
    socket.resetAndDestroy()
    await until('the end of the request', () => statuses.length === 2)
    expect(statuses).toEqual([200, 400])
    expect(faults).toEqual([])
  })
})
