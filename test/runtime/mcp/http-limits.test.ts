import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { AgentryError } from '../../../src/errors.ts'
import { errorWith } from '../../error-with.ts'
import { SimulatedClock } from '../../fakes/simulated-clock.ts'
import { until } from '../processes/processes.ts'
import { call } from './calls.ts'
import { answer, type Handler, handmade, http, pour, sendEvent, stream, working } from './handmade-server.ts'
import { open } from './servers.ts'

describe('a server that leaves the end of the handshake unanswered', () => {
  test('fails when its time is over', async () => {
    const { port, open: left } = await handmade(
      working(() => {}),
      { onInitialized: () => {} },
    )
    const servers = open({ web: http(port, { startMs: 300 }) })
    expect(await servers.tools()).toEqual([])
    expect(servers.failures().get('web')).toBe('it did not start within 300 ms')
    await until(() => left() === 0, 'the end of all requests')
  })

  test('holds up nobody who closes', async () => {
    const { port, seen } = await handmade(
      working(() => {}),
      { onInitialized: () => {} },
    )
    const servers = open({ web: http(port, { startMs: 60_000 }) })
    const starting = servers.tools()
    await until(() => seen.length === 2, 'the end of the handshake')
    await servers.close()
    expect(await starting).toEqual([])
  })
})

interface OpenCall {
  id: number | undefined
  response: ServerResponse
}

/** Opens a stream for each call, and does with it on a cancellation what `onCancel` says. */
function streaming(onCancel: (response: ServerResponse) => void): { handler: Handler; calls: OpenCall[] } {
  const calls: OpenCall[] = []
  const handler = working((_request, response, { method, id }) => {
    if (method === 'tools/call') return calls.push({ id, response: stream(response) })
    for (const one of calls) onCancel(one.response)
    return response.writeHead(202).end()
  })
  return { handler, calls }
}

/** The call of that number, from 1, once it has come. */
function nth(calls: OpenCall[], number: number): Promise<OpenCall> {
  return until(() => calls[number - 1], `call ${number}`)
}

function answerOpen({ id, response }: OpenCall): void {
  sendEvent(response, { id, result: { content: [] } })
}

describe('a cancelled call', () => {
  test('whose stream ends without an answer leaves the connection as it is', async () => {
    const { handler, calls } = streaming((one) => one.end())
    const { port, seen } = await handmade(handler)
    const servers = open({ web: http(port) })
    const tools = await servers.tools()
    const cancel = new AbortController()
    const first = call(tools, 'web__work', {}, cancel.signal)
    const { response } = await nth(calls, 1)
    cancel.abort(new AgentryError('cancelled', 'by a person'))
    await expect(first).rejects.toThrow(errorWith('cancelled'))
    await until(() => response.closed, 'the end of the stream')
    const before = seen.length
    const second = call(tools, 'web__work')
    answerOpen(await nth(calls, 2))
    expect(await second).toMatchObject({ outcome: 'ok' })
    expect(seen).toHaveLength(before + 1)
    expect(servers.notes).toEqual([])
  })

  test('whose stream does not end is let go a second later', async () => {
    const { handler, calls } = streaming(() => {})
    const { port, seen } = await handmade(handler)
    const clock = new SimulatedClock()
    const servers = open({ web: http(port) }, { clock })
    const tools = await servers.tools()
    const cancel = new AbortController()
    const first = call(tools, 'web__work', {}, cancel.signal)
    const { response } = await nth(calls, 1)
    const before = seen.length
    cancel.abort(new AgentryError('cancelled', 'by a person'))
    await expect(first).rejects.toThrow(errorWith('cancelled'))
    await until(() => seen.length > before, 'the cancellation')
    clock.advance(999)
    expect(response.closed).toBe(false)
    clock.advance(1)
    await until(() => response.closed, 'the end of the stream')
    expect(servers.notes).toEqual([])
  })
})

test('the stream of a call that was answered is let go too', async () => {
  const { handler, calls } = streaming(() => {})
  const { port } = await handmade(handler)
  const clock = new SimulatedClock()
  const tools = await open({ web: http(port) }, { clock }).tools()
  const calling = call(tools, 'web__work')
  const answered = await nth(calls, 1)
  answerOpen(answered)
  expect(await calling).toMatchObject({ outcome: 'ok' })
  clock.advance(1_000)
  await until(() => answered.response.closed, 'the end of the stream')
})

function ping(response: ServerResponse, count: number): void {
  for (let sent = 0; sent < count; sent++) sendEvent(response, { id: `s${sent}`, method: 'ping' })
}

describe('a server that floods', () => {
  test('by requests is ended', async () => {
    let onAnswer = (): void => {}
    const { port } = await handmade(
      working((_request, response) => {
        response.writeHead(202).end()
        onAnswer()
      }),
      {
        onGet: (response) => {
          onAnswer = () => ping(response, 1)
          ping(stream(response), 1)
        },
      },
    )
    const clock = new SimulatedClock()
    const servers = open({ web: http(port) }, { clock })
    await servers.tools()
    await until(() => servers.notes.length > 0, 'the end')
    expect(servers.failures().get('web')).toBe('it sent more than 100 requests in a second')
  })

  test('by requests whose answers it does not take is ended', async () => {
    let most = 0
    const made = await handmade(
      working(() => (most = Math.max(most, made.open()))),
      { onGet: (response) => ping(stream(response), 90) },
    )
    const servers = open({ web: http(made.port) })
    await servers.tools()
    await until(() => servers.notes.length > 0, 'the end')
    expect(servers.failures().get('web')).toBe('it left 64 requests open')
    await until(() => made.open() === 0, 'the end of all requests')
    expect(most).toBeLessThanOrEqual(64)
  })

  test('by a stream that it closes at once is asked again once a second', async () => {
    let gets = 0
    const { port } = await handmade(
      working((_request, response, body) => answer(response, body, { content: [] })),
      {
        onGet: (response) => {
          gets += 1
          stream(response).end('retry: 0\n\n')
        },
      },
    )
    const clock = new SimulatedClock()
    const tools = await open({ web: http(port) }, { clock }).tools()
    await until(() => gets === 1, 'the stream')
    for (let count = 0; count < 20; count++) await call(tools, 'web__work')
    expect(gets).toBe(1)
    const startMs = clock.monotonicMs()
    await until(() => {
      if (gets === 1) clock.advance(100)
      return gets === 2
    }, 'the next stream')
    expect(clock.monotonicMs() - startMs).toBeGreaterThanOrEqual(1_000)
  })

  test('by empty events is ended', async () => {
    const { port } = await handmade(
      working(() => {}),
      { onGet: (response) => pour(stream(response), ': here\n\n'.repeat(100)) },
    )
    const servers = open({ web: http(port) })
    await servers.tools()
    await until(() => servers.notes.length > 0, 'the end')
    expect(servers.failures().get('web')).toBe('it sent more than 1000 events in a second')
  })

  test('by a line without end is ended, whatever comes on its other streams', async () => {
    const { port } = await handmade(
      working((_request, response) => {
        stream(response).write('data: ')
        pour(response, 'x'.repeat(65_536))
      }),
      {
        onGet: (response) => {
          stream(response)
          const params = { level: 'info', data: 'x' }
          const timer = setInterval(() => sendEvent(response, { method: 'notifications/message', params }), 5)
          response.on('close', () => clearInterval(timer))
        },
      },
    )
    const tools = await open({ web: http(port) }).tools()
    await expect(call(tools, 'web__work')).rejects.toThrow(
      errorWith('outcome_unknown', /more than 8388608 bytes without a message/),
    )
  })
})

test.each([
  ['LF', '\n\n'],
  ['CR', '\r\r'],
  ['CRLF', '\r\n\r\n'],
])('a long stream of short events whose lines end with %s is read to its end', async (_name, ending) => {
  const { port } = await handmade(
    working((_request, response, { id }) => {
      const filler = `: ${'x'.repeat(1024 * 1024)}${ending}`
      const result = JSON.stringify({
        jsonrpc: '2.0',
        id,
        result: { content: [{ type: 'text', text: 'end' }] },
      })
      stream(response).end(`${filler.repeat(10)}data: ${result}${ending}: bye${ending}`)
    }),
  )
  const tools = await open({ web: http(port) }).tools()
  expect((await call(tools, 'web__work')).content).toBe('end')
})
