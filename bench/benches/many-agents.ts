import { once } from 'node:events'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import type { Agent } from '../../src/api.ts'
import { type Bench, pairedRow } from '../harness/bench.ts'
import { bytesPerTurn, echoTurn, MESSAGE } from '../harness/echo-agents.ts'
import { library } from '../harness/library.ts'
import { measurePairs, timeOnce } from '../harness/rounds.ts'
import { withDirectory } from '../harness/workspace.ts'
import { RawEcho, startRaw } from '../raw/raw-worker.ts'

const AGENTS = 64
const ROUNDS = 9
const TURNS = 30
/** Each thread compiles for itself: after so many turns it has. */
const WARM_UP_TURNS = 200

export const manyAgents: Bench = {
  name: 'many-agents',
  title: `${AGENTS} \`echo\` agents, each on a thread, each sent its next message as soon as the last is answered. Raw: ${AGENTS} bare worker threads that append and fdatasync as many bytes to ${AGENTS} files, with no messages between; in the second row with a message there and back for each.`,
  notMeasured: 'more agents than threads (they take turns by hibernating); agents that compute.',
  run: () =>
    withDirectory(async (directory) => {
      const numbers = Array.from({ length: AGENTS }, (_, index) => index)
      await using team = await library.createTeam({
        data: join(directory, 'sessions'),
        limits: { threads: AGENTS },
      })
      const agents: Agent[] = []
      for (const number of numbers) agents.push(await team.spawn({ id: `echo-${number}`, behavior: 'echo' }))
      const recordBytes = await bytesPerTurn(team, agents[0] as Agent, 50)
      const appenders = numbers.map((number) =>
        startRaw(new URL('../raw/append-thread.ts', import.meta.url), {
          workerData: { file: join(directory, `append-${number}.log`), recordBytes },
        }),
      )
      const echoes = numbers.map((number) => new RawEcho(join(directory, `echo-${number}.log`), recordBytes))

      const rate = async (each: (index: number) => Promise<unknown>) =>
        (AGENTS * TURNS) / ((await timeOnce(() => Promise.all(numbers.map(each)))) / 1_000)
      const inTurn = async (turn: () => Promise<unknown>, turns = TURNS) => {
        for (let count = 0; count < turns; count += 1) await turn()
      }
      await Promise.all(agents.map((agent) => inTurn(() => echoTurn(agent), WARM_UP_TURNS)))
      const ofLibrary = () => rate((index) => inTurn(() => echoTurn(agents[index] as Agent)))
      const appending = await measurePairs(ROUNDS, ofLibrary, () =>
        rate((index) => appendTimes(appenders[index] as Worker, TURNS)),
      )
      const echoing = await measurePairs(ROUNDS, ofLibrary, () =>
        rate((index) => inTurn(() => (echoes[index] as RawEcho).send(MESSAGE))),
      )
      await Promise.all([
        ...appenders.map((worker) => appendTimes(worker, 0)),
        ...echoes.map((echo) => echo.close()),
      ])
      const samples = `${ROUNDS} rounds of ${AGENTS} x ${TURNS} turns, ${recordBytes} bytes each, after ${WARM_UP_TURNS} turns of each agent`
      return [
        pairedRow('64 agents at once, against appends alone', 'per second', appending, samples, {
          least: 0.6,
        }),
        pairedRow('64 agents at once, against appends with messages', 'per second', echoing, samples),
      ]
    }),
}

async function appendTimes(worker: Worker, times: number): Promise<void> {
  const answered = once(worker, 'message')
  worker.postMessage(times)
  await answered
}
