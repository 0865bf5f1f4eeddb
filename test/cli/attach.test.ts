import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { CliIo } from '../../src/cli/io.ts'
import type { RemoteTeam } from '../../src/client/remote-team.ts'
import type { DashboardOptions } from '../../src/dashboard/options.ts'
import { serveTeam } from '../../src/gateway/serve.ts'
import { ensureToken, tokenFileOf } from '../../src/store/token-file.ts'
import { createTeam } from '../../src/team.ts'
import { type Cli, createCli } from './harness.ts'

const TOKEN = 'the-token-of-these-tests'

/** A command line at a terminal. What its dashboards are given is kept; each connects once and ends. */
function atTerminal(env: Record<string, string> = {}): {
  cli: Cli
  shown: DashboardOptions[]
  agents: string[]
} {
  const shown: DashboardOptions[] = []
  const agents: string[] = []
  const cli = createCli({
    env,
    terminal: { stdin: { isTTY: true }, stdout: { isTTY: true } } as unknown as CliIo['terminal'],
    async runDashboard(options) {
      shown.push(options)
      const team: RemoteTeam = await options.connect(new AbortController().signal)
      agents.push(...(await team.agents()).map(({ id }) => id))
      await team.close()
      return { how: 'quit' }
    },
  })
  return { cli, shown, agents }
}

/** Serves a team of one agent from a directory, and gives its url. */
async function serve(data: string, agentId: string, set?: () => string, hasFile = true): Promise<string> {
  const team = await createTeam({ data, agents: [{ id: agentId, behavior: 'echo' }], host: 'in-process' })
  const own = hasFile ? ensureToken(data) : ''
  const gateway = await serveTeam(team, { port: 0, token: set ?? (() => own), version: '0' })
  team.announce(gateway.url)
  onTestFinished(async () => {
    await gateway.close()
    await team.close()
  })
  return gateway.url
}

describe('attach', () => {
  test('shows the team of the data directory, and so does the dashboard there', async () => {
    const { cli, shown, agents } = atTerminal()
    await serve(join(cli.cwd, 'sessions'), 'here')
    const stderr: unknown = expect.stringMatching(
      /^agentry: the supervisor goes on: `agentry attach` .*, `kill \d+` ends it/,
    )
    expect(await cli.run('attach')).toEqual({ code: 0, stdout: '', stderr })
    expect(await cli.run()).toEqual({ code: 0, stdout: '', stderr })
    expect(agents).toEqual(['here', 'here'])
    for (const { place, front } of shown) {
      expect({ place, front }).toEqual({ place: { directory: join(cli.cwd, 'sessions'), owned: false } })
    }
  })

  test('shows the team at a url with the token of a file, before that of the environment', async () => {
    const { cli, shown, agents } = atTerminal({ AGENTRY_TOKEN: 'another-token-than-that' })
    const url = await serve(join(cli.cwd, 'elsewhere'), 'there', () => TOKEN)
    writeFileSync(join(cli.cwd, 'token'), `${TOKEN}\n`)
    expect((await cli.run('attach', url, '--token-file', 'token')).code).toBe(0)
    expect(agents).toEqual(['there'])
    expect(shown[0]?.place).toEqual({ owned: false })
    expect(shown[0]?.historyFile).toBeUndefined()
    expect(await cli.fail('attach', url)).toMatchObject({ code: 4, error: { code: 'unauthorized' } })
  })

  test('gives the token of the directory to nobody but who serves it', async () => {
    const { cli, agents } = atTerminal()
    const here = await serve(join(cli.cwd, 'sessions'), 'here')
    const given: (string | null)[] = []
    const there = await serve(join(cli.cwd, 'elsewhere'), 'there', () => {
      given.push('asked')
      return TOKEN
    })
    expect((await cli.run('attach', `${here}/`)).code).toBe(0)
    expect(agents).toEqual(['here'])
    expect(await cli.fail('attach', there)).toMatchObject({ code: 2, error: { code: 'invalid_input' } })
    expect(given).toEqual([])
  })

  test('says that a token is needed where the gateway has one of its own, and so does the dashboard there', async () => {
    const { cli, shown } = atTerminal()
    const url = await serve(join(cli.cwd, 'sessions'), 'here', () => TOKEN, false)
    for (const words of [['attach'], []]) {
      const { code, error } = await cli.fail(...words)
      expect({ code, error }).toMatchObject({ code: 4, error: { code: 'unauthorized' } })
      expect(error.message).toContain('expected it in AGENTRY_TOKEN')
    }
    expect((await cli.fail('attach', url)).error.message).toContain('by --token-file or AGENTRY_TOKEN')
    expect(shown).toEqual([])
  })

  test('says what is wrong before a screen is drawn', async () => {
    const { cli, shown } = atTerminal()
    expect(await cli.fail('attach')).toMatchObject({ code: 5, error: { code: 'gateway_unreachable' } })
    writeFileSync(join(cli.cwd, 'token'), TOKEN)
    const nobody = await cli.fail('attach', 'http://127.0.0.1:9', '--token-file', 'token')
    expect(nobody).toMatchObject({ code: 5, error: { code: 'gateway_unreachable' } })
    for (const wrong of [['ftp://x'], ['not a url'], ['http://user:secret@127.0.0.1:1']]) {
      const { error } = await cli.fail('attach', ...wrong, '--token-file', 'token')
      expect(error.code).toBe('invalid_input')
    }
    for (const file of ['missing', tokenFileOf(cli.cwd)]) {
      expect((await cli.fail('attach', '--token-file', file)).error.code).toBe('invalid_input')
    }
    expect(shown).toEqual([])
  })

  test('takes no terminal for one that cannot draw', async () => {
    const { cli } = atTerminal({ TERM: 'dumb' })
    const { error } = await cli.fail('attach')
    expect(error).toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining('TERM is dumb') as string,
    })
  })
})
