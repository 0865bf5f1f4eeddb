/**
 * The kill campaign at length. AGENTRY_KILLS sets how many kills (default 1,000), AGENTRY_SEED where the random numbers begin.
 * A kill is a SIGKILL of the whole process; what it can show and what it cannot: see ../kill-checks.ts.
 */
import { expect, test } from 'vitest'
import type { KillLoad } from '../../fakes/kill-protocol.ts'
import { type CampaignResult, runCampaign } from '../kill-campaign.ts'

const KILLS = Number(process.env['AGENTRY_KILLS'] ?? 1_000)
const SEED = Number(process.env['AGENTRY_SEED'] ?? Date.now() % 1_000_000)
/** Each round has a directory of its own, so that the look at everything after a kill does not take longer and longer. */
const KILLS_PER_ROUND = 25
const LOADS: readonly KillLoad[] = ['mixed', 'saves', 'mixed', 'moves', 'mixed', 'commands']

test(`${KILLS} kills: every start succeeds, what was acknowledged is there once, nothing ran twice`, async () => {
  let total: CampaignResult | undefined
  let failures = 0
  for (let round = 0; round * KILLS_PER_ROUND < KILLS; round++) {
    const kills = Math.min(KILLS_PER_ROUND, KILLS - round * KILLS_PER_ROUND)
    const load = LOADS[round % LOADS.length] ?? 'mixed'
    try {
      total = sum(total, await runCampaign({ kills, load, seed: SEED + round }))
    } catch (error) {
      // The other rounds are run all the same: one number for all kills is what a campaign is for.
      failures += 1
      console.error(`round ${round + 1} FAILED: ${String(error)}`)
    }
    console.log(
      `round ${round + 1}, ${load}, seed ${SEED + round}: ${total?.kills ?? 0} kills survived, ${failures} rounds failed`,
    )
  }
  console.log('in total', total)
  expect(failures).toBe(0)
  expect(total?.kills).toBe(KILLS)
})

function sum(a: CampaignResult | undefined, b: CampaignResult): CampaignResult {
  if (a === undefined) return b
  const total = { ...b }
  for (const key of Object.keys(total) as (keyof CampaignResult)[]) total[key] += a[key]
  return total
}
