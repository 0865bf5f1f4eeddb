/** The command as users run it: the built one, as a process of its own. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import { bareEnvironment } from '../fakes/bare-environment.ts'

export const BIN: string = fileURLToPath(new URL('../../dist/src/cli/bin.js', import.meta.url))

const children = new Set<ChildProcessWithoutNullStreams>()
const folders = new Set<string>()

afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

export interface RunOptions {
  cwd: string
  stdin?: string
  /** Runs as this user; only root can. */
  uid?: number
  /** Beside that of bareEnvironment(). */
  env?: Record<string, string | undefined>
  nodeOptions?: string[]
}

export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** Starts the command. Where the tests of the file end before it, it is killed. */
export function startCli(argv: readonly string[], options: RunOptions): ChildProcessWithoutNullStreams {
  if (!existsSync(BIN)) throw new Error(`${BIN} is missing: run \`npm run build\` first`)
  const { cwd, uid, env = {}, nodeOptions = [] } = options
  const child = spawn(process.execPath, [...nodeOptions, BIN, ...argv], {
    cwd,
    env: bareEnvironment(env),
    ...(uid !== undefined && { uid, gid: uid }),
  })
  children.add(child)
  child.stdin.on('error', () => undefined) // It may end without reading.
  child.stdin.end(options.stdin ?? '')
  return child
}

/** What a started command printed and how it ended. */
export async function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>,
  ])
  return { code, signal, stdout, stderr }
}

export async function runCli(argv: readonly string[], options: RunOptions): Promise<Ended> {
  return ended(startCli(argv, options))
}

/** A new folder, that other users may enter too. Removed after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'agentry-e2e-'))
  chmodSync(folder, 0o755)
  folders.add(folder)
  return folder
}

/** Files of a data directory that change with every opening: they say who owns it, not what is in it. */
const OWNERSHIP = new Set(['.agentry/lock', '.agentry/epoch', '.agentry/owner.json'])

/** Every file below `folder` with its content, folders and links as such: equal before and after means that nothing changed. */
export function treeOf(folder: string): Record<string, string> {
  const tree: Record<string, string> = {}
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()) {
    if (OWNERSHIP.has(path)) continue
    const info = lstatSync(join(folder, path))
    tree[path] = info.isFile() ? readFileSync(join(folder, path), 'latin1') : `mode ${info.mode.toString(8)}`
  }
  return tree
}
