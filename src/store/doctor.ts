/**
 * The full check of a data directory: the list of agents, and every byte of every journal and snapshot, sessions in the trash too. It
 * changes nothing; what can be mended is mended by repair.ts. The directory's lock must be held: a session at work would look torn.
 */
import { join } from 'node:path'
import { setImmediate as nextTick } from 'node:timers/promises'
import { describeThrown, isAgentryError } from '../errors.ts'
import { registryFault } from './agent-registry.ts'
import { type DurableFs, isTempName, systemFs } from './durable-fs.ts'
import { openSessionFile, readSnapshot, type SnapshotFound } from './read-session.ts'
import { filesOf, foldersOf, sessionIdsIn, type SessionFiles } from './session-files.ts'
import { hasErrno } from './storage-errors.ts'
import { readWholeJournal, type WholeJournal } from './whole-journal.ts'

export type FindingKind =
  /** The end of a write that a crash cut off. The next start mends it as well. */
  | 'torn-tail'
  /** Left out of the session by every reader; nothing to mend. */
  | 'stale-record'
  /** A snapshot that is missing, bad, or differs from what the journal says. */
  | 'snapshot'
  /** Bytes of the journal that are not what was written. */
  | 'journal-damaged'
  | 'journal-missing'
  | 'journal-truncated'
  | 'newer-format'
  | 'unreadable'
  /** A journal that can be read but not written: the next change of its session fails. */
  | 'unwritable'
  /** The list of the registered agents (agents.json) cannot be understood. */
  | 'registry'
  /** A file in the data directory that is not of a session. */
  | 'foreign-file'

/**
 * rebuild-snapshot: write it from the journal. · cut-torn-tail: set the tail aside and cut it. · keep-readable: go on with the
 * records before the damage. · adopt-snapshot: go on with what the snapshot (and what is readable behind it) says, in a new
 * journal. · set-registry-aside: go on without registered agents. The old files are kept in quarantine in every case.
 */
export type RepairKind =
  | 'rebuild-snapshot'
  | 'cut-torn-tail'
  | 'keep-readable'
  | 'adopt-snapshot'
  | 'set-registry-aside'

export interface Finding {
  kind: FindingKind
  place: 'sessions' | 'trash' | 'own'
  sessionId?: string
  /** One sentence for people: what was found and where. */
  message: string
  /** What repair() would do; left out where there is nothing that it could do. */
  repair?: RepairKind
}

/** Every finding in the directory: of the registry, then session by session; none for a healthy one. Throws only where a folder cannot be read. */
export async function* examine(
  directory: string,
  { fs = systemFs }: { fs?: DurableFs } = {},
): AsyncGenerator<Finding, void> {
  const folders = foldersOf(directory)
  yield* registryFindings(directory, fs)
  for (const place of ['sessions', 'trash'] as const) {
    const folder = folders[place]
    const names = fs.info(folder) === undefined ? [] : fs.list(folder)
    for (const sessionId of sessionIdsIn(names)) {
      for (const finding of examineSession(fs, sessionId, filesOf(folder, sessionId))) {
        yield { ...finding, place, sessionId }
      }
      await nextTick()
    }
    if (place === 'sessions') yield* foreignFiles(folder, names)
  }
}

function registryFindings(directory: string, fs: DurableFs): Finding[] {
  try {
    const fault = registryFault(directory, fs)
    if (fault === undefined) return []
    return [{ kind: 'registry', place: 'own', message: fault, repair: 'set-registry-aside' }]
  } catch (error) {
    return [{ ...withoutRepair(error), place: 'own' }]
  }
}

type SessionFinding = Omit<Finding, 'place' | 'sessionId'>

function examineSession(fs: DurableFs, sessionId: string, files: SessionFiles): SessionFinding[] {
  try {
    const snapshot = readSnapshot(fs, sessionId, files.snapshot)
    const journal = openSessionFile(fs, sessionId, files.journal, 'read')
    if (journal === undefined) return [journalMissing(files, snapshot)]
    try {
      const whole = readWholeJournal(sessionId, journal, snapshot)
      return [...judge(files, snapshot, journal.opened.size, whole), ...unwritable(fs, files.journal)]
    } finally {
      journal.close()
    }
  } catch (error) {
    return [withoutRepair(error)]
  }
}

function withoutRepair(error: unknown): SessionFinding {
  const kind = isAgentryError(error, 'unsupported_format') ? 'newer-format' : 'unreadable'
  return { kind, message: describeThrown(error) }
}

/** Opens the journal as a writer does, and writes nothing. */
function unwritable(fs: DurableFs, journal: string): SessionFinding[] {
  try {
    fs.open(journal, 'append').close()
    return []
  } catch (error) {
    if (!hasErrno(error, 'EACCES', 'EPERM', 'EROFS')) throw error
    const message = `${journal} cannot be written: the next change of its session would fail (${describeThrown(error)})`
    return [{ kind: 'unwritable', message }]
  }
}

function judge(
  { journal, snapshot: snapshotPath }: SessionFiles,
  snapshot: SnapshotFound,
  size: number,
  whole: WholeJournal,
): SessionFinding[] {
  const { damage, torn, stale, lastSeq } = whole
  if (whole.newer !== undefined) {
    return [{ kind: 'newer-format', message: `${journal} was written by a newer version: ${whole.newer}` }]
  }
  const findings: SessionFinding[] = stale.map(({ start }) => ({
    kind: 'stale-record',
    message: `${journal} has a record at byte ${start} of an owner that had lost its claim`,
  }))
  const offset = snapshot.kind === 'good' ? snapshot.state.journalOffset : 0
  if (damage !== undefined) {
    const isCovered = damage.start < offset
    findings.push({
      kind: 'journal-damaged',
      message: `${journal} is damaged at byte ${damage.start}, behind record ${lastSeq}: ${damage.reason}`,
      ...(isCovered
        ? { repair: 'adopt-snapshot' as const }
        : lastSeq > 0 && { repair: 'keep-readable' as const }),
    })
    return findings
  }
  if (torn !== undefined) {
    findings.push({
      kind: 'torn-tail',
      message: `${journal} ends in ${torn.end - torn.start} bytes of a write that was cut off`,
      repair: 'cut-torn-tail',
    })
  }
  if (snapshot.kind === 'good' && whole.agrees === undefined) {
    const { seq } = snapshot.state
    findings.push({
      kind: 'journal-truncated',
      message: `${journal} ends at byte ${size} with record ${lastSeq}, its snapshot covers ${offset} bytes up to record ${seq}`,
      repair: 'adopt-snapshot',
    })
  } else if (lastSeq > 0 && whole.agrees !== true) {
    findings.push({
      kind: 'snapshot',
      message: whatIsWrong(snapshotPath, snapshot),
      repair: 'rebuild-snapshot',
    })
  } else if (snapshot.kind === 'bad') {
    findings.push({
      kind: 'journal-truncated',
      message: `${journal} has no record and ${snapshotPath} is not valid`,
    })
  }
  return findings
}

function whatIsWrong(path: string, snapshot: SnapshotFound): string {
  if (snapshot.kind === 'missing') return `${path} is missing`
  return snapshot.kind === 'bad'
    ? `${path} is not valid: ${snapshot.reason}`
    : `${path} is not what the journal says`
}

function journalMissing(files: SessionFiles, snapshot: SnapshotFound): SessionFinding {
  const isGood = snapshot.kind === 'good'
  return {
    kind: 'journal-missing',
    message: `${files.journal} is missing${isGood ? '' : ', and its snapshot is not valid'}`,
    ...(isGood && { repair: 'adopt-snapshot' }),
  }
}

/** Names with a dot in front are nobody's business. */
function* foreignFiles(folder: string, names: readonly string[]): Generator<Finding, void> {
  for (const name of names) {
    if (name.startsWith('.') || isTempName(name) || sessionIdsIn([name]).size > 0) continue
    const message = `${join(folder, name)} is not a file of Agentry; it is left alone`
    yield { kind: 'foreign-file', place: 'sessions', message }
  }
}
