/** The team's events: one publisher, any number of readers, none of which can hold up the team or the others. */
import { type Clock, isoTime } from '../core/clock.ts'
import type { TeamEvent, TeamEventBody } from '../api.ts'

/** Events that a reader may be behind before what it missed is replaced by one `reset`. */
export const MAX_BEHIND = 1_000

export class EventHub {
  readonly #epoch: number
  readonly #clock: Clock
  readonly #readers = new Set<Reader>()
  #seq = 0
  #closed = false

  constructor(epoch: number, clock: Clock) {
    this.#epoch = epoch
    this.#clock = clock
  }

  /** The seq of the last event; 0 before the first. */
  get lastSeq(): number {
    return this.#seq
  }

  publish(body: TeamEventBody): void {
    this.#seq += 1
    if (this.#readers.size === 0) return
    const event: TeamEvent = { epoch: this.#epoch, seq: this.#seq, at: isoTime(this.#clock), ...body }
    for (const reader of this.#readers) reader.push(event)
  }

  /**
   * Events from the first `next()` on, until the hub closes, `signal` aborts, or the reader stops iterating. A reader that is never
   * iterated costs nothing.
   */
  async *read(signal?: AbortSignal): AsyncGenerator<TeamEvent, void, undefined> {
    if (this.#closed || signal?.aborted) return
    const end = (): void => reader.end()
    const reader = new Reader(() => {
      this.#readers.delete(reader)
      signal?.removeEventListener('abort', end)
    })
    this.#readers.add(reader)
    signal?.addEventListener('abort', end)
    yield* reader.iterate()
  }

  /** Ends all readers after what they have not read yet. Idempotent. */
  close(): void {
    this.#closed = true
    for (const reader of this.#readers) reader.end()
  }
}

class Reader {
  readonly #onEnd: () => void
  #queue: TeamEvent[] = []
  #ended = false
  #wake = Promise.withResolvers<void>()

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd
  }

  push(event: TeamEvent): void {
    if (this.#queue.length >= MAX_BEHIND) {
      const { epoch, seq, at } = event
      this.#queue = [{ epoch, seq: seq - 1, at, type: 'reset' }]
    }
    this.#queue.push(event)
    this.#wake.resolve()
  }

  end(): void {
    this.#ended = true
    this.#wake.resolve()
    this.#onEnd()
  }

  async *iterate(): AsyncGenerator<TeamEvent, void, undefined> {
    try {
      for (;;) {
        const event = this.#queue.shift()
        if (event !== undefined) {
          yield event
        } else if (this.#ended) {
          return
        } else {
          await this.#wake.promise
          this.#wake = Promise.withResolvers()
        }
      }
    } finally {
      this.end()
    }
  }
}
