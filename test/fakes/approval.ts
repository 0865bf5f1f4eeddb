/** An open question of an agent. */
import type { ApprovalInfo } from '../../src/api.ts'
import { createId } from '../../src/core/ids.ts'

export function approvalOf(fields: Partial<ApprovalInfo> = {}): ApprovalInfo {
  return {
    approvalId: createId(),
    turnId: createId(),
    toolCallId: 'call-1',
    tool: 'shell',
    subject: 'npm publish',
    reason: 'no rule allows it',
    grant: { tool: 'shell', pattern: 'npm *' },
    askedAt: '2026-01-01T00:00:00.000Z',
    expiresAt: '2026-01-01T01:00:00.000Z',
    agentId: 'ops',
    sessionId: createId(),
    sessionName: 'work',
    ...fields,
  }
}
