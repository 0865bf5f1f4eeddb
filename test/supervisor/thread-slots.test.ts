import { describe, expect, test } from 'vitest'
import { ThreadSlots } from '../../src/supervisor/thread-slots.ts'
import { SimulatedClock } from '../fakes/simulated-clock.ts'

function slotsOf(capacity: number): { slots: ThreadSlots; clock: SimulatedClock; shortages: number[] } {
  const clock = new SimulatedClock()
  const shortages: number[] = []
  const slots = new ThreadSlots({
    capacity,
    timeoutMs: 30_000,
    clock,
    onShortage: (missing) => shortages.push(missing),
  })
  return { slots, clock, shortages }
}

const patient = () => new AbortController().signal

describe('thread slots', () => {
  test('are given up to the capacity, then in the order of waiting', async () => {
    const { slots, shortages } = slotsOf(2)
    const [first] = [await slots.acquire(patient()), await slots.acquire(patient())]
    const order: string[] = []
    const waiting = ['a', 'b'].map(async (name) => {
      const slot = await slots.acquire(patient())
      order.push(name)
      return slot
    })
    await Promise.resolve()
    expect(slots.waiting).toBe(2)
    expect(shortages).toEqual([1, 2])
    first.release()
    first.release() // idempotent: it makes room for one only
    const a = await waiting[0]
    expect([order, slots.waiting]).toEqual([['a'], 1])
    a?.release()
    await waiting[1]
    expect(order).toEqual(['a', 'b'])
  })

  test('are refused with no_thread after the time, and the refused one is forgotten', async () => {
    const { slots, clock } = slotsOf(1)
    const held = await slots.acquire(patient())
    const refused = expect(slots.acquire(patient())).rejects.toMatchObject({ code: 'no_thread' })
    await clock.advanceAsync(29_999)
    expect(slots.waiting).toBe(1)
    await clock.advanceAsync(1)
    await refused
    expect([slots.waiting, clock.timers]).toEqual([0, 0])
    held.release()
    await slots.acquire(patient())
  })

  test('are not given to who has given up; the next one gets them', async () => {
    const { slots, clock } = slotsOf(1)
    const held = await slots.acquire(patient())
    const giving = new AbortController()
    const given = expect(slots.acquire(giving.signal)).rejects.toThrow('given up')
    const next = slots.acquire(patient())
    giving.abort(new Error('given up'))
    await given
    held.release()
    await next
    expect([slots.waiting, clock.timers]).toEqual([0, 0])
  })
})
