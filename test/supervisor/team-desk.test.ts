/** Questions between agents (TD1 to TD5), each agent played by a gate that the test opens. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { AskedQuestion } from '../../src/core/asked.ts'
import type { OpenTurn } from '../../src/core/session-state.ts'
import { noUsage } from '../../src/core/usage.ts'
import { AgentryError, type ErrorCode } from '../../src/errors.ts'
import type { Outcome } from '../../src/protocol/from-agent.ts'
import type { TeamAnswer } from '../../src/protocol/team-requests.ts'
import type { OutgoingMessage } from '../../src/supervisor/message-router.ts'
import { TeamDesk } from '../../src/supervisor/team-desk.ts'

interface Sent {
  to: string
  message: OutgoingMessage
  gate: PromiseWithResolvers<Outcome>
}

/** The turn of `agentId` that has put these questions, none of which has a recorded answer. */
function turnOf(agentId: string, asked: readonly AskedQuestion[]): OpenTurn {
  return {
    turnId: `turn of ${agentId}`,
    taskId: `task of ${agentId}`,
    input: '',
    startedAt: '',
    attempt: 1,
    steps: 0,
    usage: noUsage(),
    steered: [],
    calls: asked.map((question) => ({
      toolCallId: question.taskId,
      name: 'ask_agent',
      state: 'running',
      asked: question,
    })),
  }
}

class Office {
  readonly sent: Sent[] = []
  readonly withdrawn: string[] = []
  readonly faults: string[] = []
  readonly finished = new Set<string>()
  readonly turns = new Map<string, OpenTurn>()
  withdrawal: Promise<unknown> = Promise.resolve()
  readonly desk: TeamDesk

  constructor() {
    this.desk = new TeamDesk({
      send: (to, message) => {
        const gate = Promise.withResolvers<Outcome>()
        this.sent.push({ to, message, gate })
        return gate.promise
      },
      withdraw: ({ agentId, taskId }) => {
        this.withdrawn.push(`${taskId} at ${agentId}`)
        return this.withdrawal
      },
      questionsOf: (agentId) =>
        (this.turns.get(agentId)?.calls ?? []).flatMap(({ asked }) => (asked ? [asked] : [])),
      isFinished: (taskId) => this.finished.has(taskId),
      teammates: () => [],
      usage: () => noUsage(),
      onFault: (message) => this.faults.push(message),
    })
  }

  /** `from` has recorded its question, and asks; what it is answered is added to the list that comes back. */
  ask(from: string, to: string, { taskId = `${from}-${to}`, depth = 1 } = {}): TeamAnswer[] {
    const others = (this.turns.get(from)?.calls ?? []).flatMap(({ asked }) => asked ?? [])
    const asked = others.filter((question) => question.taskId !== taskId)
    const turn = turnOf(from, [...asked, { agentId: to, taskId }])
    this.turns.set(from, turn)
    const answers: TeamAnswer[] = []
    const askedBy = { agentId: from, turnId: turn.turnId, depth }
    this.desk.answer(from, { name: 'ask', agentId: to, taskId, input: 'hello', askedBy }, (answer) =>
      answers.push(answer),
    )
    return answers
  }

  /** The turn of `agentId` ends, as it is recorded. */
  end(agentId: string): void {
    const turn = this.turns.get(agentId)
    if (turn === undefined) throw new Error(`agent ${agentId} has no turn`)
    this.turns.delete(agentId)
    this.desk.turnEnded(agentId, turn)
  }

  last(): Sent {
    const last = this.sent.at(-1)
    if (last === undefined) throw new Error('nothing was sent')
    return last
  }

  async finish(sent = this.last()): Promise<Outcome> {
    const { to, message } = sent
    const taskId = message.options.taskId ?? ''
    const outcome: Outcome = {
      status: 'completed',
      result: 'yes',
      turnId: taskId,
      taskId,
      agentId: to,
      sessionId: 's',
    }
    sent.gate.resolve(outcome)
    await nextTurn()
    return outcome
  }

  async fail(code: ErrorCode, sent = this.last()): Promise<void> {
    sent.gate.reject(new AgentryError(code, `it is ${code}`))
    await nextTurn()
  }
}

const codes = (answers: TeamAnswer[]): string[] =>
  answers.map((answer) => ('error' in answer ? answer.error.code : 'answered'))

describe('a question', () => {
  test('is sent under the task of its asker, as the turn of that very id, and answered with the outcome', async () => {
    const office = new Office()
    const answers = office.ask('a', 'b')
    expect(office.sent).toMatchObject([
      { to: 'b', message: { turnId: 'a-b', ack: 'finished', options: { taskId: 'a-b', from: 'a' } } },
    ])
    const outcome = await office.finish()
    expect(answers).toEqual([{ value: outcome }])
    expect(office.withdrawn).toEqual([])
  })

  test('asked again is not put again: who asked last is answered, and at once where the answer is there', async () => {
    const office = new Office()
    const first = office.ask('a', 'b')
    const second = office.ask('a', 'b')
    await office.finish()
    expect([first.length, second.length]).toEqual([0, 1])
    expect(office.ask('a', 'b')).toEqual(second)
    expect(office.sent).toHaveLength(1)
  })

  test('is sent again, under the same ids, where its agent crashed or got no thread; not for ever', async () => {
    const office = new Office()
    const answers = office.ask('a', 'b')
    for (let tries = 1; tries < 10; tries++) await office.fail(tries % 2 ? 'agent_crashed' : 'no_thread')
    expect(office.sent).toHaveLength(10)
    expect(new Set(office.sent.map(({ message }) => message.turnId))).toEqual(new Set(['a-b']))
    await office.fail('agent_crashed')
    expect(office.sent).toHaveLength(10)
    expect(codes(answers)).toEqual(['agent_crashed'])
  })

  test.each(['agent_stopped', 'agent_failed', 'agent_not_found', 'mailbox_full'] as const)(
    'that ends by %s is answered with that, and withdrawn where it may have been left open',
    async (code) => {
      const office = new Office()
      const answers = office.ask('a', 'b')
      await office.fail(code)
      expect(codes(answers)).toEqual([code])
      expect(office.withdrawn).toEqual(['a-b at b'])
    },
  )

  test('that could not be withdrawn is reported', async () => {
    const office = new Office()
    office.withdrawal = Promise.reject(new Error('no room'))
    office.ask('a', 'b')
    office.end('a')
    await nextTurn()
    expect(office.faults).toEqual([
      expect.stringMatching(/question a-b.* could not be cancelled at agent b: .*no room/),
    ])
  })
})

describe('a question is refused', () => {
  test('to oneself, and where a ring would close, however long', () => {
    const office = new Office()
    expect(codes(office.ask('a', 'a'))).toEqual(['ask_refused'])
    const ring = new Office()
    ring.ask('a', 'b')
    ring.ask('b', 'c')
    ring.ask('b', 'd')
    ring.ask('d', 'e')
    const [refused] = ring.ask('e', 'a')
    expect(refused).toMatchObject({
      error: {
        code: 'ask_refused',
        message: 'agent e cannot ask a: a waits for b waits for d waits for e: nobody could go on',
      },
    })
    expect(ring.sent.map(({ to }) => to)).toEqual(['b', 'c', 'd', 'e'])
  })

  test('where it would hang on too many others; the deepest that may is put', () => {
    const office = new Office()
    expect(office.ask('a', 'b', { depth: 8 })).toEqual([])
    expect(codes(office.ask('b', 'c', { depth: 9 }))).toEqual(['ask_refused'])
  })

  test('by what is recorded, where nobody has asked again since a restart', () => {
    const office = new Office()
    office.turns.set('a', turnOf('a', [{ agentId: 'b', taskId: 'old' }]))
    expect(codes(office.ask('b', 'a'))).toEqual(['ask_refused'])
    office.finished.add('old')
    expect(office.ask('b', 'a', { taskId: 'another' })).toEqual([])
  })

  test('not because of one that was refused or answered already', async () => {
    const office = new Office()
    office.turns.set('b', turnOf('b', [{ agentId: 'a', taskId: 'b-a' }]))
    // Both have recorded their question when the first of them is looked at.
    expect(codes(office.ask('a', 'b'))).toEqual(['ask_refused'])
    expect(office.ask('b', 'a')).toEqual([])
    await office.finish()
    expect(office.ask('a', 'b', { taskId: 'next' })).toEqual([])
  })

  test('not because of a turn that has ended', () => {
    const office = new Office()
    office.ask('a', 'b')
    office.end('a')
    expect(office.ask('b', 'a')).toEqual([])
  })
})

describe('the end of the asking turn', () => {
  test('withdraws what has no answer, once, and nothing else', async () => {
    const office = new Office()
    office.ask('a', 'b')
    await office.finish()
    office.ask('a', 'c')
    office.ask('d', 'c')
    const turn = office.turns.get('a') ?? turnOf('a', [])
    office.end('a')
    expect(office.withdrawn).toEqual(['a-c at c'])
    await office.fail('cancelled', office.sent[1])
    expect(office.withdrawn).toEqual(['a-c at c'])
    office.desk.turnEnded('a', { ...turn, calls: [] })
    expect(office.withdrawn).toEqual(['a-c at c'])
  })

  test('withdraws what the last supervisor asked for it', () => {
    const office = new Office()
    office.desk.turnEnded('a', turnOf('a', [{ agentId: 'b', taskId: 'old' }]))
    expect(office.withdrawn).toEqual(['old at b'])
  })

  test('keeps a question from being sent again that its agent crashed with', async () => {
    const office = new Office()
    const answers = office.ask('a', 'b')
    office.end('a')
    await office.fail('agent_crashed')
    expect(office.sent).toHaveLength(1)
    expect(answers).toEqual([])
    expect(office.withdrawn).toEqual(['a-b at b'])
  })
})

describe('a start', () => {
  test('withdraws the questions whose asker does not wait any more, or does not exist', () => {
    const office = new Office()
    const asked = (taskId: string, from: string) => ({
      taskId,
      askedBy: { agentId: from, turnId: `turn of ${from}`, depth: 1 },
    })
    office.desk.withdrawForgotten([
      { agentId: 'a', turn: turnOf('a', [{ agentId: 'b', taskId: 'wanted' }]), queue: [], registered: true },
      {
        agentId: 'gone',
        turn: turnOf('gone', [{ agentId: 'b', taskId: 'of one that is gone' }]),
        queue: [],
        registered: false,
      },
      {
        agentId: 'b',
        turn: { ...turnOf('b', []), ...asked('forgotten', 'a') },
        queue: [asked('wanted', 'a'), asked('of one that is gone', 'gone'), { taskId: 'a message' }],
        registered: true,
      },
    ])
    expect(office.withdrawn).toEqual(['forgotten at b', 'of one that is gone at b'])
  })
})

describe('a desk that is closed', () => {
  test('answers and withdraws no question: it is asked again by the next stay of its asker', async () => {
    const office = new Office()
    const before = office.ask('a', 'b')
    office.desk.close()
    await office.fail('agent_stopped')
    const after = office.ask('c', 'd')
    office.end('a')
    expect([...before, ...after]).toEqual([])
    expect(office.sent).toHaveLength(1)
    expect(office.withdrawn).toEqual([])
  })
})
