/**
 * An MCP server behind a URL (Streamable HTTP).
 *
 * Invariants:
 * H1  what a server sends is bounded: each message, on each stream for itself, and the number of messages that nobody asked for;
 *     and so is what it makes us send: the requests that are open at a time, and how often a stream is opened again.
 * H2  a request whose answer cannot come any more ends the connection, and with it the request: none hangs until its deadline.
 *     One that was cancelled waits for no answer.
 */
import {
  type JSONRPCMessage,
  StreamableHTTPClientTransport,
  type Transport,
} from '@modelcontextprotocol/client'
import type { Clock } from '../../core/clock.ts'
import { setDeadline } from '../../core/deadline.ts'
import { describeThrown } from '../../errors.ts'
import { createBoundedFetch } from './bounded-fetch.ts'
import { InboundLimits } from './inbound-limits.ts'

/** How long a server may take to take leave: of a session, or of the stream of a request that is over. */
const FAREWELL_MS = 1_000

/** Between which a server may say when its stream is opened again. */
const RECONNECT_MS = { min: 1_000, max: 30_000 }

export interface HttpOptions {
  url: string
  headers: Readonly<Record<string, string>>
  /** Sent as a bearer token. */
  token: string | undefined
  clock: Clock
}

export interface HttpConnection {
  transport: Transport
  /** Undefined while it lives, and where it was closed. */
  endedBecause(): string | undefined
  /** Tells the server that its session is over, ends all requests. Never rejects. */
  close(): Promise<void>
}

/** `url`: absolute, http or https. */
export function createHttpConnection(options: HttpOptions): HttpConnection {
  const { url, headers, token, clock } = options
  const limits = new InboundLimits(clock)
  let why: string | undefined
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers },
    ...(token !== undefined && { authProvider: { token: () => Promise.resolve(token) } }),
    fetch: createBoundedFetch(limits, (error) => end(describeThrown(error))),
    reconnectionScheduler(reconnect, delayMs) {
      const { min, max } = RECONNECT_MS
      const timer = clock.setTimer(Math.min(Math.max(delayMs, min), max), reconnect)
      return () => timer.cancel()
    },
  })
  function end(cause: string): void {
    why ??= cause
    void transport.close().catch(() => {})
  }
  /** The requests that wait for their answer; each ends what is left of its stream. */
  const unanswered = new Map<unknown, AbortController>()
  function settle(id: unknown): void {
    const stream = unanswered.get(id)
    if (!unanswered.delete(id)) return
    clock.setTimer(FAREWELL_MS, () => stream?.abort())
  }
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's transports have this only
  transport.onmessage = (message) => {
    try {
      limits.takeMessage(message)
    } catch (error) {
      end(describeThrown(error))
    }
    if (!('method' in message)) settle(message.id)
  }
  const send = transport.send.bind(transport)
  transport.send = async (message, sendOptions) => {
    const id = idOf(message)
    settle(cancelledBy(message))
    if (id === undefined) return await send(message, sendOptions)
    const stream = new AbortController()
    unanswered.set(id, stream)
    const onRequestStreamEnd = (): void => {
      if (unanswered.has(id)) end('the connection broke off before the answer')
    }
    try {
      return await send(message, { ...sendOptions, requestSignal: stream.signal, onRequestStreamEnd })
    } catch (error) {
      unanswered.delete(id)
      throw error
    }
  }
  return {
    transport,
    endedBecause: () => why,
    async close() {
      const { promise, resolve } = Promise.withResolvers<void>()
      const deadline = setDeadline(clock, FAREWELL_MS, resolve)
      await Promise.race([transport.terminateSession().catch(() => {}), promise])
      deadline.cancel()
      await transport.close().catch(() => {})
    },
  }
}

/** Of a request. */
function idOf(message: JSONRPCMessage | JSONRPCMessage[]): unknown {
  return !Array.isArray(message) && 'method' in message && 'id' in message ? message.id : undefined
}

/** Which request the message cancels. */
function cancelledBy(message: JSONRPCMessage | JSONRPCMessage[]): unknown {
  if (Array.isArray(message) || !('method' in message)) return undefined
  return message.method === 'notifications/cancelled' ? message.params?.['requestId'] : undefined
}
