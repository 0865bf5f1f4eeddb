/** What an agent did in the last two minutes, as a sparkline shows it. Pure. */

/** Events in each span of time, oldest first; the last span is still running. */
export interface Activity {
  readonly counts: readonly number[]
  /** The running span: milliseconds since 1970 divided by SPAN_MS. */
  readonly span: number
}

export const SPAN_MS = 5_000
const SPANS = 24

const EMPTY: readonly number[] = Array.from({ length: SPANS }, () => 0)
const BARS = '▁▂▃▄▅▆▇█'

/** The activity with one event more, or with none, at `nowMs`. Returns the same value where nothing changed. */
export function active(before: Activity | undefined, nowMs: number, events: number): Activity {
  const span = Math.floor(nowMs / SPAN_MS)
  const { counts, span: last } = before ?? { counts: EMPTY, span }
  // A clock that goes back adds to the span that is there.
  const passed = Math.min(Math.max(0, span - last), SPANS)
  if (passed === 0 && events === 0 && before !== undefined) return before
  const shifted = passed === 0 ? counts : [...counts.slice(passed), ...EMPTY.slice(0, passed)]
  return { counts: [...shifted.slice(0, -1), (shifted.at(-1) ?? 0) + events], span: Math.max(span, last) }
}

/**
 * One character for each of the last `width` spans, its height by the logarithm of its events, so that one event shows and a flood
 * still differs from a stream. An agent that did nothing has spaces.
 */
export function sparkline(activity: Activity | undefined, width: number): string {
  const counts = (activity?.counts ?? EMPTY).slice(-width)
  if (counts.every((count) => count === 0)) return ' '.repeat(width)
  return counts
    .map((count) =>
      count === 0 ? ' ' : (BARS[Math.min(BARS.length - 1, Math.floor(Math.log2(count)))] ?? '█'),
    )
    .join('')
    .padStart(width)
}
