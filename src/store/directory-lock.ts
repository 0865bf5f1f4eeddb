/**
 * The lock that makes one process the owner of a data directory. The only place that meets `fs-native-extensions`.
 *
 * Why an OFD lock (`man 2 fcntl`, open file description locks): it goes with the descriptor, so it is free at the instant the
 * owner dies, however it dies; a stopped owner keeps it; and closing another descriptor of the same file does not drop it, as it
 * does with classic POSIX locks (SQLite's). Pid files and sockets leave stale files behind, over which two starts can both win.
 *
 * The file itself is never removed: a lock on a removed file excludes nobody.
 */
import { closeSync, constants, openSync } from 'node:fs'
import { tryLock } from 'fs-native-extensions'
import { AgentryError, describeThrown } from '../errors.ts'
import { storageError } from './storage-errors.ts'

/** A lock that is held. It is given up by release() or by the end of the process. */
export interface DirectoryLock {
  /** Idempotent. */
  release(): void
}

/**
 * Takes the lock on the file at `path`, which is made where it is missing (0600). Never waits. Undefined where it is held, by
 * another process or by this one.
 *
 * Throws `storage_failed` where the file cannot be opened, `directory_invalid` where its file system has no such locks.
 */
export function tryDirectoryLock(path: string): DirectoryLock | undefined {
  const fd = openLockFile(path)
  let locked = false
  try {
    locked = tryLock(fd)
  } catch (error) {
    const message = `cannot lock ${path}: ${describeThrown(error)}; expected a file system with locks`
    throw new AgentryError('directory_invalid', message, { cause: error, data: { path } })
  } finally {
    if (!locked) closeSync(fd)
  }
  if (!locked) return undefined

  let held = true
  return {
    release() {
      if (!held) return
      held = false
      closeSync(fd)
    },
  }
}

/** True where somebody holds the lock on the file at `path`. Where nobody does, it is taken for an instant. Throws like tryDirectoryLock. */
export function isLocked(path: string): boolean {
  const lock = tryDirectoryLock(path)
  lock?.release()
  return lock === undefined
}

function openLockFile(path: string): number {
  try {
    // Non-blocking, so that a FIFO in its place is refused by the lock instead of waited for.
    return openSync(
      path,
      constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK,
      0o600,
    )
  } catch (error) {
    throw storageError(error, 'open', path)
  }
}
