/**
 * `npm run bench`: runs all benchmarks and writes bench/RESULTS.md; `npm run bench -- NAME…` runs those and prints only.
 *
 * bench/BOUNDS.md, where it is there, is added to the results: what bounds the rows that miss their goal.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { catalog } from './benches/catalog.ts'
import { dashboard } from './benches/dashboard.ts'
import { disturbed } from './benches/disturbed.ts'
import { durableTurn } from './benches/durable-turn.ts'
import { gatewayStart } from './benches/gateway-start.ts'
import { gatewayStreams } from './benches/gateway-streams.ts'
import { gateway } from './benches/gateway.ts'
import { load } from './benches/load.ts'
import { longHistory } from './benches/long-history.ts'
import { manyAgents } from './benches/many-agents.ts'
import { memory } from './benches/memory.ts'
import { models } from './benches/models.ts'
import { wake } from './benches/wake.ts'
import type { Bench } from './harness/bench.ts'
import { machineFacts } from './harness/machine.ts'
import { markdown, type Result, tableHead, tableLines } from './harness/report.ts'
import { dataRoot } from './harness/workspace.ts'

const BENCHES: readonly Bench[] = [
  durableTurn,
  disturbed,
  longHistory,
  manyAgents,
  wake,
  load,
  catalog,
  memory,
  gateway,
  gatewayStart,
  gatewayStreams,
  dashboard,
  models,
]

const names = process.argv.slice(2)
const unknown = names.filter((name) => !BENCHES.some((bench) => bench.name === name))
if (unknown.length > 0) {
  const known = BENCHES.map((bench) => bench.name).join(', ')
  console.error(`expected names of benchmarks (${known}), received ${unknown.join(', ')}`)
  process.exit(2)
}

const machine = machineFacts(dataRoot, commit())
console.log(machine.map((fact) => `- ${fact}`).join('\n'))
console.log(['', ...tableHead()].join('\n'))
const results: Result[] = []
for (const bench of BENCHES) {
  if (names.length > 0 && !names.includes(bench.name)) continue
  const rows = await bench.run()
  results.push({ bench, rows })
  console.log(tableLines(rows).join('\n'))
}

if (names.length === 0) {
  const bounds = new URL('BOUNDS.md', import.meta.url)
  const report = markdown(results, machine, existsSync(bounds) ? readFileSync(bounds, 'utf8') : '')
  writeFileSync(new URL('RESULTS.md', import.meta.url), report)
}

function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', ['--no-optional-locks', ...args], { encoding: 'utf8' }).trim()
  const changed = git('status', '--porcelain', '--', 'src', 'workers') === '' ? '' : ' with changes'
  return git('rev-parse', '--short', 'HEAD') + changed
}
