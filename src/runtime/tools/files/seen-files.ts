/**
 * Which version of a file a session has seen last: what is written over another one would be lost.
 *
 * It is kept in the session's metadata, not in the thread: an agent that waits for an answer gives its thread back, and what a person
 * changes meanwhile must still be a conflict. A fork begins with it, as it does with the conversation in which the files were read.
 */
import { hash } from 'node:crypto'
import type { ToolContext } from '../tool.ts'

/**
 * The key of the metadata. Its value is a list of `PATH:VERSION`, 16 hexadecimal digits of a hash for each, the oldest first. Of a
 * file of which only a part was given it is `PATH:VERSION:LINES`, with how many lines from the first on were given.
 */
const SEEN_KEY = 'filesSeen'

/** The oldest are forgotten, and have to be read again before they are replaced. */
const MAX_FILES = 200

/**
 * `unseen`: the session has never read or written the file, or it is forgotten. `part`: the file is as it was, and not all of it was
 * given. `version`: undefined where there is no file.
 */
export function compareSeen(
  path: string,
  version: string | undefined,
  { metadata }: Pick<ToolContext, 'metadata'>,
): 'unseen' | 'same' | 'part' | 'changed' {
  const seen = seenOf(path, metadata)
  if (seen === undefined) return 'unseen'
  if (version === undefined || seen.version !== digest(version)) return 'changed'
  return seen.lines === undefined ? 'same' : 'part'
}

/** The lines that a read gave uncut and one after the other, counted from 1; `last` is less than `first` where there are none. */
export interface GivenLines {
  first: number
  last: number
  /** Of the file; Infinity where it cannot be read to its end. */
  total: number
}

/**
 * Remembers what a read gave: the whole of a file also where it was given in parts, from the first line on. Durable when it resolves.
 */
export async function rememberRead(
  path: string,
  version: string,
  { first, last, total }: GivenLines,
  context: SeenContext,
): Promise<void> {
  const seen = seenOf(path, context.metadata)
  const same = seen !== undefined && seen.version === digest(version)
  if (same && seen.lines === undefined) return rememberSeen(path, version, context)
  const before = same ? (seen.lines ?? 0) : 0
  const lines = first <= before + 1 ? Math.max(before, last) : before
  await rememberSeen(path, version, context, lines >= total ? undefined : lines)
}

type SeenContext = Pick<ToolContext, 'metadata' | 'updateSession'>

/**
 * `lines`: how many from the first on the session knows; undefined: it knows the whole file. Durable when it resolves. Nothing is
 * recorded where it is among the newer half already.
 */
export async function rememberSeen(
  path: string,
  version: string,
  context: SeenContext,
  lines?: number,
): Promise<void> {
  const file = `${digest(path)}:`
  const entry = file + digest(version) + (lines === undefined ? '' : `:${lines}`)
  const seen = seenIn(context.metadata)
  if (seen.lastIndexOf(entry) >= Math.max(0, seen.length - MAX_FILES / 2)) return
  const kept = [...seen.filter((other) => !other.startsWith(file)), entry].slice(-MAX_FILES)
  await context.updateSession({ metadata: { [SEEN_KEY]: kept } })
}

/** `version` is its digest; `lines` as for rememberSeen. */
function seenOf(
  path: string,
  metadata: ToolContext['metadata'],
): { version: string; lines: number | undefined } | undefined {
  const file = `${digest(path)}:`
  const entry = seenIn(metadata).find((one) => one.startsWith(file))
  if (entry === undefined) return undefined
  const [version = '', lines] = entry.slice(file.length).split(':')
  // What a person has put there and is no number counts as nothing given.
  return { version, lines: lines === undefined ? undefined : Number.parseInt(lines, 10) || 0 }
}

/** Whatever else a person has put under the key counts for nothing. */
function seenIn(metadata: ToolContext['metadata']): string[] {
  const kept = metadata[SEEN_KEY]
  return Array.isArray(kept) ? kept.filter((entry) => typeof entry === 'string') : []
}

function digest(text: string): string {
  return hash('sha256', text).slice(0, 16)
}
