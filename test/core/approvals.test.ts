import { describe, expect, test } from 'vitest'
import { type AskingSession, isOverdue, openApprovalsIn } from '../../src/core/approvals.ts'
import type { Approval } from '../../src/core/session-state.ts'
import { makeHeader } from '../fakes/headers.ts'

const NOW_MS = Date.parse('2026-01-01T12:00:00.000Z')

function question(approvalId: string, leftMs: number = 60_000): Approval {
  return {
    approvalId,
    turnId: 't',
    toolCallId: 'call',
    tool: 'shell',
    subject: 'npm publish',
    reason: 'no rule allows it',
    grant: { tool: 'shell' },
    askedAt: new Date(NOW_MS - 60_000).toISOString(),
    expiresAt: new Date(NOW_MS + leftMs).toISOString(),
  }
}

function asking(agentId: string, ...approvals: Approval[]): AskingSession {
  return { ...makeHeader({ agentId, status: 'active', approvals }), current: true }
}

function ids(...sessions: AskingSession[]): string[] {
  const team = { nowMs: NOW_MS, hasAgent: (id: string) => id !== 'gone' }
  return openApprovalsIn(sessions, team).map(({ approvalId }) => approvalId)
}

describe('the open questions', () => {
  test('are those of all sessions, oldest first, each with where it comes from', () => {
    const coder = asking('coder', question('3'), question('1'))
    expect(ids(coder, asking('docs', question('2')))).toEqual(['1', '2', '3'])
    const [first] = openApprovalsIn([coder], { nowMs: NOW_MS, hasAgent: () => true })
    expect(first).toEqual({
      ...question('1'),
      agentId: 'coder',
      sessionId: coder.id,
      sessionName: coder.name,
    })
  })

  test('are not those of a session that is not current or cannot be loaded', () => {
    expect(ids({ ...asking('coder', question('1')), current: false })).toEqual([])
    expect(ids({ ...asking('coder', question('1')), problem: { kind: 'damage' } })).toEqual([])
  })

  test('are not those of an agent that is gone', () => {
    expect(ids(asking('gone', question('1')), asking('coder', question('2')))).toEqual(['2'])
  })

  test('are not those whose time is over, from that very instant on', () => {
    expect(ids(asking('coder', question('1', 0), question('2', 1)))).toEqual(['2'])
    expect([isOverdue(question('1', 0), NOW_MS), isOverdue(question('1', 1), NOW_MS)]).toEqual([true, false])
  })
})
