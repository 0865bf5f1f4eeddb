/**
 * The last events of the team, kept once for all readers.
 *
 * E1  a reader is a position and no queue: however slow it is, it costs nothing and holds up nobody.
 * E2  a reader gets every event behind its position, in order; where some of them are gone, it is told so first (`missed`).
 * E3  positions are those of one run of the supervisor: in another one they mean nothing.
 * E4  who waits for one session is not woken by what happens elsewhere, and misses nothing by that.
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

interface Waiting {
  sessionId: string | undefined
  wake: (position: number) => void
}

export class EventLog {
  readonly epoch: number
  readonly #capacity: number
  readonly #events: TeamEvent[] = []
  readonly #waiting = new Set<Waiting>()
  /** The seq of the last event that was dropped, or had passed before the log began. */
  #dropped: number
  #closed = false

  /** Follows the team's events until it closes or `signal` aborts; `onFault` gets what should never happen. */
  constructor(
    team: Pick<Team, 'epoch' | 'events' | 'lastEventSeq'>,
    options: { signal: AbortSignal; onFault: (error: unknown) => void; capacity?: number },
  ) {
    this.epoch = team.epoch
    this.#capacity = options.capacity ?? CAPACITY
    this.#dropped = team.lastEventSeq
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

  /**
   * Waits for an event that is not there at the call: any, or one of session `sessionId` (or a `reset`). Resolves with the position
   * right before it; when the log is closed or `signal` aborts, with the end.
   */
  async more(signal: AbortSignal, sessionId?: string): Promise<number> {
    if (this.#closed || signal.aborted) return this.end
    const { promise, resolve } = Promise.withResolvers<number>()
    const waiting = { sessionId, wake: resolve }
    const onAbort = (): void => resolve(this.end)
    this.#waiting.add(waiting)
    signal.addEventListener('abort', onAbort)
    const position = await promise
    this.#waiting.delete(waiting)
    signal.removeEventListener('abort', onAbort)
    return position
  }

  async #follow(events: AsyncIterable<TeamEvent>): Promise<void> {
    try {
      for await (const event of events) this.#append(event)
    } finally {
      this.#close()
    }
  }

  #append(event: TeamEvent): void {
    const position = this.end
    this.#events.push(event)
    if (this.#events.length > this.#capacity) this.#dropped = this.#events.shift()?.seq ?? 0
    for (const { sessionId, wake } of this.#waiting) {
      if (sessionId === undefined || concerns(event, sessionId)) wake(position)
    }
  }

  #close(): void {
    this.#closed = true
    for (const { wake } of this.#waiting) wake(this.end)
  }
}

/** True for an event of that session, and for one that stands for any. */
function concerns(event: TeamEvent, sessionId: string): boolean {
  switch (event.type) {
    case 'session':
      return event.session.id === sessionId
    case 'turn':
      return event.sessionId === sessionId
    default:
      return event.type === 'reset'
  }
}
