import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { backoffMs, RESTART_BACKOFF } from '../../src/core/backoff.ts'
import {
  decideRestart,
  DEFAULT_RESTART,
  type EndKind,
  type RestartPolicy,
} from '../../src/core/restart-policy.ts'

const fullDelay = () => 0

interface Life {
  /** When the threads ended that were started again, ms. */
  restartsMs: number[]
  delaysMs: number[]
  /** When the agent was given up, ms. */
  failedMs?: number
}

/** An agent that crashes each time `runMs` after it started, until it is given up or `untilMs` is over. */
function crashLoop(policy: RestartPolicy, runMs: number, untilMs: number): Life {
  const life: Life = { restartsMs: [], delaysMs: [] }
  let history: number[] = []
  let nowMs = runMs
  while (nowMs <= untilMs) {
    const decision = decideRestart(policy, history, 'abnormal', nowMs, fullDelay)
    if (decision.action !== 'restart') return { ...life, failedMs: nowMs }
    life.restartsMs.push(nowMs)
    life.delaysMs.push(decision.delayMs)
    history = decision.history
    nowMs += decision.delayMs + runMs
  }
  return life
}

describe('a crash loop', () => {
  test('is restarted with growing delays and given up after the burst that the policy allows', () => {
    const life = crashLoop(DEFAULT_RESTART, 0, 60_000)
    expect(life.delaysMs).toEqual([200, 400, 800, 1_600, 3_200])
    expect(life.failedMs).toBe(6_200)
  })

  test('that is slower than the sustained rate goes on for ever', () => {
    const { maxRestarts, withinMs } = DEFAULT_RESTART
    const everyMs = withinMs / maxRestarts
    let history: number[] = []
    for (let crash = 1; crash <= 1_000; crash += 1) {
      const decision = decideRestart(DEFAULT_RESTART, history, 'abnormal', crash * everyMs, fullDelay)
      if (decision.action !== 'restart') expect.fail(`given up at crash ${crash}`)
      history = decision.history
      expect(history.length).toBeLessThanOrEqual(maxRestarts)
    }
  })

  test('that is faster than the sustained rate is given up', () => {
    expect(crashLoop({ ...DEFAULT_RESTART, withinMs: 120_000 }, 12_000, 600_000).failedMs).toBeDefined()
  })

  test('starts from the shortest delay again after a quiet window', () => {
    const first = decideRestart(DEFAULT_RESTART, [], 'abnormal', 0, fullDelay)
    if (first.action !== 'restart') expect.fail('not restarted')
    const soon = decideRestart(DEFAULT_RESTART, first.history, 'abnormal', 59_999, fullDelay)
    expect(soon).toMatchObject({ action: 'restart', delayMs: 400, history: [0, 59_999] })
    const later = decideRestart(DEFAULT_RESTART, first.history, 'abnormal', 60_000, fullDelay)
    expect(later).toMatchObject({ action: 'restart', delayMs: 200, history: [60_000] })
  })

  test('with no restarts allowed is given up at once', () => {
    expect(decideRestart({ ...DEFAULT_RESTART, maxRestarts: 0 }, [], 'abnormal', 5, fullDelay)).toEqual({
      action: 'fail',
      history: [],
    })
  })

  test('never has more restarts in any window than the policy allows', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(20_000), { maxLength: 60 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 60_000 }),
        (gapsMs, maxRestarts, withinMs) => {
          const policy: RestartPolicy = { type: 'permanent', maxRestarts, withinMs }
          const restartsMs: number[] = []
          let history: number[] = []
          let nowMs = 0
          for (const gapMs of gapsMs) {
            nowMs += gapMs
            const decision = decideRestart(policy, history, 'abnormal', nowMs, Math.random)
            if (decision.action !== 'restart') break
            history = decision.history
            restartsMs.push(nowMs)
          }
          for (const fromMs of restartsMs) {
            const inWindow = restartsMs.filter((at) => at >= fromMs && at < fromMs + withinMs)
            expect(inWindow.length).toBeLessThanOrEqual(maxRestarts)
          }
        },
      ),
    )
  })

  test('leaves the history it was given as it was', () => {
    const history = Object.freeze([1, 2])
    expect(decideRestart(DEFAULT_RESTART, history, 'abnormal', 3, fullDelay)).toMatchObject({
      history: [1, 2, 3],
    })
  })
})

describe('the restart type', () => {
  const decide = (type: RestartPolicy['type'], end: EndKind) =>
    decideRestart({ ...DEFAULT_RESTART, type }, [], end, 0, fullDelay).action

  test('permanent restarts after any end, transient after an abnormal one, temporary never', () => {
    expect(decide('permanent', 'normal')).toBe('restart')
    expect(decide('permanent', 'abnormal')).toBe('restart')
    expect(decide('transient', 'normal')).toBe('stop')
    expect(decide('transient', 'abnormal')).toBe('restart')
    expect(decide('temporary', 'normal')).toBe('stop')
    expect(decide('temporary', 'abnormal')).toBe('stop')
  })
})

describe('backoff', () => {
  test('doubles from the first delay up to the longest', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 1_000].map((attempt) =>
      backoffMs(RESTART_BACKOFF, attempt, fullDelay),
    )
    expect(delays).toEqual([200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000])
  })

  test('takes off a random part that stays within the jitter', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 1, max: 60_000 }),
        fc.integer({ min: 1, max: 600_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempt, firstMs, maxMs, jitter, random) => {
          const full = backoffMs({ firstMs, maxMs, jitter: 0 }, attempt, () => random)
          const delay = backoffMs({ firstMs, maxMs, jitter }, attempt, () => random)
          expect(full).toBeLessThanOrEqual(maxMs)
          expect(delay).toBeLessThanOrEqual(full)
          expect(delay).toBeGreaterThanOrEqual(Math.floor(full * (1 - jitter)))
          expect(Number.isInteger(delay)).toBe(true)
        },
      ),
    )
  })

  test('spreads agents that failed together', () => {
    expect(backoffMs(RESTART_BACKOFF, 1, () => 0)).toBe(200)
    expect(backoffMs(RESTART_BACKOFF, 1, () => 0.5)).toBe(180)
    expect(backoffMs(RESTART_BACKOFF, 1, () => 0.9999)).toBe(160)
  })
})
