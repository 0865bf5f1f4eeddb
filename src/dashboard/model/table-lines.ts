/** Rows of cells as lines. Pure. */
import { matchSpans } from './fuzzy.ts'
import { type Line, type Span, span, type Tone } from './line.ts'
import { cutToWidth, padToWidth, widthOf } from './text.ts'

export interface Cell {
  /** Free of control sequences. */
  readonly text: string
  readonly tone?: Tone
  /** Columns of the terminal; undefined for the one cell of a row that takes what is left. */
  readonly width?: number
  readonly align?: 'right'
  /** Indices into `text` of letters that stand out. */
  readonly found?: readonly number[]
}

/** The cells side by side, one column between them, exactly `width` columns wide. */
export function tableRow(cells: readonly Cell[], width: number): Line {
  const taken = cells.reduce((sum, cell) => sum + (cell.width ?? 0), 0) + cells.length - 1
  const rest = Math.max(0, width - taken)
  const spans: Span[] = []
  let left = width
  for (const [index, cell] of cells.entries()) {
    const gap = index === 0 ? '' : ' '
    const cellWidth = Math.min(cell.width ?? rest, left - gap.length)
    if (cellWidth <= 0) break
    left -= cellWidth + gap.length
    const cut = cutToWidth(cell.text, cellWidth)
    const fitted =
      cell.align === 'right' ? ' '.repeat(cellWidth - widthOf(cut)) + cut : padToWidth(cut, cellWidth)
    if (cell.found === undefined) spans.push(span(gap + fitted, cell.tone))
    else spans.push(span(gap), ...matchSpans(fitted, cell.found, cell.tone))
  }
  return spans
}

/** The row in one tone: how a row that is chosen looks. */
export function inTone(line: Line, tone: Tone): Line {
  return [span(line.map(({ text }) => text).join(''), tone)]
}

/** The first row to show of a list, so that row `chosen` is in sight, and the list moves no more than it must. */
export function scrolledTo(chosen: number, top: number, rows: number, height: number): number {
  if (height <= 0) return 0
  const least = Math.max(0, chosen - height + 1)
  const most = Math.min(Math.max(chosen, 0), Math.max(0, rows - height))
  return Math.min(Math.max(top, least), most)
}
