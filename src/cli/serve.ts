/** `agentry serve`: the team with its gateway, until a signal comes. */
import { resolve } from 'node:path'
import type { TeamEvent } from '../api.ts'
import { describeThrown, toAgentryError } from '../errors.ts'
import { assertBindable } from '../gateway/address.ts'
import { DEFAULT_HOST } from '../gateway/defaults.ts'
import { type Gateway, serveTeam } from '../gateway/serve.ts'
import { readOwner } from '../store/owner-file.ts'
import { assertToken, ensureToken, readToken, tokenFileOf } from '../store/token-file.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { type Keeper, keeperOf } from './kept.ts'
import { openLogFile } from './log-file.ts'
import { createLog, logAnswer, type Logger, logEvent } from './log.ts'
import { type CommandContext, giveFirstAgent, openTeam, resolveSetup, type Setup } from './open-team.ts'
import { type ServeCommandOptions, TOKEN_VARIABLE } from './serve-options.ts'
import { takeSignals } from './signals.ts'

const DEFAULT_GRACE_S = 10
/** How long a token that was read is taken for the one in the file. */
const TOKEN_AGE_MS = 1_000

/**
 * Serves until the first SIGTERM or SIGINT: then no more work is taken, running turns finish within the grace, everything is saved,
 * and the exit code is 0. A second signal ends the process at once.
 */
export async function serve(context: CommandContext, options: ServeCommandOptions): Promise<ExitCode> {
  const keeper = keeperOf(context.io)
  try {
    return await serveKept(context, options, keeper)
  } catch (error) {
    keeper?.failed(toAgentryError(error).toJSON())
    throw error
  }
}

async function serveKept(
  context: CommandContext,
  options: ServeCommandOptions,
  keeper: Keeper | undefined,
): Promise<ExitCode> {
  const { io } = context
  const setup = await resolveSetup(context)
  const set = io.env[TOKEN_VARIABLE]
  if (set !== undefined) assertToken(set, TOKEN_VARIABLE)
  const address = {
    host: options.host ?? DEFAULT_HOST,
    tokenIsSet: set !== undefined,
    insecureHttp: options.insecureHttp ?? false,
  }
  assertBindable(address) // Before anything is opened.

  const logFile =
    options.logFile === undefined ? undefined : openLogFile(resolve(io.cwd, options.logFile), io.stderr)
  const log = createLog(logFile ?? io.stderr, options.logLevel)
  try {
    return await serveLogged(context, { ...options, ...address }, { setup, set, log, keeper })
  } finally {
    logFile?.close()
  }
}

interface Serving {
  setup: Setup
  /** The token, where the environment has one. */
  set: string | undefined
  log: Logger
  keeper: Keeper | undefined
}

async function serveLogged(
  context: CommandContext,
  options: ServeCommandOptions & { host: string; tokenIsSet: boolean; insecureHttp: boolean },
  { setup, set, log, keeper }: Serving,
): Promise<ExitCode> {
  const { io, report } = context
  const { config, data } = setup
  const { host, tokenIsSet, insecureHttp } = options
  const stopping = Promise.withResolvers<void>()
  const signals = takeSignals(io)
  signals.shutDownBy(() => {
    log.info('stopping: no new work is taken')
    stopping.resolve()
  })
  const formerPort = keeper?.formerPort ?? formerPortOf(data)
  const team = await openTeam(context, setup, { resume: true, start: 'all' })
  const forgetKeeper = keeper?.onGone(() => {
    log.warn('stopping: the process that kept this one is gone')
    stopping.resolve()
  })
  let gateway: Gateway | undefined
  const following = new AbortController()
  try {
    await giveFirstAgent(context, setup, team)
    const events = team.events({ signal: following.signal })
    follow(events, log).catch((error: unknown) =>
      log.error(`the log of events ended: ${describeThrown(error)}`),
    )
    gateway = await serveTeam(team, {
      host,
      tokenIsSet,
      insecureHttp,
      token: set === undefined ? tokenOf(data, log) : () => set,
      version: context.version,
      ownProcess: true,
      ...(options.port !== undefined && { port: options.port }),
      ...(formerPort !== undefined && { formerPort }),
      ...(options.allowHost !== undefined && { names: options.allowHost }),
      ...(config?.defaultAgent !== undefined && { defaultAgent: config.defaultAgent }),
      onAnswer: (request) => logAnswer(log, request),
      onFault: (error) => log.error({ err: error }, 'fault'),
    })
    const { url } = gateway
    team.announce(url)
    keeper?.serving(url)
    const tokenFile = set === undefined ? tokenFileOf(data) : undefined
    const where = tokenFile === undefined ? `${TOKEN_VARIABLE} as set` : tokenFile
    report.line(
      { url, ...(tokenFile !== undefined && { tokenFile }), pid: process.pid },
      () => `serving at ${url} (token: ${where})`,
    )
    log.info({ url, directory: team.directory, epoch: team.epoch }, 'serving')
    await stopping.promise
    gateway.drain()
  } finally {
    try {
      await team.close({ graceMs: (options.grace ?? DEFAULT_GRACE_S) * 1_000 })
    } finally {
      // Whatever the team ends with: a port that stays open keeps the process.
      await gateway?.close()
      following.abort()
      forgetKeeper?.()
      signals.release()
    }
  }
  log.info('stopped')
  return EXIT.ok
}

async function follow(events: AsyncIterable<TeamEvent>, log: Logger): Promise<void> {
  for await (const event of events) logEvent(log, event)
}

/** The token in the file, which may be rotated while the gateway runs. Where that cannot be used any more the last one stays. */
function tokenOf(data: string, log: Logger): () => string {
  let token = ensureToken(data)
  let readMs = performance.now()
  return () => {
    if (performance.now() - readMs > TOKEN_AGE_MS) {
      readMs = performance.now()
      try {
        token = readToken(data) ?? token
      } catch (error) {
        log.error(`the token stays what it was: ${describeThrown(error)}`)
      }
    }
    return token
  }
}

/** That of a server that did not end in good order: its owner.json is still there, and its clients still ask there. */
function formerPortOf(data: string): number | undefined {
  let url: string | undefined
  try {
    url = readOwner(data)?.url
  } catch {
    // What is wrong with the directory, its opening says.
  }
  return url === undefined || !URL.canParse(url) ? undefined : Number(new URL(url).port) || undefined
}
