import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createShellBehavior } from '../../../src/runtime/behaviors/shell.ts'
import { Reaper } from '../../../src/runtime/processes/reaper.ts'
import { fakeContext, fakeSession } from '../behaviors/fake-context.ts'
import {
  isRunning,
  numbersIn,
  ownShell,
  parentOf,
  processesNamed,
  scratchDirectory,
  until,
  untilGone,
} from './processes.ts'

const FIXTURE = new URL('./fixtures/run-shell.ts', import.meta.url)

/** Prints the ids of the shell, a child and a grandchild, all of which would run for long. */
const LONG = `echo $$; sleep 1000 & echo $!; sh -c 'sleep 1000 & echo $!; echo ready; wait'`

/** A process in a group of its own, as a command is. */
function startSleeper(): number {
  const { pid } = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' })
  if (pid === undefined) throw new Error('sleep did not start')
  onTestFinished(() => {
    if (isRunning(pid)) process.kill(pid, 'SIGKILL')
  })
  return pid
}

function startReaper(): { reaper: Reaper; shellPath: string } {
  const shellPath = ownShell()
  const reaper = new Reaper({ shellPath })
  onTestFinished(() => reaper.close())
  return { reaper, shellPath }
}

/** The reaper process of a shell path, once its launcher has ended. */
function reaperProcess(shellPath: string, unlike?: number): Promise<number> {
  return until(
    () => processesNamed(shellPath).find((pid) => pid !== unlike && parentOf(pid) !== process.pid),
    'a reaper process',
  )
}

describe('a reaper', () => {
  test('kills at its end the groups that are registered, and removes their files', async () => {
    const { reaper, shellPath } = startReaper()
    const [registered, released] = [startSleeper(), startSleeper()]
    const directory = scratchDirectory()
    for (const pid of [registered, released]) {
      const file = join(directory, String(pid))
      writeFileSync(file, '')
      reaper.registration().write(`+${pid}:${file}\n`)
      reaper.hold(pid, file)
    }
    reaper.release(released)
    await reaper.close()
    await untilGone(registered)
    expect(isRunning(released)).toBe(true)
    expect(readdirSync(directory)).toEqual([String(released)])
    expect(processesNamed(shellPath)).toEqual([])
  })

  test('is deaf to the signals of a terminal or an orderly shutdown', async () => {
    const { reaper, shellPath } = startReaper()
    reaper.registration()
    const pid = await reaperProcess(shellPath)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal)
    const sleeper = startSleeper()
    reaper.registration().write(`+${sleeper}:/nowhere\n`)
    await reaper.close()
    await untilGone(sleeper, pid)
  })

  test('is replaced when it dies, and the new one guards the commands that run', async () => {
    const { reaper, shellPath } = startReaper()
    const sleeper = startSleeper()
    reaper.registration().write(`+${sleeper}:/nowhere\n`)
    reaper.hold(sleeper, '/nowhere')
    const first = await reaperProcess(shellPath)
    process.kill(first, 'SIGKILL')
    await reaperProcess(shellPath, first)
    expect(isRunning(sleeper)).toBe(true)
    await reaper.close()
    await untilGone(sleeper)
  })

  test('that died between two commands is replaced by the next', async () => {
    const { reaper, shellPath } = startReaper()
    reaper.registration()
    const first = await reaperProcess(shellPath)
    const input = reaper.registration()
    process.kill(first, 'SIGKILL')
    await until(() => reaper.registration() !== input, 'a new reaper')
    await reaper.close()
    expect(processesNamed(shellPath)).toEqual([])
  })

  test('that cannot live is not started again and again', async () => {
    const reaper = new Reaper({ shellPath: '/bin/false' })
    reaper.hold(startSleeper(), '/nowhere')
    const inputs = new Set([reaper.registration()])
    await until(() => [...inputs].every((input) => input.destroyed), 'the end of the first')
    await reaper.close()
  })

  test('is refused by name where it cannot be started, or started again after a close', async () => {
    expect(() => new Reaper({ shellPath: '/no/sh' }).registration()).toThrow(
      expect.objectContaining({ code: 'command_failed' }),
    )
    const { reaper, shellPath } = startReaper()
    await reaper.close()
    reaper.registration()
    await reaper.close()
    await reaper.close()
    expect(processesNamed(shellPath)).toEqual([])
  })
})

test('a command is not run where its reaper dies in that moment', async () => {
  const shellPath = ownShell()
  const behavior = createShellBehavior({ shellPath })
  onTestFinished(async () => behavior.close?.())
  const directory = scratchDirectory()
  await behavior.run('true', fakeContext(fakeSession(directory)))
  const pid = await reaperProcess(shellPath)
  process.kill(pid, 'SIGKILL')
  // Without giving the loop a turn: this thread must not see the death before it starts the command.
  while (isRunning(pid));
  const context = fakeContext(fakeSession(directory))
  await expect(behavior.run('touch ran', context)).rejects.toMatchObject({ code: 'command_failed' })
  expect(readdirSync(directory)).toEqual([])
  await vi.waitFor(() => behavior.run('touch ran', fakeContext(fakeSession(directory))))
  expect(readdirSync(directory)).toEqual(['ran'])
})

describe('no command outlives its owner', () => {
  /** Collects pieces of output until the command is ready, and gives the process ids in it. */
  async function readyPids(onText: (listener: (text: string) => void) => void): Promise<number[]> {
    let output = ''
    onText((text) => (output += text))
    await until(() => output.includes('ready'), 'a running command')
    return numbersIn(output)
  }

  function startProcess(shellPath: string, message: string, temporary: string): ChildProcess {
    const child = spawn(process.execPath, [fileURLToPath(FIXTURE), shellPath, message], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TMPDIR: temporary },
    })
    child.stdout?.setEncoding('utf8')
    onTestFinished(() => void child.kill('SIGKILL'))
    return child
  }

  test('a thread that is terminated', async () => {
    const shellPath = ownShell()
    const temporary = scratchDirectory()
    const worker = new Worker(FIXTURE, {
      workerData: [shellPath, LONG],
      env: { ...process.env, TMPDIR: temporary },
    })
    const pids = await readyPids((listener) => worker.on('message', listener))
    expect(pids).toHaveLength(3)
    expect(readdirSync(temporary)).toHaveLength(1)
    await worker.terminate()
    await untilGone(...pids)
    await until(() => processesNamed(shellPath).length === 0, 'the end of the reaper')
    expect(readdirSync(temporary)).toEqual([])
  })

  test.each(['process', 'process group'])('a %s that is killed with SIGKILL', async (kind) => {
    const shellPath = ownShell()
    const temporary = scratchDirectory()
    const child = startProcess(shellPath, LONG, temporary)
    const pids = await readyPids((listener) => child.stdout?.on('data', listener))
    expect(pids).toHaveLength(3)
    const pid = child.pid ?? 0
    process.kill(kind === 'process' ? pid : -pid, 'SIGKILL')
    await untilGone(...pids)
    await until(() => processesNamed(shellPath).length === 0, 'the end of the reaper')
    expect(readdirSync(temporary)).toEqual([])
  })

  test('and the reaper keeps no process alive', async () => {
    const shellPath = ownShell()
    const child = startProcess(shellPath, 'echo done', scratchDirectory())
    expect(await once(child, 'exit')).toEqual([0, null])
    await until(() => processesNamed(shellPath).length === 0, 'the end of the reaper')
  })
})
