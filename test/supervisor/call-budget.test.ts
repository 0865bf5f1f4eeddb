import { describe, expect, test } from 'vitest'
import { AgentryError } from '../../src/errors.ts'
import { CallBudget } from '../../src/supervisor/call-budget.ts'
import type { Call, Request } from '../../src/supervisor/pending-calls.ts'

const message = (input = ''): Request => ({
  type: 'message',
  message: { turnId: 't', taskId: 't', input },
  ack: 'finished',
})
const command: Request = { type: 'command', command: { name: 'save' }, cancelTurn: false }
const approval: Request = { type: 'approval', approvalId: 'q', decision: 'once' }

function budgetOf(limits: { maxCalls?: number; maxBytes?: number }): (request: Request) => Call | string {
  const budget = new CallBudget({ agentId: 'a', maxCalls: 10, maxBytes: 1_000, ...limits })
  return (request) => {
    const taken = budget.take({ request, resolve: () => undefined, reject: () => undefined })
    return 'full' in taken ? taken.full.code : taken.call
  }
}

describe('an agent that owes as many answers as it may', () => {
  test('takes answers to questions and cancels, and commands as far as those go', () => {
    const take = budgetOf({ maxCalls: 2 })
    take(message())
    take(message())
    expect(take(message())).toBe('mailbox_full')
    expect([take(approval), take({ type: 'cancel' }), take(command), take(command)]).not.toContain(
      'mailbox_full',
    )
    expect(take(command)).toBe('mailbox_full')
    expect(take(approval)).not.toBe('mailbox_full')
  })

  test.each(['resolved', 'rejected'])('takes one more for each that is %s', (way) => {
    const take = budgetOf({ maxCalls: 1 })
    const first = take(message())
    expect(take(message())).toBe('mailbox_full')
    if (typeof first === 'string') throw new Error(first)
    if (way === 'resolved') first.resolve(undefined)
    else first.reject(new AgentryError('agent_crashed', 'gone'))
    expect(take(message())).not.toBe('mailbox_full')
  })

  test('counts bytes too, of messages alone; a message that comes alone is taken', () => {
    const take = budgetOf({ maxBytes: 10 })
    const first = take(message('x'.repeat(20)))
    expect(take(message('x'))).toBe('mailbox_full')
    expect(take(command)).not.toBe('mailbox_full')
    if (typeof first === 'string') throw new Error(first)
    first.resolve(undefined)
    expect(take(message('x'.repeat(6)))).not.toBe('mailbox_full')
    expect(take(message('x'.repeat(4)))).not.toBe('mailbox_full')
    expect(take(message('x'))).toBe('mailbox_full')
  })
})
