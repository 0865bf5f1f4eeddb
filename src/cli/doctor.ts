/** `agentry doctor`: checks every byte of a data directory, and with --repair repairs what can be repaired. */
import { existsSync } from 'node:fs'
import { AgentryError, assertNever, isAgentryError, type WireError } from '../errors.ts'
import { openDirectory } from '../store/directory.ts'
import { examine, type Finding } from '../store/doctor.ts'
import { repair } from '../store/repair.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { type CommandContext, resolveSetup } from './open-team.ts'

export interface DoctorOptions {
  repair?: boolean
}

/** A finding, and what was or would be done about it. */
interface Report extends Finding {
  /** One sentence each; empty where nothing can be done. */
  steps: string[]
  repaired: boolean
  /** Why the repair failed. */
  error?: WireError
}

/** Resolves with 0 where nothing (more) is wrong. It holds the directory's lock: throws `directory_owned`, `directory_invalid`. */
export async function doctor(context: CommandContext, options: DoctorOptions): Promise<ExitCode> {
  const { report } = context
  const { data } = await resolveSetup(context)
  if (!existsSync(data)) {
    throw new AgentryError('directory_invalid', `there is no data directory at ${data}`, {
      data: { directory: data },
    })
  }
  const owned = await openDirectory({ directory: data })
  try {
    const reports = options.repair ? await mend(owned.directory) : await look(owned.directory)
    const healthy = !reports.some((found) => isWrong(found) && !found.repaired)
    const { directory, notes } = owned
    report.answer({ directory, healthy, notes, findings: reports }, () =>
      [
        ...notes.map((note) => note.message),
        ...reports.flatMap(findingLines),
        summary(directory, reports),
      ].join('\n'),
    )
    return healthy ? EXIT.ok : EXIT.storage
  } finally {
    owned.close()
  }
}

async function look(directory: string): Promise<Report[]> {
  const reports: Report[] = []
  for await (const finding of examine(directory)) {
    reports.push({ ...finding, ...attempt(() => repair(directory, finding)), repaired: false })
  }
  return reports
}

/** One repair can bring up the next finding of a session (a shorter journal needs another snapshot), so it goes round again. */
const MAX_ROUNDS = 3

/** What was repaired, then what is wrong after that. Throws `storage_full`, `storage_failed`. */
async function mend(directory: string): Promise<Report[]> {
  const repaired: Report[] = []
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const before = repaired.length
    for (const finding of await Array.fromAsync(examine(directory))) {
      const { steps } = attempt(() => repair(directory, finding, { dryRun: false }))
      if (steps.length > 0) repaired.push({ ...finding, steps, repaired: true })
    }
    if (repaired.length === before) break
  }
  return [...repaired, ...(await look(directory))]
}

/** A finding that the repair of another one has changed is no failure: it is examined again. */
function attempt(run: () => string[]): { steps: string[]; error?: WireError } {
  try {
    return { steps: run() }
  } catch (error) {
    if (!isAgentryError(error, 'invalid_input')) throw error
    return { steps: [], error: error.toJSON() }
  }
}

/** False for what is only worth knowing. */
function isWrong({ kind }: Finding): boolean {
  switch (kind) {
    case 'stale-record':
    case 'foreign-file':
      return false
    case 'torn-tail':
    case 'snapshot':
    case 'journal-damaged':
    case 'journal-missing':
    case 'journal-truncated':
    case 'newer-format':
    case 'unreadable':
    case 'unwritable':
    case 'registry':
      return true
    default:
      return assertNever(kind)
  }
}

function findingLines({ message, steps, repaired, error }: Report): string[] {
  const did = repaired ? 'done' : 'would'
  return [
    message,
    ...steps.map((step) => `  ${did}: ${step}`),
    ...(error === undefined ? [] : [`  cannot repair: ${error.message}`]),
  ]
}

function summary(directory: string, reports: readonly Report[]): string {
  const wrong = reports.filter((found) => isWrong(found))
  const open = wrong.filter((found) => !found.repaired)
  if (wrong.length === 0) return `${directory}: nothing is wrong`
  if (open.length === 0) return `${directory}: ${wrong.length} repaired, nothing is wrong now`
  const mendable = open.filter((found) => found.steps.length > 0).length
  const hint = mendable > 0 ? `; \`agentry doctor --repair\` can repair ${mendable}` : ''
  return `${directory}: ${open.length} wrong${hint}`
}
