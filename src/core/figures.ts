/** Figures as people read them. Pure. */
import type { UsageTotal } from './usage.ts'

/** `850 B`, `12 KB`, `3.4 MB`: 1024 bytes to the KB. */
export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  let value = bytes / 1024
  let unit = 'KB'
  for (const larger of ['MB', 'GB', 'TB']) {
    if (value < 1024) break
    value /= 1024
    unit = larger
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`
}

/** How long ago an ISO time was, in its largest unit: `12s`, `3m`, `5h`, `9d`. A time ahead counts as now. */
export function ageText(at: string, nowMs: number): string {
  const seconds = Math.max(0, Math.floor((nowMs - Date.parse(at)) / 1000))
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`
}

const MIN_SHORT_ID = 8

/** The shortest length, 8 or more, at which the beginnings of `ids` differ from each other. */
export function shortIdLength(ids: readonly string[]): number {
  const sorted = ids.toSorted()
  return sorted.reduce(
    (length, id, index) => Math.max(length, commonLength(id, sorted[index + 1] ?? '') + 1),
    MIN_SHORT_ID,
  )
}

function commonLength(a: string, b: string): number {
  let length = 0
  while (length < a.length && a[length] === b[length]) length += 1
  return length
}

/** `850`, `12k`, `3.4M`: 1000 tokens to the k. */
export function tokensText(tokens: number): string {
  if (tokens < 1000) return String(tokens)
  const [value, unit] = tokens < 999_500 ? [tokens / 1000, 'k'] : [tokens / 1_000_000, 'M']
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)}${unit}`
}

/** US dollars: `$0.0312`, `$1.20`; `?` for steps whose price is not known, so that a part never reads as the whole: `$1.20 + ?`. */
export function costText({
  steps,
  costUsd,
  unpricedSteps,
}: Pick<UsageTotal, 'steps' | 'costUsd' | 'unpricedSteps'>): string {
  if (steps > 0 && unpricedSteps >= steps) return '?'
  const known = `$${costUsd === 0 ? '0' : costUsd.toFixed(costUsd < 0.995 ? 4 : 2)}`
  return unpricedSteps > 0 ? `${known} + ?` : known
}
