/** `agentry sessions import`: a session from a file becomes a new session of an agent. */
import { readFileSync } from 'node:fs'
import { basename, extname, resolve } from 'node:path'
import { AgentryError, describeThrown } from '../../errors.ts'
import { type CommandContext, chosenAgent, withTeam } from '../open-team.ts'
import type { AgentOption } from './find.ts'
import { parseSessionFile } from './session-file.ts'
import { doneText } from './view.ts'

/**
 * Imports for the agent that --agent names, else the one that the file names where the team has it, else the default agent.
 * The session gets a new id, and waits until it is loaded.
 */
export async function importSession(
  context: CommandContext,
  file: string,
  options: AgentOption,
): Promise<void> {
  const { io, report } = context
  const path = resolve(io.cwd, file)
  const { session, agentId, notes } = parseSessionFile(readText(path), {
    name: basename(path, extname(path)),
    nowMs: io.clock.now(),
  })
  await withTeam(context, { resume: false }, async (team, setup) => {
    const sameAgent = agentId !== undefined && (await team.agents()).some((agent) => agent.id === agentId)
    const agent = await chosenAgent(team, setup, options.agent ?? (sameAgent ? agentId : undefined))
    const imported = await agent.importSession(session)
    for (const note of notes) report.note(note)
    report.answer(imported, () => doneText('imported', imported))
  })
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const message = `expected a session file, received ${path}: ${describeThrown(cause)}`
    throw new AgentryError('invalid_input', message, { cause, data: { file: path } })
  }
}
