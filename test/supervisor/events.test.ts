import { getEventListeners } from 'node:events'
import { describe, expect, test } from 'vitest'
import type { TeamEvent } from '../../src/api.ts'
import { EventHub, MAX_BEHIND } from '../../src/supervisor/events.ts'
import { SimulatedClock } from '../fakes/simulated-clock.ts'

function hub(): { events: EventHub; publish: (count: number) => void } {
  const events = new EventHub(7, new SimulatedClock())
  let published = 0
  const publish = (count: number): void => {
    for (let left = count; left > 0; left--)
      events.publish({ type: 'agent-removed', agentId: `a${++published}` })
  }
  return { events, publish }
}

const seqs = (events: readonly TeamEvent[]) => events.map(({ seq }) => seq)

describe('team events', () => {
  test('come to each reader from its first next() on, in order, until the end', async () => {
    const { events, publish } = hub()
    publish(2)
    const early = Array.fromAsync(events.read())
    publish(3)
    const idle = events.read()
    const late = Array.fromAsync(events.read())
    publish(1)
    events.close()
    const [fromEarly, fromLate] = [await early, await late]
    expect(seqs(fromEarly)).toEqual([3, 4, 5, 6])
    expect(seqs(fromLate)).toEqual([6])
    expect(fromLate[0]).toMatchObject({ epoch: 7, at: '2026-01-01T00:00:00.000Z', agentId: 'a6' })
    expect(await Array.fromAsync(idle)).toEqual([])
    expect(await Array.fromAsync(events.read())).toEqual([])
  })

  test('reach a waiting reader', async () => {
    const { events, publish } = hub()
    const reader = events.read()
    const next = reader.next()
    publish(1)
    expect(await next).toMatchObject({ value: { seq: 1 }, done: false })
  })

  test('that a slow reader missed are replaced by one reset; the others miss nothing', async () => {
    const { events, publish } = hub()
    const slow = events.read()
    const quick = events.read()
    const read: number[] = []
    const first = slow.next()
    publish(1)
    expect(await first).toMatchObject({ value: { seq: 1 } })
    for (let round = 0; round < MAX_BEHIND + 500; round++) {
      const next = quick.next()
      publish(1)
      const { value } = await next
      if (value) read.push(value.seq)
    }
    expect(read).toEqual(Array.from({ length: MAX_BEHIND + 500 }, (_, index) => index + 2))
    events.close()
    const left: TeamEvent[] = []
    for (let next = await slow.next(); !next.done; next = await slow.next()) left.push(next.value)
    expect(left[0]).toMatchObject({ type: 'reset', seq: MAX_BEHIND + 1 })
    expect(seqs(left.slice(1))).toEqual(Array.from({ length: 500 }, (_, index) => MAX_BEHIND + 2 + index))
  })

  test('end for a reader who aborts, or leaves its loop', async () => {
    const { events, publish } = hub()
    const aborting = new AbortController()
    const aborted = Array.fromAsync(events.read(aborting.signal))
    publish(1)
    aborting.abort()
    publish(1)
    expect(seqs(await aborted)).toEqual([1])
    expect(await Array.fromAsync(events.read(AbortSignal.abort()))).toEqual([])
    const leaving = events.read()
    const first = leaving.next()
    publish(2)
    expect(await first).toMatchObject({ value: { seq: 3 } })
    for await (const event of leaving) {
      expect(event.seq).toBe(4)
      break
    }
    expect(await Array.fromAsync(leaving)).toEqual([])
  })

  test('leave nothing on the signal of a reader that has ended, or was never iterated', async () => {
    const { events, publish } = hub()
    const { signal } = new AbortController()
    const listeners = (): number => getEventListeners(signal, 'abort').length
    events.read(signal)
    expect(listeners()).toBe(0)
    const leaving = events.read(signal)
    const first = leaving.next()
    expect(listeners()).toBe(1)
    publish(1)
    await first
    await leaving.return()
    expect(listeners()).toBe(0)
    const closed = Array.fromAsync(events.read(signal))
    expect(listeners()).toBe(1)
    events.close()
    await closed
    expect(listeners()).toBe(0)
  })
})
