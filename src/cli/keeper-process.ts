/** Starting a keeper (`agentry serve --keep`) for a dashboard: in a group of its own, with a channel, its output in a file. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, constants, openSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { AgentryError, describeThrown } from '../errors.ts'
import { systemFs } from '../store/durable-fs.ts'
import { endOf, isSystemError } from './child-end.ts'
import type { FrontMessage, KeeperMessage } from './front-channel.ts'
import type { KeeperProcess } from './front-supervisor.ts'
import type { CliIo } from './io.ts'
import { FRONT_VARIABLE } from './serve-options.ts'

const MAX_LOG_BYTES = 10 * 1024 * 1024

export interface KeeperStart {
  /** Of `agentry`, from `serve` on; `--keep` is added. */
  args: readonly string[]
  env: CliIo['env']
  cwd: string
  /** Appended to. One that is longer than 10 MB becomes `….1` first. */
  logFile: string
}

/**
 * A group of its own: Ctrl-C in the terminal, and its end, come to the front alone. One that the system could not start has ended at once,
 * and says why by `failed`.
 */
export function startKeeper(
  { args, env, cwd, logFile }: KeeperStart,
  hear: (message: KeeperMessage) => void,
): KeeperProcess {
  let child: ChildProcess
  try {
    child = spawnKeeper({ args, env, cwd, logFile })
  } catch (error) {
    if (!isSystemError(error)) throw error
    hear(notStarted(error))
    return NEVER_BEGAN
  }
  const released = Promise.withResolvers<void>()
  child.on('message', (message) => {
    if (!isKeeperMessage(message)) return
    if (message.type === 'released') released.resolve()
    hear(message)
  })
  const ended = endOf(child).then((reason) => {
    if (reason !== undefined) hear(notStarted(reason))
  })
  return {
    ended,
    end: () => void child.kill('SIGTERM'),
    async release() {
      const message: FrontMessage = { type: 'release' }
      child.send(message, () => undefined)
      await Promise.race([released.promise, ended])
      if (child.connected) child.disconnect()
      child.unref()
    },
    abandon() {
      child.unref()
      child.channel?.unref()
    },
  }
}

const NEVER_BEGAN: KeeperProcess = {
  ended: Promise.resolve(),
  end: () => undefined,
  release: async () => undefined,
  abandon: () => undefined,
}

function notStarted(reason: unknown): KeeperMessage {
  const error = new AgentryError(
    'gateway_unreachable',
    `the supervisor could not be started: ${describeThrown(reason)}`,
  )
  return { type: 'failed', error: error.toJSON() }
}

function spawnKeeper({ args, env, cwd, logFile }: KeeperStart): ChildProcess {
  const { execPath, execArgv, argv } = process
  const output = openLog(logFile) ?? 'ignore'
  try {
    return spawn(execPath, [...execArgv, argv[1] ?? '', ...args, '--keep'], {
      cwd,
      env: { ...env, [FRONT_VARIABLE]: '1' },
      stdio: ['ignore', output, output, 'ipc'],
      detached: true,
    })
  } finally {
    if (typeof output === 'number') closeSync(output)
  }
}

/** Undefined where it cannot be written: what is wrong with the directory, the server says. */
function openLog(file: string): number | undefined {
  try {
    systemFs.makeDirectory(dirname(file)) // Durable: the data directory may be made by it.
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES) renameSync(file, `${file}.1`)
    const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants
    return openSync(file, O_APPEND | O_CREAT | O_NOFOLLOW | O_WRONLY, 0o600)
  } catch {
    return undefined
  }
}

function isKeeperMessage(message: unknown): message is KeeperMessage {
  return typeof message === 'object' && message !== null && 'type' in message
}
