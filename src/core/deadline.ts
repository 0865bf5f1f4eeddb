import type { Clock, Timer } from './clock.ts'

/** A timer that comes later than this was held up: the process was stopped, or the machine slept. */
const LATE_MS = 1_000

/**
 * Calls back once, `ms` later. Where that comes late, this process stood still, and so did whoever was to meet the deadline: the time
 * begins anew.
 */
export function setDeadline(clock: Clock, ms: number, onMissed: () => void): Timer {
  let timer: Timer
  const arm = (): void => {
    const dueMs = clock.monotonicMs() + ms
    timer = clock.setTimer(ms, () => (clock.monotonicMs() > dueMs + LATE_MS ? arm() : onMissed()))
  }
  arm()
  return { cancel: () => timer.cancel() }
}

/** Resolves after `ms`, or at once when `signal` aborts. */
export async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const onAbort = (): void => resolve()
  const timer = clock.setTimer(ms, resolve)
  signal.addEventListener('abort', onAbort)
  await promise
  signal.removeEventListener('abort', onAbort)
  timer.cancel()
}

/** Rejects with the signal's reason as soon as it aborts; what was waited for goes on, and nobody hears of its failure then. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => undefined)
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(signal.reason)
  signal.addEventListener('abort', onAbort)
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
