import { test } from 'vitest'
import { startAndStop } from './supervision-cycles.ts'

test('500 starts and stops leave descriptors, threads, listeners and memory as they were', async () => {
  await startAndStop(500)
}, 120_000)
