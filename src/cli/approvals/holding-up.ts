/** Which open questions keep an agent from going on: its own, and those of the agents that it waits for. Pure. */
import type { ApprovalInfo, SessionInfo } from '../../api.ts'
import type { AskedBy } from '../../core/record.ts'

/** In the order of `approvals`. `sessions`: at least those with an unfinished turn. */
export function questionsHoldingUp(
  agentId: string,
  approvals: readonly ApprovalInfo[],
  sessions: readonly Pick<SessionInfo, 'agentId' | 'turn'>[],
): ApprovalInfo[] {
  const turns = new Map(
    sessions.flatMap(({ agentId: owner, turn }) =>
      turn === null ? [] : [[turn.turnId, { agentId: owner, askedBy: turn.askedBy }]],
    ),
  )
  /** A turn that is no longer open waits for nothing: the chain ends there. Nor does it go round: each step is seen once. */
  const leadsToAgent = (askedBy: AskedBy | undefined): boolean => {
    const seen = new Set<string>()
    let asking = askedBy
    while (asking !== undefined && !seen.has(asking.turnId)) {
      const turn = turns.get(asking.turnId)
      if (turn === undefined) return false
      if (turn.agentId === agentId) return true
      seen.add(asking.turnId)
      asking = turn.askedBy
    }
    return false
  }
  return approvals.filter((approval) => approval.agentId === agentId || leadsToAgent(approval.askedBy))
}
