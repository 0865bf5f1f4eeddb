/**
 * Sessions in memory, for tests and for teams that need not outlive their process. The state is shared within the object: every owner
 * on every claim uses the same store. Records are kept as the lines that the file store writes, so that nobody holds what another
 * changes, and lengths and offsets mean the same.
 */
import { type Clock, isoTime, systemClock } from '../core/clock.ts'
import { fold, foldFirst, headerOf } from '../core/fold.ts'
import { assertSessionId } from '../core/ids.ts'
import type { SessionRecord } from '../core/record.ts'
import type { SessionState } from '../core/session-state.ts'
import { AgentryError } from '../errors.ts'
import { assertConsecutive, assertHeld, assertOwns, assertSeq } from './fencing.ts'
import { decodeRecord, encodeRecord } from './journal.ts'
import { problemOf, sessionExists, sessionNotFound } from './session-errors.ts'
import type { Claim, ListedSession, LoadedSession, SessionPlace, SessionStore } from './session-store.ts'

/** `clock` stamps session.trashed and session.restored. */
export function createMemoryStore({ clock = systemClock }: { clock?: Clock } = {}): SessionStore {
  return new MemoryStore(clock)
}

interface StoredSession {
  id: string
  agentId: string
  epoch: number
  lines: string[]
  bytes: number
  trashed: boolean
}

class MemoryStore implements SessionStore {
  readonly #clock: Clock
  readonly #sessions = new Map<string, StoredSession>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async load(sessionId: string, claim?: Claim): Promise<LoadedSession> {
    assertSessionId(sessionId)
    if (claim !== undefined) assertHeld(claim)
    const state = stateOf(this.#find(sessionId, false, claim))
    const { seq, journalOffset } = state
    return { state, snapshot: { seq, journalOffset }, notes: [] }
  }

  async append(
    claim: Claim,
    sessionId: string,
    expectedSeq: number,
    records: readonly SessionRecord[],
  ): Promise<number> {
    assertSessionId(sessionId)
    assertHeld(claim)
    assertConsecutive(claim, sessionId, expectedSeq, records)
    if (expectedSeq === 0 && records.length > 0) {
      if (this.#sessions.has(sessionId)) throw sessionExists(sessionId)
      const { agentId, token: epoch } = claim
      const created = { id: sessionId, agentId, epoch, lines: [], bytes: 0, trashed: false }
      this.#sessions.set(sessionId, created)
      return add(claim, created, records)
    }
    const session = this.#find(sessionId, false, claim)
    assertSeq(sessionId, expectedSeq, session.lines.length)
    return add(claim, session, records)
  }

  /** There is nothing to write: a load folds the records. */
  async snapshot(claim: Claim, state: SessionState): Promise<number> {
    assertSessionId(state.id)
    assertHeld(claim)
    const session = this.#find(state.id, false, claim)
    assertSeq(state.id, state.seq, session.lines.length)
    return 0
  }

  async *replay(sessionId: string, afterSeq = 0): AsyncGenerator<SessionRecord, void> {
    assertSessionId(sessionId)
    yield* recordsOf(this.#find(sessionId, false).lines.slice(afterSeq))
  }

  async *list(ids?: Iterable<string>): AsyncGenerator<ListedSession, void> {
    yield* this.#listed(false, ids)
  }

  async *listTrash(ids?: Iterable<string>): AsyncGenerator<ListedSession, void> {
    yield* this.#listed(true, ids)
  }

  async ids(place: SessionPlace): Promise<ReadonlySet<string>> {
    const there = this.#sessions.values().filter(({ trashed }) => trashed === (place === 'trash'))
    return new Set(there.map(({ id }) => id))
  }

  async trash(claim: Claim, sessionId: string): Promise<void> {
    this.#move(claim, sessionId, 'session.trashed')
  }

  async restore(claim: Claim, sessionId: string): Promise<void> {
    this.#move(claim, sessionId, 'session.restored')
  }

  async purge(claim: Claim, sessionId: string): Promise<void> {
    assertSessionId(sessionId)
    assertHeld(claim)
    this.#find(sessionId, true, claim)
    this.#sessions.delete(sessionId)
  }

  async release(): Promise<void> {}

  #find(sessionId: string, trashed: boolean, claim?: Claim): StoredSession {
    const session = this.#sessions.get(sessionId)
    if (session === undefined || session.trashed !== trashed) throw sessionNotFound(sessionId)
    if (claim !== undefined) assertOwns(claim, session)
    return session
  }

  #move(claim: Claim, sessionId: string, type: 'session.trashed' | 'session.restored'): void {
    assertSessionId(sessionId)
    assertHeld(claim)
    const session = this.#find(sessionId, type === 'session.restored', claim)
    const seq = session.lines.length + 1
    add(claim, session, [{ seq, epoch: claim.token, at: isoTime(this.#clock), type }])
    session.trashed = type === 'session.trashed'
  }

  *#listed(trashed: boolean, ids: Iterable<string> = this.#sessions.keys()): Generator<ListedSession, void> {
    for (const id of ids) {
      const session = this.#sessions.get(id)
      if (session?.trashed === trashed) yield listed(session)
    }
  }
}

function listed(session: StoredSession): ListedSession {
  const { id: sessionId } = session
  try {
    return { sessionId, header: headerOf(stateOf(session)), diskBytes: 0 }
  } catch (error) {
    return { sessionId, diskBytes: 0, problem: problemOf(sessionId, error) }
  }
}

function add(claim: Claim, session: StoredSession, records: readonly SessionRecord[]): number {
  const lines = records.map(encodeRecord)
  session.lines.push(...lines)
  for (const line of lines) session.bytes += Buffer.byteLength(line)
  session.epoch = claim.token
  return session.bytes
}

function stateOf({ id, lines, bytes }: StoredSession): SessionState {
  let state: SessionState | undefined
  for (const record of recordsOf(lines)) state = state === undefined ? foldFirst(record) : fold(state, record)
  if (state === undefined) throw sessionNotFound(id)
  state.journalOffset = bytes
  return state
}

function* recordsOf(lines: readonly string[]): Generator<SessionRecord, void> {
  for (const line of lines) {
    const decoded = decodeRecord(Buffer.from(line.slice(0, -'\n'.length)))
    if (decoded.kind !== 'record') throw new AgentryError('internal', `a line in memory is ${decoded.kind}`)
    yield decoded.record
  }
}
