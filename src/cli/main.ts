/** `run` is the command line as a function; `main` runs it in this process. */
import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { text } from 'node:stream/consumers'
import { inspect } from 'node:util'
import { type Command, CommanderError } from 'commander'
import { systemClock } from '../core/clock.ts'
import { AgentryError, toAgentryError } from '../errors.ts'
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts'
import type { CliIo } from './io.ts'
import { startKeeper } from './keeper-process.ts'
import type { GlobalOptions } from './open-team.ts'
import { COMPLETE_COMMAND } from './completion/scripts.ts'
import { onEndingSignal } from './process-signals.ts'
import { createProgram, DASHBOARD_COMMAND } from './program.ts'
import { createReport } from './report.ts'
import { FRONT_VARIABLE, KEPT_VARIABLE, TOKEN_VARIABLE } from './serve-options.ts'

/** Runs the command that `argv` (without node and script) names. Resolves with its exit code; never rejects. */
export async function run(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok
  const program = createProgram(io, packageVersion(), (code) => {
    exitCode = code
  })
  try {
    if (argv[0] === COMPLETE_COMMAND) {
      return await (await import('./completion/complete.ts')).complete(program, argv.slice(1), io)
    }
    const words = namesCommand(program, argv) ? argv : [DASHBOARD_COMMAND, ...argv]
    await program.parseAsync(words, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError && HELP_CODES.has(error.code)) {
      return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    }
    const failure = error instanceof CommanderError ? usageError(error) : toAgentryError(error)
    createReport(io, program.opts<GlobalOptions>().json ?? false).error(failure.toJSON())
    if (io.env['AGENTRY_DEBUG'] === '1') io.stderr.write(`${inspect(error)}\n`)
    return exitCodeOf(failure.code)
  }
}

/** False for a line of options alone: that is the dashboard. */
function namesCommand(program: Command, argv: readonly string[]): boolean {
  const { operands, unknown } = program.parseOptions([...argv])
  return operands.length > 0 || unknown.includes('--help') || unknown.includes('-h')
}

/** Runs the command line of this process and sets its exit code. */
export async function main(): Promise<void> {
  // A reader that has seen enough (`| head`) and a terminal that is gone end the output, not the command.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
    })
  }
  process.exitCode = await run(process.argv.slice(2), processIo())
}

/** The outside world of this process. Takes from its environment what is not for the agents. */
export function processIo(): CliIo {
  const env = { ...process.env }
  // For the server alone: threads begin with a copy of the process's environment, and modules of a user's behaviors read it.
  delete process.env[TOKEN_VARIABLE]
  delete process.env[KEPT_VARIABLE]
  delete process.env[FRONT_VARIABLE]
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    readStdin: () => text(process.stdin),
    env,
    cwd: process.cwd(),
    clock: systemClock,
    terminal: process,
    runDashboard: async (options) => (await import('../dashboard/run.ts')).runDashboard(options),
    startKeeper,
    createTeam: async (options) => (await import('../team.ts')).createTeam(options),
    onSignal: onEndingSignal,
    // process.exit waits for threads, and one of them may be why somebody is in a hurry.
    forceExit: () => process.kill(process.pid, 'SIGKILL'),
  }
}

const HELP_CODES = new Set(['commander.help', 'commander.helpDisplayed', 'commander.version'])

function usageError(error: CommanderError): AgentryError {
  const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ')
  return new AgentryError(
    error.code === 'commander.unknownCommand' ? 'unknown_command' : 'invalid_input',
    message,
  )
}

function packageVersion(): string {
  const file = findPackageJSON(import.meta.url)
  const manifest: unknown = file === undefined ? {} : JSON.parse(readFileSync(file, 'utf8'))
  const known = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return known ? String(manifest.version) : 'unknown'
}
