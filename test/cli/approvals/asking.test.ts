import { describe, expect, test } from 'vitest'
import type { ApprovalInfo } from '../../../src/api.ts'
import type { EndingSignal } from '../../../src/cli/signals.ts'
import { approvalOf } from '../../fakes/approval.ts'
import { SimulatedClock } from '../../fakes/simulated-clock.ts'
import { createFakeTeam, type FakeTeam, type FakeTurn } from '../../fakes/team.ts'
import { createTextSink } from '../text-sink.ts'
import { type CliRun, createCli } from '../harness.ts'
import { FakeTerminal } from './fake-terminal.ts'

interface Asking {
  fake: FakeTeam
  turn: FakeTurn
  terminal: FakeTerminal
  clock: SimulatedClock
  done: Promise<CliRun>
  signal: (signal: EndingSignal) => void
  shown: () => string
  /** The turn asks, and the question stands on the terminal with its keys. */
  ask: (fields?: Partial<ApprovalInfo>) => Promise<ApprovalInfo>
}

/** `agentry send ops hello` at a terminal, in front of a turn that has started. */
async function startAsking(): Promise<Asking> {
  const fake = createFakeTeam('ops')
  const clock = new SimulatedClock()
  const terminal = new FakeTerminal()
  const screen = createTextSink(true)
  let listener: ((signal: EndingSignal) => void) | undefined
  const cli = createCli({
    createTeam: async () => fake.team,
    clock,
    terminal: terminal.asTerminal(),
    stdout: screen,
    stderr: screen,
    env: { NO_COLOR: '1' },
    onSignal(added) {
      listener = added
      return () => undefined
    },
  })
  const done = cli.run('send', 'ops', 'hello')
  const turn = await fake.nextTurn()
  turn.start()
  return {
    fake,
    turn,
    terminal,
    clock,
    done,
    signal: (signal) => listener?.(signal),
    shown: () => screen.text(),
    async ask(fields) {
      const approval = approvalOf({ turnId: turn.turnId, ...fields })
      fake.approvals.push(approval)
      turn.event({ type: 'approval-asked', approval })
      await expect.poll(() => terminal.reads).toBe(true)
      clock.advance(100)
      return approval
    },
  }
}

describe('a question of a turn, at a terminal', () => {
  test.each([
    ['y', 'once', 'allowed once'],
    ['a', 'session', 'allowed for the rest of the session'],
    ['n', 'deny', 'denied'],
  ] as const)('is answered by %s with %s', async (key, decision, words) => {
    const { fake, turn, terminal, done, shown, ask } = await startAsking()
    const { approvalId } = await ask()
    expect(shown()).toContain('? ops asks for shell: npm publish\n  why      no rule allows it\n')
    expect(shown()).toMatch(/\[y\]es once \/ \[a\]lways this session \/ \[n\]o $/)
    terminal.type(key)
    await expect.poll(() => fake.answers).toEqual([{ approvalId, decision }])
    const by = 'person' as const
    turn.event({ type: 'approval-answered', approvalId, toolCallId: 'call-1', decision, by })
    turn.finish({ result: 'done\n' })
    expect((await done).code).toBe(0)
    expect(shown()).toMatch(new RegExp(`\\[n\\]o ${words}\ndone\n$`))
    expect(terminal.modes).toEqual([true, false])
  })

  test('is not written into: what the turn goes on to say comes behind the answer', async () => {
    const { turn, terminal, done, shown, ask } = await startAsking()
    turn.text('let me see')
    await ask()
    turn.text('more text')
    expect(shown()).toMatch(/^let me see\n\? ops asks/)
    expect(shown()).not.toContain('more text')
    terminal.type('n')
    turn.finish({ result: 'more text' })
    await done
    expect(shown()).toMatch(/\[n\]o denied\nmore text\n$/)
  })

  test('is put once, and the next one after it', async () => {
    const { fake, turn, terminal, clock, done, shown, ask } = await startAsking()
    const first = await ask()
    const second = approvalOf({ turnId: turn.turnId, subject: 'second' })
    fake.approvals.push(second)
    clock.advance(500)
    await expect.poll(() => fake.approvals.length).toBe(2)
    expect(shown()).not.toContain('second')
    terminal.type('y')
    await expect.poll(() => terminal.modes).toEqual([true, false, true])
    clock.advance(100)
    terminal.type('n')
    await expect.poll(() => fake.answers).toHaveLength(2)
    expect(fake.answers).toEqual([
      { approvalId: first.approvalId, decision: 'once' },
      { approvalId: second.approvalId, decision: 'deny' },
    ])
    turn.finish({})
    await done
    expect(shown().match(/npm publish/g)).toHaveLength(1)
  })

  test('is withdrawn where somebody else answers it', async () => {
    const { fake, turn, terminal, clock, done, shown, ask } = await startAsking()
    const { approvalId } = await ask()
    fake.approvals.length = 0
    turn.event({
      type: 'approval-answered',
      approvalId,
      toolCallId: 'call-1',
      decision: 'once',
      by: 'person',
    })
    turn.finish({})
    clock.advance(500)
    expect((await done).code).toBe(0)
    expect(shown()).toContain('[n]o no answer is needed any more\n· shell npm publish: allowed once\n')
    expect(terminal.modes).toEqual([true, false])
    expect(fake.answers).toEqual([])
  })

  test('is found also where the stream of the turn does not tell of it', async () => {
    const { fake, turn, terminal, clock, done, shown } = await startAsking()
    fake.approvals.push(approvalOf({ agentId: 'ops', subject: 'of an earlier turn' }))
    await expect
      .poll(() => {
        clock.advance(500)
        return terminal.reads
      })
      .toBe(true)
    expect(shown()).toContain('of an earlier turn')
    clock.advance(100)
    terminal.type('n')
    await expect.poll(() => fake.answers).toHaveLength(1)
    turn.finish({})
    await done
  })

  test('is left open by Ctrl-C, which cancels the turn', async () => {
    const { fake, turn, terminal, done, ask } = await startAsking()
    await ask()
    terminal.type('\u0003')
    expect(terminal.modes).toEqual([true, false])
    await expect.poll(() => fake.cancelled).toEqual([turn.turnId])
    turn.finish({ status: 'cancelled' })
    expect((await done).code).toBe(130)
    expect(fake.answers).toEqual([])
  })

  test.each(['SIGTERM', 'SIGHUP'] as const)('is over with %s, out of raw mode at once', async (name) => {
    const { fake, turn, terminal, done, signal, ask } = await startAsking()
    await ask()
    signal(name)
    expect(terminal.modes).toEqual([true, false])
    turn.finish({ status: 'interrupted' })
    expect((await done).code).toBe(7)
    expect(fake.answers).toEqual([])
    expect(fake.closed()).toBeGreaterThan(0)
  })
})
