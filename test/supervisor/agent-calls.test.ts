import { describe, expect, test } from 'vitest'
import { AgentryError } from '../../src/errors.ts'
import type { Outcome } from '../../src/protocol/from-agent.ts'
import type { ToAgent } from '../../src/protocol/to-agent.ts'
import { AgentCalls } from '../../src/supervisor/agent-calls.ts'
import type { Call, Request } from '../../src/supervisor/pending-calls.ts'

const message = (turnId: string, ack: 'accepted' | 'finished' = 'finished'): Request => ({
  type: 'message',
  message: { turnId, taskId: turnId, input: '' },
  ack,
})

const outcome = (turnId: string): Outcome => ({
  status: 'completed',
  result: '',
  turnId,
  taskId: turnId,
  agentId: 'a',
  sessionId: 's',
})

/** What a stay was sent: the turnId of a message, else the type. */
class Receiver {
  readonly received: string[] = []
  #ids = new Map<string, number>()

  send(envelope: ToAgent): void {
    const name = envelope.type === 'message' ? envelope.message.turnId : envelope.type
    this.received.push(name)
    if ('id' in envelope) this.#ids.set(name, envelope.id)
  }

  idOf(name: string): number {
    const id = this.#ids.get(name)
    if (id === undefined) throw new Error(`${name} was not sent`)
    return id
  }
}

class Agent {
  readonly log: string[] = []
  /** Turns whose messages are answered from elsewhere on their way. */
  readonly recorded = new Set<string>()
  readonly calls = new AgentCalls({
    agentId: 'a',
    maxCalls: 5,
    maxBytes: 1_000,
    intercept: (call) => {
      const { request } = call
      const known = request.type === 'message' && this.recorded.has(request.message.turnId)
      if (known) call.resolve('from the record')
      return known
    },
  })

  /** A call as it was taken, or undefined where it was refused. */
  take(name: string, request: Request = message(name), signal?: AbortSignal): Call | undefined {
    return this.calls.take({
      request,
      resolve: () => this.log.push(`${name} resolved`),
      reject: ({ code }) => this.log.push(`${name} ${code}`),
      onEvent: ({ type }) => this.log.push(`${name} saw ${type}`),
      ...(signal && { signal }),
    })
  }

  send(stay: Receiver, ...taken: Parameters<Agent['take']>): boolean {
    const call = this.take(...taken)
    if (call === undefined) throw new Error('was not taken')
    return this.calls.send(stay, call)
  }

  wait(...taken: Parameters<Agent['take']>): void {
    const call = this.take(...taken)
    if (call === undefined) throw new Error('was not taken')
    this.calls.wait(call)
  }

  finish(turnId: string): void {
    this.calls.report({
      type: 'turn-event',
      sessionId: 's',
      turnId,
      event: { type: 'turn-finished', outcome: outcome(turnId) },
    })
  }
}

const stopped = new AgentryError('agent_stopped', '')
const crashed = new AgentryError('agent_crashed', '')

describe('a call that waits for a stay', () => {
  test('is sent in the order in which it came, whatever became of the stay before', () => {
    const agent = new Agent()
    agent.send(new Receiver(), 'sent')
    for (const name of ['one', 'two', 'three']) agent.wait(name)
    agent.calls.failSent(crashed)
    expect(agent.log).toEqual(['sent agent_crashed'])
    const stay = new Receiver()
    expect(agent.calls.sendWaiting(stay)).toBe(true)
    expect(stay.received).toEqual(['one', 'two', 'three'])
    expect([agent.calls.waiting, agent.calls.sent, agent.calls.size]).toEqual([0, 3, 3])
  })

  test('is not sent where it was answered on its way, and those behind it are', () => {
    const agent = new Agent()
    for (const name of ['known', 'new']) agent.wait(name)
    agent.recorded.add('known')
    const stay = new Receiver()
    expect(agent.calls.sendWaiting(stay)).toBe(false)
    expect(stay.received).toEqual(['new'])
    expect(agent.log).toEqual(['known resolved'])
    expect(agent.calls.size).toBe(1)
  })

  test('fails when its stay does not come up', () => {
    const agent = new Agent()
    agent.wait('one')
    agent.calls.failWaiting(crashed)
    expect(agent.log).toEqual(['one agent_crashed'])
    const stay = new Receiver()
    agent.calls.sendWaiting(stay)
    expect(stay.received).toEqual([])
  })

  test('is sent although nobody waits for it any more: its message is recorded nowhere', () => {
    const agent = new Agent()
    const caller = new AbortController()
    agent.wait('one', message('one'), caller.signal)
    caller.abort()
    agent.calls.dropAbandoned()
    const stay = new Receiver()
    agent.calls.sendWaiting(stay)
    expect(stay.received).toEqual(['one'])
    expect(agent.log).toEqual([])
  })
})

describe('a stay that gives its thread back', () => {
  /** Two turns are open, an acceptance and a cancel are not answered. */
  function parked(): { agent: Agent; caller: AbortController } {
    const agent = new Agent()
    const caller = new AbortController()
    const stay = new Receiver()
    agent.send(stay, 'first', message('first'), caller.signal)
    agent.send(stay, 'accepted', message('accepted', 'accepted'))
    agent.send(stay, 'cancel', { type: 'cancel' })
    agent.send(stay, 'second')
    agent.wait('later')
    agent.calls.park(stopped)
    return { agent, caller }
  }

  test('leaves the calls that wait for its turns to the next one, and fails the others', () => {
    const { agent } = parked()
    expect(agent.log).toEqual(['accepted agent_stopped', 'cancel agent_stopped'])
    expect([agent.calls.sent, agent.calls.waiting, agent.calls.size]).toEqual([0, 1, 3])
    agent.finish('first') // of the last stay: it does not owe it any more
    expect(agent.log).toHaveLength(2)

    const next = new Receiver()
    agent.calls.sendParked(next)
    agent.calls.sendWaiting(next)
    expect(next.received).toEqual(['first', 'second', 'later'])
    agent.finish('first')
    agent.finish('second')
    expect(agent.log.slice(2)).toEqual([
      'first saw turn-finished',
      'first resolved',
      'second saw turn-finished',
      'second resolved',
    ])
  })

  test('parks them for as many stays as it takes', () => {
    const { agent } = parked()
    for (let stay = 0; stay < 3; stay++) {
      const next = new Receiver()
      agent.calls.sendParked(next)
      expect(next.received).toEqual(['first', 'second'])
      agent.calls.park(stopped)
    }
    expect(agent.log).toHaveLength(2)
  })

  test('has them sent without a look whether they are answered: their turns are open', () => {
    const { agent } = parked()
    agent.recorded.add('first')
    const next = new Receiver()
    agent.calls.sendParked(next)
    expect(next.received).toEqual(['first', 'second'])
  })

  test('has them kept when the next one does not come up, and when that one crashes they fail', () => {
    const { agent } = parked()
    agent.calls.failSent(crashed)
    agent.calls.failWaiting(crashed)
    expect(agent.log.slice(2)).toEqual(['later agent_crashed'])
    const next = new Receiver()
    agent.calls.sendParked(next)
    agent.calls.failSent(crashed)
    expect(agent.log.slice(3)).toEqual(['first agent_crashed', 'second agent_crashed'])
    expect(agent.calls.size).toBe(0)
  })

  test('has those let go of that nobody waits for, before and after', () => {
    const { agent, caller } = parked()
    caller.abort()
    agent.calls.dropAbandoned()
    expect(agent.log.slice(2)).toEqual(['first cancelled'])
    const next = new Receiver()
    agent.calls.sendParked(next)
    expect(next.received).toEqual(['second'])

    const gone = new AbortController()
    agent.send(next, 'third', message('third'), gone.signal)
    gone.abort()
    agent.calls.dropAbandoned()
    expect(agent.log.slice(3)).toEqual([])
    agent.calls.park(stopped)
    expect(agent.log.slice(3)).toEqual(['third cancelled'])
  })

  test('has them failed, before those that wait, where no other stay comes', () => {
    const { agent } = parked()
    agent.calls.failUnsent(stopped)
    expect(agent.log.slice(2)).toEqual(['first agent_stopped', 'second agent_stopped', 'later agent_stopped'])
    expect(agent.calls.size).toBe(0)
    const next = new Receiver()
    agent.calls.sendParked(next)
    agent.calls.sendWaiting(next)
    expect(next.received).toEqual([])
  })
})

describe('an agent', () => {
  test('owes only the end of turns while all that was sent are messages that wait for one', () => {
    const agent = new Agent()
    const stay = new Receiver()
    agent.send(stay, 'one')
    expect(agent.calls.onlyTurnsSent).toBe(true)
    agent.send(stay, 'cancel', { type: 'cancel' })
    expect(agent.calls.onlyTurnsSent).toBe(false)
    agent.calls.report({ type: 'reply', id: stay.idOf('cancel'), value: true })
    expect(agent.calls.onlyTurnsSent).toBe(true)
  })

  test('refuses a call for which it has no room; sent, waiting and parked ones take room until they are settled', () => {
    const agent = new Agent()
    const stay = new Receiver()
    for (const name of ['parked one', 'parked two']) agent.send(stay, name)
    agent.calls.park(stopped)
    for (const name of ['sent one', 'sent two']) agent.send(stay, name)
    agent.wait('waiting')
    expect(agent.take('more')).toBeUndefined()
    expect(agent.log).toEqual(['more mailbox_full'])
    expect(agent.calls.size).toBe(5)
    agent.finish('sent one')
    expect(agent.take('one more')).toBeDefined()
    expect(agent.take('too many')).toBeUndefined()
  })

  test('has a call that joins a turn of another answered by that one, and let go of where nobody waits', () => {
    const agent = new Agent()
    const stay = new Receiver()
    const caller = new AbortController()
    agent.send(stay, 'begins')
    agent.send(stay, 'joins')
    agent.send(stay, 'leaves', message('leaves'), caller.signal)
    caller.abort()
    for (const name of ['joins', 'leaves']) {
      agent.calls.report({ type: 'joined', id: stay.idOf(name), turnId: 'begins' })
    }
    expect(agent.log).toEqual(['leaves cancelled'])
    agent.finish('begins')
    expect(agent.log.filter((line) => line.endsWith('resolved'))).toEqual([
      'begins resolved',
      'joins resolved',
    ])
    expect(agent.calls.size).toBe(0)
  })

  test('has a call that was taken in by another turn told of that one too, and answered by its own', () => {
    const agent = new Agent()
    const stay = new Receiver()
    agent.send(stay, 'steers')
    agent.calls.report({ type: 'following', id: stay.idOf('steers'), turnId: 'running' })
    const event = { type: 'turn-started', turnId: 'running', sessionId: 's', attempt: 1 } as const
    agent.calls.report({ type: 'turn-event', sessionId: 's', turnId: 'running', event })
    agent.finish('running')
    expect(agent.log).toEqual(['steers saw turn-started'])
    agent.finish('steers')
    expect(agent.log).toContain('steers resolved')
  })

  test('has a call failed by what the stay says', () => {
    const agent = new Agent()
    const stay = new Receiver()
    agent.send(stay, 'one')
    agent.calls.report({
      type: 'failure',
      id: stay.idOf('one'),
      error: { code: 'session_terminated', message: '' },
    })
    expect(agent.log).toEqual(['one session_terminated'])
  })
})
