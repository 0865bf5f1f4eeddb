import { noUsage } from '../../src/core/usage.ts'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createId } from '../../src/core/ids.ts'
import { SESSION_STATUSES, type SessionHeader } from '../../src/core/session-state.ts'
import { type RetentionPolicy, selectExpired } from '../../src/store/retention.ts'
import { makeHeader } from '../fakes/headers.ts'

const NOW = Date.UTC(2026, 5, 1)
const DAY = 86_400_000

/** A terminated session, last accessed so many days ago. */
function terminated(days: number, overrides: Partial<SessionHeader> = {}): SessionHeader {
  return makeHeader({
    status: 'terminated',
    lastAccessedAt: new Date(NOW - days * DAY).toISOString(),
    ...overrides,
  })
}

const message = { turnId: createId(), taskId: 't', input: '' }
const turn = {
  ...message,
  startedAt: '2026-01-01T00:00:00.000Z',
  attempt: 1,
  calls: [],
  steps: 0,
  usage: noUsage(),
  steered: [],
}

describe('a retention policy', () => {
  test('without limits takes nothing', () => {
    const sessions = [terminated(9_999), terminated(9_999, { status: 'suspended' })]
    expect(selectExpired(sessions, {}, NOW)).toEqual([])
    expect(selectExpired(sessions, { includeSuspended: true }, NOW)).toEqual([])
  })

  test('takes terminated sessions that were not accessed for longer than the age, oldest first', () => {
    const [young, exact, old, oldest] = [terminated(1), terminated(30), terminated(31), terminated(90)]
    expect(selectExpired([young, old, oldest, exact], { maxAgeMs: 30 * DAY }, NOW)).toEqual([oldest, old])
  })

  test('keeps the last accessed ones of each agent, up to the count', () => {
    const coder = [terminated(1), terminated(2), terminated(3)]
    const ops = [terminated(50, { agentId: 'ops' }), terminated(60, { agentId: 'ops' })]
    expect(selectExpired([...coder, ...ops], { maxCount: 2 }, NOW)).toEqual([coder[2]])
    expect(selectExpired([...coder, ...ops], { maxCount: 0 }, NOW)).toHaveLength(5)
  })

  test('does not count sessions that may not be taken', () => {
    const kept = terminated(5)
    const sessions = [kept, terminated(1, { status: 'active' }), terminated(2, { status: 'suspended' })]
    expect(selectExpired(sessions, { maxCount: 1 }, NOW)).toEqual([])
  })

  test('takes what either limit takes', () => {
    const [young, middle, old] = [terminated(1), terminated(2), terminated(40)]
    expect(selectExpired([young, middle, old], { maxCount: 1, maxAgeMs: 30 * DAY }, NOW)).toEqual([
      old,
      middle,
    ])
    expect(selectExpired([young, middle, old], { maxCount: 9, maxAgeMs: 30 * DAY }, NOW)).toEqual([old])
  })

  test('takes suspended sessions only where it says so, and active ones never', () => {
    const suspended = terminated(90, { status: 'suspended' })
    const active = terminated(90, { status: 'active' })
    const policy = { maxAgeMs: DAY, maxCount: 0 }
    expect(selectExpired([suspended, active], policy, NOW)).toEqual([])
    expect(selectExpired([suspended, active], { ...policy, includeSuspended: true }, NOW)).toEqual([
      suspended,
    ])
  })

  test.each([
    ['an unfinished turn', { turn }],
    ['a queue', { queue: [message] }],
    ['a place in the trash already', { trashedAt: '2026-01-01T00:00:00.000Z' }],
  ])('never takes a session with %s', (_, overrides) => {
    const policy = { maxAgeMs: DAY, maxCount: 0, includeSuspended: true }
    expect(selectExpired([terminated(90, overrides)], policy, NOW)).toEqual([])
  })

  test('takes nothing that was accessed in the future, as a clock set back makes it look', () => {
    expect(selectExpired([terminated(-1)], { maxAgeMs: 0 }, NOW)).toEqual([])
  })

  test('does not change or reorder what it is given', () => {
    const sessions = [terminated(3), terminated(1), terminated(2)]
    const before = structuredClone(sessions)
    selectExpired(sessions, { maxCount: 1 }, NOW)
    expect(sessions).toEqual(before)
  })

  test('holds over any sessions: what it takes may be taken, and no younger one goes before an older one', () => {
    const session = fc.record({
      agentId: fc.constantFrom('a', 'b'),
      status: fc.constantFrom(...SESSION_STATUSES),
      days: fc.integer({ min: 0, max: 60 }),
      busy: fc.boolean(),
    })
    const limits = fc.record(
      {
        maxAgeMs: fc.integer({ min: 0, max: 60 }).map((days) => days * DAY),
        maxCount: fc.nat(5),
        includeSuspended: fc.boolean(),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.array(session, { maxLength: 25 }), limits, (drawn, policy: RetentionPolicy) => {
        const sessions = drawn.map(({ agentId, status, days, busy }) =>
          terminated(days, { agentId, status, ...(busy && { queue: [message] }) }),
        )
        const taken = selectExpired(sessions, policy, NOW)
        const statuses = policy.includeSuspended ? ['terminated', 'suspended'] : ['terminated']
        const mayBeTaken = sessions.filter((s) => statuses.includes(s.status) && s.queue.length === 0)
        expect(mayBeTaken).toEqual(expect.arrayContaining(taken))
        expect(new Set(taken).size).toBe(taken.length)
        for (const agentId of ['a', 'b']) {
          const kept = mayBeTaken.filter((s) => s.agentId === agentId && !taken.includes(s))
          const gone = taken.filter((s) => s.agentId === agentId)
          const youngestGone = Math.max(...gone.map((s) => Date.parse(s.lastAccessedAt)))
          const oldestKept = Math.min(...kept.map((s) => Date.parse(s.lastAccessedAt)))
          expect(youngestGone).toBeLessThanOrEqual(oldestKept)
          expect(kept.length).toBeLessThanOrEqual(policy.maxCount ?? Infinity)
          if (policy.maxAgeMs === undefined && policy.maxCount !== undefined && gone.length > 0) {
            expect(kept).toHaveLength(policy.maxCount)
          }
          if (policy.maxAgeMs !== undefined) {
            expect(NOW - oldestKept).toBeLessThanOrEqual(policy.maxAgeMs)
          }
        }
        const times = taken.map((s) => s.lastAccessedAt)
        expect(times).toEqual(times.toSorted())
      }),
    )
  })
})
