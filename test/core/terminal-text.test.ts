import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { plainLine, plainText, screenText, terminalJson, verbatimLine } from '../../src/core/terminal-text.ts'

// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069\ufeff]/

describe('text for a terminal', () => {
  test.each([
    ['colours', '\u001b[1;31mred\u001b[0m', 'red'],
    ['cursor moves', 'a\u001b[2J\u001b[Hb', 'ab'],
    ['a title', '\u001b]0;owned\u0007text', 'text'],
    ['a link', '\u001b]8;;http://example.com\u001b\\click\u001b]8;;\u001b\\', 'click'],
    ['C1 introducers', '\u009b31mred', 'red'],
    ['backspaces and carriage returns', 'safe\b\b\b\brm\r', 'saferm'],
    ['reversed text', 'abc\u202edcba', 'abcdcba'],
    ['the clipboard', 'a\u001b]52;c;aGVsbG8=\u0007b', 'ab'],
    ['the clipboard, ended by ST', 'a\u001b]52;c;aGVsbG8=\u001b\\b', 'ab'],
    ['strings of one-character forms', 'a\u009d52;c;aGVsbG8=\u009cb\u0090q\u009cc', 'abc'],
    ['device control strings over lines', 'a\u001bP1$r\n0m\u001b\\b', 'ab'],
    [
      'application strings and messages',
      'a\u001b_Gf=100;AAAA\u001b\\b\u001b^x\u001b\\c\u001bXy\u001b\\d',
      'abcd',
    ],
    ['strings within strings', 'a\u001bPtmux;\u001b\u001b]52;c;eA==\u0007\u001b\\b', 'ab'],
    ['other escapes', 'a\u001bc\u001b(B\u001b7b\u001b#8', 'ab'],
    ['an escape at the end', 'a\u001b', 'a'],
    ['a CSI without an end', 'a\u001b[12;', 'a'],
    ['a CSI that another one cuts off', 'a\u001b[1\u001b[2Jb', 'ab'],
    ['a string without an end, up to the end of its line', 'a\u001b]0;title\nb', 'a\nb'],
    ['bells, shifts and nulls', 'a\u0007b\u000ec\u000fd\u0000e', 'abcde'],
    ['marks of direction', 'a\u200eb\u200fc\u061cd\u2067e', 'abcde'],
    ['what has no shape', 'a\u200bb\u2060c\ufeffd\u00ade\u3164f\u{e0041}g', 'abcdefg'],
    ['half characters', 'a\ud83db', 'a\ufffdb'],
    ['towers of marks', `e${'\u0301'.repeat(100)}`, `e${'\u0301'.repeat(8)}`],
  ])('is free of %s', (_, text, plain) => {
    expect(plainText(text)).toBe(plain)
  })

  test('sets the parts of an emoji beside each other, as wide in one terminal as in another', () => {
    expect(screenText('👩‍👩‍👧 👨🏽‍💻 ❤️ 1️⃣ 🏳️‍🌈 🇩🇪')).toBe('👩👩👧 👨💻 ❤ 1 🏳🌈 🇩🇪')
  })

  test('keeps runs of spaces on the one line of a command', () => {
    expect(verbatimLine(' sleep  0.2\n\techo\u2028a \u001b[2J b ')).toBe('sleep  0.2 echo a  b')
    expect(plainLine('sleep  0.2')).toBe('sleep 0.2')
    expect(verbatimLine('a  bc', 4)).toBe('a  …')
  })

  test('keeps newlines, tabs, and all that can be read', () => {
    expect(plainText('a\n\tb ü 漢字 👩‍👩‍👧 ❤️ می‌خواهم')).toBe('a\n\tb ü 漢字 👩‍👩‍👧 ❤️ می‌خواهم')
  })

  test('never holds a control character, whatever it was', () => {
    const unit = fc
      .oneof(fc.integer({ min: 0, max: 0xa0 }), fc.constantFrom(0x202e, 0x2066, 0x41))
      .map((code) => String.fromCharCode(code))
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 40 }), (text) => {
        expect(plainText(text)).not.toMatch(CONTROLS)
        expect(plainLine(text)).not.toMatch(/[\n\t]/)
        expect(verbatimLine(text)).not.toMatch(CONTROLS)
        expect(verbatimLine(text)).not.toMatch(/[\n\t]/)
        expect(terminalJson({ text })).not.toMatch(CONTROLS)
        expect(JSON.parse(terminalJson({ text }))).toEqual({ text })
      }),
    )
  })

  test('takes separators of lines for newlines', () => {
    expect(plainText('a\u2028b\u2029c')).toBe('a\nb\nc')
  })

  test('is the same when it is made fit again', () => {
    const unit = fc.constantFrom(
      '\u001b',
      ']',
      '[',
      '0',
      ';',
      'm',
      '\u0007',
      '\u009c',
      '\u009d',
      '\\',
      '\n',
      'P',
      'a',
      '\u0301',
    )
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 40 }), (text) => {
        expect(plainText(plainText(text))).toBe(plainText(text))
      }),
    )
  })

  test('is JSON of the same value, all that cannot be seen escaped', () => {
    const value = { text: 'a\u200bb\u{e0041}\u2028' }
    expect(terminalJson(value)).toContain('a\\u200bb\\udb40\\udc41\\u2028')
    expect(JSON.parse(terminalJson(value))).toEqual(value)
  })

  test('fits on one line of a given length', () => {
    expect(plainLine('  a\n\tb  ')).toBe('a b')
    expect(plainLine('abcdef', 4)).toBe('abc…')
  })
})
