import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assertJson, assertText, MAX_JSON_DEPTH } from '../../src/core/json.ts'

function refusal(value: unknown): unknown {
  try {
    assertJson(value, 'vars')
  } catch (error) {
    return error
  }
  return undefined
}

function nested(levels: number): unknown {
  let value: unknown = 'core'
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { in: value }
  return value
}

/** Anything, with all that JSON cannot say; -0 left out, of which the contract says that it comes back as 0. */
const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withSparseArray: true,
  withNullPrototype: true,
  withBoxedValues: true,
  withObjectString: true,
  withUnicodeString: true,
})

describe('a value that is accepted', () => {
  test('comes back from JSON exactly as it went in, and any JSON is accepted', () => {
    fc.assert(
      fc.property(fc.oneof(anything, fc.jsonValue()), (value) => {
        if (refusal(value) !== undefined) return
        expect(withoutNegativeZero(JSON.parse(JSON.stringify(value)))).toEqual(withoutNegativeZero(value))
      }),
      { numRuns: 1_000 },
    )
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false, maxDepth: 8 }), (value) => {
        fc.pre(!JSON.stringify(value).includes('__proto__'))
        expect(refusal(value)).toBeUndefined()
      }),
    )
  })

  test('may hold NUL, line separators, keys named like parts of Object.prototype, and 10 MB of text', () => {
    const odd = { constructor: '\0', toString: '\u2028', '': null, long: 'x'.repeat(10_000_000) }
    expect(refusal(odd)).toBeUndefined()
    expect(refusal(Object.assign(Object.create(null), { a: 1 }))).toBeUndefined()
  })

  test(`may be nested ${MAX_JSON_DEPTH} levels deep`, () => {
    expect(refusal(nested(MAX_JSON_DEPTH))).toBeUndefined()
    expect(refusal(nested(MAX_JSON_DEPTH + 1))).toMatchObject({ code: 'invalid_input' })
  })
})

describe('a value that JSON would change', () => {
  const cyclic: Record<string, unknown> = {}
  cyclic['self'] = cyclic
  cyclic['again'] = [cyclic, cyclic]

  const holed = [1]
  holed.length = 2

  test.each<[string, unknown, string]>([
    ['undefined', { a: undefined }, 'vars.a: expected JSON, received undefined'],
    ['a hole in an array', holed, 'vars[1]: expected JSON, received undefined'],
    ['a function', { a: [() => 1] }, 'vars.a[0]: expected JSON, received function'],
    ['a symbol', Symbol('s'), 'vars: expected JSON, received symbol'],
    ['a bigint', { a: 1n }, 'vars.a: expected JSON, received bigint'],
    ['NaN', [Number.NaN], 'vars[0]: expected a finite number, received NaN'],
    ['an infinity', { a: -Infinity }, 'vars.a: expected a finite number, received -Infinity'],
    ['a Date', { at: new Date(0) }, 'vars.at: expected a plain object, received a class instance'],
    ['a Map', new Map([[1, 2]]), 'vars: expected a plain object, received a class instance'],
    ['a Buffer', { a: Buffer.from('x') }, 'vars.a: expected a plain object, received a class instance'],
    ['an instance', { a: new URL('file:///') }, 'vars.a: expected a plain object, received a class instance'],
    ['a lone surrogate', { a: 'x\ud800' }, 'vars.a: expected well-formed Unicode text'],
    ['a lone surrogate in a key', { 'x\udfff': 1 }, '(key): expected well-formed Unicode text'],
    ['a __proto__ key', JSON.parse('{"a":{"__proto__":1}}'), 'vars.a: expected no key named __proto__'],
    ['a cycle', cyclic, `expected at most ${MAX_JSON_DEPTH} levels of nesting`],
    ['10,000 levels', nested(10_000), `expected at most ${MAX_JSON_DEPTH} levels of nesting`],
  ])('is refused by name: %s', (_, value, message) => {
    const error = refusal(value)
    expect(error).toMatchObject({ code: 'invalid_input' })
    expect(String(error)).toContain(message)
  })
})

test('text is refused for lone surrogates alone', () => {
  expect(() => assertText('a😀\0\u2028', 'name')).not.toThrow()
  expect(() => assertText('😀'.slice(1), 'name')).toThrow(
    'name: expected well-formed Unicode text, received text with a lone surrogate',
  )
})

function withoutNegativeZero(value: unknown): unknown {
  if (value === 0) return 0
  if (Array.isArray(value)) return value.map(withoutNegativeZero)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutNegativeZero(item)]))
}
