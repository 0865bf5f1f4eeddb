/** Three agents that loop, exit and fill their memory, again and again, until their policy gives them up; a fourth that works. */
import { expect, test } from 'vitest'
import type { Agent } from '../../src/api.ts'
import { HeartbeatOf } from '../fakes/heartbeat-of.ts'
import { fakeBehavior, openTeam } from '../fakes/open-team.ts'
import { until } from '../fakes/until.ts'

/** Sends the messages in turn, each again after each restart, until the agent is failed. Resolves with the number of crashes. */
async function disturb(agent: Agent, messages: readonly string[]): Promise<number> {
  for (let crashes = 1; ; crashes++) {
    const message = messages[(crashes - 1) % messages.length] ?? ''
    await expect(agent.send(message)).rejects.toMatchObject({ code: 'agent_crashed' })
    const { state } = agent.info()
    if (state === 'failed') return crashes
    expect(state).toBe('restarting')
  }
}

/** An endless loop hides nothing: the agent is seen working, on what, and what it uses. */
async function seeLooping(agent: Agent): Promise<void> {
  await until('it is seen', () => {
    const { state, usage } = agent.info()
    return state === 'working' && usage !== undefined && usage.heapBytes > 0 && usage.loopUtilization > 0.9
  })
  expect(agent.currentSession()?.turn).toMatchObject({ input: 'loop' })
}

test('a fourth agent keeps answering while three harm themselves until they are failed; each can be started by hand', async () => {
  const team = await openTeam()
  const spawn = (id: string, behavior: string, maxRestarts: number) =>
    team.spawn({ id, behavior: fakeBehavior(behavior), restart: { maxRestarts }, limits: { memoryMb: 96 } })
  const looping = await spawn('looping', 'rogue', 1)
  const exiting = await spawn('exiting', 'rogue', 3)
  const filling = await spawn('filling', 'greedy', 3)
  const fourth = await team.spawn({ id: 'fourth', behavior: 'echo' })
  const beats = new HeartbeatOf(fourth)

  const crashes = await Promise.all([
    disturb(looping, ['loop']),
    seeLooping(looping),
    disturb(exiting, ['exit 0', 'exit 1']),
    disturb(filling, ['objects', 'buffers']),
  ])
  const { answers, longestMs } = await beats.end()
  expect(crashes).toEqual([2, undefined, 4, 4])
  expect(longestMs).toBeLessThan(1_000)
  expect(answers).toBeGreaterThan(50)

  expect(team.health()).toMatchObject({ status: 'degraded', agents: { failed: 3 } })
  for (const agent of [looping, exiting, filling]) {
    expect(agent.info()).toMatchObject({ state: 'failed', lastError: { code: 'agent_crashed' } })
    await expect(agent.send('refused')).rejects.toMatchObject({ code: 'agent_failed' })
    await agent.start()
    expect(await agent.send('works')).toMatchObject({ status: 'completed', result: 'works' })
  }
  await until('all are well', () => team.health().status === 'ok')

  // No turn was run twice, whatever its thread came to.
  for (const { id } of team.sessions()) {
    const started = new Map<string, number>()
    for await (const record of team.records(id)) {
      if (record.type === 'turn.started') started.set(record.turnId, (started.get(record.turnId) ?? 0) + 1)
    }
    expect([...started.values()].every((count) => count === 1)).toBe(true)
  }
})
