/** One agent never harms another: what a behavior can do to its thread, and what its neighbours notice of it. */
import { describe, expect, test } from 'vitest'
import type { Agent, Team } from '../../src/api.ts'
import { HeartbeatOf } from '../fakes/heartbeat-of.ts'
import { fakeBehavior, openTeam } from '../fakes/open-team.ts'
import { until } from '../fakes/until.ts'

const MEMORY_MB = 96

async function teamWith(behavior: string): Promise<{ team: Team; harmful: Agent; neighbour: Agent }> {
  const team = await openTeam()
  const harmful = await team.spawn({
    id: 'harmful',
    behavior: fakeBehavior(behavior),
    restart: { maxRestarts: 3 },
    limits: { memoryMb: MEMORY_MB },
  })
  const neighbour = await team.spawn({ id: 'neighbour', behavior: 'echo' })
  await neighbour.send('warm')
  return { team, harmful, neighbour }
}

/** The neighbour answered within a second all the while, and the harmful agent is back by its policy and works. */
async function expectContained(
  harmful: Agent,
  neighbour: Agent,
  harm: () => Promise<unknown>,
): Promise<void> {
  const beats = new HeartbeatOf(neighbour)
  await harm()
  await until('the agent is back', () => harmful.info().state === 'idle')
  expect(await harmful.send('still there?')).toMatchObject({ status: 'completed', result: 'still there?' })
  const { longestMs } = await beats.end()
  expect(longestMs).toBeLessThan(1_000)
  expect(neighbour.info()).toMatchObject({ restarts: 0 })
}

describe.each([
  ['rogue', 'exit 3'],
  ['rogue', 'throw-later oops'],
  ['rogue', 'reject oops'],
  ['greedy', 'objects'],
  ['greedy', 'arrays'],
  ['greedy', 'maps'],
  ['greedy', 'strings'],
  ['greedy', 'buffers'],
])('an agent that is told to %s: %s', (behavior, message) => {
  test('is ended and restarted; its neighbour does not notice', async () => {
    const { harmful, neighbour } = await teamWith(behavior)
    await expectContained(harmful, neighbour, async () => {
      await expect(harmful.send(message)).rejects.toMatchObject({ code: 'agent_crashed' })
    })
    expect(harmful.info()).toMatchObject({ restarts: 1, lastError: { code: 'agent_crashed' } })
  })
})

test('a turn that throws fails; its agent is not even restarted', async () => {
  const { harmful, neighbour } = await teamWith('throwing')
  await expectContained(harmful, neighbour, async () => {
    expect(await harmful.send('throw')).toMatchObject({ status: 'failed', error: { code: 'turn_failed' } })
  })
  expect(harmful.info().restarts).toBe(0)
})

test.each(['output', 'emit'])(
  'a flood of %s costs its neighbour nothing, and ends with its turn',
  async (kind) => {
    const { team, harmful, neighbour } = await teamWith('greedy')
    let received = 0
    const reading = (async () => {
      for await (const event of team.events()) {
        if (event.type === 'log') received += event.text.length
        if (event.type === 'turn' && event.event.type === 'text') received += event.event.text.length
      }
    })()
    await expectContained(harmful, neighbour, async () => {
      const flood = harmful.send(kind)
      await until('the flood has come through', () => received > 500_000)
      await harmful.cancel()
      expect(await flood).toMatchObject({ status: 'cancelled' })
    })
    expect(harmful.info().restarts).toBe(0)
    await team.close({ graceMs: 0 })
    await reading
  },
)
