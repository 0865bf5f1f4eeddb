/** The process is killed while the commands of two agents run. */
import { expect, test } from 'vitest'
import { runCampaign } from './kill-campaign.ts'

const KILLS = 5

test(`in ${KILLS} kills each running command ends as unknown, is not run again, and is gone when its agent is back`, async () => {
  const result = await runCampaign({ kills: KILLS, load: 'commands', seed: Date.now() % 1_000_000 })
  expect(result.unknownCalls).toBe(2 * KILLS)
  expect(result.interrupted).toBe(2 * KILLS)
}, 120_000)
