import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createId } from '../../../src/core/ids.ts'
import { baseEnvironment, commandEnvironment } from '../../../src/runtime/processes/command-environment.ts'
import { Reaper } from '../../../src/runtime/processes/reaper.ts'
import {
  type CommandResult,
  runCommand,
  type RunCommandOptions,
} from '../../../src/runtime/processes/run-command.ts'
import { isRunning, numbersIn, ownShell, scratchDirectory, SHELLS, untilGone } from './processes.ts'

type Run = (command: string, options?: Partial<RunCommandOptions>) => Promise<CommandResult>

/** Commands of one turn, in a directory of their own. */
function commands(target: string): { run: Run; directory: string; turnId: string } {
  const shellPath = ownShell(target)
  const reaper = new Reaper({ shellPath })
  onTestFinished(() => reaper.close())
  const directory = scratchDirectory()
  const turnId = createId()
  const origin = { agentId: 'ops', sessionId: createId(), turnId }
  const environment = commandEnvironment(baseEnvironment(process.env), {}, origin)
  return {
    directory,
    turnId,
    run: (command, options) =>
      runCommand({ command, workingDir: directory, environment, turnId, reaper, shellPath, ...options }),
  }
}

/** Where Agentry itself puts temporary files, until the end of the test. */
function stubTemporaryDirectory(path: string): string {
  vi.stubEnv('TMPDIR', path)
  onTestFinished(() => void vi.unstubAllEnvs())
  return path
}

/** Starts a command that prints process ids and `ready`, waits for that, cancels it, and gives the ids. */
async function cancelWhenReady(run: Run, command: string, options: Partial<RunCommandOptions> = {}) {
  const abort = new AbortController()
  const reason = new Error('cancelled by the test')
  let output = ''
  const ended = run(command, {
    signal: abort.signal,
    onOutput(text) {
      output += text
      if (output.includes('ready')) abort.abort(reason)
    },
    ...options,
  })
  await expect(ended).rejects.toBe(reason)
  return numbersIn(output)
}

describe.each(SHELLS)('a command under $name', ({ target }) => {
  describe('output', () => {
    test('has standard output and error in the order they were written', async () => {
      const { run } = commands(target)
      const loop = 'for i in 1 2 3; do echo out $i; echo err $i >&2; sh -c "echo child $i >&2"; done'
      const each = (i: number) => `out ${i}\nerr ${i}\nchild ${i}\n`
      expect(await run(loop)).toMatchObject({ output: each(1) + each(2) + each(3), exitCode: 0 })
    })

    test('comes while the command runs', async () => {
      const { run, directory } = commands(target)
      const onOutput = vi.fn((text: string) => {
        if (text.includes('first')) writeFileSync(join(directory, 'gate'), '')
      })
      await run('echo first; until [ -e gate ]; do sleep 0.01; done; echo second', { onOutput })
      expect(onOutput.mock.calls.flat().join('')).toBe('first\nsecond\n')
    })

    test('is text: U+FFFD where it is no UTF-8, characters whole however they come', async () => {
      const { run } = commands(target)
      const pieces = String.raw`printf '\357\273\277a\377b'; printf '\303'; sleep 0.05; printf '\251'; printf '\342\202'`
      expect((await run(pieces)).output).toBe('\ufeffa\ufffdbé\ufffd')
    })

    test('is cut in the middle where it is too much, in bounded memory', async () => {
      const { run } = commands(target)
      const before = process.memoryUsage().arrayBuffers
      let peak = 0
      let streamed = 0
      const { output, exitCode } = await run('echo start; yes | head -c 300000000; echo end', {
        outputBytes: 1000,
        onOutput(text) {
          streamed += text.length
          peak = Math.max(peak, process.memoryUsage().arrayBuffers)
        },
      })
      expect(exitCode).toBe(0)
      expect(streamed).toBe(300_000_010)
      expect(output).toMatch(/^start\ny\n[y\n]*\n\[… 299999\d{3} bytes cut …\]\n[y\n]*y\nend\n$/)
      expect(Buffer.byteLength(output)).toBeLessThanOrEqual(1000)
      expect(peak - before).toBeLessThan(150_000_000)
    })
  })

  describe('exit code', () => {
    test.each([
      ['true', 0],
      ['false', 1],
      ['exit 42', 42],
      ['exec sh -c "exit 5"', 5],
      ['set -e; false; echo not reached', 1],
      ['no-such-command', 127],
      ['echo a; if then', 2],
      ['kill -KILL $$', 137],
      ['sh -c "kill -TERM \\$\\$"', 143],
      ['', 0],
      ['# only a comment', 0],
      ['trap "exit 9" EXIT', 9],
    ])('of `%s` is %i', async (command, exitCode) => {
      expect((await commands(target).run(command)).exitCode).toBe(exitCode)
    })

    test('is all that a syntax error leaves beside its message', async () => {
      const { output } = await commands(target).run('if then')
      expect(output).toMatch(/syntax error/i)
    })
  })

  test('has no input, no arguments, and no descriptors of ours', async () => {
    const { run } = commands(target)
    const { output } = await run(
      'cat; echo "$# [$*]"; for fd in 3 4 5 6 7 8 9; do (: >&$fd) && echo $fd; done 2>&-',
    )
    expect(output).toBe('0 []\n')
  })

  describe('state', () => {
    test('is the directory and the exported variables at the end', async () => {
      const { run } = commands(target)
      const { state } = await run(`cd /; export A='x\ny'; B=not-exported; export C=; exit 3`)
      expect(state?.workingDir).toBe('/')
      expect(state?.exported.get('A')).toBe('x\ny')
      expect(state?.exported.get('C')).toBe('')
      expect(state?.exported.has('B')).toBe(false)
    })

    test('is the path as it was typed where it goes through a symbolic link', async () => {
      const { run, directory } = commands(target)
      await run('mkdir real; ln -s real link')
      const { state } = await run('cd link')
      expect(state?.workingDir).toBe(join(directory, 'link'))
      const { output } = await run('pwd; cd ..; pwd', { workingDir: join(directory, 'link') })
      expect(output).toBe(`${directory}/link\n${directory}\n`)
    })

    test('survives odd names, options and a changed PATH', async () => {
      const { run, directory } = commands(target)
      const { state, output } = await run(
        `d="$(printf "new\\nline ' x")"; mkdir "$d"; cd "$d"; set -euC -f; IFS=/; unset PWD; export PATH=/nowhere; pwd() { echo mine; }`,
      )
      expect(output).toBe('')
      expect(state?.workingDir).toBe(`${directory}/new\nline ' x`)
      expect(state?.exported.get('PATH')).toBe('/nowhere')
    })

    test('leaves no trace in the output of set -x', async () => {
      const { run } = commands(target)
      expect((await run('set -x; echo hi')).output).toMatch(/^\++ echo hi\nhi\n$/)
      expect((await run('set -x; exit')).output).toMatch(/^\++ exit\n$/)
    })

    test('leaves the descriptors of a command alone', async () => {
      const { run, directory } = commands(target)
      const { state } = await run('exec 3>three 4>four; echo mine >&4; exec >/dev/null; cd /')
      expect(state?.workingDir).toBe('/')
      expect(readFileSync(join(directory, 'three'), 'utf8')).toBe('')
      expect(readFileSync(join(directory, 'four'), 'utf8')).toBe('mine\n')
    })

    test('is there beside an EXIT trap of the command, which runs as ever', async () => {
      const { state, output, exitCode } = await commands(target).run('trap "echo bye" EXIT; cd /; false')
      expect({ output, exitCode, directory: state?.workingDir }).toEqual({
        output: 'bye\n',
        exitCode: 1,
        directory: '/',
      })
    })

    test.each([
      ['a program took the place of the shell', 'cd /; exec true'],
      ['the shell was killed', 'cd /; kill -KILL $$'],
      ['its trap was replaced before an exit', 'trap "echo bye" EXIT; cd /; exit 0'],
      [
        'the environment is too large to be passed on',
        `cd /; export A="$(head -c 200000 /dev/zero | tr '\\0' a)"`,
      ],
    ])('is none where %s', async (_, command) => {
      expect((await commands(target).run(command)).state).toBeUndefined()
    })

    test('survives that the command empties the directory for temporary files', async () => {
      const { run } = commands(target)
      const temporary = stubTemporaryDirectory(scratchDirectory())
      const { state, output } = await run(`rm ${temporary}/*; cd /; trap 'ls -l ${temporary}' EXIT`)
      expect(state?.workingDir).toBe('/')
      expect(output).toMatch(/^-rw-------/m)
      expect(readdirSync(temporary)).toEqual([])
    })

    test('leaves no file behind, and none for others to read until then', async () => {
      const { run } = commands(target)
      const temporary = stubTemporaryDirectory(scratchDirectory())
      const { output } = await run(`ls -l ${temporary}`)
      expect(output).toMatch(/^-rw-------/m)
      expect(readdirSync(temporary)).toEqual([])
    })
  })

  describe('end', () => {
    test('takes background processes along and does not wait for them', async () => {
      const { run } = commands(target)
      const { output } = await run(
        'sleep 1000 & echo $!; (sleep 1000; true) & echo $!; (sleep 1000 &); echo done',
      )
      const pids = numbersIn(output)
      expect(pids).toHaveLength(2)
      await untilGone(...pids)
    })

    test('takes a background process along that ignores signals', async () => {
      const { output } = await commands(target).run(
        `sh -c "trap '' TERM HUP INT; sleep 1000; sleep 1000" & echo $!`,
      )
      await untilGone(...numbersIn(output))
    })

    test('leaves a process alone that went into a session of its own, and does not wait for its output', async () => {
      const { run } = commands(target)
      const { output } = await run(
        'setsid sh -c "echo \\$\\$; touch started; exec sleep 1000" & until [ -e started ]; do sleep 0.01; done; echo done',
      )
      const [pid = 0] = numbersIn(output)
      onTestFinished(() => void process.kill(pid, 'SIGKILL'))
      expect(output).toBe(`${pid}\ndone\n`)
      expect(isRunning(pid)).toBe(true)
    })
  })

  describe('cancel', () => {
    test('ends children, grandchildren and double forks', async () => {
      const { run, directory } = commands(target)
      writeFileSync(join(directory, 'parent'), 'sleep 1000 & echo $!; touch "$1"; wait')
      const pids = await cancelWhenReady(
        run,
        `sleep 1000 & echo $!
        sh -c 'sh parent grandchild & wait' &
        (sh parent double-fork &)
        until [ -e grandchild ] && [ -e double-fork ]; do sleep 0.01; done
        echo ready
        wait`,
      )
      expect(pids).toHaveLength(3)
      await untilGone(...pids)
    })

    test('ends a process that left the group but carries the marker of the turn', async () => {
      const { run } = commands(target)
      const [pid = 0] = await cancelWhenReady(
        run,
        'setsid sh -c "trap \'\' TERM HUP; echo \\$\\$ ready; sleep 1000; sleep 1000" & wait; sleep 1000',
      )
      await untilGone(pid)
    })

    test('gives a process time to clean up, also when its shell has ended', async () => {
      const { run, directory } = commands(target)
      const child = `trap 'sleep 0.1; echo clean > cleaned; exit 0' TERM; echo ready; while :; do sleep 0.02; done`
      writeFileSync(join(directory, 'child'), child)
      await cancelWhenReady(run, 'sh child; echo after', { graceMs: 10_000 })
      expect(readFileSync(join(directory, 'cleaned'), 'utf8')).toBe('clean\n')
    })

    test('kills what does not end in its time', async () => {
      const { run } = commands(target)
      const pids = await cancelWhenReady(run, `trap '' TERM; echo $$ ready; while :; do sleep 1000; done`, {
        graceMs: 50,
      })
      await untilGone(...pids)
    })

    test('before the start runs nothing', async () => {
      const { run, directory } = commands(target)
      const reason = new Error('too late')
      await expect(run('touch ran', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      expect(existsSync(join(directory, 'ran'))).toBe(false)
    })
  })
})

describe('a command that cannot be run is refused by name', () => {
  const { run } = {
    run: (command: string, options?: Partial<RunCommandOptions>) => commands('/bin/sh').run(command, options),
  }
  const refused = (why: RegExp) => ({ code: 'command_failed', message: expect.stringMatching(why) as string })

  test('when it is larger than the system allows', async () => {
    await expect(run(`: ${'x'.repeat(4 * 1024 * 1024)}`)).rejects.toMatchObject(refused(/E2BIG/))
  })

  test('when it holds a NUL', async () => {
    await expect(run('echo \0')).rejects.toMatchObject(refused(/null bytes/))
  })

  test('when its directory or shell is missing', async () => {
    await expect(run('true', { workingDir: '/no/such' })).rejects.toMatchObject(refused(/\/no\/such.*ENOENT/))
    await expect(run('true', { shellPath: '/no/sh' })).rejects.toMatchObject(refused(/\/no\/sh.*ENOENT/))
  })

  test('when no temporary file can be made', async () => {
    stubTemporaryDirectory('/no/such')
    const reaper = new Reaper()
    const ended = runCommand({
      command: 'true',
      workingDir: '/',
      environment: new Map(),
      turnId: 'T',
      reaper,
    })
    await expect(ended).rejects.toMatchObject(refused(/temporary file/))
  })
})
