import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { plainLine, plainText, terminalJson } from '../../src/cli/terminal-text.ts'

// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/

describe('text for a terminal', () => {
  test.each([
    ['colours', '\u001b[1;31mred\u001b[0m', 'red'],
    ['cursor moves', 'a\u001b[2J\u001b[Hb', 'ab'],
    ['a title', '\u001b]0;owned\u0007text', 'text'],
    ['a link', '\u001b]8;;http://example.com\u001b\\click\u001b]8;;\u001b\\', 'click'],
    ['C1 introducers', '\u009b31mred', 'red'],
    ['backspaces and carriage returns', 'safe\b\b\b\brm\r', 'saferm'],
    ['reversed text', 'abc\u202edcba', 'abcdcba'],
  ])('is free of %s', (_, text, plain) => {
    expect(plainText(text)).toBe(plain)
  })

  test('keeps newlines, tabs, and all that can be read', () => {
    expect(plainText('a\n\tb ü 漢字 👩‍👩‍👧')).toBe('a\n\tb ü 漢字 👩‍👩‍👧')
  })

  test('never holds a control character, whatever it was', () => {
    const unit = fc
      .oneof(fc.integer({ min: 0, max: 0xa0 }), fc.constantFrom(0x202e, 0x2066, 0x41))
      .map((code) => String.fromCharCode(code))
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 40 }), (text) => {
        expect(plainText(text)).not.toMatch(CONTROLS)
        expect(plainLine(text)).not.toMatch(/[\n\t]/)
        expect(terminalJson({ text })).not.toMatch(CONTROLS)
        expect(JSON.parse(terminalJson({ text }))).toEqual({ text })
      }),
    )
  })

  test('fits on one line of a given length', () => {
    expect(plainLine('  a\n\tb  ')).toBe('a b')
    expect(plainLine('abcdef', 4)).toBe('abc…')
  })
})
