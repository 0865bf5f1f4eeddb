/**
 * `agentry serve --keep`: a small process that starts the server, and starts it again when it dies.
 *
 * W1  a signal to end is passed on as SIGTERM, each once; the server's end is the end then.
 * W2  a server that refuses to start (what is asked for is wrong, or another one owns the directory) is not started again.
 * W3  every other end brings a new server: at once, or after a growing wait where one after the other lived only briefly.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { backoffMs, RESTART_BACKOFF } from '../core/backoff.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { CommandContext } from './open-team.ts'

/** A server that lived this long had started well: the waits begin anew. */
const WELL_MS = 10_000

const FINAL: ReadonlySet<ExitCode> = new Set([EXIT.ok, EXIT.usage, EXIT.notFound, EXIT.conflict])

/** Resolves with the exit code of the last server. */
export async function keepServing({ io, report }: CommandContext): Promise<ExitCode> {
  const ending = new AbortController()
  let server: ChildProcess | undefined
  const unsubscribe = io.onSignal(() => {
    ending.abort()
    server?.kill('SIGTERM')
  })
  try {
    for (let brief = 0; ;) {
      const startedMs = io.clock.monotonicMs()
      server = startServer(io.env)
      await once(server, 'exit')
      const code: ExitCode | null = server.exitCode
      if (ending.signal.aborted) return code ?? EXIT.failure
      if (code !== null && FINAL.has(code)) return code
      brief = io.clock.monotonicMs() - startedMs < WELL_MS ? brief + 1 : 0
      report.note(`the server ended (${code === null ? 'killed' : `exit code ${code}`}) and is started again`)
      if (brief < 2) continue
      await sleep(backoffMs(RESTART_BACKOFF, brief - 1, Math.random), undefined, {
        signal: ending.signal,
      }).catch(
        () => undefined, // Asked to end while nothing ran.
      )
      if (ending.signal.aborted) return EXIT.ok
    }
  } finally {
    unsubscribe()
  }
}

/** This command again, without --keep. In a group of its own: Ctrl-C in a terminal comes here alone, and is passed on (W1). */
function startServer(env: CommandContext['io']['env']): ChildProcess {
  const { execPath, execArgv, argv } = process
  const args = [...execArgv, ...argv.slice(1).filter((argument) => argument !== '--keep')]
  return spawn(execPath, args, { env: { ...env }, stdio: 'inherit', detached: true })
}
