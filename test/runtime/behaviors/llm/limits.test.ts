import { describe, expect, test } from 'vitest'
import type { AgentLimits } from '../../../../src/agent-spec.ts'
import { noUsage, type UsageTotal } from '../../../../src/core/usage.ts'
import { assertWithinLimits, type SpendingLimits } from '../../../../src/runtime/behaviors/llm/limits.ts'
import { errorWith } from '../../../error-with.ts'

interface Used {
  steps?: number
  turn?: Partial<UsageTotal>
  session?: Partial<UsageTotal>
  team?: Partial<UsageTotal>
}

async function check(limits: Partial<AgentLimits>, team: SpendingLimits, used: Used): Promise<void> {
  const usage = { ...noUsage(), ...used.turn }
  const turn = { steps: used.steps ?? 0, usage }
  await assertWithinLimits({ memoryMb: 1, turnMs: 1, ...limits }, team, {
    turn: () => turn as never,
    sessionUsage: { ...noUsage(), ...used.session },
    teamUsage: async () => {
      if (used.team === undefined) throw new Error('the team was asked in vain')
      return { ...noUsage(), ...used.team }
    },
  })
}

const tokens = (count: number): Partial<UsageTotal> => ({ inputTokens: count - 1, outputTokens: 1 })
const dollars = (costUsd: number): Partial<UsageTotal> => ({ costUsd })

describe.each<
  [name: string, limits: Partial<AgentLimits>, team: SpendingLimits, below: Used, at: Used, said: string]
>([
  [
    'maxSteps',
    { maxSteps: 3 },
    {},
    { steps: 2 },
    { steps: 3 },
    'the turn has used 3 model steps, its limit is 3',
  ],
  ['maxTokens', { maxTokens: 9 }, {}, { turn: tokens(8) }, { turn: tokens(9) }, 'the turn has used 9 tokens'],
  [
    'maxCostUsd',
    { maxCostUsd: 1 },
    {},
    { turn: dollars(0.9) },
    { turn: dollars(1.25) },
    'the turn has used 1.2500 US dollars',
  ],
  [
    'sessionTokens',
    { sessionTokens: 9 },
    {},
    { session: tokens(8) },
    { session: tokens(10) },
    'the session has used 10 tokens',
  ],
  [
    'sessionCostUsd',
    { sessionCostUsd: 1 },
    {},
    { session: dollars(0) },
    { session: dollars(1) },
    'the session has used 1.0000 US dollars',
  ],
  [
    'teamTokens',
    {},
    { teamTokens: 9 },
    { team: tokens(8) },
    { team: tokens(9) },
    'the team has used 9 tokens',
  ],
  [
    'teamCostUsd',
    {},
    { teamCostUsd: 1 },
    { team: dollars(0.5) },
    { team: dollars(2) },
    'the team has used 2.0000 US dollars',
  ],
])('the limit %s', (name, limits, team, below, at, said) => {
  test('lets a step through below it', async () => {
    await check(limits, team, below)
  })

  test('refuses a step at it, by its name and with both figures', async () => {
    const refused = check(limits, team, at)
    await expect(refused).rejects.toThrow(errorWith('limit_reached', said))
    await expect(refused).rejects.toThrow(`(limits.${name})`)
    await expect(refused).rejects.toMatchObject({ data: { limit: name } })
  })
})

test('without limits nothing is refused, and the team is not asked', async () => {
  await check({}, {}, { steps: 1_000, turn: tokens(1e9), session: dollars(1e6) })
})
