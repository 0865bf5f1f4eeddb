/**
 * `agentry serve --keep`: a small process that starts the server, and starts it again when it dies.
 *
 * W1  a signal to end is passed on, each once; the server's end is the end then.
 * W2  every other end is judged by keep-decision.ts: a new server is started at once, or after a growing wait where one after the
 *     other lived only briefly, or the keeper ends with it. One that the system could not start (no memory, no process left, a
 *     program that is just being replaced) lived briefly.
 * W3  a server does not outlive its keeper, however that ends: the channel between them closes, and the server ends in good order.
 * W4  the next server listens where the one before did.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { backoffMs, RESTART_BACKOFF } from '../core/backoff.ts'
import { describeThrown } from '../errors.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { decide, type KeptHistory } from './keep-decision.ts'
import type { ServingMessage } from './kept.ts'
import type { CommandContext } from './open-team.ts'
import { KEPT_VARIABLE } from './serve-options.ts'

/** The system, as far as the keeper needs it. `wait` keeps the process alive, and ends early when `signal` aborts. */
export interface KeepSystem {
  startServer(env: CommandContext['io']['env'], formerPort: number): ChildProcess
  wait(delayMs: number, signal: AbortSignal): Promise<void>
}

const processSystem: KeepSystem = {
  startServer,
  async wait(delayMs, signal) {
    await sleep(delayMs, undefined, { signal }).catch(() => undefined)
  },
}

/** Resolves with the exit code of the last server. */
export async function keepServing(
  { io, report }: Pick<CommandContext, 'io' | 'report'>,
  system: KeepSystem = processSystem,
): Promise<ExitCode> {
  const ending = new AbortController()
  let server: ChildProcess | undefined
  let port = 0
  let history: KeptHistory = { hasServed: false, brief: 0 }
  const unsubscribe = io.onSignal((signal) => {
    ending.abort()
    server?.kill(signal)
  })
  try {
    for (;;) {
      const startedMs = io.clock.monotonicMs()
      let failure: unknown
      try {
        server = system.startServer(io.env, port)
        server.on('message', (message) => {
          if (!isServing(message)) return
          port = message.port
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
      report.note(
        failure === undefined
          ? `the server ended (${code === null ? 'killed' : `exit code ${code}`}) and is started again`
          : `the server could not be started (${describeThrown(failure)}): it is tried again`,
      )
      if (decision.retry === 0) continue
      await system.wait(backoffMs(RESTART_BACKOFF, decision.retry, Math.random), ending.signal)
      if (ending.signal.aborted) return EXIT.ok // Asked to end while nothing ran.
    }
  } finally {
    unsubscribe()
  }
}

/**
 * This command again, without --keep, and with a channel to it (W3). In a group of its own: Ctrl-C in a terminal comes here alone, and
 * is passed on (W1).
 */
function startServer(env: CommandContext['io']['env'], formerPort: number): ChildProcess {
  const { execPath, execArgv, argv } = process
  const args = [...execArgv, ...argv.slice(1).filter((argument) => argument !== '--keep')]
  return spawn(execPath, args, {
    env: { ...env, [KEPT_VARIABLE]: String(formerPort) },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    detached: true,
  })
}

/** Resolves when the server has ended; with the reason where it has never begun. */
function endOf(server: ChildProcess): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  server.on('exit', () => resolve(undefined))
  server.on('error', (error) => {
    // Of one that runs it is a signal or a message that could not be sent: its exit comes.
    if (server.pid === undefined) resolve(error)
  })
  return promise
}

/** What the system refused, and not a mistake of ours. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}

function isServing(message: unknown): message is ServingMessage {
  return (
    typeof message === 'object' && message !== null && 'port' in message && typeof message.port === 'number'
  )
}
