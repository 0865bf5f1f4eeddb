/**
 * A crash at every file-system call of every operation of the file store. The call and all behind it are not made; then a new store starts
 * on what is there, as the next process does.
 */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createId } from '../../src/core/ids.ts'
import type { SessionState } from '../../src/core/session-state.ts'
import { isAgentryError } from '../../src/errors.ts'
import { examine } from '../../src/store/doctor.ts'
import { finishMoves } from '../../src/store/moves.ts'
import type { SessionNote, SessionStore } from '../../src/store/session-store.ts'
import { replay } from '../core/journals.ts'
import { DataDirectory, unsyncedFs } from '../fakes/data-directory.ts'
import { FailingFs } from '../fakes/failing-fs.ts'
import { claimOf, creation, renaming, turn } from '../fakes/records.ts'

const claim = claimOf(3)
const later = claimOf(4)
const id = createId()
const records = [...creation(claim, id), ...turn(claim, 1)]
const more = turn(claim, 6)

/** Where the session is and how far it goes; `absent` where it is in neither place. */
type Seen = { place: 'sessions' | 'trash'; seq: number } | 'absent'

interface Operation {
  name: string
  /** Brings the session to where the operation starts; the store keeps what it has open. */
  prepare: (store: SessionStore) => Promise<void>
  run: (store: SessionStore) => Promise<unknown>
  before: Seen
  after: Seen
  /** What a write that is torn in the middle may leave as well: a beginning of the records, never a part of one. */
  between?: Seen[]
}

const load = async (store: SessionStore): Promise<SessionState> => (await store.load(id, claim)).state
const create = async (store: SessionStore): Promise<void> => {
  await store.append(claim, id, 0, records)
  await store.snapshot(claim, await load(store))
}
const inSessions = (seq: number): Seen => ({ place: 'sessions', seq })

const operations: Operation[] = [
  {
    name: 'create',
    prepare: async () => {},
    run: (store) => store.append(claim, id, 0, records),
    before: 'absent',
    after: inSessions(6),
    between: [1, 2, 3, 4, 5].map(inSessions),
  },
  {
    name: 'create over what a creation that was cut off has left',
    prepare: async () => {},
    run: (store) => store.append(claim, id, 0, records),
    before: 'absent',
    after: inSessions(6),
    between: [1, 2, 3, 4, 5].map(inSessions),
  },
  {
    name: 'append of one record',
    prepare: create,
    run: (store) => store.append(claim, id, 6, more.slice(0, 1)),
    before: inSessions(6),
    after: inSessions(7),
  },
  {
    name: 'append of a turn',
    prepare: create,
    run: (store) => store.append(claim, id, 6, more),
    before: inSessions(6),
    after: inSessions(11),
    between: [7, 8, 9, 10].map(inSessions),
  },
  {
    name: 'append to a session that is not open yet',
    prepare: async (store) => {
      await create(store)
      await store.release(id)
    },
    run: (store) => store.append(claim, id, 6, more.slice(0, 1)),
    before: inSessions(6),
    after: inSessions(7),
  },
  {
    name: 'first snapshot',
    prepare: async (store) => void (await store.append(claim, id, 0, records)),
    run: (store) => store.snapshot(claim, { ...replay(records), journalOffset: 1 }),
    before: inSessions(6),
    after: inSessions(6),
  },
  {
    name: 'snapshot',
    prepare: async (store) => {
      await create(store)
      await store.append(claim, id, 6, more)
    },
    run: (store) => store.snapshot(claim, replay([...records, ...more])),
    before: inSessions(11),
    after: inSessions(11),
  },
  {
    name: 'trash',
    prepare: create,
    run: (store) => store.trash(claim, id),
    before: inSessions(6),
    after: { place: 'trash', seq: 7 },
  },
  {
    name: 'restore',
    prepare: async (store) => {
      await create(store)
      await store.trash(claim, id)
    },
    run: (store) => store.restore(claim, id),
    before: { place: 'trash', seq: 7 },
    after: inSessions(8),
  },
  {
    name: 'purge',
    prepare: async (store) => {
      await create(store)
      await store.trash(claim, id)
    },
    run: (store) => store.purge(claim, id),
    before: { place: 'trash', seq: 7 },
    after: 'absent',
  },
]

for (const tearing of [false, true]) {
  test.each(operations)(
    `a crash at any call of $name${tearing ? ', writes torn,' : ''} leaves the old or the new`,
    async (operation) => {
      const seen = new Map<string, number>()
      let crashes = 0
      for (let n = 1; ; n++) {
        const data = new DataDirectory()
        const failing = new FailingFs()
        const store = data.store({ fs: failing.fs })
        if (operation.name.includes('cut off')) {
          writeFileSync(data.files(id).journal, '{"seq":1,"epoch":2')
        }
        await operation.prepare(store)
        failing.crashAt(n, { tearing })
        const isDone = await operation.run(store).then(
          () => true,
          (error: unknown) => {
            expect(isAgentryError(error, 'storage_failed'), String(error)).toBe(true)
            return false
          },
        )
        if (isDone) break
        crashes += 1
        const label = `call ${n} (${failing.names[n - 1]})`
        finishMoves(unsyncedFs, data.path)
        const found = await lookFor(data)
        seen.set(JSON.stringify(found), n)
        const allowed = [operation.before, operation.after, ...((tearing && operation.between) || [])]
        expect(allowed, label).toContainEqual(found)
        await expectSound(data, operation, found, label)
      }
      expect(crashes).toBeGreaterThan(2)
      // The old and the new have both been met, so the test has looked at both sides of the point of no return.
      expect([...seen.keys()]).toContain(JSON.stringify(operation.before))
      expect([...seen.keys()]).toContain(JSON.stringify(operation.after))
    },
  )
}

test('the temp files of a hundred crashes are removed by a start, none is ever taken for a session', async () => {
  const data = new DataDirectory()
  const state = await data.create(claim, id, records)
  for (let count = 0; count < 100; count++) {
    const failing = new FailingFs()
    const store = data.store({ fs: failing.fs })
    await store.load(id, claim)
    // The rename is the first call behind open, write and sync of the temp file that cannot be made.
    failing.fail('rename', 'EIO')
    failing.fail('unlink', 'EIO')
    await expect(store.snapshot(claim, state)).rejects.toThrow('EIO')
    await store.release(id)
  }
  expect(readdirSync(data.path)).toHaveLength(102)
  const others = ['notes.tmp-0123456789ab', `${id}.json.tmp-short`]
  for (const name of others) writeFileSync(join(data.path, name), '')
  expect((await Array.fromAsync(data.store().list())).map(({ sessionId }) => sessionId)).toEqual([id])
  const notes = finishMoves(unsyncedFs, data.path)
  expect(notes).toHaveLength(100)
  expect(new Set(notes.map(({ kind }) => kind))).toEqual(new Set<SessionNote['kind']>(['temp-removed']))
  expect(readdirSync(data.path).sort()).toEqual([`${id}.json`, `${id}.journal.jsonl`, ...others].sort())
  expect((await data.store().load(id)).state).toEqual(state)
})

test('a start says which move it has finished, once', async () => {
  const data = new DataDirectory()
  await data.create(claim, id, records)
  const failing = new FailingFs()
  failing.fail('rename', 'EIO')
  await expect(data.store({ fs: failing.fs }).trash(claim, id)).rejects.toThrow('EIO')
  expect(await Array.fromAsync(data.store().list())).toEqual([])
  expect(finishMoves(unsyncedFs, data.path)).toMatchObject([{ kind: 'move-finished', sessionId: id }])
  expect(finishMoves(unsyncedFs, data.path)).toEqual([])
  expect(await lookFor(data)).toEqual({ place: 'trash', seq: 7 })
})

test('a move that was cut off is finished by the next move as well', async () => {
  const data = new DataDirectory()
  await data.create(claim, id, records)
  const failing = new FailingFs()
  const store = data.store({ fs: failing.fs })
  failing.fail('rename', 'EIO')
  await expect(store.trash(claim, id)).rejects.toThrow('EIO')
  await store.restore(claim, id)
  expect(await lookFor(data)).toEqual({ place: 'sessions', seq: 8 })
})

async function lookFor(data: DataDirectory): Promise<Seen> {
  const store = data.store()
  const listed = await Array.fromAsync(store.list())
  const trashed = await Array.fromAsync(store.listTrash())
  expect([...listed, ...trashed].filter(({ problem }) => problem !== undefined)).toEqual([])
  expect(listed.length + trashed.length).toBeLessThan(2)
  const [inSessions] = listed
  const [inTrash] = trashed
  if (inSessions?.header) return { place: 'sessions', seq: inSessions.header.seq }
  return inTrash?.header ? { place: 'trash', seq: inTrash.header.seq } : 'absent'
}

/** The session is what its records say, goes on where it is, and the doctor finds nothing but what a crash may leave. */
async function expectSound(
  data: DataDirectory,
  { name }: Operation,
  found: Seen,
  label: string,
): Promise<void> {
  const store = data.store()
  if (found === 'absent') {
    await store.append(later, id, 0, creation(later, id))
  } else {
    if (found.place === 'trash') await store.restore(later, id)
    const { state } = await store.load(id, later)
    const isMove = name === 'trash' || name === 'restore' || name === 'purge'
    const written = isMove ? records : [...records, ...more].slice(0, found.seq)
    expect(state.memory, label).toEqual(replay(written).memory)
    await store.append(later, id, state.seq, renaming(later, state.seq, 'goes on'))
    expect((await data.store().load(id)).state.name, label).toBe('goes on')
  }
  await store.release(id)
  const findings = await Array.fromAsync(examine(data.path, { fs: unsyncedFs }))
  expect(
    findings.filter(({ kind }) => kind !== 'snapshot'),
    label,
  ).toEqual([])
}
