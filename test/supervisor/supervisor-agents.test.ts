/** The agents of a team: spawn, stop, start, restart, removal, and commands on sessions of those that do not run. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createTeam, type Team, type TeamEvent } from '../../src/index.ts'
import { fakeBehavior, openTeam } from '../fakes/open-team.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'
import { until } from '../fakes/until.ts'

describe('a spawn', () => {
  test.each([
    ['throws at load', 10_000, { 'throws-at-load': ['start_failed', 'the module is broken'] }],
    [
      'exports no behavior',
      10_000,
      { 'no-default': ['start_failed', 'expected a default export made by defineBehavior'] },
    ],
    ['exits at load', 10_000, { 'exits-at-load': ['start_failed', 'exited with code 7'] }],
    [
      'never finishes loading',
      2_000,
      {
        'hangs-at-load': ['start_timeout', 'was not ready within 2000 ms'],
        'loops-at-load': ['start_timeout', 'was not ready within 2000 ms'],
      },
    ],
  ] as [what: string, startMs: number, modules: Record<string, [code: string, message: string]>][])(
    'of a module that %s fails in time; nothing is registered, nothing left',
    async (_what, startMs, modules) => {
      const data = temporaryDirectory()
      const team = await openTeam({ data, limits: { startMs } })
      const neighbour = await team.spawn({ id: 'neighbour', behavior: 'echo' }) // with a thread that is up
      await Promise.all(
        Object.entries(modules).map(async ([id, [code, message]]) => {
          await expect(team.spawn({ id, behavior: fakeBehavior(id) })).rejects.toMatchObject({
            code,
            message: expect.stringContaining(message) as string,
          })
        }),
      )
      expect(team.agents().map(({ id }) => id)).toEqual(['neighbour'])
      expect(await neighbour.send('x')).toMatchObject({ result: 'x' })
      for (const id of Object.keys(modules)) {
        // The name is free, and its claim.
        expect(await (await team.spawn({ id, behavior: 'echo' })).send('y')).toMatchObject({ result: 'y' })
        await team.removeAgent(id)
      }
      await team.close()
      expect((await openTeam({ data })).agents().map(({ id }) => id)).toEqual(['neighbour'])
    },
  )

  test('of a module that is not there is refused before anything is started', async () => {
    const team = await openTeam()
    await expect(team.spawn({ id: 'a', behavior: './no/such/module.ts' })).rejects.toMatchObject({
      code: 'invalid_config',
    })
    await expect(team.spawn({ id: 'Not An Id', behavior: 'echo' })).rejects.toMatchObject({
      code: 'invalid_id',
    })
    expect(team.agents()).toEqual([])
  })

  test('of a known id gives its agent for the same spec, and agent_exists for another', async () => {
    const team = await openTeam()
    const first = await team.spawn({ id: 'a', behavior: 'echo' })
    expect((await team.spawn({ id: 'a', behavior: 'echo' })).id).toBe(first.id)
    await expect(team.spawn({ id: 'a', behavior: 'shell' })).rejects.toMatchObject({ code: 'agent_exists' })
  })
})

describe('the registry', () => {
  test('brings every agent back with its current session; a stopped one stays stopped until it is started', async () => {
    const data = temporaryDirectory()
    const before = await openTeam({ data })
    const a = await before.spawn({ id: 'a', behavior: 'echo', role: 'Answers' })
    const b = await before.spawn({ id: 'b', behavior: 'echo' })
    await before.spawn({ id: 'gone', behavior: 'echo' })
    await a.createSession({ name: 'old' })
    const current = await a.createSession({ name: 'current' })
    await b.send('x')
    await b.stop()
    await before.removeAgent('gone')
    await expect(b.send('y')).rejects.toMatchObject({ code: 'agent_stopped' })
    await before.close()

    const team = await openTeam({ data })
    expect(team.agents().map(({ id, state, role }) => ({ id, state, role }))).toEqual([
      { id: 'a', state: 'hibernated', role: 'Answers' },
      { id: 'b', state: 'stopped', role: '' },
    ])
    expect(team.agent('a')?.currentSession()?.id).toBe(current.id)
    expect(await team.agent('a')?.send('x')).toMatchObject({ sessionId: current.id })
    await expect(team.agent('b')?.send('y')).rejects.toMatchObject({ code: 'agent_stopped' })
    await team.agent('b')?.start()
    expect(await team.agent('b')?.send('y')).toMatchObject({ result: 'y' })
    await team.close()
    expect((await openTeam({ data })).agent('b')?.info().state).toBe('hibernated')
  })

  test('lets the agents of the options win, and keeps the others', async () => {
    const data = temporaryDirectory()
    const before = await openTeam({
      data,
      agents: [
        { id: 'a', behavior: 'echo' },
        { id: 'b', behavior: 'echo' },
      ],
    })
    await before.close()
    const team = await openTeam({ data, agents: [{ id: 'a', behavior: 'echo', role: 'New' }] })
    expect(team.agents().map(({ id, role }) => ({ id, role }))).toEqual([
      { id: 'a', role: 'New' },
      { id: 'b', role: '' },
    ])
  })
})

describe('an agent', () => {
  test('can be stopped, started and restarted; its session and its queue are kept', async () => {
    const team = await openTeam()
    const agent = await team.spawn({ id: 'a', behavior: 'echo' })
    const { sessionId } = await agent.send('one')
    await agent.stop()
    await agent.stop()
    expect(agent.info().state).toBe('stopped')
    await agent.start()
    await agent.start()
    expect(await agent.send('two')).toMatchObject({ sessionId })
    await Promise.all([agent.restart(), agent.restart()])
    expect(await agent.send('three')).toMatchObject({ sessionId })
    const [stopped, started] = await Promise.allSettled([agent.stop(), agent.start()])
    expect([stopped.status, started.status]).toEqual(['fulfilled', 'fulfilled'])
    expect(await agent.send('four')).toMatchObject({ sessionId })
    expect((await team.readSession(sessionId)).counts.turns).toBe(4)
    expect(agent.info()).toMatchObject({ restarts: 0 })
  })

  test('that is removed leaves its sessions, which its successor has', async () => {
    const team = await openTeam()
    const agent = await team.spawn({ id: 'a', behavior: 'echo' })
    const { sessionId } = await agent.send('one')
    await team.removeAgent('a')
    expect(team.agent('a')).toBeUndefined()
    await expect(agent.send('two')).rejects.toMatchObject({ code: 'agent_not_found' })
    await expect(team.removeAgent('a')).rejects.toMatchObject({ code: 'agent_not_found' })
    expect(team.session(sessionId)).toMatchObject({ status: 'active' })
    const successor = await team.spawn({ id: 'a', behavior: 'echo', role: 'Another' })
    expect(await successor.send('two')).toMatchObject({ sessionId })
  })

  test('that is stopped in the middle of a turn ends it within its grace', async () => {
    const gate = join(temporaryDirectory(), 'gate')
    const team = await openTeam()
    const agent = await team.spawn({ id: 'a', behavior: fakeBehavior('waiting') })
    const finished = agent.send(`wait ${gate}`)
    await until('it runs', () => agent.info().state === 'working')
    const stopped = agent.stop({ graceMs: 20_000 })
    writeFileSync(gate, '')
    await stopped
    expect(await finished).toMatchObject({ status: 'completed' })
    await agent.start()
    const cut = agent.send(`wait ${gate}.other`)
    await until('it runs', () => agent.info().state === 'working')
    await agent.stop({ graceMs: 10 })
    expect(await cut).toMatchObject({ status: 'interrupted' })
  })
})

describe('the sessions of an agent that does not run', () => {
  async function expectCommandsWork(team: Team, agentId: string, sessionId: string): Promise<void> {
    const agent = team.agent(agentId)
    if (agent === undefined) throw new Error(`expected agent ${agentId}`)
    // Many at once, and the start of the agent in the middle of them: nothing is refused, nothing is lost.
    const settled = await Promise.allSettled([
      agent.updateSession(sessionId, { metadata: { one: 1 } }),
      agent.updateSession(sessionId, { metadata: { two: 2 } }),
      agent.start(),
      agent.updateSession(sessionId, { metadata: { three: 3 } }),
      agent.send('and a message'),
    ])
    expect(settled.filter(({ status }) => status === 'rejected')).toEqual([])
    expect(team.session(sessionId)?.metadata).toEqual({ one: 1, two: 2, three: 3 })
    await agent.stop()
    const fork = await agent.forkSession(sessionId, 'fork')
    await agent.updateSession(fork.id, { description: 'worked on' })
    await agent.saveSession(sessionId)
    await agent.deleteSession(fork.id)
    expect(team.sessions({ trashed: true }).map(({ id }) => id)).toContain(fork.id)
    const restored = await agent.restoreSession(fork.id)
    expect(restored).toMatchObject({ name: 'fork', description: 'worked on', status: 'terminated' })
    await agent.start()
    expect(await agent.send('after all that')).toMatchObject({ status: 'completed', sessionId })
  }

  test('are worked on while it is stopped', async () => {
    const team = await openTeam()
    const agent = await team.spawn({ id: 'a', behavior: 'echo' })
    const { sessionId } = await agent.send('one')
    await agent.stop()
    await expectCommandsWork(team, 'a', sessionId)
  })

  test('are worked on while it is failed', async () => {
    const team = await openTeam()
    const agent = await team.spawn({ id: 'a', behavior: fakeBehavior('rogue'), restart: { maxRestarts: 0 } })
    const { sessionId } = await agent.send('one')
    await expect(agent.send('exit 1')).rejects.toMatchObject({ code: 'agent_crashed' })
    expect(agent.info().state).toBe('failed')
    await expectCommandsWork(team, 'a', sessionId)
  })

  test('are worked on where it is not registered any more: cleanup and trash', async () => {
    const team = await openTeam()
    const agent = await team.spawn({ id: 'a', behavior: 'echo' })
    const old = await agent.createSession({ name: 'old' })
    await agent.terminateSession(old.id)
    await team.removeAgent('a')
    expect((await team.cleanup({ maxCount: 0 })).map(({ id }) => id)).toEqual([old.id])
    expect(team.session(old.id)).toBeUndefined()
    const successor = await team.spawn({ id: 'a', behavior: 'echo' })
    expect(await successor.restoreSession(old.id)).toMatchObject({ name: 'old' })
  })

  test('hold up no thread for long: the maintenance of many agents passes through few threads', async () => {
    const team = await openTeam({ limits: { threads: 2 } })
    const agents = await Promise.all(
      [1, 2, 3, 4, 5].map((n) => team.spawn({ id: `a${n}`, behavior: 'echo' })),
    )
    for (const agent of agents) {
      await agent.createSession({ name: 'kept' })
      await agent.stop()
    }
    const names = await Promise.all(
      agents.map(async (agent) => {
        const session = await agent.updateSession(agent.currentSession()?.id ?? '', {
          name: `of ${agent.id}`,
        })
        await agent.start()
        return session.name
      }),
    )
    expect(names).toEqual(agents.map(({ id }) => `of ${id}`))
    const outcomes = await Promise.all(agents.map((agent) => agent.send(agent.id)))
    expect(outcomes.map(({ result }) => result)).toEqual(agents.map(({ id }) => id))
  })
})

describe('cleanup', () => {
  test('shows what it would do, does it, and can be undone; active and suspended sessions stay', async () => {
    const team = await openTeam()
    const agent = await team.spawn({ id: 'a', behavior: 'echo' })
    const [terminated, suspended, active] = [
      await agent.createSession({ name: 'terminated' }),
      await agent.createSession({ name: 'suspended' }),
      await agent.createSession({ name: 'active' }),
    ]
    await agent.terminateSession(terminated.id)
    const policy = { maxCount: 0, maxAgeMs: 0 }
    const ids = async (options: { dryRun?: boolean }) =>
      (await team.cleanup(policy, options)).map(({ id }) => id)
    expect(await ids({ dryRun: true })).toEqual([terminated.id])
    expect(team.session(terminated.id)).toBeDefined()
    expect(await ids({})).toEqual([terminated.id])
    expect(
      team
        .sessions()
        .map(({ id }) => id)
        .sort(),
    ).toEqual([suspended.id, active.id].sort())
    expect(team.sessions({ trashed: true }).map(({ id }) => id)).toEqual([terminated.id])
    expect(await ids({})).toEqual([])
    await agent.restoreSession(terminated.id)
    expect(team.session(terminated.id)).toMatchObject({ status: 'terminated', name: 'terminated' })
    expect(team.sessions({ trashed: true })).toEqual([])
    const fork = await agent.forkSession(terminated.id)
    expect(await agent.loadSession(fork.id)).toMatchObject({ status: 'active' })
  })

  test('runs by itself when the team is opened with a policy, and empties the trash of what is old', async () => {
    const data = temporaryDirectory()
    const before = await openTeam({ data })
    const agent = await before.spawn({ id: 'a', behavior: 'echo' })
    const old = await agent.createSession({ name: 'old' })
    await agent.terminateSession(old.id)
    await before.close()
    const team = await openTeam({ data, retention: { maxCount: 0, trashAgeMs: 3_600_000 } })
    await until('it is in the trash', () => team.sessions({ trashed: true }).some(({ id }) => id === old.id))
    await team.close()
    const later = await openTeam({ data, retention: { maxCount: 0, trashAgeMs: 0 } })
    await until('it is gone', () => later.sessions({ trashed: true }).length === 0)
    await expect(later.agent('a')?.restoreSession(old.id)).rejects.toMatchObject({
      code: 'session_not_found',
    })
  })
})

describe('the events of a team', () => {
  test('tell what happened in its order, one number after the other', async () => {
    const team = await openTeam()
    const events: TeamEvent[] = []
    const reading = (async () => {
      for await (const event of team.events()) if (event.type !== 'usage') events.push(event)
    })()
    const agent = await team.spawn({ id: 'a', behavior: fakeBehavior('rogue') })
    await agent.send('print hello')
    await agent.stop()
    await team.removeAgent('a')
    await expect(team.spawn({ id: 'b', behavior: fakeBehavior('throws-at-load') })).rejects.toThrow('broken')
    await team.close()
    await reading

    expect(new Set(events.map(({ epoch }) => epoch))).toEqual(new Set([team.epoch]))
    const seqs = events.map(({ seq }) => seq)
    expect(seqs).toEqual(seqs.toSorted((x, y) => x - y))
    const story = events.flatMap((event) => {
      if (event.type === 'agent-state') return [`${event.agentId} ${event.state}`]
      if (event.type === 'agent-removed') return [`${event.agentId} removed`]
      return event.type === 'turn' ? [event.event.type] : []
    })
    expect(story.filter((word, index) => word !== story[index - 1])).toEqual([
      'a starting',
      'a idle',
      'turn-started',
      'a working',
      'turn-finished',
      'a idle',
      'a stopped',
      'a removed',
      'b starting',
      'b restarting',
      'b stopped',
      'b removed',
    ])
    const printed = events.flatMap((event) =>
      event.type === 'log' && event.stream === 'stdout' ? [event.text] : [],
    )
    expect(printed.join('')).toContain('hello')
    const turns = events.flatMap((event) => (event.type === 'session' ? [event.session.counts.turns] : []))
    expect(turns).toEqual(turns.toSorted((x, y) => x - y))
    expect(turns.at(-1)).toBe(1)
  })
})

describe('the end of a team', () => {
  test('comes by `await using`, refuses what comes after, and frees the directory', async () => {
    const data = temporaryDirectory()
    let agent
    {
      await using team = await createTeam({ data })
      agent = await team.spawn({ id: 'a', behavior: 'echo' })
      await expect(createTeam({ data })).rejects.toMatchObject({ code: 'directory_owned' })
    }
    await expect(agent.send('x')).rejects.toMatchObject({ code: 'team_closed' })
    await expect(agent.createSession({ name: 'x' })).rejects.toMatchObject({ code: 'team_closed' })
    await using again = await createTeam({ data })
    expect(again.agents()).toHaveLength(1)
  })

  test('settles every call that is under way, and ends the events after the last of them', async () => {
    const gate = join(temporaryDirectory(), 'gate')
    const team = await openTeam({ limits: { threads: 1 } })
    const agent = await team.spawn({ id: 'a', behavior: fakeBehavior('waiting') })
    const types: string[] = []
    const reading = (async () => {
      for await (const event of team.events())
        types.push(event.type === 'agent-state' ? event.state : event.type)
    })()
    const calls = [agent.send(`wait ${gate}`), agent.send('queued'), agent.createSession({ name: 'behind' })]
    const settled = Promise.allSettled([...calls, team.spawn({ id: 'b', behavior: 'echo' })])
    await until('it runs', () => agent.info().state === 'working')
    await Promise.all([team.close({ graceMs: 0 }), team.close()])
    const codes = (await settled).map((result) =>
      result.status === 'fulfilled' && 'status' in result.value ? result.value.status : 'rejected',
    )
    expect(codes).toEqual(['interrupted', 'cancelled', 'rejected', 'rejected'])
    await reading
    expect(types.at(-1)).toBe('stopped')
  })
})
