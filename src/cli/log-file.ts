/**
 * The file that `serve --log-file` writes its log to.
 *
 * F1  a line is in the file when write returns: a killed process loses none.
 * F2  lines go to the end, wherever that is by then: the file may be cut while it is open (logrotate's copytruncate).
 * F3  a disk that is full ends nothing: lines are lost until there is room, and that is said once on `fallback`.
 */
import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { AgentryError, describeThrown } from '../errors.ts'
import type { TextSink } from './io.ts'

export interface LogFile extends TextSink {
  write(line: string): void
  /** Idempotent. What is written afterwards goes to the fallback. */
  close(): void
}

/** Without waiting for a reader, where the path is a pipe. */
const { O_APPEND, O_CREAT, O_NONBLOCK, O_WRONLY } = constants
const OWNER_ONLY = 0o600

/** Opens the file, made with mode 0600 where it is not there. Throws `invalid_input` where that cannot be. */
export function openLogFile(path: string, fallback: TextSink): LogFile {
  let fd: number | undefined = open(path)
  let fails = false
  return {
    write(line) {
      if (fd === undefined) {
        fallback.write(line)
        return
      }
      try {
        writeSync(fd, line)
        fails = false
      } catch (error) {
        if (!fails) fallback.write(`the log cannot be written, lines are lost: ${describeThrown(error)}\n`)
        fails = true
      }
    },
    close() {
      if (fd !== undefined) closeSync(fd)
      fd = undefined
    },
  }
}

function open(path: string): number {
  try {
    return openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, OWNER_ONLY)
  } catch (cause) {
    throw new AgentryError('invalid_input', `--log-file: cannot be opened: ${describeThrown(cause)}`, {
      cause,
    })
  }
}
