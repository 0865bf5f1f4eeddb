/** The directory, its claims, the file store and the catalog together, over restarts. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createId } from '../../src/core/ids.ts'
import { Catalog } from '../../src/store/catalog.ts'
import { openDirectory, type OwnedDirectory } from '../../src/store/directory.ts'
import { createFileStore } from '../../src/store/file-store.ts'
import type { Claim, SessionStore } from '../../src/store/session-store.ts'
import { AGENT_ID, creation, turn } from '../fakes/records.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'

interface Run {
  owned: OwnedDirectory
  store: SessionStore
  catalog: Catalog
  claim: Claim
}

/** What a supervisor does at its start. */
async function start(directory: string): Promise<Run> {
  const owned = await openDirectory({ directory })
  onTestFinished(() => owned.close())
  const store = createFileStore({ directory })
  const catalog = await Catalog.open(store)
  owned.outrank(catalog.highestEpoch())
  return { owned, store, catalog, claim: owned.claims.claim(AGENT_ID) }
}

describe('sessions over restarts', () => {
  test.each([
    ['as it was', () => undefined],
    ['gone', (path: string) => rmSync(path)],
    ['damaged', (path: string) => writeFileSync(path, '1 crc32:00000000\n')],
  ])('are found again and written on where the epoch file is %s', async (_, change) => {
    const directory = temporaryDirectory()
    const sessionId = createId()
    let lastToken = 0
    for (let run = 0; run < 3; run++) {
      const { owned, store, catalog, claim } = await start(directory)
      expect(claim.token).toBeGreaterThan(lastToken)
      lastToken = claim.token
      if (run === 0) await store.append(claim, sessionId, 0, creation(claim, sessionId))
      const { state } = await store.load(sessionId, claim)
      expect(state.counts.turns).toBe(run)
      expect(catalog.get(sessionId)?.seq).toBe(run === 0 ? undefined : state.seq)
      await store.append(claim, sessionId, state.seq, turn(claim, state.seq))
      await store.release(sessionId)
      owned.close()
      change(join(directory, '.agentry', 'epoch'))
    }
  })

  test('copied in from a directory with more epochs are written on', async () => {
    const directory = temporaryDirectory()
    const foreign: Claim = {
      agentId: AGENT_ID,
      token: 70_000_003,
      word: new Int32Array(new SharedArrayBuffer(4)).fill(1),
    }
    const sessionId = createId()
    const other = createFileStore({ directory })
    await other.append(foreign, sessionId, 0, creation(foreign, sessionId))
    await other.release(sessionId)

    const { owned, store, claim } = await start(directory)
    expect(owned.epoch).toBe(71)
    await store.append(claim, sessionId, 1, turn(claim, 1))
    expect((await store.load(sessionId)).state.counts.turns).toBe(1)
  })

  test('in the catalog, kept up by the appended records, are as a new catalog reads them', async () => {
    const directory = temporaryDirectory()
    const { store, catalog, claim } = await start(directory)
    const sessionId = createId()
    let seq = 0
    for (const records of [creation(claim, sessionId), turn(claim, 1), turn(claim, 6)]) {
      catalog.append(sessionId, records, await store.append(claim, sessionId, seq, records))
      seq += records.length
    }
    const reread = await Catalog.open(store)
    expect(catalog.get(sessionId)).toEqual(reread.get(sessionId))
    expect(catalog.totals()).toEqual(reread.totals())
    expect(catalog.currentOf(AGENT_ID)?.id).toBe(sessionId)
  })
})
