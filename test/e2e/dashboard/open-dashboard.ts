/** The built command in a terminal, as a user starts it. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { bareEnvironment } from '../../fakes/bare-environment.ts'
import { openTerminal, type Terminal } from '../../terminal/terminal.ts'
import { BIN } from '../built-cli.ts'

export interface DashboardOptions {
  folder: string
  columns?: number
  rows?: number
  args?: readonly string[]
  env?: Readonly<Record<string, string>>
}

const terminals = new Set<Terminal>()
const folders = new Set<string>()

afterEach(async () => {
  for (const terminal of terminals) {
    if (await isRunning(terminal)) {
      // In good order, so that its supervisor ends too.
      terminal.kill('SIGTERM')
      await Promise.race([terminal.exited, new Promise((resolve) => setTimeout(resolve, 15_000).unref())])
    }
    await terminal.close()
  }
  terminals.clear()
  for (const folder of folders) {
    endSupervisorOf(folder)
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
  }
  folders.clear()
})

async function isRunning(terminal: Terminal): Promise<boolean> {
  return Promise.race([terminal.exited.then(() => false), Promise.resolve(true)])
}

/** A new folder to start in: its `sessions` is the data directory. What still runs on it is ended after the test. */
export function newFolder(parent: string = tmpdir()): string {
  const folder = mkdtempSync(join(parent, 'agentry-dashboard-'))
  folders.add(folder)
  return folder
}

export function dashboardIn({
  folder,
  columns = 80,
  rows = 24,
  args = [],
  env = {},
}: DashboardOptions): Terminal {
  const terminal = openTerminal({
    command: process.execPath,
    args: [BIN, ...args],
    cwd: folder,
    env: bareEnvironment({ HOME: folder, ...env }),
    columns,
    rows,
  })
  terminals.add(terminal)
  return terminal
}

/** Starts it and waits until it is connected. */
export async function startedIn(options: DashboardOptions): Promise<Terminal> {
  const terminal = dashboardIn(options)
  await terminal.waitFor('● up', 'a dashboard that is connected')
  return terminal
}

/** Types a line and enters it. */
export function enter(terminal: Terminal, line: string): void {
  terminal.type(line)
  terminal.press('enter')
}

/** The process that owns the data directory. */
export function ownerOf(folder: string): { pid: number; url?: string } | undefined {
  try {
    const owner: unknown = JSON.parse(
      readFileSync(join(folder, 'sessions', '.agentry', 'owner.json'), 'utf8'),
    )
    if (typeof owner !== 'object' || owner === null || !('pid' in owner) || typeof owner.pid !== 'number')
      return undefined
    return { pid: owner.pid, ...('url' in owner && typeof owner.url === 'string' && { url: owner.url }) }
  } catch {
    return undefined
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** With its keeper, which would start it again. */
function endSupervisorOf(folder: string): void {
  const owner = ownerOf(folder)
  if (owner === undefined || !isAlive(owner.pid)) return
  const keeper = keeperOf(owner.pid)
  if (keeper !== undefined) process.kill(keeper, 'SIGKILL')
  process.kill(owner.pid, 'SIGKILL')
}

/** The parent of a server, where that is a keeper. */
function keeperOf(pid: number): number | undefined {
  const ps = (field: string, of: number): string =>
    spawnSync('ps', ['-o', `${field}=`, '-p', String(of)], { encoding: 'utf8' }).stdout.trim()
  const parent = Number(ps('ppid', pid))
  return parent > 1 && ps('args', parent).includes('--keep') ? parent : undefined
}

/** What a program that ended leaves of a terminal that is as it was. */
export function leftovers(terminal: Terminal): Record<string, boolean> {
  return {
    alternateScreen: terminal.alternateScreen,
    bracketedPaste: terminal.bracketedPaste,
    cursorHidden: !terminal.cursor.visible,
  }
}

export const CLEAN: Record<string, boolean> = {
  alternateScreen: false,
  bracketedPaste: false,
  cursorHidden: false,
}
