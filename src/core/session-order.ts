/** The order in which people want sessions. Pure. */
import type { SessionHeader } from './session-state.ts'

/** Last accessed first, of those accessed at the same time the newer one. The stamps are ISO 8601 in UTC: they sort as text. */
export function byLastAccess(
  a: Pick<SessionHeader, 'lastAccessedAt' | 'id'>,
  b: Pick<SessionHeader, 'lastAccessedAt' | 'id'>,
): number {
  if (a.lastAccessedAt !== b.lastAccessedAt) return a.lastAccessedAt < b.lastAccessedAt ? 1 : -1
  return a.id < b.id ? 1 : -1
}

/** Of an agent's active sessions the first in this order is its current one: the last activated, at the same count the newer one. */
export function byActivation(
  a: Pick<SessionHeader, 'activation' | 'id'>,
  b: Pick<SessionHeader, 'activation' | 'id'>,
): number {
  return b.activation - a.activation || (a.id < b.id ? 1 : -1)
}
