/** The command line as people start it: supervisors that serve, dashboards in terminals, and what their processes use. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openTerminal, type Terminal } from '../../test/terminal/terminal.ts'

const BIN = fileURLToPath(new URL('../../dist/src/cli/bin.js', import.meta.url))
const HEAP_ON_SIGNAL = new URL('../memory/heap-on-signal.ts', import.meta.url).href
/** Of a second, on every Linux (sysconf(_SC_CLK_TCK)). */
const CPU_TICKS = 100

export interface Serving {
  pid: number
  close(): Promise<void>
}

/** `agentry serve` in `directory`, from the moment it says where. */
export async function startServing(directory: string): Promise<Serving> {
  const child = spawn(
    process.execPath,
    [BIN, 'serve', '--port', '0', '--log-level', 'silent', '--grace', '0'],
    {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const ended = once(child, 'exit')
  await Promise.race([once(createInterface(child.stdout), 'line'), failing(ended)])
  return {
    pid: child.pid ?? 0,
    async close() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

async function failing(ended: Promise<unknown>): Promise<never> {
  throw new Error(`expected a supervisor that serves, it ended with ${JSON.stringify(await ended)}`)
}

/** A Node program in a terminal of 120 x 32. */
export function inTerminal(
  directory: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Terminal {
  return openTerminal({
    command: process.execPath,
    args,
    cwd: directory,
    env: { PATH: process.env['PATH'], ...env },
    columns: 120,
    rows: 32,
  })
}

/** `agentry …args` in it. */
export function agentry(directory: string, ...args: readonly string[]): Terminal {
  return inTerminal(directory, [BIN, ...args])
}

/** `agentry attach` in it, and what its heap and buffers hold without garbage, in bytes, each time it is asked. */
export function attachMeasured(directory: string): { terminal: Terminal; heapBytes: () => Promise<number> } {
  const file = join(directory, 'heap')
  const args = ['--expose-gc', '--import', HEAP_ON_SIGNAL, BIN, 'attach']
  const terminal = inTerminal(directory, args, { HEAP_FILE: file })
  return {
    terminal,
    async heapBytes() {
      rmSync(file, { force: true })
      terminal.kill('SIGUSR2')
      while (!existsSync(file)) await sleep(50)
      return Number(readFileSync(file, 'utf8'))
    },
  }
}

/** CPU time of a process so far, all threads, in ms. */
export function cpuMs(pid: number): number {
  // The name in parentheses may have spaces: count from behind it. utime and stime are the 14th and 15th field.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
  return ((Number(fields[11]) + Number(fields[12])) / CPU_TICKS) * 1_000
}

/** Resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  if (kilobytes === undefined) throw new Error(`expected the resident memory of ${pid}, received none`)
  return Number(kilobytes) * 1_024
}
