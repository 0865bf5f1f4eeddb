import { createRedactor } from '../../src/runtime/secrets/redactor.ts'
import { describe, expect, test } from 'vitest'
import { TextMerger } from '../../src/runtime/text-merger.ts'
import { SimulatedClock } from '../fakes/simulated-clock.ts'

function merger(): { clock: SimulatedClock; merger: TextMerger; pieces: { text: string; dropped?: true }[] } {
  const clock = new SimulatedClock()
  const pieces: { text: string; dropped?: true }[] = []
  return {
    clock,
    merger: new TextMerger(clock, (piece) => pieces.push(piece), createRedactor([]).stream()),
    pieces,
  }
}

describe('text of a turn', () => {
  test('is sent about thirty times a second, merged', () => {
    const { clock, merger: text, pieces } = merger()
    for (let ms = 0; ms < 990; ms++) {
      text.push('x')
      clock.advance(1)
    }
    expect(pieces).toHaveLength(30)
    expect(pieces.map(({ text }) => text.length)).toEqual(Array(30).fill(33))
  })

  test('is cut to 64 Ki characters a piece, the cut marked in that piece alone', () => {
    const { clock, merger: text, pieces } = merger()
    text.push('a'.repeat(65_000))
    text.push('b'.repeat(1_000))
    text.push('c')
    clock.advance(33)
    text.push('d')
    clock.advance(33)
    expect(pieces.map(({ text, dropped }) => [text.length, dropped])).toEqual([
      [65_536, true],
      [1, undefined],
    ])
  })

  test('is sent at once by flush, which sends nothing where there is nothing', () => {
    const { clock, merger: text, pieces } = merger()
    text.flush()
    text.push('x')
    text.flush()
    text.flush()
    clock.advance(1_000)
    expect(pieces).toEqual([{ text: 'x' }])
    expect(clock.timers).toBe(0)
  })

  test('is well-formed, whatever was emitted', () => {
    const { merger: text, pieces } = merger()
    text.push('\ud83d')
    text.flush()
    expect(pieces[0]?.text.isWellFormed()).toBe(true)
  })
})
