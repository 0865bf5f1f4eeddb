/** Lists the sessions of a folder by their headers, as quickly as that can be done from files. */
import { setImmediate as nextTick } from 'node:timers/promises'
import { headerOf } from '../core/fold.ts'
import { assertSessionId } from '../core/ids.ts'
import type { SessionHeader } from '../core/session-state.ts'
import { isAgentryError } from '../errors.ts'
import type { DurableFs } from './durable-fs.ts'
import { openJournal, readSnapshotHeader, readTail } from './read-session.ts'
import { problemOf } from './session-errors.ts'
import { filesOf, sessionIdsIn, type SessionFiles } from './session-files.ts'
import type { ListedSession, SessionPlace } from './session-store.ts'

/** Sessions between two turns of the event loop: a few milliseconds of work. */
const BATCH = 64

/**
 * Every session with files in `folder` (none where it is not there), in no order; with `ids` only those. One that cannot be read comes
 * with its problem, one whose creation a crash cut off does not come. A session on its way into or out of the trash comes only in the
 * folder in which it will end up.
 */
export async function* listSessions(
  fs: DurableFs,
  folder: string,
  place: SessionPlace,
  ids: Iterable<string> = listIds(fs, folder),
): AsyncGenerator<ListedSession, void> {
  let count = 0
  for (const sessionId of ids) {
    assertSessionId(sessionId)
    const session = listOne(fs, sessionId, filesOf(folder, sessionId))
    const isTrashed = session?.header?.trashedAt !== undefined
    if (session !== undefined && (session.header === undefined || isTrashed === (place === 'trash'))) {
      yield session
    }
    if (++count % BATCH === 0) await nextTick()
  }
}

/** The ids of the sessions with files in `folder`; none where it is not there. */
export function listIds(fs: DurableFs, folder: string): Set<string> {
  return fs.info(folder) === undefined ? new Set() : sessionIdsIn(fs.list(folder))
}

function listOne(fs: DurableFs, sessionId: string, files: SessionFiles): ListedSession | undefined {
  try {
    return { sessionId, ...readHeader(fs, sessionId, files) }
  } catch (error) {
    if (isAgentryError(error, 'session_not_found')) return undefined
    const problem = problemOf(sessionId, error)
    return { sessionId, ...headerOfSnapshot(fs, sessionId, files), diskBytes: sizeOf(fs, files), problem }
  }
}

/** What a good snapshot still says of a session that cannot be read to its end. */
function headerOfSnapshot(fs: DurableFs, sessionId: string, files: SessionFiles): { header?: SessionHeader } {
  try {
    const snapshot = readSnapshotHeader(fs, sessionId, files.snapshot)
    return snapshot.kind === 'good' ? { header: headerOf(snapshot.state) } : {}
  } catch {
    return {} // why it cannot be read is the problem that is reported already
  }
}

/** Reads the header of a session. Throws like SessionStore.load. */
export function readHeader(
  fs: DurableFs,
  sessionId: string,
  files: SessionFiles,
): { header: SessionHeader; diskBytes: number } {
  const snapshot = readSnapshotHeader(fs, sessionId, files.snapshot)
  if (snapshot.kind === 'good') {
    const journal = fs.info(files.journal)
    if (journal?.kind === 'file' && journal.size === snapshot.state.journalOffset) {
      // Nothing behind the snapshot: the journal need not be opened.
      const { memory: _memory, ...header } = snapshot.state
      return { header, diskBytes: snapshot.bytes + journal.size }
    }
  }
  const journal = openJournal(fs, sessionId, files, snapshot, 'read')
  try {
    const { state } = readTail(sessionId, files, snapshot, journal)
    return { header: headerOf(state), diskBytes: snapshot.bytes + journal.opened.size }
  } finally {
    journal.close()
  }
}

function sizeOf(fs: DurableFs, files: SessionFiles): number {
  return (fs.info(files.snapshot)?.size ?? 0) + (fs.info(files.journal)?.size ?? 0)
}
