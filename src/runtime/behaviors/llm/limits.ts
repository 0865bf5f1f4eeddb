/** Limits on what a turn, a session and the team may use. */
import type { AgentLimits } from '../../../agent-spec.ts'
import { tokensOf, type UsageTotal } from '../../../core/usage.ts'
import { AgentryError } from '../../../errors.ts'
import type { TurnContext } from '../../turn-context.ts'

/** Of all agents of a team together; left out: no limit. */
export interface SpendingLimits {
  teamTokens?: number
  teamCostUsd?: number
}

/** Throws `limit_reached`, which says which limit, before a step that would go beyond it. */
export async function assertWithinLimits(
  limits: AgentLimits,
  team: SpendingLimits,
  context: Pick<TurnContext, 'turn' | 'sessionUsage' | 'teamUsage'>,
): Promise<void> {
  const { steps, usage } = context.turn()
  check('maxSteps', 'the turn', 'model steps', steps, limits.maxSteps)
  checkUsage('the turn', usage, ['maxTokens', limits.maxTokens], ['maxCostUsd', limits.maxCostUsd])
  checkUsage(
    'the session',
    context.sessionUsage,
    ['sessionTokens', limits.sessionTokens],
    ['sessionCostUsd', limits.sessionCostUsd],
  )
  if (team.teamTokens === undefined && team.teamCostUsd === undefined) return
  checkUsage(
    'the team',
    await context.teamUsage(),
    ['teamTokens', team.teamTokens],
    ['teamCostUsd', team.teamCostUsd],
  )
}

type Limit = [name: string, value: number | undefined]

function checkUsage(whose: string, usage: UsageTotal, tokens: Limit, cost: Limit): void {
  check(tokens[0], whose, 'tokens', tokensOf(usage), tokens[1])
  check(cost[0], whose, 'US dollars', usage.costUsd, cost[1])
}

function check(name: string, whose: string, unit: string, used: number, limit: number | undefined): void {
  if (limit === undefined || used < limit) return
  const shown = unit === 'US dollars' ? used.toFixed(4) : used
  throw new AgentryError(
    'limit_reached',
    `${whose} has used ${shown} ${unit}, its limit is ${limit} (limits.${name}): nothing is lost, a message goes on from here`,
    { data: { limit: name, used, allowed: limit } },
  )
}
