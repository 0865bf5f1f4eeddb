/**
 * Stalled readers, in short. A stalled reader is cut off after a minute (V1 of sse.ts), so what it costs in that minute is what it
 * costs in ten: test/crash/long stays until then.
 */
import { expect, test } from 'vitest'
import { EVENT_PATHS, stallReaders } from './gateway-stalled-readers.ts'

const MIB = 2 ** 20

test.each(EVENT_PATHS)(
  '8 stalled readers of %s cost less than 16 MB together, however much they leave unread, and delay no other one',
  async (path) => {
    const result = await stallReaders({ path, inputBytes: 32_768, goesOn: (rounds) => rounds < 16 })
    // Kept for each of them it would be far more than is allowed for all.
    expect(result.missedBytes).toBeGreaterThan(16 * MIB)
    expect(result.costBytes).toBeLessThan(16 * MIB)
  },
  60_000,
)
