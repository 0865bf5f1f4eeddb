import { SimulatedClock } from './simulated-clock.ts'

/** Time can pass on it without any timer firing: a process that was stopped and continued, a laptop that slept. */
export class LeapingClock extends SimulatedClock {
  #leaptMs = 0

  leap(ms: number): void {
    this.#leaptMs += ms
  }

  override monotonicMs(): number {
    return super.monotonicMs() + this.#leaptMs
  }
}
