/** What the tests of commands need: shells to try, scratch directories, and looks at real processes. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'

/** A directory without symbolic links in its path, removed after the test. */
export function scratchDirectory(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'agentry-test-')))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** The shells that every promise about commands is tried with: the system's sh, and bash as sh where there is one. */
export const SHELLS: { name: string; target: string }[] = [
  { name: '/bin/sh', target: '/bin/sh' },
  ...['/bin/bash', '/usr/bin/bash']
    .filter((path) => existsSync(path))
    .slice(0, 1)
    .map((target) => ({ name: 'bash as sh', target })),
]

/** A path named `sh` for a shell, of its own, so that the processes of one test can be told from all others. */
export function ownShell(target = '/bin/sh'): string {
  const path = join(scratchDirectory(), 'sh')
  symlinkSync(target, path)
  return path
}

/** Waits for something that no event tells. Throws when it has not come after `deadlineMs`. */
export async function until<T>(
  look: () => T | undefined | false,
  what: string,
  deadlineMs = 10_000,
): Promise<T> {
  const end = performance.now() + deadlineMs
  for (;;) {
    const seen = look()
    if (seen !== undefined && seen !== false) return seen
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`)
    await sleep(5)
  }
}

/** True for a living process; a zombie is none. */
export function isRunning(pid: number): boolean {
  const [state = 'X'] = statusOf(pid)
  return state !== 'X' && state !== 'Z'
}

export function parentOf(pid: number): number {
  return Number(statusOf(pid)[1])
}

/** State, parent, process group, … of a process; empty where there is none. */
function statusOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}

export async function untilGone(...pids: number[]): Promise<void> {
  for (const pid of pids) await until(() => !isRunning(pid), `the end of process ${pid}`)
}

/** The living processes that were started as this program. */
export function processesNamed(program: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isRunning(pid) && argumentsOf(pid)[0] === program)
}

/** The living processes with `NAME=value` in the environment that they were started with. */
export function processesWith(variable: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isRunning(pid) && environmentOf(pid).includes(variable))
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  } catch {
    return []
  }
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}

/** The numbers in a text: process ids that a command printed. */
export function numbersIn(text: string): number[] {
  return [...text.matchAll(/\d+/g)].map(([digits]) => Number(digits))
}
