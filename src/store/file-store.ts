/**
 * Sessions in files (session-files.ts): the journal is the truth, the snapshot a cache of it.
 *
 * Invariants, beside those of the port (session-store.ts):
 * T1  a session is written through one open JournalWriter, made by a load, a creation or the first write under a claim.
 * T2  before every write the journal is compared with what the writer left: where another has written, cut or deleted it, it is
 *     read again first, and the write is refused if it no longer fits.
 * T3  what a failed append may have left behind the acknowledged records is cut before the journal is read for writing again.
 */
import { setImmediate as nextTick } from 'node:timers/promises'
import { type Clock, isoTime, systemClock } from '../core/clock.ts'
import { assertSessionId } from '../core/ids.ts'
import type { SessionRecord } from '../core/record.ts'
import type { SessionState } from '../core/session-state.ts'
import { isAgentryError } from '../errors.ts'
import { type Bookmark, Bookmarks } from './bookmarks.ts'
import { type DurableFs, systemFs, writeFileAtomic } from './durable-fs.ts'
import { assertConsecutive, assertHeld, assertOwns, assertSeq } from './fencing.ts'
import { encodeRecord, JOURNAL_START, readJournal } from './journal.ts'
import type { FsyncMode, JournalWriter } from './journal-writer.ts'
import { listIds, listSessions } from './list-sessions.ts'
import { completeMove, finishMove, markMoving } from './moves.ts'
import { createSession, openSession, type OpenSession, type StoreContext } from './open-session.ts'
import { assertCovers, openJournal, readOwner, readSession, readSnapshotHeader } from './read-session.ts'
import { sessionDamaged, sessionNotFound, unsupportedFormat } from './session-errors.ts'
import { filesOf, foldersOf } from './session-files.ts'
import type { Claim, ListedSession, LoadedSession, SessionPlace, SessionStore } from './session-store.ts'
import { encodeSnapshot } from './snapshot.ts'

export interface FileStoreOptions {
  /** The data directory. Where it is missing, the creation of a session makes it. */
  directory: string
  /** Default `always`; journal-writer.ts says what `interval` can lose. */
  fsync?: FsyncMode
  fs?: DurableFs
  clock?: Clock
}

/** A store over the files of a data directory. Every thread has its own; claims keep them apart. */
export function createFileStore(options: FileStoreOptions): SessionStore {
  return new FileStore(options)
}

/** Records that a replay gives between two turns of the event loop. */
const REPLAY_BATCH = 256

class FileStore implements SessionStore {
  readonly #context: StoreContext
  readonly #writers = new Map<string, JournalWriter>()
  readonly #bookmarks = new Bookmarks()
  /** By session: where the acknowledged records end, after an append under the claim `token` failed (T3). */
  readonly #acknowledged = new Map<string, { token: number; length: number }>()

  constructor({ directory, fsync = 'always', fs = systemFs, clock = systemClock }: FileStoreOptions) {
    this.#context = { fs, clock, fsync, folders: foldersOf(directory) }
  }

  async load(sessionId: string, claim?: Claim): Promise<LoadedSession> {
    assertSessionId(sessionId)
    if (claim === undefined) return this.#read(sessionId)
    assertHeld(claim)
    try {
      const { state, snapshot, notes } = this.#open(claim, sessionId, 'sessions').read
      return { state, snapshot, notes }
    } catch (error) {
      if (!isAgentryError(error, 'storage_full')) throw error
      // A torn tail cannot be set aside on a full disk. Reading goes on; the next append tries again.
      const loaded = this.#read(sessionId)
      assertOwns(claim, loaded.state)
      return loaded
    }
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
    if (expectedSeq === 0 && records.length > 0) return this.#create(claim, sessionId, records)
    const writer = this.#writerOf(claim, sessionId)
    assertSeq(sessionId, expectedSeq, writer.seq)
    return this.#commit(claim, sessionId, writer, records)
  }

  async snapshot(claim: Claim, state: SessionState): Promise<number> {
    assertSessionId(state.id)
    assertHeld(claim)
    assertOwns(claim, state)
    const writer = this.#writerOf(claim, state.id)
    assertSeq(state.id, state.seq, writer.seq)
    writer.sync()
    const { fs, folders } = this.#context
    const bytes = encodeSnapshot({ ...state, journalOffset: writer.length })
    assertHeld(claim)
    writeFileAtomic(fs, filesOf(folders.sessions, state.id).snapshot, bytes)
    return bytes.length
  }

  async *replay(sessionId: string, afterSeq = 0): AsyncGenerator<SessionRecord, void> {
    assertSessionId(sessionId)
    const { fs, folders } = this.#context
    const files = filesOf(folders.sessions, sessionId)
    const snapshot = readSnapshotHeader(fs, sessionId, files.snapshot)
    const journal = openJournal(fs, sessionId, files, snapshot, 'read')
    let given: Bookmark | undefined
    try {
      let from = JOURNAL_START
      if (snapshot.kind === 'good') {
        const { journalOffset: offset, seq, epoch } = snapshot.state
        assertCovers(sessionId, journal, snapshot.state)
        if (seq <= afterSeq) from = { offset, seq, epoch }
      }
      const known = this.#bookmarks.find(sessionId, afterSeq, journal)
      if (known !== undefined && known.seq > from.seq) from = known
      let lastSeq = from.seq
      for (const item of readJournal(journal, from)) {
        if (item.kind === 'damage') {
          const at = { path: journal.path, offset: item.start, lastSeq }
          throw sessionDamaged(sessionId, at, item.reason)
        }
        if (item.kind === 'newer') throw unsupportedFormat(sessionId, journal.path, item.found)
        if (item.kind !== 'record') continue
        const { record, start, end } = item
        lastSeq = record.seq
        given = { start, end, seq: lastSeq, epoch: record.epoch }
        if (lastSeq > afterSeq) yield record
        if (lastSeq % REPLAY_BATCH === 0) await nextTick()
      }
      if (lastSeq === 0) throw sessionNotFound(sessionId)
    } finally {
      journal.close()
      if (given !== undefined) this.#bookmarks.put(sessionId, given)
    }
  }

  list(ids?: Iterable<string>): AsyncIterable<ListedSession> {
    const { fs, folders } = this.#context
    return listSessions(fs, folders.sessions, 'sessions', ids)
  }

  listTrash(ids?: Iterable<string>): AsyncIterable<ListedSession> {
    const { fs, folders } = this.#context
    return listSessions(fs, folders.trash, 'trash', ids)
  }

  async ids(place: SessionPlace): Promise<ReadonlySet<string>> {
    const { fs, folders } = this.#context
    return listIds(fs, folders[place])
  }

  async trash(claim: Claim, sessionId: string): Promise<void> {
    this.#beginMove(claim, sessionId)
    const writer = this.#writerOf(claim, sessionId)
    this.#move(claim, sessionId, writer, 'session.trashed')
  }

  async restore(claim: Claim, sessionId: string): Promise<void> {
    this.#beginMove(claim, sessionId)
    const { writer } = this.#open(claim, sessionId, 'trash')
    this.#move(claim, sessionId, writer, 'session.restored')
  }

  async purge(claim: Claim, sessionId: string): Promise<void> {
    this.#beginMove(claim, sessionId)
    const { fs, folders } = this.#context
    const files = filesOf(folders.trash, sessionId)
    if (readOwner(fs, sessionId, files) !== claim.agentId) throw sessionNotFound(sessionId)
    assertHeld(claim)
    // The journal goes last: as long as it is there the session is listed, and can be purged again.
    fs.unlink(files.snapshot)
    fs.unlink(files.journal)
    fs.syncDirectory(folders.trash)
  }

  async release(sessionId: string): Promise<void> {
    this.#drop(sessionId)
  }

  #read(sessionId: string): LoadedSession {
    const { fs, folders } = this.#context
    const { state, snapshot, notes } = readSession(fs, sessionId, filesOf(folders.sessions, sessionId))
    if (state.trashedAt !== undefined) throw sessionNotFound(sessionId)
    return { state, snapshot, notes }
  }

  /** T2 */
  #writerOf(claim: Claim, sessionId: string): JournalWriter {
    const writer = this.#writers.get(sessionId)
    if (writer?.token === claim.token && !writer.isBroken && writer.isAlone) return writer
    return this.#open(claim, sessionId, 'sessions').writer
  }

  #open(claim: Claim, sessionId: string, place: 'sessions' | 'trash'): OpenSession {
    this.#drop(sessionId)
    const known = this.#acknowledged.get(sessionId)
    const cutTo = known?.token === claim.token ? known.length : undefined
    const opened = openSession(this.#context, claim, sessionId, place, cutTo)
    this.#acknowledged.delete(sessionId)
    this.#writers.set(sessionId, opened.writer)
    return opened
  }

  #create(claim: Claim, sessionId: string, records: readonly SessionRecord[]): number {
    this.#drop(sessionId)
    const writer = createSession(this.#context, claim, sessionId, encode(records), records.length)
    this.#writers.set(sessionId, writer)
    return writer.length
  }

  #commit(claim: Claim, sessionId: string, writer: JournalWriter, records: readonly SessionRecord[]): number {
    const last = records.at(-1)
    if (last === undefined) return writer.length
    try {
      writer.append(claim, encode(records), last.seq)
    } catch (error) {
      if (writer.isBroken) {
        this.#acknowledged.set(sessionId, { token: claim.token, length: writer.length })
        this.#drop(sessionId)
      }
      throw error
    }
    return writer.length
  }

  #beginMove(claim: Claim, sessionId: string): void {
    assertSessionId(sessionId)
    assertHeld(claim)
    finishMove(this.#context.fs, this.#context.folders, sessionId)
  }

  /** moves.ts, M1 */
  #move(
    claim: Claim,
    sessionId: string,
    writer: JournalWriter,
    type: 'session.trashed' | 'session.restored',
  ): void {
    const { fs, folders, clock } = this.#context
    const record = { seq: writer.seq + 1, epoch: claim.token, at: isoTime(clock), type }
    try {
      markMoving(fs, folders, sessionId)
      this.#commit(claim, sessionId, writer, [record])
    } finally {
      this.#drop(sessionId)
    }
    completeMove(fs, folders, sessionId, type === 'session.trashed' ? 'trash' : 'sessions')
  }

  #drop(sessionId: string): void {
    const writer = this.#writers.get(sessionId)
    this.#writers.delete(sessionId)
    writer?.close()
  }
}

function encode(records: readonly SessionRecord[]): Buffer {
  return Buffer.from(records.map(encodeRecord).join(''))
}
