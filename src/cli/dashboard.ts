/** `agentry` alone: the dashboard, on the supervisor that serves the data directory, or on one that it starts for itself. */
import { join, resolve } from 'node:path'
import { connectLocal } from '../client/local.ts'
import type { RemoteTeam } from '../client/remote-team.ts'
import type { DashboardOptions } from '../dashboard/options.ts'
import { type AgentryError, isAgentryError } from '../errors.ts'
import { readOwner } from '../store/owner-file.ts'
import { foldersOf } from '../store/session-files.ts'
import { assertToken } from '../store/token-file.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { FrontSupervisor } from './front-supervisor.ts'
import type { CliIo } from './io.ts'
import { type CommandContext, type GlobalOptions, resolveSetup, type Setup } from './open-team.ts'
import { type ServeCommandOptions, TOKEN_VARIABLE } from './serve-options.ts'
import type { Report } from './report.ts'
import { takeSignals } from './signals.ts'
import { type Terminal, terminalOf } from './terminal.ts'

/** Without a terminal it is `agentry serve`. Throws what the start of a supervisor fails with, before or after the screen was drawn. */
export async function dashboard(context: CommandContext, options: ServeCommandOptions): Promise<ExitCode> {
  const { io, report } = context
  const terminal = terminalOf(io)
  if (typeof terminal === 'string') {
    report.note(`${terminal}: serving without the dashboard`)
    return (await import('./serve.ts')).serve(context, options)
  }
  const setup = await resolveSetup(context)
  const token = io.env[TOKEN_VARIABLE]
  if (token !== undefined) assertToken(token, TOKEN_VARIABLE)
  const connect = (): RemoteTeam => connectLocal(setup.data, token === undefined ? {} : { token })
  return (await isServed(connect, io.clock))
    ? showServed(context, terminal, connect, setup)
    : showOwn(context, terminal, connect, setup, options)
}

/** The dashboard on a team that others serve. */
export async function showServed(
  { io, report }: CommandContext,
  terminal: Terminal,
  connect: () => RemoteTeam,
  setup?: Setup,
): Promise<ExitCode> {
  const leaving = new AbortController()
  const signals = takeSignals(io)
  signals.shutDownBy(() => leaving.abort())
  try {
    await io.runDashboard({
      ...whatToShow(io, terminal, setup),
      connect: async () => connect(),
      place: { ...(setup && { directory: setup.data }), owned: false },
      signal: leaving.signal,
    })
    if (setup !== undefined) noteGoesOn(report, setup.data)
    return EXIT.ok
  } finally {
    signals.release()
  }
}

/** Where it is left running: how to come back to it, and how to end it. */
function noteGoesOn(report: Report, data: string): void {
  const pid = readOwner(data)?.pid
  if (pid === undefined) return
  report.note(
    `the supervisor goes on: \`agentry attach\` comes back to it, \`kill ${pid}\` ends it in good order`,
  )
}

async function showOwn(
  context: CommandContext,
  terminal: Terminal,
  connect: () => RemoteTeam,
  setup: Setup,
  options: ServeCommandOptions,
): Promise<ExitCode> {
  const { io, report } = context
  const logFile = join(foldersOf(setup.data).own, 'supervisor.log')
  const args = [...globalArguments(context, setup), ...serveArguments(options, io.cwd)]
  const leaving = new AbortController()
  let failure: AgentryError | undefined
  const signals = takeSignals(io)
  signals.shutDownBy(() => leaving.abort())
  const front = new FrontSupervisor({
    startKeeper: (hear) => io.startKeeper({ args, env: io.env, cwd: io.cwd, logFile }, hear),
    connect,
    failed(error) {
      failure = error
      leaving.abort()
    },
    logFile,
    clock: io.clock,
  })
  let how: 'quit' | 'detach' | 'signal' = 'signal'
  try {
    ;({ how } = await io.runDashboard({
      ...whatToShow(io, terminal, setup),
      connect: async (signal) => front.connect(signal),
      place: {
        directory: setup.data,
        get owned() {
          return front.owned
        },
      },
      front,
      signal: leaving.signal,
    }))
  } finally {
    // Where the user has left, the dashboard has done one of the two.
    if (how === 'signal') await front.stop(new AbortController().signal)
    await front.released()
    signals.release()
  }
  if (failure !== undefined) throw failure
  if (how === 'detach') noteGoesOn(report, setup.data)
  return EXIT.ok
}

/** False where nobody answers. Throws `unauthorized`, and `directory_invalid` for a token that cannot be used. */
async function isServed(connect: () => RemoteTeam, clock: CliIo['clock']): Promise<boolean> {
  let team: RemoteTeam
  try {
    team = connect()
  } catch (error) {
    // What else is wrong with the directory, the start of a supervisor says in full.
    if (isAgentryError(error, 'gateway_unreachable') || isAgentryError(error, 'storage_failed')) return false
    throw error
  }
  // One that is busy is there all the same: the dashboard waits for it.
  const patience = clock.setTimer(ANSWER_MS, () => void team.close())
  try {
    await team.health()
    return true
  } catch (error) {
    if (isAgentryError(error, 'unauthorized')) throw error
    return !isAgentryError(error, 'gateway_unreachable')
  } finally {
    patience.cancel()
    await team.close()
  }
}

const ANSWER_MS = 1_000

function whatToShow(
  io: CliIo,
  terminal: Terminal,
  setup: Setup | undefined,
): Pick<DashboardOptions, 'stdin' | 'stdout' | 'env' | 'historyFile' | 'defaultAgent'> {
  const agentId = setup?.config?.defaultAgent ?? setup?.config?.agents[0]?.id
  return {
    stdin: terminal.stdin,
    stdout: terminal.stdout,
    env: io.env,
    ...(setup && { historyFile: join(foldersOf(setup.data).own, 'history') }),
    ...(agentId !== undefined && { defaultAgent: agentId }),
  }
}

function globalArguments({ io, globals }: CommandContext, { data }: Setup): string[] {
  const { config }: GlobalOptions = globals
  return [...(config === undefined ? [] : ['--config', resolve(io.cwd, config)]), '--data', data]
}

function serveArguments(options: ServeCommandOptions, cwd: string): string[] {
  const { host, port, allowHost = [], insecureHttp = false, grace, logLevel, logFile } = options
  return [
    'serve',
    ...(host === undefined ? [] : ['--host', host]),
    ...(port === undefined ? [] : ['--port', String(port)]),
    ...allowHost.flatMap((name) => ['--allow-host', name]),
    ...(insecureHttp ? ['--insecure-http'] : []),
    ...(grace === undefined ? [] : ['--grace', String(grace)]),
    '--log-level',
    logLevel,
    ...(logFile === undefined ? [] : ['--log-file', resolve(cwd, logFile)]),
  ]
}
