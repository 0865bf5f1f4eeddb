/** Results as Markdown: the table, what each row does not say, and the machine it was measured on. */
import type { Bench, Row, Unit } from './bench.ts'
import type { Spread } from './stats.ts'

export interface Result {
  bench: Bench
  rows: Row[]
}

const HEAD = ['| what | measured | raw baseline | ratio | goal | |', '|---|---|---|---|---|---|']

/** The lines of one benchmark's table, without its head. */
export function tableLines(rows: readonly Row[]): string[] {
  return rows.map((row) => {
    const { what, unit, subject, baseline, ratio, goal } = row
    const cells = [
      what,
      withUnit(subject, unit),
      baseline ? withUnit(baseline, unit) : '–',
      ratio ? `**${number(ratio.median)}x** (${number(ratio.low)} – ${number(ratio.high)})` : '–',
      goal?.text ?? '–',
      goal === undefined ? '' : goal.met ? 'met' : '**not met**',
    ]
    return `| ${cells.join(' | ')} |`
  })
}

/** The whole report. `machine` holds one fact a line. */
export function markdown(results: readonly Result[], machine: readonly string[], bounds: string): string {
  const notes = results.flatMap(({ bench, rows }) => [
    `### ${bench.name}`,
    '',
    bench.title,
    '',
    ...rows.map((row) => `- ${row.what}: ${row.samples}`),
    '',
    `Not measured: ${bench.notMeasured}`,
    '',
  ])
  return [
    '# Benchmarks',
    '',
    'Written by `npm run bench`. Every figure is the median over rounds, with the lowest and the highest behind it; library and raw',
    'baseline are measured in the same run, in turn. A ratio is the median of the ratios of the single rounds, not the ratio of the',
    'medians. "Raw" is the least code that does the same: a bare worker thread, a bare file.',
    '',
    ...HEAD,
    ...results.flatMap(({ rows }) => tableLines(rows)),
    '',
    '## The machine',
    '',
    ...machine.map((fact) => `- ${fact}`),
    '',
    '## What the rows are',
    '',
    ...notes,
    ...(bounds === '' ? [] : [bounds.trimEnd(), '']),
  ].join('\n')
}

export function tableHead(): string[] {
  return [...HEAD]
}

function withUnit({ median, low, high }: Spread, unit: Unit): string {
  return low === high
    ? `${number(median)} ${unit}`
    : `${number(median)} ${unit} (${number(low)} – ${number(high)})`
}

/** Three digits that count; whole from 100 on. */
function number(value: number): string {
  return Math.abs(value) >= 100
    ? Math.round(value).toLocaleString('en-US')
    : String(Number(value.toPrecision(3)))
}
