/** What Linux tells of processes in /proc (proc_pid_stat(5), proc_pid_environ(5)). Elsewhere there are none to see. */
import { readdirSync, readFileSync } from 'node:fs'
import { systemErrorCode } from './system-error-code.ts'

/** What reading a file of a process gives that is gone, or another user's. */
const UNREADABLE = new Set<string | undefined>(['ENOENT', 'ESRCH', 'EACCES', 'EPERM'])

/** Empty where there is no /proc. */
export function processIds(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return []
    throw error
  }
}

/** The variables that a process was started with, each ended by NUL; empty for a zombie. Undefined: gone, or not ours. */
export function environmentOf(pid: number): Buffer | undefined {
  return readProcFile(pid, 'environ')
}

/** The process group of a process that can still run. Undefined: gone, or a zombie. */
export function groupOf(pid: number): number | undefined {
  const stat = readProcFile(pid, 'stat')?.toString('latin1')
  // The program's name, in parentheses, may itself hold parentheses and spaces. Behind it: state, parent, group, …
  const [state, , pgid] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? []
  return pgid === undefined || state === 'Z' || state === 'X' ? undefined : Number(pgid)
}

/** Synchronous: asynchronous reads share libuv's pool with all threads, and one of these files can block on a busy process. */
function readProcFile(pid: number, name: string): Buffer | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`)
  } catch (error) {
    if (UNREADABLE.has(systemErrorCode(error))) return undefined
    throw error
  }
}
