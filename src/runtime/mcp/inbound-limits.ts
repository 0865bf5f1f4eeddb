/** What a server may send, so that it costs its agent neither memory nor time without end. */
import type { Clock } from '../../core/clock.ts'
import { AgentryError } from '../../errors.ts'

/** The longest message, and the most bytes without one, that a server may send. */
export const MAX_MESSAGE_BYTES: number = 8 * 1024 * 1024

/** The most messages in a second that answer no request: notifications, and requests of the server. */
const MAX_UNSOLICITED = 1_000
const WINDOW_MS = 1_000

export class InboundLimits {
  readonly #clock: Clock
  #bytes = 0
  #unsolicited = 0
  #windowStartMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Counts bytes that came and are part of no message yet. Throws `tool_failed` past the limit. */
  takeBytes(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes <= MAX_MESSAGE_BYTES) return
    throw new AgentryError(
      'tool_failed',
      `it sent more than ${MAX_MESSAGE_BYTES} bytes without a message of MCP`,
    )
  }

  /** Counts a message. Throws `tool_failed` where too many of a second answer nothing. */
  takeMessage(message: object): void {
    this.#bytes = 0
    if ('method' in message) this.takeUnsolicited(1)
  }

  /** Counts what answers nothing; lines that are no message of MCP are as dear to read. Throws like takeMessage. */
  takeUnsolicited(count: number): void {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#windowStartMs >= WINDOW_MS) {
      this.#windowStartMs = nowMs
      this.#unsolicited = 0
    }
    this.#unsolicited += count
    if (this.#unsolicited <= MAX_UNSOLICITED) return
    throw new AgentryError(
      'tool_failed',
      `it sent more than ${MAX_UNSOLICITED} messages or lines in a second that nobody asked for`,
    )
  }
}
