/**
 * When an agent whose thread ended is started again: OTP's supervisor terms, as a pure function over a history.
 * Source of the terms: Erlang/OTP `supervisor`, "Restart intensity and period".
 *
 * Reasoned as burst and sustained rate: 5 restarts in 60 s allows a burst of 5 and a sustained crash every 12 s; backoff
 * makes the burst last about 6 s, so that a cause that goes away by itself (a full disk, a busy port) is outlived.
 */
import { type Backoff, backoffMs, RESTART_BACKOFF } from './backoff.ts'

export const RESTART_TYPES = ['permanent', 'transient', 'temporary'] as const

export interface RestartPolicy {
  /** permanent: always. transient: after an abnormal end only. temporary: never. */
  type: (typeof RESTART_TYPES)[number]
  /** More restarts than this within `withinMs`, and the agent is `failed`. */
  maxRestarts: number
  withinMs: number
}

export const DEFAULT_RESTART: RestartPolicy = { type: 'permanent', maxRestarts: 5, withinMs: 60_000 }

/** normal: the thread ended by itself with exit code 0. Everything else that was not asked for is abnormal. */
export type EndKind = 'normal' | 'abnormal'

export type RestartDecision =
  | { action: 'restart'; delayMs: number; history: number[] }
  | { action: 'stop' }
  | { action: 'fail'; history: number[] }

/**
 * Decides what follows the end of a thread at `nowMs` (monotonic). `history` holds the times of the restarts so far, oldest
 * first; the decision carries the history to keep. The delay grows with the restarts still inside the window, so an agent
 * that has run well for `withinMs` starts again from the shortest delay.
 */
export function decideRestart(
  policy: RestartPolicy,
  history: readonly number[],
  end: EndKind,
  nowMs: number,
  random: () => number,
  backoff: Backoff = RESTART_BACKOFF,
): RestartDecision {
  if (policy.type === 'temporary' || (policy.type === 'transient' && end === 'normal'))
    return { action: 'stop' }
  const recent = history.filter((at) => nowMs - at < policy.withinMs)
  if (recent.length >= policy.maxRestarts) return { action: 'fail', history: recent }
  return {
    action: 'restart',
    delayMs: backoffMs(backoff, recent.length + 1, random),
    history: [...recent, nowMs],
  }
}
