import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { isoTime, systemClock } from '../../src/core/clock.ts'

const DAY_MS = 86_400_000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

test('a timer fires once, at its delay', () => {
  const callback = vi.fn<() => void>()
  systemClock.setTimer(50, callback)
  vi.advanceTimersByTime(49)
  expect(callback).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1_000)
  expect(callback).toHaveBeenCalledTimes(1)
})

test('a timer of many days fires after those days, not at once', () => {
  const callback = vi.fn<() => void>()
  systemClock.setTimer(60 * DAY_MS, callback)
  vi.advanceTimersByTime(60 * DAY_MS - 1)
  expect(callback).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(callback).toHaveBeenCalledTimes(1)
})

test('a cancelled timer never fires, however far it had got', () => {
  const callback = vi.fn<() => void>()
  const short = systemClock.setTimer(10, callback)
  const long = systemClock.setTimer(60 * DAY_MS, callback)
  vi.advanceTimersByTime(5)
  short.cancel()
  vi.advanceTimersByTime(30 * DAY_MS)
  long.cancel()
  long.cancel()
  vi.advanceTimersByTime(60 * DAY_MS)
  expect(callback).not.toHaveBeenCalled()
})

test('a time is written as ISO 8601 in UTC with milliseconds', () => {
  vi.setSystemTime(Date.UTC(2026, 1, 3, 4, 5, 6, 7))
  expect(isoTime(systemClock)).toBe('2026-02-03T04:05:06.007Z')
})

test('monotonic time does not follow the wall clock back', () => {
  vi.useRealTimers()
  const before = systemClock.monotonicMs()
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(0)
  expect(systemClock.now()).toBe(0)
  expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(before)
})
