/** Which sessions a retention policy takes. Pure: the taking itself is a `trash` command to each session's agent. */
import type { SessionHeader } from '../core/session-state.ts'

export interface RetentionPolicy {
  /** Sessions not accessed for longer than this, in milliseconds. */
  maxAgeMs?: number
  /** Of the sessions that may be taken, keep this many per agent: the last accessed ones. */
  maxCount?: number
  /** Take suspended sessions too. Default: terminated ones only. An active session is never taken. */
  includeSuspended?: boolean
}

/**
 * The headers that the policy takes, oldest access first. With neither maxAgeMs nor maxCount it takes none.
 * A session with an unfinished turn or a queue is never taken.
 */
export function selectExpired<T extends Omit<SessionHeader, 'tasks'>>(
  sessions: readonly T[],
  policy: RetentionPolicy,
  nowMs: number,
): T[] {
  const { maxAgeMs, maxCount, includeSuspended = false } = policy
  const taken = new Set<T>()
  const eligible = sessions
    .filter(
      (session) => session.status === 'terminated' || (includeSuspended && session.status === 'suspended'),
    )
    .filter(
      (session) => session.turn === null && session.queue.length === 0 && session.trashedAt === undefined,
    )
    .sort((a, b) => accessed(b) - accessed(a) || (a.id < b.id ? 1 : -1))
  const kept = new Map<string, number>()
  for (const session of eligible) {
    const count = (kept.get(session.agentId) ?? 0) + 1
    kept.set(session.agentId, count)
    if (maxCount !== undefined && count > maxCount) taken.add(session)
    if (maxAgeMs !== undefined && nowMs - accessed(session) > maxAgeMs) taken.add(session)
  }
  return eligible.filter((session) => taken.has(session)).toReversed()
}

function accessed(session: Pick<SessionHeader, 'lastAccessedAt'>): number {
  return Date.parse(session.lastAccessedAt)
}
