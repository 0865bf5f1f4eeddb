/** The errors that a session's files can lead to, each made in one place, and the notes that lists and reports have of them. */
import { FORMAT_VERSION } from '../core/session-state.ts'
import { AgentryError, toAgentryError } from '../errors.ts'
import type { SessionNote } from './session-store.ts'

export function sessionNotFound(sessionId: string): AgentryError {
  return new AgentryError('session_not_found', `there is no session ${sessionId}`, { data: { sessionId } })
}

/** For a creation. */
export function sessionExists(sessionId: string): AgentryError {
  const message = `expected no session ${sessionId} before its creation, it exists`
  return new AgentryError('seq_conflict', message, { data: { sessionId, expectedSeq: 0 } })
}

/** `lastSeq` is the last record before the damage, which starts at byte `offset` of the journal. */
export function sessionDamaged(
  sessionId: string,
  at: { path: string; offset: number; lastSeq: number },
  reason: string,
  cause?: unknown,
): AgentryError {
  const { path, offset, lastSeq } = at
  return new AgentryError(
    'session_damaged',
    `${path} is damaged at byte ${offset}, behind record ${lastSeq}: ${reason}`,
    { cause, data: { sessionId, path, offset, seq: lastSeq + 1, readableUpTo: lastSeq } },
  )
}

export function sessionUnreadable(
  sessionId: string,
  path: string,
  needed: 'read' | 'read and written',
  cause: unknown,
): AgentryError {
  const message = `expected a regular file that can be ${needed} at ${path} (${toAgentryError(cause).message})`
  return new AgentryError('session_unreadable', message, { cause, data: { sessionId, path } })
}

export function journalMissing(sessionId: string, path: string): AgentryError {
  const message = `the journal ${path} is gone, but its snapshot is there`
  return new AgentryError('journal_missing', message, { data: { sessionId, path } })
}

export function journalTruncated(
  sessionId: string,
  path: string,
  bytes: { found: number; expected?: number },
): AgentryError {
  const expected = bytes.expected === undefined ? 'at least one record' : `at least ${bytes.expected} bytes`
  return new AgentryError(
    'journal_truncated',
    `${path}: expected ${expected} by its snapshot, found ${bytes.found} bytes`,
    { data: { sessionId, path, ...bytes } },
  )
}

/** `found`: what only a newer version writes. */
export function unsupportedFormat(sessionId: string, path: string, found: string): AgentryError {
  return new AgentryError(
    'unsupported_format',
    `${path} was written by a newer version of Agentry (${found}; this version reads format ${FORMAT_VERSION})`,
    { data: { sessionId, path } },
  )
}

/** The session goes on without: its journal has everything. */
export function snapshotTooLarge(sessionId: string, maxBytes: number): AgentryError {
  const message = `session ${sessionId} has more than the ${maxBytes} bytes that a snapshot can have; its journal has everything`
  return new AgentryError('snapshot_too_large', message, { data: { sessionId, maxBytes } })
}

/** What a list says of a session that could not be read. */
export function problemOf(sessionId: string, thrown: unknown): SessionNote {
  const { code, message } = toAgentryError(thrown)
  return { kind: KINDS.get(code) ?? 'foreign-file', sessionId, message }
}

/** Everything else is a file that cannot be read. */
const KINDS: ReadonlyMap<string, SessionNote['kind']> = new Map([
  ['session_damaged', 'damage'],
  ['journal_missing', 'journal-missing'],
  ['journal_truncated', 'journal-truncated'],
  ['unsupported_format', 'newer-format'],
])
