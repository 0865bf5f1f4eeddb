import { describe, expect, test } from 'vitest'
import { createTurnPrinter } from '../../src/cli/turn-printer.ts'
import { createTextSink } from './text-sink.ts'

interface Piece {
  text: string
  dropped?: true
}

function print(pieces: (string | Piece)[], result: string | undefined, isTTY = false): string {
  const sink = createTextSink(isTTY)
  const printer = createTurnPrinter(sink)
  for (const piece of pieces) printer.text(typeof piece === 'string' ? { text: piece } : piece)
  printer.finish(result)
  return sink.text()
}

const lines = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => `line ${first + index}\n`).join('')

describe('the text of a turn', () => {
  test('is the result, byte for byte, where nothing was streamed', () => {
    expect(print([], 'no newline')).toBe('no newline')
    expect(print([], '')).toBe('')
  })

  test('is written as it comes', () => {
    const sink = createTextSink()
    const printer = createTurnPrinter(sink)
    printer.text({ text: 'one ' })
    expect(sink.text()).toBe('one ')
    printer.text({ text: 'two' })
    expect(sink.text()).toBe('one two')
  })

  test('holds the result once where all of it was streamed', () => {
    expect(print(['one ', 'two\n'], 'one two\n')).toBe('one two\n')
  })

  test('is completed by what the stream had not', () => {
    expect(print(['one '], 'one two\n')).toBe('one two\n')
  })

  test('does not repeat a result that the stream ended with', () => {
    expect(print(['let me look\n', 'it is 42\n'], 'it is 42\n')).toBe('let me look\nit is 42\n')
  })

  test('has a result that is something else on a line of its own', () => {
    expect(print(['working…'], '42')).toBe('working…\n42')
    expect(print(['working…\n'], '42')).toBe('working…\n42')
    expect(print(['is it 41? '], 'is it 42')).toBe('is it 41? \nis it 42')
  })

  test('stops where some of the stream was dropped, and ends with the whole result', () => {
    const result = lines(1, 100)
    expect(print([lines(1, 10), { text: lines(60, 70), dropped: true }, lines(71, 80)], result)).toBe(result)
  })

  test('is not followed by the cut of itself that a long result is', () => {
    const cut = `${lines(1, 400)}\n[… 100 bytes cut …]\n${lines(600, 1000)}`
    expect(print([lines(1, 1000)], cut)).toBe(lines(1, 1000))
  })

  test('does not repeat the beginning of a cut result where some of the stream was dropped', () => {
    const cut = `${lines(1, 400)}\n[… 100 bytes cut …]\n${lines(600, 1000)}`
    const printed = print([lines(1, 500), { text: lines(700, 800), dropped: true }], cut)
    expect(printed.match(/^line 300$/gm)).toHaveLength(1)
    expect(printed.match(/^line 1000$/gm)).toHaveLength(1)
  })

  test('says nothing more where a turn has an empty result, or failed', () => {
    expect(print(['some output\n'], '')).toBe('some output\n')
    expect(print(['some output'], undefined)).toBe('some output')
    expect(print(['some ', { text: 'put', dropped: true }], undefined)).toBe('some ')
    expect(print(['some output'], undefined, true)).toBe('some output\n')
  })

  test('ends with a newline on a terminal only', () => {
    expect(print(['one'], 'one', true)).toBe('one\n')
    expect(print(['one\n'], 'one\n', true)).toBe('one\n')
    expect(print(['one'], 'one', false)).toBe('one')
  })

  test('carries no control sequence to a terminal, also none that comes in two pieces', () => {
    const text = '\u001b]52;c;aGk=\u0007red \u001b[31mred\u001b[0m\n'
    for (let cut = 0; cut <= text.length; cut++) {
      const printed = print([text.slice(0, cut), text.slice(cut)], text, true)
      // oxlint-disable-next-line no-control-regex -- control characters are what this is about
      expect(printed).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/)
    }
    expect(print([text], text)).toBe(text)
  })
})
