import { expect, test } from 'vitest'
import { inputSubject, shownSubject } from '../../../src/core/permissions/input-subject.ts'

test('an input is shown whole, its keys in order', () => {
  expect(shownSubject(inputSubject({ b: [{ d: 1, c: 'x' }], a: null }))).toBe(
    '{"a":null,"b":[{"c":"x","d":1}]}',
  )
})

test('a long one is shown from both ends, and told from every other', () => {
  const shown = (middle: string) =>
    shownSubject(inputSubject({ text: `begin${'a'.repeat(9_000)}${middle}${'a'.repeat(9_000)}end` }))
  expect(shown('b')).toMatch(
    /^\{"text":"begina+\n… 14020 characters are not shown; sha256 of all: [0-9a-f]{64} …\na+end"\}$/u,
  )
  expect(shown('b')).toBe(shown('b'))
  expect(shown('b')).not.toBe(shown('c'))
})

test('a subject that a tool has named is shown whole', () => {
  const text = 'x'.repeat(100_000)
  expect(shownSubject({ kind: 'command', text })).toBe(text)
})
