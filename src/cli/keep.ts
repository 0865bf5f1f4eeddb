/**
 * `agentry serve --keep`: a small process that starts the server, and starts it again when it dies.
 *
 * W1  a signal to end is passed on, each once; the server's end is the end then.
 * W2  every other end is judged by keep-decision.ts: a new server is started at once, or after a growing wait where one after the
 *     other lived only briefly, or the keeper ends with it.
 * W3  a server does not outlive its keeper, however that ends: the channel between them closes, and the server ends in good order.
 * W4  the next server listens where the one before did.
 * W5  a dashboard that has started the keeper is told of every server. The keeper does not outlive it, unless it was released.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { backoffMs, RESTART_BACKOFF } from '../core/backoff.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { decide, type KeptHistory } from './keep-decision.ts'
import { frontOf } from './front-channel.ts'
import type { ServerMessage } from './kept.ts'
import type { CommandContext } from './open-team.ts'
import { FRONT_VARIABLE, KEPT_VARIABLE } from './serve-options.ts'
import type { EndingSignal } from './signals.ts'

/** Resolves with the exit code of the last server. */
export async function keepServing({ io, report }: CommandContext): Promise<ExitCode> {
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
      server = startServer(io.env, port)
      const channelClosed = once(server, 'disconnect')
      server.on('message', (message) => {
        if (!isServerMessage(message)) return
        front?.tell(message)
        if (message.type !== 'serving') return
        port = Number(new URL(message.url).port)
        history = { ...history, hasServed: true }
      })
      await once(server, 'exit')
      await channelClosed // What it said last may come after its end.
      const code: ExitCode | null = server.exitCode
      if (ending.signal.aborted) return code ?? EXIT.failure
      const decision = decide(history, { code, livedMs: io.clock.monotonicMs() - startedMs })
      if (decision.action === 'stop') return code ?? EXIT.failure
      history = decision.history
      const reason = `the server ended (${code === null ? 'killed' : `exit code ${code}`}) and is started again`
      report.note(reason)
      front?.tell({ type: 'restarting', reason })
      if (decision.retry === 0) continue
      await sleep(backoffMs(RESTART_BACKOFF, decision.retry, Math.random), undefined, {
        signal: ending.signal,
      }).catch(
        () => undefined, // Asked to end while nothing ran.
      )
      if (ending.signal.aborted) return EXIT.ok
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
function startServer(env: CommandContext['io']['env'], formerPort: number): ChildProcess {
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
