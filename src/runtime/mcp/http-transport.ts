/**
 * An MCP server behind a URL (Streamable HTTP).
 *
 * Invariants:
 * H1  what a server sends is bounded, in each message and in the number of messages that nobody asked for.
 * H2  a request whose answer cannot come any more ends the connection, and with it the request: none hangs until its deadline.
 */
import { type FetchLike, StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client'
import type { Clock } from '../../core/clock.ts'
import { describeThrown } from '../../errors.ts'
import { InboundLimits } from './inbound-limits.ts'
import { setDeadline } from '../../core/deadline.ts'

/** How long a server may take to take leave. */
const FAREWELL_MS = 1_000

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
    fetch: boundedFetch(limits, (error) => end(describeThrown(error))),
  })
  function end(cause: string): void {
    why ??= cause
    void transport.close().catch(() => {})
  }
  const unanswered = new Set<unknown>()
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's transports have this only
  transport.onmessage = (message) => {
    try {
      limits.takeMessage(message)
    } catch (error) {
      end(describeThrown(error))
    }
    if (!('method' in message)) unanswered.delete(message.id)
  }
  const send = transport.send.bind(transport)
  transport.send = (message, sendOptions) => {
    const id = !Array.isArray(message) && 'method' in message && 'id' in message ? message.id : undefined
    if (id !== undefined) unanswered.add(id)
    const onRequestStreamEnd = (): void => {
      if (unanswered.has(id)) end('the connection broke off before the answer')
    }
    return send(message, { ...sendOptions, onRequestStreamEnd })
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

/** Passes on what came of a body until the limit is reached; then the body ends with that error, and `onExcess` is told. */
function boundedFetch(limits: InboundLimits, onExcess: (error: unknown) => void): FetchLike {
  return async (url, init) => {
    const response = await fetch(url, init)
    if (response.body === null) return response
    const counted = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        try {
          limits.takeBytes(chunk.length)
          controller.enqueue(chunk)
        } catch (error) {
          controller.error(error)
          onExcess(error)
        }
      },
    })
    return new Response(response.body.pipeThrough(counted), {
      status: response.status,
      statusText: response.statusText,
      headers: response.headers,
    })
  }
}
