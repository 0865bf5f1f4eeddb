/**
 * An open journal that records are appended to: held by the store for each session that its claim's owner works on.
 *
 * Invariants:
 * W1  `length` is where the acknowledged records end. With fsync `always` they are on the disk when append returns.
 * W2  an append that throws has acknowledged nothing: the file is cut back to `length`, or the writer is broken and whoever
 *     opens the journal next has to cut it.
 * W3  a descriptor whose sync has failed is not used again. The system reports a lost write once; a second sync of the same
 *     descriptor would report success for data that is gone.
 *
 * With fsync `interval` an append returns when the system has the data; it is synced INTERVAL_MS later, and before a snapshot, a move or
 * a release. A crash of the process loses nothing then. A crash of the machine, or a sync that fails, loses at most what was
 * acknowledged since the last sync.
 */
import type { Clock, Timer } from '../core/clock.ts'
import { type AgentryError, toAgentryError } from '../errors.ts'
import type { DurableFile } from './durable-fs.ts'
import { assertHeld } from './fencing.ts'
import type { Claim } from './session-store.ts'

export const INTERVAL_MS = 100

export type FsyncMode = 'always' | 'interval'

export interface WriterOptions {
  agentId: string
  /** Of the claim that it was opened under. */
  token: number
  length: number
  seq: number
  fsync: FsyncMode
  clock: Clock
}

export class JournalWriter {
  readonly agentId: string
  readonly token: number
  readonly #file: DurableFile
  readonly #fsync: FsyncMode
  readonly #clock: Clock
  #length: number
  #seq: number
  #broken = false
  #timer: Timer | undefined
  #syncFailure: AgentryError | undefined

  /** Takes over an open journal of `length` acknowledged bytes, and closes it in the end. */
  constructor(file: DurableFile, options: WriterOptions) {
    this.agentId = options.agentId
    this.token = options.token
    this.#file = file
    this.#fsync = options.fsync
    this.#clock = options.clock
    this.#length = options.length
    this.#seq = options.seq
  }

  get length(): number {
    return this.#length
  }

  get seq(): number {
    return this.#seq
  }

  /** True after a failure that leaves the file or its descriptor in doubt: close it, open the journal again. */
  get isBroken(): boolean {
    return this.#broken
  }

  /** True while the file is as this writer left it: not appended to by another, not cut, not deleted. */
  get isAlone(): boolean {
    const { size, links } = this.#file.info()
    return size === this.#length && links > 0
  }

  /** Appends whole lines, the last of which is record `seq`. Throws `fenced`, `storage_full`, `storage_failed` (W2). */
  append(claim: Claim, lines: Uint8Array, seq: number): void {
    if (this.#syncFailure !== undefined) throw this.#syncFailure
    assertHeld(claim)
    try {
      this.#file.append(lines)
      if (this.#fsync === 'always') this.#syncNow()
      else this.#syncLater()
    } catch (error) {
      this.#rollBack()
      throw error
    }
    this.#length += lines.length
    this.#seq = seq
  }

  /** Makes everything acknowledged durable. Nothing to do with fsync `always`. */
  sync(): void {
    if (this.#syncFailure !== undefined) throw this.#syncFailure
    if (this.#timer === undefined) return
    this.#timer.cancel()
    this.#timer = undefined
    this.#syncNow()
  }

  /** Closes the file, synced first. What was acknowledged and could not be synced is reported by a throw. Idempotent. */
  close(): void {
    try {
      this.sync()
    } finally {
      this.#timer?.cancel()
      this.#timer = undefined
      this.#file.close()
    }
  }

  #syncLater(): void {
    this.#timer ??= this.#clock.setTimer(INTERVAL_MS, () => {
      this.#timer = undefined
      try {
        this.#syncNow()
      } catch (error) {
        // Nobody waits for this sync: the next call that relies on it throws.
        this.#syncFailure = toAgentryError(error)
      }
    })
  }

  #syncNow(): void {
    try {
      this.#file.syncData()
    } catch (error) {
      this.#broken = true
      throw error
    }
  }

  #rollBack(): void {
    try {
      this.#file.truncate(this.#length)
    } catch {
      // The failure of the append is the one to report; the cut is made when the journal is opened again.
      this.#broken = true
    }
  }
}
