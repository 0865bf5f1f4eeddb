import { readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { AgentInfo, SessionInfo } from '../../src/api.ts'
import { type Cli, createCli } from './harness.ts'

async function list(cli: Cli): Promise<AgentInfo[]> {
  return (await cli.json<{ agents: AgentInfo[] }>('agents', 'list')).agents
}

describe('agents', () => {
  test('are one shell agent, ops, where there is no configuration file', async () => {
    const cli = createCli()
    expect(await list(cli)).toMatchObject([{ id: 'ops', behavior: 'shell', spec: { workingDir: cli.cwd } }])
  })

  test('that a team has already are not joined by another one', async () => {
    const cli = createCli()
    writeFileSync(join(cli.cwd, 'team.yaml'), 'agents: [{ id: main, behavior: echo }]\n')
    await cli.run('--config', 'team.yaml', 'agents', 'list')
    expect(await list(cli)).toMatchObject([{ id: 'main' }])
  })

  test('are spawned for good', async () => {
    const cli = createCli()
    const spawned = await cli.json<AgentInfo>(
      'agents',
      'spawn',
      'parrot',
      '--behavior',
      'echo',
      '--role',
      'Repeats',
      '--working-dir',
      'cage',
      '--restart',
      'transient',
      '--memory-mb',
      '64',
    )
    expect(spawned).toMatchObject({
      id: 'parrot',
      role: 'Repeats',
      spec: {
        behavior: 'echo',
        workingDir: join(cli.cwd, 'cage'),
        restart: { type: 'transient', maxRestarts: 5 },
        limits: { memoryMb: 64, turnMs: 600_000 },
      },
    })
    expect((await list(cli)).map(({ id }) => id)).toEqual(['ops', 'parrot'])
    expect(await cli.run('send', 'parrot', 'hello')).toMatchObject({ code: 0, stdout: 'hello' })
  })

  test('are not spawned with another spec, of an unknown behavior, or under a bad id', async () => {
    const cli = createCli()
    await cli.run('agents', 'spawn', 'parrot', '--behavior', 'echo')
    expect(await cli.fail('agents', 'spawn', 'parrot', '--behavior', 'shell')).toMatchObject({
      code: 4,
      error: { code: 'agent_exists' },
    })
    expect(await cli.fail('agents', 'spawn', 'x', '--behavior', 'ehco')).toMatchObject({
      code: 2,
      error: { code: 'invalid_config', message: expect.stringContaining('did you mean "echo"?') as string },
    })
    expect(await cli.fail('agents', 'spawn', 'X', '--behavior', 'echo')).toMatchObject({
      code: 2,
      error: { code: 'invalid_id' },
    })
    expect(await cli.fail('agents', 'spawn', 'x')).toMatchObject({
      code: 2,
      error: { code: 'invalid_input' },
    })
    expect((await list(cli)).map(({ id }) => id)).toEqual(['ops', 'parrot'])
  })

  test('stay stopped until they are restarted', async () => {
    const cli = createCli()
    await cli.run('agents', 'spawn', 'parrot', '--behavior', 'echo')
    expect(await cli.run('agents', 'stop', 'parrot')).toEqual({
      code: 0,
      stdout: 'stopped agent parrot\n',
      stderr: '',
    })
    expect(await list(cli)).toMatchObject([{ id: 'ops' }, { id: 'parrot', state: 'stopped' }])
    const { code, stderr } = await cli.run('send', 'parrot', 'hello')
    expect(code).toBe(4)
    expect(stderr).toMatch(/\(agent_stopped\)\nhint: `agentry agents restart <id>` starts it again\n$/)
    expect((await cli.run('agents', 'restart', 'parrot')).code).toBe(0)
    expect(await cli.run('send', 'parrot', 'hello')).toMatchObject({ code: 0, stdout: 'hello' })
  })

  test('are removed for good, and leave their sessions to whoever has their id next', async () => {
    const cli = createCli()
    await cli.run('agents', 'spawn', 'parrot', '--behavior', 'echo')
    await cli.run('send', 'parrot', 'hello')
    const { code, stderr } = await cli.run('agents', 'spawn', 'parrot', '--behavior', 'shell')
    expect(code).toBe(4)
    expect(stderr).toContain('\nhint: `agentry agents remove <id>` ')

    expect(await cli.run('agents', 'remove', 'parrot')).toEqual({
      code: 0,
      stdout: 'removed agent parrot; its session stays\n',
      stderr: '',
    })
    expect((await list(cli)).map(({ id }) => id)).toEqual(['ops'])
    const { sessions } = await cli.json<{ sessions: SessionInfo[] }>('sessions', 'list')
    expect(sessions).toMatchObject([{ agentId: 'parrot' }])
    expect((await cli.run('sessions', 'show', sessions[0]?.id ?? '')).stdout).toContain('hello')

    await cli.run('agents', 'spawn', 'parrot', '--behavior', 'shell')
    expect(await cli.run('send', 'parrot', 'echo again')).toMatchObject({ code: 0, stdout: 'again\n' })
    expect(await cli.json('sessions', 'list')).toMatchObject({ sessions: [{ counts: { turns: 2 } }] })
    expect(await cli.fail('agents', 'remove', 'nobody')).toMatchObject({
      code: 3,
      error: { code: 'agent_not_found' },
    })
  })

  test('are not removed while the configuration file has them', async () => {
    const cli = createCli()
    writeFileSync(join(cli.cwd, 'agentry.yaml'), 'agents: [{ id: main, behavior: echo }]\n')
    expect(await cli.fail('agents', 'remove', 'main')).toMatchObject({
      code: 2,
      error: { code: 'invalid_input', message: expect.stringContaining('configuration file') as string },
    })
    writeFileSync(join(cli.cwd, 'agentry.yaml'), 'agents: [{ id: other, behavior: echo }]\n')
    expect(await cli.run('agents', 'remove', 'main')).toMatchObject({
      code: 0,
      stdout: 'removed agent main\n',
    })
    expect((await list(cli)).map(({ id }) => id)).toEqual(['other'])
  })

  test('read as a table', async () => {
    const cli = createCli()
    const { stdout } = await cli.run('agents', 'list')
    expect(stdout).toMatch(/^ID +BEHAVIOR +STATE [^\n]*\nops +shell +\w+ /)
  })
})

describe('the data directory', () => {
  test('is that of --data, else of the configuration file, else ./sessions', async () => {
    const cli = createCli()
    const directory = (...argv: string[]) => cli.run(...argv, 'agents', 'list')
    await directory()
    await directory('--data', 'elsewhere')
    writeFileSync(join(cli.cwd, 'agentry.yaml'), 'data: configured\nagents: [{ id: a, behavior: echo }]\n')
    await directory()
    const folder = realpathSync(cli.cwd)
    for (const name of ['sessions', 'elsewhere', 'configured']) {
      expect(readFileSync(join(folder, name, '.agentry', 'agents.json'), 'utf8')).toContain('"id"')
    }
  })
})
