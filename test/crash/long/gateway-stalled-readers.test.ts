/**
 * Stalled readers until they are cut off, which they are after a minute. What they cost by then is all that they ever cost, so a run
 * of 75 s stands for one of ten minutes or of a day.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { EVENT_PATHS, stallReaders } from '../gateway-stalled-readers.ts'

const MIB = 2 ** 20
const RUN_MS = 75_000
/** Between two rounds, so that the session stays small enough for what measures here. */
const PAUSE_MS = 250

test.each(EVENT_PATHS)(
  '8 stalled readers of %s cost less than 16 MB together until they are cut off, after a minute, and nothing in the nine that follow',
  async (path) => {
    const startedMs = performance.now()
    const goesOn = async (): Promise<boolean> => {
      await sleep(PAUSE_MS)
      return performance.now() - startedMs < RUN_MS
    }
    const result = await stallReaders({ path, inputBytes: 4_096, goesOn, cutOff: true })
    console.log(path, result)
    expect(result.missedBytes).toBeGreaterThan(16 * MIB)
    expect(result.costBytes).toBeLessThan(16 * MIB)
  },
)
