/** L1 and L2 of the agent loop: everything in the order it came, and what is served during a turn. */
import { describe, expect, test } from 'vitest'
import { createId } from '../../src/core/ids.ts'
import { GatedBehavior } from '../fakes/gated-behavior.ts'
import { type LoopProbe, startLoop } from '../fakes/loop-probe.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import { slowStore } from '../fakes/slow-store.ts'
import { until } from '../fakes/until.ts'

const create = (name: string) => ({ name: 'create', input: { name } }) as const

/** Follows a promise; `log` gets `what` when it resolves, `what: code` when it rejects. */
function follow(log: string[], what: string, promise: Promise<unknown>): void {
  promise.then(
    () => log.push(what),
    (error: { code: string }) => log.push(`${what}: ${error.code}`),
  )
}

async function inputsOf(probe: LoopProbe, sessionId: string): Promise<string[]> {
  const records = await probe.records(sessionId)
  return records.flatMap((record) => (record.type === 'message.accepted' ? [record.input] : []))
}

describe('commands that change the current session', () => {
  test('wait for the running turn and its queue; what came behind them waits too, and belongs to the new session', async () => {
    const behavior = new GatedBehavior()
    const probe = await startLoop({ behavior })
    const first = await probe.command(create('first'))
    const log: string[] = []
    follow(log, 'a', probe.send('a'))
    await behavior.started('a')
    follow(log, 'b', probe.send('b'))
    follow(log, 'create', probe.command(create('second')))
    follow(log, 'c', probe.send('c'))
    follow(log, 'load', probe.command({ name: 'load', sessionId: first.id }))
    follow(log, 'd', probe.send('d'))
    await probe.settle()
    expect(log).toEqual([])
    expect(await inputsOf(probe, first.id)).toEqual([])

    behavior.finish('a')
    await behavior.started('b')
    expect(behavior.runs('c')).toBe(0)
    behavior.finish('b')
    await behavior.started('c')
    expect(log).toEqual(['a', 'b', 'create'])
    behavior.finish('c')
    await behavior.started('d')
    behavior.finish('d')
    await probe.settle()
    expect(log).toEqual(['a', 'b', 'create', 'c', 'load', 'd'])
    expect(await inputsOf(probe, first.id)).toEqual(['a', 'b', 'd'])
    await probe.stop()
  })

  test.each(['suspend', 'terminate', 'trash'] as const)(
    '%s of the current session waits for its turn; of another it does not',
    async (name) => {
      const behavior = new GatedBehavior()
      const probe = await startLoop({ behavior })
      const other = await probe.command(create('other'))
      const current = await probe.command(create('current'))
      const log: string[] = []
      follow(log, 'a', probe.send('a'))
      await behavior.started('a')
      follow(log, `${name} other`, probe.command({ name, sessionId: other.id }))
      await probe.settle()
      expect(log).toEqual([`${name} other`])
      follow(log, `${name} current`, probe.command({ name, sessionId: current.id }))
      await probe.settle()
      expect(log).toEqual([`${name} other`])
      behavior.finish('a')
      await probe.settle()
      expect(log).toEqual([`${name} other`, 'a', `${name} current`])
      await probe.stop()
    },
  )

  test('a command on another session waits behind a waiting one: the order is kept', async () => {
    const behavior = new GatedBehavior()
    const probe = await startLoop({ behavior })
    const other = await probe.command(create('other'))
    await probe.command(create('current'))
    const log: string[] = []
    follow(log, 'a', probe.send('a'))
    await behavior.started('a')
    follow(log, 'load', probe.command({ name: 'load', sessionId: other.id }))
    follow(log, 'suspend', probe.command({ name: 'suspend', sessionId: other.id }))
    await probe.settle()
    expect(log).toEqual([])
    behavior.finish('a')
    await probe.settle()
    expect(log).toEqual(['a', 'load', 'suspend'])
    const { state } = await probe.store.load(other.id)
    expect(state.status).toBe('suspended')
    await probe.stop()
  })

  test('commands of one tick on one session do not meet in it, whichever comes first', async () => {
    const probe = await startLoop({ store: slowStore(createMemoryStore()) })
    const other = await probe.command(create('other'))
    await probe.command(create('current'))
    const update = { name: 'update', sessionId: other.id, patch: { description: 'updated' } } as const
    const load = { name: 'load', sessionId: other.id } as const
    await Promise.all([probe.command(update), probe.command(load)])
    await Promise.all([
      probe.command(create('third')),
      probe.command(update),
      probe.command(load),
      probe.command(update),
    ])
    const { state } = await probe.store.load(other.id)
    expect(state).toMatchObject({ status: 'active', description: 'updated' })
    await probe.stop()
  })

  test('a command that comes while a switch is under way is done after it', async () => {
    const probe = await startLoop({ store: slowStore(createMemoryStore()) })
    const other = await probe.command(create('other'))
    await probe.command(create('current'))
    const switching = probe.command({ name: 'load', sessionId: other.id })
    await Promise.resolve()
    const suspended = await probe.command({ name: 'suspend', sessionId: other.id })
    expect((await switching).status).toBe('active')
    expect(suspended.status).toBe('suspended')
    await probe.stop()
  })

  test('one that comes while another makes its session current waits for the queue that this one brings', async () => {
    const store = slowStore(createMemoryStore())
    const before = await startLoop({ store, behavior: new GatedBehavior() })
    const target = await before.command(create('target'))
    await Promise.all([before.post('first'), before.post('second')])
    await before.stop()
    const behavior = new GatedBehavior()
    behavior.finish('first')
    const probe = await startLoop({ store, claims: before.claims, behavior, activation: 1 })
    await probe.command(create('other'))
    const log: string[] = []
    follow(log, 'load', probe.command({ name: 'load', sessionId: target.id }))
    await new Promise((resolve) => setImmediate(resolve)) // the load is under way
    follow(log, 'suspend', probe.command({ name: 'suspend', sessionId: target.id }))
    await behavior.started('second')
    for (let round = 0; round < 5; round++) await probe.settle()
    expect(log).toEqual(['load'])
    behavior.finish('second')
    await until('it is suspended', () => log.length === 2)
    await probe.stop()
  })

  test('with cancelTurn they end the running turn and the queue first, messages of the same tick included', async () => {
    const behavior = new GatedBehavior()
    const probe = await startLoop({ behavior })
    const running = probe.send('running')
    await behavior.started('running')
    const queued = probe.send('queued')
    await probe.settle()
    const justSent = probe.send('just sent')
    const created = await probe.command(create('next'), true)
    expect(created.name).toBe('next')
    for (const outcome of await Promise.all([running, queued, justSent])) {
      expect(outcome).toMatchObject({ status: 'cancelled', error: { code: 'cancelled' } })
    }
    const notStarted = probe.send('not started')
    await probe.command(create('after that'), true)
    expect(await notStarted).toMatchObject({ status: 'cancelled' })
    expect(behavior.runs('queued') + behavior.runs('just sent') + behavior.runs('not started')).toBe(0)
    await probe.stop()
  })

  test.each([
    ['with a quick store', createMemoryStore()],
    ['with a slow one', slowStore(createMemoryStore())],
  ])(
    'with cancelTurn they end more messages than a session remembers, single cancels in between: %s',
    async (_what, store) => {
      const behavior = new GatedBehavior()
      const probe = await startLoop({ behavior, store, mailboxMessages: 1_000 })
      const running = probe.send('running')
      await behavior.started('running')
      const turnIds = Array.from({ length: 450 }, () => createId())
      const queued = turnIds.map((turnId) => probe.send('queued', { turnId }))
      await probe.settle()
      const cancels = turnIds.slice(0, 3).map((turnId) => probe.cancel(turnId))
      const created = probe.command(create('next'), true)
      cancels.push(...turnIds.slice(-3).map((turnId) => probe.cancel(turnId)))
      await Promise.resolve()
      cancels.push(...turnIds.slice(200, 203).map((turnId) => probe.cancel(turnId)))
      const again = probe.command(create('after'), true)
      expect(await running).toMatchObject({ status: 'cancelled' })
      for (const [index, outcome] of (await Promise.all(queued)).entries()) {
        expect(outcome).toMatchObject({ status: 'cancelled', turnId: turnIds[index] })
      }
      expect(await Promise.all(cancels)).toHaveLength(9)
      await created
      expect((await again).name).toBe('after')
      expect(behavior.runs('queued')).toBe(0)
      await probe.stop()
    },
  )
})

describe('during a turn', () => {
  test('save, update, fork and ping are served, and messages accepted', async () => {
    const behavior = new GatedBehavior()
    const probe = await startLoop({ behavior })
    const turn = probe.send('a')
    const { session } = await behavior.started('a')
    await probe.command({ name: 'save' })
    await probe.command({ name: 'update', sessionId: session.id, patch: { vars: { K: '1' } } })
    expect(session.vars).toEqual({ K: '1' })
    const fork = await probe.command({ name: 'fork', sessionId: session.id })
    expect(fork).toMatchObject({ status: 'suspended', turn: null, queue: [] })
    expect(await probe.post('b')).toMatchObject({ status: 'accepted', sessionId: session.id })
    behavior.finish('a')
    behavior.finish('b')
    expect(await turn).toMatchObject({ status: 'completed', result: 'done: a' })
    await probe.stop()
  })

  test('a fork holds nothing of it that is not durable', async () => {
    const behavior = new GatedBehavior()
    const probe = await startLoop({ behavior })
    const turn = probe.send('a')
    const { session } = await behavior.started('a')
    const fork = await probe.command({ name: 'fork', sessionId: session.id })
    const { state } = await probe.store.load(session.id)
    expect(state.seq).toBeGreaterThanOrEqual(fork.forkedFrom?.seq ?? Infinity)
    expect(state.memory.map(({ content }) => content)).toEqual(['a'])
    behavior.finish('a')
    await turn
    await probe.stop()
  })

  test('cancel ends it, and the queue goes on', async () => {
    const behavior = new GatedBehavior()
    const probe = await startLoop({ behavior })
    const running = probe.send('running')
    await behavior.started('running')
    const next = probe.send('next')
    expect(await probe.cancel()).toBe(true)
    expect(await running).toMatchObject({ status: 'cancelled', error: { code: 'cancelled' } })
    behavior.finish('next')
    expect(await next).toMatchObject({ status: 'completed' })
    await probe.stop()
  })

  test('cancel of a queued message answers its sender and never runs it', async () => {
    const behavior = new GatedBehavior()
    const probe = await startLoop({ behavior })
    const running = probe.send('running')
    const context = await behavior.started('running')
    const { turnId } = await probe.post('queued')
    const joined = probe.send('queued', { taskId: turnId })
    await probe.settle()
    expect(await probe.cancel(turnId)).toBe(true)
    expect(await joined).toMatchObject({ status: 'cancelled', turnId })
    expect(await probe.cancel(turnId)).toBe(false)
    expect(context.signal.aborted).toBe(false)
    behavior.finish('running')
    await running
    expect(behavior.runs('queued')).toBe(0)
    await probe.stop()
  })

  test('cancel of a message that waits behind a command fails it, never runs it, and frees its place', async () => {
    const behavior = new GatedBehavior()
    const probe = await startLoop({ behavior, mailboxMessages: 2 })
    const running = probe.send('running')
    await behavior.started('running')
    const created = probe.command(create('next'))
    const turnId = createId()
    const waiting = probe.send('waiting', { turnId })
    const failed = expect(waiting).rejects.toMatchObject({ code: 'cancelled' })
    await probe.settle()
    expect(await probe.cancel(turnId)).toBe(true)
    await failed
    expect(await probe.cancel(turnId)).toBe(false)
    const after = probe.send('after')
    behavior.finish('running')
    behavior.finish('after')
    await Promise.all([running, created, after])
    expect(behavior.runs('waiting')).toBe(0)
    await probe.stop()
  })

  test('there is nothing to cancel before and after it', async () => {
    const probe = await startLoop()
    expect(await probe.cancel()).toBe(false)
    await probe.send('a')
    expect(await probe.cancel()).toBe(false)
    await probe.stop()
  })
})

test('a message for a session that is not current is refused and leaves no trace', async () => {
  const probe = await startLoop()
  const first = await probe.command(create('first'))
  const second = await probe.command(create('second'))
  await expect(probe.send('a', { sessionId: first.id })).rejects.toMatchObject({ code: 'session_not_found' })
  expect(await probe.send('b', { sessionId: second.id })).toMatchObject({ sessionId: second.id })
  expect(await inputsOf(probe, first.id)).toEqual([])
  await probe.stop()
})

test('with no current session a message opens one named default', async () => {
  const probe = await startLoop()
  const { sessionId } = await probe.send('a')
  expect((await probe.store.load(sessionId)).state).toMatchObject({ name: 'default', status: 'active' })
  await probe.stop()
})

test.each(['load', 'resume', 'suspend', 'terminate', 'trash', 'update'] as const)(
  '%s reports the header of a session before its records: who follows them may not know it yet',
  async (name) => {
    const before = await startLoop()
    const { id: sessionId } = await before.command(create('unknown'))
    await before.command(create('current'))
    await before.stop()
    const { store, claims } = before
    const probe = await startLoop({ store, claims, activation: 2 })
    const { seq } = (await store.load(sessionId)).state
    const command = { name, sessionId, ...(name === 'update' && { patch: { name: 'known' } }) }
    await probe.command(command as Parameters<LoopProbe['command']>[0])
    const [first, second] = probe.envelopes.filter(
      (envelope) =>
        (envelope.type === 'session' && envelope.header.id === sessionId) ||
        (envelope.type === 'records' && envelope.sessionId === sessionId),
    )
    expect(first).toMatchObject({ type: 'session', header: { seq } })
    if (name !== 'suspend') expect(second).toMatchObject({ type: 'records', records: [{ seq: seq + 1 }] })
    await probe.stop()
  },
)
