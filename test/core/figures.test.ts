import { describe, expect, test } from 'vitest'
import { ageText, costText, shortIdLength, sizeText, tokensText } from '../../src/core/figures.ts'

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

  test.each([
    [0, '0'],
    [999, '999'],
    [1_000, '1.0k'],
    [12_340, '12k'],
    [999_500, '1.0M'],
    [34_000_000, '34M'],
  ])('%i tokens read %j', (tokens, text) => {
    expect(tokensText(tokens)).toBe(text)
  })

  test.each([
    [{ steps: 0, costUsd: 0, unpricedSteps: 0 }, '$0'],
    [{ steps: 2, costUsd: 0.03124, unpricedSteps: 0 }, '$0.0312'],
    [{ steps: 2, costUsd: 1.2, unpricedSteps: 0 }, '$1.20'],
    [{ steps: 2, costUsd: 1.2, unpricedSteps: 1 }, '$1.20 + ?'],
    [{ steps: 2, costUsd: 0, unpricedSteps: 2 }, '?'],
  ])('the cost of %o reads %j: what is not known is not free', (total, text) => {
    expect(costText(total)).toBe(text)
  })
})
