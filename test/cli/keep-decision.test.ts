import { describe, expect, test } from 'vitest'
import { EXIT } from '../../src/cli/exit-codes.ts'
import { decide, type KeptHistory } from '../../src/cli/keep-decision.ts'

const NEW: KeptHistory = { hasServed: false, brief: 0 }
const SERVED: KeptHistory = { hasServed: true, brief: 0 }

describe('a kept server that ended', () => {
  test.each([NEW, SERVED])('in good order stays ended (%j)', (history) => {
    expect(decide(history, { code: EXIT.ok, livedMs: 1 })).toEqual({ action: 'stop' })
  })

  test.each([EXIT.usage, EXIT.notFound, EXIT.conflict])(
    'with the refusal %i stays ended where none has served, and is started again where one has',
    (code) => {
      expect(decide(NEW, { code, livedMs: 500 })).toEqual({ action: 'stop' })
      expect(decide(SERVED, { code, livedMs: 500 }).action).toBe('restart')
    },
  )

  test.each([EXIT.failure, EXIT.unavailable, EXIT.storage, EXIT.interrupted, null])(
    'with %j is started again, whether or not one has served',
    (code) => {
      expect(decide(NEW, { code, livedMs: 500 }).action).toBe('restart')
      expect(decide(SERVED, { code, livedMs: 500 }).action).toBe('restart')
    },
  )

  test('is started again at once, and later each time where it lives only briefly', () => {
    const retries: number[] = []
    let history = SERVED
    for (const livedMs of [60_000, 500, 500, 500, 60_000, 500, 500]) {
      const decision = decide(history, { code: null, livedMs })
      if (decision.action === 'stop') throw new Error('stopped')
      retries.push(decision.retry)
      history = decision.history
    }
    expect(retries).toEqual([0, 0, 1, 2, 0, 0, 1])
    expect(history.hasServed).toBe(true)
  })
})
