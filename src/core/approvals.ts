/** Which questions to people are open: one answer for every list of them. Pure. */
import type { AskedBy } from './record.ts'
import type { Approval, SessionHeader } from './session-state.ts'

/** A question to a person, and where it comes from. */
export interface ApprovalInfo extends Approval {
  agentId: string
  sessionId: string
  sessionName: string
  /** Set where the turn was asked for by another agent's. */
  askedBy?: AskedBy
}

/** What of a session tells which questions are open in it. */
export interface AskingSession extends Pick<SessionHeader, 'id' | 'agentId' | 'name' | 'turn' | 'approvals'> {
  /** True for its agent's current session: the turn of another one does not go on until that is loaded. */
  current: boolean
  /** Set where the session cannot be loaded. */
  problem?: unknown
}

export interface AskingTeam {
  /** Wall clock, ms since 1970. */
  nowMs: number
  hasAgent: (agentId: string) => boolean
}

/**
 * The questions in these sessions that a person can answer, oldest first. Left out is what nobody waits for: questions of sessions that
 * are not current or cannot be loaded, of agents that are gone, and those whose time is over (their agent denies them when it next runs).
 */
export function openApprovalsIn(
  sessions: Iterable<AskingSession>,
  { nowMs, hasAgent }: AskingTeam,
): ApprovalInfo[] {
  return Iterator.from(sessions)
    .filter(
      ({ approvals, current, problem, agentId }) =>
        approvals.length > 0 && current && problem === undefined && hasAgent(agentId),
    )
    .flatMap(approvalsOf)
    .filter((approval) => !isOverdue(approval, nowMs))
    .toArray()
    .sort((a, b) => (a.approvalId < b.approvalId ? -1 : 1))
}

/** True from the instant on at which nobody may answer it any more. */
export function isOverdue({ expiresAt }: Pick<Approval, 'expiresAt'>, nowMs: number): boolean {
  return Date.parse(expiresAt) <= nowMs
}

function approvalsOf({ id, agentId, name, turn, approvals }: AskingSession): ApprovalInfo[] {
  const askedBy = turn?.askedBy
  const where = { agentId, sessionId: id, sessionName: name, ...(askedBy && { askedBy }) }
  return approvals.map((approval) => ({ ...approval, ...where }))
}
