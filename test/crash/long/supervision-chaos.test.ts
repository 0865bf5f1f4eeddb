import { test } from 'vitest'
import { chaos } from '../supervision-chaos.ts'

test.each(Array.from({ length: 100 }, (_, index) => 1_000 + index))(
  'whatever is asked at once of agents that crash and sleep adds up in the end: seed %i',
  async (seed) => {
    await chaos({ seed, operations: 1_000, atOnce: 12 })
  },
)
