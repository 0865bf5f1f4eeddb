/**
 * `agentry` with a dashboard of lines: it writes what it is told (JSON, one line each), and does what it reads (`quit`, `detach`).
 * The arguments are the built command, whose keeper it starts, and what is behind `agentry`.
 */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { type CliIo } from '../../src/cli/io.ts'
import { processIo, run } from '../../src/cli/main.ts'
import type { DashboardOptions, RunDashboard } from '../../src/dashboard/options.ts'

const say = (message: object): void => void process.stdout.write(`${JSON.stringify(message)}\n`)

const runDashboard: RunDashboard = async (options) => {
  options.front?.onNotice((notice) => say({ type: 'notice', ...notice }))
  say({ type: 'started' })
  const leaving = new AbortController()
  const signal = AbortSignal.any([leaving.signal, options.signal ?? leaving.signal])
  const connecting = keepConnecting(options, signal)
  const lines = createInterface(process.stdin)
  const [line] = (await once(lines, 'line', { signal }).catch(() => [undefined])) as [string | undefined]
  leaving.abort()
  await connecting
  lines.close()
  process.stdin.destroy()
  if (line === 'quit') {
    await options.front?.stop(new AbortController().signal)
    return { how: 'quit' }
  }
  if (line === 'detach') {
    options.front?.release()
    return { how: 'detach' }
  }
  return { how: 'signal' }
}

async function keepConnecting({ connect, place }: DashboardOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const team = await connect(signal)
      await team.health()
      say({ type: 'connected', url: team.url, owned: place.owned })
      for await (const _ of team.events({ signal })) continue
    } catch {
      await sleep(20)
    }
  }
}

const [, , bin = '', ...argv] = process.argv
process.argv[1] = bin
// oxlint-disable-next-line no-unsafe-type-assertion -- nothing is drawn on it
const terminal = { stdin: { isTTY: true }, stdout: { isTTY: true } } as CliIo['terminal']
process.exitCode = await run(argv, { ...processIo(), terminal, runDashboard })
