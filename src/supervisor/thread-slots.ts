import type { Clock, Timer } from '../core/clock.ts'
import { setDeadline } from '../core/deadline.ts'
import { AgentryError } from '../errors.ts'

/** The right to run one stay. */
export interface Slot {
  /** Idempotent. */
  release(): void
}

interface Waiter {
  grant(slot: Slot): void
  timer: Timer
}

/**
 * Shares the threads among the agents: at most `capacity` stays at once, the longest waiting agent first. When agents wait,
 * `onShortage` is called so that idle ones hibernate; who still waits after `timeoutMs` is told `no_thread`: nobody waits for ever.
 */
export class ThreadSlots {
  readonly #capacity: number
  readonly #timeoutMs: number
  readonly #clock: Clock
  readonly #onShortage: (missing: number) => void
  readonly #waiters: Waiter[] = []
  #used = 0

  constructor(options: {
    capacity: number
    timeoutMs: number
    clock: Clock
    /** Called with the number of waiting agents each time one starts to wait. */
    onShortage: (missing: number) => void
  }) {
    this.#capacity = options.capacity
    this.#timeoutMs = options.timeoutMs
    this.#clock = options.clock
    this.#onShortage = options.onShortage
  }

  get waiting(): number {
    return this.#waiters.length
  }

  /** Throws `no_thread`, or what `signal` was aborted with. */
  async acquire(signal: AbortSignal): Promise<Slot> {
    if (this.#used < this.#capacity) return this.#take()
    const { promise, resolve, reject } = Promise.withResolvers<Slot>()
    const giveUp = (error: unknown): void => {
      const index = this.#waiters.indexOf(waiter)
      if (index >= 0) this.#waiters.splice(index, 1)
      waiter.timer.cancel()
      reject(error)
    }
    const timer = setDeadline(this.#clock, this.#timeoutMs, () => {
      const message = `all ${this.#capacity} threads were busy for ${this.#timeoutMs} ms`
      giveUp(new AgentryError('no_thread', message))
    })
    const onAbort = () => giveUp(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    const waiter: Waiter = { grant: resolve, timer }
    this.#waiters.push(waiter)
    this.#onShortage(this.#waiters.length)
    return promise.finally(() => signal.removeEventListener('abort', onAbort))
  }

  #take(): Slot {
    this.#used += 1
    let held = true
    return {
      release: () => {
        if (!held) return
        held = false
        this.#used -= 1
        this.#grantNext()
      },
    }
  }

  #grantNext(): void {
    const waiter = this.#waiters.shift()
    if (waiter === undefined) return
    waiter.timer.cancel()
    waiter.grant(this.#take())
  }
}
