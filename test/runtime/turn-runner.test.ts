/** One turn (TR1, TR2), whatever its behavior does. */
import { createRedactor } from '../../src/runtime/secrets/redactor.ts'
import { Questions } from '../../src/runtime/questions.ts'
import { TeamLine } from '../../src/runtime/team-line.ts'
import { describe, expect, test } from 'vitest'
import type { Behavior, BehaviorContext } from '../../src/behavior.ts'
import { NOT_AWAITED } from '../../src/core/turn.ts'
import { AgentryError } from '../../src/errors.ts'
import type { TurnEvent } from '../../src/protocol/from-agent.ts'
import { outcomeOf } from '../../src/protocol/outcome.ts'
import type { Session } from '../../src/runtime/session.ts'
import { ABANDON_MS, runTurn, type TurnEnd } from '../../src/runtime/turn-runner.ts'
import { GatedBehavior } from '../fakes/gated-behavior.ts'
import { newSession, openTurn } from '../fakes/open-session.ts'
import { SimulatedClock } from '../fakes/simulated-clock.ts'

interface RunningTurn {
  session: Session
  turnId: string
  clock: SimulatedClock
  abort: AbortController
  events: TurnEvent[]
  done: Promise<TurnEnd>
}

function start(
  run: Behavior['run'] | Behavior,
  { turnMs = 60_000, abort = new AbortController() }: { turnMs?: number; abort?: AbortController } = {},
): RunningTurn {
  const { session } = newSession()
  const turnId = openTurn(session)
  const clock = new SimulatedClock()
  const events: TurnEvent[] = []
  const done = runTurn({
    session,
    behavior: typeof run === 'function' ? { run } : run,
    clock,
    turnMs,
    resultBytes: 1_000,
    abort,
    isLeftOpen: () => false,
    questions: new Questions({ clock, sendEvent: (_session, _turnId, event) => void events.push(event) }),
    team: new TeamLine({ send: () => undefined }),
    redactor: createRedactor([]),
    sendEvent: (event) => events.push(event),
    onWaiting: () => undefined,
    onSteered: () => undefined,
  })
  return { session, turnId, clock, abort, events, done }
}

/** How the turn was recorded. */
async function recordOf({ session, turnId, done }: RunningTurn): Promise<ReturnType<typeof outcomeOf>> {
  await done
  await session.flush()
  expect(session.state.turn).toBeNull()
  return outcomeOf(session.state, turnId)
}

const RESULTS: [what: string, run: Behavior['run'], expected: object][] = [
  ['text', () => 'text', { status: 'completed', result: 'text' }],
  ['a promise of text', async () => 'text', { status: 'completed', result: 'text' }],
  ['nothing', () => undefined, { status: 'completed', result: '' }],
  ['an exit code', () => ({ exitCode: 3 }), { status: 'completed', exitCode: 3 }],
  ['half a character', () => '\ud83d', { status: 'completed', result: '\ufffd' }],
]

describe('a turn', () => {
  test.each(RESULTS)('that gives %s is recorded as such', async (_what, run, expected) => {
    expect(await recordOf(start(run))).toMatchObject(expected)
  })

  test.each([
    ['an error', new Error('no luck'), 'turn_failed', 'no luck'],
    ['an error of Agentry', new AgentryError('working_dir_missing', 'gone'), 'working_dir_missing', 'gone'],
    ['no error at all', null, 'turn_failed', 'a thrown object: null'],
  ])('that throws %s is failed with it', async (_what, thrown, code, message) => {
    const run = () => {
      // oxlint-disable-next-line typescript/only-throw-error -- user code may throw anything
      throw thrown
    }
    expect(await recordOf(start(run))).toMatchObject({ status: 'failed', error: { code, message } })
  })

  test.each([
    ['more than the limit', () => 'x'.repeat(1_001), 'at most 1000 bytes'],
    ['what is no text', () => 7 as unknown as string, 'received number'],
    ['what is no exit code', () => ({ exitCode: 1.5 }), 'expected an integer'],
  ])('that gives %s is failed with invalid_input', async (_what, run, message) => {
    expect(await recordOf(start(run))).toMatchObject({
      status: 'failed',
      error: { code: 'invalid_input', message: expect.stringContaining(message) as string },
    })
  })

  test('that takes too long is aborted and failed with turn_timeout', async () => {
    const behavior = new GatedBehavior()
    const turn = start(behavior, { turnMs: 1_000 })
    await turn.clock.advanceAsync(999)
    expect((await behavior.started('input')).signal.aborted).toBe(false)
    await turn.clock.advanceAsync(1)
    expect(await recordOf(turn)).toMatchObject({ status: 'failed', error: { code: 'turn_timeout' } })
  })

  test('that does not heed its signal is abandoned after a while, its end recorded', async () => {
    const turn = start(new GatedBehavior({ obeysSignal: false }))
    turn.abort.abort(new AgentryError('cancelled', 'cancelled by hand'))
    await turn.clock.advanceAsync(ABANDON_MS)
    expect(await turn.done).toMatchObject({ abandoned: true })
    expect(await recordOf(turn)).toMatchObject({
      status: 'cancelled',
      error: { code: 'cancelled', message: 'cancelled by hand' },
    })
  })

  test('that was aborted before it began does not run', async () => {
    const behavior = new GatedBehavior()
    const abort = new AbortController()
    abort.abort(new AgentryError('interrupted', 'stopped'))
    expect(await recordOf(start(behavior, { abort }))).toMatchObject({ status: 'interrupted' })
    expect(behavior.runs('input')).toBe(0)
  })
})

describe('the context of a turn', () => {
  test('records a tool call before it runs and after, and gives its result', async () => {
    const states: string[] = []
    const turn = start(async (_message, context): Promise<string> => {
      const noteStates = () =>
        states.push(...(turn.session.state.turn?.calls ?? []).map(({ state }) => state))
      const { content, toolCallId } = await context.runTool('probe', { n: 1 }, async () => {
        noteStates()
        return 'found'
      })
      noteStates()
      return `${content} by ${typeof toolCallId}`
    })
    expect(await recordOf(turn)).toMatchObject({ result: 'found by string' })
    expect(states).toEqual(['running', 'ok'])
    expect(turn.events.map(({ type }) => type)).toEqual(['tool-started', 'tool-finished'])
  })

  test('gives a tool that throws as a result with outcome error; the turn goes on', async () => {
    const turn = start(async (_message, context) => {
      const { outcome, content } = await context.runTool('probe', {}, async () => {
        throw new Error('broken')
      })
      return `${outcome}: ${content}`
    })
    expect(await recordOf(turn)).toMatchObject({ status: 'completed', result: 'error: broken' })
  })

  test('leaves a call that the turn did not wait for unknown, and refuses what comes after the turn', async () => {
    let kept: BehaviorContext | undefined
    const gate = Promise.withResolvers<string>()
    let late: Promise<unknown> | undefined
    const turn = start(async (_message, context) => {
      kept = context
      late = context.runTool('probe', {}, () => gate.promise)
      late.catch(() => undefined)
      await new Promise((resolve) => setImmediate(resolve))
      return 'done'
    })
    expect(await recordOf(turn)).toMatchObject({ status: 'completed', result: 'done' })
    expect(turn.session.state.memory.find(({ role }) => role === 'tool')?.content).toBe(NOT_AWAITED)
    const { seq } = turn.session.state
    gate.resolve('too late')
    await expect(late).rejects.toMatchObject({ code: 'interrupted' })
    for (const call of [
      () => kept?.runTool('probe', {}, async () => 'x'),
      () => kept?.recordStep({ content: 'x' }),
      () => kept?.updateSession({ vars: { K: 'x' } }),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'interrupted' })
    }
    expect(turn.session.state.seq).toBe(seq)
  })

  test.each([
    ['too long', 'x'.repeat(1_001), 'result of tool probe: expected at most 1000 bytes, received 1001'],
    ['an error that is too long', new Error('x'.repeat(1_001)), 'xxx'],
    ['no text', { content: 7 }, 'result of tool probe: expected text'],
    ['nothing', undefined, 'undefined'],
    ['no outcome', { content: '', outcome: 'fine' }, 'outcome of tool probe: expected ok or error'],
    ['no exit code', { content: '', exitCode: Number.NaN }, 'exitCode of tool probe: expected an integer'],
  ])('records a tool whose result is %s as finished, with outcome error', async (_what, result, message) => {
    const run = async () => {
      if (result instanceof Error) throw result
      return result as string
    }
    const turn = start(async (_message, context) => {
      const { outcome, content } = await context.runTool('probe', {}, run)
      return `${outcome} ${content}`
    })
    await turn.done
    const content = turn.session.state.memory.find(({ role }) => role === 'tool')?.content ?? ''
    expect(content).toContain(message)
    expect(Buffer.byteLength(content)).toBeLessThanOrEqual(1_000)
    expect(turn.events.at(-1)).toMatchObject({ type: 'tool-finished', outcome: 'error' })
  })

  test.each([Number.NaN, -1, 1.5, '3'])(
    'refuses a usage of %s tokens, and keeps the step out',
    async (tokens) => {
      const turn = start(async (_message, context) => {
        await context.recordStep({ content: '', usage: { inputTokens: tokens as number, outputTokens: 1 } })
        return 'not reached'
      })
      expect(await recordOf(turn)).toMatchObject({ status: 'failed', error: { code: 'invalid_input' } })
      expect(turn.session.state.counts).toMatchObject({ inputTokens: 0, outputTokens: 0 })
    },
  )

  test('lets no promise that nobody waits for become an unhandled rejection', async () => {
    const unhandled: unknown[] = []
    const listener = (error: unknown) => unhandled.push(error)
    process.on('unhandledRejection', listener)
    const gate = Promise.withResolvers<string>()
    const turn = start((_message, context) => {
      void context.runTool('probe', {}, () => gate.promise)
      void context.recordStep({ content: '', usage: { inputTokens: -1, outputTokens: 1 } })
      void context.updateSession({ vars: { 'no name': '' } })
      return 'done'
    })
    expect(await recordOf(turn)).toMatchObject({ status: 'completed' })
    gate.resolve('too late')
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', listener)
    expect(unhandled).toEqual([])
  })

  test('hands out nothing through which the session could be changed without a record', async () => {
    const input = { nested: [1] }
    const metadata = { nested: { key: 'value' } }
    const turn = start(async (_message, context) => {
      await context.updateSession({ vars: { K: 'v' }, metadata })
      await context.recordStep({ content: '', toolCalls: [{ toolCallId: 'c', name: 'probe', input }] })
      const { session, message } = context
      const before = session.memory
      for (const change of [
        () => ((session.vars as Record<string, string>)['K'] = 'changed'),
        () => ((session.metadata as typeof metadata).nested.key = 'changed'),
        () => (session.memory as unknown[]).push({}),
        () => ((session.memory[0] as { content: string }).content = 'changed'),
        () => session.memory[1]?.toolCalls?.pop(),
        () => ((message as { input: string }).input = 'changed'),
      ]) {
        expect(change).toThrow(TypeError)
      }
      input.nested.push(2)
      metadata.nested.key = 'changed'
      await context.runTool('probe', input, async () => 'result', 'c')
      expect(before).toHaveLength(2)
      expect(session.memory).toHaveLength(3)
      expect(session.memory).toBe(session.memory)
      return 'done'
    })
    expect(await recordOf(turn)).toMatchObject({ status: 'completed' })
    const { vars, metadata: kept, memory } = turn.session.state
    expect({ vars, kept }).toEqual({ vars: { K: 'v' }, kept: { nested: { key: 'value' } } })
    expect(memory[1]?.toolCalls?.[0]?.input).toEqual({ nested: [1] })
  })

  test('starts no tool once the turn is aborted', async () => {
    let ran = false
    const abort = new AbortController()
    const run: Behavior['run'] = async (_message, context) => {
      abort.abort(new AgentryError('cancelled', 'now'))
      await context.runTool('probe', {}, async () => {
        ran = true
        return 'x'
      })
      return 'not reached'
    }
    expect(await recordOf(start(run, { abort }))).toMatchObject({ status: 'cancelled' })
    expect(ran).toBe(false)
  })

  test('shows the session as it is, changes included, and records steps with their usage', async () => {
    const turn = start(async (_message, context) => {
      await context.updateSession({ vars: { K: 'v' }, metadata: { seen: true }, workingDir: '/tmp' })
      await context.recordStep({ content: 'thought', usage: { inputTokens: 3, outputTokens: 4 } })
      const { vars, metadata, workingDir, memory } = context.session
      return JSON.stringify([vars, metadata, workingDir, memory.map(({ content }) => content)])
    })
    expect(await recordOf(turn)).toMatchObject({
      result: '[{"K":"v"},{"seen":true},"/tmp",["input","thought"]]',
    })
    expect(turn.session.state.counts).toMatchObject({ inputTokens: 3, outputTokens: 4 })
  })
})
