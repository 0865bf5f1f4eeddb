import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { AgentInfo } from '../../src/api.ts'
import type { EndingSignal } from '../../src/cli/signals.ts'
import { AgentryError } from '../../src/errors.ts'
import type { Outcome } from '../../src/protocol/from-agent.ts'
import { SimulatedClock } from '../fakes/simulated-clock.ts'
import { createFakeTeam, type FakeTeam, type FakeTurn } from '../fakes/team.ts'
import { type Cli, type CliRun, createCli } from './harness.ts'

interface Sending {
  fake: FakeTeam
  turn: FakeTurn
  done: Promise<CliRun>
  /** Sends a signal, long after the one before. */
  signal: (signal: EndingSignal) => void
  /** Sends one right behind the one before. */
  signalAgain: (signal: EndingSignal) => void
  forced: () => number
}

/** Runs `agentry send ops …` against a team that the test plays, up to the moment when the message is there. */
async function startSend(argv: string[] = ['hello'], stdin = ''): Promise<Sending> {
  const fake = createFakeTeam('ops')
  const clock = new SimulatedClock()
  let listener: ((signal: EndingSignal) => void) | undefined
  let forced = 0
  const cli = createCli({
    createTeam: async () => fake.team,
    readStdin: async () => stdin,
    clock,
    onSignal(added) {
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
  return {
    fake,
    turn,
    done,
    signal(signal) {
      clock.advance(1_000)
      listener?.(signal)
    },
    signalAgain: (signal) => listener?.(signal),
    forced: () => forced,
  }
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

  test('with --events gives every event, and the outcome as the last', async () => {
    const { turn, done } = await startSend(['--events', 'hello'])
    turn.start()
    turn.text('partial')
    turn.finish({ result: 'all of it', exitCode: 3 })
    const { code, stdout, stderr } = await done
    expect({ code, stderr }).toEqual({ code: 3, stderr: '' })
    const types = stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type)
    expect(types).toEqual(['turn-started', 'text', 'turn-finished'])
  })

  test('with --steer goes into the running turn', async () => {
    const steering = await startSend(['--steer', 'faster'])
    expect(steering.turn.options.mode).toBe('steer')
    steering.turn.finish({})
    await steering.done
    const queued = await startSend()
    expect(queued.turn.options.mode).toBeUndefined()
    queued.turn.finish({})
    await queued.done
  })

  test.each<[Outcome['status'], number]>([
    ['failed', 1],
    ['interrupted', 7],
    ['cancelled', 130],
  ])('ends a turn that is %s with exit code %i, and its error on stderr', async (status, code) => {
    const { turn, done } = await startSend()
    turn.start()
    turn.text('half\n')
    turn.finish({ status, result: 'it broke', error: { code: 'turn_failed', message: 'it broke' } })
    expect(await done).toEqual({ code, stdout: 'half\n', stderr: 'agentry: it broke (turn_failed)\n' })
  })

  test.each(['accepted', 'running'] as const)('is no success where the turn is only %s', async (status) => {
    const { turn, done } = await startSend(['--task-id', 'build-1', 'make'])
    turn.finish({ status })
    const { code, stdout, stderr } = await done
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' })
    expect(stderr).toMatch(
      new RegExp(`^agentry: the turn is not finished: it is ${status} in session [0-9a-f-]+\\n$`),
    )
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
    const { fake, turn, done, signal, forced } = await startSend()
    turn.start()
    turn.text('working\n')
    signal('SIGINT')
    await expect.poll(() => fake.cancelled).toEqual([turn.turnId])
    expect(fake.closed()).toBe(0)
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
    const { turn, done, signal, signalAgain, forced } = await startSend()
    turn.start()
    signal('SIGINT')
    signalAgain('SIGINT') // as a terminal and npm both send it
    expect(forced()).toBe(0)
    signal('SIGINT')
    expect(forced()).toBe(1)
    turn.finish({ status: 'cancelled' })
    await done
  })

  test('before the agent has taken the message withdraws it', async () => {
    const { fake, done, signal } = await startSend()
    signal('SIGINT')
    expect(await done).toEqual({
      code: 130,
      stdout: '',
      stderr: 'agentry: the message was withdrawn before its turn began (cancelled)\n',
    })
    expect(fake.cancelled).toEqual([])
  })

  test('while the agent takes the message still withdraws it', async () => {
    const { turn, done, signal } = await startSend()
    signal('SIGINT')
    turn.finish({ status: 'cancelled', error: { code: 'agent_stopped', message: 'agent ops was stopped' } })
    const { code, stderr } = await done
    expect(code).toBe(130)
    expect(stderr).toContain('withdrawn before its turn began')
  })
})

describe.each(['SIGTERM', 'SIGHUP'] as const)('%s', (name) => {
  test('closes the team; a turn that is cut off by it exits as interrupted', async () => {
    const { fake, turn, done, signal, forced } = await startSend()
    turn.start()
    turn.text('working\n')
    signal(name)
    expect(fake.closed()).toBe(1)
    turn.finish({
      status: 'interrupted',
      result: 'working\n',
      error: { code: 'interrupted', message: 'the agent was stopped' },
    })
    expect(await done).toEqual({
      code: 7,
      stdout: 'working\n',
      stderr: 'agentry: the agent was stopped (interrupted)\n',
    })
    expect(fake.cancelled).toEqual([])
    expect(forced()).toBe(0)
  })

  test('leaves a turn that ends within the grace its own exit code', async () => {
    const { turn, done, signal } = await startSend()
    turn.start()
    signal(name)
    turn.finish({ result: 'done', exitCode: 0 })
    expect(await done).toEqual({ code: 0, stdout: 'done', stderr: '' })
  })

  test('withdraws a message that the agent has not taken', async () => {
    const { done, signal } = await startSend()
    signal(name)
    expect(await done).toEqual({
      code: 7,
      stdout: '',
      stderr: 'agentry: the message was withdrawn before its turn began (interrupted)\n',
    })
  })

  test('says that a message stays in the queue where its task waited there before', async () => {
    const { turn, done, signal } = await startSend(['--task-id', 'build-1', 'make'])
    turn.accept()
    signal(name)
    const { code, stderr } = await done
    expect(code).toBe(7)
    expect(stderr).toContain('the message stays in the queue')
  })

  test('behind an interrupt ends the process at once', async () => {
    const { turn, done, signal, signalAgain, forced } = await startSend()
    turn.start()
    signal('SIGINT')
    signalAgain(name)
    expect(forced()).toBe(1)
    turn.finish({ status: 'cancelled' })
    await done
  })

  test('ends any command that has a team open, with its reason', async () => {
    const listening = Promise.withResolvers<(signal: EndingSignal) => void>()
    const listed = Promise.withResolvers<AgentInfo[]>()
    const { team } = createFakeTeam('ops')
    const cli = createCli({
      createTeam: async () => ({
        ...team,
        spawn: async () => {
          await listed.promise
          throw new AgentryError('team_closed', 'the team is closed')
        },
        agents: () => [],
      }),
      onSignal(listener) {
        listening.resolve(listener)
        return () => undefined
      },
    })
    const done = cli.fail('agents', 'list')
    const send = await listening.promise
    send(name)
    listed.resolve([])
    expect(await done).toEqual({
      code: 7,
      error: {
        code: 'interrupted',
        message: `${name} ended the command before it was done: the team is closed`,
      },
    })
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
