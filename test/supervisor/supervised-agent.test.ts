/** The life of one agent (A1 to A4), through a supervisor whose host does what the test says. */
import { describe, expect, test } from 'vitest'
import type { AgentState } from '../../src/api.ts'
import type { Claim } from '../../src/store/session-store.ts'
import type { SessionRecord } from '../../src/core/record.ts'
import { createId } from '../../src/core/ids.ts'
import { toAgentryError } from '../../src/errors.ts'
import type { Outcome } from '../../src/protocol/from-agent.ts'
import { type ScriptedSupervisor, scriptedSupervisor, specOf } from '../fakes/scripted-supervisor.ts'
import { LeapingClock } from '../fakes/leaping-clock.ts'

const CRASH = { kind: 'exit', code: 1 } as const

function send({ supervisor }: ScriptedSupervisor, agentId: string, input: string): Promise<Outcome> {
  const sent = supervisor.send(agentId, { input, ack: 'finished', options: {} })
  sent.catch(() => undefined) // it may fail before the test looks
  return sent
}

function stateOf({ supervisor }: ScriptedSupervisor, agentId: string): AgentState {
  return supervisor.info(agentId).state
}

/** The code that a promise rejects with. */
async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'resolved',
    (error: unknown) => toAgentryError(error).code,
  )
}

describe('a crash', () => {
  test('fails what was sent with one cause, and takes what waits to the next stay, in order', async () => {
    const team = await scriptedSupervisor()
    const first = await team.spawn('a')
    const lost = send(team, 'a', 'lost')
    first.end(CRASH)
    expect(await codeOf(lost)).toBe('agent_crashed')
    expect(stateOf(team, 'a')).toBe('restarting')
    const waiting = [send(team, 'a', 'one'), send(team, 'a', 'two')]
    await team.clock.advanceAsync(200)
    const second = await team.host.stay('a', 2)
    expect(second.received).toEqual([])
    second.ready()
    expect(second.all('message').map(({ message }) => message.input)).toEqual(['one', 'two'])
    for (const input of ['one', 'two']) second.finish(input)
    expect((await Promise.all(waiting)).map(({ result }) => result)).toEqual(['one', 'two'])
    expect(team.supervisor.info('a')).toMatchObject({ restarts: 1, lastError: { code: 'agent_crashed' } })
  })

  test('is followed by a start under a new claim, never before the thread is gone', async () => {
    const team = await scriptedSupervisor()
    const first = await team.spawn('a')
    first.terminable = false
    first.answersPings = false
    await team.clock.advanceAsync(60_000)
    expect(first.terminatedFor).toBeDefined()
    expect(team.host.stays).toHaveLength(1)
    expect(first.options.claim.word[0]).toBe(1)
    first.end({ kind: 'terminated', reason: 'at last' })
    await team.clock.advanceAsync(200)
    const second = await team.host.stay('a', 2)
    expect(first.options.claim.word[0]).toBe(0)
    expect(second.options.claim.token).toBeGreaterThan(first.options.claim.token)
  })

  test('is waited for longer each time, up to the limit, and after too many the agent is failed', async () => {
    const team = await scriptedSupervisor()
    await team.spawn('a', { maxRestarts: 8, withinMs: 600_000 })
    const delays: (number | undefined)[] = []
    for (let crash = 1; crash <= 8; crash++) {
      ;(await team.host.stay('a', crash)).end(CRASH)
      const before = team.clock.monotonicMs()
      while (team.host.stays.length === crash) await team.clock.advanceAsync(50)
      delays.push(team.clock.monotonicMs() - before)
      ;(await team.host.stay('a', crash + 1)).ready()
    }
    expect(delays).toEqual([200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000])
    const waiting = send(team, 'a', 'lost')
    ;(await team.host.stay('a', 9)).end(CRASH)
    expect(await codeOf(waiting)).toBe('agent_crashed')
    expect(stateOf(team, 'a')).toBe('failed')
    expect(await codeOf(send(team, 'a', 'refused'))).toBe('agent_failed')
    await team.clock.advanceAsync(600_000)
    expect(team.host.stays).toHaveLength(9)

    const started = team.supervisor.start('a')
    const stay = await team.host.stay('a', 10)
    stay.ready()
    await started
    expect(team.supervisor.info('a')).toMatchObject({ state: 'idle' })
    expect(team.supervisor.info('a').lastError).toBeUndefined()
    stay.end(CRASH)
    await team.clock.advanceAsync(200)
    await team.host.stay('a', 11) // the history is clean: the first delay again
  })

  test('long after the last one is the first again', async () => {
    const team = await scriptedSupervisor()
    await team.spawn('a', { maxRestarts: 1, withinMs: 60_000 })
    for (let crash = 1; crash <= 3; crash++) {
      ;(await team.host.stay('a', crash)).end(CRASH)
      await team.clock.advanceAsync(200)
      ;(await team.host.stay('a', crash + 1)).ready()
      await team.clock.advanceAsync(60_000)
    }
    expect(team.supervisor.info('a')).toMatchObject({ restarts: 3 })
  })

  test.each(['crashed', 'ended on its way out'])(
    'of a stay that %s before it had reported what it made durable: the next one starts from what is on disk',
    async (way) => {
      const team = await scriptedSupervisor()
      const first = await team.spawn('a')
      const { claim } = first.options
      const { sessionId, records } = recordsOfQueuedMessage(claim)
      await team.store.append(claim, sessionId, 0, records)
      if (way === 'crashed') {
        first.end(CRASH)
        await team.clock.advanceAsync(200)
      } else {
        const stopped = team.supervisor.stop('a', 0)
        first.end(CRASH)
        await stopped
        void team.supervisor.start('a')
      }
      const second = await team.host.stay('a', 2)
      expect(second.options).toMatchObject({ currentSessionId: sessionId, activation: 1 })
      expect(team.catalog.get(sessionId)).toMatchObject({ queue: [{ input: 'queued' }] })
      second.ready()
    },
  )

  test.each([
    ['transient', 0, 'stopped'],
    ['transient', 1, 'restarting'],
    ['temporary', 1, 'stopped'],
    ['permanent', 0, 'restarting'],
  ] as const)('of a %s agent with exit code %i leaves it %s', async (type, code, state) => {
    const team = await scriptedSupervisor()
    const stay = await team.spawn('a', { type })
    stay.end({ kind: 'exit', code })
    await stay.exited
    await team.clock.advanceAsync(0)
    expect(stateOf(team, 'a')).toBe(state)
  })

  test('is visible to the readers of events, with its cause', async () => {
    const team = await scriptedSupervisor()
    const stay = await team.spawn('a', { maxRestarts: 0 })
    stay.end({ kind: 'error', message: 'out of luck' })
    await team.clock.advanceAsync(0)
    expect(team.events.at(-1)).toMatchObject({
      type: 'agent-state',
      agentId: 'a',
      state: 'failed',
      error: { code: 'agent_crashed', message: expect.stringContaining('out of luck') as string },
    })
  })
})

describe('a start', () => {
  test('that is not ready in time fails with start_timeout, and nothing is registered', async () => {
    const team = await scriptedSupervisor()
    const spawned = codeOf(team.supervisor.spawn(specOf('a')))
    await team.host.stay('a')
    await team.clock.advanceAsync(9_999)
    expect(stateOf(team, 'a')).toBe('starting')
    await team.clock.advanceAsync(1)
    expect(await spawned).toBe('start_timeout')
    expect(team.supervisor.agentIds()).toEqual([])
    expect(team.events.at(-1)).toMatchObject({ type: 'agent-removed', agentId: 'a' })
    await team.clock.advanceAsync(60_000)
    expect(team.host.stays).toHaveLength(1)
  })

  test.each([
    [{ kind: 'error', code: 'start_failed', message: 'no such module' }, 'start_failed'],
    [{ kind: 'error', code: 'storage_full', message: 'no room' }, 'storage_full'],
    [{ kind: 'error', code: 'E_USER', message: 'thrown at load' }, 'start_failed'],
    [{ kind: 'exit', code: 3 }, 'start_failed'],
  ] as const)('that ends as %o fails as %s', async (end, code) => {
    const team = await scriptedSupervisor()
    const spawned = codeOf(team.supervisor.spawn(specOf('a')))
    ;(await team.host.stay('a')).end(end)
    expect(await spawned).toBe(code)
    expect(team.supervisor.agentIds()).toEqual([])
  })

  test('that the host refuses leaves no claim behind', async () => {
    const team = await scriptedSupervisor()
    const stay = await team.spawn('a')
    stay.end(CRASH)
    team.host.refusal = new Error('no thread to be had')
    await team.clock.advanceAsync(200)
    expect(stateOf(team, 'a')).toBe('hibernated')
    const sent = send(team, 'a', 'x')
    const next = await team.host.stay('a', 2)
    next.ready()
    next.finish('x')
    await sent
  })

  test('asked for twice at once is one start; both wait for it', async () => {
    const team = await scriptedSupervisor()
    const both = [team.supervisor.spawn(specOf('a')), team.supervisor.spawn(specOf('a'))]
    let settled = 0
    for (const spawned of both) void spawned.then(() => (settled += 1))
    const stay = await team.host.stay('a')
    expect(settled).toBe(0)
    stay.ready()
    await Promise.all(both)
    expect(team.host.stays).toHaveLength(1)
  })

  test('by hand cuts a backoff short', async () => {
    const team = await scriptedSupervisor()
    ;(await team.spawn('a')).end(CRASH)
    await team.clock.advanceAsync(0)
    const started = team.supervisor.start('a')
    ;(await team.host.stay('a', 2)).ready()
    await started
    expect(stateOf(team, 'a')).toBe('idle')
    await team.clock.advanceAsync(10_000)
    expect(team.host.stays).toHaveLength(2)
  })

  test('during a stop waits for it, and then starts', async () => {
    const team = await scriptedSupervisor()
    const stay = await team.spawn('a')
    const stopped = team.supervisor.stop('a', 1_000)
    const started = team.supervisor.start('a')
    await team.clock.advanceAsync(0)
    expect(team.host.stays).toHaveLength(1)
    stay.end({ kind: 'stopped' })
    await stopped
    ;(await team.host.stay('a', 2)).ready()
    await started
    expect(stateOf(team, 'a')).toBe('idle')
  })
})

describe('a stop', () => {
  test('is asked for with its grace, and forced when that is over', async () => {
    const team = await scriptedSupervisor()
    const stay = await team.spawn('a')
    const sent = send(team, 'a', 'x')
    const stopped = team.supervisor.stop('a', 1_000)
    expect(stay.all('stop')).toEqual([{ type: 'stop', graceMs: 1_000 }])
    expect(await codeOf(send(team, 'a', 'y'))).toBe('agent_stopped')
    await team.clock.advanceAsync(7_999)
    expect(stay.terminatedFor).toBeUndefined()
    await team.clock.advanceAsync(1)
    await stopped
    expect(stay.terminatedFor).toContain('did not stop')
    expect(await codeOf(sent)).toBe('agent_crashed')
    expect(stateOf(team, 'a')).toBe('stopped')
    await team.clock.advanceAsync(60_000)
    expect(team.host.stays).toHaveLength(1)
  })

  test('of a thread that answers nothing is forced by the heartbeat, its grace not waited for', async () => {
    const team = await scriptedSupervisor()
    const stay = await team.spawn('a')
    stay.answersPings = false
    const stopped = team.supervisor.stop('a', 60_000)
    await team.clock.advanceAsync(8_000)
    await stopped
    expect(stay.terminatedFor).toContain('heartbeats')
  })

  test.each(['starting', 'restarting'] as const)('of an agent that is %s ends that', async (state) => {
    const team = await scriptedSupervisor({ capacity: 1 })
    const stay = await team.spawn('a')
    stay.end(CRASH)
    await team.clock.advanceAsync(0)
    if (state === 'starting') {
      await team.spawn('b') // takes the only thread
      void send(team, 'b', 'busy')
      await team.clock.advanceAsync(200)
    }
    expect(stateOf(team, 'a')).toBe(state)
    const waiting = send(team, 'a', 'x')
    await team.supervisor.stop('a', 1_000)
    expect(await codeOf(waiting)).toBe('agent_stopped')
    await team.clock.advanceAsync(60_000)
    expect(team.host.stays.filter(({ agentId }) => agentId === 'a')).toHaveLength(1)
  })
})

describe('hibernation', () => {
  test('comes after the idle time, counted from the last answer', async () => {
    const team = await scriptedSupervisor({ limits: { hibernateAfterMs: 1_000 } })
    const stay = await team.spawn('a')
    await team.clock.advanceAsync(999)
    const sent = send(team, 'a', 'x')
    await team.clock.advanceAsync(5_000)
    expect(stay.all('rest')).toEqual([])
    stay.finish('x')
    await sent
    await team.clock.advanceAsync(999)
    expect(stay.all('rest')).toEqual([])
    await team.clock.advanceAsync(1)
    expect(stay.all('rest')).toHaveLength(1)
    stay.end({ kind: 'stopped' })
    await team.clock.advanceAsync(0)
    expect(stateOf(team, 'a')).toBe('hibernated')
  })

  test('a message that meets it waits for the next stay and is sent once', async () => {
    const team = await scriptedSupervisor({ limits: { hibernateAfterMs: 1_000 } })
    const stay = await team.spawn('a')
    await team.clock.advanceAsync(1_000)
    const sent = send(team, 'a', 'x')
    expect(stay.all('message')).toEqual([])
    stay.end({ kind: 'stopped' })
    const next = await team.host.stay('a', 2)
    next.ready()
    expect(next.all('message')).toHaveLength(1)
    next.finish('x')
    expect(await sent).toMatchObject({ result: 'x' })
  })

  test('a crash on the way to it is a crash; what waits goes to the next stay', async () => {
    const team = await scriptedSupervisor({ limits: { hibernateAfterMs: 1_000 } })
    const stay = await team.spawn('a')
    await team.clock.advanceAsync(1_000)
    const sent = send(team, 'a', 'x')
    stay.end(CRASH)
    await team.clock.advanceAsync(200)
    const next = await team.host.stay('a', 2)
    next.ready()
    next.finish('x')
    expect(await sent).toMatchObject({ result: 'x' })
  })

  test('makes room at once when another agent waits for a thread: the longest idle goes first', async () => {
    const team = await scriptedSupervisor({ capacity: 3 })
    const stays = new Map<string, Awaited<ReturnType<typeof team.spawn>>>()
    for (const id of ['old', 'busy', 'new']) {
      stays.set(id, await team.spawn(id))
      await team.clock.advanceAsync(100)
    }
    void send(team, 'busy', 'long')
    const spawned = team.supervisor.spawn(specOf('next'))
    await team.clock.advanceAsync(0)
    expect(['old', 'busy', 'new'].map((id) => stays.get(id)?.all('rest').length)).toEqual([1, 0, 0])
    stays.get('old')?.end({ kind: 'stopped' })
    ;(await team.host.stay('next')).ready()
    await spawned
  })

  test('comes at once to an agent that falls idle while another waits for its thread', async () => {
    const team = await scriptedSupervisor({ capacity: 1 })
    const stay = await team.spawn('a')
    const sent = send(team, 'a', 'x')
    const spawned = team.supervisor.spawn(specOf('b'))
    await team.clock.advanceAsync(1_000)
    expect(stay.all('rest')).toEqual([])
    stay.finish('x')
    await sent
    expect(stay.all('rest')).toHaveLength(1)
    stay.end({ kind: 'stopped' })
    ;(await team.host.stay('b')).ready()
    await spawned
  })

  test('does not begin while calls that waited are being sent, although one of them was answered on its way', async () => {
    const team = await scriptedSupervisor({ capacity: 1 })
    const first = await team.spawn('a')
    const { claim } = first.options
    const { sessionId, turnId, records } = recordsOfQueuedMessage(claim)
    await team.store.append(claim, sessionId, 0, records)
    first.say({ type: 'records', sessionId, records, journalOffset: 100 })
    // Durable, and not reported before the crash.
    const at = '2026-01-01T00:00:00.000Z'
    await team.store.append(claim, sessionId, 2, [
      { seq: 3, epoch: claim.token, at, type: 'turn.started', turnId, attempt: 1 },
      { seq: 4, epoch: claim.token, at, type: 'turn.finished', turnId, status: 'completed', exitCode: 0 },
    ])
    first.end(CRASH)
    await team.clock.advanceAsync(0)
    const again = { input: 'queued', ack: 'finished', options: { taskId: turnId } } as const
    const answered = codeOf(team.supervisor.send('a', again))
    const sent = send(team, 'a', 'x')
    await team.clock.advanceAsync(200)
    const second = await team.host.stay('a', 2)
    const other = codeOf(team.supervisor.spawn(specOf('b'))) // waits for the only thread
    await team.clock.advanceAsync(0)
    second.ready()
    expect(second.received.map(({ type }) => type)).toEqual(['message'])
    second.finish('x')
    expect(await sent).toMatchObject({ result: 'x' })
    expect(second.received.map(({ type }) => type)).toEqual(['message', 'rest'])
    second.end({ kind: 'stopped' })
    ;(await team.host.stay('b')).ready()
    expect(await other).toBe('resolved')
    await answered
  })
})

describe('an agent that gets no thread', () => {
  test('is told so when its time is over, and may try again', async () => {
    const team = await scriptedSupervisor({ capacity: 1, limits: { threadWaitMs: 2_000 } })
    const stay = await team.spawn('a')
    const busy = send(team, 'a', 'long')
    const spawned = codeOf(team.supervisor.spawn(specOf('b')))
    await team.clock.advanceAsync(1_999)
    expect(stateOf(team, 'b')).toBe('starting')
    await team.clock.advanceAsync(1)
    expect(await spawned).toBe('no_thread')
    stay.finish('long')
    await busy
    const again = team.supervisor.spawn(specOf('b'))
    await team.clock.advanceAsync(0)
    stay.end({ kind: 'stopped' })
    ;(await team.host.stay('b')).ready()
    await again
  })

  test('although acknowledged work waits in its session is started again and again until it gets one', async () => {
    const team = await scriptedSupervisor({ capacity: 1, limits: { threadWaitMs: 2_000 } })
    const first = await team.spawn('a')
    const { sessionId, records } = recordsOfQueuedMessage(first.options.claim)
    first.say({ type: 'records', sessionId, records, journalOffset: 100 })
    first.end(CRASH)
    await team.clock.advanceAsync(0)
    const busy = await team.spawn('b')
    const sent = send(team, 'b', 'long')
    await team.clock.advanceAsync(60_000)
    expect(['starting', 'hibernated']).toContain(stateOf(team, 'a'))
    expect(team.host.stays).toHaveLength(2)
    busy.finish('long')
    await sent
    while (busy.all('rest').length === 0) await team.clock.advanceAsync(100)
    busy.end({ kind: 'stopped' })
    const second = await team.host.stay('a', 2)
    expect(second.options.resume).toBe(true)
  })
})

describe('heartbeats', () => {
  test('end a thread that leaves five unanswered, and no other', async () => {
    const team = await scriptedSupervisor()
    const [healthy, stuck] = [await team.spawn('healthy'), await team.spawn('stuck')]
    stuck.answersPings = false
    await team.clock.advanceAsync(4_900)
    expect(stuck.terminatedFor).toBeUndefined()
    await team.clock.advanceAsync(2_100)
    expect(stuck.terminatedFor).toContain('heartbeats')
    expect(healthy.terminatedFor).toBeUndefined()
  })

  test('are not held against a thread while the supervisor itself was held up', async () => {
    const clock = new LeapingClock()
    const team = await scriptedSupervisor({ clock })
    const stay = await team.spawn('a')
    stay.answersPings = false
    for (let round = 0; round < 5; round++) {
      await clock.advanceAsync(4_500)
      clock.leap(7_000)
    }
    expect(stay.terminatedFor).toBeUndefined()
    await clock.advanceAsync(7_000)
    expect(stay.terminatedFor).toContain('heartbeats')
  })
})

describe('deadlines', () => {
  test('of a start and of a stop begin anew where the supervisor stood still', async () => {
    const clock = new LeapingClock()
    const team = await scriptedSupervisor({ clock })
    const spawned = team.supervisor.spawn(specOf('a'))
    const stay = await team.host.stay('a')
    await clock.advanceAsync(5_000)
    clock.leap(20_000)
    await clock.advanceAsync(14_000)
    stay.ready()
    await spawned
    const stopped = team.supervisor.stop('a', 1_000)
    await clock.advanceAsync(5_000)
    clock.leap(20_000)
    await clock.advanceAsync(10_000)
    expect(stay.terminatedFor).toBeUndefined()
    stay.end({ kind: 'stopped' })
    await stopped
  })
})

describe('memory', () => {
  const usage = (mb: number) => ({
    heapBytes: (mb * 2 ** 20) / 2,
    externalBytes: (mb * 2 ** 20) / 2,
    cpuMs: 1,
    loopUtilization: 0.5,
  })

  test('above the limit ends the thread, heap and Buffers counted together', async () => {
    const team = await scriptedSupervisor()
    const stay = await team.spawn('a')
    stay.reading = Promise.resolve(usage(99))
    await team.clock.advanceAsync(1_000)
    expect(stay.terminatedFor).toBeUndefined()
    expect(team.supervisor.info('a').usage).toEqual(usage(99))
    stay.reading = Promise.resolve(usage(101))
    await team.clock.advanceAsync(100)
    expect(stay.terminatedFor).toBe('used 101 MiB of memory, its limit is 100 MiB')
    expect(team.supervisor.info('a').usage).toBeUndefined()
  })

  test('is published once a second, however often it is read', async () => {
    const team = await scriptedSupervisor()
    const stay = await team.spawn('a')
    stay.reading = Promise.resolve(usage(10))
    await team.clock.advanceAsync(10_000)
    expect(team.events.filter(({ type }) => type === 'usage')).toHaveLength(10)
  })
})

/** The records of a session that was created, and has one acknowledged message in its queue. */
function recordsOfQueuedMessage({ agentId, token: epoch }: Claim): {
  sessionId: string
  turnId: string
  records: SessionRecord[]
} {
  const [sessionId, turnId] = [createId(), createId()]
  const envelope = { epoch, at: '2026-01-01T00:00:00.000Z' }
  const created = {
    name: 'default',
    description: '',
    status: 'active',
    activation: 1,
    workingDir: '/',
    prompt: '',
    vars: {},
    metadata: {},
  } as const
  return {
    sessionId,
    turnId,
    records: [
      { ...envelope, seq: 1, type: 'session.created', sessionId, agentId, ...created },
      { ...envelope, seq: 2, type: 'message.accepted', turnId, taskId: turnId, input: 'queued' },
    ],
  }
}
