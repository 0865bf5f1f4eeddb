/** The small files that the owner of a data directory keeps in `.agentry/`: read whole, written whole, one writer. */
import { join } from 'node:path'
import { describeThrown } from '../errors.ts'
import type { DurableFs } from './durable-fs.ts'
import type { Folders } from './session-files.ts'
import { hasErrno } from './storage-errors.ts'

export interface OwnFiles {
  /** Held locked by the owner; its content means nothing. */
  readonly lock: string
  /** Who the owner is, for others to read. */
  readonly owner: string
  readonly epoch: string
  readonly agents: string
  /** What clients of the gateway prove themselves by. */
  readonly token: string
}

export function ownFilesOf(folders: Folders): OwnFiles {
  return {
    lock: join(folders.own, 'lock'),
    owner: join(folders.own, 'owner.json'),
    epoch: join(folders.own, 'epoch'),
    agents: join(folders.own, 'agents.json'),
    token: join(folders.own, 'token'),
  }
}

/** `foreign`: something of that name is there that cannot be one of our files, such as a symlink or a folder. */
export type OwnFile =
  | { kind: 'missing' }
  | { kind: 'file'; content: string }
  | { kind: 'foreign'; reason: string }

/** Throws `storage_failed` where a file is there and cannot be read. */
export function readOwnFile(fs: DurableFs, path: string): OwnFile {
  try {
    return { kind: 'file', content: fs.readFile(path).toString() }
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return { kind: 'missing' }
    if (hasErrno(error, 'ELOOP', 'EISDIR', 'ENXIO', 'not a regular file')) {
      return { kind: 'foreign', reason: describeThrown(error) }
    }
    throw error
  }
}
