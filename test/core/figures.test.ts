import { describe, expect, test } from 'vitest'
import { ageText, shortIdLength, sizeText } from '../../src/core/figures.ts'

describe('figures', () => {
  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KB'],
    [12_288, '12 KB'],
    [3.4 * 1024 ** 2, '3.4 MB'],
    [5 * 1024 ** 5, '5120 TB'],
  ])('%i bytes read %j', (bytes, text) => {
    expect(sizeText(bytes)).toBe(text)
  })

  test.each([
    [-5_000, '0s'],
    [59_999, '59s'],
    [60_000, '1m'],
    [3_600_000, '1h'],
    [86_400_000 * 9, '9d'],
  ])('%i ms ago reads %j', (ageMs, text) => {
    const now = Date.parse('2026-01-01T00:00:00.000Z')
    expect(ageText(new Date(now - ageMs).toISOString(), now)).toBe(text)
  })

  test('short ids are as short as they can be and still differ', () => {
    expect(shortIdLength([])).toBe(8)
    expect(shortIdLength(['01a20fa7-598a', '11a20fa7-598a'])).toBe(8)
    expect(shortIdLength(['01a20fa7-598a-7', '01a20fa7-598b-7', '11a20fa7-598b-7'])).toBe(13)
  })
})
