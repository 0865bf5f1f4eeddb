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

function piece(hub: EventHub, sessionId: string, text: string, type: 'text' | 'reasoning' = 'text'): void {
  hub.publish({ type: 'turn', agentId: 'a', sessionId, event: { type, text } })
}

function textsIn(events: readonly TeamEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.type !== 'turn' || !('text' in event.event)) return []
    return `${event.event.text}${event.event.dropped === true ? ' (dropped before)' : ''}`
  })
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
    expect(log.behind(3)).toEqual({ events: [], missed: false, position: 3, textFrom: 0 })
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

  test('keeps text apart: however much there is, no other event goes for it', async () => {
    const { hub, log, publish } = createLog(10)
    await publish(2)
    for (let number = 1; number <= 500; number++) piece(hub, 's', 'x', number % 2 ? 'text' : 'reasoning')
    await until('the text', () => log.end === 502)
    await publish(1)
    expect(log.behind(0)).toMatchObject({ missed: false })
    const events: TeamEvent[] = []
    for (let position = 0, textFrom = 502; position < log.end;) {
      const batch = log.behind(position, textFrom)
      events.push(...batch.events)
      ;({ position, textFrom } = batch)
    }
    expect(seqs(events)).toEqual([1, 2, 503])
  })

  test('gives text to who is there in its place between the other events', async () => {
    const { hub, log, publish } = createLog(10)
    await publish(1)
    piece(hub, 's', 'one')
    await until('the text', () => log.end === 2)
    await publish(1)
    piece(hub, 's', 'two', 'reasoning')
    await until('the text', () => log.end === 4)
    const { events } = log.behind(0)
    expect(seqs(events)).toEqual([1, 2, 3, 4])
    expect(textsIn(events)).toEqual(['one', 'two'])
  })

  test('gives who begins no text from before, and says at the next piece that some is missing', async () => {
    const { hub, log } = createLog(10)
    piece(hub, 's', 'before')
    await until('the text', () => log.end === 1)
    const begin = log.end
    piece(hub, 's', 'after')
    piece(hub, 's', 'later')
    piece(hub, 'other', 'first of its own')
    await until('the text', () => log.end === 4)
    expect(textsIn(log.behind(0, begin).events)).toEqual([
      'after (dropped before)',
      'later',
      'first of its own',
    ])
  })

  test('says to a slow reader that text is missing, only where what is missing is of the same step', async () => {
    const { hub, log } = createLog(3)
    const finished = { type: 'step-finished', toolCalls: 0 } as const
    piece(hub, 'goes on', '1')
    piece(hub, 'recorded', '2')
    hub.publish({ type: 'turn', agentId: 'a', sessionId: 'recorded', event: finished })
    for (const text of ['4', '5', '6']) piece(hub, text, text)
    await until('the text', () => log.end === 6)
    const slow = log.behind(0)
    expect(textsIn(slow.events)).toEqual(['4', '5', '6'])
    piece(hub, 'recorded', '7')
    piece(hub, 'goes on', '8')
    await until('the text', () => log.end === 8)
    expect(textsIn(log.behind(slow.position, slow.textFrom).events)).toEqual(['7', '8 (dropped before)'])
    // Who kept up has had the piece before.
    expect(textsIn(log.behind(6).events)).toEqual(['7', '8'])
  })

  test('keeps no more text than 4 Mi characters for those who are behind', async () => {
    const { hub, log } = createLog(1_000)
    for (let number = 0; number < 10; number++) piece(hub, 's', String(number).repeat(1024 * 1024))
    await until('the text', () => log.end === 10)
    const texts = textsIn(log.behind(0).events)
    expect(texts.map((text) => text[0])).toEqual(['6', '7', '8', '9'])
    expect(texts[0]).toContain('dropped before')
  })
})
