import { array, assert, jsonValue, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeFrame, encodeFrame, PACK_FROM } from '../../src/protocol/codec.ts'

/** As a frame travels: structured clone is what postMessage does. */
const travel = (envelopes: unknown[]) => decodeFrame(structuredClone(encodeFrame(envelopes)))

const many = (envelope: unknown) => Array.from({ length: PACK_FROM }, () => envelope)

describe('a frame', () => {
  test('is packed from so many envelopes on, and a copy of its own', () => {
    expect(encodeFrame(many({ type: 'pong', id: 1 }).slice(1))).toBeInstanceOf(Array)
    const packed = encodeFrame(many({ type: 'pong', id: 1 }))
    expect(packed).toBeInstanceOf(Uint8Array)
    expect((packed as Uint8Array).buffer.byteLength).toBe((packed as Uint8Array).byteLength)
  })

  test('brings back any JSON, however many envelopes it holds', () => {
    const envelopes = array(jsonValue({ depthSize: 'small' }).filter(isExact), {
      minLength: 1,
      maxLength: 2 * PACK_FROM,
    })
    assert(
      property(envelopes, (sent) => {
        expect(JSON.stringify(travel(sent))).toBe(JSON.stringify(sent))
      }),
      { numRuns: 200 },
    )
  })

  test.each([
    ['an undefined value', { type: 'reply', id: 1, value: undefined }],
    ['text of every plane, NUL and line separators', { text: 'aé\u0000\u2028𝒳' }],
    ['numbers at their limits', [Number.MAX_SAFE_INTEGER, Number.MIN_VALUE, -1.5, 2 ** 40, Number.MAX_VALUE]],
    ['64 levels of nesting', Array.from({ length: 64 }).reduce<unknown>((inner) => ({ inner }), 'deep')],
    [
      'an object of 5,000 keys',
      Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`key ${index}`, index])),
    ],
    ['keys that name methods', { constructor: 1, toString: 2, hasOwnProperty: 3 }],
    ['a megabyte of text', { text: 'é'.repeat(500_000) }],
  ])('brings back %s, alone and among many', (_, envelope) => {
    expect(travel([envelope])).toStrictEqual([envelope])
    expect(travel(many(envelope))).toStrictEqual(many(envelope))
  })

  test('keeps a key named __proto__ what it is: a key', () => {
    const envelope = JSON.parse('{"vars":{"__proto__":{"polluted":"yes"}}}') as unknown
    for (const envelopes of [[envelope], many(envelope)]) {
      const [back] = travel(envelopes)
      expect(JSON.stringify(back)).toBe('{"vars":{"__proto__":{"polluted":"yes"}}}')
      expect(back).not.toHaveProperty('vars.polluted')
    }
    expect({}).not.toHaveProperty('polluted')
  })

  test('that is none is refused', () => {
    expect(() => decodeFrame({ type: 'pong' })).toThrow(expect.objectContaining({ code: 'internal' }))
  })
})

/** -0 comes back as 0; everything else is exact. */
function isExact(value: unknown): boolean {
  return !JSON.stringify(value, (_, item: unknown) => (Object.is(item, -0) ? 'minus zero' : item)).includes(
    'minus zero',
  )
}
