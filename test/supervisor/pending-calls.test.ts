import { describe, expect, test } from 'vitest'
import { AgentryError } from '../../src/errors.ts'
import type { Outcome } from '../../src/protocol/from-agent.ts'
import { PendingCalls, type Request } from '../../src/supervisor/pending-calls.ts'

const outcome = (turnId: string): Outcome => ({
  status: 'completed',
  result: '',
  turnId,
  taskId: turnId,
  agentId: 'a',
  sessionId: 's',
})

const message = (turnId: string, ack: 'accepted' | 'finished' = 'finished'): Request => ({
  type: 'message',
  message: { turnId, taskId: turnId, input: '' },
  ack,
})

class Caller {
  readonly calls = new PendingCalls()
  readonly log: string[] = []

  add(name: string, request: Request): number {
    const envelope = this.calls.add({
      request,
      resolve: (value) => this.log.push(`${name} resolved ${JSON.stringify(value)}`),
      reject: ({ code }) => this.log.push(`${name} rejected ${code}`),
      onEvent: ({ type }) => this.log.push(`${name} saw ${type}`),
    })
    if (!('id' in envelope)) throw new Error('expected an id')
    return envelope.id
  }
}

describe('a call', () => {
  test('is settled once: what comes after its answer is not for it', () => {
    const caller = new Caller()
    const id = caller.add('cancel', { type: 'cancel' })
    caller.calls.reply(id, true)
    caller.calls.reply(id, false)
    caller.calls.fail(id, { code: 'internal', message: '' })
    caller.calls.failAll(new AgentryError('agent_crashed', ''))
    expect(caller.log).toEqual(['cancel resolved true'])
    expect(caller.calls.size).toBe(0)
  })

  test('that waits for its turn is settled by its end; one that waits for the acceptance is not', () => {
    const caller = new Caller()
    caller.add('send', message('t'))
    const post = caller.add('post', message('t', 'accepted'))
    caller.add('other', message('u'))
    caller.calls.turnEvent('t', { type: 'turn-started', turnId: 't', sessionId: 's', attempt: 1 })
    caller.calls.turnEvent('t', { type: 'turn-finished', outcome: outcome('t') })
    expect(caller.log).toEqual([
      'send saw turn-started',
      'post saw turn-started',
      'send saw turn-finished',
      `send resolved ${JSON.stringify(outcome('t'))}`,
      'post saw turn-finished',
    ])
    caller.calls.reply(post, true)
    expect(caller.log.at(-1)).toBe('post resolved true')
    expect(caller.calls.size).toBe(1)
  })

  test('that joins another turn follows that one and not its own', () => {
    const caller = new Caller()
    const id = caller.add('joined', message('own'))
    caller.calls.join(id, 'first')
    caller.calls.turnEvent('own', { type: 'turn-finished', outcome: outcome('own') })
    expect(caller.log).toEqual([])
    caller.calls.turnEvent('first', { type: 'turn-finished', outcome: outcome('first') })
    expect(caller.log).toEqual([
      'joined saw turn-finished',
      `joined resolved ${JSON.stringify(outcome('first'))}`,
    ])
  })

  test('that is open when the stay ends gets the one cause', () => {
    const caller = new Caller()
    for (const name of ['a', 'b', 'c']) caller.add(name, message(name))
    caller.calls.failAll(new AgentryError('agent_crashed', 'gone'))
    expect(caller.log).toEqual(['a', 'b', 'c'].map((name) => `${name} rejected agent_crashed`))
    expect(caller.calls.size).toBe(0)
  })

  test('has an id of its own', () => {
    const caller = new Caller()
    expect(new Set(Array.from({ length: 100 }, () => caller.add('x', message('t')))).size).toBe(100)
  })
})
