/**
 * Keeps two agents from replacing one file at the same time, in whatever threads or processes they are: an exclusively made file
 * beside it. Editors do not know it, so a change is looked for once more right before the replacement.
 */
import { hash } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { type Clock, systemClock } from '../../../core/clock.ts'
import { systemErrorCode } from '../../processes/system-error-code.ts'
import type { DirectoryPin } from './directory-pin.ts'
import { conflict } from './path-errors.ts'

/** Held over a few synchronous calls: one that is older than this was left by a process that was killed. */
const STALE_MS = 30_000
const WAIT_MS = 5_000
const POLL_MS = 5

const OWN_NAME = /^\.agentry-[0-9a-f]{16}\.(lock|tmp)$/

/** True for the names of the lock and temporary files that are made here: tools do not show them. */
export function isOwnName(name: string): boolean {
  return OWN_NAME.test(name)
}

export interface FileLock {
  /** The name that the next content may be written under, in the same directory. Removed with the lock where it is left. */
  readonly temporaryName: string
  /** False where somebody took the lock for stale. */
  isHeld(): boolean
  release(): void
}

export interface LockOptions {
  directory: DirectoryPin
  name: string
  shown: string
  signal: AbortSignal
  clock?: Clock | undefined
}

/** Throws `edit_conflict` where another holds it all the time, the signal's reason where it is aborted. */
export async function lockFile(options: LockOptions): Promise<FileLock> {
  const { directory, name, shown, signal, clock = systemClock } = options
  const lockPath = directory.at(`.agentry-${hash('sha256', name).slice(0, 16)}.lock`)
  const giveUpMs = clock.monotonicMs() + WAIT_MS
  for (;;) {
    signal.throwIfAborted()
    const lock = tryLock(directory, lockPath)
    if (lock !== undefined) return lock
    if (removeStale(directory, lockPath, clock)) continue
    if (clock.monotonicMs() > giveUpMs) throw conflict(shown, 'is being written by another agent')
    await new Promise<void>((resolve) => clock.setTimer(POLL_MS, resolve))
  }
}

function tryLock(directory: DirectoryPin, lockPath: string): FileLock | undefined {
  let fd: number
  try {
    fd = openSync(
      lockPath,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o600,
    )
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return undefined
    throw error
  }
  const temporaryName = `.agentry-${hash('sha256', crypto.randomUUID()).slice(0, 16)}.tmp`
  const { ino } = fstatSync(fd)
  const isHeld = () => lstatSync(lockPath, { throwIfNoEntry: false })?.ino === ino
  const release = () => {
    remove(directory.at(temporaryName))
    if (isHeld()) remove(lockPath)
  }
  try {
    writeSync(fd, temporaryName)
  } catch (error) {
    release()
    throw error
  } finally {
    closeSync(fd)
  }
  return { temporaryName, isHeld, release }
}

/** With the temporary file that its owner may have left. True where there is nothing to wait for. */
function removeStale(directory: DirectoryPin, lockPath: string, clock: Clock): boolean {
  const stat = lstatSync(lockPath, { throwIfNoEntry: false })
  if (stat === undefined) return true
  if (clock.now() - stat.mtimeMs < STALE_MS || !stat.isFile() || stat.size > 64) return false
  const left = readFileSync(lockPath, 'utf8')
  remove(lockPath)
  if (isOwnName(left)) remove(directory.at(left))
  return true
}

function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error
  }
}
