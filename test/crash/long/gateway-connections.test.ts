/** Hostile connections at length. AGENTRY_SEED sets where the random numbers begin. */
import { expect, test } from 'vitest'
import { startServe } from '../../e2e/built-serve.ts'
import { addAgents, disconnect, dribbleHeaders } from '../gateway-connections.ts'
import { INSPECTED } from '../gateway-memory.ts'

const SEED = Number(process.env['AGENTRY_SEED'] ?? Date.now() % 1_000_000)

test('500 sockets that dribble their headers are cut off by the timeout; meanwhile others are answered, 99 % of them within 1 s', async () => {
  const served = await startServe()
  await addAgents(served)
  const { timesMs } = await dribbleHeaders(served, { count: 500, untilCut: true })
  const p99Ms = timesMs.toSorted((a, b) => a - b)[Math.floor(timesMs.length * 0.99)]
  console.log({ requests: timesMs.length, p99Ms })
  expect(p99Ms).toBeLessThan(1_000)
  await served.stop()
})

test(`10,000 clients that vanish in the middle of everything leave descriptors and memory as they were (seed ${SEED})`, async () => {
  const served = await startServe({ nodeOptions: [...INSPECTED] })
  await addAgents(served)
  const { afterThird, atEnd } = await disconnect(served, { count: 10_000, atOnce: 32, seed: SEED })
  console.log({ afterThird, atEnd })
  // A kilobyte for each that left in between is less than any of them holds.
  expect(atEnd.usedBytes - afterThird.usedBytes).toBeLessThan(6_667 * 1_024)
  expect(atEnd.rssBytes - afterThird.rssBytes).toBeLessThan(256 * 2 ** 20)
  await served.stop()
})
