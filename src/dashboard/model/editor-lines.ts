/** What of the text at the prompt is seen. Pure. */
import type { Cell } from './frame.ts'
import { type Line, span } from './line.ts'
import type { LineEditor } from './line-editor.ts'
import { cutToWidth, widthOf } from './text.ts'

const ELLIPSIS = '…'
const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/**
 * The lines of the text as rows, `maxRows` at most, those round the cursor; each as much of its line as `width` has room for, an ellipsis where
 * something is left out. The line of the cursor scrolls so that the cursor and something behind it show. One row at least.
 */
export function editorLines(
  { text, cursor }: LineEditor,
  width: number,
  maxRows: number,
): { lines: readonly Line[]; cursor: Cell } {
  const start = cursor === 0 ? 0 : text.lastIndexOf('\n', cursor - 1) + 1
  const rows = text.split('\n')
  const row = text.slice(0, start).split('\n').length - 1
  const height = Math.max(1, maxRows)
  const top = Math.max(0, Math.min(row - Math.floor(height / 2), rows.length - height))
  const current = currentRow(rows[row] ?? '', cursor - start, width)
  const lines = rows
    .slice(top, top + height)
    .map((line, index) => [span(top + index === row ? current.text : cutToWidth(line, width))])
  return { lines, cursor: { x: current.x, y: row - top } }
}

/** The line of the cursor in `width` columns, of which the last one is the cursor's where that is at the end. */
function currentRow(line: string, cursor: number, width: number): { text: string; x: number } {
  const before = line.slice(0, cursor)
  const after = line.slice(cursor)
  const ahead = widthOf(cutToWidth(after, Math.floor(width / 3)))
  const room = Math.max(0, width - 1 - ahead)
  const whole = tailOf(before, room)
  const shown = whole.length === before.length ? whole : ELLIPSIS + tailOf(before, room - ELLIPSIS.length)
  const x = Math.min(widthOf(shown), Math.max(0, width - 1))
  return { text: cutToWidth(shown, x) + cutToWidth(after, width - x), x }
}

/** The longest end of whole graphemes that is no wider than `width`; looks at no more of the text than that. */
function tailOf(text: string, width: number): string {
  const graphemes = GRAPHEMES.segment(text)
  let at = text.length
  let taken = 0
  for (let last = graphemes.containing(at - 1); last !== undefined; last = graphemes.containing(at - 1)) {
    taken += widthOf(last.segment)
    if (taken > width) break
    at = last.index
  }
  return text.slice(at).replaceAll('\t', ' ')
}
