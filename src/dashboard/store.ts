/**
 * Holds the dashboard's state and carries out what it wants.
 *
 * D1  inputs are applied in the order in which they were dispatched, each whole; an effect begins after the state that wanted it.
 * D2  listeners hear of a key at once, of everything else at most every FRAME_MS: a stream of events costs a frame, not a frame each.
 * D3  after `close` nothing is applied and nobody hears anything.
 */
import type { Clock, Timer } from '../core/clock.ts'
import type { Effect, Input } from './model/input.ts'
import type { DashboardState } from './model/state.ts'
import { update } from './model/update.ts'

const FRAME_MS = 33

export class DashboardStore {
  readonly #clock: Clock
  readonly #listeners = new Set<() => void>()
  readonly #queue: Input[] = []
  #state: DashboardState
  #run: (effect: Effect) => void = () => undefined
  #applying = false
  #closed = false
  #timer: Timer | undefined
  #lastMs = -Infinity

  constructor(state: DashboardState, clock: Clock) {
    this.#state = state
    this.#clock = clock
  }

  get state(): DashboardState {
    return this.#state
  }

  /** Who carries out effects. Called once for each, in order, and must not throw. */
  carryOutBy(run: (effect: Effect) => void): void {
    this.#run = run
  }

  dispatch(input: Input): void {
    if (this.#closed) return
    this.#queue.push(input)
    if (this.#applying) return // By an effect: after what is being applied.
    this.#applying = true
    let urgent = false
    const before = this.#state
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        const { state, effects } = update(this.#state, next)
        this.#state = state
        urgent ||= next.type === 'key' || next.type === 'paste' || next.type === 'resize'
        for (const effect of effects) this.#run(effect)
      }
    } finally {
      this.#applying = false
    }
    if (this.#state !== before && !this.#closed) this.#announce(urgent)
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true
    this.#queue.length = 0
    this.#timer?.cancel()
    this.#listeners.clear()
  }

  #announce(urgent: boolean): void {
    const sinceMs = this.#clock.monotonicMs() - this.#lastMs
    if (urgent || sinceMs >= FRAME_MS) {
      this.#timer?.cancel()
      this.#timer = undefined
      this.#lastMs = this.#clock.monotonicMs()
      for (const listener of this.#listeners) listener()
    } else {
      this.#timer ??= this.#clock.setTimer(FRAME_MS - sinceMs, () => {
        this.#timer = undefined
        this.#announce(true)
      })
    }
  }
}
