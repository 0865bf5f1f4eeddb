/**
 * A clock that moves only when a test moves it.
 *
 * C1  timers fire in the order of their due times; of the same due time, in the order they were set.
 * C2  while a timer fires, both times stand at its due time: what it sets is counted from there.
 * C3  a timer set with no delay fires at the next advance, also advance(0), never inside setTimer.
 */
import { setImmediate as nextTick } from 'node:timers/promises'
import type { Clock, Timer } from '../../src/core/clock.ts'

interface Pending {
  dueMs: number
  callback: () => void
}

export class SimulatedClock implements Clock {
  #wallMs: number
  #monotonicMs = 0
  /** Sorted by due time; equal ones in the order they were set. */
  readonly #timers: Pending[] = []

  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#wallMs = startMs
  }

  now(): number {
    return this.#wallMs
  }

  monotonicMs(): number {
    return this.#monotonicMs
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const pending: Pending = { dueMs: this.#monotonicMs + Math.max(0, delayMs), callback }
    const later = this.#timers.findIndex((timer) => timer.dueMs > pending.dueMs)
    this.#timers.splice(later === -1 ? this.#timers.length : later, 0, pending)
    return {
      cancel: () => {
        const index = this.#timers.indexOf(pending)
        if (index !== -1) this.#timers.splice(index, 1)
      },
    }
  }

  /** Timers that are set and have not fired. */
  get timers(): number {
    return this.#timers.length
  }

  /** The delay until the next timer fires, in ms; undefined where none is set. */
  get nextDelayMs(): number | undefined {
    const next = this.#timers[0]
    return next && next.dueMs - this.#monotonicMs
  }

  /** Moves both times on by `ms` and fires what falls due on the way, timers that the fired ones set included. */
  advance(ms: number): void {
    const untilMs = this.#monotonicMs + ms
    for (let due = this.#takeDue(untilMs); due; due = this.#takeDue(untilMs)) due.callback()
    this.#moveTo(untilMs)
  }

  /** Like advance, and lets promises and ports settle before the first timer and after each. */
  async advanceAsync(ms: number): Promise<void> {
    const untilMs = this.#monotonicMs + ms
    await nextTick()
    for (let due = this.#takeDue(untilMs); due; due = this.#takeDue(untilMs)) {
      due.callback()
      await nextTick()
    }
    this.#moveTo(untilMs)
  }

  /** Sets the wall time by `ms`, back or forth, as an administrator does. Timers and monotonicMs do not notice. */
  jump(ms: number): void {
    this.#wallMs += ms
  }

  #takeDue(untilMs: number): Pending | undefined {
    const next = this.#timers[0]
    if (next === undefined || next.dueMs > untilMs) return undefined
    this.#timers.shift()
    this.#moveTo(next.dueMs)
    return next
  }

  #moveTo(monotonicMs: number): void {
    this.#wallMs += monotonicMs - this.#monotonicMs
    this.#monotonicMs = monotonicMs
  }
}
