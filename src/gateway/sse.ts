/**
 * Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) out of an async iterable.
 *
 * V1  nothing is taken from the source before the client has read what came before: a stalled client costs one event and
 *     what the kernel buffers, and one that stays stalled for `stallMs` is cut off.
 * V2  a silence is never longer than `heartbeatMs`: a comment is sent then, so that dead peers show.
 * V3  every event is one JSON text in one `data` line. JSON has no raw CR or LF, so no content can begin a line of its own.
 * V4  however it ends (source, client, our side), the source's signal is aborted, its iterator is closed and no timer is left.
 */
import type { Context } from 'hono'
import { type Clock, systemClock, type Timer } from '../core/clock.ts'
import { type AgentryError, toAgentryError } from '../errors.ts'

export interface SseEvent {
  event: string
  data: unknown
  /** Sent back by the client as Last-Event-ID. Left out for what cannot be repeated. */
  id?: string
}

/** An event as the bytes that are sent, for one that many readers get. Nobody changes them. */
export interface EncodedEvent {
  readonly id: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** Makes the events of one stream; they end when `signal` aborts. */
export type SseSource = (signal: AbortSignal) => AsyncIterable<SseEvent | EncodedEvent>

export interface SseOptions {
  /** Ends the stream, from our side. */
  signal?: AbortSignal
  /** Cuts the connection of a client that does not read. */
  onStall?: () => void
  clock?: Clock
  heartbeatMs?: number
  stallMs?: number
  /** Of the answer, beside its own. */
  headers?: Record<string, string>
}

export const EVENT_STREAM = 'text/event-stream'

const HEARTBEAT_MS = 10_000
const STALL_MS = 60_000
/** How long a client waits before it connects again, as it is told. */
const RETRY_MS = 1_000

const encoder = new TextEncoder()

/** The answer that streams `source`. For HEAD it has no body, and the source is not begun. */
export function sseResponse(c: Context, source: SseSource, options: SseOptions): Response {
  const body = c.req.method === 'HEAD' ? null : sseStream(source, options)
  return new Response(body, {
    headers: { 'content-type': EVENT_STREAM, 'cache-control': 'no-store', ...options.headers },
  })
}

/** True for a reader of a stream that was cut off and goes on. */
export function comesBack(c: Context): boolean {
  return (
    c.req.method === 'GET' && c.req.path.endsWith('/events') && c.req.header('last-event-id') !== undefined
  )
}

/** The answer to such a reader while nothing can be streamed. One that follows the standard comes back after this, and after an error never. */
export function comeAgain(): Response {
  const headers = { 'content-type': EVENT_STREAM, 'cache-control': 'no-store' }
  return new Response(`retry: ${RETRY_MS}\n\n`, { headers })
}

export function sseStream(
  source: SseSource,
  options: SseOptions = {},
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const { signal, onStall, clock = systemClock, heartbeatMs = HEARTBEAT_MS, stallMs = STALL_MS } = options
  const ending = new AbortController()
  const iterator = source(ending.signal)[Symbol.asyncIterator]()
  let begun = false
  let asked = false
  let answer: { result: IteratorResult<SseEvent | EncodedEvent> } | { error: unknown } | undefined
  let wake: () => void = () => undefined
  let stall: Timer | undefined

  const end = (): void => {
    stall?.cancel()
    signal?.removeEventListener('abort', end)
    ending.abort()
    closeQuietly(iterator)
    wake()
  }
  signal?.addEventListener('abort', end)
  if (signal?.aborted) end()

  const ask = (): void => {
    asked = true
    iterator.next().then(
      (result) => {
        answer = { result }
        wake()
      },
      (error: unknown) => {
        answer = { error }
        wake()
      },
    )
  }

  /** What to send next, and whether it is the last. */
  const next = async (): Promise<{ chunk?: string | EncodedEvent['bytes']; last: boolean }> => {
    if (!begun) {
      begun = true
      return { chunk: `retry: ${RETRY_MS}\n\n`, last: false }
    }
    if (!asked) ask()
    if (answer === undefined && !ending.signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>()
      wake = resolve
      const timer = clock.setTimer(heartbeatMs, resolve)
      await promise
      timer.cancel()
    }
    if (ending.signal.aborted) return { last: true }
    if (answer === undefined) return { chunk: ':\n\n', last: false }
    const taken = answer
    answer = undefined
    asked = false
    // The status was sent long ago: an error is the last event.
    if ('error' in taken)
      return { chunk: formatEvent({ event: 'failure', data: publicError(taken.error) }), last: true }
    if (taken.result.done) return { last: true }
    const { value } = taken.result
    return { chunk: 'bytes' in value ? value.bytes : formatEvent(value), last: false }
  }

  return new ReadableStream(
    {
      async pull(controller) {
        stall?.cancel()
        const { chunk, last } = await next()
        if (chunk !== undefined) controller.enqueue(typeof chunk === 'string' ? encoder.encode(chunk) : chunk)
        if (last) {
          end()
          controller.close()
          return
        }
        stall = clock.setTimer(stallMs, () => {
          end()
          onStall?.()
        })
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  )
}

/** Frees what an iteration holds, as soon as its pending step has ended. What that fails with concerns nobody any more. */
export function closeQuietly(iterator: AsyncIterator<unknown>): void {
  iterator.return?.().catch(() => undefined)
}

/** V3. */
export function formatEvent({ event, data, id }: SseEvent): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}

export function encodeEvent(event: SseEvent & { id: string }): EncodedEvent {
  return { id: event.id, bytes: encoder.encode(formatEvent(event)) }
}

function publicError(thrown: unknown): Pick<AgentryError, 'code' | 'message'> {
  const { code, message } = toAgentryError(thrown)
  return { code, message: code === 'internal' ? 'a fault of Agentry itself' : message }
}
