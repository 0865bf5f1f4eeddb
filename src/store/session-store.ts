/**
 * The port behind which sessions are kept. Files are one implementation, memory another; one contract suite
 * (test/contracts/session-store.ts) runs over both.
 *
 * Invariants of every implementation:
 * S1  append resolves only after its records are durable (as the configured fsync mode defines it), all of them. One that throws has
 *     taken none. One that a crash cuts off may have taken a beginning of them, whole records only: write them in an order in
 *     which every beginning is a legal session.
 * S2  nobody but the holder of the living claim on an agent writes that agent's sessions.
 * S3  a record once acknowledged is never changed or removed, except by `purge`.
 * S4  load gives the fold of all records; a damaged snapshot changes its cost, not its result.
 * S5  a fault in one session is an error of that session: the others list and load.
 */
import type { SessionRecord } from '../core/record.ts'
import type { SessionHeader, SessionState } from '../core/session-state.ts'

/**
 * The right to write the sessions of one agent. It can be sent to another thread: `word` is shared memory, and holds 1
 * while the claim lives.
 */
export interface Claim {
  readonly agentId: string
  /** Higher than that of every claim given before, across restarts of the supervisor: a record's `epoch`. */
  readonly token: number
  readonly word: Int32Array<SharedArrayBuffer>
}

/** Gives claims: the supervisor's side of S2. One authority per data directory, held under its lock. */
export interface ClaimAuthority {
  /** Throws `claim_held` while an earlier claim on the agent lives. */
  claim(agentId: string): Claim
  /** Ends the claim: from now on its appends are refused (`fenced`). Idempotent. Call it after the owner's thread is gone. */
  release(claim: Claim): void
}

/** What a load met and mended or could not mend, for reports: health, doctor, the log. */
export interface SessionNote {
  kind:
    | 'torn-tail'
    | 'snapshot-rebuilt'
    | 'stale-record'
    | 'damage'
    | 'foreign-file'
    | 'newer-format'
    | 'journal-missing'
    | 'journal-truncated'
    | 'move-finished'
    | 'temp-removed'
    | 'working-dir-missing'
    | 'append-failed'
    | 'sync-failed'
    | 'snapshot-failed'
    | 'suspend-failed'
    | 'agent-fault'
  sessionId?: string
  /** One sentence for people: what was found, where, what was done. */
  message: string
}

export interface LoadedSession {
  state: SessionState
  /** What the snapshot covers: the last record in it, and the journal's length behind that. Both 0 where there is no valid one. */
  snapshot: { seq: number; journalOffset: number }
  /** Empty for a healthy session. */
  notes: SessionNote[]
}

export interface ListedSession {
  /** Left out where there is none to be read. Beside a `problem`: as its snapshot has it. */
  header?: SessionHeader
  sessionId: string
  /** Bytes of journal and snapshot on disk. */
  diskBytes: number
  /** Set where the session cannot be loaded: why. */
  problem?: SessionNote
}

export type SessionPlace = 'sessions' | 'trash'

export interface SessionStore {
  /**
   * Reads a whole session. With `claim` it is made fit for appending first (a torn tail is set aside and cut, unless the disk is full:
   * then an append does it); without, nothing is changed on disk, and an append that is under way may show as a torn tail. Sessions in
   * the trash are not found.
   *
   * Throws `session_not_found` (also for another agent's session when a claim is given), `session_damaged`, `session_unreadable`,
   * `journal_missing`, `journal_truncated`, `unsupported_format`, `storage_failed`.
   */
  load(sessionId: string, claim?: Claim): Promise<LoadedSession>

  /**
   * Appends records (S1), and resolves with the journal's length in bytes behind them. The first append to a session
   * (`expectedSeq` 0, first record session.created) creates it. With no records it only says the length.
   *
   * Throws `fenced` (the claim is gone, or a later owner has written), `seq_conflict` (the session's last record is not
   * `expectedSeq`, or it exists already), `storage_full`, `storage_failed`, `internal` for records that do not follow `expectedSeq`
   * under this claim, and like load. After a throw nothing of the call is acknowledged, and it may be made again: what it left on the
   * disk is cut off first (a creation is better made again under a new id, what it left may have to stay).
   */
  append(
    claim: Claim,
    sessionId: string,
    expectedSeq: number,
    records: readonly SessionRecord[],
  ): Promise<number>

  /**
   * Writes the snapshot of `state`, atomically, and resolves with its size in bytes. Throws `fenced`, `seq_conflict` (the state is not
   * that of the session's last record), `snapshot_too_large`, `storage_full`, `storage_failed`; the old one stays then.
   */
  snapshot(claim: Claim, state: SessionState): Promise<number>

  /** The records behind `afterSeq`, oldest first, up to the end at the time of the call. Throws like load. */
  replay(sessionId: string, afterSeq?: number): AsyncIterable<SessionRecord>

  /**
   * Every session that is there, in no order, the trash left out; with `ids` those of them that are there. Unreadable ones come with
   * their problem (S5).
   */
  list(ids?: Iterable<string>): AsyncIterable<ListedSession>

  /** The same for the sessions in the trash. */
  listTrash(ids?: Iterable<string>): AsyncIterable<ListedSession>

  /** The ids of all sessions of which there is anything, readable or not: cheap, nothing is read. */
  ids(place: SessionPlace): Promise<ReadonlySet<string>>

  /**
   * Moves a session into the trash, after its `session.trashed` record is durable. A move that was cut off is finished by the next start
   * or the next move of the session. Throws like append.
   */
  trash(claim: Claim, sessionId: string): Promise<void>

  /** Moves a session back from the trash, `session.restored` recorded first. Throws like append. */
  restore(claim: Claim, sessionId: string): Promise<void>

  /** Deletes a session in the trash for good. Throws `session_not_found`. */
  purge(claim: Claim, sessionId: string): Promise<void>

  /** Frees what a session holds open. Idempotent. */
  release(sessionId: string): Promise<void>
}
