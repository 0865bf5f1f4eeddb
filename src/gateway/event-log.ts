/**
 * The last events of the team, kept once for all readers.
 *
 * E1  a reader is a position and no queue: however slow it is, it costs nothing and holds up nobody.
 * E2  a reader gets every event behind its position, in order; where some of them are gone, it is told so first (`missed`).
 * E3  positions are those of one run of the supervisor: in another one they mean nothing.
 * E4  who waits for one session is not woken by what happens elsewhere, and misses nothing by that.
 * E5  what models and commands write while they do (isPassing) is for those who are here: it takes the place of no other event, and who
 *     comes later gets none of what was before him. A piece that follows on one which a reader did not get is marked as `dropped`.
 */
import type { Team, TeamEvent } from '../api.ts'
import type { TurnEvent } from '../protocol/from-agent.ts'

export interface Batch {
  events: readonly TeamEvent[]
  /** True where events between the position and these are gone. */
  missed: boolean
  /** The position behind these events. */
  position: number
  /** For the next call: up to here pieces of text are not to be had, or are gone. */
  textFrom: number
}

const CAPACITY = 1_000
const MAX_BATCH = 64
/** Characters of passing text that are kept for readers who are a little behind; at most `capacity` pieces. */
const MAX_PASSING_CHARS = 4 * 1024 * 1024

type TurnTeamEvent = Extract<TeamEvent, { type: 'turn' }>
type TextEvent = Extract<TurnEvent, { type: 'text' | 'reasoning' }>
type PassingEvent = TurnTeamEvent & { event: TextEvent }

/** True for a piece of text: it has no id, and is not repeated. The record that follows it has all of it. */
export function isPassing(event: TeamEvent): event is PassingEvent {
  return event.type === 'turn' && (event.event.type === 'text' || event.event.type === 'reasoning')
}

interface Passing {
  event: PassingEvent
  /** The seq of the piece that this one follows on; undefined where it is the first since the last record. */
  before: number | undefined
}

interface Waiting {
  sessionId: string | undefined
  wake: (position: number) => void
}

export class EventLog {
  readonly epoch: number
  readonly #capacity: number
  readonly #events: TeamEvent[] = []
  readonly #passing: Passing[] = []
  /** Of each session whose turn is writing: the seq of the last piece. */
  readonly #lastPiece = new Map<string, number>()
  readonly #waiting = new Set<Waiting>()
  /** The seq of the last event that was dropped, or had passed before the log began; pieces of text apart. */
  #dropped: number
  /** The same of pieces of text. */
  #passed = 0
  #passingChars = 0
  #end: number
  #closed = false

  /** Follows the team's events until it closes or `signal` aborts; `onFault` gets what should never happen. */
  constructor(
    team: Pick<Team, 'epoch' | 'events' | 'lastEventSeq'>,
    options: { signal: AbortSignal; onFault: (error: unknown) => void; capacity?: number },
  ) {
    this.epoch = team.epoch
    this.#capacity = options.capacity ?? CAPACITY
    this.#dropped = team.lastEventSeq
    this.#end = team.lastEventSeq
    options.signal.addEventListener('abort', () => this.#close(), { once: true })
    this.#follow(team.events({ signal: options.signal })).catch(options.onFault)
  }

  /** Where a reader begins that wants only what comes from now on. */
  get end(): number {
    return this.#end
  }

  get closed(): boolean {
    return this.#closed
  }

  /** The next events behind `position`, without the pieces of text up to `textFrom`: for a reader that begins, where it begins. */
  behind(position: number, textFrom = 0): Batch {
    const from = Math.max(position, this.#dropped)
    const lost = position < this.#passed ? Math.max(textFrom, this.#passed) : textFrom
    const pieces = this.#passing.slice(
      this.#passing.findLastIndex(({ event }) => event.seq <= Math.max(from, textFrom)) + 1,
    )
    const first = this.#events.findLastIndex((event) => event.seq <= from) + 1
    const events = [
      ...this.#events.slice(first, first + MAX_BATCH),
      ...pieces.slice(0, MAX_BATCH).map((piece) => marked(piece, lost)),
    ]
      .toSorted((a, b) => a.seq - b.seq)
      .slice(0, MAX_BATCH)
    return {
      events,
      missed: position < this.#dropped,
      position: events.at(-1)?.seq ?? from,
      textFrom: lost,
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
    const position = this.#end
    this.#end = event.seq
    if (isPassing(event)) this.#pass(event)
    else this.#keep(event)
    for (const { sessionId, wake } of this.#waiting) {
      if (sessionId === undefined || concerns(event, sessionId)) wake(position)
    }
  }

  #keep(event: TeamEvent): void {
    this.#events.push(event)
    if (this.#events.length > this.#capacity) this.#dropped = this.#events.shift()?.seq ?? 0
    if (event.type === 'turn' && endsText(event.event)) this.#lastPiece.delete(event.sessionId)
    if (event.type === 'session' && event.gone) this.#lastPiece.delete(event.session.id)
  }

  #pass(event: PassingEvent): void {
    this.#passing.push({ event, before: this.#lastPiece.get(event.sessionId) })
    this.#lastPiece.set(event.sessionId, event.seq)
    this.#passingChars += event.event.text.length
    while (this.#passing.length > this.#capacity || this.#passingChars > MAX_PASSING_CHARS) {
      const oldest = this.#passing.shift()
      if (oldest === undefined) return
      this.#passed = oldest.event.seq
      this.#passingChars -= oldest.event.event.text.length
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

/** The piece as a reader gets it that has none up to `lost`. */
function marked({ event, before }: Passing, lost: number): PassingEvent {
  if (before === undefined || before > lost) return event
  return { ...event, event: { ...event.event, dropped: true } }
}

/** True for what all text before it is recorded with, or void. */
function endsText({ type }: TurnEvent): boolean {
  return type === 'turn-started' || type === 'step-finished' || type === 'retry' || type === 'turn-finished'
}
