/**
 * The turn under way, and who may end it before its time.
 *
 * RT1 The first who ends it wins: one that was cancelled is not left open by the stop that stands behind the cancel.
 * RT2 One that only waits can be left open at any instant, for another stay to go on with; one that works is interrupted.
 */
import type { Clock, Timer } from '../core/clock.ts'
import { AgentryError } from '../errors.ts'

export class RunningTurn {
  readonly turnId: string
  readonly #clock: Clock
  readonly #resumable: boolean
  readonly #abort = new AbortController()
  #waiting = false
  #leftOpen = false
  #grace: Timer | undefined

  constructor(turnId: string, clock: Clock, resumable: boolean) {
    this.turnId = turnId
    this.#clock = clock
    this.#resumable = resumable
  }

  get abort(): AbortController {
    return this.#abort
  }

  /** It was ended only to go on in another stay. */
  get isLeftOpen(): boolean {
    return this.#leftOpen
  }

  /** Whether it does nothing but wait, as it says itself or as is known better: an answer has come. */
  setWaiting(waiting: boolean): void {
    this.#waiting = waiting
  }

  /** Ends it, with the reason that its signal gives (RT1). */
  end(reason: AgentryError): void {
    this.#abort.abort(reason)
  }

  /** RT2: true where it is left open. */
  leaveOpen(): boolean {
    if (!this.#waiting || !this.#resumable || this.#abort.signal.aborted) return false
    this.#leftOpen = true
    this.end(new AgentryError('interrupted', 'the turn goes on in another stay'))
    return true
  }

  /** Ends it after `graceMs`, unless it is over by then. */
  interruptAfter(graceMs: number): void {
    const interrupt = (): void =>
      this.end(new AgentryError('interrupted', 'the agent was stopped during the turn'))
    if (graceMs <= 0) interrupt()
    else this.#grace ??= this.#clock.setTimer(graceMs, interrupt)
  }

  /** Call it when the turn is over. */
  close(): void {
    this.#grace?.cancel()
  }
}
