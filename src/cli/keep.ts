/**
 * `agentry serve --keep`: a small process that starts the server, and starts it again when it dies.
 *
 * W1  a signal to end is passed on, each once; the server's end is the end then.
 * W2  every other end is judged by keep-decision.ts: a new server is started at once, or after a growing wait where one after the
 *     other lived only briefly, or the keeper ends with it. One that the system could not start (no memory, no process left, a
 *     program that is just being replaced) lived briefly.
 * W3  a server does not outlive its keeper, however that ends: the channel between them closes, and the server ends in good order.
 * W4  the next server listens where the one before did.
 * W5  a dashboard that has started the keeper is told of every server. The keeper does not outlive it, unless it was released.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { backoffMs, RESTART_BACKOFF } from '../core/backoff.ts'
import { describeThrown } from '../errors.ts'
import { endOf, isSystemError } from './child-end.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { decide, type KeptHistory } from './keep-decision.ts'
import { frontOf } from './front-channel.ts'
import type { CliIo } from './io.ts'
import type { ServerMessage } from './kept.ts'
import type { Report } from './report.ts'
import { FRONT_VARIABLE, KEPT_VARIABLE } from './serve-options.ts'
import type { EndingSignal } from './signals.ts'

/** The system, as far as the keeper needs it. `wait` keeps the process alive, and ends early when `signal` aborts. */
export interface KeepSystem {
  startServer(env: CliIo['env'], formerPort: number): ChildProcess
  wait(delayMs: number, signal: AbortSignal): Promise<void>
}

const processSystem: KeepSystem = {
  startServer,
  async wait(delayMs, signal) {
    await sleep(delayMs, undefined, { signal }).catch(() => undefined)
  },
}

/** What the keeper needs of a command. */
export interface KeepContext {
  readonly io: Pick<CliIo, 'env' | 'clock' | 'onSignal'>
  readonly report: Report
}

/** Resolves with the exit code of the last server. */
export async function keepServing(
  { io, report }: KeepContext,
  system: KeepSystem = processSystem,
): Promise<ExitCode> {
  const ending = new AbortController()
  let server: ChildProcess | undefined
  let port = 0
  let history: KeptHistory = { hasServed: false, brief: 0 }
  const end = (signal: EndingSignal): void => {
    ending.abort()
    server?.kill(signal)
  }
  const unsubscribe = io.onSignal(end)
  const front = frontOf(io, () => end('SIGTERM'))
  try {
    if (ending.signal.aborted) return EXIT.ok
    for (;;) {
      const startedMs = io.clock.monotonicMs()
      let failure: unknown
      try {
        server = system.startServer(io.env, port)
        server.on('message', (message) => {
          if (!isServerMessage(message)) return
          front?.tell(message)
          if (message.type !== 'serving') return
          port = Number(new URL(message.url).port)
          history = { ...history, hasServed: true }
        })
        failure = await endOf(server)
      } catch (error) {
        if (!isSystemError(error)) throw error
        failure = error
      }
      const code: ExitCode | null = failure === undefined ? (server?.exitCode ?? null) : null
      if (ending.signal.aborted) return code ?? (failure === undefined ? EXIT.failure : EXIT.ok)
      const decision = decide(history, { code, livedMs: io.clock.monotonicMs() - startedMs })
      if (decision.action === 'stop') return code ?? EXIT.failure
      history = decision.history
      const reason =
        failure === undefined
          ? `the server ended (${code === null ? 'killed' : `exit code ${code}`}) and is started again`
          : `the server could not be started (${describeThrown(failure)}): it is tried again`
      report.note(reason)
      front?.tell({ type: 'restarting', reason })
      if (decision.retry === 0) continue
      await system.wait(backoffMs(RESTART_BACKOFF, decision.retry, Math.random), ending.signal)
      if (ending.signal.aborted) return EXIT.ok // Asked to end while nothing ran.
    }
  } finally {
    unsubscribe()
    front?.close()
  }
}

/**
 * This command again, without --keep, and with a channel to it (W3). In a group of its own: Ctrl-C in a terminal comes here alone, and
 * is passed on (W1).
 */
function startServer(env: CliIo['env'], formerPort: number): ChildProcess {
  const { execPath, execArgv, argv } = process
  const args = [...execArgv, ...argv.slice(1).filter((argument) => argument !== '--keep')]
  const { [FRONT_VARIABLE]: _, ...serverEnv } = env
  return spawn(execPath, args, {
    env: { ...serverEnv, [KEPT_VARIABLE]: String(formerPort) },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    detached: true,
  })
}

function isServerMessage(message: unknown): message is ServerMessage {
  return typeof message === 'object' && message !== null && 'type' in message
}
