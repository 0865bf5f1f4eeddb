import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createId } from '../../../src/core/ids.ts'
import { killLeftovers } from '../../../src/runtime/processes/leftover-processes.ts'
import { isRunning, numbersIn, until } from './processes.ts'

/** Starts a shell with the marker of a turn, gives the process ids that it prints before `ready`. */
async function startMarked(turnId: string, script: string): Promise<number[]> {
  const child = spawn('/bin/sh', ['-c', script], {
    env: { PATH: process.env['PATH'], AGENTRY_TURN: turnId, ZZZ: 'after it' },
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child, 'spawn')
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  const pids = await until(() => output.includes('ready') && numbersIn(output), 'running processes')
  onTestFinished(() => {
    for (const pid of pids) if (isRunning(pid)) process.kill(pid, 'SIGKILL')
  })
  return pids
}

test('kills every process of the turn, in whatever group, and resolves when they are gone', async () => {
  const turnId = createId()
  const script = `trap '' TERM
    echo $$
    sleep 1000 & echo $!
    setsid sh -c 'echo $$ ready; sleep 1000; :'`
  const pids = await startMarked(turnId, script)
  expect(pids).toHaveLength(3)
  // The sleep in the new session, which is started last, may be the fourth.
  expect(await killLeftovers(turnId)).toBeGreaterThanOrEqual(3)
  expect(pids.filter((pid) => isRunning(pid))).toEqual([])
  expect(await killLeftovers(turnId)).toBe(0)
})

test('leaves the processes of other turns alone, also of one whose id begins the same', async () => {
  const turnId = createId()
  const [other = 0] = await startMarked(`${turnId}0`, 'echo $$ ready; exec sleep 1000')
  expect(await killLeftovers(turnId)).toBe(0)
  expect(isRunning(other)).toBe(true)
})

test('fails by name where processes outlive its deadline', async () => {
  const turnId = createId()
  const [pid = 0] = await startMarked(turnId, 'echo $$ ready; exec sleep 1000')
  const kill = vi.spyOn(process, 'kill').mockReturnValue(true)
  onTestFinished(() => kill.mockRestore())
  await expect(killLeftovers(turnId, { deadlineMs: 20 })).rejects.toMatchObject({
    code: 'leftover_processes',
    data: { marker: 'AGENTRY_TURN', id: turnId, pids: [pid] },
  })
  expect(kill).toHaveBeenCalledWith(pid, 'SIGKILL')
})
