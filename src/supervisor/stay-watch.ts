/**
 * Watches one stay from outside its thread, where an endless loop cannot hide it.
 *
 * SW1  A thread that leaves MAX_MISSED_BEATS heartbeats unanswered is ended. Beats count only while the supervisor's own timer
 *      was on time.
 * SW2  A thread above its memory limit is ended, and so is one that gives no reading for READING_MS or longer while the process grows
 *      by more than the limit: a builtin that fills memory looks like that.
 */
import type { ResourceUsage } from '../api.ts'
import type { Clock } from '../core/clock.ts'
import type { Stay } from './agent-host.ts'

const MAX_MISSED_BEATS = 5
const READING_MS = 1_000
const MIB = 2 ** 20

export class StayWatch {
  readonly #stay: Stay
  readonly #clock: Clock
  readonly #memoryMb: number
  #missedBeats = 0
  #reading = false
  /** Memory of the process when the first of the readings began that are without an answer. */
  #rssAtSilence: number | undefined

  constructor(stay: Stay, clock: Clock, memoryMb: number) {
    this.#stay = stay
    this.#clock = clock
    this.#memoryMb = memoryMb
  }

  /** One heartbeat; call it about once a second. `onTime` is false where the caller's own timer was held up. */
  beat(onTime: boolean): void {
    if (!onTime) this.#missedBeats = 0
    if (this.#missedBeats >= MAX_MISSED_BEATS) {
      this.#stay.terminate(`did not answer ${MAX_MISSED_BEATS} heartbeats, one per second`)
      return
    }
    this.#missedBeats += 1
    this.#stay.send({ type: 'ping', id: 0 })
  }

  /** A heartbeat was answered. */
  answered(): void {
    this.#missedBeats = 0
  }

  /** Resolves with a reading; undefined where there is none, or one is under way already. */
  async readMemory(): Promise<ResourceUsage | undefined> {
    if (this.#reading) return undefined
    this.#reading = true
    this.#rssAtSilence ??= process.memoryUsage.rss()
    const { promise: timeout, resolve } = Promise.withResolvers<'timeout'>()
    const timer = this.#clock.setTimer(READING_MS, () => resolve('timeout'))
    try {
      const usage = await Promise.race([this.#stay.usage(), timeout])
      if (usage === 'timeout') {
        this.#endIfGrown(this.#rssAtSilence)
        return undefined
      }
      this.#rssAtSilence = undefined
      const usedMb = usage === undefined ? 0 : (usage.heapBytes + usage.externalBytes) / MIB
      if (usedMb > this.#memoryMb) {
        this.#stay.terminate(`used ${Math.round(usedMb)} MiB of memory, its limit is ${this.#memoryMb} MiB`)
      }
      return usage
    } finally {
      timer.cancel()
      this.#reading = false
    }
  }

  /** A builtin that only takes long is left to the heartbeat. */
  #endIfGrown(rssBefore: number): void {
    const grownBytes = process.memoryUsage.rss() - rssBefore
    if (grownBytes > this.#memoryMb * MIB) this.#stay.terminate('gave no reading while memory grew')
  }
}
