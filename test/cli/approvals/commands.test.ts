import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ApprovalInfo } from '../../../src/api.ts'
import type { Outcome } from '../../../src/protocol/from-agent.ts'
import { createTeam } from '../../../src/team.ts'
import type { Relay } from '../../fakes/behaviors/relay.ts'
import { fakeBehavior } from '../../fakes/open-team.ts'
import { until } from '../../fakes/until.ts'
import { type Cli, createCli } from '../harness.ts'

/** A directory in which the turn `t1` of agent `a` waits for an answer, and nobody serves it. */
async function withQuestion(): Promise<{ cli: Cli; file: string; message: string }> {
  const cli = createCli()
  const file = join(cli.cwd, 'log')
  const agents = ['a', 'b'].map((id) => ({ id, behavior: fakeBehavior('relay') }))
  writeFileSync(join(cli.cwd, 'agentry.yaml'), JSON.stringify({ agents }))
  const relay: Relay = { say: 'done:', approve: { file, line: 'rm everything' } }
  const message = JSON.stringify(relay)
  const team = await createTeam({ data: join(cli.cwd, 'sessions'), agents, host: 'in-process' })
  await team.agent('a')?.post(message, { taskId: 't1' })
  await until('a question', () => team.approvals().length > 0)
  await team.close()
  return { cli, file, message }
}

const list = async (cli: Cli): Promise<ApprovalInfo[]> =>
  (await cli.json<{ approvals: ApprovalInfo[] }>('approvals')).approvals

describe('approvals, with nobody who serves the directory', () => {
  test('are listed, whole, without waking their agent', async () => {
    const { cli, file } = await withQuestion()
    expect(await list(cli)).toMatchObject([
      { agentId: 'a', tool: 'append', subject: 'rm everything', reason: 'it writes', sessionName: 'default' },
    ])
    const { code, stdout } = await cli.run('approvals', 'list')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^[0-9a-f]{8} {2}a asks for append: rm everything\n {2}why +it writes\n/)
    expect((await cli.run('approvals')).stdout.slice(0, 50)).toBe(stdout.slice(0, 50))
    expect(existsSync(file)).toBe(false)
  })

  test('are answered by the beginning of their id; the turn goes on when its agent is next started', async () => {
    const { cli, file, message } = await withQuestion()
    const [approval] = await list(cli)
    const id = approval?.approvalId ?? ''
    expect(await cli.run('approvals', 'answer', id.slice(0, 8), 'once')).toEqual({
      code: 0,
      stdout: 'allowed once: append rm everything, for a; its turn goes on when the agent is next started\n',
      stderr: '',
    })
    expect(await list(cli)).toEqual([])
    expect(existsSync(file)).toBe(false)
    const outcome = await cli.json<Outcome>('send', 'a', '--task-id', 't1', message)
    expect(outcome).toMatchObject({ status: 'completed', result: 'done: appended' })
    expect(readFileSync(file, 'utf8')).toBe('rm everything\n')
  })

  test('are denied with a reason that the agent hears', async () => {
    const { cli, file, message } = await withQuestion()
    const [approval] = await list(cli)
    const id = approval?.approvalId ?? ''
    expect(await cli.json('approvals', 'answer', id, 'deny', '--reason', 'too risky')).toMatchObject({
      approvalId: id,
      decision: 'deny',
    })
    const outcome = await cli.json<Outcome>('send', 'a', '--task-id', 't1', message)
    expect(outcome).toMatchObject({ status: 'completed', result: 'done: refused: too risky' })
    expect(existsSync(file)).toBe(false)
  })

  test('are refused by name where the id, the decision or the reason does not fit', async () => {
    const { cli } = await withQuestion()
    const [approval] = await list(cli)
    const id = approval?.approvalId ?? ''
    const fail = async (...words: string[]) => cli.fail('approvals', 'answer', ...words)
    expect(await fail('0190ffff', 'once')).toMatchObject({ code: 3, error: { code: 'approval_not_found' } })
    expect(await fail(id, 'yes')).toMatchObject({ code: 2, error: { code: 'invalid_input' } })
    expect(await fail(id, 'once', '--reason', 'x')).toMatchObject({
      code: 2,
      error: { code: 'invalid_input' },
    })
    expect(await list(cli)).toHaveLength(1)
    await cli.run('approvals', 'answer', id, 'once')
    expect(await fail(id, 'once')).toMatchObject({ code: 3, error: { code: 'approval_not_found' } })
  })

  test('stand in the session that they hold up, and complete a line', async () => {
    const { cli } = await withQuestion()
    const [approval] = await list(cli)
    const id = approval?.approvalId ?? ''
    expect((await cli.run('sessions', 'show', '--agent', 'a')).stdout).toContain(
      `asks          append rm everything (${id})\n`,
    )
    expect((await cli.run('__complete', 'approvals', 'answer', '')).stdout).toBe(
      `${id}\ta: append rm everything\n`,
    )
    expect((await cli.run('__complete', 'approvals', 'answer', id, '')).stdout).toBe('once\nsession\ndeny\n')
    expect((await cli.run('__complete', 'approvals', '')).stdout).toMatch(/^list\t.*\nanswer\t.*\nhelp\t/)
  })
})

describe('a send that nobody can be asked at', () => {
  test('says which question it waits for and what answers it, and is reached for that', async () => {
    const { cli, file } = await withQuestion()
    const notes: string[] = []
    const stderr = { write: (text: string) => notes.push(text) }
    const sending = createCli({ cwd: cli.cwd, stderr }).run('send', 'a', JSON.stringify({ say: 'second' }))
    const note = await until('the note', () => notes.find((text) => text.includes('answer   agentry')))
    const [, id = ''] = /answer {3}agentry approvals answer (\S+) once\|session\|deny/.exec(note) ?? []
    expect(note).toContain('agentry: waiting for an answer: a asks for append: rm everything\n')
    expect(await list(cli)).toMatchObject([{ approvalId: id }])
    expect((await cli.run('approvals', 'answer', id, 'once')).stdout).toBe(
      'allowed once: append rm everything, for a\n',
    )
    expect(await sending).toMatchObject({ code: 0, stdout: 'second' })
    expect(readFileSync(file, 'utf8')).toBe('rm everything\n')
  })

  test('waits for the agents that were asked too, and lets JSON alone on stderr with --json', async () => {
    const { cli } = await withQuestion()
    const [own] = await list(cli)
    await cli.run('approvals', 'answer', own?.approvalId ?? '', 'deny')
    const file = join(cli.cwd, 'nested')
    const relay: Relay = { say: 'asked:', ask: [{ agent: 'b', relay: { approve: { file, line: 'x' } } }] }
    const notes: string[] = []
    const stderr = { write: (text: string) => notes.push(text) }
    const sending = createCli({ cwd: cli.cwd, stderr }).run('--json', 'send', 'a', JSON.stringify(relay))
    const line = await until('the note', () => notes.find((text) => text.includes('waiting for an answer')))
    const { note } = JSON.parse(line) as { note: string }
    expect(note).toContain('b (asked by a) asks for append: x\n')
    const [, id = ''] = /approvals answer (\S+)/.exec(note) ?? []
    await cli.json('approvals', 'answer', id, 'session')
    const { code, stdout } = await sending
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ status: 'completed', result: 'asked: b appended' })
  })
})
