import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Agent } from '../../src/api.ts'
import { type Bench, plainRow } from '../harness/bench.ts'
import { echoTurn } from '../harness/echo-agents.ts'
import { library } from '../harness/library.ts'
import { timeOnce } from '../harness/rounds.ts'
import { withDirectory } from '../harness/workspace.ts'

const WAKES = 200
const WARM_UP = 10
const DEADLINE_MS = 10_000

export const wake: Bench = {
  name: 'wake',
  title:
    'The first answer of a hibernated `echo` agent: a warm thread taken, the session (a few turns) loaded, the turn run, recorded and synced.',
  notMeasured: 'a start with no warm thread (about 30 ms more), a large session (see load).',
  run: () =>
    withDirectory(async (directory) => {
      await using team = await library.createTeam({
        data: join(directory, 'sessions'),
        limits: { hibernateAfterMs: 1 },
      })
      const agent = await team.spawn({ id: 'echo', behavior: 'echo' })
      const timesMs: number[] = []
      for (let count = 0; count < WARM_UP + WAKES; count += 1) {
        await hibernated(agent)
        // The same small session each time: a new one now and then keeps it small.
        if (count % 20 === 0) {
          await agent.createSession({ name: `small ${count}` })
          await hibernated(agent)
        }
        const timeMs = await timeOnce(() => echoTurn(agent))
        if (count >= WARM_UP) timesMs.push(timeMs)
      }
      return [plainRow('first answer of a hibernated agent', 'ms', timesMs, `${WAKES} wakes`, 5)]
    }),
}

async function hibernated(agent: Agent): Promise<void> {
  const endMs = performance.now() + DEADLINE_MS
  while (agent.info().state !== 'hibernated') {
    if (performance.now() > endMs)
      throw new Error(`expected the agent to hibernate, it is ${agent.info().state}`)
    await sleep(1)
  }
}
