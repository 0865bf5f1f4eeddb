/** Exponential backoff with jitter. Pure. */
export interface Backoff {
  /** Delay before the first retry, in milliseconds. */
  firstMs: number
  /** No delay is longer than this, in milliseconds. */
  maxMs: number
  /** The part of the delay that is random: 0.2 means between 80% and 100% of the full delay. */
  jitter: number
}

export const RESTART_BACKOFF: Backoff = { firstMs: 200, maxMs: 5_000, jitter: 0.2 }

/**
 * The delay before retry number `attempt` (1 for the first): firstMs doubled for each earlier attempt, at most maxMs, less a
 * random part of at most `jitter`, so that many agents that failed together do not come back together.
 * `random` gives a number in [0, 1).
 */
export function backoffMs(backoff: Backoff, attempt: number, random: () => number): number {
  const full = Math.min(backoff.maxMs, backoff.firstMs * 2 ** Math.min(attempt - 1, 30))
  return Math.round(full * (1 - backoff.jitter * random()))
}
