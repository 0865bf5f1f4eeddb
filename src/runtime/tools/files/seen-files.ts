/**
 * Which version of a file a session has seen last: what is written over another one would be lost.
 *
 * It is kept in the session's metadata, not in the thread: an agent that waits for an answer gives its thread back, and what a person
 * changes meanwhile must still be a conflict. A fork begins with it, as it does with the conversation in which the files were read.
 */
import { hash } from 'node:crypto'
import type { ToolContext } from '../tool.ts'

/** The key of the metadata. Its value is a list of `PATH:VERSION`, 16 hexadecimal digits of a hash for each, the oldest first. */
const SEEN_KEY = 'filesSeen'

/** The oldest are forgotten, and have to be read again before they are replaced. */
const MAX_FILES = 200

/** `unseen`: the session has never read or written the file, or it is forgotten. `version`: undefined where there is no file. */
export function compareSeen(
  path: string,
  version: string | undefined,
  { metadata }: Pick<ToolContext, 'metadata'>,
): 'unseen' | 'same' | 'changed' {
  const file = `${digest(path)}:`
  const seen = seenIn(metadata).find((entry) => entry.startsWith(file))
  if (seen === undefined) return 'unseen'
  return version !== undefined && seen === file + digest(version) ? 'same' : 'changed'
}

/** Durable when it resolves. Nothing is recorded where it is among the newer half already. */
export async function rememberSeen(
  path: string,
  version: string,
  context: Pick<ToolContext, 'metadata' | 'updateSession'>,
): Promise<void> {
  const file = `${digest(path)}:`
  const entry = file + digest(version)
  const seen = seenIn(context.metadata)
  if (seen.lastIndexOf(entry) >= Math.max(0, seen.length - MAX_FILES / 2)) return
  const kept = [...seen.filter((other) => !other.startsWith(file)), entry].slice(-MAX_FILES)
  await context.updateSession({ metadata: { [SEEN_KEY]: kept } })
}

/** Whatever else a person has put under the key counts for nothing. */
function seenIn(metadata: ToolContext['metadata']): string[] {
  const kept = metadata[SEEN_KEY]
  return Array.isArray(kept) ? kept.filter((entry) => typeof entry === 'string') : []
}

function digest(text: string): string {
  return hash('sha256', text).slice(0, 16)
}
