import { test } from 'vitest'
import { chaos } from './supervision-chaos.ts'

test.each([1, 2])(
  'whatever is asked at once of agents that crash and sleep adds up in the end: seed %i',
  async (seed) => {
    await chaos({ seed, operations: 300, atOnce: 8 })
  },
  60_000,
)
