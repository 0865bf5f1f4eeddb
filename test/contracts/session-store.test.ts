import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFileStore } from '../../src/store/file-store.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import { sessionStoreContract } from './session-store.ts'

for (const fsync of ['always', 'interval'] as const) {
  sessionStoreContract(`a file store with fsync ${fsync}`, () => {
    const directory = mkdtempSync(join(tmpdir(), 'agentry-store-'))
    const reopen = () => createFileStore({ directory, fsync })
    return { store: reopen(), reopen, close: () => rmSync(directory, { recursive: true }) }
  })
}

sessionStoreContract('a memory store', () => {
  const store = createMemoryStore()
  return { store, reopen: () => store, close: () => {} }
})
