/**
 * `agentry __complete`: what a shell may put at the end of a command line. It reads the names in the data directory from its files:
 * nothing is locked, made or started, and nobody who serves the directory is asked. Whatever goes wrong, it prints nothing.
 */
import type { Command } from 'commander'
import { openApprovalsIn } from '../../core/approvals.ts'
import { byActivation } from '../../core/session-order.ts'
import type { SessionHeader } from '../../core/session-state.ts'
import { assertNever } from '../../errors.ts'
import { readRegisteredAgents } from '../../store/agent-registry.ts'
import { systemFs } from '../../store/durable-fs.ts'
import { listSessions } from '../../store/list-sessions.ts'
import { foldersOf } from '../../store/session-files.ts'
import type { SessionNote } from '../../store/session-store.ts'
import { questionLine } from '../approvals/view.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { CliIo } from '../io.ts'
import { resolveSetup, type Setup } from '../open-team.ts'
import { createReport } from '../report.ts'
import { plainText } from '../../core/terminal-text.ts'
import { type Candidate, completionOf, type Wanted } from './candidates.ts'
import { FILES } from './scripts.ts'

/** Means the same in every shell, quoted or not. */
const NEEDS_NO_QUOTES = /^[\p{L}\p{N}_.,@%+-]+$/u
const MAX_DESCRIPTION = 100

export async function complete(program: Command, words: readonly string[], io: CliIo): Promise<ExitCode> {
  try {
    const { wanted, options } = completionOf(program, words)
    const setup = async (): Promise<Setup> => {
      const globals = { ...pick(options, 'config'), ...pick(options, 'data') }
      return resolveSetup({ io, globals, version: '', report: createReport(io, false) })
    }
    const current = words.at(-1) ?? ''
    io.stdout.write(linesOf(await candidatesOf(wanted, current, setup, io.clock.now()), current))
  } catch {
    // A shell shows what is printed in the middle of a line that is being typed.
  }
  return EXIT.ok
}

async function candidatesOf(
  wanted: Wanted,
  current: string,
  setup: () => Promise<Setup>,
  nowMs: number,
): Promise<Candidate[]> {
  switch (wanted.kind) {
    case 'words':
      return wanted.candidates
    case 'agents':
      return agentsOf(await setup())
    case 'approvals':
      return approvalsOf(await setup(), nowMs)
    case 'sessions':
      return sessionsOf(await setup(), current, wanted)
    case 'files':
      return [{ value: FILES, description: '' }]
    case 'nothing':
      return []
    default:
      return assertNever(wanted)
  }
}

function agentsOf({ config, data }: Setup): Candidate[] {
  const specs = [...(config?.agents ?? []), ...readRegisteredAgents(data).map(({ spec }) => spec)]
  const byId = new Map(specs.map(({ id, role }) => [id, { value: id, description: role }]))
  return [...byId.values()]
}

/** Names, and ids of what is named like another one or needs quotes; ids also of all where one is being typed. */
async function sessionsOf(
  { data }: Setup,
  current: string,
  { agentId, trashed }: { agentId?: string; trashed: boolean },
): Promise<Candidate[]> {
  const found = (await headersIn(data, trashed ? 'trash' : 'sessions')).filter(
    (header) => agentId === undefined || header.agentId === agentId,
  )
  const counts = Map.groupBy(found, ({ name }) => name)
  return found.flatMap(({ id, name, agentId: owner, status }) => {
    const isPlain = NEEDS_NO_QUOTES.test(name) && counts.get(name)?.length === 1
    return [
      ...(isPlain ? [{ value: name, description: `${owner}, ${status}` }] : []),
      ...(!isPlain || (current !== '' && id.startsWith(current))
        ? [{ value: id, description: `${name}, ${owner}, ${status}` }]
        : []),
    ]
  })
}

/** The ids of the open questions, oldest first. */
async function approvalsOf(setup: Setup, nowMs: number): Promise<Candidate[]> {
  const agents = new Set(agentsOf(setup).map(({ value }) => value))
  const byAgent = Map.groupBy(await headersIn(setup.data, 'sessions'), ({ agentId }) => agentId)
  const current = [...byAgent.values()].flatMap((own) => {
    const [first] = own.filter(({ status }) => status === 'active').toSorted(byActivation)
    return first === undefined ? [] : [{ ...first, current: true }]
  })
  const open = openApprovalsIn(current, { nowMs, hasAgent: (agentId) => agents.has(agentId) })
  return open.map((approval) => ({
    value: approval.approvalId,
    description: `${approval.agentId}: ${questionLine(approval)}`,
  }))
}

/** `problem` is set where the session cannot be loaded. */
type FoundHeader = SessionHeader & { problem?: SessionNote }

async function headersIn(data: string, place: 'sessions' | 'trash'): Promise<FoundHeader[]> {
  const headers: FoundHeader[] = []
  for await (const { header, problem } of listSessions(systemFs, foldersOf(data)[place], place)) {
    if (header !== undefined) headers.push({ ...header, ...(problem && { problem }) })
  }
  return headers
}

function linesOf(candidates: readonly Candidate[], current: string): string {
  return candidates
    .filter(({ value }) => value === FILES || (value.startsWith(current) && NEEDS_NO_QUOTES.test(value)))
    .map(({ value, description }) => {
      const what = plainText(description).replaceAll(/\s+/g, ' ').slice(0, MAX_DESCRIPTION)
      return what === '' ? `${value}\n` : `${value}\t${what}\n`
    })
    .join('')
}

function pick(options: ReadonlyMap<string, string>, name: string): Record<string, string> {
  const value = options.get(name)
  return value === undefined ? {} : { [name]: value }
}
