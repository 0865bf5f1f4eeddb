/**
 * The ownership of a data directory: one supervisor at a time, and each in an epoch of its own.
 *
 * Invariants:
 * O1  who holds an OwnedDirectory holds the lock; it is free as soon as close() was called or the process has ended.
 * O2  the epoch is higher than in every opening before, whatever instant those were killed at, and is durable before it is used.
 * O3  owner.json names the owner; it is information for others, never what decides who owns.
 */
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Clock, isoTime, systemClock } from '../core/clock.ts'
import { createId } from '../core/ids.ts'
import { AgentryError, describeThrown } from '../errors.ts'
import { createClaimAuthority, type EpochClaims, epochOf, MAX_TOKEN } from './claims.ts'
import { type DirectoryLock, tryDirectoryLock } from './directory-lock.ts'
import { type DurableFs, systemFs } from './durable-fs.ts'
import { readEpoch, writeEpoch } from './epoch-file.ts'
import { finishMoves } from './moves.ts'
import { type OwnFiles, ownFilesOf } from './own-files.ts'
import { isAlive, type Owner, readOwner, writeOwner } from './owner-file.ts'
import { moveAside } from './quarantine.ts'
import { filesOf, type Folders, foldersOf } from './session-files.ts'
import type { ClaimAuthority, SessionNote } from './session-store.ts'

export { type Owner, readOwner } from './owner-file.ts'

/** How long an opening waits for the owner to say who it is (it may be starting) or to be gone (it may be ending). */
const ATTEMPTS = 20
const ATTEMPT_MS = 50

export interface OpenDirectoryOptions {
  directory: string
  url?: string
  clock?: Clock
  fs?: DurableFs
}

/**
 * Takes a data directory over, made where it is missing: locks it, begins a new epoch, and finishes what a crash cut off.
 *
 * Throws `directory_owned` within 2 s where another supervisor owns it (`data` is what is known of that one: pid, url, startedAt),
 * `directory_invalid` where the path is no directory or cannot be written, `storage_full`, `storage_failed`.
 */
export async function openDirectory(options: OpenDirectoryOptions): Promise<OwnedDirectory> {
  const { fs = systemFs, clock = systemClock } = options
  const folders = foldersOf(resolve(options.directory))
  asDirectoryProblem(folders, () => makeFolders(fs, folders))
  const lock = await takeLock(fs, folders)
  try {
    asDirectoryProblem(folders, () => assertWritable(fs, folders.sessions))
    const files = ownFilesOf(folders)
    const { epoch, notes } = beginEpoch(fs, folders, files)
    const owner: Owner = {
      pid: process.pid,
      ...(options.url !== undefined && { url: options.url }),
      epoch,
      startedAt: isoTime(clock),
    }
    writeOwner(fs, files.owner, owner)
    notes.push(...finishMoves(fs, folders.sessions))
    return new OwnedDirectory(fs, folders.sessions, lock, owner, notes)
  } catch (error) {
    lock.release()
    throw error
  }
}

/** A data directory in the hands of this process. Made by openDirectory. */
export class OwnedDirectory {
  /** Absolute path. */
  readonly directory: string
  /** What the opening found and mended. */
  readonly notes: readonly SessionNote[]
  readonly #fs: DurableFs
  readonly #files: OwnFiles
  readonly #lock: DirectoryLock
  readonly #claims: EpochClaims
  #owner: Owner
  #closed = false

  constructor(
    fs: DurableFs,
    directory: string,
    lock: DirectoryLock,
    owner: Owner,
    notes: readonly SessionNote[],
  ) {
    this.#fs = fs
    this.directory = directory
    this.#files = ownFilesOf(foldersOf(directory))
    this.#lock = lock
    this.#owner = owner
    this.notes = notes
    this.#claims = createClaimAuthority(owner.epoch, () => this.#advanceTo(this.epoch + 1))
  }

  get epoch(): number {
    return this.#owner.epoch
  }

  get claims(): ClaimAuthority {
    return this.#claims
  }

  /**
   * Makes every claim from now on outrank the record epoch `token`; the epoch is raised for that, durably, where it must be. For
   * sessions whose epoch the directory's own file does not cover: copied in from elsewhere, or the file was damaged or is gone.
   * Call it with the highest one in the store before the first claim, and with that of a session taken out of the trash.
   *
   * Throws `session_damaged` for a token above MAX_TOKEN: no epoch was ever that high.
   */
  outrank(token: number): void {
    if (token > MAX_TOKEN) {
      throw new AgentryError(
        'session_damaged',
        `expected a record epoch up to ${MAX_TOKEN}, received ${token}`,
      )
    }
    if (token > this.#claims.highestToken) this.#claims.raiseEpoch(this.#advanceTo(epochOf(token) + 1))
  }

  /** Says where the gateway listens now. Durable when it returns. */
  setUrl(url: string): void {
    this.#assertOpen()
    const owner = { ...this.#owner, url }
    writeOwner(this.#fs, this.#files.owner, owner)
    this.#owner = owner
  }

  /** Gives the directory up. Idempotent. The lock is free even where it throws (`storage_failed`: owner.json could not be removed). */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    try {
      this.#fs.unlink(this.#files.owner)
    } finally {
      this.#lock.release()
    }
  }

  #advanceTo(epoch: number): number {
    this.#assertOpen()
    writeEpoch(this.#fs, this.#files.epoch, epoch)
    this.#owner = { ...this.#owner, epoch }
    writeOwner(this.#fs, this.#files.owner, this.#owner)
    return epoch
  }

  #assertOpen(): void {
    if (!this.#closed) return
    throw new AgentryError('team_closed', `the data directory ${this.directory} is closed`)
  }
}

function makeFolders(fs: DurableFs, folders: Folders): void {
  for (const folder of [folders.sessions, folders.own, folders.quarantine, folders.trash]) {
    fs.makeDirectory(folder)
  }
}

async function takeLock(fs: DurableFs, folders: Folders): Promise<DirectoryLock> {
  for (let attempt = 1; ; attempt++) {
    const lock = asDirectoryProblem(folders, () => tryDirectoryLock(ownFilesOf(folders).lock))
    if (lock !== undefined) return lock
    // A new owner has the lock before it has said who it is: until then owner.json is missing or names a dead one.
    const owner = readOwner(folders.sessions, fs)
    if (owner !== undefined && isAlive(owner.pid)) throw ownedBy(folders, owner)
    if (attempt === ATTEMPTS) throw ownedBy(folders, undefined)
    await sleep(ATTEMPT_MS)
  }
}

function ownedBy(folders: Folders, owner: Owner | undefined): AgentryError {
  const directory = folders.sessions
  if (owner === undefined) {
    const message = `${directory} is owned by another supervisor, which does not say who it is`
    return new AgentryError('directory_owned', message, { data: { directory } })
  }
  const { pid, url, startedAt } = owner
  const where = url === undefined ? 'no url' : url
  const message = `${directory} is owned by the supervisor with pid ${pid} (${where}), started at ${startedAt}`
  return new AgentryError('directory_owned', message, {
    data: { directory, pid, ...(url !== undefined && { url }), startedAt },
  })
}

/** O2: the epoch of this opening, durable. The epoch file is the measure; a left owner.json helps where that is damaged. */
function beginEpoch(
  fs: DurableFs,
  folders: Folders,
  files: OwnFiles,
): { epoch: number; notes: SessionNote[] } {
  const notes: SessionNote[] = []
  const stored = readEpoch(fs, files.epoch)
  if (stored === undefined) {
    const place = moveAside(fs, folders, files.epoch, 'epoch')
    const message = `${files.epoch} was damaged and is now ${place}: the epoch goes on behind the highest in use`
    notes.push({ kind: 'damage', message })
  }
  const epoch = Math.max(stored ?? 0, readOwner(folders.sessions, fs)?.epoch ?? 0) + 1
  writeEpoch(fs, files.epoch, epoch)
  return { epoch, notes }
}

/**
 * Makes a file and removes it: asking for permissions says yes to root on a read-only mount. The file is named like the temp file of a
 * snapshot: the next opening removes it where a crash comes in between.
 */
function assertWritable(fs: DurableFs, directory: string): void {
  const probe = `${filesOf(directory, createId()).snapshot}.tmp-${randomBytes(6).toString('hex')}`
  fs.open(probe, 'create').close()
  fs.unlink(probe)
}

const DIRECTORY_PROBLEMS: ReadonlyMap<unknown, string> = new Map([
  ['EACCES', 'this user may not write there'],
  ['EPERM', 'this user may not write there'],
  ['EROFS', 'it is on a read-only file system'],
  ['ENOTDIR', 'it is a file, or leads through one'],
  ['EISDIR', 'a folder is where a file is expected'],
  ['EEXIST', 'it is not a directory'],
  ['ELOOP', 'symbolic links form a loop there, or one is where none may be'],
  ['ENAMETOOLONG', 'the path is too long'],
])

/** Turns a failure that the choice of the directory caused into `directory_invalid`. */
function asDirectoryProblem<T>(folders: Folders, run: () => T): T {
  try {
    return run()
  } catch (error) {
    const problem =
      error instanceof AgentryError && error.code === 'storage_failed'
        ? DIRECTORY_PROBLEMS.get(error.data?.['errno'])
        : undefined
    if (problem === undefined) throw error
    const directory = folders.sessions
    const message = `expected a directory that can be written at ${directory}: ${problem} (${describeThrown(error)})`
    throw new AgentryError('directory_invalid', message, { cause: error, data: { directory } })
  }
}
