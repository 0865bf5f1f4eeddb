import { describe, expect, test } from 'vitest'
import type { SessionInfo, TeamEventBody } from '../../src/api.ts'
import { systemClock } from '../../src/core/clock.ts'
import { createId } from '../../src/core/ids.ts'
import type { SessionRecord } from '../../src/core/record.ts'
import { EventLog } from '../../src/gateway/event-log.ts'
import { RecordTails } from '../../src/gateway/record-tails.ts'
import { sessionEvents, untilKnown } from '../../src/gateway/session-events.ts'
import { Catalog } from '../../src/store/catalog.ts'
import { EventHub } from '../../src/supervisor/events.ts'
import { claimOf, creation, turn } from '../fakes/records.ts'
import { until } from '../fakes/until.ts'

const claim = claimOf(1)

/** A session on disk, of which the team knows the first records, and the events that tell of it. */
function createScene({ turns = 2, capacity = 100, tailBytes = 1_000_000 } = {}) {
  const id = createId()
  const disk: SessionRecord[] = creation(claim, id)
  for (let count = 0; count < turns; count++) disk.push(...turn(claim, disk.length))
  const catalog = new Catalog()
  const learn = (seq: number): void => catalog.append(id, disk.slice(0, seq), seq)
  learn(1)
  const hub = new EventHub(3, systemClock)
  const closing = new AbortController()
  const log = new EventLog(
    { epoch: 3, lastEventSeq: hub.lastSeq, events: ({ signal } = {}) => hub.read(signal) },
    { signal: closing.signal, onFault: () => undefined, capacity },
  )
  const session = (): SessionInfo => {
    const info = catalog.get(id)
    if (info === undefined) throw new Error('no such session')
    return info
  }
  let published = 0
  const publish = (body: TeamEventBody): void => {
    published += 1
    hub.publish(body)
  }
  let readings = 0
  const team = {
    session,
    async *records(_: string, after = 0) {
      readings += 1
      for (const record of disk) if (record.seq > after) yield record
    },
  }
  const tails = new RecordTails(team, tailBytes)
  const reading = new AbortController()
  return {
    id,
    readings: () => readings,
    log,
    disk,
    closing,
    publish,
    /** Until the log has all that was published. */
    settled: async () => until('the events', () => log.end === published),
    /** The team learns of the records up to `seq`, and tells of them. */
    report: (seq: number): void => {
      learn(seq)
      publish({ type: 'session', session: session(), gone: false })
    },
    text: (text: string): void =>
      publish({ type: 'turn', agentId: 'coder', sessionId: id, event: { type: 'text', text } }),
    started: (record: SessionRecord | undefined): void => {
      if (record?.type !== 'turn.started') throw new Error(`no start of a turn: ${record?.type}`)
      const { turnId, attempt } = record
      const event = { type: 'turn-started', turnId, sessionId: id, attempt } as const
      publish({ type: 'turn', agentId: 'coder', sessionId: id, event })
    },
    known: async (seq: number) => untilKnown(team, log, id, seq, reading.signal),
    /** The ids that a reader gets, as they come. */
    read: (after = 0) => {
      const got: string[] = []
      const events = sessionEvents(team, log, tails, id, after, reading.signal)
      const done = (async () => {
        for await (const { id: seq = 'text' } of events) got.push(seq)
      })()
      return { got, done }
    },
    /** A reader that takes one event at a time. */
    open: (after = 0) => sessionEvents(team, log, tails, id, after, reading.signal),
  }
}

const ids = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => String(from + index))

describe('the events of a session', () => {
  test('are never ahead of what the team knows', async () => {
    const { read, report, closing, settled } = createScene()
    report(6)
    await settled()
    const { got, done } = read()
    await until('the known records', () => got.length >= 6)
    report(8)
    await until('the reported records', () => got.length >= 8)
    closing.abort()
    await done
    expect(got).toEqual(ids(1, 8))
  })

  test('have no text of a turn whose end they have told', async () => {
    const { open, report, text, started, disk, settled } = createScene()
    const reader = open()
    expect((await reader.next()).value?.id).toBe('1')
    // The reading is at the end of the first turn, and the events are behind it.
    report(6)
    started(disk[2])
    text('late')
    report(8)
    started(disk[7])
    text('live')
    await settled()
    const got: unknown[] = []
    while (got.length < 8) {
      const { value } = await reader.next()
      got.push(value && 'data' in value && value.event === 'text' ? value.data : value?.id)
    }
    expect(got).toEqual([...ids(2, 8), { type: 'text', text: 'live' }])
    await reader.return()
  })

  test('have all records, and no late text, for a reader that missed events', async () => {
    const { open, report, text, publish, started, disk, settled } = createScene({
      capacity: 4,
    })
    report(1)
    await settled()
    const reader = open()
    expect((await reader.next()).value?.id).toBe('1')
    report(3)
    started(disk[2])
    text('late')
    for (let count = 0; count < 4; count++) publish({ type: 'agent-removed', agentId: 'other' })
    report(6)
    await settled()
    const got: unknown[] = []
    while (got.length < 5) got.push((await reader.next()).value?.id)
    expect(got).toEqual(ids(2, 6))
    await reader.return()
  })

  test('have what a model thinks, and that it is asked again, between the records and without an id', async () => {
    const { open, id, report, publish, started, disk, settled } = createScene()
    report(2)
    const reader = open()
    expect((await reader.next()).value?.id).toBe('1')
    report(3)
    started(disk[2])
    const retry = { type: 'retry', model: 'fake/m', attempt: 1, delayMs: 5, reason: 'cut off' } as const
    for (const event of [{ type: 'reasoning', text: 'hm' }, retry] as const) {
      publish({ type: 'turn', agentId: 'coder', sessionId: id, event })
    }
    report(4)
    await settled()
    const got: unknown[] = []
    while (got.length < 5) {
      const { value } = await reader.next()
      got.push(value && 'data' in value && value.id === undefined ? value.data : value?.id)
    }
    expect(got).toEqual(['2', '3', { type: 'reasoning', text: 'hm' }, retry, '4'])
    await reader.return()
  })

  test('are read once for all readers that keep up', async () => {
    const { read, report, readings, disk, settled } = createScene({ turns: 20 })
    report(1)
    await settled()
    const readers = Array.from({ length: 200 }, () => read())
    await until('the first record', () => readers.every(({ got }) => got.length === 1))
    const before = readings()
    for (let seq = 2; seq <= disk.length; seq++) {
      report(seq)
      await until('the record', () => readers.every(({ got }) => got.length === seq))
    }
    for (const { got } of readers) expect(got).toEqual(ids(1, disk.length))
    expect(readings() - before).toBe(disk.length - 1)
  })

  test.each([0, 3_000, 1_000_000])(
    'are complete for readers of any pace, where %i bytes of them are kept',
    async (tailBytes) => {
      const { open, report, disk, settled } = createScene({ turns: 40, tailBytes })
      report(1)
      await settled()
      const readers = Array.from({ length: 8 }, () => ({ reader: open(), got: [] as unknown[] }))
      const take = async ({ reader, got }: (typeof readers)[number]): Promise<unknown> =>
        got.push((await reader.next()).value?.id)
      await Promise.all(readers.map(take))
      for (let seq = 2; seq <= disk.length; seq++) {
        report(seq)
        await settled()
        // The n-th takes one of n records, and is behind by the rest.
        await Promise.all(readers.filter((_, index) => seq % (index + 1) === 0).map(take))
      }
      for (const slow of readers) while (slow.got.length < disk.length) await take(slow)
      for (const { got } of readers) expect(got).toEqual(ids(1, disk.length))
      await Promise.all(readers.map(({ reader }) => reader.return()))
    },
  )

  test('go on behind a reset, also where nothing of the session follows it', async () => {
    const { read, report, publish, settled, disk } = createScene()
    report(1)
    await settled()
    const { got } = read()
    await until('the first record', () => got.length === 1)
    // In one go, so that the log falls behind and gets a reset for them.
    report(disk.length)
    for (let count = 0; count < 1_500; count++) publish({ type: 'agent-removed', agentId: 'other' })
    await until('the records', () => got.length === disk.length)
    expect(got).toEqual(ids(1, disk.length))
  })

  test('are waited for where their report is on the way', async () => {
    const { known, report, settled } = createScene()
    report(3)
    await settled()
    let isKnown = false
    const waiting = known(5).then(() => (isKnown = true))
    report(4)
    await settled()
    expect(isKnown).toBe(false)
    report(5)
    await waiting
  })
})
