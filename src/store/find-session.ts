/** Which session a person means by what they typed. Pure. */
import type { SessionInfo } from '../api.ts'
import { quote } from '../core/ids.ts'
import { AgentryError } from '../errors.ts'

/** Shorter prefixes of ids are not looked up: the ids of some weeks begin with the same characters. */
export const MIN_PREFIX_LENGTH = 4

/** How many candidates an ambiguous reference names in its message, and in its data. */
const SHOWN_CANDIDATES = 3
const MAX_CANDIDATES = 50

/**
 * The one session whose id begins with `reference` (MIN_PREFIX_LENGTH characters or more), or is it; else the one with that name.
 * With `agentId` the sessions of other agents do not exist. Candidates are named in the order of `sessions`.
 *
 * Throws `session_not_found`, or `session_ambiguous` with `data.candidates` and `data.count`.
 */
export function findSession(
  sessions: readonly SessionInfo[],
  reference: string,
  agentId?: string,
): SessionInfo {
  const reachable =
    agentId === undefined ? sessions : sessions.filter((session) => session.agentId === agentId)
  const byPrefix =
    reference.length < MIN_PREFIX_LENGTH
      ? []
      : reachable.filter((session) => session.id.startsWith(reference))
  const byName = reachable.filter((session) => session.name === reference)
  for (const found of [byPrefix, byName]) {
    if (found.length === 1 && found[0] !== undefined) return found[0]
  }
  const candidates = byName.length > 0 ? byName : byPrefix
  throw candidates.length > 0 ? ambiguous(reference, candidates) : notFound(reference, agentId)
}

/** `session_not_found` for a reference, or an id, that fits no session. */
export function notFound(reference: string, agentId?: string): AgentryError {
  const whose = agentId === undefined ? 'a session' : `a session of agent ${agentId}`
  const message =
    `expected the id, the beginning of the id (${MIN_PREFIX_LENGTH} characters or more) or the name of ${whose}, ` +
    `received ${quote(reference)}`
  return new AgentryError('session_not_found', message, {
    data: { reference, ...(agentId !== undefined && { agentId }) },
  })
}

function ambiguous(reference: string, candidates: readonly SessionInfo[]): AgentryError {
  const shown = candidates
    .slice(0, SHOWN_CANDIDATES)
    .map((session) => `${session.id} (${quote(session.name)} of ${session.agentId})`)
  const more = candidates.length - shown.length
  const list = shown.join(', ') + (more > 0 ? ` and ${more} more` : '')
  return new AgentryError(
    'session_ambiguous',
    `${quote(reference)} fits ${candidates.length} sessions: ${list}`,
    {
      data: {
        reference,
        count: candidates.length,
        candidates: candidates
          .slice(0, MAX_CANDIDATES)
          .map(({ id, name, agentId, status, lastAccessedAt }) => ({
            id,
            name,
            agentId,
            status,
            lastAccessedAt,
          })),
      },
    },
  )
}
