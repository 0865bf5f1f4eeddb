import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Bench, pairedRow } from '../harness/bench.ts'
import { measurePairs, timeOnce } from '../harness/rounds.ts'
import { ask, type Served, serveAgentry, serveBare } from '../harness/served.ts'
import { writeSessions } from '../harness/sessions.ts'
import { withDirectory } from '../harness/workspace.ts'
import { readHeader } from '../raw/session-header.ts'

const AGENTS = 100
const SESSIONS_PER_AGENT = 100
const ROUNDS = 7

export const gatewayStart: Bench = {
  name: 'gateway-start',
  title:
    "From the start of the process of `agentry serve` to its first answer at `/health`: in a new data directory, and in one with 10,000 sessions of 100 steps. Raw: the same with a bare Hono app; with 10,000 sessions plus what the raw baseline of the catalog's benchmark does.",
  notMeasured:
    'a cold page cache; the first start of all, before anything compiled is kept; agents that have work to go on with; sessions whose snapshot lags behind their journal.',
  run: () =>
    withDirectory(async (directory) => {
      let starts = 0
      const empty = await measurePairs(
        ROUNDS,
        () => {
          const folder = join(directory, `empty-${(starts += 1)}`)
          mkdirSync(folder)
          return startMs(() => serveAgentry(join(folder, 'sessions')))
        },
        () => startMs(serveBare),
      )
      const data = join(directory, 'sessions')
      const ids = await writeSessions({
        directory: data,
        agents: AGENTS,
        sessionsPerAgent: SESSIONS_PER_AGENT,
        steps: 100,
      })
      const paths = ids.map((id) => join(data, `${id}.json`))
      const full = await measurePairs(
        ROUNDS,
        () => startMs(() => serveAgentry(data)),
        async () => (await startMs(serveBare)) + (await timeOnce(() => paths.map(readHeader))),
      )
      const samples = `${ROUNDS} rounds`
      return [
        pairedRow('`agentry serve` to the first answer', 'ms', empty, samples, { most: 2 }),
        pairedRow('`agentry serve` of 10,000 sessions to the first answer', 'ms', full, samples, { most: 2 }),
      ]
    }),
}

async function startMs(start: () => Promise<Served>): Promise<number> {
  let served: Served | undefined
  const ms = await timeOnce(async () => {
    served = await start()
    await ask(`${served.url}/health`)
  })
  await served?.[Symbol.asyncDispose]()
  return ms
}
