/** Sessions whose turn asks a person. */
import type { SessionInfo } from '../../src/api.ts'
import type { Approval } from '../../src/core/session-state.ts'
import { noUsage } from '../../src/core/usage.ts'
import { NOW_MS, session } from './fixtures.ts'

/** `name`: the last digits of its id, which is the later the higher it is. */
export function approval(name: string, changes: Partial<Approval> = {}): Approval {
  return {
    approvalId: `0199c0de-0000-7000-8000-${name.padStart(12, '0')}`,
    turnId: 't',
    toolCallId: `call-${name}`,
    tool: 'shell',
    subject: 'npm install left-pad',
    reason: 'no rule allows it',
    grant: { tool: 'shell', pattern: 'npm install *' },
    askedAt: new Date(NOW_MS - 30_000).toISOString(),
    expiresAt: new Date(NOW_MS + 270_000).toISOString(),
    ...changes,
  }
}

/** A session of the agent, its turn open. */
export function asking(id: string, agentId: string, ...approvals: Approval[]): SessionInfo {
  return session(id, agentId, {
    approvals,
    turn: {
      turnId: 't',
      taskId: 't',
      input: 'mend it',
      startedAt: new Date(NOW_MS - 60_000).toISOString(),
      attempt: 1,
      calls: [],
      steps: 1,
      usage: noUsage(),
      steered: [],
    },
  })
}

/** The same turn, asked for by another agent. */
export function askedFor(asked: SessionInfo, agentId: string): SessionInfo {
  if (asked.turn === null) throw new Error('a session without a turn asks nothing')
  return { ...asked, turn: { ...asked.turn, askedBy: { agentId, turnId: 'u', depth: 1 } } }
}
