import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { didYouMean, editDistance, nearest } from '../../src/core/suggest.ts'

const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 })

describe('the edit distance', () => {
  test.each([
    ['behavior', 'behaviour', 1],
    ['retntion', 'retention', 1],
    ['agetns', 'agents', 1],
    ['kitten', 'sitting', 3],
    ['', 'abc', 3],
    ['same', 'same', 0],
  ])('from %j to %j is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance)
  })

  test('is the same both ways, 0 for equal words only, and at most the length of the longer word', () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b)
        expect(distance).toBe(editDistance(b, a))
        expect(distance === 0).toBe(a === b)
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length))
      }),
    )
  })

  test('does not compute on words that nobody types', () => {
    expect(editDistance('a'.repeat(100_000), 'b'.repeat(100_000))).toBe(Infinity)
  })
})

describe('a suggestion', () => {
  test('is the nearest known word, whatever its case', () => {
    expect(nearest('Behaviour', ['role', 'behavior', 'id'])).toBe('behavior')
    expect(nearest('workingdir', ['workingDir', 'role'])).toBe('workingDir')
  })

  test('is not made where no word is near', () => {
    expect(nearest('providers', ['role', 'behavior', 'id'])).toBeUndefined()
    expect(nearest('xy', ['id'])).toBeUndefined()
    expect(didYouMean('providers', ['role'])).toBe('')
  })

  test('reads as the end of a message', () => {
    expect(didYouMean('retntion', ['retention'])).toBe('; did you mean "retention"?')
  })
})
