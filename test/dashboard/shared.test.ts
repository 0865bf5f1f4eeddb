import { assert, jsonValue, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { frameOf } from '../../src/dashboard/model/screen.ts'
import { shared } from '../../src/dashboard/model/shared.ts'
import { after, agent, connected, keys, NOW_MS, session } from './fixtures.ts'

describe('what did not change', () => {
  test('is the same value again, as a whole and in its parts', () => {
    const last = { panes: [{ lines: ['a', 'b'] }, { lines: ['c'] }], status: 'x' }
    expect(shared(last, structuredClone(last))).toBe(last)
    const next = shared(last, { panes: [{ lines: ['a', 'b'] }, { lines: ['d'] }], status: 'x' })
    expect(next.panes[0]).toBe(last.panes[0])
    expect(next.panes[1]).toEqual({ lines: ['d'] })
  })

  test('is told from what has one part more or less, or a part that is undefined', () => {
    const last: Record<string, unknown> = { a: [1, 2] }
    for (const next of [
      { a: [1] },
      { a: [1, 2, 3] },
      { a: [1, 2], b: undefined },
      {},
      { a: { 0: 1, 1: 2 } },
    ]) {
      expect(shared(last, next)).toStrictEqual(next)
    }
  })

  test('never shows in the value', () => {
    assert(
      property(jsonValue(), jsonValue(), (last, next) => {
        expect(shared(last, next)).toStrictEqual(next)
      }),
    )
  })
})

describe('a frame', () => {
  const state = connected({
    agents: [agent('ops'), agent('coder')],
    sessions: [session('s1', 'ops', { lastAccessedAt: new Date(NOW_MS - 7_200_000).toISOString() })],
    columns: 140,
    rows: 30,
  })

  test('is the same one after a second in which nothing happened', () => {
    const frame = frameOf(state)
    const later = frameOf(after(state, { type: 'tick', nowMs: NOW_MS + 1_000 }))
    expect(later).not.toBe(frame)
    expect(shared(frame, later)).toBe(frame)
  })

  test('keeps its panes while only the input line changes', () => {
    const frame = frameOf(state)
    const typed = shared(frame, frameOf(after(state, ...keys('h', 'i'))))
    expect(typed).not.toBe(frame)
    expect(typed.kind === 'panes' && frame.kind === 'panes' && typed.panes === frame.panes).toBe(true)
  })
})
