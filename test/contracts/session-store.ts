/** What every SessionStore promises (session-store.ts, S1 to S5). */
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createId } from '../../src/core/ids.ts'
import type { SessionRecord } from '../../src/core/record.ts'
import type { SessionState } from '../../src/core/session-state.ts'
import type { ErrorCode } from '../../src/errors.ts'
import type { Claim, SessionStore } from '../../src/store/session-store.ts'
import { journal, replay, SESSION_ID } from '../core/journals.ts'
import { claimOf, creation, enveloped, renaming, turn } from '../fakes/records.ts'

export interface OpenedStore {
  store: SessionStore
  /** A store over the same sessions that remembers nothing: another thread's, or the next run's. */
  reopen(): SessionStore
  close(): void
}

export function sessionStoreContract(name: string, open: () => OpenedStore): void {
  describe(`${name}, as a session store`, () => {
    let opened: OpenedStore
    let store: SessionStore
    let claim: Claim
    let id: string

    beforeEach(() => {
      opened = open()
      store = opened.store
      claim = claimOf(7)
      id = createId()
    })

    afterEach(() => opened.close())

    const records: SessionRecord[] = []
    /** A session of one creation and two turns: 11 records. */
    const createSession = async (): Promise<SessionState> => {
      records.length = 0
      records.push(...creation(claim, id))
      records.push(...turn(claim, 1), ...turn(claim, 6))
      await store.append(claim, id, 0, records)
      return (await store.load(id, claim)).state
    }
    const stateOf = async (reader = opened.reopen()): Promise<SessionState> => (await reader.load(id)).state

    describe('append and load', () => {
      test('gives back the fold of what was appended, to a store that has just been opened too', async () => {
        const length = await store.append(claim, id, 0, creation(claim, id))
        const longer = await store.append(claim, id, 1, turn(claim, 1))
        expect(longer).toBeGreaterThan(length)
        const { state } = await opened.reopen().load(id)
        expect(state).toMatchObject({ id, agentId: 'coder', seq: 6, epoch: 7, journalOffset: longer })
        expect(state.memory.map(({ role, content }) => `${role}: ${content}`)).toEqual([
          'user: git status',
          'assistant: ',
          'tool: did git status',
        ])
        expect(state).toEqual((await store.load(id, claim)).state)
      })

      test('gives a state that nobody else holds', async () => {
        const before = structuredClone(await createSession())
        const mine = await stateOf()
        mine.memory.length = 0
        mine.vars['KEY'] = 'changed'
        expect(await stateOf(store)).toEqual(before)
      })

      test('keeps what was appended though the caller changes the records afterwards', async () => {
        const [first] = creation(claim, id, { vars: { KEY: 'kept' } })
        if (first?.type !== 'session.created') throw new Error('not a creation')
        await store.append(claim, id, 0, [first])
        first.vars['KEY'] = 'changed'
        expect((await stateOf(store)).vars).toEqual({ KEY: 'kept' })
      })

      test('takes nothing in an append of no records, and says how long the journal is', async () => {
        const { journalOffset } = await createSession()
        expect(await store.append(claim, id, 11, [])).toBe(journalOffset)
        expect((await stateOf()).seq).toBe(11)
      })

      test('refuses a session that exists with seq_conflict, one in the trash too', async () => {
        await createSession()
        await expectCode(store.append(claim, id, 0, creation(claim, id)), 'seq_conflict')
        await expectCode(opened.reopen().append(claim, id, 0, creation(claim, id)), 'seq_conflict')
        await store.trash(claim, id)
        await expectCode(store.append(claim, id, 0, creation(claim, id)), 'seq_conflict')
      })

      test('refuses an append behind another record than the last with seq_conflict, and takes nothing', async () => {
        const before = await createSession()
        await expectCode(store.append(claim, id, 10, renaming(claim, 10, 'early')), 'seq_conflict')
        await expectCode(store.append(claim, id, 12, renaming(claim, 12, 'late')), 'seq_conflict')
        expect(await stateOf()).toEqual(before)
        await store.append(claim, id, 11, renaming(claim, 11, 'in time'))
        expect((await stateOf()).name).toBe('in time')
      })

      test('refuses records that do not follow each other, a creation of another session among them', async () => {
        await createSession()
        const [next] = renaming(claim, 11, 'next')
        if (next === undefined) throw new Error('no record')
        for (const wrong of [{ seq: 13 }, { seq: 11 }, { epoch: 6 }, { epoch: 8 }]) {
          await expectCode(store.append(claim, id, 11, [{ ...next, ...wrong }]), 'internal')
        }
        const other = createId()
        await expectCode(store.append(claim, other, 0, creation(claim, id)), 'internal')
        await expectCode(store.append(claim, other, 0, renaming(claim, 0, 'no creation')), 'internal')
        await expectCode(
          store.append(claim, other, 0, creation(claim, other, { agentId: 'reviewer' })),
          'internal',
        )
        await expectCode(store.load(other), 'session_not_found')
        expect((await stateOf()).seq).toBe(11)
      })

      test('works again after a release, which can be repeated', async () => {
        await createSession()
        await store.release(id)
        await store.release(id)
        await store.append(claim, id, 11, renaming(claim, 11, 'again'))
        expect((await stateOf()).name).toBe('again')
      })

      test('orders by seq although the clock goes back', async () => {
        await createSession()
        const [first] = renaming(claim, 11, 'before')
        const [second] = renaming(claim, 12, 'after')
        if (first === undefined || second === undefined) throw new Error('no records')
        const early = { ...second, at: '2025-12-31T23:00:00.000Z' }
        await store.append(claim, id, 11, [first, early])
        expect((await stateOf()).name).toBe('after')
        expect((await recordsOf(opened.reopen(), id, 11)).map(({ at }) => at)).toEqual([first.at, early.at])
      })

      test('brings text and keys back as they were, however odd', async () => {
        await store.append(claim, id, 0, creation(claim, id))
        const odd = 'lone \ud800 and \udfff, NUL \0, separators \u2028\u2029, DEL \x7f, \r\n, 💡, \ufeff'
        const metadata: unknown = JSON.parse(
          '{"__proto__": {"polluted": true}, "constructor": 1, "": [null]}',
        )
        const changes = { name: odd, prompt: odd.repeat(3), vars: { [odd]: odd }, metadata }
        const change = { type: 'session.changed', changes } as Parameters<typeof enveloped>[2][number]
        await store.append(claim, id, 1, enveloped(claim, 1, [change]))
        await store.snapshot(claim, (await store.load(id, claim)).state)
        const state = await stateOf()
        expect(state.name).toBe(odd)
        expect(state.prompt).toBe(odd.repeat(3))
        expect(state.vars[odd]).toBe(odd)
        expect(Object.keys(state.metadata)).toEqual(['tags', '__proto__', 'constructor', ''])
        expect(Object.getOwnPropertyDescriptor(state.metadata, '__proto__')?.value).toEqual({
          polluted: true,
        })
        expect(Object.getPrototypeOf(state.metadata)).toBe(Object.prototype)
        const [, changed] = await recordsOf(opened.reopen(), id)
        expect(changed).toMatchObject({ changes: { name: odd } })
      })

      test('brings a value of 10 MB back as it was', async () => {
        await store.append(claim, id, 0, creation(claim, id))
        const unit = 'ä€💡"\\\n'
        const large = unit.repeat((10 * 2 ** 20) / Buffer.byteLength(unit))
        await store.append(claim, id, 1, renaming(claim, 1, large))
        expect((await stateOf()).name === large).toBe(true)
        await store.snapshot(claim, (await store.load(id, claim)).state)
        expect((await stateOf()).name === large).toBe(true)
        expect(await recordsOf(opened.reopen(), id, 1)).toHaveLength(1)
      })
    })

    describe('snapshot', () => {
      test('changes nothing about what a load gives', async () => {
        const before = await createSession()
        await store.snapshot(claim, before)
        const { state, notes } = await opened.reopen().load(id)
        expect(state).toEqual(before)
        expect(notes).toEqual([])
      })

      test('is refused for a state that is not the last with seq_conflict', async () => {
        const old = await createSession()
        await store.append(claim, id, 11, renaming(claim, 11, 'newer'))
        await expectCode(store.snapshot(claim, old), 'seq_conflict')
        expect((await stateOf()).name).toBe('newer')
      })
    })

    test('gives the same for a snapshot and what was appended behind it as for all records, for any legal journal', async () => {
      const run = async (all: SessionRecord[], cut: number, again: boolean): Promise<void> => {
        const fresh = open()
        try {
          const covered = all.slice(0, (cut % all.length) + 1)
          await appendEach(fresh.store, covered)
          const last = claimOf(covered.at(-1)?.epoch ?? 0)
          await fresh.store.snapshot(last, (await fresh.store.load(SESSION_ID, last)).state)
          await appendEach(fresh.store, all.slice(covered.length))
          const { state } = await (again ? fresh.reopen() : fresh.store).load(SESSION_ID)
          expect(state).toEqual({ ...replay(all), journalOffset: state.journalOffset })
          expect(await recordsOf(fresh.reopen(), SESSION_ID)).toEqual(all)
        } finally {
          fresh.close()
        }
      }
      // A trashed session has no load to compare: journals end before their first session.trashed.
      const untrashed = journal.map((all) => {
        const trashed = all.findIndex(({ type }) => type === 'session.trashed')
        return trashed === -1 ? all : all.slice(0, trashed)
      })
      await fc.assert(fc.asyncProperty(untrashed, fc.nat(), fc.boolean(), run), { numRuns: 40 })
    })

    describe('claims', () => {
      const writes = (other: Claim, state: SessionState): [string, () => Promise<unknown>][] => [
        ['append', () => store.append(other, id, 11, renaming(other, 11, 'stolen'))],
        ['snapshot', () => store.snapshot(other, state)],
        ['trash', () => store.trash(other, id)],
        ['load', () => store.load(id, other)],
      ]

      test('refuse everything with fenced once the claim has ended, and change nothing', async () => {
        const state = await createSession()
        const trashedId = createId()
        await store.append(claim, trashedId, 0, creation(claim, trashedId))
        await store.trash(claim, trashedId)
        claim.word[0] = 0
        for (const [, write] of writes(claim, state)) await expectCode(write(), 'fenced')
        await expectCode(store.append(claim, createId(), 0, creation(claim, id)), 'fenced')
        await expectCode(store.restore(claim, trashedId), 'fenced')
        await expectCode(store.purge(claim, trashedId), 'fenced')
        expect(await stateOf()).toEqual(state)
        expect(await idsIn(opened.reopen().listTrash())).toEqual([trashedId])
      })

      test('refuse an owner with fenced once a later one has written', async () => {
        const state = await createSession()
        const later = claimOf(8)
        await opened.reopen().append(later, id, 11, renaming(later, 11, 'later'))
        for (const [, write] of writes(claim, state)) await expectCode(write(), 'fenced')
        expect((await stateOf()).name).toBe('later')
      })

      test('let a later owner go on', async () => {
        await createSession()
        const later = claimOf(8)
        const next = opened.reopen()
        await next.append(later, id, 11, turn(later, 11))
        expect(await stateOf()).toMatchObject({ seq: 16, epoch: 8 })
      })

      test("do not reach another agent's sessions: they are not found, and stay as they are", async () => {
        const state = await createSession()
        const other = claimOf(9, 'reviewer')
        for (const [, write] of writes(other, state)) await expectCode(write(), 'session_not_found')
        await store.trash(claim, id)
        await expectCode(store.restore(other, id), 'session_not_found')
        await expectCode(store.purge(other, id), 'session_not_found')
        await store.restore(claim, id)
        expect((await stateOf()).memory).toEqual(state.memory)
      })
    })

    describe('replay', () => {
      test('gives the records as they were appended, from any seq, before a snapshot and behind it', async () => {
        const state = await createSession()
        for (const after of [0, 1, 5, 10, 11, 99]) {
          expect(await recordsOf(opened.reopen(), id, after)).toEqual(records.slice(after))
        }
        await store.snapshot(claim, state)
        const more = turn(claim, 11)
        await store.append(claim, id, 11, more)
        for (const after of [0, 10, 11, 12, 16]) {
          expect(await recordsOf(opened.reopen(), id, after)).toEqual([...records, ...more].slice(after))
        }
      })
    })

    describe('lists and the trash', () => {
      test('list the header of every session and leave the trash out', async () => {
        const { memory: _memory, ...header } = await createSession()
        const second = createId()
        await store.append(claim, second, 0, creation(claim, second, { name: 'second' }))
        const third = createId()
        await store.append(claim, third, 0, creation(claim, third, { name: 'third' }))
        await store.trash(claim, third)
        const listed = await all(opened.reopen().list())
        expect(listed.map(({ sessionId }) => sessionId).sort()).toEqual([id, second].sort())
        expect(listed.find(({ sessionId }) => sessionId === id)?.header).toEqual(header)
        expect(listed.filter(({ problem }) => problem !== undefined)).toEqual([])
        const [trashed, ...others] = await all(opened.reopen().listTrash())
        expect(others).toEqual([])
        expect(trashed?.header).toMatchObject({ id: third, name: 'third' })
        expect(trashed?.header?.trashedAt).toMatch(/^\d{4}-/)
      })

      test('give the ids of a place, and the headers of those among given ids that are there', async () => {
        await createSession()
        const [second, third] = [createId(), createId()]
        for (const other of [second, third]) await store.append(claim, other, 0, creation(claim, other))
        await store.trash(claim, third)
        expect([...(await store.ids('sessions'))].sort()).toEqual([id, second].sort())
        expect([...(await store.ids('trash'))]).toEqual([third])
        const asked = [second, third, createId()]
        expect(await idsIn(store.list(asked))).toEqual([second])
        expect(await idsIn(store.listTrash(asked))).toEqual([third])
      })

      test('list nothing where there is nothing', async () => {
        expect(await all(store.list())).toEqual([])
        expect(await all(store.listTrash())).toEqual([])
      })

      test('hide a trashed session from every reader, and give it back whole when it is restored', async () => {
        const before = await createSession()
        await store.snapshot(claim, before)
        await store.trash(claim, id)
        await expectCode(store.load(id), 'session_not_found')
        await expectCode(store.load(id, claim), 'session_not_found')
        await expectCode(opened.reopen().load(id), 'session_not_found')
        await expectCode(recordsOf(store, id), 'session_not_found')
        await expectCode(store.append(claim, id, 12, renaming(claim, 12, 'ghost')), 'session_not_found')
        await expectCode(store.trash(claim, id), 'session_not_found')
        await opened.reopen().restore(claim, id)
        const { state } = await store.load(id, claim)
        expect(state).toEqual({ ...before, seq: 13, journalOffset: state.journalOffset })
        expect((await recordsOf(store, id, 11)).map(({ type }) => type)).toEqual([
          'session.trashed',
          'session.restored',
        ])
        expect(await all(store.listTrash())).toEqual([])
        await store.append(claim, id, 13, turn(claim, 13))
      })

      test('purge deletes a trashed session for good, and no other', async () => {
        await createSession()
        await expectCode(store.purge(claim, id), 'session_not_found')
        await store.trash(claim, id)
        await store.purge(claim, id)
        await expectCode(store.restore(claim, id), 'session_not_found')
        await expectCode(store.purge(claim, id), 'session_not_found')
        expect(await all(opened.reopen().listTrash())).toEqual([])
        await expectCode(store.load(id), 'session_not_found')
      })

      test('restore is refused for a session that is not in the trash', async () => {
        const before = await createSession()
        await expectCode(store.restore(claim, id), 'session_not_found')
        expect(await stateOf()).toEqual(before)
      })
    })

    test('refuses ids that are none with invalid_id, and ids that nobody has with session_not_found', async () => {
      const state = await createSession()
      const calls = (sessionId: string): [ErrorCode, () => Promise<unknown>][] => [
        ['session_not_found', () => store.load(sessionId)],
        ['session_not_found', () => store.load(sessionId, claim)],
        ['session_not_found', () => store.append(claim, sessionId, 1, renaming(claim, 1, 'x'))],
        ['session_not_found', () => store.snapshot(claim, { ...state, id: sessionId })],
        ['session_not_found', () => recordsOf(store, sessionId)],
        ['session_not_found', () => store.trash(claim, sessionId)],
        ['session_not_found', () => store.restore(claim, sessionId)],
        ['session_not_found', () => store.purge(claim, sessionId)],
      ]
      for (const [code, call] of calls(createId())) await expectCode(call(), code)
      const bad = ['', '..', '../x', 'a/b', '\0', id.toUpperCase(), `${id}/`, `${id}\n`, '0'.repeat(10_240)]
      for (const sessionId of bad) {
        for (const [, call] of calls(sessionId)) await expectCode(call(), 'invalid_id')
        await expectCode(store.append(claim, sessionId, 0, creation(claim, sessionId)), 'invalid_id')
      }
      expect(await idsIn(store.list())).toEqual([id])
    })
  })
}

async function appendEach(store: SessionStore, records: readonly SessionRecord[]): Promise<void> {
  for (const record of records) {
    await store.append(claimOf(record.epoch), SESSION_ID, record.seq - 1, [record])
  }
}

async function expectCode(call: Promise<unknown>, code: ErrorCode): Promise<void> {
  await expect(call).rejects.toMatchObject({ name: 'AgentryError', code })
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  return Array.fromAsync(items)
}

async function idsIn(items: AsyncIterable<{ sessionId: string }>): Promise<string[]> {
  return (await all(items)).map(({ sessionId }) => sessionId)
}

async function recordsOf(store: SessionStore, id: string, afterSeq?: number): Promise<SessionRecord[]> {
  return all(store.replay(id, afterSeq))
}
