/** The open questions of all agents, as the catalog has them. */
import type { ApprovalInfo, SessionInfo } from '../api.ts'

/** The open questions in these sessions, oldest first. */
export function approvalsIn(sessions: Iterable<SessionInfo>): ApprovalInfo[] {
  const approvals: ApprovalInfo[] = []
  for (const { id: sessionId, agentId, name: sessionName, turn, ...session } of sessions) {
    for (const approval of session.approvals) {
      const askedBy = turn?.askedBy
      approvals.push({ ...approval, agentId, sessionId, sessionName, ...(askedBy && { askedBy }) })
    }
  }
  return approvals.sort((a, b) => (a.approvalId < b.approvalId ? -1 : 1))
}
