/** The temporary file in which a command's shell leaves its state (shell-wrapper.ts): one for each command, removed after it. */
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AgentryError, describeThrown } from '../../errors.ts'
import { parseShellState } from './shell-wrapper.ts'
import { systemErrorCode } from './system-error-code.ts'

/**
 * Makes an empty one for a command of the turn, readable by its owner only: the state holds the session's vars. Throws
 * `command_failed`.
 */
export function createStateFile(turnId: string): string {
  const path = join(tmpdir(), `${prefixOf(turnId)}${randomBytes(8).toString('hex')}`)
  try {
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 })
  } catch (error) {
    const message = `the command was not run: no temporary file can be made: ${describeThrown(error)}`
    throw new AgentryError('command_failed', message, { cause: error })
  }
  return path
}

/** Undefined also where the file is gone: the reaper, or the command, removed it. */
export function readStateFile(path: string): ReturnType<typeof parseShellState> {
  try {
    return parseShellState(readFileSync(path))
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Removes what the commands of a turn that was cut off left: the reaper removes the file of a command that has registered itself; of
 * one that was about to start, nobody else knows.
 */
export function removeStateFiles(turnId: string): void {
  const directory = tmpdir()
  for (const name of readdirSync(directory)) {
    if (name.startsWith(prefixOf(turnId))) rmSync(join(directory, name), { force: true })
  }
}

function prefixOf(turnId: string): string {
  return `agentry-${turnId}-`
}
