/** `agentry sessions create | load | save | suspend | resume | terminate | fork | rename | delete | restore`. */
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { SessionInfo } from '../../api.ts'
import { quote } from '../../core/ids.ts'
import { AgentryError } from '../../errors.ts'
import { type AnyTeam, type CommandContext, chosenAgent, type Setup, withTeam } from '../open-team.ts'
import { type AgentOption, type FoundSession, requireSession, requireTrashed } from './find.ts'
import { doneText } from './view.ts'

export interface CreateOptions extends AgentOption {
  workingDir?: string
  prompt?: string
  /** `NAME=value`, each. */
  var?: string[]
}

export interface ChangeOptions extends AgentOption {
  /** Cancel the running turn and the queue instead of waiting for them. */
  cancel?: boolean
}

export async function createSession(
  context: CommandContext,
  name: string,
  description: string | undefined,
  options: CreateOptions,
): Promise<void> {
  const vars = parseVars(options.var ?? [])
  const workingDir =
    options.workingDir === undefined ? undefined : resolve(context.io.cwd, options.workingDir)
  await change(context, 'created', async (team, setup) =>
    (await chosenAgent(team, setup, options.agent)).createSession({
      name,
      ...(description !== undefined && { description }),
      ...(workingDir !== undefined && { workingDir }),
      ...(options.prompt !== undefined && { prompt: options.prompt }),
      vars,
    }),
  )
  if (workingDir === undefined || statSync(workingDir, { throwIfNoEntry: false })?.isDirectory()) return
  context.report.note(`${workingDir} is not a directory: until it is made, commands in this session fail`)
}

export async function loadSession(
  context: CommandContext,
  reference: string,
  options: ChangeOptions,
): Promise<void> {
  await changeFound(context, 'loaded', reference, options, ({ agent, session }) =>
    agent.loadSession(session.id, waiting(options)),
  )
}

export async function resumeSession(
  context: CommandContext,
  reference: string,
  options: ChangeOptions,
): Promise<void> {
  await changeFound(context, 'resumed', reference, options, ({ agent, session }) =>
    agent.resumeSession(session.id, waiting(options)),
  )
}

export async function saveSession(
  context: CommandContext,
  reference: string | undefined,
  options: AgentOption,
): Promise<void> {
  await changeFound(context, 'saved', reference, options, ({ agent, session }) =>
    agent.saveSession(session.id),
  )
}

export async function suspendSession(
  context: CommandContext,
  reference: string | undefined,
  options: ChangeOptions,
): Promise<void> {
  await changeFound(context, 'suspended', reference, options, ({ agent, session }) =>
    agent.suspendSession(session.id, waiting(options)),
  )
}

export async function terminateSession(
  context: CommandContext,
  reference: string,
  options: ChangeOptions,
): Promise<void> {
  await changeFound(context, 'terminated', reference, options, ({ agent, session }) =>
    agent.terminateSession(session.id, waiting(options)),
  )
}

export async function forkSession(
  context: CommandContext,
  reference: string,
  name: string | undefined,
  options: AgentOption,
): Promise<void> {
  await changeFound(context, 'forked', reference, options, ({ agent, session }) =>
    agent.forkSession(session.id, name),
  )
}

export async function renameSession(
  context: CommandContext,
  reference: string,
  name: string,
  options: AgentOption & { description?: string },
): Promise<void> {
  const { description } = options
  await changeFound(context, 'renamed', reference, options, ({ agent, session }) =>
    agent.updateSession(session.id, { name, ...(description !== undefined && { description }) }),
  )
}

export async function deleteSession(
  context: CommandContext,
  reference: string,
  options: ChangeOptions,
): Promise<void> {
  await changeFound(context, 'moved to the trash:', reference, options, ({ agent, session }) =>
    agent.deleteSession(session.id, waiting(options)),
  )
}

export async function restoreSession(
  context: CommandContext,
  reference: string,
  options: AgentOption,
): Promise<void> {
  await change(context, 'restored', async (team) => {
    const { agent, session } = await requireTrashed(team, reference, options)
    return agent.restoreSession(session.id)
  })
}

async function changeFound(
  context: CommandContext,
  verb: string,
  reference: string | undefined,
  options: AgentOption,
  act: (found: FoundSession) => Promise<SessionInfo>,
): Promise<void> {
  await change(context, verb, async (team, setup) =>
    act(await requireSession(team, setup, reference, options)),
  )
}

/** Answers with the session after the change; what a crash left of the agent's work stays as it is. */
async function change(
  context: CommandContext,
  verb: string,
  act: (team: AnyTeam, setup: Setup) => Promise<SessionInfo>,
): Promise<void> {
  await withTeam(context, { resume: false }, async (team, setup) => {
    const session = await act(team, setup)
    context.report.answer(session, () => doneText(verb, session))
  })
}

function waiting({ cancel = false }: ChangeOptions): { cancel: boolean } {
  return { cancel }
}

function parseVars(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)]
      throw new AgentryError('invalid_input', `--var: expected NAME=value, received ${quote(pair)}`)
    }),
  )
}
