/** Files of a session that are not as they were written. */
import {
  appendFileSync,
  closeSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createId } from '../../src/core/ids.ts'
import type { SessionRecord } from '../../src/core/record.ts'
import type { ErrorCode } from '../../src/errors.ts'
import { examine, type Finding } from '../../src/store/doctor.ts'
import { encodeRecord } from '../../src/store/journal.ts'
import type { SessionStore } from '../../src/store/session-store.ts'
import { replay } from '../core/journals.ts'
import { DataDirectory } from '../fakes/data-directory.ts'
import { claimOf, creation, enveloped, renaming, turn } from '../fakes/records.ts'

const claim = claimOf(3)
const later = claimOf(4)
const id = createId()
const records = [...creation(claim, id), ...turn(claim, 1), ...renaming(claim, 6, 'renamed')]
/** Small enough for tests of every byte or bit, with a turn left open. */
const few = [
  ...creation(claim, id, { vars: {}, metadata: {} }),
  ...turn(claim, 1).slice(0, 2),
  ...renaming(claim, 3, 'renamed'),
]
/** Where each record of `few` ends in its journal. */
const ends = endsOf(few)

describe('a journal that is cut at any byte', () => {
  test('gives its longest whole beginning, and takes a new message behind it', async () => {
    const data = new DataDirectory()
    await data.create(claim, id, few, 0)
    const { journal } = data.files(id)
    const whole = readFileSync(journal)
    for (let length = 0; length < whole.length; length++) {
      replaceFile(journal, whole.subarray(0, length))
      const kept = few.slice(0, ends.filter((end) => end <= length).length)
      const store = data.store()
      if (kept.length === 0) {
        await expectCode(store.load(id), 'session_not_found')
        await expectCode(store.load(id, later), 'session_not_found')
        expect(await Array.fromAsync(store.list())).toEqual([])
        const again = creation(later, id)
        await store.append(later, id, 0, again)
        expect((await data.store().load(id)).state, `${length} bytes`).toMatchObject({ seq: 1, epoch: 4 })
      } else {
        await expectGoesOn(data, store, kept, `${length} bytes`)
      }
      await store.release(id)
    }
  })

  test('is journal_truncated before the end of its snapshot, and goes on behind it', async () => {
    const data = new DataDirectory()
    await data.create(claim, id, few, 2)
    const { journal } = data.files(id)
    const whole = readFileSync(journal)
    for (let length = 0; length < whole.length; length++) {
      replaceFile(journal, whole.subarray(0, length))
      const store = data.store()
      if (length < (ends[1] ?? 0)) {
        await expectCode(store.load(id), 'journal_truncated')
        await expectCode(store.append(later, id, 2, renaming(later, 2, 'blank')), 'journal_truncated')
        expect(readFileSync(journal).length).toBe(length)
      } else {
        const kept = few.slice(0, ends.filter((end) => end <= length).length)
        await expectGoesOn(data, store, kept, `${length} bytes`)
      }
      await store.release(id)
    }
  })

  test('keeps what is cut in quarantine, and says so', async () => {
    const data = new DataDirectory()
    await data.create(claim, id, records)
    const { journal } = data.files(id)
    appendFileSync(journal, '{"seq":8,"epo')
    const size = readFileSync(journal).length
    const reader = await data.store().load(id)
    expect(reader.notes).toMatchObject([{ kind: 'torn-tail', sessionId: id }])
    expect(readFileSync(journal).length).toBe(size)
    expect(data.quarantine().size).toBe(0)
    const { notes } = await data.store().load(id, later)
    expect(notes).toMatchObject([{ kind: 'torn-tail', sessionId: id }])
    const [[name = '', kept] = []] = data.quarantine()
    expect(name).toMatch(/^[0-9a-f-]{36}\.\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z\.torn$/)
    expect(kept?.toString()).toBe('{"seq":8,"epo')
    expect(notes[0]?.message).toContain(name)
    expect((await data.store().load(id, later)).notes).toEqual([])
  })

  /** A load without a claim and with one give `kept`; a message behind it is there after a reopening. */
  async function expectGoesOn(
    data: DataDirectory,
    store: SessionStore,
    kept: readonly SessionRecord[],
    label: string,
  ): Promise<void> {
    const expected = { ...replay(kept), journalOffset: ends[kept.length - 1] }
    expect((await store.load(id)).state, label).toEqual(expected)
    expect((await store.load(id, later)).state, label).toEqual(expected)
    const more = enveloped(later, kept.length, [
      { type: 'message.accepted', turnId: 'next', taskId: 'next', input: 'next' },
    ])
    const journalOffset = await store.append(later, id, kept.length, more)
    const { state } = await data.store().load(id)
    expect(state, label).toEqual({ ...replay([...kept, ...more]), journalOffset })
  }
})

describe('a journal with any bit changed', () => {
  test('is found out at load where no snapshot covers it, and the other sessions list and load', async () => {
    const data = new DataDirectory()
    const other = createId()
    await data.create(claim, other, creation(claim, other))
    await data.create(claim, id, few, 0)
    const store = data.store()
    await forEachFlip(data.files(id).journal, async (label) => {
      await expectCode(store.load(id), 'session_damaged', label)
      await expectCode(store.load(id, later), 'session_damaged', label)
      await expectCode(Array.fromAsync(store.replay(id)), 'session_damaged', label)
    })
    writeFileSync(data.files(id).journal, 'garbage\n')
    const listed = await Array.fromAsync(store.list())
    expect(listed.find(({ sessionId }) => sessionId === id)).toMatchObject({ problem: { kind: 'damage' } })
    expect(listed.find(({ sessionId }) => sessionId === other)?.header?.id).toBe(other)
    expect((await store.load(other)).state.id).toBe(other)
  })

  test('is found out by replays and the doctor where the snapshot covers it, and the session loads as it was', async () => {
    const data = new DataDirectory()
    const state = await data.create(claim, id, few)
    const store = data.store()
    const { journal } = data.files(id)
    const lastByte = readFileSync(journal).length - 1
    await forEachFlip(journal, async (label, byte) => {
      await expectCode(Array.fromAsync(store.replay(id)), 'session_damaged', label)
      expect(kindsOf(await findings(data)), label).toEqual(['journal-damaged'])
      if (byte === lastByte) await expectCode(store.load(id), 'session_damaged', label)
      else expect((await store.load(id)).state, label).toEqual(state)
    })
  })

  test('is found out at load behind the snapshot', async () => {
    const data = new DataDirectory()
    await data.create(claim, id, few, 2)
    const store = data.store()
    const [, covered = 0, third = 0] = ends
    await forEachFlip(
      data.files(id).journal,
      async (label, byte) => {
        const error = await expectCode(store.load(id), 'session_damaged', label)
        const expected =
          byte < third ? { seq: 3, offset: covered, readableUpTo: 2 } : { seq: 4, offset: third }
        expect(error.data, label).toMatchObject(expected)
      },
      covered,
    )
  })

  async function forEachFlip(
    path: string,
    check: (label: string, byte: number) => Promise<void>,
    from = 0,
  ): Promise<void> {
    const bytes = readFileSync(path)
    const fd = openSync(path, 'r+')
    try {
      for (let bit = from * 8; bit < bytes.length * 8; bit++) {
        const byte = bit >> 3
        const value = bytes[byte] ?? 0
        writeSync(fd, Buffer.of(value ^ (1 << (bit & 7))), 0, 1, byte)
        await check(`bit ${bit & 7} of byte ${byte}`, byte)
        writeSync(fd, Buffer.of(value), 0, 1, byte)
      }
    } finally {
      closeSync(fd)
    }
    expect(readFileSync(path).equals(bytes)).toBe(true)
  }
})

describe('a snapshot', () => {
  test('that is gone, empty, cut, garbage or of another session is rebuilt equal from the journal', async () => {
    const data = new DataDirectory()
    const state = await data.create(claim, id, records, 5)
    const other = createId()
    await data.create(claim, other, creation(claim, other))
    const { snapshot } = data.files(id)
    const good = readFileSync(snapshot)
    const spoil: [string, () => void][] = [
      ['gone', () => rmSync(snapshot)],
      ['empty', () => writeFileSync(snapshot, '')],
      ['cut in its header', () => writeFileSync(snapshot, good.subarray(0, 200))],
      ['cut in its memory', () => writeFileSync(snapshot, good.subarray(0, -9))],
      ['garbage', () => writeFileSync(snapshot, Buffer.alloc(20_000, '{"'))],
      [
        'without its checksum',
        () => writeFileSync(snapshot, good.toString().replace(/ {2}"checksum.*\n/, '')),
      ],
      ['of another session', () => writeFileSync(snapshot, readFileSync(data.files(other).snapshot))],
    ]
    for (const [label, run] of spoil) {
      run()
      const store = data.store()
      const loaded = await store.load(id, later)
      expect(loaded.state, label).toEqual(state)
      expect(loaded.notes, label).toMatchObject([{ kind: 'snapshot-rebuilt', sessionId: id }])
      const { memory: _memory, ...header } = state
      const listed = await Array.fromAsync(store.list())
      expect(listed.find(({ sessionId }) => sessionId === id)?.header, label).toEqual(header)
      await store.snapshot(later, loaded.state)
      const rebuilt = await data.store().load(id)
      expect(rebuilt.state, label).toEqual(state)
      expect(rebuilt.notes, label).toEqual([])
      await store.release(id)
    }
  })

  test('whose journal is gone is journal_missing for a load, an append and a list; nothing is made in its place', async () => {
    const data = new DataDirectory()
    await data.create(claim, id, records)
    rmSync(data.files(id).journal)
    const store = data.store()
    await expectCode(store.load(id), 'journal_missing')
    await expectCode(store.load(id, later), 'journal_missing')
    await expectCode(store.append(later, id, 7, turn(later, 7)), 'journal_missing')
    await expectCode(store.append(later, id, 0, creation(later, id)), 'seq_conflict')
    await expectCode(Array.fromAsync(store.replay(id)), 'journal_missing')
    const [listed] = await Array.fromAsync(store.list())
    expect(listed).toMatchObject({ sessionId: id, problem: { kind: 'journal-missing' } })
    expect(() => readFileSync(data.files(id).journal)).toThrow('ENOENT')
  })

  test('with garbage in place of the journal under it still does not load blank', async () => {
    const data = new DataDirectory()
    await data.create(claim, id, records)
    writeFileSync(data.files(id).snapshot, 'no JSON')
    truncateSync(data.files(id).journal, 0)
    await expectCode(data.store().load(id), 'journal_truncated')
    await expectCode(data.store().load(id, later), 'journal_truncated')
  })

  test('of a session that was copied under another id does not make it that session', async () => {
    const data = new DataDirectory()
    await data.create(claim, id, records)
    const copy = createId()
    writeFileSync(data.files(copy).snapshot, readFileSync(data.files(id).snapshot))
    writeFileSync(data.files(copy).journal, readFileSync(data.files(id).journal))
    const error = await expectCode(data.store().load(copy), 'session_damaged')
    expect(error.message).toContain(id)
  })
})

describe('a record that is legal by itself', () => {
  test('and cannot follow the others is damage at load, with what is readable before it', async () => {
    const data = new DataDirectory()
    await data.create(claim, id, records)
    const [finished] = turn(claim, 7).slice(-1)
    if (finished === undefined) throw new Error('no record')
    appendFileSync(data.files(id).journal, encodeRecord({ ...finished, seq: 8 }))
    const error = await expectCode(data.store().load(id), 'session_damaged')
    expect(error.data).toMatchObject({ seq: 8, readableUpTo: 7, offset: endsOf(records).at(-1) })
  })

  test('of a newer format is unsupported_format, and nothing is changed', async () => {
    const data = new DataDirectory()
    await data.create(claim, id, records)
    const { journal, snapshot } = data.files(id)
    rmSync(snapshot, { force: true })
    const [first = '', ...rest] = readFileSync(journal, 'utf8').split('\n')
    const newer = first.replace('"formatVersion":1,', '"formatVersion":2,').replace('"crc"', '"sum"')
    writeFileSync(journal, [newer, ...rest].join('\n'))
    const before = readFileSync(journal)
    const error = await expectCode(data.store().load(id, later), 'unsupported_format')
    expect(error.message).toContain('format 2')
    await expectCode(Array.fromAsync(data.store().replay(id)), 'unsupported_format')
    await expectCode(data.store().append(later, id, 7, renaming(later, 7, 'y')), 'unsupported_format')
    expect(readFileSync(journal).equals(before)).toBe(true)
  })

  test('of a type that this version does not know is unsupported_format, and nothing is changed', async () => {
    const data = new DataDirectory()
    await data.create(claim, id, records)
    const [record] = renaming(claim, 7, 'x')
    const newer = encodeRecord({ ...record, type: 'session.merged' } as unknown as SessionRecord)
    appendFileSync(data.files(id).journal, newer)
    const before = readFileSync(data.files(id).journal)
    await expectCode(data.store().load(id, later), 'unsupported_format')
    await expectCode(data.store().append(later, id, 7, renaming(later, 7, 'y')), 'unsupported_format')
    expect(readFileSync(data.files(id).journal).equals(before)).toBe(true)
  })
})

function endsOf(records: readonly SessionRecord[]): number[] {
  let end = 0
  return records.map((record) => (end += Buffer.byteLength(encodeRecord(record))))
}

/** A new file: truncating an old one makes some file systems write it out at once. */
function replaceFile(path: string, bytes: Uint8Array): void {
  rmSync(path)
  writeFileSync(path, bytes)
}

async function findings(data: DataDirectory): Promise<Finding[]> {
  return Array.fromAsync(examine(data.path))
}

function kindsOf(findings: readonly Finding[]): string[] {
  return findings.map(({ kind }) => kind)
}

async function expectCode(
  call: Promise<unknown>,
  code: ErrorCode,
  label?: string,
): Promise<{ message: string; data?: unknown }> {
  const error: unknown = await call.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(error, label).toMatchObject({ name: 'AgentryError', code })
  return error as { message: string; data?: unknown }
}
