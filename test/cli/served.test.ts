import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createApp } from '../../src/gateway/app.ts'
import { serveTeam } from '../../src/gateway/serve.ts'
import { ensureToken } from '../../src/store/token-file.ts'
import { createTeam } from '../../src/team.ts'
import { type Cli, type CliRun, createCli } from './harness.ts'

const TOKEN = 'the-token-of-these-tests'

/** Serves the team of the directory in which the commands of `cli` run. */
async function serveFor(cli: Cli, set?: string): Promise<void> {
  const team = await createTeam({
    data: join(cli.cwd, 'sessions'),
    agents: [{ id: 'ops', behavior: 'shell', workingDir: cli.cwd }],
    host: 'in-process',
  })
  const token = set ?? ensureToken(join(cli.cwd, 'sessions'))
  const gateway = await serveTeam(team, { port: 0, token: () => token, version: '0.0.0' })
  team.announce(gateway.url)
  onTestFinished(async () => {
    await gateway.close()
    await team.close()
  })
}

const GO_SESSION = JSON.stringify({
  id: 'x',
  agent_id: 'ops',
  name: 'from-go',
  working_dir: '/tmp',
  memory: [],
})

/** One life of a team, by the command line alone. */
const SCRIPT: readonly string[][] = [
  ['agents', 'list'],
  ['agents', 'spawn', 'echo', '--behavior', 'echo', '--role', 'repeats'],
  ['agents', 'spawn', 'echo', '--behavior', 'shell'],
  ['send', 'ops', 'echo hello; echo problem >&2; exit 3'],
  ['send', 'ops', '--task-id', 't1', 'pwd >/dev/null; export K=1'],
  ['send', 'ops', '--task-id', 't1', 'never run'],
  ['send', 'echo', '--task-id', 't1', 'elsewhere'],
  ['send', 'nobody', 'x'],
  ['sessions', 'create', 'work', 'Development work', '--var', 'A=1', '--prompt', 'be brief'],
  ['sessions', 'create', 'bad', '--var', 'A-B=1'],
  ['sessions', 'list', '--search', 'DEVELOP'],
  ['sessions', 'list', '--agent', 'nobody'],
  ['sessions', 'suspend', 'work'],
  ['sessions', 'save'],
  ['sessions', 'resume', 'work'],
  ['sessions', 'save'],
  ['sessions', 'rename', 'work', 'renamed', '--description', 'other'],
  ['sessions', 'fork', 'renamed', 'copy'],
  ['send', 'ops', '--session', 'copy', 'echo $A'],
  ['sessions', 'show', 'copy'],
  ['sessions', 'show', 'nothing-of-that-name'],
  ['sessions', 'terminate', 'renamed'],
  ['sessions', 'load', 'renamed'],
  ['sessions', 'import', 'go.json'],
  ['sessions', 'export', 'from-go'],
  ['sessions', 'delete', 'copy', '--cancel'],
  ['sessions', 'list', '--trashed'],
  ['sessions', 'restore', 'copy'],
  ['sessions', 'cleanup', '--max-count', '0', '--dry-run'],
  ['sessions', 'cleanup', '--max-count', '0'],
  ['sessions', 'list', '--status', 'terminated'],
  ['agents', 'stop', 'ops'],
  ['send', 'ops', 'x'],
  ['agents', 'restart', 'ops'],
  ['send', 'ops', 'echo again'],
]

/** Without what differs from run to run: ids, times, sizes, threads, folders. */
function normal({ code, stdout, stderr }: CliRun, cwd: string): CliRun {
  const plain = (text: string): string =>
    text
      .replaceAll(cwd, '.')
      .replaceAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<id>')
      .replaceAll(/^ *[0-9a-f]{8}[0-9a-f-]* +/gm, '<id> ')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
      .replaceAll(/\b\d+s\b/g, '<age>')
      .replaceAll(/\b[\d.]+ (?:B|KB)\b/g, '<size>')
      .replaceAll(
        /"(diskBytes|journalOffset|epoch|activation|seq|cpuMs|heapBytes|externalBytes|loopUtilization)": [\d.]+/g,
        '"$1": 0',
      )
      // What a supervisor has seen since it started: one that has just started has seen nothing.
      .replaceAll(/^ *"lastActivityAt": .*\n/gm, '')
      // A team that stays keeps its agents awake; one that a command opens finds them asleep.
      .replaceAll(/\b(idle|hibernated)\b */g, '<awake> ')
      .replaceAll(/ {2,}/g, ' ')
  return { code, stdout: plain(stdout), stderr: plain(stderr) }
}

describe('a command beside a running supervisor', () => {
  test.each([
    ['as text', []],
    ['as JSON', ['--json']],
  ])('answers like one that opens the team itself, %s', async (_, flags) => {
    const alone = createCli()
    const beside = createCli()
    for (const { cwd } of [alone, beside]) writeFileSync(join(cwd, 'go.json'), GO_SESSION)
    await serveFor(beside)
    for (const command of SCRIPT) {
      const expected = normal(await alone.run(...flags, ...command), alone.cwd)
      const received = normal(await beside.run(...flags, ...command), beside.cwd)
      expect({ command, ...received }).toEqual({ command, ...expected })
    }
  })

  test('takes the token from AGENTRY_TOKEN where that is set', async () => {
    const cli = createCli({ env: { AGENTRY_TOKEN: TOKEN } })
    await serveFor(cli, TOKEN)
    expect((await cli.run('send', 'ops', 'echo hi')).stdout).toBe('hi\n')
  })

  test('says that the token is another one', async () => {
    const cli = createCli({ env: { AGENTRY_TOKEN: 'another-token-than-that' } })
    await serveFor(cli, TOKEN)
    expect(await cli.fail('agents', 'list')).toMatchObject({ code: 4, error: { code: 'unauthorized' } })
  })

  test('has succeeded also where the gateway is gone before it can tell of other faults', async () => {
    const cli = createCli()
    const data = join(cli.cwd, 'sessions')
    const team = await createTeam({ data, agents: [{ id: 'ops', behavior: 'echo' }], host: 'in-process' })
    const token = ensureToken(data)
    const app = createApp(team, { token: () => token, version: '0', originsAt: () => [] })
    const listener = getRequestListener(async (request) =>
      new URL(request.url).pathname === '/team' ? new Response('gone', { status: 502 }) : app.fetch(request),
    )
    const server = createServer((request, response) => void listener(request, response)).listen(
      0,
      '127.0.0.1',
    )
    await once(server, 'listening')
    const address = server.address()
    team.announce(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`)
    onTestFinished(async () => {
      server.close()
      server.closeAllConnections()
      await team.close()
    })
    expect(await cli.run('send', 'ops', 'done')).toEqual({ code: 0, stdout: 'done', stderr: '' })
  })

  test('is refused where the supervisor serves nothing', async () => {
    const cli = createCli()
    const team = await createTeam({ data: join(cli.cwd, 'sessions'), host: 'in-process' })
    onTestFinished(() => team.close())
    expect(await cli.fail('agents', 'list')).toMatchObject({ code: 4, error: { code: 'directory_owned' } })
  })

  test('says that a token is needed where the gateway has one of its own', async () => {
    const cli = createCli()
    await serveFor(cli, TOKEN)
    const { code, error } = await cli.fail('agents', 'list')
    expect({ code, error }).toMatchObject({ code: 4, error: { code: 'directory_owned' } })
    expect(error.message).toContain('with its token in AGENTRY_TOKEN this command joins it')
  })

  test('says that nobody answers where the gateway is gone', async () => {
    const cli = createCli()
    const data = join(cli.cwd, 'sessions')
    const team = await createTeam({ data, host: 'in-process' })
    ensureToken(data)
    team.announce('http://127.0.0.1:9')
    onTestFinished(() => team.close())
    expect(await cli.fail('agents', 'list')).toMatchObject({
      code: 5,
      error: { code: 'gateway_unreachable' },
    })
  })
})
