import { Buffer } from 'node:buffer'
import { describe, expect, test } from 'vitest'
import {
  assertAgentId,
  assertSessionId,
  assertTaskId,
  createId,
  idTimeMs,
  isId,
  quote,
} from '../../src/core/ids.ts'

const NOW = Date.UTC(2026, 0, 1)

function bytesOf(id: string): Buffer {
  return Buffer.from(id.replaceAll('-', ''), 'hex')
}

describe('an id', () => {
  test('is laid out as RFC 9562 lays out a UUIDv7', () => {
    // Ahead of every id this process has made, so that the time inside is the one given.
    const atMs = Date.now() + 3_600_000
    const id = createId(atMs)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/)
    const bytes = bytesOf(id)
    expect(bytes.readUIntBE(0, 6)).toBe(atMs)
    expect((bytes[6] ?? 0) >> 4).toBe(7)
    expect((bytes[8] ?? 0) >> 6).toBe(0b10)
    expect(idTimeMs(id)).toBe(atMs)
    expect(isId(id)).toBe(true)
  })

  test('is read as the example of RFC 9562, appendix A.6', () => {
    const example = '017f22e2-79b0-7cc3-98c4-dc0c0c07398f'
    expect(isId(example)).toBe(true)
    expect(idTimeMs(example)).toBe(Date.UTC(2022, 1, 22, 19, 22, 22))
  })
})

describe('ids made one after the other', () => {
  test('are unique and in sorted order, 100,000 of them', () => {
    const ids = Array.from({ length: 100_000 }, () => createId())
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.filter(isId)).toHaveLength(ids.length)
    expectSorted(ids)
  })

  test('stay sorted while the clock stands still for longer than the counter counts', () => {
    const atMs = Date.now() + 7_200_000
    // Twice 4,096: the counter of 12 bits overflows whatever number it started from.
    const ids = Array.from({ length: 8_192 }, () => createId(atMs))
    expectSorted(ids)
    expect(new Set(ids).size).toBe(ids.length)
    expect(idTimeMs(ids[0] ?? '')).toBe(atMs)
    expect(idTimeMs(ids.at(-1) ?? '') - atMs).toBeLessThanOrEqual(2)
    expect(idTimeMs(ids.at(-1) ?? '')).toBeGreaterThan(atMs)
  })

  test('stay sorted when the clock goes back an hour', () => {
    const atMs = Date.now() + 10_800_000
    const ids = [createId(atMs), createId(atMs - 3_600_000), createId(atMs - 1), createId(atMs + 1)]
    expectSorted(ids)
    expect(idTimeMs(ids[3] ?? '')).toBe(atMs + 1)
  })

  test('share no random part', () => {
    const tails = Array.from({ length: 10_000 }, () => createId(NOW).slice(19))
    expect(new Set(tails).size).toBe(tails.length)
  })
})

describe('an id from outside', () => {
  const valid = createId()

  test.each([
    ['', 'nothing'],
    [valid.toUpperCase(), 'upper case'],
    [`${valid}\n`, 'a newline behind it'],
    [` ${valid}`, 'a space before it'],
    [valid.replaceAll('-', ''), 'no dashes'],
    [`${valid.slice(0, 14)}4${valid.slice(15)}`, 'another version'],
    [`${valid.slice(0, 19)}c${valid.slice(20)}`, 'another variant'],
    ['../../../../etc/passwd', 'a path'],
    ['%2e%2e%2f', 'an encoded path'],
    [`${valid}\0`, 'a NUL'],
    ['x'.repeat(10_240), '10 KB'],
  ])('%j is no session id (%s)', (value) => {
    expect(isId(value)).toBe(false)
    expect(() => assertSessionId(value)).toThrow(expect.objectContaining({ code: 'invalid_id' }))
  })

  test('is accepted in its one form', () => {
    expect(() => assertSessionId(valid)).not.toThrow()
  })

  test.each(['coder', '0', 'a-b_c', 'x'.repeat(64)])('%j is an agent id', (value) => {
    expect(() => assertAgentId(value)).not.toThrow()
  })

  test.each(['', 'Coder', '-a', '_a', 'a/b', '..', 'a b', 'a\n', 'é', 'x'.repeat(65)])(
    '%j is no agent id',
    (value) => {
      expect(() => assertAgentId(value)).toThrow(expect.objectContaining({ code: 'invalid_id' }))
    },
  )

  test.each(['1', 'a/b:c#d', '~', '!', 'x'.repeat(128)])('%j is a taskId', (value) => {
    expect(() => assertTaskId(value)).not.toThrow()
  })

  test.each(['', 'a b', 'a\n', 'é', '\x7f', 'x'.repeat(129)])('%j is no taskId', (value) => {
    expect(() => assertTaskId(value)).toThrow(expect.objectContaining({ code: 'invalid_id' }))
  })
})

describe('a value in an error message', () => {
  test('is quoted, and cut at 64 characters', () => {
    expect(quote('a "b"')).toBe('"a \\"b\\""')
    expect(quote('x'.repeat(64))).toBe(`"${'x'.repeat(64)}"`)
    expect(quote('x'.repeat(65))).toBe(`"${'x'.repeat(64)}…"`)
  })

  test('carries no character that a terminal obeys, and no half of a cut one', () => {
    expect(quote('\x1b[2J\x07\x7f\x9b31m\u2028')).toBe('"\\u001b[2J\\u0007\\u007f\\u009b31m\\u2028"')
    expect(quote(`${'x'.repeat(63)}😀`).isWellFormed()).toBe(true)
  })
})

function expectSorted(ids: string[]): void {
  const outOfOrder = ids.filter((id, index) => index > 0 && (ids[index - 1] ?? '') >= id)
  expect(outOfOrder).toEqual([])
}
