/** Notices that a stream has fallen silent. */
import type { Clock, Timer } from '../../core/clock.ts'

export interface Silence {
  /** The longest wait for the first part of an answer, ms. */
  firstPartMs: number
  /** The longest wait between two parts, ms. */
  nextPartMs: number
}

/** A timer that came this much too late says that the process stood still, not that the stream did. */
const LATE_MS = 1_000

/**
 * Calls `onSilence` once, with the wait that was too long, unless stopped before. One timer for a whole stream: parts come
 * by the hundred each second, so a part only notes the time.
 */
export class Watchdog {
  readonly #clock: Clock
  readonly #onSilence: (waitedMs: number) => void
  readonly #silence: Silence
  #limitMs: number
  #lastAt: number
  #timer: Timer

  constructor(clock: Clock, silence: Silence, onSilence: (waitedMs: number) => void) {
    this.#clock = clock
    this.#silence = silence
    this.#onSilence = onSilence
    this.#limitMs = silence.firstPartMs
    this.#lastAt = clock.monotonicMs()
    this.#timer = this.#arm(this.#limitMs)
  }

  heard(): void {
    this.#lastAt = this.#clock.monotonicMs()
    if (this.#limitMs === this.#silence.nextPartMs) return
    this.#limitMs = this.#silence.nextPartMs
    this.#timer.cancel()
    this.#timer = this.#arm(this.#limitMs)
  }

  stop(): void {
    this.#timer.cancel()
  }

  #arm(delayMs: number): Timer {
    const dueAt = this.#clock.monotonicMs() + delayMs
    return this.#clock.setTimer(delayMs, () => {
      const now = this.#clock.monotonicMs()
      if (now - dueAt > LATE_MS) this.#lastAt = now
      const leftMs = this.#lastAt + this.#limitMs - now
      if (leftMs > 0) this.#timer = this.#arm(leftMs)
      else this.#onSilence(this.#limitMs)
    })
  }
}
