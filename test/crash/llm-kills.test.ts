import { expect, test } from 'vitest'
import { SeededRandom } from '../fakes/kill-random.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'
import { llmKills } from './llm-kills.ts'

const KILLS = 6
const random = new SeededRandom(1)

test(
  'turns of models go on after kill -9, and no command of theirs runs twice',
  { timeout: 120_000 },
  async () => {
    const report = await llmKills({
      kills: KILLS,
      random: () => random.next(),
      directory: temporaryDirectory(),
    })
    expect(report).toMatchObject({ turns: 3 * KILLS, failed: [], repeated: [], missing: [], refused: [] })
    expect(report.cutOff).toBeGreaterThan(0)
  },
)
