/**
 * The signals that ask a command to end, while it has a team open.
 *
 * G1  The first one ends the command cleanly: the team is closed, or, for an interrupt, what the command has named instead is done.
 * G2  The second one ends the process immediately. Nothing acknowledged is lost by that.
 */
import { AgentryError } from '../errors.ts'
import type { CliIo } from './io.ts'

export type EndingSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/** A terminal sends Ctrl-C to every process in front, and one of them (npm) passes it on to its children: that counts as one. */
const SAME_SIGNAL_MS = 250

export interface Signals {
  /** The first signal, once one has come. */
  readonly received: EndingSignal | undefined
  /** Aborted with the first signal, before anything else is done about it. */
  readonly ending: AbortSignal
  /** What Ctrl-C is where a terminal sends it as a key. */
  interrupt(): void
  /** What ends the command from now on; called immediately if a signal has already come. */
  shutDownBy(shutDown: () => void): void
  /** Ends the command as a signal does. */
  shutDown(): void
  /** What an interrupt does from now on, in place of the shutdown. Back to that with undefined. */
  interruptBy(interrupt: (() => void) | undefined): void
  /** The error of a command that a signal has ended before it was done. */
  error(message: string, cause?: unknown): AgentryError
  /** Leaves signals to the process's defaults again. */
  release(): void
}

export function takeSignals(io: Pick<CliIo, 'clock' | 'onSignal' | 'forceExit'>): Signals {
  let received: { signal: EndingSignal; atMs: number } | undefined
  let shutDown: (() => void) | undefined
  let interrupt: (() => void) | undefined
  const ending = new AbortController()
  const receive = (signal: EndingSignal): void => {
    const nowMs = io.clock.monotonicMs()
    if (received === undefined) {
      received = { signal, atMs: nowMs }
      ending.abort()
      if (signal === 'SIGINT' && interrupt) interrupt()
      else shutDown?.()
    } else if (signal !== received.signal || nowMs - received.atMs >= SAME_SIGNAL_MS) {
      io.forceExit()
    }
  }
  const release = io.onSignal(receive)
  return {
    get received() {
      return received?.signal
    },
    ending: ending.signal,
    interrupt: () => receive('SIGINT'),
    shutDownBy(given) {
      shutDown = given
      if (received) given()
    },
    shutDown: () => shutDown?.(),
    interruptBy(given) {
      interrupt = given
    },
    error(message, cause) {
      return new AgentryError(codeOf(received?.signal), message, { cause })
    },
    release,
  }
}

function codeOf(signal: EndingSignal | undefined): 'cancelled' | 'interrupted' {
  return signal === 'SIGINT' ? 'cancelled' : 'interrupted'
}
