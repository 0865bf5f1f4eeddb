import { describe, expect, test } from 'vitest'
import { questionsHoldingUp } from '../../../src/cli/approvals/holding-up.ts'
import type { AskedBy } from '../../../src/core/record.ts'
import type { OpenTurn } from '../../../src/core/session-state.ts'
import { noUsage } from '../../../src/core/usage.ts'
import { approvalOf } from '../../fakes/approval.ts'

function openTurn(agentId: string, turnId: string, askedBy?: AskedBy): { agentId: string; turn: OpenTurn } {
  const turn = {
    turnId,
    taskId: turnId,
    input: '',
    startedAt: '',
    attempt: 1,
    calls: [],
    steps: 0,
    usage: noUsage(),
    steered: [],
  }
  return { agentId, turn: { ...turn, ...(askedBy && { askedBy }) } }
}

describe('what holds up an agent', () => {
  const sessions = [
    openTurn('lead', 't1'),
    openTurn('coder', 't2', { agentId: 'lead', turnId: 't1', depth: 1 }),
    openTurn('ops', 't3', { agentId: 'coder', turnId: 't2', depth: 2 }),
    { agentId: 'other', turn: null },
  ]
  const deep = approvalOf({
    agentId: 'ops',
    turnId: 't3',
    askedBy: { agentId: 'coder', turnId: 't2', depth: 2 },
  })

  test('is its own question, and that of an agent which was asked by one that it asked', () => {
    const own = approvalOf({ agentId: 'lead', turnId: 't1' })
    expect(questionsHoldingUp('lead', [own, deep], sessions)).toEqual([own, deep])
    expect(questionsHoldingUp('coder', [own, deep], sessions)).toEqual([deep])
  })

  test('is no question of an agent that works for somebody else, or for a turn that has ended', () => {
    const foreign = approvalOf({ agentId: 'other', turnId: 't4' })
    const late = approvalOf({ agentId: 'other', askedBy: { agentId: 'lead', turnId: 'ended', depth: 1 } })
    expect(questionsHoldingUp('lead', [foreign, late], sessions)).toEqual([])
    expect(questionsHoldingUp('other', [deep], sessions)).toEqual([])
  })

  test('is found also where turns ask each other in a ring', () => {
    const ring = [
      openTurn('a', 'ta', { agentId: 'b', turnId: 'tb', depth: 2 }),
      openTurn('b', 'tb', { agentId: 'a', turnId: 'ta', depth: 1 }),
    ]
    const asked = approvalOf({ agentId: 'c', askedBy: { agentId: 'a', turnId: 'ta', depth: 3 } })
    expect(questionsHoldingUp('b', [asked], ring)).toEqual([asked])
    expect(questionsHoldingUp('lead', [asked], ring)).toEqual([])
  })
})
