import { join } from 'node:path'
import { type Bench, pairedRow, plainRow } from '../harness/bench.ts'
import { collectGarbage } from '../harness/garbage.ts'
import { library } from '../harness/library.ts'
import { measurePairs, timeEach, timeOnce } from '../harness/rounds.ts'
import { writeSessions } from '../harness/sessions.ts'
import { withDirectory } from '../harness/workspace.ts'
import { readHeader } from '../raw/session-header.ts'

const AGENTS = 100
const SESSIONS_PER_AGENT = 100
const STEPS = 100
const ROUNDS = 5
const LISTS = 50

export const catalog: Bench = {
  name: 'catalog',
  title:
    'The catalog of 10,000 sessions of 100 steps each (100 agents), from nothing to ready; then the list of all of them through the team. Raw: the same snapshot files opened, their headers read, parsed and kept, closed again.',
  notMeasured: 'a cold page cache; sessions whose snapshot lags behind their journal.',
  run: () =>
    withDirectory(async (directory) => {
      const data = join(directory, 'sessions')
      const ids = await writeSessions({
        directory: data,
        agents: AGENTS,
        sessionsPerAgent: SESSIONS_PER_AGENT,
        steps: STEPS,
      })
      const paths = ids.map((id) => join(data, `${id}.json`))
      const pairs = await measurePairs(
        ROUNDS,
        () => {
          collectGarbage()
          return timeOnce(async () => {
            const catalog = await library.Catalog.open(library.createFileStore({ directory: data }))
            assertAll(catalog.list())
          })
        },
        async () => {
          collectGarbage()
          return timeOnce(() => assertAll(paths.map(readHeader)))
        },
      )
      await using team = await library.createTeam({ data, start: 'none' })
      await timeEach(5, async () => team.sessions())
      const listsMs = await timeEach(LISTS, async () => team.sessions())
      return [
        pairedRow('catalog of 10,000 sessions ready', 'ms', pairs, `${ROUNDS} rounds`, { most: 2 }),
        plainRow('list of 10,000 sessions', 'ms', listsMs, `${LISTS} lists`, 30),
      ]
    }),
}

function assertAll(sessions: readonly unknown[]): void {
  const expected = AGENTS * SESSIONS_PER_AGENT
  if (sessions.length !== expected) throw new Error(`expected ${expected} sessions, found ${sessions.length}`)
}
