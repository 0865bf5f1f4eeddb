import { describe, expect, test } from 'vitest'
import { initialState } from '../../src/dashboard/model/update.ts'
import { DashboardStore } from '../../src/dashboard/store.ts'
import { SimulatedClock } from '../fakes/simulated-clock.ts'
import { connected, keys, NOW_MS } from './fixtures.ts'

function openStore(state = connected()) {
  const clock = new SimulatedClock()
  const store = new DashboardStore(state, clock)
  let heard = 0
  store.subscribe(() => {
    heard += 1
  })
  const tick = (second: number): void => store.dispatch({ type: 'tick', nowMs: NOW_MS + second * 1_000 })
  return { clock, store, tick, heard: () => heard }
}

describe('the state of the dashboard', () => {
  test('is there before what it wants is done, and takes what comes of that behind the input it is at', () => {
    const { store } = openStore()
    const log: string[] = []
    store.carryOutBy((effect) => {
      log.push(`${effect.type}, sending ${store.state.sending.length}`)
      if (effect.type !== 'send') return
      store.dispatch({ type: 'sent', agentId: 'ops', sessionId: 's', text: effect.text })
      log.push(`sending ${store.state.sending.length}`)
    })
    for (const key of keys('"hi"', 'enter')) store.dispatch(key)
    expect(log).toEqual(['remember, sending 1', 'send, sending 1', 'sending 1'])
    expect(store.state.sending).toEqual([])
  })

  test('is told of at once after a key, a paste and a new size', () => {
    const { store, tick, heard } = openStore()
    tick(1)
    expect(heard()).toBe(1)
    store.dispatch({ type: 'key', key: 'a' })
    store.dispatch({ type: 'paste', text: 'b' })
    store.dispatch({ type: 'resize', columns: 90, rows: 30 })
    expect(heard()).toBe(4)
  })

  test('is told of once a frame after everything else', () => {
    const { clock, store, tick, heard } = openStore()
    tick(1)
    tick(2)
    tick(3)
    expect(heard()).toBe(1)
    clock.advance(clock.nextDelayMs ?? 0)
    expect(heard()).toBe(2)
    expect(store.state.nowMs).toBe(NOW_MS + 3_000)
    expect(clock.timers).toBe(0)
  })

  test('is not told of twice where a key comes before the frame', () => {
    const { clock, store, tick, heard } = openStore()
    tick(1)
    tick(2)
    store.dispatch({ type: 'key', key: 'a' })
    clock.advance(1_000)
    expect(heard()).toBe(2)
  })

  test('is not told of where it is the same', () => {
    const { store, heard } = openStore()
    store.dispatch({ type: 'turn-text', sessionId: 'other', text: 'x', dropped: false })
    expect(heard()).toBe(0)
  })

  test('goes on after an effect that threw', () => {
    const { store } = openStore()
    store.carryOutBy(() => {
      throw new Error('a bug')
    })
    expect(() => {
      for (const key of keys('"hi"', 'enter')) store.dispatch(key)
    }).toThrow('a bug')
    store.dispatch({ type: 'key', key: 'b' })
    expect(store.state.input.text).toBe('b')
  })

  test('stays as it is after the end, also where that comes in the middle of an effect', () => {
    const { clock, store, tick, heard } = openStore(
      initialState({ columns: 80, rows: 24, nowMs: NOW_MS, place: { owned: false } }),
    )
    tick(1)
    tick(2)
    store.carryOutBy(() => {
      store.dispatch({ type: 'key', key: 'x' })
      store.close()
      store.close()
    })
    const before = heard()
    for (const key of keys('esc', 'ctrl+l')) store.dispatch(key)
    expect(store.state).toMatchObject({ focus: 'agents', input: { text: '' } })
    store.dispatch({ type: 'key', key: 'i' })
    clock.advance(1_000)
    expect(store.state.focus).toBe('agents')
    expect(heard()).toBe(before + 1)
    expect(clock.timers).toBe(0)
  })

  test('is told of no longer to who has left', () => {
    const { store, tick } = openStore()
    let heard = 0
    const leave = store.subscribe(() => {
      heard += 1
    })
    leave()
    tick(1)
    expect(heard).toBe(0)
  })
})
