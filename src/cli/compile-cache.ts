/**
 * What V8 has compiled of the command, kept for its next process: it starts a tenth quicker by it.
 *
 * CC1  it is kept only where nobody but this user and root can put anything: what is in there is run.
 * CC2  the command works without it, and says nothing where there is none.
 *
 * Node compares each entry with its source and throws away what does not fit.
 */
import { mkdirSync, realpathSync, statSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { dirname, isAbsolute, join } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

/** Keeps what this process compiles from now on, written when it ends. Never throws. */
export function keepCompiled(env: Environment): void {
  const folder = safeCacheFolder(env)
  if (folder !== undefined) enableCompileCache(folder)
}

/** `agentry` in the user's folder of caches, made where it is missing. Undefined where there is none that is safe (CC1). */
export function safeCacheFolder({ XDG_CACHE_HOME: caches, HOME: home }: Environment): string | undefined {
  const base = caches === undefined || caches === '' ? home && join(home, '.cache') : caches
  if (base === undefined || !isAbsolute(base)) return undefined
  try {
    const folder = join(base, 'agentry')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const real = realpathSync(folder)
    return isOwn(real) && isSafeBelow(dirname(real)) ? real : undefined
  } catch {
    return undefined
  }
}

function isOwn(folder: string): boolean {
  const { uid, mode } = statSync(folder)
  return uid === process.getuid?.() && (mode & 0o022) === 0
}

/** Nobody else can put another folder in the place of one that is in `folder`. */
function isSafeBelow(folder: string): boolean {
  const { uid, mode } = statSync(folder)
  const isSticky = (mode & 0o1000) !== 0
  const isTrusted = uid === 0 || uid === process.getuid?.()
  if (!isTrusted || ((mode & 0o022) !== 0 && !isSticky)) return false
  const parent = dirname(folder)
  return parent === folder || isSafeBelow(parent)
}
