/** What a benchmark is, and what it reports. */
import { type Pair } from './rounds.ts'
import { type Spread, spreadOf } from './stats.ts'

export interface Bench {
  /** To choose it by on the command line. */
  name: string
  /** What is measured, and against what. */
  title: string
  /** What the figures do not say. */
  notMeasured: string
  run(): Promise<Row[]>
}

/** One line of the table. */
export interface Row {
  what: string
  unit: Unit
  subject: Spread
  /** Left out where the figure stands for itself. */
  baseline?: Spread
  /** Of the pairs' own ratios. */
  ratio?: Spread
  goal?: Goal
  /** How much was measured: rounds, calls. */
  samples: string
}

export type Unit = 'ms' | 'KB' | 'MB' | '%' | 'per second'

export interface Goal {
  text: string
  met: boolean
}

/** A row of interleaved pairs. `limit` is the goal for the median of their ratios. */
export function pairedRow(
  what: string,
  unit: Unit,
  pairs: readonly Pair<number>[],
  samples: string,
  limit?: { most: number } | { least: number },
): Row {
  const ratio = spreadOf(pairs.map((pair) => pair.subject / pair.baseline))
  return {
    what,
    unit,
    subject: spreadOf(pairs.map((pair) => pair.subject)),
    baseline: spreadOf(pairs.map((pair) => pair.baseline)),
    ratio,
    ...(limit && { goal: ratioGoal(ratio.median, limit) }),
    samples,
  }
}

/** A row without a baseline. `most` is the goal for the median, in the row's unit. */
export function plainRow(
  what: string,
  unit: Unit,
  values: readonly number[],
  samples: string,
  most?: number,
): Row {
  const subject = spreadOf(values)
  return {
    what,
    unit,
    subject,
    ...(most !== undefined && { goal: { text: `<= ${most} ${unit}`, met: subject.median <= most } }),
    samples,
  }
}

function ratioGoal(ratio: number, limit: { most: number } | { least: number }): Goal {
  return 'most' in limit
    ? { text: `<= ${limit.most}x`, met: ratio <= limit.most }
    : { text: `>= ${limit.least}x`, met: ratio >= limit.least }
}
