/**
 * Every access to files of the data directory. Two layers, so that tests can break the lower one:
 * `SystemCalls` are the bare calls of the operating system, `DurableFs` is what the store is written in.
 *
 * Invariants:
 * D1  nothing follows a symlink in the last part of a path, and nothing opens (or waits for) a FIFO, socket or device.
 * D2  `append` has written everything when it returns; a short write is continued, never taken for success.
 * D3  every failure is an AgentryError of storage-errors.ts that names operation, path and errno.
 * D4  files are made 0600 and folders 0700.
 *
 * All calls are synchronous on purpose. Asynchronous file calls of all threads share libuv's pool of four: four reads that
 * block (a FIFO, a dead network mount) in one agent would stop the writes of every other.
 */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { storageError, hasErrno } from './storage-errors.ts'

export interface FileInfo {
  kind: 'file' | 'directory' | 'symlink' | 'other'
  /** Bytes. */
  size: number
  /** Names that the file has: 0 for an open file that was deleted. */
  links: number
  mtimeMs: number
  /** Permission bits. */
  mode: number
  /** The user that it belongs to. */
  uid: number
}

/** The bare calls: they throw Node's errors with `code`, and may read and write short. */
export interface SystemCalls {
  open(path: string, flags: number, mode: number): number
  close(fd: number): void
  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number
  /** At the end of the file: all are opened with O_APPEND. */
  write(fd: number, buffer: Uint8Array, offset: number, length: number): number
  fdatasync(fd: number): void
  fsync(fd: number): void
  ftruncate(fd: number, length: number): void
  fstat(fd: number): FileInfo
  /** Undefined where there is nothing: to make an error of that costs far more than the call. */
  lstat(path: string): FileInfo | undefined
  rename(from: string, to: string): void
  unlink(path: string): void
  mkdir(path: string, mode: number): void
  readdir(path: string): string[]
}

/** read: must exist · append: must exist, for reading and appending · create: must not exist, for the same. */
export type OpenMode = 'read' | 'append' | 'create'

/** An open regular file. Its owner closes it. */
export interface DurableFile {
  readonly path: string
  /** For locks; everything else goes through the methods. */
  readonly fd: number
  /** As it was when it was opened. */
  readonly opened: FileInfo
  /** As it is now. */
  info(): FileInfo
  /** The bytes from `position` on, `length` of them; fewer only where the file ends. */
  read(length: number, position: number): Buffer
  /** Reads into `buffer` from its start; returns how many bytes, fewer than its length only where the file ends. */
  readInto(buffer: Uint8Array, position: number): number
  /** Writes all of `bytes` at the end of the file. After a throw any part of them may be there. */
  append(bytes: Uint8Array): void
  /** Cuts (or extends with zeros) to `length` bytes. */
  truncate(length: number): void
  /** fdatasync: content and size are durable. After a throw close the file: a second sync may report success falsely. */
  syncData(): void
  /** fsync: content and all metadata are durable. */
  sync(): void
  /** Idempotent. */
  close(): void
}

export interface DurableFs {
  /** Throws `storage_failed` with errno ENOENT, EEXIST (create), ELOOP (symlink), EISDIR, EACCES, or `not a regular file`. */
  open(path: string, mode: OpenMode): DurableFile
  /** What is at `path` itself (a symlink is not followed); undefined where nothing is. */
  info(path: string): FileInfo | undefined
  /** The whole content of a regular file. Throws like open. */
  readFile(path: string): Buffer
  /** The names in a folder, in no order. */
  list(directory: string): string[]
  /** Makes a folder, and those above it where they are missing, durably. Nothing happens where it is there. */
  makeDirectory(path: string): void
  /** Atomic; replaces `to`. Durable after syncDirectory of both folders. */
  rename(from: string, to: string): void
  /** False where nothing was there. Durable after syncDirectory. */
  unlink(path: string): boolean
  /** Makes creations, renames and removals in a folder durable. */
  syncDirectory(path: string): void
}

const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: constants.O_RDONLY,
  append: constants.O_RDWR | constants.O_APPEND,
  create: constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL,
}

/** A DurableFs over these calls; tests give calls that fail. */
export function createDurableFs(calls: SystemCalls): DurableFs {
  const syncDirectory = (path: string): void => {
    const fd = attempt('open', path, () => calls.open(path, constants.O_RDONLY | constants.O_DIRECTORY, 0))
    try {
      attempt('fsync', path, () => calls.fsync(fd))
    } finally {
      attempt('close', path, () => calls.close(fd))
    }
  }

  const info = (path: string): FileInfo | undefined => attempt('lstat', path, () => calls.lstat(path))

  const open = (path: string, mode: OpenMode): DurableFile => {
    const flags = FLAGS[mode] | constants.O_NOFOLLOW | constants.O_NONBLOCK
    const fd = attempt('open', path, () => calls.open(path, flags, 0o600))
    try {
      const opened = attempt('fstat', path, () => calls.fstat(fd))
      if (opened.kind !== 'file') throw storageError(notRegular(opened), 'open', path)
      return new OpenFile(calls, fd, path, opened)
    } catch (error) {
      calls.close(fd)
      throw error
    }
  }

  const makeDirectory = (path: string): void => {
    if (info(path)?.kind === 'directory') return
    try {
      attempt('mkdir', path, () => calls.mkdir(path, 0o700))
    } catch (error) {
      if (hasErrno(error, 'ENOENT') && dirname(path) !== path) {
        // A folder that is there and takes none (/proc) says ENOENT as well.
        if (info(dirname(path)) !== undefined) throw error
        makeDirectory(dirname(path))
        return makeDirectory(path)
      }
      // Another process may have made it in between; a symlink to a folder is the user's way to place it elsewhere.
      if (!hasErrno(error, 'EEXIST') || info(`${path}/.`)?.kind !== 'directory') throw error
    }
    syncDirectory(dirname(path))
  }

  return {
    open,
    info,
    makeDirectory,
    syncDirectory,
    readFile(path) {
      const file = open(path, 'read')
      try {
        return file.read(file.opened.size, 0)
      } finally {
        file.close()
      }
    },
    list: (directory) => attempt('readdir', directory, () => calls.readdir(directory)),
    rename: (from, to) => attempt('rename', `${from} to ${to}`, () => calls.rename(from, to)),
    unlink(path) {
      try {
        attempt('unlink', path, () => calls.unlink(path))
        return true
      } catch (error) {
        if (hasErrno(error, 'ENOENT')) return false
        throw error
      }
    },
  }
}

class OpenFile implements DurableFile {
  readonly path: string
  readonly fd: number
  readonly opened: FileInfo
  readonly #calls: SystemCalls
  #closed = false

  constructor(calls: SystemCalls, fd: number, path: string, opened: FileInfo) {
    this.#calls = calls
    this.fd = fd
    this.path = path
    this.opened = opened
  }

  info(): FileInfo {
    return this.#attempt('fstat', () => this.#calls.fstat(this.fd))
  }

  read(length: number, position: number): Buffer {
    const buffer = Buffer.allocUnsafe(length)
    return buffer.subarray(0, this.readInto(buffer, position))
  }

  readInto(buffer: Uint8Array, position: number): number {
    let done = 0
    while (done < buffer.length) {
      const count = this.#attempt('read', () =>
        this.#calls.read(this.fd, buffer, done, buffer.length - done, position + done),
      )
      if (count === 0) break
      done += count
    }
    return done
  }

  append(bytes: Uint8Array): void {
    let done = 0
    while (done < bytes.length) {
      const count = this.#attempt('write', () => this.#calls.write(this.fd, bytes, done, bytes.length - done))
      if (count === 0) throw storageError(new Error('the write took no bytes'), 'write', this.path)
      done += count
    }
  }

  truncate(length: number): void {
    this.#attempt('ftruncate', () => this.#calls.ftruncate(this.fd, length))
  }

  syncData(): void {
    this.#attempt('fdatasync', () => this.#calls.fdatasync(this.fd))
  }

  sync(): void {
    this.#attempt('fsync', () => this.#calls.fsync(this.fd))
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#attempt('close', () => this.#calls.close(this.fd))
  }

  #attempt<T>(operation: string, run: () => T): T {
    return attempt(operation, this.path, run)
  }
}

function notRegular({ kind }: FileInfo): Error {
  return Object.assign(new Error(`expected a regular file, found a ${kind}`), { code: 'not a regular file' })
}

function attempt<T>(operation: string, path: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw storageError(error, operation, path)
  }
}

/** What writeFileAtomic adds to the name of the file that it replaces. */
const TEMP_END = /\.tmp-[0-9a-f]{12}$/

/**
 * Replaces the content of `path` as a whole: after a crash at any instant the old content or the new is there. Durable when it
 * returns. After a throw either may be there, and at worst a `*.tmp-*` file beside it, which the next start removes.
 */
export function writeFileAtomic(fs: DurableFs, path: string, data: string | Uint8Array): void {
  const temp = `${path}.tmp-${randomBytes(6).toString('hex')}`
  try {
    createFile(fs, temp, data)
    fs.rename(temp, path)
  } catch (error) {
    removeQuietly(fs, temp)
    throw error
  }
  fs.syncDirectory(dirname(path))
}

/**
 * Makes a new file with this content and syncs it; its name is durable after syncDirectory. Throws EEXIST where it is there;
 * after another throw a part of it may be there.
 */
export function createFile(fs: DurableFs, path: string, data: string | Uint8Array): void {
  const file = fs.open(path, 'create')
  try {
    file.append(typeof data === 'string' ? Buffer.from(data) : data)
    file.sync()
  } finally {
    file.close()
  }
}

/** True for the name of a temp file that a crash left. */
export function isTempName(name: string): boolean {
  return TEMP_END.test(name)
}

/** Clears up after a failure that is being thrown: a second one (the disk is failing) must not hide the first. */
export function removeQuietly(fs: DurableFs, path: string): void {
  try {
    fs.unlink(path)
  } catch {
    // The next start removes it.
  }
}

export const systemCalls: SystemCalls = {
  open: openSync,
  close: closeSync,
  read: readSync,
  write: (fd, buffer, offset, length) => writeSync(fd, buffer, offset, length),
  fdatasync: fdatasyncSync,
  fsync: fsyncSync,
  ftruncate: ftruncateSync,
  fstat: (fd) => infoOf(fstatSync(fd)),
  lstat: (path) => {
    const stats = lstatSync(path, { throwIfNoEntry: false })
    return stats && infoOf(stats)
  },
  rename: renameSync,
  unlink: unlinkSync,
  mkdir: (path, mode) => mkdirSync(path, mode),
  readdir: (path) => readdirSync(path),
}

/** The real file system. */
export const systemFs: DurableFs = createDurableFs(systemCalls)

function infoOf(stats: Stats): FileInfo {
  const kind = stats.isFile()
    ? 'file'
    : stats.isDirectory()
      ? 'directory'
      : stats.isSymbolicLink()
        ? 'symlink'
        : 'other'
  const { size, nlink: links, mtimeMs, mode, uid } = stats
  return { kind, size, links, mtimeMs, mode: mode & 0o7777, uid }
}
