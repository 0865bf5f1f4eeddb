import type { Clock, Timer } from '../core/clock.ts'
import type { StreamRedactor } from './secrets/redactor.ts'

/** About 30 updates a second: as fast as a person can read, and no load for the supervisor. */
const INTERVAL_MS = 33
const MAX_CHARS_PER_INTERVAL = 64 * 1024

/**
 * Merges the text that a turn emits: at most one piece per INTERVAL_MS and at most MAX_CHARS_PER_INTERVAL in it; what comes
 * beyond is dropped, and the piece says so. Secrets are taken out. The first piece waits for the interval too, so that a short turn sends one.
 */
export class TextMerger {
  readonly #clock: Clock
  readonly #redaction: StreamRedactor
  readonly #send: (piece: { text: string; dropped?: true }) => void
  #text = ''
  #dropped = false
  #timer: Timer | undefined

  constructor(
    clock: Clock,
    send: (piece: { text: string; dropped?: true }) => void,
    redaction: StreamRedactor,
  ) {
    this.#clock = clock
    this.#send = send
    this.#redaction = redaction
  }

  push(piece: string): void {
    this.#add(this.#redaction.push(piece))
  }

  #add(text: string): void {
    if (text === '') return
    const room = MAX_CHARS_PER_INTERVAL - this.#text.length
    if (text.length > room) this.#dropped = true
    this.#text += text.length > room ? text.slice(0, room) : text
    this.#timer ??= this.#clock.setTimer(INTERVAL_MS, () => this.#sendNow())
  }

  /** Sends what is there, what was held back as well. Call it before a step's and the turn's end is sent. */
  flush(): void {
    this.#add(this.#redaction.flush())
    this.#sendNow()
  }

  #sendNow(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#text === '') return
    const piece = { text: this.#text.toWellFormed(), ...(this.#dropped && { dropped: true as const }) }
    this.#text = ''
    this.#dropped = false
    this.#send(piece)
  }
}
