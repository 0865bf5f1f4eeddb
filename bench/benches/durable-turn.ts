import { join } from 'node:path'
import { type Bench, pairedRow } from '../harness/bench.ts'
import { bytesPerTurn, echoTurn, MESSAGE } from '../harness/echo-agents.ts'
import { library } from '../harness/library.ts'
import { measurePairs, timeEach } from '../harness/rounds.ts'
import { percentile } from '../harness/stats.ts'
import { withDirectory } from '../harness/workspace.ts'
import { RawEcho } from '../raw/raw-worker.ts'

const ROUNDS = 11
const TURNS = 300

export const durableTurn: Bench = {
  name: 'durable-turn',
  title:
    'One turn of an `echo` agent, from `send` to its outcome, one after the other. Raw: a message to a bare worker thread, which appends and fdatasyncs as many bytes as the turn adds to the journal and answers with the text.',
  notMeasured:
    'turns that wait for each other, large messages, streaming; the first turn of a session (it creates the files).',
  run: () =>
    withDirectory(async (directory) => {
      await using team = await library.createTeam({ data: join(directory, 'sessions') })
      const agent = await team.spawn({ id: 'echo', behavior: 'echo' })
      const recordBytes = await bytesPerTurn(team, agent, 100)
      const raw = new RawEcho(join(directory, 'raw.log'), recordBytes)
      const pairs = await measurePairs(
        ROUNDS,
        async () => (await timeEach(TURNS, () => echoTurn(agent))).toSorted((a, b) => a - b),
        async () => (await timeEach(TURNS, () => raw.send(MESSAGE))).toSorted((a, b) => a - b),
      )
      await raw.close()
      const at = (part: number) =>
        pairs.map(({ subject, baseline }) => ({
          subject: percentile(subject, part),
          baseline: percentile(baseline, part),
        }))
      const samples = `${ROUNDS} rounds of ${TURNS} turns, ${recordBytes} bytes each`
      return [
        pairedRow('durable `echo` turn, median', 'ms', at(0.5), samples, { most: 1.5 }),
        pairedRow('durable `echo` turn, p99', 'ms', at(0.99), samples),
      ]
    }),
}
