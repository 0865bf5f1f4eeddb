/** A data directory of one test: made on use, gone when the test ends. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { SessionRecord } from '../../src/core/record.ts'
import type { SessionState } from '../../src/core/session-state.ts'
import { createDurableFs, type DurableFs, systemCalls } from '../../src/store/durable-fs.ts'
import { createFileStore, type FileStoreOptions } from '../../src/store/file-store.ts'
import { filesOf, type Folders, foldersOf, type SessionFiles } from '../../src/store/session-files.ts'
import type { Claim, SessionStore } from '../../src/store/session-store.ts'
import { replay } from '../core/journals.ts'

/** The real file system without its syncs, for tests of thousands of small steps. */
export const unsyncedFs: DurableFs = createDurableFs({ ...systemCalls, fsync() {}, fdatasync() {} })

export class DataDirectory {
  readonly path: string
  readonly folders: Folders

  constructor() {
    this.path = mkdtempSync(join(tmpdir(), 'agentry-data-'))
    this.folders = foldersOf(this.path)
    onTestFinished(() => rmSync(this.path, { recursive: true }))
  }

  /** Without syncs, unless `fs` says otherwise. */
  store(options: Omit<FileStoreOptions, 'directory'> = {}): SessionStore {
    return createFileStore({ directory: this.path, fs: unsyncedFs, ...options })
  }

  files(sessionId: string): SessionFiles {
    return filesOf(this.folders.sessions, sessionId)
  }

  /** Creates a session of these records, with a snapshot of the first `covered` of them (0: none). Returns the state. */
  async create(
    claim: Claim,
    sessionId: string,
    records: readonly SessionRecord[],
    covered: number = records.length,
  ): Promise<SessionState> {
    const store = this.store()
    if (covered > 0) {
      const journalOffset = await store.append(claim, sessionId, 0, records.slice(0, covered))
      await store.snapshot(claim, { ...replay(records.slice(0, covered)), journalOffset })
    }
    const journalOffset = await store.append(claim, sessionId, covered, records.slice(covered))
    await store.release(sessionId)
    return { ...replay(records), journalOffset }
  }

  /** The content of every file in quarantine, by name. */
  quarantine(): Map<string, Buffer> {
    const { quarantine } = this.folders
    const names = existsSync(quarantine) ? readdirSync(quarantine) : []
    return new Map(names.map((name) => [name, readFileSync(join(quarantine, name))]))
  }
}
