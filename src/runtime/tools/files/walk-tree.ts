/** Walks the files below a directory, each pinned while it is looked at, without holding up the thread. */
import { type Dirent, opendirSync } from 'node:fs'
import { setImmediate as nextRound } from 'node:timers/promises'
import type { Confinement } from './confinement.ts'
import type { DirectoryPin } from './directory-pin.ts'
import { isOwnName } from './file-lock.ts'

/** How long one stretch of work may hold the thread, ms. */
const STRETCH_MS = 20
/** Descriptors that one walk holds. */
const MAX_DEPTH = 100
/** Of one directory; more is left out, and told. */
const MAX_ENTRIES = 100_000

/** Not entered from above: full of what no one looks for. */
const SKIPPED = new Set(['.git', 'node_modules'])

export interface FoundFile {
  /** Open until the next one is asked for. */
  readonly directory: DirectoryPin
  readonly name: string
  /** From where the walk started, with `/`. */
  readonly relative: string
}

export interface WalkOptions {
  confinement: Confinement
  signal: AbortSignal
  /** Entries looked at in all; then the walk ends and says so. */
  maxEntries: number
  /** Which of the files of a directory to give, by their `relative`. Default: all. */
  select?: ((relatives: readonly string[]) => boolean[]) | undefined
}

/** Gives the thread back now and then. Throws the signal's reason. */
export function createPause(signal: AbortSignal): () => Promise<void> {
  let sinceMs = performance.now()
  return async () => {
    if (performance.now() - sinceMs < STRETCH_MS) return
    await nextRound()
    signal.throwIfAborted()
    sinceMs = performance.now()
  }
}

/**
 * Files in the order of their names, each directory's own before those in it. Symbolic links are not followed, `.git` and
 * `node_modules` not entered, nor is what cannot be read. Returns true where something was left out because it was too much.
 */
export async function* walkFiles(
  start: DirectoryPin,
  options: WalkOptions,
): AsyncGenerator<FoundFile, boolean> {
  const { confinement, signal, maxEntries } = options
  const pause = createPause(signal)
  let seen = 0
  let cut = false

  async function* walk(directory: DirectoryPin, prefix: string, depth: number): AsyncGenerator<FoundFile> {
    const entries = orNone(() => readEntries(directory)) ?? []
    const room = Math.min(MAX_ENTRIES, maxEntries - seen)
    cut ||= entries.length > room
    const looked = entries.slice(0, room)
    seen += looked.length
    const directories = looked.filter((entry) => entry.isDirectory() && !SKIPPED.has(entry.name))
    const names = looked.filter((entry) => entry.isFile()).map(({ name }) => name)
    const relatives = names.map((name) => prefix + name)
    const selected = names.length === 0 ? [] : options.select?.(relatives)
    for (const [index, name] of names.entries()) {
      await pause()
      if (selected?.[index] !== false) yield { directory, name, relative: prefix + name }
    }
    if (depth === MAX_DEPTH) cut ||= directories.length > 0
    for (const { name } of depth === MAX_DEPTH ? [] : directories) {
      await pause()
      const child = orNone(() => directory.child(name))
      if (child === undefined) continue
      try {
        if (!confinement.isForbidden(child)) yield* walk(child, `${prefix}${name}/`, depth + 1)
      } finally {
        child.close()
      }
    }
  }

  yield* walk(start, '', 0)
  return cut
}

/** Sorted by name; at most one more than MAX_ENTRIES. Throws Node's error, or where the directory has left its place. */
export function readEntries(directory: DirectoryPin): Dirent[] {
  const entries: Dirent[] = []
  const opened = opendirSync(directory.at(), { bufferSize: 256 })
  try {
    for (let entry = opened.readSync(); entry !== null; entry = opened.readSync()) {
      if (isOwnName(entry.name)) continue
      entries.push(entry)
      if (entries.length > MAX_ENTRIES) break
    }
  } finally {
    opened.closeSync()
  }
  if (!directory.verify()) throw new Error('the directory changed its place while it was read')
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
}

function orNone<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}
