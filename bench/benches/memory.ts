import { join } from 'node:path'
import { type Bench, pairedRow, plainRow } from '../harness/bench.ts'
import { numberFrom } from '../harness/child.ts'
import { echoTurn } from '../harness/echo-agents.ts'
import { library } from '../harness/library.ts'
import { measurePairs } from '../harness/rounds.ts'
import { withDirectory } from '../harness/workspace.ts'

const ROUNDS = 5
const HIBERNATED = 2_000
const FEW = 4
const MANY = 28

const child = (name: string) => new URL(`../memory/${name}.ts`, import.meta.url)

export const memory: Bench = {
  name: 'memory',
  title: `Hibernated: the heap (and what it holds outside) of a supervisor that was started with ${HIBERNATED.toLocaleString('en-US')} agents, each with a session of one turn, less that of one with none, for each agent. Idle: the resident memory of a process with ${MANY} idle agents less that of one with ${FEW}, for each agent more. Raw: the same with bare worker threads that have answered once.`,
  notMeasured:
    'large sessions (an idle agent holds its conversation), shared pages counted once or twice by the kernel.',
  run: async () => [...(await hibernated()), ...(await idle())],
}

async function hibernated() {
  return withDirectory(async (directory) => {
    const empty = join(directory, 'empty')
    const full = join(directory, 'full')
    await (await library.createTeam({ data: empty })).close()
    await register(full)
    const kilobytes: number[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const without = await numberFrom(child('hibernated'), [empty])
      const having = await numberFrom(child('hibernated'), [full])
      kilobytes.push((having - without) / HIBERNATED / 1_000)
    }
    return [
      plainRow(
        'memory of a hibernated agent',
        'KB',
        kilobytes,
        `${ROUNDS} rounds of ${HIBERNATED} agents`,
        5,
      ),
    ]
  })
}

async function register(data: string): Promise<void> {
  await using team = await library.createTeam({ data, fsync: 'interval' })
  for (let number = 0; number < HIBERNATED; number += 1) {
    await echoTurn(await team.spawn({ id: `echo-${number}`, behavior: 'echo' }))
  }
}

async function idle() {
  return withDirectory(async (directory) => {
    let run = 0
    const perThread = async (name: string) => {
      run += 1
      const few = await numberFrom(child(name), [join(directory, `few-${run}`), String(FEW)])
      const many = await numberFrom(child(name), [join(directory, `many-${run}`), String(MANY)])
      return (many - few) / (MANY - FEW) / 1e6
    }
    const pairs = await measurePairs(
      ROUNDS,
      () => perThread('idle-agents'),
      () => perThread('raw-threads'),
    )
    const samples = `${ROUNDS} rounds of ${MANY} less ${FEW}`
    return [pairedRow('memory of a live idle agent', 'MB', pairs, samples, { most: 1.5 })]
  })
}
