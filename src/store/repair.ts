/**
 * Mends what doctor.ts finds. The directory's lock must be held.
 *
 * P1  nothing is lost: what a repair replaces is kept in quarantine before it is replaced.
 * P2  a repair that is cut off leaves a session that the doctor finds and can repair again; never one that loads as something else.
 */
import { dirname } from 'node:path'
import { type Clock, systemClock } from '../core/clock.ts'
import { fold, foldFirst } from '../core/fold.ts'
import type { SessionRecord } from '../core/record.ts'
import type { SessionState } from '../core/session-state.ts'
import { AgentryError, isAgentryError } from '../errors.ts'
import { adoptState } from './adopt-state.ts'
import { openRegistry } from './agent-registry.ts'
import type { Finding, RepairKind } from './doctor.ts'
import { type DurableFile, type DurableFs, systemFs, writeFileAtomic } from './durable-fs.ts'
import { encodeRecord, readJournal } from './journal.ts'
import { fileStamp, moveAside, setAside } from './quarantine.ts'
import { openSessionFile, readSnapshot, readTail } from './read-session.ts'
import { sessionNotFound } from './session-errors.ts'
import { filesOf, type Folders, foldersOf, type SessionFiles } from './session-files.ts'
import { encodeSnapshot } from './snapshot.ts'
import { readWholeJournal } from './whole-journal.ts'

export interface RepairOptions {
  /** Default true: says what would be done, and does nothing. */
  dryRun?: boolean
  fs?: DurableFs
  clock?: Clock
}

/**
 * Repairs one finding, and returns what was (or with dryRun: would be) done, one sentence each; empty where the finding has no repair.
 * Throws `invalid_input` where the session is not as the finding says, `storage_full`, `storage_failed`.
 */
export function repair(directory: string, finding: Finding, options: RepairOptions = {}): string[] {
  const { dryRun = true, fs = systemFs, clock = systemClock } = options
  if (finding.repair === undefined) return []
  if (finding.repair === 'set-registry-aside') return setRegistryAside(directory, fs, dryRun)
  if (finding.sessionId === undefined) return []
  const folders = foldersOf(directory)
  const { sessionId, place } = finding
  const patient = {
    fs,
    folders,
    sessionId,
    files: filesOf(folders[place], sessionId),
    stamp: fileStamp(clock),
  }
  const steps = PLANS[finding.repair](patient)
  if (!dryRun) for (const step of steps) step.run()
  return steps.map((step) => step.text)
}

/** What the next start of a team does anyway. */
function setRegistryAside(directory: string, fs: DurableFs, dryRun: boolean): string[] {
  if (!dryRun) openRegistry(directory, fs)
  return [
    'move it into quarantine: no agent is registered until it is spawned again; the sessions are untouched',
  ]
}

interface Patient {
  fs: DurableFs
  folders: Folders
  sessionId: string
  files: SessionFiles
  /** The time of the repair, for the names of what goes into quarantine. */
  stamp: string
}

/** What is read is read when the plan is made; `run` only writes. */
interface Step {
  text: string
  run: () => void
}

const PLANS: Readonly<Record<Exclude<RepairKind, 'set-registry-aside'>, (patient: Patient) => Step[]>> = {
  'rebuild-snapshot': rebuildSnapshot,
  'cut-torn-tail': cutTornTail,
  'keep-readable': keepReadable,
  'adopt-snapshot': adoptSnapshot,
}

function rebuildSnapshot(patient: Patient): Step[] {
  const { fs, sessionId, files } = patient
  const { state } = withJournal(patient, (journal) =>
    readTail(sessionId, files, { kind: 'missing', bytes: 0 }, journal),
  )
  return [
    ...keepCopy(patient, files.snapshot, 'json'),
    {
      text: `write ${files.snapshot} from the journal, up to record ${state.seq}`,
      run: () => writeFileAtomic(fs, files.snapshot, encodeSnapshot(state)),
    },
  ]
}

function cutTornTail(patient: Patient): Step[] {
  const { fs, folders, sessionId, files, stamp } = patient
  const { torn, bytes } = withJournal(patient, (journal) => {
    const { torn } = readWholeJournal(sessionId, journal, { kind: 'missing', bytes: 0 })
    if (torn === undefined) throw notAsFound(patient, 'a torn tail')
    return { torn, bytes: journal.read(torn.end - torn.start, torn.start) }
  })
  return [
    {
      text: `keep the last ${bytes.length} bytes of ${files.journal} in quarantine`,
      run: () => setAside(fs, folders, `${sessionId}.${stamp}.torn`, bytes),
    },
    {
      text: `cut ${files.journal} to ${torn.start} bytes`,
      run: () => {
        const journal = fs.open(files.journal, 'append')
        try {
          journal.truncate(torn.start)
          journal.sync()
        } finally {
          journal.close()
        }
      },
    },
  ]
}

function keepReadable(patient: Patient): Step[] {
  const { fs, sessionId, files } = patient
  const { prefix, lastSeq } = withJournal(patient, (journal) => {
    const { damage, lastSeq } = readWholeJournal(sessionId, journal, { kind: 'missing', bytes: 0 })
    if (damage === undefined || lastSeq === 0) throw notAsFound(patient, 'damage behind readable records')
    return { prefix: journal.read(damage.start, 0), lastSeq }
  })
  return [
    ...keepCopy(patient, files.journal, 'journal.jsonl'),
    {
      text: `keep ${files.journal} up to record ${lastSeq} (${prefix.length} bytes)`,
      run: () => writeFileAtomic(fs, files.journal, prefix),
    },
  ]
}

/**
 * The order of the steps is P2: the snapshot first takes in what is readable of the journal, then the old journal goes, then the new
 * snapshot comes, last the new journal. Between these the session has no journal, which the doctor repairs in the same way.
 */
function adoptSnapshot(patient: Patient): Step[] {
  const { fs, folders, sessionId, files, stamp } = patient
  const snapshot = readSnapshot(fs, sessionId, files.snapshot)
  if (snapshot.kind !== 'good') throw notAsFound(patient, 'a good snapshot')
  const covered = snapshot.state.seq
  const hasJournal = fs.info(files.journal) !== undefined
  const state = hasJournal
    ? withJournal(patient, (journal) => foldReadable(journal, snapshot.state))
    : snapshot.state
  const old = encodeSnapshot(state)
  const records = adoptState(state)
  const journal = Buffer.from(records.map(encodeRecord).join(''))
  const adopted = encodeSnapshot({ ...stateOf(records), journalOffset: journal.length })
  const steps = keepCopy(patient, files.snapshot, 'json')
  if (state.seq > covered) {
    steps.push({
      text: `take records ${covered + 1} to ${state.seq} of the journal into the snapshot`,
      run: () => writeFileAtomic(fs, files.snapshot, old),
    })
  }
  if (hasJournal) {
    steps.push({
      text: `move ${files.journal} into quarantine`,
      run: () => {
        moveAside(fs, folders, files.journal, `${sessionId}.${stamp}.journal.jsonl`)
        fs.syncDirectory(dirname(files.journal))
      },
    })
  }
  steps.push({
    text: `write a new journal and snapshot with all that record ${state.seq} adds up to`,
    run: () => {
      writeFileAtomic(fs, files.snapshot, adopted)
      writeFileAtomic(fs, files.journal, journal)
    },
  })
  return steps
}

/** Folds the records behind the snapshot that can still be read into its state. */
function foldReadable(journal: DurableFile, state: SessionState): SessionState {
  const { journalOffset: offset, seq, epoch } = state
  const isLineEnd = journal.read(1, offset - 1).toString('latin1') === '\n'
  if (!isLineEnd) return state
  for (const item of readJournal(journal, { offset, seq, epoch })) {
    if (item.kind === 'stale') continue
    if (item.kind !== 'record') break
    try {
      fold(state, item.record)
    } catch (error) {
      if (isAgentryError(error, 'session_damaged')) break
      throw error
    }
    state.journalOffset = item.end
  }
  return state
}

function stateOf(records: readonly SessionRecord[]): SessionState {
  const [first, ...rest] = records
  if (first === undefined) throw new AgentryError('internal', 'a session has at least one record')
  return rest.reduce(fold, foldFirst(first))
}

function keepCopy({ fs, folders, sessionId, stamp }: Patient, path: string, ending: string): Step[] {
  if (fs.info(path) === undefined) return []
  const bytes = fs.readFile(path)
  return [
    {
      text: `keep a copy of ${path} in quarantine`,
      run: () => setAside(fs, folders, `${sessionId}.${stamp}.${ending}`, bytes),
    },
  ]
}

function withJournal<T>({ fs, sessionId, files }: Patient, read: (journal: DurableFile) => T): T {
  const journal = openSessionFile(fs, sessionId, files.journal, 'read')
  if (journal === undefined) throw sessionNotFound(sessionId)
  try {
    return read(journal)
  } finally {
    journal.close()
  }
}

function notAsFound({ sessionId }: Patient, expected: string): AgentryError {
  const message = `session ${sessionId}: expected ${expected}; it is not as it was examined, examine it again`
  return new AgentryError('invalid_input', message, { data: { sessionId, expected } })
}
