/**
 * Which team a command means: that of a running supervisor where one owns the data directory and serves it, else one that is opened
 * for the time of the command. Both are used alike, with `await`.
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Agent, AgentSpecInput, Team } from '../api.ts'
import { createClient } from '../client/client.ts'
import type { RemoteAgent, RemoteTeam } from '../client/remote-team.ts'
import type { TeamConfig } from '../config-file.ts'
import { assertAgentId, quote } from '../core/ids.ts'
import { didYouMean } from '../core/suggest.ts'
import { AgentryError, describeThrown, isAgentryError } from '../errors.ts'
import { defaultModel } from '../model-options.ts'
import { TEAM_DEFAULTS } from '../options.ts'
import type { SessionNote } from '../store/session-store.ts'
import { readToken } from '../store/token-file.ts'
import type { CliIo, OpenTeamOptions } from './io.ts'
import type { Report } from './report.ts'
import { TOKEN_VARIABLE } from './serve-options.ts'
import { type Signals, takeSignals } from './signals.ts'

export const DEFAULT_CONFIG_FILE = 'agentry.yaml'

/** The agents that the command line adds if there is no configuration file and no agent yet: the first is the default one. */
function firstAgents(env: CliIo['env']): AgentSpecInput[] {
  const ops = { id: 'ops', behavior: 'shell' }
  const model = defaultModel(env)
  if (model === undefined) return [ops]
  return [
    { id: 'assistant', role: 'Helps at this computer', behavior: 'llm', model, instructions: HELP },
    ops,
  ]
}

const HELP = `You help a person at this computer. Look before you act: read files and run commands rather than guess.
Do what was asked and no more, check that it worked, and say briefly what you did and what you found.
Where something is unclear and a wrong guess would cost, ask first.
`

/** The options that every command takes. */
export interface GlobalOptions {
  config?: string
  data?: string
  json?: boolean
}

/** A team in this process, or that of a running supervisor. */
export type AnyTeam = Team | RemoteTeam
export type AnyAgent = Agent | RemoteAgent

/** What one command works with. */
export interface CommandContext {
  readonly io: CliIo
  readonly report: Report
  readonly globals: GlobalOptions
  /** Of this package. */
  readonly version: string
}

/** What the files and options say, before anything is opened. Nothing of it changes the disk. */
export interface Setup {
  /** Undefined where there is no configuration file. */
  config: TeamConfig | undefined
  /** Absolute path of the data directory. */
  data: string
}

/**
 * Reads the configuration: the file that --config names, else agentry.yaml of the current directory, else none. The data
 * directory is that of --data, else of the file, else ./sessions. Throws `invalid_config`.
 */
export async function resolveSetup({ io, globals }: CommandContext): Promise<Setup> {
  const standard = join(io.cwd, DEFAULT_CONFIG_FILE)
  const file =
    globals.config === undefined
      ? existsSync(standard)
        ? standard
        : undefined
      : resolve(io.cwd, globals.config)
  // Loaded here only: reading YAML takes some seventy modules.
  const config = file === undefined ? undefined : (await import('../config-file.ts')).loadConfig(file, io.env)
  const data =
    globals.data === undefined
      ? (config?.data ?? resolve(io.cwd, TEAM_DEFAULTS.data))
      : resolve(io.cwd, globals.data)
  return { config, data }
}

/** How long a running turn may go on when a signal ends the command. */
const SIGNAL_GRACE_MS = 2_000

/**
 * Opens the team for `use`, or joins the one that is served, and closes it cleanly, whatever `use` does. Agents are started only when
 * `use` addresses them. `resume`: an agent that is started first goes on with what a crash left of its work; without it that stays as it is.
 *
 * A signal closes the team under `use`, which fails then: with `cancelled` for an interrupt, else with `interrupted`.
 */
export async function withTeam<T>(
  context: CommandContext,
  options: { resume: boolean },
  use: (team: AnyTeam, setup: Setup, signals: Signals) => Promise<T>,
): Promise<T> {
  const { io, report } = context
  const setup = await resolveSetup(context)
  const signals = takeSignals(io)
  try {
    const team = await openOrJoin(context, setup, options)
    const close = async (): Promise<void> => {
      if (signals.received === undefined) {
        // The command has done what it should: that it cannot be told of other faults is no failure of it.
        const warnings = await warningsOf(team).catch((): string[] => [])
        for (const message of warnings) report.note(message)
      }
      await team.close()
    }
    signals.shutDownBy(() => {
      team.close({ graceMs: SIGNAL_GRACE_MS }).catch(() => undefined) // close() below has the same error
    })
    let result: T
    try {
      await giveFirstAgent(context, setup, team)
      result = await use(team, setup, signals)
    } catch (error) {
      // The first error is the one to report as the command's; one of closing comes beside it.
      await close().catch((second: unknown) => report.note(`closing failed too: ${describeThrown(second)}`))
      throw endedBy(signals, error)
    }
    await close()
    return result
  } finally {
    signals.release()
  }
}

/** Whoever serves the directory has its lock: what it refuses with says where it is reached. */
async function openOrJoin(
  context: CommandContext,
  setup: Setup,
  options: { resume: boolean },
): Promise<AnyTeam> {
  try {
    return await openTeam(context, setup, { ...options, start: 'none' })
  } catch (error) {
    if (!isAgentryError(error, 'directory_owned')) throw error
    const url = error.data?.['url']
    if (typeof url !== 'string') throw error
    const token = context.io.env[TOKEN_VARIABLE] ?? readToken(setup.data)
    if (token !== undefined) return createClient({ url, token })
    // Whose it is stays the point; that it could be joined is one way out.
    const message = `${error.message}; with its token in ${TOKEN_VARIABLE} this command joins it`
    throw new AgentryError(error.code, message, { cause: error, ...(error.data && { data: error.data }) })
  }
}

/** Opens the team of the configuration in this process. */
export async function openTeam(
  { io }: CommandContext,
  { config, data }: Setup,
  options: Pick<OpenTeamOptions, 'resume' | 'start'>,
): Promise<Team> {
  return io.createTeam({
    data,
    ...(config && {
      agents: config.agents,
      fsync: config.fsync,
      limits: config.limits,
      providers: config.providers,
      prices: config.prices,
    }),
    // Retention is the business of who stays; a command goes again.
    ...(options.start === 'all' && config?.retention && { retention: config.retention }),
    ...options,
  })
}

/** A team that has neither a configuration nor agents gets its first ones. */
export async function giveFirstAgent(
  { io }: CommandContext,
  { config }: Setup,
  team: AnyTeam,
): Promise<void> {
  if (config !== undefined || (await team.agents()).length > 0) return
  for (const agent of firstAgents(io.env)) await team.spawn({ ...agent, workingDir: io.cwd })
}

function endedBy(signals: Signals, thrown: unknown): unknown {
  const { received } = signals
  if (received === undefined) return thrown
  if (isAgentryError(thrown, 'cancelled') || isAgentryError(thrown, 'interrupted')) return thrown
  return signals.error(`${received} ended the command before it was done: ${describeThrown(thrown)}`, thrown)
}

/** Not worth a warning: faults the store repairs itself, files it does not own, and what the command fails with itself. */
const QUIET_NOTES: ReadonlySet<SessionNote['kind']> = new Set([
  'torn-tail',
  'snapshot-rebuilt',
  'stale-record',
  'foreign-file',
  'move-finished',
  'temp-removed',
  'append-failed',
  'sync-failed',
])
const MAX_WARNINGS = 5

async function warningsOf(team: AnyTeam): Promise<string[]> {
  const { notes } = await team.health()
  const shown = notes.filter((note) => !QUIET_NOTES.has(note.kind))
  // Found once by the start of the team, and again by that of the agent.
  const warnings = [...new Set(shown.map((note) => note.message))]
  const more = warnings.length - MAX_WARNINGS
  return more > 0
    ? [...warnings.slice(0, MAX_WARNINGS), `${more} more: \`agentry doctor\` shows all`]
    : warnings
}

/** The agent of that id. Throws `invalid_id`, `agent_not_found`. */
export async function requireAgent(team: AnyTeam, id: string): Promise<AnyAgent> {
  assertAgentId(id)
  const agent = await team.agent(id)
  if (agent !== undefined) return agent
  const known = (await team.agents()).map((info) => info.id)
  const message = `expected one of the agents ${known.join(', ')}, received ${quote(id)}${didYouMean(id, known)}`
  throw new AgentryError('agent_not_found', known.length === 0 ? `there is no agent ${quote(id)}` : message, {
    data: { agentId: id, known },
  })
}

/** The agent that --agent names, else the default agent: of the file, else the first one. Throws `agent_not_found`. */
export async function chosenAgent(
  team: AnyTeam,
  { config }: Setup,
  id: string | undefined,
): Promise<AnyAgent> {
  const chosen = id ?? config?.defaultAgent ?? config?.agents[0]?.id ?? (await team.agents())[0]?.id
  if (chosen === undefined) throw new AgentryError('agent_not_found', 'the team has no agents')
  return requireAgent(team, chosen)
}
