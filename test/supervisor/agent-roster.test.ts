import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { AgentSpec } from '../../src/agent-spec.ts'
import { AgentryError, toAgentryError } from '../../src/errors.ts'
import { type AgentRegistry, openRegistry } from '../../src/store/agent-registry.ts'
import { openDirectory } from '../../src/store/directory.ts'
import { AgentRoster } from '../../src/supervisor/agent-roster.ts'
import type { SupervisedAgent } from '../../src/supervisor/supervised-agent.ts'
import { FailingFs } from '../fakes/failing-fs.ts'
import { specOf } from '../fakes/scripted-supervisor.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'

/** An agent whose starts and stops the test settles; what happens to it is logged. */
class GatedAgent {
  readonly spec: AgentSpec
  readonly starting: PromiseWithResolvers<void> = Promise.withResolvers()
  readonly stopping: PromiseWithResolvers<void> = Promise.withResolvers()
  readonly #log: (what: string) => void

  constructor(spec: AgentSpec, log: (what: string) => void) {
    this.spec = spec
    this.#log = log
  }

  start(): Promise<void> {
    this.#log(`${this.spec.id} starts`)
    return this.starting.promise
  }

  stop(graceMs: number): Promise<void> {
    this.#log(`${this.spec.id} stops in ${graceMs}`)
    return this.stopping.promise
  }
}

interface Opened {
  roster: AgentRoster
  registry: AgentRegistry
  log: string[]
  disk: FailingFs
  /** The latest agent of an id. */
  agent: (id: string) => GatedAgent
  close: () => void
}

async function openRoster(prepare: (registry: AgentRegistry) => void = () => undefined): Promise<Opened> {
  const directory = temporaryDirectory()
  ;(await openDirectory({ directory })).close()
  const disk = new FailingFs()
  const registry = openRegistry(directory, disk.fs)
  prepare(registry)
  const log: string[] = []
  const agents = new Map<string, GatedAgent>()
  let open = true
  const roster = new AgentRoster({
    registry,
    create: (spec, stopped) => {
      log.push(`${spec.id} is made${stopped ? ' stopped' : ''}`)
      const agent = new GatedAgent(spec, (what) =>
        log.push(`${what}${registry.get(spec.id)?.stopped ? ', recorded as stopped' : ''}`),
      )
      agents.set(spec.id, agent)
      return agent as unknown as SupervisedAgent
    },
    assertOpen: () => {
      if (!open) throw new AgentryError('team_closed', '')
    },
    onRemoved: (id, registered) =>
      log.push(`${id} is gone, ${registered ? 'registered' : 'never registered'}`),
  })
  return {
    roster,
    registry,
    log,
    disk,
    agent: (id) => {
      const agent = agents.get(id)
      if (agent === undefined) throw new Error(`no agent ${id} was made`)
      return agent
    },
    close: () => (open = false),
  }
}

async function spawned(opened: Opened, id: string): Promise<void> {
  const spawn = opened.roster.spawn(specOf(id))
  opened.agent(id).starting.resolve()
  await spawn
}

/** What became of it so far. */
function watch(promise: Promise<void>): () => string {
  let state = 'pending'
  promise.then(
    () => (state = 'done'),
    (error: unknown) => (state = toAgentryError(error).code),
  )
  return () => state
}

const failure = new AgentryError('start_failed', 'no such module')

describe('a spawned agent', () => {
  test('is there at once, and registered once its first start has succeeded', async () => {
    const opened = await openRoster()
    const { roster, registry, agent } = opened
    const spawn = roster.spawn(specOf('a'))
    expect([roster.has('a'), registry.get('a')]).toEqual([true, undefined])
    agent('a').starting.resolve()
    await spawn
    expect(registry.get('a')).toEqual({ spec: specOf('a'), stopped: false })
  })

  test('whose start fails is stopped, and only then gone', async () => {
    const { roster, registry, agent, log } = await openRoster()
    const spawn = watch(roster.spawn(specOf('a')))
    agent('a').starting.reject(failure)
    await nextTurn()
    expect([spawn(), roster.has('a')]).toEqual(['pending', true])
    agent('a').stopping.resolve()
    await nextTurn()
    expect([spawn(), roster.has('a'), registry.all()]).toEqual(['start_failed', false, []])
    expect(log).toEqual(['a is made', 'a starts', 'a stops in 0', 'a is gone, never registered'])
  })

  test('that cannot be registered is not left running', async () => {
    const { roster, registry, agent, disk, log } = await openRoster()
    const spawn = watch(roster.spawn(specOf('a')))
    disk.fail('rename', 'EIO')
    agent('a').starting.resolve()
    agent('a').stopping.resolve()
    await nextTurn()
    expect([spawn(), roster.has('a'), registry.all()]).toEqual(['storage_failed', false, []])
    expect(log.slice(2)).toEqual(['a stops in 0', 'a is gone, never registered'])
  })

  test('asked for again is the same one; both wait for its start, and share its failure', async () => {
    const { roster, agent, log } = await openRoster()
    const both = [watch(roster.spawn(specOf('a'))), watch(roster.spawn(specOf('a')))]
    await nextTurn()
    expect(both.map((state) => state())).toEqual(['pending', 'pending'])
    agent('a').starting.reject(failure)
    agent('a').stopping.resolve()
    await nextTurn()
    expect(both.map((state) => state())).toEqual(['start_failed', 'start_failed'])
    expect(log.filter((line) => line === 'a starts')).toHaveLength(1)
  })

  test('asked for again later changes nothing; with another spec it is refused', async () => {
    const opened = await openRoster()
    await spawned(opened, 'a')
    const before = [...opened.log]
    await opened.roster.spawn(specOf('a'))
    const other = watch(opened.roster.spawn({ ...specOf('a'), role: 'another' }))
    await nextTurn()
    expect(other()).toBe('agent_exists')
    expect(opened.log).toEqual(before)
  })
})

describe('while a spawn is under way', () => {
  test.each([
    ['stop', (roster: AgentRoster) => roster.stop('a', 500), 'a stops in 500, recorded as stopped'],
    ['start', (roster: AgentRoster) => roster.start('a'), 'a starts'],
    ['remove', (roster: AgentRoster) => roster.remove('a'), 'a stops in 0'],
  ])('a %s waits for it', async (_what, act, logged) => {
    const { roster, agent, log } = await openRoster()
    const spawn = watch(roster.spawn(specOf('a')))
    const acted = watch(act(roster))
    await nextTurn()
    expect(log).toEqual(['a is made', 'a starts'])
    agent('a').starting.resolve()
    agent('a').stopping.resolve()
    await nextTurn()
    expect([spawn(), acted()]).toEqual(['done', 'done'])
    expect(log[2]).toBe(logged)
  })

  test('what waits for it finds no agent where it fails', async () => {
    const { roster, agent } = await openRoster()
    const states = [roster.spawn(specOf('a')), roster.stop('a', 500), roster.remove('a')].map(watch)
    agent('a').starting.reject(failure)
    agent('a').stopping.resolve()
    await nextTurn()
    expect(states.map((state) => state())).toEqual(['start_failed', 'agent_not_found', 'agent_not_found'])
  })
})

describe('an agent', () => {
  test('is recorded as stopped before it stops, and as running before it starts', async () => {
    const opened = await openRoster()
    await spawned(opened, 'a')
    void opened.roster.stop('a', 500)
    void opened.roster.start('a')
    expect(opened.log.slice(2)).toEqual(['a stops in 500, recorded as stopped', 'a starts'])
    expect(opened.registry.get('a')?.stopped).toBe(false)
  })

  test('is not stopped where that cannot be recorded', async () => {
    const opened = await openRoster()
    await spawned(opened, 'a')
    opened.disk.fail('rename', 'EIO')
    const stop = watch(opened.roster.stop('a', 500))
    await nextTurn()
    expect(stop()).toBe('storage_failed')
    expect(opened.log.slice(2)).toEqual([])
  })

  test('that is removed is there until its thread is gone', async () => {
    const opened = await openRoster()
    const { roster, registry, agent, log } = opened
    await spawned(opened, 'a')
    const removed = watch(roster.remove('a'))
    await nextTurn()
    expect([removed(), roster.has('a'), registry.all().length]).toEqual(['pending', true, 1])
    agent('a').stopping.resolve()
    await nextTurn()
    expect([removed(), roster.has('a'), registry.all().length]).toEqual(['done', false, 0])
    expect(log.slice(2)).toEqual(['a stops in 0', 'a is gone, registered'])
  })

  test('that is not known is refused with those that are', async () => {
    const opened = await openRoster()
    expect(() => opened.roster.get('x')).toThrow('no agent "x"; known agents: none')
    await spawned(opened, 'a')
    await spawned(opened, 'b')
    expect(() => opened.roster.get('x'.repeat(100))).toThrow(
      `no agent "${'x'.repeat(64)}"; known agents: a, b`,
    )
  })
})

test('the registered agents are there from the start, in their order, the stopped ones stopped; none is started', async () => {
  const { roster, log } = await openRoster((registry) => {
    registry.put(specOf('b'))
    registry.put(specOf('a'), true)
  })
  expect(roster.ids()).toEqual(['b', 'a'])
  expect(log).toEqual(['b is made', 'a is made stopped'])
})

describe('a spec of the configuration', () => {
  const changed: AgentSpec = { ...specOf('a'), role: 'another' }

  test.each([
    ['a spawned agent, which was stopped', true, false, changed, ['a stops in 0', 'a is made'], false],
    ['a spawned agent of the same spec', false, false, specOf('a'), ['a stops in 0', 'a is made'], false],
    ['a configured agent', false, true, changed, ['a stops in 0', 'a is made'], false],
    [
      'a configured agent, which was stopped',
      true,
      true,
      changed,
      ['a stops in 0', 'a is made stopped'],
      true,
    ],
    ['a configured agent of the same spec: nothing changes', true, true, specOf('a'), [], true],
  ])('replaces %s', async (_known, wasStopped, configured, spec, logged, stopped) => {
    const { roster, registry, agent, log } = await openRoster((before) =>
      before.put(specOf('a'), wasStopped, configured),
    )
    log.length = 0
    agent('a').stopping.resolve()
    await roster.define(spec)
    expect(log.map((line) => line.replace(', recorded as stopped', ''))).toEqual(logged)
    expect(registry.get('a')).toEqual({ spec, stopped, configured: true })
    expect(roster.get('a').spec).toEqual(spec)
  })

  test('of an agent that is not known registers it without a start', async () => {
    const { roster, registry, log } = await openRoster()
    await roster.define(specOf('a'))
    expect([log, roster.ids()]).toEqual([['a is made'], ['a']])
    expect(registry.get('a')).toEqual({ spec: specOf('a'), stopped: false, configured: true })
  })
})

test('once the team closes nothing is started, stopped or removed any more', async () => {
  const opened = await openRoster()
  await spawned(opened, 'a')
  opened.close()
  const { roster } = opened
  const states = [roster.spawn(specOf('b')), roster.start('a'), roster.stop('a', 0), roster.remove('a')].map(
    watch,
  )
  await nextTurn()
  expect(states.map((state) => state())).toEqual(Array(4).fill('team_closed'))
  expect(opened.log).toEqual(['a is made', 'a starts'])
})
