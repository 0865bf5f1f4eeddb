import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { tryDirectoryLock } from '../../src/store/directory-lock.ts'
import { createTeam } from '../../src/team.ts'
import type { Relay } from '../fakes/behaviors/relay.ts'
import { fakeBehavior } from '../fakes/open-team.ts'
import { until } from '../fakes/until.ts'
import { temporaryFolder, treeOf } from '../e2e/built-cli.ts'
import { bareEnvironment } from '../fakes/bare-environment.ts'
import { type Cli, createCli } from './harness.ts'

/** The candidates, without what they are. */
async function candidates(cli: Cli, ...words: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await cli.run('__complete', ...words)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')[0] ?? '']))
}

async function withSessions(): Promise<Cli> {
  const cli = createCli()
  await cli.json('agents', 'spawn', 'coder', '--behavior', 'echo', '--role', 'writes code')
  await cli.json('sessions', 'create', '--agent', 'coder', 'parser')
  await cli.json('sessions', 'create', '--agent', 'ops', 'deploy')
  await cli.json('sessions', 'create', '--agent', 'ops', 'old')
  await cli.json('sessions', 'delete', 'old')
  return cli
}

describe('what completes a line', () => {
  test('is the commands, as the help has them', async () => {
    const cli = createCli()
    const { stdout } = await cli.run('--help')
    const listed = [...stdout.slice(stdout.indexOf('Commands:')).matchAll(/^ {2}([a-z]+) /gm)]
    expect(await candidates(cli, '')).toEqual(listed.map(([, name]) => name))
    expect(await candidates(cli, 'se')).toEqual(['serve', 'send', 'sessions'])
    expect(await candidates(cli, '--json', 'sessions', 'lo')).toEqual(['load'])
    expect(await candidates(cli, '--data', 'sessions', 'tok')).toEqual(['token'])
  })

  test('is the options of the command, and those of every command', async () => {
    const cli = createCli()
    expect(await candidates(cli, 'sessions', 'load', 'x', '--')).toEqual([
      '--agent',
      '--cancel',
      '--version',
      '--config',
      '--data',
      '--json',
      '--help',
    ])
    expect(await candidates(cli, 'send', 'ops', '--', '--')).toEqual([])
  })

  test('is the values that an option or an argument can have', async () => {
    const cli = createCli()
    expect(await candidates(cli, 'sessions', 'list', '--status', '')).toEqual([
      'active',
      'suspended',
      'terminated',
    ])
    expect(await candidates(cli, 'completion', '')).toEqual(['bash', 'zsh', 'fish'])
    expect(await candidates(cli, 'agents', 'spawn', 'x', '--restart', 'per')).toEqual(['permanent'])
    expect(await candidates(cli, 'sessions', 'import', '')).toEqual([':files'])
    expect(await candidates(cli, '--config', '')).toEqual([':files'])
  })

  test('is the agents and the sessions', async () => {
    const cli = await withSessions()
    expect(await candidates(cli, 'send', '')).toEqual(['ops', 'coder'])
    expect(await candidates(cli, 'agents', 'stop', 'c')).toEqual(['coder'])
    expect(await candidates(cli, 'sessions', 'list', '--agent', 'o')).toEqual(['ops'])
    expect((await candidates(cli, 'sessions', 'load', '')).toSorted()).toEqual(['deploy', 'parser'])
    expect(await candidates(cli, 'sessions', 'load', '--agent', 'ops', '')).toEqual(['deploy'])
    expect(await candidates(cli, 'sessions', 'load', '--agent=coder', '')).toEqual(['parser'])
    expect(await candidates(cli, 'send', 'ops', '--session', 'd')).toEqual(['deploy'])
    expect(await candidates(cli, 'sessions', 'restore', '')).toEqual(['old'])
    expect(await candidates(cli, 'agents', 'spawn', '')).toEqual([])
    const { id } = await cli.json<{ id: string }>('sessions', 'show', 'parser')
    expect(await candidates(cli, 'sessions', 'show', id)).toEqual([id])
  })

  test('is an id where a name stands for two sessions, or would need quotes', async () => {
    const cli = createCli()
    const names = ['twice', 'twice', 'two words', '$(reboot)', 'good']
    const ids: string[] = []
    for (const name of names) ids.push((await cli.json<{ id: string }>('sessions', 'create', name)).id)
    expect((await candidates(cli, 'sessions', 'show', '')).toSorted()).toEqual(
      [...ids.slice(0, 4), 'good'].toSorted(),
    )
    const { stdout } = await cli.run('__complete', 'sessions', 'show', '')
    expect(stdout).toContain(`${ids[2]}\ttwo words, ops, suspended\n`)
  })

  test('is the questions that can be answered, oldest first', async () => {
    const cli = createCli()
    const data = join(cli.cwd, 'sessions')
    const agents = ['a', 'b', 'c', 'd'].map((id) => ({ id, behavior: fakeBehavior('relay') }))
    const team = await createTeam({ data, agents: agents.slice(0, 3), host: 'in-process' })
    await team.spawn({ ...agents[3], id: 'd', behavior: fakeBehavior('relay') })
    const ask = async (id: string, timeoutMs: number): Promise<string> => {
      const relay: Relay = { approve: { file: join(cli.cwd, 'log'), line: `for ${id}`, timeoutMs } }
      await team.agent(id)?.post(JSON.stringify(relay))
      return until('a question', () => team.approvals().find(({ agentId }) => agentId === id)?.approvalId)
    }
    const ids = [
      await ask('a', 600_000),
      await ask('b', 600_000),
      await ask('c', 5_000),
      await ask('d', 600_000),
    ]
    for (const { id } of agents) await team.agent(id)?.stop()
    await team.agent('b')?.createSession({ name: 'another' })
    await team.removeAgent('d')
    await until('the time of one is over', () => team.approvals().length === 1)
    await team.close()
    expect(await candidates(cli, 'approvals', 'answer', '')).toEqual(ids.slice(0, 1))
    const { stdout } = await cli.run('__complete', 'approvals', 'answer', '')
    expect(stdout).toBe(`${ids[0]}\ta: append for a\n`)
  })

  test('is found while another process owns the directory, and nothing is made or changed for it', async () => {
    const cli = await withSessions()
    const lock = tryDirectoryLock(join(cli.cwd, 'sessions/.agentry/lock'))
    const before = treeOf(cli.cwd)
    expect(await candidates(cli, 'send', '')).toEqual(['ops', 'coder'])
    expect((await candidates(cli, 'sessions', 'load', '')).toSorted()).toEqual(['deploy', 'parser'])
    expect(treeOf(cli.cwd)).toEqual(before)
    lock?.release()

    const empty = createCli()
    expect(await candidates(empty, 'send', '')).toEqual([])
    expect(await candidates(empty, 'sessions', 'load', '')).toEqual([])
    expect(treeOf(empty.cwd)).toEqual({})
  })

  test('is nothing where anything is wrong', async () => {
    const cli = createCli()
    writeFileSync(join(cli.cwd, 'agentry.yaml'), 'agnts: []\n')
    expect(await candidates(cli, 'send', '')).toEqual([])
    expect(await candidates(cli, 'no-command', '')).toEqual([])
    expect(await candidates(cli)).not.toEqual([])
    const damaged = createCli()
    mkdirSync(join(damaged.cwd, 'sessions/.agentry'), { recursive: true })
    writeFileSync(join(damaged.cwd, 'sessions/.agentry/agents.json'), '{')
    expect(await candidates(damaged, 'send', '')).toEqual([])
    expect(existsSync(join(damaged.cwd, 'sessions/.agentry/agents.json'))).toBe(true)
  })
})

const MAIN = fileURLToPath(new URL('../../src/cli/bin.ts', import.meta.url))

describe('the script for', () => {
  let path = ''
  let cwd = ''

  /** Runs `script` in a shell whose `agentry` is this one. */
  async function shell(name: string, args: string[], script: string): Promise<string[]> {
    const { stdout } = await promisify(execFile)(name, [...args, '-c', script], {
      cwd,
      env: bareEnvironment({ PATH: path, HOME: cwd, TERM: 'xterm' }),
    })
    return stdout.split('\n').filter((line) => line !== '')
  }

  beforeAll(async () => {
    const bin = temporaryFolder()
    writeFileSync(join(bin, 'agentry'), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`)
    chmodSync(join(bin, 'agentry'), 0o755)
    path = `${bin}:${process.env['PATH']}`
    cwd = temporaryFolder()
    await promisify(execFile)('agentry', ['sessions', 'create', 'parser'], {
      cwd,
      env: bareEnvironment({ PATH: path }),
    })
  })

  const has = (name: string): boolean => spawnSync(name, ['--version']).error === undefined

  test.skipIf(!has('bash'))('bash completes commands, names and files (skipped without bash)', async () => {
    const complete = async (...words: string[]): Promise<string[]> =>
      shell(
        'bash',
        ['--norc'],
        `source <(agentry completion bash); compopt() { echo "compopt $*"; }
         COMP_WORDS=(agentry ${words.join(' ')}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _agentry; printf '%s\\n' "\${COMPREPLY[@]}"`,
      )
    expect(await complete('sess')).toEqual(['sessions'])
    expect(await complete('send', "''")).toEqual(['ops'])
    expect(await complete('sessions', 'show', 'par')).toEqual(['parser'])
    expect(await complete('sessions', 'import', "''")).toEqual(['compopt -o default'])
  })

  test.skipIf(!has('zsh'))('zsh completes commands, names and files (skipped without zsh)', async () => {
    const complete = async (...words: string[]): Promise<string[]> =>
      shell(
        'zsh',
        ['-f'],
        `compdef() { }; source <(agentry completion zsh); _files() { print files }; compadd() { print -l -- $values }
         words=(agentry ${words.join(' ')}); CURRENT=$#words; _agentry`,
      )
    expect(await complete('sess')).toEqual(['sessions'])
    expect(await complete('send', "''")).toEqual(['ops'])
    expect(await complete('sessions', 'show', 'par')).toEqual(['parser'])
    expect(await complete('sessions', 'import', "''")).toEqual(['files'])
  })

  test.skipIf(!has('fish'))('fish completes commands, names and files (skipped without fish)', async () => {
    const complete = async (line: string): Promise<string[]> => {
      const found = await shell(
        'fish',
        ['--no-config'],
        `agentry completion fish | source; complete -C '${line}'`,
      )
      return found.map((candidate) => candidate.split('\t')[0] ?? '')
    }
    expect(await complete('agentry sess')).toEqual(['sessions'])
    expect(await complete('agentry send ')).toEqual(['ops'])
    expect(await complete('agentry sessions show par')).toEqual(['parser'])
    expect(await complete('agentry sessions import ')).toEqual(['sessions/'])
  })

  test.each(['bash', 'zsh', 'fish'])('%s says where it belongs, and every shell has one', async (name) => {
    expect((await createCli().run('completion', name)).stdout).toContain(`agentry completion ${name}`)
    expect((await createCli().fail('completion', 'csh')).error.code).toBe('invalid_input')
  })
})
