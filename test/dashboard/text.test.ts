import * as fc from 'fast-check'
import stringWidth from 'string-width'
import { describe, expect, test } from 'vitest'
import { span } from '../../src/dashboard/model/line.ts'
import { cutSpans, cutToWidth, padToWidth, widthOf, wrapToWidth } from '../../src/dashboard/model/text.ts'

/** Words of all kinds: ASCII, narrow and wide letters, emoji of one and of several characters, combining marks, jamo. */
const words = fc.string({
  unit: fc.constantFrom(
    'a',
    'B',
    ' ',
    ' ',
    '-',
    'ä',
    'ж',
    '─',
    '●',
    '漢',
    '한',
    'ᄀ',
    'ᅡ',
    '👩‍👩‍👧',
    '❤️',
    '🇩🇪',
    '🇫',
    'e\u0301',
    '\u0301',
    'ｶﾞ',
    '✅',
    '✓',
    '\t',
    '…',
  ),
  maxLength: 60,
})
const width = fc.integer({ min: 1, max: 20 })

describe('text in columns', () => {
  test.each([
    ['abc', 3],
    ['漢字', 4],
    ['👩‍👩‍👧', 2],
    ['e\u0301', 1],
    ['─│●…', 4],
    ['a\tb', 3],
    ['', 0],
  ])('of %j are %i', (text, columns) => {
    expect(widthOf(text)).toBe(columns)
  })

  test('are what Ink measures', () => {
    fc.assert(
      fc.property(words, (text) => {
        expect(widthOf(text)).toBe(stringWidth(text.replaceAll('\t', ' ')))
      }),
    )
    for (let code = 0x20; code < 0x3000; code += 1) {
      const text = `a${String.fromCodePoint(code)}b`
      if (code < 0x7f || code > 0x9f) expect([code, widthOf(text)]).toEqual([code, stringWidth(text)])
    }
  })
})

describe('text that is cut to a width', () => {
  test.each([
    ['hello', 5, 'hello'],
    ['hello', 4, 'hel…'],
    ['hello', 1, '…'],
    ['hello', 0, ''],
    ['漢字漢', 5, '漢字…'],
    ['漢字漢', 4, '漢…'],
    ['漢字', 4, '漢字'],
    ['a👩‍👩‍👧b', 3, 'a…'],
    ['a\tb\nc', 9, 'a b c'],
  ])('%j at %i is %j', (text, columns, cut) => {
    expect(cutToWidth(text, columns)).toBe(cut)
  })

  test('is never wider, and whole where it fits', () => {
    fc.assert(
      fc.property(words, width, (text, columns) => {
        const cut = cutToWidth(text, columns)
        expect(stringWidth(cut)).toBeLessThanOrEqual(columns)
        if (widthOf(text) <= columns) expect(cut).toBe(text.replaceAll('\t', ' '))
        expect(stringWidth(padToWidth(cut, columns))).toBe(columns)
      }),
    )
  })
})

describe('text that is wrapped', () => {
  test.each([
    ['the quick brown fox', 10, ['the quick', 'brown fox']],
    ['the quick', 9, ['the quick']],
    ['the  quick', 5, ['the', 'quick']],
    ['abcdefghij', 4, ['abcd', 'efgh', 'ij']],
    ['ab cdefghij', 4, ['ab', 'cdef', 'ghij']],
    ['a\n\nb', 4, ['a', '', 'b']],
    ['  indented text', 10, ['  indented', 'text']],
    ['\tx', 8, ['    x']],
    ['ab\tx', 8, ['ab  x']],
    ['漢 字\tx\ty', 20, ['漢 字   x   y']],
    ['漢字漢字', 5, ['漢字', '漢字']],
    ['ab 漢字 cd', 4, ['ab', '漢字', 'cd']],
    ['漢字', 1, ['…', '…']],
    ['abc   ', 3, ['abc']],
    ['', 3, ['']],
    ['x', 0, ['']],
  ])('%j at %i is %j', (text, columns, rows) => {
    expect(wrapToWidth(text, columns)).toEqual(rows)
  })

  test('has no row that is too wide, and loses nothing but spaces', () => {
    fc.assert(
      fc.property(words, fc.integer({ min: 2, max: 20 }), (text, columns) => {
        // Letters of Hangul join to graphemes of any width: one that has no room is an ellipsis.
        const graphemes = Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment)
        fc.pre(graphemes.every((grapheme) => stringWidth(grapheme) <= columns))
        const rows = wrapToWidth(text, columns)
        for (const row of rows) expect(stringWidth(row)).toBeLessThanOrEqual(columns)
        expect(rows.join('').replaceAll(' ', '')).toBe(text.replaceAll(/[ \t]/g, ''))
      }),
    )
  })
})

test('spans are cut where the row ends', () => {
  const spans = [span('● ', 'good'), span('shell', 'strong'), span(' npm test', 'plain')]
  expect(cutSpans(spans, 40)).toEqual(spans)
  expect(cutSpans(spans, 10)).toEqual([spans[0], spans[1], span(' n…', 'plain')])
  expect(cutSpans(spans, 7)).toEqual(spans.slice(0, 2))
})
