/** One open session (SE1 to SE4). */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { AgentryError } from '../../src/errors.ts'
import { Session } from '../../src/runtime/session.ts'
import { createFileStore } from '../../src/store/file-store.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import { FaultyDisk } from '../fakes/faulty-disk.ts'
import { newSession, openTurn } from '../fakes/open-session.ts'
import { slowStore } from '../fakes/slow-store.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'

const rename = (name: string) => ({ type: 'session.changed', changes: { name } }) as const

describe('records', () => {
  test('are in the state at once, and reported when they are durable, those of one flush together', async () => {
    const { session, durable, options } = newSession()
    session.record(rename('one'))
    expect(session.state.name).toBe('one')
    expect(durable).toEqual([])
    await session.flush()
    expect(durable.map((records) => records.map(({ seq }) => seq))).toEqual([[1, 2]])
    await session.flush()
    expect(durable).toHaveLength(1)
    expect((await options.store.load(session.id)).state).toEqual(session.state)
  })

  test('that come while a write is under way are in the next one; every flush waits for its own', async () => {
    const { session, durable } = newSession(slowStore(createMemoryStore()))
    const first = session.flush()
    session.record(rename('one'))
    const second = session.flush()
    session.record(rename('two'))
    const third = session.flush()
    await first
    expect(durable.map((records) => records.map(({ seq }) => seq))).toEqual([[1]])
    await Promise.all([second, third])
    expect(durable.map((records) => records.map(({ seq }) => seq))).toEqual([[1], [2, 3]])
  })

  test('that are illegal are refused, and nothing of them stays', async () => {
    const { session, options } = newSession()
    expect(() => session.record({ type: 'turn.started', turnId: 'none', attempt: 1 })).toThrow('turn.started')
    session.record(rename('after'))
    await session.flush()
    expect((await options.store.load(session.id)).state).toMatchObject({ seq: 2, name: 'after' })
  })
})

describe('after a failed write', () => {
  test('the session is broken: every flush fails with that error, and nothing is reported', async () => {
    const disk = new FaultyDisk()
    const { session, durable } = newSession(createFileStore({ directory: temporaryDirectory(), fs: disk.fs }))
    await session.flush()
    disk.fail('ENOSPC', 'write')
    session.record(rename('lost'))
    const both = [session.flush(), session.flush()]
    for (const flush of both) await expect(flush).rejects.toMatchObject({ code: 'storage_full' })
    disk.heal()
    expect(session.broken).toMatchObject({ code: 'storage_full' })
    await expect(session.flush()).rejects.toBe(session.broken)
    await expect(session.save()).rejects.toBe(session.broken)
    expect(durable).toHaveLength(1)
  })
})

describe('the snapshot', () => {
  function onDisk(): ReturnType<typeof newSession> & {
    directory: string
    snapshotSeq: () => number | undefined
  } {
    const directory = temporaryDirectory()
    const opened = newSession(createFileStore({ directory }))
    const path = join(directory, `${opened.session.id}.json`)
    const snapshotSeq = (): number | undefined =>
      existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { seq: number }).seq : undefined
    return { ...opened, directory, snapshotSeq }
  }

  test('is written by save, and holds nothing that is not durable', async () => {
    const { session, snapshotSeq, options } = onDisk()
    session.record(rename('one'))
    await session.save()
    expect(snapshotSeq()).toBe(2)
    expect((await options.store.load(session.id)).state).toEqual(session.state)
  })

  test('that a crash left behind the journal, or that is gone, is written by the next save or rest', async () => {
    const { session, snapshotSeq, options, directory } = onDisk()
    await session.save()
    session.record(rename('behind'))
    await session.flush()
    const { session: again } = await Session.open(options, session.id)
    expect(snapshotSeq()).toBe(1)
    await again.save()
    expect(snapshotSeq()).toBe(2)
    rmSync(join(directory, `${session.id}.json`))
    const { session: rebuilt } = await Session.open(options, session.id)
    await rebuilt.saveAtRest()
    expect(snapshotSeq()).toBe(2)
  })

  test('is rewritten while running only when the tail has outgrown it, so that each byte is rewritten a few times', async () => {
    const { session, options } = onDisk()
    let written = 0
    let snapshots = 0
    const { store } = options
    options.store = {
      ...store,
      load: store.load.bind(store),
      append: store.append.bind(store),
      async snapshot(claim, state) {
        snapshots += 1
        written += state.journalOffset
        return store.snapshot(claim, state)
      },
    }
    for (let turn = 0; turn < 200; turn++) {
      const turnId = openTurn(session, 'x'.repeat(20_000))
      session.record({ type: 'turn.finished', turnId, status: 'completed', result: 'done' })
      await session.flush()
      await session.saveIfOutgrown()
    }
    const { journalOffset } = session.state
    expect(journalOffset).toBeGreaterThan(4_000_000)
    expect(snapshots).toBeGreaterThan(2)
    expect(written).toBeLessThan(2 * journalOffset)
  })

  test('that is too large is not tried again with every turn', async () => {
    const { session, options } = onDisk()
    let tries = 0
    const { store } = options
    options.store = {
      ...store,
      append: store.append.bind(store),
      async snapshot() {
        tries += 1
        throw new AgentryError('snapshot_too_large', 'too large')
      },
    }
    for (let turn = 0; turn < 100; turn++) {
      const turnId = openTurn(session, 'x'.repeat(20_000))
      session.record({ type: 'turn.finished', turnId, status: 'completed', result: 'done' })
      await session.flush()
      await session.saveIfOutgrown().catch(() => undefined)
    }
    expect(session.state.journalOffset).toBeGreaterThan(2_000_000)
    expect(tries).toBe(3) // After a quarter of a MiB, a half and one.
  })
})
