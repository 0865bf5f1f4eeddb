/** What model requests took: tokens and, where the price is known, US dollars. */

/** Of one model step. The counts are what the provider reported; left out where it reported none. */
export interface Usage {
  /** All tokens of the request, cached ones included. */
  inputTokens: number
  /** All tokens of the answer, those of its reasoning included. */
  outputTokens: number
  /** Of inputTokens: read from the provider's cache. */
  cachedInputTokens?: number
  /** Of outputTokens: spent on reasoning. */
  reasoningTokens?: number
  /** Left out where no price is known for the model: unknown is not free. */
  costUsd?: number
}

/** Of many steps: of a turn, a session, a team. */
export interface UsageTotal {
  /** Model steps that reported usage. */
  steps: number
  inputTokens: number
  outputTokens: number
  cachedInputTokens: number
  reasoningTokens: number
  /** Of the steps whose price is known. */
  costUsd: number
  /** Steps whose price is not known: where there are any, costUsd is only a part. */
  unpricedSteps: number
}

export function noUsage(): UsageTotal {
  return {
    steps: 0,
    inputTokens: 0,
    outputTokens: 0,
    cachedInputTokens: 0,
    reasoningTokens: 0,
    costUsd: 0,
    unpricedSteps: 0,
  }
}

/** Adds one step to a total, which it changes. */
export function addUsage(total: UsageTotal, usage: Usage): void {
  total.steps += 1
  total.inputTokens += usage.inputTokens
  total.outputTokens += usage.outputTokens
  total.cachedInputTokens += usage.cachedInputTokens ?? 0
  total.reasoningTokens += usage.reasoningTokens ?? 0
  if (usage.costUsd === undefined) total.unpricedSteps += 1
  else total.costUsd += usage.costUsd
}

/** The sum of totals, as a new one. */
export function sumUsage(totals: Iterable<UsageTotal>): UsageTotal {
  const sum = noUsage()
  for (const total of totals) {
    for (const key of USAGE_KEYS) sum[key] += total[key]
  }
  return sum
}

/** What came on top of `before`, as a new one; nothing of what is less than before. */
export function usedSince(before: UsageTotal, total: UsageTotal): UsageTotal {
  const rest = noUsage()
  for (const key of USAGE_KEYS) rest[key] = Math.max(0, total[key] - before[key])
  return rest
}

/** All tokens, in and out. */
export function tokensOf(total: Pick<UsageTotal, 'inputTokens' | 'outputTokens'>): number {
  return total.inputTokens + total.outputTokens
}

const USAGE_KEYS = [
  'steps',
  'inputTokens',
  'outputTokens',
  'cachedInputTokens',
  'reasoningTokens',
  'costUsd',
  'unpricedSteps',
] as const satisfies readonly (keyof UsageTotal)[]
