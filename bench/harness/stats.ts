/** The few statistics that the benchmarks report. */

/** What came out in several rounds. */
export interface Spread {
  median: number
  low: number
  high: number
}

/** Throws for an empty list: a figure without a measurement is none. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  return { median: percentile(sorted, 0.5), low: percentile(sorted, 0), high: percentile(sorted, 1) }
}

export function median(values: readonly number[]): number {
  return spreadOf(values).median
}

/** The value below which that part (0 to 1) of the sorted values lies, by the nearest rank; the median of an even count is the mean of the two in the middle. */
export function percentile(sorted: readonly number[], part: number): number {
  const at = (index: number): number => {
    const value = sorted[Math.min(sorted.length - 1, Math.max(0, index))]
    if (value === undefined) throw new Error('expected at least one measurement, received none')
    return value
  }
  if (part === 0.5 && sorted.length % 2 === 0) return (at(sorted.length / 2 - 1) + at(sorted.length / 2)) / 2
  return at(Math.ceil(part * sorted.length) - 1)
}
