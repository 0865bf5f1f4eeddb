/**
 * Reads a session from its files, and changes nothing: the snapshot first, then the journal behind the snapshot's offset.
 *
 * Invariants:
 * R1  the state is the fold of the journal's records; a snapshot that is bad or missing costs a reading from the start, no more.
 * R2  a torn tail and stale records (journal.ts, J2 and J3) are left out of the state and reported; damage in what has to be
 *     read is an error. Damage before the snapshot's offset is not read here: doctor.ts and replays find it.
 * R3  the snapshot is read before the journal's length is: a writer at work only ever makes the journal longer than the
 *     snapshot says.
 */
import { fold, foldFirst } from '../core/fold.ts'
import type { SessionRecord } from '../core/record.ts'
import type { SessionState } from '../core/session-state.ts'
import { isAgentryError } from '../errors.ts'
import type { DurableFile, DurableFs, OpenMode } from './durable-fs.ts'
import { JOURNAL_START, type JournalItem, readJournal } from './journal.ts'
import {
  journalMissing,
  journalTruncated,
  sessionDamaged,
  sessionNotFound,
  sessionUnreadable,
  unsupportedFormat,
} from './session-errors.ts'
import type { SessionFiles } from './session-files.ts'
import type { SessionNote } from './session-store.ts'
import { decodeSnapshot, decodeSnapshotHeader, type DecodedSnapshot } from './snapshot.ts'
import { hasErrno } from './storage-errors.ts'

/** A snapshot as it was found. `bytes` is the size of the file. */
export type SnapshotFound =
  | { kind: 'good'; state: SessionState; bytes: number }
  | { kind: 'bad'; reason: string; bytes: number }
  | { kind: 'missing'; bytes: 0 }

export interface SessionRead {
  /** Its journalOffset is the end of what was read: a torn tail starts there. */
  state: SessionState
  /** What the snapshot covers; both 0 where there is no valid one. */
  snapshot: { seq: number; journalOffset: number }
  notes: SessionNote[]
  torn: JournalItem | undefined
  stale: JournalItem[]
}

/** The header comes with the first block in all but rare cases. One buffer serves all: a list of thousands need not allocate it. */
const firstBlock = Buffer.allocUnsafe(16 * 1024)

/**
 * Opens a file of a session; undefined where there is none. Throws `session_unreadable` for what is no regular file or must not be
 * opened, `storage_failed` for anything else.
 */
export function openSessionFile(
  fs: DurableFs,
  sessionId: string,
  path: string,
  mode: OpenMode,
): DurableFile | undefined {
  try {
    return fs.open(path, mode)
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined
    if (!isRefusal(error)) throw error
    throw sessionUnreadable(sessionId, path, mode === 'read' ? 'read' : 'read and written', error)
  }
}

/** ELOOP: a symlink. ENXIO: a socket. */
function isRefusal(error: unknown): boolean {
  return hasErrno(error, 'ELOOP', 'EISDIR', 'ENXIO', 'EACCES', 'EPERM', 'not a regular file')
}

/** Reads the snapshot. Throws `unsupported_format`, `session_unreadable`, `storage_failed`. */
export function readSnapshot(fs: DurableFs, sessionId: string, path: string): SnapshotFound {
  return withSnapshot(fs, sessionId, path, (file, bytes) => decodeSnapshot(file.read(bytes, 0), sessionId))
}

/** Like readSnapshot, but the state has an empty memory, and only as much of the file is read as that takes. */
export function readSnapshotHeader(fs: DurableFs, sessionId: string, path: string): SnapshotFound {
  return withSnapshot(fs, sessionId, path, (file, bytes) => {
    let block: Buffer = firstBlock.subarray(0, file.readInto(firstBlock, 0))
    for (let wanted = firstBlock.length; ; wanted *= 4) {
      const decoded = decodeSnapshotHeader(block, sessionId)
      if (decoded !== undefined) return decoded
      if (wanted >= bytes) return { kind: 'bad', reason: 'it has no memory' }
      block = file.read(Math.min(wanted * 4, bytes), 0)
    }
  })
}

function withSnapshot(
  fs: DurableFs,
  sessionId: string,
  path: string,
  decode: (file: DurableFile, bytes: number) => DecodedSnapshot,
): SnapshotFound {
  const file = openSessionFile(fs, sessionId, path, 'read')
  if (file === undefined) return { kind: 'missing', bytes: 0 }
  try {
    const bytes = file.opened.size
    const decoded = decode(file, bytes)
    if (decoded.kind !== 'newer') return { ...decoded, bytes }
    throw unsupportedFormat(sessionId, path, `format ${decoded.formatVersion}`)
  } finally {
    file.close()
  }
}

/** Reads a whole session and closes its files. Throws like SessionStore.load. */
export function readSession(fs: DurableFs, sessionId: string, files: SessionFiles): SessionRead {
  const snapshot = readSnapshot(fs, sessionId, files.snapshot)
  const journal = openJournal(fs, sessionId, files, snapshot, 'read')
  try {
    return readTail(sessionId, files, snapshot, journal)
  } finally {
    journal.close()
  }
}

/**
 * The agent whose session it is, from its snapshot or its first record: known for most sessions that cannot be read whole too. Throws
 * `session_not_found`, `session_damaged` where neither says it.
 */
export function readOwner(fs: DurableFs, sessionId: string, files: SessionFiles): string {
  const snapshot = readSnapshotHeader(fs, sessionId, files.snapshot)
  if (snapshot.kind === 'good') return snapshot.state.agentId
  const journal = openJournal(fs, sessionId, files, snapshot, 'read')
  try {
    const first = readJournal(journal).next().value
    if (first?.kind === 'record' && first.record.type === 'session.created') return first.record.agentId
    if (first === undefined || first.kind === 'torn') throw sessionNotFound(sessionId)
    if (first.kind === 'newer') throw unsupportedFormat(sessionId, journal.path, first.found)
    throw sessionDamaged(sessionId, { path: journal.path, offset: 0, lastSeq: 0 }, 'its agent is not known')
  } finally {
    journal.close()
  }
}

/** Opens the journal that belongs to a snapshot. Throws `session_not_found` where neither is there, `journal_missing`, … */
export function openJournal(
  fs: DurableFs,
  sessionId: string,
  files: SessionFiles,
  snapshot: SnapshotFound,
  mode: 'read' | 'append',
): DurableFile {
  const journal = openSessionFile(fs, sessionId, files.journal, mode)
  if (journal !== undefined) return journal
  // A snapshot that was there and is not any more was moved, its journal with it, since it was read.
  if (snapshot.kind === 'missing' || fs.info(files.snapshot) === undefined) throw sessionNotFound(sessionId)
  throw journalMissing(sessionId, files.journal)
}

/** Folds what the journal has behind the snapshot into the snapshot's state. Throws like SessionStore.load. */
export function readTail(
  sessionId: string,
  files: SessionFiles,
  snapshot: SnapshotFound,
  journal: DurableFile,
): SessionRead {
  let state = snapshot.kind === 'good' ? snapshot.state : undefined
  if (state !== undefined) assertCovers(sessionId, journal, state)
  const covered = { seq: state?.seq ?? 0, journalOffset: state?.journalOffset ?? 0 }
  const read: Omit<SessionRead, 'state'> = { snapshot: covered, notes: [], torn: undefined, stale: [] }
  let offset = covered.journalOffset
  const from = state === undefined ? JOURNAL_START : { offset, seq: state.seq, epoch: state.epoch }
  for (const item of readJournal(journal, from)) {
    const at = { path: files.journal, offset: item.start, lastSeq: state?.seq ?? 0 }
    switch (item.kind) {
      case 'record':
        state = foldRecord(sessionId, at, state, item.record)
        break
      case 'stale':
        read.stale.push(item)
        read.notes.push(staleNote(sessionId, files, item.record))
        break
      case 'torn':
        read.torn = item
        read.notes.push({
          kind: 'torn-tail',
          sessionId,
          message: `${files.journal} ends in ${item.end - item.start} bytes of a write that was cut off`,
        })
        continue
      case 'damage':
        throw sessionDamaged(sessionId, at, item.reason)
      case 'newer':
        throw unsupportedFormat(sessionId, files.journal, item.found)
    }
    offset = item.end
  }
  if (state === undefined) {
    // A journal without a whole record and without a snapshot is a creation that a crash cut off.
    if (snapshot.kind === 'missing') throw sessionNotFound(sessionId)
    throw journalTruncated(sessionId, files.journal, { found: journal.info().size })
  }
  if (snapshot.kind !== 'good') read.notes.push(rebuiltNote(sessionId, files, snapshot))
  state.journalOffset = offset
  return { state, ...read }
}

/** Throws `journal_truncated`, or `session_damaged` where the snapshot's offset is not the end of a line. */
export function assertCovers(
  sessionId: string,
  journal: DurableFile,
  { journalOffset, seq }: SessionState,
): void {
  const { path } = journal
  const { size } = journal.info()
  if (journalOffset > size) {
    throw journalTruncated(sessionId, path, { found: size, expected: journalOffset })
  }
  if (journal.read(1, journalOffset - 1).toString('latin1') !== '\n') {
    const at = { path, offset: journalOffset - 1, lastSeq: seq }
    throw sessionDamaged(sessionId, at, 'expected a newline where the snapshot ends')
  }
}

function foldRecord(
  sessionId: string,
  at: { path: string; offset: number; lastSeq: number },
  state: SessionState | undefined,
  record: SessionRecord,
): SessionState {
  if (state === undefined && record.type === 'session.created' && record.sessionId !== sessionId) {
    throw sessionDamaged(sessionId, at, `it is the journal of session ${record.sessionId}`)
  }
  try {
    return state === undefined ? foldFirst(record) : fold(state, record)
  } catch (error) {
    if (!isAgentryError(error, 'session_damaged')) throw error
    throw sessionDamaged(sessionId, at, error.message, error)
  }
}

function staleNote(sessionId: string, files: SessionFiles, record: SessionRecord): SessionNote {
  const what = `record ${record.seq} of epoch ${record.epoch}`
  return {
    kind: 'stale-record',
    sessionId,
    message: `${files.journal} has ${what}, written by an owner that had lost its claim: it is ignored`,
  }
}

function rebuiltNote(
  sessionId: string,
  files: SessionFiles,
  snapshot: Exclude<SnapshotFound, { kind: 'good' }>,
): SessionNote {
  const why = snapshot.kind === 'missing' ? 'is missing' : `is not valid (${snapshot.reason})`
  return {
    kind: 'snapshot-rebuilt',
    sessionId,
    message: `${files.snapshot} ${why}; the session was read from its journal`,
  }
}
