/** Kills of the whole process at random instants, in short: test/crash/long has the same a thousand times. */
import { expect, test } from 'vitest'
import { runCampaign } from './kill-campaign.ts'

const TIMEOUT_MS = 120_000
const seed = Date.now() % 1_000_000

test(
  '12 kills under a mixed load: what was acknowledged is there once, nothing ran twice, every start succeeds',
  async () => {
    const result = await runCampaign({ kills: 12, load: 'mixed', seed })
    expect(result.kills).toBe(12)
    expect(result.turns).toBeGreaterThan(0)
    expect(result.interrupted + result.resumed).toBeGreaterThan(0)
  },
  TIMEOUT_MS,
)

test(
  '6 kills while snapshots are written: no turn is doubled or lost, no temp file is left or published',
  async () => {
    const result = await runCampaign({ kills: 6, load: 'saves', seed })
    expect(result.sessionCommands).toBeGreaterThan(0)
  },
  TIMEOUT_MS,
)

test(
  '6 kills while sessions move into the trash and back: each is whole, and where it was said to be',
  async () => {
    const result = await runCampaign({ kills: 6, load: 'moves', seed })
    expect(result.sessionCommands).toBeGreaterThan(0)
  },
  TIMEOUT_MS,
)
