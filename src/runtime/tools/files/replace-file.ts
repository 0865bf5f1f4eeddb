/**
 * Writes a whole file so that nobody ever sees half of it, and no change of another is lost.
 *
 * Invariants:
 * R1  the content is complete on the disk under a temporary name before it takes the file's name, in one step.
 * R2  between the look at the current content and that step no other agent writes the file (file-lock.ts); where anybody else did,
 *     it is a conflict and nothing is written, but for one who writes in the very instant between the last look and the step: no
 *     call of the system does both.
 * R3  permission bits and, where allowed, the owner stay.
 */
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  type Stats,
  writeSync,
} from 'node:fs'
import type { Clock } from '../../../core/clock.ts'
import { systemErrorCode } from '../../processes/system-error-code.ts'
import type { DirectoryPin } from './directory-pin.ts'
import { type FileLock, lockFile } from './file-lock.ts'
import { conflict, failed, fromSystem, refused } from './path-errors.ts'
import { type FileBytes, MAX_FILE_BYTES, readFileBytes, versionOf } from './read-bytes.ts'
import type { Place } from './confinement.ts'

export interface ReplaceOptions {
  place: Place
  signal: AbortSignal
  clock?: Clock | undefined
  /** The next content, from the current one (undefined: there is no such file). What it throws ends the replacement. */
  next(current: FileBytes | undefined): Buffer
}

/** Resolves with the version of what was written. Directories that are missing on the way are made. */
export async function replaceFile(options: ReplaceOptions): Promise<string> {
  const { place, signal, clock } = options
  const { shown } = place
  const made: DirectoryPin[] = []
  try {
    const directory = makeDirectories(place, made)
    const name = place.rest.at(-1)
    if (name === undefined) throw failed(shown, 'is a directory, expected a file')
    const lock = await lockFile({ directory, name, shown, signal, clock })
    try {
      const current = readIfThere(directory, name, shown)
      const bytes = options.next(current)
      if (bytes.length > MAX_FILE_BYTES) {
        throw failed(shown, `expected at most ${MAX_FILE_BYTES} bytes of content, received ${bytes.length}`)
      }
      if (current !== undefined) accessSync(directory.at(name), constants.W_OK)
      writeTemporary(directory, lock, bytes, current?.stat)
      if (readIfThere(directory, name, shown)?.version !== current?.version || !lock.isHeld()) {
        throw conflict(shown, 'changed while it was being written')
      }
      if (!directory.verify()) throw refused(shown, 'changed its place while it was written')
      renameSync(directory.at(lock.temporaryName), directory.at(name))
      return versionOf(bytes)
    } finally {
      lock.release()
    }
  } catch (error) {
    signal.throwIfAborted()
    throw fromSystem(error, shown)
  } finally {
    for (const pin of made) pin.close()
  }
}

function makeDirectories({ directory, rest }: Place, made: DirectoryPin[]): DirectoryPin {
  let parent = directory
  for (const name of rest.slice(0, -1)) {
    try {
      mkdirSync(parent.at(name))
    } catch (error) {
      // Made by somebody else by now; a symbolic link is not entered by `child`.
      if (systemErrorCode(error) !== 'EEXIST') throw error
    }
    parent = parent.child(name)
    made.push(parent)
  }
  return parent
}

function readIfThere(directory: DirectoryPin, name: string, shown: string): FileBytes | undefined {
  if (lstatSync(directory.at(name), { throwIfNoEntry: false }) === undefined) return undefined
  return readFileBytes(directory, name, shown)
}

function writeTemporary(directory: DirectoryPin, lock: FileLock, bytes: Buffer, like?: Stats): void {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
  // A new file gets what the umask leaves; the bits of a private one are private from the start.
  const fd = openSync(directory.at(lock.temporaryName), flags, like === undefined ? 0o666 : 0o600)
  try {
    for (let offset = 0; offset < bytes.length;) offset += writeSync(fd, bytes, offset)
    if (like !== undefined) {
      giveTo(fd, like)
      fchmodSync(fd, like.mode & 0o7777)
    }
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Only root may give files away; what another user's file becomes is then ours, as with every editor. */
function giveTo(fd: number, { uid, gid }: Stats): void {
  if (uid === process.getuid?.() && gid === process.getgid?.()) return
  try {
    fchownSync(fd, uid, gid)
  } catch (error) {
    if (systemErrorCode(error) !== 'EPERM') throw error
  }
}
