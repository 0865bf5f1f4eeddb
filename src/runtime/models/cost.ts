/** From what a provider counted to what is kept and paid. */
import type { LanguageModelUsage } from 'ai'
import type { Usage } from '../../core/usage.ts'
import type { Price } from '../../llm-spec.ts'

const MILLION = 1_000_000

/** undefined where the provider counted nothing. A count that is no whole number of tokens is not believed. */
export function usageOf(counted: LanguageModelUsage, price: Price | undefined): Usage | undefined {
  const inputTokens = count(counted.inputTokens)
  const outputTokens = count(counted.outputTokens)
  if (inputTokens === undefined && outputTokens === undefined) return undefined
  const cachedInputTokens = count(counted.inputTokenDetails.cacheReadTokens)
  const reasoningTokens = count(counted.outputTokenDetails.reasoningTokens)
  const usage: Usage = {
    inputTokens: inputTokens ?? 0,
    outputTokens: outputTokens ?? 0,
    ...(cachedInputTokens !== undefined && { cachedInputTokens }),
    ...(reasoningTokens !== undefined && { reasoningTokens }),
  }
  return price === undefined ? usage : { ...usage, costUsd: costUsd(usage, price) }
}

/** By the price list: what a provider asks for writing its cache, or for long requests, is not in it. */
export function costUsd(usage: Usage, price: Price): number {
  const cached = Math.min(usage.cachedInputTokens ?? 0, usage.inputTokens)
  const input = (usage.inputTokens - cached) * price.input + cached * (price.cachedInput ?? price.input)
  return (input + usage.outputTokens * price.output) / MILLION
}

function count(tokens: number | undefined): number | undefined {
  return tokens !== undefined && Number.isSafeInteger(tokens) && tokens >= 0 ? tokens : undefined
}
