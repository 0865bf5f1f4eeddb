import { describe, expect, test } from 'vitest'
import { parseDuration } from '../../src/core/duration.ts'
import { isAgentryError } from '../../src/errors.ts'
import { errorWith } from '../error-with.ts'

describe('a duration', () => {
  test.each([
    ['500ms', 500],
    ['1s', 1_000],
    ['5m', 300_000],
    ['12h', 43_200_000],
    ['30d', 2_592_000_000],
    ['2w', 1_209_600_000],
    ['1.5h', 5_400_000],
    ['0s', 0],
    ['1h 30m', 5_400_000],
    ['30d12h500ms', 2_635_200_500],
    [' 1 h ', 3_600_000],
  ])('reads %j as %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  test.each([
    '',
    ' ',
    '30',
    '30 days',
    'd',
    '-1d',
    '1d,2h',
    '1e3s',
    '30D',
    '1.s',
    '١d',
    `${'9'.repeat(30)}d`,
  ])('refuses %j by name, with what was expected and received', (text) => {
    expect(() => parseDuration(text)).toThrow(
      errorWith('invalid_input', `such as 30d, "1h 30m" or 500ms), received ${JSON.stringify(text)}`),
    )
  })

  test('answers a long text of digits at once', () => {
    const text = '1'.repeat(100_000)
    const started = performance.now()
    try {
      parseDuration(text)
      expect.unreachable()
    } catch (error) {
      expect(isAgentryError(error, 'invalid_input')).toBe(true)
    }
    expect(performance.now() - started).toBeLessThan(1_000)
  })
})
