import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { createId } from '../../src/core/ids.ts'
import type { SessionRecord } from '../../src/core/record.ts'
import { systemFs } from '../../src/store/durable-fs.ts'
import {
  decodeRecord,
  encodeRecord,
  type JournalItem,
  type JournalPosition,
  readJournal,
} from '../../src/store/journal.ts'
import { journal } from '../core/journals.ts'
import { DataDirectory } from '../fakes/data-directory.ts'
import { claimOf, creation, renaming, turn } from '../fakes/records.ts'

const claim = claimOf(3)
const id = createId()
const records = [...creation(claim, id), ...turn(claim, 1), ...renaming(claim, 6, 'renamed')]

test('a record is one line of JSON with its envelope first and the checksum of the rest last', () => {
  const [record] = renaming(claim, 6, 'new\nname')
  if (record === undefined) throw new Error('no record')
  const line = encodeRecord(record)
  expect(line.indexOf('\n')).toBe(line.length - 1)
  expect(Object.keys(JSON.parse(line) as object)).toEqual(['seq', 'epoch', 'at', 'type', 'changes', 'crc'])
  const [body = '', end] = line.split(',"crc":')
  expect(end).toBe(`"${crc32(body).toString(16).padStart(8, '0')}"}\n`)
})

test('the envelope comes first in whatever order the record has its keys', () => {
  const [record] = renaming(claim, 6, 'renamed')
  if (record === undefined) throw new Error('no record')
  const reversed = Object.fromEntries(Object.entries(record).toReversed()) as unknown as SessionRecord
  expect(encodeRecord(reversed)).toBe(encodeRecord(record))
})

test('every record comes back as it was', () => {
  fc.assert(
    fc.property(journal, (all) => {
      for (const record of all) {
        const line = Buffer.from(encodeRecord(record))
        expect(decodeRecord(line.subarray(0, -1))).toEqual({ kind: 'record', record })
      }
    }),
    { numRuns: 50 },
  )
})

test('a line with any bit changed is damage', () => {
  const line = Buffer.from(encodeRecord(records[1] as SessionRecord)).subarray(0, -1)
  for (let bit = 0; bit < line.length * 8; bit++) {
    const flipped = Buffer.from(line)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(decodeRecord(flipped).kind, `bit ${bit}`).toBe('damage')
  }
})

test('the first line says the format of the journal; one without is of format 1', () => {
  const line = encodeRecord(records[0] as SessionRecord)
  expect(line).toContain('"type":"session.created","formatVersion":1,"sessionId"')
  const [body = ''] = line.replace('"formatVersion":1,', '').split(',"crc":')
  const older = sealed(body)
  expect(decodeRecord(older)).toEqual({ kind: 'record', record: records[0] })
})

test('a newer format is told by its version, also in a line of another form; no change of a bit looks like one', () => {
  const line = Buffer.from(encodeRecord(records[0] as SessionRecord))
  const newer = line.toString().replace('"formatVersion":1,', '"formatVersion":12,')
  const [body = ''] = newer.split(',"crc":')
  for (const first of [sealed(body), Buffer.from(newer.replace(',"crc":', ',"sum":').trimEnd())]) {
    const items = read(Buffer.concat([first, Buffer.from(`\n${encodeRecord(records[1] as SessionRecord)}`)]))
    expect(items).toEqual([expect.objectContaining({ kind: 'newer', found: 'format 12' })])
  }
  for (let bit = 0; bit < (line.length - 1) * 8; bit++) {
    const flipped = Buffer.from(line)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(read(flipped)[0]?.kind, `bit ${bit}`).toBe('damage')
  }
})

test('a checksum in upper case, or with another number of digits, is damage', () => {
  const line = encodeRecord(records[0] as SessionRecord).trimEnd()
  const crc = line.slice(-10, -2)
  for (const other of [crc.toUpperCase(), `0${crc}`, crc.slice(1), '']) {
    if (other === crc) continue
    expect(decodeRecord(Buffer.from(line.replace(`"${crc}"`, `"${other}"`))).kind).toBe('damage')
  }
})

test('bytes with a right checksum that are no record are damage', () => {
  for (const body of [
    '{"seq":1',
    '{"seq":1,"epoch":1,"at":"","type":7',
    '[',
    '{"seq":1.5,"epoch":1,"at":"","type":"x"',
  ]) {
    expect(decodeRecord(sealed(body)).kind, body).toBe('damage')
  }
  expect(decodeRecord(Buffer.alloc(0)).kind).toBe('damage')
})

test('a record of a type that is not known is of a newer version, also where Object.prototype has the name', () => {
  for (const type of ['memory.rewritten', 'constructor', '__proto__', '']) {
    const line = sealed(`{"seq":1,"epoch":1,"at":"","type":${JSON.stringify(type)}`)
    expect(decodeRecord(line)).toEqual({ kind: 'newer', found: `a record of type ${JSON.stringify(type)}` })
  }
})

const whole = Buffer.from(records.map(encodeRecord).join(''))

test('a journal gives its records in order, with the bytes that each takes', () => {
  const items = read(whole)
  expect(items.map((item) => item.kind === 'record' && item.record)).toEqual(records)
  expect(items[0]?.start).toBe(0)
  expect(items.at(-1)?.end).toBe(whole.length)
  for (const [index, { start }] of items.entries()) if (index > 0) expect(start).toBe(items[index - 1]?.end)
})

test('a journal can be read from the end of any record', () => {
  const items = read(whole)
  for (const [index, { end }] of items.entries()) {
    const rest = read(whole, { offset: end, seq: index + 1, epoch: 3 })
    expect(rest).toEqual(items.slice(index + 1))
  }
})

test('a line that is longer than what is read at a time, and one that ends exactly there, come back whole', () => {
  for (const length of [256 * 1024 - 200, 256 * 1024, 3 * 2 ** 20]) {
    const long = renaming(claim, 1, 'x'.repeat(length))
    const all = [...creation(claim, id), ...long, ...renaming(claim, 2, 'short')]
    const items = read(Buffer.from(all.map(encodeRecord).join('')))
    expect(items.map((item) => item.kind === 'record' && item.record.seq)).toEqual([1, 2, 3])
    expect(items[1]).toMatchObject({ kind: 'record', record: long[0] })
  }
})

test('the beginning of a line at the end is torn, however much of it is there', () => {
  const lastStart = read(whole).at(-1)?.start ?? 0
  for (let length = lastStart + 1; length < whole.length; length++) {
    const items = read(whole.subarray(0, length))
    expect(items.at(-1), `${length} bytes`).toEqual({ kind: 'torn', start: lastStart, end: length })
    expect(items).toHaveLength(records.length)
  }
})

test('NUL bytes in place of the end of a write are torn, a whole record before them included', () => {
  const lastStart = read(whole).at(-1)?.start ?? 0
  for (const cut of [lastStart, lastStart + 20, whole.length - 1]) {
    const bytes = Buffer.concat([whole.subarray(0, cut), Buffer.alloc(5000)])
    expect(read(bytes).at(-1)).toEqual({ kind: 'torn', start: lastStart, end: bytes.length })
  }
})

test('a whole record with another byte in the place of its newline is damage: it may have been acknowledged', () => {
  const lastStart = read(whole).at(-1)?.start ?? 0
  const nested = {
    seq: 8,
    epoch: 3,
    at: '',
    type: 'session.changed' as const,
    changes: { metadata: { crc: 'ab', x: 1 } },
  }
  for (const bytes of [whole, Buffer.concat([whole, Buffer.from(encodeRecord(nested))])]) {
    const flipped = Buffer.from(bytes)
    flipped[flipped.length - 1] = 0x0b
    const expectedStart = bytes === whole ? lastStart : whole.length
    expect(read(flipped).at(-1)).toMatchObject({ kind: 'damage', start: expectedStart })
    expect(read(Buffer.concat([flipped, Buffer.from('{"seq":')])).at(-1)).toMatchObject({ kind: 'damage' })
  }
})

test('reading ends at the first damage, which is not torn as long as its line has an end', () => {
  const items = read(Buffer.concat([whole, Buffer.from('{"seq":8,"ep\n'), whole]))
  expect(items).toHaveLength(records.length + 1)
  expect(items.at(-1)).toMatchObject({ kind: 'damage', start: whole.length })
})

test('a gap, a repetition and a beginning that is not record 1 are damage', () => {
  const lines = records.map(encodeRecord)
  expect(read(Buffer.from(lines.toSpliced(2, 1).join(''))).at(-1)).toMatchObject({ kind: 'damage' })
  expect(read(Buffer.from(lines.toSpliced(2, 0, lines[2] ?? '').join(''))).at(-1)?.kind).toBe('damage')
  expect(read(Buffer.from(lines.slice(1).join(''))).at(-1)?.kind).toBe('damage')
})

test('records of an epoch lower than the one before are stale, and the others go on as if they were not there', () => {
  const stale = claimOf(2)
  const lines = [...records, ...turn(stale, 7), ...renaming(claim, 7, 'after')].map(encodeRecord)
  const items = read(Buffer.from(lines.join('')))
  expect(items.map(({ kind }) => kind)).toEqual([
    ...records.map(() => 'record'),
    ...Array.from({ length: 5 }, () => 'stale'),
    'record',
  ])
})

function sealed(body: string): Buffer {
  return Buffer.from(`${body},"crc":"${crc32(body).toString(16).padStart(8, '0')}"}`)
}

function read(bytes: Uint8Array, from?: JournalPosition): JournalItem[] {
  const path = join(new DataDirectory().path, 'journal')
  writeFileSync(path, bytes)
  const file = systemFs.open(path, 'read')
  try {
    return [...readJournal(file, from)]
  } finally {
    file.close()
  }
}
