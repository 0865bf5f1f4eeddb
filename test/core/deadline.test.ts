import { describe, expect, test } from 'vitest'
import { setDeadline } from '../../src/core/deadline.ts'
import { LeapingClock } from '../fakes/leaping-clock.ts'

describe('a deadline', () => {
  test('is missed once, when its time is over; never after it was cancelled', () => {
    const clock = new LeapingClock()
    let [missed, cancelled] = [0, 0]
    setDeadline(clock, 1_000, () => (missed += 1))
    const other = setDeadline(clock, 1_000, () => (cancelled += 1))
    clock.advance(999)
    expect(missed).toBe(0)
    other.cancel()
    clock.advance(10_000)
    expect([missed, cancelled]).toEqual([1, 0])
  })

  test('begins anew where the process stood still, as often as it does', () => {
    const clock = new LeapingClock()
    let missed = 0
    const deadline = setDeadline(clock, 1_000, () => (missed += 1))
    for (let stop = 0; stop < 3; stop++) {
      clock.leap(7_000)
      clock.advance(1_000)
    }
    expect(missed).toBe(0)
    clock.advance(1_000)
    expect(missed).toBe(1)
    deadline.cancel()
    clock.advance(10_000)
    expect(missed).toBe(1)
  })
})
