import { statSync } from 'node:fs'
import type { Behavior, BehaviorContext } from '../../behavior.ts'
import type { Clock } from '../../core/clock.ts'
import { quote } from '../../core/ids.ts'
import { AgentryError } from '../../errors.ts'
import { baseEnvironment, changedVars, commandEnvironment } from '../processes/command-environment.ts'
import { Reaper } from '../processes/reaper.ts'
import { type CommandResult, runCommand } from '../processes/run-command.ts'
import type { ShellState } from '../processes/shell-wrapper.ts'

export interface ShellOptions {
  /** Most bytes of output that a turn records; more is cut in the middle, and marked. Default 1 MiB. */
  outputBytes?: number
  /** Default `/bin/sh`. */
  shellPath?: string
  clock?: Clock
  /** What a cancelled command gets from SIGTERM to SIGKILL. Default 2,000. */
  graceMs?: number
  /** How long the output may stay open after the shell has ended. Default 200. */
  drainMs?: number
}

/**
 * A behavior that takes each message as a command line for the shell, in the session's working directory and with its vars as
 * environment. `cd`, `export` and `unset` change the session for the messages after it; what is not exported (shell variables,
 * functions, aliases, `umask`) ends with the command, as do its background processes, and the removal of a variable that does
 * not come from the session (`unset HOME`).
 *
 * The command is recorded as a call of the tool `shell`, its output as the call's result. Any exit code completes the turn. It
 * fails with `working_dir_missing` where the directory is gone, `invalid_input` where the message holds a NUL, `command_failed`
 * where nothing could be run.
 *
 * Make one for each stay of an agent and close it with the stay: closing ends the commands that it runs.
 */
export function createShellBehavior(options: ShellOptions = {}): Behavior {
  const { shellPath } = options
  const reaper = new Reaper(shellPath === undefined ? {} : { shellPath })
  return {
    name: 'shell',
    run: (command, context) => runTurn(command, context, reaper, options),
    close: () => reaper.close(),
  }
}

async function runTurn(
  command: string,
  context: BehaviorContext,
  reaper: Reaper,
  options: ShellOptions,
): Promise<{ exitCode: number }> {
  const { agentId, session, message } = context
  const { workingDir, vars } = session
  if (command.includes('\0')) {
    const message =
      'the message: expected a command line, received text with a NUL character: no command can hold one'
    throw new AgentryError('invalid_input', message)
  }
  if (!isDirectory(workingDir)) {
    throw new AgentryError(
      'working_dir_missing',
      `the working directory of session ${quote(session.name)} (${session.id}) does not exist or is not a directory: ${workingDir}`,
      { data: { sessionId: session.id, workingDir } },
    )
  }
  const base = baseEnvironment(process.env)
  const origin = { agentId, sessionId: session.id, turnId: message.turnId }
  let ended: CommandResult | undefined
  let failure: unknown
  await context.runTool('shell', { command, workingDir }, async ({ signal }) => {
    try {
      ended = await runCommand({
        ...options,
        command,
        workingDir,
        environment: commandEnvironment(base, vars, origin),
        turnId: message.turnId,
        reaper,
        signal,
        onOutput: (text) => context.emit(text),
      })
      return { content: ended.output, exitCode: ended.exitCode }
    } catch (error) {
      failure = error
      throw error
    }
  })
  // The call is recorded with the error as its result; the turn fails of it too.
  if (ended === undefined) throw failure
  const { exitCode, state } = ended
  const changes = state && sessionChanges(session, base, state)
  if (changes !== undefined) await context.updateSession(changes)
  return { exitCode }
}

/**
 * What the command changed. A directory that is gone by now (or whose name is no UTF-8) is not taken over: the session would
 * be stuck in it.
 */
function sessionChanges(
  session: BehaviorContext['session'],
  base: ReadonlyMap<string, string>,
  state: ShellState,
): Parameters<BehaviorContext['updateSession']>[0] | undefined {
  const moved = state.workingDir !== session.workingDir && isDirectory(state.workingDir)
  const vars = changedVars(base, session.vars, state.exported)
  if (!moved && vars === undefined) return undefined
  return { ...(moved && { workingDir: state.workingDir }), ...(vars && { vars }) }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
