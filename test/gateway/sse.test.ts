import { describe, expect, test } from 'vitest'
import { formatEvent, type SseEvent, sseStream } from '../../src/gateway/sse.ts'
import { SimulatedClock } from '../fakes/simulated-clock.ts'
import { until } from '../fakes/until.ts'

const decoder = new TextDecoder()

interface Source {
  source: (signal: AbortSignal) => AsyncIterable<SseEvent>
  push: (event: SseEvent) => void
  end: () => void
  fail: (error: Error) => void
  taken: () => number
  aborted: () => boolean
  /** What the source holds while it is iterated is free. */
  closed: () => boolean
}

/** A source that a test feeds. */
function createSource(): Source {
  const queue: (SseEvent | Error | 'end')[] = []
  let wake = Promise.withResolvers<void>()
  let taken = 0
  let closed = false
  let signalOfStream: AbortSignal | undefined
  const push = (item: SseEvent | Error | 'end'): void => {
    queue.push(item)
    wake.resolve()
    wake = Promise.withResolvers()
  }
  return {
    async *source(signal) {
      signalOfStream = signal
      signal.addEventListener('abort', () => push('end'))
      try {
        for (;;) {
          const item = queue.shift()
          if (item === 'end') return
          if (item instanceof Error) throw item
          if (item === undefined) await wake.promise
          else {
            taken += 1
            yield item
          }
        }
      } finally {
        closed = true
      }
    },
    push,
    end: () => push('end'),
    fail: push,
    taken: () => taken,
    aborted: () => signalOfStream?.aborted ?? false,
    closed: () => closed,
  }
}

async function readText(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string | undefined> {
  const { done, value } = await reader.read()
  return done ? undefined : decoder.decode(value)
}

describe('a stream of events', () => {
  test('says first how soon to come back, then its events, and ends with its source', async () => {
    const { source, push, end } = createSource()
    const reader = sseStream(source).getReader()
    expect(await readText(reader)).toBe('retry: 1000\n\n')
    push({ event: 'a', data: { x: 1 }, id: '7' })
    expect(await readText(reader)).toBe('id: 7\nevent: a\ndata: {"x":1}\n\n')
    push({ event: 'b', data: null })
    expect(await readText(reader)).toBe('event: b\ndata: null\n\n')
    end()
    expect(await readText(reader)).toBeUndefined()
  })

  test('breaks every silence with a comment', async () => {
    const clock = new SimulatedClock()
    const { source, push } = createSource()
    const reader = sseStream(source, { clock, heartbeatMs: 10_000 }).getReader()
    await readText(reader)
    for (let beat = 0; beat < 3; beat++) {
      const next = readText(reader)
      await until('a timer', () => clock.timers > 0)
      clock.advance(10_000)
      expect(await next).toBe(':\n\n')
    }
    push({ event: 'a', data: 1 })
    expect(await readText(reader)).toContain('event: a')
  })

  test('is silent for 15 s at most', async () => {
    const clock = new SimulatedClock()
    const reader = sseStream(createSource().source, { clock }).getReader()
    await readText(reader)
    const next = readText(reader)
    await until('a timer', () => clock.timers > 0)
    clock.advance(15_000)
    expect(await next).toBe(':\n\n')
    await reader.cancel()
  })

  test('takes nothing from its source while its reader does not read, and cuts it off in the end', async () => {
    const clock = new SimulatedClock()
    const feed = createSource()
    let stalls = 0
    const stream = sseStream(feed.source, { clock, stallMs: 60_000, onStall: () => (stalls += 1) })
    const reader = stream.getReader()
    await readText(reader)
    for (let number = 0; number < 1_000; number++) feed.push({ event: 'a', data: number })
    await readText(reader)
    expect(feed.taken()).toBe(1)
    clock.advance(59_999)
    expect(stalls).toBe(0)
    clock.advance(1)
    expect(stalls).toBe(1)
    expect(feed.taken()).toBe(1)
    expect(feed.aborted()).toBe(true)
    await until('the source to be closed', feed.closed)
    expect(clock.timers).toBe(0)
  })

  test('ends from our side, and when its reader goes away', async () => {
    const clock = new SimulatedClock()
    const closing = new AbortController()
    const ours = createSource()
    const reader = sseStream(ours.source, { clock, signal: closing.signal }).getReader()
    await readText(reader)
    const waiting = readText(reader)
    closing.abort()
    expect(await waiting).toBeUndefined()
    expect(ours.aborted()).toBe(true)

    const theirs = createSource()
    const left = sseStream(theirs.source, { clock }).getReader()
    await readText(left)
    void readText(left).catch(() => undefined)
    await left.cancel()
    expect(theirs.aborted()).toBe(true)
    await until('no timers', () => clock.timers === 0)
    await until('the source to be closed', theirs.closed)
  })

  test('closes a source that is at rest when its reader goes away', async () => {
    const { source, push, closed } = createSource()
    const reader = sseStream(source).getReader()
    await readText(reader)
    push({ event: 'a', data: 1 })
    await readText(reader)
    await reader.cancel()
    await until('the source to be closed', closed)
  })

  test('ends with an error event where its source fails, without what a fault of ours says', async () => {
    const { source, fail } = createSource()
    const reader = sseStream(source).getReader()
    await readText(reader)
    fail(new Error('at /home/somebody/secret.ts:1'))
    const last = await readText(reader)
    expect(last).toContain('event: failure\ndata: {"code":"internal"')
    expect(last).not.toContain('secret')
    expect(await readText(reader)).toBeUndefined()
  })

  test('has one event for each, whatever the data holds', () => {
    const text = formatEvent({ event: 'text', data: '\r\n\r\nid: 9\nevent: forged\rdata: x\n\n\u2028\u0085' })
    expect(text.split(/\r\n|\r|\n/)).toHaveLength(4)
  })
})
