/** The sessions of one agent and the commands on them (Q1 to Q3). */
import { describe, expect, test } from 'vitest'
import type { SessionState } from '../../src/core/session-state.ts'
import { GatedBehavior } from '../fakes/gated-behavior.ts'
import { type LoopProbe, startLoop } from '../fakes/loop-probe.ts'
import { SimulatedClock } from '../fakes/simulated-clock.ts'

const create = (name: string) => ({ name: 'create', input: { name } }) as const

async function stateOf(probe: LoopProbe, sessionId: string): Promise<SessionState> {
  return (await probe.store.load(sessionId)).state
}

/** The status of each session as it was announced last, by name. */
function announced(probe: LoopProbe): Record<string, string> {
  const statuses = probe.envelopes.flatMap((envelope) =>
    envelope.type === 'session' ? [[envelope.header.name, envelope.header.status] as const] : [],
  )
  return Object.fromEntries(statuses)
}

describe('a new session', () => {
  test('is filled in from the agent, and is what the command answers, the store has and the supervisor is told', async () => {
    const probe = await startLoop()
    const created = await probe.command({
      name: 'create',
      input: { name: 'work', description: 'd', workingDir: 'sub', vars: { K: '1' }, metadata: { m: [1] } },
    })
    expect(created).toMatchObject({
      name: 'work',
      description: 'd',
      status: 'active',
      agentId: 'probed',
      workingDir: '/sub',
      prompt: '',
      vars: { K: '1' },
      metadata: { m: [1] },
      counts: { turns: 0 },
    })
    const { memory, ...header } = await stateOf(probe, created.id)
    expect(memory).toEqual([])
    expect(header).toEqual(created)
    expect(announced(probe)).toEqual({ work: 'active' })
    await probe.stop()
  })

  test('suspends the one before, and gets a higher activation', async () => {
    const probe = await startLoop()
    const [first, second] = [await probe.command(create('first')), await probe.command(create('second'))]
    expect(announced(probe)).toEqual({ first: 'suspended', second: 'active' })
    expect((await stateOf(probe, first.id)).status).toBe('suspended')
    expect(second.activation).toBeGreaterThan(first.activation)
    await probe.stop()
  })

  test('is refused for what is no session, and the current one stays', async () => {
    const probe = await startLoop()
    const { id } = await probe.command(create('current'))
    await expect(probe.command(create(' '))).rejects.toMatchObject({ code: 'invalid_input' })
    await expect(
      probe.command({ name: 'create', input: { name: 'x', vars: { '1': 'x' } } }),
    ).rejects.toMatchObject({ code: 'invalid_input' })
    expect(await probe.send('x')).toMatchObject({ sessionId: id })
    await probe.stop()
  })
})

describe('a load', () => {
  test('makes a session current and is an access; looking at it, saving it and changing it is none', async () => {
    const clock = new SimulatedClock()
    const probe = await startLoop({ clock })
    const first = await probe.command(create('first'))
    await probe.command(create('second'))
    clock.advance(1_000)
    await probe.command({ name: 'update', sessionId: first.id, patch: { name: 'renamed' } })
    await probe.command({ name: 'save', sessionId: first.id })
    expect((await stateOf(probe, first.id)).lastAccessedAt).toBe(first.lastAccessedAt)
    const loaded = await probe.command({ name: 'load', sessionId: first.id })
    expect(loaded).toMatchObject({
      name: 'renamed',
      status: 'active',
      lastAccessedAt: '2026-01-01T00:00:01.000Z',
    })
    expect(announced(probe)).toMatchObject({ second: 'suspended' })
    const again = await probe.command({ name: 'resume', sessionId: first.id })
    expect(again.activation).toBe(loaded.activation)
    await probe.stop()
  })

  test('of a session whose working directory is gone works, with a note', async () => {
    const probe = await startLoop()
    const { id } = await probe.command({ name: 'create', input: { name: 'x', workingDir: '/no/such/place' } })
    await probe.command(create('y'))
    await probe.command({ name: 'load', sessionId: id })
    expect(probe.envelopes).toContainEqual(
      expect.objectContaining({
        type: 'note',
        note: expect.objectContaining({ kind: 'working-dir-missing', sessionId: id }) as unknown,
      }),
    )
    await probe.stop()
  })

  test('of a terminated session, of one that is not there, or of another agent is refused; the current one stays', async () => {
    const other = await startLoop({ agentId: 'other' })
    const foreign = await other.command(create('foreign'))
    const { store, claims } = other
    const probe = await startLoop({ store, claims })
    const terminated = await probe.command(create('terminated'))
    const current = await probe.command(create('current'))
    await probe.command({ name: 'terminate', sessionId: terminated.id })
    const load = (sessionId: string) => probe.command({ name: 'load', sessionId })
    await expect(load(terminated.id)).rejects.toMatchObject({ code: 'session_terminated' })
    await expect(load('01a20fcf-7936-741d-8671-c166ed565be3')).rejects.toMatchObject({
      code: 'session_not_found',
    })
    await expect(load(foreign.id)).rejects.toMatchObject({ code: 'session_not_found' })
    for (const command of [
      { name: 'suspend', sessionId: foreign.id },
      { name: 'terminate', sessionId: foreign.id },
      { name: 'update', sessionId: foreign.id, patch: { name: 'mine' } },
      { name: 'fork', sessionId: foreign.id },
      { name: 'trash', sessionId: foreign.id },
    ] as const) {
      await expect(probe.command(command)).rejects.toMatchObject({ code: 'session_not_found' })
    }
    expect((await stateOf(probe, foreign.id)).seq).toBe(foreign.seq)
    expect(await probe.send('x')).toMatchObject({ sessionId: current.id })
    await Promise.all([probe.stop(), other.stop()])
  })
})

describe('the end of a session', () => {
  test('suspended or terminated, it is current no more; the next message opens another', async () => {
    const probe = await startLoop()
    await expect(probe.command({ name: 'suspend' })).rejects.toMatchObject({ code: 'no_current_session' })
    await expect(probe.command({ name: 'save' })).rejects.toMatchObject({ code: 'no_current_session' })
    const first = await probe.command(create('first'))
    expect(await probe.command({ name: 'suspend' })).toMatchObject({ id: first.id, status: 'suspended' })
    const second = await probe.send('x')
    expect(second.sessionId).not.toBe(first.id)
    await probe.command({ name: 'terminate', sessionId: second.sessionId })
    expect((await probe.send('y')).sessionId).not.toBe(second.sessionId)
    await expect(probe.command({ name: 'suspend', sessionId: second.sessionId })).rejects.toMatchObject({
      code: 'session_terminated',
    })
    expect(await probe.command({ name: 'terminate', sessionId: second.sessionId })).toMatchObject({
      status: 'terminated',
    })
    await probe.stop()
  })

  test('settles what a crash left in it: the turn is interrupted, the queue cancelled', async () => {
    const behavior = new GatedBehavior({ obeysSignal: false })
    const before = await startLoop({ behavior, userModule: true })
    const running = before.send('running', { taskId: 'running' })
    running.catch(() => undefined)
    const { session } = await behavior.started('running')
    const posted = await before.post('queued')
    before.claims.release(before.options.claim)
    const { store, claims } = before
    const probe = await startLoop({
      store,
      claims,
      currentSessionId: session.id,
      activation: 1,
      resume: false,
    })
    await probe.command({ name: 'terminate', sessionId: session.id })
    const state = await stateOf(probe, session.id)
    expect(state).toMatchObject({ status: 'terminated', turn: null, queue: [] })
    expect(state.tasks.map(({ turnId, status }) => [turnId === posted.turnId, status])).toEqual([
      [false, 'interrupted'],
      [true, 'cancelled'],
    ])
    await probe.stop()
  })

  test('in the trash it is found no more; restored it is terminated; purged it is gone', async () => {
    const probe = await startLoop()
    const { sessionId } = await probe.send('x')
    expect(await probe.command({ name: 'trash', sessionId })).toMatchObject({ status: 'terminated' })
    await expect(probe.store.load(sessionId)).rejects.toMatchObject({ code: 'session_not_found' })
    expect(await probe.command({ name: 'restore', sessionId })).toMatchObject({
      status: 'terminated',
      counts: { turns: 1 },
    })
    await expect(probe.command({ name: 'restore', sessionId })).rejects.toMatchObject({
      code: 'session_not_found',
    })
    await probe.command({ name: 'trash', sessionId })
    await probe.command({ name: 'purge', sessionId })
    await expect(probe.command({ name: 'restore', sessionId })).rejects.toMatchObject({
      code: 'session_not_found',
    })
    await probe.stop()
  })
})

describe('a copy', () => {
  test('by fork has the conversation, prompt, vars and metadata, knows its origin, and lives apart', async () => {
    const probe = await startLoop()
    const source = await probe.command({
      name: 'create',
      input: { name: 'source', prompt: 'p', vars: { K: '1' }, metadata: { m: 1 } },
    })
    await probe.send('before')
    const fork = await probe.command({ name: 'fork', sessionId: source.id, newName: 'copy' })
    await probe.send('after')
    const state = await stateOf(probe, fork.id)
    expect(state).toMatchObject({
      name: 'copy',
      status: 'suspended',
      prompt: 'p',
      vars: { K: '1' },
      metadata: { m: 1 },
      forkedFrom: { sessionId: source.id },
      counts: { turns: 1, entries: 2 },
      tasks: [],
    })
    expect(state.memory.map(({ role, content }) => [role, content])).toEqual([
      ['user', 'before'],
      ['assistant', 'before'],
    ])
    expect(await probe.command({ name: 'load', sessionId: fork.id })).toMatchObject({ status: 'active' })
    await probe.send('in the copy')
    expect((await stateOf(probe, source.id)).memory.map(({ content }) => content)).not.toContain(
      'in the copy',
    )
    await probe.stop()
  })

  test('by fork during a turn ends where that turn began: no call is without its result', async () => {
    const behavior = new GatedBehavior()
    const probe = await startLoop({ behavior })
    const done = probe.send('done')
    behavior.finish('done')
    const { sessionId } = await done
    const running = probe.send('running')
    const context = await behavior.started('running')
    const tool = Promise.withResolvers<string>()
    const call = context.runTool('slow', {}, () => tool.promise)
    const fork = await probe.command({ name: 'fork', sessionId })
    expect((await stateOf(probe, fork.id)).memory.map(({ content }) => content)).toEqual([
      'done',
      'done: done',
    ])
    tool.resolve('result')
    await call
    behavior.finish('running')
    await running
    await probe.stop()
  })

  test('of a terminated session is the way to go on with it', async () => {
    const probe = await startLoop()
    const { sessionId } = await probe.send('x')
    await probe.command({ name: 'terminate', sessionId })
    const fork = await probe.command({ name: 'fork', sessionId })
    expect(fork).toMatchObject({ name: 'default (fork)', status: 'suspended' })
    await probe.command({ name: 'load', sessionId: fork.id })
    await probe.stop()
  })

  test('by import gets an id of its own, and waits suspended until it is loaded', async () => {
    const probe = await startLoop()
    const entry = {
      seq: 99,
      at: '2026-01-01T00:00:00.000Z',
      turnId: 'old',
      role: 'user',
      content: 'hello',
    } as const
    const imported = await probe.command({
      name: 'import',
      session: { name: 'imported', status: 'active', memory: [entry], vars: { K: '1' } },
    })
    expect(imported).toMatchObject({
      status: 'suspended',
      vars: { K: '1' },
      counts: { turns: 1, entries: 1 },
    })
    expect((await stateOf(probe, imported.id)).memory).toEqual([{ ...entry, seq: 1 }])
    await probe.stop()
  })
})

test('a crash between the two writes of a switch leaves one current session after the next start', async () => {
  const before = await startLoop()
  const { store, claims } = before
  const [first, second] = [await before.command(create('first')), await before.command(create('second'))]
  const { claim } = before.options
  const { seq } = await stateOf(before, first.id)
  // The switch back to the first is durable; the suspension of the second never came.
  const envelope = { seq: seq + 1, epoch: claim.token, at: '2026-01-01T00:00:00.000Z' }
  const changes = { status: 'active', activation: 3 } as const
  await store.append(claim, first.id, seq, [{ ...envelope, type: 'session.changed', changes }])
  claims.release(claim)
  const strayActiveIds = [second.id]
  const after = await startLoop({ store, claims, currentSessionId: first.id, strayActiveIds, activation: 3 })
  const statuses = [(await stateOf(after, first.id)).status, (await stateOf(after, second.id)).status]
  expect(statuses).toEqual(['active', 'suspended'])
  expect(await after.send('x')).toMatchObject({ sessionId: first.id })
  await after.stop()
})
