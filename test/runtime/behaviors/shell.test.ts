import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Behavior } from '../../../src/behavior.ts'
import { AgentryError } from '../../../src/errors.ts'
import { createShellBehavior, type ShellOptions } from '../../../src/runtime/behaviors/shell.ts'
import {
  isRunning,
  numbersIn,
  ownShell,
  processesNamed,
  scratchDirectory,
  SHELLS,
  until,
  untilGone,
} from '../processes/processes.ts'
import { type FakeContext, fakeContext, fakeSession, type FakeSession } from './fake-context.ts'

function shell(options: ShellOptions = {}): Behavior {
  const behavior = createShellBehavior(options)
  onTestFinished(async () => behavior.close?.())
  return behavior
}

/** Runs one message and gives the turn's context, with the result of `run` beside it. */
async function turn(
  behavior: Behavior,
  session: FakeSession,
  command: string,
): Promise<FakeContext & { result: unknown; output: string }> {
  const context = fakeContext(session)
  const result = await behavior.run(command, context)
  return { ...context, result, output: context.calls[0]?.content ?? '' }
}

describe.each(SHELLS)('the shell behavior with $name', ({ target }) => {
  const start = () => shell({ shellPath: ownShell(target) })

  test('records a command as a call of the tool shell and gives its exit code', async () => {
    const session = fakeSession(scratchDirectory())
    const { result, calls, updates, emitted } = await turn(start(), session, 'echo out; echo err >&2; exit 3')
    expect(result).toEqual({ exitCode: 3 })
    expect(calls).toEqual([
      {
        name: 'shell',
        input: { command: 'echo out; echo err >&2; exit 3', workingDir: session.workingDir },
        content: 'out\nerr\n',
        exitCode: 3,
      },
    ])
    expect(emitted()).toBe('out\nerr\n')
    expect(updates).toEqual([])
  })

  test('keeps cd, export and unset for the messages after it', async () => {
    const behavior = start()
    const session = fakeSession(scratchDirectory(), { OLD: 'gone soon' })
    const root = session.workingDir
    mkdirSync(join(root, 'a b'))
    const { updates } = await turn(behavior, session, `cd 'a b' && export K=1 && unset OLD; local=2`)
    expect(updates).toEqual([{ workingDir: join(root, 'a b'), vars: { K: '1', OLD: null } }])
    const { output } = await turn(behavior, session, 'pwd; echo "$K/${OLD-unset}/${local-unset}"')
    expect(output).toBe(`${root}/a b\n1/unset/unset\n`)
  })

  test('carries any text in a variable', async () => {
    const behavior = start()
    const session = fakeSession(scratchDirectory())
    const value = `two\nlines, 'single' "double" \\back $dollar \`tick\` = é \u{1F600} \ufeffend\n`
    writeFileSync(join(session.workingDir, 'value'), value)
    await turn(behavior, session, `export V="$(cat value; echo x)"; V="\${V%x}"`)
    expect(session.vars).toEqual({ V: value })
    const { output } = await turn(behavior, session, `printf %s "$V"`)
    expect(output).toBe(value)
  })

  test('keeps what a command changed before it failed', async () => {
    const behavior = start()
    const session = fakeSession(scratchDirectory())
    const { result } = await turn(behavior, session, 'export K=1; set -e; cd /; false; export K=2')
    expect(result).toEqual({ exitCode: 1 })
    expect(session).toMatchObject({ workingDir: '/', vars: { K: '1' } })
  })

  test('does not record who runs the command, nor what the shell sets by itself', async () => {
    const session = fakeSession(scratchDirectory())
    const { updates, output, message } = await turn(
      start(),
      session,
      'set -a; echo "$AGENTRY_AGENT $AGENTRY_SESSION $AGENTRY_TURN"; cd /; cd -; export AGENTRY_MINE=1',
    )
    expect(output).toContain(`ops ${session.id} ${message.turnId}\n`)
    expect(updates).toEqual([])
  })
})

test("hides the supervisor's environment but for what every program needs", async () => {
  process.env['AGENTRY_TEST_SECRET'] = process.env['OPENAI_API_KEY'] = 'a-secret'
  onTestFinished(() => {
    delete process.env['AGENTRY_TEST_SECRET']
    delete process.env['OPENAI_API_KEY']
  })
  const { output } = await turn(shell(), fakeSession(scratchDirectory(), { MINE: '1' }), 'env')
  expect(output).not.toContain('a-secret')
  expect(output).toContain(`PATH=${process.env['PATH']}\n`)
  expect(output).toContain('TERM=dumb\n')
  expect(output).toContain('MINE=1\n')
})

test('goes on where it is when the directory that a command went to is gone by then', async () => {
  const session = fakeSession(scratchDirectory())
  const { updates } = await turn(shell(), session, 'mkdir d && cd d && rmdir "$PWD"')
  expect(updates).toEqual([])
})

test.each(['missing', 'file'])(
  'fails by name in a working directory that is %s, running nothing',
  async (name) => {
    const root = scratchDirectory()
    writeFileSync(join(root, 'file'), '')
    const context = fakeContext(fakeSession(join(root, name)))
    await expect(shell().run('echo hi', context)).rejects.toMatchObject({ code: 'working_dir_missing' })
    expect(context.calls).toEqual([])
  },
)

test('refuses a message with a NUL, running nothing', async () => {
  const context = fakeContext(fakeSession(scratchDirectory()))
  await expect(shell().run('echo a\0b', context)).rejects.toMatchObject({
    code: 'invalid_input',
    message: expect.stringContaining('NUL') as string,
  })
  expect(context.calls).toEqual([])
})

test('fails the turn where the command cannot be run at all, and records why', async () => {
  const context = fakeContext(fakeSession(scratchDirectory()))
  const command = `: ${'x'.repeat(4 * 1024 * 1024)}`
  await expect(shell().run(command, context)).rejects.toMatchObject({ code: 'command_failed' })
  expect(context.calls).toMatchObject([
    { outcome: 'error', content: expect.stringMatching(/E2BIG/) as string },
  ])
})

test('ends a cancelled turn with the reason, changing nothing', async () => {
  const abort = new AbortController()
  const reason = new AgentryError('cancelled', 'enough')
  const context = fakeContext(fakeSession(scratchDirectory()), abort.signal, () => abort.abort(reason))
  await expect(shell().run('cd /; sleep 1000 & echo $!; wait', context)).rejects.toBe(reason)
  expect(context.calls).toMatchObject([{ outcome: 'error', content: 'enough' }])
  expect(context.updates).toEqual([])
  await untilGone(...numbersIn(context.emitted()))
})

test('ends its commands and its reaper when it is closed', async () => {
  const shellPath = ownShell()
  const behavior = shell({ shellPath })
  const context = fakeContext(fakeSession(scratchDirectory()))
  const running = behavior.run('sleep 1000 & echo $!; wait', context)
  const [pid = 0] = await until(
    () => context.emitted().endsWith('\n') && numbersIn(context.emitted()),
    'a pid',
  )
  expect(isRunning(pid)).toBe(true)
  await behavior.close?.()
  expect(await running).toEqual({ exitCode: 137 })
  await untilGone(pid)
  await until(() => processesNamed(shellPath).length === 0, 'the end of the reaper')
})
