import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bench, pairedRow } from '../harness/bench.ts'
import { collectGarbage } from '../harness/garbage.ts'
import { library } from '../harness/library.ts'
import { measurePairs, timeOnce } from '../harness/rounds.ts'
import { writeSessions } from '../harness/sessions.ts'
import { withDirectory } from '../harness/workspace.ts'

const ROUNDS = 15
const STEPS = 10_000

export const load: Bench = {
  name: 'load',
  title: `The load of a session of ${STEPS.toLocaleString('en-US')} steps, from its snapshot and, in the second row, from its journal alone: read, checksums verified, folded. Raw: JSON.parse of the same bytes, which lie in memory (the journal line by line).`,
  notMeasured: 'a cold page cache, a torn or damaged journal.',
  run: () =>
    withDirectory(async (directory) => {
      const sessions = { agents: 1, sessionsPerAgent: 1, steps: STEPS }
      const whole = join(directory, 'snapshot')
      const bare = join(directory, 'journal')
      const [wholeId = ''] = await writeSessions({ ...sessions, directory: whole })
      const [bareId = ''] = await writeSessions({ ...sessions, directory: bare, snapshot: false })
      const snapshot = readFileSync(join(whole, `${wholeId}.json`))
      const journal = readFileSync(join(bare, `${bareId}.journal.jsonl`))
      const fromSnapshot = await measurePairs(
        ROUNDS,
        () => timeLoad(whole, wholeId),
        async () => {
          collectGarbage()
          return timeOnce(() => JSON.parse(snapshot.toString()) as unknown)
        },
      )
      const fromJournal = await measurePairs(
        ROUNDS,
        () => timeLoad(bare, bareId),
        async () => {
          collectGarbage()
          return timeOnce(() => {
            for (const line of journal.toString().split('\n')) if (line !== '') JSON.parse(line)
          })
        },
      )
      const samples = (bytes: number) =>
        `${ROUNDS} rounds, ${Math.round(bytes / 1_000).toLocaleString('en-US')} KB`
      return [
        pairedRow('load of 10,000 steps from the snapshot', 'ms', fromSnapshot, samples(snapshot.length), {
          most: 2,
        }),
        pairedRow('load of 10,000 steps from the journal alone', 'ms', fromJournal, samples(journal.length)),
      ]
    }),
}

/** Through a new store, as a thread that starts has one. */
function timeLoad(directory: string, sessionId: string): Promise<number> {
  const store = library.createFileStore({ directory })
  collectGarbage()
  return timeOnce(async () => {
    const { state } = await store.load(sessionId)
    if (state.memory.length !== STEPS)
      throw new Error(`expected ${STEPS} steps, loaded ${state.memory.length}`)
  })
}
