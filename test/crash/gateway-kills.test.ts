/** Kills of `agentry serve`, in short: test/crash/long has 200. */
import { expect, test } from 'vitest'
import { runGatewayCampaign } from './gateway-kills.ts'

const seed = Date.now() % 1_000_000

test(`4 kills of a gateway with 16 clients: every answer is true after the restart, no task has two turns (seed ${seed})`, async () => {
  const result = await runGatewayCampaign({ kills: 4, clients: 16, seed })
  expect(result.kills).toBe(4)
  expect(result.answered).toBeGreaterThan(0)
  expect(result.effects).toBeGreaterThan(0)
}, 120_000)
