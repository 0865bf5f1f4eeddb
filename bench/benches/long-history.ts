import { join } from 'node:path'
import { type Bench, pairedRow } from '../harness/bench.ts'
import { echoTurn } from '../harness/echo-agents.ts'
import { library } from '../harness/library.ts'
import { measurePairs, timeEach } from '../harness/rounds.ts'
import { writeSessions } from '../harness/sessions.ts'
import { median } from '../harness/stats.ts'
import { withDirectory } from '../harness/workspace.ts'

const ROUNDS = 9
const TURNS = 200
const LONG_STEPS = 10_000
/** Turns of `echo` have two steps. */
const SHORT_TURNS = 5

export const longHistory: Bench = {
  name: 'long-history',
  title: `The same durable \`echo\` turn in a session of ${LONG_STEPS.toLocaleString('en-US')} steps, against one in a session of 10 steps (a new one each round), both sessions open in one team.`,
  notMeasured: 'the load of the long session (see load), its snapshot when it comes to rest.',
  run: () =>
    withDirectory(async (directory) => {
      const data = join(directory, 'sessions')
      await writeSessions({ directory: data, agents: 1, sessionsPerAgent: 1, steps: LONG_STEPS })
      await using team = await library.createTeam({ data })
      const long = await team.spawn({ id: 'agent-1', behavior: 'echo' })
      const short = await team.spawn({ id: 'short', behavior: 'echo' })
      await echoTurn(long)
      const entries = long.currentSession()?.counts.entries ?? 0
      if (entries < LONG_STEPS) throw new Error(`expected ${LONG_STEPS} steps, found ${entries}`)
      const pairs = await measurePairs(
        ROUNDS,
        async () => median(await timeEach(TURNS, () => echoTurn(long))),
        async () => {
          await short.createSession({ name: 'short' })
          await timeEach(SHORT_TURNS, () => echoTurn(short))
          return median(await timeEach(TURNS, () => echoTurn(short)))
        },
      )
      const samples = `${ROUNDS} rounds of ${TURNS} turns; the "baseline" is the library itself, at 10 to ${10 + 2 * TURNS} steps`
      return [
        pairedRow('durable `echo` turn at 10,000 steps, against 10 steps', 'ms', pairs, samples, {
          most: 1.1,
        }),
      ]
    }),
}
