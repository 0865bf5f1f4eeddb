import { describe, expect, onTestFinished, test } from 'vitest'
import type { DashboardOptions, RunDashboard } from '../../src/dashboard/options.ts'
import { show } from '../../src/dashboard/start.ts'
import { createClient } from '../../src/client/client.ts'
import { serveTeam } from '../../src/gateway/serve.ts'
import { createTeam } from '../../src/team.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'

const TOKEN = 'the-token-of-these-tests'
const terminal = {
  stdin: { isTTY: true } as unknown as NodeJS.ReadStream,
  stdout: { isTTY: true } as unknown as NodeJS.WriteStream,
}

/** Connects twice, as after a loss, and ends. */
function fakeDashboard(): { run: RunDashboard; results: string[]; given: DashboardOptions[] } {
  const results: string[] = []
  const given: DashboardOptions[] = []
  return {
    results,
    given,
    async run(options) {
      given.push(options)
      for (const text of ['one', 'two']) {
        const team = await options.connect(new AbortController().signal)
        const agent = await team.agent('echo')
        results.push(String((await agent?.send(text))?.result))
        await team.close()
      }
      return { how: 'quit' }
    },
  }
}

async function openTeam() {
  const team = await createTeam({
    data: temporaryDirectory(),
    agents: [{ id: 'echo', behavior: 'echo' }],
    host: 'in-process',
  })
  onTestFinished(async () => team.close())
  return team
}

describe('the dashboard of a program', () => {
  test('shows a team of the same process, which goes on after it', async () => {
    const team = await openTeam()
    const { run, results, given } = fakeDashboard()
    await show(team, terminal, run)
    expect(results).toEqual(['one', 'two'])
    expect(given[0]?.place).toEqual({ directory: team.directory, owned: false })
    expect(given[0]?.front).toBeUndefined()
    expect((await team.agent('echo')?.send('after'))?.result).toBe('after')
  })

  test('shows a team of another process by the client of the program, which goes on after it', async () => {
    const team = await openTeam()
    const gateway = await serveTeam(team, { port: 0, token: () => TOKEN, version: '0' })
    onTestFinished(async () => gateway.close())
    const client = createClient({ url: gateway.url, token: TOKEN })
    const { run, results } = fakeDashboard()
    await show(client, terminal, run)
    expect(results).toEqual(['one', 'two'])
    expect((await client.agents()).map(({ id }) => id)).toEqual(['echo'])
    await client.close()
  })

  test('needs a terminal', async () => {
    const { run, given } = fakeDashboard()
    const stdin = { isTTY: false } as unknown as NodeJS.ReadStream
    await expect(show(await openTeam(), { ...terminal, stdin }, run)).rejects.toMatchObject({
      code: 'invalid_input',
    })
    expect(given).toEqual([])
  })
})
