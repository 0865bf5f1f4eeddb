import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { toolNames } from '../../../src/runtime/mcp/tool-names.ts'

const names = (...keys: [string, string][]): string[] =>
  toolNames(keys.map(([server, tool]) => ({ server, tool })))

test('a tool is named after its server and itself', () => {
  expect(names(['files', 'read_text-file'], ['git', 'log'])).toEqual(['files__read_text-file', 'git__log'])
})

test('what no name may hold becomes an underscore', () => {
  expect(names(['my files', 'read/text.ü😀'])).toEqual(['my_files__read_text___'])
})

test('a long name is cut, and told from its like by a hash', () => {
  const [first = '', second = ''] = names(['s', `${'x'.repeat(70)}1`], ['s', `${'x'.repeat(70)}2`])
  expect(first).toMatch(/^s__x{52}_[0-9a-f]{8}$/)
  expect(second).not.toBe(first)
})

test('of two that come to the same, the one that needed no change keeps the name', () => {
  const [changed, same] = names(['s', 'a.b'], ['s', 'a_b'])
  expect(changed).toMatch(/^s__a_b_[0-9a-f]{8}$/)
  expect(same).toBe('s__a_b')
  expect(names(['s', 'a_b'], ['s', 'a.b'])).toEqual([same, changed])
})

test('names are of the form that all providers take, are unique, and do not depend on the order', () => {
  const part = fc.oneof(fc.constantFrom('a', 'a_', 'a.', '_', 'a__b', 'b'), fc.string({ maxLength: 80 }))
  const keys = fc.uniqueArray(fc.tuple(part, part), { selector: (key) => JSON.stringify(key), maxLength: 12 })
  fc.assert(
    fc.property(keys, (some) => {
      const given = names(...some)
      expect(new Set(given).size).toBe(some.length)
      for (const name of given) expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
      expect(names(...some.toReversed()).toReversed()).toEqual(given)
    }),
  )
})
