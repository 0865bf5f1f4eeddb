import { expect, test } from 'vitest'
import { isoTime } from '../../src/core/clock.ts'
import { SimulatedClock } from '../fakes/simulated-clock.ts'

test('timers fire in the order of their due times, equal ones in the order they were set', () => {
  const clock = new SimulatedClock()
  const fired: string[] = []
  clock.setTimer(20, () => fired.push('20'))
  clock.setTimer(10, () => fired.push('10 first'))
  clock.setTimer(10, () => fired.push('10 second'))
  clock.setTimer(21, () => fired.push('21'))
  clock.advance(20)
  expect(fired).toEqual(['10 first', '10 second', '20'])
  expect(clock.timers).toBe(1)
  expect(clock.nextDelayMs).toBe(1)
})

test('a timer sees its own due time, and what it sets is counted from there', () => {
  const clock = new SimulatedClock(1_000)
  const seen: number[] = []
  clock.setTimer(10, () => {
    seen.push(clock.monotonicMs(), clock.now())
    clock.setTimer(5, () => seen.push(clock.monotonicMs()))
  })
  clock.advance(100)
  expect(seen).toEqual([10, 1_010, 15])
  expect(clock.monotonicMs()).toBe(100)
})

test('a cancelled timer never fires, and cancelling twice is allowed', () => {
  const clock = new SimulatedClock()
  let fired = false
  const timer = clock.setTimer(1, () => (fired = true))
  timer.cancel()
  timer.cancel()
  clock.advance(10)
  expect(fired).toBe(false)
})

test('a timer with no delay waits for the next advance', () => {
  const clock = new SimulatedClock()
  let fired = false
  clock.setTimer(0, () => (fired = true))
  expect(fired).toBe(false)
  clock.advance(0)
  expect(fired).toBe(true)
})

test('advanceAsync lets the promises behind one timer settle before the next one fires', async () => {
  const clock = new SimulatedClock()
  const order: string[] = []
  const sleep = (ms: number) => new Promise<void>((resolve) => clock.setTimer(ms, resolve))
  const slow = sleep(10).then(() => order.push('first'))
  clock.setTimer(20, () => order.push('second'))
  await clock.advanceAsync(20)
  await slow
  expect(order).toEqual(['first', 'second'])
})

test('a jump moves the wall time alone', () => {
  const clock = new SimulatedClock(Date.UTC(2026, 0, 1))
  clock.jump(-3_600_000)
  expect(isoTime(clock)).toBe('2025-12-31T23:00:00.000Z')
  expect(clock.monotonicMs()).toBe(0)
})
