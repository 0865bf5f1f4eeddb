import { describe, expect, test } from 'vitest'
import { isContextTooLong } from '../../../src/runtime/models/model-set.ts'
import type { Retry } from '../../../src/runtime/models/model-step.ts'
import type { Reply } from '../../fakes/model-server.ts'
import { asking, containing, KEYS, PROTOCOLS, READ, telling } from './asking.ts'

const CALL = { toolCall: { name: 'read', input: { path: 'a' } } }

describe.each(PROTOCOLS)('over the protocol of %s', (protocol) => {
  const model = `${protocol}/m`

  const FAULTS: [string, Reply][] = [
    ['a status of 500', { status: 500 }],
    ['a status of 429', { status: 429 }],
    ['a status of 408', { status: 408 }],
    ['a status of 529', { status: 529 }],
    ['a connection cut before the answer', { fault: 'cut' }],
    ['a connection cut in mid-stream', ['Half', { fault: 'cut' }]],
    ['a connection cut after a whole tool call', [CALL, { fault: 'cut' }]],
    ['a stream that ends without its finish', ['Half', { fault: 'end' }]],
    ['a stream that ends after a whole tool call', [CALL, { fault: 'end' }]],
    ['a stream that ends at once', { fault: 'end' }],
    ['a malformed chunk before a good finish', ['Half', { fault: 'malformed' }, 'ly']],
    ['an error event before a good finish', ['Half', { fault: 'error' }, 'ly']],
    ['JSON in place of a stream', { fault: 'json' }],
    ['a page in place of a stream', { fault: 'html' }],
    ['an empty body', { fault: 'empty' }],
  ]

  test.each(FAULTS)('%s is tried again, and the answer is that of the whole one alone', async (_, fault) => {
    const { models, server, clock } = await asking((_, index) => (index < 2 ? fault : 'Whole'))
    const told = telling({ model, tools: [READ] }, clock)
    const step = await models.step(told.request)
    expect(step).toMatchObject({ content: 'Whole', toolCalls: [], finishReason: 'stop' })
    expect(server.requests).toHaveLength(3)
    expect(told.retries).toMatchObject([
      { model, attempt: 1, delayMs: 1000, reason: containing('') },
      { model, attempt: 2, delayMs: 2000 },
    ])
    expect(told.text.join('').split('|').at(-1)).toBe('Whole')
  })

  test.each(FAULTS)('%s that lasts fails the step by name after four tries', async (_, fault) => {
    const { models, server, clock } = await asking(() => fault)
    const told = telling({ model, tools: [READ] }, clock)
    const failing = models.step(told.request)
    await expect(failing).rejects.toMatchObject({ code: 'model_failed', data: { model, attempts: 4 } })
    expect(server.requests).toHaveLength(4)
    expect(told.retries.map(({ attempt }) => attempt)).toEqual([1, 2, 3])
    expect(clock.timers).toBe(0)
  })

  test.each([
    ['html', 'text/html', 'Sign in to the network'],
    ['json', 'application/json', 'choices'],
  ] as const)(
    'a whole answer of type %s says what came, and asks about the base URL',
    async (fault, type, said) => {
      const { models, clock } = await asking(() => ({ fault }))
      const told = telling({ model }, clock)
      await expect(models.step(told.request)).rejects.toMatchObject({
        message: expect.stringMatching(
          new RegExp(`a stream of events, received ${type} \\(is the base URL right\\?\\): .*${said}`),
        ) as string,
      })
    },
  )

  test.each([400, 401, 403, 404, 422])('a status of %i is not tried again', async (status) => {
    const { models, server } = await asking(() => ({ status, message: 'no such thing' }))
    const told = telling({ model })
    await expect(models.step(told.request)).rejects.toMatchObject({
      code: 'model_failed',
      message: containing(`HTTP ${status}: no such thing`),
      data: { model, status, attempts: 1 },
    })
    expect(server.requests).toHaveLength(1)
    expect(told.retries).toEqual([])
  })

  test('a server that is not there is tried again, and named', async () => {
    const { models, server, clock } = await asking(() => 'Hi')
    await server.close()
    const failing = models.step(telling({ model }, clock).request)
    await expect(failing).rejects.toMatchObject({
      code: 'model_failed',
      message: containing('ECONNREFUSED'),
      data: { attempts: 4 },
    })
  })

  test('asks again when the time that the server asked for is over, not before', async () => {
    const { models, server, clock } = await asking((_, index) =>
      index === 0 ? { status: 429, retryAfter: 30 } : 'Hi',
    )
    const { promise: told, resolve } = Promise.withResolvers<Retry>()
    const step = models.step({ ...telling({ model }).request, onRetry: resolve })
    expect(await told).toMatchObject({ delayMs: 30_000, reason: containing('429') })
    await clock.advanceAsync(29_999)
    expect(server.requests).toHaveLength(1)
    expect(clock.nextDelayMs).toBe(1)
    await clock.advanceAsync(1)
    expect((await step).content).toBe('Hi')
  })

  test('waits as long as the server asks for, by a date', async () => {
    const { models, clock } = await asking((_, index) =>
      index === 0
        ? { status: 503, retryAfter: new Date(Date.UTC(2026, 0, 1, 0, 0, 45)).toUTCString() }
        : 'Hi',
    )
    const told = telling({ model }, clock)
    await models.step(told.request)
    const [retry] = told.retries
    expect(retry?.delayMs).toBeGreaterThan(40_000)
    expect(retry?.delayMs).toBeLessThanOrEqual(45_000)
  })

  test('does not wait for an hour', async () => {
    const { models, server } = await asking(() => ({ status: 429, retryAfter: 3600 }))
    await expect(models.step(telling({ model }).request)).rejects.toMatchObject({
      code: 'model_failed',
      message: containing('3600 s'),
      data: { status: 429, attempts: 1 },
    })
    expect(server.requests).toHaveLength(1)
  })

  test('does not repeat a request whose account is empty', async () => {
    const { models, server } = await asking(() => ({
      status: 429,
      code: 'insufficient_quota',
      message: 'You exceeded your current quota',
    }))
    await expect(models.step(telling({ model }).request)).rejects.toMatchObject({ code: 'model_failed' })
    expect(server.requests).toHaveLength(1)
  })

  test.each([
    [400, 'prompt is too long: 210000 tokens > 200000 maximum'],
    [400, "This model's maximum context length is 128000 tokens"],
    [413, 'request_too_large: Request exceeds the maximum size'],
    [400, 'the request exceeds the available context size, try increasing it'],
  ])('says of a status of %i with “%s” that the conversation is too long', async (status, message) => {
    const { models, server } = await asking(() => ({ status, message }))
    const error: unknown = await models.step(telling({ model }).request).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'model_failed', data: { status, contextTooLong: true } })
    expect(isContextTooLong(error)).toBe(true)
    expect(server.requests).toHaveLength(1)
  })

  test('says of no other failure that the conversation is too long', async () => {
    const { models } = await asking(() => ({ status: 400, message: 'temperature: expected a number' }))
    const error: unknown = await models.step(telling({ model }).request).catch((thrown: unknown) => thrown)
    expect(isContextTooLong(error)).toBe(false)
  })

  test('a server that never answers is given up after the time for the first part, and closed', async () => {
    const { promise: arrived, resolve } = Promise.withResolvers<void>()
    const { models, server, clock } = await asking(
      (_, index) => {
        resolve()
        return index === 0 ? { fault: 'hang' } : 'Hi'
      },
      { options: { firstPartMs: 9_000, nextPartMs: 5_000 } },
    )
    const told = telling({ model }, clock)
    const step = models.step(told.request)
    await arrived
    clock.advance(8_999)
    expect(told.retries).toEqual([])
    clock.advance(1)
    expect((await step).content).toBe('Hi')
    expect(told.retries).toMatchObject([{ reason: containing('9000 ms') }])
    expect(await server.requests[0]?.ended).toBe('closed')
  })

  test('a stream that falls silent is given up after the time for the next part, and closed', async () => {
    const { models, server, clock } = await asking(
      (_, index) => (index === 0 ? ['Half', { fault: 'hang' }] : 'Hi'),
      {
        options: { firstPartMs: 60_000, nextPartMs: 5_000 },
      },
    )
    const told = telling({ model }, clock)
    const { promise: began, resolve } = Promise.withResolvers<void>()
    const onText = (text: string): void => {
      told.text.push(text)
      resolve()
    }
    const asked = models.step({ ...told.request, onText })
    await began
    clock.advance(5_000)
    expect((await asked).content).toBe('Hi')
    expect(told.retries).toMatchObject([{ reason: containing('5000 ms') }])
    expect(told.text).toEqual(['Half', '|', 'Hi'])
    expect(await server.requests[0]?.ended).toBe('closed')
  })

  test('a slow stream is not a silent one', async () => {
    const gates = [0, 1, 2].map(() => Promise.withResolvers<void>())
    const { models, clock } = await asking(
      () => gates.flatMap(({ promise }, index) => [{ gate: promise }, { text: [`${index}`] }]),
      { options: { firstPartMs: 5_000, nextPartMs: 5_000 } },
    )
    const told = telling({ model })
    let heard = Promise.withResolvers<void>()
    const onText = (): void => heard.resolve()
    const step = models.step({ ...told.request, onText })
    for (const gate of gates) {
      while (clock.timers === 0) await new Promise((resolve) => setImmediate(resolve))
      clock.advance(4_000)
      gate.resolve()
      await heard.promise
      heard = Promise.withResolvers()
    }
    expect((await step).content).toBe('012')
    expect(told.retries).toEqual([])
    expect(clock.timers).toBe(0)
  })

  test('an abort before the answer rejects with its reason and closes the request', async () => {
    const { promise: arrived, resolve } = Promise.withResolvers<void>()
    const { models, server, clock } = await asking(() => {
      resolve()
      return { fault: 'hang' }
    })
    const stop = new AbortController()
    const reason = new Error('enough')
    const step = models.step(telling({ model, signal: stop.signal }, clock).request)
    await arrived
    stop.abort(reason)
    await expect(step).rejects.toBe(reason)
    expect(await server.requests[0]?.ended).toBe('closed')
    expect(clock.timers).toBe(0)
  })

  test('an abort in mid-stream rejects with its reason, closes the request, and nothing is told afterwards', async () => {
    const { models, server } = await asking(() => ['Half', { fault: 'hang' }])
    const stop = new AbortController()
    const reason = new Error('enough')
    const told = telling({ model, signal: stop.signal })
    const step = models.step({
      ...told.request,
      onText(text) {
        told.text.push(text)
        stop.abort(reason)
      },
    })
    await expect(step).rejects.toBe(reason)
    expect(await server.requests[0]?.ended).toBe('closed')
    expect(told.text).toEqual(['Half'])
  })

  test('an abort while it waits for the next attempt rejects at once', async () => {
    const { models, server, clock } = await asking(() => ({ status: 500 }))
    const stop = new AbortController()
    const told = telling({ model, signal: stop.signal }, clock)
    const { promise: waiting, resolve } = Promise.withResolvers<void>()
    const step = models.step({ ...told.request, onRetry: () => resolve() })
    await waiting
    stop.abort(new Error('enough'))
    await expect(step).rejects.toThrow('enough')
    expect(server.requests).toHaveLength(1)
    expect(clock.timers).toBe(0)
  })

  test('a signal that is aborted already asks nobody', async () => {
    const { models, server } = await asking(() => 'Hi')
    const told = telling({ model, signal: AbortSignal.abort(new Error('late')) })
    await expect(models.step(told.request)).rejects.toThrow('late')
    expect(server.requests).toEqual([])
  })

  test('a fault of the listener is its own, not the model’s', async () => {
    const { models, server } = await asking(() => 'Hi')
    const told = telling({ model })
    const fault = new Error('the reader is gone')
    const onText = (): never => {
      throw fault
    }
    await expect(models.step({ ...told.request, onText })).rejects.toBe(fault)
    expect(server.requests).toHaveLength(1)
  })

  test('no key is in a message', async () => {
    const keys = Object.values(KEYS).join(' ')
    const { models } = await asking(() => ({ status: 401, message: `Incorrect API key provided: ${keys}` }))
    const error = await models.step(telling({ model }).request).catch((thrown: unknown) => thrown)
    const key = protocol === 'openai' ? KEYS.CHAT_KEY : KEYS.MESSAGES_KEY
    expect(String(error)).toContain('***')
    expect(`${String(error)}${JSON.stringify(error)}`).not.toContain(key)
  })
})
