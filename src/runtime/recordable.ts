/** What behaviors give, in the form in which records can keep it. */
import type { Usage } from '../core/session-state.ts'
import { AgentryError } from '../errors.ts'

/** Text as it can be kept: well-formed Unicode, at most `maxBytes` in UTF-8. Throws `invalid_input` for more. */
export function checkedText(value: string, what: string, maxBytes: number): string {
  if (typeof value !== 'string') {
    throw new AgentryError('invalid_input', `${what}: expected text, received ${typeof value}`)
  }
  const bytes = Buffer.byteLength(value)
  if (bytes > maxBytes) {
    throw new AgentryError('invalid_input', `${what}: expected at most ${maxBytes} bytes, received ${bytes}`)
  }
  return value.toWellFormed()
}

/** An exit code as it can be kept. Throws `invalid_input`. */
export function checkedExitCode(value: unknown, what: string): number {
  if (Number.isSafeInteger(value)) return Number(value)
  throw new AgentryError('invalid_input', `${what}: expected an integer, received ${describe(value)}`)
}

/** Throws `invalid_input`. */
export function checkedUsage(usage: Usage): Usage {
  const { inputTokens, outputTokens, cachedInputTokens, reasoningTokens, costUsd } = usage
  if (costUsd !== undefined && !(Number.isFinite(costUsd) && costUsd >= 0)) {
    throw new AgentryError(
      'invalid_input',
      `usage.costUsd of a step: expected US dollars, received ${describe(costUsd)}`,
    )
  }
  const counts = { inputTokens, outputTokens, cachedInputTokens, reasoningTokens }
  for (const [name, value] of Object.entries(counts)) {
    if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) continue
    throw new AgentryError(
      'invalid_input',
      `usage.${name} of a step: expected a whole number of tokens, received ${describe(value)}`,
    )
  }
  return {
    inputTokens,
    outputTokens,
    ...(cachedInputTokens !== undefined && { cachedInputTokens }),
    ...(reasoningTokens !== undefined && { reasoningTokens }),
    ...(costUsd !== undefined && { costUsd }),
  }
}

function describe(value: unknown): string {
  return typeof value === 'number' ? String(value) : typeof value
}

/** Text as it can be kept: what is longer is cut at its end, and marked. */
export function cutText(text: string, maxBytes: number): string {
  // A UTF-16 unit takes 3 bytes at most, the mark too.
  const kept = Buffer.byteLength(text) <= maxBytes ? text : `${text.slice(0, Math.floor(maxBytes / 3) - 1)}…`
  return kept.toWellFormed()
}
