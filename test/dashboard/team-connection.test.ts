import { setImmediate as nextTick } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Input } from '../../src/dashboard/model/input.ts'
import { isLoss, TeamConnection } from '../../src/dashboard/team-connection.ts'
import { AgentryError } from '../../src/errors.ts'
import { SimulatedClock } from '../fakes/simulated-clock.ts'
import { FakeTeam } from './fake-team.ts'
import { agent, session } from './fixtures.ts'

/** What was dispatched, each in a word or two. */
function said(input: Input): string {
  switch (input.type) {
    case 'event':
      return `event ${input.event.type}${'state' in input.event ? ` ${input.event.state}` : ''}`
    case 'agent':
      return `agent ${input.agent.state}`
    case 'connection-lost':
      return `lost ${input.attempt}: ${input.reason}`
    default:
      return input.type
  }
}

/** Connects to these teams, one after the other; beyond them nobody answers. */
function connectTo(...teams: readonly (FakeTeam | Error)[]) {
  const clock = new SimulatedClock()
  const log: string[] = []
  const left = [...teams]
  const connection = new TeamConnection({
    async connect() {
      const next = left.shift() ?? new AgentryError('gateway_unreachable', 'nobody')
      if (next instanceof FakeTeam) return next.remote()
      throw next
    },
    dispatch: (input) => log.push(said(input)),
    clock,
    random: () => 0,
  })
  onTestFinished(async () => connection.close())
  return { connection, clock, log }
}

describe('the line to the team', () => {
  test('reads the lists behind the beginning of the events, and hands on what came meanwhile after them', async () => {
    const team = new FakeTeam()
    team.lists.hold()
    const { log } = connectTo(team)
    await nextTick()
    team.happens({ type: 'agent-state', agentId: 'ops', state: 'working' })
    await nextTick()
    expect(log).toEqual([])
    team.lists.open()
    await nextTick()
    team.happens({ type: 'session', session: session('s1', 'ops'), gone: false })
    await nextTick()
    expect(log).toEqual(['lists', 'connected', 'event agent-state working', 'event session'])
  })

  test('says a loss, reads the lists of the next supervisor, and gives its team to who waits', async () => {
    const first = new FakeTeam()
    const second = new FakeTeam()
    second.sessions = [session('s2', 'ops')]
    const { connection, clock, log } = connectTo(first, second)
    await nextTick()
    first.events.end()
    await nextTick()
    expect(log.splice(0)).toEqual(['lists', 'connected', 'lost 1: the supervisor has ended'])
    expect(first.closed).toBe(1)
    expect(() => connection.team()).toThrow(expect.objectContaining({ code: 'gateway_unreachable' }))
    const waiting = connection.whenConnected()
    await clock.advanceAsync(200)
    expect(log).toEqual(['lists', 'connected'])
    expect(await (await waiting).sessions()).toHaveLength(1)
  })

  test('takes a supervisor that ends before it gave its lists for none', async () => {
    const team = new FakeTeam()
    team.lists.hold()
    const { log } = connectTo(team)
    await nextTick()
    team.events.end()
    await nextTick()
    team.lists.open()
    await nextTick()
    expect(log).toEqual(['lost 1: the supervisor has ended'])
  })

  test('counts attempts from the last connection on, and waits longer from one to the next', async () => {
    const { clock, log } = connectTo(new Error('a'), new Error('b'), new FakeTeam())
    await nextTick()
    const waits = [clock.nextDelayMs]
    await clock.advanceAsync(clock.nextDelayMs ?? 0)
    waits.push(clock.nextDelayMs)
    await clock.advanceAsync(clock.nextDelayMs ?? 0)
    expect(log).toEqual(['lost 1: a', 'lost 2: b', 'lists', 'connected'])
    expect(waits[1]).toBeGreaterThan(waits[0] ?? Infinity)
  })

  test('begins to count anew after a connection', async () => {
    const team = new FakeTeam()
    const { clock, log } = connectTo(new Error('a'), team)
    await clock.advanceAsync(200)
    team.events.end()
    await nextTick()
    expect(log.at(-1)).toBe('lost 1: the supervisor has ended')
  })

  test('hands on nothing of an agent while that is read: the answer may be older', async () => {
    const team = new FakeTeam()
    const { connection, log } = connectTo(team)
    await nextTick()
    log.splice(0)
    team.agents = [agent('ops', { state: 'restarting' })]
    team.info.hold()
    const reading = connection.readAgent('ops')
    await nextTick()
    team.happens({ type: 'agent-state', agentId: 'ops', state: 'idle' })
    team.happens({ type: 'agent-state', agentId: 'coder', state: 'working' })
    await nextTick()
    expect(log).toEqual(['event agent-state working'])
    team.info.open()
    await reading
    expect(log).toEqual(['event agent-state working', 'agent restarting', 'event agent-state idle'])
  })

  test('brings no agent back that was removed while it was read', async () => {
    const team = new FakeTeam()
    const { connection, log } = connectTo(team)
    await nextTick()
    log.splice(0)
    team.info.hold()
    const reading = connection.readAgent('ops')
    team.happens({ type: 'agent-removed', agentId: 'ops' })
    await nextTick()
    team.info.open()
    await reading
    expect(log).toEqual(['agent idle', 'event agent-removed'])
    team.agents = []
    await connection.readAgent('ops')
    expect(log).toHaveLength(2)
  })

  test('hands on nothing while the lists are read again, and reads them once', async () => {
    const team = new FakeTeam()
    const { connection, log } = connectTo(team)
    await nextTick()
    log.splice(0)
    team.lists.hold()
    const reading = [connection.readLists(), connection.readLists()]
    team.happens({ type: 'session', session: session('s1', 'ops'), gone: false })
    await nextTick()
    expect(log).toEqual([])
    team.lists.open()
    await Promise.all(reading)
    expect(log).toEqual(['lists', 'event session'])
  })

  test('forgets what a lost supervisor was asked', async () => {
    const first = new FakeTeam()
    const { connection, clock, log } = connectTo(first, new FakeTeam())
    await nextTick()
    first.lists.hold()
    first.info.hold()
    const reading = [connection.readLists(), connection.readAgent('ops')]
    await nextTick()
    first.events.end()
    await clock.advanceAsync(200)
    log.splice(0)
    first.lists.open()
    first.info.open()
    await Promise.all(reading)
    expect(log).toEqual([])
  })

  test('says nothing after its end, and lets nobody wait', async () => {
    const team = new FakeTeam()
    const { connection, clock, log } = connectTo(team)
    await nextTick()
    team.info.hold()
    const reading = connection.readAgent('ops')
    await nextTick()
    log.splice(0)
    await connection.close()
    await connection.close()
    team.info.open()
    await reading
    team.happens({ type: 'reset' })
    await nextTick()
    expect(log).toEqual([])
    expect(team.closed).toBe(1)
    expect(clock.timers).toBe(0)
    await expect(connection.whenConnected()).rejects.toMatchObject({ code: 'cancelled' })
  })

  test('ends in the middle of a wait for the next attempt', async () => {
    const { connection, clock } = connectTo()
    await nextTick()
    const waiting = connection.whenConnected()
    await connection.close()
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' })
    expect(clock.timers).toBe(0)
  })
})

test.each([
  ['gateway_unreachable', true],
  ['team_closed', true],
  ['cancelled', true],
  ['storage_failed', false],
] as const)('%s is a loss: %s', (code, loss) => {
  expect(isLoss(new AgentryError(code, ''))).toBe(loss)
})
