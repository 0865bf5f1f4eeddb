import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { editorLines } from '../../src/dashboard/model/editor-lines.ts'
import {
  EDITING_KEYS,
  editKey,
  emptyLine,
  insertText,
  type LineEditor,
  MAX_TEXT_LENGTH,
} from '../../src/dashboard/model/line-editor.ts'
import { widthOf } from '../../src/dashboard/model/text.ts'

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** `|` is the cursor. */
function editorOf(text: string): LineEditor {
  return { text: text.replace('|', ''), cursor: text.indexOf('|') }
}

function textOf({ text, cursor }: LineEditor): string {
  return `${text.slice(0, cursor)}|${text.slice(cursor)}`
}

/** Keys that do nothing leave it as it is. */
function press(text: string | LineEditor, ...keys: string[]): LineEditor {
  const editor = typeof text === 'string' ? editorOf(text) : text
  return keys.reduce((before, key) => editKey(before, key) ?? before, editor)
}

describe('the input line', () => {
  test.each([
    ['left', 'ab|c', 'a|bc'],
    ['ctrl+b', '|abc', '|abc'],
    ['right', 'ab|c', 'abc|'],
    ['ctrl+f', 'abc|', 'abc|'],
    ['left', 'a👩‍👩‍👧|b', 'a|👩‍👩‍👧b'],
    ['right', '|e\u0301x', 'e\u0301|x'],
    ['alt+b', 'one two, |', 'one |two, '],
    ['alt+b', 'one|', '|one'],
    ['alt+f', '|one two', 'one| two'],
    ['alt+f', 'one|, zwölf', 'one, zwölf|'],
    ['ctrl+a', 'one\ntw|o', 'one\n|two'],
    ['home', 'on|e', '|one'],
    ['ctrl+e', 'o|ne\ntwo', 'one|\ntwo'],
    ['end', 'o|ne', 'one|'],
    ['backspace', 'a👍🏽|b', 'a|b'],
    ['ctrl+h', '|a', '|a'],
    ['backspace', 'a\n|b', 'a|b'],
    ['delete', 'a|👍🏽b', 'a|b'],
    ['delete', 'a|', 'a|'],
    ['ctrl+w', 'rm -rf ./a-b|', 'rm -rf |'],
    ['ctrl+w', 'rm -rf  |x', 'rm |x'],
    ['alt+backspace', 'rm ./a-b|', 'rm ./a-|'],
    ['alt+d', 'a| b-c', 'a|-c'],
    ['ctrl+u', 'one\ntw|o', 'one\n|o'],
    ['ctrl+k', 'o|ne\ntwo', 'o|\ntwo'],
    ['ctrl+k', 'one|\ntwo', 'one|two'],
    ['ctrl+k', 'one|', 'one|'],
    ['up', 'one\ntw|o', 'on|e\ntwo'],
    ['up', 'a\nbcd|', 'a|\nbcd'],
    ['down', 'o|ne\ntwo\nx', 'one\nt|wo\nx'],
    ['down', 'abc|\n👍x', 'abc\n👍x|'],
    ['down', 'a|b\n👍x', 'ab\n👍|x'],
    ['space', 'a|b', 'a |b'],
    ['x', 'a|b', 'ax|b'],
    ['👩‍👩‍👧', 'a|b', 'a👩‍👩‍👧|b'],
  ])('%s in %j gives %j', (key, before, after) => {
    expect(textOf(press(before, key))).toBe(after)
  })

  test('puts in with Ctrl-Y what was cut last, one after the other as one piece', () => {
    expect(textOf(press('a b c|', 'ctrl+w', 'ctrl+w', 'ctrl+y', 'ctrl+y'))).toBe('a b cb c|')
    expect(textOf(press('|a b c', 'alt+d', 'alt+d', 'ctrl+e', 'ctrl+y'))).toBe(' ca b|')
    expect(textOf(press('a b|', 'ctrl+w', 'left', 'ctrl+w', 'ctrl+y'))).toBe('a| ')
    expect(textOf(press('a|', 'ctrl+y'))).toBe('a|')
  })

  test.each(['enter', 'esc', 'tab', 'pageup', 'ctrl+c', 'ctrl+x', 'alt+x', 'f5', '', '\u0007', '\u009b'])(
    'has no use for %j',
    (key) => {
      expect(editKey(editorOf('a|b'), key)).toBeUndefined()
    },
  )

  test('leaves the first line upward and the last one downward to the history', () => {
    expect(editKey(editorOf('a|b'), 'up')).toBeUndefined()
    expect(editKey(editorOf('a\nb|'), 'down')).toBeUndefined()
  })

  test('keeps the newlines and tabs of pasted text and nothing that controls a terminal', () => {
    expect(insertText(emptyLine, 'a\r\n\tb\rc\n\u001b[31md\u001b]0;title\u0007\u202ee').text).toBe(
      'a\n\tb\nc\nde',
    )
  })

  test('refuses what has no room, whole, and says so until the next key', () => {
    const full = insertText(emptyLine, 'x'.repeat(MAX_TEXT_LENGTH))
    expect(full.refused).toBeUndefined()
    const refused = insertText(full, 'yz')
    expect(refused).toMatchObject({ text: full.text, cursor: full.cursor, refused: 2 })
    expect(editKey(full, 'y')?.refused).toBe(1)
    expect(editKey(refused, 'left')?.refused).toBeUndefined()
  })

  test('has a use for every key that the help shows', () => {
    const editor: LineEditor = { ...editorOf('a b\nc |d e\nf g'), cut: 'x' }
    for (const { keys } of EDITING_KEYS) {
      for (const key of keys) expect(textOf(press(editor, key)), key).not.toBe(textOf(editor))
    }
  })

  test('keeps its cursor between graphemes, whatever is pressed', () => {
    const keys = EDITING_KEYS.flatMap((binding) => binding.keys)
    const key = fc.oneof(
      fc.constantFrom(...keys, 'space', '\u0301', '\u200d', '👩', '🇩'),
      fc.string({ unit: 'grapheme', maxLength: 1 }),
    )
    const pasted = fc.string({
      unit: fc.constantFrom('a', '\n', ' ', '\u0301', '\u200d', '👩', '🇩', '한'),
      maxLength: 12,
    })
    fc.assert(
      fc.property(pasted, fc.array(key, { maxLength: 30 }), (text, pressed) => {
        const { text: after, cursor } = press(insertText(emptyLine, text), ...pressed)
        const edges = [
          0,
          ...Array.from(GRAPHEMES.segment(after), ({ index, segment }) => index + segment.length),
        ]
        expect(edges).toContain(cursor)
      }),
    )
  })
})

/** The rows as seen, `|` where the cursor is. */
function seen(text: string, width: number, rows = 3): string[] {
  const { lines, cursor } = editorLines(editorOf(text), width, rows)
  return lines.map((line, y) => {
    const row = line.map((span) => span.text).join('')
    return y === cursor.y ? `${row.slice(0, cursor.x)}|${row.slice(cursor.x)}` : row
  })
}

describe('what is seen of the input line', () => {
  test.each([
    ['|', 8, ['|']],
    ['abc|', 8, ['abc|']],
    ['abcdefg|', 8, ['abcdefg|']],
    ['|abcdefgh', 8, ['|abcdefgh']],
    ['abcdefgh|', 8, ['…cdefgh|']],
    ['|abcdefghijkl', 8, ['|abcdefg…']],
    ['abcdef|ghijkl', 8, ['…cdef|gh…']],
    ['abcdefghijk|l', 8, ['…ghijk|l']],
    ['a\tb|', 8, ['a b|']],
    ['abcdefghij|', 1, ['|']],
    ['|abc', 1, ['|…']],
  ])('of %j in %i columns is %j', (text, width, rows) => {
    expect(seen(text, width)).toEqual(rows)
  })

  test('are the rows round the cursor, the others from their beginning', () => {
    expect(seen('one\ntwo|\nthree three three\nfour', 8)).toEqual(['one', 'two|', 'three t…'])
    expect(seen('one\ntwo\nthree\nfour|', 8)).toEqual(['two', 'three', 'four|'])
    expect(seen('one\ntwo\nth|ree\nfour', 8, 1)).toEqual(['th|ree'])
  })

  test('has its cursor in columns, not in characters', () => {
    expect(editorLines(editorOf('한국👍|'), 10, 1).cursor).toEqual({ x: 6, y: 0 })
  })

  test('is never wider than there is room, with the cursor in it', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', '\n', ' ', '\t', '👩', '한', 'e\u0301'),
      maxLength: 60,
    })
    fc.assert(
      fc.property(
        text,
        fc.nat(60),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 4 }),
        (pasted, back, width, rows) => {
          const editor = press(insertText(emptyLine, pasted), ...Array.from({ length: back }, () => 'left'))
          const { lines, cursor } = editorLines(editor, width, rows)
          expect(lines.length).toBeLessThanOrEqual(rows)
          for (const line of lines)
            expect(widthOf(line.map((span) => span.text).join(''))).toBeLessThanOrEqual(width)
          expect(cursor.x).toBeLessThan(width)
          expect(cursor.y).toBeLessThan(lines.length)
        },
      ),
    )
  })
})
