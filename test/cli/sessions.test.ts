import { mkdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { SessionInfo } from '../../src/api.ts'
import { sessionTable, sessionText } from '../../src/cli/sessions/view.ts'
import type {
  MemoryEntry,
  SessionState,
  TaskEntry,
  ToolCall,
  ToolOutcome,
} from '../../src/core/session-state.ts'
import { createCli, type Cli } from './harness.ts'

const TEAM = 'agents:\n  - { id: main, behavior: echo }\n  - { id: other, behavior: echo }\n'

/** A team of two echo agents: main, the default one, and other. */
function createTeamCli(config = TEAM): Cli {
  const cli = createCli()
  writeFileSync(join(cli.cwd, 'agentry.yaml'), config)
  return cli
}

async function list(cli: Cli, ...options: string[]): Promise<SessionInfo[]> {
  const { sessions } = await cli.json<{ sessions: SessionInfo[] }>('sessions', 'list', ...options)
  return sessions
}

const create = (cli: Cli, ...args: string[]) => cli.json<SessionInfo>('sessions', 'create', ...args)

async function conversation(cli: Cli, reference: string): Promise<unknown> {
  const { memory } = await cli.json<SessionState>('sessions', 'show', reference)
  return memory.map(({ at, turnId, role, content }) => ({ at, turnId, role, content }))
}

describe('sessions create', () => {
  test('makes a session of the default agent, and makes it current', async () => {
    const cli = createTeamCli()
    mkdirSync(join(cli.cwd, 'work'))
    const created = await create(
      cli,
      'work',
      'Development work',
      '--working-dir',
      'work',
      '--prompt',
      'Be brief.',
      '--var',
      'A=1',
      '--var',
      'B=x=y',
    )
    expect(created).toMatchObject({
      agentId: 'main',
      name: 'work',
      description: 'Development work',
      status: 'active',
      current: true,
      workingDir: join(cli.cwd, 'work'),
      prompt: 'Be brief.',
      vars: { A: '1', B: 'x=y' },
    })
    expect(await list(cli)).toMatchObject([{ id: created.id, current: true }])
  })

  test('suspends the session before, and makes one for the agent that is named', async () => {
    const cli = createTeamCli()
    await create(cli, 'first')
    await create(cli, 'second')
    await create(cli, 'third', '--agent', 'other')
    expect(await list(cli)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'first', agentId: 'main', status: 'suspended', current: false }),
        expect.objectContaining({ name: 'second', agentId: 'main', status: 'active', current: true }),
        expect.objectContaining({ name: 'third', agentId: 'other', status: 'active', current: true }),
      ]),
    )
  })

  test('takes a working directory that is not there, with a warning; its turns fail by the name of the session', async () => {
    const cli = createTeamCli('agents: [{ id: main, behavior: shell }]\n')
    const gone = join(cli.cwd, 'gone')
    const created = await cli.run('sessions', 'create', 'work', '--working-dir', 'gone')
    expect(created).toMatchObject({
      code: 0,
      stderr: `agentry: ${gone} is not a directory: until it is made, commands in this session fail\n`,
    })
    const { code, stdout, stderr } = await cli.run('send', 'main', 'pwd')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/session "work" \(.*\/gone \(working_dir_missing\)\nhint: make the directory, or /)
    mkdirSync(gone)
    expect((await cli.run('send', 'main', 'pwd')).code).toBe(0)
    expect((await cli.run('sessions', 'create', 'next', '--working-dir', 'gone')).stderr).toBe('')
  })

  test('refuses a var that is none', async () => {
    const cli = createTeamCli()
    expect(await cli.fail('sessions', 'create', 'x', '--var', 'A')).toMatchObject({
      code: 2,
      error: { code: 'invalid_input', message: '--var: expected NAME=value, received "A"' },
    })
    expect(await cli.fail('sessions', 'create', 'x', '--var', '1A=1')).toMatchObject({
      code: 2,
      error: { code: 'invalid_input' },
    })
    expect(await list(cli)).toEqual([])
  })
})

describe('sessions list', () => {
  test('is a table with a short id, the status as a word, and a star at the current session', async () => {
    const cli = createTeamCli()
    await create(cli, 'first')
    await cli.run('send', 'main', 'hello')
    const { id } = await create(cli, 'second')
    const { stdout } = await cli.run('sessions', 'list')
    const [head, ...rows] = stdout.trimEnd().split('\n')
    expect(head).toMatch(/^ID +NAME +AGENT +STATUS +TURNS +AGE +SIZE$/)
    expect(rows).toHaveLength(2)
    expect(rows[0]).toMatch(/^[0-9a-f-]{8,} +second +main +active \* +0 +\d+s +[\d.]+ K?B$/)
    expect(rows[1]).toMatch(/^[0-9a-f-]{8,} +first +main +suspended +1 +\d+s +[\d.]+ K?B$/)
    const short = rows[0]?.split(' ')[0] ?? ''
    expect(id.startsWith(short)).toBe(true)
    const shown = await cli.json<SessionState>('sessions', 'show', short)
    expect(shown.id).toBe(id)
  })

  test('is filtered by agent, status and text', async () => {
    const cli = createTeamCli()
    await create(cli, 'alpha')
    await create(cli, 'beta', 'All about Alpha')
    await create(cli, 'gamma', '--agent', 'other')
    const names = async (...options: string[]) => (await list(cli, ...options)).map(({ name }) => name).sort()
    expect(await names('--agent', 'main')).toEqual(['alpha', 'beta'])
    expect(await names('--status', 'suspended')).toEqual(['alpha'])
    expect(await names('--search', 'ALPHA')).toEqual(['alpha', 'beta'])
    expect(await names('--search', 'nothing')).toEqual([])
    expect((await cli.run('sessions', 'list', '--search', 'nothing')).stdout).toBe('no sessions\n')
    expect(await cli.fail('sessions', 'list', '--status', 'lost')).toMatchObject({
      code: 2,
      error: { code: 'invalid_input' },
    })
    expect(await cli.fail('sessions', 'list', '--agent', 'nobody')).toMatchObject({
      code: 3,
      error: { code: 'agent_not_found' },
    })
  })

  test('carries no control sequence of a name', async () => {
    const cli = createTeamCli()
    const name = 'evil\u001b]0;owned\u0007 name'
    expect(await cli.fail('sessions', 'create', name)).toMatchObject({
      code: 2,
      error: { code: 'invalid_input' },
    })
    // A journal can hold one all the same.
    const session = await create(cli, 'work')
    expect(sessionTable([{ ...session, name }], [session.id], 0, false)).toContain(' evil name ')
  })
})

describe('sessions show', () => {
  test('is readable: the fields, then the conversation', async () => {
    const cli = createTeamCli()
    await create(cli, 'work', '--var', 'K=1')
    await cli.run('send', 'main', 'hello \u001b[31mred')
    const { stdout } = await cli.run('sessions', 'show')
    expect(stdout).toMatch(/^name +work$/m)
    expect(stdout).toMatch(/^var +K=1$/m)
    expect(stdout).toMatch(/ user\nhello red$/m)
    expect(stdout).toMatch(/ assistant\nhello red$/m)
  })

  test('says of each turn that went otherwise than well how it ended, behind its last entry', async () => {
    const cli = createTeamCli('agents: [{ id: main, behavior: shell }]\n')
    await cli.run('send', 'main', 'echo fine')
    await cli.run('send', 'main', 'exit 3')
    await cli.run('sessions', 'create', 'lost', '--working-dir', 'gone')
    await cli.run('send', 'main', 'echo never')
    const { stdout } = await cli.run('sessions', 'show')
    expect(stdout).toMatch(/ user\necho never\n\nturn failed: [^\n]*gone \(working_dir_missing\)\n$/)

    const { sessions } = await cli.json<{ sessions: SessionInfo[] }>(
      'sessions',
      'list',
      '--status',
      'suspended',
    )
    const first = await cli.json<SessionState>('sessions', 'show', sessions[0]?.id ?? '')
    const shown = sessionText(first, false)
    expect(shown.match(/^turn .*$/gm)).toEqual(['turn completed with exit code 3'])
    expect(shown.endsWith('\n\nturn completed with exit code 3')).toBe(true)

    const endings = ['interrupted', 'cancelled'] as const
    const tasks = first.tasks.map(({ taskId, turnId }, index) => {
      const status = endings[index] ?? 'failed'
      return { taskId, turnId, status, error: { code: status, message: `it was\n${status}` } } as TaskEntry
    })
    expect(sessionText({ ...first, tasks }, false).match(/^turn .*$/gm)).toEqual([
      'turn interrupted: it was interrupted (interrupted)',
      'turn cancelled: it was cancelled (cancelled)',
    ])
  })

  test('says of each result which call it is of and how that ended, with commands as they are', async () => {
    const cli = createTeamCli()
    await create(cli, 'work')
    const state = await cli.json<SessionState>('sessions', 'show')
    const at = '2026-11-25T14:02:00.000Z'
    const call = (toolCallId: string, command: string) => ({ toolCallId, name: 'shell', input: { command } })
    const step = (seq: number, ...toolCalls: ToolCall[]): MemoryEntry => ({
      seq,
      at,
      turnId: 't',
      role: 'assistant',
      content: '',
      toolCalls,
    })
    const result = (seq: number, toolCallId: string, outcome?: ToolOutcome): MemoryEntry => ({
      seq,
      at,
      turnId: 't',
      role: 'tool',
      content: `text ${seq}`,
      toolCallId,
      ...(outcome && { outcome }),
    })
    const memory = [
      step(1, call('a', 'sleep  0.2'), call('b', 'rm\u001b[2J x')),
      result(2, 'b', 'error'),
      result(3, 'a', 'ok'),
      // The model uses an id again.
      step(4, { toolCallId: 'a', name: 'read', input: 'x' }),
      result(5, 'a', 'unknown'),
      result(6, 'gone', 'ok'),
      step(7, call('c', 'ls')),
      result(8, 'c'),
    ]
    const shown = sessionText({ ...state, memory }, false)
    expect(shown.split('\n\n').slice(1)).toEqual([
      `${at} assistant\n→ shell {"command":"sleep  0.2"}\n→ shell {"command":"rm\\u001b[2J x"}`,
      `${at} tool\n← error: shell {"command":"rm\\u001b[2J x"}\ntext 2`,
      `${at} tool\n← ok: shell {"command":"sleep  0.2"}\ntext 3`,
      `${at} assistant\n→ read "x"`,
      `${at} tool\n← unknown: read\ntext 5`,
      `${at} tool\n← ok: a call\ntext 6`,
      `${at} assistant\n→ shell {"command":"ls"}`,
      `${at} tool\n← shell\ntext 8`,
    ])
  })

  test('with --json is the whole state, as is export, and both equal the file', async () => {
    const cli = createTeamCli()
    const { id } = await create(cli, 'work')
    await cli.run('send', 'main', 'hello')
    await cli.run('sessions', 'save')
    const shown = await cli.json<SessionState>('sessions', 'show', id)
    expect(shown.memory).toMatchObject([
      { role: 'user', content: 'hello' },
      { role: 'assistant', content: 'hello' },
    ])
    expect(JSON.parse((await cli.run('sessions', 'export', id)).stdout)).toEqual(shown)
    expect(JSON.parse(readFileSync(join(cli.cwd, 'sessions', `${id}.json`), 'utf8'))).toMatchObject(shown)
  })

  test('needs a current session, or a reference', async () => {
    const cli = createTeamCli()
    expect(await cli.fail('sessions', 'show')).toMatchObject({
      code: 3,
      error: { code: 'no_current_session' },
    })
    expect(await cli.fail('sessions', 'show', 'nothing')).toMatchObject({
      code: 3,
      error: { code: 'session_not_found' },
    })
  })

  test('refuses a name that fits several sessions, and names them', async () => {
    const cli = createTeamCli()
    const first = await create(cli, 'work')
    const second = await create(cli, 'work')
    const { code, error } = await cli.fail('sessions', 'show', 'work')
    expect(code).toBe(4)
    expect(error.code).toBe('session_ambiguous')
    expect(error.message).toContain(first.id)
    expect(error.message).toContain(second.id)
    await create(cli, 'work', '--agent', 'other')
    expect(await cli.json<SessionState>('sessions', 'show', 'work', '--agent', 'other')).toMatchObject({
      agentId: 'other',
    })
  })
})

describe('the life of a session', () => {
  test('leads through suspend, resume, load, terminate, fork and rename', async () => {
    const cli = createTeamCli()
    const { id } = await create(cli, 'work')
    await cli.run('send', 'main', 'hello')
    const change = (...argv: string[]) => cli.json<SessionInfo>('sessions', ...argv)

    expect(await change('suspend')).toMatchObject({ id, status: 'suspended', current: false })
    expect(await change('resume', 'work')).toMatchObject({ id, status: 'active', current: true })
    const second = await create(cli, 'second')
    expect(await change('load', id)).toMatchObject({ id, current: true })
    expect(await change('rename', 'second', 'other name', '--description', 'what for')).toMatchObject({
      id: second.id,
      name: 'other name',
      description: 'what for',
    })
    expect(await change('save')).toMatchObject({ id })
    expect(await change('terminate', id)).toMatchObject({ id, status: 'terminated' })
    expect(await cli.fail('sessions', 'load', id)).toMatchObject({
      code: 4,
      error: { code: 'session_terminated' },
    })
    const fork = await change('fork', id, 'again')
    expect(fork).toMatchObject({ name: 'again', status: 'suspended', counts: { turns: 1 } })
    expect(await change('load', 'again')).toMatchObject({ id: fork.id, status: 'active' })
    expect(await cli.json<SessionState>('sessions', 'show', 'again')).toMatchObject({
      memory: [{ content: 'hello' }, { content: 'hello' }],
    })
  })

  test('says in one line what was done', async () => {
    const cli = createTeamCli()
    const { id } = await create(cli, 'work')
    expect(await cli.run('sessions', 'suspend')).toEqual({
      code: 0,
      stdout: `suspended session work (${id}) of main\n`,
      stderr: '',
    })
  })

  test('ends in the trash, and comes back from there', async () => {
    const cli = createTeamCli()
    const { id } = await create(cli, 'work')
    await cli.run('sessions', 'delete', 'work')
    expect(await list(cli)).toEqual([])
    expect(await list(cli, '--trashed')).toMatchObject([{ id, name: 'work', status: 'terminated' }])
    expect(await cli.fail('sessions', 'restore', 'nothing')).toMatchObject({
      code: 3,
      error: { code: 'session_not_found' },
    })
    expect(await cli.json<SessionInfo>('sessions', 'restore', 'work')).toMatchObject({ id })
    expect(await list(cli)).toMatchObject([{ id, name: 'work' }])
    expect(await list(cli, '--trashed')).toEqual([])
  })

  test('does not reach another agent', async () => {
    const cli = createTeamCli()
    const { id } = await create(cli, 'work')
    expect(await cli.fail('sessions', 'load', id, '--agent', 'other')).toMatchObject({
      code: 3,
      error: { code: 'session_not_found' },
    })
    expect(await cli.fail('send', 'other', 'hi', '--session', id)).toMatchObject({
      code: 3,
      error: { code: 'session_not_found' },
    })
    expect(await list(cli)).toMatchObject([{ id, current: true, counts: { turns: 0 } }])
  })
})

describe('sessions export', () => {
  test('writes a new file that only its owner can read, and import makes a session of it', async () => {
    const cli = createTeamCli()
    const { id } = await create(cli, 'work', 'Description', '--var', 'K=1')
    await cli.run('send', 'main', 'hello')
    const file = join(realpathSync(cli.cwd), 'work.json')
    expect(await cli.json('sessions', 'export', 'work', '--output', 'work.json')).toEqual({
      sessionId: id,
      file: join(cli.cwd, 'work.json'),
    })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(await cli.fail('sessions', 'export', 'work', '--output', 'work.json')).toMatchObject({
      code: 2,
      error: { code: 'invalid_input' },
    })

    const imported = await cli.json<SessionInfo>('sessions', 'import', 'work.json', '--agent', 'other')
    expect(imported).toMatchObject({
      agentId: 'other',
      name: 'work',
      description: 'Description',
      status: 'suspended',
      vars: { K: '1' },
      counts: { turns: 1, entries: 2 },
      metadata: { importedFrom: { id, agentId: 'main' } },
    })
    expect(imported.id).not.toBe(id)
    expect(await conversation(cli, imported.id)).toEqual(await conversation(cli, id))

    // The file in the data directory is as good.
    const again = await cli.json<SessionInfo>(
      'sessions',
      'import',
      join('sessions', `${id}.json`),
      '--agent',
      'other',
    )
    expect(await conversation(cli, again.id)).toEqual(await conversation(cli, id))
  })
})

describe('a damaged session', () => {
  test('is named by every command that opens the team, and is never taken for an empty one', async () => {
    const cli = createTeamCli()
    const { id } = await create(cli, 'work')
    await cli.run('send', 'main', 'hello')
    rmSync(join(cli.cwd, 'sessions', `${id}.journal.jsonl`))
    for (const argv of [
      ['sessions', 'list'],
      ['agents', 'list'],
    ]) {
      const { code, stderr } = await cli.run(...argv)
      expect(code).toBe(0)
      expect(stderr).toContain(id)
      expect(stderr).toMatch(/^agentry: /)
      expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    }
    const refused = await cli.run('send', 'main', 'hello')
    expect(refused).toMatchObject({ code: 6, stdout: '' })
    const [warning, error, ...more] = refused.stderr.trimEnd().split('\n')
    expect(warning).toContain(id)
    expect(error).toMatch(/cannot be opened: .* \(journal_missing\)$/)
    expect(more).toEqual([expect.stringMatching(/^hint: .*doctor/)])
    expect(await cli.fail('sessions', 'show', id)).toMatchObject({
      code: 6,
      error: { code: 'journal_missing' },
    })
  })
})

describe('sessions cleanup', () => {
  test('needs a policy', async () => {
    const cli = createTeamCli()
    expect(await cli.fail('sessions', 'cleanup')).toMatchObject({ code: 2, error: { code: 'invalid_input' } })
    expect(await cli.fail('sessions', 'cleanup', '--max-age', '30')).toMatchObject({
      code: 2,
      error: { code: 'invalid_input' },
    })
    expect(await cli.fail('sessions', 'cleanup', '--max-count', '-1')).toMatchObject({
      code: 2,
      error: { code: 'invalid_input' },
    })
  })

  test('moves what its policy takes to the trash, terminated sessions only, and says so before with --dry-run', async () => {
    const cli = createTeamCli()
    const done = await create(cli, 'done')
    await cli.run('sessions', 'terminate', 'done')
    await create(cli, 'waiting')
    await create(cli, 'current')
    const cleanup = (...options: string[]) =>
      cli.json<{ dryRun: boolean; sessions: SessionInfo[] }>('sessions', 'cleanup', ...options)

    expect(await cleanup('--max-count', '0', '--dry-run')).toMatchObject({
      dryRun: true,
      sessions: [{ id: done.id }],
    })
    expect(await list(cli)).toHaveLength(3)
    expect(await cleanup('--max-age', '1d')).toMatchObject({ sessions: [] })
    expect(await cleanup('--max-count', '0')).toMatchObject({ dryRun: false, sessions: [{ id: done.id }] })
    expect((await list(cli)).map(({ name }) => name).sort()).toEqual(['current', 'waiting'])
    expect(await cleanup('--max-count', '0', '--include-suspended')).toMatchObject({
      sessions: [{ name: 'waiting' }],
    })
    expect((await list(cli, '--trashed')).map(({ name }) => name).sort()).toEqual(['done', 'waiting'])
  })

  test('takes the policy of the configuration file', async () => {
    const cli = createTeamCli(`${TEAM}retention: { maxCount: 0 }\n`)
    await create(cli, 'done')
    await cli.run('sessions', 'terminate', 'done')
    expect((await cli.run('sessions', 'cleanup')).stdout).toMatch(
      /^moved to the trash:\nID[^\n]*\n[^\n]* done /,
    )
  })
})
