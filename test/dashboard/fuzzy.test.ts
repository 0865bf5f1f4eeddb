import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fuzzyFilter, fuzzyMatch, matchSpans } from '../../src/dashboard/model/fuzzy.ts'

function found(query: string, ...texts: string[]): string[] {
  return fuzzyFilter(texts, query, (text) => text).map(({ item }) => item)
}

/** The text with what was found in brackets. */
function marked(query: string, text: string): string {
  const { positions = [] } = fuzzyMatch(query, text) ?? {}
  return matchSpans(text, positions)
    .map(({ text: part, tone }) => (tone === 'strong' ? `[${part}]` : part))
    .join('')
}

describe('finding by some letters', () => {
  test('finds letters in their order only', () => {
    expect(found('apm', 'api main', 'main api', 'pam')).toEqual(['api main'])
  })

  test('finds upper and lower case alike', () => {
    expect(found('API', 'my api')).toEqual(['my api'])
    expect(found('api', 'My API')).toEqual(['My API'])
  })

  test('finds words of the query in any order', () => {
    expect(marked('prod api', 'api of prod')).toBe('[api] of [prod]')
    expect(found('prod x', 'api of prod')).toEqual([])
  })

  test('finds everything, in its order, with nothing typed', () => {
    expect(found('', 'b', 'a')).toEqual(['b', 'a'])
    expect(found('  ', 'b', 'a')).toEqual(['b', 'a'])
  })

  test.each([
    ['the start of a word is better than its middle', 'ta', 'new table', 'newtable'],
    ['the start of the text is better than that of a later word', 'ta', 'table of x', 'of a table'],
    ['letters side by side are better than letters apart', 'abc', 'x abc y', 'x a b c'],
    ['a shorter text is better than a longer one', 'api', 'api', 'api server'],
    ['starts of words are better than letters in the middle', 'sm', 'session main', 'prisms'],
    ['a capital begins a word', 'tl', 'doTheLine', 'dotitle'],
    ['nearer letters are better than ones far apart', 'xz', 'a xxyz b cccc', 'a xyyyyyyz b'],
  ])('ranks by: %s', (_, query, better, worse) => {
    expect(found(query, worse, better)).toEqual([better, worse])
  })

  test.each([
    ['main', 'my admin main', 'my admin [main]'],
    ['fb', 'foo-bar', '[f]oo-[b]ar'],
    ['ab', 'aab ab', 'aab [ab]'],
    ['x', 'abc', 'abc'],
    ['é', 'cafe\u0301 é', 'cafe\u0301 [é]'],
    ['e', 'cafe\u0301', 'caf[e\u0301]'],
    ['👍', 'a 👍 b', 'a [👍] b'],
    ['x', 'İİx', 'İİ[x]'],
  ])('%j in %j is %j', (query, text, expected) => {
    expect(marked(query, text)).toBe(expected)
  })

  test('gives places that spell the query, each once and ascending', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' ', '-'), maxLength: 12 })
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(word, letters, (query, text) => {
        const match = fuzzyMatch(query, text)
        expect(match !== undefined).toBe(new RegExp(query.split('').join('.*')).test(text))
        expect(match?.positions.map((at) => text[at]).join('') ?? query).toBe(query)
        expect(match?.positions.toSorted((a, b) => a - b)).toEqual(match?.positions)
      }),
    )
  })

  test('scores the places that it gives as the best there are', () => {
    // The query as a word of its own is one way to find it: whatever is round it, what is found is never worse.
    const word = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 3 })
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ' '), maxLength: 8 })
    fc.assert(
      fc.property(word, text, text, (query, before, after) => {
        const alone = fuzzyMatch(query, ` ${query}`)
        const within = fuzzyMatch(query, `${before} ${query}${after}`)
        const lengths = (before.length + after.length) / 1_000
        expect(within?.score ?? -Infinity).toBeGreaterThanOrEqual((alone?.score ?? Infinity) - lengths - 1e-9)
      }),
    )
  })
})
