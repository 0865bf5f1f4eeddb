import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { errorWith } from '../../error-with.ts'
import { until } from '../processes/processes.ts'
import { call, callWith, installed } from './calls.ts'
import { answer, handmade, http, working } from './handmade-server.ts'
import { open } from './servers.ts'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** The server from npm behind HTTP. */
async function everything(port: number): Promise<{ kill: () => Promise<void> }> {
  const child = spawn(process.execPath, [installed('server-everything'), 'streamableHttp'], {
    env: { PATH: process.env['PATH'], PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const gone = once(child, 'exit')
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await gone
  }
  onTestFinished(kill)
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += String(chunk)))
  await until(() => said.includes(String(port)), `the server on port ${port}`)
  return { kill }
}

test('a server from npm offers its tools and answers over HTTP', async () => {
  const port = await freePort()
  await everything(port)
  const tools = await open({ web: http(port) }).tools()
  const sum = await call(tools, 'web__get-sum', { a: 2, b: 40 })
  expect(sum.content).toContain('42')
  const slow = await call(tools, 'web__trigger-long-running-operation', { duration: 0.2, steps: 2 })
  expect(slow.outcome).toBe('ok')
})

test('a server that dies during a call leaves its outcome unknown; back again, it is found again', async () => {
  const port = await freePort()
  const first = await everything(port)
  const servers = open({ web: http(port) }, { callMs: 60_000 })
  const tools = await servers.tools()
  const { promise: reported, resolve: onReport } = Promise.withResolvers<string>()
  const input = { duration: 30, steps: 300 }
  const calling = callWith(tools, 'web__trigger-long-running-operation', input, { emit: onReport })
  const lost = expect(calling).rejects.toThrow(errorWith('outcome_unknown', /lost during the call.*unknown/))
  await reported
  await first.kill()
  await lost
  await everything(port)
  await until(() => servers.failures().size > 0, 'the loss')
  const again = await servers.tools()
  expect((await call(again, 'web__echo', { message: 'hello' })).content).toContain('hello')
})

test('the token and the headers go with each request, and the token is nowhere else', async () => {
  const { port, seen } = await handmade(
    working((request, response, body) =>
      answer(response, body, { content: [{ type: 'text', text: String(request.headers['x-team']) }] }),
    ),
  )
  const spec = http(port, { tokenEnv: 'WEB_TOKEN', headers: { 'x-team': 'blue' } })
  const tools = await open({ web: spec }, { environment: { WEB_TOKEN: 'top-secret-1' } }).tools()
  expect((await call(tools, 'web__work')).content).toBe('blue')
  expect(new Set(seen.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer top-secret-1']))
})

test('a variable that is not set is named, and a token that is not taken', async () => {
  const { port } = await handmade(working((_request, response) => response.writeHead(401).end()))
  const servers = open(
    {
      unset: http(port, { tokenEnv: 'NOT_SET' }),
      refused: http(port, { tokenEnv: 'WEB_TOKEN' }),
      none: http(1),
    },
    { environment: { WEB_TOKEN: 'top-secret-1' } },
  )
  const tools = await servers.tools()
  expect(servers.failures().get('unset')).toContain('tokenEnv names the variable NOT_SET')
  expect(servers.failures().get('none')).toMatch(/fetch failed|ECONNREFUSED|bad port/)
  await expect(call(tools, 'refused__work')).rejects.toThrow(
    errorWith('tool_failed', 'does not take our token'),
  )
  expect(servers.notes.join('\n')).not.toContain('top-secret')
})

test('an answer that is cut off fails the call at once', async () => {
  const { port } = await handmade(
    working((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(': hello\n\n')
      setImmediate(() => response.destroy())
    }),
  )
  const tools = await open({ web: http(port) }).tools()
  await expect(call(tools, 'web__work')).rejects.toThrow(errorWith('outcome_unknown', /unknown.*broke off/))
})

test('an answer of more than 8 MiB is not read to its end', async () => {
  let sent = 0
  const { port } = await handmade(
    working((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const more = (error?: Error | null): void => {
        if (error || response.destroyed) return
        sent += 65_536
        response.write('x'.repeat(65_536), more)
      }
      more()
    }),
  )
  const tools = await open({ web: http(port) }).tools()
  await expect(call(tools, 'web__work')).rejects.toThrow(
    errorWith('outcome_unknown', /more than 8388608 bytes/),
  )
  expect(sent).toBeLessThan(64 * 1024 * 1024)
})

test('a session that the server has forgotten is opened anew at the next call', async () => {
  let forgotten = true
  const { port, seen } = await handmade(
    working((_request, response, body) => {
      if (forgotten) response.writeHead(404).end('no such session')
      else answer(response, body, { content: [] })
      forgotten = false
    }),
  )
  const tools = await open({ web: http(port) }).tools()
  await expect(call(tools, 'web__work')).rejects.toThrow(errorWith('tool_failed', 'refused the call'))
  const before = seen.length
  expect(await call(tools, 'web__work')).toEqual({ content: '[no content]', outcome: 'ok' })
  expect(seen.length).toBeGreaterThan(before + 2)
})
