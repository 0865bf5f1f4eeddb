/** Hostile connections, in short: test/crash/long has more of them, and for longer. */
import { describe, expect, test } from 'vitest'
import { startServe } from '../e2e/built-serve.ts'
import { addAgents, disconnect, dribbleHeaders, openTooMany } from './gateway-connections.ts'
import { INSPECTED } from './gateway-memory.ts'

const seed = Date.now() % 1_000_000

describe('hostile connections', () => {
  test('100 that dribble their headers hold up nobody, and leave nothing open', async () => {
    const served = await startServe()
    await addAgents(served)
    await dribbleHeaders(served, { count: 100, untilCut: false })
    await served.stop()
  })

  test('of 2,100 without the token the gateway keeps 2,000, and answers who has it', async () => {
    const served = await startServe()
    const kept = await openTooMany(served, 2_100)
    expect(kept).toBeGreaterThan(1_900)
    expect(kept).toBeLessThanOrEqual(2_000)
    await served.stop()
  })

  test(`300 that vanish in the middle of everything leave nothing open (seed ${seed})`, async () => {
    const served = await startServe({ nodeOptions: [...INSPECTED] })
    await addAgents(served)
    const { afterThird, atEnd } = await disconnect(served, { count: 300, atOnce: 32, seed })
    // 20 KB for each that left in between.
    expect(atEnd.usedBytes - afterThird.usedBytes).toBeLessThan(200 * 20 * 1_024)
    await served.stop()
  })
})
