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
  test('come to each reader from its call on, in order, until the end', async () => {
    const { events, publish } = hub()
    publish(2)
    const early = events.read()
    publish(3)
    const late = events.read()
    publish(1)
    events.close()
    const [fromEarly, fromLate] = [await Array.fromAsync(early), await Array.fromAsync(late)]
    expect(seqs(fromEarly)).toEqual([3, 4, 5, 6])
    expect(seqs(fromLate)).toEqual([6])
    expect(fromLate[0]).toMatchObject({ epoch: 7, at: '2026-01-01T00:00:00.000Z', agentId: 'a6' })
    expect(await Array.fromAsync(events.read())).toEqual([])
  })

  test('reach a waiting reader', async () => {
    const { events, publish } = hub()
    const reader = events.read()[Symbol.asyncIterator]()
    const next = reader.next()
    publish(1)
    expect(await next).toMatchObject({ value: { seq: 1 }, done: false })
  })

  test('that a slow reader missed are replaced by one reset; the others miss nothing', async () => {
    const { events, publish } = hub()
    const slow = events.read()[Symbol.asyncIterator]()
    const quick = events.read()[Symbol.asyncIterator]()
    const read: number[] = []
    for (let round = 0; round < MAX_BEHIND + 500; round++) {
      publish(1)
      const next = await quick.next()
      if (!next.done) read.push(next.value.seq)
    }
    expect(read).toEqual(Array.from({ length: MAX_BEHIND + 500 }, (_, index) => index + 1))
    events.close()
    const left: TeamEvent[] = []
    for (let next = await slow.next(); !next.done; next = await slow.next()) left.push(next.value)
    expect(left[0]).toMatchObject({ type: 'reset', seq: MAX_BEHIND })
    expect(seqs(left.slice(1))).toEqual(Array.from({ length: 500 }, (_, index) => MAX_BEHIND + 1 + index))
  })

  test('end for a reader who aborts, or leaves its loop; the hub lets go of it', async () => {
    const { events, publish } = hub()
    const aborting = new AbortController()
    const aborted = events.read(aborting.signal)
    publish(1)
    aborting.abort()
    publish(1)
    expect(seqs(await Array.fromAsync(aborted))).toEqual([1])
    expect(await Array.fromAsync(events.read(AbortSignal.abort()))).toEqual([])
    const leaving = events.read()
    publish(2)
    for await (const event of leaving) {
      expect(event.seq).toBe(3)
      break
    }
    expect(await Array.fromAsync(leaving)).toEqual([])
  })
})
