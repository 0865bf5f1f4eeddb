/**
 * Time as a dependency: everything that waits or stamps takes a Clock, so that tests run on a simulated one.
 * `now` is wall time for stamps; `monotonicMs` is for durations and deadlines, it never goes back.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. May jump, in both directions. */
  now(): number
  /** Milliseconds since an arbitrary start. Never decreases. */
  monotonicMs(): number
  /** Calls back once after `delayMs`; the timer does not keep the process alive. */
  setTimer(delayMs: number, callback: () => void): Timer
}

export interface Timer {
  /** Idempotent; the callback is not called afterwards. */
  cancel(): void
}

/** The longest delay that setTimeout takes; it runs a longer one at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, callback) {
    let timer: NodeJS.Timeout
    const arm = (leftMs: number): void => {
      const stepMs = Math.min(leftMs, MAX_TIMEOUT_MS)
      timer = setTimeout(() => (leftMs > stepMs ? arm(leftMs - stepMs) : callback()), stepMs)
      timer.unref()
    }
    arm(delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
}

/** ISO 8601 in UTC with milliseconds: the one form of a time on disk and on the wire. */
export function isoTime(clock: Clock): string {
  return new Date(clock.now()).toISOString()
}
