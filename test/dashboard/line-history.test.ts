import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  emptyHistory,
  formatHistoryLine,
  type LineHistory,
  MAX_HISTORY,
  nextLine,
  parseHistory,
  previousLine,
  rememberLine,
} from '../../src/dashboard/model/line-history.ts'

function historyOf(...lines: string[]): LineHistory {
  return lines.reduce(rememberLine, emptyHistory)
}

/** Goes back or forward, with what is shown as what stands in the input line. */
function walk(history: LineHistory, draft: string, steps: readonly ('up' | 'down')[]): string[] {
  const shown = [draft]
  let at = history
  for (const step of steps) {
    const current = shown.at(-1) ?? ''
    const next = step === 'up' ? previousLine(at, current) : nextLine(at)
    shown.push(next?.text ?? current)
    at = next?.history ?? at
  }
  return shown.slice(1)
}

describe('the history of lines', () => {
  test('goes back to the oldest line and forward to what was being typed', () => {
    const history = historyOf('one', 'two')
    expect(walk(history, 'draft', ['up', 'up', 'up', 'down', 'down', 'down'])).toEqual([
      'two',
      'one',
      'one',
      'two',
      'draft',
      'draft',
    ])
  })

  test('has nothing before the first line and nothing after the draft', () => {
    expect(previousLine(emptyHistory, 'x')).toBeUndefined()
    expect(nextLine(historyOf('one'))).toBeUndefined()
  })

  test('keeps a line once where it is entered twice in a row, and not where it is blank', () => {
    expect(historyOf('a', 'a', ' ', 'b', 'a').lines).toEqual(['a', 'b', 'a'])
  })

  test('is the same value where nothing was added, so that nobody writes it down', () => {
    const history = historyOf('a')
    expect(rememberLine(history, 'a')).toBe(history)
    expect(rememberLine(history, '')).toBe(history)
  })

  test('is at its end again after a line was entered from the middle of it', () => {
    const back = previousLine(historyOf('one', 'two'), 'draft')
    if (back === undefined) throw new Error('there is a line before')
    const entered = rememberLine(back.history, 'two')
    expect(previousLine(entered, '')?.text).toBe('two')
    expect(nextLine(entered)).toBeUndefined()
  })

  test('keeps the newest lines', () => {
    const many = Array.from({ length: MAX_HISTORY + 5 }, (_, index) => `line ${index}`)
    const history = historyOf(...many)
    expect(history.lines).toHaveLength(MAX_HISTORY)
    expect(history.lines.at(-1)).toBe(many.at(-1))
    expect(parseHistory(many.map(formatHistoryLine).join('\n'))).toEqual(history.lines)
  })

  test('stays in range when fewer lines replace those that were there', () => {
    const back = previousLine(historyOf('a', 'b', 'c'), 'draft')?.history ?? emptyHistory
    const replaced = { ...previousLine(back, '')?.history, lines: ['x'] } as LineHistory
    expect(previousLine(replaced, '')).toBeUndefined()
    expect(nextLine(replaced)?.text).toBe('draft')
  })

  test('survives its file, newlines and all', () => {
    const line = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => text.trim() !== '')
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const history = historyOf(...lines)
        const file = history.lines.map((kept) => `${formatHistoryLine(kept)}\n`).join('')
        expect(file.split('\n')).toHaveLength(history.lines.length + 1)
        expect(parseHistory(file)).toEqual(history.lines)
      }),
    )
  })

  test('passes over what is no line of it', () => {
    expect(parseHistory('"a"\n\n{"b":1}\n"c\n7\n"d"\n"d"\n" "\n')).toEqual(['a', 'd'])
  })
})
