import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { AgentryError } from '../../src/errors.ts'
import type { Outcome } from '../../src/protocol/from-agent.ts'
import { createFakeTeam, type FakeTeam, type FakeTurn } from '../fakes/team.ts'
import { type Cli, type CliRun, createCli } from './harness.ts'

interface Sending {
  fake: FakeTeam
  turn: FakeTurn
  done: Promise<CliRun>
  /** Presses Ctrl-C. */
  interrupt: () => void
  forced: () => number
}

/** Runs `agentry send ops …` against a team that the test plays, up to the moment when the message is there. */
async function startSend(argv: string[] = ['hello'], stdin = ''): Promise<Sending> {
  const fake = createFakeTeam('ops')
  let listener: (() => void) | undefined
  let forced = 0
  const cli = createCli({
    createTeam: async () => fake.team,
    readStdin: async () => stdin,
    onInterrupt(added) {
      listener = added
      return () => {
        listener = undefined
      }
    },
    forceExit() {
      forced += 1
    },
  })
  const done = cli.run('send', 'ops', ...argv)
  const turn = await fake.nextTurn()
  return { fake, turn, done, interrupt: () => listener?.(), forced: () => forced }
}

describe('send', () => {
  test('joins the words, streams the text, and exits with the exit code of the command', async () => {
    const { fake, turn, done } = await startSend(['make', 'it', 'so'])
    expect(turn.input).toBe('make it so')
    turn.start()
    turn.text('first\n')
    turn.text('second\n')
    turn.finish({ result: 'first\nsecond\n', exitCode: 3 })
    expect(await done).toEqual({ code: 3, stdout: 'first\nsecond\n', stderr: '' })
    expect(fake.closed()).toBe(1)
  })

  test('reads the message from the standard input where it is a dash', async () => {
    const { turn, done } = await startSend(['-'], 'line one\nline two\n')
    expect(turn.input).toBe('line one\nline two\n')
    turn.finish({ result: '' })
    expect(await done).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  test('takes options of the text behind two dashes only', async () => {
    const { turn, done } = await startSend(['--', 'ls', '-la'])
    expect(turn.input).toBe('ls -la')
    turn.finish({})
    expect((await done).code).toBe(0)

    const cli = createCli()
    expect(await cli.run('send', 'ops', 'ls', '-la')).toMatchObject({ code: 2, stdout: '' })
  })

  test('passes the task id on, and makes one where none is given', async () => {
    const named = await startSend(['--task-id', 'build-1', 'make'])
    expect(named.turn.options.taskId).toBe('build-1')
    named.turn.finish({})
    await named.done
    const unnamed = await startSend()
    expect(unnamed.turn.options.taskId).toMatch(/^[0-9a-f-]{36}$/)
    unnamed.turn.finish({})
    await unnamed.done
  })

  test('with --json gives one outcome and no text', async () => {
    const { turn, done } = await startSend(['--json', 'hello'])
    turn.start()
    turn.text('partial')
    turn.finish({ result: 'all of it', exitCode: 0 })
    const { code, stdout, stderr } = await done
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ status: 'completed', result: 'all of it', exitCode: 0 })
  })

  test.each<[Outcome['status'], number]>([
    ['failed', 1],
    ['interrupted', 7],
    ['cancelled', 130],
  ])('ends a turn that is %s with exit code %i, and its error on stderr', async (status, code) => {
    const { turn, done } = await startSend()
    turn.start()
    turn.text('half\n')
    turn.finish({ status, result: 'half\n', error: { code: 'turn_failed', message: 'it broke' } })
    expect(await done).toEqual({ code, stdout: 'half\n', stderr: 'agentry: it broke (turn_failed)\n' })
  })

  test('reports a message that never became a turn, and closes the team', async () => {
    const { fake, turn, done } = await startSend()
    turn.refuse(new AgentryError('mailbox_full', 'expected at most 1000 messages, received one more'))
    const { code, stderr } = await done
    expect(code).toBe(5)
    expect(stderr).toMatch(
      /^agentry: expected at most 1000 messages, received one more \(mailbox_full\)\nhint: /,
    )
    expect(fake.closed()).toBe(1)
  })
})

describe('an interrupt', () => {
  test('cancels the turn, waits for its end, and exits as cancelled', async () => {
    const { fake, turn, done, interrupt, forced } = await startSend()
    turn.start()
    turn.text('working\n')
    interrupt()
    await expect.poll(() => fake.cancelled).toEqual([turn.turnId])
    turn.finish({
      status: 'cancelled',
      result: 'working\n',
      error: { code: 'cancelled', message: 'cancelled' },
    })
    expect(await done).toMatchObject({ code: 130, stdout: 'working\n' })
    expect(forced()).toBe(0)
    expect(fake.closed()).toBe(1)
  })

  test('a second time ends the process at once', async () => {
    const { turn, done, interrupt, forced } = await startSend()
    turn.start()
    interrupt()
    interrupt()
    expect(forced()).toBe(1)
    turn.finish({ status: 'cancelled' })
    await done
  })

  test('before the agent has taken the message withdraws it', async () => {
    const { fake, done, interrupt } = await startSend()
    interrupt()
    expect(await done).toMatchObject({ code: 130, stdout: '' })
    expect(fake.cancelled).toEqual([])
    expect(fake.closed()).toBe(1)
  })
})

describe('send to a real agent', () => {
  function createTeamCli(): Cli {
    const cli = createCli()
    writeFileSync(
      join(cli.cwd, 'agentry.yaml'),
      'agents: [{ id: main, behavior: echo }]\nlimits: { messageBytes: 100 }\n',
    )
    return cli
  }

  test('prints the answer exactly', async () => {
    expect(await createTeamCli().run('send', 'main', 'hello  there')).toEqual({
      code: 0,
      stdout: 'hello  there',
      stderr: '',
    })
  })

  test('makes a session current that it is sent to', async () => {
    const cli = createTeamCli()
    await cli.run('sessions', 'create', 'first')
    await cli.run('sessions', 'create', 'second')
    await cli.run('send', 'main', '--session', 'first', 'hello')
    const { sessions } = await cli.json<{ sessions: unknown[] }>('sessions', 'list')
    expect(sessions).toMatchObject([
      { name: 'first', current: true, counts: { turns: 1 } },
      { name: 'second', current: false, counts: { turns: 0 } },
    ])
  })

  test('answers a repeated task id with the outcome of the first time', async () => {
    const cli = createTeamCli()
    const first = await cli.json<Outcome>('send', 'main', '--task-id', 'once', 'one')
    const second = await cli.json<Outcome>('send', 'main', '--task-id', 'once', 'two')
    expect(second).toEqual(first)
    expect(first).toMatchObject({ taskId: 'once', result: 'one' })
  })

  test('refuses a message over the limit, an agent that is not there, and an id that is none', async () => {
    const cli = createTeamCli()
    expect(await cli.fail('send', 'main', 'x'.repeat(101))).toMatchObject({
      code: 2,
      error: { code: 'message_too_large', data: { limit: 100, received: 101 } },
    })
    expect(await cli.fail('send', 'mian', 'hello')).toMatchObject({
      code: 3,
      error: { code: 'agent_not_found', message: expect.stringContaining('did you mean "main"?') as string },
    })
    expect(await cli.fail('send', '../main', 'hello')).toMatchObject({
      code: 2,
      error: { code: 'invalid_id' },
    })
  })
})
