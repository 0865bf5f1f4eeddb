/** `agentry sessions list | show | export`: they wake no agent and change nothing. */
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { SessionFilter } from '../../api.ts'
import type { SessionStatus } from '../../core/session-state.ts'
import { AgentryError, describeThrown } from '../../errors.ts'
import { hasColor } from '../io.ts'
import { type CommandContext, requireAgent, withTeam } from '../open-team.ts'
import { terminalJson } from '../../core/terminal-text.ts'
import { type AgentOption, requireReadable } from './find.ts'
import { sessionTable, sessionText } from './view.ts'

export interface ListOptions extends AgentOption {
  status?: SessionStatus
  search?: string
  trashed?: boolean
}

/** A table, last accessed first; with --json `{ "sessions": [ … ] }`. */
export async function listSessions(context: CommandContext, options: ListOptions): Promise<void> {
  const { io, report } = context
  await withTeam(context, { resume: false }, async (team) => {
    const { agent, status, search, trashed } = options
    if (agent !== undefined) await requireAgent(team, agent)
    const filter: SessionFilter = {
      ...(agent !== undefined && { agentId: agent }),
      ...(status !== undefined && { status }),
      ...(search !== undefined && { search }),
      ...(trashed !== undefined && { trashed }),
    }
    const sessions = await team.sessions(filter)
    const all = await team.sessions(trashed === undefined ? {} : { trashed })
    report.answer({ sessions }, () =>
      sessionTable(
        sessions,
        all.map((session) => session.id),
        io.clock.now(),
        hasColor(io, io.stdout),
      ),
    )
  })
}

/** The session with its conversation; with --json its whole state. Without a reference the current session. */
export async function showSession(
  context: CommandContext,
  reference: string | undefined,
  options: AgentOption,
): Promise<void> {
  const { io, report } = context
  await withTeam(context, { resume: false }, async (team, setup) => {
    const session = await requireReadable(team, setup, reference, options)
    const state = await team.readSession(session.id)
    report.answer(state, () => sessionText(state, hasColor(io, io.stdout)))
  })
}

export interface ExportOptions extends AgentOption {
  output?: string
}

/** The whole state as JSON, to stdout or to a new file (0600). */
export async function exportSession(
  context: CommandContext,
  reference: string,
  options: ExportOptions,
): Promise<void> {
  const { io, report } = context
  await withTeam(context, { resume: false }, async (team, setup) => {
    const session = await requireReadable(team, setup, reference, options)
    const state = await team.readSession(session.id)
    if (options.output === undefined) {
      io.stdout.write(`${terminalJson(state)}\n`)
      return
    }
    const file = resolve(io.cwd, options.output)
    writeNewFile(file, `${JSON.stringify(state, null, 2)}\n`)
    report.answer({ sessionId: state.id, file }, () => `exported session ${state.id} to ${file}`)
  })
}

function writeNewFile(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx', mode: 0o600 })
  } catch (cause) {
    const message = `expected a new file that can be written, received ${file}: ${describeThrown(cause)}`
    throw new AgentryError('invalid_input', message, { cause, data: { file } })
  }
}
