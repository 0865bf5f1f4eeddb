import { describe, expect, test } from 'vitest'
import type { TeamEvent } from '../../src/api.ts'
import { systemClock } from '../../src/core/clock.ts'
import { EventLog } from '../../src/gateway/event-log.ts'
import { EventHub } from '../../src/supervisor/events.ts'
import { until } from '../fakes/until.ts'

/** `passed`: how many events there were before the log begins. */
function createLog(capacity: number, passed = 0) {
  const hub = new EventHub(3, systemClock)
  for (let number = 0; number < passed; number++) hub.publish({ type: 'agent-removed', agentId: 'a' })
  const closing = new AbortController()
  const faults: unknown[] = []
  const log = new EventLog(
    { epoch: 3, lastEventSeq: hub.lastSeq, events: ({ signal } = {}) => hub.read(signal) },
    { signal: closing.signal, onFault: (error) => faults.push(error), capacity },
  )
  const publish = async (count: number): Promise<void> => {
    const end = log.end
    for (let number = 0; number < count; number++) hub.publish({ type: 'agent-removed', agentId: 'a' })
    await until('the events', () => log.end === end + count)
  }
  return { hub, closing, log, publish, faults }
}

function turnStarted(hub: EventHub, sessionId: string): void {
  const event = { type: 'turn-started', turnId: 'turn', sessionId, attempt: 1 } as const
  hub.publish({ type: 'turn', agentId: 'a', sessionId, event })
}

const seqs = (events: readonly TeamEvent[]): number[] => events.map(({ seq }) => seq)
const never = new AbortController().signal

describe('the log of events', () => {
  test('gives each reader everything behind its position, in order', async () => {
    const { log, publish } = createLog(100)
    await publish(3)
    expect(log.behind(0)).toMatchObject({ missed: false, position: 3 })
    expect(seqs(log.behind(0).events)).toEqual([1, 2, 3])
    expect(seqs(log.behind(2).events)).toEqual([3])
    expect(log.behind(3)).toEqual({ events: [], missed: false, position: 3 })
  })

  test('keeps the last ones only, and says to a slow reader that it missed some', async () => {
    const { log, publish } = createLog(10)
    await publish(25)
    expect(log.behind(15)).toMatchObject({ missed: false })
    expect(log.behind(14)).toMatchObject({ missed: true })
    expect(seqs(log.behind(0).events)).toEqual([16, 17, 18, 19, 20, 21, 22, 23, 24, 25])
  })

  test('begins behind the events that had passed: who asks for those is told that they are gone', async () => {
    const { log, publish } = createLog(10, 2)
    expect(log.end).toBe(2)
    await publish(1)
    expect(log.behind(2)).toMatchObject({ missed: false, events: [{ seq: 3 }] })
    expect(log.behind(1)).toMatchObject({ missed: true, events: [{ seq: 3 }] })
  })

  test('wakes who waits by an event, by its end, and by the end of the waiting', async () => {
    const { log, closing, publish } = createLog(10)
    const waiting = log.more(never)
    await publish(1)
    await waiting
    const leaving = new AbortController()
    const left = log.more(leaving.signal)
    leaving.abort()
    await left
    const last = log.more(never)
    closing.abort()
    await last
    expect(log.closed).toBe(true)
    await log.more(never)
  })

  test('wakes who waits for a session by what concerns it only, and behind all the rest', async () => {
    const { hub, log, publish } = createLog(3)
    let woken: number | undefined
    void log.more(never, 'mine').then((position) => (woken = position))
    await publish(10)
    turnStarted(hub, 'other')
    await until('the event', () => log.end === 11)
    expect(woken).toBeUndefined()
    turnStarted(hub, 'mine')
    const position = await until('the wake', () => woken)
    expect(log.behind(position)).toMatchObject({ missed: false, events: [{ seq: 12, sessionId: 'mine' }] })
  })

  test('ends where following the events fails', async () => {
    const faults: unknown[] = []
    const log = new EventLog(
      {
        epoch: 1,
        lastEventSeq: 0,
        // oxlint-disable-next-line require-yield
        async *events() {
          throw new Error('broken')
        },
      },
      { signal: never, onFault: (error) => faults.push(error) },
    )
    await log.more(never)
    expect(log.closed).toBe(true)
    await until('the fault', () => faults.length === 1)
  })

  test('ends with the team', async () => {
    const { hub, log, faults } = createLog(10)
    hub.close()
    await until('the end', () => log.closed)
    expect(faults).toEqual([])
  })
})
