import { describe, expect, test } from 'vitest'
import type { ToAgent } from '../../src/protocol/to-agent.ts'
import { createClaimAuthority } from '../../src/store/claims.ts'
import { LiveStay } from '../../src/supervisor/live-stay.ts'
import { SimulatedClock } from '../fakes/simulated-clock.ts'

interface Opened {
  live: LiveStay
  clock: SimulatedClock
  sent: ToAgent[]
  /** Why the thread was ended. */
  ended: string[]
  held: () => { claim: boolean; slot: boolean }
}

/** A stay that has 10 s for its start. */
function open(): Opened {
  const clock = new SimulatedClock()
  const claims = createClaimAuthority(1)
  const claim = claims.claim('a')
  const [sent, ended]: [ToAgent[], string[]] = [[], []]
  let slot = true
  const stay = {
    send: (envelope: ToAgent) => void sent.push(envelope),
    exited: Promise.withResolvers<never>().promise,
    terminate: (reason: string) => void ended.push(reason),
    usage: async () => undefined,
  }
  const live = new LiveStay({
    stay,
    claim,
    claims,
    slot: { release: () => (slot = false) },
    clock,
    startMs: 10_000,
    memoryMb: 100,
  })
  return { live, clock, sent, ended, held: () => ({ claim: claim.word[0] === 1, slot }) }
}

function started(): Opened {
  const opened = open()
  opened.live.started()
  return opened
}

describe('a stay takes calls', () => {
  test('from when it is ready until it is told to rest, and again once it has declined', () => {
    const { live, sent } = open()
    expect(live.takesCalls).toBe(false)
    live.started()
    expect(live.takesCalls).toBe(true)
    live.rest()
    expect([live.takesCalls, live.intent, sent]).toEqual([false, 'rest', [{ type: 'rest' }]])
    expect(live.declinedRest()).toBe(true)
    expect([live.takesCalls, live.intent]).toEqual([true, undefined])
  })

  test('no more once it is told to stop, which it cannot decline', () => {
    const { live, sent } = started()
    live.rest()
    live.stop(1_000)
    expect(live.declinedRest()).toBe(false)
    expect([live.takesCalls, live.intent]).toEqual([false, 'stop'])
    live.stop(5_000)
    expect(sent).toEqual([{ type: 'rest' }, { type: 'stop', graceMs: 1_000 }])
  })

  test('not when it is ready only after it was told to stop', () => {
    const { live } = open()
    live.stop(1_000)
    live.started()
    expect(live.takesCalls).toBe(false)
  })
})

describe('a thread is ended', () => {
  test('that is not ready in time', () => {
    const { live, clock, ended } = open()
    clock.advance(9_999)
    expect([ended, live.startTimedOut]).toEqual([[], false])
    clock.advance(1)
    expect([ended, live.startTimedOut]).toEqual([['was not ready within 10000 ms'], true])
  })

  test('that is not ready in time although it was told to stop', () => {
    const { live, clock, ended } = open()
    live.stop(60_000)
    clock.advance(10_000)
    expect(ended).toEqual(['was not ready within 10000 ms'])
  })

  test('that does not say in time whether it can rest, each time it is asked', () => {
    const { live, clock, ended } = started()
    live.rest()
    clock.advance(6_999)
    live.declinedRest()
    clock.advance(60_000)
    live.rest()
    clock.advance(6_999)
    expect(ended).toEqual([])
    clock.advance(1)
    expect(ended).toEqual(['did not answer within 7000 ms whether it can rest'])
  })

  test('that does not stop within its grace and what closing takes', () => {
    const { live, clock, ended } = started()
    live.stop(1_000)
    clock.advance(7_999)
    expect(ended).toEqual([])
    clock.advance(1)
    expect(ended).toEqual(['did not stop within 8000 ms'])
  })

  test('that was asked to rest and is to stop at the latest when its answer is due', () => {
    const { live, clock, ended } = started()
    live.rest()
    live.stop(60_000)
    clock.advance(7_000)
    expect(ended).toEqual(['did not answer within 7000 ms whether it can rest'])
  })
})

describe('what came for a resting stay', () => {
  test('is for the next one, unless it declines: then it takes it itself', () => {
    const { live } = started()
    live.wake()
    expect(live.wakeDue).toBe(false)
    live.rest()
    live.wake()
    expect(live.wakeDue).toBe(true)
    live.declinedRest()
    live.rest()
    expect(live.wakeDue).toBe(false)
  })
})

test('claim and slot are held until the thread is gone, and no deadline is left then', () => {
  const { live, clock, ended, held } = open()
  live.started()
  live.rest()
  live.stop(1_000)
  expect(held()).toEqual({ claim: true, slot: true })
  live.release()
  expect(held()).toEqual({ claim: false, slot: false })
  expect(clock.timers).toBe(0)
  clock.advance(60_000)
  expect(ended).toEqual([])
})

test('a stay that ends before it was ready leaves no deadline', () => {
  const { live, clock } = open()
  live.release()
  expect(clock.timers).toBe(0)
})
