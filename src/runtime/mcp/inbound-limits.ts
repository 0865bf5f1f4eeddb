/** What a server may send, so that it costs its agent neither memory nor time without end. */
import type { Clock } from '../../core/clock.ts'
import { AgentryError } from '../../errors.ts'

/** The longest message, and the most bytes without one, that a server may send. */
export const MAX_MESSAGE_BYTES: number = 8 * 1024 * 1024

/** The most messages in a second that answer no request: notifications, and requests of the server. */
const MAX_UNSOLICITED = 1_000
/** Each is answered, which over HTTP is a request of our own. */
const MAX_REQUESTS = 100
const WINDOW_MS = 1_000

/** How often something may come. One for each connection: all its methods throw `tool_failed` past their limit. */
export class InboundLimits {
  readonly #unsolicited: Rate
  readonly #requests: Rate
  readonly #events: Rate

  constructor(clock: Clock) {
    this.#unsolicited = new Rate(
      clock,
      MAX_UNSOLICITED,
      'messages or lines in a second that nobody asked for',
    )
    this.#requests = new Rate(clock, MAX_REQUESTS, 'requests in a second')
    this.#events = new Rate(clock, MAX_UNSOLICITED, 'events in a second')
  }

  takeMessage(message: object): void {
    if (!('method' in message)) return
    this.takeUnsolicited(1)
    if ('id' in message) this.#requests.take(1)
  }

  /** Counts what answers nothing; lines that are no message of MCP are as dear to read. */
  takeUnsolicited(count: number): void {
    this.#unsolicited.take(count)
  }

  /** Counts the events of a stream of them, with or without a message. */
  takeEvents(count: number): void {
    this.#events.take(count)
  }
}

/** The bytes of one stream that are part of no message yet. */
export class MessageBytes {
  #bytes = 0

  /** Throws `tool_failed` past the limit. */
  take(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes <= MAX_MESSAGE_BYTES) return
    throw new AgentryError(
      'tool_failed',
      `it sent more than ${MAX_MESSAGE_BYTES} bytes without a message of MCP`,
    )
  }

  /** A message has come. */
  reset(): void {
    this.#bytes = 0
  }
}

class Rate {
  readonly #clock: Clock
  readonly #max: number
  readonly #what: string
  #count = 0
  #windowStartMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock, max: number, what: string) {
    this.#clock = clock
    this.#max = max
    this.#what = what
  }

  take(count: number): void {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#windowStartMs >= WINDOW_MS) {
      this.#windowStartMs = nowMs
      this.#count = 0
    }
    this.#count += count
    if (this.#count <= this.#max) return
    throw new AgentryError('tool_failed', `it sent more than ${this.#max} ${this.#what}`)
  }
}
