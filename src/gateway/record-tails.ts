/**
 * The newest records of sessions that are followed, as the bytes that readers are sent: read once, and given to all who are
 * at the live edge.
 *
 * RT1  a record is read only where the team knows it, and does not change from then on: whoever asks for it gets the same bytes.
 * RT2  a session is read by one reader at a time, the others wait for that reading.
 * RT3  all that is kept together has `maxBytes`: the oldest go first, whoever still wants them. A reader whose next record is gone
 *      reads the journal.
 */
import type { Team } from '../api.ts'
import type { SessionRecord } from '../core/record.ts'
import { type EncodedEvent, encodeEvent, type SseEvent } from './sse.ts'

export interface KeptRecord {
  readonly event: EncodedEvent
  /** The turn that the record ends. */
  readonly finished: string | undefined
}

const MAX_BYTES = 8 * 1024 * 1024
/** What keeping a record takes beside its bytes. */
const OVERHEAD_BYTES = 512

/** How far a session was read. Dropped with the last record that was read. */
interface Edge {
  seq: number
  reading: Promise<void> | undefined
}

export class RecordTails {
  readonly #team: Pick<Team, 'records'>
  readonly #maxBytes: number
  /** By session and seq, in the order of reading. */
  readonly #kept = new Map<string, KeptRecord & { sessionId: string; seq: number }>()
  readonly #edges = new Map<string, Edge>()
  #bytes = 0

  constructor(team: Pick<Team, 'records'>, maxBytes: number = MAX_BYTES) {
    this.#team = team
    this.#maxBytes = maxBytes
  }

  /**
   * The record behind `after`, for a reader that wants those up to `upTo`, which the team knows. Undefined where it is not to be had
   * here: the reader reads the journal up to `upTo` then. Throws what the reading of the journal throws.
   */
  async next(sessionId: string, after: number, upTo: number): Promise<KeptRecord | undefined> {
    const key = keyOf(sessionId, after + 1)
    for (;;) {
      const kept = this.#kept.get(key)
      if (kept !== undefined) return kept
      const edge = this.#edges.get(sessionId)
      if (edge?.reading === undefined) {
        if (edge !== undefined && edge.seq > after) return undefined
        await this.#read(sessionId, after, upTo)
        return this.#kept.get(key)
      }
      await edge.reading
    }
  }

  #read(sessionId: string, after: number, upTo: number): Promise<void> {
    const edge: Edge = { seq: after, reading: undefined }
    this.#edges.set(sessionId, edge)
    edge.reading = this.#keepUpTo(sessionId, edge, upTo).finally(() => {
      edge.reading = undefined
      if (!this.#kept.has(keyOf(sessionId, edge.seq))) this.#edges.delete(sessionId)
    })
    return edge.reading
  }

  async #keepUpTo(sessionId: string, edge: Edge, upTo: number): Promise<void> {
    for await (const record of this.#team.records(sessionId, edge.seq)) {
      if (record.seq > upTo) return
      this.#keep(sessionId, record)
      edge.seq = record.seq
      if (record.seq === upTo) return
    }
  }

  #keep(sessionId: string, record: SessionRecord): void {
    const { seq } = record
    const key = keyOf(sessionId, seq)
    if (this.#kept.has(key)) return
    const event = encodeEvent(recordEvent(record))
    this.#kept.set(key, { event, finished: finishedBy(record), sessionId, seq })
    this.#bytes += event.bytes.length + OVERHEAD_BYTES
    for (const [oldestKey, oldest] of this.#kept) {
      if (this.#bytes <= this.#maxBytes) return
      this.#kept.delete(oldestKey)
      this.#bytes -= oldest.event.bytes.length + OVERHEAD_BYTES
      const edge = this.#edges.get(oldest.sessionId)
      if (edge?.seq === oldest.seq && edge.reading === undefined) this.#edges.delete(oldest.sessionId)
    }
  }
}

/** A record as an event of its session. */
export function recordEvent(record: SessionRecord): SseEvent & { id: string } {
  return { event: record.type, data: record, id: String(record.seq) }
}

export function finishedBy(record: SessionRecord): string | undefined {
  return record.type === 'turn.finished' ? record.turnId : undefined
}

function keyOf(sessionId: string, seq: number): string {
  return `${sessionId}:${seq}`
}
