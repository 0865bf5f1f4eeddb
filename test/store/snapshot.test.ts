import { crc32 } from 'node:zlib'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createId } from '../../src/core/ids.ts'
import type { SessionState } from '../../src/core/session-state.ts'
import { decodeSnapshot, decodeSnapshotHeader, encodeSnapshot } from '../../src/store/snapshot.ts'
import { journal, replay, SESSION_ID } from '../core/journals.ts'
import { errorWith } from '../error-with.ts'
import { claimOf, creation, turn } from '../fakes/records.ts'

const claim = claimOf(3)
const id = createId()
const state: SessionState = {
  ...replay([...creation(claim, id), ...turn(claim, 1, 'a "memory": [ of\n  "memory": things')]),
  journalOffset: 1234,
}
const bytes = encodeSnapshot(state)
const text = bytes.toString()

test('a snapshot is readable JSON: checksum, header, memory last, one entry a line', () => {
  const keys = Object.keys(JSON.parse(text) as object)
  expect(keys.slice(0, 4)).toEqual(['checksum', 'formatVersion', 'id', 'agentId'])
  expect(keys.at(-1)).toBe('memory')
  expect(text).toContain('\n  "name": "work",\n')
  expect(text.split('\n').filter((line) => line.startsWith('    {"seq":'))).toHaveLength(3)
  expect(text.endsWith('\n}\n')).toBe(true)
})

test('its keys are in one order, whatever order the state has them in', () => {
  const reversed = Object.fromEntries(Object.entries(state).toReversed()) as unknown as SessionState
  expect(encodeSnapshot(reversed).equals(bytes)).toBe(true)
})

test('any legal state comes back as it was, its header also from the first bytes alone', () => {
  fc.assert(
    fc.property(journal, (records) => {
      const state = { ...replay(records), journalOffset: 99 }
      const encoded = encodeSnapshot(state)
      expect(decodeSnapshot(encoded, SESSION_ID)).toEqual({ kind: 'good', state })
      const headerEnd = encoded.indexOf('\n  "memory":') + '\n  "memory":'.length
      const header = decodeSnapshotHeader(encoded.subarray(0, headerEnd), SESSION_ID)
      expect(header).toEqual({ kind: 'good', state: { ...state, memory: [] } })
      expect(decodeSnapshotHeader(encoded.subarray(0, headerEnd - 1), SESSION_ID)).toBeUndefined()
    }),
    { numRuns: 50 },
  )
})

test('a snapshot of more bytes than can be read back is refused by name', () => {
  expect(encodeSnapshot(state, bytes.length).equals(bytes)).toBe(true)
  for (const maxBytes of [bytes.length - 1, 10]) {
    expect(() => encodeSnapshot(state, maxBytes)).toThrow(
      errorWith('snapshot_too_large', `the ${maxBytes} bytes`),
    )
  }
})

test('a snapshot with any bit changed is bad, or says that it is of a newer format', () => {
  const version = text.indexOf('"formatVersion": ') + '"formatVersion": '.length
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    const isNewer = bit >> 3 === version && Number(String.fromCharCode(flipped[version] ?? 0)) > 1
    expect(decodeSnapshot(flipped, id).kind, `bit ${bit}`).toBe(isNewer ? 'newer' : 'bad')
  }
})

test('a snapshot that is cut anywhere, or empty, is bad', () => {
  for (let length = 0; length < bytes.length; length++) {
    expect(decodeSnapshot(bytes.subarray(0, length), id).kind, `${length} bytes`).toBe('bad')
  }
})

test('the header of a snapshot whose memory is damaged still verifies', () => {
  const damaged = Buffer.from(text.replace('did a', 'did b'))
  expect(decodeSnapshot(damaged, id).kind).toBe('bad')
  expect(decodeSnapshotHeader(damaged, id)?.kind).toBe('good')
})

test('a newer format is told by its version, with our checksums, with wrong ones and in another layout', () => {
  const newer = sealed(text.replace('"formatVersion": 1', '"formatVersion": 2'))
  for (const file of [
    newer.toString(),
    text.replace('"formatVersion": 1', '"formatVersion": 23'),
    '{"formatVersion":2}',
  ]) {
    expect(decodeSnapshot(Buffer.from(file), id).kind).toBe('newer')
    expect(decodeSnapshotHeader(Buffer.from(file), id)?.kind).toBe('newer')
  }
})

test('a file with right checksums that is no state of this session is bad', () => {
  const changes: [RegExp, string][] = [
    [new RegExp(id), createId()],
    [/"seq": 6/, '"seq": "6"'],
    [/"journalOffset": 1234/, '"journalOffset": 0'],
    [/"epoch": 3/, '"epoch": -3'],
    [/"agentId": "coder"/, '"agentId": null'],
    [/"formatVersion": 1/, '"formatVersion": 0'],
    [/"turn": null/, '"turn": nul'],
  ]
  for (const [from, to] of changes) {
    const file = sealed(text.replace(from, to))
    expect(file.toString()).not.toBe(text)
    expect(decodeSnapshot(file, id).kind, to).toBe('bad')
  }
  expect(decodeSnapshot(sealed(text), id).kind).toBe('good')
})

/** The text with checksums that fit it. */
function sealed(text: string): Buffer {
  const bytes = Buffer.from(text)
  const start = bytes.indexOf('\n', 2) + 1
  const memory = bytes.indexOf('\n  "memory":')
  const sum = (part: Buffer) => crc32(part).toString(16).padStart(8, '0')
  const sums = `${sum(bytes.subarray(start, memory))}-${sum(bytes.subarray(memory))}`
  return Buffer.from(text.replace(/crc32:[0-9a-f-]{17}/, `crc32:${sums}`))
}
