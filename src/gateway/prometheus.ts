/**
 * Figures in the text format of Prometheus, version 0.0.4. Our own: a library for it is eighty modules at every start, most of them for
 * figures of Node itself.
 *
 * F1  a family has the same label names in every sample, in the order in which they are given.
 * F2  what was counted is never taken back: a histogram's buckets, sum and count only grow.
 */

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export type Labels = Readonly<Record<string, string | number>>

export interface FamilyOptions {
  /** With its unit: `…_seconds`, `…_bytes`, `…_total`. */
  name: string
  help: string
}

/** All samples under one name. */
export interface Family extends FamilyOptions {
  type: 'counter' | 'gauge' | 'histogram'
  /** A line each. */
  samples(): Iterable<string>
}

export interface Counter extends Family {
  /** `by` 0: the sample is there from then on. */
  add(labels: Labels, by?: number): void
}

export interface Histogram extends Family {
  observe(labels: Labels, value: number): void
}

/** What was counted of one set of labels. `buckets`: how many values were in each and not in one before; the last one has no bound. */
interface Observed {
  buckets: number[]
  sum: number
}

export function createCounter({ name, help }: FamilyOptions): Counter {
  const counts = new Map<string, number>()
  return {
    name,
    help,
    type: 'counter',
    add(labels, by = 1) {
      const key = labelsText(labels)
      counts.set(key, (counts.get(key) ?? 0) + by)
    },
    *samples() {
      for (const [labels, count] of counts) yield sample(name, labels, count)
    },
  }
}

/** `bounds`: the highest value of each bucket, ascending. */
export function createHistogram({
  name,
  help,
  bounds,
}: FamilyOptions & { bounds: readonly number[] }): Histogram {
  const observed = new Map<string, Observed>()
  const le = [...bounds.map(String), '+Inf'].map((bound) => labelsText({ le: bound }))
  return {
    name,
    help,
    type: 'histogram',
    observe(labels, value) {
      const key = labelsText(labels)
      let entry = observed.get(key)
      if (entry === undefined) {
        entry = { buckets: le.map(() => 0), sum: 0 }
        observed.set(key, entry)
      }
      const fits = bounds.findIndex((bound) => value <= bound)
      const index = fits === -1 ? bounds.length : fits
      entry.buckets[index] = (entry.buckets[index] ?? 0) + 1
      entry.sum += value
    },
    *samples() {
      for (const [labels, { buckets, sum }] of observed) {
        let count = 0
        for (const [index, inBucket] of buckets.entries()) {
          count += inBucket
          yield sample(`${name}_bucket`, `${labels},${le[index] ?? ''}`, count)
        }
        yield sample(`${name}_sum`, labels, sum)
        yield sample(`${name}_count`, labels, count)
      }
    },
  }
}

/** A state, read at each scrape. */
export function createGauge(
  { name, help }: FamilyOptions,
  read: () => Iterable<readonly [Labels, number]>,
): Family {
  return {
    name,
    help,
    type: 'gauge',
    *samples() {
      for (const [labels, value] of read()) yield sample(name, labelsText(labels), value)
    },
  }
}

/** What a scrape gets. */
export function expositionOf(families: readonly Family[]): string {
  const lines = families.flatMap((family) => [
    `# HELP ${family.name} ${family.help}`,
    `# TYPE ${family.name} ${family.type}`,
    ...family.samples(),
  ])
  return `${lines.join('\n')}\n`
}

function sample(name: string, labels: string, value: number): string {
  return labels === '' ? `${name} ${value}` : `${name}{${labels}} ${value}`
}

function labelsText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',')
}

function escaped(value: string | number): string {
  return String(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
