/** Opens a session's journal for writing: an existing one made fit for appending, or a new one with its first records. */
import type { Clock } from '../core/clock.ts'
import { type DurableFile, type DurableFs, removeQuietly } from './durable-fs.ts'
import { assertHeld, assertOwns } from './fencing.ts'
import { readJournal } from './journal.ts'
import { type FsyncMode, JournalWriter } from './journal-writer.ts'
import { fileStamp, setAside, setAsideOnce } from './quarantine.ts'
import { openJournal, openSessionFile, readSnapshot, readTail, type SessionRead } from './read-session.ts'
import { sessionExists, sessionNotFound } from './session-errors.ts'
import { filesOf, type Folders } from './session-files.ts'
import type { Claim } from './session-store.ts'

/** What the parts of a file store share. */
export interface StoreContext {
  readonly fs: DurableFs
  readonly folders: Folders
  readonly clock: Clock
  readonly fsync: FsyncMode
}

export interface OpenSession {
  read: SessionRead
  writer: JournalWriter
}

/**
 * Reads a session and opens it for appending. A torn tail is kept in quarantine and cut, stale records are kept there too; before
 * that, everything behind `cutTo` is cut, where it is given: what a failed append may have left.
 *
 * Throws like SessionStore.load; `storage_full` where there is no room to keep the torn tail.
 */
export function openSession(
  context: StoreContext,
  claim: Claim,
  sessionId: string,
  place: 'sessions' | 'trash',
  cutTo?: number,
): OpenSession {
  const { fs, folders, fsync, clock } = context
  const files = filesOf(folders[place], sessionId)
  const snapshot = readSnapshot(fs, sessionId, files.snapshot)
  const journal = openJournal(fs, sessionId, files, snapshot, 'append')
  try {
    if (cutTo !== undefined) cut(claim, journal, cutTo)
    const read = readTail(sessionId, files, snapshot, journal)
    assertOwns(claim, read.state)
    if ((read.state.trashedAt !== undefined) !== (place === 'trash')) throw sessionNotFound(sessionId)
    mend(context, claim, journal, read)
    const { agentId, journalOffset: length, seq } = read.state
    return {
      read,
      writer: new JournalWriter(journal, { agentId, token: claim.token, length, seq, fsync, clock }),
    }
  } catch (error) {
    journal.close()
    throw error
  }
}

/**
 * Makes the journal of a new session with its first records, the last of which is `seq`: durable with its name when it returns. What a
 * creation that was cut off has left is kept in quarantine. After a throw the session is not there, or (where it could not be removed
 * either) whole.
 *
 * Throws `seq_conflict` where the session exists, in the trash too.
 */
export function createSession(
  context: StoreContext,
  claim: Claim,
  sessionId: string,
  lines: Buffer,
  seq: number,
): JournalWriter {
  const { fs, folders, fsync, clock } = context
  const files = filesOf(folders.sessions, sessionId)
  const trashed = filesOf(folders.trash, sessionId)
  for (const path of [files.snapshot, trashed.snapshot, trashed.journal]) {
    if (fs.info(path) !== undefined) throw sessionExists(sessionId)
  }
  fs.makeDirectory(folders.sessions)
  const journal = openLeftover(context, claim, sessionId, files.journal) ?? fs.open(files.journal, 'create')
  try {
    assertHeld(claim)
    journal.append(lines)
    journal.sync()
    fs.syncDirectory(folders.sessions)
  } catch (error) {
    journal.close()
    removeQuietly(fs, files.journal)
    throw error
  }
  const { agentId, token } = claim
  return new JournalWriter(journal, { agentId, token, length: lines.length, seq, fsync, clock })
}

/** Opens, empty, what a creation that was cut off has left. Throws `seq_conflict` where it is more than that. */
function openLeftover(
  context: StoreContext,
  claim: Claim,
  sessionId: string,
  path: string,
): DurableFile | undefined {
  const journal = openSessionFile(context.fs, sessionId, path, 'append')
  if (journal === undefined) return undefined
  try {
    const first = readJournal(journal).next().value
    if (first !== undefined && first.kind !== 'torn') throw sessionExists(sessionId)
    if (first !== undefined) keepTorn(context, sessionId, journal, first)
    cut(claim, journal, 0)
    return journal
  } catch (error) {
    journal.close()
    throw error
  }
}

function mend(context: StoreContext, claim: Claim, journal: DurableFile, read: SessionRead): void {
  const { state, torn, stale, notes } = read
  for (const { start, end } of stale) {
    const bytes = journal.read(end - start, start)
    setAsideOnce(context.fs, context.folders, `${state.id}.${start}.stale.jsonl`, bytes)
  }
  if (torn === undefined) return
  const kept = keepTorn(context, state.id, journal, torn)
  cut(claim, journal, torn.start)
  const note = notes.find(({ kind }) => kind === 'torn-tail')
  if (note !== undefined) note.message += `; they are kept as ${kept} and cut`
}

function keepTorn(
  { fs, folders, clock }: StoreContext,
  sessionId: string,
  journal: DurableFile,
  torn: { start: number; end: number },
): string {
  const bytes = journal.read(torn.end - torn.start, torn.start)
  return setAside(fs, folders, `${sessionId}.${fileStamp(clock)}.torn`, bytes)
}

function cut(claim: Claim, journal: DurableFile, length: number): void {
  if (journal.info().size <= length) return
  assertHeld(claim)
  journal.truncate(length)
  journal.sync()
}
