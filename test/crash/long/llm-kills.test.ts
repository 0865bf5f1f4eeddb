import { expect, test } from 'vitest'
import { SeededRandom } from '../../fakes/kill-random.ts'
import { temporaryDirectory } from '../../fakes/temporary-directory.ts'
import { llmKills } from '../llm-kills.ts'

/** Each cuts three turns off. */
const KILLS = Number(process.env['AGENTRY_LLM_KILLS'] ?? 100)
const SEED = Number(process.env['AGENTRY_SEED'] ?? Date.now() % 1_000_000)
const random = new SeededRandom(SEED)

test(`turns of models go on after ${KILLS} x kill -9, seed ${SEED}`, async () => {
  const report = await llmKills({
    kills: KILLS,
    random: () => random.next(),
    directory: temporaryDirectory(),
    log: (text) => console.log(text),
  })
  console.log(report)
  expect(report).toMatchObject({ turns: 3 * KILLS, failed: [], repeated: [], missing: [], refused: [] })
  expect(report.unknown).toBeGreaterThan(0)
})
