/**
 * One open session on the thread that holds its agent's claim.
 *
 * SE1 record() folds at once and buffers; nothing of it may be acknowledged before flush() has resolved.
 * SE2 Records of one flush share one write and one sync.
 * SE3 After a failed flush the state in memory is ahead of the disk: the session is broken, every later flush fails with the
 *     same error, and it must be opened again.
 * SE4 A turn costs what it adds: the snapshot is rewritten while running only when the tail has outgrown it, so that each
 *     byte of history is rewritten a bounded number of times.
 */
import { type Clock, isoTime } from '../core/clock.ts'
import { fold, foldFirst } from '../core/fold.ts'
import type { BodyOf, RecordBody, SessionRecord } from '../core/record.ts'
import type { SessionState } from '../core/session-state.ts'
import { type AgentryError, toAgentryError } from '../errors.ts'
import type { Claim, LoadedSession, SessionNote, SessionStore } from '../store/session-store.ts'

/** Below this many bytes of journal a snapshot is cheap enough to be written at every rest. */
const SMALL_BYTES = 256 * 1024

export interface SessionOptions {
  store: SessionStore
  claim: Claim
  clock: Clock
  /** Called with records once they are durable, in order, never with none. */
  onDurable(session: Session, records: SessionRecord[]): void
  /** Called after each snapshot, with its size. */
  onSaved(session: Session, snapshotBytes: number): void
  /** Called with every write that failed, before its caller is told. */
  onFailed(session: Session, what: 'append' | 'snapshot', error: AgentryError): void
}

export class Session {
  readonly #options: SessionOptions
  readonly #state: SessionState
  #pending: SessionRecord[] = []
  #flushing: Promise<void> | undefined
  #broken: AgentryError | undefined
  #durableSeq: number
  /** The journal's length that the last snapshot covers. */
  #snapshotOffset: number
  #snapshotSeq: number

  private constructor(
    options: SessionOptions,
    state: SessionState,
    durableSeq: number,
    snapshot: LoadedSession['snapshot'],
  ) {
    this.#options = options
    this.#state = state
    this.#durableSeq = durableSeq
    this.#snapshotOffset = snapshot.journalOffset
    this.#snapshotSeq = snapshot.seq
  }

  /** A new session; its first record is buffered like any other. */
  static create(options: SessionOptions, body: Omit<BodyOf<'session.created'>, 'type'>): Session {
    const { claim, clock } = options
    const record: SessionRecord = {
      seq: 1,
      epoch: claim.token,
      at: isoTime(clock),
      type: 'session.created',
      ...body,
    }
    const session = new Session(options, foldFirst(record), 0, { seq: 0, journalOffset: 0 })
    session.#pending.push(record)
    return session
  }

  /** Opens a session for writing. Throws like SessionStore.load. */
  static async open(
    options: SessionOptions,
    sessionId: string,
  ): Promise<{ session: Session; notes: SessionNote[] }> {
    const { state, snapshot, notes } = await options.store.load(sessionId, options.claim)
    return { session: new Session(options, state, state.seq, snapshot), notes }
  }

  /** The state with all records folded in, durable or not. Changed by record() only. */
  get state(): SessionState {
    return this.#state
  }

  get id(): string {
    return this.#state.id
  }

  /** Set after a failed flush (SE3). */
  get broken(): AgentryError | undefined {
    return this.#broken
  }

  /** Adds a record: in the state now, on disk with the next flush. Throws `session_damaged` for an illegal one, adding nothing. */
  record(body: RecordBody): void {
    const { claim, clock } = this.#options
    const record: SessionRecord = {
      seq: this.#state.seq + 1,
      epoch: claim.token,
      at: isoTime(clock),
      ...body,
    }
    fold(this.#state, record)
    this.#pending.push(record)
  }

  /** Resolves when everything recorded until now is durable. Concurrent calls share the write. */
  async flush(): Promise<void> {
    const { seq } = this.#state
    while (this.#durableSeq < seq && !this.#broken) {
      this.#flushing ??= this.#write()
      await this.#flushing
    }
    if (this.#broken) throw this.#broken
  }

  /** Writes the snapshot now. */
  async save(): Promise<void> {
    // A record may come between the end of a flush and our turn to run; a snapshot must not hold what is not durable.
    do await this.flush()
    while (this.#pending.length > 0)
    if (this.#snapshotSeq === this.#state.seq) return
    const { journalOffset, seq } = this.#state
    const snapshotBytes = await this.#snapshot()
    this.#snapshotOffset = journalOffset
    this.#snapshotSeq = seq
    this.#options.onSaved(this, snapshotBytes)
  }

  /** Writes the snapshot if the tail behind it has outgrown it (SE4). For between two turns. */
  async saveIfOutgrown(): Promise<void> {
    if (this.#tailBytes > Math.max(SMALL_BYTES, this.#snapshotOffset)) await this.save()
  }

  /** Writes the snapshot if that is cheap, or would spare the next load much. For when the session comes to rest. */
  async saveAtRest(): Promise<void> {
    const { journalOffset } = this.#state
    if (journalOffset <= SMALL_BYTES || this.#tailBytes * 10 >= journalOffset) await this.save()
  }

  /** Frees the store's handle. The session must not be used afterwards. */
  async close(): Promise<void> {
    await this.#options.store.release(this.id)
  }

  async #snapshot(): Promise<number> {
    const { store, claim } = this.#options
    try {
      return await store.snapshot(claim, this.#state)
    } catch (thrown) {
      const error = toAgentryError(thrown)
      // Nor will it fit after the next turn: it is tried again when the session has doubled.
      if (error.code === 'snapshot_too_large') this.#snapshotOffset = this.#state.journalOffset
      this.#options.onFailed(this, 'snapshot', error)
      throw error
    }
  }

  get #tailBytes(): number {
    return this.#state.journalOffset - this.#snapshotOffset
  }

  async #write(): Promise<void> {
    const records = this.#pending
    this.#pending = []
    const { store, claim } = this.#options
    try {
      this.#state.journalOffset = await store.append(claim, this.id, this.#durableSeq, records)
      this.#durableSeq += records.length
    } catch (error) {
      this.#broken = toAgentryError(error, 'storage_failed')
      this.#options.onFailed(this, 'append', this.#broken)
      throw this.#broken
    } finally {
      this.#flushing = undefined
    }
    this.#options.onDurable(this, records)
  }
}
