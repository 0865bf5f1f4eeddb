/**
 * The last events of the team, kept once for all readers.
 *
 * E1  a reader is a position and no queue: however slow it is, it costs nothing and holds up nobody.
 * E2  a reader gets every event behind its position, in order; where some of them are gone, it is told so first (`missed`).
 * E3  positions are those of one run of the supervisor: in another one they mean nothing.
 */
import type { Team, TeamEvent } from '../api.ts'

export interface Batch {
  events: readonly TeamEvent[]
  /** True where events between the position and these are gone. */
  missed: boolean
  /** The position behind these events. */
  position: number
}

const CAPACITY = 1_000
const MAX_BATCH = 64

export class EventLog {
  readonly epoch: number
  readonly #capacity: number
  readonly #events: TeamEvent[] = []
  readonly #waiting = new Set<() => void>()
  /** The seq of the last event that was dropped. */
  #dropped = 0
  #closed = false

  /** Follows the team's events until it closes or `signal` aborts; `onFault` gets what should never happen. */
  constructor(
    team: Pick<Team, 'epoch' | 'events'>,
    options: { signal: AbortSignal; onFault: (error: unknown) => void; capacity?: number },
  ) {
    this.epoch = team.epoch
    this.#capacity = options.capacity ?? CAPACITY
    options.signal.addEventListener('abort', () => this.#close(), { once: true })
    this.#follow(team.events({ signal: options.signal })).catch(options.onFault)
  }

  /** Where a reader begins that wants only what comes from now on. */
  get end(): number {
    return this.#events.at(-1)?.seq ?? this.#dropped
  }

  get closed(): boolean {
    return this.#closed
  }

  /** The next events behind `position`. */
  behind(position: number): Batch {
    const first = this.#events.findLastIndex((event) => event.seq <= position) + 1
    const events = this.#events.slice(first, first + MAX_BATCH)
    return {
      events,
      missed: position < this.#dropped,
      position: events.at(-1)?.seq ?? Math.max(position, this.#dropped),
    }
  }

  /** Resolves when there is more than at the call, when the log is closed, or when `signal` aborts. */
  async more(signal: AbortSignal): Promise<void> {
    if (this.#closed || signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = (): void => resolve()
    this.#waiting.add(wake)
    signal.addEventListener('abort', wake)
    await promise
    this.#waiting.delete(wake)
    signal.removeEventListener('abort', wake)
  }

  async #follow(events: AsyncIterable<TeamEvent>): Promise<void> {
    for await (const event of events) {
      this.#events.push(event)
      if (this.#events.length > this.#capacity) this.#dropped = this.#events.shift()?.seq ?? 0
      this.#wake()
    }
    this.#close()
  }

  #close(): void {
    this.#closed = true
    this.#wake()
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
  }
}
