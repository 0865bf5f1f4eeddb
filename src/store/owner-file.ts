/** `.agentry/owner.json`: who owns the data directory. Information for others: the lock decides, not this file. */
import { resolve } from 'node:path'
import { z } from 'zod'
import { MAX_EPOCH } from './claims.ts'
import { type DurableFs, systemFs, writeFileAtomic } from './durable-fs.ts'
import { ownFilesOf, readOwnFile } from './own-files.ts'
import { foldersOf } from './session-files.ts'

export interface Owner {
  pid: number
  /** Where its gateway listens, if it does. */
  url?: string
  epoch: number
  /** ISO 8601. */
  startedAt: string
}

const schema = z.object({
  pid: z.int().positive(),
  url: z.string().optional(),
  epoch: z.int().positive().lt(MAX_EPOCH),
  startedAt: z.string(),
})

/**
 * The owner that the file in `directory` names, or undefined where it names none. It may have been killed since: the file stays until
 * the next opening, and only an opening tells. Throws `storage_failed` where the file is there and cannot be read.
 */
export function readOwner(directory: string, fs: DurableFs = systemFs): Owner | undefined {
  const file = readOwnFile(fs, ownFilesOf(foldersOf(resolve(directory))).owner)
  if (file.kind !== 'file') return undefined
  const parsed = schema.safeParse(parseJson(file.content))
  if (!parsed.success) return undefined
  const { url, ...owner } = parsed.data
  return url === undefined ? owner : { ...owner, url }
}

/** Durable when it returns; nobody ever reads half of it. */
export function writeOwner(fs: DurableFs, path: string, owner: Owner): void {
  writeFileAtomic(fs, path, `${JSON.stringify(owner, null, 2)}\n`)
}

/** False where no process has this pid; true also for another user's. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
