/** What a file store does beyond the contract of all stores: files, other writers, fsync modes. */
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createId } from '../../src/core/ids.ts'
import type { ErrorCode } from '../../src/errors.ts'
import { encodeRecord } from '../../src/store/journal.ts'
import { INTERVAL_MS } from '../../src/store/journal-writer.ts'
import type { SessionNote } from '../../src/store/session-store.ts'
import { DataDirectory } from '../fakes/data-directory.ts'
import { FailingFs } from '../fakes/failing-fs.ts'
import { claimOf, creation, renaming, turn } from '../fakes/records.ts'
import { SimulatedClock } from '../fakes/simulated-clock.ts'

const claim = claimOf(5)
const later = claimOf(6)

describe('the files of a session', () => {
  test('are a journal of one line a record and a readable snapshot, 0600 in folders of 0700', async () => {
    const data = new DataDirectory()
    const store = data.store()
    const id = createId()
    const records = [...creation(claim, id), ...turn(claim, 1)]
    await store.append(claim, id, 0, records)
    await store.snapshot(claim, (await store.load(id, claim)).state)
    await store.trash(claim, id)
    await store.restore(claim, id)
    const { journal, snapshot } = data.files(id)
    expect(readFileSync(journal, 'utf8')).toMatch(records.map(encodeRecord).join(''))
    expect(JSON.parse(readFileSync(snapshot, 'utf8'))).toMatchObject({ id, name: 'work', seq: 6 })
    for (const path of [journal, snapshot]) expect(statSync(path).mode & 0o777).toBe(0o600)
    for (const path of [data.path, data.folders.own, data.folders.trash]) {
      expect(statSync(path).mode & 0o777).toBe(0o700)
    }
    expect(readdirSync(data.path).sort()).toEqual(['.agentry', `${id}.journal.jsonl`, `${id}.json`].sort())
    expect(readdirSync(data.folders.trash)).toEqual([])
  })

  test('give a load what the snapshot covers, nothing where there is none that is valid', async () => {
    const data = new DataDirectory()
    const id = createId()
    const records = [...creation(claim, id), ...turn(claim, 1)]
    await data.create(claim, id, records, 1)
    const store = data.store()
    const covered = Buffer.byteLength(records.slice(0, 1).map(encodeRecord).join(''))
    expect((await store.load(id)).snapshot).toEqual({ seq: 1, journalOffset: covered })
    rmSync(data.files(id).snapshot)
    expect((await store.load(id, later)).snapshot).toEqual({ seq: 0, journalOffset: 0 })
  })

  test('of other names are not listed and not touched', async () => {
    const data = new DataDirectory()
    const id = createId()
    await data.create(claim, id, creation(claim, id))
    const names = [
      'notes.txt',
      'x.json',
      `${id}.json.bak`,
      `${id.toUpperCase()}.json`,
      `${id}.json.tmp-0a1b2c3d4e5f`,
    ]
    for (const name of names) writeFileSync(join(data.path, name), name)
    mkdirSync(join(data.path, 'folder'))
    expect((await Array.fromAsync(data.store().list())).map(({ sessionId }) => sessionId)).toEqual([id])
    for (const name of names) expect(readFileSync(join(data.path, name), 'utf8')).toBe(name)
  })

  test('give their size to the list', async () => {
    const data = new DataDirectory()
    const id = createId()
    await data.create(claim, id, [...creation(claim, id), ...turn(claim, 1)], 1)
    const { journal, snapshot } = data.files(id)
    const [listed] = await Array.fromAsync(data.store().list())
    expect(listed?.diskBytes).toBe(statSync(journal).size + statSync(snapshot).size)
  })

  test('leave the event loop its turns while many are listed', async () => {
    const data = new DataDirectory()
    for (let count = 0; count < 300; count++) {
      const id = createId()
      await data.create(claim, id, creation(claim, id))
    }
    let turns = 0
    let counting = setImmediate(function count() {
      turns += 1
      counting = setImmediate(count)
    })
    const listed = await Array.fromAsync(data.store().list())
    clearImmediate(counting)
    expect(listed).toHaveLength(300)
    expect(turns).toBeGreaterThan(2)
  })
})

describe('a session file that is no file of ours', () => {
  const spoilers: [string, ErrorCode, (path: string) => void][] = [
    [
      'a symlink',
      'session_unreadable',
      (path) => {
        writeFileSync(`${path}.target`, readFileSync(path))
        rmSync(path)
        symlinkSync(`${path}.target`, path)
      },
    ],
    [
      'a FIFO',
      'session_unreadable',
      (path) => {
        rmSync(path)
        execFileSync('mkfifo', [path])
      },
    ],
    [
      'a folder',
      'session_unreadable',
      (path) => {
        rmSync(path)
        mkdirSync(path)
      },
    ],
  ]
  for (const file of ['snapshot', 'journal'] as const) {
    for (const [what, code, spoil] of spoilers) {
      test(`is refused by name where the ${file} is ${what}, and the others list and load`, async () => {
        const data = new DataDirectory()
        const [id, other] = [createId(), createId()]
        await data.create(claim, id, creation(claim, id))
        await data.create(claim, other, creation(claim, other))
        const path = data.files(id)[file]
        spoil(path)
        const before = contentOf(data)
        await expectRefused(data, id, code, 'foreign-file', path)
        await expectOthers(data, other)
        expect(contentOf(data)).toEqual(before)
      })
    }
  }

  test('is refused by name where it cannot be opened', async () => {
    const data = new DataDirectory()
    const id = createId()
    await data.create(claim, id, creation(claim, id))
    for (const errno of ['EACCES', 'EPERM']) {
      const failing = new FailingFs()
      failing.fail('open', errno)
      await expectCode(data.store({ fs: failing.fs }).load(id), 'session_unreadable')
    }
  })

  test('is refused by name and left alone where its format is newer', async () => {
    const data = new DataDirectory()
    const [id, other] = [createId(), createId()]
    await data.create(claim, id, creation(claim, id))
    await data.create(claim, other, creation(claim, other))
    const { snapshot } = data.files(id)
    writeFileSync(
      snapshot,
      readFileSync(snapshot, 'utf8').replace('"formatVersion": 1', '"formatVersion": 2'),
    )
    const before = contentOf(data)
    await expectRefused(data, id, 'unsupported_format', 'newer-format', snapshot)
    await expectOthers(data, other)
    expect(contentOf(data)).toEqual(before)
  })

  async function expectRefused(
    data: DataDirectory,
    id: string,
    code: ErrorCode,
    kind: SessionNote['kind'],
    path: string,
  ): Promise<void> {
    const store = data.store()
    const error = await expectCode(store.load(id), code)
    expect(error.message).toContain(path)
    await expectCode(store.load(id, later), code)
    await expectCode(store.append(later, id, 1, renaming(later, 1, 'x')), code)
    const listed = await Array.fromAsync(store.list())
    expect(listed.find(({ sessionId }) => sessionId === id)).toMatchObject({
      problem: { kind, sessionId: id },
    })
  }

  async function expectOthers(data: DataDirectory, other: string): Promise<void> {
    const listed = await Array.fromAsync(data.store().list())
    expect(listed.find(({ sessionId }) => sessionId === other)?.header?.name).toBe('work')
    expect((await data.store().load(other)).state.name).toBe('work')
  }

  /** Kind and content of what is in the directory; a FIFO is not read. */
  function contentOf(data: DataDirectory): [string, string][] {
    return readdirSync(data.path, { withFileTypes: true })
      .filter((entry) => entry.name !== '.agentry')
      .map((entry) => [
        entry.name,
        entry.isFile() ? readFileSync(join(data.path, entry.name), 'utf8') : 'no file',
      ])
  }
})

describe('records of an owner that had lost its claim', () => {
  const stale = claimOf(4)

  test('are set aside once, reported, and left out of the session, which goes on', async () => {
    const data = new DataDirectory()
    const id = createId()
    await data.create(claim, id, [...creation(claim, id), ...turn(claim, 1)])
    const { journal } = data.files(id)
    const [first, second] = turn(stale, 6)
    if (first === undefined || second === undefined) throw new Error('no records')
    appendFileSync(journal, encodeRecord(first) + encodeRecord(second))
    const reader = await data.store().load(id)
    expect(reader.state.seq).toBe(6)
    expect(reader.notes.map(({ kind }) => kind)).toEqual(['stale-record', 'stale-record'])
    expect(data.quarantine().size).toBe(0)

    const store = data.store()
    expect((await store.load(id, later)).notes).toHaveLength(2)
    await store.append(later, id, 6, renaming(later, 6, 'goes on'))
    expect((await data.store().load(id, later)).state).toMatchObject({ seq: 7, name: 'goes on' })
    expect([...data.quarantine().values()].map(String).sort()).toEqual(
      [encodeRecord(first), encodeRecord(second)].sort(),
    )
    const replayed = await Array.fromAsync(store.replay(id, 5))
    expect(replayed.map(({ seq, epoch }) => [seq, epoch])).toEqual([
      [6, 5],
      [7, 6],
    ])

    await store.snapshot(later, (await store.load(id, later)).state)
    expect(await data.store().load(id)).toMatchObject({ state: { seq: 7, name: 'goes on' }, notes: [] })
    expect(readFileSync(journal, 'utf8')).toContain(encodeRecord(first))
  })

  test('that arrive while the owner is at work do not end up in its session', async () => {
    const data = new DataDirectory()
    const id = createId()
    const store = data.store()
    await store.append(claim, id, 0, creation(claim, id))
    appendFileSync(data.files(id).journal, renaming(stale, 1, 'stale').map(encodeRecord).join(''))
    await store.append(claim, id, 1, renaming(claim, 1, 'mine'))
    const { state } = await data.store().load(id)
    expect(state).toMatchObject({ seq: 2, name: 'mine' })
    await store.snapshot(claim, (await store.load(id, claim)).state)
    expect((await data.store().load(id)).notes).toEqual([])
  })
})

describe('a journal that changes under its owner', () => {
  test('is read again: what a newer owner has appended is seq_conflict or fenced, never overwritten', async () => {
    const data = new DataDirectory()
    const id = createId()
    const store = data.store()
    await store.append(claim, id, 0, creation(claim, id))
    appendFileSync(data.files(id).journal, renaming(claim, 1, 'other').map(encodeRecord).join(''))
    await expectCode(store.append(claim, id, 1, renaming(claim, 1, 'mine')), 'seq_conflict')
    appendFileSync(data.files(id).journal, renaming(later, 2, 'newer').map(encodeRecord).join(''))
    await expectCode(store.append(claim, id, 2, renaming(claim, 2, 'mine')), 'fenced')
    expect((await data.store().load(id)).state).toMatchObject({ seq: 3, name: 'newer' })
  })

  test('is not written to any more when it was deleted: nothing is acknowledged into nowhere', async () => {
    const data = new DataDirectory()
    const id = createId()
    const store = data.store()
    await store.append(claim, id, 0, creation(claim, id))
    await store.snapshot(claim, (await store.load(id, claim)).state)
    rmSync(data.files(id).journal)
    await expectCode(store.append(claim, id, 1, renaming(claim, 1, 'lost')), 'journal_missing')
    rmSync(data.files(id).snapshot)
    await expectCode(store.append(claim, id, 1, renaming(claim, 1, 'lost')), 'session_not_found')
  })
})

describe('fsync', () => {
  const setUp = async (fsync: 'always' | 'interval') => {
    const data = new DataDirectory()
    const id = createId()
    const failing = new FailingFs()
    const clock = new SimulatedClock()
    const store = data.store({ fs: failing.fs, clock, fsync })
    await store.append(claim, id, 0, creation(claim, id))
    failing.mend()
    const append = (seq: number) => store.append(claim, id, seq, renaming(claim, seq, `name ${seq}`))
    return { data, id, failing, clock, store, append }
  }

  test('always: an append is one write and one fdatasync', async () => {
    const { failing, store, append, id } = await setUp('always')
    await append(1)
    expect(failing.names).toEqual(['fstat', 'write', 'fdatasync'])
    failing.mend()
    await store.append(claim, id, 2, turn(claim, 2))
    expect(failing.names).toEqual(['fstat', 'write', 'fdatasync'])
  })

  test('a new file is synced before it gets its name, and its folder afterwards', async () => {
    const { failing, store, append, id } = await setUp('always')
    const other = createId()
    await store.append(claim, other, 0, creation(claim, other))
    const created = failing.names.slice(failing.names.indexOf('write'))
    expect(created).toEqual(['write', 'fsync', 'open', 'fsync'])
    await append(1)
    const { state } = await store.load(id)
    failing.mend()
    await store.snapshot(claim, state)
    expect(failing.names).toEqual(['fstat', 'open', 'fstat', 'write', 'fsync', 'rename', 'open', 'fsync'])
  })

  test('a move syncs its mark, its record and both folders before the mark goes', async () => {
    const { failing, store, id } = await setUp('always')
    await store.snapshot(claim, (await store.load(id, claim)).state)
    failing.mend()
    await store.trash(claim, id)
    const steps = failing.names.filter((name) => !['lstat', 'fstat', 'open', 'mkdir'].includes(name))
    const record = steps.indexOf('write')
    expect(steps.slice(record)).toEqual([
      'write',
      'fdatasync',
      'rename',
      'rename',
      'fsync',
      'fsync',
      'unlink',
    ])
    // The folders that had to be made, the mark, the folder of the mark.
    expect(steps.slice(0, record)).toEqual(['fsync', 'fsync', 'fsync', 'fsync'])
  })

  test('interval: appends are synced together, at most every 100 ms', async () => {
    const { failing, clock, append } = await setUp('interval')
    await append(1)
    await append(2)
    expect(failing.names).not.toContain('fdatasync')
    clock.advance(INTERVAL_MS - 1)
    expect(failing.names).not.toContain('fdatasync')
    clock.advance(1)
    expect(failing.names.filter((name) => name === 'fdatasync')).toHaveLength(1)
    expect(clock.timers).toBe(0)
    await append(3)
    clock.advance(INTERVAL_MS)
    expect(failing.names.filter((name) => name === 'fdatasync')).toHaveLength(2)
  })

  test('interval: a snapshot, a release and a move sync first', async () => {
    const { failing, clock, store, append, id } = await setUp('interval')
    await append(1)
    const { state } = await store.load(id)
    failing.mend()
    await store.snapshot(claim, state)
    expect(failing.names.indexOf('fdatasync')).toBeGreaterThan(-1)
    expect(failing.names.indexOf('fdatasync')).toBeLessThan(failing.names.indexOf('rename'))
    await append(2)
    failing.mend()
    await store.release(id)
    expect(failing.names).toEqual(['fdatasync'])
    failing.mend()
    await store.trash(claim, id)
    expect(failing.names.lastIndexOf('fdatasync')).toBeGreaterThan(failing.names.lastIndexOf('write'))
    expect(failing.names.lastIndexOf('fdatasync')).toBeLessThan(failing.names.indexOf('rename'))
    expect(clock.timers).toBe(0)
  })

  test('interval: a sync that failed is reported by the next append, once', async () => {
    const { failing, clock, store, append, id, data } = await setUp('interval')
    await append(1)
    failing.fail('fdatasync', 'EIO')
    clock.advance(INTERVAL_MS)
    await expectCode(append(2), 'storage_failed')
    await append(2)
    await store.release(id)
    expect((await data.store().load(id)).state).toMatchObject({ seq: 3, name: 'name 2' })
  })
})

test('a directory that is not there yet is made by the first session', async () => {
  const data = new DataDirectory()
  rmSync(data.path, { recursive: true })
  const store = data.store()
  expect(await Array.fromAsync(store.list())).toEqual([])
  const id = createId()
  await expectCode(store.load(id), 'session_not_found')
  await store.append(claim, id, 0, creation(claim, id))
  expect((await data.store().load(id)).state.id).toBe(id)
  expect(readdirSync(dirname(data.files(id).journal))).toHaveLength(1)
})

async function expectCode(call: Promise<unknown>, code: ErrorCode): Promise<Error> {
  const error: unknown = await call.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(error).toMatchObject({ name: 'AgentryError', code })
  return error as Error
}
