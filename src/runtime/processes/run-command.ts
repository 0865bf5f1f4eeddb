/**
 * Runs one command line in a shell of its own, so that nothing of it outlives its owner or its end.
 *
 * Invariants:
 * C1  the command has a session and process group of its own, registered with the reaper before it runs.
 * C2  when its shell ends, what is left of the group is killed: background processes end with the command that started them,
 *     and never hold it up. Only a process that left the group (setsid) lives on after an ordinary end, and not where the command
 *     is to leave nothing: it is found by a marker of the command's own.
 * C3  a cancelled command leaves no process: what left the group is found by the turn's marker (leftover-processes.ts).
 * C4  memory is bounded, whatever the command writes.
 *
 * The command reads end of file from its standard input, and writes standard output and error into one socket. A socket (Node
 * makes no pipes) cannot be opened by name: `>&2` works, `> /dev/stderr` fails.
 */
import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import { type Clock, systemClock } from '../../core/clock.ts'
import { AgentryError, describeThrown } from '../../errors.ts'
import { COMMAND_MARKER } from './command-environment.ts'
import { killLeftovers } from './leftover-processes.ts'
import { CommandOutput } from './command-output.ts'
import { endGroup, signalProcesses } from './process-group.ts'
import type { Reaper } from './reaper.ts'
import { SHELL_WRAPPER, type ShellState } from './shell-wrapper.ts'
import { createStateFile, readStateFile } from './state-file.ts'
import { systemErrorCode } from './system-error-code.ts'

export interface RunCommandOptions {
  command: string
  /** An existing directory. */
  workingDir: string
  /** The whole environment, the turn's marker included: see commandEnvironment. */
  environment: ReadonlyMap<string, string>
  /** The turn that the environment is marked with. */
  turnId: string
  /** After an ordinary end too, what left the group is ended, see C2. Default false: a person may start a service by hand. */
  leavesNothing?: boolean
  reaper: Reaper
  /** Ends the command, see C3. */
  signal?: AbortSignal
  /** Called with the output as it comes: all of it, also what the result leaves out. */
  onOutput?: (text: string) => void
  /** Most bytes of output in the result, see CommandOutput. Default 1 MiB. */
  outputBytes?: number
  /** Default `/bin/sh`. */
  shellPath?: string
  clock?: Clock
  /** From SIGTERM to SIGKILL for a cancelled command. Default 2,000. */
  graceMs?: number
  /** How long the output may stay open after the shell has ended and its group was killed. Default 200. */
  drainMs?: number
}

export interface CommandResult {
  /** Standard output and error in the order they were written; U+FFFD for what is no UTF-8. */
  output: string
  /** The shell's, or 128 + the number of the signal that killed it. */
  exitCode: number
  /** Undefined where the shell could leave none, see SHELL_WRAPPER. */
  state: ShellState | undefined
}

/**
 * Resolves when the command has ended, whatever its exit code. Rejects with the signal's reason where it was cancelled, with
 * `command_failed` where it could not be run at all.
 */
export async function runCommand(options: RunCommandOptions): Promise<CommandResult> {
  options.signal?.throwIfAborted()
  const stateFile = createStateFile(options.turnId)
  try {
    const { output, exitCode } = await runShell(options, stateFile)
    const state = readStateFile(stateFile)
    if (state === 'unregistered') throw notRun('the process that guards commands was gone')
    return { output, exitCode, state }
  } finally {
    rmSync(stateFile, { force: true })
  }
}

interface ShellEnd {
  output: string
  exitCode: number
}

async function runShell(options: RunCommandOptions, stateFile: string): Promise<ShellEnd> {
  const { turnId, leavesNothing = false, reaper, signal } = options
  const { clock = systemClock, graceMs = 2_000, drainMs = 200 } = options
  const commandId = randomUUID()
  const environment = new Map(options.environment)
  if (leavesNothing) environment.set(COMMAND_MARKER, commandId)
  const { child, pgid, stdout } = await startShell({ ...options, environment }, stateFile)
  reaper.hold(pgid, stateFile)
  const reading = readOutput(stdout, options)
  let cancelling: Promise<void> | undefined
  const cancel = () => {
    cancelling = endGroup(pgid, clock, graceMs)
    // It is awaited when the shell has ended.
    cancelling.catch(() => undefined)
  }
  if (signal?.aborted) cancel()
  signal?.addEventListener('abort', cancel, { once: true })
  try {
    const exitCode = await exitCodeOf(child)
    signal?.removeEventListener('abort', cancel)
    await cancelling
    signalProcesses(-pgid, 'SIGKILL')
    if (cancelling !== undefined) await killLeftovers(turnId, { clock })
    else if (leavesNothing) await killLeftovers(commandId, { clock, marker: COMMAND_MARKER })
    // Timers fire before the loop reads: where it was blocked, what the command wrote is read before this immediate runs.
    const drainTimer = clock.setTimer(drainMs, () => setImmediate(() => stdout.destroy()))
    const output = await reading
    drainTimer.cancel()
    if (cancelling !== undefined) signal?.throwIfAborted()
    return { output, exitCode }
  } finally {
    stdout.destroy()
    reaper.release(pgid)
  }
}

interface StartedShell {
  child: ChildProcess
  /** Its process id and process group. */
  pgid: number
  stdout: Readable
}

async function startShell(options: RunCommandOptions, stateFile: string): Promise<StartedShell> {
  const { command, workingDir, environment, reaper, shellPath = '/bin/sh' } = options
  const registration = reaper.registration()
  try {
    // Loaded with the first command: most threads never run one, and each would pay 0.5 MB for it.
    const { spawn } = process.getBuiltinModule('node:child_process')
    const child = spawn(shellPath, ['-c', SHELL_WRAPPER, 'agentry', command, stateFile], {
      cwd: workingDir,
      // The shell keeps a PWD that fits: the logical path, symbolic links as they are.
      env: Object.fromEntries([...environment, ['PWD', workingDir]]),
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore', registration],
    })
    await once(child, 'spawn')
    const { pid: pgid, stdout } = child
    if (pgid === undefined || stdout === null) throw new Error('the process has no id or no output')
    return { child, pgid, stdout }
  } catch (error) {
    const why =
      systemErrorCode(error) === 'E2BIG'
        ? 'the command or its environment is larger than the system allows (E2BIG)'
        : `${shellPath} in ${workingDir}: ${describeThrown(error)}`
    throw notRun(why, error)
  }
}

/** 128 + the number of the signal where one killed the shell, as shells count it. */
function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']))
  })
}

/** Resolves with what the result holds of the output when nothing more of it comes. */
function readOutput(stdout: Readable, options: RunCommandOptions): Promise<string> {
  const { onOutput, outputBytes = 1024 * 1024 } = options
  const kept = new CommandOutput(outputBytes)
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  function take(text: string): void {
    if (text === '') return
    kept.write(text)
    onOutput?.(text)
  }
  stdout.on('data', (chunk: Buffer) => take(decoder.decode(chunk, { stream: true })))
  stdout.on('error', (error) => take(`\n[… output lost: ${describeThrown(error)} …]\n`))
  return new Promise((resolve) => {
    stdout.once('close', () => {
      take(decoder.decode())
      resolve(kept.text())
    })
  })
}

function notRun(why: string, cause?: unknown): AgentryError {
  return new AgentryError('command_failed', `the command was not run: ${why}`, { cause })
}
