import { test } from 'vitest'
import { cancelAndRespawn, startAndStop } from '../supervision-cycles.ts'

test('1,000 times cancelled, crashed, stopped and woken, an agent never has two stays, and its epochs never fall', async () => {
  await cancelAndRespawn(1_000)
})

test('10,000 starts and stops leave descriptors, threads, listeners and memory as they were', async () => {
  await startAndStop(10_000)
})
