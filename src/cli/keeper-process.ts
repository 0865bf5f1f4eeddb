/** Starting a keeper (`agentry serve --keep`) for a dashboard: in a group of its own, with a channel, its output in a file. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { systemFs } from '../store/durable-fs.ts'
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

/** A group of its own: Ctrl-C in the terminal, and its end, come to the front alone. */
export function startKeeper(
  { args, env, cwd, logFile }: KeeperStart,
  hear: (message: KeeperMessage) => void,
): KeeperProcess {
  const { execPath, execArgv, argv } = process
  const output = openLog(logFile) ?? 'ignore'
  const child = spawn(execPath, [...execArgv, argv[1] ?? '', ...args, '--keep'], {
    cwd,
    env: { ...env, [FRONT_VARIABLE]: '1' },
    stdio: ['ignore', output, output, 'ipc'],
    detached: true,
  })
  if (typeof output === 'number') closeSync(output)
  const released = Promise.withResolvers<void>()
  child.on('message', (message) => {
    if (!isKeeperMessage(message)) return
    if (message.type === 'released') released.resolve()
    hear(message)
  })
  const ended = Promise.all([once(child, 'exit'), once(child, 'disconnect')]).then(
    () => undefined,
    () => undefined, // It could not be started.
  )
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
