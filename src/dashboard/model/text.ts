/**
 * Text in columns of a terminal, measured as Ink measures it. Pure.
 *
 * All of it takes text that is free of control sequences (core/terminal-text.ts); none of it returns a row that is wider than asked for.
 */
import stringWidth from 'string-width'
import type { Line, Span } from './line.ts'

const TAB_WIDTH = 4
const ELLIPSIS = '…'

/**
 * Characters that are one column wide each, alone and beside each other: most of what is written in Latin, Greek and Cyrillic, quotes, dashes,
 * arrows and boxes. Rows of them need no measuring.
 */
const NARROW =
  /^[\u0020-\u007e\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0377\u037a-\u037f\u0400-\u0482\u2010-\u2027\u2190-\u2193\u2500-\u25a1]*$/

const segmenter = new Intl.Segmenter()

/** Columns of a text without newlines. A tab counts as one. */
export function widthOf(text: string): number {
  return NARROW.test(text) ? text.length : stringWidth(flat(text))
}

/** The text on one row of at most `width` columns, an ellipsis in place of what does not fit. */
export function cutToWidth(text: string, width: number): string {
  if (width <= 0) return ''
  if (text.length <= width && NARROW.test(text)) return text
  const row = flat(text)
  if (row.length <= MEASURED_AT_ONCE && widthOf(row) <= width) return row
  const head = headOf(row, width - 1)
  return head.length === row.length ? row : head + ELLIPSIS
}

/** The text with spaces behind it up to `width` columns. */
export function padToWidth(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)))
}

/**
 * The rows of a text of any number of lines: broken at spaces, which are left out there, and words that are longer than a row broken
 * anywhere. The indentation of a line stays. One row at least.
 */
export function wrapToWidth(text: string, width: number): string[] {
  if (width <= 0) return ['']
  const rows: string[] = []
  for (const line of text.split('\n')) wrapLine(expandTabs(line), width, rows)
  return rows
}

/** The spans on one row of at most `width` columns, the last one cut. */
export function cutSpans(spans: Line, width: number): Line {
  const fitted: Span[] = []
  let left = width
  for (const one of spans) {
    const wide = widthOf(one.text)
    if (wide <= left) {
      fitted.push(one)
      left -= wide
      continue
    }
    if (left > 0) fitted.push({ ...one, text: cutToWidth(one.text, left) })
    break
  }
  return fitted
}

const MEASURED_AT_ONCE = 1_000

/** What would move the cursor of a terminal becomes a space. */
function flat(text: string): string {
  return text.replaceAll(/[\t\n]/g, ' ')
}

/** The longest beginning of whole graphemes that is no wider than `width`. */
function headOf(text: string, width: number): string {
  let length = 0
  let taken = 0
  for (const { segment } of segmenter.segment(text)) {
    taken += graphemeWidth(segment)
    if (taken > width) break
    length += segment.length
  }
  return text.slice(0, length)
}

function expandTabs(line: string): string {
  if (!line.includes('\t')) return line
  let columns = 0
  return line
    .split('\t')
    .map((part, index, parts) => {
      columns += widthOf(part)
      if (index === parts.length - 1) return part
      const gap = TAB_WIDTH - (columns % TAB_WIDTH)
      columns += gap
      return part + ' '.repeat(gap)
    })
    .join('')
}

function wrapLine(line: string, width: number, rows: string[]): void {
  if (!NARROW.test(line)) return wrapWide(line, width, rows)
  let start = 0
  while (line.length - start > width) {
    const space = line.lastIndexOf(' ', start + width)
    // A row of nothing but the indentation would look like an empty line.
    const breaks = space > start && line.slice(start, space).trim() !== ''
    const end = breaks ? space : start + width
    rows.push(line.slice(start, end).trimEnd())
    start = end
    if (breaks) while (line[start] === ' ') start += 1
    if (start === line.length) return
  }
  rows.push(line.slice(start))
}

/** As wrapLine, grapheme by grapheme. */
function wrapWide(line: string, width: number, rows: string[]): void {
  let row = ''
  let columns = 0
  /** Where the last space of the row is, and the columns before it; -1 without one behind a word. */
  let space = -1
  let columnsBehindSpace = 0
  /** Spaces at a break are left out. */
  let skipping = false
  for (const { segment } of segmenter.segment(line)) {
    if (segment === ' ') {
      if (skipping) continue
      if (columns + 1 > width) {
        rows.push(row.trimEnd())
        row = ''
        columns = 0
        space = -1
        skipping = true
        continue
      }
      if (row.trim() !== '') {
        space = row.length
        columnsBehindSpace = columns + 1
      }
      row += ' '
      columns += 1
      continue
    }
    skipping = false
    const wide = graphemeWidth(segment)
    const fitting = wide <= width
    const taken = fitting ? wide : 1
    if (columns + taken > width) {
      if (space === -1) {
        rows.push(row.trimEnd())
        row = ''
        columns = 0
      } else {
        rows.push(row.slice(0, space).trimEnd())
        row = row.slice(space + 1)
        columns -= columnsBehindSpace
        space = -1
      }
      // The word alone may still fill the row.
      if (columns + taken > width) {
        rows.push(row)
        row = ''
        columns = 0
      }
    }
    row += fitting ? segment : ELLIPSIS
    columns += taken
  }
  if (!skipping || row !== '') rows.push(row)
}

/** Few graphemes make most texts. */
const graphemeWidths = new Map<string, number>()
const MAX_REMEMBERED = 4_096

function graphemeWidth(grapheme: string): number {
  const code = grapheme.charCodeAt(0)
  if (grapheme.length === 1 && code >= 0x20 && code < 0x7f) return 1
  const known = graphemeWidths.get(grapheme)
  if (known !== undefined) return known
  const width = stringWidth(grapheme)
  if (graphemeWidths.size >= MAX_REMEMBERED) graphemeWidths.clear()
  if (grapheme.length <= 16) graphemeWidths.set(grapheme, width)
  return width
}
