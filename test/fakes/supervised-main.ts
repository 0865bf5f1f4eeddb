/**
 * A program with a team, for tests that signal it: `supervised-main.ts DIRECTORY`. It keeps its agents busy and answers lines on
 * stdin with lines of JSON on stdout. SIGTERM closes the team; the process then ends by itself.
 */
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTeam } from '../../src/index.ts'

const [directory = ''] = process.argv.slice(2)
const behavior = (name: string) => new URL(`behaviors/${name}.ts`, import.meta.url).pathname

const team = await createTeam({ data: directory, limits: { startMs: 5_000 } })
const agents = await Promise.all([
  team.spawn({ id: 'echo-1', behavior: 'echo' }),
  team.spawn({ id: 'echo-2', behavior: 'echo' }),
  team.spawn({ id: 'shell', behavior: 'shell' }),
  team.spawn({ id: 'module', behavior: behavior('throwing') }),
])
const acknowledged: { turnId: string; status: string }[] = []
const closing = new AbortController()
const lines = createInterface({ input: process.stdin })

async function keepBusy(agent: (typeof agents)[number]): Promise<void> {
  for (let round = 0; !closing.signal.aborted; round++) {
    try {
      const input = agent.id === 'shell' ? `echo ${round}` : `${round}`
      const { turnId, status } = await (round % 3 === 0 ? agent.post(input) : agent.send(input))
      acknowledged.push({ turnId, status })
    } catch (error) {
      if (!closing.signal.aborted) throw error
    }
    await sleep(5)
  }
}

async function close(busy: Promise<unknown>): Promise<void> {
  closing.abort()
  lines.close()
  await team.close({ graceMs: 2_000 })
  await busy
  say({ acknowledged })
}

function say(answer: object): void {
  console.log(JSON.stringify(answer))
}

lines.on('line', (line) => {
  if (line === 'spawn-slow') {
    team.spawn({ id: 'slow', behavior: behavior('slow-at-load') }).then(
      () => say({ spawned: true }),
      (error: Error) => say({ spawned: false, error: error.message }),
    )
  } else {
    say({ agents: team.agents().map(({ id, restarts }) => ({ id, restarts })), turns: acknowledged.length })
  }
})
const busy = Promise.all(agents.map(keepBusy))
process.once('SIGTERM', () => void close(busy))
