import type { Clock } from '../../core/clock.ts'
import { groupOf, processIds } from './proc-files.ts'
import { systemErrorCode } from './system-error-code.ts'

/** How often a group that was told to end is looked at. */
const POLL_MS = 20

/**
 * Asks a process group to end (SIGTERM) and kills what of it is left after `graceMs`. Resolves as soon as it is empty, or was
 * killed. Not by the exit of its leader: a shell ends at SIGTERM at once, what it started may need its time.
 */
export async function endGroup(pgid: number, clock: Clock, graceMs: number): Promise<void> {
  const startMs = clock.monotonicMs()
  signalProcesses(-pgid, 'SIGTERM')
  while (isAlive(pgid)) {
    const leftMs = graceMs - (clock.monotonicMs() - startMs)
    if (leftMs <= 0) return signalProcesses(-pgid, 'SIGKILL')
    await new Promise<void>((resolve) => clock.setTimer(Math.min(POLL_MS, leftMs), resolve))
  }
}

/**
 * Signals a process, or with a negative pid a whole process group. One that is gone already is fine; so is one that may not
 * be signalled (a setuid program belongs to another user).
 */
export function signalProcesses(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    const code = systemErrorCode(error)
    if (code !== 'ESRCH' && code !== 'EPERM') throw error
  }
}

/**
 * Zombies do not count: a process whose shell has ended is left to the system's first process to reap, which in a container
 * may be late, or never do it. Where /proc cannot be read just now (out of file descriptors), the group is taken to live on.
 */
function isAlive(pgid: number): boolean {
  try {
    process.kill(-pgid, 0)
  } catch (error) {
    return systemErrorCode(error) === 'EPERM'
  }
  try {
    const pids = processIds()
    return pids.length === 0 || pids.some((pid) => groupOf(pid) === pgid)
  } catch {
    return true
  }
}
