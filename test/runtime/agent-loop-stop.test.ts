/** How a stay ends, and what the next one takes up. */
import { describe, expect, test } from 'vitest'
import { AgentryError } from '../../src/errors.ts'
import type { TurnEvent } from '../../src/protocol/from-agent.ts'
import { ABANDON_MS } from '../../src/runtime/turn-runner.ts'
import { GatedBehavior } from '../fakes/gated-behavior.ts'
import { type LoopOptions, type LoopProbe, startLoop } from '../fakes/loop-probe.ts'
import { SimulatedClock } from '../fakes/simulated-clock.ts'

const create = (name: string) => ({ name: 'create', input: { name } }) as const

/** The next stay of the same agent on the same session. */
function restart(before: LoopProbe, sessionId: string, options: LoopOptions = {}): Promise<LoopProbe> {
  const { store, claims } = before
  return startLoop({ store, claims, currentSessionId: sessionId, activation: 10, ...options })
}

describe('a stop', () => {
  test('lets the running turn finish within its grace; acknowledged messages stay queued, the others end', async () => {
    const behavior = new GatedBehavior()
    const clock = new SimulatedClock()
    const probe = await startLoop({ behavior, clock })
    const running = probe.send('running')
    await behavior.started('running')
    const { sessionId, turnId } = await probe.post('posted')
    const sent = probe.send('sent')
    const command = probe.command(create('behind'))
    const unaccepted = probe.send('behind the command')
    await probe.settle()
    const stopped = probe.stop(1_000)
    await clock.advanceAsync(999)
    behavior.finish('running')
    expect(await running).toMatchObject({ status: 'completed' })
    const refusal = { code: 'agent_stopped', data: { agentId: probe.options.spec.id, state: 'stopped' } }
    expect(await sent).toMatchObject({ status: 'cancelled', error: refusal })
    await expect(command).rejects.toMatchObject(refusal)
    await expect(unaccepted).rejects.toMatchObject(refusal)
    await stopped
    expect(probe.envelopes.at(-1)).toEqual({ type: 'stopped' })
    expect((await probe.store.load(sessionId)).state).toMatchObject({ turn: null, queue: [{ turnId }] })

    behavior.finish('posted')
    const after = await restart(probe, sessionId, { behavior })
    await behavior.started('posted')
    await after.settle()
    await after.stop()
    expect(behavior.runs('posted')).toBe(1)
    expect((await probe.store.load(sessionId)).state.queue).toEqual([])
  })

  test('interrupts the turn when its grace is over', async () => {
    const behavior = new GatedBehavior()
    const clock = new SimulatedClock()
    const probe = await startLoop({ behavior, clock })
    const running = probe.send('a')
    await behavior.started('a')
    const stopped = probe.stop(1_000)
    await clock.advanceAsync(1_000)
    expect(await running).toMatchObject({ status: 'interrupted', error: { code: 'interrupted' } })
    await stopped
  })

  test('answers more cancelled messages than a session remembers, each with its outcome', async () => {
    const behavior = new GatedBehavior()
    const probe = await startLoop({ behavior, mailboxMessages: 1_000 })
    const running = probe.send('a')
    await behavior.started('a')
    const queued = Array.from({ length: 450 }, (_, index) => probe.send(`queued ${index}`))
    await probe.settle()
    await probe.stop()
    expect(await running).toMatchObject({ status: 'interrupted' })
    const outcomes = await Promise.all(queued)
    expect(outcomes.filter(({ error }) => error?.code === 'agent_stopped')).toHaveLength(450)
  })

  test('ends the stay as an error where the behavior does not heed its signal, the turn recorded all the same', async () => {
    const behavior = new GatedBehavior({ obeysSignal: false })
    const clock = new SimulatedClock()
    const probe = await startLoop({ behavior, clock })
    const running = probe.send('a')
    await behavior.started('a')
    const stopped = expect(probe.stop()).rejects.toMatchObject({ code: 'agent_unresponsive' })
    await clock.advanceAsync(ABANDON_MS)
    const { sessionId } = await running
    await stopped
    const { state } = await probe.store.load(sessionId)
    expect(state).toMatchObject({ turn: null, tasks: [{ status: 'interrupted' }] })
  })

  test('does not wait for ever for a behavior whose close() never ends', async () => {
    const clock = new SimulatedClock()
    const behavior = { run: () => 'done', close: () => new Promise<void>(() => {}) }
    const probe = await startLoop({ behavior, clock })
    await probe.send('a')
    const stopped = expect(probe.stop()).rejects.toMatchObject({ code: 'agent_unresponsive' })
    await probe.settle()
    await clock.advanceAsync(5_000)
    await stopped
  })

  test('closes the behavior once, after everything is durable', async () => {
    let closed = 0
    const behavior = { run: () => 'done', close: () => void (closed += 1) }
    const probe = await startLoop({ behavior })
    await probe.send('a')
    await probe.stop()
    expect(closed).toBe(1)
  })
})

test('a bug that shows while a turn runs ends the stay with it', async () => {
  const behavior = new GatedBehavior()
  const clock = new SimulatedClock()
  const probe = await startLoop({ behavior, clock })
  void probe.send('a')
  await behavior.started('a')
  clock.now = () => {
    throw new Error('no clock')
  }
  void probe.send('b')
  await expect(probe.ended).rejects.toThrow('no clock')
})

describe('after a crash', () => {
  /** A session with an open turn of `attempt`, as a crash leaves it: its stay never ends, its claim is taken away. */
  async function crashed(attempt: number): Promise<{ probe: LoopProbe; sessionId: string; turnId: string }> {
    const behavior = new GatedBehavior({ resumable: true, obeysSignal: false })
    let probe = await startLoop({ behavior, userModule: true })
    const lost = probe.send('a', { taskId: 't' })
    lost.catch(() => undefined)
    const { session, message } = await behavior.started('a')
    for (let tries = 1; tries < attempt; tries++) {
      probe.claims.release(probe.options.claim)
      probe = await restart(probe, session.id, { behavior, userModule: true })
      await probe.settle()
    }
    probe.claims.release(probe.options.claim)
    return { probe, sessionId: session.id, turnId: message.turnId }
  }

  test('a resumable turn goes on with its next attempt', async () => {
    const { probe, sessionId } = await crashed(1)
    const behavior = new GatedBehavior({ resumable: true })
    const after = await restart(probe, sessionId, { behavior })
    const { attempt } = await behavior.started('a')
    expect(attempt).toBe(2)
    const joined = after.send('a', { taskId: 't' })
    behavior.finish('a')
    expect(await joined).toMatchObject({ status: 'completed', result: 'done: a' })
    await after.stop()
  })

  test('another turn ends interrupted, and what was queued behind it runs', async () => {
    const { probe, sessionId } = await crashed(1)
    const behavior = new GatedBehavior()
    const after = await restart(probe, sessionId, { behavior })
    behavior.finish('b')
    expect(await after.send('b')).toMatchObject({ status: 'completed' })
    expect(await after.send('a', { taskId: 't' })).toMatchObject({
      status: 'interrupted',
      error: { code: 'interrupted' },
    })
    expect(behavior.runs('a')).toBe(0)
    await after.stop()
  })

  test('a turn that was cut off three times ends as poison and is never run again', async () => {
    const { probe, sessionId } = await crashed(3)
    const behavior = new GatedBehavior({ resumable: true })
    const after = await restart(probe, sessionId, { behavior })
    behavior.finish('b')
    expect(await after.send('b')).toMatchObject({ status: 'completed' })
    expect(await after.send('a', { taskId: 't' })).toMatchObject({
      status: 'failed',
      error: { code: 'poison_turn' },
    })
    expect(behavior.runs('a')).toBe(0)
    await after.stop()
  })

  test.each([true, false])(
    'a turn whose processes cannot be ended is not run on (resumable: %s), and the agent goes on',
    async (resumable) => {
      const { probe, sessionId } = await crashed(1)
      const behavior = new GatedBehavior({ resumable })
      const endLeftovers = () => Promise.reject(new AgentryError('leftover_processes', 'stuck in the kernel'))
      const after = await restart(probe, sessionId, { behavior, endLeftovers })
      behavior.finish('b')
      expect(await after.send('b')).toMatchObject({ status: 'completed' })
      expect(await after.send('a', { taskId: 't' })).toMatchObject({
        status: 'interrupted',
        error: { code: 'leftover_processes', message: 'stuck in the kernel' },
      })
      expect(after.envelopes).toContainEqual({
        type: 'note',
        note: expect.objectContaining({ kind: 'agent-fault', sessionId }) as object,
      })
      expect(behavior.runs('a')).toBe(0)
      await after.stop()
    },
  )

  test.each(['a cancel', 'a command that cancels'])(
    'while its processes are being ended, messages are accepted, and %s ends the turn',
    async (what) => {
      const { probe, sessionId, turnId } = await crashed(1)
      const behavior = new GatedBehavior({ resumable: true })
      const ended = Promise.withResolvers<void>()
      const after = await restart(probe, sessionId, { behavior, endLeftovers: () => ended.promise })
      const joined = after.send('a', { taskId: 't' })
      expect(await after.post('b')).toMatchObject({ status: 'accepted' })
      if (what === 'a cancel') {
        expect(await after.cancel(turnId)).toBe(true)
      } else {
        void after.command(create('next'), true)
        await after.settle()
      }
      ended.resolve()
      expect(await joined).toMatchObject({ status: 'cancelled', error: { code: 'cancelled' } })
      expect(behavior.runs('a')).toBe(0)
      behavior.finish('b')
      behavior.finish('c')
      expect(await after.send('c')).toMatchObject({ status: 'completed' })
      await after.stop()
    },
  )

  test.each(['terminate', 'trash'] as const)('%s ends what the cut-off turn left behind', async (name) => {
    const { probe, sessionId, turnId } = await crashed(1)
    const ended: string[] = []
    const after = await restart(probe, sessionId, {
      resume: false,
      endLeftovers: async (id) => void ended.push(id),
    })
    await after.command({ name, sessionId })
    expect(ended).toEqual([turnId])
    await after.stop()
  })

  test('without resume the turn and the queue are left as they are, until a message comes', async () => {
    const { probe, sessionId } = await crashed(1)
    const behavior = new GatedBehavior({ resumable: true })
    const after = await restart(probe, sessionId, { behavior, resume: false })
    await after.command({ name: 'update', sessionId, patch: { name: 'renamed' } })
    await after.settle()
    expect(behavior.runs('a')).toBe(0)
    const events: TurnEvent[] = []
    const sent = after.send('b', { onEvent: (event) => events.push(event) })
    await behavior.started('a')
    behavior.finish('a')
    behavior.finish('b')
    expect(await sent).toMatchObject({ status: 'completed' })
    expect(events[0]).toMatchObject({ type: 'turn-started', attempt: 1 })
    await after.stop()
  })

  test('active sessions beside the current one are suspended', async () => {
    const before = await startLoop()
    const stray = await before.command(create('stray'))
    before.claims.release(before.options.claim)
    const other = await startLoop({
      store: before.store,
      claims: before.claims,
      activation: stray.activation,
    })
    const current = await other.command(create('current'))
    await other.stop()
    const after = await restart(other, current.id, { strayActiveIds: [stray.id] })
    expect((await after.store.load(stray.id)).state.status).toBe('suspended')
    expect((await after.store.load(current.id)).state.status).toBe('active')
    await after.stop()
  })
})
