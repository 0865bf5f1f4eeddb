import { describe, expect, test } from 'vitest'
import { painter, unpainted } from '../../../src/dashboard/view/theme.ts'
import type { Tone } from '../../../src/dashboard/model/line.ts'

const TONES: readonly Tone[] = [
  'plain',
  'dim',
  'strong',
  'accent',
  'good',
  'warn',
  'bad',
  'ask',
  'grey',
  'selected',
  'chosen',
]
// oxlint-disable-next-line no-control-regex -- the sequences are what this is about
const COLOUR = /\u001b\[(?:[\d;]*;)?(?:3\d|4\d|9\d|10\d)(?:;[\d;]*)?m/

describe('how tones look', () => {
  test('without colours nothing is coloured, and what is chosen still differs from all else', () => {
    const paint = painter(1)
    const painted = TONES.map((tone) => paint('x', tone))
    expect(painted.filter((text) => COLOUR.test(text))).toEqual([])
    expect(paint('x', 'selected')).toBe('\u001b[7mx\u001b[0m')
    expect(painted.filter((text) => text === paint('x', 'chosen'))).toHaveLength(1)
  })

  test.each([4, 8, 24])('with %i bits of colour every status has its own', (bits) => {
    const paint = painter(bits)
    const painted = (['plain', 'good', 'warn', 'bad', 'ask', 'grey', 'accent'] as const).map((tone) =>
      paint('x', tone),
    )
    expect(new Set(painted).size).toBe(painted.length)
    expect(paint('x', 'good')).toBe('\u001b[32mx\u001b[0m')
  })

  test('sixteen colours are all that a terminal of sixteen gets', () => {
    const paint = painter(4)
    expect(TONES.map((tone) => paint('x', tone)).filter((text) => text.includes('8;5;'))).toEqual([])
  })

  test('no text is no sequence', () => {
    expect(TONES.map((tone) => painter(8)('', tone)).join('')).toBe('')
  })

  test('for a screen reader there are words only', () => {
    expect(TONES.map((tone) => unpainted('x', tone)).join('')).toBe('x'.repeat(TONES.length))
  })
})
