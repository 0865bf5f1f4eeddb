/** Durations as people write them: `30d`, `12h`, `1h 30m`, `500ms`. Pure. */
import { AgentryError } from '../errors.ts'
import { quote } from './ids.ts'

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['w', 604_800_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
])

/** The form of a duration, also in the published JSON Schema. */
export const DURATION_PATTERN: RegExp = /^\s*(\d+(\.\d+)?\s*(ms|w|d|h|m|s)\s*)+$/

/**
 * The milliseconds that `text` stands for, rounded: one or more numbers with a unit each (w, d, h, m, s, ms), added up. A
 * bare number is refused, its unit would be a guess. Throws `invalid_input`.
 */
export function parseDuration(text: string): number {
  const parts = DURATION_PATTERN.test(text) ? text.matchAll(/(\d+(?:\.\d+)?)\s*(ms|w|d|h|m|s)/g) : []
  let totalMs: number | undefined
  for (const [, amount, unit = ''] of parts) {
    totalMs = (totalMs ?? 0) + Number(amount) * (UNIT_MS.get(unit) ?? Number.NaN)
  }
  const roundedMs = Math.round(totalMs ?? Number.NaN)
  if (Number.isSafeInteger(roundedMs)) return roundedMs
  throw new AgentryError(
    'invalid_input',
    `expected a duration (numbers with a unit of w, d, h, m, s or ms, such as 30d, "1h 30m" or 500ms), received ${quote(text)}`,
  )
}
