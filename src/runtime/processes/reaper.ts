/**
 * Ends the running commands of a thread that is gone, however it went: SIGKILL of the process, or the end of the thread alone.
 *
 * A reaper is a small shell process at the other end of a socket. Each command registers its process group there before it
 * runs; the kernel closes our end when the thread or process dies, and the reaper then kills what is registered and exits.
 *
 * Invariants:
 * P1  no command runs unregistered: it registers itself (shell-wrapper.ts), so no instant lies between start and registration.
 * P2  nothing but the thread holds our end open for long: a command closes its copy before it runs anything.
 * P3  the reaper outlives whatever ends its thread: it has a session of its own (no terminal, not in the supervisor's process
 *     group) and is deaf to INT, TERM and HUP. It is orphaned at its start, because nobody would wait for it, and a zombie
 *     stay, where its thread is ended.
 * P4  it keeps neither thread nor process alive.
 */
import type { Socket } from 'node:net'
import { AgentryError } from '../../errors.ts'

/**
 * Reads lines `+PGID:FILE` and `-PGID` until the end of its input; then kills the groups that are left and removes their files.
 * It writes nothing to its standard output: the end of it tells the thread that the reaper is gone.
 */
const SCRIPT = `
trap '' INT TERM HUP
{
  set -f
  IFS='
'
  groups=
  while read -r line; do
    case $line in
      +*)
        groups="$groups\${line#+}
"
        ;;
      -*)
        kept=
        for group in $groups; do
          [ "\${group%%:*}" = "\${line#-}" ] || kept="$kept$group
"
        done
        groups=$kept
        ;;
    esac
  done
  for group in $groups; do kill -s KILL -- "-\${group%%:*}"; done
  for group in $groups; do rm -f -- "\${group#*:}"; done
} <&3 3<&- &
`

interface RunningReaper {
  input: Socket
  lifeline: Socket
  /** Resolves when the process is gone. */
  gone: Promise<void>
}

export interface ReaperOptions {
  /** Default `/bin/sh`. */
  shellPath?: string
}

/** One per owner of commands (one per stay of an agent). Its process starts with the first command. */
export class Reaper {
  readonly #shellPath: string
  /** The running commands: process group -> file to remove after it. */
  readonly #groups = new Map<number, string>()
  #running: RunningReaper | undefined
  /** Each command lets a reaper that died be replaced once: one that cannot live is not started in a loop. */
  #replaceable = false

  constructor(options: ReaperOptions = {}) {
    this.#shellPath = options.shellPath ?? '/bin/sh'
  }

  /** The stream to hand to a command for its registration. Throws `command_failed` where no process can be started. */
  registration(): Socket {
    this.#replaceable = true
    return this.#ensureRunning().input
  }

  /** Remembers a command that registers itself, for the next reaper should this one die. */
  hold(pgid: number, file: string): void {
    this.#groups.set(pgid, file)
  }

  /** Takes a group that has ended off the list: its number may be given to others. */
  release(pgid: number): void {
    this.#groups.delete(pgid)
    this.#running?.input.write(`-${pgid}\n`)
  }

  /**
   * Ends the process, and with it the commands that still run; resolves when it is gone. Idempotent. A command after this
   * starts a new one.
   */
  async close(): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    this.#running = undefined
    running.lifeline.ref()
    running.input.end()
    await running.gone
  }

  #ensureRunning(): RunningReaper {
    if (this.#running !== undefined) return this.#running
    const running = startReaper(this.#shellPath)
    this.#running = running
    void running.gone.then(() => this.#replace(running))
    for (const [pgid, file] of this.#groups) running.input.write(`+${pgid}:${file}\n`)
    return running
  }

  #replace(dead: RunningReaper): void {
    if (this.#running !== dead) return
    this.#running = undefined
    if (this.#groups.size === 0 || !this.#replaceable) return
    this.#replaceable = false
    this.#ensureRunning()
  }
}

function startReaper(shellPath: string): RunningReaper {
  // Loaded here: most threads never run a command, and each would pay 0.5 MB for the modules.
  const { spawn } = process.getBuiltinModule('node:child_process')
  const { Socket } = process.getBuiltinModule('node:net')
  const launcher = spawn(shellPath, ['-c', SCRIPT], {
    // Without the marker of a turn: the reaper must not be taken for a leftover of one.
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
  })
  const [, lifeline, , input] = launcher.stdio
  if (launcher.pid === undefined || !(lifeline instanceof Socket) || !(input instanceof Socket)) {
    // Comes a tick later, and would end the thread: the error that follows here says as much.
    launcher.once('error', () => {})
    throw new AgentryError(
      'command_failed',
      `the process that guards commands (${shellPath}) cannot be started: out of processes or file descriptors?`,
    )
  }
  // A write to a reaper that has just died: the end of the lifeline, which follows, is what counts.
  input.on('error', () => {})
  launcher.unref()
  lifeline.unref()
  input.unref()
  lifeline.resume()
  const gone = new Promise<void>((resolve) => lifeline.once('close', () => resolve()))
  return { input, lifeline, gone }
}
