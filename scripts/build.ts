/**
 * Builds dist: types and modules by tsc, the worker's entry and the dashboard's screen bundled. Into a folder of its own, put into place at
 * the end, so that a command that runs from dist meanwhile, or another build, never sees half of one.
 *
 * `--if-stale`: only where a source is newer than dist.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleScreen } from './bundle-screen.ts'
import { bundleWorker } from './bundle-worker.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const DIST = join(ROOT, 'dist')
const SOURCES = ['src', 'workers', 'scripts', 'package.json', 'tsconfig.json', 'tsconfig.build.json']

if (!(process.argv.includes('--if-stale') && isFresh())) await build()

async function build(): Promise<void> {
  const fresh = join(ROOT, `dist.${process.pid}`)
  const old = `${fresh}.old`
  try {
    const tsc = join(ROOT, 'node_modules', '.bin', 'tsc')
    execFileSync(tsc, ['-p', 'tsconfig.build.json', '--outDir', fresh], { cwd: ROOT, stdio: 'inherit' })
    await Promise.all([bundleWorker(fresh), bundleScreen(fresh)])
    replace(DIST, fresh, old)
  } finally {
    for (const folder of [fresh, old]) rmSync(folder, { recursive: true, force: true })
  }
}

/** A folder cannot be renamed over another one: the old one steps aside first, and another build may come in between. */
function replace(target: string, fresh: string, old: string): void {
  for (;;) {
    moveIfThere(target, old)
    try {
      renameSync(fresh, target)
      return
    } catch (error) {
      if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) throw error
      rmSync(old, { recursive: true, force: true })
    }
  }
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

function isFresh(): boolean {
  const built = changedMs(join(DIST, 'workers', 'agent.js'))
  return built !== undefined && SOURCES.every((path) => newestMs(join(ROOT, path)) < built)
}

/** The latest change of a file, or of anything in a folder, the folders themselves included: a removal changes its folder. */
function newestMs(path: string): number {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  const inside = readdirSync(path).map((name) => newestMs(join(path, name)))
  return Math.max(stat.mtimeMs, ...inside)
}

function changedMs(path: string): number | undefined {
  try {
    return statSync(path).mtimeMs
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}
