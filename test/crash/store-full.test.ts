/** Disks that are full or failing, descriptors that run out: nothing is acknowledged falsely, and writing goes on when the cause is gone. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createId } from '../../src/core/ids.ts'
import type { ErrorCode } from '../../src/errors.ts'
import { examine } from '../../src/store/doctor.ts'
import { encodeRecord } from '../../src/store/journal.ts'
import { hasErrno } from '../../src/store/storage-errors.ts'
import { DataDirectory, unsyncedFs } from '../fakes/data-directory.ts'
import { FailingFs } from '../fakes/failing-fs.ts'
import { claimOf, creation, renaming, turn } from '../fakes/records.ts'

const claim = claimOf(3)
const later = claimOf(4)

/** A store with one open session of one record. */
async function setUp() {
  const data = new DataDirectory()
  const id = createId()
  const failing = new FailingFs()
  const store = data.store({ fs: failing.fs })
  await store.append(claim, id, 0, creation(claim, id))
  await store.snapshot(claim, (await store.load(id, claim)).state)
  failing.mend()
  const { journal, snapshot } = data.files(id)
  return { data, id, failing, store, journal, snapshot, size: readFileSync(journal).length }
}

describe('a full disk', () => {
  test('refuses an append with storage_full wherever the room ends, takes nothing, and takes it when there is room', async () => {
    const { data, id, failing, store, journal, size } = await setUp()
    const records = turn(claim, 1)
    const { length } = Buffer.from(records.map(encodeRecord).join(''))
    for (const errno of ['ENOSPC', 'EDQUOT', 'EFBIG']) {
      for (const room of [0, 1, 100, length >> 1, length - 1]) {
        failing.limitRoom(room, errno)
        const error = await expectCode(store.append(claim, id, 1, records), 'storage_full')
        expect(hasErrno(error, errno)).toBe(true)
        expect(readFileSync(journal).length, `${room} bytes of room`).toBe(size)
        expect((await store.load(id)).state.seq).toBe(1)
        expect((await store.load(id, claim)).state.seq).toBe(1)
      }
    }
    failing.mend()
    await store.append(claim, id, 1, records)
    await expectSound(data, id, 6)
  })

  test('refuses a snapshot, and the old one stays without a trace of the new', async () => {
    const { data, id, failing, store, snapshot } = await setUp()
    await store.append(claim, id, 1, turn(claim, 1))
    const { state } = await store.load(id)
    const before = readFileSync(snapshot)
    failing.limitRoom(100)
    await expectCode(store.snapshot(claim, state), 'storage_full')
    expect(readFileSync(snapshot).equals(before)).toBe(true)
    expect(readdirSync(data.path).sort()).toEqual([`${id}.json`, `${id}.journal.jsonl`].sort())
    failing.mend()
    await store.snapshot(claim, state)
    await expectSound(data, id, 6)
  })

  test('refuses a creation and leaves nothing of it; the same creation works when there is room', async () => {
    const { data, failing, store } = await setUp()
    const id = createId()
    failing.limitRoom(50)
    await expectCode(store.append(claim, id, 0, creation(claim, id)), 'storage_full')
    expect(readdirSync(data.path).filter((name) => name.startsWith(id))).toEqual([])
    failing.mend()
    await store.append(claim, id, 0, creation(claim, id))
    await expectSound(data, id, 1)
  })

  test('refuses a move to the trash, and the session goes on', async () => {
    const { data, id, failing, store } = await setUp()
    failing.limitRoom(20)
    await expectCode(store.trash(claim, id), 'storage_full')
    failing.mend()
    await store.append(claim, id, 1, renaming(claim, 1, 'goes on'))
    await expectSound(data, id, 2)
    await store.trash(claim, id)
  })

  test('gives a session with a torn tail to readers, and to its owner as soon as the tail can be set aside', async () => {
    const { data, id, failing, store, journal } = await setUp()
    writeFileSync(journal, `${readFileSync(journal, 'utf8')}{"seq":2,`)
    failing.limitRoom(0)
    expect((await store.load(id, later)).state.seq).toBe(1)
    await expectCode(store.append(later, id, 1, renaming(later, 1, 'x')), 'storage_full')
    failing.mend()
    await store.append(later, id, 1, renaming(later, 1, 'goes on'))
    await expectSound(data, id, 2)
    expect([...data.quarantine().values()].map(String)).toEqual(['{"seq":2,'])
  })

  test('is no trouble while it is only short: writes that take a few bytes at a time are whole in the end', async () => {
    const { data, id, failing, store } = await setUp()
    failing.limitWrites(7)
    await store.append(claim, id, 1, turn(claim, 1))
    await store.snapshot(claim, (await store.load(id)).state)
    await expectSound(data, id, 6)
  })
})

describe('a failing disk', () => {
  test('whose sync fails: the append is refused and cut off, the descriptor never used again, the next append works', async () => {
    const { data, id, failing, store, journal, size } = await setUp()
    failing.fail('fdatasync', 'EIO')
    await expectCode(store.append(claim, id, 1, renaming(claim, 1, 'lost')), 'storage_failed')
    expect(readFileSync(journal).length).toBe(size)
    const names = failing.names.length
    await store.append(claim, id, 1, renaming(claim, 1, 'kept'))
    const calls = failing.names.slice(names)
    expect(calls.indexOf('open')).toBeGreaterThan(-1)
    expect(calls.indexOf('open')).toBeLessThan(calls.indexOf('fdatasync'))
    await expectSound(data, id, 2)
    expect((await data.store().load(id)).state.name).toBe('kept')
  })

  test('that cannot even cut the append off: it is cut before the next one, which takes its seq', async () => {
    const { data, id, failing, store, journal, size } = await setUp()
    failing.fail('fdatasync', 'EIO')
    failing.fail('ftruncate', 'EIO', 2)
    await expectCode(store.append(claim, id, 1, turn(claim, 1)), 'storage_failed')
    expect(readFileSync(journal).length).toBeGreaterThan(size)
    await expectCode(store.append(claim, id, 1, renaming(claim, 1, 'not yet')), 'storage_failed')
    await store.append(claim, id, 1, renaming(claim, 1, 'kept'))
    await expectSound(data, id, 2)
    expect((await data.store().load(id)).state).toMatchObject({ name: 'kept', memory: [] })
  })

  test('that cannot cut the append off: a load by the owner does not bring it back either', async () => {
    const { id, failing, store } = await setUp()
    failing.fail('fdatasync', 'EIO')
    failing.fail('ftruncate', 'EIO')
    await expectCode(store.append(claim, id, 1, turn(claim, 1)), 'storage_failed')
    expect((await store.load(id, claim)).state.seq).toBe(1)
  })

  test('does not make one owner cut what a later one has written', async () => {
    const { data, id, failing, store } = await setUp()
    failing.fail('fdatasync', 'EIO')
    failing.fail('ftruncate', 'EIO')
    await expectCode(store.append(claim, id, 1, renaming(claim, 1, 'in doubt')), 'storage_failed')
    const other = data.store()
    const { state } = await other.load(id, later)
    await other.append(later, id, state.seq, renaming(later, state.seq, 'later'))
    await other.release(id)
    const next = claimOf(5)
    expect((await store.load(id, next)).state).toMatchObject({ name: 'later', seq: state.seq + 1 })
    await expectSound(data, id, state.seq + 1)
  })

  test('that cannot be read is storage_failed for that read, and the session loads afterwards', async () => {
    const { id, failing, store } = await setUp()
    failing.fail('read', 'EIO')
    await expectCode(store.load(id), 'storage_failed')
    failing.fail('read', 'EIO')
    const [listed] = await Array.fromAsync(store.list())
    expect(listed).toMatchObject({ sessionId: id, problem: { sessionId: id } })
    expect((await store.load(id)).state.seq).toBe(1)
    expect((await Array.fromAsync(store.list()))[0]?.header?.seq).toBe(1)
  })

  test.each(['write', 'fsync', 'rename'] as const)(
    'whose %s fails under a snapshot leaves the old one',
    async (call) => {
      const { data, id, failing, store, snapshot } = await setUp()
      await store.append(claim, id, 1, renaming(claim, 1, 'newer'))
      const before = readFileSync(snapshot)
      failing.fail(call, 'EIO')
      await expectCode(store.snapshot(claim, (await store.load(id)).state), 'storage_failed')
      expect(readFileSync(snapshot).equals(before)).toBe(true)
      await expectSound(data, id, 2)
    },
  )
})

describe('too many open files', () => {
  test('refuse what has to open one, with EMFILE in the error; an open session goes on; all works when there are some', async () => {
    const { data, id, failing, store } = await setUp()
    const other = createId()
    failing.fail('open', 'EMFILE', 1_000)
    for (const call of [
      () => store.load(id),
      () => store.append(claim, other, 0, creation(claim, other)),
      () => store.trash(claim, id),
    ]) {
      const error = await expectCode(call(), 'storage_failed')
      expect(hasErrno(error, 'EMFILE')).toBe(true)
    }
    failing.mend()
    await store.load(id, claim)
    failing.fail('open', 'EMFILE', 1_000)
    await store.append(claim, id, 1, renaming(claim, 1, 'goes on'))
    failing.mend()
    await store.append(claim, other, 0, creation(claim, other))
    await expectSound(data, id, 2)
  })

  test('do not leak from the store: a thousand loads and failures leave as many open as before', async () => {
    const { id, failing, store } = await setUp()
    const count = () => readdirSync('/proc/self/fd').length
    await store.load(id, claim)
    const before = count()
    for (let round = 0; round < 250; round++) {
      await store.load(id)
      await store.load(id, claim)
      await Array.fromAsync(store.replay(id))
      for await (const record of store.replay(id)) if (record.seq === 1) break
      failing.fail('fdatasync', 'EIO')
      await store.append(claim, id, 1, renaming(claim, 1, 'x')).catch(() => {})
    }
    expect(count()).toBeLessThanOrEqual(before)
  })
})

const filler = fileURLToPath(new URL('../fakes/fill-store.ts', import.meta.url))

interface Filled {
  id: string
  acknowledged: number
  codes: string[]
  snapshotCode: string
  seqWhenFull: number
  seqAfterwards: number
}

test('a file size limit of the process: what was acknowledged is there, the rest was refused with storage_full', async () => {
  const data = new DataDirectory()
  const script = 'ulimit -f 16; exec "$0" "$@"'
  const output = execFileSync('/bin/sh', ['-c', script, process.execPath, filler, data.path, '-'], {
    encoding: 'utf8',
  })
  const filled = JSON.parse(output) as Filled
  expect(filled.codes).toEqual(['storage_full', 'storage_full', 'storage_full'])
  expect(filled.acknowledged).toBeGreaterThan(5)
  expect(filled.seqWhenFull).toBe(filled.acknowledged)
  await expectSound(data, filled.id, filled.acknowledged)
})

test('a disk that is really full: reads go on, and writing goes on by itself once there is room', async (context) => {
  const data = new DataDirectory()
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', data.path])
  context.skip(mounted.status !== 0, 'a small tmpfs cannot be mounted here: that takes root')
  onTestFinished(() => void execFileSync('umount', [data.path]))
  const ballast = join(data.path, 'ballast')
  writeFileSync(ballast, Buffer.alloc(128 * 1024))
  const output = execFileSync(process.execPath, [filler, data.path, ballast], { encoding: 'utf8' })
  const filled = JSON.parse(output) as Filled
  expect(filled.codes).toEqual(['storage_full', 'storage_full', 'storage_full'])
  expect(filled.snapshotCode).toBe('storage_full')
  expect(filled.seqWhenFull).toBe(filled.acknowledged - 1)
  expect(filled.seqAfterwards).toBe(filled.acknowledged)
  await expectSound(data, filled.id, filled.acknowledged)
})

/** The session has `seq` records on disk for a store that has just been opened, and the doctor finds nothing. */
async function expectSound(data: DataDirectory, id: string, seq: number): Promise<void> {
  expect((await data.store().load(id)).state.seq).toBe(seq)
  const findings = await Array.fromAsync(examine(data.path, { fs: unsyncedFs }))
  expect(findings.filter(({ kind }) => kind !== 'foreign-file' && kind !== 'snapshot')).toEqual([])
}

async function expectCode(call: Promise<unknown>, code: ErrorCode): Promise<unknown> {
  const error: unknown = await call.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(error).toMatchObject({ name: 'AgentryError', code })
  return error
}
