/** Agents and threads: more of those than of these, hibernation and wake, and what one agent's thread leaves to the next. */
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Agent, Team } from '../../src/api.ts'
import { fakeBehavior, openTeam } from '../fakes/open-team.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'
import { until } from '../fakes/until.ts'

function spawnMany(team: Team, count: number, behavior: string): Promise<Agent[]> {
  return Promise.all(
    Array.from({ length: count }, (_, index) => team.spawn({ id: `agent-${index}`, behavior })),
  )
}

/** Inputs of all turns that were started in the team, sorted. */
async function startedInputs(team: Team): Promise<string[]> {
  const inputs: string[] = []
  for (const { id } of team.sessions()) {
    const accepted = new Map<string, string>()
    for await (const record of team.records(id)) {
      if (record.type === 'message.accepted') accepted.set(record.turnId, record.input)
      if (record.type === 'turn.started') inputs.push(accepted.get(record.turnId) ?? 'not accepted')
    }
  }
  return inputs.sort()
}

describe('more agents than threads', () => {
  test('64 agents on 8 threads all answer, at once and again', async () => {
    const team = await openTeam({ limits: { threads: 8 } })
    const agents = await spawnMany(team, 64, 'echo')
    for (const round of ['first', 'second']) {
      const outcomes = await Promise.all(agents.map((agent) => agent.send(`${round} to ${agent.id}`)))
      expect(outcomes.map(({ result }) => result)).toEqual(agents.map(({ id }) => `${round} to ${id}`))
    }
    const { agents: states } = team.health()
    expect(states.idle + states.working).toBeLessThanOrEqual(8)
    expect(states.hibernated).toBeGreaterThanOrEqual(56)
    expect(team.agents().every(({ restarts }) => restarts === 0)).toBe(true)
  })

  test('also agents whose threads cannot be used again', async () => {
    const team = await openTeam({ limits: { threads: 2 } })
    const agents = await spawnMany(team, 6, fakeBehavior('throwing'))
    const outcomes = await Promise.all(agents.map((agent) => agent.send(agent.id)))
    expect(outcomes.map(({ result }) => result)).toEqual(agents.map(({ id }) => id))
  })

  test('all that fell asleep with acknowledged work finish it, although each needs a thread for long', async () => {
    const directory = temporaryDirectory()
    const gate = join(directory, 'gate')
    const before = await openTeam({ data: directory, resume: false, limits: { threads: 2 } })
    const spawned = await spawnMany(before, 5, fakeBehavior('waiting'))
    for (const agent of spawned) {
      await agent.post(`wait ${gate}`)
      await agent.stop({ graceMs: 0 })
      await agent.start()
      await agent.post(`wait ${gate} `)
      await agent.stop({ graceMs: 0 })
    }
    await before.close({ graceMs: 0 })

    const team = await openTeam({ data: directory, limits: { threads: 2 } })
    writeFileSync(gate, '')
    for (const { id } of team.agents()) await team.agent(id)?.start()
    await until('all queues are empty', () =>
      team
        .sessions()
        .every(({ queue, turn, counts }) => queue.length === 0 && turn === null && counts.turns === 2),
    )
  })
})

describe('hibernation', () => {
  test('neither loses nor doubles a message, whenever it comes', async () => {
    const team = await openTeam({ limits: { hibernateAfterMs: 1, threads: 3 } })
    const agents = await spawnMany(team, 3, 'echo')
    const sent: string[] = []
    let hibernations = 0
    const counting = (async () => {
      for await (const event of team.events()) {
        if (event.type === 'agent-state' && event.state === 'hibernated') hibernations += 1
      }
    })()
    await Promise.all(
      agents.map(async (agent) => {
        for (let round = 0; round < 60; round++) {
          // From a microtask to some milliseconds: before, in and after the way to sleep.
          const pauseMs = (round * 7) % 6
          if (pauseMs > 0) await sleep(pauseMs + Math.random())
          const input = `${agent.id} ${round}`
          sent.push(input)
          const outcome = round % 3 === 0 ? await agent.post(input) : await agent.send(input)
          expect(outcome).toMatchObject({ agentId: agent.id })
        }
      }),
    )
    await until('all is done', () =>
      team.sessions().every(({ queue, turn }) => queue.length === 0 && turn === null),
    )
    expect(await startedInputs(team)).toEqual(sent.sort())
    expect(team.agents().every(({ restarts }) => restarts === 0)).toBe(true)
    await team.close()
    await counting
    expect(hibernations).toBeGreaterThan(30)
  })

  test('gives the thread back when idle, and the next message finds everything as it was', async () => {
    const team = await openTeam({ limits: { hibernateAfterMs: 20 } })
    const agent = await team.spawn({ id: 'a', behavior: 'echo' })
    const { id } = await agent.createSession({ name: 'kept', vars: { K: '1' } })
    await agent.send('before')
    await until('it hibernates', () => agent.info().state === 'hibernated')
    expect(agent.info().usage).toBeUndefined()
    expect(await agent.send('after')).toMatchObject({ result: 'after', sessionId: id })
    expect((await team.readSession(id)).memory.map(({ content }) => content)).toEqual([
      'before',
      'before',
      'after',
      'after',
    ])
  })
})

test('an agent whose message comes while long turns hold all threads is served when one is free', async () => {
  const gate = join(temporaryDirectory(), 'gate')
  const team = await openTeam({ limits: { threads: 2 } })
  const behavior = fakeBehavior('waiting')
  const [a, b] = [await team.spawn({ id: 'a', behavior }), await team.spawn({ id: 'b', behavior })]
  const long = [a, b].map((agent) => agent.send(`wait ${gate}`))
  await until('both work', () => [a, b].every((agent) => agent.info().state === 'working'))
  const spawned = team.spawn({ id: 'c', behavior: 'echo' })
  await sleep(50)
  expect(team.agent('c')?.info().state).toBe('starting')
  writeFileSync(gate, '')
  expect(await (await spawned).send('served')).toMatchObject({ result: 'served' })
  await Promise.all(long)
})

test('blocked reads of one agent do not delay the turn of another, cold or warm', async () => {
  const fifo = join(temporaryDirectory(), 'fifo')
  execFileSync('mkfifo', [fifo])
  const team = await openTeam({ limits: { hibernateAfterMs: 20 } })
  const other = await team.spawn({ id: 'other', behavior: 'echo' })
  await other.send('once')
  await until('the other hibernates', () => other.info().state === 'hibernated')
  const blocked = await team.spawn({ id: 'blocked', behavior: fakeBehavior('rogue') })
  const reading = blocked.send(`block-reads ${fifo}`)
  reading.catch(() => undefined)
  await until('the reads are blocked', () => blocked.info().state === 'working')
  onTestFinished(() => closeSync(openSync(fifo, 'r+'))) // lets the reads go, so that the thread can end
  for (const input of ['cold', 'warm', 'warm again']) {
    expect(await other.send(input)).toMatchObject({ result: input })
  }
  expect(await team.readSession(other.currentSession()?.id ?? '')).toMatchObject({ counts: { turns: 4 } })
  expect(blocked.info().state).toBe('working')
})

test('what a module changes in its thread is not seen by the next agent, nor by its own next stay', async () => {
  const team = await openTeam({ limits: { threads: 1 } })
  const behavior = fakeBehavior('rogue')
  const first = await team.spawn({ id: 'first', behavior })
  await first.send('change-globals')
  const second = await team.spawn({ id: 'second', behavior })
  expect(await second.send('show-globals')).toMatchObject({ result: '[false,false,false]' })
  expect(await first.send('show-globals')).toMatchObject({ result: '[false,false,false]' })
})
