import { describe, expect, test } from 'vitest'
import { setDeadline, untilAborted } from '../../src/core/deadline.ts'
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

describe('what is waited for until a signal aborts', () => {
  test('is given, or fails, as it comes', async () => {
    const { signal } = new AbortController()
    expect(await untilAborted(Promise.resolve(7), signal)).toBe(7)
    await expect(untilAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no')
  })

  test('is left alone once the signal aborts, before or while it is waited for, and may fail unheard', async () => {
    const abort = new AbortController()
    const { promise, reject } = Promise.withResolvers<never>()
    const waiting = untilAborted(promise, abort.signal)
    const reason = new Error('enough')
    abort.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    await expect(untilAborted(promise, abort.signal)).rejects.toBe(reason)
    reject(new Error('too late'))
  })
})
