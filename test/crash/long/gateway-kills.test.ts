/** Kills of `agentry serve` at length. AGENTRY_GATEWAY_KILLS sets how many (default 200), AGENTRY_SEED where the random numbers begin. */
import { expect, test } from 'vitest'
import { runGatewayCampaign } from '../gateway-kills.ts'

const KILLS = Number(process.env['AGENTRY_GATEWAY_KILLS'] ?? 200)
const SEED = Number(process.env['AGENTRY_SEED'] ?? Date.now() % 1_000_000)

test(`${KILLS} kills of a gateway with 16 clients: every start succeeds, every answer stays true, no task has two turns (seed ${SEED})`, async () => {
  const result = await runGatewayCampaign({ kills: KILLS, clients: 16, seed: SEED })
  console.log(result)
  expect(result.kills).toBe(KILLS)
  expect(result.interrupted).toBeGreaterThan(0)
  expect(result.repeated).toBeGreaterThan(0)
})
