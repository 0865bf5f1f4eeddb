import type { Clock, Timer } from '../core/clock.ts'

/** A time limit that stands still while it is paused. */
export class TurnClock {
  readonly #clock: Clock
  readonly #onEnd: () => void
  #leftMs: number
  #startedMs = 0
  #timer: Timer | undefined

  /** Runs at once; `onEnd` is called once, after `limitMs` of running. */
  constructor(clock: Clock, limitMs: number, onEnd: () => void) {
    this.#clock = clock
    this.#leftMs = limitMs
    this.#onEnd = onEnd
    this.run()
  }

  /** Idempotent. */
  run(): void {
    if (this.#timer) return
    this.#startedMs = this.#clock.monotonicMs()
    this.#timer = this.#clock.setTimer(this.#leftMs, this.#onEnd)
  }

  /** Idempotent. */
  pause(): void {
    if (this.#timer === undefined) return
    this.#timer.cancel()
    this.#timer = undefined
    this.#leftMs = Math.max(0, this.#leftMs - (this.#clock.monotonicMs() - this.#startedMs))
  }
}
