/**
 * The events of one session: its records from disk, in the order and up to the point that the team's events tell of.
 *
 * Q1  every record comes exactly once, in order, and none before the team knows it: an id that was sent is one that is taken.
 * Q2  text comes before the record that has all of it, never after it.
 * Q3  a reader that keeps up costs no reading of its own: what is new is read once for all (record-tails.ts). One that begins, or
 *     has fallen behind, reads the journal from where it is, as fast as its client reads.
 */
import type { Team } from '../api.ts'
import { isAgentryError } from '../errors.ts'
import type { EventLog } from './event-log.ts'
import { finishedBy, recordEvent, type RecordTails } from './record-tails.ts'
import type { EncodedEvent, SseEvent } from './sse.ts'

/** The records of session `id` behind `after`, and those that come, with the text of its turns in between. */
export async function* sessionEvents(
  team: Pick<Team, 'session' | 'records'>,
  log: EventLog,
  tails: RecordTails,
  id: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<SseEvent | EncodedEvent, void, undefined> {
  let seen = after
  /** The turn that text is of, as far as the events tell, and the last whose end was sent. */
  let turn: string | undefined
  let finished: string | undefined
  async function* fromJournal(upTo: number): AsyncGenerator<SseEvent, void, undefined> {
    if (upTo <= seen) return
    for await (const record of team.records(id, seen)) {
      if (signal.aborted || record.seq > upTo) return
      seen = record.seq
      finished = finishedBy(record) ?? finished
      yield recordEvent(record)
    }
  }
  async function* fromTail(upTo: number): AsyncGenerator<SseEvent | EncodedEvent, void, undefined> {
    while (seen < upTo && !signal.aborted) {
      const kept = await tails.next(id, seen, upTo)
      if (kept === undefined) {
        yield* fromJournal(upTo)
        return
      }
      seen += 1
      finished = kept.finished ?? finished
      yield kept.event
    }
  }
  /** Undefined where events were missed: what they told of is on disk. */
  let position: number | undefined
  let textFrom = 0
  try {
    while (!signal.aborted && !log.closed) {
      if (position === undefined) {
        position = log.end // Before the reading, so that nothing falls in between.
        textFrom = position
        const session = team.session(id)
        if (session === undefined) return
        turn = session.turn?.turnId
        yield* fromJournal(session.seq)
      }
      const batch = log.behind(position, textFrom)
      if (batch.missed || batch.events.some(({ type }) => type === 'reset')) {
        position = undefined
        continue
      }
      position = batch.position
      textFrom = batch.textFrom
      for (const event of batch.events) {
        if (event.type === 'session' && event.session.id === id) {
          turn = event.session.turn?.turnId ?? turn
          yield* fromTail(event.session.seq)
          if (event.gone) return
        }
        if (event.type === 'turn' && event.sessionId === id) {
          if (event.event.type === 'turn-started') turn = event.event.turnId
          const { type } = event.event
          const passes = type === 'text' || type === 'reasoning' || type === 'retry'
          if (passes && turn !== undefined && turn !== finished) yield { event: type, data: event.event }
        }
      }
      if (batch.events.length === 0) position = await log.more(signal, id)
    }
  } catch (error) {
    // It went to the trash between the event and the reading.
    if (!isAgentryError(error, 'session_not_found')) throw error
  }
}

/** Waits until the team knows record `seq` of session `id`, whose report can be on the way, until the session is gone, or `signal` aborts. */
export async function untilKnown(
  team: Pick<Team, 'session'>,
  log: EventLog,
  id: string,
  seq: number,
  signal: AbortSignal,
): Promise<void> {
  while ((team.session(id)?.seq ?? seq) < seq && !signal.aborted && !log.closed) await log.more(signal, id)
}
